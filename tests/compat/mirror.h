/* SPDX-License-Identifier: MIT */
/*
 * Side by side: scripts of socket calls, run on the kernel's stack and on Glass, both over
 * 127.0.0.1, whose answers mirror.sh compares line by line. A difference that was found and mended
 * gets its case here.
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

#include "script.h"

/* 127.0.0.1, port in host order. */
struct sockaddr_in local_addr(int port);
int port_of(int fd);
/* Both ends of a connection. */
void tcp_pair(int ends[2]);
/* A listener with that backlog, and its port. */
int tcp_listener(int backlog, int *port);
/* connect(2) to 127.0.0.1. */
int to_port(int fd, int port);

/* mirror_calls.c, mirror_ends.c, mirror_linger.c, mirror_tcp.c, mirror_udp.c, mirror_share.c,
 * mirror_signals.c */
void mirror_calls(void);
void mirror_ends(void);
void mirror_linger(void);
void mirror_tcp(void);
void mirror_udp(void);
void mirror_share(void);
void mirror_signals(void);

#endif
