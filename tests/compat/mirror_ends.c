/* SPDX-License-Identifier: MIT */
/* Side by side: how a connection ends, or does not begin, and what poll and epoll show of it. */
#define _GNU_SOURCE
#include "mirror.h"

#include <sys/epoll.h>

static char bytes[65536];

/* SHUT_RD is between the program and its system: the peer is not told, and goes on. */
static void shut_for_reading(void)
{
	char c[8];
	int ends[2];

	tcp_pair(ends);
	DO(write(ends[1], "early", 5));
	wait_for(ends[0], POLLIN);
	DO(shutdown(ends[0], SHUT_RD));
	mask("mask", ends[0]);
	DO(read(ends[0], c, 8));
	DO(read(ends[0], c, 8));
	DO(write(ends[1], "late", 4)); /* Linux lets it be read, Glass does not: docs/compat.md */
	pause_ms(50);
	mask("the peer's", ends[1]);
	DO(write(ends[1], "later", 5));
	DO(write(ends[0], "x", 1));
	DO(recv(ends[1], c, 1, 0));
	close(ends[0]);
	wait_for(ends[1], POLLRDHUP);
	close(ends[1]);
}

/* A close with bytes unread is a reset; what the other one has not read is there yet. */
static void closed_unread(void)
{
	char c[8];
	int ends[2];

	for (int data = 0; data < 2; data++) {
		tcp_pair(ends);
		send(ends[1], "unread", 6, 0);
		wait_for(ends[0], POLLIN);
		if (data) {
			send(ends[0], "data", 4, 0);
			wait_for(ends[1], POLLIN);
		}
		close(ends[0]);
		wait_for(ends[1], POLLERR);
		mask("reset", ends[1]);
		DO(recv(ends[1], c, 8, 0));
		DO(recv(ends[1], c, 8, 0));
		DO(recv(ends[1], c, 8, 0));
		DO(send(ends[1], "x", 1, MSG_NOSIGNAL));
		say("SO_ERROR", option(ends[1], SOL_SOCKET, SO_ERROR));
		close(ends[1]);
	}
}

/* What epoll tells of an edge-triggered descriptor; with `wanted`, when it is that. */
static void edge(int ep, const char *name, unsigned wanted)
{
	struct epoll_event e = { 0 };
	int n;

	do
		n = epoll_wait(ep, &e, 1, wanted ? 2000 : 50);
	while (n > 0 && wanted && (e.events & wanted) != wanted);
	say(name, n ? (long)e.events : 0);
}

static void drain(int fd)
{
	for (int quiet = 0; quiet < 5; quiet++) {
		while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
			quiet = 0;
		pause_ms(20);
	}
}

static void edge_triggered(void)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET };
	int ends[2], ep = epoll_create1(0);

	tcp_pair(ends);
	set(ends[0], SOL_SOCKET, SO_SNDBUF, 65536);
	DO(epoll_ctl(ep, EPOLL_CTL_ADD, ends[0], &e));
	edge(ep, "added", EPOLLOUT);
	send(ends[1], "data", 4, 0);
	edge(ep, "data", EPOLLIN);
	edge(ep, "again", 0);
	send(ends[1], "data2", 5, 0);
	edge(ep, "more data", EPOLLIN);
	recv(ends[0], bytes, 9, MSG_WAITALL);
	edge(ep, "read", 0);
	for (int quiet = 0; quiet < 5; quiet++) {
		while (send(ends[0], bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
			quiet = 0;
		pause_ms(20);
	}
	while (epoll_wait(ep, &e, 1, 0) > 0)
		; /* how often there was room meanwhile is nobody's promise */
	edge(ep, "full", 0);
	drain(ends[1]);
	edge(ep, "drained", EPOLLOUT);
	while (epoll_wait(ep, &e, 1, 50) > 0)
		;
	shutdown(ends[1], SHUT_WR);
	edge(ep, "FIN", EPOLLRDHUP);
	close(ep);
	close(ends[0]);
	close(ends[1]);
}

/* One event, and no more until it is armed again. */
static void one_shot(void)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLONESHOT };
	int ends[2], ep = epoll_create1(0);

	tcp_pair(ends);
	DO(epoll_ctl(ep, EPOLL_CTL_ADD, ends[0], &e));
	send(ends[1], "data", 4, 0);
	edge(ep, "data", EPOLLIN);
	send(ends[1], "data", 4, 0);
	edge(ep, "silent", 0);
	e.events = EPOLLIN | EPOLLONESHOT;
	DO(epoll_ctl(ep, EPOLL_CTL_MOD, ends[0], &e));
	edge(ep, "armed again", EPOLLIN);
	close(ep);
	close(ends[0]);
	close(ends[1]);
}

/* Refused there, welcome elsewhere: another address and port on the same socket. */
static void elsewhere(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET }, b;
	socklen_t size = sizeof(b);
	int port, l = tcp_listener(1, &port), other = socket(AF_INET, SOCK_STREAM, 0);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
	bind(other, (struct sockaddr *)&a, sizeof(a));
	DO(listen(other, 1));
	a.sin_port = htons((uint16_t)port_of(other));
	DO(to_port(fd, 9));
	DO(connect(fd, (struct sockaddr *)&a, sizeof(a)));
	DO(getpeername(fd, (struct sockaddr *)&b, &size));
	say("it is the other", b.sin_addr.s_addr == a.sin_addr.s_addr && b.sin_port == a.sin_port);
	say("SO_ERROR", option(fd, SOL_SOCKET, SO_ERROR));
	mask("mask", fd);
	DO(to_port(fd, port));
	close(fd);
	close(other);
	close(l);
}

void mirror_ends(void)
{
	SCENE(shut_for_reading);
	SCENE(closed_unread);
	SCENE(edge_triggered);
	SCENE(one_shot);
	SCENE(elsewhere);
}
