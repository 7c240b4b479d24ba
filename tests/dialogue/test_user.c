/* SPDX-License-Identifier: MIT */
/* What a program sets, by the clock: TCP_CORK, TCP_QUICKACK, TCP_LINGER2, TCP_USER_TIMEOUT at a
 * closed window. */
#include "dialogue.h"

/* A dialogue is laid out in columns. */
/* clang-format off */

/* tcp(7): 200 ms, then what is corked goes. */
DIALOGUE(cork_lasts_200_ms)
{
	T(0)	connected(c, "mss=1460");
		app_setopt(c, OPT_CORK, 1);
	T(100)	app_send(c, 100);
	T(300)	wire_out(PSH|ACK, seq=1, len=100);
	T(340)	wire_in(ACK, ack=101);
}

/* Behind bytes that are out it waits for their ACK first. */
DIALOGUE(cork_behind_a_full_segment)
{
	T(0)	connected(c, "mss=1000");
		app_setopt(c, OPT_CORK, 1);
	T(100)	app_send(c, 1100);	wire_out(ACK, seq=1, len=1000);
	T(140)	wire_in(ACK, ack=1001);
	T(340)	wire_out(PSH|ACK, seq=1001, len=100);
	T(380)	wire_in(ACK, ack=1101);
}

/* A mode, not a promise: 0 lets ACKs wait for data, 1 ends that and sends the one that is due. */
DIALOGUE(quickack_is_a_mode)
{
	int64_t v;

	T(0)	connected(c, "mss=1000");
	T(100)	wire_in(PSH|ACK, seq=1, ack=1, len=100);	wire_out(ACK, ack=101);
		app_setopt(c, OPT_QUICKACK, 0);
		check(!glass_getopt(dlg_stack(d), c->s, GLASS_OPT_QUICKACK, &v) && v == 0);
	T(200)	wire_in(PSH|ACK, seq=101, ack=1, len=100);
	T(240)	wire_out(ACK, ack=201);
	T(300)	wire_in(PSH|ACK, seq=201, ack=1, len=100);
	T(310)	app_setopt(c, OPT_QUICKACK, 1);		wire_out(ACK, ack=301);
	T(400)	wire_in(PSH|ACK, seq=301, ack=1, len=100);	wire_out(ACK, ack=401);
		app_recv(c, 400);
}

/* FIN-WAIT-2 of a closed socket as long as TCP_LINGER2 says. */
DIALOGUE(linger2)
{
	T(0)	connected(c, "mss=1000");
		app_setopt(c, OPT_LINGER2, 3);
	T(100)	app_close(c);		wire_out(FIN|ACK, seq=1);
	T(140)	wire_in(ACK, ack=2);	state(c, FIN-WAIT-2);
	T(3139)	state(c, FIN-WAIT-2);
	T(3141)	state(c, CLOSED);
}

/* Below 0: no FIN-WAIT-2 at all. */
DIALOGUE(linger2_of_nothing)
{
	T(0)	connected(c, "mss=1000");
		app_setopt(c, OPT_LINGER2, -1);
	T(100)	app_close(c);		wire_out(FIN|ACK, seq=1);
	T(140)	wire_in(ACK, ack=2);	wire_out(RST|ACK, seq=2);
		state(c, CLOSED);
}

/* RFC 5482: the peer answers each probe, but its window stays closed for longer than the program bears. */
DIALOGUE(user_timeout_and_a_closed_window)
{
	T(0)	connected(c, "mss=1000");
		app_setopt(c, OPT_USER_TIMEOUT, 2000);
	T(100)	wire_in(ACK, seq=1, ack=1, win=0);
	T(200)	app_send(c, 500);
		wire_out_within(400, 600, ACK);		wire_in(ACK, seq=1, ack=1, win=0);
		wire_out_within(800, 1200, ACK);	wire_in(ACK, seq=1, ack=1, win=0);
		wire_out_within(1700, 2400, ACK);	wire_in(ACK, seq=1, ack=1, win=0);
	T(5000)	state(c, UNCONN);
		app_error(c, ETIMEDOUT);
}

/* A window that opens in time starts the count anew. */
DIALOGUE(user_timeout_and_a_window_that_opens)
{
	T(0)	connected(c, "mss=1000");
		app_setopt(c, OPT_USER_TIMEOUT, 2000);
	T(100)	wire_in(ACK, seq=1, ack=1, win=0);
	T(200)	app_send(c, 500);
		wire_out_within(400, 600, ACK);		wire_in(ACK, seq=1, ack=1, win=0);
		wire_out_within(800, 1200, ACK);	wire_in(ACK, seq=1, ack=1, win=500);
		wire_out(PSH|ACK, seq=1, len=500);
	T(1000)	wire_in(ACK, seq=1, ack=501, win=0);
	T(1100)	app_send(c, 500);
		wire_out_within(1200, 1600, ACK);	wire_in(ACK, seq=1, ack=501, win=0);
		wire_out_within(1600, 2400, ACK);	wire_in(ACK, seq=1, ack=501, win=0);
		wire_out_within(2400, 3100, ACK);	wire_in(ACK, seq=1, ack=501, win=500);
		wire_out(PSH|ACK, seq=501, len=500);
		state(c, ESTAB);
		wire_in(ACK, ack=1001);
}
