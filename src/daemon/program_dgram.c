/* SPDX-License-Identifier: MIT */
/*
 * Datagram sockets: UDP, ICMP echo, and raw IP.
 *
 * Theory of operation. The program's end is an AF_UNIX datagram socket that is bound, and of which
 * no copy is kept here. As long as it is not connected, each datagram comes to it from a socket
 * named after its origin (program_sender.c), and what it sends comes as operation SENDTO, so that
 * the program has the exact errno. connect(2) makes it and a socket here each other's peers: then
 * payloads go both ways without a question, and limits are those of the two send buffers.
 *
 * What does not fit in the program's end waits in the stack, whose limit drops and counts it.
 *
 * An error of a connected socket (port unreachable) is shown by dissolving our half of the
 * connection while something waits in it unread: the kernel then gives the program ECONNRESET,
 * once, and the library asks which error it is (ERROR). One without connect hears of errors only if
 * it asked for them (IP_RECVERR): an empty datagram of kind x wakes it, since nobody but a peer can
 * make poll(2) show POLLERR.
 *
 * In: program.c.   Out: the stack's socket; end_free().
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "program.h"

#define PULLS_PER_TURN 64

/* ---- the program's end ---------------------------------------------------------------------- */

struct abi_name dgram_name(const struct end *e)
{
	return (struct abi_name){
		.kind = 'p', .token = e->token, .family = e->family, .proto = e->proto
	};
}

int dgram_connect_name(int fd, const struct abi_name *n)
{
	struct sockaddr_un u;
	socklen_t length = pair_sockaddr(n, &u);

	return connect(fd, (struct sockaddr *)&u, length) ? -errno : 0;
}

int dgram_connect_nobody(int fd)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };

	return connect(fd, &none, sizeof(none)) ? -errno : 0;
}

int dgram_open(struct daemon *d, struct end *e, int *fd)
{
	struct abi_name name = dgram_name(e);
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
	dgrams_sweep_later(d);
	return 0;
}

void dgram_free(struct daemon *d, struct end *e)
{
	keeper_drop(d, e);
	senders_free(d, e);
	list_remove(&e->dgram->node);
	free(e->dgram);
	e->dgram = NULL;
}

/* ---- errors --------------------------------------------------------------------------------- */

/* What the program wrote before it is told of the error still goes out. */
void dgram_flush(struct daemon *d, const struct end *e)
{
	uint8_t *bytes = d->programs->dgram_bytes;
	ssize_t n;

	while ((n = recv(e->watch.fd, bytes, sizeof(d->programs->dgram_bytes), MSG_DONTWAIT)) >= 0)
		glass_sendto(d->g, e->sock, bytes, (size_t)n, NULL);
}

struct abi_name dgram_peer_name(const struct end *e)
{
	struct abi_name name = { .kind = 'c', .token = e->token };
	struct glass_end end;

	glass_local(e->sock, &end);
	name.local = abi_of_end(&end);
	glass_remote(e->sock, &end);
	name.remote = abi_of_end(&end);
	return name;
}

/* Without connect: an empty datagram that says to ask for the error. */
static void dgram_mark(struct daemon *d, const struct end *e)
{
	struct abi_name program = dgram_name(e), name = { .kind = 'x', .token = e->token };
	struct sockaddr_un u;
	socklen_t length = pair_sockaddr(&program, &u);
	int64_t wants = 0;
	int fd;

	if (glass_getopt(d->g, e->sock, GLASS_OPT_RECVERR, &wants) || !wants)
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	if (!pair_bind(fd, &name))
		sendto(fd, "", 0, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&u, length);
	close(fd);
}

/* Only while it is nobody's peer a stranger, probe_fd, can put something into our socket. */
static void dgram_raise(struct daemon *d, struct end *e, int error)
{
	struct abi_name program = dgram_name(e), peer = dgram_peer_name(e);
	struct sockaddr_un u;
	socklen_t length = pair_sockaddr(&peer, &u);

	e->dgram->error = error;
	if (!dgram_connected(e)) {
		dgram_mark(d, e);
		return;
	}
	dgram_flush(d, e);
	dgram_connect_nobody(e->watch.fd);
	sendto(d->programs->probe_fd, "", 1, MSG_DONTWAIT, (struct sockaddr *)&u, length);
	dgram_connect_name(e->watch.fd, &program);
	dgram_connect_nobody(e->watch.fd);
	dgram_connect_name(e->watch.fd, &program);
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
	       (remote.port == info->from.port || e->proto != GLASS_UDP);
}

static enum gave gave_of(int error)
{
	if (error == EAGAIN)
		return GAVE_LATER;
	/* Else it is lost: the program has called shutdown(SHUT_RD), or there is no memory. */
	return error == ECONNREFUSED ? GAVE_NOBODY : GAVE;
}

/* A connected one, whose name has no room for what else it wants to know: a sender's goes along. */
static enum gave give_connected(struct daemon *d, struct end *e, const void *bytes, size_t length,
				const struct glass_dgram *info)
{
	struct sender *s = NULL;
	enum gave gave = GAVE;
	int error = 0;

	if (!from_peer(e, info))
		return GAVE;
	if (e->dgram->tell)
		s = sender_get(d, e, info, &error);
	if (s)
		error = sender_give_along(s, bytes, length);
	else if (send(e->watch.fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		error = errno;
	else
		error = 0;
	if (error)
		gave = gave_of(error);
	if (gave == GAVE_LATER)
		loop_change(d, &e->watch, EPOLLIN | EPOLLOUT);
	return gave;
}

static enum gave give(struct daemon *d, struct end *e, const void *bytes, size_t length,
		      const struct glass_dgram *info)
{
	struct sender *s;
	enum gave gave;
	int error;

	if (dgram_connected(e))
		return give_connected(d, e, bytes, length, info);
	if (!(s = sender_get(d, e, info, &error)))
		return gave_of(error == EAGAIN ? ENOMEM : error);
	gave = gave_of(sender_give(s, bytes, length));
	if (gave == GAVE_LATER)
		sender_wait(d, s);
	return gave;
}

/*
 * What has not been given stays in the stack. Nobody is there any more: that is learnt only now,
 * so the sender is told as if the port had been closed all along.
 */
bool dgram_push(struct daemon *d, struct end *e)
{
	uint8_t *bytes = d->programs->dgram_bytes;
	struct glass_dgram info;
	enum gave gave = GAVE;
	int64_t n;

	while (gave == GAVE) {
		n = glass_peekfrom(d->g, e->sock, bytes, sizeof(d->programs->dgram_bytes), &info);
		if (n == -EAGAIN)
			return true;
		if (n < 0) {
			dgram_raise(d, e, (int)-n);
			continue;
		}
		gave = give(d, e, bytes, (size_t)n, &info);
		if (gave == GAVE)
			glass_recvfrom(d->g, e->sock, NULL, 0, NULL);
	}
	if (gave == GAVE_LATER)
		return true;
	glass_refuse(d->g, e->sock);
	end_free(d, e, false);
	return false;
}

void dgram_event(struct daemon *d, struct end *e, unsigned ready)
{
	int error = ready & GLASS_ERR ? glass_error(d->g, e->sock) : 0;

	if (error)
		dgram_raise(d, e, error);
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
void dgram_peer_ready(struct daemon *d, struct watch *w, uint32_t events)
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
	struct glass_dgram_how how = { .ttl = (uint8_t)req->arg[0],
				       .tos = (int16_t)req->arg[1],
				       .ifindex = (uint8_t)req->arg[3],
				       .more = req->arg[3] >> 8 & 1,
				       .segment = (uint16_t)(req->arg[3] >> 16) };
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
	if (dgram_connected(e))
		dgram_flush(d, e); /* what was sent before this */
	if (req->arg[2]) {
		struct abi_end from = abi_end_of_ip4((uint32_t)req->arg[2], 0);

		how.from.family = GLASS_IP4;
		memcpy(how.from.byte, from.addr, 4);
	}
	sent = glass_sendmsg(d->g, e->sock, data, req->length, req->end.family ? &to : NULL, &how);
	reply_errno(d, c, req, sent < 0 ? (int)-sent : 0);
}

/* The next error goes where this one was; without any, one that has no message stays. */
static void recverr_goes_on(struct daemon *d, struct end *e, bool took)
{
	int error = took ? 0 : e->dgram->error;

	e->dgram->error = 0;
	if (!error)
		error = glass_error(d->g, e->sock);
	if (error)
		dgram_raise(d, e, error);
}

void op_recverr(struct daemon *d, struct client *c, const struct abi_request *req, const char *data,
		int *fd)
{
	struct glass_dgram_error told;
	struct abi_reply rep = { 0 };
	struct end *e = end_find(d, c, req);
	uint8_t *bytes = d->programs->dgram_bytes;
	struct glass_end offender = { 0 };
	int64_t n;

	(void)data;
	(void)fd;
	if (!e)
		return;
	n = glass_recverr(d->g, e->sock, bytes, sizeof(d->programs->dgram_bytes), &told);
	if (e->dgram)
		recverr_goes_on(d, e, n >= 0);
	if (n < 0) {
		reply_errno(d, c, req, EAGAIN);
		return;
	}
	offender.addr = told.offender;
	rep.value[0] = told.error;
	rep.value[1] = told.origin | told.type << 8 | told.code << 16;
	rep.value[2] = told.info;
	rep.local = abi_of_end(&offender);
	rep.remote = abi_of_end(&told.to);
	control_reply(d, c, req, &rep, bytes, (size_t)n, -1);
}
