/* SPDX-License-Identifier: MIT */
/*
 * What of the bytes sent is with the peer, and what is lost. SACK (RFC 2018) tells what arrived;
 * RACK (RFC 8985) concludes from the time of sending what did not; PRR (RFC 9937) paces what is
 * sent meanwhile. A peer without SACK is served by duplicate ACKs (RFC 5681, RFC 6582).
 *
 * In: tcp_check_ack, the timers.  Out: marks on struct tcp_tx and cwnd, which tcp_output obeys.
 */
#include "tcp.h"

#include <assert.h>

static struct seq tx_end(const struct tcp_tx *tx)
{
	return seq_add(tx->seq, tx->len);
}

/* The byte n further on, in the chunks. */
static void tx_advance(struct tcp_conn *c, struct tcp_tx *tx, uint32_t n)
{
	tx->seq = seq_add(tx->seq, n);
	tx->len -= n;
	while (n && tx->chunk) {
		uint32_t left = tx->chunk->off + tx->chunk->len - tx->off;

		if (n < left) {
			tx->off += n;
			return;
		}
		n -= left;
		if (tx->chunk->node.next == &c->chunks) {
			tx->off += left; /* the end of the queue: only a FIN can follow */
			return;
		}
		tx->chunk = container_of(tx->chunk->node.next, struct tcp_chunk, node);
		tx->off = tx->chunk->off;
	}
}

bool tcp_tx_split(struct glass *g, struct tcp_conn *c, struct tcp_tx *tx, uint32_t len)
{
	struct tcp_tx *rest;

	assert(len && len < tx->len);
	rest = pool_alloc(&g->pool, sizeof(*rest));
	if (!rest) {
		stat_inc(g, STAT_NOMEM);
		return false;
	}
	*rest = *tx;
	list_init(&rest->in_flight);
	tx_advance(c, rest, len);
	tx->len = len;
	tx->flags &= (uint8_t)~TX_FIN;
	list_prepend(&tx->node, &rest->node);
	if (!list_empty(&tx->in_flight))
		list_prepend(&tx->in_flight, &rest->in_flight);
	return true;
}

void tcp_tx_sent(struct glass *g, struct tcp_conn *c, struct tcp_tx *tx)
{
	tx->sent_ns = now(g);
	list_remove(&tx->in_flight);
	list_append(&c->flight, &tx->in_flight);
}

/* Takes n bytes of tx out of the counters of its flags. */
static void uncount(struct tcp_conn *c, const struct tcp_tx *tx, uint32_t n)
{
	if (tx->flags & TX_SACKED)
		c->sacked -= n;
	if (tx->flags & TX_LOST)
		c->lost -= n;
	if (tx->flags & TX_RETRANS)
		c->retrans -= n;
}

static void mark_lost(struct glass *g, struct tcp_conn *c, struct tcp_tx *tx, uint64_t why)
{
	EVENT(g, c->id, tx->pkt, TCP_LOST, tx->seq.v - c->snd.iss.v, tx->len, why);
	if (!(tx->flags & TX_LOST))
		c->lost += tx->len;
	if (tx->flags & TX_RETRANS)
		c->retrans -= tx->len;
	tx->flags = (uint8_t)((tx->flags | TX_LOST) & ~TX_RETRANS);
	list_remove(&tx->in_flight);
}

/* RFC 8985 6.2 steps 1 to 4: tx is known to have arrived. */
static void rack_delivered(struct glass *g, struct tcp_conn *c, const struct tcp_tx *tx,
			   struct tcp_ack_sum *sum)
{
	int64_t rtt = now(g) - tx->sent_ns;
	struct seq end = tx_end(tx);

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

static void tx_free(struct glass *g, struct tcp_tx *tx)
{
	list_remove(&tx->node);
	list_remove(&tx->in_flight);
	pool_free(&g->pool, tx, sizeof(*tx));
}

void tcp_sent_purge(struct glass *g, struct tcp_conn *c)
{
	list_for_each_safe(tx, &c->sent, struct tcp_tx, node)
		tx_free(g, tx);
	c->sacked = c->lost = c->retrans = 0;
}

void tcp_sent_acked(struct glass *g, struct tcp_conn *c, struct seq ack, struct tcp_ack_sum *sum)
{
	list_for_each_safe(tx, &c->sent, struct tcp_tx, node) {
		uint32_t n;

		if (seq_geq(tx->seq, ack))
			break;
		if (seq_gt(tx_end(tx), ack)) { /* a part: what stays keeps its marks */
			n = (uint32_t)seq_diff(ack, tx->seq);
			sum->retrans_acked |= tx->flags & TX_EVER_RETRANS;
			uncount(c, tx, n);
			if (!(tx->flags & TX_SACKED)) {
				struct tcp_tx part = *tx;

				part.len = n;
				rack_delivered(g, c, &part, sum);
			}
			tx_advance(c, tx, n);
			break;
		}
		uncount(c, tx, tx->len);
		sum->retrans_acked |= tx->flags & TX_EVER_RETRANS;
		if (!(tx->flags & TX_SACKED))
			rack_delivered(g, c, tx, sum);
		tx_free(g, tx);
	}
}

static void mark_sacked(struct glass *g, struct tcp_conn *c, struct tcp_tx *tx,
			struct tcp_ack_sum *sum)
{
	uncount(c, tx, tx->len);
	rack_delivered(g, c, tx, sum);
	tx->flags = (uint8_t)((tx->flags | TX_SACKED) & ~(TX_LOST | TX_RETRANS));
	c->sacked += tx->len;
	list_remove(&tx->in_flight);
	EVENT(g, c->id, tx->pkt, TCP_SACKED, tx->seq.v - c->snd.iss.v, tx_end(tx).v - c->snd.iss.v,
	      c->sacked);
}

/* One block: the parts of frames that it covers are with the peer. */
static void sack_block(struct glass *g, struct tcp_conn *c, struct tcp_sack_block b,
		       struct tcp_ack_sum *sum)
{
	list_for_each(tx, &c->sent, struct tcp_tx, node) {
		if (seq_geq(tx->seq, b.end))
			return;
		if ((tx->flags & TX_SACKED) || seq_leq(tx_end(tx), b.start))
			continue;
		if (seq_lt(tx->seq, b.start)) { /* the rest of it is looked at next */
			if (!tcp_tx_split(g, c, tx, (uint32_t)seq_diff(b.start, tx->seq)))
				return;
			continue;
		}
		if (seq_gt(tx_end(tx), b.end) &&
		    !tcp_tx_split(g, c, tx, (uint32_t)seq_diff(b.end, tx->seq)))
			return;
		mark_sacked(g, c, tx, sum);
	}
}

void tcp_sack_read(struct glass *g, struct tcp_conn *c, const struct tcp_seg *seg,
		   struct tcp_ack_sum *sum)
{
	for (unsigned i = 0; i < seg->opt.nsack; i++) {
		struct tcp_sack_block b = seg->opt.sack[i];

		if (seq_geq(b.start, b.end) || seq_gt(b.end, c->snd.nxt))
			continue; /* not of this connection */
		/*
		 * RFC 2883 4: the first block, below the ACK or inside the second, reports a
		 * duplicate.
		 */
		if (i == 0 && (seq_leq(b.end, seg->ack) ||
			       (seg->opt.nsack > 1 && seq_geq(b.start, seg->opt.sack[1].start) &&
				seq_leq(b.end, seg->opt.sack[1].end)))) {
			sum->dsack = true;
			c->dsack_dups++;
			continue;
		}
		if (seq_gt(b.start, c->snd.una) || seq_gt(b.end, c->snd.una))
			sack_block(g, c, b, sum);
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
static int64_t rack_detect(struct glass *g, struct tcp_conn *c)
{
	int64_t reo_wnd = rack_reo_wnd(c), longest = 0, left;

	if (!c->rack_sent_ns)
		return 0;
	list_for_each_safe(tx, &c->flight, struct tcp_tx, in_flight) {
		if (tx->sent_ns > c->rack_sent_ns)
			break;
		if (tx->sent_ns == c->rack_sent_ns && seq_geq(tx_end(tx), c->rack_end))
			continue;
		left = tx->sent_ns + c->rack_rtt_ns + reo_wnd - now(g);
		if (left <= 0)
			mark_lost(g, c, tx, WORD("sent before one that has arrived"));
		else if (left > longest)
			longest = left;
	}
	return longest;
}

static void set_ca(struct glass *g, struct tcp_conn *c, enum tcp_ca_state to, uint64_t name,
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
	set_ca(g, c, CA_RECOVERY, WORD("Recovery"), why);
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
	/* The first retransmission always goes; without SACK that of a partial ACK too (RFC 6582).
	 */
	if ((!c->prr_out || (!c->sack_ok && sum->progress)) && allowed < c->mss)
		allowed = c->mss;
	c->cwnd = flight + (uint32_t)allowed;
}

static void leave_recovery(struct glass *g, struct tcp_conn *c, uint64_t why)
{
	if (c->ca_state == CA_RECOVERY)
		c->cwnd = c->ssthresh;
	c->dupacks = 0;
	set_ca(g, c, CA_OPEN, WORD("Open"), why);
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
	mark_lost(g, c, tx, partial ? WORD("a partial ACK") : WORD("three duplicate ACKs"));
}

/* RFC 8985 7.4.2: was it the probe that repaired a loss? Then the loss counts. */
static void tlp_check(struct glass *g, struct tcp_conn *c, const struct tcp_seg *seg,
		      const struct tcp_ack_sum *sum)
{
	if (!c->tlp_out || seq_lt(seg->ack, c->tlp_end))
		return;
	c->tlp_out = false;
	if (!c->tlp_is_retrans || sum->dsack || c->ca_state != CA_OPEN)
		return;
	tcp_cc_reduce(g, c, CC_LOSS);
	c->cwnd = c->ssthresh;
	set_ca(g, c, CA_OPEN, WORD("Open"), WORD("a tail loss probe repaired a loss"));
}

/*
 * RFC 8985 6.2 step 4: duplicates reported by the peer mean that more reordering must be
 * tolerated.
 */
static void rack_note_dsack(struct tcp_conn *c, const struct tcp_ack_sum *sum)
{
	if (sum->dsack) {
		if (c->rack_reo_mult < UINT8_MAX)
			c->rack_reo_mult++;
		c->rack_reo_persist = 16;
	}
}

static void rack_reo_forget(struct tcp_conn *c)
{
	if (c->rack_reo_persist && !--c->rack_reo_persist)
		c->rack_reo_mult = 1;
}

/*
 * What the ACK changes in the congestion state: recovery begins, goes on, ends; the window grows.
 */
void tcp_recover(struct glass *g, struct tcp_conn *c, const struct tcp_seg *seg,
		 struct tcp_ack_sum *sum)
{
	enum tcp_ca_state before = c->ca_state;
	int64_t wait = 0;

	rack_note_dsack(c, sum);
	tlp_check(g, c, seg, sum);
	if (sum->acked && before == CA_LOSS)
		tcp_cc_acked(g, c, sum);
	if (c->ca_state != CA_OPEN && seq_geq(c->snd.una, c->recover)) {
		rack_reo_forget(c);
		leave_recovery(g, c, WORD("all that was out is acknowledged"));
	}
	if (!c->sack_ok)
		dupack_recover(g, c, sum);
	else if (sum->delivered || c->ca_state != CA_OPEN)
		wait = rack_detect(g, c);
	if (c->lost > c->retrans && c->ca_state == CA_OPEN)
		enter_recovery(g, c, WORD("loss"));
	if (c->ca_state == CA_RECOVERY)
		prr_update(g, c, sum);
	else if (sum->acked && before == CA_OPEN) /* what ends a recovery leaves cwnd at ssthresh */
		tcp_cc_acked(g, c, sum);
	c->reorder_at_ns = wait ? now(g) + wait : 0;
}

/* The reordering timer of RACK fired: what was waited for has not come. */
void tcp_rack_timeout(struct glass *g, struct tcp_conn *c)
{
	struct tcp_ack_sum none = { .rtt_ns = -1 };
	int64_t wait = rack_detect(g, c);

	c->reorder_at_ns = wait ? now(g) + wait : 0;
	if (c->lost > c->retrans && c->ca_state == CA_OPEN)
		enter_recovery(g, c, WORD("loss"));
	if (c->ca_state == CA_RECOVERY)
		prr_update(g, c, &none);
}

void tcp_resend_all(struct glass *g, struct tcp_conn *c)
{
	list_for_each(tx, &c->sent, struct tcp_tx, node) {
		if (!(tx->flags & TX_SACKED) &&
		    (!(tx->flags & TX_LOST) || (tx->flags & TX_RETRANS)))
			mark_lost(g, c, tx, WORD("too big for the path"));
	}
	c->tlp_out = false;
}

/*
 * RFC 2018 8: what lies at snd.una and was SACKed is not with the peer any more: it has thrown
 * away what it told of.
 */
static void forget_sacked(struct tcp_conn *c)
{
	list_for_each(tx, &c->sent, struct tcp_tx, node) {
		if (tx->flags & TX_SACKED)
			uncount(c, tx, tx->len);
		tx->flags &= (uint8_t)~TX_SACKED;
	}
}

void tcp_enter_loss(struct glass *g, struct tcp_conn *c)
{
	/* RFC 5681 3.1 (4): a second timeout for the same data does not halve again. */
	c->flight_size = (uint32_t)seq_diff(c->snd.nxt, c->snd.una);
	if (c->ca_state != CA_LOSS)
		tcp_cc_reduce(g, c, CC_TIMEOUT);
	if (!list_empty(&c->sent) && (list_first(&c->sent, struct tcp_tx, node)->flags & TX_SACKED))
		forget_sacked(c);
	list_for_each(tx, &c->sent, struct tcp_tx, node) {
		if (tx->flags & TX_SACKED)
			continue;
		if (!(tx->flags & TX_LOST) || (tx->flags & TX_RETRANS))
			mark_lost(g, c, tx, WORD("the retransmission timer expired"));
	}
	c->cwnd = c->mss;
	c->dupacks = 0;
	c->tlp_out = false;
	c->recover = c->snd.nxt;
	set_ca(g, c, CA_LOSS, WORD("Loss"), WORD("timeout"));
}
