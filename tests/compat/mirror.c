/* SPDX-License-Identifier: MIT */
/* What the scripts of mirror_*.c stand on. Usage: mirror [-s]; -s: without those under signals. */
#define _GNU_SOURCE
#include "mirror.h"

#include <signal.h>
#include <stdbool.h>

struct sockaddr_in local_addr(int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

int port_of(int fd)
{
	struct sockaddr_in a = { 0 };
	socklen_t size = sizeof(a);

	getsockname(fd, (struct sockaddr *)&a, &size);
	return ntohs(a.sin_port);
}

int to_port(int fd, int port)
{
	struct sockaddr_in a = local_addr(port);

	return connect(fd, (struct sockaddr *)&a, sizeof(a));
}

int tcp_listener(int backlog, int *port)
{
	struct sockaddr_in a = local_addr(0);
	int l = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(l, (struct sockaddr *)&a, sizeof(a)) || listen(l, backlog))
		perror("listener");
	*port = port_of(l);
	return l;
}

void tcp_pair(int ends[2])
{
	int port, l = tcp_listener(1, &port);

	ends[0] = socket(AF_INET, SOCK_STREAM, 0);
	if (to_port(ends[0], port))
		perror("pair");
	ends[1] = accept(l, NULL, NULL);
	close(l);
}

int main(int argc, char **argv)
{
	bool all = argc < 2 || strcmp(argv[1], "-s");

	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	mirror_tcp();
	mirror_calls();
	mirror_ends();
	mirror_udp();
	mirror_share();
	if (all) {
		mirror_signals();
		mirror_linger();
	}
	return 0;
}
