/* SPDX-License-Identifier: MIT */
/*
 * TCP Fast Open, the server's side: RFC 7413 4.2.2. A SYN that brings a cookie of ours proves that
 * its sender was reachable at that address before. So its data need not wait for the third segment:
 * it is given to the program at once, and the program's answer goes out at once.
 *
 * Theory of operation. The cookie is a keyed hash of both addresses, eight bytes. The key is as
 * old as the stack: a restart makes all cookies invalid, and whoever comes with an old one gets a
 * new one with an ordinary handshake. So there is no second key for the time of a change.
 *
 * Such a SYN makes a struct tcp_conn in SYN-RECEIVED, no embryo. It waits in the accept queue with
 * its data, and may send. snd.una stands behind the SYN from the beginning, so that the send queue
 * and its frames are what they are in ESTABLISHED; the state says that the SYN-ACK is not answered,
 * and until it is, the retransmission timer is the SYN-ACK's.
 *
 * A cookie may be replayed by who stole it, from an address that he does not own (5.1). So each
 * listener has a limit of fast opens under way, TCP_FASTOPEN's value; and one that a RST ended
 * keeps its place for a time, or the thief could reset his own. They are counted, not remembered:
 * all are free again RESET_KEEP_NS after the last.
 *
 * In: tcp_listen_input, tcp_input.c, tcp_ack.c, tcp_state.c.  Out: tcp_receive, tcp_send_syn,
 * tcp_accept_queue.
 */
#include "tcp.h"
#include "tcp_input.h"
#include "tcp_listen.h"
#include "tcp_output.h"

#include <string.h>

#define SERVER_BIT 2 /* of the tunable tcp_fastopen */
#define COOKIE_BYTES 8
#define RESET_KEEP_NS (60 * NS_PER_S) /* as Linux */

static uint64_t cookie_of(const struct glass *g, ip4_t laddr, ip4_t raddr)
{
	return siphash_u64(&g->tcp->fastopen_key, laddr, raddr);
}

void tcp_fastopen_tell(const struct glass *g, const struct tcp_conn *c, struct tcp_options *o)
{
	uint64_t cookie = cookie_of(g, c->laddr, c->raddr);

	o->fastopen = true;
	o->cookie_len = COOKIE_BYTES;
	memcpy(o->cookie, &cookie, COOKIE_BYTES);
}

static bool cookie_valid(const struct glass *g, const struct tcp_seg *seg)
{
	uint64_t cookie = cookie_of(g, seg->dst, seg->src);

	return seg->opt.cookie_len == COOKIE_BYTES &&
	       !memcmp(&cookie, seg->opt.cookie, COOKIE_BYTES);
}

/* RFC 7413 4.2.2, 5.1: PendingFastOpenRequests. */
static bool limit_reached(const struct glass *g, struct tcp_listener *l)
{
	if (l->fastopen_resets && now(g) - l->fastopen_reset_ns >= RESET_KEEP_NS)
		l->fastopen_resets = 0;
	return l->fastopens + l->fastopen_resets >= l->config.fastopen_qlen;
}

bool tcp_fastopen_check(struct glass *g, struct tcp_listener *l, const struct tcp_seg *seg,
			struct tcp_embryo *e)
{
	if (!seg->opt.fastopen || !(g->tun.tcp_fastopen & SERVER_BIT) || !l->config.fastopen_qlen)
		return false;
	if (!seg->opt.cookie_len) {
		stat_inc(g, STAT_TCP_FASTOPEN_COOKIE_REQD);
		EVENT(g, e->id, 0, FAST_OPEN, WORD("the peer asks for a cookie"), seg->len);
		e->fastopen_tell = true;
		return false;
	}
	if (!cookie_valid(g, seg)) {
		stat_inc(g, STAT_TCP_FASTOPEN_PASSIVE_FAIL);
		EVENT(g, e->id, 0, FAST_OPEN, WORD("the cookie is not valid"), seg->len);
		e->fastopen_tell = true;
		return false;
	}
	if (!seg->len)
		return false; /* nothing would be won */
	if (limit_reached(g, l)) {
		stat_inc(g, STAT_TCP_FASTOPEN_LISTEN_OVERFLOW);
		EVENT(g, e->id, 0, FAST_OPEN, WORD("too many are under way"), seg->len);
		return false;
	}
	return true;
}

enum verdict tcp_fastopen_open(struct glass *g, struct tcp_embryo *e, struct pkt *p,
			       struct tcp_seg *seg)
{
	struct tcp_conn *c = tcp_embryo_conn(g, e);
	enum verdict v;

	if (!c) {
		stat_inc(g, STAT_TCP_LISTEN_DROPS);
		return drop(g, p, NO_MEMORY, sizeof(*c), g->pool.bytes);
	}
	c->fastopen_child = c->connected_once = c->syn_data_acked = true;
	c->fastopen_of = e->listener;
	c->fastopen_of->fastopens++;
	c->snd.una = c->snd.nxt;
	c->segs_in++;
	c->data_segs_in++;
	stat_inc(g, STAT_TCP_FASTOPEN_PASSIVE);
	stat_inc(g, STAT_TCP_PASSIVE_OPENS);
	EVENT(g, c->id, p->id, FAST_OPEN, WORD("the SYN's data is accepted"), seg->len);
	seg->seq = seq_add(seg->seq, 1);
	seg->flags &= (uint8_t)~TCP_SYN;
	seg->span--;
	tcp_trim(c, p, seg);
	v = tcp_receive(g, c, p, seg);
	tcp_send_syn(g, c); /* acknowledges the data too */
	tcp_accept_queue(g, e->listener, c);
	return v;
}

void tcp_fastopen_left(struct glass *g, struct tcp_conn *c, bool reset)
{
	struct tcp_listener *l = c->fastopen_of;

	if (!l)
		return;
	l->fastopens--;
	c->fastopen_of = NULL;
	if (!reset)
		return;
	l->fastopen_resets++;
	l->fastopen_reset_ns = now(g);
}

/* Those that the program has accepted live on. */
void tcp_fastopen_listener_gone(struct glass *g, struct tcp_listener *l)
{
	struct tcp_conn *c;
	uint64_t cursor = 0;

	while (l->fastopens && (c = tcp_next(g, &cursor)))
		if (c->fastopen_of == l)
			tcp_fastopen_left(g, c, false);
}
