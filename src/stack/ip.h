/* SPDX-License-Identifier: MIT */
/* The rooms of IPv4 and ICMP. */
#ifndef GLASS_STACK_IP_H
#define GLASS_STACK_IP_H

#include <string.h>

#include "stack.h"

enum { IP_PROTO_ICMP = 1, IP_PROTO_IGMP = 2, IP_PROTO_TCP = 6, IP_PROTO_UDP = 17 };

#define IP_HEADROOM 96 /* for Ethernet, IP and TCP headers with options in front of payload */

/* What the IP header said, for the layer above. */
struct ip_info {
	ip4_t src, dst;
	uint8_t proto, ttl, tos;
	bool dst_group; /* broadcast or multicast destination: no errors, no TCP */
};

/* Where a packet goes. */
struct ip_path {
	unsigned dev;
	ip4_t next_hop, src;
	uint32_t mtu_bytes;
};

/* What the sender wishes for the header; 0 of ttl: the tunable. */
struct ip_send {
	ip4_t src, dst;
	uint8_t proto, ttl, tos;
	bool dont_fragment;
	bool router_alert; /* the option of RFC 2113 */
	bool loop;	   /* to a group: those of us who hear it get a copy (RFC 1112 6.1) */
	bool stays;	   /* TTL 0: nobody else does */
};

/* ip_input.c: p at its IP header (p->l3 is set here). */
enum verdict ip_input(struct glass *g, struct pkt *p);
/* After reassembly or at once: by protocol. p at the transport header. */
enum verdict ip_deliver(struct glass *g, struct pkt *p, const struct ip_info *ip);

/*
 * ip_frag.c: putting together. A fragment, p at its payload, p->l3 its header. A datagram made
 * whole is delivered.
 */
int frag_init(struct glass *g);
void frag_fini(struct glass *g);
enum verdict frag_input(struct glass *g, struct pkt *p, const struct ip_info *ip);

/* ip_cut.c: p at its IP header, too long for the path: sends it in pieces. */
enum verdict frag_output(struct glass *g, struct pkt *p, const struct ip_path *path);
/*
 * The identification of a datagram that may be cut: unique for long, and not to be guessed (RFC
 * 7739).
 */
uint16_t frag_next_id(struct glass *g, ip4_t dst);

/*
 * ip_route.c: -ENETUNREACH when there is no route, -EINVAL when src is of 127/8 and dst is not
 * ours. Whether a broadcast is allowed is the caller's affair. src 0: chosen. A destination of our
 * own goes by device lo.
 */
int ip_route(const struct glass *g, ip4_t dst, ip4_t src, struct ip_path *out);
/*
 * The same by one device: its number + 1; 0: any. As Linux, what no route of it leads to is taken
 * for on-link.
 */
int ip_route_by(const struct glass *g, ip4_t dst, ip4_t src, unsigned ifindex, struct ip_path *out);
/* Our address for packets that leave by dev to dst; 0: none. */
ip4_t ip_source(const struct glass *g, unsigned dev, ip4_t dst);
/*
 * By which device a packet to dst that came by dev counts as heard, + 1. As Linux: what we send to
 * an address of our own comes by lo, and is heard by the device that has it.
 */
uint8_t ip_heard_by(const struct glass *g, unsigned dev, ip4_t dst);
/* One of our addresses, or of 127/8. */
bool ip_is_local(const struct glass *g, ip4_t addr);
/* 255.255.255.255, a subnet's broadcast address of any of our addresses, or 224/4. */
bool ip_is_broadcast(const struct glass *g, ip4_t addr);
/*
 * Can be one host's address on a wire: RFC 1122 3.2.1.3, RFC 6890. Zero, loopback, groups, 240/4
 * cannot.
 */
bool ip_is_host(const struct glass *g, ip4_t addr);
/* dev reaches addr without a router. */
bool ip_is_on_link(const struct glass *g, unsigned dev, ip4_t addr);
static inline bool ip_is_loopback(ip4_t a)
{
	return a >> 24 == 127;
}
static inline bool ip_is_multicast(ip4_t a)
{
	return a >> 28 == 0xe;
}

/* RFC 1112 6.4: a group's hardware address holds the low 23 bits of its IP address. */
static inline void ip_group_mac(ip4_t addr, uint8_t mac[MAC_BYTES])
{
	const uint8_t bytes[MAC_BYTES] = {
		0x01, 0x00, 0x5e, addr >> 16 & 0x7f, addr >> 8 & 0xff, addr & 0xff
	};

	memcpy(mac, bytes, MAC_BYTES);
}

/*
 * ip_output.c: p at its transport header. Writes the IP header and sends p on; a packet longer than
 * the path's MTU that is no super-packet is cut, or refused as IP_TOO_BIG when dont_fragment is
 * set. The transport checksum is the device's or dev_output()'s: set PKT_CSUM_PARTIAL, p->l4 and
 * p->csum_offset, and put the pseudo-header's sum into the field. Answers GO-less: ACCEPTED or a
 * drop reason.
 */
enum verdict ip_output(struct glass *g, struct pkt *p, const struct ip_send *to,
		       const struct ip_path *path);

/*
 * p, finished, at its IP header and to a group or broadcast address: a copy for ourselves, should
 * anybody here hear it.
 */
void ip_loop_copy(struct glass *g, const struct pkt *p, const struct ip_path *path);
/* p at its IP header, finished: on to the device, by way of the neighbour where there are some. */
enum verdict ip_send(struct glass *g, struct pkt *p, const struct ip_path *path);

/* icmp.c */
enum verdict icmp_input(struct glass *g, struct pkt *p, const struct ip_info *ip);

/* icmp_error.c */
int icmp_init(struct glass *g);
void icmp_fini(struct glass *g);
/*
 * An ICMP error about a received packet (p->l3 is its header; only looked at), unless RFC
 * 1122 3.2.2 or the rate limit forbids it. rest: the second word of the message (the MTU of
 * "fragmentation needed").
 */
void icmp_send_error(struct glass *g, const struct pkt *about, uint8_t type, uint8_t code,
		     uint32_t rest);

/* An ICMP error that came in and quotes a packet of ours. */
struct icmp_error {
	uint8_t type, code, proto;
	uint16_t mtu_bytes; /* of "fragmentation needed", 0: not told */
	ip4_t from;	    /* who sent the message */
	ip4_t src, dst;	    /* of the quoted packet: src is ours */
	uint16_t sport, dport;
	uint32_t seq;	   /* TCP's sequence number */
	const uint8_t *l4; /* quoted transport header, at least 8 bytes */
	size_t l4_bytes;   /* that are there */
	int error;	   /* what a program would see, positive errno */
	bool hard;	   /* unreachable, and likely to stay so */
};
/*
 * icmp_quote.c: an error message, p at the ICMP header: goes to the protocol whose packet it
 * quotes.
 */
enum verdict icmp_got_error(struct glass *g, struct pkt *p, const struct ip_info *ip);

#endif
