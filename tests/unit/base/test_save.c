/* SPDX-License-Identifier: MIT */
/* State as bytes: what other versions write is read as far as it goes, and damage is told. */
#include "unit.h"

#include "../../../src/base/save.h"

struct thing {
	uint8_t small;
	int16_t below;
	uint64_t large;
	int64_t past;
	bool flag : 1, other : 1;
	uint8_t key[4];
};

static uint8_t state[4096];
static size_t length;

static int put(void *arg, const void *bytes, size_t n)
{
	(void)arg;
	assert_true(length + n <= sizeof(state));
	memcpy(state + length, bytes, n);
	length += n;
	return 0;
}

static void thing_fields(struct save *s, struct thing *t)
{
	SAVE(s, t->small);
	SAVE(s, t->below);
	SAVE(s, t->large);
	SAVE(s, t->past);
	SAVE_FLAG(s, t->flag);
	SAVE_FLAG(s, t->other);
	save_array(s, "key", t->key, sizeof(t->key));
}

static const struct thing example = { 255,  -32768, UINT64_MAX,	   INT64_MIN / 2,
				      true, false,  { 1, 2, 3, 4 } };

static struct save *writer(void)
{
	struct save *s;

	length = 0;
	s = save_writer(put, NULL);
	assert_non_null(s);
	return s;
}

static void finish(struct save *s)
{
	assert_int_equal(save_finish(s), 0);
	save_free(s);
}

static void write_things(unsigned n)
{
	struct save *s = writer();
	struct thing t = example;

	for (unsigned i = 0; i < n; i++) {
		t.small = (uint8_t)(255 - i);
		assert_true(save_begin(s, "thing"));
		thing_fields(s, &t);
		save_end(s);
	}
	finish(s);
}

static void test_round(void **unused)
{
	struct thing t = { 0 };
	struct save *s;
	unsigned n = 0;

	(void)unused;
	write_things(3);
	s = save_reader(state, length);
	assert_false(save_begin(s, "another"));
	for (; save_begin(s, "thing"); n++) {
		thing_fields(s, &t);
		save_end(s);
		assert_int_equal(t.small, 255 - n);
		assert_int_equal(t.below, -32768);
		assert_true(t.large == UINT64_MAX && t.past == INT64_MIN / 2);
		assert_true(t.flag && !t.other);
		assert_memory_equal(t.key, example.key, 4);
	}
	assert_int_equal(n, 3);
	assert_true(save_over(s));
	assert_null(save_fault(s));
	save_free(s);
}

/* A version that knows fewer fields, another that knows more, and in another order. */
static void test_other_versions(void **unused)
{
	struct thing t = { .small = 7 };
	uint32_t fresh = 42;
	struct save *s;

	(void)unused;
	write_things(2);
	s = save_reader(state, length);
	for (unsigned i = 0; i < 2; i++) {
		assert_true(save_begin(s, "thing"));
		SAVE(s, t.past);
		SAVE(s, fresh);
		SAVE_AS(s, "below", t.below);
		save_end(s);
		assert_int_equal(t.below, -32768);
		assert_int_equal(fresh, 42);
		assert_int_equal(t.small, 7);
	}
	assert_true(save_over(s));
	assert_null(save_fault(s));
	save_free(s);
}

static const char *fault_of_head(uint8_t version, uint8_t oldest)
{
	const char *fault;
	struct save *s;

	write_things(1);
	state[8] = version;
	state[9] = oldest;
	s = save_reader(state, length);
	fault = save_fault(s);
	assert_int_equal(save_begin(s, "thing"), !fault);
	save_free(s);
	return fault;
}

static void test_versions(void **unused)
{
	(void)unused;
	assert_null(fault_of_head(SAVE_VERSION, SAVE_OLDEST));
	assert_null(fault_of_head(SAVE_VERSION + 1, SAVE_VERSION)); /* newer, and says it may */
	assert_string_equal(fault_of_head(SAVE_VERSION + 1, SAVE_VERSION + 1),
			    "the state is of a newer Glass than this one");
	assert_string_equal(fault_of_head(SAVE_OLDEST - 1, SAVE_OLDEST - 1),
			    "the state is of an older Glass, too old for this one");
	state[0] = 'g';
	struct save *s = save_reader(state, length);
	assert_string_equal(save_fault(s), "this is no state of Glass");
	save_free(s);
}

static void test_numbers_fit(void **unused)
{
	uint32_t wide = 256;
	uint8_t narrow = 3;
	struct save *s = writer();

	(void)unused;
	save_begin(s, "n");
	SAVE_AS(s, "narrow", wide);
	save_end(s);
	finish(s);
	s = save_reader(state, length);
	assert_true(save_begin(s, "n"));
	SAVE(s, narrow);
	assert_int_equal(narrow, 3);
	assert_string_equal(save_fault(s), "a number in the state is too large");
	save_free(s);
}

/* Whatever is missing or changed: an end, a fault, or other values; never more bytes than there. */
static void test_damage(void **unused)
{
	struct thing t;

	(void)unused;
	for (unsigned i = 0; i < 4000; i++) {
		uint8_t *copy;
		struct save *s;
		size_t n, at;

		write_things(3);
		n = i % 2 ? length : i / 2 % length;
		at = (i * 2654435761u) % length;
		state[at] ^= (uint8_t)(i % 2 ? 1 + i % 255 : 0);
		copy = malloc(n + !n);
		memcpy(copy, state, n);
		s = save_reader(copy, n);
		while (save_begin(s, "thing")) {
			thing_fields(s, &t);
			save_end(s);
		}
		assert_true(i % 2 || n == length || save_over(s));
		save_free(s);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),	 cmocka_unit_test(test_other_versions),
		cmocka_unit_test(test_versions), cmocka_unit_test(test_numbers_fit),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
