/* SPDX-License-Identifier: MIT */
/*
 * Frames as bytes, and one host to throw them at: the public doors of glass.h, nothing of the
 * stack's inside. A drop is checked by its reason and by the values that the flight recorder wrote
 * down.
 */
#ifndef TESTS_UNIT_FRAMES_H
#define TESTS_UNIT_FRAMES_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <glass/glass.h>
#include <glass/glass_trace.h>

#include "../../src/base/trace.h"
#include "../../src/wire/arp.h"
#include "../../src/wire/checksum.h"
#include "../../src/wire/eth.h"
#include "../../src/wire/icmp.h"
#include "../../src/wire/ip4.h"
#include "../../src/wire/udp.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MS 1000000ll
#define S 1000000000ll
#define T0 (1000 * S) /* when hosts are born */

#define IP(a, b, c, d) \
	((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))
#define US IP(10, 0, 0, 4)
#define PEER IP(10, 0, 0, 5)

static const uint8_t us_mac[6] = { 2, 0, 0, 0, 0, 4 }, peer_mac[6] = { 2, 0, 0, 0, 0, 5 };
static const uint8_t rival_mac[6] = { 2, 0, 0, 0, 0, 66 };
static const uint8_t all_mac[6] = { 255, 255, 255, 255, 255, 255 }, no_mac[6];

/* ---- a host ---------------------------------------------------------------------------------- */

struct host {
	struct glass *g;
	void *ring;
	struct glass_reader log;
	unsigned dev;
	int64_t now;
};

struct frame {
	size_t n;
	uint8_t b[70000];
	struct glass_offload off;
};

/* Device 1: Ethernet, 10.0.0.4/24, gateway 10.0.0.1. What it announces is taken off the wire. */
static inline void host_new(struct host *h, uint32_t offload)
{
	const size_t bytes = glass_ring_bytes(4096);
	struct glass_setup setup = { .seed = { 4, 5 }, .now_ns = T0, .ring_bytes = bytes };
	struct glass_dev_setup dev = {
		.name = "tap0", .link = GLASS_ETHERNET, .mtu_bytes = 1500, .offload = offload
	};
	struct glass_frame out;

	setup.ring = h->ring = calloc(1, bytes);
	assert_non_null(h->ring);
	h->now = T0;
	h->g = glass_new(&setup);
	assert_non_null(h->g);
	memcpy(dev.mac, us_mac, 6);
	h->dev = (unsigned)glass_dev_add(h->g, &dev);
	assert_int_equal(h->dev, 1);
	assert_int_equal(glass_addr_add(h->g, h->dev, glass_ip4(10, 0, 0, 4), 24), 0);
	assert_int_equal(
		glass_route_add(h->g, glass_ip4(0, 0, 0, 0), 0, glass_ip4(10, 0, 0, 1), h->dev), 0);
	while (glass_output(h->g, &out))
		;
	assert_int_equal(glass_reader_open(&h->log, h->ring, bytes), 0);
}

static inline void host_free(struct host *h)
{
	glass_free(h->g); /* asserts that no packet, buffer or byte is left */
	free(h->ring);
}

/* Time goes on by ns; what is due happens at its own time, unless frames wait to be taken. */
static inline void host_wait(struct host *h, int64_t ns)
{
	int64_t end = h->now + ns, next;

	while ((next = glass_next_deadline(h->g)) <= end && next > h->now) {
		h->now = next;
		glass_advance(h->g, h->now);
	}
	h->now = end;
	glass_advance(h->g, h->now);
}

/* The next frame that leaves, as one piece; false: none. */
static inline bool host_out(struct host *h, struct frame *f)
{
	struct glass_frame out;

	f->n = 0;
	if (!glass_output(h->g, &out))
		return false;
	for (unsigned i = 0; i < out.niov; i++) {
		assert_true(f->n + out.iov[i].len <= sizeof(f->b));
		memcpy(f->b + f->n, out.iov[i].base, out.iov[i].len);
		f->n += out.iov[i].len;
	}
	assert_int_equal(f->n, out.length);
	f->off = out.off;
	return true;
}

static inline void assert_silent(struct host *h)
{
	struct frame f;

	assert_false(host_out(h, &f));
}

/* The frame in a packet of exactly its size: ASan sees who reads beyond. Answers the verdict. */
static inline int host_in(struct host *h, const struct frame *f)
{
	struct pkt *p = glass_pkt_new(h->g, f->n);
	size_t room;

	assert_non_null(p);
	if (f->n)
		memcpy(glass_pkt_room(p, &room), f->b, f->n);
	glass_pkt_filled(p, f->n, &f->off);
	return glass_input(h->g, h->dev, p, h->now);
}

/* ---- what the recorder says ------------------------------------------------------------------ */

/* The newest record of this event since the last call of any of these; false: none. */
static inline bool log_last(struct host *h, unsigned event, struct glass_record *out)
{
	struct glass_record r;
	bool found = false;

	while (glass_reader_next(&h->log, &r)) {
		if (r.event != event)
			continue;
		*out = r;
		found = true;
	}
	return found;
}

static inline void assert_drop_record(struct host *h, int reason, uint64_t a, uint64_t b)
{
	struct glass_record r;

	assert_true(log_last(h, GLASS_EV_DROP, &r));
	assert_int_equal(r.v[0], reason);
	assert_int_equal(r.v[1], a);
	assert_int_equal(r.v[2], b);
}

/* The frame is dropped for this reason, with these values (b 0 where the reason has one only). */
#define assert_drops(h, f, ID, a, b)                                                        \
	do {                                                                                \
		int verdict_ = host_in(h, f);                                               \
		const struct glass_drop_desc *desc_ = glass_drop_desc((unsigned)verdict_);  \
		if (verdict_ != DROP_##ID)                                                  \
			fail_msg("%s, expected %s", desc_ ? desc_->name : "accepted", #ID); \
		assert_drop_record(h, DROP_##ID, a, b);                                     \
	} while (0)

#define assert_accepts(h, f)                                                                \
	do {                                                                                \
		int verdict_ = host_in(h, f);                                               \
		if (verdict_)                                                               \
			fail_msg("dropped: %s", glass_drop_desc((unsigned)verdict_)->name); \
	} while (0)

static inline uint64_t stat_value(struct host *h, const char *group, const char *name)
{
	struct glass_stat st;

	for (unsigned i = 0; glass_stat_at(h->g, i, &st); i++) {
		if (!strcmp(st.group, group) && !strcmp(st.name, name))
			return st.value;
	}
	fail_msg("no counter %s %s", group, name);
	return 0;
}

/* ---- building frames ------------------------------------------------------------------------- */

static inline void *frame_put(struct frame *f, size_t n)
{
	uint8_t *at = f->b + f->n;

	assert_true(f->n + n <= sizeof(f->b));
	f->n += n;
	memset(at, 0, n);
	return at;
}

static inline void frame_eth(struct frame *f, const uint8_t *dst, const uint8_t *src, uint16_t type)
{
	struct eth_header *h;

	f->n = 0;
	f->off = (struct glass_offload){ 0 };
	h = frame_put(f, sizeof(*h));
	memcpy(h->dst, dst, 6);
	memcpy(h->src, src, 6);
	h->type = be16_of(type);
}

static inline uint64_t mac_value(const uint8_t *mac)
{
	uint64_t v = 0;

	for (int i = 0; i < 6; i++)
		v = v << 8 | mac[i];
	return v;
}

static inline struct arp_packet *frame_arp(struct frame *f, const uint8_t *dst, uint16_t op,
					   const uint8_t *sender_mac, uint32_t sender,
					   const uint8_t *target_mac, uint32_t target)
{
	struct arp_packet *a;

	frame_eth(f, dst, sender_mac[0] & 1 ? peer_mac : sender_mac, ETH_TYPE_ARP);
	a = frame_put(f, sizeof(*a));
	a->hw = be16_of(1);
	a->proto = be16_of(ETH_TYPE_IP4);
	a->lengths = be16_of(ARP_LENGTHS);
	a->op = be16_of(op);
	memcpy(a->sender_mac, sender_mac, 6);
	a->sender = be32_of(sender);
	memcpy(a->target_mac, target_mac, 6);
	a->target = be32_of(target);
	return a;
}

/* An IPv4 packet as it will be sent; what is 0 takes the usual value. */
struct ip_spec {
	uint32_t src, dst;
	uint8_t proto, tos, ttl;
	uint16_t id, frag;
	const uint8_t *options;
	size_t options_bytes; /* a multiple of four */
	const uint8_t *dst_mac;
};

static inline struct ip4_header *frame_ip(struct frame *f, const struct ip_spec *s,
					  const void *payload, size_t bytes)
{
	size_t header = IP4_HEADER_BYTES + s->options_bytes;
	struct ip4_header *h;

	frame_eth(f, s->dst_mac ? s->dst_mac : us_mac, peer_mac, ETH_TYPE_IP4);
	h = frame_put(f, header);
	h->version_ihl = (uint8_t)(0x40 | header / 4);
	h->tos = s->tos;
	h->total_length = be16_of((unsigned)(header + bytes));
	h->id = be16_of(s->id);
	h->frag = be16_of(s->frag);
	h->ttl = s->ttl ? s->ttl : 64;
	h->proto = s->proto ? s->proto : 17;
	h->src = be32_of(s->src ? s->src : PEER);
	h->dst = be32_of(s->dst ? s->dst : US);
	if (s->options_bytes)
		memcpy(h + 1, s->options, s->options_bytes);
	if (bytes)
		memcpy(frame_put(f, bytes), payload, bytes);
	ip4_set_checksum(h);
	return h;
}

/* The IP header of a frame, its checksum to be made anew by frame_ip_fix(). */
static inline struct ip4_header *frame_ip_at(struct frame *f)
{
	return (struct ip4_header *)(void *)(f->b + sizeof(struct eth_header));
}

static inline void frame_ip_fix(struct frame *f)
{
	ip4_set_checksum(frame_ip_at(f));
}

static inline struct udp_header *frame_udp(struct frame *f, const struct ip_spec *s, uint16_t sport,
					   uint16_t dport, const void *payload, size_t bytes)
{
	static uint8_t all[70000];
	struct udp_header *h = (struct udp_header *)(void *)all;
	uint16_t total = (uint16_t)(sizeof(*h) + bytes);
	uint32_t src = s->src ? s->src : PEER, dst = s->dst ? s->dst : US;
	uint16_t sum;

	assert_true(bytes <= UDP_PAYLOAD_MAX_BYTES);
	*h = (struct udp_header){ be16_of(sport), be16_of(dport), be16_of(total), be16_of(0) };
	if (bytes)
		memcpy(h + 1, payload, bytes);
	sum = csum_fold(csum_add(csum_pseudo4(src, dst, 17, total), all, total));
	h->checksum = be16_of(sum ? sum : 0xffff);
	return (struct udp_header *)(void *)((uint8_t *)frame_ip(f, s, all, total) +
					     IP4_HEADER_BYTES + s->options_bytes);
}

/* An ICMP message: type, code, and whatever follows the checksum. */
static inline struct icmp_header *frame_icmp(struct frame *f, const struct ip_spec *s, uint8_t type,
					     uint8_t code, uint32_t rest, const void *payload,
					     size_t bytes)
{
	static uint8_t all[70000];
	struct icmp_header *h = (struct icmp_header *)(void *)all;
	struct ip_spec ip = *s;

	*h = (struct icmp_header){ type, code, be16_of(0), be16_of(rest >> 16),
				   be16_of(rest & 0xffff) };
	if (bytes)
		memcpy(h + 1, payload, bytes);
	h->checksum = be16_of(csum_fold(csum_add(0, all, sizeof(*h) + bytes)));
	ip.proto = 1;
	return (struct icmp_header *)(void *)((uint8_t *)frame_ip(f, &ip, all, sizeof(*h) + bytes) +
					      IP4_HEADER_BYTES + s->options_bytes);
}

/* ---- looking at frames ----------------------------------------------------------------------- */

static inline uint16_t frame_type(const struct frame *f)
{
	assert_true(f->n >= sizeof(struct eth_header));
	return be16_get(((const struct eth_header *)(const void *)f->b)->type);
}

/* An IPv4 packet whose header is sound; its transport part in *l4 and *bytes. */
static inline const struct ip4_header *assert_ip(const struct frame *f, uint8_t proto,
						 const uint8_t **l4, size_t *bytes)
{
	const struct ip4_header *h =
		(const struct ip4_header *)(const void *)(f->b + sizeof(struct eth_header));

	assert_int_equal(frame_type(f), ETH_TYPE_IP4);
	assert_true(f->n >= sizeof(struct eth_header) + sizeof(*h));
	assert_int_equal(h->version_ihl, 0x45);
	assert_int_equal(h->proto, proto);
	assert_int_equal(csum_fold(csum_add(0, h, sizeof(*h))), 0);
	assert_int_equal(be16_get(h->total_length), f->n - sizeof(struct eth_header));
	*l4 = (const uint8_t *)(h + 1);
	*bytes = f->n - sizeof(struct eth_header) - sizeof(*h);
	return h;
}

static inline const struct arp_packet *assert_arp(const struct frame *f, uint16_t op)
{
	const struct arp_packet *a =
		(const struct arp_packet *)(const void *)(f->b + sizeof(struct eth_header));

	assert_int_equal(frame_type(f), ETH_TYPE_ARP);
	assert_int_equal(f->n, sizeof(struct eth_header) + sizeof(*a));
	assert_int_equal(be16_get(a->op), op);
	return a;
}

/* ---- conversations --------------------------------------------------------------------------- */

/*
 * Somebody at peer_mac asks for us, so that we know where he is; the answer is taken off the wire.
 */
static inline void introduce(struct host *h, uint32_t addr)
{
	struct frame f;

	frame_arp(&f, all_mac, ARP_OP_REQUEST, peer_mac, addr, no_mac, US);
	assert_accepts(h, &f);
	assert_true(host_out(h, &f));
	assert_arp(&f, ARP_OP_REPLY);
}

static inline void peer_introduces(struct host *h)
{
	introduce(h, PEER);
}

static inline struct glass_end end4(uint32_t addr, uint16_t port)
{
	return (struct glass_end){
		glass_ip4(addr >> 24, addr >> 16 & 255, addr >> 8 & 255, addr & 255), port
	};
}

static inline bool neigh_get(struct host *h, uint32_t addr, struct glass_neigh_info *out)
{
	struct glass_end want = end4(addr, 0);

	for (unsigned i = 0; glass_neigh_at(h->g, i, out); i++) {
		if (!memcmp(out->addr.byte, want.addr.byte, 4))
			return true;
	}
	return false;
}

#define assert_neigh(h, address, name)                      \
	do {                                                \
		struct glass_neigh_info info_;              \
		assert_true(neigh_get(h, address, &info_)); \
		assert_string_equal(info_.state, name);     \
	} while (0)

static inline int64_t send_udp(struct host *h, struct glass_sock *s, uint32_t addr, uint16_t port,
			       const void *bytes, size_t length)
{
	struct glass_end to = end4(addr, port);

	return glass_sendto(h->g, s, bytes, length, &to);
}

static inline struct glass_sock *udp_socket(struct host *h, uint32_t addr, uint16_t port)
{
	struct glass_end local = end4(addr, port);
	struct glass_sock *s = glass_socket(h->g, GLASS_UDP);

	assert_non_null(s);
	if (addr || port)
		assert_int_equal(glass_bind(h->g, s, &local), 0);
	return s;
}

#endif
