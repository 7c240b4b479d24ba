/* SPDX-License-Identifier: MIT */
/*
 * One source of a membership comes or goes: IP_ADD_SOURCE_MEMBERSHIP, IP_BLOCK_SOURCE and their
 * kin. What each answers is as on Linux.
 *
 * In:  the socket layer.
 * Out: group_set_filter().
 */
#include <string.h>

#include "group.h"
#include "udp.h"

/* The mode may only change while there are no sources. */
static int mode_check(const struct group_member *m, bool exclude)
{
	return m && (m->filter.exclude == exclude || !m->filter.sources) ? 0 : -EINVAL;
}

/* m's sources with src among them, at out, which has room; how many. */
static uint32_t with(const struct group_member *m, ip4_t src, ip4_t *out)
{
	const struct group_sources *s = m->filter.sources;
	uint32_t n = s ? s->n : 0, at = 0;

	while (at < n && s->at[at] < src)
		at++;
	if (at)
		memcpy(out, s->at, at * sizeof(*out));
	out[at] = src;
	if (n > at)
		memcpy(out + at + 1, s->at + at, (n - at) * sizeof(*out));
	return n + 1;
}

static uint32_t without(const struct group_member *m, ip4_t src, ip4_t *out)
{
	const struct group_sources *s = m->filter.sources;
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->n; i++) {
		if (s->at[i] != src)
			out[n++] = s->at[i];
	}
	return n;
}

int group_source_add(struct glass *g, struct udp_end *u, ip4_t addr, unsigned dev, ip4_t src,
		     bool exclude)
{
	struct group_member *m = group_member_of(u, addr, dev);
	int err = mode_check(m, exclude);
	uint32_t n;
	size_t bytes;
	ip4_t *list;

	if (err)
		return err;
	n = m->filter.sources ? m->filter.sources->n : 0;
	if (filter_has(&m->filter, src))
		return -EADDRNOTAVAIL;
	bytes = (n + 1) * sizeof(*list);
	list = n < g->tun.igmp_max_msf ? pool_alloc(&g->pool, bytes) : NULL;
	if (!list)
		return -ENOBUFS;
	err = group_set_filter(g, m, exclude, list, with(m, src, list));
	pool_free(&g->pool, list, bytes);
	return err;
}

/* The last source of an INCLUDE: the group is left. */
int group_source_del(struct glass *g, struct udp_end *u, ip4_t addr, unsigned dev, ip4_t src,
		     bool exclude)
{
	struct group_member *m = group_member_of(u, addr, dev);
	int err = mode_check(m, exclude);
	size_t bytes;
	ip4_t *list;

	if (err)
		return err;
	if (!filter_has(&m->filter, src))
		return -EADDRNOTAVAIL;
	if (!exclude && m->filter.sources->n == 1)
		return group_leave(g, u, addr, dev + 1, 0);
	bytes = m->filter.sources->n * sizeof(*list);
	list = pool_alloc(&g->pool, bytes);
	if (!list)
		return -ENOBUFS;
	err = group_set_filter(g, m, exclude, list, without(m, src, list));
	pool_free(&g->pool, list, bytes);
	return err;
}
