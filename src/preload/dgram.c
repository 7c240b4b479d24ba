/* SPDX-License-Identifier: MIT */
/*
 * Datagrams that carry an address or ancillary data. To an address goes by way of the daemon, whose
 * answer is exact; what a connected socket sends and receives without either is the kernel's. Where
 * a datagram comes from is in the name of the socket that gave it to us (abi/name.h), with what
 * else the program asked to be told.
 *
 * The walk over ancillary data is written out, because the C libraries' needs a function of theirs.
 *
 * In: transfer.c.   Out: src/daemon/program_dgram.c (SENDTO, ERROR).
 */
#include "dgram.h"

#include <netinet/in.h>
#include <sys/un.h>

#include "call.h"

#define UDP_MAX_BYTES 65507

/* ---- ancillary data ------------------------------------------------------------------------- */

static struct cmsghdr *cmsg_next(const struct msghdr *m, struct cmsghdr *at)
{
	char *next, *end;

	if (!m->msg_control || (at && at->cmsg_len < sizeof(*at)))
		return NULL;
	end = (char *)m->msg_control + m->msg_controllen;
	next = at ? (char *)at + CMSG_ALIGN(at->cmsg_len) : m->msg_control;
	if (next > end || (size_t)(end - next) < sizeof(*at))
		return NULL;
	at = (struct cmsghdr *)(void *)next;
	return at->cmsg_len >= sizeof(*at) && at->cmsg_len <= (size_t)(end - next) ? at : NULL;
}

static uint32_t ip4_at(const uint8_t *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static int int_at(const void *bytes, size_t length)
{
	int v = 0;

	__builtin_memcpy(&v, bytes, length < sizeof(v) ? length : sizeof(v));
	return v;
}

/* One of them into arg[0..2] of SENDTO. 0 or -EINVAL. */
static int cmsg_read(const struct cmsghdr *c, int64_t arg[4])
{
	const uint8_t *data = (const uint8_t *)(c + 1);
	size_t length = c->cmsg_len - sizeof(*c);
	bool ip = c->cmsg_level == IPPROTO_IP, ip6 = c->cmsg_level == IPPROTO_IPV6;

	if (!ip && !ip6)
		return c->cmsg_level == SOL_SOCKET ? 0 : -EINVAL;
	if ((ip && c->cmsg_type == IP_TTL) || (ip6 && c->cmsg_type == IPV6_HOPLIMIT)) {
		arg[0] = int_at(data, length);
		return length == sizeof(int) && arg[0] > 0 && arg[0] < 256 ? 0 : -EINVAL;
	}
	if ((ip && c->cmsg_type == IP_TOS) || (ip6 && c->cmsg_type == IPV6_TCLASS)) {
		arg[1] = int_at(data, length);
		return length && arg[1] >= 0 && arg[1] < 256 ? 0 : -EINVAL;
	}
	if (ip && c->cmsg_type == IP_PKTINFO && length >= sizeof(struct in_pktinfo)) {
		arg[2] = ip4_at(data + offsetof(struct in_pktinfo, ipi_spec_dst));
		return 0;
	}
	if (ip6 && c->cmsg_type == IPV6_PKTINFO && length >= 16) {
		arg[2] = ip4_at(data + 12);
		return 0;
	}
	return -EINVAL;
}

void cmsg_add(struct msghdr *m, size_t room, int level, int type, const void *data, size_t length)
{
	struct cmsghdr head = { sizeof(head) + length, level, type };
	size_t used = CMSG_ALIGN(m->msg_controllen);

	if (used > room || room - used < sizeof(head) + length) {
		m->msg_flags |= MSG_CTRUNC;
		return;
	}
	__builtin_memcpy((char *)m->msg_control + used, &head, sizeof(head));
	__builtin_memcpy((char *)m->msg_control + used + sizeof(head), data, length);
	used += CMSG_ALIGN(sizeof(head) + length);
	m->msg_controllen = used < room ? used : room;
}

static void add_pktinfo(struct msghdr *m, size_t room, const struct abi_name *from)
{
	struct in_pktinfo i4 = { .ipi_ifindex = from->dev + 1 }; /* as iface.h: lo is 1 */

	__builtin_memcpy(&i4.ipi_spec_dst, from->local.addr, 4);
	i4.ipi_addr = i4.ipi_spec_dst;
	cmsg_add(m, room, IPPROTO_IP, IP_PKTINFO, &i4, sizeof(i4));
}

static void add_pktinfo6(struct msghdr *m, size_t room, const struct abi_name *from)
{
	struct in6_pktinfo i6 = { .ipi6_ifindex = from->dev + 1u };

	i6.ipi6_addr.s6_addr[10] = i6.ipi6_addr.s6_addr[11] = 0xff;
	__builtin_memcpy(&i6.ipi6_addr.s6_addr[12], from->local.addr, 4);
	cmsg_add(m, room, IPPROTO_IPV6, IPV6_PKTINFO, &i6, sizeof(i6));
}

/* As Linux: a packet of IPv4 is told of by the options of IPPROTO_IP, on a socket of IPv6 too. */
static void add_told(struct msghdr *m, size_t room, const struct abi_name *from)
{
	int ttl = from->ttl;

	if (from->tell & ABI_TELL_PKTINFO6)
		add_pktinfo6(m, room, from);
	if (from->tell & ABI_TELL_PKTINFO)
		add_pktinfo(m, room, from);
	if (from->tell & ABI_TELL_TTL)
		cmsg_add(m, room, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
	if (from->tell & ABI_TELL_TOS)
		cmsg_add(m, room, IPPROTO_IP, IP_TOS, &from->tos, 1);
}

/* ---- sending -------------------------------------------------------------------------------- */

static size_t length_of(const struct msghdr *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->msg_iovlen && n <= UDP_MAX_BYTES; i++)
		n += m->msg_iov[i].iov_len;
	return n;
}

static long send_told(const struct abi_name *self, const struct msghdr *m)
{
	struct call c = {
		.req = { .head = { .op = ABI_SENDTO }, .token = self->token, .arg = { 0, -1 } },
		.iov = m->msg_iov,
		.niov = m->msg_iovlen
	};
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
	if (flags & MSG_OOB || flags & MSG_MORE)
		return -EOPNOTSUPP;
	if ((m->msg_name && m->msg_namelen) || (m->msg_control && m->msg_controllen))
		return send_told(self, m);
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

long dgram_recv(int fd, const struct abi_name *self, struct msghdr *m, int flags)
{
	size_t room = m->msg_control ? m->msg_controllen : 0;
	struct msghdr ask;
	struct sockaddr_un u;
	struct abi_name from;
	long n;

	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (flags & MSG_ERRQUEUE)
		return dgram_recv_error(fd, self, m, room);
	do {
		ask = *m;
		ask.msg_name = &u;
		ask.msg_namelen = sizeof(u);
		n = raw3(SYS_recvmsg, fd, addr_of(&ask), flags);
		if (n < 0)
			return dgram_result(fd, n);
		if (!is_mark(&u, ask.msg_namelen))
			break;
		n = take_mark(fd, self, flags);
	} while (!n);
	if (n < 0)
		return n;
	m->msg_flags = ask.msg_flags;
	m->msg_controllen = ask.msg_controllen;
	if (!origin_of(&u, ask.msg_namelen, &from)) {
		m->msg_namelen = 0;
		return n;
	}
	if (from.kind == 'r')
		add_told(m, room, &from);
	if (m->msg_name)
		sockaddr_of_end(self->family, &from.remote, m->msg_name, &m->msg_namelen);
	return n;
}
