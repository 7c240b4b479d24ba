/* SPDX-License-Identifier: MIT */
/*
 * A connection without a wire: its window is always full, and a whole window is acknowledged at
 * once per round trip. What congestion control makes of that can be held against formulas.
 */
#ifndef TESTS_UNIT_PATH_H
#define TESTS_UNIT_PATH_H

#include "../frames.h"

#include "../../../src/stack/tcp_cc.h"
#include "../../../src/stack/tcp_recovery.h"

#define PATH_MSS 1000

struct path {
	struct glass *g;
	struct tcp_conn c;
	int64_t rtt_ns;
};

static inline void path_new(struct path *p, unsigned cc, int64_t rtt_ns)
{
	const struct glass_setup setup = { .seed = { 1, 2 }, .now_ns = 1000 * NS_PER_S };

	memset(p, 0, sizeof(*p));
	p->g = glass_new(&setup);
	assert_non_null(p->g);
	p->rtt_ns = p->c.srtt_ns = rtt_ns;
	p->c.rto_ns = NS_PER_S;
	p->c.mss = PATH_MSS;
	p->c.snd.nxt = p->c.snd.una = p->c.snd.iss = seq_of(1);
	p->c.cc = tcp_cc_at(cc);
	p->c.config.cc = (uint8_t)cc;
	p->c.out = tcp_flight_none();
	tcp_cc_start(p->g, &p->c);
	assert_true(tcp_flight_open(p->g, &p->c));
}

static inline void path_free(struct path *p)
{
	tcp_flight_free(p->g, &p->c);
	glass_free(p->g);
}

static inline void path_wait(struct path *p, int64_t ns)
{
	p->g->trace.now_ns += ns;
}

/* The whole window is out. */
static inline void path_fill(struct path *p)
{
	struct tcp_conn *c = &p->c;

	c->snd.nxt = seq_add(c->snd.una, c->cwnd / PATH_MSS * PATH_MSS);
	c->flight_size = c->cwnd / PATH_MSS * PATH_MSS;
	tcp_cc_sent(p->g, c);
}

/* n bytes of what is out are acknowledged, after rtt_ns. */
static inline void path_ack(struct path *p, uint32_t n, int64_t rtt_ns)
{
	struct tcp_ack_sum sum = { .acked = n, .delivered = n, .rtt_ns = rtt_ns };

	sum.prior_flight = tcp_in_flight(&p->c);
	p->c.snd.una = seq_add(p->c.snd.una, n);
	tcp_cc_acked(p->g, &p->c, &sum);
}

/* One round trip with a full window, an ACK for every second segment, spread over its time. */
static inline void path_round(struct path *p, int64_t rtt_ns)
{
	uint32_t left, n, acks;

	path_fill(p);
	left = (uint32_t)seq_diff(p->c.snd.nxt, p->c.snd.una);
	acks = (left / PATH_MSS + 1) / 2;
	for (uint32_t i = 0; left; i++, left -= n) {
		n = left < 2 * PATH_MSS ? left : 2 * PATH_MSS;
		path_wait(p, rtt_ns / acks);
		path_ack(p, n, rtt_ns);
	}
}

/* A loss, and the recovery from it. */
static inline void path_loss(struct path *p)
{
	path_fill(p);
	tcp_cc_reduce(p->g, &p->c, CC_LOSS);
	p->c.cwnd = p->c.ssthresh;
}

#endif
