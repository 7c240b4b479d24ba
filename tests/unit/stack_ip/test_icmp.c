/* SPDX-License-Identifier: MIT */
/*
 * ICMP in: echo is answered with what came and no more; the obsolete and the dangerous is ignored
 * (ATTACKS 8, 19, 22, 24).
 */
#include "one_host.h"

static void test_short(void **state)
{
	(void)state;
	for (size_t n = 0; n < 8; n++) {
		struct ip_spec s = { .proto = 1 };

		frame_ip(&f, &s, "\x08\x00\x00\x00\x00\x00\x00", n);
		assert_drops(&h, &f, ICMP_SHORT, n, 8);
	}
}

static void test_checksum(void **state)
{
	struct icmp_header *icmp;
	uint16_t right;

	(void)state;
	for (unsigned bit = 0; bit < 16; bit++) {
		icmp = frame_icmp(&f, &plain, ICMP_ECHO, 0, 1, "abc", 3);
		right = be16_get(icmp->checksum);
		icmp->checksum = be16_of(right ^ 1u << bit);
		assert_int_equal(host_in(&h, &f), DROP_ICMP_BAD_CSUM);
	}
	frame_icmp(&f, &plain, ICMP_ECHO, 0, 0, NULL, 0)->checksum = be16_of(0xf7fe);
	assert_drops(&h, &f, ICMP_BAD_CSUM, 1, 0); /* it should have been f7ff */
}

/*
 * Identifier, sequence number and data come back, at every length; source and destination change
 * places.
 */
static void test_echo(void **state)
{
	static uint8_t data[1472];
	const struct ip4_header *ip;
	const uint8_t *l4;
	size_t bytes;

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	for (size_t n = 0; n <= sizeof(data); n++) {
		struct ip_spec s = { .tos = 0x20 };

		frame_icmp(&f, &s, ICMP_ECHO, 0, 0x12345678, data, n);
		assert_accepts(&h, &f);
		assert_true(host_out(&h, &f));
		ip = assert_ip(&f, 1, &l4, &bytes);
		assert_int_equal(be32_get(ip->src), US);
		assert_int_equal(be32_get(ip->dst), PEER);
		assert_int_equal(ip->tos, 0x20); /* RFC 1122 3.2.2: the same */
		assert_int_equal(ip->ttl, 64);
		assert_int_equal(bytes, 8 + n);
		assert_int_equal(l4[0], ICMP_ECHO_REPLY);
		assert_memory_equal(l4 + 4, "\x12\x34\x56\x78", 4);
		assert_memory_equal(l4 + 8, data, n);
		assert_int_equal(csum_fold(csum_add(0, l4, bytes)), 0);
		host_wait(&h, 100 * MS);
		while (host_out(&h, &f)) {
			assert_arp(&f, ARP_OP_REQUEST); /* asked whether we still have the right
							   one: yes */
			frame_arp(&f, us_mac, ARP_OP_REPLY, peer_mac, PEER, us_mac, US);
			assert_accepts(&h, &f);
		}
	}
	assert_int_equal(stat_value(&h, "Icmp", "OutEchoReps"), 1473);
}

/* 65,507 bytes of data, in fragments both ways. */
static void test_longest_echo(void **state)
{
	static uint8_t message[65515], back[65536];
	struct ip_spec s = { .proto = 1, .id = 77 };
	const struct ip4_header *ip;
	size_t got = 0, bytes;
	const uint8_t *l4;
	uint16_t sum;

	(void)state;
	for (size_t i = 8; i < sizeof(message); i++)
		message[i] = (uint8_t)(i * 13);
	message[0] = ICMP_ECHO;
	sum = csum_fold(csum_add(0, message, sizeof(message)));
	message[2] = (uint8_t)(sum >> 8);
	message[3] = (uint8_t)sum;
	for (size_t off = 0; off < sizeof(message); off += 1480) {
		size_t n = sizeof(message) - off < 1480 ? sizeof(message) - off : 1480;

		s.frag = (uint16_t)(off / 8 | (off + n < sizeof(message) ? IP4_MORE_FRAGMENTS : 0));
		frame_ip(&f, &s, message + off, n);
		assert_accepts(&h, &f);
	}
	while (host_out(&h, &f)) {
		size_t off;

		ip = assert_ip(&f, 1, &l4, &bytes);
		off = (be16_get(ip->frag) & IP4_FRAGMENT_OFFSET) * 8u;
		assert_true(f.n <= 1514);
		memcpy(back + off, l4, bytes);
		got += bytes;
	}
	assert_int_equal(got, sizeof(message));
	assert_int_equal(back[0], ICMP_ECHO_REPLY);
	assert_int_equal(csum_fold(csum_add(0, back, got)), 0);
	assert_memory_equal(back + 8, message + 8, got - 8);
}

static void test_smurf(void **state)
{
	const uint32_t groups[] = { IP(255, 255, 255, 255), IP(10, 0, 0, 255), IP(224, 0, 0, 1) };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		struct ip_spec s = { .dst = groups[i], .dst_mac = all_mac };

		frame_icmp(&f, &s, ICMP_ECHO, 0, 1, "x", 1);
		assert_drops(&h, &f, ICMP_BROADCAST, groups[i], 0);
	}
}

/*
 * Source quench, redirect, router advertisement, timestamp, address mask, and numbers that mean
 * nothing.
 */
static void test_ignored_types(void **state)
{
	const uint8_t types[] = { 1, 2, 4, 5, 6, 9, 10, 13, 14, 15, 16, 17, 18, 30, 40, 255 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		frame_icmp(&f, &plain, types[i], 1, 0x0a000001, "0123456789012345678901234567", 28);
		assert_drops(&h, &f, ICMP_TYPE, types[i], 1);
	}
}

static void test_stray_reply(void **state)
{
	(void)state;
	frame_icmp(&f, &plain, ICMP_ECHO_REPLY, 0, 0x00070001, "x", 1);
	assert_drops(&h, &f, ICMP_REPLY, 7, 0);
}

/* The asker is reached by no route of ours. */
static void test_no_way_back(void **state)
{
	struct ip_spec s = { .src = IP(192, 0, 2, 1) };

	(void)state;
	assert_int_equal(glass_route_del(h.g, glass_ip4(0, 0, 0, 0), 0), 0);
	frame_icmp(&f, &s, ICMP_ECHO, 0, 1, "x", 1);
	assert_drops(&h, &f, IP_NO_ROUTE, IP(192, 0, 2, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_short, setup, teardown),
		cmocka_unit_test_setup_teardown(test_checksum, setup, teardown),
		cmocka_unit_test_setup_teardown(test_echo, setup, teardown),
		cmocka_unit_test_setup_teardown(test_longest_echo, setup, teardown),
		cmocka_unit_test_setup_teardown(test_smurf, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ignored_types, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stray_reply, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_way_back, setup, teardown),
	};

	return cmocka_run_group_tests_name("stack/icmp", tests, NULL, NULL);
}
