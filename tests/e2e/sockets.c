/* SPDX-License-Identifier: MIT */
/*
 * One script of socket calls; each prints what it answered: a result, an errno, a poll mask. It is
 * run on the kernel's TCP and on Glass, and sockets.sh compares the two logs line by line. Here: a
 * connection from its first call to its end; sockets_open.c has how connections begin, and fail to.
 *
 *	sockets peer PORT		the other side: does what the first byte asks for
 *	sockets client ADDRESS PORT	the script, against a peer there
 *
 * Lines that begin with '~' may differ: the known limits of ARCHITECTURE.md.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/sockios.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "sockets.h"

struct sockaddr_in peer_addr;
static char big[1 << 20];

int to_peer(int fd)
{
	return connect(fd, (struct sockaddr *)&peer_addr, sizeof(peer_addr));
}

/* A connection on which the peer has been told what to do. */
int open_peer(const char *command)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (to_peer(fd) || send(fd, command, strlen(command), 0) != (ssize_t)strlen(command))
		printf("%s: cannot reach the peer: %s\n", scene, strerror(errno));
	return fd;
}

static void fresh(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_in a;
	socklen_t size = sizeof(a);
	char c;

	DO(fcntl(fd, F_GETFD));
	DO(fcntl(fd, F_GETFL));
	DO(getsockname(fd, (struct sockaddr *)&a, &size));
	say("family", a.sin_family);
	say("port", a.sin_port);
	DO(getpeername(fd, (struct sockaddr *)&a, &size));
	DO(accept(fd, NULL, NULL));
	say("SO_TYPE", option(fd, SOL_SOCKET, SO_TYPE));
	say("SO_DOMAIN", option(fd, SOL_SOCKET, SO_DOMAIN));
	say("SO_PROTOCOL", option(fd, SOL_SOCKET, SO_PROTOCOL));
	say("SO_ACCEPTCONN", option(fd, SOL_SOCKET, SO_ACCEPTCONN));
	say("SO_ERROR", option(fd, SOL_SOCKET, SO_ERROR));
	printf("~");
	mask("mask", fd);
	DO(recv(fd, &c, 1, 0));
	close(fd);
	DO(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP));
	DO(socket(AF_INET, SOCK_STREAM | 0x100, 0));
}

static void binding(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET }, b;
	struct sockaddr_un u = { .sun_family = AF_UNIX };
	socklen_t size = sizeof(b);
	int fd = socket(AF_INET, SOCK_STREAM, 0), other = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_addr.s_addr = inet_addr("192.0.2.1");
	DO(bind(fd, (struct sockaddr *)&a, sizeof(a)));
	a.sin_addr.s_addr = 0;
	DO(bind(fd, (struct sockaddr *)&a, 4));
	DO(bind(fd, (struct sockaddr *)&u, sizeof(u)));
	DO(bind(fd, (struct sockaddr *)&a, sizeof(a)));
	DO(getsockname(fd, (struct sockaddr *)&b, &size));
	say("a port was chosen", b.sin_port != 0);
	DO(bind(fd, (struct sockaddr *)&a, sizeof(a)));
	DO(bind(other, (struct sockaddr *)&b, sizeof(b)));
	DO(set(other, SOL_SOCKET, SO_REUSEADDR, 1));
	DO(bind(other, (struct sockaddr *)&b, sizeof(b)));
	DO(set(fd, SOL_SOCKET, SO_REUSEADDR, 1));
	DO(bind(other, (struct sockaddr *)&b, sizeof(b)));
	close(fd);
	close(other);
}

static void options(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct linger l = { 1, 7 };
	socklen_t size = sizeof(l);
	char name[16] = "";

	static const struct {
		const char *name;
		int level, opt, value;
	} o[] = {
		{ "SO_REUSEADDR", SOL_SOCKET, SO_REUSEADDR, 5 },
		{ "SO_REUSEPORT", SOL_SOCKET, SO_REUSEPORT, 1 },
		{ "SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ "TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY, 1 },
		{ "TCP_CORK", IPPROTO_TCP, TCP_CORK, 1 },
		{ "TCP_KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE, 33 },
		{ "TCP_KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE, 0 },
		{ "TCP_KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE, 40000 },
		{ "TCP_KEEPINTVL", IPPROTO_TCP, TCP_KEEPINTVL, 12 },
		{ "TCP_KEEPCNT", IPPROTO_TCP, TCP_KEEPCNT, 4 },
		{ "TCP_KEEPCNT", IPPROTO_TCP, TCP_KEEPCNT, 128 },
		{ "TCP_SYNCNT", IPPROTO_TCP, TCP_SYNCNT, 3 },
		{ "TCP_USER_TIMEOUT", IPPROTO_TCP, TCP_USER_TIMEOUT, 5000 },
		{ "TCP_DEFER_ACCEPT", IPPROTO_TCP, TCP_DEFER_ACCEPT, 1 },
		{ "TCP_DEFER_ACCEPT", IPPROTO_TCP, TCP_DEFER_ACCEPT, 5 },
		{ "TCP_DEFER_ACCEPT", IPPROTO_TCP, TCP_DEFER_ACCEPT, 15 },
		{ "TCP_DEFER_ACCEPT", IPPROTO_TCP, TCP_DEFER_ACCEPT, 16 },
		{ "TCP_DEFER_ACCEPT", IPPROTO_TCP, TCP_DEFER_ACCEPT, 100000 },
		{ "TCP_DEFER_ACCEPT", IPPROTO_TCP, TCP_DEFER_ACCEPT, -5 },
		{ "TCP_DEFER_ACCEPT", IPPROTO_TCP, TCP_DEFER_ACCEPT, 0 },
		{ "TCP_MAXSEG", IPPROTO_TCP, TCP_MAXSEG, 10 },
		{ "IP_TTL", IPPROTO_IP, IP_TTL, 9 },
		{ "IP_TTL", IPPROTO_IP, IP_TTL, 0 },
		{ "IP_TTL", IPPROTO_IP, IP_TTL, -1 },
		{ "IP_TOS", IPPROTO_IP, IP_TOS, 0x10 },
		{ "no such option", IPPROTO_TCP, 9999, 1 },
	};

	for (size_t i = 0; i < sizeof(o) / sizeof(o[0]); i++) {
		printf("%s %d: %s\n", o[i].name, o[i].value,
		       set(fd, o[i].level, o[i].opt, o[i].value) ? strerrorname_np(errno) : "ok");
		if (o[i].opt != TCP_MAXSEG)
			printf("%s is %d\n", o[i].name, option(fd, o[i].level, o[i].opt));
	}
	DO(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(char){ 1 }, 1));
	DO(setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	l = (struct linger){ 0, 0 };
	DO(getsockopt(fd, SOL_SOCKET, SO_LINGER, &l, &size));
	say("l_onoff", l.l_onoff);
	say("l_linger", l.l_linger);
	DO(set(fd, SOL_SOCKET, SO_SNDBUF, 100000));
	say("SO_SNDBUF", option(fd, SOL_SOCKET, SO_SNDBUF));
	DO(set(fd, SOL_SOCKET, SO_RCVBUF, 100000));
	say("SO_RCVBUF", option(fd, SOL_SOCKET, SO_RCVBUF));
	DO(set(fd, SOL_SOCKET, SO_SNDBUF, 1));
	say("SO_SNDBUF at least", option(fd, SOL_SOCKET, SO_SNDBUF));
	size = sizeof(name);
	DO(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &size));
	DO(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "nonesuch", 8));
	DO(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, (socklen_t)strlen(name)));
	DO(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, 0));
	DO(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "ren", 4));
	DO(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "renounced", 4));
	DO(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &size));
	printf("%s: TCP_CONGESTION: %s\n", scene, name);
	close(fd);
}

static void transfer(void)
{
	int fd = open_peer("e"), n;
	struct sockaddr_in a;
	socklen_t size = sizeof(a);
	char buf[64] = "";
	struct iovec iov[2] = { { buf, 2 }, { buf + 2, 3 } };
	struct msghdr m = {
		.msg_name = &a, .msg_namelen = sizeof(a), .msg_iov = iov, .msg_iovlen = 2
	};
	struct tcp_info info;

	mask("idle", fd);
	DO(recv(fd, buf, 1, MSG_DONTWAIT));
	DO(send(fd, "hello", 5, 0));
	DO(wait_for(fd, POLLIN));
	mask("data", fd);
	DO(ioctl(fd, FIONREAD, &n));
	say("FIONREAD", n);
	DO(recv(fd, buf, 3, MSG_PEEK));
	DO(recv(fd, buf, 3, 0));
	DO(read(fd, buf, 64));
	DO(sendto(fd, "to", 2, 0, (struct sockaddr *)&peer_addr, sizeof(peer_addr)));
	wait_for(fd, POLLIN);
	memset(&a, 0, sizeof(a));
	DO(recvfrom(fd, buf, 64, 0, (struct sockaddr *)&a, &size));
	say("recvfrom's address size", size);
	DO(writev(fd, iov, 2));
	wait_for(fd, POLLIN);
	DO(recvmsg(fd, &m, 0));
	say("msg_namelen", m.msg_namelen);
	m = (struct msghdr){ .msg_name = &peer_addr,
			     .msg_namelen = sizeof(peer_addr),
			     .msg_iov = iov,
			     .msg_iovlen = 2 };
	DO(sendmsg(fd, &m, 0));
	DO(recv(fd, buf, 5, MSG_WAITALL));
	pause_ms(50);
	DO(ioctl(fd, SIOCOUTQ, &n));
	say("SIOCOUTQ", n);
	size = sizeof(info);
	DO(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0);
	say("tcpi_state", info.tcpi_state);
	DO(to_peer(fd));
	DO(accept(fd, NULL, NULL));
	size = sizeof(a);
	DO(getpeername(fd, (struct sockaddr *)&a, &size));
	say("peer's port", a.sin_port == peer_addr.sin_port);
	DO(getpeername(fd, (struct sockaddr *)&a, (socklen_t *)&(int){ 4 }));
	DO(shutdown(fd, SHUT_WR));
	DO(wait_for(fd, POLLIN));
	pause_ms(50);
	mask("both have shut down", fd);
	DO(read(fd, buf, 64));
	DO(read(fd, buf, 64));
	DO(send(fd, "x", 1, MSG_NOSIGNAL));
	close(fd);
}

static void fin(void)
{
	int fd = open_peer("f");
	char c[4];

	wait_for(fd, POLLIN);
	mask("peer's FIN", fd);
	DO(read(fd, c, 4));
	DO(read(fd, c, 4));
	DO(send(fd, "still", 5, MSG_NOSIGNAL));
	mask("after a write", fd);
	DO(shutdown(fd, SHUT_WR));
	pause_ms(50);
	mask("both", fd);
	DO(read(fd, c, 4));
	say("SO_ERROR", option(fd, SOL_SOCKET, SO_ERROR));
	close(fd);
}

static void own_shutdown(void)
{
	int fd = open_peer("c");
	char c[8];

	DO(shutdown(fd, SHUT_WR));
	DO(wait_for(fd, POLLIN));
	DO(read(fd, c, 8));
	DO(read(fd, c, 8));
	DO(send(fd, "x", 1, MSG_NOSIGNAL));
	close(fd);
	fd = open_peer("s");
	DO(shutdown(fd, SHUT_RDWR));
	DO(read(fd, c, 8));
	DO(send(fd, "x", 1, MSG_NOSIGNAL));
	close(fd);
}

static void reset(const char *command, const char *name, int ask_first)
{
	int fd = open_peer(command);
	char c[8];

	scene = name;
	DO(wait_for(fd, POLLRDHUP));
	mask("mask", fd);
	if (ask_first) {
		say("SO_ERROR", option(fd, SOL_SOCKET, SO_ERROR));
		say("SO_ERROR", option(fd, SOL_SOCKET, SO_ERROR));
	}
	if (*command == 'd')
		DO(read(fd, c, 8));
	DO(read(fd, c, 8));
	DO(read(fd, c, 8));
	DO(send(fd, "x", 1, MSG_NOSIGNAL));
	mask("at last", fd);
	say("SO_ERROR", option(fd, SOL_SOCKET, SO_ERROR));
	close(fd);
}

static void *blocked_reader(void *arg)
{
	char c;

	return (void *)(read((int)(intptr_t)arg, &c, 1) < 0 ? (intptr_t)errno : 0);
}

static void reset_wakes(void)
{
	int fd = open_peer("r");
	pthread_t t;
	void *got;

	pthread_create(&t, NULL, blocked_reader, (void *)(intptr_t)fd);
	pthread_join(t, &got);
	say("a blocked reader is woken with", -(long)(intptr_t)got);
	close(fd);
}

static void unread(void)
{
	int fd = open_peer("u more that is not read");
	char c;

	wait_for(fd, POLLRDHUP);
	mask("the peer closed with bytes unread", fd);
	DO(read(fd, &c, 1));
	close(fd);
}

static void full(void)
{
	int fd = open_peer("s");
	long total = 0, n;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	for (int quiet = 0; quiet < 10; quiet++) {
		while ((n = send(fd, big, sizeof(big), 0)) > 0) {
			total += n;
			quiet = 0;
		}
		pause_ms(10);
	}
	mask("full", fd);
	DO(send(fd, "x", 1, 0));
	DO(wait_for(fd, POLLOUT));
	mask("drained", fd);
	say("much went", total > 100000);
	close(fd);
}

static int client(const char *address, int port)
{
	peer_addr =
		(struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	inet_pton(AF_INET, address, &peer_addr.sin_addr);
	setvbuf(stdout, NULL, _IOLBF, 0);
	SCENE(fresh);
	SCENE(binding);
	SCENE(options);
	SCENE(transfer);
	SCENE(fin);
	SCENE(own_shutdown);
	reset("r", "reset", 0);
	reset("r", "reset, SO_ERROR first", 1);
	reset("d", "data and reset", 0);
	SCENE(reset_wakes);
	SCENE(unread);
	SCENE(full);
	SCENE(refused);
	SCENE(in_progress);
	interrupted(0, "interrupted");
	interrupted(SA_RESTART, "interrupted, SA_RESTART");
	SCENE(listening);
	SCENE(reset_before_accept);
	SCENE(edges);
	SCENE(family6);
	return 0;
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (argc == 3 && !strcmp(argv[1], "peer"))
		return peer(atoi(argv[2]));
	if (argc == 4 && !strcmp(argv[1], "client"))
		return client(argv[2], atoi(argv[3]));
	fprintf(stderr, "usage: sockets peer PORT | sockets client ADDRESS PORT\n");
	return 2;
}
