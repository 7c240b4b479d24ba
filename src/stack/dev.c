/* SPDX-License-Identifier: MIT */
/*
 * The last room before a device and the first one behind it: what devices do for us (checksums,
 * cutting super-packets) is done here when they do not, and what they say of received frames is
 * checked. Device 0, "lo", leads back.
 *
 * In:  eth_output() and ip_output() with a finished frame; glass_input() with what a device said.
 * Out: g->outq, which glass_output() empties; g->loopq, which the stack's door empties into
 * ip_input().
 */
#include "../wire/checksum.h"
#include "../wire/eth.h"
#include "../wire/ip4.h"
#include "../wire/tcp.h"
#include "../wire/udp.h"

#include "ip.h"
#include "link.h"

void dev_complete_csum(struct pkt *p)
{
	struct be16 *field;
	uint16_t checksum;

	if (!(p->flags & PKT_CSUM_PARTIAL))
		return; /* then p->l4 need not be known */
	field = (struct be16 *)(void *)(p->l4 + p->csum_offset);
	checksum = csum_fold(csum_add_pkt(0, p, (size_t)(p->l4 - p->data)));
	/*
	 * RFC 768: zero says "no checksum", so a sum of zero travels as its other form. TCP reads
	 * both alike.
	 */
	*field = be16_of(checksum ? checksum : 0xffff);
	p->flags &= (uint8_t)~PKT_CSUM_PARTIAL;
}

/*
 * One buffer for all bytes of p: who receives reads linear bytes. NULL: out of memory, and p is
 * dropped.
 */
static struct pkt *loop_linear(struct glass *g, struct pkt *p)
{
	uint32_t bytes = pkt_len(p);
	struct pkt *copy;

	if (!p->nfrags)
		return p;
	copy = pkt_new(&g->pool, IP_HEADROOM, bytes);
	if (!copy) {
		drop(g, p, NO_MEMORY, bytes, g->pool.bytes);
		return NULL;
	}
	pkt_copy_out(p, 0, pkt_put(copy, bytes), bytes);
	copy->id = p->id;
	copy->cause = p->cause;
	copy->dev = p->dev;
	copy->gso_size = p->gso_size;
	copy->flags = p->flags;
	pkt_free(&g->pool, p);
	return copy;
}

enum verdict dev_loop(struct glass *g, struct pkt *p)
{
	if (g->loopq_len >= OUT_QUEUE_MAX)
		return drop(g, p, DEV_QUEUE_FULL, g->loopq_len);
	p = loop_linear(g, p);
	if (!p)
		return DROP_NO_MEMORY;
	p->conn = 0; /* the sender's; the receiver is found anew */
	p->l3 = p->l4 = NULL;
	/* The bytes have not left this memory: a checksum that is missing need not be made up. */
	p->flags = (uint8_t)((p->flags & (PKT_CSUM_PARTIAL | PKT_GSO_ECN)) | PKT_LOOPED |
			     PKT_CSUM_VALID);
	p->time_ns = now(g);
	list_append(&g->loopq, &p->node);
	g->loopq_len++;
	return ACCEPTED;
}

struct pkt *dev_loop_take(struct glass *g)
{
	struct list *node = list_take(&g->loopq);

	if (!node)
		return NULL;
	g->loopq_len--;
	return container_of(node, struct pkt, node);
}

/* Bytes of the longest IP packet that p is on the wire: of a super-packet, one of its segments. */
static uint32_t wire_bytes(const struct dev *d, const struct pkt *p)
{
	const struct tcp_header *tcp = (const struct tcp_header *)(const void *)p->l4;

	if (!p->gso_size || !(d->setup.offload & GLASS_OFFLOAD_TSO))
		return pkt_len(p) - dev_header_bytes(d);
	return (uint32_t)(p->l4 - p->l3) + (tcp->data_offset >> 4) * 4u + p->gso_size;
}

static enum verdict dev_refuse(struct glass *g, struct pkt *p)
{
	struct dev *d = &g->dev[p->dev];

	if (!d->up)
		return drop(g, p, DEV_DOWN, p->dev);
	if (p->l3 && wire_bytes(d, p) > d->setup.mtu_bytes)
		return drop(g, p, DEV_MTU, wire_bytes(d, p), d->setup.mtu_bytes);
	if (p->dev != DEV_LO && g->outq_len >= OUT_QUEUE_MAX)
		return drop(g, p, DEV_QUEUE_FULL, g->outq_len);
	return GO_ON;
}

enum verdict dev_output(struct glass *g, struct pkt *p)
{
	struct dev *d = &g->dev[p->dev];
	enum verdict v;

	ENTER(g, p);
	v = dev_refuse(g, p);
	if (v != GO_ON) {
		d->tx_dropped++;
		return v;
	}
	if (p->dev == DEV_LO)
		return dev_loop(g, p);
	if (!(d->setup.offload & GLASS_OFFLOAD_CSUM))
		dev_complete_csum(p);
	list_append(&g->outq, &p->node);
	g->outq_len++;
	return ACCEPTED;
}

/*
 * The IPv4 header of a frame that claims an offload; NULL: it has none, so another room will drop
 * it.
 */
static const struct ip4_header *offload_header(const struct glass *g, const struct pkt *p)
{
	uint32_t at = dev_header_bytes(&g->dev[p->dev]);
	const struct eth_header *eth = pkt_peek(p, 0, sizeof(*eth));
	const struct ip4_header *h = pkt_peek(p, at, sizeof(*h));

	if (!h || ip4_version(h) != 4 || (at && be16_get(eth->type) != ETH_TYPE_IP4))
		return NULL;
	return h;
}

/*
 * virtio 1.2 5.1.6: the sum begins at the transport header, and its result lies within the frame.
 */
static bool csum_claim_ok(const struct glass *g, const struct pkt *p,
			  const struct glass_offload *off)
{
	const struct ip4_header *h = offload_header(g, p);

	if (!pkt_peek(p, off->csum_start, off->csum_offset + 2u))
		return false;
	if (!h)
		return true;
	return off->csum_start == dev_header_bytes(&g->dev[p->dev]) + ip4_header_length(h) &&
	       off->csum_offset == (h->proto == IP_PROTO_TCP ? TCP_CSUM_OFFSET : UDP_CSUM_OFFSET) &&
	       !(be16_get(h->frag) & (IP4_MORE_FRAGMENTS | IP4_FRAGMENT_OFFSET));
}

/* Only TCP is cut; somebody else has taken care of the checksum; and there is some payload. */
static bool gso_claim_ok(const struct glass *g, const struct pkt *p,
			 const struct glass_offload *off)
{
	const struct ip4_header *h = offload_header(g, p);

	if (!h)
		return true;
	return h->proto == IP_PROTO_TCP && (off->csum_partial || off->csum_valid) &&
	       p->len > dev_header_bytes(&g->dev[p->dev]) + ip4_header_length(h) + TCP_HEADER_BYTES;
}

enum verdict dev_check_offload(struct glass *g, struct pkt *p, const struct glass_offload *off)
{
	const struct glass_dev_setup *s = &g->dev[p->dev].setup;
	uint32_t header = dev_header_bytes(&g->dev[p->dev]);
	uint32_t bytes = p->len > header ? p->len - header : 0;

	if (off->gso_size && (!(s->offload & GLASS_OFFLOAD_TSO) || !gso_claim_ok(g, p, off)))
		return drop(g, p, OFFLOAD_LIES, off->csum_start, p->len);
	if (off->csum_partial && (!(s->offload & GLASS_OFFLOAD_CSUM) || !csum_claim_ok(g, p, off)))
		return drop(g, p, OFFLOAD_LIES, off->csum_start, p->len);
	if (off->gso_size ? off->gso_size > s->mtu_bytes : bytes > s->mtu_bytes)
		return drop(g, p, ETH_TOO_LONG, off->gso_size ? off->gso_size : bytes,
			    s->mtu_bytes);
	if (off->csum_partial)
		p->flags |= PKT_CSUM_PARTIAL;
	if (off->csum_valid)
		p->flags |= PKT_CSUM_VALID;
	if (off->gso_ecn)
		p->flags |= PKT_GSO_ECN;
	p->gso_size = off->gso_size;
	return GO_ON;
}
