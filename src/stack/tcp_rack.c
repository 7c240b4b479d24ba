/* SPDX-License-Identifier: MIT */
/*
 * RACK, RFC 8985 section 6: what was sent before something that has arrived, and has not arrived
 * itself within a time that reordering could explain, is lost.
 *
 * In: tcp_sent.c and tcp_sack.c (what has arrived), tcp_recovery.c.  Out: tcp_mark_lost.
 */
#include "tcp_recovery.h"

/* RFC 8985 6.2 steps 1 to 4: tx is known to have arrived. */
void tcp_rack_delivered(struct glass *g, struct tcp_conn *c, const struct tcp_tx *tx,
			struct tcp_ack_sum *sum)
{
	int64_t rtt = now(g) - tx->sent_ns;
	struct seq end = tcp_tx_end(tx);

	sum->delivered += tx->len;
	if (!(tx->flags & TX_EVER_RETRANS)) {
		sum->rtt_ns = rtt; /* Karn: the newest one that was sent once */
		if (rtt < c->rack_min_rtt_ns)
			c->rack_min_rtt_ns = rtt;
		if (seq_gt(c->rack_fack, end) && c->rack_fack.v)
			c->rack_reordering = true; /* step 3 */
	} else if (rtt < c->rack_min_rtt_ns) {
		return; /* too early for the copy: it is the original that arrived */
	}
	c->rack_fack = seq_max(c->rack_fack.v ? c->rack_fack : end, end);
	if (tx->sent_ns > c->rack_sent_ns ||
	    (tx->sent_ns == c->rack_sent_ns && seq_gt(end, c->rack_end))) {
		c->rack_sent_ns = tx->sent_ns;
		c->rack_end = end;
		c->rack_rtt_ns = rtt;
	}
}

/* RFC 8985 6.2 step 4: how much reordering to tolerate. */
static int64_t rack_reo_wnd(const struct tcp_conn *c)
{
	int64_t wnd;

	if (!c->rack_reordering &&
	    (c->ca_state != CA_OPEN || c->sacked >= TCP_DUPACKS * (uint32_t)c->mss))
		return 0;
	if (c->rack_min_rtt_ns == INT64_MAX)
		return c->srtt_ns; /* nothing has arrived yet that was sent once */
	wnd = c->rack_min_rtt_ns / 4 * c->rack_reo_mult;
	return wnd < c->srtt_ns ? wnd : c->srtt_ns;
}

/* RFC 8985 6.2 step 5. Answers how long until the next frame would count as lost; 0: none. */
int64_t tcp_rack_detect(struct glass *g, struct tcp_conn *c)
{
	int64_t reo_wnd = rack_reo_wnd(c), longest = 0, left;

	if (!c->rack_sent_ns)
		return 0;
	list_for_each_safe(tx, &c->flight, struct tcp_tx, in_flight) {
		if (tx->sent_ns > c->rack_sent_ns)
			break;
		if (tx->sent_ns == c->rack_sent_ns && seq_geq(tcp_tx_end(tx), c->rack_end))
			continue;
		left = tx->sent_ns + c->rack_rtt_ns + reo_wnd - now(g);
		if (left <= 0)
			tcp_mark_lost(g, c, tx, WORD("sent before one that has arrived"));
		else if (left > longest)
			longest = left;
	}
	return longest;
}

/*
 * RFC 8985 6.2 step 4: duplicates reported by the peer mean that more reordering must be
 * tolerated.
 */
void tcp_rack_dsack(struct tcp_conn *c, const struct tcp_ack_sum *sum)
{
	if (sum->dsack) {
		if (c->rack_reo_mult < UINT8_MAX)
			c->rack_reo_mult++;
		c->rack_reo_persist = 16;
	}
}

void tcp_rack_recovered(struct tcp_conn *c)
{
	if (c->rack_reo_persist && !--c->rack_reo_persist)
		c->rack_reo_mult = 1;
}
