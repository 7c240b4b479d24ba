/* SPDX-License-Identifier: MIT */
/* Side by side: TCP. */
#define _GNU_SOURCE
#include "mirror.h"

#include <pthread.h>
#include <signal.h>

/* Neither connected nor listening: nothing goes out, nothing can come. */
static void fresh(void)
{
	struct sockaddr_in a = local_addr(9);
	struct iovec iov = { (void *)(uintptr_t) "x", 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fd = socket(AF_INET, SOCK_STREAM, 0), ends[2];
	char c;

	DO(send(fd, "x", 1, MSG_NOSIGNAL));
	DO(sendto(fd, "x", 1, MSG_NOSIGNAL, (struct sockaddr *)&a, sizeof(a)));
	DO(sendmsg(fd, &m, MSG_NOSIGNAL));
	DO(recv(fd, &c, 1, 0));
	DO(recv(fd, &c, 0, 0));
	DO(recvmsg(fd, &m, 0));
	DO(shutdown(fd, SHUT_RDWR));
	DO(to_port(fd, 9));
	DO(recv(fd, &c, 1, 0));
	close(fd);
	tcp_pair(ends); /* the number is used again, by one that is connected */
	DO(send(ends[0], "x", 1, 0));
	DO(recv(ends[1], &c, 1, 0));
	close(ends[0]);
	close(ends[1]);
}

static volatile sig_atomic_t pipes;

static void on_pipe(int s)
{
	pipes += s == SIGPIPE;
}

/* Who is told of a broken pipe by a signal, and who not. */
static void signals(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), ends[2];
	struct sigaction sa = { .sa_handler = on_pipe }, old;

	sigaction(SIGPIPE, &sa, &old);
	DO(send(fd, "x", 1, 0));
	say("signals", pipes);
	DO(send(fd, "x", 1, MSG_NOSIGNAL));
	say("signals", pipes);
	tcp_pair(ends);
	DO(shutdown(ends[0], SHUT_WR));
	DO(send(ends[0], "x", 1, 0));
	say("signals", pipes);
	sigaction(SIGPIPE, &old, NULL);
	close(fd);
	close(ends[0]);
	close(ends[1]);
}

/* The true errno, to whoever comes first; then as if nothing had been. */
static void refused(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	char c;

	DO(to_port(fd, 9));
	wait_for(fd, POLLOUT);
	DO(recv(fd, &c, 1, MSG_PEEK));
	DO(recv(fd, &c, 1, 0));
	DO(to_port(fd, 9));
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	to_port(fd, 9);
	wait_for(fd, POLLOUT);
	DO(send(fd, "x", 1, MSG_NOSIGNAL));
	DO(send(fd, "x", 1, MSG_NOSIGNAL));
	DO(set(fd, SOL_SOCKET, SO_RCVBUF, 8192));
	say("SO_RCVBUF", option(fd, SOL_SOCKET, SO_RCVBUF));
	say("TCP_NODELAY", option(fd, IPPROTO_TCP, TCP_NODELAY));
	close(fd);
}

/* A port that nobody asked for by its number is free when the connect has failed. */
static void port_given_back(void)
{
	struct sockaddr_in a = local_addr(0);
	int fd = socket(AF_INET, SOCK_STREAM, 0), other = socket(AF_INET, SOCK_STREAM, 0);

	DO(bind(fd, (struct sockaddr *)&a, sizeof(a)));
	a.sin_port = htons((uint16_t)port_of(fd));
	DO(to_port(fd, 9));
	DO(bind(other, (struct sockaddr *)&a, sizeof(a)));
	DO(to_port(fd, 9));
	close(fd);
	close(other);
}

/* MSG_TRUNC throws bytes away; with MSG_PEEK it counts them. */
static void truncated(void)
{
	char buf[32] = "untouched";
	int ends[2];

	tcp_pair(ends);
	send(ends[0], "0123456789abcdef", 16, 0);
	wait_for(ends[1], POLLIN);
	DO(recv(ends[1], buf, sizeof(buf), MSG_TRUNC | MSG_PEEK));
	DO(recv(ends[1], buf, 10, MSG_TRUNC));
	say(buf, 0);
	DO(recv(ends[1], buf, 3, 0));
	buf[3] = 0;
	say(buf, 0);
	DO(recv(ends[1], buf, sizeof(buf), MSG_TRUNC | MSG_DONTWAIT));
	DO(recv(ends[1], buf, sizeof(buf), MSG_TRUNC | MSG_DONTWAIT));
	close(ends[0]);
	close(ends[1]);
}

static int connected_soon(int fd, int port)
{
	struct pollfd p = { fd, POLLOUT, 0 };

	to_port(fd, port);
	return poll(&p, 1, 300);
}

/* As many as the backlog says, and one; when one is accepted the next comes in. */
static void backlog(int n)
{
	int port, l = tcp_listener(n, &port), fds[8], got = 0;

	for (int i = 0; i <= n; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		got += connected_soon(fds[i], port);
	}
	say("connected", got);
	fds[n + 1] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	say("one more", connected_soon(fds[n + 1], port));
	close(fds[n + 1]);
	DO(close(accept(l, NULL, NULL)));
	fds[n + 1] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	say("after one was accepted", connected_soon(fds[n + 1], port));
	for (int i = 0; i <= n + 1; i++)
		close(fds[i]);
	close(l);
}

static void backlogs(void)
{
	backlog(0);
	backlog(1);
	backlog(3);
}

/* Shut before there is anything: a listener does not listen, a connect is reset. */
static void shut_early(void)
{
	int port, l = tcp_listener(5, &port), fd = socket(AF_INET, SOCK_STREAM, 0), full, one;
	struct pollfd p = { 0 };

	say("SO_ACCEPTCONN", option(l, SOL_SOCKET, SO_ACCEPTCONN));
	DO(shutdown(l, SHUT_RD));
	say("SO_ACCEPTCONN", option(l, SOL_SOCKET, SO_ACCEPTCONN));
	DO(accept(l, NULL, NULL));
	DO(to_port(fd, port));
	close(l);
	full = tcp_listener(0, &port);
	one = socket(AF_INET, SOCK_STREAM, 0);
	to_port(one, port);
	for (int how = SHUT_RD; how <= SHUT_RDWR; how++) {
		p.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		DO(to_port(p.fd, port));
		DO(shutdown(p.fd, how));
		poll(&p, 1, 0);
		say("HUP and ERR", p.revents == (POLLHUP | POLLERR));
		close(p.fd);
	}
	close(full);
	close(one);
	close(fd);
}

/* The connection is gone, its bytes are not. */
static void reset_with_data(void)
{
	struct linger l = { 1, 0 };
	struct sockaddr_in a;
	socklen_t size = sizeof(a);
	int ends[2];
	char c[8];

	tcp_pair(ends);
	DO(getpeername(ends[1], (struct sockaddr *)&a, &size));
	send(ends[0], "data", 4, 0);
	wait_for(ends[1], POLLIN);
	setsockopt(ends[0], SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	close(ends[0]);
	wait_for(ends[1], POLLRDHUP);
	DO(getpeername(ends[1], (struct sockaddr *)&a, &size));
	DO(recv(ends[1], c, 8, 0));
	DO(send(ends[1], "x", 1, MSG_NOSIGNAL));
	DO(send(ends[1], "x", 1, MSG_NOSIGNAL));
	DO(recv(ends[1], c, 8, 0));
	close(ends[1]);
}

static int tcp_state(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t size = sizeof(info);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) ? -errno : info.tcpi_state;
}

/* Both ways shut down is not closed: it can be asked, and waits for the peer's end. */
static void shut_both(void)
{
	struct sockaddr_in a;
	socklen_t size = sizeof(a);
	int ends[2];
	char c[8];

	tcp_pair(ends);
	send(ends[0], "data", 4, 0);
	DO(shutdown(ends[0], SHUT_RDWR));
	DO(recv(ends[1], c, 8, MSG_WAITALL));
	pause_ms(100);
	say("its state", tcp_state(ends[0]));
	say("the peer's", tcp_state(ends[1]));
	DO(getpeername(ends[0], (struct sockaddr *)&a, &size));
	say("SO_ERROR", option(ends[0], SOL_SOCKET, SO_ERROR));
	say("TCP_NODELAY", option(ends[0], IPPROTO_TCP, TCP_NODELAY));
	mask("mask", ends[0]);
	DO(recv(ends[0], c, 8, 0));
	DO(send(ends[0], "x", 1, MSG_NOSIGNAL));
	DO(shutdown(ends[0], SHUT_WR));
	close(ends[1]);
	close(ends[0]);
}

/* What then comes is answered by a reset. */
static void shut_both_and_sent_to(void)
{
	int ends[2];
	char c;

	tcp_pair(ends);
	shutdown(ends[0], SHUT_RDWR);
	wait_for(ends[1], POLLRDHUP);
	DO(send(ends[1], "x", 1, 0));
	wait_for(ends[1], POLLERR);
	pause_ms(50);
	DO(recv(ends[1], &c, 1, 0));
	say("SO_ERROR", option(ends[0], SOL_SOCKET, SO_ERROR));
	DO(recv(ends[0], &c, 1, 0));
	close(ends[0]);
	close(ends[1]);
}

/* Another descriptor keeps it, and the last close ends it. */
static void shut_both_dup(void)
{
	int ends[2], other;

	tcp_pair(ends);
	other = dup(ends[0]);
	shutdown(ends[0], SHUT_RDWR);
	close(ends[0]);
	pause_ms(100);
	say("its state", tcp_state(other));
	close(other);
	close(ends[1]);
}

/* What was written just before the close that resets still arrives. */
static void written_then_reset(void)
{
	struct linger l = { 1, 0 };
	int ends[2];
	char c[8];

	for (int i = 0; i < 20; i++) {
		tcp_pair(ends);
		setsockopt(ends[0], SOL_SOCKET, SO_LINGER, &l, sizeof(l));
		send(ends[0], "data", 4, 0);
		close(ends[0]);
		wait_for(ends[1], POLLRDHUP);
		DO(recv(ends[1], c, 8, 0));
		DO(recv(ends[1], c, 8, 0));
		close(ends[1]);
	}
}

static int waiting_fd, waiting_port;

static void *connect_later(void *arg)
{
	(void)arg;
	say("the connect", to_port(waiting_fd, waiting_port) ? -errno : 0);
	return NULL;
}

/* While one thread waits in connect, another looks at the same socket. */
static void looked_at_while_connecting(void)
{
	struct pollfd p = { .events = POLLIN };
	pthread_t t;
	int l = tcp_listener(1, &waiting_port), fd;
	char c;

	p.fd = waiting_fd = socket(AF_INET, SOCK_STREAM, 0);
	pthread_create(&t, NULL, connect_later, NULL);
	fd = accept(l, NULL, NULL);
	DO(poll(&p, 1, 200));
	pthread_join(t, NULL);
	close(fd);
	DO(poll(&p, 1, 5000));
	DO(recv(waiting_fd, &c, 1, 0));
	close(waiting_fd);
	close(l);
}

static void options(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	DO(set(fd, IPPROTO_TCP, TCP_WINDOW_CLAMP, 1));
	say("TCP_WINDOW_CLAMP", option(fd, IPPROTO_TCP, TCP_WINDOW_CLAMP));
	DO(set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1));
	say("IPV6_V6ONLY", option(fd, IPPROTO_IPV6, IPV6_V6ONLY));
	close(fd);
}

/* A sender that waits for room goes on when SO_SNDBUF is raised. */
static void *send_one(void *arg)
{
	say("it goes on", send(*(int *)arg, "x", 1, 0));
	return NULL;
}

static void buffer_raised(void)
{
	static char bytes[65536];
	pthread_t t;
	int ends[2];

	tcp_pair(ends);
	set(ends[0], SOL_SOCKET, SO_SNDBUF, 65536);
	for (int quiet = 0; quiet < 5; quiet++) {
		while (send(ends[0], bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
			quiet = 0;
		pause_ms(20);
	}
	pthread_create(&t, NULL, send_one, &ends[0]);
	pause_ms(50);
	set(ends[0], SOL_SOCKET, SO_SNDBUF, 1 << 22);
	pthread_join(t, NULL);
	close(ends[0]);
	close(ends[1]);
}

void mirror_tcp(void)
{
	SCENE(fresh);
	SCENE(signals);
	SCENE(refused);
	SCENE(port_given_back);
	SCENE(truncated);
	SCENE(backlogs);
	SCENE(shut_early);
	SCENE(reset_with_data);
	SCENE(shut_both);
	SCENE(shut_both_and_sent_to);
	SCENE(shut_both_dup);
	SCENE(written_then_reset);
	SCENE(looked_at_while_connecting);
	SCENE(options);
	SCENE(buffer_raised);
}
