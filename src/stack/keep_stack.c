/* SPDX-License-Identifier: MIT */
/*
 * What belongs to the stack as a whole: devices, addresses, routes, keys; counters and tunables.
 *
 * In: src/socket/sock_keep.c.  Out: save.h.
 */
#include "group.h"
#include "ip_frag.h"
#include "keep.h"
#include "neigh.h"
#include "tcp.h"
#include "udp.h"

/* ---- the beginning --------------------------------------------------------------------------- */

static void dev_fields(struct save *s, struct dev *d)
{
	save_array(s, "name", d->setup.name, sizeof(d->setup.name));
	save_array(s, "mac", d->setup.mac, sizeof(d->setup.mac));
	SAVE(s, d->setup.link);
	SAVE(s, d->setup.mtu_bytes);
	SAVE(s, d->setup.offload);
	SAVE_FLAG(s, d->up);
	SAVE(s, d->rx_packets);
	SAVE(s, d->rx_bytes);
	SAVE(s, d->rx_dropped);
	SAVE(s, d->tx_packets);
	SAVE(s, d->tx_bytes);
	SAVE(s, d->tx_dropped);
}

static void addr_fields(struct save *s, struct ip_addr *a)
{
	SAVE(s, a->dev);
	SAVE(s, a->prefix_bits);
	SAVE(s, a->addr);
	SAVE(s, a->defended_ns);
}

static void route_fields(struct save *s, struct ip_route *r)
{
	SAVE(s, r->dev);
	SAVE(s, r->prefix_bits);
	SAVE(s, r->dst);
	SAVE(s, r->via);
}

/* One more of an array, while there is another to write or to read. */
static bool row(struct save *s, const char *kind, unsigned *n, unsigned i, unsigned max)
{
	if (!save_reading(s))
		return i < *n && save_begin(s, kind);
	if (!save_begin(s, kind))
		return false;
	*n = i + 1;
	return save_check(s, i < max, "more devices, addresses or routes than there may be");
}

static bool dev_sane(struct dev *d)
{
	d->setup.name[sizeof(d->setup.name) - 1] = '\0';
	return d->setup.link <= GLASS_RAW_IP && d->setup.mtu_bytes <= 65535 && d->setup.mtu_bytes;
}

static void keys_fields(struct save *s, struct glass *g)
{
	save_array(s, "rng.key", &g->rng.key, sizeof(g->rng.key));
	save_array(s, "neigh.key", &g->neigh->key, sizeof(g->neigh->key));
	save_array(s, "frag.key", &g->frag->key, sizeof(g->frag->key));
	save_array(s, "frag.id_key", &g->frag->id_key, sizeof(g->frag->id_key));
	save_array(s, "frag.ids", g->frag->ids, sizeof(g->frag->ids));
	save_array(s, "udp.port_key", &g->udp->port_key, sizeof(g->udp->port_key));
	save_array(s, "udp.group_key", &g->udp->group_key, sizeof(g->udp->group_key));
	SAVE(s, g->trace.now_ns);
}

void stack_keep(struct save *s, struct glass *g)
{
	if (save_begin(s, "keys")) {
		keys_fields(s, g);
		save_end(s);
	}
	for (unsigned i = 0; row(s, "device", &g->ndev, i, DEV_MAX); i++) {
		dev_fields(s, &g->dev[i]);
		save_check(s, dev_sane(&g->dev[i]), "a device is damaged");
		save_end(s);
	}
	for (unsigned i = 0; row(s, "address", &g->naddr, i, ADDR_MAX); i++) {
		addr_fields(s, &g->addr[i]);
		save_check(s, g->addr[i].dev < g->ndev && g->addr[i].prefix_bits <= 32,
			   "an address is damaged");
		save_end(s);
	}
	for (unsigned i = 0; row(s, "route", &g->nroute, i, ROUTE_MAX); i++) {
		route_fields(s, &g->route[i]);
		save_check(s, g->route[i].dev < g->ndev && g->route[i].prefix_bits <= 32,
			   "a route is damaged");
		save_end(s);
	}
}

/* ---- the end --------------------------------------------------------------------------------- */

static void tunables_keep(struct save *s, struct glass *g)
{
	if (!save_begin(s, "tunables"))
		return;
#define TUNABLE(name, initial, min, max, unit, doc) \
	SAVE_AS(s, #name, g->tun.name);             \
	save_check(s, g->tun.name >= (min) && g->tun.name <= (max), "a tunable is out of range");
#include "../base/tunable.def"
#undef TUNABLE
	save_end(s);
	save_check(s, g->tun.ip_port_first <= g->tun.ip_port_last, "a tunable is out of range");
}

static void stats_keep(struct save *s, struct glass *g)
{
	if (save_begin(s, "counters")) {
#define STAT(ID, group, name, doc) SAVE_AS(s, #ID, g->stats[STAT_##ID]);
#include "../base/stats.def"
#undef STAT
		save_end(s);
	}
	if (save_begin(s, "drops")) {
#define DROP(ID, text, source, advice, fields) SAVE_AS(s, #ID, g->drops[DROP_##ID]);
#include "../base/drop.def"
#undef DROP
		save_end(s);
	}
}

void stack_keep_rest(struct save *s, struct glass *g)
{
	tunables_keep(s, g);
	stats_keep(s, g);
	if (!save_begin(s, "rest")) {
		save_fail(s, "the state is cut short");
		return;
	}
	SAVE(s, g->rng.counter);
	SAVE(s, g->trace.last_act);
	SAVE(s, g->timers.order);
	SAVE(s, g->last_sock);
	SAVE(s, g->udp->numbers);
	save_end(s);
}
