/* SPDX-License-Identifier: MIT */
/*
 * What to send, and why not more. A connection that owes something to the wire waits in
 * table->pending; when the owner of the stack pulls frames, tcp_output_pending() takes the next
 * one and builds, in this order: what is lost and may be sent again, new bytes, the FIN, an ACK
 * if none of these carried it.
 *
 * Whenever it stops, exactly one limiter is the reason, and is recorded (tcp_limit.c; TCP_STOP when
 * bytes are left).
 *
 * In: glass_output, the timers.  Out: tcp_segment.c, which builds and sends one segment.
 */
#include "tcp.h"
#include "tcp_account.h"
#include "tcp_cc.h"
#include "tcp_output.h"
#include "tcp_recovery.h"

void tcp_owe(struct glass *g, struct tcp_conn *c)
{
	if (!list_empty(&c->pending) || c->state == TCPS_CLOSED)
		return;
	c->owe_cause = g->trace.cause;
	list_append(&g->tcp->pending, &c->pending);
}

static bool may_send_data(const struct tcp_conn *c)
{
	return c->state == TCPS_ESTABLISHED || c->state == TCPS_CLOSE_WAIT ||
	       c->state == TCPS_FIN_WAIT_1 || c->state == TCPS_CLOSING ||
	       c->state == TCPS_LAST_ACK ||
	       (c->state == TCPS_SYN_RECEIVED && c->fastopen_child); /* RFC 7413 4.2.2 */
}

/* How much cwnd lets out now, in whole segments; one segment when nothing is out at all. */
static uint32_t cwnd_room(const struct tcp_conn *c)
{
	uint32_t flight = tcp_in_flight(c), room = flight < c->cwnd ? c->cwnd - flight : 0;

	if (!flight && room < c->mss)
		return c->mss;
	return room / c->mss * c->mss;
}

/* How much of the peer's window is left beyond snd.nxt. */
static uint32_t window_room(const struct tcp_conn *c)
{
	int32_t room = seq_diff(seq_add(c->snd.una, c->snd.wnd), c->snd.nxt);

	return room > 0 ? (uint32_t)room : 0;
}

uint32_t tcp_sendable(const struct tcp_conn *c)
{
	uint32_t wnd, room;

	if (!may_send_data(c))
		return 0;
	wnd = window_room(c);
	room = cwnd_room(c);
	return wnd < room ? wnd : room;
}

/* RFC 9293 3.8.6: inside the window, but for the first one: its ACK tells the window anew. */
static bool retransmit_fits(const struct tcp_conn *c, const struct tcp_tx *tx, uint32_t *limit)
{
	int32_t room = seq_diff(seq_add(c->snd.una, c->snd.wnd), tx->seq);

	if (room >= (int32_t)tx->len)
		return true;
	if (room < (int32_t)c->mss && !seq_eq(tx->seq, c->snd.una))
		return false;
	if (room < (int32_t)c->mss)
		room = c->mss;
	if (*limit > (uint32_t)room)
		*limit = (uint32_t)room / c->mss * c->mss;
	return true;
}

/* Sends again what is lost. false: the congestion window is used up, or nothing gets out. */
static bool output_lost(struct glass *g, struct tcp_conn *c, uint32_t *budget)
{
	struct tcp_tx *tx;

	while (*budget && c->out->frto != FRTO_NEW && (tx = tcp_next_lost(c))) {
		uint32_t limit = cwnd_room(c);

		if (!limit || !retransmit_fits(c, tx, &limit))
			return false;
		if (!tcp_retransmit(g, c, tx, limit, tx->kind))
			return false;
		if (c->ca_state == CA_RECOVERY)
			c->out->prr_out += tx->len;
		*budget -= *budget < tx->len ? *budget : tx->len;
	}
	return true;
}

/*
 * Nagle's algorithm as Minshall put it (RFC 9293 appendix A.3; Linux too): a small segment waits
 * for a small one that is out, not for full ones; so the tail of a large write never waits for a
 * delayed ACK.
 */
static bool small_is_out(const struct tcp_conn *c)
{
	return !seq_eq(c->snd.una, c->snd.nxt) && seq_gt(c->small_end, c->snd.una) &&
	       seq_leq(c->small_end, c->snd.nxt);
}

/* It waits for an ACK: usual says for what it would be used. */
static enum glass_limiter waits_for_acks(const struct tcp_conn *c, enum glass_limiter usual)
{
	if (c->timeouts)
		return GLASS_LIMIT_RTO;
	return c->ca_state == CA_OPEN ? usual : GLASS_LIMIT_RECOVERY;
}

/* Nothing is left to send. */
static enum glass_limiter all_is_sent(const struct tcp_conn *c)
{
	bool full = c->want_out && !tcp_writable(c);

	if (!c->queued)
		return c->fin_sent ? GLASS_LIMIT_CLOSING : GLASS_LIMIT_APPLICATION;
	return waits_for_acks(c, full ? GLASS_LIMIT_SNDBUF : GLASS_LIMIT_DELIVERY);
}

/* What does not fill a segment waits at the end of the data: for more, or an ACK. */
static bool tail_is_held(const struct tcp_conn *c)
{
	return c->config.cork || c->more ||
	       (!c->config.nodelay && !c->snd_urgent && small_is_out(c));
}

/*
 * How much new data to put into one frame now; 0, and the limiter, when none. RFC 9293 3.8.6.2.1
 * (silly windows) and 3.7.4 (Nagle): a segment that is not full goes only at the end of the data,
 * or of a record (MSG_EOR).
 */
static uint32_t new_data(const struct tcp_conn *c, uint32_t unsent, enum glass_limiter *limiter)
{
	uint32_t record = tcp_record_left(c, unsent);
	uint32_t wnd = window_room(c), room = cwnd_room(c), len = record, full;
	uint32_t most = c->snd_urgent ? c->mss : TCP_SUPER_BYTES_MAX;
	bool tail_waits = record == unsent && tail_is_held(c);

	if (len > wnd)
		len = wnd;
	if (len > room)
		len = room;
	if (len > most)
		len = most;
	full = len / c->mss * c->mss;
	if (len == record && (!tail_waits || c->fin_queued || c->force_out))
		return len;
	if (full)
		return full;
	if (!wnd)
		*limiter = c->snd.wnd ? GLASS_LIMIT_RWND : GLASS_LIMIT_ZERO_WINDOW;
	else if (!room)
		*limiter = waits_for_acks(c, GLASS_LIMIT_CWND);
	else if (len == wnd && wnd < unsent)
		*limiter = GLASS_LIMIT_RWND;
	else
		*limiter = c->config.cork || c->more ? GLASS_LIMIT_CORK : GLASS_LIMIT_NAGLE;
	/*
	 * Less than a segment fits. RFC 9293 3.8.6.2.1 (3): half of the largest window will do.
	 */
	if (len && len == wnd && (2 * len >= c->snd.wnd_max || c->force_out))
		return len;
	return 0;
}

/* Answers why it stopped. */
static enum glass_limiter output_new(struct glass *g, struct tcp_conn *c, uint32_t *budget)
{
	enum glass_limiter limiter = GLASS_LIMIT_DEVICE;
	uint32_t unsent, len;

	while ((unsent = tcp_unsent(c))) {
		if (c->pmtu_high && tcp_pmtu_probe(g, c, tcp_record_left(c, unsent)))
			continue;
		len = *budget ? new_data(c, unsent, &limiter) : 0;
		if (!len)
			return limiter;
		if (!tcp_send_data(g, c, len, len == unsent && c->fin_queued))
			return GLASS_LIMIT_MEMORY;
		if (c->ca_state == CA_RECOVERY)
			c->out->prr_out += len;
		*budget -= *budget < len ? *budget : len;
		c->in_burst = true;
		c->force_out = false;
		limiter = GLASS_LIMIT_DEVICE;
	}
	if (c->fin_queued && !c->fin_sent && !tcp_send_data(g, c, 0, true))
		return GLASS_LIMIT_MEMORY;
	return all_is_sent(c);
}

static void tcp_output(struct glass *g, struct tcp_conn *c)
{
	uint32_t budget = TCP_BUDGET_BYTES;
	struct seq before = c->snd.nxt;
	enum glass_limiter limiter;

	if (may_send_data(c)) {
		tcp_cc_sending(g, c);
		if (output_lost(g, c, &budget))
			limiter = output_new(g, c, &budget);
		else
			limiter = waits_for_acks(c, GLASS_LIMIT_RECOVERY);
		tcp_limit(g, c, limiter);
		tcp_rate_stopped(c);
		if (c->config.notsent_lowat != UINT32_MAX)
			tcp_wake_writer(g, c);
		if (tcp_unsent(c) || limiter == GLASS_LIMIT_RECOVERY)
			EVENT(g, c->id, 0, TCP_STOP, tcp_limit_word(limiter), tcp_unsent(c));
		tcp_cc_sent(g, c);
		tcp_rearm(g, c, false);
		if (!budget && !seq_eq(before, c->snd.nxt))
			tcp_owe(g, c);
	}
	c->in_burst = false;
	if (c->ack_now)
		tcp_send_ack(g, c);
}

bool tcp_output_pending(struct glass *g)
{
	struct list *node = list_take(&g->tcp->pending);
	struct tcp_conn *c;

	if (!node)
		return false;
	c = container_of(node, struct tcp_conn, pending);
	g->trace.cause = c->owe_cause;
	tcp_output(g, c);
	g->trace.cause = 0;
	return true;
}
