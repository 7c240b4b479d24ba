/* SPDX-License-Identifier: MIT */
/*
 * "glass step": the stack stands still, and goes on one event at a time.
 *
 * Theory of operation. The stack has no clock; it knows what the daemon tells it. So to freeze is
 * to tell it nothing: the clock is stopped (clock.c), and what waits in descriptors is left there,
 * in the queue of the TAP device, in the programs' ends, in the control socket. Programs block as
 * if the network stood still. Only the command's requests are answered (they are told by their
 * number from programs'), and signals, so that one can look around and end the daemon.
 *
 * One event is, in this order: a frame that the stack has to send; what is due (a timer, a frame
 * that "glass net" held); else the clock runs until a timer is due or a descriptor has something:
 * one frame, one program's end, one request. When it has happened the clock stands again, and the
 * answer is sent. The clock stops no later than just before the next deadline, so that two events
 * never come in one, and no later than was asked for, however long the processor was away.
 *
 * Whoever froze the stack holds it by his connection. When that closes, whatever the reason, the
 * stack runs on. The other side's clock went on meanwhile: a peer may have sent again, or given up.
 *
 * In: control_request.c (STEP), loop.c (rounds).	Out: clock.c, loop.c, control_request.c.
 */
#include "control.h"
#include "start.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define SEND_AT_ONCE_MAX 64 /* pulls that only delivered what the stack sent to itself */
#define NS_PER_S 1000000000ll

struct freeze {
	struct client *by;
	bool ordered; /* an event: its answer is due */
	struct abi_request order;
	int64_t until_ns; /* no event until then is an answer too */
	struct pollfd served[2 + CLIENTS_MAX];
};

/* ---- what is served while the stack stands ---- */

/*
 * A program's request waits; the command's, and an end of file, do not. PING is the command's but
 * needs the network. Nothing to read: served, since it costs nothing.
 */
static bool client_waits(struct client *c)
{
	struct abi_head head = { 0 };
	ssize_t n;

	if (c->held)
		return true;
	n = recv(c->watch.fd, &head, sizeof(head), MSG_PEEK | MSG_DONTWAIT);
	c->held = n == sizeof(head) && head.magic == ABI_MAGIC && head.op != ABI_HELLO &&
		  (head.op < ABI_STOP || head.op == ABI_PING);
	return c->held;
}

/* Answers how many descriptors there are. */
static nfds_t collect(struct daemon *d, struct freeze *f)
{
	nfds_t n = 0;

	f->served[n++] = (struct pollfd){ d->control->listener.fd, POLLIN, 0 };
	f->served[n++] = (struct pollfd){ d->signals->fd, POLLIN, 0 };
	list_for_each(c, &d->control->clients, struct client, node)
		f->served[n++] = (struct pollfd){ c->held ? -1 : c->watch.fd, POLLIN, 0 };
	return n;
}

/* The first client that has spoken, and may; NULL: none. */
static struct client *who_spoke(struct daemon *d, const struct pollfd *served)
{
	list_for_each(c, &d->control->clients, struct client, node) {
		if (served->fd >= 0 && served->revents && !client_waits(c))
			return c;
		served++;
	}
	return NULL;
}

/* Waits for one request, or a signal. */
static void serve(struct daemon *d)
{
	struct freeze *f = d->freeze;
	struct client *c;

	if (poll(f->served, collect(d, f), -1) <= 0)
		return;
	if (f->served[0].revents)
		d->control->listener.ready(d, &d->control->listener, EPOLLIN);
	else if (f->served[1].revents)
		d->signals->ready(d, d->signals, EPOLLIN);
	else if ((c = who_spoke(d, f->served + 2)))
		client_request(d, c);
}

/* ---- one event ---- */

/* One frame. What the stack has for itself is delivered by that too, and is no event of its own. */
static bool send_frame(struct daemon *d)
{
	struct glass_frame frame;

	for (unsigned i = 0; i < SEND_AT_ONCE_MAX; i++) {
		if (glass_output(d->g, &frame)) {
			loop_send_frame(d, &frame);
			loop_events(d);
			return true;
		}
		if (!loop_events(d))
			return false;
	}
	return false;
}

static int64_t deadline_ns(struct daemon *d)
{
	int64_t timer_ns = glass_next_deadline(d->g), net_ns = net_next_deadline(d);

	return timer_ns < net_ns ? timer_ns : net_ns;
}

/* What is due, the earliest alone. */
static enum abi_step fire(struct daemon *d)
{
	int64_t net_ns = net_next_deadline(d), at_ns = deadline_ns(d);

	if (at_ns > clock_now_ns())
		return ABI_STEP_NOTHING;
	if (net_ns <= at_ns)
		net_advance(d, net_ns);
	else
		glass_advance(d->g, at_ns);
	loop_events(d);
	return net_ns <= at_ns ? ABI_STEP_NET : ABI_STEP_TIMER;
}

/* One descriptor, which has something. The command's requests are no events. */
static enum abi_step ready(struct daemon *d, struct watch *w, uint32_t epoll_events)
{
	struct client *c = client_of(w);
	bool outside = w == d->signals || w == &d->control->listener || (c && !client_waits(c));
	enum abi_step what = outside		 ? ABI_STEP_NOTHING
			     : loop_is_device(w) ? ABI_STEP_FRAME
						 : ABI_STEP_OTHER;

	glass_advance(d->g, clock_now_ns());
	w->ready(d, w, epoll_events); /* the watch may be gone afterwards */
	loop_events(d);
	return what;
}

/* The clock runs until something is there, or due, or the time is up. */
static enum abi_step wait_for_one(struct daemon *d)
{
	int64_t now_ns = clock_now_ns(), due_ns = deadline_ns(d);
	int64_t until_ns = due_ns < d->freeze->until_ns ? due_ns : d->freeze->until_ns;
	int64_t ns = until_ns - now_ns;
	struct timespec t = { ns / NS_PER_S, ns % NS_PER_S };
	struct epoll_event e;
	int n;

	clock_go();
	n = epoll_pwait2(d->epoll_fd, &e, 1, &t, NULL);
	clock_stop(n > 0 && until_ns == due_ns ? due_ns - 1 : until_ns);
	return n > 0 ? ready(d, e.data.ptr, e.events) : ABI_STEP_NOTHING;
}

static enum abi_step one_event(struct daemon *d)
{
	enum abi_step what;

	if (send_frame(d))
		return ABI_STEP_SENT;
	what = fire(d);
	if (what != ABI_STEP_NOTHING || clock_now_ns() >= d->freeze->until_ns)
		return what;
	return wait_for_one(d);
}

static void answer(struct daemon *d, struct client *c, const struct abi_request *req,
		   enum abi_step what, int error)
{
	const char *text = error == EBUSY ? "somebody else steps this stack: one at a time" : "";
	struct abi_reply rep = { .error = error, .value = { clock_now_ns(), what } };

	control_reply(d, c, req, &rep, text, strlen(text), -1);
}

void freeze_round(struct daemon *d)
{
	struct freeze *f = d->freeze;
	enum abi_step what;

	if (!f->ordered) {
		serve(d);
		return;
	}
	what = one_event(d);
	if (d->freeze != f) /* whoever asked has gone */
		return;
	if (what == ABI_STEP_NOTHING && clock_now_ns() < f->until_ns && !d->stopping)
		return;
	f->ordered = false;
	answer(d, f->by, &f->order, what, 0);
}

/* ---- the operation ---- */

void freeze_end(struct daemon *d)
{
	if (!d->freeze)
		return;
	free(d->freeze);
	d->freeze = NULL;
	list_for_each(c, &d->control->clients, struct client, node)
		c->held = false;
	clock_go();
}

static void stepper_gone(struct daemon *d, struct client *c, void *arg)
{
	(void)c;
	(void)arg;
	freeze_end(d);
}

/* 0 or a positive errno. */
static int freeze_begin(struct daemon *d, struct client *c)
{
	if (d->freeze)
		return d->freeze->by == c ? 0 : EBUSY;
	if (!client_gone_is(c, NULL))
		return EBUSY;
	d->freeze = calloc(1, sizeof(*d->freeze));
	if (!d->freeze)
		return ENOMEM;
	d->freeze->by = c;
	client_on_gone(c, stepper_gone, NULL);
	clock_stop(INT64_MAX);
	return 0;
}

static void freeze_order(struct daemon *d, const struct abi_request *req)
{
	struct freeze *f = d->freeze;

	f->ordered = true;
	f->order = *req;
	f->until_ns = req->arg[1] < INT64_MAX - clock_now_ns() ? clock_now_ns() + req->arg[1]
							       : INT64_MAX - 1;
}

void op_step(struct daemon *d, struct client *c, const struct abi_request *req, const char *data,
	     int *fd)
{
	int error = 0;

	(void)data;
	(void)fd;
	if (req->arg[0] == ABI_STEP_FREEZE)
		error = freeze_begin(d, c);
	else if (!d->freeze || d->freeze->by != c)
		error = EPERM;
	else if (req->arg[0] == ABI_STEP_RUN)
		freeze_end(d);
	else if (req->arg[0] != ABI_STEP_ONE || req->arg[1] < 0 || d->freeze->ordered)
		error = EINVAL;
	else {
		freeze_order(d, req);
		return;
	}
	if (!error && req->arg[0] == ABI_STEP_RUN)
		client_on_gone(c, NULL, NULL);
	answer(d, c, req, ABI_STEP_NOTHING, error);
}
