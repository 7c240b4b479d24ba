/* SPDX-License-Identifier: MIT */
/*
 * Side by side: the calls that programs make on a connection beside send(2) and recv(2), and sizes
 * that no buffer has.
 */
#define _GNU_SOURCE
#include "mirror.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define LARGE (9 << 20)

static unsigned char large[LARGE], arrived[LARGE];

static unsigned char pattern(size_t i)
{
	return (unsigned char)(i * 7 + i / 251);
}

static void close_both(int ends[2])
{
	close(ends[0]);
	close(ends[1]);
}

/* ---- what is asked for beside the bytes ------------------------------------------------------ */

static void peeked(void)
{
	char c[8] = "";
	int ends[2];

	tcp_pair(ends);
	send(ends[0], "data", 4, 0);
	wait_for(ends[1], POLLIN);
	DO(recv(ends[1], c, 2, MSG_PEEK));
	DO(recv(ends[1], c, 8, MSG_PEEK));
	DO(recv(ends[1], c, 8, 0));
	say(c, 0);
	DO(recv(ends[1], c, 8, MSG_PEEK | MSG_DONTWAIT));
	close_both(ends);
}

static void not_waiting(void)
{
	struct iovec iov = { large, 8 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	int ends[2], on = 1, port, l = tcp_listener(1, &port);

	tcp_pair(ends);
	DO(recv(ends[0], large, 8, MSG_DONTWAIT));
	DO(recvmsg(ends[0], &m, MSG_DONTWAIT));
	DO(fcntl(ends[0], F_SETFL, O_NONBLOCK));
	DO(read(ends[0], large, 8));
	DO(readv(ends[0], &iov, 1));
	DO(ioctl(ends[1], FIONBIO, &on));
	DO(read(ends[1], large, 8));
	DO(fcntl(l, F_SETFL, O_NONBLOCK));
	DO(accept(l, NULL, NULL));
	close_both(ends);
	close(l);
}

static void no_file(void)
{
	struct stat st;
	int ends[2];

	tcp_pair(ends);
	DO(fstat(ends[0], &st));
	say("a socket", S_ISSOCK(st.st_mode));
	DO(lseek(ends[0], 0, SEEK_SET));
	DO(pread(ends[0], arrived, 1, 0));
	DO(pwrite(ends[0], large, 1, 0));
	DO(fsync(ends[0]));
	DO(ftruncate(ends[0], 0));
	close_both(ends);
}

/* struct tcp_info has grown: programs give the length they know. */
static void told_of(void)
{
	const socklen_t lengths[] = { 0, 1, 8, 104, 192, 4096 };
	unsigned char bytes[4096];
	int ends[2];

	tcp_pair(ends);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		socklen_t size = lengths[i];

		memset(bytes, 0xee, sizeof(bytes));
		DO(getsockopt(ends[0], IPPROTO_TCP, TCP_INFO, bytes, &size));
		say("not longer than asked for", size <= lengths[i]);
		say("nothing behind it", bytes[size] == 0xee || size == sizeof(bytes));
		say("the state", size ? bytes[0] : -1);
	}
	close_both(ends);
}

/* ---- bytes ----------------------------------------------------------------------------------- */

static void vectors(void)
{
	char a[4] = "ab", b[8] = "cdef";
	struct iovec iov[3] = { { a, 2 }, { NULL, 0 }, { b, 4 } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 3 };
	int ends[2];

	tcp_pair(ends);
	DO(writev(ends[0], iov, 3));
	wait_for(ends[1], POLLIN);
	DO(readv(ends[1], iov, 3));
	DO(sendmsg(ends[1], &m, 0));
	wait_for(ends[0], POLLIN);
	DO(recvmsg(ends[0], &m, 0));
	say("flags", m.msg_flags & MSG_TRUNC);
	DO(writev(ends[0], iov, 0));
	DO(write(ends[0], a, 0));
	DO(recv(ends[1], a, 1, MSG_DONTWAIT));
	close_both(ends);
}

static void *write_large(void *arg)
{
	say("one write takes all", write(*(int *)arg, large, LARGE));
	shutdown(*(int *)arg, SHUT_WR);
	return NULL;
}

static long wrong_bytes(size_t n)
{
	long wrong = 0;

	for (size_t i = 0; i < n; i++)
		wrong += arrived[i] != pattern(i);
	return wrong;
}

/* One read(2) is asked for more than there can be, one recv(2) for all there is. */
static void nine_megabytes(int flags)
{
	size_t total = 0;
	pthread_t t;
	int ends[2];
	long n;

	tcp_pair(ends);
	for (size_t i = 0; i < LARGE; i++)
		large[i] = pattern(i);
	memset(arrived, 0, sizeof(arrived));
	pthread_create(&t, NULL, write_large, &ends[0]);
	if (flags)
		total = (size_t)recv(ends[1], arrived, LARGE, flags);
	else
		while ((n = read(ends[1], arrived + total, LARGE)) > 0)
			total += (size_t)n;
	pthread_join(t, NULL);
	say("all has come", total == LARGE);
	say("wrong", wrong_bytes(LARGE));
	DO(read(ends[1], arrived, LARGE));
	close_both(ends);
}

static void large_read(void)
{
	nine_megabytes(0);
}

static void large_wait_for_all(void)
{
	nine_megabytes(MSG_WAITALL);
}

static void *read_some(void *arg)
{
	size_t total = 0;
	long n;

	while ((n = read(*(int *)arg, arrived + total, LARGE - total)) > 0)
		total += (size_t)n;
	say("read", (long)total);
	return NULL;
}

/* A file of a megabyte goes in one call, or in a few. */
static void file_sent(void)
{
	int ends[2], fd = memfd_create("file", 0);
	off_t at = 0;
	pthread_t t;

	for (size_t i = 0; i < LARGE; i++)
		large[i] = pattern(i);
	write(fd, large, 1 << 20);
	tcp_pair(ends);
	memset(arrived, 0, sizeof(arrived));
	pthread_create(&t, NULL, read_some, &ends[1]);
	while (at < 1 << 20 && sendfile(ends[0], fd, &at, (size_t)((1 << 20) - at)) > 0)
		;
	DO(sendfile(ends[0], fd, &at, 1));
	shutdown(ends[0], SHUT_WR);
	pthread_join(t, NULL);
	say("wrong", wrong_bytes(1 << 20));
	close(fd);
	close_both(ends);
}

/* ---- one connection, several descriptors and processes ----------------------------------------
 */

static void duplicates(void)
{
	int ends[2], a, b;
	char c[4];

	tcp_pair(ends);
	a = dup(ends[0]);
	b = fcntl(ends[0], F_DUPFD_CLOEXEC, 50);
	say("from 50", b >= 50);
	DO(close(ends[0]));
	DO(write(a, "a", 1));
	DO(dup2(b, a) == a);
	DO(write(a, "b", 1));
	DO(recv(ends[1], c, 2, MSG_WAITALL));
	close(a);
	mask("one is left", ends[1]);
	close(b);
	wait_for(ends[1], POLLRDHUP);
	mask("none is left", ends[1]);
	DO(read(ends[1], c, 1));
	close(ends[1]);
}

/* As stdin and stdout of a program that has never heard of sockets. */
static void handed_on(void)
{
	int ends[2], status;
	char c[16] = "";
	pid_t pid;

	tcp_pair(ends);
	fflush(stdout);
	if (!(pid = fork())) {
		dup2(ends[1], 0);
		dup2(ends[1], 1);
		close_both(ends);
		execlp("cat", "cat", NULL);
		_exit(1);
	}
	close(ends[1]);
	DO(write(ends[0], "through cat", 11));
	DO(shutdown(ends[0], SHUT_WR));
	DO(recv(ends[0], c, 11, MSG_WAITALL));
	say(c, 0);
	DO(read(ends[0], c, 1));
	waitpid(pid, &status, 0);
	say("its status", status);
	close(ends[0]);
}

/* No descriptor is free: the connection waits, and is taken when there is one. */
static void no_descriptor(void)
{
	struct rlimit old, few;
	int port, l = tcp_listener(5, &port), fd = socket(AF_INET, SOCK_STREAM, 0), got;
	char c;

	DO(to_port(fd, port));
	send(fd, "x", 1, 0);
	wait_for(l, POLLIN);
	getrlimit(RLIMIT_NOFILE, &old);
	few = old;
	few.rlim_cur = (rlim_t)(got = dup(0));
	close(got);
	setrlimit(RLIMIT_NOFILE, &few);
	DO(accept(l, NULL, NULL));
	DO(accept(l, NULL, NULL));
	DO(socket(AF_INET, SOCK_STREAM, 0));
	mask("it waits", l);
	setrlimit(RLIMIT_NOFILE, &old);
	DO((got = accept(l, NULL, NULL)) >= 0);
	DO(recv(got, &c, 1, 0));
	close(got);
	close(fd);
	close(l);
}

void mirror_calls(void)
{
	SCENE(peeked);
	SCENE(not_waiting);
	SCENE(no_file);
	SCENE(told_of);
	SCENE(vectors);
	SCENE(large_read);
	SCENE(large_wait_for_all);
	SCENE(file_sent);
	SCENE(duplicates);
	SCENE(handed_on);
	SCENE(no_descriptor);
}
