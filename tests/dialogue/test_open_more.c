/* SPDX-License-Identifier: MIT */
/*
 * Opening, what is less common: simultaneous opens that go wrong, options and windows of SYNs, ICMP
 * that quotes a SYN, timestamps, data that comes too early.
 */
#include <string.h>

#include "dialogue.h"

/* A dialogue is laid out in columns. */
/* clang-format off */

static struct glass_conn_info info_of(struct dlg *d, struct app *a)
{
	struct glass_conn_info info = { 0 };

	check(!glass_sock_info(dlg_stack(d), a->s, &info));
	return info;
}

/* ---- simultaneous open -------------------------------------------------------------------------- */

/* MUST-11: the active side is told. */
DIALOGUE(rst_in_a_simultaneous_open)
{
	T(0)	app_connect(c, 8080);		wire_out(SYN, seq=0);
	T(10)	wire_in(SYN, seq=0, mss=1460);	wire_out(SYN|ACK, seq=0, ack=1);
	T(20)	wire_in(RST, seq=1);
		app_woke(c, GLASS_ERR | GLASS_HUP);
		app_error(c, ECONNREFUSED);
}

/* RFC 5961 in SYN-RECEIVED of an active open: the wrong RST and the wrong SYN are questioned. */
DIALOGUE(simultaneous_open_is_not_ended_blindly)
{
	T(0)	app_connect(c, 8080);		wire_out(SYN, seq=0);
	T(10)	wire_in(SYN, seq=0, mss=1460);	wire_out(SYN|ACK, seq=0, ack=1);
	T(20)	wire_in(RST, seq=2);		wire_out(ACK, seq=1, ack=1);
	T(600)	wire_in(SYN, seq=9);		wire_out(ACK, seq=1, ack=1);
	T(700)	wire_in(ACK, seq=1, ack=9);	wire_out(RST, seq=9);
		dropped(TCP_ACK_UNSENT, 1);
		state(c, SYN-RECV);
	T(710)	wire_in(SYN|ACK, seq=0, ack=1);	wire_out(ACK, seq=1, ack=1);
		state(c, ESTAB);
}

/* Our SYN-ACK is lost: the peer's SYN comes again, and is answered, a few times. */
DIALOGUE(simultaneous_open_with_loss)
{
	T(0)	app_connect(c, 8080);		wire_out(SYN, seq=0);
	T(10)	wire_in(SYN, seq=0, mss=1460);	wire_out(SYN|ACK, seq=0, ack=1);
	T(520)	wire_in(SYN, seq=0, mss=1460);	wire_out(SYN|ACK, seq=0, ack=1);
	for (unsigned i = 0; i < 100; i++)
		wire_in(SYN, seq=0, mss=1460);
	T(1000)	wire_in(SYN|ACK, seq=0, ack=1, len=20);	wire_out(ACK, seq=1, ack=21);
		state(c, ESTAB);
		app_recv(c, 20);
}

/* ---- MSS, window scale -------------------------------------------------------------------------- */

/* MUST-14, SHLD-5, MUST-67: the option tells the MTU less 40, whatever other options there are. */
DIALOGUE(mss_option_is_the_mtu_less_40)
{
	struct app *b = dlg_app(d);

	T(0)	app_connect(c, 8080);		wire_out(SYN, mss=1460, ts, sackok, ws=7);
		app_abort(c);
		check(!glass_dev_set_mtu(dlg_stack(d), dlg_dev(d), 576));
		app_connect(b, 8080);		wire_out(SYN, mss=536);
		app_listen(l, 8080, 5);
		wire_in(SYN, seq=0, sport=41000);
		wire_out(SYN|ACK, mss=536);
}

/* RFC 7323 2.2: the window of a SYN is not scaled, that of the next segment is. */
DIALOGUE(window_in_a_syn_is_not_scaled)
{
	T(0)	app_connect(c, 8080);		wire_out(SYN, ws=7);
	T(40)	wire_in(SYN|ACK, seq=0, ack=1, mss=1000, ws=7, win=1500);	wire_out(ACK);
		check(info_of(d, c).snd_wnd == 1500);
	T(50)	wire_in(ACK, seq=1, ack=1, win=10);
		check(info_of(d, c).snd_wnd == 10 << 7);
}

/* Ours too: all that a SYN-ACK can say, and more with the next segment. */
DIALOGUE(own_window_in_a_synack)
{
	T(0)	app_listen(l, 8080, 5);
		wire_in(SYN, seq=0, mss=1460, ws=14);	wire_out(SYN|ACK, ws=7, win=65535);
	T(10)	wire_in(PSH|ACK, seq=1, ack=1, len=100);	wire_out(ACK, ack=101);
		check((uint32_t)dlg_last(d)->win << 7 >= 65535 - 100 - 127);
}

/* RFC 7323 1.3: options of a segment without SYN change nothing. */
DIALOGUE(options_after_the_handshake)
{
	T(0)	connected(c, "mss=1000");
	T(100)	wire_in(PSH|ACK, seq=1, ack=1, len=10, mss=100, ws=9, sackok);	wire_out(ACK, ack=11);
		check(info_of(d, c).mss == 1000 && info_of(d, c).wscale_snd == 0 && !info_of(d, c).sack);
		app_recv(c, 10);
}

/* ---- timestamps --------------------------------------------------------------------------------- */

/* RFC 7323 3.2: once agreed, on every segment but a RST. */
DIALOGUE(timestamps_on_every_segment)
{
	T(0)	connected(c, "mss=1460, ts");
	T(100)	app_send(c, 10);				wire_out(PSH|ACK, ts);
	T(140)	wire_in(PSH|ACK, ack=11, len=10);		wire_out(ACK, ts);
	T(150)	wire_in(RST, seq=500);				wire_out(ACK, ts);
	T(200)	app_send(c, 10);				wire_out(PSH|ACK, ts);
		wire_out_within(200, 900, RTX, seq=11, ts);
	T(910)	wire_in(ACK, ack=21);
		app_recv(c, 10);
		app_close(c);					wire_out(FIN|ACK, ts);
		wire_in(FIN|ACK, ack=22);			wire_out(ACK, ts);
}

/*
 * ATTACKS 49: who guesses the sequence number but not the acknowledgment cannot poison TS.Recent, or
 * PAWS would drop what the peer sends from then on.
 */
DIALOGUE(timestamp_poison)
{
	T(0)	app_connect(c, 8080);			wire_out(SYN, ts);
	T(40)	wire_in(SYN|ACK, seq=0, ack=1, mss=1460, tsval=5000);	wire_out(ACK);
	T(1000)	wire_in(PSH|ACK, seq=1, ack=77777, len=5, tsval=2000000000);	wire_out(ACK, ack=1, tsecr=5000);
	T(2000)	wire_in(PSH|ACK, seq=1, ack=1, len=5, tsval=5001);	wire_out(ACK, ack=6, tsecr=5001);
		app_recv(c, 5);
		dropped(TCP_PAWS, 0);
}

/* A segment ahead of a hole does not set it either. */
DIALOGUE(timestamp_ahead_of_a_hole)
{
	T(0)	app_connect(c, 8080);			wire_out(SYN, ts);
	T(40)	wire_in(SYN|ACK, seq=0, ack=1, mss=1460, tsval=5000);	wire_out(ACK);
	T(50)	wire_in(PSH|ACK, seq=11, ack=1, len=5, tsval=7000);	wire_out(ACK, ack=1, tsecr=5000);
	T(60)	wire_in(PSH|ACK, seq=1, ack=1, len=10, tsval=6000);	wire_out(ACK, ack=16, tsecr=6000);
		app_recv(c, 15);
}

/* Timestamps that wrap are no reason for anything. */
DIALOGUE(timestamps_wrap)
{
	T(0)	app_connect(c, 8080);			wire_out(SYN, ts);
	T(40)	wire_in(SYN|ACK, seq=0, ack=1, mss=1460, tsval=4294967290);	wire_out(ACK);
	T(50)	wire_in(PSH|ACK, seq=1, ack=1, len=10, tsval=4294967295);	wire_out(ACK, ack=11);
	T(60)	wire_in(PSH|ACK, seq=11, ack=1, len=10, tsval=4);	wire_out(ACK, ack=21, tsecr=4);
	T(1000)	wire_in(PSH|ACK, seq=21, ack=1, len=10, tsval=4294967295);	wire_out(ACK, ack=21);
		dropped(TCP_PAWS, 1);
		app_recv(c, 20);
}

/* ---- data and addresses ------------------------------------------------------------------------- */

/* ATTACKS 40: bytes on a SYN are not kept, and cost nothing; the peer sends them again. */
DIALOGUE(data_on_a_syn)
{
	struct app *a;

	T(0)	app_listen(l, 8080, 5);
		wire_in(SYN, seq=0, mss=1460, len=1400);	wire_out(SYN|ACK, seq=0, ack=1, len=0);
	T(40)	wire_in(ACK, seq=1, ack=1);
		a = app_accept(l);
		app_recv_error(a, EAGAIN);
	T(50)	wire_in(PSH|ACK, seq=1, ack=1, len=1400);	wire_out(ACK, ack=1401);
		app_recv(a, 1400);
}

/* A FIN at once with the third segment. */
DIALOGUE(fin_with_the_third_segment)
{
	struct app *a;

	T(0)	app_listen(l, 8080, 5);
		wire_in(SYN, seq=0, mss=1460);			wire_out(SYN|ACK, seq=0, ack=1);
	T(40)	wire_in(FIN|PSH|ACK, seq=1, ack=1, len=30);	wire_out(ACK, seq=1, ack=32);
		a = app_accept(l);
		state(a, CLOSE-WAIT);
		app_recv(a, 30);
		app_recv_eof(a);
}

/* A segment out of order completes the handshake too. */
DIALOGUE(third_segment_ahead_of_a_hole)
{
	struct app *a;

	T(0)	app_listen(l, 8080, 5);
		wire_in(SYN, seq=0, mss=1460, sackok);		wire_out(SYN|ACK, seq=0, ack=1);
	T(40)	wire_in(PSH|ACK, seq=11, ack=1, len=10);	wire_out(ACK, seq=1, ack=1, sack=11:21);
		a = app_accept(l);
		app_recv_error(a, EAGAIN);
	T(50)	wire_in(PSH|ACK, seq=1, ack=1, len=10);		wire_out(ACK, ack=21);
		app_recv(a, 20);
}

/* LAND: a SYN that claims to come from ourselves; MUST-63: from a group. */
DIALOGUE(syn_from_nobody)
{
	static const uint32_t from[] = { 0x0a000004, 0xe0000001, 0xffffffff, 0x0a0000ff, 0x7f000001, 0 };
	struct seg s = { .kind = SEG_TCP, .dst = 0x0a000004, .dport = 8080, .sport = 8080, .flags = SYN };
	uint8_t frame[SEG_FRAME_MAX];

	memcpy(s.src_mac, "\x02\0\0\0\0\x05", 6);
	memcpy(s.dst_mac, "\x02\0\0\0\0\x04", 6);
	T(0)	app_listen(l, 8080, 5);
	for (unsigned i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
		s.src = from[i];
		wire_in_frame(frame, seg_build(frame, &s));
	}
		counter(PassiveOpens, 0);
		counter(OutSegs, 0);
}

/* ---- ICMP: RFC 5927 ----------------------------------------------------------------------------- */

/* T34: nothing hard about an established connection, whatever the code. */
DIALOGUE(no_unreachable_ends_an_established_connection)
{
	T(0)	connected(c, "mss=1460");
	T(100)	app_send(c, 100);			wire_out(PSH|ACK, seq=1);
	for (unsigned code = 0; code < 16; code++) {
		if (code != 4)
			wire_inf("ICMP, type=3, code=%u", code);
	}
		wire_in(ICMP, type=11, code=0);
		wire_in(ICMP, type=12, code=0);
		wire_in(ICMP, type=4, code=0);
		state(c, ESTAB);
	T(140)	wire_in(ACK, ack=101);
		app_error(c, 0);
}

/* What was acknowledged is in flight no more: an error about it is late, or forged. */
DIALOGUE(icmp_about_what_was_acknowledged)
{
	T(0)	connected(c, "mss=1460");
	T(100)	app_send(c, 1460);			wire_out(PSH|ACK, seq=1);
	T(140)	wire_in(ACK, ack=1461);
		wire_in(ICMP, type=3, code=4, mtu=600);
		dropped(ICMP_QUOTE_SEQ, 1);
		check(info_of(d, c).mss == 1460);
}

/* ATTACKS 21: no path is taken for smaller than 552; a forged number changes nothing at all. */
DIALOGUE(path_mtu_has_a_floor)
{
	T(0)	connected(c, "mss=1460");
	T(100)	app_send(c, 1460);			wire_out(PSH|ACK, seq=1, len=1460);
		wire_in(ICMP, type=3, code=4, mtu=68, badseq);
		check(info_of(d, c).mss == 1460);
	T(110)	wire_in(ICMP, type=3, code=4, mtu=68);
		check(info_of(d, c).mss == 512);
		wire_out(RTX, seq=1, len=512);
		wire_out(ACK, seq=513, len=512);
		wire_skip_all();
	T(150)	wire_in(ACK, ack=1461);
	T(200)	app_send(c, 100);			wire_out(PSH|ACK);
		wire_in(ICMP, type=3, code=4, mtu=0);
		check(info_of(d, c).mss == 512);
	T(240)	wire_in(ACK, ack=1561);
}

/* Errors that end a connect, and those that do not. */
DIALOGUE(icmp_in_a_simultaneous_open)
{
	T(0)	app_connect(c, 8080);			wire_out(SYN, seq=0);
	T(10)	wire_in(SYN, seq=0, mss=1460);		wire_out(SYN|ACK, seq=0, ack=1);
		wire_in(ICMP, type=3, code=3, badseq);
		state(c, SYN-RECV);
		wire_in(ICMP, type=3, code=3);
		app_error(c, ECONNREFUSED);
}
