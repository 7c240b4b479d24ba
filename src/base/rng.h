/* SPDX-License-Identifier: MIT */
/*
 * Randomness from one seed: SipHash of a counter. Nobody without the seed can tell what comes
 * next.
 */
#ifndef GLASS_BASE_RNG_H
#define GLASS_BASE_RNG_H

#include <stdint.h>

#include "hash.h"

struct rng {
	struct hash_key key;
	uint64_t counter;
};

static inline void rng_init(struct rng *r, const uint64_t seed[2])
{
	*r = (struct rng){ .key = { { seed[0], seed[1] } } };
}

static inline uint64_t rng_u64(struct rng *r)
{
	return siphash_u64(&r->key, r->counter++, 0x726e67);
}

/* Uniform in 0..n-1 (bias below 2^-32); n > 0. */
static inline uint32_t rng_below(struct rng *r, uint32_t n)
{
	return (uint32_t)(((rng_u64(r) >> 32) * n) >> 32);
}

/* A key of its own for one purpose. */
static inline struct hash_key rng_key(struct rng *r)
{
	uint64_t a = rng_u64(r);

	return (struct hash_key){ { a, rng_u64(r) } };
}

#endif
