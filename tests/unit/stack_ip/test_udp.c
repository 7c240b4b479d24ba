/* SPDX-License-Identifier: MIT */
/* UDP both ways: what is refused, who gets a datagram, what a send answers (ATTACKS 56, 57). */
#include "one_host.h"

/* One datagram from PEER:sport to us, and the byte that says who got it. */
static int deliver(uint16_t sport, uint16_t dport, const char *payload)
{
	frame_udp(&f, &plain, sport, dport, payload, strlen(payload));
	return host_in(&h, &f);
}

static void assert_received(struct glass_sock *s, const char *payload)
{
	char got[64] = { 0 };

	assert_int_equal(glass_recvfrom(h.g, s, got, sizeof(got) - 1, NULL), strlen(payload));
	assert_string_equal(got, payload);
}

static void assert_nothing(struct glass_sock *s)
{
	assert_int_equal(glass_recvfrom(h.g, s, NULL, 0, NULL), -EAGAIN);
}

static void test_short(void **state)
{
	struct ip_spec udp = { .proto = 17 };

	(void)state;
	for (size_t n = 0; n < 8; n++) {
		frame_ip(&f, &udp, "\0\7\0\7\0\10\0", n);
		assert_drops(&h, &f, UDP_SHORT, n, 8);
	}
}

static void test_length_lies(void **state)
{
	const uint16_t lies[] = { 0, 1, 7, 12, 65535 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
		frame_udp(&f, &plain, 9, 7, "abc", 3)->length = be16_of(lies[i]);
		assert_drops(&h, &f, UDP_LENGTH, lies[i], 11);
	}
}

/* A length below that of the IP packet is legal: what lies behind is not delivered. */
static void test_length_below(void **state)
{
	struct glass_sock *s = udp_socket(&h, 0, 7);
	struct udp_header *u;

	(void)state;
	u = frame_udp(&f, &plain, 9, 7, "abcdef", 6);
	u->length = be16_of(11);
	u->checksum = be16_of(0);
	u->checksum = be16_of(csum_fold(csum_add(csum_pseudo4(PEER, US, 17, 11), u, 11)));
	assert_accepts(&h, &f);
	assert_received(s, "abc");
	glass_close(h.g, s);
}

static void test_checksum(void **state)
{
	struct glass_sock *s = udp_socket(&h, 0, 7);
	uint16_t right;

	(void)state;
	for (unsigned bit = 0; bit < 16; bit++) {
		struct udp_header *u = frame_udp(&f, &plain, 9, 7, "abc", 3);

		right = be16_get(u->checksum);
		if (right == 1u << bit)
			continue; /* zero means "none" */
		u->checksum = be16_of(right ^ 1u << bit);
		assert_drops(&h, &f, UDP_BAD_CSUM, right ^ 1u << bit, 0);
	}
	/* Every single bit of the datagram and of the addresses is covered. */
	for (size_t i = 26; i < f.n; i++) {
		if (i == 40 || i == 41 || i == 38 || i == 39 || (i >= 26 && i < 34))
			continue;
		frame_udp(&f, &plain, 9, 7, "abc", 3);
		f.b[i] ^= 0x10;
		assert_int_equal(host_in(&h, &f), DROP_UDP_BAD_CSUM);
	}
	frame_udp(&f, &plain, 9, 7, "abc", 3)->checksum = be16_of(0);
	assert_accepts(&h, &f);
	assert_received(s, "abc");
	glass_close(h.g, s);
}

static void test_nobody_there(void **state)
{
	const uint8_t *l4;
	size_t bytes;

	(void)state;
	frame_udp(&f, &plain, 9, 7, "abc", 3);
	assert_drops(&h, &f, UDP_NO_SOCKET, (uint64_t)US << 16 | 7, (uint64_t)PEER << 16 | 9);
	assert_true(host_out(&h, &f));
	assert_ip(&f, 1, &l4, &bytes);
	assert_memory_equal(l4, "\3\3", 2);
}

static void test_what_a_program_learns(void **state)
{
	struct ip_spec spec = { .ttl = 3, .tos = 0x20 };
	struct glass_sock *s = udp_socket(&h, 0, 7);
	struct glass_dgram info;
	char got[2];

	(void)state;
	host_wait(&h, 5 * MS);
	frame_udp(&f, &spec, 9, 7, "abcde", 5);
	assert_accepts(&h, &f);
	host_wait(&h, 5 * MS);
	assert_int_equal(glass_recvfrom(h.g, s, got, 2, &info), 2);
	assert_memory_equal(got, "ab", 2);
	assert_int_equal(info.full, 5);
	assert_int_equal(info.ttl, 3);
	assert_int_equal(info.tos, 0x20);
	assert_int_equal(info.time_ns, T0 + 5 * MS);
	assert_int_equal(info.from.port, 9);
	assert_int_equal(info.to.port, 7);
	assert_memory_equal(info.from.addr.byte, "\12\0\0\5", 4);
	assert_memory_equal(info.to.addr.byte, "\12\0\0\4", 4);
	assert_nothing(s); /* the rest is lost, as everywhere */
	frame_udp(&f, &spec, 9, 7, NULL, 0);
	assert_accepts(&h, &f);
	assert_int_equal(glass_recvfrom(h.g, s, got, 2, &info), 0);
	assert_int_equal(info.full, 0);
	glass_close(h.g, s);
}

static void test_best_match_gets_it(void **state)
{
	const struct glass_end from9 = end4(PEER, 9);
	struct glass_sock *any, *bound, *connected;
	const uint8_t yes = 1;

	(void)state;
	any = glass_socket(h.g, GLASS_UDP);
	bound = glass_socket(h.g, GLASS_UDP);
	connected = glass_socket(h.g, GLASS_UDP);
	assert_int_equal(glass_setopt(h.g, any, GLASS_OPT_REUSEADDR, yes), 0);
	assert_int_equal(glass_setopt(h.g, bound, GLASS_OPT_REUSEADDR, yes), 0);
	assert_int_equal(glass_setopt(h.g, connected, GLASS_OPT_REUSEADDR, yes), 0);
	assert_int_equal(glass_bind(h.g, any, &(struct glass_end){ .port = 7 }), 0);
	assert_int_equal(glass_bind(h.g, bound, &(struct glass_end){ glass_ip4(10, 0, 0, 4), 7 }),
			 0);
	assert_int_equal(
		glass_bind(h.g, connected, &(struct glass_end){ glass_ip4(10, 0, 0, 4), 7 }), 0);
	assert_int_equal(glass_connect(h.g, connected, &from9), 0);
	assert_int_equal(deliver(9, 7, "connected"), 0);
	assert_int_equal(deliver(10, 7, "bound"), 0);
	assert_received(connected, "connected");
	assert_received(bound, "bound");
	glass_close(h.g, bound);
	assert_int_equal(deliver(10, 7, "any"), 0);
	assert_received(any, "any");
	glass_close(h.g, connected);
	assert_int_equal(deliver(9, 7, "any"), 0);
	assert_received(any, "any");
	glass_close(h.g, any);
}

static void test_connected_socket_hears_one(void **state)
{
	const struct glass_end peer = end4(PEER, 9);
	struct glass_sock *s = udp_socket(&h, 0, 7);
	struct glass_end local;

	(void)state;
	assert_int_equal(glass_connect(h.g, s, &peer), 0);
	assert_int_equal(glass_local(s, &local), 0);
	assert_memory_equal(local.addr.byte, "\12\0\0\4", 4); /* chosen */
	assert_int_equal(deliver(10, 7, "x"), DROP_UDP_NO_SOCKET);
	assert_true(host_out(&h, &f));
	assert_int_equal(deliver(9, 7, "y"), 0);
	assert_received(s, "y");
	assert_int_equal(glass_connect(h.g, s, &(struct glass_end){ 0 }), 0); /* dissolved */
	assert_int_equal(glass_remote(s, &local), -ENOTCONN);
	assert_int_equal(deliver(10, 7, "x"), 0);
	assert_received(s, "x");
	glass_close(h.g, s);
}

/* SO_REUSEPORT: one flow always meets the same socket, many flows are spread. */
static void test_reuse_port_spreads(void **state)
{
	struct glass_sock *s[4];
	unsigned got[4] = { 0 };

	(void)state;
	for (int i = 0; i < 4; i++) {
		s[i] = glass_socket(h.g, GLASS_UDP);
		assert_int_equal(glass_setopt(h.g, s[i], GLASS_OPT_REUSEPORT, 1), 0);
		assert_int_equal(glass_bind(h.g, s[i], &(struct glass_end){ .port = 7 }), 0);
	}
	for (uint16_t port = 1000; port < 1200; port++) {
		int who = -1;

		for (int round = 0; round < 2; round++) {
			assert_int_equal(deliver(port, 7, "x"), 0);
			for (int i = 0; i < 4; i++) {
				if (glass_recvfrom(h.g, s[i], NULL, 0, NULL) == -EAGAIN)
					continue;
				assert_true(who == -1 || who == i);
				who = i;
				got[i]++;
			}
		}
	}
	for (int i = 0; i < 4; i++) {
		assert_in_range(got[i], 50, 150);
		glass_close(h.g, s[i]);
	}
}

static void test_broadcast_reaches_everybody(void **state)
{
	struct ip_spec group = { .dst = IP(10, 0, 0, 255), .dst_mac = all_mac };
	struct glass_sock *s[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		s[i] = glass_socket(h.g, GLASS_UDP);
		assert_int_equal(glass_setopt(h.g, s[i], GLASS_OPT_REUSEADDR, 1), 0);
		assert_int_equal(glass_bind(h.g, s[i], &(struct glass_end){ .port = 7 }), 0);
	}
	frame_udp(&f, &group, 9, 7, "all", 3);
	assert_accepts(&h, &f);
	for (int i = 0; i < 3; i++) {
		struct glass_dgram info;
		char got[4] = { 0 };

		assert_int_equal(glass_recvfrom(h.g, s[i], got, 3, &info), 3);
		assert_string_equal(got, "all");
		assert_int_equal(info.from.port, 9);
		assert_int_equal(info.time_ns, T0);
		assert_nothing(s[i]);
		glass_close(h.g, s[i]);
	}
}

/* A flood for one socket: it alone loses, the count is shown, and memory is bounded. */
static void test_queue_flood(void **state)
{
	struct glass_sock *slow = udp_socket(&h, 0, 7), *other = udp_socket(&h, 0, 8);
	struct glass_memory m;
	struct glass_record r;
	unsigned kept = 0;

	(void)state;
	for (int i = 0; i < 5000; i++) {
		int v = deliver(9, 7, "flood");

		assert_true(!v || v == DROP_UDP_QUEUE_FULL);
		kept += !v;
	}
	assert_true(log_last(&h, GLASS_EV_DROP, &r));
	assert_int_equal(r.v[0], DROP_UDP_QUEUE_FULL);
	assert_in_range(r.v[1], 207 * 1024, 208 * 1024);
	assert_int_equal(r.v[2], 7); /* bound to any address */
	glass_memory(h.g, &m);
	assert_int_equal(m.packets, kept + 1); /* and the frame last handed out */
	assert_int_equal(deliver(9, 8, "fine"), 0);
	assert_received(other, "fine");
	for (unsigned i = 0; i < kept; i++)
		assert_received(slow, "flood");
	assert_nothing(slow);
	assert_int_equal(deliver(9, 7, "again"), 0);
	assert_received(slow, "again");
	glass_close(h.g, slow);
	glass_close(h.g, other);
}

/* A small datagram does not keep the large buffer that it came in. */
static void test_small_datagrams_are_compacted(void **state)
{
	struct glass_sock *s = udp_socket(&h, 0, 7);
	struct glass_memory before, after;
	struct glass_dgram info;
	size_t room;
	struct pkt *p;
	char got[3];

	(void)state;
	glass_memory(h.g, &before);
	frame_udp(&f, &plain, 9, 7, "abc", 3);
	p = glass_pkt_new(h.g, 65550);
	memcpy(glass_pkt_room(p, &room), f.b, f.n);
	glass_pkt_filled(p, f.n, NULL);
	assert_int_equal(glass_input(h.g, h.dev, p, h.now), 0);
	glass_memory(h.g, &after);
	assert_in_range(after.bytes - before.bytes, 1, 1024);
	assert_int_equal(glass_recvfrom(h.g, s, got, 3, &info), 3);
	assert_memory_equal(got, "abc", 3);
	assert_int_equal(info.from.port, 9);
	glass_close(h.g, s);
}

static void test_close_with_datagrams_unread(void **state)
{
	struct glass_sock *s = udp_socket(&h, 0, 7);

	(void)state;
	assert_int_equal(deliver(9, 7, "x"), 0);
	glass_close(h.g, s);
}

/* The owner learns late that the program was gone: the datagram is answered as by a closed port. */
static void test_refused_late(void **state)
{
	struct glass_sock *s = udp_socket(&h, 0, 7);
	const uint8_t *l4;
	size_t bytes;
	char got[2];

	(void)state;
	assert_int_equal(deliver(9, 7, "x"), 0);
	assert_int_equal(glass_peekfrom(h.g, s, got, sizeof(got), NULL), 1);
	assert_int_equal(glass_peekfrom(h.g, s, got, sizeof(got), NULL), 1);
	glass_refuse(h.g, s);
	glass_close(h.g, s);
	assert_true(host_out(&h, &f));
	assert_ip(&f, 1, &l4, &bytes);
	assert_memory_equal(l4, "\3\3", 2);
	assert_memory_equal(l4 + 28, "\0\11\0\7", 4); /* the ports of what is quoted */
}

/* A port that the stack chose is given up with the peer; one that was asked for is kept. */
static void test_dissolve(void **state)
{
	struct glass_end none = { 0 }, peer = { .addr = glass_ip4(10, 0, 0, 5), .port = 9 }, own;
	struct glass_sock *s = glass_socket(h.g, GLASS_UDP), *bound = udp_socket(&h, 0, 7);

	(void)state;
	assert_int_equal(glass_connect(h.g, s, &peer), 0);
	assert_int_equal(glass_connect(h.g, s, &none), 0);
	glass_local(s, &own);
	assert_int_equal(own.port, 0);
	assert_int_equal(glass_connect(h.g, bound, &peer), 0);
	assert_int_equal(glass_connect(h.g, bound, &none), 0);
	glass_local(bound, &own);
	assert_int_equal(own.port, 7);
	glass_close(h.g, s);
	glass_close(h.g, bound);
}

static void test_readiness_is_news(void **state)
{
	struct glass_sock *s = udp_socket(&h, 0, 7);
	struct glass_event e;

	(void)state;
	glass_sock_set_user(s, &h);
	while (glass_event(h.g, &e))
		;
	assert_int_equal(deliver(9, 7, "x"), 0);
	assert_int_equal(deliver(9, 7, "y"), 0);
	assert_true(glass_event(h.g, &e));
	assert_ptr_equal(e.sock, s);
	assert_ptr_equal(e.user, &h);
	assert_int_equal(e.ready, GLASS_IN | GLASS_OUT);
	assert_false(glass_event(h.g, &e));
	glass_close(h.g, s);
}

static void test_sending(void **state)
{
	struct glass_sock *s = udp_socket(&h, 0, 0);
	const struct ip4_header *ip;
	const uint8_t *l4;
	struct glass_end local;
	size_t bytes;

	(void)state;
	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_TTL, 5), 0);
	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_TOS, 0x10), 0);
	assert_int_equal(send_udp(&h, s, PEER, 9, "abc", 3), 3);
	assert_true(host_out(&h, &f));
	ip = assert_ip(&f, 17, &l4, &bytes);
	assert_int_equal(ip->ttl, 5);
	assert_int_equal(ip->tos, 0x10);
	assert_int_equal(be32_get(ip->src), US);
	assert_int_equal(glass_local(s, &local), 0);
	assert_in_range(local.port, 32768, 60999);
	assert_int_equal(l4[0] << 8 | l4[1], local.port);
	assert_memory_equal(l4 + 2, "\0\11\0\13", 4);
	assert_memory_equal(l4 + 8, "abc", 3);
	assert_int_equal(csum_fold(csum_add(csum_pseudo4(US, PEER, 17, 11), l4, 11)), 0);
	glass_close(h.g, s);
}

/* IP_MTU_DISCOVER: what must not be cut carries DF, and is refused above the MTU. */
static void test_dont_fragment(void **state)
{
	static uint8_t big[1473];
	struct glass_sock *s = udp_socket(&h, 0, 7);
	const uint8_t *l4;
	size_t bytes;
	int64_t v;

	(void)state;
	assert_int_equal(glass_getopt(h.g, s, GLASS_OPT_MTU_DISCOVER, &v), 0);
	assert_int_equal(v, 1);
	assert_int_equal(send_udp(&h, s, PEER, 9, big, sizeof(big)), sizeof(big));
	assert_true(host_out(&h, &f) && host_out(&h, &f));
	for (int how = 2; how <= 3; how++) {
		assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_MTU_DISCOVER, how), 0);
		assert_int_equal(send_udp(&h, s, PEER, 9, big, sizeof(big)), -EMSGSIZE);
		assert_int_equal(send_udp(&h, s, PEER, 9, big, sizeof(big) - 1), sizeof(big) - 1);
		assert_true(host_out(&h, &f));
		assert_int_equal(be16_get(assert_ip(&f, 17, &l4, &bytes)->frag), 0x4000);
	}
	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_MTU_DISCOVER, 6), -EINVAL);
	glass_close(h.g, s);
}

static void test_send_errors(void **state)
{
	static uint8_t big[65508];
	struct glass_sock *s = udp_socket(&h, 0, 7);

	(void)state;
	assert_int_equal(glass_sendto(h.g, s, "x", 1, NULL), -EDESTADDRREQ);
	assert_int_equal(send_udp(&h, s, PEER, 0, "x", 1), -EINVAL);
	assert_int_equal(send_udp(&h, s, PEER, 9, big, sizeof(big)), -EMSGSIZE);
	assert_int_equal(send_udp(&h, s, IP(10, 0, 0, 255), 9, "x", 1), -EACCES);
	assert_int_equal(send_udp(&h, s, IP(255, 255, 255, 255), 9, "x", 1), -EACCES);
	assert_int_equal(glass_route_del(h.g, glass_ip4(0, 0, 0, 0), 0), 0);
	assert_int_equal(send_udp(&h, s, IP(192, 0, 2, 1), 9, "x", 1), -ENETUNREACH);
	assert_int_equal(glass_connect(h.g, s, &(struct glass_end){ glass_ip4(192, 0, 2, 1), 9 }),
			 -ENETUNREACH);
	assert_int_equal(glass_connect(h.g, s, &(struct glass_end){ glass_ip4(10, 0, 0, 255), 9 }),
			 -EACCES);
	glass_close(h.g, s);
}

static void test_bind_errors(void **state)
{
	struct glass_sock *a = udp_socket(&h, 0, 7), *b = glass_socket(h.g, GLASS_UDP);
	const struct glass_end same = end4(0, 7), mine = end4(US, 7), other = end4(PEER, 8),
			       group = end4(IP(10, 0, 0, 255), 8);

	(void)state;
	assert_int_equal(glass_bind(h.g, a, &same), -EINVAL);
	assert_int_equal(glass_bind(h.g, b, &same), -EADDRINUSE);
	assert_int_equal(glass_bind(h.g, b, &mine), -EADDRINUSE);
	assert_int_equal(glass_bind(h.g, b, &other), -EADDRNOTAVAIL);
	assert_int_equal(glass_bind(h.g, b, &group), 0);
	glass_close(h.g, a);
	glass_close(h.g, b);
	a = udp_socket(&h, US, 7);
	b = udp_socket(&h, IP(127, 0, 0, 1), 7); /* another address, the same port */
	glass_close(h.g, a);
	glass_close(h.g, b);
}

/* All ports of the range are used, none twice, and the order tells nothing. */
static void test_ephemeral_ports(void **state)
{
	struct glass_sock *s[101];
	struct glass_end local;
	unsigned used = 0, rising = 0, before = 0;

	(void)state;
	assert_int_equal(glass_tunable_set(h.g, "ip_port_last", 32867), 0);
	for (int i = 0; i < 100; i++) {
		s[i] = glass_socket(h.g, GLASS_UDP);
		assert_int_equal(glass_bind(h.g, s[i], &(struct glass_end){ 0 }), 0);
		glass_local(s[i], &local);
		assert_in_range(local.port, 32768, 32867);
		used += local.port;
		rising += local.port == before + 1;
		before = local.port;
	}
	assert_int_equal(used, (32768 + 32867) * 50);
	assert_in_range(rising, 0, 20);
	s[100] = glass_socket(h.g, GLASS_UDP);
	assert_int_equal(glass_bind(h.g, s[100], &(struct glass_end){ 0 }), -EADDRINUSE);
	assert_int_equal(send_udp(&h, s[100], PEER, 9, "x", 1), -EAGAIN);
	for (int i = 0; i <= 100; i++)
		glass_close(h.g, s[i]);
}

/* Whatever allocation fails: an error or a drop, and nothing is lost track of. */
static void test_no_memory(void **state)
{
	struct glass_sock *s = udp_socket(&h, 0, 7), *more[8192];
	unsigned n = 0;

	(void)state;
	assert_int_equal(glass_tunable_set(h.g, "mem_max_mb", 1), 0);
	while (n < ARRAY_LEN(more) && (more[n] = glass_socket(h.g, GLASS_UDP)))
		n++;
	assert_in_range(n, 1, 8191);
	while (send_udp(&h, s, PEER, 9, "x", 1) == 1)
		;
	assert_int_equal(send_udp(&h, s, PEER, 9, "x", 1), -ENOBUFS);
	assert_true(stat_value(&h, "Mem", "Failed") > 0);
	while (host_out(&h, &f))
		;
	while (n)
		glass_close(h.g, more[--n]);
	assert_int_equal(send_udp(&h, s, PEER, 9, "x", 1), 1);
	assert_true(host_out(&h, &f));
	glass_close(h.g, s);
}

/* SO_RCVBUF is the limit of what waits, twice what was asked for, as on Linux. */
static void test_receive_buffer(void **state)
{
	struct glass_sock *s = udp_socket(&h, 0, 7);
	struct glass_record r;
	int64_t v;

	(void)state;
	assert_int_equal(glass_getopt(h.g, s, GLASS_OPT_RCVBUF, &v), 0);
	assert_int_equal(v, 208 * 1024);
	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_RCVBUF, 5000), 0);
	assert_int_equal(glass_getopt(h.g, s, GLASS_OPT_RCVBUF, &v), 0);
	assert_int_equal(v, 10000);
	while (!deliver(9, 7, "flood"))
		;
	assert_true(log_last(&h, GLASS_EV_DROP, &r));
	assert_int_equal(r.v[0], DROP_UDP_QUEUE_FULL);
	assert_in_range(r.v[1], 9000, 10000);
	glass_close(h.g, s);
}

/* RFC 1112 6.1: datagrams to a group stay on the link unless the program says otherwise. */
static void test_group_ttl(void **state)
{
	struct glass_sock *s = udp_socket(&h, 0, 7);
	const uint8_t *l4;
	size_t bytes;
	int64_t v;

	(void)state;
	assert_int_equal(glass_getopt(h.g, s, GLASS_OPT_MULTICAST_TTL, &v), 0);
	assert_int_equal(v, 1);
	assert_int_equal(send_udp(&h, s, IP(224, 0, 0, 251), 5353, "x", 1), 1);
	assert_true(host_out(&h, &f));
	assert_int_equal(assert_ip(&f, 17, &l4, &bytes)->ttl, 1);
	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_MULTICAST_TTL, 9), 0);
	assert_int_equal(send_udp(&h, s, IP(224, 0, 0, 251), 5353, "x", 1), 1);
	assert_true(host_out(&h, &f));
	assert_int_equal(assert_ip(&f, 17, &l4, &bytes)->ttl, 9);
	assert_int_equal(send_udp(&h, s, PEER, 9, "x", 1), 1);
	assert_true(host_out(&h, &f));
	assert_int_equal(assert_ip(&f, 17, &l4, &bytes)->ttl, 64);
	glass_close(h.g, s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_short, setup, teardown),
		cmocka_unit_test_setup_teardown(test_length_lies, setup, teardown),
		cmocka_unit_test_setup_teardown(test_length_below, setup, teardown),
		cmocka_unit_test_setup_teardown(test_checksum, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nobody_there, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_a_program_learns, setup, teardown),
		cmocka_unit_test_setup_teardown(test_best_match_gets_it, setup, teardown),
		cmocka_unit_test_setup_teardown(test_connected_socket_hears_one, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reuse_port_spreads, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broadcast_reaches_everybody, setup, teardown),
		cmocka_unit_test_setup_teardown(test_queue_flood, setup, teardown),
		cmocka_unit_test_setup_teardown(test_receive_buffer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_group_ttl, setup, teardown),
		cmocka_unit_test_setup_teardown(test_small_datagrams_are_compacted, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_close_with_datagrams_unread, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused_late, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dissolve, setup, teardown),
		cmocka_unit_test_setup_teardown(test_readiness_is_news, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sending, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dont_fragment, setup, teardown),
		cmocka_unit_test_setup_teardown(test_send_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bind_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ephemeral_ports, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
	};

	return cmocka_run_group_tests_name("stack/udp", tests, NULL, NULL);
}
