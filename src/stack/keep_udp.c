/* SPDX-License-Identifier: MIT */
/*
 * Datagram endpoints: UDP, ping, raw.
 *
 * In: src/socket/sock_keep.c.  Out: save.h, udp_find.c.
 */
#include "keep.h"
#include "udp.h"

#include <string.h>

#define ERROR_BYTES_MAX 65536

static void end_fields(struct save *s, struct udp_end *u)
{
	SAVE(s, u->local);
	SAVE(s, u->remote);
	SAVE(s, u->lport);
	SAVE(s, u->rport);
	SAVE_FLAG(s, u->reuse_addr);
	SAVE_FLAG(s, u->reuse_port);
	SAVE_FLAG(s, u->broadcast);
	SAVE_FLAG(s, u->header_included);
	SAVE(s, u->icmp_filter);
	SAVE(s, u->mtu_discover);
	SAVE(s, u->ttl);
	SAVE(s, u->tos);
	SAVE(s, u->bound);
	SAVE(s, u->owner);
	SAVE(s, u->unicast_dev);
	SAVE(s, u->group_dev);
	SAVE(s, u->group_ttl);
	SAVE_FLAG(s, u->group_loop);
	SAVE_FLAG(s, u->group_all);
	SAVE(s, u->group_src);
	SAVE_FLAG(s, u->gro);
	SAVE_FLAG(s, u->cork);
	SAVE(s, u->segment);
	SAVE(s, u->rx_limit);
	SAVE(s, u->rx_drops);
	SAVE(s, u->error);
	SAVE_FLAG(s, u->recverr);
	SAVE(s, u->number);
	SAVE_FLAG(s, u->chosen);
	SAVE_FLAG(s, u->port_given);
}

static bool end_sane(const struct glass *g, const struct udp_end *u)
{
	return u->bound <= g->ndev && u->unicast_dev <= g->ndev && u->group_dev <= g->ndev;
}

/* ---- errors ---------------------------------------------------------------------------------- */

static void error_fields(struct save *s, struct glass_dgram_error *t)
{
	SAVE(s, t->error);
	SAVE(s, t->origin);
	SAVE(s, t->type);
	SAVE(s, t->code);
	SAVE(s, t->info);
	save_array(s, "offender", &t->offender, sizeof(t->offender));
	save_array(s, "to.addr", &t->to.addr, sizeof(t->to.addr));
	SAVE(s, t->to.port);
}

static void error_read(struct save *s, struct glass *g, struct udp_end *u)
{
	struct udp_error *e = NULL;
	const void *bytes;
	size_t length;

	bytes = save_bytes(s, "bytes", NULL, &length);
	if (save_check(s, length <= ERROR_BYTES_MAX && u->nerrors < UDP_ERRORS_MAX,
		       "a kept error is damaged"))
		e = pool_alloc(&g->pool, sizeof(*e) + length);
	if (!save_check(s, e, "out of memory"))
		return;
	error_fields(s, &e->told);
	e->told.full = length;
	if (length)
		memcpy(e->bytes, bytes, length);
	list_append(&u->errors, &e->node);
	u->nerrors++;
}

static void errors_keep(struct save *s, struct glass *g, struct udp_end *u)
{
	size_t length;

	while (save_reading(s) && save_begin(s, "udp.error")) {
		error_read(s, g, u);
		save_end(s);
	}
	if (save_reading(s))
		return;
	list_for_each(e, &u->errors, struct udp_error, node) {
		length = e->told.full;
		save_begin(s, "udp.error");
		save_bytes(s, "bytes", e->bytes, &length);
		error_fields(s, &e->told);
		save_end(s);
	}
}

/* ---- the endpoint ---------------------------------------------------------------------------- */

/* A raw one is in its list from birth. */
static void end_link(struct glass *g, struct udp_end *u)
{
	if (u->lport && !u->raw)
		list_append(udp_bucket(g, u->proto, u->lport), &u->node);
	list_for_each(p, &u->rx, struct pkt, node)
		u->rx_bytes += pkt_truesize(p);
}

void udp_keep(struct save *s, struct glass *g, struct udp_end *u)
{
	if (save_begin(s, "udp")) {
		end_fields(s, u);
		save_check(s, end_sane(g, u), "a datagram socket is damaged");
		save_end(s);
	}
	keep_packets(s, g, &u->rx, "udp.packet", true);
	if (save_reading(s))
		end_link(g, u);
	errors_keep(s, g, u);
	udp_cork_keep(s, g, u);
	group_keep_members(s, g, u);
}
