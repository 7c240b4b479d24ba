/* SPDX-License-Identifier: MIT */
/*
 * The device that needs no rights: frames go to a process of ours, glass-usernet (user_net.c),
 * which speaks TCP, UDP and ping to the world by ordinary sockets (libslirp). It is a process of
 * its own so that what it does, and the libraries that it brings along, is not in the daemon.
 *
 * A message of the AF_UNIX socket between the two is a frame. The process ends when its end is
 * closed.
 *
 * In: dev_io_ops, from the daemon's loop.	Out: glass-usernet.
 */
#include "dev_io.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define QUEUE_BYTES (4 << 20) /* of frames on their way, each way */
#define ADDR_TEXT 16
#define NAMESERVER_HOST 3 /* the third address of the network, as with others that use libslirp */
#define ARGS_MAX (8 + USER_PUBLISH_MAX)

struct user_dev {
	struct dev_io io;
	pid_t pid; /* 0: it is not our child, but that of the glassd before us */
};

static struct user_dev *user_of(struct dev_io *io)
{
	return (struct user_dev *)(void *)io; /* io is the first member */
}

/* ---- frames ---- */

static int user_receive(struct dev_io *io, struct pkt *p)
{
	size_t room;
	void *to = glass_pkt_room(p, &room);
	ssize_t n;

	do {
		n = recv(io->fd, to, room, 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	if (!n) /* no frame is empty: the process has ended */
		return -EBADFD;
	glass_pkt_filled(p, (size_t)n, NULL);
	return 1;
}

static int user_send(struct dev_io *io, const struct glass_frame *frame)
{
	struct iovec iov[GLASS_IOV_MAX];
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = frame->niov };

	for (unsigned i = 0; i < frame->niov; i++) {
		iov[i].iov_len = frame->iov[i].len;
		memcpy(&iov[i].iov_base, &frame->iov[i].base, sizeof(void *)); /* drops const */
	}
	while (sendmsg(io->fd, &m, MSG_NOSIGNAL) < 0) {
		if (errno == EPIPE || errno == ECONNRESET)
			return -EBADFD;
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

static void user_close(struct dev_io *io)
{
	struct user_dev *u = user_of(io);

	close(io->fd);
	if (u->pid > 0)
		waitpid(u->pid, NULL, 0);
	free(u);
}

static const struct dev_io_ops user_ops = { .receive = user_receive,
					    .send = user_send,
					    .close = user_close };

/* ---- opening ---- */

/* Beside glassd as in the build tree, or where both are installed. */
static bool find_usernet(char out[PATH_MAX])
{
	static const char *const places[] = { "glass-usernet", "../dev/glass-usernet",
					      "../libexec/glass-usernet" };
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	self[n > 0 ? n : 0] = '\0';
	slash = strrchr(self, '/');
	for (unsigned i = 0; slash && i < sizeof(places) / sizeof(places[0]); i++) {
		*slash = '\0';
		if (snprintf(out, PATH_MAX, "%s/%s", self, places[i]) < PATH_MAX &&
		    !access(out, X_OK))
			return true;
	}
	return false;
}

struct glass_addr user_nameserver(const struct user_setup *s)
{
	uint32_t host, net;
	struct glass_addr a = { .family = GLASS_IP4 };

	memcpy(&host, s->host_address.byte, sizeof(host));
	net = (ntohl(host) & ~(uint32_t)0 << (32 - s->prefix_bits)) + NAMESERVER_HOST;
	net = htonl(net);
	memcpy(a.byte, &net, sizeof(net));
	return a;
}

/*
 * The child's half: never returns. It goes when nobody has the other end of the pair any more: with
 * the daemon, however that ends, unless another one has taken over.
 */
static void run_usernet(const char *path, int fd, const struct user_setup *s)
{
	char fd_text[16], bits[16], host[ADDR_TEXT], names[ADDR_TEXT], guest[ADDR_TEXT], mtu[16];
	const char *args[ARGS_MAX] = { path, fd_text, bits, host, names, guest, mtu };
	struct glass_addr nameserver = user_nameserver(s);
	unsigned n = 7;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	inet_ntop(AF_INET, s->address.byte, guest, sizeof(guest));
	inet_ntop(AF_INET, s->host_address.byte, host, sizeof(host));
	inet_ntop(AF_INET, nameserver.byte, names, sizeof(names));
	snprintf(bits, sizeof(bits), "%u", s->prefix_bits);
	snprintf(mtu, sizeof(mtu), "%u", s->mtu_bytes);
	snprintf(fd_text, sizeof(fd_text), "%d", fd);
	for (unsigned i = 0; i < s->npublish; i++)
		args[n++] = s->publish[i];
	execv(path, (char **)(uintptr_t)args);
	_exit(127);
}

/* The other end of the pair is the child's, across its exec. */
static pid_t start_usernet(int pair[2], const struct user_setup *s, char *why, size_t why_size)
{
	char path[PATH_MAX];
	pid_t pid;

	if (!find_usernet(path)) {
		snprintf(why, why_size,
			 "no glass-usernet beside glassd or in ../libexec: is Glass installed "
			 "whole, and was it built with libslirp?");
		return -1;
	}
	pid = fork();
	if (!pid) {
		int fd = dup(pair[1]);

		run_usernet(path, fd, s);
	}
	if (pid < 0)
		snprintf(why, why_size, "fork: %s", strerror(errno));
	return pid;
}

/* It says one byte when it is ready; before that it may have told on stderr why it is not. */
static bool usernet_is_ready(int fd)
{
	char byte;
	ssize_t n;

	do {
		n = recv(fd, &byte, 1, 0);
	} while (n < 0 && errno == EINTR);
	return n == 1;
}

static bool set_nonblocking(int fd)
{
	return !fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK);
}

static struct dev_io *user_new(int fd, pid_t pid, const struct user_setup *s, const char *name)
{
	struct user_dev *u = calloc(1, sizeof(*u));

	if (!u || !set_nonblocking(fd)) {
		free(u);
		return NULL;
	}
	u->pid = pid;
	u->io.ops = &user_ops;
	u->io.fd = fd;
	u->io.setup.link = GLASS_ETHERNET;
	u->io.setup.mtu_bytes = s->mtu_bytes;
	snprintf(u->io.setup.name, sizeof(u->io.setup.name), "%s", name);
	if (getrandom(u->io.setup.mac, 6, 0) != 6)
		memset(u->io.setup.mac, 0x5a, 6);
	u->io.setup.mac[0] = (uint8_t)((u->io.setup.mac[0] & 0xfc) | 2);
	return &u->io;
}

struct dev_io *user_adopt(int fd, const struct glass_dev_setup *setup)
{
	struct user_dev *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	u->io = (struct dev_io){ .ops = &user_ops, .fd = fd, .setup = *setup };
	return &u->io;
}

struct dev_io *user_open(const char *name, const struct user_setup *s, char *why, size_t why_size)
{
	const int queue = QUEUE_BYTES;
	struct dev_io *io;
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		snprintf(why, why_size, "socketpair: %s", strerror(errno));
		return NULL;
	}
	for (unsigned i = 0; i < 2; i++)
		setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &queue, sizeof(queue));
	pid = start_usernet(pair, s, why, why_size);
	close(pair[1]);
	if (pid > 0 && usernet_is_ready(pair[0])) {
		io = user_new(pair[0], pid, s, name);
		if (io)
			return io;
		snprintf(why, why_size, "out of memory");
	} else if (pid > 0) {
		snprintf(why, why_size, "glass-usernet, the device's other end, did not start");
	}
	close(pair[0]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return NULL;
}
