/* SPDX-License-Identifier: MIT */
/*
 * Filters: primitives joined by and, or, not and parentheses (or &&, ||, !), as in pcap-filter(7)
 * and ss(8). What a primitive is, its user knows: filter.c (packets of the recorder), ss_filter.c
 * (sockets).
 */
#ifndef GLASS_CTL_EXPR_H
#define GLASS_CTL_EXPR_H

#include <stdbool.h>
#include <stdint.h>

#define EXPR_NODES_MAX 128
#define EXPR_WORD_BYTES 64
#define EXPR_WORDS_MAX 256

enum expr_op { OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE };

struct expr_leaf {
	uint8_t word; /* the user's */
	uint8_t side; /* the user's: source, destination */
	enum expr_op op;
	uint32_t addr, mask; /* host order */
	uint32_t low, high;
};

enum expr_kind { EXPR_LEAF, EXPR_AND, EXPR_OR, EXPR_NOT };

struct expr {
	struct {
		enum expr_kind kind;
		uint8_t left, right;
		struct expr_leaf leaf;
	} node[EXPR_NODES_MAX];
	unsigned nodes;
	uint8_t root; /* of nodes; without any everything passes */
};

struct expr_parser {
	char word[EXPR_WORDS_MAX][EXPR_WORD_BYTES];
	unsigned n, at;
	unsigned depth;
	char error[160]; /* what is wrong; "" nothing */
	struct expr *expr;
	/* Takes the words of one primitive from at on; false: expr_error() was told why. */
	bool (*primitive)(struct expr_parser *p, struct expr_leaf *out);
	void *user;
};

/* The words of a command line, cut at spaces, parentheses and comparisons. false: see error. */
bool expr_words(struct expr_parser *p, int argc, char **argv);
/* What is left of the words, as an expression; none is one too. false: see error. */
bool expr_parse(struct expr_parser *p, struct expr *out);
/* Answers false, for primitives. */
bool expr_error(struct expr_parser *p, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The next word, NULL at the end; taken, or looked at only. */
const char *expr_take(struct expr_parser *p);
const char *expr_peek(const struct expr_parser *p);
/* Is the next word a comparison? Then it is taken. */
bool expr_take_op(struct expr_parser *p, enum expr_op *op);
bool expr_compare(uint32_t have, enum expr_op op, uint32_t wanted);
/* "10.0.0.5" or "10.0.0.0/24" or a name, into addr and mask. */
bool expr_net(const char *s, struct expr_leaf *out);

typedef bool expr_holds(const struct expr_leaf *leaf, const void *subject);
bool expr_true(const struct expr *e, expr_holds *holds, const void *subject);

#endif
