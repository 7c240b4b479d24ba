/* SPDX-License-Identifier: MIT */
/*
 * What operation PCAP writes into the descriptor that came with it: this header and kept_bytes of
 * the frame, for each frame that passes between the stack and its devices. What the stack thinks of
 * it lies in the flight recorder, from record records_from up to, but without, records_to; so the
 * command makes labels of it, and the daemon only copies.
 *
 * A frame that goes out is told when its fate is known, one that came in when the stack is done
 * with it. What "glass net" cuts out of a super-packet and decides for itself is a frame of its
 * own.
 */
#ifndef GLASS_ABI_CAPTURED_H
#define GLASS_ABI_CAPTURED_H

#include <stdint.h>

#define ABI_CAPTURED_MAGIC 0x54504143u /* "CAPT" */
#define ABI_CAPTURED_WHOLE UINT32_MAX
#define ABI_CAPTURED_BYTES_MAX 70000 /* of a frame: a super-packet and its headers */

struct abi_captured {
	uint32_t magic;
	uint32_t kept_bytes, full_bytes;
	uint16_t dev;
	uint8_t raw_ip; /* 1: without Ethernet header */
	uint8_t out;	/* 1: it leaves */
	int64_t realtime_ns;
	uint64_t records_from, records_to;
	uint64_t left_out; /* frames that the reader was too slow for, until now */
	uint32_t act;	   /* its number; 0: that of the first RX among the records */
	uint32_t part_at;  /* where its payload begins in the super-packet's; ABI_CAPTURED_WHOLE */
};

#endif
