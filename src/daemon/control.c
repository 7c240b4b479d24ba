/* SPDX-License-Identifier: MIT */
/*
 * The control socket: DIR/STACK.sock, SOCK_SEQPACKET, one message one request; and its clients.
 *
 * Who may: the uid that runs the daemon, and root; with --allow-user and --allow-group others too,
 * but only the operations of programs. A child that has given up its parent's uid (a
 * server's worker) still has the connection it inherited: through it, it hands in the half of a new
 * pair (ADOPT), and has the same rights as those.
 *
 * In: loop.c (a client connects, speaks, goes).   Out: control_request.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.h"

#define CLIENTS_PER_UID_MAX 4096 /* so that one user leaves room for others */
#define ACCEPTS_PER_TURN 64	 /* new clients, before the old ones have their turn */
#define BACKLOG 512

uid_t client_uid(const struct client *c)
{
	return c->uid;
}

pid_t client_pid(const struct client *c)
{
	return c->pid;
}

void client_on_gone(struct client *c, void (*gone)(struct daemon *d, struct client *c, void *arg),
		    void *arg)
{
	c->gone = gone;
	c->gone_arg = arg;
}

bool client_gone_is(const struct client *c,
		    void (*gone)(struct daemon *d, struct client *c, void *arg))
{
	return c->gone == gone;
}

void client_drop(struct daemon *d, struct client *c, const char *why)
{
	if (why)
		notice("client pid %d uid %u dropped: %s", (int)c->pid, (unsigned)c->uid, why);
	if (c->gone)
		c->gone(d, c, c->gone_arg);
	loop_unwatch(d, &c->watch);
	close(c->watch.fd);
	list_remove(&c->node);
	d->control->nclients--;
	free(c);
	if (d->programs)
		programs_client_gone(d);
}

/* ---- clients --------------------------------------------------------------------------------- */

/* One request a turn: when more wait, epoll tells again, after the others. */
static void client_ready(struct daemon *d, struct watch *w, uint32_t epoll_events)
{
	(void)epoll_events;
	client_request(d, container_of(w, struct client, watch));
}

struct client *client_of(struct watch *w)
{
	return w->ready == client_ready ? container_of(w, struct client, watch) : NULL;
}

static unsigned clients_of(const struct control *k, uid_t uid)
{
	unsigned n = 0;

	if (k->nclients < CLIENTS_PER_UID_MAX)
		return 0;
	list_for_each(c, &k->clients, struct client, node)
		n += c->uid == uid;
	return n;
}

/* By its user, its group, or one of its further groups. */
static bool is_allowed(const struct allowed *a, int fd, const struct ucred *cred)
{
	gid_t gid[NGROUPS_MAX];
	socklen_t size = sizeof(gid);

	for (unsigned i = 0; i < a->uids; i++)
		if (a->uid[i] == cred->uid)
			return true;
	if (!a->gids || getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, gid, &size))
		size = 0;
	for (unsigned i = 0; i < a->gids; i++) {
		if (a->gid[i] == cred->gid)
			return true;
		for (unsigned j = 0; j < size / sizeof(gid[0]); j++)
			if (a->gid[i] == gid[j])
				return true;
	}
	return false;
}

/* Takes fd. */
static void client_add(struct daemon *d, int fd, bool adopted)
{
	struct control *k = d->control;
	struct ucred cred = { 0 };
	socklen_t size = sizeof(cred);
	struct client *c = NULL;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size))
		goto refuse;
	if (!adopted && cred.uid && cred.uid != k->uid && !is_allowed(&d->allowed, fd, &cred)) {
		notice("client pid %d refused: uid %u is neither root nor %u, who runs this stack, "
		       "nor allowed by --allow-user or --allow-group",
		       cred.pid, cred.uid, k->uid);
		goto refuse;
	}
	if (k->nclients >= CLIENTS_MAX || clients_of(k, cred.uid) >= CLIENTS_PER_UID_MAX) {
		notice("client pid %d of uid %u refused: too many clients", cred.pid, cred.uid);
		goto refuse;
	}
	if (!(c = calloc(1, sizeof(*c))))
		goto refuse;
	*c = (struct client){ .watch = { fd, client_ready },
			      .uid = cred.uid,
			      .pid = cred.pid,
			      .owner = !cred.uid || cred.uid == k->uid };
	if (loop_watch(d, &c->watch, EPOLLIN))
		goto refuse;
	list_append(&k->clients, &c->node);
	k->nclients++;
	return;
refuse:
	free(c);
	close(fd);
}

bool is_seqpacket(int fd)
{
	int domain = 0, type = 0;
	socklen_t size = sizeof(int);

	return !getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) && domain == AF_UNIX &&
	       !getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) && type == SOCK_SEQPACKET;
}

void op_adopt(struct daemon *d, struct client *c, const struct abi_request *req, const char *data,
	      int *fd)
{
	(void)c;
	(void)req;
	(void)data;
	if (*fd < 0 || !is_seqpacket(*fd))
		return;
	client_add(d, *fd, true);
	*fd = -1;
}

static void listener_ready(struct daemon *d, struct watch *w, uint32_t epoll_events)
{
	(void)epoll_events;
	for (unsigned i = 0; i < ACCEPTS_PER_TURN; i++) {
		int fd = accept4(w->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0) /* also EMFILE: it stays queued until a descriptor is free */
			return;
		client_add(d, fd, false);
	}
}

/* ---- the socket itself ------------------------------------------------------------------------
 */

/* Does a daemon answer at that address? A file left behind by a killed one does not. */
static bool somebody_listens(const struct sockaddr_un *u)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool yes = fd >= 0 &&
		   (!connect(fd, (const struct sockaddr *)u, sizeof(*u)) || errno == EAGAIN);

	if (fd >= 0)
		close(fd);
	return yes;
}

static int listener_bind(int fd, const struct sockaddr_un *u)
{
	mode_t mask = umask(0077);
	int err = 0;

	if (bind(fd, (const struct sockaddr *)u, sizeof(*u)))
		err = -errno;
	if (err == -EADDRINUSE && !somebody_listens(u) && !unlink(u->sun_path))
		err = bind(fd, (const struct sockaddr *)u, sizeof(*u)) ? -errno : 0;
	umask(mask);
	return err;
}

static int listener_open(struct daemon *d, struct control *k)
{
	struct sockaddr_un u = { .sun_family = AF_UNIX };
	int err = 0;

	if (!abi_socket_path(k->path, d->dir, d->stack))
		return -ENAMETOOLONG;
	memcpy(u.sun_path, k->path, sizeof(k->path));
	if (mkdir(d->dir, 0700) && errno != EEXIST)
		return -errno;
	k->listener =
		(struct watch){ socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
				listener_ready };
	if (k->listener.fd < 0)
		return -errno;
	err = listener_bind(k->listener.fd, &u);
	if (!err && listen(k->listener.fd, BACKLOG))
		err = -errno;
	if (!err && (d->allowed.uids || d->allowed.gids)) /* client_add() looks who it is */
		err = chmod(d->dir, 0711) || chmod(k->path, 0666) ? -errno : 0;
	if (!err)
		err = loop_watch(d, &k->listener, EPOLLIN);
	if (err)
		close(k->listener.fd);
	return err;
}

bool client_adopt(struct daemon *d, int fd, uid_t uid, pid_t pid)
{
	struct control *k = d->control;
	struct client *c = calloc(1, sizeof(*c));

	if (!c)
		return false;
	*c = (struct client){ .watch = { fd, client_ready },
			      .uid = uid,
			      .pid = pid,
			      .owner = !uid || uid == k->uid };
	list_append(&k->clients, &c->node);
	k->nclients++;
	return !loop_watch(d, &c->watch, EPOLLIN);
}

int control_adopt(struct daemon *d, int fd)
{
	struct control *k = calloc(1, sizeof(*k));

	if (!k)
		return -ENOMEM;
	list_init(&k->clients);
	k->uid = geteuid();
	k->listener = (struct watch){ fd, listener_ready };
	d->control = k;
	if (!abi_socket_path(k->path, d->dir, d->stack))
		return -ENAMETOOLONG;
	return loop_watch(d, &k->listener, EPOLLIN);
}

int control_open(struct daemon *d)
{
	struct control *k = calloc(1, sizeof(*k));
	int err;

	if (!k)
		return -ENOMEM;
	list_init(&k->clients);
	k->uid = geteuid();
	err = listener_open(d, k);
	if (err) {
		free(k);
		return err;
	}
	d->control = k;
	return 0;
}

void control_close(struct daemon *d)
{
	struct control *k = d->control;

	if (!k)
		return;
	loop_unwatch(d, &k->listener);
	close(k->listener.fd);
	unlink(k->path);
	list_for_each_safe(c, &k->clients, struct client, node)
		client_drop(d, c, NULL);
	d->control = NULL;
	free(k);
}
