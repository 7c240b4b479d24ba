/* SPDX-License-Identifier: MIT */
/* Side by side: UDP. */
#define _GNU_SOURCE
#include "mirror.h"

/* The port of a socket that was closed a moment ago answers as one that never was. */
static void closed_lately(void)
{
	struct sockaddr_in a = local_addr(0);
	int server = socket(AF_INET, SOCK_DGRAM, 0), fd = socket(AF_INET, SOCK_DGRAM, 0);

	bind(server, (struct sockaddr *)&a, sizeof(a));
	DO(to_port(fd, port_of(server)));
	close(server);
	DO(send(fd, "x", 1, 0));
	DO(wait_for(fd, POLLERR));
	mask("refused", fd);
	DO(send(fd, "x", 1, 0));
	DO(send(fd, "x", 1, 0));
	wait_for(fd, POLLERR);
	DO(send(fd, "x", 1, 0));
	close(fd);
}

/* Errors of this host's own are not rationed. */
static void refused_often(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), n = 0;

	to_port(fd, 9);
	for (int i = 0; i < 40; i++) {
		send(fd, "x", 1, 0);
		n += wait_for(fd, POLLERR) == 1 && option(fd, SOL_SOCKET, SO_ERROR) == ECONNREFUSED;
	}
	say("refused", n);
	close(fd);
}

static void dissolve(int fd)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	struct sockaddr_in a;
	socklen_t size = sizeof(a);

	DO(connect(fd, &none, sizeof(none)));
	DO(getpeername(fd, (struct sockaddr *)&a, &size));
	size = sizeof(a);
	getsockname(fd, (struct sockaddr *)&a, &size);
	say("its address", a.sin_addr.s_addr);
	say("it has a port", a.sin_port != 0);
}

/* What connect chose is given up, what the program asked for is kept. */
static void dissolved(void)
{
	struct sockaddr_in a = local_addr(0);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	to_port(fd, 9);
	dissolve(fd);
	close(fd);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	DO(bind(fd, (struct sockaddr *)&a, sizeof(a)));
	to_port(fd, 9);
	dissolve(fd);
	close(fd);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	a.sin_port = htons(7011);
	DO(bind(fd, (struct sockaddr *)&a, sizeof(a)));
	to_port(fd, 9);
	dissolve(fd);
	close(fd);
}

static void addresses(void)
{
	struct sockaddr_in a = { .sin_family = AF_UNSPEC }, b = local_addr(0);
	socklen_t size = sizeof(b);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	DO(bind(fd, (struct sockaddr *)&a, sizeof(a)));
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	DO(bind(socket(AF_INET, SOCK_DGRAM, 0), (struct sockaddr *)&a, sizeof(a)));
	DO(to_port(fd, 0));
	DO(getpeername(fd, (struct sockaddr *)&b, &size));
	close(fd);
	fd = socket(AF_INET6, SOCK_DGRAM, 0);
	DO(to_port(fd, 9));
	close(fd);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	DO(set(fd, IPPROTO_IPV6, IPV6_RECVERR, 1));
	say("IPV6_RECVERR", option(fd, IPPROTO_IPV6, IPV6_RECVERR));
	close(fd);
}

static void print_told(struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		printf("%s: told: level %d, type %d, %zu bytes, first %u\n", scene, c->cmsg_level,
		       c->cmsg_type, (size_t)c->cmsg_len, CMSG_DATA(c)[0]);
}

/* Ancillary data of a datagram of IPv4, to a socket of that family and of IPv6. */
static void told(int family)
{
	struct sockaddr_in6 any6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in any = { .sin_family = AF_INET };
	char bytes[8], control[256];
	struct iovec iov = { bytes, sizeof(bytes) };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	int fd = socket(family, SOCK_DGRAM, 0), from = socket(AF_INET, SOCK_DGRAM, 0);

	bind(fd, family == AF_INET ? (struct sockaddr *)&any : (struct sockaddr *)&any6,
	     family == AF_INET ? sizeof(any) : sizeof(any6));
	DO(set(fd, IPPROTO_IP, IP_PKTINFO, 1));
	DO(set(fd, IPPROTO_IP, IP_RECVTTL, 1));
	DO(set(fd, IPPROTO_IP, IP_RECVTOS, 1));
	DO(set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1));
	DO(set(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1));
	DO(set(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1));
	say("IPV6_RECVTCLASS", option(fd, IPPROTO_IPV6, IPV6_RECVTCLASS));
	set(from, IPPROTO_IP, IP_TOS, 0x20);
	to_port(from, port_of(fd));
	DO(send(from, "x", 1, 0));
	wait_for(fd, POLLIN);
	DO(recvmsg(fd, &m, 0));
	print_told(&m);
	close(fd);
	close(from);
}

static void told4(void)
{
	told(AF_INET);
}

static void told6(void)
{
	told(AF_INET6);
}

/* More than its reader takes: what fits waits, in order, the rest is lost. */
static void overflow(void)
{
	struct sockaddr_in a = local_addr(0);
	int fd = socket(AF_INET, SOCK_DGRAM, 0), from = socket(AF_INET, SOCK_DGRAM, 0), n,
	    last = -1;
	char bytes[1000] = "";
	int ordered = 1, got = 0;

	bind(fd, (struct sockaddr *)&a, sizeof(a));
	to_port(from, port_of(fd));
	for (int i = 0; i < 2000; i++) {
		memcpy(bytes, &i, sizeof(i));
		send(from, bytes, sizeof(bytes), 0);
	}
	pause_ms(100);
	for (struct pollfd p = { fd, POLLIN, 0 }; poll(&p, 1, 300) > 0; got++) {
		recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		memcpy(&n, bytes, sizeof(n));
		ordered = ordered && n > last;
		last = n;
	}
	say("in order", ordered);
	say("some", got > 20 && got < 2000);
	DO(send(from, "later", 5, 0));
	wait_for(fd, POLLIN);
	DO(recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT));
	close(fd);
	close(from);
}

void mirror_udp(void)
{
	SCENE(closed_lately);
	SCENE(refused_often);
	SCENE(dissolved);
	SCENE(addresses);
	SCENE(told4);
	SCENE(told6);
	SCENE(overflow);
}
