/* SPDX-License-Identifier: MIT */
/*
 * Members ordered by sequence number, whose links lie in them: finds in logarithmic time what lies
 * at a number, wherever a peer points to. A treap: ordered by key like any search tree, by a random
 * priority like a heap, so that nobody who does not know the priorities can make it lopsided.
 *
 * Keys are less than 2^31 apart. Of equal ones the first stays first; seqtree_remove() wants that
 * they are distinct.
 */
#ifndef GLASS_BASE_SEQTREE_H
#define GLASS_BASE_SEQTREE_H

#include "seq.h"

struct seqnode {
	struct seqnode *left, *right;
	struct seq key; /* may be changed in place while the order stays the same */
	uint32_t priority;
};

struct seqtree {
	struct seqnode *root; /* NULL: empty */
};

void seqtree_insert(struct seqtree *t, struct seqnode *n, struct seq key, uint32_t priority);
/* n is in t. */
void seqtree_remove(struct seqtree *t, struct seqnode *n);
/* NULL: t is empty. */
struct seqnode *seqtree_first(const struct seqtree *t);
/* The first one, taken out; NULL: t is empty. */
struct seqnode *seqtree_take(struct seqtree *t);
/* The last member that is not beyond s; NULL: all are. */
struct seqnode *seqtree_floor(const struct seqtree *t, struct seq s);

#endif
