/* SPDX-License-Identifier: MIT */
/*
 * Segments that say something rather than carry bytes: SYN (which may carry a few), ACK, probe,
 * RST.
 *
 * In: tcp_output, tcp_input, tcp_embryo, the timers.  Out: tcp_transmit (tcp_segment.c).
 */
#include "tcp.h"
#include "tcp_account.h"
#include "tcp_cc.h"
#include "tcp_input.h"
#include "tcp_listen.h"
#include "tcp_output.h"
#include "tcp_segment.h"

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
		tcp_ack_options(g, ghost, &opt, 0);
		return send_bare(g, ghost, seq_add(ghost->snd.iss, 1), flags, &opt);
	}
	tcp_syn_options(ghost, &opt, tsval);
	flags |= tcp_ecn_syn(g, ghost, flags);
	if (ghost->fastopen_tell)
		tcp_fastopen_tell(g, ghost, &opt);
	return send_bare(g, ghost, ghost->snd.iss, flags, &opt);
}

void tcp_send_ack(struct glass *g, struct tcp_conn *c)
{
	struct tcp_options opt = { 0 };

	tcp_ack_options(g, c, &opt, 0);
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

	tcp_ack_options(g, c, &opt, 0);
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

/* The packet of the first SYN, which may have data (RFC 7413); *len: how much. NULL: no memory. */
static struct pkt *first_syn(struct glass *g, struct tcp_conn *c, struct tcp_options *o,
			     uint32_t *len)
{
	uint32_t room = tcp_fastopen_ask(g, c, o);
	struct pkt *p = NULL;

	*len = room < c->queued ? room : c->queued;
	if (*len && tcp_account_open(g, c))
		p = tcp_payload_packet(g, c, c->next_chunk, c->next_off, len);
	if (!p)
		*len = 0;
	c->syn_data = (uint16_t)*len;
	if (*len) {
		c->account->bytes_sent += *len;
		tcp_note_data_sent(g, c, *len);
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
	tcp_syn_options(c, &opt, tcp_ts_now(g, c));
	if (c->fastopen_tell && c->fastopen_of)
		tcp_fastopen_tell(g, c, &opt);
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
