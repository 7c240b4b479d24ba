/* SPDX-License-Identifier: MIT */
/* A scenario out of a seed: wires, programs and stacks, everything by chance. */
#include <stdio.h>

#include "inside.h"

#define MS_MAX (1800 * 1000)
#define BOUND_FACTOR 3
#define BURST_FRAMES_MAX 6 /* fewer than the tries of a SYN, or of a closed socket */
#define OFFLOAD (GLASS_OFFLOAD_CSUM | GLASS_OFFLOAD_TSO)

/* One of n values, the first ones more likely. */
static uint64_t pick(struct rng *r, const uint64_t *v, uint32_t n)
{
	uint32_t a = rng_below(r, n), b = rng_below(r, n);

	return v[a < b ? a : b];
}
#define PICK(r, ...)                               \
	pick(r, (const uint64_t[]){ __VA_ARGS__ }, \
	     sizeof((const uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t))

static bool one_in(struct rng *r, uint32_t n)
{
	return rng_below(r, n) == 0;
}

static void way_by_chance(struct rng *r, struct impair_way *w)
{
	w->delay_ns = (int64_t)PICK(r, 100000, 1000, 5000000, 20000000, 100000000);
	w->jitter_ns = (int64_t)PICK(r, 0, 0, 10000, 1000000, 30000000);
	w->rate_bit_s = PICK(r, 0, 1000000000, 100000000, 10000000, 1000000);
	w->queue_bytes = (uint32_t)PICK(r, 1000000, 100000, 30000, 8000);
	w->loss = (uint32_t)PICK(r, 0, 1000, 10000, 50000, 150000);
	w->duplicate = (uint32_t)PICK(r, 0, 0, 1000, 100000);
	w->reorder = (uint32_t)PICK(r, 0, 0, 1000, 100000, 500000);
	w->reorder_ns = (int64_t)PICK(r, 100000, 1000000, 10000000, 300000000);
	w->corrupt = (uint32_t)PICK(r, 0, 0, 1000, 20000);
}

/* Losses that are not by plain chance. */
static void losses_by_chance(struct rng *r, struct impair_way *w)
{
	static const uint16_t kind[] = { IMPAIR_SYN, IMPAIR_FIN, IMPAIR_ACK, IMPAIR_DATA,
					 IMPAIR_AGAIN };

	if (one_in(r, 8)) {
		w->model = IMPAIR_GEMODEL;
		w->burst_frames_max = BURST_FRAMES_MAX;
		w->chance[IMPAIR_P] = (uint32_t)PICK(r, 2000, 10000, 500);
		w->chance[IMPAIR_R] = (uint32_t)PICK(r, 200000, 50000, 500000);
		w->chance[IMPAIR_1_H] = (uint32_t)PICK(r, 500000, 1000000, 100000);
		w->chance[IMPAIR_1_K] = w->loss;
	}
	if (one_in(r, 6))
		w->drop[0] = (struct impair_drop){ .kind = kind[rng_below(r, 5)],
						   .n = (uint32_t)PICK(r, 1, 1, 2, 3, 10, 40),
						   .count = (uint32_t)PICK(r, 1, 1, 2, 4) };
}

static void buffers_by_chance(struct rng *r, struct scenario *sc)
{
	sc->rcvbuf = (int64_t)PICK(r, 0, 0, 65536, 10000, 2304);
	sc->sndbuf = (int64_t)PICK(r, 0, 0, 65536, 10000, 4608);
	if (one_in(r, 4)) {
		sc->read_every_ns = (int64_t)PICK(r, 1000000, 20000000, 300000000);
		sc->read_bytes = 500 + PICK(r, 10000, 2000, 0);
	}
	sc->mem_max_mb = one_in(r, 8);
	sc->write_max = PICK(r, 0, 0, 5000, 1460, 100);
	sc->short_writes = (uint32_t)PICK(r, 0, 0, 100000, 900000);
	sc->fail_every = one_in(r, 16) ? (unsigned)PICK(r, 300, 50, 2000) + rng_below(r, 40) : 0;
}

static void options_by_chance(struct rng *r, struct scenario *sc)
{
	sc->nodelay = one_in(r, 4);
	sc->cork = one_in(r, 16);
	sc->quick_off = one_in(r, 4);
	sc->maxseg = one_in(r, 8) ? (int64_t)PICK(r, 1000, 536, 48) : 0;
	sc->offload = (uint32_t)PICK(r, 0, OFFLOAD, GLASS_OFFLOAD_CSUM);
	sc->mixed = one_in(r, 3);
	sc->offload1 = (uint32_t)PICK(r, 0, OFFLOAD, GLASS_OFFLOAD_CSUM);
	sc->mtu_bytes = (uint32_t)PICK(r, 1500, 9000, 576, 1280, 300);
	sc->ending = (enum ending)rng_below(r, 4);
	sc->abort_side = rng_below(r, 2);
	/* Without it one whose peer's reset was lost would wait for ever: RFC 9293 3.8.4. */
	if (sc->ending == END_ABORT || sc->fail_every)
		sc->keep_idle_s = 10;
}

static void numbers_by_chance(struct rng *r, struct scenario *sc)
{
	if (one_in(r, 4)) {
		sc->near_wrap = (enum near_wrap)(1 + rng_below(r, NEAR_TS_31));
		sc->near_side = rng_below(r, 2);
		sc->near_before = rng_below(r, (uint32_t)PICK(r, 3, 3000, 30000));
	}
	for (unsigned i = 0; i < 2; i++)
		sc->tick_ns[i] = one_in(r, 8) ? (int64_t)PICK(r, 1000000, 10000000, 50000000) : 0;
}

static void events_by_chance(struct rng *r, struct scenario *sc)
{
	if (one_in(r, 8)) {
		sc->down_at_ms = rng_below(r, 1000);
		sc->down_ms = rng_below(r, 8000);
	}
	if (one_in(r, 8)) {
		sc->mtu_at_ms = rng_below(r, 1000);
		sc->mtu_later = 300 + rng_below(r, 1200);
	}
}

/* How many of a million frames of that direction are lost, about. */
static double losses(const struct scenario *sc, unsigned i)
{
	const struct impair_way *w = &sc->way[i];
	const uint32_t *p = w->chance;
	double n = w->loss + w->corrupt + sc->refuse[i];

	if (w->model == IMPAIR_GEMODEL)
		n += (double)p[IMPAIR_1_H] * p[IMPAIR_P] / (p[IMPAIR_P] + p[IMPAIR_R]);
	if (w->rate_bit_s && w->queue_bytes < 50000)
		n += 20000;
	return n + (w->drop[0].n ? 1000 : 0);
}

/* Round trips through the smallest window, each with a timer's wait. */
static double waiting_ms(const struct scenario *sc, double bytes)
{
	double window = 65536, rtt_ms = 300;

	window = sc->rcvbuf && sc->rcvbuf < window ? (double)sc->rcvbuf : window;
	window = sc->sndbuf && sc->sndbuf < window ? (double)sc->sndbuf : window;
	for (unsigned i = 0; i < 2; i++)
		rtt_ms += (double)(sc->way[i].delay_ns + sc->way[i].jitter_ns +
				   (sc->way[i].reorder ? sc->way[i].reorder_ns : 0) +
				   sc->tick_ns[i]) /
			  MS;
	return (bytes / window + 20) * rtt_ms;
}

/*
 * What conditions like these may take at most: several times what the rate, the windows, the
 * reader and a second for each loss come to. Who is told nothing (aborts) is left to keepalive.
 */
static int64_t time_bound_ms(const struct scenario *sc)
{
	double segment = sc->maxseg ? (double)sc->maxseg : sc->mtu_bytes - 52.0, ms = 5000;

	if (sc->ending == END_ABORT || sc->fail_every || sc->mem_max_mb)
		return MS_MAX;
	for (unsigned i = 0; i < 2; i++) {
		double all = (double)sc->bytes[i] * sc->flows, rate = (double)sc->way[i].rate_bit_s;
		double lost = losses(sc, i) + losses(sc, !i);

		ms += rate > 0 ? 8e3 * all / rate * (1 + 80 / segment) : 0;
		ms += waiting_ms(sc, (double)sc->bytes[i]);
		if (sc->read_every_ns)
			ms += (double)sc->bytes[i] / (double)sc->read_bytes *
			      (double)sc->read_every_ns / MS;
		ms += lost > 0 ? 10000 + (all / segment + 20) * lost / 1000 : 0;
	}
	ms += 8 * (double)sc->down_ms;
	return BOUND_FACTOR * ms < MS_MAX ? (int64_t)(BOUND_FACTOR * ms) : MS_MAX;
}

struct scenario chaos(uint64_t seed)
{
	struct scenario sc = { .name = "chaos" };
	struct rng r;

	rng_init(&r, (const uint64_t[2]){ seed, 0x6368616f73 });
	for (unsigned i = 0; i < 2; i++) {
		way_by_chance(&r, &sc.way[i]);
		sc.refuse[i] = one_in(&r, 16) ? (uint32_t)PICK(&r, 1000, 50000) : 0;
		losses_by_chance(&r, &sc.way[i]);
		sc.bytes[i] = PICK(&r, 10000, 0, 1, 60000, 200000);
		sc.bytes[i] += sc.bytes[i] > 1 ? rng_below(&r, 2000) : 0;
	}
	sc.flows = (unsigned)PICK(&r, 1, 1, 2, 5);
	buffers_by_chance(&r, &sc);
	options_by_chance(&r, &sc);
	numbers_by_chance(&r, &sc);
	events_by_chance(&r, &sc);
	sc.fastopen = one_in(&r, 3) && sc.bytes[0];
	sc.ms_max = time_bound_ms(&sc);
	return sc;
}

static void describe_way(const struct scenario *sc, unsigned i)
{
	const struct impair_way *w = &sc->way[i];
	const struct impair_drop *d = &w->drop[0];

	printf("# way %u: delay %lld us, jitter %lld us, rate %llu, queue %u, loss %u, duplicate "
	       "%u, reorder %u by %lld us, corrupt %u, refuse %u; tick %lld us; sends %llu bytes\n",
	       i, (long long)w->delay_ns / 1000, (long long)w->jitter_ns / 1000,
	       (unsigned long long)w->rate_bit_s, w->queue_bytes, w->loss, w->duplicate, w->reorder,
	       (long long)w->reorder_ns / 1000, w->corrupt, sc->refuse[i],
	       (long long)sc->tick_ns[i] / 1000, (unsigned long long)sc->bytes[i]);
	if (w->model == IMPAIR_GEMODEL)
		printf("# way %u: bursts begin %u, end %u, lose %u\n", i, w->chance[IMPAIR_P],
		       w->chance[IMPAIR_R], w->chance[IMPAIR_1_H]);
	if (d->n)
		printf("# way %u: swallows %u of kind %u from the %uth\n", i, d->count, d->kind,
		       d->n);
}

void describe(const struct scenario *sc)
{
	describe_way(sc, 0);
	describe_way(sc, 1);
	printf("# flows %u, offload %u %u %s, mtu %u then %u at %lld ms, rcvbuf %lld, sndbuf %lld, "
	       "reads %zu every %lld us, writes %zu, short %u, nodelay %d, cork %lld, quickack off "
	       "%lld, maxseg %lld, fast open %d\n",
	       sc->flows, sc->offload, sc->offload1, sc->mixed ? "mixed" : "", sc->mtu_bytes,
	       sc->mtu_later, (long long)sc->mtu_at_ms, (long long)sc->rcvbuf,
	       (long long)sc->sndbuf, sc->read_bytes, (long long)sc->read_every_ns / 1000,
	       sc->write_max, sc->short_writes, sc->nodelay, (long long)sc->cork,
	       (long long)sc->quick_off, (long long)sc->maxseg, sc->fastopen);
	printf("# ending %d by %u, memory %lld MiB, each %uth allocation fails, down at %lld for "
	       "%lld ms, near wrap %d of side %u by %u; %lld ms at most\n",
	       (int)sc->ending, sc->abort_side, (long long)sc->mem_max_mb, sc->fail_every,
	       (long long)sc->down_at_ms, (long long)sc->down_ms, (int)sc->near_wrap, sc->near_side,
	       sc->near_before, (long long)sc->ms_max);
}
