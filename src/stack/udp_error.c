/* SPDX-License-Identifier: MIT */
/*
 * Errors of datagrams: what ICMP, a neighbour that does not answer, or a packet too long tell their
 * endpoint. RFC 1122 4.1.3.3. With IP_RECVERR they are kept, and tell what they are about; then a
 * socket that is not connected, and may have written to many, hears of them too.
 *
 * In:  icmp_got_error(); neigh.c with a packet that will not be sent; udp_send(), ping_send().
 * Out: the endpoint's error and its queue of them, whose socket is woken.
 */
#include <string.h>

#include "../wire/icmp.h"
#include "../wire/ip4.h"
#include "../wire/udp.h"

#include "udp.h"

#define ERROR_BYTES_MAX 576 /* as much as an ICMP message quotes (RFC 1812 4.3.2.3) */

void udp_set_error(struct glass *g, struct udp_end *u, int error)
{
	u->error = error;
	wake(g, &u->waker);
}

/* ---- the queue ------------------------------------------------------------------------------- */

void udp_keep_error(struct glass *g, struct udp_end *u, const struct glass_dgram_error *told,
		    const void *bytes, size_t length)
{
	struct udp_error *e;

	if (!u->recverr || u->nerrors == UDP_ERRORS_MAX)
		return;
	length = length < ERROR_BYTES_MAX ? length : ERROR_BYTES_MAX;
	e = pool_alloc(&g->pool, sizeof(*e) + length);
	if (!e) {
		stat_inc(g, STAT_NOMEM);
		return;
	}
	e->told = *told;
	e->told.full = length;
	if (length)
		memcpy(e->bytes, bytes, length);
	list_append(&u->errors, &e->node);
	u->nerrors++;
	wake(g, &u->waker);
}

void udp_keep_icmp(struct glass *g, struct udp_end *u, const struct icmp_error *e, size_t header)
{
	const struct glass_dgram_error told = {
		.error = e->error,
		.origin = GLASS_ORIGIN_ICMP,
		.type = e->type,
		.code = e->code,
		.info = e->mtu_bytes,
		.offender = addr_of_ip4(e->from),
		.to = { addr_of_ip4(e->dst), e->proto == IP_PROTO_UDP ? e->dport : 0 },
	};

	udp_keep_error(g, u, &told, e->l4 + header, e->l4_bytes - header);
}

struct udp_error *udp_error_take(struct glass *g, struct udp_end *u)
{
	struct list *node = list_take(&u->errors);
	const struct udp_error *next;

	if (!node)
		return NULL;
	u->nerrors--;
	next = u->nerrors ? list_first(&u->errors, struct udp_error, node) : NULL;
	if (next && next->told.origin == GLASS_ORIGIN_ICMP)
		udp_set_error(g, u, next->told.error);
	else
		u->error = 0;
	return container_of(node, struct udp_error, node);
}

void udp_error_free(struct glass *g, struct udp_error *e)
{
	pool_free(&g->pool, e, sizeof(*e) + e->told.full);
}

void udp_errors_drop(struct glass *g, struct udp_end *u)
{
	struct list *node;

	while ((node = list_take(&u->errors)))
		udp_error_free(g, container_of(node, struct udp_error, node));
	u->nerrors = 0;
}

/* ---- where they come from -------------------------------------------------------------------- */

/*
 * As on Linux, who is not connected hears nothing (it may have written to many), and hears of soft
 * errors neither: they may pass (RFC 1122 4.1.3.3). Unless it asked for all of them, and that
 * datagrams be not cut is no wish of its own (IP_PMTUDISC_DONT).
 */
enum verdict udp_icmp_error(struct glass *g, struct pkt *p, const struct icmp_error *e)
{
	struct udp_flow f = { e->proto, e->src, e->dst, e->sport, e->dport, 0 };
	struct udp_end *u;

	ENTER(g, p);
	u = udp_find(g, &f);
	if (!u)
		return drop(g, p, ICMP_QUOTE, p->len - ICMP_HEADER_BYTES, e->proto);
	if (e->error == EMSGSIZE && u->mtu_discover == UDP_MTU_DONT)
		return accept_packet(g, p);
	udp_keep_icmp(g, u, e, UDP_HEADER_BYTES);
	if (u->recverr || (u->remote && e->hard))
		udp_set_error(g, u, e->error);
	return accept_packet(g, p);
}

/* What Linux tells its own host by an ICMP message: the host of destination is unreachable. */
static void failed(struct glass *g, const struct pkt *p, const struct udp_flow *f, int error)
{
	size_t header = f->proto == IP_PROTO_UDP ? UDP_HEADER_BYTES : 0;
	const struct icmp_error e = {
		.type = ICMP_UNREACHABLE,
		.code = ICMP_HOST_UNREACHABLE,
		.proto = f->proto,
		.from = f->local,
		.src = f->local,
		.dst = f->remote,
		.dport = f->rport,
		.l4 = p->l4,
		.l4_bytes = (size_t)(p->data + p->len - p->l4),
		.error = error,
	};
	struct udp_end *u = f->lport ? udp_find(g, f) : NULL;

	raw_icmp_error(g, &e);
	if (!u)
		return;
	udp_keep_icmp(g, u, &e, header);
	udp_set_error(g, u, error);
}

void udp_output_failed(struct glass *g, const struct pkt *p, int error)
{
	const struct ip4_header *ip = (const struct ip4_header *)p->l3;
	const struct be16 *field = (const struct be16 *)(const void *)p->l4;
	struct udp_flow f;

	if (!ip || !field || be16_get(ip->frag) & IP4_FRAGMENT_OFFSET)
		return;
	f = (struct udp_flow){ .proto = ip->proto,
			       .local = be32_get(ip->src),
			       .remote = be32_get(ip->dst) };
	if (f.proto == IP_PROTO_UDP) {
		f.lport = be16_get(field[0]);
		f.rport = be16_get(field[1]);
	} else if (f.proto == IP_PROTO_ICMP && p->l4[0] == ICMP_ECHO) {
		f.lport = be16_get(field[2]);
	}
	failed(g, p, &f, error);
}

int64_t udp_sent(struct glass *g, struct udp_end *u, int64_t result, ip4_t dst,
		 const struct ip_path *path)
{
	const struct glass_dgram_error told = {
		.error = EMSGSIZE,
		.origin = GLASS_ORIGIN_LOCAL,
		.info = path->mtu_bytes,
		.to = { addr_of_ip4(dst), u->rport },
	};

	if (result == -EMSGSIZE)
		udp_keep_error(g, u, &told, NULL, 0);
	return result;
}
