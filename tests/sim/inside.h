/* SPDX-License-Identifier: MIT */
/* What the files of the world share: see world.h. */
#ifndef TESTS_SIM_INSIDE_H
#define TESTS_SIM_INSIDE_H

#include "../../src/base/rng.h"
#include "../../src/base/seq.h"
#include "world.h"

#define PORT 7
#define PERIOD 65521u /* of the pattern: a prime, so that no segment size divides it */
#define CHUNK_MAX 65536
#define BOUND_PORT 20000 /* local port of the first connection when it must be known before */

struct flow;

/* One end of a connection. */
struct end {
	struct flow *flow;
	unsigned side;
	struct glass_sock *s;
	uint64_t sent, received;
	bool begun, shut, eof, gone, aborted;
	int error;
	bool read_pending; /* slow reader: the next turn is scheduled */
};

/* What the wire has seen of one direction of a connection. */
struct wire_dir {
	bool seen, acked, fin, ts;
	uint8_t wscale;
	struct seq iss, high; /* high: the end of all that was sent */
	struct seq ack, edge; /* the last ACK; the right edge offered */
	struct seq fin_at;
	uint32_t tsval;
};

struct flow {
	struct world *w;
	unsigned number;
	uint16_t port; /* of side 0 */
	struct end end[2];
	struct wire_dir dir[2]; /* sent by side 0, 1 */
};

struct world {
	const struct scenario *sc;
	struct sim *sim;
	struct rng rng;
	struct rng takeovers; /* of its own: the rest of the world is the same with and without */
	struct glass_sock *listener;
	struct flow *flows;
	unsigned nflows, open;
	struct verdict_of_run *out;
	unsigned steps;
	uint8_t pattern[PERIOD + CHUNK_MAX];
	uint8_t chunk[CHUNK_MAX];
};

/* Notes what is wrong; the first one counts. */
__attribute__((format(printf, 2, 3))) void fail(struct world *w, const char *format, ...);

/* end.c: what the programs do. */
/* Every stream begins elsewhere in the pattern. */
const uint8_t *expected(struct world *w, const struct flow *f, unsigned from, uint64_t place);
uint64_t to_send(const struct world *w, const struct end *e);
/* Errors are no failure: there was an abort, or too little memory. */
bool tolerant(const struct world *w);
void end_turn(struct world *w, struct end *e);
void end_gone(struct world *w, struct end *e);

/* wire.c: looks at every frame; answers IMPAIR_AGAIN when it has bytes that came before. */
unsigned wire_frame(void *arg, unsigned from, const uint8_t *frame, size_t length);

/* judge.c: at the end. */
void check_account(struct world *w);
/* The counter of that name, of both sides. */
uint64_t both_sides(const struct world *w, const char *name);
void check_drops(struct world *w);
void check_memory(struct world *w, const struct glass_memory *before);
void print_rings(struct sim *sim);
void save_rings(struct sim *sim);
void print_stats(const struct world *w);

/* inspect.c: what holds between two calls for every connection of a stack; NULL, or what does not.
 */
const char *inspect(struct glass *g);

#endif
