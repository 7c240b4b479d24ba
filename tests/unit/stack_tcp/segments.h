/* SPDX-License-Identifier: MIT */
/* TCP segments as frames: built from values, and read back. */
#ifndef TESTS_UNIT_SEGMENTS_H
#define TESTS_UNIT_SEGMENTS_H

#include "../../../src/wire/tcp.h"
#include "../frames.h"

struct segment {
	uint32_t src, dst;
	uint16_t sport, dport;
	uint32_t seq, ack;
	uint8_t flags;
	uint16_t wnd;
	const void *data;
	size_t len;
	struct tcp_options opt;
};

static inline void frame_tcp(struct frame *f, const struct segment *s)
{
	static uint8_t all[70000];
	const struct ip_spec ip = { .src = s->src, .dst = s->dst, .proto = 6 };
	struct tcp_header *h = (struct tcp_header *)(void *)all;
	size_t n = sizeof(*h) + tcp_options_write(all + sizeof(*h), &s->opt);

	*h = (struct tcp_header){ .sport = be16_of(s->sport),
				  .dport = be16_of(s->dport),
				  .seq = be32_of(s->seq),
				  .ack = be32_of(s->ack),
				  .data_offset = (uint8_t)(n / 4 << 4),
				  .flags = s->flags,
				  .window = be16_of(s->wnd ? s->wnd : 65535) };
	if (s->len)
		memcpy(all + n, s->data, s->len);
	n += s->len;
	h->checksum =
		be16_of(csum_fold(csum_add(csum_pseudo4(s->src, s->dst, 6, (uint32_t)n), all, n)));
	frame_ip(f, &ip, all, n);
}

/* The frame's segment, as values; false: it is none. Checksums are the dialogues' affair. */
static inline bool segment_of(const struct frame *f, struct segment *out)
{
	const struct ip4_header *ip =
		(const struct ip4_header *)(const void *)(f->b + sizeof(struct eth_header));
	const struct tcp_header *h = (const struct tcp_header *)(const void *)(ip + 1);
	size_t header;

	if (frame_type(f) != ETH_TYPE_IP4 || ip->proto != 6)
		return false;
	header = (h->data_offset >> 4) * 4u;
	*out = (struct segment){ .src = be32_get(ip->src),
				 .dst = be32_get(ip->dst),
				 .sport = be16_get(h->sport),
				 .dport = be16_get(h->dport),
				 .seq = be32_get(h->seq),
				 .ack = be32_get(h->ack),
				 .flags = h->flags,
				 .wnd = be16_get(h->window),
				 .data = (const uint8_t *)h + header,
				 .len = be16_get(ip->total_length) - sizeof(*ip) - header };
	tcp_options_read((const uint8_t *)(h + 1), header - sizeof(*h), &out->opt);
	return true;
}

#endif
