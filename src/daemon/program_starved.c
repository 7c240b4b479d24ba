/* SPDX-License-Identifier: MIT */
/*
 * Listeners with a connection that there is no room for: its user has as many sockets as one may,
 * or there are no descriptors, or no memory. As on Linux, where accept(2) answers EMFILE or ENFILE,
 * nothing is lost: the connection waits in the accept queue, and when that is full, the peer's SYN
 * is. Nobody tells when there is room again (the kernel least of all), so a timer looks, as long as
 * such a listener is there.
 *
 * In: program_listen.c.   Out: listen_event().
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "program.h"

#define FEED_NS 20000000

static void feed_later(const struct programs *p)
{
	struct itimerspec at = { .it_value = { 0, FEED_NS } };

	timerfd_settime(p->feed.fd, 0, &at, NULL);
}

void starved_add(struct daemon *d, struct end *listener, int why)
{
	struct programs *p = d->programs;
	struct glass_end local = { 0 };

	glass_local(listener->sock, &local);
	if (!listener->starved_told)
		notice("a connection to port %u waits, no socket for the program: %s",
		       (unsigned)local.port, strerror(-why));
	listener->starved_told = true;
	if (list_empty(&p->starved))
		feed_later(p);
	list_remove(&listener->starved);
	list_append(&p->starved, &listener->starved);
}

/* Each once: who is still without room is in the list again, at its end. */
static void feed(struct daemon *d, struct watch *w, uint32_t events)
{
	struct programs *p = d->programs;
	struct list *last = p->starved.prev, *node;
	uint64_t ticks;

	(void)events;
	if (read(w->fd, &ticks, sizeof(ticks)) < 0)
		return;
	while ((node = list_take(&p->starved))) {
		listen_event(d, container_of(node, struct end, starved));
		if (node == last)
			break;
	}
	if (!list_empty(&p->starved))
		feed_later(p);
}

int starved_init(struct daemon *d)
{
	struct programs *p = d->programs;

	list_init(&p->starved);
	p->feed =
		(struct watch){ timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), feed };
	return p->feed.fd < 0 ? -errno : loop_watch(d, &p->feed, EPOLLIN);
}

void starved_fini(struct daemon *d)
{
	struct programs *p = d->programs;

	if (p->feed.fd < 0)
		return;
	loop_unwatch(d, &p->feed);
	close(p->feed.fd);
}
