/* SPDX-License-Identifier: MIT */
/*
 * What comes: a segment, the rooms that it walks through, the bytes on their way to the program.
 */
#ifndef GLASS_STACK_TCP_INPUT_H
#define GLASS_STACK_TCP_INPUT_H

#include "tcp_conn.h"

/* A segment as it came: host order. len counts the payload, span adds SYN and FIN. */
struct tcp_seg {
	struct seq seq, ack;
	uint32_t len, span;
	uint32_t wnd; /* not scaled */
	uint16_t urgent;
	uint8_t flags;
	uint16_t sport, dport;
	ip4_t src, dst;
	uint8_t tos, ttl;
	uint8_t ifindex; /* of the device that it is heard by: ip_heard_by() */
	/* A SYN that ended a TIME-WAIT: our number has to be beyond the old connection's. */
	bool tw_iss_ok;
	struct seq tw_iss;
	struct tcp_options opt;
};

/* tcp_input.c */
/* The part of the segment that lies in the window; its first byte is rcv.nxt or later. */
void tcp_trim(struct tcp_conn *c, struct pkt *p, struct tcp_seg *seg);
enum verdict tcp_conn_input(struct glass *g, struct tcp_conn *c, struct pkt *p,
			    struct tcp_seg *seg);
/* The same without the record of it. */
enum verdict tcp_segment_arrives(struct glass *g, struct tcp_conn *c, struct pkt *p,
				 struct tcp_seg *seg);

/* tcp_ack.c */
enum verdict tcp_check_ack(struct glass *g, struct tcp_conn *c, struct pkt *p, struct tcp_seg *seg);
/* The handshake's third segment, or a data segment in its place: SYN-RECEIVED is over. */
void tcp_syn_ack_acked(struct glass *g, struct tcp_conn *c, const struct tcp_seg *seg);
void tcp_rtt_sample(struct glass *g, struct tcp_conn *c, int64_t rtt_ns);

/* tcp_reass.c */
/* The payload of an acceptable segment. Consumes p. */
enum verdict tcp_receive(struct glass *g, struct tcp_conn *c, struct pkt *p, struct tcp_seg *seg);
/* The program took n bytes. */
void tcp_consume(struct glass *g, struct tcp_conn *c, uint32_t n);
void tcp_rx_purge(struct glass *g, struct tcp_conn *c);
/* Bytes that had come before: the next ACK says so (RFC 2883). */
void tcp_note_dsack(struct tcp_conn *c, struct seq start, struct seq end);
/* Everything up to the peer's FIN has come. */
void tcp_fin_arrived(struct glass *g, struct tcp_conn *c);

/* tcp_window.c: what the peer may send. */
void tcp_window_init(struct glass *g, struct tcp_conn *c);
/* The window to advertise, moving the edge. */
uint32_t tcp_window(struct glass *g, struct tcp_conn *c);
/* A segment came in order. */
void tcp_window_sample(struct glass *g, struct tcp_conn *c, const struct tcp_seg *seg);
/* The program took n bytes. */
void tcp_window_read(struct glass *g, struct tcp_conn *c, uint32_t n);

/* tcp_urgent.c */
/* What an acceptable segment, not trimmed yet, says of urgent data. */
void tcp_urgent_arrived(struct glass *g, struct tcp_conn *c, const struct tcp_seg *seg);
/* How many bytes the program will read before the urgent one, come or not; -1: there is none. */
int64_t tcp_urgent_at(struct tcp_conn *c);

#endif
