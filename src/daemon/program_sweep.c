/* SPDX-License-Identifier: MIT */
/*
 * The death of datagram sockets: the kernel does not tell that a datagram socket's peer was closed.
 * Who sends to it learns it; who wants its port makes sure; and a timer looks. Those that stay are
 * made known to the keeper: the many that ask a question and are gone cost it nothing.
 *
 * In: program_listen.c (a port is wanted), program_end.c (a socket is), program.c (a client is
 * gone), program_dgram.c.   Out: end_free(), program_keeper.c.
 */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "program.h"

#define SWEEP_NS 1000000000
#define SWEEP_SOON_NS 1000000
#define SWEEP_MAX 1024 /* sockets looked at by one tick of the timer */
/* Who has had enough, and none dead, does not make glassd look at all of them with every call. */
#define SWEEP_VAIN_NS 10000000

/* When the timer looks for sockets whose program is gone. */
static void sweep_at(const struct programs *p, int64_t in_ns)
{
	struct itimerspec at = { .it_value = { in_ns / 1000000000, in_ns % 1000000000 } };

	timerfd_settime(p->sweep.fd, 0, &at, NULL);
}

/* Nobody may connect to a socket that has a peer (EPERM), or that is no more (ECONNREFUSED). */
static bool is_dead(const struct programs *p, const struct end *e)
{
	struct abi_name name = dgram_name(e);

	return dgram_connect_name(p->probe_fd, &name) == -ECONNREFUSED;
}

/* How many were dead. */
static unsigned sweep(struct daemon *d, unsigned max)
{
	struct programs *p = d->programs;
	unsigned dead = 0;
	struct list *node;

	for (struct list *last = p->dgrams.prev; max--;) {
		struct dgram *dg;

		if (!(node = list_take(&p->dgrams)))
			break;
		dg = container_of(node, struct dgram, node);
		list_append(&p->dgrams, node);
		if (is_dead(p, dg->end)) {
			dead++;
			end_free(d, dg->end, false);
		} else {
			keeper_keep(d, dg->end);
		}
		if (node == last)
			break;
	}
	dgram_connect_nobody(p->probe_fd);
	return dead;
}

bool dgrams_sweep(struct daemon *d)
{
	return sweep(d, UINT32_MAX) > 0;
}

bool dgrams_sweep_for_room(struct daemon *d)
{
	struct programs *p = d->programs;
	int64_t now_ns = clock_now_ns();

	if (now_ns < p->swept_in_vain_ns + SWEEP_VAIN_NS)
		return false;
	for (unsigned seen = 0; seen < p->count; seen += SWEEP_MAX)
		if (sweep(d, SWEEP_MAX) > 0)
			return true;
	p->swept_in_vain_ns = now_ns;
	return false;
}

/* Runs as long as there is something to look at; where many are dead there are more. */
static void sweep_ready(struct daemon *d, struct watch *w, uint32_t events)
{
	unsigned dead;
	uint64_t ticks;

	(void)events;
	if (read(w->fd, &ticks, sizeof(ticks)) < 0)
		return;
	dead = sweep(d, SWEEP_MAX);
	if (!list_empty(&d->programs->dgrams))
		sweep_at(d->programs, dead > SWEEP_MAX / 4 ? SWEEP_SOON_NS : SWEEP_NS);
}

void dgrams_sweep_later(struct daemon *d)
{
	struct itimerspec now;

	if (!timerfd_gettime(d->programs->sweep.fd, &now) && !now.it_value.tv_sec &&
	    !now.it_value.tv_nsec)
		sweep_at(d->programs, SWEEP_NS);
}

void dgrams_sweep_soon(struct daemon *d)
{
	if (!list_empty(&d->programs->dgrams))
		sweep_at(d->programs, SWEEP_SOON_NS);
}

int dgrams_init(struct daemon *d)
{
	struct programs *p = d->programs;

	list_init(&p->dgrams);
	p->probe_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	p->sweep = (struct watch){ timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
				   sweep_ready };
	if (p->probe_fd < 0 || p->sweep.fd < 0)
		return -errno;
	return loop_watch(d, &p->sweep, EPOLLIN);
}

void dgrams_fini(struct daemon *d)
{
	struct programs *p = d->programs;

	if (p->sweep.fd >= 0) {
		loop_unwatch(d, &p->sweep);
		close(p->sweep.fd);
	}
	if (p->probe_fd >= 0)
		close(p->probe_fd);
}
