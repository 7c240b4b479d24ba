/* SPDX-License-Identifier: MIT */
/* Laying out the flight recorder's memory: see trace.h and glass_trace.h. */
#include "trace.h"

#include "function.h"

#include <string.h>

#define WORD_BYTES 96 /* text, NUL, file name, NUL */

static uint32_t own_words(void)
{
	return (uint32_t)(__stop_glass_words - __start_glass_words);
}

/* Functions have words too, behind the others: without text until somebody names them. */
static uint32_t word_count(void)
{
	return own_words() + (uint32_t)function_count();
}

__attribute__((patchable_function_entry(0, 0))) uint64_t trace_function_word(size_t i)
{
	return own_words() + i + 1;
}

static size_t records_at(void)
{
	return (sizeof(struct glass_ring) + (size_t)word_count() * WORD_BYTES + 63) / 64 * 64;
}

size_t glass_ring_bytes(size_t records)
{
	size_t n = 1;

	while (n < records)
		n *= 2;
	return records_at() + n * sizeof(struct glass_record);
}

static void copy_text(char *to, size_t size, const char *from)
{
	size_t n = strlen(from);

	n = n < size ? n : size - 1;
	memcpy(to, from, n);
	to[n] = '\0';
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static char *word_at(struct glass_ring *ring, uint64_t word)
{
	return (char *)ring + ring->header_bytes + (word - 1) * WORD_BYTES;
}

static void write_words(struct glass_ring *ring)
{
	char *word = word_at(ring, 1);

	for (uint32_t i = 0; i < own_words(); i++, word += WORD_BYTES) {
		copy_text(word, WORD_BYTES / 3 * 2, __start_glass_words[i].text);
		copy_text(word + strlen(word) + 1, WORD_BYTES / 3,
			  base_name(__start_glass_words[i].file));
	}
}

void trace_name(struct trace *t, uint64_t word, const char *text)
{
	if (t->ring)
		copy_text(word_at(t->ring, word), WORD_BYTES - 1, text);
}

void trace_init(struct trace *t, void *mem, size_t bytes, int64_t now_ns)
{
	struct glass_ring *ring = mem;
	size_t at = records_at(), n = 1;

	*t = (struct trace){ .now_ns = now_ns };
	if (!mem || bytes < at + sizeof(struct glass_record))
		return;
	while (n * 2 * sizeof(struct glass_record) <= bytes - at && n < 1u << 31)
		n *= 2;
	*ring = (struct glass_ring){
		.magic = GLASS_RING_MAGIC,
		.version = GLASS_RING_VERSION,
		.header_bytes = sizeof(*ring),
		.word_count = word_count(),
		.word_bytes = WORD_BYTES,
		.record_count = (uint32_t)n,
		.records_at = (uint32_t)at,
		.start_ns = now_ns,
	};
	write_words(ring);
	t->ring = ring;
	t->records = (struct glass_record *)(void *)((char *)mem + at);
	t->mask = n - 1;
}
