/* SPDX-License-Identifier: MIT */
/*
 * The supervisor: a process beside the program, which keeps its number, parent, terminal and exit
 * status.
 *
 * Theory of operation. Each stopped call is taken by a thread, which does it with the functions of
 * the preload library on a copy of the program's descriptor, and answers. So blocking calls may
 * block; there is always one more thread that waits for the next. While the kernel waits for us it
 * lets no signal through to the program but one that kills (WAIT_KILLABLE_RECV): a call is not done
 * twice. The first thread looks after those that wait: when their target has a signal to see to, or
 * is gone, it ends their wait with EINTR.
 *
 * It ends when nobody is left who has the filter.
 *
 * In: run.c.   Out: supervise_call.c.
 */
#include "supervise.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS_MAX 512 /* so many calls may wait at the same time; more wait for one to end */
#define THREADS_IDLE 4	/* so many stay when there is nothing to do */
#define STACK_BYTES 262144
#define LOOK_MS 20 /* a signal ends a wait after this long at most */

struct supervise_lib lib;
struct run_counts *run_counts;

/* A thread that waits in a call of the library. */
struct waiting {
	struct waiting *next;
	pthread_t thread;
	const struct target *target;
};

static struct {
	int listener, wake;
	pthread_mutex_t lock;
	unsigned threads, idle;
	struct waiting *waiting;
} all = { .lock = PTHREAD_MUTEX_INITIALIZER };

static _Thread_local struct waiting mine;

/* ---- waiting -----------------------------------------------------------------------------------
 */

void supervise_wait_begin(const struct target *t)
{
	uint64_t one = 1;

	pthread_mutex_lock(&all.lock);
	mine = (struct waiting){ all.waiting, pthread_self(), t };
	all.waiting = &mine;
	pthread_mutex_unlock(&all.lock);
	if (!mine.next && write(all.wake, &one, sizeof(one)) < 0)
		abort();
}

void supervise_wait_end(void)
{
	int saved = errno;

	pthread_mutex_lock(&all.lock);
	for (struct waiting **at = &all.waiting; *at; at = &(*at)->next)
		if (*at == &mine) {
			*at = mine.next;
			break;
		}
	pthread_mutex_unlock(&all.lock);
	errno = saved;
}

static void interrupted(int signal)
{
	(void)signal; /* it has ended a system call with EINTR: that is all */
}

/* The first thread's work. */
static void look_after(void)
{
	struct pollfd p[2] = { { all.listener, 0, 0 }, { all.wake, POLLIN, 0 } };
	bool any = false;
	uint64_t n;

	for (;;) {
		if (poll(p, 2, any ? LOOK_MS : -1) < 0 && errno != EINTR)
			abort();
		if (p[0].revents)
			_exit(0); /* nobody is left */
		if (p[1].revents && read(all.wake, &n, sizeof(n)) < 0)
			abort();
		pthread_mutex_lock(&all.lock);
		any = all.waiting != NULL;
		for (struct waiting *w = all.waiting; w; w = w->next)
			if (target_is_called_away(w->target))
				pthread_kill(w->thread, SIGUSR1);
		pthread_mutex_unlock(&all.lock);
	}
}

/* ---- threads -----------------------------------------------------------------------------------
 */

static void thread_new(void);

/* A thread that takes a call leaves another one behind to take the next. */
static void take_one(const struct seccomp_notif *notif)
{
	struct target t = { all.listener, notif, (pid_t)notif->pid,
			    (const uint64_t *)notif->data.args };
	bool last;

	pthread_mutex_lock(&all.lock);
	last = !--all.idle;
	pthread_mutex_unlock(&all.lock);
	if (last)
		thread_new();
	supervise_call(&t);
	pthread_mutex_lock(&all.lock);
	all.idle++;
	pthread_mutex_unlock(&all.lock);
}

static void *thread_main(void *arg)
{
	struct seccomp_notif notif;
	bool stay = true;

	(void)arg;
	while (stay) {
		memset(&notif, 0, sizeof(notif));
		if (!ioctl(all.listener, SECCOMP_IOCTL_NOTIF_RECV, &notif))
			take_one(&notif);
		else if (errno != EINTR && errno != ENOENT) /* ENOENT: it was killed just now */
			break;
		pthread_mutex_lock(&all.lock);
		stay = all.idle <= THREADS_IDLE;
		if (!stay) {
			all.idle--;
			all.threads--;
		}
		pthread_mutex_unlock(&all.lock);
	}
	return NULL;
}

static void thread_new(void)
{
	pthread_attr_t attr;
	pthread_t thread;
	bool room;

	pthread_mutex_lock(&all.lock);
	room = all.threads < THREADS_MAX;
	all.threads += room;
	all.idle += room;
	pthread_mutex_unlock(&all.lock);
	if (!room)
		return;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attr, thread_main, NULL)) {
		pthread_mutex_lock(&all.lock);
		all.threads--;
		all.idle--;
		pthread_mutex_unlock(&all.lock);
	}
	pthread_attr_destroy(&attr);
}

/* ---- the process -------------------------------------------------------------------------------
 */

static bool load_library(const char *path)
{
	void *h = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	const struct {
		const char *name;
		void *slot;
	} want[] = { { "socket", &lib.socket },		{ "bind", &lib.bind },
		     { "listen", &lib.listen },		{ "connect", &lib.connect },
		     { "accept4", &lib.accept4 },	{ "getsockname", &lib.getsockname },
		     { "shutdown", &lib.shutdown },	{ "getpeername", &lib.getpeername },
		     { "getsockopt", &lib.getsockopt }, { "setsockopt", &lib.setsockopt },
		     { "sendmsg", &lib.sendmsg },	{ "recvmsg", &lib.recvmsg },
		     { "ioctl", &lib.ioctl },		{ "glass_look_at", &lib.look_at } };

	for (unsigned i = 0; h && i < sizeof(want) / sizeof(want[0]); i++) {
		void *f = dlsym(h, want[i].name);

		if (!f)
			return false;
		memcpy(want[i].slot, &f, sizeof(f));
	}
	return h != NULL;
}

/* Away from the program's terminal and pipes; stderr stays, for what the library has to say. */
static void leave_terminal(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	if (null < 0)
		return;
	dup2(null, 0);
	dup2(null, 1);
	close(null);
}

/* The listener's number in the program comes through hear; say tells the program to go on. */
static _Noreturn void supervisor(pid_t program, const char *library, int hear, int say)
{
	struct sigaction act = { .sa_handler = interrupted };
	int number = -1, pidfd = (int)syscall(SYS_pidfd_open, program, 0), err = 0;

	leave_terminal();
	prctl(PR_SET_NAME, "glass-run");
	sigaction(SIGUSR1, &act, NULL);
	if (!load_library(library))
		err = ELIBACC;
	all.wake = eventfd(0, EFD_CLOEXEC);
	if (read(hear, &number, sizeof(number)) != sizeof(number) || number < 0)
		_exit(0);
	all.listener = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
	if (!err && (all.listener < 0 || all.wake < 0))
		err = errno;
	if (write(say, &err, sizeof(err)) != sizeof(err) || err)
		_exit(1);
	close(hear);
	close(say);
	close(pidfd);
	thread_new();
	look_after();
	_exit(0);
}

/* A grandchild, so that the program has no child it does not know of. 0 or -errno. */
static int supervisor_fork(const char *library, int hear, int say, int its_hear, int its_say)
{
	pid_t program = getpid(), child = fork();
	int status;

	if (child < 0)
		return -errno;
	if (!child) {
		close(its_hear);
		close(its_say);
		child = fork();
		if (!child)
			supervisor(program, library, hear, say);
		_exit(child < 0);
	}
	if (waitpid(child, &status, 0) < 0 || status)
		return -EAGAIN;
	return 0;
}

/* The filter, and the supervisor's word that it is there. A positive errno: it is not. */
static int filter_begin(int hear, int say, const char **why)
{
	int listener = filter_install(), number = listener, err;

	*why = "the kernel does not let us stop system calls (seccomp user notification)";
	if (write(say, &number, sizeof(number)) != sizeof(number))
		return -EPIPE;
	if (listener < 0)
		return listener;
	*why = "the supervisor cannot reach the program (pidfd_getfd)";
	if (read(hear, &err, sizeof(err)) != sizeof(err))
		err = ESRCH;
	close(listener);
	return err;
}

int supervise(const char *library, const char **why)
{
	int to[2], from[2], err;

	*why = "no process for the supervisor";
	if (pipe2(to, O_CLOEXEC))
		return -errno;
	if (pipe2(from, O_CLOEXEC)) {
		err = -errno;
		close(to[0]);
		close(to[1]);
		return err;
	}
	err = supervisor_fork(library, to[0], from[1], from[0], to[1]);
	close(to[0]);
	close(from[1]);
	if (!err)
		err = filter_begin(from[0], to[1], why);
	close(to[1]);
	close(from[0]);
	return err;
}
