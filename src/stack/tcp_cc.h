/* SPDX-License-Identifier: MIT */
/*
 * Congestion control: the algorithms, what is common to them, and ECN.
 */
#ifndef GLASS_STACK_TCP_CC_H
#define GLASS_STACK_TCP_CC_H

#include "tcp_conn.h"

struct tcp_ack_sum;
struct tcp_seg;

/*
 * Congestion control in four verbs; one file is one algorithm, tcp_cc.c calls it. Windows are
 * bytes. What an algorithm must put back upon an undo beside cwnd and ssthresh it does itself.
 */
struct tcp_cc {
	const char *name;
	void (*start)(struct glass *g, struct tcp_conn *c);
	/* sum->delivered bytes arrived while not in recovery: grow cwnd. */
	void (*acked)(struct glass *g, struct tcp_conn *c, const struct tcp_ack_sum *sum);
	/* The new ssthresh upon a loss found without a timeout; cwnd is recovery's affair. */
	uint32_t (*lost)(struct glass *g, struct tcp_conn *c);
	/* The new ssthresh upon a timeout. */
	uint32_t (*timed_out)(struct glass *g, struct tcp_conn *c);
	/* The last reduction was a mistake; NULL: there is nothing to put back. */
	void (*undo)(struct glass *g, struct tcp_conn *c);
	/* Data goes out after idle_ms in which none did; NULL: it does not matter. */
	void (*idle)(struct tcp_conn *c, uint32_t idle_ms);
};
extern const struct tcp_cc tcp_cc_reno, tcp_cc_cubic;

/* By number: TCP_CONGESTION knows them by name, tcp_config and the tunable by number. */
enum { TCP_CC_CUBIC, TCP_CC_RENO, TCP_CC_COUNT };

/* tcp_cc.c: the algorithm of a connection, and what is common to all. */
const struct tcp_cc *tcp_cc_at(unsigned i); /* TCP_CC_*; NULL past the end */
/* Another algorithm goes on with cwnd and ssthresh. */
void tcp_cc_set(struct glass *g, struct tcp_conn *c, unsigned i);
void tcp_cc_start(struct glass *g, struct tcp_conn *c);
void tcp_cc_acked(struct glass *g, struct tcp_conn *c, const struct tcp_ack_sum *sum);
enum tcp_cc_signal { CC_LOSS, CC_TIMEOUT, CC_ECN };
/*
 * A sign of congestion: ssthresh falls; cwnd is the caller's affair. What was before is kept, when
 * this is the first sign of its window (ca_state is CA_OPEN), for tcp_cc_undo().
 */
void tcp_cc_reduce(struct glass *g, struct tcp_conn *c, enum tcp_cc_signal signal);
/*
 * The loss was none (RFC 5682, RFC 2883): cwnd, ssthresh and the algorithm's state are as before
 * the last tcp_cc_reduce(); cwnd never falls by it. The caller sets the state and clears its marks.
 */
void tcp_cc_undo(struct glass *g, struct tcp_conn *c);
/* The handshake is complete. */
void tcp_cc_established(struct glass *g, struct tcp_conn *c);
/* New data is about to leave: a window that rested is not believed (RFC 5681 4.1). */
void tcp_cc_sending(struct glass *g, struct tcp_conn *c);
/* Output has stopped: was it cwnd that stopped it? (RFC 2861) */
void tcp_cc_sent(struct glass *g, struct tcp_conn *c);
/* For the algorithms: what stood for flight_size at the loss; what acked bytes add in slow start,
 * taken from *acked. */
uint32_t tcp_cc_flight(const struct tcp_conn *c);
/*
 * Whether cwnd may grow: it was what held output back. In slow start half a window is enough, for
 * the next one is twice as large; asked at each ACK, so that it ends at twice what was out.
 */
bool tcp_cc_used(const struct tcp_conn *c);
uint32_t tcp_cc_slow_start(const struct tcp_conn *c, uint32_t *acked);
uint32_t tcp_cc_initial(const struct glass *g, const struct tcp_conn *c);
static inline uint32_t tcp_cc_least(const struct tcp_conn *c)
{
	return 2u * c->mss; /* RFC 5681 (4) */
}

/* tcp_cc_cubic.c, for its test */
uint32_t tcp_cube_root(uint64_t v);
uint32_t tcp_cubic_window(const struct tcp_cubic_curve *k, uint32_t mss, uint32_t t_ms);

/* tcp_hystart.c: RFC 9406, for the first slow start of a connection. */
void tcp_hystart_start(struct tcp_conn *c);
/* Every ACK: rounds and round-trip times; may end slow start (ssthresh). */
void tcp_hystart_acked(struct glass *g, struct tcp_conn *c, const struct tcp_ack_sum *sum);

/* tcp_ecn.c: RFC 3168 */
/* What our SYN or SYN-ACK says of it, beside flags. */
uint8_t tcp_ecn_syn(const struct glass *g, struct tcp_conn *c, uint8_t flags);
/* What the peer's did. */
void tcp_ecn_learn(const struct glass *g, struct tcp_conn *c, uint8_t flags);
/* A segment leaves: the flags to add; sets ECT in *tos. */
uint8_t tcp_ecn_mark(struct tcp_conn *c, uint8_t flags, bool new_data, uint8_t *tos);
/* A segment has come whose payload lies in the window. */
void tcp_ecn_data(struct glass *g, struct tcp_conn *c, const struct tcp_seg *seg);
/* An acceptable ACK has come. */
void tcp_ecn_echoed(struct glass *g, struct tcp_conn *c, uint8_t flags);

#endif
