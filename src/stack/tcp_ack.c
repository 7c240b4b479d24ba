/* SPDX-License-Identifier: MIT */
/*
 * The acknowledgment field: RFC 9293 3.10.7.4 "fifth", RFC 5961 5.2; round-trip times by RFC 6298.
 *
 * In: tcp_segment_arrives.  Out: tcp_recovery.c (what is lost), tcp_owe (what may be sent now).
 */
#include "tcp.h"
#include "tcp_account.h"
#include "tcp_cc.h"
#include "tcp_input.h"
#include "tcp_listen.h"
#include "tcp_output.h"
#include "tcp_recovery.h"

#define CLOCK_GRANULARITY_NS NS_PER_MS

/* RFC 6298 2.2, 2.3, 2.4, 2.5 */
void tcp_rtt_sample(struct glass *g, struct tcp_conn *c, int64_t rtt_ns)
{
	int64_t min_ns = g->tun.tcp_rto_min_ms * NS_PER_MS,
		max_ns = g->tun.tcp_rto_max_ms * NS_PER_MS;
	int64_t deviation, spread;

	if (rtt_ns < 0)
		return;
	c->backoff = 0;
	if (rtt_ns < c->rack_min_rtt_ns)
		c->rack_min_rtt_ns = rtt_ns;
	if (!c->srtt_ns) {
		c->srtt_ns = rtt_ns ? rtt_ns : 1;
		c->rttvar_ns = rtt_ns / 2;
	} else {
		deviation = c->srtt_ns > rtt_ns ? c->srtt_ns - rtt_ns : rtt_ns - c->srtt_ns;
		c->rttvar_ns += (deviation - c->rttvar_ns) / 4;
		c->srtt_ns += (rtt_ns - c->srtt_ns) / 8;
	}
	spread = 4 * c->rttvar_ns > CLOCK_GRANULARITY_NS ? 4 * c->rttvar_ns : CLOCK_GRANULARITY_NS;
	/*
	 * As Linux: the variance term itself is at least the minimum, so that a short path with a
	 * peer that delays ACKs does not time out.
	 */
	if (spread < min_ns)
		spread = min_ns;
	c->rto_ns = c->srtt_ns + spread;
	if (c->rto_ns > max_ns)
		c->rto_ns = max_ns;
	EVENT(g, c->id, 0, TCP_RTT, (uint64_t)rtt_ns, (uint64_t)c->srtt_ns, (uint64_t)c->rttvar_ns,
	      (uint64_t)c->rto_ns);
}

/*
 * RFC 9293 3.10.7.4: SND.WL1 and SND.WL2 keep old segments from setting the window. A segment that
 * acknowledges more than the last one is never old, though its sequence number may be (a FIN sent
 * again): were its window not taken, the old one would count from the new SND.UNA, and allow more
 * than the peer has offered. Linux does likewise.
 */
static void tcp_update_window(struct glass *g, struct tcp_conn *c, const struct tcp_seg *seg)
{
	uint32_t wnd = seg->wnd << c->snd_wscale;

	if (!seq_gt(seg->ack, c->snd.wl2) && !seq_lt(c->snd.wl1, seg->seq) &&
	    !(seq_eq(c->snd.wl1, seg->seq) && seq_eq(c->snd.wl2, seg->ack)))
		return;
	c->snd.wl1 = seg->seq;
	c->snd.wl2 = seg->ack;
	if (wnd == c->snd.wnd)
		return;
	c->snd.wnd = wnd;
	if (wnd > c->snd.wnd_max)
		c->snd.wnd_max = wnd;
	if (wnd && c->rtx_mode == RTX_PERSIST)
		c->probes = 0, c->rtx_since_ns = 0;
	tcp_owe(g, c);
}

void tcp_syn_ack_acked(struct glass *g, struct tcp_conn *c, const struct tcp_seg *seg)
{
	if (c->fastopen_child) {
		tcp_fastopen_left(g, c, false); /* what it has sent, tcp_check_ack looks at */
	} else {
		c->snd.una = seg->ack;
		tcp_fastopen_answered(g, c, seg);
	}
	c->snd.wnd = c->snd.wnd_max = seg->wnd << c->snd_wscale;
	c->snd.wl1 = seg->seq;
	c->snd.wl2 = seg->ack;
	tcp_set_state(g, c, TCPS_ESTABLISHED, "the handshake is complete");
	tcp_established(g, c);
	if (c->fastopen_child)
		tcp_window_read(g, c, 0); /* what was read meanwhile is room that can be told now */
}

/*
 * The SYN-ACK of a fast open is answered. When data has followed it the time of one that is not
 * resent is known by its timestamp only.
 */
static void tcp_syn_ack_time(struct glass *g, struct tcp_conn *c, const struct tcp_seg *seg)
{
	bool only = seq_eq(c->snd.nxt, seq_add(c->snd.iss, 1)) || !c->fastopen_child;

	if (!c->backoff && only)
		tcp_rtt_sample(g, c, now(g) - c->last_tx_ns);
	else if (c->fastopen_child && c->ts_ok && seg->opt.timestamps && seg->opt.tsecr)
		tcp_rtt_sample(g, c, (int64_t)(tcp_ts_now(g, c) - seg->opt.tsecr) * NS_PER_MS);
}

/* A simultaneous open, or a fast one, comes to its end. */
static enum verdict tcp_ack_syn_received(struct glass *g, struct tcp_conn *c, struct pkt *p,
					 struct tcp_seg *seg)
{
	if (!seq_gt(seg->ack, c->snd.iss) || seq_gt(seg->ack, c->snd.nxt)) {
		tcp_reply_rst(g, seg);
		return drop(g, p, TCP_ACK_UNSENT, seg->ack.v - c->snd.iss.v,
			    c->snd.nxt.v - c->snd.iss.v);
	}
	tcp_syn_ack_time(g, c, seg);
	tcp_syn_ack_acked(g, c, seg);
	return GO_ON;
}

/* Our FIN and all before it is acknowledged. */
static void tcp_fin_acked(struct glass *g, struct tcp_conn *c)
{
	if (c->state == TCPS_FIN_WAIT_1) {
		tcp_set_state(g, c, TCPS_FIN_WAIT_2, "our FIN is acknowledged");
		if (c->closed_by_user)
			tcp_fin_wait_2(g, c);
	} else if (c->state == TCPS_CLOSING) {
		tcp_set_state(g, c, TCPS_TIME_WAIT,
			      "our FIN is acknowledged, the peer's came before");
		tcp_arm_life(g, c, g->tun.tcp_time_wait_ms * NS_PER_MS, WORD("2 MSL"));
	} else if (c->state == TCPS_LAST_ACK) {
		tcp_end(g, c, 0, "both FINs are acknowledged");
	}
}

/* A run of timeouts ends well. */
static void tcp_account_rto(struct glass *g, struct tcp_conn *c)
{
	if (!c->rtx_since_ns || !c->timeouts)
		return;
	c->account->rto_recoveries++;
	c->account->rto_ms += (uint32_t)((now(g) - c->rtx_since_ns) / NS_PER_MS);
}

static void tcp_ack_advance(struct glass *g, struct tcp_conn *c, struct seq ack,
			    struct tcp_ack_sum *sum)
{
	bool fin = c->fin_sent && seq_eq(ack, c->snd.nxt);

	sum->acked = (uint32_t)seq_diff(ack, c->snd.una);
	tcp_sent_acked(g, c, ack, sum);
	c->snd.una = ack;
	c->out->una_ns = now(g);
	tcp_sendq_acked(g, c, sum->acked - fin);
	c->account->bytes_acked += sum->acked - fin;
	tcp_account_rto(g, c);
	c->timeouts = 0;
	c->rtx_since_ns = 0;
	sum->progress = true;
	c->more = false; /* as Linux: it holds bytes back from the write, not from an ACK */
	tcp_note_moved(g, c);
	neigh_confirm(g, c->path.dev, c->path.next_hop);
}

/* RFC 5681 2: a duplicate acknowledgment; only counted where SACK does not tell more. */
static bool is_dupack(const struct tcp_conn *c, const struct tcp_seg *seg)
{
	return seq_eq(seg->ack, c->snd.una) && !seg->span && !seq_eq(c->snd.una, c->snd.nxt) &&
	       seg->wnd << c->snd_wscale == c->snd.wnd;
}

/*
 * An old acknowledgment, which others have overtaken; its payload may be new, and its SACK blocks
 * too: a duplicate is reported once and never again (RFC 2883 4).
 */
static enum verdict tcp_old_ack(struct glass *g, struct tcp_conn *c, const struct tcp_seg *seg,
				struct tcp_ack_sum *sum)
{
	if (!c->sack_ok || !seg->opt.nsack)
		return GO_ON;
	sum->prior_flight = tcp_in_flight(c);
	c->flight_size = (uint32_t)seq_diff(c->snd.nxt, c->snd.una);
	tcp_sack_read(g, c, seg, sum);
	tcp_recover(g, c, seg, sum);
	tcp_rearm(g, c, false);
	tcp_flight_settle(g, c);
	tcp_owe(g, c);
	return GO_ON;
}

enum verdict tcp_check_ack(struct glass *g, struct tcp_conn *c, struct pkt *p, struct tcp_seg *seg)
{
	struct tcp_ack_sum sum = {
		.rtt_ns = -1,
		.ts = c->ts_ok && seg->opt.timestamps,
		.tsecr = seg->opt.tsecr,
	};

	if (c->state == TCPS_SYN_RECEIVED) {
		enum verdict v = tcp_ack_syn_received(g, c, p, seg);

		if (v != GO_ON || !seq_gt(seg->ack, c->snd.una))
			return v;
	}
	if (seq_gt(seg->ack, c->snd.nxt)) {
		tcp_challenge(g, c);
		return drop(g, p, TCP_ACK_UNSENT, seg->ack.v - c->snd.iss.v,
			    c->snd.nxt.v - c->snd.iss.v);
	}
	if (seq_diff(c->snd.una, seg->ack) > 0 &&
	    (uint32_t)seq_diff(c->snd.una, seg->ack) > c->snd.wnd_max) {
		tcp_challenge(g, c);
		return drop(g, p, TCP_ACK_OLD, seg->ack.v - c->snd.iss.v,
			    c->snd.una.v - c->snd.iss.v);
	}
	if (seq_lt(seg->ack, c->snd.una))
		return tcp_old_ack(g, c, seg, &sum);

	sum.prior_flight = tcp_in_flight(c);
	c->flight_size = (uint32_t)seq_diff(c->snd.nxt, c->snd.una);
	sum.dupack = is_dupack(c, seg);
	if (seq_gt(seg->ack, c->snd.una))
		tcp_ack_advance(g, c, seg->ack, &sum);
	if (c->sack_ok && seg->opt.nsack)
		tcp_sack_read(g, c, seg, &sum);
	tcp_update_window(g, c, seg);
	/*
	 * The answer to a copy that reports it as a duplicate: what came before it was answered
	 * too, and that was lost. No doubt for Karn's algorithm then, the time is that of the copy.
	 */
	if (sum.rtt_ns < 0 && sum.dsack && sum.head_sent_ns &&
	    seq_in(sum.head, sum.duplicate.start, sum.duplicate.end))
		sum.rtt_ns = now(g) - sum.head_sent_ns;
	tcp_rtt_sample(g, c, sum.rtt_ns);
	tcp_recover(g, c, seg, &sum);
	tcp_ecn_echoed(g, c, seg->flags);
	tcp_rate_sample(g, c, &sum);
	tcp_pmtu_acked(g, c);
	if (sum.acked)
		EVENT(g, c->id, p->id, TCP_ACKED, c->snd.una.v - c->snd.iss.v, sum.acked,
		      tcp_in_flight(c), c->cwnd);
	tcp_rearm(g, c, sum.progress);
	tcp_flight_settle(g, c);
	if (sum.acked && c->fin_sent && seq_eq(c->snd.una, c->snd.nxt))
		tcp_fin_acked(g, c);
	if (c->state == TCPS_CLOSED)
		return accept_packet(g, p);
	tcp_owe(g, c);
	return GO_ON;
}
