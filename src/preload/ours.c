/* SPDX-License-Identifier: MIT */
/* Names of ends, addresses of programs. */
#include "ours.h"

#include <netinet/in.h>
#include <sys/uio.h>
#include <sys/un.h>

#define ZERO_BYTES 4096

static bool read_name(long nr, int fd, struct abi_name *n)
{
	struct sockaddr_un u;
	socklen_t size = sizeof(u);

	if (raw3(nr, fd, addr_of(&u), addr_of(&size)) || u.sun_family != AF_UNIX ||
	    size > sizeof(u))
		return false;
	return size > offsetof(struct sockaddr_un, sun_path) &&
	       abi_name_read(u.sun_path, size - (unsigned)offsetof(struct sockaddr_un, sun_path),
			     n);
}

bool ours(int fd, struct abi_name *self)
{
	return read_name(SYS_getsockname, fd, self) && self->kind == 'p';
}

char peer_of(int fd, struct abi_name *peer)
{
	return read_name(SYS_getpeername, fd, peer) ? peer->kind : 0;
}

/* ---- addresses ---------------------------------------------------------------------------------
 */

static bool all_zero(const uint8_t *b, int n)
{
	while (n--)
		if (*b++)
			return false;
	return true;
}

static int end_of_in6(const struct sockaddr_in6 *s, struct abi_end *out)
{
	const uint8_t *b = s->sin6_addr.s6_addr;

	*out = abi_end_of_ip4(0, ntohs(s->sin6_port));
	if (all_zero(b, 16))
		return 0;
	if (!all_zero(b, 10) || b[10] != 0xff || b[11] != 0xff)
		return -EADDRNOTAVAIL;
	for (int i = 0; i < 4; i++)
		out->addr[i] = b[12 + i];
	return 0;
}

int end_of_sockaddr(const struct abi_name *self, const void *addr, socklen_t size,
		    struct abi_end *out)
{
	const struct sockaddr_in *s = addr;
	sa_family_t family = self->family == 6 ? AF_INET6 : AF_INET;

	if (!addr)
		return -EFAULT;
	if (size < sizeof(*s) || (family == AF_INET6 && size < 24)) /* 24: without sin6_scope_id */
		return -EINVAL;
	if (s->sin_family != family)
		return -EAFNOSUPPORT;
	if (family == AF_INET6)
		return end_of_in6(addr, out);
	*out = abi_end_of_ip4(ntohl(s->sin_addr.s_addr), ntohs(s->sin_port));
	return 0;
}

int end_of_own(const struct abi_name *self, const void *addr, socklen_t size, struct abi_end *out)
{
	const struct sockaddr_in *s = addr;

	if (!s || self->family != 4 || size < sizeof(*s) || s->sin_family != AF_UNSPEC ||
	    s->sin_addr.s_addr)
		return end_of_sockaddr(self, addr, size, out);
	*out = abi_end_of_ip4(0, ntohs(s->sin_port));
	return 0;
}

int end_of_peer(const struct abi_name *self, const void *addr, socklen_t size, struct abi_end *out)
{
	const struct sockaddr_in *s = addr;

	if (!s || size < sizeof(*s) || s->sin_family != AF_INET)
		return end_of_sockaddr(self, addr, size, out);
	*out = abi_end_of_ip4(ntohl(s->sin_addr.s_addr), ntohs(s->sin_port));
	return 0;
}

static socklen_t fill_in6(const struct abi_end *e, struct sockaddr_in6 *s)
{
	*s = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(e->port) };
	if (abi_end_ip4(e)) {
		s->sin6_addr.s6_addr[10] = s->sin6_addr.s6_addr[11] = 0xff;
		for (int i = 0; i < 4; i++)
			s->sin6_addr.s6_addr[12 + i] = e->addr[i];
	}
	return sizeof(*s);
}

static socklen_t fill_in(const struct abi_end *e, struct sockaddr_in *s)
{
	*s = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(e->port) };
	s->sin_addr.s_addr = htonl(abi_end_ip4(e));
	return sizeof(*s);
}

int sockaddr_of_end(uint8_t family, const struct abi_end *e, void *addr, socklen_t *size)
{
	union {
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		char bytes[sizeof(struct sockaddr_in6)];
	} s;
	socklen_t full = family == 6 ? fill_in6(e, &s.in6) : fill_in(e, &s.in);

	if (!size || (!addr && *size))
		return -EFAULT;
	if ((int)*size < 0)
		return -EINVAL;
	for (socklen_t i = 0; i < full && i < *size; i++)
		((char *)addr)[i] = s.bytes[i];
	*size = full;
	return 0;
}

/* ---- plug --------------------------------------------------------------------------------------
 */

long plug_fd(int fd)
{
	static const char zero[ZERO_BYTES];
	struct iovec iov[ABI_PLUG_BYTES / ZERO_BYTES];
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = ABI_PLUG_BYTES / ZERO_BYTES };
	long n;

	for (size_t i = 0; i < m.msg_iovlen; i++)
		iov[i] = (struct iovec){ (void *)(uintptr_t)zero, sizeof(zero) };
	n = raw3(SYS_sendmsg, fd, addr_of(&m), MSG_DONTWAIT | MSG_NOSIGNAL);
	return n < 0 ? 0 : n;
}
