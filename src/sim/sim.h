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

#include "../base/impair.h"

struct sim;

#define SIM_MILLION IMPAIR_MILLION

/* What impair_counts (sim_wire) do not know. */
struct sim_counts {
	uint64_t delivered;
	uint64_t refused;   /* by the sender's device, before the wire */
	uint64_t no_memory; /* in the receiver, so that it was lost behind the wire */
};

/*
 * A super-packet travels whole when the receiver's device has GLASS_OFFLOAD_TSO, and is cut on
 * the wire when not; checksums are completed likewise by GLASS_OFFLOAD_CSUM. A way that corrupts
 * does both, so that every flipped bit can be found.
 */
struct sim_setup {
	uint64_t seed;
	int64_t start_ns;
	uint32_t mtu_bytes;	  /* 0: 1500 */
	uint32_t offload[2];	  /* GLASS_OFFLOAD_* of each side's device */
	struct impair_way way[2]; /* of frames that side 0, side 1 sends */
	uint32_t refuse[2];  /* of a million: the side's device does not take it, and says so */
	size_t ring_records; /* flight recorder of each side; 0: none, and no hash */
	int64_t tick_ns[2];  /* each side's clock stands still between multiples; 0: exact */
	bool tell;    /* the sender's recorder is told what the wire lost, as under "glass net" */
	bool foreign; /* side 1 is no stack: sim_on_frame() has its frames, sim_inject() sends */
};

/* NULL: out of memory. */
struct sim *sim_new(const struct sim_setup *setup);
void sim_free(struct sim *s);

struct glass *sim_stack(struct sim *s, unsigned side);
struct glass_addr sim_addr(unsigned side);
int64_t sim_now(const struct sim *s);
/* May be changed while running. */
struct impair_way *sim_way(struct sim *s, unsigned from);
const struct impair_counts *sim_wire(const struct sim *s, unsigned from);
const struct sim_counts *sim_counts(const struct sim *s, unsigned from);

/* Told of every readiness event of both stacks. */
void sim_on_event(struct sim *s, void (*f)(void *arg, unsigned side, const struct glass_event *e),
		  void *arg);
/*
 * Sees every frame that comes to the wire, before the wire does anything, and answers what it is
 * beyond what its headers say: of enum impair_kind, for the drops that are aimed.
 */
void sim_on_wire(struct sim *s,
		 unsigned (*f)(void *arg, unsigned from, const uint8_t *frame, size_t length),
		 void *arg);
/* Of a foreign side 1: what arrives there, and how it sends. */
void sim_on_frame(struct sim *s, void (*f)(void *arg, const uint8_t *frame, size_t length),
		  void *arg);
void sim_inject(struct sim *s, uint8_t *frame, size_t length);
/* Calls f(arg) at that time. false: out of memory. */
bool sim_call_at(struct sim *s, int64_t time_ns, void (*f)(void *arg), void *arg);

/*
 * Between two steps: the stack of a side is saved, and one that is restored from that goes on in
 * its place, with a recorder of its own. moved (may be NULL) hears of each socket. NULL, or why it
 * failed: then the old one is there still.
 */
typedef void sim_moved(void *arg, struct glass_sock *from, struct glass_sock *to);
const char *sim_take_over(struct sim *s, unsigned side, sim_moved *moved, void *arg);
/* The same of any stack, which is freed: the new one; NULL: *why, and it is there still. */
struct glass *sim_restored(struct glass *from, const struct glass_setup *setup, sim_moved *moved,
			   void *arg, const char **why);

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
