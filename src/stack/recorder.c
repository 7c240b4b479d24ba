/* SPDX-License-Identifier: MIT */
/*
 * The flight recorder of a stack that goes on elsewhere: other memory, and the records of before.
 *
 * In: the owner of the stack, after glass_restore().  Out: trace_take.c.
 */
#include "stack.h"

#include <errno.h>

int glass_ring_use(struct glass *g, void *ring, size_t bytes)
{
	struct trace t;

	trace_init(&t, ring, bytes, g->trace.now_ns);
	t.cause = g->trace.cause;
	t.last_act = g->trace.last_act;
	g->trace = t;
	return t.ring ? 0 : -EINVAL;
}

uint64_t glass_ring_layout(void)
{
	return trace_layout();
}

static uint64_t why_word(const void *old, int64_t n)
{
	return n >= 0	      ? WORD("whatever it kept")
	       : !old	      ? WORD("it had no recorder")
	       : n == -EINVAL ? WORD("it is of another version, which means others by its numbers")
			      : WORD("out of memory");
}

int64_t glass_ring_take(struct glass *g, const void *old, size_t bytes, uint64_t layout)
{
	int64_t n = -EINVAL;

	if (old && g->trace.ring)
		n = trace_take(&g->trace, old, bytes, layout);
	EVENT(g, 0, 0, TAKEN_OVER, n > 0 ? (uint64_t)n : 0, why_word(old, n));
	return n;
}
