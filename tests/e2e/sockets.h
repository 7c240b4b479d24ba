/* SPDX-License-Identifier: MIT */
/* What the parts of the script share: sockets.c, sockets_open.c, sockets_peer.c. */
#ifndef TESTS_SOCKETS_H
#define TESTS_SOCKETS_H

#include <netinet/in.h>

#include "../compat/script.h"

extern struct sockaddr_in peer_addr;

int to_peer(int fd);
/* A connection on which the peer has been told what to do. */
int open_peer(const char *command);

/* sockets_open.c */
void refused(void);
void in_progress(void);
void interrupted(int flags, const char *name);
void listening(void);
void reset_before_accept(void);
void edges(void);
void family6(void);

/* sockets_peer.c */
int peer(int port);

#endif
