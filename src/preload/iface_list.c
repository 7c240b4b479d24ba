/* SPDX-License-Identifier: MIT */
/*
 * getifaddrs(3), if_nametoindex(3) and their kin: the C libraries ask the kernel (netlink, an ioctl
 * on a socket of their own), whose devices are not the stack's. What a list needs of memory is
 * mapped, since there is no malloc here: so its end is ours too.
 *
 * In: the program.   Out: iface_ioctl.c.
 */
#include "iface.h"

#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/mman.h>

#include "call.h"

WRAP(int, getifaddrs, struct ifaddrs **out);
WRAP(void, freeifaddrs, struct ifaddrs *list);
WRAP(unsigned, if_nametoindex, const char *name);
WRAP(char *, if_indextoname, unsigned index, char name[IF_NAMESIZE]);
WRAP(struct if_nameindex *, if_nameindex, void);
WRAP(void, if_freenameindex, struct if_nameindex *list);

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_ll ll;
};

/* A member of the list; the program sees the first part. */
struct member {
	struct ifaddrs is;
	union address addr, mask, other;
	char name[IF_NAMESIZE];
};

/* The list; a device gives a member for its hardware too. */
struct list {
	size_t bytes;
	struct member member[2 * ABI_IFACES_MAX];
};

struct names {
	size_t bytes;
	struct if_nameindex index[ABI_IFACES_MAX + 1];
	char name[ABI_IFACES_MAX][IF_NAMESIZE];
};

static void *map(size_t bytes)
{
	long at = raw6(SYS_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return at < 0 && at > -4096 ? NULL : (void *)(uintptr_t)at;
}

/* ---- getifaddrs ---------------------------------------------------------------------------- */

static union address in_of(uint32_t addr)
{
	return (union address){ .in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(addr) } };
}

static struct member *member_of(struct list *l, int n, const struct abi_iface *row)
{
	struct member *m = &l->member[n];

	__builtin_memcpy(m->name, row->name, sizeof(row->name));
	m->is.ifa_name = m->name;
	m->is.ifa_flags = row->flags;
	m->is.ifa_addr = &m->addr.any;
	if (n)
		l->member[n - 1].is.ifa_next = &m->is;
	return m;
}

static void put_hardware(struct member *m, const struct abi_iface *row)
{
	m->addr.ll = (struct sockaddr_ll){ .sll_family = AF_PACKET,
					   .sll_ifindex = (int)row->index,
					   .sll_hatype = row->hardware,
					   .sll_halen = sizeof(row->mac) };
	__builtin_memcpy(m->addr.ll.sll_addr, row->mac, sizeof(row->mac));
}

static void put_address(struct member *m, const struct abi_iface *row)
{
	uint32_t addr = abi_end_ip4(&row->addr);
	uint32_t mask = row->prefix_bits ? ~0u << (32 - row->prefix_bits) : 0;

	m->addr = in_of(addr);
	m->mask = in_of(mask);
	m->is.ifa_netmask = &m->mask.any;
	if (!(row->flags & (IFF_BROADCAST | IFF_POINTOPOINT)))
		return;
	m->other = in_of(row->flags & IFF_BROADCAST ? addr | ~mask : addr);
	m->is.ifa_broadaddr = &m->other.any;
}

int wrap_getifaddrs(struct ifaddrs **out)
{
	struct abi_iface rows[ABI_IFACES_MAX];
	int n = ifaces_get(rows), members = 0;
	struct list *l;

	if (n < 0)
		return (int)result_of(n);
	l = map(sizeof(*l));
	if (!l)
		return (int)result_of(-ENOMEM);
	l->bytes = sizeof(*l);
	for (int i = 0; i < n; i++)
		if (!i || rows[i].index != rows[i - 1].index)
			put_hardware(member_of(l, members++, &rows[i]), &rows[i]);
	for (int i = 0; i < n; i++)
		if (rows[i].addr.family == 4)
			put_address(member_of(l, members++, &rows[i]), &rows[i]);
	*out = members ? &l->member[0].is : NULL;
	if (!members)
		raw3(SYS_munmap, addr_of(l), (long)l->bytes, 0);
	return 0;
}

void wrap_freeifaddrs(struct ifaddrs *list)
{
	char *l = (char *)list - offsetof(struct list, member);

	if (list)
		raw3(SYS_munmap, addr_of(l), (long)((struct list *)(void *)l)->bytes, 0);
}

/* ---- names and numbers --------------------------------------------------------------------- */

/* The stack's answer; of what it has not, the kernel's. */
static long ask(unsigned request, struct ifreq *r)
{
	long err = iface_ioctl(request, r), fd;

	if (err != IFACE_OTHER)
		return err;
	fd = raw3(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	err = raw3(SYS_ioctl, fd, request, addr_of(r));
	raw_close((int)fd);
	return err;
}

unsigned wrap_if_nametoindex(const char *name)
{
	struct ifreq r = { 0 };
	size_t n = 0;
	long err;

	while (n < IF_NAMESIZE && name[n])
		n++;
	if (n < IF_NAMESIZE)
		__builtin_memcpy(r.ifr_name, name, n);
	err = n < IF_NAMESIZE ? ask(SIOCGIFINDEX, &r) : -ENODEV;
	return result_of(err) ? 0 : (unsigned)r.ifr_ifindex;
}

char *wrap_if_indextoname(unsigned index, char name[IF_NAMESIZE])
{
	struct ifreq r = { .ifr_ifindex = (int)index };
	long err = ask(SIOCGIFNAME, &r);

	if (result_of(err == -ENODEV ? -ENXIO : err))
		return NULL;
	__builtin_memcpy(name, r.ifr_name, IF_NAMESIZE);
	return name;
}

struct if_nameindex *wrap_if_nameindex(void)
{
	struct abi_iface rows[ABI_IFACES_MAX];
	int n = ifaces_get(rows), used = 0;
	struct names *l = n < 0 ? NULL : map(sizeof(*l));

	if (!l) {
		result_of(n < 0 ? n : -ENOBUFS);
		return NULL;
	}
	l->bytes = sizeof(*l);
	for (int i = 0; i < n; i++) {
		if (i && rows[i].index == rows[i - 1].index)
			continue;
		__builtin_memcpy(l->name[used], rows[i].name, sizeof(rows[i].name));
		l->index[used] = (struct if_nameindex){ rows[i].index, l->name[used] };
		used++;
	}
	return l->index;
}

void wrap_if_freenameindex(struct if_nameindex *list)
{
	char *l = (char *)list - offsetof(struct names, index);

	if (list)
		raw3(SYS_munmap, addr_of(l), (long)((struct names *)(void *)l)->bytes, 0);
}
