/* SPDX-License-Identifier: MIT */
/* Where the control socket lies, by environment and user. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "../../../src/abi/path.h"

static const char *glass_dir, *runtime_dir;

static char *fake_env(const char *name)
{
	const char *v = !strcmp(name, "GLASS_DIR")	   ? glass_dir
			: !strcmp(name, "XDG_RUNTIME_DIR") ? runtime_dir
							   : NULL;

	return (char *)(uintptr_t)v;
}

static void expect_dir(unsigned uid, const char *want)
{
	char out[ABI_PATH_MAX];

	assert_true(abi_dir(out, fake_env, uid));
	assert_string_equal(out, want);
}

static void test_dir(void **state)
{
	(void)state;
	glass_dir = runtime_dir = NULL;
	expect_dir(0, "/run/glass");
	expect_dir(1000, "/tmp/glass-1000");
	expect_dir(4294967295u, "/tmp/glass-4294967295");
	runtime_dir = "/run/user/7";
	expect_dir(7, "/run/user/7/glass");
	expect_dir(0, "/run/glass");
	glass_dir = "/somewhere";
	expect_dir(0, "/somewhere");
	expect_dir(7, "/somewhere");
	glass_dir = "";
	expect_dir(7, "/run/user/7/glass");
}

static void test_too_long(void **state)
{
	char out[ABI_PATH_MAX], dir[200], name[ABI_STACK_NAME_MAX + 1];

	(void)state;
	memset(dir, 'd', sizeof(dir));
	dir[ABI_PATH_MAX - 1] = 0; /* fits with its end */
	glass_dir = dir;
	assert_true(abi_dir(out, fake_env, 0));
	assert_int_equal(strlen(out), ABI_PATH_MAX - 1);
	assert_false(abi_socket_path(out, dir, "default"));
	dir[ABI_PATH_MAX - 1] = 'd';
	dir[ABI_PATH_MAX] = 0;
	assert_false(abi_dir(out, fake_env, 0));
	memset(name, 'n', sizeof(name));
	name[ABI_STACK_NAME_MAX] = 0;
	assert_true(abi_socket_path(out, "/run/glass", name));
	assert_string_equal(out + strlen(out) - 6, "n.sock");
}

static void test_stack_names(void **state)
{
	char name[ABI_STACK_NAME_MAX + 2];

	(void)state;
	assert_true(abi_stack_name_ok("default"));
	assert_true(abi_stack_name_ok("A-b_c.9"));
	assert_false(abi_stack_name_ok(""));
	assert_false(abi_stack_name_ok(".hidden"));
	assert_false(abi_stack_name_ok("../etc"));
	assert_false(abi_stack_name_ok("a b"));
	assert_false(abi_stack_name_ok("a/b"));
	memset(name, 'n', sizeof(name));
	name[ABI_STACK_NAME_MAX + 1] = 0;
	assert_false(abi_stack_name_ok(name));
	name[ABI_STACK_NAME_MAX] = 0;
	assert_true(abi_stack_name_ok(name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dir),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_stack_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
