/* SPDX-License-Identifier: MIT */
/*
 * What goes: the program's bytes, the segments made of them, the timers, the size of a segment.
 *
 * A room that makes a connection owe something to the wire calls tcp_owe(); the frames are built
 * when the owner of the stack pulls (glass_output), so that a batch of received segments is
 * answered once.
 */
#ifndef GLASS_STACK_TCP_OUTPUT_H
#define GLASS_STACK_TCP_OUTPUT_H

#include "tcp_conn.h"

struct tcp_seg;

/* A program may be this much ahead of the network at least, so that the device never waits. */
#define TCP_SEND_AHEAD_BYTES 262144u
#define TCP_BUDGET_BYTES 262144 /* sent by one connection before the next one has its turn */

/* tcp_sendq.c: the program's bytes. */
/* How much may be queued. */
uint32_t tcp_send_limit(const struct tcp_conn *c);
uint32_t tcp_send_space(const struct tcp_conn *c);
bool tcp_writable(const struct tcp_conn *c);
void *tcp_reserve(struct glass *g, struct tcp_conn *c, size_t want, size_t *length);
int tcp_commit(struct glass *g, struct tcp_conn *c, size_t length);
/* There may be room again. */
void tcp_wake_writer(struct glass *g, struct tcp_conn *c);
/* MSG_EOR: what is queued ends a record. */
void tcp_end_record(struct tcp_conn *c);
/* How much of what was never sent may share segments with its first byte. */
uint32_t tcp_record_left(const struct tcp_conn *c, uint32_t unsent);
void tcp_sendq_acked(struct glass *g, struct tcp_conn *c, uint32_t n);
void tcp_sendq_purge(struct glass *g, struct tcp_conn *c);

/* tcp_output.c */
void tcp_owe(struct glass *g, struct tcp_conn *c);
#define tcp_owe_ack(g, c, why)                                \
	do {                                                  \
		EVENT(g, (c)->id, 0, TCP_ACK_WHY, WORD(why)); \
		(c)->ack_now = true;                          \
		tcp_owe(g, c);                                \
	} while (0)
/* Builds frames for the connections that owe something; false: none does. */
bool tcp_output_pending(struct glass *g);

/* tcp_payload.c: segments with bytes of the queue. */
/* How many new bytes congestion and the peer's window let out now. */
uint32_t tcp_sendable(const struct tcp_conn *c);
/* Bytes queued and never sent. */
uint32_t tcp_unsent(const struct tcp_conn *c);
/*
 * len new bytes (or fewer) as one frame, with a FIN when that is wished and they are the last.
 * false: no memory.
 */
bool tcp_send_data(struct glass *g, struct tcp_conn *c, uint32_t len, bool fin);
/* Sends tx again, at most limit bytes of it. false: it did not get out. */
bool tcp_retransmit(struct glass *g, struct tcp_conn *c, struct tcp_tx *tx, uint32_t limit,
		    enum tcp_rtx_kind kind);
/* n bytes of the queue have arrived though no struct tcp_tx knows of them: they went in the SYN. */
void tcp_syn_data_acked(struct glass *g, struct tcp_conn *c, uint32_t n);

/* tcp_segment.c: how large one may be. */
void tcp_set_mss(struct glass *g, struct tcp_conn *c);
/* What we told the peer to send at most, options taken off. */
uint32_t tcp_advmss(const struct tcp_conn *c);

/* tcp_bare.c: segments without. */
void tcp_send_syn(struct glass *g, struct tcp_conn *c);
void tcp_send_ack(struct glass *g, struct tcp_conn *c);
/* SYN-ACK or ACK of an embryo's ghost (tcp_embryo.c). 0: no memory; else the packet's number. */
uint32_t tcp_send_ghost(struct glass *g, struct tcp_conn *ghost, uint8_t flags, uint32_t tsval);
/* One segment with old sequence number: zero-window and keepalive probe. */
void tcp_send_probe(struct glass *g, struct tcp_conn *c);
void tcp_send_rst(struct glass *g, struct tcp_conn *c);
/* RST for a segment that belongs to no connection: RFC 9293 3.10.7.1. */
void tcp_reply_rst(struct glass *g, const struct tcp_seg *seg);
/* An ACK for an unacceptable segment, rate-limited per connection (RFC 5961 7). */
void tcp_challenge(struct glass *g, struct tcp_conn *c);
/* Is it time for another answer of that kind? Then it counts as given. */
bool tcp_may_challenge(const struct glass *g, struct tcp_conn *c);

/* tcp_timer.c */
void tcp_timers_init(struct tcp_conn *c);
void tcp_timers_stop(struct glass *g, struct tcp_conn *c);
/* The firing of a timer as an act; answers the outer act for act_end(). */
uint32_t tcp_timer_enter(struct glass *g, const struct tcp_conn *c, const struct timer *t,
			 uint64_t name);
/* After anything was sent or acknowledged: the one timer that fits now. */
void tcp_rearm(struct glass *g, struct tcp_conn *c, bool restart);
void tcp_arm_ack(struct glass *g, struct tcp_conn *c);
void tcp_arm_life(struct glass *g, struct tcp_conn *c, int64_t delay_ns, uint64_t why);
void tcp_keepalive_start(struct glass *g, struct tcp_conn *c);
/* In FIN-WAIT-2 without a program: how long. */
void tcp_fin_wait_2(struct glass *g, struct tcp_conn *c);

/* tcp_note.c: what a program wants to be told of bytes that it sent. */
/* false: no memory. */
bool tcp_notes_open(struct glass *g, struct tcp_conn *c);
/* What is queued now ends with a byte of which these notes are to be told: GLASS_TELL_*. */
void tcp_note_written(struct glass *g, struct tcp_conn *c, unsigned kinds);
/* snd.nxt or snd.una has moved. */
void tcp_note_moved(struct glass *g, struct tcp_conn *c);
bool tcp_note_waits(const struct tcp_conn *c);
/* false: none waits. */
bool tcp_note_take(struct glass *g, struct tcp_conn *c, struct glass_note *out);
void tcp_notes_free(struct glass *g, struct tcp_conn *c);

/* tcp_urgent.c */
/* The last byte queued is urgent. */
void tcp_urgent_send(struct glass *g, struct tcp_conn *c);
/* The pointer of a segment of ours, and URG in *flags; 0: there is nothing to point at. */
uint16_t tcp_urgent_pointer(struct tcp_conn *c, struct seq seq, uint32_t len, uint8_t *flags);

/* tcp_pmtu.c: how large a segment may be. */
/* RFC 1191; the caller has checked that the quoted segment is in flight (RFC 5927 7). */
void tcp_path_mtu(struct glass *g, struct tcp_conn *c, uint32_t mtu_bytes);
void tcp_pmtu_established(struct glass *g, struct tcp_conn *c);
/* The retransmission timer expired: a black hole? */
void tcp_pmtu_timeout(struct glass *g, struct tcp_conn *c);
/* One segment larger than usual, when it is time for one. true: it was sent. */
bool tcp_pmtu_probe(struct glass *g, struct tcp_conn *c, uint32_t unsent);
void tcp_pmtu_acked(struct glass *g, struct tcp_conn *c);
/* tx is about to be sent again: was it the probe? */
void tcp_pmtu_resent(struct glass *g, struct tcp_conn *c, const struct tcp_tx *tx);

#endif
