/* SPDX-License-Identifier: MIT */
/*
 * Nothing was lost after all: F-RTO (RFC 5682), Eifel (RFC 3522), DSACK (RFC 2883, RFC 3708). What
 * was reduced is put back, and what was not sent again is not; and no more than that is believed.
 */
#include "dialogue.h"

/* A dialogue is laid out in columns. */
/* clang-format off */

static struct glass_conn_info info_of(struct dlg *d, struct app *c)
{
	struct glass_conn_info info;

	check(!glass_sock_info(dlg_stack(d), c->s, &info));
	return info;
}

/* c has n segments of 1,000 bytes out, and more to send. */
static void burst(struct dlg *d, struct app *c, unsigned n)
{
	app_send(c, 40000);
	for (unsigned i = 0; i < n; i++)
		wire_outf("ACK, seq=%u, len=1000", 1 + 1000 * i);
}

/* All that c has to send is out: ten segments of 1,000 bytes. */
static void flight(struct dlg *d, struct app *c)
{
	app_send(c, 10000);
	for (unsigned i = 0; i < 10; i++)
		wire_skip();
}

/* T70: a delay spike, no SACK, no timestamps: RFC 5682 2.1. */
DIALOGUE(frto_basic)
{
	T(0)	connected(c, "mss=1000, win=60000");
	T(100)	burst(d, c, 10);
	T(340)	wire_out(RTX, seq=1, len=1000);
		check(info_of(d, c).cwnd_segments == 1);
	T(700)	wire_in(ACK, seq=1, ack=1001);		/* the original's: (2b) new data, not old */
		wire_out(ACK, seq=10001, len=1000);
		wire_out(ACK, seq=11001, len=1000);
	T(701)	wire_in(ACK, seq=1, ack=2001);		/* (3b): 2 was never sent again */
		counter(TCPSpuriousRTOs, 1);
		check(info_of(d, c).cwnd_segments >= 10);
		check(info_of(d, c).rto_ns >= 600000000);	/* RFC 4015: the path is that slow */
	T(710)	wire_in(ACK, seq=1, ack=10001);
		wire_skip_all();
		counter(RetransSegs, 1);
		counter(TCPTimeouts, 1);
		check(info_of(d, c).retrans_frto == 1);
		check(info_of(d, c).retrans_spurious == 1);
		app_abort(c);	wire_skip_all();
}

/* (2a): a duplicate instead: the loss is real, slow start from the head. */
DIALOGUE(frto_basic_real_loss)
{
	T(0)	connected(c, "mss=1000, win=60000");
	T(100)	burst(d, c, 10);
	T(340)	wire_out(RTX, seq=1, len=1000);
	T(380)	wire_in(ACK, seq=1, ack=1);		/* 10 arrived, 1 did not */
	T(400)	wire_in(ACK, seq=1, ack=2001);
		wire_out(RTX, seq=2001, len=1000);
		wire_out(RTX, seq=3001, len=1000);
		counter(TCPSpuriousRTOs, 0);
		app_abort(c);	wire_skip_all();
}

/* (3a): new data went out, and a duplicate answers it: slow start. */
DIALOGUE(frto_basic_step_3a)
{
	T(0)	connected(c, "mss=1000, win=60000");
	T(100)	burst(d, c, 10);
	T(340)	wire_out(RTX, seq=1, len=1000);
	T(380)	wire_in(ACK, seq=1, ack=1001);
		wire_out(ACK, seq=10001, len=1000);
		wire_out(ACK, seq=11001, len=1000);
	T(420)	wire_in(ACK, seq=1, ack=1001);		/* the new data came, 2 did not */
		wire_out(RTX, seq=1001, len=1000);
		wire_skip_all();
		counter(TCPSpuriousRTOs, 0);
		check(info_of(d, c).cwnd_segments <= 3);
		app_abort(c);	wire_skip_all();
}

/* RFC 5682 3.1, with SACK: what was not sent again is SACKed. */
DIALOGUE(frto_sack)
{
	T(0)	connected(c, "mss=1000, win=60000, sackok");
	T(100)	burst(d, c, 10);
		wire_out_within(100, 200, ACK, len=1000);		/* the tail loss probe, new data */
		wire_out_within(340, 450, RTX, seq=1, len=1000);
	T(700)	wire_in(ACK, seq=1, ack=1001);
		wire_out(ACK, seq=11001, len=1000);
		wire_out(ACK, seq=12001, len=1000);
	T(701)	wire_in(ACK, seq=1, ack=1001, sack=2001:3001);	/* 3 before 2: delayed and reordered */
		counter(TCPSpuriousRTOs, 1);
		counter(RetransSegs, 1);
		wire_skip_all();
	T(702)	wire_in(ACK, seq=1, ack=11001);
		wire_skip_all();
		counter(RetransSegs, 1);
		app_abort(c);	wire_skip_all();
}

/* With SACK the loss is real when only the new data is SACKed. */
DIALOGUE(frto_sack_real_loss)
{
	T(0)	connected(c, "mss=1000, win=60000, sackok");
	T(100)	burst(d, c, 10);
		wire_out_within(100, 200, ACK, len=1000);
		wire_out_within(340, 450, RTX, seq=1, len=1000);
	T(500)	wire_in(ACK, seq=1, ack=1001);
		wire_out(ACK, seq=11001, len=1000);
		wire_out(ACK, seq=12001, len=1000);
	T(540)	wire_in(ACK, seq=1, ack=1001, sack=11001:12001);
		wire_out(RTX, seq=1001, len=1000);
		wire_skip_all();
		counter(TCPSpuriousRTOs, 0);
		app_abort(c);	wire_skip_all();
}

/* RFC 3522: the timestamp of the first ACK after the timeout tells at once. */
DIALOGUE(eifel_timeout)
{
	uint32_t original;
	unsigned before;

	T(0)	connected(c, "mss=1012, win=60000, sackok, ts");
		before = info_of(d, c).cwnd_segments;
	T(100)	flight(d, c);
		original = dlg_last(d)->tsval;
		wire_out_within(100, 330, RTX, seq=9001);		/* the probe is the last one again */
		wire_out_within(340, 600, RTX, seq=1);
		check(info_of(d, c).cwnd_segments == 1);
	T(700)	wire_inf("ACK, seq=1, ack=2001, tsecr=%u", original);
		counter(TCPSpuriousRTOs, 1);
		check(info_of(d, c).cwnd_segments >= before);
		check(info_of(d, c).rto_ns >= 600000000);
	T(701)	wire_inf("ACK, seq=1, ack=10001, tsecr=%u", original);
		counter(RetransSegs, 2);
		check(info_of(d, c).retrans_tlp == 1);
		check(info_of(d, c).retrans_frto == 1);
}

/* The answer to the copy itself is no such proof. */
DIALOGUE(eifel_real_loss)
{
	T(0)	connected(c, "mss=1012, win=60000, sackok, ts");
	T(100)	app_send(c, 3000);
		wire_skip(); wire_skip(); wire_skip();
		wire_out_within(100, 330, RTX, seq=2001);
		wire_out_within(340, 600, RTX, seq=1);
		wire_inf("ACK, seq=1, ack=1001, tsecr=%u", dlg_last(d)->tsval);
		wire_out(RTX, seq=1001);
		wire_out(RTX, seq=2001);
		counter(TCPSpuriousRTOs, 0);
		wire_in(ACK, seq=1, ack=3001);
}

/* A fast recovery that reordering caused: every copy is reported as a duplicate. */
DIALOGUE(dsack_undoes_a_recovery)
{
	unsigned before, threshold;

	T(0)	connected(c, "mss=1000, win=60000, sackok");
	T(100)	burst(d, c, 10);
		before = info_of(d, c).cwnd_segments;
		threshold = info_of(d, c).ssthresh_segments;
	T(140)	wire_in(ACK, seq=1, ack=1, sack=2001:6001);
		wire_out(RTX, seq=1, len=1000);
		wire_skip_all();
	T(150)	wire_in(ACK, seq=1, ack=10001);			/* they came late */
		wire_skip_all();
		check(info_of(d, c).cwnd_segments < before);
	T(180)	wire_in(ACK, seq=1, ack=10001, sack=1:1001);
		wire_skip_all();
		counter(TCPFullUndo, info_of(d, c).retrans_total == 1 ? 1 : 0);
	if (info_of(d, c).retrans_total == 2) {
		check(info_of(d, c).cwnd_segments < before);	/* not yet: one of two may be real */
		wire_in(ACK, seq=1, ack=10001, sack=1001:2001);
		wire_skip_all();
		counter(TCPFullUndo, 1);
	}
		check(info_of(d, c).cwnd_segments >= before);
		check(info_of(d, c).ssthresh_segments == threshold);
		check(info_of(d, c).retrans_spurious == info_of(d, c).retrans_total);
		app_abort(c);	wire_skip_all();
}

/* The report comes in an ACK that others have overtaken: it is told once, so it counts. */
DIALOGUE(dsack_in_an_old_ack)
{
	T(0)	connected(c, "mss=1000, win=60000, sackok");
	T(100)	flight(d, c);
	T(140)	wire_in(ACK, seq=1, ack=1, sack=1001:8001);
		wire_out(RTX, seq=1, len=1000);
	T(150)	wire_in(ACK, seq=1, ack=10001);
		counter(TCPFullUndo, 0);
	T(180)	wire_in(ACK, seq=1, ack=8001, sack=1:1001);
		counter(TCPFullUndo, 1);
}

/* The same with timestamps: PAWS lets a pure ACK pass that tells what it alone knows. */
DIALOGUE(sack_in_an_overtaken_ack)
{
	uint32_t tsval;

	T(0)	connected(c, "mss=1012, win=60000, sackok, ts");
	T(100)	flight(d, c);
		tsval = dlg_last(d)->tsecr;
	T(140)	wire_inf("ACK, seq=1, ack=1, sack=1001:2001, tsval=%u", tsval + 40);
	T(141)	wire_inf("ACK, seq=1, ack=1, sack=4001:5001, tsval=%u", tsval + 39);
		wire_skip_all();
		dropped(TCP_PAWS, 0);
		check(info_of(d, c).sacked_segments == 2);
		wire_inf("ACK, seq=1, ack=1, sack=6001:7001, tsval=%u", tsval + 40 - 3600000);
		dropped(TCP_PAWS, 1);
		app_abort(c);	wire_skip_all();
}

/*
 * RFC 8985 6.2 step 4: after a recovery that proved needless more time is given, though nothing was
 * ever seen to come late: it was always sent again first.
 */
DIALOGUE(late_is_waited_for)
{
	T(0)	connected(c, "mss=1000, win=60000, sackok");
	T(100)	flight(d, c);
	T(140)	wire_in(ACK, seq=1, ack=1, sack=1001:10001);
		wire_out(RTX, seq=1, len=1000);
	T(150)	wire_in(ACK, seq=1, ack=10001);
	T(180)	wire_in(ACK, seq=1, ack=10001, sack=1:1001);
		counter(TCPFullUndo, 1);
	T(200)	flight(d, c);
	T(240)	wire_in(ACK, seq=1, ack=10001, sack=11001:20001);	/* half a round trip to wait */
	T(255)	wire_in(ACK, seq=1, ack=20001);
		counter(RetransSegs, 1);
}

/* Two were sent again, one of them in vain: the loss of the other was real. */
DIALOGUE(dsack_of_one_of_two)
{
	unsigned reduced;

	T(0)	connected(c, "mss=1000, win=60000, sackok");
	T(100)	flight(d, c);
	T(140)	wire_in(ACK, seq=1, ack=1, sack=2001:6001);
		wire_out(RTX, seq=1, len=1000);
		wire_out(RTX, seq=1001, len=1000);
	T(180)	wire_in(ACK, seq=1, ack=10001);
		reduced = info_of(d, c).cwnd_segments;
	T(181)	wire_in(ACK, seq=1, ack=10001, sack=1:1001);
		counter(TCPFullUndo, 0);
		check(info_of(d, c).cwnd_segments == reduced);
		check(info_of(d, c).retrans_spurious == 1);
		check(info_of(d, c).dsack_dups == 1);
}

/* Who reports duplicates of what was never sent twice is not believed. */
DIALOGUE(dsack_of_nothing)
{
	T(0)	connected(c, "mss=1000, win=60000, sackok");
	T(100)	flight(d, c);
	T(140)	wire_in(ACK, seq=1, ack=10001, sack=1:1001);
	T(141)	wire_in(ACK, seq=1, ack=10001, sack=1:1001);
		counter(TCPFullUndo, 0);
		check(info_of(d, c).retrans_spurious == 0);
}

/* However many: the count of duplicates does not begin anew, which would make the next one credible. */
DIALOGUE(dsack_of_more_than_there_are_numbers)
{
	unsigned from = 10001u - INT32_MAX;

	T(0)	connected(c, "mss=1000, win=60000, sackok");
	T(100)	app_send(c, 10000);
	for (unsigned i = 0; i < 10; i++)
		wire_skip();
	T(140)	wire_in(ACK, seq=1, ack=10001);
	for (unsigned i = 0; i < 2001; i++)
		wire_inf("ACK, seq=1, ack=10001, sack=%u:10001", from);
		check(info_of(d, c).dsack_dups == UINT32_MAX);
		check(info_of(d, c).retrans_spurious == 0);
}

/* What was taken for lost arrives before it could be sent again: nothing was lost, nothing is reduced. */
DIALOGUE(nothing_was_sent_again)
{
	T(0)	connected(c, "mss=1000, win=60000, sackok");
	T(100)	burst(d, c, 10);
	T(140)	wire_hold();			/* one batch: no frame is asked for in between */
		wire_in(ACK, seq=1, ack=1, sack=1001:5001);
		wire_in(ACK, seq=1, ack=5001);
		check(info_of(d, c).cwnd_segments >= 10);
		wire_release();
		wire_skip_all();
		counter(TCPSackRecovery, 1);
		counter(TCPFullUndo, 1);
		counter(RetransSegs, 0);
		check(!info_of(d, c).ssthresh_segments);	/* none, as before */
		check(info_of(d, c).retrans_spurious == 0);
		app_abort(c);	wire_skip_all();
}

/* Eight segments; the first one's ACK comes last, so many ms after the others'. Answers whether it was sent again. */
static bool first_comes_late(struct dlg *d, struct app *c, unsigned ms)
{
	uint64_t before = info_of(d, c).retrans_total;
	uint32_t original;
	unsigned at;

		app_send(c, 8000);
		wire_skip();
		at = dlg_last_seq(d);
		original = dlg_last(d)->tsval;
		wire_skip_all();
		wire_out_until(dlg_now(d) + 40);
		wire_inf("ACK, ack=%u, sack=%u:%u, tsecr=%u", at, at + 1000, at + 8000, original);
		wire_out_until(dlg_now(d) + ms);
		wire_inf("ACK, ack=%u, tsecr=%u", at + 8000, original);
		wire_skip_all();
		wire_out_until(dlg_now(d) + 100);
		return info_of(d, c).retrans_total > before;
}

/*
 * RFC 8985 6.2 step 4 learns from duplicates that the peer reports. A recovery that timestamps take
 * back tells the same, and sooner: what comes 15 ms late (of a round trip of 40) is waited for.
 */
DIALOGUE(eifel_widens_the_reordering_window)
{
	T(0)	connected(c, "mss=1012, win=60000, sackok, ts");
	T(100)	check(first_comes_late(d, c, 15));	/* reordering was never seen */
		check(first_comes_late(d, c, 15));	/* a quarter of the round trip is waited */
		check(!first_comes_late(d, c, 15));	/* half of it */
		counter(TCPFullUndo, 2);
}

/* A report of what was sent again before this recovery says nothing of it. */
DIALOGUE(dsack_of_the_recovery_before)
{
	unsigned reduced;

	T(0)	connected(c, "mss=1000, win=60000, sackok");
	T(100)	app_send(c, 10000);
	for (unsigned i = 0; i < 10; i++)
		wire_skip();
	T(140)	wire_in(ACK, seq=1, ack=1, sack=1001:10001);
		wire_out(RTX, seq=1, len=1000);
	T(180)	wire_in(ACK, seq=1, ack=10001);
	T(200)	app_send(c, 5000);
	for (unsigned i = 0; i < 5; i++)
		wire_skip();
	T(240)	wire_in(ACK, seq=1, ack=10001, sack=11001:15001);
		wire_out(RTX, seq=10001, len=1000);
		reduced = info_of(d, c).ssthresh_segments;
	T(250)	wire_in(ACK, seq=1, ack=10001, sack=1:1001);
	T(280)	wire_in(ACK, seq=1, ack=15001);
		counter(TCPFullUndo, 0);
		check(info_of(d, c).ssthresh_segments == reduced);
		check(info_of(d, c).retrans_spurious == 1);
}

/* RFC 3522: one of three was late; what became of the other two is not known yet. */
DIALOGUE(eifel_of_one_of_three)
{
	uint32_t original;

	T(0)	connected(c, "mss=1012, win=60000, sackok, ts");
	T(100)	app_send(c, 10000);
	for (unsigned i = 0; i < 10; i++)
		wire_skip();
		original = dlg_last(d)->tsval;
	T(140)	wire_inf("ACK, seq=1, ack=1, sack=3001:10001, tsecr=%u", original);
		wire_out(RTX, seq=1, len=1000);
		wire_out(RTX, seq=1001, len=1000);
		wire_out(RTX, seq=2001, len=1000);
	T(150)	wire_inf("ACK, seq=1, ack=1001, sack=3001:10001, tsecr=%u", original);
		counter(TCPFullUndo, 0);
	T(180)	wire_in(ACK, seq=1, ack=10001);
		counter(TCPFullUndo, 0);
}

/*
 * The duplicate is that of a tail loss probe, which went before the recovery: it says nothing of what the recovery
 * has sent again, and that is still missing.
 */
DIALOGUE(dsack_of_a_probe)
{
	unsigned before;

	T(0)	connected(c, "mss=1000, win=10000, sackok");
		before = info_of(d, c).cwnd_segments;
	T(100)	app_send(c, 10000);
	for (unsigned i = 0; i < 10; i++)
		wire_skip();
		wire_out_within(170, 190, RTX, seq=9001, len=1000);
	T(200)	wire_in(ACK, seq=1, ack=1, sack=1001:10001);
		wire_out(RTX, seq=1, len=1000);
	T(220)	wire_in(ACK, seq=1, ack=1, sack=9001:10001, sack=1001:10001);
		counter(TCPFullUndo, 0);
	T(240)	wire_in(ACK, seq=1, ack=10001);
		counter(TCPFullUndo, 0);
		check(info_of(d, c).cwnd_segments < before);
		check(info_of(d, c).retrans_spurious == 1);
}
