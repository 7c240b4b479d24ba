/* SPDX-License-Identifier: MIT */
/*
 * ARP packets: what is refused, what is learned, and how our own address is defended (ATTACKS
 * 3-5).
 */
#include "lone_host.h"

static void test_truncated(void **state)
{
	(void)state;
	frame_arp(&f, all_mac, ARP_OP_REQUEST, peer_mac, PEER, no_mac, US);
	for (size_t n = 0; n < ARP_PACKET_BYTES; n++) {
		f.n = 14 + n;
		assert_drops(&h, &f, ARP_SHORT, n, 28);
	}
}

static void test_format(void **state)
{
	(void)state;
	frame_arp(&f, all_mac, ARP_OP_REQUEST, peer_mac, PEER, no_mac, US)->hw = be16_of(6);
	assert_drops(&h, &f, ARP_FORMAT, 6, 0x08000604);
	frame_arp(&f, all_mac, ARP_OP_REQUEST, peer_mac, PEER, no_mac, US)->proto = be16_of(0x86dd);
	assert_drops(&h, &f, ARP_FORMAT, 1, 0x86dd0604);
	frame_arp(&f, all_mac, ARP_OP_REQUEST, peer_mac, PEER, no_mac, US)->lengths =
		be16_of(0xffff);
	assert_drops(&h, &f, ARP_FORMAT, 1, 0x0800ffff);
	frame_arp(&f, all_mac, 0, peer_mac, PEER, no_mac, US);
	assert_drops(&h, &f, ARP_OP, 0, 0);
	frame_arp(&f, all_mac, 9, peer_mac, PEER, no_mac, US);
	assert_drops(&h, &f, ARP_OP, 9, 0);
}

/* One such packet stops Linux' TCP for 31 s. */
static void test_sender_mac(void **state)
{
	const uint8_t group[6] = { 1, 0, 0x5e, 1, 2, 3 };
	const uint8_t *bad[] = { all_mac, group, no_mac, us_mac };
	struct glass_sock *s = udp_socket(&h, 0, 7);
	struct glass_neigh_info neigh;

	(void)state;
	assert_int_equal(send_udp(&h, s, PEER, 9, "x", 1), 1);
	assert_true(host_out(&h, &f)); /* the request */
	for (uint16_t op = 1; op <= 2; op++) {
		for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
			frame_arp(&f, us_mac, op, bad[i], PEER, us_mac, US);
			assert_drops(&h, &f, ARP_SENDER_MAC, mac_value(bad[i]), PEER);
		}
	}
	assert_true(neigh_get(&h, PEER, &neigh));
	assert_string_equal(neigh.state, "INCOMPLETE");
	glass_close(h.g, s);
}

static void test_sender_ip(void **state)
{
	const uint32_t bad[] = { IP(255, 255, 255, 255), IP(10, 0, 0, 255), IP(224, 0, 0, 1),
				 IP(127, 0, 0, 1), IP(240, 1, 1, 1) };

	(void)state;
	for (uint16_t op = 1; op <= 2; op++) {
		for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
			frame_arp(&f, us_mac, op, peer_mac, bad[i], us_mac, US);
			assert_drops(&h, &f, ARP_SENDER_IP, bad[i], 0);
		}
	}
	frame_arp(&f, us_mac, ARP_OP_REPLY, peer_mac, 0, us_mac, US);
	assert_drops(&h, &f, ARP_SENDER_IP, 0, 0);
}

static void test_request_is_answered_and_learned(void **state)
{
	struct glass_neigh_info neigh;
	const struct arp_packet *a;

	(void)state;
	frame_arp(&f, all_mac, ARP_OP_REQUEST, peer_mac, PEER, no_mac, US);
	memset(frame_put(&f, 18), 0, 18); /* Ethernet's padding */
	assert_accepts(&h, &f);
	assert_true(host_out(&h, &f));
	a = assert_arp(&f, ARP_OP_REPLY);
	assert_memory_equal(f.b, peer_mac, 6);
	assert_memory_equal(a->sender_mac, us_mac, 6);
	assert_memory_equal(a->target_mac, peer_mac, 6);
	assert_int_equal(be32_get(a->sender), US);
	assert_int_equal(be32_get(a->target), PEER);
	assert_true(neigh_get(&h, PEER, &neigh));
	assert_string_equal(neigh.state, "STALE"); /* it asked, but has not confirmed anything */
	assert_memory_equal(neigh.mac, peer_mac, 6);
	assert_int_equal(neigh.confirmed_ns, -1);
}

/* RFC 5227 2.1.1: a probe has no sender's address. It is answered, nobody is learned. */
static void test_probe_of_our_address(void **state)
{
	struct glass_neigh_info neigh;

	(void)state;
	frame_arp(&f, all_mac, ARP_OP_REQUEST, peer_mac, 0, no_mac, US);
	assert_accepts(&h, &f);
	assert_true(host_out(&h, &f));
	assert_int_equal(be32_get(assert_arp(&f, ARP_OP_REPLY)->sender), US);
	assert_false(glass_neigh_at(h.g, 0, &neigh));
}

static void test_for_others(void **state)
{
	struct glass_neigh_info neigh;

	(void)state;
	frame_arp(&f, all_mac, ARP_OP_REQUEST, peer_mac, PEER, no_mac, IP(10, 0, 0, 9));
	assert_drops(&h, &f, ARP_NOT_FOR_US, IP(10, 0, 0, 9), 0);
	frame_arp(&f, all_mac, ARP_OP_REQUEST, peer_mac, PEER, no_mac, IP(127, 0, 0, 1));
	assert_drops(&h, &f, ARP_NOT_FOR_US, IP(127, 0, 0, 1),
		     0); /* an address of another device */
	assert_false(glass_neigh_at(h.g, 0, &neigh));
}

static void test_who_is_not_on_the_link_is_not_learned(void **state)
{
	struct glass_neigh_info neigh;

	(void)state;
	frame_arp(&f, all_mac, ARP_OP_REQUEST, peer_mac, IP(192, 168, 0, 1), no_mac, US);
	assert_accepts(&h, &f);
	assert_true(host_out(&h, &f));
	assert_false(glass_neigh_at(h.g, 0, &neigh));
}

static void test_unsolicited_reply(void **state)
{
	struct glass_neigh_info neigh;

	(void)state;
	frame_arp(&f, us_mac, ARP_OP_REPLY, peer_mac, PEER, us_mac, US);
	assert_drops(&h, &f, ARP_UNSOLICITED, PEER, 0);
	frame_arp(&f, all_mac, ARP_OP_REPLY, peer_mac, PEER, all_mac, PEER); /* gratuitous */
	assert_drops(&h, &f, ARP_UNSOLICITED, PEER, 0);
	assert_false(glass_neigh_at(h.g, 0, &neigh));
}

/* A reply to somebody else is none for us, even when we wait for one. */
static void test_reply_for_another(void **state)
{
	struct glass_sock *s = udp_socket(&h, 0, 7);

	(void)state;
	assert_int_equal(send_udp(&h, s, PEER, 9, "x", 1), 1);
	assert_true(host_out(&h, &f));
	frame_arp(&f, us_mac, ARP_OP_REPLY, peer_mac, PEER, us_mac, IP(10, 0, 0, 9));
	assert_drops(&h, &f, ARP_UNSOLICITED, PEER, 0);
	assert_neigh(&h, PEER, "INCOMPLETE");
	glass_close(h.g, s);
}

static void test_conflict_is_answered_once_in_ten_seconds(void **state)
{
	const struct arp_packet *a;

	(void)state;
	for (int round = 0; round < 2; round++) {
		frame_arp(&f, all_mac, ARP_OP_REQUEST, rival_mac, US, no_mac, US);
		assert_drops(&h, &f, ARP_CONFLICT, mac_value(rival_mac), US);
		assert_true(host_out(&h, &f));
		a = assert_arp(&f, ARP_OP_REQUEST);
		assert_memory_equal(f.b, all_mac, 6);
		assert_int_equal(be32_get(a->sender), US);
		assert_int_equal(be32_get(a->target), US);
		for (int i = 0; i < 9; i++) {
			host_wait(&h, 1 * S);
			frame_arp(&f, us_mac, ARP_OP_REPLY, rival_mac, US, us_mac, US);
			assert_drops(&h, &f, ARP_CONFLICT, mac_value(rival_mac), US);
			assert_silent(&h);
		}
		host_wait(&h, 1 * S);
	}
}

static void test_new_address_is_announced(void **state)
{
	const struct arp_packet *a;

	(void)state;
	assert_int_equal(glass_addr_add(h.g, h.dev, glass_ip4(10, 0, 0, 77), 24), 0);
	assert_true(host_out(&h, &f));
	a = assert_arp(&f, ARP_OP_REQUEST);
	assert_memory_equal(f.b, all_mac, 6);
	assert_memory_equal(a->target_mac, no_mac, 6);
	assert_int_equal(be32_get(a->sender), IP(10, 0, 0, 77));
	assert_int_equal(be32_get(a->target), IP(10, 0, 0, 77));
	assert_int_equal(glass_dev_set_up(h.g, h.dev, false), 0);
	assert_int_equal(glass_dev_set_up(h.g, h.dev, true), 0);
	assert_true(host_out(&h, &f)); /* both, as the link is new */
	assert_true(host_out(&h, &f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_truncated, setup, teardown),
		cmocka_unit_test_setup_teardown(test_format, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sender_mac, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sender_ip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_request_is_answered_and_learned, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_probe_of_our_address, setup, teardown),
		cmocka_unit_test_setup_teardown(test_for_others, setup, teardown),
		cmocka_unit_test_setup_teardown(test_who_is_not_on_the_link_is_not_learned, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_unsolicited_reply, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reply_for_another, setup, teardown),
		cmocka_unit_test_setup_teardown(test_conflict_is_answered_once_in_ten_seconds,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_new_address_is_announced, setup, teardown),
	};

	return cmocka_run_group_tests_name("stack/arp", tests, NULL, NULL);
}
