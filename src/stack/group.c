/* SPDX-License-Identifier: MIT */
/*
 * Multicast groups: RFC 1112, RFC 3376 2 and 3. An endpoint joins a group on a device; what all
 * members want together is the device's filter, which decides what is heard, and which IGMP tells
 * the routers. 224.0.0.1 is heard by every device without joining, and is never reported.
 *
 * In:  the socket layer (joins, filters); eth_input() and ip_input() (is it heard?); udp.c, raw.c.
 * Out: igmp.c.
 */
#include "group.h"

#include "../wire/igmp.h"

#include "udp.h"

#define TIMERS 3 /* that a group needs: its own, and the two of its device */

/* The low byte is also that of the hardware address (RFC 1112 6.4), so both find the same bucket.
 */
static const struct list *bucket_of(const struct glass *g, ip4_t addr)
{
	return &g->groups->bucket[addr % GROUP_BUCKETS];
}

struct group *group_find(const struct glass *g, unsigned dev, ip4_t addr)
{
	list_for_each(grp, bucket_of(g, addr), struct group, node) {
		if (grp->addr == addr && grp->dev == dev)
			return grp;
	}
	return NULL;
}

struct group *group_next(const struct glass *g, const struct group *cursor)
{
	unsigned i = cursor ? cursor->addr % GROUP_BUCKETS : 0;
	struct list *at = cursor ? cursor->node.next : g->groups->bucket[0].next;

	for (;; at = g->groups->bucket[i].next) {
		if (at != &g->groups->bucket[i])
			return container_of(at, struct group, node);
		if (++i == GROUP_BUCKETS)
			return NULL;
	}
}

/* ---- what is heard --------------------------------------------------------------------------- */

bool group_hears_mac(const struct glass *g, unsigned dev, const uint8_t mac[MAC_BYTES])
{
	ip4_t low = (ip4_t)mac[3] << 16 | (ip4_t)mac[4] << 8 | mac[5];

	if (mac[0] != 0x01 || mac[1] || mac[2] != 0x5e)
		return true; /* not IPv4's: the type decides */
	if (low == (IGMP_ALL_HOSTS & 0x7fffff))
		return true;
	list_for_each(grp, bucket_of(g, low), struct group, node) {
		if ((grp->addr & 0x7fffff) == low && grp->dev == dev && grp->nmembers)
			return true;
	}
	return false;
}

bool group_hears(const struct glass *g, unsigned dev, ip4_t addr)
{
	const struct group *grp;

	if (addr == IGMP_ALL_HOSTS)
		return true;
	grp = group_find(g, dev, addr);
	return grp && grp->nmembers;
}

bool group_hears_source(const struct glass *g, unsigned dev, ip4_t addr, ip4_t src)
{
	const struct group *grp = group_find(g, dev, addr);

	return !grp || filter_allows(&grp->filter, src);
}

struct group_member *group_member_of(const struct udp_end *u, ip4_t addr, unsigned dev)
{
	list_for_each(m, &u->groups, struct group_member, node) {
		if (m->group->addr == addr && m->group->dev == dev)
			return m;
	}
	return NULL;
}

/* As Linux: who has not joined hears what others have joined, unless IP_MULTICAST_ALL is off. */
bool group_end_hears(const struct udp_end *u, unsigned dev, ip4_t addr, ip4_t src)
{
	const struct group_member *m;

	if (!ip_is_multicast(addr))
		return true;
	m = group_member_of(u, addr, dev);
	return m ? filter_allows(&m->filter, src) : u->group_all;
}

/* ---- the device's filter --------------------------------------------------------------------- */

/* What the members want has changed, or a member has come or gone: 0 or -ENOBUFS. */
static int group_update(struct glass *g, struct group *grp)
{
	struct group_filter was = grp->filter, merged;

	if (!filter_merge(g, grp, &merged))
		return -ENOBUFS;
	grp->filter = merged;
	igmp_changed(g, grp, &was);
	sources_free(g, was.sources);
	return 0;
}

struct group *group_new(struct glass *g, unsigned dev, ip4_t addr)
{
	struct group *grp;

	if (g->groups->count >= (uint32_t)g->tun.igmp_groups_max ||
	    !timers_reserve(&g->timers, TIMERS))
		return NULL;
	grp = pool_alloc(&g->pool, sizeof(*grp));
	if (!grp) {
		stat_inc(g, STAT_NOMEM);
		timers_release(&g->timers, TIMERS);
		return NULL;
	}
	grp->addr = addr;
	grp->dev = (uint8_t)dev;
	list_init(&grp->members);
	timer_init(&grp->timer, igmp_group_timer);
	list_append(&g->groups->bucket[addr % GROUP_BUCKETS], &grp->node);
	g->groups->count++;
	g->groups->dev[dev].ngroups++;
	return grp;
}

static void group_free(struct glass *g, struct group *grp)
{
	struct igmp_dev *d = &g->groups->dev[grp->dev];

	igmp_forget(g, grp);
	list_remove(&grp->node);
	g->groups->count--;
	if (!--d->ngroups) {
		timer_stop(&g->timers, &d->general);
		timer_stop(&g->timers, &d->changes);
	}
	timers_release(&g->timers, TIMERS);
	sources_free(g, grp->filter.sources);
	pool_free(&g->pool, grp, sizeof(*grp));
}

void group_reap(struct glass *g, struct group *grp)
{
	if (!grp->nmembers && !grp->mode_left && !grp->nchanges && !grp->reports_left)
		group_free(g, grp);
}

/* ---- joining and leaving --------------------------------------------------------------------- */

static bool dev_has_addr(const struct glass *g, unsigned dev, ip4_t addr)
{
	for (unsigned i = 0; i < g->naddr; i++) {
		if (g->addr[i].dev == dev && g->addr[i].addr == addr)
			return true;
	}
	return false;
}

/* As Linux: the index, the address, or the way that leads to the group. */
int group_device(const struct glass *g, ip4_t addr, unsigned ifindex, ip4_t via)
{
	struct ip_path path;

	if (ifindex)
		return ifindex <= g->ndev ? (int)ifindex - 1 : -ENODEV;
	for (unsigned dev = 0; via && dev < g->ndev; dev++) {
		if (dev_has_addr(g, dev, via))
			return (int)dev;
	}
	if (via || ip_route(g, addr, 0, &path))
		return -ENODEV;
	return (int)path.dev;
}

struct group_member *group_member_new(struct glass *g, struct udp_end *u, struct group *grp)
{
	struct group_member *m = pool_alloc(&g->pool, sizeof(*m));

	if (!m) {
		stat_inc(g, STAT_NOMEM);
		return NULL;
	}
	m->group = grp;
	list_append(&u->groups, &m->node);
	list_append(&grp->members, &m->in);
	grp->nmembers++;
	u->ngroups++;
	return m;
}

static void member_free(struct glass *g, struct udp_end *u, struct group_member *m)
{
	m->group->nmembers--;
	u->ngroups--;
	list_remove(&m->node);
	list_remove(&m->in);
	sources_free(g, m->filter.sources);
	pool_free(&g->pool, m, sizeof(*m));
}

int group_join(struct glass *g, struct udp_end *u, ip4_t addr, unsigned ifindex, ip4_t via,
	       bool exclude)
{
	int dev = ip_is_multicast(addr) ? group_device(g, addr, ifindex, via) : -EINVAL;
	struct group_member *m = NULL;
	struct group *grp;

	if (dev < 0)
		return dev;
	if (group_member_of(u, addr, (unsigned)dev))
		return -EADDRINUSE;
	if (u->ngroups >= g->tun.igmp_max_memberships)
		return -ENOBUFS;
	grp = group_find(g, (unsigned)dev, addr);
	if (!grp)
		grp = group_new(g, (unsigned)dev, addr);
	if (grp)
		m = group_member_new(g, u, grp);
	if (m) {
		m->via = via;
		m->filter.exclude = exclude;
		EVENT(g, 0, g->trace.cause, GROUP, WORD("joined"), addr, dev, grp->nmembers);
		if (!group_update(g, grp))
			return 0;
		member_free(g, u, m);
	}
	if (grp)
		group_reap(g, grp);
	return -ENOBUFS;
}

/* Without memory for the filter of those who stay, the device goes on hearing too much. */
static void leave(struct glass *g, struct udp_end *u, struct group_member *m)
{
	struct group *grp = m->group;

	member_free(g, u, m);
	EVENT(g, 0, g->trace.cause, GROUP, WORD("left"), grp->addr, grp->dev, grp->nmembers);
	group_update(g, grp);
	group_reap(g, grp);
}

int group_leave(struct glass *g, struct udp_end *u, ip4_t addr, unsigned ifindex, ip4_t via)
{
	int dev = group_device(g, addr, ifindex, via);

	if (dev < 0 && !ifindex && !via)
		return -ENODEV;
	list_for_each(m, &u->groups, struct group_member, node) {
		/* An address that has gone meanwhile still says which membership is meant. */
		if (m->group->addr != addr ||
		    (dev >= 0 ? m->group->dev != dev : ifindex || m->via != via))
			continue;
		leave(g, u, m);
		return 0;
	}
	return -EADDRNOTAVAIL;
}

void group_leave_all(struct glass *g, struct udp_end *u)
{
	list_for_each_safe(m, &u->groups, struct group_member, node)
		leave(g, u, m);
}

int group_set_filter(struct glass *g, struct group_member *m, bool exclude, const ip4_t *at,
		     uint32_t n)
{
	struct group_filter was = m->filter, filter = { .exclude = exclude };

	if (!sources_new(g, at, n, &filter.sources))
		return -ENOBUFS;
	m->filter = filter;
	if (group_update(g, m->group)) {
		sources_free(g, filter.sources);
		m->filter = was;
		return -ENOBUFS;
	}
	sources_free(g, was.sources);
	return 0;
}

/* ---- life ------------------------------------------------------------------------------------ */

int group_init(struct glass *g)
{
	g->groups = pool_alloc(&g->pool, sizeof(*g->groups));
	if (!g->groups)
		return -ENOMEM;
	for (unsigned i = 0; i < GROUP_BUCKETS; i++)
		list_init(&g->groups->bucket[i]);
	igmp_init(g);
	return 0;
}

/* The endpoints are gone, and have left everything. */
void group_fini(struct glass *g)
{
	struct group *grp;

	if (!g->groups)
		return;
	while ((grp = group_next(g, NULL)))
		group_free(g, grp);
	pool_free(&g->pool, g->groups, sizeof(*g->groups));
	g->groups = NULL;
}
