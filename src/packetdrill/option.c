/* SPDX-License-Identifier: MIT */
/*
 * getsockopt(2), setsockopt(2): the rows of sock_opt.def, what recvmsg(2) is to tell (told.c), and
 * what says "I am a socket".
 *
 * In:  packetdrill, shim.c.   Out: glass_getopt(), glass_setopt(), glass_tcp_info().
 */
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>

#include "drill.h"

#ifndef TCP_CC_INFO
#define TCP_CC_INFO 26
#endif
#ifndef TCP_INQ
#define TCP_INQ 36
#endif
#ifndef SO_MEMINFO
#define SO_MEMINFO 55
#endif

#ifndef ICMP_FILTER /* linux/icmp.h, which netinet/ip_icmp.h does not go along with */
#define ICMP_FILTER 1
#endif

enum kind { BOOL, INT, TIME, LINGER, RO, CC, DEV };

static const struct row {
	int level, name;
	enum kind kind;
} rows[] = {
#define SOCK_OPT(ID, level, name, kind, min, max, initial, doc) { level, name, kind },
#include <glass/sock_opt.def>
#undef SOCK_OPT
};

static int row_of(int level, int name)
{
	for (int i = 0; i < GLASS_OPT_COUNT; i++)
		if (rows[i].level == level && rows[i].name == name)
			return i;
	return -1;
}

/* ---- setting --------------------------------------------------------------------------------- */

static int set_row(struct drill *d, struct drill_fd *f, int row, const void *value, socklen_t size)
{
	struct linger l;
	int v = 0;

	if (rows[row].kind == LINGER) {
		if (size < sizeof(l))
			return -EINVAL;
		memcpy(&l, value, sizeof(l));
		return glass_setopt(d->g, f->sock, row, l.l_onoff ? l.l_linger : -1);
	}
	if (size >= sizeof(v))
		memcpy(&v, value, sizeof(v));
	else if (size && rows[row].level == IPPROTO_IP)
		v = *(const uint8_t *)value;
	else
		return -EINVAL;
	if (rows[row].kind == BOOL)
		v = v != 0;
	return glass_setopt(d->g, f->sock, row, v);
}

static int set_congestion(struct drill *d, struct drill_fd *f, const char *value, socklen_t size)
{
	const char *known;

	for (unsigned i = 0; (known = glass_congestion_name(i)); i++)
		if (strnlen(value, size) == strlen(known) && !memcmp(value, known, strlen(known)))
			return glass_setopt(d->g, f->sock, GLASS_OPT_CONGESTION, i);
	return -ENOENT;
}

static int set_timeout(int64_t *out, const void *value, socklen_t size)
{
	struct timeval tv;

	if (size < sizeof(tv))
		return -EINVAL;
	memcpy(&tv, value, sizeof(tv));
	*out = tv.tv_sec * DRILL_NS_PER_S + tv.tv_usec * DRILL_NS_PER_US;
	return 0;
}

/* What the stack has no part in, for it is about recvmsg(2). */
static int set_told(struct drill_fd *f, int level, int name, const void *value, socklen_t size)
{
	int v;

	if (!((level == SOL_SOCKET && (name == SO_ZEROCOPY || name == SO_TIMESTAMPING)) ||
	      (level == IPPROTO_TCP && name == TCP_INQ)))
		return -ENOPROTOOPT;
	if (size < sizeof(v))
		return -EINVAL;
	memcpy(&v, value, sizeof(v));
	if (level == SOL_SOCKET && name == SO_TIMESTAMPING)
		return drill_set_stamps(f, (uint32_t)v);
	if (v < 0 || v > 1)
		return -EINVAL;
	*(level == SOL_SOCKET ? &f->zerocopy : &f->inq) = v;
	return 0;
}

static int set(struct drill *d, int fd, int level, int name, const void *value, socklen_t size)
{
	struct drill_fd *f = drill_socket_of(d, fd);
	int row = row_of(level, name);

	if (!f)
		return -errno;
	if (!value)
		return -EFAULT;
	if (row == GLASS_OPT_CONGESTION)
		return set_congestion(d, f, value, size);
	if (row >= 0)
		return set_row(d, f, row, value, size);
	if (level == IPPROTO_TCP && name == TCP_FASTOPEN_KEY)
		return glass_sock_fastopen_key_set(d->g, f->sock, value, size);
	if (level == SOL_SOCKET && name == SO_MARK)
		return 0; /* there are no rules that would ask for it */
	if (level == SOL_SOCKET && name == SO_RCVTIMEO)
		return set_timeout(&f->recv_ns, value, size);
	if (level == SOL_SOCKET && name == SO_SNDTIMEO)
		return set_timeout(&f->send_ns, value, size);
	return set_told(f, level, name, value, size);
}

int drill_setsockopt(void *userdata, int fd, int level, int name, const void *value, socklen_t size)
{
	struct drill *d = userdata;
	int result;

	drill_enter(d);
	result = set(d, fd, level, name, value, size);
	drill_leave(d);
	return (int)drill_answer(result);
}

/* ---- asking ---------------------------------------------------------------------------------- */

static int give(void *value, socklen_t *size, const void *from, socklen_t full)
{
	if (*size > full)
		*size = full;
	memcpy(value, from, *size);
	return 0;
}

static int give_int(void *value, socklen_t *size, int64_t v)
{
	int v32 = (int)v;

	return give(value, size, &v32, sizeof(v32));
}

static int get_row(struct drill *d, struct drill_fd *f, int row, void *value, socklen_t *size)
{
	int64_t v;
	int err = glass_getopt(d->g, f->sock, row, &v);
	struct linger l;

	if (err)
		return err;
	if (rows[row].kind != LINGER)
		return give_int(value, size, v);
	l = (struct linger){ v >= 0, v >= 0 ? (int)v : 0 };
	return give(value, size, &l, sizeof(l));
}

static int get_memory(struct drill *d, struct drill_fd *f, void *value, socklen_t *size)
{
	uint32_t vars[SK_MEMINFO_VARS] = { 0 };
	struct glass_conn_info info;
	int64_t limit;

	glass_sock_info(d->g, f->sock, &info);
	vars[SK_MEMINFO_RMEM_ALLOC] = (uint32_t)info.recv_q;
	vars[SK_MEMINFO_WMEM_QUEUED] = (uint32_t)info.send_q;
	if (!glass_getopt(d->g, f->sock, GLASS_OPT_RCVBUF, &limit))
		vars[SK_MEMINFO_RCVBUF] = (uint32_t)limit;
	if (!glass_getopt(d->g, f->sock, GLASS_OPT_SNDBUF, &limit))
		vars[SK_MEMINFO_SNDBUF] = (uint32_t)limit;
	return give(value, size, vars, sizeof(vars));
}

static int get_key(struct drill *d, struct drill_fd *f, void *value, socklen_t *size)
{
	uint8_t key[2 * GLASS_FASTOPEN_KEY_BYTES];
	size_t n = glass_sock_fastopen_key_get(d->g, f->sock, key);

	return give(value, size, key, (socklen_t)n);
}

static int get_other(struct drill *d, struct drill_fd *f, int level, int name, void *value,
		     socklen_t *size)
{
	struct glass_tcp_info linux_info;
	struct glass_conn_info info;

	if (level == IPPROTO_TCP && name == TCP_INFO) {
		glass_tcp_info(d->g, f->sock, &linux_info);
		memset(value, 0, *size); /* packetdrill's is as long as the newest kernel's */
		memcpy(value, &linux_info, *size < sizeof(linux_info) ? *size : sizeof(linux_info));
		return 0;
	}
	if (level == IPPROTO_TCP && name == TCP_CC_INFO) {
		memset(value, 0, *size); /* no algorithm here has anything to tell */
		return 0;
	}
	if (level == IPPROTO_TCP && name == TCP_CONGESTION) {
		glass_sock_info(d->g, f->sock, &info);
		return give(value, size, info.cc, (socklen_t)strlen(info.cc) + 1);
	}
	if (level == IPPROTO_TCP && name == TCP_FASTOPEN_KEY)
		return get_key(d, f, value, size);
	if (level != SOL_SOCKET)
		return -ENOPROTOOPT;
	if (name == SO_ERROR)
		return give_int(value, size, glass_error(d->g, f->sock));
	if (name == SO_TYPE)
		return give_int(value, size, f->proto == GLASS_TCP ? SOCK_STREAM : SOCK_DGRAM);
	return name == SO_MEMINFO ? get_memory(d, f, value, size) : -ENOPROTOOPT;
}

static int get(struct drill *d, int fd, int level, int name, void *value, socklen_t *size)
{
	struct drill_fd *f = drill_socket_of(d, fd);
	int row = row_of(level, name);

	if (!f)
		return -errno;
	if (!value || !size)
		return -EFAULT;
	return row >= 0 && row != GLASS_OPT_CONGESTION ? get_row(d, f, row, value, size)
						       : get_other(d, f, level, name, value, size);
}

int drill_getsockopt(void *userdata, int fd, int level, int name, void *value, socklen_t *size)
{
	struct drill *d = userdata;
	int result;

	drill_enter(d);
	result = get(d, fd, level, name, value, size);
	drill_leave(d);
	return (int)drill_answer(result);
}
