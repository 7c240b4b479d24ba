/* SPDX-License-Identifier: MIT */
/*
 * TCP Fast Open, the client's side: RFC 7413 4.1.3, 4.2. What servers have told is remembered per
 * pair of addresses: the cookie, the MSS, and whether SYNs with the option get lost on the way.
 *
 * Theory of operation. The data of a SYN stays in the send queue and no struct tcp_tx knows of it.
 * When the SYN-ACK acknowledges it, or some of it, so much leaves the queue; what it does not
 * acknowledge is new data, and goes out at once with the third segment. A SYN that is sent again is
 * plain: neither option nor data. If that one is answered, something on the path may swallow the
 * other kind: the destination gets none for a while, twice as long each time.
 *
 * A server that gives no cookie may know the option of the experiment only (tcp_fastopen.c): when
 * the tunable allows, the next request has that form, once.
 *
 * The table has rooms of WAYS places each, chosen by a keyed hash; in a full one the place goes
 * that was used longest ago. It is there from the first cookie on.
 *
 * In: tcp_connect.c, tcp_send_syn, the socket layer.  Out: tcp_send_syn, tcp_syn_data_acked.
 */
#include "keep.h"
#include "tcp.h"
#include "tcp_account.h"
#include "tcp_input.h"
#include "tcp_output.h"

#include <string.h>

enum { CLIENT_WITHOUT_COOKIE = 4 }; /* a bit of the tunable tcp_fastopen */

#define ROOMS 64u
#define WAYS 4u
#define TABLE_BYTES (ROOMS * WAYS * sizeof(struct tcp_hint))
#define OPTIONS_BYTES_MAX 40
#define HEADER_BYTES 40
#define CLOSED_NS (60 * NS_PER_S)
#define CLOSED_SHIFT_MAX 6 /* a bit more than an hour */

/* Of one server as it is reached from one address; raddr 0: the place is free. */
struct tcp_hint {
	ip4_t laddr, raddr;
	int64_t used_ns;
	int64_t closed_ns; /* no option before then */
	uint16_t mss;	   /* as the server told it */
	uint8_t losses;	   /* in a row */
	uint8_t cookie_len;
	bool exp;	/* the next option has the form of the experiment */
	bool exp_tried; /* and has been in vain */
	uint8_t cookie[TCP_FASTOPEN_COOKIE_MAX];
};

static struct tcp_hint *room_of(const struct glass *g, const struct tcp_conn *c)
{
	uint64_t h = siphash_u64(&g->tcp->hash_key, c->laddr, c->raddr);

	return &g->tcp->hints[h % ROOMS * WAYS];
}

/* NULL: nothing is known. */
static struct tcp_hint *hint_find(const struct glass *g, const struct tcp_conn *c)
{
	struct tcp_hint *h = g->tcp->hints ? room_of(g, c) : NULL;

	for (unsigned i = 0; h && i < WAYS; i++, h++)
		if (h->raddr == c->raddr && h->laddr == c->laddr)
			return h;
	return NULL;
}

/* NULL: no memory. */
static struct tcp_hint *hint_make(struct glass *g, const struct tcp_conn *c)
{
	struct tcp_hint *h = hint_find(g, c), *room;

	if (h)
		return h;
	if (!g->tcp->hints)
		g->tcp->hints = pool_alloc(&g->pool, TABLE_BYTES);
	if (!g->tcp->hints) {
		stat_inc(g, STAT_NOMEM);
		return NULL;
	}
	room = h = room_of(g, c);
	for (unsigned i = 1; i < WAYS && h->raddr; i++)
		if (!room[i].raddr || room[i].used_ns < h->used_ns)
			h = &room[i];
	*h = (struct tcp_hint){ .laddr = c->laddr, .raddr = c->raddr };
	return h;
}

void tcp_fastopen_fini(struct glass *g)
{
	pool_free(&g->pool, g->tcp->hints, TABLE_BYTES);
	g->tcp->hints = NULL;
}

void glass_fastopen_forget(struct glass *g)
{
	tcp_fastopen_fini(g);
}

static bool path_closed(const struct glass *g, const struct tcp_hint *h)
{
	return h && now(g) < h->closed_ns;
}

/* RFC 7413 7.3. */
static bool needs_no_cookie(const struct glass *g, const struct tcp_conn *c)
{
	return g->tun.tcp_fastopen & CLIENT_WITHOUT_COOKIE || c->config.fastopen_no_cookie;
}

bool tcp_fastopen_ready(struct glass *g, const struct tcp_conn *c)
{
	const struct tcp_hint *h = hint_find(g, c);

	return ((h && h->cookie_len) || needs_no_cookie(g, c)) && !path_closed(g, h);
}

/* RFC 7413 4.2.2: within the server's MSS, as far as it is known; and the options are long. */
uint32_t tcp_fastopen_room(struct glass *g, const struct tcp_conn *c)
{
	const struct tcp_hint *h = hint_find(g, c);
	uint32_t mss = c->path.mtu_bytes - HEADER_BYTES;

	if (h && h->mss && mss > h->mss)
		mss = h->mss;
	if (c->config.maxseg && mss > c->config.maxseg)
		mss = c->config.maxseg;
	return mss > OPTIONS_BYTES_MAX ? mss - OPTIONS_BYTES_MAX : 0;
}

uint32_t tcp_fastopen_ask(struct glass *g, struct tcp_conn *c, struct tcp_options *o)
{
	struct tcp_hint *h = hint_find(g, c);

	if (path_closed(g, h))
		return 0;
	if (needs_no_cookie(g, c))
		return tcp_fastopen_room(g, c);
	o->fastopen = c->fastopen_asked = true;
	o->fastopen_exp = c->fastopen_exp = h && h->exp && g->tun.tcp_fastopen_experiment;
	if (!h || !h->cookie_len)
		return 0;
	h->used_ns = now(g);
	o->cookie_len = h->cookie_len;
	memcpy(o->cookie, h->cookie, h->cookie_len);
	return tcp_fastopen_room(g, c);
}

void tcp_fastopen_go(struct glass *g, struct tcp_conn *c)
{
	c->syn_waits = false;
	tcp_send_syn(g, c);
}

/* The data of the SYN: taken bytes of it have arrived. */
static void data_answered(struct glass *g, struct tcp_conn *c, uint32_t taken)
{
	uint32_t again = c->syn_data - taken;

	c->syn_data_acked = !again; /* as Linux counts: only if all of it was */
	c->syn_data_again = again;
	EVENT(g, c->id, 0, FAST_OPEN,
	      taken ? WORD("the peer took the SYN's data") : WORD("the SYN's data goes again"),
	      taken ? taken : again);
	stat_inc(g, again ? STAT_TCP_FASTOPEN_ACTIVE_FAIL : STAT_TCP_FASTOPEN_ACTIVE);
	c->account->bytes_retrans += again;
	tcp_syn_data_acked(g, c, taken);
}

/*
 * The plain SYN passed, the one before did not: RFC 7413 4.1.3.1 speaks of one with data. A request
 * for a cookie is a SYN as others, and one may get lost by chance, but not two in a row. (Linux
 * asks again for ever.)
 */
static void path_swallows(struct glass *g, struct tcp_conn *c, struct tcp_hint *h, bool asked)
{
	unsigned shift = h->losses < CLOSED_SHIFT_MAX ? h->losses : CLOSED_SHIFT_MAX;

	if (asked && !h->losses) {
		h->losses = 1;
		return;
	}
	h->closed_ns = now(g) + (CLOSED_NS << shift);
	if (h->losses < UINT8_MAX)
		h->losses++;
	stat_inc(g, STAT_TCP_FASTOPEN_BLACKHOLE);
	EVENT(g, c->id, 0, FAST_OPEN, WORD("the SYN was lost: plain ones for a while"), 0);
}

/* A cookie that was asked for, in a form that is understood here. */
static bool cookie_told(const struct glass *g, const struct tcp_conn *c, const struct tcp_seg *seg)
{
	return c->fastopen_asked && seg->opt.fastopen && seg->opt.cookie_len &&
	       (!seg->opt.fastopen_exp || g->tun.tcp_fastopen_experiment);
}

static void remember_cookie(struct glass *g, struct tcp_conn *c, struct tcp_hint *h,
			    const struct tcp_options *o)
{
	h->exp = o->fastopen_exp;
	h->exp_tried = false;
	h->cookie_len = o->cookie_len;
	memcpy(h->cookie, o->cookie, o->cookie_len);
	EVENT(g, c->id, 0, FAST_OPEN, WORD("the peer tells a cookie"), h->cookie_len);
}

/* A cookie was asked for and none was told: as Linux, the other form is tried once. */
static void other_form(const struct tcp_conn *c, struct tcp_hint *h)
{
	h->exp = !c->fastopen_exp && !h->exp_tried;
	h->exp_tried = h->exp_tried || c->fastopen_exp;
}

/* What the server told, and what the network has. */
static uint32_t mss_known(const struct tcp_conn *c)
{
	uint32_t path = c->path.mtu_bytes - HEADER_BYTES;

	return c->peer_mss < path ? c->peer_mss : path;
}

/* asked: the first SYN had a request, no cookie. */
static void remember(struct glass *g, struct tcp_conn *c, const struct tcp_seg *seg, bool arrived,
		     bool asked)
{
	bool told = cookie_told(g, c, seg),
	     other = asked && !told && g->tun.tcp_fastopen_experiment;
	bool make = told || other || !arrived || needs_no_cookie(g, c);
	struct tcp_hint *h = make ? hint_make(g, c) : hint_find(g, c);

	if (!h)
		return;
	h->used_ns = now(g);
	if (!arrived) {
		path_swallows(g, c, h, asked);
		return;
	}
	h->losses = 0;
	h->mss = (uint16_t)mss_known(c);
	if (told)
		remember_cookie(g, c, h, &seg->opt);
	else if (other)
		other_form(c, h);
}

/* RFC 7413 4.1.3.1: ICMP is a negative response too. But this one tells what will pass. */
void tcp_fastopen_too_large(struct glass *g, struct tcp_conn *c)
{
	if (c->state != TCPS_SYN_SENT || !c->syn_data || !c->fastopen_wanted)
		return;
	c->fastopen_wanted = false; /* once: what follows is plain already */
	EVENT(g, c->id, 0, FAST_OPEN, WORD("too large for the path: a plain SYN"), c->syn_data);
	tcp_send_syn(g, c);
}

void tcp_fastopen_answered(struct glass *g, struct tcp_conn *c, const struct tcp_seg *seg)
{
	uint32_t taken = seg->ack.v - c->snd.iss.v - 1;
	bool data = c->syn_data;

	c->snd.nxt = seg->ack;
	if (data)
		data_answered(g, c, taken);
	if (c->fastopen_asked || data)
		remember(g, c, seg, !c->timeouts || taken || seg->opt.fastopen, !data);
	c->fastopen_asked = false;
}

/* ---- taken along to another stack ------------------------------------------------------------ */

static void hint_fields(struct save *s, struct tcp_hint *h)
{
	SAVE(s, h->laddr);
	SAVE(s, h->raddr);
	SAVE(s, h->used_ns);
	SAVE(s, h->closed_ns);
	SAVE(s, h->mss);
	SAVE(s, h->losses);
	SAVE(s, h->cookie_len);
	SAVE_FLAG(s, h->exp);
	SAVE_FLAG(s, h->exp_tried);
	save_array(s, "cookie", h->cookie, sizeof(h->cookie));
	save_check(s, h->cookie_len <= sizeof(h->cookie), "a fast-open cookie is damaged");
}

/* The keyed hash is that of before, and with it each hint's place. */
void tcp_hints_keep(struct save *s, struct glass *g)
{
	unsigned place = 0;

	for (unsigned i = 0; !save_reading(s) && g->tcp->hints && i < ROOMS * WAYS; i++) {
		if (!g->tcp->hints[i].raddr)
			continue;
		save_begin(s, "hint");
		SAVE_AS(s, "place", i);
		hint_fields(s, &g->tcp->hints[i]);
		save_end(s);
	}
	while (save_reading(s) && save_begin(s, "hint")) {
		SAVE(s, place);
		if (!g->tcp->hints)
			g->tcp->hints = pool_alloc(&g->pool, TABLE_BYTES);
		if (save_check(s, g->tcp->hints && place < ROOMS * WAYS, "a hint is damaged"))
			hint_fields(s, &g->tcp->hints[place]);
		save_end(s);
	}
}
