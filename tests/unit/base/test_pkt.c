/* SPDX-License-Identifier: MIT */
/* Packets and buffers: bounds, references, copies, and an account that always comes out even. */
#include "unit.h"

#include "../../../src/base/pkt.h"

static struct pool pool;

static int setup(void **state)
{
	(void)state;
	pool_init(&pool, 1 << 20);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pool_fini(&pool); /* asserts that nothing is left */
	return 0;
}

static void put_bytes(struct pkt *p, size_t n, uint8_t first)
{
	uint8_t *at = pkt_put(p, n);

	assert_non_null(at);
	for (size_t i = 0; i < n; i++)
		at[i] = (uint8_t)(first + i);
}

static void test_push_put_pull(void **state)
{
	struct pkt *p = pkt_new(&pool, 34, 100);

	(void)state;
	assert_non_null(p);
	assert_null(p->buf); /* 134 bytes fit into the packet itself */
	assert_int_equal(pkt_len(p), 0);
	put_bytes(p, 10, 1);
	memcpy(pkt_push(p, 2), "\xaa\xbb", 2);
	assert_int_equal(p->len, 12);
	assert_memory_equal(p->data, "\xaa\xbb\x01\x02", 4);
	assert_memory_equal(pkt_pull(p, 2), "\xaa\xbb", 2);
	assert_memory_equal(pkt_pull(p, 1), "\x01", 1);
	assert_null(pkt_pull(p, 10)); /* nine are left */
	assert_int_equal(p->len, 9);  /* and a refusal takes nothing */
	assert_non_null(pkt_pull(p, 9));
	assert_non_null(pkt_pull(p, 0));
	assert_null(pkt_pull(p, 1));
	pkt_free(&pool, p);
}

static void test_peek_and_trim(void **state)
{
	struct pkt *p = pkt_new(&pool, 0, 100);

	(void)state;
	put_bytes(p, 20, 0);
	assert_memory_equal(pkt_peek(p, 19, 1), "\x13", 1);
	assert_non_null(pkt_peek(p, 20, 0));
	assert_null(pkt_peek(p, 20, 1));
	assert_null(pkt_peek(p, 21, 0));
	assert_null(pkt_peek(p, 1, SIZE_MAX)); /* a sum would wrap */
	assert_null(pkt_peek(p, SIZE_MAX, 1));
	pkt_trim(p, 30);
	assert_int_equal(p->len, 20);
	pkt_trim(p, 5);
	assert_int_equal(p->len, 5);
	pkt_free(&pool, p);
}

static void test_no_room(void **state)
{
	struct pkt *p = pkt_new(&pool, 60, 200);
	size_t room = (size_t)(p->end - p->data);

	(void)state;
	assert_non_null(p->buf);
	assert_true(room >= 200);
	assert_non_null(pkt_put(p, room));
	assert_null(pkt_put(p, 1));
	assert_int_equal(p->len, room);
	pkt_free(&pool, p);
}

static void push_too_much(void *arg)
{
	pkt_push(arg, 17);
}

static void test_push_without_headroom_is_a_bug(void **state)
{
	struct pkt *p = pkt_new(&pool, 16, 16);

	(void)state;
	assert_true(dies(push_too_much, p));
	pkt_push(p, 16);
	pkt_free(&pool, p);
}

static void test_frags_hold_references(void **state)
{
	struct buf *b = buf_new(&pool, 4096);
	struct pkt *p = pkt_new(&pool, 60, 0), *q = pkt_new(&pool, 60, 0);

	(void)state;
	assert_true(pkt_add_frag(p, b, 0, 100));
	assert_true(pkt_add_frag(p, b, 100, 50)); /* goes on where the last one ends */
	assert_int_equal(p->nfrags, 1);
	assert_true(pkt_add_frag(p, b, 4096, 0) && pkt_add_frag(q, b, 10, 10));
	assert_int_equal(pkt_len(p), 150);
	buf_unref(&pool, b);
	assert_int_equal(pool.bufs, 1); /* the packets still hold it */
	pkt_free(&pool, p);
	assert_int_equal(pool.bufs, 1);
	pkt_free(&pool, q);
	assert_int_equal(pool.bufs, 0);
}

static void test_too_many_frags(void **state)
{
	struct buf *b = buf_new(&pool, 4096);
	struct pkt *p = pkt_new(&pool, 60, 0);

	(void)state;
	for (uint32_t i = 0; i < PKT_FRAGS_MAX; i++)
		assert_true(pkt_add_frag(p, b, i * 10, 5));
	assert_false(pkt_add_frag(p, b, 2000, 5));
	assert_int_equal(pkt_len(p), PKT_FRAGS_MAX * 5);
	assert_int_equal(b->refs, 1 + PKT_FRAGS_MAX);
	buf_unref(&pool, b);
	pkt_free(&pool, p);
}

/* Every offset and length over linear bytes and two frags. */
static void test_copy_out(void **state)
{
	struct buf *b = buf_new(&pool, 64);
	struct pkt *p = pkt_new(&pool, 8, 8);
	uint8_t out[32], want[24];

	(void)state;
	for (unsigned i = 0; i < 24; i++)
		want[i] = (uint8_t)i;
	put_bytes(p, 8, 0);
	memcpy(b->bytes + 5, want + 8, 7);
	memcpy(b->bytes + 40, want + 15, 9);
	assert_true(pkt_add_frag(p, b, 5, 7) && pkt_add_frag(p, b, 40, 9));
	buf_unref(&pool, b);
	for (size_t off = 0; off <= 25; off++)
		for (size_t n = 0; n <= 26; n++) {
			memset(out, 0xee, sizeof(out));
			assert_int_equal(pkt_copy_out(p, off, out, n), off <= 24 && off + n <= 24);
			if (off <= 24 && off + n <= 24)
				assert_memory_equal(out, want + off, n);
			assert_int_equal(out[n], 0xee);
		}
	assert_false(pkt_copy_out(p, 2, out, SIZE_MAX));
	pkt_free(&pool, p);
}

/* Into a buffer with room behind: from a big one, and from the packet itself. */
static void test_move(void **state)
{
	struct pkt *big = pkt_new(&pool, 0, 60000), *little = pkt_new(&pool, 0, 100);

	(void)state;
	put_bytes(big, 1500, 7);
	pkt_pull(big, 500);
	assert_true(pkt_move(&pool, big, 1200));
	assert_int_equal(big->buf->cap, 1200);
	assert_int_equal(big->len, 1000);
	assert_int_equal(big->data[0], (uint8_t)(7 + 500));
	assert_non_null(pkt_put(big, 200));
	assert_null(pkt_put(big, 1));
	put_bytes(little, 100, 3);
	pool.fail_countdown = 1;
	assert_false(pkt_move(&pool, little, 300)); /* stays as it is */
	assert_null(little->buf);
	assert_true(pkt_move(&pool, little, 300));
	assert_int_equal(little->data[99], 3 + 99);
	assert_non_null(pkt_put(little, 200));
	pkt_free(&pool, big);
	pkt_free(&pool, little);
}

static void test_compact(void **state)
{
	struct pkt *big = pkt_new(&pool, 0, 60000), *medium = pkt_new(&pool, 0, 60000);
	struct pkt *full = pkt_new(&pool, 0, 1000);

	(void)state;
	put_bytes(big, 140, 3);
	pkt_pull(big, 40);
	pkt_compact(&pool, big);
	assert_null(big->buf);
	assert_int_equal(big->len, 100);
	assert_int_equal(big->data[99], 3 + 139);
	put_bytes(medium, 1500, 0);
	pkt_compact(&pool, medium);
	assert_int_equal(medium->buf->cap, 1500);
	assert_int_equal(medium->data[255], 255);
	assert_int_equal(pkt_truesize(medium), sizeof(*medium) + 1500);
	put_bytes(full, 900, 0);
	pkt_compact(&pool, full); /* nothing to win */
	assert_true(full->buf->cap >= 1000);
	pkt_free(&pool, big);
	pkt_free(&pool, medium);
	pkt_free(&pool, full);
}

static void test_compact_without_memory(void **state)
{
	struct pkt *p = pkt_new(&pool, 0, 60000);

	(void)state;
	put_bytes(p, 1500, 0);
	pool.fail_countdown = 1;
	pkt_compact(&pool, p);
	assert_int_equal(p->buf->cap, BUF_BIG_BYTES);
	assert_int_equal(p->len, 1500);
	pkt_free(&pool, p);
}

static void test_limit(void **state)
{
	void *a;

	(void)state;
	pool.bytes_max = 5000;
	a = pool_alloc(&pool, 4000);
	assert_non_null(a);
	assert_null(pool_alloc(&pool, 2000));
	assert_null(buf_new(&pool, 2000));
	assert_null(pkt_new(&pool, 0, 2000));
	assert_null(pool_alloc(&pool, SIZE_MAX));
	assert_int_equal(pool.bytes, 4000);
	pool_free(&pool, a, 4000);
	pool_free(&pool, NULL, 77);
	assert_int_equal(pool.bytes, 0);
}

static void test_every_allocation_may_fail(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= 2; n++) {
		pool.fail_countdown = n;
		assert_null(pkt_new(&pool, 60, 1500));
		assert_int_equal(pool.bytes, 0);
		assert_int_equal(pool.pkts + pool.bufs, 0);
	}
	pool.fail_countdown = 0;
}

static void test_spares_are_bounded_and_reused(void **state)
{
	struct pkt *p[2 * POOL_SPARE_MAX];

	(void)state;
	pool.bytes_max = 64 << 20;
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < ARRAY_LEN(p); i++) {
			p[i] = pkt_new(&pool, 0, 65536);
			assert_non_null(p[i]);
			assert_int_equal(p[i]->buf->cap, BUF_BIG_BYTES);
			assert_int_equal(p[i]->id, 0);
			p[i]->id = 7;
		}
		for (unsigned i = 0; i < ARRAY_LEN(p); i++)
			pkt_free(&pool, p[i]);
		assert_int_equal(pool.spare_buf_count, POOL_SPARE_MAX);
		assert_int_equal(pool.spare_pkt_count, POOL_SPARE_MAX);
		assert_int_equal(pool.bytes, 0);
	}
}

static void leak_a_packet(void *arg)
{
	(void)arg;
	(void)pkt_new(&pool, 0, 10);
	pool_fini(&pool);
}

static void free_a_queued_packet(void *arg)
{
	struct pkt *p = pkt_new(&pool, 0, 10);
	struct list queue;

	(void)arg;
	list_init(&queue);
	list_append(&queue, &p->node);
	pkt_free(&pool, p);
}

static void test_leaks_and_double_owners_are_bugs(void **state)
{
	(void)state;
	assert_true(dies(leak_a_packet, NULL));
	assert_true(dies(free_a_queued_packet, NULL));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_push_put_pull),
		T(test_peek_and_trim),
		T(test_no_room),
		T(test_push_without_headroom_is_a_bug),
		T(test_frags_hold_references),
		T(test_too_many_frags),
		T(test_copy_out),
		T(test_move),
		T(test_compact),
		T(test_compact_without_memory),
		T(test_limit),
		T(test_every_allocation_may_fail),
		T(test_spares_are_bounded_and_reused),
		T(test_leaks_and_double_owners_are_bugs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
