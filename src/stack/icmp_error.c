/* SPDX-License-Identifier: MIT */
/*
 * ICMP errors that we send: when it is allowed (RFC 1122 3.2.2), and not too often (RFC
 * 1812 4.3.2.8).
 *
 * Two limits, because one of them alone is a spy: who can make us send errors and count them learns
 * from a plain global limit what others make us send (CVE-2020-25705). So each destination has its
 * own small allowance, and what a message takes from the global one, which is asked last, is a
 * matter of chance.
 *
 * In:  rooms that refuse a packet and owe its sender an answer.
 * Out: ip_output().
 */
#include <string.h>

#include "../wire/checksum.h"
#include "../wire/icmp.h"
#include "../wire/ip4.h"

#include "ip.h"

#define ICMP_ERROR_BYTES_MAX \
	576		/* RFC 1812 4.3.2.3: of the whole error message, with its IP header */
#define ICMP_PEERS 1024 /* allowances: destinations whose hashes agree share one */
#define ICMP_PEER_INTERVAL_NS NS_PER_S
#define ICMP_PEER_BURST 6 /* as Linux */

/*
 * Tokens counted as time: at `full_ns` the bucket is full again; it is empty when that lies its
 * depth ahead.
 */
struct bucket {
	int64_t full_ns;
};

struct icmp_state {
	struct hash_key key;
	struct bucket global;
	struct bucket peer[ICMP_PEERS];
};

static bool bucket_take(struct bucket *b, int64_t now_ns, int64_t cost_ns, int64_t depth_ns)
{
	int64_t full_ns = b->full_ns > now_ns ? b->full_ns : now_ns;

	if (full_ns - now_ns >= depth_ns)
		return false;
	b->full_ns = full_ns + cost_ns;
	return true;
}

/* Each message costs nothing, one or two: one on average, but nobody can count by it. */
static bool global_take(struct glass *g)
{
	int64_t rate = g->tun.icmp_rate_per_s, interval_ns = rate ? NS_PER_S / rate : 0;

	return rate && bucket_take(&g->icmp->global, now(g), rng_below(&g->rng, 3) * interval_ns,
				   g->tun.icmp_burst * interval_ns);
}

static bool rate_allows(struct glass *g, ip4_t dst)
{
	struct icmp_state *s = g->icmp;
	struct bucket *peer = &s->peer[siphash_u64(&s->key, dst, 0) % ICMP_PEERS];

	return bucket_take(peer, now(g), ICMP_PEER_INTERVAL_NS,
			   ICMP_PEER_BURST * ICMP_PEER_INTERVAL_NS) &&
	       global_take(g);
}

/* Asks for something, rather than reports: such messages may be answered by an error. */
static bool is_query(uint8_t icmp_type)
{
	switch (icmp_type) {
	case ICMP_ECHO:
	case ICMP_ECHO_REPLY:
	case ICMP_TIMESTAMP:
	case ICMP_TIMESTAMP_REPLY:
	case ICMP_INFO:
	case ICMP_INFO_REPLY:
	case ICMP_MASK:
	case ICMP_MASK_REPLY:
		return true;
	default:
		return false;
	}
}

/* Bytes of p from its IP header on. */
static uint32_t bytes_from_l3(const struct pkt *p)
{
	return (uint32_t)(p->data + p->len - p->l3);
}

static bool is_icmp_error(const struct pkt *p)
{
	const struct ip4_header *h = (const struct ip4_header *)p->l3;

	if (h->proto != IP_PROTO_ICMP)
		return false;
	return bytes_from_l3(p) <= ip4_header_length(h) || !is_query(p->l3[ip4_header_length(h)]);
}

/* RFC 1122 3.2.2: why not to answer; 0: nothing speaks against it. */
static uint64_t quiet_why(struct glass *g, const struct pkt *p)
{
	const struct ip4_header *h = (const struct ip4_header *)p->l3;
	ip4_t src = be32_get(h->src), dst = be32_get(h->dst);

	if (is_icmp_error(p))
		return WORD("about an ICMP error");
	if (be16_get(h->frag) & IP4_FRAGMENT_OFFSET)
		return WORD("about a fragment that is not the first");
	if (p->flags & PKT_LINK_BROADCAST || ip_is_broadcast(g, dst))
		return WORD("about a broadcast");
	if (!(p->flags & PKT_LOOPED) && !ip_is_host(g, src))
		return WORD("the source is no host");
	/* As Linux: who is asked for by a program of this host may be told as often as it asks. */
	if (!(p->flags & PKT_LOOPED) && !rate_allows(g, src)) {
		stat_inc(g, STAT_ICMP_OUT_LIMITED);
		return WORD("rate limit");
	}
	return 0;
}

static struct pkt *error_build(struct glass *g, const struct pkt *about, uint8_t type, uint8_t code,
			       uint32_t rest)
{
	uint32_t quote = bytes_from_l3(about);
	uint32_t quote_max = ICMP_ERROR_BYTES_MAX - IP4_HEADER_BYTES - ICMP_HEADER_BYTES;
	struct icmp_header *h;
	struct pkt *p;

	quote = quote < quote_max ? quote : quote_max;
	p = pkt_build(g, IP_HEADROOM, ICMP_HEADER_BYTES + quote);
	if (!p)
		return NULL;
	h = pkt_put(p, ICMP_HEADER_BYTES + quote);
	*h = (struct icmp_header){ type, code, be16_of(0), be16_of(rest >> 16),
				   be16_of(rest & 0xffff) };
	memcpy(h + 1, about->l3, quote);
	h->checksum = be16_of(csum_fold(csum_add(0, h, p->len)));
	p->l4 = p->data;
	return p;
}

void icmp_send_error(struct glass *g, const struct pkt *about, uint8_t type, uint8_t code,
		     uint32_t rest)
{
	const struct ip4_header *h = (const struct ip4_header *)about->l3;
	struct ip_send to = {
		.src = be32_get(h->dst),
		.dst = be32_get(h->src),
		.proto = IP_PROTO_ICMP,
		.tos = (h->tos & 0x1e) | 0xc0, /* RFC 1812 4.3.2.5: internetwork control */
	};
	uint64_t why = quiet_why(g, about);
	struct ip_path path;
	struct pkt *p;

	if (!why && ip_route(g, to.dst, to.src, &path))
		why = WORD("no route back");
	if (why) {
		EVENT(g, 0, about->id, ICMP_QUIET, type, code, to.dst, why);
		return;
	}
	p = error_build(g, about, type, code, rest);
	if (!p)
		return;
	ENTER(g, p);
	EVENT(g, 0, p->id, ICMP_OUT, type, code, to.dst);
	stat_inc(g, STAT_ICMP_OUT_MSGS);
	ip_output(g, p, &to, &path);
}

int icmp_init(struct glass *g)
{
	g->icmp = pool_alloc(&g->pool, sizeof(*g->icmp));
	if (!g->icmp)
		return -ENOMEM;
	g->icmp->key = rng_key(&g->rng);
	/* Buckets that have never been used count as full, whatever the time is. */
	g->icmp->global.full_ns = INT64_MIN;
	for (unsigned i = 0; i < ICMP_PEERS; i++)
		g->icmp->peer[i].full_ns = INT64_MIN;
	return 0;
}

void icmp_fini(struct glass *g)
{
	pool_free(&g->pool, g->icmp, sizeof(*g->icmp));
	g->icmp = NULL;
}
