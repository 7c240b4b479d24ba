/* SPDX-License-Identifier: MIT */
/*
 * The generator: the same seed says the same, another seed something else, and the range is kept.
 */
#include "unit.h"

#include "../../../src/base/rng.h"

static const uint64_t seed[2] = { 1, 2 };

static void test_same_seed_same_numbers(void **state)
{
	struct rng a, b;

	(void)state;
	rng_init(&a, seed);
	rng_init(&b, seed);
	for (int i = 0; i < 1000; i++)
		assert_true(rng_u64(&a) == rng_u64(&b));
}

static void test_other_seed_other_numbers(void **state)
{
	struct rng a, b;
	unsigned same = 0;

	(void)state;
	rng_init(&a, seed);
	rng_init(&b, (const uint64_t[2]){ 1, 3 });
	for (int i = 0; i < 1000; i++)
		same += rng_u64(&a) == rng_u64(&b);
	assert_int_equal(same, 0);
}

/* 64,000 throws of a die with 64 faces: 1,000 each, and beyond 6 sigma something is wrong. */
static void test_below_is_uniform(void **state)
{
	unsigned count[64] = { 0 };
	struct rng r;

	(void)state;
	rng_init(&r, seed);
	for (int i = 0; i < 64000; i++) {
		uint32_t v = rng_below(&r, 64);

		assert_true(v < 64);
		count[v]++;
	}
	for (int i = 0; i < 64; i++)
		assert_in_range(count[i], 810, 1190);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(rng_below(&r, 1), 0);
		assert_true(rng_below(&r, UINT32_MAX) < UINT32_MAX);
	}
}

static void test_keys_differ(void **state)
{
	struct hash_key a, b;
	struct rng r;

	(void)state;
	rng_init(&r, seed);
	a = rng_key(&r);
	b = rng_key(&r);
	assert_true(a.k[0] != b.k[0] && a.k[1] != b.k[1] && a.k[0] != a.k[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_seed_same_numbers),
		cmocka_unit_test(test_other_seed_other_numbers),
		cmocka_unit_test(test_below_is_uniform),
		cmocka_unit_test(test_keys_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
