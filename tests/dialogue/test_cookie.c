/* SPDX-License-Identifier: MIT */
/* SYN cookies: RFC 4987 3.6. */
#include "dialogue.h"

/* A dialogue is laid out in columns. */
/* clang-format off */

static struct glass_conn_info info_of(struct dlg *d, struct app *a)
{
	struct glass_conn_info info = { 0 };

	check(!glass_sock_info(dlg_stack(d), a->s, &info));
	return info;
}

/* Too many handshakes are under way: a cookie, no memory; and it opens a connection. */
DIALOGUE(cookie_when_the_syn_queue_is_full)
{
	struct glass_memory before, after;
	struct app *a;

	T(0)	app_listen(l, 8080, 2);
	for (unsigned i = 0; i < 3; i++) {
		wire_inf("SYN, seq=0, mss=1460, sport=%u", 41000 + i);
		wire_out(SYN|ACK, seq=0, ack=1);
	}
		counter(SyncookiesSent, 0);
		glass_memory(dlg_stack(d), &before);
		wire_in(SYN, seq=0, mss=1460, sport=42000);	wire_out(SYN|ACK, seq=0, ack=1, mss=1460);
		glass_memory(dlg_stack(d), &after);
		check(after.bytes == before.bytes);
		counter(SyncookiesSent, 1);
		counter(TCPReqQFullDoCookies, 1);
	T(40)	wire_in(ACK, seq=1, ack=1, sport=42000);
		counter(SyncookiesRecv, 1);
		a = app_accept(l);
		state(a, ESTAB);
		check(info_of(d, a).mss == 1460);
		app_send(a, 100);				wire_out(PSH|ACK, seq=1, ack=1, len=100);
	T(80)	wire_in(PSH|ACK, seq=1, ack=101, len=50);	wire_out(ACK, seq=101, ack=51);
		app_recv(a, 50);
		app_abort(a);					wire_out(RST|ACK);
		wire_out_until(100e3);
}

/* It is sent once: nobody remembers to send it again. */
DIALOGUE(cookie_is_not_retransmitted)
{
	T(0)	tunable(tcp_syncookies, 2);
		app_listen(l, 8080, 5);
		wire_in(SYN, seq=0, mss=1460);			wire_out(SYN|ACK, seq=0, ack=1);
	T(100000) counter(OutSegs, 1);
}

/* T48: everything that the SYN offered comes back by the timestamp. */
DIALOGUE(cookie_keeps_options)
{
	struct app *a;

	T(0)	tunable(tcp_syncookies, 2);
		app_listen(l, 8080, 5);
	T(33)	wire_in(SYN, seq=0, mss=1400, ws=9, sackok, ts);
		wire_out(SYN|ACK, seq=0, ack=1, mss=1460, ws=7, sackok, ts);
	T(70)	wire_in(ACK, seq=1, ack=1, win=100);
		a = app_accept(l);
		check(info_of(d, a).mss == 1388);
		check(info_of(d, a).wscale_snd == 9 && info_of(d, a).wscale_rcv == 7);
		check(info_of(d, a).sack && info_of(d, a).timestamps);
		check(info_of(d, a).snd_wnd == 100 << 9);
	T(100)	wire_in(PSH|ACK, seq=11, ack=1, len=10);	wire_out(ACK, ack=1, sack=11:21, ts);
}

/* The bits never make it a timestamp of the future: time would run backwards for the peer. */
DIALOGUE(cookie_timestamp_is_not_ahead)
{
	uint32_t cookie;

	T(0)	tunable(tcp_syncookies, 2);
		app_listen(l, 8080, 200);
	for (unsigned i = 0; i < 130; i++) {
		dlg_skip_until(d, HERE("a millisecond"), i + 1);
		wire_inf("SYN, seq=0, mss=1460, ts, sport=%u", 41000 + i);
		wire_out(SYN|ACK);
		cookie = dlg_last(d)->tsval;
		wire_in(PSH|ACK, seq=1, ack=1, len=1);
		wire_out(ACK, ack=2);
		check(dlg_last(d)->tsval - cookie < 64);
		app_recv(app_accept(l), 1);
	}
}

DIALOGUE(cookie_keeps_no_more_than_was_offered)
{
	struct app *a;

	T(0)	tunable(tcp_syncookies, 2);
		app_listen(l, 8080, 5);
		wire_in(SYN, seq=0, mss=1460, ts);
		wire_out(SYN|ACK, seq=0, ack=1, nows, nosackok, ts);
	T(40)	wire_in(ACK, seq=1, ack=1, win=1000);
		a = app_accept(l);
		check(!info_of(d, a).sack && info_of(d, a).timestamps);
		check(info_of(d, a).snd_wnd == 1000);
		app_abort(a);					wire_out(RST|ACK);
	T(100)	wire_in(SYN, seq=0, mss=1460, ws=0, sackok, ts, sport=42000);
		wire_out(SYN|ACK, ws=7, sackok);
	T(140)	wire_in(ACK, seq=1, ack=1, win=1000);
		a = app_accept(l);
		check(info_of(d, a).sack && info_of(d, a).wscale_rcv == 7);
}

/* Without timestamps there is no place for them: as Linux, none is used. */
DIALOGUE(cookie_without_timestamps)
{
	struct app *a;

	T(0)	tunable(tcp_syncookies, 2);
		app_listen(l, 8080, 5);
		wire_in(SYN, seq=0, mss=1460, ws=7, sackok);
		wire_out(SYN|ACK, seq=0, ack=1, nows, nosackok, nots);
	T(40)	wire_in(ACK, seq=1, ack=1, win=1000);
		a = app_accept(l);
		check(info_of(d, a).snd_wnd == 1000 && !info_of(d, a).sack);
}

/* The MSS is rounded down, never up. */
DIALOGUE(cookie_rounds_the_mss)
{
	static const unsigned given[] = { 1, 48, 100, 216, 535, 536, 900, 1300, 1399, 1400, 1440, 1459, 1460, 8960 };
	static const unsigned kept[] = { 48, 48, 48, 216, 216, 536, 536, 1300, 1300, 1400, 1440, 1440, 1460, 1460 };
	struct app *a;

	T(0)	tunable(tcp_syncookies, 2);
		app_listen(l, 8080, 50);
	for (unsigned i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
		wire_inf("SYN, seq=0, mss=%u, sport=%u", given[i], 41000 + i);
		wire_out(SYN|ACK);
		wire_in(ACK, seq=1, ack=1);
		a = app_accept(l);
		check(info_of(d, a).mss == kept[i]);
	}
		wire_in(SYN, seq=0, sport=42000);		wire_out(SYN|ACK);
		wire_in(ACK, seq=1, ack=1);
		a = app_accept(l);
		check(info_of(d, a).mss == 536);
}

/* The first data comes in place of a lost ACK, or with it. */
DIALOGUE(cookie_answered_by_data)
{
	struct app *a;

	T(0)	tunable(tcp_syncookies, 2);
		app_listen(l, 8080, 5);
		wire_in(SYN, seq=0, mss=1460);			wire_out(SYN|ACK, seq=0, ack=1);
	T(40)	wire_in(PSH|ACK, seq=1, ack=1, len=100);	wire_out(ACK, seq=1, ack=101);
		a = app_accept(l);
		app_recv(a, 100);
}

/* It is valid in its minute and the next; after that, and anything else, gets a RST. */
DIALOGUE(cookie_grows_old)
{
	T(0)	tunable(tcp_syncookies, 2);
		app_listen(l, 8080, 5);
		wire_in(SYN, seq=0, mss=1460, sport=41000);	wire_out(SYN|ACK, seq=0, ack=1);
		wire_in(SYN, seq=0, mss=1460, sport=41001);	wire_out(SYN|ACK, seq=0, ack=1);
	T(59000) wire_in(ACK, seq=1, ack=1, sport=41000);
		state(app_accept(l), ESTAB);
	T(119000) wire_in(SYN, seq=0, mss=1460, sport=41002);	wire_out(SYN|ACK, seq=0, ack=1);
	T(121000) wire_in(ACK, seq=1, ack=1, sport=41001);	wire_out(RST, seq=1);
		counter(SyncookiesFailed, 1);
		app_ready(l, 0);
}

/* ATTACKS 39: 20,000 guesses, no connection; each is a hash or two. */
DIALOGUE(cookie_forging)
{
	uint32_t guess = 1;

	T(0)	tunable(tcp_syncookies, 2);
		app_listen(l, 8080, 5);
		wire_in(SYN, seq=0, mss=1460);			wire_out(SYN|ACK, seq=0, ack=1);
	for (unsigned i = 0; i < 20000; i++) {
		guess = guess * 1664525 + 1013904223;
		wire_inf("ACK, seq=1, ack=%u", guess);
		wire_skip();
	}
		counter(SyncookiesFailed, 20000);
		counter(SyncookiesRecv, 0);
		app_ready(l, 0);
		/* The right number, but of another connection, or with another of the peer's numbers. */
		wire_inf("ACK, seq=2, ack=1");			wire_out(RST);
		counter(SyncookiesRecv, 0);
	for (uint32_t i = 1; i < 8; i++) {	/* nor with another MSS written into it */
		wire_inf("ACK, seq=1, ack=%u", 1 + (i << 24));	wire_out(RST);
	}
		counter(SyncookiesRecv, 0);
		wire_inf("ACK, seq=1, ack=1");
		counter(SyncookiesRecv, 1);
}

/* A listener that has sent none does not even look. */
DIALOGUE(no_cookie_expected)
{
	T(0)	app_listen(l, 8080, 5);
		wire_in(ACK, seq=1, ack=1);			wire_out(RST);
		counter(SyncookiesFailed, 0);
	T(1)	tunable(tcp_syncookies, 2);
		wire_in(SYN, seq=0, mss=1460);			wire_out(SYN|ACK, seq=0, ack=1);
	T(119000) wire_in(ACK, seq=1, ack=7);			wire_out(RST);
		counter(SyncookiesFailed, 1);
	T(121000) wire_in(ACK, seq=1, ack=7);			wire_out(RST);
		counter(SyncookiesFailed, 1);
		counter(SyncookiesRecv, 0);
}

/* The accept queue is full: silence, and the peer's next segment tries again. */
DIALOGUE(cookie_and_a_full_accept_queue)
{
	struct app *a;

	T(0)	tunable(tcp_syncookies, 2);
		app_listen(l, 8080, 0);
		wire_in(SYN, seq=0, mss=1460, sport=41000);	wire_out(SYN|ACK, seq=0, ack=1);
		wire_in(SYN, seq=0, mss=1460, sport=41001);	wire_out(SYN|ACK, seq=0, ack=1);
		wire_in(ACK, seq=1, ack=1, sport=41000);
		wire_in(ACK, seq=1, ack=1, sport=41001);
		dropped(TCP_BACKLOG, 1);
		app_accept(l);
	T(200)	wire_in(PSH|ACK, seq=1, ack=1, len=10);		wire_out(ACK, seq=1, ack=11);
		a = app_accept(l);
		app_recv(a, 10);
}

/* RFC 6528: cookies are as unpredictable as other initial numbers, the upper bits too. */
DIALOGUE(cookies_are_unpredictable)
{
	unsigned buckets[16] = { 0 };

	T(0)	tunable(tcp_syncookies, 2);
		app_listen(l, 8080, 5);
	for (unsigned i = 0; i < 1600; i++) {
		wire_inf("SYN, seq=0, mss=1460, sport=%u", 40000 + i);
		buckets[dlg_skip(d, HERE("SYN-ACK")).seq >> 28]++;
	}
	for (unsigned i = 0; i < 16; i++)
		check(buckets[i] > 60 && buckets[i] < 140);
}
