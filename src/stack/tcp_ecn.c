/* SPDX-License-Identifier: MIT */
/*
 * Explicit congestion notification: RFC 3168. A router that would soon have to drop marks instead
 * (CE in the IP header); the receiver tells the sender with every ACK (ECE) until it hears that the
 * sender has acted (CWR). To the sender a mark is what a loss would be, but nothing is sent again.
 *
 * Only new data says that it may be marked (ECT): of a retransmission, a bare ACK or a probe the
 * mark could be forged, or lost and nobody the wiser (6.1.4 to 6.1.6).
 *
 * In: tcp_send_syn, tcp_learn_syn, tcp_transmit, tcp_check_ack, tcp_segment_arrives.
 * Out: tcp_cc_reduce, tcp_owe_ack.
 */
#include "tcp_cc.h"
#include "tcp_input.h"
#include "tcp_output.h"
#include "tcp_recovery.h"

#define ECN_MASK 3u /* of the second byte of the IP header: RFC 3168 5 */
#define ECN_ECT0 2u
#define ECN_CE 3u
#define ECN_BEHIND_MAX (1 << 30) /* sequence numbers are compared within 2^31 */

enum { ECN_OFF, ECN_ASK, ECN_ANSWER }; /* the tunable, as Linux */

uint8_t tcp_ecn_syn(const struct glass *g, struct tcp_conn *c, uint8_t flags)
{
	if (flags & TCP_ACK)
		return c->ecn_ok ? TCP_ECE : 0;
	/* 6.1.1.1: nobody answers; some that know no ECN drop such a SYN. */
	c->ecn_ok = g->tun.tcp_ecn == ECN_ASK && !c->syn_pkt;
	return c->ecn_ok ? TCP_ECE | TCP_CWR : 0;
}

void tcp_ecn_learn(const struct glass *g, struct tcp_conn *c, uint8_t flags)
{
	uint8_t got = flags & (TCP_ECE | TCP_CWR);

	if (flags & TCP_ACK)
		c->ecn_ok = c->ecn_ok && got == TCP_ECE;
	else if (c->state == TCPS_SYN_SENT) /* SYN meets SYN */
		c->ecn_ok = c->ecn_ok && got == (TCP_ECE | TCP_CWR);
	else
		c->ecn_ok = g->tun.tcp_ecn != ECN_OFF && got == (TCP_ECE | TCP_CWR);
}

uint8_t tcp_ecn_mark(struct tcp_conn *c, uint8_t flags, bool new_data, uint8_t *tos)
{
	uint8_t add = 0;

	if (!c->ecn_ok || (flags & (TCP_SYN | TCP_RST)))
		return 0;
	if (c->ecn_echo)
		add |= TCP_ECE;
	if (!new_data)
		return add;
	*tos |= ECN_ECT0;
	if (c->ecn_cwr)
		add |= TCP_CWR;
	c->ecn_cwr = false;
	return add;
}

void tcp_ecn_data(struct glass *g, struct tcp_conn *c, const struct tcp_seg *seg)
{
	uint8_t mark = seg->tos & ECN_MASK;

	if (!c->ecn_ok || !seg->len)
		return;
	if (seg->flags & TCP_CWR) {
		c->ecn_echo = false; /* a new mark in the same segment is a new sign */
		tcp_owe_ack(g, c, "CWR: the sender's window may be very small");
	}
	if (mark)
		c->ecn_seen = true;
	if (mark != ECN_CE || c->ecn_echo)
		return;
	c->ecn_echo = true;
	tcp_owe_ack(g, c, "a router has marked a segment");
}

void tcp_ecn_echoed(struct glass *g, struct tcp_conn *c, uint8_t flags)
{
	if (!c->ecn_ok)
		return;
	if (seq_diff(c->snd.una, c->reduce_end) > ECN_BEHIND_MAX)
		c->reduce_end = seq_add(c->snd.una, UINT32_MAX);
	/* 6.1.2: once for what was out then, whether a mark or a loss was the first sign. */
	if (!(flags & TCP_ECE) || c->ca_state != CA_OPEN || seq_leq(c->snd.una, c->reduce_end))
		return;
	tcp_cc_reduce(g, c, CC_ECN);
	if (c->cwnd > c->ssthresh)
		c->cwnd = c->ssthresh;
	if (tcp_has_flight(c))
		c->out->undo_watch =
			false; /* an earlier recovery may have been needless, this is not */
	EVENT(g, c->id, 0, TCP_CA, WORD("CWR"), c->cwnd, c->ssthresh,
	      WORD("a router marked what it would have dropped"));
}
