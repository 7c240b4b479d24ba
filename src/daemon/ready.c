/* SPDX-License-Identifier: MIT */
/*
 * Into the background, honestly: the parent, and so whoever typed the command, waits until the
 * stack can be used or has failed. The child's errors go to the terminal that it still has; a byte
 * in a pipe means ready, its end means failed.
 */
#include "start.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The parent's part: the child's fate becomes the exit status. */
static void await_child(int fd, pid_t child) __attribute__((noreturn));
static void await_child(int fd, pid_t child)
{
	char byte;
	int status;
	ssize_t n;

	do {
		n = read(fd, &byte, 1);
	} while (n < 0 && errno == EINTR);
	if (n == 1)
		_exit(EXIT_SUCCESS);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status))
		notice("ended by signal %d (%s) while starting", WTERMSIG(status),
		       strsignal(WTERMSIG(status)));
	_exit(WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) : EXIT_FAILURE);
}

bool ready_fork(struct ready *r)
{
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0) {
		notice("cannot make a pipe: %s", strerror(errno));
		return false;
	}
	child = fork();
	if (child < 0) {
		notice("cannot fork: %s", strerror(errno));
		close(ends[0]);
		close(ends[1]);
		return false;
	}
	if (child) {
		close(ends[1]);
		await_child(ends[0], child);
	}
	/*
	 * Whatever we inherited: a pipe that stays open here would keep its reader waiting for
	 * ever.
	 */
	close(ends[0]);
	if (ends[1] != 3 && dup3(ends[1], 3, O_CLOEXEC) == 3)
		ends[1] = 3;
	if (ends[1] == 3)
		close_range(4, ~0u, 0);
	setsid();
	r->fd = ends[1];
	return true;
}

void ready_tell(struct ready *r)
{
	int null;

	if (r->fd < 0)
		return;
	notice_to_syslog();
	if (chdir("/") < 0)
		notice("cannot change to /: %s", strerror(errno));
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; null >= 0 && fd <= 2; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
	while (write(r->fd, "", 1) < 0 && errno == EINTR)
		;
	close(r->fd);
	r->fd = -1;
}
