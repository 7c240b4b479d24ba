/* SPDX-License-Identifier: MIT */
/*
 * What the rooms of loss recovery have for each other: tcp_sent.c, tcp_sack.c, tcp_rack.c,
 * tcp_tlp.c, tcp_undo.c, tcp_recovery.c. What others call is in tcp.h.
 */
#ifndef GLASS_STACK_TCP_RECOVERY_H
#define GLASS_STACK_TCP_RECOVERY_H

#include "tcp.h"

/* tcp_sent.c */
static inline struct seq tcp_tx_end(const struct tcp_tx *tx)
{
	return seq_add(tx->seq, tx->len);
}
/* The frame that has the byte s; NULL: it is not out. */
struct tcp_tx *tcp_sent_find(const struct tcp_conn *c, struct seq s);
void tcp_mark_lost(struct glass *g, struct tcp_conn *c, struct tcp_tx *tx, enum tcp_rtx_kind kind);
/* All but what the peer has. */
void tcp_mark_all_lost(struct glass *g, struct tcp_conn *c, enum tcp_rtx_kind kind);
/* It is with the peer; joined with its neighbours that are. Answers the frame that it became. */
struct tcp_tx *tcp_mark_sacked(struct glass *g, struct tcp_conn *c, struct tcp_tx *tx);
/* Nothing is lost after all: what was not sent again is in flight as before. */
void tcp_unmark_lost(struct glass *g, struct tcp_conn *c);

/* tcp_sack.c */
/* What lies at snd.una was told of: the peer has thrown it away (RFC 2018 8). */
bool tcp_sack_reneged(const struct tcp_conn *c);

/* tcp_rack.c */
/* tx is known to have arrived. */
void tcp_rack_delivered(struct glass *g, struct tcp_conn *c, const struct tcp_tx *tx,
			struct tcp_ack_sum *sum);
/* Marks what is lost. Answers how long until the next frame would count as lost; 0: none. */
int64_t tcp_rack_detect(struct glass *g, struct tcp_conn *c);
void tcp_rack_dsack(struct tcp_conn *c, const struct tcp_ack_sum *sum);
void tcp_rack_recovered(struct tcp_conn *c);
/* A recovery that RACK began was needless. */
void tcp_rack_reordered(struct tcp_conn *c);

/* tcp_tlp.c */
/* Until the next probe, from the last segment or ACK on; 0: this is not the time for one. */
int64_t tcp_tlp_timeout(const struct glass *g, const struct tcp_conn *c);
void tcp_tlp_send(struct glass *g, struct tcp_conn *c);
void tcp_tlp_ack(struct glass *g, struct tcp_conn *c, const struct tcp_seg *seg,
		 const struct tcp_ack_sum *sum);

/* tcp_undo.c */
uint64_t tcp_lost_word(enum tcp_rtx_kind kind);
uint64_t tcp_rtx_word(enum tcp_rtx_kind kind);
/* A recovery begins: what is sent again from here on is watched. */
void tcp_undo_begin(struct tcp_conn *c);
void tcp_undo_resent(struct glass *g, struct tcp_conn *c, const struct tcp_tx *tx);
/* true: the ACK proves that the recovery was needless, and it is taken back. */
bool tcp_undo_check(struct glass *g, struct tcp_conn *c, const struct tcp_ack_sum *sum);

/* tcp_recovery.c */
void tcp_set_ca(struct glass *g, struct tcp_conn *c, enum tcp_ca_state to, uint64_t name,
		uint64_t why);

/* tcp_timer.c */
int64_t tcp_rto(const struct glass *g, const struct tcp_conn *c, unsigned backoff);

#endif
