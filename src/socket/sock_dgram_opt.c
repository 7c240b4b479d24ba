/* SPDX-License-Identifier: MIT */
/*
 * Datagram sockets: options of multicast, of devices, of UDP, and what only datagrams know. Errors
 * are those that Linux answers.
 *
 * In:  sock_opt.c.
 * Out: the endpoint.
 */
#include "sock.h"

#include "../stack/group.h"

static bool is_udp(enum glass_opt opt)
{
	return opt == GLASS_OPT_UDP_CORK || opt == GLASS_OPT_UDP_SEGMENT ||
	       opt == GLASS_OPT_UDP_GRO;
}

/* Address + (number << 32); 0: as routes say. As Linux: an address that is not ours is refused. */
static int set_group_dev(const struct glass *g, struct udp_end *u, int64_t value)
{
	unsigned ifindex = (unsigned)(value >> 32) & 0xff;
	ip4_t addr = (ip4_t)value;
	int dev = ifindex || addr ? group_device(g, 0, ifindex, addr) : -1;

	if ((ifindex || addr) && dev < 0)
		return -EADDRNOTAVAIL;
	if (u->bound && ifindex && u->bound != ifindex)
		return -EINVAL;
	u->group_dev = (uint8_t)(dev + 1);
	u->group_src = addr;
	return 0;
}

static int set_unicast_dev(const struct glass *g, struct udp_end *u, int64_t value)
{
	if (value > g->ndev)
		return -EADDRNOTAVAIL;
	if (u->bound && value && u->bound != value)
		return -EINVAL;
	u->unicast_dev = (uint8_t)value;
	return 0;
}

static int set_udp(struct glass *g, struct glass_sock *s, enum glass_opt opt, int64_t value)
{
	if (s->proto != GLASS_UDP)
		return -ENOPROTOOPT;
	if (opt == GLASS_OPT_UDP_SEGMENT)
		s->udp->segment = (uint16_t)value;
	else if (opt == GLASS_OPT_UDP_CORK)
		s->udp->cork = value;
	else
		s->udp->gro = value;
	if (opt == GLASS_OPT_UDP_CORK && !value)
		udp_uncork(g, s->udp);
	return 0;
}

/* As Linux: who does not want them any more has none. */
static void set_recverr(struct glass *g, struct udp_end *u, bool value)
{
	u->recverr = value;
	if (!value)
		udp_errors_drop(g, u);
}

/* What is one value of the endpoint. */
static void set_value(struct glass *g, struct udp_end *u, enum glass_opt opt, int64_t value)
{
	if (opt == GLASS_OPT_BROADCAST)
		u->broadcast = value;
	else if (opt == GLASS_OPT_MTU_DISCOVER)
		u->mtu_discover = (uint8_t)value;
	else if (opt == GLASS_OPT_MULTICAST_TTL)
		u->group_ttl = (uint8_t)value;
	else if (opt == GLASS_OPT_MULTICAST_LOOP)
		u->group_loop = value;
	else if (opt == GLASS_OPT_MULTICAST_ALL)
		u->group_all = value;
	else
		set_recverr(g, u, value);
}

/* As Linux: a stream takes some without effect. */
static int of_stream(enum glass_opt opt)
{
	if (opt == GLASS_OPT_MULTICAST_IF || opt == GLASS_OPT_MULTICAST_TTL)
		return -EINVAL;
	return opt == GLASS_OPT_UNICAST_IF || is_udp(opt) ? -ENOPROTOOPT : 0;
}

int sock_dgram_setopt(struct glass *g, struct glass_sock *s, enum glass_opt opt, int64_t value)
{
	if (opt == GLASS_OPT_BINDTODEVICE)
		return sock_set_device(g, s, (unsigned)value);
	if (!s->udp)
		return of_stream(opt);
	if (is_udp(opt))
		return set_udp(g, s, opt, value);
	if (opt == GLASS_OPT_MULTICAST_IF)
		return set_group_dev(g, s->udp, value);
	if (opt == GLASS_OPT_UNICAST_IF)
		return set_unicast_dev(g, s->udp, value);
	set_value(g, s->udp, opt, value);
	return 0;
}

/* What a stream has, which takes no notice of it. */
static int64_t get_of_stream(enum glass_opt opt)
{
	if (opt == GLASS_OPT_MTU_DISCOVER)
		return UDP_MTU_WANT;
	return opt == GLASS_OPT_MULTICAST_TTL || opt == GLASS_OPT_MULTICAST_LOOP ||
	       opt == GLASS_OPT_MULTICAST_ALL;
}

static int64_t get_of_udp(const struct udp_end *u, enum glass_opt opt)
{
	if (opt == GLASS_OPT_UDP_SEGMENT)
		return u->segment;
	return opt == GLASS_OPT_UDP_CORK ? u->cork : u->gro;
}

static int64_t get_of_device(const struct udp_end *u, enum glass_opt opt)
{
	return opt == GLASS_OPT_UNICAST_IF ? u->unicast_dev
					   : (int64_t)u->group_dev << 32 | u->group_src;
}

int64_t sock_dgram_getopt(struct glass_sock *s, enum glass_opt opt)
{
	const struct udp_end *u = s->udp;

	if (opt == GLASS_OPT_BINDTODEVICE)
		return sock_device(s);
	if (!u)
		return get_of_stream(opt);
	if (is_udp(opt))
		return get_of_udp(u, opt);
	if (opt == GLASS_OPT_BROADCAST)
		return u->broadcast;
	if (opt == GLASS_OPT_MTU_DISCOVER)
		return u->mtu_discover;
	if (opt == GLASS_OPT_RECVERR)
		return u->recverr;
	if (opt == GLASS_OPT_MULTICAST_TTL)
		return u->group_ttl;
	if (opt == GLASS_OPT_MULTICAST_LOOP)
		return u->group_loop;
	return opt == GLASS_OPT_MULTICAST_ALL ? u->group_all : get_of_device(u, opt);
}
