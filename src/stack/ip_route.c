/* SPDX-License-Identifier: MIT */
/*
 * Routing: by which device, to which neighbour, from which of our addresses? The longest prefix
 * decides (RFC 1122 3.3.1). The table is kept sorted, so the first match is the best.
 *
 * Ours is the weak host model of RFC 1122 3.3.4.2, as Linux': a packet to any of our addresses is
 * taken from any device.
 *
 * In:  whoever sends: TCP once per connection, UDP and ICMP per packet.
 * Out: nothing is changed.
 */
#include "ip.h"

static ip4_t prefix_mask(unsigned bits)
{
	return bits ? ~0u << (32 - bits) : 0;
}

static bool prefix_has(ip4_t prefix, unsigned bits, ip4_t addr)
{
	return !((prefix ^ addr) & prefix_mask(bits));
}

bool ip_is_local(const struct glass *g, ip4_t addr)
{
	if (ip_is_loopback(addr))
		return true;
	for (unsigned i = 0; i < g->naddr; i++) {
		if (g->addr[i].addr == addr)
			return true;
	}
	return false;
}

bool ip_is_broadcast(const struct glass *g, ip4_t addr)
{
	if (addr == UINT32_MAX || ip_is_multicast(addr))
		return true;
	for (unsigned i = 0; i < g->naddr; i++) {
		const struct ip_addr *a = &g->addr[i];

		/* RFC 3021: a prefix of 31 bits has no broadcast address. */
		if (a->prefix_bits < 31 && addr == (a->addr | ~prefix_mask(a->prefix_bits)))
			return true;
	}
	return false;
}

bool ip_is_host(const struct glass *g, ip4_t addr)
{
	return addr >> 24 && !ip_is_loopback(addr) && addr >> 28 != 0xf &&
	       !ip_is_broadcast(g, addr);
}

bool ip_is_on_link(const struct glass *g, unsigned dev, ip4_t addr)
{
	for (unsigned i = 0; i < g->nroute; i++) {
		const struct ip_route *r = &g->route[i];

		if (prefix_has(r->dst, r->prefix_bits, addr))
			return r->dev == dev && !r->via;
	}
	return false;
}

ip4_t ip_source(const struct glass *g, unsigned dev, ip4_t dst)
{
	ip4_t first = 0;

	for (unsigned i = 0; i < g->naddr; i++) {
		const struct ip_addr *a = &g->addr[i];

		if (a->dev != dev)
			continue;
		if (prefix_has(a->addr, a->prefix_bits, dst))
			return a->addr;
		first = first ? first : a->addr;
	}
	return first;
}

uint8_t ip_heard_by(const struct glass *g, unsigned dev, ip4_t dst)
{
	for (unsigned i = 0; dev == DEV_LO && i < g->naddr; i++)
		if (g->addr[i].addr == dst)
			return (uint8_t)(g->addr[i].dev + 1);
	return (uint8_t)(dev + 1);
}

/* Of a device without addresses packets leave with any address that others can answer to. */
static ip4_t any_source(const struct glass *g, unsigned dev, ip4_t next_hop)
{
	ip4_t src = ip_source(g, dev, next_hop);

	for (unsigned i = 0; !src && i < g->naddr; i++)
		src = ip_is_loopback(g->addr[i].addr) ? 0 : g->addr[i].addr;
	return src;
}

static const struct ip_route *route_find(const struct glass *g, ip4_t dst)
{
	for (unsigned i = 0; i < g->nroute; i++) {
		const struct ip_route *r = &g->route[i];

		if (prefix_has(r->dst, r->prefix_bits, dst) && g->dev[r->dev].up)
			return r;
	}
	return NULL;
}

/*
 * The limited broadcast and groups have no route of their own: the source's device, else the first
 * one.
 */
static const struct dev *group_dev(const struct glass *g, ip4_t src)
{
	for (unsigned i = 0; i < g->naddr; i++) {
		const struct ip_addr *a = &g->addr[i];

		if (a->dev != DEV_LO && g->dev[a->dev].up && (!src || a->addr == src))
			return &g->dev[a->dev];
	}
	return NULL;
}

static int route_local(ip4_t dst, ip4_t src, struct ip_path *out)
{
	*out = (struct ip_path){
		.dev = DEV_LO, .next_hop = dst, .src = src ? src : dst, .mtu_bytes = LO_MTU_BYTES
	};
	return 0;
}

static int route_by(const struct glass *g, unsigned dev, ip4_t next_hop, ip4_t src,
		    struct ip_path *out)
{
	*out = (struct ip_path){
		.dev = dev,
		.next_hop = next_hop,
		.src = src ? src : any_source(g, dev, next_hop),
		.mtu_bytes = g->dev[dev].setup.mtu_bytes,
	};
	return out->src ? 0 : -ENETUNREACH;
}

static int route_by_device(const struct glass *g, unsigned dev, ip4_t dst, ip4_t src,
			   struct ip_path *out)
{
	bool group = dst == UINT32_MAX || ip_is_multicast(dst);

	if (dev >= g->ndev)
		return -ENODEV;
	if (!g->dev[dev].up)
		return -ENETDOWN;
	for (unsigned i = 0; !group && i < g->nroute; i++) {
		const struct ip_route *r = &g->route[i];

		if (r->dev == dev && prefix_has(r->dst, r->prefix_bits, dst))
			return route_by(g, dev, r->via ? r->via : dst, src, out);
	}
	return route_by(g, dev, dst, src, out);
}

int ip_route_by(const struct glass *g, ip4_t dst, ip4_t src, unsigned ifindex, struct ip_path *out)
{
	if (!ifindex || ip_is_local(g, dst))
		return ip_route(g, dst, src, out);
	if (src && ip_is_loopback(src) && ifindex - 1 != DEV_LO)
		return -EINVAL; /* as below */
	return route_by_device(g, ifindex - 1, dst, src, out);
}

int ip_route(const struct glass *g, ip4_t dst, ip4_t src, struct ip_path *out)
{
	const struct ip_route *r;
	const struct dev *d;

	if (ip_is_local(g, dst))
		return route_local(dst, src, out);
	if (src && ip_is_loopback(src))
		return -EINVAL; /* RFC 1122 3.2.1.3 (g): 127/8 never leaves the host */
	if (dst == UINT32_MAX || ip_is_multicast(dst)) {
		d = group_dev(g, src);
		return d ? route_by(g, (unsigned)(d - g->dev), dst, src, out) : -ENETUNREACH;
	}
	r = route_find(g, dst);
	return r ? route_by(g, r->dev, r->via ? r->via : dst, src, out) : -ENETUNREACH;
}
