/* SPDX-License-Identifier: MIT */
/*
 * close(2) that waits: SO_LINGER with a time. The program closes its end, then asks by the token
 * that it had; it counts the time itself (LINGER_END). Three things may be left by then: the end,
 * because another process or descriptor has it too, and there is nothing to wait for; the end with
 * bytes that the stack had no room for yet; or only the stack's connection, whose number
 * linger_note() has kept.
 *
 * In: control_request.c; program_end.c (an end goes); loop.c (after each round);
 * takeover_programs.c.   Out: glass.h, control_reply.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "program.h"
#include "takeover.h"

struct linger {
	struct list node;
	struct client *client;
	uint64_t token;
};

void linger_note(struct daemon *d, const struct end *e)
{
	struct closed *x = &d->programs->closed[e->token % CLOSED_MAX];
	struct glass_conn_info info;
	int64_t linger_s = -1;

	if (e->proto != GLASS_TCP || glass_getopt(d->g, e->sock, GLASS_OPT_LINGER, &linger_s) ||
	    linger_s <= 0 || glass_sock_info(d->g, e->sock, &info))
		return;
	*x = (struct closed){ e->token, info.conn };
}

/* The program's close is seen before its question, whichever epoll tells first. */
static void see_close(struct daemon *d, struct end *e)
{
	struct pollfd p = { .fd = e->watch.fd };

	if (!e->hup && poll(&p, 1, 0) > 0 && p.revents & POLLHUP)
		e->watch.ready(d, &e->watch, (uint32_t)p.revents);
}

static bool must_wait(struct daemon *d, const struct client *c, uint64_t token)
{
	const struct closed *x = &d->programs->closed[token % CLOSED_MAX];
	const struct end *e = end_of_token(d, c, token);

	if (e)
		return e->hup;
	return token && x->token == token && glass_closing(d->g, x->conn);
}

static void linger_free(struct linger *l)
{
	client_on_gone(l->client, NULL, NULL);
	list_remove(&l->node);
	free(l);
}

static void linger_gone(struct daemon *d, struct client *c, void *arg)
{
	(void)d;
	(void)c;
	linger_free(arg);
}

bool linger_waits(const struct client *c)
{
	return client_gone_is(c, linger_gone);
}

/* false: no memory. */
static bool linger_add(struct daemon *d, struct client *c, uint64_t token)
{
	struct linger *l = malloc(sizeof(*l));

	if (!l)
		return false;
	*l = (struct linger){ .client = c, .token = token };
	list_append(&d->programs->lingers, &l->node);
	client_on_gone(c, linger_gone, l);
	return true;
}

void lingers_answer(struct daemon *d)
{
	if (!d->programs)
		return;
	list_for_each_safe(l, &d->programs->lingers, struct linger, node) {
		struct client *c = l->client;

		if (must_wait(d, c, l->token))
			continue;
		linger_free(l);
		reply_errno(d, c, &(struct abi_request){ .head = { .op = ABI_LINGER } }, 0);
	}
}

void lingers_fini(struct daemon *d)
{
	list_for_each_safe(l, &d->programs->lingers, struct linger, node)
		linger_free(l);
}

void op_linger(struct daemon *d, struct client *c, const struct abi_request *req, const char *data,
	       int *fd)
{
	struct end *e = end_of_token(d, c, req->token);

	(void)data;
	(void)fd;
	if (e && e->state == END_OPEN)
		see_close(d, e);
	if (!client_gone_is(c, NULL) || !must_wait(d, c, req->token)) {
		reply_errno(d, c, req, client_gone_is(c, NULL) ? 0 : EBUSY);
		return;
	}
	if (!linger_add(d, c, req->token))
		reply_errno(d, c, req, ENOMEM);
}

void op_linger_end(struct daemon *d, struct client *c, const struct abi_request *req,
		   const char *data, int *fd)
{
	(void)data;
	(void)fd;
	list_for_each_safe(l, &d->programs->lingers, struct linger, node)
		if (l->client == c)
			linger_free(l);
	reply_errno(d, c, req, 0);
}

/* ---- a takeover -------------------------------------------------------------------------------
 */

static void closed_fields(struct save *s, struct closed *x)
{
	SAVE(s, x->token);
	SAVE(s, x->conn);
	save_end(s);
}

static void closed_keep(struct save *s, struct programs *p)
{
	struct closed x;

	for (unsigned i = 0; !save_reading(s) && i < CLOSED_MAX; i++)
		if (p->closed[i].token && save_begin(s, "closed"))
			closed_fields(s, &p->closed[i]);
	while (save_reading(s) && save_begin(s, "closed")) {
		x = (struct closed){ 0 };
		closed_fields(s, &x);
		p->closed[x.token % CLOSED_MAX] = x;
	}
}

static void linger_write(struct save *s, struct daemon *d, const struct linger *l)
{
	uint64_t token = l->token;
	uint32_t client = number_of_client(d, l->client);

	save_begin(s, "linger");
	SAVE(s, client);
	SAVE(s, token);
	save_end(s);
}

static void linger_read(struct save *s, struct daemon *d)
{
	uint32_t client = 0;
	uint64_t token = 0;
	struct client *c;

	SAVE(s, client);
	SAVE(s, token);
	save_end(s);
	c = client ? client_of_number(d, client) : NULL;
	save_check(s, c && client_gone_is(c, NULL) && linger_add(d, c, token),
		   "who waits for a close is damaged");
}

void lingers_keep(struct save *s, struct daemon *d)
{
	closed_keep(s, d->programs);
	if (!save_reading(s)) {
		list_for_each(l, &d->programs->lingers, struct linger, node)
			linger_write(s, d, l);
	}
	while (save_reading(s) && save_begin(s, "linger"))
		linger_read(s, d);
}
