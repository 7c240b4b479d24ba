/* SPDX-License-Identifier: MIT */
/*
 * Congestion control: what is common to the algorithms. Each is a file of its own, tcp_cc_*.c, and
 * says how large windows are; what is lost and when to send is tcp_recovery.c's and tcp_output.c's.
 *
 * A window is a measurement of the path, and true only as long as it is used. So it grows only
 * while it is what holds output back (RFC 9438 5.8, RFC 7661), and what rests or stays half empty
 * for a timeout is forgotten by and by (RFC 2861, as Linux does it).
 *
 * In: tcp_recovery.c, tcp_connect.c, tcp_output.c, TCP_CONGESTION.
 * Out: the algorithm of the connection.
 */
#include "tcp_cc.h"
#include "tcp_output.h"
#include "tcp_recovery.h"

#include <string.h>

#define IW_SEGMENT_BYTES 1460
#define CWND_MAX (1u << 30) /* RFC 7323 2.3: no window is larger */
#define ABC_LIMIT 2	    /* segments per ACK in slow start after a timeout, RFC 3465 2.3 */

static const struct tcp_cc *const algorithms[TCP_CC_COUNT] = {
	[TCP_CC_CUBIC] = &tcp_cc_cubic,
	[TCP_CC_RENO] = &tcp_cc_reno,
};

const struct tcp_cc *tcp_cc_at(unsigned i)
{
	return i < TCP_CC_COUNT ? algorithms[i] : NULL;
}

const char *glass_congestion_name(unsigned i)
{
	const struct tcp_cc *cc = tcp_cc_at(i);

	return cc ? cc->name : NULL;
}

void tcp_cc_set(struct glass *g, struct tcp_conn *c, unsigned i)
{
	c->config.cc = (uint8_t)i;
	if (c->cc == algorithms[i])
		return;
	c->cc = algorithms[i];
	memset(&c->cc_state, 0, sizeof(c->cc_state));
	c->cc->start(g, c);
}

/*
 * RFC 6928 2: ten segments, but no more than 14,600 bytes, unless two segments are more. (Linux
 * sends ten of any size.)
 */
uint32_t tcp_cc_initial(const struct glass *g, const struct tcp_conn *c)
{
	uint32_t segments = (uint32_t)g->tun.tcp_initial_window;
	uint32_t most = segments * IW_SEGMENT_BYTES;

	if (most < 2u * c->mss)
		most = 2u * c->mss;
	return segments * c->mss < most ? segments * c->mss : most;
}

void tcp_cc_start(struct glass *g, struct tcp_conn *c)
{
	c->cwnd = tcp_cc_initial(g, c);
	c->ssthresh = UINT32_MAX;
	memset(&c->cc_state, 0, sizeof(c->cc_state));
	c->cc->start(g, c);
	c->out_end = c->snd.nxt;
	c->reduce_end = c->snd.iss;
	c->used_ms = c->data_ms = tcp_now_ms(g);
}

/*
 * RFC 5681 3.1: a path that loses SYNs gets one segment. One lost SYN may have been a timer too
 * short or a neighbour not yet known, so, as Linux, from the second on.
 */
void tcp_cc_established(struct glass *g, struct tcp_conn *c)
{
	if (c->retrans_total > 1)
		c->cwnd = c->mss;
	c->data_ms = c->used_ms = tcp_now_ms(g);
}

void tcp_cc_acked(struct glass *g, struct tcp_conn *c, const struct tcp_ack_sum *sum)
{
	c->cc->acked(g, c, sum);
	if (c->cwnd > CWND_MAX)
		c->cwnd = CWND_MAX;
}

void tcp_cc_reduce(struct glass *g, struct tcp_conn *c, enum tcp_cc_signal signal)
{
	if (c->ca_state == CA_OPEN && tcp_has_flight(c)) {
		c->out->undo_cwnd = c->cwnd;
		c->out->undo_ssthresh = c->ssthresh;
	}
	c->ecn_cwr = c->ecn_ok; /* RFC 3168 6.1.2: told, whatever the reason */
	/* The same congestion that a mark has told of: the window has been reduced for it. */
	if (signal == CC_LOSS && c->reduce_ecn && seq_leq(c->snd.una, c->reduce_end))
		return;
	c->reduce_ecn = signal == CC_ECN;
	c->reduce_end = c->snd.nxt;
	c->ssthresh = signal == CC_TIMEOUT ? c->cc->timed_out(g, c) : c->cc->lost(g, c);
}

/* RFC 9438 4.9, RFC 5682 3: as if nothing had been taken for lost. */
void tcp_cc_undo(struct glass *g, struct tcp_conn *c)
{
	if (c->cwnd < c->out->undo_cwnd)
		c->cwnd = c->out->undo_cwnd;
	c->ssthresh = c->out->undo_ssthresh;
	c->ecn_cwr = false;
	if (c->cc->undo && !c->reduce_ecn) /* else it has not reduced */
		c->cc->undo(g, c);
}

/* ---- for the algorithms --------------------------------------------------------------------- */

/*
 * RFC 5681 (4) counts what is out. What went out beyond cwnd (limited transmit, a probe) was not
 * let out by it and says nothing of the path.
 */
uint32_t tcp_cc_flight(const struct tcp_conn *c)
{
	if (c->flight_size > c->cwnd && c->cwnd >= 2 * tcp_cc_least(c))
		return c->cwnd;
	return c->flight_size;
}

bool tcp_cc_used(const struct tcp_conn *c)
{
	return c->cwnd_limited || (c->cwnd < c->ssthresh && c->cwnd < 2 * c->out_max);
}

/*
 * One ACK of a peer that receives super-packets stands for many segments, so bytes count (RFC
 * 3465); but after a timeout at most two segments per ACK, for then one ACK can tell of much that
 * had left the network long before (RFC 3465 2.3). An ACK of many bytes does not leap over
 * ssthresh.
 */
uint32_t tcp_cc_slow_start(const struct tcp_conn *c, uint32_t *acked)
{
	uint32_t grow = *acked;

	if (c->cwnd >= c->ssthresh)
		return 0;
	if (c->ca_state == CA_LOSS && grow > ABC_LIMIT * (uint32_t)c->mss)
		grow = ABC_LIMIT * (uint32_t)c->mss;
	if (grow > c->ssthresh - c->cwnd)
		grow = c->ssthresh - c->cwnd;
	*acked -= grow;
	return grow;
}

/* ---- windows that are not used --------------------------------------------------------------- */

/* RFC 2861 3: three quarters of the window are remembered. */
static void remember_cwnd(struct tcp_conn *c)
{
	uint32_t most = c->cwnd / 4 * 3;

	if (c->ssthresh < most)
		c->ssthresh = most;
}

static void tell_window(struct glass *g, const struct tcp_conn *c, uint64_t why)
{
	EVENT(g, c->id, 0, TCP_CA, WORD("Open"), c->cwnd, c->ssthresh, why);
}

/* RFC 2861 3.1: halved for each timeout of rest, down to the window of a new connection. */
static void restart(struct glass *g, struct tcp_conn *c, uint32_t idle_ms, uint32_t rto_ms)
{
	uint32_t least = tcp_cc_initial(g, c);

	c->used_ms = tcp_now_ms(g);
	c->out_used = 0;
	if (c->cwnd <= least)
		return;
	remember_cwnd(c);
	for (; idle_ms > rto_ms && c->cwnd > least; idle_ms -= rto_ms)
		c->cwnd /= 2;
	if (c->cwnd < least)
		c->cwnd = least;
	tell_window(g, c, WORD("the connection rested longer than a timeout"));
}

void tcp_cc_sending(struct glass *g, struct tcp_conn *c)
{
	uint32_t idle_ms = tcp_now_ms(g) - c->data_ms, rto_ms = (uint32_t)(c->rto_ns / NS_PER_MS);

	if (!seq_eq(c->snd.una, c->snd.nxt) || !tcp_unsent(c) || !idle_ms)
		return;
	if (c->cc->idle)
		c->cc->idle(c, idle_ms);
	if (g->tun.tcp_slow_start_after_idle && rto_ms && idle_ms > rto_ms)
		restart(g, c, idle_ms, rto_ms);
}

/* RFC 2861 3.2: half way down to what was used. */
static void shrink_unused(struct glass *g, struct tcp_conn *c)
{
	uint32_t used = c->out_used, least = tcp_cc_initial(g, c);

	if (used < least)
		used = least;
	if (c->ca_state == CA_OPEN && used < c->cwnd) {
		remember_cwnd(c);
		c->cwnd = used + (c->cwnd - used) / 2;
		tell_window(g, c, WORD("only a part of the window was used for a timeout"));
	}
	c->out_used = 0;
	c->used_ms = tcp_now_ms(g);
}

void tcp_cc_sent(struct glass *g, struct tcp_conn *c)
{
	uint32_t out = tcp_in_flight(c);
	bool full = out + c->mss > c->cwnd;

	if (full || seq_geq(c->snd.una, c->out_end) || (!c->cwnd_limited && out > c->out_max)) {
		c->cwnd_limited = full;
		c->out_max = out;
		c->out_end = c->snd.nxt;
	}
	if (tcp_cc_used(c)) {
		c->out_used = 0;
		c->used_ms = tcp_now_ms(g);
		return;
	}
	if (out > c->out_used)
		c->out_used = out;
	if (g->tun.tcp_slow_start_after_idle &&
	    tcp_now_ms(g) - c->used_ms >= (uint32_t)(c->rto_ns / NS_PER_MS))
		shrink_unused(g, c);
}
