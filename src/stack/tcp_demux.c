/* SPDX-License-Identifier: MIT */
/*
 * The door to TCP: is it a segment, and whose? Connections lie in a table with a keyed hash, so
 * that nobody can choose addresses that collide; it grows with their number.
 *
 * In: ip_deliver. Out: tcp_conn_input (a connection), tcp_embryo_input (one half open),
 * tcp_listen_input (a listener), tcp_reply_rst (nobody).
 */
#include "tcp.h"
#include "tcp_input.h"
#include "tcp_listen.h"
#include "tcp_output.h"

#include <assert.h>

#include "../wire/checksum.h"

#define BUCKETS_MIN 256
#define BUCKETS_MAX (1u << 20)

static struct list *bucket_of(const struct tcp_table *t, ip4_t laddr, uint16_t lport, ip4_t raddr,
			      uint16_t rport)
{
	uint64_t h = siphash_u64(&t->hash_key, (uint64_t)laddr << 32 | raddr,
				 (uint64_t)lport << 16 | rport);

	return &t->buckets[h & (t->nbuckets - 1)];
}

static struct list *buckets_new(struct glass *g, uint32_t n)
{
	struct list *b = pool_alloc(&g->pool, n * sizeof(*b));

	for (uint32_t i = 0; b && i < n; i++)
		list_init(&b[i]);
	return b;
}

int tcp_init(struct glass *g)
{
	struct tcp_table *t = pool_alloc(&g->pool, sizeof(*t));

	if (!t)
		return -ENOMEM;
	g->tcp = t;
	t->nbuckets = BUCKETS_MIN;
	t->buckets = buckets_new(g, t->nbuckets);
	t->id_buckets = buckets_new(g, t->nbuckets);
	list_init(&t->pending);
	list_init(&t->time_wait);
	list_init(&t->dead);
	for (unsigned i = 0; i < TCP_PORT_BUCKETS; i++)
		list_init(&t->ports[i]);
	t->hash_key = rng_key(&g->rng);
	t->isn_key = rng_key(&g->rng);
	t->ts_key = rng_key(&g->rng);
	t->cookie_key = rng_key(&g->rng);
	tcp_fastopen_keys_init(g);
	return t->buckets && t->id_buckets ? tcp_embryos_init(g) : -ENOMEM;
}

void tcp_fini(struct glass *g)
{
	struct tcp_table *t = g->tcp;
	struct tcp_conn *c;
	uint64_t cursor;

	if (!t)
		return;
	if (t->buckets && t->id_buckets) {
		while (cursor = 0, (c = tcp_next(g, &cursor)))
			tcp_end(g, c, 0, "the stack ends");
		tcp_reap(g);
	}
	tcp_embryos_fini(g);
	tcp_fastopen_fini(g);
	buf_unref(&g->pool, t->spare);
	pool_free(&g->pool, t->buckets, t->nbuckets * sizeof(*t->buckets));
	pool_free(&g->pool, t->id_buckets, t->nbuckets * sizeof(*t->id_buckets));
	pool_free(&g->pool, t, sizeof(*t));
	g->tcp = NULL;
}

/*
 * As many buckets as connections, within a factor of eight below: chains stay short, and memory
 * comes back.
 */
static void table_resize(struct glass *g, uint32_t n)
{
	struct tcp_table *t = g->tcp;
	uint32_t old_n = t->nbuckets;
	struct list *old = t->buckets, *old_id = t->id_buckets;
	struct list *b = buckets_new(g, n), *ids = buckets_new(g, n);

	if (!b || !ids) { /* longer chains are the lesser evil */
		pool_free(&g->pool, b, n * sizeof(*b));
		pool_free(&g->pool, ids, n * sizeof(*ids));
		return;
	}
	t->buckets = b;
	t->id_buckets = ids;
	t->nbuckets = n;
	for (uint32_t i = 0; i < old_n; i++) {
		list_for_each_safe(c, &old[i], struct tcp_conn, node) {
			list_remove(&c->node);
			list_remove(&c->by_id);
			list_append(bucket_of(t, c->laddr, c->lport, c->raddr, c->rport), &c->node);
			list_append(&ids[c->id & (n - 1)], &c->by_id);
		}
	}
	pool_free(&g->pool, old, old_n * sizeof(*old));
	pool_free(&g->pool, old_id, old_n * sizeof(*old_id));
}

int tcp_hash(struct glass *g, struct tcp_conn *c)
{
	struct tcp_table *t = g->tcp;

	assert(!c->hashed);
	c->port = tcp_port_get(g, c->lport);
	if (!c->port)
		return -ENOBUFS;
	c->port->conns++;
	if (t->nconns >= t->nbuckets && t->nbuckets < BUCKETS_MAX)
		table_resize(g, t->nbuckets * 2);
	list_append(bucket_of(t, c->laddr, c->lport, c->raddr, c->rport), &c->node);
	list_append(&t->id_buckets[c->id & (t->nbuckets - 1)], &c->by_id);
	t->nconns++;
	c->hashed = true;
	return 0;
}

void tcp_unhash(struct glass *g, struct tcp_conn *c)
{
	if (!c->hashed)
		return;
	list_remove(&c->node);
	list_remove(&c->by_id);
	g->tcp->nconns--;
	c->port->conns--;
	tcp_port_put(g, c->port);
	c->port = NULL;
	c->hashed = false;
	if (g->tcp->nbuckets > BUCKETS_MIN && g->tcp->nconns < g->tcp->nbuckets / 8)
		table_resize(g, g->tcp->nbuckets / 2);
}

struct tcp_conn *tcp_find(struct glass *g, ip4_t laddr, uint16_t lport, ip4_t raddr, uint16_t rport)
{
	list_for_each(c, bucket_of(g->tcp, laddr, lport, raddr, rport), struct tcp_conn, node) {
		if (c->lport == lport && c->rport == rport && c->raddr == raddr &&
		    c->laddr == laddr)
			return c;
	}
	return NULL;
}

struct tcp_conn *tcp_find_id(struct glass *g, uint32_t id)
{
	list_for_each(c, &g->tcp->id_buckets[id & (g->tcp->nbuckets - 1)], struct tcp_conn, by_id) {
		if (c->id == id)
			return c;
	}
	return NULL;
}

/* The cursor is the bucket's index and the place in its chain. */
struct tcp_conn *tcp_next(struct glass *g, uint64_t *cursor)
{
	struct tcp_table *t = g->tcp;
	uint32_t bucket = (uint32_t)(*cursor >> 32), skip = (uint32_t)*cursor, at;

	for (; bucket < t->nbuckets; bucket++, skip = 0) {
		at = 0;
		list_for_each(c, &t->buckets[bucket], struct tcp_conn, node) {
			if (at++ == skip) {
				*cursor = (uint64_t)bucket << 32 | (skip + 1);
				return c;
			}
		}
	}
	*cursor = (uint64_t)bucket << 32;
	return NULL;
}

/* SO_BINDTODEVICE: who is bound hears that device and no other. */
static bool hears(uint8_t bound, const struct tcp_seg *seg)
{
	return !bound || bound == seg->ifindex;
}

/* How well a claim fits, as Linux: an address of its own counts, and a device. 0: not at all. */
static unsigned listener_score(const struct tcp_bind *b, const struct tcp_seg *seg)
{
	if (!b->listening || (b->addr && b->addr != seg->dst) || !hears(b->bound, seg))
		return 0;
	return 1 + (b->addr ? 1 : 0) + (b->bound ? 1 : 0);
}

/*
 * Of several that fit equally well (SO_REUSEPORT) each has its peers: who wins is hashed, not who
 * was first, so that all have as many, and who leaves takes nobody else's.
 */
struct tcp_listener *tcp_find_listener(struct glass *g, const struct tcp_seg *seg)
{
	struct tcp_port *port = tcp_port_find(g, seg->dport);
	uint64_t flow = (uint64_t)seg->src << 16 | seg->sport, best_rank = 0;
	struct tcp_listener *best = NULL;
	unsigned best_score = 0;

	if (!port)
		return NULL;
	list_for_each(b, &port->binds, struct tcp_bind, node) {
		unsigned score = listener_score(b, seg);
		uint64_t rank;

		if (!score || score < best_score)
			continue;
		rank = b->reuse_port ? siphash_u64(&g->tcp->hash_key, flow, b->number) : 0;
		if (score == best_score && rank <= best_rank)
			continue;
		best = container_of(b, struct tcp_listener, bind);
		best_score = score;
		best_rank = rank;
	}
	return best;
}

/* Header and options as values; the packet keeps the payload only. GO_ON, or why not. */
static enum verdict tcp_parse(struct glass *g, struct pkt *p, const struct ip_info *ip,
			      struct tcp_seg *seg)
{
	const struct tcp_header *h = pkt_peek(p, 0, TCP_HEADER_BYTES);
	const uint8_t *options;
	uint32_t header_bytes;

	if (!h)
		return drop(g, p, TCP_SHORT, p->len, TCP_HEADER_BYTES);
	header_bytes = (h->data_offset >> 4) * 4u;
	options = pkt_peek(p, TCP_HEADER_BYTES, header_bytes - TCP_HEADER_BYTES);
	if (header_bytes < TCP_HEADER_BYTES || !options)
		return drop(g, p, TCP_DATA_OFFSET, header_bytes, p->len);
	if (!(p->flags & (PKT_CSUM_VALID | PKT_CSUM_PARTIAL)) &&
	    csum_fold(csum_add(csum_pseudo4(ip->src, ip->dst, IP_PROTO_TCP, p->len), p->data,
			       p->len)) != 0)
		return drop(g, p, TCP_BAD_CSUM, be16_get(h->checksum));
	p->l4 = p->data;
	*seg = (struct tcp_seg){
		.seq = seq_of(be32_get(h->seq)),
		.ack = seq_of(be32_get(h->ack)),
		.wnd = be16_get(h->window),
		.urgent = be16_get(h->urgent),
		.flags = h->flags,
		.sport = be16_get(h->sport),
		.dport = be16_get(h->dport),
		.src = ip->src,
		.dst = ip->dst,
		.tos = ip->tos,
		.ttl = ip->ttl,
		.ifindex = ip_heard_by(g, p->dev, ip->dst),
	};
	tcp_options_read(options, header_bytes - TCP_HEADER_BYTES, &seg->opt);
	pkt_pull(p, header_bytes);
	seg->len = p->len;
	seg->span = seg->len + !!(seg->flags & TCP_SYN) + !!(seg->flags & TCP_FIN);
	return GO_ON;
}

/*
 * RFC 9293 3.6.1 and RFC 6191: a SYN may take over the addresses of a connection in TIME-WAIT,
 * when it cannot be an old duplicate: its timestamp is newer, or its sequence number lies beyond
 * what was received.
 */
static bool syn_ends_time_wait(const struct tcp_conn *c, const struct tcp_seg *seg)
{
	if (c->state != TCPS_TIME_WAIT || (seg->flags & (TCP_SYN | TCP_RST | TCP_ACK)) != TCP_SYN)
		return false;
	if (c->ts_ok && seg->opt.timestamps && seg->opt.tsval != c->ts_recent)
		return (int32_t)(seg->opt.tsval - c->ts_recent) > 0;
	return seq_gt(seg->seq, c->rcv.nxt);
}

/* RFC 9293 3.10.7.1: the state is CLOSED. */
static enum verdict tcp_closed_input(struct glass *g, struct pkt *p, const struct tcp_seg *seg)
{
	ENTER(g, p);
	EVENT(g, 0, p->id, TCP_IN, seg->flags, seg->seq.v, seg->flags & TCP_ACK ? seg->ack.v : 0,
	      seg->len, seg->wnd);
	if (!(seg->flags & TCP_RST))
		tcp_reply_rst(g, seg);
	return drop(g, p, TCP_NO_SOCKET, trace_end4(seg->src, seg->sport),
		    trace_end4(seg->dst, seg->dport));
}

enum verdict tcp_input(struct glass *g, struct pkt *p, const struct ip_info *ip)
{
	struct tcp_listener *l;
	struct tcp_embryo *e;
	struct tcp_conn *c;
	struct tcp_seg seg;
	enum verdict v;

	ENTER(g, p);
	stat_add(g, STAT_TCP_IN_SEGS, 1);
	if ((v = tcp_parse(g, p, ip, &seg)) != GO_ON)
		return v;
	if (ip->dst_group || !seg.src) /* MUST-57, MUST-63 */
		return drop(g, p, TCP_ADDRESS, ip->src, ip->dst);

	c = tcp_find(g, seg.dst, seg.dport, seg.src, seg.sport);
	if (c && syn_ends_time_wait(c, &seg) && tcp_find_listener(g, &seg)) {
		seg.tw_iss_ok = true;
		seg.tw_iss = seq_add(c->snd.nxt, TCP_TW_ISS_STEP);
		stat_inc(g, STAT_TCP_TW_RECYCLED);
		tcp_end(g, c, 0, "a new SYN takes over the addresses");
		c = NULL;
	}
	if (c)
		return hears(c->config.bound, &seg) ? tcp_conn_input(g, c, p, &seg)
						    : tcp_closed_input(g, p, &seg);
	e = tcp_embryo_find(g, seg.dst, seg.dport, seg.src, seg.sport);
	if (e)
		return hears(e->listener->config.bound, &seg) ? tcp_embryo_input(g, e, p, &seg)
							      : tcp_closed_input(g, p, &seg);
	l = tcp_find_listener(g, &seg);
	if (l)
		return tcp_listen_input(g, l, p, &seg);
	return tcp_closed_input(g, p, &seg);
}
