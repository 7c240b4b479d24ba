/* SPDX-License-Identifier: MIT */
/*
 * A connection half open, and how it becomes a whole one: SYN-RECEIVED of a passive open, RFC 9293
 * 3.10.7.4 in small.
 *
 * Theory of operation. Anybody can send SYNs, from any address. So a SYN makes no struct tcp_conn
 * but an embryo, a seventh of its size, which knows what the SYN said and what we answered. When
 * a segment has to be built, a ghost is: a connection on the C stack, filled from the embryo, for
 * as long as the building takes. The third segment of the handshake proves that the peer is where
 * it says; then the same filling makes the real connection (tcp_embryo_hatch). A SYN cookie is the
 * same without the waiting: the embryo is read out of the third segment (tcp_cookie.c).
 *
 * In: tcp_listen_input (SYN), tcp_input (segments after it), glass_advance (SYN-ACK again).
 * Out: tcp_send_ghost, tcp_segment_arrives (the segment that completed the handshake).
 */
#include "tcp.h"
#include "tcp_input.h"
#include "tcp_listen.h"
#include "tcp_output.h"

#define BUCKETS_MIN 64u
#define BUCKETS_MAX (1u << 16)
#define SYN_WINDOW_MAX 65535u
#define SHIFT_MAX 16

/* ---- table ----------------------------------------------------------------------------------- */

static struct list *bucket_of(const struct tcp_table *t, ip4_t laddr, uint16_t lport, ip4_t raddr,
			      uint16_t rport)
{
	uint64_t h = siphash_u64(&t->hash_key, (uint64_t)laddr << 32 | raddr,
				 (uint64_t)lport << 16 | rport);

	return &t->embryo_buckets[h & (t->nembryo_buckets - 1)];
}

static struct list *bucket_of_embryo(const struct tcp_table *t, const struct tcp_embryo *e)
{
	return bucket_of(t, e->laddr, e->lport, e->raddr, e->rport);
}

/* false: no memory; the old table, if any, stays. */
static bool table_resize(struct glass *g, uint32_t n)
{
	struct tcp_table *t = g->tcp;
	struct list *old = t->embryo_buckets, *b = pool_alloc(&g->pool, n * sizeof(*b));
	uint32_t old_n = t->nembryo_buckets;

	if (!b)
		return false;
	for (uint32_t i = 0; i < n; i++)
		list_init(&b[i]);
	t->embryo_buckets = b;
	t->nembryo_buckets = n;
	for (uint32_t i = 0; i < old_n; i++) {
		list_for_each_safe(e, &old[i], struct tcp_embryo, node) {
			list_remove(&e->node);
			list_append(bucket_of_embryo(t, e), &e->node);
		}
	}
	pool_free(&g->pool, old, old_n * sizeof(*old));
	return true;
}

int tcp_embryos_init(struct glass *g)
{
	return table_resize(g, BUCKETS_MIN) ? 0 : -ENOMEM;
}

/* Listeners belong to sockets, which are gone: so are all embryos. */
void tcp_embryos_fini(struct glass *g)
{
	struct tcp_table *t = g->tcp;

	pool_free(&g->pool, t->embryo_buckets, t->nembryo_buckets * sizeof(struct list));
}

struct tcp_embryo *tcp_embryo_find(struct glass *g, ip4_t laddr, uint16_t lport, ip4_t raddr,
				   uint16_t rport)
{
	if (!g->tcp->nembryos)
		return NULL;
	list_for_each(e, bucket_of(g->tcp, laddr, lport, raddr, rport), struct tcp_embryo, node) {
		if (e->lport == lport && e->rport == rport && e->raddr == raddr &&
		    e->laddr == laddr)
			return e;
	}
	return NULL;
}

struct tcp_embryo *tcp_embryo_next(struct glass *g, uint64_t *cursor)
{
	struct tcp_table *t = g->tcp;
	uint32_t bucket = (uint32_t)(*cursor >> 32), skip = (uint32_t)*cursor, at;

	for (; bucket < t->nembryo_buckets; bucket++, skip = 0) {
		at = 0;
		list_for_each(e, &t->embryo_buckets[bucket], struct tcp_embryo, node) {
			if (at++ == skip) {
				*cursor = (uint64_t)bucket << 32 | (skip + 1);
				return e;
			}
		}
	}
	*cursor = (uint64_t)bucket << 32;
	return NULL;
}

/* ---- ghosts ---------------------------------------------------------------------------------- */

/* The SYN again, as far as it was kept: what tcp_learn_syn() reads. */
static struct tcp_seg syn_of(const struct tcp_embryo *e)
{
	return (struct tcp_seg){
		.seq = e->irs,
		.wnd = e->wnd,
		.flags = (uint8_t)(TCP_SYN | (e->ecn_ok ? TCP_ECE | TCP_CWR : 0)),
		.span = 1,
		.opt = { .mss_ok = e->mss,
			 .mss = e->mss,
			 .wscale_ok = e->wscale_ok,
			 .wscale = e->wscale,
			 .sack_permitted = e->sack_ok,
			 .timestamps = e->ts_ok,
			 .tsval = e->tsval },
	};
}

/* c, fresh from tcp_conn_init(), becomes what e stands for. false: no way back. */
static bool embryo_fill(struct glass *g, const struct tcp_embryo *e, struct tcp_conn *c)
{
	struct tcp_seg syn = syn_of(e);

	c->laddr = e->laddr;
	c->lport = e->lport;
	c->raddr = e->raddr;
	c->rport = e->rport;
	if (ip_route_by(g, c->raddr, c->laddr, c->config.bound, &c->path))
		return false;
	tcp_prepare(g, c, e->iss);
	tcp_learn_syn(g, c, &syn);
	tcp_hatched(c, e->id);
	c->snd.nxt = seq_add(c->snd.iss, 1);
	c->syn_pkt = e->syn_pkt;
	c->fastopen_tell = e->fastopen_tell;
	c->fastopen_exp = e->fastopen_exp;
	return true;
}

/* A segment for the embryo. 0: no way back, or no memory; else the packet's number. */
static uint32_t embryo_send(struct glass *g, const struct tcp_embryo *e, uint8_t flags)
{
	struct tcp_conn ghost = { .id = 0 };
	uint32_t tsval;

	tcp_conn_init(g, &ghost, &e->listener->config);
	if (!embryo_fill(g, e, &ghost))
		return 0;
	ghost.fastopen_of = e->listener;
	tsval = e->is_cookie ? tcp_cookie_tsval(g, e, ghost.ts_offset) : tcp_ts_now(g, &ghost);
	return tcp_send_ghost(g, &ghost, flags, tsval);
}

bool tcp_embryo_answer(struct glass *g, struct tcp_embryo *e)
{
	uint32_t id = embryo_send(g, e, TCP_SYN | TCP_ACK);

	if (!id)
		return false;
	e->sent_ns = now(g);
	if (!e->syn_pkt) {
		e->syn_pkt = id;
		return true;
	}
	e->resent = true;
	stat_inc(g, STAT_TCP_RETRANS_SEGS);
	stat_inc(g, STAT_TCP_SYN_RETRANS);
	EVENT(g, e->id, id, TCP_RTX, TCP_SYN | TCP_ACK, 0, 0, e->syn_pkt, WORD("SYN not answered"));
	return true;
}

/* ---- life ------------------------------------------------------------------------------------ */

static void embryo_arm(struct glass *g, struct tcp_embryo *e)
{
	unsigned shift = e->timeouts < SHIFT_MAX ? e->timeouts : SHIFT_MAX;
	int64_t rto = g->tun.tcp_rto_initial_ms * NS_PER_MS << shift;
	int64_t max = g->tun.tcp_rto_max_ms * NS_PER_MS;

	rto = rto < max ? rto : max;
	timer_arm(&g->timers, &e->timer, now(g) + rto);
	EVENT(g, e->id, 0, TIMER_SET, WORD("retransmission"), (uint64_t)rto, WORD("SYN is out"));
}

/*
 * Is the time over, and is the SYN-ACK to go again? As Linux: while TCP_DEFER_ACCEPT waits for
 * data of a peer that has acknowledged, nothing is sent but one last SYN-ACK, which gives it the
 * chance to come in without data.
 */
static bool embryo_expired(const struct glass *g, const struct tcp_embryo *e, bool *resend)
{
	unsigned defer = e->listener->config.defer_accept;
	bool exhausted = e->timeouts >= g->tun.tcp_synack_retries;

	*resend = !defer || !e->acked || e->timeouts + 1u >= defer;
	return exhausted && (!defer || !e->acked || e->timeouts >= defer);
}

/* The first copy has not even left: another would not help. The time runs all the same. */
static bool waits_for_neighbour(struct glass *g, const struct tcp_embryo *e)
{
	struct ip_path path;

	return !ip_route_by(g, e->raddr, e->laddr, e->listener->config.bound, &path) &&
	       neigh_waited_for(g, path.dev, path.next_hop);
}

static void embryo_fired(struct glass *g, struct timer *t)
{
	struct tcp_embryo *e = container_of(t, struct tcp_embryo, timer);
	uint32_t outer = act_begin(g);
	bool resend;

	EVENT(g, e->id, g->trace.cause, TIMER_FIRED, WORD("retransmission"),
	      (uint64_t)(now(g) - t->deadline_ns));
	stat_inc(g, STAT_TCP_TIMEOUTS);
	if (embryo_expired(g, e, &resend)) {
		tcp_embryo_end(g, e, ETIMEDOUT,
			       WORD("retransmitted in vain: the peer does not answer"));
	} else {
		if (resend && !waits_for_neighbour(g, e))
			tcp_embryo_answer(g, e);
		e->timeouts++;
		embryo_arm(g, e);
	}
	act_end(g, outer);
}

void tcp_embryo_read(struct glass *g, struct tcp_embryo *e, struct tcp_listener *l,
		     const struct tcp_seg *seg)
{
	const struct tcp_options *o = &seg->opt;

	*e = (struct tcp_embryo){
		.listener = l,
		.challenge_ns = INT64_MIN / 2,
		.laddr = seg->dst,
		.raddr = seg->src,
		.lport = seg->dport,
		.rport = seg->sport,
		.irs = seg->seq,
		.id = ++g->tcp->last_id,
		.tsval = o->tsval,
		.wnd = (uint16_t)seg->wnd,
		.mss = o->mss_ok ? (o->mss ? o->mss : 1) : 0,
		.wscale = o->wscale,
		.wscale_ok = o->wscale_ok && g->tun.tcp_window_scaling,
		.sack_ok = o->sack_permitted && g->tun.tcp_sack,
		.ts_ok = o->timestamps && g->tun.tcp_timestamps,
		.ecn_ok = (seg->flags & (TCP_ECE | TCP_CWR)) == (TCP_ECE | TCP_CWR),
	};
	e->iss = seg->tw_iss_ok ? seg->tw_iss : tcp_isn(g, e->laddr, e->lport, e->raddr, e->rport);
}

struct tcp_embryo *tcp_embryo_make(struct glass *g, const struct tcp_embryo *like)
{
	struct tcp_embryo *e = pool_alloc(&g->pool, sizeof(*e));
	struct tcp_table *t = g->tcp;

	if (!e || !timers_reserve(&g->timers, 1)) {
		pool_free(&g->pool, e, sizeof(*e));
		stat_inc(g, STAT_NOMEM);
		return NULL;
	}
	*e = *like;
	timer_init(&e->timer, embryo_fired);
	if (t->nembryos >= t->nembryo_buckets && t->nembryo_buckets < BUCKETS_MAX)
		table_resize(g, t->nembryo_buckets * 2);
	list_append(bucket_of_embryo(t, e), &e->node);
	list_append(&e->listener->embryos, &e->queue);
	e->listener->nembryos++;
	t->nembryos++;
	return e;
}

struct tcp_embryo *tcp_embryo_new(struct glass *g, const struct tcp_embryo *like)
{
	struct tcp_embryo *e = tcp_embryo_make(g, like);

	if (!e)
		return NULL;
	tcp_embryo_answer(g, e);
	embryo_arm(g, e);
	return e;
}

void tcp_embryo_free(struct glass *g, struct tcp_embryo *e)
{
	struct tcp_table *t = g->tcp;

	timer_stop(&g->timers, &e->timer);
	timers_release(&g->timers, 1);
	list_remove(&e->node);
	list_remove(&e->queue);
	e->listener->nembryos--;
	t->nembryos--;
	pool_free(&g->pool, e, sizeof(*e));
	if (t->nembryo_buckets > BUCKETS_MIN && t->nembryos < t->nembryo_buckets / 8)
		table_resize(g, t->nembryo_buckets / 2);
}

void tcp_embryo_end(struct glass *g, struct tcp_embryo *e, int error, uint64_t why)
{
	EVENT(g, e->id, 0, TCP_END, error, why);
	EVENT(g, e->id, 0, TCP_STATE, TCPS_SYN_RECEIVED, TCPS_CLOSED, why);
	stat_inc(g, STAT_TCP_ATTEMPT_FAILS);
	tcp_embryo_free(g, e);
}

/* ---- the third segment ----------------------------------------------------------------------- */

struct tcp_conn *tcp_embryo_conn(struct glass *g, const struct tcp_embryo *e)
{
	struct tcp_conn *c = tcp_new(g, &e->listener->config);

	if (!c)
		return NULL;
	if (!embryo_fill(g, e, c) || tcp_hash(g, c)) {
		tcp_end(g, c, 0, "no way back, or no memory");
		return NULL;
	}
	tcp_window(g, c); /* as the SYN-ACK tells it */
	return c;
}

struct tcp_conn *tcp_embryo_hatch(struct glass *g, struct tcp_embryo *e, const struct tcp_seg *seg)
{
	struct tcp_conn *c = tcp_embryo_conn(g, e);

	if (!c)
		return NULL;
	if (e->resent && !c->ts_ok)
		c->rto_ns = 3 * NS_PER_S; /* RFC 6298 5.7 */
	else if (e->resent)
		tcp_rtt_sample(g, c, (int64_t)(tcp_ts_now(g, c) - seg->opt.tsecr) * NS_PER_MS);
	else if (!e->is_cookie)
		tcp_rtt_sample(g, c, now(g) - e->sent_ns);
	tcp_syn_ack_acked(g, c, seg);
	tcp_accept_queue(g, e->listener, c);
	return c;
}

static void embryo_challenge(struct glass *g, struct tcp_embryo *e, uint8_t flags)
{
	if (now(g) - e->challenge_ns < g->tun.tcp_invalid_ratelimit_ms * NS_PER_MS)
		return;
	e->challenge_ns = now(g);
	if (flags & TCP_SYN) {
		tcp_embryo_answer(g, e);
		return;
	}
	stat_inc(g, STAT_TCP_CHALLENGE_ACKS);
	EVENT(g, e->id, 0, TCP_ACK_WHY, WORD("challenge: an unacceptable segment"));
	embryo_send(g, e, flags);
}

/* First to fourth, as in tcp_input.c: sequence number with PAWS, RST, SYN. */
static enum verdict embryo_check(struct glass *g, struct tcp_embryo *e, struct pkt *p,
				 const struct tcp_seg *seg)
{
	uint32_t rcvbuf = e->listener->config.rcvbuf;
	uint32_t window = rcvbuf < SYN_WINDOW_MAX ? rcvbuf : SYN_WINDOW_MAX;
	struct seq nxt = seq_add(e->irs, 1), edge = seq_add(nxt, window);
	struct seq last = seq_add(seg->seq, seg->span ? seg->span - 1 : 0);

	if (seg->flags & TCP_SYN) {
		bool again = seq_eq(seg->seq, e->irs) && !(seg->flags & TCP_ACK);

		embryo_challenge(g, e, again ? TCP_SYN | TCP_ACK : TCP_ACK);
		if (again) /* our SYN-ACK was lost */
			return drop(g, p, TCP_OLD, 0, seg->len);
		return drop(g, p, TCP_SYN_INVALID, seg->seq.v - e->irs.v, TCPS_SYN_RECEIVED);
	}
	if (e->ts_ok && seg->opt.timestamps && !(seg->flags & TCP_RST) &&
	    (int32_t)(seg->opt.tsval - e->tsval) < 0) {
		embryo_challenge(g, e, TCP_ACK);
		return drop(g, p, TCP_PAWS, seg->opt.tsval, e->tsval);
	}
	if (!seq_in(seg->seq, nxt, edge) && !seq_in(last, nxt, edge)) {
		if (!(seg->flags & TCP_RST))
			embryo_challenge(g, e, TCP_ACK);
		return drop(g, p, TCP_WINDOW, seg->seq.v - e->irs.v, window);
	}
	if (!(seg->flags & TCP_RST))
		return GO_ON;
	if (!seq_eq(seg->seq, nxt)) {
		embryo_challenge(g, e, TCP_ACK);
		return drop(g, p, TCP_RST_INVALID, seg->seq.v - e->irs.v, 1);
	}
	/* MUST-11: the listener goes on. */
	tcp_embryo_end(g, e, ECONNREFUSED, WORD("RST during the handshake"));
	return drop(g, p, TCP_RST, TCPS_SYN_RECEIVED);
}

/* The handshake could be completed: is the program to be told? */
static enum verdict embryo_admit(struct glass *g, struct tcp_embryo *e, struct pkt *p,
				 struct tcp_seg *seg)
{
	struct tcp_listener *l = e->listener;

	if (e->timeouts < l->config.defer_accept && !seg->len && !(seg->flags & TCP_FIN)) {
		e->acked = true;
		stat_inc(g, STAT_TCP_DEFER_ACCEPT_DROP);
		return drop(g, p, TCP_DEFERRED, e->timeouts, l->config.defer_accept);
	}
	if (!tcp_accept_full(l))
		return GO_ON;
	stat_inc(g, STAT_TCP_LISTEN_OVERFLOWS);
	e->acked = true; /* the SYN-ACK goes again: the peer acknowledges once more */
	if (g->tun.tcp_abort_on_overflow) {
		tcp_reply_rst(g, seg);
		tcp_embryo_end(g, e, ECONNREFUSED, WORD("the accept queue is full"));
	}
	return drop(g, p, TCP_BACKLOG, l->naccept, l->backlog);
}

enum verdict tcp_embryo_input(struct glass *g, struct tcp_embryo *e, struct pkt *p,
			      struct tcp_seg *seg)
{
	struct tcp_conn *c;
	enum verdict v;

	ENTER(g, p);
	p->conn = e->id;
	EVENT(g, e->id, p->id, TCP_IN, seg->flags, seg->seq.v - e->irs.v,
	      seg->flags & TCP_ACK ? seg->ack.v - e->iss.v : 0, seg->len,
	      (uint64_t)seg->wnd << (seg->flags & TCP_SYN || !e->wscale_ok ? 0 : e->wscale));
	if ((v = embryo_check(g, e, p, seg)) != GO_ON) /* first to fourth */
		return v;
	if (!(seg->flags & TCP_ACK)) /* fifth */
		return drop(g, p, TCP_NO_ACK, seg->flags);
	if (!seq_eq(seg->ack, seq_add(e->iss, 1))) {
		tcp_reply_rst(g, seg);
		return drop(g, p, TCP_ACK_UNSENT, seg->ack.v - e->iss.v, 1);
	}
	if ((v = embryo_admit(g, e, p, seg)) != GO_ON)
		return v;
	c = tcp_embryo_hatch(g, e, seg);
	if (!c)
		return drop(g, p, NO_MEMORY, sizeof(*c), g->pool.bytes);
	tcp_embryo_free(g, e);
	c->segs_in++;
	return tcp_segment_arrives(g, c, p, seg); /* what else it has: data, FIN */
}
