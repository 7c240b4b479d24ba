/* SPDX-License-Identifier: MIT */
/*
 * The account of a connection: what it did, what held it back and how long, how fast it was.
 */
#ifndef GLASS_STACK_TCP_ACCOUNT_H
#define GLASS_STACK_TCP_ACCOUNT_H

#include "tcp_conn.h"

struct tcp_ack_sum;

/*
 * What a connection did: only one that sends has it. It begins with the first byte sent
 * (tcp_account_open), and stays.
 */
struct tcp_account {
	int64_t limit_ns[GLASS_LIMIT_COUNT];
	uint64_t bytes_sent, bytes_acked, bytes_retrans;
	uint32_t retrans_by[RTX_KINDS]; /* segments, by enum tcp_rtx_kind */
	uint32_t retrans_spurious;	/* of these: proven to have been needless */
	uint32_t data_segs_out, delivered_segs;
	int64_t last_data_sent_ns;
	uint16_t rtos, rto_recoveries; /* timeouts; runs of them that ended well */
	uint32_t rto_ms;	       /* the time of these runs */

	/* tcp_rate.c */
	uint64_t delivered;    /* bytes ever acknowledged or SACKed */
	uint64_t app_limited;  /* until delivered is beyond this; 0: no */
	int64_t delivered_ns;  /* when it changed last */
	int64_t first_sent_ns; /* of the sample that is going on */
	uint64_t rate_bytes_s;
	int64_t pmtu_next_ns; /* tcp_pmtu.c: no probe before */
	struct seq pmtu_end;  /* of the probe that is out */
	uint16_t mss_proven;  /* largest segment that was delivered */
	bool rate_app_limited;
	struct tcp_notes *notes; /* tcp_note.c; NULL: none were asked for */
};

/* tcp_limit.c: what held it back, and how long. The times of all limiters sum to its life. */
void tcp_limit_start(struct glass *g, struct tcp_conn *c);
void tcp_limit_change(struct glass *g, struct tcp_conn *c, enum glass_limiter limiter);
/* From now on it is this one. */
static inline void tcp_limit(struct glass *g, struct tcp_conn *c, enum glass_limiter limiter)
{
	if (c->limiter != limiter)
		tcp_limit_change(g, c, limiter);
}
/* It turns out that the last wait_ns (as far as the present limiter reaches) were another's. */
void tcp_limit_was(struct glass *g, struct tcp_conn *c, enum glass_limiter limiter,
		   int64_t wait_ns);
void tcp_limit_end(struct glass *g, struct tcp_conn *c);
/* The account into the recorder: its life is over, or nearly so (TIME-WAIT). */
void tcp_limit_tell(struct glass *g, const struct tcp_conn *c);
/* false: no memory. */
bool tcp_account_open(struct glass *g, struct tcp_conn *c);
void tcp_account_free(struct glass *g, struct tcp_conn *c);
int64_t tcp_life_ns(const struct glass *g, const struct tcp_conn *c);
int64_t tcp_limit_ns(const struct glass *g, const struct tcp_conn *c, enum glass_limiter limiter);
/* While something was to be sent or acknowledged. */
int64_t tcp_busy_ns(const struct glass *g, const struct tcp_conn *c);
/* Its word in the trace. */
uint64_t tcp_limit_word(enum glass_limiter limiter);

/* tcp_rate.c */
void tcp_rate_sent(struct glass *g, struct tcp_conn *c, struct tcp_tx *tx);
void tcp_rate_delivered(struct glass *g, struct tcp_conn *c, const struct tcp_tx *tx,
			struct tcp_ack_sum *sum);
/* At the end of an ACK. */
void tcp_rate_sample(struct glass *g, struct tcp_conn *c, const struct tcp_ack_sum *sum);
/* tcp_output has no more to send. */
void tcp_rate_stopped(struct tcp_conn *c);

#endif
