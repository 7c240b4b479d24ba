/* SPDX-License-Identifier: MIT */
/*
 * The n-th allocation fails, for every n of a busy scene: an error or a drop each time, nothing is
 * lost track of (host_free() asserts it), and the next scene works.
 */
#include "../frames.h"

#include "../../../src/stack/stack.h"

static struct host h;
static struct frame f;
static const struct ip_spec plain = { 0 };

static void drain(void)
{
	while (host_out(&h, &f))
		;
}

/* Puts a frame in, if there is a packet for it. */
static void put(void)
{
	struct pkt *p = glass_pkt_new(h.g, f.n);
	size_t room;

	if (!p)
		return;
	memcpy(glass_pkt_room(p, &room), f.b, f.n);
	glass_pkt_filled(p, f.n, &f.off);
	glass_input(h.g, h.dev, p, h.now);
}

static void fragments(void)
{
	static uint8_t bytes[3000];
	struct ip_spec s = { .id = 5, .proto = 1 };
	struct icmp_header *icmp = (struct icmp_header *)(void *)bytes;

	icmp->type = ICMP_ECHO;
	icmp->checksum = be16_of(0);
	icmp->checksum = be16_of(csum_fold(csum_add(0, bytes, 2968)));
	s.frag = IP4_MORE_FRAGMENTS;
	frame_ip(&f, &s, bytes, 1480);
	put();
	s.frag = 185;
	frame_ip(&f, &s, bytes + 1480, 1488);
	put();
	s.id = 6;
	frame_ip(&f, &s, bytes + 1480, 1480);
	put();
}

/* Everything that allocates: neighbours, waiting packets, sockets, pieces, replies, errors, lo. */
static void scene(void)
{
	static const uint8_t payload[4000];
	struct glass_sock *s = glass_socket(h.g, GLASS_UDP);
	struct glass_sock *ping = glass_socket(h.g, GLASS_PING);
	const struct glass_end peer = end4(PEER, 0);

	frame_arp(&f, all_mac, ARP_OP_REQUEST, peer_mac, IP(10, 0, 0, 9), no_mac, US);
	put();
	if (s) {
		send_udp(&h, s, PEER, 9, payload, 4000);
		send_udp(&h, s, IP(10, 0, 0, 6), 9, payload, 100);
		send_udp(&h, s, US, 9, payload, 3000);
	}
	if (ping)
		glass_sendto(h.g, ping, "\10\0\0\0\0\0\0\1", 8, &peer);
	drain();
	frame_arp(&f, us_mac, ARP_OP_REPLY, peer_mac, PEER, us_mac, US);
	put();
	fragments();
	frame_udp(&f, &plain, 9, 99, payload, 200);
	put();
	drain();
	for (int i = 0; i < 4; i++) {
		host_wait(&h, 1 * S);
		drain();
	}
	if (s)
		glass_close(h.g, s);
	if (ping)
		glass_close(h.g, ping);
}

static void assert_alive(void)
{
	const uint8_t *l4;
	size_t bytes;

	for (int i = 0; i < 70; i++) { /* everything is forgotten */
		host_wait(&h, 10 * S);
		drain();
	}
	peer_introduces(&h);
	frame_icmp(&f, &plain, ICMP_ECHO, 0, 1, "x", 1);
	assert_accepts(&h, &f);
	assert_true(host_out(&h, &f));
	assert_ip(&f, 1, &l4, &bytes);
	assert_int_equal(l4[0], ICMP_ECHO_REPLY);
}

static void test_each_allocation_fails_once(void **state)
{
	unsigned n = 0;

	(void)state;
	do {
		host_new(&h, 0);
		h.g->pool.fail_countdown = ++n;
		scene();
		if (h.g->pool.fail_countdown) {
			host_free(&h);
			break; /* there is no n-th */
		}
		assert_alive();
		host_free(&h);
	} while (n < 1000);
	assert_in_range(n, 30, 999);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_allocation_fails_once),
	};

	return cmocka_run_group_tests_name("stack/no_memory", tests, NULL, NULL);
}
