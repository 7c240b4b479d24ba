/* SPDX-License-Identifier: MIT */
/*
 * The host's side of the devices, watched. What the host does to it (ip link set down, mtu, del) is
 * silent on the device's descriptor or ends it; rtnetlink tells. The stack hears of it, so that
 * drops name the true reason.
 *
 * A device that was deleted and made again under its name is taken again with the same descriptor;
 * without capabilities that works for a persistent one (ip tuntap add), and not for one that we
 * would have to make.
 *
 * In: the loop.	Out: glass_dev_set_up, glass_dev_set_mtu.
 */
#include "start.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

struct links {
	struct watch watch;
	bool gone[DAEMON_DEVS_MAX]; /* deleted under us */
};

static void link_lost(struct daemon *d, unsigned dev)
{
	if (d->links->gone[dev])
		return;
	d->links->gone[dev] = true;
	loop_unwatch_device(d, dev);
	glass_dev_set_up(d->g, dev, false);
	if (!d->dev[dev]->on_host) {
		notice("device %s: its other end, glass-usernet, is gone. Start anew: glass down; "
		       "glass up --user",
		       d->dev[dev]->setup.name);
		return;
	}
	notice("device %s was deleted. To go on, type: ip tuntap add dev %s mode %s; or start "
	       "anew: glass down; "
	       "glass up",
	       d->dev[dev]->setup.name, d->dev[dev]->setup.name,
	       d->dev[dev]->setup.link == GLASS_ETHERNET ? "tap" : "tun");
}

/* A device of that name is there: true when it is ours (again). */
static bool link_found(struct daemon *d, unsigned dev)
{
	if (!d->links->gone[dev])
		return true;
	if (tap_attach(d->dev[dev]) || loop_watch_device(d, dev))
		return false;
	d->links->gone[dev] = false;
	notice("device %s is back", d->dev[dev]->setup.name);
	return true;
}

static void link_news(struct daemon *d, unsigned dev, const struct host_link *link)
{
	if (link->gone) {
		link_lost(d, dev);
		return;
	}
	if (!link_found(d, dev))
		return;
	if (link->mtu_bytes)
		glass_dev_set_mtu(d->g, dev, link->mtu_bytes);
	glass_dev_set_up(d->g, dev, link->up);
}

static bool is_on_host(const struct daemon *d, unsigned dev)
{
	return d->dev[dev] && d->dev[dev]->on_host;
}

static void link_by_name(struct daemon *d, const struct host_link *link)
{
	for (unsigned dev = 0; dev < DAEMON_DEVS_MAX; dev++) {
		if (is_on_host(d, dev) && !strcmp(d->dev[dev]->setup.name, link->name))
			link_news(d, dev, link);
	}
}

static void links_look(struct daemon *d)
{
	struct host_link link;

	for (unsigned dev = 0; dev < DAEMON_DEVS_MAX; dev++) {
		if (is_on_host(d, dev) && !host_link_get(d->dev[dev]->setup.name, &link))
			link_news(d, dev, &link);
	}
}

static void links_ready(struct daemon *d, struct watch *w, uint32_t events)
{
	struct host_link link;
	int rc;

	(void)events;
	while ((rc = host_watch_next(w->fd, &link)) == 1)
		link_by_name(d, &link);
	if (rc == -ENOBUFS) /* news was lost: look for ourselves */
		links_look(d);
}

void links_failed(struct daemon *d, unsigned dev, int error)
{
	if (error == EBADFD && d->links)
		link_lost(d, dev);
	else
		notice("device %s: %s", d->dev[dev]->setup.name, strerror(error));
}

int links_init(struct daemon *d)
{
	struct links *l = calloc(1, sizeof(*l));
	int rc;

	if (!l)
		return -ENOMEM;
	l->watch = (struct watch){ host_watch_open(), links_ready };
	rc = l->watch.fd < 0 ? l->watch.fd : loop_watch(d, &l->watch, EPOLLIN);
	if (rc) {
		if (l->watch.fd >= 0)
			close(l->watch.fd);
		free(l);
		return rc;
	}
	d->links = l;
	links_look(d); /* what changed before the watch began */
	return 0;
}

void links_fini(struct daemon *d)
{
	if (!d->links)
		return;
	loop_unwatch(d, &d->links->watch);
	close(d->links->watch.fd);
	free(d->links);
	d->links = NULL;
}
