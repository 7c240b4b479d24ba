/* SPDX-License-Identifier: MIT */
/*
 * UDP: RFC 768, RFC 1122 4.1.
 *
 * In:  ip_deliver() with a datagram; the socket layer with something to send. Errors: udp_error.c.
 * Out: an endpoint's queue, whose socket is woken; ip_output(); icmp_send_error() when nobody is
 * there.
 */
#include "../wire/udp.h"

#include <string.h>

#include "../wire/checksum.h"
#include "../wire/icmp.h"
#include "../wire/ip4.h"

#include "group.h"
#include "udp.h"

/* ---- in -------------------------------------------------------------------------------------- */

/*
 * Gives back the memory that a device's large buffer wastes; headers stay in front of the payload.
 */
static void udp_compact(struct glass *g, struct pkt *p)
{
	size_t l3 = (size_t)(p->data - p->l3), l4 = (size_t)(p->data - p->l4);

	pkt_push(p, l3);
	pkt_compact(&g->pool, p);
	pkt_pull(p, l3);
	p->l3 = p->data - l3;
	p->l4 = p->data - l4;
}

enum verdict udp_queue(struct glass *g, struct udp_end *u, struct pkt *p)
{
	udp_compact(g, p);
	/* The first datagram always fits, whatever the limit. */
	if (u->rx_bytes && u->rx_bytes + pkt_truesize(p) > udp_rx_limit(g, u)) {
		u->rx_drops++;
		return drop(g, p, UDP_QUEUE_FULL, u->rx_bytes, trace_end4(u->local, u->lport));
	}
	p->seq = (uint32_t)u->rx_drops; /* as SO_RXQ_OVFL tells it */
	u->rx_bytes += pkt_truesize(p);
	list_append(&u->rx, &p->node);
	wake(g, &u->waker);
	return ACCEPTED;
}

struct pkt *udp_take(struct glass *g, struct udp_end *u)
{
	struct list *node = list_take(&u->rx);
	struct pkt *p;

	(void)g;
	if (!node)
		return NULL;
	p = container_of(node, struct pkt, node);
	u->rx_bytes -= pkt_truesize(p);
	return p;
}

void udp_refuse(struct glass *g, struct udp_end *u)
{
	struct pkt *p;

	while ((p = udp_take(g, u))) {
		if (u->proto == IP_PROTO_UDP && !u->raw)
			icmp_send_error(g, p, ICMP_UNREACHABLE, ICMP_PORT_UNREACHABLE, 0);
		pkt_free(&g->pool, p);
	}
}

static enum verdict udp_check(struct glass *g, struct pkt *p, const struct ip_info *ip)
{
	const struct udp_header *h = pkt_peek(p, 0, sizeof(*h));
	uint16_t length;
	uint64_t sum;

	if (!h)
		return drop(g, p, UDP_SHORT, p->len, sizeof(*h));
	length = be16_get(h->length);
	if (length < sizeof(*h) || length > p->len)
		return drop(g, p, UDP_LENGTH, length, p->len);
	pkt_trim(p, length);
	if (!be16_get(h->checksum) || p->flags & (PKT_CSUM_VALID | PKT_CSUM_PARTIAL))
		return GO_ON;
	sum = csum_add(csum_pseudo4(ip->src, ip->dst, IP_PROTO_UDP, length), h, length);
	if (csum_fold(sum) != 0)
		return drop(g, p, UDP_BAD_CSUM, be16_get(h->checksum));
	return GO_ON;
}

static void udp_trace_in(struct glass *g, const struct pkt *p, const struct udp_flow *f)
{
	EVENT(g, 0, p->id, UDP_IN, trace_end4(f->remote, f->rport), trace_end4(f->local, f->lport),
	      p->len);
	stat_inc(g, STAT_UDP_IN_DATAGRAMS);
}

/* A copy of p, as far as a receiver looks at it; NULL: out of memory. */
static struct pkt *udp_clone(struct glass *g, const struct pkt *p)
{
	uint32_t l3 = (uint32_t)(p->data - p->l3), l4 = (uint32_t)(p->data - p->l4);
	struct pkt *copy = pkt_build(g, l3, p->len);

	if (!copy)
		return NULL;
	memcpy(pkt_put(copy, p->len), p->data, p->len);
	memcpy(copy->data - l3, p->l3, l3);
	copy->l3 = copy->data - l3;
	copy->l4 = copy->data - l4;
	copy->time_ns = p->time_ns;
	copy->dev = p->dev;
	return copy;
}

/*
 * RFC 1122 3.3.6, RFC 1112 7.1: what goes to all, or to a group, is for everybody who fits. The
 * last one gets p itself. NULL: nobody fits.
 */
static struct udp_end *udp_group(struct glass *g, const struct pkt *p, const struct udp_flow *f)
{
	struct udp_end *last = NULL;
	struct pkt *copy;

	list_for_each(u, udp_bucket(g, f->proto, f->lport), struct udp_end, node) {
		if (!udp_score(u, f) || !group_end_hears(u, p->dev, f->local, f->remote))
			continue;
		copy = last ? udp_clone(g, p) : NULL;
		if (copy) {
			udp_trace_in(g, copy, f);
			udp_queue(g, last, copy);
		}
		last = u;
	}
	return last;
}

enum verdict udp_input(struct glass *g, struct pkt *p, const struct ip_info *ip)
{
	const struct udp_header *h;
	struct udp_flow f;
	struct udp_end *u;
	enum verdict v;

	ENTER(g, p);
	v = udp_check(g, p, ip);
	if (v != GO_ON)
		return v;
	h = (const struct udp_header *)p->l4;
	f = (struct udp_flow){
		IP_PROTO_UDP,	      ip->dst, ip->src, be16_get(h->dport), be16_get(h->sport),
		(uint8_t)(p->dev + 1)
	};
	pkt_pull(p, sizeof(*h));
	u = ip->dst_group ? udp_group(g, p, &f) : udp_find(g, &f);
	if (!u) {
		icmp_send_error(g, p, ICMP_UNREACHABLE, ICMP_PORT_UNREACHABLE, 0);
		return drop(g, p, UDP_NO_SOCKET, trace_end4(f.local, f.lport),
			    trace_end4(f.remote, f.rport));
	}
	udp_trace_in(g, p, &f);
	return udp_queue(g, u, p);
}

/* ---- out ------------------------------------------------------------------------------------- */

int udp_bind(struct glass *g, struct udp_end *u, ip4_t local, uint16_t lport)
{
	int err;

	if (local && !ip_is_local(g, local) && !ip_is_broadcast(g, local))
		return -EADDRNOTAVAIL; /* first, as Linux */
	if (u->lport)
		return -EINVAL;
	u->local = local;
	err = udp_take_port(g, u, lport);
	if (err)
		u->local = 0;
	u->port_given = !err && lport;
	return err;
}

/* 0.0.0.0 as a destination means this host, as on Linux. */
static ip4_t destination(ip4_t dst)
{
	return dst ? dst : 0x7f000001;
}

/* A group that it is bound to cannot be a source. 0: to be chosen. */
static ip4_t udp_source(const struct glass *g, const struct udp_end *u, const struct udp_how *how,
			bool multicast)
{
	if (how && how->src)
		return how->src;
	if (u->local && !ip_is_broadcast(g, u->local))
		return u->local;
	return multicast ? u->group_src : 0;
}

/* As Linux: the datagram's own wish, the device that it is bound to, then IP_..._IF. */
int udp_route(const struct glass *g, const struct udp_end *u, ip4_t dst, const struct udp_how *how,
	      struct ip_path *path)
{
	bool multicast = ip_is_multicast(dst);
	unsigned dev = how && how->ifindex ? how->ifindex : u->bound;

	if (u->bound && dev != u->bound)
		return -ENETUNREACH;
	if (!dev)
		dev = multicast ? u->group_dev : u->unicast_dev;
	return ip_route_by(g, dst, udp_source(g, u, how, multicast), dev, path);
}

struct ip_send udp_header(const struct udp_end *u, const struct udp_how *how, ip4_t dst,
			  uint8_t proto)
{
	bool multicast = ip_is_multicast(dst);
	uint8_t ttl = multicast ? u->group_ttl : u->ttl;

	return (struct ip_send){
		.dst = dst,
		.proto = proto,
		.ttl = how->ttl ? how->ttl : ttl,
		.tos = how->tos >= 0 ? (uint8_t)how->tos : u->tos,
		.dont_fragment = u->mtu_discover == UDP_MTU_DO || u->mtu_discover == UDP_MTU_PROBE,
		.loop = !multicast || u->group_loop,
		.stays = multicast && !how->ttl && !u->group_ttl,
	};
}

int udp_connect(struct glass *g, struct udp_end *u, ip4_t remote, uint16_t rport)
{
	struct ip_path path;
	int err;

	udp_disconnect(u);
	remote = destination(remote);
	if (ip_is_broadcast(g, remote) && !ip_is_multicast(remote) && !u->broadcast)
		return -EACCES;
	err = udp_route(g, u, remote, NULL, &path);
	if (!err && !u->lport)
		err = udp_take_port(g, u, 0);
	if (err)
		return err == -EADDRINUSE ? -EAGAIN : err;
	if (!u->local) {
		u->local = path.src;
		u->chosen = true;
	}
	u->remote = remote;
	u->rport = rport;
	return 0;
}

void udp_disconnect(struct udp_end *u)
{
	u->remote = 0;
	u->rport = 0;
	if (u->chosen)
		u->local = 0;
	u->chosen = false;
}

void udp_dissolve(struct udp_end *u)
{
	udp_disconnect(u);
	if (u->raw || u->port_given)
		return;
	list_remove(&u->node);
	u->lport = 0;
}

int64_t udp_result(enum verdict v, size_t length)
{
	if (v == ACCEPTED)
		return (int64_t)length;
	if (v == DROP_IP_TOO_BIG || v == DROP_DEV_MTU)
		return -EMSGSIZE;
	return v == DROP_DEV_DOWN ? -ENETDOWN : -ENOBUFS;
}

/*
 * A datagram with its header; the checksum is that of the pseudo-header, and the rest is to be
 * added.
 */
static struct pkt *udp_build(struct glass *g, const struct udp_flow *f, const void *bytes,
			     size_t length)
{
	uint32_t total = (uint32_t)(UDP_HEADER_BYTES + length);
	struct pkt *p = pkt_build(g, IP_HEADROOM, total);
	struct udp_header *h;

	if (!p)
		return NULL;
	h = pkt_put(p, total);
	*h = (struct udp_header){
		.sport = be16_of(f->lport),
		.dport = be16_of(f->rport),
		.length = be16_of(total),
		.checksum =
			be16_of(csum_sum16(csum_pseudo4(f->local, f->remote, IP_PROTO_UDP, total))),
	};
	if (length)
		memcpy(h + 1, bytes, length);
	p->l4 = p->data;
	p->csum_offset = UDP_CSUM_OFFSET;
	p->flags |= PKT_CSUM_PARTIAL;
	return p;
}

static int64_t udp_output(struct glass *g, const struct udp_flow *f, const void *bytes,
			  size_t length, const struct ip_send *to, const struct ip_path *path)
{
	struct pkt *p = udp_build(g, f, bytes, length);

	if (!p)
		return -ENOBUFS;
	ENTER(g, p);
	EVENT(g, 0, p->id, UDP_OUT, trace_end4(f->local, f->lport), trace_end4(f->remote, f->rport),
	      length);
	stat_inc(g, STAT_UDP_OUT_DATAGRAMS);
	return udp_result(ip_output(g, p, to, path), length);
}

static int udp_ready_to_send(struct glass *g, struct udp_end *u, ip4_t dst)
{
	if (ip_is_broadcast(g, dst) && !ip_is_multicast(dst) && !u->broadcast)
		return -EACCES;
	if (!u->lport && udp_take_port(g, u, 0))
		return -EAGAIN;
	return 0;
}

int64_t udp_send_one(struct glass *g, struct udp_end *u, const void *bytes, size_t length,
		     ip4_t dst, uint16_t dport, const struct udp_how *how)
{
	struct udp_flow f = { .proto = u->proto,
			      .remote = dst ? dst : u->remote,
			      .rport = dst ? dport : u->rport };
	struct ip_send to = udp_header(u, how, f.remote, IP_PROTO_UDP);
	struct ip_path path;
	int err;

	if (length > UDP_PAYLOAD_MAX_BYTES)
		return -EMSGSIZE;
	if (!f.remote)
		return -EDESTADDRREQ;
	if (!f.rport)
		return -EINVAL;
	err = udp_ready_to_send(g, u, f.remote);
	if (!err)
		err = udp_route(g, u, f.remote, how, &path);
	if (err)
		return err;
	to.src = f.local = path.src;
	f.lport = u->lport;
	return udp_sent(g, u, udp_output(g, &f, bytes, length, &to, &path), f.remote, &path);
}
