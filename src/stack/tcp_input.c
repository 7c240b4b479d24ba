/* SPDX-License-Identifier: MIT */
/*
 * SEGMENT ARRIVES: RFC 9293 section 3.10.7.4 with the checks of RFC 5961 and RFC 7323. The order
 * of the calls is the order of the RFC; each step lets the segment go on or says what became of
 * it.
 *
 * In: tcp_input. Out: tcp_check_ack (acknowledgments), tcp_receive (payload), tcp_syn_sent_input.
 */
#include "tcp.h"
#include "tcp_cc.h"
#include "tcp_input.h"
#include "tcp_listen.h"
#include "tcp_output.h"

#define PAWS_IDLE_NS (24ll * 24 * 3600 * NS_PER_S) /* RFC 7323 5.5 */
#define DUPLICATES_MIN 100u   /* answered one by one, however small the window */
#define OVERTAKEN_MS_MAX 500u /* a sequence number would go round in that at 68 Gbit/s only */
#define OLD_SPAN_MIN \
	65536u /* how far behind the window a duplicate may lie and be answered at once */

/*
 * In the spirit of RFC 5961 7: who sends old segments without end, with any contents, does not get
 * an ACK for each. A sender whose timer was too short sends a window again, of small segments
 * perhaps; twice that, before the program has read for a round trip, is no accident. (Linux has no
 * limit for what has data.)
 */
static bool may_answer_duplicate(struct tcp_conn *c)
{
	uint32_t most = 2 * (c->rcv.limit / (c->rcv_mss ? c->rcv_mss : 1));

	if (most < DUPLICATES_MIN)
		most = DUPLICATES_MIN;
	if (c->dup_count >= most || c->dup_count == UINT16_MAX)
		return false;
	c->dup_count++;
	return true;
}

/*
 * We have it already: told by a D-SACK (RFC 2883 4), each duplicate by an ACK of its own, for one
 * report is all that an ACK can carry, and a sender that misses one never knows that it was wrong.
 */
static void tcp_duplicate(struct glass *g, struct tcp_conn *c, const struct tcp_seg *seg)
{
	if (!may_answer_duplicate(c)) {
		tcp_challenge(g, c);
		return;
	}
	if (c->dsack)
		tcp_send_ack(g, c);
	if (seg->len)
		tcp_note_dsack(c, seg->seq, seq_min(seq_add(seg->seq, seg->len), c->rcv.nxt));
	tcp_owe_ack(g, c, "a duplicate came");
}

/* Behind the window, and not so far that it was none of this connection's time. */
static bool is_behind(const struct tcp_conn *c, const struct tcp_seg *seg)
{
	uint32_t span_old = c->rcv.limit > OLD_SPAN_MIN ? c->rcv.limit : OLD_SPAN_MIN;
	int32_t behind = seq_diff(c->rcv.nxt, seg->seq);

	return behind > 0 && (uint32_t)behind <= span_old;
}

/*
 * Reordered, not of an earlier time: so little older, by the peer's clock and by ours, that no
 * number can have gone round meanwhile.
 *
 * Data in the window, when a copy of what was sent before it has come first, and has brought the
 * copy's timestamp: refused, it would have to be sent again, and the sender would never hear that
 * nothing was lost. And a pure ACK, which may have SACK blocks that the one before it had not: it
 * acknowledges no less. RFC 7323 5.3 refuses both; Linux only the data.
 */
static bool overtaken(const struct glass *g, const struct tcp_conn *c, const struct tcp_seg *seg)
{
	uint32_t older_ms = c->ts_recent - seg->opt.tsval, most_ms = OVERTAKEN_MS_MAX;

	if (c->rto_ns < most_ms * NS_PER_MS)
		most_ms = (uint32_t)(c->rto_ns / NS_PER_MS);
	if (older_ms > most_ms || now(g) - c->ts_recent_ns > most_ms * NS_PER_MS)
		return false;
	if (seg->span)
		return seg->len && !(seg->flags & TCP_SYN) && !is_behind(c, seg);
	return (seg->flags & TCP_ACK) && seg->opt.nsack && seq_eq(seg->seq, c->rcv.nxt) &&
	       seq_eq(seg->ack, c->snd.una);
}

static bool timestamp_is_old(const struct glass *g, const struct tcp_conn *c,
			     const struct tcp_seg *seg)
{
	return (int32_t)(seg->opt.tsval - c->ts_recent) < 0 &&
	       now(g) - c->ts_recent_ns < PAWS_IDLE_NS;
}

/*
 * RFC 7323 5.3 R1: a segment whose timestamp is older than what we saw is one of an earlier time.
 */
static enum verdict tcp_check_paws(struct glass *g, struct tcp_conn *c, struct pkt *p,
				   struct tcp_seg *seg)
{
	if (!c->ts_ok || !seg->opt.timestamps || (seg->flags & TCP_RST))
		return GO_ON;
	if (timestamp_is_old(g, c, seg)) {
		if (overtaken(g, c, seg))
			return GO_ON;
		if (seg->len && is_behind(c, seg))
			tcp_duplicate(g, c, seg);
		else
			tcp_challenge(g, c);
		return drop(g, p, TCP_PAWS, seg->opt.tsval, c->ts_recent);
	}
	return GO_ON;
}

void tcp_trim(struct tcp_conn *c, struct pkt *p, struct tcp_seg *seg)
{
	int32_t before = seq_diff(c->rcv.nxt, seg->seq);
	int32_t beyond = seq_diff(seq_add(seg->seq, seg->span), c->rcv.edge);

	if (before > 0 && seg->len) {
		uint32_t n = (uint32_t)before < seg->len ? (uint32_t)before : seg->len;

		tcp_note_dsack(c, seg->seq, seq_add(seg->seq, n));
		pkt_pull(p, n);
		seg->seq = seq_add(seg->seq, n);
		seg->len -= n;
		seg->span -= n;
	}
	if (beyond > 0 && (seg->flags & TCP_FIN)) {
		seg->flags &= (uint8_t)~TCP_FIN;
		seg->span--;
		beyond--;
	}
	if (beyond > 0) {
		seg->len -= (uint32_t)beyond < seg->len ? (uint32_t)beyond : seg->len;
		seg->span = seg->len;
		pkt_trim(p, seg->len);
	}
}

/*
 * Not in the window: answered with an ACK, unless it is a RST; RFC 9293 3.10.7.4, "first check
 * sequence number".
 */
static enum verdict tcp_unacceptable(struct glass *g, struct tcp_conn *c, struct pkt *p,
				     struct tcp_seg *seg)
{
	if (is_behind(c, seg) && seq_leq(seq_add(seg->seq, seg->span), c->rcv.nxt)) {
		if (seg->flags & TCP_RST)
			return drop(g, p, TCP_RST_INVALID, seg->seq.v - c->rcv.irs.v,
				    c->rcv.nxt.v - c->rcv.irs.v);
		/* Our ACK was lost, or the peer probes. */
		if (seg->span)
			tcp_duplicate(g, c, seg);
		else
			tcp_challenge(g, c);
		return drop(g, p, TCP_OLD, seg->seq.v - c->rcv.irs.v, seg->len);
	}
	if (!(seg->flags & TCP_RST))
		tcp_challenge(g, c);
	return drop(g, p, TCP_WINDOW, seg->seq.v - c->rcv.irs.v,
		    (uint32_t)seq_diff(c->rcv.edge, c->rcv.nxt));
}

/* First: RFC 9293 table 6. */
static enum verdict tcp_check_sequence(struct glass *g, struct tcp_conn *c, struct pkt *p,
				       struct tcp_seg *seg)
{
	uint32_t window = (uint32_t)seq_diff(c->rcv.edge, c->rcv.nxt);
	struct seq last = seq_add(seg->seq, seg->span ? seg->span - 1 : 0);
	enum verdict v = tcp_check_paws(g, c, p, seg);

	if (v != GO_ON)
		return v;
	if (seq_eq(seg->seq, c->rcv.nxt) && !window) {
		/*
		 * MUST-66: at zero window RST, ACK and URG are processed; the payload is not
		 * taken.
		 */
		if (seg->span)
			tcp_owe_ack(g, c, "probe of our zero window");
	} else if (!seq_in(seg->seq, c->rcv.nxt, c->rcv.edge) &&
		   !seq_in(last, c->rcv.nxt, c->rcv.edge) &&
		   !(seq_eq(seg->seq, c->rcv.edge) && !seg->span && !(seg->flags & TCP_RST))) {
		return tcp_unacceptable(g, c, p, seg);
	}
	return GO_ON;
}

/*
 * RFC 7323 4.3: TS.Recent follows segments that cover the last ACK sent. Not before their ACK was
 * found good: one forged segment with a timestamp of tomorrow would make PAWS refuse all others.
 */
static void tcp_note_timestamp(struct glass *g, struct tcp_conn *c, const struct tcp_seg *seg)
{
	if (!c->ts_ok || !seg->opt.timestamps || seq_gt(seg->seq, c->rcv.acked) ||
	    timestamp_is_old(g, c, seg))
		return;
	c->ts_recent = seg->opt.tsval;
	c->ts_recent_ns = now(g);
}

/*
 * Second: RFC 5961 3.2. Only the exact next sequence number resets; elsewhere in the window it is
 * questioned.
 */
static enum verdict tcp_check_rst(struct glass *g, struct tcp_conn *c, struct pkt *p,
				  struct tcp_seg *seg)
{
	enum tcp_state state = c->state;

	if (!(seg->flags & TCP_RST))
		return GO_ON;
	if (state == TCPS_TIME_WAIT) /* RFC 1337: no assassination */
		return drop(g, p, TCP_TIME_WAIT, seg->flags);
	if (!seq_eq(seg->seq, c->rcv.nxt)) {
		tcp_challenge(g, c);
		return drop(g, p, TCP_RST_INVALID, seg->seq.v - c->rcv.irs.v,
			    c->rcv.nxt.v - c->rcv.irs.v);
	}
	if (c->fastopen_of) { /* the program may have it already */
		tcp_fastopen_left(g, c, true);
		tcp_end(g, c, ECONNRESET, "RST before the handshake was complete");
	} else if (state ==
		   TCPS_SYN_RECEIVED) /* a passive one vanishes: the listener goes on (MUST-11) */
		tcp_end(g, c, ECONNREFUSED, "RST during the handshake");
	else if (state == TCPS_CLOSING || state == TCPS_LAST_ACK)
		tcp_end(g, c, 0, "RST after both have closed");
	else
		tcp_end(g, c, state == TCPS_CLOSE_WAIT ? EPIPE : ECONNRESET, "RST from the peer");
	return drop(g, p, TCP_RST, state);
}

/*
 * Fourth: RFC 5961 4.2, whatever its sequence number. A peer that really restarted answers our
 * ACK with a RST.
 */
static enum verdict tcp_check_syn(struct glass *g, struct tcp_conn *c, struct pkt *p,
				  struct tcp_seg *seg)
{
	if (!(seg->flags & TCP_SYN))
		return GO_ON;
	if (c->state == TCPS_SYN_RECEIVED && seq_eq(seg->seq, c->rcv.irs)) {
		if (seg->flags & TCP_ACK)
			return GO_ON; /* the SYN-ACK of a simultaneous open acknowledges our SYN */
		if (tcp_may_challenge(g, c))
			tcp_send_syn(g, c); /* our SYN-ACK was lost */
		return drop(g, p, TCP_OLD, 0, seg->len);
	}
	tcp_challenge(g, c);
	return drop(g, p, TCP_SYN_INVALID, seg->seq.v - c->rcv.irs.v, c->state);
}

/*
 * TIME-WAIT: only the peer's FIN may come again; it is acknowledged and the wait begins anew. One
 * that stands elsewhere is not the peer's, and must not make the wait longer.
 */
static enum verdict tcp_time_wait_input(struct glass *g, struct tcp_conn *c, struct pkt *p,
					struct tcp_seg *seg)
{
	enum verdict v = tcp_check_paws(g, c, p, seg);

	if (v != GO_ON)
		return v;
	if (seg->flags & TCP_FIN && seq_eq(seq_add(seg->seq, seg->span), c->rcv.nxt)) {
		tcp_owe_ack(g, c, "FIN again in TIME-WAIT");
		tcp_arm_life(g, c, g->tun.tcp_time_wait_ms * NS_PER_MS, WORD("2 MSL begin anew"));
	} else if (seg->span) {
		tcp_challenge(g, c);
	}
	return drop(g, p, TCP_TIME_WAIT, seg->flags);
}

/*
 * Will nobody read what comes? The program has closed; or it has shut down both directions, as
 * Linux sees it. One that has shut down only its reading side may still read, as on Linux.
 */
static bool nobody_reads(const struct tcp_conn *c)
{
	return c->closed_by_user || (c->shut_rd && c->fin_queued);
}

/*
 * RFC 9293 3.6.1 (SHLD-3): bytes that nobody will read any more are answered with a RST. It stands
 * behind our FIN, where a peer that has that takes it at once (RFC 5961 3.2); but when timeouts
 * show that the peer has not, at the number that the segment acknowledges (RFC 9293 3.5.2).
 */
static enum verdict tcp_check_reader(struct glass *g, struct tcp_conn *c, struct pkt *p,
				     struct tcp_seg *seg)
{
	uint32_t len = seg->len;

	if (!nobody_reads(c) || !len || c->state == TCPS_TIME_WAIT)
		return GO_ON;
	if (c->timeouts)
		tcp_reply_rst(g, seg);
	else
		tcp_send_rst(g, c);
	stat_inc(g, STAT_TCP_ABORT_ON_DATA);
	tcp_end(g, c, ECONNRESET, "data for a closed socket");
	return drop(g, p, TCP_CLOSED_DATA, len);
}

/*
 * The SYN-ACK of a simultaneous open: its SYN is known, and lies before the window. So it is
 * answered (RFC 9293 3.10.7.4, first), though figure 8 does not show it: the peer need not wait for
 * our SYN-ACK, if that was lost. What it acknowledges and brings is taken.
 */
static void tcp_syn_again(struct glass *g, struct tcp_conn *c)
{
	tcp_note_dsack(c, c->rcv.irs, seq_add(c->rcv.irs, 1));
	tcp_owe_ack(g, c, "SYN-ACK of a simultaneous open");
}

enum verdict tcp_segment_arrives(struct glass *g, struct tcp_conn *c, struct pkt *p,
				 struct tcp_seg *seg)
{
	bool syn_again = (seg->flags & (TCP_SYN | TCP_RST)) == TCP_SYN;
	enum verdict v;

	ENTER(g, p);
	if (syn_again && (v = tcp_check_syn(g, c, p, seg)) != GO_ON)
		return v; /* fourth; RFC 5961 puts it first */
	if (syn_again) {
		seg->seq = seq_add(seg->seq, 1);
		seg->span--;
		seg->flags &= (uint8_t)~TCP_SYN;
	}
	if (c->state == TCPS_TIME_WAIT && !(seg->flags & TCP_RST))
		return tcp_time_wait_input(g, c, p, seg);
	if ((v = tcp_check_sequence(g, c, p, seg)) != GO_ON) /* first */
		return v;
	if ((v = tcp_check_rst(g, c, p, seg)) != GO_ON) /* second */
		return v;
	if (!(seg->flags & TCP_ACK)) /* fifth */
		return drop(g, p, TCP_NO_ACK, seg->flags);
	if ((v = tcp_check_ack(g, c, p, seg)) != GO_ON)
		return v;
	if (syn_again)
		tcp_syn_again(g, c);
	tcp_note_timestamp(g, c, seg);
	tcp_urgent_arrived(g, c, seg); /* sixth */
	tcp_trim(c, p, seg);
	tcp_ecn_data(g, c, seg);
	if ((v = tcp_check_reader(g, c, p, seg)) != GO_ON)
		return v;
	c->last_rx_ns = now(g);
	if (c->rtx_mode == RTX_PERSIST)
		c->timeouts = 0; /* of probes: this answers them */
	else
		c->probes = 0;
	return tcp_receive(g, c, p, seg); /* seventh and eighth */
}

enum verdict tcp_conn_input(struct glass *g, struct tcp_conn *c, struct pkt *p, struct tcp_seg *seg)
{
	uint32_t segs = p->gso_size ? (seg->len + p->gso_size - 1) / p->gso_size : 1;

	p->conn = c->id;
	c->segs_in += segs;
	c->data_segs_in += seg->len ? segs : 0;
	EVENT(g, c->id, p->id, TCP_IN, seg->flags, c->rcv.irs.v ? seg->seq.v - c->rcv.irs.v : 0,
	      seg->flags & TCP_ACK ? seg->ack.v - c->snd.iss.v : 0, seg->len,
	      (uint64_t)seg->wnd << (seg->flags & TCP_SYN ? 0 : c->snd_wscale));
	if (c->state == TCPS_SYN_SENT)
		return tcp_syn_sent_input(g, c, p, seg);
	return tcp_segment_arrives(g, c, p, seg);
}
