/* SPDX-License-Identifier: MIT */
/*
 * IGMP version 3 as a dialogue in virtual time: what a host says when it joins and leaves, what it
 * answers and when (RFC 3376).
 */
#include "group_host.h"

/* ---- version 3: changes ---------------------------------------------------------------------- */

static void test_join_and_leave(void **state)
{
	(void)state;
	join(&h, a, GROUP);
	assert_told(&h, "TO_EX 239.1.2.3");
	leave(&h, a, GROUP);
	assert_told(&h, "TO_IN 239.1.2.3");
	assert_int_equal(stat_value(&h, "Igmp", "OutV3Reports"), 4);
	assert_int_equal(stat_value(&h, "IpExt", "OutMcastPkts"), 4);
}

/* A second member changes nothing that routers could know; the last one to leave does. */
static void test_members_of_one_host_are_one(void **state)
{
	(void)state;
	join(&h, a, GROUP);
	assert_told(&h, "TO_EX 239.1.2.3");
	join(&h, b, GROUP);
	assert_quiet(&h, 5 * S);
	leave(&h, a, GROUP);
	assert_quiet(&h, 5 * S);
	glass_close(h.g, b);
	assert_told(&h, "TO_IN 239.1.2.3");
}

/* What happens at one moment is one report. */
static void test_changes_of_one_moment(void **state)
{
	(void)state;
	join(&h, a, GROUP);
	join(&h, a, OTHER);
	assert_told(&h, "TO_EX 239.1.2.3; TO_EX 239.1.2.4");
	leave(&h, a, GROUP);
	join(&h, a, GROUP);
	leave(&h, a, OTHER);
	assert_told(&h, "TO_EX 239.1.2.3; TO_IN 239.1.2.4");
}

static void test_all_hosts_is_never_reported(void **state)
{
	(void)state;
	assert_int_equal(group_call(&h, a, GLASS_GROUP_JOIN, IGMP_ALL_HOSTS, 0), 0);
	assert_quiet(&h, 5 * S);
	query(&h, 0, 10, NULL, 0);
	query(&h, IGMP_ALL_HOSTS, 10, NULL, 0);
	assert_quiet(&h, 5 * S);
	leave(&h, a, IGMP_ALL_HOSTS);
	assert_quiet(&h, 5 * S);
}

/* RFC 3376 5.1: the table of records. */
static void test_source_changes(void **state)
{
	const uint32_t two[] = { SRC2, SRC1 }, other[] = { SRC2, SRC3 };

	(void)state;
	assert_int_equal(group_call(&h, a, GLASS_GROUP_JOIN_SOURCE, GROUP, SRC1), 0);
	assert_told(&h, "ALLOW 239.1.2.3 10.0.0.21");
	set_filter(&h, a, GROUP, false, two, 2);
	assert_told(&h, "ALLOW 239.1.2.3 10.0.0.22");
	set_filter(&h, a, GROUP, false, other, 2);
	assert_told(&h, "ALLOW 239.1.2.3 10.0.0.23; BLOCK 239.1.2.3 10.0.0.21");
	set_filter(&h, a, GROUP, true, two, 2);
	assert_told(&h, "TO_EX 239.1.2.3 10.0.0.21 10.0.0.22");
	set_filter(&h, a, GROUP, true, other, 2);
	assert_told(&h, "ALLOW 239.1.2.3 10.0.0.21; BLOCK 239.1.2.3 10.0.0.23");
	set_filter(&h, a, GROUP, false, two, 1);
	assert_told(&h, "TO_IN 239.1.2.3 10.0.0.22");
	assert_int_equal(group_call(&h, a, GLASS_GROUP_LEAVE_SOURCE, GROUP, SRC2), 0);
	assert_told(&h, "BLOCK 239.1.2.3 10.0.0.22");
}

/* RFC 3376 3.2: what two sockets want together. */
static void test_filters_are_merged(void **state)
{
	const uint32_t abc[] = { SRC1, SRC2, SRC3 }, bc[] = { SRC2, SRC3 }, c[] = { SRC3 };

	(void)state;
	join(&h, a, GROUP);
	set_filter(&h, a, GROUP, true, abc, 3);
	assert_told(&h, "TO_EX 239.1.2.3 10.0.0.21 10.0.0.22 10.0.0.23");
	join(&h, b, GROUP);
	set_filter(&h, b, GROUP, true, bc, 2); /* only what both exclude */
	assert_told(&h, "ALLOW 239.1.2.3 10.0.0.21; BLOCK 239.1.2.3 10.0.0.22 10.0.0.23");
	set_filter(&h, b, GROUP, false, c, 1); /* but not what the other includes */
	assert_told(&h, "ALLOW 239.1.2.3 10.0.0.23; BLOCK 239.1.2.3 10.0.0.21");
	leave(&h, a, GROUP);
	assert_told(&h, "TO_IN 239.1.2.3 10.0.0.23");
	glass_close(h.g, b);
	assert_told(&h, "BLOCK 239.1.2.3 10.0.0.23");
}

/* RFC 3376 5.1: a change during the repetitions goes at once, and each is told robustness times. */
static void test_change_during_repetitions(void **state)
{
	(void)state;
	assert_int_equal(group_call(&h, a, GLASS_GROUP_JOIN_SOURCE, GROUP, SRC1), 0);
	assert_int_equal(until_sent(&h, 0), 0);
	assert_report(&h, "ALLOW 239.1.2.3 10.0.0.21");
	assert_int_equal(group_call(&h, a, GLASS_GROUP_JOIN_SOURCE, GROUP, SRC2), 0);
	assert_int_equal(until_sent(&h, 0), 0);
	assert_report(&h, "ALLOW 239.1.2.3 10.0.0.21 10.0.0.22");
	assert_in_range(until_sent(&h, S), 1, S);
	assert_report(&h, "ALLOW 239.1.2.3 10.0.0.22");
	assert_quiet(&h, 5 * S);
	/* A change of mode swallows what is pending of the sources. */
	assert_int_equal(group_call(&h, a, GLASS_GROUP_LEAVE_SOURCE, GROUP, SRC1), 0);
	set_filter(&h, a, GROUP, true, NULL, 0);
	assert_told(&h, "TO_EX 239.1.2.3");
}

/* More sources come and go than are kept apart: the whole filter is told. */
static void test_many_changes(void **state)
{
	uint32_t one = 0;

	(void)state;
	assert_int_equal(group_call(&h, a, GLASS_GROUP_JOIN_SOURCE, GROUP, SRC1), 0);
	for (unsigned i = 0; i < 100; i++) {
		one = IP(10, 0, 0, 100 + i);
		set_filter(&h, a, GROUP, false, &one, 1);
	}
	assert_told(&h, "TO_IN 239.1.2.3 10.0.0.199");
	assert_int_equal(group_call(&h, a, GLASS_GROUP_LEAVE_SOURCE, GROUP, one), 0);
	assert_told(&h, "BLOCK 239.1.2.3 10.0.0.199");
}

/* RFC 3376 4.1.6: the querier's robustness; 0 is none, and the tunable holds. */
static void test_robustness_of_the_querier(void **state)
{
	unsigned reports = 0;

	(void)state;
	query_with(&h, 0, 10, 4, 125, NULL, 0);
	join(&h, a, GROUP);
	while (until_sent(&h, S) >= 0) {
		assert_report(&h, "TO_EX 239.1.2.3");
		reports++;
	}
	assert_int_equal(reports, 4);
	query_with(&h, GROUP, 10, 0, 125, NULL, 0);
	assert_true(until_sent(&h, S) >= 0);
	assert_report(&h, "IS_EX 239.1.2.3");
	leave(&h, a, GROUP);
	assert_told(&h, "TO_IN 239.1.2.3");
}

/* ---- version 3: answers ---------------------------------------------------------------------- */

static void test_general_query(void **state)
{
	int64_t sum = 0, delay;

	(void)state;
	query(&h, 0, 100, NULL, 0);
	assert_quiet(&h, 20 * S); /* a member of nothing */
	join(&h, a, GROUP);
	join(&h, a, OTHER);
	assert_told(&h, "TO_EX 239.1.2.3; TO_EX 239.1.2.4");
	for (int i = 0; i < 40; i++) {
		query(&h, 0, 100, NULL, 0);
		delay = until_sent(&h, 10 * S);
		assert_in_range(delay, 1, 10 * S);
		sum += delay;
		assert_report(&h, "IS_EX 239.1.2.3; IS_EX 239.1.2.4");
		assert_quiet(&h, 20 * S);
	}
	assert_in_range(sum, 40 * 3 * S, 40 * 7 * S); /* spread over the time allowed */
	assert_int_equal(stat_value(&h, "Igmp", "InGroupMembQueries"), 41);
}

/* RFC 3376 4.1.1: above 127 the code is a floating-point number. */
static void test_long_response_time(void **state)
{
	int64_t longest = 0, delay;

	(void)state;
	join(&h, a, GROUP);
	assert_told(&h, "TO_EX 239.1.2.3");
	for (int i = 0; i < 40; i++) {
		query(&h, 0, 0x8f, NULL, 0); /* 31 << 3 tenths: 24.8 s */
		delay = until_sent(&h, 30 * S);
		assert_in_range(delay, 1, 24800 * MS);
		longest = delay > longest ? delay : longest;
		assert_report(&h, "IS_EX 239.1.2.3");
	}
	assert_true(longest > 15 * S);
}

static void test_group_query(void **state)
{
	(void)state;
	join(&h, a, GROUP);
	join(&h, a, OTHER);
	assert_told(&h, "TO_EX 239.1.2.3; TO_EX 239.1.2.4");
	query(&h, OTHER, 10, NULL, 0);
	assert_in_range(until_sent(&h, S), 1, S);
	assert_report(&h, "IS_EX 239.1.2.4");
	assert_quiet(&h, 20 * S);
	query(&h, IP(239, 9, 9, 9), 10, NULL, 0);
	assert_quiet(&h, 20 * S);
}

/* RFC 3376 5.2: of INCLUDE(A) what was asked for and is wanted; of EXCLUDE(A) what is not excluded.
 */
static void test_group_and_source_query(void **state)
{
	const uint32_t ab[] = { SRC1, SRC2 }, bc[] = { SRC2, SRC3 }, c[] = { SRC3 };

	(void)state;
	assert_int_equal(group_call(&h, a, GLASS_GROUP_JOIN_SOURCE, GROUP, SRC1), 0);
	set_filter(&h, a, GROUP, false, ab, 2);
	assert_told(&h, "ALLOW 239.1.2.3 10.0.0.21 10.0.0.22");
	query(&h, GROUP, 10, bc, 2);
	assert_true(until_sent(&h, S) > 0);
	assert_report(&h, "IS_IN 239.1.2.3 10.0.0.22");
	query(&h, GROUP, 10, c, 1);
	assert_quiet(&h, 2 * S);
	set_filter(&h, a, GROUP, true, ab, 2);
	assert_told(&h, "TO_EX 239.1.2.3 10.0.0.21 10.0.0.22");
	query(&h, GROUP, 10, bc, 2);
	assert_true(until_sent(&h, S) > 0);
	assert_report(&h, "IS_IN 239.1.2.3 10.0.0.23");
}

/* RFC 3376 5.2, rules 1 to 5: one answer for several queries, at the earlier of their times. */
static void test_pending_answers_are_joined(void **state)
{
	const uint32_t one[] = { SRC1 }, two[] = { SRC2 };

	(void)state;
	join(&h, a, GROUP);
	assert_told(&h, "TO_EX 239.1.2.3");
	query(&h, GROUP, 100, one, 1); /* rule 3, then 5 */
	query(&h, GROUP, 1, two, 1);
	assert_in_range(until_sent(&h, S), 1, 100 * MS);
	assert_report(&h, "IS_IN 239.1.2.3 10.0.0.21 10.0.0.22");
	assert_quiet(&h, 20 * S);
	query(&h, GROUP, 1, one, 1); /* rule 4: all of it */
	query(&h, GROUP, 100, NULL, 0);
	assert_in_range(until_sent(&h, S), 1, 100 * MS);
	assert_report(&h, "IS_EX 239.1.2.3");
	query(&h, GROUP, 1, NULL, 0);
	query(&h, GROUP, 100, one, 1);
	assert_in_range(until_sent(&h, S), 1, 100 * MS);
	assert_report(&h, "IS_EX 239.1.2.3");
	query(&h, 0, 1, NULL, 0); /* rule 2: an answer that is due is not put off */
	query(&h, 0, 100, NULL, 0);
	assert_in_range(until_sent(&h, S), 1, 100 * MS);
	assert_report(&h, "IS_EX 239.1.2.3");
	assert_quiet(&h, 20 * S);
}

/* A member that leaves before the answer is due gives none. */
static void test_left_before_the_answer(void **state)
{
	(void)state;
	join(&h, a, GROUP);
	assert_told(&h, "TO_EX 239.1.2.3");
	query(&h, GROUP, 200, NULL, 0);
	query(&h, 0, 200, NULL, 0);
	leave(&h, a, GROUP);
	assert_told(&h, "TO_IN 239.1.2.3");
}

/* RFC 3376 4.2.16: what does not fit goes into another record, or another packet. */
static void test_report_larger_than_the_mtu(void **state)
{
	unsigned records = 0, packets = 0;

	(void)state;
	assert_int_equal(glass_dev_set_mtu(h.g, h.dev, 100), 0);
	for (unsigned i = 0; i < 20; i++)
		join(&h, a, IP(239, 1, 1, i));
	assert_int_equal(until_sent(&h, 0), 0);
	while (host_out(&h, &f)) {
		assert_in_range(f.n, 14, 114);
		records += f.b[14 + 24 + 7];
		packets++;
	}
	assert_int_equal(records, 20);
	assert_int_equal(packets, 3); /* (100 - 24 - 8) / 8 = 8 records each */
	assert_true(until_sent(&h, S) > 0);
	while (host_out(&h, &f))
		;
}

static void test_sources_larger_than_the_mtu(void **state)
{
	uint32_t list[10];

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		list[i] = IP(10, 0, 0, 100 + i);
	assert_int_equal(glass_dev_set_mtu(h.g, h.dev, 68), 0); /* a record of 7 sources */
	assert_int_equal(group_call(&h, a, GLASS_GROUP_JOIN_SOURCE, GROUP, list[0]), 0);
	set_filter(&h, a, GROUP, false, list, 10);
	assert_int_equal(until_sent(&h, 0), 0);
	assert_report(&h, "ALLOW 239.1.2.3 10.0.0.100 10.0.0.101 10.0.0.102 10.0.0.103 10.0.0.104 "
			  "10.0.0.105 10.0.0.106");
	assert_report(&h, "ALLOW 239.1.2.3 10.0.0.107 10.0.0.108 10.0.0.109");
	assert_true(until_sent(&h, S) > 0);
	assert_true(host_out(&h, &f) && host_out(&h, &f));
	set_filter(&h, a, GROUP, true, list, 10); /* one record, what does not fit is left out */
	assert_int_equal(until_sent(&h, 0), 0);
	assert_report(&h, "TO_EX 239.1.2.3 10.0.0.100 10.0.0.101 10.0.0.102 10.0.0.103 10.0.0.104 "
			  "10.0.0.105 10.0.0.106");
	assert_true(until_sent(&h, S) > 0);
	assert_true(host_out(&h, &f));
	assert_quiet(&h, 5 * S);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_join_and_leave),
		T(test_members_of_one_host_are_one),
		T(test_changes_of_one_moment),
		T(test_all_hosts_is_never_reported),
		T(test_source_changes),
		T(test_filters_are_merged),
		T(test_change_during_repetitions),
		T(test_many_changes),
		T(test_robustness_of_the_querier),
		T(test_general_query),
		T(test_long_response_time),
		T(test_group_query),
		T(test_group_and_source_query),
		T(test_pending_answers_are_joined),
		T(test_left_before_the_answer),
		T(test_report_larger_than_the_mtu),
		T(test_sources_larger_than_the_mtu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
