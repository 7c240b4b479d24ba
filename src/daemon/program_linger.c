/* SPDX-License-Identifier: MIT */
/*
 * close(2) that waits: SO_LINGER with a time. The program closes its end, then asks by the token
 * that it had; it counts the time itself (LINGER_END). Three things may be left by then: the end,
 * because another process or descriptor has it too, and there is nothing to wait for; the end with
 * bytes that the stack had no room for yet; or only the stack's connection, whose number
 * linger_note() has kept.
 *
 * In: control_request.c; program_end.c (an end goes); loop.c (after each round).   Out: glass.h,
 * control_reply.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "program.h"

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
	struct linger *l = NULL;

	(void)data;
	(void)fd;
	if (e && e->state == END_OPEN)
		see_close(d, e);
	if (!client_gone_is(c, NULL) || !must_wait(d, c, req->token)) {
		reply_errno(d, c, req, client_gone_is(c, NULL) ? 0 : EBUSY);
		return;
	}
	if (!(l = malloc(sizeof(*l)))) {
		reply_errno(d, c, req, ENOMEM);
		return;
	}
	*l = (struct linger){ .client = c, .token = req->token };
	list_append(&d->programs->lingers, &l->node);
	client_on_gone(c, linger_gone, l);
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
