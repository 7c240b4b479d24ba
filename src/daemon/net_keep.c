/* SPDX-License-Identifier: MIT */
/*
 * A bad network in a takeover: what is set, and the frames that are on their way.
 *
 * In: takeover_state.c.	Out: save.h, net_wire.c.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "../base/save.h"

#include "net_wire.h"

/* Recorded links and filters lie outside of what is saved. */
bool net_wire_stays(const struct daemon *d)
{
	for (unsigned i = 0; d->wire && i < 2; i++)
		if (d->wire->direction[i].on && d->wire->direction[i].extras)
			return true;
	return false;
}

/* Chance begins anew, from the same seed. */
static void way_keep(struct save *s, struct daemon *d, unsigned which)
{
	struct direction *w = save_reading(s) ? NULL : &d->wire->direction[which];
	size_t bytes = sizeof(w->way);
	struct impair_way how;
	const void *from;
	uint64_t seed = w ? w->seed : 0;

	SAVE(s, which);
	SAVE(s, seed);
	from = save_bytes(s, "way", w ? &w->way : NULL, &bytes);
	if (!save_reading(s) || !save_check(s, which < 2, "a bad network is damaged"))
		return;
	if (!save_check(s, bytes == sizeof(how),
			"the bad network is of another version: 'glass net del' first"))
		return;
	memcpy(&how, from, sizeof(how));
	how.trace = NULL; /* there was none: net_wire_stays() */
	for (unsigned i = 0; i < IMPAIR_DROPS_MAX; i++)
		how.drop[i].filter = NULL;
	net_turn_on(&d->wire->direction[which], &how, NULL, seed, which);
}

static int by_order(const void *a, const void *b)
{
	const struct held_frame *x = *(struct held_frame *const *)a;
	const struct held_frame *y = *(struct held_frame *const *)b;

	return (x->order > y->order) - (x->order < y->order);
}

/* In the order in which they came. A heap that is sorted otherwise is none, so it is a copy. */
static void held_write(struct save *s, const struct held *held, unsigned which)
{
	struct held_frame **copy = malloc((held->count + 1) * sizeof(struct held_frame *));

	if (!save_check(s, copy, "out of memory"))
		return;
	memcpy(copy, held->heap, held->count * sizeof(struct held_frame *));
	qsort(copy, held->count, sizeof(struct held_frame *), by_order);
	for (size_t i = 0; i < held->count; i++) {
		save_begin(s, "net.held");
		SAVE(s, which);
		SAVE(s, copy[i]->at_ns);
		SAVE(s, copy[i]->since_ns);
		SAVE(s, copy[i]->tag);
		save_bytes(s, "bytes", copy[i]->bytes, &copy[i]->length);
		save_end(s);
	}
	free(copy);
}

static void held_read(struct save *s, struct daemon *d)
{
	struct held_frame h = { 0 };
	unsigned which = 0;
	const void *bytes;

	SAVE(s, which);
	SAVE_AS(s, "at_ns", h.at_ns);
	SAVE_AS(s, "since_ns", h.since_ns);
	SAVE_AS(s, "tag", h.tag);
	bytes = save_bytes(s, "bytes", NULL, &h.length);
	save_end(s);
	if (save_check(s,
		       which < 2 && bytes && h.length <= NET_FRAME_BYTES_MAX &&
			       h.tag < DAEMON_DEVS_MAX && d->dev[h.tag] && net_wire_make(d),
		       "a frame under way is damaged"))
		held_add(&d->wire->direction[which].held, bytes, h.length, h.tag, h.since_ns,
			 h.at_ns);
}

void net_wire_keep(struct save *s, struct daemon *d)
{
	for (unsigned i = 0; !save_reading(s) && d->wire && i < 2; i++) {
		if (!d->wire->direction[i].on)
			continue;
		save_begin(s, "net.way");
		way_keep(s, d, i);
		save_end(s);
	}
	for (unsigned i = 0; !save_reading(s) && d->wire && i < 2; i++)
		held_write(s, &d->wire->direction[i].held, i);
	while (save_reading(s) && save_begin(s, "net.way")) {
		if (save_check(s, net_wire_make(d), "out of memory"))
			way_keep(s, d, 0);
		save_end(s);
	}
	while (save_reading(s) && save_begin(s, "net.held"))
		held_read(s, d);
	if (save_reading(s) && d->wire)
		prctl(PR_SET_TIMERSLACK, 1);
}
