/* SPDX-License-Identifier: MIT */
/*
 * "glass pcap": what passes between stack and devices, as struct abi_captured, to a descriptor that
 * a client gave. A frame is held while its fate is decided, and told with the flight recorder's
 * records that tell of it. The first device's kind of link is the capture's; frames of another kind
 * are left out (libpcap refuses files of two kinds).
 *
 * In: command.c starts and ends it; loop.c and net_wire.c hold and tell every frame.
 * Out: src/dev/whole.c.
 */
#include "start.h"

#include "../abi/captured.h"

#include <glass/glass_trace.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct capture {
	struct whole_writer writer;
	struct watch watch; /* the reader has room again */
	bool watching;
	int flags;	    /* of the descriptor, to be put back; -1: left alone */
	uint32_t bytes_max; /* of each frame */
	enum glass_link link;
	bool ending; /* nothing more is told; what is kept still goes out */
	bool holds;
	struct abi_captured held;
	uint8_t bytes[ABI_CAPTURED_BYTES_MAX];
};

static enum glass_link link_of_first(const struct daemon *d)
{
	for (unsigned i = 0; i < DAEMON_DEVS_MAX; i++) {
		if (d->dev[i])
			return d->dev[i]->setup.link;
	}
	return GLASS_ETHERNET;
}

/*
 * A slow reader must not stop the stack. A file never makes one wait, and its flags are not ours to
 * change.
 */
static int stop_waiting(int fd)
{
	struct stat st;
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fstat(fd, &st) < 0 || S_ISREG(st.st_mode) || flags & O_NONBLOCK)
		return -1;
	return fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -1 : flags;
}

static void failed(struct daemon *d, int rc)
{
	if (rc != -EPIPE) /* the reader has gone: that is how most captures end */
		notice("capture ended after %llu frames: %s",
		       (unsigned long long)d->capture->writer.written, strerror(-rc));
	capture_fini(d);
}

/* While something is kept for the reader we are told when there is room. */
static void watch_while_kept(struct daemon *d)
{
	struct capture *c = d->capture;
	bool kept = c->writer.length;

	if (kept && !c->watching)
		c->watching = !loop_watch(d, &c->watch, EPOLLOUT);
	else if (!kept && c->watching)
		loop_unwatch(d, &c->watch);
	c->watching = c->watching && kept;
}

static void reader_ready(struct daemon *d, struct watch *w, uint32_t events)
{
	struct capture *c = d->capture;
	int rc = whole_flush(&c->writer);

	(void)w;
	(void)events;
	if (rc && rc != -EAGAIN)
		failed(d, rc);
	else if (c->ending && !rc)
		capture_fini(d);
	else
		watch_while_kept(d);
}

int capture_begin(struct daemon *d, int fd, uint32_t bytes_max)
{
	struct capture *c = d->capture ? NULL : calloc(1, sizeof(*c));

	if (!c) {
		close(fd);
		return d->capture ? -EBUSY : -ENOMEM;
	}
	c->flags = stop_waiting(fd);
	c->link = link_of_first(d);
	c->bytes_max = bytes_max && bytes_max < sizeof(c->bytes) ? bytes_max : sizeof(c->bytes);
	c->writer.fd = fd;
	c->watch = (struct watch){ fd, reader_ready };
	d->capture = c;
	return 0;
}

void capture_fini(struct daemon *d)
{
	struct capture *c = d->capture;

	if (!c)
		return;
	if (c->watching)
		loop_unwatch(d, &c->watch);
	whole_end(&c->writer);
	if (c->flags >= 0)
		fcntl(c->writer.fd, F_SETFL, c->flags);
	close(c->writer.fd);
	free(c);
	d->capture = NULL;
}

int capture_end(struct daemon *d, uint64_t *written, uint64_t *lost)
{
	struct capture *c = d->capture;

	if (!c)
		return -ENOENT;
	*written = c->writer.written;
	*lost = c->writer.lost;
	c->ending = true;
	if (!c->watching)
		capture_fini(d);
	return 0;
}

/* ---- a takeover -------------------------------------------------------------------------------
 */

static void capture_fields(struct handover *h, struct capture *c)
{
	struct save *s = h->s;

	SAVE(s, c->flags);
	SAVE(s, c->bytes_max);
	SAVE(s, c->link);
	SAVE_FLAG(s, c->ending);
	SAVE(s, c->writer.written);
	SAVE(s, c->writer.lost);
	handover_fd(h, "fd", &c->writer.fd);
}

void capture_write(struct handover *h, struct daemon *d, uint32_t client)
{
	struct capture *c = d->capture;
	size_t length = c->writer.length;

	save_begin(h->s, "capture");
	SAVE(h->s, client);
	capture_fields(h, c);
	save_bytes(h->s, "kept", length ? c->writer.kept + c->writer.at : NULL, &length);
	save_end(h->s);
}

static bool capture_sane(const struct capture *c)
{
	return c->writer.fd >= 0 && c->bytes_max && c->bytes_max <= sizeof(c->bytes) &&
	       c->link <= GLASS_RAW_IP;
}

uint32_t capture_read(struct handover *h, struct daemon *d)
{
	struct capture *c = calloc(1, sizeof(*c));
	uint32_t client = 0;
	const void *kept;
	size_t length;

	if (!save_check(h->s, c && !d->capture, "out of memory")) {
		free(c);
		return 0;
	}
	SAVE(h->s, client);
	capture_fields(h, c);
	kept = save_bytes(h->s, "kept", NULL, &length);
	save_end(h->s);
	c->watch = (struct watch){ c->writer.fd, reader_ready };
	d->capture = c;
	if (save_check(h->s, capture_sane(c), "a capture is damaged") &&
	    save_check(h->s, !length || whole_adopt(&c->writer, kept, length), "out of memory"))
		watch_while_kept(d);
	return client;
}

/* ---- frames -----------------------------------------------------------------------------------
 */

static uint64_t records_so_far(const struct daemon *d)
{
	return d->ring ? ((const struct glass_ring *)d->ring)->head : 0;
}

static size_t copy(struct capture *c, const struct glass_iov *iov, unsigned niov)
{
	size_t at = 0, full = 0;

	for (unsigned i = 0; i < niov; i++) {
		size_t room = c->bytes_max - at, n = iov[i].len < room ? iov[i].len : room;

		memcpy(c->bytes + at, iov[i].base, n);
		at += n;
		full += iov[i].len;
	}
	c->held.kept_bytes = (uint32_t)at;
	return full;
}

void capture_hold(struct daemon *d, const struct glass_frame *frame, bool out, uint32_t part_at)
{
	struct capture *c = d->capture;
	struct timespec t;

	if (!c || c->ending)
		return;
	c->holds = frame->dev < DAEMON_DEVS_MAX && d->dev[frame->dev] &&
		   d->dev[frame->dev]->setup.link == c->link;
	if (!c->holds)
		return;
	clock_gettime(CLOCK_REALTIME, &t);
	c->held = (struct abi_captured){ .magic = ABI_CAPTURED_MAGIC,
					 .dev = (uint16_t)frame->dev,
					 .raw_ip = c->link == GLASS_RAW_IP,
					 .out = out,
					 .realtime_ns = t.tv_sec * 1000000000ll + t.tv_nsec,
					 .records_from = records_so_far(d),
					 .act = frame->id,
					 .part_at = part_at };
	c->held.full_bytes = (uint32_t)copy(c, frame->iov, frame->niov);
}

void capture_tell(struct daemon *d)
{
	struct capture *c = d->capture;
	struct glass_iov iov[2];
	int rc;

	if (!c || !c->holds)
		return;
	c->holds = false;
	c->held.records_to = records_so_far(d);
	c->held.left_out = c->writer.lost;
	iov[0] = (struct glass_iov){ &c->held, sizeof(c->held) };
	iov[1] = (struct glass_iov){ c->bytes, c->held.kept_bytes };
	rc = whole_write(&c->writer, iov, 2);
	if (rc && rc != -EAGAIN)
		failed(d, rc);
	else
		watch_while_kept(d);
}
