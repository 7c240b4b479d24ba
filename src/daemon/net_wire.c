/* SPDX-License-Identifier: MIT */
/*
 * "glass net set": a bad network between the stack and its devices, each direction by itself. The
 * engine (src/base/impair.h) decides; here frames are cut into what the wire carries, held until
 * they arrive, and the stack is told what became of them.
 *
 * A super-packet is cut and every segment decided for itself, as if it had gone over a cable of
 * the device's MTU; so a part of it can be lost. What arrives is not put together again.
 *
 * In: loop.c with frames both ways, netcmd.c with the words.  Out: loop_receive, devices;
 * net_attached.c.
 */
#include "net_wire.h"
#include "start.h"

#include "../abi/captured.h"
#include "../base/pkt.h"
#include "../dev/held.h"
#include "../dev/impair_words.h"
#include "../wire/cut.h"

#include <inttypes.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>

#define HELD_BYTES_MAX (256u << 20) /* of each direction: beyond, frames are lost as in a queue */
#define ETH_HEADER_BYTES 14

static const char *const direction_name[2] = { [IMPAIR_IN] = "in", [IMPAIR_OUT] = "out" };

/* A frame while it is cut and decided. */
struct passing {
	struct daemon *d;
	struct direction *direction;
	unsigned dev;
	const struct glass_frame *frame; /* NULL: it comes in */
	size_t payload;			 /* of the segments before this one */
	unsigned segments;
	uint16_t gso_size;
};

static size_t link_bytes(const struct daemon *d, unsigned dev)
{
	return d->dev[dev]->setup.link == GLASS_ETHERNET ? ETH_HEADER_BYTES : 0;
}

/* ---- fates ---- */

static struct pkt *packet_of(struct daemon *d, const uint8_t *bytes, size_t length)
{
	struct pkt *p = glass_pkt_new(d->g, length);
	size_t room;

	if (!p)
		return NULL; /* lost, as in a device; the stack has counted it */
	memcpy(glass_pkt_room(p, &room), bytes, length);
	glass_pkt_filled(p, length, NULL);
	return p;
}

/* It does not arrive. */
static void lose(const struct passing *f, enum glass_fate_what what, const uint8_t *bytes,
		 size_t length)
{
	struct glass_fate fate = { .what = what, .at = f->payload, .bytes = length };
	struct pkt *p;

	if (f->frame) {
		glass_output_impaired(f->d->g, f->frame, &fate);
		return;
	}
	p = packet_of(f->d, bytes, length);
	if (p)
		loop_receive(f->d, f->dev, p, clock_now_ns(), &fate);
}

/* What is told of a frame that goes out; of one that comes in it is told when it arrives. */
static void tell(const struct passing *f, const struct impair_verdict *v, size_t length,
		 int64_t now_ns)
{
	struct glass_fate fate = { .at = f->payload,
				   .bytes = length,
				   .delay_ns = v->at_ns - now_ns };
	const struct {
		bool is;
		enum glass_fate_what what;
	} also[] = { { v->duplicate, GLASS_FATE_TWICE },
		     { v->damage, GLASS_FATE_DAMAGED },
		     { v->reordered, GLASS_FATE_REORDERED },
		     { v->mark, GLASS_FATE_MARKED },
		     /* Of the segments of a super-packet the first one's delay is enough. */
		     { fate.delay_ns && !f->segments, GLASS_FATE_LATER } };

	for (unsigned i = 0; f->frame && i < sizeof(also) / sizeof(also[0]); i++) {
		fate.what = also[i].what;
		if (also[i].is)
			glass_output_impaired(f->d->g, f->frame, &fate);
	}
}

static enum glass_fate_what why_lost(enum impair_fate fate)
{
	return fate == IMPAIR_AIMED_AT	   ? GLASS_FATE_AIMED
	       : fate == IMPAIR_QUEUE_FULL ? GLASS_FATE_QUEUE_FULL
					   : GLASS_FATE_LOST;
}

/* It goes out: the capture sees it as the stack has sent it. */
static void hold(const struct passing *f, const uint8_t *bytes, size_t length)
{
	struct glass_frame part = { .dev = f->dev, .niov = 1, .iov = { { bytes, length } } };

	part.id = f->frame->id;
	capture_hold(f->d, &part, true, f->gso_size ? (uint32_t)f->payload : ABI_CAPTURED_WHOLE);
}

/* One frame as it is on the wire. */
static void decide(struct passing *f, uint8_t *bytes, size_t length)
{
	struct direction *way = f->direction;
	size_t link = link_bytes(f->d, f->dev);
	int64_t now_ns = clock_now_ns();
	struct impair_verdict v;

	impair_decide(&way->impair, &way->way, length,
		      wire_kind(bytes, length, link) | impair_match(&way->way, bytes, length),
		      now_ns, &v);
	if (v.fate == IMPAIR_PASSES && v.mark)
		wire_mark(bytes, length, link);
	if (v.fate == IMPAIR_PASSES && v.damage && length > link)
		impair_damage(&way->impair, bytes + link, length - link);
	if (v.fate == IMPAIR_PASSES &&
	    !held_add(&way->held, bytes, length, f->dev, now_ns, v.at_ns)) {
		way->impair.counts.queue_full++;
		v.fate = IMPAIR_QUEUE_FULL;
	}
	if (v.fate != IMPAIR_PASSES) {
		lose(f, why_lost(v.fate), bytes, length);
		return;
	}
	if (v.duplicate)
		held_add(&way->held, bytes, length, f->dev, now_ns, v.at_ns);
	tell(f, &v, length, now_ns);
}

static void emit(void *arg, uint8_t *bytes, size_t length)
{
	struct passing *f = arg;

	if (f->frame)
		hold(f, bytes, length);
	decide(f, bytes, length);
	if (f->frame)
		capture_tell(f->d);
	f->payload += f->gso_size;
	f->segments++;
}

static void pass(struct passing *f, uint8_t *bytes, size_t length, struct glass_offload off)
{
	f->gso_size = off.gso_size;
	if (!off.gso_size)
		wire_complete_csum(bytes, length, &off);
	wire_cut(bytes, length, link_bytes(f->d, f->dev), &off, emit, f);
}

static struct direction *direction_of(const struct daemon *d, unsigned which, unsigned dev)
{
	if (!d->wire || !d->wire->direction[which].on || dev >= DAEMON_DEVS_MAX || !d->dev[dev])
		return NULL;
	return &d->wire->direction[which];
}

bool net_takes_out(struct daemon *d, const struct glass_frame *frame)
{
	struct direction *out = direction_of(d, IMPAIR_OUT, frame->dev);
	struct passing f = { .d = d, .direction = out, .dev = frame->dev, .frame = frame };
	size_t n = 0;

	if (!out || frame->length > NET_FRAME_BYTES_MAX)
		return false;
	for (unsigned i = 0; i < frame->niov; i++) {
		memcpy(d->wire->frame + n, frame->iov[i].base, frame->iov[i].len);
		n += frame->iov[i].len;
	}
	pass(&f, d->wire->frame, n, frame->off);
	return true;
}

bool net_takes_in(struct daemon *d, unsigned dev, struct pkt *p)
{
	struct direction *in = direction_of(d, IMPAIR_IN, dev);
	struct passing f = { .d = d, .direction = in, .dev = dev };
	struct glass_offload off = { 0 };
	uint32_t length = p->len;

	if (!in || length > NET_FRAME_BYTES_MAX)
		return false;
	off.csum_partial = p->flags & PKT_CSUM_PARTIAL;
	off.csum_start = p->csum_start;
	off.csum_offset = p->csum_offset;
	off.gso_size = p->gso_size;
	memcpy(d->wire->frame, p->data, length);
	glass_pkt_free(d->g, p);
	pass(&f, d->wire->frame, length, off);
	return true;
}

/* ---- what is due ---- */

static void arrive(struct daemon *d, const struct held_frame *h, int64_t now_ns)
{
	struct glass_fate fate = { .what = GLASS_FATE_LATER,
				   .bytes = h->length,
				   .delay_ns = h->at_ns - h->since_ns };
	struct pkt *p = d->dev[h->tag] ? packet_of(d, h->bytes, h->length) : NULL;

	if (!p)
		return;
	loop_receive(d, h->tag, p, now_ns, fate.delay_ns ? &fate : NULL);
}

static void depart(struct daemon *d, const struct held_frame *h)
{
	struct glass_frame frame = { .dev = h->tag, .niov = 1, .length = h->length };

	frame.iov[0] = (struct glass_iov){ h->bytes, h->length };
	loop_send(d, &frame);
}

void net_advance(struct daemon *d, int64_t now_ns)
{
	struct held_frame *h;

	if (!d->wire)
		return;
	while ((h = held_take(&d->wire->direction[IMPAIR_IN].held, now_ns))) {
		arrive(d, h, now_ns);
		free(h);
	}
	while ((h = held_take(&d->wire->direction[IMPAIR_OUT].held, now_ns))) {
		depart(d, h);
		free(h);
	}
}

int64_t net_next_deadline(const struct daemon *d)
{
	int64_t in, out;

	if (!d->wire)
		return GLASS_NEVER;
	in = held_next_ns(&d->wire->direction[IMPAIR_IN].held);
	out = held_next_ns(&d->wire->direction[IMPAIR_OUT].held);
	return in < out ? in : out;
}

/* ---- words ---- */

static uint64_t random_seed(void)
{
	uint32_t seed = 1;

	/* Short, so that it can be typed. */
	return getrandom(&seed, sizeof(seed), 0) == sizeof(seed) ? seed : 1;
}

/* One seed is typed for both directions, but they have nothing in common. */
void net_turn_on(struct direction *way, const struct impair_way *how, struct impair_extras *extras,
		 uint64_t seed, unsigned which)
{
	if (extras)
		extras->users++;
	net_attached_drop(way->extras);
	way->extras = extras;
	impair_fini(&way->impair);
	impair_init(&way->impair, seed ^ (uint64_t)which << 63);
	way->way = *how;
	way->seed = seed;
	way->on = true;
}

bool net_wire_make(struct daemon *d)
{
	if (!d->wire)
		d->wire = calloc(1, sizeof(*d->wire));
	for (unsigned i = 0; d->wire && i < 2; i++)
		d->wire->direction[i].held.bytes_max = HELD_BYTES_MAX;
	return d->wire;
}

static int set(struct daemon *d, const char *words, struct impair_extras *extras, char *text,
	       size_t size)
{
	struct impair_words w;
	int rc = impair_parse(words, extras, &w, text, size);

	if (rc)
		return rc;
	if (!net_wire_make(d)) {
		snprintf(text, size, "out of memory\n");
		return -ENOMEM;
	}
	if (!w.seed_given)
		w.seed = random_seed();
	for (unsigned i = 0; i < 2; i++)
		if (w.has[i])
			net_turn_on(&d->wire->direction[i], &w.way[i], extras, w.seed, i);
	prctl(PR_SET_TIMERSLACK, 1); /* frames are to leave on time */
	net_wire_show(d, text, size);
	return 0;
}

int net_wire_set(struct daemon *d, const char *words, int fd, char *text, size_t size)
{
	struct impair_extras *extras = fd < 0 ? NULL : net_attached_read(fd);
	int rc;

	if (fd >= 0 && !extras) {
		snprintf(text, size, "what came with the words makes no sense\n");
		return -EINVAL;
	}
	rc = set(d, words, extras, text, size);
	net_attached_drop(extras); /* the directions hold it now */
	return rc;
}

/* What is under way arrives nevertheless. */
int net_wire_del(struct daemon *d, const char *word, char *text, size_t size)
{
	bool all = !word || !*word;

	if (!all && strcmp(word, "in") && strcmp(word, "out")) {
		snprintf(text, size, "'%s': glass net del takes in or out, or nothing for both\n",
			 word);
		return -EINVAL;
	}
	for (unsigned i = 0; d->wire && i < 2; i++) {
		if (all || !strcmp(word, direction_name[i]))
			d->wire->direction[i].on = false;
	}
	snprintf(text, size, "%s: the network is as it is\n", all ? "in and out" : word);
	return 0;
}

static size_t show_direction(const struct direction *way, const char *name, char *text, size_t size)
{
	const struct impair_counts *n = &way->impair.counts;
	char words[2048];
	size_t at;

	impair_print(&way->way, words, sizeof(words));
	at = (size_t)snprintf(text, size, "%s %s seed %" PRIu64 "\n", name, words, way->seed);
	if (at >= size)
		return size;
	at += (size_t)snprintf(text + at, size - at,
			       " frames %" PRIu64 " bytes %" PRIu64 " lost %" PRIu64
			       " aimed %" PRIu64 " queue_full %" PRIu64 " duplicated %" PRIu64
			       " reordered %" PRIu64 " damaged %" PRIu64 " marked %" PRIu64
			       " under_way %zu\n",
			       n->frames, n->bytes, n->lost, n->aimed, n->queue_full, n->duplicated,
			       n->reordered, n->damaged, n->marked, way->held.count);
	return at < size ? at : size;
}

size_t net_wire_show(const struct daemon *d, char *text, size_t size)
{
	size_t at = 0;

	if (size)
		*text = '\0';
	for (unsigned i = 0; d->wire && i < 2; i++) {
		if (d->wire->direction[i].on && at < size)
			at += show_direction(&d->wire->direction[i], direction_name[i], text + at,
					     size - at);
	}
	return at < size ? at : size;
}

void net_wire_fini(struct daemon *d)
{
	for (unsigned i = 0; d->wire && i < 2; i++) {
		impair_fini(&d->wire->direction[i].impair);
		net_attached_drop(d->wire->direction[i].extras);
		held_fini(&d->wire->direction[i].held);
	}
	free(d->wire);
	d->wire = NULL;
}
