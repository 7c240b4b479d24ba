/* SPDX-License-Identifier: MIT */
/* Options: letters, long ones, values, operands between them; times; the word that was meant. */
#include "unit.h"

struct ctl ctl;

static bool flag;
static const char *text;
static int64_t number, ns;
static const struct command cmd = { "test", "", "", NULL, NULL };
static const struct opt options[] = {
	{ 'f', "flag", OPT_FLAG, NULL, "", &flag },
	{ 't', "text", OPT_STRING, "TEXT", "", &text },
	{ 'n', "number", OPT_NUMBER, "N", "", &number },
	{ 0, "time", OPT_SECONDS, "TIME", "", &ns },
};

static int setup(void **state)
{
	(void)state;
	flag = false;
	text = NULL;
	number = ns = 0;
	ctl = (struct ctl){ 0 };
	return 0;
}

/* Words into argv, as a shell does. */
static int parse(char *line, char **argv, bool until)
{
	int argc = 1;

	argv[0] = line;
	for (char *w = strtok(line, " "); w; w = strtok(NULL, " "))
		argv[argc++] = w;
	argv[argc] = NULL;
	if (until)
		return opt_parse_until_operand(&cmd, options, COUNT(options), argc, argv);
	return opt_parse(&cmd, options, COUNT(options), argc, argv);
}

static void test_everywhere(void **state)
{
	char line[] = "one -f two --text=abc -n5 three --json --time -1.5 -- -f";
	char *argv[20];

	(void)state;
	assert_int_equal(parse(line, argv, false), 4);
	assert_string_equal(argv[1], "one");
	assert_string_equal(argv[3], "three");
	assert_string_equal(argv[4], "-f");
	assert_null(argv[5]);
	assert_true(flag && ctl.json);
	assert_string_equal(text, "abc");
	assert_int_equal(number, 5);
	assert_true(ns == -1500000000);
}

static void test_letters_together(void **state)
{
	char line[] = "-fjt abc -";
	char *argv[20];

	(void)state;
	assert_int_equal(parse(line, argv, false), 1);
	assert_true(flag && ctl.json);
	assert_string_equal(text, "abc");
	assert_string_equal(argv[1], "-");
}

static void test_until_operand(void **state)
{
	char line[] = "-f program -n x";
	char *argv[20];

	(void)state;
	assert_int_equal(parse(line, argv, true), 3);
	assert_string_equal(argv[1], "program");
	assert_string_equal(argv[2], "-n");
	assert_true(flag);
}

static void test_wrong(void **state)
{
	static const char *const lines[] = { "-x",	"--nonsense", "--flag=1",    "-n",
					     "-n many", "-n -5",      "--time soon", "--text" };
	char line[40], *argv[20];

	(void)state;
	for (unsigned i = 0; i < COUNT(lines); i++) {
		snprintf(line, sizeof(line), "%s", lines[i]);
		assert_int_equal(parse(line, argv, false), -1);
	}
}

static void test_seconds(void **state)
{
	int64_t t;

	(void)state;
	assert_true(parse_seconds("1.5", &t) && t == 1500000000);
	assert_true(parse_seconds("200ms", &t) && t == 200000000);
	assert_true(parse_seconds("7us", &t) && t == 7000);
	assert_true(parse_seconds("-2s", &t) && t == -2000000000);
	assert_false(parse_seconds("", &t));
	assert_false(parse_seconds("1m", &t));
	assert_false(parse_seconds("nan", &t));
	assert_false(parse_seconds("1e300", &t));
}

static const char *word(unsigned i)
{
	static const char *const words[] = { "trace", "why", "neigh", "IP_BAD_CSUM" };

	return i < COUNT(words) ? words[i] : NULL;
}

static void test_nearest(void **state)
{
	(void)state;
	assert_string_equal(nearest("trcae", word), "trace");
	assert_string_equal(nearest("tra", word), "trace");
	assert_string_equal(nearest("ip_bad_csun", word), "IP_BAD_CSUM");
	assert_string_equal(nearest("neig", word), "neigh");
	assert_null(nearest("elephant", word));
	assert_null(
		nearest("a word that is longer than any that could have been meant by it", word));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_everywhere, setup),
		cmocka_unit_test_setup(test_letters_together, setup),
		cmocka_unit_test_setup(test_until_operand, setup),
		cmocka_unit_test_setup(test_wrong, setup),
		cmocka_unit_test_setup(test_seconds, setup),
		cmocka_unit_test_setup(test_nearest, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
