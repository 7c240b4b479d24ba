/* SPDX-License-Identifier: MIT */
/*
 * get HOST PORT [PATH]: an HTTP client on ordinary sockets, in the 60 lines that one needs. It
 * knows nothing of Glass; under "glass run" or with LD_PRELOAD=libglass-preload.so its connection
 * goes through our stack.
 */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int connect_to(const char *host, const char *port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
	int fd = -1, rc = getaddrinfo(host, port, &hints, &list);

	if (rc) {
		fprintf(stderr, "get: %s port %s: %s\n", host, port, gai_strerror(rc));
		exit(EXIT_FAILURE);
	}
	for (struct addrinfo *a = list; a; a = a->ai_next) {
		fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
		if (fd >= 0 && !connect(fd, a->ai_addr, a->ai_addrlen))
			break;
		fprintf(stderr, "get: %s port %s: ", host, port);
		perror("connect");
		close(fd);
		fd = -1;
	}
	freeaddrinfo(list);
	return fd;
}

int main(int argc, char **argv)
{
	const char *path = argc > 3 ? argv[3] : "/";
	char bytes[16384];
	ssize_t n;
	int fd;

	if (argc < 3) {
		fprintf(stderr, "usage: get HOST PORT [PATH]\n");
		return EXIT_FAILURE;
	}
	fd = connect_to(argv[1], argv[2]);
	if (fd < 0)
		return EXIT_FAILURE;
	dprintf(fd, "GET %s HTTP/1.0\r\nHost: %s\r\nConnection: close\r\n\r\n", path, argv[1]);
	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		fwrite(bytes, 1, (size_t)n, stdout);
	if (n < 0)
		perror("get: read");
	close(fd);
	return n < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
