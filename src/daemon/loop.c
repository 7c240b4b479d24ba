/* SPDX-License-Identifier: MIT */
/*
 * The daemon's one loop. A round is: wait, tell the stack the time, serve what is ready, then hand
 * out what the stack has to say, to the programs first (what they read widens the windows that the
 * frames carry), then to the devices.
 *
 * Waiting is hybrid. To be woken costs 7 to 8 us on two CPUs, most of a round trip; so while news
 * keeps coming within spin_ns of each other the loop asks again instead of sleeping. One measured
 * average decides: no traffic, no spinning.
 *
 * In: main.c.	Out: watches, devices, the stack.
 */
#include "start.h"

#include "../abi/captured.h"
#include "../base/pkt.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define READY_MAX 64
#define RECEIVE_MAX 64 /* frames from one device before the others have their turn */
#define FRAMES_MAX 256 /* frames to devices before news is looked at */
#define EVENTS_MAX 1024
#define FLUSH_MAX 16 /* rounds of news and frames before the descriptors have their turn */
#define GAP_WEIGHT 8 /* of the average: a new gap counts an eighth */
#define FRAME_BYTES_MAX (65535 + 18) /* a super-packet, Ethernet and VLAN header */
#define DRAIN_NS 300000000ll	     /* for the peers to acknowledge our FINs */
#define SETTLE_NS 5000000ll /* for the kernel to read what we sent, before the device is gone */

struct dev_watch {
	struct watch watch;
	unsigned dev;
};

struct loop {
	struct epoll_event ready[READY_MAX];
	int nready;
	bool unfinished; /* the last flush was cut short */
	int64_t gap_ns;	 /* average time between the end of a round and the next news */
	int64_t idle_since_ns;
	struct pkt *spare;   /* received into next */
	struct pkt *reserve; /* the same when there is no memory: then what comes is lost */
	struct dev_watch dev[DAEMON_DEVS_MAX];
};

/* ---- watches ---- */

int loop_init(struct daemon *d)
{
	struct loop *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->reserve = glass_pkt_new(d->g, FRAME_BYTES_MAX);
	l->gap_ns = d->spin_ns * 2;
	d->loop = l;
	d->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (d->epoll_fd < 0)
		return -errno;
	return l->reserve ? 0 : -ENOMEM;
}

void loop_fini(struct daemon *d)
{
	if (!d->loop)
		return;
	if (d->epoll_fd >= 0)
		close(d->epoll_fd);
	glass_pkt_free(d->g, d->loop->spare);
	glass_pkt_free(d->g, d->loop->reserve);
	free(d->loop);
	d->loop = NULL;
}

static int watch_control(struct daemon *d, int op, struct watch *w, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = w };

	return epoll_ctl(d->epoll_fd, op, w->fd, &e) < 0 ? -errno : 0;
}

int loop_watch(struct daemon *d, struct watch *w, uint32_t events)
{
	return watch_control(d, EPOLL_CTL_ADD, w, events);
}

int loop_change(struct daemon *d, struct watch *w, uint32_t events)
{
	return watch_control(d, EPOLL_CTL_MOD, w, events);
}

void loop_unwatch(struct daemon *d, struct watch *w)
{
	struct loop *l = d->loop;

	watch_control(d, EPOLL_CTL_DEL, w, 0);
	for (int i = 0; i < l->nready; i++) { /* it may wait for its turn in this round */
		if (l->ready[i].data.ptr == w)
			l->ready[i].data.ptr = NULL;
	}
}

/* ---- frames in ---- */

/* NULL: no memory; then the reserve is read into, so that the device does not stay readable. */
static struct pkt *packet_to_fill(struct daemon *d)
{
	struct loop *l = d->loop;

	if (!l->spare)
		l->spare = glass_pkt_new(d->g, FRAME_BYTES_MAX);
	return l->spare;
}

void loop_receive(struct daemon *d, unsigned dev, struct pkt *p, int64_t now_ns,
		  const struct glass_fate *fate)
{
	struct glass_frame frame = { .dev = dev, .niov = 1, .iov = { { p->data, p->len } } };

	capture_hold(d, &frame, false, ABI_CAPTURED_WHOLE);
	if (fate)
		glass_input_impaired(d->g, dev, p, now_ns, fate);
	else
		glass_input(d->g, dev, p, now_ns);
	capture_tell(d);
}

/* One frame. What the device answered. */
static int receive_frame(struct daemon *d, unsigned dev)
{
	struct dev_io *io = d->dev[dev];
	struct pkt *p = packet_to_fill(d);
	int rc;

	if (!p)
		return io->ops->receive(io, d->loop->reserve);
	rc = io->ops->receive(io, p);
	if (rc <= 0)
		return rc;
	d->loop->spare = NULL;
	if (!net_takes_in(d, dev, p))
		loop_receive(d, dev, p, clock_now_ns(), NULL);
	return 1;
}

static void dev_ready(struct daemon *d, struct watch *w, uint32_t events)
{
	struct dev_watch *dw = container_of(w, struct dev_watch, watch);
	int rc = 1, most = d->freeze ? 1 : RECEIVE_MAX;

	(void)events;
	for (int i = 0; i < most && rc == 1; i++)
		rc = receive_frame(d, dw->dev);
	if (rc < 0)
		links_failed(d, dw->dev, -rc);
}

bool loop_is_device(const struct watch *w)
{
	return w->ready == dev_ready;
}

int loop_watch_device(struct daemon *d, unsigned dev)
{
	struct dev_watch *dw = &d->loop->dev[dev];

	*dw = (struct dev_watch){ { d->dev[dev]->fd, dev_ready }, dev };
	return loop_watch(d, &dw->watch, EPOLLIN);
}

void loop_unwatch_device(struct daemon *d, unsigned dev)
{
	loop_unwatch(d, &d->loop->dev[dev].watch);
}

/* ---- frames and news out ---- */

void loop_send(struct daemon *d, const struct glass_frame *frame)
{
	struct dev_io *io = frame->dev < DAEMON_DEVS_MAX ? d->dev[frame->dev] : NULL;
	int rc;

	rc = io ? io->ops->send(io, frame) : -ENODEV;
	if (!rc)
		return;
	glass_output_lost(d->g, frame, -rc);
	if (rc == -EBADFD)
		links_failed(d, frame->dev, EBADFD);
}

/* Answers whether there was anything. */
bool loop_events(struct daemon *d)
{
	struct glass_event e;
	int n = 0;

	for (; n < EVENTS_MAX && glass_event(d->g, &e); n++) {
		struct sock_owner *owner = e.user;

		if (owner)
			owner->event(d, owner, &e);
	}
	return n > 0;
}

/* What net_wire.c takes it tells itself, part by part. */
void loop_send_frame(struct daemon *d, const struct glass_frame *frame)
{
	capture_hold(d, frame, true, ABI_CAPTURED_WHOLE);
	if (!net_swallows(d, frame)) {
		if (net_takes_out(d, frame))
			return;
		loop_send(d, frame);
	}
	capture_tell(d);
}

bool loop_send_frames(struct daemon *d)
{
	struct glass_frame frame;
	int n = 0;

	for (; n < FRAMES_MAX && glass_output(d->g, &frame); n++)
		loop_send_frame(d, &frame);
	return n > 0;
}

void loop_flush(struct daemon *d)
{
	bool news = true;

	for (int i = 0; news && i < FLUSH_MAX; i++) {
		/*
		 * Events first: a program that waits is woken before the ACK costs its time. And
		 * after: pulling frames also delivers what the stack sent to itself, which is news.
		 */
		loop_events(d);
		news = loop_send_frames(d);
		news |= loop_events(d);
	}
	lingers_answer(d);
	net_advance(d, clock_now_ns()); /* what has no delay leaves now */
	d->loop->unfinished = news;
}

/* ---- waiting ---- */

/* How long to sleep at most; 0: not at all; -1: for ever. */
static int64_t wait_ns(struct daemon *d, int64_t now_ns)
{
	struct loop *l = d->loop;
	int64_t deadline_ns = glass_next_deadline(d->g), net_ns = net_next_deadline(d);

	if (net_ns < deadline_ns)
		deadline_ns = net_ns;
	if (l->unfinished || d->stopping || deadline_ns <= now_ns)
		return 0;
	if (l->gap_ns < d->spin_ns && now_ns - l->idle_since_ns < d->spin_ns)
		return 0;
	return deadline_ns == GLASS_NEVER ? -1 : deadline_ns - now_ns;
}

/* News came: how long were we idle? The time is capped so that one long pause is soon forgotten. */
static void note_gap(struct daemon *d, int64_t now_ns)
{
	struct loop *l = d->loop;
	int64_t gap_ns = now_ns - l->idle_since_ns;

	if (gap_ns > d->spin_ns * 4)
		gap_ns = d->spin_ns * 4;
	l->gap_ns += (gap_ns - l->gap_ns) / GAP_WEIGHT;
}

static void wait_for_news(struct daemon *d)
{
	struct loop *l = d->loop;
	int64_t ns = wait_ns(d, clock_now_ns());
	struct timespec t = { ns / 1000000000, ns % 1000000000 };

	l->nready = epoll_pwait2(d->epoll_fd, l->ready, READY_MAX, ns < 0 ? NULL : &t, NULL);
	if (l->nready < 0) {
		assert(errno == EINTR);
		l->nready = 0;
	}
}

static void loop_round(struct daemon *d)
{
	struct loop *l = d->loop;
	int64_t now_ns;

	wait_for_news(d);
	now_ns = clock_now_ns();
	glass_advance(d->g, now_ns);
	net_advance(d, now_ns);
	for (int i = 0; i < l->nready; i++) {
		struct watch *w = l->ready[i].data.ptr;

		if (w)
			w->ready(d, w, l->ready[i].events);
	}
	if (d->freeze) /* just now: frames wait */
		loop_events(d);
	else
		loop_flush(d);
	if (!l->nready)
		return;
	l->nready = 0;
	note_gap(d, now_ns);
	l->idle_since_ns = clock_now_ns();
}

void loop_run(struct daemon *d)
{
	while (!d->stopping) {
		if (!d->freeze) {
			loop_round(d);
			if (d->taker)
				takeover_round(d);
			continue;
		}
		freeze_round(d);
		d->loop->unfinished =
			true; /* when the stack goes on it has perhaps something to send */
	}
	freeze_end(d);
}

/* ---- the end ---- */

/* Connections that still have something to say to their peers. */
static bool anybody_talks(struct daemon *d)
{
	struct glass_conn_info info;
	uint64_t cursor = 0;

	while (glass_conn_next(d->g, &cursor, &info)) {
		if (info.proto == GLASS_TCP && info.state && strcmp(info.state, "TIME-WAIT") &&
		    strcmp(info.state, "FIN-WAIT-2") && strcmp(info.state, "LISTEN") &&
		    strcmp(info.state, "UNCONN") && strcmp(info.state, "CLOSED"))
			return true;
	}
	return false;
}

void loop_drain(struct daemon *d)
{
	int64_t until_ns = clock_now_ns() + DRAIN_NS;
	struct timespec settle = { 0, SETTLE_NS };

	loop_flush(d);
	while (anybody_talks(d) && clock_now_ns() < until_ns) {
		nanosleep(&(struct timespec){ 0, SETTLE_NS / 5 }, NULL);
		for (unsigned dev = 0; dev < DAEMON_DEVS_MAX; dev++) {
			if (d->dev[dev] && d->dev[dev]->fd >= 0)
				dev_ready(d, &d->loop->dev[dev].watch, 0);
		}
		glass_advance(d->g, clock_now_ns());
		net_advance(d, clock_now_ns());
		loop_flush(d);
	}
	nanosleep(&settle, NULL);
}
