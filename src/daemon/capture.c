/* SPDX-License-Identifier: MIT */
/*
 * "glass pcap": what passes the devices, as pcap, to a descriptor that a client gave. The first
 * device's kind of link is the file's; frames of another kind are left out (a pcap file knows one
 * kind).
 *
 * In: command.c starts and ends it, loop.c shows every frame.	Out: src/dev/pcap.c.
 */
#include "start.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct capture {
	struct pcap_writer writer;
	int flags; /* of the descriptor, to be put back; -1: left alone */
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

int capture_begin(struct daemon *d, int fd)
{
	struct capture *c = d->capture ? NULL : calloc(1, sizeof(*c));
	int rc;

	if (!c) {
		close(fd);
		return d->capture ? -EBUSY : -ENOMEM;
	}
	c->flags = stop_waiting(fd);
	d->capture = c;
	rc = pcap_start(&c->writer, fd, link_of_first(d));
	if (rc)
		capture_fini(d);
	return rc;
}

void capture_fini(struct daemon *d)
{
	struct capture *c = d->capture;

	if (!c)
		return;
	if (pcap_stop(&c->writer) == -EAGAIN)
		notice("capture: the reader was too slow; the last frame is cut");
	if (c->flags >= 0)
		fcntl(c->writer.fd, F_SETFL, c->flags);
	close(c->writer.fd);
	free(c);
	d->capture = NULL;
}

int capture_end(struct daemon *d, uint64_t *written, uint64_t *lost)
{
	if (!d->capture)
		return -ENOENT;
	*written = d->capture->writer.written;
	*lost = d->capture->writer.lost;
	capture_fini(d);
	return 0;
}

void capture_frame(struct daemon *d, unsigned dev, const struct glass_iov *iov, unsigned niov)
{
	struct capture *c = d->capture;
	struct timespec t;
	int rc;

	if (!c || dev >= DAEMON_DEVS_MAX || !d->dev[dev] ||
	    d->dev[dev]->setup.link != c->writer.link)
		return;
	clock_gettime(CLOCK_REALTIME, &t);
	rc = pcap_frame(&c->writer, t.tv_sec * 1000000000ll + t.tv_nsec, iov, niov);
	if (!rc || rc == -EAGAIN)
		return;
	if (rc != -EPIPE) /* the reader has gone: that is how most captures end */
		notice("capture ended after %llu frames: %s", (unsigned long long)c->writer.written,
		       strerror(-rc));
	capture_fini(d);
}
