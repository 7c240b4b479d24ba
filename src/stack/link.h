/* SPDX-License-Identifier: MIT */
/* The rooms between the devices and IP: Ethernet, ARP, the devices' queue. */
#ifndef GLASS_STACK_LINK_H
#define GLASS_STACK_LINK_H

#include "stack.h"

/* eth.c */

/* A frame from a device, at its Ethernet header. */
enum verdict eth_input(struct glass *g, struct pkt *p);
/* p at its network header; dst is the next hop's hardware address. */
enum verdict eth_output(struct glass *g, struct pkt *p, const uint8_t dst[MAC_BYTES], uint16_t type);

/* dev.c */

/* p as it is to leave by device p->dev: completes the checksum where the device does not, and queues it. */
enum verdict dev_output(struct glass *g, struct pkt *p);
/* What a device says of a received frame is checked before anybody relies on it. */
enum verdict dev_check_offload(struct glass *g, struct pkt *p, const struct glass_offload *off);

/* arp.c */

int neigh_init(struct glass *g);
void neigh_fini(struct glass *g);
/* p at its IP header, to be sent by Ethernet device p->dev to p->next_hop: at once, or when the neighbour is known. */
enum verdict arp_resolve(struct glass *g, struct pkt *p);
/* A received ARP packet, after the Ethernet header. */
enum verdict arp_input(struct glass *g, struct pkt *p);
/* Progress at a higher layer: whoever is at that address received what we sent (RFC 4861 7.3.1). */
void neigh_confirm(struct glass *g, unsigned dev, ip4_t addr);

#endif
