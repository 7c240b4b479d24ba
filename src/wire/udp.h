/* SPDX-License-Identifier: MIT */
/* The UDP header: RFC 768. */
#ifndef GLASS_WIRE_UDP_H
#define GLASS_WIRE_UDP_H

#include "../base/be.h"

#define UDP_HEADER_BYTES 8
#define UDP_CSUM_OFFSET 6
#define UDP_PAYLOAD_MAX_BYTES 65507 /* 65535 less the headers of IP and UDP */

struct udp_header {
	struct be16 sport, dport;
	struct be16 length;   /* of header and payload */
	struct be16 checksum; /* 0: none */
};

#endif
