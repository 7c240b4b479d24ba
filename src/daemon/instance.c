/* SPDX-License-Identifier: MIT */
/*
 * One name, one daemon. The lock is flock() on DIR/STACK.lock, so it goes with the process however
 * that ends; the pid in it is for people. Whoever holds it may clear away what a killed forerunner
 * left.
 */
#include "../abi/path.h"
#include "start.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOCK_TRIES 100
#define LOCK_PAUSE_NS 20000000

/*
 * Ours, a directory, and closed to everybody else: in /tmp anybody may have made it before us. Who
 * knows a name in it may get there, if that stack has said so (control.c): the sockets of others
 * are closed each by itself.
 */
static bool dir_is_safe(const char *dir)
{
	struct stat st;

	if (lstat(dir, &st) < 0) {
		notice("cannot look at %s: %s", dir, strerror(errno));
		return false;
	}
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid()) {
		notice("%s is not a directory of ours (uid %u). Take another: export " ABI_ENV_DIR
		       "=DIR",
		       dir, (unsigned)geteuid());
		return false;
	}
	if (st.st_mode & 066 && chmod(dir, 0700) < 0) {
		notice("%s is open to others and cannot be closed: %s", dir, strerror(errno));
		return false;
	}
	return true;
}

static bool dir_make(struct instance *in, const char *stack)
{
	struct stat st;

	if (!abi_dir(in->dir, getenv, geteuid()) ||
	    !abi_socket_path(in->socket_path, in->dir, stack)) {
		notice("the path of the control socket would be longer than a socket's name may "
		       "be. Take a shorter "
		       "directory: export " ABI_ENV_DIR "=DIR");
		return false;
	}
	/* A folder that the user made for us is not ours to remove. */
	in->own_dir = !getenv(ABI_ENV_DIR) || lstat(in->dir, &st) < 0;
	if (mkdir(in->dir, 0700) < 0 && errno != EEXIST) {
		notice("cannot make directory %s: %s. Take another: export " ABI_ENV_DIR "=DIR",
		       in->dir, strerror(errno));
		return false;
	}
	return dir_is_safe(in->dir);
}

/* Is the file that we locked still the one of that name? */
static bool lock_is_current(const struct instance *in)
{
	struct stat held, named;

	return !fstat(in->lock_fd, &held) && !stat(in->lock_path, &named) &&
	       held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

static void say_taken(const struct instance *in, const char *stack)
{
	char pid[24] = "";
	ssize_t n = in->lock_fd < 0 ? 0 : pread(in->lock_fd, pid, sizeof(pid) - 1, 0);

	if (n > 0)
		pid[strcspn(pid, "\n")] = '\0';
	notice("stack '%s' is running already (pid %s). 'glass down --stack %s' ends it; another "
	       "beside it: glass up "
	       "--stack NAME --dev glass1 --address 10.0.1.4/24 --host-address 10.0.1.5/24",
	       stack, *pid ? pid : "?", stack);
}

/* Its holder is about to end, or to be ready: "glass down; glass up" should not fail for that. */
static bool lock_is_changing(const struct instance *in)
{
	return access(in->socket_path, F_OK) < 0 && errno == ENOENT;
}

static bool lock_take(struct instance *in, const char *stack)
{
	const struct timespec pause = { 0, LOCK_PAUSE_NS };

	for (int i = 0; i < LOCK_TRIES; i++) {
		in->lock_fd = open(in->lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (in->lock_fd < 0 && errno == ENOENT && dir_make(in, stack))
			continue; /* who has just ended took the folder along */
		if (in->lock_fd < 0) {
			notice("cannot open %s: %s", in->lock_path, strerror(errno));
			return false;
		}
		if (!flock(in->lock_fd, LOCK_EX | LOCK_NB)) {
			if (lock_is_current(in))
				return true;
		} else if (!lock_is_changing(in)) {
			break;
		} else {
			nanosleep(&pause, NULL);
		}
		close(in->lock_fd);
		in->lock_fd = -1;
	}
	say_taken(in, stack);
	if (in->lock_fd >= 0)
		close(in->lock_fd);
	in->lock_fd = -1;
	return false;
}

static bool name_is_good(const char *stack)
{
	if (abi_stack_name_ok(stack))
		return true;
	notice("'%s' cannot be a stack's name: 1 to %d letters, digits, - _ .", stack,
	       ABI_STACK_NAME_MAX);
	return false;
}

bool instance_find(struct instance *in, const char *stack)
{
	in->lock_fd = -1;
	if (!name_is_good(stack))
		return false;
	if (!abi_dir(in->dir, getenv, geteuid()) ||
	    !abi_socket_path(in->socket_path, in->dir, stack)) {
		notice("the path of the control socket would be too long for one");
		return false;
	}
	snprintf(in->lock_path, sizeof(in->lock_path), "%s/%s.lock", in->dir, stack);
	return true;
}

void instance_mark(const struct instance *in)
{
	if (ftruncate(in->lock_fd, 0) < 0 || lseek(in->lock_fd, 0, SEEK_SET) < 0 ||
	    dprintf(in->lock_fd, "%d\n", (int)getpid()) < 0)
		notice("cannot write the pid to %s: %s", in->lock_path, strerror(errno));
}

bool instance_take(struct instance *in, const char *stack)
{
	in->lock_fd = -1;
	if (!name_is_good(stack) || !dir_make(in, stack))
		return false;
	snprintf(in->lock_path, sizeof(in->lock_path), "%s/%s.lock", in->dir, stack);
	if (!lock_take(in, stack))
		return false;
	instance_mark(in);
	unlink(in->socket_path); /* of one that was killed: the lock is ours, so nobody serves it */
	return true;
}

void instance_release(struct instance *in)
{
	if (in->lock_fd >= 0) {
		unlink(in->lock_path);
		close(in->lock_fd);
		in->lock_fd = -1;
	}
	if (in->own_dir)
		rmdir(in->dir); /* stays while another stack is in it */
}
