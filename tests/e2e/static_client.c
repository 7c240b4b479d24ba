// SPDX-License-Identifier: MIT
// A program that LD_PRELOAD cannot reach: linked statically. "static_client ADDR PORT" fetches /
// and says how much came.
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static const char request[] = "GET / HTTP/1.0\r\n\r\n";
	struct sockaddr_in a = { .sin_family = AF_INET };
	int s = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t size = sizeof(a);
	char bytes[4096];
	ssize_t n, sum = 0;

	if (argc != 3 || inet_pton(AF_INET, argv[1], &a.sin_addr) != 1)
		return 2;
	a.sin_port = htons((uint16_t)atoi(argv[2]));
	if (connect(s, (struct sockaddr *)&a, sizeof(a))) {
		perror("connect");
		return 1;
	}
	getsockname(s, (struct sockaddr *)&a, &size);
	if (write(s, request, strlen(request)) < 0)
		return 1;
	while ((n = read(s, bytes, sizeof(bytes))) > 0)
		sum += n;
	printf("%s: %zd bytes\n", inet_ntoa(a.sin_addr), sum);
	return n < 0;
}
