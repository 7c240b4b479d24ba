/* SPDX-License-Identifier: MIT */
/* A table from numbers to numbers: open addressing, at most half full. The keys are the stack's
 * own, not a peer's. */
#include <stdlib.h>

#include "story.h"

static uint32_t slot_of(const struct map *m, uint32_t key)
{
	uint32_t at = (key * 2654435761u) & (m->cap - 1);

	while (m->key[at] && m->key[at] != key)
		at = (at + 1) & (m->cap - 1);
	return at;
}

uint32_t map_get(const struct map *m, uint32_t key)
{
	uint32_t at = m->cap && key ? slot_of(m, key) : 0;

	return m->cap && key && m->key[at] ? m->value[at] : 0;
}

static void map_grow(struct map *m)
{
	struct map bigger = { .cap = m->cap ? m->cap * 2 : 1024 }, old = *m;
	uint32_t at;

	bigger.key = calloc(bigger.cap, sizeof(*bigger.key));
	bigger.value = calloc(bigger.cap, sizeof(*bigger.value));
	if (!bigger.key || !bigger.value) {
		failed("out of memory");
		exit(EXIT_FAILED);
	}
	for (uint32_t i = 0; i < m->cap; i++) {
		if (!m->key[i])
			continue;
		at = slot_of(&bigger, m->key[i]);
		bigger.key[at] = m->key[i];
		bigger.value[at] = m->value[i];
	}
	bigger.used = m->used;
	*m = bigger;
	map_free(&old);
}

void map_set(struct map *m, uint32_t key, uint32_t value)
{
	uint32_t at;

	if (m->used * 2 >= m->cap)
		map_grow(m);
	at = slot_of(m, key);
	m->used += !m->key[at];
	m->key[at] = key;
	m->value[at] = value;
}

void map_free(struct map *m)
{
	free(m->key);
	free(m->value);
	*m = (struct map){ 0 };
}
