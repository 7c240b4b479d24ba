/* SPDX-License-Identifier: MIT */
/* The rooms between the devices and IP: Ethernet, ARP, the devices' queue. */
#ifndef GLASS_STACK_LINK_H
#define GLASS_STACK_LINK_H

#include "stack.h"

struct arp_packet;

#define OUT_QUEUE_MAX 4096 /* frames that wait for the devices, or to come back by lo */

/* eth.c */

/* A frame from a device, at its Ethernet header. */
enum verdict eth_input(struct glass *g, struct pkt *p);
/* p at its network header; dst is the next hop's hardware address. */
enum verdict eth_output(struct glass *g, struct pkt *p, const uint8_t dst[MAC_BYTES],
			uint16_t type);

/* dev.c */

/* Bytes in front of the IP header. */
static inline uint32_t dev_header_bytes(const struct dev *d)
{
	return d->setup.link == GLASS_ETHERNET ? 14 : 0;
}
/*
 * p as it is to leave by device p->dev: completes the checksum where the device does not, and
 * queues it.
 */
enum verdict dev_output(struct glass *g, struct pkt *p);
/* What a device says of a received frame is checked before anybody relies on it; GO_ON: it may. */
enum verdict dev_check_offload(struct glass *g, struct pkt *p, const struct glass_offload *off);
/* Writes the transport checksum that PKT_CSUM_PARTIAL promises, when the flag is set. */
void dev_complete_csum(struct pkt *p);
/*
 * p, at its IP header, comes back to us as if it had come in by p->dev, which is lo or, for a copy
 * of what went to a group, the device that it left by.
 */
enum verdict dev_loop(struct glass *g, struct pkt *p);
/* The next packet that came back by lo, at its IP header; NULL: none. */
struct pkt *dev_loop_take(struct glass *g);

/* neigh.c: RFC 4861 7.3.2's states, for IPv4. */

enum neigh_state {
	NEIGH_NONE, /* just born, or about to go */
	NEIGH_INCOMPLETE,
	NEIGH_REACHABLE,
	NEIGH_STALE,
	NEIGH_DELAY,
	NEIGH_PROBE,
	NEIGH_FAILED,
};

int neigh_init(struct glass *g);
void neigh_fini(struct glass *g);
/* Neighbours in the table. */
uint32_t neigh_count(const struct glass *g);
/*
 * p at its IP header, to be sent by Ethernet device p->dev to p->next_hop: at once, or when the
 * neighbour is known.
 */
enum verdict arp_resolve(struct glass *g, struct pkt *p);
/* Progress at a higher layer: whoever is at that address received what we sent (RFC 4861 7.3.1). */
void neigh_confirm(struct glass *g, unsigned dev, ip4_t addr);
/* True while packets wait for that neighbour's address: what was sent has not left yet. */
bool neigh_waited_for(const struct glass *g, unsigned dev, ip4_t addr);
/* Somebody who asked for our address told us his own. */
void neigh_learn(struct glass *g, unsigned dev, ip4_t addr, const uint8_t mac[MAC_BYTES]);
/* A reply came; false: nobody here waited for it. */
bool neigh_answered(struct glass *g, unsigned dev, ip4_t addr, const uint8_t mac[MAC_BYTES]);
/* Somebody says addr is at mac, without having been asked: if we know better, we ask. */
void neigh_claimed(struct glass *g, unsigned dev, ip4_t addr, const uint8_t mac[MAC_BYTES]);
/* The device went down or changed its address: forgets its neighbours. */
void neigh_flush(struct glass *g, unsigned dev);

/* arp.c */

/* A received ARP packet, after the Ethernet header. */
enum verdict arp_input(struct glass *g, struct pkt *p);
/* Asks who has target; mac NULL: everybody, else only the one who had it. */
void arp_request(struct glass *g, unsigned dev, ip4_t target, const uint8_t *mac);
/* Tells everybody that addr is ours (RFC 5227 2.3). */
void arp_announce(struct glass *g, unsigned dev, ip4_t addr);

#endif
