/* SPDX-License-Identifier: MIT */
/*
 * Calls that carry an address beside bytes. On a TCP socket it means nothing: Linux ignores it when
 * sending and answers none when receiving, whereas AF_UNIX would refuse it, or tell the daemon's
 * name. Datagrams with an address are dgram.c's. Without an address these calls go straight to the
 * kernel; only an error of it may have to be translated.
 *
 * In: the program.   Out: dgram.c, socket.c (MSG_FASTOPEN).
 */
#include "dgram.h"
#include "loopback.h"

#include <time.h>

#include "stream.h"

WRAP(ssize_t, send, int fd, const void *buf, size_t n, int flags);
WRAP(ssize_t, sendto, int fd, const void *buf, size_t n, int flags, const struct sockaddr *addr,
     socklen_t size);
WRAP(ssize_t, sendmsg, int fd, const struct msghdr *m, int flags);
WRAP(int, sendmmsg, int fd, struct mmsghdr *m, unsigned n, int flags);
WRAP(ssize_t, recv, int fd, void *buf, size_t n, int flags);
WRAP(ssize_t, __recv_chk, int fd, void *buf, size_t n, size_t room, int flags);
WRAP(ssize_t, recvfrom, int fd, void *restrict buf, size_t n, int flags,
     struct sockaddr *restrict addr, socklen_t *restrict size);
WRAP(ssize_t, __recvfrom_chk, int fd, void *restrict buf, size_t n, size_t room, int flags,
     struct sockaddr *restrict addr, socklen_t *restrict size);
WRAP(ssize_t, recvmsg, int fd, struct msghdr *m, int flags);
WRAP(int, recvmmsg, int fd, struct mmsghdr *m, unsigned n, int flags, struct timespec *timeout);

/* ---- sending -----------------------------------------------------------------------------------
 */

/* Without an address: bytes of a stream, of a connected datagram socket, or not ours. */
static long sent_plain(int fd, long result, int flags)
{
	return dgram_result(fd, stream_sent(fd, result, flags));
}

ssize_t wrap_send(int fd, const void *buf, size_t n, int flags)
{
	struct iovec iov = { (void *)(uintptr_t)buf, n };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct abi_name self;
	long sent;

	/* Of a stream it is no matter, and AF_UNIX knows no pieces of datagrams. */
	if (flags & MSG_MORE && ours(fd, &self) && self.proto != ABI_TCP)
		return result_of(dgram_send(fd, &self, &m, flags));
	sent = stream_is_fresh(fd) ? -EPIPE : raw_send(fd, buf, n, flags | MSG_NOSIGNAL);
	return result_of(sent_plain(fd, sent, flags));
}

static long send_dgram(int fd, const struct abi_name *self, const struct msghdr *m, int flags)
{
	int kernels = m->msg_name ? loopback_to_kernel(fd, self, m->msg_name, m->msg_namelen) : 0;

	if (kernels)
		return kernels < 0 ? kernels : raw3(SYS_sendmsg, fd, addr_of(m), flags);
	return dgram_send(fd, self, m, flags);
}

ssize_t wrap_sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *addr,
		    socklen_t size)
{
	struct iovec iov = { (void *)(uintptr_t)buf, n };
	struct msghdr m = { .msg_name = (void *)(uintptr_t)addr,
			    .msg_namelen = size,
			    .msg_iov = &iov,
			    .msg_iovlen = 1 };
	struct abi_name self;

	if (!addr)
		return wrap_send(fd, buf, n, flags);
	if (!ours(fd, &self))
		return result_of(
			raw6(SYS_sendto, fd, addr_of(buf), (long)n, flags, addr_of(addr), size));
	if (self.proto != ABI_TCP)
		return result_of(send_dgram(fd, &self, &m, flags));
	if (flags & MSG_FASTOPEN)
		return result_of(connect_send(fd, &self, &m, flags));
	return wrap_send(fd, buf, n, flags);
}

static long send_message(int fd, const struct msghdr *m, int flags)
{
	return stream_is_fresh(fd) ? -EPIPE
				   : raw3(SYS_sendmsg, fd, addr_of(m), flags | MSG_NOSIGNAL);
}

ssize_t wrap_sendmsg(int fd, const struct msghdr *m, int flags)
{
	struct abi_name self;
	struct msghdr plain;

	if (!m || (!m->msg_name && !m->msg_control && !(flags & MSG_MORE)) || !ours(fd, &self))
		return result_of(sent_plain(fd, send_message(fd, m, flags), flags));
	if (self.proto != ABI_TCP)
		return result_of(send_dgram(fd, &self, m, flags));
	if (flags & MSG_FASTOPEN && m->msg_name)
		return result_of(connect_send(fd, &self, m, flags));
	plain = *m;
	plain.msg_name = NULL;
	plain.msg_namelen = 0;
	return result_of(stream_sent(fd, send_message(fd, &plain, flags), flags));
}

/* Has one of the messages room for an address, or ancillary data? */
static bool any_beside(const struct mmsghdr *m, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (m[i].msg_hdr.msg_name || m[i].msg_hdr.msg_control)
			return true;
	return false;
}

int wrap_sendmmsg(int fd, struct mmsghdr *m, unsigned n, int flags)
{
	struct abi_name self;
	unsigned done;

	if ((!any_beside(m, n) && !stream_is_fresh(fd) && !(flags & MSG_MORE)) || !ours(fd, &self))
		return (int)result_of(sent_plain(
			fd, raw4(SYS_sendmmsg, fd, addr_of(m), n, flags | MSG_NOSIGNAL), flags));
	for (done = 0; done < n; done++) {
		ssize_t sent = wrap_sendmsg(fd, &m[done].msg_hdr, flags);

		if (sent < 0)
			break;
		m[done].msg_len = (unsigned)sent;
	}
	return done || !n ? (int)done : -1;
}

/* ---- receiving ---------------------------------------------------------------------------------
 */

/* MSG_ERRQUEUE without an address: AF_UNIX would ignore it, and give data. */
static long recv_error(int fd, struct iovec *iov)
{
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 1 };
	struct abi_name self;

	if (!ours(fd, &self))
		return raw3(SYS_recvmsg, fd, addr_of(&m), MSG_ERRQUEUE);
	return self.proto == ABI_TCP ? -EAGAIN : dgram_recv(fd, &self, &m, MSG_ERRQUEUE);
}

/*
 * Nothing is there to receive. Connections wait in a listening socket as messages, which are
 * accept's: whoever looks into it with recv, as Python's ssl does to tell whether it is connected,
 * must find nothing, and take nothing. Nor may it wait in one that was never connected.
 */
static bool is_not_connected(int fd)
{
	struct abi_name peer;

	return peer_of(fd, &peer) == 'l' || stream_is_fresh(fd);
}

static bool is_stream(int fd)
{
	struct abi_name self;

	return ours(fd, &self) && self.proto == ABI_TCP;
}

/* Without an address: as sent_plain(). */
static long received_plain(int fd, long result)
{
	return result == -ECONNRESET && is_stream(fd) ? stream_received(fd, result)
						      : dgram_received(fd, result);
}

ssize_t wrap_recv(int fd, void *buf, size_t n, int flags)
{
	if (flags & MSG_ERRQUEUE)
		return result_of(recv_error(fd, &(struct iovec){ buf, n }));
	if (is_not_connected(fd))
		return result_of(-ENOTCONN);
	if (flags & MSG_TRUNC && is_stream(fd))
		return result_of(stream_received(fd, stream_discard(fd, n, flags)));
	return result_of(received_plain(fd, raw_recv(fd, buf, n, flags)));
}

/* What glibc makes of recv under _FORTIFY_SOURCE. */
ssize_t wrap___recv_chk(int fd, void *buf, size_t n, size_t room, int flags)
{
	if (n > room)
		__builtin_trap();
	return wrap_recv(fd, buf, n, flags);
}

static long recvfrom_dgram(int fd, const struct abi_name *self, struct iovec *iov, int flags,
			   struct sockaddr *addr, socklen_t *size)
{
	struct msghdr m = {
		.msg_name = addr, .msg_namelen = size ? *size : 0, .msg_iov = iov, .msg_iovlen = 1
	};
	long got;

	if (!size || (int)*size < 0)
		return size ? -EINVAL : -EFAULT;
	got = dgram_recv(fd, self, &m, flags);
	if (got >= 0)
		*size = m.msg_namelen;
	return got;
}

ssize_t wrap_recvfrom(int fd, void *restrict buf, size_t n, int flags,
		      struct sockaddr *restrict addr, socklen_t *restrict size)
{
	struct iovec iov = { buf, n };
	struct abi_name self;
	long got;

	if (!addr)
		return wrap_recv(fd, buf, n, flags);
	if (!(flags & MSG_ERRQUEUE) && is_not_connected(fd))
		return result_of(-ENOTCONN);
	if (!ours(fd, &self))
		return result_of(raw6(SYS_recvfrom, fd, addr_of(buf), (long)n, flags, addr_of(addr),
				      addr_of(size)));
	if (self.proto != ABI_TCP)
		return result_of(recvfrom_dgram(fd, &self, &iov, flags, addr, size));
	if (flags & MSG_ERRQUEUE)
		return result_of(-EAGAIN);
	got = flags & MSG_TRUNC ? stream_discard(fd, n, flags) : raw_recv(fd, buf, n, flags);
	if (got >= 0 && size)
		*size = 0;
	return result_of(stream_received(fd, got));
}

/* What glibc makes of recvfrom under _FORTIFY_SOURCE. */
ssize_t wrap___recvfrom_chk(int fd, void *restrict buf, size_t n, size_t room, int flags,
			    struct sockaddr *restrict addr, socklen_t *restrict size)
{
	if (n > room)
		__builtin_trap();
	return wrap_recvfrom(fd, buf, n, flags, addr, size);
}

ssize_t wrap_recvmsg(int fd, struct msghdr *m, int flags)
{
	struct abi_name self;
	void *name;
	long n;

	if (!(flags & MSG_ERRQUEUE) && is_not_connected(fd))
		return result_of(-ENOTCONN);
	if (!m || (!m->msg_name && !m->msg_control && !(flags & (MSG_ERRQUEUE | MSG_TRUNC))) ||
	    !ours(fd, &self))
		return result_of(received_plain(fd, raw3(SYS_recvmsg, fd, addr_of(m), flags)));
	if (self.proto != ABI_TCP)
		return result_of(dgram_recv(fd, &self, m, flags));
	if (flags & MSG_ERRQUEUE)
		return result_of(-EAGAIN);
	name = m->msg_name;
	m->msg_name = NULL;
	if (flags & MSG_TRUNC)
		n = stream_discard_message(fd, m, flags);
	else
		n = raw3(SYS_recvmsg, fd, addr_of(m), flags);
	m->msg_name = name;
	m->msg_namelen = 0;
	return result_of(stream_received(fd, n));
}

static int64_t now_ns(void)
{
	struct timespec t = { 0 };

	raw3(SYS_clock_gettime, CLOCK_MONOTONIC, addr_of(&t), 0);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

/* Linux looks at the time-out only after each datagram, and so do we. */
static int recv_many(int fd, struct mmsghdr *m, unsigned n, int flags,
		     const struct timespec *timeout)
{
	int64_t end =
		timeout ? now_ns() + timeout->tv_sec * 1000000000ll + timeout->tv_nsec : INT64_MAX;
	unsigned done = 0;

	while (done < n) {
		ssize_t got = wrap_recvmsg(fd, &m[done].msg_hdr, flags & ~MSG_WAITFORONE);

		if (got < 0)
			break;
		m[done++].msg_len = (unsigned)got;
		if (flags & MSG_WAITFORONE)
			flags |= MSG_DONTWAIT;
		if (timeout && now_ns() >= end)
			break;
	}
	return done || !n ? (int)done : -1;
}

/* Of a stream one message is all that it ever gives at once without waiting. */
int wrap_recvmmsg(int fd, struct mmsghdr *m, unsigned n, int flags, struct timespec *timeout)
{
	struct abi_name self;

	if (!(flags & MSG_ERRQUEUE) && is_not_connected(fd))
		return (int)result_of(-ENOTCONN);
	if ((!any_beside(m, n) && !(flags & MSG_ERRQUEUE)) || !ours(fd, &self))
		return (int)result_of(dgram_result(
			fd, raw5(SYS_recvmmsg, fd, addr_of(m), n, flags, addr_of(timeout))));
	return recv_many(fd, m, self.proto == ABI_TCP && n ? 1 : n, flags, timeout);
}
