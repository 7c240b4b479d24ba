/* SPDX-License-Identifier: MIT */
/*
 * The stopped calls that carry bytes: sendto, recvfrom, sendmsg, recvmsg, sendmmsg, recvmmsg. Those
 * of a stream without an address or ancillary data beside are left to the kernel.
 *
 * In: supervise_call.c.   Out: the preload library (struct supervise_lib).
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "supervise.h"

#define BYTES_MAX 1048576 /* of one call; a stream takes or gives fewer then */
#define CONTROL_MAX 4096
#define MESSAGES_MAX 1024 /* as Linux, UIO_MAXIOV */

/* A message of the target, and its copy here. */
struct message {
	struct msghdr its; /* pointers are the target's */
	struct iovec *iov; /* of its.msg_iovlen, addresses there */
	struct msghdr here;
	struct iovec bytes;
	char name[sizeof(struct sockaddr_storage)];
	char control[CONTROL_MAX];
};

static void message_free(struct message *m)
{
	if (!m)
		return;
	free(m->iov);
	free(m->bytes.iov_base);
	free(m);
}

static size_t bytes_of(const struct message *m)
{
	size_t sum = 0;

	for (size_t i = 0; i < m->its.msg_iovlen && sum < BYTES_MAX; i++)
		sum += m->iov[i].iov_len < BYTES_MAX ? m->iov[i].iov_len : BYTES_MAX;
	return sum < BYTES_MAX ? sum : BYTES_MAX;
}

/*
 * The copy's shape: room for the bytes, the address, the ancillary data. flat: the one piece there
 * is, of a call without a struct msghdr. NULL: *err.
 */
static struct message *message_new(const struct target *t, const struct msghdr *its,
				   const struct iovec *flat, int *err)
{
	struct message *m = calloc(1, sizeof(*m));

	*err = -ENOMEM;
	if (!m)
		return NULL;
	m->its = *its;
	if (its->msg_iovlen > MESSAGES_MAX)
		*err = -EMSGSIZE;
	else if ((m->iov = calloc(its->msg_iovlen + 1, sizeof(*m->iov))))
		*err = flat ? 0
			    : target_read(t, (uintptr_t)its->msg_iov, m->iov,
					  its->msg_iovlen * sizeof(*m->iov));
	if (!*err && flat)
		m->iov[0] = *flat;
	if (!*err) {
		m->bytes.iov_len = bytes_of(m);
		m->bytes.iov_base = malloc(m->bytes.iov_len + 1);
		*err = m->bytes.iov_base ? 0 : -ENOMEM;
	}
	m->here = (struct msghdr){ .msg_iov = &m->bytes, .msg_iovlen = 1 };
	if (its->msg_name) {
		m->here.msg_name = m->name;
		m->here.msg_namelen =
			its->msg_namelen < sizeof(m->name) ? its->msg_namelen : sizeof(m->name);
	}
	if (its->msg_control && its->msg_controllen) {
		m->here.msg_control = m->control;
		m->here.msg_controllen =
			its->msg_controllen < CONTROL_MAX ? its->msg_controllen : CONTROL_MAX;
	}
	if (!*err)
		return m;
	message_free(m);
	return NULL;
}

/* Between the copy and the target's pieces: the first count bytes. 0 or -EFAULT. */
static int move_bytes(const struct target *t, const struct message *m, size_t count,
		      int (*move)(const struct target *t, uint64_t there, void *here, size_t n))
{
	size_t done = 0;
	int err = 0;

	for (size_t i = 0; !err && done < count; i++) {
		size_t n = m->iov[i].iov_len < count - done ? m->iov[i].iov_len : count - done;

		err = move(t, (uintptr_t)m->iov[i].iov_base, (char *)m->bytes.iov_base + done, n);
		done += n;
	}
	return err;
}

static int fetch(const struct target *t, uint64_t there, void *here, size_t n)
{
	return target_read(t, there, here, n);
}

static int put(const struct target *t, uint64_t there, void *here, size_t n)
{
	return target_write(t, there, here, n);
}

/* ---- one message -------------------------------------------------------------------------------
 */

static int64_t send_one(const struct target *t, int fd, const struct msghdr *its,
			const struct iovec *flat, int flags)
{
	int err;
	struct message *m = message_new(t, its, flat, &err);
	int64_t sent = 0;

	if (!m)
		return err;
	err = move_bytes(t, m, m->bytes.iov_len, fetch);
	if (!err && m->here.msg_name)
		err = target_read(t, (uintptr_t)its->msg_name, m->name, m->here.msg_namelen);
	if (!err && m->here.msg_control)
		err = target_read(t, (uintptr_t)its->msg_control, m->control,
				  m->here.msg_controllen);
	if (!err) {
		supervise_wait_begin(t);
		sent = lib.sendmsg(fd, &m->here, flags | MSG_NOSIGNAL);
		supervise_wait_end();
		err = sent < 0 ? -errno : 0;
	}
	message_free(m);
	if (err == -EPIPE && !(flags & MSG_NOSIGNAL))
		syscall(SYS_tkill, t->tid, SIGPIPE);
	return err ? err : sent;
}

/* How many of the bytes that recvmsg(2) counted are here; MSG_TRUNC throws those of a stream away.
 */
static size_t bytes_here(const struct message *m, int fd, int64_t got, int flags)
{
	int type = 0;
	socklen_t size = sizeof(type);

	if (flags & MSG_TRUNC && !getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) &&
	    type == SOCK_STREAM)
		return 0;
	return (size_t)got < m->bytes.iov_len ? (size_t)got : m->bytes.iov_len;
}

/* its: lengths and flags are brought up to date. */
static int64_t recv_one(const struct target *t, int fd, struct msghdr *its,
			const struct iovec *flat, int flags)
{
	int err;
	struct message *m = message_new(t, its, flat, &err);
	int64_t got;

	if (!m)
		return err;
	supervise_wait_begin(t);
	got = lib.recvmsg(fd, &m->here, flags);
	supervise_wait_end();
	err = got < 0 ? -errno : 0;
	if (!err)
		err = move_bytes(t, m, bytes_here(m, fd, got, flags), put);
	if (!err && m->here.msg_name)
		err = target_write(t, (uintptr_t)its->msg_name, m->name,
				   m->here.msg_namelen < its->msg_namelen ? m->here.msg_namelen
									  : its->msg_namelen);
	if (!err && m->here.msg_control)
		err = target_write(t, (uintptr_t)its->msg_control, m->control,
				   m->here.msg_controllen);
	its->msg_namelen = m->here.msg_namelen;
	its->msg_controllen = m->here.msg_controllen;
	its->msg_flags = m->here.msg_flags;
	message_free(m);
	return err ? err : got;
}

/* ---- the calls ---------------------------------------------------------------------------------
 */

static int64_t do_sendto(const struct target *t, int fd)
{
	struct iovec iov = { (void *)(uintptr_t)t->arg[1], (size_t)t->arg[2] };
	struct msghdr its = { .msg_name = (void *)(uintptr_t)t->arg[4],
			      .msg_namelen = (socklen_t)t->arg[5],
			      .msg_iovlen = 1 };

	return send_one(t, fd, &its, &iov, (int)t->arg[3]);
}

static int64_t do_recvfrom(const struct target *t, int fd)
{
	struct iovec iov = { (void *)(uintptr_t)t->arg[1], (size_t)t->arg[2] };
	struct msghdr its = { .msg_name = (void *)(uintptr_t)t->arg[4], .msg_iovlen = 1 };
	int err = its.msg_name
			  ? target_read(t, t->arg[5], &its.msg_namelen, sizeof(its.msg_namelen))
			  : 0;
	int64_t got;

	if (err || (int)its.msg_namelen < 0)
		return err ? err : -EINVAL;
	got = recv_one(t, fd, &its, &iov, (int)t->arg[3]);
	if (got >= 0 && its.msg_name)
		err = target_write(t, t->arg[5], &its.msg_namelen, sizeof(its.msg_namelen));
	return err ? err : got;
}

static int64_t do_sendmsg(const struct target *t, int fd)
{
	struct msghdr its = { 0 };
	int err = target_read(t, t->arg[1], &its, sizeof(its));

	return err ? err : send_one(t, fd, &its, NULL, (int)t->arg[2]);
}

static int64_t do_recvmsg(const struct target *t, int fd)
{
	struct msghdr its = { 0 };
	int err = target_read(t, t->arg[1], &its, sizeof(its));
	int64_t got = err ? err : recv_one(t, fd, &its, NULL, (int)t->arg[2]);

	if (got >= 0)
		err = target_write(t, t->arg[1], &its, sizeof(its));
	return err ? err : got;
}

/* As many as go; the error of a later one is told by the next call. */
static int64_t do_many(const struct target *t, int fd)
{
	bool sends = t->notif->data.nr == SYS_sendmmsg;
	int flags = (int)t->arg[3] & ~MSG_WAITFORONE;
	unsigned count = t->arg[2] < MESSAGES_MAX ? (unsigned)t->arg[2] : MESSAGES_MAX, done;
	int64_t n = 0;

	for (done = 0; done < count; done++) {
		uint64_t at = t->arg[1] + done * sizeof(struct mmsghdr);
		struct mmsghdr m = { 0 };

		n = target_read(t, at, &m, sizeof(m));
		if (!n)
			n = sends ? send_one(t, fd, &m.msg_hdr, NULL, flags)
				  : recv_one(t, fd, &m.msg_hdr, NULL, flags);
		if (n < 0)
			break;
		m.msg_len = (unsigned)n;
		n = target_write(t, at, &m, sizeof(m));
		if (n < 0)
			break;
		if (!sends && t->arg[3] & MSG_WAITFORONE)
			flags |= MSG_DONTWAIT;
	}
	return done ? (int64_t)done : n;
}

/* ---- whose it is -------------------------------------------------------------------------------
 */

static bool is_plain(const struct msghdr *m)
{
	return !m->msg_name && !m->msg_control;
}

/* Neither an address nor ancillary data beside any. */
static bool all_plain(const struct target *t)
{
	int nr = t->notif->data.nr;
	struct mmsghdr m;

	if (nr == SYS_sendto || nr == SYS_recvfrom)
		return !t->arg[4];
	if (nr == SYS_sendmsg || nr == SYS_recvmsg)
		return target_read(t, t->arg[1], &m.msg_hdr, sizeof(m.msg_hdr)) ||
		       is_plain(&m.msg_hdr);
	for (uint64_t i = 0; i < t->arg[2] && i < MESSAGES_MAX; i++)
		if (!target_read(t, t->arg[1] + i * sizeof(m), &m, sizeof(m)) &&
		    !is_plain(&m.msg_hdr))
			return false;
	return true;
}

static int flags_of(const struct target *t)
{
	int nr = t->notif->data.nr;

	return (int)t->arg[nr == SYS_sendmsg || nr == SYS_recvmsg ? 2 : 3];
}

static bool is_sending(const struct target *t)
{
	int nr = t->notif->data.nr;

	return nr == SYS_sendto || nr == SYS_sendmsg || nr == SYS_sendmmsg;
}

/* Connected, and nothing wrong with it. */
static bool is_healthy(int fd)
{
	struct pollfd p = { .fd = fd };
	struct sockaddr_un u;
	socklen_t size = sizeof(u);
	struct abi_name peer;

	return !getpeername(fd, (struct sockaddr *)&u, &size) &&
	       supervise_name_read(&u, size, &peer) && peer.kind == 'c' && !poll(&p, 1, 0);
}

/*
 * The bytes of a stream are the kernel's, as those of read(2) and write(2) are. Not those of a
 * datagram socket, or of a stream that is not connected or is over, whose errors AF_UNIX calls by
 * another name; not what waits in a listening socket (transfer.c: is_not_connected).
 */
static bool is_kernels(const struct target *t, int fd, const struct abi_name *self)
{
	if (self->proto != ABI_TCP || !all_plain(t))
		return false;
	if (!is_sending(t) && flags_of(t) & (MSG_ERRQUEUE | MSG_TRUNC))
		return false;
	return is_healthy(fd);
}

int64_t supervise_message(const struct target *t, int fd, const struct abi_name *self)
{
	if (is_kernels(t, fd, self))
		return GO_ON;
	lib.look_at(fd);
	switch (t->notif->data.nr) {
	case SYS_sendto:
		return do_sendto(t, fd);
	case SYS_recvfrom:
		return do_recvfrom(t, fd);
	case SYS_sendmsg:
		return do_sendmsg(t, fd);
	case SYS_recvmsg:
		return do_recvmsg(t, fd);
	default:
		return do_many(t, fd);
	}
}
