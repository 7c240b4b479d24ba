/* SPDX-License-Identifier: MIT */
/* Ping sockets: requests go out as they are given, replies and errors come to who asked. */
#include "one_socket.h"

static const uint8_t request[12] = { 8, 0, 0, 0, 0, 0, 0, 1, 'a', 'b', 'c', 'd' };

static int setup(void **state)
{
	(void)state;
	known_host();
	s = glass_socket(h.g, GLASS_PING);
	assert_non_null(s);
	return 0;
}

static uint16_t ping(void)
{
	const struct glass_end to = end4(PEER, 0);
	struct glass_end local;
	const uint8_t *l4;
	size_t bytes;

	assert_int_equal(glass_sendto(h.g, s, request, sizeof(request), &to), sizeof(request));
	assert_true(host_out(&h, &f));
	assert_ip(&f, 1, &l4, &bytes);
	assert_int_equal(bytes, sizeof(request));
	assert_int_equal(csum_fold(csum_add(0, l4, bytes)), 0);
	assert_int_equal(l4[0], ICMP_ECHO);
	assert_memory_equal(l4 + 6, request + 6, 6);
	glass_local(s, &local);
	assert_int_equal(l4[4] << 8 | l4[5], local.port);
	return local.port;
}

static void test_reply(void **state)
{
	uint16_t id = ping();
	struct glass_dgram info;
	uint8_t got[64];

	(void)state;
	frame_icmp(&f, &plain, ICMP_ECHO_REPLY, 0, (uint32_t)id << 16 | 1, "abcd", 4);
	assert_accepts(&h, &f);
	assert_int_equal(glass_recvfrom(h.g, s, got, sizeof(got), &info), 12);
	assert_int_equal(got[0], ICMP_ECHO_REPLY);
	assert_memory_equal(got + 6, "\0\1abcd", 6);
	assert_memory_equal(info.from.addr.byte, "\12\0\0\5", 4);
	assert_int_equal(info.ttl, 64);
	frame_icmp(&f, &plain, ICMP_ECHO_REPLY, 0, (uint32_t)(id ^ 1) << 16 | 1, "abcd", 4);
	assert_drops(&h, &f, ICMP_REPLY, id ^ 1, 0);
}

static void test_errors_of_a_ping(void **state)
{
	uint8_t quote[28];

	(void)state;
	ping();
	memcpy(quote, f.b + 14, 28);
	frame_icmp(&f, &plain, ICMP_UNREACHABLE, ICMP_HOST_UNREACHABLE, 0, quote, 28);
	assert_accepts(&h, &f);
	assert_int_equal(glass_recvfrom(h.g, s, quote, 28, NULL), -EHOSTUNREACH);
	frame_icmp(&f, &plain, ICMP_TIME_EXCEEDED, 0, 0, quote, 28);
	assert_accepts(&h, &f);
	assert_int_equal(glass_error(h.g, s), EHOSTUNREACH);
	quote[20] = ICMP_ECHO_REPLY; /* of a reply of ours: nobody waits for news of it */
	frame_icmp(&f, &plain, ICMP_UNREACHABLE, ICMP_HOST_UNREACHABLE, 0, quote, 28);
	assert_drops(&h, &f, ICMP_QUOTE, 28, 1);
}

static void test_nobody_answers_arp(void **state)
{
	const struct glass_end to = end4(IP(10, 0, 0, 6), 0);

	(void)state;
	assert_int_equal(glass_sendto(h.g, s, request, sizeof(request), &to), sizeof(request));
	for (int i = 0; i < 3; i++) {
		assert_true(host_out(&h, &f));
		host_wait(&h, 1 * S);
	}
	assert_int_equal(glass_error(h.g, s), EHOSTUNREACH);
}

static void test_only_requests(void **state)
{
	static uint8_t big[65516] = { ICMP_ECHO };
	const struct glass_end to = end4(PEER, 0), all = end4(IP(10, 0, 0, 255), 0);
	uint8_t forged[8] = { 0 };

	(void)state;
	for (unsigned type = 0; type < 256; type++) {
		forged[0] = (uint8_t)type;
		if (type != ICMP_ECHO)
			assert_int_equal(glass_sendto(h.g, s, forged, 8, &to), -EINVAL);
	}
	forged[0] = ICMP_ECHO;
	assert_int_equal(glass_sendto(h.g, s, forged, 7, &to), -EINVAL);
	forged[1] = 1;
	assert_int_equal(glass_sendto(h.g, s, forged, 8, &to), -EINVAL);
	assert_int_equal(glass_sendto(h.g, s, big, sizeof(big), &to), -EMSGSIZE);
	assert_int_equal(glass_sendto(h.g, s, request, sizeof(request), &all), -EACCES);
	assert_int_equal(glass_sendto(h.g, s, request, sizeof(request), NULL), -EDESTADDRREQ);
}

static void test_to_ourselves(void **state)
{
	const struct glass_end to = end4(IP(127, 0, 0, 1), 0);
	uint8_t got[64];

	(void)state;
	assert_int_equal(glass_sendto(h.g, s, request, sizeof(request), &to), sizeof(request));
	assert_silent(&h);
	assert_int_equal(glass_recvfrom(h.g, s, got, sizeof(got), NULL), sizeof(request));
	assert_int_equal(got[0], ICMP_ECHO_REPLY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_reply, setup, teardown),
		cmocka_unit_test_setup_teardown(test_errors_of_a_ping, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nobody_answers_arp, setup, teardown),
		cmocka_unit_test_setup_teardown(test_only_requests, setup, teardown),
		cmocka_unit_test_setup_teardown(test_to_ourselves, setup, teardown),
	};

	return cmocka_run_group_tests_name("stack/ping", tests, NULL, NULL);
}
