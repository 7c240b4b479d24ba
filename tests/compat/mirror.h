/* SPDX-License-Identifier: MIT */
/*
 * Side by side: scripts of socket calls, run on the kernel's stack and on Glass, both over
 * 127.0.0.1. Each call prints what it answered, and mirror.sh compares line by line. A difference
 * that was found and mended gets its case here.
 *
 *	DO(call)	prints the call and its result, or its errno
 *	say(name, v)	a number, or a negative errno
 *	mask(name, fd)	what poll(2) shows
 */
#ifndef GLASS_TESTS_COMPAT_MIRROR_H
#define GLASS_TESTS_COMPAT_MIRROR_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

extern const char *mirror_case;

void say(const char *name, long v);
void mask(const char *name, int fd);
void pause_ms(int ms);
/* Until poll(2) shows one of the events; 5 s at most. */
int wait_for(int fd, int events);

#define DO(call)                                  \
	(__extension__({                          \
		long r_ = (call);                 \
		say(#call, r_ < 0 ? -errno : r_); \
		r_;                               \
	}))

#define CASE(name) mirror_case = #name, name()

int option(int fd, int level, int name);
int set(int fd, int level, int name, int v);

/* 127.0.0.1, port in host order. */
struct sockaddr_in local_addr(int port);
int port_of(int fd);
/* Both ends of a connection. */
void tcp_pair(int ends[2]);
/* A listener with that backlog, and its port. */
int tcp_listener(int backlog, int *port);
/* connect(2) to 127.0.0.1. */
int to_port(int fd, int port);

/* mirror_tcp.c, mirror_udp.c, mirror_signals.c */
void mirror_tcp(void);
void mirror_udp(void);
void mirror_signals(void);

#endif
