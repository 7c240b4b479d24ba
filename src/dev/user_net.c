/* SPDX-License-Identifier: MIT */
/*
 * glass-usernet: the other end of the device "user". Frames of the stack become ordinary sockets of
 * this user's, by libslirp: a small network with a gateway (which leads to this machine too), a
 *name server, and the world behind it.
 *
 *	glass-usernet FD BITS GATEWAY NAMESERVER STACK MTU [[ADDR:]PORT:PORT[/udp]...]
 *
 * FD is a SOCK_SEQPACKET socket, a message of which is a frame. One byte on it says: ready.
 *
 * In: user.c, which starts it.	Out: libslirp, which opens sockets.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <slirp/libslirp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FRAME_BYTES_MAX 65535
#define FRAMES_PER_TURN 64

struct timer {
	struct timer *next;
	SlirpTimerCb fired;
	void *arg;
	int64_t at_ms; /* -1: it rests */
};

struct net {
	Slirp *slirp;
	int fd; /* the stack's end */
	struct timer *timers;
	struct pollfd *poll;
	int npoll, poll_cap;
	bool over;
};

static int64_t clock_ns(void *opaque)
{
	struct timespec t;

	(void)opaque;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "glass-usernet: %s: %s\n", what, why);
	exit(1);
}

/* ---- frames ---- */

/* Waits when the stack is slow: whoever sends to it slows down then. */
static ssize_t frame_to_stack(const void *frame, size_t length, void *opaque)
{
	struct net *n = opaque;

	while (send(n->fd, frame, length, MSG_NOSIGNAL) < 0) {
		if (errno != EINTR) {
			n->over = errno == EPIPE || errno == ECONNRESET;
			break;
		}
	}
	return (ssize_t)length;
}

static void frames_from_stack(struct net *n)
{
	static uint8_t frame[FRAME_BYTES_MAX];
	ssize_t length;

	for (int i = 0; i < FRAMES_PER_TURN; i++) {
		length = recv(n->fd, frame, sizeof(frame), MSG_DONTWAIT);
		if (length < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (length <= 0) {
			n->over = true;
			return;
		}
		slirp_input(n->slirp, frame, (int)length);
	}
}

/* ---- timers ---- */

static void *timer_new(SlirpTimerCb fired, void *arg, void *opaque)
{
	struct net *n = opaque;
	struct timer *t = calloc(1, sizeof(*t));

	if (!t)
		fail("timer", "out of memory");
	*t = (struct timer){ n->timers, fired, arg, -1 };
	n->timers = t;
	return t;
}

static void timer_free(void *timer, void *opaque)
{
	struct net *n = opaque;

	for (struct timer **t = &n->timers; *t; t = &(*t)->next) {
		if (*t == timer) {
			*t = (*t)->next;
			break;
		}
	}
	free(timer);
}

static void timer_mod(void *timer, int64_t at_ms, void *opaque)
{
	(void)opaque;
	((struct timer *)timer)->at_ms = at_ms;
}

static void timers_run(struct net *n)
{
	int64_t now_ms = clock_ns(NULL) / 1000000;

	for (struct timer *t = n->timers, *next; t; t = next) {
		next = t->next;
		if (t->at_ms < 0 || t->at_ms > now_ms)
			continue;
		t->at_ms = -1;
		t->fired(t->arg);
	}
}

static void timers_wait(const struct net *n, uint32_t *wait_ms)
{
	int64_t now_ms = clock_ns(NULL) / 1000000, left;

	for (const struct timer *t = n->timers; t; t = t->next) {
		left = t->at_ms < 0 ? UINT32_MAX : t->at_ms > now_ms ? t->at_ms - now_ms : 0;
		if (left < *wait_ms)
			*wait_ms = (uint32_t)left;
	}
}

/* ---- the loop ---- */

static int poll_add(int fd, int events, void *opaque)
{
	struct net *n = opaque;

	if (n->npoll == n->poll_cap) {
		n->poll_cap = n->poll_cap ? n->poll_cap * 2 : 64;
		n->poll = reallocarray(n->poll, (size_t)n->poll_cap, sizeof(*n->poll));
		if (!n->poll)
			fail("poll", "out of memory");
	}
	n->poll[n->npoll] = (struct pollfd){
		.fd = fd,
		.events = (short)((events & SLIRP_POLL_IN ? POLLIN : 0) |
				  (events & SLIRP_POLL_OUT ? POLLOUT : 0) |
				  (events & SLIRP_POLL_PRI ? POLLPRI : 0)),
	};
	return n->npoll++;
}

static int poll_got(int i, void *opaque)
{
	const struct net *n = opaque;
	short r = n->poll[i].revents;

	return (r & POLLIN ? SLIRP_POLL_IN : 0) | (r & POLLOUT ? SLIRP_POLL_OUT : 0) |
	       (r & POLLPRI ? SLIRP_POLL_PRI : 0) | (r & POLLERR ? SLIRP_POLL_ERR : 0) |
	       (r & POLLHUP ? SLIRP_POLL_HUP : 0);
}

static void turn(struct net *n)
{
	uint32_t wait_ms = UINT32_MAX;
	int rc;

	n->npoll = 0;
	poll_add(n->fd, SLIRP_POLL_IN, n);
	slirp_pollfds_fill(n->slirp, &wait_ms, poll_add, n);
	timers_wait(n, &wait_ms);
	rc = poll(n->poll, (nfds_t)n->npoll, wait_ms > INT32_MAX ? -1 : (int)wait_ms);
	if (rc > 0 && n->poll[0].revents)
		frames_from_stack(n);
	slirp_pollfds_poll(n->slirp, rc < 0, poll_got, n);
	timers_run(n);
}

/* ---- starting ---- */

static void guest_error(const char *message, void *opaque)
{
	(void)message; /* a bad packet: libslirp drops it, and the stack's trace has it */
	(void)opaque;
}

/* We look at all descriptors in each turn: nobody need tell us of one. */
static void poll_fd_changed(int fd, void *opaque)
{
	(void)fd;
	(void)opaque;
}

static void notify(void *opaque)
{
	(void)opaque;
}

static const SlirpCb callbacks = {
	.send_packet = frame_to_stack,
	.guest_error = guest_error,
	.clock_get_ns = clock_ns,
	.timer_new = timer_new,
	.timer_free = timer_free,
	.timer_mod = timer_mod,
	.register_poll_fd = poll_fd_changed,
	.unregister_poll_fd = poll_fd_changed,
	.notify = notify,
};

static long number(const char *what, const char *text, long min, long max)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (!*text || *end || n < min || n > max)
		fail(what, text);
	return n;
}

static struct in_addr address(const char *text)
{
	struct in_addr a;

	if (inet_pton(AF_INET, text, &a) != 1)
		fail("no IPv4 address", text);
	return a;
}

/* "[ADDR:]PORT:PORT[/udp]": a port of this machine leads to one of the stack's. */
static void publish(struct net *n, const char *words, struct in_addr stack)
{
	char copy[96], *udp, *inner, *outer;
	struct in_addr on = { htonl(INADDR_LOOPBACK) };
	int from, to;

	snprintf(copy, sizeof(copy), "%s", words);
	udp = strstr(copy, "/udp");
	if (udp)
		*udp = '\0';
	inner = strrchr(copy, ':');
	if (!inner)
		fail("--publish is [ADDR:]PORT:PORT[/udp], not", words);
	*inner++ = '\0';
	outer = strrchr(copy, ':');
	if (outer) {
		*outer++ = '\0';
		on = address(copy);
	}
	from = (int)number("--publish: no port", outer ? outer : copy, 1, UINT16_MAX);
	to = (int)number("--publish: no port", inner, 1, UINT16_MAX);
	if (slirp_add_hostfwd(n->slirp, udp != NULL, on, from, stack, to))
		fail("--publish: cannot listen on that port", words);
}

static void start(struct net *n, char **argv)
{
	long bits = number("BITS", argv[2], 1, 30), mtu = number("MTU", argv[6], 68, 65521);
	uint32_t mask = ~(uint32_t)0 << (32 - bits);
	struct in_addr host = address(argv[3]), stack = address(argv[5]);
	SlirpConfig config = {
		.version = 3,
		.in_enabled = true,
		.vnetwork = { htonl(ntohl(host.s_addr) & mask) },
		.vnetmask = { htonl(mask) },
		.vhost = host,
		.vnameserver = address(argv[4]),
		.vdhcp_start = stack,
		.if_mtu = (size_t)mtu,
		.if_mru = (size_t)mtu,
	};

	n->slirp = slirp_new(&config, &callbacks, n);
	if (!n->slirp)
		fail("libslirp", "cannot make this network");
	for (int i = 7; argv[i]; i++)
		publish(n, argv[i], stack);
}

/* Whoever started the daemon may wait for the end of its output. */
static void leave_terminal(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int i = 0; i < 3; i++)
		dup2(fd, i);
}

int main(int argc, char **argv)
{
	struct net n = { 0 };

	if (argc < 7) {
		fprintf(stderr, "glass-usernet is started by glassd: glass up --user\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN); /* Ctrl-C is the daemon's to hear: it closes our end */
	n.fd = (int)number("FD", argv[1], 0, INT32_MAX);
	start(&n, argv);
	frame_to_stack("", 1, &n);
	leave_terminal();
	while (!n.over)
		turn(&n);
	slirp_cleanup(n.slirp);
	return 0;
}
