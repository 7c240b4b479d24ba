/* SPDX-License-Identifier: MIT */
/*
 * What the rooms of loss recovery have for each other: tcp_sent.c, tcp_sack.c, tcp_rack.c,
 * tcp_tlp.c, tcp_recovery.c. What others call is in tcp.h.
 */
#ifndef GLASS_STACK_TCP_RECOVERY_H
#define GLASS_STACK_TCP_RECOVERY_H

#include "tcp.h"

/* tcp_sent.c */
static inline struct seq tcp_tx_end(const struct tcp_tx *tx)
{
	return seq_add(tx->seq, tx->len);
}
void tcp_mark_lost(struct glass *g, struct tcp_conn *c, struct tcp_tx *tx, uint64_t why);
/* Takes n bytes of tx out of the counters of its flags. */
void tcp_tx_uncount(struct tcp_conn *c, const struct tcp_tx *tx, uint32_t n);

/* tcp_sack.c */
/* The peer has thrown away what it told of: RFC 2018 8. */
void tcp_sack_forget(struct tcp_conn *c);

/* tcp_rack.c */
void tcp_rack_delivered(struct glass *g, struct tcp_conn *c, const struct tcp_tx *tx,
			struct tcp_ack_sum *sum);
/* Marks what is lost. Answers how long until the next frame would count as lost; 0: none. */
int64_t tcp_rack_detect(struct glass *g, struct tcp_conn *c);
void tcp_rack_dsack(struct tcp_conn *c, const struct tcp_ack_sum *sum);
void tcp_rack_recovered(struct tcp_conn *c);

/* tcp_tlp.c */
/* Until the next probe; 0: this is not the time for one. */
int64_t tcp_tlp_timeout(const struct glass *g, const struct tcp_conn *c);
void tcp_tlp_send(struct glass *g, struct tcp_conn *c);
void tcp_tlp_ack(struct glass *g, struct tcp_conn *c, const struct tcp_seg *seg,
		 const struct tcp_ack_sum *sum);

/* tcp_recovery.c */
void tcp_set_ca(struct glass *g, struct tcp_conn *c, enum tcp_ca_state to, uint64_t name,
		uint64_t why);

/* tcp_timer.c */
int64_t tcp_rto(const struct glass *g, const struct tcp_conn *c, unsigned backoff);

#endif
