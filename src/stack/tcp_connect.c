/* SPDX-License-Identifier: MIT */
/*
 * The active open: SYN out, and what may come back (RFC 9293 3.10.1, 3.10.7.3).
 *
 * In: the socket layer (tcp_connect), tcp_conn_input (SYN-SENT). Out: tcp_send_syn,
 * tcp_established.
 */
#include "tcp.h"
#include "tcp_cc.h"
#include "tcp_input.h"
#include "tcp_output.h"

#define SYN_WINDOW_MAX 65535u /* RFC 7323 2.2: not scaled */

void tcp_prepare(struct glass *g, struct tcp_conn *c, struct seq iss)
{
	c->snd.iss = c->snd.una = c->snd.nxt = iss;
	c->ts_offset = tcp_ts_offset(g, c->laddr, c->lport, c->raddr, c->rport);
	c->ts_ok = g->tun.tcp_timestamps;
	c->sack_ok = g->tun.tcp_sack;
	c->wscale_ok = g->tun.tcp_window_scaling;
	c->rcv_wscale = 0;
	while (c->rcv_wscale < TCP_WSCALE_MAX && c->config.rcvbuf >> c->rcv_wscale > 65535)
		c->rcv_wscale++;
	tcp_set_mss(g, c);
	tcp_cc_start(g, c);
}

/*
 * A port that the program has bound: it may be taken out of TIME-WAIT, as on Linux, when timestamps
 * tell the old connection's segments apart (RFC 6191).
 */
static int take_bound_port(struct glass *g, struct tcp_conn *c)
{
	struct tcp_conn *old = tcp_find(g, c->laddr, c->lport, c->raddr, c->rport);

	if (!old)
		return 0;
	if (old->state != TCPS_TIME_WAIT || !old->ts_ok || !g->tun.tcp_timestamps)
		return -EADDRNOTAVAIL;
	tcp_take_over(g, c, old);
	return 0;
}

int tcp_connect(struct glass *g, struct tcp_conn *c, ip4_t raddr, uint16_t rport)
{
	int err;

	if (ip_is_broadcast(g, raddr) || ip_is_multicast(raddr)) /* MUST-46 */
		return -ENETUNREACH;
	err = ip_route_by(g, raddr, c->laddr, c->config.bound, &c->path);
	if (err)
		return err;
	c->laddr = c->path.src;
	c->raddr = raddr;
	c->rport = rport;
	err = c->lport ? take_bound_port(g, c) : tcp_choose_port(g, c);
	if (err || (err = tcp_hash(g, c)))
		return err;
	/* tcp_take_over() has chosen one already when the addresses were in TIME-WAIT. */
	tcp_prepare(g, c,
		    c->snd.iss.v ? c->snd.iss : tcp_isn(g, c->laddr, c->lport, c->raddr, c->rport));
	stat_inc(g, STAT_TCP_ACTIVE_OPENS);
	EVENT(g, c->id, 0, TCP_OPEN, trace_end4(c->laddr, c->lport), trace_end4(c->raddr, c->rport),
	      WORD("active"));
	tcp_set_state(g, c, TCPS_SYN_SENT, "connect");
	c->syn_waits = c->fastopen_wanted && tcp_fastopen_ready(g, c);
	if (!c->syn_waits)
		tcp_send_syn(g, c);
	return 0;
}

void tcp_learn_syn(struct glass *g, struct tcp_conn *c, const struct tcp_seg *seg)
{
	const struct tcp_options *o = &seg->opt;

	c->rcv.irs = seg->seq;
	c->rcv.nxt = c->rcv.acked = c->rcv.edge = seq_add(seg->seq, 1);
	c->peer_mss = o->mss_ok ? o->mss : TCP_MSS_DEFAULT; /* MUST-15 */
	if (c->peer_mss < TCP_MSS_MIN)
		c->peer_mss = TCP_MSS_MIN;
	tcp_ecn_learn(g, c, seg->flags);
	c->ts_ok = c->ts_ok && o->timestamps;
	c->sack_ok = c->sack_ok && o->sack_permitted;
	c->wscale_ok = c->wscale_ok && o->wscale_ok;
	c->snd_wscale = c->wscale_ok ? o->wscale : 0;
	if (!c->wscale_ok)
		c->rcv_wscale = 0;
	if (c->ts_ok) {
		c->ts_recent = o->tsval;
		c->ts_recent_ns = now(g);
	}
	c->snd.wnd = c->snd.wnd_max = seg->wnd; /* RFC 7323 2.2: not scaled in a SYN */
	c->snd.wl1 = seg->seq;
	c->snd.wl2 = seg->ack;
	tcp_set_mss(g, c);
	c->rcv_mss = c->mss < TCP_MSS_DEFAULT ? c->mss : TCP_MSS_DEFAULT;
	tcp_cc_start(g, c);
}

void tcp_established(struct glass *g, struct tcp_conn *c)
{
	c->backoff = c->timeouts = 0;
	c->rtx_since_ns = 0;
	c->recover = c->snd.iss;
	c->rcv.acked = c->rcv.nxt;
	tcp_cc_established(g, c);
	tcp_pmtu_established(g, c);
	tcp_rearm(g, c, true);
	if (c->config.keepalive)
		tcp_keepalive_start(g, c);
	neigh_confirm(g, c->path.dev, c->path.next_hop);
	if (c->fin_queued)
		tcp_set_state(g, c, TCPS_FIN_WAIT_1, "the program has closed meanwhile");
	tcp_owe(g, c);
}

/* Our SYN is acknowledged: RFC 9293 3.10.7.3, "if our SYN has been ACKed". */
static void syn_acked(struct glass *g, struct tcp_conn *c, const struct tcp_seg *seg)
{
	c->snd.una = seg->ack;
	tcp_fastopen_answered(g, c, seg);
	if (!c->backoff)
		tcp_rtt_sample(g, c, now(g) - c->last_tx_ns); /* Karn: only of a SYN sent once */
	else if (c->ts_ok && seg->opt.tsecr)
		tcp_rtt_sample(g, c, (int64_t)(tcp_ts_now(g, c) - seg->opt.tsecr) * NS_PER_MS);
	else
		c->rto_ns = 3 * NS_PER_S; /* RFC 6298 5.7 */
}

/*
 * RFC 7323 3.2: what a SYN-ACK echoes is the timestamp of a SYN of ours. If not, it answers the SYN
 * of a connection before this, as one whose acknowledgment is wrong; Linux does likewise. Zero is
 * what a peer tells that has kept none.
 */
static bool echo_is_ours(struct glass *g, const struct tcp_conn *c, const struct tcp_seg *seg)
{
	if (!c->ts_ok || !seg->opt.timestamps || !seg->opt.tsecr)
		return true;
	return (int32_t)(seg->opt.tsecr - tcp_ts_at(c, c->born_ns)) >= 0 &&
	       (int32_t)(tcp_ts_now(g, c) - seg->opt.tsecr) >= 0;
}

static enum verdict tcp_foreign_echo(struct glass *g, struct tcp_conn *c, struct pkt *p,
				     const struct tcp_seg *seg)
{
	tcp_reply_rst(g, seg);
	return drop(g, p, TCP_SYN_SENT_ECHO, seg->opt.tsecr, tcp_ts_at(c, c->born_ns));
}

enum verdict tcp_syn_sent_input(struct glass *g, struct tcp_conn *c, struct pkt *p,
				struct tcp_seg *seg)
{
	bool ack = seg->flags & TCP_ACK;
	uint32_t offered;

	ENTER(g, p);
	if (ack && (seq_leq(seg->ack, c->snd.iss) || seq_gt(seg->ack, c->snd.nxt))) { /* first */
		if (!(seg->flags & TCP_RST))
			tcp_reply_rst(g, seg);
		return drop(g, p, TCP_SYN_SENT_ACK, seg->ack.v - c->snd.iss.v,
			    c->snd.nxt.v - c->snd.iss.v);
	}
	if (seg->flags & TCP_RST) { /* second */
		if (!ack)
			return drop(g, p, TCP_SYN_SENT_FLAGS, seg->flags);
		tcp_end(g, c, ECONNREFUSED, "RST answers our SYN");
		return drop(g, p, TCP_RST, TCPS_SYN_SENT);
	}
	if (!(seg->flags & TCP_SYN)) /* fifth */
		return drop(g, p, TCP_SYN_SENT_FLAGS, seg->flags);
	if (ack && !echo_is_ours(g, c, seg))
		return tcp_foreign_echo(g, c, p, seg);

	offered = (uint32_t)seq_diff(c->rcv.edge, c->rcv.nxt);
	tcp_learn_syn(g, c, seg); /* fourth */
	/* What our SYN offered, unscaled, holds for data that comes with the peer's. */
	c->rcv.edge = seq_add(c->rcv.nxt, offered < SYN_WINDOW_MAX ? offered : SYN_WINDOW_MAX);
	if (!ack) {
		tcp_set_state(g, c, TCPS_SYN_RECEIVED, "SYN meets SYN: simultaneous open");
		tcp_send_syn(g, c);
		return accept_packet(g, p);
	}
	syn_acked(g, c, seg);
	tcp_set_state(g, c, TCPS_ESTABLISHED, "SYN-ACK");
	tcp_established(g, c);
	tcp_owe_ack(g, c, "completes the handshake");
	if (seg->len ||
	    (seg->flags & TCP_FIN)) { /* data with the SYN-ACK: go on as in ESTABLISHED */
		seg->seq = seq_add(seg->seq, 1);
		seg->flags &= (uint8_t)~TCP_SYN;
		seg->span--;
		return tcp_segment_arrives(g, c, p, seg);
	}
	return accept_packet(g, p);
}
