/* SPDX-License-Identifier: MIT */
/*
 * The passive open: a SYN meets a listener (RFC 9293 3.10.7.2) and becomes an embryo, a
 * connection in SYN-RECEIVED; the third segment of the handshake promotes it to the accept queue.
 *
 * In: tcp_input (SYN), tcp_check_ack (promotion).  Out: tcp_send_syn, the socket layer.
 */
#include "tcp.h"

/* Two may listen on one port when their addresses differ or both said SO_REUSEPORT. */
static bool somebody_listens(const struct tcp_bind *claim)
{
	list_for_each(b, &claim->port->binds, struct tcp_bind, node) {
		if (b != claim && b->listening && !(b->reuse_port && claim->reuse_port) &&
		    (!b->addr || !claim->addr || b->addr == claim->addr))
			return true;
	}
	return false;
}

int tcp_listen(struct glass *g, struct tcp_bind *claim, const struct tcp_config *config,
	       struct tcp_listener **out)
{
	struct tcp_listener *l;

	if (somebody_listens(claim))
		return -EADDRINUSE;
	l = pool_alloc(&g->pool, sizeof(*l));
	if (!l) {
		stat_inc(g, STAT_NOMEM);
		return -ENOBUFS;
	}
	list_init(&l->waker.node);
	list_init(&l->accept);
	list_init(&l->embryos);
	l->config = *config;
	l->bind = *claim;
	l->bind.listening = true;
	list_init(&l->bind.node);
	list_insert_before(&claim->node, &l->bind.node);
	list_remove(&claim->node);
	claim->port = NULL;
	*out = l;
	return 0;
}

/* Linux too resets what nobody has accepted, and forgets the embryos. */
void tcp_listener_free(struct glass *g, struct tcp_listener *l)
{
	while (!list_empty(&l->accept))
		tcp_abort(g, list_first(&l->accept, struct tcp_conn, queue), ECONNABORTED);
	while (!list_empty(&l->embryos))
		tcp_abort(g, list_first(&l->embryos, struct tcp_conn, queue), ECONNABORTED);
	tcp_unbind(g, &l->bind);
	list_remove(&l->waker.node);
	pool_free(&g->pool, l, sizeof(*l));
}

/* A connection out of a SYN. NULL: no memory, or no way back. */
static struct tcp_conn *embryo_new(struct glass *g, struct tcp_listener *l,
				   const struct tcp_seg *seg)
{
	struct tcp_conn *c = tcp_new(g, &l->config);

	if (!c)
		return NULL;
	c->laddr = seg->dst;
	c->lport = seg->dport;
	c->raddr = seg->src;
	c->rport = seg->sport;
	c->ts_ok = g->tun.tcp_timestamps;
	c->sack_ok = g->tun.tcp_sack;
	c->wscale_ok = g->tun.tcp_window_scaling;
	if (ip_route(g, c->raddr, c->laddr, &c->path) || tcp_hash(g, c)) {
		tcp_end(g, c, 0, "no way back, or no memory");
		return NULL;
	}
	tcp_learn_syn(g, c, seg);
	c->listener = l;
	list_append(&l->embryos, &c->queue);
	l->nembryos++;
	return c;
}

enum verdict tcp_listen_input(struct glass *g, struct tcp_listener *l, struct pkt *p,
			      struct tcp_seg *seg)
{
	struct tcp_conn *c;

	ENTER(g, p);
	EVENT(g, 0, p->id, TCP_IN, seg->flags, 0, seg->flags & TCP_ACK ? seg->ack.v : 0, seg->len,
	      seg->wnd);
	if (seg->flags & TCP_RST) /* first */
		return drop(g, p, TCP_LISTEN_FLAGS, seg->flags);
	if (seg->flags & TCP_ACK) { /* second */
		tcp_reply_rst(g, seg);
		return drop(g, p, TCP_LISTEN_FLAGS, seg->flags);
	}
	if (!(seg->flags & TCP_SYN) ||
	    (seg->flags & TCP_FIN)) /* fourth; SYN+FIN opens nothing, as on Linux */
		return drop(g, p, TCP_LISTEN_FLAGS, seg->flags);
	if (l->naccept > l->backlog || l->nembryos >= (uint32_t)g->tun.tcp_max_syn_backlog) {
		stat_inc(g, STAT_TCP_LISTEN_OVERFLOWS);
		return drop(g, p, TCP_BACKLOG, l->naccept + l->nembryos, l->backlog);
	}
	c = embryo_new(g, l, seg); /* third */
	if (!c)
		return drop(g, p, NO_MEMORY, sizeof(*c), g->pool.bytes);
	p->conn = c->id;
	stat_inc(g, STAT_TCP_PASSIVE_OPENS);
	EVENT(g, c->id, p->id, TCP_OPEN, trace_end4(c->laddr, c->lport),
	      trace_end4(c->raddr, c->rport), WORD("passive"));
	tcp_set_state(g, c, TCPS_SYN_RECEIVED, "SYN to a listener");
	tcp_send_syn(g, c);
	return accept_packet(
		g, p); /* data on a SYN is not kept: the peer sends it again (RFC 9293 3.10.7.2) */
}

bool tcp_promote(struct glass *g, struct tcp_conn *c)
{
	struct tcp_listener *l = c->listener;

	if (!l)
		return true; /* a simultaneous open has none */
	if (l->naccept > l->backlog)
		return false;
	l->nembryos--;
	list_remove(&c->queue);
	list_append(&l->accept, &c->queue);
	l->naccept++;
	EVENT(g, c->id, 0, ACCEPT_QUEUE, l->naccept, l->backlog);
	wake(g, &l->waker);
	return true;
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
