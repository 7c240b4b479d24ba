/* SPDX-License-Identifier: MIT */
/*
 * Connections that others open: listeners, what is half open, SYN cookies, fast open.
 */
#ifndef GLASS_STACK_TCP_LISTEN_H
#define GLASS_STACK_TCP_LISTEN_H

#include "tcp.h"

struct tcp_listener {
	struct waker waker;
	struct tcp_bind bind;
	struct tcp_config config;
	uint32_t backlog;
	struct list accept; /* struct tcp_conn: nobody has taken them; they may have ended */
	uint32_t naccept;
	uint32_t held; /* accepted, and still waiting for the program: its owner says how many */
	struct list embryos; /* struct tcp_embryo */
	uint32_t nembryos;
	int64_t cookie_ns; /* when it last answered with a cookie */
	/* tcp_fastopen.c: connections in SYN-RECEIVED; those that a RST ended lately */
	uint32_t fastopens, fastopen_resets;
	int64_t fastopen_reset_ns;		 /* the last of these */
	struct tcp_fastopen_keys *fastopen_keys; /* its own; NULL: the stack's */
};

/*
 * A connection half open, in SYN-RECEIVED: what the SYN told and what we answered. It becomes a
 * struct tcp_conn with the third segment of the handshake, so a SYN costs little.
 */
struct tcp_embryo {
	struct list node;  /* in the table's bucket of its four addresses */
	struct list queue; /* listener->embryos, oldest first */
	struct timer timer;
	struct tcp_listener *listener;
	int64_t sent_ns;      /* our SYN-ACK, last */
	int64_t challenge_ns; /* what was no good, last answered */
	ip4_t laddr, raddr;
	uint16_t lport, rport;
	struct seq irs, iss;
	uint32_t id; /* in the trace; the connection will have the same */
	uint32_t syn_pkt;
	uint32_t tsval;	   /* the peer's */
	uint16_t wnd, mss; /* the peer's; mss 0: it told none */
	uint8_t wscale;	   /* the peer's */
	uint8_t timeouts;
	bool wscale_ok : 1, sack_ok : 1, ts_ok : 1, ecn_ok : 1; /* asked for by the peer */
	bool acked : 1;	 /* the third segment came and was not taken */
	bool resent : 1; /* so the third segment tells no round-trip time */
	bool is_cookie : 1;
	bool fastopen_tell : 1; /* the SYN-ACK carries a cookie for the next time */
	bool fastopen_exp : 1;	/* as the option of the experiment */
};

/* tcp_listen.c */
/*
 * A listener that takes over the claim on a port. 0, -EADDRINUSE (somebody listens there),
 * -ENOBUFS.
 */
int tcp_listen(struct glass *g, struct tcp_bind *claim, const struct tcp_config *config,
	       struct tcp_listener **out);
/* One without claim. NULL: no memory. */
struct tcp_listener *tcp_listener_new(struct glass *g);
void tcp_listener_free(struct glass *g, struct tcp_listener *l);
enum verdict tcp_listen_input(struct glass *g, struct tcp_listener *l, struct pkt *p,
			      struct tcp_seg *seg);
struct tcp_conn *tcp_accept(struct glass *g, struct tcp_listener *l);
/* A connection whose handshake is complete waits for the program. */
void tcp_accept_queue(struct glass *g, struct tcp_listener *l, struct tcp_conn *c);
/* As Linux: one more may wait than the backlog says. */
static inline bool tcp_accept_full(const struct tcp_listener *l)
{
	return l->naccept + l->held > l->backlog;
}

/* tcp_embryo.c */
int tcp_embryos_init(struct glass *g);
void tcp_embryos_fini(struct glass *g);
struct tcp_embryo *tcp_embryo_find(struct glass *g, ip4_t laddr, uint16_t lport, ip4_t raddr,
				   uint16_t rport);
/* What a SYN asks for, as far as we want it too. */
void tcp_embryo_read(struct glass *g, struct tcp_embryo *e, struct tcp_listener *l,
		     const struct tcp_seg *seg);
/* A copy of it in the tables, without timer. NULL: no memory. */
struct tcp_embryo *tcp_embryo_make(struct glass *g, const struct tcp_embryo *like);
/* A copy of it that lives, and answers the SYN. NULL: no memory. */
struct tcp_embryo *tcp_embryo_new(struct glass *g, const struct tcp_embryo *like);
void tcp_embryo_free(struct glass *g, struct tcp_embryo *e);
/* *e ends; what the trace says of it. */
void tcp_embryo_end(struct glass *g, struct tcp_embryo *e, int error, uint64_t why);
/* SYN-ACK. false: no way back. */
bool tcp_embryo_answer(struct glass *g, struct tcp_embryo *e);
enum verdict tcp_embryo_input(struct glass *g, struct tcp_embryo *e, struct pkt *p,
			      struct tcp_seg *seg);
/*
 * The third segment: a connection in place of the embryo, established and in the accept queue. The
 * embryo is untouched. NULL: no memory, or no way back.
 */
struct tcp_conn *tcp_embryo_hatch(struct glass *g, struct tcp_embryo *e, const struct tcp_seg *seg);
/* What e stands for as a connection in SYN-RECEIVED, in the tables. NULL: no memory, or no way. */
struct tcp_conn *tcp_embryo_conn(struct glass *g, const struct tcp_embryo *e);
/* Walks all embryos, as tcp_next(). */
struct tcp_embryo *tcp_embryo_next(struct glass *g, uint64_t *cursor);

/* tcp_cookie.c */
/* Makes e->iss a cookie. */
void tcp_cookie_make(struct glass *g, struct tcp_embryo *e);
/* The timestamp of its SYN-ACK. */
uint32_t tcp_cookie_tsval(const struct glass *g, const struct tcp_embryo *e, uint32_t ts_offset);
/* Has the listener sent one so lately that it may come back? */
bool tcp_cookie_expected(const struct glass *g, const struct tcp_listener *l);
/* Is seg the answer to a cookie of ours? Then *e is what it was made from. */
bool tcp_cookie_check(struct glass *g, struct tcp_listener *l, const struct tcp_seg *seg,
		      struct tcp_embryo *e);

/* tcp_fastopen.c: data in a SYN that comes */
/* Does this SYN open at once? If not, *e may have learned that its SYN-ACK is to tell a cookie. */
bool tcp_fastopen_check(struct glass *g, struct tcp_listener *l, const struct tcp_seg *seg,
			struct tcp_embryo *e);
/* A connection in SYN-RECEIVED that has the SYN's data and waits for accept. Consumes p. */
enum verdict tcp_fastopen_open(struct glass *g, struct tcp_embryo *e, struct pkt *p,
			       struct tcp_seg *seg);
/* The cookie for the peer of c, to its listener c->fastopen_of. */
void tcp_fastopen_tell(const struct glass *g, const struct tcp_conn *c, struct tcp_options *o);
/* The program has it, in SYN-RECEIVED: as good as established. */
static inline bool tcp_fastopen_accepted(const struct tcp_conn *c)
{
	return c->fastopen_child && !c->listener;
}
/* c leaves SYN-RECEIVED; by a RST: its place stays taken for a while. */
void tcp_fastopen_left(struct glass *g, struct tcp_conn *c, bool reset);
void tcp_fastopen_listener_gone(struct glass *g, struct tcp_listener *l);

/* tcp_fastopen_key.c: l's own keys, or the stack's */
#define TCP_FASTOPEN_KEYED_BYTES 8
void tcp_fastopen_keys_init(struct glass *g);
void tcp_fastopen_make(const struct glass *g, const struct tcp_listener *l, ip4_t client,
		       ip4_t server, uint8_t cookie[TCP_FASTOPEN_KEYED_BYTES]);
/* With which key was the cookie of seg made: 1, 2; 0: with none of them. */
unsigned tcp_fastopen_made_with(const struct glass *g, const struct tcp_listener *l,
				const struct tcp_seg *seg);
/* One key or two, as bytes. 0; -EINVAL: a length that cannot be. */
int tcp_fastopen_keys_read(struct tcp_fastopen_keys *keys, const void *bytes, size_t length);
/* The same back, and how long it is. own NULL: the stack's. */
size_t tcp_fastopen_keys_write(const struct glass *g, const struct tcp_fastopen_keys *own,
			       uint8_t bytes[2 * GLASS_FASTOPEN_KEY_BYTES]);
/* Those that wait for owner to listen; NULL: none. take: they wait no more. */
struct tcp_fastopen_keys *tcp_fastopen_keys_find(const struct glass *g, const void *owner);
struct tcp_fastopen_keys *tcp_fastopen_keys_take(struct glass *g, const void *owner);
void tcp_fastopen_keys_free(struct glass *g, struct tcp_fastopen_keys *keys);

#endif
