/* SPDX-License-Identifier: MIT */
/*
 * The treap of seqtree.h. No recursion and no parent links: every walk goes down from the root and
 * hangs subtrees into places as it passes.
 *
 * In: tcp_sent.c.  Out: nothing.
 */
#include "seqtree.h"

#include <assert.h>
#include <stddef.h>

/* Divides the tree t: what lies beyond key hangs in *right, the rest in *left. */
static void split(struct seqnode *t, struct seq key, struct seqnode **left, struct seqnode **right)
{
	while (t) {
		if (seq_leq(t->key, key)) {
			*left = t;
			left = &t->right;
			t = t->right;
		} else {
			*right = t;
			right = &t->left;
			t = t->left;
		}
	}
	*left = *right = NULL;
}

/* Joins two trees, all of left before all of right, into *place. */
static void join(struct seqnode *left, struct seqnode *right, struct seqnode **place)
{
	while (left && right) {
		if (left->priority > right->priority) {
			*place = left;
			place = &left->right;
			left = left->right;
		} else {
			*place = right;
			place = &right->left;
			right = right->left;
		}
	}
	*place = left ? left : right;
}

void seqtree_insert(struct seqtree *t, struct seqnode *n, struct seq key, uint32_t priority)
{
	struct seqnode **place = &t->root;

	n->key = key;
	n->priority = priority;
	while (*place && (*place)->priority >= priority)
		place = seq_leq((*place)->key, key) ? &(*place)->right : &(*place)->left;
	split(*place, key, &n->left, &n->right);
	*place = n;
}

void seqtree_remove(struct seqtree *t, struct seqnode *n)
{
	struct seqnode **place = &t->root;

	while (*place != n) {
		assert(*place);
		place = seq_lt((*place)->key, n->key) ? &(*place)->right : &(*place)->left;
	}
	join(n->left, n->right, place);
}

struct seqnode *seqtree_first(const struct seqtree *t)
{
	struct seqnode *n = t->root;

	while (n && n->left)
		n = n->left;
	return n;
}

struct seqnode *seqtree_take(struct seqtree *t)
{
	struct seqnode **place = &t->root, *n;

	if (!t->root)
		return NULL;
	while ((*place)->left)
		place = &(*place)->left;
	n = *place;
	*place = n->right;
	return n;
}

struct seqnode *seqtree_floor(const struct seqtree *t, struct seq s)
{
	struct seqnode *n = t->root, *best = NULL;

	while (n) {
		if (seq_gt(n->key, s)) {
			n = n->left;
		} else {
			best = n;
			n = n->right;
		}
	}
	return best;
}
