/* SPDX-License-Identifier: MIT */
/*
 * A stack and a peer made by hand, which knows the connection's numbers and abuses them. Either
 * the peer is honest and strangers forge segments: then both streams come through, to the last
 * byte. Or the peer itself is evil: then nothing breaks, memory stays bounded, and in the end
 * nothing is left.
 */
#ifndef TESTS_SIM_HOSTILE_H
#define TESTS_SIM_HOSTILE_H

#include "../../src/base/rng.h"
#include "../dialogue/seg.h"
#include "world.h"

#define STACK_PORT 8080
#define PEER_PORT 33333
#define STACK_IP 0x0a000004u
#define PEER_IP 0x0a000005u

struct hostile {
	struct sim *sim;
	struct rng rng;
	struct verdict_of_run *out;
	bool evil, passive; /* passive: the stack listens, the peer connects */
	bool silent;	    /* the peer says no more */
	bool changes;	    /* bytes were sent that differ from those sent before */

	/* The program on the stack. */
	struct glass_sock *listener, *s;
	uint64_t sent, received;
	bool shut, eof;

	/* The peer. Its stream is to_send bytes, the stack's to_receive. */
	uint64_t to_send, to_receive;
	uint32_t iss, una, nxt, high; /* its own numbers; high: what was ever sent */
	uint32_t irs, rcv_nxt, stack_high;
	bool begun, established, fin_received, fin_sent;
	bool offers_ts, offers_sack, offers_ws, ts, sack;
	uint8_t ws, stack_ws;
	uint16_t mss, win;
	uint32_t stack_win, tsval, stack_ts;
	uint32_t tick_ms;
	unsigned stuck; /* ticks without progress */
	uint8_t quote[64];
	size_t quote_len;
	uint64_t memory_max;
};

void hostile_fail(struct hostile *h, const char *why);
uint8_t hostile_byte(unsigned from, uint64_t place);
bool hostile_chance(struct hostile *h, unsigned percent);

/* peer.c */
struct seg peer_seg(struct hostile *h, uint8_t flags);
void peer_send(struct hostile *h, const struct seg *s);
void peer_connect(struct hostile *h);
/* Sends, sends again, tells its window: every tick. */
void peer_tick(struct hostile *h);
void peer_frame(void *arg, const uint8_t *frame, size_t length);
bool peer_done(const struct hostile *h);

/* forge.c: a segment that is wrong in some way. */
void forge(struct hostile *h);

/* Plays one seed. */
void play_hostile(uint64_t seed, struct verdict_of_run *out);

#endif
