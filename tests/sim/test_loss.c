/* SPDX-License-Identifier: MIT */
/*
 * Timeouts: what SACK, RACK and the tail loss probe can repair costs none. Each wire is played with
 * many seeds; all of them together may time out so many times, and no oftener (lost SYNs, which
 * nothing but the timer repairs, do not count). At 10 % a probe that is lost as well is one: 313 in
 *a thousand seeds. (At 1 % and 3 % one: a segment at the end, lost, lost again, and its probe too.)
 *
 *	test_loss			all wires
 *	test_loss NAME [SEED [COUNT]]	one wire; prints each seed that timed out
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

#define MB (1024ull * 1024)
#define PER_MILLE 1000u
#define SEEDS 20
#define QUEUE .queue_bytes = 400000

/* Both ways have the delay; the loss is that of the data's way. */
#define WIRE(ms, mbit, ...)                                                                 \
	.way = { { .delay_ns = (ms)*MS / 2, .rate_bit_s = (mbit)*1000000ull, __VA_ARGS__ }, \
		 { .delay_ns = (ms)*MS / 2, .rate_bit_s = (mbit)*1000000ull } }
#define DATA .bytes = { MB, 0 }, .ms_max = 600000

struct wire {
	struct scenario sc;
	unsigned timeouts_max; /* of all seeds together */
};

/* clang-format off */
static const struct wire wires[] = {
	{ { .name = "clean", WIRE(20, 100, QUEUE, .loss = 0), DATA }, 0 },
	{ { .name = "loss-0.1-lan", WIRE(1, 1000, QUEUE, .loss = 1 * PER_MILLE), DATA }, 0 },
	{ { .name = "loss-0.1", WIRE(20, 100, QUEUE, .loss = 1 * PER_MILLE), DATA }, 0 },
	{ { .name = "loss-1-lan", WIRE(1, 1000, QUEUE, .loss = 10 * PER_MILLE), DATA }, 0 },
	{ { .name = "loss-1", WIRE(20, 100, QUEUE, .loss = 10 * PER_MILLE), DATA }, 0 },
	{ { .name = "loss-1-far", WIRE(300, 10, QUEUE, .loss = 10 * PER_MILLE), DATA }, 0 },
	{ { .name = "loss-3", WIRE(20, 100, QUEUE, .loss = 30 * PER_MILLE), DATA }, 0 },
	{ { .name = "loss-3-lan", WIRE(1, 1000, QUEUE, .loss = 30 * PER_MILLE), DATA }, 0 },
	{ { .name = "loss-10", WIRE(20, 100, QUEUE, .loss = 100 * PER_MILLE), DATA }, 10 },
	{ { .name = "reorder-1", WIRE(20, 100, QUEUE, .reorder = 100 * PER_MILLE, .reorder_ns = 1 * MS), DATA }, 0 },
	{ { .name = "reorder-5", WIRE(20, 100, QUEUE, .reorder = 100 * PER_MILLE, .reorder_ns = 5 * MS), DATA }, 0 },
	{ { .name = "reorder-30", WIRE(20, 100, QUEUE, .reorder = 100 * PER_MILLE, .reorder_ns = 30 * MS), DATA }, 0 },
	{ { .name = "burst-5", WIRE(20, 100, QUEUE, .loss = 0), DATA, .down_at_ms = 150, .down_ms = 5 }, 0 },
	{ { .name = "burst-20", WIRE(20, 100, QUEUE, .loss = 0), DATA, .down_at_ms = 150, .down_ms = 20 }, 0 },
	{ { .name = "queue", WIRE(20, 10, .queue_bytes = 30000), DATA }, 0 },
};
/* clang-format on */

static bool wire_ok(const struct wire *x, unsigned number, uint64_t first, uint64_t count,
		    bool talk)
{
	struct verdict_of_run run, sum = { .ok = true };
	int64_t slowest_ns = 0;

	for (uint64_t seed = first; seed < first + count && sum.ok; seed++) {
		play(&x->sc, seed, talk, &run);
		sum.ok = run.ok;
		memcpy(sum.why, run.why, sizeof(sum.why));
		sum.timeouts += run.timeouts;
		sum.retrans += run.retrans;
		sum.probes += run.probes;
		slowest_ns = run.took_ns > slowest_ns ? run.took_ns : slowest_ns;
		if (talk && run.timeouts)
			printf("# seed %llu: %llu timeouts\n", (unsigned long long)seed,
			       (unsigned long long)run.timeouts);
	}
	if (!sum.ok)
		printf("# %s\n", sum.why);
	sum.ok = sum.ok && sum.timeouts <= x->timeouts_max;
	printf("%sok %u %s\n# %llu timeouts of at most %u, %llu segments sent again, %llu probes, "
	       "slowest %lld ms\n",
	       sum.ok ? "" : "not ", number, x->sc.name, (unsigned long long)sum.timeouts,
	       x->timeouts_max, (unsigned long long)sum.retrans, (unsigned long long)sum.probes,
	       (long long)(slowest_ns / MS));
	return sum.ok;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;
	uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	uint64_t count = argc > 3 ? strtoull(argv[3], NULL, 10) : SEEDS;
	unsigned n = 0, failed = 0;

	for (unsigned i = 0; i < sizeof(wires) / sizeof(wires[0]); i++)
		if (!name || !strcmp(name, wires[i].sc.name))
			failed += !wire_ok(&wires[i], ++n, first, count, name);
	printf("1..%u\n", n);
	return failed || !n;
}
