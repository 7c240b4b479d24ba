/* SPDX-License-Identifier: MIT */
/*
 * glass trace --export: which formats there are, and what they share. Names, fields and kinds of
 * values are those of event.def, so that no format can say something else than the trace does.
 *
 * In: cmd_trace.c.  Out: export_perfetto.c, export_qlog.c, export_ctf.c.
 */
#include "export.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	int (*tell)(const struct export *x);
	bool folder;
} formats[] = {
	{ "perfetto", export_perfetto, false },
	{ "qlog", export_qlog, false },
	{ "ctf", export_ctf, true },
};

bool export_is_known(const char *format)
{
	for (unsigned i = 0; i < COUNT(formats); i++)
		if (!strcmp(format, formats[i].name))
			return true;
	return false;
}

bool export_is_folder(const char *format)
{
	for (unsigned i = 0; i < COUNT(formats); i++)
		if (!strcmp(format, formats[i].name))
			return formats[i].folder;
	return false;
}

int export_tell(const struct export *x, const char *format)
{
	for (unsigned i = 0; i < COUNT(formats); i++)
		if (!strcmp(format, formats[i].name))
			return formats[i].tell(x);
	return EXIT_USAGE;
}

unsigned export_fields(const struct glass_record *r, struct glass_field out[GLASS_TRACE_VALUES])
{
	const struct glass_event_desc *d = glass_event_desc(r->event);
	const struct glass_drop_desc *drop = NULL;
	unsigned n = 0;

	if (!d)
		return 0;
	for (; n < GLASS_TRACE_VALUES && d->field[n].name; n++)
		out[n] = d->field[n];
	if (r->event != EV_DROP)
		return n;
	if (r->v[0] <= UINT32_MAX)
		drop = glass_drop_desc((unsigned)r->v[0]);
	n = 1;
	for (unsigned i = 0; drop && i < COUNT(drop->field) && drop->field[i].name; i++)
		out[n++] = drop->field[i];
	return n;
}

bool kind_is_signed(enum glass_kind kind)
{
	return kind == GLASS_KIND_I64 || kind == GLASS_KIND_RESULT || kind_is_duration(kind);
}

bool kind_is_duration(enum glass_kind kind)
{
	return kind == GLASS_KIND_NS || kind == GLASS_KIND_TIME;
}

bool kind_is_number(enum glass_kind kind)
{
	return kind == GLASS_KIND_U64 || kind == GLASS_KIND_BYTES || kind == GLASS_KIND_SEQ ||
	       kind == GLASS_KIND_PKT || kind == GLASS_KIND_CONN || kind == GLASS_KIND_BOUND ||
	       kind_is_signed(kind);
}

void export_json(const struct story *s, const char *name, enum glass_kind kind, uint64_t v)
{
	char key[64], text[TEXT_BYTES];

	snprintf(key, sizeof(key), "%s%s", name, kind_is_duration(kind) ? "_ns" : "");
	if (kind == GLASS_KIND_TIME)
		v -= (uint64_t)s->reader.start_ns;
	if (kind == GLASS_KIND_BOUND && v == GLASS_UNBOUND) {
		json_raw(key, "null");
	} else if (kind_is_signed(kind)) {
		json_number(key, (int64_t)v);
	} else if (kind_is_number(kind)) {
		json_unsigned(key, v);
	} else {
		kind_text(s, kind, v, text, sizeof(text));
		json_string(key, text);
	}
}

int64_t export_time(const struct story *s, const struct glass_record *r)
{
	return between(s->reader.start_ns, r->time_ns);
}

uint32_t *export_records(const struct export *x, uint32_t *n)
{
	const struct story *s = x->story;
	uint32_t *list = calloc((size_t)s->nrec + 1, sizeof(*list));
	uint8_t *wanted = calloc((size_t)s->nrec + 1, 1);

	*n = 0;
	for (uint32_t i = 0; list && wanted && i < s->nstep; i++) {
		if (!x->wanted(s, &s->step[i]))
			continue;
		FOR_STEP(s, &s->step[i], r)
		wanted[r] = 1;
	}
	for (uint32_t i = 0; list && wanted && i < s->nrec; i++)
		if (wanted[i])
			list[(*n)++] = i;
	if (!wanted) {
		free(list);
		list = NULL;
	}
	free(wanted);
	if (!list)
		failed("out of memory");
	return list;
}
