/* SPDX-License-Identifier: MIT */
/*
 * One flight recorder goes on where another one ended: its records come in front, with their
 * numbers, so that who has read some of them goes on behind. What records mean must be the same:
 * that is what the layout tells. Words are numbers of the program that wrote them; they become the
 * numbers that the same words have here, or 0 where nobody says them any more.
 *
 * In: glass_ring_take().	Out: reader.c, which believes nothing of the other ring.
 */
#include "hash.h"
#include "trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- the layout ------------------------------------------------------------------------------ */

static uint64_t mix(uint64_t h, const char *name, const struct glass_field *field, unsigned n)
{
	static const struct hash_key key;

	h = siphash_u64(&key, h, siphash(&key, name, strlen(name)));
	for (unsigned i = 0; i < n && field[i].name; i++) {
		h = siphash_u64(&key, h, siphash(&key, field[i].name, strlen(field[i].name)));
		h = siphash_u64(&key, h, field[i].kind);
	}
	return h;
}

uint64_t trace_layout(void)
{
	const struct glass_event_desc *e;
	const struct glass_drop_desc *d;
	uint64_t h = GLASS_RING_VERSION;

	for (unsigned i = 0; (e = glass_event_desc(i)); i++)
		h = mix(h, e->name, e->field, GLASS_TRACE_VALUES);
	for (unsigned i = 1; (d = glass_drop_desc(i)); i++)
		h = mix(h, d->name, d->field, 2);
	return h;
}

/* ---- words ----------------------------------------------------------------------------------- */

/* The number here of each word there. */
struct word_map {
	uint32_t n;
	uint16_t *to;
};

/* Looks from number `from` on: words mostly stand in the same order. 0: it is none of ours. */
static uint32_t word_find(const struct glass_reader *here, uint32_t from, const char *text,
			  const char *file)
{
	for (uint32_t i = 0; i < here->word_count; i++) {
		uint32_t word = (from + i) % here->word_count + 1;

		if (!strcmp(glass_reader_word(here, word), text) &&
		    !strcmp(glass_reader_file(here, word), file))
			return word;
	}
	return 0;
}

/* false: no memory. */
static bool words_map(struct word_map *m, const struct glass_reader *there,
		      const struct glass_reader *here)
{
	uint32_t at = 0, word;
	const char *text;

	m->n = there->word_count < UINT16_MAX ? there->word_count : UINT16_MAX;
	m->to = calloc(m->n + 1, sizeof(m->to[0]));
	for (uint32_t i = 1; m->to && i <= m->n; i++) {
		text = glass_reader_word(there, i);
		word = *text ? word_find(here, at, text, glass_reader_file(there, i)) : 0;
		m->to[i] = (uint16_t)word;
		at = word ? word : at; /* behind it */
	}
	return m->to;
}

static uint64_t word_of(const struct word_map *m, uint64_t word)
{
	return word <= m->n ? m->to[word] : 0;
}

/* ---- records --------------------------------------------------------------------------------- */

static void record_translate(const struct word_map *m, struct glass_record *r)
{
	const struct glass_event_desc *e = glass_event_desc(r->event);

	r->room = (uint16_t)word_of(m, r->room);
	for (unsigned i = 0; e && i < GLASS_TRACE_VALUES; i++)
		if (e->field[i].kind == GLASS_KIND_WORD)
			r->v[i] = word_of(m, r->v[i]);
}

/*
 * Numbers stay, unless this ring has room for more: then places in front would be looked at that
 * nobody has written.
 */
static uint64_t first_number(const struct trace *t, const struct glass_reader *there)
{
	return there->record_count > t->mask ? there->next : 0;
}

int64_t trace_take(struct trace *t, const void *old, size_t old_bytes, uint64_t layout)
{
	size_t bytes = t->ring->records_at + (t->mask + 1) * sizeof(struct glass_record);
	struct glass_reader there, here;
	struct word_map map;
	uint64_t first;

	if (layout != trace_layout() || glass_reader_open(&there, old, old_bytes) ||
	    glass_reader_open(&here, t->ring, bytes))
		return -EINVAL;
	if (!words_map(&map, &there, &here))
		return -ENOMEM;
	first = t->head = first_number(t, &there);
	while (glass_reader_next(&there, &t->records[t->head & t->mask])) {
		record_translate(&map, &t->records[t->head & t->mask]);
		t->head++;
	}
	t->ring->start_ns = there.start_ns;
	__atomic_store_n(&t->ring->head, t->head, __ATOMIC_RELEASE);
	free(map.to);
	return (int64_t)(t->head - first);
}
