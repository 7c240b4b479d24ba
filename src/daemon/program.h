/* SPDX-License-Identifier: MIT */
/*
 * Programs' sockets: shared by the program*.c files.
 *
 *	program.c		the table of ends, limits; SOCKET
 *	program_end.c		one end: its token, its life
 *	program_pair.c		making, naming and passing an AF_UNIX pair
 *	program_connect.c	CONNECT and its outcome
 *	program_listen.c	BIND, LISTEN, handing over new connections
 *	program_data.c		bytes, both ways, and how they end
 *	program_linger.c	close(2) that waits for the peer
 *	program_option.c	options, names, errors
 *	program_dgram.c		datagram sockets, both ways
 *	program_group.c		their multicast groups, and devices
 *	program_peer.c		their connect
 *	program_sweep.c		their death
 *	program_sender.c	the sockets named after a datagram's origin
 */
#ifndef GLASS_DAEMON_PROGRAM_H
#define GLASS_DAEMON_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../abi/name.h"
#include "../base/list.h"
#include "daemon.h"

enum end_state {
	END_FRESH,
	END_CONNECTING,
	END_IN_HAND, /* accepted, and not yet on its way to the program: end->in_hand of a listener
		      */
	END_OPEN,
	END_LISTENING,
};

/* The daemon's end of a program's socket, and the stack's socket behind it. */
struct end {
	struct sock_owner owner; /* first: the stack's socket points here */
	struct watch watch;
	struct list node;  /* of all ends */
	struct end *chain; /* of ends in the same bucket */
	struct glass_sock *sock;
	uint64_t token;
	ino_t inode; /* of the program's end: who has it, has the socket */
	uid_t uid;
	enum end_state state; /* a datagram socket stays fresh */
	uint8_t family;	      /* 4 or 6: what the program asked for */
	uint8_t proto;	      /* enum glass_proto */
	struct dgram *dgram;  /* NULL: a stream */
	bool v6only;

	bool bound;	  /* explicitly: by BIND */
	bool port_chosen; /* by the stack; as Linux, it is given back when a connect fails */
	struct glass_end local;

	/* Program to stack. */
	uint8_t canary;	  /* 1: the oldest byte that waits was seen already; 0: it was not */
	bool wants_space; /* something waits until the stack's send buffer has room */
	bool oob;	  /* the program has sent an urgent byte (MSG_OOB), not reached yet */
	bool eof, hup;	  /* the program has shut down; has closed */
	bool shuts, shut; /* it may shut down both ways; it has, and the stack has been told */
	bool unread;	  /* it closed with bytes unread */
	bool reset;	  /* it closed, and that means RST: for that, or by SO_LINGER */
	bool fin_told;	  /* the stack has been told */

	/* Stack to program. */
	bool wants_out; /* the pair is full: waits for EPOLLOUT */
	bool deaf;	/* the program reads no more: what comes is discarded */
	bool fin_given; /* the program has been shown the peer's FIN */

	/* Connect. */
	struct client *waiter; /* is answered when the outcome is known; NULL: nobody waits */
	uint16_t waiter_op;    /* which operation it waits with */
	int64_t taken;	       /* bytes that went with the SYN (CONNECT_SEND) */
	bool outcome_known;    /* to the program: the next connect says EISCONN */
	int plugged;	       /* bytes that waited when it began: canary and plug */

	/*
	 * Listen. Of a short backlog the program's accepting is followed, message by message, so
	 * that it is exact. message_bytes: what the kernel charges for one; 0: not known yet.
	 */
	bool exact;
	int message_bytes;
	/* A connection that did not fit in the pair yet. */
	struct end *in_hand;
	int in_hand_fd;	     /* its program's end */
	struct list starved; /* programs->starved: there is no room for the next one */
	bool starved_told;
};

/* What a datagram socket has beside. Its watch.fd is the program's end's peer; -1: not connected.
 */
struct dgram {
	struct list node; /* programs->dgrams */
	struct end *end;
	struct list senders; /* struct sender, last used first */
	unsigned nsenders;
	uint16_t tell;	      /* enum abi_tell */
	bool kept, kept_peer; /* the keeper knows it, and its peer */
	int error;	      /* waits for the program to ask */
};

/* What is left of a socket whose connection failed, for a while: so that SO_ERROR and a second
 * connect work. */
struct ended {
	uint64_t token;
	uid_t uid;
	int error;
	bool bound, v6only;
	struct glass_end local;
	int64_t opt[GLASS_OPT_COUNT];
};

/* What is left of a socket that was closed with SO_LINGER, for who asks next. */
struct closed {
	uint64_t token;
	uint32_t conn; /* number of the connection */
};

#define CLOSED_MAX 1024
#define END_BUCKETS 16384
#define ENDED_MAX 2048
#define USERS_MAX 64

struct programs {
	struct list ends;
	struct end *bucket[END_BUCKETS];
	unsigned count, count_max;
	struct user {
		uid_t uid;
		unsigned count;
	} user[USERS_MAX];
	struct ended ended[ENDED_MAX];	  /* slot: token % ENDED_MAX */
	struct closed closed[CLOSED_MAX]; /* slot: token % CLOSED_MAX */
	struct list lingers;		  /* who waits: struct linger */
	struct list senders;		  /* struct sender, used longest ago first */
	unsigned nsenders;
	struct list dgrams;	    /* struct dgram, those looked at longest ago first */
	struct watch sweep;	    /* a timer: which of them has its program closed? */
	int64_t swept_in_vain_ns;   /* the last time that room was wanted, and none was found */
	struct list starved;	    /* struct end, listeners */
	struct watch feed;	    /* a timer: is there room for them now? */
	int probe_fd;		    /* asks that */
	int keeper_fd;		    /* program_keeper.c; -1: none */
	uint8_t dgram_bytes[65536]; /* the one that is under way */
	uint64_t random[64];
	unsigned nrandom;
	uint8_t trash[ABI_PLUG_BYTES * 2];
	uint8_t zeros[ABI_PLUG_BYTES];
};

/* What the daemon waits for at its ends; EPOLLOUT only while one is full. */
#define END_EVENTS (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLET)

/* ---- program.c */
/* One more socket of that user; NULL: it has enough. */
struct user *user_charge(struct programs *p, uid_t uid);
void user_uncharge(struct programs *p, uid_t uid);
/* Answers with an errno (0: success) and nothing else. */
void reply_errno(struct daemon *d, struct client *c, const struct abi_request *req, int error);

/* ---- program_end.c */
/*
 * An end without a socket of the stack yet: makes the pair, watches the daemon's half, and stores
 * the program's half in *fd. 0 or -errno: ENFILE when the user has enough.
 */
int end_new(struct daemon *d, const struct end *like, int *fd, struct end **out);
/* Joins it to sock, which is its own from now on. */
void end_attach(struct end *e, struct glass_sock *sock);
/* Forgets the end and closes its descriptors; the stack's socket is closed, or aborted when abort.
 */
void end_free(struct daemon *d, struct end *e, bool abort);
/* e, which another glassd had, with its descriptor and its socket of the stack, is ours. */
void end_adopt(struct daemon *d, struct end *e);
/* NULL: there is none. */
struct end *end_by_token(struct programs *p, uint64_t token);
/* The end of that token, if c may use it; else NULL. */
struct end *end_of_token(struct daemon *d, const struct client *c, uint64_t token);
/* The end that req speaks of, if c may; else NULL, and c has its answer. */
struct end *end_find(struct daemon *d, struct client *c, const struct abi_request *req);
/* Keeps what is to be known of an end that fails with errno error. */
void end_remember(struct daemon *d, const struct end *e, int error);
/* Binds a new socket as e was bound by its program. 0 or -errno. */
int end_bind_again(struct daemon *d, struct glass_sock *sock, const struct glass_end *local);
struct ended *ended_find(const struct daemon *d, const struct client *c, uint64_t token);
/* The end's readiness, told by epoll. */
void end_ready(struct daemon *d, struct watch *w, uint32_t events);

/* ---- program_pair.c */
/* pair[0] the daemon's, pair[1] the program's end, with canary. 0 or -errno. */
int pair_open(int pair[2], uint64_t token, uint8_t family);
/* Gives the daemon's end its name. */
void pair_name(const struct end *e, char kind, int error);
/* Bytes that wait at the daemon's end. */
int pair_queued(const struct end *e);
/* Reads and forgets that many bytes. */
void pair_discard(struct daemon *d, const struct end *e, int bytes);

/*
 * The address that a name of abi/name.h is, into u; its length. bind(2) to it: 0 or -errno.
 */
struct sockaddr_un;
unsigned pair_sockaddr(const struct abi_name *n, struct sockaddr_un *u);
int pair_bind(int fd, const struct abi_name *n);

/* ---- program_starved.c */
int starved_init(struct daemon *d);
void starved_fini(struct daemon *d);
/* A listener has a connection that there is no room for: it is looked at again. why: -errno. */
void starved_add(struct daemon *d, struct end *listener, int why);

/* ---- program_dgram.c */
/* Makes e, whose token is chosen, a datagram socket; the program's end in *fd. 0 or -errno. */
int dgram_open(struct daemon *d, struct end *e, int *fd);
void dgram_free(struct daemon *d, struct end *e);
void dgram_event(struct daemon *d, struct end *e, unsigned ready);
/* SO_ERROR: told once. */
int dgram_error(struct daemon *d, struct end *e);
/* Gives the program what the stack has. false: the end is gone. */
bool dgram_push(struct daemon *d, struct end *e);
/* Sends on what waits at our peer of a connected one. */
void dgram_flush(struct daemon *d, const struct end *e);
void dgram_peer_ready(struct daemon *d, struct watch *w, uint32_t events);
/* The name of the program's end, and of its peer; connect(2) to a name, and to nobody: 0 or -errno.
 */
struct abi_name dgram_name(const struct end *e);
struct abi_name dgram_peer_name(const struct end *e);
int dgram_connect_name(int fd, const struct abi_name *n);
int dgram_connect_nobody(int fd);
static inline bool dgram_connected(const struct end *e)
{
	return e->watch.fd >= 0;
}

/* ---- program_peer.c */
/* CONNECT: program_fd is the program's end. 0 or -errno. */
int dgram_connect(struct daemon *d, struct end *e, const struct abi_end *to, int program_fd);

/* ---- program_sweep.c */
int dgrams_init(struct daemon *d);
/* program_keeper.c: who wakes the datagram sockets when glassd has ended, however. */
int keeper_init(struct daemon *d);
void keeper_fini(struct daemon *d);
/* A socket has been there for some time; it has no peer any more; it is gone. */
void keeper_keep(struct daemon *d, const struct end *e);
void keeper_part(struct daemon *d, const struct end *e);
void keeper_drop(struct daemon *d, const struct end *e);
/* Returns when the keeper has done all that. */
void keeper_sync(struct daemon *d, const struct end *e);
void dgrams_fini(struct daemon *d);
/* Frees the sockets whose program is gone; true: there were such. */
bool dgrams_sweep(struct daemon *d);
/* Likewise some of them, when a user has enough; false also when that was in vain just now. */
bool dgrams_sweep_for_room(struct daemon *d);
/* There is one to look at from time to time. */
void dgrams_sweep_later(struct daemon *d);
/* A program may have ended: they are looked at soon. */
void dgrams_sweep_soon(struct daemon *d);

/* ---- program_sender.c */
/* A socket named after the datagram's origin, connected to the program's end; NULL: *error. */
struct sender *sender_get(struct daemon *d, struct end *e, const struct glass_dgram *info,
			  int *error);
/* 0, or the errno of send(2). */
int sender_give(const struct sender *s, const void *bytes, size_t length);
/* Through the peer of a connected one: s comes along, its name says the rest. The same. */
int sender_give_along(const struct sender *s, const void *bytes, size_t length);
/* Waits for room: then dgram_push(). */
void sender_wait(struct daemon *d, struct sender *s);
void senders_free(struct daemon *d, struct end *e);
/* A descriptor is wanted: when there are too few the sender that was not used for longest goes. */
void senders_yield(struct daemon *d);

/* ---- program_connect.c */
void connect_event(struct daemon *d, struct end *e, unsigned ready);
/* The answer to who waits for the outcome, if anybody does: a positive errno or 0. */
void connect_tell(struct daemon *d, struct end *e, int error);

/* c, which another glassd had, waits for the outcome with that operation. */
void connect_wait_again(struct end *e, struct client *c, uint16_t op);

/* ---- program_listen.c */
void listen_event(struct daemon *d, struct end *e);

/* ---- program_data.c: all return false when the end is gone. */
/* The stack's socket is ready. */
bool data_event(struct daemon *d, struct end *e, unsigned ready);
/* Program to stack, then what follows from it. */
bool data_pull(struct daemon *d, struct end *e);
/* Stack to program, likewise. */
bool data_push(struct daemon *d, struct end *e);

/* ---- program_linger.c */
/* The end of a connection is about to be freed, which is then closed in order. */
void linger_note(struct daemon *d, const struct end *e);
void lingers_fini(struct daemon *d);
struct save;
/* Who waits, and for what, in a takeover. */
void lingers_keep(struct save *s, struct daemon *d);

/* ---- program_group.c */
/* The device that e is bound to, by name; of all zeros: none. 0 or -errno. */
int device_set(struct daemon *d, const struct end *e, const char name[ABI_DEVICE_NAME_BYTES]);
int device_get(struct daemon *d, const struct end *e, char name[ABI_DEVICE_NAME_BYTES]);

/* ---- program_option.c */
void opts_save(struct daemon *d, struct glass_sock *s, int64_t opt[GLASS_OPT_COUNT]);
void opts_restore(struct daemon *d, struct glass_sock *s, const int64_t opt[GLASS_OPT_COUNT]);
struct abi_end abi_of_end(const struct glass_end *e);
/* 0 or -EAFNOSUPPORT. */
int end_of_abi(const struct abi_end *a, struct glass_end *out);

#endif
