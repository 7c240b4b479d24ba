/* SPDX-License-Identifier: MIT */
/* The other side of sockets.c: each connection's first byte says what it is to do. */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int peer(int port);

static char big[1 << 20];

static void pause_ms(int ms)
{
	usleep((useconds_t)ms * 1000);
}

static void linger0(int fd)
{
	struct linger l = { 1, 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
}

static void connect_back(int fd, int reset)
{
	struct sockaddr_in from;
	socklen_t size = sizeof(from);
	uint16_t port;
	int back = socket(AF_INET, SOCK_STREAM, 0);

	if (read(fd, &port, 2) != 2 || getpeername(fd, (struct sockaddr *)&from, &size))
		exit(1);
	from.sin_port = port;
	if (!connect(back, (struct sockaddr *)&from, sizeof(from)))
		send(back, "hi", 2, 0);
	pause_ms(200);
	if (reset)
		linger0(back);
	close(back);
}

static void serve(int fd)
{
	char command = 0;
	ssize_t n;

	read(fd, &command, 1);
	switch (command) {
	case 'f': /* FIN, then wait for the other's */
		shutdown(fd, SHUT_WR);
		while (read(fd, big, sizeof(big)) > 0)
			;
		break;
	case 'd':			/* data, then RST */
		send(fd, "data", 4, 0); /* fall through */
	case 'r':			/* RST */
		pause_ms(100);
		linger0(fd);
		break;
	case 'c': /* data and FIN */
		send(fd, "bye", 3, 0);
		break;
	case 'e': /* echo */
		while ((n = read(fd, big, sizeof(big))) > 0)
			send(fd, big, (size_t)n, MSG_NOSIGNAL);
		break;
	case 's': /* does not read for a while */
		pause_ms(500);
		while (read(fd, big, sizeof(big)) > 0)
			;
		break;
	case 'u': /* closes with bytes unread: RST */
		pause_ms(100);
		break;
	case 'b': /* connects back */
	case 'R': /* and resets that */
		connect_back(fd, command == 'R');
		break;
	default:
		break;
	}
	close(fd);
	exit(0);
}

int peer(int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int l = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(l, (struct sockaddr *)&a, sizeof(a)) || listen(l, 64))
		return perror("peer"), 1;
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int fd = accept(l, NULL, NULL);

		if (fd >= 0 && !fork())
			serve(fd);
		close(fd);
	}
}
