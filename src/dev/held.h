/* SPDX-License-Identifier: MIT */
/* Frames that are under way on an emulated link, by the time at which they arrive. */
#ifndef GLASS_DEV_HELD_H
#define GLASS_DEV_HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct held_frame {
	int64_t at_ns, since_ns;
	uint64_t order; /* of equal times the first comes first */
	unsigned tag;	/* the owner's: a device, an end */
	size_t length;
	uint8_t bytes[];
};

struct held {
	struct held_frame **heap;
	size_t count, cap;
	size_t bytes, bytes_max; /* 0: without limit */
	uint64_t order;
};

/* A copy. false: out of memory, or of what is allowed. */
bool held_add(struct held *h, const uint8_t *bytes, size_t length, unsigned tag, int64_t now_ns,
	      int64_t at_ns);
/* INT64_MAX: none. */
int64_t held_next_ns(const struct held *h);
/* The earliest when it is due, the caller's to free(); NULL: none is. */
struct held_frame *held_take(struct held *h, int64_t now_ns);
/* Drops all. */
void held_fini(struct held *h);

#endif
