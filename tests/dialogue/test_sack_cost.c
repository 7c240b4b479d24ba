/* SPDX-License-Identifier: MIT */
/* The scoreboard costs what an ACK tells, not what is out, whatever a peer chooses to tell. */
#include "dialogue.h"

/* A dialogue is laid out in columns. */
/* clang-format off */

#define FRAMES 900u

static void flood(struct dlg *d, struct app *c)
{
		tunable(tcp_initial_window, 1000);
		connected(c, "mss=1000, sackok, ws=10, win=60000");
		wire_in(ACK, seq=1, ack=1, win=60000);
		app_send(c, 1000 * FRAMES);
		wire_skip_all();
}

static uint64_t steps(struct dlg *d)
{
	return dlg_counter_value(d, "TCPSackSteps");
}

/* The first is lost; the block behind it grows by a frame with every ACK. */
DIALOGUE(steps_of_a_growing_block)
{
	uint64_t before;

	T(0)	flood(d, c);
		wire_in(ACK, seq=1, ack=1, sack=1001:2001);
		wire_skip_all();
		before = steps(d);
	for (unsigned i = 3; i <= FRAMES - 100; i++) {
		wire_inf("ACK, seq=1, ack=1, sack=1001:%u", 1 + 1000 * i);
		wire_skip_all();
	}
		check(steps(d) - before <= 2 * FRAMES);
		app_abort(c);	wire_skip_all();
}

/* Blocks at the end of all that is out, and then each time elsewhere. */
DIALOGUE(steps_of_scattered_blocks)
{
	uint64_t before;

	T(0)	flood(d, c);
		before = steps(d);
	for (unsigned i = 0; i < 150; i++) {
		unsigned a = 1 + 1000 * (FRAMES - 3 - 3 * i), b = 1 + 1000 * (2 + 3 * i);

		wire_inf("ACK, seq=1, ack=1, sack=%u:%u, sack=%u:%u", a, a + 1000, b, b + 1000);
		wire_skip_all();
	}
		check(steps(d) - before == 300);
		app_abort(c);	wire_skip_all();
}

/* The same block again and again, over all of it. */
DIALOGUE(steps_of_a_repeated_block)
{
	uint64_t before;

	T(0)	flood(d, c);
		wire_inf("ACK, seq=1, ack=1, sack=1001:%u", 1 + 1000 * FRAMES);
		wire_skip_all();
		before = steps(d);
	for (unsigned i = 0; i < 500; i++) {
		wire_inf("ACK, seq=1, ack=1, sack=1001:%u", 1 + 1000 * FRAMES);
		wire_skip_all();
	}
		check(steps(d) - before <= 500);
		app_abort(c);	wire_skip_all();
}
