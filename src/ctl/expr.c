/* SPDX-License-Identifier: MIT */
/*
 * Filters: see expr.h. or binds weakest, then and, then not; words side by side are joined by and.
 *
 * In: filter.c, ss_filter.c.  Out: the primitives are theirs.
 */
#include "ctl.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "expr.h"

#define DEPTH_MAX 32

bool expr_error(struct expr_parser *p, const char *format, ...)
{
	va_list args;

	if (*p->error)
		return false; /* the first one is the cause */
	va_start(args, format);
	vsnprintf(p->error, sizeof(p->error), format, args);
	va_end(args);
	return false;
}

/* ---- words ----------------------------------------------------------------------------------- */

/* How long the word is that begins here. */
static size_t word_length(const char *s)
{
	static const char *const signs[] = { "(",  ")",	 "&&", "||", "==", "!=",
					     "<=", ">=", "!",  "=",  "<",  ">" };

	for (unsigned i = 0; i < COUNT(signs); i++)
		if (!strncmp(s, signs[i], strlen(signs[i])))
			return strlen(signs[i]);
	return strcspn(s, " \t\n()&|=!<>");
}

static bool add_word(struct expr_parser *p, const char *s, size_t n)
{
	if (!n || n >= EXPR_WORD_BYTES)
		return expr_error(p, "'%.20s' is no word of a filter", s);
	if (p->n == EXPR_WORDS_MAX)
		return expr_error(p, "more than %d words", EXPR_WORDS_MAX);
	memcpy(p->word[p->n], s, n);
	p->word[p->n++][n] = '\0';
	return true;
}

bool expr_words(struct expr_parser *p, int argc, char **argv)
{
	const char *s;
	size_t n;

	for (int i = 0; i < argc; i++) {
		for (s = argv[i]; *s; s += n) {
			n = strspn(s, " \t\n");
			if (n)
				continue;
			n = word_length(s);
			if (!add_word(p, s, n))
				return false;
		}
	}
	return true;
}

const char *expr_peek(const struct expr_parser *p)
{
	return p->at < p->n ? p->word[p->at] : NULL;
}

const char *expr_take(struct expr_parser *p)
{
	return p->at < p->n ? p->word[p->at++] : NULL;
}

static bool take_if(struct expr_parser *p, const char *word, const char *sign)
{
	const char *next = expr_peek(p);

	if (!next || (strcmp(next, word) != 0 && strcmp(next, sign) != 0))
		return false;
	p->at++;
	return true;
}

bool expr_take_op(struct expr_parser *p, enum expr_op *op)
{
	static const char *const names[][3] = {
		[OP_EQ] = { "=", "==", "eq" }, [OP_NE] = { "!=", "ne", "neq" },
		[OP_LT] = { "<", "lt", "lt" }, [OP_LE] = { "<=", "le", "leq" },
		[OP_GT] = { ">", "gt", "gt" }, [OP_GE] = { ">=", "ge", "geq" },
	};
	const char *next = expr_peek(p);

	for (unsigned i = 0; next && i < COUNT(names); i++) {
		for (unsigned k = 0; k < 3; k++) {
			if (strcmp(next, names[i][k]) != 0)
				continue;
			*op = (enum expr_op)i;
			p->at++;
			return true;
		}
	}
	return false;
}

bool expr_compare(uint32_t have, enum expr_op op, uint32_t wanted)
{
	switch (op) {
	case OP_EQ:
		return have == wanted;
	case OP_NE:
		return have != wanted;
	case OP_LT:
		return have < wanted;
	case OP_LE:
		return have <= wanted;
	case OP_GT:
		return have > wanted;
	case OP_GE:
		return have >= wanted;
	}
	return false;
}

bool expr_net(const char *s, struct expr_leaf *out)
{
	const char *slash = strchr(s, '/');
	char host[EXPR_WORD_BYTES];
	struct glass_addr a;
	int64_t bits = 32;

	snprintf(host, sizeof(host), "%.*s", slash ? (int)(slash - s) : (int)strlen(s), s);
	if (slash && (!parse_number(slash + 1, &bits) || bits < 0 || bits > 32))
		return false;
	if (!addr_parse(host, &a) || a.family != GLASS_IP4)
		return false;
	out->mask = bits ? UINT32_MAX << (32 - bits) : 0;
	out->addr = ((uint32_t)a.byte[0] << 24 | (uint32_t)a.byte[1] << 16 |
		     (uint32_t)a.byte[2] << 8 | a.byte[3]) &
		    out->mask;
	return true;
}

/* ---- the tree -------------------------------------------------------------------------------- */

static bool parse_or(struct expr_parser *p, uint8_t *out);

static bool add_node(struct expr_parser *p, enum expr_kind kind, uint8_t left, uint8_t right,
		     uint8_t *out)
{
	struct expr *e = p->expr;

	if (e->nodes == EXPR_NODES_MAX)
		return expr_error(p, "the filter is too long");
	e->node[e->nodes].kind = kind;
	e->node[e->nodes].left = left;
	e->node[e->nodes].right = right;
	*out = (uint8_t)e->nodes++;
	return true;
}

static bool parse_primitive(struct expr_parser *p, uint8_t *out)
{
	struct expr_leaf leaf = { 0 };

	if (!expr_peek(p))
		return expr_error(p, "the filter ends too early");
	if (!p->primitive(p, &leaf) || !add_node(p, EXPR_LEAF, 0, 0, out))
		return false;
	p->expr->node[*out].leaf = leaf;
	return true;
}

static bool parse_not(struct expr_parser *p, uint8_t *out)
{
	uint8_t of;
	bool ok;

	if (p->depth >= DEPTH_MAX)
		return expr_error(p, "parentheses and nots are nested too deep");
	p->depth++;
	if (take_if(p, "not", "!")) {
		ok = parse_not(p, &of) && add_node(p, EXPR_NOT, of, 0, out);
	} else if (take_if(p, "(", "(")) {
		ok = parse_or(p, out);
		if (ok && !take_if(p, ")", ")"))
			ok = expr_error(p, "a parenthesis is not closed");
	} else {
		ok = parse_primitive(p, out);
	}
	p->depth--;
	return ok;
}

static bool parse_and(struct expr_parser *p, uint8_t *out)
{
	uint8_t right;
	const char *next;

	if (!parse_not(p, out))
		return false;
	while ((next = expr_peek(p)) && strcmp(next, ")") != 0 && strcmp(next, "or") != 0 &&
	       strcmp(next, "||") != 0) {
		take_if(p, "and", "&&");
		if (!parse_not(p, &right) || !add_node(p, EXPR_AND, *out, right, out))
			return false;
	}
	return true;
}

static bool parse_or(struct expr_parser *p, uint8_t *out)
{
	uint8_t right;

	if (!parse_and(p, out))
		return false;
	while (take_if(p, "or", "||"))
		if (!parse_and(p, &right) || !add_node(p, EXPR_OR, *out, right, out))
			return false;
	return true;
}

bool expr_parse(struct expr_parser *p, struct expr *out)
{
	p->expr = out;
	out->nodes = 0;
	if (!expr_peek(p))
		return true;
	if (!parse_or(p, &out->root))
		return false;
	if (expr_peek(p))
		return expr_error(p, "'%s' closes no parenthesis", expr_peek(p));
	return true;
}

/* ---- what it says ---------------------------------------------------------------------------- */

static bool node_true(const struct expr *e, uint8_t i, expr_holds *holds, const void *subject)
{
	switch (e->node[i].kind) {
	case EXPR_AND:
		return node_true(e, e->node[i].left, holds, subject) &&
		       node_true(e, e->node[i].right, holds, subject);
	case EXPR_OR:
		return node_true(e, e->node[i].left, holds, subject) ||
		       node_true(e, e->node[i].right, holds, subject);
	case EXPR_NOT:
		return !node_true(e, e->node[i].left, holds, subject);
	case EXPR_LEAF:
		break;
	}
	return holds(&e->node[i].leaf, subject);
}

bool expr_true(const struct expr *e, expr_holds *holds, const void *subject)
{
	return !e->nodes || node_true(e, e->root, holds, subject);
}
