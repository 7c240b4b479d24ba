/* SPDX-License-Identifier: MIT */
/*
 * HyStart++: RFC 9406. Slow start doubles the window each round trip until something breaks. But
 * before a queue overflows it fills, and the round-trip time tells of it: when a round's least one
 * has grown by an eighth, growth slows to a quarter (conservative slow start, CSS); when five
 * rounds of that do not show it was an accident, slow start is over. For the first slow start
 * only: later ones know where to stop, by ssthresh.
 *
 * In: tcp_cc_cubic.c.  Out: nothing.
 */
#include "tcp_cc.h"
#include "tcp_recovery.h"

/* RFC 9406 4.3 */
#define MIN_RTT_THRESH_US 4000u
#define MAX_RTT_THRESH_US 16000u
#define MIN_RTT_DIVISOR 8
#define N_RTT_SAMPLE 8
#define CSS_GROWTH_DIVISOR 4
#define CSS_ROUNDS 5

static void begin_round(struct tcp_conn *c)
{
	struct tcp_hystart *h = &c->cc_state.hystart;

	h->last_us = h->now_us;
	h->now_us = UINT32_MAX;
	h->samples = 0;
	h->begun = false;
}

/* After a recovery that is taken back the path is known: by the least time that it ever had. */
void tcp_hystart_start(struct tcp_conn *c)
{
	struct tcp_hystart *h = &c->cc_state.hystart;
	int64_t known_us = c->rack_min_rtt_ns / 1000;

	*h = (struct tcp_hystart){ 0 };
	h->now_us = known_us > 0 && known_us < UINT32_MAX ? (uint32_t)known_us : UINT32_MAX;
	begin_round(c);
}

static void tell(struct glass *g, const struct tcp_conn *c, uint64_t why)
{
	EVENT(g, c->id, 0, TCP_CA, WORD("Open"), c->cwnd, c->ssthresh, why);
}

/* 4.2: has the delay grown since the last round? */
static bool delay_grew(const struct tcp_hystart *h)
{
	uint32_t thresh = h->last_us / MIN_RTT_DIVISOR;

	if (h->samples < N_RTT_SAMPLE || h->last_us == UINT32_MAX)
		return false;
	if (thresh > MAX_RTT_THRESH_US)
		thresh = MAX_RTT_THRESH_US;
	if (thresh < MIN_RTT_THRESH_US)
		thresh = MIN_RTT_THRESH_US;
	return h->now_us >= h->last_us + thresh;
}

static void take_sample(struct tcp_hystart *h, int64_t rtt_ns)
{
	uint32_t us;

	if (rtt_ns < 0)
		return;
	us = rtt_ns / 1000 < UINT32_MAX ? (uint32_t)(rtt_ns / 1000) : UINT32_MAX - 1;
	if (us < h->now_us)
		h->now_us = us;
	if (h->samples < UINT8_MAX)
		h->samples++;
}

/* Into CSS, or out of it again. */
static void judge(struct glass *g, struct tcp_conn *c, struct tcp_hystart *h)
{
	if (!h->css && delay_grew(h)) {
		h->css = true;
		h->css_rounds = 0;
		h->base_us = h->now_us;
		tell(g, c, WORD("HyStart++: the delay grows, slow start slows down"));
	} else if (h->css && h->samples >= N_RTT_SAMPLE && h->now_us < h->base_us) {
		h->css = false;
		tell(g, c, WORD("HyStart++: the delay fell again, slow start goes on"));
	}
}

/* A round is over. The one in which CSS began counts as its first. */
static void end_round(struct glass *g, struct tcp_conn *c, struct tcp_hystart *h)
{
	if (h->css && ++h->css_rounds >= CSS_ROUNDS) {
		c->ssthresh = c->cwnd;
		tell(g, c, WORD("HyStart++: the delay has grown, slow start is over"));
		return;
	}
	begin_round(c);
}

/*
 * 4.2: a round ends when something arrives that was sent after it began. A SACK tells of that too;
 * cumulative ACKs alone would stretch the round by all that reordering holds them up, while the
 * window goes on growing.
 */
static bool round_over(const struct tcp_conn *c, const struct tcp_hystart *h)
{
	return seq_geq(c->snd.una, h->round_end) ||
	       (tcp_has_flight(c) && seq_geq(c->out->rack_fack, h->round_end));
}

void tcp_hystart_acked(struct glass *g, struct tcp_conn *c, const struct tcp_ack_sum *sum)
{
	struct tcp_hystart *h = &c->cc_state.hystart;
	uint32_t acked = sum->delivered, grow;

	/* Not what was out when the last round ended: that may have been nothing. */
	if (!h->begun)
		h->round_end = c->snd.nxt;
	h->begun = true;
	if (tcp_cc_used(c)) {
		grow = tcp_cc_slow_start(c, &acked);
		c->cwnd += h->css ? grow / CSS_GROWTH_DIVISOR : grow;
	}
	take_sample(h, sum->rtt_ns);
	judge(g, c, h);
	if (round_over(c, h))
		end_round(g, c, h);
}
