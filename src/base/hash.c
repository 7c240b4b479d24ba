/* SPDX-License-Identifier: MIT */
/* SipHash-2-4: J.-P. Aumasson and D. J. Bernstein, "SipHash: a fast short-input PRF", 2012. */
#include "hash.h"

struct sip {
	uint64_t v0, v1, v2, v3;
};

static uint64_t rotl(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

/* The four words stay in registers, whatever the compiler thinks worth it. */
#define IN_LINE static inline __attribute__((always_inline))

IN_LINE void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = rotl(s->v1, 13) ^ s->v0;
	s->v3 = rotl(s->v3, 16) ^ s->v2;
	s->v0 = rotl(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = rotl(s->v1, 17) ^ s->v2;
	s->v3 = rotl(s->v3, 21) ^ s->v0;
	s->v2 = rotl(s->v2, 32);
}

IN_LINE void sip_start(struct sip *s, const struct hash_key *key)
{
	s->v0 = key->k[0] ^ 0x736f6d6570736575ull;
	s->v1 = key->k[1] ^ 0x646f72616e646f6dull;
	s->v2 = key->k[0] ^ 0x6c7967656e657261ull;
	s->v3 = key->k[1] ^ 0x7465646279746573ull;
}

IN_LINE void sip_word(struct sip *s, uint64_t m)
{
	s->v3 ^= m;
	sip_round(s);
	sip_round(s);
	s->v0 ^= m;
}

IN_LINE uint64_t sip_end(struct sip *s)
{
	s->v2 ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

/* Eight bytes: written out, compilers see one load. */
static uint64_t word_at(const uint8_t *b)
{
	return (uint64_t)b[0] | (uint64_t)b[1] << 8 | (uint64_t)b[2] << 16 | (uint64_t)b[3] << 24 |
	       (uint64_t)b[4] << 32 | (uint64_t)b[5] << 40 | (uint64_t)b[6] << 48 |
	       (uint64_t)b[7] << 56;
}

/* The last ones, less than eight. */
static uint64_t rest_at(const uint8_t *b, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)b[i] << (8 * i);
	return v;
}

uint64_t siphash(const struct hash_key *key, const void *bytes, size_t length)
{
	const uint8_t *b = bytes;
	struct sip s;
	size_t i;

	sip_start(&s, key);
	for (i = 0; i + 8 <= length; i += 8)
		sip_word(&s, word_at(b + i));
	sip_word(&s, rest_at(b + i, length - i) | (uint64_t)(length & 0xff) << 56);
	return sip_end(&s);
}

uint64_t siphash_u64(const struct hash_key *key, uint64_t a, uint64_t b)
{
	struct sip s;

	sip_start(&s, key);
	sip_word(&s, a);
	sip_word(&s, b);
	sip_word(&s, (uint64_t)16 << 56);
	return sip_end(&s);
}
