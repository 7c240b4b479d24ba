/* SPDX-License-Identifier: MIT */
/*
 * Ping as a datagram protocol, as Linux' socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP): a program sends
 * echo requests and reads the replies to them, by the identifier that takes the place of a port.
 *
 * In:  icmp_input() with an echo reply; icmp_got_error(); udp_send() of a ping endpoint.
 * Out: the endpoint's queue; ip_output().
 */
#include <string.h>

#include "../wire/checksum.h"
#include "../wire/icmp.h"
#include "../wire/ip4.h"

#include "udp.h"

enum verdict ping_input(struct glass *g, struct pkt *p, const struct ip_info *ip, uint16_t id)
{
	struct udp_flow f = { IP_PROTO_ICMP, ip->dst, ip->src, id, 0, (uint8_t)(p->dev + 1) };
	struct udp_end *u;

	ENTER(g, p);
	u = udp_find(g, &f);
	if (!u)
		return drop(g, p, ICMP_REPLY, id);
	return udp_queue(g, u, p);
}

/* Unlike UDP's, errors of a ping are news in themselves: the program is told, connected or not. */
enum verdict ping_icmp_error(struct glass *g, struct pkt *p, const struct icmp_error *e)
{
	const struct icmp_header *h = (const struct icmp_header *)(const void *)e->l4;
	struct udp_flow f = { IP_PROTO_ICMP, e->src, e->dst, be16_get(h->id), 0, 0 };
	struct udp_end *u = h->type == ICMP_ECHO ? udp_find(g, &f) : NULL;

	ENTER(g, p);
	if (!u)
		return drop(g, p, ICMP_QUOTE, p->len - ICMP_HEADER_BYTES, IP_PROTO_ICMP);
	udp_keep_icmp(g, u, e, 0);
	udp_set_error(g, u, e->error);
	return accept_packet(g, p);
}

static struct pkt *ping_build(struct glass *g, const struct udp_end *u, const void *bytes,
			      size_t length)
{
	struct pkt *p = pkt_build(g, IP_HEADROOM, length);
	struct icmp_header *h;

	if (!p)
		return NULL;
	h = pkt_put(p, length);
	memcpy(h, bytes, length);
	h->id = be16_of(u->lport);
	h->checksum = be16_of(0);
	h->checksum = be16_of(csum_fold(csum_add(0, p->data, length)));
	p->l4 = p->data;
	return p;
}

/* Only echo requests: everything else would be a way to forge ICMP. */
static int ping_check(const void *bytes, size_t length)
{
	const uint8_t *b = bytes;

	if (length > IP4_TOTAL_MAX_BYTES - IP4_HEADER_BYTES)
		return -EMSGSIZE;
	if (length < ICMP_HEADER_BYTES || b[0] != ICMP_ECHO || b[1] != 0)
		return -EINVAL;
	return 0;
}

int64_t ping_send(struct glass *g, struct udp_end *u, const void *bytes, size_t length, ip4_t dst,
		  const struct udp_how *how)
{
	struct ip_send to = udp_header(u, how, dst ? dst : u->remote, IP_PROTO_ICMP);
	int err = ping_check(bytes, length);
	struct ip_path path;
	struct pkt *p;

	if (!err && !to.dst)
		err = -EDESTADDRREQ;
	if (!err && ip_is_broadcast(g, to.dst) && !ip_is_multicast(to.dst) && !u->broadcast)
		err = -EACCES;
	if (!err && !u->lport && udp_take_port(g, u, 0))
		err = -EAGAIN;
	if (!err)
		err = udp_route(g, u, to.dst, how, &path);
	if (err)
		return err;
	p = ping_build(g, u, bytes, length);
	if (!p)
		return -ENOBUFS;
	to.src = path.src;
	ENTER(g, p);
	EVENT(g, 0, p->id, ICMP_OUT, ICMP_ECHO, 0, to.dst);
	stat_inc(g, STAT_ICMP_OUT_MSGS);
	return udp_sent(g, u, udp_result(ip_output(g, p, &to, &path), length), to.dst, &path);
}
