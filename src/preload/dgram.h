/* SPDX-License-Identifier: MIT */
/* UDP and ICMP echo sockets: what the kernel does not do on their AF_UNIX ends by itself. */
#ifndef GLASS_PRELOAD_DGRAM_H
#define GLASS_PRELOAD_DGRAM_H

#include "ours.h"

/* sendmsg(2) and recvmsg(2) of a datagram socket of ours; a result or a negative errno. */
long dgram_send(int fd, const struct abi_name *self, const struct msghdr *m, int flags);
long dgram_recv(int fd, const struct abi_name *self, struct msghdr *m, int flags);
/* A result of the kernel as the program is to see it, should fd be a datagram socket of ours. */
long dgram_result(int fd, long result);

#endif
