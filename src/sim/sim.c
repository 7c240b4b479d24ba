/* SPDX-License-Identifier: MIT */
/* The clock that drives two stacks and the wire between them: see sim.h. */
#include "sim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <glass/glass_trace.h>

#include "inside.h"

#define DEFAULT_MTU_BYTES 1500
#define STEPS_MAX 1000000 /* at one point in time */

struct glass *sim_stack(struct sim *s, unsigned side)
{
	return s->side[side].g;
}

struct glass_addr sim_addr(unsigned side)
{
	return glass_ip4(10, 0, 0, 4 + side);
}

int64_t sim_now(const struct sim *s)
{
	return s->now_ns;
}

struct impair_way *sim_way(struct sim *s, unsigned from)
{
	return &s->side[from].way;
}

const struct impair_counts *sim_wire(const struct sim *s, unsigned from)
{
	return &s->side[from].wire.counts;
}

const struct sim_counts *sim_counts(const struct sim *s, unsigned from)
{
	return &s->side[from].counts;
}

void sim_on_event(struct sim *s, void (*f)(void *arg, unsigned side, const struct glass_event *e),
		  void *arg)
{
	s->on_event = f;
	s->event_arg = arg;
}

void sim_on_wire(struct sim *s,
		 unsigned (*f)(void *arg, unsigned from, const uint8_t *frame, size_t length),
		 void *arg)
{
	s->on_wire = f;
	s->wire_arg = arg;
}

void sim_on_frame(struct sim *s, void (*f)(void *arg, const uint8_t *frame, size_t length),
		  void *arg)
{
	s->on_frame = f;
	s->frame_arg = arg;
}

uint64_t sim_trace_hash(const struct sim *s)
{
	return s->hash;
}

const void *sim_ring(const struct sim *s, unsigned side, size_t *bytes)
{
	*bytes = s->side[side].ring_bytes;
	return s->side[side].ring;
}

bool sim_call_at(struct sim *s, int64_t time_ns, void (*f)(void *arg), void *arg)
{
	struct sim_item *item = malloc(sizeof(*item));

	if (!item)
		return false;
	*item = (struct sim_item){ .time_ns = time_ns > s->now_ns ? time_ns : s->now_ns,
				   .f = f,
				   .arg = arg };
	return sim_push(s, item);
}

static bool side_init(struct sim *s, unsigned i, const struct sim_setup *setup)
{
	struct sim_side *side = &s->side[i];
	struct glass_setup g = { .seed = { setup->seed, i + 1 }, .now_ns = setup->start_ns };
	struct glass_dev_setup dev = {
		.name = "wire0",
		.link = GLASS_ETHERNET,
		.mac = { 2, 0, 0, 0, 0, (uint8_t)(4 + i) },
		.mtu_bytes = setup->mtu_bytes ? setup->mtu_bytes : DEFAULT_MTU_BYTES,
		.offload = setup->offload[i],
	};
	int n;

	side->way = setup->way[i];
	side->refuse = setup->refuse[i];
	impair_init(&side->wire, setup->seed * 2 + i);
	side->offload = setup->offload[i];
	side->tick_ns = setup->tick_ns[i];
	if (i && setup->foreign)
		return true;
	if (setup->ring_records) {
		g.ring_bytes = side->ring_bytes = glass_ring_bytes(setup->ring_records);
		g.ring = side->ring = calloc(1, g.ring_bytes);
		if (!g.ring)
			return false;
	}
	side->g = glass_new(&g);
	if (!side->g)
		return false;
	n = glass_dev_add(side->g, &dev);
	if (n < 0 || glass_addr_add(side->g, (unsigned)n, sim_addr(i), 24))
		return false;
	side->dev = (unsigned)n;
	return true;
}

struct sim *sim_new(const struct sim_setup *setup)
{
	struct sim *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->now_ns = setup->start_ns;
	s->tell = setup->tell;
	rng_init(&s->rng, (const uint64_t[2]){ setup->seed, 0x77697265 });
	if (side_init(s, 0, setup) && side_init(s, 1, setup))
		return s;
	sim_free(s);
	return NULL;
}

void sim_free(struct sim *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < 2; i++) {
		if (s->side[i].g)
			glass_free(s->side[i].g);
		free(s->side[i].ring);
		impair_fini(&s->side[i].wire);
	}
	while (s->count)
		free(sim_pop(s));
	free(s->heap);
	free(s);
}

/*
 * New records of the side's ring into the hash. One that was overwritten before we came counts by
 * its number.
 */
static void hash_records(struct sim *s, struct sim_side *side)
{
	const struct glass_ring *ring = side->ring;
	const struct hash_key key = { { 1, 2 } };
	const struct glass_record *records;
	uint64_t end;

	if (!ring)
		return;
	records = (const void *)((const char *)ring + ring->records_at);
	if (ring->head - side->hashed > ring->record_count) {
		s->hash = siphash_u64(&key, s->hash, ring->head);
		side->hashed = ring->head - ring->record_count;
	}
	end = ring->head;
	for (; side->hashed < end; side->hashed++)
		s->hash = siphash_u64(&key, s->hash,
				      siphash(&key, &records[side->hashed % ring->record_count],
					      sizeof(*records)));
	side->hashed = ring->head; /* where calls are written down, hashing made records too */
}

static bool refuses(struct sim *s, const struct sim_side *side)
{
	return side->refuse && rng_below(&s->rng, SIM_MILLION) < side->refuse;
}

/* The frames and events of a side. true: there were some. */
static bool settle_side(struct sim *s, unsigned i)
{
	struct sim_side *side = &s->side[i];
	struct glass_frame frame;
	struct glass_event event;
	bool busy = false;

	while (glass_output(side->g, &frame)) {
		busy = true;
		if (refuses(s, side)) {
			side->counts.refused++;
			glass_output_lost(side->g, &frame, ENOBUFS);
			continue;
		}
		sim_transmit(s, i, &frame);
	}
	while (glass_event(side->g, &event)) {
		busy = true;
		if (s->on_event)
			s->on_event(s->event_arg, i, &event);
	}
	hash_records(s, side);
	return busy;
}

/* Frames out and events up, until both sides are quiet. */
static bool settle(struct sim *s)
{
	bool busy = true;

	for (unsigned steps = 0; busy && steps < STEPS_MAX; steps++) {
		busy = false;
		for (unsigned i = 0; i < 2; i++)
			if (s->side[i].g)
				busy |= settle_side(s, i);
	}
	return !busy;
}

/* The time as the owner of this side reads it. */
static int64_t side_now(const struct sim *s, const struct sim_side *side)
{
	return side->tick_ns ? s->now_ns / side->tick_ns * side->tick_ns : s->now_ns;
}

static void deliver(struct sim *s, struct sim_item *item)
{
	struct sim_side *side = &s->side[item->to];
	size_t capacity;
	struct pkt *p;

	if (!side->g) {
		s->side[!item->to].counts.delivered++;
		if (s->on_frame)
			s->on_frame(s->frame_arg, item->bytes, item->length);
		return;
	}
	p = glass_pkt_new(side->g, item->length);
	if (!p) { /* as a device would: the frame is lost */
		s->side[!item->to].counts.no_memory++;
		return;
	}
	memcpy(glass_pkt_room(p, &capacity), item->bytes, item->length);
	glass_pkt_filled(p, item->length, &item->off);
	glass_input(side->g, side->dev, p, side_now(s, side));
	s->side[!item->to].counts.delivered++;
}

/* When the side's timers fire next: its clock goes on by whole ticks. */
static int64_t side_deadline(const struct sim_side *side)
{
	int64_t at = side->g ? glass_next_deadline(side->g) : GLASS_NEVER;

	if (at == GLASS_NEVER || !side->tick_ns)
		return at;
	return (at + side->tick_ns - 1) / side->tick_ns * side->tick_ns;
}

/* Everything that is due now. */
static void step(struct sim *s)
{
	struct sim_item *item;

	for (unsigned i = 0; i < 2; i++)
		if (s->side[i].g)
			glass_advance(s->side[i].g, side_now(s, &s->side[i]));
	while ((item = sim_first(s)) && item->time_ns <= s->now_ns) {
		item = sim_pop(s);
		if (item->f)
			item->f(item->arg);
		else
			deliver(s, item);
		free(item);
	}
}

static int64_t next_time(struct sim *s)
{
	struct sim_item *item = sim_first(s);
	int64_t next = item ? item->time_ns : GLASS_NEVER;

	for (unsigned i = 0; i < 2; i++)
		if (side_deadline(&s->side[i]) < next)
			next = side_deadline(&s->side[i]);
	return next;
}

enum sim_end sim_run(struct sim *s, bool (*done)(void *arg), void *arg, int64_t deadline_ns)
{
	unsigned steps = 0;
	int64_t next;

	for (;;) {
		if (!settle(s) || steps++ > STEPS_MAX)
			return SIM_LIVELOCK;
		if (s->no_memory)
			return SIM_NO_MEMORY;
		if (done && done(arg))
			return SIM_DONE;
		next = next_time(s);
		if (next > deadline_ns || next == GLASS_NEVER)
			break;
		if (next > s->now_ns) {
			s->now_ns = next;
			steps = 0;
		}
		step(s);
	}
	if (deadline_ns != GLASS_NEVER && s->now_ns < deadline_ns) {
		s->now_ns = deadline_ns;
		step(s);
	}
	return next == GLASS_NEVER ? SIM_IDLE : SIM_DEADLINE;
}
