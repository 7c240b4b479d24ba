/* SPDX-License-Identifier: MIT */
/*
 * A side's stack goes on as another one: saved to bytes, restored of them.
 *
 * In: tests.  Out: glass_save(), glass_restore().
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <glass/glass_trace.h>

#include "inside.h"

struct bytes {
	uint8_t *at;
	size_t length, cap;
};

static int bytes_add(void *arg, const void *bytes, size_t length)
{
	struct bytes *b = arg;
	size_t cap = b->length + length > b->cap ? 2 * (b->length + length) : b->cap;
	uint8_t *more = cap == b->cap ? b->at : realloc(b->at, cap);

	if (!more)
		return -ENOMEM;
	memcpy(more + b->length, bytes, length);
	*b = (struct bytes){ more, b->length + length, cap };
	return 0;
}

/* Both have the same sockets, in the same order. */
static void move_socks(struct glass *from, struct glass *to, sim_moved *moved, void *arg)
{
	struct glass_sock *a = glass_sock_next(from, NULL), *b = glass_sock_next(to, NULL);

	for (; a && b; a = glass_sock_next(from, a), b = glass_sock_next(to, b)) {
		glass_sock_set_user(b, glass_sock_user(a));
		if (moved)
			moved(arg, a, b);
	}
}

struct glass *sim_restored(struct glass *from, const struct glass_setup *setup, sim_moved *moved,
			   void *arg, const char **why)
{
	struct bytes state = { NULL, 0, 0 };
	struct glass *g = NULL;

	*why = "out of memory";
	if (!glass_save(from, bytes_add, &state))
		g = glass_restore(setup, state.at, state.length, why);
	free(state.at);
	if (!g)
		return NULL;
	move_socks(from, g, moved, arg);
	glass_free(from);
	return g;
}

const char *sim_take_over(struct sim *s, unsigned side, sim_moved *moved, void *arg)
{
	struct sim_side *old = &s->side[side];
	struct glass_setup setup = { .now_ns = s->now_ns, .ring_bytes = old->ring_bytes };
	struct glass *g = NULL;
	const char *why = "out of memory";

	setup.ring = old->ring ? calloc(1, old->ring_bytes) : NULL;
	if (!old->ring || setup.ring)
		g = sim_restored(old->g, &setup, moved, arg, &why);
	if (!g) {
		free(setup.ring);
		return why;
	}
	free(old->ring);
	old->g = g;
	old->ring = setup.ring;
	old->hashed = 0;
	return NULL;
}
