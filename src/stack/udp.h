/* SPDX-License-Identifier: MIT */
/* Datagram endpoints: UDP, ICMP echo ("ping") as a datagram protocol, and raw IP. */
#ifndef GLASS_STACK_UDP_H
#define GLASS_STACK_UDP_H

#include "ip.h"

/* IP_MTU_DISCOVER, as on Linux: who chose these wants DF, and EMSGSIZE above the MTU. */
#define UDP_MTU_DONT 0
#define UDP_MTU_WANT 1
#define UDP_MTU_DO 2
#define UDP_MTU_PROBE 3

#define UDP_ERRORS_MAX 64 /* kept per endpoint; the others are told as SO_ERROR only */

struct udp_end {
	struct waker waker;
	struct list all;       /* in the table */
	struct list node;      /* in the table's bucket of its local port, once bound */
	uint8_t proto;	       /* IP_PROTO_UDP, or IP_PROTO_ICMP for ping */
	ip4_t local, remote;   /* 0: any */
	uint16_t lport, rport; /* 0: not bound, not connected; ping: lport is the identifier */
	bool reuse_addr, reuse_port, broadcast;
	uint32_t owner;		   /* glass_sock_set_owner() */
	bool raw, header_included; /* raw: lport is the protocol, node is in the table's raws */
	uint32_t icmp_filter;	   /* raw: types that are not wanted, one bit each */
	uint8_t mtu_discover;	   /* IP_PMTUDISC_*: 2 and 3 set DF */
	uint8_t ttl, tos;
	/* Devices by number + 1, 0: any. */
	uint8_t bound;		 /* SO_BINDTODEVICE: hears and speaks by this one only */
	uint8_t unicast_dev;	 /* IP_UNICAST_IF */
	uint8_t group_dev;	 /* IP_MULTICAST_IF */
	uint8_t group_ttl;	 /* of datagrams to a multicast group (RFC 1112 6.1) */
	bool group_loop;	 /* IP_MULTICAST_LOOP: ourselves hear them too */
	bool group_all;		 /* IP_MULTICAST_ALL: hears groups that others have joined */
	uint16_t ngroups;	 /* of groups */
	ip4_t group_src;	 /* IP_MULTICAST_IF, by address */
	struct list groups;	 /* struct group_member */
	bool gro;		 /* UDP_GRO */
	bool cork;		 /* UDP_CORK: datagrams are pieces of one */
	uint16_t segment;	 /* UDP_SEGMENT: one send is several datagrams of this size */
	struct udp_cork *corked; /* the pieces until now; NULL: none */
	struct list rx;		 /* struct pkt: payload, l3 and l4 point at its headers */
	uint32_t rx_bytes;	 /* their true size */
	uint32_t rx_limit;	 /* SO_RCVBUF; 0: the tunable udp_queue_kb */
	uint64_t rx_drops;
	int error;	    /* pending, from ICMP or ARP; positive errno */
	bool recverr;	    /* IP_RECVERR: errors are kept with what they are about */
	uint8_t nerrors;    /* of errors, at most UDP_ERRORS_MAX */
	struct list errors; /* struct udp_error, oldest first */
	uint64_t number;    /* of endpoints ever made */
	bool chosen;	    /* local was chosen by connect, not by bind */
	bool port_given;    /* lport by bind, not by the stack */
};

/* What IP_RECVERR keeps of one error. */
struct udp_error {
	struct list node;
	struct glass_dgram_error told;
	uint8_t bytes[]; /* told.full: the beginning of the datagram that it is about */
};

int udp_init(struct glass *g);
void udp_fini(struct glass *g);

struct udp_end *udp_new(struct glass *g, uint8_t proto);
void udp_free(struct glass *g, struct udp_end *u);
/* lport 0: an unpredictable free one. -EADDRINUSE, -EADDRNOTAVAIL, -EINVAL (bound already). */
int udp_bind(struct glass *g, struct udp_end *u, ip4_t local, uint16_t lport);
/* Binds when it is not; chooses the source address. -ENETUNREACH, -EADDRINUSE (no port free). */
int udp_connect(struct glass *g, struct udp_end *u, ip4_t remote, uint16_t rport);
/* No destination any more; the address that connect chose is given up too. */
void udp_disconnect(struct udp_end *u);
/* And the port, when nobody asked for it: as Linux after connect to AF_UNSPEC. */
void udp_dissolve(struct udp_end *u);
/* What one datagram has of its own; src, ttl, ifindex, segment 0, tos -1: what the endpoint has. */
struct udp_how {
	ip4_t src;
	uint8_t ttl, ifindex;
	int16_t tos;
	uint16_t segment;
	bool more; /* MSG_MORE: a piece, others follow */
};
/*
 * dst 0: where it is connected to. Length or -EMSGSIZE, -ENETUNREACH, -ENOBUFS, -EACCES
 * (broadcast), -EDESTADDRREQ, -EINVAL. For ping the bytes are an echo request, whose identifier and
 * checksum are filled in.
 */
int64_t udp_send(struct glass *g, struct udp_end *u, const void *bytes, size_t length, ip4_t dst,
		 uint16_t dport, const struct udp_how *how);
/* One datagram of UDP, as it is. */
int64_t udp_send_one(struct glass *g, struct udp_end *u, const void *bytes, size_t length,
		     ip4_t dst, uint16_t dport, const struct udp_how *how);
/* udp_cork.c: sends what waits: its length, or -errno; 0: nothing does. Forgets it. */
int64_t udp_uncork(struct glass *g, struct udp_end *u);
void udp_cork_drop(struct glass *g, struct udp_end *u);
/* The oldest datagram, unlinked, the caller's; NULL: none. */
struct pkt *udp_take(struct glass *g, struct udp_end *u);
/* What waits came when the program was gone already: it is answered as if the port were closed. */
void udp_refuse(struct glass *g, struct udp_end *u);

/* udp_find.c: the table. */
struct udp_table {
	struct list *buckets; /* UDP_BUCKETS */
	struct list all, raws;
	struct hash_key port_key, group_key;
	uint64_t numbers; /* endpoints ever made */
};
struct udp_flow {
	uint8_t proto;
	ip4_t local, remote;
	uint16_t lport, rport;
	uint8_t ifindex; /* device that it came by, + 1; 0: not known */
};
struct list *udp_bucket(struct glass *g, uint8_t proto, uint16_t lport);
/*
 * The endpoint that fits best: connected before bound, bound to an address before any. NULL: none.
 */
struct udp_end *udp_find(struct glass *g, const struct udp_flow *f);
/* How well u fits; 0: not at all. */
unsigned udp_score(const struct udp_end *u, const struct udp_flow *f);
/* Binds u to lport, or to an unpredictable free port when that is 0; 0 or -EADDRINUSE. */
int udp_take_port(struct glass *g, struct udp_end *u, uint16_t lport);

/* How many bytes of datagrams may wait, as in memory. */
static inline uint32_t udp_rx_limit(const struct glass *g, const struct udp_end *u)
{
	return u->rx_limit ? u->rx_limit : (uint32_t)g->tun.udp_queue_kb * 1024;
}
/* Keeps p, at the bytes for the program, for u, or drops it. */
enum verdict udp_queue(struct glass *g, struct udp_end *u, struct pkt *p);
/* udp_error.c */
/* An error that u's program is to see. */
void udp_set_error(struct glass *g, struct udp_end *u, int error);
/*
 * p, a packet of ours at its IP header, will not be sent: its endpoint learns why. p is only
 * looked at.
 */
void udp_output_failed(struct glass *g, const struct pkt *p, int error);
/* Keeps an error for IP_RECVERR, if u wants that, with the datagram's beginning. */
void udp_keep_error(struct glass *g, struct udp_end *u, const struct glass_dgram_error *told,
		    const void *bytes, size_t length);
/* The same of what an ICMP message told: bytes are the quote's from the datagram's payload on. */
void udp_keep_icmp(struct glass *g, struct udp_end *u, const struct icmp_error *e, size_t header);
/* The oldest error kept, unlinked; NULL: none. udp_error_free() it. */
struct udp_error *udp_error_take(struct glass *g, struct udp_end *u);
void udp_error_free(struct glass *g, struct udp_error *e);
/* Forgets them all. */
void udp_errors_drop(struct glass *g, struct udp_end *u);
/* The result of a send to dst, of which EMSGSIZE is kept as an error too. */
int64_t udp_sent(struct glass *g, struct udp_end *u, int64_t result, ip4_t dst,
		 const struct ip_path *path);

enum verdict udp_input(struct glass *g, struct pkt *p, const struct ip_info *ip);
enum verdict udp_icmp_error(struct glass *g, struct pkt *p, const struct icmp_error *e);
/* An echo reply: p at the ICMP header. */
enum verdict ping_input(struct glass *g, struct pkt *p, const struct ip_info *ip, uint16_t id);
enum verdict ping_icmp_error(struct glass *g, struct pkt *p, const struct icmp_error *e);
int64_t ping_send(struct glass *g, struct udp_end *u, const void *bytes, size_t length, ip4_t dst,
		  const struct udp_how *how);

/* raw.c: endpoints of an IP protocol. NULL: out of memory. */
struct udp_end *raw_new(struct glass *g, uint8_t proto);
int raw_bind(struct glass *g, struct udp_end *u, ip4_t local);
/* As udp_send(). */
int64_t raw_send(struct glass *g, struct udp_end *u, const void *bytes, size_t length, ip4_t dst,
		 const struct udp_how *how);
/* Copies of p, at its transport header, to whom it fits; true: there was one. */
bool raw_input(struct glass *g, const struct pkt *p, const struct ip_info *ip);
/* An error about a packet of that protocol: true when somebody hears of it. */
bool raw_icmp_error(struct glass *g, const struct icmp_error *e);

/* Where u's packets to dst go, and from which address; how may be NULL. As ip_route(). */
int udp_route(const struct glass *g, const struct udp_end *u, ip4_t dst, const struct udp_how *how,
	      struct ip_path *path);
/* What the IP header of u's packets to dst is to be; the source is the path's. */
struct ip_send udp_header(const struct udp_end *u, const struct udp_how *how, ip4_t dst,
			  uint8_t proto);
/* The packet of a datagram as ip_output() has judged it, in terms of send(2). */
int64_t udp_result(enum verdict v, size_t length);
/* Walks all: cursor NULL starts; NULL ends. */
struct udp_end *udp_next(struct glass *g, struct udp_end *cursor);

#endif
