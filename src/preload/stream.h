/* SPDX-License-Identifier: MIT */
/* TCP sockets where an AF_UNIX stream answers otherwise: what stream.c puts right. */
#ifndef GLASS_PRELOAD_STREAM_H
#define GLASS_PRELOAD_STREAM_H

#include <sys/socket.h>

#include "ours.h"
#include "raw.h"

/* socket(2) made this descriptor, or a connect of it failed: nothing is connected to it. */
void stream_fresh(int fd);
/* The supervisor's descriptors are copies that socket(2) did not give: this one may be such. */
WRAP(void, glass_look_at, int fd);
/* It listens, or connects, or was given to something else. */
void stream_used(int fd);
/* Is it a TCP socket that was never connected, and does not listen? */
bool stream_is_fresh(int fd);
/* A connect that does not wait is under way: the pair is full of zeros (abi.h: plug). */
bool stream_connects(int fd);

/*
 * What a send that answered result, made with MSG_NOSIGNAL, is to answer; the program's flags say
 * whether SIGPIPE is due.
 */
long stream_sent(int fd, long result, int flags);
/* What a receive that answered result is to answer. */
long stream_received(int fd, long result);
/* MSG_TRUNC of TCP: up to n bytes are thrown away, or with MSG_PEEK counted. */
long stream_discard(int fd, size_t n, int flags);
long stream_discard_message(int fd, struct msghdr *m, int flags);

#endif
