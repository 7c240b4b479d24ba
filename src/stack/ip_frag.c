/* SPDX-License-Identifier: MIT */
/*
 * Putting datagrams together: RFC 791 3.2, RFC 1122 3.3.2.
 *
 * Theory of operation. Fragments begin at multiples of eight bytes, so a datagram is at most 8,192
 * units. Two bit maps say of each unit whether it is here and whether a fragment begins there. That
 * is enough to tell, in time that does not depend on how many fragments there are, whether a new
 * one is new, an exact copy (ignored), or overlaps. An overlap is never honest: the datagram is
 * given up, and the rest of it refused as it comes (RFC 5722). The fragments lie unsorted until all
 * units are here; then they are copied once, into the packet that came last.
 *
 * Memory and time are bounded: frag_table.c.
 *
 * In:  ip_input() with a fragment.
 * Out: ip_deliver() with a whole datagram.
 */
#include "ip_frag.h"

#include <string.h>

#include "../wire/icmp.h"
#include "../wire/ip4.h"
#include "../wire/tcp.h"
#include "../wire/udp.h"

#include "ip.h"

/* A fragment's place: payload bytes [off, end) of the datagram. */
struct frag_range {
	uint32_t off, len, end;
	bool more;
};

/* ---- bit maps -------------------------------------------------------------------------------- */

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

/* ---- a fragment comes ------------------------------------------------------------------------ */

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

static enum verdict frag_check(struct glass *g, struct pkt *p, const struct ip_info *ip,
			       const struct frag_range *r)
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

	if (!bit_get(q->begins, from) || range_any(q->begins, from + 1, to) ||
	    !range_all(q->held, from, to))
		return false;
	if (!r->more)
		return r->end == q->total;
	if (q->total && r->end >= q->total)
		return false;
	return to == FRAG_UNITS || bit_get(q->begins, to) || !bit_get(q->held, to);
}

/*
 * Does it agree with what is here? A second end, or a byte beyond the end, is as false as an
 * overlap.
 */
static bool is_overlap(const struct frag_queue *q, const struct frag_range *r)
{
	if (!r->more && (q->end_max > r->end || (q->total && q->total != r->end)))
		return true;
	if (r->more && q->total && r->end >= q->total)
		return true;
	return range_any(q->held, r->off / 8, (r->end + 7) / 8);
}

static enum verdict queue_kill(struct glass *g, struct frag_queue *q, struct pkt *p,
			       const struct frag_range *r)
{
	struct pkt *held;

	while ((held = frag_take(q)))
		drop(g, held, FRAG_OVERLAP, r->off, r->len);
	frag_discharge(g, q, sizeof(*q));
	q->dead = true;
	return drop(g, p, FRAG_OVERLAP, r->off, r->len);
}

static void queue_keep(struct glass *g, struct frag_queue *q, struct pkt *p,
		       const struct frag_range *r)
{
	p->seq = r->off;
	list_append(&q->frags, &p->node);
	frag_charge(g, q, pkt_truesize(p));
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

/* A fragment that was kept before is kept again: its header says where. false: it cannot be. */
bool frag_again(struct glass *g, struct frag_queue *q, struct pkt *p)
{
	const struct ip4_header *h = pkt_peek(p, 0, sizeof(*h));
	struct frag_range r = { 0 };
	uint16_t field;

	if (!h || p->l3 != p->data || ip4_header_length(h) < sizeof(*h) ||
	    ip4_header_length(h) >= p->len)
		return false;
	field = be16_get(h->frag);
	r.off = (field & IP4_FRAGMENT_OFFSET) * 8u;
	r.len = p->len - ip4_header_length(h);
	r.end = r.off + r.len;
	r.more = field & IP4_MORE_FRAGMENTS;
	if (r.end > IP4_TOTAL_MAX_BYTES - ip4_header_length(h) || (r.more && r.len % 8) ||
	    is_copy(q, &r) || is_overlap(q, &r) || q->received + r.len == q->total)
		return false;
	queue_keep(g, q, p, &r);
	return true;
}

/* ---- whole ----------------------------------------------------------------------------------- */

/*
 * The first fragment's header, of the whole datagram now. RFC 3168 5.3: congestion met by one was
 * met by all.
 */
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

	while ((p = frag_take(q)))
		accept_packet(g, p);
	frag_free(g, q);
}

static enum verdict frag_complete(struct glass *g, struct frag_queue *q, struct pkt *p,
				  const struct ip_info *ip)
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

static enum verdict frag_add(struct glass *g, struct frag_queue *q, struct pkt *p,
			     const struct ip_info *ip, const struct frag_range *r)
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
	q = frag_find(g->frag, ip, id);
	if (!frag_make_room(g, q, ip->src, pkt_truesize(p) + (q ? 0 : (uint32_t)sizeof(*q))))
		return frag_drop_over_limit(g, p, ip->src);
	if (!q)
		q = frag_new(g, ip, id);
	if (!q)
		return drop(g, p, NO_MEMORY, sizeof(*q), g->pool.bytes);
	return frag_add(g, q, p, ip, &r);
}
