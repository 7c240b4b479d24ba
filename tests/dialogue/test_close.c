/* SPDX-License-Identifier: MIT */
/* How connections end: RFC 9293 3.6, figure 5, and everything that can cross on the wire. */
#include "dialogue.h"

/* A dialogue is laid out in columns. */
/* clang-format off */

/* ESTABLISHED, FIN-WAIT-1, FIN-WAIT-2, TIME-WAIT, CLOSED. */
DIALOGUE(active_close)
{
	T(0)	connected(c, "mss=1460");
	T(100)	app_close(c);			wire_out(FIN|ACK, seq=1, ack=1, len=0);
		state(c, FIN-WAIT-1);
	T(140)	wire_in(ACK, seq=1, ack=2);
		state(c, FIN-WAIT-2);
	T(200)	wire_in(FIN|ACK, seq=1, ack=2);	wire_out(ACK, seq=2, ack=2);
		state(c, TIME-WAIT);
	T(60100) state(c, TIME-WAIT);
	T(60201) state(c, CLOSED);
}

/* ESTABLISHED, CLOSE-WAIT, LAST-ACK, CLOSED. */
DIALOGUE(passive_close)
{
	T(0)	connected(c, "mss=1460");
	T(100)	wire_in(FIN|ACK, seq=1, ack=1);	wire_out(ACK, seq=1, ack=2);
		state(c, CLOSE-WAIT);
		app_woke(c, GLASS_IN | GLASS_RDHUP);
		app_ready(c, GLASS_IN | GLASS_OUT | GLASS_RDHUP);
		app_recv_eof(c);
	T(200)	app_close(c);			wire_out(FIN|ACK, seq=1, ack=2);
		state(c, LAST-ACK);
	T(240)	wire_in(ACK, seq=2, ack=2);
		state(c, CLOSED);
}

/* Both FINs cross: CLOSING, TIME-WAIT. */
DIALOGUE(simultaneous_close)
{
	T(0)	connected(c, "mss=1460");
	T(100)	app_close(c);			wire_out(FIN|ACK, seq=1, ack=1);
	T(110)	wire_in(FIN|ACK, seq=1, ack=1);	wire_out(ACK, seq=2, ack=2);
		state(c, CLOSING);
	T(140)	wire_in(ACK, seq=2, ack=2);
		state(c, TIME-WAIT);
	T(60141) state(c, CLOSED);
}

/* The peer's FIN acknowledges ours: FIN-WAIT-1 straight to TIME-WAIT. */
DIALOGUE(fin_acknowledges_fin)
{
	T(0)	connected(c, "mss=1460");
	T(100)	app_close(c);			wire_out(FIN|ACK, seq=1, ack=1);
	T(140)	wire_in(FIN|ACK, seq=1, ack=2);	wire_out(ACK, seq=2, ack=2);
		state(c, TIME-WAIT);
}

/* 3.6: after our FIN the peer may go on sending. */
DIALOGUE(half_close)
{
	T(0)	connected(c, "mss=1460");
	T(100)	app_shutdown(c, GLASS_SHUT_WR);	wire_out(FIN|ACK, seq=1, ack=1);
		app_send_error(c, EPIPE);
	T(140)	wire_in(ACK, seq=1, ack=2);
		state(c, FIN-WAIT-2);
	T(5000)	wire_in(PSH|ACK, seq=1, ack=2, len=100);	wire_out(ACK, seq=2, ack=101);
		app_recv(c, 100);
	T(100000) wire_in(FIN|ACK, seq=101, ack=2);		wire_out(ACK, seq=2, ack=102);
		app_recv_eof(c);
		state(c, TIME-WAIT);
		app_close(c);
}

/* The other way: the peer has closed, we go on sending. */
DIALOGUE(half_close_by_the_peer)
{
	T(0)	connected(c, "mss=1460");
	T(100)	wire_in(FIN|ACK, seq=1, ack=1);	wire_out(ACK, seq=1, ack=2);
	T(200)	app_send(c, 100);		wire_out(PSH|ACK, seq=1, ack=2, len=100);
	T(240)	wire_in(ACK, seq=2, ack=101);
		app_shutdown(c, GLASS_SHUT_WR);	wire_out(FIN|ACK, seq=101, ack=2);
	T(280)	wire_in(ACK, seq=2, ack=102);
		state(c, UNCONN);
}

/* The FIN follows the data, on the last segment where it fits. */
DIALOGUE(close_sends_everything_first)
{
	T(0)	connected(c, "mss=1000");
	T(100)	app_send(c, 10);		wire_out(PSH|ACK, seq=1, len=10);
	T(110)	app_send(c, 500);		/* Nagle holds it back */
	T(120)	app_close(c);			wire_out(FIN|PSH|ACK, seq=11, len=500);
		state(c, FIN-WAIT-1);
	T(140)	wire_in(ACK, seq=1, ack=512);
		state(c, FIN-WAIT-2);
}

/* The window is too small for everything: the FIN waits with the rest. */
DIALOGUE(fin_waits_for_the_window)
{
	T(0)	connected(c, "mss=1000, win=2000");
	T(100)	app_send(c, 3500);
		wire_out(ACK, seq=1, len=1000);
		wire_out(ACK, seq=1001, len=1000);
		app_close(c);
		state(c, FIN-WAIT-1);
	T(140)	wire_in(ACK, seq=1, ack=2001);
		wire_out(ACK, seq=2001, len=1000);
		wire_out(FIN|PSH|ACK, seq=3001, len=500);
	T(180)	wire_in(ACK, seq=1, ack=3502);
		state(c, FIN-WAIT-2);
}

/* A FIN is retransmitted as data is. */
DIALOGUE(fin_is_retransmitted)
{
	T(0)	connected(c, "mss=1460");
	T(100)	app_close(c);	wire_out(FIN|ACK, seq=1, ack=1);
	T(340)	wire_out(RTX, seq=1, len=0);
	T(820)	wire_out(RTX, seq=1, len=0);
	T(900)	wire_in(ACK, seq=1, ack=2);
		state(c, FIN-WAIT-2);
}

/* LAST-ACK too. */
DIALOGUE(fin_is_retransmitted_in_last_ack)
{
	T(0)	connected(c, "mss=1460");
	T(100)	wire_in(FIN|ACK, seq=1, ack=1);	wire_out(ACK, ack=2);
	T(200)	app_close(c);			wire_out(FIN|ACK, seq=1, ack=2);
	T(440)	wire_out(RTX, seq=1, ack=2);
	T(480)	wire_in(ACK, seq=2, ack=2);
		state(c, CLOSED);
}

/* SHLD-3, RFC 2525 2.17: the program has not read everything: the peer must learn it. */
DIALOGUE(close_with_unread_data)
{
	T(0)	connected(c, "mss=1460");
	T(100)	wire_in(PSH|ACK, seq=1, ack=1, len=10);	wire_out(ACK, ack=11);
	T(200)	app_close(c);				wire_out(RST|ACK, seq=1, ack=11);
		state(c, CLOSED);
		counter(TCPAbortOnData, 1);
}

/* SHLD-3, the other half: data for a program that has gone. */
DIALOGUE(data_after_close)
{
	T(0)	connected(c, "mss=1460");
	T(100)	app_close(c);					wire_out(FIN|ACK, seq=1, ack=1);
	T(140)	wire_in(PSH|ACK, seq=1, ack=2, len=10);		wire_out(RST|ACK, seq=2);
		state(c, CLOSED);
		dropped(TCP_CLOSED_DATA, 1);
}

/* RFC 1122 4.2.2.13, T41: an orphan does not wait for the peer's FIN for ever. */
DIALOGUE(fin_wait_2_ends)
{
	T(0)	connected(c, "mss=1460");
	T(100)	app_close(c);			wire_out(FIN|ACK, seq=1, ack=1);
	T(140)	wire_in(ACK, seq=1, ack=2);
		state(c, FIN-WAIT-2);
	T(60100) state(c, FIN-WAIT-2);
	T(60200) state(c, CLOSED);
}

/* 3.10.7.4, eighth: the FIN again means that our ACK was lost; the wait begins anew. */
DIALOGUE(time_wait_answers_the_fin_again)
{
	T(0)	connected(c, "mss=1460");
	T(100)	app_close(c);			wire_out(FIN|ACK, seq=1, ack=1);
	T(140)	wire_in(FIN|ACK, seq=1, ack=2);	wire_out(ACK, seq=2, ack=2);
	T(30000) wire_in(FIN|ACK, seq=1, ack=2);	wire_out(ACK, seq=2, ack=2);
		dropped(TCP_TIME_WAIT, 1);
	T(89900) state(c, TIME-WAIT);
	T(90001) state(c, CLOSED);
}

/* RFC 1337: a RST does not end TIME-WAIT. */
DIALOGUE(time_wait_is_not_assassinated)
{
	T(0)	connected(c, "mss=1460");
	T(100)	app_close(c);			wire_out(FIN|ACK, seq=1, ack=1);
	T(140)	wire_in(FIN|ACK, seq=1, ack=2);	wire_out(ACK, seq=2, ack=2);
	T(200)	wire_in(RST, seq=2);
		state(c, TIME-WAIT);
		dropped(TCP_TIME_WAIT, 1);
}

/*
 * RFC 6191, 9293 MAY-2: a new connection of the same addresses, if it cannot be an old duplicate.
 */
DIALOGUE(time_wait_yields_to_a_new_syn)
{
	struct app *a;

	T(0)	a = accepted(l, "mss=1460");
	T(100)	app_close(a);			wire_out(FIN|ACK, seq=1, ack=1);
	T(140)	wire_in(FIN|ACK, seq=1, ack=2);	wire_out(ACK, seq=2, ack=2);
	T(1000)	wire_in(SYN, seq=0);		/* an old duplicate */
		wire_out(ACK, ack=2);
		state(a, TIME-WAIT);
	T(2000)	wire_in(SYN, seq=200000, mss=1460);
		wire_out(SYN|ACK, seq=0, ack=200001);
		counter(TWRecycled, 1);
	T(2040)	wire_in(ACK, seq=200001, ack=1);
		state(app_accept(l), ESTAB);
}

/* A FIN behind a hole counts only when the hole is filled; what lies after it is not taken. */
DIALOGUE(fin_out_of_order)
{
	T(0)	connected(c, "mss=1460");
	T(100)	wire_in(FIN|ACK, seq=101, ack=1, len=50);	wire_out(ACK, ack=1);
		state(c, ESTAB);
		app_recv_error(c, EAGAIN);
	T(110)	wire_in(PSH|ACK, seq=1, ack=1, len=100);	wire_out(ACK, ack=152);
		state(c, CLOSE-WAIT);
		app_recv(c, 150);
		app_recv_eof(c);
}

DIALOGUE(data_after_fin_is_ignored)
{
	T(0)	connected(c, "mss=1460");
	T(100)	wire_in(FIN|ACK, seq=1, ack=1, len=10);		wire_out(ACK, ack=12);
	T(5000)	wire_in(PSH|ACK, seq=12, ack=1, len=10);
		dropped(TCP_AFTER_FIN, 1);
		app_recv(c, 10);
		app_recv_eof(c);
}

/* An orphan whose peer is gone gives up. */
DIALOGUE(orphan_gives_up)
{
	T(0)	tunable(tcp_orphan_retries, 3);
		connected(c, "mss=1460");
	T(100)	app_close(c);	wire_out(FIN|ACK, seq=1);
	T(340)	wire_out(RTX, seq=1);
	T(820)	wire_out(RTX, seq=1);
	T(1780)	wire_out(RTX, seq=1);
	T(3700)	state(c, CLOSED);
		counter(TCPAbortOnTimeout, 1);
}

DIALOGUE(shutdown_of_reading)
{
	T(0)	connected(c, "mss=1460");
	T(100)	app_shutdown(c, GLASS_SHUT_RD);
		app_recv_eof(c);
		app_ready(c, GLASS_IN | GLASS_OUT | GLASS_RDHUP);
	T(200)	app_send(c, 10);	wire_out(PSH|ACK, seq=1, len=10);
	T(240)	wire_in(ACK, seq=1, ack=11);
}

/* What nobody holds any more does not wait for a peer for ever, also when it was shut down first. */
DIALOGUE(closed_after_its_fin_was_acknowledged)
{
	T(0)	connected(c, "mss=1000");
	T(100)	app_shutdown(c, GLASS_SHUT_WR);	wire_out(FIN|ACK, seq=1);
	T(140)	wire_in(ACK, seq=1, ack=2);
	T(1000)	app_close(c);
	T(60900) state(c, FIN-WAIT-2);
	T(61100) state(c, CLOSED);
}

/* What SO_LINGER waits for: the data, then the FIN; whatever the peer has still to say. */
DIALOGUE(closing_until_the_fin_is_acknowledged)
{
	struct glass_conn_info info;

	T(0)	connected(c, "mss=1460");
		check(!glass_sock_info(dlg_stack(d), c->s, &info));
		check(!glass_closing(dlg_stack(d), info.conn));
	T(100)	app_send(c, 100);		wire_out(PSH|ACK, seq=1, ack=1, len=100);
		app_close(c);			wire_out(FIN|ACK, seq=101, ack=1, len=0);
		check(glass_closing(dlg_stack(d), info.conn));
	T(140)	wire_in(ACK, seq=1, ack=101);
		check(glass_closing(dlg_stack(d), info.conn));
	T(150)	wire_in(ACK, seq=1, ack=102);
		state(c, FIN-WAIT-2);
		check(!glass_closing(dlg_stack(d), info.conn));
		check(!glass_closing(dlg_stack(d), info.conn + 1));
}
