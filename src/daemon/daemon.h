/* SPDX-License-Identifier: MIT */
/*
 * glassd: one thread, run to completion. Everything that can become ready is a watch; after each
 * round of ready watches the loop hands the stack's frames to the devices and its events to the
 * programs' ends.
 */
#ifndef GLASS_DAEMON_DAEMON_H
#define GLASS_DAEMON_DAEMON_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <glass/glass.h>

#include "../abi/abi.h"
#include "../abi/path.h"

struct daemon;
struct client;
struct dev_io; /* src/dev/dev_io.h */
struct loop;

struct watch {
	int fd;
	void (*ready)(struct daemon *d, struct watch *w, uint32_t epoll_events);
};

/*
 * What a socket's user pointer (glass_sock_set_user) points at: the first member of whatever owns
 * the socket. The loop says `((struct sock_owner *)e.user)->event(d, e.user, &e)`; a socket without
 * user has nobody to tell.
 */
struct sock_owner {
	void (*event)(struct daemon *d, struct sock_owner *owner, const struct glass_event *e);
};

#define DAEMON_DEVS_MAX 16

/* Who may use the stack beside its owner and root (--allow-user, --allow-group). */
#define ALLOWED_MAX 16
struct allowed {
	uid_t uid[ALLOWED_MAX];
	gid_t gid[ALLOWED_MAX];
	unsigned uids, gids;
};

struct daemon {
	struct glass *g;
	const char *stack; /* its name */
	char dir[108];	   /* of the control socket */
	struct allowed allowed;
	int epoll_fd;
	struct loop *loop; /* loop.c */
	bool stopping;
	int64_t start_ns;     /* of the stack */
	bool functions_named; /* functions.c */
	void *ring;	      /* flight recorder; NULL: none */
	size_t ring_bytes;
	int ring_fd;			     /* memfd */
	struct dev_io *dev[DAEMON_DEVS_MAX]; /* by the stack's device index */
	struct control *control;	     /* control.c */
	struct programs *programs;	     /* program.c */
	struct capture *capture;	     /* capture.c: NULL: none */
	struct netem *net;		     /* netcmd.c: black holes; NULL: none */
	struct net_wire *wire;		     /* net_wire.c: a bad network; NULL: none */
	struct links *links;		     /* links.c: news of the host's side; NULL: none */
	struct freeze *freeze;		     /* freeze.c: the stack stands still; NULL: it runs */
	struct watch *signals;
	struct instance *instance; /* instance.c: its lock */
	struct taker *taker;	   /* takeover.c: another glassd asks; NULL: none */
	int64_t spin_ns; /* loop.c: waits this long without sleeping while traffic is recent */
};

/* notice.c: a line for whoever runs the daemon: on stderr while there is one, else to syslog. */
void notice(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* clock.c: CLOCK_MONOTONIC without the time for which it stood still. */
int64_t clock_now_ns(void);
/* It stands from now on, no later than at that time. */
void clock_stop(int64_t latest_ns);
void clock_go(void);
/* How far it is behind; it is that far behind. */
int64_t clock_lost(void);
void clock_lose(int64_t lost_ns);

/* loop.c. What a ready() asks of the stack happens at the time that the round began:
 * glass_advance() was called. */
int loop_init(struct daemon *d);
/* epoll events as in epoll(7); 0 or -errno. The watch must stay where it is. */
int loop_watch(struct daemon *d, struct watch *w, uint32_t events);
int loop_change(struct daemon *d, struct watch *w, uint32_t events);
/* Stops watching; does not close. Safe inside any ready(). */
void loop_unwatch(struct daemon *d, struct watch *w);
/* Runs until d->stopping. */
void loop_run(struct daemon *d);
/*
 * Frames out, events to the programs, until both are quiet (or a bound is reached: then the next
 * round goes on without waiting). Called at the end of each round: a ready() or a handler need not
 * call it.
 */
void loop_flush(struct daemon *d);
/* Only what is to be sent now; answers whether there was anything. */
bool loop_send_frames(struct daemon *d);
/* News to the programs' ends, and nothing else; answers whether there was any. */
bool loop_events(struct daemon *d);
bool loop_is_device(const struct watch *w);
/* To its device at once; what the device does not take is counted. */
void loop_send(struct daemon *d, const struct glass_frame *frame);
/* One that was just pulled, on whichever way "glass net" has for it. */
void loop_send_frame(struct daemon *d, const struct glass_frame *frame);
/* p is given to the stack, which takes it; fate: what became of it on its way, NULL: nothing. */
void loop_receive(struct daemon *d, unsigned dev, struct pkt *p, int64_t now_ns,
		  const struct glass_fate *fate);

/* control.c: the control socket DIR/STACK.sock (d->dir, d->stack). 0, -EADDRINUSE (the stack runs
 * already), -errno. */
int control_open(struct daemon *d);
/* Closes all clients and removes the socket's file. */
void control_close(struct daemon *d);

/* A request being answered. Handlers answer once, now or (keeping client and req's head) later. */
void control_reply(struct daemon *d, struct client *c, const struct abi_request *req,
		   struct abi_reply *rep, const void *data, size_t length, int fd);
/* A handler; fd: descriptor that came with the request, or -1; closed by the caller unless set to
 * -1. */
typedef void op_handler(struct daemon *d, struct client *c, const struct abi_request *req,
			const char *data, int *fd);
uid_t client_uid(const struct client *c);
pid_t client_pid(const struct client *c);
/* Called when a client goes away while a deferred answer is due. */
void client_on_gone(struct client *c, void (*gone)(struct daemon *d, struct client *c, void *arg),
		    void *arg);
/* Is that what it waits with? NULL: with nothing, so that a deferred answer may be begun. */
bool client_gone_is(const struct client *c,
		    void (*gone)(struct daemon *d, struct client *c, void *arg));

/* program.c: the programs' ends (operations SOCKET .. QUEUED). */
int programs_init(struct daemon *d);
/* The same without a keeper yet: another glassd's goes on. */
int programs_prepare(struct daemon *d);
/*
 * The daemon ends: every socket is closed in order (FIN) or, where bytes of the program or for it
 * would be lost, aborted (RST). The loop hands out what follows from it afterwards.
 */
void programs_fini(struct daemon *d);
/* The inode of the program's end of the socket with this user; 0: no program's. */
uint64_t programs_inode(const void *user);
/* Answers who waits for a connection to be closed, if it is: after every round. */
void lingers_answer(struct daemon *d);
/* It waits for the outcome of a connect(2), or of a close(2). */
bool connect_waits(const struct client *c);
bool linger_waits(const struct client *c);
/* A client has gone: its program has perhaps ended. */
void programs_client_gone(struct daemon *d);
op_handler op_socket, op_bind, op_listen, op_connect, op_connect_wait, op_connect_send,
	op_connect_go_on, op_shutdown, op_linger, op_linger_end, op_names, op_error, op_sendto,
	op_recverr, op_setopt, op_setopt_quiet, op_getopt, op_group, op_info, op_queued, op_ifaces;

/* command.c: operations of glass(1). */
/* It captures; it goes on doing so after a takeover. */
bool capture_waits(const struct client *c);
void capture_wait_again(struct client *c);
op_handler op_stop, op_trace, op_show, op_set, op_net, op_ping, op_pcap;

/* freeze.c: glass step, as long as the client stays. */
op_handler op_step;
/* A round while the stack stands still (d->freeze). */
void freeze_round(struct daemon *d);
void freeze_end(struct daemon *d);

/* takeover.c: the round is over, and d->taker is another glassd. Returns unless all is given. */
void takeover_round(struct daemon *d);

/* functions.c: glass trace --functions, as long as the client stays. */
op_handler op_functions;
/* They get their names in the flight recorder. 0 or -errno. */
int functions_name(struct daemon *d);

/* netcmd.c: true: the frame vanishes (an ICMP-less black hole), as "glass net" says. Answers ARP
 * itself. */
bool net_swallows(struct daemon *d, const struct glass_frame *frame);
/*
 * The words after "glass net": "set ...", "del [in|out]", "blackhole ADDR", "clear [ADDR]", "show"
 * (or nothing). fd: what comes with them (attached.h), the caller's; -1: nothing. 0 or -errno; text
 * tells the outcome either way, with newlines.
 */
int net_command(struct daemon *d, const char *words, int fd, char *text, size_t size);
void net_fini(struct daemon *d);
struct save;
/* Black holes, and a bad network with what is under way on it, in a takeover: save.h. */
void net_keep(struct save *s, struct daemon *d);
void net_wire_keep(struct save *s, struct daemon *d);

/*
 * net_wire.c. The frame is taken: it leaves later or not at all; with p, which is then consumed,
 * it comes later or not at all. false: nothing is set in that direction.
 */
bool net_takes_out(struct daemon *d, const struct glass_frame *frame);
bool net_takes_in(struct daemon *d, unsigned dev, struct pkt *p);
/* What is due by then arrives, or leaves. */
void net_advance(struct daemon *d, int64_t now_ns);
int64_t net_next_deadline(const struct daemon *d);
/* As net_command(); show answers the length. */
int net_wire_set(struct daemon *d, const char *words, int fd, char *text, size_t size);
int net_wire_del(struct daemon *d, const char *word, char *text, size_t size);
size_t net_wire_show(const struct daemon *d, char *text, size_t size);
void net_wire_fini(struct daemon *d);

/*
 * capture.c: what passes between stack and devices, to fd (taken over in any case), at most
 * bytes_max of each frame (0: all). 0 or -errno (-EBUSY: one is going on). It ends by itself when
 * nobody reads any more.
 */
int capture_begin(struct daemon *d, int fd, uint32_t bytes_max);
/*
 * Frames written, and frames left out because the reader was slow. -ENOENT: none is going on. What
 * is kept for the reader follows; then the descriptor is closed.
 */
int capture_end(struct daemon *d, uint64_t *written, uint64_t *lost);
/*
 * A frame is about to leave, or to be given to the stack; part_at as in struct abi_captured.
 * Nothing happens while nobody captures.
 */
void capture_hold(struct daemon *d, const struct glass_frame *frame, bool out, uint32_t part_at);
/* Its fate is in the recorder now. */
void capture_tell(struct daemon *d);

/* links.c: watches the host's side of the devices: down, up, MTU, deleted. */
int links_init(struct daemon *d);
void links_fini(struct daemon *d);
/* Device dev failed with -error in send or receive. */
void links_failed(struct daemon *d, unsigned dev, int error);

#endif
