/* SPDX-License-Identifier: MIT */
/* The timer heap: see timer.h. */
#include "timer.h"

#include <assert.h>
#include <string.h>

#include "pkt.h"

#define HEAP_MIN 64

void timers_init(struct timers *ts, struct pool *pool)
{
	*ts = (struct timers){ .pool = pool };
}

void timers_fini(struct timers *ts)
{
	pool_free(ts->pool, ts->heap, ts->cap * sizeof(*ts->heap));
	*ts = (struct timers){ 0 };
}

static bool heap_resize(struct timers *ts, uint32_t cap)
{
	struct timer **heap = pool_alloc(ts->pool, cap * sizeof(*heap));

	if (!heap)
		return false;
	if (ts->heap)
		memcpy(heap, ts->heap, ts->count * sizeof(*heap));
	pool_free(ts->pool, ts->heap, ts->cap * sizeof(*heap));
	ts->heap = heap;
	ts->cap = cap;
	return true;
}

bool timers_reserve(struct timers *ts, unsigned n)
{
	uint32_t cap = ts->cap ? ts->cap : HEAP_MIN;

	while (cap < ts->reserved + n)
		cap *= 2;
	if (cap != ts->cap && !heap_resize(ts, cap))
		return false;
	ts->reserved += n;
	return true;
}

void timers_release(struct timers *ts, unsigned n)
{
	assert(ts->reserved >= n);
	ts->reserved -= n;
	/*
	 * Memory comes back after a rush; when it cannot be had, the heap stays as large as it
	 * is.
	 */
	if (ts->cap > HEAP_MIN && ts->reserved < ts->cap / 8)
		heap_resize(ts, ts->cap / 2);
}

static bool before(const struct timer *a, const struct timer *b)
{
	return a->key_ns != b->key_ns ? a->key_ns < b->key_ns : (int32_t)(a->order - b->order) < 0;
}

static void place(struct timers *ts, uint32_t i, struct timer *t)
{
	ts->heap[i] = t;
	t->slot = i + 1;
}

static void sift_up(struct timers *ts, uint32_t i, struct timer *t)
{
	while (i && before(t, ts->heap[(i - 1) / 2])) {
		place(ts, i, ts->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	place(ts, i, t);
}

static void sift_down(struct timers *ts, uint32_t i, struct timer *t)
{
	uint32_t child;

	while ((child = 2 * i + 1) < ts->count) {
		if (child + 1 < ts->count && before(ts->heap[child + 1], ts->heap[child]))
			child++;
		if (!before(ts->heap[child], t))
			break;
		place(ts, i, ts->heap[child]);
		i = child;
	}
	place(ts, i, t);
}

static void heap_remove(struct timers *ts, struct timer *t)
{
	uint32_t i = t->slot - 1;
	struct timer *last = ts->heap[--ts->count];

	t->slot = 0;
	if (last == t)
		return;
	if (before(last, t))
		sift_up(ts, i, last);
	else
		sift_down(ts, i, last);
}

void timer_arm(struct timers *ts, struct timer *t, int64_t deadline_ns)
{
	t->deadline_ns = deadline_ns;
	t->armed_order = ts->order++;
	if (t->slot && deadline_ns > t->key_ns)
		return; /* stays where it is: timers_next() and timers_take() move it on */
	if (t->slot)
		heap_remove(ts, t);
	t->key_ns = deadline_ns;
	t->order = t->armed_order;
	assert(ts->count < ts->reserved && ts->count < ts->cap);
	sift_up(ts, ts->count++, t);
}

void timer_arm_as(struct timers *ts, struct timer *t, int64_t deadline_ns, uint32_t order)
{
	assert(!t->slot && ts->count < ts->reserved && ts->count < ts->cap);
	t->deadline_ns = t->key_ns = deadline_ns;
	t->armed_order = t->order = order;
	sift_up(ts, ts->count++, t);
}

void timer_stop(struct timers *ts, struct timer *t)
{
	if (t->slot)
		heap_remove(ts, t);
}

/* Brings the heap's first timer to its true place until the first one is where it belongs. */
static struct timer *settle(struct timers *ts)
{
	struct timer *t;

	while (ts->count) {
		t = ts->heap[0];
		if (t->key_ns == t->deadline_ns)
			return t;
		t->key_ns = t->deadline_ns;
		t->order = t->armed_order;
		sift_down(ts, 0, t);
	}
	return NULL;
}

int64_t timers_next(struct timers *ts)
{
	struct timer *t = settle(ts);

	return t ? t->deadline_ns : INT64_MAX;
}

struct timer *timers_take(struct timers *ts, int64_t now_ns)
{
	struct timer *t = settle(ts);

	if (!t || t->deadline_ns > now_ns)
		return NULL;
	heap_remove(ts, t);
	return t;
}
