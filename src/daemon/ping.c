/* SPDX-License-Identifier: MIT */
/*
 * "glass ping": one echo request through the stack per operation, answered when its reply, an error
 * or the end of the patience comes. The socket lives as long as the operation.
 *
 * In: control.c (operation PING), loop.c (the socket's events, the timer).  Out: glass.h,
 * control_reply.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "daemon.h"

#define ECHO_HEADER_BYTES 8
#define ECHO_REQUEST 8
#define ECHO_REPLY 0
#define PAYLOAD_MAX 65000
#define TIMEOUT_MS_MAX 3600000
#define NS_PER_MS 1000000
#define NS_PER_S 1000000000

struct ping {
	struct sock_owner owner; /* first: the socket's user pointer */
	struct watch timer;
	struct client *client;
	struct abi_request req; /* its head, to answer it */
	struct glass_sock *sock;
	uint16_t seq;
	int64_t sent_ns, late_ns;
};

static void ping_end(struct daemon *d, struct ping *p)
{
	if (p->sock)
		glass_close(d->g, p->sock);
	if (p->timer.fd >= 0) {
		loop_unwatch(d, &p->timer);
		close(p->timer.fd);
	}
	free(p);
}

static void ping_answer(struct daemon *d, struct ping *p, struct abi_reply *rep)
{
	struct client *c = p->client;
	struct abi_request req = p->req;

	client_on_gone(c, NULL, NULL);
	ping_end(d, p);
	control_reply(d, c, &req, rep, NULL, 0, -1);
}

static void ping_failed(struct daemon *d, struct ping *p, int error)
{
	ping_answer(d, p, &(struct abi_reply){ .error = error });
}

static void ping_gone(struct daemon *d, struct client *c, void *arg)
{
	(void)c;
	ping_end(d, arg);
}

static void timer_set(struct watch *timer, int64_t in_ns)
{
	struct itimerspec at = { .it_value = { in_ns / NS_PER_S, in_ns % NS_PER_S } };

	timerfd_settime(timer->fd, 0, &at, NULL);
}

static void ping_late(struct daemon *d, struct watch *w, uint32_t epoll_events)
{
	struct ping *p = (struct ping *)(void *)((char *)w - offsetof(struct ping, timer));

	(void)epoll_events;
	if (p->late_ns > clock_now_ns()) /* the stack stood still meanwhile: its time counts */
		timer_set(&p->timer, p->late_ns - clock_now_ns());
	else
		ping_failed(d, p, ETIMEDOUT);
}

static struct abi_end abi_of_end(const struct glass_end *e)
{
	struct abi_end out = { .family = e->addr.family, .port = e->port };

	memcpy(out.addr, e->addr.byte, sizeof(out.addr));
	return out;
}

/* One datagram of the socket; true: it was the answer, and the ping is over. */
static bool ping_take(struct daemon *d, struct ping *p)
{
	uint8_t header[ECHO_HEADER_BYTES];
	struct glass_dgram info;
	struct abi_reply rep = { 0 };
	int64_t n = glass_recvfrom(d->g, p->sock, header, sizeof(header), &info);

	if (n == -EAGAIN)
		return true;
	if (n < 0) {
		ping_failed(d, p, (int)-n);
		return true;
	}
	if (n < ECHO_HEADER_BYTES || header[0] != ECHO_REPLY ||
	    (header[6] << 8 | header[7]) != p->seq)
		return false;
	rep.value[0] =
		info.time_ns > p->sent_ns ? info.time_ns - p->sent_ns : clock_now_ns() - p->sent_ns;
	rep.value[1] = info.ttl;
	rep.value[2] = (int64_t)info.full;
	rep.remote = abi_of_end(&info.from);
	ping_answer(d, p, &rep);
	return true;
}

static void ping_ready(struct daemon *d, struct sock_owner *owner, const struct glass_event *e)
{
	struct ping *p = (struct ping *)owner;
	int error = e->ready & GLASS_ERR ? glass_error(d->g, p->sock) : 0;

	if (error) {
		ping_failed(d, p, error);
		return;
	}
	while (!ping_take(d, p))
		;
}

/* Echo request with a payload that counts up, as ping(8)'s. */
static int ping_send(struct daemon *d, struct ping *p, const struct abi_request *req)
{
	size_t length = ECHO_HEADER_BYTES + (size_t)req->arg[1];
	struct glass_end to = { .addr.family = req->end.family };
	uint8_t *bytes = calloc(1, length);
	int64_t n;

	if (!bytes)
		return -ENOMEM;
	memcpy(to.addr.byte, req->end.addr, sizeof(to.addr.byte));
	bytes[0] = ECHO_REQUEST;
	bytes[6] = (uint8_t)(p->seq >> 8);
	bytes[7] = (uint8_t)p->seq;
	for (size_t i = ECHO_HEADER_BYTES; i < length; i++)
		bytes[i] = (uint8_t)i;
	p->sent_ns = clock_now_ns();
	n = glass_sendto(d->g, p->sock, bytes, length, &to);
	free(bytes);
	return n < 0 ? (int)n : 0;
}

/* So that all requests of one `glass ping` carry one identifier. Somebody else has it: any other
 * will do. */
static void ping_bind(struct daemon *d, struct ping *p, uint16_t identifier)
{
	struct glass_end any = { .addr.family = GLASS_IP4, .port = identifier };

	if (identifier)
		glass_bind(d->g, p->sock, &any);
}

static int ping_timer(struct daemon *d, struct ping *p, int64_t timeout_ms)
{
	p->timer.ready = ping_late;
	p->timer.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (p->timer.fd < 0)
		return -errno;
	p->late_ns = clock_now_ns() + timeout_ms * NS_PER_MS;
	timer_set(&p->timer, timeout_ms * NS_PER_MS);
	return loop_watch(d, &p->timer, EPOLLIN);
}

static int ping_start(struct daemon *d, struct ping *p, const struct abi_request *req)
{
	int err;

	if (req->arg[1] < 0 || req->arg[1] > PAYLOAD_MAX || req->arg[2] < 1 ||
	    req->arg[2] > TIMEOUT_MS_MAX)
		return -EINVAL;
	p->sock = glass_socket(d->g, GLASS_PING);
	if (!p->sock)
		return -ENOBUFS;
	glass_sock_set_user(p->sock, p);
	ping_bind(d, p, (uint16_t)req->arg[0]);
	err = ping_timer(d, p, req->arg[2]);
	return err ? err : ping_send(d, p, req);
}

void op_ping(struct daemon *d, struct client *c, const struct abi_request *req, const char *data,
	     int *fd)
{
	bool free_to_wait = client_gone_is(c, NULL);
	struct abi_reply rep = { .error = free_to_wait ? ENOMEM : EBUSY };
	struct ping *p = free_to_wait ? calloc(1, sizeof(*p)) : NULL;
	int err;

	(void)data;
	(void)fd;
	if (!p) {
		control_reply(d, c, req, &rep, NULL, 0, -1);
		return;
	}
	*p = (struct ping){
		.owner = { ping_ready }, .timer = { .fd = -1 }, .client = c, .req = *req
	};
	p->seq = (uint16_t)req->arg[3];
	client_on_gone(c, ping_gone, p);
	err = ping_start(d, p, req);
	if (err)
		ping_failed(d, p, -err);
}
