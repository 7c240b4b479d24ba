/* SPDX-License-Identifier: MIT */
/*
 * A man in the middle who looks only: every frame of both directions as it goes onto the wire,
 * held against what RFC 9293, 7323 and 2018 demand of a sender, whatever the other side does.
 *
 * In: the wire (sim_on_wire).  Out: fail().
 */
#include "inside.h"

#include <string.h>

#include "../../src/wire/eth.h"
#include "../../src/wire/ip4.h"
#include "../../src/wire/tcp.h"

#define PROTO_TCP 6
#define JUDGED_FLOWS_MAX 64 /* with more of them it would take too long to find each */

/* A segment, taken apart. */
struct view {
	struct flow *flow;
	unsigned from;
	struct seq seq, ack, end; /* end: behind SYN, payload and FIN */
	uint32_t len, window;
	uint8_t flags;
	const uint8_t *payload;
	struct tcp_options opt;
};

static struct flow *flow_of(struct world *w, uint16_t port)
{
	for (unsigned i = 0; i < w->nflows && w->nflows <= JUDGED_FLOWS_MAX; i++)
		if (w->flows[i].port == port)
			return &w->flows[i];
	return NULL;
}

/* false: it is no segment of a connection that we know. */
static bool look(struct world *w, unsigned from, const uint8_t *frame, size_t length,
		 struct view *v)
{
	const struct ip4_header *ip = (const void *)(frame + ETH_HEADER_BYTES);
	const struct eth_header *eth = (const void *)frame;
	const struct tcp_header *h;
	size_t head;

	if (length < ETH_HEADER_BYTES + IP4_HEADER_BYTES + TCP_HEADER_BYTES ||
	    be16_get(eth->type) != ETH_TYPE_IP4 || ip->proto != PROTO_TCP)
		return false;
	h = (const void *)((const uint8_t *)ip + ip4_header_length(ip));
	head = (size_t)(h->data_offset >> 4) * 4;
	v->from = from;
	v->flow = flow_of(w, be16_get(from ? h->dport : h->sport));
	v->seq = seq_of(be32_get(h->seq));
	v->ack = seq_of(be32_get(h->ack));
	v->flags = h->flags;
	v->window = be16_get(h->window);
	v->payload = (const uint8_t *)h + head;
	v->len = (uint32_t)(frame + length - v->payload);
	v->end = seq_add(v->seq, v->len + !!(h->flags & TCP_SYN) + !!(h->flags & TCP_FIN));
	v->opt = (struct tcp_options){ 0 };
	tcp_options_read((const uint8_t *)(h + 1), head - TCP_HEADER_BYTES, &v->opt);
	return v->flow != NULL;
}

#define BAD(w, v, format, ...)                                                           \
	fail(w, "flow %u, the wire from side %u: " format, (v)->flow->number, (v)->from, \
	     __VA_ARGS__)

/* The stream's bytes are always the same ones, however often they are sent. */
static void judge_payload(struct world *w, const struct view *v, const struct wire_dir *d)
{
	uint32_t place = v->seq.v + !!(v->flags & TCP_SYN) - d->iss.v - 1, done = 0, n;

	for (; done < v->len; done += n) {
		n = v->len - done < CHUNK_MAX ? v->len - done : CHUNK_MAX;
		if (memcmp(v->payload + done, expected(w, v->flow, v->from, place + done), n) != 0)
			BAD(w, v, "wrong bytes between %u and %u", place + done, place + done + n);
	}
}

/* No frame is refused by the device, or lost for want of memory, before the wire has seen it. */
static bool all_leave(const struct world *w)
{
	return !w->sc->refuse[0] && !w->sc->refuse[1] && !w->sc->fail_every && !w->sc->mem_max_mb;
}

/* RFC 9293 3.4, 3.8.6: no hole, nothing beyond the window that was offered, nothing after FIN. */
static void judge_sequence(struct world *w, const struct view *v, struct wire_dir *d,
			   const struct wire_dir *peer)
{
	if (seq_gt(v->seq, d->high) && all_leave(w))
		BAD(w, v, "seq %u leaves a hole behind %u", v->seq.v - d->iss.v,
		    d->high.v - d->iss.v);
	if (v->len && peer->acked && seq_gt(seq_add(v->seq, v->len), peer->edge))
		BAD(w, v, "bytes up to %u, but %u is the window's edge",
		    v->seq.v + v->len - d->iss.v, peer->edge.v - d->iss.v);
	if (d->fin && seq_gt(v->end, seq_add(d->fin_at, 1)))
		BAD(w, v, "bytes up to %u behind the FIN at %u", v->end.v - d->iss.v,
		    d->fin_at.v - d->iss.v);
	if (v->flags & TCP_FIN) {
		if (d->fin && !seq_eq(d->fin_at, seq_add(v->end, UINT32_MAX)))
			BAD(w, v, "FIN at %u and at %u", d->fin_at.v - d->iss.v,
			    v->end.v - 1 - d->iss.v);
		d->fin = true;
		d->fin_at = seq_add(v->end, UINT32_MAX);
	}
	d->high = seq_max(d->high, v->end);
}

/* RFC 2018 3, RFC 2883 4: blocks lie in what was sent; all but a first one above the ACK. */
static void judge_sack(struct world *w, const struct view *v, const struct wire_dir *peer)
{
	for (unsigned i = 0; i < v->opt.nsack; i++) {
		const struct tcp_sack_block *b = &v->opt.sack[i];

		if (!seq_lt(b->start, b->end) || seq_gt(b->end, peer->high) ||
		    (i && seq_leq(b->start, v->ack)))
			BAD(w, v, "SACK %u of %u..%u, ack %u, sent are %u", i,
			    b->start.v - peer->iss.v, b->end.v - peer->iss.v,
			    v->ack.v - peer->iss.v, peer->high.v - peer->iss.v);
	}
}

/*
 * RFC 9293 3.8.6: the right edge does not move left (RFC 7323 2.3: but for what scaling cuts off; a
 * SYN-ACK that comes again after data, as RFC 7413 allows, cannot say more than 64 KB);
 * an ACK does not go back and covers what was sent only.
 */
static void judge_ack(struct world *w, const struct view *v, struct wire_dir *d,
		      const struct wire_dir *peer)
{
	bool syn = v->flags & TCP_SYN;
	uint32_t unit = 1u << d->wscale, window = syn ? v->window : v->window * unit;
	struct seq edge = seq_add(v->ack, window);

	if (!peer->seen || seq_gt(v->ack, peer->high))
		BAD(w, v, "acknowledges %u, sent are %u", v->ack.v - peer->iss.v,
		    peer->high.v - peer->iss.v);
	if (d->acked && seq_lt(v->ack, d->ack))
		BAD(w, v, "acknowledges %u after %u", v->ack.v - peer->iss.v,
		    d->ack.v - peer->iss.v);
	if (d->acked && !syn && seq_diff(d->edge, edge) >= (int32_t)unit)
		BAD(w, v, "the window's edge moves from %u back to %u", d->edge.v - peer->iss.v,
		    edge.v - peer->iss.v);
	d->edge = d->acked ? seq_max(d->edge, edge) : edge;
	d->ack = v->ack;
	d->acked = true;
	judge_sack(w, v, peer);
}

/* RFC 7323 4.2, 5.3: a clock that does not go back; the echo is of something that was sent. */
static void judge_timestamps(struct world *w, const struct view *v, struct wire_dir *d,
			     const struct wire_dir *peer)
{
	if (d->ts && !v->opt.timestamps)
		BAD(w, v, "no timestamp, seq %u", v->seq.v - d->iss.v);
	if (d->ts && (int32_t)(v->opt.tsval - d->tsval) < 0)
		BAD(w, v, "timestamp %u after %u", v->opt.tsval, d->tsval);
	if (d->ts && (v->flags & TCP_ACK) && (int32_t)(v->opt.tsecr - peer->tsval) > 0)
		BAD(w, v, "echoes the timestamp %u, sent are %u", v->opt.tsecr, peer->tsval);
	d->tsval = v->opt.timestamps ? v->opt.tsval : d->tsval;
}

static void begin(const struct view *v, struct wire_dir *d)
{
	*d = (struct wire_dir){ .seen = true, .iss = v->seq, .high = v->seq };
	d->wscale = v->opt.wscale_ok ? v->opt.wscale : 0;
	d->tsval = v->opt.tsval;
}

/* Both SYNs were seen: what they agreed on holds (RFC 7323 2.2, 3.2). */
static void agree(struct wire_dir *a, struct wire_dir *b, const struct view *synack)
{
	a->ts = b->ts = synack->opt.timestamps;
	if (!synack->opt.wscale_ok)
		a->wscale = b->wscale = 0;
}

static unsigned judge(struct world *w, const struct view *v)
{
	struct wire_dir *d = &v->flow->dir[v->from], *peer = &v->flow->dir[!v->from];
	bool again = d->seen && seq_lt(v->seq, d->high) && !seq_eq(v->end, v->seq);

	if ((v->flags & TCP_RST) || (!d->seen && !(v->flags & TCP_SYN)))
		return 0;
	if ((v->flags & TCP_SYN) && (!d->seen || !seq_eq(d->iss, v->seq))) {
		begin(v, d);
		if (v->flags & TCP_ACK)
			agree(d, peer, v);
	}
	judge_sequence(w, v, d, peer);
	judge_payload(w, v, d);
	if (v->flags & TCP_ACK)
		judge_ack(w, v, d, peer);
	judge_timestamps(w, v, d, peer);
	return again ? IMPAIR_AGAIN : 0;
}

unsigned wire_frame(void *arg, unsigned from, const uint8_t *frame, size_t length)
{
	struct world *w = arg;
	struct view v;

	return look(w, from, frame, length, &v) ? judge(w, &v) : 0;
}
