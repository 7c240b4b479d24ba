/* SPDX-License-Identifier: MIT */
/*
 * Ancillary data of datagrams, both ways. What the program sends becomes arguments of SENDTO; what
 * it asked to be told is in the name of the socket that a datagram comes from, or that comes along.
 *
 * The walk over ancillary data is written out, because the C libraries' needs a function of theirs.
 *
 * In: dgram.c.   Out: nothing but the program's memory.
 */
#include "dgram.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/un.h>

/* ---- sending -------------------------------------------------------------------------------- */

struct cmsghdr *cmsg_next(const struct msghdr *m, struct cmsghdr *at)
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

/* The number of a device. */
static int device_at(const uint8_t *data, int64_t arg[4])
{
	int ifindex = int_at(data, sizeof(int));

	if (ifindex < 0 || ifindex > ABI_SENDTO_DEVICE)
		return -ENODEV;
	arg[3] |= ifindex;
	return 0;
}

/* One of them into the arguments of SENDTO. 0 or -errno. */
int cmsg_read(const struct cmsghdr *c, int64_t arg[4])
{
	const uint8_t *data = (const uint8_t *)(c + 1);
	size_t length = c->cmsg_len - sizeof(*c);
	bool ip = c->cmsg_level == IPPROTO_IP, ip6 = c->cmsg_level == IPPROTO_IPV6;

	if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_SEGMENT) {
		arg[3] |= (int64_t)(int_at(data, length) & 0xffff) << ABI_SENDTO_SEGMENT_SHIFT;
		return length == sizeof(uint16_t) ? 0 : -EINVAL;
	}
	if (!ip && !ip6)
		return c->cmsg_level == SOL_SOCKET || c->cmsg_level == SOL_UDP ? 0 : -EINVAL;
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
		return device_at(data, arg);
	}
	if (ip6 && c->cmsg_type == IPV6_PKTINFO && length >= 16) {
		arg[2] = ip4_at(data + 12);
		return length < sizeof(struct in6_pktinfo) ? 0 : device_at(data + 16, arg);
	}
	return -EINVAL;
}

/* ---- receiving ------------------------------------------------------------------------------ */

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
	struct in_pktinfo i4 = { .ipi_ifindex = from->dev };

	i4.ipi_spec_dst.s_addr = __builtin_bswap32(from->spec);
	__builtin_memcpy(&i4.ipi_addr, from->local.addr, 4);
	cmsg_add(m, room, IPPROTO_IP, IP_PKTINFO, &i4, sizeof(i4));
}

static void add_pktinfo6(struct msghdr *m, size_t room, const struct abi_name *from)
{
	struct in6_pktinfo i6 = { .ipi6_ifindex = from->dev };

	i6.ipi6_addr.s6_addr[10] = i6.ipi6_addr.s6_addr[11] = 0xff;
	__builtin_memcpy(&i6.ipi6_addr.s6_addr[12], from->local.addr, 4);
	cmsg_add(m, room, IPPROTO_IPV6, IPV6_PKTINFO, &i6, sizeof(i6));
}

/* Nobody has changed where it was sent to: it is told as it is. */
static void add_original(struct msghdr *m, size_t room, const struct abi_name *from)
{
	struct sockaddr_in name = { 0 };
	socklen_t size = sizeof(name);

	sockaddr_of_end(4, &from->local, &name, &size);
	cmsg_add(m, room, IPPROTO_IP, IP_ORIGDSTADDR, &name, size);
}

/* As Linux: a packet of IPv4 is told of by the options of IPPROTO_IP, on a socket of IPv6 too. */
void cmsg_add_told(struct msghdr *m, size_t room, const struct abi_name *from)
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
	if (from->tell & ABI_TELL_ORIGDST)
		add_original(m, room, from);
	if (from->tell & ABI_TELL_DROPS && from->drops)
		cmsg_add(m, room, SOL_SOCKET, SO_RXQ_OVFL, &from->drops, sizeof(from->drops));
}

/* The name of the socket that came along is the origin; the number goes. */
static void origin_along(const struct cmsghdr *c, struct abi_name *from)
{
	struct sockaddr_un u;
	socklen_t size = sizeof(u);
	struct abi_name name;
	int fd;

	__builtin_memcpy(&fd, c + 1, sizeof(fd));
	if (!raw3(SYS_getsockname, fd, addr_of(&u), addr_of(&size)) &&
	    size > offsetof(struct sockaddr_un, sun_path) && size <= sizeof(u) &&
	    abi_name_read(u.sun_path, size - (unsigned)offsetof(struct sockaddr_un, sun_path),
			  &name) &&
	    name.kind == 'r')
		*from = name;
	raw_close(fd);
}

void cmsg_pass(struct msghdr *m, size_t room, const struct msghdr *got, struct abi_name *from)
{
	for (struct cmsghdr *c = cmsg_next(got, NULL); c; c = cmsg_next(got, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			origin_along(c, from);
		else
			cmsg_add(m, room, c->cmsg_level, c->cmsg_type, c + 1,
				 c->cmsg_len - sizeof(*c));
	}
}
