/* SPDX-License-Identifier: MIT */
/*
 * Datagram endpoints by port: which one a datagram belongs to, and which ports are free.
 *
 * In:  udp.c, ping.c.
 * Out: nothing but the table.
 */
#include "group.h"
#include "udp.h"

#define UDP_BUCKETS 1024
#define UDP_RANDOM_TRIES \
	16 /* then the search for a free port goes on from the last one, in order */

/*
 * The port alone is the key: sockets of one port must meet in one bucket, bound to an address or
 * not.
 */
struct list *udp_bucket(struct glass *g, uint8_t proto, uint16_t lport)
{
	return &g->udp->buckets[siphash_u64(&g->udp->port_key, lport, proto) % UDP_BUCKETS];
}

unsigned udp_score(const struct udp_end *u, const struct udp_flow *f)
{
	unsigned score = 1;

	if (u->proto != f->proto || u->lport != f->lport)
		return 0;
	if (u->local && u->local != f->local)
		return 0;
	score += u->local ? 1 : 0;
	if (u->remote && u->remote != f->remote)
		return 0;
	if (u->rport && u->rport != f->rport)
		return 0;
	if (u->bound && f->ifindex && u->bound != f->ifindex)
		return 0;
	score += u->bound ? 1 : 0;
	return score + (u->remote ? 2 : 0);
}

/*
 * Of several that fit equally well (SO_REUSEPORT) each has its flows: who wins is hashed, not who
 * was first.
 */
struct udp_end *udp_find(struct glass *g, const struct udp_flow *f)
{
	uint64_t flow = (uint64_t)f->remote << 16 | f->rport, best_rank = 0;
	struct udp_end *best = NULL;
	unsigned best_score = 0;

	list_for_each(u, udp_bucket(g, f->proto, f->lport), struct udp_end, node) {
		unsigned score = udp_score(u, f);
		uint64_t rank;

		if (!score || score < best_score)
			continue;
		rank = u->reuse_port ? siphash_u64(&g->udp->group_key, flow, u->number) : 0;
		if (score == best_score && rank <= best_rank)
			continue;
		best = u;
		best_score = score;
		best_rank = rank;
	}
	return best;
}

/* bind(2) with SO_REUSEADDR and SO_REUSEPORT, as Linux has it for datagrams. */
static bool ports_clash(const struct udp_end *a, const struct udp_end *b, uint16_t lport)
{
	if (a == b || a->proto != b->proto || b->lport != lport)
		return false;
	if (a->local && b->local && a->local != b->local)
		return false;
	if (a->bound && b->bound && a->bound != b->bound)
		return false;
	return !(a->reuse_addr && b->reuse_addr) &&
	       !(a->reuse_port && b->reuse_port && a->owner == b->owner);
}

static bool port_is_free(struct glass *g, const struct udp_end *u, uint16_t lport)
{
	list_for_each(other, udp_bucket(g, u->proto, lport), struct udp_end, node) {
		if (ports_clash(u, other, lport))
			return false;
	}
	return true;
}

/* For a port that nobody asked for, sharing is no answer. */
static bool port_is_unused(struct glass *g, const struct udp_end *u, uint16_t lport)
{
	list_for_each(other, udp_bucket(g, u->proto, lport), struct udp_end, node) {
		if (other->proto == u->proto && other->lport == lport)
			return false;
	}
	return true;
}

/* RFC 6056 3.3.1. An echo identifier is as good as a port, and all 65,535 are free to be used. */
static uint16_t choose_port(struct glass *g, const struct udp_end *u)
{
	uint32_t first = u->proto == IP_PROTO_UDP ? (uint32_t)g->tun.ip_port_first : 1;
	uint32_t last = u->proto == IP_PROTO_UDP ? (uint32_t)g->tun.ip_port_last : UINT16_MAX;
	uint32_t n = last - first + 1, at = 0;

	for (uint32_t i = 0; i < n + UDP_RANDOM_TRIES; i++) {
		at = i < UDP_RANDOM_TRIES ? rng_below(&g->rng, n) : (at + 1) % n;
		if (port_is_unused(g, u, (uint16_t)(first + at)))
			return (uint16_t)(first + at);
	}
	return 0;
}

int udp_take_port(struct glass *g, struct udp_end *u, uint16_t lport)
{
	if (!lport)
		lport = choose_port(g, u);
	else if (!port_is_free(g, u, lport))
		lport = 0;
	if (!lport)
		return -EADDRINUSE;
	u->lport = lport;
	list_append(udp_bucket(g, u->proto, lport), &u->node);
	return 0;
}

struct udp_end *udp_new(struct glass *g, uint8_t proto)
{
	struct udp_end *u = pool_alloc(&g->pool, sizeof(*u));

	if (!u) {
		stat_inc(g, STAT_NOMEM);
		return NULL;
	}
	u->proto = proto;
	u->mtu_discover = UDP_MTU_WANT;
	u->group_ttl = 1;
	u->group_loop = u->group_all = true;
	list_init(&u->groups);
	u->number = g->udp->numbers++;
	list_init(&u->waker.node);
	list_init(&u->node);
	list_init(&u->rx);
	list_init(&u->errors);
	list_append(&g->udp->all, &u->all);
	return u;
}

void udp_free(struct glass *g, struct udp_end *u)
{
	struct pkt *p;

	while ((p = udp_take(g, u)))
		pkt_free(&g->pool, p);
	udp_errors_drop(g, u);
	udp_cork_drop(g, u);
	group_leave_all(g, u);
	list_remove(&u->waker.node);
	list_remove(&u->node);
	list_remove(&u->all);
	pool_free(&g->pool, u, sizeof(*u));
}

struct udp_end *udp_next(struct glass *g, struct udp_end *cursor)
{
	struct list *next = cursor ? cursor->all.next : g->udp->all.next;

	return next == &g->udp->all ? NULL : container_of(next, struct udp_end, all);
}

int udp_init(struct glass *g)
{
	struct udp_table *t = pool_alloc(&g->pool, sizeof(*t));

	if (!t)
		return -ENOMEM;
	g->udp = t;
	list_init(&t->all);
	list_init(&t->raws);
	t->port_key = rng_key(&g->rng);
	t->group_key = rng_key(&g->rng);
	t->buckets = pool_alloc(&g->pool, UDP_BUCKETS * sizeof(*t->buckets));
	if (!t->buckets)
		return -ENOMEM;
	for (unsigned i = 0; i < UDP_BUCKETS; i++)
		list_init(&t->buckets[i]);
	return 0;
}

void udp_fini(struct glass *g)
{
	struct udp_table *t = g->udp;

	if (!t)
		return;
	list_for_each_safe(u, &t->all, struct udp_end, all)
		udp_free(g, u);
	pool_free(&g->pool, t->buckets, UDP_BUCKETS * sizeof(*t->buckets));
	pool_free(&g->pool, t, sizeof(*t));
	g->udp = NULL;
}
