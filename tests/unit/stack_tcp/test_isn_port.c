/* SPDX-License-Identifier: MIT */
/*
 * Numbers that nobody must guess, counted over a thousand connections: initial sequence numbers
 * (RFC 6528), ports (RFC 6056), timestamps (RFC 7323 5.4).
 */
#include "segments.h"

#define CONNECTS 1000

static struct host h;
static struct frame f;

struct sample {
	uint32_t isn, tsval;
	uint16_t port;
};

static int setup(void **state)
{
	(void)state;
	host_new(&h, 0);
	peer_introduces(&h);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	host_free(&h);
	return 0;
}

/* A connect to that port of the peer; from: a local port, 0: the stack's choice. It ends at once.
 */
static struct sample sample(uint16_t to, uint16_t from)
{
	const struct glass_end remote = end4(PEER, to), local = end4(US, from);
	struct glass_sock *s = glass_socket(h.g, GLASS_TCP);
	struct segment out = { .flags = 0 };

	assert_non_null(s);
	if (from)
		assert_int_equal(glass_bind(h.g, s, &local), 0);
	assert_int_equal(glass_connect(h.g, s, &remote), -EINPROGRESS);
	while (!(out.flags & TCP_SYN)) {
		assert_true(host_out(&h, &f));
		segment_of(&f, &out);
	}
	glass_abort(h.g, s);
	while (host_out(&h, &f))
		;
	host_wait(&h, MS);
	return (struct sample){ out.seq, out.opt.tsval, out.sport };
}

/* Chi-square of 16 buckets with CONNECTS values: above 37.7 by chance once in 1,000 times. */
static double chi_square(const unsigned bucket[16])
{
	double sum = 0, want = CONNECTS / 16.0;

	for (unsigned i = 0; i < 16; i++)
		sum += (bucket[i] - want) * (bucket[i] - want) / want;
	return sum;
}

/* Different addresses: neither the numbers nor their differences say anything. */
static void isns_of_different_peers(void **state)
{
	unsigned high[16] = { 0 }, low[16] = { 0 }, ts[16] = { 0 };
	struct sample last = sample(9, 0), now;

	(void)state;
	for (unsigned i = 0; i < CONNECTS; i++) {
		now = sample((uint16_t)(100 + i), 0);
		high[(now.isn - last.isn) >> 28]++;
		low[now.isn >> 4 & 15]++;
		ts[(now.tsval - last.tsval) >> 28]++;
		last = now;
	}
	assert_true(chi_square(high) < 37.7);
	assert_true(chi_square(low) < 37.7);
	assert_true(chi_square(ts) < 37.7);
}

/* The same addresses: the number grows by the clock, a quarter of a million per second. */
static void isns_of_the_same_peer(void **state)
{
	struct sample last = sample(80, 5000), now;

	(void)state;
	for (unsigned i = 0; i < CONNECTS; i++) {
		now = sample(80, 5000);
		assert_true(now.isn - last.isn >= 240 && now.isn - last.isn <= 260);
		assert_int_equal(now.tsval - last.tsval, 1);
		last = now;
	}
}

/* The best guess of the next port, from the last two, hits less than once in a hundred. */
static void ports(void **state)
{
	unsigned hits[5] = { 0 }, bucket[16] = { 0 };
	uint16_t a = 0, b = 0, c;

	(void)state;
	for (unsigned i = 0; i < CONNECTS; i++) {
		c = sample(80, 0).port;
		assert_true(c >= 32768 && c <= 60999);
		hits[0] += c == b;
		hits[1] += c == (uint16_t)(b + 1);
		hits[2] += c == (uint16_t)(b + 2);
		hits[3] += c == (uint16_t)(b + (b - a));
		hits[4] += c == (uint16_t)(b - 1);
		bucket[(c - 32768) * 16 / (60999 - 32768 + 1)]++;
		a = b;
		b = c;
	}
	for (unsigned i = 0; i < 5; i++)
		assert_true(hits[i] < CONNECTS / 100);
	assert_true(chi_square(bucket) < 37.7);
}

/* Every port of the range is used before the stack says that there is none; none twice. */
static void the_whole_range(void **state)
{
	const struct glass_end remote = end4(PEER, 80);
	struct glass_sock *s[64], *more;
	uint64_t seen = 0;
	struct glass_end local;

	(void)state;
	assert_int_equal(glass_tunable_set(h.g, "ip_port_first", 40000), 0);
	assert_int_equal(glass_tunable_set(h.g, "ip_port_last", 40063), 0);
	for (unsigned i = 0; i < 64; i++) {
		s[i] = glass_socket(h.g, GLASS_TCP);
		assert_int_equal(glass_connect(h.g, s[i], &remote), -EINPROGRESS);
		assert_int_equal(glass_local(s[i], &local), 0);
		seen |= 1ull << (local.port - 40000);
	}
	assert_true(seen == UINT64_MAX);
	more = glass_socket(h.g, GLASS_TCP);
	assert_int_equal(glass_connect(h.g, more, &remote), -EADDRNOTAVAIL);
	for (unsigned i = 0; i < 64; i++)
		glass_abort(h.g, s[i]);
	glass_abort(h.g, more);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(isns_of_different_peers, setup, teardown),
		cmocka_unit_test_setup_teardown(isns_of_the_same_peer, setup, teardown),
		cmocka_unit_test_setup_teardown(ports, setup, teardown),
		cmocka_unit_test_setup_teardown(the_whole_range, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
