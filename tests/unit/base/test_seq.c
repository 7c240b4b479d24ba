/* SPDX-License-Identifier: MIT */
/* Sequence numbers compare right across the wrap (RFC 9293 3.4), and wire fields are big-endian. */
#include "unit.h"

#include "../../../src/base/be.h"
#include "../../../src/base/seq.h"

static const uint32_t places[] = { 0, 1, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff };
static const uint32_t steps[] = { 1, 2, 1460, 65535, 0x3fffffff, 0x7fffffff };

static void test_order_across_the_wrap(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(places); i++)
		for (unsigned j = 0; j < ARRAY_LEN(steps); j++) {
			struct seq a = seq_of(places[i]), b = seq_add(a, steps[j]);

			assert_true(seq_lt(a, b) && seq_leq(a, b) && !seq_gt(a, b) &&
				    !seq_geq(a, b));
			assert_true(seq_gt(b, a) && seq_geq(b, a) && !seq_lt(b, a) &&
				    !seq_leq(b, a));
			assert_true(!seq_eq(a, b));
			assert_int_equal(seq_diff(b, a), (int32_t)steps[j]);
			assert_int_equal(seq_diff(a, b), -(int32_t)steps[j]);
			assert_true(seq_eq(seq_max(a, b), b) && seq_eq(seq_min(a, b), a));
		}
}

static void test_equal(void **state)
{
	struct seq a = seq_of(0xffffffff), b = seq_add(seq_of(0xfffffffe), 1);

	(void)state;
	assert_true(seq_eq(a, b) && seq_leq(a, b) && seq_geq(a, b) && !seq_lt(a, b) &&
		    !seq_gt(a, b));
	assert_int_equal(seq_diff(a, b), 0);
}

static void test_window(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(places); i++) {
		struct seq low = seq_of(places[i]), high = seq_add(low, 1000);

		assert_true(seq_in(low, low, high));
		assert_true(seq_in(seq_add(low, 999), low, high));
		assert_false(seq_in(high, low, high));
		assert_false(seq_in(seq_add(low, UINT32_MAX), low, high));
		assert_false(seq_in(low, low, low)); /* an empty window holds nothing */
	}
}

static void test_wire_fields(void **state)
{
	struct be16 h = be16_of(0x1234);
	struct be32 w = be32_of(0x89abcdef);

	(void)state;
	assert_int_equal(sizeof(h), 2);
	assert_int_equal(_Alignof(struct be32), 1);
	assert_memory_equal(h.b, "\x12\x34", 2);
	assert_memory_equal(w.b, "\x89\xab\xcd\xef", 4);
	assert_int_equal(be16_get(h), 0x1234);
	assert_int_equal(be32_get(w), 0x89abcdef);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_across_the_wrap),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_wire_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
