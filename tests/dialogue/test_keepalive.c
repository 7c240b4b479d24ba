/* SPDX-License-Identifier: MIT */
/* Keepalive: RFC 9293 3.8.4, MUST-24 to MUST-29. */
#include "dialogue.h"

/* A dialogue is laid out in columns. */
/* clang-format off */

DIALOGUE(off_by_default)
{
	T(0)	connected(c, "mss=1460");
	T(86400e3) state(c, ESTAB);
}

DIALOGUE(probes_and_answers)
{
	T(0)	connected(c, "mss=1460");
		app_setopt(c, OPT_KEEPALIVE, 1);
		app_setopt(c, OPT_KEEPIDLE, 10);
		app_setopt(c, OPT_KEEPINTVL, 2);
	T(10040) wire_out(ACK, seq=0, ack=1, len=0);
	T(10080) wire_in(ACK, seq=1, ack=1);
	T(20080) wire_out(ACK, seq=0, ack=1);
	T(20120) wire_in(ACK, seq=1, ack=1);
	T(25000) wire_in(PSH|ACK, seq=1, ack=1, len=10);	wire_out(ACK, ack=11);
		app_recv(c, 10);
	T(35000) wire_out(ACK, seq=0, ack=11);
	T(35040) wire_in(ACK, seq=11, ack=1);
		counter(TCPKeepAlive, 3);
		state(c, ESTAB);
}

DIALOGUE(dead_peer)
{
	T(0)	connected(c, "mss=1460");
		app_setopt(c, OPT_KEEPALIVE, 1);
		app_setopt(c, OPT_KEEPIDLE, 10);
		app_setopt(c, OPT_KEEPINTVL, 2);
		app_setopt(c, OPT_KEEPCNT, 3);
	T(10040) wire_out(ACK, seq=0);
	T(12040) wire_out(ACK, seq=0);
	T(14040) wire_out(ACK, seq=0);
	T(15000) state(c, ESTAB);
		wire_out_within(16000, 16100, RST|ACK, seq=1);
		app_woke(c, GLASS_ERR | GLASS_HUP);
		app_error(c, ETIMEDOUT);
}

/* Three minutes are 180 s, however often the stack is called meanwhile, and at what odd times. */
DIALOGUE(time_does_not_drift)
{
	T(0)	connected(c, "mss=1460");
		app_setopt(c, OPT_KEEPALIVE, 1);
		app_setopt(c, OPT_KEEPIDLE, 10);
		app_setopt(c, OPT_KEEPINTVL, 10);
		app_setopt(c, OPT_KEEPCNT, 17);
	for (int i = 1; i <= 17; i++) {
		for (int k = 0; k < 100; k++)
			T(10e3 * (i - 1) + 50 + 99.3 * k);
		T(10e3 * i + 40) wire_out(ACK, seq=0);
	}
	T(179e3) state(c, ESTAB);
		wire_out_within(180040, 180041, RST|ACK, seq=1);
		app_error(c, ETIMEDOUT);
}

/* The peer has restarted: it answers the probe with a RST. */
DIALOGUE(restarted_peer)
{
	T(0)	connected(c, "mss=1460");
		app_setopt(c, OPT_KEEPALIVE, 1);
		app_setopt(c, OPT_KEEPIDLE, 10);
	T(10040) wire_out(ACK, seq=0, ack=1);
	T(10080) wire_in(RST, seq=1);
		app_error(c, ECONNRESET);
}

/* We are the one that is probed: answered, though the sequence number is old. */
DIALOGUE(probe_is_answered)
{
	T(0)	connected(c, "mss=1460");
	T(10000) wire_in(ACK, seq=0, ack=1);		wire_out(ACK, seq=1, ack=1);
	T(20000) wire_in(ACK, seq=0, ack=1, len=1);	wire_out(ACK, seq=1, ack=1);
		app_recv_error(c, EAGAIN);
		dropped(TCP_OLD, 2);
}

/* At least two hours by default (MUST-28). */
DIALOGUE(default_is_two_hours)
{
	T(0)	connected(c, "mss=1460");
		app_setopt(c, OPT_KEEPALIVE, 1);
	T(7199e3) state(c, ESTAB);
		wire_out_within(7200e3, 7201e3, ACK, seq=0);
		wire_in(ACK, seq=1, ack=1);
}
