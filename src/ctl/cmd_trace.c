/* SPDX-License-Identifier: MIT */
/* glass trace: what happened, from the flight recorder. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "export.h"
#include "filter.h"
#include "paths.h"
#include "story.h"

#define SHORT_STEPS \
	24 /* of a connection, at its beginning and at its end, unless it was asked for */
#define FOLLOW_MS 20

static struct {
	bool follow, raw, verbose, all, paths;
	int64_t last, packet, since_ns, conn;
	bool has_conn;
	const char *event, *ring, *save, *output, *functions, *export;
	const char *which; /* connection, by another word than its number */
	struct expr filter;
} want = { .since_ns = INT64_MIN, .conn = -1 };

static const struct opt options[] = {
	{ 'f', "follow", OPT_FLAG, NULL, "go on as it happens, until Ctrl-C", &want.follow },
	{ 'n', "last", OPT_NUMBER, "N",
	  "only the last N steps of each connection, or the last N records", &want.last },
	{ 'v', "verbose", OPT_FLAG, NULL, "every decision, also the ones that can be guessed",
	  &want.verbose },
	{ 'a', "all", OPT_FLAG, NULL, "long connections in full", &want.all },
	{ 'c', "conn", OPT_NUMBER, "N", "only connection N (see glass ss)", &want.conn },
	{ 0, "paths", OPT_FLAG, NULL,
	  "packets grouped by the rooms they walked through, and counted", &want.paths },
	{ 'o', "output", OPT_STRING, "FILE", "write to a file, without colours", &want.output },
	{ 0, "export", OPT_STRING, "FORMAT",
	  "for another program: perfetto, qlog, or ctf (a folder, which -o names)", &want.export },
	{ 0, "since", OPT_SECONDS, "TIME",
	  "from this time on; negative: that long before the last record", &want.since_ns },
	{ 'e', "event", OPT_STRING, "NAME", "only records of this event, as in glass explain",
	  &want.event },
	{ 'P', "packet", OPT_NUMBER, "N",
	  "all about packet, timer or call #N: its walk, its cause, what it led to", &want.packet },
	{ 0, "functions", OPT_MAYBE, "timed",
	  "every function of the stack that is called, from now on; timed: and how long it took",
	  &want.functions },
	{ 'r', "raw", OPT_FLAG, NULL, "record by record, not told as a story", &want.raw },
	{ 0, "ring", OPT_STRING, "FILE", "read a saved recorder, not the running stack's",
	  &want.ring },
	{ 0, "save", OPT_STRING, "FILE", "save the recorder to a file, and end", &want.save },
};

static int event_number; /* of want.event; -1: all */

static const char *event_name(unsigned i)
{
	return glass_event_desc(i) ? glass_event_desc(i)->name : NULL;
}

static int find_event(const struct command *self)
{
	const char *meant;

	event_number = -1;
	if (!want.event)
		return 0;
	for (unsigned i = 0; event_name(i); i++)
		if (!strcasecmp(event_name(i), want.event))
			event_number = (int)i;
	if (event_number >= 0)
		return 0;
	meant = nearest(want.event, event_name);
	return usage(self, "there is no event %s%s%s", want.event, meant ? "; did you mean " : "",
		     meant ? meant : "");
}

/* A negative --since counts from the end. */
static int64_t since_ns(const struct story *s)
{
	if (want.since_ns == INT64_MIN)
		return INT64_MIN;
	if (want.since_ns >= 0)
		return s->reader.start_ns + want.since_ns;
	return s->nrec ? s->rec[s->nrec - 1].time_ns + want.since_ns : INT64_MIN;
}

static bool step_wanted(const struct story *s, const struct step *t, int64_t since)
{
	return t->end_ns >= since && (!want.has_conn || t->conn == want.conn) &&
	       filter_step(&want.filter, s, t);
}

static bool wanted_now(const struct story *s, const struct step *t)
{
	return step_wanted(s, t, since_ns(s));
}

/* ---- record by record ---- */

static bool record_wanted(const struct story *s, uint32_t i, const uint32_t *step_of_record,
			  int64_t since)
{
	const struct step *t = &s->step[step_of_record[i]];
	const struct glass_record *r = &s->rec[i];

	if (event_number >= 0 && r->event != event_number)
		return false;
	if (want.packet && r->pkt != want.packet && (r->pkt || r->cause != want.packet))
		return false;
	return r->time_ns >= since && (!want.has_conn || t->conn == want.conn) &&
	       filter_step(&want.filter, s, t);
}

/* Records do not know of their step: the other way round. */
static uint32_t *steps_of_records(const struct story *s)
{
	uint32_t *step = calloc(s->nrec + 1, sizeof(*step));

	if (!step) {
		failed("out of memory");
		exit(EXIT_FAILED);
	}
	for (uint32_t i = 0; i < s->nstep; i++)
		FOR_STEP(s, &s->step[i], r)
	step[r] = i;
	return step;
}

static void tell_records(const struct print *p)
{
	const struct story *s = p->story;
	uint32_t *step = steps_of_records(s);
	int64_t since = since_ns(s), skip = 0;

	for (uint32_t i = 0; i < s->nrec; i++)
		skip += record_wanted(s, i, step, since);
	skip = want.last ? skip - want.last : 0;
	for (uint32_t i = 0; i < s->nrec; i++) {
		if (!record_wanted(s, i, step, since) || skip-- > 0)
			continue;
		(ctl.json ? print_json : print_raw)(p, &s->rec[i]);
	}
	free(step);
}

/* ---- by connection ---- */

/* Steps that tell something beside the stream of data and ACKs. */
static bool is_remarkable(const struct story *s, const struct step *t)
{
	FOR_STEP(s, t, r)
	{
		switch (s->rec[r].event) {
		case EV_DROP:
		case EV_TCP_STATE:
		case EV_TCP_RTX:
		case EV_TCP_RTO:
		case EV_TCP_CA:
		case EV_TCP_END:
		case EV_NEIGH_STATE:
		case EV_ICMP_IN:
			return true;
		default:
			break;
		}
	}
	return false;
}

static uint32_t count_wanted(const struct story *s, const struct conn_story *c, int64_t since)
{
	uint32_t n = 0;

	for (uint32_t i = c->first_step; i != NONE; i = s->step[i].next_of_conn)
		n += step_wanted(s, &s->step[i], since);
	return n;
}

static void tell_left_out(const struct conn_story *c, uint32_t *n)
{
	if (*n && c->id)
		printf("%13s... %u steps like these: glass trace %u tells them\n", "", *n, c->id);
	else if (*n)
		printf("%13s... %u steps like these: glass trace --all tells them\n", "", *n);
	*n = 0;
}

static void tell_connection(struct print *p, const struct conn_story *c)
{
	const struct story *s = p->story;
	int64_t since = since_ns(s);
	uint32_t n = count_wanted(s, c, since), at = 0, left_out = 0, remarkable = 0;
	bool brief = !want.all && !want.has_conn && n > 2 * SHORT_STEPS;

	if (!n)
		return;
	p->zero_ns = c->begin_ns;
	print_conn_heading(p, c);
	for (uint32_t i = c->first_step; i != NONE; i = s->step[i].next_of_conn) {
		if (!step_wanted(s, &s->step[i], since))
			continue;
		at++;
		if (want.last && n - at >= (uint64_t)want.last)
			continue;
		if (brief && at > SHORT_STEPS && at + SHORT_STEPS <= n &&
		    (!is_remarkable(s, &s->step[i]) || remarkable++ > SHORT_STEPS)) {
			left_out++;
			continue;
		}
		tell_left_out(c, &left_out);
		print_step(p, &s->step[i]);
	}
	tell_left_out(c, &left_out);
	putchar('\n');
}

static int tell_story(struct print *p, struct story *s)
{
	const struct conn_story *none;

	if (want.has_conn && (want.conn > UINT32_MAX || !story_conn(s, (uint32_t)want.conn)))
		return failed("connection %" PRId64
			      " is not in the recorder%s\ntype: glass ss, or glass trace for all",
			      want.conn, s->older ? " (any more?)" : "");
	for (uint32_t i = 0; i < s->nconn; i++)
		if (s->conn[i].id)
			tell_connection(p, &s->conn[i]);
	none = story_conn(s, 0);
	if (none)
		tell_connection(p, none);
	if (!s->nstep)
		printf("nothing has happened yet\n");
	return EXIT_OK;
}

static void tell_lost(const struct story *s)
{
	if (s->older)
		fprintf(stderr,
			"(%" PRIu64 " older records were overwritten; glassd --trace-records sets "
			"how many are kept)\n",
			s->older);
	if (s->reader.lost)
		fprintf(stderr, "(%" PRIu64 " records were overwritten while they were read)\n",
			s->reader.lost);
}

/* ---- as it happens ---- */

static void tell_steps(const struct print *p)
{
	const struct story *s = p->story;

	if (ctl.json || want.raw || event_number >= 0) {
		tell_records(p);
		return;
	}
	for (uint32_t i = 0; i < s->nstep; i++)
		if (step_wanted(s, &s->step[i], INT64_MIN))
			print_step(p, &s->step[i]);
}

/* As long as we stay, the daemon records every call. 0 or an exit code after a message. */
static int ask_for_functions(void)
{
	struct abi_request req = { .arg = { *want.functions != '\0' } };
	struct reply rep;
	int err = client_call(ABI_FUNCTIONS, &req, NULL, -1, &rep);

	return err ? client_failed("functions", err, &rep) : 0;
}

/* The daemon has hung up. Another one has perhaps taken the stack over. */
static bool goes_on(struct story *s)
{
	client_close();
	return !client_try_open() && story_renew(s) && !(want.functions && ask_for_functions());
}

/* What was there before is read, so that causes have names, but not told. */
static void follow(struct print *p, struct story *s)
{
	static const struct timespec pause = { 0, FOLLOW_MS * NS_PER_MS };
	uint64_t lost = s->reader.lost;
	uint32_t n;

	p->with_conn = true;
	for (;;) {
		story_forget(s);
		n = story_read(s);
		if (!n && client_hung_up()) {
			if (!goes_on(s)) {
				fprintf(stderr, "(the recorder ends here: its glassd is gone)\n");
				return;
			}
			lost = s->reader.lost;
			continue;
		}
		if (!n) {
			nanosleep(&pause, NULL);
			continue;
		}
		if (s->reader.lost != lost)
			fprintf(stderr,
				"(%" PRIu64 " records were overwritten before they were read)\n",
				s->reader.lost - lost);
		lost = s->reader.lost;
		tell_steps(p);
		fflush(stdout);
	}
}

/* ---- */

/* 0, or an exit code after a message. */
static int choose(struct story *s)
{
	const struct conn_story *c;
	int code = story_choose(s, want.which, &c);

	if (code)
		return code;
	want.conn = c->id;
	want.has_conn = true;
	return 0;
}

static int tell_export(struct story *s)
{
	const struct export x = { s, wanted_now, want.output };

	return export_tell(&x, want.export);
}

static int tell(struct story *s)
{
	struct print p = { .story = s,
			   .zero_ns = s->reader.start_ns,
			   .verbose = want.verbose,
			   .functions = want.functions,
			   .width = screen_width() };
	int code = EXIT_OK;

	story_read(s);
	story_group(s);
	if (want.which && (code = choose(s)))
		return code;
	if (want.export) {
		code = tell_export(s);
	} else if (want.follow) {
		follow(&p, s);
	} else if (want.paths) {
		code = paths_tell(&p, wanted_now);
	} else if (ctl.json || want.raw || event_number >= 0) {
		tell_records(&p);
	} else if (want.packet) {
		if (want.packet > UINT32_MAX || !print_act(&p, (uint32_t)want.packet))
			code = failed("#%" PRId64 " is not in the recorder\ntype: glass trace",
				      want.packet);
	} else {
		code = tell_story(&p, s);
	}
	tell_lost(s);
	return code;
}

/* The number of a connection, its end, "last", or a filter. */
static int take_operands(const struct command *self, int n, char **argv)
{
	int64_t number;

	if (n == 1 && parse_number(argv[1], &number) && number >= 0)
		want.conn = number;
	else if (n == 1 && story_names_conn(argv[1]))
		want.which = argv[1];
	else if (n && filter_parse(self, &want.filter, n, argv + 1))
		return EXIT_USAGE;
	want.has_conn = want.conn >= 0;
	return 0;
}

/* 0, or an exit code after a message. */
static int redirect(void)
{
	if (!want.output || (want.export && export_is_folder(want.export)))
		return 0;
	if (!freopen(want.output, "we", stdout))
		return failed("%s: %s", want.output, strerror(errno));
	ctl.color = false;
	return 0;
}

static int check_export(const struct command *self)
{
	if (!want.export)
		return 0;
	if (!export_is_known(want.export))
		return usage(self, "--export perfetto, qlog or ctf: not '%s'", want.export);
	if (want.follow || want.paths || want.raw || want.event || want.packet || want.last ||
	    want.save || want.functions || ctl.json)
		return usage(self, "--export goes with a connection or a filter, --since, --ring "
				   "and -o");
	if (export_is_folder(want.export) && !want.output)
		return usage(self, "--export %s writes a folder: name it with -o", want.export);
	return 0;
}

/* What does not go together, instead of one of the two without a word. */
static int check_modes(const struct command *self)
{
	const char *what = NULL;

	if (want.follow && want.ring)
		what = "a saved recorder does not go on";
	else if (want.follow && want.paths)
		what = "--paths counts what has happened: without -f";
	else if (want.follow && want.save)
		what = "--save takes what is there now: without -f";
	else if (want.paths && (want.raw || want.event || want.packet))
		what = "--paths counts packets: without -r, -e and -P";
	else if (want.follow && want.packet)
		what = "-P tells of what has happened: without -f";
	return what ? usage(self, "%s", what) : 0;
}

int cmd_trace(const struct command *self, int argc, char **argv)
{
	int n = opt_parse(self, options, COUNT(options), argc, argv), code;
	struct story s = { 0 };

	if (n < 0 || find_event(self) || take_operands(self, n, argv) || check_export(self))
		return EXIT_USAGE;
	if (want.functions && *want.functions && strcmp(want.functions, "timed"))
		return usage(self, "--functions, or --functions=timed: not '%s'", want.functions);
	want.follow = want.follow || (want.functions && !want.ring && !want.save);
	if (check_modes(self))
		return EXIT_USAGE;
	code = redirect();
	if (!code)
		code = story_open(&s, want.ring);
	if (!code && want.functions && want.follow)
		code = ask_for_functions();
	if (!code)
		code = want.save ? story_save(&s, want.save) : tell(&s);
	story_close(&s);
	return code;
}
