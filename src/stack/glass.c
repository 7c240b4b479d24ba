/* SPDX-License-Identifier: MIT */
/*
 * The doors of the stack: input, output, advance, next_deadline; birth and end.
 *
 * In: the owner of the stack (its birth and end: the socket layer).  Out: eth_input and ip_input
 * (frames), the timers, tcp_output_pending (what connections owe to the wire).
 */
#include "config.h"
#include "group.h"
#include "link.h"
#include "tcp.h"
#include "tcp_output.h"
#include "udp.h"

#include <assert.h>
#include <stdlib.h>

/* ---- life ------------------------------------------------------------------------------------ */

static int rooms_init(struct glass *g)
{
	int err = timers_reserve(&g->timers, 1) ? 0 : -ENOMEM;

	if (!err)
		err = neigh_init(g);
	if (!err)
		err = frag_init(g);
	if (!err)
		err = icmp_init(g);
	if (!err)
		err = group_init(g);
	if (!err)
		err = udp_init(g);
	if (!err)
		err = tcp_init(g);
	return err;
}

static void rooms_fini(struct glass *g)
{
	struct list *node;

	tcp_fini(g);
	udp_fini(g);
	group_fini(g);
	icmp_fini(g);
	frag_fini(g);
	neigh_fini(g);
	pkt_free(&g->pool, g->leaving);
	while ((node = list_take(&g->outq)) || (node = list_take(&g->loopq)))
		pkt_free(&g->pool, container_of(node, struct pkt, node));
	timers_fini(&g->timers);
}

struct glass *stack_new(const struct glass_setup *setup)
{
	struct glass *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	tunables_init(g);
	pool_init(&g->pool, (uint64_t)g->tun.mem_max_mb << 20);
	timers_init(&g->timers, &g->pool);
	trace_init(&g->trace, setup->ring, setup->ring_bytes, setup->now_ns);
	rng_init(&g->rng, setup->seed);
	list_init(&g->outq);
	list_init(&g->loopq);
	list_init(&g->wakes);
	list_init(&g->socks);
	dev_add_loopback(g);
	if (!rooms_init(g))
		return g;
	stack_free(g);
	return NULL;
}

void stack_free(struct glass *g)
{
	g->trace.cause = 0;
	rooms_fini(g);
	pool_fini(&g->pool);
	free(g);
}

/* ---- packets --------------------------------------------------------------------------------- */

struct pkt *pkt_build(struct glass *g, size_t headroom, size_t size)
{
	struct pkt *p = pkt_new(&g->pool, headroom, size);

	if (!p) {
		stat_inc(g, STAT_NOMEM);
		return NULL;
	}
	p->id = trace_act(&g->trace);
	p->cause = g->trace.cause;
	p->flags = PKT_BUILT;
	return p;
}

/*
 * Whose drop it is. The packet that is coming in right now is accounted at the door; one that was
 * kept (a fragment, a segment out of order) has counted as accepted, which now turns out wrong.
 */
static void drop_account(struct glass *g, const struct pkt *p)
{
	if (p->flags & PKT_BUILT) {
		stat_inc(g, STAT_TX_DROPPED);
		return;
	}
	if (p->id == g->trace.cause)
		return;
	g->stats[STAT_RX_ACCEPTED]--;
	g->dev[p->flags & PKT_LOOPED ? DEV_LO : p->dev].rx_dropped++;
	stat_inc(g, STAT_RX_DROPPED);
}

enum verdict drop_packet(struct glass *g, struct pkt *p, enum verdict reason, uint64_t room,
			 const uint64_t *v, unsigned n)
{
	uint64_t values[3] = { reason, v[0], n > 1 ? v[1] : 0 };
	/* Who ends it, when that is not the packet's own walk: a timer; else who sent it. */
	uint32_t cause = g->trace.cause && g->trace.cause != p->id ? g->trace.cause : p->cause;

	g->drops[reason]++;
	drop_account(g, p);
	TRACE(g, DROP, room, p->conn, p->id, cause, values, 3);
	pkt_free(&g->pool, p);
	return reason;
}

struct pkt *glass_pkt_new(struct glass *g, size_t capacity)
{
	struct pkt *p = pkt_new(&g->pool, 0, capacity);

	g->lent += p != NULL;
	return p;
}

void glass_pkt_free(struct glass *g, struct pkt *p)
{
	g->lent -= p != NULL;
	pkt_free(&g->pool, p);
}

uint8_t *glass_pkt_room(struct pkt *p, size_t *capacity)
{
	*capacity = (size_t)(p->end - p->data);
	return p->data;
}

void glass_pkt_filled(struct pkt *p, size_t length, const struct glass_offload *off)
{
	assert(length <= (size_t)(p->end - p->data));
	p->len = (uint32_t)length;
	if (!off)
		return;
	p->flags = (uint8_t)((off->csum_partial ? PKT_CSUM_PARTIAL : 0) |
			     (off->csum_valid ? PKT_CSUM_VALID : 0) |
			     (off->gso_ecn ? PKT_GSO_ECN : 0));
	p->csum_start = off->csum_start;
	p->csum_offset = off->csum_offset;
	p->gso_size = off->gso_size;
	p->hdr_len = off->hdr_len;
}

/* ---- input ----------------------------------------------------------------------------------- */

/* What the device said with the frame, until dev_check_offload() has believed it. */
static struct glass_offload offload_take(struct pkt *p)
{
	struct glass_offload off = {
		.csum_partial = p->flags & PKT_CSUM_PARTIAL,
		.csum_valid = p->flags & PKT_CSUM_VALID,
		.csum_start = p->csum_start,
		.csum_offset = p->csum_offset,
		.gso_size = p->gso_size,
		.hdr_len = p->hdr_len,
		.gso_ecn = p->flags & PKT_GSO_ECN,
	};

	p->flags = 0;
	p->gso_size = 0;
	return off;
}

static enum verdict dev_input(struct glass *g, struct dev *d, struct pkt *p)
{
	struct glass_offload off = offload_take(p);
	enum verdict v;

	if (!d->up)
		return drop(g, p, DEV_DOWN, p->dev);
	if ((v = dev_check_offload(g, p, &off)) != GO_ON)
		return v;
	return d->setup.link == GLASS_ETHERNET ? eth_input(g, p) : ip_input(g, p);
}

/* The account: rx = accepted + dropped, always. */
static enum verdict account(struct glass *g, struct dev *d, enum verdict v)
{
	assert(v != GO_ON);
	if (v != ACCEPTED)
		d->rx_dropped++;
	stat_inc(g, v == ACCEPTED ? STAT_RX_ACCEPTED : STAT_RX_DROPPED);
	return v;
}

static void begin(struct glass *g, int64_t now_ns)
{
	if (now_ns > g->trace.now_ns)
		g->trace.now_ns = now_ns;
}

/* No pointer of the last act is held any more: what ended in it may go. */
void stack_end_act(struct glass *g)
{
	g->trace.cause = 0;
	tcp_reap(g);
}

int glass_input_impaired(struct glass *g, unsigned dev, struct pkt *p, int64_t now_ns,
			 const struct glass_fate *fate)
{
	struct dev *d = &g->dev[dev];
	enum verdict v;

	assert(dev < g->ndev && dev != DEV_LO);
	g->lent--;
	begin(g, now_ns);
	p->dev = (uint8_t)dev;
	p->id = trace_act(&g->trace);
	p->time_ns = now(g);
	g->trace.cause = p->id;
	d->rx_packets++;
	d->rx_bytes += p->len;
	stat_inc(g, STAT_DEV_RX);
	stat_add(g, STAT_DEV_RX_BYTES, p->len);
	/* One door to whoever reads the trace. */
	TRACE(g, RX, WORD("glass_input"), 0, p->id, p->id, TRACE_VALUES(dev, p->len, p->gso_size),
	      3);
	v = fate ? fate_input(g, p, fate) : GO_ON;
	if (v == GO_ON)
		v = dev_input(g, d, p);
	v = account(g, d, v);
	stack_end_act(g);
	return (int)v;
}

int glass_input(struct glass *g, unsigned dev, struct pkt *p, int64_t now_ns)
{
	return glass_input_impaired(g, dev, p, now_ns, NULL);
}

/* A packet that we sent to ourselves comes back by lo: an act of its own, caused by the sending. */
static bool loop_input(struct glass *g)
{
	struct dev *lo = &g->dev[DEV_LO];
	struct pkt *p = dev_loop_take(g);

	if (!p)
		return false;
	p->cause = p->id;
	g->trace.cause = p->cause;
	p->id = trace_act(&g->trace);
	EVENT(g, 0, p->id, RX, DEV_LO, p->len, p->gso_size);
	g->trace.cause = p->id;
	lo->rx_packets++;
	lo->rx_bytes += p->len;
	lo->tx_packets++;
	lo->tx_bytes += p->len;
	stat_inc(g, STAT_DEV_RX);
	stat_add(g, STAT_DEV_RX_BYTES, p->len);
	account(g, lo, ip_input(g, p));
	stack_end_act(g);
	return true;
}

/* ---- output ---------------------------------------------------------------------------------- */

static void frame_fill(struct glass_frame *f, const struct pkt *p)
{
	f->dev = p->dev;
	f->id = p->id;
	f->length = pkt_len(p);
	f->niov = 1;
	f->iov[0] = (struct glass_iov){ p->data, p->len };
	for (unsigned i = 0; i < p->nfrags; i++)
		f->iov[f->niov++] = (struct glass_iov){ p->frag[i].buf->bytes + p->frag[i].off,
							p->frag[i].len };
	f->off = (struct glass_offload){ 0 };
	if (p->flags & PKT_CSUM_PARTIAL) {
		f->off.csum_partial = true;
		f->off.csum_start = (uint16_t)(p->l4 - p->data);
		f->off.csum_offset = p->csum_offset;
	}
	if (p->gso_size) {
		f->off.gso_size = p->gso_size;
		f->off.hdr_len = (uint16_t)p->len;
		f->off.gso_ecn = p->flags & PKT_GSO_ECN;
	}
}

bool glass_output(struct glass *g, struct glass_frame *frame)
{
	struct dev *d;
	struct pkt *p;

	pkt_free(&g->pool, g->leaving);
	g->leaving = NULL;
	while (list_empty(&g->outq)) {
		if (!loop_input(g) && !tcp_output_pending(g))
			return false;
	}
	p = container_of(list_take(&g->outq), struct pkt, node);
	g->outq_len--;
	g->leaving = p;
	frame_fill(frame, p);
	d = &g->dev[p->dev];
	d->tx_packets++;
	d->tx_bytes += frame->length;
	stat_inc(g, STAT_DEV_TX);
	stat_add(g, STAT_DEV_TX_BYTES, frame->length);
	EVENT(g, p->conn, p->id, TX, p->dev, frame->length, p->gso_size, p->cause);
	return true;
}

struct pkt *stack_take_back(struct glass *g, const struct glass_frame *frame)
{
	struct dev *d = &g->dev[frame->dev];
	struct pkt *p = g->leaving;

	d->tx_packets--;
	d->tx_bytes -= frame->length;
	d->tx_dropped++;
	if (!p || p->id != frame->id) {
		stat_inc(g, STAT_TX_DROPPED);
		return NULL;
	}
	g->leaving = NULL;
	return p;
}

void glass_output_lost(struct glass *g, const struct glass_frame *frame, int error)
{
	struct pkt *p = stack_take_back(g, frame);

	if (p)
		drop(g, p, DEV_TX_FAILED, (uint64_t)error);
	else
		g->drops[DROP_DEV_TX_FAILED]++;
}

void glass_output_swallowed(struct glass *g, const struct glass_frame *frame, struct glass_addr dst)
{
	struct pkt *p = stack_take_back(g, frame);

	if (p)
		drop(g, p, BLACKHOLE, ip4_of_addr(&dst));
}

/* ---- time ------------------------------------------------------------------------------------ */

int64_t glass_next_deadline(struct glass *g)
{
	/* What is owed already is due now. */
	if (!list_empty(&g->outq) || !list_empty(&g->loopq) || !list_empty(&g->tcp->pending))
		return g->trace.now_ns;
	return timers_next(&g->timers);
}

void glass_advance(struct glass *g, int64_t now_ns)
{
	struct timer *t;

	begin(g, now_ns);
	while ((t = timers_take(&g->timers, now(g))))
		t->fire(g, t);
	stack_end_act(g);
}

void glass_memory(const struct glass *g, struct glass_memory *out)
{
	*out = (struct glass_memory){
		.bytes = g->pool.bytes,
		.bytes_max = g->pool.bytes_max,
		.packets = g->pool.pkts,
		.buffers = g->pool.bufs,
		.connections = g->tcp->nconns,
		.sockets = g->nsocks,
		.neighbours = neigh_count(g),
	};
}
