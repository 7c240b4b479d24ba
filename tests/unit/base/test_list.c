/* SPDX-License-Identifier: MIT */
/* The list: order, removal anywhere, walking while removing. */
#include "unit.h"

#include "../../../src/base/list.h"

struct item {
	int value;
	struct list node;
};

/* The members' values as a string of digits. */
static const char *digits(struct list *l)
{
	static char out[16];
	size_t n = 0;

	list_for_each(it, l, struct item, node)
		out[n++] = (char)('0' + it->value);
	out[n] = '\0';
	return out;
}

static void fill(struct list *l, struct item item[4])
{
	list_init(l);
	for (int i = 0; i < 4; i++) {
		item[i].value = i;
		list_append(l, &item[i].node);
	}
}

static void test_empty(void **state)
{
	struct list l;

	(void)state;
	list_init(&l);
	assert_true(list_empty(&l));
	assert_null(list_take(&l));
	assert_string_equal(digits(&l), "");
}

static void test_order(void **state)
{
	struct item item[4], more = { .value = 9 }, between = { .value = 7 };
	struct list l;

	(void)state;
	fill(&l, item);
	assert_string_equal(digits(&l), "0123");
	list_prepend(&l, &more.node);
	list_insert_before(&item[2].node, &between.node);
	assert_string_equal(digits(&l), "901723");
	assert_int_equal(list_first(&l, struct item, node)->value, 9);
	assert_int_equal(list_last(&l, struct item, node)->value, 3);
}

static void test_remove(void **state)
{
	struct item item[4];
	struct list l;

	(void)state;
	fill(&l, item);
	list_remove(&item[1].node);
	assert_true(list_empty(&item[1].node));
	assert_string_equal(digits(&l), "023");
	list_remove(&item[1].node); /* again: harmless */
	list_remove(&item[0].node);
	list_remove(&item[3].node);
	assert_string_equal(digits(&l), "2");
	assert_ptr_equal(list_take(&l), &item[2].node);
	assert_true(list_empty(&l));
}

static void test_remove_while_walking(void **state)
{
	struct item item[4];
	struct list l;

	(void)state;
	fill(&l, item);
	list_for_each_safe(it, &l, struct item, node)
		if (it->value % 2)
			list_remove(&it->node);
	assert_string_equal(digits(&l), "02");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_remove),
		cmocka_unit_test(test_remove_while_walking),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
