/* SPDX-License-Identifier: MIT */
/*
 * The states of congestion: Open, Recovery, Loss. SACK (tcp_sack.c) tells what arrived, RACK
 * (tcp_rack.c) concludes what did not; here recovery begins and ends, and PRR (RFC 9937) paces
 * what is sent meanwhile. A peer without SACK is served by duplicate ACKs (RFC 5681, RFC 6582).
 *
 * In: tcp_check_ack, the timers.  Out: marks on struct tcp_tx and cwnd, which tcp_output obeys.
 */
#include "tcp_recovery.h"

void tcp_set_ca(struct glass *g, struct tcp_conn *c, enum tcp_ca_state to, uint64_t name,
		uint64_t why)
{
	c->ca_state = (uint8_t)to;
	EVENT(g, c->id, 0, TCP_CA, name, c->cwnd, c->ssthresh, why);
}

static void enter_recovery(struct glass *g, struct tcp_conn *c, uint64_t why)
{
	c->recover = c->snd.nxt;
	c->recover_fs = (uint32_t)seq_diff(c->snd.nxt, c->snd.una);
	c->prr_delivered = c->prr_out = 0;
	tcp_cc_reduce(g, c, CC_LOSS);
	stat_inc(g, STAT_TCP_FAST_RECOVERIES);
	tcp_set_ca(g, c, CA_RECOVERY, WORD("Recovery"), why);
}

/* RFC 9937 6.2: as much may be sent as keeps the decrease proportional to what arrives. */
static void prr_update(struct glass *g, struct tcp_conn *c, const struct tcp_ack_sum *sum)
{
	uint32_t flight = tcp_in_flight(c);
	int64_t allowed, limit;

	(void)g;
	c->prr_delivered += sum->delivered;
	if (flight > c->ssthresh) {
		allowed = (int64_t)(((uint64_t)c->prr_delivered * c->ssthresh + c->recover_fs - 1) /
				    c->recover_fs) -
			  c->prr_out;
	} else {
		limit = (int64_t)c->prr_delivered - c->prr_out;
		if (limit < sum->delivered)
			limit = sum->delivered;
		if (sum->progress)
			limit += c->mss; /* safe: nothing further was found lost */
		allowed = (int64_t)c->ssthresh - flight;
		allowed = allowed < limit ? allowed : limit;
	}
	if (allowed < 0)
		allowed = 0;
	if (!c->prr_out && allowed < c->mss)
		allowed = c->mss; /* the first retransmission always goes */
	c->cwnd = flight + (uint32_t)allowed;
}

static void leave_recovery(struct glass *g, struct tcp_conn *c, uint64_t why)
{
	if (c->ca_state == CA_RECOVERY)
		c->cwnd = c->ssthresh;
	c->dupacks = 0;
	tcp_set_ca(g, c, CA_OPEN, WORD("Open"), why);
}

/*
 * RFC 5681 3.2, RFC 6582: no SACK, so the third duplicate, and then each partial ACK, tells of
 * one lost segment.
 */
static void dupack_recover(struct glass *g, struct tcp_conn *c, struct tcp_ack_sum *sum)
{
	struct tcp_tx *tx = list_first(&c->sent, struct tcp_tx, node);
	bool partial = sum->progress && c->ca_state == CA_RECOVERY;

	if (sum->progress)
		c->dupacks = 0;
	if (sum->dupack) {
		if (c->dupacks < UINT8_MAX)
			c->dupacks++;
		sum->delivered += c->mss; /* some segment has left the network */
	}
	if (list_empty(&c->sent) ||
	    !(partial || (c->dupacks == TCP_DUPACKS && c->ca_state == CA_OPEN)))
		return;
	if (tx->flags & TX_LOST)
		return;
	if (tx->len > c->mss && !tcp_tx_split(g, c, tx, c->mss))
		return;
	tcp_mark_lost(g, c, tx, partial ? WORD("a partial ACK") : WORD("three duplicate ACKs"));
}

/*
 * What the ACK changes in the congestion state: recovery begins, goes on, ends; the window grows.
 */
void tcp_recover(struct glass *g, struct tcp_conn *c, const struct tcp_seg *seg,
		 struct tcp_ack_sum *sum)
{
	enum tcp_ca_state before = c->ca_state;
	int64_t wait = 0;

	tcp_rack_dsack(c, sum);
	tcp_tlp_ack(g, c, seg, sum);
	if (sum->acked && before == CA_LOSS)
		tcp_cc_acked(g, c, sum);
	if (c->ca_state != CA_OPEN && seq_geq(c->snd.una, c->recover)) {
		tcp_rack_recovered(c);
		leave_recovery(g, c, WORD("all that was out is acknowledged"));
	}
	if (!c->sack_ok)
		dupack_recover(g, c, sum);
	else if (sum->delivered || c->ca_state != CA_OPEN)
		wait = tcp_rack_detect(g, c);
	if (c->lost > c->retrans && c->ca_state == CA_OPEN)
		enter_recovery(g, c, WORD("loss"));
	if (c->ca_state == CA_RECOVERY)
		prr_update(g, c, sum);
	else if (sum->acked && before == CA_OPEN) /* what ends a recovery leaves cwnd at ssthresh */
		tcp_cc_acked(g, c, sum);
	c->reorder_at_ns = wait ? now(g) + wait : 0;
}

void tcp_enter_loss(struct glass *g, struct tcp_conn *c)
{
	/* RFC 5681 3.1 (4): a second timeout for the same data does not halve again. */
	c->flight_size = (uint32_t)seq_diff(c->snd.nxt, c->snd.una);
	if (c->ca_state != CA_LOSS)
		tcp_cc_reduce(g, c, CC_TIMEOUT);
	if (!list_empty(&c->sent) && (list_first(&c->sent, struct tcp_tx, node)->flags & TX_SACKED))
		tcp_sack_forget(c);
	list_for_each(tx, &c->sent, struct tcp_tx, node) {
		if (tx->flags & TX_SACKED)
			continue;
		if (!(tx->flags & TX_LOST) || (tx->flags & TX_RETRANS))
			tcp_mark_lost(g, c, tx, WORD("the retransmission timer expired"));
	}
	c->cwnd = c->mss;
	c->dupacks = 0;
	c->tlp_out = false;
	c->recover = c->snd.nxt;
	tcp_set_ca(g, c, CA_LOSS, WORD("Loss"), WORD("timeout"));
}

/* The reordering timer of RACK fired: what was waited for has not come. */
void tcp_rack_timeout(struct glass *g, struct tcp_conn *c)
{
	struct tcp_ack_sum none = { .rtt_ns = -1 };
	int64_t wait = tcp_rack_detect(g, c);

	c->reorder_at_ns = wait ? now(g) + wait : 0;
	if (c->lost > c->retrans && c->ca_state == CA_OPEN)
		enter_recovery(g, c, WORD("loss"));
	if (c->ca_state == CA_RECOVERY)
		prr_update(g, c, &none);
}
