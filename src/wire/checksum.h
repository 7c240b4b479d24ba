/* SPDX-License-Identifier: MIT */
/*
 * The Internet checksum: RFC 1071, updated in place by RFC 1624.
 *
 * A running sum is 64 bits wide and lies in memory order, so that it is made of whole words as they
 * come; only csum_fold() and csum_sum16() give numbers, in the sense of be16_get() and be16_of().
 * Sums may be added in any order, but a piece that begins at an odd place of the message must say
 * so (csum_add_at).
 */
#ifndef GLASS_WIRE_CHECKSUM_H
#define GLASS_WIRE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

struct pkt;

/* sum and the bytes, which begin at an even place of the message. Any length, any alignment. */
uint64_t csum_add(uint64_t sum, const void *bytes, size_t length);
/* The same for a piece that begins at byte `at` of the message. */
uint64_t csum_add_at(uint64_t sum, size_t at, const void *bytes, size_t length);
/*
 * sum and all bytes of p from offset off, linear and frags; the byte at off is an even place of
 * the message.
 */
uint64_t csum_add_pkt(uint64_t sum, const struct pkt *p, size_t off);
/*
 * The pseudo-header of TCP (RFC 9293 3.1) and UDP (RFC 768): addresses in host order, length of
 * the transport part.
 */
uint64_t csum_pseudo4(uint32_t src, uint32_t dst, uint8_t proto, uint32_t length);

/* The sum as 16 bits: what a field under PKT_CSUM_PARTIAL holds. */
uint16_t csum_sum16(uint64_t sum);
/*
 * The checksum, which is the complement of the sum; of a message that holds its right checksum: 0.
 */
static inline uint16_t csum_fold(uint64_t sum)
{
	return (uint16_t)~csum_sum16(sum);
}
/* The checksum after a field of the message changed from old to new: RFC 1624 [Eqn. 3]. */
uint16_t csum_update16(uint16_t checksum, uint16_t old, uint16_t new);

#endif
