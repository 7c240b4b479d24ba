/* SPDX-License-Identifier: MIT */
/*
 * Segments that carry bytes of the send queue, for the first time or again: how large a frame may
 * be, which bytes it refers to, what is noted of it.
 *
 * In: tcp_output, tcp_recovery, the timers.  Out: tcp_transmit (tcp_segment.c).
 */
#include "tcp_account.h"
#include "tcp_output.h"
#include "tcp_recovery.h"
#include "tcp_segment.h"

#define FRAMES_PER_WINDOW 2
#define SHORT_PATH_NS (16 * NS_PER_MS) /* below, frames are larger, by powers of two */

/*
 * References to len bytes from (k, off) on; false: too many pieces for one frame (*got tells how
 * much fits).
 */
static bool add_payload(const struct tcp_conn *c, struct pkt *p, struct tcp_chunk *k, uint32_t off,
			uint32_t len, uint32_t *got)
{
	uint32_t n;

	for (*got = 0; *got < len; *got += n) {
		uint32_t left = k->off + k->len - off;

		if (!left) {
			if (k->node.next == &c->chunks)
				return false;
			k = container_of(k->node.next, struct tcp_chunk, node);
			off = k->off;
			n = 0;
			continue;
		}
		n = left < len - *got ? left : len - *got;
		if (!pkt_add_frag(p, k->buf, off, n))
			return false;
		off += n;
	}
	return true;
}

struct pkt *tcp_payload_packet(struct glass *g, struct tcp_conn *c, struct tcp_chunk *k,
			       uint32_t off, uint32_t *len)
{
	struct pkt *p = pkt_build(g, IP_HEADROOM, 0);
	uint32_t got;

	if (!p || !*len)
		return p;
	if (!add_payload(c, p, k, off, *len, &got))
		*len = got;
	if (*len)
		return p;
	pkt_free(&g->pool, p);
	return NULL;
}

/*
 * What the path carries in a millisecond, as Linux sizes its super-packets: on a slow path a large
 * one would be a burst, on a fast one a small one would cost the processor. A short path is not
 * asked.
 */
static uint32_t frame_autosize(const struct glass *g, const struct tcp_conn *c)
{
	int64_t rtt_ns = c->srtt_ns ? c->srtt_ns : NS_PER_MS;
	int64_t min_ns = c->rack_min_rtt_ns == INT64_MAX ? rtt_ns : c->rack_min_rtt_ns;
	int64_t bytes = (int64_t)c->cwnd * (c->cwnd < c->ssthresh / 2 ? 20 : 12) / 10 * NS_PER_MS;
	int64_t least = g->tun.tcp_min_tso_segs * c->mss;

	bytes /= rtt_ns;
	if (min_ns < SHORT_PATH_NS)
		bytes += (int64_t)TCP_SUPER_BYTES_MAX >> (min_ns / (SHORT_PATH_NS / 32));
	bytes = bytes < least ? least : bytes;
	return bytes < TCP_SUPER_BYTES_MAX ? (uint32_t)bytes : TCP_SUPER_BYTES_MAX;
}

/*
 * How much one frame may carry. Without the device's help: a segment. With it, up to a
 * super-packet, but a window is never put into fewer than FRAMES_PER_WINDOW frames: were it one,
 * its loss would leave nothing behind it to tell of it (SACK), and each loss would cost a
 * timeout.
 */
static uint32_t frame_limit(const struct glass *g, const struct tcp_conn *c)
{
	const struct dev *d = &g->dev[c->path.dev];
	uint32_t part = c->cwnd / FRAMES_PER_WINDOW, size;

	if (!(d->setup.offload & GLASS_OFFLOAD_TSO))
		return c->mss;
	size = frame_autosize(g, c);
	part = (part < size ? part : size) / c->mss * c->mss;
	return part < c->mss ? c->mss : part;
}

/* Moves the place of the next new byte on. */
static void next_advance(struct tcp_conn *c, uint32_t n)
{
	while (n) {
		uint32_t left = c->next_chunk->off + c->next_chunk->len - c->next_off;

		if (n <= left) {
			c->next_off += n;
			return;
		}
		n -= left;
		c->next_chunk = container_of(c->next_chunk->node.next, struct tcp_chunk, node);
		c->next_off = c->next_chunk->off;
	}
}

/*
 * When the place of the next new byte is the end of a chunk and there is another: it is that
 * one's beginning.
 */
static void next_settle(struct tcp_conn *c)
{
	struct tcp_chunk *k = c->next_chunk;

	if (!k || c->next_off < k->off + k->len || k->node.next == &c->chunks)
		return;
	c->next_chunk = container_of(k->node.next, struct tcp_chunk, node);
	c->next_off = c->next_chunk->off;
}

uint32_t tcp_unsent(const struct tcp_conn *c)
{
	return c->queued - (uint32_t)(seq_diff(c->snd.nxt, c->snd.una) -
				      (c->fin_sent && !seq_eq(c->snd.una, c->snd.nxt)));
}

/*
 * PSH: the last byte of what the program wrote (MUST-61), or of a record, unless it has said that
 * more will follow (MSG_MORE); and the last segment of those that leave together, as Linux does it,
 * for nothing follows them until the peer has acknowledged. With the device's help those are the
 * segments of a frame.
 */
static bool pushes(const struct glass *g, const struct tcp_conn *c, uint32_t len, bool ends)
{
	bool frames = g->dev[c->path.dev].setup.offload & GLASS_OFFLOAD_TSO;
	bool stops = tcp_in_flight(c) + c->mss > c->cwnd;

	return ends || len > c->mss || (!frames && stops && c->in_burst);
}

void tcp_note_data_sent(struct glass *g, struct tcp_conn *c, uint32_t len)
{
	if (!len)
		return;
	c->account->data_segs_out += (len + c->mss - 1u) / c->mss;
	c->account->last_data_sent_ns = now(g);
}

void tcp_syn_data_acked(struct glass *g, struct tcp_conn *c, uint32_t n)
{
	next_settle(c);
	next_advance(c, n);
	next_settle(c);
	tcp_sendq_acked(g, c, n);
	c->account->bytes_acked += n;
}

/* Of the data that our SYN carried the server has not taken so much. */
static uint32_t syn_data_left(const struct tcp_conn *c)
{
	return c->syn_data - (uint32_t)c->account->bytes_acked;
}

/*
 * New data leaves: is the segment a small one (Nagle), and does it answer what came lately, or go
 * on from the SYN, so that ACKs can ride on data? The data of a SYN that goes again says nothing of
 * that: it was as much as the SYN could carry.
 */
static void note_habits(struct glass *g, struct tcp_conn *c, uint32_t len)
{
	if (c->syn_data_again) {
		c->syn_data_again = false;
		return;
	}
	if (len % c->mss)
		c->small_end = c->snd.nxt;
	if (c->last_data_ns ? now(g) - c->last_data_ns < g->tun.tcp_delack_ms * NS_PER_MS
			    : c->syn_data && c->ack_now)
		c->pingpong = true;
}

bool tcp_send_data(struct glass *g, struct tcp_conn *c, uint32_t len, bool fin)
{
	uint32_t limit = frame_limit(g, c), unsent = tcp_unsent(c);
	uint32_t record = tcp_record_left(c, unsent);
	struct tcp_tx *tx = pool_alloc(&g->pool, sizeof(*tx));
	struct tcp_options opt = { 0 };
	struct tcp_out out = { .seq = c->snd.nxt, .flags = TCP_ACK, .opt = &opt };
	struct pkt *p = NULL;
	bool again = c->syn_data_again, ends;

	if (c->ecn_cwr)
		limit = c->mss; /* CWR is said once, and not every device cuts it so */
	if (again && limit > syn_data_left(c))
		limit = syn_data_left(c); /* as it was */
	if (len > limit)
		len = limit;
	next_settle(c);
	if (tx && tcp_account_open(g, c) && tcp_flight_open(g, c))
		p = tcp_payload_packet(g, c, c->next_chunk, c->next_off, &len);
	if (!p) {
		pool_free(&g->pool, tx, sizeof(*tx));
		stat_inc(g, STAT_NOMEM);
		return false;
	}
	fin = fin && len == unsent;
	ends = len && (again || (len == record && (len < unsent || !c->unpushed)));
	*tx = (struct tcp_tx){
		.seq = c->snd.nxt,
		.len = len + fin,
		.chunk = len ? c->next_chunk : NULL,
		.off = c->next_off,
		.pkt = p->id,
		.flags = fin ? TX_FIN : 0,
	};
	tcp_sent_add(g, c, tx);
	next_advance(c, len);
	c->snd.nxt = seq_add(c->snd.nxt, len + fin);
	c->fin_sent = fin;
	if (ends)
		tx->flags |= TX_PSH;
	c->account->bytes_sent += len;
	tcp_note_data_sent(g, c, len);
	note_habits(g, c, len);
	out.len = len;
	out.is_new = len;
	out.flags |=
		(uint8_t)((fin ? TCP_FIN : 0) | (len && pushes(g, c, len, ends) ? TCP_PSH : 0));
	tcp_ack_options(g, c, &opt, len);
	tcp_transmit(g, c, p, &out);
	tcp_note_moved(g, c);
	return true;
}

bool tcp_retransmit(struct glass *g, struct tcp_conn *c, struct tcp_tx *tx, uint32_t limit,
		    enum tcp_rtx_kind kind)
{
	uint32_t frame = frame_limit(g, c), len, segs;
	struct tcp_options opt = { 0 };
	struct tcp_out out = { .seq = tx->seq, .flags = TCP_ACK, .opt = &opt };
	struct pkt *p;

	tcp_pmtu_resent(g, c, tx);
	if (limit > frame)
		limit = frame;
	if (tx->len - !!(tx->flags & TX_FIN) > limit && !tcp_tx_split(g, c, tx, limit))
		return false;
	len = tx->len - !!(tx->flags & TX_FIN);
	p = tcp_payload_packet(g, c, tx->chunk, tx->off, &len);
	if (!p)
		return false;
	if (len < tx->len - !!(tx->flags & TX_FIN) && !tcp_tx_split(g, c, tx, len)) {
		pkt_free(&g->pool, p);
		return false;
	}
	segs = len > c->mss ? (len + c->mss - 1) / c->mss : 1;
	tx->flags |= TX_EVER_RETRANS;
	tcp_tx_sent(g, c, tx);
	tcp_undo_resent(g, c, tx);
	if (seq_eq(tx->seq, c->snd.una))
		c->out->rto_at_ns = 0; /* RFC 6675 6: the copy has its time too */
	c->account->bytes_sent += len; /* as Linux counts */
	c->account->bytes_retrans += len;
	tcp_note_data_sent(g, c, len);
	c->retrans_total += segs;
	c->account->retrans_by[kind] += segs;
	stat_add(g, STAT_TCP_RETRANS_SEGS, segs);
	out.len = len;
	out.flags |= (uint8_t)((tx->flags & TX_FIN ? TCP_FIN : 0) |
			       (tx->flags & TX_PSH || len > c->mss ? TCP_PSH : 0));
	tcp_ack_options(g, c, &opt, len);
	EVENT(g, c->id, p->id, TCP_RTX, out.flags, tx->seq.v - c->snd.iss.v, len, tx->pkt,
	      tcp_rtx_word(kind));
	tcp_transmit(g, c, p, &out);
	return true;
}
