/* SPDX-License-Identifier: MIT */
/*
 * What ip_frag.c (putting together), frag_table.c (what is being put together) and ip_cut.c
 * (cutting) share.
 */
#ifndef GLASS_STACK_IP_FRAG_H
#define GLASS_STACK_IP_FRAG_H

#include "ip.h"

#define FRAG_BUCKETS 1024
#define FRAG_SOURCES 1024 /* accounts: sources whose hashes agree share one, and its limit */
#define FRAG_ID_COUNTERS 1024
#define FRAG_UNITS 8192 /* of eight bytes: 64 KB */
#define FRAG_WORDS (FRAG_UNITS / 64)

struct frag_source {
	struct list queues; /* struct frag_queue, oldest first */
	uint32_t bytes;	    /* held, as in memory */
};

struct frag_table {
	struct hash_key key, id_key;
	struct list buckets[FRAG_BUCKETS];
	struct frag_source sources[FRAG_SOURCES];
	struct list by_age; /* struct frag_queue, oldest first */
	uint32_t bytes;	    /* held in all */
	uint16_t ids[FRAG_ID_COUNTERS];
};

/* A datagram being put together. */
struct frag_queue {
	struct list bucket, by_age, by_source;
	struct timer timer;
	struct frag_source *source;
	ip4_t src, dst;
	uint16_t id;
	uint8_t proto;
	uint8_t link_flags; /* PKT_LINK_BROADCAST when any fragment had it */
	bool congested;	    /* any fragment carried CE */
	bool dead;	    /* overlapped: kept only to refuse the rest */
	uint32_t total;	    /* payload of the datagram; 0: the last fragment has not come */
	uint32_t end_max;   /* one past the farthest byte here */
	uint32_t received, nfrags;
	uint32_t bytes; /* as in memory, with this struct */
	int64_t born_ns;
	struct list frags; /* struct pkt at its IP header; seq: offset of the payload */
	struct pkt *first; /* the one with offset 0 */
	uint64_t held[FRAG_WORDS], begins[FRAG_WORDS];
};

/* ip_frag.c: takes p, which is a fragment of q that was kept before; false: it is none. */
bool frag_again(struct glass *g, struct frag_queue *q, struct pkt *p);
/* frag_table.c */
struct frag_queue *frag_find(struct frag_table *t, const struct ip_info *ip, uint16_t id);
/* NULL: out of memory. */
struct frag_queue *frag_new(struct glass *g, const struct ip_info *ip, uint16_t id);
/* Its fragments must be gone. */
void frag_free(struct glass *g, struct frag_queue *q);
/* bytes more are held; fragments gone: keep bytes stay charged. */
void frag_charge(struct glass *g, struct frag_queue *q, uint32_t bytes);
void frag_discharge(struct glass *g, struct frag_queue *q, uint32_t keep);
/* Any of its fragments, unlinked; NULL: none is left. */
struct pkt *frag_take(struct frag_queue *q);
/*
 * Room for `bytes` more of q (NULL: a new one). Others make room, oldest first; false: it is q
 * itself that is too big.
 */
bool frag_make_room(struct glass *g, struct frag_queue *q, ip4_t src, uint32_t bytes);
/* p found no room: with the values of the limit that it was. */
enum verdict frag_drop_over_limit(struct glass *g, struct pkt *p, ip4_t src);

#endif
