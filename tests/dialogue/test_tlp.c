/* SPDX-License-Identifier: MIT */
/* Tail loss probes: RFC 8985 7. */
#include "dialogue.h"

/* A dialogue is laid out in columns. */
/* clang-format off */

static unsigned cwnd_of(struct dlg *d, struct app *c)
{
	struct glass_conn_info info;

	check(!glass_sock_info(dlg_stack(d), c->s, &info));
	return info.cwnd_segments;
}

/* T66: the only segment is lost: the probe goes in the timeout's place, and the window stays. */
DIALOGUE(tlp_single_segment)
{
	T(0)	connected(c, "mss=1000, sackok");
	T(100)	app_send(c, 500);	wire_out(PSH|ACK, seq=1, len=500);
		wire_out_within(330, 345, RTX, seq=1, len=500);
		counter(TCPLossProbes, 1);
		counter(TCPTimeouts, 0);
	T(380)	wire_in(ACK, seq=1, ack=501);
		check(cwnd_of(d, c) == 10);
}

/* The probe was needed: what follows it is acknowledged without a duplicate. The window is reduced. */
DIALOGUE(tlp_repaired)
{
	unsigned before;

	T(0)	connected(c, "mss=1000, sackok");
	T(100)	app_send(c, 3000);
		wire_skip(); wire_skip(); wire_skip();
		wire_out_within(170, 190, RTX, seq=2001, len=1000);
		before = cwnd_of(d, c);
	T(220)	wire_in(ACK, seq=1, ack=3001);
		check(cwnd_of(d, c) >= before);		/* not decided yet */
	T(300)	app_send(c, 1000);	wire_out(PSH|ACK, seq=3001, len=1000);
	T(340)	wire_in(ACK, seq=1, ack=4001);
		counter(TCPLossProbeRecovery, 1);
		check(cwnd_of(d, c) < before);
}

/* It was not: the peer got the segment twice. */
DIALOGUE(tlp_needless)
{
	unsigned before;

	T(0)	connected(c, "mss=1000, sackok");
	T(100)	app_send(c, 3000);
		wire_skip(); wire_skip(); wire_skip();
		wire_out_within(170, 190, RTX, seq=2001, len=1000);
		before = cwnd_of(d, c);
	T(200)	wire_in(ACK, seq=1, ack=3001);
	T(230)	wire_in(ACK, seq=1, ack=3001, sack=2001:3001);
	T(300)	app_send(c, 1000);	wire_out(PSH|ACK, seq=3001, len=1000);
	T(340)	wire_in(ACK, seq=1, ack=4001);
		counter(TCPLossProbeRecovery, 0);
		check(cwnd_of(d, c) >= before);
}

/* The same without DSACK: an ACK that tells nothing new. */
DIALOGUE(tlp_needless_without_dsack)
{
	T(0)	connected(c, "mss=1000, sackok");
	T(100)	app_send(c, 3000);
		wire_skip(); wire_skip(); wire_skip();
		wire_out_within(170, 190, RTX, seq=2001, len=1000);
	T(200)	wire_in(ACK, seq=1, ack=3001);
	T(230)	wire_in(ACK, seq=1, ack=3001);
	T(300)	app_send(c, 1000);	wire_out(PSH|ACK, seq=3001, len=1000);
	T(340)	wire_in(ACK, seq=1, ack=4001);
		counter(TCPLossProbeRecovery, 0);
}

/* With timestamps the first ACK tells. */
DIALOGUE(tlp_needless_by_timestamp)
{
	uint32_t original;

	T(0)	connected(c, "mss=1012, sackok, ts");
	T(100)	app_send(c, 3000);
		wire_skip(); wire_skip(); wire_skip();
		original = dlg_last(d)->tsval;
		wire_out_within(170, 190, RTX, seq=2001, len=1000);
	T(200)	wire_inf("ACK, seq=1, ack=3001, tsecr=%u", original);
	T(300)	app_send(c, 1000);	wire_out(PSH|ACK, seq=3001, len=1000);
	T(340)	wire_in(ACK, seq=1, ack=4001);
		counter(TCPLossProbeRecovery, 0);
}

/*
 * The answer to the probe comes sooner than any round trip yet: RFC 8985 6.2 step 2 takes it for one
 * to the original. Also then what was sent before that is lost.
 */
DIALOGUE(tlp_answered_early)
{
	T(0)	connected(c, "mss=1000, sackok");
	T(100)	app_send(c, 3000);
		wire_skip(); wire_skip(); wire_skip();
		wire_out_within(170, 190, RTX, seq=2001, len=1000);
	T(191)	wire_in(ACK, seq=1, ack=1, sack=2001:3001);
		wire_out_within(191, 230, RTX, seq=1, len=1000);
	T(231)	wire_in(ACK, seq=1, ack=1001, sack=2001:3001);
		wire_out_within(231, 240, RTX, seq=1001, len=1000);
	T(271)	wire_in(ACK, seq=1, ack=3001);
		counter(TCPTimeouts, 0);
}

/* A tail is lost again before the first probe is judged: it has its probe too, and no timeout. */
DIALOGUE(tlp_undecided_is_no_obstacle)
{
	T(0)	connected(c, "mss=1000, sackok");
	T(100)	app_send(c, 3000);
		wire_skip(); wire_skip(); wire_skip();
		wire_out_within(170, 190, RTX, seq=2001, len=1000);
	T(220)	wire_in(ACK, seq=1, ack=3001);
	T(300)	app_send(c, 2000);
		wire_skip(); wire_skip();
		wire_out_within(370, 400, RTX, seq=4001, len=1000);
		counter(TCPLossProbes, 2);
		counter(TCPTimeouts, 0);
	T(420)	wire_in(ACK, seq=1, ack=3001, sack=4001:5001);
		wire_out_within(420, 440, RTX, seq=3001, len=1000);
	T(460)	wire_in(ACK, seq=1, ack=5001);
		counter(TCPTimeouts, 0);
}

/* New data, when there is some and the window allows: it tells as much, and is no copy. */
DIALOGUE(tlp_new_data)
{
	T(0)	connected(c, "mss=1000, sackok, win=60000");
	T(100)	app_send(c, 20000);
	for (unsigned i = 0; i < 10; i++)
		wire_skip();
		wire_out_within(170, 190, ACK, seq=10001, len=1000);
		counter(TCPLossProbes, 1);
		counter(RetransSegs, 0);
	T(220)	wire_in(ACK, seq=1, ack=1, sack=10001:11001);	/* all of it was lost */
		wire_out_within(220, 240, RTX, seq=1, len=1000);
		counter(TCPTimeouts, 0);
		app_abort(c);	wire_skip_all();
}

/* No room for new data in the peer's window: the last segment again. */
DIALOGUE(tlp_window_is_full)
{
	T(0)	connected(c, "mss=1000, sackok, win=5000");
	T(100)	app_send(c, 20000);
	for (unsigned i = 0; i < 5; i++)
		wire_skip();
		wire_out_within(170, 190, RTX, seq=4001, len=1000);
		counter(TCPLossProbes, 1);
		app_abort(c);	wire_skip_all();
}

/* The peer talks to us all the time: that does not put the probe off. */
DIALOGUE(tlp_is_not_put_off)
{
	T(0)	connected(c, "mss=1000, sackok");
	T(100)	app_send(c, 3000);
		wire_skip(); wire_skip(); wire_skip();
	for (unsigned i = 0; i < 7; i++) {
		dlg_time(d, HERE("data comes"), 105 + 10 * i);
		wire_inf("ACK, seq=%u, ack=1, len=10", 1 + 10 * i);
		wire_skip_all();
	}
		wire_out_within(175, 190, RTX, seq=2001, len=1000);
		counter(TCPLossProbes, 1);
	T(220)	wire_in(ACK, seq=71, ack=3001);
		app_abort(c);	wire_skip_all();
}

/* One probe only; then the timer. */
DIALOGUE(tlp_once)
{
	T(0)	connected(c, "mss=1000, sackok");
	T(100)	app_send(c, 3000);
		wire_skip(); wire_skip(); wire_skip();
		wire_out_within(170, 190, RTX, seq=2001, len=1000);
		wire_out_within(400, 430, RTX, seq=1, len=1000);
		counter(TCPLossProbes, 1);
		counter(TCPTimeouts, 1);
	T(450)	wire_in(ACK, seq=1, ack=3001);
}

/* The FIN goes with the last of the data. */
DIALOGUE(tlp_with_fin)
{
	T(0)	connected(c, "mss=1000, sackok");
	T(100)	app_send(c, 2000);
		wire_skip(); wire_skip();
		app_shutdown(c, GLASS_SHUT_WR);	wire_out(FIN|ACK, seq=2001);
		wire_out_within(170, 190, RTX, seq=2001);
	T(220)	wire_in(ACK, seq=1, ack=2002);
		counter(TCPTimeouts, 0);
}
