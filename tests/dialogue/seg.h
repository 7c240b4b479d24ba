/* SPDX-License-Identifier: MIT */
/*
 * Frames as a test sees them: built from values, taken apart into values, printed as tcpdump
 * does. Written apart from src/wire, so that the two check each other.
 */
#ifndef TESTS_SEG_H
#define TESTS_SEG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEG_FRAME_MAX 70000
#define SEG_SACK_MAX 4

enum seg_kind { SEG_TCP, SEG_ICMP, SEG_ARP, SEG_OTHER };
enum seg_flag { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32, ECE = 64, CWR = 128 };

struct seg {
	enum seg_kind kind;
	uint8_t src_mac[6], dst_mac[6];
	uint32_t src, dst; /* host order */
	uint8_t ttl, tos;
	bool dont_fragment;
	uint16_t ip_id;

	uint16_t sport, dport; /* ICMP: type and code in sport and dport */
	uint32_t seq, ack;     /* as on the wire; ICMP: ack is the second word */
	uint8_t flags;
	uint16_t win, urgent;
	bool mss_ok, ws_ok, sackok, ts_ok, fo_ok;
	bool fo_exp;	 /* the option of the experiment before it (kind 254) */
	uint64_t cookie; /* of fast open: fo_ok, and its length */
	uint8_t cookie_len;
	uint16_t mss;
	uint8_t ws;
	uint32_t tsval, tsecr;
	unsigned nsack;
	uint32_t sack[SEG_SACK_MAX][2];
	const uint8_t *opt_raw; /* building: these bytes instead of the options above */
	size_t opt_raw_len;
	bool bad_csum; /* building: a transport checksum that is wrong */

	const uint8_t *data; /* payload; ICMP: what follows the eight bytes of header */
	size_t len;
};

/* ARP: op in sport, sender in src, target in dst; its MAC in src_mac. */

/*
 * Takes a frame apart, checks every checksum and length; NULL, or what is wrong with it. data
 * points into frame.
 */
const char *seg_parse(const uint8_t *frame, size_t length, struct seg *out);
/* Builds a frame; returns its length. */
size_t seg_build(uint8_t frame[SEG_FRAME_MAX], const struct seg *s);
/* A line as tcpdump's; sequence numbers relative to seq0 and ack0. Returns out. */
char *seg_text(char *out, size_t size, const struct seg *s, uint32_t seq0, uint32_t ack0);
/* "S." and the like. */
char *seg_flags_text(char out[12], uint8_t flags);
/* The Internet checksum's running sum, and its end. */
uint32_t seg_sum(uint32_t sum, const uint8_t *bytes, size_t n);
uint16_t seg_fold(uint32_t sum);

#endif
