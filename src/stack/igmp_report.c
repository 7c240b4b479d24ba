/* SPDX-License-Identifier: MIT */
/*
 * Writing IGMP: RFC 3376 4.2, RFC 2236 2. Everything goes with TTL 1, the router alert option and
 * the precedence of internetwork control.
 *
 * In:  igmp.c.
 * Out: ip_output().
 */
#include <string.h>

#include "../wire/checksum.h"
#include "../wire/ip4.h"

#include "igmp.h"

#define REPORT_MAX_BYTES 1500
#define HEADER_BYTES (IP4_HEADER_BYTES + IP4_ROUTER_ALERT_BYTES)

static uint32_t payload_max(const struct glass *g, unsigned dev)
{
	uint32_t mtu = g->dev[dev].setup.mtu_bytes;

	return (mtu < REPORT_MAX_BYTES ? mtu : REPORT_MAX_BYTES) - HEADER_BYTES;
}

/* RFC 3376 4.2.13: 0.0.0.0 when the device has no address yet. */
static void send(struct glass *g, unsigned dev, struct pkt *p, ip4_t dst, uint64_t count)
{
	const struct ip_send to = { .src = ip_source(g, dev, dst),
				    .dst = dst,
				    .proto = IP_PROTO_IGMP,
				    .ttl = 1,
				    .tos = IGMP_TOS,
				    .router_alert = true };
	const struct ip_path path = {
		.dev = dev, .next_hop = dst, .src = to.src, .mtu_bytes = g->dev[dev].setup.mtu_bytes
	};
	struct igmp_header *h = (struct igmp_header *)(void *)p->data;

	h->checksum = be16_of(csum_fold(csum_add(0, p->data, p->len)));
	p->l4 = p->data;
	EVENT(g, 0, p->id, IGMP_OUT, h->type, dst, count);
	ip_output(g, p, &to, &path);
}

void igmp_send_old(struct glass *g, const struct group *grp, enum igmp_type type)
{
	struct pkt *p = pkt_build(g, IP_HEADROOM, sizeof(struct igmp_header));
	bool leaves = type == IGMP_V2_LEAVE;
	struct igmp_header *h;

	if (!p)
		return;
	h = pkt_put(p, sizeof(*h));
	*h = (struct igmp_header){ .type = type, .group = be32_of(grp->addr) };
	stat_inc(g, leaves ? STAT_IGMP_OUT_LEAVES : STAT_IGMP_OUT_REPORTS);
	send(g, grp->dev, p, leaves ? IGMP_ALL_ROUTERS : grp->addr, 1);
}

void igmp_flush(struct igmp_writer *w)
{
	const struct igmp_report *h;

	if (!w->p)
		return;
	h = (const struct igmp_report *)(const void *)w->p->data;
	stat_inc(w->g, STAT_IGMP_OUT_V3_REPORTS);
	send(w->g, w->dev, w->p, IGMP_V3_ROUTERS, be16_get(h->nrecords));
	w->p = NULL;
}

/* A packet with room for a record of n sources, or for as many as fit; false: no memory. */
static bool make_room(struct igmp_writer *w, uint32_t n)
{
	uint32_t max = payload_max(w->g, w->dev), need = sizeof(struct igmp_record) + n * 4;

	if (w->p && w->p->len + need > max)
		igmp_flush(w);
	if (w->p)
		return true;
	w->p = pkt_build(w->g, IP_HEADROOM, max);
	if (!w->p)
		return false;
	*(struct igmp_report *)pkt_put(w->p, sizeof(struct igmp_report)) =
		(struct igmp_report){ .type = IGMP_V3_REPORT };
	return true;
}

/* One record; how many sources it took. */
static uint32_t put_record(struct igmp_writer *w, enum igmp_record_type type, ip4_t group,
			   const ip4_t *sources, uint32_t n)
{
	struct igmp_report *h = (struct igmp_report *)(void *)w->p->data;
	struct igmp_record *r;
	uint32_t room = payload_max(w->g, w->dev) - w->p->len - (uint32_t)sizeof(*r);

	n = n < room / 4 ? n : room / 4;
	r = pkt_put(w->p, sizeof(*r));
	*r = (struct igmp_record){ .type = type, .nsources = be16_of(n), .group = be32_of(group) };
	for (uint32_t i = 0; i < n; i++)
		*(struct be32 *)pkt_put(w->p, 4) = be32_of(sources[i]);
	h->nrecords = be16_of(be16_get(h->nrecords) + 1u);
	return n;
}

/*
 * RFC 3376 4.2.16: sources that do not fit go into further records; of a record that excludes,
 * which would then say something else, they are left out.
 */
void igmp_record(struct igmp_writer *w, enum igmp_record_type type, ip4_t group,
		 const ip4_t *sources, uint32_t n)
{
	bool excludes = type == IGMP_IS_EXCLUDE || type == IGMP_TO_EXCLUDE;

	for (uint32_t done = 0; make_room(w, n - done);) {
		done += put_record(w, type, group, sources + done, n - done);
		if (done == n || excludes)
			return;
	}
}
