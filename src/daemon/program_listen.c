/* SPDX-License-Identifier: MIT */
/*
 * bind(2), listen(2), accept(2). A connection that the stack has accepted becomes a pair of its
 * own; the program's end of it travels in a message (abi.h: struct abi_accept) through the
 * listening socket's pair. So accept(2) is a recvmsg(2), the listening socket is readable when a
 * connection waits, and several processes may share it. Only some connections are under way; the
 * others wait in the stack's accept queue.
 *
 * In: control.c; program.c (the listening socket is ready, or the pair has room again).
 */
#include <errno.h>
#include <string.h>
#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "program.h"

#define UNDER_WAY_MAX 64
#define EXACT_MAX 16	      /* a longer backlog may be exceeded by those that are under way */
#define MESSAGE_TRUESIZE 1024 /* what the kernel charges SO_SNDBUF for one message, about */

/* ---- handing over --------------------------------------------------------------------------- */

/* Bytes that the kernel charges for messages which the program has not accepted yet. */
static int bytes_under_way(const struct end *listener)
{
	int n = 0;

	ioctl(listener->watch.fd, SIOCOUTQ, &n);
	return n;
}

/* The first message shows what one costs; then the stack is told how many wait in the pair. */
static void count_under_way(struct end *listener, int before)
{
	int bytes = bytes_under_way(listener);

	if (!listener->message_bytes)
		listener->message_bytes = bytes - before;
	if (listener->message_bytes > 0)
		glass_listen_held(listener->sock, (unsigned)(bytes / listener->message_bytes));
}

/* 0, -EAGAIN: no room now, -EPIPE: nobody accepts any more, or another errno. */
static int send_connection(const struct end *listener, const struct end *e, int fd)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .align = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	struct abi_accept a = { .magic = ABI_MAGIC, .family = e->family, .token = e->token };
	struct iovec iov = { &a, sizeof(a) };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control.space) };
	struct glass_end end;

	memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
	if (!glass_local(e->sock, &end))
		a.local = abi_of_end(&end);
	if (!glass_remote(e->sock, &end))
		a.remote = abi_of_end(&end);
	if (sendmsg(listener->watch.fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof(a))
		return 0;
	return errno == EPIPE || errno == ECONNRESET ? -EPIPE : -errno;
}

/*
 * The connection in hand goes to the program. 0; -EAGAIN; -EPIPE: the listener is gone; otherwise
 * too many descriptors are under way (ETOOMANYREFS), or there is no memory, and nobody will tell
 * when that is over.
 */
static int hand_over(struct daemon *d, struct end *listener)
{
	struct end *e = listener->in_hand;
	int before = listener->exact ? bytes_under_way(listener) : 0;
	int err = send_connection(listener, e, listener->in_hand_fd);

	if (err == -EAGAIN) {
		listener->wants_out = true;
		loop_change(d, &listener->watch, END_EVENTS | EPOLLOUT);
		return err;
	}
	if (err == -EPIPE) {
		end_free(d, listener, false);
		return err;
	}
	if (err) {
		starved_add(d, listener, err);
		return err;
	}
	close(listener->in_hand_fd);
	listener->in_hand = NULL;
	listener->in_hand_fd = -1;
	e->state = END_OPEN;
	if (listener->exact)
		count_under_way(listener, before);
	data_push(d, e); /* what came meanwhile, its end too */
	return 0;
}

/*
 * The next connection comes into the hand; false: none waits, or there is no room for it, and it
 * goes on waiting where it is.
 */
static bool take_next(struct daemon *d, struct end *listener)
{
	struct end like = { .uid = listener->uid,
			    .family = listener->family,
			    .proto = GLASS_TCP,
			    .state = END_IN_HAND };
	struct glass_sock *s;
	struct end *e;
	int err;

	if (!(glass_ready(d->g, listener->sock) & GLASS_IN))
		return false;
	if ((err = end_new(d, &like, &listener->in_hand_fd, &e))) {
		starved_add(d, listener, err);
		return false;
	}
	if (!(s = glass_accept(d->g, listener->sock))) {
		close(listener->in_hand_fd);
		end_free(d, e, true);
		starved_add(d, listener, -ENOBUFS);
		return false;
	}
	end_attach(e, s);
	e->outcome_known = true;
	pair_name(e, 'c', 0);
	listener->in_hand = e;
	return true;
}

void listen_event(struct daemon *d, struct end *e)
{
	if (e->exact && e->message_bytes)
		count_under_way(e, 0);
	while (!e->wants_out && (e->in_hand || take_next(d, e)))
		if (hand_over(d, e))
			return;
}

/* ---- LISTEN --------------------------------------------------------------------------------- */

static void listen_begun(struct daemon *d, struct end *e, int64_t backlog)
{
	int size = UNDER_WAY_MAX * MESSAGE_TRUESIZE / 2; /* the kernel doubles it */

	/*
	 * epoll tells of room when three quarters of it are free: more than a short backlog ever
	 * fills, so of every message that is accepted.
	 */
	e->exact = backlog >= 0 && backlog <= EXACT_MAX;
	if (e->exact)
		loop_change(d, &e->watch, END_EVENTS | EPOLLOUT);
	else
		glass_listen_held(e->sock, 0);
	size *= e->exact ? 2 : 1;
	setsockopt(e->watch.fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (e->state == END_FRESH)
		pair_name(e, 'l', 0);
	e->state = END_LISTENING;
}

void op_listen(struct daemon *d, struct client *c, const struct abi_request *req, const char *data,
	       int *fd)
{
	int64_t backlog = req->arg[0];
	struct end *e = end_find(d, c, req);
	int err = 0;

	(void)data;
	(void)fd;
	if (!e)
		return;
	if (e->dgram)
		err = -EOPNOTSUPP;
	else if (e->state != END_FRESH && e->state != END_LISTENING)
		err = -EINVAL;
	else if (!e->v6only)
		err = glass_listen(d->g, e->sock,
				   backlog < 0 || backlog > 65535 ? 65535 : (unsigned)backlog);
	/* The name first: as soon as listen() returns, accept() looks at it. */
	if (!err)
		listen_begun(d, e, backlog);
	reply_errno(d, c, req, -err);
}

/* ---- BIND ----------------------------------------------------------------------------------- */

/*
 * An IPv6-only socket on the wildcard address: there is no IPv6 yet, so nobody will ever reach it,
 * and its port stays free for IPv4, as on a Linux without IPv6 addresses. Programs that listen on
 * both need it.
 */
static int bind_v6only(struct end *e, const struct glass_end *local)
{
	if (!local->port)
		return -EADDRNOTAVAIL;
	e->local = *local;
	return 0;
}

static int bind_end(struct daemon *d, struct end *e, const struct abi_end *a)
{
	struct glass_end local;
	int err = end_of_abi(a, &local);

	if (!err && (e->state != END_FRESH || e->bound))
		err = -EINVAL;
	if (err)
		return err;
	if (e->v6only)
		return bind_v6only(e, &local);
	err = glass_bind(d->g, e->sock, &local);
	if (err == -EADDRINUSE && e->dgram && dgrams_sweep(d))
		err = glass_bind(d->g, e->sock, &local);
	if (err)
		return err;
	e->bound = true;
	e->port_chosen = !local.port;
	e->local = local;
	glass_local(e->sock, &e->local); /* with the port, when that was for the stack to choose */
	return 0;
}

void op_bind(struct daemon *d, struct client *c, const struct abi_request *req, const char *data,
	     int *fd)
{
	struct end *e = end_find(d, c, req);

	(void)data;
	(void)fd;
	if (e)
		reply_errno(d, c, req, -bind_end(d, e, &req->end));
}
