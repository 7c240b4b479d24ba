/* SPDX-License-Identifier: MIT */
/* UDP and ICMP echo sockets: what the kernel does not do on their AF_UNIX ends by itself. */
#ifndef GLASS_PRELOAD_DGRAM_H
#define GLASS_PRELOAD_DGRAM_H

#include "ours.h"

/* sendmsg(2) and recvmsg(2) of a datagram socket of ours; a result or a negative errno. */
long dgram_send(int fd, const struct abi_name *self, const struct msghdr *m, int flags);
long dgram_recv(int fd, const struct abi_name *self, struct msghdr *m, int flags);
/* recvmsg(2) with MSG_ERRQUEUE: room for ancillary data. */
long dgram_recv_error(int fd, const struct abi_name *self, struct msghdr *m, size_t room);
/* The errno that waits, which it does no more; 0: none. */
int dgram_pending(const struct abi_name *self);

/* dgram_cmsg.c */
/* Room for whatever comes with one datagram of ours. */
union cmsg_room {
	struct cmsghdr align;
	char space[256];
};
struct cmsghdr *cmsg_next(const struct msghdr *m, struct cmsghdr *at);
/* One that the program sends, into the arguments of SENDTO. 0 or -errno. */
int cmsg_read(const struct cmsghdr *c, int64_t arg[4]);
/* What came in got, to m, but for a socket that came along: then *from is what its name says. */
void cmsg_pass(struct msghdr *m, size_t room, const struct msghdr *got, struct abi_name *from);
/* What the program asked to be told. */
void cmsg_add_told(struct msghdr *m, size_t room, const struct abi_name *from);
/* Appends to the control buffer. */
void cmsg_add(struct msghdr *m, size_t room, int level, int type, const void *data, size_t length);
/* The same of a call that received: nothing may stand for an error. */
long dgram_received(int fd, long result);
/* A result of the kernel as the program is to see it, should fd be a datagram socket of ours. */
long dgram_result(int fd, long result);

#endif
