/* SPDX-License-Identifier: MIT */
/* The library's own ground: environment and errno without a C library. Its memcpy and kin replace
 * libc's here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../../src/preload/raw.h"

static void test_env(void **state)
{
	(void)state;
	setenv("GLASS_TEST", "value", 1);
	setenv("GLASS_TEST_LONGER", "other", 1);
	assert_string_equal(env_get("GLASS_TEST"), "value");
	assert_string_equal(env_get("GLASS_TEST_LONGER"), "other");
	assert_null(env_get("GLASS_TES"));
	assert_null(env_get("GLASS_TEST_LONGEST"));
	unsetenv("GLASS_TEST");
	assert_null(env_get("GLASS_TEST"));
}

static void test_result(void **state)
{
	(void)state;
	errno = 0;
	assert_int_equal(result_of(7), 7);
	assert_int_equal(errno, 0);
	assert_int_equal(result_of(-ENETDOWN), -1);
	assert_int_equal(errno, ENETDOWN);
	assert_int_equal(result_of(-4096), -4096); /* an address, not an errno */
}

static void test_syscalls(void **state)
{
	(void)state;
	assert_int_equal(raw3(SYS_getpid, 0, 0, 0), getpid());
	assert_int_equal(raw3(SYS_close, -1, 0, 0), -EBADF);
}

static void test_memory(void **state)
{
	char a[8] = "abcdefg", b[8];

	(void)state;
	memcpy(b, a, sizeof(a));
	assert_int_equal(memcmp(a, b, sizeof(a)), 0);
	memmove(a + 1, a, 4);
	assert_int_equal(memcmp(a, "aabcdfg", 8), 0);
	memmove(a, a + 1, 4);
	assert_int_equal(memcmp(a, "abcddfg", 8), 0);
	assert_true(memcmp("a", "b", 1) < 0);
	assert_true(memcmp("\xff", "b", 1) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_env),
		cmocka_unit_test(test_result),
		cmocka_unit_test(test_syscalls),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
