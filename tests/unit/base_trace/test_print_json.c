/* SPDX-License-Identifier: MIT */
/* Records as JSON: numbers are numbers, durations say their unit, strings are escaped. */
#include "unit.h"

static struct unit u;

static int setup(void **state)
{
	(void)state;
	unit_init(&u);
	u.trace.now_ns = START_NS + 1500;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unit_fini(&u);
	return 0;
}

static void json_is(const char *want)
{
	struct glass_record rec;
	char got[1024], small[10];

	assert_true(glass_reader_next(&u.reader, &rec));
	assert_int_equal(glass_record_json(&u.reader, &rec, got, sizeof(got)), strlen(want));
	assert_string_equal(got, want);
	assert_int_equal(glass_record_json(&u.reader, &rec, small, sizeof(small)), strlen(want));
	assert_int_equal(strlen(small), sizeof(small) - 1);
}

static void test_event(void **state)
{
	(void)state;
	u.trace.cause = 6;
	EVENT(&u, 1, 7, TCP_OUT, 0x12, 0, 1, 1460, 64240);
	json_is("{\"time_ns\":1500,\"event\":\"tcp_out\",\"room\":\"test_event\",\"conn\":1,"
		"\"pkt\":7,\"cause\":6,"
		"\"flags\":\"[S.]\",\"seq\":0,\"ack\":1,\"len\":1460,\"wnd\":64240,"
		"\"text\":\"[S.] seq 0 ack 1 len 1460 wnd 64240\"}");
}

static void test_duration_is_ns(void **state)
{
	(void)state;
	EVENT(&u, 1, 0, TCP_RTO, 1, 1000000000, 2000000000, 10);
	json_is("{\"time_ns\":1500,\"event\":\"tcp_rto\",\"room\":\"test_duration_is_ns\",\"conn\":"
		"1,\"pkt\":0,"
		"\"cause\":0,\"n\":1,\"rto_ns\":1000000000,\"next_ns\":2000000000,\"flight\":10,"
		"\"text\":\"timeout 1: rto 1 s -> 2 s, 10 in flight\"}");
}

static void test_no_bound_is_null(void **state)
{
	(void)state;
	EVENT(&u, 1, 0, TCP_CA, WORD("Open"), 14480, GLASS_UNBOUND, WORD("idle"));
	json_is("{\"time_ns\":1500,\"event\":\"tcp_ca\",\"room\":\"test_no_bound_is_null\","
		"\"conn\":1,"
		"\"pkt\":0,\"cause\":0,\"state\":\"Open\",\"cwnd\":14480,\"ssthresh\":null,\"why\":"
		"\"idle\","
		"\"text\":\"Open: cwnd 14480 ssthresh none: idle\"}");
}

static void test_drop_has_its_own_fields(void **state)
{
	(void)state;
	trace_write(&u.trace, GLASS_EV_DROP, WORD("icmp_input"), 0, 9, 9,
		    TRACE_VALUES(DROP_ICMP_SHORT, 4, 8), 3);
	json_is("{\"time_ns\":1500,\"event\":\"drop\",\"room\":\"icmp_input\",\"conn\":0,\"pkt\":9,"
		"\"cause\":9,"
		"\"reason\":\"ICMP_SHORT\",\"bytes\":4,\"need\":8,"
		"\"text\":\"ICMP_SHORT: 4 bytes, ICMP needs 8\"}");
}

static void test_unknown_event(void **state)
{
	(void)state;
	trace_write(&u.trace, 60000, 0, 0, 0, 0, NULL, 0);
	json_is("{\"time_ns\":1500,\"event\":\"unknown\",\"room\":\"?\",\"conn\":0,\"pkt\":0,"
		"\"cause\":0,"
		"\"text\":\"event 60000 of a newer version\"}");
}

static void test_hostile_word(void **state)
{
	uint64_t word = WORD("xxxxxxxx");
	char *at = (char *)u.ring + u.ring->header_bytes + (word - 1) * u.ring->word_bytes;

	(void)state;
	strcpy(at, "\"\\\n\033");
	EVENT(&u, 0, 0, TCP_ACK_WHY, word);
	json_is("{\"time_ns\":1500,\"event\":\"tcp_ack_why\",\"room\":\"test_hostile_word\","
		"\"conn\":0,\"pkt\":0,"
		"\"cause\":0,\"why\":\"\\\"\\\\\\u000a\\u001b\",\"text\":"
		"\"\\\"\\\\\\\\x0a\\\\x1b\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_event, setup, teardown),
		cmocka_unit_test_setup_teardown(test_duration_is_ns, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_bound_is_null, setup, teardown),
		cmocka_unit_test_setup_teardown(test_drop_has_its_own_fields, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown_event, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile_word, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
