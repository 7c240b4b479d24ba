/* SPDX-License-Identifier: MIT */
/*
 * Routing as seen on the wire: the neighbour that is asked for, and the source address that asks.
 */
#include "../frames.h"

static struct host h;
static struct frame f;
static struct glass_sock *s;

static int setup(void **state)
{
	struct glass_dev_setup tun = { .name = "tun0", .link = GLASS_RAW_IP, .mtu_bytes = 1400 };

	(void)state;
	host_new(&h, 0);
	assert_int_equal(glass_dev_add(h.g, &tun), 2);
	assert_int_equal(glass_addr_add(h.g, 2, glass_ip4(10, 9, 0, 1), 24), 0);
	s = udp_socket(&h, 0, 7);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	glass_close(h.g, s);
	host_free(&h);
	return 0;
}

static void assert_asks_for(uint32_t dst, uint32_t neighbour, uint32_t src)
{
	const struct arp_packet *a;

	assert_int_equal(send_udp(&h, s, dst, 9, "x", 1), 1);
	assert_true(host_out(&h, &f));
	a = assert_arp(&f, ARP_OP_REQUEST);
	assert_int_equal(be32_get(a->target), neighbour);
	assert_int_equal(be32_get(a->sender), src);
	assert_int_equal(glass_dev_set_up(h.g, h.dev, false), 0); /* forget it */
	assert_int_equal(glass_dev_set_up(h.g, h.dev, true), 0);
	while (host_out(&h, &f))
		;
}

static void assert_by_tun(uint32_t dst, uint32_t src)
{
	const struct ip4_header *ip = (const struct ip4_header *)(void *)f.b;

	assert_int_equal(send_udp(&h, s, dst, 9, "x", 1), 1);
	assert_true(host_out(&h, &f));
	assert_int_equal(f.n, 29);
	assert_int_equal(be32_get(ip->dst), dst);
	assert_int_equal(be32_get(ip->src), src);
}

static void test_longest_prefix(void **state)
{
	(void)state;
	assert_asks_for(PEER, PEER, US);
	assert_asks_for(IP(192, 0, 2, 1), IP(10, 0, 0, 1), US);
	assert_int_equal(
		glass_route_add(h.g, glass_ip4(192, 0, 0, 0), 8, glass_ip4(10, 0, 0, 2), 1), 0);
	assert_int_equal(
		glass_route_add(h.g, glass_ip4(192, 0, 2, 0), 24, (struct glass_addr){ 0 }, 2), 0);
	assert_int_equal(
		glass_route_add(h.g, glass_ip4(192, 0, 2, 1), 32, glass_ip4(10, 0, 0, 3), 1), 0);
	assert_asks_for(IP(192, 9, 9, 9), IP(10, 0, 0, 2), US);
	assert_by_tun(IP(192, 0, 2, 2), IP(10, 9, 0, 1));
	assert_asks_for(IP(192, 0, 2, 1), IP(10, 0, 0, 3), US);
	assert_int_equal(glass_route_del(h.g, glass_ip4(192, 0, 2, 1), 32), 0);
	assert_by_tun(IP(192, 0, 2, 1), IP(10, 9, 0, 1));
}

static void test_device_down_has_no_routes(void **state)
{
	(void)state;
	assert_int_equal(
		glass_route_add(h.g, glass_ip4(192, 0, 2, 0), 24, (struct glass_addr){ 0 }, 2), 0);
	assert_by_tun(IP(192, 0, 2, 2), IP(10, 9, 0, 1));
	assert_int_equal(glass_dev_set_up(h.g, 2, false), 0);
	assert_asks_for(IP(192, 0, 2, 2), IP(10, 0, 0, 1), US);
}

/* Of several addresses, the one in the neighbour's network speaks to it. */
static void test_source_address(void **state)
{
	(void)state;
	assert_int_equal(glass_addr_add(h.g, 1, glass_ip4(172, 16, 0, 4), 16), 0);
	assert_true(host_out(&h, &f)); /* announced */
	assert_asks_for(IP(172, 16, 7, 7), IP(172, 16, 7, 7), IP(172, 16, 0, 4));
	assert_asks_for(PEER, PEER, US);
	assert_asks_for(IP(192, 0, 2, 1), IP(10, 0, 0, 1), US);
	assert_int_equal(glass_addr_del(h.g, 1, glass_ip4(172, 16, 0, 4)), 0);
	assert_asks_for(IP(172, 16, 7, 7), IP(10, 0, 0, 1), US);
}

/* Our own addresses are reached by lo, whatever device they are of. */
static void test_own_addresses(void **state)
{
	(void)state;
	assert_int_equal(send_udp(&h, s, US, 7, "x", 1), 1);
	assert_int_equal(send_udp(&h, s, IP(10, 9, 0, 1), 7, "x", 1), 1);
	assert_int_equal(send_udp(&h, s, IP(127, 0, 0, 1), 7, "x", 1), 1);
	assert_silent(&h);
	for (int i = 0; i < 3; i++)
		assert_int_equal(glass_recvfrom(h.g, s, NULL, 0, NULL), 0);
}

/* The weak host model: an address of one device is answered by another. */
static void test_weak_host(void **state)
{
	struct ip_spec spec = { .dst = IP(10, 9, 0, 1) };
	const struct ip4_header *ip;
	const uint8_t *l4;
	size_t bytes;

	(void)state;
	peer_introduces(&h);
	frame_icmp(&f, &spec, ICMP_ECHO, 0, 1, "x", 1);
	assert_accepts(&h, &f);
	assert_true(host_out(&h, &f));
	ip = assert_ip(&f, 1, &l4, &bytes);
	assert_int_equal(be32_get(ip->src), IP(10, 9, 0, 1));
}

static void test_limited_broadcast_leaves_by_the_first_device(void **state)
{
	(void)state;
	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_BROADCAST, 1), 0);
	assert_int_equal(send_udp(&h, s, IP(255, 255, 255, 255), 9, "x", 1), 1);
	assert_true(host_out(&h, &f));
	assert_int_equal(frame_type(&f), ETH_TYPE_IP4);
	assert_memory_equal(f.b, all_mac, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_longest_prefix, setup, teardown),
		cmocka_unit_test_setup_teardown(test_device_down_has_no_routes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_source_address, setup, teardown),
		cmocka_unit_test_setup_teardown(test_own_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_weak_host, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limited_broadcast_leaves_by_the_first_device,
						setup, teardown),
	};

	return cmocka_run_group_tests_name("stack/ip_route", tests, NULL, NULL);
}
