/* SPDX-License-Identifier: MIT */
/* What ip_frag.c (putting together) and ip_cut.c (cutting) share. */
#ifndef GLASS_STACK_IP_FRAG_H
#define GLASS_STACK_IP_FRAG_H

#include "stack.h"

#define FRAG_BUCKETS 1024
#define FRAG_SOURCES 1024 /* accounts: sources whose hashes agree share one, and its limit */
#define FRAG_ID_COUNTERS 1024

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

#endif
