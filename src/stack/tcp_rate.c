/* SPDX-License-Identifier: MIT */
/*
 * Delivery rate: how fast the network lately carried what was sent, as
 * draft-cheng-iccrg-delivery-rate-estimation has it. Each frame remembers how much had been
 * delivered when it was sent; when it is acknowledged, what was delivered since then, divided by
 * the time, is a sample. The time is the longer one of sending and of acknowledging, so that
 * neither a burst nor compressed ACKs make the network look faster than it is.
 *
 * A sample from a time when the program had not enough to send tells of the program: it only counts
 * when it is a higher one.
 *
 * In: tcp_sent.c, tcp_rack.c, tcp_ack.c, tcp_output.c.  Out: the account (tcp_info).
 */
#include "tcp_account.h"
#include "tcp_output.h"
#include "tcp_recovery.h"

void tcp_rate_sent(struct glass *g, struct tcp_conn *c, struct tcp_tx *tx)
{
	struct tcp_account *a = c->account;

	if (list_empty(&c->out->flight))
		a->first_sent_ns = a->delivered_ns = now(g);
	tx->first_sent_ns = a->first_sent_ns;
	tx->delivered = a->delivered;
	tx->delivered_ns = a->delivered_ns;
	tx->app_limited = a->app_limited;
}

void tcp_rate_delivered(struct glass *g, struct tcp_conn *c, const struct tcp_tx *tx,
			struct tcp_ack_sum *sum)
{
	struct tcp_account *a = c->account;

	a->delivered += tx->len;
	a->delivered_segs += (tx->len + c->mss - 1u) / c->mss;
	a->delivered_ns = now(g);
	if (tx->len >= tx->mss && tx->mss > a->mss_proven)
		a->mss_proven = tx->mss;
	if (sum->rate_from_ns && tx->delivered < sum->rate_from)
		return;
	if (sum->rate_from_ns && tx->delivered == sum->rate_from && tx->sent_ns < a->first_sent_ns)
		return;
	sum->rate_from = tx->delivered;
	sum->rate_from_ns = tx->delivered_ns;
	sum->rate_send_ns = tx->sent_ns - tx->first_sent_ns;
	sum->rate_app_limited = tx->app_limited;
	a->first_sent_ns = tx->sent_ns;
}

void tcp_rate_sample(struct glass *g, struct tcp_conn *c, const struct tcp_ack_sum *sum)
{
	struct tcp_account *a = c->account;
	int64_t ns = now(g) - sum->rate_from_ns;
	uint64_t rate;

	if (!a)
		return;
	if (a->app_limited && a->delivered > a->app_limited)
		a->app_limited = 0;
	if (ns < sum->rate_send_ns)
		ns = sum->rate_send_ns;
	/* Faster than the path can be: it was a retransmission whose original arrived. */
	if (!sum->rate_from_ns || ns <= 0 || ns < c->rack_min_rtt_ns)
		return;
	rate = (a->delivered - sum->rate_from) * 1000000 / ((uint64_t)ns / 1000 + 1);
	if (sum->rate_app_limited && rate < a->rate_bytes_s)
		return;
	a->rate_bytes_s = rate;
	a->rate_app_limited = sum->rate_app_limited;
}

void tcp_rate_stopped(struct tcp_conn *c)
{
	struct tcp_account *a = c->account;
	uint32_t flight = tcp_in_flight(c);

	if (!a || flight >= c->cwnd || c->out->lost > c->out->retrans || tcp_unsent(c) >= c->mss)
		return;
	a->app_limited = a->delivered + flight ? a->delivered + flight : 1;
}
