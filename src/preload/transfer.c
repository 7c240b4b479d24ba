/* SPDX-License-Identifier: MIT */
/*
 * Calls that carry an address beside bytes. On a TCP socket it means nothing: Linux ignores it when
 * sending and answers none when receiving, whereas AF_UNIX would refuse it, or tell the daemon's
 * name. Without an address these calls go straight to the kernel.
 *
 * In: the program.
 */
#include "ours.h"

#ifndef MSG_FASTOPEN
#define MSG_FASTOPEN 0x20000000
#endif

WRAP(ssize_t, sendto, int fd, const void *buf, size_t n, int flags, const struct sockaddr *addr,
     socklen_t size);
WRAP(ssize_t, sendmsg, int fd, const struct msghdr *m, int flags);
WRAP(int, sendmmsg, int fd, struct mmsghdr *m, unsigned n, int flags);
WRAP(ssize_t, recvfrom, int fd, void *restrict buf, size_t n, int flags,
     struct sockaddr *restrict addr, socklen_t *restrict size);
WRAP(ssize_t, __recvfrom_chk, int fd, void *restrict buf, size_t n, size_t room, int flags,
     struct sockaddr *restrict addr, socklen_t *restrict size);
WRAP(ssize_t, recvmsg, int fd, struct msghdr *m, int flags);
WRAP(int, recvmmsg, int fd, struct mmsghdr *m, unsigned n, int flags, struct timespec *timeout);

ssize_t wrap_sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *addr,
		    socklen_t size)
{
	struct abi_name self;

	if (addr && ours(fd, &self)) {
		if (flags & MSG_FASTOPEN)
			return result_of(-EOPNOTSUPP);
		addr = NULL;
		size = 0;
	}
	return result_of(raw6(SYS_sendto, fd, addr_of(buf), (long)n, flags, addr_of(addr), size));
}

ssize_t wrap_sendmsg(int fd, const struct msghdr *m, int flags)
{
	struct abi_name self;
	struct msghdr plain;

	if (m && m->msg_name && ours(fd, &self)) {
		plain = *m;
		plain.msg_name = NULL;
		plain.msg_namelen = 0;
		m = &plain;
	}
	return result_of(raw3(SYS_sendmsg, fd, addr_of(m), flags));
}

/* Has one of the messages room for an address? */
static bool any_name(const struct mmsghdr *m, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (m[i].msg_hdr.msg_name)
			return true;
	return false;
}

int wrap_sendmmsg(int fd, struct mmsghdr *m, unsigned n, int flags)
{
	struct abi_name self;
	unsigned done;

	if (!any_name(m, n) || !ours(fd, &self))
		return (int)result_of(raw4(SYS_sendmmsg, fd, addr_of(m), n, flags));
	for (done = 0; done < n; done++) {
		ssize_t sent = wrap_sendmsg(fd, &m[done].msg_hdr, flags);

		if (sent < 0)
			break;
		m[done].msg_len = (unsigned)sent;
	}
	return done || !n ? (int)done : -1;
}

ssize_t wrap_recvfrom(int fd, void *restrict buf, size_t n, int flags,
		      struct sockaddr *restrict addr, socklen_t *restrict size)
{
	struct abi_name self;

	if (addr && ours(fd, &self)) {
		long got = raw6(SYS_recvfrom, fd, addr_of(buf), (long)n, flags, 0, 0);

		if (got >= 0 && size)
			*size = 0;
		return result_of(got);
	}
	return result_of(
		raw6(SYS_recvfrom, fd, addr_of(buf), (long)n, flags, addr_of(addr), addr_of(size)));
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

	if (!m || !m->msg_name || !ours(fd, &self))
		return result_of(raw3(SYS_recvmsg, fd, addr_of(m), flags));
	name = m->msg_name;
	m->msg_name = NULL;
	n = raw3(SYS_recvmsg, fd, addr_of(m), flags);
	m->msg_name = name;
	m->msg_namelen = 0;
	return result_of(n);
}

/* One message is all that a stream ever gives at once without waiting. */
int wrap_recvmmsg(int fd, struct mmsghdr *m, unsigned n, int flags, struct timespec *timeout)
{
	struct abi_name self;
	ssize_t got;

	if (!any_name(m, n) || !ours(fd, &self))
		return (int)result_of(
			raw5(SYS_recvmmsg, fd, addr_of(m), n, flags, addr_of(timeout)));
	got = wrap_recvmsg(fd, &m[0].msg_hdr, flags & ~MSG_WAITFORONE);
	if (got < 0)
		return -1;
	m[0].msg_len = (unsigned)got;
	return 1;
}
