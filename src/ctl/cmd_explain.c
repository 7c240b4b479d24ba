/* SPDX-License-Identifier: MIT */
/*
 * glass explain: what a name means: of a drop reason, an event, a counter, a tunable, a TCP state
 * or option, a limiter. Needs no daemon; with one it tells how often it was seen, or its value.
 */
#include "ctl.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include <glass/glass_trace.h>

#include "glossary.h"

static const char *kind_words(enum glass_kind kind)
{
	static const char *const words[] = {
		[GLASS_KIND_NONE] = "",
		[GLASS_KIND_U64] = "number",
		[GLASS_KIND_I64] = "number",
		[GLASS_KIND_HEX] = "hexadecimal number",
		[GLASS_KIND_BYTES] = "bytes",
		[GLASS_KIND_SEQ] = "sequence number, counted from the connection's first",
		[GLASS_KIND_IP4] = "IPv4 address",
		[GLASS_KIND_END4] = "IPv4 address and port",
		[GLASS_KIND_MAC] = "hardware address",
		[GLASS_KIND_FLAGS] =
			"TCP flags: F FIN, S SYN, R RST, P PSH, . ACK, U URG, E ECE, W CWR",
		[GLASS_KIND_STATE] = "TCP state",
		[GLASS_KIND_NEIGH] = "state of a neighbour, as ip neigh shows it",
		[GLASS_KIND_NS] = "duration",
		[GLASS_KIND_TIME] = "time since the stack's start",
		[GLASS_KIND_ERRNO] = "error",
		[GLASS_KIND_WORD] = "words",
		[GLASS_KIND_DROP] = "drop reason",
		[GLASS_KIND_PKT] = "number of a packet, timer or call",
		[GLASS_KIND_CONN] = "number of a connection",
		[GLASS_KIND_DEV] = "device",
		[GLASS_KIND_PROTO] = "protocol",
		[GLASS_KIND_ETHER] = "Ethernet type",
		[GLASS_KIND_CHARS] = "characters",
		[GLASS_KIND_RESULT] = "count, or error",
		[GLASS_KIND_BOUND] = "bytes, or none",
	};

	return kind < COUNT(words) ? words[kind] : "?";
}

static void fields_text(const struct glass_field *field, unsigned n)
{
	for (unsigned i = 0; i < n && field[i].name; i++)
		printf("    {%s}%*s %s\n", field[i].name, (int)(12 - strlen(field[i].name)), "",
		       kind_words(field[i].kind));
}

static void fields_json(const struct glass_field *field, unsigned n)
{
	json_begin_object("fields");
	for (unsigned i = 0; i < n && field[i].name; i++)
		json_string(field[i].name, kind_words(field[i].kind));
	json_end();
}

/* How often the running stack has seen it; -1: nobody knows. */
static int64_t times_seen(const char *reason)
{
	static const size_t strings[] = { offsetof(struct glass_stat, group),
					  offsetof(struct glass_stat, name),
					  offsetof(struct glass_stat, doc) };
	const struct glass_stat *s;
	int64_t seen = -1;
	struct table t;

	if (client_try_open() || table_get(&t, "stat", sizeof(*s), strings, COUNT(strings)))
		return -1;
	for (uint64_t i = 0; i < t.count; i++) {
		s = TABLE_ROW(&t, struct glass_stat, i);
		if (s->name && !strcmp(s->name, reason))
			seen = (int64_t)s->value;
	}
	table_free(&t);
	return seen;
}

static void explain_drop(const struct glass_drop_desc *d)
{
	int64_t seen = times_seen(d->name);

	if (ctl.json) {
		json_begin_object(NULL);
		json_string("reason", d->name);
		json_string("text", d->text);
		json_string("source", d->source);
		json_string("advice", d->advice);
		fields_json(d->field, 2);
		if (seen >= 0)
			json_number("seen", seen);
		json_end();
		return;
	}
	printf("%s%s%s: a packet is dropped because: %s\n", color(C_BOLD), d->name, color(C_NONE),
	       d->text);
	fields_text(d->field, 2);
	if (*d->source)
		printf("  rule:      %s\n", d->source);
	printf("  look here: %s\n", d->advice);
	if (seen >= 0)
		printf("  seen:      %" PRId64 " times since stack %s started\n", seen, ctl.stack);
}

static void event_json(const struct glass_event_desc *e)
{
	const struct glass_rule *r;

	json_begin_object(NULL);
	json_string("event", e->name);
	json_string("text", e->text);
	json_string("doc", e->doc);
	fields_json(e->field, GLASS_TRACE_VALUES);
	json_begin_array("rules");
	for (unsigned i = 0; (r = glass_rule(i)); i++) {
		if (glass_event_desc(r->event) != e)
			continue;
		json_begin_object(NULL);
		json_string("why", r->why);
		json_string("source", r->source);
		json_end();
	}
	json_end();
	json_end();
}

static void explain_event(const struct glass_event_desc *e)
{
	const struct glass_rule *r;

	if (ctl.json) {
		event_json(e);
		return;
	}
	printf("%s%s%s: %s\n  shown as:  %s\n", color(C_BOLD), e->name, color(C_NONE), e->doc,
	       e->text);
	fields_text(e->field, GLASS_TRACE_VALUES);
	for (unsigned i = 0; (r = glass_rule(i)); i++)
		if (glass_event_desc(r->event) == e)
			printf("  rule:      %s%s%s\n", r->source, *r->why ? ": " : "", r->why);
}

/* The value of a tunable of the running stack; false: nobody knows. */
static bool tunable_value(const char *name, int64_t *value)
{
	static const size_t strings[] = { offsetof(struct glass_tunable, name),
					  offsetof(struct glass_tunable, unit),
					  offsetof(struct glass_tunable, doc) };
	const struct glass_tunable *r;
	bool found = false;
	struct table t;

	if (client_try_open() || table_get(&t, "tunable", sizeof(*r), strings, COUNT(strings)))
		return false;
	for (uint64_t i = 0; i < t.count && !found; i++) {
		r = TABLE_ROW(&t, struct glass_tunable, i);
		found = r->name && !strcmp(r->name, name);
		*value = r->value;
	}
	table_free(&t);
	return found;
}

/* What the running stack says of it. */
static bool term_value(const struct term *t, int64_t *value)
{
	if (!strcmp(t->kind, "tunable"))
		return tunable_value(t->name, value);
	return !strcmp(t->kind, "counter") && !client_try_open() && stat_value(t->alias, value);
}

static void explain_term(const struct term *t)
{
	int64_t value;
	bool known = term_value(t, &value);

	if (ctl.json) {
		json_begin_object(NULL);
		json_string("kind", t->kind);
		json_string("name", t->name);
		if (t->alias)
			json_string("alias", t->alias);
		json_string("doc", t->doc);
		if (*t->rule)
			json_string("source", t->rule);
		if (t->advice)
			json_string("advice", t->advice);
		if (known)
			json_number("value", value);
		json_end();
		return;
	}
	printf("%s%s%s, a %s%s%s%s: %s\n", color(C_BOLD), t->name, color(C_NONE), t->kind,
	       t->alias ? " (" : "", t->alias ? t->alias : "", t->alias ? ")" : "", t->doc);
	if (*t->rule)
		printf("  rule:      %s\n", t->rule);
	if (t->advice)
		printf("  %s %s\n",
		       !strcmp(t->kind, "limiter") ? "what helps:" : "in Glass:  ", t->advice);
	if (known)
		printf("  now:       %" PRId64 " in stack %s\n", value, ctl.stack);
}

static void list_json(void)
{
	const struct term *t;
	const struct glass_event_desc *e;
	const struct glass_drop_desc *d;

	json_begin_object(NULL);
	json_begin_object("drops");
	for (unsigned i = 1; (d = glass_drop_desc(i)); i++)
		json_string(d->name, d->text);
	json_end();
	json_begin_object("events");
	for (unsigned i = 0; (e = glass_event_desc(i)); i++)
		json_string(e->name, e->doc);
	json_end();
	json_begin_array("terms");
	for (unsigned i = 0; (t = glossary_term(i)); i++) {
		json_begin_object(NULL);
		json_string("kind", t->kind);
		json_string("name", t->name);
		json_string("doc", t->doc);
		json_end();
	}
	json_end();
	json_end();
}

static void list_text(void)
{
	const struct term *t;
	const char *kind = "";
	const struct glass_event_desc *e;
	const struct glass_drop_desc *d;

	printf("Reasons for which packets are dropped:\n");
	for (unsigned i = 1; (d = glass_drop_desc(i)); i++)
		printf("  %-20s %s\n", d->name, d->text);
	printf("\nEvents of the flight recorder:\n");
	for (unsigned i = 0; (e = glass_event_desc(i)); i++)
		printf("  %-20s %s\n", e->name, e->doc);
	for (unsigned i = 0; (t = glossary_term(i)); i++) {
		if (strcmp(kind, t->kind) != 0)
			printf("\nEach a %s:\n", t->kind);
		kind = t->kind;
		printf("  %-20s %s\n", t->name, t->doc);
	}
}

/* The names of all tables, one after the other. */
static const char *known_word(unsigned i)
{
	static unsigned drops, events;

	while (glass_drop_desc(drops + 1))
		drops++;
	while (glass_event_desc(events))
		events++;
	if (i < drops)
		return glass_drop_desc(i + 1)->name;
	if (i - drops < events)
		return glass_event_desc(i - drops)->name;
	return glossary_term(i - drops - events) ? glossary_term(i - drops - events)->name : NULL;
}

/* A name may be in several tables. */
static bool explain(const char *word)
{
	const struct glass_event_desc *e;
	const struct glass_drop_desc *d;
	const struct term *t;
	bool found = false;

	for (unsigned i = 1; (d = glass_drop_desc(i)); i++) {
		if (strcasecmp(d->name, word) != 0)
			continue;
		explain_drop(d);
		found = true;
	}
	for (unsigned i = 0; (e = glass_event_desc(i)); i++) {
		if (strcasecmp(e->name, word) != 0)
			continue;
		explain_event(e);
		found = true;
	}
	for (unsigned i = 0; (t = glossary_term(i)); i++) {
		if (strcasecmp(t->name, word) != 0 &&
		    (!t->alias || strcasecmp(t->alias, word) != 0))
			continue;
		explain_term(t);
		found = true;
	}
	return found;
}

int cmd_explain(const struct command *self, int argc, char **argv)
{
	int n = opt_parse(self, NULL, 0, argc, argv);
	const char *meant;

	if (n < 0)
		return EXIT_USAGE;
	if (!n)
		(ctl.json ? list_json : list_text)();
	for (int i = 1; i <= n; i++) {
		if (explain(argv[i]))
			continue;
		meant = nearest(argv[i], known_word);
		failed("there is nothing of the name '%s'%s%s\ntype: glass explain, for the list",
		       argv[i], meant ? "; did you mean " : "", meant ? meant : "");
		return EXIT_FAILED;
	}
	return EXIT_OK;
}
