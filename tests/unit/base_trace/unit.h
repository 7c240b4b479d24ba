/* SPDX-License-Identifier: MIT */
/* What the tests of the flight recorder's readers share: a small ring, written with the stack's own
 * macros. */
#ifndef UNIT_BASE_TRACE_H
#define UNIT_BASE_TRACE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../../src/base/trace.h"

#define START_NS 5000000000ll
#define UNIT_RECORDS 16

/* As the macros of trace.h want it. */
struct unit {
	struct trace trace;
	struct glass_ring *ring;
	size_t bytes;
	struct glass_reader reader;
};

static inline void unit_init_records(struct unit *u, size_t records)
{
	*u = (struct unit){ .bytes = glass_ring_bytes(records) };
	u->ring = calloc(1, u->bytes);
	assert_non_null(u->ring);
	trace_init(&u->trace, u->ring, u->bytes, START_NS);
	assert_int_equal(glass_reader_open(&u->reader, u->ring, u->bytes), 0);
}

static inline void unit_init(struct unit *u)
{
	unit_init_records(u, UNIT_RECORDS);
}

static inline void unit_fini(struct unit *u)
{
	free(u->ring);
}

#endif
