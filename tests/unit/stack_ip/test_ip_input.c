/* SPDX-License-Identifier: MIT */
/*
 * The IPv4 header, field by field: what is refused, why, and with which values (ATTACKS 7-12, 17).
 */
#include "one_host.h"

#include "../../../src/base/rng.h"

static void test_short(void **state)
{
	(void)state;
	frame_ip(&f, &plain, NULL, 0);
	for (size_t n = 0; n < 20; n++) {
		f.n = 14 + n;
		assert_drops(&h, &f, IP_SHORT, n, 20);
	}
}

static void test_version(void **state)
{
	(void)state;
	for (unsigned version = 0; version < 16; version++) {
		if (version == 4)
			continue;
		frame_ip(&f, &plain, NULL, 0)->version_ihl = (uint8_t)(version << 4 | 5);
		assert_drops(&h, &f, IP_VERSION, version, 0);
	}
}

static void test_header_length(void **state)
{
	(void)state;
	for (unsigned words = 0; words < 5; words++) {
		frame_ip(&f, &plain, NULL, 0)->version_ihl = (uint8_t)(0x40 | words);
		assert_drops(&h, &f, IP_HEADER_LENGTH, words * 4, 20);
	}
	frame_ip(&f, &plain, NULL, 0)->version_ihl = 0x4f;
	assert_drops(&h, &f, IP_HEADER_LENGTH, 60, 20);
}

/* A length beyond the frame must not make us read, or answer with, what lies behind it. */
static void test_total_length(void **state)
{
	const uint16_t lies[] = { 0, 19, 29, 1500, 65535 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
		frame_icmp(&f, &plain, ICMP_ECHO, 0, 1, NULL, 0);
		frame_ip_at(&f)->total_length = be16_of(lies[i]);
		frame_ip_fix(&f);
		assert_drops(&h, &f, IP_TOTAL_LENGTH, lies[i], 28);
	}
}

/* What is behind the packet is padding: the echo answers with the packet's bytes only. */
static void test_padding_is_cut(void **state)
{
	const uint8_t *l4;
	size_t bytes;

	(void)state;
	frame_icmp(&f, &plain, ICMP_ECHO, 0, 0x00010002, "abcd", 4);
	memset(frame_put(&f, 14), 0xee, 14);
	assert_accepts(&h, &f);
	assert_true(host_out(&h, &f));
	assert_ip(&f, 1, &l4, &bytes);
	assert_int_equal(bytes, 12);
	assert_memory_equal(l4 + 8, "abcd", 4);
}

static void test_checksum(void **state)
{
	struct ip4_header *ip;
	uint16_t right;

	(void)state;
	for (unsigned bit = 0; bit < 16; bit++) {
		ip = frame_ip(&f, &plain, NULL, 0);
		right = be16_get(ip->checksum);
		ip->checksum = be16_of(right ^ 1u << bit);
		assert_drops(&h, &f, IP_BAD_CSUM, right ^ 1u << bit, right);
	}
}

static void test_martian_sources(void **state)
{
	const uint32_t sources[] = {
		IP(0, 0, 0, 1),	   IP(0, 1, 2, 3),
		IP(127, 0, 0, 1),  IP(127, 255, 0, 1),
		IP(224, 0, 0, 1),  IP(239, 255, 255, 9),
		IP(240, 0, 0, 1),  IP(255, 255, 255, 255),
		IP(10, 0, 0, 255), US,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
		struct ip_spec s = { .src = sources[i] };

		frame_udp(&f, &s, 7, 7, "x", 1);
		assert_drops(&h, &f, IP_SOURCE, sources[i], 0);
	}
}

static void test_destinations(void **state)
{
	const uint32_t others[] = { PEER,
				    IP(10, 0, 0, 0),
				    IP(10, 0, 1, 255),
				    IP(127, 0, 0, 1),
				    IP(127, 1, 1, 1),
				    IP(240, 0, 0, 1) };
	const uint32_t groups[] = { IP(224, 0, 0, 2), IP(239, 1, 2, 3) };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		struct ip_spec s = { .dst = others[i] };

		frame_udp(&f, &s, 7, 7, "x", 1);
		assert_drops(&h, &f, IP_NOT_FOR_US, others[i], 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		struct ip_spec s = { .dst = groups[i] };

		frame_udp(&f, &s, 7, 7, "x", 1);
		assert_drops(&h, &f, IP_NO_MEMBER, groups[i], 0);
	}
}

static void test_broadcasts_are_taken(void **state)
{
	const uint32_t groups[] = { IP(255, 255, 255, 255), IP(10, 0, 0, 255), IP(224, 0, 0, 1) };
	struct glass_sock *s = udp_socket(&h, 0, 7);
	struct glass_dgram info;
	char byte;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		struct ip_spec spec = { .dst = groups[i], .dst_mac = all_mac };

		frame_udp(&f, &spec, 9, 7, "x", 1);
		assert_accepts(&h, &f);
		assert_int_equal(glass_recvfrom(h.g, s, &byte, 1, &info), 1);
		assert_int_equal(info.to.port, 7);
		assert_memory_equal(info.to.addr.byte, f.b + 14 + 16, 4);
	}
	glass_close(h.g, s);
}

/* RFC 1122 3.3.6: a packet for one host in a frame for all. */
static void test_unicast_in_broadcast_frame(void **state)
{
	struct ip_spec s = { .dst_mac = all_mac };

	(void)state;
	frame_icmp(&f, &s, ICMP_ECHO, 0, 1, "x", 1);
	assert_drops(&h, &f, IP_LINK_BROADCAST, US, 0);
}

static void test_ttl_of_what_has_arrived(void **state)
{
	const uint8_t *l4;
	size_t bytes;

	(void)state;
	for (unsigned ttl = 0; ttl < 2; ttl++) {
		frame_icmp(&f, &plain, ICMP_ECHO, 0, 1, "x", 1);
		frame_ip_at(&f)->ttl = (uint8_t)ttl;
		frame_ip_fix(&f);
		assert_accepts(&h, &f);
		assert_true(host_out(&h, &f));
		assert_int_equal(assert_ip(&f, 1, &l4, &bytes)->ttl, 64);
	}
}

struct option_case {
	uint8_t bytes[8];
	int reason, kind, at;
};

static void test_options(void **state)
{
	const struct option_case cases[] = {
		{ { 1, 1, 1, 1, 0, 99, 99, 99 }, 0, 0, 0 },
		{ { 7, 7, 4, 0, 0, 0, 0, 0 }, 0, 0, 0 },
		{ { 7, 7, 8, 0, 0, 0, 0, 0 }, 0, 0, 0 }, /* full */
		{ { 7, 7, 255, 0, 0, 0, 0, 0 }, 0, 0, 0 },
		{ { 7, 7, 0, 0, 0, 0, 0, 0 }, DROP_IP_OPTION, 7, 20 },
		{ { 7, 7, 3, 0, 0, 0, 0, 0 }, DROP_IP_OPTION, 7, 20 },
		{ { 7, 0, 4, 0, 0, 0, 0, 0 }, DROP_IP_OPTION, 7, 20 },
		{ { 1, 7, 1, 0, 0, 0, 0, 0 }, DROP_IP_OPTION, 7, 21 },
		{ { 1, 1, 7, 255, 0, 0, 0, 0 }, DROP_IP_OPTION, 7, 22 },
		{ { 1, 1, 1, 1, 1, 1, 1, 7 }, DROP_IP_OPTION, 7, 27 },
		{ { 68, 8, 5, 0, 0, 0, 0, 0 }, 0, 0, 0 },
		{ { 68, 8, 4, 0, 0, 0, 0, 0 }, DROP_IP_OPTION, 68, 20 },
		{ { 134, 2, 0, 0, 0, 0, 0, 0 }, 0, 0, 0 }, /* CIPSO: not known, passed over */
		{ { 134, 255, 0, 0, 0, 0, 0, 0 }, DROP_IP_OPTION, 134, 20 },
		{ { 131, 7, 4, 10, 0, 0, 9, 0 }, DROP_IP_SOURCE_ROUTE, 131, 0 },
		{ { 137, 7, 4, 10, 0, 0, 9, 0 }, DROP_IP_SOURCE_ROUTE, 137, 0 },
		{ { 1, 131, 7, 0, 10, 0, 0, 9 }, DROP_IP_SOURCE_ROUTE, 131, 0 },
	};
	struct frame out;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct option_case *c = &cases[i];
		struct ip_spec s = { .options = c->bytes, .options_bytes = 8 };

		frame_icmp(&f, &s, ICMP_ECHO, 0, 1, "x", 1);
		assert_int_equal(host_in(&h, &f), c->reason);
		if (c->reason)
			assert_drop_record(&h, c->reason, (uint64_t)c->kind, (uint64_t)c->at);
		else
			assert_true(host_out(&h, &out));
	}
}

/* IP in IP, IPv6 in IP, GRE: never opened; whoever sent it is told so. */
static void test_unknown_protocols(void **state)
{
	const uint8_t protocols[] = { 4, 41, 47, 132, 255 };
	const uint8_t *l4;
	size_t bytes;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++) {
		/* A source each: the limit of errors per destination is not the matter here. */
		struct ip_spec s = { .src = IP(10, 0, 0, 100 + i), .proto = protocols[i] };
		struct frame inner;

		introduce(&h, s.src);
		frame_icmp(&inner, &plain, ICMP_ECHO, 0, 1, "x", 1);
		frame_ip(&f, &s, inner.b + 14, inner.n - 14);
		assert_drops(&h, &f, IP_PROTO, protocols[i], 0);
		assert_true(host_out(&h, &f));
		assert_ip(&f, 1, &l4, &bytes);
		assert_int_equal(l4[0], ICMP_UNREACHABLE);
		assert_int_equal(l4[1], ICMP_PROTO_UNREACHABLE);
		assert_silent(&h);
	}
}

/*
 * LAND, and two echo services made to talk to each other: what claims to be from us is not taken
 * from the wire.
 */
static void test_from_ourselves(void **state)
{
	struct glass_sock *s = udp_socket(&h, US, 7);
	struct ip_spec land = { .src = US };

	(void)state;
	frame_udp(&f, &land, 7, 7, "x", 1);
	assert_drops(&h, &f, IP_SOURCE, US, 0);
	assert_int_equal(glass_ready(h.g, s), GLASS_OUT);
	glass_close(h.g, s);
}

/* Any bytes at all: a verdict, no crash, no reply longer than what came. */
static void test_random_packets(void **state)
{
	const uint64_t seed[2] = { 7, 9 };
	struct rng rng;

	(void)state;
	rng_init(&rng, seed);
	for (int round = 0; round < 20000; round++) {
		size_t n = rng_below(&rng, 120), came;

		frame_eth(&f, us_mac, peer_mac, rng_below(&rng, 8) ? ETH_TYPE_IP4 : ETH_TYPE_ARP);
		frame_put(&f, n);
		for (size_t i = 14; i < f.n; i++)
			f.b[i] = (uint8_t)rng_u64(&rng);
		if (n >= 20 && rng_below(&rng, 4)) {
			struct ip4_header *ip = frame_ip_at(&f);

			ip->version_ihl = (uint8_t)(0x45 + rng_below(&rng, 3));
			ip->total_length = be16_of((unsigned)n);
			ip->src = be32_of(PEER);
			ip->dst = be32_of(US);
			ip->frag = be16_of(rng_below(&rng, 3) ? 0 : 0x2000 | rng_below(&rng, 4));
			ip->proto = (uint8_t[]){ 1, 6, 17, 4 }[rng_below(&rng, 4)];
			if (n >= ip4_header_length(ip))
				ip4_set_checksum(ip);
		}
		came = f.n;
		host_in(&h, &f);
		while (host_out(&h, &f))
			assert_true(f.n <= 576 + 14 && (f.n <= came + 28 + 20));
		host_wait(&h, 10 * MS);
		while (host_out(&h, &f))
			;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_short, setup, teardown),
		cmocka_unit_test_setup_teardown(test_version, setup, teardown),
		cmocka_unit_test_setup_teardown(test_header_length, setup, teardown),
		cmocka_unit_test_setup_teardown(test_total_length, setup, teardown),
		cmocka_unit_test_setup_teardown(test_padding_is_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(test_checksum, setup, teardown),
		cmocka_unit_test_setup_teardown(test_martian_sources, setup, teardown),
		cmocka_unit_test_setup_teardown(test_destinations, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broadcasts_are_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unicast_in_broadcast_frame, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ttl_of_what_has_arrived, setup, teardown),
		cmocka_unit_test_setup_teardown(test_options, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown_protocols, setup, teardown),
		cmocka_unit_test_setup_teardown(test_from_ourselves, setup, teardown),
		cmocka_unit_test_setup_teardown(test_random_packets, setup, teardown),
	};

	return cmocka_run_group_tests_name("stack/ip_input", tests, NULL, NULL);
}
