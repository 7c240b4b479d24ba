/* SPDX-License-Identifier: MIT */
/* The Ethernet header: IEEE 802.3, RFC 894. */
#ifndef GLASS_WIRE_ETH_H
#define GLASS_WIRE_ETH_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "../base/be.h"

#define ETH_HEADER_BYTES 14
#define ETH_MAC_BYTES 6

enum eth_type { ETH_TYPE_IP4 = 0x0800, ETH_TYPE_ARP = 0x0806 };

struct eth_header {
	uint8_t dst[ETH_MAC_BYTES], src[ETH_MAC_BYTES];
	struct be16 type;
};

/* Broadcast or multicast: the first bit on the wire. */
static inline bool eth_is_group(const uint8_t mac[ETH_MAC_BYTES])
{
	return mac[0] & 1;
}

static inline bool eth_is_zero(const uint8_t mac[ETH_MAC_BYTES])
{
	return !(mac[0] | mac[1] | mac[2] | mac[3] | mac[4] | mac[5]);
}

static inline bool eth_same(const uint8_t a[ETH_MAC_BYTES], const uint8_t b[ETH_MAC_BYTES])
{
	return !memcmp(a, b, ETH_MAC_BYTES);
}

#endif
