/* SPDX-License-Identifier: MIT */
/*
 * Birth, states and death of a connection. tcp_change_state() is the only writer of the state: it
 * knows which arrows RFC 9293 figure 5 has, and records each step with its reason.
 *
 * A connection that has ended is unlinked from everything at once; its memory is freed by
 * tcp_reap() when the door of the stack closes, or, when a program's socket still holds it, by
 * the socket's close.
 */
#include "tcp.h"
#include "tcp_account.h"
#include "tcp_cc.h"
#include "tcp_input.h"
#include "tcp_listen.h"
#include "tcp_output.h"
#include "tcp_recovery.h"

#include <assert.h>

#define ARROW(state) (1u << (state))
#define TCP_TIMERS 3

/*
 * RFC 9293 figure 5, and the arrows to CLOSED that its text adds (RST, time-outs, the user's
 * ABORT).
 */
static const uint16_t arrows[TCPS_COUNT] = {
	[TCPS_CLOSED] = ARROW(TCPS_SYN_SENT) | ARROW(TCPS_SYN_RECEIVED),
	[TCPS_SYN_SENT] = ARROW(TCPS_SYN_RECEIVED) | ARROW(TCPS_ESTABLISHED) | ARROW(TCPS_CLOSED),
	[TCPS_SYN_RECEIVED] = ARROW(TCPS_ESTABLISHED) | ARROW(TCPS_FIN_WAIT_1) | ARROW(TCPS_CLOSED),
	[TCPS_ESTABLISHED] = ARROW(TCPS_FIN_WAIT_1) | ARROW(TCPS_CLOSE_WAIT) | ARROW(TCPS_CLOSED),
	[TCPS_FIN_WAIT_1] = ARROW(TCPS_FIN_WAIT_2) | ARROW(TCPS_CLOSING) | ARROW(TCPS_TIME_WAIT) |
			    ARROW(TCPS_CLOSED),
	[TCPS_FIN_WAIT_2] = ARROW(TCPS_TIME_WAIT) | ARROW(TCPS_CLOSED),
	[TCPS_CLOSE_WAIT] = ARROW(TCPS_LAST_ACK) | ARROW(TCPS_CLOSED),
	[TCPS_CLOSING] = ARROW(TCPS_TIME_WAIT) | ARROW(TCPS_CLOSED),
	[TCPS_LAST_ACK] = ARROW(TCPS_CLOSED),
	[TCPS_TIME_WAIT] = ARROW(TCPS_CLOSED),
};

void tcp_config_init(const struct glass *g, struct tcp_config *config)
{
	*config = (struct tcp_config){
		.sndbuf = (uint32_t)g->tun.tcp_wmem_kb * 1024,
		.rcvbuf = (uint32_t)g->tun.tcp_rmem_kb * 1024,
		.syn_retries = (uint8_t)g->tun.tcp_syn_retries,
		.keep_count = 9,
		.keep_idle_s = 7200,
		.keep_interval_s = 75,
		.quickack = true,
		.linger_s = -1,
		.notsent_lowat = (uint32_t)g->tun.tcp_notsent_lowat,
		.cc = (uint8_t)g->tun.tcp_congestion_control,
	};
}

void tcp_conn_init(struct glass *g, struct tcp_conn *c, const struct tcp_config *config)
{
	list_init(&c->waker.node);
	list_init(&c->node);
	list_init(&c->by_id);
	list_init(&c->pending);
	list_init(&c->queue);
	list_init(&c->chunks);
	c->out = tcp_flight_none();
	list_init(&c->rx);
	list_init(&c->ooo);
	c->config = *config;
	c->state = TCPS_CLOSED;
	c->cc = tcp_cc_at(config->cc);
	c->rcv_mss = TCP_MSS_DEFAULT;
	c->rto_ns = g->tun.tcp_rto_initial_ms * NS_PER_MS;
	c->rack_min_rtt_ns = INT64_MAX;
	c->rack_reo_mult = 1;
	c->quick = TCP_QUICK_ACKS;
	c->pingpong = !config->quickack;
	c->last_rx_ns = c->last_tx_ns = now(g);
	c->challenge_ns = INT64_MIN / 2;
	tcp_limit_start(g, c);
	tcp_window_init(g, c);
	tcp_timers_init(c);
}

struct tcp_conn *tcp_new(struct glass *g, const struct tcp_config *config)
{
	struct tcp_conn *c = pool_alloc(&g->pool, sizeof(*c));

	if (!c || !timers_reserve(&g->timers, TCP_TIMERS)) {
		pool_free(&g->pool, c, sizeof(*c));
		stat_inc(g, STAT_NOMEM);
		return NULL;
	}
	tcp_conn_init(g, c, config);
	c->id = ++g->tcp->last_id;
	return c;
}

void tcp_hatched(struct tcp_conn *c, uint32_t id)
{
	assert(c->state == TCPS_CLOSED && !c->hashed);
	c->id = id;
	c->state = TCPS_SYN_RECEIVED;
}

static void enter_time_wait(struct glass *g, struct tcp_conn *c)
{
	struct tcp_table *t = g->tcp;

	list_remove(&c->queue);
	list_append(&t->time_wait, &c->queue);
	t->ntime_wait++;
	if (t->ntime_wait > (uint32_t)g->tun.tcp_max_tw_buckets)
		tcp_end(g, list_first(&t->time_wait, struct tcp_conn, queue), 0,
			"too many in TIME-WAIT");
}

/* RFC 4022: tcpCurrEstab. */
static bool is_current(enum tcp_state state)
{
	return state == TCPS_ESTABLISHED || state == TCPS_CLOSE_WAIT;
}

void tcp_change_state(struct glass *g, struct tcp_conn *c, enum tcp_state to, uint64_t why,
		      const char *why_text)
{
	enum tcp_state from = c->state;

	assert(arrows[from] & ARROW(to));
	EVENT(g, c->id, 0, TCP_STATE, from, to, why);
	if (from != TCPS_TIME_WAIT && (to == TCPS_TIME_WAIT || to == TCPS_CLOSED))
		tcp_limit_tell(g, c);
	if (from == TCPS_TIME_WAIT)
		g->tcp->ntime_wait--;
	g->stats[STAT_TCP_CURR_ESTAB] += (uint64_t)is_current(to) - is_current(from);
	c->state = (uint8_t)to;
	if (!c->error_why)
		c->error_why = why_text;
	if (to == TCPS_FIN_WAIT_2 || to == TCPS_TIME_WAIT)
		tcp_limit(g, c, GLASS_LIMIT_CLOSING);
	if (to == TCPS_ESTABLISHED) {
		tcp_limit(g, c, GLASS_LIMIT_APPLICATION);
		c->connected_once = true;
		c->error_why = NULL;
	}
	if (to == TCPS_TIME_WAIT)
		enter_time_wait(g, c);
	wake(g, &c->waker);
}

void tcp_end_conn(struct glass *g, struct tcp_conn *c, int error, uint64_t why,
		  const char *why_text)
{
	if (c->state == TCPS_CLOSED && list_empty(&c->node) && !c->waker.sock &&
	    !list_empty(&c->queue))
		return; /* dead already, waits for accept or tcp_reap() */
	if (error || c->state != TCPS_TIME_WAIT)
		EVENT(g, c->id, 0, TCP_END, error, why);
	if (error && !c->connected_once)
		stat_inc(g, STAT_TCP_ATTEMPT_FAILS);
	else if (error)
		stat_inc(g, STAT_TCP_ESTAB_RESETS);
	c->error = error;
	c->error_why = why_text;
	c->syn_waits = false;
	tcp_fastopen_left(g, c, false);
	if (c->state != TCPS_CLOSED && (c->waker.sock || c->listener))
		tcp_limit_end(g, c);
	if (c->state != TCPS_CLOSED)
		tcp_change_state(g, c, TCPS_CLOSED, why, why_text);
	tcp_timers_stop(g, c);
	tcp_unhash(g, c);
	tcp_sendq_purge(g, c);
	list_remove(&c->pending);
	if (c->listener)
		return; /* the program is to accept it, and to learn how it ended: as Linux */
	list_remove(&c->queue);
	if (!c->waker.sock)
		tcp_free(g, c);
}

void tcp_free(struct glass *g, struct tcp_conn *c)
{
	assert(c->state == TCPS_CLOSED && !c->hashed);
	c->waker.sock = NULL;
	list_remove(&c->waker.node);
	list_remove(&c->queue);
	list_append(&g->tcp->dead, &c->queue);
}

void tcp_reap(struct glass *g)
{
	struct list *node;

	while ((node = list_take(&g->tcp->dead))) {
		struct tcp_conn *c = container_of(node, struct tcp_conn, queue);

		tcp_rx_purge(g, c);
		tcp_notes_free(g, c);
		tcp_account_free(g, c);
		tcp_flight_free(g, c);
		timers_release(&g->timers, TCP_TIMERS);
		pool_free(&g->pool, c, sizeof(*c));
	}
}

void tcp_take_over(struct glass *g, struct tcp_conn *c, struct tcp_conn *old)
{
	c->snd.iss = seq_add(old->snd.nxt, TCP_TW_ISS_STEP);
	stat_inc(g, STAT_TCP_TW_RECYCLED);
	tcp_end(g, old, 0, "connect takes over the addresses");
}
