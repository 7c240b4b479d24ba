/* SPDX-License-Identifier: MIT */
/* Loss recovery and congestion window in detail: RFC 8985, 9937, 5681, 3465, 6675. */
#include "dialogue.h"

#include <string.h>

/* A dialogue is laid out in columns. */
/* clang-format off */

/* c has sent n segments of 1,000 bytes; none is acknowledged. */
static void burst(struct dlg *d, struct app *c, unsigned n)
{
	app_send(c, 1000 * n);
	for (unsigned i = 0; i < n; i++)
		wire_outf("ACK, seq=%u, len=1000", 1 + 1000 * i);
}

/* T65: reordering below a quarter of the round trip costs nothing. */
DIALOGUE(reordering_is_no_loss)
{
	T(0)	connected(c, "mss=1000, sackok");
	T(100)	burst(d, c, 10);
	T(140)	wire_in(ACK, seq=1, ack=1, sack=1001:2001);
	T(141)	wire_in(ACK, seq=1, ack=1, sack=1001:3001);
	T(142)	wire_in(ACK, seq=1, ack=3001);
	T(145)	wire_in(ACK, seq=1, ack=10001);
		counter(RetransSegs, 0);
		counter(TCPSackRecovery, 0);
}

/* RFC 8985 6.2: three segments beyond the hole and a little time are enough; the window is halved once. */
DIALOGUE(one_loss_one_reduction)
{
	struct glass_conn_info info;

		tunable(tcp_congestion_control, 1);	/* reno: half */
	T(0)	connected(c, "mss=1000, sackok");
	T(100)	burst(d, c, 10);
	T(140)	wire_in(ACK, seq=1, ack=1, sack=1001:4001);
		wire_out_within(140, 151, RTX, seq=1, len=1000);
		check(!glass_sock_info(dlg_stack(d), c->s, &info));
		check(info.ssthresh_segments == 5);
	T(160)	wire_in(ACK, seq=1, ack=1, sack=1001:10001);
	T(200)	wire_in(ACK, seq=1, ack=10001);
		counter(RetransSegs, 1);
		counter(TCPSackRecovery, 1);
		check(!glass_sock_info(dlg_stack(d), c->s, &info));
		check(info.cwnd_segments == 5);
}

/* T65: the retransmission is lost as well: found by time, long before the timer. */
DIALOGUE(lost_retransmission)
{
	T(0)	connected(c, "mss=1000, sackok");
	T(100)	app_send(c, 30000);
	for (unsigned i = 0; i < 10; i++)
		wire_skip();
	T(140)	wire_in(ACK, seq=1, ack=1, sack=1001:5001);
		wire_out_within(140, 151, RTX, seq=1, len=1000);
		wire_skip_all();		/* new data as the window lets it */
		wire_in(ACK, seq=1, ack=1, sack=1001:10001);
		wire_skip_all();
	T(191)	wire_in(ACK, seq=1, ack=1, sack=1001:12001);	/* sent after the copy */
		wire_out_within(191, 230, RTX, seq=1, len=1000);
		counter(TCPTimeouts, 0);
		wire_in(ACK, seq=1, ack=12001);
		wire_skip_all();
		app_abort(c);
		wire_skip_all();
}

/* T64: after a timeout too, what the peer has is not sent again. */
DIALOGUE(timeout_keeps_what_is_sacked)
{
	T(0)	connected(c, "mss=1000, sackok");
	T(100)	burst(d, c, 4);
	T(140)	wire_in(ACK, seq=1, ack=1, sack=2001:3001);
		wire_out_within(140, 160, RTX, seq=1, len=1000);
		wire_out_within(230, 270, RTX, seq=1, len=1000);	/* a probe */
		wire_out_within(470, 510, RTX, seq=1, len=1000);	/* the timeout */
		counter(TCPTimeouts, 1);
	T(540)	wire_in(ACK, seq=1, ack=1001, sack=2001:3001);
		wire_out(RTX, seq=1001, len=1000);
		wire_out(RTX, seq=3001, len=1000);
	T(580)	wire_in(ACK, seq=1, ack=4001);
}

/* docs/adr: the copy is lost, and nothing that was sent after it comes back: a probe, no timeout. */
DIALOGUE(probe_in_recovery)
{
	struct glass_conn_info info;

	T(0)	connected(c, "mss=1000, sackok");
	T(100)	burst(d, c, 4);
	T(140)	wire_in(ACK, seq=1, ack=1, sack=1001:4001);
		wire_out(RTX, seq=1, len=1000);
		wire_out_within(220, 260, RTX, seq=1, len=1000);
		counter(TCPLossProbes, 1);
	T(290)	wire_in(ACK, seq=1, ack=4001);
		counter(TCPTimeouts, 0);
		check(!glass_sock_info(dlg_stack(d), c->s, &info));
		check(info.retrans_fast == 1 && info.retrans_tlp == 1);
}

/* RFC 6582 3.2 (2): duplicates that the go-back of a timeout provokes are no new loss. */
DIALOGUE(duplicates_after_a_timeout)
{
	T(0)	connected(c, "mss=1000");
	T(100)	burst(d, c, 6);
	T(340)	wire_out(RTX, seq=1, len=1000);
	T(380)	wire_in(ACK, seq=1, ack=2001);		/* 3 to 6 have come before, 7 not */
		wire_out(RTX, seq=2001, len=1000);
		wire_out(RTX, seq=3001, len=1000);
		wire_skip_all();
	T(420)	wire_in(ACK, seq=1, ack=6001);
		app_send(c, 4000);
		wire_skip_all();
		wire_in(ACK, seq=1, ack=6001);
		wire_in(ACK, seq=1, ack=6001);
		wire_in(ACK, seq=1, ack=6001);
		counter(TCPSackRecovery, 0);
	T(460)	wire_in(ACK, seq=1, ack=10001);
		wire_skip_all();
}

/* RFC 5681 2: with data, or with another window, an ACK is no duplicate. */
DIALOGUE(what_is_no_duplicate)
{
	T(0)	connected(c, "mss=1000");
	T(100)	burst(d, c, 6);
	T(140)	wire_in(ACK, seq=1, ack=1, len=10);
		wire_in(ACK, seq=11, ack=1, len=10);
		wire_in(ACK, seq=21, ack=1, len=10);
		wire_skip_all();
		wire_in(ACK, seq=31, ack=1, win=60001);
		wire_in(ACK, seq=31, ack=1, win=60002);
		wire_in(ACK, seq=31, ack=1, win=60003);
		wire_skip_all();
		counter(RetransSegs, 0);
		wire_in(ACK, seq=31, ack=6001);
		app_abort(c);	wire_skip_all();
}

/* Blocks are told newest first: that is no reordering (RFC 8985 6.2 step 3 goes by place). */
DIALOGUE(blocks_in_any_order)
{
	struct glass_conn_info info;

	T(0)	connected(c, "mss=1000, sackok");
	T(100)	burst(d, c, 8);
	T(140)	wire_in(ACK, seq=1, ack=1, sack=5001:6001, sack=1001:2001);
		check(!glass_sock_info(dlg_stack(d), c->s, &info));
		check(info.reord_seen == 0);
		wire_skip_all();
	T(141)	wire_in(ACK, seq=1, ack=1, sack=3001:4001, sack=5001:6001, sack=1001:2001);
		check(!glass_sock_info(dlg_stack(d), c->s, &info));
		check(info.reord_seen == 1);
		check(info.reordering == 3);		/* segments late, with itself */
		check(info.sacked_segments == 3);
		app_abort(c);	wire_skip_all();
}

/* CVE-2019-11478: blocks that cut segments to pieces cut nothing. */
DIALOGUE(blocks_of_single_bytes)
{
	struct glass_memory before, after;
	struct glass_conn_info info;

	T(0)	connected(c, "mss=1000, sackok");
	T(100)	burst(d, c, 10);
		glass_memory(dlg_stack(d), &before);
	for (unsigned i = 0; i < 400; i++) {
		wire_inf("ACK, seq=1, ack=1, sack=%u:%u", 1002 + 20 * i, 1003 + 20 * i);
		wire_skip_all();
	}
		glass_memory(dlg_stack(d), &after);
		check(after.bytes <= before.bytes + 1024);
		check(!glass_sock_info(dlg_stack(d), c->s, &info));
		check(info.sacked_segments == 0);
		app_abort(c);	wire_skip_all();
}

/* The first FIN segment is SACKed without its FIN, as some peers do: it has arrived. */
DIALOGUE(fin_is_sacked_with_its_data)
{
	T(0)	connected(c, "mss=1000, sackok");
	T(100)	app_setopt(c, OPT_CORK, 1);
		app_send(c, 3000);
		wire_skip_all();
		app_send(c, 500);
		app_shutdown(c, GLASS_SHUT_WR);	wire_out(FIN|ACK, seq=3001, len=500);
	T(140)	wire_in(ACK, seq=1, ack=2001, sack=3001:3501);
		wire_out_within(140, 160, RTX, seq=2001, len=1000);
	T(200)	wire_in(ACK, seq=1, ack=3502);
		counter(RetransSegs, 1);
}

/* T67, RFC 9937: an ACK that delivers nothing lets nothing out, and losses found at once go one by one. */
DIALOGUE(prr_is_paced_by_delivery)
{
	unsigned sent = 0;

	T(0)	connected(c, "mss=1000, sackok, win=60000");
	T(100)	burst(d, c, 10);
	T(140)	wire_in(ACK, seq=1, ack=1, sack=8001:10001);
		wire_out_until(160);			/* 1 to 8 are lost by now */
	for (unsigned i = 0; i < 20; i++) {
		uint64_t before = dlg_counter_value(d, "RetransSegs");

		wire_in(ACK, seq=1, ack=1, sack=8001:10001);
		wire_skip_all();
		sent += (unsigned)(dlg_counter_value(d, "RetransSegs") - before);
	}
		check(sent == 0);
		check(dlg_counter_value(d, "RetransSegs") <= 3);
	T(200)	wire_in(ACK, seq=1, ack=1001, sack=8001:10001);
		wire_skip_all();
		check(dlg_counter_value(d, "RetransSegs") <= 6);
		app_abort(c);	wire_skip_all();
}

/* RFC 3465: a thousand ACKs of one byte open the window no further than the bytes they acknowledge. */
DIALOGUE(ack_division)
{
	struct glass_conn_info info;

	T(0)	connected(c, "mss=1000");
	T(100)	burst(d, c, 10);
	for (unsigned i = 1; i <= 1000; i++)
		wire_inf("ACK, seq=1, ack=%u", 1 + i);
		check(!glass_sock_info(dlg_stack(d), c->s, &info));
		check(info.cwnd_segments <= 11);
		wire_in(ACK, seq=1, ack=10001);
}

/* RFC 5681 3.1: above ssthresh a window of ACKs opens the window by one segment. */
DIALOGUE(congestion_avoidance)
{
	struct glass_conn_info info;

		tunable(tcp_congestion_control, 1);	/* reno */
	T(0)	connected(c, "mss=1000");
	T(100)	burst(d, c, 10);
	T(340)	wire_out(RTX, seq=1, len=1000);		/* a timeout: ssthresh 5 */
	T(380)	wire_in(ACK, seq=1, ack=10001);
	while (1) {
		double t = dlg_now(d) + 40;

		check(!glass_sock_info(dlg_stack(d), c->s, &info));
		if (info.cwnd_segments >= 8)
			break;
		check(t < 2000);
		app_send(c, 1000 * info.cwnd_segments);
		for (unsigned i = 0; i < info.cwnd_segments; i++)
			wire_out(ACK, len=1000);
		dlg_time(d, HERE("a round trip"), t);
		wire_in(ACK, seq=1);
	}
		/* 5 to 8 at about one segment per round trip; slow start would need one round trip */
		check(dlg_now(d) >= 380 + 3 * 40);
}

/* T58, RFC 3042: the first two duplicates let one new segment out each. */
DIALOGUE(limited_transmit)
{
	T(0)	connected(c, "mss=1000, win=60000");
	T(100)	app_send(c, 20000);
	for (unsigned i = 0; i < 10; i++)
		wire_skip();
	T(140)	wire_in(ACK, seq=1, ack=1);	wire_out(ACK, seq=10001, len=1000);
		wire_in(ACK, seq=1, ack=1);	wire_out(ACK, seq=11001, len=1000);
		wire_in(ACK, seq=1, ack=1);	wire_out(RTX, seq=1, len=1000);
		wire_skip_all();
		app_abort(c);			wire_skip_all();
}

/* T75, RFC 7323 5.4: who sees one connection's timestamps learns nothing of another's, nor of our uptime. */
DIALOGUE(timestamps_have_an_offset_each)
{
	uint32_t first, second;
	struct app *b = dlg_app(d);

	T(0)	app_connect(c, 8080);	wire_out(SYN, ts);	first = dlg_last(d)->tsval;
		app_connect(b, 8081);	wire_out(SYN, ts);	second = dlg_last(d)->tsval;
		check(first - second > 1000 && second - first > 1000);
		app_close(c);
		app_close(b);
}

/* The lost half of a window is no part of what the path holds: ssthresh is the other half, not 0.7 of all. */
DIALOGUE(what_the_path_held)
{
	struct glass_conn_info info;

	T(0)	connected(c, "mss=1000, win=60000, sackok");
	T(100)	app_send(c, 10000);
	for (unsigned i = 0; i < 10; i++)
		wire_skip();
	T(140)	wire_in(ACK, seq=1, ack=10001);
		app_send(c, 20000);
	for (unsigned i = 0; i < 20; i++)
		wire_skip();
	T(180)	wire_in(ACK, seq=1, ack=10001, sack=22001:30001);	/* 12 of 20 are lost */
		wire_skip_all();
	for (unsigned at = 11001; at < 22001; at += 1000) {
		dlg_time(d, HERE("the copies are acknowledged"), dlg_now(d) + 3);
		wire_inf("ACK, ack=%u, sack=22001:30001", at);
		wire_skip_all();
	}
		wire_in(ACK, ack=30001);
		check(!glass_sock_info(dlg_stack(d), c->s, &info));
		check(!strcmp(info.ca_state, "Open") && info.ssthresh_segments == 8);
		app_abort(c);	wire_skip_all();
}

/* Of an initial window more than that may be lost: no slow start has made it, so 0.7 of it stay. */
DIALOGUE(what_the_path_held_of_an_initial_window)
{
	struct glass_conn_info info;

	T(0)	connected(c, "mss=1000, win=60000, sackok");
	T(100)	app_send(c, 10000);
	for (unsigned i = 0; i < 10; i++)
		wire_skip();
	T(140)	wire_in(ACK, seq=1, ack=1, sack=4001:10001);	/* 4 of 10 are lost */
		wire_skip_all();
	for (unsigned at = 1001; at < 4001; at += 1000) {
		dlg_time(d, HERE("the copies are acknowledged"), dlg_now(d) + 40);
		wire_inf("ACK, ack=%u, sack=4001:10001", at);
		wire_skip_all();
	}
		wire_in(ACK, ack=10001);
		check(!glass_sock_info(dlg_stack(d), c->s, &info));
		check(!strcmp(info.ca_state, "Open") && info.ssthresh_segments == 7);
		app_send(c, 10000);
	for (unsigned i = 0; i < 7; i++)
		wire_out(ACK, len=1000);
}

/*
 * A recovery of which most has arrived before it ends leaves little in flight, and the window that
 * it leads to is large. What goes when it ends is no burst (RFC 6582 3.2 (3)): the initial window.
 */
DIALOGUE(no_burst_after_recovery)
{
	struct glass_conn_info info;

	T(0)	connected(c, "mss=1000, win=60000, sackok");
	T(100)	app_send(c, 10000);
		wire_skip_all();
	T(140)	wire_in(ACK, seq=1, ack=10001);
		app_send(c, 20000);
		wire_skip_all();
	T(180)	wire_in(ACK, seq=1, ack=30001);
		app_send(c, 40000);
		wire_skip_all();
	T(220)	wire_in(ACK, seq=1, ack=30001, sack=31001:69001);
		wire_out(RTX, seq=30001, len=1000);
		counter(TCPSackRecovery, 1);
	T(260)	wire_hold();
		wire_in(ACK, seq=1, ack=70001);
		app_send(c, 40000);
		wire_release();
		wire_skip_all();
		check(!glass_sock_info(dlg_stack(d), c->s, &info));
		check(!strcmp(info.ca_state, "Open") && info.ssthresh_segments == 28);
		check(info.unacked_segments == 10);
	T(300)	wire_inf("ACK, seq=1, ack=%u", 80001);	/* and then it grows by what arrives */
		wire_skip_all();
		check(!glass_sock_info(dlg_stack(d), c->s, &info));
		check(info.unacked_segments == 20);
		app_abort(c);	wire_skip_all();
}
