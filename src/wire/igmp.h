/* SPDX-License-Identifier: MIT */
/* IGMP's messages: RFC 1112 appendix I, RFC 2236 2, RFC 3376 4. Bytes <-> values, no state. */
#ifndef GLASS_WIRE_IGMP_H
#define GLASS_WIRE_IGMP_H

#include <stdint.h>

#include "../base/be.h"

#define IGMP_ALL_HOSTS 0xe0000001u   /* 224.0.0.1: every host belongs to it, nobody reports it */
#define IGMP_ALL_ROUTERS 0xe0000002u /* 224.0.0.2: where leaves of version 2 go */
#define IGMP_V3_ROUTERS 0xe0000016u  /* 224.0.0.22: where reports of version 3 go */
#define IGMP_TOS 0xc0		     /* RFC 3376 4: internetwork control */
#define IGMP_TENTH_NS 100000000ll    /* unit of the maximum response time */

enum igmp_type {
	IGMP_QUERY = 0x11,
	IGMP_V1_REPORT = 0x12,
	IGMP_V2_REPORT = 0x16,
	IGMP_V2_LEAVE = 0x17,
	IGMP_V3_REPORT = 0x22,
};

/* A query of version 1 (code 0) or 2, a report of either, a leave. */
struct igmp_header {
	uint8_t type, code;
	struct be16 checksum;
	struct be32 group;
};

/* A query of version 3: sources follow. */
struct igmp_query {
	struct igmp_header head;
	uint8_t s_qrv; /* querier's robustness: the low three bits */
	uint8_t qqic;
	struct be16 nsources;
};

/* A report of version 3: records follow. */
struct igmp_report {
	uint8_t type, reserved;
	struct be16 checksum;
	struct be16 reserved2, nrecords;
};

enum igmp_record_type {
	IGMP_IS_INCLUDE = 1,
	IGMP_IS_EXCLUDE,
	IGMP_TO_INCLUDE,
	IGMP_TO_EXCLUDE,
	IGMP_ALLOW,
	IGMP_BLOCK,
};

/* Sources follow. */
struct igmp_record {
	uint8_t type, aux_words;
	struct be16 nsources;
	struct be32 group;
};

/* Max Resp Code and QQIC: a number, or a small floating-point one (RFC 3376 4.1.1, 4.1.7). */
static inline uint32_t igmp_code_value(uint8_t code)
{
	if (code < 128)
		return code;
	return (uint32_t)((code & 15) | 16) << ((code >> 4 & 7) + 3);
}

#endif
