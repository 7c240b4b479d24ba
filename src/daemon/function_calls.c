/* SPDX-License-Identifier: MIT */
/*
 * Calls of functions, seen while they happen. While it is on, the five idle bytes at the begin of
 * each function of the stack (glass_trace.h) are a call of our hook, which makes a record of it;
 * afterwards they are idle again. How deep a call is follows from where the stack stands: whoever
 * stood further down has ended. With the time that each took, the hook also replaces the return
 * address by one of its own.
 *
 * In: functions.c switches it, function_hook.S comes from within any function of the stack.
 * Out: glass_function_begins(), glass_function_ends().
 *
 * This is the only state of the daemon that is not in struct daemon: a hook gets no argument.
 */
#include "function_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <glass/glass_trace.h>

#define IDLE_BYTES 5
#define OP_CALL 0xe8
#define OP_BREAK 0xcc
#define DEPTH_MAX 200

struct call {
	uintptr_t at;	  /* where the caller's address stands on the stack */
	uintptr_t caller; /* what stood there; 0: it still does */
	int64_t begin_ns;
	uint32_t function, depth;
};

static struct {
	struct glass *g;
	void *const *entry; /* where each function begins */
	size_t count;
	uint8_t *idle;	    /* the bytes that stood there */
	uint16_t *index_of; /* of a function by (entry - lowest) >> shift */
	uintptr_t lowest;
	size_t places; /* in index_of */
	unsigned shift;
	bool timed;
	struct call call[DEPTH_MAX];
	unsigned calls;
} f;

#ifdef __x86_64__

void function_begin_hook(void), function_end_hook(void);
void function_begins(uintptr_t behind, uintptr_t *caller);
uintptr_t function_ends(void);

/* ---- in the middle of a function ---- */

static int64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/*
 * A function that ended by jumping to another one left it its place on the stack: it counts as
 * ended unless its end will be seen.
 */
static unsigned depth_at(uintptr_t at)
{
	while (f.calls && (f.call[f.calls - 1].at < at ||
			   (f.call[f.calls - 1].at == at && !f.call[f.calls - 1].caller)))
		f.calls--;
	if (!f.calls)
		return 0;
	return f.call[f.calls - 1].depth + (f.call[f.calls - 1].at != at);
}

void function_begins(uintptr_t behind, uintptr_t *caller)
{
	uint32_t function = f.index_of[(behind - IDLE_BYTES - f.lowest) >> f.shift];
	unsigned depth = depth_at((uintptr_t)caller);
	struct call *c;

	glass_function_begins(f.g, function, depth);
	if (f.calls == DEPTH_MAX)
		return;
	c = &f.call[f.calls++];
	*c = (struct call){ .at = (uintptr_t)caller, .function = function, .depth = depth };
	if (!f.timed)
		return;
	c->caller = *caller;
	*caller = (uintptr_t)function_end_hook;
	c->begin_ns = clock_ns();
}

uintptr_t function_ends(void)
{
	int64_t now_ns = clock_ns();
	struct call *c = &f.call[--f.calls];

	glass_function_ends(f.g, c->function, c->depth, now_ns - c->begin_ns);
	return c->caller;
}

/* ---- on and off ---- */

/* What stands at an entry while calls are written down. */
static void make_call(size_t i, uint8_t bytes[IDLE_BYTES])
{
	int32_t distance =
		(int32_t)((uintptr_t)function_begin_hook - (uintptr_t)f.entry[i] - IDLE_BYTES);

	bytes[0] = OP_CALL;
	memcpy(bytes + 1, &distance, sizeof(distance));
}

/*
 * How many bytes of an entry are ours to write. The kernel may have put a breakpoint on the first
 * one meanwhile (a uprobe), and will write the idle one there when it goes: what is behind must be
 * idle then. Everything else is not ours: its call to its own trampoline.
 */
static size_t ours(const uint8_t *entry, const uint8_t expected[IDLE_BYTES])
{
	if (!memcmp(entry, expected, IDLE_BYTES))
		return IDLE_BYTES;
	if (entry[0] == OP_BREAK && !memcmp(entry + 1, expected + 1, IDLE_BYTES - 1))
		return IDLE_BYTES - 1;
	return 0;
}

static int write_entry(int fd, size_t i, bool on)
{
	const uint8_t *idle = f.idle + i * IDLE_BYTES, *to, *from;
	uint8_t call[IDLE_BYTES];
	size_t n, skip;

	make_call(i, call);
	from = on ? idle : call;
	to = on ? call : idle;
	n = ours(f.entry[i], from);
	skip = IDLE_BYTES - n;
	if (!n || (on && skip))
		return on ? -EBUSY : 0;
	if (pwrite(fd, to + skip, n, (off_t)((uintptr_t)f.entry[i] + skip)) != (ssize_t)n)
		return -errno;
	return 0;
}

/* Our text is written like a file: it never is writable and executable at once. */
static int write_entries(bool on)
{
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC), rc = fd < 0 ? -errno : 0;

	for (size_t i = 0; i < f.count && !rc; i++)
		rc = write_entry(fd, i, on);
	if (fd >= 0)
		close(fd);
	return rc;
}

static bool is_idle(const uint8_t *bytes)
{
	static const uint8_t idle[][IDLE_BYTES] = {
		{ 0x0f, 0x1f, 0x44, 0x00, 0x00 }, /* tools/entry-nops */
		{ 0x90, 0x90, 0x90, 0x90, 0x90 }, /* gcc */
		{ 0x0f, 0x1f, 0x44, 0x00, 0x08 }, /* clang */
	};

	for (size_t i = 0; i < sizeof(idle) / sizeof(idle[0]); i++)
		if (!memcmp(bytes, idle[i], IDLE_BYTES))
			return true;
	return false;
}

/* Each time anew: a tracer outside may have come, or gone. */
static int take_idle(void)
{
	const uint8_t *at;

	for (size_t i = 0; i < f.count; i++) {
		at = f.entry[i];
		if (!is_idle(at))
			return *at == OP_BREAK || *at == OP_CALL ? -EBUSY : -ENOEXEC;
		memcpy(f.idle + i * IDLE_BYTES, at, IDLE_BYTES);
	}
	return 0;
}

/* Functions lie at multiples of 16 or so: the table has a row per place, not per address. */
static int make_index(void)
{
	uintptr_t highest = 0, differ = 0, at;

	f.lowest = UINTPTR_MAX;
	for (size_t i = 0; i < f.count; i++) {
		at = (uintptr_t)f.entry[i];
		f.lowest = at < f.lowest ? at : f.lowest;
		highest = at > highest ? at : highest;
		differ |= at ^ (uintptr_t)f.entry[0];
	}
	f.shift = differ ? (unsigned)__builtin_ctzl(differ) : 0;
	f.places = ((highest - f.lowest) >> f.shift) + 1;
	f.index_of = calloc(f.places, sizeof(*f.index_of));
	f.idle = calloc(f.count, IDLE_BYTES);
	if (!f.index_of || !f.idle)
		return -ENOMEM;
	for (size_t i = 0; i < f.count; i++)
		f.index_of[((uintptr_t)f.entry[i] - f.lowest) >> f.shift] = (uint16_t)i;
	return 0;
}

int function_calls_find(size_t *count)
{
	int rc = 0;

	f.entry = glass_functions(&f.count);
	*count = f.count;
	if (!f.count || f.count > UINT16_MAX)
		return -EOPNOTSUPP;
	if (!f.index_of)
		rc = make_index();
	return rc ? rc : take_idle();
}

bool function_calls_at(uintptr_t at, size_t *i)
{
	if (at < f.lowest || (at - f.lowest) >> f.shift >= f.places)
		return false;
	*i = f.index_of[(at - f.lowest) >> f.shift];
	return (uintptr_t)f.entry[*i] == at;
}

int function_calls_on(struct glass *g, bool timed)
{
	int rc;

	f.g = g;
	f.timed = timed;
	f.calls = 0;
	rc = write_entries(true);
	if (rc)
		function_calls_off();
	return rc;
}

int function_calls_off(void)
{
	int rc = write_entries(false);

	if (!rc)
		f.g = NULL;
	return rc;
}

#else

int function_calls_find(size_t *count)
{
	*count = 0;
	return -EOPNOTSUPP;
}

bool function_calls_at(uintptr_t at, size_t *i)
{
	(void)at;
	(void)i;
	return false;
}

int function_calls_on(struct glass *g, bool timed)
{
	(void)g;
	(void)timed;
	return -EOPNOTSUPP;
}

int function_calls_off(void)
{
	return 0;
}

#endif

bool function_calls_are_on(void)
{
	return f.g;
}
