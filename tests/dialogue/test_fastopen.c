/* SPDX-License-Identifier: MIT */
/* TCP Fast Open: RFC 7413, both sides. */
#include "dialogue.h"

/* A dialogue is laid out in columns. */
/* clang-format off */

static unsigned info_options(struct dlg *d, struct app *a)
{
	struct glass_tcp_info info;

	glass_tcp_info(dlg_stack(d), a->s, &info);
	return info.options;
}

static unsigned long long memory_now(struct dlg *d)
{
	struct glass_memory m;

	glass_memory(dlg_stack(d), &m);
	return m.bytes;
}

/* A listener that takes part; the peer asks for its cookie with an ordinary handshake. */
static long long server(struct dlg *d, struct app *l, int64_t qlen)
{
	long long cookie;
	struct app *a;

	tunable(tcp_fastopen, 3);
	app_listen(l, 8080, 10);
	app_setopt(l, OPT_FASTOPEN, qlen);
	wire_in(SYN, seq=0, mss=1460, fo, sport=39999);
	wire_out(SYN|ACK, seq=0, ack=1, mss=1460);
	check(dlg_last(d)->fo_ok && dlg_last(d)->cookie_len == 8);
	cookie = (long long)dlg_last(d)->cookie;
	wire_in(ACK, seq=1, ack=1);
	a = app_accept(l);
	app_abort(a);
	wire_out(RST|ACK);
	return cookie;
}

/* A client that has the cookie of 10.0.0.5. */
static void client(struct dlg *d)
{
	struct app *a = dlg_app(d);

	app_connect_send(a, 8080, 100, -EINPROGRESS);
	wire_out(SYN, seq=0, len=0, fo);
	wire_in(SYN|ACK, seq=0, ack=1, mss=1000, cookie=1234567890123);
	wire_out(ACK, seq=1, ack=1, len=0);
	app_abort(a);
	wire_out(RST|ACK);
}

/* ---- the server ------------------------------------------------------------------------------ */

DIALOGUE(fastopen_cookie_request)
{
	T(0)	server(d, l, 5);
		counter(TCPFastOpenCookieReqd, 1);
		counter(TCPFastOpenPassive, 0);
		/* The same address, the same cookie; whatever the port. */
		wire_in(SYN, seq=0, mss=1460, fo, sport=41000, ws=7, sackok, ts);
		wire_out(SYN|ACK, seq=0, ack=1, ws=7, sackok, ts);
		check(dlg_last(d)->cookie_len == 8);
		/* Nobody has asked: nobody is told. */
		wire_in(SYN, seq=0, mss=1460, sport=41001);	wire_out(SYN|ACK, seq=0, ack=1, nofo);
}

/* The program has the data, and its answer is out, before the handshake is complete. */
DIALOGUE(fastopen_data_both_ways)
{
	long long cookie;
	struct app *a;

	T(0)	cookie = server(d, l, 5);
	T(100)	wire_inf("SYN, seq=0, mss=1000, cookie=%lld, len=300, sport=41000", cookie);
		wire_out(SYN|ACK, seq=0, ack=301, mss=1460, len=0, nofo);
		app_ready(l, GLASS_IN);
		a = app_accept(l);
		state(a, SYN-RECV);
		app_recv(a, 300);
		app_send(a, 1500);			wire_out(ACK, seq=1, ack=301, len=1000);
							wire_out(PSH|ACK, seq=1001, ack=301, len=500);
	T(140)	wire_in(ACK, seq=301, ack=1001);
		state(a, ESTAB);
	T(141)	wire_in(PSH|ACK, seq=301, ack=1501, len=10);
		app_recv(a, 10);
	T(181)						wire_out(ACK, seq=1501, ack=311);
		check(info_options(d, a) & GLASS_TCPI_SYN_DATA);
		counter(TCPFastOpenPassive, 1);
		counter(TCPTimeouts, 0);
	T(190)	wire_in(FIN|ACK, seq=311, ack=1501);	wire_out(ACK, seq=1501, ack=312);
		app_recv_eof(a);
		app_close(a);				wire_out(FIN|ACK, seq=1501, ack=312);
	T(230)	wire_in(ACK, seq=312, ack=1502);
		state(a, CLOSED);
}

/* A request, its answer and both FINs in one round trip and a half. */
DIALOGUE(fastopen_server_closes_before_the_handshake_ends)
{
	long long cookie;
	struct app *a;

	T(0)	cookie = server(d, l, 5);
	T(100)	wire_inf("SYN, seq=0, mss=1000, cookie=%lld, len=300, sport=41000", cookie);
		wire_out(SYN|ACK, seq=0, ack=301);
		a = app_accept(l);
		app_recv(a, 300);
		app_send(a, 200);			wire_out(PSH|ACK, seq=1, ack=301, len=200);
		app_shutdown(a, GLASS_SHUT_WR);		wire_out(FIN|ACK, seq=201, ack=301);
		app_send_error(a, EPIPE);
	T(140)	wire_in(ACK, seq=301, ack=202);
		state(a, FIN-WAIT-2);
	T(150)	wire_in(FIN|ACK, seq=301, ack=202);	wire_out(ACK, seq=202, ack=302);
		state(a, TIME-WAIT);
		app_close(a);
}

/* What is said before the handshake is over and is lost comes again after it. */
DIALOGUE(fastopen_early_answer_is_lost)
{
	long long cookie;
	struct app *a;

	T(0)	cookie = server(d, l, 5);
	T(100)	wire_inf("SYN, seq=0, mss=1000, cookie=%lld, len=300, sport=41000", cookie);
		wire_out(SYN|ACK, seq=0, ack=301);
		a = app_accept(l);
		app_recv(a, 300);
		app_send(a, 200);			wire_out(PSH|ACK, seq=1, ack=301, len=200);
	T(140)	wire_in(ACK, seq=301, ack=1);
		state(a, ESTAB);
		wire_out_within(140, 1500, RTX, seq=1, len=200);
		wire_in(ACK, seq=301, ack=201);
		app_abort(a);				wire_out(RST|ACK);
}

/* The SYN-ACK is lost, or the SYN comes twice: SYN-ACK again, the data once. */
DIALOGUE(fastopen_syn_comes_twice)
{
	long long cookie;
	struct app *a;

	T(0)	cookie = server(d, l, 5);
	T(100)	wire_inf("SYN, seq=0, mss=1000, cookie=%lld, len=300, sport=41000", cookie);
		wire_out(SYN|ACK, seq=0, ack=301);
		wire_inf("SYN, seq=0, mss=1000, cookie=%lld, len=300, sport=41000", cookie);
		wire_out(RTX, seq=0, ack=301);
		dropped(TCP_OLD, 1);
		wire_inf("SYN, seq=0, mss=1000, cookie=%lld, len=300, sport=41000", cookie);
		dropped(TCP_OLD, 2);		/* not more often than twice a second */
	T(1100)						wire_out(RTX, seq=0, ack=301);
	T(1200)	wire_in(SYN, seq=0, mss=1000, sport=41000);	wire_out(RTX, seq=0, ack=301);
	T(1240)	wire_in(ACK, seq=301, ack=1);
		a = app_accept(l);
		app_recv(a, 300);
		state(a, ESTAB);
		app_recv_error(a, EAGAIN);
	T(2000)	wire_inf("SYN, seq=0, mss=1000, cookie=%lld, len=300, sport=41000", cookie);
		wire_out(ACK, seq=1, ack=301, len=0);
		counter(TCPFastOpenPassive, 1);
		app_ready(l, 0);
}

/* Nobody answers the SYN-ACK: it is given up as any other, and the program is told. */
DIALOGUE(fastopen_handshake_is_never_completed)
{
	long long cookie;
	struct app *a;

	T(0)	cookie = server(d, l, 1);
		tunable(tcp_synack_retries, 2);
	T(100)	wire_inf("SYN, seq=0, mss=1000, cookie=%lld, len=300, sport=41000", cookie);
		wire_out(SYN|ACK, seq=0, ack=301);
		a = app_accept(l);
		app_recv(a, 300);
	T(1100)						wire_out(RTX, seq=0, ack=301);
	T(3100)						wire_out(RTX, seq=0, ack=301);
	T(7100)	app_recv_error(a, ETIMEDOUT);
		wire_inf("SYN, seq=0, mss=1000, cookie=%lld, len=300, sport=41001", cookie);
		wire_out(SYN|ACK, seq=0, ack=301);	/* its place is free */
}

DIALOGUE(fastopen_wrong_cookie)
{
	struct app *a;

	T(0)	server(d, l, 5);
		wire_in(SYN, seq=0, mss=1000, cookie=42, len=300, sport=41000);
		wire_out(SYN|ACK, seq=0, ack=1);
		check(dlg_last(d)->cookie_len == 8);	/* the right one, for the next time */
		counter(TCPFastOpenPassiveFail, 1);
		app_ready(l, 0);
	T(40)	wire_in(ACK, seq=1, ack=1);
		wire_in(PSH|ACK, seq=1, ack=1, len=300);	wire_out(ACK, seq=1, ack=301);
		a = app_accept(l);
		app_recv(a, 300);
		counter(TCPFastOpenPassive, 0);
		check(!(info_options(d, a) & GLASS_TCPI_SYN_DATA));
}

/* ATTACKS 40: off by default, and for a listener that has not asked for it. */
DIALOGUE(fastopen_server_is_off)
{
	long long cookie;

	T(0)	cookie = server(d, l, 5);
		tunable(tcp_fastopen, 1);
		wire_inf("SYN, seq=0, mss=1000, cookie=%lld, len=300, sport=41000", cookie);
		wire_out(SYN|ACK, seq=0, ack=1, nofo);
		wire_in(SYN, seq=0, mss=1000, fo, sport=41001);	wire_out(SYN|ACK, seq=0, ack=1, nofo);
		tunable(tcp_fastopen, 3);
		app_setopt(l, OPT_FASTOPEN, 0);
		wire_inf("SYN, seq=0, mss=1000, cookie=%lld, len=300, sport=41002", cookie);
		wire_out(SYN|ACK, seq=0, ack=1, nofo);
		counter(TCPFastOpenPassive, 0);
}

/* A valid cookie without data wins nothing: an embryo. */
DIALOGUE(fastopen_cookie_without_data)
{
	unsigned long long before;
	long long cookie;

	T(0)	cookie = server(d, l, 5);
		before = memory_now(d);
		wire_inf("SYN, seq=0, mss=1000, cookie=%lld, sport=41000", cookie);
		wire_out(SYN|ACK, seq=0, ack=1, nofo);
		check(memory_now(d) - before < 400);
		app_ready(l, 0);
		counter(TCPFastOpenPassiveFail, 0);
}

/* More than the window takes: the rest is not acknowledged, and comes again. */
DIALOGUE(fastopen_more_than_fits)
{
	long long cookie;
	struct app *a;

	T(0)	app_setopt(l, OPT_WINDOW_CLAMP, 1152);
		cookie = server(d, l, 5);
		wire_inf("SYN, seq=0, mss=1400, cookie=%lld, len=1400, sport=41000", cookie);
		wire_out(SYN|ACK, seq=0, ack=1153, win=0);
		a = app_accept(l);
		app_recv(a, 1152);
	T(40)	wire_in(ACK, seq=1153, ack=1);		wire_out(ACK, ack=1153, win=1152);
		state(a, ESTAB);
	T(80)	wire_in(PSH|ACK, seq=1153, ack=1, len=700);	wire_out(ACK, ack=1853, win=452);
		app_recv(a, 700);				wire_out(ACK, ack=1853, win=1152);
}

/* RFC 7413 5.1: no more than that at once; the others go the ordinary way. */
DIALOGUE(fastopen_limit)
{
	long long cookie;

	T(0)	cookie = server(d, l, 2);
	for (unsigned i = 0; i < 2; i++) {
		wire_inf("SYN, seq=0, mss=1000, cookie=%lld, len=10, sport=%u", cookie, 41000 + i);
		wire_out(SYN|ACK, seq=0, ack=11);
		app_recv(app_accept(l), 10);
	}
		wire_inf("SYN, seq=0, mss=1000, cookie=%lld, len=10, sport=41002", cookie);
		wire_out(SYN|ACK, seq=0, ack=1, nofo);
		counter(TCPFastOpenListenOverflow, 1);
		wire_in(ACK, seq=11, ack=1, sport=41000);
		wire_inf("SYN, seq=0, mss=1000, cookie=%lld, len=10, sport=41003", cookie);
		wire_out(SYN|ACK, seq=0, ack=11);
}

/* A RST ends it, before and after accept; its place is not free at once: who steals cookies could
 * open as many as he likes. */
DIALOGUE(fastopen_child_is_reset)
{
	long long cookie;
	struct app *a;

	T(0)	cookie = server(d, l, 2);
		wire_inf("SYN, seq=0, mss=1000, cookie=%lld, len=10, sport=41000", cookie);
		wire_out(SYN|ACK, seq=0, ack=11);
		a = app_accept(l);
		wire_in(RST, seq=12);			wire_out(ACK, ack=11);
		state(a, SYN-RECV);
		wire_in(RST, seq=11);
		app_recv(a, 10);
		app_recv_error(a, ECONNRESET);
		wire_inf("SYN, seq=0, mss=1000, cookie=%lld, len=10, sport=41001", cookie);
		wire_out(SYN|ACK, seq=0, ack=11);
		wire_in(RST, seq=11);
		a = app_accept(l);			/* as on Linux it learns how it ended */
		app_recv(a, 10);
		app_recv_error(a, ECONNRESET);
		wire_inf("SYN, seq=0, mss=1000, cookie=%lld, len=10, sport=41002", cookie);
		wire_out(SYN|ACK, seq=0, ack=1);
		wire_in(RST, seq=1);
		counter(TCPFastOpenListenOverflow, 1);
	T(59000) wire_inf("SYN, seq=0, mss=1000, cookie=%lld, len=10, sport=41003", cookie);
		wire_out(SYN|ACK, seq=0, ack=1);
		wire_in(RST, seq=1);
	T(60100) wire_inf("SYN, seq=0, mss=1000, cookie=%lld, len=10, sport=41004", cookie);
		wire_out(SYN|ACK, seq=0, ack=11);
}

/* The listener goes: what was accepted lives, what was not is reset. */
DIALOGUE(fastopen_listener_closes)
{
	long long cookie;
	struct app *a;

	T(0)	cookie = server(d, l, 5);
		wire_inf("SYN, seq=0, mss=1000, cookie=%lld, len=10, sport=41000", cookie);
		wire_out(SYN|ACK, seq=0, ack=11);
		a = app_accept(l);
		wire_inf("SYN, seq=0, mss=1000, cookie=%lld, len=10, sport=41001", cookie);
		wire_out(SYN|ACK, seq=0, ack=11);
		app_close(l);				wire_out(RST|ACK, sport=8080, dport=41001);
	T(40)	wire_in(ACK, seq=11, ack=1, sport=41000);
		state(a, ESTAB);
		app_recv(a, 10);
}

/* SYN cookies remember no data: with them there is no fast open. */
DIALOGUE(fastopen_and_syn_cookies)
{
	long long cookie;

	T(0)	cookie = server(d, l, 5);
		tunable(tcp_syncookies, 2);
		wire_inf("SYN, seq=0, mss=1000, cookie=%lld, len=10, sport=41000", cookie);
		wire_out(SYN|ACK, seq=0, ack=1, nofo);
		wire_in(SYN, seq=0, mss=1000, fo, sport=41001);	wire_out(SYN|ACK, seq=0, ack=1, nofo);
}

/* The program closes with the data unread. */
DIALOGUE(fastopen_child_is_closed_unread)
{
	long long cookie;
	struct app *a;

	T(0)	cookie = server(d, l, 5);
		wire_inf("SYN, seq=0, mss=1000, cookie=%lld, len=10, sport=41000", cookie);
		wire_out(SYN|ACK, seq=0, ack=11);
		a = app_accept(l);
		app_close(a);				/* with bytes unread */
		wire_out(RST|ACK, seq=1, ack=11);
}

/* ---- the client ------------------------------------------------------------------------------ */

DIALOGUE(fastopen_client_asks)
{
	T(0)	app_connect_send(c, 8080, 100, -EINPROGRESS);
		wire_out(SYN, seq=0, len=0, mss=1460, ws=7, sackok, ts, fo);
		app_send_error(c, EAGAIN);
	T(40)	wire_in(SYN|ACK, seq=0, ack=1, mss=1460, cookie=77);	wire_out(ACK, seq=1, ack=1);
		app_send(c, 100);			wire_out(PSH|ACK, seq=1, len=100);
		counter(TCPFastOpenActive, 0);
		counter(TCPFastOpenActiveFail, 0);
		app_abort(c);				wire_out(RST|ACK);
		app_connect(c, 8080);			wire_out(SYN, nofo);	/* connect as ever */
}

DIALOGUE(fastopen_client_sends)
{
	T(0)	client(d);
		app_connect_send(c, 8080, 300, 300);
		wire_out(SYN, seq=0, len=300, cookie=1234567890123, mss=1460);
		app_send_error(c, EAGAIN);
		app_ready(c, 0);
	T(40)	wire_in(SYN|ACK, seq=0, ack=301, mss=1000);	wire_out(ACK, seq=301, ack=1, len=0);
		state(c, ESTAB);
		counter(TCPFastOpenActive, 1);
		check(info_options(d, c) & GLASS_TCPI_SYN_DATA);
		app_send(c, 50);			wire_out(PSH|ACK, seq=301, len=50);
	T(80)	wire_in(PSH|ACK, seq=1, ack=351, len=500);	wire_out(ACK, seq=351, ack=501);
		app_recv(c, 500);
}

/* As much as the server's MSS of the last time takes, its options taken off; no more is taken. */
DIALOGUE(fastopen_client_fills_the_syn)
{
	T(0)	client(d);
		app_connect_send(c, 8080, 5000, 960);
		wire_out(SYN, seq=0, len=960, cookie=1234567890123);
	T(40)	wire_in(SYN|ACK, seq=0, ack=961, mss=1000);	wire_out(ACK, seq=961, ack=1, len=0);
		app_send(c, 10);			wire_out(PSH|ACK, seq=961, len=10);
}

/* TCP_FASTOPEN_CONNECT: the SYN waits for the first send, and takes what fits of it. */
DIALOGUE(fastopen_connect_option)
{
	T(0)	app_setopt(c, OPT_FASTOPEN_CONNECT, 1);
		app_connect(c, 8080);			wire_out(SYN, seq=0, fo);
		wire_in(SYN|ACK, seq=0, ack=1, mss=1000, cookie=9);	wire_out(ACK);
		app_abort(c);				wire_out(RST|ACK);
		app_setopt(c, OPT_FASTOPEN_CONNECT, 1);
		app_connect_later(c, 8080);
		app_ready(c, GLASS_OUT);
	T(5000)	app_send(c, 2500);			wire_out(SYN, seq=0, len=960, cookie=9);
	T(5040)	wire_in(SYN|ACK, seq=0, ack=961, mss=1000);
		wire_out(ACK, seq=961, ack=1, len=1000);	wire_out(PSH|ACK, seq=1961, len=540);
	T(5080)	wire_in(ACK, seq=1, ack=2501);
		app_close(c);				wire_out(FIN|ACK, seq=2501);
}

/* The SYN waits, and the program thinks better of it: nothing was ever sent. */
DIALOGUE(fastopen_connect_and_close)
{
	T(0)	client(d);
		app_setopt(c, OPT_FASTOPEN_CONNECT, 1);
		app_connect_later(c, 8080);
	T(10000) app_close(c);
		state(c, CLOSED);
	T(20000) counter(TCPTimeouts, 0);
}

/* The FIN waits for the handshake, and so does a socket that is closed: what was taken arrives. */
DIALOGUE(fastopen_send_and_shut_down)
{
	T(0)	client(d);
		app_connect_send(c, 8080, 300, 300);	wire_out(SYN, seq=0, len=300);
		app_shutdown(c, GLASS_SHUT_WR);
		app_send_error(c, EPIPE);
	T(40)	wire_in(SYN|ACK, seq=0, ack=301, mss=1000);	wire_out(FIN|ACK, seq=301, ack=1);
		state(c, FIN-WAIT-1);
	T(80)	wire_in(FIN|ACK, seq=1, ack=302);	wire_out(ACK, seq=302, ack=2);
		app_recv_eof(c);
}

DIALOGUE(fastopen_send_and_close)
{
	T(0)	client(d);
		app_setopt(c, OPT_FASTOPEN_CONNECT, 1);
		app_connect_later(c, 8080);
		app_send(c, 1200);			wire_out(SYN, seq=0, len=960);
		app_close(c);
	T(40)	wire_in(SYN|ACK, seq=0, ack=1, mss=1000);
		wire_out(ACK, seq=1, len=1000);		wire_out(FIN|PSH|ACK, seq=1001, len=200);
	T(80)	wire_in(ACK, seq=1, ack=1202);
		state(c, FIN-WAIT-2);
}

/* There is nothing to say: a plain handshake, though the SYN has the cookie. */
DIALOGUE(fastopen_shut_down_without_data)
{
	T(0)	client(d);
		app_setopt(c, OPT_FASTOPEN_CONNECT, 1);
		app_connect_later(c, 8080);
		app_shutdown(c, GLASS_SHUT_WR);		wire_out(SYN, seq=0, len=0, cookie=1234567890123);
	T(40)	wire_in(SYN|ACK, seq=0, ack=1, mss=1000);	wire_out(FIN|ACK, seq=1, ack=1);
}

/* The server does not know the cookie any more: the data goes at once with the third segment. */
DIALOGUE(fastopen_cookie_is_refused)
{
	T(0)	client(d);
		app_connect_send(c, 8080, 300, 300);
		wire_out(SYN, seq=0, len=300, cookie=1234567890123);
	T(40)	wire_in(SYN|ACK, seq=0, ack=1, mss=1000, cookie=55);
		wire_out(PSH|ACK, seq=1, ack=1, len=300);
		counter(TCPFastOpenActiveFail, 1);
		check(!(info_options(d, c) & GLASS_TCPI_SYN_DATA));
	T(80)	wire_in(ACK, seq=1, ack=301);
		app_abort(c);				wire_out(RST|ACK);
		app_connect_send(c, 8080, 300, 300);	wire_out(SYN, seq=0, len=300, cookie=55);
}

/* Only some of it was taken. */
DIALOGUE(fastopen_part_is_taken)
{
	T(0)	client(d);
		app_connect_send(c, 8080, 300, 300);	wire_out(SYN, seq=0, len=300);
	T(40)	wire_in(SYN|ACK, seq=0, ack=101, mss=1000);	wire_out(PSH|ACK, seq=101, ack=1, len=200);
	T(80)	wire_in(ACK, seq=1, ack=301);
		counter(TCPFastOpenActive, 1);
		app_send(c, 5);				wire_out(PSH|ACK, seq=301, len=5);
}

/* More than was ever sent is not believed. */
DIALOGUE(fastopen_acknowledged_too_much)
{
	T(0)	client(d);
		app_connect_send(c, 8080, 300, 300);	wire_out(SYN, seq=0, len=300);
	T(40)	wire_in(SYN|ACK, seq=0, ack=302, mss=1000);	wire_out(RST, seq=302);
		dropped(TCP_SYN_SENT_ACK, 1);
		state(c, SYN-SENT);
}

/* Lost with its data: a plain one, the data after the handshake; and no option for a minute, two ... */
DIALOGUE(fastopen_black_hole)
{
	T(0)	client(d);
		app_connect_send(c, 8080, 300, 300);	wire_out(SYN, seq=0, len=300, cookie=1234567890123);
	T(1000)						wire_out(RTX, seq=0, len=0, nofo);
	T(1040)	wire_in(SYN|ACK, seq=0, ack=1, mss=1000);	wire_out(PSH|ACK, seq=1, len=300);
		counter(TCPFastOpenBlackhole, 1);
		counter(TCPFastOpenActiveFail, 1);
		wire_in(ACK, seq=1, ack=301);
		app_abort(c);				wire_out(RST|ACK);
	T(60000) app_connect_send(c, 8080, 300, -EINPROGRESS);	wire_out(SYN, seq=0, len=0, nofo);
		app_abort(c);
	T(61100) app_connect_send(c, 8080, 300, 300);	wire_out(SYN, seq=0, len=300, cookie=1234567890123);
	T(62100)					wire_out(RTX, seq=0, len=0, nofo);
	T(62140) wire_in(SYN|ACK, seq=0, ack=1, mss=1000);	wire_out(PSH|ACK, seq=1, len=300);
		app_abort(c);				wire_out(RST|ACK);
	T(182000) app_connect_send(c, 8080, 300, -EINPROGRESS);	wire_out(SYN, seq=0, nofo);
		app_abort(c);
	T(182200) app_connect_send(c, 8080, 300, 300);	wire_out(SYN, seq=0, len=300);
	T(182240) wire_in(SYN|ACK, seq=0, ack=301, mss=1000);	wire_out(ACK, seq=301);
		app_abort(c);				wire_out(RST|ACK);
		counter(TCPFastOpenBlackhole, 2);
	/* It works again: the next loss counts as the first. */
		app_connect_send(c, 8080, 300, 300);	wire_out(SYN, seq=0, len=300);
	T(183240)					wire_out(RTX, seq=0, len=0, nofo);
		wire_in(SYN|ACK, seq=0, ack=1, mss=1000);	wire_out(PSH|ACK, seq=1, len=300);
		app_abort(c);				wire_out(RST|ACK);
	T(243300) app_connect_send(c, 8080, 300, 300);	wire_out(SYN, seq=0, len=300);
}

/* A request that gets lost is one too. */
DIALOGUE(fastopen_request_is_lost)
{
	T(0)	app_connect_send(c, 8080, 300, -EINPROGRESS);	wire_out(SYN, seq=0, fo);
	T(1000)						wire_out(RTX, seq=0, nofo);
	T(1040)	wire_in(SYN|ACK, seq=0, ack=1, mss=1000);	wire_out(ACK, seq=1);
		counter(TCPFastOpenBlackhole, 1);
		app_abort(c);				wire_out(RST|ACK);
		app_connect_send(c, 8080, 300, -EINPROGRESS);	wire_out(SYN, seq=0, nofo);
}

/* The SYN-ACK was lost, not the SYN: the plain one is answered, and the data was taken all the same. */
DIALOGUE(fastopen_syn_ack_is_lost)
{
	T(0)	client(d);
		app_connect_send(c, 8080, 300, 300);	wire_out(SYN, seq=0, len=300);
	T(1000)						wire_out(RTX, seq=0, len=0, nofo);
	T(1040)	wire_in(SYN|ACK, seq=0, ack=301, mss=1000);	wire_out(ACK, seq=301, len=0);
		counter(TCPFastOpenActive, 1);
		counter(TCPFastOpenBlackhole, 0);
}

DIALOGUE(fastopen_client_is_off)
{
	T(0)	client(d);
		tunable(tcp_fastopen, 2);
		app_connect_send(c, 8080, 300, -EOPNOTSUPP);
		check(glass_setopt(dlg_stack(d), c->s, GLASS_OPT_FASTOPEN_CONNECT, 1) == -EOPNOTSUPP);
		app_connect(c, 8080);			wire_out(SYN, nofo);
		check(glass_setopt(dlg_stack(d), c->s, GLASS_OPT_FASTOPEN, 1) == -EINVAL);
}

/* RFC 9293 3.5 figure 8 with data in the SYN: whoever does not take it gets it again. */
DIALOGUE(fastopen_simultaneous_open)
{
	T(0)	client(d);
		app_connect_send(c, 8080, 300, 300);	wire_out(SYN, seq=0, len=300);
	T(10)	wire_in(SYN, seq=0, mss=1000);		wire_out(SYN|ACK, seq=0, ack=1, len=0);
	T(40)	wire_in(SYN|ACK, seq=0, ack=1, mss=1000);	wire_out(PSH|ACK, seq=1, ack=1, len=300);
		state(c, ESTAB);
	T(80)	wire_in(ACK, seq=1, ack=301);
		app_send(c, 5);				wire_out(PSH|ACK, seq=301, len=5);
}

/* The server refuses altogether. */
DIALOGUE(fastopen_rst_answers_the_syn)
{
	T(0)	client(d);
		app_connect_send(c, 8080, 300, 300);	wire_out(SYN, seq=0, len=300);
	T(40)	wire_in(RST|ACK, seq=0, ack=301);
		app_error(c, ECONNREFUSED);
		state(c, UNCONN);
}
