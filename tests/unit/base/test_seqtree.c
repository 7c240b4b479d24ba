/* SPDX-License-Identifier: MIT */
/* The tree by sequence number: as a sorted list would answer, and never deep. */
#include "unit.h"

#include "../../../src/base/rng.h"
#include "../../../src/base/seqtree.h"

#define MEMBERS 30000
#define DEPTH_MAX 60	  /* of 30,000 by random priorities: about 35 */
#define START 0xfffff000u /* the numbers wrap */

static struct seqnode node[MEMBERS];
static bool present[MEMBERS];

static struct seq key_of(unsigned i)
{
	return seq_of(START + 10 * i);
}

static unsigned depth(const struct seqnode *n)
{
	unsigned left, right;

	if (!n)
		return 0;
	left = depth(n->left);
	right = depth(n->right);
	return 1 + (left > right ? left : right);
}

static void fill(struct seqtree *t, struct rng *r)
{
	rng_init(r, (const uint64_t[2]){ 1, 2 });
	t->root = NULL;
	for (unsigned i = 0; i < MEMBERS; i++) {
		seqtree_insert(t, &node[i], key_of(i), (uint32_t)rng_u64(r));
		present[i] = true;
	}
}

static void test_floor(void **state)
{
	struct seqtree t;
	struct rng r;

	(void)state;
	fill(&t, &r);
	assert_ptr_equal(seqtree_first(&t), &node[0]);
	assert_null(seqtree_floor(&t, seq_of(START - 1)));
	for (unsigned i = 0; i < MEMBERS; i += 7) {
		assert_ptr_equal(seqtree_floor(&t, key_of(i)), &node[i]);
		assert_ptr_equal(seqtree_floor(&t, seq_add(key_of(i), 9)), &node[i]);
	}
}

static void test_never_deep(void **state)
{
	struct seqtree t;
	struct rng r;

	(void)state;
	fill(&t, &r);
	assert_true(depth(t.root) <= DEPTH_MAX);
	for (unsigned i = 0; i < MEMBERS - 100; i++)
		seqtree_remove(&t, &node[i]);
	assert_true(depth(t.root) <= 30);
}

/* Removed and put back at random: always what a plain search finds. */
static void test_as_a_list(void **state)
{
	struct seqtree t;
	struct rng r;

	(void)state;
	fill(&t, &r);
	for (unsigned round = 0; round < 20000; round++) {
		unsigned i = rng_below(&r, MEMBERS), j = rng_below(&r, MEMBERS);

		if (present[i])
			seqtree_remove(&t, &node[i]);
		else
			seqtree_insert(&t, &node[i], key_of(i), (uint32_t)rng_u64(&r));
		present[i] = !present[i];
		while (j && !present[j])
			j--;
		if (present[j])
			assert_ptr_equal(seqtree_floor(&t, key_of(j)), &node[j]);
	}
}

static void test_take_in_order(void **state)
{
	struct seqtree t = { NULL };
	struct seqnode n[4];

	(void)state;
	assert_null(seqtree_take(&t));
	seqtree_insert(&t, &n[0], seq_of(5), 1);
	seqtree_insert(&t, &n[1], seq_of(5), 9); /* equal keys: the first stays first */
	seqtree_insert(&t, &n[2], seq_of(3), 4);
	seqtree_insert(&t, &n[3], seq_of(5), 3);
	assert_ptr_equal(seqtree_take(&t), &n[2]);
	assert_ptr_equal(seqtree_take(&t), &n[0]);
	assert_ptr_equal(seqtree_take(&t), &n[1]);
	assert_ptr_equal(seqtree_take(&t), &n[3]);
	assert_null(t.root);
}

static void remove_stranger(void *arg)
{
	struct seqtree t = { NULL };

	(void)arg;
	seqtree_remove(&t, &node[0]);
}

static void test_stranger(void **state)
{
	(void)state;
	assert_true(dies(remove_stranger, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_floor),	  cmocka_unit_test(test_never_deep),
		cmocka_unit_test(test_as_a_list), cmocka_unit_test(test_take_in_order),
		cmocka_unit_test(test_stranger),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
