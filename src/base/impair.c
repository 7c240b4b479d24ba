/* SPDX-License-Identifier: MIT */
/*
 * Decides what becomes of frames on one direction of a bad network: see impair.h.
 *
 * In: whoever owns the frames (src/sim, src/daemon, bench/link).  Out: cbpf.c.
 */
#include "impair.h"

#include <stdlib.h>
#include <string.h>

#define NS_PER_S 1000000000ll
#define NS_PER_MS 1000000ll
#define NORMAL_TERMS 12 /* a sum of twelve uniform numbers has a variance of one */

/* Why a number is drawn: each purpose has numbers of its own for every frame. */
enum purpose { P_LOSS, P_DUPLICATE, P_CORRUPT, P_REORDER, P_JITTER, P_STATE, P_STATE_LOSS, P_BITS };

void impair_init(struct impair *im, uint64_t seed)
{
	*im = (struct impair){ .key = { { seed, 0x696d70616972 } }, .state = 1 };
}

void impair_fini(struct impair *im)
{
	free(im->queue);
	im->queue = NULL;
	im->queue_cap = im->queued = 0;
}

bool impair_way_acts(const struct impair_way *way)
{
	static const struct impair_way nothing;

	/* Padding that is not zero would only have it asked. NOLINTNEXTLINE */
	return memcmp(way, &nothing, sizeof(nothing)) != 0;
}

/* ---- chance ---- */

static uint64_t draw(const struct impair *im, enum purpose why, unsigned part)
{
	return siphash_u64(&im->key, im->counts.frames, (uint64_t)part << 8 | why);
}

static uint32_t below(uint64_t random, uint32_t n)
{
	return (uint32_t)(((random >> 32) * n) >> 32);
}

/* A number for this frame; as often as corr says, the one that the last frame had. */
static uint64_t draw_again(struct impair *im, enum purpose why, uint32_t corr)
{
	if (!corr || below(draw(im, why, 1), IMPAIR_MILLION) >= corr)
		im->last[why] = draw(im, why, 0);
	return im->last[why];
}

static bool chance(struct impair *im, enum purpose why, uint32_t p, uint32_t corr)
{
	return p && below(draw_again(im, why, corr), IMPAIR_MILLION) < p;
}

/* ---- loss ---- */

/* The next of n states, each with its chance; none of them: stays. */
static unsigned step(const struct impair *im, unsigned state, const unsigned *to, const uint32_t *p,
		     unsigned n)
{
	uint32_t r = below(draw(im, P_STATE, 0), IMPAIR_MILLION);

	for (unsigned i = 0; i < n; i++) {
		if (r < p[i])
			return to[i];
		r -= p[i];
	}
	return state;
}

/*
 * Salsano, Ludovici, Ordine: 1 gap, 2 received within a burst, 3 lost in a burst, 4 lost alone.
 * From 4 the way leads back at once.
 */
static bool lost_by_state(struct impair *im, const struct impair_way *w)
{
	const uint32_t *p = w->chance;

	if (im->state == 2)
		im->state = step(im, 2, (const unsigned[]){ 3 }, &p[IMPAIR_P23], 1);
	else if (im->state == 3)
		im->state = step(im, 3, (const unsigned[]){ 1, 2 },
				 (const uint32_t[]){ p[IMPAIR_P31], p[IMPAIR_P32] }, 2);
	else
		im->state = step(im, 1, (const unsigned[]){ 3, 4 },
				 (const uint32_t[]){ p[IMPAIR_P13], p[IMPAIR_P14] }, 2);
	return im->state >= 3;
}

/* State 1 is the good one. */
static bool lost_by_gemodel(struct impair *im, const struct impair_way *w)
{
	uint32_t p = im->state == 1 ? w->chance[IMPAIR_1_K] : w->chance[IMPAIR_1_H];
	bool lost = below(draw(im, P_STATE_LOSS, 0), IMPAIR_MILLION) < p;

	if (im->state == 1)
		im->state = step(im, 1, (const unsigned[]){ 2 }, &w->chance[IMPAIR_P], 1);
	else
		im->state = step(im, 2, (const unsigned[]){ 1 }, &w->chance[IMPAIR_R], 1);
	if (im->state == 2 && w->burst_frames_max && im->burst_frames == w->burst_frames_max)
		im->state = 1;
	im->burst_frames = im->state == 2 ? im->burst_frames + 1 : 0;
	return lost;
}

static bool lost(struct impair *im, const struct impair_way *w)
{
	switch (w->model) {
	case IMPAIR_STATE:
		return lost_by_state(im, w);
	case IMPAIR_GEMODEL:
		return lost_by_gemodel(im, w);
	case IMPAIR_RANDOM:
		break;
	}
	return chance(im, P_LOSS, w->loss, w->loss_corr);
}

unsigned impair_match(const struct impair_way *way, const uint8_t *bytes, size_t length)
{
	unsigned match = 0;

	for (unsigned i = 0; i < IMPAIR_DROPS_MAX; i++) {
		const struct impair_filter *f = way->drop[i].filter;

		if (f && cbpf_run(f->insn, bytes, length))
			match |= IMPAIR_MATCH << i;
	}
	return match;
}

static bool aimed_at(struct impair *im, const struct impair_way *w, unsigned kind)
{
	bool hit = false;

	for (unsigned i = 0; i < IMPAIR_DROPS_MAX; i++) {
		const struct impair_drop *d = &w->drop[i];

		if (!d->n || (kind & d->kind) != d->kind)
			continue;
		im->met[i]++;
		hit |= d->every ? im->met[i] % d->n == 0
				: im->met[i] >= d->n &&
					  im->met[i] - d->n < (d->count ? d->count : 1);
	}
	return hit;
}

/* ---- rate ---- */

static uint64_t bytes_on_wire(const struct impair_way *w, size_t bytes)
{
	int64_t n = (int64_t)bytes + w->overhead_bytes;

	if (n < 1)
		n = 1;
	if (!w->cell_bytes)
		return (uint64_t)n;
	return ((uint64_t)n + w->cell_bytes - 1) / w->cell_bytes *
	       (w->cell_bytes + w->cell_overhead_bytes);
}

uint32_t impair_queued(struct impair *im, int64_t now_ns)
{
	while (im->queued && im->queue[im->queue_at].at_ns <= now_ns) {
		im->queued_bytes -= im->queue[im->queue_at].bytes;
		im->queue_at = (im->queue_at + 1) % im->queue_cap;
		im->queued--;
	}
	return im->queued;
}

/* Room for one more among those that wait. false: out of memory. */
static bool queue_room(struct impair *im)
{
	uint32_t cap = im->queue_cap ? im->queue_cap * 2 : 64;
	struct impair_leaving *queue;

	if (im->queued < im->queue_cap)
		return true;
	queue = calloc(cap, sizeof(*queue));
	if (!queue)
		return false;
	for (uint32_t i = 0; i < im->queued; i++)
		queue[i] = im->queue[(im->queue_at + i) % im->queue_cap];
	free(im->queue);
	im->queue = queue;
	im->queue_cap = cap;
	im->queue_at = 0;
	return true;
}

bool impair_wait(struct impair *im, int64_t at_ns, uint32_t bytes)
{
	if (!queue_room(im))
		return false;
	im->queue[(im->queue_at + im->queued++) % im->queue_cap] =
		(struct impair_leaving){ at_ns, bytes };
	im->queued_bytes += bytes;
	return true;
}

static bool queue_full(struct impair *im, const struct impair_way *w, size_t bytes, int64_t now_ns)
{
	int64_t wait_ns = im->busy_until_ns - now_ns;

	if (impair_queued(im, now_ns) && w->trace && w->queue_bytes &&
	    im->queued_bytes + bytes > w->queue_bytes)
		return true;

	if (!w->trace && w->queue_bytes && wait_ns > 0 &&
	    (double)wait_ns * (double)w->rate_bit_s / 8e9 > w->queue_bytes)
		return true;
	if (im->queued >= IMPAIR_QUEUE_FRAMES_MAX)
		return true;
	return w->queue_frames && im->queued >= w->queue_frames;
}

/* ---- a recorded link ---- */

bool impair_trace_valid(const struct impair_trace *t)
{
	for (uint32_t i = 1; i < t->n; i++)
		if (t->at_ms[i] < t->at_ms[i - 1])
			return false;
	return t->n && t->at_ms[t->n - 1];
}

static int64_t opportunity_ns(const struct impair *im, const struct impair_trace *t, uint64_t k)
{
	uint64_t ms = k / t->n * t->at_ms[t->n - 1] + t->at_ms[k % t->n];

	return im->trace_start_ns + (int64_t)ms * NS_PER_MS;
}

/* The first that is not before now. */
static uint64_t opportunity_from(const struct impair *im, const struct impair_trace *t,
				 int64_t now_ns)
{
	uint64_t period_ms = t->at_ms[t->n - 1];
	uint64_t ms = (uint64_t)(now_ns - im->trace_start_ns + NS_PER_MS - 1) / NS_PER_MS;
	uint64_t round = ms ? (ms - 1) / period_ms : 0; /* the end of a round is its last time */
	uint32_t low = 0, high = t->n - 1;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (t->at_ms[middle] < ms - round * period_ms)
			low = middle + 1;
		else
			high = middle;
	}
	return round * t->n + low;
}

static int64_t leave_by_trace(struct impair *im, const struct impair_way *w, uint64_t bytes,
			      int64_t now_ns)
{
	const struct impair_trace *t = w->trace;

	if (!im->trace_runs) {
		im->trace_runs = true;
		im->trace_start_ns = now_ns;
		im->trace_left = IMPAIR_TRACE_BYTES;
	} else if (opportunity_ns(im, t, im->trace_at) < now_ns) {
		im->trace_at = opportunity_from(im, t, now_ns);
		im->trace_left = IMPAIR_TRACE_BYTES;
	}
	while (bytes > im->trace_left) {
		bytes -= im->trace_left;
		im->trace_left = IMPAIR_TRACE_BYTES;
		im->trace_at++;
	}
	im->trace_left -= (uint32_t)bytes;
	return opportunity_ns(im, t, im->trace_at);
}

/* ---- leaving ---- */

static int64_t leave_by_rate(struct impair *im, const struct impair_way *w, uint64_t bytes,
			     int64_t now_ns)
{
	if (im->busy_until_ns < now_ns)
		im->busy_until_ns = now_ns;
	im->busy_until_ns += (int64_t)(bytes * 8 * NS_PER_S / w->rate_bit_s);
	return im->busy_until_ns;
}

/* When its last bit leaves; -1: the queue in front of the wire is full, or memory is. */
static int64_t leave(struct impair *im, const struct impair_way *w, size_t bytes, int64_t now_ns)
{
	uint64_t on_wire = bytes_on_wire(w, bytes);
	int64_t at_ns;

	if (!w->rate_bit_s && !w->trace)
		return now_ns;
	if (queue_full(im, w, bytes, now_ns))
		return -1;
	at_ns = (w->trace ? leave_by_trace : leave_by_rate)(im, w, on_wire, now_ns);
	return impair_wait(im, at_ns, (uint32_t)bytes) ? at_ns : -1;
}

/* ---- delay ---- */

/* Twelve uniform numbers of -0.5..0.5 in 1/65536, added; the first is the correlated one. */
static int64_t normal(const struct impair *im, uint64_t random)
{
	int64_t sum = 0;

	for (unsigned i = 0; i < NORMAL_TERMS; i++) {
		if (i && i % 4 == 0)
			random = siphash_u64(&im->key, random, i);
		sum += (int64_t)(random >> (i % 4 * 16) & 0xffff) - 0x8000;
	}
	return sum;
}

static int64_t delay(struct impair *im, const struct impair_way *w)
{
	uint64_t random;
	int64_t d = w->delay_ns;

	if (!w->jitter_ns)
		return d;
	random = draw_again(im, P_JITTER, w->jitter_corr);
	switch (w->spread) {
	case IMPAIR_LATER:
		d += (int64_t)(random % ((uint64_t)w->jitter_ns + 1));
		break;
	case IMPAIR_UNIFORM:
		d += (int64_t)(random % ((uint64_t)w->jitter_ns * 2 + 1)) - w->jitter_ns;
		break;
	case IMPAIR_NORMAL:
		d += w->jitter_ns / 65536 * normal(im, random) +
		     w->jitter_ns % 65536 * normal(im, random) / 65536;
		break;
	}
	return d > 0 ? d : 0;
}

static bool reordered(struct impair *im, const struct impair_way *w)
{
	if (w->reorder_gap > 1 && im->counts.frames % w->reorder_gap)
		return false;
	return chance(im, P_REORDER, w->reorder, w->reorder_corr);
}

/* When a frame that left at that time arrives. */
static int64_t arrival(struct impair *im, const struct impair_way *w, int64_t left_ns,
		       struct impair_verdict *out)
{
	int64_t at_ns = left_ns + delay(im, w);

	out->reordered = reordered(im, w);
	if (out->reordered) {
		im->counts.reordered++;
		return w->reorder_ns ? at_ns + w->reorder_ns : left_ns;
	}
	if (!w->overtake && at_ns < im->last_arrival_ns)
		return im->last_arrival_ns;
	im->last_arrival_ns = at_ns;
	return at_ns;
}

/* ---- the decision ---- */

static enum impair_fate fate(struct impair *im, const struct impair_way *w, unsigned kind,
			     int64_t left_ns, bool aim, struct impair_verdict *out)
{
	if (aim) {
		im->counts.aimed++;
		return IMPAIR_AIMED_AT;
	}
	if (left_ns < 0) {
		im->counts.queue_full++;
		return IMPAIR_QUEUE_FULL;
	}
	if (w->down || lost(im, w)) {
		out->mark = w->ecn && !w->down && kind & IMPAIR_ECT;
		im->counts.lost += !out->mark;
		im->counts.marked += out->mark;
		return out->mark ? IMPAIR_PASSES : IMPAIR_LOST;
	}
	return IMPAIR_PASSES;
}

void impair_decide(struct impair *im, const struct impair_way *w, size_t bytes, unsigned kind,
		   int64_t now_ns, struct impair_verdict *out)
{
	bool aim = aimed_at(im, w, kind);
	int64_t left_ns;

	*out = (struct impair_verdict){ .at_ns = now_ns };
	im->counts.frames++;
	im->counts.bytes += bytes;
	left_ns = aim ? now_ns : leave(im, w, bytes, now_ns);
	out->fate = fate(im, w, kind, left_ns, aim, out);
	if (out->fate != IMPAIR_PASSES)
		return;
	out->damage = chance(im, P_CORRUPT, w->corrupt, w->corrupt_corr);
	out->duplicate = chance(im, P_DUPLICATE, w->duplicate, w->duplicate_corr);
	im->counts.damaged += out->damage;
	im->counts.duplicated += out->duplicate;
	out->at_ns = arrival(im, w, left_ns, out);
}

void impair_damage(struct impair *im, uint8_t *bytes, size_t length)
{
	uint64_t random = siphash_u64(&im->key, im->draws++, P_BITS);
	uint32_t mask = 1 + (uint32_t)(random & 0x7fff) % 0x7fff, shifted;
	size_t at;

	if (length < 4)
		return;
	at = below(random, (uint32_t)length - 3);
	shifted = mask << (random >> 15 & 7);
	for (unsigned i = 0; i < 3; i++)
		bytes[at + i] ^= (uint8_t)(shifted >> (16 - 8 * i));
}
