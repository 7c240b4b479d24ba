/* SPDX-License-Identifier: MIT */
/* IPv4 options, one step at a time: no step reads beyond the bytes, and every walk ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../../src/base/rng.h"
#include "../../../src/wire/checksum.h"
#include "../../../src/wire/ip4.h"

static void test_known_options(void **state)
{
	const uint8_t bytes[] = { 1, 7, 7, 4, 0, 0, 0, 0, 1, 148, 4, 0, 0, 0, 99, 99 };
	struct ip4_option o;
	size_t at = 0;

	(void)state;
	assert_int_equal(at = ip4_option_step(bytes, sizeof(bytes), at, &o), 1);
	assert_int_equal(o.kind, IP4_OPT_NOP);
	assert_int_equal(at = ip4_option_step(bytes, sizeof(bytes), at, &o), 8);
	assert_int_equal(o.kind, IP4_OPT_RECORD_ROUTE);
	assert_int_equal(o.length, 7);
	assert_ptr_equal(o.at, bytes + 1);
	assert_int_equal(at = ip4_option_step(bytes, sizeof(bytes), at, &o), 9);
	assert_int_equal(at = ip4_option_step(bytes, sizeof(bytes), at, &o), 13);
	assert_int_equal(o.kind, 148); /* router alert: unknown, and passed over */
	/* What comes after the end of the list is padding, whatever it looks like. */
	assert_int_equal(ip4_option_step(bytes, sizeof(bytes), at, &o), sizeof(bytes));
	assert_int_equal(o.kind, IP4_OPT_END);
}

static void test_malformed_options(void **state)
{
	const uint8_t lengths[][4] = {
		{ 7, 0, 0, 0 }, /* would loop for ever */
		{ 7, 1, 0, 0 },
		{ 7, 5, 0, 0 }, /* one beyond the end */
		{ 7, 255, 0, 0 },
	};
	const uint8_t no_length[] = { 1, 1, 1, 131 };
	struct ip4_option o;

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		assert_int_equal(ip4_option_step(lengths[i], 4, 0, &o), 0);
		assert_int_equal(o.kind, 7);
	}
	assert_int_equal(ip4_option_step(no_length, 4, 3, &o), 0);
	assert_int_equal(o.kind, IP4_OPT_LOOSE_ROUTE);
	assert_int_equal(ip4_option_step(no_length, 4, 4, &o), 0); /* nothing is left */
	assert_int_equal(ip4_option_step(no_length, 4, SIZE_MAX, &o), 0);
}

static void test_pointers(void **state)
{
	const struct {
		uint8_t bytes[4];
		bool ok;
	} cases[] = {
		{ { 7, 3, 4, 0 }, true },   { { 7, 3, 3, 0 }, false },
		{ { 7, 3, 0, 0 }, false },  { { 7, 3, 255, 0 }, true }, /* full */
		{ { 7, 2, 4, 0 }, false },  { { 68, 4, 5, 0 }, true },
		{ { 68, 4, 4, 0 }, false }, { { 68, 3, 5, 0 }, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ip4_option o = { cases[i].bytes[0], cases[i].bytes[1], cases[i].bytes };

		assert_int_equal(ip4_option_pointer_ok(&o), cases[i].ok);
	}
}

/*
 * Random bytes in exact memory (ASan sees a read beyond): each step goes on, none goes beyond the
 * end.
 */
static void test_random_walks(void **state)
{
	const uint64_t seed[2] = { 791, 0 };
	struct ip4_option o;
	struct rng rng;

	(void)state;
	rng_init(&rng, seed);
	for (int round = 0; round < 200000; round++) {
		size_t length = rng_below(&rng, 41), at = 0, next;
		uint8_t *bytes = malloc(length + !length);

		assert_non_null(bytes);
		for (size_t i = 0; i < length; i++)
			bytes[i] =
				(uint8_t)(rng_below(&rng, 4) ? rng_below(&rng, 12) : rng_u64(&rng));
		while (at < length && (next = ip4_option_step(bytes, length, at, &o))) {
			assert_true(next > at && next <= length);
			assert_true(o.at + o.length <= bytes + length);
			ip4_option_pointer_ok(&o);
			at = next;
		}
		free(bytes);
	}
}

static void test_set_checksum(void **state)
{
	/* A header as captured: 192.168.0.1 > 192.168.0.199, UDP, 115 bytes, checksum b861. */
	const uint8_t bytes[20] = { 0x45, 0,	0,    0x73, 0, 0, 0x40, 0,    0x40, 0x11,
				    0xff, 0xff, 0xc0, 0xa8, 0, 1, 0xc0, 0xa8, 0,    0xc7 };
	struct ip4_header h;

	(void)state;
	memcpy(&h, bytes, sizeof(h));
	ip4_set_checksum(&h);
	assert_int_equal(be16_get(h.checksum), 0xb861);
	assert_int_equal(csum_fold(csum_add(0, &h, sizeof(h))), 0);
	assert_int_equal(_Alignof(struct ip4_header), 1);
	assert_int_equal(sizeof(struct ip4_header), IP4_HEADER_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_options), cmocka_unit_test(test_malformed_options),
		cmocka_unit_test(test_pointers),      cmocka_unit_test(test_random_walks),
		cmocka_unit_test(test_set_checksum),
	};

	return cmocka_run_group_tests_name("wire/ip4", tests, NULL, NULL);
}
