/* SPDX-License-Identifier: MIT */
/*
 * Saving a stack and making it again (docs/adr/0021-takeover.md): what the rooms have for that.
 * Each x_keep() goes both ways, as save_begin() says: it writes what there is, or reads all records
 * of its kinds that are next and makes what they tell of.
 *
 * In: src/socket/sock_keep.c, which puts them in order.  Out: save.h.
 */
#ifndef GLASS_STACK_KEEP_H
#define GLASS_STACK_KEEP_H

#include "../base/save.h"
#include "stack.h"

struct tcp_config;
struct tcp_conn;
struct tcp_fastopen_keys;
struct tcp_listener;
struct udp_end;

/* keep.c: fields that several have. */
#define KEEP_TIMER(s, g, t) \
	keep_timer((s), (g), &(t), (const char *const[]){ #t ".armed", #t ".due_ns", #t ".order" })
void keep_timer(struct save *s, struct glass *g, struct timer *t, const char *const name[3]);
/* All packets of a queue, each a record of that kind; with what lies in front of their data. */
void keep_packets(struct save *s, struct glass *g, struct list *queue, const char *kind,
		  bool headers);

/* keep_stack.c */
/* Devices, addresses, routes, keys: the beginning. */
void stack_keep(struct save *s, struct glass *g);
/* What counts and what limits: the end, since making things moves counters and meets limits. */
void stack_keep_rest(struct save *s, struct glass *g);

/* keep_link.c */
void neigh_keep(struct save *s, struct glass *g);
void frag_keep(struct save *s, struct glass *g);

/* keep_group.c */
void group_keep(struct save *s, struct glass *g);
void group_keep_members(struct save *s, struct glass *g, struct udp_end *u);

/* keep_udp.c. Reading: u is fresh, of the right kind. */
void udp_keep(struct save *s, struct glass *g, struct udp_end *u);
/* udp_cork.c */
void udp_cork_keep(struct save *s, struct glass *g, struct udp_end *u);

/* keep_tcp.c */
/* Keys, and all connections in the table. */
void tcp_keep(struct save *s, struct glass *g);
/* One that is in no table any more: a socket has it still. NULL: no memory, or a fault. */
struct tcp_conn *tcp_keep_ended(struct save *s, struct glass *g, struct tcp_conn *c);
/* What connections have in common, in its order; when all sockets are there. */
void tcp_keep_rest(struct save *s, struct glass *g);
void tcp_config_keep(struct save *s, struct tcp_config *k);

/* keep_tcp_queue.c: what c sends, what it has received. */
void tcp_queue_keep(struct save *s, struct glass *g, struct tcp_conn *c);
/* keep_tcp_account.c */
void tcp_account_keep(struct save *s, struct glass *g, struct tcp_conn *c);
/* tcp_note.c */
void tcp_notes_keep(struct save *s, struct glass *g, struct tcp_conn *c);

/* keep_tcp_listen.c */
struct tcp_bind;
void tcp_bind_keep(struct save *s, struct glass *g, struct tcp_bind *b);
/* NULL: no memory, or a fault. Writing: l. */
struct tcp_listener *tcp_listener_keep(struct save *s, struct glass *g, struct tcp_listener *l);
/* tcp_fastopen_key.c: fields of keys; those of a listener or a socket that is to be one: *keys. */
void tcp_fastopen_keys_keep(struct save *s, struct tcp_fastopen_keys *keys);
void tcp_fastopen_own_keep(struct save *s, struct glass *g, struct tcp_fastopen_keys **keys);
/* tcp_fastopen_client.c: what was learned of servers. */
void tcp_hints_keep(struct save *s, struct glass *g);

#endif
