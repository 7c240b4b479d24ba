/* SPDX-License-Identifier: MIT */
/*
 * ICMP in: echo is answered, errors go to the protocol whose packet they quote, the rest is
 * silently ignored: RFC 792, RFC 1122 3.2.2. Source quench (RFC 6633), redirects, address masks and
 * timestamps are among the rest.
 *
 * In:  ip_deliver().
 * Out: ip_output() with an echo reply; ping_input(); icmp_got_error().
 */
#include "../wire/icmp.h"

#include <string.h>

#include "../wire/checksum.h"

#include "ip.h"
#include "udp.h"

/* The reply carries the bytes that came, no matter what any length said. NULL: out of memory. */
static struct pkt *echo_build(struct glass *g, const struct pkt *p)
{
	struct pkt *reply = pkt_build(g, IP_HEADROOM, p->len);
	struct icmp_header *h;

	if (!reply)
		return NULL;
	h = pkt_put(reply, p->len);
	memcpy(h, p->data, p->len);
	h->type = ICMP_ECHO_REPLY;
	h->checksum = be16_of(0);
	h->checksum = be16_of(csum_fold(csum_add(0, reply->data, reply->len)));
	reply->l4 = reply->data;
	return reply;
}

static enum verdict icmp_echo(struct glass *g, struct pkt *p, const struct ip_info *ip)
{
	struct ip_send to = {
		.src = ip->dst, .dst = ip->src, .proto = IP_PROTO_ICMP, .tos = ip->tos
	};
	struct ip_path path;
	struct pkt *reply;

	ENTER(g, p);
	/* RFC 1122 3.2.2.6 allows to ignore these, and so the attack that is made of them fails. */
	if (ip->dst_group || p->flags & PKT_LINK_BROADCAST)
		return drop(g, p, ICMP_BROADCAST, ip->dst);
	if (ip_route(g, to.dst, to.src, &path))
		return drop(g, p, IP_NO_ROUTE, to.dst);
	reply = echo_build(g, p);
	if (!reply)
		return drop(g, p, NO_MEMORY, p->len, g->pool.bytes);
	stat_inc(g, STAT_ICMP_OUT_MSGS);
	stat_inc(g, STAT_ICMP_OUT_ECHO_REPS);
	EVENT(g, 0, reply->id, ICMP_OUT, ICMP_ECHO_REPLY, 0, to.dst);
	ip_output(g, reply, &to, &path);
	return accept_packet(g, p);
}

enum verdict icmp_input(struct glass *g, struct pkt *p, const struct ip_info *ip)
{
	const struct icmp_header *h = pkt_peek(p, 0, sizeof(*h));
	uint16_t sum;

	ENTER(g, p);
	stat_inc(g, STAT_ICMP_IN_MSGS);
	if (!h)
		return drop(g, p, ICMP_SHORT, p->len, sizeof(*h));
	sum = csum_fold(csum_add(0, p->data, p->len));
	if (sum)
		return drop(g, p, ICMP_BAD_CSUM, sum);
	EVENT(g, 0, p->id, ICMP_IN, h->type, h->code, ip->src);
	switch (h->type) {
	case ICMP_ECHO:
		return icmp_echo(g, p, ip);
	case ICMP_ECHO_REPLY:
		return ping_input(g, p, ip, be16_get(h->id));
	case ICMP_UNREACHABLE:
	case ICMP_TIME_EXCEEDED:
	case ICMP_PARAMETER:
		return icmp_got_error(g, p, ip);
	default:
		return drop(g, p, ICMP_TYPE, h->type, h->code);
	}
}
