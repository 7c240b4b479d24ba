/* SPDX-License-Identifier: MIT */
/* The table from numbers to numbers: what was put in comes out, through every growth. */
#include "unit.h"

struct ctl ctl;

int failed(const char *format, ...)
{
	(void)format;
	return EXIT_FAILED;
}

static void test_empty(void **state)
{
	struct map m = { 0 };

	(void)state;
	assert_int_equal(map_get(&m, 1), 0);
	assert_int_equal(map_get(&m, 0), 0);
	map_free(&m);
}

static void test_many(void **state)
{
	struct map m = { 0 };

	(void)state;
	for (uint32_t i = 1; i <= 100000; i++)
		map_set(&m, i * 2654435761u, i);
	for (uint32_t i = 1; i <= 100000; i++)
		assert_int_equal(map_get(&m, i * 2654435761u), i);
	assert_int_equal(map_get(&m, 100001u * 2654435761u), 0);
	assert_int_equal(m.used, 100000);
	map_free(&m);
}

static void test_same_slot_and_change(void **state)
{
	struct map m = { 0 };

	(void)state;
	/* Keys that differ in bits which the first table of 1024 does not look at. */
	for (uint32_t i = 1; i <= 100; i++)
		map_set(&m, i << 16, i);
	for (uint32_t i = 1; i <= 100; i++)
		map_set(&m, i << 16, i + 1000);
	for (uint32_t i = 1; i <= 100; i++)
		assert_int_equal(map_get(&m, i << 16), i + 1000);
	assert_int_equal(m.used, 100);
	map_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_same_slot_and_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
