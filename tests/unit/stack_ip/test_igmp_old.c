/* SPDX-License-Identifier: MIT */
/*
 * IGMP and queriers of older versions as a dialogue in virtual time: which version is spoken, and
 * what is said and left unsaid in it (RFC 3376 7.2, RFC 2236, RFC 1112 appendix I).
 */
#include "group_host.h"

/* ---- older versions -------------------------------------------------------------------------- */

static void become(uint8_t version)
{
	query_old(&h, 0, version == 1 ? 0 : 100);
}

static void test_version_2(void **state)
{
	int64_t again;

	(void)state;
	become(2);
	join(&h, a, GROUP);
	assert_int_equal(until_sent(&h, 0), 0);
	assert_old(&h, IGMP_V2_REPORT, GROUP);
	again = until_sent(&h, 10 * S);
	assert_in_range(again, 1, 10 * S);
	assert_old(&h, IGMP_V2_REPORT, GROUP);
	assert_quiet(&h, 30 * S);
	query_old(&h, GROUP, 10);
	assert_in_range(until_sent(&h, S), 1, S);
	assert_old(&h, IGMP_V2_REPORT, GROUP);
	query(&h, GROUP, 10, NULL, 0); /* a query of version 3 is one too */
	assert_in_range(until_sent(&h, S), 1, S);
	assert_old(&h, IGMP_V2_REPORT, GROUP);
	leave(&h, a, GROUP);
	assert_old(&h, IGMP_V2_LEAVE, GROUP);
	assert_quiet(&h, 30 * S);
	assert_int_equal(stat_value(&h, "Igmp", "OutGroupMembResponses"), 4);
	assert_int_equal(stat_value(&h, "Igmp", "OutGroupMembReductions"), 1);
}

static void other_reports(uint8_t type, uint32_t src, uint32_t group)
{
	struct igmp_header m = { .type = type, .group = be32_of(group) };

	frame_igmp(&f, src, group, &m, sizeof(m));
}

/* RFC 2236 3: what another host reports need not be reported, nor left. */
static void test_suppression(void **state)
{
	(void)state;
	become(2);
	join(&h, a, GROUP);
	assert_int_equal(until_sent(&h, 0), 0);
	assert_old(&h, IGMP_V2_REPORT, GROUP);
	other_reports(IGMP_V2_REPORT, 0, GROUP);
	assert_accepts(&h, &f);
	assert_quiet(&h, 20 * S);
	query_old(&h, 0, 100);
	other_reports(IGMP_V2_REPORT, 0, GROUP);
	assert_accepts(&h, &f);
	assert_quiet(&h, 20 * S);
	leave(&h, a, GROUP);
	assert_quiet(&h, 20 * S); /* another was the last reporter */
}

/* RFC 3376 9.2: a forged report does not silence us. Version 3 has no suppression at all. */
static void test_forged_reports(void **state)
{
	(void)state;
	join(&h, a, GROUP);
	assert_told(&h, "TO_EX 239.1.2.3");
	query(&h, 0, 100, NULL, 0);
	other_reports(IGMP_V2_REPORT, 0, GROUP);
	assert_accepts(&h, &f);
	assert_true(until_sent(&h, 10 * S) > 0);
	assert_report(&h, "IS_EX 239.1.2.3");
	become(2);
	assert_true(until_sent(&h, 10 * S) > 0);
	assert_old(&h, IGMP_V2_REPORT, GROUP);
	query_old(&h, 0, 100);
	other_reports(IGMP_V2_REPORT, IP(192, 168, 1, 1), GROUP);
	assert_drops(&h, &f, IGMP_SOURCE, IP(192, 168, 1, 1), GROUP);
	other_reports(IGMP_V2_REPORT, 0, GROUP);
	frame_ip_at(&f)->dst = be32_of(IGMP_ALL_HOSTS);
	ip4_set_checksum(frame_ip_at(&f));
	assert_drops(&h, &f, IGMP_GROUP, GROUP, IGMP_V2_REPORT);
	assert_true(until_sent(&h, 10 * S) > 0);
	assert_old(&h, IGMP_V2_REPORT, GROUP);
}

/* RFC 2236 4: towards a querier of version 1 reports are those, and nobody leaves. */
static void test_version_1(void **state)
{
	(void)state;
	become(1);
	join(&h, a, GROUP);
	assert_int_equal(until_sent(&h, 0), 0);
	assert_old(&h, IGMP_V1_REPORT, GROUP);
	assert_in_range(until_sent(&h, 10 * S), 1, 10 * S);
	assert_old(&h, IGMP_V1_REPORT, GROUP);
	query_old(&h, 0, 0);
	assert_in_range(until_sent(&h, 10 * S), 1, 10 * S); /* RFC 1112: up to 10 s */
	assert_old(&h, IGMP_V1_REPORT, GROUP);
	leave(&h, a, GROUP);
	assert_quiet(&h, 30 * S);
}

/* RFC 3376 7.2.1: 2 * 125 s + 10 s after its last general query the older querier is forgotten. */
static void test_older_querier_goes(void **state)
{
	struct glass_record r;

	(void)state;
	become(1);
	assert_quiet(&h, 100 * S);
	become(2); /* version 1 until 260 s, then version 2 until 360 s */
	join(&h, a, GROUP);
	assert_int_equal(until_sent(&h, 0), 0);
	assert_old(&h, IGMP_V1_REPORT, GROUP);
	other_reports(IGMP_V1_REPORT, 0, GROUP);
	assert_accepts(&h, &f);
	assert_quiet(&h, 161 * S);
	query(&h, GROUP, 10, NULL, 0);
	assert_true(until_sent(&h, S) > 0);
	assert_old(&h, IGMP_V2_REPORT, GROUP);
	assert_quiet(&h, 99 * S);
	assert_true(log_last(&h, GLASS_EV_IGMP_MODE, &r));
	assert_int_equal(r.v[1], 1);
	assert_int_equal(r.v[2], 2);
	query(&h, GROUP, 10, NULL, 0);
	assert_true(until_sent(&h, S) > 0);
	assert_report(&h, "IS_EX 239.1.2.3");
	query_old(&h, GROUP, 10); /* a group-specific one says nothing of the querier */
	assert_true(until_sent(&h, S) > 0);
	assert_report(&h, "IS_EX 239.1.2.3");
}

/* The interval of the last querier of version 3 counts: 20 s here, so 2 * 20 + 10. */
static void test_interval_of_the_querier(void **state)
{
	(void)state;
	query_with(&h, 0, 10, 2, 20, NULL, 0);
	become(2);
	assert_quiet(&h, 49 * S);
	join(&h, a, GROUP);
	assert_int_equal(until_sent(&h, 0), 0);
	assert_old(&h, IGMP_V2_REPORT, GROUP);
	/* RFC 3376 7.2.1: a change of version ends what is under way. */
	assert_quiet(&h, 0);
	leave(&h, a, GROUP);
	assert_old(&h, IGMP_V2_LEAVE, GROUP);
	assert_quiet(&h, 2 * S);
	join(&h, a, GROUP);
	assert_told(&h, "TO_EX 239.1.2.3");
}

/* A forged old query turns the host back to that version: the tunable forbids it. */
static void test_forced_version(void **state)
{
	(void)state;
	assert_int_equal(glass_tunable_set(h.g, "force_igmp_version", 3), 0);
	become(1);
	join(&h, a, GROUP);
	assert_told(&h, "TO_EX 239.1.2.3");
	assert_int_equal(glass_tunable_set(h.g, "force_igmp_version", 2), 0);
	leave(&h, a, GROUP);
	join(&h, a, GROUP);
	assert_int_equal(until_sent(&h, 0), 0);
	assert_old(&h, IGMP_V2_REPORT, GROUP);
	other_reports(IGMP_V2_REPORT, 0, GROUP);
	assert_accepts(&h, &f);
	assert_quiet(&h, 20 * S);
}

/* A link that comes back may have another router. */
static void test_device_goes_and_comes(void **state)
{
	(void)state;
	join(&h, a, GROUP);
	assert_told(&h, "TO_EX 239.1.2.3");
	become(2);
	assert_int_equal(glass_dev_set_up(h.g, h.dev, false), 0);
	leave(&h, a, GROUP);
	join(&h, a, OTHER);
	assert_quiet(&h, 20 * S);
	assert_int_equal(glass_dev_set_up(h.g, h.dev, true), 0);
	assert_true(host_out(&h, &f)); /* the address is announced */
	assert_told(&h, "TO_EX 239.1.2.4");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_version_2),	    T(test_suppression),
		T(test_forged_reports),	    T(test_version_1),
		T(test_older_querier_goes), T(test_interval_of_the_querier),
		T(test_forced_version),	    T(test_device_goes_and_comes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
