/* SPDX-License-Identifier: MIT */
/*
 * What was sent and is not acknowledged: a struct tcp_tx per frame. Each is found in the order that
 * the question needs, and no ACK walks over frames that it does not change, for a peer chooses what
 * an ACK says, and a window is tens of thousands of frames:
 *
 *	sent		by sequence number: the next, the one before
 *	sent_at		by sequence number, a tree: where a SACK block begins
 *	flight		in flight, by order of sending: RACK looks at the oldest until one is young
 *	to_resend	lost, by sequence number, a tree: what goes out next
 *
 * What the peer has (TX_SACKED) is one frame with its neighbours that the peer has. Only a timeout
 * and a change of the path look at all.
 *
 * In: tcp_check_ack, tcp_segment.c (what goes out), the rooms of recovery.  Out: nothing.
 */
#include "tcp.h"
#include "tcp_account.h"
#include "tcp_recovery.h"

#include <assert.h>

static uint32_t priority(struct glass *g)
{
	return (uint32_t)rng_u64(&g->rng);
}

/* Lost, and not sent again since. */
static bool waits(const struct tcp_tx *tx)
{
	return (tx->flags & (TX_LOST | TX_RETRANS)) == TX_LOST;
}

struct tcp_tx *tcp_next_lost(const struct tcp_conn *c)
{
	struct seqnode *n = seqtree_first(&c->out->to_resend);

	return n ? container_of(n, struct tcp_tx, to_resend) : NULL;
}

struct tcp_tx *tcp_sent_find(const struct tcp_conn *c, struct seq s)
{
	struct seqnode *n = seqtree_floor(&c->out->sent_at, s);
	struct tcp_tx *tx;

	if (!n)
		return NULL;
	tx = container_of(n, struct tcp_tx, at);
	return seq_lt(s, tcp_tx_end(tx)) ? tx : NULL;
}

static uint32_t segments_of(const struct tcp_tx *tx)
{
	uint32_t payload = tx->len - !!(tx->flags & TX_FIN);

	return payload > tx->mss ? (payload + tx->mss - 1) / tx->mss : 1;
}

/* tx begins n bytes later. */
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

/* Out of the flight, or out of what is to be sent again. */
static void withdraw(struct tcp_conn *c, struct tcp_tx *tx)
{
	if (waits(tx))
		seqtree_remove(&c->out->to_resend, &tx->to_resend);
	else
		list_remove(&tx->in_flight);
	list_init(&tx->in_flight);
}

static void count_segments(struct tcp_conn *c, struct tcp_tx *tx, uint32_t segs)
{
	if (tx->flags & TX_SACKED)
		c->out->sacked_segs += segs - tx->segs;
	tx->segs = segs;
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
	tx->segs = segments_of(tx);
	rest->segs = segments_of(rest);
	list_prepend(&tx->node, &rest->node);
	seqtree_insert(&c->out->sent_at, &rest->at, rest->seq, priority(g));
	c->out->frames++;
	if (waits(tx))
		seqtree_insert(&c->out->to_resend, &rest->to_resend, rest->seq, priority(g));
	else if (!list_empty(&tx->in_flight))
		list_prepend(&tx->in_flight, &rest->in_flight);
	return true;
}

/* ---- the flight as a whole ------------------------------------------------------------------- */

/* An empty list that cannot be written to. */
#define LIST_EMPTY(l)                                                              \
	{                                                                          \
		(struct list *)(uintptr_t) & (l), (struct list *)(uintptr_t) & (l) \
	}

const struct tcp_flight tcp_no_flight = {
	.sent = LIST_EMPTY(tcp_no_flight.sent),
	.flight = LIST_EMPTY(tcp_no_flight.flight),
};

struct tcp_flight *tcp_flight_none(void)
{
	return (struct tcp_flight *)(uintptr_t)&tcp_no_flight;
}

bool tcp_flight_open(struct glass *g, struct tcp_conn *c)
{
	struct tcp_flight *f;

	if (tcp_has_flight(c))
		return true;
	if (!(f = pool_alloc(&g->pool, sizeof(*f))))
		return false;
	list_init(&f->sent);
	list_init(&f->flight);
	f->undo_cwnd = c->cwnd;
	f->undo_ssthresh = c->ssthresh;
	f->rack_fack = f->rack_original = c->snd.una;
	c->out = f;
	return true;
}

void tcp_flight_free(struct glass *g, struct tcp_conn *c)
{
	if (tcp_has_flight(c))
		pool_free(&g->pool, c->out, sizeof(*c->out));
	c->out = tcp_flight_none();
}

/*
 * Two things are learned after all is acknowledged: whether a tail loss probe was needed (RFC 8985
 * 7.4.2), and whether a recovery was, by a DSACK (RFC 3708), which comes before what is sent after
 * the recovery is acknowledged.
 */
static bool undecided(const struct tcp_conn *c)
{
	const struct tcp_flight *f = c->out;

	return f->tlp_out || ((f->undo_watch || f->undo_counted) && f->undo_bytes &&
			      seq_leq(c->snd.una, c->recover));
}

void tcp_flight_settle(struct glass *g, struct tcp_conn *c)
{
	if (list_empty(&c->out->sent) && c->ca_state == CA_OPEN && !undecided(c))
		tcp_flight_free(g, c);
}

void tcp_sent_add(struct glass *g, struct tcp_conn *c, struct tcp_tx *tx)
{
	list_init(&tx->in_flight);
	list_append(&c->out->sent, &tx->node);
	seqtree_insert(&c->out->sent_at, &tx->at, tx->seq, priority(g));
	c->out->frames++;
	tcp_tx_sent(g, c, tx);
}

void tcp_tx_sent(struct glass *g, struct tcp_conn *c, struct tcp_tx *tx)
{
	tcp_rate_sent(g, c, tx);
	withdraw(c, tx);
	if ((tx->flags & (TX_LOST | TX_RETRANS)) == TX_LOST) {
		c->out->retrans += tx->len;
		tx->flags |= TX_RETRANS;
	}
	tx->mss = c->mss; /* the path may carry less, or more, than last time */
	tx->segs = segments_of(tx);
	tx->sent_ns = now(g);
	tx->order = ++c->out->sent_count;
	if (!tx->order) /* 0: none */
		tx->order = ++c->out->sent_count;
	list_append(&c->out->flight, &tx->in_flight);
}

/* Takes n bytes of tx out of the counters of its flags. */
static void uncount(struct tcp_conn *c, const struct tcp_tx *tx, uint32_t n)
{
	if (tx->flags & TX_SACKED)
		c->out->sacked -= n;
	if (tx->flags & TX_LOST)
		c->out->lost -= n;
	if (tx->flags & TX_RETRANS)
		c->out->retrans -= n;
}

void tcp_mark_lost(struct glass *g, struct tcp_conn *c, struct tcp_tx *tx, enum tcp_rtx_kind kind)
{
	if (waits(tx))
		return;
	EVENT(g, c->id, tx->pkt, TCP_LOST, tx->seq.v - c->snd.iss.v, tx->len, tcp_lost_word(kind));
	if (tx->flags & TX_RETRANS)
		stat_inc(g, STAT_TCP_LOST_RETRANSMIT);
	if (tx->flags & TX_SACKED)
		c->out->sacked_segs -= tx->segs;
	withdraw(c, tx);
	uncount(c, tx, tx->len);
	c->out->lost += tx->len;
	tx->flags = (uint8_t)((tx->flags | TX_LOST) & ~(TX_RETRANS | TX_SACKED));
	tx->kind = (uint8_t)kind;
	seqtree_insert(&c->out->to_resend, &tx->to_resend, tx->seq, priority(g));
}

void tcp_mark_all_lost(struct glass *g, struct tcp_conn *c, enum tcp_rtx_kind kind)
{
	if (!c->sack_ok)
		c->out->sacked =
			0; /* duplicates counted; they say nothing of what is sent from here */
	list_for_each(tx, &c->out->sent, struct tcp_tx, node) {
		if (!(tx->flags & TX_SACKED))
			tcp_mark_lost(g, c, tx, kind);
	}
}

static void tx_free(struct glass *g, struct tcp_conn *c, struct tcp_tx *tx)
{
	count_segments(c, tx, 0);
	withdraw(c, tx);
	seqtree_remove(&c->out->sent_at, &tx->at);
	list_remove(&tx->node);
	c->out->frames--;
	pool_free(&g->pool, tx, sizeof(*tx));
}

/* Both are with the peer, and rest follows tx. */
static void join(struct glass *g, struct tcp_conn *c, struct tcp_tx *tx, struct tcp_tx *rest)
{
	tx->len += rest->len;
	tx->segs += rest->segs;
	c->out->sacked_segs += rest->segs; /* as it goes it takes its own away */
	tx->flags |= rest->flags & (TX_EVER_RETRANS | TX_FIN | TX_PSH);
	tx_free(g, c, rest);
}

struct tcp_tx *tcp_mark_sacked(struct glass *g, struct tcp_conn *c, struct tcp_tx *tx)
{
	struct tcp_tx *prev = container_of(tx->node.prev, struct tcp_tx, node);
	struct tcp_tx *next = container_of(tx->node.next, struct tcp_tx, node);

	withdraw(c, tx);
	uncount(c, tx, tx->len);
	tx->flags = (uint8_t)((tx->flags | TX_SACKED) & ~(TX_LOST | TX_RETRANS));
	c->out->sacked += tx->len;
	c->out->sacked_segs += tx->segs;
	EVENT(g, c->id, tx->pkt, TCP_SACKED, tx->seq.v - c->snd.iss.v,
	      tcp_tx_end(tx).v - c->snd.iss.v, c->out->sacked);
	if (&next->node != &c->out->sent && (next->flags & TX_SACKED))
		join(g, c, tx, next);
	if (&prev->node != &c->out->sent && (prev->flags & TX_SACKED)) {
		join(g, c, prev, tx);
		tx = prev;
	}
	return tx;
}

void tcp_sent_purge(struct glass *g, struct tcp_conn *c)
{
	if (!tcp_has_flight(c))
		return;
	list_for_each_safe(tx, &c->out->sent, struct tcp_tx, node)
		pool_free(&g->pool, tx, sizeof(*tx));
	list_init(&c->out->sent);
	list_init(&c->out->flight);
	c->out->sent_at.root = c->out->to_resend.root = NULL;
	c->out->sacked = c->out->lost = c->out->retrans = c->out->sacked_segs = 0;
	c->out->frames = 0;
}

/* The first n bytes of tx are acknowledged: what stays keeps its marks. */
static void acked_part(struct glass *g, struct tcp_conn *c, struct tcp_tx *tx, uint32_t n,
		       struct tcp_ack_sum *sum)
{
	struct tcp_tx part = *tx;
	uint32_t segs = n / tx->mss;

	uncount(c, tx, n);
	part.len = n;
	if (!(tx->flags & TX_SACKED))
		tcp_rack_delivered(g, c, &part, sum);
	tx_advance(c, tx, n);
	tx->at.key = tx->seq;
	if (waits(tx))
		tx->to_resend.key = tx->seq;
	count_segments(c, tx, segs < tx->segs ? tx->segs - segs : 1);
}

/*
 * Karn's algorithm, RFC 6298 3: an ACK that covers something sent again says nothing of the time,
 * for the rest may have waited behind it; nor whether the original arrived (RFC 5682 2.1). But a
 * timestamp is that of the segment that filled the hole, the first one acknowledged (RFC 7323 4.3):
 * when it is that of the copy, and not of the original, the time is known after all.
 */
static void sort_out(struct glass *g, const struct tcp_conn *c, struct tcp_ack_sum *sum)
{
	if (!sum->retrans_acked)
		return;
	sum->original_arrived = false;
	sum->rtt_ns = -1;
	if (sum->head_sent_ns && sum->ts &&
	    (int32_t)(sum->tsecr - tcp_ts_at(c, sum->head_sent_ns)) >= 0)
		sum->rtt_ns = now(g) - sum->head_sent_ns;
}

void tcp_sent_acked(struct glass *g, struct tcp_conn *c, struct seq ack, struct tcp_ack_sum *sum)
{
	const struct tcp_tx *head = list_first(&c->out->sent, struct tcp_tx, node);

	sum->head = c->snd.una;
	if (!list_empty(&c->out->sent) && !(head->flags & TX_SACKED))
		sum->head_sent_ns = head->sent_ns;
	sum->in_order = true;
	list_for_each_safe(tx, &c->out->sent, struct tcp_tx, node) {
		if (seq_geq(tx->seq, ack))
			break;
		sum->retrans_acked |= !!(tx->flags & TX_EVER_RETRANS);
		if (seq_gt(tcp_tx_end(tx), ack)) {
			acked_part(g, c, tx, (uint32_t)seq_diff(ack, tx->seq), sum);
			break;
		}
		uncount(c, tx, tx->len);
		if (!(tx->flags & TX_SACKED))
			tcp_rack_delivered(g, c, tx, sum);
		tx_free(g, c, tx);
	}
	sum->in_order = false;
	sort_out(g, c, sum);
}

void tcp_resend_all(struct glass *g, struct tcp_conn *c)
{
	if (!tcp_has_flight(c))
		return;
	tcp_mark_all_lost(g, c, RTX_KIND_PATH);
	c->out->tlp_out = false;
}

/* In flight again, between those sent before and after it. */
static void back_to_flight(struct tcp_conn *c, struct tcp_tx *tx, struct list **place)
{
	while (*place != &c->out->flight &&
	       (int32_t)(container_of(*place, struct tcp_tx, in_flight)->order - tx->order) < 0)
		*place = (*place)->next;
	list_insert_before(*place, &tx->in_flight);
}

void tcp_unmark_lost(struct glass *g, struct tcp_conn *c)
{
	struct seqtree by_order = { NULL };
	struct list *place;
	struct seqnode *n;
	struct tcp_tx *tx;

	while ((tx = tcp_next_lost(c))) {
		withdraw(c, tx);
		uncount(c, tx, tx->len);
		tx->flags &= (uint8_t)~TX_LOST;
		/* Halves of one frame have one number: the tree keeps them as they come. */
		seqtree_insert(&by_order, &tx->to_resend, seq_of(tx->order), priority(g));
	}
	place = c->out->flight.next;
	while ((n = seqtree_take(&by_order))) {
		tx = container_of(n, struct tcp_tx, to_resend);
		list_init(&tx->in_flight);
		back_to_flight(c, tx, &place);
	}
	list_for_each(out, &c->out->flight, struct tcp_tx, in_flight) {
		uncount(c, out, out->len);
		out->flags &= (uint8_t) ~(TX_LOST | TX_RETRANS);
	}
}
