/* SPDX-License-Identifier: MIT */
/*
 * The account, checked: what two ways of counting must agree on, always. Walks everything, so it is
 * for tests and for whoever asks.
 *
 * In: the owner of the stack (glass check).  Out: nothing.
 */
#include "sock.h"

#include "../stack/ip_frag.h"
#include "../stack/neigh.h"
#include "../stack/tcp_account.h"
#include "../stack/tcp_listen.h"

static uint64_t length(const struct list *l)
{
	uint64_t n = 0;

	for (const struct list *at = l->next; at != l; at = at->next)
		n++;
	return n;
}

/* ---- packets: who holds which ---------------------------------------------------------------- */

static uint64_t held_by_neighbours(const struct glass *g)
{
	const struct list *lists[] = { &g->neigh->idle, &g->neigh->waiting };
	uint64_t n = 0;

	for (unsigned i = 0; i < 2; i++)
		list_for_each(e, lists[i], struct neigh, node)
			n += length(&e->queue);
	return n;
}

static uint64_t held_as_fragments(const struct glass *g)
{
	uint64_t n = 0;

	list_for_each(q, &g->frag->by_age, struct frag_queue, by_age)
		n += length(&q->frags);
	return n;
}

static uint64_t held_by_datagram_ends(const struct glass *g)
{
	uint64_t n = 0;

	list_for_each(u, &g->udp->all, struct udp_end, all)
		n += length(&u->rx);
	return n;
}

static uint64_t held_by(const struct tcp_conn *c)
{
	return length(&c->rx) + length(&c->ooo);
}

/* Those that ended are in no table; a socket, or one that waits for accept, has them still. */
static uint64_t held_by_connections(struct glass *g)
{
	uint64_t n = 0, cursor = 0;
	struct tcp_conn *c;

	while ((c = tcp_next(g, &cursor)))
		n += held_by(c);
	list_for_each(s, &g->socks, struct glass_sock, node) {
		if (s->conn && !s->conn->hashed)
			n += held_by(s->conn);
		if (!s->listener)
			continue;
		list_for_each(a, &s->listener->accept, struct tcp_conn, queue)
			if (!a->hashed)
				n += held_by(a);
	}
	return n;
}

static uint64_t held_received(struct glass *g)
{
	return held_as_fragments(g) + held_by_datagram_ends(g) + held_by_connections(g);
}

/* ---- the laws -------------------------------------------------------------------------------- */

static uint64_t drops(const struct glass *g)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < DROP_COUNT; i++)
		n += g->drops[i];
	return n;
}

static uint64_t device_frames(const struct glass *g)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < g->ndev; i++)
		n += g->dev[i].rx_packets;
	return n;
}

static uint64_t connections(struct glass *g)
{
	uint64_t n = 0, cursor = 0;

	while (tcp_next(g, &cursor))
		n++;
	return n;
}

static uint64_t embryos(struct glass *g)
{
	uint64_t n = 0, cursor = 0;

	while (tcp_embryo_next(g, &cursor))
		n++;
	return n;
}

/* Of all connections together, in nanoseconds. */
static void lives(struct glass *g, uint64_t *life, uint64_t *limits)
{
	uint64_t cursor = 0;
	struct tcp_conn *c;

	*life = *limits = 0;
	while ((c = tcp_next(g, &cursor))) {
		*life += (uint64_t)tcp_life_ns(g, c);
		for (unsigned i = 0; i < GLASS_LIMIT_COUNT; i++)
			*limits += (uint64_t)tcp_limit_ns(g, c, (enum glass_limiter)i);
	}
}

static void check_frames(struct glass *g, struct glass_check *out)
{
	uint64_t held = held_received(g);

	out->name = "received = delivered + dropped + held";
	out->have = g->stats[STAT_DEV_RX];
	out->part[0] = (struct glass_part){ "delivered", g->stats[STAT_RX_ACCEPTED] - held };
	out->part[1] = (struct glass_part){ "dropped", g->stats[STAT_RX_DROPPED] };
	out->part[2] = (struct glass_part){ "held", held };
}

static void check_devices(struct glass *g, struct glass_check *out)
{
	out->name = "received = what the devices counted";
	out->have = g->stats[STAT_DEV_RX];
	out->part[0] = (struct glass_part){ "devices", device_frames(g) };
}

static void check_drops(struct glass *g, struct glass_check *out)
{
	out->name = "drops by reason = dropped received + dropped own";
	out->have = drops(g);
	out->part[0] = (struct glass_part){ "received", g->stats[STAT_RX_DROPPED] };
	out->part[1] = (struct glass_part){ "own", g->stats[STAT_TX_DROPPED] };
}

static void check_packets(struct glass *g, struct glass_check *out)
{
	out->name = "packets alive = those that somebody holds";
	out->have = g->pool.pkts;
	out->part[0] = (struct glass_part){ "neighbours", held_by_neighbours(g) };
	out->part[1] = (struct glass_part){ "fragments", held_as_fragments(g) };
	out->part[2] = (struct glass_part){ "datagram sockets", held_by_datagram_ends(g) };
	out->part[3] = (struct glass_part){ "connections", held_by_connections(g) };
	out->part[4] = (struct glass_part){ "on their way", length(&g->outq) + length(&g->loopq) +
								    !!g->leaving + g->lent };
}

static void check_connections(struct glass *g, struct glass_check *out)
{
	out->name = "connections counted = connections in the table";
	out->have = g->tcp->nconns;
	out->part[0] = (struct glass_part){ "table", connections(g) };
}

static void check_embryos(struct glass *g, struct glass_check *out)
{
	out->name = "handshakes counted = handshakes in the table";
	out->have = g->tcp->nembryos;
	out->part[0] = (struct glass_part){ "table", embryos(g) };
}

static void check_sockets(struct glass *g, struct glass_check *out)
{
	out->name = "sockets counted = sockets in the list";
	out->have = g->nsocks;
	out->part[0] = (struct glass_part){ "list", length(&g->socks) };
}

static void check_neighbours(struct glass *g, struct glass_check *out)
{
	out->name = "neighbours counted = idle + waiting";
	out->have = neigh_count(g);
	out->part[0] = (struct glass_part){ "idle", length(&g->neigh->idle) };
	out->part[1] = (struct glass_part){ "waiting", length(&g->neigh->waiting) };
}

static void check_lives(struct glass *g, struct glass_check *out)
{
	out->name = "lives of connections = times of their limiters, in ns";
	lives(g, &out->have, &out->part[0].count);
	out->part[0].name = "limiters";
}

static void (*const checks[])(struct glass *g, struct glass_check *out) = {
	check_frames,  check_devices, check_drops,	check_packets, check_connections,
	check_embryos, check_sockets, check_neighbours, check_lives,
};

bool glass_check_at(struct glass *g, unsigned i, struct glass_check *out)
{
	uint64_t sum = 0;

	*out = (struct glass_check){ 0 };
	if (i >= sizeof(checks) / sizeof(checks[0]))
		return false;
	checks[i](g, out);
	for (unsigned k = 0; k < GLASS_CHECK_PARTS; k++)
		sum += out->part[k].count;
	out->holds = sum == out->have;
	return true;
}
