/* SPDX-License-Identifier: MIT */
/* The IPv4 header and its options: RFC 791 3.1. Bytes <-> values, no state. */
#ifndef GLASS_WIRE_IP4_H
#define GLASS_WIRE_IP4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/be.h"

#define IP4_HEADER_BYTES 20
#define IP4_HEADER_MAX_BYTES 60
#define IP4_TOTAL_MAX_BYTES 65535
#define IP4_VERSION_IHL 0x45	 /* of a header without options */
#define IP4_ROUTER_ALERT_BYTES 4 /* RFC 2113 */
#define IP4_MTU_MIN_BYTES 68	 /* RFC 791: every link carries this */

enum ip4_frag_bit {
	IP4_DONT_FRAGMENT = 0x4000,
	IP4_MORE_FRAGMENTS = 0x2000,
	IP4_FRAGMENT_OFFSET = 0x1fff, /* in units of eight bytes */
};

struct ip4_header {
	uint8_t version_ihl; /* version, header length in words */
	uint8_t tos;
	struct be16 total_length, id, frag;
	uint8_t ttl, proto;
	struct be16 checksum;
	struct be32 src, dst;
};

static inline unsigned ip4_version(const struct ip4_header *h)
{
	return h->version_ihl >> 4;
}

static inline unsigned ip4_header_length(const struct ip4_header *h)
{
	return (h->version_ihl & 15) * 4u;
}

enum ip4_option_kind {
	IP4_OPT_END = 0,
	IP4_OPT_NOP = 1,
	IP4_OPT_RECORD_ROUTE = 7,
	IP4_OPT_TIMESTAMP = 68,
	IP4_OPT_LOOSE_ROUTE = 131,
	IP4_OPT_STRICT_ROUTE = 137,
	IP4_OPT_ROUTER_ALERT = 148,
};

struct ip4_option {
	uint8_t kind;
	uint8_t length;	   /* with kind and length octets; 1 for END and NOP */
	const uint8_t *at; /* its kind octet */
};

/*
 * One step of reading options: the option at bytes[at] of length bytes. Answers where the next one
 * begins; length when this was the last; 0 when it is malformed (out->kind tells which).
 */
size_t ip4_option_step(const uint8_t *bytes, size_t length, size_t at, struct ip4_option *out);
/*
 * Record route and timestamp carry a pointer; false: it points into the option's own head (RFC 791
 * 3.1).
 */
bool ip4_option_pointer_ok(const struct ip4_option *o);

/* Recomputes the header's checksum; the header is ip4_header_length(h) bytes long. */
void ip4_set_checksum(struct ip4_header *h);

#endif
