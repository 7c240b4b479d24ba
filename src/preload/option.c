/* SPDX-License-Identifier: MIT */
/*
 * getsockopt(2), setsockopt(2). Rows of sock_opt.def go to the daemon; those that cannot fail and
 * whose order does not matter go without waiting for an answer. What concerns the descriptor itself
 * (time-outs, low-water marks, ...) is the AF_UNIX end's own, and what says "I am TCP" is answered
 * here.
 *
 * In: the program.   Out: src/daemon/program_option.c.
 */
#include <linux/tcp.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <time.h>

#include <glass/glass.h>

#include "../abi/info.h"
#include "call.h"
#include "close.h"
#include "option.h"

WRAP(int, setsockopt, int fd, int level, int name, const void *value, socklen_t size);
WRAP(int, getsockopt, int fd, int level, int name, void *restrict value, socklen_t *restrict size);

#ifndef ICMP_FILTER /* linux/icmp.h, which netinet/ip_icmp.h does not go along with */
#define ICMP_FILTER 1
#endif

enum kind { BOOL, INT, TIME, LINGER, RO, CC, DEV };

static const struct row {
	int level, name;
	enum kind kind;
	int64_t min, max;
} rows[] = {
#define SOCK_OPT(ID, level, name, kind, min, max, initial, doc) { level, name, kind, min, max },
#include <glass/sock_opt.def>
#undef SOCK_OPT
};

/* The row's number, which is enum glass_opt; -1: none. Some options have a second name. */
static int row_of(int level, int name)
{
	if (level == SOL_SOCKET && name == SO_SNDBUFFORCE)
		name = SO_SNDBUF;
	if (level == SOL_SOCKET && name == SO_RCVBUFFORCE)
		name = SO_RCVBUF;
	if (level == IPPROTO_IPV6 && name == IPV6_TCLASS)
		return GLASS_OPT_TOS;
	if (level == IPPROTO_IPV6 && name == IPV6_UNICAST_HOPS)
		return GLASS_OPT_TTL;
	if (level == IPPROTO_IPV6 && name == IPV6_RECVERR)
		return GLASS_OPT_RECVERR;
	if (level == IPPROTO_IPV6 && name == IPV6_MTU_DISCOVER)
		return GLASS_OPT_MTU_DISCOVER;
	for (int i = 0; i < (int)(sizeof(rows) / sizeof(rows[0])); i++)
		if (rows[i].level == level && rows[i].name == name)
			return i;
	return -1;
}

/* Setting it cannot fail, and it does not matter whether it comes before or after what else is
 * asked. */
static bool is_quiet(int row)
{
	switch (row) {
	case GLASS_OPT_NODELAY:
	case GLASS_OPT_CORK:
	case GLASS_OPT_QUICKACK:
	case GLASS_OPT_KEEPALIVE:
	case GLASS_OPT_KEEPIDLE:
	case GLASS_OPT_KEEPINTVL:
	case GLASS_OPT_KEEPCNT:
	case GLASS_OPT_USER_TIMEOUT:
	case GLASS_OPT_TOS:
		return true;
	default:
		return false;
	}
}

/* ---- setting -----------------------------------------------------------------------------------
 */

/* What the program passed, as a number. 0 or -errno. */
static int value_in(int row, const void *value, socklen_t size, int64_t *out)
{
	const struct linger *l = value;

	if (!value)
		return -EFAULT;
	if (rows[row].kind == LINGER) {
		if (size < sizeof(*l))
			return -EINVAL;
		*out = l->l_onoff ? l->l_linger : -1;
		return 0;
	}
	if (size >= sizeof(int))
		*out = *(const int *)value;
	else if (size && rows[row].level == IPPROTO_IP)
		*out = *(const uint8_t *)value;
	else
		return -EINVAL;
	if (rows[row].kind == BOOL)
		*out = *out != 0;
	else if (row == GLASS_OPT_SNDBUF || row == GLASS_OPT_RCVBUF)
		*out = *out < 0 ? INT32_MAX / 2
				: *out; /* as Linux; the stack brings it into range */
	else if (row == GLASS_OPT_TTL && *out == -1)
		*out = 64;
	else if (row == GLASS_OPT_MULTICAST_TTL && *out == -1)
		*out = 1;
	else if (row == GLASS_OPT_TOS)
		*out &= 0xfc; /* the ECN bits are the stack's */
	else if (*out < rows[row].min || *out > rows[row].max)
		return -EINVAL;
	return 0;
}

static int set_row(const struct abi_name *self, int row, const void *value, socklen_t size)
{
	struct call c = { .req = { .head = { .op = is_quiet(row) ? ABI_SETOPT_QUIET : ABI_SETOPT },
				   .token = self->token,
				   .arg = { row } } };
	int err = value_in(row, value, size, &c.req.arg[1]);

	if (err)
		return err;
	err = is_quiet(row) ? call_quiet(&c) : call_daemon(&c);
	if (!err && row == GLASS_OPT_LINGER && c.req.arg[1] > 0)
		close_may_linger();
	return err;
}

static int set_v6only(const struct abi_name *self, const void *value, socklen_t size)
{
	struct call c = { .req = { .head = { .op = ABI_SETOPT },
				   .token = self->token,
				   .arg = { ABI_OPT_V6ONLY } } };

	if (!value || size < sizeof(int))
		return -EINVAL;
	c.req.arg[1] = *(const int *)value != 0;
	return call_daemon(&c);
}

/* The daemon's answer to INFO. */
static int get_info(const struct abi_name *self, struct abi_info *info)
{
	struct call c = { .req = { .head = { .op = ABI_INFO }, .token = self->token },
			  .data = info,
			  .data_max = sizeof(*info) };

	return call_daemon(&c);
}

/* As Linux: a name without its end is one too, and what is longer than any name is cut. */
static int set_congestion(const struct abi_name *self, const void *value, socklen_t size)
{
	struct call c = { .req = { .head = { .op = ABI_SETOPT },
				   .token = self->token,
				   .arg = { GLASS_OPT_CONGESTION } } };
	char *name = (char *)&c.req.arg[1];

	if (size < 1 || (int)size < 0)
		return -EINVAL;
	if (!value)
		return -EFAULT;
	for (socklen_t n = 0; n < size && n < ABI_CC_NAME_BYTES - 1; n++) {
		name[n] = ((const char *)value)[n];
		if (!name[n])
			break;
	}
	return call_daemon(&c);
}

/* The daemon looks at the length. */
static int set_fastopen_key(const struct abi_name *self, const void *value, socklen_t size)
{
	struct iovec iov = { (void *)(uintptr_t)value, size };
	struct call c = { .req = { .head = { .op = ABI_SETOPT },
				   .token = self->token,
				   .arg = { ABI_OPT_FASTOPEN_KEY } },
			  .iov = &iov,
			  .niov = 1 };

	if (size > 2 * GLASS_FASTOPEN_KEY_BYTES)
		return -EINVAL;
	if (!value && size)
		return -EFAULT;
	return call_daemon(&c);
}

/* What a datagram socket is to tell beside the bytes; 0: it is no such option. */
static int tell_of(int level, int name)
{
	if (level == IPPROTO_IP)
		return name == IP_PKTINFO	    ? ABI_TELL_PKTINFO
		       : name == IP_RECVTTL	    ? ABI_TELL_TTL
		       : name == IP_RECVTOS	    ? ABI_TELL_TOS
		       : name == IP_RECVORIGDSTADDR ? ABI_TELL_ORIGDST
						    : 0;
	if (level == SOL_SOCKET)
		return name == SO_RXQ_OVFL ? ABI_TELL_DROPS : 0;
	if (level == IPPROTO_IPV6)
		return name == IPV6_RECVPKTINFO	   ? ABI_TELL_PKTINFO6
		       : name == IPV6_RECVHOPLIMIT ? ABI_TELL_HOPLIMIT6
		       : name == IPV6_RECVTCLASS   ? ABI_TELL_TCLASS6
						   : 0;
	return 0;
}

static int set_tell(const struct abi_name *self, int bit, const void *value, socklen_t size)
{
	struct call c = { .req = { .head = { .op = ABI_SETOPT },
				   .token = self->token,
				   .arg = { ABI_OPT_TELL } } };

	if (!value || !size)
		return -EINVAL;
	c.req.arg[1] =
		(size < sizeof(int) ? *(const uint8_t *)value : *(const int *)value) ? bit : -bit;
	return call_daemon(&c);
}

/* Options without effect here that programs set as a matter of course. */
static bool is_harmless(int level, int name)
{
	return level == IPPROTO_IP && (name == IP_BIND_ADDRESS_NO_PORT || name == IP_RETOPTS);
}

static int set_ours(int fd, const struct abi_name *self, int level, int name, const void *value,
		    socklen_t size)
{
	int row = row_of(level, name);
	int err = device_setopt(self, level, name, value, size);

	if (level == IPPROTO_IPV6 && self->family != 6)
		return -ENOPROTOOPT;
	if (err == OPTION_OF_OTHERS && level == IPPROTO_IP)
		err = group_setopt(self, name, value, size);
	if (err != OPTION_OF_OTHERS)
		return err;
	if (self->proto != ABI_TCP && tell_of(level, name))
		return set_tell(self, tell_of(level, name), value, size);
	if (self->proto != ABI_TCP && level == IPPROTO_TCP)
		return -ENOPROTOOPT;
	if (row == GLASS_OPT_CONGESTION)
		return set_congestion(self, value, size);
	if (level == IPPROTO_TCP && name == TCP_FASTOPEN_KEY)
		return set_fastopen_key(self, value, size);
	if (row >= 0)
		return set_row(self, row, value, size);
	if (level == IPPROTO_IPV6 && name == IPV6_V6ONLY)
		return set_v6only(self, value, size);
	if (level == SOL_SOCKET)
		return (int)raw5(SYS_setsockopt, fd, level, name, addr_of(value), size);
	return is_harmless(level, name) ? 0 : -ENOPROTOOPT;
}

int wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
	struct abi_name self;

	if (!ours(fd, &self))
		return (int)result_of(raw5(SYS_setsockopt, fd, level, name, addr_of(value), size));
	return (int)result_of(set_ours(fd, &self, level, name, value, size));
}

/* ---- asking ------------------------------------------------------------------------------------
 */

int option_give(void *value, socklen_t *size, const void *from, socklen_t full)
{
	if (!size || (!value && *size))
		return -EFAULT;
	if ((int)*size < 0)
		return -EINVAL;
	if (full > *size)
		full = *size;
	for (socklen_t i = 0; i < full; i++)
		((char *)value)[i] = ((const char *)from)[i];
	*size = full;
	return 0;
}

static int give_int(void *value, socklen_t *size, int v)
{
	return option_give(value, size, &v, sizeof(v));
}

static int get_row(const struct abi_name *self, int row, void *value, socklen_t *size)
{
	struct call c = {
		.req = { .head = { .op = ABI_GETOPT }, .token = self->token, .arg = { row } }
	};
	int err = call_daemon(&c);
	struct linger l;

	if (err)
		return err;
	if (row >= GLASS_OPT_COUNT || rows[row].kind != LINGER)
		return give_int(value, size, (int)c.rep.value[0]);
	l = (struct linger){ c.rep.value[0] >= 0, c.rep.value[0] >= 0 ? (int)c.rep.value[0] : 0 };
	return option_give(value, size, &l, sizeof(l));
}

static int get_tell(const struct abi_name *self, int bit, void *value, socklen_t *size)
{
	struct call c = { .req = { .head = { .op = ABI_GETOPT },
				   .token = self->token,
				   .arg = { ABI_OPT_TELL } } };
	int err = call_daemon(&c);

	return err ? err : give_int(value, size, (c.rep.value[0] & bit) != 0);
}

/*
 * The kernel keeps one error per end, ECONNRESET, and clears it when asked. Which one it stands for
 * is known elsewhere.
 */
static int get_error(int fd, const struct abi_name *self, void *value, socklen_t *size)
{
	struct call c = { .req = { .head = { .op = ABI_ERROR }, .token = self->token } };
	struct abi_name peer;
	int error = 0;
	socklen_t n = sizeof(error);

	raw5(SYS_getsockopt, fd, SOL_SOCKET, SO_ERROR, addr_of(&error), addr_of(&n));
	if (self->proto != ABI_TCP)
		return call_daemon(&c) ? -ENETDOWN : give_int(value, size, (int)c.rep.value[0]);
	if (error && peer_of(fd, &peer) == 'e')
		error = peer.error;
	else if (error && !call_daemon(&c) && c.rep.value[0])
		error = (int)c.rep.value[0];
	return give_int(value, size, error);
}

static int get_fastopen_key(const struct abi_name *self, void *value, socklen_t *size)
{
	uint8_t key[2 * GLASS_FASTOPEN_KEY_BYTES];
	struct call c = { .req = { .head = { .op = ABI_GETOPT },
				   .token = self->token,
				   .arg = { ABI_OPT_FASTOPEN_KEY } },
			  .data = key,
			  .data_max = sizeof(key) };
	int err = call_daemon(&c);

	return err ? err : option_give(value, size, key, c.rep.length);
}

static int get_tcp(const struct abi_name *self, int name, void *value, socklen_t *size)
{
	struct abi_info info = { 0 };
	int err;

	if (name == TCP_FASTOPEN_KEY)
		return get_fastopen_key(self, value, size);
	if (name != TCP_INFO && name != TCP_CONGESTION)
		return -ENOPROTOOPT;
	err = get_info(self, &info);
	if (err)
		return err;
	if (name == TCP_INFO)
		return option_give(value, size, info.tcp_info, info.tcp_info_bytes);
	return option_give(value, size, info.congestion, sizeof(info.congestion));
}

/* Of a raw socket it stands where others have a port, as on Linux. */
static int protocol_of(const struct abi_name *self)
{
	struct call c = { .req = { .head = { .op = ABI_NAMES }, .token = self->token } };

	return self->proto == ABI_RAW && !call_daemon(&c) ? c.rep.local.port : self->proto;
}

/* A listening socket that was shut down listens no more. */
static bool is_shut(int fd)
{
	struct pollfd p = { .fd = fd };
	struct timespec none = { 0 };

	return raw5(SYS_ppoll, addr_of(&p), 1, addr_of(&none), 0, 0) > 0 && p.revents & POLLHUP;
}

static int get_socket(int fd, const struct abi_name *self, int name, void *value, socklen_t *size)
{
	struct abi_name peer;

	switch (name) {
	case SO_ERROR:
		return get_error(fd, self, value, size);
	case SO_DOMAIN:
		return give_int(value, size, self->family == 6 ? AF_INET6 : AF_INET);
	case SO_PROTOCOL:
		return give_int(value, size, protocol_of(self));
	case SO_TYPE:
		return give_int(value, size,
				self->proto == ABI_TCP	 ? SOCK_STREAM
				: self->proto == ABI_RAW ? SOCK_RAW
							 : SOCK_DGRAM);
	case SO_ACCEPTCONN:
		return give_int(value, size, peer_of(fd, &peer) == 'l' && !is_shut(fd));
	default:
		return (int)raw5(SYS_getsockopt, fd, SOL_SOCKET, name, addr_of(value),
				 addr_of(size));
	}
}

static int get_ours(int fd, const struct abi_name *self, int level, int name, void *value,
		    socklen_t *size)
{
	int row = row_of(level, name);
	int err = device_getopt(self, level, name, value, size);

	if (level == IPPROTO_IPV6 && self->family != 6)
		return -EOPNOTSUPP;
	if (err == OPTION_OF_OTHERS && level == IPPROTO_IP)
		err = group_getopt(self, name, value, size);
	if (err != OPTION_OF_OTHERS)
		return err;
	if (self->proto != ABI_TCP && tell_of(level, name))
		return get_tell(self, tell_of(level, name), value, size);
	if (self->proto != ABI_TCP && level == IPPROTO_TCP)
		return -ENOPROTOOPT;
	if (row == GLASS_OPT_CONGESTION)
		return get_tcp(self, name, value, size);
	if (row >= 0)
		return get_row(self, row, value, size);
	if (level == SOL_SOCKET)
		return get_socket(fd, self, name, value, size);
	if (level == IPPROTO_TCP)
		return get_tcp(self, name, value, size);
	if (level == IPPROTO_IPV6 && name == IPV6_V6ONLY)
		return get_row(self, ABI_OPT_V6ONLY, value, size);
	if (level == IPPROTO_IP && name == IP_OPTIONS)
		return option_give(value, size, NULL, 0);
	return -ENOPROTOOPT;
}

int wrap_getsockopt(int fd, int level, int name, void *restrict value, socklen_t *restrict size)
{
	struct abi_name self;

	if (!ours(fd, &self))
		return (int)result_of(
			raw5(SYS_getsockopt, fd, level, name, addr_of(value), addr_of(size)));
	return (int)result_of(get_ours(fd, &self, level, name, value, size));
}
