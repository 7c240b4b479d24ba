/* SPDX-License-Identifier: MIT */
/*
 * Errors of datagram sockets: which one a result of the kernel stands for, and the queue of
 * IP_RECVERR, with what each error is about.
 *
 * In: transfer.c, dgram.c.   Out: src/daemon/program_dgram.c (ERROR, RECVERR).
 */
#include "dgram.h"

#include <time.h>

#include <linux/errqueue.h>
#include <netinet/in.h>

#include "call.h"

#define QUOTE_MAX 576 /* as much of a datagram as the stack keeps */

int dgram_pending(const struct abi_name *self)
{
	struct call c = { .req = { .head = { .op = ABI_ERROR }, .token = self->token } };

	return call_daemon(&c) ? ENETDOWN : (int)c.rep.value[0];
}

long dgram_result(int fd, long result)
{
	struct abi_name self;
	int error;

	if ((result != -ECONNRESET && result != -ENOTCONN) || !ours(fd, &self) ||
	    self.proto == ABI_TCP)
		return result;
	if (result == -ENOTCONN)
		return -EDESTADDRREQ;
	error = dgram_pending(&self);
	return error ? -error : result;
}

long dgram_received(int fd, long result)
{
	struct abi_name self, peer;

	if (result || !ours(fd, &self) || self.proto == ABI_TCP || peer_of(fd, &peer) == 'c')
		return dgram_result(fd, result);
	return -dgram_pending(&self);
}

/* ---- IP_RECVERR ----------------------------------------------------------------------------- */

/* The ancillary data of IP_RECVERR, and of IPV6_RECVERR. */
struct told4 {
	struct sock_extended_err ee;
	struct sockaddr_in offender;
};

struct told6 {
	struct sock_extended_err ee;
	struct sockaddr_in6 offender;
};

static void add_told(struct msghdr *m, size_t room, uint8_t family, const struct abi_reply *rep)
{
	struct sock_extended_err ee = { .ee_errno = (uint32_t)rep->value[0],
					.ee_origin = (uint8_t)rep->value[1],
					.ee_type = (uint8_t)(rep->value[1] >> 8),
					.ee_code = (uint8_t)(rep->value[1] >> 16),
					.ee_info = (uint32_t)rep->value[2] };
	struct told4 t4 = { .ee = ee };
	struct told6 t6 = { .ee = ee };
	socklen_t size = family == 6 ? sizeof(t6.offender) : sizeof(t4.offender);

	if (rep->local.family)
		sockaddr_of_end(family, &rep->local,
				family == 6 ? (void *)&t6.offender : (void *)&t4.offender, &size);
	if (family == 6)
		cmsg_add(m, room, IPPROTO_IPV6, IPV6_RECVERR, &t6, sizeof(t6));
	else
		cmsg_add(m, room, IPPROTO_IP, IP_RECVERR, &t4, sizeof(t4));
}

/* Into the program's pieces; how many bytes fitted. */
static size_t scatter(const struct msghdr *m, const uint8_t *bytes, size_t length)
{
	size_t done = 0;

	for (size_t i = 0; i < m->msg_iovlen && done < length; i++) {
		size_t n = m->msg_iov[i].iov_len;

		n = n < length - done ? n : length - done;
		__builtin_memcpy(m->msg_iov[i].iov_base, bytes + done, n);
		done += n;
	}
	return done;
}

/* The error that poll(2) shows is this one's, or is shown again. */
long dgram_recv_error(int fd, const struct abi_name *self, struct msghdr *m, size_t room)
{
	uint8_t bytes[QUOTE_MAX];
	struct call c = { .req = { .head = { .op = ABI_RECVERR }, .token = self->token },
			  .data = bytes,
			  .data_max = sizeof(bytes) };
	socklen_t size = sizeof(int);
	int shown, err;
	size_t done;

	raw5(SYS_getsockopt, fd, SOL_SOCKET, SO_ERROR, addr_of(&shown), addr_of(&size));
	err = call_daemon(&c);
	if (err)
		return err;
	done = scatter(m, bytes, c.rep.length);
	m->msg_flags = MSG_ERRQUEUE | (done < c.rep.length ? MSG_TRUNC : 0);
	m->msg_controllen = 0;
	add_told(m, room, self->family, &c.rep);
	if (m->msg_name)
		sockaddr_of_end(self->family, &c.rep.remote, m->msg_name, &m->msg_namelen);
	return (long)done;
}
