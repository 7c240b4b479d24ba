/* SPDX-License-Identifier: MIT */
/* The ICMP header: RFC 792, RFC 1191. */
#ifndef GLASS_WIRE_ICMP_H
#define GLASS_WIRE_ICMP_H

#include <stdint.h>

#include "../base/be.h"

#define ICMP_HEADER_BYTES 8

enum icmp_type {
	ICMP_ECHO_REPLY = 0,
	ICMP_UNREACHABLE = 3,
	ICMP_SOURCE_QUENCH = 4,
	ICMP_REDIRECT = 5,
	ICMP_ECHO = 8,
	ICMP_TIME_EXCEEDED = 11,
	ICMP_PARAMETER = 12,
	ICMP_TIMESTAMP = 13,
	ICMP_TIMESTAMP_REPLY = 14,
	ICMP_INFO = 15,
	ICMP_INFO_REPLY = 16,
	ICMP_MASK = 17,
	ICMP_MASK_REPLY = 18,
};

/* Codes of ICMP_UNREACHABLE and of ICMP_TIME_EXCEEDED. */
enum icmp_code {
	ICMP_NET_UNREACHABLE = 0,
	ICMP_HOST_UNREACHABLE = 1,
	ICMP_PROTO_UNREACHABLE = 2,
	ICMP_PORT_UNREACHABLE = 3,
	ICMP_FRAG_NEEDED = 4,
	ICMP_REASSEMBLY = 1, /* of time exceeded: fragments are missing */
};

struct icmp_header {
	uint8_t type, code;
	struct be16 checksum;
	struct be16 id;	 /* echo; unused in errors */
	struct be16 seq; /* echo; next-hop MTU in "fragmentation needed" (RFC 1191 4) */
};

#endif
