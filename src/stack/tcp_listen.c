/* SPDX-License-Identifier: MIT */
/*
 * The passive open: a SYN meets a listener (RFC 9293 3.10.7.2) and becomes an embryo, or, when
 * there are too many of these, is answered with a cookie (RFC 4987). The third segment of the
 * handshake makes a connection of either, which waits in the accept queue.
 *
 * In: tcp_input, the socket layer.  Out: tcp_embryo.c, tcp_cookie.c, tcp_fastopen.c, the socket
 * layer.
 */
#include "tcp.h"
#include "tcp_input.h"
#include "tcp_listen.h"
#include "tcp_output.h"

/* Two may listen on one port when their addresses or devices differ, or they share it. */
static bool somebody_listens(const struct tcp_bind *claim)
{
	list_for_each(b, &claim->port->binds, struct tcp_bind, node) {
		if (b != claim && b->listening && !tcp_bind_shares(b, claim) &&
		    tcp_bind_meets(b, claim, claim->addr))
			return true;
	}
	return false;
}

struct tcp_listener *tcp_listener_new(struct glass *g)
{
	struct tcp_listener *l = pool_alloc(&g->pool, sizeof(*l));

	if (!l) {
		stat_inc(g, STAT_NOMEM);
		return NULL;
	}
	list_init(&l->waker.node);
	list_init(&l->accept);
	list_init(&l->embryos);
	list_init(&l->bind.node);
	return l;
}

int tcp_listen(struct glass *g, struct tcp_bind *claim, const struct tcp_config *config,
	       struct tcp_listener **out)
{
	struct tcp_listener *l;

	if (somebody_listens(claim))
		return -EADDRINUSE;
	l = tcp_listener_new(g);
	if (!l)
		return -ENOBUFS;
	l->config = *config;
	l->bind = *claim;
	l->bind.listening = true;
	l->bind.number = ++g->tcp->last_listener;
	list_init(&l->bind.node);
	list_insert_before(&claim->node, &l->bind.node);
	list_remove(&claim->node);
	claim->port = NULL;
	*out = l;
	return 0;
}

/* As Linux: what nobody has accepted is reset, the embryos are forgotten. */
void tcp_listener_free(struct glass *g, struct tcp_listener *l)
{
	struct tcp_conn *c;

	while ((c = tcp_accept(g, l))) {
		if (c->state == TCPS_CLOSED)
			tcp_free(g, c);
		else
			tcp_abort(g, c, ECONNABORTED);
	}
	while (!list_empty(&l->embryos))
		tcp_embryo_free(g, list_first(&l->embryos, struct tcp_embryo, queue));
	tcp_fastopen_listener_gone(g, l);
	tcp_unbind(g, &l->bind);
	list_remove(&l->waker.node);
	tcp_fastopen_keys_free(g, l->fastopen_keys);
	pool_free(&g->pool, l, sizeof(*l));
}

/* As Linux: the backlog is the limit of both queues. */
static bool syn_queue_full(const struct glass *g, const struct tcp_listener *l)
{
	return l->nembryos > l->backlog || l->nembryos >= (uint32_t)g->tun.tcp_max_syn_backlog;
}

/* The SYN opens something: the record of it. */
static void opened(struct glass *g, const struct tcp_embryo *e, struct pkt *p, uint64_t how)
{
	p->conn = e->id;
	EVENT(g, e->id, p->id, TCP_OPEN, trace_end4(e->laddr, e->lport),
	      trace_end4(e->raddr, e->rport), how);
	EVENT(g, e->id, p->id, TCP_STATE, TCPS_CLOSED, TCPS_SYN_RECEIVED,
	      WORD("SYN to a listener"));
}

/* A SYN-ACK that remembers for us. */
static enum verdict answer_by_cookie(struct glass *g, struct tcp_listener *l, struct pkt *p,
				     struct tcp_embryo *e)
{
	if (!g->tun.tcp_syncookies) {
		stat_inc(g, STAT_TCP_REQQ_FULL_DROP);
		stat_inc(g, STAT_TCP_LISTEN_DROPS);
		return drop(g, p, TCP_SYN_QUEUE, l->nembryos, l->backlog);
	}
	if (g->tun.tcp_syncookies == 1)
		stat_inc(g, STAT_TCP_REQQ_FULL_COOKIES);
	tcp_cookie_make(g, e);
	stat_inc(g, STAT_SYNCOOKIES_SENT);
	p->conn = e->id;
	EVENT(g, e->id, p->id, SYN_COOKIE, WORD("sent"), e->mss, l->nembryos);
	tcp_embryo_answer(g, e);
	return accept_packet(g, p);
}

/*
 * Third: a SYN. Its data is not kept, unless a fast-open cookie speaks for it: the peer sends it
 * again (RFC 9293 3.10.7.2).
 */
static enum verdict syn_input(struct glass *g, struct tcp_listener *l, struct pkt *p,
			      struct tcp_seg *seg)
{
	struct tcp_embryo read, *e;

	if (tcp_accept_full(l)) {
		stat_inc(g, STAT_TCP_LISTEN_OVERFLOWS);
		stat_inc(g, STAT_TCP_LISTEN_DROPS);
		return drop(g, p, TCP_BACKLOG, l->naccept, l->backlog);
	}
	tcp_embryo_read(g, &read, l, seg);
	/* Who comes out of TIME-WAIT is real, and needs a number beyond the old one's: no cookie.
	 */
	if (!seg->tw_iss_ok && (g->tun.tcp_syncookies == 2 || syn_queue_full(g, l)))
		return answer_by_cookie(g, l, p, &read);
	if (tcp_fastopen_check(g, l, seg, &read)) {
		opened(g, &read, p, WORD("passive, fast open"));
		return tcp_fastopen_open(g, &read, p, seg);
	}
	opened(g, &read, p, WORD("passive"));
	e = tcp_embryo_new(g, &read);
	if (!e) {
		stat_inc(g, STAT_TCP_LISTEN_DROPS);
		return drop(g, p, NO_MEMORY, sizeof(*e), g->pool.bytes);
	}
	stat_inc(g, STAT_TCP_PASSIVE_OPENS);
	return accept_packet(g, p);
}

/*
 * Second: an ACK. That of a cookie opens a connection; when the accept queue is full it is as if
 * it had been lost, and the peer's next segment tries again.
 */
static enum verdict ack_input(struct glass *g, struct tcp_listener *l, struct pkt *p,
			      struct tcp_seg *seg)
{
	bool expected = !(seg->flags & TCP_SYN) && tcp_cookie_expected(g, l);
	struct tcp_embryo e;
	struct tcp_conn *c;

	if (!expected || !tcp_cookie_check(g, l, seg, &e)) {
		if (expected)
			stat_inc(g, STAT_SYNCOOKIES_FAILED);
		tcp_reply_rst(g, seg);
		return drop(g, p, TCP_LISTEN_FLAGS, seg->flags);
	}
	stat_inc(g, STAT_SYNCOOKIES_RECV);
	if (tcp_accept_full(l)) {
		stat_inc(g, STAT_TCP_LISTEN_OVERFLOWS);
		return drop(g, p, TCP_BACKLOG, l->naccept, l->backlog);
	}
	e.id = ++g->tcp->last_id;
	EVENT(g, e.id, p->id, SYN_COOKIE, WORD("came back"), e.mss, l->nembryos);
	opened(g, &e, p, WORD("passive, by cookie"));
	c = tcp_embryo_hatch(g, &e, seg);
	if (!c)
		return drop(g, p, NO_MEMORY, sizeof(*c), g->pool.bytes);
	stat_inc(g, STAT_TCP_PASSIVE_OPENS);
	c->segs_in++;
	return tcp_segment_arrives(g, c, p, seg);
}

enum verdict tcp_listen_input(struct glass *g, struct tcp_listener *l, struct pkt *p,
			      struct tcp_seg *seg)
{
	ENTER(g, p);
	EVENT(g, 0, p->id, TCP_IN, seg->flags, 0, seg->flags & TCP_ACK ? seg->ack.v : 0, seg->len,
	      seg->wnd);
	if (seg->flags & TCP_RST) /* first */
		return drop(g, p, TCP_LISTEN_FLAGS, seg->flags);
	if (seg->flags & TCP_ACK)
		return ack_input(g, l, p, seg);
	if (!(seg->flags & TCP_SYN) ||
	    (seg->flags & TCP_FIN)) /* fourth; SYN+FIN opens nothing, as on Linux */
		return drop(g, p, TCP_LISTEN_FLAGS, seg->flags);
	return syn_input(g, l, p, seg);
}

/* ---- accept queue ---------------------------------------------------------------------------- */

void tcp_accept_queue(struct glass *g, struct tcp_listener *l, struct tcp_conn *c)
{
	c->listener = l;
	list_append(&l->accept, &c->queue);
	l->naccept++;
	EVENT(g, c->id, 0, ACCEPT_QUEUE, l->naccept, l->backlog);
	wake(g, &l->waker);
}

struct tcp_conn *tcp_accept(struct glass *g, struct tcp_listener *l)
{
	struct list *node = list_take(&l->accept);
	struct tcp_conn *c;

	(void)g;
	if (!node)
		return NULL;
	c = container_of(node, struct tcp_conn, queue);
	l->naccept--;
	c->listener = NULL;
	return c;
}
