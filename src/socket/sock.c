/* SPDX-License-Identifier: MIT */
/*
 * Sockets: their life, and the doors of glass.h that serve every protocol. What differs is in
 * sock_tcp.c and sock_dgram.c.
 *
 * In: the owner of the stack.  Out: sock_tcp.c, sock_dgram.c.
 */
#include "sock.h"

/* ---- life of the stack, sockets included ----------------------------------------------------- */

struct glass *glass_new(const struct glass_setup *setup)
{
	return stack_new(setup);
}

void glass_free(struct glass *g)
{
	if (!g)
		return;
	while (!list_empty(&g->socks))
		glass_abort(g, list_first(&g->socks, struct glass_sock, node));
	stack_free(g);
}

/* ---- life of a socket ------------------------------------------------------------------------ */

struct glass_sock *sock_new(struct glass *g, enum glass_proto proto)
{
	struct glass_sock *s;

	if (g->nsocks >= (uint32_t)g->tun.sock_max)
		return NULL;
	s = pool_alloc(&g->pool, sizeof(*s));
	if (!s) {
		stat_inc(g, STAT_NOMEM);
		return NULL;
	}
	s->g = g;
	s->proto = (uint8_t)proto;
	s->number = ++g->last_sock;
	list_append(&g->socks, &s->node);
	g->nsocks++;
	return s;
}

bool sock_start(struct glass *g, struct glass_sock *s)
{
	if (s->start)
		return true;
	s->start = pool_alloc(&g->pool, sizeof(*s->start));
	if (!s->start) {
		stat_inc(g, STAT_NOMEM);
		return false;
	}
	if (s->conn)
		s->start->config = s->conn->config;
	else
		tcp_config_init(g, &s->start->config);
	list_init(&s->start->bind.node);
	return true;
}

static struct glass_sock *sock_new_started(struct glass *g, enum glass_proto proto)
{
	struct glass_sock *s = sock_new(g, proto);

	if (!s || sock_start(g, s))
		return s;
	sock_free(g, s);
	return NULL;
}

void sock_free(struct glass *g, struct glass_sock *s)
{
	pool_free(&g->pool, s->start, sizeof(*s->start));
	list_remove(&s->node);
	g->nsocks--;
	pool_free(&g->pool, s, sizeof(*s));
}

struct glass_sock *glass_socket(struct glass *g, enum glass_proto proto)
{
	struct glass_sock *s = sock_new_started(g, proto);

	if (!s || proto == GLASS_TCP)
		return s;
	if (!sock_dgram_open(g, s))
		return s;
	sock_free(g, s);
	return NULL;
}

struct glass_sock *glass_socket_raw(struct glass *g, uint8_t protocol)
{
	struct glass_sock *s = protocol ? sock_new_started(g, GLASS_RAW) : NULL;

	if (!s || !sock_raw_open(g, s, protocol))
		return s;
	sock_free(g, s);
	return NULL;
}

void glass_sock_set_user(struct glass_sock *s, void *user)
{
	s->user = user;
}

void glass_sock_set_owner(struct glass_sock *s, uint32_t owner)
{
	if (s->udp)
		s->udp->owner = owner;
	else if (s->start)
		s->start->bind.owner = owner;
}

void *glass_sock_user(const struct glass_sock *s)
{
	return s->user;
}

static void sock_close(struct glass *g, struct glass_sock *s, bool abort)
{
	if (s->proto == GLASS_TCP)
		sock_tcp_close(g, s, abort);
	else
		sock_dgram_close(g, s);
	sock_free(g, s);
	stack_end_act(g);
}

void glass_close(struct glass *g, struct glass_sock *s)
{
	SOCK_CALL(g, s, "close", 0);
	(void)outer;
	sock_close(g, s, false);
}

void glass_abort(struct glass *g, struct glass_sock *s)
{
	SOCK_CALL(g, s, "abort", 0);
	(void)outer;
	sock_close(g, s, true);
}

bool glass_closing(struct glass *g, uint32_t conn)
{
	const struct tcp_conn *c = tcp_find_id(g, conn);

	return c && c->fin_queued && c->state != TCPS_FIN_WAIT_2 && c->state != TCPS_TIME_WAIT &&
	       c->state != TCPS_CLOSED;
}

/* ---- calls ----------------------------------------------------------------------------------- */

int64_t sock_call_end(struct glass *g, const struct glass_sock *s, uint32_t outer, uint64_t name,
		      int64_t result)
{
	EVENT(g, sock_conn_id(s), g->trace.cause, RESULT, name, (uint64_t)result);
	act_end(g, outer);
	return result;
}

int sock_end_read(const struct glass_end *end, ip4_t *addr, uint16_t *port)
{
	if (end->addr.family != GLASS_IP4 && end->addr.family != GLASS_UNSPEC)
		return -EAFNOSUPPORT;
	*addr = end->addr.family == GLASS_IP4 ? ip4_of_addr(&end->addr) : 0;
	*port = end->port;
	return 0;
}

int glass_bind(struct glass *g, struct glass_sock *s, const struct glass_end *local)
{
	SOCK_CALL(g, s, "bind", local->port);
	ip4_t addr;
	uint16_t port;
	int err = sock_end_read(local, &addr, &port);

	if (!err)
		err = s->proto == GLASS_TCP ? sock_tcp_bind(g, s, addr, port)
					    : sock_dgram_bind(g, s, addr, port);
	return (int)sock_call_end(g, s, outer, WORD("bind"), err);
}

int glass_connect(struct glass *g, struct glass_sock *s, const struct glass_end *remote)
{
	SOCK_CALL(g, s, "connect", remote->port);
	ip4_t addr;
	uint16_t port;
	int err = sock_end_read(remote, &addr, &port);

	if (!err)
		err = s->proto == GLASS_TCP ? sock_tcp_connect(g, s, addr, port, false)
					    : sock_dgram_connect(g, s, addr, port);
	return (int)sock_call_end(g, s, outer, WORD("connect"), err);
}

int glass_shutdown(struct glass *g, struct glass_sock *s, enum glass_how how)
{
	SOCK_CALL(g, s, "shutdown", how);
	int err = s->proto == GLASS_TCP ? sock_tcp_shutdown(g, s, how) : -EOPNOTSUPP;

	return (int)sock_call_end(g, s, outer, WORD("shutdown"), err);
}

unsigned glass_ready(struct glass *g, struct glass_sock *s)
{
	(void)g;
	return s->proto == GLASS_TCP ? sock_tcp_ready(s) : sock_dgram_ready(s);
}

int glass_error(struct glass *g, struct glass_sock *s)
{
	(void)g;
	return s->proto == GLASS_TCP ? sock_tcp_error(s) : sock_dgram_error(s);
}

int glass_local(const struct glass_sock *s, struct glass_end *out)
{
	if (s->udp)
		*out = sock_end(s->udp->local, s->udp->lport);
	else if (s->conn)
		*out = sock_end(s->conn->laddr, s->conn->lport);
	else if (s->listener)
		*out = sock_end(s->listener->bind.addr, s->listener->bind.port->port);
	else
		*out = sock_end(s->start->bind.addr,
				s->start->bind.port ? s->start->bind.port->port : 0);
	return 0;
}

int glass_remote(const struct glass_sock *s, struct glass_end *out)
{
	if (s->udp && s->udp->remote)
		*out = sock_end(s->udp->remote, s->udp->rport);
	else if (s->conn && s->conn->connected_once)
		*out = sock_end(s->conn->raddr, s->conn->rport);
	else
		return -ENOTCONN;
	return 0;
}

bool glass_event(struct glass *g, struct glass_event *event)
{
	struct list *node = list_take(&g->wakes);
	struct glass_sock *s;

	if (!node)
		return false;
	s = container_of(node, struct waker, node)->sock;
	*event = (struct glass_event){ .sock = s, .user = s->user, .ready = glass_ready(g, s) };
	/*
	 * The window may have shrunk since the wake: who was not told of room is told when there
	 * is some.
	 */
	if (s->conn && !(event->ready & GLASS_OUT))
		s->conn->want_out = true;
	return true;
}
