/* SPDX-License-Identifier: MIT */
/* The Internet checksum, eight bytes at a time: see checksum.h. */
#include "checksum.h"

#include <string.h>

#include "../base/be.h"
#include "../base/pkt.h"

/* One's complement addition: the carry comes in again at the other end (RFC 1071 section 2). */
static inline uint64_t add64(uint64_t a, uint64_t b)
{
	a += b;
	return a + (a < b);
}

static inline uint64_t load64(const uint8_t *b)
{
	uint64_t v;

	memcpy(&v, b, sizeof(v));
	return v;
}

/* Fewer than eight bytes, as if zeros followed them. A piece may stand in any half-word of the sum.
 */
static inline uint64_t add_rest(uint64_t sum, const uint8_t *b, size_t n)
{
	uint32_t four;
	uint16_t two, one = 0;

	if (n & 4) {
		memcpy(&four, b, sizeof(four));
		sum = add64(sum, four);
		b += 4;
	}
	if (n & 2) {
		memcpy(&two, b, sizeof(two));
		sum = add64(sum, two);
		b += 2;
	}
	if (n & 1) {
		memcpy(&one, b, 1);
		sum = add64(sum, one);
	}
	return sum;
}

uint64_t csum_add(uint64_t sum, const void *bytes, size_t length)
{
	const uint8_t *b = bytes;
	uint64_t s1 = 0, s2 = 0, s3 = 0;

	/* Four sums that do not wait for each other's carry. */
	for (; length >= 32; length -= 32, b += 32) {
		sum = add64(sum, load64(b));
		s1 = add64(s1, load64(b + 8));
		s2 = add64(s2, load64(b + 16));
		s3 = add64(s3, load64(b + 24));
	}
	sum = add64(add64(sum, s1), add64(s2, s3));
	for (; length >= 8; length -= 8, b += 8)
		sum = add64(sum, load64(b));
	return add_rest(sum, b, length);
}

uint64_t csum_add_at(uint64_t sum, size_t at, const void *bytes, size_t length)
{
	uint64_t piece = csum_add(0, bytes, length);

	/* At an odd place each byte stands in the other half of its word: RFC 1071 2 (B). */
	if (at & 1)
		piece = piece << 8 | piece >> 56;
	return add64(sum, piece);
}

uint64_t csum_add_pkt(uint64_t sum, const struct pkt *p, size_t off)
{
	size_t at = 0;

	if (off < p->len) {
		at = p->len - off;
		sum = csum_add(sum, p->data + off, at);
		off = 0;
	} else {
		off -= p->len;
	}
	for (unsigned i = 0; i < p->nfrags; i++) {
		const struct frag *f = &p->frag[i];

		if (off >= f->len) {
			off -= f->len;
			continue;
		}
		sum = csum_add_at(sum, at, f->buf->bytes + f->off + off, f->len - off);
		at += f->len - off;
		off = 0;
	}
	return sum;
}

uint64_t csum_pseudo4(uint32_t src, uint32_t dst, uint8_t proto, uint32_t length)
{
	const struct {
		struct be32 src, dst, length, proto;
	} pseudo = { be32_of(src), be32_of(dst), be32_of(length), be32_of(proto) };

	return csum_add(0, &pseudo, sizeof(pseudo));
}

uint16_t csum_sum16(uint64_t sum)
{
	uint16_t folded;
	struct be16 field;

	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	folded = (uint16_t)sum;
	memcpy(&field, &folded, sizeof(field));
	return be16_get(field);
}

uint16_t csum_update16(uint16_t checksum, uint16_t old, uint16_t new)
{
	uint32_t sum = (uint32_t)(uint16_t)~checksum + (uint16_t)~old + new;

	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t)~sum;
}
