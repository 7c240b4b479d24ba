/* SPDX-License-Identifier: MIT */
/*
 * Programs' sockets. Each is an AF_UNIX pair: the program has one end, and here is the other, a
 * struct end (program_end.c), joined to a socket of the stack. Here: how one is made, how many a
 * user may have, the beginning and the end of all.
 *
 * In: control_request.c (SOCKET), main.c.   Out: program_end.c, program_dgram.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "program.h"

#define FDS_RESERVED 128 /* descriptors for the daemon itself and its clients */

void reply_errno(struct daemon *d, struct client *c, const struct abi_request *req, int error)
{
	struct abi_reply rep = { .error = error };

	control_reply(d, c, req, &rep, NULL, 0, -1);
}

/* ---- limits ---------------------------------------------------------------------------------- */

static struct user *user_of(struct programs *p, uid_t uid)
{
	struct user *free_slot = NULL;

	for (unsigned i = 0; i < USERS_MAX; i++) {
		if (p->user[i].count && p->user[i].uid == uid)
			return &p->user[i];
		if (!p->user[i].count)
			free_slot = &p->user[i];
	}
	if (free_slot)
		free_slot->uid = uid;
	return free_slot;
}

/* An eighth of all sockets stays free for the others. */
struct user *user_charge(struct programs *p, uid_t uid)
{
	struct user *u = user_of(p, uid);

	if (!u || p->count >= p->count_max || u->count >= p->count_max - p->count_max / 8)
		return NULL;
	u->count++;
	p->count++;
	return u;
}

void user_uncharge(struct programs *p, uid_t uid)
{
	user_of(p, uid)->count--;
	p->count--;
}

/* ---- SOCKET ---------------------------------------------------------------------------------- */

/* A socket that goes on where a failed one ended: its options, its own address. */
static void socket_inherit(struct daemon *d, struct end *e, const struct ended *x)
{
	e->v6only = x->v6only;
	opts_restore(d, e->sock, x->opt);
	if (!x->bound || end_bind_again(d, e->sock, &x->local))
		return;
	e->bound = true;
	e->port_chosen = !x->local.port;
	e->local = x->local;
}

/* 0 or a positive errno. Raw sockets see and forge what is others': they are root's, as on Linux.
 */
static int socket_allowed(const struct client *c, const struct abi_request *req)
{
	bool raw = req->arg[1] == GLASS_RAW && req->arg[0] == 4;

	if (raw)
		return client_uid(c) ? EPERM : req->arg[3] > 0 && req->arg[3] < 256 ? 0 : EINVAL;
	if ((req->arg[0] != 4 && req->arg[0] != 6) ||
	    (req->arg[1] != GLASS_TCP && req->arg[1] != GLASS_UDP && req->arg[1] != GLASS_PING))
		return EPROTONOSUPPORT;
	return 0;
}

static struct glass_sock *socket_make(struct daemon *d, const struct abi_request *req)
{
	if (req->arg[1] == GLASS_RAW)
		return glass_socket_raw(d->g, (uint8_t)req->arg[3]);
	return glass_socket(d->g, (enum glass_proto)req->arg[1]);
}

void op_socket(struct daemon *d, struct client *c, const struct abi_request *req, const char *data,
	       int *fd)
{
	struct end like = { .uid = client_uid(c),
			    .family = (uint8_t)req->arg[0],
			    .proto = (uint8_t)req->arg[1] };
	const struct ended *x = ended_find(d, c, (uint64_t)req->arg[2]);
	struct abi_reply rep = { 0 };
	struct glass_sock *sock;
	struct end *e;
	int end_fd = -1;
	int err;

	(void)data;
	(void)fd;
	if ((err = socket_allowed(c, req))) {
		reply_errno(d, c, req, err);
		return;
	}
	sock = socket_make(d, req);
	if (!sock && dgrams_sweep(d))
		sock = socket_make(d, req);
	if (!sock) {
		reply_errno(d, c, req, ENOBUFS);
		return;
	}
	if ((err = end_new(d, &like, &end_fd, &e))) {
		glass_abort(d->g, sock);
		reply_errno(d, c, req, -err);
		return;
	}
	end_attach(e, sock);
	if (x)
		socket_inherit(d, e, x);
	rep.token = e->token;
	control_reply(d, c, req, &rep, NULL, 0, end_fd);
	close(end_fd);
}

/* ---- init ------------------------------------------------------------------------------------ */

/* Every connection is a descriptor: as many as may be. */
static unsigned fds_raise(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r))
		return 1024;
	r.rlim_cur = r.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &r))
		getrlimit(RLIMIT_NOFILE, &r);
	return r.rlim_cur > 4194304 ? 4194304 : (unsigned)r.rlim_cur;
}

/* The kernel cuts SO_SNDBUF to net.core.wmem_max without a word; canary and plug rely on it. */
static void check_wmem(void)
{
	int pair[2], size = 0;
	socklen_t len = sizeof(size);

	if (pair_open(pair, 1, 4))
		return;
	if (!getsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &size, &len) && size < 2 * ABI_END_SNDBUF)
		notice("programs' sockets get %d bytes of buffer instead of %d: a sendfile may "
		       "stall. "
		       "Type: sysctl -w net.core.wmem_max=212992",
		       size, 2 * ABI_END_SNDBUF);
	close(pair[0]);
	close(pair[1]);
}

int programs_prepare(struct daemon *d)
{
	struct programs *p = calloc(1, sizeof(*p));
	unsigned fds = fds_raise();
	int err;

	if (!p)
		return -ENOMEM;
	list_init(&p->ends);
	list_init(&p->lingers);
	list_init(&p->senders);
	p->keeper_fd = -1;
	d->programs = p;
	p->count_max = fds > 2 * FDS_RESERVED ? fds - FDS_RESERVED : fds / 2;
	err = dgrams_init(d);
	if (!err)
		err = starved_init(d);
	if (err)
		return err;
	check_wmem();
	return 0;
}

int programs_init(struct daemon *d)
{
	int err = programs_prepare(d);

	return err ? err : keeper_init(d);
}

void programs_fini(struct daemon *d)
{
	if (!d->programs)
		return;
	keeper_fini(d);
	lingers_fini(d);
	while (!list_empty(&d->programs->ends)) {
		struct end *e = list_first(&d->programs->ends, struct end, node);

		end_free(d, e, e->state == END_OPEN && pair_queued(e) > e->canary);
	}
	starved_fini(d);
	dgrams_fini(d);
	free(d->programs);
	d->programs = NULL;
}

void programs_client_gone(struct daemon *d)
{
	dgrams_sweep_soon(d);
}
