/* SPDX-License-Identifier: MIT */
/*
 * The stack's devices and addresses as programs ask for them (getifaddrs(3), SIOCGIFCONF).
 *
 * In: control.c (operation IFACES).   Out: glass.h.
 */
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>

#include "../abi/iface.h"
#include "program.h"

static uint32_t flags_of(unsigned index, const struct glass_dev_info *dev)
{
	uint32_t up = dev->up ? IFF_UP | IFF_RUNNING : 0;

	if (!index)
		return up | IFF_LOOPBACK;
	if (dev->setup.link == GLASS_ETHERNET)
		return up | IFF_BROADCAST | IFF_MULTICAST;
	return up | IFF_POINTOPOINT | IFF_NOARP | IFF_MULTICAST;
}

static uint16_t hardware_of(unsigned index, enum glass_link link)
{
	if (!index)
		return ARPHRD_LOOPBACK;
	return link == GLASS_ETHERNET ? ARPHRD_ETHER : ARPHRD_NONE;
}

static struct abi_iface iface_of(unsigned index, const struct glass_dev_info *dev)
{
	struct abi_iface row = { .index = index + 1,
				 .flags = flags_of(index, dev),
				 .mtu_bytes = dev->setup.mtu_bytes,
				 .hardware = hardware_of(index, dev->setup.link) };

	memcpy(row.name, dev->setup.name, sizeof(row.name) - 1);
	memcpy(row.mac, dev->setup.mac, sizeof(row.mac));
	return row;
}

/* The rows of a device; how many. */
static unsigned rows_of(struct daemon *d, unsigned dev, struct abi_iface like,
			struct abi_iface *out, unsigned room)
{
	struct glass_addr_info addr;
	unsigned n = 0;

	for (unsigned i = 0; n < room && glass_addr_at(d->g, i, &addr); i++) {
		struct glass_end end = { .addr = addr.addr };

		if (addr.dev != dev)
			continue;
		out[n] = like;
		out[n].addr = abi_of_end(&end);
		out[n++].prefix_bits = addr.prefix_bits;
	}
	if (!n && room)
		out[n++] = like;
	return n;
}

void op_ifaces(struct daemon *d, struct client *c, const struct abi_request *req, const char *data,
	       int *fd)
{
	struct abi_iface rows[ABI_IFACES_MAX];
	struct abi_reply rep = { 0 };
	struct glass_dev_info dev;
	unsigned n = 0;

	(void)data;
	(void)fd;
	for (unsigned i = 0; glass_dev_at(d->g, i, &dev); i++)
		n += rows_of(d, i, iface_of(i, &dev), rows + n, ABI_IFACES_MAX - n);
	rep.value[0] = n;
	control_reply(d, c, req, &rep, rows, n * sizeof(rows[0]), -1);
}
