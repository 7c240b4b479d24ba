/* SPDX-License-Identifier: MIT */
/*
 * The account of a connection's time: at each moment exactly one limiter (limit.def) holds it back,
 * and the times of all sum to its life. tcp_output tells at every stop which one it is; only a
 * change costs anything.
 *
 * An idle connection has had at most two of them, the first being the handshake: for that the two
 * moments in the connection suffice. The table comes with the second change. If there is no memory
 * for it the change does not take place, so that the sum stays right.
 *
 * In: tcp_output.c, tcp_state.c, tcp_timer.c.  Out: the socket layer asks (sock_info.c).
 */
#include "tcp.h"

uint64_t tcp_limit_word(enum glass_limiter limiter)
{
	switch (limiter) {
#define LIMIT(ID, name, word, doc) \
	case GLASS_LIMIT_##ID:     \
		return WORD(word);
#include <glass/limit.def>
#undef LIMIT
	case GLASS_LIMIT_COUNT:
		break;
	}
	return 0;
}

void tcp_limit_start(struct glass *g, struct tcp_conn *c)
{
	c->born_ns = c->limit_since_ns = now(g);
	c->limiter = GLASS_LIMIT_HANDSHAKE;
}

/* The table, with what has been so far; false: no memory. */
static bool table_open(struct glass *g, struct tcp_conn *c)
{
	if (c->limits)
		return true;
	c->limits = pool_alloc(&g->pool, sizeof(*c->limits));
	if (!c->limits)
		return false;
	if (c->limiter != GLASS_LIMIT_HANDSHAKE)
		c->limits->ns[GLASS_LIMIT_HANDSHAKE] = c->limit_since_ns - c->born_ns;
	return true;
}

void tcp_limit_change(struct glass *g, struct tcp_conn *c, enum glass_limiter limiter)
{
	bool first = c->limiter == GLASS_LIMIT_HANDSHAKE && !c->limits;

	if (!first && !table_open(g, c))
		return;
	if (!first)
		c->limits->ns[c->limiter] += now(g) - c->limit_since_ns;
	c->limit_since_ns = now(g);
	c->limiter = (uint8_t)limiter;
}

void tcp_limit_was(struct glass *g, struct tcp_conn *c, enum glass_limiter limiter, int64_t wait_ns)
{
	int64_t since = now(g) - c->limit_since_ns;

	if (!table_open(g, c))
		return;
	if (wait_ns > since)
		wait_ns = since;
	c->limits->ns[c->limiter] += since - wait_ns;
	c->limits->ns[limiter] += wait_ns;
	c->limit_since_ns = now(g);
}

void tcp_limit_end(struct glass *g, struct tcp_conn *c)
{
	bool plain = c->limiter == GLASS_LIMIT_HANDSHAKE && !c->limits;

	if (!plain && !table_open(g, c))
		return; /* what came last is not part of its life, then */
	if (!plain)
		c->limits->ns[c->limiter] += now(g) - c->limit_since_ns;
	c->limit_since_ns = now(g);
}

void tcp_limit_free(struct glass *g, struct tcp_conn *c)
{
	pool_free(&g->pool, c->limits, sizeof(*c->limits));
	c->limits = NULL;
}

int64_t tcp_life_ns(const struct glass *g, const struct tcp_conn *c)
{
	return (c->state == TCPS_CLOSED ? c->limit_since_ns : now(g)) - c->born_ns;
}

int64_t tcp_limit_ns(const struct glass *g, const struct tcp_conn *c, enum glass_limiter limiter)
{
	int64_t ns = c->limits ? c->limits->ns[limiter] : 0;

	if (!c->limits && limiter == GLASS_LIMIT_HANDSHAKE)
		ns = c->limit_since_ns - c->born_ns;
	if (c->limiter == limiter && c->state != TCPS_CLOSED)
		ns += now(g) - c->limit_since_ns;
	return ns;
}
