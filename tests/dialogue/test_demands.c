/* SPDX-License-Identifier: MIT */
/* Demands of RFC 9293 that belong to no other theme: docs/rfc/rfc9293.md names them. */
#include "dialogue.h"

/* A dialogue is laid out in columns. */
/* clang-format off */

/* SHLD-2: a RST may tell in words why; it is a RST all the same, and the words are nobody's data. */
DIALOGUE(rst_with_data)
{
	T(0)	connected(c, "mss=1460");
	T(100)	wire_in(RST, seq=1, len=20);
		app_woke(c, GLASS_IN | GLASS_ERR | GLASS_HUP);
		app_recv_error(c, ECONNRESET);
		app_recv_eof(c);
		dropped(TCP_RST, 1);
		state(c, UNCONN);
}

/* MUST-58, MUST-59: what has come is read to its end before one ACK answers it all. */
DIALOGUE(one_ack_for_a_batch)
{
	T(0)	connected(c, "mss=1460");
	T(100)	wire_hold();
		for (unsigned i = 0; i < 9; i++)
			wire_inf("ACK, seq=%u, ack=1, len=1460", 1 + i * 1460);
		wire_in(PSH|ACK, seq=1+9*1460, ack=1, len=1460);
		wire_release();
		wire_out(ACK, seq=1, ack=1+10*1460, len=0);
		app_recv(c, 14600);
		counter(OutSegs, 3);	/* SYN, the ACK of the handshake, this one */
}

/* Beyond a hole each has its own: whoever knows no SACK counts duplicates (RFC 5681 4.2). */
DIALOGUE(one_ack_for_a_batch_with_a_hole)
{
	T(0)	connected(c, "mss=1460, sackok");
	T(100)	wire_hold();
		wire_in(ACK, seq=1, ack=1, len=1460);
		wire_in(ACK, seq=1+2*1460, ack=1, len=1460);
		wire_in(ACK, seq=1+3*1460, ack=1, len=1460);
		wire_release();
		wire_out(ACK, seq=1, ack=1461, sack=1+2*1460:1+3*1460);
		wire_out(ACK, seq=1, ack=1461, sack=1+2*1460:1+4*1460);
	T(110)	wire_in(ACK, seq=1461, ack=1, len=1460);
		wire_out(ACK, seq=1, ack=1+4*1460, nosack);
		app_recv(c, 5840);
}

/* MUST-41, MUST-42: who listens disturbs nobody who is connected, on the same port too. */
DIALOGUE(a_listener_and_its_connections)
{
	struct app *a, *b, *other = dlg_app(d);

	T(0)	app_listen(l, 8080, 5);
		a = accepted(l, "mss=1460");
	T(100)	wire_in(PSH|ACK, seq=1, ack=1, len=10);		wire_out(ACK, ack=11);
	T(200)	app_listen(other, 8081, 5);
		b = accepted(other, "mss=1460");
	T(300)	app_recv(a, 10);
		app_send(a, 10);	wire_out(PSH|ACK, dport=40000, seq=1, len=10);
		state(a, ESTAB);
		state(b, ESTAB);
	T(400)	app_close(l);
		app_close(other);
		state(a, ESTAB);
		state(b, ESTAB);
}
