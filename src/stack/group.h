/* SPDX-License-Identifier: MIT */
/*
 * Multicast: which groups the endpoints have joined, what each device therefore wants to hear (RFC
 * 3376 3), and the telling of it (IGMP).
 */
#ifndef GLASS_STACK_GROUP_H
#define GLASS_STACK_GROUP_H

#include "../base/timer.h"
#include "ip.h"

struct udp_end;

#define GROUP_BUCKETS 256
#define GROUP_CHANGES_MAX                                                                      \
	64		   /* sources whose coming or going is still to be reported, per group \
			    */
#define GROUP_ASKED_MAX 64 /* sources that queries asked for, per group (RFC 3376 9.1) */

/* Sources, ascending. NULL stands for none. */
struct group_sources {
	uint32_t n;
	ip4_t at[];
};

/* A filter: EXCLUDE all but, or INCLUDE only, the sources. */
struct group_filter {
	bool exclude;
	struct group_sources *sources;
};

/* One endpoint's membership. */
struct group_member {
	struct list node; /* u->groups */
	struct list in;	  /* group->members */
	struct group *group;
	ip4_t via; /* the device's address that the program named; 0: none */
	struct group_filter filter;
};

/* A source whose coming or going is still to be told so many times. */
struct group_change {
	ip4_t source;
	uint8_t left;
};

/* What one device wants to hear of one group. */
struct group {
	struct list node;    /* in its bucket */
	struct list members; /* none: only kept until its end has been told */
	uint32_t nmembers;
	ip4_t addr;
	uint8_t dev;
	struct group_filter filter; /* of all members together */
	/* IGMP's: what is still to be told, and what was asked. */
	uint8_t mode_left;    /* so many reports tell the whole filter */
	uint8_t reports_left; /* version 1, 2: unsolicited reports */
	bool reporter;	      /* version 1, 2: the last report was ours */
	bool told;	      /* the routers are told, or about to be */
	uint8_t nchanges, nasked;
	struct group_change *changes; /* GROUP_CHANGES_MAX; NULL: none */
	ip4_t *asked;		      /* GROUP_ASKED_MAX; NULL: everything */
	struct timer timer;	      /* an answer is due */
};

/* IGMP on one device. */
struct igmp_dev {
	struct timer general;		  /* the answer to a general query is due */
	struct timer changes;		  /* changes are to be told */
	uint32_t ngroups;		  /* of the device */
	int64_t v1_until_ns, v2_until_ns; /* an older querier is present (RFC 3376 7.2.1) */
	int64_t interval_ns;		  /* between queries, as the last one of version 3 said */
	uint8_t robustness;
	uint8_t mode; /* the version that was spoken last */
};

struct group_table {
	struct list bucket[GROUP_BUCKETS];
	uint32_t count;
	struct igmp_dev dev[DEV_MAX];
};

/* group.c */
int group_init(struct glass *g);
void group_fini(struct glass *g);
/* The device that a program means: by ifindex, by an address of it, or any; -ENODEV. */
int group_device(const struct glass *g, ip4_t addr, unsigned ifindex, ip4_t via);
/* As the options of ip(7): 0 or -EINVAL, -ENODEV, -EADDRINUSE, -EADDRNOTAVAIL, -ENOBUFS. */
int group_join(struct glass *g, struct udp_end *u, ip4_t addr, unsigned ifindex, ip4_t via,
	       bool exclude);
int group_leave(struct glass *g, struct udp_end *u, ip4_t addr, unsigned ifindex, ip4_t via);
void group_leave_all(struct glass *g, struct udp_end *u);
/* The membership; NULL: there is none. */
struct group_member *group_member_of(const struct udp_end *u, ip4_t addr, unsigned dev);
/* Gives it another filter, whose sources are n at at, ascending: 0 or -ENOBUFS. */
int group_set_filter(struct glass *g, struct group_member *m, bool exclude, const ip4_t *at,
		     uint32_t n);
struct group *group_find(const struct glass *g, unsigned dev, ip4_t addr);
/* One of nobody, yet, and a membership without filter: NULL: no memory, or too many. */
struct group *group_new(struct glass *g, unsigned dev, ip4_t addr);
struct group_member *group_member_new(struct glass *g, struct udp_end *u, struct group *grp);
/* Nobody belongs to it and nothing is to be told any more: it goes. */
void group_reap(struct glass *g, struct group *grp);
/* Frames to that hardware address of a group are heard. */
bool group_hears_mac(const struct glass *g, unsigned dev, const uint8_t mac[MAC_BYTES]);
/* Packets to that group are heard, from src. */
bool group_hears(const struct glass *g, unsigned dev, ip4_t addr);
bool group_hears_source(const struct glass *g, unsigned dev, ip4_t addr, ip4_t src);
/* u hears what came to addr from src. */
bool group_end_hears(const struct udp_end *u, unsigned dev, ip4_t addr, ip4_t src);
/* Walks all: cursor NULL starts; NULL ends. */
struct group *group_next(const struct glass *g, const struct group *cursor);

/* group_source.c */
/* IP_ADD_SOURCE_MEMBERSHIP and its kin: a source of a membership of mode exclude comes or goes. */
int group_source_add(struct glass *g, struct udp_end *u, ip4_t addr, unsigned dev, ip4_t src,
		     bool exclude);
int group_source_del(struct glass *g, struct udp_end *u, ip4_t addr, unsigned dev, ip4_t src,
		     bool exclude);

/* group_filter.c */
bool filter_has(const struct group_filter *f, ip4_t src);
/* src passes. */
static inline bool filter_allows(const struct group_filter *f, ip4_t src)
{
	return filter_has(f, src) != f->exclude;
}
/* A copy of n sources; n 0: NULL. false: no memory. */
bool sources_new(struct glass *g, const ip4_t *at, uint32_t n, struct group_sources **out);
void sources_free(struct glass *g, struct group_sources *s);
/* What the members together want (RFC 3376 3.2); false: no memory. */
bool filter_merge(struct glass *g, const struct group *grp, struct group_filter *out);

/* igmp.c */
void igmp_init(struct glass *g);
/* The filter of grp has changed; was: before. */
void igmp_changed(struct glass *g, struct group *grp, const struct group_filter *was);
/* The device is up again, or down. */
void igmp_dev_up(struct glass *g, unsigned dev, bool up);
void igmp_group_timer(struct glass *g, struct timer *t);
void igmp_forget(struct glass *g, struct group *grp);

/* igmp_query.c */
/* p at the IGMP header. */
enum verdict igmp_input(struct glass *g, struct pkt *p, const struct ip_info *ip);

#endif
