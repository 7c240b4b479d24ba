/* SPDX-License-Identifier: MIT */
/* What will happen in the simulator, by time. */
#include "../base/unit.h"

#include "../../../src/sim/inside.h"

/* The order of what happens: by time, then as it was pushed. */
static void test_queue(void **state)
{
	struct sim s = { .now_ns = 0 };
	int64_t last = -1;
	uint64_t order = 0;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		struct sim_item *item = calloc(1, sizeof(*item));

		item->time_ns = (int64_t)(i * 7919 % 100);
		assert_true(sim_push(&s, item));
	}
	for (unsigned i = 0; i < 1000; i++) {
		struct sim_item *item = sim_pop(&s);

		assert_true(item->time_ns > last || (item->time_ns == last && item->order > order));
		last = item->time_ns;
		order = item->order;
		free(item);
	}
	assert_null(sim_first(&s));
	free(s.heap);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_queue) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
