/* SPDX-License-Identifier: MIT */
/*
 * SYN cookies: RFC 4987 3.6. When no more embryos may be kept, the SYN-ACK's sequence number
 * itself remembers what the SYN said, and only its sender can bring it back.
 *
 * Theory of operation. The number is, with H a keyed hash of the four addresses and the peer's
 * initial sequence number,
 *
 *	H0 + (minute: 5 bits | MSS: 3 bits | H1 of minute and MSS: 24 bits)
 *
 * H0 hides the minute, so that the numbers stay unpredictable (RFC 6528). A cookie is believed in
 * its minute and the next, and only when this listener has sent one that lately: so a flood of
 * ACKs costs nothing at a listener that is not flooded with SYNs. A blind guess hits with 16 of
 * 2^32. The MSS is rounded down to one of a table.
 *
 * What else the SYN offered travels in the six lower bits of the timestamp, which the peer sends
 * back: window scale, SACK, ECN. Without timestamps none of these is used, as on Linux.
 *
 * In: tcp_listen_input.  Out: nothing.
 */
#include "tcp.h"
#include "tcp_input.h"
#include "tcp_listen.h"

#define PERIOD_NS (60 * NS_PER_S)
#define PERIODS_VALID 2u
#define MINUTE_BITS 5
#define MSS_BITS 3
#define HASH_BITS 24
#define HASH_MASK ((1u << HASH_BITS) - 1)

/* The common ones: of Ethernet, PPPoE, tunnels, IPv4's default, jumbo frames; the least is ours. */
static const uint16_t mss_table[1 << MSS_BITS] = { TCP_MSS_MIN, 216,  536,  1300,
						   1400,	1440, 1460, 8960 };

/* The bits in the timestamp. */
#define TS_BITS 6
#define TS_MASK ((1u << TS_BITS) - 1)
#define TS_WSCALE_MASK 15u
#define TS_WSCALE_NONE 15u
#define TS_SACK 16u
#define TS_ECN 32u

static uint32_t minute(const struct glass *g)
{
	return (uint32_t)(now(g) / PERIOD_NS);
}

/* what 0: H0; else H1 of a minute and an MSS. */
static uint32_t cookie_hash(const struct glass *g, const struct tcp_embryo *e, uint64_t what)
{
	const uint64_t words[] = {
		(uint64_t)e->laddr << 32 | e->raddr,
		(uint64_t)e->irs.v << 32 | (uint32_t)e->lport << 16 | e->rport,
		what,
	};

	return (uint32_t)siphash(&g->tcp->cookie_key, words, sizeof(words));
}

static uint32_t cookie_of(const struct glass *g, const struct tcp_embryo *e, uint32_t min,
			  uint32_t mss_index)
{
	uint64_t what = 1ull << 63 | (uint64_t)min << MSS_BITS | mss_index;

	return cookie_hash(g, e, 0) + (min << (MSS_BITS + HASH_BITS) | mss_index << HASH_BITS |
				       (cookie_hash(g, e, what) & HASH_MASK));
}

void tcp_cookie_make(struct glass *g, struct tcp_embryo *e)
{
	uint16_t mss = e->mss ? e->mss : TCP_MSS_DEFAULT;
	uint32_t i = (1 << MSS_BITS) - 1;

	while (i && mss_table[i] > mss)
		i--;
	e->iss = seq_of(cookie_of(g, e, minute(g), i));
	e->is_cookie = true;
	e->mss = mss_table[i];
	if (!e->ts_ok)
		e->wscale_ok = e->sack_ok = e->ecn_ok = false;
	e->listener->cookie_ns = now(g);
}

/* The time of now or a little earlier, such that its lower bits say what the peer has offered. */
uint32_t tcp_cookie_tsval(const struct glass *g, const struct tcp_embryo *e, uint32_t ts_offset)
{
	uint32_t time = (uint32_t)(now(g) / NS_PER_MS);
	uint32_t bits = e->wscale_ok ? e->wscale : TS_WSCALE_NONE;
	uint32_t with;

	bits |= (e->sack_ok ? TS_SACK : 0) | (e->ecn_ok ? TS_ECN : 0);
	with = (time & ~TS_MASK) | bits;
	if ((int32_t)(with - time) > 0)
		with -= 1u << TS_BITS;
	return with + ts_offset;
}

static void read_timestamp(struct glass *g, const struct tcp_seg *seg, struct tcp_embryo *e)
{
	uint32_t bits;

	e->ts_ok = seg->opt.timestamps && g->tun.tcp_timestamps;
	if (!e->ts_ok)
		return;
	e->tsval = seg->opt.tsval;
	bits = seg->opt.tsecr - tcp_ts_offset(g, e->laddr, e->lport, e->raddr, e->rport);
	e->wscale_ok = g->tun.tcp_window_scaling && (bits & TS_WSCALE_MASK) != TS_WSCALE_NONE;
	e->wscale = e->wscale_ok ? bits & TS_WSCALE_MASK : 0;
	e->sack_ok = g->tun.tcp_sack && (bits & TS_SACK);
	e->ecn_ok = bits & TS_ECN;
}

bool tcp_cookie_expected(const struct glass *g, const struct tcp_listener *l)
{
	return g->tun.tcp_syncookies && l->cookie_ns &&
	       now(g) - l->cookie_ns < PERIODS_VALID * PERIOD_NS;
}

bool tcp_cookie_check(struct glass *g, struct tcp_listener *l, const struct tcp_seg *seg,
		      struct tcp_embryo *e)
{
	uint32_t v, age, index;

	*e = (struct tcp_embryo){
		.listener = l,
		.laddr = seg->dst,
		.raddr = seg->src,
		.lport = seg->dport,
		.rport = seg->sport,
		.irs = seq_add(seg->seq,
			       UINT32_MAX), /* it stands at the first byte of the stream */
		.iss = seq_add(seg->ack, UINT32_MAX),
		.wnd = (uint16_t)seg->wnd,
		.is_cookie = true,
	};
	v = e->iss.v - cookie_hash(g, e, 0);
	age = (minute(g) - (v >> (MSS_BITS + HASH_BITS))) & ((1u << MINUTE_BITS) - 1);
	index = v >> HASH_BITS & ((1u << MSS_BITS) - 1);
	if (age >= PERIODS_VALID || cookie_of(g, e, minute(g) - age, index) != e->iss.v)
		return false;
	e->mss = mss_table[index];
	read_timestamp(g, seg, e);
	return true;
}
