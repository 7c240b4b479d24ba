/* SPDX-License-Identifier: MIT */
/*
 * How large a segment may be on this path. Routers tell (RFC 1191), and where they are silent, or
 * their messages are swallowed, the connection finds out itself (RFC 4821): large segments that
 * vanish while timeouts follow each other are a black hole, and smaller ones are tried; later one
 * segment at a time is sent larger than what is known to pass, between the largest that passed and
 * the smallest that did not.
 *
 * tcp_mtu_probing: 0 off, 1 after a black hole showed, 2 from the beginning. 1 by default, unlike
 * Linux: it costs nothing where there is none, for a path that has carried full segments is only
 * suspected after more timeouts than loss explains.
 *
 * In: icmp.c by tcp_user.c, tcp_timer.c, tcp_output.c, tcp_ack.c.  Out: tcp_send_data.
 */
#include "tcp.h"
#include "tcp_account.h"
#include "tcp_cc.h"
#include "tcp_output.h"
#include "tcp_recovery.h"

#define PMTU_MIN_BYTES 552	/* RFC 5927 7.2, and Linux: no smaller path is believed */
#define SUSPECT_TIMEOUTS 2	/* in a row, of a full segment: no such one ever passed */
#define SUSPECT_PROVEN 4	/* the same after such ones have passed */
#define SEARCH_END_BYTES 8	/* as Linux: closer need not be known */
#define SEARCH_CWND_SEGMENTS 11 /* as Linux: the loss of a probe is to be found by what follows */
#define SEARCH_BEHIND_SEGMENTS 4
#define HEADERS_BYTES 40
#define TS_OPTION_BYTES 12

static void set_mtu(struct glass *g, struct tcp_conn *c, uint32_t mtu_bytes, uint64_t why)
{
	c->path.mtu_bytes = mtu_bytes;
	tcp_set_mss(g, c);
	EVENT(g, c->id, 0, TCP_PATH, mtu_bytes, c->mss, why);
}

/* ---- the network tells ----------------------------------------------------------------------- */

/* Segments become smaller, and what is out is sent again in the new size. */
static void path_shrinks(struct glass *g, struct tcp_conn *c, uint32_t mtu_bytes, uint64_t why)
{
	if (c->pmtu_high > mtu_bytes)
		c->pmtu_high = (uint16_t)mtu_bytes;
	if (mtu_bytes >= c->path.mtu_bytes)
		return;
	set_mtu(g, c, mtu_bytes, why);
	if (!tcp_synchronized(c)) {
		tcp_fastopen_too_large(g, c);
		return;
	}
	tcp_resend_all(g, c);
	tcp_owe(g, c);
}

void tcp_path_mtu(struct glass *g, struct tcp_conn *c, uint32_t mtu_bytes)
{
	path_shrinks(g, c, mtu_bytes < PMTU_MIN_BYTES ? PMTU_MIN_BYTES : mtu_bytes,
		     WORD("fragmentation needed"));
}

void tcp_dev_mtu(struct glass *g, unsigned dev)
{
	uint64_t cursor = 0;
	struct tcp_conn *c;

	while ((c = tcp_next(g, &cursor)))
		if (c->path.dev == dev)
			path_shrinks(g, c, g->dev[dev].setup.mtu_bytes,
				     WORD("the device's MTU changed"));
}

/* ---- the network is silent ------------------------------------------------------------------- */

static uint32_t base_mtu(const struct glass *g, const struct tcp_conn *c)
{
	return (uint32_t)g->tun.tcp_base_mss + HEADERS_BYTES + (c->ts_ok ? TS_OPTION_BYTES : 0);
}

static void search_from(struct glass *g, struct tcp_conn *c, uint32_t mtu_bytes, uint64_t why)
{
	if (mtu_bytes >= c->path.mtu_bytes)
		return;
	if (c->pmtu_high < c->path.mtu_bytes)
		c->pmtu_high = (uint16_t)c->path.mtu_bytes;
	c->pmtu_probe = 0;
	set_mtu(g, c, mtu_bytes, why);
}

void tcp_pmtu_established(struct glass *g, struct tcp_conn *c)
{
	if (g->tun.tcp_mtu_probing == 2)
		search_from(g, c, base_mtu(g, c), WORD("a size that passes everywhere, at first"));
}

void tcp_pmtu_timeout(struct glass *g, struct tcp_conn *c)
{
	const struct tcp_tx *head;
	uint32_t half = c->path.mtu_bytes / 2, base = base_mtu(g, c);
	unsigned enough = c->account->mss_proven >= c->mss ? SUSPECT_PROVEN : SUSPECT_TIMEOUTS;

	if (!g->tun.tcp_mtu_probing || c->timeouts < enough || list_empty(&c->out->sent))
		return;
	head = list_first(&c->out->sent, struct tcp_tx, node);
	if (head->len < c->mss)
		return;
	if (c->path.mtu_bytes <= base)
		base = half > PMTU_MIN_BYTES ? half : PMTU_MIN_BYTES;
	search_from(g, c, base, WORD("large segments vanish: a black hole"));
}

/* The size to try now; 0: none. */
static uint32_t probe_size(struct glass *g, struct tcp_conn *c)
{
	uint32_t low = c->path.mtu_bytes;

	if (c->pmtu_high >= low + SEARCH_END_BYTES)
		return c->pmtu_high - low < 2 * SEARCH_END_BYTES ? c->pmtu_high
								 : (low + c->pmtu_high) / 2;
	/* Found. The path may change: RFC 4821 7.3, again after a while, up to what the device
	 * takes. */
	c->account->pmtu_next_ns = now(g) + g->tun.tcp_probe_interval_s * NS_PER_S;
	c->pmtu_high = (uint16_t)g->dev[c->path.dev].setup.mtu_bytes;
	return 0;
}

static bool may_probe(const struct glass *g, const struct tcp_conn *c, uint32_t unsent)
{
	uint32_t need = c->pmtu_high + SEARCH_BEHIND_SEGMENTS * (uint32_t)c->mss;

	return !c->pmtu_probe && c->ca_state == CA_OPEN && !c->timeouts && !c->out->sacked &&
	       c->account && now(g) >= c->account->pmtu_next_ns &&
	       c->cwnd >= SEARCH_CWND_SEGMENTS * (uint32_t)c->mss && unsent >= need &&
	       tcp_in_flight(c) + c->pmtu_high <= c->cwnd &&
	       seq_diff(seq_add(c->snd.una, c->snd.wnd), c->snd.nxt) >= (int32_t)need;
}

bool tcp_pmtu_probe(struct glass *g, struct tcp_conn *c, uint32_t unsent)
{
	uint32_t low = c->path.mtu_bytes, size;
	uint16_t mss = c->mss;
	bool sent;

	if (!may_probe(g, c, unsent) || !(size = probe_size(g, c)))
		return false;
	c->path.mtu_bytes = size;
	tcp_set_mss(g, c);
	if (c->mss <= mss) { /* the peer takes no more */
		c->path.mtu_bytes = low;
		c->pmtu_high = 0;
		return false;
	}
	sent = tcp_send_data(g, c, c->mss, false);
	if (sent) {
		EVENT(g, c->id, 0, TCP_PATH, size, c->mss, WORD("will one of this size pass?"));
		c->pmtu_probe = (uint16_t)size;
		c->account->pmtu_end = c->snd.nxt;
	}
	c->path.mtu_bytes = low;
	c->mss = mss;
	return sent;
}

void tcp_pmtu_acked(struct glass *g, struct tcp_conn *c)
{
	uint32_t size = c->pmtu_probe;

	if (!size || seq_lt(c->snd.una, c->account->pmtu_end))
		return;
	c->pmtu_probe = 0;
	stat_inc(g, STAT_TCP_MTUP_SUCCESS);
	set_mtu(g, c, size, WORD("one of this size passed"));
}

void tcp_pmtu_resent(struct glass *g, struct tcp_conn *c, const struct tcp_tx *tx)
{
	if (!c->pmtu_probe || !seq_eq(seq_add(tx->seq, tx->len), c->account->pmtu_end))
		return;
	stat_inc(g, STAT_TCP_MTUP_FAIL);
	c->pmtu_high = (uint16_t)(c->pmtu_probe - 1);
	c->pmtu_probe = 0;
	/* RFC 4821 7.6.2: the loss of a probe, and of nothing else, is no sign of congestion. */
	if (c->ca_state == CA_RECOVERY && c->out->lost == tx->len) {
		tcp_cc_undo(g, c);
		tcp_set_ca(g, c, CA_OPEN, WORD("Open"), WORD("a probe of the path was lost"));
	}
}
