/* SPDX-License-Identifier: MIT */
/*
 * Two devices joined in one process: what one sends the other receives, with its offload data, as
 * if both hung on one TAP. No descriptor and no clock, so that tests with it run the same each
 * time.
 *
 * In: dev_io_ops, from tests.	Out: nothing.
 */
#include "dev_io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PIPE_FRAMES_MAX 256 /* frames under way per direction */

struct pipe_frame {
	struct pipe_frame *next;
	struct glass_offload off;
	size_t length;
	uint8_t bytes[];
};

struct pipe_end {
	struct dev_io io;
	struct pipe_end *peer;		  /* NULL: it is closed */
	struct pipe_frame *first, **last; /* to be received here */
	unsigned frames;
};

static struct pipe_end *end_of(struct dev_io *io)
{
	return (struct pipe_end *)(void *)io; /* io is the first member */
}

static struct pipe_frame *frame_take(struct pipe_end *e)
{
	struct pipe_frame *f = e->first;

	if (!f)
		return NULL;
	e->first = f->next;
	if (!e->first)
		e->last = &e->first;
	e->frames--;
	return f;
}

static int pipe_receive(struct dev_io *io, struct pkt *p)
{
	struct pipe_frame *f = frame_take(end_of(io));
	size_t room, n;
	uint8_t *to;

	if (!f)
		return 0;
	to = glass_pkt_room(p, &room);
	n = f->length < room ? f->length : room; /* cut, as TAP cuts */
	memcpy(to, f->bytes, n);
	glass_pkt_filled(p, n, &f->off);
	free(f);
	return 1;
}

static int pipe_send(struct dev_io *io, const struct glass_frame *frame)
{
	struct pipe_end *to = end_of(io)->peer;
	struct pipe_frame *f;
	size_t at = 0;

	if (!to)
		return -EBADFD;
	if (to->frames == PIPE_FRAMES_MAX)
		return -EAGAIN;
	f = malloc(sizeof(*f) + frame->length);
	if (!f)
		return -ENOMEM;
	for (unsigned i = 0; i < frame->niov; i++) {
		memcpy(f->bytes + at, frame->iov[i].base, frame->iov[i].len);
		at += frame->iov[i].len;
	}
	f->next = NULL;
	f->off = frame->off;
	f->length = at;
	*to->last = f;
	to->last = &f->next;
	to->frames++;
	return 0;
}

static void pipe_close(struct dev_io *io)
{
	struct pipe_end *e = end_of(io);
	struct pipe_frame *f;

	while ((f = frame_take(e)))
		free(f);
	if (e->peer)
		e->peer->peer = NULL;
	free(e);
}

static const struct dev_io_ops pipe_ops = {
	.receive = pipe_receive,
	.send = pipe_send,
	.close = pipe_close,
};

int pipe_open(struct dev_io *pair[2], uint32_t mtu_bytes, uint32_t offload)
{
	struct pipe_end *end[2] = { calloc(1, sizeof(*end[0])), calloc(1, sizeof(*end[1])) };

	if (!end[0] || !end[1]) {
		free(end[0]);
		free(end[1]);
		return -ENOMEM;
	}
	for (unsigned i = 0; i < 2; i++) {
		end[i]->peer = end[!i];
		end[i]->last = &end[i]->first;
		end[i]->io = (struct dev_io){
			.ops = &pipe_ops,
			.fd = -1,
			.setup = { .name = "pipe0",
				   .link = GLASS_ETHERNET,
				   .mac = { 2, 0, 0, 0, 0, (uint8_t)(i + 1) },
				   .mtu_bytes = mtu_bytes,
				   .offload = offload },
		};
		end[i]->io.setup.name[4] = (char)('0' + i);
		pair[i] = &end[i]->io;
	}
	return 0;
}
