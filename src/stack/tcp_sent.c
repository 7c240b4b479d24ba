/* SPDX-License-Identifier: MIT */
/*
 * What was sent and is not acknowledged: a struct tcp_tx per frame, in order of sequence numbers,
 * and the marks on it. A frame is in flight, or lost, or with the peer.
 *
 * In: tcp_check_ack, tcp_segment.c (what goes out), the rooms of recovery.  Out: nothing.
 */
#include "tcp_recovery.h"

#include <assert.h>

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
	tx->flags &= (uint8_t) ~(TX_FIN | TX_PSH);
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
void tcp_tx_uncount(struct tcp_conn *c, const struct tcp_tx *tx, uint32_t n)
{
	if (tx->flags & TX_SACKED)
		c->sacked -= n;
	if (tx->flags & TX_LOST)
		c->lost -= n;
	if (tx->flags & TX_RETRANS)
		c->retrans -= n;
}

void tcp_mark_lost(struct glass *g, struct tcp_conn *c, struct tcp_tx *tx, uint64_t why)
{
	EVENT(g, c->id, tx->pkt, TCP_LOST, tx->seq.v - c->snd.iss.v, tx->len, why);
	if (!(tx->flags & TX_LOST))
		c->lost += tx->len;
	if (tx->flags & TX_RETRANS)
		c->retrans -= tx->len;
	tx->flags = (uint8_t)((tx->flags | TX_LOST) & ~TX_RETRANS);
	list_remove(&tx->in_flight);
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
		if (seq_gt(tcp_tx_end(tx), ack)) { /* a part: what stays keeps its marks */
			n = (uint32_t)seq_diff(ack, tx->seq);
			sum->retrans_acked |= tx->flags & TX_EVER_RETRANS;
			tcp_tx_uncount(c, tx, n);
			if (!(tx->flags & TX_SACKED)) {
				struct tcp_tx part = *tx;

				part.len = n;
				tcp_rack_delivered(g, c, &part, sum);
			}
			tx_advance(c, tx, n);
			break;
		}
		tcp_tx_uncount(c, tx, tx->len);
		sum->retrans_acked |= tx->flags & TX_EVER_RETRANS;
		if (!(tx->flags & TX_SACKED))
			tcp_rack_delivered(g, c, tx, sum);
		tx_free(g, tx);
	}
}

void tcp_resend_all(struct glass *g, struct tcp_conn *c)
{
	list_for_each(tx, &c->sent, struct tcp_tx, node) {
		if (!(tx->flags & TX_SACKED) &&
		    (!(tx->flags & TX_LOST) || (tx->flags & TX_RETRANS)))
			tcp_mark_lost(g, c, tx, WORD("too big for the path"));
	}
	c->tlp_out = false;
}
