/* SPDX-License-Identifier: MIT */
/*
 * Neighbours: who is at which hardware address, and the packets that wait until we know.
 *
 * Theory of operation. The states are those of RFC 4861 7.3.2, which Linux uses for ARP too:
 *
 *	INCOMPLETE -reply-> REACHABLE -time-> STALE -packet-> DELAY -5 s-> PROBE -in vain-> FAILED
 *	     | in vain: FAILED  ^--------- reply, or progress of TCP ---------'
 *
 * In INCOMPLETE packets wait, at most arp_queue_kb of them and the newest stay; from REACHABLE to
 * PROBE they are sent. When a neighbour fails, each packet that waited is dropped and its sender
 * told (EHOSTUNREACH); the next packet starts anew. An address learned is never replaced because
 * somebody says so: we ask whom we knew first. The table is bounded: neigh_table.c.
 *
 * In:  ip_output() with a packet to send; arp_input() with news; TCP with progress; timers.
 * Out: eth_output() with the packet; arp_request(); tcp_output_failed() and udp_output_failed().
 */
#include "../wire/eth.h"

#include "neigh.h"
#include "tcp.h"
#include "udp.h"

#define NEIGH_STALE_KEPT_NS (600 * NS_PER_S) /* unused entries go after this */
#define NEIGH_FAILED_KEPT_NS (60 * NS_PER_S)

static void neigh_arm(struct glass *g, struct neigh *n, int64_t delay_ns)
{
	timer_arm(&g->timers, &n->timer, now(g) + delay_ns);
}

/* ---- packets that wait ----------------------------------------------------------------------- */

/* RFC 1122 2.3.2.2: at least the latest packet is kept. */
static void queue_put(struct glass *g, struct neigh *n, struct pkt *p)
{
	EVENT(g, p->conn, p->id, NEIGH_QUEUE, n->addr, n->queued + 1);
	list_append(&n->queue, &p->node);
	n->queued++;
	n->queued_bytes += neigh_queue_cost(p);
	list_remove(&n->node);
	list_append(&g->neigh->waiting, &n->node);
	while (n->queued > 1 && n->queued_bytes > (uint64_t)g->tun.arp_queue_kb * 1024) {
		uint32_t held = n->queued_bytes;

		drop(g, neigh_take(n), NEIGH_QUEUE_FULL, held, n->addr);
	}
}

static void neigh_becomes_idle(struct glass *g, struct neigh *n)
{
	list_remove(&n->node);
	list_append(&g->neigh->idle, &n->node);
}

static void queue_send(struct glass *g, struct neigh *n)
{
	struct pkt *p;

	neigh_becomes_idle(g, n);
	while ((p = neigh_take(n)))
		eth_output(g, p, n->mac, ETH_TYPE_IP4);
}

/* p will not be sent: its sender learns of it, once for each connection. */
static void fail_packet(struct glass *g, struct list *waiting, struct pkt *p, ip4_t addr,
			unsigned probes)
{
	uint32_t conn = p->conn;

	if (!conn) {
		udp_output_failed(g, p, EHOSTUNREACH);
		drop(g, p, NEIGH_FAILED, addr, probes);
		return;
	}
	drop(g, p, NEIGH_FAILED, addr, probes);
	list_for_each_safe(other, waiting, struct pkt, node) {
		if (other->conn != conn)
			continue;
		list_remove(&other->node);
		drop(g, other, NEIGH_FAILED, addr, probes);
	}
	tcp_output_failed(g, conn, EHOSTUNREACH);
}

/* After the first sender is told, n may be gone or asked for again. */
static void neigh_fail(struct glass *g, struct neigh *n)
{
	unsigned probes = n->probes;
	ip4_t addr = n->addr;
	struct list waiting, *node;
	struct pkt *p;

	list_init(&waiting);
	while ((p = neigh_take(n)))
		list_append(&waiting, &p->node);
	stat_inc(g, STAT_ARP_FAILED);
	neigh_set(g, n, NEIGH_FAILED, "no answer");
	n->used_ns = NEIGH_NEVER_NS;
	list_remove(&n->node);
	list_prepend(&g->neigh->idle, &n->node);
	neigh_arm(g, n, NEIGH_FAILED_KEPT_NS);
	while ((node = list_take(&waiting)))
		fail_packet(g, &waiting, container_of(node, struct pkt, node), addr, probes);
}

/* ---- states ---------------------------------------------------------------------------------- */

static void neigh_probe(struct glass *g, struct neigh *n)
{
	n->probes++;
	neigh_arm(g, n, g->tun.arp_retrans_ms * NS_PER_MS);
	EVENT(g, 0, 0, TIMER_SET, WORD("arp"), (uint64_t)(g->tun.arp_retrans_ms * NS_PER_MS),
	      WORD("request sent"));
	arp_request(g, n->dev, n->addr, n->state == NEIGH_PROBE ? n->mac : NULL);
}

static void neigh_start_probing(struct glass *g, struct neigh *n, uint64_t why)
{
	neigh_change(g, n, NEIGH_PROBE, why);
	neigh_probe(g, n);
}

static void neigh_becomes_stale(struct glass *g, struct neigh *n, uint64_t why)
{
	neigh_change(g, n, NEIGH_STALE, why);
	neigh_arm(g, n, NEIGH_STALE_KEPT_NS);
}

/* RFC 4861 6.3.2: between half and one and a half of the base, so that hosts do not ask in step. */
static void neigh_becomes_reachable(struct glass *g, struct neigh *n, uint64_t why)
{
	int64_t base = g->tun.arp_reachable_ms * NS_PER_MS;

	if (n->state != NEIGH_REACHABLE)
		n->reachable_ns = base / 2 + (int64_t)((rng_u64(&g->rng) >> 1) % (uint64_t)base);
	neigh_change(g, n, NEIGH_REACHABLE, why);
	n->confirmed_ns = now(g);
	neigh_arm(g, n, n->reachable_ns);
}

/*
 * A packet goes to a neighbour whom we have not heard of for long: a hint from above may spare us
 * asking.
 */
static void neigh_becomes_delay(struct glass *g, struct neigh *n)
{
	neigh_set(g, n, NEIGH_DELAY, "packet sent");
	neigh_arm(g, n, g->tun.arp_delay_ms * NS_PER_MS);
}

static void neigh_expired(struct glass *g, struct neigh *n)
{
	switch ((enum neigh_state)n->state) {
	case NEIGH_INCOMPLETE:
	case NEIGH_PROBE:
		if (n->probes < g->tun.arp_probes_max)
			neigh_probe(g, n);
		else
			neigh_fail(g, n);
		break;
	case NEIGH_REACHABLE:
		neigh_becomes_stale(g, n, WORD("not confirmed for long"));
		break;
	case NEIGH_DELAY:
		neigh_start_probing(g, n, WORD("no hint from above"));
		break;
	case NEIGH_NONE:
	case NEIGH_STALE:
	case NEIGH_FAILED:
		neigh_set(g, n, NEIGH_NONE, "unused");
		neigh_free(g, n);
		break;
	}
}

void neigh_timer(struct glass *g, struct timer *t)
{
	TIMER_ENTER(g, t, "arp");

	neigh_expired(g, container_of(t, struct neigh, timer));
	act_end(g, outer);
}

/* ---- doors ----------------------------------------------------------------------------------- */

static enum verdict send_to_group(struct glass *g, struct pkt *p)
{
	uint8_t mac[MAC_BYTES];

	ip_group_mac(p->next_hop, mac);
	if (!ip_is_multicast(p->next_hop))
		memset(mac, 0xff, sizeof(mac));
	return eth_output(g, p, mac, ETH_TYPE_IP4);
}

static enum verdict neigh_output(struct glass *g, struct neigh *n, struct pkt *p)
{
	neigh_used(g, n);
	switch ((enum neigh_state)n->state) {
	case NEIGH_STALE:
		neigh_becomes_delay(g, n);
		break;
	case NEIGH_REACHABLE:
	case NEIGH_DELAY:
	case NEIGH_PROBE:
		break;
	case NEIGH_NONE:
	case NEIGH_FAILED:
		neigh_set(g, n, NEIGH_INCOMPLETE, "packet to send");
		queue_put(g, n, p);
		neigh_probe(g, n);
		return ACCEPTED;
	case NEIGH_INCOMPLETE:
		queue_put(g, n, p);
		return ACCEPTED;
	}
	return eth_output(g, p, n->mac, ETH_TYPE_IP4);
}

enum verdict arp_resolve(struct glass *g, struct pkt *p)
{
	struct neigh *n = neigh_find(g, p->dev, p->next_hop);

	ENTER(g, p);
	if (!n && ip_is_broadcast(g, p->next_hop))
		return send_to_group(g, p);
	if (!n)
		n = neigh_new(g, p->dev, p->next_hop);
	if (n)
		return neigh_output(g, n, p);
	if (g->neigh->count >= (uint64_t)g->tun.arp_cache_max)
		return drop(g, p, NEIGH_TABLE_FULL, g->neigh->count);
	return drop(g, p, NO_MEMORY, sizeof(*n), g->pool.bytes);
}

void neigh_confirm(struct glass *g, unsigned dev, ip4_t addr)
{
	struct neigh *n = neigh_find(g, dev, addr);

	if (n && n->state != NEIGH_INCOMPLETE && n->state != NEIGH_FAILED)
		neigh_becomes_reachable(g, n, WORD("progress of TCP"));
}

bool neigh_waited_for(const struct glass *g, unsigned dev, ip4_t addr)
{
	const struct neigh *n = neigh_find(g, dev, addr);

	return n && n->queued;
}

bool neigh_answered(struct glass *g, unsigned dev, ip4_t addr, const uint8_t mac[MAC_BYTES])
{
	struct neigh *n = neigh_find(g, dev, addr);

	if (!n || (n->state != NEIGH_INCOMPLETE && n->state != NEIGH_PROBE))
		return false;
	/*
	 * A probe is answered by whom it was sent to. Another one's answer must not take his
	 * place.
	 */
	if (n->state == NEIGH_PROBE && !eth_same(n->mac, mac))
		return false;
	memcpy(n->mac, mac, MAC_BYTES);
	neigh_becomes_reachable(g, n, WORD("reply"));
	queue_send(g, n);
	return true;
}

void neigh_claimed(struct glass *g, unsigned dev, ip4_t addr, const uint8_t mac[MAC_BYTES])
{
	struct neigh *n = neigh_find(g, dev, addr);

	if (!n || eth_same(n->mac, mac))
		return;
	if (n->state == NEIGH_REACHABLE || n->state == NEIGH_STALE || n->state == NEIGH_DELAY)
		neigh_start_probing(g, n, WORD("another one claims the address"));
}

void neigh_learn(struct glass *g, unsigned dev, ip4_t addr, const uint8_t mac[MAC_BYTES])
{
	struct neigh *n = neigh_find(g, dev, addr);

	if (!n)
		n = neigh_new(g, dev, addr);
	if (!n)
		return;
	if (n->state == NEIGH_REACHABLE || n->state == NEIGH_DELAY || n->state == NEIGH_PROBE) {
		neigh_claimed(g, dev, addr, mac);
		return;
	}
	memcpy(n->mac, mac, MAC_BYTES);
	neigh_becomes_stale(g, n, WORD("asked for us"));
	if (!n->queued)
		return;
	neigh_becomes_delay(g, n);
	queue_send(g, n);
}

static void neigh_flush_list(struct glass *g, struct list *l, unsigned dev)
{
	struct pkt *p;

	list_for_each_safe(n, l, struct neigh, node) {
		if (n->dev != dev)
			continue;
		while ((p = neigh_take(n)))
			drop(g, p, DEV_DOWN, dev);
		neigh_set(g, n, NEIGH_NONE, "device down");
		neigh_free(g, n);
	}
}

void neigh_flush(struct glass *g, unsigned dev)
{
	neigh_flush_list(g, &g->neigh->waiting, dev);
	neigh_flush_list(g, &g->neigh->idle, dev);
}
