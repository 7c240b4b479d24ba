/* SPDX-License-Identifier: MIT */
/*
 * SO_LINGER with a time: which close waits, and how long. The peer reads nothing at first, so that
 * what was sent is not acknowledged; then, after READS_MS, it reads all.
 */
#define _GNU_SOURCE
#include "mirror.h"

#include <pthread.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#define READS_MS 200
#define LONG_S 30

static char bytes[65536];

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void linger(int fd, int seconds)
{
	struct linger l = { 1, seconds };

	DO(setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
}

/* As much as the connection takes. */
static void fill(int fd)
{
	for (int quiet = 0; quiet < 3; quiet++) {
		while (send(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
			quiet = 0;
		pause_ms(20);
	}
}

/* A connection whose first end has much on its way to the other, which does not read. */
static void full_pair(int ends[2], int seconds)
{
	tcp_pair(ends);
	set(ends[0], SOL_SOCKET, SO_SNDBUF, 65536);
	linger(ends[0], seconds);
	fill(ends[0]);
}

/* Did the close that began then take some time, and did it take all of it? */
static void say_waited(long began, int seconds)
{
	long took = now_ms() - began;

	say("it waited", took >= READS_MS / 2);
	say("to the end", took >= seconds * 1000 - 100);
}

static void closes(int fd, int seconds)
{
	long began = now_ms();

	DO(close(fd));
	say_waited(began, seconds);
}

static void *read_all(void *arg)
{
	int fd = *(int *)arg;

	pause_ms(READS_MS);
	while (recv(fd, bytes, sizeof(bytes), 0) > 0)
		;
	return NULL;
}

static pthread_t reader(int *fd)
{
	pthread_t t;

	pthread_create(&t, NULL, read_all, fd);
	return t;
}

/* Until all is acknowledged; the end of what the peer says is not waited for. */
static void closes_while_read(int ends[2])
{
	pthread_t t = reader(&ends[1]);

	closes(ends[0], LONG_S);
	pthread_join(t, NULL);
	close(ends[1]);
}

static void linger_until_acknowledged(void)
{
	int ends[2];

	full_pair(ends, LONG_S);
	closes_while_read(ends);
}

static void linger_nonblocking(void)
{
	int ends[2];

	full_pair(ends, LONG_S);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	closes_while_read(ends);
}

static void linger_after_shutdown(void)
{
	int ends[2];

	full_pair(ends, LONG_S);
	DO(shutdown(ends[0], SHUT_WR));
	closes_while_read(ends);
	full_pair(ends, LONG_S);
	DO(shutdown(ends[0], SHUT_RDWR));
	closes_while_read(ends);
}

static void linger_time_over(void)
{
	int ends[2];
	long n = 0, got;

	full_pair(ends, 1);
	closes(ends[0], 1);
	while ((got = recv(ends[1], bytes, sizeof(bytes), 0)) > 0)
		n += got;
	say("the rest comes", got);
	say("and much", n >= 65536);
	close(ends[1]);
}

static void linger_for_nothing(void)
{
	int ends[2];

	tcp_pair(ends);
	linger(ends[0], LONG_S);
	send(ends[0], "data", 4, 0);
	closes(ends[0], LONG_S);
	close(ends[1]);
}

/* Off again, and a time of 0 seconds. */
static void linger_not(void)
{
	struct linger off = { 0, LONG_S };
	int ends[2];

	full_pair(ends, LONG_S);
	DO(setsockopt(ends[0], SOL_SOCKET, SO_LINGER, &off, sizeof(off)));
	closes(ends[0], LONG_S);
	close(ends[1]);
	full_pair(ends, 0);
	closes(ends[0], LONG_S);
	close(ends[1]);
}

/* Only the last close waits, under whichever number. */
static void linger_dup(void)
{
	int ends[2], other;

	full_pair(ends, LONG_S);
	other = dup(ends[0]);
	closes(ends[0], LONG_S);
	ends[0] = other;
	closes_while_read(ends);
}

/* Nor does a parent's close while the child has it; a child that ends does not wait at all. */
static void linger_fork(void)
{
	int ends[2], status;
	long began;
	pid_t pid;

	full_pair(ends, LONG_S);
	fflush(stdout);
	if (!(pid = fork())) {
		pause_ms(READS_MS);
		_exit(0);
	}
	closes(ends[0], LONG_S);
	began = now_ms();
	waitpid(pid, &status, 0);
	say("a child that ends waits", now_ms() - began > LONG_S * 500);
	close(ends[1]);
}

/* Who was accepted has it from the listener. */
static void linger_accepted(void)
{
	int ends[2], port, l = tcp_listener(1, &port);

	linger(l, LONG_S);
	set(l, SOL_SOCKET, SO_SNDBUF, 65536);
	ends[1] = socket(AF_INET, SOCK_STREAM, 0);
	DO(to_port(ends[1], port));
	ends[0] = accept(l, NULL, NULL);
	fill(ends[0]);
	closes_while_read(ends);
	close(l);
}

/* Ways to close a descriptor beside close(2); they leave a file there, or not. */
static void by_dup2(int fd)
{
	DO(dup2(2, fd) == fd);
}

static void by_dup3(int fd)
{
	DO(dup3(2, fd, O_CLOEXEC) == fd);
}

static void by_close_range(int fd)
{
	DO(close_range((unsigned)fd, (unsigned)fd + 1000, 0));
}

static void by_syscall(int fd)
{
	DO(syscall(SYS_close_range, fd, fd, 0));
}

static void by_vain_calls(int fd)
{
	DO(dup2(fd, fd) == fd);
	DO(dup3(fd, fd, 0));
	DO(dup2(1 << 20, fd));
	DO(close_range((unsigned)fd, 0, 0));
	DO(close_range((unsigned)fd, (unsigned)fd, 1 << 30));
	DO(close_range((unsigned)fd, (unsigned)fd, CLOSE_RANGE_CLOEXEC));
	say("it is there", fcntl(fd, F_GETFD) == FD_CLOEXEC);
}

static void closed_by(void (*way)(int fd), bool again)
{
	int ends[2], high;
	pthread_t t;
	long began;

	full_pair(ends, LONG_S);
	high = fcntl(ends[0], F_DUPFD, 100);
	close(ends[0]);
	t = reader(&ends[1]);
	began = now_ms();
	way(high);
	say_waited(began, LONG_S);
	if (again)
		closes(high, LONG_S);
	pthread_join(t, NULL);
	close(high);
	close(ends[1]);
}

static void linger_otherwise_closed(void)
{
	closed_by(by_dup2, false);
	closed_by(by_dup3, false);
	closed_by(by_close_range, false);
	closed_by(by_syscall, false);
	closed_by(by_vain_calls, true);
}

static void on_alarm(int number)
{
	(void)number;
}

/* A signal ends the wait, not the close. */
static void linger_interrupted(void)
{
	const struct itimerval soon = { .it_value = { 0, READS_MS * 1000 } };
	struct sigaction a = { .sa_handler = on_alarm };
	int ends[2];

	for (int flags = 0; flags < 2; flags++) {
		a.sa_flags = flags ? SA_RESTART : 0;
		sigaction(SIGALRM, &a, NULL);
		full_pair(ends, LONG_S);
		setitimer(ITIMER_REAL, &soon, NULL);
		closes(ends[0], LONG_S);
		say("it is closed", fcntl(ends[0], F_GETFD) < 0);
		close(ends[1]);
	}
	signal(SIGALRM, SIG_DFL);
}

void mirror_linger(void)
{
	SCENE(linger_until_acknowledged);
	SCENE(linger_nonblocking);
	SCENE(linger_after_shutdown);
	SCENE(linger_time_over);
	SCENE(linger_for_nothing);
	SCENE(linger_not);
	SCENE(linger_dup);
	SCENE(linger_fork);
	SCENE(linger_accepted);
	SCENE(linger_otherwise_closed);
	SCENE(linger_interrupted);
}
