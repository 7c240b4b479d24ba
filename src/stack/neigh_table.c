/* SPDX-License-Identifier: MIT */
/*
 * The table of neighbours, by keyed hash. It is bounded (arp_cache_max): neighbours with packets
 * waiting are in the list `waiting` and stay; the others are in `idle`, ordered by last use, and
 * the front one makes room unless it was in use a moment ago.
 *
 * In:  neigh.c, arp.c; the owner of the stack, who looks.
 * Out: nothing but the table.
 */
#include "neigh.h"

#include <string.h>

#define NEIGH_BUSY_NS (5 * NS_PER_S) /* used so recently that it makes no room */
#define NEIGH_BUCKETS_MIN 64

void neigh_change(struct glass *g, struct neigh *n, enum neigh_state to, uint64_t why)
{
	if (n->state == to)
		return;
	EVENT(g, 0, 0, NEIGH_STATE, n->addr, n->state, to, why);
	n->state = (uint8_t)to;
	n->probes = 0;
}

static struct list *bucket_of(const struct neigh_table *t, unsigned dev, ip4_t addr)
{
	return &t->buckets[siphash_u64(&t->key, addr, dev) & (t->nbuckets - 1)];
}

struct neigh *neigh_find(const struct glass *g, unsigned dev, ip4_t addr)
{
	struct neigh_table *t = g->neigh;

	if (t->last && t->last->addr == addr && t->last->dev == dev)
		return t->last;
	list_for_each(n, bucket_of(t, dev, addr), struct neigh, bucket) {
		if (n->addr == addr && n->dev == dev)
			return t->last = n;
	}
	return NULL;
}

static bool buckets_alloc(struct glass *g, uint32_t nbuckets)
{
	struct neigh_table *t = g->neigh;
	struct list *old = t->buckets, *node, *fresh;
	uint32_t nold = t->nbuckets;

	fresh = pool_alloc(&g->pool, nbuckets * sizeof(*fresh));
	if (!fresh)
		return false;
	for (uint32_t i = 0; i < nbuckets; i++)
		list_init(&fresh[i]);
	t->buckets = fresh;
	t->nbuckets = nbuckets;
	for (uint32_t i = 0; i < nold; i++) {
		while ((node = list_take(&old[i]))) {
			struct neigh *n = container_of(node, struct neigh, bucket);

			list_append(bucket_of(t, n->dev, n->addr), node);
		}
	}
	pool_free(&g->pool, old, nold * sizeof(*old));
	return true;
}

void neigh_free(struct glass *g, struct neigh *n)
{
	struct neigh_table *t = g->neigh;

	if (t->last == n)
		t->last = NULL;
	timer_stop(&g->timers, &n->timer);
	timers_release(&g->timers, 1);
	list_remove(&n->bucket);
	list_remove(&n->node);
	t->count--;
	pool_free(&g->pool, n, sizeof(*n));
}

/* Makes room for one more; false: everybody is in use. */
static bool neigh_make_room(struct glass *g)
{
	struct neigh_table *t = g->neigh;
	struct neigh *oldest;

	if (t->count < (uint64_t)g->tun.arp_cache_max)
		return true;
	if (list_empty(&t->idle))
		return false;
	oldest = list_first(&t->idle, struct neigh, node);
	if (oldest->used_ns > now(g) - NEIGH_BUSY_NS)
		return false;
	neigh_set(g, oldest, NEIGH_NONE, "least recently used, makes room");
	neigh_free(g, oldest);
	return true;
}

/* Nobody we have ever sent to: the first to make room. */
struct neigh *neigh_new(struct glass *g, unsigned dev, ip4_t addr)
{
	struct neigh_table *t = g->neigh;
	struct neigh *n;

	if (!neigh_make_room(g) || !timers_reserve(&g->timers, 1))
		return NULL;
	n = pool_alloc(&g->pool, sizeof(*n));
	if (!n) {
		timers_release(&g->timers, 1);
		stat_inc(g, STAT_NOMEM);
		return NULL;
	}
	*n = (struct neigh){
		.addr = addr, .dev = dev, .used_ns = NEIGH_NEVER_NS, .confirmed_ns = NEIGH_NEVER_NS
	};
	list_init(&n->queue);
	timer_init(&n->timer, neigh_timer);
	if (t->count >= t->nbuckets)
		buckets_alloc(g, t->nbuckets * 2); /* else the chains grow longer */
	list_append(bucket_of(t, dev, addr), &n->bucket);
	list_prepend(&t->idle, &n->node);
	t->count++;
	return n;
}

void neigh_used(struct glass *g, struct neigh *n)
{
	if (n->used_ns == now(g))
		return;
	n->used_ns = now(g);
	if (!n->queued) {
		list_remove(&n->node);
		list_append(&g->neigh->idle, &n->node);
	}
}

struct pkt *neigh_take(struct neigh *n)
{
	struct list *node = list_take(&n->queue);
	struct pkt *p;

	if (!node)
		return NULL;
	p = container_of(node, struct pkt, node);
	n->queued--;
	n->queued_bytes -= neigh_queue_cost(p);
	return p;
}

static const char *const state_names[] = {
	[NEIGH_NONE] = "NONE",		 [NEIGH_INCOMPLETE] = "INCOMPLETE",
	[NEIGH_REACHABLE] = "REACHABLE", [NEIGH_STALE] = "STALE",
	[NEIGH_DELAY] = "DELAY",	 [NEIGH_PROBE] = "PROBE",
	[NEIGH_FAILED] = "FAILED",
};

static void neigh_describe(const struct glass *g, const struct neigh *n,
			   struct glass_neigh_info *out)
{
	*out = (struct glass_neigh_info){
		.dev = n->dev,
		.addr = addr_of_ip4(n->addr),
		.state = state_names[n->state],
		.probes = n->probes,
		.queued = n->queued,
		.confirmed_ns = n->confirmed_ns == NEIGH_NEVER_NS ? -1 : now(g) - n->confirmed_ns,
	};
	memcpy(out->mac, n->mac, MAC_BYTES);
}

bool glass_neigh_at(const struct glass *g, unsigned i, struct glass_neigh_info *out)
{
	const struct neigh_table *t = g->neigh;

	for (uint32_t b = 0; b < t->nbuckets; b++) {
		list_for_each(n, &t->buckets[b], struct neigh, bucket) {
			if (i--)
				continue;
			neigh_describe(g, n, out);
			return true;
		}
	}
	return false;
}

uint32_t neigh_count(const struct glass *g)
{
	return g->neigh->count;
}

int neigh_init(struct glass *g)
{
	struct neigh_table *t = pool_alloc(&g->pool, sizeof(*t));

	if (!t)
		return -ENOMEM;
	g->neigh = t;
	t->key = rng_key(&g->rng);
	list_init(&t->idle);
	list_init(&t->waiting);
	return buckets_alloc(g, NEIGH_BUCKETS_MIN) ? 0 : -ENOMEM;
}

static void free_list(struct glass *g, struct list *l)
{
	struct pkt *p;

	list_for_each_safe(n, l, struct neigh, node) {
		while ((p = neigh_take(n)))
			pkt_free(&g->pool, p);
		neigh_free(g, n);
	}
}

void neigh_fini(struct glass *g)
{
	struct neigh_table *t = g->neigh;

	if (!t)
		return;
	free_list(g, &t->waiting);
	free_list(g, &t->idle);
	pool_free(&g->pool, t->buckets, t->nbuckets * sizeof(*t->buckets));
	pool_free(&g->pool, t, sizeof(*t));
	g->neigh = NULL;
}
