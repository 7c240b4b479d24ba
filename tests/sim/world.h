/* SPDX-License-Identifier: MIT */
/*
 * Two stacks that exchange known bytes over a hostile wire, and the judge: every byte in its
 * place, everything over within a given virtual time, every packet accounted for, nothing left in
 * memory.
 */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include "../../src/sim/sim.h"

#define MS 1000000ll
#define S 1000000000ll

enum ending {
	END_BOTH, /* each side shuts down when it has sent all, and closes when it has read all */
	END_HALF, /* side 1 begins to send when side 0 has ended */
	END_TOGETHER, /* both close at the same moment */
	END_ABORT,    /* one side aborts after half of its bytes: the other must see a reset, not an
			 end */
};

enum near_wrap { NEAR_NOTHING, NEAR_SEQ_32, NEAR_SEQ_31, NEAR_TS_32, NEAR_TS_31 };

struct scenario {
	const char *name;
	struct impair_way way[2]; /* side 1 is as side 0 when its delay and rate are 0 */
	uint32_t refuse[2];	  /* of a million frames, each side's device */
	uint64_t bytes[2];	  /* sent by each side, per connection */
	unsigned flows;		  /* 0: one */
	uint32_t offload;	  /* of both devices */
	uint32_t offload1;	  /* of side 1's device, when mixed is set */
	bool mixed;
	uint32_t mtu_bytes;
	int64_t rcvbuf, sndbuf; /* 0: default */
	int64_t read_every_ns;	/* slow reader: */
	size_t read_bytes;	/* this much at a time */
	enum ending ending;
	int64_t ms_max; /* all connections are over by then, in virtual time */
	bool nodelay;
	int64_t mem_max_mb;	     /* of each stack; 0: default */
	int64_t down_at_ms, down_ms; /* the wire is cut this long, this long after the beginning */
	int64_t mtu_at_ms;	     /* then both devices' MTU becomes: */
	uint32_t mtu_later;
	int64_t tick_ns[2];    /* the timers of a side are this coarse */
	size_t write_max;      /* bytes per write of a program; 0: 64 KB */
	uint32_t short_writes; /* of a million: a program reserves more than it commits */
	unsigned fail_every;   /* of each stack's allocations this one fails; 0: none */
	int64_t cork, quick_off, maxseg, keep_idle_s;
	bool fastopen;		  /* the first bytes go with the SYN, once a cookie is known */
	unsigned abort_side;	  /* of END_ABORT */
	enum near_wrap near_wrap; /* what numbers of the first connection begin near to */
	unsigned near_side;	  /* whose */
	uint32_t near_before;	  /* so far before */
	uint32_t takeovers;	  /* of a million steps: a stack is saved, and goes on restored */
	bool by_name;		  /* takes too long to be played unasked */
	const char *must_drop;	  /* a reason that must have been met, or NULL */
};

struct verdict_of_run {
	bool ok;
	char why[512];
	uint64_t hash;
	int64_t took_ns; /* 0: idle, for an end that never began was aborted by its peer */
	/* Of both sides; timeouts without those of SYNs. */
	uint64_t timeouts, retrans, probes, spurious;
};

/* Everything by chance out of a seed. ms_max is what conditions like these may take at most. */
struct scenario chaos(uint64_t seed);
void describe(const struct scenario *sc);

/* Plays the scenario; trace: with a flight recorder, so that the hash means something. */
void play(const struct scenario *sc, uint64_t seed, bool trace, struct verdict_of_run *out);

#endif
