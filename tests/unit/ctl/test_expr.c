/* SPDX-License-Identifier: MIT */
/* Filters: words, what binds how, what is wrong; comparisons; networks. */
#include "unit.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "../../../src/ctl/expr.h"

bool parse_number(const char *s, int64_t *out)
{
	char *end;

	*out = strtoll(s, &end, 0);
	return end != s && !*end;
}

bool addr_parse(const char *s, struct glass_addr *out)
{
	*out = (struct glass_addr){ .family = GLASS_IP4 };
	return inet_pton(AF_INET, s, out->byte) == 1;
}

/* A primitive is a letter: true for who has it. "n OP NUMBER" compares. */
static bool letter(struct expr_parser *p, struct expr_leaf *out)
{
	const char *word = expr_take(p);
	int64_t n;

	out->word = (uint8_t)*word;
	if (*word != 'n')
		return word[1] ? expr_error(p, "%s is no letter", word) : true;
	if (!expr_take_op(p, &out->op) || !expr_peek(p) || !parse_number(expr_take(p), &n))
		return expr_error(p, "n needs a comparison");
	out->low = (uint32_t)n;
	return true;
}

static bool has(const struct expr_leaf *leaf, const void *subject)
{
	const char *s = subject;

	if (leaf->word == 'n')
		return expr_compare((uint32_t)strlen(s), leaf->op, leaf->low);
	return strchr(s, leaf->word);
}

static struct expr_parser parser;
static struct expr expr;

static bool parse(const char *text)
{
	char copy[4096], *argv[] = { copy };

	snprintf(copy, sizeof(copy), "%s", text);
	parser = (struct expr_parser){ .primitive = letter };
	return expr_words(&parser, 1, argv) && expr_parse(&parser, &expr);
}

static bool holds(const char *text, const char *subject)
{
	assert_true(parse(text));
	return expr_true(&expr, has, subject);
}

static void test_binding(void **state)
{
	(void)state;
	assert_true(holds("", "x"));
	assert_true(holds("a", "a"));
	assert_false(holds("a", "b"));
	assert_true(holds("a or b and c", "a"));
	assert_false(holds("(a or b) and c", "a"));
	assert_true(holds("( a or b ) and c", "bc"));
	assert_false(holds("not a or a and b", "a"));
	assert_true(holds("not a or a and b", "ab"));
	assert_true(holds("not not a", "a"));
	assert_true(holds("a b", "ba"));
	assert_false(holds("a b", "b"));
}

static void test_signs(void **state)
{
	(void)state;
	assert_true(holds("!(a||b)&&c", "c"));
	assert_false(holds("!(a||b)&&c", "ac"));
	assert_true(holds("n>=3 and n<4", "abc"));
	assert_true(holds("n != 3", "ab"));
	assert_false(holds("n ne 3", "abc"));
	assert_true(holds("n == 3 and n eq 3 and n=3 and n le 3 and n gt 2 and n > 2 and n <= 3",
			  "abc"));
}

static void test_mistakes(void **state)
{
	static const char *const wrong[] = { "a and", "or a",	  "(a",	  "a)",	  "not", "()",
					     "nn x",  "a or b )", "n = ", "word", "and", "((((" };
	char deep[400];

	(void)state;
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_false(parse(wrong[i]));
		assert_true(*parser.error);
	}
	assert_false(parse("(a"));
	assert_string_equal(parser.error, "a parenthesis is not closed");
	memset(deep, '(', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	assert_false(parse(deep));
	memset(deep, '!', sizeof(deep) - 1);
	assert_false(parse(deep));
	for (unsigned i = 0; i + 1 < sizeof(deep); i++)
		deep[i] = i % 2 ? ' ' : 'a';
	assert_false(parse(deep));
	assert_string_equal(parser.error, "the filter is too long");
}

static void test_net(void **state)
{
	struct expr_leaf leaf = { 0 };

	(void)state;
	assert_true(expr_net("10.1.2.3", &leaf));
	assert_int_equal(leaf.addr, 0x0a010203);
	assert_int_equal(leaf.mask, UINT32_MAX);
	assert_true(expr_net("10.1.2.3/8", &leaf));
	assert_int_equal(leaf.addr, 0x0a000000);
	assert_int_equal(leaf.mask, 0xff000000);
	assert_true(expr_net("10.1.2.3/0", &leaf));
	assert_int_equal(leaf.mask, 0);
	assert_false(expr_net("10.1.2.3/33", &leaf));
	assert_false(expr_net("10.1.2.3/", &leaf));
	assert_false(expr_net("nobody", &leaf));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_binding),
		cmocka_unit_test(test_signs),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_net),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
