/* SPDX-License-Identifier: MIT */
/* glass stat: counters, as nstat(8), and drops with their reasons. glass tunables, glass set. */
#include "ctl.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include <glass/glass_trace.h>

#define DROP_GROUP "Drop"

static struct {
	bool all;
} want;

static const struct opt options[] = {
	{ 'a', "all", OPT_FLAG, NULL, "counters that are zero too", &want.all },
};

/* No patterns: everything. */
static bool matches(const char *name, int n, char **pattern)
{
	for (int i = 0; i < n; i++)
		if (!fnmatch(pattern[i], name, FNM_CASEFOLD))
			return true;
	return !n;
}

static bool is_drop(const struct glass_stat *s)
{
	return s->group && !strcmp(s->group, DROP_GROUP);
}

static const char *full_name(const struct glass_stat *s, char out[96])
{
	snprintf(out, 96, "%s%s", is_drop(s) || !s->group ? "" : s->group, s->name);
	return out;
}

static bool is_wanted(const struct glass_stat *s, bool drops, int n, char **pattern)
{
	char name[96];

	if (!s->group || !s->name || is_drop(s) != drops || (!s->value && !want.all))
		return false;
	return matches(full_name(s, name), n, pattern);
}

static const char *advice_of(const char *reason)
{
	const struct glass_drop_desc *d;

	for (unsigned i = 1; (d = glass_drop_desc(i)); i++)
		if (!strcmp(d->name, reason))
			return d->advice;
	return "";
}

static void print_json(const struct table *t, int n, char **pattern)
{
	static const char *const keys[] = { "glass", "drops" };
	const struct glass_stat *s;
	char name[96];

	json_begin_object(NULL);
	for (unsigned drops = 0; drops < 2; drops++) {
		json_begin_object(keys[drops]);
		for (uint64_t i = 0; i < t->count; i++) {
			s = TABLE_ROW(t, struct glass_stat, i);
			if (is_wanted(s, drops, n, pattern))
				json_unsigned(full_name(s, name), s->value);
		}
		json_end();
	}
	json_end();
}

static void print_text(const struct table *t, int n, char **pattern)
{
	const struct glass_stat *s;
	char name[96];

	for (unsigned drops = 0; drops < 2; drops++) {
		for (uint64_t i = 0; i < t->count; i++) {
			s = TABLE_ROW(t, struct glass_stat, i);
			if (!is_wanted(s, drops, n, pattern))
				continue;
			printf("%s%-32s%s %16" PRIu64 "  %s%s%s\n",
			       drops && s->value ? color(C_RED) : "", full_name(s, name),
			       drops && s->value ? color(C_NONE) : "", s->value, color(C_DIM),
			       drops	? advice_of(s->name)
			       : s->doc ? s->doc
					: "",
			       color(C_NONE));
		}
	}
}

int cmd_stat(const struct command *self, int argc, char **argv)
{
	static const size_t strings[] = { offsetof(struct glass_stat, group),
					  offsetof(struct glass_stat, name),
					  offsetof(struct glass_stat, doc) };
	int n = opt_parse(self, options, COUNT(options), argc, argv), err;
	struct table t;

	if (n < 0)
		return EXIT_USAGE;
	err = table_get(&t, "stat", sizeof(struct glass_stat), strings, COUNT(strings));
	if (err)
		return err;
	(ctl.json ? print_json : print_text)(&t, n, argv + 1);
	table_free(&t);
	return EXIT_OK;
}

/* ---- tunables ---- */

static void tunable_json(const struct glass_tunable *r)
{
	json_begin_object(NULL);
	json_string("name", r->name);
	json_number("value", r->value);
	json_number("min", r->value_min);
	json_number("max", r->value_max);
	json_number("default", r->value_default);
	json_string("unit", r->unit);
	json_string("doc", r->doc);
	json_end();
}

static void tunable_text(const struct glass_tunable *r)
{
	bool changed = r->value != r->value_default;

	printf("%s%s = %" PRId64 "%s %s (%" PRId64 "..%" PRId64 ", default %" PRId64
	       ")\n    %s%s%s\n",
	       changed ? color(C_YELLOW) : "", r->name, r->value, changed ? color(C_NONE) : "",
	       r->unit, r->value_min, r->value_max, r->value_default, color(C_DIM), r->doc,
	       color(C_NONE));
}

int cmd_tunables(const struct command *self, int argc, char **argv)
{
	static const size_t strings[] = { offsetof(struct glass_tunable, name),
					  offsetof(struct glass_tunable, unit),
					  offsetof(struct glass_tunable, doc) };
	int n = opt_parse(self, NULL, 0, argc, argv), err;
	const struct glass_tunable *r;
	struct table t;

	if (n < 0)
		return EXIT_USAGE;
	err = table_get(&t, "tunable", sizeof(struct glass_tunable), strings, COUNT(strings));
	if (err)
		return err;
	if (ctl.json)
		json_begin_array(NULL);
	for (uint64_t i = 0; i < t.count; i++) {
		r = TABLE_ROW(&t, struct glass_tunable, i);
		if (r->name && r->unit && r->doc && matches(r->name, n, argv + 1))
			(ctl.json ? tunable_json : tunable_text)(r);
	}
	if (ctl.json)
		json_end();
	table_free(&t);
	return EXIT_OK;
}

/* The daemon's words, or JSON that carries them. */
static void print_outcome(const char *text)
{
	if (!ctl.json) {
		puts(text);
		return;
	}
	json_begin_object(NULL);
	json_string("done", text);
	json_end();
}

int cmd_set(const struct command *self, int argc, char **argv)
{
	int n = opt_parse(self, NULL, 0, argc, argv), err;
	struct reply rep;

	if (n < 0)
		return EXIT_USAGE;
	if (!n)
		return usage(self, "which tunable? as in: glass set tcp_syn_retries=3");
	err = client_open();
	for (int i = 1; !err && i <= n; i++) {
		err = client_call(ABI_SET, NULL, argv[i], -1, &rep);
		if (err)
			return client_failed(argv[i], err, &rep);
		print_outcome(rep.data);
	}
	return err;
}
