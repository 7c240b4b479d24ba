/* SPDX-License-Identifier: MIT */
/* The congestion window on the wire: RFC 5681, 6928, 3465, 2861, 9438; TCP_CONGESTION. */
#include "dialogue.h"

#include <string.h>

/* A dialogue is laid out in columns. */
/* clang-format off */

static struct glass_conn_info info_of(struct dlg *d, struct app *c)
{
	struct glass_conn_info info;

	check(!glass_sock_info(dlg_stack(d), c->s, &info));
	return info;
}

#define cwnd(c, n) check(info_of(d, c).cwnd_segments == (n))
#define ssthresh(c, n) check(info_of(d, c).ssthresh_segments == (n))

/* n segments of 1,000 bytes go out now, and no more; then all is acknowledged at time ms. */
static void round_trip(struct dlg *d, struct app *c, unsigned n, double ms)
{
	for (unsigned i = 0; i < n; i++)
		wire_out(ACK, len=1000);
	dlg_time(d, HERE("a round trip"), ms);
	wire_in(ACK, seq=1);
	(void)c;
}

/* T53, RFC 6928: ten segments before the first ACK. T54: twice as many after each round trip. */
static void slow_start(struct dlg *d, struct app *c)
{
	T(0)	connected(c, "mss=1000, ws=7, win=60000");
		cwnd(c, 10);
	T(100)	app_send(c, 90000);
		round_trip(d, c, 10, 150);
		cwnd(c, 20);
		round_trip(d, c, 20, 200);
		cwnd(c, 40);
		round_trip(d, c, 40, 250);
		cwnd(c, 80);
		ssthresh(c, 0);		/* as ss: none yet */
		round_trip(d, c, 20, 300);
		cwnd(c, 80);		/* a quarter of it was used: it does not grow */
}

/*
 * RFC 9438 5.8, RFC 7661: a window is believed up to twice what was out. Six of ten segments are
 * more than half; eleven would be believed from them, however many ACKs come.
 */
DIALOGUE(slow_start_ends_at_twice_what_was_out)
{
	T(0)	connected(c, "mss=1000, ws=7, win=60000");
	T(100)	app_send(c, 6000);		wire_skip_all();
	T(140)	wire_in(ACK, ack=2001);
		cwnd(c, 12);
		wire_in(ACK, ack=4001);
		cwnd(c, 12);
		wire_in(ACK, ack=6001);
		cwnd(c, 12);
}

/*
 * RFC 3042: what a SACK told of has let out a segment already. The ACK that covers it too adds only
 * what is new with it; else a hole that was reordering would end in a burst.
 */
DIALOGUE(what_was_sacked_does_not_grow_the_window_again)
{
	T(0)	connected(c, "mss=1000, ws=7, win=60000, sackok");
	T(100)	app_send(c, 20000);			wire_skip_all();
	T(140)	wire_in(ACK, ack=1, sack=1001:2001);	wire_out(ACK, seq=10001, len=1000);
	T(141)	wire_in(ACK, ack=1, sack=1001:3001);	wire_out(ACK, seq=11001, len=1000);
		cwnd(c, 10);
	T(142)	wire_in(ACK, ack=3001);
		cwnd(c, 11);
		wire_out(ACK, seq=12001, len=1000);
		wire_out(ACK, seq=13001, len=1000);
	T(150)	wire_in(RST, seq=1);
}

DIALOGUE(slow_start_cubic)
{
	slow_start(d, c);
		check(!strcmp(info_of(d, c).cc, "cubic"));
}

DIALOGUE(slow_start_reno)
{
	tunable(tcp_congestion_control, 1);
	slow_start(d, c);
		check(!strcmp(info_of(d, c).cc, "reno"));
}

/* The tunable. */
DIALOGUE(initial_window_of_four)
{
		tunable(tcp_initial_window, 4);
	T(0)	connected(c, "mss=1000");
	T(100)	app_send(c, 10000);
		round_trip(d, c, 4, 140);
		round_trip(d, c, 6, 180);
}

/* RFC 5681 3.1: a path that loses SYNs gets one segment; one of them may be bad luck, as on Linux. */
DIALOGUE(lost_syns_shrink_the_initial_window)
{
	T(0)	app_connect(c, 8080);	wire_out(SYN, seq=0);
	T(1000)				wire_out(RTX, seq=0);
	T(1040)	wire_in(SYN|ACK, seq=0, ack=1, mss=1000);
					wire_out(ACK, seq=1, ack=1);
		cwnd(c, 10);
		app_abort(c);		wire_skip_all();
	T(2000)	app_connect(l, 8081);	wire_out(SYN, seq=0);
	T(3000)				wire_out(RTX, seq=0);
	T(5000)				wire_out(RTX, seq=0);
	T(5040)	wire_in(SYN|ACK, seq=0, ack=1, mss=1000);
					wire_out(ACK, seq=1, ack=1);
		cwnd(l, 1);
		app_send(l, 5000);	wire_out(ACK, seq=1, len=1000);
	T(5080)	wire_in(ACK, seq=1, ack=1001);
					wire_out(ACK, seq=1001, len=1000);
					wire_out(ACK, seq=2001, len=1000);
		app_abort(l);		wire_skip_all();
}

/* T55 with CUBIC: one segment, ssthresh 0.7 of what was out. */
DIALOGUE(timeout_with_cubic)
{
	T(0)	connected(c, "mss=1000");
	T(100)	app_send(c, 10000);
	for (unsigned i = 0; i < 10; i++)
		wire_skip();
	T(340)	wire_out(RTX, seq=1, len=1000);
		cwnd(c, 1);
		ssthresh(c, 7);
	T(800)	wire_in(ACK, ack=10001);
		cwnd(c, 3);		/* RFC 3465: one ACK, however much it covers, two segments */
}

/* RFC 9438 4.6, and once only for all losses of a window. */
DIALOGUE(loss_with_cubic)
{
	T(0)	connected(c, "mss=1000, sackok");
	T(100)	app_send(c, 10000);
	for (unsigned i = 0; i < 10; i++)
		wire_skip();
	T(140)	wire_in(ACK, seq=1, ack=1, sack=2001:6001);
		wire_out_within(140, 151, RTX, seq=1, len=1000);
		ssthresh(c, 7);
		wire_skip_all();
	T(160)	wire_in(ACK, seq=1, ack=1, sack=2001:6001, sack=7001:10001);
		wire_out_until(190);
		wire_in(ACK, seq=1, ack=10001);
		ssthresh(c, 7);
		cwnd(c, 7);
}

/* RFC 6582: without SACK each partial ACK sends the next hole, though CUBIC's window has no room. */
DIALOGUE(partial_ack_with_cubic)
{
	T(0)	connected(c, "mss=1000");
	T(100)	app_send(c, 10000);
	for (unsigned i = 0; i < 10; i++)
		wire_skip();
	T(140)
	for (unsigned i = 0; i < 3; i++)
		wire_in(ACK, ack=1);
					wire_out(RTX, seq=1, len=1000);
	T(180)	wire_in(ACK, ack=2001);	wire_out(RTX, seq=2001, len=1000);
	T(220)	wire_in(ACK, ack=5001);	wire_out(RTX, seq=5001, len=1000);
	T(260)	wire_in(ACK, ack=10001);
		counter(TCPTimeouts, 0);
}

/* A window of 80 segments, all of them acknowledged at 300 ms. */
static void large_window(struct dlg *d, struct app *c)
{
	connected(c, "mss=1000, ws=7, win=60000");
	dlg_time(d, HERE("large window"), 100);
	app_send(c, 150000);
	round_trip(d, c, 10, 150);
	round_trip(d, c, 20, 200);
	round_trip(d, c, 40, 250);
	round_trip(d, c, 80, 300);
	cwnd(c, 160);
}

/* T60, RFC 5681 4.1 and RFC 2861 3.1: half for each timeout of rest. */
DIALOGUE(rest_halves_the_window)
{
		large_window(d, c);
		/* rto: 50 + 200 ms */
	T(400)	app_send(c, 50000);	/* not yet a timeout */
		round_trip(d, c, 50, 450);
		cwnd(c, 160);
	T(1100)	app_send(c, 50000);	/* 700 ms since the last data: two timeouts */
		round_trip(d, c, 40, 1150);
		cwnd(c, 80);
		round_trip(d, c, 10, 1200);
	T(9000)	app_send(c, 50000);	/* a long rest: the window of a new connection */
		round_trip(d, c, 10, 9050);
		cwnd(c, 20);
		round_trip(d, c, 20, 9100);
		round_trip(d, c, 20, 9150);
}

DIALOGUE(rest_does_not_matter)
{
		tunable(tcp_slow_start_after_idle, 0);
		large_window(d, c);
	T(9000)	app_send(c, 150000);
		round_trip(d, c, 150, 9050);
}

/* RFC 2861 3.2, RFC 7661: a program that never rests and never fills its window. */
DIALOGUE(partly_used_window_falls)
{
	double t = 300;
	unsigned before = 160, now;

		large_window(d, c);
	for (unsigned i = 0; i < 40; i++) {
		app_send(c, 20000);
		t += 50;
		round_trip(d, c, 20, t);
		now = info_of(d, c).cwnd_segments;
		/* in slow start a window of which half is used grows again: 20 to 60 */
		check((now <= before || now <= 60) && now >= 20 && (i < 6 || now < 160));
		before = now;
	}
		check(before <= 60);
}

/* TCP_CONGESTION: per socket, before and after connecting; a listener's connections inherit it. */
DIALOGUE(algorithm_by_socket)
{
	struct app *a;
	int64_t v = 9;

		app_listen(l, 80, 5);
		app_setopt(l, OPT_CONGESTION, 1);
		check(glass_setopt(dlg_stack(d), l->s, GLASS_OPT_CONGESTION, 2) == -EINVAL);
		a = accepted(l, "mss=1000");
		check(!strcmp(info_of(d, a).cc, "reno"));
		check(!glass_getopt(dlg_stack(d), a->s, GLASS_OPT_CONGESTION, &v) && v == 1);
		app_setopt(a, OPT_CONGESTION, 0);
		check(!strcmp(info_of(d, a).cc, "cubic"));
		app_send(a, 20000);
	for (unsigned i = 0; i < 10; i++)
		wire_skip();
		app_setopt(a, OPT_CONGESTION, 1);	/* on the way: the window stays */
		cwnd(a, 10);
		wire_in(ACK, ack=10001);
		cwnd(a, 20);
		wire_skip_all();
		app_abort(a);			wire_skip_all();
}
