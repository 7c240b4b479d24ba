/* SPDX-License-Identifier: MIT */
/*
 * Neighbours: who is at which hardware address, and the packets that wait until we know.
 *
 * Theory of operation. The states are those of RFC 4861 7.3.2, which Linux uses for ARP too:
 *
 *	INCOMPLETE --reply--> REACHABLE --time--> STALE --packet--> DELAY --5 s--> PROBE --no answer--> FAILED
 *	     |  asked in vain: FAILED   ^----------- reply, or progress of TCP ----------'
 *
 * In INCOMPLETE packets wait, at most arp_queue_kb of them and the newest stay; from REACHABLE to PROBE they are
 * sent. When a neighbour fails, each packet that waited is dropped and its sender told (EHOSTUNREACH); the
 * next packet starts anew. An address learned is never replaced because somebody says so: we ask whom we knew first.
 *
 * The table is bounded (arp_cache_max). Neighbours with packets waiting are in the list `waiting` and stay. The others
 * are in `idle`, ordered by last use: the front one makes room unless it was in use a moment ago.
 *
 * In:  ip_output() with a packet to send; arp_input() with news; TCP with progress; timers.
 * Out: eth_output() with the packet; arp_request().
 */
#include "../wire/eth.h"

#include "tcp.h"
#include "udp.h"

#define NEIGH_BUSY_NS (5 * NS_PER_S)	     /* used so recently that it makes no room */
#define NEIGH_STALE_KEPT_NS (600 * NS_PER_S) /* unused entries go after this */
#define NEIGH_FAILED_KEPT_NS (60 * NS_PER_S)
#define NEIGH_NEVER_NS (INT64_MIN / 2)	     /* a time long ago */
#define NEIGH_BUCKETS_MIN 64

struct neigh {
	struct list bucket; /* neighbours with the same hash */
	struct list node;   /* in table->idle or table->waiting */
	struct timer timer;
	ip4_t addr;
	unsigned dev;
	uint8_t state, probes;
	uint8_t mac[MAC_BYTES];
	struct list queue; /* struct pkt */
	uint32_t queued, queued_bytes;
	int64_t used_ns, confirmed_ns, reachable_ns;
};

struct neigh_table {
	struct hash_key key;
	struct list *buckets;
	uint32_t nbuckets, count;
	struct list idle, waiting;
	struct neigh *last; /* found last: the next packet mostly has the same next hop */
};

#define neigh_set(g, n, to, why) neigh_change(g, n, to, WORD(why))

static void neigh_change(struct glass *g, struct neigh *n, enum neigh_state to, uint64_t why)
{
	if (n->state == to)
		return;
	EVENT(g, 0, 0, NEIGH_STATE, n->addr, n->state, to, why);
	n->state = (uint8_t)to;
	n->probes = 0;
}

static void neigh_arm(struct glass *g, struct neigh *n, int64_t delay_ns)
{
	timer_arm(&g->timers, &n->timer, now(g) + delay_ns);
}

/* ---- the table -------------------------------------------------------------------------------------- */

static struct list *bucket_of(const struct neigh_table *t, unsigned dev, ip4_t addr)
{
	return &t->buckets[siphash_u64(&t->key, addr, dev) & (t->nbuckets - 1)];
}

static struct neigh *neigh_find(const struct glass *g, unsigned dev, ip4_t addr)
{
	struct neigh_table *t = g->neigh;

	if (t->last && t->last->addr == addr && t->last->dev == dev)
		return t->last;
	list_for_each(n, bucket_of(t, dev, addr), struct neigh, bucket) {
		if (n->addr == addr && n->dev == dev)
			return t->last = n;
	}
	return NULL;
}

static bool buckets_alloc(struct glass *g, uint32_t nbuckets)
{
	struct neigh_table *t = g->neigh;
	struct list *old = t->buckets, *node, *fresh;
	uint32_t nold = t->nbuckets;

	fresh = pool_alloc(&g->pool, nbuckets * sizeof(*fresh));
	if (!fresh)
		return false;
	for (uint32_t i = 0; i < nbuckets; i++)
		list_init(&fresh[i]);
	t->buckets = fresh;
	t->nbuckets = nbuckets;
	for (uint32_t i = 0; i < nold; i++) {
		while ((node = list_take(&old[i]))) {
			struct neigh *n = container_of(node, struct neigh, bucket);

			list_append(bucket_of(t, n->dev, n->addr), node);
		}
	}
	pool_free(&g->pool, old, nold * sizeof(*old));
	return true;
}

static void neigh_free(struct glass *g, struct neigh *n)
{
	struct neigh_table *t = g->neigh;

	if (t->last == n)
		t->last = NULL;
	timer_stop(&g->timers, &n->timer);
	timers_release(&g->timers, 1);
	list_remove(&n->bucket);
	list_remove(&n->node);
	t->count--;
	pool_free(&g->pool, n, sizeof(*n));
}

/* Makes room for one more; false: everybody is in use. */
static bool neigh_make_room(struct glass *g)
{
	struct neigh_table *t = g->neigh;
	struct neigh *oldest;

	if (t->count < (uint64_t)g->tun.arp_cache_max)
		return true;
	if (list_empty(&t->idle))
		return false;
	oldest = list_first(&t->idle, struct neigh, node);
	if (oldest->used_ns > now(g) - NEIGH_BUSY_NS)
		return false;
	neigh_set(g, oldest, NEIGH_NONE, "least recently used, makes room");
	neigh_free(g, oldest);
	return true;
}

static void neigh_timer(struct glass *g, struct timer *t);

/* Nobody we have ever sent to: the first to make room. */
static struct neigh *neigh_new(struct glass *g, unsigned dev, ip4_t addr)
{
	struct neigh_table *t = g->neigh;
	struct neigh *n;

	if (!neigh_make_room(g) || !timers_reserve(&g->timers, 1))
		return NULL;
	n = pool_alloc(&g->pool, sizeof(*n));
	if (!n) {
		timers_release(&g->timers, 1);
		stat_inc(g, STAT_NOMEM);
		return NULL;
	}
	*n = (struct neigh){ .addr = addr, .dev = dev, .used_ns = NEIGH_NEVER_NS, .confirmed_ns = NEIGH_NEVER_NS };
	list_init(&n->queue);
	timer_init(&n->timer, neigh_timer);
	if (t->count >= t->nbuckets)
		buckets_alloc(g, t->nbuckets * 2); /* else the chains grow longer */
	list_append(bucket_of(t, dev, addr), &n->bucket);
	list_prepend(&t->idle, &n->node);
	t->count++;
	return n;
}

static void neigh_used(struct glass *g, struct neigh *n)
{
	if (n->used_ns == now(g))
		return;
	n->used_ns = now(g);
	if (!n->queued) {
		list_remove(&n->node);
		list_append(&g->neigh->idle, &n->node);
	}
}

/* ---- packets that wait ------------------------------------------------------------------------------ */

static uint32_t queue_cost(const struct pkt *p)
{
	return pkt_truesize(p) + p->frag_len;
}

static struct pkt *queue_take(struct neigh *n)
{
	struct list *node = list_take(&n->queue);
	struct pkt *p;

	if (!node)
		return NULL;
	p = container_of(node, struct pkt, node);
	n->queued--;
	n->queued_bytes -= queue_cost(p);
	return p;
}

/* RFC 1122 2.3.2.2: at least the latest packet is kept. */
static void queue_put(struct glass *g, struct neigh *n, struct pkt *p)
{
	EVENT(g, p->conn, p->id, NEIGH_QUEUE, n->addr, n->queued + 1);
	list_append(&n->queue, &p->node);
	n->queued++;
	n->queued_bytes += queue_cost(p);
	list_remove(&n->node);
	list_append(&g->neigh->waiting, &n->node);
	while (n->queued > 1 && n->queued_bytes > (uint64_t)g->tun.arp_queue_kb * 1024) {
		uint32_t held = n->queued_bytes;

		drop(g, queue_take(n), NEIGH_QUEUE_FULL, held, n->addr);
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
	while ((p = queue_take(n)))
		eth_output(g, p, n->mac, ETH_TYPE_IP4);
}

/* p will not be sent: its sender learns of it, once for each connection. */
static void fail_packet(struct glass *g, struct list *waiting, struct pkt *p, ip4_t addr, unsigned probes)
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
	while ((p = queue_take(n)))
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

/* ---- states ----------------------------------------------------------------------------------------- */

static void neigh_probe(struct glass *g, struct neigh *n)
{
	n->probes++;
	neigh_arm(g, n, g->tun.arp_retrans_ms * NS_PER_MS);
	EVENT(g, 0, 0, TIMER_SET, WORD("arp"), (uint64_t)(g->tun.arp_retrans_ms * NS_PER_MS), WORD("request sent"));
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

/* A packet goes to a neighbour whom we have not heard of for long: a hint from above may spare us asking. */
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

static void neigh_timer(struct glass *g, struct timer *t)
{
	TIMER_ENTER(g, t, "arp");

	neigh_expired(g, container_of(t, struct neigh, timer));
	act_end(g, outer);
}

/* ---- doors ------------------------------------------------------------------------------------------ */

/* RFC 1112 6.4: a group's hardware address holds the low 23 bits of its IP address. */
static enum verdict send_to_group(struct glass *g, struct pkt *p)
{
	uint8_t mac[MAC_BYTES] = { 0x01, 0x00, 0x5e, p->next_hop >> 16 & 0x7f, p->next_hop >> 8 & 0xff,
				   p->next_hop & 0xff };

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
	/* A probe is answered by whom it was sent to. Another one's answer must not take his place. */
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
		while ((p = queue_take(n)))
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

static const char *const state_names[] = {
	[NEIGH_NONE] = "NONE",	 [NEIGH_INCOMPLETE] = "INCOMPLETE", [NEIGH_REACHABLE] = "REACHABLE",
	[NEIGH_STALE] = "STALE", [NEIGH_DELAY] = "DELAY",	    [NEIGH_PROBE] = "PROBE",
	[NEIGH_FAILED] = "FAILED",
};

static void neigh_describe(const struct glass *g, const struct neigh *n, struct glass_neigh_info *out)
{
	*out = (struct glass_neigh_info){
		.dev = n->dev,
		.addr = addr_of_ip4(n->addr),
		.state = state_names[n->state],
		.probes = n->probes,
		.queued = n->queued,
		.confirmed_ns = n->confirmed_ns == NEIGH_NEVER_NS ? -1 : now(g) - n->confirmed_ns,
	};
	memcpy(out->mac, n->mac, MAC_BYTES);
}

bool glass_neigh_at(const struct glass *g, unsigned i, struct glass_neigh_info *out)
{
	const struct neigh_table *t = g->neigh;

	for (uint32_t b = 0; b < t->nbuckets; b++) {
		list_for_each(n, &t->buckets[b], struct neigh, bucket) {
			if (i--)
				continue;
			neigh_describe(g, n, out);
			return true;
		}
	}
	return false;
}

int neigh_init(struct glass *g)
{
	struct neigh_table *t = pool_alloc(&g->pool, sizeof(*t));

	if (!t)
		return -ENOMEM;
	g->neigh = t;
	t->key = rng_key(&g->rng);
	list_init(&t->idle);
	list_init(&t->waiting);
	return buckets_alloc(g, NEIGH_BUCKETS_MIN) ? 0 : -ENOMEM;
}

static void free_list(struct glass *g, struct list *l)
{
	struct pkt *p;

	list_for_each_safe(n, l, struct neigh, node) {
		while ((p = queue_take(n)))
			pkt_free(&g->pool, p);
		neigh_free(g, n);
	}
}

void neigh_fini(struct glass *g)
{
	struct neigh_table *t = g->neigh;

	if (!t)
		return;
	free_list(g, &t->waiting);
	free_list(g, &t->idle);
	pool_free(&g->pool, t->buckets, t->nbuckets * sizeof(*t->buckets));
	pool_free(&g->pool, t, sizeof(*t));
	g->neigh = NULL;
}
