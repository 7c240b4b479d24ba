/* SPDX-License-Identifier: MIT */
/*
 * One send that is not one datagram: pieces (MSG_MORE, UDP_CORK) and segments (UDP_SEGMENT); and by
 * which device a datagram leaves and is heard (SO_BINDTODEVICE, IP_UNICAST_IF, IP_PKTINFO).
 */
#include "groups.h"
#include "one_socket.h"

static const struct glass_end peer = { { GLASS_IP4, { 10, 0, 0, 5 } }, 9 };

static int setup(void **state)
{
	(void)state;
	known_host();
	s = udp_socket(&h, 0, 7);
	return 0;
}

static int64_t send_how(const char *bytes, const struct glass_dgram_how *how)
{
	return glass_sendmsg(h.g, s, bytes, strlen(bytes), &peer, how);
}

static int64_t piece(const char *bytes)
{
	return send_how(bytes, &(struct glass_dgram_how){ .tos = -1, .more = true });
}

/* The next frame is a datagram with this payload. */
static const struct ip4_header *assert_datagram(const char *payload)
{
	const struct ip4_header *ip;
	const uint8_t *l4;
	size_t bytes;

	assert_true(host_out(&h, &f));
	ip = assert_ip(&f, 17, &l4, &bytes);
	assert_int_equal(bytes, 8 + strlen(payload));
	assert_memory_equal(l4 + 8, payload, strlen(payload));
	return ip;
}

static void test_more(void **state)
{
	(void)state;
	assert_int_equal(piece("one "), 4);
	assert_int_equal(piece("two "), 4);
	assert_silent(&h);
	/* Where the first piece goes, all go, with its TTL. */
	assert_int_equal(send_udp(&h, s, IP(10, 0, 0, 99), 1, "three", 5), 5);
	assert_datagram("one two three");
	assert_int_equal(send_udp(&h, s, PEER, 9, "x", 1), 1);
	assert_datagram("x");
}

static void test_cork(void **state)
{
	(void)state;
	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_UDP_CORK, 1), 0);
	assert_int_equal(send_udp(&h, s, PEER, 9, "one ", 4), 4);
	assert_int_equal(send_udp(&h, s, PEER, 9, "two", 3), 3);
	assert_silent(&h);
	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_UDP_CORK, 0), 0);
	assert_datagram("one two");
	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_UDP_CORK, 0), 0);
	assert_silent(&h);
}

static void test_pieces_that_go_wrong(void **state)
{
	static char large[60000];
	struct glass_memory before, after;
	struct glass_sock *other = udp_socket(&h, 0, 0);
	struct glass_dgram_how more = { .tos = -1, .more = true };

	(void)state;
	glass_memory(h.g, &before);
	assert_int_equal(glass_sendmsg(h.g, s, "x", 1, NULL, &more), -EDESTADDRREQ);
	assert_int_equal(glass_sendmsg(h.g, s, "x", 1, &(struct glass_end){ peer.addr, 0 }, &more),
			 -EINVAL);
	assert_int_equal(glass_sendmsg(h.g, s, large, sizeof(large), &peer, &more), sizeof(large));
	assert_int_equal(glass_sendmsg(h.g, s, large, 6000, &peer, &more), -EMSGSIZE);
	glass_memory(h.g, &after);
	assert_int_equal(after.bytes, before.bytes); /* all of it is lost, as on Linux */
	assert_int_equal(piece("kept"), 4);
	assert_int_equal(glass_sendmsg(h.g, other, "forgotten", 9, &peer, &more), 9);
	glass_close(h.g, other);
	assert_int_equal(send_how(" and sent", NULL), 9);
	assert_datagram("kept and sent");
}

static void test_segments(void **state)
{
	struct glass_dgram_how how = { .tos = -1, .segment = 4, .ttl = 9 };
	static char large[3000];

	(void)state;
	assert_int_equal(send_how("aaaabbbbcc", &how), 10);
	assert_int_equal(assert_datagram("aaaa")->ttl, 9);
	assert_datagram("bbbb");
	assert_datagram("cc");
	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_UDP_SEGMENT, 5), 0);
	assert_int_equal(send_udp(&h, s, PEER, 9, "aaaaabbb", 8), 8);
	assert_datagram("aaaaa");
	assert_datagram("bbb");
	assert_int_equal(glass_sendto(h.g, s, large, 641, &peer), -EINVAL); /* above 128 */
	how.segment = 1473;
	assert_int_equal(glass_sendmsg(h.g, s, large, 3000, &peer, &how), -EMSGSIZE);
}

/* tap1, 10.1.0.4/24, where nobody is known. */
static void second_device(void)
{
	struct glass_dev_setup dev = { .name = "tap1", .link = GLASS_RAW_IP, .mtu_bytes = 1500 };

	assert_int_equal(glass_dev_add(h.g, &dev), 2);
	assert_int_equal(glass_addr_add(h.g, 2, glass_ip4(10, 1, 0, 4), 24), 0);
}

static void assert_leaves_by(unsigned dev)
{
	struct glass_frame out;

	assert_true(glass_output(h.g, &out));
	assert_int_equal(out.dev, dev);
	assert_false(glass_output(h.g, &out));
}

static void test_device_to_send_by(void **state)
{
	struct glass_dgram_how by = { .tos = -1, .ifindex = 3 };

	(void)state;
	second_device();
	assert_int_equal(send_how("x", NULL), 1);
	assert_leaves_by(1);
	assert_int_equal(send_how("x", &by), 1);
	assert_leaves_by(2);
	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_UNICAST_IF, 3), 0);
	assert_int_equal(send_how("x", NULL), 1);
	assert_leaves_by(2);
	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_UNICAST_IF, 4), -EADDRNOTAVAIL);
	by.ifindex = 9;
	assert_int_equal(send_how("x", &by), -ENODEV);
	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_BINDTODEVICE, 2), 0);
	assert_int_equal(send_how("x", NULL), 1);
	assert_leaves_by(1);
	by.ifindex = 3;
	assert_int_equal(send_how("x", &by), -ENETUNREACH);
	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_UNICAST_IF, 3), -EINVAL);
	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_BINDTODEVICE, 4), -ENODEV);
}

static int in_by(unsigned dev, uint16_t port)
{
	int v;

	frame_udp(&f, &plain, 9, port, "x", 1);
	if (dev == 2) { /* no link header */
		f.n -= 14;
		memmove(f.b, f.b + 14, f.n);
	}
	h.dev = dev;
	v = host_in(&h, &f);
	h.dev = 1;
	while (host_out(&h, &f))
		;
	return v;
}

/* Two sockets of one port, each by a device of its own. */
static void test_device_to_hear_by(void **state)
{
	struct glass_sock *other = glass_socket(h.g, GLASS_UDP);
	struct glass_end port = { .port = 7 };

	(void)state;
	second_device();
	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_BINDTODEVICE, 2), 0);
	assert_int_equal(glass_bind(h.g, other, &port), -EADDRINUSE);
	assert_int_equal(glass_setopt(h.g, other, GLASS_OPT_BINDTODEVICE, 3), 0);
	assert_int_equal(glass_bind(h.g, other, &port), 0);
	assert_int_equal(in_by(1, 7), 0);
	assert_int_equal(glass_recvfrom(h.g, other, NULL, 0, NULL), -EAGAIN);
	assert_int_equal(glass_recvfrom(h.g, s, NULL, 0, NULL), 0);
	assert_int_equal(in_by(2, 7), 0);
	assert_int_equal(glass_recvfrom(h.g, s, NULL, 0, NULL), -EAGAIN);
	assert_int_equal(glass_recvfrom(h.g, other, NULL, 0, NULL), 0);
	glass_close(h.g, other);
	assert_int_equal(in_by(2, 7), DROP_UDP_NO_SOCKET);
}

/* SO_RXQ_OVFL: how many were lost until the one that is read. */
static void test_lost_datagrams_are_counted(void **state)
{
	struct glass_dgram info = { 0 };
	unsigned kept = 0, lost = 0;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		if (in_by(1, 7))
			lost++;
		else
			kept++;
	}
	assert_true(lost > 100);
	for (unsigned i = 0; i < kept; i++) {
		assert_int_equal(glass_recvfrom(h.g, s, NULL, 0, &info), 0);
		assert_int_equal(info.drops, 0);
	}
	assert_int_equal(in_by(1, 7), 0);
	assert_int_equal(glass_recvfrom(h.g, s, NULL, 0, &info), 0);
	assert_int_equal(info.drops, lost);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_more),
		T(test_cork),
		T(test_pieces_that_go_wrong),
		T(test_segments),
		T(test_device_to_send_by),
		T(test_device_to_hear_by),
		T(test_lost_datagrams_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
