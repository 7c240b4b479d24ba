/* SPDX-License-Identifier: MIT */
/* Tables: strings come out as they went in; a table that lies is refused, or its strings are "". */
#include "unit.h"

#include <sys/mman.h>
#include <unistd.h>

struct ctl ctl = { .stack = "test" };

/* What the daemon would answer. */
static struct {
	struct abi_table head;
	struct abi_pair row[3];
	char heap[32];
} answer;
static size_t answer_bytes;

static const size_t strings[] = { offsetof(struct abi_pair, key),
				  offsetof(struct abi_pair, value) };

int failed(const char *format, ...)
{
	(void)format;
	return EXIT_FAILED;
}

int client_open(void)
{
	return 0;
}

int client_stay_open(void)
{
	return 0;
}

int client_failed(const char *what, int error, const struct reply *rep)
{
	(void)what, (void)error, (void)rep;
	return EXIT_FAILED;
}

int client_call(enum abi_op op, struct abi_request *req, const char *data, int fd,
		struct reply *out)
{
	(void)op, (void)req, (void)data, (void)fd;
	out->fd = memfd_create("table", MFD_CLOEXEC);
	assert_true(write(out->fd, &answer, answer_bytes) == (ssize_t)answer_bytes);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	memset(&answer, 0, sizeof(answer));
	answer.head = (struct abi_table){ ABI_MAGIC, sizeof(struct abi_pair), 3,
					  offsetof(__typeof__(answer), heap), sizeof(answer.heap) };
	memcpy(answer.heap, "\0key\0value", 11);
	answer.row[0] = (struct abi_pair){ (const char *)1, (const char *)5 };
	answer_bytes = sizeof(answer);
	return 0;
}

static int get(struct table *t)
{
	return table_get(t, "status", sizeof(struct abi_pair), strings, COUNT(strings));
}

static void test_good(void **state)
{
	struct table t;

	(void)state;
	assert_int_equal(get(&t), 0);
	assert_int_equal(t.count, 3);
	assert_string_equal(TABLE_ROW(&t, struct abi_pair, 0)->key, "key");
	assert_string_equal(TABLE_ROW(&t, struct abi_pair, 0)->value, "value");
	assert_null(TABLE_ROW(&t, struct abi_pair, 1)->key);
	table_free(&t);
}

static void test_bad_strings(void **state)
{
	struct table t;

	(void)state;
	memset(answer.heap, 'x', sizeof(answer.heap)); /* none of them ends */
	answer.row[1].key = (const char *)sizeof(answer.heap);
	answer.row[2].key = (const char *)UINTPTR_MAX;
	assert_int_equal(get(&t), 0);
	assert_string_equal(TABLE_ROW(&t, struct abi_pair, 0)->key, "");
	assert_string_equal(TABLE_ROW(&t, struct abi_pair, 1)->key, "");
	assert_string_equal(TABLE_ROW(&t, struct abi_pair, 2)->key, "");
	table_free(&t);
}

static void is_refused(void)
{
	struct table t;

	assert_int_equal(get(&t), EXIT_FAILED);
	assert_null(t.map);
	setup(NULL);
}

static void test_lies(void **state)
{
	(void)state;
	answer.head.magic++;
	is_refused();
	answer.head.row_bytes++;
	is_refused();
	answer.head.row_count = 1000;
	is_refused();
	answer.head.row_count = UINT64_MAX / sizeof(struct abi_pair) + 2;
	is_refused();
	answer.head.strings_at = UINT64_MAX;
	is_refused();
	answer.head.strings_bytes++;
	is_refused();
	answer_bytes = sizeof(struct abi_table) - 1;
	is_refused();
	answer_bytes = 0;
	is_refused();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_good, setup),
		cmocka_unit_test_setup(test_bad_strings, setup),
		cmocka_unit_test_setup(test_lies, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
