/* SPDX-License-Identifier: MIT */
/*
 * The AF_UNIX pair behind a program's socket: made, furnished with a canary and named, so that the
 * program's end is a real kernel descriptor that says itself what it is (abi/name.h). Names are
 * bound here, in the daemon's network namespace; they can be read from every other.
 *
 * In: program*.c.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "program.h"

unsigned pair_sockaddr(const struct abi_name *n, struct sockaddr_un *u)
{
	*u = (struct sockaddr_un){ .sun_family = AF_UNIX };
	return (unsigned)offsetof(struct sockaddr_un, sun_path) + abi_name_write(u->sun_path, n);
}

int pair_bind(int fd, const struct abi_name *n)
{
	struct sockaddr_un u;
	socklen_t length = pair_sockaddr(n, &u);

	return bind(fd, (struct sockaddr *)&u, length) ? -errno : 0;
}

static int furnish(const int pair[2], const struct abi_name *name)
{
	int size = ABI_END_SNDBUF, on = 1;
	char canary = 0;
	int err = pair_bind(pair[1], name);

	if (err)
		return err;
	/* Bytes sent with MSG_OOB stay where they are in the stream, or SIOCINQ would not count
	 * what recv() gives. */
	if (setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) ||
	    setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) ||
	    setsockopt(pair[0], SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on)) ||
	    send(pair[1], &canary, 1, MSG_DONTWAIT | MSG_NOSIGNAL) != 1)
		return -errno;
	return 0;
}

int pair_open(int pair[2], uint64_t token, uint8_t family)
{
	int err;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -errno;
	err = furnish(pair,
		      &(struct abi_name){
			      .kind = 'p', .token = token, .family = family, .proto = ABI_TCP });
	if (err) {
		close(pair[0]);
		close(pair[1]);
	}
	return err;
}

void pair_name(const struct end *e, char kind, int error)
{
	struct abi_name n = { .kind = kind, .token = e->token, .error = error };
	struct glass_end end;

	if (e->v6only)
		n.local = abi_of_end(&e->local);
	else if (!glass_local(e->sock, &end))
		n.local = abi_of_end(&end);
	if (!glass_remote(e->sock, &end))
		n.remote = abi_of_end(&end);
	pair_bind(e->watch.fd, &n);
}

int pair_queued(const struct end *e)
{
	int n = 0;

	ioctl(e->watch.fd, SIOCINQ, &n);
	return n;
}

void pair_discard(struct daemon *d, const struct end *e, int bytes)
{
	struct programs *p = d->programs;

	while (bytes > 0) {
		size_t want = (size_t)bytes < sizeof(p->trash) ? (size_t)bytes : sizeof(p->trash);
		ssize_t n = recv(e->watch.fd, p->trash, want, MSG_DONTWAIT);

		if (n <= 0)
			return;
		bytes -= (int)n;
	}
}
