/* SPDX-License-Identifier: MIT */
/*
 * Numbers that an outsider must not guess: initial sequence numbers (RFC 6528) and timestamp
 * offsets (RFC 7323 5.4). Both are a keyed hash of the four addresses, so that one peer learns
 * nothing about another's.
 */
#include "tcp.h"

#define ISN_TICK_NS 4000 /* RFC 9293 3.4.1: the clock goes up about every 4 microseconds */

static uint32_t hash_addresses(const struct hash_key *key, ip4_t laddr, uint16_t lport, ip4_t raddr,
			       uint16_t rport)
{
	return (uint32_t)siphash_u64(key, (uint64_t)laddr << 32 | raddr,
				     (uint64_t)lport << 16 | rport);
}

struct seq tcp_isn(struct glass *g, ip4_t laddr, uint16_t lport, ip4_t raddr, uint16_t rport)
{
	uint32_t clock = (uint32_t)(now(g) / ISN_TICK_NS);

	return seq_of(clock + hash_addresses(&g->tcp->isn_key, laddr, lport, raddr, rport));
}

uint32_t tcp_ts_offset(struct glass *g, ip4_t laddr, uint16_t lport, ip4_t raddr, uint16_t rport)
{
	return hash_addresses(&g->tcp->ts_key, laddr, lport, raddr, rport);
}
