/* SPDX-License-Identifier: MIT */
/*
 * close(2) with SO_LINGER: the last close of a connection waits until the peer has acknowledged
 * all, as long as the program has said; also of a socket that does not wait otherwise (O_NONBLOCK),
 * and any signal handler ends it. That is Linux's way. dup2(2) onto a descriptor and close_range(2)
 * close, too.
 *
 * A process in which nobody has set such a time has nothing to do here; once somebody has, it may
 * stand behind every descriptor (accept, dup), so each that is closed is looked at. What no wrapper
 * sees does not wait: fclose(3) and closefrom(3), which the C library does within itself, and a
 * program that got the socket by exec.
 *
 * In: the program; option.c.   Out: src/daemon/program_linger.c.
 */
#include "close.h"

#include <fcntl.h>
#include <glass/glass.h>

#include "call.h"
#include "ours.h"

#define LINGER_S_MAX 2000000 /* as milliseconds they are an int */

WRAP(int, close, int fd);
WRAP(int, dup2, int from, int to);
WRAP(int, dup3, int from, int to, int flags);
WRAP(int, close_range, unsigned first, unsigned last, int flags);

struct entry { /* as getdents64(2) writes it */
	uint64_t ino, next;
	uint16_t bytes;
	uint8_t type;
	char name[];
};

static bool somebody_lingers;

void close_may_linger(void)
{
	__atomic_store_n(&somebody_lingers, true, __ATOMIC_RELAXED);
}

/* Seconds that its close waits; self is set when that is not 0. */
static int64_t linger_s(int fd, struct abi_name *self)
{
	struct call c = { .req = { .head = { .op = ABI_GETOPT }, .arg = { GLASS_OPT_LINGER } } };

	if (!__atomic_load_n(&somebody_lingers, __ATOMIC_RELAXED) || !ours(fd, self) ||
	    self->proto != ABI_TCP)
		return 0;
	c.req.token = self->token;
	return call_daemon(&c) ? 0 : c.rep.value[0];
}

static void wait_for_peer(const struct abi_name *self, int64_t seconds)
{
	struct call enough = { .req = { .head = { .op = ABI_LINGER_END } } };
	struct call c = { .req = { .head = { .op = ABI_LINGER }, .token = self->token },
			  .later = &enough };

	c.patience_ms = (int)(seconds < LINGER_S_MAX ? seconds : LINGER_S_MAX) * 1000;
	call_daemon(&c);
}

int wrap_close(int fd)
{
	struct abi_name self;
	int64_t seconds = linger_s(fd, &self);
	long result = raw3(SYS_close, fd, 0, 0);

	if (!result && seconds > 0)
		wait_for_peer(&self, seconds);
	return (int)result_of(result);
}

int wrap_dup3(int from, int to, int flags)
{
	struct abi_name self;
	int64_t seconds = from == to ? 0 : linger_s(to, &self);
	long result = raw3(SYS_dup3, from, to, flags);

	if (result >= 0 && seconds > 0)
		wait_for_peer(&self, seconds);
	return (int)result_of(result);
}

int wrap_dup2(int from, int to)
{
	long result;

	if (from != to)
		return wrap_dup3(from, to, 0);
	result = raw3(SYS_fcntl, from, F_GETFD, 0);
	return (int)result_of(result < 0 ? result : to);
}

/* The number that is a name's; -1: it is none. */
static int number_of(const char *name)
{
	int n = 0;

	for (; *name >= '0' && *name <= '9'; name++)
		n = n * 10 + *name - '0';
	return *name ? -1 : n;
}

/* As the kernel: one after the other, each when the one before has waited. */
static void close_lingering(int dir, const char *list, long bytes, unsigned first, unsigned last)
{
	struct abi_name self;

	for (long at = 0; at < bytes;) {
		const struct entry *e = (const void *)(list + at);
		int fd = number_of(e->name);

		at += e->bytes;
		if (fd >= 0 && fd != dir && (unsigned)fd >= first && (unsigned)fd <= last &&
		    linger_s(fd, &self) > 0)
			wrap_close(fd);
	}
}

static void find_lingering(unsigned first, unsigned last)
{
	_Alignas(struct entry) char list[1024];
	long dir = raw4(SYS_openat, AT_FDCWD, addr_of("/proc/self/fd"),
			O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	long n;

	if (dir < 0)
		return;
	while ((n = raw3(SYS_getdents64, dir, addr_of(list), sizeof(list))) > 0)
		close_lingering((int)dir, list, n, first, last);
	raw_close((int)dir);
}

/* With flags nothing is closed, or not here (CLOSE_RANGE_UNSHARE). */
int wrap_close_range(unsigned first, unsigned last, int flags)
{
	if (!flags && first <= last && __atomic_load_n(&somebody_lingers, __ATOMIC_RELAXED))
		find_lingering(first, last);
	return (int)result_of(raw3(SYS_close_range, first, last, flags));
}
