/* SPDX-License-Identifier: MIT */
/*
 * What holds between two calls for every connection, whatever has happened: lists and the counters
 * that sum them up, the order of sequence numbers, and that somebody will wake each that waits.
 *
 * In: the worlds, after some of their steps.  Out: nothing: it only looks.
 */
#include "inside.h"

#include "../../src/stack/tcp.h"
#include "../../src/stack/tcp_account.h"
#include "../../src/stack/tcp_output.h"
#include "../../src/stack/tcp_recovery.h"

/* RFC 9293 3.3.1: una <= nxt; the list of what was sent covers exactly that. */
static const char *sent_list(const struct tcp_conn *c)
{
	uint32_t sacked = 0, lost = 0, retrans = 0;
	struct seq at = c->snd.una;

	if (seq_gt(c->snd.una, c->snd.nxt))
		return "snd.una is beyond snd.nxt";
	list_for_each(tx, &c->out->sent, struct tcp_tx, node) {
		if (!seq_eq(tx->seq, at) || !tx->len)
			return "the list of what was sent has a hole, or an overlap";
		at = seq_add(at, tx->len);
		sacked += tx->flags & TX_SACKED ? tx->len : 0;
		lost += tx->flags & TX_LOST ? tx->len : 0;
		retrans += tx->flags & TX_RETRANS ? tx->len : 0;
		if ((tx->flags & TX_SACKED) && (tx->flags & (TX_LOST | TX_RETRANS)))
			return "a frame is SACKed, and lost or under way";
		if ((tx->flags & TX_RETRANS) && !(tx->flags & TX_LOST))
			return "a frame is under way again, but was not lost";
	}
	if (tcp_synchronized(c) && c->state != TCPS_TIME_WAIT && !seq_eq(at, c->snd.nxt))
		return "the list of what was sent does not end at snd.nxt";
	/* Without SACK it counts duplicates instead. */
	if ((c->sack_ok && sacked != c->out->sacked) || lost != c->out->lost ||
	    retrans != c->out->retrans)
		return "sacked, lost or retrans is not the sum of the frames";
	if (!tcp_has_flight(c) && (c->out != tcp_flight_none() || c->ca_state != CA_OPEN))
		return "a recovery without a flight";
	return NULL;
}

/* In flight by order of sending; what is lost and not sent again is found by its place. */
static const char *flight_list(const struct tcp_conn *c)
{
	uint32_t bytes = 0, order = 0;

	list_for_each(tx, &c->out->flight, struct tcp_tx, in_flight) {
		if (bytes && (int32_t)(tx->order - order) < 0)
			return "the flight is not in order of sending";
		if ((tx->flags & TX_SACKED) || (tx->flags & (TX_LOST | TX_RETRANS)) == TX_LOST)
			return "in flight is what is not";
		order = tx->order;
		bytes += tx->len;
	}
	if (c->sack_ok && tcp_synchronized(c) && c->state != TCPS_TIME_WAIT &&
	    bytes != tcp_in_flight(c))
		return "the flight is not the sum of what is in it";
	if (!tcp_next_lost(c) != (c->out->lost == c->out->retrans))
		return "what is to be sent again is not known to be";
	if (tcp_next_lost(c) && (tcp_next_lost(c)->flags & (TX_LOST | TX_RETRANS)) != TX_LOST)
		return "what is to be sent again is not lost";
	return NULL;
}

static const char *send_queue(const struct tcp_conn *c)
{
	uint32_t bytes = 0;

	list_for_each(k, &c->chunks, struct tcp_chunk, node)
		bytes += k->len;
	if (bytes != c->queued)
		return "queued is not the sum of the chunks";
	if (tcp_synchronized(c) && tcp_unsent(c) > c->queued)
		return "more was sent than was queued";
	return NULL;
}

static bool kept_out_of_order(const struct tcp_conn *c, struct seq start, struct seq end)
{
	list_for_each(p, &c->ooo, struct pkt, node) {
		if (seq_leq(seq_of(p->seq), start) &&
		    seq_gt(seq_add(seq_of(p->seq), p->len), start))
			start = seq_add(seq_of(p->seq), p->len);
	}
	return seq_geq(start, end);
}

static const char *receive_queue(const struct tcp_conn *c)
{
	uint32_t bytes = 0, count = 0;
	struct seq at = c->rcv.nxt;

	list_for_each(p, &c->rx, struct pkt, node)
		bytes += p->len;
	if (bytes != c->rx_bytes)
		return "rx_bytes is not the sum of what waits for the program";
	bytes = 0;
	list_for_each(p, &c->ooo, struct pkt, node) {
		if (!p->len || seq_lt(seq_of(p->seq), at))
			return "what is out of order is not in order, or overlaps";
		at = seq_of(p->seq);
		bytes += p->len;
		count++;
	}
	if (bytes != c->ooo_bytes || count != c->ooo_count)
		return "ooo_bytes or ooo_count is not the sum of what is out of order";
	if (tcp_synchronized(c) && seq_gt(c->rcv.nxt, c->rcv.edge))
		return "rcv.nxt is beyond the window's edge";
	for (unsigned i = 0; i < c->nsack; i++)
		if (!kept_out_of_order(c, c->sack[i].start, c->sack[i].end))
			return "a SACK block tells of bytes that are not there";
	return NULL;
}

/* Whoever waits is woken: by a timer, by its turn to send, or by the program. */
static const char *somebody_wakes(const struct tcp_conn *c)
{
	bool due = !list_empty(&c->pending) || timer_armed(&c->rtx_timer);

	if ((c->state == TCPS_SYN_SENT || c->state == TCPS_SYN_RECEIVED) && !due)
		return "a handshake that no timer repeats";
	if (tcp_synchronized(c) && !seq_eq(c->snd.una, c->snd.nxt) && !due)
		return "bytes are out, and no timer is armed";
	if (tcp_synchronized(c) && c->state != TCPS_TIME_WAIT && tcp_unsent(c) && !due)
		return "bytes wait, and no timer is armed";
	if (c->unacked && !timer_armed(&c->ack_timer) && list_empty(&c->pending))
		return "an ACK is owed, and no timer is armed";
	if (c->state == TCPS_TIME_WAIT && !timer_armed(&c->life_timer))
		return "TIME-WAIT without an end";
	if (c->closed_by_user && !due && !timer_armed(&c->life_timer))
		return "neither a program nor a timer will ever touch it";
	return NULL;
}

/* At each moment exactly one limiter: their times sum to the life. */
static const char *account_of_time(struct glass *g, const struct tcp_conn *c)
{
	int64_t sum = 0, part;

	for (unsigned i = 0; i < GLASS_LIMIT_COUNT; i++) {
		part = tcp_limit_ns(g, c, (enum glass_limiter)i);
		if (part < 0)
			return "a limiter's time is below zero";
		sum += part;
	}
	return sum == now(g) - c->born_ns ? NULL : "the limiters' times do not sum to the life";
}

const char *inspect(struct glass *g)
{
	const char *wrong = NULL;
	uint64_t cursor = 0;
	struct tcp_conn *c;

	while (!wrong && (c = tcp_next(g, &cursor))) {
		wrong = sent_list(c);
		wrong = wrong ? wrong : flight_list(c);
		wrong = wrong ? wrong : send_queue(c);
		wrong = wrong ? wrong : receive_queue(c);
		wrong = wrong ? wrong : somebody_wakes(c);
		wrong = wrong ? wrong : account_of_time(g, c);
	}
	return wrong;
}
