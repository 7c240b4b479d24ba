/* SPDX-License-Identifier: MIT */
/*
 * bind(2), listen(2), accept(2). A connection comes as a message with a descriptor through the
 * listening socket (abi.h: struct abi_accept): waiting for it, also of several processes at once,
 * is the kernel's.
 *
 * In: the program.   Out: src/daemon/program_listen.c.
 */
#include <fcntl.h>

#include "call.h"
#include "loopback.h"
#include "ours.h"
#include "stream.h"

WRAP(int, bind, int fd, const struct sockaddr *addr, socklen_t size);
WRAP(int, listen, int fd, int backlog);
WRAP(int, accept, int fd, struct sockaddr *addr, socklen_t *size);
WRAP(int, accept4, int fd, struct sockaddr *addr, socklen_t *size, int flags);

int wrap_bind(int fd, const struct sockaddr *addr, socklen_t size)
{
	struct call c = { .req = { .head = { .op = ABI_BIND } } };
	struct abi_name self;
	int err;

	if (!ours(fd, &self))
		return (int)result_of(raw3(SYS_bind, fd, addr_of(addr), size));
	err = loopback_to_kernel(fd, &self, addr, size);
	if (err)
		return (int)result_of(err < 0 ? err : raw3(SYS_bind, fd, addr_of(addr), size));
	c.req.token = self.token;
	err = end_of_own(&self, addr, size, &c.req.end);
	return (int)result_of(err ? err : call_daemon(&c));
}

int wrap_listen(int fd, int backlog)
{
	struct call c = { .req = { .head = { .op = ABI_LISTEN }, .arg = { backlog } } };
	struct abi_name self, peer;

	if (!ours(fd, &self))
		return (int)result_of(raw3(SYS_listen, fd, backlog, 0));
	c.req.token = self.token;
	if (self.proto == ABI_TCP && !peer_of(fd, &peer))
		plug_fd(fd); /* a listening socket is never writable */
	stream_used(fd);
	return (int)result_of(call_daemon(&c));
}

/* ---- accept ------------------------------------------------------------------------------------
 */

/* -EMFILE before a message is read whose descriptor could not be kept: the connection stays queued.
 */
static long check_fd_free(int fd)
{
	long spare = raw3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 0);

	if (spare >= 0)
		raw_close((int)spare);
	return spare < 0 ? spare : 0;
}

/* The connection's descriptor or a negative errno. */
static int receive_connection(int fd, struct abi_accept *a, int flags)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct call asks = { .req = { .head = { .op = ABI_HELLO } } };
	struct iovec iov = { a, sizeof(*a) };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = CMSG_LEN(sizeof(int)) };
	long n = raw3(SYS_recvmsg, fd, addr_of(&m), flags & SOCK_CLOEXEC ? MSG_CMSG_CLOEXEC : 0);
	struct cmsghdr *cm = CMSG_FIRSTHDR(&m);

	if (n == -ECONNRESET) /* shut down, or glassd has ended */
		return call_daemon(&asks) ? -ENETDOWN : -EINVAL;
	if (n < 0)
		return (int)n;
	if (n != sizeof(*a) || a->magic != ABI_MAGIC)
		return -EINVAL; /* nobody listens any more */
	if (!cm || cm->cmsg_type != SCM_RIGHTS)
		return -EMFILE;
	return *(int *)(void *)CMSG_DATA(cm);
}

static int accept_ours(int fd, void *addr, socklen_t *size, int flags)
{
	struct abi_accept a;
	long err;
	int got;

	if (flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC))
		return -EINVAL;
	if ((err = check_fd_free(fd)))
		return (int)err;
	got = receive_connection(fd, &a, flags);
	if (got < 0)
		return got;
	stream_used(got);
	if (flags & SOCK_NONBLOCK)
		raw3(SYS_fcntl, got, F_SETFL, O_RDWR | O_NONBLOCK);
	if (addr && (err = sockaddr_of_end(a.family, &a.remote, addr, size))) {
		raw_close(got);
		return (int)err;
	}
	return got;
}

int wrap_accept4(int fd, struct sockaddr *addr, socklen_t *size, int flags)
{
	struct abi_name self, peer;

	if (peer_of(fd, &peer) == 'l')
		return (int)result_of(accept_ours(fd, addr, size, flags));
	if (ours(fd, &self))
		return (int)result_of(self.proto == ABI_TCP ? -EINVAL : -EOPNOTSUPP);
	return (int)result_of(raw4(SYS_accept4, fd, addr_of(addr), addr_of(size), flags));
}

int wrap_accept(int fd, struct sockaddr *addr, socklen_t *size)
{
	return wrap_accept4(fd, addr, size, 0);
}
