/* SPDX-License-Identifier: MIT */
/* TCP Fast Open (RFC 7413), the server: which SYNs open at once, and what they are told. */
#include "fastopen.h"

/* A dialogue is laid out in columns. */
/* clang-format off */

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
		check(!syn_data(d, a));
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

/* A valid cookie opens without data too: the server may be the one who speaks first. */
DIALOGUE(fastopen_cookie_without_data)
{
	long long cookie;
	struct app *a;

	T(0)	cookie = server(d, l, 5);
		wire_inf("SYN, seq=0, mss=1000, cookie=%lld, sport=41000", cookie);
		wire_out(SYN|ACK, seq=0, ack=1, nofo);
		a = app_accept(l);
		app_send(a, 50);			wire_out(PSH|ACK, seq=1, ack=1, len=50);
		app_recv_error(a, EAGAIN);
	T(40)	wire_in(PSH|ACK, seq=1, ack=51, len=10);	wire_out(ACK, seq=51, ack=11);
		app_recv(a, 10);
		check(!syn_data(d, a));	/* not with the SYN */
		counter(TCPFastOpenPassive, 1);
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
		opens(d, cookie, 41003, 10);
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

/* RFC 7413 7.3: when it is said that no cookie is needed, data alone opens; the limit stays. */
DIALOGUE(fastopen_server_without_cookie)
{
	T(0)	listens(d, l, 1);
		wire_in(SYN, seq=0, mss=1000, len=300, sport=41000);	wire_out(SYN|ACK, seq=0, ack=1);
		tunable(tcp_fastopen, 0x202);
		wire_in(SYN, seq=0, mss=1000, sport=41001);	wire_out(SYN|ACK, seq=0, ack=1, nofo);
		wire_in(SYN, seq=0, mss=1000, fo, sport=41002);	wire_out(SYN|ACK, seq=0, ack=1);
		check(dlg_last(d)->cookie_len == 8);
		app_ready(l, 0);
		wire_in(SYN, seq=0, mss=1000, len=300, sport=41003);	wire_out(SYN|ACK, seq=0, ack=301, nofo);
		app_recv(app_accept(l), 300);
		wire_in(SYN, seq=0, mss=1000, len=300, sport=41004);	wire_out(SYN|ACK, seq=0, ack=1, nofo);
		counter(TCPFastOpenListenOverflow, 1);
		wire_in(ACK, seq=301, ack=1, sport=41003);
		/* One listener says so for itself. */
		tunable(tcp_fastopen, 2);
		wire_in(SYN, seq=0, mss=1000, len=300, sport=41005);	wire_out(SYN|ACK, seq=0, ack=1);
		app_setopt(l, OPT_FASTOPEN_NO_COOKIE, 1);
		wire_in(SYN, seq=0, mss=1000, len=300, sport=41006);	wire_out(SYN|ACK, seq=0, ack=301);
}

/* Before RFC 7413: understood when the tunable allows, and answered in kind. */
DIALOGUE(fastopen_experiment_server)
{
	long long cookie;

	T(0)	cookie = server(d, l, 5);
		wire_in(SYN, seq=0, mss=1000, foexp, sport=41000);	wire_out(SYN|ACK, seq=0, ack=1, nofo);
		wire_inf("SYN, seq=0, mss=1000, foexp, cookie=%lld, len=10, sport=41001", cookie);
		wire_out(SYN|ACK, seq=0, ack=1, nofo);
		tunable(tcp_fastopen_experiment, 1);
		wire_in(SYN, seq=0, mss=1000, foexp, sport=41002);
		wire_outf("SYN|ACK, seq=0, ack=1, foexp, cookie=%lld", cookie);
		wire_inf("SYN, seq=0, mss=1000, foexp, cookie=%lld, len=10, sport=41003", cookie);
		wire_out(SYN|ACK, seq=0, ack=11, nofo);
		wire_in(SYN, seq=0, mss=1000, foexp, cookie=1, len=10, sport=41004);
		wire_outf("SYN|ACK, seq=0, ack=1, foexp, cookie=%lld", cookie);
}
