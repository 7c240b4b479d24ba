/* SPDX-License-Identifier: MIT */
/*
 * Looking in: a socket or connection as a row of "glass ss".
 *
 * In: the owner of the stack.  Out: nothing.
 */
#include "../stack/tcp_account.h"
#include "../stack/tcp_cc.h"
#include "../stack/tcp_output.h"
#include "sock.h"

static const char *const ss_names[TCPS_COUNT] = {
	[TCPS_CLOSED] = "UNCONN",	  [TCPS_LISTEN] = "LISTEN",
	[TCPS_SYN_SENT] = "SYN-SENT",	  [TCPS_SYN_RECEIVED] = "SYN-RECV",
	[TCPS_ESTABLISHED] = "ESTAB",	  [TCPS_FIN_WAIT_1] = "FIN-WAIT-1",
	[TCPS_FIN_WAIT_2] = "FIN-WAIT-2", [TCPS_CLOSE_WAIT] = "CLOSE-WAIT",
	[TCPS_CLOSING] = "CLOSING",	  [TCPS_LAST_ACK] = "LAST-ACK",
	[TCPS_TIME_WAIT] = "TIME-WAIT",
};

static const char *const ca_names[] = {
	[CA_OPEN] = "Open", [CA_RECOVERY] = "Recovery", [CA_LOSS] = "Loss"
};

static uint32_t segments(const struct tcp_conn *c, uint32_t bytes)
{
	return c->mss ? (bytes + c->mss - 1) / c->mss : 0;
}

/* The timer that ss would name, and how long it has to run. */
static void info_timer(const struct glass *g, const struct tcp_conn *c, struct glass_conn_info *out)
{
	static const char *const names[] = {
		[RTX_NONE] = "",	   [RTX_RTO] = "on",	     [RTX_PROBE] = "tlp",
		[RTX_REORDER] = "reorder", [RTX_RENEGED] = "renege", [RTX_PERSIST] = "persist",
	};
	const struct timer *t = &c->rtx_timer;

	out->timer = names[c->rtx_mode];
	if (!timer_armed(t) && timer_armed(&c->life_timer)) {
		t = &c->life_timer;
		out->timer = c->state == TCPS_TIME_WAIT || c->state == TCPS_FIN_WAIT_2
				     ? "timewait"
				     : "keepalive";
	}
	out->timer_ns = timer_armed(t) ? t->deadline_ns - now(g) : -1;
}

static void info_transfer(const struct tcp_conn *c, struct glass_conn_info *out)
{
	out->mss = c->mss;
	out->rcv_mss = c->rcv_mss;
	out->cwnd_segments = c->mss ? c->cwnd / c->mss : 0;
	out->ssthresh_segments = c->ssthresh == UINT32_MAX ? 0 : segments(c, c->ssthresh);
	out->wscale_snd = c->snd_wscale;
	out->wscale_rcv = c->rcv_wscale;
	out->timestamps = c->ts_ok;
	out->sack = c->sack_ok;
	out->ecn = c->ecn_ok;
	out->ecn_seen = c->ecn_seen;
	out->snd_wnd = c->snd.wnd;
	out->rcv_wnd = (uint32_t)seq_diff(c->rcv.edge, c->rcv.nxt);
	out->unacked_segments = segments(c, (uint32_t)seq_diff(c->snd.nxt, c->snd.una));
	out->sacked_segments = c->sack_ok ? c->out->sacked_segs : segments(c, c->out->sacked);
	out->lost_segments = segments(c, c->out->lost);
	out->retrans_out = segments(c, c->out->retrans);
	out->bytes_received = c->bytes_received;
	out->segs_out = c->segs_out;
	out->segs_in = c->segs_in;
	out->retrans_total = c->retrans_total;
	out->dsack_dups = c->dsack_dups;
	out->reord_seen = c->reord_seen;
	out->reordering = c->reordering;
	out->rto_ns = c->rto_ns;
	out->srtt_ns = c->srtt_ns;
	out->rttvar_ns = c->rttvar_ns;
	out->minrtt_ns = c->rack_min_rtt_ns == INT64_MAX ? 0 : c->rack_min_rtt_ns;
	out->cc = c->cc->name;
	out->ca_state = ca_names[c->ca_state];
	out->backoff = c->backoff;
	out->probes = c->probes;
}

static void info_path(const struct glass *g, const struct tcp_conn *c, struct glass_conn_info *out)
{
	out->pmtu = c->path.mtu_bytes;
	out->advmss = tcp_advmss(c);
	out->ato_ns = g->tun.tcp_delack_ms * NS_PER_MS;
	out->rcv_ssthresh = out->rcv_space = c->rcv.limit;
	out->rcv_rtt_ns = c->srtt_ns;
	out->data_segs_in = c->data_segs_in;
	out->rcv_ooopack = c->ooo_segs;
	out->notsent = tcp_synchronized(c) ? tcp_unsent(c) : c->queued;
	out->last_rcv_ns = c->last_data_ns ? now(g) - c->last_data_ns : -1;
	out->last_ack_ns = now(g) - c->last_rx_ns;
	out->last_snd_ns = -1;
	out->rmem = c->rx_bytes + c->ooo_bytes;
	out->rcvbuf = c->config.rcvbuf;
	out->wmem = c->queued;
	out->sndbuf = c->config.sndbuf;
}

static void info_account(const struct glass *g, const struct tcp_conn *c,
			 struct glass_conn_info *out)
{
	const struct tcp_account *a = c->account;

	if (!a)
		return;
	out->bytes_sent = a->bytes_sent;
	out->retrans_fast = a->retrans_by[RTX_KIND_RACK] + a->retrans_by[RTX_KIND_DUPACK];
	out->retrans_partial = a->retrans_by[RTX_KIND_PARTIAL];
	out->retrans_rto = a->retrans_by[RTX_KIND_TIMEOUT];
	out->retrans_frto = a->retrans_by[RTX_KIND_FRTO];
	out->retrans_tlp = a->retrans_by[RTX_KIND_PROBE];
	out->retrans_other = a->retrans_by[RTX_KIND_RENEGED] + a->retrans_by[RTX_KIND_PATH];
	out->retrans_spurious = a->retrans_spurious;
	out->bytes_acked = a->bytes_acked;
	out->bytes_retrans = a->bytes_retrans;
	out->data_segs_out = a->data_segs_out;
	out->delivered = a->delivered_segs;
	out->delivery_rate = a->rate_bytes_s;
	out->app_limited = a->rate_app_limited;
	out->total_rto = a->rtos;
	if (a->last_data_sent_ns)
		out->last_snd_ns = now(g) - a->last_data_sent_ns;
	out->busy_ns = tcp_busy_ns(g, c);
	out->rwnd_limited_ns =
		tcp_limit_ns(g, c, GLASS_LIMIT_RWND) + tcp_limit_ns(g, c, GLASS_LIMIT_ZERO_WINDOW);
	out->sndbuf_limited_ns = tcp_limit_ns(g, c, GLASS_LIMIT_SNDBUF);
}

static void info_limits(const struct glass *g, const struct tcp_conn *c,
			struct glass_conn_info *out)
{
	out->life_ns = tcp_life_ns(g, c);
	for (unsigned i = 0; i < GLASS_LIMIT_COUNT; i++)
		out->limit_ns[i] = tcp_limit_ns(g, c, (enum glass_limiter)i);
	out->limiter = c->limiter;
}

/* Of a connection's socket; NULL: it has none, or the socket none. */
static void *user_of(const struct tcp_conn *c)
{
	const struct glass_sock *s = c->waker.sock;

	return s ? s->user : NULL;
}

static void info_conn(const struct glass *g, const struct tcp_conn *c, struct glass_conn_info *out)
{
	*out = (struct glass_conn_info){
		.conn = c->id,
		.proto = GLASS_TCP,
		.state = ss_names[c->state],
		.local = sock_end(c->laddr, c->lport),
		.remote = sock_end(c->raddr, c->rport),
		.recv_q = c->rx_bytes,
		.send_q = c->queued,
		.orphan = !c->waker.sock,
		.ifindex = c->config.bound,
		.user = user_of(c),
		.error = c->error,
		.error_why = c->error_why ? c->error_why : "",
	};
	info_transfer(c, out);
	info_timer(g, c, out);
	info_path(g, c, out);
	info_account(g, c, out);
	info_limits(g, c, out);
}

static void info_embryo(const struct glass *g, const struct tcp_embryo *e,
			struct glass_conn_info *out)
{
	*out = (struct glass_conn_info){
		.conn = e->id,
		.proto = GLASS_TCP,
		.state = ss_names[TCPS_SYN_RECEIVED],
		.local = sock_end(e->laddr, e->lport),
		.remote = sock_end(e->raddr, e->rport),
		.timer = "on",
		.timer_ns = e->timer.deadline_ns - now(g),
		.backoff = e->timeouts,
		.retrans_total = e->resent ? e->timeouts : 0,
		.cc = "",
		.ca_state = "",
		.error_why = "",
	};
}

static void info_empty(const struct glass_sock *s, struct glass_conn_info *out)
{
	*out = (struct glass_conn_info){
		.proto = s->proto,
		.user = s->user,
		.state = "UNCONN",
		.timer = "",
		.timer_ns = -1,
		.cc = "",
		.ca_state = "",
		.error_why = "",
	};
	glass_local(s, &out->local);
	glass_remote(s, &out->remote);
}

int glass_sock_info(struct glass *g, struct glass_sock *s, struct glass_conn_info *out)
{
	if (s->conn) {
		info_conn(g, s->conn, out);
		return 0;
	}
	info_empty(s, out);
	out->ifindex = sock_device(s);
	if (s->listener) {
		out->state = "LISTEN";
		out->recv_q = s->listener->naccept + s->listener->held;
		out->send_q = s->listener->backlog;
	} else if (s->udp) {
		out->recv_q = s->udp->rx_bytes;
		out->error = s->udp->error;
		if (s->udp->remote)
			out->state = "ESTAB";
	}
	return 0;
}

/*
 * First the sockets that are no connections (the cursor's upper half is 0), then the table of
 * connections, then what is half open.
 */
bool glass_conn_next(struct glass *g, uint64_t *cursor, struct glass_conn_info *out)
{
	const uint64_t conns = 1ull << 63, embryos = 1ull << 62;
	uint64_t at = 0, inner;
	struct tcp_embryo *e;
	struct tcp_conn *c;

	if (!(*cursor & (conns | embryos))) {
		list_for_each(s, &g->socks, struct glass_sock, node) {
			if (s->conn || at++ < *cursor)
				continue;
			++*cursor;
			return !glass_sock_info(g, s, out);
		}
		*cursor = conns;
	}
	if (*cursor & conns) {
		inner = *cursor & ~conns;
		c = tcp_next(g, &inner);
		*cursor = c ? inner | conns : embryos;
		if (c) {
			info_conn(g, c, out);
			return true;
		}
	}
	inner = *cursor & ~embryos;
	e = tcp_embryo_next(g, &inner);
	*cursor = inner | embryos;
	if (e)
		info_embryo(g, e, out);
	return e;
}
