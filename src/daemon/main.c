/* SPDX-License-Identifier: MIT */
/*
 * glassd, from first to last. Order matters: the lock before anything that a second daemon would
 * disturb; the device and the host's side while we still may; the control socket when it can be
 * answered; readiness last. The end goes the same way back, after the peers were told.
 *
 * In: the shell, "glass up".	Out: loop.c.
 */
#include "start.h"

#include <glass/glass_trace.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define TIMER_SLACK_NS 1000 /* the default of 50 us would show in every timer event */

struct process {
	struct options options;
	struct instance instance;
	struct ready ready;
	struct daemon d;
	struct dev_io *io;
	struct watch signals;
};

static bool fail(const char *what, int rc)
{
	notice("%s: %s", what, strerror(-rc));
	return false;
}

/* ---- the stack ---- */

/*
 * Others may read the recorder and never write it: the seals hold for whoever gets the descriptor.
 */
static bool start_ring(struct process *p)
{
	struct daemon *d = &p->d;
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;

	if (!p->options.trace_records)
		return true;
	d->ring_bytes = glass_ring_bytes(p->options.trace_records);
	d->ring_fd = memfd_create("glass-ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (d->ring_fd < 0 || ftruncate(d->ring_fd, (off_t)d->ring_bytes) < 0)
		return fail("flight recorder", -errno);
	d->ring = mmap(NULL, d->ring_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, d->ring_fd, 0);
	if (d->ring == MAP_FAILED) {
		d->ring = NULL;
		return fail("flight recorder", -errno);
	}
	if (fcntl(d->ring_fd, F_ADD_SEALS, seals) < 0)
		return fail("flight recorder", -errno);
	return true;
}

static bool start_stack(struct process *p)
{
	struct glass_setup setup = { .now_ns = p->d.start_ns,
				     .ring = p->d.ring,
				     .ring_bytes = p->d.ring_bytes };

	if (p->options.seed_given)
		setup.seed[0] = p->options.seed;
	else if (getrandom(setup.seed, sizeof(setup.seed), 0) != sizeof(setup.seed))
		return fail("randomness", -errno);
	p->d.g = glass_new(&setup);
	if (!p->d.g)
		return fail("stack", -ENOMEM);
	return options_set_tunables(&p->options, p->d.g);
}

/* ---- the device ---- */

static bool start_device(struct process *p)
{
	p->io = device_open(&p->options);
	return p->io;
}

static bool start_addresses(struct process *p)
{
	const struct options *o = &p->options;
	struct glass *g = p->d.g;
	int dev = glass_dev_add(g, &p->io->setup), rc;

	if (dev < 0)
		return fail(p->io->setup.name, dev);
	p->d.dev[dev] = p->io;
	rc = glass_addr_add(g, (unsigned)dev, o->address.addr, o->address.prefix_bits);
	if (rc)
		return fail("--address", rc);
	if (!o->gateway.family)
		return true;
	rc = glass_route_add(g, glass_ip4(0, 0, 0, 0), 0, o->gateway, (unsigned)dev);
	if (rc)
		return fail("--gateway (is it in the network of --address?)", rc);
	device_resolver_make(o, p->instance.dir);
	return true;
}

/* ---- the loop ---- */

static void signals_ready(struct daemon *d, struct watch *w, uint32_t events)
{
	struct signalfd_siginfo info;

	(void)events;
	if (read(w->fd, &info, sizeof(info)) == sizeof(info))
		d->stopping = true;
}

/*
 * SIGTERM, SIGINT and SIGHUP end the daemon in order; a reader that went away must not end it at
 * all.
 */
static bool start_signals(struct process *p)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	p->signals =
		(struct watch){ signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), signals_ready };
	if (p->signals.fd < 0)
		return fail("signals", -errno);
	p->d.signals = &p->signals;
	return !loop_watch(&p->d, &p->signals, EPOLLIN);
}

static bool start_loop(struct process *p)
{
	int rc = loop_init(&p->d);

	return rc ? fail("event loop", rc) : true;
}

static bool start_watches(struct process *p)
{
	struct daemon *d = &p->d;
	int rc = 0;

	for (unsigned dev = 0; !rc && dev < DAEMON_DEVS_MAX; dev++) {
		if (d->dev[dev])
			rc = loop_watch_device(d, dev);
	}
	if (rc)
		return fail("event loop", rc);
	rc = links_init(d);
	return rc ? fail("rtnetlink", rc) : start_signals(p);
}

static bool start_doors(struct process *p)
{
	int rc = programs_init(&p->d);

	if (rc)
		return fail("programs", rc);
	rc = control_open(&p->d);
	return rc ? fail("control socket", rc) : true;
}

/* ---- all of it ---- */

static void start_process(void)
{
	umask(077);
	prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS, 0, 0, 0);
	privilege_raise_nofile();
}

static void start_daemon(struct process *p)
{
	p->d.start_ns = clock_now_ns();
	p->d.stack = p->options.stack;
	memcpy(p->d.dir, p->instance.dir, sizeof(p->d.dir));
	p->d.allowed = p->options.allowed;
	p->d.spin_ns = p->options.spin_us * 1000;
}

static bool start(struct process *p)
{
	if (p->options.rootless && !rootless_enter())
		return false;
	start_process();
	if (!instance_take(&p->instance, p->options.stack))
		return false;
	start_daemon(p);
	return start_ring(p) && start_stack(p) && start_device(p) && start_addresses(p) &&
	       start_loop(p) && start_watches(p) && start_doors(p) && privilege_drop();
}

/* ---- the same where another glassd is ---- */

/* What is asked for beside goes on top of what was handed over. */
static bool taken_options(struct process *p)
{
	struct daemon *d = &p->d;

	for (unsigned dev = 0; dev < DAEMON_DEVS_MAX; dev++) {
		if (!d->dev[dev])
			continue;
		p->io = d->dev[dev];
		p->options.dev = p->io->setup.name;
		p->options.kind = p->io->on_host ? DEV_TAP : DEV_USER;
	}
	if (p->options.spin_us >= 0)
		d->spin_ns = p->options.spin_us * 1000;
	return options_set_tunables(&p->options, d->g);
}

/* Its recorder comes when we know how large it was. */
static bool taken_stack(struct process *p, struct taken *t)
{
	struct glass_setup setup = { .now_ns = clock_now_ns() };

	return takeover_stack(t, &p->d, &setup);
}

static bool taken_daemon(struct process *p, struct taken *t)
{
	t->handover.recorder = (struct recorder){ .fd = -1, .records = p->options.trace_records };
	return takeover_daemon(t, &p->d);
}

static bool taken_ring(struct process *p, struct taken *t)
{
	struct daemon *d = &p->d;

	if (!p->options.trace_records_given)
		p->options.trace_records = t->handover.recorder.records;
	if (!start_ring(p))
		return false;
	if (d->ring)
		glass_ring_use(d->g, d->ring, d->ring_bytes);
	takeover_ring(t, d);
	return true;
}

static bool taken_programs(struct process *p)
{
	int rc = programs_prepare(&p->d);

	return rc ? fail("programs", rc) : true;
}

/*
 * Nothing is undone when this fails: whatever we have belongs to the other one still, and goes on
 * there.
 */
static bool start_taken(struct process *p)
{
	struct taken t = { 0 };

	start_process();
	if (!instance_find(&p->instance, p->options.stack) || !takeover_ask(&t, &p->instance) ||
	    !takeover_move_in(&t))
		return false;
	start_daemon(p);
	if (!taken_stack(p, &t) || !start_loop(p) || !taken_programs(p) || !taken_daemon(p, &t) ||
	    !taken_ring(p, &t) || !taken_options(p) || !start_watches(p) || !privilege_drop() ||
	    !takeover_commit(&t))
		return false;
	instance_mark(&p->instance);
	programs_go_on(&p->d);
	return true;
}

/* Undoes what start() did, however far it came. */
static void stop(struct process *p)
{
	struct daemon *d = &p->d;

	if (d->loop) {
		if (d->programs)
			programs_fini(d);
		loop_drain(d);
		if (d->control)
			control_close(d);
		capture_fini(d);
		links_fini(d);
		loop_fini(d);
	}
	net_fini(d);
	if (p->signals.fd >= 0)
		close(p->signals.fd);
	if (d->g)
		glass_free(d->g);
	if (p->io) {
		device_resolver_remove(&p->options, p->instance.dir);
		p->io->ops->close(p->io);
	}
	if (d->ring)
		munmap(d->ring, d->ring_bytes);
	if (d->ring_fd >= 0)
		close(d->ring_fd);
	instance_release(&p->instance);
}

int main(int argc, char **argv)
{
	static struct process p;
	int rc = options_parse(&p.options, argc, argv);

	if (rc >= 0)
		return rc;
	p.ready.fd = p.d.ring_fd = p.d.epoll_fd = p.signals.fd = p.instance.lock_fd = -1;
	p.d.instance = &p.instance;
	if (!p.options.foreground && !ready_fork(&p.ready))
		return EXIT_FAILURE;
	if (p.options.takeover && !start_taken(&p))
		return EXIT_FAILURE;
	if (!p.options.takeover && !start(&p)) {
		stop(&p);
		return EXIT_FAILURE;
	}
	ready_tell(&p.ready);
	loop_run(&p.d);
	stop(&p);
	return EXIT_SUCCESS;
}
