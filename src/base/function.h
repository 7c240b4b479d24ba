/* SPDX-License-Identifier: MIT */
/*
 * Where the functions of the stack begin. Each of them opens with five bytes that do nothing
 * (-fpatchable-function-entry=5), and the linker gathers their addresses. Whoever wants to know of
 * every call writes a call of its own there, while the program runs: see glass_trace.h.
 */
#ifndef GLASS_BASE_FUNCTION_H
#define GLASS_BASE_FUNCTION_H

#include <stddef.h>

/* Absent where the compiler cannot do this: then there are none. */
extern void *const __start___patchable_function_entries[]
	__attribute__((weak, visibility("hidden")));
extern void *const __stop___patchable_function_entries[]
	__attribute__((weak, visibility("hidden")));

static inline size_t function_count(void)
{
	return (size_t)(__stop___patchable_function_entries - __start___patchable_function_entries);
}

#endif
