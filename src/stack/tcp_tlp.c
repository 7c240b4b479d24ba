/* SPDX-License-Identifier: MIT */
/*
 * Tail loss probe, RFC 8985 section 7: when the last segments of a flight are lost nothing comes
 * back that could tell; one segment more, after two round trips, makes the peer speak.
 *
 * In: tcp_timer.c, tcp_recovery.c.  Out: tcp_segment.c.
 */
#include "tcp_recovery.h"

#define PROBE_MIN_NS (2 * NS_PER_MS) /* a peer's scheduling delay is no loss */

/* RFC 8985 7.2: the probe's time-out; 0: this is not the time for one. */
int64_t tcp_tlp_timeout(const struct glass *g, const struct tcp_conn *c)
{
	int64_t pto = 2 * c->srtt_ns;

	if (!c->sack_ok || c->ca_state != CA_OPEN || c->tlp_out || c->sacked || c->lost ||
	    !c->srtt_ns)
		return 0;
	if (tcp_in_flight(c) <= c->mss)
		return 0; /* a delayed ACK could be all that is late: the RTO has it */
	if (pto < PROBE_MIN_NS)
		pto = PROBE_MIN_NS;
	return pto < tcp_rto(g, c, c->backoff) ? pto : 0;
}

/* RFC 8985 7.3: new data when there is some and it may go; else the last segment again. */
void tcp_tlp_send(struct glass *g, struct tcp_conn *c)
{
	int32_t window = seq_diff(seq_add(c->snd.una, c->snd.wnd), c->snd.nxt);
	uint32_t unsent = tcp_unsent(c), n = unsent < c->mss ? unsent : c->mss;
	struct tcp_tx *tx = list_last(&c->sent, struct tcp_tx, node);

	stat_inc(g, STAT_TCP_LOSS_PROBES);
	c->tlp_out = true;
	if (n && window >= (int32_t)n && tcp_send_data(g, c, n, false)) {
		c->tlp_is_retrans = false;
	} else {
		if (tx->len > c->mss && tcp_tx_split(g, c, tx, (tx->len - 1) / c->mss * c->mss))
			tx = list_last(&c->sent, struct tcp_tx, node);
		c->tlp_is_retrans = true;
		tcp_retransmit(g, c, tx, c->mss, WORD("tail loss probe"));
	}
	c->tlp_end = c->snd.nxt;
	tcp_rearm(g, c, true);
}

/* RFC 8985 7.4.2: was it the probe that repaired a loss? Then the loss counts. */
void tcp_tlp_ack(struct glass *g, struct tcp_conn *c, const struct tcp_seg *seg,
		 const struct tcp_ack_sum *sum)
{
	if (!c->tlp_out || seq_lt(seg->ack, c->tlp_end))
		return;
	c->tlp_out = false;
	if (!c->tlp_is_retrans || sum->dsack || c->ca_state != CA_OPEN)
		return;
	tcp_cc_reduce(g, c, CC_LOSS);
	c->cwnd = c->ssthresh;
	tcp_set_ca(g, c, CA_OPEN, WORD("Open"), WORD("a tail loss probe repaired a loss"));
}
