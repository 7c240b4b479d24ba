/* SPDX-License-Identifier: MIT */
/*
 * One segment: its header, its options, its bytes by reference, and its way down to IP.
 *
 * In: tcp_output, tcp_input, the timers.  Out: ip_output.
 */
#include "tcp_recovery.h"

#include <string.h>

#include "../wire/checksum.h"

#define TS_OPTION_BYTES 12 /* two NOPs and the option: RFC 7323 appendix A */
#define IP_TCP_HEADER_BYTES 40
#define FRAMES_PER_WINDOW 2
#define SHORT_PATH_NS (16 * NS_PER_MS) /* below, frames are larger, by powers of two */
#define SACK_HEAD_BYTES 4	       /* RFC 2018 3: kind, length, and padding to a word */
#define SACK_BLOCK_BYTES 8

/*
 * RFC 9293 3.7.1, RFC 6691: the option tells the MTU; what is sent is smaller by the options of
 * each segment.
 */
void tcp_set_mss(struct glass *g, struct tcp_conn *c)
{
	uint32_t mss = c->path.mtu_bytes - IP_TCP_HEADER_BYTES;

	(void)g;
	if (c->peer_mss && mss > c->peer_mss)
		mss = c->peer_mss;
	if (c->config.maxseg && mss > c->config.maxseg)
		mss = c->config.maxseg;
	if (c->ts_ok && mss > TS_OPTION_BYTES + TCP_MSS_MIN - 1)
		mss -= TS_OPTION_BYTES;
	c->mss = (uint16_t)(mss > TCP_SUPER_BYTES_MAX ? TCP_SUPER_BYTES_MAX : mss);
}

static uint16_t mss_option(const struct tcp_conn *c)
{
	uint32_t mss = c->path.mtu_bytes - IP_TCP_HEADER_BYTES;

	if (c->config.maxseg && mss > c->config.maxseg)
		mss = c->config.maxseg;
	return (uint16_t)(mss > 65495 ? 65495 : mss);
}

uint32_t tcp_advmss(const struct tcp_conn *c)
{
	return mss_option(c) - (c->ts_ok ? TS_OPTION_BYTES : 0u);
}

static void syn_options(const struct tcp_conn *c, struct tcp_options *o, uint32_t tsval)
{
	o->mss_ok = true;
	o->mss = mss_option(c);
	o->wscale_ok = c->wscale_ok;
	o->wscale = c->rcv_wscale;
	o->sack_permitted = c->sack_ok;
	o->timestamps = c->ts_ok;
	o->tsval = tsval;
	o->tsecr = c->ts_recent;
}

/*
 * RFC 2018 4, RFC 2883 4: a duplicate first, then the newest blocks; with timestamps three fit. A
 * segment with len bytes of payload has only the blocks that its size leaves room for (MUST-16):
 * a full one has none, and need not, since every segment out of order is answered by an ACK of
 * its own.
 */
static void ack_options(const struct glass *g, struct tcp_conn *c, struct tcp_options *o,
			uint32_t len)
{
	uint32_t room = len < c->mss ? c->mss - len : 0;
	unsigned max = c->ts_ok ? 3 : 4, fits;

	o->timestamps = c->ts_ok;
	o->tsval = tcp_ts_now(g, c);
	o->tsecr = c->ts_recent;
	if (!c->sack_ok)
		return;
	fits = room > SACK_HEAD_BYTES ? (room - SACK_HEAD_BYTES) / SACK_BLOCK_BYTES : 0;
	if (len && fits < max)
		max = fits;
	if (!max)
		return;
	if (c->dsack)
		o->sack[o->nsack++] = c->dsack_block;
	for (unsigned i = 0; i < c->nsack && o->nsack < max; i++)
		o->sack[o->nsack++] = c->sack[i];
	c->dsack = false;
}

/* What every segment of ours tells the peer is told now. */
static void ack_sent(struct tcp_conn *c)
{
	c->ack_now = false;
	c->unacked = 0;
	c->rcv.acked = c->rcv.nxt;
}

struct tcp_out {
	struct seq seq;
	uint32_t len; /* payload */
	uint8_t flags;
	bool is_new; /* its payload was never sent before */
	const struct tcp_options *opt;
};

/* Header in front of p (which has the payload), and away. */
static enum verdict tcp_transmit(struct glass *g, struct tcp_conn *c, struct pkt *p,
				 const struct tcp_out *out)
{
	struct ip_send to = {
		.src = c->laddr,
		.dst = c->raddr,
		.proto = IP_PROTO_TCP,
		.ttl = c->config.ttl,
		.tos = c->config.tos,
		.dont_fragment = true,
	};
	uint8_t options[40];
	size_t n = tcp_options_write(options, out->opt);
	uint8_t flags = out->flags | tcp_ecn_mark(c, out->flags, out->is_new, &to.tos);
	uint16_t urgent = tcp_urgent_pointer(c, out->seq, out->len, &flags);
	uint32_t wnd = tcp_window(g, c);
	struct tcp_header *h;

	if (out->flags & TCP_SYN)
		wnd = wnd > 65535 ? 65535 : wnd;
	memcpy(pkt_push(p, n), options, n);
	h = pkt_push(p, sizeof(*h));
	*h = (struct tcp_header){
		.sport = be16_of(c->lport),
		.dport = be16_of(c->rport),
		.seq = be32_of(out->seq.v),
		.ack = be32_of(out->flags & TCP_ACK ? c->rcv.nxt.v : 0),
		.data_offset = (uint8_t)((sizeof(*h) + n) / 4 << 4),
		.flags = flags,
		.window = be16_of(out->flags & TCP_SYN ? wnd : wnd >> c->rcv_wscale),
		.urgent = be16_of(urgent),
	};
	h->checksum = be16_of(csum_sum16(csum_pseudo4(to.src, to.dst, IP_PROTO_TCP, pkt_len(p))));
	p->l4 = p->data;
	p->l4_proto = IP_PROTO_TCP;
	p->csum_offset = TCP_CSUM_OFFSET;
	p->flags |= PKT_CSUM_PARTIAL;
	p->conn = c->id;
	p->gso_size = out->len > c->mss ? c->mss : 0;
	EVENT(g, c->id, p->id, TCP_OUT, flags, out->seq.v - c->snd.iss.v,
	      out->flags & TCP_ACK ? c->rcv.nxt.v - c->rcv.irs.v : 0, out->len, wnd);
	c->segs_out += p->gso_size ? (out->len + c->mss - 1) / c->mss : 1;
	stat_add(g, STAT_TCP_OUT_SEGS, p->gso_size ? (out->len + c->mss - 1) / c->mss : 1);
	c->last_tx_ns = now(g);
	if (out->len)
		c->data_ms = tcp_now_ms(g);
	if (out->flags & TCP_ACK)
		ack_sent(c);
	return ip_output(g, p, &to, &c->path);
}

/* A segment without payload. */
static uint32_t send_bare(struct glass *g, struct tcp_conn *c, struct seq seq, uint8_t flags,
			  const struct tcp_options *opt)
{
	struct pkt *p = pkt_build(g, IP_HEADROOM, 0);
	struct tcp_out out = { .seq = seq, .flags = flags, .opt = opt };
	uint32_t id;

	if (!p)
		return 0;
	id = p->id;
	tcp_transmit(g, c, p, &out);
	return id;
}

uint32_t tcp_send_ghost(struct glass *g, struct tcp_conn *ghost, uint8_t flags, uint32_t tsval)
{
	struct tcp_options opt = { 0 };

	if (!(flags & TCP_SYN)) {
		ack_options(g, ghost, &opt, 0);
		return send_bare(g, ghost, seq_add(ghost->snd.iss, 1), flags, &opt);
	}
	syn_options(ghost, &opt, tsval);
	flags |= tcp_ecn_syn(g, ghost, flags);
	if (ghost->fastopen_tell)
		tcp_fastopen_tell(g, ghost, &opt);
	return send_bare(g, ghost, ghost->snd.iss, flags, &opt);
}

void tcp_send_ack(struct glass *g, struct tcp_conn *c)
{
	struct tcp_options opt = { 0 };

	ack_options(g, c, &opt, 0);
	if (!send_bare(g, c, c->snd.nxt, TCP_ACK, &opt))
		tcp_arm_ack(g, c); /* no memory: later */
}

/*
 * An ACK with an old sequence number, which the peer must answer: RFC 9293 3.8.4, and as Linux
 * 3.8.6.1.
 */
void tcp_send_probe(struct glass *g, struct tcp_conn *c)
{
	struct tcp_options opt = { 0 };

	ack_options(g, c, &opt, 0);
	send_bare(g, c, seq_add(c->snd.una, UINT32_MAX), TCP_ACK, &opt);
}

void tcp_send_rst(struct glass *g, struct tcp_conn *c)
{
	/* RFC 7323 3.2: a RST should have them too. */
	struct tcp_options opt = { .timestamps = c->ts_ok, .tsecr = c->ts_recent };

	opt.tsval = tcp_ts_now(g, c);
	stat_inc(g, STAT_TCP_OUT_RSTS);
	send_bare(g, c, c->snd.nxt, TCP_RST | TCP_ACK, &opt);
}

/* RFC 9293 3.10.7.1: the sequence number is what the peer expects. */
void tcp_reply_rst(struct glass *g, const struct tcp_seg *seg)
{
	static const struct tcp_options none;
	struct tcp_conn ghost = { .id = 0 };
	struct tcp_out out = { .opt = &none, .flags = TCP_RST };
	struct pkt *p;

	ghost.laddr = seg->dst;
	ghost.lport = seg->dport;
	ghost.raddr = seg->src;
	ghost.rport = seg->sport;
	ghost.mss = 1;
	if (seg->flags & TCP_ACK) {
		out.seq = seg->ack;
	} else {
		out.flags |= TCP_ACK;
		ghost.rcv.nxt = ghost.rcv.edge = seq_add(seg->seq, seg->span);
	}
	if (ip_route(g, ghost.raddr, ghost.laddr, &ghost.path) ||
	    !(p = pkt_build(g, IP_HEADROOM, 0)))
		return;
	stat_inc(g, STAT_TCP_OUT_RSTS);
	tcp_transmit(g, &ghost, p, &out);
}

bool tcp_may_challenge(const struct glass *g, struct tcp_conn *c)
{
	if (now(g) - c->challenge_ns < g->tun.tcp_invalid_ratelimit_ms * NS_PER_MS)
		return false;
	c->challenge_ns = now(g);
	return true;
}

void tcp_challenge(struct glass *g, struct tcp_conn *c)
{
	if (!tcp_may_challenge(g, c))
		return;
	stat_inc(g, STAT_TCP_CHALLENGE_ACKS);
	EVENT(g, c->id, 0, TCP_ACK_WHY, WORD("challenge: an unacceptable segment"));
	tcp_send_ack(g, c);
}

/* ---- payload --------------------------------------------------------------------------------- */

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

/*
 * The packet for len bytes of payload at tx, as far as they fit: tx is cut to what did. NULL: no
 * memory.
 */
static struct pkt *payload_packet(struct glass *g, struct tcp_conn *c, struct tcp_chunk *k,
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
 * PSH: the last byte of what the program wrote (MUST-61); and the last segment of those that leave
 * together, as Linux does it, for nothing follows them until the peer has acknowledged. With the
 * device's help those are the segments of a frame.
 */
static bool pushes(const struct glass *g, const struct tcp_conn *c, uint32_t len, bool all_sent)
{
	bool frames = g->dev[c->path.dev].setup.offload & GLASS_OFFLOAD_TSO;
	bool stops = tcp_in_flight(c) + c->mss > c->cwnd;

	return all_sent || len > c->mss || (!frames && stops && c->in_burst);
}

static void note_data_sent(struct glass *g, struct tcp_conn *c, uint32_t len)
{
	if (!len)
		return;
	c->account->data_segs_out += (len + c->mss - 1u) / c->mss;
	c->account->last_data_sent_ns = now(g);
}

/* The packet of the first SYN, which may have data (RFC 7413); *len: how much. NULL: no memory. */
static struct pkt *first_syn(struct glass *g, struct tcp_conn *c, struct tcp_options *o,
			     uint32_t *len)
{
	uint32_t room = tcp_fastopen_ask(g, c, o);
	struct pkt *p = NULL;

	*len = room < c->queued ? room : c->queued;
	if (*len && tcp_account_open(g, c))
		p = payload_packet(g, c, c->next_chunk, c->next_off, len);
	if (!p)
		*len = 0;
	c->syn_data = (uint16_t)*len;
	if (*len) {
		c->account->bytes_sent += *len;
		note_data_sent(g, c, *len);
	}
	return p ? p : pkt_build(g, IP_HEADROOM, 0);
}

void tcp_send_syn(struct glass *g, struct tcp_conn *c)
{
	uint8_t flags = c->state == TCPS_SYN_SENT ? TCP_SYN : TCP_SYN | TCP_ACK;
	struct tcp_options opt = { 0 };
	struct tcp_out out = { .seq = c->snd.iss, .opt = &opt };
	struct pkt *p;
	uint32_t id;

	out.flags = flags |= tcp_ecn_syn(g, c, flags);
	syn_options(c, &opt, tcp_ts_now(g, c));
	if (c->fastopen_wanted && !c->syn_pkt && c->state == TCPS_SYN_SENT)
		p = first_syn(g, c, &opt, &out.len);
	else
		p = pkt_build(g, IP_HEADROOM, 0);
	if (seq_eq(c->snd.nxt, c->snd.iss))
		c->snd.nxt = seq_add(c->snd.iss, 1 + out.len);
	id = p ? p->id : 0;
	if (p)
		tcp_transmit(g, c, p, &out);
	if (c->syn_pkt) {
		c->retrans_total++;
		stat_inc(g, STAT_TCP_RETRANS_SEGS);
		stat_inc(g, STAT_TCP_SYN_RETRANS);
		EVENT(g, c->id, id, TCP_RTX, flags, 0, 0, c->syn_pkt, WORD("SYN not answered"));
	} else {
		c->syn_pkt = id;
	}
	tcp_rearm(g, c, true);
}

void tcp_syn_data_acked(struct glass *g, struct tcp_conn *c, uint32_t n)
{
	next_settle(c);
	next_advance(c, n);
	next_settle(c);
	tcp_sendq_acked(g, c, n);
	c->account->bytes_acked += n;
}

bool tcp_send_data(struct glass *g, struct tcp_conn *c, uint32_t len, bool fin)
{
	uint32_t limit = frame_limit(g, c), unsent = tcp_unsent(c);
	struct tcp_tx *tx = pool_alloc(&g->pool, sizeof(*tx));
	struct tcp_options opt = { 0 };
	struct tcp_out out = { .seq = c->snd.nxt, .flags = TCP_ACK, .opt = &opt };
	struct pkt *p = NULL;

	if (c->ecn_cwr)
		limit = c->mss; /* CWR is said once, and not every device cuts it so */
	if (len > limit)
		len = limit;
	next_settle(c);
	if (tx && tcp_account_open(g, c))
		p = payload_packet(g, c, c->next_chunk, c->next_off, &len);
	if (!p) {
		pool_free(&g->pool, tx, sizeof(*tx));
		stat_inc(g, STAT_NOMEM);
		return false;
	}
	fin = fin && len == unsent;
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
	if (len && len == unsent)
		tx->flags |= TX_PSH;
	if (len % c->mss)
		c->small_end = c->snd.nxt;
	c->account->bytes_sent += len;
	note_data_sent(g, c, len);
	if (c->last_data_ns && now(g) - c->last_data_ns < g->tun.tcp_delack_ms * NS_PER_MS)
		c->pingpong = true;
	out.len = len;
	out.is_new = len;
	out.flags |= (uint8_t)((fin ? TCP_FIN : 0) |
			       (len && pushes(g, c, len, len == unsent) ? TCP_PSH : 0));
	ack_options(g, c, &opt, len);
	tcp_transmit(g, c, p, &out);
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
	p = payload_packet(g, c, tx->chunk, tx->off, &len);
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
		c->rto_at_ns = 0;      /* RFC 6675 6: the copy has its time too */
	c->account->bytes_sent += len; /* as Linux counts */
	c->account->bytes_retrans += len;
	note_data_sent(g, c, len);
	c->retrans_total += segs;
	c->account->retrans_by[kind] += segs;
	stat_add(g, STAT_TCP_RETRANS_SEGS, segs);
	out.len = len;
	out.flags |=
		(uint8_t)((tx->flags & TX_FIN ? TCP_FIN : 0) | (tx->flags & TX_PSH ? TCP_PSH : 0));
	ack_options(g, c, &opt, len);
	EVENT(g, c->id, p->id, TCP_RTX, out.flags, tx->seq.v - c->snd.iss.v, len, tx->pkt,
	      tcp_rtx_word(kind));
	tcp_transmit(g, c, p, &out);
	return true;
}
