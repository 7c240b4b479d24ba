/* SPDX-License-Identifier: MIT */
/*
 * epoll(7): level- and edge-triggered, one-shot. An edge is news from the stack (glass_event()).
 *
 * In:  packetdrill, wire.c.   Out: poll.c.
 */
#include <stdlib.h>

#include "drill.h"

#define ALWAYS (EPOLLERR | EPOLLHUP)

int drill_epoll_create(void *userdata, int size)
{
	struct drill *d = userdata;
	struct drill_fd *f;

	if (size <= 0)
		return (int)drill_answer(-EINVAL);
	drill_enter(d);
	f = drill_fd_new(d, DRILL_EPOLL);
	drill_leave(d);
	return f ? f->fd : -1;
}

static struct drill_watch *find(struct drill_fd *ep, int fd)
{
	list_for_each(w, &ep->watched, struct drill_watch, node) {
		if (w->fd == fd)
			return w;
	}
	return NULL;
}

static int add(struct drill_fd *ep, int fd, const struct epoll_event *event)
{
	struct drill_watch *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->fd = fd;
	w->want = *event;
	w->news = true;
	list_append(&ep->watched, &w->node);
	return 0;
}

static int control(struct drill_fd *ep, int op, int fd, const struct epoll_event *event)
{
	struct drill_watch *w = find(ep, fd);

	if (op == EPOLL_CTL_ADD)
		return w ? -EEXIST : add(ep, fd, event);
	if (!w)
		return -ENOENT;
	if (op == EPOLL_CTL_MOD) {
		w->want = *event;
		w->news = true;
		w->spent = false;
		return 0;
	}
	list_remove(&w->node);
	free(w);
	return 0;
}

int drill_epoll_ctl(void *userdata, int epfd, int op, int fd, struct epoll_event *event)
{
	struct drill *d = userdata;
	struct drill_fd *ep;
	int result;

	drill_enter(d);
	ep = drill_fd_of(d, epfd, DRILL_EPOLL);
	result = ep && drill_socket_of(d, fd) ? control(ep, op, fd, event) : -errno;
	drill_leave(d);
	return (int)drill_answer(result);
}

/* What is to be told of w now; 0: nothing. */
static uint32_t due(struct drill *d, struct drill_watch *w)
{
	uint32_t ready = (uint16_t)drill_ready(d, &d->fd[w->fd]) & (w->want.events | ALWAYS);

	if (w->spent || ((w->want.events & EPOLLET) && !w->news))
		return 0;
	w->news = false;
	if (ready && (w->want.events & EPOLLONESHOT))
		w->spent = true;
	return ready;
}

static int wait_once(struct drill *d, struct drill_fd *ep, struct epoll_event *events, int max)
{
	int n = 0;

	list_for_each(w, &ep->watched, struct drill_watch, node) {
		uint32_t ready = n < max ? due(d, w) : 0;

		if (ready)
			events[n++] = (struct epoll_event){ .events = ready, .data = w->want.data };
	}
	return n;
}

int drill_epoll_wait(void *userdata, int epfd, struct epoll_event *events, int max, int timeout_ms)
{
	struct drill *d = userdata;
	struct drill_fd *ep;
	int n = max > 0 ? 0 : -EINVAL;

	drill_enter(d);
	ep = drill_fd_of(d, epfd, DRILL_EPOLL);
	if (!ep)
		n = -errno;
	if (ep && !n) {
		int64_t until = drill_deadline(d, timeout_ms);

		while (!(n = wait_once(d, ep, events, max)) && !drill_wait(d, until))
			;
	}
	drill_leave(d);
	return (int)drill_answer(n);
}

void drill_epoll_news(struct drill *d, int fd)
{
	for (int i = 0; i < DRILL_FD_MAX; i++) {
		struct drill_watch *w = d->fd[i].kind == DRILL_EPOLL ? find(&d->fd[i], fd) : NULL;

		if (w)
			w->news = true;
	}
}

void drill_epoll_forget(struct drill *d, int fd)
{
	for (int i = 0; i < DRILL_FD_MAX; i++) {
		struct drill_watch *w = d->fd[i].kind == DRILL_EPOLL ? find(&d->fd[i], fd) : NULL;

		if (!w)
			continue;
		list_remove(&w->node);
		free(w);
	}
}

void drill_epoll_free(struct drill_fd *f)
{
	struct list *node;

	while ((node = list_take(&f->watched)))
		free(container_of(node, struct drill_watch, node));
}
