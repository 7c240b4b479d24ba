/* SPDX-License-Identifier: MIT */
/* The calls of the stack's functions as records, as long as it is on: function_calls.c. */
#ifndef GLASS_DAEMON_FUNCTION_CALLS_H
#define GLASS_DAEMON_FUNCTION_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct glass;

/*
 * Before the rest, each time. -EOPNOTSUPP: this build has no idle bytes; -EBUSY: a tracer outside
 * uses them; -ENOEXEC: something else stands there; -ENOMEM.
 */
int function_calls_find(size_t *count);
/* The number of the function that has its idle bytes there. */
bool function_calls_at(uintptr_t at, size_t *i);
/* 0 or -errno; then nothing has changed. One stack at a time. */
int function_calls_on(struct glass *g, bool timed);
int function_calls_off(void);
bool function_calls_are_on(void);

#endif
