/* SPDX-License-Identifier: MIT */
/*
 * Reno: RFC 5681 with appropriate byte counting (RFC 3465). Fast recovery itself is
 * tcp_recovery.c's; an algorithm only says how large windows are.
 *
 * In: tcp_cc.c.  Out: nothing.
 */
#include "tcp_cc.h"
#include "tcp_recovery.h"

static void reno_start(struct glass *g, struct tcp_conn *c)
{
	(void)g;
	c->cc_state.reno_count = 0;
}

/* RFC 5681 (4): half of what was out, and never below two segments. */
static uint32_t reno_lost(struct glass *g, struct tcp_conn *c)
{
	uint32_t half = tcp_cc_flight(c) / 2;

	(void)g;
	return half > tcp_cc_least(c) ? half : tcp_cc_least(c);
}

static void reno_acked(struct glass *g, struct tcp_conn *c, const struct tcp_ack_sum *sum)
{
	uint32_t acked = sum->delivered;

	(void)g;
	if (!tcp_cc_used(c))
		return;
	c->cwnd += tcp_cc_slow_start(c, &acked);
	if (c->cwnd < c->ssthresh)
		return;
	c->cc_state.reno_count += acked;
	while (c->cc_state.reno_count >= c->cwnd) {
		c->cc_state.reno_count -= c->cwnd;
		c->cwnd += c->mss;
	}
}

const struct tcp_cc tcp_cc_reno = {
	.name = "reno",
	.start = reno_start,
	.acked = reno_acked,
	.lost = reno_lost,
	.timed_out = reno_lost,
};
