/* SPDX-License-Identifier: MIT */
/*
 * What a network card does to the frames that a stack hands it: completes checksums, cuts TCP
 * super-packets into segments. And what a wire that aims at frames must know of them.
 *
 * In: whoever stands for a wire (src/sim, src/daemon, bench/link).  Out: nobody.
 */
#include "cut.h"

#include <string.h>

#include "../base/impair.h"

#include "checksum.h"
#include "eth.h"
#include "ip4.h"
#include "tcp.h"

#define PROTO_ICMP 1
#define PROTO_TCP 6
#define PROTO_UDP 17
#define ECN_MASK 3 /* RFC 3168 5 */
#define ECN_CE 3

void wire_complete_csum(uint8_t *frame, size_t length, struct glass_offload *off)
{
	struct be16 *field;
	uint16_t csum;

	if (!off->csum_partial)
		return;
	off->csum_partial = false;
	if ((size_t)off->csum_start + off->csum_offset + 2 > length)
		return;
	field = (struct be16 *)(void *)(frame + off->csum_start + off->csum_offset);
	csum = csum_fold(csum_add(0, frame + off->csum_start, length - off->csum_start));
	*field = be16_of(csum ? csum : 0xffff); /* RFC 768; TCP reads both alike */
}

/* The frame's IPv4 header; NULL: it has none. */
static struct ip4_header *find_ip4(uint8_t *frame, size_t length, size_t link_bytes)
{
	const struct eth_header *eth = (const void *)frame;

	if (length < link_bytes + IP4_HEADER_BYTES ||
	    (link_bytes && be16_get(eth->type) != ETH_TYPE_IP4))
		return NULL;
	return (void *)(frame + link_bytes);
}

/* Where a TCP segment over IPv4 has its parts; false: the frame is something else. */
struct parts {
	struct ip4_header *ip;
	struct tcp_header *tcp;
	size_t link, head, payload;
};

static bool find_parts(uint8_t *frame, size_t length, size_t link_bytes, struct parts *p)
{
	size_t at;

	p->ip = find_ip4(frame, length, link_bytes);
	p->link = link_bytes;
	if (!p->ip || p->ip->proto != PROTO_TCP)
		return false;
	at = link_bytes + ip4_header_length(p->ip);
	if (length < at + TCP_HEADER_BYTES)
		return false;
	p->tcp = (void *)(frame + at);
	p->head = at + (p->tcp->data_offset >> 4) * 4u;
	/* The link may have filled the frame up. */
	if (length > link_bytes + be16_get(p->ip->total_length))
		length = link_bytes + be16_get(p->ip->total_length);
	if (p->head > length)
		return false;
	p->payload = length - p->head;
	return true;
}

/*
 * The headers of the segment with n bytes at offset at, the first header being a copy of the
 * super-packet's.
 */
static void fix_headers(struct parts *p, size_t at, size_t n, unsigned index, uint32_t seq,
			uint16_t id, uint8_t flags)
{
	size_t ip_bytes = ip4_header_length(p->ip);
	size_t l4_bytes = p->head - p->link - ip_bytes + n;
	uint64_t sum;

	if (at + n < p->payload)
		flags &= (uint8_t) ~(TCP_FIN | TCP_PSH);
	if (index)
		flags &= (uint8_t)~TCP_CWR;
	p->ip->total_length = be16_of((unsigned)(ip_bytes + l4_bytes));
	p->ip->id = be16_of(id + index);
	ip4_set_checksum(p->ip);
	p->tcp->seq = be32_of(seq + (uint32_t)at);
	p->tcp->flags = flags;
	p->tcp->checksum = be16_of(0);
	sum = csum_pseudo4(be32_get(p->ip->src), be32_get(p->ip->dst), PROTO_TCP,
			   (uint32_t)l4_bytes);
	p->tcp->checksum = be16_of(csum_fold(csum_add(sum, p->tcp, l4_bytes)));
}

void wire_cut(uint8_t *frame, size_t length, size_t link_bytes, const struct glass_offload *off,
	      void (*emit)(void *arg, uint8_t *frame, size_t length), void *arg)
{
	uint8_t segment[2048 + 65536];
	struct parts whole, part;
	uint32_t seq;
	uint16_t id;
	uint8_t flags;
	unsigned index = 0;

	if (!off->gso_size || !find_parts(frame, length, link_bytes, &whole)) {
		emit(arg, frame, length);
		return;
	}
	seq = be32_get(whole.tcp->seq);
	id = be16_get(whole.ip->id);
	flags = whole.tcp->flags;
	for (size_t at = 0, n; at < whole.payload; at += n) {
		n = whole.payload - at < off->gso_size ? whole.payload - at : off->gso_size;
		memcpy(segment, frame, whole.head);
		memcpy(segment + whole.head, frame + whole.head + at, n);
		find_parts(segment, whole.head + n, link_bytes, &part);
		part.payload = whole.payload;
		fix_headers(&part, at, n, index++, seq, id, flags);
		emit(arg, segment, whole.head + n);
	}
}

static unsigned kind_of_tcp(const struct parts *p)
{
	unsigned kind = p->payload ? IMPAIR_DATA : 0;

	kind |= p->tcp->flags & TCP_SYN ? IMPAIR_SYN : 0;
	kind |= p->tcp->flags & TCP_FIN ? IMPAIR_FIN : 0;
	kind |= p->tcp->flags & TCP_RST ? IMPAIR_RST : 0;
	return kind ? kind : IMPAIR_ACK;
}

unsigned wire_kind(uint8_t *frame, size_t length, size_t link_bytes)
{
	const struct eth_header *eth = (const void *)frame;
	const struct ip4_header *ip = find_ip4(frame, length, link_bytes);
	struct parts p;
	unsigned kind;

	if (!ip)
		return link_bytes && length >= link_bytes && be16_get(eth->type) == ETH_TYPE_ARP
			       ? IMPAIR_ARP
			       : 0;
	kind = IMPAIR_IP | (ip->tos & ECN_MASK ? IMPAIR_ECT : 0);
	if (ip->proto == PROTO_UDP)
		return kind | IMPAIR_UDP;
	if (ip->proto == PROTO_ICMP)
		return kind | IMPAIR_ICMP;
	if (!find_parts(frame, length, link_bytes, &p))
		return kind;
	return kind | IMPAIR_TCP | kind_of_tcp(&p);
}

void wire_mark(uint8_t *frame, size_t length, size_t link_bytes)
{
	struct ip4_header *ip = find_ip4(frame, length, link_bytes);

	if (!ip || ip4_header_length(ip) + link_bytes > length)
		return;
	ip->tos |= ECN_CE;
	ip4_set_checksum(ip);
}
