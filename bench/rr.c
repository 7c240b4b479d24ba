/* SPDX-License-Identifier: MIT */
/*
 * rr: round trips of one byte, and connections per second, on ordinary blocking sockets.
 *
 *	rr serve ADDR PORT		echoes one byte at a time, connection after connection
 *	rr trips ADDR PORT SECONDS	median and 99th percentile of a round trip, in us; how many
 *	rr connects ADDR PORT SECONDS	connect, one byte each way, close: how many per second
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TRIPS_MAX 2000000

static void die(const char *what) __attribute__((noreturn));
static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static struct sockaddr_in address(const char *addr, const char *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };

	if (inet_pton(AF_INET, addr, &at.sin_addr) != 1) {
		fprintf(stderr, "rr: '%s' is no address\n", addr);
		exit(EXIT_FAILURE);
	}
	return at;
}

static int connected(const struct sockaddr_in *at)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	if (fd < 0 || connect(fd, (const struct sockaddr *)at, sizeof(*at)) < 0)
		die("rr: connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static void trip(int fd)
{
	char byte = 'x';

	if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 1)
		die("rr: round trip");
}

static void serve(const struct sockaddr_in *at)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1, c;
	char byte;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, (const struct sockaddr *)at, sizeof(*at)) < 0 ||
	    listen(fd, 1024) < 0)
		die("rr: listen");
	while ((c = accept(fd, NULL, NULL)) >= 0) {
		setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		while (read(c, &byte, 1) == 1) {
			if (write(c, &byte, 1) != 1)
				break;
		}
		close(c);
	}
	die("rr: accept");
}

static int by_size(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static void trips(const struct sockaddr_in *at, double seconds)
{
	float *us = malloc(TRIPS_MAX * sizeof(*us));
	double end = now_s() + seconds, from, to;
	int fd = connected(at), n = 0;

	if (!us)
		die("rr");
	for (from = now_s(); from < end && n < TRIPS_MAX; from = to) {
		trip(fd);
		to = now_s();
		us[n++] = (float)((to - from) * 1e6);
	}
	qsort(us, (size_t)n, sizeof(*us), by_size);
	printf("%.2f %.2f %d\n", us[n / 2], us[n * 99 / 100], n);
	free(us);
	close(fd);
}

static void connects(const struct sockaddr_in *at, double seconds)
{
	double start = now_s(), end = start + seconds;
	int n = 0;

	for (; now_s() < end; n++) {
		int fd = connected(at);

		trip(fd);
		close(fd);
	}
	printf("%.0f\n", n / (now_s() - start));
}

int main(int argc, char **argv)
{
	struct sockaddr_in at;

	if (argc < 4) {
		fprintf(stderr, "usage: rr serve|trips|connects ADDR PORT [SECONDS]\n");
		return EXIT_FAILURE;
	}
	at = address(argv[2], argv[3]);
	if (!strcmp(argv[1], "serve"))
		serve(&at);
	if (!strcmp(argv[1], "trips"))
		trips(&at, argc > 4 ? atof(argv[4]) : 2);
	else
		connects(&at, argc > 4 ? atof(argv[4]) : 2);
	return EXIT_SUCCESS;
}
