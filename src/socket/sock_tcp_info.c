/* SPDX-License-Identifier: MIT */
/*
 * TCP_INFO as Linux lays it out. Windows count segments there, times microseconds or milliseconds.
 * What this stack does not have (pacing) is 0.
 *
 * In: the owner of the stack.  Out: nothing.
 */
#include "../stack/tcp_account.h"
#include "../stack/tcp_output.h"
#include "sock.h"

#define SSTHRESH_INFINITE 0x7fffffffu /* as Linux says it */

enum { LINUX_CLOSE = 7 };

/* include/net/tcp_states.h of Linux. */
static const uint8_t linux_states[TCPS_COUNT] = {
	[TCPS_CLOSED] = LINUX_CLOSE, [TCPS_LISTEN] = 10,     [TCPS_SYN_SENT] = 2,
	[TCPS_SYN_RECEIVED] = 3,     [TCPS_ESTABLISHED] = 1, [TCPS_FIN_WAIT_1] = 4,
	[TCPS_FIN_WAIT_2] = 5,	     [TCPS_CLOSE_WAIT] = 8,  [TCPS_CLOSING] = 11,
	[TCPS_LAST_ACK] = 9,	     [TCPS_TIME_WAIT] = 6,
};

/*
 * Linux has two states more. Disorder: something arrived out of turn, or was sent again, and nobody
 * knows yet whether anything is lost. CWR: the window has been reduced for a mark (RFC 3168), and
 * what was out then still is.
 */
enum { LINUX_OPEN, LINUX_DISORDER, LINUX_CWR, LINUX_RECOVERY, LINUX_LOSS };

static uint8_t linux_ca_state(const struct tcp_conn *c)
{
	if (c->ca_state == CA_LOSS)
		return LINUX_LOSS;
	if (c->ca_state == CA_RECOVERY)
		return LINUX_RECOVERY;
	if (c->reduce_ecn && seq_lt(c->snd.una, c->reduce_end))
		return LINUX_CWR;
	return c->out->sacked || c->out->lost || c->out->retrans ? LINUX_DISORDER : LINUX_OPEN;
}

static uint32_t us(int64_t ns)
{
	return ns > 0 ? (uint32_t)(ns / 1000) : 0;
}

static uint32_t ms_since(const struct glass *g, int64_t then_ns)
{
	return (uint32_t)((now(g) - then_ns) / NS_PER_MS);
}

/* Before there was any data Linux counts from the end of the handshake. */
static int64_t established_ns(const struct glass *g, const struct tcp_conn *c)
{
	return c->born_ns + tcp_limit_ns(g, c, GLASS_LIMIT_HANDSHAKE);
}

static uint32_t segments(const struct tcp_conn *c, uint32_t bytes)
{
	return c->mss ? (bytes + c->mss - 1u) / c->mss : 0;
}

/* Of the data that went with the SYN in vain and has gone again. */
static uint32_t syn_data_out_again(const struct tcp_conn *c)
{
	bool out = c->connected_once && c->syn_data && !c->syn_data_again;

	return out && c->account->bytes_acked < c->syn_data
		       ? c->syn_data - (uint32_t)c->account->bytes_acked
		       : 0;
}

static void fill_path(const struct glass *g, const struct tcp_conn *c, struct glass_tcp_info *t)
{
	t->options = (uint8_t)((c->ts_ok ? GLASS_TCPI_TIMESTAMPS : 0) |
			       (c->sack_ok ? GLASS_TCPI_SACK : 0) |
			       (c->wscale_ok ? GLASS_TCPI_WSCALE : 0) |
			       (c->ecn_ok ? GLASS_TCPI_ECN : 0) |
			       (c->ecn_seen ? GLASS_TCPI_ECN_SEEN : 0) |
			       (c->syn_data_acked ? GLASS_TCPI_SYN_DATA : 0));
	t->wscale = (uint8_t)(c->snd_wscale | c->rcv_wscale << 4);
	t->rto_us = us(c->rto_ns);
	t->ato_us = us(g->tun.tcp_delack_ms * NS_PER_MS);
	t->snd_mss = c->mss;
	t->rcv_mss = c->rcv_mss;
	t->advmss = tcp_advmss(c);
	t->pmtu = c->path.mtu_bytes;
	t->rtt_us = us(c->srtt_ns);
	t->rttvar_us = us(c->rttvar_ns);
	t->min_rtt_us = c->rack_min_rtt_ns == INT64_MAX ? UINT32_MAX : us(c->rack_min_rtt_ns);
}

static void fill_sending(const struct tcp_conn *c, struct glass_tcp_info *t)
{
	t->ca_state = linux_ca_state(c);
	t->retransmits = c->timeouts;
	t->backoff = c->backoff;
	t->probes = c->probes;
	t->unacked = segments(c, (uint32_t)seq_diff(c->snd.nxt, c->snd.una));
	t->sacked = segments(c, c->out->sacked);
	t->lost = segments(c, c->out->lost);
	t->retrans = segments(c, c->out->retrans) + segments(c, syn_data_out_again(c));
	t->snd_ssthresh = c->ssthresh == UINT32_MAX ? SSTHRESH_INFINITE : segments(c, c->ssthresh);
	t->snd_cwnd = c->mss ? c->cwnd / c->mss : 0;
	t->reordering = c->reordering > TCP_DUPACKS ? c->reordering : TCP_DUPACKS;
	t->reord_seen = c->reord_seen;
	t->total_retrans = c->retrans_total;
	t->segs_out = c->segs_out;
	t->notsent_bytes = tcp_synchronized(c) ? tcp_unsent(c) : c->queued;
	t->dsack_dups = c->dsack_dups;
	t->snd_wnd = c->snd.wnd;
}

static void fill_receiving(const struct glass *g, const struct tcp_conn *c,
			   struct glass_tcp_info *t)
{
	t->rcv_ssthresh = c->rcv.limit;
	t->rcv_rtt_us = us(c->srtt_ns);
	t->rcv_space = c->rcv.limit;
	t->bytes_received = c->bytes_received;
	t->segs_in = c->segs_in;
	t->data_segs_in = c->data_segs_in;
	t->rcv_ooopack = c->ooo_segs;
	t->rcv_wnd = (uint32_t)seq_diff(c->rcv.edge, c->rcv.nxt);
	t->last_data_recv_ms =
		ms_since(g, c->last_data_ns ? c->last_data_ns : established_ns(g, c));
	t->last_ack_recv_ms = ms_since(g, c->last_rx_ns);
}

/* What it did. */
static void fill_account(const struct glass *g, const struct tcp_conn *c, struct glass_tcp_info *t)
{
	const struct tcp_account *a = c->account;
	int64_t rwnd_ns =
		tcp_limit_ns(g, c, GLASS_LIMIT_RWND) + tcp_limit_ns(g, c, GLASS_LIMIT_ZERO_WINDOW);

	t->last_data_sent_ms = ms_since(g, a && a->last_data_sent_ns ? a->last_data_sent_ns
								     : established_ns(g, c));
	/* Linux counts the SYN. */
	t->delivered = c->connected_once && c->state != TCPS_SYN_RECEIVED;
	if (!a)
		return;
	t->busy_time_us = (uint64_t)tcp_busy_ns(g, c) / 1000;
	t->rwnd_limited_us = (uint64_t)rwnd_ns / 1000;
	t->sndbuf_limited_us = (uint64_t)tcp_limit_ns(g, c, GLASS_LIMIT_SNDBUF) / 1000;
	t->bytes_sent = a->bytes_sent;
	t->bytes_acked = a->bytes_acked;
	t->bytes_retrans = a->bytes_retrans;
	t->data_segs_out = a->data_segs_out;
	t->delivered += a->delivered_segs;
	t->delivery_rate = a->rate_bytes_s;
	t->app_limited = a->rate_app_limited;
	t->total_rto = a->rtos;
	t->total_rto_recoveries = a->rto_recoveries;
	t->total_rto_time_ms = a->rto_ms;
	if (c->rtx_since_ns)
		t->total_rto_time_ms += ms_since(g, c->rtx_since_ns);
}

void glass_tcp_info(const struct glass *g, const struct glass_sock *s, struct glass_tcp_info *out)
{
	*out = (struct glass_tcp_info){ .state = LINUX_CLOSE };
	if (s->listener) { /* inet_diag's custom: queue and its limit */
		out->state = linux_states[TCPS_LISTEN];
		out->unacked = s->listener->naccept + s->listener->held;
		out->sacked = s->listener->backlog;
	} else if (s->conn) {
		out->state = linux_states[s->conn->state];
		fill_path(g, s->conn, out);
		fill_sending(s->conn, out);
		fill_receiving(g, s->conn, out);
		fill_account(g, s->conn, out);
	} else {
		out->rto_us = us(g->tun.tcp_rto_initial_ms * NS_PER_MS);
		out->snd_mss = out->rcv_mss = TCP_MSS_DEFAULT;
		out->snd_ssthresh = SSTHRESH_INFINITE;
		out->snd_cwnd = (uint32_t)g->tun.tcp_initial_window;
	}
}
