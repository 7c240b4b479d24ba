/* SPDX-License-Identifier: MIT */
/*
 * connect(2) of a datagram socket: the program's end and a socket of ours become each other's
 * peers. The program's end comes along with the request, since no copy of it is kept.
 *
 * In: program_connect.c (CONNECT).   Out: program_dgram.c once connected.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "program.h"

static bool is_program_end(const struct end *e, int fd)
{
	struct abi_name name = dgram_name(e);
	struct sockaddr_un want, got = { 0 };
	socklen_t length = sizeof(got);

	return pair_sockaddr(&name, &want) <= sizeof(want) &&
	       !getsockname(fd, (struct sockaddr *)&got, &length) &&
	       length == pair_sockaddr(&name, &want) && !memcmp(&got, &want, length);
}

static void part(struct daemon *d, struct end *e, int program_fd)
{
	if (!dgram_connected(e))
		return;
	dgram_flush(d, e);
	dgram_connect_nobody(program_fd);
	loop_unwatch(d, &e->watch);
	close(e->watch.fd);
	e->watch.fd = -1;
	keeper_part(d, e);
}

/* The program's end and a new socket here become each other's peers. */
static int join(struct daemon *d, struct end *e, int program_fd)
{
	struct abi_name name = dgram_peer_name(e), program = dgram_name(e);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), err;

	if (fd < 0)
		return -errno;
	e->watch = (struct watch){ fd, dgram_peer_ready };
	err = pair_bind(fd, &name);
	if (err == -EADDRINUSE) { /* the keeper has the one of that name, from before part() */
		keeper_sync(d, e);
		err = pair_bind(fd, &name);
	}
	if (!err)
		err = dgram_connect_name(fd, &program);
	if (!err)
		err = dgram_connect_name(program_fd, &name);
	if (!err)
		err = loop_watch(d, &e->watch, EPOLLIN | EPOLLOUT); /* something may wait */
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
	dgram_push(d, e);   /* what came from others until now */
	senders_free(d, e); /* connected to the program's end, or not: that changes */
	if (!err)
		err = glass_connect(d->g, e->sock, &remote);
	if (err)
		return err;
	part(d, e, program_fd);
	if (!to->family)
		return dgram_push(d, e) ? 0 : -EBADF; /* what waits */
	err = join(d, e, program_fd);
	if (err)
		glass_connect(d->g, e->sock, &(struct glass_end){ 0 });
	return err;
}
