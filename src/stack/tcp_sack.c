/* SPDX-License-Identifier: MIT */
/*
 * The scoreboard, RFC 2018 and RFC 6675: SACK blocks become marks on the frames that were sent.
 *
 * In: tcp_check_ack.  Out: tcp_sent.c (marks), tcp_rack.c (what has arrived).
 */
#include "tcp_recovery.h"

static void mark_sacked(struct glass *g, struct tcp_conn *c, struct tcp_tx *tx,
			struct tcp_ack_sum *sum)
{
	tcp_tx_uncount(c, tx, tx->len);
	tcp_rack_delivered(g, c, tx, sum);
	tx->flags = (uint8_t)((tx->flags | TX_SACKED) & ~(TX_LOST | TX_RETRANS));
	c->sacked += tx->len;
	list_remove(&tx->in_flight);
	EVENT(g, c->id, tx->pkt, TCP_SACKED, tx->seq.v - c->snd.iss.v,
	      tcp_tx_end(tx).v - c->snd.iss.v, c->sacked);
}

/* One block: the parts of frames that it covers are with the peer. */
static void sack_block(struct glass *g, struct tcp_conn *c, struct tcp_sack_block b,
		       struct tcp_ack_sum *sum)
{
	list_for_each(tx, &c->sent, struct tcp_tx, node) {
		if (seq_geq(tx->seq, b.end))
			return;
		if ((tx->flags & TX_SACKED) || seq_leq(tcp_tx_end(tx), b.start))
			continue;
		if (seq_lt(tx->seq, b.start)) { /* the rest of it is looked at next */
			if (!tcp_tx_split(g, c, tx, (uint32_t)seq_diff(b.start, tx->seq)))
				return;
			continue;
		}
		if (seq_gt(tcp_tx_end(tx), b.end) &&
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

/*
 * RFC 2018 8: what lies at snd.una and was SACKed is not with the peer any more: it has thrown
 * away what it told of.
 */
void tcp_sack_forget(struct tcp_conn *c)
{
	list_for_each(tx, &c->sent, struct tcp_tx, node) {
		if (tx->flags & TX_SACKED)
			tcp_tx_uncount(c, tx, tx->len);
		tx->flags &= (uint8_t)~TX_SACKED;
	}
}
