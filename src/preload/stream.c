/* SPDX-License-Identifier: MIT */
/*
 * TCP sockets where an AF_UNIX stream answers otherwise.
 *
 * The pair of a socket is connected from birth on, so the kernel takes bytes that have nowhere to
 * go, and a receive waits for some that cannot come. Linux answers EPIPE and ENOTCONN. Which
 * descriptors may be meant is remembered in a set of bits: socket() puts one in, connect and listen
 * take it out. What it holds may be out of date (close, dup2), so who is in it is looked at; who is
 * not, is as the kernel has it, and costs nothing.
 *
 * When a connection breaks the kernel knows one errno, ECONNRESET, and tells it to readers only.
 * TCP tells the true one, once, to whoever comes first.
 *
 * In: transfer.c, socket.c, listen.c.   Out: src/daemon/program_option.c (ERROR).
 */
#include "stream.h"

#include <asm/ioctls.h>
#include <linux/sockios.h>
#include <signal.h>
#include <sys/uio.h>

#include "call.h"

#define FDS 65536 /* beyond, nothing is remembered */
#define BITS 32
#define TRASH_BYTES 16384
#define TRASH_IOVS 256

static uint32_t fresh[FDS / BITS];

/* ---- never connected ------------------------------------------------------------------------ */

void stream_fresh(int fd)
{
	if (fd >= 0 && fd < FDS)
		__atomic_fetch_or(&fresh[fd / BITS], 1u << fd % BITS, __ATOMIC_RELAXED);
}

void wrap_glass_look_at(int fd)
{
	stream_fresh(fd);
}

void stream_used(int fd)
{
	if (fd >= 0 && fd < FDS && fresh[fd / BITS] >> fd % BITS & 1)
		__atomic_fetch_and(&fresh[fd / BITS], ~(1u << fd % BITS), __ATOMIC_RELAXED);
}

bool stream_connects(int fd)
{
	int queued = 0;

	return !raw3(SYS_ioctl, fd, SIOCOUTQ, addr_of(&queued)) && queued >= ABI_PLUG_BYTES;
}

bool stream_is_fresh(int fd)
{
	struct abi_name self, peer;

	if (fd < 0 || fd >= FDS || !(fresh[fd / BITS] >> fd % BITS & 1))
		return false;
	if (ours(fd, &self) && self.proto == ABI_TCP && !peer_of(fd, &peer) && !stream_connects(fd))
		return true;
	stream_used(fd);
	return false;
}

/* ---- what results mean ---------------------------------------------------------------------- */

/* The errno that the connection ended with, negative. */
static long true_error(int fd, const struct abi_name *self)
{
	struct call c = { .req = { .head = { .op = ABI_ERROR }, .token = self->token } };
	struct abi_name peer;

	if (peer_of(fd, &peer) == 'e')
		return -peer.error;
	return !call_daemon(&c) && c.rep.value[0] ? -(long)c.rep.value[0] : -ECONNRESET;
}

/* The kernel's error, which it keeps for who asks first: there is one, so it is told. */
static bool take_error(int fd)
{
	int error = 0;
	socklen_t size = sizeof(error);

	return !raw5(SYS_getsockopt, fd, SOL_SOCKET, SO_ERROR, addr_of(&error), addr_of(&size)) &&
	       error;
}

long stream_sent(int fd, long result, int flags)
{
	struct abi_name self;

	if (result != -EPIPE)
		return result;
	if (ours(fd, &self) && self.proto != ABI_TCP)
		return result;
	if (self.kind == 'p' && take_error(fd))
		return true_error(fd, &self);
	if (!(flags & MSG_NOSIGNAL))
		raw3(SYS_tkill, raw3(SYS_gettid, 0, 0, 0), SIGPIPE, 0);
	return result;
}

long stream_received(int fd, long result)
{
	struct abi_name self;
	long error;

	if (result != -ECONNRESET || !ours(fd, &self) || self.proto != ABI_TCP)
		return result;
	error = true_error(fd, &self);
	return error == -EPIPE ? 0
			       : error; /* a RST after the peer's FIN: as on Linux, the end stays */
}

long stream_discard(int fd, size_t n, int flags)
{
	static char trash[TRASH_BYTES]; /* nobody reads it */
	struct iovec iov[TRASH_IOVS];
	struct msghdr m = { .msg_iov = iov };

	while (n && m.msg_iovlen < TRASH_IOVS) {
		size_t part = n < TRASH_BYTES ? n : TRASH_BYTES;

		iov[m.msg_iovlen++] = (struct iovec){ trash, part };
		n -= part;
	}
	return raw3(SYS_recvmsg, fd, addr_of(&m), flags & ~MSG_TRUNC);
}

long stream_discard_message(int fd, struct msghdr *m, int flags)
{
	size_t n = 0;

	for (size_t i = 0; i < m->msg_iovlen; i++)
		n += m->msg_iov[i].iov_len;
	m->msg_controllen = 0;
	m->msg_flags = 0;
	return stream_discard(fd, n, flags);
}
