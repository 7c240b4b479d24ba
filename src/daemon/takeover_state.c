/* SPDX-License-Identifier: MIT */
/*
 * What the daemon itself knows, in a takeover: settings, devices, the control socket with its
 * clients. Descriptors are numbers here.
 *
 * In: takeover.c.	Out: save.h; device.c, control.c, net_wire.c, netcmd.c, takeover_programs.c.
 */
#include <errno.h>
#include <glass/glass_trace.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "program.h"
#include "start.h"
#include "takeover.h"

void handover_fd(struct handover *h, const char *name, int *fd)
{
	uint32_t number = 0;

	if (!save_reading(h->s)) {
		if (*fd >= 0 && save_check(h->s, h->nfds < h->cap, "too many descriptors"))
			h->fd[h->nfds++] = *fd;
		save_value(h->s, name, *fd >= 0 ? h->nfds : 0, sizeof(number), false);
		return;
	}
	number = (uint32_t)save_value(h->s, name, 0, sizeof(number), false);
	*fd = -1;
	if (!number || !save_check(h->s, number <= h->nfds && h->fd[number - 1] >= 0,
				   "a descriptor is missing"))
		return;
	*fd = h->fd[number - 1];
	h->fd[number - 1] = -1;
}

/* ---- settings -------------------------------------------------------------------------------- */

static void allowed_fields(struct save *s, struct allowed *a)
{
	save_array(s, "allowed.uid", a->uid, sizeof(a->uid));
	save_array(s, "allowed.gid", a->gid, sizeof(a->gid));
	SAVE(s, a->uids);
	SAVE(s, a->gids);
	save_check(s, a->uids <= ALLOWED_MAX && a->gids <= ALLOWED_MAX, "users are damaged");
}

static void recorder_fields(struct handover *h, struct daemon *d)
{
	const struct glass_ring *ring = d->ring;
	struct recorder *r = &h->recorder;
	struct save *s = h->s;

	if (!save_reading(s))
		*r = (struct recorder){ d->ring_fd, glass_ring_layout(),
					ring ? ring->record_count : 0, d->functions_named };
	SAVE_AS(s, "recorder.records", r->records);
	SAVE_AS(s, "recorder.layout", r->layout);
	SAVE_FLAG(s, r->functions_named);
	handover_fd(h, "recorder.fd", &r->fd);
	save_check(s, r->records <= TRACE_RECORDS_MAX, "the flight recorder is too large");
}

static void settings_keep(struct handover *h, struct daemon *d)
{
	int64_t clock_lost_ns = clock_lost();
	struct save *s = h->s;

	if (!save_begin(s, "daemon")) {
		save_fail(s, "it is no state of glassd");
		return;
	}
	SAVE(s, clock_lost_ns);
	SAVE(s, d->start_ns);
	SAVE(s, d->spin_ns);
	allowed_fields(s, &d->allowed);
	SAVE_FLAG(s, d->instance->own_dir);
	handover_fd(h, "lock_fd", &d->instance->lock_fd);
	handover_fd(h, "keeper_fd", &d->programs->keeper_fd);
	recorder_fields(h, d);
	save_end(s);
	if (save_reading(s))
		clock_lose(clock_lost_ns);
}

/* ---- devices --------------------------------------------------------------------------------- */

static void device_write(struct handover *h, struct dev_io *io, unsigned dev)
{
	bool vnet = io->on_host && tap_has_header(io);

	save_begin(h->s, "device");
	SAVE(h->s, dev);
	SAVE_AS(h->s, "on_host", io->on_host);
	SAVE(h->s, vnet);
	handover_fd(h, "fd", &io->fd);
	save_end(h->s);
}

/* What it is the stack knows. */
static void device_read(struct handover *h, struct daemon *d)
{
	bool on_host = false, vnet = false;
	struct glass_dev_info info;
	unsigned dev = 0;
	int fd = -1;

	SAVE(h->s, dev);
	SAVE(h->s, on_host);
	SAVE(h->s, vnet);
	handover_fd(h, "fd", &fd);
	save_end(h->s);
	if (!save_check(h->s,
			dev < DAEMON_DEVS_MAX && !d->dev[dev] && fd >= 0 &&
				glass_dev_at(d->g, dev, &info),
			"a device is damaged"))
		return;
	d->dev[dev] = on_host ? tap_adopt(fd, vnet, &info.setup) : user_adopt(fd, &info.setup);
	save_check(h->s, d->dev[dev], "out of memory");
}

static void devices_keep(struct handover *h, struct daemon *d)
{
	while (save_reading(h->s) && save_begin(h->s, "device"))
		device_read(h, d);
	for (unsigned i = 0; !save_reading(h->s) && i < DAEMON_DEVS_MAX; i++)
		if (d->dev[i])
			device_write(h, d->dev[i], i);
}

/* ---- the control socket ---------------------------------------------------------------------- */

static void client_write(struct handover *h, struct client *c)
{
	save_begin(h->s, "client");
	SAVE_AS(h->s, "uid", c->uid);
	SAVE_AS(h->s, "pid", c->pid);
	handover_fd(h, "fd", &c->watch.fd);
	save_end(h->s);
}

static void client_read(struct handover *h, struct daemon *d)
{
	uid_t uid = 0;
	pid_t pid = 0;
	int fd = -1;

	SAVE(h->s, uid);
	SAVE(h->s, pid);
	handover_fd(h, "fd", &fd);
	save_end(h->s);
	save_check(h->s, fd >= 0 && client_adopt(d, fd, uid, pid), "a client is damaged");
}

static void control_keep(struct handover *h, struct daemon *d)
{
	int fd = save_reading(h->s) ? -1 : d->control->listener.fd;

	if (!save_begin(h->s, "control"))
		return;
	handover_fd(h, "fd", &fd);
	save_end(h->s);
	if (save_reading(h->s) &&
	    !save_check(h->s, fd >= 0 && !control_adopt(d, fd), "the control socket is damaged"))
		return;
	while (save_reading(h->s) && save_begin(h->s, "client"))
		client_read(h, d);
	if (save_reading(h->s))
		return;
	list_for_each(c, &d->control->clients, struct client, node)
		if (client_stays(c))
			client_write(h, c);
}

static void capture_keep(struct handover *h, struct daemon *d)
{
	struct client *by = NULL;
	uint32_t n;

	if (!save_reading(h->s) && d->capture) {
		list_for_each(c, &d->control->clients, struct client, node)
			if (capture_waits(c))
				by = c;
		capture_write(h, d, number_of_client(d, by));
	}
	if (!save_reading(h->s) || !save_begin(h->s, "capture"))
		return;
	n = capture_read(h, d);
	by = n ? client_of_number(d, n) : NULL;
	if (by)
		capture_wait_again(by);
}

/* ---- all of it ------------------------------------------------------------------------------- */

void daemon_keep(struct handover *h, struct daemon *d)
{
	settings_keep(h, d);
	devices_keep(h, d);
	control_keep(h, d);
	capture_keep(h, d);
	programs_keep(h, d);
	net_keep(h->s, d);
	net_wire_keep(h->s, d);
	save_check(h->s, save_over(h->s), "the state has something that this glassd does not know");
}
