/* SPDX-License-Identifier: MIT */
/*
 * Timers: a heap ordered by deadline, then by order of arming, so that a run can be repeated
 * exactly.
 *
 * Moving a timer to a later time is the common case (each ACK moves the retransmission timer) and
 * costs two stores: the heap keeps the old key, and the timer is put back when that comes up.
 */
#ifndef GLASS_BASE_TIMER_H
#define GLASS_BASE_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct glass;
struct pool;

struct timer {
	int64_t deadline_ns; /* meaningful while armed */
	int64_t key_ns;	     /* where it lies in the heap: key_ns, then order */
	/*
	 * Numbers of armings: of the last one, and of the one that key_ns is from. They wrap; of
	 * those with one deadline no two are 2^31 armings apart.
	 */
	uint32_t armed_order, order;
	uint32_t slot; /* 1 + index in the heap; 0: not in it, not armed */
	void (*fire)(struct glass *g, struct timer *t);
};

struct timers {
	struct timer **heap;
	uint32_t count, cap, reserved;
	uint32_t order; /* armings so far */
	struct pool *pool;
};

void timers_init(struct timers *ts, struct pool *pool);
void timers_fini(struct timers *ts);
/* Room for n more timers, so that arming cannot fail; false: out of memory. */
bool timers_reserve(struct timers *ts, unsigned n);
/* Gives the room back. */
void timers_release(struct timers *ts, unsigned n);

static inline void timer_init(struct timer *t, void (*fire)(struct glass *, struct timer *))
{
	*t = (struct timer){ .fire = fire };
}
/* One more may be armed. */
static inline bool timers_have_room(const struct timers *ts)
{
	return ts->count < ts->reserved;
}
static inline bool timer_armed(const struct timer *t)
{
	return t->slot;
}
/* Arms or moves. */
void timer_arm(struct timers *ts, struct timer *t, int64_t deadline_ns);
/* As it was armed before, by that number: its place among those of one deadline is the same. */
void timer_arm_as(struct timers *ts, struct timer *t, int64_t deadline_ns, uint32_t order);
/* Stops; the timer's memory may be freed after this. */
void timer_stop(struct timers *ts, struct timer *t);
/* The earliest deadline (never later than the true one); INT64_MAX: none. */
int64_t timers_next(struct timers *ts);
/* The next timer that is due, disarmed; NULL: none. */
struct timer *timers_take(struct timers *ts, int64_t now_ns);

#endif
