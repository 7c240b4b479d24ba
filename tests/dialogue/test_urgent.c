/* SPDX-License-Identifier: MIT */
/* Urgent data: RFC 9293 3.8.5 (MUST-30 to 33, 62), RFC 6093; T37. */
#include "dialogue.h"

/* A dialogue is laid out in columns. */
/* clang-format off */

static int64_t ahead(struct dlg *d, struct app *c)
{
	return glass_urgent_at(dlg_stack(d), c->s);
}

/* Reads n bytes, though more may be there. */
static void take(struct dlg *d, struct app *c, size_t n)
{
	char bytes[16];

	check(glass_recv(dlg_stack(d), c->s, bytes, n) == (int64_t)n);
	c->received += n;
}

/* MUST-62: the pointer stands behind the urgent byte, until that is acknowledged. */
DIALOGUE(pointer_behind_the_byte)
{
	T(0)	connected(c, "mss=1000");
	T(100)	wire_hold();	app_send(c, 5);
		check(glass_send_urgent(dlg_stack(d), c->s) == 0);
		app_send(c, 3);	wire_release();
		wire_out(PSH|ACK|URG, seq=1, len=8, urg=5);
	T(110)	wire_in(ACK, seq=1, ack=6);
		wire_out_within(110, 420, ACK|PSH, seq=6, len=3, urg=0);
		wire_in(ACK, seq=1, ack=9);
}

/* It was marked when its byte was out already: the next segment says so; a copy does too. */
DIALOGUE(marked_after_it_left)
{
	T(0)	connected(c, "mss=1000");
	T(100)	app_send(c, 5);		wire_out(PSH|ACK, seq=1, len=5, urg=0);
		check(glass_send_urgent(dlg_stack(d), c->s) == 0);
		wire_out_within(100, 420, PSH|ACK|URG, seq=1, len=5, urg=5);
	T(500)	wire_in(ACK, seq=1, ack=6);
		app_send(c, 2);		wire_out(PSH|ACK, seq=6, len=2, urg=0);
}

/* Urgent data does not wait for Nagle, and leaves by single segments: others cannot cut the pointer. */
DIALOGUE(urgent_data_is_not_held_back)
{
	T(0)	connected(c, "mss=1000");
	T(100)	app_send(c, 3);		wire_out(PSH|ACK, seq=1, len=3);
	T(101)	app_send(c, 2);
	T(110)	check(glass_send_urgent(dlg_stack(d), c->s) == 0);
		wire_out(PSH|ACK|URG, seq=4, len=2, urg=2);
	T(140)	wire_in(ACK, seq=1, ack=6);
	T(150)	app_send(c, 10);	wire_out(PSH|ACK, seq=6, len=10, urg=0);
}

/* MUST-32, 33: the program is told where it is; the byte stays in the stream. */
DIALOGUE(place_of_the_urgent_byte)
{
	T(0)	connected(c, "mss=1000");
		check(ahead(d, c) == -1);
	T(100)	wire_in(PSH|ACK|URG, seq=1, ack=1, len=10, urg=4);	wire_skip_all();
		check(ahead(d, c) == 3);
		take(d, c, 3);		check(ahead(d, c) == 0);
		take(d, c, 1);		check(ahead(d, c) == -1);
		app_recv(c, 6);
}

/* It is announced before it comes (also by an ACK alone), and a later one takes its place. */
DIALOGUE(announced_before_it_comes)
{
	T(0)	connected(c, "mss=1000");
	T(100)	wire_in(ACK|URG, seq=1, ack=1, urg=20);
		check(ahead(d, c) == 19);
	T(110)	wire_in(ACK|URG, seq=1, ack=1, len=10, urg=10);	wire_skip_all();
		check(ahead(d, c) == 19);			/* an older pointer says nothing new */
	T(120)	wire_in(ACK|URG, seq=11, ack=1, len=30, urg=30);	wire_skip_all();
		check(ahead(d, c) == 39);
		app_recv(c, 40);	check(ahead(d, c) == -1);
	T(130)	wire_in(ACK|URG, seq=41, ack=1, len=1, urg=0);	wire_skip_all();
		check(ahead(d, c) == -1);			/* a pointer of 0 says nothing: Linux too */
		app_recv(c, 1);
}

/* Pointers that lie: to what was read, far ahead, beyond a FIN. Bytes are never lost or doubled by them. */
DIALOGUE(pointers_that_lie)
{
	T(0)	connected(c, "mss=1000");
	T(100)	wire_in(ACK, seq=1, ack=1, len=10);		wire_skip_all();
		app_recv(c, 10);
	T(110)	wire_in(ACK|URG, seq=1, ack=1, len=10, urg=5);	wire_skip_all();	/* a duplicate */
		check(ahead(d, c) == -1);
	T(120)	wire_in(ACK|URG, seq=11, ack=1, len=5, urg=65535);	wire_skip_all();
		check(ahead(d, c) == 65534);
		app_recv(c, 5);
	T(130)	wire_in(FIN|ACK, seq=16, ack=1);		wire_skip_all();
		check(ahead(d, c) == 65529);
		app_recv_eof(c);
	T(140)	wire_in(ACK|URG, seq=17, ack=1, urg=9);		wire_skip_all();
		check(ahead(d, c) == 65529);
}
