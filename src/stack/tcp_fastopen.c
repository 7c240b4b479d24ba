/* SPDX-License-Identifier: MIT */
/*
 * TCP Fast Open, the server's side: RFC 7413 4.2.2. A SYN that brings a cookie of ours proves that
 * its sender was reachable at that address before. So its data need not wait for the third segment:
 * it is given to the program at once, and the program's answer goes out at once.
 *
 * Theory of operation. Such a SYN makes a struct tcp_conn in SYN-RECEIVED, no embryo. It waits in
 * the accept queue with its data, if it has some, and may send. snd.una stands behind the SYN from
 * the beginning, so that the send queue and its frames are what they are in ESTABLISHED; the state
 * says that the SYN-ACK is not answered, and until it is, the retransmission timer is its own.
 *
 * Whoever comes with a cookie that is not valid, or not any more, gets one with an ordinary
 * handshake. One of the second key (tcp_fastopen_key.c) is valid, and the SYN-ACK tells a new one.
 *
 * Where nobody can forge an address cookies protect from nothing, and it may be said that none is
 * needed (7.3): by the administrator (tcp_fastopen), or by the program (TCP_FASTOPEN_NO_COOKIE).
 *
 * Before RFC 7413 had an option of its own, an experiment's was in use (RFC 6994: kind 254). When
 * the tunable tcp_fastopen_experiment allows, it is understood, and answered in kind.
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

enum { SERVER = 2, SERVER_WITHOUT_COOKIE = 0x200 }; /* bits of the tunable tcp_fastopen */

#define RESET_KEEP_NS (60 * NS_PER_S) /* as Linux */

void tcp_fastopen_tell(const struct glass *g, const struct tcp_conn *c, struct tcp_options *o)
{
	o->fastopen = true;
	o->fastopen_exp = c->fastopen_exp;
	o->cookie_len = TCP_FASTOPEN_KEYED_BYTES;
	tcp_fastopen_make(g, c->fastopen_of, c->raddr, c->laddr, o->cookie);
}

/* RFC 7413 4.2.2, 5.1: PendingFastOpenRequests. */
static bool limit_reached(const struct glass *g, struct tcp_listener *l)
{
	if (l->fastopen_resets && now(g) - l->fastopen_reset_ns >= RESET_KEEP_NS)
		l->fastopen_resets = 0;
	return l->fastopens + l->fastopen_resets >= l->config.fastopen_qlen;
}

static bool takes_part(const struct glass *g, const struct tcp_listener *l)
{
	return g->tun.tcp_fastopen & SERVER && l->config.fastopen_qlen;
}

static bool needs_no_cookie(const struct glass *g, const struct tcp_listener *l)
{
	return g->tun.tcp_fastopen & SERVER_WITHOUT_COOKIE || l->config.fastopen_no_cookie;
}

/* The option speaks for the sender. If not, *e has learned that it is to be told a cookie. */
static bool cookie_checked(struct glass *g, const struct tcp_listener *l, const struct tcp_seg *seg,
			   struct tcp_embryo *e)
{
	unsigned key;

	if (!seg->opt.fastopen || (seg->opt.fastopen_exp && !g->tun.tcp_fastopen_experiment))
		return false;
	e->fastopen_exp = seg->opt.fastopen_exp;
	key = tcp_fastopen_made_with(g, l, seg);
	e->fastopen_tell = key != 1;
	if (!seg->opt.cookie_len) {
		stat_inc(g, STAT_TCP_FASTOPEN_COOKIE_REQD);
		EVENT(g, e->id, 0, FAST_OPEN, WORD("the peer asks for a cookie"), seg->len);
	} else if (!key) {
		stat_inc(g, STAT_TCP_FASTOPEN_PASSIVE_FAIL);
		EVENT(g, e->id, 0, FAST_OPEN, WORD("the cookie is not valid"), seg->len);
	}
	return key;
}

bool tcp_fastopen_check(struct glass *g, struct tcp_listener *l, const struct tcp_seg *seg,
			struct tcp_embryo *e)
{
	if (!takes_part(g, l))
		return false;
	if (!(seg->len && needs_no_cookie(g, l)) && !cookie_checked(g, l, seg, e))
		return false;
	if (limit_reached(g, l)) {
		stat_inc(g, STAT_TCP_FASTOPEN_LISTEN_OVERFLOW);
		EVENT(g, e->id, 0, FAST_OPEN, WORD("too many are under way"), seg->len);
		return false;
	}
	return true;
}

/* The SYN is done with; what it carries arrives. */
static enum verdict take_data(struct glass *g, struct tcp_conn *c, struct pkt *p,
			      struct tcp_seg *seg)
{
	if (!seg->len)
		return accept_packet(g, p);
	c->syn_data_acked = true;
	c->data_segs_in++;
	seg->seq = seq_add(seg->seq, 1);
	seg->flags &= (uint8_t)~TCP_SYN;
	seg->span--;
	tcp_trim(c, p, seg);
	return tcp_receive(g, c, p, seg);
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
	c->fastopen_child = c->connected_once = true;
	c->fastopen_of = e->listener;
	c->fastopen_of->fastopens++;
	c->snd.una = c->snd.nxt;
	c->segs_in++;
	stat_inc(g, STAT_TCP_FASTOPEN_PASSIVE);
	if (e->fastopen_tell) /* and it is valid */
		stat_inc(g, STAT_TCP_FASTOPEN_PASSIVE_ALT_KEY);
	stat_inc(g, STAT_TCP_PASSIVE_OPENS);
	EVENT(g, c->id, p->id, FAST_OPEN, WORD("the SYN's data is accepted"), seg->len);
	v = take_data(g, c, p, seg);
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
