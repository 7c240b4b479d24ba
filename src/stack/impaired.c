/* SPDX-License-Identifier: MIT */
/*
 * A bad network made on purpose: the owner of the stack decides what becomes of frames, here it is
 * counted and told.
 *
 * In: glass_output_impaired, glass_input_impaired.  Out: the trace, drops.
 */
#include "../wire/eth.h"
#include "../wire/ip4.h"
#include "../wire/tcp.h"

#include "link.h"
#include "tcp.h"

static void fate_event(struct glass *g, const struct pkt *p, const struct glass_fate *f)
{
	uint64_t what = 0;

	switch (f->what) {
	case GLASS_FATE_LATER:
		what = WORD("later");
		break;
	case GLASS_FATE_TWICE:
		what = WORD("twice");
		break;
	case GLASS_FATE_DAMAGED:
		what = WORD("damaged");
		break;
	case GLASS_FATE_REORDERED:
		what = WORD("reordered");
		break;
	case GLASS_FATE_MARKED:
		what = WORD("marked");
		break;
	case GLASS_FATE_LOST:
	case GLASS_FATE_AIMED:
	case GLASS_FATE_QUEUE_FULL:
		return;
	}
	EVENT(g, p->conn, p->id, NET, what, f->bytes, f->at, (uint64_t)f->delay_ns);
}

static enum verdict fate_drop(struct glass *g, struct pkt *p, const struct glass_fate *f)
{
	if (f->what == GLASS_FATE_AIMED)
		return drop(g, p, NET_AIMED, f->bytes, f->at);
	if (f->what == GLASS_FATE_QUEUE_FULL)
		return drop(g, p, NET_QUEUE_FULL, f->bytes, f->at);
	return drop(g, p, NET_LOSS, f->bytes, f->at);
}

/* ---- out ---- */

/* A part of the packet that goes out now: a drop that frees nothing. */
static void drop_part(struct glass *g, const struct pkt *p, const struct glass_frame *frame,
		      const struct glass_fate *f)
{
	enum verdict reason = f->what == GLASS_FATE_AIMED	 ? DROP_NET_AIMED
			      : f->what == GLASS_FATE_QUEUE_FULL ? DROP_NET_QUEUE_FULL
								 : DROP_NET_LOSS;

	g->drops[reason]++;
	g->dev[frame->dev].tx_dropped++;
	stat_inc(g, STAT_TX_DROPPED);
	if (p)
		TRACE(g, DROP, WORD(__func__), p->conn, p->id, p->cause,
		      TRACE_VALUES((uint64_t)reason, f->bytes, f->at), 3);
}

void glass_output_impaired(struct glass *g, const struct glass_frame *frame,
			   const struct glass_fate *fate)
{
	struct pkt *p = g->leaving;

	if (p && p->id != frame->id)
		p = NULL;
	if (fate->what < GLASS_FATE_LOST) {
		if (p)
			fate_event(g, p, fate);
		return;
	}
	if (p && fate->bytes == frame->length)
		fate_drop(g, stack_take_back(g, frame), fate);
	else
		drop_part(g, p, frame, fate);
}

/* ---- in ---- */

/* Whose it would have been, so that a lost segment shows in its connection's story. */
static uint32_t whose(struct glass *g, const struct pkt *p)
{
	uint32_t at = dev_header_bytes(&g->dev[p->dev]);
	const struct eth_header *eth = pkt_peek(p, 0, sizeof(*eth));
	const struct ip4_header *ip = pkt_peek(p, at, sizeof(*ip));
	const struct tcp_header *tcp;
	const struct tcp_conn *c;

	if (!ip || ip->proto != IP_PROTO_TCP || (at && be16_get(eth->type) != ETH_TYPE_IP4))
		return 0;
	tcp = pkt_peek(p, at + ip4_header_length(ip), sizeof(*tcp));
	if (!tcp)
		return 0;
	c = tcp_find(g, be32_get(ip->dst), be16_get(tcp->dport), be32_get(ip->src),
		     be16_get(tcp->sport));
	return c ? c->id : 0;
}

enum verdict fate_input(struct glass *g, struct pkt *p, const struct glass_fate *fate)
{
	if (fate->what < GLASS_FATE_LOST) {
		fate_event(g, p, fate);
		return GO_ON;
	}
	p->conn = whose(g, p);
	return fate_drop(g, p, fate);
}
