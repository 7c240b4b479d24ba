/* SPDX-License-Identifier: MIT */
/*
 * IGMP that is malformed, odd or hostile: what is dropped, and how little a flood of queries gets
 * out of a host (RFC 3376 9).
 */
#include "../../../src/stack/stack.h"

#include "group_host.h"

/* ---- what is no good ------------------------------------------------------------------------- */

static void test_malformed(void **state)
{
	uint8_t m[64] = { IGMP_QUERY, 10 };

	(void)state;
	for (size_t n = 0; n < 8; n++) {
		frame_igmp(&f, 0, IGMP_ALL_HOSTS, m, n < 4 ? 4 : n);
		if (n < 4)
			continue;
		assert_drops(&h, &f, IGMP_SHORT, n, 8);
	}
	for (size_t n = 9; n < 12; n++) { /* RFC 3376 7.1: of no version */
		frame_igmp(&f, 0, IGMP_ALL_HOSTS, m, n);
		assert_drops(&h, &f, IGMP_SHORT, n, 12);
	}
	m[11] = 3; /* sources that did not come */
	frame_igmp(&f, 0, IGMP_ALL_HOSTS, m, 20);
	assert_drops(&h, &f, IGMP_SHORT, 20, 24);
	m[10] = 0xff;
	frame_igmp(&f, 0, IGMP_ALL_HOSTS, m, 64);
	assert_drops(&h, &f, IGMP_SHORT, 64, 12 + 0xff03 * 4);
	memset(m, 0, sizeof(m));
	m[0] = IGMP_QUERY;
	memcpy(m + 4, "\12\1\1\1", 4);
	frame_igmp(&f, 0, IGMP_ALL_HOSTS, m, 8);
	assert_drops(&h, &f, IGMP_GROUP, IP(10, 1, 1, 1), IGMP_QUERY);
	m[0] = 0x42;
	frame_igmp(&f, 0, IGMP_ALL_HOSTS, m, 8);
	assert_drops(&h, &f, IGMP_TYPE, 0x42, 0);
	f.b[f.n - 1] ^= 1;
	assert_int_equal(host_in(&h, &f), DROP_IGMP_BAD_CSUM);
	frame_igmp(&f, 0, IGMP_ALL_HOSTS, m, 8);
	f.b[f.n - 1] ^= 1;
	assert_drops(&h, &f, IGMP_BAD_CSUM, 1, 0);
}

/* What is for routers is heard without effect. */
static void test_for_routers(void **state)
{
	struct igmp_header m = { .type = IGMP_V2_LEAVE, .group = be32_of(GROUP) };

	(void)state;
	frame_igmp(&f, 0, IGMP_ALL_HOSTS, &m, sizeof(m));
	assert_accepts(&h, &f);
	m.type = IGMP_V3_REPORT;
	frame_igmp(&f, 0, IGMP_ALL_HOSTS, &m, sizeof(m));
	assert_accepts(&h, &f);
	assert_quiet(&h, 20 * S);
}

/* A switch that asks has no address; one with an address may ask us alone (RFC 3376 4.1.12). */
static void test_odd_queriers(void **state)
{
	struct igmp_query q = { .head = { .type = IGMP_QUERY, .code = 10 }, .s_qrv = 2 };

	(void)state;
	join(&h, a, GROUP);
	assert_told(&h, "TO_EX 239.1.2.3");
	frame_igmp(&f, 0, IGMP_ALL_HOSTS, &q, sizeof(q));
	frame_ip_at(&f)->src = be32_of(0);
	ip4_set_checksum(frame_ip_at(&f));
	assert_accepts(&h, &f);
	assert_true(until_sent(&h, S) > 0);
	assert_report(&h, "IS_EX 239.1.2.3");
	frame_igmp(&f, 0, US, &q, sizeof(q));
	memcpy(f.b, us_mac, 6);
	assert_accepts(&h, &f);
	assert_true(until_sent(&h, S) > 0);
	assert_report(&h, "IS_EX 239.1.2.3");
}

/* Forged queries by the thousand: bounded memory, and few answers. */
static void test_flood_of_queries(void **state)
{
	uint32_t sources[250];
	struct glass_memory before, after;
	unsigned answers = 0;

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		join(&h, a, IP(239, 1, 1, i));
	host_wait(&h, 2 * S);
	while (host_out(&h, &f))
		;
	glass_memory(h.g, &before);
	for (unsigned round = 0; round < 2000; round++) {
		for (unsigned i = 0; i < 250; i++)
			sources[i] = IP(1, round / 8, round, i);
		query(&h, IP(239, 1, 1, round % 20), 255, sources, 1 + round % 250);
		query(&h, IP(239, 2, round & 255, 3), 255, sources, 250);
	}
	while (host_out(&h, &f))
		;
	glass_memory(h.g, &after);
	assert_true(after.bytes - before.bytes < 20 * 1024);
	/* A second of queries that want an answer at once. */
	query(&h, 0, 0, NULL, 0);
	for (unsigned i = 0; i < 1000; i++) {
		query(&h, 0, 0, NULL, 0);
		host_wait(&h, MS);
		while (host_out(&h, &f))
			answers++;
	}
	assert_in_range(answers, 50, 400);
	host_wait(&h, 4000 * S);
	while (host_out(&h, &f))
		;
	glass_memory(h.g, &after);
	assert_true(after.bytes <= before.bytes);
}

/* RFC 3376 5.2, rule 1: an answer that is due is not put off, however often somebody asks anew. */
static void test_answer_is_not_put_off(void **state)
{
	unsigned answers = 0;

	(void)state;
	join(&h, a, GROUP);
	assert_told(&h, "TO_EX 239.1.2.3");
	query(&h, 0, 100, NULL, 0); /* within ten seconds */
	for (unsigned i = 0; i < 10; i++) {
		query(&h, 0, 255, NULL, 0); /* within the hour */
		host_wait(&h, S);
		while (host_out(&h, &f))
			answers++;
	}
	assert_int_equal(answers, 1);
}

/* The answer to a query for too many sources tells everything. */
static void test_too_many_sources_asked(void **state)
{
	uint32_t sources[100];

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		sources[i] = IP(10, 0, 0, 100 + i);
	join(&h, a, GROUP);
	assert_told(&h, "TO_EX 239.1.2.3");
	query(&h, GROUP, 10, sources, 100);
	assert_true(until_sent(&h, S) > 0);
	assert_report(&h, "IS_EX 239.1.2.3");
}

/* The frame, if there is a packet for it. */
static void put(void)
{
	struct pkt *p = glass_pkt_new(h.g, f.n);
	size_t room;

	if (!p)
		return;
	memcpy(glass_pkt_room(p, &room), f.b, f.n);
	glass_pkt_filled(p, f.n, &f.off);
	glass_input(h.g, h.dev, p, h.now);
}

/* Every allocation fails once: whatever was refused, nothing is left behind. */
static void test_no_memory(void **state)
{
	const uint32_t two[] = { SRC1, SRC2 };
	struct glass_memory before, after;

	(void)state;
	glass_memory(h.g, &before);
	for (unsigned n = 1; n < 16; n++) {
		struct glass_group g = { .group = addr4(GROUP), .ifindex = h.dev + 1 };
		struct glass_addr list[2] = { addr4(SRC1), addr4(SRC2) };

		h.g->pool.fail_countdown = n;
		glass_group(h.g, a, GLASS_GROUP_JOIN, &g);
		glass_group_set(h.g, a, &g, true, list, 2);
		g.source = addr4(SRC3);
		glass_group(h.g, a, GLASS_GROUP_BLOCK, &g);
		host_wait(&h, S);
		frame_query(&f, GROUP, 1, 2, 125, two, 2);
		put();
		host_wait(&h, S);
		h.g->pool.fail_countdown = 0;
		glass_group(h.g, a, GLASS_GROUP_LEAVE, &g);
		host_wait(&h, 5 * S);
		while (host_out(&h, &f))
			host_wait(&h, 0);
	}
	glass_memory(h.g, &after);
	assert_true(after.bytes <= before.bytes + 4096);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_malformed),
		T(test_for_routers),
		T(test_odd_queriers),
		T(test_flood_of_queries),
		T(test_answer_is_not_put_off),
		T(test_too_many_sources_asked),
		T(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
