/* SPDX-License-Identifier: MIT */
/*
 * close(2) with SO_LINGER: the last close of a connection waits until the peer has acknowledged
 * all, as long as the program has said; also of a socket that does not wait otherwise (O_NONBLOCK),
 * and any signal handler ends it. That is Linux's way.
 *
 * A process in which nobody has set such a time has nothing to do here; once somebody has, it may
 * stand behind every descriptor (accept, dup), so each that is closed is looked at. What no wrapper
 * sees does not wait: close_range(2), dup2(2) onto the descriptor, fclose(3), and a program that
 * got the socket by exec.
 *
 * In: the program; option.c.   Out: src/daemon/program_linger.c.
 */
#include "close.h"

#include <glass/glass.h>

#include "call.h"
#include "ours.h"

#define LINGER_S_MAX 2000000 /* as milliseconds they are an int */

WRAP(int, close, int fd);

static bool somebody_lingers;

void close_may_linger(void)
{
	__atomic_store_n(&somebody_lingers, true, __ATOMIC_RELAXED);
}

/* Seconds that its close waits. */
static int64_t linger_s(const struct abi_name *self)
{
	struct call c = { .req = { .head = { .op = ABI_GETOPT },
				   .token = self->token,
				   .arg = { GLASS_OPT_LINGER } } };

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
	int64_t seconds = 0;
	long result;

	if (__atomic_load_n(&somebody_lingers, __ATOMIC_RELAXED) && ours(fd, &self) &&
	    self.proto == ABI_TCP)
		seconds = linger_s(&self);
	result = raw3(SYS_close, fd, 0, 0);
	if (!result && seconds > 0)
		wait_for_peer(&self, seconds);
	return (int)result_of(result);
}
