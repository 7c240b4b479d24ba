/* SPDX-License-Identifier: MIT */
/*
 * The matrix: what wires do to two stacks, and how long it may take at most.
 *
 *	test_sim			all scenarios but the long ones, a few seeds each
 *	test_sim -n 1000		... with a thousand seeds each
 *	test_sim NAME [SEED [COUNT]]	one scenario, one seed: replays a failure
 *
 * The environment: SIM_TRACE=N prints the last N records of both flight recorders after a failure,
 * SIM_STATS=1 all counters.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

#define OFFLOAD (GLASS_OFFLOAD_CSUM | GLASS_OFFLOAD_TSO)
#define KB 1024ull
#define MB (1024ull * 1024)
#define PERCENT 10000u
#define WAY(...)                 \
	{                        \
		{ __VA_ARGS__ }, \
		{                \
			0        \
		}                \
	}
#define LAN .delay_ns = MS / 10, .rate_bit_s = 1000000000ull, .queue_bytes = 1000000

/* ms_max is two to three times what the slowest of a hundred seeds took. */
/* clang-format off */
static const struct scenario matrix[] = {
	{ .name = "perfect", .way = WAY(.delay_ns = 1000), .bytes = { 4 * MB, 4 * MB }, .offload = OFFLOAD,
	  .ms_max = 5 },
	{ .name = "perfect-no-offload", .way = WAY(.delay_ns = 1000), .bytes = { 2 * MB, 2 * MB }, .ms_max = 20 },
	{ .name = "no-delay", .way = WAY(.delay_ns = 0), .bytes = { MB, MB }, .offload = OFFLOAD, .ms_max = 20 },
	{ .name = "mixed-offload", .way = WAY(LAN), .bytes = { 2 * MB, 2 * MB }, .offload = OFFLOAD, .mixed = true,
	  .ms_max = 60 },
	{ .name = "jumbo", .way = WAY(LAN), .bytes = { 2 * MB, 2 * MB }, .mtu_bytes = 9000, .ms_max = 60 },
	{ .name = "mtu-576", .way = WAY(LAN), .bytes = { MB, MB }, .mtu_bytes = 576, .ms_max = 50 },
	{ .name = "loss1", .way = WAY(LAN, .loss = 1 * PERCENT), .bytes = { MB, MB }, .ms_max = 3000 },
	{ .name = "loss1-offload", .way = WAY(LAN, .loss = 1 * PERCENT), .bytes = { 4 * MB, 4 * MB },
	  .offload = OFFLOAD, .ms_max = 3000 },
	{ .name = "loss5", .way = WAY(LAN, .loss = 5 * PERCENT), .bytes = { MB, MB }, .ms_max = 4000 },
	{ .name = "loss20", .way = WAY(LAN, .loss = 20 * PERCENT), .bytes = { 100 * KB, 100 * KB },
	  .ms_max = 30000 },
	{ .name = "reorder", .way = WAY(LAN, .reorder = 10 * PERCENT, .reorder_ns = MS), .bytes = { MB, MB },
	  .ms_max = 300 },
	{ .name = "jitter", .way = WAY(.delay_ns = 5 * MS, .jitter_ns = 5 * MS), .bytes = { MB, MB },
	  .ms_max = 600 },
	{ .name = "duplicate", .way = WAY(LAN, .duplicate = 20 * PERCENT), .bytes = { MB, MB }, .ms_max = 50,
	  .must_drop = "TCP_OLD" },
	{ .name = "corrupt", .way = WAY(LAN, .corrupt = 1 * PERCENT), .bytes = { MB, MB }, .ms_max = 3000,
	  .must_drop = "TCP_BAD_CSUM" },
	{ .name = "corrupt-offload", .way = WAY(LAN, .corrupt = 1 * PERCENT), .bytes = { MB, MB },
	  .offload = OFFLOAD, .ms_max = 3000, .must_drop = "TCP_BAD_CSUM" },
	{ .name = "delay1", .way = WAY(.delay_ns = MS), .bytes = { MB, MB }, .ms_max = 60 },
	{ .name = "delay20", .way = WAY(.delay_ns = 20 * MS), .bytes = { MB, MB }, .ms_max = 800 },
	{ .name = "delay200", .way = WAY(.delay_ns = 200 * MS), .bytes = { MB, MB }, .ms_max = 6000 },
	{ .name = "long-fat", .way = WAY(.delay_ns = 50 * MS, .rate_bit_s = 100000000ull, .queue_bytes = 500000),
	  .bytes = { 4 * MB, 0 }, .offload = OFFLOAD, .ms_max = 3000 },
	{ .name = "thin", .way = WAY(.delay_ns = 10 * MS, .rate_bit_s = 1000000ull, .queue_bytes = 20000),
	  .bytes = { 200 * KB, 50 * KB }, .ms_max = 4000 },
	{ .name = "everything",
	  .way = WAY(.delay_ns = 10 * MS, .jitter_ns = 5 * MS, .rate_bit_s = 20000000ull, .queue_bytes = 100000,
		     .loss = 2 * PERCENT, .duplicate = 2 * PERCENT, .reorder = 5 * PERCENT, .reorder_ns = 20 * MS,
		     .corrupt = PERCENT / 2),
	  .bytes = { 300 * KB, 300 * KB }, .ms_max = 6000 },
	{ .name = "lost-acks", .way = { { LAN }, { LAN, .loss = 20 * PERCENT } }, .bytes = { MB, 0 },
	  .ms_max = 9000 },
	{ .name = "tiny-window", .way = WAY(.delay_ns = MS), .bytes = { 100 * KB, 100 * KB }, .rcvbuf = 2304,
	  .ms_max = 200 },
	{ .name = "tiny-window-loss", .way = WAY(.delay_ns = MS, .loss = 5 * PERCENT), .bytes = { 30 * KB, 30 * KB },
	  .rcvbuf = 2304, .ms_max = 30000 },
	{ .name = "tiny-send-buffer", .way = WAY(.delay_ns = MS), .bytes = { 100 * KB, 100 * KB }, .sndbuf = 4608,
	  .ms_max = 100 },
	{ .name = "slow-reader", .way = WAY(.delay_ns = MS), .bytes = { 500 * KB, 0 }, .rcvbuf = 65536,
	  .read_every_ns = 50 * MS, .read_bytes = 20000, .ms_max = 3000 },
	{ .name = "slow-reader-loss", .way = WAY(.delay_ns = MS, .loss = 5 * PERCENT), .bytes = { 300 * KB, 0 },
	  .rcvbuf = 16384, .read_every_ns = 20 * MS, .read_bytes = 3000, .ms_max = 30000 },
	{ .name = "very-slow-reader", .way = WAY(.delay_ns = MS), .bytes = { 100 * KB, 0 }, .rcvbuf = 8192,
	  .read_every_ns = 3 * S, .read_bytes = 7000, .ms_max = 60000 },
	{ .name = "half-close", .way = WAY(LAN), .bytes = { 500 * KB, 500 * KB }, .ending = END_HALF,
	  .ms_max = 50 },
	{ .name = "half-close-loss", .way = WAY(LAN, .loss = 5 * PERCENT), .bytes = { 100 * KB, 100 * KB },
	  .ending = END_HALF, .ms_max = 4000 },
	{ .name = "nothing-to-say", .way = WAY(LAN), .bytes = { 0, 0 }, .ms_max = 20 },
	{ .name = "one-byte", .way = WAY(LAN, .loss = 10 * PERCENT), .bytes = { 1, 1 }, .ms_max = 40000 },
	{ .name = "close-together", .way = WAY(LAN), .bytes = { 50 * KB, 50 * KB }, .ending = END_TOGETHER,
	  .ms_max = 1500 },
	{ .name = "close-together-loss", .way = WAY(LAN, .loss = 10 * PERCENT), .bytes = { 20 * KB, 20 * KB },
	  .ending = END_TOGETHER, .ms_max = 30000 },
	{ .name = "abort", .way = WAY(LAN), .bytes = { MB, MB }, .ending = END_ABORT, .ms_max = 20 },
	{ .name = "thousand", .way = WAY(LAN), .bytes = { 5 * KB, 10 * KB }, .flows = 1000, .offload = OFFLOAD,
	  .ms_max = 1500 },
	{ .name = "hundred-loss", .way = WAY(LAN, .loss = 3 * PERCENT), .bytes = { 5 * KB, 20 * KB }, .flows = 100,
	  .ms_max = 40000 },
	{ .name = "fifty-share-a-thin-wire",
	  .way = WAY(.delay_ns = 5 * MS, .rate_bit_s = 10000000ull, .queue_bytes = 60000), .bytes = { 40 * KB, 0 },
	  .flows = 50, .ms_max = 12000 },
	{ .name = "nodelay", .way = WAY(.delay_ns = MS), .bytes = { 200 * KB, 200 * KB }, .nodelay = true,
	  .ms_max = 60 },
	{ .name = "blackout", .way = WAY(LAN), .bytes = { 4 * MB, MB }, .down_at_ms = 10, .down_ms = 5000,
	  .ms_max = 15000 },
	{ .name = "little-memory", .way = WAY(LAN), .bytes = { MB, MB }, .mem_max_mb = 1, .ms_max = 10000 },
	{ .name = "little-memory-loss", .way = WAY(LAN, .loss = 2 * PERCENT), .bytes = { MB, MB }, .offload = OFFLOAD,
	  .mem_max_mb = 1, .ms_max = 30000 },
	{ .name = "tiny-mtu-changes", .way = WAY(LAN), .bytes = { MB, MB }, .mtu_at_ms = 3, .mtu_later = 1000,
	  .ms_max = 3000 },
	{ .name = "fast-open", .way = WAY(.delay_ns = 20 * MS), .bytes = { 5 * KB, 10 * KB }, .flows = 200,
	  .fastopen = true, .ms_max = 2500 },
	{ .name = "fast-open-loss", .way = WAY(LAN, .loss = 5 * PERCENT, .duplicate = 5 * PERCENT), .flows = 200,
	  .bytes = { 2 * KB, 3 * KB }, .fastopen = true, .ms_max = 60000, .must_drop = "TCP_OLD" },
	{ .name = "fast-open-one-byte", .way = WAY(LAN, .reorder = 10 * PERCENT, .reorder_ns = 5 * MS), .flows = 100,
	  .bytes = { 1, 1 }, .fastopen = true, .ms_max = 20000 },
	/* Only when asked for by name: minutes. */
	{ .name = "gigabyte", .way = WAY(.delay_ns = MS / 10, .rate_bit_s = 10000000000ull, .queue_bytes = 4000000),
	  .bytes = { 1024 * MB, 1024 * MB }, .offload = OFFLOAD, .by_name = true, .ms_max = 1500 },
	{ .name = "gigabyte-loss", .way = WAY(LAN, .loss = 1 * PERCENT), .bytes = { 1024 * MB, 1024 * MB },
	  .offload = OFFLOAD, .by_name = true, .ms_max = 30000 },
	{ .name = "loss5-long", .way = WAY(LAN, .loss = 5 * PERCENT), .bytes = { 64 * MB, 64 * MB }, .by_name = true,
	  .ms_max = 20000 },
	{ .name = "gigabyte-loss5", .way = WAY(LAN, .loss = 5 * PERCENT), .bytes = { 1024 * MB, 1024 * MB },
	  .by_name = true, .ms_max = 250000 },
};
/* clang-format on */

#define SEEDS 5 /* in a test run */
#define SCENARIOS (sizeof(matrix) / sizeof(matrix[0]))

/* One seed: played twice, and both runs must have written the same trace. */
static bool seed_ok(const struct scenario *sc, uint64_t seed, int64_t *took_ms)
{
	struct verdict_of_run first, second;

	play(sc, seed, true, &first);
	if (first.took_ns / MS > *took_ms)
		*took_ms = first.took_ns / MS;
	if (first.ok) {
		play(sc, seed, true, &second);
		if (second.hash == first.hash)
			return true;
		snprintf(first.why, sizeof(first.why),
			 "two runs of one seed differ: trace hash %016llx and %016llx",
			 (unsigned long long)first.hash, (unsigned long long)second.hash);
	}
	printf("# %s seed %llu: %s\n# replay: test_sim %s %llu\n", sc->name,
	       (unsigned long long)seed, first.why, sc->name, (unsigned long long)seed);
	describe(sc);
	return false;
}

static bool scenario_ok(const struct scenario *sc, unsigned number, uint64_t first, uint64_t count)
{
	int64_t took_ms = 0;
	uint64_t bad = 0;

	for (uint64_t seed = first; seed < first + count && bad < 3; seed++)
		bad += !seed_ok(sc, seed, &took_ms);
	printf("%sok %u %s\n# slowest of %llu seeds: %lld of %lld ms\n", bad ? "not " : "", number,
	       sc->name, (unsigned long long)count, (long long)took_ms, (long long)sc->ms_max);
	fflush(stdout);
	return !bad;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 && argv[1][0] != '-' ? argv[1] : NULL;
	uint64_t first = name && argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	uint64_t count = argc > 3				  ? strtoull(argv[3], NULL, 10)
			 : argc > 2 && strcmp(argv[1], "-n") == 0 ? strtoull(argv[2], NULL, 10)
			 : name					  ? 1
								  : SEEDS;
	unsigned n = 0, failed = 0;

	for (unsigned i = 0; i < SCENARIOS; i++)
		if (name ? strcmp(name, matrix[i].name) == 0 : !matrix[i].by_name)
			failed += !scenario_ok(&matrix[i], ++n, first, count);
	printf("1..%u\n", n);
	return failed || !n;
}
