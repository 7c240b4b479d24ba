/* SPDX-License-Identifier: MIT */
/*
 * The TCP header and its options: RFC 9293 3.1, 3.2; RFC 7323; RFC 2018. Bytes <-> values, no
 * state.
 */
#ifndef GLASS_WIRE_TCP_H
#define GLASS_WIRE_TCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/be.h"
#include "../base/seq.h"

#define TCP_HEADER_BYTES 20
#define TCP_HEADER_MAX_BYTES 60
#define TCP_CSUM_OFFSET 16
#define TCP_SACK_BLOCKS_MAX 4
#define TCP_FASTOPEN_COOKIE_MAX 16 /* RFC 7413 4.1.1: 4 to 16 bytes, an even number */
#define TCP_FASTOPEN_COOKIE_MIN 4

enum tcp_flag {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_PSH = 0x08,
	TCP_ACK = 0x10,
	TCP_URG = 0x20,
	TCP_ECE = 0x40,
	TCP_CWR = 0x80,
};

struct tcp_header {
	struct be16 sport, dport;
	struct be32 seq, ack;
	uint8_t data_offset; /* upper four bits: words */
	uint8_t flags;
	struct be16 window, checksum, urgent;
};

struct tcp_sack_block {
	struct seq start, end;
};

struct tcp_options {
	bool mss_ok, wscale_ok, sack_permitted, timestamps;
	uint16_t mss;
	uint8_t wscale; /* as it came; above 14 counts as 14 (RFC 7323 2.3) */
	uint8_t nsack;
	uint32_t tsval, tsecr;
	struct tcp_sack_block sack[TCP_SACK_BLOCKS_MAX];
	bool fastopen;	   /* RFC 7413; without a cookie: one is asked for */
	bool fastopen_exp; /* in the form of the time before: kind 254 (RFC 6994) */
	uint8_t cookie_len;
	uint8_t cookie[TCP_FASTOPEN_COOKIE_MAX];
};

/*
 * Reads all options of length bytes; what is malformed or unknown is skipped, and ends the
 * reading where it must.
 */
void tcp_options_read(const uint8_t *bytes, size_t length, struct tcp_options *out);
/* Writes them, padded with zeros to a multiple of four; returns the length, at most 40. */
size_t tcp_options_write(uint8_t out[40], const struct tcp_options *o);

#endif
