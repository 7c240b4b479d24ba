/* SPDX-License-Identifier: MIT */
/* The ARP packet for IPv4 over Ethernet: RFC 826. */
#ifndef GLASS_WIRE_ARP_H
#define GLASS_WIRE_ARP_H

#include "../base/be.h"
#include "eth.h"

#define ARP_PACKET_BYTES 28
#define ARP_HW_ETHERNET 1
#define ARP_LENGTHS (ETH_MAC_BYTES << 8 | 4)

enum arp_op { ARP_OP_REQUEST = 1, ARP_OP_REPLY = 2 };

struct arp_packet {
	struct be16 hw, proto;
	struct be16 lengths; /* of a hardware address, of a protocol address: ARP_LENGTHS */
	struct be16 op;
	uint8_t sender_mac[ETH_MAC_BYTES];
	struct be32 sender;
	uint8_t target_mac[ETH_MAC_BYTES];
	struct be32 target;
};

#endif
