/* SPDX-License-Identifier: MIT */
/*
 * Many connections, on ordinary sockets, as client and as server:
 *
 *	crowd serve ADDRESS PORT		answers every byte with the same byte
 *	crowd one-by-one ADDRESS PORT N		N times: connect, a byte there and back, close
 *	crowd at-once ADDRESS PORT N		N connections, all open at once; a byte over each
 *	crowd sockets ADDRESS PORT N		N sockets, made and closed; the address says nothing
 *
 * Clients exit 0 when every byte came back, and print the rate.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_S 20
#define READY_MAX 256

static struct sockaddr_in peer = { .sin_family = AF_INET };

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int die(const char *what)
{
	fprintf(stderr, "crowd: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void watch(int epoll, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) < 0)
		die("epoll_ctl");
}

static void echo(int fd)
{
	char bytes[256];
	ssize_t n = read(fd, bytes, sizeof(bytes));

	if (n > 0 && write(fd, bytes, (size_t)n) == n)
		return;
	if (n < 0 && errno == EAGAIN)
		return;
	close(fd);
}

static int serve(void)
{
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), epoll = epoll_create1(0),
	    fd, n, on = 1;
	struct epoll_event ready[READY_MAX];

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&peer, sizeof(peer)) < 0 ||
	    listen(listener, 4096) < 0)
		die("listen");
	watch(epoll, listener);
	while ((n = epoll_wait(epoll, ready, READY_MAX, -1)) >= 0) {
		for (int i = 0; i < n; i++) {
			if (ready[i].data.fd != listener) {
				echo(ready[i].data.fd);
				continue;
			}
			while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
				watch(epoll, fd);
		}
	}
	return 1;
}

static int start(int flags)
{
	struct timeval patience = { PATIENCE_S, 0 };
	int fd = socket(AF_INET, SOCK_STREAM | flags, 0);

	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&peer, sizeof(peer)) < 0 && errno != EINPROGRESS)
		die("connect");
	return fd;
}

static void ask(int fd, char byte)
{
	if (write(fd, &byte, 1) != 1)
		die("write");
}

static void answered(int fd, char byte)
{
	char got = 0;

	if (read(fd, &got, 1) != 1)
		die("read");
	if (got != byte) {
		errno = EBADMSG;
		die("another byte came back");
	}
}

static void one_by_one(int n)
{
	for (int i = 0; i < n; i++) {
		int fd = start(0);

		ask(fd, (char)i);
		answered(fd, (char)i);
		close(fd);
	}
}

static void at_once(int n)
{
	int *fds = calloc((size_t)n, sizeof(*fds));

	for (int i = 0; i < n; i++)
		fds[i] = start(0);
	for (int i = 0; i < n; i++)
		ask(fds[i], (char)i);
	for (int i = 0; i < n; i++)
		answered(fds[i], (char)i);
	for (int i = 0; i < n; i++)
		close(fds[i]);
	free(fds);
}

static void sockets(int n)
{
	for (int i = 0; i < n; i++) {
		int fd = socket(AF_INET, i % 2 ? SOCK_DGRAM : SOCK_STREAM, 0);

		if (fd < 0)
			die("socket");
		close(fd);
	}
	printf("%d sockets\n", n);
}

int main(int argc, char **argv)
{
	struct rlimit files;
	double begin = now_s();
	int n = argc > 4 ? atoi(argv[4]) : 0;

	if (argc < 4 || !inet_aton(argv[2], &peer.sin_addr)) {
		fprintf(stderr, "usage: crowd serve|one-by-one|at-once|sockets ADDRESS PORT [N]\n");
		return 2;
	}
	peer.sin_port = htons((uint16_t)atoi(argv[3]));
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	if (!strcmp(argv[1], "serve"))
		return serve();
	if (!strcmp(argv[1], "sockets"))
		return sockets(n), 0;
	if (!strcmp(argv[1], "one-by-one"))
		one_by_one(n);
	else
		at_once(n);
	printf("%d connections, %.0f per second\n", n, n / (now_s() - begin));
	return 0;
}
