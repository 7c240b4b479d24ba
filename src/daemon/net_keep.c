/* SPDX-License-Identifier: MIT */
/*
 * A bad network in a takeover: what is set, with its filters and recorded links, how far it has
 * come, and the frames that are on their way. The n-th frame's fate stays what it would have been.
 *
 *	net.way		of a direction, and then what belongs to it:
 *	net.filter	a program, by its number in net.drop
 *	net.link	a recorded link
 *	net.drop	a rule
 *	net.waits	when a frame that waits for the rate will have left
 *	net.held	a frame
 *
 * In: takeover_state.c.	Out: save.h, net_wire.c, net_attached.c.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "../base/save.h"

#include "net_wire.h"
#include "start.h"

#define NS_MAX (INT64_C(1) << 60)

/* ---- what is set ----------------------------------------------------------------------------- */

static void way_fields(struct save *s, struct impair_way *way)
{
	SAVE(s, way->delay_ns);
	SAVE(s, way->jitter_ns);
	SAVE(s, way->jitter_corr);
	SAVE(s, way->spread);
	SAVE_FLAG(s, way->overtake);
	SAVE(s, way->rate_bit_s);
	SAVE(s, way->overhead_bytes);
	SAVE(s, way->cell_bytes);
	SAVE(s, way->cell_overhead_bytes);
	SAVE(s, way->queue_bytes);
	SAVE(s, way->queue_frames);
	SAVE(s, way->model);
	save_array(s, "chance", way->chance, sizeof(way->chance));
	SAVE(s, way->burst_frames_max);
	SAVE(s, way->loss);
	SAVE(s, way->loss_corr);
	SAVE(s, way->duplicate);
	SAVE(s, way->duplicate_corr);
	SAVE(s, way->corrupt);
	SAVE(s, way->corrupt_corr);
	SAVE(s, way->reorder);
	SAVE(s, way->reorder_corr);
	SAVE(s, way->reorder_gap);
	SAVE(s, way->reorder_ns);
	SAVE_FLAG(s, way->ecn);
	SAVE_FLAG(s, way->down);
}

/* Its key follows from the seed. */
static void progress_fields(struct save *s, struct impair *im)
{
	SAVE(s, im->draws);
	SAVE(s, im->counts.frames);
	SAVE(s, im->counts.bytes);
	SAVE(s, im->counts.lost);
	SAVE(s, im->counts.aimed);
	SAVE(s, im->counts.queue_full);
	SAVE(s, im->counts.duplicated);
	SAVE(s, im->counts.damaged);
	SAVE(s, im->counts.reordered);
	SAVE(s, im->counts.marked);
	save_array(s, "met", im->met, sizeof(im->met));
	SAVE(s, im->busy_until_ns);
	SAVE(s, im->last_arrival_ns);
	SAVE(s, im->state);
	SAVE(s, im->burst_frames);
	save_array(s, "last", im->last, sizeof(im->last));
	SAVE_FLAG(s, im->trace_runs);
	SAVE(s, im->trace_start_ns);
	SAVE(s, im->trace_at);
	SAVE(s, im->trace_left);
}

/* A time, or a span of it, that can be added to another one. */
static bool time_sane(int64_t ns)
{
	return ns >= 0 && ns < NS_MAX;
}

static bool way_sane(const struct impair_way *way, const struct impair *im)
{
	return way->spread <= IMPAIR_NORMAL && way->model <= IMPAIR_GEMODEL && im->state >= 1 &&
	       im->state <= 4 && time_sane(way->delay_ns) && time_sane(way->jitter_ns) &&
	       time_sane(way->reorder_ns) && time_sane(im->busy_until_ns) &&
	       time_sane(im->last_arrival_ns) && im->trace_start_ns >= 0 &&
	       im->trace_start_ns <= clock_now_ns() && im->trace_left <= IMPAIR_TRACE_BYTES;
}

/* Its place in a recorded link is a time, too. */
static bool place_sane(const struct impair *im, const struct impair_trace *t)
{
	return !t || im->trace_at / t->n < (uint64_t)NS_MAX / 1000000 / t->at_ms[t->n - 1];
}

/* ---- filters and recorded links -------------------------------------------------------------- */

static void extra_write(struct save *s, const char *kind, const char *text, const void *elements,
			size_t bytes)
{
	size_t length = strlen(text);

	save_begin(s, kind);
	save_bytes(s, "text", text, &length);
	save_bytes(s, "elements", elements, &bytes);
	save_end(s);
}

/* A filter or a link, as if it had come with words. */
static void extra_read(struct save *s, struct impair_extras *e, size_t element_bytes,
		       net_attached_take *take)
{
	char text[IMPAIR_TEXT_BYTES] = "";
	const uint8_t *elements;
	size_t length, bytes;
	const void *from = save_bytes(s, "text", NULL, &length);

	elements = save_bytes(s, "elements", NULL, &bytes);
	save_end(s);
	if (!save_check(s, from && elements && length < sizeof(text) && !(bytes % element_bytes),
			"what belongs to a bad network is damaged"))
		return;
	memcpy(text, from, length);
	save_check(s, take(e, text, elements, (uint32_t)(bytes / element_bytes)),
		   "a filter or a recorded link is damaged");
}

static void extras_write(struct save *s, const struct direction *w)
{
	const struct impair_trace *t = w->way.trace;

	for (unsigned i = 0; w->extras && i < w->extras->nfilters; i++) {
		const struct impair_filter *f = w->extras->filter[i];

		extra_write(s, "net.filter", f->text, f->insn, f->n * sizeof(f->insn[0]));
	}
	if (t)
		extra_write(s, "net.link", t->name, t->at_ms, t->n * sizeof(t->at_ms[0]));
}

static void extras_read(struct save *s, struct impair_extras *e)
{
	while (save_begin(s, "net.filter"))
		extra_read(s, e, sizeof(struct cbpf_insn), net_attached_filter);
	if (save_begin(s, "net.link"))
		extra_read(s, e, sizeof(uint32_t), net_attached_trace);
}

/* ---- rules, by their places -------------------------------------------------------------------
 */

/* From 1; 0: none. */
static uint32_t filter_number(const struct impair_extras *e, const struct impair_filter *f)
{
	for (unsigned i = 0; e && i < e->nfilters; i++)
		if (e->filter[i] == f)
			return i + 1;
	return 0;
}

static void drop_keep(struct save *s, struct impair_drop *drop, const struct impair_extras *e)
{
	uint32_t filter = filter_number(e, drop->filter);

	SAVE(s, drop->n);
	SAVE(s, drop->count);
	SAVE_FLAG(s, drop->every);
	SAVE(s, drop->kind);
	SAVE(s, filter);
	save_end(s);
	if (save_reading(s) && filter &&
	    save_check(s, filter <= e->nfilters, "a filter is missing"))
		drop->filter = e->filter[filter - 1];
}

static void drops_keep(struct save *s, struct impair_way *way, const struct impair_extras *e)
{
	for (unsigned i = 0; i < IMPAIR_DROPS_MAX && save_begin(s, "net.drop"); i++)
		drop_keep(s, &way->drop[i], e);
}

/* ---- the queue in front of the rate -----------------------------------------------------------
 */

static void waits_write(struct save *s, struct impair *im)
{
	for (uint32_t i = 0; i < im->queued; i++) {
		struct impair_leaving *l = &im->queue[(im->queue_at + i) % im->queue_cap];

		save_begin(s, "net.waits");
		SAVE(s, l->at_ns);
		SAVE(s, l->bytes);
		save_end(s);
	}
}

static void waits_read(struct save *s, struct impair *im)
{
	struct impair_leaving l;

	while (save_begin(s, "net.waits")) {
		l = (struct impair_leaving){ 0 };
		SAVE_AS(s, "at_ns", l.at_ns);
		SAVE_AS(s, "bytes", l.bytes);
		save_end(s);
		if (!save_check(s, time_sane(l.at_ns), "a bad network is damaged") ||
		    !save_check(s, impair_wait(im, l.at_ns, l.bytes), "out of memory"))
			return;
	}
}

/* ---- a direction ------------------------------------------------------------------------------
 */

static void way_write(struct save *s, struct direction *w, unsigned which)
{
	save_begin(s, "net.way");
	SAVE(s, which);
	SAVE(s, w->seed);
	way_fields(s, &w->way);
	progress_fields(s, &w->impair);
	save_end(s);
	extras_write(s, w);
	drops_keep(s, &w->way, w->extras);
	waits_write(s, &w->impair);
}

/* What is wrong makes the whole takeover fail. */
static void way_take(struct save *s, struct daemon *d, struct impair_extras *extras)
{
	struct impair_way way = { 0 };
	struct impair im = { .state = 1 };
	unsigned which = 0;
	uint64_t seed = 0;

	SAVE(s, which);
	SAVE(s, seed);
	way_fields(s, &way);
	progress_fields(s, &im);
	save_end(s);
	if (!save_check(s, net_wire_make(d), "out of memory") ||
	    !save_check(s, which < 2 && way_sane(&way, &im), "a bad network is damaged"))
		return;
	extras_read(s, extras);
	way.trace = extras->trace[0];
	if (!save_check(s, !save_fault(s) && place_sane(&im, way.trace),
			"a bad network is damaged"))
		return;
	drops_keep(s, &way, extras);
	net_turn_on(&d->wire->direction[which], &way, extras, seed, which);
	im.key = d->wire->direction[which].impair.key;
	d->wire->direction[which].impair = im;
	waits_read(s, &d->wire->direction[which].impair);
}

static void way_read(struct save *s, struct daemon *d)
{
	struct impair_extras *extras = net_attached_new();

	if (save_check(s, extras, "out of memory"))
		way_take(s, d, extras);
	net_attached_drop(extras); /* the direction holds it now, or nobody */
}

/* ---- frames on their way ----------------------------------------------------------------------
 */

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
	for (size_t i = 0; i < held->count; i++)
		copy[i] = held->heap[i];
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
		       which < 2 && bytes && time_sane(h.at_ns) && time_sane(h.since_ns) &&
			       h.length <= NET_FRAME_BYTES_MAX && h.tag < DAEMON_DEVS_MAX &&
			       d->dev[h.tag] && net_wire_make(d),
		       "a frame under way is damaged"))
		held_add(&d->wire->direction[which].held, bytes, h.length, h.tag, h.since_ns,
			 h.at_ns);
}

void net_wire_keep(struct save *s, struct daemon *d)
{
	for (unsigned i = 0; !save_reading(s) && d->wire && i < 2; i++)
		if (d->wire->direction[i].on)
			way_write(s, &d->wire->direction[i], i);
	for (unsigned i = 0; !save_reading(s) && d->wire && i < 2; i++)
		held_write(s, &d->wire->direction[i].held, i);
	while (save_reading(s) && save_begin(s, "net.way"))
		way_read(s, d);
	while (save_reading(s) && save_begin(s, "net.held"))
		held_read(s, d);
	if (save_reading(s) && d->wire)
		prctl(PR_SET_TIMERSLACK, 1);
}
