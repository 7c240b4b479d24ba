/* SPDX-License-Identifier: MIT */
/* Frames under way: they come when they are due, in order, and not more of them than allowed. */
#include "../base/unit.h"

#include "../../../src/dev/held.h"

static void test_by_time_then_order(void **state)
{
	struct held h = { 0 };
	struct held_frame *f;
	int64_t last_ns = -1;
	uint64_t last = 0;

	(void)state;
	assert_true(held_next_ns(&h) == INT64_MAX);
	for (unsigned i = 0; i < 1000; i++)
		assert_true(held_add(&h, (const uint8_t *)&i, sizeof(i), i, 1, i * 7919 % 100));
	assert_int_equal(h.bytes, 4000);
	assert_null(held_take(&h, -1));
	for (unsigned i = 0; i < 1000; i++) {
		f = held_take(&h, 99);
		assert_true(f->at_ns > last_ns || (f->at_ns == last_ns && f->order > last));
		assert_memory_equal(f->bytes, &f->tag, sizeof(f->tag));
		assert_int_equal(f->since_ns, 1);
		last_ns = f->at_ns;
		last = f->order;
		free(f);
	}
	assert_null(held_take(&h, 99));
	assert_int_equal(h.bytes, 0);
	held_fini(&h);
}

static void test_limit(void **state)
{
	struct held h = { .bytes_max = 10 };

	(void)state;
	assert_true(held_add(&h, (const uint8_t *)"123456", 6, 0, 0, 5));
	assert_false(held_add(&h, (const uint8_t *)"123456", 6, 0, 0, 5));
	assert_true(held_add(&h, (const uint8_t *)"1234", 4, 0, 0, 5));
	held_fini(&h);
	assert_true(held_next_ns(&h) == INT64_MAX);
	assert_int_equal(h.bytes_max, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_time_then_order),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
