/* SPDX-License-Identifier: MIT */
/*
 * ICMP errors that we send: what they quote, when they are not sent, and how many (ATTACKS 23-25).
 */
#include "one_host.h"

/* RFC 1812 4.3.2.3: as much as fits in 576 bytes, and not a byte that has not come. */
static void test_quote(void **state)
{
	static uint8_t data[1472];
	const size_t lengths[] = { 0, 1, 8, 519, 520, 521, 1472 };
	const struct ip4_header *ip;
	struct frame in;
	const uint8_t *l4;
	size_t bytes;

	(void)state;
	memset(data, 0x5a, sizeof(data));
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		size_t n = lengths[i], quote = 28 + n < 548 ? 28 + n : 548;
		struct ip_spec s = { .tos = 0x10, .src = IP(10, 0, 0, 10 + i) };

		introduce(&h, s.src);
		frame_udp(&in, &s, 9, 99, data, n);
		assert_drops(&h, &in, UDP_NO_SOCKET, (uint64_t)US << 16 | 99,
			     (uint64_t)s.src << 16 | 9);
		assert_true(host_out(&h, &f));
		ip = assert_ip(&f, 1, &l4, &bytes);
		assert_int_equal(be32_get(ip->dst), s.src);
		assert_int_equal(be32_get(ip->src), US);
		assert_int_equal(ip->tos, 0xd0); /* RFC 1812 4.3.2.5 */
		assert_int_equal(ip->ttl, 64);
		assert_int_equal(l4[0], ICMP_UNREACHABLE);
		assert_int_equal(l4[1], ICMP_PORT_UNREACHABLE);
		assert_memory_equal(l4 + 4, "\0\0\0\0", 4);
		assert_int_equal(csum_fold(csum_add(0, l4, bytes)), 0);
		assert_int_equal(bytes, 8 + quote);
		assert_memory_equal(l4 + 8, in.b + 14, quote);
	}
	assert_silent(&h);
}

/* Options of the refused packet are quoted too: the header as it came. */
static void test_quote_with_options(void **state)
{
	const uint8_t options[4] = { 1, 1, 1, 0 };
	struct ip_spec s = { .options = options, .options_bytes = 4 };
	struct frame in;
	const uint8_t *l4;
	size_t bytes;

	(void)state;
	frame_udp(&in, &s, 9, 99, "abc", 3);
	assert_int_equal(host_in(&h, &in), DROP_UDP_NO_SOCKET);
	assert_true(host_out(&h, &f));
	assert_ip(&f, 1, &l4, &bytes);
	assert_int_equal(bytes, 8 + 24 + 11);
	assert_memory_equal(l4 + 8, in.b + 14, bytes - 8);
}

static void assert_quiet(int reason)
{
	struct glass_record r;

	assert_int_equal(host_in(&h, &f), reason);
	assert_true(log_last(&h, GLASS_EV_ICMP_QUIET, &r));
	assert_silent(&h);
}

static void test_broadcast_is_not_answered(void **state)
{
	struct ip_spec s = { .dst = IP(10, 0, 0, 255), .dst_mac = all_mac };

	(void)state;
	frame_udp(&f, &s, 9, 99, "x", 1);
	assert_quiet(DROP_UDP_NO_SOCKET);
	s = (struct ip_spec){ .dst = IP(224, 0, 0, 1), .proto = 4 };
	frame_ip(&f, &s, "x", 1);
	assert_quiet(DROP_IP_PROTO);
}

/*
 * About an error, about a later fragment, about a packet from nobody: never, whichever room asks.
 */
static void test_never_about_errors(void **state)
{
	struct ip_spec s = { .id = 5, .frag = 100 };

	(void)state;
	/* Fragments of an ICMP error, whose time runs out. */
	s.frag = IP4_MORE_FRAGMENTS;
	frame_icmp(&f, &s, ICMP_UNREACHABLE, 1, 0, "0123456789012345678901234567890123456789", 40);
	assert_accepts(&h, &f);
	host_wait(&h, 30 * S);
	{
		struct glass_record r;

		assert_true(log_last(&h, GLASS_EV_ICMP_QUIET, &r));
		assert_int_equal(r.v[0], ICMP_TIME_EXCEEDED);
	}
	while (host_out(&h, &f))
		assert_int_equal(frame_type(&f), ETH_TYPE_ARP);
}

static void test_no_way_back(void **state)
{
	struct ip_spec s = { .src = IP(192, 0, 2, 1) };

	(void)state;
	assert_int_equal(glass_route_del(h.g, glass_ip4(0, 0, 0, 0), 0), 0);
	frame_udp(&f, &s, 9, 99, "x", 1);
	assert_quiet(DROP_UDP_NO_SOCKET);
}

static unsigned errors_for(unsigned packets, uint32_t src)
{
	unsigned n = 0;

	for (unsigned i = 0; i < packets; i++) {
		struct ip_spec s = { .src = src };

		frame_udp(&f, &s, 9, (uint16_t)(1000 + i), "x", 1);
		assert_int_equal(host_in(&h, &f), DROP_UDP_NO_SOCKET);
		while (host_out(&h, &f))
			n += frame_type(&f) == ETH_TYPE_IP4;
	}
	return n;
}

/* One asker gets six at once, then one in a second. */
static void test_limit_per_destination(void **state)
{
	(void)state;
	assert_int_equal(errors_for(2000, PEER), 6);
	assert_int_equal(stat_value(&h, "Icmp", "OutRateLimitGlobal"), 1994);
	host_wait(&h, 1 * S);
	assert_int_equal(errors_for(10, PEER), 1);
	introduce(&h, IP(10, 0, 0, 6));
	assert_int_equal(errors_for(10, IP(10, 0, 0, 6)), 6); /* another one has his own */
	while (host_out(&h, &f))
		;
}

/* SAD DNS (CVE-2020-25705): how many there are in all must not be exact. */
static void test_global_limit_is_uncertain(void **state)
{
	unsigned counts[101] = { 0 }, different = 0;

	(void)state;
	assert_int_equal(glass_tunable_set(h.g, "icmp_rate_per_s", 10), 0);
	assert_int_equal(glass_addr_add(h.g, h.dev, glass_ip4(10, 1, 0, 4), 16), 0);
	while (host_out(&h, &f))
		;
	for (unsigned round = 0; round < 30; round++) {
		unsigned n = 0;

		host_wait(&h, 10 * S); /* full again */
		while (host_out(&h, &f))
			;
		for (unsigned i = 0; i < 100; i++) {
			uint32_t src = IP(10, 1, 1 + round, 1 + i);

			frame_arp(&f, all_mac, ARP_OP_REQUEST, peer_mac, src, no_mac, US);
			host_in(&h, &f);
			while (host_out(&h, &f))
				;
			n += errors_for(1, src);
		}
		assert_in_range(n, 30, 80);
		different += !counts[n]++;
	}
	assert_in_range(different, 6, 30);
}

static void test_none_wanted(void **state)
{
	(void)state;
	assert_int_equal(glass_tunable_set(h.g, "icmp_rate_per_s", 0), 0);
	assert_int_equal(errors_for(10, PEER), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_quote, setup, teardown),
		cmocka_unit_test_setup_teardown(test_quote_with_options, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broadcast_is_not_answered, setup, teardown),
		cmocka_unit_test_setup_teardown(test_never_about_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_way_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limit_per_destination, setup, teardown),
		cmocka_unit_test_setup_teardown(test_global_limit_is_uncertain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_none_wanted, setup, teardown),
	};

	return cmocka_run_group_tests_name("stack/icmp_error", tests, NULL, NULL);
}
