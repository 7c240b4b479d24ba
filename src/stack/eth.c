/* SPDX-License-Identifier: MIT */
/*
 * Ethernet: which frames are for us, and of which protocol.
 *
 * In:  glass_input() with a frame of an Ethernet device; arp_resolve() and arp.c with something to
 * send. Out: ip_input(), arp_input(); dev_output().
 */
#include "../wire/eth.h"

#include "group.h"
#include "link.h"

enum verdict eth_input(struct glass *g, struct pkt *p)
{
	const uint8_t *mac = g->dev[p->dev].setup.mac;
	uint32_t bytes = p->len;
	const struct eth_header *h;
	uint16_t type;

	ENTER(g, p);
	h = pkt_pull(p, sizeof(*h));
	if (!h)
		return drop(g, p, ETH_SHORT, bytes, sizeof(*h));
	type = be16_get(h->type);
	EVENT(g, 0, p->id, ETH_IN, trace_mac(h->src), trace_mac(h->dst), type);
	if (eth_is_group(h->src))
		return drop(g, p, ETH_SOURCE, trace_mac(h->src));
	/* RFC 1112 6.4: some groups share an address; which it is, IP decides. */
	if (eth_is_group(h->dst) && !group_hears_mac(g, p->dev, h->dst))
		return drop(g, p, ETH_GROUP, trace_mac(h->dst));
	if (eth_is_group(h->dst))
		p->flags |= PKT_LINK_BROADCAST;
	else if (!eth_same(h->dst, mac))
		return drop(g, p, ETH_NOT_FOR_US, trace_mac(h->dst), trace_mac(mac));
	if (type == ETH_TYPE_IP4)
		return ip_input(g, p);
	if (type == ETH_TYPE_ARP)
		return arp_input(g, p);
	return drop(g, p, ETH_TYPE, type);
}

enum verdict eth_output(struct glass *g, struct pkt *p, const uint8_t dst[MAC_BYTES], uint16_t type)
{
	struct eth_header *h;

	ENTER(g, p);
	h = pkt_push(p, sizeof(*h));
	memcpy(h->dst, dst, MAC_BYTES);
	memcpy(h->src, g->dev[p->dev].setup.mac, MAC_BYTES);
	h->type = be16_of(type);
	return dev_output(g, p);
}
