/* SPDX-License-Identifier: MIT */
/* TCP Fast Open (RFC 7413), the server: what becomes of a SYN whose data is accepted. */
#include "fastopen.h"

/* A dialogue is laid out in columns. */
/* clang-format off */

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
		check(syn_data(d, a));
		counter(TCPFastOpenPassive, 1);
		counter(TCPTimeouts, 0);
	T(190)	wire_in(FIN|ACK, seq=311, ack=1501);	wire_out(ACK, seq=1501, ack=312);
		app_recv_eof(a);
		app_close(a);				wire_out(FIN|ACK, seq=1501, ack=312);
	T(230)	wire_in(ACK, seq=312, ack=1502);
		state(a, CLOSED);
}

/* A request of 300 bytes in the SYN, and its answer before the handshake is over. */
static struct app *answers(struct dlg *d, struct app *l, long long cookie)
{
	struct app *a;

	opens(d, cookie, 41000, 300);
	a = app_accept(l);
	app_recv(a, 300);
	app_send(a, 200);			wire_out(PSH|ACK, seq=1, ack=301, len=200);
	return a;
}

/* A request, its answer and both FINs in one round trip and a half. */
DIALOGUE(fastopen_server_closes_before_the_handshake_ends)
{
	long long cookie;
	struct app *a;

	T(0)	cookie = server(d, l, 5);
	T(100)	a = answers(d, l, cookie);
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
	T(100)	a = answers(d, l, cookie);
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
	T(100)	opens(d, cookie, 41000, 300);
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
	T(100)	opens(d, cookie, 41000, 300);
		a = app_accept(l);
		app_recv(a, 300);
	T(1100)						wire_out(RTX, seq=0, ack=301);
	T(3100)						wire_out(RTX, seq=0, ack=301);
	T(7100)	app_recv_error(a, ETIMEDOUT);
		opens(d, cookie, 41001, 300);	/* its place is free */
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

/* A RST ends it, before and after accept; its place is not free at once: who steals cookies could
 * open as many as he likes. */
DIALOGUE(fastopen_child_is_reset)
{
	long long cookie;
	struct app *a;

	T(0)	cookie = server(d, l, 2);
		opens(d, cookie, 41000, 10);
		a = app_accept(l);
		wire_in(RST, seq=12);			wire_out(ACK, ack=11);
		state(a, SYN-RECV);
		wire_in(RST, seq=11);
		app_recv(a, 10);
		app_recv_error(a, ECONNRESET);
		opens(d, cookie, 41001, 10);
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
	T(60100) opens(d, cookie, 41004, 10);
}

/* The listener goes: what was accepted lives, what was not is reset. */
DIALOGUE(fastopen_listener_closes)
{
	long long cookie;
	struct app *a;

	T(0)	cookie = server(d, l, 5);
		opens(d, cookie, 41000, 10);
		a = app_accept(l);
		opens(d, cookie, 41001, 10);
		app_close(l);				wire_out(RST|ACK, sport=8080, dport=41001);
	T(40)	wire_in(ACK, seq=11, ack=1, sport=41000);
		state(a, ESTAB);
		app_recv(a, 10);
}

/* The program closes with the data unread. */
DIALOGUE(fastopen_child_is_closed_unread)
{
	long long cookie;
	struct app *a;

	T(0)	cookie = server(d, l, 5);
		opens(d, cookie, 41000, 10);
		a = app_accept(l);
		app_close(a);				/* with bytes unread */
		wire_out(RST|ACK, seq=1, ack=11);
}

/* RFC 1122 4.2.3.9: an error ends a handshake, and the program learns it; but what it has accepted
 * is a connection, and lives on. */
DIALOGUE(fastopen_icmp_unreachable)
{
	long long cookie;
	struct app *a;

	T(0)	cookie = server(d, l, 5);
		opens(d, cookie, 41000, 10);
		wire_in(ICMP, type=3, code=1, badseq);
		counter(OutOfWindowIcmps, 1);
		wire_in(ICMP, type=3, code=1);
		a = app_accept(l);
		app_recv(a, 10);
		app_recv_error(a, EHOSTUNREACH);
		state(a, UNCONN);
		opens(d, cookie, 41001, 10);
		a = app_accept(l);
		wire_in(ICMP, type=3, code=1);
		state(a, SYN-RECV);
		wire_in(ACK, seq=11, ack=1, sport=41001);
		state(a, ESTAB);
		app_recv(a, 10);
		app_recv_error(a, EAGAIN);
}

/* TCP_INFO's delivered counts the SYN-ACK, when it is. */
DIALOGUE(fastopen_delivered)
{
	long long cookie;
	struct app *a;

	T(0)	cookie = server(d, l, 5);
		opens(d, cookie, 41000, 10);
		a = app_accept(l);
		check(info_of(d, a).delivered == 0);
		app_send(a, 1500);			wire_skip_all();
	T(40)	wire_in(ACK, seq=11, ack=1);
		check(info_of(d, a).delivered == 1);
		wire_in(ACK, seq=11, ack=1501);
		check(info_of(d, a).delivered == 3);
}
