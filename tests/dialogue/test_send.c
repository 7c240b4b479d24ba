/* SPDX-License-Identifier: MIT */
/* Sending: segments, Nagle, PSH, the peer's window and its probes (RFC 9293 3.7, 3.8.6). */
#include "dialogue.h"

/* A dialogue is laid out in columns. */
/* clang-format off */

DIALOGUE(one_write_one_segment)
{
	T(0)	connected(c, "mss=1460");
	T(100)	app_send(c, 5);		wire_out(PSH|ACK, seq=1, ack=1, len=5, df, ttl=64);
	T(140)	wire_in(ACK, seq=1, ack=6);
		app_ready(c, GLASS_OUT);
}

/*
 * RFC 6928: ten segments at once; then each ACK lets more out (slow start). MUST-61: the last one
 * has PSH.
 */
DIALOGUE(initial_window_and_slow_start)
{
	T(0)	connected(c, "mss=1000");
	T(100)	app_send(c, 14000);
	for (unsigned i = 0; i < 10; i++)
		wire_outf("ACK, seq=%u, len=1000", 1 + 1000 * i);
	T(140)	wire_in(ACK, seq=1, ack=1+2000);
	for (unsigned i = 10; i < 13; i++)
		wire_outf("ACK, seq=%u, len=1000", 1 + 1000 * i);
		wire_out(PSH|ACK, seq=13001, len=1000);
	T(180)	wire_in(ACK, seq=1, ack=14001);
}

/*
 * What leaves together ends with PSH; a single segment that the congestion window lets out in the
 * middle of a write has none, nor has a copy of what is not the end of a write.
 */
DIALOGUE(push_where_a_burst_ends)
{
	T(0)	connected(c, "mss=1000, sackok");
	T(100)	app_send(c, 20000);
	for (unsigned i = 0; i < 9; i++)
		wire_outf("ACK, seq=%u, len=1000, nopsh", 1 + 1000 * i);
		wire_out(PSH|ACK, seq=9001, len=1000);
	T(140)	wire_in(ACK, seq=1, ack=1, sack=1001:2001);
		wire_out(ACK, seq=10001, len=1000, nopsh);
	T(141)	wire_in(ACK, seq=1, ack=1, sack=1001:3001);
		wire_out(ACK, seq=11001, len=1000, nopsh);
	T(142)	wire_in(ACK, seq=1, ack=1, sack=1001:4001);
		wire_out(RTX, ACK, seq=1, len=1000, nopsh);
}

/* SHLD-7: while data is out, a small segment waits to be filled. */
DIALOGUE(nagle)
{
	T(0)	connected(c, "mss=1460");
	T(100)	app_send(c, 10);	wire_out(PSH|ACK, seq=1, len=10);
	T(110)	app_send(c, 10);
	T(120)	app_send(c, 10);
	T(140)	wire_in(ACK, seq=1, ack=11);
		wire_out(PSH|ACK, seq=11, len=20);
	T(150)	app_send(c, 1460);	wire_out(ACK, seq=31, len=1460);
	T(200)	wire_in(ACK, seq=1, ack=1491);
}

DIALOGUE(nodelay)
{
	T(0)	connected(c, "mss=1460");
		app_setopt(c, OPT_NODELAY, 1);
	T(100)	app_send(c, 10);	wire_out(PSH|ACK, seq=1, len=10);
	T(110)	app_send(c, 10);	wire_out(PSH|ACK, seq=11, len=10);
	T(120)	app_send(c, 10);	wire_out(PSH|ACK, seq=21, len=10);
	T(150)	wire_in(ACK, seq=1, ack=31);
}

/* Setting it lets go what Nagle held. */
DIALOGUE(nodelay_flushes)
{
	T(0)	connected(c, "mss=1460");
	T(100)	app_send(c, 10);	wire_out(PSH|ACK, seq=1, len=10);
	T(110)	app_send(c, 10);
	T(120)	app_setopt(c, OPT_NODELAY, 1);	wire_out(PSH|ACK, seq=11, len=10);
	T(150)	wire_in(ACK, seq=1, ack=21);
}

DIALOGUE(cork)
{
	T(0)	connected(c, "mss=1460");
		app_setopt(c, OPT_CORK, 1);
	T(100)	app_send(c, 100);
	T(110)	app_send(c, 1400);	wire_out(ACK, seq=1, len=1460);
	T(120)	app_setopt(c, OPT_CORK, 0);	wire_out(PSH|ACK, seq=1461, len=40);
	T(150)	wire_in(ACK, seq=1, ack=1501);
}

/* tcp(7): TCP_NODELAY does not undo a cork, but it pushes what is queued when it is set. */
DIALOGUE(nodelay_pushes_past_a_cork)
{
	T(0)	connected(c, "mss=1460");
		app_setopt(c, OPT_CORK, 1);
	T(100)	app_send(c, 80);
	T(110)	app_setopt(c, OPT_NODELAY, 1);	wire_out(PSH|ACK, seq=1, len=80);
	T(120)	app_send(c, 40);
	T(150)	wire_in(ACK, seq=1, ack=81);
	T(200)	app_setopt(c, OPT_CORK, 0);	wire_out(PSH|ACK, seq=81, len=40);
	T(240)	wire_in(ACK, seq=1, ack=121);
}

/* Without SO_SNDBUF the buffer follows the window; with it, it is what was asked for. */
DIALOGUE(asked_for_send_buffer_is_granted)
{
	T(0)	connected(c, "mss=1000, win=1000");
		app_setopt(c, OPT_SNDBUF, 200000);
	T(100)	app_send(c, 400000);	wire_out(ACK, seq=1, len=1000);
	T(110)	wire_in(RST, seq=1);
		app_error(c, ECONNRESET);
}

/* Never more than the peer's window. */
DIALOGUE(window_is_a_limit)
{
	T(0)	connected(c, "mss=1000, win=2500");
	T(100)	app_send(c, 5000);
		wire_out(ACK, seq=1, len=1000);
		wire_out(ACK, seq=1001, len=1000);
	T(140)	wire_in(ACK, seq=1, ack=2001, win=2500);
		wire_out(ACK, seq=2001, len=1000);
		wire_out(ACK, seq=3001, len=1000);
	T(180)	wire_in(ACK, seq=1, ack=4001);
		wire_out(PSH|ACK, seq=4001, len=1000);
	T(220)	wire_in(ACK, seq=1, ack=5001);
}

/* RFC 7323 2.3: after the handshake the window counts in units of the peer's scale. */
DIALOGUE(window_is_scaled)
{
	T(0)	connected(c, "mss=1000, ws=2, win=500");
	T(100)	app_send(c, 3000);
		wire_out(ACK, seq=1, len=500);		/* the SYN's window is not scaled */
	T(140)	wire_in(ACK, seq=1, ack=501, win=500);	/* 2,000 */
		wire_out(ACK, seq=501, len=1000);
		wire_out(ACK, seq=1501, len=1000);
	T(180)	wire_in(ACK, seq=1, ack=2501, win=500);
		wire_out(PSH|ACK, seq=2501, len=500);
	T(220)	wire_in(ACK, seq=1, ack=3001);
}

/*
 * MUST-35..37, SHLD-29, SHLD-30: probes from the RTO on, doubling, for ever while they are
 * answered.
 */
DIALOGUE(zero_window_probes)
{
	T(0)	connected(c, "mss=1000");
	T(100)	app_send(c, 2000);
		wire_out(ACK, seq=1, len=1000);
		wire_out(PSH|ACK, seq=1001, len=1000);
	T(140)	wire_in(ACK, seq=1, ack=2001, win=0);
	T(200)	app_send(c, 500);
		wire_out_within(340, 540, ACK);
		wire_in(ACK, seq=1, ack=2001, win=0);
		wire_out_within(700, 1100, ACK);
		wire_in(ACK, seq=1, ack=2001, win=0);
		wire_out_within(1500, 2300, ACK);
		wire_in(ACK, seq=1, ack=2001, win=0);
		state(c, ESTAB);
		counter(TCPWinProbe, 3);
	T(2400)	wire_in(ACK, seq=1, ack=2001, win=1000);
		wire_out(PSH|ACK, seq=2001, len=500);
	T(2440)	wire_in(ACK, seq=1, ack=2501);
}

/* While it is answered a closed window never ends the connection: an hour. */
DIALOGUE(zero_window_for_an_hour)
{
	T(0)	connected(c, "mss=1000");
	T(100)	wire_in(ACK, seq=1, ack=1, win=0);
	T(200)	app_send(c, 500);
	while (dlg_now(d) < 3600e3) {
		double from = dlg_now(d);

		wire_out_within(from, from + 121e3, ACK);
		wire_in(ACK, seq=1, ack=1, win=0);
	}
		state(c, ESTAB);
		wire_in(ACK, seq=1, ack=1, win=65535);
		wire_out(PSH|ACK, seq=1, len=500);
		wire_in(ACK, seq=1, ack=501);
}

/* Nobody answers the probes: the connection ends. */
DIALOGUE(zero_window_and_a_dead_peer)
{
	unsigned probes = 0;

	T(0)	tunable(tcp_retries2, 5);
		connected(c, "mss=1000");
	T(100)	wire_in(ACK, seq=1, ack=1, win=0);
	T(200)	app_send(c, 500);
	while (probes++ < 6)	/* the first one, and five more in vain */
		wire_out_within(200, 60000, ACK);
	T(60000) app_woke(c, GLASS_ERR);
		app_error(c, ETIMEDOUT);
		counter(TCPAbortOnTimeout, 1);
}

/* MUST-38: no crumbs below a full segment or half the window. */
DIALOGUE(silly_window_syndrome)
{
	T(0)	connected(c, "mss=1000, win=4000");
	T(100)	app_send(c, 6000);
	for (unsigned i = 0; i < 4; i++)
		wire_outf("ACK, seq=%u, len=1000", 1 + 1000 * i);
	T(140)	wire_in(ACK, seq=1, ack=4001, win=100);	/* 100 bytes of room: not worth a segment */
	T(200)	wire_in(ACK, seq=1, ack=4001, win=2500);
		wire_out(ACK, seq=4001, len=1000);
		wire_out(PSH|ACK, seq=5001, len=1000);
	T(240)	wire_in(ACK, seq=1, ack=6001);
}

/* SHLD-14..17: a peer that takes its window back loses nothing. */
DIALOGUE(peer_shrinks_its_window)
{
	T(0)	connected(c, "mss=1000, win=4000");
	T(100)	app_send(c, 4000);
	for (unsigned i = 0; i < 4; i++)
		wire_outf("ACK, seq=%u, len=1000", 1 + 1000 * i);
	T(140)	wire_in(ACK, seq=1, ack=1001, win=1000);
	T(150)	wire_in(ACK, seq=1, ack=4001, win=4000);
		app_ready(c, GLASS_OUT);
		state(c, ESTAB);
}

/*
 * A segment with an old sequence number that acknowledges more (here a retransmission, often a FIN)
 * brings the newest window: the old one, counted from the new SND.UNA, would be beyond the edge.
 */
DIALOGUE(window_of_a_retransmission_that_acknowledges_more)
{
	T(0)	connected(c, "mss=1000, win=4000");
	T(100)	app_send(c, 8000);
	for (unsigned i = 0; i < 4; i++)
		wire_outf("ACK, seq=%u, len=1000", 1 + 1000 * i);
	T(130)	wire_in(ACK, seq=1, ack=1, len=500, win=4000);		wire_out(ACK, ack=501);
	T(131)	wire_in(ACK, seq=501, ack=1, len=500, win=4000);	wire_out(ACK, ack=1001);
	T(140)	wire_in(ACK, seq=1, ack=4001, len=1400, win=500);	/* 400 bytes of it are new */
		wire_out(ACK, seq=4001, ack=1401, len=0);	/* 500 bytes of window: no segment */
	T(160)	wire_in(ACK, seq=1401, ack=4001, win=4000);
	for (unsigned i = 4; i < 8; i++)
		wire_outf("ACK, seq=%u, len=1000", 1 + 1000 * i);
	T(200)	wire_in(ACK, seq=1401, ack=8001);
}

/* The send buffer is a limit, and the program learns when there is room again. */
DIALOGUE(send_buffer_is_a_limit)
{
	T(0)	app_setopt(c, OPT_SNDBUF, 4608);	/* doubled, as on Linux */
		connected(c, "mss=1000, win=1000");
	T(100)	app_send(c, 9216);
		wire_out(ACK, seq=1, len=1000);
		app_send_error(c, EAGAIN);
		app_ready(c, 0);
		c->woke = 0;
	T(140)	wire_in(ACK, seq=1, ack=1001, win=8000);
	for (unsigned i = 1; i < 9; i++)
		wire_outf("ACK, seq=%u, len=1000", 1 + i * 1000);
	T(180)	wire_in(ACK, seq=1, ack=9001);	wire_out(PSH|ACK, seq=9001, len=216);
	T(220)	wire_in(ACK, seq=1, ack=9217);
		app_woke(c, GLASS_OUT);
		app_ready(c, GLASS_OUT);
}

/* T36 */
DIALOGUE(tos_and_ttl_show_on_the_wire)
{
	T(0)	app_setopt(c, OPT_TOS, 0x10);
		app_setopt(c, OPT_TTL, 33);
		app_connect(c, 8080);	wire_out(SYN, seq=0, tos=0x10, ttl=33);
	T(10)	wire_in(SYN|ACK, seq=0, ack=1, mss=1460);	wire_out(ACK, tos=0x10, ttl=33);
	T(20)	app_send(c, 3);		wire_out(PSH|ACK, tos=0x10, ttl=33);
	T(60)	wire_in(ACK, ack=4);
}

DIALOGUE(maxseg)
{
	T(0)	app_setopt(c, OPT_MAXSEG, 500);
		app_connect(c, 8080);	wire_out(SYN, seq=0, mss=500);
	T(10)	wire_in(SYN|ACK, seq=0, ack=1, mss=1460);	wire_out(ACK, seq=1);
	T(20)	app_send(c, 1000);
		wire_out(ACK, seq=1, len=500);
		wire_out(PSH|ACK, seq=501, len=500);
	T(60)	wire_in(ACK, ack=1001);
}
