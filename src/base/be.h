/* SPDX-License-Identifier: MIT */
/* Fields as they lie on the wire: big-endian, unaligned, and not usable as a number by accident. */
#ifndef GLASS_BASE_BE_H
#define GLASS_BASE_BE_H

#include <stdint.h>

struct be16 {
	uint8_t b[2];
};

struct be32 {
	uint8_t b[4];
};

static inline uint16_t be16_get(struct be16 f)
{
	return (uint16_t)(f.b[0] << 8 | f.b[1]);
}

static inline uint32_t be32_get(struct be32 f)
{
	return (uint32_t)f.b[0] << 24 | (uint32_t)f.b[1] << 16 | (uint32_t)f.b[2] << 8 | f.b[3];
}

static inline struct be16 be16_of(unsigned v)
{
	return (struct be16){ { (uint8_t)(v >> 8), (uint8_t)v } };
}

static inline struct be32 be32_of(uint32_t v)
{
	return (struct be32){ { (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8),
				(uint8_t)v } };
}

#endif
