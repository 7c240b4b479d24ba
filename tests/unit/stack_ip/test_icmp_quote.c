/* SPDX-License-Identifier: MIT */
/*
 * ICMP errors that came: what they quote must be ours, and each code is the errno that Linux gives
 * (ATTACKS 19, 20).
 */
#include "one_socket.h"

static int setup(void **state)
{
	const struct glass_end peer = end4(PEER, 9);

	(void)state;
	known_host();
	s = udp_socket(&h, US, 7);
	assert_int_equal(glass_connect(h.g, s, &peer), 0);
	return 0;
}

/* The packet that the error speaks of: ours, 7 > 9. */
static size_t quoted(uint8_t out[28], uint32_t src, uint32_t dst, uint8_t proto)
{
	struct ip_spec spec = { .src = src, .dst = dst };
	struct frame q;

	frame_udp(&q, &spec, 7, 9, NULL, 0);
	frame_ip_at(&q)->proto = proto;
	memcpy(out, q.b + 14, 28);
	return 28;
}

static void error_with(uint8_t type, uint8_t code, const uint8_t *quote, size_t n)
{
	frame_icmp(&f, &plain, type, code, 0, quote, n);
}

struct code_case {
	uint8_t type, code;
	int error; /* what a connected UDP socket sees; 0: nothing */
};

static void test_codes(void **state)
{
	const struct code_case cases[] = {
		{ 3, 0, 0 },
		{ 3, 1, 0 },
		{ 3, 2, ENOPROTOOPT },
		{ 3, 3, ECONNREFUSED },
		{ 3, 4, EMSGSIZE },
		{ 3, 5, 0 },
		{ 3, 11, 0 },
		{ 3, 12, 0 },
		{ 11, 0, 0 },
		{ 11, 1, 0 },
		{ 3, 6, ENETUNREACH },
		{ 3, 7, EHOSTDOWN },
		{ 3, 8, ENONET },
		{ 3, 9, ENETUNREACH },
		{ 3, 10, EHOSTUNREACH },
		{ 3, 13, EHOSTUNREACH },
		{ 3, 14, EHOSTUNREACH },
		{ 3, 15, EHOSTUNREACH },
	};
	uint8_t quote[28];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		error_with(cases[i].type, cases[i].code, quote, quoted(quote, US, PEER, 17));
		assert_accepts(&h, &f);
		assert_int_equal(glass_error(h.g, s), cases[i].error);
	}
	error_with(3, 16, quote, 28);
	assert_drops(&h, &f, ICMP_TYPE, 3, 16);
}

/* Cut at every length, and with a header that lies about its own. */
static void test_truncated(void **state)
{
	uint8_t quote[28];

	(void)state;
	quoted(quote, US, PEER, 17);
	for (size_t n = 0; n < 28; n++) {
		error_with(3, 3, quote, n);
		assert_drops(&h, &f, ICMP_QUOTE, n, 0);
	}
	for (unsigned words = 0; words < 16; words++) {
		if (words == 5)
			continue;
		quote[0] = (uint8_t)(0x40 | words);
		error_with(3, 3, quote, 28);
		assert_drops(&h, &f, ICMP_QUOTE, 28, 0);
	}
	quote[0] = 0x65;
	error_with(3, 3, quote, 28);
	assert_drops(&h, &f, ICMP_QUOTE, 28, 0);
	assert_int_equal(glass_error(h.g, s), 0);
}

static void test_not_ours(void **state)
{
	uint8_t quote[28];

	(void)state;
	error_with(3, 3, quote, quoted(quote, IP(10, 0, 0, 9), PEER, 17));
	assert_drops(&h, &f, ICMP_QUOTE, 28, 17);
	error_with(3, 3, quote, quoted(quote, US, IP(10, 0, 0, 255), 17));
	assert_drops(&h, &f, ICMP_QUOTE, 28, 17);
	error_with(3, 3, quote, quoted(quote, US, IP(10, 0, 0, 6), 17));
	assert_drops(&h, &f, ICMP_QUOTE, 28, 17); /* the socket speaks with another */
	error_with(3, 3, quote, quoted(quote, US, PEER, 47));
	assert_drops(&h, &f, ICMP_QUOTE, 28, 47);
	quoted(quote, US, PEER, 17);
	quote[7] = 1; /* not the first fragment: what follows are no ports */
	error_with(3, 3, quote, 28);
	assert_drops(&h, &f, ICMP_QUOTE, 28, 17);
	assert_int_equal(glass_error(h.g, s), 0);
}

static void test_to_a_group(void **state)
{
	struct ip_spec group = { .dst = IP(10, 0, 0, 255), .dst_mac = all_mac };
	uint8_t quote[28];

	(void)state;
	quoted(quote, US, PEER, 17);
	frame_icmp(&f, &group, 3, 3, 0, quote, 28);
	assert_drops(&h, &f, ICMP_QUOTE, 28, 17);
}

/* As on Linux, a socket that is not connected hears nothing of it. */
static void test_unconnected_socket(void **state)
{
	const struct glass_end nobody = { 0 };
	uint8_t quote[28];

	(void)state;
	assert_int_equal(glass_connect(h.g, s, &nobody), 0);
	error_with(3, 3, quote, quoted(quote, US, PEER, 17));
	assert_accepts(&h, &f);
	assert_int_equal(glass_error(h.g, s), 0);
}

/* The error is told once, by whatever is called next. */
static void test_error_is_told_once(void **state)
{
	uint8_t quote[28];

	(void)state;
	error_with(3, 3, quote, quoted(quote, US, PEER, 17));
	assert_accepts(&h, &f);
	assert_int_equal(glass_ready(h.g, s), GLASS_IN | GLASS_OUT | GLASS_ERR);
	assert_int_equal(glass_sendto(h.g, s, "x", 1, NULL), -ECONNREFUSED);
	assert_int_equal(glass_ready(h.g, s), GLASS_OUT);
	assert_silent(&h);
	assert_int_equal(glass_sendto(h.g, s, "x", 1, NULL), 1);
	assert_true(host_out(&h, &f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_codes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_truncated, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_ours, setup, teardown),
		cmocka_unit_test_setup_teardown(test_to_a_group, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unconnected_socket, setup, teardown),
		cmocka_unit_test_setup_teardown(test_error_is_told_once, setup, teardown),
	};

	return cmocka_run_group_tests_name("stack/icmp_quote", tests, NULL, NULL);
}
