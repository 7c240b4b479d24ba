/* SPDX-License-Identifier: MIT */
/*
 * TCP: the tables, birth and death of a connection, the doors of IP and of the user. The connection
 * itself is in tcp_conn.h.
 */
#ifndef GLASS_STACK_TCP_H
#define GLASS_STACK_TCP_H

#include "tcp_conn.h"

#define TCP_PORT_BUCKETS 4096
#define TCP_TW_ISS_STEP \
	65537 /* from the last number of a connection in TIME-WAIT to the next one's */

struct tcp_seg;

/* A port in use, and who uses it. */
struct tcp_port {
	struct list node;  /* in its bucket */
	struct list binds; /* struct tcp_bind */
	uint16_t port;
	uint32_t conns; /* connections with this local port, TIME-WAIT too */
};

/* A socket's claim on a port. */
struct tcp_bind {
	struct list node;      /* in port->binds */
	struct tcp_port *port; /* NULL: not bound */
	ip4_t addr;	       /* 0: any */
	uint32_t owner;	       /* glass_sock_set_owner() */
	uint32_t number;       /* of listeners ever made */
	uint8_t bound;	       /* to that device, + 1; 0: to none */
	bool reuse_addr, reuse_port, listening;
};

/* What fast-open cookies are made with (the first), and what they may have been made with. */
struct tcp_fastopen_keys {
	struct list node;  /* in table->fastopen_own, while it waits for its listener */
	const void *owner; /* the socket that is to be it */
	struct hash_key key[2];
	uint8_t n;
};

struct tcp_table {
	struct list *buckets, *id_buckets; /* of nbuckets */
	uint32_t nbuckets, nconns;
	struct list ports[TCP_PORT_BUCKETS];
	struct list pending;
	struct list time_wait; /* oldest first */
	uint32_t ntime_wait;
	uint32_t last_id, last_listener;
	struct list dead;	     /* struct tcp_conn: ended, freed when the door closes */
	struct list *embryo_buckets; /* of nembryo_buckets */
	uint32_t nembryo_buckets, nembryos;
	struct hash_key hash_key, isn_key, ts_key, cookie_key;
	struct tcp_fastopen_keys fastopen_keys;
	struct list fastopen_own; /* struct tcp_fastopen_keys: of sockets that may listen */
	struct tcp_hint *hints;	  /* tcp_fastopen_client.c; NULL: none yet */
	struct buf *spare;	  /* where the next bytes of a program go */
};

/* tcp_demux.c: finding the connection; ports */
int tcp_init(struct glass *g);
void tcp_fini(struct glass *g);
enum verdict tcp_input(struct glass *g, struct pkt *p, const struct ip_info *ip);
struct tcp_conn *tcp_find(struct glass *g, ip4_t laddr, uint16_t lport, ip4_t raddr,
			  uint16_t rport);
struct tcp_conn *tcp_find_id(struct glass *g, uint32_t id);
/* Puts c into the tables; 0 or -ENOBUFS. */
int tcp_hash(struct glass *g, struct tcp_conn *c);
void tcp_unhash(struct glass *g, struct tcp_conn *c);
struct tcp_listener *tcp_find_listener(struct glass *g, const struct tcp_seg *seg);
/* Walks all connections: bucket by bucket. *cursor starts at 0. */
struct tcp_conn *tcp_next(struct glass *g, uint64_t *cursor);

/* tcp_port.c */
/* As Linux: both say SO_REUSEPORT, and nobody takes what comes for another's. */
static inline bool tcp_bind_shares(const struct tcp_bind *a, const struct tcp_bind *b)
{
	return a->reuse_port && b->reuse_port && a->owner == b->owner;
}
/* They speak of the same address and device, or of all. */
static inline bool tcp_bind_meets(const struct tcp_bind *a, const struct tcp_bind *b, ip4_t b_addr)
{
	return (!a->addr || !b_addr || a->addr == b_addr) &&
	       (!a->bound || !b->bound || a->bound == b->bound);
}
/* port 0: an unpredictable free one. 0, -EADDRINUSE, -EADDRNOTAVAIL, -ENOBUFS. */
int tcp_bind(struct glass *g, struct tcp_bind *b, ip4_t addr, uint16_t port);
void tcp_unbind(struct glass *g, struct tcp_bind *b);
/*
 * A local port such that the four addresses of c are free; may end a connection in TIME-WAIT.
 * -EADDRNOTAVAIL.
 */
int tcp_choose_port(struct glass *g, struct tcp_conn *c);
struct tcp_port *tcp_port_get(struct glass *g, uint16_t port);
struct tcp_port *tcp_port_find(struct glass *g, uint16_t port);
void tcp_port_put(struct glass *g, struct tcp_port *port);

/*
 * c takes the addresses of old, which rests in TIME-WAIT: its ISN and timestamps go on from
 * there.
 */
void tcp_take_over(struct glass *g, struct tcp_conn *c, struct tcp_conn *old);

/* tcp_isn.c: of the four addresses */
struct seq tcp_isn(struct glass *g, ip4_t laddr, uint16_t lport, ip4_t raddr, uint16_t rport);
uint32_t tcp_ts_offset(struct glass *g, ip4_t laddr, uint16_t lport, ip4_t raddr, uint16_t rport);
static inline uint32_t tcp_ts_at(const struct tcp_conn *c, int64_t time_ns)
{
	return (uint32_t)(time_ns / NS_PER_MS) + c->ts_offset;
}
static inline uint32_t tcp_ts_now(const struct glass *g, const struct tcp_conn *c)
{
	return tcp_ts_at(c, now(g));
}

/* tcp_state.c: birth, states, death */
struct tcp_conn *tcp_new(struct glass *g, const struct tcp_config *config);
/* The fields of a connection that is not in any list, and may never be: see tcp_embryo.c. */
void tcp_conn_init(struct glass *g, struct tcp_conn *c, const struct tcp_config *config);
/* c goes on from an embryo of that number: in SYN-RECEIVED, as the trace knows. */
void tcp_hatched(struct tcp_conn *c, uint32_t id);
void tcp_config_init(const struct glass *g, struct tcp_config *config);
#define tcp_set_state(g, c, to, why) tcp_change_state(g, c, to, WORD(why), why)
void tcp_change_state(struct glass *g, struct tcp_conn *c, enum tcp_state to, uint64_t why,
		      const char *why_text);
/*
 * Ends the connection by an error the program is to see (0: orderly); c may be freed when no
 * socket has it.
 */
#define tcp_end(g, c, error, why) tcp_end_conn(g, c, error, WORD(why), why)
void tcp_end_conn(struct glass *g, struct tcp_conn *c, int error, uint64_t why,
		  const char *why_text);
/*
 * Frees what ended since the last time: when a door of the stack closes, nobody holds a pointer
 * any more.
 */
void tcp_reap(struct glass *g);
/* The socket lets go of an ended connection. */
void tcp_free(struct glass *g, struct tcp_conn *c);

/* tcp_connect.c */
int tcp_connect(struct glass *g, struct tcp_conn *c, ip4_t raddr, uint16_t rport);
enum verdict tcp_syn_sent_input(struct glass *g, struct tcp_conn *c, struct pkt *p,
				struct tcp_seg *seg);
/* Everything that depends on both ends' addresses and on the path, before the first SYN. */
void tcp_prepare(struct glass *g, struct tcp_conn *c, struct seq iss);
/* What SYN or SYN-ACK of the peer tells: options, sequence numbers. */
void tcp_learn_syn(struct glass *g, struct tcp_conn *c, const struct tcp_seg *seg);
void tcp_established(struct glass *g, struct tcp_conn *c);

/* tcp_fastopen_client.c: data in a SYN that goes */
void tcp_fastopen_fini(struct glass *g);
/* May c's first SYN have data? Then it may wait for it. */
bool tcp_fastopen_ready(struct glass *g, const struct tcp_conn *c);
/* How much data c's SYN may carry. */
uint32_t tcp_fastopen_room(struct glass *g, const struct tcp_conn *c);
/* The option of c's first SYN. Answers how much data may go with it. */
uint32_t tcp_fastopen_ask(struct glass *g, struct tcp_conn *c, struct tcp_options *o);
/* The first bytes are there: the SYN goes. */
void tcp_fastopen_go(struct glass *g, struct tcp_conn *c);
/* The peer's SYN acknowledges ours: what of its data it took, and what it told. */
void tcp_fastopen_answered(struct glass *g, struct tcp_conn *c, const struct tcp_seg *seg);
/* The SYN with data was too large for the path: a plain one goes at once. */
void tcp_fastopen_too_large(struct glass *g, struct tcp_conn *c);

/* The user's doors: tcp_user.c */
void tcp_shutdown_wr(struct glass *g, struct tcp_conn *c);
void tcp_close(struct glass *g, struct tcp_conn *c);
void tcp_abort(struct glass *g, struct tcp_conn *c, int error);

/* Errors from below. */
enum verdict tcp_icmp_error(struct glass *g, struct pkt *p, const struct icmp_error *e);
/* A device's MTU has changed: connections over it send no segment that it would refuse. */
void tcp_dev_mtu(struct glass *g, unsigned dev);
void tcp_output_failed(struct glass *g, uint32_t conn, int error);

#endif
