/* SPDX-License-Identifier: MIT */
/* glass explain: what a drop reason or an event means. Needs no daemon; with one it tells how often
 * it was seen. */
#include "ctl.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include <glass/glass_trace.h>

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

static void explain_event(const struct glass_event_desc *e)
{
	if (ctl.json) {
		json_begin_object(NULL);
		json_string("event", e->name);
		json_string("text", e->text);
		json_string("doc", e->doc);
		fields_json(e->field, GLASS_TRACE_VALUES);
		json_end();
		return;
	}
	printf("%s%s%s: %s\n  shown as:  %s\n", color(C_BOLD), e->name, color(C_NONE), e->doc,
	       e->text);
	fields_text(e->field, GLASS_TRACE_VALUES);
}

static void list_json(void)
{
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
	json_end();
}

static void list_text(void)
{
	const struct glass_event_desc *e;
	const struct glass_drop_desc *d;

	printf("Reasons for which packets are dropped:\n");
	for (unsigned i = 1; (d = glass_drop_desc(i)); i++)
		printf("  %-20s %s\n", d->name, d->text);
	printf("\nEvents of the flight recorder:\n");
	for (unsigned i = 0; (e = glass_event_desc(i)); i++)
		printf("  %-20s %s\n", e->name, e->doc);
}

/* The names of both tables, one after the other. */
static const char *known_word(unsigned i)
{
	static unsigned drops;

	while (glass_drop_desc(drops + 1))
		drops++;
	if (i < drops)
		return glass_drop_desc(i + 1)->name;
	return glass_event_desc(i - drops) ? glass_event_desc(i - drops)->name : NULL;
}

static bool explain(const char *word)
{
	const struct glass_event_desc *e;
	const struct glass_drop_desc *d;

	for (unsigned i = 1; (d = glass_drop_desc(i)); i++) {
		if (!strcasecmp(d->name, word)) {
			explain_drop(d);
			return true;
		}
	}
	for (unsigned i = 0; (e = glass_event_desc(i)); i++) {
		if (!strcasecmp(e->name, word)) {
			explain_event(e);
			return true;
		}
	}
	return false;
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
		failed("'%s' is neither a drop reason nor an event%s%s\ntype: glass explain, for "
		       "the list",
		       argv[i], meant ? "; did you mean " : "", meant ? meant : "");
		return EXIT_FAILED;
	}
	return EXIT_OK;
}
