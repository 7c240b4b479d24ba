/* SPDX-License-Identifier: MIT */
/* Datagram endpoints: UDP, and ICMP echo ("ping") as a datagram protocol. */
#ifndef GLASS_STACK_UDP_H
#define GLASS_STACK_UDP_H

#include "ip.h"

struct udp_end {
	struct waker waker;
	struct list node;	/* in the table's bucket of its local port, once bound */
	uint8_t proto;		/* IP_PROTO_UDP, or IP_PROTO_ICMP for ping */
	ip4_t local, remote;	/* 0: any */
	uint16_t lport, rport;	/* 0: not bound, not connected; ping: lport is the identifier */
	bool reuse_addr, reuse_port, broadcast;
	uint8_t ttl, tos;
	struct list rx;		/* struct pkt: payload, l3 and l4 point at its headers */
	uint32_t rx_bytes;	/* their true size */
	uint64_t rx_drops;
	int error;		/* pending, from ICMP; positive errno */
};

int udp_init(struct glass *g);
void udp_fini(struct glass *g);

struct udp_end *udp_new(struct glass *g, uint8_t proto);
void udp_free(struct glass *g, struct udp_end *u);
/* lport 0: an unpredictable free one. -EADDRINUSE, -EADDRNOTAVAIL, -EINVAL (bound already). */
int udp_bind(struct glass *g, struct udp_end *u, ip4_t local, uint16_t lport);
/* Binds when it is not; chooses the source address. -ENETUNREACH, -EADDRINUSE (no port free). */
int udp_connect(struct glass *g, struct udp_end *u, ip4_t remote, uint16_t rport);
/* Length or -EMSGSIZE, -ENETUNREACH, -ENOBUFS, -EACCES (broadcast), -EDESTADDRREQ. */
int64_t udp_send(struct glass *g, struct udp_end *u, const void *bytes, size_t length, ip4_t dst, uint16_t dport);
/* The oldest datagram, unlinked, the caller's; NULL: none. */
struct pkt *udp_take(struct glass *g, struct udp_end *u);

enum verdict udp_input(struct glass *g, struct pkt *p, const struct ip_info *ip);
enum verdict udp_icmp_error(struct glass *g, struct pkt *p, const struct icmp_error *e);
/* An echo reply: p at the ICMP header. */
enum verdict ping_input(struct glass *g, struct pkt *p, const struct ip_info *ip, uint16_t id);
enum verdict ping_icmp_error(struct glass *g, struct pkt *p, const struct icmp_error *e);
/* Walks all: cursor NULL starts; NULL ends. */
struct udp_end *udp_next(struct glass *g, struct udp_end *cursor);

#endif
