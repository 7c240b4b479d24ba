/* SPDX-License-Identifier: MIT */
/*
 * Urgent data: RFC 9293 3.8.5 as RFC 6093 found it in use. The pointer on the wire stands behind
 * the urgent byte; there is one such byte at a time, the latest; and it stays in the stream, where
 * its place is known. How a program sees it (apart, or in line) is the owner's affair.
 *
 * In: tcp_segment_arrives, tcp_transmit, the socket layer.   Out: the socket is woken.
 */
#include "tcp_input.h"
#include "tcp_output.h"

void tcp_urgent_send(struct glass *g, struct tcp_conn *c)
{
	c->snd_urgent = true;
	c->snd_up = seq_add(c->snd.una, c->queued);
	tcp_owe(g, c);
}

/*
 * A super-packet is cut by others, who would give each piece the same pointer: it has none, and new
 * data leaves by single segments (tcp_output.c).
 */
uint16_t tcp_urgent_pointer(struct tcp_conn *c, struct seq seq, uint32_t len, uint8_t *flags)
{
	int32_t ahead = seq_diff(c->snd_up, seq);

	if (c->snd_urgent && seq_geq(c->snd.una, c->snd_up))
		c->snd_urgent = false;
	if (!c->snd_urgent || ahead <= 0 || len > c->mss || *flags & (TCP_SYN | TCP_RST))
		return 0;
	*flags |= TCP_URG;
	return ahead > UINT16_MAX ? UINT16_MAX : (uint16_t)ahead;
}

/* What the program reads next. */
static struct seq read_at(const struct tcp_conn *c)
{
	return seq_add(c->rcv.nxt, 0u - c->rx_bytes - c->fin_received);
}

void tcp_urgent_arrived(struct glass *g, struct tcp_conn *c, const struct tcp_seg *seg)
{
	struct seq at = seq_add(seg->seq, seg->urgent - 1u);

	/* As Linux: a pointer of 0 says nothing, one to what has come before nothing new. */
	if (!(seg->flags & TCP_URG) || !seg->urgent || c->fin_received || seq_lt(at, c->rcv.nxt) ||
	    (c->rcv_urgent && seq_leq(at, c->rcv_up)))
		return;
	c->rcv_urgent = true;
	c->rcv_up = at;
	EVENT(g, c->id, 0, TCP_URGENT, at.v - c->rcv.irs.v);
	wake(g, &c->waker);
}

int64_t tcp_urgent_at(struct tcp_conn *c)
{
	int32_t ahead = seq_diff(c->rcv_up, read_at(c));

	if (c->rcv_urgent && ahead < 0)
		c->rcv_urgent = false;
	return c->rcv_urgent ? ahead : -1;
}
