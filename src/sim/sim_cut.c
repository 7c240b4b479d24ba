/* SPDX-License-Identifier: MIT */
/*
 * What a network card does to the frames that a stack hands it: completes checksums, cuts TCP
 * super-packets into segments.
 */
#include <string.h>

#include "../wire/checksum.h"
#include "../wire/eth.h"
#include "../wire/ip4.h"
#include "../wire/tcp.h"

#include "inside.h"

#define PROTO_TCP 6

void sim_complete_csum(uint8_t *frame, size_t length, struct glass_offload *off)
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

/* Where a TCP segment over IPv4 has its parts; false: the frame is something else. */
struct parts {
	struct ip4_header *ip;
	struct tcp_header *tcp;
	size_t head, payload;
};

static bool find_parts(uint8_t *frame, size_t length, struct parts *p)
{
	const struct eth_header *eth = (const void *)frame;

	p->ip = (void *)(frame + ETH_HEADER_BYTES);
	if (length < ETH_HEADER_BYTES + IP4_HEADER_BYTES + TCP_HEADER_BYTES ||
	    be16_get(eth->type) != ETH_TYPE_IP4 || p->ip->proto != PROTO_TCP)
		return false;
	p->tcp = (void *)(frame + ETH_HEADER_BYTES + ip4_header_length(p->ip));
	p->head = ETH_HEADER_BYTES + ip4_header_length(p->ip) + (p->tcp->data_offset >> 4) * 4u;
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
	size_t l4_bytes = p->head - ETH_HEADER_BYTES - ip_bytes + n;
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

void sim_cut(uint8_t *frame, size_t length, const struct glass_offload *off,
	     void (*emit)(void *arg, uint8_t *frame, size_t length), void *arg)
{
	uint8_t segment[2048 + 65536];
	struct parts whole, part;
	uint32_t seq;
	uint16_t id;
	uint8_t flags;
	unsigned index = 0;

	if (!off->gso_size || !find_parts(frame, length, &whole)) {
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
		find_parts(segment, whole.head + n, &part);
		part.payload = whole.payload;
		fix_headers(&part, at, n, index++, seq, id, flags);
		emit(arg, segment, whole.head + n);
	}
}
