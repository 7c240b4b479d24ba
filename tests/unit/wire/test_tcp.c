/* SPDX-License-Identifier: MIT */
/* TCP options as they are written: Linux's order, and what is written can be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../../src/wire/tcp.h"

static void check(const struct tcp_options *o, const uint8_t *want, size_t n)
{
	uint8_t got[40];
	struct tcp_options back;

	assert_int_equal(tcp_options_write(got, o), n);
	assert_memory_equal(got, want, n);
	tcp_options_read(got, n, &back);
	assert_int_equal(back.mss_ok, o->mss_ok);
	assert_int_equal(back.sack_permitted, o->sack_permitted);
	assert_int_equal(back.timestamps, o->timestamps);
	assert_int_equal(back.tsval, o->tsval);
	assert_int_equal(back.wscale_ok, o->wscale_ok);
	assert_int_equal(back.nsack, o->nsack);
}

/* SACK-permitted takes the place of the NOPs before the timestamps. */
static void test_syn(void **state)
{
	const struct tcp_options o = { .mss_ok = true,
				       .mss = 1460,
				       .sack_permitted = true,
				       .timestamps = true,
				       .tsval = 5,
				       .wscale_ok = true,
				       .wscale = 7 };
	const uint8_t want[] = { 2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 5, 0, 0, 0, 0, 1, 3, 3, 7 };

	(void)state;
	check(&o, want, sizeof(want));
}

static void test_syn_without_timestamps(void **state)
{
	const struct tcp_options o = {
		.mss_ok = true, .mss = 1460, .sack_permitted = true, .wscale_ok = true, .wscale = 7
	};
	const uint8_t want[] = { 2, 4, 5, 180, 1, 1, 4, 2, 1, 3, 3, 7 };

	(void)state;
	check(&o, want, sizeof(want));
}

static void test_timestamps_alone(void **state)
{
	const struct tcp_options o = { .timestamps = true, .tsval = 1, .tsecr = 2 };
	const uint8_t want[] = { 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2 };

	(void)state;
	check(&o, want, sizeof(want));
}

static void test_sack(void **state)
{
	const struct tcp_options o = { .nsack = 1, .sack = { { { 1 }, { 2 } } } };
	const uint8_t want[] = { 1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2 };

	(void)state;
	check(&o, want, sizeof(want));
}

/* RFC 7413 4.1.1. */
static void test_fastopen(void **state)
{
	const struct tcp_options ask = { .fastopen = true };
	const struct tcp_options longest = { .fastopen = true,
					     .cookie_len = 16,
					     .cookie = "0123456789abcde" };
	const struct tcp_options syn = { .mss_ok = true,
					 .sack_permitted = true,
					 .timestamps = true,
					 .wscale_ok = true,
					 .fastopen = true,
					 .cookie_len = 16 };
	uint8_t got[40];
	struct tcp_options back;

	(void)state;
	check(&ask, (const uint8_t[]){ 34, 2, 1, 1 }, 4);
	assert_int_equal(tcp_options_write(got, &longest), 20);
	tcp_options_read(got, 20, &back);
	assert_true(back.fastopen && back.cookie_len == 16);
	assert_memory_equal(back.cookie, longest.cookie, 16);
	assert_int_equal(tcp_options_write(got, &syn), 40); /* with all the others: it fits */
}

/* The option of the experiment (RFC 6994); beside that of RFC 7413 it says nothing. */
static void test_fastopen_experiment(void **state)
{
	const struct tcp_options ask = { .fastopen = true, .fastopen_exp = true };
	const struct tcp_options told = {
		.fastopen = true, .fastopen_exp = true, .cookie_len = 4, .cookie = "abcd"
	};
	static const uint8_t both[] = { 34, 6,	  'e',	'f', 'g', 'h', 254,
					8,  0xf9, 0x89, 'a', 'b', 'c', 'd' };
	static const uint8_t other[] = { 254, 8, 0xf9, 0x88, 'a', 'b', 'c', 'd' };
	struct tcp_options back;
	uint8_t bytes[14];

	(void)state;
	check(&ask, (const uint8_t[]){ 254, 4, 0xf9, 0x89 }, 4);
	check(&told, both + 6, 8);
	tcp_options_read(both + 6, 8, &back);
	assert_true(back.fastopen && back.fastopen_exp && back.cookie_len == 4);
	assert_memory_equal(back.cookie, "abcd", 4);
	tcp_options_read(both, sizeof(both), &back);
	assert_true(back.fastopen && !back.fastopen_exp && !memcmp(back.cookie, "efgh", 4));
	memcpy(bytes, both + 6, 8);
	memcpy(bytes + 8, both, 6);
	tcp_options_read(bytes, sizeof(bytes), &back);
	assert_true(back.fastopen && !back.fastopen_exp && !memcmp(back.cookie, "efgh", 4));
	tcp_options_read(other, sizeof(other), &back);
	assert_false(back.fastopen);
	tcp_options_read((const uint8_t[]){ 254, 3, 0xf9 }, 3, &back);
	assert_false(back.fastopen || back.fastopen_exp);
	tcp_options_read((const uint8_t[]){ 254, 5, 0xf9, 0x89, 1 }, 5, &back);
	assert_false(back.fastopen || back.fastopen_exp);
}

/* A length that cannot be is no option; what follows is read all the same. */
static void test_fastopen_lengths(void **state)
{
	struct tcp_options o;

	(void)state;
	for (uint8_t n = 0; n <= 20; n++) {
		uint8_t bytes[32] = { 34, (uint8_t)(2 + n) };
		bool valid = !n || (n >= 4 && n <= 16 && n % 2 == 0);

		memcpy(bytes + 2 + n, (const uint8_t[]){ 2, 4, 5, 180 }, 4);
		tcp_options_read(bytes, 6u + n, &o);
		assert_int_equal(o.fastopen, valid);
		assert_int_equal(o.cookie_len, valid ? n : 0);
		assert_true(o.mss_ok && o.mss == 1460);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_syn),
		cmocka_unit_test(test_fastopen),
		cmocka_unit_test(test_fastopen_experiment),
		cmocka_unit_test(test_fastopen_lengths),
		cmocka_unit_test(test_syn_without_timestamps),
		cmocka_unit_test(test_timestamps_alone),
		cmocka_unit_test(test_sack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
