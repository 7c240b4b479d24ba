/* SPDX-License-Identifier: MIT */
/* What the recorder knows of one connection, boiled down: what glass why tells. */
#ifndef GLASS_CTL_FACTS_H
#define GLASS_CTL_FACTS_H

#include "story.h"

#define TIMES_MAX 8

/* Something that happened several times. */
struct times {
	uint32_t n;
	int64_t at_ns[TIMES_MAX]; /* the first of them */
};

struct facts {
	const struct conn_story *conn;
	struct times syn, syn_in, arp;
	uint32_t arp_target; /* the neighbour that was asked for */
	bool neigh_answered, neigh_failed, reset, black_hole, established, ended, fin_in, fin_out,
		closed, sent_rst;
	bool fin_in_first;
	uint64_t state; /* TCP state, as records number them */
	int64_t established_ns, reset_ns, end_ns, last_ns, heard_ns, traffic_ns;
	int error;
	uint64_t end_why;
	uint32_t rtx, timeouts, drops;
	uint64_t received, acked,
		sent; /* acked counts SYN and FIN too; sent: payload, retransmissions not */
	struct glass_record icmp; /* the last that came; event 0: none */
	bool has_icmp;
	char dev[64];
};

/* How many segments such a payload is on the wire: a super-packet carries many. event: EV_TX,
 * EV_RX. */
uint32_t wire_segments(const struct story *s, const struct step *t, unsigned event, uint64_t bytes);
void facts_gather(const struct story *s, const struct conn_story *c, struct facts *f);

#endif
