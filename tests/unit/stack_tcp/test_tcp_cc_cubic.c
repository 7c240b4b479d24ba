/* SPDX-License-Identifier: MIT */
/* CUBIC against the formulas of RFC 9438, in real numbers. */
#include <math.h>

#include "path.h"

#define BETA 0.7
#define C_RFC 0.4

static struct path p;

static int setup(void **state)
{
	(void)state;
	path_new(&p, TCP_CC_CUBIC, 100 * NS_PER_MS);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	path_free(&p);
	return 0;
}

static double segments(uint32_t bytes)
{
	return (double)bytes / PATH_MSS;
}

static void assert_near(double got, double want, double part)
{
	if (fabs(got - want) > part * want)
		fail_msg("%f is not within %.1f %% of %f", got, 100 * part, want);
}

/* ---- the integer cube root ------------------------------------------------------------------- */

static void test_cube_root_edges(void **state)
{
	(void)state;
	assert_int_equal(tcp_cube_root(0), 0);
	assert_int_equal(tcp_cube_root(UINT64_MAX), 2642245);
	for (uint64_t r = 1; r <= 2642245; r = r < 3000 ? r + 1 : r + 997) {
		assert_int_equal(tcp_cube_root(r * r * r), r);
		assert_int_equal(tcp_cube_root(r * r * r - 1), r - 1);
		assert_int_equal(tcp_cube_root(r * r * r + 1), r == 1 ? 1 : r);
	}
	assert_int_equal(tcp_cube_root(2642245ull * 2642245 * 2642245), 2642245);
	assert_int_equal(tcp_cube_root(2642245ull * 2642245 * 2642245 - 1), 2642244);
}

static void test_cube_root_powers(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 64; i++)
		for (int d = -1; d <= 1; d++) {
			uint64_t v = (1ull << i) + (uint64_t)d, r = tcp_cube_root(v);

			assert_true(r * r * r <= v);
			assert_true((__extension__(unsigned __int128)(r + 1)) * (r + 1) * (r + 1) >
				    v);
		}
}

/* ---- the curve ------------------------------------------------------------------------------- */

/* W(t) as such, for windows from a few segments to a gigabyte. */
static void test_curve(void **state)
{
	static const uint32_t windows[] = { 4000, 20000, 100000, 1000000, 30000000, 1000000000 };
	static const uint32_t sizes[] = { 48, 536, 1448, 8948, 65160 };

	(void)state;
	for (unsigned w = 0; w < 6; w++)
		for (unsigned m = 0; m < 5; m++) {
			double wmax = (double)windows[w] / sizes[m];
			double k = cbrt(wmax * (1 - BETA) / C_RFC);
			struct tcp_cubic_curve curve = { .w_max = windows[w],
							 .k_ms = (uint32_t)(k * 1000) };

			for (double t = 0; t < 2 * k && t < 200; t += k / 16) {
				double want = C_RFC * pow(t - k, 3) + wmax;
				uint32_t got =
					tcp_cubic_window(&curve, sizes[m], (uint32_t)(t * 1000));

				if (want * sizes[m] > UINT32_MAX)
					break;
				assert_true(fabs(got - want * sizes[m]) <
					    0.005 * want * sizes[m] + sizes[m]);
			}
		}
}

/* Far beyond any epoch nothing overflows. */
static void test_curve_ends(void **state)
{
	struct tcp_cubic_curve curve = { .w_max = 1u << 30, .k_ms = 300000 };

	(void)state;
	assert_int_equal(tcp_cubic_window(&curve, 65160, 0), 0);
	assert_int_equal(tcp_cubic_window(&curve, 65160, UINT32_MAX), UINT32_MAX);
	assert_int_equal(tcp_cubic_window(&curve, 65160, 300000), 1u << 30);
	curve.w_max = UINT32_MAX;
	assert_int_equal(tcp_cubic_window(&curve, 1448, 400000), UINT32_MAX);
}

/* ---- a connection ---------------------------------------------------------------------------- */

/* The beginning of an epoch: a loss at a window of so many segments. */
static void lose_at(uint32_t window)
{
	p.c.ssthresh = p.c.cwnd = window * PATH_MSS;
	memset(&p.c.cc_state, 0, sizeof(p.c.cc_state));
	path_loss(&p);
}

/* T68: the window over time, concave and convex, within 5 % of W(t). */
static void test_window_over_time(void **state)
{
	const double wmax = 1000, k = cbrt(wmax * (1 - BETA) / C_RFC);
	int64_t began;
	double t;

	(void)state;
	lose_at(1000);
	assert_int_equal(p.c.ssthresh, 700 * PATH_MSS);
	began = now(p.g);
	do {
		path_round(&p, p.rtt_ns);
		t = (double)(now(p.g) - began) / 1e9;
		assert_near(segments(p.c.cwnd), C_RFC * pow(t - k, 3) + wmax, 0.05);
	} while (t < 1.8 * k);
	assert_true(segments(p.c.cwnd) > 1.1 * wmax);
}

/* The same for a round trip so long that the curve is far ahead from one to the next. */
static void test_window_long_path(void **state)
{
	const double wmax = 2000, k = cbrt(wmax * (1 - BETA) / C_RFC);
	int64_t began;
	double t;

	(void)state;
	p.rtt_ns = p.c.srtt_ns = 300 * NS_PER_MS;
	lose_at(2000);
	began = now(p.g);
	do {
		path_round(&p, p.rtt_ns);
		t = (double)(now(p.g) - began) / 1e9;
		assert_near(segments(p.c.cwnd), C_RFC * pow(t - k, 3) + wmax, 0.05);
	} while (t < 1.5 * k);
}

/* 4.3: on a short path Reno is faster: alpha segments per round trip, and one beyond cwnd_prior. */
static void test_reno_friendly(void **state)
{
	const double alpha = 3 * (1 - BETA) / (1 + BETA);
	unsigned rounds = 0;

	(void)state;
	p.rtt_ns = p.c.srtt_ns = 5 * NS_PER_MS;
	lose_at(40);
	for (; rounds < 20; rounds++)
		path_round(&p, p.rtt_ns);
	assert_near(segments(p.c.cwnd), 28 + 20 * alpha, 0.05);
	while (p.c.cwnd < 42 * PATH_MSS && rounds++ < 100)
		path_round(&p, p.rtt_ns);
	assert_near(segments(p.c.cwnd), 42, 0.03);
	for (rounds = 0; rounds < 10; rounds++)
		path_round(&p, p.rtt_ns);
	assert_near(segments(p.c.cwnd), 52, 0.03);
}

/* 4.7: a loss below the last W_max makes room. */
static void test_fast_convergence(void **state)
{
	struct tcp_cubic_curve *now_ = &p.c.cc_state.cubic.now;

	(void)state;
	lose_at(100);
	assert_int_equal(now_->w_max, 100 * PATH_MSS);
	path_round(&p, p.rtt_ns);
	p.c.cwnd = 80 * PATH_MSS;
	path_loss(&p);
	assert_int_equal(now_->w_max, 68 * PATH_MSS);
	assert_int_equal(now_->cwnd_prior, 80 * PATH_MSS);
	p.c.cwnd = 120 * PATH_MSS;
	path_loss(&p);
	assert_int_equal(now_->w_max, 120 * PATH_MSS);
}

/* 4.8: after a timeout K = 0 and W_max is the window where slow start ended. */
static void test_timeout(void **state)
{
	int64_t began;

	(void)state;
	lose_at(1000);
	p.c.cwnd = 500 * PATH_MSS;
	path_fill(&p);
	tcp_cc_reduce(p.g, &p.c, CC_TIMEOUT);
	p.c.cwnd = PATH_MSS;
	assert_int_equal(p.c.ssthresh, 350 * PATH_MSS);
	while (p.c.cwnd < p.c.ssthresh)
		path_round(&p, p.rtt_ns);
	path_round(&p, p.rtt_ns);
	began = now(p.g);
	assert_int_equal(p.c.cc_state.cubic.now.k_ms, 0);
	assert_near(segments(p.c.cc_state.cubic.now.w_max), 350, 0.02);
	while (now(p.g) - began < 8 * NS_PER_S)
		path_round(&p, p.rtt_ns);
	assert_near(segments(p.c.cwnd), 350 + C_RFC * pow(8.1, 3), 0.05);
}

/* 4.2: the time in which the window is not used, or the connection rests, does not count. */
static void test_time_stands_still(void **state)
{
	uint32_t before;

	(void)state;
	lose_at(1000);
	for (int i = 0; i < 10; i++)
		path_round(&p, p.rtt_ns);
	before = tcp_now_ms(p.g) - p.c.cc_state.cubic.now.epoch_ms;
	for (int i = 0; i < 5; i++) { /* ten segments in 700: not used */
		p.c.snd.nxt = seq_add(p.c.snd.una, 10 * PATH_MSS);
		tcp_cc_sent(p.g, &p.c);
		path_wait(&p, p.rtt_ns);
		path_ack(&p, 10 * PATH_MSS, p.rtt_ns);
	}
	assert_in_range(tcp_now_ms(p.g) - p.c.cc_state.cubic.now.epoch_ms, before, before + 100);
	before = tcp_now_ms(p.g) - p.c.cc_state.cubic.now.epoch_ms;
	p.c.data_ms = tcp_now_ms(p.g);
	p.c.queued = PATH_MSS;
	path_wait(&p, 30 * NS_PER_S);
	tcp_cc_sending(p.g, &p.c);
	assert_int_equal(tcp_now_ms(p.g) - p.c.cc_state.cubic.now.epoch_ms, before);
}

/* 4.9: what was no loss leaves no trace. */
static void test_undo(void **state)
{
	struct tcp_cubic_curve before;
	uint32_t cwnd, ssthresh;

	(void)state;
	lose_at(1000);
	for (int i = 0; i < 10; i++)
		path_round(&p, p.rtt_ns);
	before = p.c.cc_state.cubic.now;
	cwnd = p.c.cwnd;
	ssthresh = p.c.ssthresh;
	path_loss(&p);
	p.c.ca_state = CA_RECOVERY;
	p.c.flight_size = p.c.cwnd;
	tcp_cc_reduce(p.g, &p.c, CC_TIMEOUT); /* the second sign does not hide what was before */
	p.c.cwnd = PATH_MSS;
	tcp_cc_undo(p.g, &p.c);
	assert_int_equal(p.c.cwnd, cwnd);
	assert_int_equal(p.c.ssthresh, ssthresh);
	assert_memory_equal(&p.c.cc_state.cubic.now, &before, sizeof(before));
}

/* The same for the first loss: slow start goes on, with HyStart++. */
static void test_undo_slow_start(void **state)
{
	(void)state;
	path_round(&p, p.rtt_ns);
	assert_int_equal(p.c.cwnd, 20 * PATH_MSS);
	path_loss(&p);
	assert_int_equal(p.c.cwnd, 14 * PATH_MSS);
	tcp_cc_undo(p.g, &p.c);
	assert_int_equal(p.c.ssthresh, UINT32_MAX);
	path_round(&p, p.rtt_ns);
	assert_int_equal(p.c.cwnd, 40 * PATH_MSS);
}

/* 4.6: never below two segments; and no window grows beyond what RFC 7323 can offer. */
static void test_bounds(void **state)
{
	(void)state;
	lose_at(2);
	assert_int_equal(p.c.ssthresh, 2 * PATH_MSS);
	p.c.ssthresh = UINT32_MAX;
	tcp_cc_start(p.g, &p.c);
	p.c.cwnd = (1u << 30) - 10;
	p.c.cwnd_limited = true;
	path_ack(&p, 1u << 29, p.rtt_ns);
	assert_int_equal(p.c.cwnd, 1u << 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cube_root_edges),
		cmocka_unit_test(test_cube_root_powers),
		cmocka_unit_test(test_curve),
		cmocka_unit_test(test_curve_ends),
		cmocka_unit_test_setup_teardown(test_window_over_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_window_long_path, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reno_friendly, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fast_convergence, setup, teardown),
		cmocka_unit_test_setup_teardown(test_timeout, setup, teardown),
		cmocka_unit_test_setup_teardown(test_time_stands_still, setup, teardown),
		cmocka_unit_test_setup_teardown(test_undo, setup, teardown),
		cmocka_unit_test_setup_teardown(test_undo_slow_start, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bounds, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
