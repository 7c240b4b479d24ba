/* SPDX-License-Identifier: MIT */
/*
 * The account of a connection's time: each limiter of limit.def where it is due, to the
 * millisecond. That they sum to the life is checked at every T() of all dialogues.
 */
#include "dialogue.h"

/* A dialogue is laid out in columns. */
/* clang-format off */

/* HANDSHAKE, APPLICATION, DELIVERY, CLOSING */
DIALOGUE(a_simple_life)
{
	T(0)	connected(c, "mss=1000");
		limited(c, HANDSHAKE, 40);
	T(100)	limited(c, APPLICATION, 60);
		app_send(c, 500);		wire_out(PSH|ACK, seq=1, len=500);
	T(130)	wire_in(ACK, ack=501);
		limited(c, DELIVERY, 30);
	T(200)	limited(c, APPLICATION, 130);
		app_shutdown(c, GLASS_SHUT_WR);	wire_out(FIN|ACK, seq=501);
	T(260)	wire_in(ACK, ack=502);
	T(300)	limited(c, CLOSING, 100);
		limited(c, HANDSHAKE, 40);
		wire_in(FIN|ACK, seq=1, ack=502);	wire_out(ACK);
}

/* An idle one needs no table for its account. */
DIALOGUE(an_idle_one_costs_nothing)
{
	struct glass_memory before, after;

	T(0)	connected(c, "mss=1000");
		glass_memory(dlg_stack(d), &before);
	T(7e6)	limited(c, HANDSHAKE, 40);
		limited(c, APPLICATION, 7e6 - 40);
		glass_memory(dlg_stack(d), &after);
		check(after.bytes <= before.bytes);
}

/* What ended keeps its account while the program holds the socket. */
DIALOGUE(a_life_that_ended)
{
	T(0)	connected(c, "mss=1000");
	T(100)	wire_in(RST, seq=1);
	T(500)	state(c, UNCONN);
		limited(c, HANDSHAKE, 40);
		limited(c, APPLICATION, 60);
}

DIALOGUE(congestion_window_and_delivery)
{
	T(0)	connected(c, "mss=1000");
	T(100)	app_send(c, 14000);		for (unsigned i = 0; i < 10; i++) wire_skip();
	T(150)	limited(c, CWND, 50);
		wire_in(ACK, ack=10001);	for (unsigned i = 0; i < 4; i++) wire_skip();
	T(170)	limited(c, CWND, 50);
		limited(c, DELIVERY, 20);
		wire_in(ACK, ack=14001);
}

/* The window is used up; then it is closed. */
DIALOGUE(receive_window_and_zero_window)
{
	T(0)	connected(c, "mss=1000, win=2000");
	T(100)	app_send(c, 3000);		wire_skip(); wire_skip();
	T(130)	limited(c, RWND, 30);
		wire_in(ACK, ack=2001, win=0);
	T(150)	limited(c, ZERO_WINDOW, 20);
		wire_in(ACK, ack=2001, win=2000);	wire_out(PSH|ACK, seq=2001, len=1000);
	T(160)	limited(c, RWND, 30);
		limited(c, ZERO_WINDOW, 20);
		limited(c, DELIVERY, 10);
		wire_in(ACK, ack=3001);
}

/* A probe was lost, the next is answered by an open window: nothing waits for the timer any more. */
DIALOGUE(zero_window_and_a_lost_probe)
{
	T(0)	connected(c, "mss=1000");
	T(100)	wire_in(ACK, seq=1, ack=1, win=0);
	T(200)	app_send(c, 500);
		wire_out_within(340, 540, ACK);
		wire_out_within(700, 1300, ACK);
	T(1300)	wire_in(ACK, seq=1, ack=1, win=65535);	wire_out(PSH|ACK, seq=1, len=500);
	T(1340)	limited(c, ZERO_WINDOW, 1100);
		limited(c, DELIVERY, 40);
		limited(c, RTO, 0);
		wire_in(ACK, ack=501);
}

/* The program would write more than the buffer takes. */
DIALOGUE(send_buffer)
{
	T(0)	app_setopt(c, OPT_SNDBUF, 4000);
		connected(c, "mss=1000");
	T(100)	app_send(c, 8000);		for (unsigned i = 0; i < 8; i++) wire_skip();
		check(glass_send(dlg_stack(d), c->s, "x", 1) == -EAGAIN);
	T(150)	limited(c, SNDBUF, 50);
		wire_in(ACK, ack=8001);
	T(170)	limited(c, SNDBUF, 50);
		limited(c, APPLICATION, 60 + 20);
}

DIALOGUE(nagle_and_cork)
{
	T(0)	connected(c, "mss=1000");
	T(100)	app_send(c, 10);		wire_skip();
	T(110)	app_send(c, 10);
	T(130)	limited(c, DELIVERY, 10);
		limited(c, NAGLE, 20);
		wire_in(ACK, ack=11);		wire_skip();
	T(140)	wire_in(ACK, ack=21);
		app_setopt(c, OPT_CORK, 1);
		app_send(c, 100);
	T(190)	limited(c, CORK, 50);
		app_setopt(c, OPT_CORK, 0);	wire_skip();
	T(200)	wire_in(ACK, ack=121);
}

/* Lost: what the timer waited for in vain is its time, and so is the time until the copy is acknowledged. */
DIALOGUE(rto_wait)
{
	T(0)	connected(c, "mss=1000");
	T(100)	app_send(c, 100);		wire_skip();
	T(340)	wire_out(RTX, seq=1);
		limited(c, RTO, 240);
		limited(c, DELIVERY, 0);
	T(380)	wire_in(ACK, ack=101);
		limited(c, RTO, 280);
		limited(c, DELIVERY, 0);
}

/* A loss that is repaired without a timeout. */
DIALOGUE(recovery_time)
{
	T(0)	connected(c, "mss=1000, sackok");
	T(100)	app_send(c, 10000);		for (unsigned i = 0; i < 10; i++) wire_skip();
	T(140)	wire_in(ACK, ack=1, sack=1001:5001);
		wire_skip_all();
	T(180)	wire_in(ACK, ack=10001);
	T(200)	limited(c, RECOVERY, 40);
		limited(c, DELIVERY, 40);
		limited(c, APPLICATION, 60 + 20);
}

static enum glass_limiter limiter_of(struct dlg *d, struct app *c)
{
	struct glass_conn_info info;

	check(!glass_sock_info(dlg_stack(d), c->s, &info));
	return info.limiter;
}

/* One connection may not fill the device's queue while others wait. */
DIALOGUE(others_have_their_turn)
{
	static uint8_t bytes[500000];
	struct glass_frame frame;

	T(0)	tunable(tcp_initial_window, 1000);
		connected(c, "mss=1000, ws=7");
	T(100)	wire_in(ACK, ack=1, win=65535);
		check(glass_send(dlg_stack(d), c->s, bytes, sizeof(bytes)) == sizeof(bytes));
		check(glass_output(dlg_stack(d), &frame));
		check(limiter_of(d, c) == GLASS_LIMIT_DEVICE);
		while (glass_output(dlg_stack(d), &frame))
			;
		check(limiter_of(d, c) == GLASS_LIMIT_DELIVERY);
}
