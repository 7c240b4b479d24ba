/* SPDX-License-Identifier: MIT */
/*
 * connect(2). Two ways to tell the program how it ended:
 *
 *	CONNECT		does not wait: the pair is plugged, so poll(2) shows nothing. Success: the
 *			plug is read, the end becomes writable. Failure: the end is closed with the
 *			plug unread, and poll shows what it shows of a failed TCP connect: IN OUT
 *			RDHUP HUP ERR. The errno is in the end's name.
 *	CONNECT_WAIT	is answered when the outcome is known; nothing of it is in the pair, which
 *			another thread may be looking at. After a failure the socket is fresh again,
 *			as Linux leaves it. If a signal ends the wait, CONNECT_GO_ON turns it into
 *			the first way.
 *
 * In: control.c; program.c (the stack's socket became ready).   Out: program_data.c once connected.
 */
#include <errno.h>
#include <sys/socket.h>

#include "program.h"

#define CONNECT_LATER 1
#define CONNECTED_MASK (GLASS_CONNECTED | GLASS_OUT | GLASS_IN | GLASS_RDHUP)

/* ---- who waits ------------------------------------------------------------------------------ */

static void waiter_gone(struct daemon *d, struct client *c, void *arg)
{
	struct end *e = arg;

	(void)d;
	(void)c;
	e->waiter = NULL;
}

static void waiter_forget(struct end *e)
{
	client_on_gone(e->waiter, NULL, NULL);
	e->waiter = NULL;
}

static void waiter_set(struct end *e, struct client *c, const struct abi_request *req)
{
	e->waiter = c;
	e->waiter_op = req->head.op;
	client_on_gone(c, waiter_gone, e);
}

bool connect_waits(const struct client *c)
{
	return client_gone_is(c, waiter_gone);
}

void connect_wait_again(struct end *e, struct client *c, uint16_t op)
{
	waiter_set(e, c, &(struct abi_request){ .head = { .op = op } });
}

void connect_tell(struct daemon *d, struct end *e, int error)
{
	struct abi_request req = { .head = { .op = e->waiter_op } };
	struct abi_reply rep = { .error = error, .value = { e->taken } };
	struct client *c = e->waiter;

	if (!c)
		return;
	waiter_forget(e);
	control_reply(d, c, &req, &rep, NULL, 0, -1);
}

/* ---- how it ends ---------------------------------------------------------------------------- */

/* The plug was for the time of waiting; its last byte stays as the canary. */
static void unplug(struct daemon *d, struct end *e)
{
	if (e->plugged > 1) {
		pair_discard(d, e, e->plugged - 1);
		e->canary = 1;
	}
	e->plugged = 0;
}

/* A new socket of the stack in place of the one that failed. false: there is none; the end is
 * unusable. */
static bool renew(struct daemon *d, struct end *e)
{
	struct glass_sock *old = e->sock, *fresh = glass_socket(d->g, GLASS_TCP);
	int64_t opt[GLASS_OPT_COUNT];

	if (!fresh)
		return false;
	opts_save(d, old, opt);
	glass_sock_set_user(old, NULL);
	glass_close(d->g, old);
	e->sock = fresh;
	glass_sock_set_user(fresh, &e->owner);
	opts_restore(d, fresh, opt);
	if (e->port_chosen)
		e->local.port = 0;
	if (e->bound)
		end_bind_again(d, fresh, &e->local);
	e->state = END_FRESH;
	return true;
}

static void connect_failed(struct daemon *d, struct end *e, int error)
{
	if (e->waiter && renew(d, e)) {
		unplug(d, e);
		connect_tell(d, e, error);
		return;
	}
	connect_tell(d, e, error);
	end_remember(d, e, error);
	pair_name(e, 'e', error);
	end_free(d, e, false);
}

static void connect_done(struct daemon *d, struct end *e)
{
	e->state = END_OPEN;
	pair_name(e, 'c', 0);
	unplug(d, e);
	if (e->waiter)
		e->outcome_known = true;
	connect_tell(d, e, 0);
	if (data_pull(d, e))
		data_push(d, e);
}

void connect_event(struct daemon *d, struct end *e, unsigned ready)
{
	int error;

	if (ready & (GLASS_ERR | GLASS_HUP)) {
		error = glass_error(d->g, e->sock);
		connect_failed(d, e, error ? error : ECONNRESET);
	} else if (ready & CONNECTED_MASK)
		connect_done(d, e);
}

/* ---- how it begins -------------------------------------------------------------------------- */

/* There is nothing to wait for: the SYN goes with the first bytes (TCP_FASTOPEN_CONNECT). */
static int connect_later(struct end *e)
{
	e->state = END_OPEN;
	e->outcome_known = true;
	pair_name(e, 'c', 0);
	return CONNECT_LATER;
}

/* 0: it has begun; CONNECT_LATER: it will, and counts as done; or -errno. */
static int connect_begin(struct daemon *d, struct end *e, const struct abi_end *to)
{
	struct glass_end remote;
	int err = end_of_abi(to, &remote);

	if (!err)
		err = glass_connect(d->g, e->sock, &remote);
	if (err != -EINPROGRESS)
		return err ? err : connect_later(e);
	e->plugged = pair_queued(e);
	e->state = END_CONNECTING;
	return 0;
}

/* Plugs through the program's end, which came along: nothing may happen in between. */
static void plug(struct daemon *d, struct end *e, int program_fd, int64_t bytes)
{
	struct programs *p = d->programs;

	if (bytes > 0 && bytes <= ABI_PLUG_BYTES)
		send(program_fd, p->zeros, (size_t)bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
	e->plugged = pair_queued(e);
}

/* What a connect means to a socket that is not fresh. */
static int connect_again(struct end *e)
{
	if (e->state == END_CONNECTING)
		return EALREADY;
	if (e->state != END_OPEN || e->outcome_known)
		return EISCONN;
	e->outcome_known =
		true; /* Linux: the first connect after the handshake says that it worked */
	return 0;
}

void op_connect(struct daemon *d, struct client *c, const struct abi_request *req, const char *data,
		int *fd)
{
	struct end *e = end_find(d, c, req);
	int err;

	(void)data;
	if (!e)
		return;
	if (e->dgram) {
		reply_errno(d, c, req, -dgram_connect(d, e, &req->end, *fd));
		return;
	}
	if (e->state != END_FRESH) {
		reply_errno(d, c, req, connect_again(e));
		return;
	}
	err = connect_begin(d, e, &req->end);
	if (!err && *fd >= 0)
		plug(d, e, *fd, req->arg[0]);
	if (err == CONNECT_LATER)
		reply_errno(d, c, req, 0);
	else
		reply_errno(d, c, req, err ? -err : EINPROGRESS);
}

void op_connect_send(struct daemon *d, struct client *c, const struct abi_request *req,
		     const char *data, int *fd)
{
	struct abi_reply rep = { 0 };
	struct end *e = end_find(d, c, req);
	struct glass_end remote;
	int64_t taken;

	if (!e)
		return;
	if (e->dgram || e->state != END_FRESH || !client_gone_is(c, NULL)) {
		int err = e->dgram ? EOPNOTSUPP : e->state == END_FRESH ? EBUSY : connect_again(e);

		reply_errno(d, c, req, err ? err : EISCONN);
		return;
	}
	taken = end_of_abi(&req->end, &remote);
	if (!taken)
		taken = glass_connect_send(d->g, e->sock, &remote, data, req->length);
	if (taken < 0 && taken != -EINPROGRESS) {
		reply_errno(d, c, req, (int)-taken);
		return;
	}
	e->plugged = pair_queued(e);
	e->state = END_CONNECTING;
	e->taken = taken > 0 ? taken : 0;
	if (*fd < 0) {
		waiter_set(e, c, req);
		return;
	}
	plug(d, e, *fd, req->arg[0]);
	rep.value[0] = e->taken;
	control_reply(d, c, req, &rep, NULL, 0, -1);
}

void op_connect_wait(struct daemon *d, struct client *c, const struct abi_request *req,
		     const char *data, int *fd)
{
	struct end *e = end_find(d, c, req);
	int err = 0;

	(void)data;
	(void)fd;
	if (!e)
		return;
	if (e->dgram || e->waiter)
		err = e->dgram ? EOPNOTSUPP : EALREADY;
	else if (!client_gone_is(c, NULL))
		err = EBUSY;
	else if (e->state == END_FRESH)
		err = -connect_begin(d, e, &req->end);
	else if (e->state != END_CONNECTING)
		err = connect_again(e);
	if (!err && e->state == END_CONNECTING)
		waiter_set(e, c, req);
	else
		reply_errno(d, c, req, err < 0 ? 0 : err); /* -CONNECT_LATER: it counts as done */
}

void op_connect_go_on(struct daemon *d, struct client *c, const struct abi_request *req,
		      const char *data, int *fd)
{
	struct end *e = end_find(d, c, req);

	(void)data;
	if (!e)
		return;
	if (*fd >= 0 && e->waiter == c) {
		waiter_forget(e);
		plug(d, e, *fd, req->arg[0]);
	}
	reply_errno(d, c, req, *fd < 0 ? EBADF : 0);
}
