/* SPDX-License-Identifier: MIT */
/*
 * Calls that read. All of them are recvmsg(2) with fewer arguments.
 *
 * In:  packetdrill.   Out: glass_recv(), glass_recv_peek(), glass_recvfrom(); told.c.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drill.h"

static int64_t total(const struct iovec *iov, size_t n)
{
	int64_t sum = 0;

	if (n > IOV_MAX)
		return -EMSGSIZE;
	for (size_t i = 0; i < n; i++)
		sum += (int64_t)iov[i].iov_len;
	return sum;
}

/* Spreads what was read over the caller's places. -EFAULT: one of them is none. */
static int64_t scatter(const struct msghdr *msg, const uint8_t *from, int64_t length)
{
	int64_t done = 0;

	for (size_t i = 0; i < msg->msg_iovlen && done < length; i++) {
		int64_t n = (int64_t)msg->msg_iov[i].iov_len;

		if (n > length - done)
			n = length - done;
		if (n && !msg->msg_iov[i].iov_base)
			return -EFAULT;
		memcpy(msg->msg_iov[i].iov_base, from + done, (size_t)n);
		done += n;
	}
	return done;
}

/* What lies there, without taking it. 0: nothing. */
static int64_t peek(struct drill *d, struct drill_fd *f, uint8_t *bytes, int64_t length)
{
	struct glass_iov iov[GLASS_IOV_MAX];
	unsigned n = glass_recv_peek(d->g, f->sock, iov, GLASS_IOV_MAX);
	int64_t done = 0;

	for (unsigned i = 0; i < n && done < length; i++) {
		int64_t part =
			(int64_t)iov[i].len < length - done ? (int64_t)iov[i].len : length - done;

		memcpy(bytes + done, iov[i].base, (size_t)part);
		done += part;
	}
	return done;
}

static int64_t read_once(struct drill *d, struct drill_fd *f, uint8_t *bytes, int64_t length,
			 struct msghdr *msg, int flags)
{
	struct glass_dgram from;
	int64_t n;

	if (f->proto == GLASS_TCP) {
		if ((flags & MSG_PEEK) && (n = peek(d, f, bytes, length)) > 0)
			return n;
		return glass_recv(d->g, f->sock, bytes, (size_t)length);
	}
	n = glass_recvfrom(d->g, f->sock, bytes, (size_t)length, &from);
	if (n >= 0 && msg->msg_name)
		drill_addr_write(&from.from, msg->msg_name, &msg->msg_namelen);
	return n;
}

/* Until something is there, or with MSG_WAITALL everything. */
static int64_t read_wait(struct drill *d, struct drill_fd *f, uint8_t *bytes, int64_t length,
			 struct msghdr *msg, int flags)
{
	int64_t until = f->recv_ns ? d->now_ns + f->recv_ns : GLASS_NEVER, done = 0, n;

	for (;;) {
		n = read_once(d, f, bytes + done, length - done, msg, flags);
		if (n > 0)
			done += n;
		if (n > 0 && (flags & MSG_WAITALL) && done < length)
			continue;
		if (n != -EAGAIN || (done && !(flags & MSG_WAITALL)))
			return done ? done : n;
		if (f->nonblock || (flags & MSG_DONTWAIT) || drill_wait(d, until))
			return done ? done : -EAGAIN;
	}
}

static int64_t receive(struct drill *d, int fd, struct msghdr *msg, int flags)
{
	struct drill_fd *f = drill_socket_of(d, fd);
	int64_t length = f ? total(msg->msg_iov, msg->msg_iovlen) : -errno, n;
	size_t room = msg->msg_controllen;
	uint8_t *bytes;

	if (length < 0)
		return length;
	if (flags & MSG_ERRQUEUE)
		return drill_told_take(d, f, msg, room);
	for (size_t i = 0; i < msg->msg_iovlen && !(flags & MSG_TRUNC); i++)
		if (msg->msg_iov[i].iov_len && !msg->msg_iov[i].iov_base)
			return -EFAULT;
	bytes = malloc((size_t)length + 1);
	if (!bytes)
		return -ENOMEM;
	n = read_wait(d, f, bytes, length, msg, flags);
	/* TCP's MSG_TRUNC: the bytes are taken, and not wanted. */
	if (n > 0 && !(flags & MSG_TRUNC && f->proto == GLASS_TCP))
		n = scatter(msg, bytes, n);
	free(bytes);
	if (n < 0)
		return n;
	msg->msg_flags = 0;
	msg->msg_controllen = 0;
	drill_told_read(d, f, msg, room);
	return n;
}

ssize_t drill_recvmsg(void *userdata, int fd, struct msghdr *msg, int flags)
{
	struct drill *d = userdata;
	int64_t n;

	drill_enter(d);
	n = receive(d, fd, msg, flags);
	drill_leave(d);
	return drill_answer(n);
}

ssize_t drill_recvfrom(void *userdata, int fd, void *bytes, size_t length, int flags,
		       struct sockaddr *addr, socklen_t *size)
{
	struct iovec iov = { bytes, length };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct drill *d = userdata;
	int64_t n;

	msg.msg_name = addr;
	msg.msg_namelen = size ? *size : 0;
	drill_enter(d);
	n = receive(d, fd, &msg, flags);
	drill_leave(d);
	if (size && addr && n >= 0)
		*size = msg.msg_namelen;
	return drill_answer(n);
}

ssize_t drill_recv(void *userdata, int fd, void *bytes, size_t length, int flags)
{
	return drill_recvfrom(userdata, fd, bytes, length, flags, NULL, NULL);
}

ssize_t drill_readv(void *userdata, int fd, const struct iovec *iov, int niov)
{
	struct drill *d = userdata;
	struct msghdr msg = { .msg_iovlen = (size_t)niov };
	int64_t n;

	if (niov < 0 || niov > IOV_MAX)
		return drill_answer(-EINVAL);
	msg.msg_iov = (struct iovec *)(uintptr_t)iov;
	drill_enter(d);
	n = receive(d, fd, &msg, 0);
	drill_leave(d);
	return drill_answer(n);
}

ssize_t drill_read(void *userdata, int fd, void *bytes, size_t length)
{
	if (drill_fd_of(userdata, fd, DRILL_PIPE))
		return read(fd, bytes, length);
	return drill_recvfrom(userdata, fd, bytes, length, 0, NULL, NULL);
}
