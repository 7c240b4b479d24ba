/* SPDX-License-Identifier: MIT */
/*
 * Multicast groups: what each device hears, what is still to be told of it, and who has joined.
 *
 * In: src/socket/sock_keep.c (groups), keep_udp.c (members).  Out: save.h, group.c.
 */
#include "igmp.h"
#include "keep.h"
#include "udp.h"

#include <string.h>

#define SOURCES_MAX (1u << 20)

/* A list of sources; reading: a new one. */
static void filter_keep(struct save *s, struct glass *g, struct group_filter *f)
{
	size_t length = f->sources ? f->sources->n * sizeof(ip4_t) : 0;
	const ip4_t *at = f->sources ? f->sources->at : NULL;

	SAVE_FLAG(s, f->exclude);
	at = save_bytes(s, "sources", at, &length);
	if (!save_reading(s) || !length)
		return;
	if (save_check(s, length % sizeof(*at) == 0 && length <= SOURCES_MAX * sizeof(*at),
		       "a group's sources are damaged"))
		save_check(s, sources_new(g, at, (uint32_t)(length / sizeof(*at)), &f->sources),
			   "out of memory");
}

/* ---- IGMP ------------------------------------------------------------------------------------ */

static void igmp_dev_keep(struct save *s, struct glass *g, struct igmp_dev *d)
{
	SAVE(s, d->v1_until_ns);
	SAVE(s, d->v2_until_ns);
	SAVE(s, d->interval_ns);
	SAVE(s, d->robustness);
	SAVE(s, d->mode);
	KEEP_TIMER(s, g, d->general);
	KEEP_TIMER(s, g, d->changes);
}

static void devices_keep(struct save *s, struct glass *g)
{
	unsigned dev = 0;

	for (unsigned i = 0; !save_reading(s) && i < g->ndev; i++) {
		save_begin(s, "igmp");
		SAVE_AS(s, "dev", i);
		igmp_dev_keep(s, g, igmp_dev(g, i));
		save_end(s);
	}
	while (save_reading(s) && save_begin(s, "igmp")) {
		SAVE(s, dev);
		/* Its timers: room for them comes with the groups, which are made first. */
		if (save_check(s, dev < g->ndev, "a device of IGMP is damaged"))
			igmp_dev_keep(s, g, igmp_dev(g, dev));
		save_end(s);
	}
}

/* ---- groups ---------------------------------------------------------------------------------- */

/* The places for as many as there may be, of which the first n are kept. */
static void *places_keep(struct save *s, struct glass *g, const char *name, void *places,
			 size_t size, size_t n, size_t max)
{
	size_t length = places ? n * size : 0;
	const void *bytes = save_bytes(s, name, places, &length);

	if (!save_reading(s) || !length)
		return places;
	if (!save_check(s, length == n * size && n <= max, "a group is damaged"))
		return NULL;
	places = pool_alloc(&g->pool, max * size);
	if (save_check(s, places, "out of memory"))
		memcpy(places, bytes, length);
	return places;
}

static void group_fields(struct save *s, struct glass *g, struct group *grp)
{
	filter_keep(s, g, &grp->filter);
	SAVE(s, grp->mode_left);
	SAVE(s, grp->reports_left);
	SAVE_FLAG(s, grp->reporter);
	SAVE_FLAG(s, grp->told);
	SAVE(s, grp->nchanges);
	SAVE(s, grp->nasked);
	grp->changes = places_keep(s, g, "changes", grp->changes, sizeof(*grp->changes),
				   grp->nchanges, GROUP_CHANGES_MAX);
	grp->asked = places_keep(s, g, "asked", grp->asked, sizeof(*grp->asked), grp->nasked,
				 GROUP_ASKED_MAX);
	KEEP_TIMER(s, g, grp->timer);
	save_check(s, grp->changes || !grp->nchanges, "a group is damaged");
	save_check(s, grp->asked || !grp->nasked, "a group is damaged");
	if (save_reading(s) && save_fault(s))
		grp->nchanges = grp->nasked = 0;
}

static void group_write(struct save *s, struct glass *g, struct group *grp)
{
	ip4_t addr = grp->addr;
	uint8_t dev = grp->dev;

	save_begin(s, "group");
	SAVE(s, addr);
	SAVE(s, dev);
	group_fields(s, g, grp);
	save_end(s);
}

static void group_read(struct save *s, struct glass *g)
{
	struct group *grp = NULL;
	ip4_t addr = 0;
	uint8_t dev = 0;

	SAVE(s, addr);
	SAVE(s, dev);
	if (save_check(s, dev < g->ndev && ip_is_multicast(addr) && !group_find(g, dev, addr),
		       "a group is damaged"))
		grp = group_new(g, dev, addr);
	if (save_check(s, grp, "out of memory"))
		group_fields(s, g, grp);
	save_end(s);
}

void group_keep(struct save *s, struct glass *g)
{
	if (save_reading(s)) {
		while (save_begin(s, "group"))
			group_read(s, g);
	} else {
		for (struct group *grp = group_next(g, NULL); grp; grp = group_next(g, grp))
			group_write(s, g, grp);
	}
	devices_keep(s, g);
}

/* ---- members --------------------------------------------------------------------------------- */

static void member_read(struct save *s, struct glass *g, struct udp_end *u)
{
	struct group_member *m = NULL;
	struct group *grp;
	ip4_t addr = 0;
	uint8_t dev = 0;

	SAVE(s, addr);
	SAVE(s, dev);
	grp = group_find(g, dev, addr);
	if (save_check(s, grp, "a member of no group"))
		m = group_member_new(g, u, grp);
	if (save_check(s, m, "out of memory")) {
		SAVE(s, m->via);
		filter_keep(s, g, &m->filter);
	}
	save_end(s);
}

void group_keep_members(struct save *s, struct glass *g, struct udp_end *u)
{
	if (save_reading(s)) {
		while (save_begin(s, "member"))
			member_read(s, g, u);
		return;
	}
	list_for_each(m, &u->groups, struct group_member, node) {
		save_begin(s, "member");
		SAVE_AS(s, "addr", m->group->addr);
		SAVE_AS(s, "dev", m->group->dev);
		SAVE(s, m->via);
		filter_keep(s, g, &m->filter);
		save_end(s);
	}
}
