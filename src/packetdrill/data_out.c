/* SPDX-License-Identifier: MIT */
/*
 * Calls that write. All of them are sendmsg(2) with fewer arguments.
 *
 * In:  packetdrill.   Out: glass_send_flags(), glass_sendto(), glass_connect_send();
 * told.c.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drill.h"

#ifndef MSG_FASTOPEN
#define MSG_FASTOPEN 0x20000000
#endif

/* The caller's bytes in one piece; NULL and *length = -errno. To be freed. */
static uint8_t *gather(const struct msghdr *msg, int64_t *length)
{
	uint8_t *bytes;
	size_t sum = 0;

	for (size_t i = 0; i < msg->msg_iovlen; i++) {
		sum += msg->msg_iov[i].iov_len;
		if (msg->msg_iov[i].iov_len && !msg->msg_iov[i].iov_base) {
			*length = -EFAULT;
			return NULL;
		}
	}
	bytes = malloc(sum + 1);
	*length = bytes ? (int64_t)sum : -ENOMEM;
	sum = 0;
	for (size_t i = 0; bytes && i < msg->msg_iovlen; i++) {
		memcpy(bytes + sum, msg->msg_iov[i].iov_base, msg->msg_iov[i].iov_len);
		sum += msg->msg_iov[i].iov_len;
	}
	return bytes;
}

static unsigned said(int flags)
{
	return (flags & MSG_MORE ? GLASS_MORE : 0u) | (flags & MSG_EOR ? GLASS_EOR : 0u);
}

/* A writer that found no room sleeps until it is worth its while, as poll(2) would tell it. */
static bool wait_for_room(struct drill *d, struct drill_fd *f, int64_t until)
{
	do {
		if (drill_wait(d, until))
			return false;
	} while (!(glass_ready(d->g, f->sock) & (GLASS_OUT | GLASS_ERR | GLASS_HUP)));
	return true;
}

/* Until everything is taken. */
static int64_t write_wait(struct drill *d, struct drill_fd *f, const uint8_t *bytes, int64_t length,
			  int flags)
{
	int64_t until = f->send_ns ? d->now_ns + f->send_ns : GLASS_NEVER, done = 0, n;

	for (;;) {
		n = glass_send_flags(d->g, f->sock, bytes + done, (size_t)(length - done),
				     said(flags));
		if (n > 0)
			done += n;
		if (n < 0 && n != -EAGAIN)
			return done ? done : n;
		if (n == 0 || done == length)
			return done;
		if (f->nonblock || (flags & MSG_DONTWAIT) || (n < 0 && !wait_for_room(d, f, until)))
			return done ? done : -EAGAIN;
	}
}

/* The SYN is out with so many of the bytes, or none (-EINPROGRESS): the others follow. */
static int64_t write_behind_syn(struct drill *d, struct drill_fd *f, const uint8_t *bytes,
				int64_t length, int64_t taken, int flags)
{
	int64_t rest;
	int err;

	f->connecting = true;
	if (f->nonblock || (flags & MSG_DONTWAIT))
		return taken;
	err = drill_connect_wait(d, f);
	if (err)
		return err;
	taken = taken < 0 ? 0 : taken;
	rest = taken < length ? write_wait(d, f, bytes + taken, length - taken, flags) : 0;
	return rest < 0 && !taken ? rest : taken + (rest > 0 ? rest : 0);
}

/*
 * MSG_FASTOPEN: a connect with the first bytes. It is a write when the connect waits for these
 * bytes (TCP_FASTOPEN_CONNECT), and, as in Linux, when it has succeeded and nobody has been told.
 */
static int64_t connect_send(struct drill *d, struct drill_fd *f, const struct msghdr *msg,
			    const uint8_t *bytes, int64_t length, int flags)
{
	struct glass_end to;
	int64_t taken = drill_addr_read(msg->msg_name, msg->msg_namelen, &to);

	if (taken)
		return taken == -EAFNOSUPPORT ? -EOPNOTSUPP : taken;
	taken = glass_connect_send(d->g, f->sock, &to, bytes, (size_t)length);
	if (taken == -EISCONN &&
	    (f->connecting || !(glass_ready(d->g, f->sock) & GLASS_CONNECTED))) {
		f->connecting = false;
		return write_wait(d, f, bytes, length, flags);
	}
	if (taken < 0 && taken != -EINPROGRESS)
		return taken;
	return write_behind_syn(d, f, bytes, length, taken, flags);
}

/* The first write after a connect that waits for it: in Linux it is the connect, and blocks so. */
static int64_t first_write(struct drill *d, struct drill_fd *f, const uint8_t *bytes,
			   int64_t length, int flags)
{
	int64_t taken = glass_send_flags(d->g, f->sock, bytes, (size_t)length, said(flags));

	f->deferred = false;
	if (taken < 0 && taken != -EINPROGRESS)
		return taken;
	return write_behind_syn(d, f, bytes, length, taken, flags);
}

static int64_t transmit(struct drill *d, int fd, const struct msghdr *msg, int flags)
{
	struct drill_fd *f = drill_socket_of(d, fd);
	struct glass_end to;
	uint8_t *bytes;
	int64_t n;

	if (!f)
		return -errno;
	bytes = gather(msg, &n);
	if (!bytes)
		return n;
	if (f->proto == GLASS_TCP && f->deferred) {
		n = first_write(d, f, bytes, n, flags);
	} else if (f->proto == GLASS_TCP && (flags & MSG_FASTOPEN) && msg->msg_name) {
		n = connect_send(d, f, msg, bytes, n, flags);
	} else if (f->proto == GLASS_TCP) {
		n = write_wait(d, f, bytes, n, flags);
	} else if (msg->msg_name) {
		int err = drill_addr_read(msg->msg_name, msg->msg_namelen, &to);

		n = err ? err : glass_sendto(d->g, f->sock, bytes, (size_t)n, &to);
	} else {
		n = glass_sendto(d->g, f->sock, bytes, (size_t)n, NULL);
	}
	free(bytes);
	if (f->proto == GLASS_TCP && n > 0)
		drill_told_written(d, f, n, flags);
	return n;
}

ssize_t drill_sendmsg(void *userdata, int fd, const struct msghdr *msg, int flags)
{
	struct drill *d = userdata;
	int64_t n;

	drill_enter(d);
	n = transmit(d, fd, msg, flags);
	drill_leave(d);
	return drill_answer(n);
}

ssize_t drill_sendto(void *userdata, int fd, const void *bytes, size_t length, int flags,
		     const struct sockaddr *addr, socklen_t size)
{
	struct iovec iov = { (void *)(uintptr_t)bytes, length };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_namelen = size };

	msg.msg_name = (void *)(uintptr_t)addr;
	return drill_sendmsg(userdata, fd, &msg, flags);
}

ssize_t drill_send(void *userdata, int fd, const void *bytes, size_t length, int flags)
{
	return drill_sendto(userdata, fd, bytes, length, flags, NULL, 0);
}

ssize_t drill_writev(void *userdata, int fd, const struct iovec *iov, int niov)
{
	struct msghdr msg = { .msg_iovlen = (size_t)niov };

	if (niov < 0 || niov > IOV_MAX)
		return drill_answer(-EINVAL);
	msg.msg_iov = (struct iovec *)(uintptr_t)iov;
	return drill_sendmsg(userdata, fd, &msg, 0);
}

ssize_t drill_write(void *userdata, int fd, const void *bytes, size_t length)
{
	if (drill_fd_of(userdata, fd, DRILL_PIPE))
		return write(fd, bytes, length);
	return drill_sendto(userdata, fd, bytes, length, 0, NULL, 0);
}

/* Between a pipe and a socket, by way of a buffer. */
int drill_splice(void *userdata, int in, loff_t *in_at, int out, loff_t *out_at, size_t length,
		 unsigned flags)
{
	uint8_t bytes[65536];
	ssize_t n;

	(void)flags;
	if (in_at || out_at)
		return (int)drill_answer(-ESPIPE);
	n = drill_read(userdata, in, bytes, length < sizeof(bytes) ? length : sizeof(bytes));
	return (int)(n > 0 ? drill_write(userdata, out, bytes, (size_t)n) : n);
}
