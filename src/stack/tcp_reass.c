/* SPDX-License-Identifier: MIT */
/*
 * The receive side: payload in order goes to the program's queue by reference; payload beyond a
 * hole is kept until the hole is filled, and told to the peer by SACK blocks (RFC 2018). Memory
 * is bounded whatever a peer sends. In order: small segments are packed together, so that what
 * waits costs about twice its bytes. Out of order: no byte is kept twice, small segments are moved
 * out of big buffers, and tcp_ooo_max is how many packets there may be.
 *
 * Overlap: what begins at the lower sequence number wins, and of two that begin at the same one
 * the first.
 *
 * In: tcp_segment_arrives (tcp_receive), the socket layer (tcp_consume).  Out: tcp_owe_ack.
 */
#include "tcp.h"
#include "tcp_input.h"
#include "tcp_output.h"

#include <string.h>

#define OOO_EIGHTHS \
	7 /* of all memory: beyond, what is out of order is not kept; the peer has it still */

#define RX_ROOM_BYTES_MAX 16384u

static struct seq pkt_end(const struct pkt *p)
{
	return seq_add(seq_of(p->seq), p->len);
}

/* ---- SACK blocks ----------------------------------------------------------------------------- */

static void sack_forget(struct tcp_conn *c, unsigned i)
{
	for (c->nsack--; i < c->nsack; i++)
		c->sack[i] = c->sack[i + 1];
}

/*
 * RFC 2018 4: the first block holds the segment that came last; it swallows the blocks that it
 * touches.
 */
static void sack_note(struct tcp_conn *c, struct seq start, struct seq end)
{
	for (unsigned i = 0; i < c->nsack;) {
		if (seq_gt(start, c->sack[i].end) || seq_lt(end, c->sack[i].start)) {
			i++;
			continue;
		}
		start = seq_min(start, c->sack[i].start);
		end = seq_max(end, c->sack[i].end);
		sack_forget(c, i);
	}
	if (c->nsack == TCP_SACK_BLOCKS_MAX)
		c->nsack--;
	for (unsigned i = c->nsack; i; i--)
		c->sack[i] = c->sack[i - 1];
	c->sack[0] = (struct tcp_sack_block){ start, end };
	c->nsack++;
}

static void sack_drop_received(struct tcp_conn *c)
{
	for (unsigned i = 0; i < c->nsack;) {
		if (seq_leq(c->sack[i].end, c->rcv.nxt))
			sack_forget(c, i);
		else
			i++;
	}
}

void tcp_note_dsack(struct tcp_conn *c, struct seq start, struct seq end)
{
	if (!c->sack_ok)
		return;
	c->dsack = true;
	c->dsack_block = (struct tcp_sack_block){ start, end };
}

/* ---- in order -------------------------------------------------------------------------------- */

/* It joins the one before it, if that has room. True: p was consumed. */
static bool rx_join(struct glass *g, struct tcp_conn *c, struct pkt *p)
{
	void *room = pkt_put(list_last(&c->rx, struct pkt, node), p->len);

	if (!room)
		return false;
	memcpy(room, p->data, p->len);
	pkt_free(&g->pool, p);
	return true;
}

/*
 * A packet costs more than its bytes. Who reads at once does not notice; but where something waits
 * already, a small segment goes into a buffer with room for as much again as waits, and those after
 * it join it there.
 */
static void rx_pack(struct glass *g, struct tcp_conn *c, struct pkt *p)
{
	uint32_t more = c->rx_bytes < RX_ROOM_BYTES_MAX ? c->rx_bytes : RX_ROOM_BYTES_MAX;

	if (!list_empty(&c->rx) && rx_join(g, c, p))
		return;
	if (list_empty(&c->rx) || pkt_truesize(p) < 2 * p->len ||
	    !pkt_move(&g->pool, p, p->len + more))
		pkt_compact(&g->pool, p);
	list_append(&c->rx, &p->node);
}

static void rx_append(struct glass *g, struct tcp_conn *c, struct pkt *p)
{
	uint32_t len = p->len;

	rx_pack(g, c, p);
	c->rcv.nxt = seq_add(c->rcv.nxt, len);
	c->bytes_received += len;
	c->rx_bytes += len;
}

void tcp_fin_arrived(struct glass *g, struct tcp_conn *c)
{
	c->fin_received = true;
	c->fin_known = false;
	c->rcv.nxt = seq_add(c->rcv.nxt, 1);
	if (seq_gt(c->rcv.nxt, c->rcv.edge))
		c->rcv.edge = c->rcv.nxt;
	tcp_owe_ack(g, c, "FIN");
	if (c->state == TCPS_ESTABLISHED) {
		tcp_set_state(g, c, TCPS_CLOSE_WAIT, "FIN");
	} else if (c->state == TCPS_FIN_WAIT_1) {
		tcp_set_state(g, c, TCPS_CLOSING, "FIN before our FIN was acknowledged");
	} else if (c->state == TCPS_FIN_WAIT_2) {
		tcp_set_state(g, c, TCPS_TIME_WAIT, "FIN after ours");
		tcp_arm_life(g, c, g->tun.tcp_time_wait_ms * NS_PER_MS, WORD("2 MSL"));
	}
}

/* What waited behind the hole that is filled now. */
static void ooo_drain(struct glass *g, struct tcp_conn *c)
{
	while (!list_empty(&c->ooo)) {
		struct pkt *p = list_first(&c->ooo, struct pkt, node);
		int32_t before = seq_diff(c->rcv.nxt, seq_of(p->seq));

		if (before < 0)
			break;
		list_remove(&p->node);
		c->ooo_bytes -= p->len;
		c->ooo_count--;
		if ((uint32_t)before >= p->len) {
			pkt_free(&g->pool, p);
			continue;
		}
		pkt_pull(p, (size_t)before);
		rx_append(g, c, p);
	}
	sack_drop_received(c);
}

/* RFC 9293 3.8.6.3, RFC 5681 4.2: when to acknowledge what came in order. */
static void schedule_ack(struct glass *g, struct tcp_conn *c, uint32_t len, uint32_t seg_len,
			 bool filled_hole)
{
	c->unacked += len;
	if (seg_len > c->rcv_mss && seg_len <= 65535)
		c->rcv_mss = (uint16_t)(seg_len < 1460 ? seg_len : c->mss > 1460 ? c->mss : 1460);
	if (filled_hole || c->nsack)
		tcp_owe_ack(g, c, "a hole was filled, or is still open");
	else if (c->unacked >= 2u * c->rcv_mss)
		tcp_owe_ack(g, c, "two full segments");
	else if (c->quick && !c->pingpong)
		tcp_owe_ack(g, c, "the connection is young: at once");
	else
		tcp_arm_ack(g, c);
	if (c->quick)
		c->quick--;
}

static enum verdict receive_in_order(struct glass *g, struct tcp_conn *c, struct pkt *p, bool fin)
{
	uint32_t len = p->len, before = c->rx_bytes;
	uint32_t seg_len = p->gso_size && p->gso_size < len ? p->gso_size : len;
	bool had_hole = c->ooo_count;

	rx_append(g, c, p);
	ooo_drain(g, c);
	EVENT(g, c->id, 0, TCP_DELIVER, c->rx_bytes - before, c->rx_bytes);
	c->last_data_ns = now(g);
	schedule_ack(g, c, len, seg_len, had_hole);
	if (fin || (c->fin_known && seq_eq(c->fin_seq, c->rcv.nxt)))
		tcp_fin_arrived(g, c);
	wake(g, &c->waker);
	return ACCEPTED;
}

/* ---- out of order ---------------------------------------------------------------------------- */

/*
 * Where p belongs in the queue, before the node that is answered; most segments belong at its end.
 * What those before it have is cut off its front: then it can begin behind the next one, and belong
 * behind that. NULL: nothing of it is new.
 */
static struct list *ooo_place(struct tcp_conn *c, struct pkt *p)
{
	struct list *at = &c->ooo;

	while (at->prev != &c->ooo &&
	       seq_lt(seq_of(p->seq), seq_of(container_of(at->prev, struct pkt, node)->seq)))
		at = at->prev;
	for (; at->prev != &c->ooo; at = at->next) {
		int32_t overlap =
			seq_diff(pkt_end(container_of(at->prev, struct pkt, node)), seq_of(p->seq));

		if (overlap >= (int32_t)p->len)
			return NULL;
		if (overlap > 0) {
			pkt_pull(p, (size_t)overlap);
			p->seq += (uint32_t)overlap;
		}
		if (at == &c->ooo ||
		    seq_leq(seq_of(p->seq), seq_of(container_of(at, struct pkt, node)->seq)))
			break;
	}
	return at;
}

/* What p has now is cut off the front of those behind it. */
static void ooo_cut_behind(struct glass *g, struct tcp_conn *c, struct pkt *p)
{
	while (p->node.next != &c->ooo) {
		struct pkt *next = container_of(p->node.next, struct pkt, node);
		int32_t overlap = seq_diff(pkt_end(p), seq_of(next->seq));
		uint32_t cut = (uint32_t)overlap;

		if (overlap <= 0)
			return;
		if (cut < next->len) {
			pkt_pull(next, cut);
			next->seq += cut;
			c->ooo_bytes -= cut;
			pkt_compact(&g->pool, next);
			return;
		}
		list_remove(&next->node);
		c->ooo_bytes -= next->len;
		c->ooo_count--;
		pkt_free(&g->pool, next);
	}
}

static enum verdict ooo_insert(struct glass *g, struct tcp_conn *c, struct pkt *p)
{
	struct seq start = seq_of(p->seq), end = pkt_end(p);
	uint32_t len = p->len;
	struct list *at = ooo_place(c, p);

	if (!at) {
		tcp_note_dsack(c, start, end);
		tcp_owe_ack(g, c, "a duplicate came out of order");
		return drop(g, p, TCP_OLD, start.v - c->rcv.irs.v, len);
	}
	pkt_compact(&g->pool, p);
	list_insert_before(at, &p->node);
	ooo_cut_behind(g, c, p);
	c->ooo_bytes += p->len;
	c->ooo_count++;
	EVENT(g, c->id, p->id, TCP_OOO, start.v - c->rcv.irs.v, len, c->ooo_bytes);
	stat_inc(g, STAT_TCP_OOO_QUEUED);
	c->ooo_segs++;
	sack_note(c, start, end);
	return ACCEPTED;
}

static enum verdict receive_out_of_order(struct glass *g, struct tcp_conn *c, struct pkt *p,
					 struct tcp_seg *seg)
{
	enum verdict v;

	if (c->ooo_count >= (uint32_t)g->tun.tcp_ooo_max)
		return drop(g, p, TCP_OOO_LIMIT, c->ooo_count);
	if (pool_short(&g->pool, OOO_EIGHTHS)) {
		stat_inc(g, STAT_NOMEM);
		return drop(g, p, NO_MEMORY, p->len, g->pool.bytes);
	}
	if (seg->flags & TCP_FIN) {
		c->fin_known = true;
		c->fin_seq = seq_add(seg->seq, seg->len);
	}
	p->seq = seg->seq.v;
	v = seg->len ? ooo_insert(g, c, p) : accept_packet(g, p);
	/* RFC 5681 4.2: at once, and one for each, so that the peer can count duplicates. */
	tcp_send_ack(g, c);
	return v;
}

enum verdict tcp_receive(struct glass *g, struct tcp_conn *c, struct pkt *p, struct tcp_seg *seg)
{
	bool fin = seg->flags & TCP_FIN;

	ENTER(g, p);
	if (!seg->len && !fin)
		return accept_packet(g, p);
	if (c->fin_received || (c->fin_known && seg->len && seq_geq(seg->seq, c->fin_seq)))
		return drop(g, p, TCP_AFTER_FIN, seg->seq.v - c->rcv.irs.v);
	if (!seq_eq(seg->seq, c->rcv.nxt))
		return receive_out_of_order(g, c, p, seg);
	if (!seg->len) {
		pkt_free(&g->pool, p);
		tcp_fin_arrived(g, c);
		return ACCEPTED;
	}
	tcp_window_sample(g, c, seg);
	return receive_in_order(g, c, p, fin);
}

/* ---- the program reads ----------------------------------------------------------------------- */

void tcp_consume(struct glass *g, struct tcp_conn *c, uint32_t n)
{
	uint32_t total = n;

	c->rx_bytes -= n;
	while (n) {
		struct pkt *p = list_first(&c->rx, struct pkt, node);

		if (n < p->len) {
			pkt_pull(p, n);
			break;
		}
		n -= p->len;
		list_remove(&p->node);
		pkt_free(&g->pool, p);
	}
	tcp_window_read(g, c, total);
}

void tcp_rx_purge(struct glass *g, struct tcp_conn *c)
{
	struct list *node;

	while ((node = list_take(&c->rx)) || (node = list_take(&c->ooo)))
		pkt_free(&g->pool, container_of(node, struct pkt, node));
	c->rx_bytes = c->ooo_bytes = c->ooo_count = 0;
	c->nsack = 0;
}
