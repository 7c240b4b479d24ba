/* SPDX-License-Identifier: MIT */
/* What operation IFACES answers: a row for each address of a device, or one without (family 0). */
#ifndef GLASS_ABI_IFACE_H
#define GLASS_ABI_IFACE_H

#include "abi.h"

#define ABI_IFACES_MAX 64

struct abi_iface {
	char name[16];	/* ends with a 0 */
	uint32_t index; /* lo is 1, as on Linux */
	uint32_t flags; /* IFF_* */
	uint32_t mtu_bytes;
	uint32_t prefix_bits;
	uint8_t mac[6];
	uint16_t hardware; /* ARPHRD_* */
	struct abi_end addr;
};

#endif
