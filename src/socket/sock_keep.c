/* SPDX-License-Identifier: MIT */
/*
 * A stack as bytes, and a stack of these bytes: docs/adr/0021-takeover.md. Here: sockets, and the
 * order of all. What refers to something comes after it: connections, then sockets that have them,
 * then lists that go through all.
 *
 * Making things again meets limits and moves counters, and is no news: so limits are off meanwhile,
 * counters come last, and the recorder hears nothing.
 *
 * In: the owner of the stack.  Out: the keep_*.c files of src/stack.
 */
#include "sock.h"

#include "../stack/keep.h"

/* ---- sockets --------------------------------------------------------------------------------- */

enum conn_where { CONN_NONE, CONN_IN_TABLE, CONN_ENDED };

/* How a socket's record says what else belongs to it. */
struct sock_ties {
	uint32_t conn; /* its number */
	uint8_t where; /* enum conn_where */
	uint8_t raw;   /* protocol of a raw socket */
	bool started;
};

static void sock_fields(struct save *s, struct glass_sock *sock, struct sock_ties *t)
{
	SAVE(s, sock->number);
	SAVE(s, sock->proto);
	SAVE(s, t->conn);
	SAVE(s, t->where);
	SAVE(s, t->raw);
	SAVE_FLAG(s, t->started);
}

static void start_keep(struct save *s, struct glass *g, struct glass_sock *sock)
{
	struct tcp_fastopen_keys *keys = tcp_fastopen_keys_find(g, sock), *had = keys;

	if (save_begin(s, "start")) {
		tcp_bind_keep(s, g, &sock->start->bind);
		tcp_config_keep(s, &sock->start->config);
		save_end(s);
	}
	if (sock->listener)
		return; /* they are its own */
	tcp_fastopen_own_keep(s, g, &keys);
	if (!keys || had)
		return;
	keys->owner = sock;
	list_append(&g->tcp->fastopen_own, &keys->node);
}

static void sock_write(struct save *s, struct glass *g, struct glass_sock *sock)
{
	struct sock_ties t = { .started = sock->start };

	if (sock->conn) {
		t.conn = sock->conn->id;
		t.where = sock->conn->hashed ? CONN_IN_TABLE : CONN_ENDED;
	}
	if (sock->proto == GLASS_RAW)
		t.raw = sock->udp->proto;
	save_begin(s, "socket");
	sock_fields(s, sock, &t);
	save_end(s);
	if (sock->start)
		start_keep(s, g, sock);
	if (t.where == CONN_ENDED)
		tcp_keep_ended(s, g, sock->conn);
	if (sock->listener)
		tcp_listener_keep(s, g, sock->listener);
	if (sock->udp)
		udp_keep(s, g, sock->udp);
}

static bool proto_known(uint8_t proto)
{
	return proto == GLASS_TCP || proto == GLASS_UDP || proto == GLASS_PING ||
	       proto == GLASS_RAW;
}

static void conn_read(struct save *s, struct glass *g, struct glass_sock *sock,
		      const struct sock_ties *t)
{
	struct tcp_conn *c =
		t->where == CONN_ENDED ? tcp_keep_ended(s, g, NULL) : tcp_find_id(g, t->conn);

	if (!save_check(s, c && !c->waker.sock, "a socket's connection is damaged"))
		return;
	sock->conn = c;
	c->waker.sock = sock;
}

static void tcp_read(struct save *s, struct glass *g, struct glass_sock *sock,
		     const struct sock_ties *t)
{
	if (t->where != CONN_NONE)
		conn_read(s, g, sock, t);
	sock->listener = tcp_listener_keep(s, g, NULL);
	if (sock->listener)
		sock->listener->waker.sock = sock;
	save_check(s, sock->start || sock->conn, "a socket is damaged");
}

static void dgram_read(struct save *s, struct glass *g, struct glass_sock *sock,
		       const struct sock_ties *t)
{
	int err = sock->proto == GLASS_RAW ? sock_raw_open(g, sock, t->raw)
					   : sock_dgram_open(g, sock);

	if (save_check(s, !err, "out of memory"))
		udp_keep(s, g, sock->udp);
}

/* The next socket with all that belongs to it. */
static void sock_read(struct save *s, struct glass *g)
{
	struct glass_sock read = { 0 }, *sock;
	struct sock_ties t = { 0 };

	sock_fields(s, &read, &t);
	save_end(s);
	sock = save_check(s, proto_known(read.proto), "a socket is damaged")
		       ? sock_new(g, (enum glass_proto)read.proto)
		       : NULL;
	if (!save_check(s, sock, "out of memory"))
		return;
	sock->number = read.number;
	if (t.started && save_check(s, sock_start(g, sock), "out of memory"))
		start_keep(s, g, sock);
	if (sock->proto == GLASS_TCP)
		tcp_read(s, g, sock, &t);
	else
		dgram_read(s, g, sock, &t);
}

static void socks_keep(struct save *s, struct glass *g)
{
	while (save_reading(s) && save_begin(s, "socket"))
		sock_read(s, g);
	if (save_reading(s))
		return;
	list_for_each(sock, &g->socks, struct glass_sock, node)
		sock_write(s, g, sock);
}

/* ---- what is on its way ---------------------------------------------------------------------- */

static struct waker *waker_of(struct glass_sock *sock)
{
	return sock->udp	? &sock->udp->waker
	       : sock->listener ? &sock->listener->waker
	       : sock->conn	? &sock->conn->waker
				: NULL;
}

/* News for sockets, in order. Few: the owner takes all of it each time. */
static void news_keep(struct save *s, struct glass *g)
{
	uint32_t number = 0;

	while (save_reading(s) && save_begin(s, "news")) {
		SAVE(s, number);
		save_end(s);
		list_for_each(sock, &g->socks, struct glass_sock, node)
			if (sock->number == number && waker_of(sock))
				wake(g, waker_of(sock));
	}
	if (save_reading(s))
		return;
	list_for_each(w, &g->wakes, struct waker, node) {
		number = ((struct glass_sock *)w->sock)->number;
		save_begin(s, "news");
		SAVE(s, number);
		save_end(s);
	}
}

static void owing_keep(struct save *s, struct glass *g)
{
	struct tcp_conn *c;
	uint32_t id = 0;

	while (save_reading(s) && save_begin(s, "owes")) {
		SAVE(s, id);
		save_end(s);
		c = tcp_find_id(g, id);
		if (save_check(s, c && list_empty(&c->pending), "what is owed is damaged"))
			list_append(&g->tcp->pending, &c->pending);
	}
	if (save_reading(s))
		return;
	list_for_each(o, &g->tcp->pending, struct tcp_conn, pending) {
		save_begin(s, "owes");
		SAVE_AS(s, "id", o->id);
		save_end(s);
	}
}

static uint32_t length_of(const struct list *l)
{
	uint32_t n = 0;

	for (const struct list *at = l->next; at != l; at = at->next)
		n++;
	return n;
}

static void under_way_keep(struct save *s, struct glass *g)
{
	owing_keep(s, g);
	keep_packets(s, g, &g->outq, "frame", true);
	keep_packets(s, g, &g->loopq, "looped", true);
	g->outq_len = length_of(&g->outq);
	g->loopq_len = length_of(&g->loopq);
	news_keep(s, g);
}

/* ---- all of it ------------------------------------------------------------------------------- */

static void keep_all(struct save *s, struct glass *g)
{
	stack_keep(s, g);
	neigh_keep(s, g);
	frag_keep(s, g);
	group_keep(s, g);
	tcp_keep(s, g);
	socks_keep(s, g);
	under_way_keep(s, g);
	tcp_keep_rest(s, g);
	stack_keep_rest(s, g);
	save_check(s, save_over(s), "the state has something that this Glass does not know");
}

int glass_save(struct glass *g, glass_sink *put, void *arg)
{
	struct save *s = save_writer(put, arg);
	int err;

	if (!s)
		return -ENOMEM;
	keep_all(s, g);
	err = save_finish(s);
	if (!err && save_fault(s))
		err = -ENOMEM;
	save_free(s);
	return err;
}

/* Limits are for those who come from outside. */
static void limits_off(struct glass *g)
{
	g->pool.bytes_max = UINT64_MAX / 16;
	g->tun.sock_max = g->tun.arp_cache_max = g->tun.igmp_groups_max = INT32_MAX;
}

static const char *restore(struct glass *g, struct save *s)
{
	struct glass_ring *ring = g->trace.ring;

	g->trace.ring = NULL;
	limits_off(g);
	g->ndev = g->naddr = g->nroute = 0;
	keep_all(s, g);
	g->pool.bytes_max = (uint64_t)g->tun.mem_max_mb << 20;
	g->trace.ring = ring;
	return save_fault(s);
}

struct glass *glass_restore(const struct glass_setup *setup, const void *bytes, size_t length,
			    const char **why)
{
	struct save *s = save_reader(bytes, length);
	struct glass *g = s ? stack_new(setup) : NULL;

	*why = g ? restore(g, s) : "out of memory";
	save_free(s);
	if (!*why)
		return g;
	glass_free(g);
	return NULL;
}

uint32_t glass_sock_number(const struct glass_sock *s)
{
	return s->number;
}

struct glass_sock *glass_sock_next(struct glass *g, struct glass_sock *s)
{
	struct list *next = s ? s->node.next : g->socks.next;

	return next == &g->socks ? NULL : container_of(next, struct glass_sock, node);
}
