/* SPDX-License-Identifier: MIT */
/*
 * The filter of "glass ss", as ss(8) has it: states and their groups first, then an expression of
 * src, dst, sport, dport with comparisons.
 *
 * In: cmd_ss.c.  Out: expr.c.
 */
#include "ctl.h"

#include <netdb.h>
#include <string.h>

#include "expr.h"
#include "ss.h"

enum { W_ADDR, W_PORT, W_CONN };
enum { SRC, DST };

static struct {
	struct expr expr;
	uint32_t states; /* bits of states[]; 0: the options decide */
} filter;

/* ---- states ---------------------------------------------------------------------------------- */

/* As ss names them to filter by, and as they are shown. */
static const struct {
	const char *name, *shown;
} states[] = {
	{ "established", "ESTAB" },	{ "syn-sent", "SYN-SENT" },
	{ "syn-recv", "SYN-RECV" },	{ "fin-wait-1", "FIN-WAIT-1" },
	{ "fin-wait-2", "FIN-WAIT-2" }, { "time-wait", "TIME-WAIT" },
	{ "closed", "UNCONN" },		{ "close-wait", "CLOSE-WAIT" },
	{ "last-ack", "LAST-ACK" },	{ "listening", "LISTEN" },
	{ "closing", "CLOSING" },
};

#define STATE_BIT(i) (1u << (i))
enum {
	ALL_STATES = (1 << COUNT(states)) - 1,
	SYN_SENT_BIT = 1 << 1,
	SYN_RECV_BIT = 1 << 2,
	TIME_WAIT_BIT = 1 << 5,
	CLOSED_BIT = 1 << 6,
	LISTEN_BIT = 1 << 9,
};

static const struct {
	const char *name;
	uint32_t bits;
} groups[] = {
	{ "all", ALL_STATES },
	{ "connected", ALL_STATES & ~(CLOSED_BIT | LISTEN_BIT) },
	{ "synchronized", ALL_STATES & ~(CLOSED_BIT | LISTEN_BIT | SYN_SENT_BIT) },
	{ "bucket", TIME_WAIT_BIT | SYN_RECV_BIT },
	{ "big", ALL_STATES & ~(TIME_WAIT_BIT | SYN_RECV_BIT) },
	{ "unconnected", CLOSED_BIT },
	{ "listen", LISTEN_BIT },
	{ "syn-rcv", SYN_RECV_BIT },
};

static uint32_t states_named(const char *name)
{
	for (unsigned i = 0; i < COUNT(groups); i++)
		if (!strcasecmp(name, groups[i].name))
			return groups[i].bits;
	for (unsigned i = 0; i < COUNT(states); i++)
		if (!strcasecmp(name, states[i].name) || !strcasecmp(name, states[i].shown))
			return STATE_BIT(i);
	return 0;
}

static const char *state_name(unsigned i)
{
	if (i < COUNT(states))
		return states[i].name;
	i -= (unsigned)COUNT(states);
	return i < COUNT(groups) ? groups[i].name : NULL;
}

/* "state X" adds, "exclude X" takes away; several may stand there. */
static bool parse_states(struct expr_parser *p)
{
	const char *word, *name, *meant;
	uint32_t bits;
	bool exclude;

	while ((word = expr_peek(p)) && (!strcmp(word, "state") || !strcmp(word, "exclude"))) {
		exclude = *word == 'e';
		expr_take(p);
		name = expr_take(p);
		if (!name)
			return expr_error(p, "'%s' needs a state", word);
		bits = states_named(name);
		meant = bits ? NULL : nearest(name, state_name);
		if (!bits)
			return expr_error(p, "'%s' is no state%s%s", name,
					  meant ? "; did you mean " : "", meant ? meant : "");
		if (exclude)
			filter.states = (filter.states ? filter.states : ALL_STATES) & ~bits;
		else
			filter.states |= bits;
		word = expr_peek(p);
		if (word && (!strcmp(word, "and") || !strcmp(word, "&&")))
			expr_take(p);
	}
	return true;
}

/* ---- expressions ----------------------------------------------------------------------------- */

/* 80, :80, http */
static bool port_number(const char *s, uint32_t *out)
{
	const struct servent *service;
	int64_t n;

	s += *s == ':';
	if (parse_number(s, &n)) {
		*out = (uint32_t)n;
		return n >= 0 && n <= 65535;
	}
	service = getservbyname(s, NULL);
	if (!service)
		return false;
	*out = (uint32_t)((service->s_port & 0xff) << 8 | (service->s_port >> 8 & 0xff));
	return true;
}

/* ADDR, ADDR/BITS, ADDR:PORT, :PORT, *:PORT; high is the port, low whether there is one. */
static bool parse_end(const char *s, struct expr_leaf *out)
{
	const char *colon = strrchr(s, ':');
	char addr[EXPR_WORD_BYTES];

	snprintf(addr, sizeof(addr), "%.*s", colon ? (int)(colon - s) : (int)strlen(s), s);
	if (colon && strcmp(colon, ":*") != 0) {
		out->low = 1;
		if (!port_number(colon, &out->high))
			return false;
	}
	return !*addr || !strcmp(addr, "*") || expr_net(addr, out);
}

static bool take_word(struct expr_parser *p, struct expr_leaf *out)
{
	static const struct {
		const char *name;
		uint8_t word, side;
	} words[] = { { "src", W_ADDR, SRC },
		      { "dst", W_ADDR, DST },
		      { "sport", W_PORT, SRC },
		      { "dport", W_PORT, DST },
		      { "conn", W_CONN, SRC } };
	const char *word = expr_take(p);

	for (unsigned i = 0; i < COUNT(words); i++) {
		if (strcmp(word, words[i].name) != 0)
			continue;
		out->word = words[i].word;
		out->side = words[i].side;
		return true;
	}
	return expr_error(p,
			  "'%s' is no word of a filter: src, dst, sport, dport, conn; states "
			  "come first",
			  word);
}

static bool primitive(struct expr_parser *p, struct expr_leaf *out)
{
	const char *value;
	int64_t n;

	if (!take_word(p, out))
		return false;
	out->op = OP_EQ;
	expr_take_op(p, &out->op);
	value = expr_take(p);
	if (!value)
		return expr_error(p, "the filter ends too early");
	if (out->word == W_PORT)
		return port_number(value, &out->low) || expr_error(p, "'%s' is no port", value);
	if (out->word == W_ADDR)
		return parse_end(value, out) || expr_error(p, "'%s' is no address", value);
	if (!parse_number(value, &n) || n < 0 || n > UINT32_MAX)
		return expr_error(p, "'%s' is no number of a connection", value);
	out->low = (uint32_t)n;
	return true;
}

static bool addr_holds(const struct expr_leaf *l, const struct glass_end *e)
{
	const uint8_t *b = e->addr.byte;
	uint32_t addr = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
	bool same = (addr & l->mask) == l->addr && (!l->low || e->port == l->high);

	/* ss compares ports with <, >= and so on here too. */
	if (l->low && l->op != OP_EQ && l->op != OP_NE)
		return (addr & l->mask) == l->addr && expr_compare(e->port, l->op, l->high);
	return l->op == OP_NE ? !same : same;
}

static bool holds(const struct expr_leaf *l, const void *of)
{
	const struct glass_conn_info *c = of;
	const struct glass_end *e = l->side == SRC ? &c->local : &c->remote;

	if (l->word == W_CONN)
		return expr_compare(c->conn, l->op, l->low);
	return l->word == W_PORT ? expr_compare(e->port, l->op, l->low) : addr_holds(l, e);
}

/* ---- */

int ss_filter_parse(const struct command *self, int argc, char **argv)
{
	static struct expr_parser p;

	p = (struct expr_parser){ .primitive = primitive };
	if (expr_words(&p, argc, argv) && parse_states(&p) && expr_parse(&p, &filter.expr))
		return 0;
	return usage(self, "filter: %s", p.error);
}

bool ss_filter_has_states(void)
{
	return filter.states;
}

bool ss_filter_holds(const struct glass_conn_info *c)
{
	if (filter.states && !(filter.states & states_named(c->state)))
		return false;
	return expr_true(&filter.expr, holds, c);
}
