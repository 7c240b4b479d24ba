/* SPDX-License-Identifier: MIT */
/*
 * Descriptors. packetdrill closes what is left over at its end by itself, so each number must be a
 * real descriptor's: /dev/null, opened once more.
 *
 * In:  every call.   Out: glass_close(), epoll.c.
 */
#include <fcntl.h>
#include <linux/sockios.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "drill.h"

struct drill_fd *drill_fd_of(struct drill *d, int fd, enum drill_kind kind)
{
	if (fd >= 0 && fd < DRILL_FD_MAX && d->fd[fd].kind == kind)
		return &d->fd[fd];
	errno = fd >= 0 && fd < DRILL_FD_MAX && d->fd[fd].kind != DRILL_FREE ? ENOTSOCK : EBADF;
	return NULL;
}

struct drill_fd *drill_socket_of(struct drill *d, int fd)
{
	return drill_fd_of(d, fd, DRILL_SOCKET);
}

static struct drill_fd *fd_take(struct drill *d, int fd, enum drill_kind kind)
{
	if (fd < 0)
		return NULL;
	if (fd >= DRILL_FD_MAX) {
		close(fd);
		errno = EMFILE;
		return NULL;
	}
	d->fd[fd] = (struct drill_fd){ .kind = (uint8_t)kind, .fd = fd };
	list_init(&d->fd[fd].watched);
	return &d->fd[fd];
}

struct drill_fd *drill_fd_new(struct drill *d, enum drill_kind kind)
{
	return fd_take(d, open("/dev/null", O_RDWR | O_CLOEXEC), kind);
}

void drill_fd_free(struct drill *d, struct drill_fd *f)
{
	drill_epoll_forget(d, f->fd);
	if (f->kind == DRILL_EPOLL)
		drill_epoll_free(f);
	f->kind = DRILL_FREE;
	close(f->fd);
}

int drill_close(void *userdata, int fd)
{
	struct drill *d = userdata;
	struct drill_fd *f = fd >= 0 && fd < DRILL_FD_MAX ? &d->fd[fd] : NULL;

	if (!f || f->kind == DRILL_FREE)
		return close(fd);
	drill_enter(d);
	if (f->sock)
		glass_close(d->g, f->sock);
	drill_fd_free(d, f);
	drill_leave(d);
	return 0;
}

int drill_pipe(void *userdata, int fd[2])
{
	struct drill *d = userdata;

	if (pipe2(fd, O_CLOEXEC))
		return -1;
	if (fd_take(d, fd[0], DRILL_PIPE) && fd_take(d, fd[1], DRILL_PIPE))
		return 0;
	return -1;
}

int drill_fcntl(void *userdata, int fd, int cmd, ...)
{
	struct drill *d = userdata;
	struct drill_fd *f = drill_socket_of(d, fd);
	va_list args;
	int flags;

	va_start(args, cmd);
	flags = va_arg(args, int);
	va_end(args);
	if (!f)
		return fcntl(fd, cmd, flags);
	if (cmd == F_GETFL)
		return O_RDWR | (f->nonblock ? O_NONBLOCK : 0);
	if (cmd == F_SETFL)
		f->nonblock = flags & O_NONBLOCK;
	else if (cmd != F_SETFD && cmd != F_GETFD)
		return (int)drill_answer(-EINVAL);
	return 0;
}

/* How many bytes wait, and for whom. */
static int64_t waiting_bytes(struct drill *d, struct drill_fd *f, unsigned long request)
{
	struct glass_conn_info info;

	glass_sock_info(d->g, f->sock, &info);
	if (!__builtin_strcmp(info.state, "LISTEN"))
		return -EINVAL;
	if (request == SIOCINQ)
		return (int64_t)info.recv_q;
	if (request == SIOCOUTQ)
		return (int64_t)info.send_q;
	return -ENOTTY;
}

int drill_ioctl(void *userdata, int fd, unsigned long request, ...)
{
	struct drill *d = userdata;
	struct drill_fd *f;
	int64_t result;
	va_list args;
	int *out;

	va_start(args, request);
	out = va_arg(args, int *);
	va_end(args);
	drill_enter(d);
	f = drill_socket_of(d, fd);
	result = f ? waiting_bytes(d, f, request) : -errno;
	if (result >= 0)
		*out = (int)result;
	drill_leave(d);
	return result < 0 ? (int)drill_answer(result) : 0;
}
