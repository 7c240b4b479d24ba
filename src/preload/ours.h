/* SPDX-License-Identifier: MIT */
/*
 * Is a descriptor ours, and what is it? The kernel's names of the two ends tell (abi/name.h);
 * nothing is remembered here, so descriptors may come from dup, fork, exec or SCM_RIGHTS.
 */
#ifndef GLASS_PRELOAD_OURS_H
#define GLASS_PRELOAD_OURS_H

#include <stdbool.h>
#include <sys/socket.h>

#include "../abi/name.h"
#include "raw.h"

/* Ours? Then self is what its own name says: token, family, type. */
bool ours(int fd, struct abi_name *self);
/* What the daemon's end says: l, c or e; 0: nothing yet. For descriptors that are ours. */
char peer_of(int fd, struct abi_name *peer);

/* A sockaddr of the program as an end. IPv4, or IPv4 mapped into IPv6; the wildcard of either. 0 or
 * -errno. */
int end_of_sockaddr(const struct abi_name *self, const void *addr, socklen_t size,
		    struct abi_end *out);
/* The same for bind(2), which takes AF_UNSPEC and address 0 for AF_INET. */
int end_of_own(const struct abi_name *self, const void *addr, socklen_t size, struct abi_end *out);
/* And for the peer of a datagram socket, which may be AF_INET on one of IPv6. */
int end_of_peer(const struct abi_name *self, const void *addr, socklen_t size, struct abi_end *out);
/* socket.c: sendmsg(2) with MSG_FASTOPEN and an address, of a TCP socket. */
#ifndef MSG_FASTOPEN
#define MSG_FASTOPEN 0x20000000
#endif
long connect_send(int fd, struct abi_name *self, const struct msghdr *m, int flags);
/* Writes e as a sockaddr of the socket's family, as getsockname(2) does. 0 or -errno. */
int sockaddr_of_end(uint8_t family, const struct abi_end *e, void *addr, socklen_t *size);

/* Writes zeros so that the descriptor is not writable. Returns how many. */
long plug_fd(int fd);

#endif
