/* SPDX-License-Identifier: MIT */
/* The Internet checksum against the definition in RFC 1071 section 1, 16 bits at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../../src/base/pkt.h"
#include "../../../src/base/rng.h"
#include "../../../src/wire/checksum.h"

#define LENGTH_MAX 2048
#define PIECES_MAX 12

static struct rng rng;

static int setup(void **state)
{
	const uint64_t seed[2] = { 1071, 1624 };

	(void)state;
	rng_init(&rng, seed);
	return 0;
}

static void fill(uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)rng_u64(&rng);
}

static uint16_t reference(const uint8_t *bytes, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < n; i++) {
		sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (uint16_t)~sum;
}

/*
 * Each length at each alignment, in memory that ends where the bytes end: a read beyond them is
 * found by ASan.
 */
static void test_all_lengths_and_alignments(void **state)
{
	(void)state;
	for (size_t n = 0; n <= LENGTH_MAX; n++) {
		for (size_t align = 0; align < 8; align++) {
			uint8_t *mem = malloc(align + n + !(align + n));

			assert_non_null(mem);
			fill(mem, align + n);
			assert_int_equal(csum_fold(csum_add(0, mem + align, n)),
					 reference(mem + align, n));
			free(mem);
		}
	}
}

static void test_extremes(void **state)
{
	static uint8_t bytes[65535];

	(void)state;
	assert_int_equal(csum_fold(0), 0xffff);
	assert_int_equal(csum_fold(csum_add(0, bytes, sizeof(bytes))), 0xffff);
	memset(bytes, 0xff, sizeof(bytes));
	for (size_t n = 0; n <= sizeof(bytes); n += 4369)
		assert_int_equal(csum_fold(csum_add(0, bytes, n)), reference(bytes, n));
	/* A sum that is full to the brim, and a carry into it. */
	assert_int_equal(csum_sum16(UINT64_MAX), 0xffff);
	assert_int_equal(csum_fold(csum_add(UINT64_MAX, bytes, 2)), 0);
}

static void test_pieces_of_any_length(void **state)
{
	uint8_t bytes[LENGTH_MAX];

	(void)state;
	for (int round = 0; round < 5000; round++) {
		size_t n = rng_below(&rng, LENGTH_MAX) + 1, at = 0;
		uint64_t sum = 0;

		fill(bytes, n);
		while (at < n) {
			size_t piece = rng_below(&rng, (uint32_t)(n - at)) + 1;

			sum = csum_add_at(sum, at, bytes + at, piece);
			at += piece;
		}
		assert_int_equal(csum_fold(sum), reference(bytes, n));
	}
}

static void test_message_with_its_checksum_sums_to_zero(void **state)
{
	uint8_t bytes[64];
	uint16_t checksum;

	(void)state;
	for (int round = 0; round < 1000; round++) {
		fill(bytes, sizeof(bytes));
		bytes[10] = bytes[11] = 0;
		checksum = csum_fold(csum_add(0, bytes, sizeof(bytes)));
		bytes[10] = (uint8_t)(checksum >> 8);
		bytes[11] = (uint8_t)checksum;
		assert_int_equal(csum_fold(csum_add(0, bytes, sizeof(bytes))), 0);
	}
}

/* RFC 1071 section 3's example. */
static void test_rfc1071_example(void **state)
{
	const uint8_t bytes[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };

	(void)state;
	assert_int_equal(csum_sum16(csum_add(0, bytes, sizeof(bytes))), 0xddf2);
}

static void test_pseudo_header(void **state)
{
	const uint8_t pseudo[12] = { 10, 0, 0, 4, 10, 0, 0, 5, 0, 17, 0x12, 0x34 };

	(void)state;
	assert_int_equal(csum_fold(csum_pseudo4(0x0a000004, 0x0a000005, 17, 0x1234)),
			 reference(pseudo, 12));
}

/* RFC 1624 section 4: where eqn. 2 of RFC 1141 goes wrong. */
static void test_update_rfc1624(void **state)
{
	(void)state;
	assert_int_equal(csum_update16(0xdd2f, 0x5555, 0x3285), 0x0000);
}

static void test_update_random(void **state)
{
	uint8_t bytes[40];

	(void)state;
	for (int round = 0; round < 10000; round++) {
		uint16_t before, old, new = (uint16_t)rng_u64(&rng);
		size_t at = rng_below(&rng, sizeof(bytes) / 2) * 2;

		fill(bytes, sizeof(bytes));
		before = reference(bytes, sizeof(bytes));
		old = (uint16_t)(bytes[at] << 8 | bytes[at + 1]);
		bytes[at] = (uint8_t)(new >> 8);
		bytes[at + 1] = (uint8_t) new;
		assert_int_equal(csum_update16(before, old, new), reference(bytes, sizeof(bytes)));
	}
}

/* A packet of linear bytes and frags of random lengths, summed from any even offset. */
static void test_pkt_with_frags(void **state)
{
	struct pool pool;

	(void)state;
	pool_init(&pool, 1 << 20);
	for (int round = 0; round < 2000; round++) {
		size_t linear = rng_below(&rng, 150), total = linear, off;
		struct pkt *p = pkt_new(&pool, 0, 150);
		uint8_t all[150 + PIECES_MAX * 64];

		assert_non_null(p);
		fill(pkt_put(p, linear), linear);
		for (unsigned i = rng_below(&rng, PIECES_MAX); i; i--) {
			struct buf *b = buf_new(&pool, 64);
			uint32_t start = rng_below(&rng, 64), len = rng_below(&rng, 64 - start) + 1;

			assert_non_null(b);
			fill(b->bytes, 64);
			assert_true(pkt_add_frag(p, b, start, len));
			buf_unref(&pool, b);
			total += len;
		}
		assert_true(pkt_copy_out(p, 0, all, total));
		off = rng_below(&rng, (uint32_t)total + 1);
		assert_int_equal(csum_fold(csum_add_pkt(0, p, off)),
				 reference(all + off, total - off));
		pkt_free(&pool, p);
	}
	pool_fini(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_lengths_and_alignments),
		cmocka_unit_test(test_extremes),
		cmocka_unit_test(test_pieces_of_any_length),
		cmocka_unit_test(test_message_with_its_checksum_sums_to_zero),
		cmocka_unit_test(test_rfc1071_example),
		cmocka_unit_test(test_pseudo_header),
		cmocka_unit_test(test_update_rfc1624),
		cmocka_unit_test(test_update_random),
		cmocka_unit_test(test_pkt_with_frags),
	};

	return cmocka_run_group_tests_name("wire/checksum", tests, setup, NULL);
}
