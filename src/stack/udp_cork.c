/* SPDX-License-Identifier: MIT */
/*
 * One send that is not one datagram: pieces that wait for the rest (MSG_MORE, UDP_CORK), and bytes
 * that are cut into several datagrams (UDP_SEGMENT). Results are those of Linux.
 *
 * In:  the socket layer.
 * Out: udp_send_one(), ping.c, raw.c.
 */
#include <string.h>

#include "../wire/ip4.h"
#include "../wire/udp.h"

#include "keep.h"
#include "udp.h"

#define SEGMENTS_MAX 128 /* as Linux' UDP_MAX_SEGMENTS */

struct udp_cork {
	struct udp_how how; /* of the first piece */
	ip4_t dst;
	uint16_t dport;
	uint32_t length, room;
	uint8_t *bytes;
};

/* ---- several datagrams ----------------------------------------------------------------------- */

static int segment_check(const struct glass *g, const struct udp_end *u, size_t length,
			 size_t segment, ip4_t dst, const struct udp_how *how)
{
	struct ip_path path;

	if (udp_route(g, u, dst, how, &path))
		return 0; /* the sending tells */
	if (segment + UDP_HEADER_BYTES + IP4_HEADER_BYTES > path.mtu_bytes)
		return -EMSGSIZE;
	return length > segment * SEGMENTS_MAX ? -EINVAL : 0;
}

static int64_t send_now(struct glass *g, struct udp_end *u, const uint8_t *bytes, size_t length,
			ip4_t dst, uint16_t dport, const struct udp_how *how)
{
	size_t segment = how->segment ? how->segment : u->segment;
	int64_t sent = 0;

	if (!segment || length <= segment)
		return udp_send_one(g, u, bytes, length, dst, dport, how);
	if (length > UDP_PAYLOAD_MAX_BYTES)
		return -EMSGSIZE;
	sent = segment_check(g, u, length, segment, dst ? dst : u->remote, how);
	for (size_t at = 0; at < length && sent >= 0; at += segment)
		sent = udp_send_one(g, u, bytes + at, length - at < segment ? length - at : segment,
				    dst, dport, how);
	return sent < 0 ? sent : (int64_t)length;
}

/* ---- pieces ---------------------------------------------------------------------------------- */

void udp_cork_drop(struct glass *g, struct udp_end *u)
{
	struct udp_cork *c = u->corked;

	if (!c)
		return;
	if (c->bytes)
		pool_free(&g->pool, c->bytes, c->room);
	pool_free(&g->pool, c, sizeof(*c));
	u->corked = NULL;
}

int64_t udp_uncork(struct glass *g, struct udp_end *u)
{
	struct udp_cork *c = u->corked;
	int64_t sent = c ? send_now(g, u, c->bytes, c->length, c->dst, c->dport, &c->how) : 0;

	udp_cork_drop(g, u);
	return sent;
}

/* Where the first piece goes, all go. 0 or -errno. */
static int cork_begin(struct glass *g, struct udp_end *u, ip4_t dst, uint16_t dport,
		      const struct udp_how *how)
{
	if (!dst && !u->remote)
		return -EDESTADDRREQ;
	if (dst && !dport)
		return -EINVAL;
	u->corked = pool_alloc(&g->pool, sizeof(*u->corked));
	if (!u->corked)
		return -ENOBUFS;
	*u->corked = (struct udp_cork){ .how = *how, .dst = dst, .dport = dport };
	return 0;
}

static int cork_add(struct glass *g, struct udp_cork *c, const void *bytes, size_t length)
{
	size_t need = c->length + length, room = c->room ? c->room : 2048;
	uint8_t *more;

	if (need > UDP_PAYLOAD_MAX_BYTES)
		return -EMSGSIZE;
	while (room < need)
		room *= 2;
	if (room > c->room) {
		more = pool_alloc(&g->pool, room);
		if (!more)
			return -ENOBUFS;
		if (c->bytes) {
			memcpy(more, c->bytes, c->length);
			pool_free(&g->pool, c->bytes, c->room);
		}
		c->bytes = more;
		c->room = (uint32_t)room;
	}
	if (length)
		memcpy(c->bytes + c->length, bytes, length);
	c->length = (uint32_t)need;
	return 0;
}

/* A piece that does not fit any more: all of them are lost, as on Linux. */
static int64_t cork_send(struct glass *g, struct udp_end *u, const void *bytes, size_t length,
			 ip4_t dst, uint16_t dport, const struct udp_how *how)
{
	int64_t err = u->corked ? 0 : cork_begin(g, u, dst, dport, how);

	if (err)
		return err;
	err = cork_add(g, u->corked, bytes, length);
	if (err)
		udp_cork_drop(g, u);
	else if (!how->more && !u->cork)
		err = udp_uncork(g, u);
	return err < 0 ? err : (int64_t)length;
}

int64_t udp_send(struct glass *g, struct udp_end *u, const void *bytes, size_t length, ip4_t dst,
		 uint16_t dport, const struct udp_how *how)
{
	if (u->raw)
		return raw_send(g, u, bytes, length, dst, how);
	if (u->proto == IP_PROTO_ICMP)
		return ping_send(g, u, bytes, length, dst, how);
	if (how->more || u->cork || u->corked)
		return cork_send(g, u, bytes, length, dst, dport, how);
	return send_now(g, u, bytes, length, dst, dport, how);
}

/* ---- taken along to another stack ------------------------------------------------------------ */

static void cork_fields(struct save *s, struct udp_cork *c)
{
	SAVE(s, c->how.src);
	SAVE(s, c->how.ttl);
	SAVE(s, c->how.ifindex);
	SAVE(s, c->how.tos);
	SAVE(s, c->how.segment);
	SAVE_FLAG(s, c->how.more);
	SAVE(s, c->dst);
	SAVE(s, c->dport);
}

void udp_cork_keep(struct save *s, struct glass *g, struct udp_end *u)
{
	const void *bytes = u->corked ? u->corked->bytes : NULL;
	size_t length = u->corked ? u->corked->length : 0;

	if ((!save_reading(s) && !u->corked) || !save_begin(s, "udp.cork"))
		return;
	if (save_reading(s))
		u->corked = pool_alloc(&g->pool, sizeof(*u->corked));
	if (save_check(s, u->corked, "out of memory")) {
		cork_fields(s, u->corked);
		bytes = save_bytes(s, "bytes", bytes, &length);
		if (save_reading(s))
			save_check(s, !cork_add(g, u->corked, bytes, length),
				   "pieces of a datagram are damaged");
	}
	save_end(s);
}
