/* SPDX-License-Identifier: MIT */
/*
 * Datagrams that carry an address or ancillary data. To an address goes by way of the daemon, whose
 * answer is exact; what a connected socket sends and receives without either is the kernel's. Where
 * a datagram comes from is in the name of the socket that gave it to us (abi/name.h), with what
 * else the program asked to be told. A connected socket hears its peer only, which has one name: it
 * is told by the name of a socket that comes along.
 *
 * In: transfer.c.   Out: dgram_cmsg.c; src/daemon/program_dgram.c (SENDTO, ERROR).
 */
#include "dgram.h"

#include <sys/un.h>

#include "call.h"

#define UDP_MAX_BYTES 65507

/* ---- sending -------------------------------------------------------------------------------- */

static size_t length_of(const struct msghdr *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->msg_iovlen && n <= UDP_MAX_BYTES; i++)
		n += m->msg_iov[i].iov_len;
	return n;
}

static long send_told(const struct abi_name *self, const struct msghdr *m, bool more)
{
	struct call c = { .req = { .head = { .op = ABI_SENDTO },
				   .token = self->token,
				   .arg = { 0, -1, 0, more ? ABI_SENDTO_MORE : 0 } },
			  .iov = m->msg_iov,
			  .niov = m->msg_iovlen };
	size_t length = length_of(m);
	long err = 0;

	if (m->msg_iovlen > CALL_IOV_MAX || length > UDP_MAX_BYTES)
		return -EMSGSIZE;
	if (m->msg_name && m->msg_namelen)
		err = end_of_peer(self, m->msg_name, m->msg_namelen, &c.req.end);
	for (struct cmsghdr *at = cmsg_next(m, NULL); at && !err; at = cmsg_next(m, at))
		err = cmsg_read(at, c.req.arg);
	if (!err)
		err = call_daemon(&c);
	if (err == -EADDRNOTAVAIL)
		return -ENETUNREACH;
	return err ? err : (long)length;
}

long dgram_send(int fd, const struct abi_name *self, const struct msghdr *m, int flags)
{
	bool more = flags & MSG_MORE && self->proto == ABI_UDP;

	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (more || (m->msg_name && m->msg_namelen) || (m->msg_control && m->msg_controllen))
		return send_told(self, m, more);
	return dgram_result(fd, raw3(SYS_sendmsg, fd, addr_of(m), flags | MSG_NOSIGNAL));
}

/* ---- receiving ------------------------------------------------------------------------------ */

static bool origin_of(struct sockaddr_un *u, socklen_t size, struct abi_name *from)
{
	return size > offsetof(struct sockaddr_un, sun_path) && size <= sizeof(*u) &&
	       abi_name_read(u->sun_path, size - (unsigned)offsetof(struct sockaddr_un, sun_path),
			     from);
}

/* An empty datagram that stands for an error. */
static bool is_mark(struct sockaddr_un *u, socklen_t size)
{
	struct abi_name from;

	return origin_of(u, size, &from) && from.kind == 'x';
}

/* The error, negative; 0: it has been told meanwhile. */
static long take_mark(int fd, const struct abi_name *self, int flags)
{
	if (flags & MSG_PEEK)
		raw_recv(fd, NULL, 0, MSG_DONTWAIT);
	return -dgram_pending(self);
}

/* One message that is no mark, from whom u says. Its length, or a negative errno. */
static long recv_one(int fd, const struct abi_name *self, struct msghdr *ask, int flags,
		     struct sockaddr_un *u)
{
	struct msghdr fresh = *ask;
	long n;

	do {
		*ask = fresh;
		ask->msg_name = u;
		ask->msg_namelen = sizeof(*u);
		n = raw3(SYS_recvmsg, fd, addr_of(ask), flags | MSG_CMSG_CLOEXEC);
		if (n < 0)
			return dgram_result(fd, n);
		if (!is_mark(u, ask->msg_namelen))
			return n;
		n = take_mark(fd, self, flags);
	} while (!n);
	return n;
}

long dgram_recv(int fd, const struct abi_name *self, struct msghdr *m, int flags)
{
	size_t room = m->msg_control ? m->msg_controllen : 0;
	union cmsg_room along;
	struct msghdr ask = *m;
	struct sockaddr_un u;
	struct abi_name from;
	long n;

	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (flags & MSG_ERRQUEUE)
		return dgram_recv_error(fd, self, m, room);
	if (room) {
		ask.msg_control = &along;
		ask.msg_controllen = sizeof(along);
	}
	n = recv_one(fd, self, &ask, flags, &u);
	if (n < 0)
		return n;
	m->msg_flags = ask.msg_flags & ~MSG_CMSG_CLOEXEC;
	m->msg_controllen = 0;
	if (!origin_of(&u, ask.msg_namelen, &from))
		from = (struct abi_name){ 0 };
	cmsg_pass(m, room, &ask, &from);
	if (from.tell)
		cmsg_add_told(m, room, &from);
	if (!from.kind)
		m->msg_namelen = 0;
	else if (m->msg_name)
		sockaddr_of_end(self->family, &from.remote, m->msg_name, &m->msg_namelen);
	return n;
}
