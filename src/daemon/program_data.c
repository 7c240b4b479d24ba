/* SPDX-License-Identifier: MIT */
/*
 * Bytes between a program's end and its connection.
 *
 * Theory of operation. Neither direction keeps bytes here: they lie in the pair or in the stack's
 * buffers.
 *
 * Program to stack: SIOCINQ tells how many bytes wait; they are received straight into the place
 * that glass_send_reserve() gives. The last one is only peeked at: it was sent, yet stays queued as
 * the canary (abi.h), and the next receive begins with it. When the stack has no room, nothing is
 * read: the pair fills up, and the kernel holds the program back.
 *
 * Stack to program: glass_recv_peek() tells where the bytes lie, sendmsg() hands them over. When
 * the pair is full they stay in the stack and its advertised window closes.
 *
 * Urgent data. A byte sent with MSG_OOB lies in the pair at its place; receives end before it, and
 * SIOCATMARK tells that it is next. The other way the peer's urgent byte is sent with MSG_OOB: the
 * kernel then does for the program what it does on TCP (SIGURG, POLLPRI, SIOCATMARK, SO_OOBINLINE).
 *
 * Ends are edge-triggered: since the canary always waits, a level would always be high. So whatever
 * stops reading leaves a mark of how it goes on: readable (epoll has told), wants_space (the stack
 * will tell), wants_out.
 *
 * In: program.c.   Out: the stack's socket; end_free().
 */
#include <errno.h>
#include <asm/ioctls.h>
#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "program.h"

#define PUSH_IOVS 64

/* ---- program to stack
 * ------------------------------------------------------------------------------- */

/*
 * Receives take bytes that the program wrote to space; whole: they are all that waits, so the last
 * one stays as canary. Returns how many are to be sent.
 */
static size_t pull_bytes(struct end *e, uint8_t *space, size_t take, bool whole)
{
	uint8_t seen;
	struct iovec iov[2] = { { &seen, e->canary }, { space, take - whole } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2 };
	size_t got = 0;

	if (e->canary + take - whole > 0) {
		ssize_t n = recvmsg(e->watch.fd, &m, MSG_DONTWAIT);

		if (n < e->canary)
			return 0;
		got = (size_t)n - e->canary;
		e->canary = 0;
	}
	/* Fewer when the program passed descriptors along with its bytes: receives stop there. */
	if (!whole || got < take - 1)
		return got;
	if (recv(e->watch.fd, space + got, 1, MSG_PEEK | MSG_DONTWAIT) != 1)
		return got;
	e->canary = 1;
	return got + 1;
}

/* Is the next byte the urgent one? */
static bool at_mark(const struct end *e)
{
	int mark = 0;

	return !ioctl(e->watch.fd, SIOCATMARK, &mark) && mark;
}

/*
 * Before the urgent byte: the canary out of the way, then what is in front of it; then the byte
 * alone. Returns how many are to be sent, *urgent when it is that one.
 */
static size_t pull_towards_mark(struct end *e, uint8_t *space, size_t take, bool whole,
				bool *urgent)
{
	uint8_t seen;

	if (e->canary && recv(e->watch.fd, &seen, 1, MSG_DONTWAIT) == 1)
		e->canary = 0;
	*urgent = at_mark(e);
	if (*urgent)
		return pull_bytes(e, space, 1, whole && take == 1);
	if (whole && take > 1) /* the last one, perhaps it, is looked at by itself */
		return pull_bytes(e, space, take - 1, false);
	return pull_bytes(e, space, take, whole);
}

enum pull { PULL_MORE, PULL_DRY, PULL_STUCK };

/*
 * DRY: all that waited was taken; a later write is a new edge. STUCK: no room. What was written
 * meanwhile is left for that edge, so that the pair's size limits a program's turn.
 */
static enum pull pull_once(struct daemon *d, struct end *e, size_t *waiting)
{
	size_t room = 0, n;
	bool urgent = false;
	void *space;

	if (!*waiting)
		return PULL_DRY;
	space = glass_send_reserve(d->g, e->sock, *waiting, &room);
	if (!space || !room)
		return PULL_STUCK;
	if (room > *waiting)
		room = *waiting;
	n = e->oob ? pull_towards_mark(e, space, room, room == *waiting, &urgent)
		   : pull_bytes(e, space, room, room == *waiting);
	glass_send_commit(d->g, e->sock, n);
	if (urgent && n)
		glass_send_urgent(d->g, e->sock);
	*waiting -= n;
	e->oob &= *waiting != 0;
	return *waiting ? PULL_MORE : PULL_DRY;
}

/* All that the program wrote was taken, and it has shut down or closed. */
static bool pull_finished(struct daemon *d, struct end *e)
{
	if (e->hup) {
		/* Perhaps it has not closed, but it and the peer have shut down one way each: not
		 * an error. */
		pair_discard(d, e, e->canary);
		if (e->reset)
			loop_send_frames(d); /* a reset overtakes nothing */
		end_free(d, e, e->reset);
		return false;
	}
	if (!e->fin_told)
		glass_shutdown(d->g, e->sock, GLASS_SHUT_WR);
	e->fin_told = true;
	return true;
}

bool data_pull(struct daemon *d, struct end *e)
{
	enum pull state = PULL_MORE;
	size_t waiting = (size_t)(pair_queued(e) - e->canary), before;

	do {
		before = waiting;
		state = pull_once(d, e, &waiting);
	} while (state == PULL_MORE && waiting != before);
	e->wants_space = state == PULL_STUCK;
	if (state == PULL_MORE) /* nothing came although it waits: have epoll tell again */
		loop_change(d, &e->watch, END_EVENTS | (e->wants_out ? (uint32_t)EPOLLOUT : 0));
	if (state == PULL_DRY && e->eof)
		return pull_finished(d, e);
	return true;
}

/* ---- stack to program
 * ------------------------------------------------------------------------------- */

/* Bytes taken: 0 when the pair is full. A program that reads no more takes everything. */
static size_t push_iovs(struct daemon *d, struct end *e, struct glass_iov *iov, unsigned niov,
			int flags)
{
	struct msghdr m = { .msg_iov = (struct iovec *)(void *)iov, .msg_iovlen = niov };
	ssize_t n = -1;
	size_t all = 0;

	if (!e->deaf)
		n = sendmsg(e->watch.fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL | flags);
	if (n < 0 && flags && errno == EOPNOTSUPP) /* a kernel without it: in line */
		n = sendmsg(e->watch.fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n >= 0)
		return (size_t)n;
	if (!e->deaf &&
	    (errno == EAGAIN || errno == EINTR || errno == ENOBUFS || errno == ENOMEM)) {
		e->wants_out = true;
		loop_change(d, &e->watch, END_EVENTS | EPOLLOUT);
		return 0;
	}
	e->deaf = true; /* EPIPE: it called shutdown(SHUT_RD), or is gone */
	for (unsigned i = 0; i < niov; i++)
		all += iov[i].len;
	return all;
}

/* The connection is over by an error, and the program has been given all that came before. */
static void push_broken(struct daemon *d, struct end *e)
{
	int error = glass_error(d->g, e->sock);

	end_remember(d, e, error ? error : ECONNRESET);
	end_free(d, e, false); /* the canary is unread: the program's end shows ECONNRESET */
}

/* All bytes were handed over: is there more to tell? */
static bool push_finished(struct daemon *d, struct end *e)
{
	unsigned ready = glass_ready(d->g, e->sock);

	if (ready & GLASS_ERR) {
		push_broken(d, e);
		return false;
	}
	if (ready & GLASS_RDHUP && !e->fin_given) {
		e->fin_given = true;
		shutdown(e->watch.fd, SHUT_WR);
	}
	return true;
}

/* The first bytes only. */
static unsigned iovs_cut(struct glass_iov *iov, unsigned niov, size_t bytes)
{
	for (unsigned i = 0; i < niov; i++) {
		if (iov[i].len >= bytes) {
			iov[i].len = bytes;
			return i + 1;
		}
		bytes -= iov[i].len;
	}
	return niov;
}

bool data_push(struct daemon *d, struct end *e)
{
	struct glass_iov iov[PUSH_IOVS];
	unsigned n;

	while (!e->wants_out && (n = glass_recv_peek(d->g, e->sock, iov, PUSH_IOVS))) {
		int64_t ahead = glass_urgent_at(d->g, e->sock);
		size_t taken;

		if (ahead >= 0)
			n = iovs_cut(iov, n, ahead ? (size_t)ahead : 1);
		taken = push_iovs(d, e, iov, n, ahead ? 0 : MSG_OOB);

		if (taken)
			glass_recv_consume(d->g, e->sock, taken);
	}
	return e->wants_out || push_finished(d, e);
}

bool data_event(struct daemon *d, struct end *e, unsigned ready)
{
	if (ready & GLASS_OUT && e->wants_space && !data_pull(d, e))
		return false;
	return data_push(d, e);
}
