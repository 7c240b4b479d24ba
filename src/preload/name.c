/* SPDX-License-Identifier: MIT */
/*
 * getsockname(2), getpeername(2): from the names of the ends; only before connect and listen the
 * daemon is asked.
 *
 * In: the program.   Out: src/daemon/program_option.c (NAMES).
 */
#include <poll.h>
#include <time.h>

#include "call.h"
#include "ours.h"

WRAP(int, getsockname, int fd, struct sockaddr *restrict addr, socklen_t *restrict size);
WRAP(int, getpeername, int fd, struct sockaddr *restrict addr, socklen_t *restrict size);

int wrap_getsockname(int fd, struct sockaddr *restrict addr, socklen_t *restrict size)
{
	struct call c = { .req = { .head = { .op = ABI_NAMES } } };
	struct abi_name self, peer;
	char kind;

	if (!ours(fd, &self))
		return (int)result_of(raw3(SYS_getsockname, fd, addr_of(addr), addr_of(size)));
	kind = peer_of(fd, &peer);
	if (kind == 'l' || kind == 'c')
		return (int)result_of(sockaddr_of_end(self.family, &peer.local, addr, size));
	c.req.token = self.token;
	if (call_daemon(&c))
		c.rep.local = abi_end_of_ip4(0, 0);
	return (int)result_of(sockaddr_of_end(self.family, &c.rep.local, addr, size));
}

/* The connection ended by an error: as on Linux it has no peer any more, unread bytes or not. */
static bool is_broken(int fd, const struct abi_name *self)
{
	struct call c = { .req = { .head = { .op = ABI_ERROR }, .token = self->token } };
	struct pollfd p = { .fd = fd };
	struct timespec none = { 0 };

	if (raw5(SYS_ppoll, addr_of(&p), 1, addr_of(&none), 0, 0) <= 0 || !(p.revents & POLLHUP))
		return false;
	return !call_daemon(&c) && c.rep.value[0];
}

int wrap_getpeername(int fd, struct sockaddr *restrict addr, socklen_t *restrict size)
{
	struct abi_name self, peer;

	if (!ours(fd, &self))
		return (int)result_of(raw3(SYS_getpeername, fd, addr_of(addr), addr_of(size)));
	/* As Linux: a datagram socket without a peer's port counts as not connected. */
	if (peer_of(fd, &peer) != 'c' || (self.proto != ABI_TCP && !peer.remote.port))
		return (int)result_of(-ENOTCONN);
	if (self.proto == ABI_TCP && is_broken(fd, &self))
		return (int)result_of(-ENOTCONN);
	return (int)result_of(sockaddr_of_end(self.family, &peer.remote, addr, size));
}
