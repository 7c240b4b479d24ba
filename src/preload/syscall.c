/* SPDX-License-Identifier: MIT */
/*
 * syscall(2), the C library's: what is wrapped under its name is wrapped under its number too.
 * io_uring, whose calls nobody could wrap, is not there: programs do without.
 *
 * In: the program.   Out: the wrappers.
 */
#include <stdarg.h>
#include <sys/socket.h>
#include <time.h>

#include "raw.h"

WRAP(long, syscall, long nr, ...);

int wrap_socket(int, int, int) __asm__("socket");
int wrap_bind(int, const void *, socklen_t) __asm__("bind");
int wrap_listen(int, int) __asm__("listen");
int wrap_connect(int, const void *, socklen_t) __asm__("connect");
int wrap_accept(int, void *, void *) __asm__("accept");
int wrap_accept4(int, void *, void *, int) __asm__("accept4");
int wrap_getsockname(int, void *, void *) __asm__("getsockname");
int wrap_getpeername(int, void *, void *) __asm__("getpeername");
int wrap_getsockopt(int, int, int, void *, void *) __asm__("getsockopt");
int wrap_setsockopt(int, int, int, const void *, socklen_t) __asm__("setsockopt");
int wrap_shutdown(int, int) __asm__("shutdown");
int wrap_close(int) __asm__("close");
int wrap_dup3(int, int, int) __asm__("dup3");
int wrap_dup2(int, int) __asm__("dup2");
int wrap_close_range(unsigned, unsigned, int) __asm__("close_range");
ssize_t wrap_sendto(int, const void *, size_t, int, const void *, socklen_t) __asm__("sendto");
ssize_t wrap_recvfrom(int, void *, size_t, int, void *, void *) __asm__("recvfrom");
ssize_t wrap_sendmsg(int, const void *, int) __asm__("sendmsg");
ssize_t wrap_recvmsg(int, void *, int) __asm__("recvmsg");
int wrap_sendmmsg(int, void *, unsigned, int) __asm__("sendmmsg");
int wrap_recvmmsg(int, void *, unsigned, int, void *) __asm__("recvmmsg");
int wrap_ioctl(int, unsigned long, ...) __asm__("ioctl");
int wrap_execve(const void *, const void *, const void *) __asm__("execve");
int wrap_execveat(int, const void *, const void *, const void *, int) __asm__("execveat");

static void *pointer(long a)
{
	return (void *)a;
}

/* Those that carry bytes; *done: it is one of them. */
static long transfer(long nr, const long a[6], bool *done)
{
	int fd = (int)a[0];

	*done = true;
	switch (nr) {
	case SYS_sendto:
		return wrap_sendto(fd, pointer(a[1]), (size_t)a[2], (int)a[3], pointer(a[4]),
				   (socklen_t)a[5]);
	case SYS_recvfrom:
		return wrap_recvfrom(fd, pointer(a[1]), (size_t)a[2], (int)a[3], pointer(a[4]),
				     pointer(a[5]));
	case SYS_sendmsg:
		return wrap_sendmsg(fd, pointer(a[1]), (int)a[2]);
	case SYS_recvmsg:
		return wrap_recvmsg(fd, pointer(a[1]), (int)a[2]);
	case SYS_sendmmsg:
		return wrap_sendmmsg(fd, pointer(a[1]), (unsigned)a[2], (int)a[3]);
	case SYS_recvmmsg:
		return wrap_recvmmsg(fd, pointer(a[1]), (unsigned)a[2], (int)a[3], pointer(a[4]));
	default:
		*done = false;
		return 0;
	}
}

/* Those of a socket's life and names. */
static long life(long nr, const long a[6], bool *done)
{
	int fd = (int)a[0];

	*done = true;
	switch (nr) {
	case SYS_socket:
		return wrap_socket((int)a[0], (int)a[1], (int)a[2]);
	case SYS_bind:
		return wrap_bind(fd, pointer(a[1]), (socklen_t)a[2]);
	case SYS_listen:
		return wrap_listen(fd, (int)a[1]);
	case SYS_connect:
		return wrap_connect(fd, pointer(a[1]), (socklen_t)a[2]);
	case SYS_accept:
		return wrap_accept(fd, pointer(a[1]), pointer(a[2]));
	case SYS_accept4:
		return wrap_accept4(fd, pointer(a[1]), pointer(a[2]), (int)a[3]);
	case SYS_getsockname:
		return wrap_getsockname(fd, pointer(a[1]), pointer(a[2]));
	case SYS_getpeername:
		return wrap_getpeername(fd, pointer(a[1]), pointer(a[2]));
	case SYS_shutdown:
		return wrap_shutdown(fd, (int)a[1]);
	case SYS_close:
		return wrap_close(fd);
	default:
		*done = false;
		return 0;
	}
}

/* Those that close beside what they do. */
static long closing(long nr, const long a[6], bool *done)
{
	*done = true;
	switch (nr) {
#ifdef SYS_dup2
	case SYS_dup2:
		return wrap_dup2((int)a[0], (int)a[1]);
#endif
	case SYS_dup3:
		return wrap_dup3((int)a[0], (int)a[1], (int)a[2]);
	case SYS_close_range:
		return wrap_close_range((unsigned)a[0], (unsigned)a[1], (int)a[2]);
	default:
		*done = false;
		return 0;
	}
}

static long other(long nr, const long a[6])
{
	int fd = (int)a[0];

	switch (nr) {
	case SYS_getsockopt:
		return wrap_getsockopt(fd, (int)a[1], (int)a[2], pointer(a[3]), pointer(a[4]));
	case SYS_setsockopt:
		return wrap_setsockopt(fd, (int)a[1], (int)a[2], pointer(a[3]), (socklen_t)a[4]);
	case SYS_ioctl:
		return wrap_ioctl(fd, (unsigned long)a[1], a[2]);
	case SYS_execve:
		return wrap_execve(pointer(a[0]), pointer(a[1]), pointer(a[2]));
	case SYS_execveat:
		return wrap_execveat(fd, pointer(a[1]), pointer(a[2]), pointer(a[3]), (int)a[4]);
	case SYS_io_uring_setup:
		return result_of(-ENOSYS);
	default:
		return result_of(raw6(nr, a[0], a[1], a[2], a[3], a[4], a[5]));
	}
}

long wrap_syscall(long nr, ...)
{
	long a[6], result;
	va_list ap;
	bool done;

	va_start(ap, nr);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	result = transfer(nr, a, &done);
	if (!done)
		result = life(nr, a, &done);
	if (!done)
		result = closing(nr, a, &done);
	return done ? result : other(nr, a);
}
