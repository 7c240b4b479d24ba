/* SPDX-License-Identifier: MIT */
/*
 * A thread of the program that has stopped in a system call, and waits for the supervisor's answer
 * (seccomp_unotify(2)): its memory, its descriptors, its fate.
 */
#ifndef GLASS_PRELOAD_TARGET_H
#define GLASS_PRELOAD_TARGET_H

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct target {
	int listener;
	const struct seccomp_notif *notif;
	pid_t tid;
	const uint64_t *arg; /* of the system call */
};

/* Bytes at its address; 0 or -EFAULT. */
int target_read(const struct target *t, uint64_t from, void *to, size_t bytes);
int target_write(const struct target *t, uint64_t to, const void *from, size_t bytes);
/* A copy, here, of its descriptor; or -errno. Close it. */
int target_fd(const struct target *t, int fd);
/* Is close-on-exec set on its descriptor? */
bool target_fd_cloexec(const struct target *t, int fd);
/*
 * Its descriptor becomes that of fd, with O_CLOEXEC when so: the answer of the call, as number
 * (target_give), or in place of the one it has (target_replace). 0 or -errno.
 */
int target_give(const struct target *t, int fd, bool cloexec);
int target_replace(const struct target *t, int its, int fd);
/* Answers: the result of the call, or a negative errno. */
void target_answer(const struct target *t, int64_t result);
/* Answers: let the kernel do it. */
void target_go_on(const struct target *t);
/* It has a signal to see to, or is no more. */
bool target_is_called_away(const struct target *t);

#endif
