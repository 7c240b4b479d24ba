/* SPDX-License-Identifier: MIT */
/*
 * TCP sequence numbers, RFC 9293 3.4: arithmetic modulo 2^32 that cannot be mixed up with plain
 * integers.
 */
#ifndef GLASS_BASE_SEQ_H
#define GLASS_BASE_SEQ_H

#include <stdbool.h>
#include <stdint.h>

struct seq {
	uint32_t v;
};

static inline struct seq seq_of(uint32_t v)
{
	return (struct seq){ v };
}

static inline struct seq seq_add(struct seq a, uint32_t n)
{
	return (struct seq){ a.v + n };
}

/* a - b; meaningful while the two are less than 2^31 apart. */
static inline int32_t seq_diff(struct seq a, struct seq b)
{
	return (int32_t)(a.v - b.v);
}

static inline bool seq_eq(struct seq a, struct seq b)
{
	return a.v == b.v;
}

static inline bool seq_lt(struct seq a, struct seq b)
{
	return seq_diff(a, b) < 0;
}

static inline bool seq_leq(struct seq a, struct seq b)
{
	return seq_diff(a, b) <= 0;
}

static inline bool seq_gt(struct seq a, struct seq b)
{
	return seq_diff(a, b) > 0;
}

static inline bool seq_geq(struct seq a, struct seq b)
{
	return seq_diff(a, b) >= 0;
}

/* low <= a < high */
static inline bool seq_in(struct seq a, struct seq low, struct seq high)
{
	return a.v - low.v < high.v - low.v;
}

static inline struct seq seq_max(struct seq a, struct seq b)
{
	return seq_gt(a, b) ? a : b;
}

static inline struct seq seq_min(struct seq a, struct seq b)
{
	return seq_lt(a, b) ? a : b;
}

#endif
