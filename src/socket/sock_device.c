/* SPDX-License-Identifier: MIT */
/*
 * SO_BINDTODEVICE: what a socket opens goes by that device, and it hears that one only.
 *
 * In: sock_dgram_opt.c, sock_info.c.   Out: ip_route.c; tcp_demux.c and udp_find.c look at it.
 */
#include "sock.h"

#include "../stack/tcp.h"
#include "../stack/tcp_output.h"
#include "../stack/udp.h"

/* An open connection, too, goes on by that device, if that leads to its peer. */
static void conn_moves(struct glass *g, struct tcp_conn *c, unsigned ifindex)
{
	struct ip_path path;

	if (ip_route_by(g, c->raddr, c->laddr, ifindex, &path) || path.dev == c->path.dev)
		return;
	c->path = path;
	tcp_set_mss(g, c);
}

int sock_set_device(struct glass *g, struct glass_sock *s, unsigned ifindex)
{
	if (ifindex > g->ndev)
		return -ENODEV;
	if (s->udp) {
		s->udp->bound = (uint8_t)ifindex;
		return 0;
	}
	sock_config(s)->bound = (uint8_t)ifindex;
	if (sock_bind(s))
		sock_bind(s)->bound = (uint8_t)ifindex;
	if (s->conn)
		conn_moves(g, s->conn, ifindex);
	return 0;
}

unsigned sock_device(struct glass_sock *s)
{
	return s->udp ? s->udp->bound : sock_config(s)->bound;
}
