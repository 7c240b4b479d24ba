/* SPDX-License-Identifier: MIT */
/*
 * Putting datagrams together: RFC 791 3.2, RFC 1122 3.3.2.
 *
 * Theory of operation. Fragments begin at multiples of eight bytes, so a datagram is at most 8,192 units. Two bit maps
 * say of each unit whether it is here and whether a fragment begins there. That is enough to tell, in time that does
 * not depend on how many fragments there are, whether a new one is new, an exact copy (ignored), or overlaps. An overlap is
 * never honest: the datagram is given up, and the rest of it refused as it comes (RFC 5722). The fragments lie unsorted
 * until all units are here; then they are copied once, into the packet that came last.
 *
 * Memory is bounded, in all and by source. A source at its limit loses its own oldest datagram; when all sources
 * together are at theirs, the oldest of all goes: so a flood cannot stop others for longer than it lasts.
 *
 * In:  ip_input() with a fragment; the datagram's timer.
 * Out: ip_deliver() with a whole datagram; icmp_send_error() when its time is up.
 */
#include "ip_frag.h"

#include <assert.h>
#include <string.h>

#include "../wire/icmp.h"
#include "../wire/ip4.h"
#include "../wire/tcp.h"
#include "../wire/udp.h"

#include "ip.h"

#define FRAG_UNITS 8192 /* of eight bytes: 64 KB */
#define FRAG_WORDS (FRAG_UNITS / 64)

struct frag_queue {
	struct list bucket, by_age, by_source;
	struct timer timer;
	struct frag_source *source;
	ip4_t src, dst;
	uint16_t id;
	uint8_t proto;
	uint8_t link_flags;	 /* PKT_LINK_BROADCAST when any fragment had it */
	bool congested;		 /* any fragment carried CE */
	bool dead;		 /* overlapped: kept only to refuse the rest */
	uint32_t total;		 /* payload of the datagram; 0: the last fragment has not come */
	uint32_t end_max;	 /* one past the farthest byte here */
	uint32_t received, nfrags;
	uint32_t bytes;		 /* as in memory, with this struct */
	int64_t born_ns;
	struct list frags;	 /* struct pkt at its IP header; seq: offset of the payload */
	struct pkt *first;	 /* the one with offset 0 */
	uint64_t held[FRAG_WORDS], begins[FRAG_WORDS];
};

/* A fragment's place: payload bytes [off, end) of the datagram. */
struct frag_range {
	uint32_t off, len, end;
	bool more;
};

/* ---- bit maps --------------------------------------------------------------------------------------- */

static bool bit_get(const uint64_t *map, unsigned i)
{
	return map[i / 64] >> (i % 64) & 1;
}

static void bit_set(uint64_t *map, unsigned i)
{
	map[i / 64] |= 1ull << (i % 64);
}

/* The bits of word w that lie in units [from, to). */
static uint64_t range_mask(unsigned w, unsigned from, unsigned to)
{
	uint64_t mask = ~0ull;

	if (from > w * 64)
		mask &= ~0ull << (from - w * 64);
	if (to < (w + 1) * 64)
		mask &= ~0ull >> ((w + 1) * 64 - to);
	return mask;
}

static bool range_any(const uint64_t *map, unsigned from, unsigned to)
{
	for (unsigned w = from / 64; from < to && w <= (to - 1) / 64; w++) {
		if (map[w] & range_mask(w, from, to))
			return true;
	}
	return false;
}

static bool range_all(const uint64_t *map, unsigned from, unsigned to)
{
	for (unsigned w = from / 64; from < to && w <= (to - 1) / 64; w++) {
		if (~map[w] & range_mask(w, from, to))
			return false;
	}
	return true;
}

static void range_set(uint64_t *map, unsigned from, unsigned to)
{
	for (unsigned w = from / 64; from < to && w <= (to - 1) / 64; w++)
		map[w] |= range_mask(w, from, to);
}

/* ---- datagrams being put together ------------------------------------------------------------------- */

static struct list *bucket_of(struct frag_table *t, const struct ip_info *ip, uint16_t id)
{
	uint64_t hash = siphash_u64(&t->key, (uint64_t)ip->src << 32 | ip->dst, (uint64_t)id << 8 | ip->proto);

	return &t->buckets[hash % FRAG_BUCKETS];
}

static struct frag_source *source_of(struct frag_table *t, ip4_t src)
{
	return &t->sources[siphash_u64(&t->key, src, 0) % FRAG_SOURCES];
}

static struct frag_queue *queue_find(struct frag_table *t, const struct ip_info *ip, uint16_t id)
{
	list_for_each(q, bucket_of(t, ip, id), struct frag_queue, bucket) {
		if (q->src == ip->src && q->dst == ip->dst && q->id == id && q->proto == ip->proto)
			return q;
	}
	return NULL;
}

static void queue_charge(struct glass *g, struct frag_queue *q, uint32_t bytes)
{
	q->bytes += bytes;
	q->source->bytes += bytes;
	g->frag->bytes += bytes;
}

static struct pkt *queue_take(struct frag_queue *q)
{
	struct list *node = list_take(&q->frags);

	return node ? container_of(node, struct pkt, node) : NULL;
}

/* The fragments are gone; so is what was charged for them. */
static void queue_discharge(struct glass *g, struct frag_queue *q, uint32_t keep)
{
	uint32_t bytes = q->bytes - keep;

	assert(list_empty(&q->frags));
	q->bytes = keep;
	q->source->bytes -= bytes;
	g->frag->bytes -= bytes;
	q->first = NULL;
}

static void queue_free(struct glass *g, struct frag_queue *q)
{
	queue_discharge(g, q, 0);
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
	while ((p = queue_take(q)))
		drop(g, p, FRAG_TIMEOUT, q->id, (uint64_t)(now(g) - q->born_ns));
	queue_free(g, q);
	act_end(g, outer);
}

static struct frag_queue *queue_new(struct glass *g, const struct ip_info *ip, uint16_t id)
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
	queue_charge(g, q, sizeof(*q));
	timer_init(&q->timer, queue_timer);
	timer_arm(&g->timers, &q->timer, now(g) + delay);
	EVENT(g, 0, g->trace.cause, TIMER_SET, WORD("fragments"), (uint64_t)delay, WORD("first fragment of a datagram"));
	return q;
}

/* ---- limits ----------------------------------------------------------------------------------------- */

static void queue_evict(struct glass *g, struct frag_queue *q, uint32_t held, uint32_t max)
{
	struct pkt *p;

	while ((p = queue_take(q)))
		drop(g, p, FRAG_LIMIT, held, max);
	queue_free(g, q);
}

static uint32_t limit_bytes(int64_t kilobytes)
{
	return (uint32_t)(kilobytes < 4194303 ? kilobytes : 4194303) * 1024;
}

/* Room for `bytes` more of q (NULL: a new one). Others make room, oldest first; false: it is q itself that is too big. */
static bool make_room(struct glass *g, struct frag_queue *q, ip4_t src, uint32_t bytes)
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
static enum verdict drop_over_limit(struct glass *g, struct pkt *p, ip4_t src)
{
	struct frag_source *s = source_of(g->frag, src);
	uint32_t source_max = limit_bytes(g->tun.ip_frag_source_max_kb);

	if ((uint64_t)s->bytes + pkt_truesize(p) > source_max)
		return drop(g, p, FRAG_LIMIT, s->bytes, source_max);
	return drop(g, p, FRAG_LIMIT, g->frag->bytes, limit_bytes(g->tun.ip_frag_max_kb));
}

/* ---- a fragment comes ------------------------------------------------------------------------------- */

static uint32_t transport_header_bytes(uint8_t proto)
{
	switch (proto) {
	case IP_PROTO_TCP:
		return TCP_HEADER_BYTES;
	case IP_PROTO_UDP:
		return UDP_HEADER_BYTES;
	case IP_PROTO_ICMP:
		return ICMP_HEADER_BYTES;
	default:
		return 0;
	}
}

static enum verdict frag_check(struct glass *g, struct pkt *p, const struct ip_info *ip, const struct frag_range *r)
{
	uint32_t header = (uint32_t)(p->data - p->l3);

	if (!r->len || (r->more && r->len % 8))
		return drop(g, p, FRAG_LENGTH, r->off, r->len);
	if (r->end > IP4_TOTAL_MAX_BYTES - header)
		return drop(g, p, FRAG_RANGE, r->off, r->len);
	/* RFC 1858 3.2 and RFC 3128: nobody who is honest cuts inside a transport header. */
	if (!r->off && r->len < transport_header_bytes(ip->proto))
		return drop(g, p, FRAG_TINY, r->len);
	if (r->off == 8 && ip->proto == IP_PROTO_TCP)
		return drop(g, p, FRAG_TINY, r->off);
	return GO_ON;
}

static bool is_copy(const struct frag_queue *q, const struct frag_range *r)
{
	unsigned from = r->off / 8, to = (r->end + 7) / 8;

	if (!bit_get(q->begins, from) || range_any(q->begins, from + 1, to) || !range_all(q->held, from, to))
		return false;
	if (!r->more)
		return r->end == q->total;
	if (q->total && r->end >= q->total)
		return false;
	return to == FRAG_UNITS || bit_get(q->begins, to) || !bit_get(q->held, to);
}

/* Does it agree with what is here? A second end, or a byte beyond the end, is as false as an overlap. */
static bool is_overlap(const struct frag_queue *q, const struct frag_range *r)
{
	if (!r->more && (q->end_max > r->end || (q->total && q->total != r->end)))
		return true;
	if (r->more && q->total && r->end >= q->total)
		return true;
	return range_any(q->held, r->off / 8, (r->end + 7) / 8);
}

static enum verdict queue_kill(struct glass *g, struct frag_queue *q, struct pkt *p, const struct frag_range *r)
{
	struct pkt *held;

	while ((held = queue_take(q)))
		drop(g, held, FRAG_OVERLAP, r->off, r->len);
	queue_discharge(g, q, sizeof(*q));
	q->dead = true;
	return drop(g, p, FRAG_OVERLAP, r->off, r->len);
}

static void queue_keep(struct glass *g, struct frag_queue *q, struct pkt *p, const struct frag_range *r)
{
	p->seq = r->off;
	list_append(&q->frags, &p->node);
	queue_charge(g, q, pkt_truesize(p));
	range_set(q->held, r->off / 8, (r->end + 7) / 8);
	bit_set(q->begins, r->off / 8);
	q->first = r->off ? q->first : p;
	q->total = r->more ? q->total : r->end;
	q->end_max = r->end > q->end_max ? r->end : q->end_max;
	q->received += r->len;
	q->nfrags++;
	q->link_flags |= p->flags & PKT_LINK_BROADCAST;
	q->congested |= (((const struct ip4_header *)p->l3)->tos & 3) == 3;
	EVENT(g, 0, p->id, FRAG_IN, q->id, r->off, r->len, r->more, q->received);
}

/* ---- whole ------------------------------------------------------------------------------------------ */

/* The first fragment's header, of the whole datagram now. RFC 3168 5.3: congestion met by one was met by all. */
static void whole_header(const struct frag_queue *q, struct ip4_header *h)
{
	h->total_length = be16_of(ip4_header_length(h) + q->total);
	h->frag = be16_of(0);
	if (q->congested && h->tos & 3)
		h->tos |= 3;
	ip4_set_checksum(h);
}

/* All bytes of q's fragments, behind the first one's header, in one buffer; NULL: out of memory. */
static struct buf *whole_bytes(struct glass *g, const struct frag_queue *q, uint32_t header)
{
	uint32_t bytes = header + q->total;
	struct buf *b = buf_new(&g->pool, bytes > BUF_BIG_BYTES / 2 ? BUF_BIG_BYTES : bytes);

	if (!b)
		return NULL;
	memcpy(b->bytes, q->first->data, header);
	list_for_each(p, &q->frags, struct pkt, node) {
		uint32_t skip = ip4_header_length((const struct ip4_header *)p->l3);

		memcpy(b->bytes + header + p->seq, p->data + skip, p->len - skip);
	}
	whole_header(q, (struct ip4_header *)(void *)b->bytes);
	return b;
}

/* p, which came last, takes all bytes: it is the packet whose fate is told. */
static void whole_into(struct glass *g, struct pkt *p, struct buf *b, const struct frag_queue *q)
{
	buf_unref(&g->pool, p->buf);
	p->buf = b;
	p->base = b->bytes;
	p->end = b->bytes + b->cap;
	p->l3 = p->data = b->bytes;
	p->len = ip4_header_length((const struct ip4_header *)p->l3) + q->total;
	p->flags = (uint8_t)((p->flags | q->link_flags) & ~(PKT_CSUM_PARTIAL | PKT_CSUM_VALID));
}

static void queue_finish(struct glass *g, struct frag_queue *q)
{
	struct pkt *p;

	while ((p = queue_take(q)))
		accept_packet(g, p);
	queue_free(g, q);
}

static enum verdict frag_complete(struct glass *g, struct frag_queue *q, struct pkt *p, const struct ip_info *ip)
{
	uint32_t header = ip4_header_length((const struct ip4_header *)q->first->l3);
	uint32_t bytes = header + q->total;
	struct ip_info whole = *ip;
	const struct ip4_header *h;
	struct buf *b = NULL;

	if (bytes <= IP4_TOTAL_MAX_BYTES)
		b = whole_bytes(g, q, header);
	list_remove(&p->node);
	if (!b) {
		queue_finish(g, q);
		if (bytes > IP4_TOTAL_MAX_BYTES)
			return drop(g, p, FRAG_RANGE, 0, bytes);
		return drop(g, p, NO_MEMORY, bytes, g->pool.bytes);
	}
	EVENT(g, 0, p->id, FRAG_DONE, q->id, q->total, q->nfrags);
	stat_inc(g, STAT_IP_REASM_OKS);
	whole_into(g, p, b, q);
	queue_finish(g, q);
	h = (const struct ip4_header *)p->l3;
	whole.ttl = h->ttl;
	whole.tos = h->tos;
	pkt_pull(p, header);
	return ip_deliver(g, p, &whole);
}

static enum verdict frag_add(struct glass *g, struct frag_queue *q, struct pkt *p, const struct ip_info *ip,
			     const struct frag_range *r)
{
	if (q->dead)
		return drop(g, p, FRAG_OVERLAP, r->off, r->len);
	if (is_copy(q, r))
		return accept_packet(g, p);
	if (is_overlap(q, r))
		return queue_kill(g, q, p, r);
	queue_keep(g, q, p, r);
	if (q->received == q->total)
		return frag_complete(g, q, p, ip);
	return ACCEPTED;
}

enum verdict frag_input(struct glass *g, struct pkt *p, const struct ip_info *ip)
{
	const struct ip4_header *h = (const struct ip4_header *)p->l3;
	uint16_t field = be16_get(h->frag), id = be16_get(h->id);
	struct frag_range r = { .off = (field & IP4_FRAGMENT_OFFSET) * 8u, .len = p->len };
	struct frag_queue *q;
	enum verdict v;

	ENTER(g, p);
	r.end = r.off + r.len;
	r.more = field & IP4_MORE_FRAGMENTS;
	v = frag_check(g, p, ip, &r);
	if (v != GO_ON)
		return v;
	pkt_push(p, ip4_header_length(h)); /* the header stays with the fragment */
	pkt_compact(&g->pool, p);
	p->l3 = p->data;
	q = queue_find(g->frag, ip, id);
	if (!make_room(g, q, ip->src, pkt_truesize(p) + (q ? 0 : (uint32_t)sizeof(*q))))
		return drop_over_limit(g, p, ip->src);
	if (!q)
		q = queue_new(g, ip, id);
	if (!q)
		return drop(g, p, NO_MEMORY, sizeof(*q), g->pool.bytes);
	return frag_add(g, q, p, ip, &r);
}

/* ---- birth and death -------------------------------------------------------------------------------- */

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
		while ((p = queue_take(q)))
			pkt_free(&g->pool, p);
		queue_free(g, q);
	}
	pool_free(&g->pool, g->frag, sizeof(*g->frag));
	g->frag = NULL;
}
