/* SPDX-License-Identifier: MIT */
/*
 * socket(2), connect(2), shutdown(2). A socket of the program is what glassd sends: one end of an
 * AF_UNIX pair, or a datagram socket, under the next free number as always. Everything that is not
 * TCP, UDP, ICMP echo or raw over IPv4 (or IPv4 mapped into IPv6) is the kernel's.
 *
 * In: the program.   Out: src/daemon/program.c, program_connect.c.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/time.h>

#include <glass/glass.h>

#include "call.h"
#include "loopback.h"
#include "ours.h"
#include "stream.h"

#define TYPE_MASK 0xf
#define CONNECT_NO_LIMIT -1
#define FAST_IOVS 16
#define TURNS_MAX 100	 /* of glassd, until it must have seen an event */
#define FAST_BYTES 65536 /* a SYN does not carry more */

WRAP(int, socket, int domain, int type, int protocol);
WRAP(int, connect, int fd, const struct sockaddr *addr, socklen_t size);
WRAP(int, shutdown, int fd, int how);

/* A new end; flags SOCK_NONBLOCK, SOCK_CLOEXEC; after: token of the socket it takes the place of;
 * protocol: of a raw one. */
static int end_get(uint8_t family, uint8_t proto, int flags, uint64_t after, int protocol)
{
	struct call c = { .req = { .head = { .op = ABI_SOCKET },
				   .arg = { family, proto, (int64_t)after, protocol } },
			  .cloexec = flags & SOCK_CLOEXEC };
	int err = call_daemon(&c);

	if (err)
		return err;
	if (c.fd < 0)
		return -EMFILE;
	if (flags & SOCK_NONBLOCK)
		raw3(SYS_fcntl, c.fd, F_SETFL, O_RDWR | O_NONBLOCK);
	return c.fd;
}

/* enum glass_proto; 0: not ours. */
static uint8_t proto_of(int domain, int type, int protocol)
{
	if (domain != AF_INET && domain != AF_INET6)
		return 0;
	if ((type & TYPE_MASK) == SOCK_STREAM && (!protocol || protocol == IPPROTO_TCP))
		return GLASS_TCP;
	if ((type & TYPE_MASK) == SOCK_RAW && domain == AF_INET && protocol > 0 && protocol < 256)
		return GLASS_RAW;
	if ((type & TYPE_MASK) != SOCK_DGRAM)
		return 0;
	if (!protocol || protocol == IPPROTO_UDP)
		return GLASS_UDP;
	return domain == AF_INET && protocol == IPPROTO_ICMP ? GLASS_PING : 0;
}

int wrap_socket(int domain, int type, int protocol)
{
	uint8_t proto = proto_of(domain, type, protocol);
	int fd;

	if (!proto && (domain == AF_INET || domain == AF_INET6)) /* not marked: it is counted */
		return (int)result_of(raw6(SYS_socket, domain, type, protocol, 0, 0, 0));
	if (!proto)
		return (int)result_of(raw3(SYS_socket, domain, type, protocol));
	if (type & ~(TYPE_MASK | SOCK_NONBLOCK | SOCK_CLOEXEC))
		return (int)result_of(-EINVAL);
	fd = end_get(domain == AF_INET6 ? 6 : 4, proto, type, 0, protocol);
	if (proto == GLASS_TCP)
		stream_fresh(fd);
	else
		stream_used(fd);
	return (int)result_of(fd);
}

/* ---- connect -----------------------------------------------------------------------------------
 */

/* The pair is used up by a failed connect: a new one takes its number. 0 or -errno. */
static int end_replace(int fd, const struct abi_name *self)
{
	long status = raw3(SYS_fcntl, fd, F_GETFL, 0), on_exec = raw3(SYS_fcntl, fd, F_GETFD, 0);
	int fresh =
		end_get(self->family, self->proto,
			(status & O_NONBLOCK ? SOCK_NONBLOCK : 0) | SOCK_CLOEXEC, self->token, 0);
	long err;

	if (fresh < 0)
		return fresh;
	err = raw3(SYS_dup3, fresh, fd, on_exec & FD_CLOEXEC ? O_CLOEXEC : 0);
	raw_close(fresh);
	stream_fresh(fd);
	return err < 0 ? (int)err : 0;
}

/* Milliseconds of SO_SNDTIMEO, which limits connect too. */
static int connect_limit_ms(int fd)
{
	struct timeval t = { 0 };
	socklen_t size = sizeof(t);

	if (raw5(SYS_getsockopt, fd, SOL_SOCKET, SO_SNDTIMEO, addr_of(&t), addr_of(&size)) ||
	    (!t.tv_sec && !t.tv_usec))
		return CONNECT_NO_LIMIT;
	return t.tv_sec > 2000000 ? CONNECT_NO_LIMIT
				  : (int)(t.tv_sec * 1000 + (t.tv_usec + 999) / 1000);
}

/*
 * Asks, and waits for how the connect ends. When the wait is over before the connect is, that goes
 * on by itself, as one that never waited.
 */
static int connect_wait(int fd, struct call *c)
{
	struct call go_on = { .req = { .head = { .op = ABI_CONNECT_GO_ON },
				       .token = c->req.token,
				       .arg = { ABI_PLUG_BYTES } },
			      .send_fd = &fd };

	c->later = &go_on;
	c->patience_ms = connect_limit_ms(fd);
	return call_daemon(c);
}

/*
 * Without waiting glassd plugs the pair, through this end: only it knows whether a connect begins
 * or one is under way, and zeros too many would reach the peer as data.
 */
static int connect_start(int fd, const struct abi_name *self, const struct abi_end *to, bool waits)
{
	struct call c = { .req = { .head = { .op = waits ? ABI_CONNECT_WAIT : ABI_CONNECT },
				   .token = self->token,
				   .arg = { ABI_PLUG_BYTES },
				   .end = *to },
			  .send_fd = waits ? NULL : &fd };

	return waits ? connect_wait(fd, &c) : call_daemon(&c);
}

/*
 * A connect after one that failed: tells the error, or when somebody has asked for it already
 * ECONNABORTED, as Linux does. The next one starts anew, on the same number.
 */
static int connect_after_failure(int fd, const struct abi_name *self, const struct abi_name *peer)
{
	int pending = 0, err;
	socklen_t size = sizeof(pending);

	raw5(SYS_getsockopt, fd, SOL_SOCKET, SO_ERROR, addr_of(&pending), addr_of(&size));
	err = end_replace(fd, self);
	return err ? err : pending ? -peer->error : -ECONNABORTED;
}

/* glassd connects both ends: it knows our socket by what comes along. */
static int connect_dgram(int fd, const struct abi_name *self, const void *addr, socklen_t size)
{
	struct call c = { .req = { .head = { .op = ABI_CONNECT }, .token = self->token },
			  .send_fd = &fd };
	const struct sockaddr *sa = addr;
	int err = 0;

	if (!sa || size < sizeof(sa->sa_family) || sa->sa_family != AF_UNSPEC)
		err = end_of_peer(self, addr, size, &c.req.end);
	if (err)
		return err == -EADDRNOTAVAIL ? -ENETUNREACH : err;
	if (c.req.end.family && !abi_end_ip4(&c.req.end))
		c.req.end =
			abi_end_of_ip4(INADDR_LOOPBACK, c.req.end.port); /* as Linux: this host */
	return call_daemon(&c);
}

/* May fd be connected to that address? *kind: what its peer is. 1: yes; else the answer. */
static int connect_prepare(int fd, struct abi_name *self, const void *addr, socklen_t size,
			   struct abi_end *to, char *kind)
{
	struct abi_name peer;
	int err = end_of_sockaddr(self, addr, size, to);

	*kind = peer_of(fd, &peer);
	if (err)
		return err == -EADDRNOTAVAIL ? -ENETUNREACH : err;
	if (*kind == 'e')
		return connect_after_failure(fd, self, &peer);
	if (*kind == 'l')
		return -EISCONN;
	if (!abi_end_ip4(to))
		*to = abi_end_of_ip4(INADDR_LOOPBACK, to->port); /* as Linux: this host */
	return 1;
}

static int connect_ours(int fd, struct abi_name *self, const void *addr, socklen_t size)
{
	const struct sockaddr *sa = addr;
	struct abi_end to;
	char kind;
	int err;

	if (sa && size >= sizeof(sa->sa_family) && sa->sa_family == AF_UNSPEC)
		return end_replace(fd, self);
	err = connect_prepare(fd, self, addr, size, &to, &kind);
	if (err <= 0)
		return err;
	stream_used(fd);
	err = connect_start(fd, self, &to,
			    kind != 'c' && !(raw3(SYS_fcntl, fd, F_GETFL, 0) & O_NONBLOCK));
	if (err)
		stream_fresh(fd); /* or under way, which is looked at */
	return err;
}

/* ---- connect with the first bytes: MSG_FASTOPEN -------------------------------------------- */

/* The part of from that lies between skip and skip + max, as far as it fits into n iovecs. */
static size_t iov_part(const struct msghdr *from, size_t skip, size_t max, struct iovec *to,
		       size_t n)
{
	size_t used = 0;

	for (size_t i = 0; i < from->msg_iovlen && used < n && max; i++) {
		struct iovec v = from->msg_iov[i];

		if (skip >= v.iov_len) {
			skip -= v.iov_len;
			continue;
		}
		v.iov_base = (char *)v.iov_base + skip;
		v.iov_len -= skip;
		skip = 0;
		v.iov_len = v.iov_len < max ? v.iov_len : max;
		max -= v.iov_len;
		to[used++] = v;
	}
	return used;
}

/* The handshake is over: what the SYN did not carry. taken bytes are sent already. */
static long send_rest(int fd, const struct msghdr *m, int flags, size_t taken)
{
	struct iovec part[FAST_IOVS];
	struct msghdr rest = { .msg_iov = part };
	long n;

	for (;;) {
		rest.msg_iovlen = iov_part(m, taken, SIZE_MAX, part, FAST_IOVS);
		if (!rest.msg_iovlen)
			return (long)taken;
		n = raw3(SYS_sendmsg, fd, addr_of(&rest), flags);
		if (n <= 0)
			return taken ? (long)taken : n;
		taken += (size_t)n;
	}
}

long connect_send(int fd, struct abi_name *self, const struct msghdr *m, int flags)
{
	bool waits = !(flags & MSG_DONTWAIT) && !(raw3(SYS_fcntl, fd, F_GETFL, 0) & O_NONBLOCK);
	struct iovec part[FAST_IOVS];
	struct call c = { .req = { .head = { .op = ABI_CONNECT_SEND }, .arg = { ABI_PLUG_BYTES } },
			  .send_fd = waits ? NULL : &fd,
			  .iov = part };
	char kind;
	int err = connect_prepare(fd, self, m->msg_name, m->msg_namelen, &c.req.end, &kind);

	if (err <= 0)
		return err;
	c.req.token = self->token;
	c.niov = iov_part(m, 0, FAST_BYTES, part, FAST_IOVS);
	err = waits ? connect_wait(fd, &c) : call_daemon(&c);
	if (err)
		return err;
	if (waits)
		return send_rest(fd, m, flags & ~MSG_FASTOPEN, (size_t)c.rep.value[0]);
	return c.rep.value[0] ? (long)c.rep.value[0] : -EINPROGRESS;
}

int wrap_connect(int fd, const struct sockaddr *addr, socklen_t size)
{
	struct abi_name self;
	int kernels;

	if (!ours(fd, &self))
		return (int)result_of(raw3(SYS_connect, fd, addr_of(addr), size));
	kernels = loopback_to_kernel(fd, &self, addr, size);
	if (kernels)
		return (int)result_of(kernels < 0 ? kernels
						  : raw3(SYS_connect, fd, addr_of(addr), size));
	if (self.proto != GLASS_TCP)
		return (int)result_of(connect_dgram(fd, &self, addr, size));
	return (int)result_of(connect_ours(fd, &self, addr, size));
}

/*
 * As Linux: a socket that listens does not any more, one that connects is reset, whichever way is
 * shut; and it is so when the call is back. Each question gives glassd a turn to see it.
 */
static long shutdown_early(int fd, const struct abi_name *self)
{
	struct call c = { .req = { .head = { .op = ABI_ERROR }, .token = self->token } };
	struct pollfd p = { .fd = fd };
	struct timespec none = { 0 };
	long result = raw3(SYS_shutdown, fd, SHUT_RDWR, 0);

	for (int turn = 0; !result && turn < TURNS_MAX && !(p.revents & POLLERR); turn++) {
		if (call_daemon(&c))
			break;
		raw5(SYS_ppoll, addr_of(&p), 1, addr_of(&none), 0, 0);
	}
	return result;
}

/* To glassd it looks like a close; it is to know before it sees it. */
static void shutdown_told(const struct abi_name *self)
{
	struct call c = { .req = { .head = { .op = ABI_SHUTDOWN }, .token = self->token } };

	call_daemon(&c);
}

/* As Linux: a datagram socket without a peer is shut down, and it is an error. */
int wrap_shutdown(int fd, int how)
{
	struct abi_name self, peer;
	bool mine = ours(fd, &self);
	char kind = mine ? peer_of(fd, &peer) : 0;
	long result;

	if (mine && self.proto == GLASS_TCP && how >= SHUT_RD && how <= SHUT_RDWR &&
	    ((kind == 'l' && how != SHUT_WR) || (!kind && stream_connects(fd))))
		return (int)result_of(shutdown_early(fd, &self));
	if (stream_is_fresh(fd))
		return (int)result_of(-ENOTCONN);
	if (kind == 'c' && self.proto == GLASS_TCP && how == SHUT_RDWR)
		shutdown_told(&self);
	result = raw3(SYS_shutdown, fd, how, 0);
	if (!result && mine && self.proto != GLASS_TCP && kind != 'c')
		result = -ENOTCONN;
	return (int)result_of(result);
}
