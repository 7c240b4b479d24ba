/* SPDX-License-Identifier: MIT */
/*
 * Numbers that an outsider must not guess: initial sequence numbers (RFC 6528) and timestamp
 * offsets (RFC 7323 5.4). Both are a keyed hash of the four addresses, so that one peer learns
 * nothing about another's.
 */
#include "tcp.h"

#define ISN_TICK_NS 4000 /* RFC 9293 3.4.1: the clock goes up about every 4 microseconds */

static uint64_t hash_addresses(const struct hash_key *key, const struct tcp_conn *c)
{
	return siphash_u64(key, (uint64_t)c->laddr << 32 | c->raddr,
			   (uint64_t)c->lport << 16 | c->rport);
}

struct seq tcp_isn(struct glass *g, const struct tcp_conn *c)
{
	uint32_t clock = (uint32_t)(now(g) / ISN_TICK_NS);

	return seq_of(clock + (uint32_t)hash_addresses(&g->tcp->isn_key, c));
}

uint32_t tcp_ts_offset(struct glass *g, const struct tcp_conn *c)
{
	return (uint32_t)hash_addresses(&g->tcp->ts_key, c);
}
