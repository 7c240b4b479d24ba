/* SPDX-License-Identifier: MIT */
/* What IP_RECVERR keeps of errors, and who hears of them (RFC 1122 4.1.3.3). */
#include "one_socket.h"

static int setup(void **state)
{
	(void)state;
	known_host();
	s = udp_socket(&h, 0, 7);
	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_RECVERR, 1), 0);
	return 0;
}

/* PEER answers a datagram with an error that quotes it. */
static void answered_by(uint8_t type, uint8_t code, uint32_t rest, const char *payload)
{
	uint8_t quote[128];
	size_t n = 28 + strlen(payload);

	glass_error(h.g, s); /* else the send tells of the one before */
	assert_int_equal(send_udp(&h, s, PEER, 9, payload, strlen(payload)), strlen(payload));
	assert_true(host_out(&h, &f));
	memcpy(quote, f.b + 14, n);
	frame_icmp(&f, &plain, type, code, rest, quote, n);
	assert_accepts(&h, &f);
}

static void assert_told(int error, int type, int code, unsigned info, const char *payload)
{
	struct glass_dgram_error told;
	char got[64] = { 0 };

	assert_int_equal(glass_recverr(h.g, s, got, sizeof(got) - 1, &told), strlen(payload));
	assert_string_equal(got, payload);
	assert_int_equal(told.error, error);
	assert_int_equal(told.origin, GLASS_ORIGIN_ICMP);
	assert_int_equal(told.type, type);
	assert_int_equal(told.code, code);
	assert_int_equal(told.info, info);
	assert_int_equal(told.offender.family, GLASS_IP4);
	assert_memory_equal(told.offender.byte, "\12\0\0\5", 4);
	assert_memory_equal(told.to.addr.byte, "\12\0\0\5", 4);
	assert_int_equal(told.to.port, 9);
}

static void assert_nothing_told(void)
{
	struct glass_dgram_error told;

	assert_int_equal(glass_recverr(h.g, s, NULL, 0, &told), -EAGAIN);
	assert_int_equal(glass_error(h.g, s), 0);
	assert_int_equal(glass_ready(h.g, s), GLASS_OUT);
}

static void test_in_order(void **state)
{
	(void)state;
	answered_by(ICMP_UNREACHABLE, ICMP_PORT_UNREACHABLE, 0, "first");
	answered_by(ICMP_TIME_EXCEEDED, 0, 0, "second"); /* a soft one too */
	answered_by(ICMP_UNREACHABLE, ICMP_FRAG_NEEDED, 1400, "third");
	assert_int_equal(glass_error(h.g, s), EMSGSIZE);
	assert_int_equal(glass_ready(h.g, s), GLASS_OUT | GLASS_ERR);
	assert_told(ECONNREFUSED, 3, 3, 0, "first");
	assert_int_equal(glass_error(h.g, s), EHOSTUNREACH); /* the next one's */
	assert_told(EHOSTUNREACH, 11, 0, 0, "second");
	assert_told(EMSGSIZE, 3, 4, 1400, "third");
	assert_nothing_told();
}

static void test_not_asked_for(void **state)
{
	(void)state;
	answered_by(ICMP_UNREACHABLE, ICMP_PORT_UNREACHABLE, 0, "x");
	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_RECVERR, 0), 0);
	assert_int_equal(glass_error(h.g, s), ECONNREFUSED);
	assert_nothing_told(); /* what was kept is forgotten */
	answered_by(ICMP_UNREACHABLE, ICMP_PORT_UNREACHABLE, 0, "y");
	assert_nothing_told();
}

static void test_may_be_cut(void **state)
{
	(void)state;
	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_MTU_DISCOVER, 0), 0);
	answered_by(ICMP_UNREACHABLE, ICMP_FRAG_NEEDED, 1400, "x");
	assert_nothing_told();
}

static void test_bounded(void **state)
{
	struct glass_dgram_error told;
	unsigned n = 0;

	(void)state;
	for (int i = 0; i < 200; i++)
		answered_by(ICMP_UNREACHABLE, ICMP_PORT_UNREACHABLE, 0, "x");
	while (glass_recverr(h.g, s, NULL, 0, &told) >= 0)
		n++;
	assert_int_equal(n, 64);
	assert_nothing_told();
}

/* Our own host tells that a datagram is too long for the path, and how long it may be. */
static void test_too_long(void **state)
{
	const struct glass_end to = end4(PEER, 9);
	struct glass_dgram_error told;
	static char big[1473];
	int64_t mtu;

	(void)state;
	assert_int_equal(glass_getopt(h.g, s, GLASS_OPT_MTU, &mtu), -ENOTCONN);
	assert_int_equal(glass_connect(h.g, s, &to), 0);
	assert_int_equal(glass_getopt(h.g, s, GLASS_OPT_MTU, &mtu), 0);
	assert_int_equal(mtu, 1500);
	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_MTU, 1), -ENOPROTOOPT);
	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_MTU_DISCOVER, 2), 0);
	assert_int_equal(glass_sendto(h.g, s, big, sizeof(big), NULL), -EMSGSIZE);
	assert_int_equal(glass_ready(h.g, s), GLASS_OUT | GLASS_ERR);
	assert_int_equal(glass_recverr(h.g, s, NULL, 0, &told), 0);
	assert_int_equal(told.error, EMSGSIZE);
	assert_int_equal(told.origin, GLASS_ORIGIN_LOCAL);
	assert_int_equal(told.info, 1500);
	assert_int_equal(told.offender.family, GLASS_UNSPEC);
	assert_int_equal(told.to.port, 9);
	assert_nothing_told();
}

/* Nobody answers ARP: as Linux, a message from ourselves. */
static void test_no_neighbour(void **state)
{
	struct glass_dgram_error told;
	char got[8];

	(void)state;
	assert_int_equal(send_udp(&h, s, IP(10, 0, 0, 6), 9, "lost", 4), 4);
	for (int i = 0; i < 3; i++) {
		assert_true(host_out(&h, &f));
		host_wait(&h, 1 * S);
	}
	assert_int_equal(glass_error(h.g, s), EHOSTUNREACH);
	assert_int_equal(glass_recverr(h.g, s, got, sizeof(got), &told), 4);
	assert_memory_equal(got, "lost", 4);
	assert_int_equal(told.error, EHOSTUNREACH);
	assert_int_equal(told.origin, GLASS_ORIGIN_ICMP);
	assert_int_equal(told.type << 8 | told.code, 0x301);
	assert_memory_equal(told.offender.byte, "\12\0\0\4", 4);
	assert_memory_equal(told.to.addr.byte, "\12\0\0\6", 4);
	assert_nothing_told();
}

/* The quote of a ping begins with its ICMP header. */
static void test_ping(void **state)
{
	static const char request[8] = { 8, 0, 0, 0, 0, 0, 0, 1 };
	const struct glass_end to = end4(PEER, 0);
	struct glass_dgram_error told;
	uint8_t quote[36], got[16];

	(void)state;
	glass_close(h.g, s);
	s = glass_socket(h.g, GLASS_PING);
	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_RECVERR, 1), 0);
	assert_int_equal(glass_sendto(h.g, s, request, 8, &to), 8);
	assert_true(host_out(&h, &f));
	memcpy(quote, f.b + 14, 28);
	frame_icmp(&f, &plain, ICMP_TIME_EXCEEDED, 0, 0, quote, 28);
	assert_accepts(&h, &f);
	assert_int_equal(glass_recverr(h.g, s, got, sizeof(got), &told), 8);
	assert_memory_equal(got, quote + 20, 8);
	assert_int_equal(told.error, EHOSTUNREACH);
	assert_int_equal(told.to.port, 0);
	assert_nothing_told();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_asked_for, setup, teardown),
		cmocka_unit_test_setup_teardown(test_may_be_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_long, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_neighbour, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ping, setup, teardown),
	};

	return cmocka_run_group_tests_name("stack/udp_error", tests, NULL, NULL);
}
