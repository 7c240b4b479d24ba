/* SPDX-License-Identifier: MIT */
/* Multicast for the unit tests: joining, IGMP in and out. */
#ifndef TESTS_UNIT_STACK_IP_GROUPS_H
#define TESTS_UNIT_STACK_IP_GROUPS_H

#include "../frames.h"

#include "../../../src/wire/igmp.h"

#define GROUP IP(239, 1, 2, 3)
#define OTHER IP(239, 1, 2, 4)
#define SRC1 IP(10, 0, 0, 21)
#define SRC2 IP(10, 0, 0, 22)
#define SRC3 IP(10, 0, 0, 23)

static inline struct glass_addr addr4(uint32_t a)
{
	return end4(a, 0).addr;
}

static inline int group_call(struct host *h, struct glass_sock *s, enum glass_group_do what,
			     uint32_t group, uint32_t source)
{
	struct glass_group g = { .group = addr4(group), .ifindex = h->dev + 1 };

	if (source)
		g.source = addr4(source);
	return glass_group(h->g, s, what, &g);
}

static inline void join(struct host *h, struct glass_sock *s, uint32_t group)
{
	assert_int_equal(group_call(h, s, GLASS_GROUP_JOIN, group, 0), 0);
}

static inline void leave(struct host *h, struct glass_sock *s, uint32_t group)
{
	assert_int_equal(group_call(h, s, GLASS_GROUP_LEAVE, group, 0), 0);
}

static inline void set_filter(struct host *h, struct glass_sock *s, uint32_t group, bool exclude,
			      const uint32_t *sources, unsigned n)
{
	struct glass_group g = { .group = addr4(group), .ifindex = h->dev + 1 };
	struct glass_addr list[16];

	for (unsigned i = 0; i < n; i++)
		list[i] = addr4(sources[i]);
	assert_int_equal(glass_group_set(h->g, s, &g, exclude, list, n), 0);
}

/* To a group's own hardware address. */
static inline void mac_of_group(uint32_t group, uint8_t mac[6])
{
	const uint8_t bytes[6] = { 1, 0, 0x5e, group >> 16 & 0x7f, group >> 8 & 255, group & 255 };

	memcpy(mac, bytes, 6);
}

static inline void frame_group(struct frame *f, uint32_t src, uint32_t group, uint16_t port,
			       const char *payload)
{
	static uint8_t mac[6];
	struct ip_spec s = { .src = src, .dst = group, .dst_mac = mac };

	mac_of_group(group, mac);
	frame_udp(f, &s, 9, port, payload, strlen(payload));
}

/* An IGMP message of PEER, with a right checksum. */
static inline void frame_igmp(struct frame *f, uint32_t src, uint32_t dst, const void *message,
			      size_t bytes)
{
	static const uint8_t alert[4] = { 148, 4, 0, 0 };
	static uint8_t mac[6], all[1600];
	struct ip_spec s = { .dst = dst,
			     .src = src ? src : PEER,
			     .proto = 2,
			     .ttl = 1,
			     .tos = 0xc0,
			     .options = alert,
			     .options_bytes = 4,
			     .dst_mac = mac };
	uint16_t sum;

	mac_of_group(dst, mac);
	memcpy(all, message, bytes);
	all[2] = all[3] = 0;
	sum = csum_fold(csum_add(0, all, bytes));
	all[2] = (uint8_t)(sum >> 8);
	all[3] = (uint8_t)sum;
	frame_ip(f, &s, all, bytes);
}

/* A query: of version 1 (tenths 0) or 2. group 0: general. */
static inline void query_old(struct host *h, uint32_t group, uint8_t tenths)
{
	struct igmp_header q = { .type = IGMP_QUERY, .code = tenths, .group = be32_of(group) };
	struct frame f;

	frame_igmp(&f, 0, group ? group : IGMP_ALL_HOSTS, &q, sizeof(q));
	assert_accepts(h, &f);
}

/* A query of version 3; qrv and qqic as on the wire. */
static inline void frame_query(struct frame *f, uint32_t group, uint8_t code, uint8_t qrv,
			       uint8_t qqic, const uint32_t *sources, unsigned n)
{
	struct {
		struct igmp_query q;
		struct be32 source[300];
	} m = { .q = { .head = { .type = IGMP_QUERY, .code = code, .group = be32_of(group) },
		       .s_qrv = qrv,
		       .qqic = qqic,
		       .nsources = be16_of(n) } };

	for (unsigned i = 0; i < n; i++)
		m.source[i] = be32_of(sources[i]);
	frame_igmp(f, 0, group ? group : IGMP_ALL_HOSTS, &m, sizeof(m.q) + n * 4);
}

static inline void query_with(struct host *h, uint32_t group, uint8_t code, uint8_t qrv,
			      uint8_t qqic, const uint32_t *sources, unsigned n)
{
	struct frame f;
	int verdict;

	frame_query(&f, group, code, qrv, qqic, sources, n);
	verdict = host_in(h, &f);
	assert_true(!verdict || verdict == DROP_ETH_GROUP); /* of a group that nobody has joined */
}

static inline void query(struct host *h, uint32_t group, uint8_t tenths, const uint32_t *sources,
			 unsigned n)
{
	query_with(h, group, tenths, 2, 125, sources, n);
}

/* ---- what the stack says --------------------------------------------------------------------- */

/* The next frame is IGMP as RFC 3376 4 wants it, to dst; its message in *m, *bytes long. */
static inline void assert_igmp(struct host *h, uint32_t dst, struct frame *f, const uint8_t **m,
			       size_t *bytes)
{
	const struct ip4_header *ip;
	uint8_t mac[6];

	if (!host_out(h, f))
		fail_msg("nothing was sent at %.3f s", (double)(h->now - T0) / 1e9);
	ip = frame_ip_at(f);
	mac_of_group(dst, mac);
	assert_memory_equal(f->b, mac, 6);
	assert_int_equal(ip->version_ihl, 0x46);
	assert_memory_equal(ip + 1, "\x94\4\0\0", 4); /* router alert */
	assert_int_equal(ip->tos, 0xc0);
	assert_int_equal(ip->ttl, 1);
	assert_int_equal(ip->proto, 2);
	assert_int_equal(be32_get(ip->src), US);
	assert_int_equal(be32_get(ip->dst), dst);
	assert_int_equal(csum_fold(csum_add(0, ip, 24)), 0);
	*m = (const uint8_t *)ip + 24;
	*bytes = be16_get(ip->total_length) - 24u;
	assert_int_equal(f->n, 14 + 24 + *bytes);
	assert_int_equal(csum_fold(csum_add(0, *m, *bytes)), 0);
}

static inline void assert_old(struct host *h, uint8_t type, uint32_t group)
{
	uint32_t dst = type == IGMP_V2_LEAVE ? IGMP_ALL_ROUTERS : group;
	const struct igmp_header *m;
	const uint8_t *bytes;
	struct frame f;
	size_t n;

	assert_igmp(h, dst, &f, &bytes, &n);
	m = (const struct igmp_header *)(const void *)bytes;
	assert_int_equal(n, 8);
	assert_int_equal(m->type, type);
	assert_int_equal(m->code, 0);
	assert_int_equal(be32_get(m->group), group);
}

/* One record of a report as words: "TO_EX 239.1.2.3 10.0.0.21 10.0.0.22". */
static inline size_t record_text(const uint8_t *at, char *out, size_t room)
{
	static const char *const names[] = { "?",     "IS_IN", "IS_EX", "TO_IN",
					     "TO_EX", "ALLOW", "BLOCK" };
	const struct igmp_record *r = (const struct igmp_record *)(const void *)at;
	unsigned n = be16_get(r->nsources);
	const uint8_t *a = at + 4;
	int used;

	assert_in_range(r->type, 1, 6);
	assert_int_equal(r->aux_words, 0);
	used = snprintf(out, room, "%s %u.%u.%u.%u", names[r->type], a[0], a[1], a[2], a[3]);
	for (unsigned i = 0; i < n; i++) {
		a += 4;
		used += snprintf(out + used, room - (size_t)used, " %u.%u.%u.%u", a[0], a[1], a[2],
				 a[3]);
	}
	return sizeof(*r) + n * 4u;
}

/* The next frame is a report of version 3 with these records, "; " between them. */
static inline void assert_report(struct host *h, const char *want)
{
	const struct igmp_report *m;
	char got[16384] = "";
	const uint8_t *bytes;
	struct frame f;
	size_t n, at = 8, used = 0;

	assert_igmp(h, IGMP_V3_ROUTERS, &f, &bytes, &n);
	m = (const struct igmp_report *)(const void *)bytes;
	assert_int_equal(m->type, IGMP_V3_REPORT);
	for (unsigned i = 0; i < be16_get(m->nrecords); i++) {
		used += (size_t)snprintf(got + used, sizeof(got) - used, "%s", i ? "; " : "");
		at += record_text(bytes + at, got + used, sizeof(got) - used);
		used = strlen(got);
	}
	assert_int_equal(at, n);
	assert_string_equal(got, want);
}

/* Within ns, step by step: how long it takes until a frame leaves; -1: none does. */
static inline int64_t until_sent(struct host *h, int64_t ns)
{
	int64_t start = h->now;

	while (h->now - start <= ns) {
		int64_t next = glass_next_deadline(h->g);

		if (next > start + ns) {
			host_wait(h, start + ns - h->now);
			return -1;
		}
		if (next > h->now)
			h->now = next;
		glass_advance(h->g, h->now);
		/* The frame is left for who asserts what it is. */
		if (glass_next_deadline(h->g) <= h->now)
			return h->now - start;
	}
	return -1;
}

/* Nothing is said for so long. */
static inline void assert_quiet(struct host *h, int64_t ns)
{
	assert_int_equal(until_sent(h, ns), -1);
	assert_silent(h);
}

/* A report goes at once, and its one repetition within a second. */
static inline void assert_told(struct host *h, const char *records)
{
	assert_int_equal(until_sent(h, 0), 0);
	assert_report(h, records);
	assert_in_range(until_sent(h, S), 1, S);
	assert_report(h, records);
	assert_quiet(h, 30 * S);
}

#endif
