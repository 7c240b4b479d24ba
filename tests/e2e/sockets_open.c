/* SPDX-License-Identifier: MIT */
/* The script of sockets.c: how connections begin, or do not. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sockets.h"

void refused(void)
{
	struct sockaddr_in closed = peer_addr;
	struct pollfd p;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char c;

	closed.sin_port = htons(9);
	DO(connect(fd, (struct sockaddr *)&closed, sizeof(closed)));
	say("SO_ERROR", option(fd, SOL_SOCKET, SO_ERROR));
	printf("~");
	mask("after it", fd);
	DO(set(fd, IPPROTO_TCP, TCP_NODELAY, 1));
	DO(to_peer(fd));
	say("TCP_NODELAY", option(fd, IPPROTO_TCP, TCP_NODELAY));
	DO(send(fd, "c", 1, 0));
	DO(recv(fd, &c, 1, 0));
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	DO(set(fd, IPPROTO_TCP, TCP_NODELAY, 1));
	DO(connect(fd, (struct sockaddr *)&closed, sizeof(closed)));
	p = (struct pollfd){ fd, POLLOUT | POLLIN, 0 };
	DO(poll(&p, 1, 5000));
	mask("refused", fd);
	say("SO_ERROR", option(fd, SOL_SOCKET, SO_ERROR));
	say("SO_ERROR", option(fd, SOL_SOCKET, SO_ERROR));
	DO(to_peer(fd));
	to_peer(fd);
	DO(wait_for(fd, POLLOUT));
	mask("connected", fd);
	say("SO_ERROR", option(fd, SOL_SOCKET, SO_ERROR));
	say("TCP_NODELAY", option(fd, IPPROTO_TCP, TCP_NODELAY));
	close(fd);
}

void in_progress(void)
{
	struct sockaddr_in nobody = peer_addr;
	struct timeval t = { 0, 100000 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct sockaddr_in a;
	socklen_t size = sizeof(a);
	char c;

	nobody.sin_addr.s_addr = htonl((ntohl(nobody.sin_addr.s_addr) & ~255u) | 77);
	DO(connect(fd, (struct sockaddr *)&nobody, sizeof(nobody)));
	mask("mask", fd);
	DO(connect(fd, (struct sockaddr *)&nobody, sizeof(nobody)));
	DO(getpeername(fd, (struct sockaddr *)&a, &size));
	DO(recv(fd, &c, 1, MSG_DONTWAIT));
	say("SO_ERROR", option(fd, SOL_SOCKET, SO_ERROR));
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	DO(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t)));
	DO(connect(fd, (struct sockaddr *)&nobody, sizeof(nobody)));
	mask("after SO_SNDTIMEO", fd);
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	DO(to_peer(fd));
	DO(wait_for(fd, POLLOUT));
	mask("connected", fd);
	DO(to_peer(fd));
	DO(to_peer(fd));
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	nobody.sin_addr.s_addr = inet_addr("203.0.113.1");
	DO(connect(fd, (struct sockaddr *)&nobody, sizeof(nobody)));
	nobody.sin_family = AF_INET6;
	DO(connect(fd, (struct sockaddr *)&nobody, sizeof(nobody)));
	DO(connect(fd, (struct sockaddr *)&nobody, 2));
	close(fd);
}

static void on_alarm(int s)
{
	(void)s;
}

void interrupted(int flags, const char *name)
{
	struct sigaction sa = { .sa_handler = on_alarm, .sa_flags = flags };
	struct sockaddr_in nobody = peer_addr;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	scene = name;
	nobody.sin_addr.s_addr = htonl((ntohl(nobody.sin_addr.s_addr) & ~255u) | 78);
	sigaction(SIGALRM, &sa, NULL);
	ualarm(100000, 0);
	DO(connect(fd, (struct sockaddr *)&nobody, sizeof(nobody)));
	if (flags & SA_RESTART)
		printf("~"); /* Linux shows ERR after EHOSTUNREACH, although the error was told */
	mask("mask", fd);
	DO(connect(fd, (struct sockaddr *)&nobody, sizeof(nobody)));
	close(fd);
}

void listening(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t size = sizeof(a);
	int l = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), command, fd;
	char c[8] = "b";

	DO(listen(l, 5));
	DO(listen(l, 5));
	mask("listening", l);
	say("SO_ACCEPTCONN", option(l, SOL_SOCKET, SO_ACCEPTCONN));
	DO(accept(l, NULL, NULL));
	DO(to_peer(l));
	DO(recv(l, c, 1, MSG_DONTWAIT));
	DO(getsockname(l, (struct sockaddr *)&a, &size));
	say("has a port", a.sin_port != 0);
	DO(getpeername(l, (struct sockaddr *)&a, &size));
	memcpy(c + 1, &a.sin_port, 2);
	command = socket(AF_INET, SOCK_STREAM, 0);
	to_peer(command);
	send(command, c, 3, 0);
	DO(wait_for(l, POLLIN));
	mask("a connection waits", l);
	DO(recv(l, c, 1, 0));
	size = sizeof(a);
	DO((fd = accept4(l, (struct sockaddr *)&a, &size, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0);
	say("from the peer", a.sin_addr.s_addr == peer_addr.sin_addr.s_addr && size == sizeof(a));
	DO(fcntl(fd, F_GETFL));
	DO(fcntl(fd, F_GETFD));
	DO(accept(l, NULL, NULL));
	wait_for(fd, POLLIN);
	DO(read(fd, c, 8));
	close(fd);
	close(command);
	DO(shutdown(l, SHUT_RD));
	DO(accept(l, NULL, NULL));
	close(l);
}

/* The peer connects, says "hi" and resets; only then the program accepts. */
void reset_before_accept(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t size = sizeof(a);
	int l = socket(AF_INET, SOCK_STREAM, 0), command, fd;
	char c[8] = "R";

	DO(listen(l, 5));
	DO(getsockname(l, (struct sockaddr *)&a, &size));
	memcpy(c + 1, &a.sin_port, 2);
	command = socket(AF_INET, SOCK_STREAM, 0);
	to_peer(command);
	send(command, c, 3, 0);
	DO(wait_for(command, POLLRDHUP)); /* it is through with it */
	pause_ms(100);
	mask("a connection waits", l);
	DO((fd = accept(l, (struct sockaddr *)&a, &size)) >= 0);
	say("from the peer", a.sin_addr.s_addr == peer_addr.sin_addr.s_addr);
	DO(getpeername(fd, (struct sockaddr *)&a, &size) == 0 || errno == ENOTCONN);
	mask("reset", fd);
	DO(read(fd, c, 8));
	DO(read(fd, c, 8));
	DO(read(fd, c, 8));
	DO(send(fd, "x", 1, MSG_NOSIGNAL));
	close(fd);
	close(command);
	close(l);
}

void edges(void)
{
	int fd = open_peer("e"), ep = epoll_create1(0), n;
	struct epoll_event e = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET };
	char c[8];

	DO(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
	n = epoll_wait(ep, &e, 1, 0);
	say("after add", n ? (long)e.events : 0);
	send(fd, "data", 4, 0);
	do
		n = epoll_wait(ep, &e, 1, 2000);
	while (n && !(e.events & EPOLLIN));
	say("data", n ? (long)e.events : 0);
	n = epoll_wait(ep, &e, 1, 50);
	say("again", n ? (long)e.events : 0);
	read(fd, c, 8);
	n = epoll_wait(ep, &e, 1, 50);
	say("read", n ? (long)e.events : 0);
	shutdown(fd, SHUT_WR);
	do
		n = epoll_wait(ep, &e, 1, 2000);
	while (n && !(e.events & EPOLLRDHUP));
	say("FIN", n ? (long)e.events & (EPOLLIN | EPOLLRDHUP) : 0);
	close(ep);
	close(fd);
}

void family6(void)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = peer_addr.sin_port }, b;
	socklen_t size = sizeof(b);
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	char text[INET6_ADDRSTRLEN];

	say("SO_DOMAIN", option(fd, SOL_SOCKET, SO_DOMAIN));
	DO(connect(fd, (struct sockaddr *)&peer_addr, sizeof(peer_addr)));
	a.sin6_addr.s6_addr[10] = a.sin6_addr.s6_addr[11] = 255;
	memcpy(a.sin6_addr.s6_addr + 12, &peer_addr.sin_addr, 4);
	DO(connect(fd, (struct sockaddr *)&a, sizeof(a)));
	DO(getpeername(fd, (struct sockaddr *)&b, &size));
	say("size", size);
	say("mapped",
	    !strncmp(inet_ntop(AF_INET6, &b.sin6_addr, text, sizeof(text)), "::ffff:", 7));
	close(fd);
	fd = socket(AF_INET6, SOCK_STREAM, 0);
	DO(set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1));
	say("IPV6_V6ONLY", option(fd, IPPROTO_IPV6, IPV6_V6ONLY));
	a = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(4321) };
	DO(bind(fd, (struct sockaddr *)&a, sizeof(a)));
	DO(listen(fd, 1));
	size = sizeof(b);
	DO(getsockname(fd, (struct sockaddr *)&b, &size));
	say("port", ntohs(b.sin6_port));
	close(fd);
}
