/* SPDX-License-Identifier: MIT */
/*
 * Datagram sockets: UDP, and ICMP echo.
 *
 * Theory of operation. The program's end is an AF_UNIX datagram socket that is bound, and of which
 * no copy is kept here. As long as it is not connected, each datagram comes to it from a socket
 * named after its origin (program_sender.c), and what it sends comes as operation SENDTO, so that
 * the program has the exact errno. connect(2) makes it and a socket here each other's peers: then
 * payloads go both ways without a question, and limits are those of the two send buffers.
 *
 * What does not fit in the program's end is held, one datagram; the others wait in the stack, whose
 * limit drops and counts them.
 *
 * An error of a connected socket (port unreachable) is shown by dissolving our half of the
 * connection while something waits in it unread: the kernel then gives the program ECONNRESET,
 * once, and the library asks which error it is (ERROR).
 *
 * The kernel does not tell that a datagram socket's peer was closed. Who sends to it learns it; who
 * wants its port makes sure (dgrams_sweep); and a timer looks.
 *
 * In: program.c.   Out: the stack's socket; end_free().
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#include "program.h"

#define PULLS_PER_TURN 64
#define SWEEP_NS 1000000000
#define SWEEP_SOON_NS 1000000
#define SWEEP_MAX 1024 /* sockets looked at by one tick of the timer */

struct held {
	struct glass_dgram info;
	size_t length;
	uint8_t bytes[];
};

static bool connected(const struct end *e)
{
	return e->watch.fd >= 0;
}

/* When the timer looks for sockets whose program is gone. */
static void sweep_at(const struct programs *p, int64_t in_ns)
{
	struct itimerspec at = { .it_value = { in_ns / 1000000000, in_ns % 1000000000 } };

	timerfd_settime(p->sweep.fd, 0, &at, NULL);
}

/* ---- the program's end ---------------------------------------------------------------------- */

static struct abi_name program_name(const struct end *e)
{
	return (struct abi_name){
		.kind = 'p', .token = e->token, .family = e->family, .proto = e->proto
	};
}

static int connect_name(int fd, const struct abi_name *n)
{
	struct sockaddr_un u;
	socklen_t length = pair_sockaddr(n, &u);

	return connect(fd, (struct sockaddr *)&u, length) ? -errno : 0;
}

static int connect_nobody(int fd)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };

	return connect(fd, &none, sizeof(none)) ? -errno : 0;
}

int dgram_open(struct daemon *d, struct end *e, int *fd)
{
	struct abi_name name = program_name(e);
	struct dgram *dg = calloc(1, sizeof(*dg));
	int s, err;

	if (!dg)
		return -ENOMEM;
	s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	err = s < 0 ? -errno : pair_bind(s, &name);
	if (err) {
		if (s >= 0)
			close(s);
		free(dg);
		return err;
	}
	dg->end = e;
	list_init(&dg->senders);
	list_append(&d->programs->dgrams, &dg->node);
	e->dgram = dg;
	*fd = s;
	if (list_first(&d->programs->dgrams, struct dgram, node) == dg)
		sweep_at(d->programs, SWEEP_NS);
	return 0;
}

void dgram_free(struct daemon *d, struct end *e)
{
	senders_free(d, e);
	list_remove(&e->dgram->node);
	free(e->dgram->held);
	free(e->dgram);
	e->dgram = NULL;
}

/* ---- errors --------------------------------------------------------------------------------- */

/* What the program wrote before it is told of the error still goes out. */
static void flush_to_stack(struct daemon *d, const struct end *e)
{
	uint8_t *bytes = d->programs->dgram_bytes;
	ssize_t n;

	while ((n = recv(e->watch.fd, bytes, sizeof(d->programs->dgram_bytes), MSG_DONTWAIT)) >= 0)
		glass_sendto(d->g, e->sock, bytes, (size_t)n, NULL);
}

static struct abi_name peer_name(const struct end *e)
{
	struct abi_name name = { .kind = 'c', .token = e->token };
	struct glass_end end;

	glass_local(e->sock, &end);
	name.local = abi_of_end(&end);
	glass_remote(e->sock, &end);
	name.remote = abi_of_end(&end);
	return name;
}

/* Only while it is nobody's peer a stranger, probe_fd, can put something into our socket. */
static void dgram_raise(struct daemon *d, struct end *e, int error)
{
	struct abi_name program = program_name(e), peer = peer_name(e);
	struct sockaddr_un u;
	socklen_t length = pair_sockaddr(&peer, &u);

	e->dgram->error = error;
	if (!connected(e))
		return;
	flush_to_stack(d, e);
	connect_nobody(e->watch.fd);
	sendto(d->programs->probe_fd, "", 1, MSG_DONTWAIT, (struct sockaddr *)&u, length);
	connect_name(e->watch.fd, &program);
	connect_nobody(e->watch.fd);
	connect_name(e->watch.fd, &program);
}

int dgram_error(struct daemon *d, struct end *e)
{
	int error = e->dgram->error ? e->dgram->error : glass_error(d->g, e->sock);

	e->dgram->error = 0;
	return error;
}

/* ---- stack to program ----------------------------------------------------------------------- */

enum gave { GAVE, GAVE_LATER, GAVE_NOBODY };

/* A connected socket hears its peer only; what had come from others before is not for it. */
static bool from_peer(const struct end *e, const struct glass_dgram *info)
{
	struct glass_end remote;

	return !glass_remote(e->sock, &remote) &&
	       !memcmp(&remote.addr, &info->from.addr, sizeof(remote.addr)) &&
	       (remote.port == info->from.port || e->proto == GLASS_PING);
}

static enum gave gave_of(int error)
{
	if (error == EAGAIN)
		return GAVE_LATER;
	/* Else it is lost: the program has called shutdown(SHUT_RD), or there is no memory. */
	return error == ECONNREFUSED ? GAVE_NOBODY : GAVE;
}

static enum gave give(struct daemon *d, struct end *e, const void *bytes, size_t length,
		      const struct glass_dgram *info)
{
	struct sender *s;
	enum gave gave;
	int error;

	if (connected(e)) {
		if (!from_peer(e, info))
			return GAVE;
		if (send(e->watch.fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
			return GAVE;
		gave = gave_of(errno);
		if (gave == GAVE_LATER)
			loop_change(d, &e->watch, EPOLLIN | EPOLLOUT);
		return gave;
	}
	if (!(s = sender_get(d, e, info, &error)))
		return gave_of(error == EAGAIN ? ENOMEM : error);
	gave = gave_of(sender_give(s, bytes, length));
	if (gave == GAVE_LATER)
		sender_wait(d, s);
	return gave;
}

static void hold(struct end *e, const void *bytes, size_t length, const struct glass_dgram *info)
{
	struct held *h = malloc(sizeof(*h) + length);

	if (!h)
		return;
	h->info = *info;
	h->length = length;
	memcpy(h->bytes, bytes, length);
	e->dgram->held = h;
}

/* The one that waited. false: it still waits, or the end is gone (*gone). */
static bool give_held(struct daemon *d, struct end *e, bool *gone)
{
	struct held *h = e->dgram->held;
	enum gave gave = h ? give(d, e, h->bytes, h->length, &h->info) : GAVE;

	*gone = gave == GAVE_NOBODY;
	if (*gone)
		end_free(d, e, false);
	if (gave != GAVE)
		return false;
	e->dgram->held = NULL;
	free(h);
	return true;
}

bool dgram_push(struct daemon *d, struct end *e)
{
	uint8_t *bytes = d->programs->dgram_bytes;
	struct glass_dgram info;
	enum gave gave = GAVE;
	bool gone;
	int64_t n;

	if (!give_held(d, e, &gone))
		return !gone;
	while (gave == GAVE) {
		n = glass_recvfrom(d->g, e->sock, bytes, sizeof(d->programs->dgram_bytes), &info);
		if (n == -EAGAIN)
			return true;
		if (n < 0)
			dgram_raise(d, e, (int)-n);
		else
			gave = give(d, e, bytes, (size_t)n, &info);
	}
	if (gave == GAVE_LATER)
		hold(e, bytes, (size_t)n, &info);
	else
		end_free(d, e, false);
	return gave == GAVE_LATER;
}

void dgram_event(struct daemon *d, struct end *e, unsigned ready)
{
	if (ready & GLASS_ERR)
		dgram_raise(d, e, glass_error(d->g, e->sock));
	if (!e->dgram->held)
		dgram_push(d, e);
}

/* ---- program to stack ----------------------------------------------------------------------- */

/* An error that waited, from an earlier datagram, must not cost this one. */
static int64_t send_on(struct daemon *d, struct end *e, const void *bytes, size_t length)
{
	int error = glass_error(d->g, e->sock);
	int64_t sent = glass_sendto(d->g, e->sock, bytes, length, NULL);

	if (error)
		dgram_raise(d, e, error);
	return sent;
}

static void dgram_pull(struct daemon *d, struct end *e)
{
	uint8_t *bytes = d->programs->dgram_bytes;

	for (unsigned i = 0; i < PULLS_PER_TURN; i++) {
		ssize_t n =
			recv(e->watch.fd, bytes, sizeof(d->programs->dgram_bytes), MSG_DONTWAIT);
		int64_t sent;

		if (n < 0)
			return;
		sent = send_on(d, e, bytes, (size_t)n);
		if (sent < 0 && sent != -ENOBUFS) /* a full queue is loss, as on any wire */
			dgram_raise(d, e, (int)-sent);
	}
}

/* The peer of a connected one: the program has sent, or has room again. */
static void peer_ready(struct daemon *d, struct watch *w, uint32_t events)
{
	struct end *e = container_of(w, struct end, watch);

	if (events & EPOLLOUT) {
		loop_change(d, w, EPOLLIN);
		if (!dgram_push(d, e))
			return;
	}
	dgram_pull(d, e);
}

void op_sendto(struct daemon *d, struct client *c, const struct abi_request *req, const char *data,
	       int *fd)
{
	struct glass_dgram_how how = { .ttl = (uint8_t)req->arg[0], .tos = (int16_t)req->arg[1] };
	struct end *e = end_find(d, c, req);
	struct glass_end to;
	int64_t sent;

	(void)fd;
	if (!e)
		return;
	if (!e->dgram || (req->end.family && end_of_abi(&req->end, &to))) {
		reply_errno(d, c, req, e->dgram ? EAFNOSUPPORT : EOPNOTSUPP);
		return;
	}
	if (e->dgram->error) {
		reply_errno(d, c, req, dgram_error(d, e));
		return;
	}
	if (req->arg[2]) {
		struct abi_end from = abi_end_of_ip4((uint32_t)req->arg[2], 0);

		how.from.family = GLASS_IP4;
		memcpy(how.from.byte, from.addr, 4);
	}
	sent = glass_sendmsg(d->g, e->sock, data, req->length, req->end.family ? &to : NULL, &how);
	reply_errno(d, c, req, sent < 0 ? (int)-sent : 0);
}

/* ---- connect -------------------------------------------------------------------------------- */

static bool is_program_end(const struct end *e, int fd)
{
	struct abi_name name = program_name(e);
	struct sockaddr_un want, got = { 0 };
	socklen_t length = sizeof(got);

	return pair_sockaddr(&name, &want) <= sizeof(want) &&
	       !getsockname(fd, (struct sockaddr *)&got, &length) &&
	       length == pair_sockaddr(&name, &want) && !memcmp(&got, &want, length);
}

static void part(struct daemon *d, struct end *e, int program_fd)
{
	if (!connected(e))
		return;
	flush_to_stack(d, e);
	connect_nobody(program_fd);
	loop_unwatch(d, &e->watch);
	close(e->watch.fd);
	e->watch.fd = -1;
}

/* The program's end and a new socket here become each other's peers. */
static int join(struct daemon *d, struct end *e, int program_fd)
{
	struct abi_name name = peer_name(e), program = program_name(e);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), err;

	if (fd < 0)
		return -errno;
	e->watch = (struct watch){ fd, peer_ready };
	err = pair_bind(fd, &name);
	if (!err)
		err = connect_name(fd, &program);
	if (!err)
		err = connect_name(program_fd, &name);
	if (!err)
		err = loop_watch(d, &e->watch, EPOLLIN);
	if (!err)
		return 0;
	close(fd);
	e->watch.fd = -1;
	return err;
}

int dgram_connect(struct daemon *d, struct end *e, const struct abi_end *to, int program_fd)
{
	struct glass_end remote = { 0 };
	int err = to->family ? end_of_abi(to, &remote) : 0;

	if (program_fd < 0 || !is_program_end(e, program_fd))
		return -EBADF;
	dgram_push(d, e); /* what came from others until now */
	if (!err)
		err = glass_connect(d->g, e->sock, &remote);
	if (err)
		return err;
	part(d, e, program_fd);
	if (!to->family)
		return 0;
	err = join(d, e, program_fd);
	if (err)
		glass_connect(d->g, e->sock, &(struct glass_end){ 0 });
	return err;
}

/* ---- death ---------------------------------------------------------------------------------- */

/* Nobody may connect to a socket that has a peer (EPERM), or that is no more (ECONNREFUSED). */
static bool is_dead(const struct programs *p, const struct end *e)
{
	struct abi_name name = program_name(e);

	return connect_name(p->probe_fd, &name) == -ECONNREFUSED;
}

static bool sweep(struct daemon *d, unsigned max)
{
	struct programs *p = d->programs;
	bool any = false;
	struct list *node;

	for (struct list *last = p->dgrams.prev; max--;) {
		struct dgram *dg;

		if (!(node = list_take(&p->dgrams)))
			break;
		dg = container_of(node, struct dgram, node);
		list_append(&p->dgrams, node);
		if (is_dead(p, dg->end)) {
			any = true;
			end_free(d, dg->end, false);
		}
		if (node == last)
			break;
	}
	connect_nobody(p->probe_fd);
	return any;
}

bool dgrams_sweep(struct daemon *d)
{
	return sweep(d, UINT32_MAX);
}

/* Runs as long as there is something to look at. */
static void sweep_ready(struct daemon *d, struct watch *w, uint32_t events)
{
	uint64_t ticks;

	(void)events;
	if (read(w->fd, &ticks, sizeof(ticks)) < 0)
		return;
	sweep(d, SWEEP_MAX);
	if (!list_empty(&d->programs->dgrams))
		sweep_at(d->programs, SWEEP_NS);
}

void dgrams_sweep_soon(struct daemon *d)
{
	if (!list_empty(&d->programs->dgrams))
		sweep_at(d->programs, SWEEP_SOON_NS);
}

int dgrams_init(struct daemon *d)
{
	struct programs *p = d->programs;

	list_init(&p->dgrams);
	p->probe_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	p->sweep = (struct watch){ timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
				   sweep_ready };
	if (p->probe_fd < 0 || p->sweep.fd < 0)
		return -errno;
	return loop_watch(d, &p->sweep, EPOLLIN);
}

void dgrams_fini(struct daemon *d)
{
	struct programs *p = d->programs;

	if (p->sweep.fd >= 0) {
		loop_unwatch(d, &p->sweep);
		close(p->sweep.fd);
	}
	if (p->probe_fd >= 0)
		close(p->probe_fd);
}
