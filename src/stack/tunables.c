/* SPDX-License-Identifier: MIT */
/*
 * Two tables to look into and, one of them, to change: the tunables of tunable.def and the counters
 * of stats.def and drop.def.
 *
 * In:  the owner, through glass.h.
 * Out: g->tun, which every room reads when it needs a limit.
 */
#include <string.h>

#include "config.h"

struct tunable_row {
	struct glass_tunable desc;
	size_t offset; /* in struct tunables */
};

static const struct tunable_row tunable_rows[] = {
#define TUNABLE(name, initial, min, max, unit, doc) \
	{ { #name, unit, doc, initial, min, max, initial }, offsetof(struct tunables, name) },
#include "../base/tunable.def"
#undef TUNABLE
};

#define TUNABLE_COUNT (sizeof(tunable_rows) / sizeof(tunable_rows[0]))

static int64_t *tunable_value(struct glass *g, const struct tunable_row *row)
{
	return (int64_t *)(void *)((char *)&g->tun + row->offset);
}

static const struct tunable_row *tunable_find(const char *name)
{
	for (size_t i = 0; i < TUNABLE_COUNT; i++) {
		if (!strcmp(tunable_rows[i].desc.name, name))
			return &tunable_rows[i];
	}
	return NULL;
}

void tunables_init(struct glass *g)
{
	for (size_t i = 0; i < TUNABLE_COUNT; i++)
		*tunable_value(g, &tunable_rows[i]) = tunable_rows[i].desc.value_default;
}

int glass_tunable_set(struct glass *g, const char *name, int64_t value)
{
	const struct tunable_row *row = tunable_find(name);
	struct tunables before = g->tun;

	if (!row)
		return -ENOENT;
	if (value < row->desc.value_min || value > row->desc.value_max)
		return -ERANGE;
	*tunable_value(g, row) = value;
	if (g->tun.ip_port_first > g->tun.ip_port_last) {
		g->tun = before;
		return -ERANGE;
	}
	/* Less than what is in use now: nothing more is given out until enough came back. */
	g->pool.bytes_max = (uint64_t)g->tun.mem_max_mb << 20;
	return 0;
}

int glass_tunable_get(const struct glass *g, const char *name, int64_t *value)
{
	const struct tunable_row *row = tunable_find(name);

	if (!row)
		return -ENOENT;
	*value = *(const int64_t *)(const void *)((const char *)&g->tun + row->offset);
	return 0;
}

bool glass_tunable_at(const struct glass *g, unsigned i, struct glass_tunable *out)
{
	if (i >= TUNABLE_COUNT)
		return false;
	if (!out)
		return true;
	*out = tunable_rows[i].desc;
	glass_tunable_get(g, out->name, &out->value);
	return true;
}

/* ---- counters -------------------------------------------------------------------------------- */

static const struct glass_stat stat_rows[] = {
#define STAT(ID, group, name, doc) { group, name, doc, 0 },
#include "../base/stats.def"
#undef STAT
};

_Static_assert(sizeof(stat_rows) / sizeof(stat_rows[0]) == STAT_COUNT, "one row per counter");

bool glass_stat_at(const struct glass *g, unsigned i, struct glass_stat *out)
{
	const struct glass_drop_desc *drop;

	if (i < STAT_COUNT) {
		*out = stat_rows[i];
		out->value = g->stats[i];
		return true;
	}
	drop = glass_drop_desc(i - STAT_COUNT + 1);
	if (!drop)
		return false;
	*out = (struct glass_stat){ "Drop", drop->name, drop->text, g->drops[i - STAT_COUNT + 1] };
	return true;
}
