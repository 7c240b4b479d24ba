/* SPDX-License-Identifier: MIT */
/* Reads a script: see script.h. */
#include "script.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static const struct {
	const char *name;
	int64_t value;
} symbols[] = {
#define S(name)             \
	{                   \
#name, name \
	}
	S(SOCK_STREAM),	  S(SOCK_NONBLOCK), S(IPPROTO_TCP), S(SOL_SOCKET),	 S(SOL_TCP),
	S(SO_REUSEADDR),  S(SO_SNDBUF),	    S(SO_RCVBUF),   S(SO_ERROR),	 S(SO_KEEPALIVE),
	S(TCP_NODELAY),	  S(TCP_CORK),	    S(TCP_MAXSEG),  S(TCP_USER_TIMEOUT), S(TCP_KEEPIDLE),
	S(TCP_KEEPINTVL), S(TCP_KEEPCNT),   S(TCP_SYNCNT),  S(TCP_QUICKACK),	 S(F_SETFL),
	S(F_GETFL),	  S(O_RDWR),	    S(O_NONBLOCK),  S(SHUT_RD),		 S(SHUT_WR),
	S(SHUT_RDWR),	  S(MSG_MORE),	    S(MSG_PEEK),    S(MSG_DONTWAIT),	 S(MSG_WAITALL),
	S(POLLIN),	  S(POLLOUT),	    S(POLLERR),	    S(POLLHUP),		 S(POLLRDHUP),
	S(SIOCINQ),	  S(SIOCOUTQ),	    S(EAGAIN),	    S(EINPROGRESS),	 S(EALREADY),
	S(EISCONN),	  S(ECONNREFUSED),  S(ECONNRESET),  S(ETIMEDOUT),	 S(EPIPE),
	S(ENOTCONN),	  S(EINVAL),	    S(EBADF),	    S(EADDRINUSE),	 S(EFAULT),
	S(EHOSTUNREACH),
#undef S
};

static bool symbol(const char *word, size_t n, int64_t *out)
{
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++)
		if (strlen(symbols[i].name) == n && !strncmp(symbols[i].name, word, n)) {
			*out = symbols[i].value;
			return true;
		}
	return false;
}

bool script_number(const char *text, int64_t *out)
{
	int64_t sum = 0, v;
	char *end;

	for (;;) {
		size_t n = strcspn(text, "| ");

		v = strtoll(text, &end, 0);
		if (end != text + n && !symbol(text, n, &v))
			return false;
		sum |= v;
		text += n + strspn(text + n, " ");
		if (*text != '|')
			break;
		text += 1 + strspn(text + 1, " ");
	}
	*out = sum;
	return !*text;
}

static void skip(char **at)
{
	*at += strspn(*at, " \t");
}

static bool word(char **at, const char *want)
{
	size_t n = strlen(want);

	skip(at);
	if (strncmp(*at, want, n) != 0)
		return false;
	*at += n;
	return true;
}

static bool digits(char **at, uint32_t *out)
{
	char *end;

	skip(at);
	if (!isdigit((unsigned char)**at))
		return false;
	*out = (uint32_t)strtoul(*at, &end, 10);
	*at = end;
	return true;
}

/* ---- time ------------------------------------------------------------------------------------ */

static bool seconds(char **at, int64_t *us)
{
	char *end;
	double v = strtod(*at, &end);

	if (end == *at)
		return false;
	*us = (int64_t)(v * 1e6 + 0.5);
	*at = end;
	return true;
}

/* strtod() would take the first dot of "0...1" for a decimal point. */
static bool read_time(char **at, struct event *e)
{
	char *dots = strstr(*at, "..."), *space = *at + strcspn(*at, " \t");
	char *end = *at;

	e->end_us = -1;
	e->relative = **at == '+';
	if (dots && dots < space) {
		*dots = 0;
		if (!seconds(&end, &e->from_us) || *end)
			return false;
		end = dots + 3;
		if (!seconds(&end, &e->end_us))
			return false;
	} else if (!seconds(&end, &e->from_us)) {
		return false;
	}
	e->to_us = e->from_us;
	if (*end == '~') {
		end++;
		if (!seconds(&end, &e->to_us))
			return false;
	}
	*at = end;
	return *end == ' ' || *end == '\t';
}

/* ---- segments -------------------------------------------------------------------------------- */

static bool read_flags(char **at, struct segment *s)
{
	static const char names[] = "FSRP.UEW";
	const char *found;

	skip(at);
	while (**at && **at != ' ') {
		found = strchr(names, **at);
		if (!found)
			return false;
		s->flags |= (uint8_t)(1u << (found - names));
		++*at;
	}
	return true;
}

static bool read_option(char **at, struct option *o)
{
	if (word(at, "nop"))
		return (o->kind = OPT_NOP);
	if (word(at, "mss")) {
		o->kind = OPT_MSS;
		o->nv = 1;
		return digits(at, &o->v[0]);
	}
	if (word(at, "wscale")) {
		o->kind = OPT_WSCALE;
		o->nv = 1;
		return digits(at, &o->v[0]);
	}
	if (word(at, "sackOK"))
		return (o->kind = OPT_SACKOK);
	if (word(at, "TS val")) {
		o->kind = OPT_TS;
		o->nv = 2;
		return digits(at, &o->v[0]) && word(at, "ecr") && digits(at, &o->v[1]);
	}
	if (!word(at, "sack"))
		return false;
	o->kind = OPT_SACK;
	while (o->nv < 8 && digits(at, &o->v[o->nv]) && word(at, ":") &&
	       digits(at, &o->v[o->nv + 1]))
		o->nv += 2;
	return o->nv;
}

static bool read_options(char **at, struct segment *s)
{
	if (word(at, "...")) {
		s->any_options = true;
		return word(at, ">");
	}
	do {
		if (s->nopt == OPTIONS_MAX || !read_option(at, &s->opt[s->nopt++]))
			return false;
	} while (word(at, ","));
	return word(at, ">");
}

static bool read_segment(char *at, struct segment *s)
{
	uint32_t end, win;

	if (!read_flags(&at, s) || !digits(&at, &s->seq) || !word(&at, ":") || !digits(&at, &end) ||
	    !word(&at, "(") || !digits(&at, &s->len) || !word(&at, ")"))
		return false;
	if (end - s->seq != s->len)
		return false;
	if (word(&at, "ack")) {
		s->ack_ok = true;
		if (!digits(&at, &s->ack))
			return false;
	}
	if (word(&at, "win")) {
		if (!digits(&at, &win))
			return false;
		s->win_ok = true;
		s->win = (uint16_t)win;
	}
	if (word(&at, "<") && !read_options(&at, s))
		return false;
	skip(&at);
	return !*at && s->ack_ok == !!(s->flags & 16);
}

/* ---- calls ----------------------------------------------------------------------------------- */

static bool member(char *text, const char *name, int64_t *out)
{
	char *at = strstr(text, name), copy[80];
	size_t n;

	if (!at)
		return false;
	at += strlen(name);
	n = strcspn(at, ",}");
	snprintf(copy, sizeof(copy), "%.*s", (int)n, at);
	return script_number(copy, out);
}

static bool read_arg(char *text, struct arg *a)
{
	size_t n;

	text += strspn(text, " ");
	n = strlen(text);
	while (n && text[n - 1] == ' ')
		text[--n] = 0;
	if (!strcmp(text, "...")) {
		a->kind = ARG_ANY;
		return true;
	}
	if (!strncmp(text, "[{", 2)) {
		a->kind = ARG_POLL;
		return member(text, "fd=", &a->fd) && member(text, " events=", &a->events) &&
		       member(text, "revents=", &a->revents);
	}
	if (*text == '[' && text[n - 1] == ']') {
		text[n - 1] = 0;
		text++;
	}
	a->kind = ARG_INT;
	return script_number(text, &a->v);
}

/* Up to the next comma that is not inside brackets. */
static char *cut_arg(char **rest)
{
	char *begin = *rest;
	int depth = 0;

	if (!begin)
		return NULL;
	for (char *p = begin; *p; p++) {
		depth += (*p == '[' || *p == '{') - (*p == ']' || *p == '}');
		if (*p == ',' && !depth) {
			*p = 0;
			*rest = p + 1;
			return begin;
		}
	}
	*rest = NULL;
	return begin;
}

static bool read_call(char *at, struct call *c)
{
	char *open = strchr(at, '('), *close = strstr(at, ") ="), *rest, *one, *name;
	int64_t error = 0;

	if (!open || !close || open - at >= (int)sizeof(c->name))
		return false;
	*open = *close = 0;
	snprintf(c->name, sizeof(c->name), "%s", at);
	rest = open + 1;
	while ((one = cut_arg(&rest)))
		if (c->nargs == ARGS_MAX || !read_arg(one, &c->arg[c->nargs++]))
			return false;
	at = close + 3;
	skip(&at);
	c->result = strtoll(at, &name, 0);
	skip(&name);
	if (*name && (!script_number(name, &error) || error <= 0))
		return false;
	c->error = (int)error;
	return true;
}

/* ---- lines ----------------------------------------------------------------------------------- */

static bool between(char *at, const char *begin, const char *end, char *out, size_t size)
{
	char *last;

	if (!word(&at, begin) || !(last = strstr(at, end)))
		return false;
	snprintf(out, size, "%.*s", (int)(last - at), at);
	return true;
}

static bool read_event(char *at, struct event *e)
{
	if (!read_time(&at, e))
		return false;
	skip(&at);
	if (*at == '<' || *at == '>') {
		e->kind = *at == '<' ? EV_IN : EV_OUT;
		return read_segment(at + 1, &e->seg);
	}
	if (*at == '`') {
		e->kind = EV_SETTING;
		return between(at, "`", "`", e->text, sizeof(e->text));
	}
	if (*at == '%') {
		e->kind = EV_INFO;
		return between(at, "%{", "}%", e->text, sizeof(e->text));
	}
	e->kind = EV_CALL;
	return read_call(at, &e->call);
}

static void strip(char *line)
{
	char *comment = strstr(line, "//");
	size_t n;

	if (comment)
		*comment = 0;
	n = strlen(line);
	while (n && isspace((unsigned char)line[n - 1]))
		line[--n] = 0;
}

void script_free(struct event *list)
{
	while (list) {
		struct event *next = list->next;

		free(list);
		list = next;
	}
}

static bool read_lines(FILE *f, struct event **list, unsigned *number)
{
	struct event **last = list;
	char line[512], *at;

	while (fgets(line, sizeof(line), f)) {
		++*number;
		strip(line);
		at = line + strspn(line, " \t");
		if (!*at)
			continue;
		*last = calloc(1, sizeof(**last));
		if (!*last || !read_event(at, *last))
			return false;
		(*last)->line = *number;
		last = &(*last)->next;
	}
	return *list;
}

struct event *script_read(const char *path, char *error, size_t size)
{
	FILE *f = fopen(path, "r");
	struct event *list = NULL;
	unsigned number = 0;

	if (!f) {
		snprintf(error, size, "%s: %s", path, strerror(errno));
		return NULL;
	}
	if (!read_lines(f, &list, &number)) {
		snprintf(error, size, "%u: not understood", number);
		script_free(list);
		list = NULL;
	}
	fclose(f);
	return list;
}
