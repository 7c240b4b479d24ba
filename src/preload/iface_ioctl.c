/* SPDX-License-Identifier: MIT */
/*
 * What netdevice(7) tells of a device, by ioctl: for the stack's devices. The kernel would answer
 * on an AF_UNIX end too, of its own.
 *
 * In: ioctl.c.   Out: src/daemon/program_iface.c (IFACES).
 */
#include "iface.h"

#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>

#include "call.h"

int ifaces_get(struct abi_iface rows[ABI_IFACES_MAX])
{
	struct call c = { .req = { .head = { .op = ABI_IFACES } },
			  .data = rows,
			  .data_max = ABI_IFACES_MAX * sizeof(rows[0]) };
	int err = call_daemon(&c);

	return err ? err : (int)c.rep.value[0];
}

/* ---- which --------------------------------------------------------------------------------- */

/* Up to the colon of a name such as eth0:1. */
static bool same_name(const char *have, const char *wanted)
{
	int i = 0;

	while (i < IFNAMSIZ && have[i] && have[i] == wanted[i])
		i++;
	return i == IFNAMSIZ || (!have[i] && (!wanted[i] || wanted[i] == ':'));
}

static const struct abi_iface *find(const struct abi_iface *rows, int n, unsigned request,
				    const struct ifreq *r)
{
	for (int i = 0; i < n; i++)
		if (request == SIOCGIFNAME ? rows[i].index == (unsigned)r->ifr_ifindex
					   : same_name(rows[i].name, r->ifr_name))
			return &rows[i];
	return NULL;
}

/* ---- what ---------------------------------------------------------------------------------- */

static uint32_t mask_of(const struct abi_iface *row)
{
	return row->prefix_bits ? ~0u << (32 - row->prefix_bits) : 0;
}

static int put_address(uint32_t addr, struct sockaddr *out)
{
	struct sockaddr_in *in = (struct sockaddr_in *)(void *)out;

	*in = (struct sockaddr_in){ .sin_family = AF_INET };
	in->sin_addr.s_addr = htonl(addr);
	return 0;
}

static int answer_address(const struct abi_iface *row, unsigned request, struct ifreq *r)
{
	uint32_t addr = abi_end_ip4(&row->addr);

	if (!row->addr.family)
		return -EADDRNOTAVAIL;
	if (request == SIOCGIFNETMASK)
		addr = mask_of(row);
	else if (request == SIOCGIFBRDADDR)
		addr = row->flags & IFF_BROADCAST ? addr | ~mask_of(row) : 0;
	return put_address(addr, &r->ifr_addr);
}

static int answer(const struct abi_iface *row, unsigned request, struct ifreq *r)
{
	switch (request) {
	case SIOCGIFNAME:
		__builtin_memcpy(r->ifr_name, row->name, sizeof(row->name));
		return 0;
	case SIOCGIFINDEX:
		r->ifr_ifindex = (int)row->index;
		return 0;
	case SIOCGIFFLAGS:
		r->ifr_flags = (short)row->flags;
		return 0;
	case SIOCGIFMTU:
		r->ifr_mtu = (int)row->mtu_bytes;
		return 0;
	case SIOCGIFMETRIC:
		r->ifr_metric = 0;
		return 0;
	case SIOCGIFHWADDR:
		r->ifr_hwaddr = (struct sockaddr){ .sa_family = row->hardware };
		__builtin_memcpy(r->ifr_hwaddr.sa_data, row->mac, sizeof(row->mac));
		return 0;
	default:
		return answer_address(row, request, r);
	}
}

/* ---- all of them --------------------------------------------------------------------------- */

/* As many as there is room for; how much it takes, when there is none. */
static int answer_all(const struct abi_iface *rows, int n, struct ifconf *c)
{
	size_t used = 0, room = c->ifc_len < 0 ? 0 : (size_t)c->ifc_len;
	struct ifreq r;

	for (int i = 0; i < n; i++) {
		if (rows[i].addr.family != 4)
			continue;
		if (c->ifc_buf && room - used < sizeof(r))
			break;
		if (c->ifc_buf) {
			r = (struct ifreq){ 0 };
			__builtin_memcpy(r.ifr_name, rows[i].name, sizeof(rows[i].name));
			put_address(abi_end_ip4(&rows[i].addr), &r.ifr_addr);
			__builtin_memcpy(c->ifc_buf + used, &r, sizeof(r));
		}
		used += sizeof(r);
	}
	c->ifc_len = (int)used;
	return 0;
}

int iface_ioctl(unsigned request, void *arg)
{
	struct abi_iface rows[ABI_IFACES_MAX];
	const struct abi_iface *row;
	int n;

	if (request != SIOCGIFCONF && !iface_asks_of_one(request))
		return IFACE_OTHER;
	if (!arg)
		return -EFAULT;
	n = ifaces_get(rows);
	if (n < 0)
		return n;
	if (request == SIOCGIFCONF)
		return answer_all(rows, n, arg);
	row = find(rows, n, request, arg);
	return row ? answer(row, request, arg) : IFACE_OTHER;
}
