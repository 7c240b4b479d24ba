/* SPDX-License-Identifier: MIT */
/*
 * What `glass run` asks glassd.
 *
 * In: run.c, run_around.c, run_private.c.   Out: src/daemon/control.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "run_program.h"

int run_connect(const struct run *r, char path[ABI_PATH_MAX])
{
	struct sockaddr_un u = { .sun_family = AF_UNIX };
	int fd, err = 0;

	if (!abi_socket_path(u.sun_path, r->dir, r->stack))
		return -ENAMETOOLONG;
	strcpy(path, u.sun_path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&u, sizeof(u))) {
		err = -errno;
		close(fd);
	}
	return err ? err : fd;
}

static int send_request(int to, int op, const char *words, const int *fd)
{
	struct abi_request req = { .head = { ABI_MAGIC, ABI_VERSION, (uint16_t)op },
				   .length = (uint32_t)strlen(words) };
	struct iovec iov[] = { { &req, sizeof(req) }, { (char *)(uintptr_t)words, req.length } };
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .align = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2 };

	if (fd) {
		memcpy(CMSG_DATA(&control.align), fd, sizeof(*fd));
		m.msg_control = &control;
		m.msg_controllen = sizeof(control.space);
	}
	return sendmsg(to, &m, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* The answer's bytes into data; how many, or -errno. */
static ssize_t receive_reply(int from, void *data, size_t room)
{
	struct abi_reply rep = { 0 };
	struct iovec iov[] = { { &rep, sizeof(rep) }, { data, room } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2 };
	ssize_t n = recvmsg(from, &m, 0);

	if (n < (ssize_t)sizeof(rep))
		return n < 0 ? -errno : -EACCES;
	return rep.error ? -rep.error : n - (ssize_t)sizeof(rep);
}

int run_ask(int to, int op, const char *words, const int *fd, char *text, size_t room)
{
	int err = send_request(to, op, words, fd);
	ssize_t n;

	memset(text, 0, room);
	n = err ? err : receive_reply(to, text, room - 1);
	return n < 0 ? (int)n : 0;
}

static int ask_ifaces(struct run *r, int to)
{
	int err = send_request(to, ABI_IFACES, "", NULL);
	ssize_t n = err ? err : receive_reply(to, r->iface, sizeof(r->iface));

	r->ifaces = n < 0 ? 0 : (int)((size_t)n / sizeof(r->iface[0]));
	return n < 0 ? (int)n : 0;
}

int run_check_daemon(struct run *r)
{
	char path[ABI_PATH_MAX] = "";
	int fd, err;

	if (!abi_stack_name_ok(r->stack))
		return run_fail(2, "'%s' is no name of a stack: letters, digits, '-', '_', '.'",
				r->stack);
	if (!abi_dir(r->dir, getenv, geteuid()) || (fd = run_connect(r, path)) == -ENAMETOOLONG)
		return run_fail(2, "the control socket's path is too long: %s/%s.sock", r->dir,
				r->stack);
	err = fd < 0 ? fd : ask_ifaces(r, fd);
	if (fd >= 0)
		close(fd);
	if (err == -ENOENT || err == -ECONNREFUSED)
		return run_fail(NO_DAEMON, "no stack '%s' is running (%s: %s). Type: glass up%s%s",
				r->stack, path, strerror(-err),
				strcmp(r->stack, ABI_DEFAULT_STACK) ? " --stack " : "",
				strcmp(r->stack, ABI_DEFAULT_STACK) ? r->stack : "");
	if (err == -EPROTO)
		return run_fail(NO_DAEMON,
				"glassd is of another version. Type: glass down; glass up");
	if (err)
		return run_fail(NO_DAEMON, "stack '%s' does not let us in (%s: %s)", r->stack, path,
				strerror(-err));
	return 0;
}
