/* SPDX-License-Identifier: MIT */
/* glass check: the laws of the account, as the running stack counts itself. */
#include "ctl.h"

#include <inttypes.h>
#include <stddef.h>

static void law_json(const struct glass_check *c)
{
	json_begin_object(NULL);
	json_string("law", c->name);
	json_bool("holds", c->holds);
	json_unsigned("have", c->have);
	json_begin_object("parts");
	for (unsigned i = 0; i < GLASS_CHECK_PARTS; i++)
		if (c->part[i].name)
			json_unsigned(c->part[i].name, c->part[i].count);
	json_end();
	json_end();
}

static void law_text(const struct glass_check *c)
{
	const char *before = " = ";

	printf("%s%-6s%s %s: %" PRIu64, color(c->holds ? C_GREEN : C_RED),
	       c->holds ? "ok" : "BROKEN", color(C_NONE), c->name, c->have);
	for (unsigned i = 0; i < GLASS_CHECK_PARTS; i++) {
		if (!c->part[i].name)
			continue;
		printf("%s%" PRIu64 " %s", before, c->part[i].count, c->part[i].name);
		before = " + ";
	}
	putchar('\n');
}

int cmd_check(const struct command *self, int argc, char **argv)
{
	static const size_t strings[] = {
		offsetof(struct glass_check, name),
		offsetof(struct glass_check, part[0].name),
		offsetof(struct glass_check, part[1].name),
		offsetof(struct glass_check, part[2].name),
		offsetof(struct glass_check, part[3].name),
		offsetof(struct glass_check, part[4].name),
	};
	int n = opt_parse(self, NULL, 0, argc, argv), err;
	const struct glass_check *c;
	uint64_t broken = 0;
	struct table t;

	if (n < 0)
		return EXIT_USAGE;
	if (n)
		return usage(self, "'%s' is too much", argv[1]);
	err = table_get(&t, "check", sizeof(*c), strings, COUNT(strings));
	if (err)
		return err;
	if (ctl.json)
		json_begin_array(NULL);
	for (uint64_t i = 0; i < t.count; i++) {
		c = TABLE_ROW(&t, struct glass_check, i);
		broken += !c->holds;
		(ctl.json ? law_json : law_text)(c);
	}
	if (ctl.json)
		json_end();
	table_free(&t);
	return broken ? EXIT_FAILED : EXIT_OK;
}
