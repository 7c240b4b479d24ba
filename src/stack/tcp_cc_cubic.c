/* SPDX-License-Identifier: MIT */
/*
 * CUBIC: RFC 9438. After a loss the window returns along a cube's curve: fast towards the window
 * where the loss was (W_max), flat around it, then faster and faster beyond it. The curve is a
 * function of time, not of ACKs, so that flows of different round-trip times share alike; where
 *Reno would be faster, its window is taken (4.3).
 *
 *	W(t) = C * (t - K)^3 + W_max,  K = cbrt((W_max - cwnd_epoch) / C)
 *
 * with C = 0.4 segments/s^3; here windows are bytes, times milliseconds, and all numbers whole.
 * A super-packet counts by its bytes. The first slow start is tcp_hystart.c's.
 *
 * In: tcp_cc.c.  Out: tcp_hystart.c.
 */
#include "tcp_cc.h"
#include "tcp_recovery.h"

#include <string.h>

#define BETA_NUM 7 /* 4.6: multiplicative decrease, 0.7 */
#define BETA_DEN 10
#define CONVERGE_NUM 17 /* 4.7: (1 + beta) / 2 */
#define CONVERGE_DEN 20
#define ALPHA_NUM 9 /* 4.3: 3 * (1 - beta) / (1 + beta) */
#define ALPHA_DEN 17
#define SPAN_MS_MAX (1u << 18) /* of |t - K|: so that the product below fits into 64 bits */

/* The largest r with r^3 <= v: one binary digit after the other. */
uint32_t tcp_cube_root(uint64_t v)
{
	uint64_t r = 0, b;

	for (int s = 63; s >= 0; s -= 3) {
		r <<= 1;
		b = 3 * r * (r + 1) + 1; /* (r + 1)^3 - r^3 */
		if (v >> s >= b) {
			v -= b << s;
			r++;
		}
	}
	return (uint32_t)r;
}

/* W(t) in bytes: C * mss * (n / 1000)^3 is n^3 / 1000 * 4 * mss / 10^7. */
uint32_t tcp_cubic_window(const struct tcp_cubic_curve *k, uint32_t mss, uint32_t t_ms)
{
	uint64_t n = t_ms < k->k_ms ? k->k_ms - t_ms : t_ms - k->k_ms, bytes;

	if (n > SPAN_MS_MAX)
		n = SPAN_MS_MAX;
	bytes = n * n * n / 1000 * (4 * mss) / 10000000;
	if (t_ms < k->k_ms)
		return bytes < k->w_max ? k->w_max - (uint32_t)bytes : 0;
	return bytes < UINT32_MAX - k->w_max ? k->w_max + (uint32_t)bytes : UINT32_MAX;
}

static void cubic_start(struct glass *g, struct tcp_conn *c)
{
	(void)g;
	if (c->ssthresh == UINT32_MAX)
		tcp_hystart_start(c);
}

/* 4.2: congestion avoidance begins, or begins again after a reduction. */
static void begin_epoch(struct glass *g, const struct tcp_conn *c, struct tcp_cubic *s)
{
	struct tcp_cubic_curve *k = &s->now;

	k->epoch_ms = tcp_now_ms(g) ? tcp_now_ms(g) : 1;
	k->w_est = c->cwnd;
	s->est_count = s->rest = 0;
	if (k->w_max > c->cwnd) {
		/* K^3 / 10^9 = (W_max - cwnd) / mss / 0.4; below 2^30 * 2.5 * 10^9 < 2^63 */
		k->k_ms = tcp_cube_root((uint64_t)(k->w_max - c->cwnd) * 2500000000u / c->mss);
	} else { /* 4.8, 4.10: nothing is known of a better window */
		k->k_ms = 0;
		k->w_max = c->cwnd;
	}
}

/* 4.3: Reno's window, had it reduced by our beta; once it has won back what was lost, Reno's own.
 */
static uint32_t reno_window(const struct tcp_conn *c, struct tcp_cubic *s, uint32_t acked)
{
	if (s->now.w_est < s->now.cwnd_prior)
		acked = (uint32_t)((uint64_t)acked * ALPHA_NUM / ALPHA_DEN);
	s->est_count += acked;
	while (s->est_count >= c->cwnd) {
		s->est_count -= c->cwnd;
		s->now.w_est += c->mss;
	}
	return s->now.w_est;
}

/* 4.4, 4.5: in a round trip the window gets to where the curve will be then. */
static void follow_curve(struct tcp_conn *c, struct tcp_cubic *s, uint32_t target, uint32_t acked)
{
	uint32_t most = c->cwnd + c->cwnd / 2;
	uint64_t n;

	if (target > most)
		target = most;
	if (target <= c->cwnd)
		return;
	if (acked > c->cwnd)
		acked = c->cwnd;
	n = (uint64_t)(target - c->cwnd) * acked + s->rest;
	s->rest = (uint32_t)(n % c->cwnd);
	c->cwnd += (uint32_t)(n / c->cwnd);
}

static void avoid_congestion(struct glass *g, struct tcp_conn *c, uint32_t acked)
{
	uint32_t srtt_ms = (uint32_t)(c->srtt_ns / NS_PER_MS), t, est;
	struct tcp_cubic *s = &c->cc_state.cubic;

	if (!s->now.epoch_ms)
		begin_epoch(g, c, s);
	t = tcp_now_ms(g) - s->now.epoch_ms;
	est = reno_window(c, s, acked);
	if (tcp_cubic_window(&s->now, c->mss, t) >= est)
		follow_curve(c, s, tcp_cubic_window(&s->now, c->mss, t + srtt_ms), acked);
	else if (c->cwnd < est)
		c->cwnd = est;
}

/* 4.2: the time in which cwnd was not used MUST NOT count. */
static void stop_clock(struct glass *g, struct tcp_cubic *s)
{
	if (s->now.epoch_ms)
		s->now.epoch_ms += tcp_now_ms(g) - s->acked_ms;
}

static void cubic_acked(struct glass *g, struct tcp_conn *c, const struct tcp_ack_sum *sum)
{
	uint32_t acked = sum->delivered;

	if (c->ssthresh == UINT32_MAX) {
		tcp_hystart_acked(g, c, sum);
		if (c->ssthresh != UINT32_MAX) /* its place is ours now */
			memset(&c->cc_state, 0, sizeof(c->cc_state));
		return;
	}
	if (tcp_cc_used(c)) {
		c->cwnd += tcp_cc_slow_start(c, &acked);
		if (c->cwnd >= c->ssthresh)
			avoid_congestion(g, c, acked);
	} else {
		stop_clock(g, &c->cc_state.cubic);
	}
	c->cc_state.cubic.acked_ms = tcp_now_ms(g);
}

/* What is common to losses and timeouts. */
static uint32_t reduce(struct tcp_conn *c, uint32_t w_max)
{
	struct tcp_cubic *s = &c->cc_state.cubic;
	uint32_t ssthresh = (uint32_t)((uint64_t)tcp_cc_flight(c) * BETA_NUM / BETA_DEN);

	if (c->ca_state == CA_OPEN)
		s->undo = s->now;
	s->now.w_max = w_max;
	s->now.cwnd_prior = c->cwnd;
	s->now.epoch_ms = 0;
	return ssthresh > tcp_cc_least(c) ? ssthresh : tcp_cc_least(c);
}

/* The first slow start has ended by a loss: what HyStart++ knew is of no use any more. */
static void forget_hystart(struct tcp_conn *c)
{
	if (c->ssthresh == UINT32_MAX)
		memset(&c->cc_state, 0, sizeof(c->cc_state));
}

static uint32_t cubic_lost(struct glass *g, struct tcp_conn *c)
{
	uint32_t w_max = c->cwnd;

	(void)g;
	forget_hystart(c);
	/* 4.7, fast convergence: it became narrower, so room is made for newcomers. */
	if (c->cwnd < c->cc_state.cubic.now.w_max)
		w_max = (uint32_t)((uint64_t)c->cwnd * CONVERGE_NUM / CONVERGE_DEN);
	return reduce(c, w_max);
}

/* 4.8: after a timeout the curve begins where slow start ends, K = 0. */
static uint32_t cubic_timed_out(struct glass *g, struct tcp_conn *c)
{
	(void)g;
	forget_hystart(c);
	return reduce(c, 0);
}

/* 4.9 */
static void cubic_undo(struct glass *g, struct tcp_conn *c)
{
	struct tcp_cubic *s = &c->cc_state.cubic;

	if (c->ssthresh != UINT32_MAX) {
		s->now = s->undo;
		return;
	}
	memset(&c->cc_state, 0, sizeof(c->cc_state));
	cubic_start(g, c);
}

/* 4.2 and 5.8: a rest is not part of the curve's time. */
static void cubic_idle(struct tcp_conn *c, uint32_t idle_ms)
{
	struct tcp_cubic *s = &c->cc_state.cubic;

	if (c->ssthresh == UINT32_MAX || !s->now.epoch_ms)
		return;
	s->now.epoch_ms += idle_ms;
	s->acked_ms += idle_ms;
}

const struct tcp_cc tcp_cc_cubic = {
	.name = "cubic",
	.start = cubic_start,
	.acked = cubic_acked,
	.lost = cubic_lost,
	.timed_out = cubic_timed_out,
	.undo = cubic_undo,
	.idle = cubic_idle,
};
