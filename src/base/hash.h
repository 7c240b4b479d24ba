/* SPDX-License-Identifier: MIT */
/* SipHash-2-4, the keyed hash behind lookup tables, initial sequence numbers and all randomness. */
#ifndef GLASS_BASE_HASH_H
#define GLASS_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_key {
	uint64_t k[2];
};

/* 64 bits that nobody without the key can predict or collide. */
uint64_t siphash(const struct hash_key *key, const void *bytes, size_t length);
/* The same over one or two words, as little-endian bytes. */
uint64_t siphash_u64(const struct hash_key *key, uint64_t a, uint64_t b);

#endif
