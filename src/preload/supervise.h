/* SPDX-License-Identifier: MIT */
/*
 * The supervisor of `glass run`: what LD_PRELOAD cannot reach (static programs, Go, the C library's
 * own resolver) is stopped by seccomp at the system call and done here, by the functions of the
 * preload library.
 *
 *	filter.c		which system calls stop
 *	supervise.c		the process and its threads
 *	supervise_call.c	each system call
 *	supervise_message.c	those that carry bytes
 *	supervise_ioctl.c	ioctl
 *	target.c		the stopped thread: memory, descriptors, answers
 */
#ifndef GLASS_PRELOAD_SUPERVISE_H
#define GLASS_PRELOAD_SUPERVISE_H

#include <sys/socket.h>

#include "../abi/name.h"
#include "target.h"

struct sockaddr_un;

/* Puts the filter on this process and its descendants. The listener's descriptor, or -errno. */
int filter_install(void);

/*
 * A process of its own supervises this one and its descendants from now on. library: the preload
 * library's path. 0, or -errno and *why; or a positive errno when it is too late to go on without:
 * the filter is there and the supervisor is not.
 */
int supervise(const char *library, const char **why);

/* Sockets that became the kernel's; in shared memory. NULL: nobody wants to know. */
struct run_counts {
	unsigned ip4, ip6;
};
extern struct run_counts *run_counts;

/* The preload library's functions, as it exports them. */
struct supervise_lib {
	int (*socket)(int, int, int);
	int (*bind)(int, const struct sockaddr *, socklen_t);
	int (*listen)(int, int);
	int (*connect)(int, const struct sockaddr *, socklen_t);
	int (*accept4)(int, struct sockaddr *, socklen_t *, int);
	int (*getsockname)(int, struct sockaddr *, socklen_t *);
	int (*shutdown)(int, int);
	int (*getpeername)(int, struct sockaddr *, socklen_t *);
	int (*getsockopt)(int, int, int, void *, socklen_t *);
	int (*setsockopt)(int, int, int, const void *, socklen_t);
	ssize_t (*sendmsg)(int, const struct msghdr *, int);
	ssize_t (*recvmsg)(int, struct msghdr *, int);
	int (*ioctl)(int, unsigned long, ...);
	void (*look_at)(int); /* glass_look_at, stream.h */
};
extern struct supervise_lib lib;

/* Is that a name of Glass's (abi/name.h)? Then what it says. */
bool supervise_name_read(struct sockaddr_un *u, socklen_t size, struct abi_name *name);
/* Does the call and answers it. */
void supervise_call(const struct target *t);
/* An answer that means: the kernel does it. */
#define GO_ON (INT64_MIN + 1)
/* sendto, recvfrom, sendmsg, recvmsg, sendmmsg, recvmmsg, on fd, which is self: the answer. */
int64_t supervise_message(const struct target *t, int fd, const struct abi_name *self);
/* ioctl(2), likewise. */
int64_t supervise_ioctl(const struct target *t, int fd);
/* Around what may wait: a signal for the program ends it with EINTR. */
void supervise_wait_begin(const struct target *t);
void supervise_wait_end(void);

#endif
