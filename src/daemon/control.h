/* SPDX-License-Identifier: MIT */
/* The control socket: what control.c (the socket, its clients) and control_request.c share. */
#ifndef GLASS_DAEMON_CONTROL_H
#define GLASS_DAEMON_CONTROL_H

#include "../base/list.h"
#include "daemon.h"

#define CLIENTS_MAX 8192 /* one descriptor each */

struct client {
	struct watch watch;
	struct list node;
	uid_t uid;
	pid_t pid;
	bool owner;  /* may use the command's operations */
	bool doomed; /* could not be answered: dropped when its handler is done */
	bool busy;   /* a handler is at work */
	bool held;   /* freeze.c: its request waits until the stack goes on */
	bool taker;  /* takeover.c: it is the new glassd */
	bool reads;  /* the flight recorder, which is not handed over */
	void (*gone)(struct daemon *d, struct client *c, void *arg);
	void *gone_arg;
};

struct control {
	struct watch listener;
	struct list clients;
	unsigned nclients;
	uid_t uid; /* who runs the daemon */
	char path[ABI_PATH_MAX];
	union {
		struct abi_request req;
		char bytes[sizeof(struct abi_request) + ABI_DATA_MAX + 1];
	} in;
};

/* One request, if there is one. The client may be gone afterwards. */
void client_request(struct daemon *d, struct client *c);
/* why: NULL, it went by itself. */
void client_drop(struct daemon *d, struct client *c, const char *why);
/* Whose watch it is; NULL: no client's. */
struct client *client_of(struct watch *w);
/*
 * It goes along in a takeover. Let go is who waits for an answer, but to connect(2) and close(2),
 * and who reads the flight recorder, but in a capture, whose frames tell him of the new one.
 */
static inline bool client_stays(const struct client *c)
{
	if (c->taker || c->doomed)
		return false;
	return capture_waits(c) || (!c->reads && (!c->gone || connect_waits(c) || linger_waits(c)));
}
/* The socket, and a client, that another glassd had: 0 or -errno; false: no memory. */
int control_adopt(struct daemon *d, int fd);
bool client_adopt(struct daemon *d, int fd, uid_t uid, pid_t pid);
bool is_seqpacket(int fd);
op_handler op_adopt, op_takeover;

#endif
