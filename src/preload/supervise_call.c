/* SPDX-License-Identifier: MIT */
/*
 * Each stopped system call: its arguments are fetched, the preload library's function does it on a
 * copy of the descriptor, what it gave goes back. A descriptor that is not one of Glass's, and a
 * family, type or protocol that is not, are left to the kernel.
 *
 * In: supervise.c.   Out: the preload library (struct supervise_lib); supervise_message.c,
 * supervise_ioctl.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "supervise.h"

#define OPTION_MAX 4096
#define ANSWERED INT64_MIN

bool supervise_name_read(struct sockaddr_un *u, socklen_t size, struct abi_name *name)
{
	if (size > sizeof(*u) || size <= offsetof(struct sockaddr_un, sun_path) ||
	    u->sun_family != AF_UNIX)
		return false;
	size -= (socklen_t)offsetof(struct sockaddr_un, sun_path);
	return abi_name_read(u->sun_path, size, name);
}

/* Whether a descriptor, here, is one of Glass's: then what its own name says. */
static bool is_ours(int fd, struct abi_name *self)
{
	struct sockaddr_un u;
	socklen_t size = sizeof(u);

	return !getsockname(fd, (struct sockaddr *)&u, &size) &&
	       supervise_name_read(&u, size, self) && self->kind == 'p';
}

static int64_t result_of_call(int64_t result)
{
	return result < 0 ? -errno : result;
}

/* ---- addresses ---------------------------------------------------------------------------------
 */

union address {
	struct sockaddr any;
	struct sockaddr_storage room;
};

/* 0 or -errno. */
static int address_in(const struct target *t, uint64_t at, uint64_t size, union address *a)
{
	if ((int32_t)size < 0 || size > sizeof(*a))
		return -EINVAL;
	return target_read(t, at, a, size);
}

/* As getsockname(2) gives it: cut to the room there is, with the full length. 0 or -errno. */
static int address_out(const struct target *t, uint64_t at, uint64_t size_at,
		       const union address *a, socklen_t full)
{
	socklen_t room;
	int err = target_read(t, size_at, &room, sizeof(room));

	if (!err && (int32_t)room < 0)
		err = -EINVAL;
	if (!err)
		err = target_write(t, at, a, full < room ? full : room);
	return err ? err : target_write(t, size_at, &full, sizeof(full));
}

/* ---- calls without a wait ----------------------------------------------------------------------
 */

static int64_t do_listen(const struct target *t, int fd)
{
	return result_of_call(lib.listen(fd, (int)t->arg[1]));
}

static int64_t do_shutdown(const struct target *t, int fd)
{
	return result_of_call(lib.shutdown(fd, (int)t->arg[1]));
}

static int64_t do_name(const struct target *t, int fd)
{
	union address a;
	socklen_t size = sizeof(a);
	int err = t->notif->data.nr == SYS_getsockname ? lib.getsockname(fd, &a.any, &size)
						       : lib.getpeername(fd, &a.any, &size);

	return err ? -errno : address_out(t, t->arg[1], t->arg[2], &a, size);
}

static int64_t do_setsockopt(const struct target *t, int fd)
{
	socklen_t size = (socklen_t)t->arg[4];
	char value[OPTION_MAX];
	int err;

	if ((int)size < 0 || size > sizeof(value))
		return -EINVAL;
	err = target_read(t, t->arg[3], value, size);
	return err ? err
		   : result_of_call(
			     lib.setsockopt(fd, (int)t->arg[1], (int)t->arg[2], value, size));
}

static int64_t do_getsockopt(const struct target *t, int fd)
{
	char value[OPTION_MAX];
	socklen_t size;
	int err = target_read(t, t->arg[4], &size, sizeof(size));

	if (!err && (int)size < 0)
		err = -EINVAL;
	if (err)
		return err;
	if (size > sizeof(value))
		size = sizeof(value);
	if (lib.getsockopt(fd, (int)t->arg[1], (int)t->arg[2], value, &size))
		return -errno;
	err = target_write(t, t->arg[3], value, size);
	return err ? err : target_write(t, t->arg[4], &size, sizeof(size));
}

/* ---- new descriptors ---------------------------------------------------------------------------
 */

/* fd, which is closed, becomes the target's answer. */
static int64_t give(const struct target *t, int fd, bool cloexec)
{
	int err = target_give(t, fd, cloexec);

	close(fd);
	return err ? err : ANSWERED;
}

/* The kernel makes it, and somebody counts such. */
static int64_t go_on_counted(const struct target *t)
{
	if (run_counts)
		__atomic_fetch_add(t->arg[0] == AF_INET ? &run_counts->ip4 : &run_counts->ip6, 1,
				   __ATOMIC_RELAXED);
	return GO_ON;
}

static int64_t do_socket(const struct target *t)
{
	int fd = lib.socket((int)t->arg[0], (int)t->arg[1], (int)t->arg[2]);
	struct abi_name self;

	if (fd < 0)
		return errno == EPROTONOSUPPORT || errno == ESOCKTNOSUPPORT || errno == EPERM
			       ? go_on_counted(t)
			       : -errno;
	if (is_ours(fd, &self))
		return give(t, fd, t->arg[1] & SOCK_CLOEXEC);
	close(fd);
	return go_on_counted(t);
}

/* A connection must not be taken whose descriptor the target cannot have: it stays queued. */
static bool has_room(const struct target *t)
{
	struct rlimit limit;
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)t->tid);
	/* Since Linux 6.2 the folder's size is the number of descriptors; before, 0. */
	return stat(path, &st) || prlimit(t->tid, RLIMIT_NOFILE, NULL, &limit) ||
	       (rlim_t)st.st_size < limit.rlim_cur;
}

static int64_t do_accept(const struct target *t, int fd)
{
	int flags = t->notif->data.nr == SYS_accept4 ? (int)t->arg[3] : 0, got, err = 0;
	union address a;
	socklen_t size = sizeof(a);

	if (!has_room(t))
		return -EMFILE;
	supervise_wait_begin(t);
	got = lib.accept4(fd, &a.any, &size, flags | SOCK_CLOEXEC);
	supervise_wait_end();
	if (got < 0)
		return -errno;
	if (t->arg[1])
		err = address_out(t, t->arg[1], t->arg[2], &a, size);
	if (!err)
		return give(t, got, flags & SOCK_CLOEXEC);
	close(got);
	return err;
}

static uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t size = sizeof(cookie);

	getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size);
	return cookie;
}

/*
 * After a failure the library puts a new socket in the place of the old one, or one of the kernel's
 * where loopback is the kernel's: here, and so there.
 */
static int64_t replaced(const struct target *t, int fd, uint64_t before, int64_t result)
{
	int err;

	if (cookie_of(fd) == before)
		return result;
	err = target_replace(t, (int)t->arg[0], fd);
	return err ? err : result;
}

static int64_t do_bind(const struct target *t, int fd)
{
	uint64_t before = cookie_of(fd);
	union address a;
	int err = address_in(t, t->arg[1], t->arg[2], &a);

	if (err)
		return err;
	return replaced(t, fd, before, result_of_call(lib.bind(fd, &a.any, (socklen_t)t->arg[2])));
}

static int64_t do_connect(const struct target *t, int fd)
{
	uint64_t before = cookie_of(fd);
	union address a;
	int64_t result = address_in(t, t->arg[1], t->arg[2], &a);

	if (result)
		return result;
	supervise_wait_begin(t);
	result = result_of_call(lib.connect(fd, &a.any, (socklen_t)t->arg[2]));
	supervise_wait_end();
	return replaced(t, fd, before, result);
}

static int64_t do_message(const struct target *t, int fd, const struct abi_name *self)
{
	uint64_t before = cookie_of(fd);

	return replaced(t, fd, before, supervise_message(t, fd, self));
}

/* ---- all of them -------------------------------------------------------------------------------
 */

static int64_t do_on_fd(const struct target *t, int fd, const struct abi_name *self)
{
	switch (t->notif->data.nr) {
	case SYS_bind:
		return do_bind(t, fd);
	case SYS_listen:
		return do_listen(t, fd);
	case SYS_connect:
		return do_connect(t, fd);
	case SYS_shutdown:
		return do_shutdown(t, fd);
	case SYS_accept:
	case SYS_accept4:
		return do_accept(t, fd);
	case SYS_getsockname:
	case SYS_getpeername:
		return do_name(t, fd);
	case SYS_getsockopt:
		return do_getsockopt(t, fd);
	case SYS_setsockopt:
		return do_setsockopt(t, fd);
	case SYS_ioctl:
		return supervise_ioctl(t, fd);
	default:
		return do_message(t, fd, self);
	}
}

static int64_t on_fd(const struct target *t)
{
	int fd = target_fd(t, (int)t->arg[0]);
	struct abi_name self;
	int64_t result;

	if (fd < 0) /* EPERM: a program that nobody may look into; the namespace is empty */
		return fd == -EBADF ? -EBADF : GO_ON;
	result = is_ours(fd, &self) ? do_on_fd(t, fd, &self) : GO_ON;
	close(fd);
	return result;
}

void supervise_call(const struct target *t)
{
	int64_t result = t->notif->data.nr == SYS_socket ? do_socket(t) : on_fd(t);

	if (result == GO_ON)
		target_go_on(t);
	else if (result != ANSWERED)
		target_answer(t, result);
}
