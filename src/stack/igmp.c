/* SPDX-License-Identifier: MIT */
/*
 * IGMP, the host's side: RFC 3376 5 and 7.2, RFC 2236 3, RFC 1112 appendix I. Telling the routers
 * of a link which groups are heard here.
 *
 * Theory of operation. Version 3 is spoken unless a querier of an older version was heard lately.
 * What changes in a device's filter is told at once, all changes of one moment in one report, and
 * again robustness - 1 times within a second each: the whole filter where its mode has changed
 * (mode_left), else the sources that came or went (changes). A group that was left stays in the
 * table until this is done. What a querier asks is answered after a random time; an answer that is
 * due already is never put off, so a flood of queries costs a timer per device and per group, and
 * no more answers than IGMP_DELAY_MIN_NS allows. In versions 1 and 2 every group has reports of its
 * own, and what another host has reported need not be.
 *
 * In:  group.c with changes; igmp_query.c; timers.
 * Out: igmp_report.c.
 */
#include "igmp.h"

#include <string.h>

/* ---- which version --------------------------------------------------------------------------- */

static uint8_t mode_now(const struct glass *g, unsigned dev)
{
	const struct igmp_dev *d = igmp_dev(g, dev);

	if (g->tun.force_igmp_version)
		return (uint8_t)g->tun.force_igmp_version;
	if (now(g) < d->v1_until_ns)
		return 1;
	return now(g) < d->v2_until_ns ? 2 : 3;
}

static void changes_forget(struct glass *g, struct group *grp)
{
	if (grp->changes)
		pool_free(&g->pool, grp->changes, GROUP_CHANGES_MAX * sizeof(*grp->changes));
	grp->changes = NULL;
	grp->nchanges = 0;
}

void igmp_asked_forget(struct glass *g, struct group *grp)
{
	if (grp->asked)
		pool_free(&g->pool, grp->asked, GROUP_ASKED_MAX * sizeof(*grp->asked));
	grp->asked = NULL;
	grp->nasked = 0;
}

void igmp_forget(struct glass *g, struct group *grp)
{
	changes_forget(g, grp);
	igmp_asked_forget(g, grp);
	timer_stop(&g->timers, &grp->timer);
	grp->mode_left = grp->reports_left = 0;
}

/* What is under way ends. The groups that nobody belongs to are freed a moment later. */
static void cancel(struct glass *g, unsigned dev)
{
	struct igmp_dev *d = igmp_dev(g, dev);

	timer_stop(&g->timers, &d->general);
	timer_stop(&g->timers, &d->changes);
	for (struct group *grp = group_next(g, NULL); grp; grp = group_next(g, grp)) {
		if (grp->dev != dev)
			continue;
		igmp_forget(g, grp);
		timer_arm(&g->timers, &d->changes, now(g));
	}
}

bool igmp_mode_changed(struct glass *g, unsigned dev)
{
	struct igmp_dev *d = igmp_dev(g, dev);
	uint8_t mode = mode_now(g, dev);

	if (mode == d->mode)
		return false;
	EVENT(g, 0, g->trace.cause, IGMP_MODE, dev, d->mode, mode);
	d->mode = mode;
	cancel(g, dev);
	return true;
}

/* ---- when ------------------------------------------------------------------------------------ */

void igmp_schedule(struct glass *g, struct timer *t, int64_t max_ns, uint64_t name)
{
	int64_t delay_ns = 1000 * (1ll + rng_below(&g->rng, (uint32_t)(max_ns / 1000)));

	if (timer_armed(t) && t->deadline_ns <= now(g) + delay_ns)
		return;
	timer_arm(&g->timers, t, now(g) + delay_ns);
	EVENT(g, 0, 0, TIMER_SET, name, (uint64_t)delay_ns, WORD("all must not answer at once"));
}

/* ---- what has changed ------------------------------------------------------------------------ */

static bool wanted(const struct group *grp)
{
	return grp->nmembers && (grp->filter.exclude || grp->filter.sources);
}

static struct group_change *change_of(struct group *grp, ip4_t source)
{
	for (unsigned i = 0; i < grp->nchanges; i++) {
		if (grp->changes[i].source == source)
			return &grp->changes[i];
	}
	return NULL;
}

/* One more source to tell of; false: no room. */
static bool change_add(struct glass *g, struct group *grp, ip4_t source)
{
	struct group_change *c = change_of(grp, source);

	if (!grp->changes)
		grp->changes = pool_alloc(&g->pool, GROUP_CHANGES_MAX * sizeof(*grp->changes));
	if (!grp->changes || (!c && grp->nchanges == GROUP_CHANGES_MAX))
		return false;
	if (!c)
		c = &grp->changes[grp->nchanges++];
	*c = (struct group_change){ source, igmp_dev(g, grp->dev)->robustness };
	return true;
}

/* The sources of a that are not in b. */
static bool difference(struct glass *g, struct group *grp, const struct group_filter *a,
		       const struct group_filter *b)
{
	for (uint32_t i = 0; a->sources && i < a->sources->n; i++) {
		if (!filter_has(b, a->sources->at[i]) && !change_add(g, grp, a->sources->at[i]))
			return false;
	}
	return true;
}

/* RFC 3376 5.1. Too many changes to keep apart: then the whole filter is told. */
static void note_changes(struct glass *g, struct group *grp, const struct group_filter *was)
{
	if (grp->filter.exclude == was->exclude && difference(g, grp, &grp->filter, was) &&
	    difference(g, grp, was, &grp->filter))
		return;
	changes_forget(g, grp);
	grp->mode_left = igmp_dev(g, grp->dev)->robustness;
}

/* RFC 2236 3: reports when joined; a leave if the last report was ours. */
static void changed_old(struct glass *g, struct group *grp)
{
	const struct igmp_dev *d = igmp_dev(g, grp->dev);

	if (wanted(grp) && !grp->told) {
		grp->reports_left = d->robustness;
		timer_arm(&g->timers, &grp->timer, now(g));
	}
	if (wanted(grp) || !grp->told)
		return;
	timer_stop(&g->timers, &grp->timer);
	grp->reports_left = 0;
	if (grp->reporter && d->mode == 2)
		igmp_send_old(g, grp, IGMP_V2_LEAVE);
	grp->reporter = false;
}

void igmp_changed(struct glass *g, struct group *grp, const struct group_filter *was)
{
	struct igmp_dev *d = igmp_dev(g, grp->dev);

	if (grp->dev == DEV_LO || !g->dev[grp->dev].up || grp->addr == IGMP_ALL_HOSTS)
		return; /* nobody to tell; RFC 3376 5: that group is never told of */
	igmp_mode_changed(g, grp->dev);
	if (d->mode < 3)
		changed_old(g, grp);
	else
		note_changes(g, grp, was);
	grp->told = wanted(grp);
	if (grp->mode_left || grp->nchanges)
		timer_arm(&g->timers, &d->changes, now(g));
}

/* ---- telling it ------------------------------------------------------------------------------ */

static void count_down(struct glass *g, struct group *grp)
{
	unsigned kept = 0;

	if (grp->mode_left)
		grp->mode_left--;
	for (unsigned i = 0; i < grp->nchanges; i++) {
		if (--grp->changes[i].left)
			grp->changes[kept++] = grp->changes[i];
	}
	grp->nchanges = (uint8_t)kept;
	if (!kept)
		changes_forget(g, grp);
}

static void report_sources(struct igmp_writer *w, const struct group *grp, bool allowed)
{
	ip4_t at[GROUP_CHANGES_MAX];
	uint32_t n = 0;

	for (unsigned i = 0; i < grp->nchanges; i++) {
		if (filter_allows(&grp->filter, grp->changes[i].source) == allowed)
			at[n++] = grp->changes[i].source;
	}
	if (n)
		igmp_record(w, allowed ? IGMP_ALLOW : IGMP_BLOCK, grp->addr, at, n);
}

static void report_changes(struct igmp_writer *w, struct group *grp)
{
	if (grp->mode_left) {
		igmp_record_filter(w, grp->filter.exclude ? IGMP_TO_EXCLUDE : IGMP_TO_INCLUDE, grp);
	} else {
		report_sources(w, grp, true);
		report_sources(w, grp, false);
	}
	count_down(w->g, grp);
}

static void changes_timer(struct glass *g, struct timer *t)
{
	TIMER_ENTER(g, t, "igmp changes");
	struct igmp_dev *d = container_of(t, struct igmp_dev, changes);
	struct igmp_writer w = { g, (unsigned)(d - g->groups->dev), NULL };
	bool more = false;

	igmp_mode_changed(g, w.dev);
	for (struct group *grp = group_next(g, NULL), *next; grp; grp = next) {
		next = group_next(g, grp);
		if (grp->dev != w.dev)
			continue;
		report_changes(&w, grp);
		more |= grp->mode_left || grp->nchanges;
		group_reap(g, grp);
	}
	igmp_flush(&w);
	if (more)
		igmp_schedule(g, t, IGMP_REPEAT_NS, WORD("igmp changes"));
	act_end(g, outer);
}

/* ---- answering ------------------------------------------------------------------------------- */

static void report_state(struct igmp_writer *w, const struct group *grp)
{
	if (grp->told)
		igmp_record_filter(w, grp->filter.exclude ? IGMP_IS_EXCLUDE : IGMP_IS_INCLUDE, grp);
}

static void general_timer(struct glass *g, struct timer *t)
{
	TIMER_ENTER(g, t, "igmp answer");
	struct igmp_dev *d = container_of(t, struct igmp_dev, general);
	struct igmp_writer w = { g, (unsigned)(d - g->groups->dev), NULL };

	if (!igmp_mode_changed(g, w.dev)) {
		for (struct group *grp = group_next(g, NULL); grp; grp = group_next(g, grp)) {
			if (grp->dev == w.dev)
				report_state(&w, grp);
		}
		igmp_flush(&w);
	}
	act_end(g, outer);
}

/* RFC 3376 5.2: of the sources that were asked for those that are wanted. */
static void report_asked(struct igmp_writer *w, const struct group *grp)
{
	ip4_t at[GROUP_ASKED_MAX];
	uint32_t n = 0;

	for (unsigned i = 0; i < grp->nasked; i++) {
		if (filter_allows(&grp->filter, grp->asked[i]))
			at[n++] = grp->asked[i];
	}
	if (n)
		igmp_record(w, IGMP_IS_INCLUDE, grp->addr, at, n);
}

static void answer(struct glass *g, struct group *grp)
{
	struct igmp_writer w = { g, grp->dev, NULL };

	if (grp->asked)
		report_asked(&w, grp);
	else
		report_state(&w, grp);
	igmp_flush(&w);
	igmp_asked_forget(g, grp);
}

static void report_old(struct glass *g, struct group *grp)
{
	igmp_send_old(g, grp, igmp_dev(g, grp->dev)->mode == 1 ? IGMP_V1_REPORT : IGMP_V2_REPORT);
	grp->reporter = true;
	if (grp->reports_left && --grp->reports_left)
		igmp_schedule(g, &grp->timer, IGMP_V2_REPEAT_NS, WORD("igmp report"));
}

void igmp_group_timer(struct glass *g, struct timer *t)
{
	TIMER_ENTER(g, t, "igmp report");
	struct group *grp = container_of(t, struct group, timer);

	if (igmp_mode_changed(g, grp->dev)) {
		act_end(g, outer);
		return;
	}
	if (igmp_dev(g, grp->dev)->mode < 3)
		report_old(g, grp);
	else
		answer(g, grp);
	act_end(g, outer);
}

/* ---- life ------------------------------------------------------------------------------------ */

void igmp_init(struct glass *g)
{
	for (unsigned i = 0; i < DEV_MAX; i++) {
		struct igmp_dev *d = igmp_dev(g, i);

		timer_init(&d->general, general_timer);
		timer_init(&d->changes, changes_timer);
		d->robustness = (uint8_t)g->tun.igmp_qrv;
		d->interval_ns = IGMP_INTERVAL_NS;
		d->mode = 3;
	}
}

/* A link that comes up may be another one: nothing is known of its querier, and all is told anew.
 */
void igmp_dev_up(struct glass *g, unsigned dev, bool up)
{
	const struct group_filter nothing = { 0 };
	struct igmp_dev *d = igmp_dev(g, dev);

	d->v1_until_ns = d->v2_until_ns = 0;
	d->robustness = (uint8_t)g->tun.igmp_qrv;
	d->interval_ns = IGMP_INTERVAL_NS;
	cancel(g, dev);
	for (struct group *grp = group_next(g, NULL); up && grp; grp = group_next(g, grp)) {
		if (grp->dev != dev)
			continue;
		grp->told = false;
		igmp_changed(g, grp, &nothing);
	}
}
