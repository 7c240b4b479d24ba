/* SPDX-License-Identifier: MIT */
/*
 * Cutting a datagram that is longer than the MTU (RFC 791 3.2), and the numbers by which its pieces
 * are known.
 *
 * A number must not come back while pieces of its earlier bearer may be on the way, and must not be
 * guessed by others (RFC 7739): it is a counter, sent through a permutation of the 65,536 numbers
 * that only we know and that differs for each destination.
 *
 * In:  ip_output().
 * Out: ip_send() with each piece.
 */
#include "../wire/ip4.h"

#include "ip.h"
#include "ip_frag.h"
#include "link.h"

/*
 * A permutation of 16 bits that depends on 64 bits of key. It need not resist him who sees its
 * results: that is the destination itself, and another one has another key.
 */
static uint16_t permute16(uint64_t key, uint16_t v)
{
	uint32_t x = v ^ (uint16_t)key;

	for (int round = 0; round < 2; round++) {
		key >>= 16;
		x = (x * ((uint16_t)key | 1u)) & 0xffff; /* odd, so it can be undone */
		x ^= x >> 7;
	}
	return (uint16_t)(x ^ key >> 16);
}

uint16_t frag_next_id(struct glass *g, ip4_t dst)
{
	struct frag_table *t = g->frag;
	uint64_t key = siphash_u64(&t->id_key, dst, 0);

	return permute16(key, t->ids[key % FRAG_ID_COUNTERS]++);
}

/* bytes of payload from offset off, with p's header in front; NULL: out of memory. */
static struct pkt *cut_piece(struct glass *g, const struct pkt *p, uint32_t off, uint32_t bytes,
			     bool last)
{
	const struct ip4_header *from = (const struct ip4_header *)p->l3;
	struct pkt *piece = pkt_build(g, IP_HEADROOM, bytes);
	struct ip4_header *h;

	if (!piece)
		return NULL;
	pkt_copy_out(p, IP4_HEADER_BYTES + off, pkt_put(piece, bytes), bytes);
	piece->l4 = piece->data;
	h = pkt_push(piece, sizeof(*h));
	*h = *from;
	h->total_length = be16_of(IP4_HEADER_BYTES + bytes);
	h->frag = be16_of(off / 8 | (last ? 0 : IP4_MORE_FRAGMENTS));
	ip4_set_checksum(h);
	piece->l3 = piece->data;
	piece->l4_proto = p->l4_proto;
	piece->conn = p->conn;
	stat_inc(g, STAT_IP_FRAG_CREATES);
	return piece;
}

/* One lost piece makes all others useless: the first failure ends it. */
enum verdict frag_output(struct glass *g, struct pkt *p, const struct ip_path *path)
{
	uint32_t payload = pkt_len(p) - IP4_HEADER_BYTES;
	uint32_t step = (path->mtu_bytes - IP4_HEADER_BYTES) & ~7u;
	enum verdict v;

	ENTER(g, p);
	/* The sum goes over all pieces, so no device can complete it. */
	dev_complete_csum(p);
	EVENT(g, p->conn, p->id, FRAG_OUT, payload, (payload + step - 1) / step, path->mtu_bytes);
	for (uint32_t off = 0; off < payload; off += step) {
		bool last = payload - off <= step;
		uint32_t bytes = last ? payload - off : step;
		struct pkt *piece = cut_piece(g, p, off, bytes, last);

		if (!piece)
			return drop(g, p, NO_MEMORY, bytes, g->pool.bytes);
		v = ip_send(g, piece, path);
		if (v != ACCEPTED) {
			pkt_free(&g->pool, p);
			return v;
		}
	}
	return accept_packet(g, p);
}
