/* SPDX-License-Identifier: MIT */
/*
 * The account of a connection's time: at each moment exactly one limiter (limit.def) holds it back,
 * and the times of all sum to its life. tcp_output tells at every stop which one it is; only a
 * change costs anything.
 *
 * An idle connection has had at most two of them, the first being the handshake: for that the two
 * moments in the connection suffice. The account comes with the second change, or with the first
 * byte sent. If there is no memory for it the change does not take place, so that the sum stays
 * right.
 *
 * In: tcp_output.c, tcp_state.c, tcp_timer.c.  Out: the socket layer asks (sock_info.c).
 */
#include "tcp_account.h"

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

/* What has been so far goes into it. */
bool tcp_account_open(struct glass *g, struct tcp_conn *c)
{
	if (c->account)
		return true;
	c->account = pool_alloc(&g->pool, sizeof(*c->account));
	if (!c->account)
		return false;
	if (c->limiter != GLASS_LIMIT_HANDSHAKE)
		c->account->limit_ns[GLASS_LIMIT_HANDSHAKE] = c->limit_since_ns - c->born_ns;
	return true;
}

void tcp_limit_change(struct glass *g, struct tcp_conn *c, enum glass_limiter limiter)
{
	bool first = c->limiter == GLASS_LIMIT_HANDSHAKE && !c->account;

	if (!first && !tcp_account_open(g, c))
		return;
	if (!first)
		c->account->limit_ns[c->limiter] += now(g) - c->limit_since_ns;
	c->limit_since_ns = now(g);
	c->limiter = (uint8_t)limiter;
}

void tcp_limit_was(struct glass *g, struct tcp_conn *c, enum glass_limiter limiter, int64_t wait_ns)
{
	int64_t since = now(g) - c->limit_since_ns;

	if (!tcp_account_open(g, c))
		return;
	if (wait_ns > since)
		wait_ns = since;
	c->account->limit_ns[c->limiter] += since - wait_ns;
	c->account->limit_ns[limiter] += wait_ns;
	c->limit_since_ns = now(g);
}

void tcp_limit_end(struct glass *g, struct tcp_conn *c)
{
	bool plain = c->limiter == GLASS_LIMIT_HANDSHAKE && !c->account;

	if (!plain && !tcp_account_open(g, c))
		return; /* what came last is not part of its life, then */
	if (!plain)
		c->account->limit_ns[c->limiter] += now(g) - c->limit_since_ns;
	c->limit_since_ns = now(g);
}

void tcp_limit_tell(struct glass *g, const struct tcp_conn *c)
{
	for (unsigned i = 0; i < GLASS_LIMIT_COUNT; i++) {
		int64_t ns = tcp_limit_ns(g, c, (enum glass_limiter)i);

		if (ns)
			EVENT(g, c->id, 0, TCP_LIMIT, tcp_limit_word((enum glass_limiter)i),
			      (uint64_t)ns, (uint64_t)tcp_life_ns(g, c));
	}
}

void tcp_account_free(struct glass *g, struct tcp_conn *c)
{
	pool_free(&g->pool, c->account, sizeof(*c->account));
	c->account = NULL;
}

int64_t tcp_life_ns(const struct glass *g, const struct tcp_conn *c)
{
	return (c->state == TCPS_CLOSED ? c->limit_since_ns : now(g)) - c->born_ns;
}

int64_t tcp_limit_ns(const struct glass *g, const struct tcp_conn *c, enum glass_limiter limiter)
{
	int64_t ns = c->account ? c->account->limit_ns[limiter] : 0;

	if (!c->account && limiter == GLASS_LIMIT_HANDSHAKE)
		ns = c->limit_since_ns - c->born_ns;
	if (c->limiter == limiter && c->state != TCPS_CLOSED)
		ns += now(g) - c->limit_since_ns;
	return ns;
}

int64_t tcp_busy_ns(const struct glass *g, const struct tcp_conn *c)
{
	return tcp_life_ns(g, c) - tcp_limit_ns(g, c, GLASS_LIMIT_HANDSHAKE) -
	       tcp_limit_ns(g, c, GLASS_LIMIT_APPLICATION) -
	       tcp_limit_ns(g, c, GLASS_LIMIT_CLOSING);
}
