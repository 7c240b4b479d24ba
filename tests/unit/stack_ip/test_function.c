/* SPDX-License-Identifier: MIT */
/* Calls of functions as records: the owner tells when one begins and ends. */
#include "../frames.h"

static struct host h;

static void test_records(void **state)
{
	struct glass_record r;
	size_t count;
	void *const *function = glass_functions(&count);

	(void)state;
	if (!count)
		skip(); /* the compiler leaves no room at the functions' begins */
	assert_non_null(function);
	host_new(&h, 0);
	glass_function_name(h.g, count - 1, "the_last");
	glass_function_begins(h.g, count - 1, 3);
	assert_true(log_last(&h, GLASS_EV_FUNC, &r));
	assert_int_equal(r.v[0], 3);
	assert_string_equal(glass_reader_word(&h.log, r.room), "the_last");
	glass_function_ends(h.g, count - 1, 3, 250);
	assert_true(log_last(&h, GLASS_EV_FUNC_END, &r));
	assert_int_equal(r.v[0], 3);
	assert_int_equal(r.v[1], 250);
	host_free(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_records) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
