/* SPDX-License-Identifier: MIT */
/*
 * What the records of a packet tell of its addresses, ports and kind.
 *
 * In: story.c.  Out: nothing.
 */
#include <string.h>

#include "story.h"

#define FIN 0x01
#define SYN 0x02
#define RST 0x04

static void learn_protocol(struct packet *p, uint64_t proto)
{
	p->is |= PACKET_IP | (proto == GLASS_TCP    ? PACKET_TCP
			      : proto == GLASS_UDP  ? PACKET_UDP
			      : proto == GLASS_PING ? PACKET_ICMP
						    : 0);
}

static void learn_addresses(struct packet *p, uint64_t src, uint64_t dst)
{
	p->src = (uint32_t)src;
	p->dst = (uint32_t)dst;
}

static void learn_ends(struct packet *p, uint64_t src, uint64_t dst)
{
	learn_addresses(p, src >> 16, dst >> 16);
	p->sport = (uint16_t)src;
	p->dport = (uint16_t)dst;
	p->is |= PACKET_PORTS;
}

static void learn_segment(struct packet *p, uint64_t flags, uint64_t len)
{
	p->is |= PACKET_IP | PACKET_TCP | (flags & SYN ? PACKET_SYN : 0) |
		 (flags & FIN ? PACKET_FIN : 0) | (flags & RST ? PACKET_RST : 0) |
		 (len ? PACKET_DATA : 0);
	if (!len && !(flags & (SYN | FIN | RST)))
		p->is |= PACKET_ACK;
}

/* A packet that nobody wants tells its ends by the values of the reason. */
static void learn_drop(struct packet *p, const struct glass_record *r)
{
	const struct glass_drop_desc *d =
		r->v[0] < UINT32_MAX ? glass_drop_desc((unsigned)r->v[0]) : NULL;
	uint64_t src = 0, dst = 0;

	p->is |= PACKET_DROP;
	for (unsigned i = 0; d && i < 2; i++) {
		if (d->field[i].kind != GLASS_KIND_END4)
			continue;
		*(strcmp(d->field[i].name, "from") ? &dst : &src) = r->v[1 + i];
	}
	if (src && dst && !(p->is & PACKET_PORTS))
		learn_ends(p, src, dst);
}

static void learn_frame(struct packet *p, const struct glass_record *r)
{
	p->bytes = (uint32_t)r->v[1];
	p->is |= r->event == EV_RX ? PACKET_IN : PACKET_OUT;
}

void packet_learn(struct packet *p, const struct glass_record *r)
{
	switch (r->event) {
	case EV_RX:
	case EV_TX:
		learn_frame(p, r);
		break;
	case EV_ARP_IN:
		learn_addresses(p, r->v[1], r->v[3]);
		p->is |= PACKET_ARP;
		break;
	case EV_ARP_OUT:
		learn_addresses(p, r->v[2], r->v[1]);
		p->is |= PACKET_ARP | PACKET_OUT;
		break;
	case EV_IP_IN:
	case EV_IP_OUT:
		learn_protocol(p, r->v[2]);
		learn_addresses(p, r->v[0], r->v[1]);
		break;
	case EV_UDP_IN:
	case EV_UDP_OUT:
		learn_ends(p, r->v[0], r->v[1]);
		p->is |= PACKET_IP | PACKET_UDP;
		break;
	case EV_TCP_OUT:
		p->is |= PACKET_OUT;
		learn_segment(p, r->v[0], r->v[3]);
		break;
	case EV_TCP_IN:
		learn_segment(p, r->v[0], r->v[3]);
		break;
	case EV_TCP_RTX:
		p->is |= PACKET_RTX;
		break;
	case EV_DROP:
		learn_drop(p, r);
		break;
	default:
		break;
	}
}
