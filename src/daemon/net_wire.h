/* SPDX-License-Identifier: MIT */
/* A bad network: what net_wire.c (frames) and net_keep.c (takeovers) share. */
#ifndef GLASS_DAEMON_NET_WIRE_H
#define GLASS_DAEMON_NET_WIRE_H

#include "../base/impair.h"
#include "../dev/held.h"
#include "../dev/impair_words.h"

#include "daemon.h"

#define NET_FRAME_BYTES_MAX 70000

struct direction {
	struct impair impair;
	struct impair_way way;
	uint64_t seed;
	bool on;
	struct impair_extras *extras; /* that way points at; NULL: nothing */
	struct held held;
};

struct net_wire {
	struct direction direction[2]; /* of enum impair_direction */
	uint8_t frame[NET_FRAME_BYTES_MAX];
};

/* There is one, in which nothing is set. false: no memory. */
bool net_wire_make(struct daemon *d);
void net_turn_on(struct direction *way, const struct impair_way *how, struct impair_extras *extras,
		 uint64_t seed, unsigned which);

#endif
