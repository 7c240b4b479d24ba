/* SPDX-License-Identifier: MIT */
/*
 * One request of a client, from its message to its answer. Whatever comes is checked here; handlers
 * (the table, made of op.def) see only whole requests of this version by somebody allowed.
 *
 * Nothing here waits. A client that does not read its answers is dropped.
 *
 * In: control.c (a client speaks).  Out: program*.c and command.c, one handler per operation.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control.h"

enum op_kind { CALL, QUIET, FD };

struct op {
	const char *name;
	enum op_kind kind;
	op_handler *handler;
};

static op_handler op_none, op_hello;

static const struct op ops[ABI_OP_COUNT] = {
#define OP(ID, name, kind, doc) [ABI_##ID] = { #name, kind, op_##name },
#include "../abi/op.def"
#undef OP
};

/* ---- answers --------------------------------------------------------------------------------- */

static void attach_fd(struct msghdr *m, void *space, size_t size, int fd)
{
	struct cmsghdr *cm;

	m->msg_control = space;
	m->msg_controllen = size;
	cm = CMSG_FIRSTHDR(m);
	*cm = (struct cmsghdr){ CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
	memcpy(CMSG_DATA(cm), &fd, sizeof(fd));
}

void control_reply(struct daemon *d, struct client *c, const struct abi_request *req,
		   struct abi_reply *rep, const void *data, size_t length, int fd)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov[2] = { { rep, sizeof(*rep) }, { (void *)(uintptr_t)data, length } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2 };

	if (req->head.op < ABI_OP_COUNT && ops[req->head.op].kind == QUIET)
		return;
	rep->head = (struct abi_head){ ABI_MAGIC, ABI_VERSION, req->head.op };
	rep->length = (uint32_t)length;
	if (fd >= 0)
		attach_fd(&m, &control, sizeof(control.space), fd);
	if (c->doomed || sendmsg(c->watch.fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return;
	if (errno == EAGAIN)
		notice("client pid %d does not read its answers (%s)", (int)c->pid,
		       ops[req->head.op].name);
	c->doomed = true;
	if (!c->busy)
		client_drop(d, c, NULL);
}

static void reply_error(struct daemon *d, struct client *c, const struct abi_request *req,
			int error, const char *text)
{
	struct abi_reply rep = { .error = error };

	control_reply(d, c, req, &rep, text, text ? strlen(text) : 0, -1);
}

static void op_none(struct daemon *d, struct client *c, const struct abi_request *req,
		    const char *data, int *fd)
{
	(void)data;
	(void)fd;
	reply_error(d, c, req, EOPNOTSUPP, NULL);
}

static void op_hello(struct daemon *d, struct client *c, const struct abi_request *req,
		     const char *data, int *fd)
{
	struct abi_reply rep = { .value = { getpid() } };
	struct glass_addr_info a;

	(void)data;
	(void)fd;
	for (unsigned i = 0; glass_addr_at(d->g, i, &a) && rep.local.family != GLASS_IP4; i++) {
		if (!a.dev || a.addr.family != GLASS_IP4) /* device 0 is lo */
			continue;
		rep.local.family = GLASS_IP4;
		memcpy(rep.local.addr, a.addr.byte, 4);
	}
	control_reply(d, c, req, &rep, GLASS_VERSION, strlen(GLASS_VERSION), -1);
}

/* ---- requests -------------------------------------------------------------------------------- */

/* Takes the descriptor that came along; -1: none. More than one does not fit: the kernel closed the
 * others. */
static int take_fd(struct msghdr *m)
{
	struct cmsghdr *cm = CMSG_FIRSTHDR(m);
	int fd = -1;

	if (cm && cm->cmsg_level == SOL_SOCKET && cm->cmsg_type == SCM_RIGHTS &&
	    cm->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(cm), sizeof(fd));
	return fd;
}

/* What is wrong with a message of that many bytes; NULL: it is a request. */
static const char *request_fault(const struct abi_request *req, size_t got, bool cut)
{
	if (got < sizeof(struct abi_head) || req->head.magic != ABI_MAGIC)
		return "it does not speak to glassd's control socket in its language";
	if (cut || got < sizeof(*req) || req->length != got - sizeof(*req))
		return "a request with a wrong length";
	if (req->head.op >= ABI_OP_COUNT)
		return "a request for an operation that does not exist";
	return NULL;
}

static void wrong_version(struct daemon *d, struct client *c, const struct abi_request *req)
{
	char text[160];

	snprintf(text, sizeof(text),
		 "the program's Glass speaks protocol version %u, the running glassd version %u: "
		 "restart the one that is older (glass down; glass up)",
		 (unsigned)req->head.version, (unsigned)ABI_VERSION);
	reply_error(d, c, req, EPROTO, text);
}

static void request_run(struct daemon *d, struct client *c, const struct abi_request *req, int *fd)
{
	const struct op *op = &ops[req->head.op];

	if (req->head.op >= ABI_STOP && !c->owner) {
		reply_error(d, c, req, EPERM,
			    "only the user who runs glassd, and root, may do that");
		return;
	}
	op->handler(d, c, req, (const char *)(req + 1), fd);
}

void client_request(struct daemon *d, struct client *c)
{
	struct control *k = d->control;
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { &k->in, sizeof(k->in.bytes) - 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen =
				    CMSG_LEN(sizeof(int)) }; /* the padding holds one more */
	ssize_t n = recvmsg(c->watch.fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	const char *fault;
	int fd;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	fd = n >= 0 ? take_fd(&m) : -1; /* an empty message brings one along, too */
	if (n <= 0) {
		if (fd >= 0)
			close(fd);
		client_drop(d, c, NULL);
		return;
	}
	c->held = false;
	k->in.bytes[n] = 0; /* data that is text ends */
	c->busy = true;
	fault = request_fault(&k->in.req, (size_t)n, m.msg_flags & MSG_TRUNC);
	if ((size_t)n >= sizeof(struct abi_head) && k->in.req.head.magic == ABI_MAGIC &&
	    k->in.req.head.version != ABI_VERSION) {
		wrong_version(d, c, &k->in.req);
		fault = "it speaks another version of the protocol";
	} else if (!fault)
		request_run(d, c, &k->in.req, &fd);
	if (fd >= 0)
		close(fd);
	c->busy = false;
	if (fault || c->doomed)
		client_drop(d, c, fault);
}
