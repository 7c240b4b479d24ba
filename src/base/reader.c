/* SPDX-License-Identifier: MIT */
/*
 * Reading the flight recorder while somebody writes it, or after his death.
 *
 * The writer fills slot head % record_count and then raises head. So while head is h the slot of
 * record h - record_count may be half written: what can be read safely are the record_count - 1
 * records before h, and whether a copy is whole is known only after looking at head again.
 *
 * The memory is not trusted. Its geometry is checked once, kept in the reader and never read again;
 * words are copied with a limit; a head that runs backwards means that there is nothing new.
 */
#include "print.h"

#include <errno.h>
#include <string.h>

#define WORD_BYTES_MIN 8
#define WORD_BYTES_MAX 4096
#define TRIES_MAX 16 /* a writer that laps the reader this often in a row has won for now */

static bool geometry_fits(const struct glass_ring *h, size_t bytes)
{
	uint64_t words_end = (uint64_t)h->header_bytes + (uint64_t)h->word_count * h->word_bytes;
	uint64_t end = h->records_at + (uint64_t)h->record_count * sizeof(struct glass_record);

	if (h->header_bytes < sizeof(*h) || h->word_bytes < WORD_BYTES_MIN ||
	    h->word_bytes > WORD_BYTES_MAX)
		return false;
	if (h->record_count < 2 || (h->record_count & (h->record_count - 1)))
		return false;
	if (h->records_at % _Alignof(struct glass_record) || h->records_at < words_end)
		return false;
	return end <= bytes;
}

static uint64_t ring_head(const struct glass_reader *r)
{
	return __atomic_load_n(&r->ring->head, __ATOMIC_ACQUIRE);
}

/* The oldest record that nobody is writing over. */
static uint64_t oldest(const struct glass_reader *r, uint64_t head)
{
	return head < r->record_count ? 0 : head - r->record_count + 1;
}

int glass_reader_open(struct glass_reader *r, const void *ring, size_t bytes)
{
	struct glass_ring h;

	*r = (struct glass_reader){ 0 };
	if (!ring || bytes < sizeof(h) || (uintptr_t)ring % _Alignof(struct glass_ring))
		return -EINVAL;
	memcpy(&h, ring, sizeof(h));
	if (h.magic != GLASS_RING_MAGIC || h.version != GLASS_RING_VERSION ||
	    !geometry_fits(&h, bytes))
		return -EINVAL;
	*r = (struct glass_reader){
		.ring = ring,
		.bytes = bytes,
		.words_at = h.header_bytes,
		.word_count = h.word_count,
		.word_bytes = h.word_bytes,
		.record_count = h.record_count,
		.records_at = h.records_at,
		.start_ns = h.start_ns,
	};
	r->next = oldest(r, ring_head(r));
	return 0;
}

static void copy_record(const struct glass_reader *r, uint64_t number, struct glass_record *out)
{
	const char *slots = (const char *)r->ring + r->records_at;

	memcpy(out, slots + (number & (r->record_count - 1)) * sizeof(*out), sizeof(*out));
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
}

/* Overtaken: goes on in the middle of what is left, so that the writer is not at once here again.
 */
static void skip_lost(struct glass_reader *r, uint64_t head)
{
	uint64_t to = head - r->record_count / 2;

	r->lost += to - r->next;
	r->next = to;
}

bool glass_reader_next(struct glass_reader *r, struct glass_record *out)
{
	uint64_t head;

	if (!r->ring)
		return false;
	head = ring_head(r);
	for (int tries = 0; r->next < head && tries < TRIES_MAX; tries++) {
		if (r->next >= oldest(r, head)) {
			copy_record(r, r->next, out);
			head = ring_head(r);
			if (head > r->next && r->next >= oldest(r, head)) {
				r->next++;
				return true;
			}
			if (head <= r->next)
				return false;
		}
		skip_lost(r, head);
	}
	return false;
}

/* Where a word lies; NULL: there is no such word. */
static const char *word_at(const struct glass_reader *r, uint64_t word)
{
	if (!r || !r->ring || !word || word > r->word_count)
		return NULL;
	return (const char *)r->ring + r->words_at + (word - 1) * r->word_bytes;
}

const char *glass_reader_word(const struct glass_reader *r, uint64_t word)
{
	const char *text = word_at(r, word);

	return text && memchr(text, '\0', r->word_bytes) ? text : "?";
}

const char *glass_reader_file(const struct glass_reader *r, uint64_t word)
{
	const char *text = word_at(r, word);
	const char *end = text ? memchr(text, '\0', r->word_bytes) : NULL;
	size_t left;

	if (!end)
		return "";
	left = (size_t)(text + r->word_bytes - (end + 1));
	return left && memchr(end + 1, '\0', left) ? end + 1 : "";
}

size_t reader_word_copy(const struct glass_reader *r, uint64_t word, char *out, size_t size)
{
	const char *text = word_at(r, word);
	size_t n = 0;

	if (!size)
		return 0;
	while (text && n < r->word_bytes && n + 1 < size && text[n]) {
		out[n] = text[n];
		n++;
	}
	if ((!text || n == r->word_bytes) && size > 1) {
		n = 1;
		out[0] = '?';
	}
	out[n] = '\0';
	return n;
}
