/* SPDX-License-Identifier: MIT */
/*
 * Connections: what each knows. What it sends and has received: keep_tcp_queue.c.
 *
 * In: src/socket/sock_keep.c.  Out: save.h, tcp_state.c, tcp_demux.c.
 */
#include "keep.h"
#include "tcp.h"
#include "tcp_cc.h"
#include "tcp_listen.h"

#include <string.h>

#define CC_NAME_BYTES 16

/* ---- fields ---------------------------------------------------------------------------------- */

void tcp_config_keep(struct save *s, struct tcp_config *k)
{
	SAVE(s, k->sndbuf);
	SAVE(s, k->rcvbuf);
	SAVE(s, k->window_clamp);
	SAVE(s, k->notsent_lowat);
	SAVE(s, k->user_timeout_ms);
	SAVE(s, k->linger_s);
	SAVE(s, k->maxseg);
	SAVE(s, k->keep_idle_s);
	SAVE(s, k->keep_interval_s);
	SAVE(s, k->fin_wait_s);
	SAVE(s, k->fastopen_qlen);
	SAVE(s, k->ttl);
	SAVE(s, k->tos);
	SAVE(s, k->defer_accept);
	SAVE(s, k->syn_retries);
	SAVE(s, k->keep_count);
	SAVE_AS(s, "config.device", k->bound);
	save_check(s, k->bound <= DEV_MAX, "a device is damaged");
	SAVE_AS(s, "congestion", k->cc);
	save_check(s, k->cc < TCP_CC_COUNT, "a congestion control that is not known");
	SAVE_FLAG(s, k->sndbuf_locked);
	SAVE_FLAG(s, k->rcvbuf_locked);
	SAVE_FLAG(s, k->nodelay);
	SAVE_FLAG(s, k->cork);
	SAVE_FLAG(s, k->keepalive);
	SAVE_FLAG(s, k->quickack);
	SAVE_FLAG(s, k->fastopen_connect);
	SAVE_FLAG(s, k->fastopen_no_cookie);
	SAVE_FLAG(s, k->notsent_own);
}

static void name_fields(struct save *s, struct tcp_conn *c)
{
	SAVE(s, c->id);
	SAVE(s, c->laddr);
	SAVE(s, c->raddr);
	SAVE(s, c->lport);
	SAVE(s, c->rport);
	SAVE(s, c->path.dev);
	SAVE(s, c->path.next_hop);
	SAVE(s, c->path.src);
	SAVE(s, c->path.mtu_bytes);
	SAVE(s, c->state);
	SAVE(s, c->limiter);
	SAVE(s, c->owe_cause);
	SAVE(s, c->error);
	SAVE(s, c->soft_error);
}

static void flag_fields(struct save *s, struct tcp_conn *c)
{
	SAVE_FLAG(s, c->connected_once);
	SAVE_FLAG(s, c->closed_by_user);
	SAVE_FLAG(s, c->shut_rd);
	SAVE_FLAG(s, c->wscale_ok);
	SAVE_FLAG(s, c->sack_ok);
	SAVE_FLAG(s, c->ts_ok);
	SAVE_FLAG(s, c->in_burst);
	SAVE_FLAG(s, c->ecn_ok);
	SAVE_FLAG(s, c->ecn_echo);
	SAVE_FLAG(s, c->ecn_cwr);
	SAVE_FLAG(s, c->ecn_seen);
	SAVE_FLAG(s, c->reduce_ecn);
	SAVE_FLAG(s, c->fastopen_wanted);
	SAVE_FLAG(s, c->fastopen_asked);
	SAVE_FLAG(s, c->syn_waits);
	SAVE_FLAG(s, c->fastopen_child);
	SAVE_FLAG(s, c->fastopen_tell);
	SAVE_FLAG(s, c->fastopen_exp);
	SAVE_FLAG(s, c->syn_data_acked);
	SAVE_FLAG(s, c->syn_data_again);
	SAVE_FLAG(s, c->fin_queued);
	SAVE_FLAG(s, c->fin_sent);
	SAVE_FLAG(s, c->snd_urgent);
	SAVE_FLAG(s, c->rcv_urgent);
	SAVE_FLAG(s, c->force_out);
	SAVE_FLAG(s, c->more);
	SAVE_FLAG(s, c->unpushed);
	SAVE_FLAG(s, c->records);
	SAVE_FLAG(s, c->want_out);
	SAVE_FLAG(s, c->starved);
	SAVE_FLAG(s, c->cwnd_limited);
	SAVE_FLAG(s, c->rack_dsack_wait);
	SAVE_FLAG(s, c->ack_now);
	SAVE_FLAG(s, c->pingpong);
	SAVE_FLAG(s, c->dsack);
	SAVE_FLAG(s, c->fin_received);
	SAVE_FLAG(s, c->fin_known);
}

static void send_fields(struct save *s, struct tcp_conn *c)
{
	SAVE(s, c->snd.una.v);
	SAVE(s, c->snd.nxt.v);
	SAVE(s, c->snd.wl1.v);
	SAVE(s, c->snd.wl2.v);
	SAVE(s, c->snd.iss.v);
	SAVE(s, c->snd.wnd);
	SAVE(s, c->snd.wnd_max);
	SAVE(s, c->snd_wscale);
	SAVE(s, c->small_end.v);
	SAVE(s, c->snd_up.v);
	SAVE(s, c->syn_pkt);
	SAVE(s, c->syn_data);
	SAVE(s, c->mss);
	SAVE(s, c->peer_mss);
	SAVE(s, c->pmtu_high);
	SAVE(s, c->pmtu_probe);
	SAVE(s, c->rtx_mode);
	SAVE(s, c->backoff);
	SAVE(s, c->timeouts);
	SAVE(s, c->probes);
	SAVE(s, c->ca_state);
	SAVE(s, c->dupacks);
	SAVE(s, c->cwnd);
	SAVE(s, c->ssthresh);
	SAVE(s, c->flight_size);
	SAVE(s, c->out_max);
	SAVE(s, c->out_used);
	SAVE(s, c->out_end.v);
	SAVE(s, c->reduce_end.v);
	SAVE(s, c->used_ms);
	SAVE(s, c->data_ms);
	SAVE(s, c->recover.v);
	SAVE(s, c->rack_reo_mult);
	SAVE(s, c->rack_reo_persist);
	SAVE(s, c->rack_dsack_round.v);
	SAVE(s, c->reord_seen);
	SAVE(s, c->reordering);
	SAVE(s, c->rack_min_rtt_ns);
	SAVE(s, c->srtt_ns);
	SAVE(s, c->rttvar_ns);
	SAVE(s, c->rto_ns);
	SAVE(s, c->rtx_since_ns);
}

static void receive_fields(struct save *s, struct tcp_conn *c)
{
	SAVE(s, c->rcv.nxt.v);
	SAVE(s, c->rcv.irs.v);
	SAVE(s, c->rcv.edge.v);
	SAVE(s, c->rcv.acked.v);
	SAVE(s, c->rcv.limit);
	SAVE(s, c->rcv_wscale);
	SAVE(s, c->rcv_up.v);
	SAVE(s, c->rcv_mss);
	SAVE(s, c->quick);
	SAVE(s, c->nsack);
	save_array(s, "sack", c->sack, sizeof(c->sack));
	save_array(s, "dsack_block", &c->dsack_block, sizeof(c->dsack_block));
	SAVE(s, c->fin_seq.v);
	SAVE(s, c->unacked);
	SAVE(s, c->drs_bytes);
	SAVE(s, c->drs_us);
	SAVE(s, c->drs_last_kb);
	SAVE(s, c->drs_rtt_ms);
	SAVE(s, c->dup_count);
	SAVE(s, c->last_data_ns);
	SAVE(s, c->last_rx_ns);
	SAVE(s, c->last_tx_ns);
	SAVE(s, c->challenge_ns);
	SAVE(s, c->ts_offset);
	SAVE(s, c->ts_recent);
	SAVE(s, c->ts_recent_ns);
}

static void account_fields(struct save *s, struct tcp_conn *c)
{
	SAVE(s, c->born_ns);
	SAVE(s, c->limit_since_ns);
	SAVE(s, c->bytes_received);
	SAVE(s, c->segs_out);
	SAVE(s, c->segs_in);
	SAVE(s, c->data_segs_in);
	SAVE(s, c->ooo_segs);
	SAVE(s, c->retrans_total);
	SAVE(s, c->dsack_dups);
}

/* ---- congestion control ---------------------------------------------------------------------- */

/*
 * What an algorithm remembers goes along as it lies in memory, with its size: another size is of
 * another Glass, and the algorithm begins anew with the same cwnd and ssthresh. By name: numbers
 * may change.
 */
static void cc_fields(struct save *s, struct tcp_conn *c)
{
	size_t name_bytes = strlen(c->cc->name), bytes = sizeof(c->cc_state);
	const char *name = save_bytes(s, "cc", c->cc->name, &name_bytes);
	const void *state = save_bytes(s, "cc_state", &c->cc_state, &bytes);
	const struct tcp_cc *cc;

	if (!save_reading(s) || !name)
		return;
	for (unsigned i = 0; (cc = tcp_cc_at(i)); i++) {
		if (strlen(cc->name) != name_bytes || memcmp(cc->name, name, name_bytes) != 0)
			continue;
		c->cc = cc;
		if (state && bytes == sizeof(c->cc_state))
			memcpy(&c->cc_state, state, bytes);
	}
}

/* ---- why it ended ---------------------------------------------------------------------------- */

/* A text of ours, which stays: the recorder's words have all of them. */
static const char *text_that_stays(const char *text, size_t length)
{
	for (const struct trace_word *w = __start_glass_words; w < __stop_glass_words; w++)
		if (w->text && strlen(w->text) == length && !memcmp(w->text, text, length))
			return w->text;
	return "told before the takeover";
}

static void why_field(struct save *s, struct tcp_conn *c)
{
	size_t length = c->error_why ? strlen(c->error_why) : 0;
	const char *text = save_bytes(s, "error_why", c->error_why, &length);

	if (save_reading(s))
		c->error_why = length ? text_that_stays(text, length) : NULL;
}

/* ---- the connection -------------------------------------------------------------------------- */

static bool conn_sane(const struct glass *g, const struct tcp_conn *c)
{
	return c->state < TCPS_COUNT && c->state != TCPS_LISTEN && c->path.dev < g->ndev &&
	       c->limiter < GLASS_LIMIT_COUNT && c->nsack <= TCP_SACK_BLOCKS_MAX &&
	       c->snd_wscale <= TCP_WSCALE_MAX && c->rcv_wscale <= TCP_WSCALE_MAX &&
	       c->ca_state <= CA_LOSS && c->rtx_mode <= RTX_PERSIST &&
	       (c->mss || c->state <= TCPS_SYN_SENT) && c->rto_ns > 0 &&
	       seq_leq(c->snd.una, c->snd.nxt);
}

static void conn_fields(struct save *s, struct glass *g, struct tcp_conn *c, bool hashed)
{
	name_fields(s, c);
	flag_fields(s, c);
	send_fields(s, c);
	receive_fields(s, c);
	account_fields(s, c);
	tcp_config_keep(s, &c->config);
	cc_fields(s, c);
	why_field(s, c);
	save_check(s, conn_sane(g, c), "a connection is damaged");
	save_check(s, hashed == (c->state != TCPS_CLOSED), "a connection is damaged");
	KEEP_TIMER(s, g, c->rtx_timer);
	KEEP_TIMER(s, g, c->ack_timer);
	KEEP_TIMER(s, g, c->life_timer);
}

static void conn_write(struct save *s, struct glass *g, struct tcp_conn *c, const char *kind)
{
	save_begin(s, kind);
	conn_fields(s, g, c, c->hashed);
	save_end(s);
	tcp_account_keep(s, g, c);
	tcp_queue_keep(s, g, c);
}

/* NULL: no memory, or a fault; then there is none. */
static struct tcp_conn *conn_read(struct save *s, struct glass *g, bool hashed)
{
	struct tcp_config config;
	struct tcp_conn *c;

	tcp_config_init(g, &config);
	c = tcp_new(g, &config);
	if (!save_check(s, c, "out of memory")) {
		save_end(s);
		return NULL;
	}
	conn_fields(s, g, c, hashed);
	save_end(s);
	tcp_account_keep(s, g, c);
	tcp_queue_keep(s, g, c);
	if (hashed && save_check(s, !tcp_find(g, c->laddr, c->lport, c->raddr, c->rport),
				 "two connections have the same addresses"))
		save_check(s, !tcp_hash(g, c), "out of memory");
	if (!save_fault(s))
		return c;
	c->state = TCPS_SYN_SENT; /* whatever it was: it ends from there */
	tcp_end(g, c, 0, "its state is damaged");
	return NULL;
}

/* ---- the tables ------------------------------------------------------------------------------ */

static void keys_fields(struct save *s, struct tcp_table *t)
{
	save_array(s, "hash_key", &t->hash_key, sizeof(t->hash_key));
	save_array(s, "isn_key", &t->isn_key, sizeof(t->isn_key));
	save_array(s, "ts_key", &t->ts_key, sizeof(t->ts_key));
	save_array(s, "cookie_key", &t->cookie_key, sizeof(t->cookie_key));
	tcp_fastopen_keys_keep(s, &t->fastopen_keys);
}

void tcp_keep(struct save *s, struct glass *g)
{
	uint64_t cursor = 0;
	struct tcp_conn *c;

	if (save_begin(s, "tcp")) {
		keys_fields(s, g->tcp);
		save_end(s);
	}
	tcp_hints_keep(s, g);
	while (!save_reading(s) && (c = tcp_next(g, &cursor)))
		conn_write(s, g, c, "connection");
	while (save_reading(s) && save_begin(s, "connection"))
		conn_read(s, g, true);
}

struct tcp_conn *tcp_keep_ended(struct save *s, struct glass *g, struct tcp_conn *c)
{
	if (save_reading(s))
		return save_begin(s, "ended") ? conn_read(s, g, false) : NULL;
	conn_write(s, g, c, "ended");
	return c;
}

/* TIME-WAIT ends in the order in which it began. */
static void time_wait_keep(struct save *s, struct glass *g)
{
	struct tcp_table *t = g->tcp;
	struct tcp_conn *c;
	uint32_t id = 0;

	while (save_reading(s) && save_begin(s, "time-wait")) {
		SAVE(s, id);
		save_end(s);
		c = tcp_find_id(g, id);
		if (!save_check(s, c && c->state == TCPS_TIME_WAIT && list_empty(&c->queue),
				"a connection in TIME-WAIT is damaged"))
			continue;
		list_append(&t->time_wait, &c->queue);
		t->ntime_wait++;
	}
	if (save_reading(s))
		return;
	list_for_each(w, &t->time_wait, struct tcp_conn, queue) {
		save_begin(s, "time-wait");
		SAVE_AS(s, "id", w->id);
		save_end(s);
	}
}

void tcp_keep_rest(struct save *s, struct glass *g)
{
	time_wait_keep(s, g);
	if (!save_begin(s, "tcp.rest"))
		return;
	SAVE(s, g->tcp->last_id);
	SAVE(s, g->tcp->last_listener);
	save_end(s);
}
