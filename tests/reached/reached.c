/* SPDX-License-Identifier: MIT */
/*
 * Linked into the tests of the stack (-Wl,--wrap): at each stack's end the laws of the account must
 * hold, and with GLASS_REACHED=FILE every event and every drop reason that was met is written there
 * by name: reached.py wants them all.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glass/glass_trace.h>

#define EVENTS_MAX 256
#define DROPS_MAX 512
#define STACKS_MAX 64
#define RING_RECORDS (1 << 14)

struct glass *__real_glass_new(const struct glass_setup *setup);
void __real_glass_free(struct glass *g);
void __real_glass_advance(struct glass *g, int64_t now_ns);
int __real_glass_ring_use(struct glass *g, void *ring, size_t bytes);
struct glass *__wrap_glass_new(const struct glass_setup *setup);
void __wrap_glass_free(struct glass *g);
void __wrap_glass_advance(struct glass *g, int64_t now_ns);
int __wrap_glass_ring_use(struct glass *g, void *ring, size_t bytes);

static struct {
	struct glass *g;
	struct glass_reader reader;
	void *own; /* the ring, when the test has none */
} stack[STACKS_MAX];

static bool event_met[EVENTS_MAX], drop_met[DROPS_MAX];

static void write_met(void)
{
	FILE *f = fopen(getenv("GLASS_REACHED"), "a");

	if (!f)
		abort();
	for (unsigned i = 0; i < EVENTS_MAX && glass_event_desc(i); i++)
		if (event_met[i])
			fprintf(f, "event %s\n", glass_event_desc(i)->name);
	for (unsigned i = 1; i < DROPS_MAX && glass_drop_desc(i); i++)
		if (drop_met[i])
			fprintf(f, "drop %s\n", glass_drop_desc(i)->name);
	fclose(f);
}

static void read_new(unsigned i)
{
	struct glass_record r;

	while (glass_reader_next(&stack[i].reader, &r)) {
		if (r.event < EVENTS_MAX)
			event_met[r.event] = true;
		if (!strcmp(glass_event_desc(r.event)->name, "drop") && r.v[0] < DROPS_MAX)
			drop_met[r.v[0]] = true;
	}
}

static int slot_of(const struct glass *g)
{
	for (int i = 0; i < STACKS_MAX; i++)
		if (stack[i].g == g)
			return i;
	return -1;
}

struct glass *__wrap_glass_new(const struct glass_setup *setup)
{
	static bool registered;
	struct glass_setup with_ring = *setup;
	int i = slot_of(NULL);
	void *own = NULL;

	if (!getenv("GLASS_REACHED") || i < 0)
		return __real_glass_new(setup);
	if (!registered)
		atexit(write_met);
	registered = true;
	if (!setup->ring) {
		with_ring.ring_bytes = glass_ring_bytes(RING_RECORDS);
		own = with_ring.ring = calloc(1, with_ring.ring_bytes);
	}
	stack[i].g = __real_glass_new(&with_ring);
	stack[i].own = own;
	if (stack[i].g &&
	    glass_reader_open(&stack[i].reader, with_ring.ring, with_ring.ring_bytes)) {
		free(own);
		stack[i].g = NULL;
		return __real_glass_new(setup); /* a ring too small to be one */
	}
	return stack[i].g;
}

void __wrap_glass_advance(struct glass *g, int64_t now_ns)
{
	int i = slot_of(g);

	if (i >= 0)
		read_new((unsigned)i);
	__real_glass_advance(g, now_ns);
}

/* The ring of before may be gone when the stack ends: only the new one counts. */
int __wrap_glass_ring_use(struct glass *g, void *ring, size_t bytes)
{
	int i = slot_of(g), err = __real_glass_ring_use(g, ring, bytes);

	if (i >= 0 && !err)
		glass_reader_open(&stack[i].reader, ring, bytes);
	return err;
}

/* A short ring forgets; the counters of the reasons do not. */
static void read_counters(struct glass *g)
{
	unsigned reason = 0;
	struct glass_stat s;

	for (unsigned i = 0; glass_stat_at(g, i, &s); i++) {
		if (strcmp(s.group, "Drop") != 0)
			continue;
		reason++;
		drop_met[reason] = drop_met[reason] || s.value;
	}
}

/* What two ways of counting say must agree, whatever the test has done. */
static void check_laws(struct glass *g)
{
	struct glass_check c;

	for (unsigned i = 0; glass_check_at(g, i, &c); i++) {
		if (c.holds)
			continue;
		fprintf(stderr, "broken: %s: %llu\n", c.name, (unsigned long long)c.have);
		for (unsigned k = 0; k < GLASS_CHECK_PARTS; k++)
			if (c.part[k].name)
				fprintf(stderr, "  %llu %s\n", (unsigned long long)c.part[k].count,
					c.part[k].name);
		abort();
	}
}

void __wrap_glass_free(struct glass *g)
{
	int i = g ? slot_of(g) : -1;

	if (g) {
		check_laws(g);
		read_counters(g);
	}
	__real_glass_free(g);
	if (i < 0)
		return;
	read_new((unsigned)i); /* what the end dropped, too */
	free(stack[i].own);
	stack[i].g = NULL;
	stack[i].own = NULL;
}
