/* SPDX-License-Identifier: MIT */
/*
 * libglass-resolve.so: names, for programs whose C library's resolver the preload library does not
 * reach. It is a library of its own since it needs a C library, and loaded at the first question.
 */
#ifndef GLASS_PRELOAD_RESOLVE_H
#define GLASS_PRELOAD_RESOLVE_H

#include <netdb.h>
#include <stddef.h>
#include <sys/socket.h>

#define RESOLVE_LIBRARY "libglass-resolve.so"
#define RESOLVE_SYMBOL "glass_resolve"
#define RESOLVE_VERSION 1

/* What it is told: the sockets on the stack. */
struct resolve_sockets {
	int (*socket)(int, int, int);
	int (*connect)(int, const struct sockaddr *, socklen_t);
	ssize_t (*recvfrom)(int, void *, size_t, int, struct sockaddr *, socklen_t *);
	ssize_t (*sendmsg)(int, const struct msghdr *, int);
	const char *conf; /* a file like /etc/resolv.conf; NULL: that one */
};

/* What it gives: functions as in netdb.h; the results are the C library's to free. */
struct resolve {
	int version;
	int (*getaddrinfo)(const struct resolve_sockets *on, const char *node, const char *service,
			   const struct addrinfo *hints, struct addrinfo **out);
	int (*getnameinfo)(const struct resolve_sockets *on, const struct sockaddr *sa,
			   socklen_t size, char *host, socklen_t host_room, char *service,
			   socklen_t service_room, int flags);
	/* As gethostbyname2_r(3), gethostbyaddr_r(3). */
	int (*by_name)(const struct resolve_sockets *on, const char *name, int family,
		       struct hostent *h, char *room, size_t bytes, struct hostent **out,
		       int *h_error);
	int (*by_addr)(const struct resolve_sockets *on, const void *addr, socklen_t size,
		       int family, struct hostent *h, char *room, size_t bytes,
		       struct hostent **out, int *h_error);
};

#endif
