/* SPDX-License-Identifier: MIT */
/* Resets: when they are sent (RFC 9293 3.10.7.1), and when they are believed (RFC 5961). */
#include <string.h>

#include "dialogue.h"

/* A dialogue is laid out in columns. */
/* clang-format off */

/* The table of 3.5.2, group 1. */
DIALOGUE(closed_port)
{
	T(0)	wire_in(SYN, seq=0, dport=9, sport=1000);	wire_out(RST|ACK, seq=0, ack=1, len=0);
		wire_in(SYN, seq=5, len=10);			wire_out(RST|ACK, seq=0, ack=16);
		wire_in(FIN|ACK, seq=7, ack=500);		wire_out(RST, seq=500);
		wire_in(ACK, seq=7, ack=501);			wire_out(RST, seq=501);
		wire_in(PSH, seq=7, len=20);			wire_out(RST|ACK, seq=0, ack=27);
		wire_in(RST, seq=7);
		wire_in(RST|ACK, seq=7, ack=9);
		dropped(TCP_NO_SOCKET, 7);
		counter(OutRsts, 5);
}

/* T12: data that came before it can still be read, then ECONNRESET, then end of stream. */
DIALOGUE(rst_in_established)
{
	T(0)	connected(c, "mss=1460");
	T(100)	wire_in(PSH|ACK, seq=1, ack=1, len=10);		wire_out(ACK, ack=11);
	T(110)	wire_in(RST, seq=11);
		app_woke(c, GLASS_ERR | GLASS_HUP);
		app_ready(c, GLASS_IN | GLASS_OUT | GLASS_RDHUP | GLASS_HUP | GLASS_ERR);
		app_recv(c, 10);
		app_recv_error(c, ECONNRESET);
		app_recv_eof(c);
		app_send_error(c, EPIPE);
		dropped(TCP_RST, 1);
		counter(EstabResets, 1);
}

/* RFC 7323 3.2: a RST should carry timestamps as all else does. */
DIALOGUE(rst_has_timestamps)
{
	T(0)	connected(c, "mss=1460, ts");
	T(100)	wire_in(PSH|ACK, seq=1, ack=1, len=10);		wire_out(ACK, ack=11);
	T(200)	app_close(c);		wire_out(RST|ACK, seq=1, ack=11, ts);
}

/* An idle reader is woken. */
DIALOGUE(rst_wakes_an_idle_reader)
{
	T(0)	connected(c, "mss=1460");
	T(60000) check(c->woke == 0);
		wire_in(RST, seq=1);
		app_woke(c, GLASS_IN | GLASS_ERR | GLASS_HUP);
		app_error(c, ECONNRESET);
		app_recv_eof(c);
}

/*
 * RFC 5961 3.2: in the window, but not the next one: a challenge ACK. A real peer answers that
 * with the right RST.
 */
DIALOGUE(rst_in_window_is_challenged)
{
	T(0)	connected(c, "mss=1460");
	T(100)	wire_in(RST, seq=2);	wire_out(ACK, seq=1, ack=1);
		dropped(TCP_RST_INVALID, 1);
		counter(TCPChallengeACK, 1);
		state(c, ESTAB);
	T(140)	wire_in(RST, seq=1);
		state(c, UNCONN);
}

DIALOGUE(rst_outside_window_is_silent)
{
	T(0)	connected(c, "mss=1460");
	T(100)	wire_in(RST, seq=100000000);
		wire_in(RST, seq=1-100000000);
		dropped(TCP_WINDOW, 2);
		state(c, ESTAB);
}

/* RFC 5961 4.2, whatever the sequence number. */
DIALOGUE(syn_in_established_is_challenged)
{
	T(0)	connected(c, "mss=1460");
	T(1000)	wire_in(SYN, seq=1);		wire_out(ACK, seq=1, ack=1);
	T(2000)	wire_in(SYN, seq=70000000);	wire_out(ACK, seq=1, ack=1);
	T(3000)	wire_in(SYN|ACK, seq=0, ack=1);	wire_out(ACK, seq=1, ack=1);
		dropped(TCP_SYN_INVALID, 3);
		state(c, ESTAB);
}

/* 3.10.7.4, fifth: an ACK of what was never sent is answered, and its payload is not taken. */
DIALOGUE(ack_of_unsent_data)
{
	T(0)	connected(c, "mss=1460");
	T(1000)	wire_in(PSH|ACK, seq=1, ack=5000, len=10);	wire_out(ACK, seq=1, ack=1);
		dropped(TCP_ACK_UNSENT, 1);
		app_recv_error(c, EAGAIN);
		app_ready(c, GLASS_OUT);
}

/* RFC 5961 5.2: blind data must guess the ACK too. */
DIALOGUE(very_old_ack)
{
	T(0)	connected(c, "mss=1460");
	T(1000)	wire_in(PSH|ACK, seq=1, ack=1-1000000, len=10);	wire_out(ACK, seq=1, ack=1);
		dropped(TCP_ACK_OLD, 1);
		app_recv_error(c, EAGAIN);
}

DIALOGUE(no_ack_flag)
{
	T(0)	connected(c, "mss=1460");
	T(1000)	wire_in(PSH, seq=1, len=10);
		dropped(TCP_NO_ACK, 1);
		app_recv_error(c, EAGAIN);
}

/*
 * RFC 5961 7 and CVE-2016-5696: per connection, few, and not counted where another connection
 * could see it.
 */
DIALOGUE(challenges_are_limited)
{
	struct app *b = dlg_app(d);

	T(0)	connected(c, "mss=1460");
		connected(b, "mss=1460");
	T(1000)
	for (unsigned i = 0; i < 1000; i++)
		wire_inf("RST, seq=%u", 100 + i);
		wire_out(ACK, seq=1, ack=1);
	T(1100)	wire_inf("RST, seq=100, dport=%u, sport=8080", c->lport);
		wire_out(ACK, seq=1, ack=1);	/* the other one has its own */
		dropped(TCP_RST_INVALID, 1001);
}

DIALOGUE(bad_checksum_changes_nothing)
{
	T(0)	connected(c, "mss=1460");
	T(100)	wire_in(RST, seq=1, badcsum);
		wire_in(PSH|ACK, seq=1, len=100, badcsum);
		wire_in(FIN|ACK, seq=1, badcsum);
		dropped(TCP_BAD_CSUM, 3);
		state(c, ESTAB);
		app_recv_error(c, EAGAIN);
}

/* The program aborts: RST with the next sequence number. */
DIALOGUE(abort_sends_rst)
{
	T(0)	connected(c, "mss=1460");
	T(100)	app_send(c, 10);	wire_out(PSH|ACK, seq=1, len=10);
	T(110)	app_abort(c);		wire_out(RST|ACK, seq=11, ack=1);
		state(c, CLOSED);
}

DIALOGUE(linger_zero_sends_rst)
{
	T(0)	connected(c, "mss=1460");
		app_setopt(c, OPT_LINGER, 0);
	T(100)	app_close(c);		wire_out(RST|ACK, seq=1, ack=1);
		state(c, CLOSED);
}

DIALOGUE(rst_in_close_wait_is_epipe)
{
	T(0)	connected(c, "mss=1460");
	T(100)	wire_in(FIN|ACK, seq=1, ack=1);	wire_out(ACK, ack=2);
	T(200)	wire_in(RST, seq=2);
		app_error(c, EPIPE);
}

DIALOGUE(rst_in_last_ack_ends_quietly)
{
	T(0)	connected(c, "mss=1460");
	T(100)	wire_in(FIN|ACK, seq=1, ack=1);	wire_out(ACK, ack=2);
	T(200)	app_close(c);			wire_out(FIN|ACK, seq=1, ack=2);
	T(240)	wire_in(RST, seq=2);
		state(c, CLOSED);
}

/* MUST-57: a SYN to a group is nothing, and gets no answer. */
DIALOGUE(syn_to_a_broadcast_address)
{
	struct seg s = { .kind = SEG_TCP, .src = 0x0a000005, .dst = 0x0a0000ff, .dport = 8080, .sport = 99,
			 .flags = SYN };
	uint8_t frame[SEG_FRAME_MAX];

	memcpy(s.src_mac, "\x02\0\0\0\0\x05", 6);
	memset(s.dst_mac, 0xff, 6);
	T(0)	app_listen(l, 8080, 5);
		wire_in_frame(frame, seg_build(frame, &s));
		dropped(TCP_ADDRESS, 1);
}
