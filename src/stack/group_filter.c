/* SPDX-License-Identifier: MIT */
/*
 * Source filters of multicast groups, and how those of several sockets become one of the device:
 * RFC 3376 3.2.
 *
 * In:  group.c, igmp.c.
 * Out: lists of sources.
 */
#include <string.h>

#include "group.h"

bool sources_new(struct glass *g, const ip4_t *at, uint32_t n, struct group_sources **out)
{
	struct group_sources *s;

	*out = NULL;
	if (!n)
		return true;
	s = pool_alloc(&g->pool, sizeof(*s) + n * sizeof(s->at[0]));
	if (!s) {
		stat_inc(g, STAT_NOMEM);
		return false;
	}
	s->n = n;
	memcpy(s->at, at, n * sizeof(s->at[0]));
	*out = s;
	return true;
}

void sources_free(struct glass *g, struct group_sources *s)
{
	if (s)
		pool_free(&g->pool, s, sizeof(*s) + s->n * sizeof(s->at[0]));
}

bool filter_has(const struct group_filter *f, ip4_t src)
{
	uint32_t from = 0, to = f->sources ? f->sources->n : 0;

	while (from < to) {
		uint32_t middle = (from + to) / 2;

		if (f->sources->at[middle] == src)
			return true;
		if (f->sources->at[middle] < src)
			from = middle + 1;
		else
			to = middle;
	}
	return false;
}

/* ---- several become one ---------------------------------------------------------------------- */

/* A source as one member has it: the address, and whether it excludes it, in the lowest bit. */
static uint64_t vote(ip4_t source, bool exclude)
{
	return (uint64_t)source << 1 | exclude;
}

/* Shell's sort: few, and they come nearly in order. */
static void sort(uint64_t *v, uint32_t n)
{
	for (uint32_t gap = n / 2; gap; gap /= 2) {
		for (uint32_t i = gap; i < n; i++) {
			uint64_t x = v[i];
			uint32_t j = i;

			for (; j >= gap && v[j - gap] > x; j -= gap)
				v[j] = v[j - gap];
			v[j] = x;
		}
	}
}

static uint32_t count_sources(const struct group *grp, uint32_t *excluding)
{
	uint32_t n = 0;

	*excluding = 0;
	list_for_each(m, &grp->members, struct group_member, in) {
		n += m->filter.sources ? m->filter.sources->n : 0;
		*excluding += m->filter.exclude;
	}
	return n;
}

static void gather(const struct group *grp, uint64_t *votes)
{
	list_for_each(m, &grp->members, struct group_member, in) {
		const struct group_filter *f = &m->filter;

		for (uint32_t i = 0; f->sources && i < f->sources->n; i++)
			*votes++ = vote(f->sources->at[i], f->exclude);
	}
}

/*
 * The sources of the filter from the sorted votes; how many, at out, which may be where the votes
 * are. One that somebody includes is wanted; without that it is unwanted when all who exclude at
 * all exclude it.
 */
static uint32_t decide(const uint64_t *votes, uint32_t n, uint32_t excluding, ip4_t *out)
{
	uint32_t kept = 0;

	for (uint32_t i = 0, next; i < n; i = next) {
		uint32_t against = 0;

		for (next = i; next < n && votes[next] >> 1 == votes[i] >> 1; next++)
			against += votes[next] & 1;
		if (excluding ? against == excluding && against == next - i : true)
			out[kept++] = (ip4_t)(votes[i] >> 1);
	}
	return kept;
}

bool filter_merge(struct glass *g, const struct group *grp, struct group_filter *out)
{
	uint32_t excluding, n = count_sources(grp, &excluding);
	size_t bytes = n * (sizeof(uint64_t) + sizeof(ip4_t));
	uint64_t *votes;
	ip4_t *kept;
	bool done;

	*out = (struct group_filter){ .exclude = excluding };
	if (!n)
		return true;
	votes = pool_alloc(&g->pool, bytes);
	if (!votes) {
		stat_inc(g, STAT_NOMEM);
		return false;
	}
	kept = (ip4_t *)(votes + n);
	gather(grp, votes);
	sort(votes, n);
	done = sources_new(g, kept, decide(votes, n, excluding, kept), &out->sources);
	pool_free(&g->pool, votes, bytes);
	return done;
}
