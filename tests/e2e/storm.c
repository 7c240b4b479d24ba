/* SPDX-License-Identifier: MIT */
/*
 * Processes that connect and then do what is hard on who keeps an eye on them: killed at once, many
 * duplicates, exec, a descriptor sent to somebody else, a grandchild that outlives its parent.
 *
 *	storm COUNT		so many, one after the other; ends with "done", and how many were
 *served storm held FD		(by exec) says hello on the descriptor that it inherited
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sockaddr_in server;
static int letters[2]; /* AF_UNIX: descriptors on their way to the parent */

static void die(const char *what)
{
	perror(what);
	_exit(1);
}

static int connected(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&server, sizeof(server)))
		die("connect");
	return fd;
}

static void hello(int fd)
{
	if (send(fd, "hello", 5, MSG_NOSIGNAL) != 5)
		die("send");
}

static void killed(void)
{
	hello(connected());
	kill(getpid(), SIGKILL);
}

static void duplicates(void)
{
	int fd = connected(), copies[20];

	for (int i = 0; i < 20; i++)
		copies[i] = dup(fd);
	close(fd);
	hello(copies[7]);
	for (int i = 0; i < 20; i += 2) /* the others are closed by the exit */
		close(copies[i]);
}

static void exec(void)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", connected());
	execl("/proc/self/exe", "storm", "held", number, NULL);
	die("exec");
}

static void mailed(void)
{
	int fd = connected();
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .align = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	struct iovec iov = { "", 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control.space) };

	memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
	if (sendmsg(letters[1], &m, 0) != 1)
		die("sendmsg");
}

static void orphaned(void)
{
	int fd = connected();

	if (fork())
		kill(getpid(), SIGKILL);
	hello(fd);
}

/* It does not connect: a listener and a datagram socket die with it. */
static void others(void)
{
	int l = socket(AF_INET, SOCK_STREAM, 0), u = socket(AF_INET, SOCK_DGRAM, 0);

	if (listen(l, 5) || connect(u, (struct sockaddr *)&server, sizeof(server)))
		die("others");
	kill(getpid(), SIGKILL);
}

static void (*const kinds[])(void) = { killed, duplicates, exec, mailed, orphaned, others };

static void open_letter(void)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	char c;
	struct iovec iov = { &c, 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control.space) };
	int fd;

	if (recvmsg(letters[0], &m, 0) != 1 || !CMSG_FIRSTHDR(&m))
		die("recvmsg");
	memcpy(&fd, CMSG_DATA(&control.align), sizeof(fd));
	hello(fd);
	close(fd);
}

/* 1: said hello, and its end was seen. */
static int serve(int listener)
{
	int fd = accept(listener, NULL, NULL), total = 0;
	char bytes[16];
	ssize_t n;

	if (fd < 0)
		die("accept");
	while ((n = recv(fd, bytes, sizeof(bytes), 0)) > 0)
		total += (int)n;
	close(fd);
	return total == 5;
}

static int storm(int count)
{
	socklen_t size = sizeof(server);
	int listener = socket(AF_INET, SOCK_STREAM, 0), served = 0;

	server = (struct sockaddr_in){ .sin_family = AF_INET };
	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, (struct sockaddr *)&server, size) || listen(listener, 64) ||
	    getsockname(listener, (struct sockaddr *)&server, &size) ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, letters))
		die("listener");
	for (int i = 0; i < count; i++) {
		void (*kind)(void) = kinds[i % (int)(sizeof(kinds) / sizeof(kinds[0]))];
		pid_t child = fork();

		if (!child) {
			close(listener);
			kind();
			_exit(0);
		}
		if (kind == mailed)
			open_letter();
		served += kind == others || serve(listener);
		waitpid(child, NULL, 0);
	}
	printf("done, %d served\n", served);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2)
		return storm(atoi(argv[1]));
	if (argc == 3 && !strcmp(argv[1], "held")) {
		hello(atoi(argv[2]));
		return 0;
	}
	fprintf(stderr, "usage: storm COUNT\n");
	return 2;
}
