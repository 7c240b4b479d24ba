/* SPDX-License-Identifier: MIT */
/*
 * What the owner of the stack sets and reads: devices, addresses and routes. A refusal changes
 * nothing.
 *
 * In:  the owner, through glass.h.
 * Out: g->dev, g->addr, g->route; arp_announce() tells the neighbours of a new address.
 */
#include "config.h"

#include <string.h>

#include "../wire/eth.h"
#include "../wire/ip4.h"

#include "group.h"
#include "ip.h"
#include "link.h"
#include "tcp.h"

/* ---- devices --------------------------------------------------------------------------------- */

static bool name_ok(const struct glass *g, const char name[16])
{
	size_t length = strnlen(name, 16);

	if (!length || length == 16)
		return false;
	for (unsigned i = 0; i < g->ndev; i++) {
		if (!strcmp(g->dev[i].setup.name, name))
			return false;
	}
	return true;
}

static bool mtu_ok(uint32_t mtu_bytes)
{
	return mtu_bytes >= IP4_MTU_MIN_BYTES && mtu_bytes <= IP4_TOTAL_MAX_BYTES;
}

static bool dev_setup_ok(const struct glass *g, const struct glass_dev_setup *s)
{
	if (!name_ok(g, s->name) || !mtu_ok(s->mtu_bytes))
		return false;
	if (s->link == GLASS_ETHERNET)
		return !eth_is_group(s->mac) && !eth_is_zero(s->mac);
	return s->link == GLASS_RAW_IP;
}

int glass_dev_add(struct glass *g, const struct glass_dev_setup *setup)
{
	uint64_t name[2];

	if (!dev_setup_ok(g, setup))
		return -EINVAL;
	if (g->ndev == DEV_MAX)
		return -ENOSPC;
	g->dev[g->ndev] = (struct dev){ .setup = *setup, .up = true };
	if (g->ndev != DEV_LO) {
		memcpy(name, setup->name, sizeof(name));
		EVENT(g, 0, 0, DEV_NEW, g->ndev, name[0], name[1], setup->mtu_bytes);
	}
	return (int)g->ndev++;
}

void dev_add_loopback(struct glass *g)
{
	const struct glass_dev_setup lo = {
		.name = "lo",
		.link = GLASS_RAW_IP,
		.mtu_bytes = LO_MTU_BYTES,
		.offload = GLASS_OFFLOAD_CSUM,
	};

	glass_dev_add(g, &lo);
	glass_addr_add(g, DEV_LO, glass_ip4(127, 0, 0, 1), 8);
}

int glass_dev_set_mtu(struct glass *g, unsigned dev, uint32_t mtu_bytes)
{
	if (dev >= g->ndev || !mtu_ok(mtu_bytes))
		return -EINVAL;
	g->dev[dev].setup.mtu_bytes = mtu_bytes;
	tcp_dev_mtu(g, dev);
	return 0;
}

/* RFC 5227 2.3: the neighbours forget what they knew of this address. */
static void addr_announce(struct glass *g, const struct ip_addr *a)
{
	if (g->dev[a->dev].setup.link == GLASS_ETHERNET && g->dev[a->dev].up)
		arp_announce(g, a->dev, a->addr);
}

int glass_dev_set_up(struct glass *g, unsigned dev, bool up)
{
	if (dev >= g->ndev)
		return -EINVAL;
	if (g->dev[dev].up == up)
		return 0;
	g->dev[dev].up = up;
	if (!up)
		neigh_flush(g, dev);
	igmp_dev_up(g, dev, up);
	for (unsigned i = 0; up && i < g->naddr; i++) {
		if (g->addr[i].dev == dev)
			addr_announce(g, &g->addr[i]);
	}
	return 0;
}

bool glass_dev_at(const struct glass *g, unsigned i, struct glass_dev_info *out)
{
	const struct dev *d = &g->dev[i < DEV_MAX ? i : 0];

	if (i >= g->ndev)
		return false;
	*out = (struct glass_dev_info){
		.setup = d->setup,
		.up = d->up,
		.rx_packets = d->rx_packets,
		.rx_bytes = d->rx_bytes,
		.rx_dropped = d->rx_dropped,
		.tx_packets = d->tx_packets,
		.tx_bytes = d->tx_bytes,
		.tx_dropped = d->tx_dropped,
	};
	return true;
}

/* ---- routes ---------------------------------------------------------------------------------- */

static ip4_t network_of(ip4_t addr, unsigned bits)
{
	return bits ? addr & ~0u << (32 - bits) : 0;
}

static struct ip_route *route_at(struct glass *g, ip4_t dst, unsigned bits)
{
	for (unsigned i = 0; i < g->nroute; i++) {
		if (g->route[i].dst == dst && g->route[i].prefix_bits == bits)
			return &g->route[i];
	}
	return NULL;
}

/* Longest prefixes first. The caller has seen that there is room. */
static void route_insert(struct glass *g, struct ip_route r)
{
	unsigned i = g->nroute++;

	for (; i && g->route[i - 1].prefix_bits < r.prefix_bits; i--)
		g->route[i] = g->route[i - 1];
	g->route[i] = r;
}

static void route_remove(struct glass *g, struct ip_route *r)
{
	struct ip_route *end = g->route + --g->nroute;

	memmove(r, r + 1, (size_t)(end - r) * sizeof(*r));
}

int glass_route_add(struct glass *g, struct glass_addr dst, unsigned prefix_bits,
		    struct glass_addr via, unsigned dev)
{
	ip4_t to = ip4_of_addr(&dst), gateway = via.family == GLASS_IP4 ? ip4_of_addr(&via) : 0;

	if (dst.family != GLASS_IP4 || prefix_bits > 32 || dev >= g->ndev ||
	    network_of(to, prefix_bits) != to)
		return -EINVAL;
	if (via.family == GLASS_IP4 && (!ip_is_on_link(g, dev, gateway) || ip_is_local(g, gateway)))
		return -EINVAL;
	if (via.family != GLASS_IP4 && via.family != GLASS_UNSPEC)
		return -EINVAL;
	if (route_at(g, to, prefix_bits))
		return -EEXIST;
	if (g->nroute == ROUTE_MAX)
		return -ENOSPC;
	route_insert(g,
		     (struct ip_route){
			     .dev = dev, .prefix_bits = prefix_bits, .dst = to, .via = gateway });
	return 0;
}

int glass_route_del(struct glass *g, struct glass_addr dst, unsigned prefix_bits)
{
	struct ip_route *r;

	if (dst.family != GLASS_IP4 || prefix_bits > 32)
		return -EINVAL;
	r = route_at(g, ip4_of_addr(&dst), prefix_bits);
	if (!r)
		return -ESRCH;
	route_remove(g, r);
	return 0;
}

bool glass_route_at(const struct glass *g, unsigned i, struct glass_route_info *out)
{
	const struct ip_route *r = &g->route[i < ROUTE_MAX ? i : 0];

	if (i >= g->nroute)
		return false;
	*out = (struct glass_route_info){
		.dev = r->dev,
		.prefix_bits = r->prefix_bits,
		.dst = addr_of_ip4(r->dst),
		.src = addr_of_ip4(ip_source(g, r->dev, r->via ? r->via : r->dst)),
	};
	if (r->via)
		out->via = addr_of_ip4(r->via);
	return true;
}

/* ---- addresses ------------------------------------------------------------------------------- */

static int addr_check(const struct glass *g, unsigned dev, const struct glass_addr *addr,
		      unsigned prefix_bits)
{
	ip4_t a = ip4_of_addr(addr);

	if (addr->family != GLASS_IP4 || dev >= g->ndev || !prefix_bits || prefix_bits > 32)
		return -EINVAL;
	if (ip_is_loopback(a) != (dev == DEV_LO) || !(a >> 24) || a >> 29 == 7)
		return -EINVAL;
	for (unsigned i = 0; i < g->naddr; i++) {
		if (g->addr[i].addr == a)
			return -EEXIST;
	}
	return g->naddr == ADDR_MAX ? -ENOSPC : 0;
}

int glass_addr_add(struct glass *g, unsigned dev, struct glass_addr addr, unsigned prefix_bits)
{
	int err = addr_check(g, dev, &addr, prefix_bits);
	ip4_t a = ip4_of_addr(&addr);
	bool connected;

	if (err)
		return err;
	connected = prefix_bits < 32 && !route_at(g, network_of(a, prefix_bits), prefix_bits);
	if (connected && g->nroute == ROUTE_MAX)
		return -ENOSPC;
	g->addr[g->naddr++] = (struct ip_addr){
		.dev = dev, .prefix_bits = prefix_bits, .addr = a, .defended_ns = INT64_MIN / 2
	};
	if (connected)
		route_insert(g, (struct ip_route){ .dev = dev,
						   .prefix_bits = prefix_bits,
						   .dst = network_of(a, prefix_bits) });
	addr_announce(g, &g->addr[g->naddr - 1]);
	return 0;
}

/* The connected route stays while another address of the device lies in it. */
static void connected_route_remove(struct glass *g, const struct ip_addr *gone)
{
	ip4_t net = network_of(gone->addr, gone->prefix_bits);
	struct ip_route *r = route_at(g, net, gone->prefix_bits);

	if (!r || r->via || r->dev != gone->dev)
		return;
	for (unsigned i = 0; i < g->naddr; i++) {
		const struct ip_addr *a = &g->addr[i];

		if (a->dev == gone->dev && a->prefix_bits == gone->prefix_bits &&
		    network_of(a->addr, a->prefix_bits) == net)
			return;
	}
	route_remove(g, r);
}

int glass_addr_del(struct glass *g, unsigned dev, struct glass_addr addr)
{
	ip4_t a = ip4_of_addr(&addr);
	struct ip_addr gone;

	for (unsigned i = 0; i < g->naddr; i++) {
		if (addr.family != GLASS_IP4 || g->addr[i].dev != dev || g->addr[i].addr != a)
			continue;
		gone = g->addr[i];
		memmove(&g->addr[i], &g->addr[i + 1], (--g->naddr - i) * sizeof(g->addr[0]));
		connected_route_remove(g, &gone);
		return 0;
	}
	return -EADDRNOTAVAIL;
}

bool glass_addr_at(const struct glass *g, unsigned i, struct glass_addr_info *out)
{
	const struct ip_addr *a = &g->addr[i < ADDR_MAX ? i : 0];

	if (i >= g->naddr)
		return false;
	*out = (struct glass_addr_info){ a->dev, a->prefix_bits, addr_of_ip4(a->addr) };
	return true;
}
