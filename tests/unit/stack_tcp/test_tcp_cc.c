/* SPDX-License-Identifier: MIT */
/* What is common to the algorithms: their table, the undo, windows that are not used. */
#include "path.h"

static struct path p;

static int setup(void **state)
{
	(void)state;
	path_new(&p, TCP_CC_RENO, 100 * NS_PER_MS);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	path_free(&p);
	return 0;
}

static void test_table(void **state)
{
	(void)state;
	assert_string_equal(glass_congestion_name(TCP_CC_CUBIC), "cubic");
	assert_string_equal(glass_congestion_name(TCP_CC_RENO), "reno");
	assert_null(glass_congestion_name(TCP_CC_COUNT));
	assert_null(tcp_cc_at(UINT32_MAX));
}

/* RFC 6928: ten segments, or 14,600 bytes, or two segments. */
static void test_initial_window(void **state)
{
	static const struct {
		uint16_t mss;
		uint32_t want;
	} rows[] = { { 536, 5360 },   { 1448, 14480 }, { 1460, 14600 },
		     { 1500, 14600 }, { 8948, 17896 }, { 65160, 130320 } };

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		p.c.mss = rows[i].mss;
		tcp_cc_start(p.g, &p.c);
		assert_int_equal(p.c.cwnd, rows[i].want);
	}
}

static void test_undo(void **state)
{
	(void)state;
	p.c.ssthresh = 50 * PATH_MSS;
	p.c.cwnd = 60 * PATH_MSS;
	path_loss(&p);
	assert_int_equal(p.c.cwnd, 30 * PATH_MSS);
	tcp_cc_undo(p.g, &p.c);
	assert_int_equal(p.c.cwnd, 60 * PATH_MSS);
	assert_int_equal(p.c.ssthresh, 50 * PATH_MSS);
	p.c.cwnd = 70 * PATH_MSS; /* it has grown beyond: an undo takes nothing */
	tcp_cc_undo(p.g, &p.c);
	assert_int_equal(p.c.cwnd, 70 * PATH_MSS);
}

/* Another algorithm goes on where the first one was. */
static void test_change(void **state)
{
	(void)state;
	p.c.ssthresh = 50 * PATH_MSS;
	p.c.cwnd = 60 * PATH_MSS;
	path_round(&p, p.rtt_ns);
	assert_int_equal(p.c.cwnd, 61 * PATH_MSS);
	tcp_cc_set(p.g, &p.c, TCP_CC_CUBIC);
	assert_string_equal(p.c.cc->name, "cubic");
	assert_int_equal(p.c.cwnd, 61 * PATH_MSS);
	path_round(&p, p.rtt_ns);
	path_loss(&p);
	assert_in_range(p.c.cwnd, 42 * PATH_MSS, 44 * PATH_MSS);
	tcp_cc_set(p.g, &p.c, TCP_CC_RENO);
	path_loss(&p);
	assert_in_range(p.c.cwnd, 21 * PATH_MSS, 22 * PATH_MSS);
}

/* RFC 3465: after a timeout an ACK of many segments opens the window by two. */
static void test_two_segments_after_timeout(void **state)
{
	(void)state;
	path_loss(&p);
	p.c.ca_state = CA_LOSS;
	p.c.ssthresh = 20 * PATH_MSS;
	p.c.cwnd = PATH_MSS;
	p.c.cwnd_limited = true;
	path_ack(&p, 8 * PATH_MSS, p.rtt_ns);
	assert_int_equal(p.c.cwnd, 3 * PATH_MSS);
	p.c.ca_state = CA_OPEN;
	path_ack(&p, 8 * PATH_MSS, p.rtt_ns);
	assert_int_equal(p.c.cwnd, 11 * PATH_MSS);
	path_ack(&p, 15 * PATH_MSS, p.rtt_ns); /* nine to ssthresh, the rest counts as Reno's */
	assert_int_equal(p.c.cwnd, 20 * PATH_MSS);
}

/* A window that is not full does not grow: RFC 9438 5.8, RFC 7661 4.3. */
static void test_unused_window_stays(void **state)
{
	(void)state;
	p.c.ssthresh = 20 * PATH_MSS;
	p.c.cwnd = 40 * PATH_MSS;
	for (int i = 0; i < 20; i++) {
		p.c.snd.nxt = seq_add(p.c.snd.una, 30 * PATH_MSS);
		tcp_cc_sent(p.g, &p.c);
		path_wait(&p, 10 * NS_PER_MS);
		path_ack(&p, 30 * PATH_MSS, p.rtt_ns);
	}
	assert_int_equal(p.c.cwnd, 40 * PATH_MSS);
}

/* In slow start more than half of it is enough, for the next window is twice as large. */
static void test_half_a_window_in_slow_start(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		p.c.snd.nxt = seq_add(p.c.snd.una, (i ? 10 : 9) * PATH_MSS);
		tcp_cc_sent(p.g, &p.c);
		path_ack(&p, (i ? 10 : 9) * PATH_MSS, p.rtt_ns);
	}
	assert_int_equal(p.c.cwnd, 29 * PATH_MSS);
	p.c.snd.nxt = seq_add(p.c.snd.una, 14 * PATH_MSS);
	tcp_cc_sent(p.g, &p.c);
	path_ack(&p, 14 * PATH_MSS, p.rtt_ns);
	assert_int_equal(p.c.cwnd, 29 * PATH_MSS);
}

/* RFC 2861 3.1: what is forgotten of the window is remembered by ssthresh, three quarters of it. */
static void test_rest(void **state)
{
	(void)state;
	p.c.ssthresh = 20 * PATH_MSS;
	p.c.cwnd = 160 * PATH_MSS;
	p.c.queued = PATH_MSS;
	p.c.data_ms = tcp_now_ms(p.g);
	path_wait(&p, NS_PER_S);
	tcp_cc_sending(p.g, &p.c);
	assert_int_equal(p.c.cwnd, 160 * PATH_MSS);
	path_wait(&p, NS_PER_S + NS_PER_MS);
	tcp_cc_sending(p.g, &p.c);
	assert_int_equal(p.c.cwnd, 40 * PATH_MSS);
	assert_int_equal(p.c.ssthresh, 120 * PATH_MSS);
	p.c.data_ms = tcp_now_ms(p.g);
	path_wait(&p, 1000000 * NS_PER_S);
	tcp_cc_sending(p.g, &p.c);
	assert_int_equal(p.c.cwnd, 10 * PATH_MSS);
	assert_int_equal(p.c.ssthresh, 120 * PATH_MSS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test_setup_teardown(test_initial_window, setup, teardown),
		cmocka_unit_test_setup_teardown(test_undo, setup, teardown),
		cmocka_unit_test_setup_teardown(test_change, setup, teardown),
		cmocka_unit_test_setup_teardown(test_two_segments_after_timeout, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unused_window_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rest, setup, teardown),
		cmocka_unit_test_setup_teardown(test_half_a_window_in_slow_start, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
