/* SPDX-License-Identifier: MIT */
/*
 * The keeper: a child that outlives glassd by a moment. The kernel tells a stream's end that its
 * peer is gone, but not a datagram socket's: a program that waits in recv(2) would wait for ever
 * once glassd was killed. The keeper knows each program's datagram socket by name, and has a copy
 * of our end of those that are connected; when glassd ends, however, it wakes them, and the preload
 * library, which then asks for the error, finds that there is no stack (ENETDOWN).
 *
 * In: program_sweep.c, program_dgram.c, program_peer.c.   Out: the programs' ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "program.h"
#include "start.h"

#define BUCKETS 4096
#define ITS_FD 3	   /* the only descriptor that it takes along */
#define PATIENCE_US 200000 /* of glassd, should the keeper be stopped */

enum keeper_op { KEEP, PEER, PART, DROP, SYNC };

struct order {
	uint64_t token;
	uint8_t op, family, proto;
};

/* ---- the keeper's side ----------------------------------------------------------------------- */

struct kept {
	struct kept *next;
	struct abi_name name; /* of the program's end */
	int fd;		      /* a copy of ours, its peer; -1: it has none */
};

static struct kept *bucket[BUCKETS];

static struct kept **find(uint64_t token)
{
	struct kept **at = &bucket[token % BUCKETS];

	while (*at && (*at)->name.token != token)
		at = &(*at)->next;
	return at;
}

static void keep(const struct order *o)
{
	struct kept *k = calloc(1, sizeof(*k));
	struct kept **at = find(o->token);

	if (!k || *at) {
		free(k);
		return;
	}
	k->name = (struct abi_name){
		.kind = 'p', .token = o->token, .family = o->family, .proto = o->proto
	};
	k->fd = -1;
	*at = k;
}

/* fd, or -1, takes the place of what it had. */
static void set_peer(struct kept *k, int fd)
{
	if (k && k->fd >= 0)
		close(k->fd);
	if (k)
		k->fd = fd;
	else if (fd >= 0)
		close(fd);
}

static void drop(uint64_t token)
{
	struct kept **at = find(token), *k = *at;

	if (!k)
		return;
	set_peer(k, -1);
	*at = k->next;
	free(k);
}

/* false: glassd is no more. */
static bool take_order(void)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct order o;
	struct iovec iov = { &o, sizeof(o) };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control.space) };
	ssize_t n = recvmsg(ITS_FD, &m, MSG_CMSG_CLOEXEC);
	struct cmsghdr *cm = CMSG_FIRSTHDR(&m);
	int fd = -1;

	if (n != sizeof(o))
		return n < 0 && errno == EINTR;
	if (cm && cm->cmsg_level == SOL_SOCKET && cm->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(cm), sizeof(fd));
	if (o.op == KEEP)
		keep(&o);
	else if (o.op == DROP)
		drop(o.token);
	else if (o.op == PEER || o.op == PART)
		set_peer(*find(o.token), fd);
	else
		send(ITS_FD, &o, sizeof(o), MSG_NOSIGNAL);
	return true;
}

/* An empty datagram of kind x says: ask for the error. */
static void wake_unconnected(const struct kept *k)
{
	struct abi_name name = { .kind = 'x', .token = k->name.token };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un u;
	socklen_t length = pair_sockaddr(&k->name, &u);

	if (fd < 0)
		return;
	if (!pair_bind(fd, &name))
		sendto(fd, "", 0, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&u, length);
	close(fd);
}

/* As dgram_raise(): its peer goes with something unread. */
static void wake_connected(const struct kept *k)
{
	int probe = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un u;
	socklen_t length = sizeof(u);
	char byte;

	if (probe < 0 || getsockname(k->fd, (struct sockaddr *)&u, &length))
		return;
	while (recv(k->fd, &byte, 1, MSG_DONTWAIT) >= 0)
		;
	dgram_connect_nobody(k->fd);
	sendto(probe, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&u, length);
	dgram_connect_name(k->fd, &k->name);
	dgram_connect_nobody(k->fd);
	close(probe);
}

/* A copy of anything else would keep alive what is to end with glassd: the device, the lock. */
static bool settle(int fd)
{
	static const int ignored[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE };
	int null = open("/dev/null", O_RDWR);

	for (unsigned i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	prctl(PR_SET_NAME, "glass-keeper");
	for (int i = 0; i < ITS_FD && null >= 0; i++)
		dup2(null, i);
	return dup2(fd, ITS_FD) == ITS_FD && !syscall(SYS_close_range, ITS_FD + 1, ~0u, 0) &&
	       privilege_drop();
}

static _Noreturn void keeper(int fd)
{
	if (!settle(fd))
		_exit(1);
	while (take_order())
		;
	for (unsigned i = 0; i < BUCKETS; i++)
		for (const struct kept *k = bucket[i]; k; k = k->next)
			k->fd < 0 ? wake_unconnected(k) : wake_connected(k);
	_exit(0);
}

/* ---- glassd's side --------------------------------------------------------------------------- */

/* Until it has let go of what it took along, a new glassd could not have our lock, if we died. */
static bool settled(int fd)
{
	struct order o = { .op = SYNC };

	return send(fd, &o, sizeof(o), MSG_NOSIGNAL) == sizeof(o) &&
	       recv(fd, &o, sizeof(o), 0) == sizeof(o);
}

int keeper_init(struct daemon *d)
{
	const struct timeval patience = { 0, PATIENCE_US };
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	pid = fork();
	if (!pid)
		keeper(pair[1]);
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return -EAGAIN;
	}
	d->programs->keeper_fd = pair[0];
	if (!settled(pair[0])) {
		keeper_fini(d);
		return 0;
	}
	setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return 0;
}

/* It wakes everybody: glassd ends. */
void keeper_fini(struct daemon *d)
{
	if (d->programs->keeper_fd >= 0)
		close(d->programs->keeper_fd);
	d->programs->keeper_fd = -1;
}

static void tell(struct daemon *d, const struct end *e, enum keeper_op op, const int *fd)
{
	struct order o = {
		.token = e->token, .op = (uint8_t)op, .family = e->family, .proto = e->proto
	};
	struct iovec iov = { &o, sizeof(o) };
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .align = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (d->programs->keeper_fd < 0)
		return;
	if (fd) {
		memcpy(CMSG_DATA(&control.align), fd, sizeof(*fd));
		m.msg_control = &control;
		m.msg_controllen = sizeof(control.space);
	}
	if (sendmsg(d->programs->keeper_fd, &m, MSG_NOSIGNAL) < 0)
		keeper_fini(d); /* it was killed, or stopped: we go on without */
}

void keeper_keep(struct daemon *d, const struct end *e)
{
	if (!e->dgram->kept)
		tell(d, e, KEEP, NULL);
	if (dgram_connected(e) && !e->dgram->kept_peer) {
		tell(d, e, PEER, &e->watch.fd);
		e->dgram->kept_peer = true;
	}
	e->dgram->kept = true;
}

void keeper_part(struct daemon *d, const struct end *e)
{
	if (e->dgram->kept_peer)
		tell(d, e, PART, NULL);
	e->dgram->kept_peer = false;
}

void keeper_drop(struct daemon *d, const struct end *e)
{
	if (e->dgram->kept)
		tell(d, e, DROP, NULL);
}

void keeper_sync(struct daemon *d, const struct end *e)
{
	struct order o;

	tell(d, e, SYNC, NULL);
	if (d->programs->keeper_fd >= 0 &&
	    recv(d->programs->keeper_fd, &o, sizeof(o), 0) != sizeof(o))
		keeper_fini(d);
}
