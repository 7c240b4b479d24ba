/* SPDX-License-Identifier: MIT */
/*
 * What packetdrill's --so_filename mode asks of a shared object: one function that fills in this
 * table. The order and the types of the members are a binary interface between two programs, and so
 * not ours to choose; every other word here is. A function answers what the call of its name
 * answers, errno included.
 */
#ifndef GLASS_PACKETDRILL_INTERFACE_H
#define GLASS_PACKETDRILL_INTERFACE_H

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>

struct packetdrill_interface {
	void *userdata; /* the first argument of every call */
	void (*free)(void *userdata);

	/* sockets */
	int (*socket)(void *, int domain, int type, int protocol);
	int (*bind)(void *, int fd, const struct sockaddr *, socklen_t);
	int (*listen)(void *, int fd, int backlog);
	int (*accept)(void *, int fd, struct sockaddr *, socklen_t *);
	int (*connect)(void *, int fd, const struct sockaddr *, socklen_t);
	ssize_t (*read)(void *, int fd, void *, size_t);
	ssize_t (*readv)(void *, int fd, const struct iovec *, int niov);
	ssize_t (*recv)(void *, int fd, void *, size_t, int flags);
	ssize_t (*recvfrom)(void *, int fd, void *, size_t, int flags, struct sockaddr *,
			    socklen_t *);
	ssize_t (*recvmsg)(void *, int fd, struct msghdr *, int flags);
	ssize_t (*write)(void *, int fd, const void *, size_t);
	ssize_t (*writev)(void *, int fd, const struct iovec *, int niov);
	ssize_t (*send)(void *, int fd, const void *, size_t, int flags);
	ssize_t (*sendto)(void *, int fd, const void *, size_t, int flags, const struct sockaddr *,
			  socklen_t);
	ssize_t (*sendmsg)(void *, int fd, const struct msghdr *, int flags);
	int (*fcntl)(void *, int fd, int cmd, ...);
	int (*ioctl)(void *, int fd, unsigned long request, ...);
	int (*close)(void *, int fd);
	int (*shutdown)(void *, int fd, int how);
	int (*getsockopt)(void *, int fd, int level, int name, void *, socklen_t *);
	int (*setsockopt)(void *, int fd, int level, int name, const void *, socklen_t);
	int (*poll)(void *, struct pollfd *, nfds_t, int timeout_ms);

	/* the wire: IP packets without a link layer. 0 or -1 */
	int (*netdev_send)(void *, const void *bytes, size_t length);
	/* *length: the room, then what came. Waits, in virtual time, until something leaves. */
	int (*netdev_receive)(void *, void *bytes, size_t *length, long long *time_us);

	/* the clock */
	int (*usleep)(void *, useconds_t);
	int (*gettimeofday)(void *, struct timeval *, struct timezone *);

	int (*epoll_create)(void *, int size);
	int (*epoll_ctl)(void *, int epfd, int op, int fd, struct epoll_event *);
	int (*epoll_wait)(void *, int epfd, struct epoll_event *, int max, int timeout_ms);
	int (*pipe)(void *, int fd[2]);
	int (*splice)(void *, int in, loff_t *in_at, int out, loff_t *out_at, size_t length,
		      unsigned flags);
};

#define PACKETDRILL_API __attribute__((visibility("default")))

/*
 * The one door that is looked up by name. flags is the text of --so_flags; see drill.c for what it
 * may say.
 */
PACKETDRILL_API void packetdrill_interface_init(const char *flags,
						struct packetdrill_interface *out);

#endif
