/* SPDX-License-Identifier: MIT */
/*
 * Loss recovery: what the sum of an ACK is, and what its rooms have for others and for each other:
 * tcp_sent.c, tcp_sack.c, tcp_rack.c, tcp_tlp.c, tcp_undo.c, tcp_recovery.c.
 */
#ifndef GLASS_STACK_TCP_RECOVERY_H
#define GLASS_STACK_TCP_RECOVERY_H

#include "tcp_conn.h"

struct tcp_seg;

/* tcp_sent.c, tcp_sack.c, tcp_recovery.c: what of the sent is with the peer, what is lost. */
struct tcp_ack_sum {
	uint32_t acked;			 /* bytes cumulatively acknowledged now */
	uint32_t delivered;		 /* bytes newly acknowledged or SACKed */
	uint32_t sacked;		 /* of these: newly SACKed */
	int64_t rtt_ns;			 /* of the newest segment never resent; -1: none */
	uint32_t prior_flight;		 /* bytes in flight before this ACK */
	uint32_t tsecr;			 /* ts: whose answer it is (RFC 7323) */
	struct tcp_sack_block duplicate; /* dsack: what came twice */
	bool ts, dsack, progress, dupack;
	struct seq head; /* what was at snd.una, and when it was sent last; 0: SACKed before */
	int64_t head_sent_ns;
	bool in_order;	       /* the cumulative part is being looked at, not the blocks */
	bool retrans_acked;    /* something that was sent again is acknowledged */
	bool original_arrived; /* out before the recovery, never sent again, and with the peer */
	bool rate_app_limited;
	/* tcp_rate.c: of the newest frame acknowledged now */
	uint64_t rate_from;
	int64_t rate_from_ns, rate_send_ns;
};
void tcp_sack_read(struct glass *g, struct tcp_conn *c, const struct tcp_seg *seg,
		   struct tcp_ack_sum *sum);
void tcp_sent_acked(struct glass *g, struct tcp_conn *c, struct seq ack, struct tcp_ack_sum *sum);
void tcp_recover(struct glass *g, struct tcp_conn *c, const struct tcp_seg *seg,
		 struct tcp_ack_sum *sum);
void tcp_rack_timeout(struct glass *g, struct tcp_conn *c);
/* RFC 5681: everything not SACKed is lost; cwnd is one segment. */
void tcp_enter_loss(struct glass *g, struct tcp_conn *c);
/* The path takes less than was thought: all that is out goes again, in smaller pieces. */
void tcp_resend_all(struct glass *g, struct tcp_conn *c);
/* Cuts tx so that it is len long; the rest becomes a tx of its own. false: no memory. */
bool tcp_tx_split(struct glass *g, struct tcp_conn *c, struct tcp_tx *tx, uint32_t len);
void tcp_sent_purge(struct glass *g, struct tcp_conn *c);
/* The first frame that is to be sent again; NULL: none. */
struct tcp_tx *tcp_next_lost(const struct tcp_conn *c);
/* The flight of a connection of which nothing is out. */
struct tcp_flight *tcp_flight_none(void);
/* There is a flight that a frame can be put into. false: no memory. */
bool tcp_flight_open(struct glass *g, struct tcp_conn *c);
/* At the end of an ACK: when all is acknowledged, and nothing is left to be learned, it is over. */
void tcp_flight_settle(struct glass *g, struct tcp_conn *c);
void tcp_flight_free(struct glass *g, struct tcp_conn *c);
static inline bool tcp_has_flight(const struct tcp_conn *c)
{
	return c->out != &tcp_no_flight;
}
/* tx goes out for the first time. */
void tcp_sent_add(struct glass *g, struct tcp_conn *c, struct tcp_tx *tx);
/* Lists and counters upon a (re)transmission. */
void tcp_tx_sent(struct glass *g, struct tcp_conn *c, struct tcp_tx *tx);

/* ---- for each other */

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
