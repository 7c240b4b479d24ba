/* SPDX-License-Identifier: MIT */
/*
 * From one process to another, by a SOCK_SEQPACKET pair: a head with the memory in which the state
 * lies, then descriptors, as many as one message may have. Both are of one user, and of one
 * machine; lengths are checked all the same.
 *
 * In: takeover.c.	Out: the kernel.
 */
#include "takeover.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define FDS_PER_MESSAGE 128 /* the kernel allows 253 */
#define FDS_MAX 4194304

struct head {
	uint64_t stack_bytes, daemon_bytes;
	uint32_t nfds;
};

union rights {
	struct cmsghdr align;
	char space[CMSG_SPACE(FDS_PER_MESSAGE * sizeof(int))];
};

/* One message with n descriptors. */
static int send_with(int to, const void *bytes, size_t length, const int *fd, unsigned n)
{
	struct iovec iov = { (void *)(uintptr_t)bytes, length };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	union rights control = { .align = { CMSG_LEN(n * sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	ssize_t sent;

	memcpy(CMSG_DATA(&control.align), fd, n * sizeof(int));
	m.msg_control = &control;
	m.msg_controllen = CMSG_SPACE(n * sizeof(int));
	do {
		sent = sendmsg(to, &m, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	return 0;
}

/* Answers how many descriptors came, at most FDS_PER_MESSAGE; or -errno. */
static int receive_with(int from, void *bytes, size_t length, int *fd)
{
	struct iovec iov = { bytes, length };
	union rights control;
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *cm;
	ssize_t got;
	unsigned n = 0;

	do {
		got = recvmsg(from, &m, MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	if (got <= 0)
		return !got ? -EPIPE : errno == EAGAIN ? -ETIMEDOUT : -errno;
	cm = CMSG_FIRSTHDR(&m);
	if (cm && cm->cmsg_level == SOL_SOCKET && cm->cmsg_type == SCM_RIGHTS) {
		n = (unsigned)((cm->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(fd, CMSG_DATA(cm), n * sizeof(int));
	}
	/* Cut: there was no room for so many descriptors in this process. */
	return (size_t)got != length ? -EPROTO : m.msg_flags & MSG_CTRUNC ? -EMFILE : (int)n;
}

int package_send(int to, const struct package *p, const int *fd, unsigned nfds)
{
	struct head h = { p->stack_bytes, p->daemon_bytes, nfds };
	int err = send_with(to, &h, sizeof(h), &p->memfd, 1);

	for (unsigned at = 0; !err && at < nfds; at += FDS_PER_MESSAGE) {
		unsigned n = nfds - at < FDS_PER_MESSAGE ? nfds - at : FDS_PER_MESSAGE;

		err = send_with(to, "f", 1, fd + at, n);
	}
	return err;
}

/* The whole of it, which must be there. */
static int package_map(struct package *p)
{
	uint64_t bytes = p->stack_bytes + p->daemon_bytes;
	struct stat st;
	void *at;

	if (p->stack_bytes > INT64_MAX / 4 || p->daemon_bytes > INT64_MAX / 4 || !bytes)
		return -EPROTO;
	if (fstat(p->memfd, &st) || (uint64_t)st.st_size < bytes)
		return -EPROTO;
	at = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, p->memfd, 0);
	if (at == MAP_FAILED)
		return -errno;
	p->bytes = at;
	return 0;
}

static int receive_fds(int from, int *fd, unsigned nfds)
{
	int more[FDS_PER_MESSAGE], n;
	unsigned at = 0;
	char byte;

	while (at < nfds) {
		n = receive_with(from, &byte, 1, more);
		if (n <= 0 || (unsigned)n > nfds - at)
			return n < 0 ? n : -EPROTO;
		memcpy(fd + at, more, (unsigned)n * sizeof(int));
		at += (unsigned)n;
	}
	return 0;
}

int package_receive(int from, struct package *p, int **fd, unsigned *nfds)
{
	int rights[FDS_PER_MESSAGE], err;
	struct head h;

	err = receive_with(from, &h, sizeof(h), rights);
	if (err < 0)
		return err;
	if (err != 1 || h.nfds > FDS_MAX)
		return -EPROTO;
	*p = (struct package){ rights[0], h.stack_bytes, h.daemon_bytes, NULL };
	err = package_map(p);
	if (err)
		return err;
	*nfds = h.nfds;
	*fd = malloc((h.nfds + 1) * sizeof(int));
	return *fd ? receive_fds(from, *fd, h.nfds) : -ENOMEM;
}

void package_free(struct package *p)
{
	if (p->bytes)
		munmap((void *)(uintptr_t)p->bytes, p->stack_bytes + p->daemon_bytes);
	if (p->memfd >= 0)
		close(p->memfd);
	*p = (struct package){ .memfd = -1 };
}

int word_send(int to, char word)
{
	return send(to, &word, 1, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

int word_receive(int from, char *word)
{
	ssize_t n;

	do {
		n = recv(from, word, 1, 0);
	} while (n < 0 && errno == EINTR);
	return n == 1 ? 0 : !n ? -EPIPE : errno == EAGAIN ? -ETIMEDOUT : -errno;
}
