/* SPDX-License-Identifier: MIT */
/* Raw sockets: copies of what comes, headers of what goes, and errors. */
#include "one_socket.h"

static int setup(void **state)
{
	(void)state;
	known_host();
	s = glass_socket_raw(h.g, 1);
	assert_non_null(s);
	return 0;
}

static void reopen(uint8_t protocol)
{
	glass_close(h.g, s);
	s = glass_socket_raw(h.g, protocol);
	assert_non_null(s);
}

static void assert_nothing(void)
{
	assert_int_equal(glass_recvfrom(h.g, s, NULL, 0, NULL), -EAGAIN);
}

/* An echo is answered all the same, and the copy has its IP header. */
static void test_copies(void **state)
{
	struct glass_sock *other = glass_socket_raw(h.g, 17);
	struct glass_dgram info;
	uint8_t got[128];

	(void)state;
	frame_icmp(&f, &plain, ICMP_ECHO, 0, 7, "abcd", 4);
	assert_accepts(&h, &f);
	assert_true(host_out(&h, &f)); /* the reply */
	assert_int_equal(glass_recvfrom(h.g, s, got, sizeof(got), &info), 32);
	assert_int_equal(got[0], 0x45);
	assert_int_equal(got[20], ICMP_ECHO);
	assert_memory_equal(got + 28, "abcd", 4);
	assert_memory_equal(info.from.addr.byte, "\12\0\0\5", 4);
	assert_int_equal(info.from.port, 0);
	assert_int_equal(glass_recvfrom(h.g, other, NULL, 0, NULL), -EAGAIN);
	glass_close(h.g, other);
}

static void test_whom_it_fits(void **state)
{
	const struct glass_end here = end4(US, 0), there = end4(IP(10, 0, 0, 9), 0),
			       foreign = end4(IP(1, 2, 3, 4), 0);
	struct glass_end local;

	(void)state;
	assert_int_equal(glass_bind(h.g, s, &foreign), -EADDRNOTAVAIL);
	assert_int_equal(glass_bind(h.g, s, &here), 0);
	assert_int_equal(glass_local(s, &local), 0);
	assert_int_equal(local.port, 1); /* the protocol, as on Linux */
	frame_icmp(&f, &plain, ICMP_ECHO_REPLY, 0, 7, "abcd", 4);
	host_in(&h, &f);
	assert_int_equal(glass_recvfrom(h.g, s, NULL, 0, NULL), 0);
	assert_int_equal(glass_connect(h.g, s, &there), 0);
	assert_int_equal(glass_bind(h.g, s, &here), -EINVAL);
	host_in(&h, &f);
	assert_nothing();
}

static void test_filter(void **state)
{
	(void)state;
	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_ICMP_FILTER, 1 << ICMP_ECHO_REPLY), 0);
	frame_icmp(&f, &plain, ICMP_ECHO_REPLY, 0, 7, "abcd", 4);
	host_in(&h, &f);
	assert_nothing();
	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_ICMP_FILTER, ~(1 << ICMP_ECHO_REPLY)), 0);
	host_in(&h, &f);
	assert_int_equal(glass_recvfrom(h.g, s, NULL, 0, NULL), 0);
	reopen(17);
	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_ICMP_FILTER, 1), -EOPNOTSUPP);
}

/* A protocol that we do not have is somebody's now: no "protocol unreachable". */
static void test_other_protocol(void **state)
{
	struct ip_spec spec = { .proto = 89 };
	uint8_t got[64];

	(void)state;
	reopen(89);
	frame_ip(&f, &spec, "hello", 5);
	assert_accepts(&h, &f);
	assert_int_equal(glass_recvfrom(h.g, s, got, sizeof(got), NULL), 25);
	assert_memory_equal(got + 20, "hello", 5);
}

static void test_send(void **state)
{
	const struct glass_end to = end4(PEER, 0), all = end4(IP(10, 0, 0, 255), 0);
	const uint8_t *l4;
	size_t bytes;

	(void)state;
	reopen(89);
	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_TTL, 3), 0);
	assert_int_equal(glass_sendto(h.g, s, "hello", 5, &to), 5);
	assert_true(host_out(&h, &f));
	assert_int_equal(assert_ip(&f, 89, &l4, &bytes)->ttl, 3);
	assert_int_equal(bytes, 5);
	assert_memory_equal(l4, "hello", 5);
	assert_int_equal(glass_sendto(h.g, s, "hello", 5, &all), -EACCES);
	assert_int_equal(glass_sendto(h.g, s, "hello", 5, NULL), -EDESTADDRREQ);
}

/* IP_HDRINCL: what was left 0 is filled in, lengths and checksum always. */
static void test_own_header(void **state)
{
	const struct glass_end to = end4(PEER, 0);
	uint8_t packet[24] = { 0x45, 0, 1, 1, 0, 0, 0, 0, 9, 17, 1, 1, 0, 0, 0, 0, 10, 0, 0, 5 };
	static uint8_t big[1501] = { 0x45 };
	const struct ip4_header *ip;
	const uint8_t *l4;
	size_t bytes;

	(void)state;
	reopen(255);
	assert_int_equal(glass_sendto(h.g, s, packet, sizeof(packet), &to), sizeof(packet));
	assert_true(host_out(&h, &f));
	ip = assert_ip(&f, 17, &l4, &bytes); /* which looks at the checksum */
	assert_int_equal(ip->ttl, 9);
	assert_int_equal(be32_get(ip->src), US);
	assert_int_not_equal(be16_get(ip->id), 0);
	assert_int_equal(bytes, 4);
	assert_int_equal(glass_sendto(h.g, s, packet, 19, &to), -EINVAL);
	packet[0] = 0x47;
	assert_int_equal(glass_sendto(h.g, s, packet, sizeof(packet), &to), -EINVAL);
	packet[0] = 0x44;
	assert_int_equal(glass_sendto(h.g, s, packet, sizeof(packet), &to), -EINVAL);
	assert_int_equal(glass_sendto(h.g, s, big, sizeof(big), &to), -EMSGSIZE);
}

static void test_errors(void **state)
{
	const struct glass_end to = end4(PEER, 0);
	struct glass_dgram_error told;
	uint8_t quote[28], got[16];

	(void)state;
	reopen(89);
	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_RECVERR, 1), 0);
	assert_int_equal(glass_sendto(h.g, s, "12345678", 8, &to), 8);
	assert_true(host_out(&h, &f));
	memcpy(quote, f.b + 14, 28);
	frame_icmp(&f, &plain, ICMP_UNREACHABLE, ICMP_PROTO_UNREACHABLE, 0, quote, 28);
	assert_accepts(&h, &f);
	assert_int_equal(glass_error(h.g, s), ENOPROTOOPT);
	assert_int_equal(glass_recverr(h.g, s, got, sizeof(got), &told), 8);
	assert_memory_equal(got, "12345678", 8);
	assert_int_equal(told.code, ICMP_PROTO_UNREACHABLE);
	reopen(1);
	assert_int_equal(host_in(&h, &f), DROP_ICMP_QUOTE);	    /* nobody sent it */
	assert_int_equal(glass_recvfrom(h.g, s, NULL, 0, NULL), 0); /* but ICMP it is */
}

static void test_no_neighbour(void **state)
{
	const struct glass_end to = end4(IP(10, 0, 0, 6), 0);
	struct glass_dgram_error told;

	(void)state;
	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_RECVERR, 1), 0);
	assert_int_equal(glass_sendto(h.g, s, "\10\0\0\0\0\0\0\0", 8, &to), 8);
	for (int i = 0; i < 3; i++) {
		assert_true(host_out(&h, &f));
		host_wait(&h, 1 * S);
	}
	assert_int_equal(glass_error(h.g, s), EHOSTUNREACH);
	assert_int_equal(glass_recverr(h.g, s, NULL, 0, &told), 0);
	assert_int_equal(told.full, 8);
	assert_int_equal(told.error, EHOSTUNREACH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_copies, setup, teardown),
		cmocka_unit_test_setup_teardown(test_whom_it_fits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_filter, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_protocol, setup, teardown),
		cmocka_unit_test_setup_teardown(test_send, setup, teardown),
		cmocka_unit_test_setup_teardown(test_own_header, setup, teardown),
		cmocka_unit_test_setup_teardown(test_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_neighbour, setup, teardown),
	};

	return cmocka_run_group_tests_name("stack/raw", tests, NULL, NULL);
}
