/* SPDX-License-Identifier: MIT */
/*
 * Chrome's JSON trace format, which ui.perfetto.dev, chrome://tracing and speedscope open. A
 * connection is a process with three tracks: packets that came, packets that went, calls and
 * timers. A step is a slice; the rooms that a packet walked through, or the functions, lie in it;
 * decisions are instants in the room that took them; arrows lead from causes. Counters: windows,
 * flight, round trip.
 *
 * The recorder reads its clock once per packet, so the rooms of a packet have an order but no
 * duration: here each record is TICK_NS wide, and what would overlap moves to the right. args has
 * the time that was recorded. Functions that were timed are as wide as they took.
 *
 * In: export.c.  Out: json.c.
 */
#include "export.h"

#include <stdlib.h>
#include <string.h>

#define TICK_NS 10
#define NEST_MAX 64
#define NO_CONN_PID 1000000000u /* 0 is nobody's number there */

static const char *const lane_names[] = { "packets that come", "packets that go",
					  "calls and timers" };

/* A slice that has begun. */
struct open {
	const char *name;
	int64_t begin_ns, end_ns; /* end_ns: as it was timed; -1: it was not */
	uint64_t depth;
};

/* Where an act was drawn last. */
struct place {
	uint32_t pid;
	enum lane lane;
	int64_t begin_ns;
};

/* Whatever numbers stand in a ring. */
static int64_t plus(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

struct perfetto {
	const struct export *x;
	const struct story *story;
	struct print print;
	int64_t *free_from; /* by connection and lane */
	struct place *place;
	struct map place_of; /* act -> 1 + index */
	uint32_t places;
	/* the step that is being written */
	uint32_t pid;
	enum lane lane;
	struct open open[NEST_MAX];
	char name[NEST_MAX][128];
	unsigned depth;
	int64_t now_ns;
};

/* ---- events of the format -------------------------------------------------------------------- */

static void event_begin(const struct perfetto *o, const char *phase, const char *name, int64_t ns)
{
	putchar(',');
	json_begin_object(NULL);
	json_string("ph", phase);
	json_string("name", name);
	json_unsigned("pid", o->pid);
	json_unsigned("tid", (uint64_t)o->pid * LANES + o->lane + 1);
	json_double("ts", (double)ns / 1000, 3);
}

static void counter(const struct perfetto *o, const char *name, const char *unit, int64_t ns,
		    uint64_t value)
{
	event_begin(o, "C", name, ns);
	json_begin_object("args");
	json_unsigned(unit, value);
	json_end();
	json_end();
}

static void metadata(const struct perfetto *o, const char *what, const char *name)
{
	event_begin(o, "M", what, 0);
	json_begin_object("args");
	json_string("name", name);
	json_end();
	json_end();
}

static void slice(const struct perfetto *o, const struct open *s, int64_t end_ns)
{
	event_begin(o, "X", s->name, s->begin_ns);
	json_double("dur", (double)between(s->begin_ns, end_ns) / 1000, 3);
	json_end();
}

/* ---- counters -------------------------------------------------------------------------------- */

/* Fields of event.def that are worth a curve. */
static const struct {
	enum event_id event;
	const char *field, *name;
} curves[] = {
	{ EV_TCP_ACKED, "cwnd", "cwnd" },      { EV_TCP_ACKED, "flight", "in flight" },
	{ EV_TCP_CA, "cwnd", "cwnd" },	       { EV_TCP_CA, "ssthresh", "ssthresh" },
	{ EV_TCP_RTT, "rtt", "rtt" },	       { EV_TCP_RTT, "srtt", "srtt" },
	{ EV_TCP_RTT, "rto", "rto" },	       { EV_TCP_RTO, "next", "rto" },
	{ EV_TCP_RTO, "flight", "in flight" },
};

static void curve_points(const struct perfetto *o, const struct glass_record *r, int64_t ns)
{
	const struct glass_event_desc *d = glass_event_desc(r->event);

	for (unsigned c = 0; c < COUNT(curves); c++) {
		if (curves[c].event != r->event)
			continue;
		for (unsigned i = 0; i < GLASS_TRACE_VALUES && d->field[i].name; i++)
			if (!strcmp(d->field[i].name, curves[c].field) &&
			    (d->field[i].kind != GLASS_KIND_BOUND || r->v[i] != GLASS_UNBOUND))
				counter(o, curves[c].name,
					d->field[i].kind == GLASS_KIND_NS ? "ns" : "bytes", ns,
					r->v[i]);
	}
}

/* ---- the inside of a step -------------------------------------------------------------------- */

/* Ends the slices that are at least so deep. */
static void close_to(struct perfetto *o, uint64_t depth, int64_t limit_ns)
{
	struct open *s;

	while (o->depth && o->open[o->depth - 1].depth >= depth) {
		s = &o->open[--o->depth];
		if (s->end_ns > o->now_ns)
			o->now_ns = s->end_ns;
		slice(o, s, limit_ns > o->now_ns ? limit_ns : o->now_ns);
	}
}

static int64_t function_took(const struct story *s, uint32_t rec)
{
	const struct glass_record *r = &s->rec[rec], *q;

	for (uint32_t i = s->next[rec]; i != NONE; i = s->next[i]) {
		q = &s->rec[i];
		if (q->event == EV_FUNC_END && q->room == r->room && q->v[0] == r->v[0])
			return (int64_t)q->v[1];
		if (q->event == EV_FUNC && q->v[0] <= r->v[0])
			break;
	}
	return -1;
}

static void open_slice(struct perfetto *o, const struct glass_record *r, uint64_t depth,
		       int64_t took_ns)
{
	struct open *s;

	if (o->depth == NEST_MAX)
		return;
	s = &o->open[o->depth];
	word_text(o->story, r->room, o->name[o->depth], sizeof(o->name[0]));
	*s = (struct open){ .name = o->name[o->depth],
			    .begin_ns = o->now_ns,
			    .end_ns = took_ns < 0 ? -1 : plus(o->now_ns, took_ns),
			    .depth = depth };
	o->depth++;
}

static void decision(const struct perfetto *o, const struct glass_record *r)
{
	struct glass_field field[GLASS_TRACE_VALUES];
	unsigned n = export_fields(r, field);
	char text[TEXT_BYTES], name[TEXT_BYTES + 32], room[128];

	glass_record_text(&o->story->reader, r, text, sizeof(text));
	word_text(o->story, r->room, room, sizeof(room));
	snprintf(name, sizeof(name), "%s%s", event_word(r->event), text);
	event_begin(o, "i", name, o->now_ns);
	json_string("s", "t");
	json_string("cat", glass_event_desc(r->event)->name);
	json_begin_object("args");
	json_string("room", room);
	for (unsigned i = 0; i < n; i++)
		export_json(o->story, field[i].name, field[i].kind, r->v[i]);
	json_string("rule", record_rule(o->story, r));
	json_end();
	json_end();
}

static void inside(struct perfetto *o, uint32_t rec, bool functions)
{
	const struct glass_record *r = &o->story->rec[rec];

	if (r->event == EV_FUNC) {
		close_to(o, r->v[0] + 1, 0);
		open_slice(o, r, r->v[0] + 1, function_took(o->story, rec));
	} else if (r->event == EV_FUNC_END) {
		close_to(o, r->v[0] + 1, 0);
	} else if (r->event == EV_ENTER) {
		if (!functions) /* they tell the rooms, too */
			open_slice(o, r, 1, -1);
	} else if (glass_event_desc(r->event)) {
		decision(o, r);
		curve_points(o, r, o->now_ns);
	}
	o->now_ns = plus(o->now_ns, TICK_NS);
}

/* ---- steps ----------------------------------------------------------------------------------- */

/* An arrow from the slice of the cause to that of this step. */
static void arrow(const struct perfetto *o, const struct step *t, int64_t begin_ns)
{
	uint32_t i = t->cause ? map_get(&o->place_of, t->cause) : 0;
	uint64_t id = (uint64_t)(t - o->story->step) + 1;
	struct perfetto from = *o;

	if (!i || o->place[i - 1].begin_ns > begin_ns)
		return;
	from.pid = o->place[i - 1].pid;
	from.lane = o->place[i - 1].lane;
	event_begin(&from, "s", "cause", o->place[i - 1].begin_ns);
	json_string("cat", "cause");
	json_unsigned("id", id);
	json_end();
	event_begin(o, "f", "cause", begin_ns);
	json_string("cat", "cause");
	json_unsigned("id", id);
	json_string("bp", "e");
	json_end();
}

static void remember(struct perfetto *o, const struct step *t, int64_t begin_ns)
{
	uint32_t i = t->act ? map_get(&o->place_of, t->act) : 0;

	if (!t->act)
		return;
	if (!i)
		map_set(&o->place_of, t->act, i = ++o->places);
	o->place[i - 1] = (struct place){ o->pid, o->lane, begin_ns };
}

static void step_slice(const struct perfetto *o, const struct step *t, int64_t begin_ns)
{
	const struct story *s = o->story;
	char title[TEXT_BYTES + 16];

	step_title(&o->print, t, title, sizeof(title));
	if (!*title)
		word_text(s, s->rec[t->first].room, title, sizeof(title));
	event_begin(o, "X", title, begin_ns);
	json_double("dur", (double)between(begin_ns, o->now_ns) / 1000, 3);
	json_begin_object("args");
	json_number("recorded_ns", export_time(s, &s->rec[t->first]));
	json_unsigned("act", t->act);
	json_unsigned("cause", t->cause);
	json_end();
	json_end();
}

static void tell_step(struct perfetto *o, const struct step *t)
{
	const struct story *s = o->story;
	int64_t begin, *free_from;
	uint32_t conn = map_get(&s->conn_of, t->conn + 1);

	o->pid = t->conn ? t->conn : NO_CONN_PID;
	o->lane = step_lane(s, t);
	free_from = &o->free_from[conn * LANES + o->lane];
	begin = export_time(s, &s->rec[t->first]);
	begin = begin > *free_from ? begin : *free_from;
	o->now_ns = plus(begin, TICK_NS);
	o->depth = 0;
	FOR_STEP(s, t, r)
	inside(o, r, step_find(s, t, EV_FUNC));
	close_to(o, 0, o->now_ns);
	o->now_ns = plus(o->now_ns, TICK_NS);
	*free_from = o->now_ns;
	step_slice(o, t, begin);
	arrow(o, t, begin);
	remember(o, t, begin);
}

static void name_tracks(struct perfetto *o, const struct conn_story *c)
{
	char local[64], remote[64], name[192];

	kind_text(o->story, GLASS_KIND_END4, c->local, local, sizeof(local));
	kind_text(o->story, GLASS_KIND_END4, c->remote, remote, sizeof(remote));
	if (!c->id)
		snprintf(name, sizeof(name), "no connection");
	else if (c->opened)
		snprintf(name, sizeof(name), "connection %u: %s > %s", c->id, local, remote);
	else
		snprintf(name, sizeof(name), "connection %u", c->id);
	o->pid = c->id ? c->id : NO_CONN_PID;
	o->lane = LANE_IN;
	metadata(o, "process_name", name);
	for (o->lane = 0; o->lane < LANES; o->lane++)
		metadata(o, "thread_name", lane_names[o->lane]);
}

/* Only what has something to show gets its tracks. */
static void name_all_tracks(struct perfetto *o)
{
	const struct story *s = o->story;
	const struct conn_story *c;
	uint32_t i;

	for (c = s->conn; c < s->conn + s->nconn; c++) {
		i = c->first_step;
		while (i != NONE && !o->x->wanted(s, &s->step[i]))
			i = s->step[i].next_of_conn;
		if (i != NONE)
			name_tracks(o, c);
	}
}

int export_perfetto(const struct export *x)
{
	const struct story *s = x->story;
	struct perfetto o = { .x = x, .story = s, .print = { .story = s } };

	ctl.pretty = false;
	o.free_from = calloc(((size_t)s->nconn + 1) * LANES, sizeof(*o.free_from));
	o.place = calloc((size_t)s->nact + 1, sizeof(*o.place));
	if (!o.free_from || !o.place)
		return failed("out of memory");
	/* An event without meaning, so that each that follows can begin with a comma. */
	printf("{\"displayTimeUnit\":\"ns\",\"otherData\":{\"made_by\":\"glass %s\",\"widths\":"
	       "\"each record is %d ns wide: the clock is read once per packet\"},"
	       "\"traceEvents\":[\n{\"ph\":\"M\",\"name\":\"trace\",\"pid\":0,\"args\":{}}\n",
	       GLASS_VERSION, TICK_NS);
	name_all_tracks(&o);
	for (const struct step *t = s->step; t < s->step + s->nstep; t++)
		if (x->wanted(s, t))
			tell_step(&o, t);
	puts("]}");
	map_free(&o.place_of);
	free(o.free_from);
	free(o.place);
	return EXIT_OK;
}
