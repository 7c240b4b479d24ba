/* SPDX-License-Identifier: MIT */
/*
 * Two stacks, a wire between them, and a clock, all in one process and from one seed: 10.0.0.4
 * (side 0) and 10.0.0.5 (side 1) on Ethernet. The same seed gives the same run, to the last
 * record of the trace.
 *
 *	s = sim_new(&setup);
 *	... glass_socket(sim_stack(s, 0), ...) ...
 *	sim_run(s, done, arg, deadline_ns);	frames travel, timers fire, on_event is told
 *	sim_free(s);
 */
#ifndef GLASS_SIM_H
#define GLASS_SIM_H

#include <glass/glass.h>

struct sim;

#define SIM_MILLION 1000000u

/*
 * What the wire does to frames of one direction. Chances are out of a million, per frame on the
 * wire.
 */
struct sim_way {
	int64_t delay_ns, jitter_ns; /* jitter: 0..jitter_ns more, order is kept */
	uint64_t rate_bit_s;	     /* 0: without limit */
	uint32_t queue_bytes; /* what waits for the rate beyond this is lost; 0: without limit */
	uint32_t loss, duplicate, reorder, corrupt;
	int64_t reorder_ns; /* how much later a reordered frame arrives */
	uint32_t refuse;    /* the sender's device does not take the frame, and says so */
	bool down;	    /* everything is lost */
};

struct sim_counts {
	uint64_t sent, delivered, bytes, lost, queue_full, duplicated, reordered, corrupted;
	uint64_t refused, swallowed;
};

/*
 * A super-packet travels whole when the receiver's device has GLASS_OFFLOAD_TSO, and is cut on
 * the wire when not; checksums are completed likewise by GLASS_OFFLOAD_CSUM. A way that corrupts
 * does both, so that every flipped bit can be found.
 */
struct sim_setup {
	uint64_t seed;
	int64_t start_ns;
	uint32_t mtu_bytes;    /* 0: 1500 */
	uint32_t offload[2];   /* GLASS_OFFLOAD_* of each side's device */
	struct sim_way way[2]; /* of frames that side 0, side 1 sends */
	size_t ring_records;   /* flight recorder of each side; 0: none, and no hash */
	int64_t tick_ns[2];    /* each side's clock stands still between multiples; 0: exact */
	bool foreign; /* side 1 is no stack: sim_on_frame() has its frames, sim_inject() sends */
};

/* NULL: out of memory. */
struct sim *sim_new(const struct sim_setup *setup);
void sim_free(struct sim *s);

struct glass *sim_stack(struct sim *s, unsigned side);
struct glass_addr sim_addr(unsigned side);
int64_t sim_now(const struct sim *s);
/* May be changed while running. */
struct sim_way *sim_way(struct sim *s, unsigned from);
const struct sim_counts *sim_counts(const struct sim *s, unsigned from);

/* Told of every readiness event of both stacks. */
void sim_on_event(struct sim *s, void (*f)(void *arg, unsigned side, const struct glass_event *e),
		  void *arg);
/*
 * Sees every frame that goes onto the wire, and may change it; false: it is swallowed. What the
 * wire does by chance comes after.
 */
void sim_on_wire(struct sim *s, bool (*f)(void *arg, unsigned from, uint8_t *frame, size_t length),
		 void *arg);
/* Of a foreign side 1: what arrives there, and how it sends. */
void sim_on_frame(struct sim *s, void (*f)(void *arg, const uint8_t *frame, size_t length),
		  void *arg);
void sim_inject(struct sim *s, uint8_t *frame, size_t length);
/* Calls f(arg) at that time. false: out of memory. */
bool sim_call_at(struct sim *s, int64_t time_ns, void (*f)(void *arg), void *arg);

enum sim_end {
	SIM_DONE,     /* done() said so */
	SIM_IDLE,     /* nothing is under way and no timer is armed */
	SIM_DEADLINE, /* the time is up */
	SIM_LIVELOCK, /* a million steps without the time moving on */
	SIM_NO_MEMORY,
};

/* Runs until done(arg), asked after every step (NULL: never), or until one of the other ends. */
enum sim_end sim_run(struct sim *s, bool (*done)(void *arg), void *arg, int64_t deadline_ns);

/* The flight recorder of a side, for glass_reader_open(); NULL: it has none. */
const void *sim_ring(const struct sim *s, unsigned side, size_t *bytes);
/* Of all trace records of both sides so far: equal for equal runs. */
uint64_t sim_trace_hash(const struct sim *s);

#endif
