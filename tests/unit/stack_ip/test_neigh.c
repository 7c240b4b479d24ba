/* SPDX-License-Identifier: MIT */
/*
 * Neighbours in virtual time: states, waiting packets, failure and its news, limits (ATTACKS 4-6).
 */
#include "../frames.h"

static struct host h;
static struct frame f;
static struct glass_sock *s;

static int setup(void **state)
{
	(void)state;
	host_new(&h, 0);
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

static void assert_request(uint32_t target, const uint8_t *dst)
{
	const struct arp_packet *a;

	assert_true(host_out(&h, &f));
	a = assert_arp(&f, ARP_OP_REQUEST);
	assert_memory_equal(f.b, dst, 6);
	assert_int_equal(be32_get(a->target), target);
	assert_int_equal(be32_get(a->sender), US);
}

static void assert_datagram(char payload, const uint8_t *dst)
{
	const uint8_t *l4;
	size_t bytes;

	assert_true(host_out(&h, &f));
	assert_memory_equal(f.b, dst, 6);
	assert_ip(&f, 17, &l4, &bytes);
	assert_int_equal(l4[8], payload);
}

static void reply(uint32_t sender, const uint8_t *mac)
{
	frame_arp(&f, us_mac, ARP_OP_REPLY, mac, sender, us_mac, US);
	assert_accepts(&h, &f);
}

static void make_reachable(uint32_t addr)
{
	assert_int_equal(send_udp(&h, s, addr, 9, "r", 1), 1);
	assert_request(addr, all_mac);
	reply(addr, peer_mac);
	assert_datagram('r', peer_mac);
	assert_neigh(&h, addr, "REACHABLE");
}

static void test_packets_wait_and_go_in_order(void **state)
{
	struct glass_neigh_info neigh;

	(void)state;
	assert_int_equal(send_udp(&h, s, PEER, 9, "a", 1), 1);
	assert_int_equal(send_udp(&h, s, PEER, 9, "b", 1), 1);
	assert_request(PEER, all_mac);
	assert_silent(&h);
	assert_true(neigh_get(&h, PEER, &neigh));
	assert_string_equal(neigh.state, "INCOMPLETE");
	assert_int_equal(neigh.queued, 2);
	assert_int_equal(neigh.probes, 1);
	reply(PEER, peer_mac);
	assert_datagram('a', peer_mac);
	assert_datagram('b', peer_mac);
	assert_silent(&h);
}

/*
 * The story of 10.0.0.6: requests at 0, 1 and 2 s, at 3 s the error; the next packet starts anew.
 */
static void test_nobody_answers(void **state)
{
	struct glass_record r;

	(void)state;
	for (int round = 0; round < 2; round++) {
		assert_int_equal(send_udp(&h, s, IP(10, 0, 0, 6), 9, "x", 1), 1);
		for (int i = 0; i < 3; i++) {
			assert_request(IP(10, 0, 0, 6), all_mac);
			host_wait(&h, 1 * S - 1);
			assert_silent(&h);
			assert_int_equal(glass_ready(h.g, s) & GLASS_ERR, 0);
			host_wait(&h, 1);
		}
		assert_silent(&h);
		assert_true(log_last(&h, GLASS_EV_DROP, &r));
		assert_int_equal(r.v[0], DROP_NEIGH_FAILED);
		assert_int_equal(r.v[1], IP(10, 0, 0, 6));
		assert_int_equal(r.v[2], 3);
		assert_int_equal(glass_ready(h.g, s) & GLASS_ERR, GLASS_ERR);
		assert_int_equal(glass_recvfrom(h.g, s, NULL, 0, NULL), -EHOSTUNREACH);
		assert_neigh(&h, IP(10, 0, 0, 6), "FAILED");
	}
	assert_int_equal(stat_value(&h, "Arp", "Failed"), 2);
}

/* A connect learns it as Linux' does: EHOSTUNREACH after three seconds. */
static void test_connect_fails(void **state)
{
	struct glass_sock *c = glass_socket(h.g, GLASS_TCP);
	struct glass_end to = end4(IP(10, 0, 0, 6), 80);

	(void)state;
	assert_int_equal(glass_connect(h.g, c, &to), -EINPROGRESS);
	for (int i = 0; i < 3; i++) {
		assert_request(IP(10, 0, 0, 6), all_mac);
		assert_int_equal(glass_error(h.g, c), 0);
		host_wait(&h, 1 * S);
	}
	assert_int_equal(glass_error(h.g, c), EHOSTUNREACH);
	glass_close(h.g, c);
}

static void test_reachable_gets_stale_then_is_asked_again(void **state)
{
	(void)state;
	make_reachable(PEER);
	host_wait(&h, 14 * S); /* reachable for 15 to 45 s */
	assert_neigh(&h, PEER, "REACHABLE");
	host_wait(&h, 32 * S);
	assert_neigh(&h, PEER, "STALE");
	assert_silent(&h);
	assert_int_equal(send_udp(&h, s, PEER, 9, "a", 1), 1);
	assert_datagram('a', peer_mac); /* sent at once */
	assert_neigh(&h, PEER, "DELAY");
	host_wait(&h, 5 * S);
	assert_neigh(&h, PEER, "PROBE");
	assert_request(PEER, peer_mac); /* asked alone */
	assert_int_equal(send_udp(&h, s, PEER, 9, "b", 1), 1);
	assert_datagram('b', peer_mac);
	reply(PEER, peer_mac);
	assert_neigh(&h, PEER, "REACHABLE");
}

static void test_probe_in_vain(void **state)
{
	(void)state;
	make_reachable(PEER);
	host_wait(&h, 46 * S);
	assert_int_equal(send_udp(&h, s, PEER, 9, "a", 1), 1);
	assert_datagram('a', peer_mac);
	host_wait(&h, 5 * S);
	for (int i = 0; i < 3; i++) {
		assert_request(PEER, peer_mac);
		host_wait(&h, 1 * S);
	}
	assert_silent(&h);
	assert_neigh(&h, PEER, "FAILED");
	assert_int_equal(send_udp(&h, s, PEER, 9, "b", 1), 1);
	assert_request(PEER, all_mac);
}

/*
 * A spoofed reply cannot take the place of a neighbour that is alive, and one that is not is found
 * out in 3 s.
 */
static void test_spoof_makes_us_ask(void **state)
{
	(void)state;
	make_reachable(PEER);
	frame_arp(&f, us_mac, ARP_OP_REPLY, rival_mac, PEER, us_mac, US);
	assert_drops(&h, &f, ARP_UNSOLICITED, PEER, 0);
	assert_neigh(&h, PEER, "PROBE");
	assert_request(PEER, peer_mac);
	frame_arp(&f, us_mac, ARP_OP_REPLY, rival_mac, PEER, us_mac, US);
	assert_drops(&h, &f, ARP_UNSOLICITED, PEER, 0); /* the rival's answer is not the answer */
	assert_int_equal(send_udp(&h, s, PEER, 9, "a", 1), 1);
	assert_datagram('a', peer_mac);
	reply(PEER, peer_mac);
	assert_neigh(&h, PEER, "REACHABLE");
	/* As a request for us, which otherwise teaches. */
	frame_arp(&f, all_mac, ARP_OP_REQUEST, rival_mac, PEER, no_mac, US);
	assert_accepts(&h, &f);
	assert_request(PEER, peer_mac);
	assert_true(host_out(&h, &f));
	assert_arp(&f, ARP_OP_REPLY);
	assert_neigh(&h, PEER, "PROBE");
}

static void test_stale_entry_follows_a_request(void **state)
{
	struct glass_neigh_info neigh;

	(void)state;
	peer_introduces(&h);
	frame_arp(&f, all_mac, ARP_OP_REQUEST, rival_mac, PEER, no_mac, US);
	assert_accepts(&h, &f);
	assert_true(host_out(&h, &f));
	assert_true(neigh_get(&h, PEER, &neigh));
	assert_memory_equal(neigh.mac, rival_mac, 6);
	assert_string_equal(neigh.state, "STALE");
}

/* Both ask at the same moment: his question is our answer. */
static void test_request_while_we_ask(void **state)
{
	(void)state;
	assert_int_equal(send_udp(&h, s, PEER, 9, "a", 1), 1);
	assert_request(PEER, all_mac);
	frame_arp(&f, all_mac, ARP_OP_REQUEST, peer_mac, PEER, no_mac, US);
	assert_accepts(&h, &f);
	assert_datagram('a', peer_mac);
	assert_true(host_out(&h, &f));
	assert_arp(&f, ARP_OP_REPLY);
	assert_neigh(&h, PEER, "DELAY");
}

static void test_queue_keeps_the_newest(void **state)
{
	uint8_t big[1400] = { 0 };
	struct glass_record r;
	unsigned first;

	(void)state;
	assert_int_equal(glass_tunable_set(h.g, "arp_queue_kb", 8), 0);
	for (uint8_t i = 0; i < 20; i++) {
		big[0] = i;
		assert_int_equal(send_udp(&h, s, PEER, 9, big, sizeof(big)), sizeof(big));
	}
	assert_true(log_last(&h, GLASS_EV_DROP, &r));
	assert_int_equal(r.v[0], DROP_NEIGH_QUEUE_FULL);
	assert_in_range(r.v[1], 8193, 8192 + 4096);
	assert_int_equal(r.v[2], PEER);
	assert_request(PEER, all_mac);
	reply(PEER, peer_mac);
	first = 20 - (20 - (unsigned)stat_value(&h, "Drop", "NEIGH_QUEUE_FULL"));
	for (unsigned i = first; i < 20; i++)
		assert_datagram((char)i, peer_mac);
	assert_silent(&h);
	assert_in_range(first, 14, 18);
}

static unsigned count_neighbours(void)
{
	struct glass_neigh_info neigh;
	unsigned n = 0;

	while (glass_neigh_at(h.g, n, &neigh))
		n++;
	return n;
}

/* A flood of people who introduce themselves: the table is bounded, and who is in use stays. */
static void test_flood_of_strangers(void **state)
{
	(void)state;
	assert_int_equal(glass_addr_add(h.g, h.dev, glass_ip4(10, 1, 0, 4), 16), 0);
	assert_true(host_out(&h, &f));
	make_reachable(PEER);
	for (unsigned i = 1; i < 5000; i++) {
		frame_arp(&f, us_mac, ARP_OP_REQUEST, peer_mac, IP(10, 1, i >> 8, i & 255), no_mac,
			  US);
		if (i != 4 && (i & 255) != 255)
			host_in(&h, &f);
		while (host_out(&h, &f))
			;
	}
	assert_int_equal(count_neighbours(), 1024);
	assert_neigh(&h, PEER, "REACHABLE");
}

/*
 * Our own program scans the network: what waits stays, what does not fit is refused, and it
 * passes.
 */
static void test_scan_fills_the_table(void **state)
{
	(void)state;
	assert_int_equal(glass_tunable_set(h.g, "arp_cache_max", 8), 0);
	for (unsigned i = 10; i < 18; i++)
		assert_int_equal(send_udp(&h, s, IP(10, 0, 0, i), 9, "x", 1), 1);
	assert_int_equal(send_udp(&h, s, IP(10, 0, 0, 18), 9, "x", 1), -ENOBUFS);
	assert_drop_record(&h, DROP_NEIGH_TABLE_FULL, 8, 0);
	assert_int_equal(count_neighbours(), 8);
	for (int i = 0; i < 3; i++) {
		while (host_out(&h, &f))
			;
		host_wait(&h, 1 * S);
	}
	assert_int_equal(glass_error(h.g, s), EHOSTUNREACH);
	assert_int_equal(send_udp(&h, s, IP(10, 0, 0, 18), 9, "x", 1),
			 1); /* those that failed make room */
	assert_request(IP(10, 0, 0, 18), all_mac);
	assert_int_equal(count_neighbours(), 8);
}

static void test_unused_entries_go(void **state)
{
	(void)state;
	make_reachable(PEER);
	host_wait(&h, 46 * S);
	assert_int_equal(count_neighbours(), 1);
	host_wait(&h, 600 * S);
	assert_int_equal(count_neighbours(), 0);
	assert_int_equal(glass_next_deadline(h.g), GLASS_NEVER);
}

static void test_device_goes_down(void **state)
{
	(void)state;
	assert_int_equal(send_udp(&h, s, PEER, 9, "x", 1), 1);
	assert_request(PEER, all_mac);
	assert_int_equal(glass_dev_set_up(h.g, h.dev, false), 0);
	assert_drop_record(&h, DROP_DEV_DOWN, h.dev, 0);
	assert_int_equal(count_neighbours(), 0);
	assert_int_equal(glass_next_deadline(h.g), GLASS_NEVER);
}

static void test_groups_need_no_neighbour(void **state)
{
	const uint8_t group_mac[6] = { 1, 0, 0x5e, 0x7f, 2, 3 };

	(void)state;
	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_BROADCAST, 1), 0);
	assert_int_equal(send_udp(&h, s, IP(255, 255, 255, 255), 9, "a", 1), 1);
	assert_datagram('a', all_mac);
	assert_int_equal(send_udp(&h, s, IP(10, 0, 0, 255), 9, "b", 1), 1);
	assert_datagram('b', all_mac);
	assert_int_equal(send_udp(&h, s, IP(239, 255, 2, 3), 9, "c", 1), 1);
	assert_datagram('c', group_mac);
	assert_int_equal(count_neighbours(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_packets_wait_and_go_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nobody_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_connect_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reachable_gets_stale_then_is_asked_again,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_probe_in_vain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_spoof_makes_us_ask, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stale_entry_follows_a_request, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_request_while_we_ask, setup, teardown),
		cmocka_unit_test_setup_teardown(test_queue_keeps_the_newest, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flood_of_strangers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_scan_fills_the_table, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unused_entries_go, setup, teardown),
		cmocka_unit_test_setup_teardown(test_device_goes_down, setup, teardown),
		cmocka_unit_test_setup_teardown(test_groups_need_no_neighbour, setup, teardown),
	};

	return cmocka_run_group_tests_name("stack/neigh", tests, NULL, NULL);
}
