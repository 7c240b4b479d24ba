/* SPDX-License-Identifier: MIT */
/*
 * A stack that is saved and goes on as a restored one, at any moment: nothing may tell. Worlds out
 * of seeds are played without that and with it, and both runs must have written the same trace, to
 * the last record. Where memory is short that is too much to ask, for the restored stack lies in it
 * otherwise: there only the judge of the bytes decides.
 *
 *	test_sim_takeover [FIRST [COUNT]]
 */
#include <stdio.h>
#include <stdlib.h>

#include "world.h"

#define SEEDS 100
#define PER_MILLION 100000 /* of the steps */

static bool memory_is_short(const struct scenario *sc)
{
	return sc->mem_max_mb || sc->fail_every;
}

static bool seed_ok(uint64_t seed)
{
	struct scenario sc = chaos(seed);
	struct verdict_of_run plain, moved;

	play(&sc, seed, true, &plain);
	sc.takeovers = PER_MILLION;
	play(&sc, seed, true, &moved);
	if (plain.ok && moved.ok && (memory_is_short(&sc) || plain.hash == moved.hash))
		return true;
	printf("# seed %llu: %s\n# replay: test_sim_takeover %llu 1\n", (unsigned long long)seed,
	       !plain.ok   ? plain.why
	       : !moved.ok ? moved.why
			   : "the traces with and without takeovers differ",
	       (unsigned long long)seed);
	describe(&sc);
	return false;
}

int main(int argc, char **argv)
{
	uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : SEEDS;
	unsigned bad = 0;

	for (uint64_t seed = first; seed < first + count && bad < 3; seed++)
		bad += !seed_ok(seed);
	printf("%sok 1 takeovers in seeds %llu to %llu\n1..1\n", bad ? "not " : "",
	       (unsigned long long)first, (unsigned long long)(first + count - 1));
	return bad != 0;
}
