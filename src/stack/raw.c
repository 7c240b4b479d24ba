/* SPDX-License-Identifier: MIT */
/*
 * Raw sockets: packets of an IP protocol as they are, RFC 1122 3.4. Each endpoint has a copy of
 *what comes, beside the protocol's own room, with the IP header in front; what it sends gets a
 *header, or has one (IP_HDRINCL).
 *
 * In:  ip_deliver() with every packet; icmp_got_error(), udp_output_failed(); udp_send() of a raw
 *	endpoint.
 * Out: the endpoint's queue; ip_output(), ip_send().
 */
#include <string.h>

#include "../wire/icmp.h"
#include "../wire/ip4.h"

#include "group.h"
#include "udp.h"

#define RAW_PROTO_HEADER 255 /* IPPROTO_RAW: who opens this one writes the header */

struct udp_end *raw_new(struct glass *g, uint8_t proto)
{
	struct udp_end *u = udp_new(g, proto);

	if (!u)
		return NULL;
	u->raw = true;
	u->lport = proto; /* where others have a port, as on Linux */
	u->header_included = proto == RAW_PROTO_HEADER;
	list_append(&g->udp->raws, &u->node);
	return u;
}

int raw_bind(struct glass *g, struct udp_end *u, ip4_t local)
{
	if (u->remote)
		return -EINVAL;
	if (local && !ip_is_local(g, local) && !ip_is_broadcast(g, local))
		return -EADDRNOTAVAIL;
	u->local = local;
	return 0;
}

/* ---- in -------------------------------------------------------------------------------------- */

static bool raw_fits(const struct udp_end *u, uint8_t proto, ip4_t local, ip4_t remote)
{
	return u->proto == proto && (!u->local || u->local == local) &&
	       (!u->remote || u->remote == remote);
}

static bool raw_filters(const struct udp_end *u, const struct pkt *p)
{
	return u->proto == IP_PROTO_ICMP && p->len && p->data[0] < 32 &&
	       u->icmp_filter >> p->data[0] & 1;
}

/* The whole packet. One that was put together has the header of its first fragment: made whole. */
static struct pkt *raw_copy(struct glass *g, const struct pkt *p)
{
	uint32_t length = (uint32_t)(p->data - p->l3) + p->len;
	struct pkt *copy = pkt_build(g, 0, length);
	struct ip4_header *h;

	if (!copy)
		return NULL;
	h = pkt_put(copy, length);
	memcpy(h, p->l3, length);
	if (be16_get(h->frag) & (IP4_MORE_FRAGMENTS | IP4_FRAGMENT_OFFSET)) {
		h->frag = be16_of(0);
		h->total_length = be16_of(length);
		ip4_set_checksum(h);
	}
	copy->l3 = copy->l4 = copy->data;
	copy->time_ns = p->time_ns;
	copy->dev = p->dev;
	return copy;
}

bool raw_input(struct glass *g, const struct pkt *p, const struct ip_info *ip)
{
	bool any = false;
	struct pkt *copy;

	list_for_each(u, &g->udp->raws, struct udp_end, node) {
		if (!raw_fits(u, ip->proto, ip->dst, ip->src) ||
		    (u->bound && u->bound != p->dev + 1) ||
		    !group_end_hears(u, p->dev, ip->dst, ip->src))
			continue;
		any = true;
		copy = raw_filters(u, p) ? NULL : raw_copy(g, p);
		if (copy)
			udp_queue(g, u, copy);
	}
	return any;
}

/* As of UDP: who is not connected, or did not ask, hears nothing, and others hear no soft ones. */
bool raw_icmp_error(struct glass *g, const struct icmp_error *e)
{
	bool any = false;

	list_for_each(u, &g->udp->raws, struct udp_end, node) {
		if (!raw_fits(u, e->proto, e->src, e->dst))
			continue;
		any = true;
		udp_keep_icmp(g, u, e, 0);
		if (u->recverr || (u->remote && e->hard))
			udp_set_error(g, u, e->error);
	}
	return any;
}

/* ---- out ------------------------------------------------------------------------------------- */

/* What the program left to us of its header. */
static void header_complete(struct glass *g, struct pkt *p, const struct ip_path *path)
{
	struct ip4_header *h = (struct ip4_header *)p->data;

	h->total_length = be16_of(p->len);
	if (!be16_get(h->id))
		h->id = be16_of(frag_next_id(g, be32_get(h->dst)));
	if (!be32_get(h->src))
		h->src = be32_of(path->src);
	ip4_set_checksum(h);
	p->l3 = p->data;
	p->l4 = p->data + ip4_header_length(h);
	p->l4_proto = h->proto;
}

static int64_t send_with_header(struct glass *g, const struct udp_end *u, const void *bytes,
				size_t length, const struct ip_path *path)
{
	const struct ip4_header *h = bytes;
	struct pkt *p;

	if (length < IP4_HEADER_BYTES || ip4_header_length(h) < IP4_HEADER_BYTES ||
	    ip4_header_length(h) > length)
		return -EINVAL;
	if (length > path->mtu_bytes)
		return -EMSGSIZE;
	p = pkt_build(g, IP_HEADROOM, length);
	if (!p)
		return -ENOBUFS;
	memcpy(pkt_put(p, length), bytes, length);
	header_complete(g, p, path);
	ENTER(g, p);
	stat_inc(g, STAT_IP_OUT_REQUESTS);
	h = (const struct ip4_header *)p->data;
	EVENT(g, 0, p->id, IP_OUT, be32_get(h->src), be32_get(h->dst), h->proto, h->ttl, p->len);
	if (u->group_loop)
		ip_loop_copy(g, p, path);
	return udp_result(ip_send(g, p, path), length);
}

static int64_t send_plain(struct glass *g, const void *bytes, size_t length,
			  const struct ip_send *to, const struct ip_path *path)
{
	struct pkt *p;

	if (length > IP4_TOTAL_MAX_BYTES - IP4_HEADER_BYTES)
		return -EMSGSIZE;
	p = pkt_build(g, IP_HEADROOM, length);
	if (!p)
		return -ENOBUFS;
	if (length)
		memcpy(pkt_put(p, length), bytes, length);
	p->l4 = p->data;
	ENTER(g, p);
	return udp_result(ip_output(g, p, to, path), length);
}

int64_t raw_send(struct glass *g, struct udp_end *u, const void *bytes, size_t length, ip4_t dst,
		 const struct udp_how *how)
{
	struct ip_send to = udp_header(u, how, dst ? dst : u->remote, u->proto);
	struct ip_path path;
	int64_t sent;
	int err = 0;

	if (!to.dst)
		return -EDESTADDRREQ;
	if (ip_is_broadcast(g, to.dst) && !ip_is_multicast(to.dst) && !u->broadcast)
		return -EACCES;
	err = udp_route(g, u, to.dst, how, &path);
	if (err)
		return err;
	to.src = path.src;
	sent = u->header_included ? send_with_header(g, u, bytes, length, &path)
				  : send_plain(g, bytes, length, &to, &path);
	return udp_sent(g, u, sent, to.dst, &path);
}
