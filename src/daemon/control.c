/* SPDX-License-Identifier: MIT */
/*
 * The control socket: DIR/STACK.sock, SOCK_SEQPACKET, one message one request. Whatever comes is
 * checked here; handlers (the table at the end, made of op.def) see only whole requests of this
 * version by somebody allowed.
 *
 * Who may: the uid that runs the daemon, and root. A child that has given up its parent's uid (a
 * server's worker) still has the connection it inherited: through it, it hands in the half of a new
 * pair (ADOPT), and may then use the operations of programs, not those of the command.
 *
 * Nothing here waits. A client that does not read its answers is dropped.
 *
 * In: loop.c (a client connects, speaks, goes).   Out: program*.c and command.c, one handler per
 * operation.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../base/list.h"
#include "daemon.h"

#define CLIENTS_MAX 8192	 /* one descriptor each */
#define CLIENTS_PER_UID_MAX 4096 /* so that one user leaves room for others */
#define ACCEPTS_PER_TURN 64	 /* new clients, before the old ones have their turn */
#define BACKLOG 512

struct client {
	struct watch watch;
	struct list node;
	uid_t uid;
	pid_t pid;
	bool owner;  /* may use the command's operations */
	bool doomed; /* could not be answered: dropped when its handler is done */
	bool busy;   /* a handler is at work */
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

enum op_kind { CALL, QUIET, FD };

struct op {
	const char *name;
	enum op_kind kind;
	op_handler *handler;
};

static op_handler op_none, op_hello, op_adopt;

static const struct op ops[ABI_OP_COUNT] = {
#define OP(ID, name, kind, doc) [ABI_##ID] = { #name, kind, op_##name },
#include "../abi/op.def"
#undef OP
};

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

static void client_drop(struct daemon *d, struct client *c, const char *why)
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

/* ---- answers
 * ---------------------------------------------------------------------------------------- */

static void attach_fd(struct msghdr *m, void *space, size_t size, int fd)
{
	struct cmsghdr *cm;

	m->msg_control = space;
	m->msg_controllen = size;
	cm = CMSG_FIRSTHDR(m);
	*cm = (struct cmsghdr){ CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
	memcpy(CMSG_DATA(cm), &fd, sizeof(fd));
}

void control_reply(struct daemon *d, struct client *c, const struct abi_request *req,
		   struct abi_reply *rep, const void *data, size_t length, int fd)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov[2] = { { rep, sizeof(*rep) }, { (void *)(uintptr_t)data, length } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2 };

	if (req->head.op < ABI_OP_COUNT && ops[req->head.op].kind == QUIET)
		return;
	rep->head = (struct abi_head){ ABI_MAGIC, ABI_VERSION, req->head.op };
	rep->length = (uint32_t)length;
	if (fd >= 0)
		attach_fd(&m, &control, sizeof(control.space), fd);
	if (c->doomed || sendmsg(c->watch.fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return;
	if (errno == EAGAIN)
		notice("client pid %d does not read its answers (%s)", (int)c->pid,
		       ops[req->head.op].name);
	c->doomed = true;
	if (!c->busy)
		client_drop(d, c, NULL);
}

static void reply_error(struct daemon *d, struct client *c, const struct abi_request *req,
			int error, const char *text)
{
	struct abi_reply rep = { .error = error };

	control_reply(d, c, req, &rep, text, text ? strlen(text) : 0, -1);
}

static void op_none(struct daemon *d, struct client *c, const struct abi_request *req,
		    const char *data, int *fd)
{
	(void)data;
	(void)fd;
	reply_error(d, c, req, EOPNOTSUPP, NULL);
}

static void op_hello(struct daemon *d, struct client *c, const struct abi_request *req,
		     const char *data, int *fd)
{
	struct abi_reply rep = { .value = { getpid() } };
	struct glass_addr_info a;

	(void)data;
	(void)fd;
	for (unsigned i = 0; glass_addr_at(d->g, i, &a) && rep.local.family != GLASS_IP4; i++) {
		if (!a.dev || a.addr.family != GLASS_IP4) /* device 0 is lo */
			continue;
		rep.local.family = GLASS_IP4;
		memcpy(rep.local.addr, a.addr.byte, 4);
	}
	control_reply(d, c, req, &rep, GLASS_VERSION, strlen(GLASS_VERSION), -1);
}

/* ---- requests
 * --------------------------------------------------------------------------------------- */

/* Takes the descriptor that came along; -1: none. More than one does not fit: the kernel closed the
 * others. */
static int take_fd(struct msghdr *m)
{
	struct cmsghdr *cm = CMSG_FIRSTHDR(m);
	int fd = -1;

	if (cm && cm->cmsg_level == SOL_SOCKET && cm->cmsg_type == SCM_RIGHTS &&
	    cm->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(cm), sizeof(fd));
	return fd;
}

/* What is wrong with a message of that many bytes; NULL: it is a request. */
static const char *request_fault(const struct abi_request *req, size_t got, bool cut)
{
	if (got < sizeof(struct abi_head) || req->head.magic != ABI_MAGIC)
		return "it does not speak to glassd's control socket in its language";
	if (cut || got < sizeof(*req) || req->length != got - sizeof(*req))
		return "a request with a wrong length";
	if (req->head.op >= ABI_OP_COUNT)
		return "a request for an operation that does not exist";
	return NULL;
}

static void wrong_version(struct daemon *d, struct client *c, const struct abi_request *req)
{
	char text[160];

	snprintf(text, sizeof(text),
		 "the program's Glass speaks protocol version %u, the running glassd version %u: "
		 "restart the one that is older (glass down; glass up)",
		 (unsigned)req->head.version, (unsigned)ABI_VERSION);
	reply_error(d, c, req, EPROTO, text);
}

static void request_run(struct daemon *d, struct client *c, const struct abi_request *req, int *fd)
{
	const struct op *op = &ops[req->head.op];

	if (req->head.op >= ABI_STOP && !c->owner) {
		reply_error(d, c, req, EPERM,
			    "only the user who runs glassd, and root, may do that");
		return;
	}
	op->handler(d, c, req, (const char *)(req + 1), fd);
}

/* One request, if there is one. The client may be gone afterwards. */
static void client_request(struct daemon *d, struct client *c)
{
	struct control *k = d->control;
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { &k->in, sizeof(k->in.bytes) - 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen =
				    CMSG_LEN(sizeof(int)) }; /* the padding holds one more */
	ssize_t n = recvmsg(c->watch.fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	const char *fault;
	int fd;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		client_drop(d, c, NULL);
		return;
	}
	k->in.bytes[n] = 0; /* data that is text ends */
	fd = take_fd(&m);
	c->busy = true;
	fault = request_fault(&k->in.req, (size_t)n, m.msg_flags & MSG_TRUNC);
	if ((size_t)n >= sizeof(struct abi_head) && k->in.req.head.magic == ABI_MAGIC &&
	    k->in.req.head.version != ABI_VERSION) {
		wrong_version(d, c, &k->in.req);
		fault = "it speaks another version of the protocol";
	} else if (!fault)
		request_run(d, c, &k->in.req, &fd);
	if (fd >= 0)
		close(fd);
	c->busy = false;
	if (fault || c->doomed)
		client_drop(d, c, fault);
}

/* One request a turn: when more wait, epoll tells again, after the others. */
static void client_ready(struct daemon *d, struct watch *w, uint32_t epoll_events)
{
	(void)epoll_events;
	client_request(d, container_of(w, struct client, watch));
}

/* ---- clients
 * ---------------------------------------------------------------------------------------- */

static unsigned clients_of(const struct control *k, uid_t uid)
{
	unsigned n = 0;

	if (k->nclients < CLIENTS_PER_UID_MAX)
		return 0;
	list_for_each(c, &k->clients, struct client, node)
		n += c->uid == uid;
	return n;
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
	if (!adopted && cred.uid && cred.uid != k->uid) {
		notice("client pid %d refused: uid %u is neither root nor %u, who runs this stack",
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

static bool is_seqpacket(int fd)
{
	int domain = 0, type = 0;
	socklen_t size = sizeof(int);

	return !getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) && domain == AF_UNIX &&
	       !getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) && type == SOCK_SEQPACKET;
}

static void op_adopt(struct daemon *d, struct client *c, const struct abi_request *req,
		     const char *data, int *fd)
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

/* ---- the socket itself
 * ------------------------------------------------------------------------------ */

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
	if (!err)
		err = loop_watch(d, &k->listener, EPOLLIN);
	if (err)
		close(k->listener.fd);
	return err;
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
