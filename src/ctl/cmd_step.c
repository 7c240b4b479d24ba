/* SPDX-License-Identifier: MIT */
/*
 * glass step: the stack stands still and goes on step by step. The commands are few, as a
 * debugger's; they come from a prompt, from a script on stdin, or from -e.
 *
 * A step is what glass trace tells as one: what a packet, a timer or a call did at one moment. When
 * one event made several, they are told one after the other before the next event is let happen.
 *
 * In: main.c.	Out: step_ground.c (what is stepped over), filter.c, story_print.c, ss_info.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "filter.h"
#include "ss.h"
#include "step.h"

#include "../sim/scene.h"

#define WORDS_MAX 64
#define BREAKS_MAX 8
#define LONG_NS (INT64_C(1000000) * NS_PER_S)
#define FOREVER GLASS_NEVER

static struct {
	bool verbose, peer;
	int64_t seed, within_ns;
	const char *scene, *execute;
} want = { .seed = -1 };

static const struct opt options[] = {
	{ 'e', "execute", OPT_STRING, "COMMANDS", "do these, separated by ';', and end",
	  &want.execute },
	{ 0, "scene", OPT_STRING, "NAME", "a simulated scene instead of the running stack",
	  &want.scene },
	{ 0, "seed", OPT_NUMBER, "N", "a simulated upload over a network made from this number",
	  &want.seed },
	{ 0, "peer", OPT_FLAG, NULL, "of a scene: look at the server's stack, not the client's",
	  &want.peer },
	{ 0, "within", OPT_SECONDS, "TIME",
	  "a command fails when the stack's time has gone on by so much without what it waits for",
	  &want.within_ns },
	{ 'v', "verbose", OPT_FLAG, NULL, "every decision, also the ones that can be guessed",
	  &want.verbose },
};

struct breakpoint {
	struct expr expr;
	char text[256];
	bool set;
};

static struct {
	const struct command *self;
	struct ground ground;
	struct print print;
	uint32_t untold;  /* steps of the last event from here on */
	uint32_t skipped; /* steps not told since the last that was */
	struct breakpoint breaks[BREAKS_MAX];
	bool quit;
} at;

static volatile sig_atomic_t interrupted;

static void interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

/* ---- going on ---- */

enum outcome { STEPPED, AT_END, LATE, STOPPED, BROKEN };

static const char *const outcome_text[] = {
	[AT_END] = "nothing happens any more",
	[LATE] = "that did not happen in time",
	[STOPPED] = "stopped",
};

static double seconds_now(void)
{
	return (double)between(at.ground.story.reader.start_ns, at.ground.now_ns) / 1e9;
}

static void tell_outcome(enum outcome o)
{
	if (o == BROKEN) /* told already */
		return;
	if (!ctl.json) {
		printf("%11.6f  %s%s%s\n", seconds_now(), color(C_YELLOW), outcome_text[o],
		       color(C_NONE));
		return;
	}
	json_begin_object(NULL);
	json_number("time_ns", between(at.ground.story.reader.start_ns, at.ground.now_ns));
	json_string("outcome", outcome_text[o]);
	json_end();
}

/* The next step that tells anything. Time goes on no further than that. */
static enum outcome go_on(int64_t until_ns, const struct step **out)
{
	struct story *s = &at.ground.story;
	char title[TEXT_BYTES + 16];
	int64_t left_ns;
	bool happened;

	for (;;) {
		while (at.untold < s->nstep) {
			*out = &s->step[at.untold++];
			if (step_tells(&at.print, *out, title, sizeof(title)))
				return STEPPED;
		}
		if (interrupted)
			return STOPPED;
		if (at.ground.now_ns >= until_ns)
			return LATE;
		left_ns = until_ns == FOREVER ? FOREVER : until_ns - at.ground.now_ns;
		switch (at.ground.event(&at.ground, left_ns, &happened)) {
		case GOING_ON:
			break;
		case GOING_NOWHERE:
			return AT_END;
		case GOING_FAILED:
			return BROKEN;
		}
		at.untold = 0;
		story_forget(s);
		story_read(s);
	}
}

static int64_t until_of(int64_t within_ns)
{
	return within_ns > 0 && within_ns < FOREVER - at.ground.now_ns
		       ? at.ground.now_ns + within_ns
		       : FOREVER;
}

static void step_json(const struct step *t)
{
	const struct story *s = &at.ground.story;
	char title[TEXT_BYTES + 16] = "", cause[160] = "", text[4096];

	step_tells(&at.print, t, title, sizeof(title));
	if (t->cause)
		act_label(&at.print, t->cause, cause, sizeof(cause));
	json_begin_object(NULL);
	json_number("time_ns", between(s->reader.start_ns, t->begin_ns));
	json_unsigned("act", t->act);
	json_unsigned("conn", t->conn);
	json_string("what", title);
	json_string("because", cause);
	json_unsigned("skipped", at.skipped);
	json_begin_array("records");
	FOR_STEP(s, t, r)
	{
		glass_record_json(&s->reader, &s->rec[r], text, sizeof(text));
		json_raw(NULL, text);
	}
	json_end();
	json_end();
}

static void tell(const struct step *t)
{
	if (ctl.json)
		step_json(t);
	else {
		if (at.skipped)
			printf("%13s%s... %u step%s%s\n", "", color(C_DIM), at.skipped,
			       at.skipped == 1 ? "" : "s", color(C_NONE));
		print_step(&at.print, t);
	}
	at.skipped = 0;
}

/* Goes on until e holds for a step, which is told. */
static bool go_until(const struct expr *e, int64_t within_ns)
{
	int64_t until_ns = until_of(within_ns);
	const struct step *t;
	enum outcome o;

	while ((o = go_on(until_ns, &t)) == STEPPED) {
		if (filter_step(e, &at.ground.story, t)) {
			tell(t);
			return true;
		}
		at.skipped++;
	}
	tell_outcome(o);
	return false;
}

/* ---- the commands ---- */

static bool count_of(int argc, char **argv, int64_t *n)
{
	*n = 1;
	if (argc > 2 || (argc == 2 && (!parse_number(argv[1], n) || *n < 1)))
		return failed("%s takes a number: how many", argv[0]), false;
	return true;
}

static bool do_next(int argc, char **argv)
{
	static const struct expr any;
	int64_t n;

	if (!count_of(argc, argv, &n))
		return false;
	while (n-- > 0)
		if (!go_until(&any, want.within_ns))
			return false;
	return true;
}

static bool do_packet(int argc, char **argv)
{
	char *words[] = { (char[]){ "ip" }, (char[]){ "or" }, (char[]){ "arp" } };
	struct expr packet;
	int64_t n;

	if (!count_of(argc, argv, &n) || filter_parse(at.self, &packet, 3, words))
		return false;
	while (n-- > 0)
		if (!go_until(&packet, want.within_ns))
			return false;
	return true;
}

static bool do_until(int argc, char **argv)
{
	struct expr e;

	if (argc < 2)
		return failed("until what? As in: until rtx or drop"), false;
	return !filter_parse(at.self, &e, argc - 1, argv + 1) && go_until(&e, want.within_ns);
}

static void list_breaks(void)
{
	bool any = false;

	for (unsigned i = 0; i < BREAKS_MAX; i++) {
		if (at.breaks[i].set)
			printf("breakpoint %u: %s\n", i + 1, at.breaks[i].text);
		any = any || at.breaks[i].set;
	}
	if (!any)
		printf("no breakpoint is set. As in: break rtx or drop\n");
}

static bool do_break(int argc, char **argv)
{
	struct breakpoint *b = NULL;
	size_t n = 0;

	for (unsigned i = 0; i < BREAKS_MAX && !b; i++)
		b = at.breaks[i].set ? NULL : &at.breaks[i];
	if (argc < 2) {
		list_breaks();
		return true;
	}
	if (!b)
		return failed("no more than %d breakpoints. Type: delete N", BREAKS_MAX), false;
	if (filter_parse(at.self, &b->expr, argc - 1, argv + 1))
		return false;
	b->set = true;
	for (int i = 1; i < argc && n < sizeof(b->text); i++)
		n += (size_t)snprintf(b->text + n, sizeof(b->text) - n, "%s%s", i > 1 ? " " : "",
				      argv[i]);
	if (!ctl.json)
		printf("breakpoint %u: %s\n", (unsigned)(b - at.breaks) + 1, b->text);
	return true;
}

static bool do_delete(int argc, char **argv)
{
	int64_t n = 0;

	if (argc > 2 || (argc == 2 && (!parse_number(argv[1], &n) || n < 1 || n > BREAKS_MAX ||
				       !at.breaks[n - 1].set)))
		return failed("there is no such breakpoint. Type: break"), false;
	for (unsigned i = 0; i < BREAKS_MAX; i++)
		at.breaks[i].set = at.breaks[i].set && n && i + 1 != n;
	return true;
}

/* The breakpoint that the step meets; 0: none. */
static unsigned break_at(const struct step *t)
{
	for (unsigned i = 0; i < BREAKS_MAX; i++)
		if (at.breaks[i].set && filter_step(&at.breaks[i].expr, &at.ground.story, t))
			return i + 1;
	return 0;
}

static bool any_break(void)
{
	for (unsigned i = 0; i < BREAKS_MAX; i++)
		if (at.breaks[i].set)
			return true;
	return false;
}

/* Event by event, since somebody has to look. */
static bool continue_to_break(int64_t within_ns)
{
	int64_t until_ns = until_of(within_ns);
	const struct step *t;
	enum outcome o;
	unsigned n;

	while ((o = go_on(until_ns, &t)) == STEPPED) {
		n = break_at(t);
		if (!n) {
			at.skipped++;
			continue;
		}
		if (!ctl.json)
			printf("%sbreakpoint %u: %s%s\n", color(C_YELLOW), n, at.breaks[n - 1].text,
			       color(C_NONE));
		tell(t);
		return true;
	}
	tell_outcome(o == LATE ? STOPPED : o);
	return o == LATE || o == STOPPED || o == AT_END;
}

/* At its own pace, until Ctrl-C or for that long. */
static bool run_freely(int64_t within_ns)
{
	int64_t ns = within_ns > 0 ? within_ns : LONG_NS;
	struct timespec t = { ns / NS_PER_S, ns % NS_PER_S };
	struct story *s = &at.ground.story;

	if (at.ground.run(&at.ground, true))
		return false;
	while (!interrupted && nanosleep(&t, &t) && errno == EINTR)
		;
	if (at.ground.run(&at.ground, false))
		return false;
	at.skipped += s->nstep - at.untold;
	story_forget(s);
	story_read(s);
	at.skipped += s->nstep;
	at.untold = s->nstep;
	tell_outcome(STOPPED);
	return true;
}

static bool do_continue(int argc, char **argv)
{
	int64_t ns = 0;

	if (argc > 2 || (argc == 2 && (!parse_seconds(argv[1], &ns) || ns <= 0)))
		return failed("continue takes a time, as in: continue 500ms"), false;
	if (any_break() || at.ground.scene)
		return continue_to_break(ns);
	return run_freely(ns);
}

struct printing {
	int64_t conn; /* -1: all of TCP */
	unsigned found;
};

static void print_conn(const struct glass_conn_info *c, void *arg)
{
	struct printing *p = arg;
	char local[80], remote[80];

	if (!c->state || (p->conn >= 0 ? c->conn != p->conn : c->proto != GLASS_TCP))
		return;
	p->found++;
	if (ctl.json) {
		json_begin_object(NULL);
		json_unsigned("conn", c->conn);
		json_string("state", c->state);
		json_string("local", end_text(&c->local, local));
		json_string("peer", end_text(&c->remote, remote));
		ss_json(c);
		json_end();
		return;
	}
	printf("c%-4u %s%s%s %s > %s recv-q:%" PRIu64 " send-q:%" PRIu64 "\n", c->conn,
	       color(C_BOLD), c->state, color(C_NONE), end_text(&c->local, local),
	       end_text(&c->remote, remote), c->recv_q, c->send_q);
	if (c->proto != GLASS_TCP || !strcmp(c->state, "LISTEN"))
		return;
	printf("     ");
	ss_info(c);
	putchar('\n');
}

static bool do_print(int argc, char **argv)
{
	struct printing p = { .conn = -1 };
	int err;

	if (argc > 2 || (argc == 2 && (!parse_number(argv[1], &p.conn) || p.conn < 1)))
		return failed("print takes the number of a connection"), false;
	if (ctl.json) {
		json_begin_object(NULL);
		json_number("time_ns", between(at.ground.story.reader.start_ns, at.ground.now_ns));
		json_begin_array("connections");
	}
	err = at.ground.conns(&at.ground, print_conn, &p);
	if (ctl.json) {
		json_end();
		json_end();
	} else if (!err && !p.found) {
		printf("there is no %sconnection\n", p.conn >= 0 ? "such " : "");
	}
	return !err;
}

static bool do_save(int argc, char **argv)
{
	if (argc != 2)
		return failed("save takes a file's name, for glass trace --ring"), false;
	return !story_save(&at.ground.story, argv[1]);
}

static bool do_quit(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	at.quit = true;
	return true;
}

static bool do_help(int argc, char **argv);

static const struct {
	const char *name, *args, *help;
	bool (*run)(int argc, char **argv);
} verbs[] = {
	{ "next", "[N]", "the next step, or N of them", do_next },
	{ "packet", "[N]", "the next step of a packet", do_packet },
	{ "until", "FILTER", "on to the step that the filter lets pass, as glass trace has them",
	  do_until },
	{ "break", "[FILTER]", "continue is to stop there; alone: which are set", do_break },
	{ "delete", "[N]", "that breakpoint, or all", do_delete },
	{ "continue", "[TIME]", "on to a breakpoint, or until Ctrl-C, or for that long",
	  do_continue },
	{ "print", "[CONN]", "connections, in the words of ss -ti", do_print },
	{ "save", "FILE", "the recorder, for glass trace --ring", do_save },
	{ "help", "", "this list", do_help },
	{ "quit", "", "end; the stack runs on", do_quit },
};

static bool do_help(int argc, char **argv)
{
	char head[40];

	(void)argc;
	(void)argv;
	for (unsigned i = 0; i < COUNT(verbs); i++) {
		snprintf(head, sizeof(head), "%s %s", verbs[i].name, verbs[i].args);
		printf("  %-18s %s\n", head, verbs[i].help);
	}
	printf("Words may be shortened. An empty line does the last command again.\n");
	return true;
}

/* ---- where they come from ---- */

static const char *verb(unsigned i)
{
	return i < COUNT(verbs) ? verbs[i].name : NULL;
}

/* One command. false: it failed. */
static bool obey(const char *line)
{
	static char words[1024];
	char *argv[WORDS_MAX], *save = NULL;
	const char *meant;
	int argc = 0;

	snprintf(words, sizeof(words), "%s", line);
	for (char *w = strtok_r(words, " \t\r\n", &save); w && argc < WORDS_MAX;
	     w = strtok_r(NULL, " \t\r\n", &save))
		argv[argc++] = w;
	if (!argc || argv[0][0] == '#')
		return true;
	interrupted = 0;
	for (unsigned i = 0; i < COUNT(verbs); i++)
		if (!strncmp(verbs[i].name, argv[0], strlen(argv[0])))
			return verbs[i].run(argc, argv);
	meant = nearest(argv[0], verb);
	failed("there is no command '%s'%s%s; type: help", argv[0], meant ? ", did you mean " : "",
	       meant ? meant : "");
	return false;
}

/* Several with ';' between. */
static bool obey_all(const char *line)
{
	static char all[4096];
	char *save = NULL;

	snprintf(all, sizeof(all), "%s", line);
	for (char *one = strtok_r(all, ";", &save); one && !at.quit;
	     one = strtok_r(NULL, ";", &save))
		if (!obey(one))
			return false;
	return true;
}

/* A script ends at the first command that fails; whoever types may try again. */
static int read_commands(void)
{
	bool typing = isatty(STDIN_FILENO), break_off = false;
	char prompt[64], last[1024] = "";
	const char *line;

	while (!at.quit) {
		snprintf(prompt, sizeof(prompt), "glass %.6f> ", seconds_now());
		line = line_read(prompt, verb, &break_off);
		if (!line)
			break;
		if (!*line && typing && !break_off)
			line = last;
		else if (*line)
			snprintf(last, sizeof(last), "%s", line);
		if (!obey_all(line) && !typing)
			return EXIT_FAILED;
		fflush(stdout);
	}
	return EXIT_OK;
}

/* ---- */

static int open_ground(void)
{
	if (want.scene || want.seed >= 0)
		return ground_scene(&at.ground, want.scene, want.seed < 0 ? 1 : (uint64_t)want.seed,
				    want.peer);
	return ground_lab(&at.ground);
}

static void greet(void)
{
	char words[256];

	if (!isatty(STDIN_FILENO) || want.execute || ctl.json)
		return;
	if (at.ground.scene) {
		scene_words(at.ground.scene, words, sizeof(words));
		printf("%s.\n", words);
	} else {
		printf("stack %s stands still. ", ctl.stack);
	}
	printf("help tells the commands; quit ends%s.\n",
	       at.ground.scene ? "" : " and lets it run on");
}

static void prepare(void)
{
	const struct sigaction on_interrupt = { .sa_handler = interrupt };
	struct story *s = &at.ground.story;

	sigaction(SIGINT, &on_interrupt, NULL);
	/* What was there before is read, so that causes have names, but not told. */
	story_read(s);
	at.untold = s->nstep;
	at.print = (struct print){ .story = s,
				   .zero_ns = s->reader.start_ns,
				   .verbose = want.verbose,
				   .with_conn = true,
				   .width = screen_width() };
	if (at.ground.scene)
		at.ground.now_ns = scene_now(at.ground.scene);
}

static bool known_scene(const char *name)
{
	for (unsigned i = 0; scene_name(i); i++)
		if (!strcmp(scene_name(i), name))
			return true;
	return false;
}

static int unknown_scene(const struct command *self)
{
	const char *meant = nearest(want.scene, scene_name);

	if (meant)
		return usage(self, "there is no scene '%s', did you mean %s?", want.scene, meant);
	for (unsigned i = 0; scene_name(i); i++)
		fprintf(stderr, "  %-10s %s\n", scene_name(i), scene_about(i));
	return usage(self, "there is no scene '%s'; there are those above", want.scene);
}

int cmd_step(const struct command *self, int argc, char **argv)
{
	int n = opt_parse(self, options, COUNT(options), argc, argv), code;

	if (n < 0)
		return EXIT_USAGE;
	if (n)
		return usage(self, "commands come from stdin, or with -e");
	if (want.scene && !known_scene(want.scene))
		return unknown_scene(self);
	if (want.peer && !want.scene && want.seed < 0)
		return usage(self, "--peer looks at the other stack of a scene");
	at.self = self;
	code = open_ground();
	if (code)
		return code;
	prepare();
	greet();
	if (want.execute)
		code = obey_all(want.execute) ? EXIT_OK : EXIT_FAILED;
	else
		code = read_commands();
	fflush(stdout);
	at.ground.close(&at.ground);
	return code;
}
