/* SPDX-License-Identifier: MIT */
/*
 * ARP: who is at an IPv4 address? RFC 826, with RFC 5227's defence of our own address.
 *
 * What ARP says is not proven, so it is believed only as far as needed: replies that we asked for,
 * and requests that ask for us. Everything else changes nothing but, at most, makes us ask
 * (neigh_claimed).
 *
 * In:  eth_input(); neigh.c when it wants to know somebody; glass_addr_add() with a new address.
 * Out: neigh.c with what was learned; eth_output().
 */
#include "../wire/arp.h"

#include "ip.h"
#include "link.h"

#define ARP_DEFEND_NS (10 * NS_PER_S) /* RFC 5227 2.4: DEFEND_INTERVAL */

static const uint8_t broadcast[MAC_BYTES] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static const uint8_t nobody[MAC_BYTES];

/* dst: whom the frame is for; target_mac: what the packet says of the target. */
struct arp_send {
	unsigned dev;
	uint16_t op;
	ip4_t sender, target;
	const uint8_t *dst, *target_mac;
};

static void arp_send(struct glass *g, const struct arp_send *s)
{
	struct pkt *p = pkt_build(g, dev_header_bytes(&g->dev[s->dev]), sizeof(struct arp_packet));
	struct arp_packet *arp;

	if (!p)
		return;
	ENTER(g, p);
	EVENT(g, 0, p->id, ARP_OUT, s->op, s->target, s->sender);
	arp = pkt_put(p, sizeof(*arp));
	*arp = (struct arp_packet){
		.hw = be16_of(ARP_HW_ETHERNET),
		.proto = be16_of(ETH_TYPE_IP4),
		.lengths = be16_of(ARP_LENGTHS),
		.op = be16_of(s->op),
		.sender = be32_of(s->sender),
		.target = be32_of(s->target),
	};
	memcpy(arp->sender_mac, g->dev[s->dev].setup.mac, MAC_BYTES);
	memcpy(arp->target_mac, s->target_mac, MAC_BYTES);
	p->dev = (uint8_t)s->dev;
	stat_inc(g, s->op == ARP_OP_REPLY ? STAT_ARP_OUT_REPLIES : STAT_ARP_OUT_REQUESTS);
	eth_output(g, p, s->dst, ETH_TYPE_ARP);
}

void arp_request(struct glass *g, unsigned dev, ip4_t target, const uint8_t *mac)
{
	arp_send(g, &(struct arp_send){
			    .dev = dev,
			    .op = ARP_OP_REQUEST,
			    .sender = ip_source(g, dev, target),
			    .target = target,
			    .dst = mac ? mac : broadcast,
			    .target_mac = nobody,
		    });
}

void arp_announce(struct glass *g, unsigned dev, ip4_t addr)
{
	arp_send(g, &(struct arp_send){
			    .dev = dev,
			    .op = ARP_OP_REQUEST,
			    .sender = addr,
			    .target = addr,
			    .dst = broadcast,
			    .target_mac = nobody,
		    });
}

/* The address of this device that is addr; NULL: it is none of them. */
static struct ip_addr *own_address(struct glass *g, unsigned dev, ip4_t addr)
{
	for (unsigned i = 0; i < g->naddr; i++) {
		if (g->addr[i].dev == dev && g->addr[i].addr == addr)
			return &g->addr[i];
	}
	return NULL;
}

/* RFC 5227 2.4 (b): tell once that it is ours; more often would be a war. */
static void arp_defend(struct glass *g, struct ip_addr *a)
{
	if (now(g) - a->defended_ns < ARP_DEFEND_NS)
		return;
	a->defended_ns = now(g);
	arp_announce(g, a->dev, a->addr);
}

static enum verdict arp_check_format(struct glass *g, struct pkt *p, const struct arp_packet *arp)
{
	uint16_t hw = be16_get(arp->hw), proto = be16_get(arp->proto),
		 lengths = be16_get(arp->lengths);
	uint16_t op = be16_get(arp->op);

	if (hw != ARP_HW_ETHERNET || proto != ETH_TYPE_IP4 || lengths != ARP_LENGTHS)
		return drop(g, p, ARP_FORMAT, hw, (uint64_t)proto << 16 | lengths);
	if (op != ARP_OP_REQUEST && op != ARP_OP_REPLY)
		return drop(g, p, ARP_OP, op);
	return GO_ON;
}

/*
 * Could this be a host? Zero as sender's address is a probe of RFC 5227 2.1.1, which only requests
 * are.
 */
static enum verdict arp_check_sender(struct glass *g, struct pkt *p, const struct arp_packet *arp)
{
	const uint8_t *mac = arp->sender_mac;
	ip4_t sender = be32_get(arp->sender);
	struct ip_addr *own = own_address(g, p->dev, sender);
	bool probe = !sender && be16_get(arp->op) == ARP_OP_REQUEST;

	if (eth_is_group(mac) || eth_is_zero(mac) || eth_same(mac, g->dev[p->dev].setup.mac))
		return drop(g, p, ARP_SENDER_MAC, trace_mac(mac), sender);
	if (!probe && !ip_is_host(g, sender))
		return drop(g, p, ARP_SENDER_IP, sender);
	if (!own)
		return GO_ON;
	arp_defend(g, own);
	return drop(g, p, ARP_CONFLICT, trace_mac(mac), sender);
}

static enum verdict arp_got_request(struct glass *g, struct pkt *p, const struct arp_packet *arp)
{
	ip4_t sender = be32_get(arp->sender), target = be32_get(arp->target);

	if (!own_address(g, p->dev, target)) {
		neigh_claimed(g, p->dev, sender, arp->sender_mac);
		return drop(g, p, ARP_NOT_FOR_US, target);
	}
	if (ip_is_on_link(g, p->dev, sender))
		neigh_learn(g, p->dev, sender, arp->sender_mac);
	arp_send(g, &(struct arp_send){
			    .dev = p->dev,
			    .op = ARP_OP_REPLY,
			    .sender = target,
			    .target = sender,
			    .dst = arp->sender_mac,
			    .target_mac = arp->sender_mac,
		    });
	return accept_packet(g, p);
}

static enum verdict arp_got_reply(struct glass *g, struct pkt *p, const struct arp_packet *arp)
{
	ip4_t sender = be32_get(arp->sender);

	if (own_address(g, p->dev, be32_get(arp->target)) &&
	    neigh_answered(g, p->dev, sender, arp->sender_mac))
		return accept_packet(g, p);
	neigh_claimed(g, p->dev, sender, arp->sender_mac);
	return drop(g, p, ARP_UNSOLICITED, sender);
}

enum verdict arp_input(struct glass *g, struct pkt *p)
{
	const struct arp_packet *arp = pkt_peek(p, 0, sizeof(*arp));
	enum verdict v;

	ENTER(g, p);
	stat_inc(g, STAT_ARP_IN);
	if (!arp)
		return drop(g, p, ARP_SHORT, p->len, sizeof(*arp));
	v = arp_check_format(g, p, arp);
	if (v != GO_ON)
		return v;
	EVENT(g, 0, p->id, ARP_IN, be16_get(arp->op), be32_get(arp->sender),
	      trace_mac(arp->sender_mac), be32_get(arp->target));
	v = arp_check_sender(g, p, arp);
	if (v != GO_ON)
		return v;
	return be16_get(arp->op) == ARP_OP_REQUEST ? arp_got_request(g, p, arp)
						   : arp_got_reply(g, p, arp);
}
