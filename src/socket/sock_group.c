/* SPDX-License-Identifier: MIT */
/*
 * Datagram sockets: multicast memberships. Errors are those that Linux answers.
 *
 * In:  the owner of the stack.
 * Out: group.c, group_source.c.
 */
#include "sock.h"

#include <string.h>

#include "../stack/group.h"
#include "../wire/igmp.h"

/* ---- memberships ----------------------------------------------------------------------------- */

/* A group as a caller names it. */
struct named {
	ip4_t group, via, source;
};

static int read_addr(const struct glass_addr *a, ip4_t *out)
{
	*out = a->family == GLASS_IP4 ? ip4_of_addr(a) : 0;
	return a->family == GLASS_IP4 || a->family == GLASS_UNSPEC ? 0 : -EAFNOSUPPORT;
}

static int read_group(const struct glass_sock *s, const struct glass_group *in, struct named *out)
{
	int err = s->udp ? read_addr(&in->group, &out->group) : -EPROTO;

	if (!err)
		err = read_addr(&in->via, &out->via);
	return err ? err : read_addr(&in->source, &out->source);
}

/* Joining for a source joins the group first, unless that is done already. */
static int change_source(struct glass *g, struct udp_end *u, enum glass_group_do what,
			 const struct named *n, unsigned ifindex)
{
	bool adds = what == GLASS_GROUP_JOIN_SOURCE || what == GLASS_GROUP_BLOCK;
	bool exclude = what == GLASS_GROUP_BLOCK || what == GLASS_GROUP_UNBLOCK;
	int dev, err;

	if (!ip_is_multicast(n->group))
		return -EINVAL;
	if (what == GLASS_GROUP_JOIN_SOURCE) {
		err = group_join(g, u, n->group, ifindex, n->via, false);
		if (err && err != -EADDRINUSE)
			return err;
	}
	dev = group_device(g, n->group, ifindex, n->via);
	if (dev < 0)
		return dev;
	if (adds)
		return group_source_add(g, u, n->group, (unsigned)dev, n->source, exclude);
	return group_source_del(g, u, n->group, (unsigned)dev, n->source, exclude);
}

static int group_do(struct glass *g, struct glass_sock *s, enum glass_group_do what,
		    const struct glass_group *group)
{
	struct named n;
	int err = read_group(s, group, &n);

	if (err)
		return err;
	switch (what) {
	case GLASS_GROUP_JOIN:
		return group_join(g, s->udp, n.group, group->ifindex, n.via, true);
	case GLASS_GROUP_LEAVE:
		return group_leave(g, s->udp, n.group, group->ifindex, n.via);
	case GLASS_GROUP_JOIN_SOURCE:
	case GLASS_GROUP_LEAVE_SOURCE:
	case GLASS_GROUP_BLOCK:
	case GLASS_GROUP_UNBLOCK:
		return change_source(g, s->udp, what, &n, group->ifindex);
	case GLASS_GROUP_DO_COUNT:
		break;
	}
	return -EINVAL;
}

int glass_group(struct glass *g, struct glass_sock *s, enum glass_group_do what,
		const struct glass_group *group)
{
	SOCK_CALL(g, s, "group", what);
	int err = group_do(g, s, what, group);

	return (int)sock_call_end(g, s, outer, WORD("group"), err);
}

/* The membership that is meant; NULL: *err. */
static struct group_member *member_meant(struct glass *g, struct glass_sock *s,
					 const struct glass_group *group, int none, int *err)
{
	struct group_member *m = NULL;
	struct named n;
	int dev;

	*err = read_group(s, group, &n);
	if (!*err && !ip_is_multicast(n.group))
		*err = -EINVAL;
	if (*err)
		return NULL;
	dev = group_device(g, n.group, group->ifindex, n.via);
	if (dev >= 0)
		m = group_member_of(s->udp, n.group, (unsigned)dev);
	*err = dev < 0 ? dev : m ? 0 : none;
	return m;
}

/* Sorted and without doubles, at out; how many. */
static uint32_t sorted(const struct glass_addr *in, unsigned count, ip4_t *out)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < count; i++) {
		ip4_t a = ip4_of_addr(&in[i]);
		uint32_t at = n;

		while (at && out[at - 1] > a)
			at--;
		if (at && out[at - 1] == a)
			continue;
		memmove(out + at + 1, out + at, (n - at) * sizeof(*out));
		out[at] = a;
		n++;
	}
	return n;
}

int glass_group_set(struct glass *g, struct glass_sock *s, const struct glass_group *group,
		    bool exclude, const struct glass_addr *sources, unsigned count)
{
	size_t bytes = (count + 1) * sizeof(ip4_t);
	struct group_member *m;
	ip4_t *list;
	int err;

	if (count > g->tun.igmp_max_msf)
		return -ENOBUFS;
	if (!exclude && !count)
		return glass_group(g, s, GLASS_GROUP_LEAVE, group);
	m = member_meant(g, s, group, -EINVAL, &err);
	if (!m)
		return err;
	list = pool_alloc(&g->pool, bytes);
	if (!list)
		return -ENOBUFS;
	err = group_set_filter(g, m, exclude, list, sorted(sources, count, list));
	pool_free(&g->pool, list, bytes);
	return err;
}

int glass_group_get(struct glass *g, struct glass_sock *s, const struct glass_group *group,
		    bool *exclude, struct glass_addr *sources, unsigned max)
{
	int err;
	const struct group_member *m = member_meant(g, s, group, -EADDRNOTAVAIL, &err);
	const struct group_sources *list;

	if (!m)
		return err;
	list = m->filter.sources;
	*exclude = m->filter.exclude;
	for (uint32_t i = 0; list && i < list->n && i < max; i++)
		sources[i] = addr_of_ip4(list->at[i]);
	return list ? (int)list->n : 0;
}

/* ---- looking in ------------------------------------------------------------------------------ */

static void maddr_fill(const struct glass *g, unsigned dev, ip4_t addr, const struct group *grp,
		       struct glass_maddr_info *out)
{
	const struct group_sources *s = grp ? grp->filter.sources : NULL;

	*out = (struct glass_maddr_info){
		.dev = dev,
		.group = addr_of_ip4(addr),
		.users = grp ? grp->nmembers : 0,
		.exclude = grp ? grp->filter.exclude : true,
		.nsources = s ? s->n : 0,
		.version = dev == DEV_LO ? 0 : g->groups->dev[dev].mode,
	};
	if (g->dev[dev].setup.link == GLASS_ETHERNET)
		ip_group_mac(addr, out->mac);
	for (uint32_t i = 0; s && i < s->n && i < GLASS_MADDR_SOURCES; i++)
		out->source[i] = addr_of_ip4(s->at[i]);
}

bool glass_maddr_at(const struct glass *g, unsigned i, struct glass_maddr_info *out)
{
	if (i < g->ndev) {
		maddr_fill(g, i, IGMP_ALL_HOSTS, NULL, out);
		return true;
	}
	i -= g->ndev;
	for (const struct group *grp = group_next(g, NULL); grp; grp = group_next(g, grp)) {
		if (grp->nmembers && !i--) {
			maddr_fill(g, grp->dev, grp->addr, grp, out);
			return true;
		}
	}
	return false;
}
