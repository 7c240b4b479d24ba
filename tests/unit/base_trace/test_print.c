/* SPDX-License-Identifier: MIT */
/* Every kind of value as people read it, and records as text. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>

static struct unit u;

static int setup(void **state)
{
	(void)state;
	unit_init(&u);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unit_fini(&u);
	return 0;
}

static void is(enum glass_kind kind, uint64_t v, const char *want)
{
	char got[128];
	int n = glass_value_text(&u.reader, kind, v, got, sizeof(got));

	assert_string_equal(got, want);
	assert_int_equal(n, strlen(want));
}

static void test_numbers(void **state)
{
	(void)state;
	is(GLASS_KIND_NONE, 5, "");
	is(GLASS_KIND_U64, UINT64_MAX, "18446744073709551615");
	is(GLASS_KIND_I64, (uint64_t)-115, "-115");
	is(GLASS_KIND_HEX, 0xbeef, "0xbeef");
	is(GLASS_KIND_BYTES, 1460, "1460");
	is(GLASS_KIND_SEQ, 0x1ffffffffull, "4294967295");
	is(GLASS_KIND_PKT, 12, "12");
	is(GLASS_KIND_CONN, 3, "3");
}

static void test_addresses(void **state)
{
	(void)state;
	is(GLASS_KIND_IP4, 0x0a000005, "10.0.0.5");
	is(GLASS_KIND_IP4, 0xffffffff, "255.255.255.255");
	is(GLASS_KIND_END4, 0x0a000005ull << 16 | 8080, "10.0.0.5:8080");
	is(GLASS_KIND_END4, 0, "0.0.0.0:0");
	is(GLASS_KIND_MAC, 0x020000ab00ffull, "02:00:00:ab:00:ff");
	is(GLASS_KIND_PROTO, 1, "ICMP");
	is(GLASS_KIND_PROTO, 6, "TCP");
	is(GLASS_KIND_PROTO, 17, "UDP");
	is(GLASS_KIND_PROTO, 132, "protocol 132");
	is(GLASS_KIND_ETHER, 0x0806, "ARP");
	is(GLASS_KIND_ETHER, 0x0800, "IPv4");
	is(GLASS_KIND_ETHER, 0x86dd, "IPv6");
	is(GLASS_KIND_ETHER, 0x88cc, "0x88cc");
}

static void test_tcp(void **state)
{
	(void)state;
	is(GLASS_KIND_FLAGS, 0x02, "[S]");
	is(GLASS_KIND_FLAGS, 0x12, "[S.]");
	is(GLASS_KIND_FLAGS, 0x18, "[P.]");
	is(GLASS_KIND_FLAGS, 0x11, "[F.]");
	is(GLASS_KIND_FLAGS, 0x04, "[R]");
	is(GLASS_KIND_FLAGS, 0xff, "[FSRP.UEW]");
	is(GLASS_KIND_FLAGS, 0, "[none]");
	is(GLASS_KIND_STATE, 2, "SYN-SENT");
	is(GLASS_KIND_STATE, UINT64_MAX, "?");
	is(GLASS_KIND_NEIGH, 1, "INCOMPLETE");
	is(GLASS_KIND_NEIGH, 99, "?");
}

static void test_durations(void **state)
{
	(void)state;
	is(GLASS_KIND_NS, 0, "0 ns");
	is(GLASS_KIND_NS, 999, "999 ns");
	is(GLASS_KIND_NS, 1000, "1 us");
	is(GLASS_KIND_NS, 1234, "1.23 us");
	is(GLASS_KIND_NS, 35416, "35.4 us");
	is(GLASS_KIND_NS, 354160, "354 us");
	is(GLASS_KIND_NS, 40000000, "40 ms");
	is(GLASS_KIND_NS, 1000000000, "1 s");
	is(GLASS_KIND_NS, 1002400000, "1.002 s");
	is(GLASS_KIND_NS, 64000000000ull, "64 s");
	is(GLASS_KIND_NS, (uint64_t)-1500, "-1.5 us");
	is(GLASS_KIND_NS, (uint64_t)INT64_MIN, "-9223372036.855 s");
}

static void test_times(void **state)
{
	(void)state;
	is(GLASS_KIND_TIME, START_NS, "0.000000");
	is(GLASS_KIND_TIME, START_NS + 1000412999, "1.000412");
	is(GLASS_KIND_TIME, START_NS - 1500000, "-0.001500");
}

static void test_errors_and_reasons(void **state)
{
	(void)state;
	is(GLASS_KIND_ERRNO, 0, "no error");
	is(GLASS_KIND_ERRNO, EHOSTUNREACH, "EHOSTUNREACH");
	is(GLASS_KIND_ERRNO, (uint64_t)-ECONNREFUSED, "ECONNREFUSED");
	is(GLASS_KIND_ERRNO, 4095, "errno 4095");
	is(GLASS_KIND_CHARS, 0x307373616c67ull, "glass0");
	is(GLASS_KIND_CHARS, 0x1b41, "A\\x1b");
	is(GLASS_KIND_CHARS, 0, "");
	is(GLASS_KIND_BOUND, 14480, "14480");
	is(GLASS_KIND_BOUND, GLASS_UNBOUND, "none");
	is(GLASS_KIND_RESULT, 77, "77");
	is(GLASS_KIND_RESULT, (uint64_t)-EINPROGRESS, "EINPROGRESS");
	is(GLASS_KIND_DROP, DROP_IP_BAD_CSUM, "IP_BAD_CSUM");
	is(GLASS_KIND_DROP, 0, "reason 0");
	is(GLASS_KIND_DROP, UINT64_MAX, "reason 18446744073709551615");
}

static void test_errnos_are_right(void **state)
{
	static const int some[] = { EPERM,     EINVAL,	   EPIPE,      ECONNRESET,
				    ETIMEDOUT, EADDRINUSE, ENETUNREACH };
	static const char *const names[] = { "EPERM",	  "EINVAL",	"EPIPE",      "ECONNRESET",
					     "ETIMEDOUT", "EADDRINUSE", "ENETUNREACH" };

	(void)state;
	for (unsigned i = 0; i < sizeof(some) / sizeof(some[0]); i++)
		is(GLASS_KIND_ERRNO, (uint64_t)some[i], names[i]);
}

static void test_devices(void **state)
{
	static const char *const names[] = { "lo", "glass0", NULL };

	(void)state;
	is(GLASS_KIND_DEV, 0, "lo");
	is(GLASS_KIND_DEV, 1, "dev1");
	u.reader.dev_name = names;
	u.reader.dev_count = 3;
	is(GLASS_KIND_DEV, 1, "glass0");
	is(GLASS_KIND_DEV, 2, "dev2");
	is(GLASS_KIND_DEV, 77, "dev77");
}

static void test_words(void **state)
{
	uint64_t word = WORD("connect");

	(void)state;
	is(GLASS_KIND_WORD, word, "connect");
	is(GLASS_KIND_WORD, 0, "?");
	is(GLASS_KIND_WORD, UINT64_MAX, "?");
	assert_string_equal(glass_reader_word(&u.reader, word), "connect");
	assert_string_equal(glass_reader_file(&u.reader, word), "test_print.c");
	assert_string_equal(glass_reader_file(&u.reader, 0), "");
}

static void record_is(const char *want)
{
	struct glass_record rec;
	char got[256], small[8];

	assert_true(glass_reader_next(&u.reader, &rec));
	assert_int_equal(glass_record_text(&u.reader, &rec, got, sizeof(got)), strlen(want));
	assert_string_equal(got, want);
	/* As snprintf: what does not fit is cut, and the length tells. */
	assert_int_equal(glass_record_text(&u.reader, &rec, small, sizeof(small)), strlen(want));
	assert_int_equal(strlen(small), strlen(want) < 7 ? strlen(want) : 7);
	assert_int_equal(glass_record_text(&u.reader, &rec, NULL, 0), strlen(want));
}

static void test_records(void **state)
{
	(void)state;
	EVENT(&u, 1, 7, TCP_OUT, 0x02, 0, 0, 0, 64240);
	record_is("[S] seq 0 ack 0 len 0 wnd 64240");
	EVENT(&u, 0, 0, NEIGH_STATE, 0x0a000006, 1, 6, WORD("3 probes"));
	record_is("10.0.0.6: INCOMPLETE -> FAILED: 3 probes");
	trace_write(&u.trace, GLASS_EV_DROP, WORD("ip_input"), 0, 9, 9,
		    TRACE_VALUES(DROP_IP_BAD_CSUM, 0x1234, 0x4321), 3);
	record_is("IP_BAD_CSUM: header checksum 0x1234, should be 0x4321");
	trace_write(&u.trace, GLASS_EV_DROP, WORD("ip_input"), 0, 9, 9, TRACE_VALUES(60000, 1, 2),
		    3);
	record_is("reason 60000");
	trace_write(&u.trace, 60000, 0, 0, 0, 0, NULL, 0);
	record_is("event 60000 of a newer version");
}

/* A program's or a peer's characters must not steer the terminal of whoever looks. */
static void test_hostile_words(void **state)
{
	char *word = (char *)u.ring + u.ring->header_bytes;

	(void)state;
	memset(word, 'A', u.ring->word_bytes);
	is(GLASS_KIND_WORD, 1, "?");
	assert_string_equal(glass_reader_word(&u.reader, 1), "?");
	assert_string_equal(glass_reader_file(&u.reader, 1), "");
	strcpy(word, "a\033[2Jb\n\x9b");
	is(GLASS_KIND_WORD, 1, "a\\x1b[2Jb\\x0a\\x9b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_numbers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tcp, setup, teardown),
		cmocka_unit_test_setup_teardown(test_durations, setup, teardown),
		cmocka_unit_test_setup_teardown(test_times, setup, teardown),
		cmocka_unit_test_setup_teardown(test_errors_and_reasons, setup, teardown),
		cmocka_unit_test_setup_teardown(test_errnos_are_right, setup, teardown),
		cmocka_unit_test_setup_teardown(test_devices, setup, teardown),
		cmocka_unit_test_setup_teardown(test_words, setup, teardown),
		cmocka_unit_test_setup_teardown(test_records, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile_words, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
