/* SPDX-License-Identifier: MIT */
/* What neigh.c (states, packets that wait) and neigh_table.c (who is known) share. */
#ifndef GLASS_STACK_NEIGH_H
#define GLASS_STACK_NEIGH_H

#include "link.h"

#define NEIGH_NEVER_NS (INT64_MIN / 2) /* a time long ago */

struct neigh {
	struct list bucket; /* neighbours with the same hash */
	struct list node;   /* in table->idle or table->waiting */
	struct timer timer;
	ip4_t addr;
	unsigned dev;
	uint8_t state, probes;
	uint8_t mac[MAC_BYTES];
	struct list queue; /* struct pkt */
	uint32_t queued, queued_bytes;
	int64_t used_ns, confirmed_ns, reachable_ns;
};

struct neigh_table {
	struct hash_key key;
	struct list *buckets;
	uint32_t nbuckets, count;
	struct list idle, waiting;
	struct neigh *last; /* found last: the next packet mostly has the same next hop */
};

/* The only writer of the state. */
#define neigh_set(g, n, to, why) neigh_change(g, n, to, WORD(why))
void neigh_change(struct glass *g, struct neigh *n, enum neigh_state to, uint64_t why);
struct neigh *neigh_find(const struct glass *g, unsigned dev, ip4_t addr);
/*
 * Somebody we have never sent to: the first to make room. NULL: everybody is in use, or out of
 * memory.
 */
struct neigh *neigh_new(struct glass *g, unsigned dev, ip4_t addr);
/* Its queue must be empty. */
void neigh_free(struct glass *g, struct neigh *n);
/* A packet goes to n. */
void neigh_used(struct glass *g, struct neigh *n);
/* The packet that has waited longest; NULL: none waits. */
struct pkt *neigh_take(struct neigh *n);
/* What a waiting packet costs; the bytes that it refers to count too. */
static inline uint32_t neigh_queue_cost(const struct pkt *p)
{
	return pkt_truesize(p) + p->frag_len;
}
void neigh_timer(struct glass *g, struct timer *t);

#endif
