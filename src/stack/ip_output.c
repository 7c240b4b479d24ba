/* SPDX-License-Identifier: MIT */
/*
 * IPv4 out: the header, and where the packet goes from here.
 *
 * In:  TCP, UDP and ICMP with a packet at its transport header and the path from ip_route().
 * Out: a copy for ourselves of what goes to a group; arp_resolve() on Ethernet, else dev_output();
 * frag_output() when it is too long.
 */
#include <string.h>

#include "../wire/ip4.h"

#include "group.h"
#include "link.h"

static unsigned header_bytes(const struct ip_send *to)
{
	return IP4_HEADER_BYTES + (to->router_alert ? IP4_ROUTER_ALERT_BYTES : 0);
}

/*
 * RFC 6864 4.1: a packet that cannot be cut needs no identification, and a constant one tells
 * nothing.
 */
static void write_header(struct glass *g, struct pkt *p, const struct ip_send *to)
{
	static const uint8_t router_alert[IP4_ROUTER_ALERT_BYTES] = { IP4_OPT_ROUTER_ALERT,
								      IP4_ROUTER_ALERT_BYTES };
	unsigned header = header_bytes(to);
	struct ip4_header *h = pkt_push(p, header);

	*h = (struct ip4_header){
		.version_ihl = (uint8_t)(IP4_VERSION_IHL + header / 4 - 5),
		.tos = to->tos,
		.total_length = be16_of(pkt_len(p)),
		.id = be16_of(to->dont_fragment ? 0 : frag_next_id(g, to->dst)),
		.frag = be16_of(to->dont_fragment ? IP4_DONT_FRAGMENT : 0),
		.ttl = to->ttl || to->stays ? to->ttl : (uint8_t)g->tun.ip_default_ttl,
		.proto = to->proto,
		.src = be32_of(to->src),
		.dst = be32_of(to->dst),
	};
	if (to->router_alert)
		memcpy(h + 1, router_alert, sizeof(router_alert));
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

static void count_group(struct glass *g, ip4_t dst, uint32_t bytes)
{
	bool multicast = ip_is_multicast(dst);

	if (!multicast && !ip_is_broadcast(g, dst))
		return;
	stat_inc(g, multicast ? STAT_IP_OUT_MCAST_PKTS : STAT_IP_OUT_BCAST_PKTS);
	stat_add(g, multicast ? STAT_IP_OUT_MCAST_OCTETS : STAT_IP_OUT_BCAST_OCTETS, bytes);
}

void ip_loop_copy(struct glass *g, const struct pkt *p, const struct ip_path *path)
{
	ip4_t dst = path->next_hop;
	struct pkt *copy;

	/* What goes by lo comes back as it is. */
	if (path->dev == DEV_LO || !ip_is_broadcast(g, dst) ||
	    (ip_is_multicast(dst) && !group_hears(g, path->dev, dst)))
		return;
	copy = pkt_new(&g->pool, IP_HEADROOM, pkt_len(p));
	if (!copy) {
		stat_inc(g, STAT_NOMEM);
		return;
	}
	pkt_copy_out(p, 0, pkt_put(copy, pkt_len(p)), pkt_len(p));
	copy->id = p->id;
	copy->cause = p->cause;
	copy->dev = (uint8_t)path->dev;
	copy->flags = p->flags;
	dev_loop(g, copy);
}

/* p, which has its header, on its way: to ourselves, to the others. */
static enum verdict on_its_way(struct glass *g, struct pkt *p, const struct ip_send *to,
			       const struct ip_path *path)
{
	uint32_t bytes = pkt_len(p);

	count_group(g, to->dst, bytes);
	if (to->loop)
		ip_loop_copy(g, p, path);
	if (to->stays && path->dev != DEV_LO)
		return accept_packet(g, p);
	if (bytes > path->mtu_bytes && !p->gso_size)
		return frag_output(g, p, path);
	return ip_send(g, p, path);
}

enum verdict ip_output(struct glass *g, struct pkt *p, const struct ip_send *to,
		       const struct ip_path *path)
{
	uint32_t bytes = pkt_len(p) + header_bytes(to);

	ENTER(g, p);
	stat_inc(g, STAT_IP_OUT_REQUESTS);
	EVENT(g, p->conn, p->id, ROUTE, to->dst, path->next_hop, path->dev, to->src,
	      path->mtu_bytes);
	if (bytes > IP4_TOTAL_MAX_BYTES)
		return drop(g, p, IP_TOO_BIG, bytes, IP4_TOTAL_MAX_BYTES);
	if (bytes > path->mtu_bytes && !p->gso_size && to->dont_fragment)
		return drop(g, p, IP_TOO_BIG, bytes, path->mtu_bytes);
	write_header(g, p, to);
	return on_its_way(g, p, to, path);
}
