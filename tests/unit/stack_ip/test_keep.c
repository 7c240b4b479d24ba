/* SPDX-License-Identifier: MIT */
/*
 * A stack saved and made again: datagram sockets of each kind, groups, neighbours, fragments, what
 * is configured. Connections: the dialogues with -t, and tests/sim/test_takeover.c.
 */
#include "groups.h"

static struct host h;
static struct frame f;
static uint8_t state[1 << 20], second[1 << 20];
static size_t length;

struct target {
	uint8_t *at;
	size_t n;
};

static int put(void *arg, const void *bytes, size_t n)
{
	struct target *t = arg;

	assert_true(t->n + n <= sizeof(state));
	memcpy(t->at + t->n, bytes, n);
	t->n += n;
	return 0;
}

static size_t save_to(uint8_t *at)
{
	struct target t = { at, 0 };

	assert_int_equal(glass_save(h.g, put, &t), 0);
	return t.n;
}

/* The stack goes on as another one, whose state is the same to the last byte. */
static void again(void)
{
	const struct glass_setup setup = { .now_ns = h.now, .ring = NULL };
	const char *why;
	struct glass *g;

	length = save_to(state);
	g = glass_restore(&setup, state, length, &why);
	if (!g)
		fail_msg("%s", why);
	glass_free(h.g);
	h.g = g;
	assert_int_equal(save_to(second), length);
	assert_memory_equal(state, second, length);
}

static struct glass_sock *sock_of(uint32_t number)
{
	struct glass_sock *s = NULL;

	while ((s = glass_sock_next(h.g, s)) && glass_sock_number(s) != number)
		;
	assert_non_null(s);
	return s;
}

static int setup(void **unused)
{
	(void)unused;
	host_new(&h, 0);
	peer_introduces(&h);
	return 0;
}

static int teardown(void **unused)
{
	(void)unused;
	host_free(&h);
	return 0;
}

static void give(uint16_t port, const char *text)
{
	const struct ip_spec spec = { .ttl = 33, .tos = 8 };

	frame_udp(&f, &spec, 9, port, text, strlen(text));
	assert_accepts(&h, &f);
}

static void assert_gets(struct glass_sock *s, const char *text)
{
	struct glass_dgram info;
	char got[64] = "";

	assert_int_equal(glass_recvfrom(h.g, s, got, sizeof(got), &info), strlen(text));
	assert_string_equal(got, text);
	assert_int_equal(info.from.port, 9);
	assert_int_equal(info.ttl, 33);
	assert_int_equal(info.tos, 8);
	assert_int_equal(info.time_ns, T0);
}

static void test_udp(void **unused)
{
	struct glass_sock *s = udp_socket(&h, 0, 7);
	struct glass_end peer = end4(PEER, 9), got;
	uint32_t number = glass_sock_number(s);
	int64_t value;

	(void)unused;
	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_TTL, 77), 0);
	give(7, "first");
	give(7, "second");
	again();
	s = sock_of(number);
	assert_gets(s, "first");
	again();
	s = sock_of(number);
	assert_int_equal(glass_connect(h.g, s, &peer), 0);
	again();
	s = sock_of(number);
	assert_gets(s, "second");
	assert_int_equal(glass_recvfrom(h.g, s, &value, 1, NULL), -EAGAIN);
	give(7, "third");
	assert_gets(s, "third");
	assert_int_equal(glass_remote(s, &got), 0);
	assert_int_equal(got.port, 9);
	assert_int_equal(glass_getopt(h.g, s, GLASS_OPT_TTL, &value), 0);
	assert_int_equal(value, 77);
	assert_int_equal(glass_sendto(h.g, s, "x", 1, NULL), 1);
	assert_true(host_out(&h, &f));
	assert_int_equal(frame_ip_at(&f)->ttl, 77);
}

static void test_pieces(void **unused)
{
	struct glass_sock *s = udp_socket(&h, 0, 7);
	const uint8_t *l4;
	size_t n;

	(void)unused;
	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_UDP_CORK, 1), 0);
	assert_int_equal(send_udp(&h, s, PEER, 9, "one ", 4), 4);
	again();
	s = sock_of(1);
	assert_int_equal(send_udp(&h, s, PEER, 9, "two", 3), 3);
	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_UDP_CORK, 0), 0);
	assert_true(host_out(&h, &f));
	assert_ip(&f, 17, &l4, &n);
	assert_memory_equal(l4 + 8, "one two", 7);
}

static void test_errors(void **unused)
{
	struct glass_sock *s = udp_socket(&h, 0, 7);
	struct glass_dgram_error told;
	char got[16] = "";

	(void)unused;
	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_RECVERR, 1), 0);
	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_MTU_DISCOVER, 2), 0);
	assert_int_equal(send_udp(&h, s, PEER, 9, state, 3000), -EMSGSIZE);
	again();
	assert_true(glass_recverr(h.g, sock_of(1), got, sizeof(got), &told) >= 0);
	assert_int_equal(told.error, EMSGSIZE);
	assert_int_equal(told.info, 1500);
}

static void test_ping_and_raw(void **unused)
{
	const uint8_t echo[8] = { 8 };
	struct glass_end any = end4(0, 4711);
	struct glass_sock *s = glass_socket(h.g, GLASS_PING);
	uint8_t got[100];

	(void)unused;
	assert_non_null(glass_socket_raw(h.g, 17));
	assert_int_equal(glass_bind(h.g, s, &any), 0);
	again();
	assert_int_equal(send_udp(&h, sock_of(1), PEER, 0, echo, 8), 8);
	assert_true(host_out(&h, &f));
	assert_int_equal(f.b[14 + 20 + 4] << 8 | f.b[14 + 20 + 5], 4711);
	udp_socket(&h, 0, 7);
	give(7, "seen twice");
	assert_gets(sock_of(3), "seen twice");
	again();
	assert_int_equal(glass_recvfrom(h.g, sock_of(2), got, sizeof(got), NULL), 20 + 8 + 10);
}

static void test_groups(void **unused)
{
	const uint32_t sources[] = { SRC1, SRC2 }, other = SRC3;
	struct glass_sock *s = udp_socket(&h, 0, 7);

	(void)unused;
	join(&h, s, GROUP);
	again(); /* the report is due */
	assert_told(&h, "TO_EX 239.1.2.3");
	set_filter(&h, sock_of(1), GROUP, true, sources, 2);
	assert_int_equal(until_sent(&h, 0), 0);
	assert_report(&h, "BLOCK 239.1.2.3 10.0.0.21 10.0.0.22");
	again(); /* and so is its repetition */
	assert_in_range(until_sent(&h, S), 1, S);
	assert_report(&h, "BLOCK 239.1.2.3 10.0.0.21 10.0.0.22");
	frame_group(&f, SRC1, GROUP, 7, "blocked");
	host_in(&h, &f);
	frame_group(&f, SRC3, GROUP, 7, "heard");
	assert_accepts(&h, &f);
	query(&h, GROUP, 10, &other, 1);
	again(); /* asked for one source */
	assert_in_range(until_sent(&h, S), 1, S);
	leave(&h, sock_of(1), GROUP);
	again();
	while (host_out(&h, &f))
		;
	host_wait(&h, 10 * S);
	while (host_out(&h, &f))
		;
	again();
}

static void test_neighbour(void **unused)
{
	struct glass_sock *s = udp_socket(&h, 0, 7);
	const uint8_t *l4;
	size_t n;

	(void)unused;
	assert_int_equal(send_udp(&h, s, IP(10, 0, 0, 77), 9, "late", 4), 4);
	assert_true(host_out(&h, &f));
	assert_arp(&f, ARP_OP_REQUEST);
	again();
	host_wait(&h, S);
	assert_true(host_out(&h, &f)); /* the timer goes on: asks again */
	assert_arp(&f, ARP_OP_REQUEST);
	frame_arp(&f, us_mac, ARP_OP_REPLY, peer_mac, IP(10, 0, 0, 77), us_mac, US);
	assert_accepts(&h, &f);
	assert_true(host_out(&h, &f));
	assert_ip(&f, 17, &l4, &n);
	assert_memory_equal(l4 + 8, "late", 4);
	assert_silent(&h);
}

static void test_fragments(void **unused)
{
	struct ip_spec spec = { .id = 77 };
	struct frame whole;
	struct ip_spec plain = { .ttl = 33, .tos = 8 };

	(void)unused;
	udp_socket(&h, 0, 7);
	frame_udp(&whole, &plain, 9, 7, "in two pieces, and one stack later", 34);
	for (unsigned i = 0; i < 2; i++) {
		spec.frag = (uint16_t)(i ? 3 : IP4_MORE_FRAGMENTS);
		spec.ttl = 33;
		spec.tos = 8;
		frame_ip(&f, &spec, whole.b + 34 + i * 24, i ? 42 - 24 : 24);
		assert_accepts(&h, &f);
		again();
	}
	assert_gets(sock_of(1), "in two pieces, and one stack later");
}

static void test_settings(void **unused)
{
	struct glass_dev_info was, is;
	struct glass_route_info route;
	uint64_t frames;
	int64_t value;

	(void)unused;
	udp_socket(&h, 0, 7);
	give(7, "counted");
	assert_int_equal(glass_tunable_set(h.g, "arp_probes_max", 9), 0);
	assert_int_equal(
		glass_route_add(h.g, glass_ip4(192, 168, 0, 0), 16, glass_ip4(10, 0, 0, 9), 1), 0);
	frames = stat_value(&h, "Dev", "RxPackets");
	assert_true(glass_dev_at(h.g, 1, &was));
	again();
	assert_int_equal(stat_value(&h, "Dev", "RxPackets"), frames);
	assert_true(glass_dev_at(h.g, 1, &is));
	assert_string_equal(is.setup.name, "tap0");
	assert_memory_equal(is.setup.mac, us_mac, 6);
	assert_int_equal(is.rx_bytes, was.rx_bytes);
	assert_int_equal(glass_tunable_get(h.g, "arp_probes_max", &value), 0);
	assert_int_equal(value, 9);
	for (unsigned i = 0; glass_route_at(h.g, i, &route); i++)
		value += route.prefix_bits == 16 && route.via.byte[3] == 9;
	assert_int_equal(value, 10);
}

/* What a sink answers ends the saving, and the stack is as before. */
static int refuse(void *arg, const void *bytes, size_t n)
{
	(void)bytes;
	(void)n;
	++*(int *)arg;
	return -ENOSPC;
}

static void test_sink(void **unused)
{
	int calls = 0;

	(void)unused;
	assert_int_equal(glass_save(h.g, refuse, &calls), -ENOSPC);
	assert_int_equal(calls, 1);
	again();
}

int main(void)
{
#define KEEP_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		KEEP_TEST(test_udp),	      KEEP_TEST(test_pieces),	KEEP_TEST(test_errors),
		KEEP_TEST(test_ping_and_raw), KEEP_TEST(test_groups),	KEEP_TEST(test_neighbour),
		KEEP_TEST(test_fragments),    KEEP_TEST(test_settings), KEEP_TEST(test_sink),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
