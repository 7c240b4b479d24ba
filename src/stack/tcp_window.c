/* SPDX-License-Identifier: MIT */
/*
 * The window that is offered to the peer.
 *
 * It begins with tcp_rmem_default_kb and follows what the program reads in a round trip, as Linux
 * does it: a fast reader gets a large one, up to tcp_rmem_kb, and a short path does not fill the
 * caches. A program that sets SO_RCVBUF has that, and nothing grows. Under memory pressure new room
 * is offered sparingly, so that programs that do not read cannot take the memory of those that do.
 *
 * What was offered is never taken back (RFC 9293 3.8.6, SHLD-14): the edge only moves to the right.
 *
 * In: tcp_transmit (tcp_window), tcp_consume (tcp_window_read).  Out: tcp_owe_ack.
 */
#include "tcp.h"
#include "tcp_input.h"
#include "tcp_output.h"

#define PRESSURE_EIGHTHS 2	/* of all memory in use: no window grows, new ones begin small */
#define HIGH_PRESSURE_EIGHTHS 4 /* what is offered anew is a few segments */
#define PRESSURE_FIRST_BYTES 65536u
#define PRESSURE_SEGMENTS 4 /* as Linux */

void tcp_window_init(struct glass *g, struct tcp_conn *c)
{
	uint32_t first = (uint32_t)g->tun.tcp_rmem_default_kb * 1024;

	if (pool_short(&g->pool, PRESSURE_EIGHTHS) && first > PRESSURE_FIRST_BYTES)
		first = PRESSURE_FIRST_BYTES;
	c->rcv.limit =
		c->config.rcvbuf_locked || c->config.rcvbuf < first ? c->config.rcvbuf : first;
}

static uint32_t window_limit(const struct glass *g, const struct tcp_conn *c)
{
	uint32_t limit = c->rcv.limit < c->config.rcvbuf ? c->rcv.limit : c->config.rcvbuf;
	uint32_t few = PRESSURE_SEGMENTS * (uint32_t)c->rcv_mss;

	if (c->config.window_clamp && limit > c->config.window_clamp)
		limit = c->config.window_clamp;
	if (limit > few && pool_short(&g->pool, HIGH_PRESSURE_EIGHTHS))
		limit = few;
	return limit;
}

/* What the buffer, and the field in the header, would allow to offer. */
static uint32_t window_room(const struct glass *g, const struct tcp_conn *c)
{
	uint32_t limit = window_limit(g, c), max = 65535u << c->rcv_wscale;
	uint32_t room = c->rx_bytes < limit ? limit - c->rx_bytes : 0;

	return room < max ? room : max;
}

/* RFC 9293 3.8.6.2.2: the edge moves by this much at least. */
static uint32_t window_step(const struct glass *g, const struct tcp_conn *c)
{
	uint32_t half = window_limit(g, c) / 2;

	return half < c->rcv_mss ? half : c->rcv_mss;
}

uint32_t tcp_window(struct glass *g, struct tcp_conn *c)
{
	uint32_t offered = (uint32_t)seq_diff(c->rcv.edge, c->rcv.nxt);
	uint32_t room = window_room(g, c), unit = 1u << c->rcv_wscale, step = window_step(g, c);

	room = room / unit * unit;
	/*
	 * RFC 9293 3.8.6.2.2: the edge moves by a segment at least; 3.8.6: it never moves back,
	 * so what was offered is rounded up where there is room for it. In a full buffer it is
	 * rounded down, by less than one unit.
	 */
	if (room < offered + step)
		room = (offered + unit - 1) / unit * unit <= room
			       ? (offered + unit - 1) / unit * unit
			       : offered / unit * unit;
	if (room > offered)
		c->rcv.edge = seq_add(c->rcv.nxt, room);
	return room;
}

/*
 * Who only receives has no round trips but that of the handshake, when queues were empty: what the
 * data's timestamps echo tells of it (Linux does so too). Full segments only, and the least of a
 * period: a sender that rested echoes what it heard long ago.
 */
void tcp_window_sample(struct glass *g, struct tcp_conn *c, const struct tcp_seg *seg)
{
	uint32_t rtt_ms = tcp_ts_now(g, c) - seg->opt.tsecr;

	if (!c->ts_ok || !seg->opt.timestamps || seg->len < c->rcv_mss || !rtt_ms ||
	    rtt_ms > UINT16_MAX)
		return;
	if (!c->drs_rtt_ms || rtt_ms < c->drs_rtt_ms)
		c->drs_rtt_ms = (uint16_t)rtt_ms;
}

/*
 * Twice what is read in a round trip, so that the window is not what holds the peer back. While
 * that grows the peer doubles its own: what it will have out when it hears of this window is four
 * times what came last.
 */
static uint64_t window_wanted(const struct tcp_conn *c)
{
	uint64_t last = c->drs_last_kb * 1024ull, more;

	more = c->drs_bytes > last ? c->drs_bytes - last : 0;
	if (more > last) /* it cannot have grown faster: the last period was a part of one */
		more = last;
	return 2 * (uint64_t)c->drs_bytes + 4 * more;
}

static void window_grow(struct glass *g, struct tcp_conn *c, uint32_t n)
{
	uint32_t now_us = (uint32_t)(now(g) / 1000), kb;
	uint32_t period_us = c->drs_rtt_ms * 1000u;

	c->drs_bytes += n;
	if (period_us < c->srtt_ns / 1000)
		period_us = (uint32_t)(c->srtt_ns / 1000);
	if (now_us - c->drs_us < period_us)
		return;
	if (window_wanted(c) > c->rcv.limit && c->rcv.limit < c->config.rcvbuf &&
	    !c->config.rcvbuf_locked && !pool_short(&g->pool, PRESSURE_EIGHTHS)) {
		c->rcv.limit *= 2;
		if (c->rcv.limit > c->config.rcvbuf)
			c->rcv.limit = c->config.rcvbuf;
	}
	kb = c->drs_bytes / 1024;
	c->drs_us = now_us;
	c->drs_last_kb = kb < UINT16_MAX ? (uint16_t)kb : UINT16_MAX;
	c->drs_bytes = 0;
	c->drs_rtt_ms = 0;
	c->dup_count = 0;
}

void tcp_window_read(struct glass *g, struct tcp_conn *c, uint32_t n)
{
	uint32_t offered = (uint32_t)seq_diff(c->rcv.edge, c->rcv.nxt), room;

	if (!tcp_synchronized(c) || c->fin_received)
		return;
	window_grow(g, c, n);
	room = window_room(g, c);
	/*
	 * A window update when it at least doubles what the peer may send (and so after a closed
	 * window), and when tcp_window() will really move the edge: an ACK that says nothing new
	 * would be a duplicate to the peer.
	 */
	if (room >= 2 * offered && room >= offered + window_step(g, c))
		tcp_owe_ack(g, c, "the window opens");
}
