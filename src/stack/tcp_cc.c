/* SPDX-License-Identifier: MIT */
/*
 * Congestion control: what is common to the algorithms. Each is a file of its own, tcp_cc_*.c, and
 * says how large windows are; what is lost and when to send is tcp_recovery.c's and tcp_output.c's.
 *
 * In: tcp_recovery.c, tcp_connect.c.  Out: the algorithm of the connection.
 */
#include "tcp.h"

void tcp_cc_start(struct glass *g, struct tcp_conn *c)
{
	c->cc->start(g, c);
	c->undo_cwnd = c->cwnd;
	c->undo_ssthresh = c->ssthresh;
}

void tcp_cc_acked(struct glass *g, struct tcp_conn *c, const struct tcp_ack_sum *sum)
{
	c->cc->acked(g, c, sum);
}

void tcp_cc_reduce(struct glass *g, struct tcp_conn *c, enum tcp_cc_signal signal)
{
	if (c->ca_state == CA_OPEN) {
		c->undo_cwnd = c->cwnd;
		c->undo_ssthresh = c->ssthresh;
	}
	c->ssthresh = signal == CC_TIMEOUT ? c->cc->timed_out(g, c) : c->cc->lost(g, c);
}

/* RFC 9438 4.9, RFC 5682 3: as if nothing had been taken for lost. */
void tcp_cc_undo(struct glass *g, struct tcp_conn *c)
{
	if (c->cwnd < c->undo_cwnd)
		c->cwnd = c->undo_cwnd;
	c->ssthresh = c->undo_ssthresh;
	if (c->cc->undo)
		c->cc->undo(g, c);
}
