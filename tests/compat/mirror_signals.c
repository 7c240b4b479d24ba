/* SPDX-License-Identifier: MIT */
/* Side by side: calls that wait, under a signal every millisecond. */
#define _GNU_SOURCE
#include "mirror.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>

#define ROUNDS_DEFAULT 50
#define BYTES (1 << 22)

static volatile sig_atomic_t alarms;

static void on_alarm(int s)
{
	alarms += s == SIGALRM;
}

static void storm(int flags, int us)
{
	struct sigaction sa = { .sa_handler = on_alarm, .sa_flags = flags };
	struct itimerval t = { { 0, us }, { 0, us } };

	if (us)
		sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &t, NULL);
}

/* MIRROR_ROUNDS in the environment: how often each call is made. */
static int rounds(void)
{
	const char *text = getenv("MIRROR_ROUNDS");

	return text ? atoi(text) : ROUNDS_DEFAULT;
}

/* So often the call, which waits for what never comes, was ended by a signal. */
#define INTERRUPTED(call)                                         \
	do {                                                      \
		int n_ = 0, all_ = rounds();                      \
		for (int i_ = 0; i_ < all_; i_++)                 \
			n_ += (call) < 0 && errno == EINTR;       \
		say(#call " is interrupted, always", n_ == all_); \
	} while (0)

static void interrupted(void)
{
	char bytes[8];
	struct sockaddr_in from;
	socklen_t size = sizeof(from);
	int ends[2], port, l = tcp_listener(5, &port), u = socket(AF_INET, SOCK_DGRAM, 0);
	struct iovec iov = { bytes, sizeof(bytes) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct pollfd p = { .events = POLLIN };
	char c;

	tcp_pair(ends);
	p.fd = ends[0];
	to_port(u, port);
	storm(0, 1000);
	INTERRUPTED(recv(ends[0], &c, 1, 0));
	INTERRUPTED(read(ends[0], &c, 1));
	INTERRUPTED(recvmsg(ends[0], &m, 0));
	INTERRUPTED(accept(l, NULL, NULL));
	INTERRUPTED(recvfrom(u, &c, 1, 0, (struct sockaddr *)&from, &size));
	INTERRUPTED(poll(&p, 1, 5000));
	storm(0, 0);
	close(ends[0]);
	close(ends[1]);
	close(l);
	close(u);
}

static void *late(void *arg)
{
	for (int i = 0; i < 5000 && alarms <= 50; i++) /* the other thread's */
		pause_ms(1);
	return (void *)(intptr_t)send(*(int *)arg, "x", 1, 0);
}

/* With SA_RESTART the kernel goes on by itself. */
static void restarted(void)
{
	sigset_t alarm;
	pthread_t t;
	int ends[2];
	char c;

	tcp_pair(ends);
	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &alarm, NULL); /* the thread's */
	alarms = 0;
	pthread_create(&t, NULL, late, &ends[1]);
	pthread_sigmask(SIG_UNBLOCK, &alarm, NULL);
	storm(SA_RESTART, 1000);
	DO(recv(ends[0], &c, 1, 0));
	storm(SA_RESTART, 0);
	say("there were signals", alarms > 50);
	pthread_join(t, NULL);
	close(ends[0]);
	close(ends[1]);
}

static void *send_all(void *arg)
{
	static unsigned char bytes[BYTES];
	int fd = *(int *)arg;
	size_t done = 0;

	for (size_t i = 0; i < BYTES; i++)
		bytes[i] = (unsigned char)(i * 7 + i / 251);
	while (done < BYTES) {
		ssize_t n = send(fd, bytes + done, BYTES - done, 0);

		if (n < 0 && errno != EINTR)
			break;
		done += n > 0 ? (size_t)n : 0;
	}
	shutdown(fd, SHUT_WR);
	return NULL;
}

/* Nothing is lost, and nothing comes twice. */
static void whole(void)
{
	static unsigned char bytes[3001];
	size_t total = 0, wrong = 0;
	pthread_t t;
	int ends[2];
	ssize_t n;

	tcp_pair(ends);
	storm(0, 1000);
	pthread_create(&t, NULL, send_all, &ends[0]);
	while ((n = recv(ends[1], bytes, sizeof(bytes), 0)) > 0 || (n < 0 && errno == EINTR)) {
		for (ssize_t i = 0; i < n; i++, total++)
			wrong += bytes[i] != (unsigned char)(total * 7 + total / 251);
	}
	pthread_join(t, NULL);
	storm(0, 0);
	say("bytes", (long)total);
	say("wrong ones", (long)wrong);
	close(ends[0]);
	close(ends[1]);
}

/* A connect that a signal ends goes on by itself. */
static void connecting(void)
{
	int port, l = tcp_listener(64, &port), good = 0, all = rounds();

	storm(0, 1000);
	for (int i = 0; i < all; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0), accepted, error;

		if (to_port(fd, port) && errno == EINTR)
			while (wait_for(fd, POLLOUT) < 0)
				;
		while ((accepted = accept(l, NULL, NULL)) < 0 && errno == EINTR)
			;
		error = option(fd, SOL_SOCKET, SO_ERROR);
		good += !error && send(fd, "x", 1, MSG_NOSIGNAL) == 1;
		close(fd);
		close(accepted);
	}
	storm(0, 0);
	say("all are connected", good == all);
	close(l);
}

void mirror_signals(void)
{
	SCENE(interrupted);
	SCENE(restarted);
	SCENE(whole);
	SCENE(connecting);
}
