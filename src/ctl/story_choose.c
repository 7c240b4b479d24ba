/* SPDX-License-Identifier: MIT */
/*
 * Which connection of a story is meant: its number, an end of it, or the last.
 *
 * In: cmd_trace.c, cmd_why.c, cmd_report.c.  Out: story.c.
 */
#include <arpa/inet.h>
#include <string.h>

#include "story.h"

static bool matches_end(uint64_t end4, const struct glass_end *wanted)
{
	uint32_t a = (uint32_t)(end4 >> 16);
	const uint8_t bytes[4] = { (uint8_t)(a >> 24), (uint8_t)(a >> 16), (uint8_t)(a >> 8),
				   (uint8_t)a };

	return !memcmp(bytes, wanted->addr.byte, 4) &&
	       (!wanted->port || wanted->port == (uint16_t)end4);
}

/* The last connection, or the last with that end; NULL: none. */
static const struct conn_story *find_last(const struct story *s, const struct glass_end *wanted)
{
	const struct conn_story *last = NULL, *c;

	for (uint32_t i = 0; i < s->nconn; i++) {
		c = &s->conn[i];
		if (!c->id ||
		    (wanted && !matches_end(c->remote, wanted) && !matches_end(c->local, wanted)))
			continue;
		if (!last || c->begin_ns >= last->begin_ns)
			last = c;
	}
	return last;
}

static bool parse_host(const char *s, struct glass_end *out)
{
	const char *colon = strrchr(s, ':');
	char host[256];
	int64_t port = 0;

	*out = (struct glass_end){ 0 };
	if (colon && (!parse_number(colon + 1, &port) || port < 1 || port > 65535))
		return false;
	snprintf(host, sizeof(host), "%.*s", colon ? (int)(colon - s) : (int)strlen(s), s);
	out->port = (uint16_t)port;
	return addr_parse(host, &out->addr);
}

bool story_names_conn(const char *word)
{
	struct in_addr addr;

	return !strcmp(word, "last") || strchr(word, ':') || inet_pton(AF_INET, word, &addr) == 1;
}

int story_choose(struct story *s, const char *which, const struct conn_story **found)
{
	struct glass_end end;
	int64_t number;

	if (!which || !strcmp(which, "last"))
		*found = find_last(s, NULL);
	else if (parse_number(which, &number))
		*found = number > 0 && number < UINT32_MAX ? story_conn(s, (uint32_t)number) : NULL;
	else if (parse_host(which, &end))
		*found = find_last(s, &end);
	else
		return failed("'%s' is neither a number of a connection, nor HOST:PORT, nor last",
			      which);
	if (*found)
		return 0;
	return failed(which ? "no connection %s in the recorder\ntype: glass trace"
			    : "no connection in the recorder yet%s",
		      which ? which : "");
}
