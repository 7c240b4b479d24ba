/* SPDX-License-Identifier: MIT */
/*
 * Frames under way: a heap by arrival.
 *
 * In: the daemon's net_wire.c, bench/link.  Out: nobody.
 */
#include "held.h"

#include <stdlib.h>
#include <string.h>

static bool before(const struct held_frame *a, const struct held_frame *b)
{
	return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static bool room(struct held *h, size_t length)
{
	size_t cap = h->cap ? h->cap * 2 : 64;
	struct held_frame **heap;

	if (h->bytes_max && h->bytes + length > h->bytes_max)
		return false;
	if (h->count < h->cap)
		return true;
	heap = realloc(h->heap, cap * sizeof(struct held_frame *));
	if (!heap)
		return false;
	h->heap = heap;
	h->cap = cap;
	return true;
}

bool held_add(struct held *h, const uint8_t *bytes, size_t length, unsigned tag, int64_t now_ns,
	      int64_t at_ns)
{
	struct held_frame *f = room(h, length) ? malloc(sizeof(*f) + length) : NULL;
	size_t i;

	if (!f)
		return false;
	*f = (struct held_frame){ .at_ns = at_ns,
				  .since_ns = now_ns,
				  .order = h->order++,
				  .tag = tag,
				  .length = length };
	memcpy(f->bytes, bytes, length);
	h->bytes += length;
	for (i = h->count++; i && before(f, h->heap[(i - 1) / 2]); i = (i - 1) / 2)
		h->heap[i] = h->heap[(i - 1) / 2];
	h->heap[i] = f;
	return true;
}

int64_t held_next_ns(const struct held *h)
{
	return h->count ? h->heap[0]->at_ns : INT64_MAX;
}

struct held_frame *held_take(struct held *h, int64_t now_ns)
{
	struct held_frame *first, *last;
	size_t i = 0, child;

	if (held_next_ns(h) > now_ns || !h->count)
		return NULL;
	first = h->heap[0];
	last = h->heap[--h->count];
	while ((child = 2 * i + 1) < h->count) {
		if (child + 1 < h->count && before(h->heap[child + 1], h->heap[child]))
			child++;
		if (!before(h->heap[child], last))
			break;
		h->heap[i] = h->heap[child];
		i = child;
	}
	h->heap[i] = last;
	h->bytes -= first->length;
	return first;
}

void held_fini(struct held *h)
{
	while (h->count)
		free(h->heap[--h->count]);
	free(h->heap);
	*h = (struct held){ .bytes_max = h->bytes_max };
}
