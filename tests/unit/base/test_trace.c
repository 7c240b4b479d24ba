/* SPDX-License-Identifier: MIT */
/*
 * The flight recorder's writing side: layout, words, wrap, and a head that tells how many were
 * lost.
 */
#include "unit.h"

#include <stdlib.h>

#include "../../../src/base/trace.h"

/* What the macros need of a stack. */
struct glass {
	struct trace trace;
};

struct fake_pkt {
	uint32_t id, conn, len;
};

static uint32_t pkt_len(const struct fake_pkt *p)
{
	return p->len;
}

static void room_enter(struct glass *g, const struct fake_pkt *p)
{
	ENTER(g, p);
}

static void room_speak(struct glass *g, uint64_t n)
{
	EVENT(g, 3, 4, RX, 1, n, WORD("a word"));
}

static void *ring_new(struct glass *g, size_t records)
{
	size_t bytes = glass_ring_bytes(records);
	void *mem = malloc(bytes); /* exactly as long as asked for: a byte beyond is a finding */

	assert_non_null(mem);
	trace_init(&g->trace, mem, bytes, 1000);
	return mem;
}

static const struct glass_record *record(const struct glass *g, uint64_t n)
{
	return &g->trace.records[n & g->trace.mask];
}

static const char *word(const struct glass_ring *ring, uint64_t n)
{
	assert_in_range(n, 1, ring->word_count);
	return (const char *)ring + ring->header_bytes + (n - 1) * ring->word_bytes;
}

static void test_layout(void **state)
{
	struct glass g;
	struct glass_ring *ring = ring_new(&g, 100);

	(void)state;
	assert_true(ring->magic == GLASS_RING_MAGIC);
	assert_int_equal(ring->version, GLASS_RING_VERSION);
	assert_int_equal(ring->record_count, 128); /* the next power of two */
	assert_int_equal(ring->records_at % 64, 0);
	assert_int_equal(sizeof(struct glass_record), 64);
	assert_int_equal(ring->start_ns, 1000);
	assert_int_equal(ring->head, 0);
	assert_int_equal(ring->records_at + 128 * sizeof(struct glass_record),
			 glass_ring_bytes(100));
	free(ring);
}

static void test_record(void **state)
{
	struct glass g;
	struct glass_ring *ring = ring_new(&g, 16);
	const struct fake_pkt p = { .id = 7, .conn = 9, .len = 60 };

	(void)state;
	g.trace.now_ns = 5000;
	g.trace.cause = 6;
	room_enter(&g, &p);
	room_speak(&g, 77);
	assert_int_equal(ring->head, 2);
	assert_int_equal(record(&g, 0)->event, GLASS_EV_ENTER);
	assert_int_equal(record(&g, 0)->pkt, 7);
	assert_int_equal(record(&g, 0)->conn, 9);
	assert_int_equal(record(&g, 0)->cause, 6);
	assert_int_equal(record(&g, 0)->time_ns, 5000);
	assert_int_equal(record(&g, 0)->v[0], 60);
	assert_string_equal(word(ring, record(&g, 0)->room), "room_enter");
	assert_string_equal(word(ring, record(&g, 1)->room), "room_speak");
	assert_string_equal(word(ring, record(&g, 1)->v[2]), "a word");
	assert_int_equal(record(&g, 1)->v[1], 77);
	assert_int_equal(record(&g, 1)->v[4], 0);
	free(ring);
}

static void test_words_name_their_file(void **state)
{
	struct glass g;
	struct glass_ring *ring = ring_new(&g, 1);
	const char *text;

	(void)state;
	text = word(ring, WORD("here"));
	assert_string_equal(text, "here");
	assert_string_equal(text + strlen(text) + 1, "test_trace.c");
	free(ring);
}

static void test_long_words_are_cut(void **state)
{
	struct glass g;
	struct glass_ring *ring = ring_new(&g, 1);
	const char *text;

	(void)state;
	text = word(ring,
		    WORD("0123456789012345678901234567890123456789012345678901234567890123456789"));
	assert_int_equal(strlen(text), ring->word_bytes / 3 * 2 - 1);
	assert_string_equal(text + strlen(text) + 1, "test_trace.c");
	free(ring);
}

static void test_wrap_overwrites_the_oldest(void **state)
{
	struct glass g;
	struct glass_ring *ring = ring_new(&g, 8);

	(void)state;
	for (uint64_t i = 0; i < 21; i++)
		room_speak(&g, i);
	assert_int_equal(ring->head, 21);
	for (uint64_t i = 21 - 8; i < 21; i++)
		assert_int_equal(record(&g, i)->v[1], i);
	free(ring);
}

static void test_no_ring(void **state)
{
	struct glass g;
	char small[64];

	(void)state;
	trace_init(&g.trace, NULL, 0, 0);
	room_speak(&g, 1); /* goes nowhere */
	trace_init(&g.trace, small, sizeof(small), 0);
	assert_null(g.trace.ring);
	room_speak(&g, 1);
	assert_int_equal(g.trace.head, 0);
}

static void test_acts_are_never_zero(void **state)
{
	struct trace t;

	(void)state;
	trace_init(&t, NULL, 0, 0);
	assert_int_equal(trace_act(&t), 1);
	t.last_act = UINT32_MAX;
	assert_int_equal(trace_act(&t), 1);
}

/* Every row of the tables names as many values as a record can hold. */
static void test_tables_fit_a_record(void **state)
{
	static const int event[] = {
#define EVENT_DEF(ID, name, text, doc, fields) GLASS_EVN_##ID,
#include "../../../src/base/event.def"
#undef EVENT_DEF
	};
	static const int dropped[] = {
#define DROP(ID, text, source, advice, fields) DROPN_##ID,
#include "../../../src/base/drop.def"
#undef DROP
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(event); i++)
		assert_in_range(event[i], 1, GLASS_TRACE_VALUES);
	for (unsigned i = 0; i < ARRAY_LEN(dropped); i++)
		assert_in_range(dropped[i], 1, 2);
	assert_int_equal(ARRAY_LEN(event), GLASS_EV_COUNT);
	assert_int_equal(ARRAY_LEN(dropped), DROP_COUNT - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_record),
		cmocka_unit_test(test_words_name_their_file),
		cmocka_unit_test(test_long_words_are_cut),
		cmocka_unit_test(test_wrap_overwrites_the_oldest),
		cmocka_unit_test(test_no_ring),
		cmocka_unit_test(test_acts_are_never_zero),
		cmocka_unit_test(test_tables_fit_a_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
