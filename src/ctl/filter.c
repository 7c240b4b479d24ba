/* SPDX-License-Identifier: MIT */
/*
 * The filter of "glass trace": which packets, in the words of pcap-filter(7) and of "glass net". It
 * looks at what the stack has read of a packet, not at its bytes.
 *
 * In: cmd_trace.c.  Out: expr.c.
 */
#include "filter.h"

#include <string.h>

enum { W_KIND, W_HOST, W_PORT, W_SHORTER, W_LONGER, W_CONN };
enum { EITHER, SRC, DST };

/* Words that are a primitive by themselves, and what a packet must be. */
static const struct {
	const char *word;
	uint32_t is;
} kinds[] = {
	{ "ip", PACKET_IP },	    { "arp", PACKET_ARP },   { "tcp", PACKET_TCP },
	{ "udp", PACKET_UDP },	    { "icmp", PACKET_ICMP }, { "syn", PACKET_SYN },
	{ "fin", PACKET_FIN },	    { "rst", PACKET_RST },   { "data", PACKET_DATA },
	{ "ack", PACKET_ACK },	    { "drop", PACKET_DROP }, { "rtx", PACKET_RTX },
	{ "in", PACKET_IN },	    { "out", PACKET_OUT },   { "inbound", PACKET_IN },
	{ "outbound", PACKET_OUT },
};

/* ---- reading it ------------------------------------------------------------------------------ */

static bool take_ports(struct expr_parser *p, struct expr_leaf *out, const char *s, bool range)
{
	char low[EXPR_WORD_BYTES];
	const char *dash = range ? strchr(s, '-') : NULL;
	int64_t a, b;

	snprintf(low, sizeof(low), "%.*s", dash ? (int)(dash - s) : (int)strlen(s), s);
	if ((range && !dash) || !parse_number(low, &a) || !parse_number(dash ? dash + 1 : s, &b) ||
	    a < 0 || b > 65535 || a > b)
		return expr_error(
			p, range ? "'%s' is no range of ports, as 1000-2000" : "'%s' is no port",
			s);
	out->low = (uint32_t)a;
	out->high = (uint32_t)b;
	return true;
}

static bool take_number(struct expr_parser *p, struct expr_leaf *out, const char *s)
{
	int64_t n;

	if (!parse_number(s, &n) || n < 0 || n > UINT32_MAX)
		return expr_error(p, "'%s' is no number", s);
	out->low = (uint32_t)n;
	return true;
}

/* The keyword that was used last: "port 80 or 443" means it twice. */
struct keyword {
	const char *key;
	uint8_t word, side;
};

static bool take_value(struct expr_parser *p, struct expr_leaf *out, const char *key)
{
	const char *value = expr_take(p);

	if (!value)
		return expr_error(p, "'%s' needs a value", key);
	if (out->word == W_PORT)
		return take_ports(p, out, value, !strcmp(key, "portrange"));
	if (out->word != W_HOST)
		return take_number(p, out, value);
	if (!expr_net(value, out))
		return expr_error(p, "'%s' is no address", value);
	return true;
}

/* src and dst may stand before a keyword, or mean a host alone. */
static uint8_t take_side(struct expr_parser *p)
{
	const char *next = expr_peek(p);

	if (!next || (strcmp(next, "src") != 0 && strcmp(next, "dst") != 0))
		return EITHER;
	p->at++;
	return *next == 's' ? SRC : DST;
}

static bool take_kind(struct expr_parser *p, struct expr_leaf *out)
{
	const char *next = expr_peek(p);

	for (unsigned i = 0; next && i < COUNT(kinds); i++) {
		if (strcmp(next, kinds[i].word) != 0)
			continue;
		out->word = W_KIND;
		out->low = kinds[i].is;
		p->at++;
		return true;
	}
	return false;
}

static bool primitive(struct expr_parser *p, struct expr_leaf *out)
{
	static const struct {
		const char *key;
		uint8_t word;
	} keys[] = {
		{ "host", W_HOST },	 { "net", W_HOST },	{ "port", W_PORT },
		{ "portrange", W_PORT }, { "less", W_SHORTER }, { "greater", W_LONGER },
		{ "conn", W_CONN },
	};
	struct keyword *last = p->user;
	const char *next;

	if (take_kind(p, out))
		return true;
	out->side = take_side(p);
	next = expr_peek(p);
	for (unsigned i = 0; next && i < COUNT(keys); i++) {
		if (strcmp(next, keys[i].key) != 0)
			continue;
		*last = (struct keyword){ keys[i].key, keys[i].word, out->side };
		p->at++;
		out->word = last->word;
		return take_value(p, out, last->key);
	}
	if (out->side != EITHER)
		*last = (struct keyword){ out->side == SRC ? "src" : "dst", W_HOST, out->side };
	else if (!last->key || !strchr("0123456789", *next))
		return expr_error(p, "'%s' is no word of a filter", next);
	out->word = last->word;
	out->side = last->side;
	return take_value(p, out, last->key);
}

int filter_parse(const struct command *self, struct expr *out, int argc, char **argv)
{
	static struct expr_parser p;
	struct keyword last = { 0 };

	p = (struct expr_parser){ .primitive = primitive, .user = &last };
	if (expr_words(&p, argc, argv) && expr_parse(&p, out))
		return 0;
	return usage(self, "filter: %s", p.error);
}

/* ---- what it says of a packet ---------------------------------------------------------------- */

static bool side_holds(uint8_t side, bool src, bool dst)
{
	return side == SRC ? src : side == DST ? dst : src || dst;
}

static bool in_net(uint32_t addr, const struct expr_leaf *l)
{
	return addr && (addr & l->mask) == l->addr;
}

static bool in_range(uint16_t port, const struct expr_leaf *l)
{
	return port >= l->low && port <= l->high;
}

struct subject {
	struct packet packet;
	uint32_t conn;
};

static bool holds(const struct expr_leaf *l, const void *of)
{
	const struct subject *s = of;
	const struct packet *p = &s->packet;

	switch (l->word) {
	case W_KIND:
		return p->is & l->low;
	case W_HOST:
		return side_holds(l->side, in_net(p->src, l), in_net(p->dst, l));
	case W_PORT:
		return p->is & PACKET_PORTS &&
		       side_holds(l->side, in_range(p->sport, l), in_range(p->dport, l));
	case W_SHORTER:
		return p->bytes && p->bytes <= l->low;
	case W_LONGER:
		return p->bytes >= l->low;
	default:
		return s->conn == l->low;
	}
}

/* The ends of its connection, for what does not tell its own. */
static void add_connection(struct packet *p, const struct conn_story *c, bool received)
{
	uint64_t src = received ? c->remote : c->local, dst = received ? c->local : c->remote;

	if (p->is & PACKET_PORTS || !c->opened)
		return;
	p->src = (uint32_t)(src >> 16);
	p->dst = (uint32_t)(dst >> 16);
	p->sport = (uint16_t)src;
	p->dport = (uint16_t)dst;
	p->is |= PACKET_PORTS;
}

bool filter_step(const struct expr *e, const struct story *s, const struct step *t)
{
	struct subject subject = { .conn = t->conn };
	const struct act *a = story_act(s, t->act);
	const struct conn_story *c;
	uint32_t i;

	if (!e->nodes)
		return true;
	if (a)
		subject.packet = a->packet;
	i = t->conn ? map_get(&s->conn_of, t->conn + 1) : 0;
	c = i ? &s->conn[i - 1] : NULL;
	/* What is no packet is taken for one that goes out. */
	if (!subject.packet.is && c)
		subject.packet.is = PACKET_TCP | PACKET_IP | PACKET_OUT;
	if (c && subject.packet.is & PACKET_TCP)
		add_connection(&subject.packet, c, a && a->received);
	return expr_true(e, holds, &subject);
}
