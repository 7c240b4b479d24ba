/* SPDX-License-Identifier: MIT */
/* glass tunables: limits and constants. glass set changes them. */
#include "ctl.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

/* No patterns: everything. */
static bool matches(const char *name, int n, char **pattern)
{
	for (int i = 0; i < n; i++)
		if (!fnmatch(pattern[i], name, FNM_CASEFOLD))
			return true;
	return !n;
}

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
