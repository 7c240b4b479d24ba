/* SPDX-License-Identifier: MIT */
/* Shared by the igmp*.c files. */
#ifndef GLASS_STACK_IGMP_H
#define GLASS_STACK_IGMP_H

#include "../wire/igmp.h"

#include "group.h"

/* RFC 3376 8.11, RFC 2236 8.10: unsolicited reports are repeated within this time. */
#define IGMP_REPEAT_NS NS_PER_S
#define IGMP_V2_REPEAT_NS (10 * NS_PER_S)
/* RFC 3376 8.2, 8.3: until a querier says something else. */
#define IGMP_INTERVAL_NS (125 * NS_PER_S)
#define IGMP_RESPONSE_NS (10 * NS_PER_S)
/* However often somebody asks, and wants answers at once: so many a second at most. */
#define IGMP_DELAY_MIN_NS (10 * NS_PER_MS)

static inline struct igmp_dev *igmp_dev(const struct glass *g, unsigned dev)
{
	return &g->groups->dev[dev];
}

/* igmp.c */
/* The version to be spoken on dev: RFC 3376 7.2.1; true: it is another one than before. */
bool igmp_mode_changed(struct glass *g, unsigned dev);
/* t is to fire within max_ns, earlier if it would anyway. */
void igmp_schedule(struct glass *g, struct timer *t, int64_t max_ns, uint64_t name);
/* The sources that were asked for need no answer any more: all of the group's do, or none. */
void igmp_asked_forget(struct glass *g, struct group *grp);

/* igmp_report.c: a report of version 3 being made, of as many packets as it takes. */
struct igmp_writer {
	struct glass *g;
	unsigned dev;
	struct pkt *p; /* NULL: none begun */
};
void igmp_record(struct igmp_writer *w, enum igmp_record_type type, ip4_t group,
		 const ip4_t *sources, uint32_t n);
static inline void igmp_record_filter(struct igmp_writer *w, enum igmp_record_type type,
				      const struct group *grp)
{
	const struct group_sources *s = grp->filter.sources;

	igmp_record(w, type, grp->addr, s ? s->at : NULL, s ? s->n : 0);
}
/* Sends what is there. */
void igmp_flush(struct igmp_writer *w);
/* A report of version 1 or 2, or a leave. */
void igmp_send_old(struct glass *g, const struct group *grp, enum igmp_type type);

#endif
