/* SPDX-License-Identifier: MIT */
/* The command's end of the control socket: one request, one reply. */
#include "ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

volatile sig_atomic_t client_interrupted;
static int sock = -1;

void client_socket_path(char *out, size_t size)
{
	char dir[ABI_PATH_MAX], path[ABI_PATH_MAX];

	out[0] = '\0';
	if (abi_dir(dir, getenv, (unsigned)geteuid()) && abi_socket_path(path, dir, ctl.stack))
		snprintf(out, size, "%s", path);
}

int client_try_open(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int err;

	client_socket_path(at.sun_path, sizeof(at.sun_path));
	if (!at.sun_path[0])
		return -ENAMETOOLONG;
	sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return -errno;
	if (!connect(sock, (const struct sockaddr *)&at, sizeof(at)))
		return 0;
	err = -errno;
	client_close();
	return err;
}

static int say_no_daemon(int err)
{
	bool named = strcmp(ctl.stack, ABI_DEFAULT_STACK) != 0;
	char path[ABI_PATH_MAX];

	client_socket_path(path, sizeof(path));
	if (err == -EACCES || err == -EPERM) {
		failed("stack %s belongs to somebody else (%s: %s)\ntype: sudo glass ...",
		       ctl.stack, path, strerror(-err));
		return EXIT_FAILED;
	}
	if (err != -ENOENT && err != -ECONNREFUSED) {
		failed("cannot speak to stack %s at %s: %s", ctl.stack, path, strerror(-err));
		return EXIT_FAILED;
	}
	failed("stack %s is not running (nobody listens at %s)\ntype: glass up%s%s", ctl.stack,
	       path, named ? " --stack " : "", named ? ctl.stack : "");
	return EXIT_NO_DAEMON;
}

int client_stay_open(void)
{
	return sock >= 0 ? 0 : client_try_open();
}

int client_open(void)
{
	int err = client_stay_open();

	return err ? say_no_daemon(err) : 0;
}

bool client_hung_up(void)
{
	char byte;

	return sock >= 0 && !recv(sock, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
}

void client_close(void)
{
	if (sock >= 0)
		close(sock);
	sock = -1;
}

static int send_request(struct abi_request *req, const char *data, int fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov[2] = { { req, sizeof(*req) }, { NULL, req->length } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = req->length ? 2 : 1 };
	struct cmsghdr *c;

	if (data)
		memcpy(&iov[1].iov_base, &data, sizeof(data)); /* sendmsg(2) does not write to it */
	if (fd >= 0) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = sizeof(control.bytes);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	return sendmsg(sock, &msg, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int received_fd(struct msghdr *msg)
{
	int fd = -1;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
		    c->cmsg_len >= CMSG_LEN(sizeof(int)))
			memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

static int receive_reply(struct reply *out)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov[2] = { { &out->head, sizeof(out->head) }, { out->data, ABI_DATA_MAX } };
	struct msghdr msg = { .msg_iov = iov,
			      .msg_iovlen = 2,
			      .msg_control = control.bytes,
			      .msg_controllen = sizeof(control.bytes) };
	ssize_t n;

	do {
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR && !client_interrupted);
	if (n <= 0)
		return n ? -errno : -EPIPE;
	out->fd = received_fd(&msg);
	if ((size_t)n < sizeof(out->head) || out->head.head.magic != ABI_MAGIC ||
	    out->head.head.version != ABI_VERSION)
		return -EPROTO;
	out->data[(size_t)n - sizeof(out->head)] = '\0';
	return 0;
}

int client_call(enum abi_op op, struct abi_request *req, const char *data, int fd,
		struct reply *out)
{
	struct abi_request none = { 0 };
	int err;

	req = req ? req : &none;
	req->head = (struct abi_head){ ABI_MAGIC, ABI_VERSION, (uint16_t)op };
	req->length = data ? (uint32_t)strlen(data) : 0;
	out->fd = -1;
	out->data[0] = '\0';
	if (req->length > ABI_DATA_MAX)
		return E2BIG;
	err = send_request(req, data, fd);
	if (!err)
		err = receive_reply(out);
	return err ? err : out->head.error;
}

int client_failed(const char *what, int error, const struct reply *rep)
{
	if (error == -EPROTO)
		return failed(
			"the daemon of stack %s is of another version\ntype: glass down; glass up",
			ctl.stack);
	if (error < 0) {
		failed("the daemon of stack %s ended in the middle of the answer (%s)\ntype: glass "
		       "status",
		       ctl.stack, strerror(-error));
		return EXIT_NO_DAEMON;
	}
	if (rep->data[0])
		return failed("%s: %s", what, rep->data);
	return failed("%s: %s", what, strerror(error));
}
