/* SPDX-License-Identifier: MIT */
/* Loss: the retransmission timer (RFC 6298), fast retransmit (RFC 5681), and giving up. */
#include "dialogue.h"

/* A dialogue is laid out in columns. */
/* clang-format off */

/* RFC 6298 2.2: srtt 40, rttvar 20: rto 40 + max(80, 200); 5.5: doubled. */
DIALOGUE(data_backs_off)
{
	T(0)	connected(c, "mss=1460");
	T(100)	app_send(c, 100);	wire_out(PSH|ACK, seq=1, len=100);
	T(340)	wire_out(RTX, seq=1, len=100);
	T(820)	wire_out(RTX, seq=1, len=100);
	T(1780)	wire_out(RTX, seq=1, len=100);
	T(3700)	wire_out(RTX, seq=1, len=100);
	T(3740)	wire_in(ACK, seq=1, ack=101);
		counter(TCPTimeouts, 4);
		counter(RetransSegs, 4);
		state(c, ESTAB);
}

/* 5.3: an ACK of new data begins the time anew for what is still out. srtt 60, rttvar 55: rto 280. */
DIALOGUE(ack_restarts_the_timer)
{
	T(0)	connected(c, "mss=1000");
	T(100)	app_send(c, 2000);	wire_skip(); wire_skip();
	T(300)	wire_in(ACK, ack=1001);
	T(580)	wire_out(RTX, seq=1001, len=1000);
	T(620)	wire_in(ACK, ack=2001);
}

/* 2.5: never above the limit. */
DIALOGUE(rto_has_a_ceiling)
{
	T(0)	tunable(tcp_rto_max_ms, 1000);
		connected(c, "mss=1460");
	T(100)	app_send(c, 100);	wire_out(PSH|ACK, seq=1);
	T(340)	wire_out(RTX, seq=1);
	T(820)	wire_out(RTX, seq=1);
	T(1780)	wire_out(RTX, seq=1);
	T(2780)	wire_out(RTX, seq=1);
	T(3780)	wire_out(RTX, seq=1);
	T(3800)	wire_in(ACK, ack=101);
}

/*
 * Karn, MUST-18: no sample from a segment that was sent twice, without timestamps. The backed off
 * RTO ends with new data.
 */
DIALOGUE(karn)
{
	struct glass_conn_info before, after;

	T(0)	connected(c, "mss=1460");
		check(!glass_sock_info(dlg_stack(d), c->s, &before));
	T(100)	app_send(c, 100);	wire_out(PSH|ACK, seq=1);
	T(340)	wire_out(RTX, seq=1);
	T(345)	wire_in(ACK, ack=101);
		check(!glass_sock_info(dlg_stack(d), c->s, &after));
		check(before.srtt_ns == 40000000);
		check(after.srtt_ns == before.srtt_ns);
	T(400)	app_send(c, 100);	wire_out(PSH|ACK, seq=101);
	T(440)	wire_in(ACK, ack=201);
		check(!glass_sock_info(dlg_stack(d), c->s, &after));
		check(after.srtt_ns == 40000000);
		check(after.rttvar_ns == 15000000);	/* 2.3: 3/4 of 20 */
}

/*
 * Karn's other half: the ACK of something sent twice gives no sample, so the time-out stays
 * backed off, until new data that were sent once are acknowledged.
 */
DIALOGUE(karn_keeps_the_backoff)
{
	T(0)	connected(c, "mss=1460");		/* RTO 240 ms: 40 + 200 */
	T(100)	app_send(c, 100);	wire_out(PSH|ACK, seq=1);
	T(340)	wire_out(RTX, seq=1);
	T(820)	wire_out(RTX, seq=1);
	T(900)	wire_in(ACK, ack=101);
		app_send(c, 100);	wire_out(PSH|ACK, seq=101);
	T(1860)	wire_out(RTX, seq=101);			/* 960 ms later, not 240 */
	T(1900)	wire_in(ACK, ack=201);
		app_send(c, 100);	wire_out(PSH|ACK, seq=201);
	T(1940)	wire_in(ACK, ack=301);			/* sent once: a sample */
		app_send(c, 100);	wire_out(PSH|ACK, seq=301);
	T(2180)	wire_out(RTX, seq=301);
}

/* RFC 6298 5.7: the SYN was sent twice: 3 s for the data. */
DIALOGUE(rto_after_a_lost_syn)
{
	T(0)	app_connect(c, 8080);	wire_out(SYN, seq=0);
	T(1000)	wire_out(RTX, seq=0);
	T(1040)	wire_in(SYN|ACK, seq=0, ack=1, mss=1460);	wire_out(ACK, ack=1);
	T(1100)	app_send(c, 100);	wire_out(PSH|ACK, seq=1);
	T(4100)	wire_out(RTX, seq=1);
	T(4140)	wire_in(ACK, ack=101);
}

/* 5.3: an ACK of new data starts the timer anew. */
DIALOGUE(rto_restarts_on_ack)
{
	T(0)	connected(c, "mss=1000");
	T(100)	app_send(c, 2000);
		wire_out(ACK, seq=1, len=1000);
		wire_out(PSH|ACK, seq=1001, len=1000);
	T(140)	wire_in(ACK, ack=1001);
		wire_out_within(340, 380, RTX, seq=1001, len=1000);
	T(420)	wire_in(ACK, ack=2001);
}

/* RFC 5681 3.1: after a timeout one segment goes out, then slow start. */
DIALOGUE(timeout_shrinks_the_window)
{
	struct glass_conn_info info;

		tunable(tcp_congestion_control, 1);	/* reno: half */
	T(0)	connected(c, "mss=1000");
	T(100)	app_send(c, 10000);
	for (unsigned i = 0; i < 10; i++)
		wire_skip();
	T(340)	wire_out(RTX, seq=1, len=1000);
		check(!glass_sock_info(dlg_stack(d), c->s, &info));
		check(info.cwnd_segments == 1);
		check(info.ssthresh_segments == 5);	/* half of the flight */
	T(380)	wire_in(ACK, ack=1001);
		wire_out(RTX, seq=1001, len=1000);
		wire_out(RTX, seq=2001, len=1000);
	T(420)	wire_in(ACK, ack=10001);
}

/* RFC 5681 3.2: three duplicates. */
DIALOGUE(fast_retransmit)
{
	T(0)	connected(c, "mss=1000");
	T(100)	app_send(c, 8000);
	for (unsigned i = 0; i < 8; i++)
		wire_skip();
	T(140)	wire_in(ACK, seq=1, ack=1);
		wire_in(ACK, seq=1, ack=1);
		wire_in(ACK, seq=1, ack=1);
		wire_out(RTX, seq=1, len=1000);
		counter(TCPSackRecovery, 1);
		counter(TCPTimeouts, 0);
	T(180)	wire_in(ACK, ack=8001);
		state(c, ESTAB);
}

/* Two are not enough: reordering. RFC 3042 may send new data; there is none. */
DIALOGUE(two_duplicates_are_reordering)
{
	T(0)	connected(c, "mss=1000");
	T(100)	app_send(c, 4000);
	for (unsigned i = 0; i < 4; i++)
		wire_skip();
	T(140)	wire_in(ACK, seq=1, ack=1);
		wire_in(ACK, seq=1, ack=1);
	T(150)	wire_in(ACK, seq=1, ack=4001);
		counter(RetransSegs, 0);
}

/* RFC 6582: without SACK a partial ACK tells of the next hole. */
DIALOGUE(partial_ack_without_sack)
{
	T(0)	connected(c, "mss=1000");
	T(100)	app_send(c, 10000);
	for (unsigned i = 0; i < 10; i++)
		wire_skip();
	T(140)
	for (unsigned i = 0; i < 5; i++)	/* 1 and 3 are lost, others arrive */
		wire_in(ACK, seq=1, ack=1);
		wire_out(RTX, seq=1, len=1000);
	T(180)	wire_in(ACK, seq=1, ack=2001);
		wire_out(RTX, seq=2001, len=1000);
	T(220)	wire_in(ACK, seq=1, ack=10001);
		counter(TCPTimeouts, 0);
		counter(RetransSegs, 2);
}

/* RFC 6675, 8985: the holes are sent again, what the peer has is not. */
DIALOGUE(sack_tells_the_holes)
{
	T(0)	connected(c, "mss=1000, sackok");
	T(100)	app_send(c, 10000);
	for (unsigned i = 0; i < 10; i++)
		wire_skip();
	T(140)	wire_in(ACK, seq=1, ack=1, sack=1001:2001);
		wire_in(ACK, seq=1, ack=1, sack=3001:4001, sack=1001:2001);
		wire_in(ACK, seq=1, ack=1, sack=3001:10001, sack=1001:2001);
		wire_out_within(140, 160, RTX, seq=1, len=1000);
		wire_out_within(140, 160, RTX, seq=2001, len=1000);
	T(200)	wire_in(ACK, seq=1, ack=10001);
		counter(RetransSegs, 2);
		counter(TCPTimeouts, 0);
}

/* T62: what was only SACKed may be needed again: it is kept, and sent after a timeout. */
DIALOGUE(reneged_sack)
{
	T(0)	connected(c, "mss=1000, sackok");
	T(100)	app_send(c, 2000);
		wire_skip();
		wire_skip();
	T(140)	wire_in(ACK, seq=1, ack=1, sack=1001:2001);
		wire_out_within(140, 200, RTX, seq=1, len=1000);
	T(200)	wire_in(ACK, seq=1, ack=1001);	/* the peer has thrown it away */
		wire_out_within(210, 240, RTX, seq=1001, len=1000);
	T(270)	wire_in(ACK, seq=1, ack=2001);
		counter(TCPSACKReneging, 1);
		counter(TCPTimeouts, 0);
}

/* RFC 8985 7: the tail is lost: a probe after two round trips, not a timeout. */
DIALOGUE(tail_loss_probe)
{
	T(0)	connected(c, "mss=1000, sackok");
	T(100)	app_send(c, 3000);
		wire_skip();
		wire_skip();
		wire_skip();
	T(140)	wire_in(ACK, seq=1, ack=1001);
		wire_out_within(200, 330, RTX, seq=2001, len=1000);
		counter(TCPLossProbes, 1);
		counter(TCPTimeouts, 0);
	T(300)	wire_in(ACK, seq=1, ack=3001);
}

/*
 * RFC 8985 7.2: where the timeout would come before it, the probe takes its place: one segment is out,
 * and nothing is backed off until the timeout that follows.
 */
DIALOGUE(tail_loss_probe_in_place_of_the_timeout)
{
	T(0)	connected(c, "mss=1000, sackok");
	T(100)	app_send(c, 1000);	wire_out(PSH|ACK, seq=1, len=1000);
	T(200)	wire_in(ACK, seq=1, ack=1001);
	T(300)	app_send(c, 1000);	wire_out(PSH|ACK, seq=1001, len=1000);
		wire_out_within(500, 700, RTX, seq=1001, len=1000);
		counter(TCPLossProbes, 1);
		counter(TCPTimeouts, 0);
		wire_out_within(750, 1050, RTX, seq=1001, len=1000);
		counter(TCPTimeouts, 1);
	T(1060)	wire_in(ACK, seq=1, ack=2001);
}

/* MUST-20..23: R2 for an established connection. */
DIALOGUE(retries_exhausted)
{
	T(0)	tunable(tcp_retries2, 4);
		connected(c, "mss=1460");
	T(100)	app_send(c, 100);	wire_out(PSH|ACK, seq=1);
	T(340)	wire_out(RTX, seq=1);
	T(820)	wire_out(RTX, seq=1);
	T(1780)	wire_out(RTX, seq=1);
	T(3700)	wire_out(RTX, seq=1);
	T(7540)	app_woke(c, GLASS_ERR | GLASS_HUP);
		app_error(c, ETIMEDOUT);
		app_recv_eof(c);
		counter(TCPAbortOnTimeout, 1);
}

/*
 * The default is as Linux's: 15 retransmissions; with an RTO that starts at 240 ms and stops at
 * 120 s: 15 minutes.
 */
DIALOGUE(default_r2_is_above_100_s)
{
	T(0)	connected(c, "mss=1460");
	T(100)	app_send(c, 100);	wire_out(PSH|ACK, seq=1);
	for (unsigned i = 0; i < 15; i++)
		wire_out_within(340, 1200e3, RTX, seq=1);
		check(dlg_now(d) > 100e3);
	T(1200e3) app_error(c, ETIMEDOUT);
}

/* RFC 5482 */
DIALOGUE(user_timeout)
{
	T(0)	connected(c, "mss=1460");
		app_setopt(c, OPT_USER_TIMEOUT, 2000);
	T(100)	app_send(c, 100);	wire_out(PSH|ACK, seq=1);
	T(340)	wire_out(RTX, seq=1);
	T(820)	wire_out(RTX, seq=1);
	T(1780)	wire_out(RTX, seq=1);
	T(4000)	app_error(c, ETIMEDOUT);
}

/* One that is longer than so many timeouts as are counted: the count stops, it does not begin anew. */
DIALOGUE(user_timeout_of_many)
{
	struct glass_tcp_info info;

	T(0)	tunable(tcp_rto_max_ms, 1000);
		connected(c, "mss=1460, sackok");
		app_setopt(c, OPT_USER_TIMEOUT, 3600e3);
	T(100)	app_send(c, 3000);
		wire_out_until(300e3);
		check(dlg_counter_value(d, "TCPTimeouts") > 256);
		glass_tcp_info(dlg_stack(d), c->s, &info);
		check(info.retransmits == UINT8_MAX);
		wire_in(ACK, ack=3001);
		glass_tcp_info(dlg_stack(d), c->s, &info);
		check(info.retransmits == 0);
}

/* T82: an ACK beyond what was sent never opens the window. */
DIALOGUE(optimistic_ack)
{
	struct glass_conn_info before, after;

	T(0)	connected(c, "mss=1000");
		check(!glass_sock_info(dlg_stack(d), c->s, &before));
	T(1000)	wire_in(ACK, seq=1, ack=50001);	wire_out(ACK, seq=1, ack=1);
		check(!glass_sock_info(dlg_stack(d), c->s, &after));
		check(after.cwnd_segments == before.cwnd_segments);
}
