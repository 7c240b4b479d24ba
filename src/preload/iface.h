/* SPDX-License-Identifier: MIT */
/* The stack's devices and addresses, as the kernel tells a program of its own. */
#ifndef GLASS_PRELOAD_IFACE_H
#define GLASS_PRELOAD_IFACE_H

#include <linux/sockios.h>
#include <stdbool.h>

#include "../abi/iface.h"
#include "../abi/name.h"
#include "raw.h"

/* The requests that are about one device: a struct ifreq goes in and comes back. */
static inline bool iface_asks_of_one(unsigned request)
{
	switch (request) {
	case SIOCGIFNAME:
	case SIOCGIFINDEX:
	case SIOCGIFFLAGS:
	case SIOCGIFMTU:
	case SIOCGIFMETRIC:
	case SIOCGIFHWADDR:
	case SIOCGIFADDR:
	case SIOCGIFDSTADDR:
	case SIOCGIFNETMASK:
	case SIOCGIFBRDADDR:
		return true;
	default:
		return false;
	}
}

/* How many rows, in order of devices, or a negative errno. */
int ifaces_get(struct abi_iface rows[ABI_IFACES_MAX]);
/*
 * ioctl(2) of netdevice(7): SIOCGIF*. A negative errno; IFACE_OTHER: not such a request, or about
 * a device that the stack has not.
 */
#define IFACE_OTHER 1
int iface_ioctl(unsigned request, void *arg);

#endif
