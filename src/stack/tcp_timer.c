/* SPDX-License-Identifier: MIT */
/*
 * Three timers per connection. rtx_timer is whatever the bytes sent wait for: retransmission (RFC
 * 6298), tail loss probe and reordering (RFC 8985), or a window that opens (RFC 9293 3.8.6.1).
 * ack_timer is the delayed ACK. life_timer ends TIME-WAIT and FIN-WAIT-2, and probes idle
 * connections (RFC 9293 3.8.4).
 *
 * In: glass_advance.  Out: tcp_owe, tcp_end.
 */
#include "tcp.h"
#include "tcp_account.h"
#include "tcp_output.h"
#include "tcp_recovery.h"

#define CORK_NS (200 * NS_PER_MS) /* tcp(7) */
#define SHIFT_MAX 20
#define RENEGE_NS (10 * NS_PER_MS) /* ACKs that overtake each other look the same, for a moment */

int64_t tcp_rto(const struct glass *g, const struct tcp_conn *c, unsigned backoff)
{
	int64_t max = g->tun.tcp_rto_max_ms * NS_PER_MS;
	int64_t rto = c->rto_ns << (backoff < SHIFT_MAX ? backoff : SHIFT_MAX);

	return rto < max ? rto : max;
}

static void arm_rtx(struct glass *g, struct tcp_conn *c, enum tcp_rtx_timer mode, int64_t at_ns)
{
	c->rtx_mode = (uint8_t)mode;
	timer_arm(&g->timers, &c->rtx_timer, at_ns > now(g) ? at_ns : now(g));
}

/*
 * When the tail loss probe is due: RFC 8985 7.2, counted from the last ACK of new data or the last
 * segment sent; what else happens does not put it off. 0: it is not to be.
 */
static int64_t probe_at(const struct glass *g, const struct tcp_conn *c)
{
	int64_t pto = tcp_tlp_timeout(g, c), sent_ns;

	if (!pto)
		return 0;
	sent_ns = list_last(&c->out->flight, struct tcp_tx, in_flight)->sent_ns;
	return (sent_ns > c->out->una_ns ? sent_ns : c->out->una_ns) + pto;
}

/*
 * Something is out. RFC 6298 5.1 and 5.3: the retransmission timer runs from the first of it, and
 * anew from each ACK of new data; what is due before it takes its place meanwhile.
 */
static void arm_loss(struct glass *g, struct tcp_conn *c, bool restart)
{
	enum tcp_rtx_timer mode = RTX_RTO;
	int64_t at, other = 0;

	if (restart || !c->out->rto_at_ns)
		c->out->rto_at_ns = now(g) + tcp_rto(g, c, c->backoff);
	at = c->out->rto_at_ns;
	if (tcp_sack_reneged(c)) {
		mode = RTX_RENEGED;
		other = c->rtx_mode == RTX_RENEGED && timer_armed(&c->rtx_timer)
				? c->rtx_timer.deadline_ns
				: now(g) + RENEGE_NS + c->srtt_ns / 2;
	} else if (c->out->reorder_at_ns) {
		mode = RTX_REORDER;
		other = c->out->reorder_at_ns;
	} else if ((other = probe_at(g, c))) {
		mode = RTX_PROBE;
	}
	/* A probe that is due with the timeout goes in its place: RFC 8985 7.2. */
	if (other && (other < at || mode == RTX_PROBE))
		at = other < at ? other : at;
	else
		mode = RTX_RTO;
	arm_rtx(g, c, mode, at);
}

/* Nothing is out and something waits: for a window, or because of TCP_CORK. */
static int64_t persist_after(const struct glass *g, const struct tcp_conn *c)
{
	return (c->config.cork || c->more) && c->snd.wnd ? CORK_NS : tcp_rto(g, c, c->probes);
}

void tcp_rearm(struct glass *g, struct tcp_conn *c, bool restart)
{
	if (c->state == TCPS_SYN_SENT || c->state == TCPS_SYN_RECEIVED) {
		if (!restart &&
		    timer_armed(&c->rtx_timer)) /* data after the SYN-ACK of a fast open */
			return;
		arm_rtx(g, c, RTX_RTO, now(g) + tcp_rto(g, c, c->backoff));
		EVENT(g, c->id, 0, TIMER_SET, WORD("retransmission"),
		      (uint64_t)tcp_rto(g, c, c->backoff), WORD("SYN is out"));
		return;
	}
	if (!seq_eq(c->snd.una, c->snd.nxt)) {
		arm_loss(g, c, restart);
		return;
	}
	if (tcp_has_flight(c))
		c->out->rto_at_ns = 0;
	if (!tcp_unsent(c) || c->state == TCPS_TIME_WAIT || c->state == TCPS_CLOSED) {
		c->rtx_mode = RTX_NONE;
		timer_stop(&g->timers, &c->rtx_timer);
	} else if (c->rtx_mode != RTX_PERSIST) {
		arm_rtx(g, c, RTX_PERSIST, now(g) + persist_after(g, c));
	}
}

static int give_up_error(const struct tcp_conn *c)
{
	return c->soft_error ? c->soft_error : ETIMEDOUT;
}

/* RFC 9293 3.8.3: R2, for SYN and for data. */
static bool retries_exhausted(const struct glass *g, const struct tcp_conn *c)
{
	int64_t max = g->tun.tcp_retries2;

	if (c->state == TCPS_SYN_SENT)
		max = c->config.syn_retries;
	else if (c->state == TCPS_SYN_RECEIVED)
		max = g->tun.tcp_synack_retries;
	else if (c->closed_by_user)
		max = g->tun.tcp_orphan_retries;
	if (c->config.user_timeout_ms && c->rtx_since_ns) /* RFC 5482 */
		return now(g) - c->rtx_since_ns >= (int64_t)c->config.user_timeout_ms * NS_PER_MS;
	return c->timeouts >= max;
}

static void give_up(struct glass *g, struct tcp_conn *c)
{
	stat_inc(g, STAT_TCP_ABORT_ON_TIMEOUT);
	tcp_end(g, c, give_up_error(c), "retransmitted in vain: the peer does not answer");
}

/* RFC 6298 5.4 to 5.7. */
static void retransmission_timeout(struct glass *g, struct tcp_conn *c)
{
	if (neigh_waited_for(g, c->path.dev,
			     c->path.next_hop)) { /* the first copy has not even left: as Linux */
		EVENT(g, c->id, 0, TCP_STOP, tcp_limit_word(GLASS_LIMIT_NEIGHBOUR),
		      tcp_in_flight(c));
		tcp_limit_was(g, c, GLASS_LIMIT_NEIGHBOUR, tcp_rto(g, c, c->backoff));
		tcp_rearm(g, c, true);
		return;
	}
	stat_inc(g, STAT_TCP_TIMEOUTS);
	if (!c->rtx_since_ns)
		c->rtx_since_ns = now(g) - tcp_rto(g, c, c->backoff);
	if (retries_exhausted(g, c)) {
		give_up(g, c);
		return;
	}
	EVENT(g, c->id, g->trace.cause, TCP_RTO, c->timeouts + 1u,
	      (uint64_t)tcp_rto(g, c, c->backoff), (uint64_t)tcp_rto(g, c, c->backoff + 1u),
	      tcp_in_flight(c));
	if (tcp_synchronized(c)) {
		tcp_limit_was(g, c, GLASS_LIMIT_RTO, tcp_rto(g, c, c->backoff));
		c->account->rtos++;
	}
	if (c->timeouts < UINT8_MAX)
		c->timeouts++;
	if (c->backoff < UINT8_MAX)
		c->backoff++;
	if (c->state == TCPS_SYN_SENT || c->state == TCPS_SYN_RECEIVED) {
		tcp_send_syn(g, c);
		return;
	}
	tcp_pmtu_timeout(g, c);
	tcp_enter_loss(g, c);
	tcp_rearm(g, c, true);
	tcp_owe(g, c);
}

/* RFC 5482, as Linux: a window that stays closed too long, though the peer answers. */
static bool window_stayed_closed(const struct glass *g, const struct tcp_conn *c)
{
	return c->config.user_timeout_ms &&
	       now(g) - c->rtx_since_ns >= (int64_t)c->config.user_timeout_ms * NS_PER_MS;
}

/*
 * Bytes wait, nothing is out. RFC 9293 3.8.6.1: a closed window is probed with growing intervals
 * as long as the peer answers; a window that is only small, or a cork, is overruled.
 */
static void persist(struct glass *g, struct tcp_conn *c)
{
	bool answered = c->last_rx_ns >= c->last_tx_ns;

	if (c->snd.wnd) {
		c->force_out = true;
		c->more = c->unpushed = false;
		tcp_owe(g, c);
		return;
	}
	c->timeouts = answered ? 0 : (uint8_t)(c->timeouts + 1);
	if (!c->rtx_since_ns)
		c->rtx_since_ns = now(g);
	if (c->timeouts > g->tun.tcp_retries2 || window_stayed_closed(g, c) ||
	    (c->closed_by_user && c->probes >= g->tun.tcp_orphan_retries)) {
		give_up(g, c);
		return;
	}
	if (c->probes < UINT8_MAX)
		c->probes++;
	stat_inc(g, STAT_TCP_ZERO_WINDOW_PROBES);
	tcp_send_probe(g, c);
	arm_rtx(g, c, RTX_PERSIST, now(g) + tcp_rto(g, c, c->probes));
}

/* RACK's wait is over, or the peer's SACK was a lie. */
static void recovery_timer(struct glass *g, struct tcp_conn *c, enum tcp_rtx_timer mode)
{
	if (mode == RTX_REORDER)
		tcp_rack_timeout(g, c);
	else if (tcp_sack_reneged(c))
		tcp_enter_loss(g, c);
	tcp_rearm(g, c, false);
	tcp_owe(g, c);
}

static void rtx_fired(struct glass *g, struct timer *t)
{
	struct tcp_conn *c = container_of(t, struct tcp_conn, rtx_timer);
	enum tcp_rtx_timer mode = c->rtx_mode;
	uint32_t outer;

	c->rtx_mode = RTX_NONE;
	outer = tcp_timer_enter(g, c, t,
				mode == RTX_RTO	      ? WORD("retransmission")
				: mode == RTX_PROBE   ? WORD("tail loss probe")
				: mode == RTX_REORDER ? WORD("reordering")
				: mode == RTX_RENEGED ? WORD("reneging")
						      : WORD("persist"));
	if (mode == RTX_RTO)
		retransmission_timeout(g, c);
	else if (mode == RTX_PROBE && !list_empty(&c->out->sent))
		tcp_tlp_send(g, c);
	else if (mode == RTX_PERSIST)
		persist(g, c);
	else if (mode == RTX_RENEGED || mode == RTX_REORDER)
		recovery_timer(g, c, mode);
	act_end(g, outer);
}

uint32_t tcp_timer_enter(struct glass *g, const struct tcp_conn *c, const struct timer *t,
			 uint64_t name)
{
	uint32_t outer = act_begin(g);

	EVENT(g, c->id, g->trace.cause, TIMER_FIRED, name, (uint64_t)(now(g) - t->deadline_ns));
	return outer;
}

/* RFC 9293 3.8.6.3 */
static void ack_fired(struct glass *g, struct timer *t)
{
	struct tcp_conn *c = container_of(t, struct tcp_conn, ack_timer);
	uint32_t outer;

	if (c->starved)
		wake(g, &c->waker);
	c->starved = false;
	if (!c->unacked)
		return; /* the ACK rode on data meanwhile */
	outer = tcp_timer_enter(g, c, t, WORD("delayed ACK"));
	stat_inc(g, STAT_TCP_DELAYED_ACKS);
	tcp_owe_ack(g, c, "it has waited long enough");
	act_end(g, outer);
}

void tcp_arm_ack(struct glass *g, struct tcp_conn *c)
{
	if (!timer_armed(&c->ack_timer))
		timer_arm(&g->timers, &c->ack_timer, now(g) + g->tun.tcp_delack_ms * NS_PER_MS);
}

void tcp_arm_life(struct glass *g, struct tcp_conn *c, int64_t delay_ns, uint64_t why)
{
	timer_arm(&g->timers, &c->life_timer, now(g) + delay_ns);
	EVENT(g, c->id, 0, TIMER_SET, WORD("life"), (uint64_t)delay_ns, why);
}

/* RFC 9293 3.8.4: only after silence, and an answer of any kind is enough. */
static void keepalive(struct glass *g, struct tcp_conn *c)
{
	int64_t idle_ns = now(g) - c->last_rx_ns, after_ns = c->config.keep_idle_s * NS_PER_S;
	int64_t limit_ns = (int64_t)c->config.user_timeout_ms * NS_PER_MS;

	if (!c->config.keepalive)
		return;
	if (idle_ns < after_ns) {
		tcp_arm_life(g, c, after_ns - idle_ns, WORD("keepalive"));
		return;
	}
	if (limit_ns ? idle_ns >= limit_ns && c->probes : c->probes >= c->config.keep_count) {
		tcp_send_rst(g, c);
		tcp_end(g, c, give_up_error(c), "keepalive probes were not answered");
		return;
	}
	stat_inc(g, STAT_TCP_KEEPALIVES);
	c->probes++;
	tcp_send_probe(g, c);
	tcp_arm_life(g, c, c->config.keep_interval_s * NS_PER_S, WORD("keepalive"));
}

void tcp_keepalive_start(struct glass *g, struct tcp_conn *c)
{
	if (c->state >= TCPS_ESTABLISHED && c->state != TCPS_TIME_WAIT && !c->closed_by_user)
		tcp_arm_life(g, c, c->config.keep_idle_s * NS_PER_S, WORD("keepalive"));
}

void tcp_fin_wait_2(struct glass *g, struct tcp_conn *c)
{
	int64_t ns = g->tun.tcp_fin_timeout_ms * NS_PER_MS;

	if (c->config.fin_wait_s < 0) {
		tcp_abort(g, c, 0);
		return;
	}
	if (c->config.fin_wait_s)
		ns = c->config.fin_wait_s * NS_PER_S;
	tcp_arm_life(g, c, ns, WORD("the peer may keep its side open this long"));
}

static void life_fired(struct glass *g, struct timer *t)
{
	struct tcp_conn *c = container_of(t, struct tcp_conn, life_timer);
	uint32_t outer = tcp_timer_enter(g, c, t, WORD("life"));

	if (c->state == TCPS_TIME_WAIT)
		tcp_end(g, c, 0, "2 MSL are over");
	else if (c->state == TCPS_FIN_WAIT_2 && c->closed_by_user)
		tcp_end(g, c, 0, "the peer has kept its side open too long");
	else
		keepalive(g, c);
	act_end(g, outer);
}

void tcp_timers_init(struct tcp_conn *c)
{
	timer_init(&c->rtx_timer, rtx_fired);
	timer_init(&c->ack_timer, ack_fired);
	timer_init(&c->life_timer, life_fired);
}

void tcp_timers_stop(struct glass *g, struct tcp_conn *c)
{
	timer_stop(&g->timers, &c->rtx_timer);
	timer_stop(&g->timers, &c->ack_timer);
	timer_stop(&g->timers, &c->life_timer);
	c->rtx_mode = RTX_NONE;
}
