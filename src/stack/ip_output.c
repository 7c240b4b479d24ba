/* SPDX-License-Identifier: MIT */
/*
 * IPv4 out: the header, and where the packet goes from here.
 *
 * In:  TCP, UDP and ICMP with a packet at its transport header and the path from ip_route().
 * Out: arp_resolve() on Ethernet, else dev_output(); frag_output() when it is too long.
 */
#include "../wire/ip4.h"

#include "ip.h"
#include "link.h"

/*
 * RFC 6864 4.1: a packet that cannot be cut needs no identification, and a constant one tells
 * nothing.
 */
static void write_header(struct glass *g, struct pkt *p, const struct ip_send *to)
{
	struct ip4_header *h = pkt_push(p, sizeof(*h));

	*h = (struct ip4_header){
		.version_ihl = IP4_VERSION_IHL,
		.tos = to->tos,
		.total_length = be16_of(pkt_len(p)),
		.id = be16_of(to->dont_fragment ? 0 : frag_next_id(g, to->dst)),
		.frag = be16_of(to->dont_fragment ? IP4_DONT_FRAGMENT : 0),
		.ttl = to->ttl ? to->ttl : (uint8_t)g->tun.ip_default_ttl,
		.proto = to->proto,
		.src = be32_of(to->src),
		.dst = be32_of(to->dst),
	};
	ip4_set_checksum(h);
	p->l3 = p->data;
	p->l4_proto = to->proto;
	EVENT(g, p->conn, p->id, IP_OUT, to->src, to->dst, to->proto, h->ttl, pkt_len(p));
}

enum verdict ip_send(struct glass *g, struct pkt *p, const struct ip_path *path)
{
	p->dev = (uint8_t)path->dev;
	p->next_hop = path->next_hop;
	if (g->dev[path->dev].setup.link == GLASS_ETHERNET)
		return arp_resolve(g, p);
	return dev_output(g, p);
}

enum verdict ip_output(struct glass *g, struct pkt *p, const struct ip_send *to,
		       const struct ip_path *path)
{
	uint32_t bytes = pkt_len(p) + IP4_HEADER_BYTES;

	ENTER(g, p);
	stat_inc(g, STAT_IP_OUT_REQUESTS);
	EVENT(g, p->conn, p->id, ROUTE, to->dst, path->next_hop, path->dev, to->src,
	      path->mtu_bytes);
	if (bytes > IP4_TOTAL_MAX_BYTES)
		return drop(g, p, IP_TOO_BIG, bytes, IP4_TOTAL_MAX_BYTES);
	if (bytes > path->mtu_bytes && !p->gso_size && to->dont_fragment)
		return drop(g, p, IP_TOO_BIG, bytes, path->mtu_bytes);
	write_header(g, p, to);
	if (bytes > path->mtu_bytes && !p->gso_size)
		return frag_output(g, p, path);
	return ip_send(g, p, path);
}
