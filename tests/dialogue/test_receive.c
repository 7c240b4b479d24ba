/* SPDX-License-Identifier: MIT */
/*
 * Receiving: order, acknowledgments, the window we offer (RFC 9293 3.8.6, 3.10.7.4; RFC 2018,
 * 2883, 5681 4.2).
 */
#include "dialogue.h"

/* A dialogue is laid out in columns. */
/* clang-format off */

/*
 * A segment whose ACK is for bytes that we have not sent is refused (RFC 9293 3.10.7.4), and its timestamp
 * with it: else PAWS would refuse what really comes next.
 */
DIALOGUE(timestamp_of_a_refused_segment_is_not_kept)
{
	T(0)	connected(c, "mss=1000, ts");
	T(100)	wire_in(ACK, seq=1, ack=9999, tsval=200000000);		wire_out(ACK, ack=1);
	T(200)	wire_in(PSH|ACK, seq=1, ack=1, len=1000);	wire_out(ACK, ack=1001);
		dropped(TCP_PAWS, 0);
}

DIALOGUE(data_arrives)
{
	T(0)	connected(c, "mss=1460");
	T(100)	wire_in(PSH|ACK, seq=1, ack=1, len=1000);	wire_out(ACK, seq=1, ack=1001, len=0);
		app_woke(c, GLASS_IN);
		app_ready(c, GLASS_IN | GLASS_OUT);
		app_recv(c, 1000);
		app_ready(c, GLASS_OUT);
		app_recv_error(c, EAGAIN);
}

/* SHLD-18, MUST-40: a lone segment's ACK waits, but not long. */
DIALOGUE(delayed_ack)
{
	T(0)	connected(c, "mss=1460");
		app_setopt(c, OPT_QUICKACK, 0);
	T(100)	wire_in(PSH|ACK, seq=1, ack=1, len=100);
	T(140)	wire_out(ACK, seq=1, ack=101);
		counter(DelayedACKs, 1);
		app_recv(c, 100);
}

/* SHLD-19: every second full segment at once. */
DIALOGUE(every_second_segment)
{
	T(0)	connected(c, "mss=1460");
		app_setopt(c, OPT_QUICKACK, 0);
	T(100)	wire_in(ACK, seq=1, ack=1, len=1460);
	T(101)	wire_in(ACK, seq=1461, ack=1, len=1460);	wire_out(ACK, ack=2921);
	T(102)	wire_in(ACK, seq=2921, ack=1, len=1460);
	T(103)	wire_in(ACK, seq=4381, ack=1, len=1460);	wire_out(ACK, ack=5841);
		app_recv(c, 5840);
}

/* The answer carries the ACK. */
DIALOGUE(ack_rides_on_data)
{
	T(0)	connected(c, "mss=1460");
		app_setopt(c, OPT_QUICKACK, 0);
	T(100)	wire_in(PSH|ACK, seq=1, ack=1, len=100);
	T(110)	app_recv(c, 100);
		app_send(c, 50);	wire_out(PSH|ACK, seq=1, ack=101, len=50);
	T(150)	wire_in(ACK, ack=51);
}

/* RFC 5681 4.2: out of order: at once, with SACK; RFC 2018 4: the newest block first. */
DIALOGUE(out_of_order_with_sack)
{
	T(0)	connected(c, "mss=1000, sackok");
	T(100)	wire_in(ACK, seq=1001, ack=1, len=1000);	wire_out(ACK, ack=1, sack=1001:2001);
		wire_in(ACK, seq=3001, ack=1, len=1000);	wire_out(ACK, ack=1, sack=3001:4001, sack=1001:2001);
		wire_in(ACK, seq=5001, ack=1, len=1000);
		wire_out(ACK, ack=1, sack=5001:6001, sack=3001:4001, sack=1001:2001);
		wire_in(ACK, seq=2001, ack=1, len=1000);	/* joins two */
		wire_out(ACK, ack=1, sack=1001:4001, sack=5001:6001);
		app_recv_error(c, EAGAIN);
		wire_in(ACK, seq=1, ack=1, len=1000);		wire_out(ACK, ack=4001, sack=5001:6001);
		app_recv(c, 4000);
		wire_in(PSH|ACK, seq=4001, ack=1, len=1000);	wire_out(ACK, ack=6001, nosack);
		app_recv(c, 2000);
		counter(TCPOFOQueue, 4);
}

/* With timestamps three blocks fit. */
DIALOGUE(three_sack_blocks_with_timestamps)
{
	T(0)	connected(c, "mss=1000, sackok, ts");
	T(100)	wire_in(ACK, seq=1001, ack=1, len=100);	wire_out(ACK, sack=1001:1101);
		wire_in(ACK, seq=2001, ack=1, len=100);	wire_out(ACK, sack=2001:2101, sack=1001:1101);
		wire_in(ACK, seq=3001, ack=1, len=100);	wire_out(ACK, sack=3001:3101, sack=2001:2101, sack=1001:1101);
		wire_in(ACK, seq=4001, ack=1, len=100);	wire_out(ACK, sack=4001:4101, sack=3001:3101, sack=2001:2101);
}

DIALOGUE(no_sack_unless_agreed)
{
	T(0)	connected(c, "mss=1000");
	T(100)	wire_in(ACK, seq=1001, ack=1, len=1000);	wire_out(ACK, ack=1, nosack);
		wire_in(ACK, seq=1, ack=1, len=1000);		wire_out(ACK, ack=2001, nosack);
		app_recv(c, 2000);
}

/* RFC 2883: the first block tells of a duplicate. */
DIALOGUE(duplicate_is_told)
{
	T(0)	connected(c, "mss=1000, sackok");
	T(100)	wire_in(ACK, seq=1, ack=1, len=1000);	wire_out(ACK, ack=1001, nosack);
	T(200)	wire_in(ACK, seq=1, ack=1, len=1000);	wire_out(ACK, ack=1001, sack=1:1001);
		dropped(TCP_OLD, 1);
		app_recv(c, 1000);
}

/* 3.10.7.4: what overlaps is trimmed, each byte is delivered once. */
DIALOGUE(overlaps_are_trimmed)
{
	T(0)	connected(c, "mss=1000");
	T(100)	wire_in(PSH|ACK, seq=1, ack=1, len=500);	wire_out(ACK, ack=501);
		wire_in(PSH|ACK, seq=301, ack=1, len=500);	wire_out(ACK, ack=801);
		wire_in(PSH|ACK, seq=1001, ack=1, len=300);	wire_out(ACK, ack=801);
		wire_in(PSH|ACK, seq=1201, ack=1, len=300);	wire_out(ACK, ack=801);
		wire_in(PSH|ACK, seq=901, ack=1, len=800);	wire_out(ACK, ack=801);
		wire_in(PSH|ACK, seq=801, ack=1, len=150);	wire_out(ACK, ack=1701);
		app_recv(c, 1700);
}

/* The peer's sequence numbers wrap in every one of these dialogues; here with a window across. */
DIALOGUE(a_hundred_segments_across_the_wrap)
{
	T(0)	connected(c, "mss=1000");
	for (unsigned i = 0; i < 100; i++) {
		wire_inf("ACK, seq=%u, ack=1, len=1000", 1 + i * 1000);
		wire_out_within(dlg_now(d), dlg_now(d) + 41, ACK);
		check(dlg_last_ack(d) == 1 + (i + 1) * 1000);
		app_recv(c, 1000);
	}
}

/*
 * The window closes as the program does not read, and opens when it does (SHLD-16, MUST-39: not
 * in crumbs).
 */
DIALOGUE(window_closes_and_opens)
{
	unsigned sent = 0, win = 8192;

	T(0)	app_setopt(c, OPT_RCVBUF, 4096);	/* doubled, as on Linux */
		connected(c, "mss=1000");
		check(dlg_last(d)->win <= 8192);
	T(100)
	while (win >= 1000) {
		wire_inf("ACK, seq=%u, ack=1, len=1000", 1 + sent);
		sent += 1000;
		wire_out_within(100, 5000, ACK);
		check(dlg_last_ack(d) == 1 + sent);
		check(dlg_last(d)->win <= win);
		check(dlg_last_ack(d) + dlg_last(d)->win <= 1 + 8192);
		win = dlg_last(d)->win;
	}
	if (win)
		wire_inf("ACK, seq=%u, ack=1, len=%u", 1 + sent, win), sent += win, wire_skip();
		check(dlg_last(d)->win == 0);
	T(6000)	wire_inf("PSH|ACK, seq=%u, ack=1, len=1", 1 + sent);	/* the peer's probe */
		wire_outf("ACK, ack=%u, win=0", 1 + sent);
	T(7000)	app_recv(c, sent);
		wire_outf("ACK, ack=%u", 1 + sent);
		check(dlg_last(d)->win >= 4096);
}

/* MUST-66: a RST or an ACK is heard while our window is closed. */
DIALOGUE(zero_window_hears_acks_and_rst)
{
	T(0)	app_setopt(c, OPT_RCVBUF, 4096);
		connected(c, "mss=1000");
	T(50)	app_send(c, 10);	wire_out(PSH|ACK, seq=1, len=10);
	T(60)
	for (unsigned n = 1, win = 4096; win;) {
		unsigned len = win < 1000 ? win : 1000;

		wire_inf("ACK, seq=%u, ack=1, len=%u", n, len);
		n += len;
		wire_out_within(60, 250, ACK);
		win = dlg_last(d)->win;
	}
	T(250)	wire_in(ACK, ack=11);
		check(dlg_last(d)->win == 0);
	T(400)	wire_in(RST);
		state(c, UNCONN);
}

/* Beyond the window: not taken, but answered. */
DIALOGUE(beyond_the_window)
{
	T(0)	app_setopt(c, OPT_RCVBUF, 8192);
		connected(c, "mss=1000");
	T(1000)	wire_in(ACK, seq=100001, ack=1, len=100);	wire_out(ACK, ack=1);
		dropped(TCP_WINDOW, 1);
	T(2000)	wire_in(ACK, seq=1-200000, ack=1, len=100);	wire_out(ACK, ack=1);
		app_recv_error(c, EAGAIN);
}

/*
 * RFC 7323 3.2, 4.3: each segment has the option, and echoes what the window's left edge brought.
 */
DIALOGUE(timestamps_are_echoed)
{
	uint32_t first;

	T(0)	app_connect(c, 8080);	wire_out(SYN, ts, tsecr=0);
		first = dlg_last(d)->tsval;
	T(40)	wire_in(SYN|ACK, seq=0, ack=1, mss=1460, tsval=5000);
		wire_out(ACK, tsecr=5000);
		check(dlg_last(d)->tsval - first == 40);	/* a millisecond clock */
	T(100)	wire_in(PSH|ACK, seq=1, ack=1, len=10, tsval=5060);		wire_out(ACK, ack=11, tsecr=5060);
		wire_in(PSH|ACK, seq=21, ack=1, len=10, tsval=5070);		wire_out(ACK, ack=11, tsecr=5060);
		wire_in(PSH|ACK, seq=11, ack=1, len=10, tsval=5065);		wire_out(ACK, ack=31, tsecr=5065);
	T(200)	app_send(c, 5);	wire_out(PSH|ACK, tsecr=5065);
	T(240)	wire_in(ACK, ack=6, tsval=5200);
		app_recv(c, 30);
}

/* RFC 7323 5: PAWS. A RST needs no timestamp. */
DIALOGUE(paws)
{
	T(0)	app_connect(c, 8080);	wire_out(SYN, ts);
	T(40)	wire_in(SYN|ACK, seq=0, ack=1, mss=1460, tsval=5000);	wire_out(ACK);
	T(1000)	wire_in(PSH|ACK, seq=1, ack=1, len=10, tsval=4999);
		wire_out(ACK, ack=1, tsecr=5000);
		dropped(TCP_PAWS, 1);
	T(2000)	wire_in(PSH|ACK, seq=1, ack=1, len=10, tsval=5000-2147483648+1);	wire_out(ACK, ack=1);
	T(3000)	wire_in(PSH|ACK, seq=1, ack=1, len=10, tsval=5001);			wire_out(ACK, ack=11);
		app_recv(c, 10);
	T(4000)	wire_in(RST, seq=11, nots);
		state(c, UNCONN);
}

/*
 * Two segments are late; the copy of the first brings its own timestamp, and then the second
 * arrives. It is older than TS.Recent, and all the same it is what is waited for. TS.Recent stays.
 */
DIALOGUE(paws_takes_what_was_overtaken)
{
	T(0)	connected(c, "mss=1460, sackok, ts");
	T(100)	wire_in(ACK, seq=1, ack=1, len=1000, tsval=6000);	wire_out(ACK, ack=1001, tsecr=6000);
	T(101)	wire_in(ACK, seq=3001, ack=1, len=1000, tsval=6001);	wire_out(ACK, ack=1001, sack=3001:4001);
	T(140)	wire_in(ACK, seq=1001, ack=1, len=1000, tsval=6040);
		wire_out(ACK, ack=2001, tsecr=6040, sack=3001:4001);
	T(145)	wire_in(ACK, seq=2001, ack=1, len=1000, tsval=6001);	wire_out(ACK, ack=4001, tsecr=6040);
		dropped(TCP_PAWS, 0);
	/* Its clock says that it is half a second old, or ours does: of an earlier time. */
	T(150)	wire_in(ACK, seq=4001, ack=1, len=1000, tsval=5539);	wire_out(ACK, ack=4001);
		dropped(TCP_PAWS, 1);
	T(1000)	wire_in(ACK, seq=4001, ack=1, len=1000, tsval=6039);	wire_out(ACK, ack=4001);
		dropped(TCP_PAWS, 2);
		app_recv(c, 4000);
}

/*
 * What PAWS refuses may be a copy that came late: it is reported all the same, each one, for the
 * sender learns from nothing else that it has sent again what was not lost.
 */
DIALOGUE(paws_reports_duplicates)
{
	T(0)	connected(c, "mss=1460, sackok, ts");
	T(100)	wire_in(ACK, seq=1, ack=1, len=1000, tsval=6000);	wire_out(ACK, ack=1001);
	T(101)	wire_in(ACK, seq=1001, ack=1, len=1000, tsval=6001);	wire_out(ACK, ack=2001);
	T(110)	wire_in(ACK, seq=1, ack=1, len=1000, tsval=5999);	wire_out(ACK, ack=2001, sack=1:1001);
	T(111)	wire_in(ACK, seq=1001, ack=1, len=1000, tsval=5999);	wire_out(ACK, ack=2001, sack=1001:2001);
	T(112)	wire_in(ACK, seq=1501, ack=1, len=1000, tsval=5999);	wire_out(ACK, ack=2001, sack=1501:2001);
		dropped(TCP_PAWS, 3);
		app_recv(c, 2000);
}

/* RFC 2883 4: an ACK reports one duplicate; of two in a batch none is forgotten. */
DIALOGUE(each_duplicate_is_reported)
{
	T(0)	connected(c, "mss=1460, sackok");
	T(100)	wire_in(ACK, seq=1, ack=1, len=1000);		wire_out(ACK, ack=1001);
		wire_in(ACK, seq=1001, ack=1, len=1000);	wire_out(ACK, ack=2001);
		wire_in(ACK, seq=2001, ack=1, len=1000);	wire_out(ACK, ack=3001);
	T(200)	wire_hold();
		wire_in(ACK, seq=1, ack=1, len=1000);
		wire_in(ACK, seq=2001, ack=1, len=1000);
		wire_release();
		wire_out(ACK, ack=3001, sack=1:1001);
		wire_out(ACK, ack=3001, sack=2001:3001);
		app_recv(c, 3000);
}

/*
 * A flood of old segments: a hundred are answered one by one, which is more than a sender repeats by
 * mistake with this window; then they are questioned twice a second, until data goes on.
 */
DIALOGUE(flood_of_duplicates)
{
	T(0)	app_connect(c, 8080);	wire_out(SYN);
		app_setopt(c, OPT_RCVBUF, 20000);
	T(40)	wire_in(SYN|ACK, seq=0, ack=1, mss=1460, sackok);	wire_out(ACK);
	T(100)	wire_in(ACK, seq=1, ack=1, len=1000);	wire_out(ACK, ack=1001);
	T(200)	for (unsigned i = 0; i < 100; i++) {
			wire_in(ACK, seq=1, ack=1, len=1000);	wire_out(ACK, ack=1001, sack=1:1001);
		}
		wire_in(ACK, seq=1, ack=1, len=1000);		wire_out(ACK, ack=1001);
		for (unsigned i = 0; i < 100; i++) {
			wire_in(ACK, seq=1, ack=1, len=1000);
		}
		app_recv(c, 1000);
	T(1300)	wire_in(ACK, seq=1, ack=1, len=1000);		wire_out(ACK, ack=1001, sack=1:1001);
}

/* RFC 7323 5.5: after 24 days of silence the peer's clock may have wrapped. */
DIALOGUE(paws_forgets_after_24_days)
{
	T(0)	app_connect(c, 8080);	wire_out(SYN, ts);
	T(40)	wire_in(SYN|ACK, seq=0, ack=1, mss=1460, tsval=5000);	wire_out(ACK);
	T(25.0*24*3600*1000)
		wire_in(PSH|ACK, seq=1, ack=1, len=10, tsval=4000);	wire_out(ACK, ack=11);
		app_recv(c, 10);
}

/* RFC 7323 4.1: a sample with every ACK, even of data sent twice. */
DIALOGUE(timestamps_beat_karn)
{
	struct glass_conn_info info;

	T(0)	connected(c, "mss=1460, ts");
	T(100)	app_send(c, 100);	wire_out(PSH|ACK, seq=1);
	T(340)	wire_out(RTX, seq=1);
	T(380)	wire_in(ACK, ack=101);
		check(!glass_sock_info(dlg_stack(d), c->s, &info));
		check(info.srtt_ns == 40000000);
}

/* CVE-2018-5390: small segments beyond a hole are bounded in number. */
DIALOGUE(out_of_order_is_bounded)
{
	T(0)	tunable(tcp_ooo_max, 50);
		connected(c, "mss=1000");
	for (unsigned i = 0; i < 200; i++) {
		wire_inf("ACK, seq=%u, ack=1, len=1", 1001 + 2 * i);
		if (i < 50)
			wire_out(ACK, ack=1);
	}
		dropped(TCP_OOO_LIMIT, 150);
		wire_in(PSH|ACK, seq=1, ack=1, len=1000);	wire_out(ACK, ack=1002);
		state(c, ESTAB);
}

/* The receive buffer is a limit even for a peer that ignores the window. */
DIALOGUE(peer_ignores_the_window)
{
	struct glass_memory m;

	T(0)	app_setopt(c, OPT_RCVBUF, 8192);
		connected(c, "mss=1000");
	T(100)
	for (unsigned i = 0; i < 500; i++) {
		wire_inf("ACK, seq=%u, ack=1, len=1000", 1 + 1000 * i);
		if (i < 16)
			wire_out(ACK);
	}
		wire_out(ACK);			/* the rest gets one challenge ACK in all */
		check(dlg_last(d)->win < 1000);
		glass_memory(dlg_stack(d), &m);
		check(m.bytes < 1 << 20);
}

/*
 * The window that the SYN offered holds for data that comes with the SYN-ACK, and is a window
 * afterwards: nothing far away is taken.
 */
DIALOGUE(data_with_the_syn_ack_leaves_a_window)
{
	T(0)	app_connect(c, 8080);	wire_out(SYN, seq=0);
	T(40)	wire_in(SYN|ACK, seq=0, ack=1, mss=1460, len=2);
		wire_out(ACK, seq=1, ack=3);
		app_recv(c, 2);
	T(50)	wire_in(ACK, seq=1000000, ack=1, len=100);
		wire_out(ACK, seq=1, ack=3);
		dropped(TCP_WINDOW, 1);
	T(60)	wire_in(ACK, seq=3, ack=1, len=100);
		wire_out(ACK, ack=103);
		app_recv(c, 100);
}
