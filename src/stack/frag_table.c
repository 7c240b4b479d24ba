/* SPDX-License-Identifier: MIT */
/*
 * Datagrams being put together: their table, their time (RFC 1122 3.3.2), and their memory, which
 * is bounded in all and by source. A source at its limit loses its own oldest datagram; when all
 * sources together are at theirs, the oldest of all goes: so a flood cannot stop others for longer
 * than it lasts.
 *
 * In:  ip_frag.c; the timer of a datagram.
 * Out: icmp_send_error() when the time is up.
 */
#include "ip_frag.h"

#include <assert.h>

#include "../wire/icmp.h"

static struct list *bucket_of(struct frag_table *t, const struct ip_info *ip, uint16_t id)
{
	uint64_t hash = siphash_u64(&t->key, (uint64_t)ip->src << 32 | ip->dst,
				    (uint64_t)id << 8 | ip->proto);

	return &t->buckets[hash % FRAG_BUCKETS];
}

static struct frag_source *source_of(struct frag_table *t, ip4_t src)
{
	return &t->sources[siphash_u64(&t->key, src, 0) % FRAG_SOURCES];
}

struct frag_queue *frag_find(struct frag_table *t, const struct ip_info *ip, uint16_t id)
{
	list_for_each(q, bucket_of(t, ip, id), struct frag_queue, bucket) {
		if (q->src == ip->src && q->dst == ip->dst && q->id == id && q->proto == ip->proto)
			return q;
	}
	return NULL;
}

void frag_charge(struct glass *g, struct frag_queue *q, uint32_t bytes)
{
	q->bytes += bytes;
	q->source->bytes += bytes;
	g->frag->bytes += bytes;
}

struct pkt *frag_take(struct frag_queue *q)
{
	struct list *node = list_take(&q->frags);

	return node ? container_of(node, struct pkt, node) : NULL;
}

/* The fragments are gone; so is what was charged for them. */
void frag_discharge(struct glass *g, struct frag_queue *q, uint32_t keep)
{
	uint32_t bytes = q->bytes - keep;

	assert(list_empty(&q->frags));
	q->bytes = keep;
	q->source->bytes -= bytes;
	g->frag->bytes -= bytes;
	q->first = NULL;
}

void frag_free(struct glass *g, struct frag_queue *q)
{
	frag_discharge(g, q, 0);
	timer_stop(&g->timers, &q->timer);
	timers_release(&g->timers, 1);
	list_remove(&q->bucket);
	list_remove(&q->by_age);
	list_remove(&q->by_source);
	pool_free(&g->pool, q, sizeof(*q));
}

static void queue_timer(struct glass *g, struct timer *t)
{
	struct frag_queue *q = container_of(t, struct frag_queue, timer);
	struct pkt *p;

	TIMER_ENTER(g, t, "fragments");
	if (q->first)
		icmp_send_error(g, q->first, ICMP_TIME_EXCEEDED, ICMP_REASSEMBLY, 0);
	while ((p = frag_take(q)))
		drop(g, p, FRAG_TIMEOUT, q->id, (uint64_t)(now(g) - q->born_ns));
	frag_free(g, q);
	act_end(g, outer);
}

struct frag_queue *frag_new(struct glass *g, const struct ip_info *ip, uint16_t id)
{
	struct frag_table *t = g->frag;
	int64_t delay = g->tun.ip_frag_time_ms * NS_PER_MS;
	struct frag_queue *q;

	if (!timers_reserve(&g->timers, 1))
		return NULL;
	q = pool_alloc(&g->pool, sizeof(*q));
	if (!q) {
		timers_release(&g->timers, 1);
		return NULL;
	}
	q->src = ip->src;
	q->dst = ip->dst;
	q->id = id;
	q->proto = ip->proto;
	q->born_ns = now(g);
	q->source = source_of(t, ip->src);
	list_init(&q->frags);
	list_append(bucket_of(t, ip, id), &q->bucket);
	list_append(&t->by_age, &q->by_age);
	list_append(&q->source->queues, &q->by_source);
	frag_charge(g, q, sizeof(*q));
	timer_init(&q->timer, queue_timer);
	timer_arm(&g->timers, &q->timer, now(g) + delay);
	EVENT(g, 0, g->trace.cause, TIMER_SET, WORD("fragments"), (uint64_t)delay,
	      WORD("first fragment of a datagram"));
	return q;
}

/* ---- limits ---------------------------------------------------------------------------------- */

static void queue_evict(struct glass *g, struct frag_queue *q, uint32_t held, uint32_t max)
{
	struct pkt *p;

	while ((p = frag_take(q)))
		drop(g, p, FRAG_LIMIT, held, max);
	frag_free(g, q);
}

static uint32_t limit_bytes(int64_t kilobytes)
{
	return (uint32_t)(kilobytes < 4194303 ? kilobytes : 4194303) * 1024;
}

/*
 * Room for `bytes` more of q (NULL: a new one). Others make room, oldest first; false: it is q
 * itself that is too big.
 */
bool frag_make_room(struct glass *g, struct frag_queue *q, ip4_t src, uint32_t bytes)
{
	struct frag_table *t = g->frag;
	struct frag_source *s = source_of(t, src);
	uint32_t source_max = limit_bytes(g->tun.ip_frag_source_max_kb);
	uint32_t max = limit_bytes(g->tun.ip_frag_max_kb);
	struct frag_queue *oldest;

	while ((uint64_t)s->bytes + bytes > source_max && !list_empty(&s->queues)) {
		oldest = list_first(&s->queues, struct frag_queue, by_source);
		if (oldest == q)
			return false;
		queue_evict(g, oldest, s->bytes, source_max);
	}
	while ((uint64_t)t->bytes + bytes > max && !list_empty(&t->by_age)) {
		oldest = list_first(&t->by_age, struct frag_queue, by_age);
		if (oldest == q)
			return false;
		queue_evict(g, oldest, t->bytes, max);
	}
	return bytes <= max && bytes <= source_max;
}

/* The values tell which of the two limits it was. */
enum verdict frag_drop_over_limit(struct glass *g, struct pkt *p, ip4_t src)
{
	struct frag_source *s = source_of(g->frag, src);
	uint32_t source_max = limit_bytes(g->tun.ip_frag_source_max_kb);

	if ((uint64_t)s->bytes + pkt_truesize(p) > source_max)
		return drop(g, p, FRAG_LIMIT, s->bytes, source_max);
	return drop(g, p, FRAG_LIMIT, g->frag->bytes, limit_bytes(g->tun.ip_frag_max_kb));
}

/* ---- birth and death ------------------------------------------------------------------------- */

int frag_init(struct glass *g)
{
	struct frag_table *t = pool_alloc(&g->pool, sizeof(*t));

	if (!t)
		return -ENOMEM;
	g->frag = t;
	t->key = rng_key(&g->rng);
	t->id_key = rng_key(&g->rng);
	list_init(&t->by_age);
	for (unsigned i = 0; i < FRAG_BUCKETS; i++)
		list_init(&t->buckets[i]);
	for (unsigned i = 0; i < FRAG_SOURCES; i++)
		list_init(&t->sources[i].queues);
	for (unsigned i = 0; i < FRAG_ID_COUNTERS; i++)
		t->ids[i] = (uint16_t)rng_u64(&g->rng);
	return 0;
}

void frag_fini(struct glass *g)
{
	struct pkt *p;

	if (!g->frag)
		return;
	list_for_each_safe(q, &g->frag->by_age, struct frag_queue, by_age) {
		while ((p = frag_take(q)))
			pkt_free(&g->pool, p);
		frag_free(g, q);
	}
	pool_free(&g->pool, g->frag, sizeof(*g->frag));
	g->frag = NULL;
}
