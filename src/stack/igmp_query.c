/* SPDX-License-Identifier: MIT */
/*
 * IGMP in: RFC 3376 4.1, 5.2 and 7.2.1, RFC 2236 3. A host listens to queries and, while an older
 * version is spoken, to what other hosts report.
 *
 * In:  ip_deliver().
 * Out: the timers of igmp.c.
 */
#include "../wire/checksum.h"

#include "igmp.h"

/* A query as all versions say it. */
struct query {
	unsigned version;
	ip4_t group; /* 0: general */
	int64_t response_ns;
	const struct be32 *sources;
	uint32_t nsources;
};

/* ---- queriers of older versions -------------------------------------------------------------- */

/* RFC 3376 8.12: so long after its last general query a querier counts as present. */
static int64_t present_until(const struct glass *g, const struct igmp_dev *d)
{
	return now(g) + d->robustness * d->interval_ns + IGMP_RESPONSE_NS;
}

static void querier_heard(struct glass *g, unsigned dev, const struct query *q)
{
	struct igmp_dev *d = igmp_dev(g, dev);

	if (!q->group && q->version == 1)
		d->v1_until_ns = present_until(g, d);
	if (!q->group && q->version == 2)
		d->v2_until_ns = present_until(g, d);
	igmp_mode_changed(g, dev);
}

/* ---- queries --------------------------------------------------------------------------------- */

/* Versions 1 and 2: each group answers for itself (RFC 2236 3). */
static void schedule_old(struct glass *g, unsigned dev, const struct query *q)
{
	for (struct group *grp = group_next(g, NULL); grp; grp = group_next(g, grp)) {
		if (grp->dev == dev && grp->told && (!q->group || grp->addr == q->group))
			igmp_schedule(g, &grp->timer, q->response_ns, WORD("igmp report"));
	}
}

/*
 * The sources asked for are kept until the answer, beside those of earlier queries. What does not
 * fit is no reason to keep more: the answer then tells the whole filter (RFC 3376 9.1).
 */
static void ask_for(struct glass *g, struct group *grp, const struct query *q)
{
	if (!grp->asked)
		grp->asked = pool_alloc(&g->pool, GROUP_ASKED_MAX * sizeof(*grp->asked));
	for (uint32_t i = 0; grp->asked && i < q->nsources; i++) {
		ip4_t source = be32_get(q->sources[i]);
		unsigned at = 0;

		while (at < grp->nasked && grp->asked[at] != source)
			at++;
		if (at == GROUP_ASKED_MAX) {
			igmp_asked_forget(g, grp);
			return;
		}
		grp->asked[at] = source;
		if (at == grp->nasked)
			grp->nasked++;
	}
}

/* RFC 3376 5.2, rules 3 to 5. */
static void schedule_group(struct glass *g, struct group *grp, const struct query *q)
{
	if (!q->nsources)
		igmp_asked_forget(g, grp);
	else if (grp->asked || !timer_armed(&grp->timer))
		ask_for(g, grp, q);
	igmp_schedule(g, &grp->timer, q->response_ns, WORD("igmp report"));
}

static void schedule(struct glass *g, unsigned dev, const struct query *q)
{
	struct igmp_dev *d = igmp_dev(g, dev);
	struct group *grp = q->group ? group_find(g, dev, q->group) : NULL;
	int64_t max_ns = timer_armed(&d->general) ? d->general.deadline_ns - now(g) : INT64_MAX;

	if (d->mode < 3) {
		schedule_old(g, dev, q);
		return;
	}
	if (!q->group && d->ngroups)
		igmp_schedule(g, &d->general, q->response_ns, WORD("igmp answer"));
	/* Rule 1: an answer to all that comes sooner answers this too. */
	if (grp && grp->told && max_ns > IGMP_DELAY_MIN_NS)
		schedule_group(g, grp, q);
}

/* RFC 3376 4.1.6, 4.1.7: what the querier says of itself. */
static void learn(struct glass *g, unsigned dev, const struct igmp_query *h)
{
	struct igmp_dev *d = igmp_dev(g, dev);
	uint32_t interval = igmp_code_value(h->qqic);

	d->robustness = h->s_qrv & 7 ? h->s_qrv & 7 : (uint8_t)g->tun.igmp_qrv;
	d->interval_ns = interval ? interval * NS_PER_S : IGMP_INTERVAL_NS;
}

/* RFC 3376 7.1: the length tells the version. 0: it is none of them, and *need bytes would be. */
static unsigned version_of(const struct pkt *p, uint32_t *need)
{
	const struct igmp_header *h = pkt_peek(p, 0, sizeof(*h));
	const struct igmp_query *v3 = pkt_peek(p, 0, sizeof(*v3));

	*need = sizeof(*v3);
	if (p->len == sizeof(*h))
		return h->code ? 2 : 1;
	if (!v3)
		return 0;
	*need += be16_get(v3->nsources) * 4u;
	return p->len < *need ? 0 : 3;
}

static int64_t response_time(const struct igmp_header *h, unsigned version)
{
	uint32_t tenths = version == 3 ? igmp_code_value(h->code) : h->code;
	int64_t ns = version == 1 ? IGMP_RESPONSE_NS : tenths * IGMP_TENTH_NS;

	return ns > IGMP_DELAY_MIN_NS ? ns : IGMP_DELAY_MIN_NS;
}

static enum verdict got_query(struct glass *g, struct pkt *p)
{
	const struct igmp_header *h = (const struct igmp_header *)(const void *)p->data;
	const struct igmp_query *v3 = (const struct igmp_query *)(const void *)p->data;
	struct query q = { .group = be32_get(h->group) };
	uint32_t need;

	stat_inc(g, STAT_IGMP_IN_QUERIES);
	q.version = version_of(p, &need);
	if (!q.version)
		return drop(g, p, IGMP_SHORT, p->len, need);
	if (q.group && !ip_is_multicast(q.group))
		return drop(g, p, IGMP_GROUP, q.group, h->type);
	q.response_ns = response_time(h, q.version);
	if (q.version == 3) {
		q.sources = (const struct be32 *)(const void *)(v3 + 1);
		q.nsources = be16_get(v3->nsources);
		learn(g, p->dev, v3);
	}
	querier_heard(g, p->dev, &q);
	schedule(g, p->dev, &q);
	return accept_packet(g, p);
}

/* ---- reports --------------------------------------------------------------------------------- */

/* RFC 3376 9.2: one of this link, or one that has no address yet. */
static bool is_neighbour(const struct glass *g, const struct pkt *p, ip4_t src)
{
	return !src || ip_is_on_link(g, p->dev, src);
}

/* RFC 2236 3: another host has told it: we need not, nor leave. */
static enum verdict got_report(struct glass *g, struct pkt *p, const struct ip_info *ip)
{
	const struct igmp_header *h = (const struct igmp_header *)(const void *)p->data;
	ip4_t addr = be32_get(h->group);
	struct group *grp = group_find(g, p->dev, addr);

	stat_inc(g, STAT_IGMP_IN_REPORTS);
	if (addr != ip->dst)
		return drop(g, p, IGMP_GROUP, addr, h->type);
	if (!is_neighbour(g, p, ip->src))
		return drop(g, p, IGMP_SOURCE, ip->src, addr);
	if (grp && igmp_dev(g, p->dev)->mode < 3) {
		timer_stop(&g->timers, &grp->timer);
		grp->reports_left = 0;
		grp->reporter = false;
	}
	return accept_packet(g, p);
}

enum verdict igmp_input(struct glass *g, struct pkt *p, const struct ip_info *ip)
{
	const struct igmp_header *h = pkt_peek(p, 0, sizeof(*h));
	uint16_t sum;

	ENTER(g, p);
	stat_inc(g, STAT_IGMP_IN_MSGS);
	if (!h)
		return drop(g, p, IGMP_SHORT, p->len, sizeof(*h));
	sum = csum_fold(csum_add(0, p->data, p->len));
	if (sum)
		return drop(g, p, IGMP_BAD_CSUM, sum);
	EVENT(g, 0, p->id, IGMP_IN, h->type, be32_get(h->group), h->code);
	if (p->flags & PKT_LOOPED || p->dev == DEV_LO)
		return accept_packet(g, p); /* what a raw socket of ours says */
	switch (h->type) {
	case IGMP_QUERY:
		return got_query(g, p);
	case IGMP_V1_REPORT:
	case IGMP_V2_REPORT:
		return got_report(g, p, ip);
	case IGMP_V2_LEAVE: /* for routers */
	case IGMP_V3_REPORT:
		return accept_packet(g, p);
	default:
		return drop(g, p, IGMP_TYPE, h->type);
	}
}
