/* SPDX-License-Identifier: MIT */
/*
 * The data of a page, in columns: times and numbers as differences to the one before, texts as
 * numbers of a table. What an event says is its template of event.def, which the page fills in; so
 * nothing is told in two ways. Values that are no numbers are the texts that the trace shows.
 *
 *	steps	one row per step: what an act did at one time; n: how many records are told of it
 *	events	one table per event: at is the record's place in the order of all that are told
 *
 * In: report_write.c.  Out: json.c, cmd_why.c, why_slow.c, report_tree.c.
 */
#include "report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "export.h"
#include "why.h"

struct data {
	const struct report *r;
	const struct story *story;
	struct texts texts;
	uint32_t *of_event; /* places of one event's records */
};

/* ---- steps ----------------------------------------------------------------------------------- */

static bool is_segment(const struct step *t, const struct story *s)
{
	const struct act *a = story_act(s, t->act);

	return a && a->has_title && (a->title.event == EV_TCP_IN || a->title.event == EV_TCP_OUT) &&
	       step_find(s, t, a->title.event);
}

/* Of a segment whose values are there only "rx", "tx" or "built": the page adds them. */
static uint64_t step_label(struct data *d, const struct step *t)
{
	const struct print p = { .story = d->story };
	char title[TEXT_BYTES + 16];

	step_title(&p, t, title, sizeof(title));
	if (is_segment(t, d->story))
		title[strcspn(title, " ")] = '\0';
	return text_number(&d->texts, title);
}

static void walk_to(char *out, size_t size, const char *stop)
{
	size_t n = strlen(out);

	snprintf(out + n, size - n, "%s%s", n ? " > " : "", stop);
}

static uint64_t step_walk(struct data *d, const struct step *t)
{
	const struct story *s = d->story;
	char walk[2048] = "", stop[128];

	FOR_STEP(s, t, i)
	{
		if (s->rec[i].event == EV_RX || s->rec[i].event == EV_TX)
			kind_text(s, GLASS_KIND_DEV, s->rec[i].v[0], stop, sizeof(stop));
		else if (s->rec[i].event == EV_ENTER)
			word_text(s, s->rec[i].room, stop, sizeof(stop));
		else
			continue;
		walk_to(walk, sizeof(walk), stop);
	}
	return text_number(&d->texts, walk);
}

enum { STEP_TIME, STEP_ACT, STEP_CAUSE, STEP_LANE, STEP_LABEL, STEP_WALK };

static uint64_t step_value(struct data *d, const struct step *t, int column)
{
	switch (column) {
	case STEP_TIME:
		return (uint64_t)between(d->r->conn->begin_ns, t->begin_ns);
	case STEP_ACT:
		return t->act;
	case STEP_CAUSE: /* so many acts before it; 0: none is known */
		return t->cause ? (uint64_t)((int64_t)t->act - t->cause) : 0;
	case STEP_LANE:
		return step_lane(d->story, t);
	case STEP_LABEL:
		return step_label(d, t);
	default:
		return step_walk(d, t);
	}
}

/* Times and acts grow: as differences they are short. */
static void step_column(struct data *d, const char *key, int column)
{
	bool grows = column == STEP_TIME || column == STEP_ACT;
	uint64_t before = 0, v;

	json_begin_array(key);
	for (uint32_t i = 0; i < d->r->steps; i++) {
		v = step_value(d, &d->story->step[d->r->step[i]], column);
		json_number(NULL, (int64_t)(v - before));
		before = grows ? v : 0;
	}
	json_end();
}

static void steps(struct data *d)
{
	static const char *const columns[] = { "t", "act", "cause", "lane", "label", "walk" };

	json_begin_object("steps");
	for (unsigned i = 0; i < COUNT(columns); i++)
		step_column(d, columns[i], (int)i);
	json_end();
}

/* ---- records --------------------------------------------------------------------------------- */

/*
 * A drop's values depend on its reason: the page gets the words, and of reasons that lose a part of
 * a super-packet how much of it, and where.
 */
static const struct glass_field drop_fields[GLASS_TRACE_VALUES] = { { "reason", GLASS_KIND_DROP },
								    { "text", GLASS_KIND_NONE },
								    { "bytes", GLASS_KIND_BYTES },
								    { "at", GLASS_KIND_U64 } };

static uint64_t drop_number(const struct glass_record *r, unsigned field)
{
	struct glass_field f[GLASS_TRACE_VALUES];
	bool part =
		export_fields(r, f) == 3 && !strcmp(f[1].name, "bytes") && !strcmp(f[2].name, "at");

	return part ? r->v[field - 1] : 0;
}

static const struct glass_field *fields_of(unsigned event)
{
	return event == EV_DROP ? drop_fields : glass_event_desc(event)->field;
}

static uint64_t record_text(struct data *d, const struct glass_record *r,
			    const struct glass_field *f, unsigned i)
{
	char text[TEXT_BYTES];

	if (f->kind == GLASS_KIND_DROP)
		snprintf(text, sizeof(text), "%s",
			 r->v[i] < UINT32_MAX && glass_drop_desc((unsigned)r->v[i])
				 ? glass_drop_desc((unsigned)r->v[i])->name
				 : "?");
	else if (f->kind == GLASS_KIND_NONE)
		glass_record_text(&d->story->reader, r, text, sizeof(text));
	else
		kind_text(d->story, f->kind, r->v[i], text, sizeof(text));
	return text_number(&d->texts, text);
}

static void value_column(struct data *d, uint32_t n, const struct glass_field *f, unsigned field)
{
	bool number = kind_is_number(f->kind);
	const struct glass_record *r;
	uint64_t before = 0, v;

	json_begin_array(NULL);
	for (uint32_t i = 0; i < n; i++) {
		r = &d->story->rec[d->r->rec[d->of_event[i]]];
		if (number && r->event == EV_DROP)
			v = drop_number(r, field);
		else
			v = number ? r->v[field] : record_text(d, r, f, field);
		if (f->kind == GLASS_KIND_SEQ)
			v = (uint32_t)v;
		json_number(NULL, (int64_t)(v - before));
		before = number ? v : 0;
	}
	json_end();
}

static void other_columns(struct data *d, uint32_t n)
{
	char text[TEXT_BYTES];
	uint32_t before = 0;

	json_begin_array("at");
	for (uint32_t i = 0; i < n; i++) {
		json_unsigned(NULL, d->of_event[i] - before);
		before = d->of_event[i];
	}
	json_end();
	json_begin_array("room");
	for (uint32_t i = 0; i < n; i++) {
		word_text(d->story, d->story->rec[d->r->rec[d->of_event[i]]].room, text,
			  sizeof(text));
		json_unsigned(NULL, text_number(&d->texts, text));
	}
	json_end();
	json_begin_array("rule");
	for (uint32_t i = 0; i < n; i++)
		json_unsigned(NULL,
			      text_number(&d->texts,
					  record_rule(d->story,
						      &d->story->rec[d->r->rec[d->of_event[i]]])));
	json_end();
}

static void event_table(struct data *d, unsigned event, uint32_t n)
{
	const struct glass_field *f = fields_of(event);
	const struct glass_event_desc *e = glass_event_desc(event);

	json_begin_object(NULL);
	json_string("name", e->name);
	json_string("word", event_word(event));
	json_string("text", event == EV_DROP ? "{text}" : e->text);
	json_string("doc", e->doc);
	json_begin_array("fields");
	for (unsigned i = 0; i < GLASS_TRACE_VALUES && f[i].name; i++) {
		json_begin_array(NULL);
		json_string(NULL, f[i].name);
		json_string(NULL, kind_is_duration(f[i].kind)	  ? "ns"
				  : f[i].kind == GLASS_KIND_BOUND ? "bound"
				  : kind_is_number(f[i].kind)	  ? "number"
								  : "text");
		json_end();
	}
	json_end();
	other_columns(d, n);
	json_begin_array("values");
	for (unsigned i = 0; i < GLASS_TRACE_VALUES && f[i].name; i++)
		value_column(d, n, &f[i], i);
	json_end();
	json_end();
}

static void events(struct data *d)
{
	uint32_t n;

	json_begin_array("events");
	for (unsigned event = 0; event < EV_COUNT; event++) {
		n = 0;
		for (uint32_t i = 0; i < d->r->recs; i++)
			if (d->story->rec[d->r->rec[i]].event == event)
				d->of_event[n++] = i;
		if (n)
			event_table(d, event, n);
	}
	json_end();
}

static void records_per_step(const struct data *d)
{
	uint32_t at = 0, n;

	json_begin_array("told");
	for (uint32_t i = 0; i < d->r->steps; i++) {
		n = 0;
		FOR_STEP(d->story, &d->story->step[d->r->step[i]], rec)
		if (at < d->r->recs && d->r->rec[at] == rec) {
			at++;
			n++;
		}
		json_unsigned(NULL, n);
	}
	json_end();
}

/* ---- */

static void limits(void)
{
	json_begin_array("limits");
#define LIMIT(ID, name, word, doc)       \
	{                                \
		json_begin_array(NULL);  \
		json_string(NULL, name); \
		json_string(NULL, word); \
		json_string(NULL, doc);  \
		json_end();              \
	}
#include <glass/limit.def>
#undef LIMIT
	json_end();
}

static void heading(const struct data *d)
{
	const struct conn_story *c = d->r->conn;
	char text[128];

	json_string("glass", GLASS_VERSION);
	json_unsigned("conn", c->id);
	kind_text(d->story, GLASS_KIND_END4, c->local, text, sizeof(text));
	json_string("local", text);
	kind_text(d->story, GLASS_KIND_END4, c->remote, text, sizeof(text));
	json_string("remote", text);
	word_text(d->story, c->how, text, sizeof(text));
	json_string("how", text);
	json_bool("opened", c->opened);
	json_number("begin_ns", between(d->story->reader.start_ns, c->begin_ns));
	json_unsigned("left_out", d->r->left_out);
	json_unsigned("one_in", d->r->one_in);
	json_unsigned("overwritten", d->story->older);
}

int report_data(const struct report *r)
{
	struct data d = { .r = r, .story = r->story };
	int code;

	d.of_event = calloc((size_t)r->recs + 1, sizeof(*d.of_event));
	if (!d.of_event)
		return failed("out of memory");
	json_begin_object(NULL);
	heading(&d);
	why_json("why", r->story, r->conn);
	code = why_slow_json("slow", r->story, r->conn, r->live);
	limits();
	report_tree(r);
	steps(&d);
	records_per_step(&d);
	events(&d);
	json_begin_array("texts");
	for (uint32_t i = 0; i < d.texts.n; i++)
		json_string(NULL, d.texts.text[i]);
	json_end();
	json_end();
	texts_free(&d.texts);
	free(d.of_event);
	return code;
}
