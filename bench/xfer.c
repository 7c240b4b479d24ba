/* SPDX-License-Identifier: MIT */
/*
 * One transfer, timed. Unlike iperf3 it asks how long until the last byte has *arrived*, and has
 * no second connection over the same link.
 *
 *	xfer serve ADDR PORT CC			for ever, a process per connection
 *	xfer put ADDR PORT CC BYTES		seconds from connected to "all has come"
 *	xfer get ADDR PORT CC BYTES		seconds from connected to the last byte
 *	xfer flow ADDR PORT CC SECONDS SKIP	bytes that the server had within SECONDS, after SKIP
 *
 * CC is the congestion control that both ends ask for; the answer says what the sender has.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CHUNK 65536

struct request {
	char what; /* 'p', 'g', 'f' */
	uint64_t a, b;
};

static char chunk[CHUNK];

static void die(const char *what)
{
	fprintf(stderr, "xfer: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void choose(int fd, const char *cc)
{
	setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, cc, (socklen_t)strlen(cc));
}

static int open_socket(const char *cc)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		die("socket");
	choose(fd, cc);
	return fd;
}

static struct sockaddr_in address(const char *addr, const char *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)atoi(port)) };

	if (inet_pton(AF_INET, addr, &a.sin_addr) != 1)
		die(addr);
	return a;
}

static void send_all(int fd, uint64_t n)
{
	ssize_t k;

	for (; n; n -= (uint64_t)k) {
		k = write(fd, chunk, n < CHUNK ? n : CHUNK);
		if (k < 0)
			die("write");
	}
}

/* Bytes read, until so many or the end of the stream. */
static uint64_t receive_all(int fd, uint64_t n)
{
	uint64_t got = 0;
	ssize_t k;

	while (got < n && (k = read(fd, chunk, n - got < CHUNK ? n - got : CHUNK)) != 0) {
		if (k < 0)
			die("read");
		got += (uint64_t)k;
	}
	return got;
}

static uint64_t receive_until(int fd, double until)
{
	uint64_t got = 0;
	ssize_t k;

	while (now() < until && (k = read(fd, chunk, CHUNK)) > 0)
		got += (uint64_t)k;
	return got;
}

static void serve_one(int fd)
{
	struct request r;
	double begin;
	uint64_t got;

	if (receive_all(fd, sizeof(r.what)) != 0)
		r.what = chunk[0];
	else
		exit(0);
	if (receive_all(fd, 16) != 16)
		exit(0);
	memcpy(&r.a, chunk, 8);
	memcpy(&r.b, chunk + 8, 8);
	if (r.what == 'g') {
		send_all(fd, r.a);
		shutdown(fd, SHUT_WR);
		receive_all(fd, 1); /* until the other side closes */
		exit(0);
	}
	if (r.what == 'p') {
		got = receive_all(fd, r.a);
	} else {
		begin = now();
		receive_until(fd, begin + (double)r.b);
		got = receive_until(fd, begin + (double)r.a);
	}
	if (write(fd, &got, sizeof(got)) != sizeof(got))
		die("answer");
	receive_until(fd, now() + 60); /* what is under way; a close would reset it all */
	exit(0);
}

static void serve(const char *addr, const char *port, const char *cc)
{
	struct sockaddr_in a = address(addr, port);
	int fd = open_socket(cc), one = 1, c;

	signal(SIGCHLD, SIG_IGN);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 64))
		die("listen");
	for (;;) {
		c = accept(fd, NULL, NULL);
		if (c < 0)
			die("accept");
		if (!fork()) {
			choose(c, cc);
			serve_one(c);
		}
		close(c);
	}
}

/* Writes for so long, whatever the server does meanwhile; then asks what it had. */
static void flow(int fd, double seconds)
{
	double until = now() + seconds + 0.5;
	uint64_t got = 0;

	signal(SIGPIPE, SIG_IGN);
	while (now() < until && write(fd, chunk, CHUNK) > 0)
		;
	if (recv(fd, &got, sizeof(got), MSG_WAITALL) != sizeof(got))
		die("answer");
	printf("%llu", (unsigned long long)got);
}

static void client(char **argv, char what)
{
	struct sockaddr_in a = address(argv[2], argv[3]);
	struct request r = { what, strtoull(argv[5], NULL, 0), argv[6] ? strtoull(argv[6], NULL, 0) : 0 };
	char words[17], cc[16] = "?";
	socklen_t n = sizeof(cc);
	int fd = open_socket(argv[4]);
	uint64_t got = 0;
	double begin;

	if (connect(fd, (struct sockaddr *)&a, sizeof(a)))
		die("connect");
	getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, cc, &n);
	begin = now();
	words[0] = what;
	memcpy(words + 1, &r.a, 8);
	memcpy(words + 9, &r.b, 8);
	if (write(fd, words, sizeof(words)) != sizeof(words))
		die("request");
	if (what == 'f') {
		flow(fd, (double)r.a);
	} else if (what == 'g') {
		if (receive_all(fd, r.a) != r.a)
			die("too few bytes");
		printf("%.4f", now() - begin);
	} else {
		send_all(fd, r.a);
		if (receive_all(fd, sizeof(got)) != sizeof(got))
			die("too few bytes");
		printf("%.4f", now() - begin);
	}
	printf(" %s\n", what == 'g' ? "peer" : cc);
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "serve"))
		serve(argv[2], argv[3], argv[4]);
	if (argc >= 6 && strchr("pgf", argv[1][0])) {
		client(argv, argv[1][0]);
		return 0;
	}
	fprintf(stderr, "usage: see the head of bench/xfer.c\n");
	return 2;
}
