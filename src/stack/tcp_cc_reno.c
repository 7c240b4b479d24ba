/* SPDX-License-Identifier: MIT */
/*
 * Reno: RFC 5681 with appropriate byte counting (RFC 3465) and the initial window of RFC 6928.
 * Fast recovery itself is tcp_recovery.c's; an algorithm only says how large windows are.
 *
 * In: tcp_cc.c.  Out: nothing.
 */
#include "tcp.h"

#define ABC_LIMIT 2 /* segments per ACK in slow start, RFC 3465 2.2 */

static void reno_start(struct glass *g, struct tcp_conn *c)
{
	c->cwnd = (uint32_t)g->tun.tcp_initial_window * c->mss;
	c->ssthresh = UINT32_MAX;
	c->cc_count = 0;
}

/* RFC 5681 2: FlightSize, and never below two segments. */
static uint32_t reno_half(const struct tcp_conn *c)
{
	uint32_t half = c->flight_size / 2, least = 2u * c->mss;

	if (half > c->cwnd / 2 && c->cwnd / 2 >= least)
		half = c->cwnd / 2; /* what lies beyond cwnd was not let out by it */
	return half > least ? half : least;
}

static uint32_t reno_lost(struct glass *g, struct tcp_conn *c)
{
	(void)g;
	return reno_half(c);
}

/* A window that was not used is no proof of capacity: RFC 7661 4.3, as Linux decides it. */
static bool cwnd_was_used(const struct tcp_conn *c, uint32_t prior_flight)
{
	if (c->cwnd < c->ssthresh)
		return c->cwnd < 2 * prior_flight;
	return prior_flight + TCP_SUPER_BYTES_MAX >= c->cwnd;
}

static void reno_acked(struct glass *g, struct tcp_conn *c, const struct tcp_ack_sum *sum)
{
	uint32_t acked = sum->acked, limit, grow;

	(void)g;
	if (!cwnd_was_used(c, sum->prior_flight) || c->cwnd > UINT32_MAX / 4)
		return;
	if (c->cwnd < c->ssthresh) {
		/*
		 * One ACK of a peer that receives super-packets stands for many: bytes count (RFC
		 * 3465), but after a timeout at most two segments per ACK.
		 */
		limit = c->ca_state == CA_LOSS ? ABC_LIMIT * c->mss : acked;
		grow = acked < limit ? acked : limit;
		if (grow > c->ssthresh - c->cwnd)
			grow = c->ssthresh -
			       c->cwnd; /* one ACK of many bytes does not leap over it */
		c->cwnd += grow;
		if (c->cwnd < c->ssthresh)
			return;
		acked -= grow;
	}
	c->cc_count += acked;
	while (c->cc_count >= c->cwnd) {
		c->cc_count -= c->cwnd;
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
