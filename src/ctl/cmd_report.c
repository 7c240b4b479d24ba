/* SPDX-License-Identifier: MIT */
/*
 * glass report: one connection as a page for a browser: what glass why says, its pictures, and its
 * trace. One file, which asks no network for anything.
 *
 * In: main.c.  Out: report_write.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report.h"

static int64_t steps_max = 50000; /* that a page holds; of more, uneventful ones are left out */

/* Of these a page can do without the records; the tree counts their rooms, though. */
static bool is_told(unsigned event)
{
	return event < EV_COUNT && (!event_is_quiet(event) || event == EV_TCP_RTT);
}

/* Data goes out, an ACK comes back, or the other way round. */
static bool is_uneventful(const struct story *s, const struct step *t)
{
	const struct act *a = story_act(s, t->act);

	FOR_STEP(s, t, i)
	{
		switch (s->rec[i].event) {
		case EV_CALL:
		case EV_RESULT:
		case EV_TCP_IN:
		case EV_TCP_OUT:
		case EV_TCP_ACKED:
		case EV_TCP_ACK_WHY:
			break;
		default:
			if (!event_is_quiet(s->rec[i].event))
				return false;
		}
	}
	return !a || !(a->packet.is & (PACKET_SYN | PACKET_FIN | PACKET_RST | PACKET_ARP));
}

static uint32_t count_uneventful(const struct story *s, const struct conn_story *c)
{
	uint32_t n = 0;

	for (uint32_t i = c->first_step; i != NONE; i = s->step[i].next_of_conn)
		n += is_uneventful(s, &s->step[i]);
	return n;
}

static void take_step(struct report *r, uint32_t step)
{
	const struct story *s = r->story;

	r->step[r->steps++] = step;
	FOR_STEP(s, &s->step[step], i)
	if (is_told(s->rec[i].event))
		r->rec[r->recs++] = i;
}

/* 0 or an exit code after a message. */
static int take_steps(struct report *r)
{
	const struct story *s = r->story;
	uint32_t uneventful = count_uneventful(s, r->conn), seen = 0;
	int64_t room = steps_max - (r->conn->steps - uneventful);

	if (room < 1)
		room = 1;
	r->one_in = r->conn->steps > steps_max ? (uint32_t)((uneventful + room - 1) / room) : 1;
	r->step = calloc((size_t)r->conn->steps + 1, sizeof(*r->step));
	r->rec = calloc((size_t)s->nrec + 1, sizeof(*r->rec));
	if (!r->step || !r->rec)
		return failed("out of memory");
	for (uint32_t i = r->conn->first_step; i != NONE; i = s->step[i].next_of_conn) {
		if (!is_uneventful(s, &s->step[i]) || seen++ % r->one_in == 0)
			take_step(r, i);
		else
			r->left_out++;
	}
	return 0;
}

static int write_page(const struct report *r, const char *path)
{
	bool to_stdout = !strcmp(path, "-");
	FILE *f = to_stdout ? stdout : fopen(path, "we");
	int code;
	long bytes;

	if (!f)
		return failed("%s: %s", path, strerror(errno));
	code = report_write(r, f);
	if (to_stdout)
		return code;
	bytes = ftell(f);
	if (ferror(f) || fclose(f))
		return failed("%s: %s", path, strerror(errno));
	if (!code && ctl.json) {
		json_begin_object(NULL);
		json_string("file", path);
		json_unsigned("conn", r->conn->id);
		json_unsigned("steps", r->steps);
		json_unsigned("left_out", r->left_out);
		json_number("bytes", bytes);
		json_end();
	} else if (!code)
		printf("%s: connection %" PRIu32 ", %" PRIu32 " steps, %ld KB; for any browser\n",
		       path, r->conn->id, r->steps, (bytes + 1023) / 1024);
	return code;
}

int cmd_report(const struct command *self, int argc, char **argv)
{
	static const char *ring, *path;
	static const struct opt options[] = {
		{ 'o', "output", OPT_STRING, "FILE.html", "the page; -: stdout", &path },
		{ 0, "steps", OPT_NUMBER, "N", "of more steps uneventful ones are left out (50000)",
		  &steps_max },
		{ 0, "ring", OPT_STRING, "FILE", "read a saved recorder (glass trace --save)",
		  &ring },
	};
	int n = opt_parse(self, options, COUNT(options), argc, argv), code;
	struct story s = { 0 };
	struct report r = { .story = &s, .live = !ring };

	if (n < 0)
		return EXIT_USAGE;
	if (n > 1 || !path)
		return usage(self, n > 1 ? "one connection at a time"
					 : "name the page, as in: glass report -o page.html");
	if (report_missing())
		return failed("%s", report_missing());
	code = story_open(&s, ring);
	if (!code) {
		story_read(&s);
		story_group(&s);
		code = story_choose(&s, n ? argv[1] : NULL, &r.conn);
	}
	if (!code)
		code = take_steps(&r);
	if (!code)
		code = write_page(&r, path);
	free(r.step);
	free(r.rec);
	story_close(&s);
	return code;
}
