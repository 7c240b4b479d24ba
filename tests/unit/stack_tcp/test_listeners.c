/* SPDX-License-Identifier: MIT */
/*
 * Who of several listeners takes a connection: SO_REUSEPORT spreads them, and among one owner's
 * only; SO_BINDTODEVICE keeps them to a device. tests/compat/mirror_share.c holds the rules of
 * bind(2) and listen(2) against Linux.
 */
#include "segments.h"

#define PORT 80
#define FLOWS 400
#define SMALL_MTU 600

static struct host h;
static struct frame f;

/* tap1, 10.1.0.4/24: a wire without link headers, and with a smaller MTU. */
static int setup(void **state)
{
	struct glass_dev_setup dev = { .name = "tap1",
				       .link = GLASS_RAW_IP,
				       .mtu_bytes = SMALL_MTU };

	(void)state;
	host_new(&h, 0);
	peer_introduces(&h);
	assert_int_equal(glass_dev_add(h.g, &dev), 2);
	return glass_addr_add(h.g, 2, glass_ip4(10, 1, 0, 4), 24);
}

static int teardown(void **state)
{
	(void)state;
	host_free(&h);
	return 0;
}

static struct glass_sock *bound_sock(uint32_t addr, bool share, uint32_t owner, unsigned ifindex)
{
	const struct glass_end end = end4(addr, PORT);
	struct glass_sock *s = glass_socket(h.g, GLASS_TCP);

	assert_non_null(s);
	glass_sock_set_owner(s, owner);
	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_REUSEPORT, share), 0);
	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_BINDTODEVICE, ifindex), 0);
	assert_int_equal(glass_bind(h.g, s, &end), 0);
	return s;
}

static struct glass_sock *listener(bool share, uint32_t owner, unsigned ifindex)
{
	struct glass_sock *s = bound_sock(0, share, owner, ifindex);

	assert_int_equal(glass_listen(h.g, s, FLOWS), 0);
	return s;
}

/* A segment of the peer's by that device; what answers it is in *out. false: nothing does. */
static bool exchange(unsigned dev, struct segment *peer, struct segment *out)
{
	struct glass_frame got;
	uint8_t bytes[2000];
	bool any = false;

	frame_tcp(&f, peer);
	if (dev == 2) {
		f.n -= sizeof(struct eth_header);
		memmove(f.b, f.b + sizeof(struct eth_header), f.n);
	}
	h.dev = dev;
	host_in(&h, &f);
	h.dev = 1;
	while (glass_output(h.g, &got)) {
		size_t n = 0, skip = dev == 2 ? sizeof(struct eth_header) : 0;

		assert_int_equal(got.dev, dev);
		for (unsigned i = 0; i < got.niov; n += got.iov[i++].len)
			memcpy(bytes + n, got.iov[i].base, got.iov[i].len);
		memcpy(f.b + skip, bytes, n);
		f.n = n + skip;
		if (skip)
			((struct eth_header *)(void *)f.b)->type = be16_of(ETH_TYPE_IP4);
		any |= segment_of(&f, out);
	}
	return any;
}

/* A handshake from that port. false: it is refused. */
static bool opens(unsigned dev, uint16_t port)
{
	const uint32_t net = dev == 2 ? IP(10, 1, 0, 0) : IP(10, 0, 0, 0);
	struct segment in, peer = { .src = net + 5,
				    .dst = net + 4,
				    .sport = port,
				    .dport = PORT,
				    .seq = 7000,
				    .flags = TCP_SYN,
				    .opt = { .mss_ok = true, .mss = 1400 } };

	assert_true(exchange(dev, &peer, &in));
	if (in.flags & TCP_RST)
		return false;
	assert_int_equal(in.flags, TCP_SYN | TCP_ACK);
	peer.flags = TCP_ACK;
	peer.seq++;
	peer.ack = in.seq + 1;
	peer.opt = (struct tcp_options){ 0 };
	assert_false(exchange(dev, &peer, &in));
	return true;
}

/* Which of n accepts, and ends it. */
static int taker(struct glass_sock *const *l, int n)
{
	struct glass_frame out;
	int who = -1;

	for (int i = 0; i < n; i++) {
		struct glass_sock *s = glass_accept(h.g, l[i]);

		if (!s)
			continue;
		assert_int_equal(who, -1);
		who = i;
		glass_abort(h.g, s);
	}
	while (glass_output(h.g, &out))
		;
	assert_int_not_equal(who, -1);
	return who;
}

/* Each of n has its share of the flows; the same flow has the same listener. */
static void test_shared_evenly(void **state)
{
	struct glass_sock *l[5];
	unsigned got[5];

	(void)state;
	for (int n = 1; n <= 5; n++) {
		l[n - 1] = listener(true, 7, 0);
		memset(got, 0, sizeof(got));
		for (uint16_t port = 2000; port < 2000 + FLOWS; port++) {
			int who;

			assert_true(opens(1, port));
			who = taker(l, n);
			got[who]++;
			assert_true(opens(1, port));
			assert_int_equal(taker(l, n), who);
		}
		for (int i = 0; i < n; i++)
			assert_in_range(got[i], FLOWS / n * 7 / 10, FLOWS / n * 13 / 10 + 1);
	}
}

/* Who leaves takes nobody else's flows along. */
static void test_one_leaves(void **state)
{
	struct glass_sock *l[4];
	int who[FLOWS];

	(void)state;
	for (int i = 0; i < 4; i++)
		l[i] = listener(true, 7, 0);
	for (uint16_t i = 0; i < FLOWS; i++) {
		assert_true(opens(1, 2000 + i));
		who[i] = taker(l, 4);
	}
	glass_close(h.g, l[3]);
	for (uint16_t i = 0; i < FLOWS; i++) {
		assert_true(opens(1, 2000 + i));
		if (who[i] != 3)
			assert_int_equal(taker(l, 3), who[i]);
		else
			taker(l, 3);
	}
}

/* As Linux: nobody shares another one's port, at bind(2) as at listen(2). */
static void test_another_owner(void **state)
{
	const struct glass_end any = end4(0, PORT);
	struct glass_sock *s = glass_socket(h.g, GLASS_TCP), *u = glass_socket(h.g, GLASS_UDP), *v;

	(void)state;
	listener(true, 7, 0);
	glass_sock_set_owner(s, 8);
	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_REUSEPORT, 1), 0);
	assert_int_equal(glass_bind(h.g, s, &any), -EADDRINUSE);
	glass_sock_set_owner(s, 7);
	assert_int_equal(glass_bind(h.g, s, &any), 0);

	glass_sock_set_owner(u, 7);
	assert_int_equal(glass_setopt(h.g, u, GLASS_OPT_REUSEPORT, 1), 0);
	assert_int_equal(glass_bind(h.g, u, &any), 0);
	v = glass_socket(h.g, GLASS_UDP);
	glass_sock_set_owner(v, 8);
	assert_int_equal(glass_setopt(h.g, v, GLASS_OPT_REUSEPORT, 1), 0);
	assert_int_equal(glass_bind(h.g, v, &any), -EADDRINUSE);
}

static void test_listener_of_a_device(void **state)
{
	struct glass_sock *l[2] = { listener(false, 0, 2) };

	(void)state;
	assert_true(opens(1, 2000));
	assert_int_equal(taker(l, 1), 0);
	assert_false(opens(2, 2001));
	l[1] = listener(false, 0, 3); /* they never meet */
	assert_true(opens(2, 2001));
	assert_int_equal(taker(l, 2), 1);
	assert_true(opens(1, 2002));
	assert_int_equal(taker(l, 2), 0);
}

/* Among those that hear it the one that is bound to the device wins, as on Linux. */
static void test_device_is_nearer(void **state)
{
	struct glass_sock *l[2] = { listener(true, 0, 0), listener(true, 0, 3) };

	(void)state;
	for (uint16_t port = 2000; port < 2020; port++) {
		assert_true(opens(2, port));
		assert_int_equal(taker(l, 2), 1);
		assert_true(opens(1, port));
		assert_int_equal(taker(l, 2), 0);
	}
}

/* What comes by another device is not for the connection that is bound. */
static void test_connection_of_a_device(void **state)
{
	struct glass_sock *l = listener(false, 0, 2), *s;
	struct segment in, stray = { .src = IP(10, 0, 0, 5),
				     .dst = IP(10, 0, 0, 4),
				     .sport = 2000,
				     .dport = PORT,
				     .seq = 7001,
				     .flags = TCP_RST };
	int64_t bound;

	(void)state;
	assert_true(opens(1, 2000));
	s = glass_accept(h.g, l);
	assert_int_equal(glass_getopt(h.g, s, GLASS_OPT_BINDTODEVICE, &bound), 0);
	assert_int_equal(bound, 2);
	assert_false(exchange(2, &stray, &in)); /* the other wire's: no RST of ours */
	assert_int_equal(glass_error(h.g, s), 0);
	assert_false(exchange(1, &stray, &in));
	assert_int_equal(glass_error(h.g, s), ECONNRESET);
	glass_close(h.g, s);
}

/* An open connection that is bound to another device goes on there, in segments that fit. */
static void test_connection_moves(void **state)
{
	static const char bytes[1200];
	struct glass_sock *l = listener(false, 0, 0), *s;
	struct glass_frame out;

	(void)state;
	assert_true(opens(1, 2000));
	s = glass_accept(h.g, l);
	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_BINDTODEVICE, 3), 0);
	assert_int_equal(glass_send(h.g, s, bytes, sizeof(bytes)), sizeof(bytes));
	for (int i = 0; i < 2; i++) {
		assert_true(glass_output(h.g, &out));
		assert_int_equal(out.dev, 2);
		assert_true(out.length <= SMALL_MTU);
	}
	glass_abort(h.g, s);
}

/* As Linux: what goes to an address of our own is heard by the device that has it, though it comes
 * by lo. */
static void test_own_address(void **state)
{
	const struct glass_end own = end4(US, PORT);
	struct glass_sock *l[2] = { listener(false, 0, 2), listener(false, 0, 1) };
	struct glass_sock *c = glass_socket(h.g, GLASS_TCP);
	struct glass_frame out;

	(void)state;
	assert_int_equal(glass_connect(h.g, c, &own), -EINPROGRESS);
	while (glass_output(h.g, &out))
		;
	assert_int_equal(taker(l, 2), 0);
	glass_close(h.g, c);
}

/* connect(2) by a device, though a route leads to another: it is taken for on-link there. */
static void test_connect_by_a_device(void **state)
{
	const struct glass_end far = end4(IP(192, 0, 2, 1), PORT), by = end4(IP(10, 1, 0, 4), 0);
	struct glass_sock *s = glass_socket(h.g, GLASS_TCP);
	struct glass_frame out;
	struct glass_end local;

	(void)state;
	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_BINDTODEVICE, 9), -ENODEV);
	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_BINDTODEVICE, 3), 0);
	assert_int_equal(glass_connect(h.g, s, &far), -EINPROGRESS);
	assert_true(glass_output(h.g, &out));
	assert_int_equal(out.dev, 2);
	assert_int_equal(glass_local(s, &local), 0);
	assert_memory_equal(local.addr.byte, by.addr.byte, 4);
	glass_close(h.g, s);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_shared_evenly),	TEST(test_one_leaves),
		TEST(test_another_owner),	TEST(test_listener_of_a_device),
		TEST(test_device_is_nearer),	TEST(test_connection_of_a_device),
		TEST(test_connection_moves),	TEST(test_own_address),
		TEST(test_connect_by_a_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
