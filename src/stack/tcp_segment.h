/* SPDX-License-Identifier: MIT */
/*
 * What the makers of segments have for each other: tcp_segment.c, tcp_bare.c, tcp_payload.c. What
 * others call is in tcp_output.h.
 */
#ifndef GLASS_STACK_TCP_SEGMENT_H
#define GLASS_STACK_TCP_SEGMENT_H

#include "tcp_conn.h"

struct tcp_out {
	struct seq seq;
	uint32_t len; /* payload */
	uint8_t flags;
	bool is_new; /* its payload was never sent before */
	const struct tcp_options *opt;
};

/* tcp_segment.c */
/* Header in front of p (which has the payload), and away. */
enum verdict tcp_transmit(struct glass *g, struct tcp_conn *c, struct pkt *p,
			  const struct tcp_out *out);
void tcp_syn_options(const struct tcp_conn *c, struct tcp_options *o, uint32_t tsval);
/* Of any other segment, which has len bytes of payload. */
void tcp_ack_options(const struct glass *g, struct tcp_conn *c, struct tcp_options *o,
		     uint32_t len);

/* tcp_payload.c */
/*
 * A packet for *len bytes of payload from (k, off) on, as far as they fit: *len is cut to what did.
 * NULL: no memory.
 */
struct pkt *tcp_payload_packet(struct glass *g, struct tcp_conn *c, struct tcp_chunk *k,
			       uint32_t off, uint32_t *len);
void tcp_note_data_sent(struct glass *g, struct tcp_conn *c, uint32_t len);

#endif
