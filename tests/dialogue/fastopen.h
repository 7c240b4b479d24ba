/* SPDX-License-Identifier: MIT */
/* What the dialogues of TCP Fast Open have in common: how both sides come to a cookie. */
#ifndef TESTS_DIALOGUE_FASTOPEN_H
#define TESTS_DIALOGUE_FASTOPEN_H

#include "dialogue.h"

static inline struct glass_tcp_info info_of(struct dlg *d, struct app *a)
{
	struct glass_tcp_info info;

	glass_tcp_info(dlg_stack(d), a->s, &info);
	return info;
}

static inline bool syn_data(struct dlg *d, struct app *a)
{
	return info_of(d, a).options & GLASS_TCPI_SYN_DATA;
}

/* A listener that takes part. */
static inline void listens(struct dlg *d, struct app *l, int64_t qlen)
{
	tunable(tcp_fastopen, 3);
	app_listen(l, 8080, 10);
	app_setopt(l, OPT_FASTOPEN, qlen);
}

/* The peer asks for its cookie, and gives up. */
static inline long long asks(struct dlg *d)
{
	wire_in(SYN, seq = 0, mss = 1460, fo, sport = 39999);
	wire_out(SYN | ACK, seq = 0, ack = 1, mss = 1460);
	check(dlg_last(d)->fo_ok && dlg_last(d)->cookie_len == 8);
	wire_in(RST, seq = 1);
	return (long long)dlg_last(d)->cookie;
}

static inline long long server(struct dlg *d, struct app *l, int64_t qlen)
{
	listens(d, l, qlen);
	return asks(d);
}

/* The peer's SYN with n bytes: they are taken, and the SYN-ACK tells no cookie. */
static inline void opens(struct dlg *d, long long cookie, unsigned sport, unsigned n)
{
	wire_inf("SYN, seq=0, mss=1000, cookie=%lld, len=%u, sport=%u", cookie, n, sport);
	wire_outf("SYN|ACK, seq=0, ack=%u, len=0, nofo", n + 1);
}

/* A client that has the cookie of 10.0.0.5. */
static inline void client(struct dlg *d)
{
	struct app *a = dlg_app(d);

	app_connect_send(a, 8080, 100, -EINPROGRESS);
	wire_out(SYN, seq = 0, len = 0, fo);
	wire_in(SYN | ACK, seq = 0, ack = 1, mss = 1000, cookie = 1234567890123);
	wire_out(ACK, seq = 1, ack = 1, len = 0);
	app_abort(a);
	wire_out(RST | ACK);
}

#endif
