/* SPDX-License-Identifier: MIT */
/* What will happen, by time: a heap of frames under way and of calls to be made. */
#include <stdlib.h>

#include "inside.h"

static bool before(const struct sim_item *a, const struct sim_item *b)
{
	return a->time_ns != b->time_ns ? a->time_ns < b->time_ns : a->order < b->order;
}

static bool heap_room(struct sim *s)
{
	size_t cap = s->cap ? s->cap * 2 : 256;
	struct sim_item **heap;

	if (s->count < s->cap)
		return true;
	heap = realloc(s->heap, cap * sizeof(struct sim_item *));
	if (!heap)
		return false;
	s->heap = heap;
	s->cap = cap;
	return true;
}

bool sim_push(struct sim *s, struct sim_item *item)
{
	size_t i;

	if (!heap_room(s)) {
		free(item);
		s->no_memory = true;
		return false;
	}
	item->order = s->order++;
	for (i = s->count++; i && before(item, s->heap[(i - 1) / 2]); i = (i - 1) / 2)
		s->heap[i] = s->heap[(i - 1) / 2];
	s->heap[i] = item;
	return true;
}

struct sim_item *sim_first(struct sim *s)
{
	return s->count ? s->heap[0] : NULL;
}

struct sim_item *sim_pop(struct sim *s)
{
	struct sim_item *first = s->heap[0], *last = s->heap[--s->count];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < s->count) {
		if (child + 1 < s->count && before(s->heap[child + 1], s->heap[child]))
			child++;
		if (!before(s->heap[child], last))
			break;
		s->heap[i] = s->heap[child];
		i = child;
	}
	s->heap[i] = last;
	return first;
}
