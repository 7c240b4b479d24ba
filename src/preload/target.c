/* SPDX-License-Identifier: MIT */
/*
 * A thread that waits for our answer: what the kernel lets us do with it.
 *
 * In: supervise_call.c.   Out: seccomp_unotify(2), pidfd_getfd(2), process_vm_readv(2), /proc.
 */
#include "target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif

static struct iovec iovec_of(uint64_t address, size_t bytes)
{
	return (struct iovec){ (void *)(uintptr_t)address, bytes };
}

int target_read(const struct target *t, uint64_t from, void *to, size_t bytes)
{
	struct iovec here = { to, bytes }, there = iovec_of(from, bytes);

	if (!bytes)
		return 0;
	return process_vm_readv(t->tid, &here, 1, &there, 1, 0) == (ssize_t)bytes ? 0 : -EFAULT;
}

int target_write(const struct target *t, uint64_t to, const void *from, size_t bytes)
{
	struct iovec here = { (void *)(uintptr_t)from, bytes }, there = iovec_of(to, bytes);

	if (!bytes)
		return 0;
	return process_vm_writev(t->tid, &here, 1, &there, 1, 0) == (ssize_t)bytes ? 0 : -EFAULT;
}

/* The text of /proc/TID/FILE in out, ended by 0; false: there is none. */
static bool proc_text(const struct target *t, const char *file, char *out, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)t->tid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, out, size - 1);
	close(fd);
	out[n < 0 ? 0 : n] = 0;
	return n > 0;
}

/* The number behind a key at the start of a line; 0: it is not there. */
static unsigned long long proc_number(const char *text, const char *key, int base)
{
	for (const char *at = text; (at = strstr(at, key)); at++)
		if (at == text || at[-1] == '\n')
			return strtoull(at + strlen(key), NULL, base);
	return 0;
}

/* Older kernels give a pidfd for the leader of a thread group only. */
static int target_pidfd(const struct target *t)
{
	int fd = (int)syscall(SYS_pidfd_open, t->tid, PIDFD_THREAD);
	char text[4096];

	if (fd < 0 && errno == EINVAL && proc_text(t, "status", text, sizeof(text)))
		fd = (int)syscall(SYS_pidfd_open, (pid_t)proc_number(text, "Tgid:", 10), 0);
	return fd < 0 ? -errno : fd;
}

int target_fd(const struct target *t, int fd)
{
	int pidfd = target_pidfd(t), got;

	if (pidfd < 0)
		return pidfd;
	got = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	if (got < 0)
		got = -errno;
	close(pidfd);
	return got;
}

bool target_fd_cloexec(const struct target *t, int fd)
{
	char file[32], text[1024];

	snprintf(file, sizeof(file), "fdinfo/%d", fd);
	return proc_text(t, file, text, sizeof(text)) && proc_number(text, "flags:", 8) & O_CLOEXEC;
}

static int add_fd(const struct target *t, struct seccomp_notif_addfd add)
{
	add.id = t->notif->id;
	return ioctl(t->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add) < 0 ? -errno : 0;
}

int target_give(const struct target *t, int fd, bool cloexec)
{
	return add_fd(t, (struct seccomp_notif_addfd){ .flags = SECCOMP_ADDFD_FLAG_SEND,
						       .srcfd = (uint32_t)fd,
						       .newfd_flags = cloexec ? O_CLOEXEC : 0 });
}

int target_replace(const struct target *t, int its, int fd)
{
	bool cloexec = target_fd_cloexec(t, its);

	return add_fd(t, (struct seccomp_notif_addfd){ .flags = SECCOMP_ADDFD_FLAG_SETFD,
						       .srcfd = (uint32_t)fd,
						       .newfd = (uint32_t)its,
						       .newfd_flags = cloexec ? O_CLOEXEC : 0 });
}

static void send_answer(const struct target *t, struct seccomp_notif_resp resp)
{
	resp.id = t->notif->id;
	ioctl(t->listener, SECCOMP_IOCTL_NOTIF_SEND, &resp); /* ENOENT: it was killed meanwhile */
}

void target_answer(const struct target *t, int64_t result)
{
	if (result < 0)
		send_answer(t, (struct seccomp_notif_resp){ .error = (int32_t)result });
	else
		send_answer(t, (struct seccomp_notif_resp){ .val = result });
}

void target_go_on(const struct target *t)
{
	send_answer(t, (struct seccomp_notif_resp){ .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE });
}

bool target_is_called_away(const struct target *t)
{
	unsigned long long pending;
	char text[4096];

	if (ioctl(t->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &t->notif->id) ||
	    !proc_text(t, "status", text, sizeof(text)))
		return true;
	pending = proc_number(text, "SigPnd:", 16) | proc_number(text, "ShdPnd:", 16);
	return pending & ~proc_number(text, "SigBlk:", 16);
}
