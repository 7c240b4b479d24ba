/* SPDX-License-Identifier: MIT */
/* T69: HyStart++ (RFC 9406) over round trips that a test makes up. */
#include "path.h"

#define BASE_NS (50 * NS_PER_MS)

static struct path p;

static int setup(void **state)
{
	(void)state;
	path_new(&p, TCP_CC_CUBIC, BASE_NS);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	path_free(&p);
	return 0;
}

/* A delay that does not grow: the window doubles, round after round. */
static void test_steady_delay(void **state)
{
	(void)state;
	for (uint32_t w = 10; w < 20000; w *= 2) {
		assert_int_equal(p.c.cwnd, w * PATH_MSS);
		path_round(&p, BASE_NS);
	}
	assert_int_equal(p.c.ssthresh, UINT32_MAX);
}

/* A little more, below an eighth, is no sign. */
static void test_below_the_threshold(void **state)
{
	(void)state;
	for (int i = 0; i < 6; i++)
		path_round(&p, BASE_NS + i * 6 * NS_PER_MS);
	assert_int_equal(p.c.cwnd, 640 * PATH_MSS);
	assert_false(p.c.cc_state.hystart.css);
}

/* An eighth more: growth slows to a quarter, and after five rounds slow start is over. */
static void test_delay_grows(void **state)
{
	uint32_t before;

	(void)state;
	for (int i = 0; i < 3; i++)
		path_round(&p, BASE_NS);
	assert_int_equal(p.c.cwnd, 80 * PATH_MSS);
	path_round(&p, BASE_NS + 8 * NS_PER_MS); /* noticed at its eighth sample */
	assert_true(p.c.cc_state.hystart.css);
	assert_in_range(p.c.cwnd, 100 * PATH_MSS, 120 * PATH_MSS);
	for (int i = 0; i < 3; i++) {
		before = p.c.cwnd;
		path_round(&p, BASE_NS + 10 * NS_PER_MS);
		assert_in_range(p.c.cwnd, before + before / 5, before + before / 4);
	}
	assert_int_equal(p.c.ssthresh, UINT32_MAX);
	path_round(&p, BASE_NS + 10 * NS_PER_MS);
	assert_in_range(p.c.ssthresh, 200 * PATH_MSS, p.c.cwnd);
	before = p.c.cwnd;
	path_round(&p, BASE_NS + 10 * NS_PER_MS);
	assert_in_range(p.c.cwnd, before, before + 3 * PATH_MSS);
}

/* The delay falls again during CSS: it was an accident, and slow start goes on. */
static void test_accident(void **state)
{
	uint32_t before;

	(void)state;
	for (int i = 0; i < 3; i++)
		path_round(&p, BASE_NS);
	path_round(&p, BASE_NS + 8 * NS_PER_MS);
	assert_true(p.c.cc_state.hystart.css);
	path_round(&p, BASE_NS);
	assert_false(p.c.cc_state.hystart.css);
	before = p.c.cwnd;
	path_round(&p, BASE_NS);
	assert_int_equal(p.c.cwnd, before * 2);
}

/* Fewer than eight samples say nothing; nor do round trips below 4 ms more. */
static void test_little_evidence(void **state)
{
	(void)state;
	path_round(&p, BASE_NS); /* five ACKs */
	path_fill(&p);
	for (int i = 0; i < 7; i++)
		path_ack(&p, PATH_MSS, 2 * BASE_NS);
	assert_false(p.c.cc_state.hystart.css);

	path_free(&p);
	path_new(&p, TCP_CC_CUBIC, NS_PER_MS);
	for (int i = 0; i < 6; i++)
		path_round(&p, NS_PER_MS / 2 + i * 700000);
	assert_int_equal(p.c.cwnd, 640 * PATH_MSS);
}

/* ACKs without a sample of their own (Karn) leave the rounds as they are. */
static void test_no_sample(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		path_round(&p, BASE_NS);
	path_round(&p, -1);
	assert_int_equal(p.c.cc_state.hystart.samples, 0);
	assert_int_equal(p.c.cwnd, 160 * PATH_MSS);
}

/* Where reordering holds the cumulative ACK up, a SACK of what was sent later ends the round. */
static void test_a_sack_ends_a_round(void **state)
{
	struct tcp_ack_sum sack = { .delivered = PATH_MSS, .rtt_ns = BASE_NS + 8 * NS_PER_MS };

	(void)state;
	for (int i = 0; i < 3; i++)
		path_round(&p, BASE_NS);
	path_fill(&p);
	path_ack(&p, PATH_MSS, BASE_NS);
	p.c.out->rack_fack = p.c.snd.nxt;
	tcp_cc_acked(p.g, &p.c, &sack);
	p.c.snd.nxt = seq_add(p.c.snd.nxt, 10 * PATH_MSS);
	for (int i = 0; i < 8; i++) /* of the next round */
		tcp_cc_acked(p.g, &p.c, &sack);
	assert_true(p.c.cc_state.hystart.css);
}

/* Later slow starts know where to stop. */
static void test_first_slow_start_only(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		path_round(&p, BASE_NS);
	path_fill(&p);
	tcp_cc_reduce(p.g, &p.c, CC_TIMEOUT);
	p.c.cwnd = PATH_MSS;
	path_round(&p, 3 * BASE_NS);
	path_round(&p, 9 * BASE_NS);
	assert_int_equal(p.c.cwnd, 4 * PATH_MSS);
	assert_int_equal(p.c.ssthresh, 56 * PATH_MSS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_steady_delay, setup, teardown),
		cmocka_unit_test_setup_teardown(test_below_the_threshold, setup, teardown),
		cmocka_unit_test_setup_teardown(test_delay_grows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_accident, setup, teardown),
		cmocka_unit_test_setup_teardown(test_little_evidence, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_sample, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_sack_ends_a_round, setup, teardown),
		cmocka_unit_test_setup_teardown(test_first_slow_start_only, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
