/* SPDX-License-Identifier: MIT */
/*
 * BSD sockets on the stack, still without file descriptors: one struct for what a program holds,
 * and by protocol what it stands on: a TCP connection or listener, or a datagram endpoint.
 */
#ifndef GLASS_SOCKET_SOCK_H
#define GLASS_SOCKET_SOCK_H

#include "../stack/tcp.h"
#include "../stack/tcp_listen.h"
#include "../stack/udp.h"

/* What a program says of a socket before there is a connection or a listener. */
struct sock_start {
	struct tcp_config config;
	struct tcp_bind bind; /* TCP; the listener has its own */
};

struct glass_sock {
	struct list node; /* g->socks */
	struct glass *g;
	void *user;
	struct sock_start *start;      /* NULL: it was accepted */
	struct tcp_conn *conn;	       /* TCP, from connect or accept on */
	struct tcp_listener *listener; /* TCP, from listen on */
	struct udp_end *udp;	       /* UDP and PING */
	uint32_t number;	       /* in the trace */
	uint8_t proto;		       /* enum glass_proto */
};

/* A call by the program: an act, and the cause of what follows. End with sock_call_end(). */
#define SOCK_CALL(g, s, name, argument)                                            \
	uint32_t outer = act_begin(g);                                             \
	EVENT(g, sock_conn_id(s), (g)->trace.cause, CALL, WORD(name), (s)->number, \
	      (uint64_t)(argument))

/*
 * What the call answered; errors are recorded, successes of the data path are not worth a record.
 */
int64_t sock_call_end(struct glass *g, const struct glass_sock *s, uint32_t outer, uint64_t name,
		      int64_t result);

/* What options of TCP are kept in: the connection's, the listener's, or those of what will be. */
struct tcp_config *sock_config(struct glass_sock *s);
/* Its claim on a port. NULL: it was accepted, and nobody has asked for one. */
struct tcp_bind *sock_bind(struct glass_sock *s);
/* sock_device.c: SO_BINDTODEVICE, ifindex a device's number + 1, 0: any. 0 or -errno. */
int sock_set_device(struct glass *g, struct glass_sock *s, unsigned ifindex);
unsigned sock_device(struct glass_sock *s);

static inline uint32_t sock_conn_id(const struct glass_sock *s)
{
	return s->conn ? s->conn->id : 0;
}

static inline struct glass_end sock_end(ip4_t addr, uint16_t port)
{
	return (struct glass_end){ .addr = addr_of_ip4(addr), .port = port };
}

/* An end given by a caller: 0 or -EAFNOSUPPORT. A family of GLASS_UNSPEC is the address 0. */
int sock_end_read(const struct glass_end *end, ip4_t *addr, uint16_t *port);

/* Without a start. NULL: no memory, or too many. */
struct glass_sock *sock_new(struct glass *g, enum glass_proto proto);
/* There is a start; that of an accepted one goes on from its connection. false: no memory. */
bool sock_start(struct glass *g, struct glass_sock *s);
void sock_free(struct glass *g, struct glass_sock *s);

/* sock_tcp.c */
int sock_tcp_bind(struct glass *g, struct glass_sock *s, ip4_t addr, uint16_t port);
/* fast: the SYN may have data. 0: it waits for that; -EINPROGRESS: it is out. */
int sock_tcp_connect(struct glass *g, struct glass_sock *s, ip4_t addr, uint16_t port, bool fast);
int sock_tcp_shutdown(struct glass *g, struct glass_sock *s, enum glass_how how);
/* Lets go of everything; abort: with RST. */
void sock_tcp_close(struct glass *g, struct glass_sock *s, bool abort);
unsigned sock_tcp_ready(const struct glass_sock *s);
int sock_tcp_error(struct glass_sock *s);

/* sock_dgram.c */
int sock_dgram_open(struct glass *g, struct glass_sock *s);
int sock_dgram_bind(struct glass *g, struct glass_sock *s, ip4_t addr, uint16_t port);
int sock_dgram_connect(struct glass *g, struct glass_sock *s, ip4_t addr, uint16_t port);
int sock_raw_open(struct glass *g, struct glass_sock *s, uint8_t protocol);
void sock_dgram_close(struct glass *g, struct glass_sock *s);
unsigned sock_dgram_ready(const struct glass_sock *s);
int sock_dgram_error(struct glass_sock *s);

/* sock_dgram_opt.c */
int sock_dgram_setopt(struct glass *g, struct glass_sock *s, enum glass_opt opt, int64_t value);
int64_t sock_dgram_getopt(struct glass_sock *s, enum glass_opt opt);

#endif
