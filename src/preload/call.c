/* SPDX-License-Identifier: MIT */
/*
 * Control connections. Theory of operation.
 *
 * A process keeps a few connections, so that threads do not wait for each other; a slot is taken by
 * writing the process's number into it, never waited for: a signal handler may interrupt a thread
 * that holds one. When all are taken, a call makes a connection of its own.
 *
 * The program may close our descriptors or put others in their place, so a socket's cookie is
 * checked before each use. They have high numbers, for programs that count on low ones.
 *
 * A child of fork finds its parent's numbers in the slots. Through the parent's connection it hands
 * in a new one of its own (ADOPT): that works also where the child could not connect any more,
 * because it has changed its uid, its root directory or its mount namespace since.
 *
 * In: every wrapper.   Out: src/daemon/control.c.
 */
#include <stdbool.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "../abi/path.h"
#include "call.h"

#define SLOTS 8
#define FD_HIGH 1000 /* a larger number would cost the program a larger descriptor table */

static struct slot {
	int holder; /* pid of who uses it now; 0: nobody */
	int pid;    /* of who opened it */
	int fd;
	uint64_t cookie; /* 0: not open */
} slots[SLOTS];

static int told; /* pid of who has been told that no stack runs */

/* ---- opening -----------------------------------------------------------------------------------
 */

static uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t size = sizeof(cookie);

	if (raw5(SYS_getsockopt, fd, SOL_SOCKET, SO_COOKIE, addr_of(&cookie), addr_of(&size)))
		return 0;
	return cookie;
}

/* Another number for fd, out of the program's way; fd itself when there is none. */
static int fd_high(int fd)
{
	struct rlimit r = { 0 };
	long moved, at = FD_HIGH;

	raw4(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, addr_of(&r));
	if (r.rlim_cur <= FD_HIGH + 16)
		at = (long)(r.rlim_cur - r.rlim_cur / 16);
	moved = raw3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, at);
	if (moved < 0)
		return fd;
	raw_close(fd);
	return (int)moved;
}

static void complain_down(const char *stack, const char *path, long error)
{
	const char *why = error == -ENOENT || error == -ECONNREFUSED ? "nobody listens"
			  : error == -EACCES || error == -EPERM	     ? "permission denied"
			  : error == -ECONNRESET ? "glassd refused us: it runs for another user"
						 : "the connection failed";
	const char *const part[] = { "glass: stack \"",
				     stack,
				     "\" cannot be reached at ",
				     path,
				     ": ",
				     why,
				     ". Type: GLASS_STACK=",
				     stack,
				     " glass up, or run the program without libglass-preload.so\n",
				     NULL };
	int pid = (int)raw3(SYS_getpid, 0, 0, 0);

	if (told == pid)
		return;
	told = pid;
	complain(part);
}

/* By the path of the control socket. A descriptor or -ENETDOWN. */
static int open_by_path(void)
{
	struct sockaddr_un u = { .sun_family = AF_UNIX };
	char dir[ABI_PATH_MAX] = "";
	const char *stack = env_get(ABI_ENV_STACK);
	long fd, err;

	if (!stack || !*stack)
		stack = ABI_DEFAULT_STACK;
	if (!abi_stack_name_ok(stack) ||
	    !abi_dir(dir, env_get, (unsigned)raw3(SYS_geteuid, 0, 0, 0)) ||
	    !abi_socket_path(u.sun_path, dir, stack)) {
		complain_down(stack, dir, -ENOENT);
		return -ENETDOWN;
	}
	fd = raw3(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return (int)fd;
	do
		err = raw3(SYS_connect, fd, addr_of(&u), sizeof(u));
	while (err == -EINTR);
	if (!err)
		return fd_high((int)fd);
	raw_close((int)fd);
	complain_down(stack, u.sun_path, err);
	return -ENETDOWN;
}

/* iov[0] is the request. */
static long send_iov(int fd, struct iovec *iov, size_t niov, const int *send_fd)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .align = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = niov };
	long n;

	if (send_fd) {
		*(int *)(void *)CMSG_DATA(&control.align) = *send_fd;
		m.msg_control = &control;
		m.msg_controllen = sizeof(control.space);
	}
	do
		n = raw3(SYS_sendmsg, fd, addr_of(&m), MSG_NOSIGNAL);
	while (n == -EINTR);
	return n;
}

static long send_request(int fd, struct abi_request *req, const int *send_fd)
{
	struct iovec iov = { req, sizeof(*req) };

	req->head.magic = ABI_MAGIC;
	req->head.version = ABI_VERSION;
	return send_iov(fd, &iov, 1, send_fd);
}

/* A request with data. Apart, since the array is as large as what sendmsg(2) may be given. */
static __attribute__((noinline)) long send_with_data(int fd, struct call *c)
{
	struct iovec iov[CALL_IOV_MAX + 1] = { { &c->req, sizeof(c->req) } };

	c->req.head.magic = ABI_MAGIC;
	c->req.head.version = ABI_VERSION;
	c->req.length = 0;
	for (size_t i = 0; i < c->niov; i++) {
		iov[i + 1] = c->iov[i];
		c->req.length += (uint32_t)c->iov[i].iov_len;
	}
	return send_iov(fd, iov, c->niov + 1, c->send_fd);
}

/* Through the parent's connection. A descriptor, or a negative errno. */
static int open_by_parent(int parent)
{
	struct abi_request req = { .head = { .op = ABI_ADOPT } };
	int pair[2];
	long n = raw4(SYS_socketpair, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, addr_of(pair));

	if (n < 0)
		return (int)n;
	n = send_request(parent, &req, &pair[1]);
	raw_close(pair[1]);
	if (n > 0)
		return fd_high(pair[0]);
	raw_close(pair[0]);
	return (int)n;
}

/* ---- slots -------------------------------------------------------------------------------------
 */

static int slot_open(struct slot *s, int pid)
{
	bool alive = s->cookie && cookie_of(s->fd) == s->cookie;
	int fd = -1;

	if (alive && s->pid == pid)
		return s->fd;
	if (alive) {
		fd = open_by_parent(s->fd);
		raw_close(s->fd);
	}
	if (fd < 0)
		fd = open_by_path();
	s->cookie = fd < 0 ? 0 : cookie_of(fd);
	s->fd = fd;
	s->pid = pid;
	return fd;
}

/* A slot that nobody uses, or whose user was another process: this is its child. NULL: none. */
static struct slot *slot_take(int pid)
{
	for (int i = 0; i < SLOTS; i++) {
		int holder = __atomic_load_n(&slots[i].holder, __ATOMIC_RELAXED);

		if (holder != pid &&
		    __atomic_compare_exchange_n(&slots[i].holder, &holder, pid, 0, __ATOMIC_ACQUIRE,
						__ATOMIC_RELAXED))
			return &slots[i];
	}
	return NULL;
}

static void slot_forget(struct slot *s)
{
	if (s->cookie && cookie_of(s->fd) == s->cookie)
		raw_close(s->fd);
	s->cookie = 0;
}

/* ---- calls -------------------------------------------------------------------------------------
 */

static int reply_fd(struct msghdr *m)
{
	struct cmsghdr *cm = CMSG_FIRSTHDR(m);

	if (!cm || cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
		return -1;
	return *(int *)(void *)CMSG_DATA(cm);
}

static long receive_once(int fd, struct call *c)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	char text[256];
	struct iovec iov[2] = { { &c->rep, sizeof(c->rep) },
				{ c->data ? c->data : text,
				  c->data ? c->data_max : sizeof(text) - 2 } };
	struct msghdr m = { .msg_iov = iov,
			    .msg_iovlen = 2,
			    .msg_control = &control,
			    .msg_controllen = CMSG_LEN(sizeof(int)) };
	long n;

	n = raw3(SYS_recvmsg, fd, addr_of(&m), c->cloexec ? MSG_CMSG_CLOEXEC : 0);
	if (n < (long)sizeof(c->rep))
		return n < 0 ? n : -ECONNRESET;
	c->fd = reply_fd(&m);
	if (c->rep.error == EPROTO && !c->data) {
		const char *const part[] = { "glass: ", text, NULL };

		text[n - (long)sizeof(c->rep)] = '\n';
		text[n - (long)sizeof(c->rep) + 1] = 0;
		complain(part);
	}
	return n;
}

static long receive_reply(int fd, struct call *c)
{
	long n;

	do
		n = receive_once(fd, c);
	while (n == -EINTR);
	return n;
}

/*
 * As the kernel's own calls that wait: without a limit the kernel goes on after a handler that is
 * SA_RESTART, with one it never does.
 */
static long receive_or_give_up(int fd, struct call *c)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct timespec t = { c->patience_ms / 1000, c->patience_ms % 1000 * 1000000l };
	long n;

	if (c->patience_ms < 0)
		return receive_once(fd, c);
	n = raw5(SYS_ppoll, addr_of(&p), 1, addr_of(&t), 0, 0);
	return n > 0 ? receive_reply(fd, c) : n ? n : -EINPROGRESS;
}

static long receive_patiently(int fd, struct call *c)
{
	long n = receive_or_give_up(fd, c);
	int32_t why = (int32_t)-n;

	if (n != -EINTR && n != -EINPROGRESS)
		return n;
	n = send_request(fd, &c->later->req, c->later->send_fd);
	if (n >= 0)
		n = receive_reply(fd, c);
	if (n < 0)
		return n;
	if (c->rep.head.op == c->req.head.op) /* it came just before */
		return receive_reply(fd, c->later);
	c->rep.error = why;
	return n;
}

static long exchange(int fd, struct call *c, bool quiet)
{
	long n = c->niov ? send_with_data(fd, c) : send_request(fd, &c->req, c->send_fd);

	if (n < 0 || quiet)
		return n;
	return c->later ? receive_patiently(fd, c) : receive_reply(fd, c);
}

/* Once more on a new connection when the old one has broken: the daemon was restarted. */
static long exchange_in_slot(struct slot *s, struct call *c, bool quiet, int pid)
{
	long n = -ENETDOWN;

	for (int attempt = 0; attempt < 2; attempt++) {
		int fd = slot_open(s, pid);

		if (fd < 0)
			return fd;
		n = exchange(fd, c, quiet);
		if (n >= 0)
			return n;
		slot_forget(s);
	}
	return n;
}

static long exchange_once(struct call *c, bool quiet)
{
	int fd = open_by_path();
	long n;

	if (fd < 0)
		return fd;
	n = exchange(fd, c, quiet);
	raw_close(fd);
	return n;
}

static int run(struct call *c, bool quiet)
{
	int pid = (int)raw3(SYS_getpid, 0, 0, 0);
	struct slot *s = slot_take(pid);
	long n;

	c->fd = -1;
	n = s ? exchange_in_slot(s, c, quiet, pid) : exchange_once(c, quiet);
	if (s)
		__atomic_store_n(&s->holder, 0, __ATOMIC_RELEASE);
	if (n == -ECONNRESET || n == -EPIPE || n == -ENOTCONN) {
		complain_down(ABI_DEFAULT_STACK, "its control socket", -ECONNRESET);
		return -ENETDOWN;
	}
	return n < 0 ? (int)n : quiet ? 0 : -c->rep.error;
}

int call_daemon(struct call *c)
{
	return run(c, false);
}

int call_quiet(struct call *c)
{
	return run(c, true);
}
