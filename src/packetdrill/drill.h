/* SPDX-License-Identifier: MIT */
/*
 * libglass-packetdrill.so: a stack of Glass behind packetdrill's interface, in virtual time.
 *
 * Theory of operation. packetdrill has two threads: one walks through the script, the other makes
 * those calls that the script expects to block. Both come in by the doors of struct
 * packetdrill_interface and hold drill.lock while inside. Time is a number that only the first
 * thread moves: by usleep(), by waiting for a packet, by a microsecond per look at the clock. When
 * that thread has done something by which a blocked call might go on, it lets the blocked thread
 * run and waits until it sleeps again, or has left the call and looked at the clock: so a call that
 * became possible at 0.3 s returns at 0.3 s, however the kernel schedules the two threads.
 *
 * What the stack sends is taken out of it after every call and kept, with its time, until
 * packetdrill asks for it.
 */
#ifndef GLASS_PACKETDRILL_DRILL_H
#define GLASS_PACKETDRILL_DRILL_H

#include <errno.h>
#include <pthread.h>

#include <glass/glass.h>

#include "../base/list.h"
#include "interface.h"

#define DRILL_FD_MAX 1024
#define DRILL_NS_PER_US 1000ll
#define DRILL_NS_PER_MS 1000000ll
#define DRILL_NS_PER_S 1000000000ll

enum drill_kind { DRILL_FREE, DRILL_SOCKET, DRILL_EPOLL, DRILL_PIPE };

/* A descriptor that we gave out. Its number is a real descriptor's: nobody else can get it. */
struct drill_fd {
	uint8_t kind; /* enum drill_kind */
	bool nonblock;
	bool connecting; /* connect() has been called and nobody has been told how it ended */
	bool deferred;	 /* connect() has succeeded, and the SYN waits for the first bytes */
	uint8_t proto;
	bool zerocopy, inq;   /* SO_ZEROCOPY, TCP_INQ */
	uint32_t stamps;      /* SO_TIMESTAMPING: SOF_TIMESTAMPING_* */
	uint32_t written;     /* bytes so far */
	uint32_t stamps_from; /* of these, when they began to count (OPT_ID) */
	int fd;
	struct glass_sock *sock;
	int64_t recv_ns, send_ns; /* SO_RCVTIMEO, SO_SNDTIMEO; 0: for ever */
	struct list watched;	  /* EPOLL: struct drill_watch */
};

/* A descriptor in an epoll set. */
struct drill_watch {
	struct list node;
	int fd;
	struct epoll_event want;
	bool news;  /* something happened since it was reported (EPOLLET) */
	bool spent; /* EPOLLONESHOT, and reported */
};

/* A packet that left the stack. */
struct drill_packet {
	struct list node;
	int64_t time_ns;
	size_t length;
	uint8_t bytes[];
};

struct drill {
	struct glass *g;
	unsigned dev, mtu_bytes, mss; /* mss: of super-packets that are injected; 0: from the MTU */
	void *ring;		      /* the flight recorder, in a file */
	size_t ring_bytes;
	int64_t now_ns;
	struct drill_fd fd[DRILL_FD_MAX];
	struct list sent; /* struct drill_packet */

	pthread_mutex_t lock;
	pthread_cond_t wake;	/* the blocked call may go on */
	pthread_cond_t settled; /* it has: it sleeps again, or is out */
	pthread_t script;	/* the thread that moves the time */
	bool waiting;		/* a call of the other thread is blocked */
	bool running;		/* it was woken, and time stands still until it has settled */
	bool returned;		/* a blocked call has, a moment ago */
	bool touched;		/* something happened that may end a wait */
	int64_t wait_until_ns;	/* the blocked call gives up; GLASS_NEVER */

	int settings; /* the file to which the stand-ins write what they set; -1: none */
	off_t settings_at;
	int counters;	  /* the file in which they find the counters; -1: none */
	bool listen_fast; /* tcp_fastopen says that every listener takes part */
};

/* The stack behind descriptor numbers of this process: for the shim in option.c. */
extern struct drill *drill_instance;

/* clock.c. Every door: drill_enter(), the work, drill_leave(). */
void drill_enter(struct drill *d);
void drill_leave(struct drill *d);
/* Lets the time pass, firing what is due on the way. */
void drill_run_until(struct drill *d, int64_t time_ns);
/*
 * Something may have happened: try again (0), or the deadline is past (-EAGAIN). Blocks in the
 * thread of blocking calls; in the script's own thread it moves the time.
 */
int drill_wait(struct drill *d, int64_t deadline_ns);
/* When the next thing happens by itself; GLASS_NEVER. */
int64_t drill_next(struct drill *d);
int drill_usleep(void *userdata, useconds_t us);
int drill_gettimeofday(void *userdata, struct timeval *tv, struct timezone *tz);

/* wire.c */
int drill_netdev_send(void *userdata, const void *bytes, size_t length);
int drill_netdev_receive(void *userdata, void *bytes, size_t *length, long long *time_us);
/* Takes out of the stack what wants to leave, and the news. */
void drill_drain(struct drill *d);

/* fd.c */
/* NULL and errno: not a descriptor of ours of that kind (ENOTSOCK, EBADF). */
struct drill_fd *drill_socket_of(struct drill *d, int fd);
struct drill_fd *drill_fd_of(struct drill *d, int fd, enum drill_kind kind);
/* A real descriptor that means nothing to the kernel; NULL and errno. */
struct drill_fd *drill_fd_new(struct drill *d, enum drill_kind kind);
void drill_fd_free(struct drill *d, struct drill_fd *f);
int drill_fcntl(void *userdata, int fd, int cmd, ...);
int drill_ioctl(void *userdata, int fd, unsigned long request, ...);
int drill_close(void *userdata, int fd);
int drill_pipe(void *userdata, int fd[2]);

/* open.c */
int drill_socket(void *userdata, int domain, int type, int protocol);
int drill_bind(void *userdata, int fd, const struct sockaddr *addr, socklen_t size);
int drill_listen(void *userdata, int fd, int backlog);
int drill_accept(void *userdata, int fd, struct sockaddr *addr, socklen_t *size);
int drill_connect(void *userdata, int fd, const struct sockaddr *addr, socklen_t size);
/* How a connect that is under way ends: 0, or why it failed. */
int drill_connect_wait(struct drill *d, struct drill_fd *f);
int drill_shutdown(void *userdata, int fd, int how);
int drill_addr_read(const struct sockaddr *addr, socklen_t size, struct glass_end *out);
void drill_addr_write(const struct glass_end *end, struct sockaddr *addr, socklen_t *size);

/* data_in.c, data_out.c */
ssize_t drill_read(void *userdata, int fd, void *bytes, size_t length);
ssize_t drill_readv(void *userdata, int fd, const struct iovec *iov, int niov);
ssize_t drill_recv(void *userdata, int fd, void *bytes, size_t length, int flags);
ssize_t drill_recvfrom(void *userdata, int fd, void *bytes, size_t length, int flags,
		       struct sockaddr *addr, socklen_t *size);
ssize_t drill_recvmsg(void *userdata, int fd, struct msghdr *msg, int flags);
ssize_t drill_write(void *userdata, int fd, const void *bytes, size_t length);
ssize_t drill_writev(void *userdata, int fd, const struct iovec *iov, int niov);
ssize_t drill_send(void *userdata, int fd, const void *bytes, size_t length, int flags);
ssize_t drill_sendto(void *userdata, int fd, const void *bytes, size_t length, int flags,
		     const struct sockaddr *addr, socklen_t size);
ssize_t drill_sendmsg(void *userdata, int fd, const struct msghdr *msg, int flags);
int drill_splice(void *userdata, int in, loff_t *in_at, int out, loff_t *out_at, size_t length,
		 unsigned flags);

/* told.c: what recvmsg(2) tells beside bytes */
int drill_set_stamps(struct drill_fd *f, uint32_t flags);
/* n bytes were written: what is to be told of them? */
void drill_told_written(struct drill *d, struct drill_fd *f, int64_t n, int flags);
/* MSG_ERRQUEUE; room: of msg's ancillary data. 0, -EAGAIN. */
int64_t drill_told_take(struct drill *d, struct drill_fd *f, struct msghdr *msg, size_t room);
/* Bytes were read. */
void drill_told_read(struct drill *d, struct drill_fd *f, struct msghdr *msg, size_t room);

/* poll.c, epoll.c */
int drill_poll(void *userdata, struct pollfd *fds, nfds_t n, int timeout_ms);
/* poll(2)'s bits of a descriptor. */
short drill_ready(struct drill *d, const struct drill_fd *f);
int drill_epoll_create(void *userdata, int size);
int drill_epoll_ctl(void *userdata, int epfd, int op, int fd, struct epoll_event *event);
int drill_epoll_wait(void *userdata, int epfd, struct epoll_event *events, int max, int timeout_ms);
/* The stack has news of a socket. */
void drill_epoll_news(struct drill *d, int fd);
void drill_epoll_forget(struct drill *d, int fd);
void drill_epoll_free(struct drill_fd *f);
int64_t drill_deadline(const struct drill *d, int timeout_ms);

/* option.c */
int drill_getsockopt(void *userdata, int fd, int level, int name, void *value, socklen_t *size);
int drill_setsockopt(void *userdata, int fd, int level, int name, const void *value,
		     socklen_t size);

/* sysctl.c */
/* Takes note of what the stand-ins have written since the last time. */
void drill_settings_read(struct drill *d);
/* One setting by Linux's name; -ENOENT: there is no such thing here. */
int drill_setting(struct drill *d, const char *name, const char *value);

/* counters.c */
void drill_counters_write(struct drill *d);

/* What a call answers: -errno becomes errno and -1. */
static inline int64_t drill_answer(int64_t result)
{
	if (result >= 0)
		return result;
	errno = (int)-result;
	return -1;
}

#endif
