/* SPDX-License-Identifier: MIT */
/* What the files of the simulator share. */
#ifndef GLASS_SIM_INSIDE_H
#define GLASS_SIM_INSIDE_H

#include "../base/hash.h"
#include "../base/rng.h"
#include "../wire/cut.h"

#include "sim.h"

/* A frame on the wire, or (f set) a call to be made. */
struct sim_item {
	int64_t time_ns;
	uint64_t order; /* items of equal time come in this order */
	unsigned to;
	void (*f)(void *arg);
	void *arg;
	struct glass_offload off;
	size_t length;
	uint8_t bytes[];
};

struct sim_side {
	struct glass *g; /* NULL: a foreign side */
	unsigned dev;
	uint32_t offload;
	void *ring;
	size_t ring_bytes;
	uint64_t hashed; /* records of the ring that are in the hash */
	struct impair_way way;
	struct impair wire; /* of what this side sends */
	uint32_t refuse;
	struct sim_counts counts;
	int64_t tick_ns;
};

struct sim {
	struct sim_side side[2];
	struct rng rng;
	int64_t now_ns;
	struct sim_item **heap;
	size_t count, cap;
	uint64_t order;
	uint64_t hash;
	bool no_memory;
	bool tell;
	const struct glass_frame *leaving; /* that is put on the wire just now */
	void (*on_event)(void *arg, unsigned side, const struct glass_event *e);
	void *event_arg;
	unsigned (*on_wire)(void *arg, unsigned from, const uint8_t *frame, size_t length);
	void *wire_arg;
	void (*on_frame)(void *arg, const uint8_t *frame, size_t length);
	void *frame_arg;
};

/* sim_queue.c: items by time. push takes the item, also when it fails. */
bool sim_push(struct sim *s, struct sim_item *item);
/* The earliest, NULL: none; it stays. */
struct sim_item *sim_first(struct sim *s);
/* The earliest, the caller's. */
struct sim_item *sim_pop(struct sim *s);

/* sim_wire.c: a frame of a side goes onto the wire. */
void sim_transmit(struct sim *s, unsigned from, const struct glass_frame *frame);

#endif
