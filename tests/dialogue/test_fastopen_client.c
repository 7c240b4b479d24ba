/* SPDX-License-Identifier: MIT */
/* TCP Fast Open (RFC 7413), the client: data goes with the SYN. */
#include "fastopen.h"

/* A dialogue is laid out in columns. */
/* clang-format off */

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
		check(syn_data(d, c));
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
	T(5000)	app_send_in_place(c, 2500);		wire_out(SYN, seq=0, len=960, cookie=9);
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
		app_send_in_place(c, 1200);		wire_out(SYN, seq=0, len=960);
		app_close(c);
	T(40)	wire_in(SYN|ACK, seq=0, ack=1, mss=1000);
		wire_out(PSH|ACK, seq=1, len=960);	wire_out(FIN|PSH|ACK, seq=961, len=240);
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

DIALOGUE(fastopen_client_is_off)
{
	T(0)	client(d);
		tunable(tcp_fastopen, 2);
		app_connect_send(c, 8080, 300, -EOPNOTSUPP);
		check(glass_setopt(dlg_stack(d), c->s, GLASS_OPT_FASTOPEN_CONNECT, 1) == -EOPNOTSUPP);
		app_connect(c, 8080);			wire_out(SYN, nofo);
		check(glass_setopt(dlg_stack(d), c->s, GLASS_OPT_FASTOPEN, 1) == -EINVAL);
}

/* A write takes what goes with the SYN, and no more, as with MSG_FASTOPEN; none at all: it goes. */
DIALOGUE(fastopen_first_write)
{
	T(0)	client(d);
		app_setopt(c, OPT_FASTOPEN_CONNECT, 1);
		app_connect_later(c, 8080);
		app_send_part(c, 2000, 960);		wire_out(SYN, seq=0, len=960);
		app_send_error(c, EAGAIN);
		app_abort(c);
		app_setopt(c, OPT_FASTOPEN_CONNECT, 1);
		app_connect_later(c, 8080);
		check(glass_send(dlg_stack(d), c->s, "", 0) == -EINPROGRESS);
		wire_out(SYN, seq=0, len=0, cookie=1234567890123);
}

/* What goes on from the SYN's data is a request: the ACK of the answer can wait for more of it. */
DIALOGUE(fastopen_request_goes_on)
{
	T(0)	client(d);
		app_setopt(c, OPT_FASTOPEN_CONNECT, 1);
		app_connect_later(c, 8080);
		app_send_in_place(c, 1500);		wire_out(SYN, seq=0, len=960);
	T(40)	wire_in(SYN|ACK, seq=0, ack=961, mss=1000);	wire_out(PSH|ACK, seq=961, ack=1, len=540);
	T(80)	wire_in(PSH|ACK, seq=1, ack=1501, len=100);
	T(120)						wire_out(ACK, seq=1501, ack=101, len=0);
}

/* The MSS of the server is learned from each of its answers, with a cookie or without. */
DIALOGUE(fastopen_mss_without_cookie)
{
	T(0)	client(d);
		app_connect_send(c, 8080, 300, 300);	wire_out(SYN, seq=0, len=300);
		wire_in(SYN|ACK, seq=0, ack=301, mss=700);	wire_out(ACK, seq=301);
		app_abort(c);				wire_out(RST|ACK);
		app_connect_send(c, 8080, 5000, 660);	wire_out(SYN, seq=0, len=660);
}

/* RFC 7413 7.3: when it is said that none is needed. What was not asked for is not remembered. */
DIALOGUE(fastopen_without_cookie)
{
	T(0)	tunable(tcp_fastopen, 5);
		app_connect_send(c, 8080, 300, 300);	wire_out(SYN, seq=0, len=300, nofo);
		wire_in(SYN|ACK, seq=0, ack=301, mss=700, cookie=7);	wire_out(ACK, seq=301);
		check(syn_data(d, c));
		app_abort(c);				wire_out(RST|ACK);
		app_connect_send(c, 8080, 5000, 660);	wire_out(SYN, seq=0, len=660, nofo);
		app_abort(c);
		tunable(tcp_fastopen, 1);
		app_connect_send(c, 8080, 300, -EINPROGRESS);	wire_out(SYN, seq=0, len=0, fo);
		app_abort(c);
		app_setopt(c, OPT_FASTOPEN_NO_COOKIE, 1);
		app_setopt(c, OPT_FASTOPEN_CONNECT, 1);
		app_connect_later(c, 8080);
		app_send(c, 10);			wire_out(SYN, seq=0, len=10, nofo);
}

/* The option of the experiment is tried once after a server that gave no cookie, and not again. */
DIALOGUE(fastopen_experiment_client)
{
	T(0)	tunable(tcp_fastopen_experiment, 1);
		app_connect_send(c, 8080, 300, -EINPROGRESS);	wire_out(SYN, seq=0, len=0, fo);
		wire_in(SYN|ACK, seq=0, ack=1, mss=1000);	wire_out(ACK);
		app_abort(c);				wire_out(RST|ACK);
		app_connect_send(c, 8080, 300, -EINPROGRESS);	wire_out(SYN, seq=0, len=0, foexp);
		wire_in(SYN|ACK, seq=0, ack=1, mss=1000, foexp, cookie=8);	wire_out(ACK);
		app_abort(c);				wire_out(RST|ACK);
		app_connect_send(c, 8080, 300, 300);	wire_out(SYN, seq=0, len=300, foexp, cookie=8);
		wire_in(SYN|ACK, seq=0, ack=301, mss=1000, cookie=9);	wire_out(ACK);
		app_abort(c);				wire_out(RST|ACK);
		app_connect_send(c, 8080, 300, 300);	wire_out(SYN, seq=0, len=300, cookie=9);
		app_abort(c);
		glass_fastopen_forget(dlg_stack(d));
	for (unsigned i = 0; i < 4; i++) {
		app_connect_send(c, 8080, 300, -EINPROGRESS);
		if (i == 1)
			wire_out(SYN, seq=0, len=0, foexp);
		else
			wire_out(SYN, seq=0, len=0, fo);
		wire_in(SYN|ACK, seq=0, ack=1, mss=1000);	wire_out(ACK);
		app_abort(c);				wire_out(RST|ACK);
	}
		/* It is not allowed: what is told in that form is not heard. */
		tunable(tcp_fastopen_experiment, 0);
		app_connect_send(c, 8080, 300, -EINPROGRESS);	wire_out(SYN, seq=0, len=0, fo);
		wire_in(SYN|ACK, seq=0, ack=1, mss=1000, foexp, cookie=8);	wire_out(ACK);
		app_abort(c);				wire_out(RST|ACK);
		app_connect_send(c, 8080, 300, -EINPROGRESS);	wire_out(SYN, seq=0, len=0, fo);
}
