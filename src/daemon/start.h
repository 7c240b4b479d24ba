/* SPDX-License-Identifier: MIT */
/*
 * How glassd starts and ends: the pieces that main.c puts in order. Each tells its error by
 * notice().
 */
#ifndef GLASS_DAEMON_START_H
#define GLASS_DAEMON_START_H

#include "../abi/path.h"
#include "../dev/dev_io.h"
#include "daemon.h"
#include "takeover.h"

#include <sys/socket.h>

#define TUNABLES_GIVEN_MAX 64
#define TRACE_RECORDS_MAX (1 << 28)

struct cidr {
	struct glass_addr addr;
	unsigned prefix_bits;
};

struct options {
	bool takeover;
	bool foreground, no_offload, no_host_setup, rootless;
	const char *stack, *dev;
	enum dev_kind kind;
	struct cidr address, host_address;
	struct glass_addr gateway; /* family GLASS_UNSPEC: none */
	const char *publish[USER_PUBLISH_MAX];
	unsigned npublish;
	uint32_t mtu_bytes; /* 0: as the device has it */
	size_t trace_records;
	bool trace_records_given; /* else another glassd's goes on */
	bool seed_given;
	uint64_t seed;
	int64_t spin_us; /* -1: not given, and another glassd's goes on */
	struct allowed allowed;
	const char *set[TUNABLES_GIVEN_MAX]; /* name=value */
	unsigned nset;
};

/* options.c: -1: go on; else the exit status (after --help, or an error that was told). */
int options_parse(struct options *o, int argc, char **argv);
/* options_tunable.c: --set NAME=VALUE on the stack; false: told. */
bool options_set_tunables(const struct options *o, struct glass *g);

/* rootless.c: from here on in a user and a network namespace of our own. false: told. */
bool rootless_enter(void);

/* device.c: opens the device that the options ask for, with the host's side. NULL: told. */
struct dev_io *device_open(const struct options *o);
/* DIR/STACK.resolv.conf, where the device brings a name server along, and its end. */
void device_resolver_make(const struct options *o, const char *dir);
void device_resolver_remove(const struct options *o, const char *dir);

/* instance.c: the directory and the lock of a stack's name. */
struct instance {
	char dir[ABI_PATH_MAX], socket_path[ABI_PATH_MAX];
	char lock_path[ABI_PATH_MAX + 40];
	int lock_fd;
	bool own_dir; /* goes at the end */
};
/* false: told; another daemon has the name, or the directory cannot be used. */
bool instance_take(struct instance *in, const char *stack);
void instance_release(struct instance *in);

/* The names of a stack that another daemon has, whose lock is to come. false: told. */
bool instance_find(struct instance *in, const char *stack);
/* The lock is ours now: says so. */
void instance_mark(const struct instance *in);

/* takeover.c, the new one's side, in this order. false: told; nothing has been taken then. */
struct taken {
	int fd, control;
	struct ucred who; /* runs the old one */
	struct package package;
	struct handover handover;
};
/* Everything that the running daemon has, in bytes and descriptors. */
bool takeover_ask(struct taken *t, const struct instance *in);
/* Into its namespaces, and as its user. */
bool takeover_move_in(struct taken *t);
/* d->g; then, when there is a loop and what programs_prepare() makes, the rest of *d. */
bool takeover_stack(struct taken *t, struct daemon *d, const struct glass_setup *setup);
bool takeover_daemon(struct taken *t, struct daemon *d);
/* Its flight recorder's records come in front in d->ring; NULL: there is none here. */
void takeover_ring(struct taken *t, struct daemon *d);
/* We are ready: the old one ends. From here on it is ours. */
bool takeover_commit(struct taken *t);

/* ready.c: daemon() whose parent returns only when the child is ready. */
struct ready {
	int fd; /* -1: in the foreground */
};
/* Answers in the child only; the parent waits and exits with the child's fate. */
bool ready_fork(struct ready *r);
/* The child is ready: lets go of the terminal. */
void ready_tell(struct ready *r);

/* privilege.c */
void privilege_raise_nofile(void);
/* Gives up every capability for good, and proves it. false: told. */
bool privilege_drop(void);

/* loop.c: receives from device dev of the stack. 0 or -errno. */
int loop_watch_device(struct daemon *d, unsigned dev);
void loop_unwatch_device(struct daemon *d, unsigned dev);
/* After programs_fini(): hands out what is left, until the peers have answered or time is up. */
void loop_drain(struct daemon *d);
void loop_fini(struct daemon *d);

/* capture.c */
void capture_fini(struct daemon *d);
/* In a takeover; client: a number of whoever captures, 0: he has gone. */
void capture_write(struct handover *h, struct daemon *d, uint32_t client);
uint32_t capture_read(struct handover *h, struct daemon *d);

void notice_to_syslog(void);

/* net_attached.c: what came with the words of "glass net". NULL: it makes no sense. */
struct impair_extras;
struct impair_extras *net_attached_read(int fd);
/* With nothing in it yet, and one user. NULL: no memory. */
struct impair_extras *net_attached_new(void);
/* One more filter or recorded link, of n elements that are looked at. false: not taken. */
typedef bool net_attached_take(struct impair_extras *e, const char *text, const uint8_t *elements,
			       uint32_t n);
net_attached_take net_attached_filter, net_attached_trace;
/* One user less; the last one frees it. NULL: nothing happens. */
void net_attached_drop(struct impair_extras *e);

#endif
