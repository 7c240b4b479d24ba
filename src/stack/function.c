/* SPDX-License-Identifier: MIT */
/*
 * The calls of functions as records. They come from the owner of the stack, who sees them (glassd:
 * function_calls.c); here they get their words. What is below must not tell of itself.
 *
 * In: the owner's hook, in the middle of any function of the stack.  Out: the flight recorder.
 */
#include "../base/function.h"

#include "stack.h"

#define UNSEEN __attribute__((patchable_function_entry(0, 0)))

void *const *glass_functions(size_t *count)
{
	*count = function_count();
	return __start___patchable_function_entries;
}

void glass_function_name(struct glass *g, size_t i, const char *name)
{
	trace_name(&g->trace, trace_function_word(i), name);
}

UNSEEN void glass_function_begins(struct glass *g, size_t i, unsigned depth)
{
	trace_write(&g->trace, GLASS_EV_FUNC, trace_function_word(i), 0, 0, g->trace.cause,
		    TRACE_VALUES(depth), 1);
}

UNSEEN void glass_function_ends(struct glass *g, size_t i, unsigned depth, int64_t took_ns)
{
	trace_write(&g->trace, GLASS_EV_FUNC_END, trace_function_word(i), 0, 0, g->trace.cause,
		    TRACE_VALUES(depth, (uint64_t)took_ns), 2);
}
