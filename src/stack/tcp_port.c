/* SPDX-License-Identifier: MIT */
/*
 * Local ports: who has claimed which, and choosing one that nobody can predict (RFC 6056).
 *
 * In: the socket layer, tcp_connect.  Out: nothing.
 */
#include "tcp.h"

#include <assert.h>

struct tcp_port *tcp_port_find(struct glass *g, uint16_t port)
{
	list_for_each(t, &g->tcp->ports[port % TCP_PORT_BUCKETS], struct tcp_port, node) {
		if (t->port == port)
			return t;
	}
	return NULL;
}

struct tcp_port *tcp_port_get(struct glass *g, uint16_t port)
{
	struct tcp_port *t = tcp_port_find(g, port);

	if (t)
		return t;
	t = pool_alloc(&g->pool, sizeof(*t));
	if (!t) {
		stat_inc(g, STAT_NOMEM);
		return NULL;
	}
	t->port = port;
	list_init(&t->binds);
	list_prepend(&g->tcp->ports[port % TCP_PORT_BUCKETS], &t->node);
	return t;
}

void tcp_port_put(struct glass *g, struct tcp_port *t)
{
	if (t->conns || !list_empty(&t->binds))
		return;
	list_remove(&t->node);
	pool_free(&g->pool, t, sizeof(*t));
}

/* Two claims on a port get along when they never meet, or both say so (as Linux decides it). */
static bool binds_conflict(const struct tcp_bind *a, const struct tcp_bind *b, ip4_t b_addr)
{
	if (!tcp_bind_meets(a, b, b_addr) || tcp_bind_shares(a, b))
		return false;
	return !(a->reuse_addr && b->reuse_addr && !a->listening && !b->listening);
}

static bool port_free_for(struct tcp_port *t, const struct tcp_bind *b, ip4_t addr)
{
	if (!t)
		return true;
	list_for_each(other, &t->binds, struct tcp_bind, node) {
		if (other != b && binds_conflict(other, b, addr))
			return false;
	}
	return !t->conns || b->reuse_addr || b->reuse_port || !list_empty(&t->binds);
}

static uint16_t port_candidate(struct glass *g, uint32_t start, uint32_t i)
{
	uint32_t first = (uint32_t)g->tun.ip_port_first, last = (uint32_t)g->tun.ip_port_last;

	return (uint16_t)(last > first ? first + (start + i) % (last - first + 1) : first);
}

static uint32_t port_range(const struct glass *g)
{
	return g->tun.ip_port_last > g->tun.ip_port_first
		       ? (uint32_t)(g->tun.ip_port_last - g->tun.ip_port_first + 1)
		       : 1;
}

int tcp_bind(struct glass *g, struct tcp_bind *b, ip4_t addr, uint16_t port)
{
	uint32_t range = port_range(g), start = rng_below(&g->rng, range);
	struct tcp_port *t;

	assert(!b->port);
	if (addr && !ip_is_local(g, addr))
		return -EADDRNOTAVAIL;
	for (uint32_t i = 0; !port && i < range; i++) {
		t = tcp_port_find(g, port_candidate(g, start, i));
		if (!t)
			port = port_candidate(g, start, i);
	}
	if (!port || !port_free_for(tcp_port_find(g, port), b, addr))
		return -EADDRINUSE;
	t = tcp_port_get(g, port);
	if (!t)
		return -ENOBUFS;
	b->port = t;
	b->addr = addr;
	list_append(&t->binds, &b->node);
	return 0;
}

void tcp_unbind(struct glass *g, struct tcp_bind *b)
{
	struct tcp_port *t = b->port;

	if (!t)
		return;
	list_remove(&b->node);
	b->port = NULL;
	b->listening = false;
	tcp_port_put(g, t);
}

/*
 * RFC 6191: our own connect may take over addresses in TIME-WAIT, when timestamps keep the old
 * connection's segments out and it has rested for a while.
 */
static bool time_wait_reusable(const struct glass *g, const struct tcp_conn *c)
{
	return c->state == TCPS_TIME_WAIT && c->ts_ok && g->tun.tcp_timestamps &&
	       now(g) - c->ts_recent_ns >= g->tun.tcp_tw_reuse_ms * NS_PER_MS;
}

/* RFC 6056 3.3.1: a random start, then upwards until the four addresses are free. */
int tcp_choose_port(struct glass *g, struct tcp_conn *c)
{
	uint32_t range = port_range(g), start = rng_below(&g->rng, range);
	struct tcp_conn *old;
	struct tcp_port *t;

	for (uint32_t i = 0; i < range; i++) {
		uint16_t port = port_candidate(g, start, i);

		t = tcp_port_find(g, port);
		if (t && !list_empty(&t->binds))
			continue;
		old = tcp_find(g, c->laddr, port, c->raddr, c->rport);
		if (old && !time_wait_reusable(g, old))
			continue;
		if (old)
			tcp_take_over(g, c, old);
		c->lport = port;
		return 0;
	}
	return -EADDRNOTAVAIL;
}
