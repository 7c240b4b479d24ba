/* SPDX-License-Identifier: MIT */
/*
 * Calls that packetdrill makes to libc and not through the interface: getsockopt() for a script's
 * %{ tcpi_... }%, and sendfile(). The shared object has functions of these names too, for whoever
 * loads it by LD_PRELOAD: descriptors that a stack stands behind are served by it, all others by
 * the kernel.
 *
 * In:  packetdrill.   Out: option.c, data_out.c.
 */
#include <sys/syscall.h>
#include <unistd.h>

#include "drill.h"

PACKETDRILL_API int getsockopt(int fd, int level, int name, void *restrict value,
			       socklen_t *restrict size);
PACKETDRILL_API ssize_t sendfile(int out, int in, off_t *at, size_t length);

static bool is_ours(int fd)
{
	const struct drill *d = drill_instance;

	return d && fd >= 0 && fd < DRILL_FD_MAX && d->fd[fd].kind == DRILL_SOCKET;
}

int getsockopt(int fd, int level, int name, void *restrict value, socklen_t *restrict size)
{
	if (is_ours(fd))
		return drill_getsockopt(drill_instance, fd, level, name, value, size);
	return (int)syscall(SYS_getsockopt, fd, level, name, value, size);
}

/* A file, by way of a buffer; as in Linux it may be less than was asked for. */
ssize_t sendfile(int out, int in, off_t *at, size_t length)
{
	uint8_t bytes[65536];
	ssize_t n;

	if (!is_ours(out))
		return syscall(SYS_sendfile, out, in, at, length);
	length = length < sizeof(bytes) ? length : sizeof(bytes);
	n = at ? pread(in, bytes, length, *at) : read(in, bytes, length);
	if (n > 0)
		n = drill_write(drill_instance, out, bytes, (size_t)n);
	if (n > 0 && at)
		*at += n;
	return n;
}
