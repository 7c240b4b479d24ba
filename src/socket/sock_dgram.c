/* SPDX-License-Identifier: MIT */
/*
 * Datagram sockets: UDP, ping and raw, from the calls of a program to an endpoint. Errors are those
 * that Linux answers.
 *
 * In:  sock.c, the owner of the stack (sendto, recvfrom).
 * Out: udp.c, ping.c, raw.c.
 */
#include "sock.h"

#include <string.h>

#include "../wire/ip4.h"
#include "../wire/udp.h"

int sock_dgram_open(struct glass *g, struct glass_sock *s)
{
	s->udp = udp_new(g, s->proto == GLASS_UDP ? IP_PROTO_UDP : IP_PROTO_ICMP);
	if (!s->udp)
		return -ENOBUFS;
	s->udp->waker.sock = s;
	return 0;
}

int sock_raw_open(struct glass *g, struct glass_sock *s, uint8_t protocol)
{
	s->udp = raw_new(g, protocol);
	if (!s->udp)
		return -ENOBUFS;
	s->udp->waker.sock = s;
	return 0;
}

void sock_dgram_close(struct glass *g, struct glass_sock *s)
{
	udp_free(g, s->udp);
	s->udp = NULL;
}

int sock_dgram_bind(struct glass *g, struct glass_sock *s, ip4_t addr, uint16_t port)
{
	if (s->udp->raw)
		return raw_bind(g, s->udp, addr);
	return udp_bind(g, s->udp, addr, port);
}

/* connect(2) to AF_UNSPEC, which comes here as address and port 0, dissolves the association. */
int sock_dgram_connect(struct glass *g, struct glass_sock *s, ip4_t addr, uint16_t port)
{
	if (!addr && !port) {
		udp_dissolve(s->udp);
		return 0;
	}
	return udp_connect(g, s->udp, addr, port);
}

unsigned sock_dgram_ready(const struct glass_sock *s)
{
	unsigned ready = GLASS_OUT;

	if (!list_empty(&s->udp->rx))
		ready |= GLASS_IN;
	if (s->udp->error)
		ready |= GLASS_IN | GLASS_ERR;
	if (s->udp->nerrors)
		ready |= GLASS_ERR;
	return ready;
}

int sock_dgram_error(struct glass_sock *s)
{
	int error = s->udp->error;

	s->udp->error = 0;
	return error;
}

/* 0, -EAFNOSUPPORT, -ENODEV, -ENETUNREACH. */
static int how_read(const struct glass *g, const struct glass_dgram_how *in, struct udp_how *out)
{
	*out = (struct udp_how){ .tos = -1 };
	if (!in)
		return 0;
	if (in->from.family != GLASS_IP4 && in->from.family != GLASS_UNSPEC)
		return -EAFNOSUPPORT;
	out->src = in->from.family == GLASS_IP4 ? ip4_of_addr(&in->from) : 0;
	out->ttl = in->ttl;
	out->ifindex = in->ifindex;
	out->segment = in->segment;
	out->more = in->more;
	out->tos = in->tos < 0 ? -1 : in->tos & 0xfc;
	if (out->ifindex > g->ndev)
		return -ENODEV;
	return out->src && !ip_is_local(g, out->src) ? -ENETUNREACH : 0;
}

/* Where to, and what; an error that waits is told first, and nothing is sent. */
static int64_t dgram_send(struct glass *g, struct glass_sock *s, const void *bytes, size_t length,
			  const struct glass_end *to, const struct glass_dgram_how *how)
{
	struct udp_how own;
	uint16_t port = 0;
	ip4_t dst = 0;
	int err = s->udp->error ? -sock_dgram_error(s) : how_read(g, how, &own);

	if (!err && to)
		err = sock_end_read(to, &dst, &port);
	if (err)
		return err;
	if (to && !dst)
		dst = 127u << 24 | 1; /* as Linux: 0.0.0.0 is this host */
	return udp_send(g, s->udp, bytes, length, dst, port, &own);
}

int64_t glass_sendmsg(struct glass *g, struct glass_sock *s, const void *bytes, size_t length,
		      const struct glass_end *to, const struct glass_dgram_how *how)
{
	SOCK_CALL(g, s, "sendto", length);
	int64_t sent = s->udp ? dgram_send(g, s, bytes, length, to, how) : -EOPNOTSUPP;

	if (sent < 0)
		return sock_call_end(g, s, outer, WORD("sendto"), sent);
	act_end(g, outer);
	return sent;
}

int64_t glass_sendto(struct glass *g, struct glass_sock *s, const void *bytes, size_t length,
		     const struct glass_end *to)
{
	return glass_sendmsg(g, s, bytes, length, to, NULL);
}

/* What the headers, which still lie in front of the payload, said. */
static void dgram_describe(const struct glass *g, const struct glass_sock *s, const struct pkt *p,
			   struct glass_dgram *out)
{
	const struct ip4_header *ip = (const struct ip4_header *)p->l3;
	const struct udp_header *udp = (const struct udp_header *)p->l4;
	bool ports = s->proto == GLASS_UDP;
	uint16_t id = s->proto == GLASS_PING ? s->udp->lport : 0;

	*out = (struct glass_dgram){
		.from = sock_end(be32_get(ip->src), ports ? be16_get(udp->sport) : id),
		.to = sock_end(be32_get(ip->dst), ports ? be16_get(udp->dport) : id),
		.full = p->len,
		.ttl = ip->ttl,
		.tos = ip->tos,
		.dev = p->dev,
		.time_ns = p->time_ns,
		.drops = p->seq,
	};
	out->spec = addr_of_ip4(ip_is_broadcast(g, be32_get(ip->dst))
					? ip_source(g, p->dev, be32_get(ip->src))
					: be32_get(ip->dst));
}

int64_t glass_peekfrom(struct glass *g, struct glass_sock *s, void *bytes, size_t length,
		       struct glass_dgram *info)
{
	size_t n;
	struct pkt *p;

	(void)g;
	if (!s->udp)
		return -EOPNOTSUPP;
	if (s->udp->error)
		return -sock_dgram_error(s);
	if (list_empty(&s->udp->rx))
		return -EAGAIN;
	p = list_first(&s->udp->rx, struct pkt, node);
	n = p->len < length ? p->len : length;
	if (n)
		memcpy(bytes, p->data, n);
	if (info)
		dgram_describe(g, s, p, info);
	return (int64_t)n;
}

int64_t glass_recvfrom(struct glass *g, struct glass_sock *s, void *bytes, size_t length,
		       struct glass_dgram *info)
{
	int64_t n = glass_peekfrom(g, s, bytes, length, info);

	if (n >= 0)
		pkt_free(&g->pool, udp_take(g, s->udp));
	return n;
}

void glass_refuse(struct glass *g, struct glass_sock *s)
{
	SOCK_CALL(g, s, "refuse", 0);
	if (s->udp)
		udp_refuse(g, s->udp);
	act_end(g, outer);
}

/* As Linux: SO_ERROR goes on to the error of the next message, or to none. */
int64_t glass_recverr(struct glass *g, struct glass_sock *s, void *bytes, size_t length,
		      struct glass_dgram_error *out)
{
	struct udp_error *e = s->udp ? udp_error_take(g, s->udp) : NULL;
	size_t n;

	if (!e)
		return -EAGAIN;
	n = e->told.full < length ? e->told.full : length;
	if (n)
		memcpy(bytes, e->bytes, n);
	*out = e->told;
	udp_error_free(g, e);
	return (int64_t)n;
}
