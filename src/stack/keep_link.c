/* SPDX-License-Identifier: MIT */
/*
 * Neighbours with the packets that wait for them, and datagrams that are being put together.
 *
 * In: src/socket/sock_keep.c.  Out: save.h, neigh_table.c, ip_frag.c.
 */
#include "ip_frag.h"
#include "keep.h"
#include "neigh.h"

/* ---- neighbours ------------------------------------------------------------------------------ */

static void neigh_fields(struct save *s, struct neigh *n)
{
	SAVE(s, n->addr);
	SAVE(s, n->dev);
	SAVE(s, n->state);
	SAVE(s, n->probes);
	save_array(s, "mac", n->mac, sizeof(n->mac));
	SAVE(s, n->used_ns);
	SAVE(s, n->confirmed_ns);
	SAVE(s, n->reachable_ns);
}

/* Those that packets wait for are in a list of their own. */
static void count_waiting(struct glass *g, struct neigh *n)
{
	list_for_each(p, &n->queue, struct pkt, node) {
		n->queued++;
		n->queued_bytes += neigh_queue_cost(p);
	}
	list_remove(&n->node);
	list_append(n->queued ? &g->neigh->waiting : &g->neigh->idle, &n->node);
}

static void neigh_write(struct save *s, struct glass *g, struct list *l)
{
	list_for_each(n, l, struct neigh, node) {
		save_begin(s, "neighbour");
		neigh_fields(s, n);
		KEEP_TIMER(s, g, n->timer);
		save_end(s);
		keep_packets(s, g, &n->queue, "neighbour.packet", true);
	}
}

static void neigh_read(struct save *s, struct glass *g)
{
	struct neigh read = { 0 }, *n;

	neigh_fields(s, &read);
	save_check(s, read.dev < g->ndev && read.state <= NEIGH_FAILED, "a neighbour is damaged");
	n = save_fault(s) ? NULL : neigh_new(g, read.dev, read.addr);
	if (!save_check(s, n, "out of memory")) {
		save_end(s);
		return;
	}
	neigh_fields(s, n);
	KEEP_TIMER(s, g, n->timer);
	save_end(s);
	keep_packets(s, g, &n->queue, "neighbour.packet", true);
	count_waiting(g, n);
}

void neigh_keep(struct save *s, struct glass *g)
{
	if (!save_reading(s)) {
		neigh_write(s, g, &g->neigh->idle);
		neigh_write(s, g, &g->neigh->waiting);
	}
	while (save_reading(s) && save_begin(s, "neighbour"))
		neigh_read(s, g);
}

/* ---- fragments ------------------------------------------------------------------------------- */

static void datagram_fields(struct save *s, struct frag_queue *q)
{
	SAVE(s, q->src);
	SAVE(s, q->dst);
	SAVE(s, q->id);
	SAVE(s, q->proto);
	SAVE_FLAG(s, q->dead);
	SAVE(s, q->born_ns);
}

/* What is here, and where, the fragments' own headers tell. */
static void fragments_read(struct save *s, struct glass *g, struct frag_queue *q)
{
	struct list frags, *node;
	struct pkt *p;

	list_init(&frags);
	keep_packets(s, g, &frags, "fragment", true);
	while ((node = list_take(&frags))) {
		p = container_of(node, struct pkt, node);
		if (save_check(s, !q->dead && frag_again(g, q, p), "a fragment is damaged"))
			continue;
		pkt_free(&g->pool, p);
	}
}

static void datagram_read(struct save *s, struct glass *g)
{
	struct frag_queue read = { 0 }, *q;

	datagram_fields(s, &read);
	q = frag_new(g, &(struct ip_info){ .src = read.src, .dst = read.dst, .proto = read.proto },
		     read.id);
	if (!save_check(s, q, "out of memory")) {
		save_end(s);
		return;
	}
	datagram_fields(s, q);
	timer_stop(&g->timers, &q->timer);
	KEEP_TIMER(s, g, q->timer);
	save_end(s);
	fragments_read(s, g, q);
}

void frag_keep(struct save *s, struct glass *g)
{
	if (save_reading(s)) {
		while (save_begin(s, "datagram"))
			datagram_read(s, g);
		return;
	}
	list_for_each(q, &g->frag->by_age, struct frag_queue, by_age) {
		save_begin(s, "datagram");
		datagram_fields(s, q);
		KEEP_TIMER(s, g, q->timer);
		save_end(s);
		keep_packets(s, g, &q->frags, "fragment", true);
	}
}
