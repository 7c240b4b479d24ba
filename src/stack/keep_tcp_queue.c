/* SPDX-License-Identifier: MIT */
/*
 * What a connection sends (the program's bytes, what of them is out and what became of it) and what
 * it has received (in order, and beyond holes).
 *
 * In: keep_tcp.c.  Out: save.h.
 */
#include "keep.h"
#include "tcp.h"
#include "tcp_recovery.h"

#include <string.h>

#define NO_CHUNK UINT32_MAX

/* ---- bytes to be sent ------------------------------------------------------------------------ */

static void chunk_write(struct save *s, struct tcp_chunk *k)
{
	size_t length = k->len;

	save_begin(s, "chunk");
	SAVE_AS(s, "cap", k->buf->cap);
	SAVE(s, k->off);
	SAVE_FLAG(s, k->record_end);
	save_bytes(s, "bytes", k->buf->bytes + k->off, &length);
	save_end(s);
}

/*
 * Records of a byte each lie in one buffer: it is one again, or each would have a buffer of its
 * own.
 */
static struct buf *chunk_buf(struct glass *g, struct tcp_conn *c, uint32_t off, uint32_t cap)
{
	struct tcp_chunk *last =
		list_empty(&c->chunks) ? NULL : list_last(&c->chunks, struct tcp_chunk, node);

	if (last && last->record_end && last->buf->cap == cap && last->off + last->len == off)
		return buf_ref(last->buf);
	return buf_new(&g->pool, cap);
}

static void chunk_read(struct save *s, struct glass *g, struct tcp_conn *c)
{
	struct tcp_chunk read = { 0 }, *k;
	const uint8_t *bytes;
	uint32_t cap = 0;
	size_t length;

	SAVE(s, cap);
	SAVE_AS(s, "off", read.off);
	SAVE_AS(s, "record_end", read.record_end);
	bytes = save_bytes(s, "bytes", NULL, &length);
	save_end(s);
	if (!save_check(s,
			bytes && length && cap <= 2 * BUF_BIG_BYTES && read.off <= cap &&
				length <= cap - read.off,
			"bytes to be sent are damaged"))
		return;
	k = pool_alloc(&g->pool, sizeof(*k));
	read.buf = k ? chunk_buf(g, c, read.off, cap) : NULL;
	if (!save_check(s, read.buf, "out of memory")) {
		pool_free(&g->pool, k, sizeof(*k));
		return;
	}
	read.len = (uint32_t)length;
	*k = read;
	memcpy(k->buf->bytes + k->off, bytes, length);
	list_append(&c->chunks, &k->node);
	c->queued += k->len;
}

static struct tcp_chunk *chunk_at(const struct tcp_conn *c, uint32_t place)
{
	list_for_each(k, &c->chunks, struct tcp_chunk, node)
		if (!place--)
			return k;
	return NULL;
}

/* Where in the queue; the search begins at *from, whose place is *place. */
static uint32_t place_of(const struct tcp_conn *c, const struct tcp_chunk *chunk,
			 const struct list **from, uint32_t *place)
{
	const struct list *at = *from;

	for (uint32_t n = *place; chunk && at != &c->chunks; at = at->next, n++) {
		if (at != &chunk->node)
			continue;
		*from = at;
		*place = n;
		return n;
	}
	return NO_CHUNK;
}

/* ---- what is out ----------------------------------------------------------------------------- */

static void flight_fields(struct save *s, struct tcp_flight *f)
{
	SAVE(s, f->sent_count);
	SAVE(s, f->una_ns);
	SAVE(s, f->rto_at_ns);
	SAVE(s, f->undo_cwnd);
	SAVE(s, f->undo_ssthresh);
	SAVE(s, f->prr_delivered);
	SAVE(s, f->prr_out);
	SAVE(s, f->recover_fs);
	SAVE(s, f->rack_rtt_ns);
	SAVE(s, f->reorder_at_ns);
	SAVE(s, f->rack_order);
	SAVE(s, f->rack_end.v);
	SAVE(s, f->rack_fack.v);
	SAVE(s, f->rack_original.v);
	SAVE(s, f->tlp_end.v);
	SAVE(s, f->tlp_ts);
	SAVE_FLAG(s, f->tlp_out);
	SAVE(s, f->tlp_bytes);
	SAVE_FLAG(s, f->probed);
	SAVE_FLAG(s, f->undo_watch);
	SAVE_FLAG(s, f->undo_resent);
	SAVE_FLAG(s, f->undo_counted);
	SAVE(s, f->frto);
	SAVE(s, f->undo_from.v);
	SAVE(s, f->undo_bytes);
	SAVE(s, f->undo_ts);
	SAVE(s, f->sacked); /* without SACK duplicates count here */
	SAVE(s, f->lost);
	SAVE(s, f->retrans);
	SAVE(s, f->sacked_segs);
}

static void tx_fields(struct save *s, struct tcp_tx *tx)
{
	SAVE(s, tx->at.priority);
	SAVE_AS(s, "seq", tx->seq.v);
	SAVE(s, tx->len);
	SAVE(s, tx->off);
	SAVE(s, tx->pkt);
	SAVE(s, tx->order);
	SAVE(s, tx->segs);
	SAVE(s, tx->mss);
	SAVE(s, tx->flags);
	SAVE(s, tx->kind);
	SAVE_FLAG(s, tx->app_limited);
	SAVE(s, tx->sent_ns);
	SAVE(s, tx->first_sent_ns);
	SAVE(s, tx->delivered_ns);
	SAVE(s, tx->delivered);
}

/* In flight, or waiting to go again: neither of them when the peer has it. */
enum tx_place { TX_NOWHERE, TX_IN_FLIGHT, TX_TO_RESEND };

/* What ties a frame to the rest. */
struct tx_ties {
	uint32_t chunk; /* place in the queue */
	uint32_t resend_priority;
	uint8_t place; /* enum tx_place */
};

static void ties_fields(struct save *s, struct tx_ties *t)
{
	SAVE(s, t->chunk);
	SAVE(s, t->resend_priority);
	SAVE(s, t->place);
}

static struct tx_ties tx_ties(const struct tcp_tx *tx)
{
	if ((tx->flags & (TX_LOST | TX_RETRANS)) == TX_LOST)
		return (struct tx_ties){ .place = TX_TO_RESEND,
					 .resend_priority = tx->to_resend.priority };
	return (struct tx_ties){ .place = list_empty(&tx->in_flight) ? TX_NOWHERE : TX_IN_FLIGHT };
}

static void flight_write(struct save *s, struct tcp_conn *c)
{
	const struct list *from = c->chunks.next;
	uint32_t at = 0;

	save_begin(s, "flight");
	flight_fields(s, c->out);
	save_end(s);
	list_for_each(tx, &c->out->sent, struct tcp_tx, node) {
		struct tx_ties ties = tx_ties(tx);

		ties.chunk = place_of(c, tx->chunk, &from, &at);
		save_begin(s, "sent");
		ties_fields(s, &ties);
		tx_fields(s, tx);
		save_end(s);
	}
}

/* What is out are the bytes from snd.una on, without gaps, and the queue has them. */
static bool tx_sane(const struct tcp_conn *c, const struct tcp_tx *tx)
{
	uint32_t payload = tx->len - !!(tx->flags & TX_FIN);
	struct seq from = c->snd.una;

	if (!list_empty(&c->out->sent))
		from = tcp_tx_end(list_last(&c->out->sent, struct tcp_tx, node));
	if (!seq_eq(tx->seq, from) || !tx->len || !tx->mss || tx->len > 1u << 30 ||
	    seq_gt(tcp_tx_end(tx), c->snd.nxt) || tx->kind >= RTX_KINDS)
		return false;
	if (!payload)
		return true;
	return tx->chunk && tx->off >= tx->chunk->off && tx->off < tx->chunk->off + tx->chunk->len;
}

/* Those in flight by order of sending, which list_append() alone would not give. */
static void flight_insert(struct tcp_flight *f, struct tcp_tx *tx)
{
	struct list *at = &f->flight;

	while (at->prev != &f->flight &&
	       (int32_t)(container_of(at->prev, struct tcp_tx, in_flight)->order - tx->order) > 0)
		at = at->prev;
	list_insert_before(at, &tx->in_flight);
}

static void tx_link(struct tcp_flight *f, struct tcp_tx *tx, const struct tx_ties *ties)
{
	list_init(&tx->in_flight);
	list_append(&f->sent, &tx->node);
	seqtree_insert(&f->sent_at, &tx->at, tx->seq, tx->at.priority);
	f->frames++;
	if (ties->place == TX_TO_RESEND)
		seqtree_insert(&f->to_resend, &tx->to_resend, tx->seq, ties->resend_priority);
	else if (ties->place == TX_IN_FLIGHT)
		flight_insert(f, tx);
}

/* What the flags say and where it lies belong together. */
static bool ties_sane(const struct tcp_tx *tx, const struct tx_ties *ties)
{
	bool waits = (tx->flags & (TX_LOST | TX_RETRANS)) == TX_LOST;

	if (tx->flags & TX_SACKED)
		return ties->place == TX_NOWHERE;
	return ties->place == (waits ? TX_TO_RESEND : TX_IN_FLIGHT);
}

static void tx_read(struct save *s, struct glass *g, struct tcp_conn *c)
{
	struct tcp_tx *tx = pool_alloc(&g->pool, sizeof(*tx));
	struct tx_ties ties = { .chunk = NO_CHUNK };

	if (!save_check(s, tx, "out of memory")) {
		save_end(s);
		return;
	}
	ties_fields(s, &ties);
	tx_fields(s, tx);
	save_end(s);
	tx->chunk = ties.chunk == NO_CHUNK ? NULL : chunk_at(c, ties.chunk);
	if (save_check(s, tx_sane(c, tx) && ties_sane(tx, &ties), "what was sent is damaged"))
		tx_link(c->out, tx, &ties);
	else
		pool_free(&g->pool, tx, sizeof(*tx));
}

static void flight_read(struct save *s, struct glass *g, struct tcp_conn *c)
{
	if (!save_begin(s, "flight"))
		return;
	if (!save_check(s, tcp_flight_open(g, c), "out of memory")) {
		save_end(s);
		return;
	}
	flight_fields(s, c->out);
	save_end(s);
	while (save_begin(s, "sent"))
		tx_read(s, g, c);
}

/* ---- all of it ------------------------------------------------------------------------------- */

/* The place of the next new byte: of a connection that has bytes in its queue. */
static void next_keep(struct save *s, struct tcp_conn *c)
{
	const struct list *from = c->chunks.next;
	uint32_t at = 0, chunk = place_of(c, c->next_chunk, &from, &at);

	if (!save_begin(s, "next"))
		return;
	SAVE(s, chunk);
	SAVE(s, c->next_off);
	save_end(s);
	if (!save_reading(s) || chunk == NO_CHUNK)
		return;
	c->next_chunk = chunk_at(c, chunk);
	save_check(s,
		   c->next_chunk && c->next_off >= c->next_chunk->off &&
			   c->next_off <= c->next_chunk->off + c->next_chunk->len,
		   "bytes to be sent are damaged");
}

/* In order, without overlap, beyond what has come. */
static void received_count(struct save *s, struct tcp_conn *c)
{
	struct seq end = c->rcv.nxt;

	list_for_each(p, &c->rx, struct pkt, node)
		c->rx_bytes += p->len;
	list_for_each(p, &c->ooo, struct pkt, node) {
		save_check(s, seq_geq(seq_of(p->seq), end) && p->len,
			   "what came out of order is damaged");
		end = seq_add(seq_of(p->seq), p->len);
		c->ooo_bytes += p->len;
		c->ooo_count++;
	}
}

void tcp_queue_keep(struct save *s, struct glass *g, struct tcp_conn *c)
{
	if (save_reading(s)) {
		while (save_begin(s, "chunk"))
			chunk_read(s, g, c);
		next_keep(s, c);
		flight_read(s, g, c);
	} else {
		list_for_each(k, &c->chunks, struct tcp_chunk, node)
			chunk_write(s, k);
		if (!list_empty(&c->chunks))
			next_keep(s, c);
		if (tcp_has_flight(c))
			flight_write(s, c);
	}
	keep_packets(s, g, &c->rx, "received", false);
	keep_packets(s, g, &c->ooo, "received.beyond", false);
	if (save_reading(s))
		received_count(s, c);
}
