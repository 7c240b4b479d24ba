/* SPDX-License-Identifier: MIT */
/*
 * Records as JSON, from the same fields as the text: numbers stay numbers, durations and times are
 * nanoseconds and say so in their names, everything else is the string that the text shows.
 */
#include "print.h"

#include <inttypes.h>
#include <string.h>

#define VALUE_TEXT_BYTES 1024

static void json_char(struct text *t, char c)
{
	if (c == '"' || c == '\\')
		text_format(t, "\\%c", c);
	else if ((unsigned char)c < 0x20 || (unsigned char)c >= 0x7f)
		text_format(t, "\\u%04x", (unsigned)(unsigned char)c);
	else
		text_char(t, c);
}

static void json_string(struct text *t, const char *s)
{
	text_char(t, '"');
	while (*s)
		json_char(t, *s++);
	text_char(t, '"');
}

/* A string value is what the text shows, but a word's characters are JSON's affair to escape. */
static void json_shown(struct text *t, const struct glass_reader *r, enum glass_kind kind,
		       uint64_t v)
{
	char shown[VALUE_TEXT_BYTES];
	struct text s = text_of(shown, sizeof(shown));

	if (kind == GLASS_KIND_WORD)
		reader_word_copy(r, v, shown, sizeof(shown));
	else
		text_value(&s, r, kind, v);
	json_string(t, shown);
}

static bool is_number(enum glass_kind kind)
{
	return kind == GLASS_KIND_U64 || kind == GLASS_KIND_I64 || kind == GLASS_KIND_BYTES ||
	       kind == GLASS_KIND_SEQ || kind == GLASS_KIND_PKT || kind == GLASS_KIND_CONN ||
	       kind == GLASS_KIND_BOUND;
}

static void json_value(struct text *t, const struct glass_reader *r, enum glass_kind kind,
		       uint64_t v)
{
	if (kind == GLASS_KIND_BOUND && v == GLASS_UNBOUND)
		text_string(t, "null");
	else if (is_number(kind))
		text_value(t, r, kind, v);
	else if (kind == GLASS_KIND_NS || kind == GLASS_KIND_RESULT)
		text_format(t, "%" PRId64, (int64_t)v);
	else if (kind == GLASS_KIND_TIME)
		text_format(t, "%" PRId64, (int64_t)(v - (uint64_t)(r ? r->start_ns : 0)));
	else
		json_shown(t, r, kind, v);
}

static void json_fields(struct text *t, const struct glass_reader *r,
			const struct glass_field *field, unsigned nfields, const uint64_t *v)
{
	bool time;

	for (unsigned i = 0; i < nfields && field[i].name; i++) {
		time = field[i].kind == GLASS_KIND_NS || field[i].kind == GLASS_KIND_TIME;
		text_format(t, ",\"%s%s\":", field[i].name, time ? "_ns" : "");
		json_value(t, r, field[i].kind, v[i]);
	}
}

static void json_event(struct text *t, const struct glass_reader *r, const struct glass_record *rec)
{
	const struct glass_event_desc *d = glass_event_desc(rec->event);
	const struct glass_drop_desc *drop;

	if (!d)
		return;
	if (d->field[0].kind != GLASS_KIND_DROP) {
		json_fields(t, r, d->field, GLASS_TRACE_VALUES, rec->v);
		return;
	}
	json_fields(t, r, d->field, 1, rec->v);
	drop = rec->v[0] <= UINT32_MAX ? glass_drop_desc((unsigned)rec->v[0]) : NULL;
	if (drop)
		json_fields(t, r, drop->field, 2, rec->v + 1);
}

int glass_record_json(const struct glass_reader *r, const struct glass_record *rec, char *out,
		      size_t size)
{
	const struct glass_event_desc *d = glass_event_desc(rec->event);
	struct text t = text_of(out, size), shown;
	char words[VALUE_TEXT_BYTES];

	text_string(&t, "{\"time_ns\":");
	json_value(&t, r, GLASS_KIND_TIME, (uint64_t)rec->time_ns);
	text_string(&t, ",\"event\":");
	json_string(&t, d ? d->name : "unknown");
	text_string(&t, ",\"room\":");
	json_value(&t, r, GLASS_KIND_WORD, rec->room);
	text_format(&t, ",\"conn\":%u,\"pkt\":%u,\"cause\":%u", rec->conn, rec->pkt, rec->cause);
	json_event(&t, r, rec);
	shown = text_of(words, sizeof(words));
	text_record(&shown, r, rec);
	text_string(&t, ",\"text\":");
	json_string(&t, words);
	text_char(&t, '}');
	return (int)t.length;
}
