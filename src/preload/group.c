/* SPDX-License-Identifier: MIT */
/*
 * Options whose value is a group, a filter or a device: multicast memberships (ip(7)), and which
 * device a socket is bound to or sends by.
 *
 * In: option.c.   Out: src/daemon/program_group.c, program_option.c (SETOPT).
 */
#include <netinet/in.h>

#include <glass/glass.h>

#include "call.h"
#include "option.h"

#define SOURCES_MAX 512

/* A request about one group, to be made by group_call(). */
struct group_call {
	struct call c;
	uint32_t source[SOURCES_MAX]; /* network order */
	struct iovec iov;
};

static void group_begin(struct group_call *g, const struct abi_name *self, int what)
{
	g->c = (struct call){
		.req = { .head = { .op = ABI_GROUP }, .token = self->token, .arg = { what } }
	};
}

static uint32_t host(struct in_addr a)
{
	return __builtin_bswap32(a.s_addr);
}

static void group_is(struct group_call *g, struct in_addr group)
{
	g->c.req.end = abi_end_of_ip4(host(group), 0);
}

/* ---- with addresses of IPv4: struct ip_mreq and its kin -------------------------------------- */

/* struct ip_mreqn, of which struct ip_mreq is the beginning; a lone address is that of the device.
 */
static int mreq_in(const void *value, socklen_t size, bool lone, struct ip_mreqn *out)
{
	*out = (struct ip_mreqn){ 0 };
	if (!value)
		return -EFAULT;
	if (size >= sizeof(*out))
		__builtin_memcpy(out, value, sizeof(*out));
	else if (size >= sizeof(struct ip_mreq))
		__builtin_memcpy(out, value, sizeof(struct ip_mreq));
	else if (lone && size >= sizeof(struct in_addr))
		__builtin_memcpy(&out->imr_address, value, sizeof(struct in_addr));
	else
		return -EINVAL;
	return 0;
}

static int change_member(const struct abi_name *self, int what, const void *value, socklen_t size)
{
	struct group_call g;
	struct ip_mreqn m;
	int err = mreq_in(value, size, false, &m);

	if (err)
		return err;
	group_begin(&g, self, what);
	group_is(&g, m.imr_multiaddr);
	g.c.req.arg[1] = m.imr_ifindex;
	g.c.req.arg[2] = host(m.imr_address);
	return call_daemon(&g.c);
}

static int change_source(const struct abi_name *self, int what, const void *value, socklen_t size)
{
	const struct ip_mreq_source *m = value;
	struct group_call g;

	if (!value || size != sizeof(*m))
		return value ? -EINVAL : -EFAULT;
	group_begin(&g, self, what);
	group_is(&g, m->imr_multiaddr);
	g.c.req.arg[2] = host(m->imr_interface);
	g.c.req.arg[3] = host(m->imr_sourceaddr);
	return call_daemon(&g.c);
}

/* ---- of any family: struct group_req and its kin ----------------------------------------------
 */

static bool sockaddr_in_at(const void *at, struct in_addr *out)
{
	struct sockaddr_in sin;

	__builtin_memcpy(&sin, at, sizeof(sin));
	*out = sin.sin_addr;
	return sin.sin_family == AF_INET;
}

static int change_any(const struct abi_name *self, int what, const void *value, socklen_t size)
{
	const struct group_req *m = value;
	struct in_addr group;
	struct group_call g;

	if (!value || size < sizeof(*m))
		return value ? -EINVAL : -EFAULT;
	if (!sockaddr_in_at(&m->gr_group, &group))
		return -EINVAL;
	group_begin(&g, self, what);
	group_is(&g, group);
	g.c.req.arg[1] = m->gr_interface;
	return call_daemon(&g.c);
}

static int change_any_source(const struct abi_name *self, int what, const void *value,
			     socklen_t size)
{
	const struct group_source_req *m = value;
	struct in_addr group, source;
	struct group_call g;

	if (!value || size != sizeof(*m))
		return value ? -EINVAL : -EFAULT;
	if (!sockaddr_in_at(&m->gsr_group, &group) || !sockaddr_in_at(&m->gsr_source, &source))
		return -EADDRNOTAVAIL;
	group_begin(&g, self, what);
	group_is(&g, group);
	g.c.req.arg[1] = m->gsr_interface;
	g.c.req.arg[3] = host(source);
	return call_daemon(&g.c);
}

/* ---- whole filters ----------------------------------------------------------------------------
 */

static int filter_call(struct group_call *g, uint32_t mode, uint32_t n)
{
	if (mode != MCAST_INCLUDE && mode != MCAST_EXCLUDE)
		return -EINVAL;
	g->c.req.arg[3] = mode == MCAST_EXCLUDE;
	g->iov = (struct iovec){ g->source, n * sizeof(g->source[0]) };
	g->c.iov = &g->iov;
	g->c.niov = n ? 1 : 0;
	return call_daemon(&g->c);
}

static int set_filter(const struct abi_name *self, const void *value, socklen_t size)
{
	const struct ip_msfilter *f = value;
	struct group_call g;

	if (!value || size < IP_MSFILTER_SIZE(0))
		return value ? -EINVAL : -EFAULT;
	if (f->imsf_numsrc > SOURCES_MAX)
		return -ENOBUFS;
	if (IP_MSFILTER_SIZE(f->imsf_numsrc) > size)
		return -EINVAL;
	group_begin(&g, self, ABI_GROUP_SET);
	group_is(&g, f->imsf_multiaddr);
	g.c.req.arg[2] = host(f->imsf_interface);
	for (uint32_t i = 0; i < f->imsf_numsrc; i++)
		g.source[i] = f->imsf_slist[i].s_addr;
	return filter_call(&g, f->imsf_fmode, f->imsf_numsrc);
}

static int set_any_filter(const struct abi_name *self, const void *value, socklen_t size)
{
	const struct group_filter *f = value;
	struct in_addr group, source;
	struct group_call g;

	if (!value || size < GROUP_FILTER_SIZE(0))
		return value ? -EINVAL : -EFAULT;
	if (f->gf_numsrc > SOURCES_MAX)
		return -ENOBUFS;
	if (GROUP_FILTER_SIZE(f->gf_numsrc) > size)
		return -EINVAL;
	if (!sockaddr_in_at(&f->gf_group, &group))
		return -EADDRNOTAVAIL;
	group_begin(&g, self, ABI_GROUP_SET);
	group_is(&g, group);
	g.c.req.arg[1] = f->gf_interface;
	for (uint32_t i = 0; i < f->gf_numsrc; i++) {
		if (!sockaddr_in_at(&f->gf_slist[i], &source))
			return -EADDRNOTAVAIL;
		g.source[i] = source.s_addr;
	}
	return filter_call(&g, f->gf_fmode, f->gf_numsrc);
}

/* The filter as the daemon has it, its sources in g->source; how many, or -errno. */
static int get_filter(struct group_call *g, uint32_t *mode)
{
	int err;

	g->c.data = g->source;
	g->c.data_max = sizeof(g->source);
	err = call_daemon(&g->c);
	*mode = g->c.rep.value[0] ? MCAST_EXCLUDE : MCAST_INCLUDE;
	return err ? err : (int)(g->c.rep.length / sizeof(g->source[0]));
}

/* As Linux: as many as there is room for, and how many there are. */
static int get_msfilter(const struct abi_name *self, void *value, socklen_t *size)
{
	struct ip_msfilter *f = value;
	struct group_call g;
	uint32_t room, n;
	int count;

	if (!value || !size || *size < IP_MSFILTER_SIZE(0))
		return value && size ? -EINVAL : -EFAULT;
	group_begin(&g, self, ABI_GROUP_GET);
	group_is(&g, f->imsf_multiaddr);
	g.c.req.arg[2] = host(f->imsf_interface);
	room = f->imsf_numsrc;
	if (IP_MSFILTER_SIZE(room) > *size)
		room = (uint32_t)((*size - IP_MSFILTER_SIZE(0)) / sizeof(struct in_addr));
	count = get_filter(&g, &f->imsf_fmode);
	if (count < 0)
		return count;
	f->imsf_numsrc = (uint32_t)count;
	n = room < (uint32_t)count ? room : (uint32_t)count;
	for (uint32_t i = 0; i < n; i++)
		f->imsf_slist[i].s_addr = g.source[i];
	*size = (socklen_t)IP_MSFILTER_SIZE(n);
	return 0;
}

static int get_any_filter(const struct abi_name *self, void *value, socklen_t *size)
{
	struct group_filter *f = value;
	struct in_addr group;
	struct group_call g;
	uint32_t room, n;
	int count;

	if (!value || !size || *size < GROUP_FILTER_SIZE(0))
		return value && size ? -EINVAL : -EFAULT;
	if (!sockaddr_in_at(&f->gf_group, &group))
		return -EADDRNOTAVAIL;
	group_begin(&g, self, ABI_GROUP_GET);
	group_is(&g, group);
	g.c.req.arg[1] = f->gf_interface;
	room = f->gf_numsrc;
	if (GROUP_FILTER_SIZE(room) > *size)
		room = (uint32_t)((*size - GROUP_FILTER_SIZE(0)) / sizeof(struct sockaddr_storage));
	count = get_filter(&g, &f->gf_fmode);
	if (count < 0)
		return count;
	f->gf_numsrc = (uint32_t)count;
	n = room < (uint32_t)count ? room : (uint32_t)count;
	for (uint32_t i = 0; i < n; i++) {
		struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr = { g.source[i] } };

		__builtin_memset(&f->gf_slist[i], 0, sizeof(f->gf_slist[i]));
		__builtin_memcpy(&f->gf_slist[i], &sin, sizeof(sin));
	}
	*size = (socklen_t)GROUP_FILTER_SIZE(n);
	return 0;
}

/* ---- devices ----------------------------------------------------------------------------------
 */

static int set_value(const struct abi_name *self, int opt, int64_t value)
{
	struct call c = {
		.req = { .head = { .op = ABI_SETOPT }, .token = self->token, .arg = { opt, value } }
	};

	return call_daemon(&c);
}

static int get_value(const struct abi_name *self, int opt, struct call *c)
{
	*c = (struct call){
		.req = { .head = { .op = ABI_GETOPT }, .token = self->token, .arg = { opt } }
	};
	return call_daemon(c);
}

/* The name's end may be missing, as on Linux; no name at all: not bound any more. */
static int bind_device(const struct abi_name *self, const char *name, socklen_t size)
{
	struct call c = { .req = { .head = { .op = ABI_SETOPT },
				   .token = self->token,
				   .arg = { ABI_OPT_DEVICE } } };
	char *out = (char *)&c.req.arg[1];

	if (!name && size)
		return -EFAULT;
	for (socklen_t i = 0; i < size && i < ABI_DEVICE_NAME_BYTES - 1 && name[i]; i++)
		out[i] = name[i];
	return call_daemon(&c);
}

static int bound_device(const struct abi_name *self, char *name, socklen_t *size)
{
	struct call c;
	int err = get_value(self, ABI_OPT_DEVICE, &c);
	const char *is = (const char *)&c.rep.value[0];
	socklen_t n = 0;

	if (err)
		return err;
	while (n < ABI_DEVICE_NAME_BYTES - 1 && is[n])
		n++;
	n += n != 0; /* with its end */
	if (!size || (n && !name))
		return -EFAULT;
	if (*size < (n ? ABI_DEVICE_NAME_BYTES : 0))
		return -EINVAL;
	if (n)
		__builtin_memcpy(name, is, n);
	*size = n;
	return 0;
}

static int set_multicast_if(const struct abi_name *self, const void *value, socklen_t size)
{
	struct ip_mreqn m;
	int err = mreq_in(value, size, true, &m);

	if (err)
		return err;
	if (m.imr_ifindex < 0 || m.imr_ifindex > 255)
		return -EADDRNOTAVAIL;
	return set_value(self, GLASS_OPT_MULTICAST_IF,
			 (int64_t)m.imr_ifindex << 32 | host(m.imr_address));
}

static int set_number(const struct abi_name *self, int opt, const void *value, socklen_t size,
		      bool swapped)
{
	uint32_t v;

	if (!value || size < sizeof(v))
		return value ? -EINVAL : -EFAULT;
	__builtin_memcpy(&v, value, sizeof(v));
	v = swapped ? __builtin_bswap32(v) : v;
	if (v > 255)
		return opt == GLASS_OPT_UNICAST_IF ? -EADDRNOTAVAIL : -ENODEV;
	return set_value(self, opt, v);
}

/* ---- doors ------------------------------------------------------------------------------------
 */

int group_setopt(const struct abi_name *self, int name, const void *value, socklen_t size)
{
	if (self->proto == ABI_TCP && name >= IP_ADD_MEMBERSHIP && name <= MCAST_MSFILTER)
		return -EPROTO; /* as Linux */
	switch (name) {
	case IP_ADD_MEMBERSHIP:
		return change_member(self, GLASS_GROUP_JOIN, value, size);
	case IP_DROP_MEMBERSHIP:
		return change_member(self, GLASS_GROUP_LEAVE, value, size);
	case IP_ADD_SOURCE_MEMBERSHIP:
		return change_source(self, GLASS_GROUP_JOIN_SOURCE, value, size);
	case IP_DROP_SOURCE_MEMBERSHIP:
		return change_source(self, GLASS_GROUP_LEAVE_SOURCE, value, size);
	case IP_BLOCK_SOURCE:
		return change_source(self, GLASS_GROUP_BLOCK, value, size);
	case IP_UNBLOCK_SOURCE:
		return change_source(self, GLASS_GROUP_UNBLOCK, value, size);
	case MCAST_JOIN_GROUP:
		return change_any(self, GLASS_GROUP_JOIN, value, size);
	case MCAST_LEAVE_GROUP:
		return change_any(self, GLASS_GROUP_LEAVE, value, size);
	case MCAST_JOIN_SOURCE_GROUP:
		return change_any_source(self, GLASS_GROUP_JOIN_SOURCE, value, size);
	case MCAST_LEAVE_SOURCE_GROUP:
		return change_any_source(self, GLASS_GROUP_LEAVE_SOURCE, value, size);
	case MCAST_BLOCK_SOURCE:
		return change_any_source(self, GLASS_GROUP_BLOCK, value, size);
	case MCAST_UNBLOCK_SOURCE:
		return change_any_source(self, GLASS_GROUP_UNBLOCK, value, size);
	case IP_MSFILTER:
		return set_filter(self, value, size);
	case MCAST_MSFILTER:
		return set_any_filter(self, value, size);
	default:
		return OPTION_OF_OTHERS;
	}
}

int group_getopt(const struct abi_name *self, int name, void *value, socklen_t *size)
{
	if (name == IP_MSFILTER)
		return get_msfilter(self, value, size);
	return name == MCAST_MSFILTER ? get_any_filter(self, value, size) : OPTION_OF_OTHERS;
}

int device_setopt(const struct abi_name *self, int level, int name, const void *value,
		  socklen_t size)
{
	if (level == SOL_SOCKET && name == SO_BINDTODEVICE)
		return bind_device(self, value, size);
	if (level == SOL_SOCKET && name == SO_BINDTOIFINDEX)
		return set_number(self, GLASS_OPT_BINDTODEVICE, value, size, false);
	if (level == IPPROTO_IP && name == IP_UNICAST_IF)
		return set_number(self, GLASS_OPT_UNICAST_IF, value, size, true);
	if (level == IPPROTO_IP && name == IP_MULTICAST_IF)
		return set_multicast_if(self, value, size);
	return OPTION_OF_OTHERS;
}

int device_getopt(const struct abi_name *self, int level, int name, void *value, socklen_t *size)
{
	bool index = level == SOL_SOCKET && name == SO_BINDTOIFINDEX;
	struct call c;
	uint32_t v;
	int opt, err;

	if (level == SOL_SOCKET && name == SO_BINDTODEVICE)
		return bound_device(self, value, size);
	if (!index && (level != IPPROTO_IP || (name != IP_UNICAST_IF && name != IP_MULTICAST_IF)))
		return OPTION_OF_OTHERS;
	opt = index		      ? GLASS_OPT_BINDTODEVICE
	      : name == IP_UNICAST_IF ? GLASS_OPT_UNICAST_IF
				      : GLASS_OPT_MULTICAST_IF;
	err = get_value(self, opt, &c);
	if (err)
		return err;
	v = (uint32_t)c.rep.value[0];
	v = index ? v : __builtin_bswap32(v);
	return option_give(value, size, &v, sizeof(v));
}
