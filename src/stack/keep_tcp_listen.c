/* SPDX-License-Identifier: MIT */
/*
 * Listeners: their claim on a port, what is half open, what waits to be accepted.
 *
 * In: src/socket/sock_keep.c.  Out: save.h, tcp_embryo.c, tcp_port.c.
 */
#include "keep.h"
#include "tcp.h"
#include "tcp_listen.h"

/* ---- ports ----------------------------------------------------------------------------------- */

void tcp_bind_keep(struct save *s, struct glass *g, struct tcp_bind *b)
{
	uint16_t port = b->port ? b->port->port : 0;

	SAVE(s, port);
	SAVE_AS(s, "bound", b->addr);
	SAVE_FLAG(s, b->reuse_addr);
	SAVE_FLAG(s, b->reuse_port);
	SAVE_FLAG(s, b->listening);
	SAVE_AS(s, "owner", b->owner);
	SAVE_AS(s, "number", b->number);
	SAVE_AS(s, "bind.device", b->bound);
	save_check(s, b->bound <= g->ndev, "a claim on a port is damaged");
	if (!save_reading(s) || !port)
		return;
	b->port = tcp_port_get(g, port);
	if (save_check(s, b->port, "out of memory"))
		list_append(&b->port->binds, &b->node);
}

/* ---- half open ------------------------------------------------------------------------------- */

static void embryo_fields(struct save *s, struct tcp_embryo *e)
{
	SAVE(s, e->sent_ns);
	SAVE(s, e->challenge_ns);
	SAVE(s, e->laddr);
	SAVE(s, e->raddr);
	SAVE(s, e->lport);
	SAVE(s, e->rport);
	SAVE(s, e->irs.v);
	SAVE(s, e->iss.v);
	SAVE(s, e->id);
	SAVE(s, e->syn_pkt);
	SAVE(s, e->tsval);
	SAVE(s, e->wnd);
	SAVE(s, e->mss);
	SAVE(s, e->wscale);
	SAVE(s, e->timeouts);
	SAVE_FLAG(s, e->wscale_ok);
	SAVE_FLAG(s, e->sack_ok);
	SAVE_FLAG(s, e->ts_ok);
	SAVE_FLAG(s, e->ecn_ok);
	SAVE_FLAG(s, e->acked);
	SAVE_FLAG(s, e->resent);
	SAVE_FLAG(s, e->is_cookie);
	SAVE_FLAG(s, e->fastopen_tell);
	SAVE_FLAG(s, e->fastopen_exp);
	save_check(s, e->wscale <= TCP_WSCALE_MAX, "a connection half open is damaged");
}

static void embryo_read(struct save *s, struct glass *g, struct tcp_listener *l)
{
	struct tcp_embryo read = { .listener = l }, *e = NULL;

	embryo_fields(s, &read);
	if (save_check(s, !tcp_embryo_find(g, read.laddr, read.lport, read.raddr, read.rport),
		       "two connections half open have the same addresses"))
		e = tcp_embryo_make(g, &read);
	if (save_check(s, e, "out of memory"))
		KEEP_TIMER(s, g, e->timer);
	save_end(s);
}

static void embryos_keep(struct save *s, struct glass *g, struct tcp_listener *l)
{
	while (save_reading(s) && save_begin(s, "embryo"))
		embryo_read(s, g, l);
	if (save_reading(s))
		return;
	list_for_each(e, &l->embryos, struct tcp_embryo, queue) {
		save_begin(s, "embryo");
		embryo_fields(s, e);
		KEEP_TIMER(s, g, e->timer);
		save_end(s);
	}
}

/* ---- waiting to be accepted ------------------------------------------------------------------ */

static void waiting_write(struct save *s, struct glass *g, struct tcp_conn *c)
{
	save_begin(s, "waiting");
	SAVE_AS(s, "id", c->id);
	SAVE_FLAG(s, c->hashed);
	save_end(s);
	if (!c->hashed)
		tcp_keep_ended(s, g, c);
}

static void waiting_read(struct save *s, struct glass *g, struct tcp_listener *l)
{
	struct tcp_conn *c;
	bool hashed = true;
	uint32_t id = 0;

	SAVE(s, id);
	SAVE_FLAG(s, hashed);
	save_end(s);
	c = hashed ? tcp_find_id(g, id) : tcp_keep_ended(s, g, NULL);
	if (!save_check(s, c && !c->listener && list_empty(&c->queue),
			"a connection that waits is damaged"))
		return;
	c->listener = l;
	list_append(&l->accept, &c->queue);
	l->naccept++;
}

/* ---- data in a SYN --------------------------------------------------------------------------- */

/* Connections in SYN-RECEIVED that count towards this listener's limit: its own, all of them. */
static void fastopens_keep(struct save *s, struct glass *g, struct tcp_listener *l)
{
	uint64_t cursor = 0;
	struct tcp_conn *c;
	uint32_t id = 0;

	while (save_reading(s) && save_begin(s, "fastopen")) {
		SAVE(s, id);
		save_end(s);
		c = tcp_find_id(g, id);
		if (save_check(s, c && !c->fastopen_of, "a fast open is damaged"))
			c->fastopen_of = l;
		l->fastopens += c && c->fastopen_of == l;
	}
	while (!save_reading(s) && l->fastopens && (c = tcp_next(g, &cursor))) {
		if (c->fastopen_of != l)
			continue;
		save_begin(s, "fastopen");
		SAVE_AS(s, "id", c->id);
		save_end(s);
	}
}

/* ---- the listener ---------------------------------------------------------------------------- */

static void listener_fields(struct save *s, struct glass *g, struct tcp_listener *l)
{
	tcp_bind_keep(s, g, &l->bind);
	tcp_config_keep(s, &l->config);
	SAVE(s, l->backlog);
	SAVE(s, l->held);
	SAVE(s, l->cookie_ns);
	SAVE(s, l->fastopen_resets);
	SAVE(s, l->fastopen_reset_ns);
}

struct tcp_listener *tcp_listener_keep(struct save *s, struct glass *g, struct tcp_listener *l)
{
	if (!save_begin(s, "listener"))
		return NULL;
	if (save_reading(s))
		l = tcp_listener_new(g);
	if (!save_check(s, l, "out of memory"))
		return NULL;
	listener_fields(s, g, l);
	save_check(s, l->bind.port, "a listener without port");
	save_end(s);
	tcp_fastopen_own_keep(s, g, &l->fastopen_keys);
	embryos_keep(s, g, l);
	while (save_reading(s) && save_begin(s, "waiting"))
		waiting_read(s, g, l);
	if (!save_reading(s))
		list_for_each(c, &l->accept, struct tcp_conn, queue)
			waiting_write(s, g, c);
	fastopens_keep(s, g, l);
	return l;
}
