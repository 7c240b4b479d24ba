/* SPDX-License-Identifier: MIT */
/* T76: explicit congestion notification, RFC 3168. tos 2 is ECT(0), 3 CE. */
#include "dialogue.h"

/* A dialogue is laid out in columns. */
/* clang-format off */

static struct glass_conn_info info_of(struct dlg *d, struct app *c)
{
	struct glass_conn_info info;

	check(!glass_sock_info(dlg_stack(d), c->s, &info));
	return info;
}

#define cwnd(c, n) check(info_of(d, c).cwnd_segments == (n))

/* Both ends agree on ECN. */
static void agreed(struct dlg *d, struct app *c)
{
		tunable(tcp_ecn, 1);
		tunable(tcp_timestamps, 0);
	T(0)	app_connect(c, 8080);	wire_out(SYN|ECE|CWR, seq=0, tos=0);
	T(40)	wire_in(SYN|ACK|ECE, seq=0, ack=1, mss=1000, sackok);
					wire_out(ACK, seq=1, ack=1, tos=0);
		check(info_of(d, c).ecn);
}

static void burst(struct dlg *d, struct app *c, unsigned from, unsigned n)
{
	app_send(c, 1000 * n);
	for (unsigned i = 0; i < n; i++)
		wire_outf("ACK, seq=%u, len=1000, tos=2", from + 1000 * i);
}

/* ---- the handshake: 6.1.1 ---- */

DIALOGUE(asked_and_agreed)
{
		agreed(d, c);
	T(100)	app_send(c, 1000);	wire_out(ACK, seq=1, len=1000, tos=2);	/* new data: ECT(0) */
	T(140)	wire_in(ACK, seq=1, ack=1001);
	T(150)	wire_in(ACK, seq=1, ack=1001, len=100);
					wire_out(ACK, seq=1001, ack=101, tos=0);	/* a bare ACK is not */
		check(!info_of(d, c).ecn_seen);
		app_abort(c);		wire_out(RST|ACK, seq=1001, tos=0);
}

DIALOGUE(asked_and_refused)
{
		tunable(tcp_ecn, 1);
	T(0)	app_connect(c, 8080);	wire_out(SYN|ECE|CWR, seq=0);
	T(40)	wire_in(SYN|ACK, seq=0, ack=1, mss=1000);
					wire_out(ACK, seq=1, ack=1);
		check(!info_of(d, c).ecn);
		app_send(c, 1000);	wire_out(ACK, seq=1, len=1000, tos=0);
		wire_in(ACK|ECE, seq=1, ack=1001);
		cwnd(c, 10);		/* no cut */
}

/* 6.1.1: a SYN-ACK that has both bits only mirrors ours. */
DIALOGUE(mirrored)
{
		tunable(tcp_ecn, 1);
	T(0)	app_connect(c, 8080);	wire_out(SYN|ECE|CWR, seq=0);
	T(40)	wire_in(SYN|ACK|ECE|CWR, seq=0, ack=1, mss=1000);
					wire_out(ACK, seq=1, ack=1);
		check(!info_of(d, c).ecn);
}

/* 6.1.1.1: the SYN is not answered, so the next one does without; and what it did not ask it does not get. */
DIALOGUE(lost_syn_falls_back)
{
		tunable(tcp_ecn, 1);
	T(0)	app_connect(c, 8080);	wire_out(SYN|ECE|CWR, seq=0);
	T(1000)				wire_out(SYN, seq=0);
	T(3000)				wire_out(SYN, seq=0);
	T(3040)	wire_in(SYN|ACK|ECE, seq=0, ack=1, mss=1000);
					wire_out(ACK, seq=1, ack=1);
		check(!info_of(d, c).ecn);
}

/* As Linux: we do not ask by ourselves, but answer. */
DIALOGUE(default_does_not_ask)
{
	T(0)	app_connect(c, 8080);	wire_out(SYN, seq=0, tos=0);
		app_close(c);
}

static struct app *passive(struct dlg *d, struct app *l, bool agree)
{
	struct app *a;

		app_listen(l, 80, 5);
	T(0)	wire_in(SYN|ECE|CWR, seq=0, sport=9000, dport=80, mss=1000);
	if (agree)
					wire_out(SYN|ACK|ECE, seq=0, ack=1, tos=0);
	else
					wire_out(SYN|ACK, seq=0, ack=1, tos=0);
	T(40)	wire_in(ACK, seq=1, ack=1);
		a = app_accept(l);
		check(info_of(d, a).ecn == agree);
		app_send(a, 1000);	wire_outf("ACK, seq=1, len=1000, tos=%d", agree ? 2 : 0);
	return a;
}

DIALOGUE(answered)	{ passive(d, l, true); }
DIALOGUE(answer_of_one_who_asks) { tunable(tcp_ecn, 1); passive(d, l, true); }
DIALOGUE(turned_off)	{ tunable(tcp_ecn, 0); passive(d, l, false); }

/* A SYN with one of the bits asks for nothing. */
DIALOGUE(half_a_question)
{
		app_listen(l, 80, 5);
	T(0)	wire_in(SYN|ECE, seq=0, sport=9000, dport=80, mss=1000);
					wire_out(SYN|ACK, seq=0, ack=1);
	T(40)	wire_in(ACK, seq=1, ack=1);
		check(!info_of(d, app_accept(l)).ecn);
}

/* The SYN-ACK again is the same as the first. */
DIALOGUE(syn_ack_again)
{
		app_listen(l, 80, 5);
	T(0)	wire_in(SYN|ECE|CWR, seq=0, sport=9000, dport=80, mss=1000);
					wire_out(SYN|ACK|ECE, seq=0, ack=1);
	T(1000)				wire_out(SYN|ACK|ECE, seq=0, ack=1);
	T(1040)	wire_in(ACK, seq=1, ack=1);
		check(info_of(d, app_accept(l)).ecn);
}

/* ---- the receiver: 6.1.3 ---- */

DIALOGUE(mark_is_echoed_until_cwr)
{
		agreed(d, c);
	T(100)	wire_in(ACK, seq=1, ack=1, len=1000, tos=2);	wire_out(ACK, ack=1001);
		check(info_of(d, c).ecn_seen);
	T(110)	wire_in(ACK, seq=1001, ack=1, len=1000, tos=3);	wire_out(ACK|ECE, ack=2001, tos=0);
	T(120)	wire_in(ACK, seq=2001, ack=1, len=1000, tos=2);	wire_out(ACK|ECE, ack=3001);
		app_send(c, 500);				wire_out(PSH|ACK|ECE, len=500, tos=2);
	T(130)	wire_in(ACK|CWR, seq=3001, ack=501, len=1000, tos=2);	wire_out(ACK, ack=4001);
	T(140)	wire_in(ACK|CWR, seq=4001, ack=501, len=1000, tos=3);	wire_out(ACK|ECE, ack=5001);
		/* CWR without data is nothing that was sent after the window was reduced */
	T(150)	wire_in(ACK|CWR, seq=5001, ack=501);
	T(160)	wire_in(ACK, seq=5001, ack=501, len=1000, tos=2);
		wire_out_within(160, 210, ACK|ECE, ack=6001);
		app_abort(c);					wire_out(RST|ACK);
}

/* 6.1.5: what lies outside the window may be forged. */
DIALOGUE(mark_of_an_old_segment)
{
		agreed(d, c);
	T(100)	wire_in(ACK, seq=1, ack=1, len=1000, tos=2);	wire_out(ACK, ack=1001);
	T(200)	wire_in(ACK, seq=1, ack=1, len=1000, tos=3);	wire_out(ACK, ack=1001);
}

/* ---- the sender: 6.1.2 ---- */

DIALOGUE(one_cut_for_a_window)
{
		agreed(d, c);
	T(100)	burst(d, c, 1, 10);
		cwnd(c, 10);
	T(140)	wire_in(ACK|ECE, seq=1, ack=2001);
		cwnd(c, 7);
		wire_in(ACK|ECE, seq=1, ack=4001);
		wire_in(ACK|ECE, seq=1, ack=10001);
		cwnd(c, 7);
	T(200)	app_send(c, 4000);
					wire_out(ACK|CWR, seq=10001, len=1000, tos=2);	/* the first new data says so */
					wire_out(ACK, seq=11001, len=1000, tos=2);
					wire_out(ACK, seq=12001, len=1000, tos=2);
					wire_out(PSH|ACK, seq=13001, len=1000, tos=2);
	T(240)	wire_in(ACK|ECE, seq=1, ack=11001);	/* a window later: another mark */
		check(info_of(d, c).cwnd_segments < 7);
		counter(RetransSegs, 0);
	T(250)	wire_in(ACK, seq=1, ack=14001);
		app_send(c, 1000);	wire_out(ACK|CWR, seq=14001, len=1000);
}

/* 6.1.2, 6.1.5: a loss is told of by CWR too, on new data; the retransmission has neither CWR nor ECT. */
DIALOGUE(loss_is_told_too)
{
		agreed(d, c);
	T(100)	burst(d, c, 1, 10);
	T(140)	wire_in(ACK, seq=1, ack=1, sack=1001:6001);
		wire_out_within(140, 151, ACK, seq=1, len=1000, tos=0);
	T(160)	wire_in(ACK|ECE, seq=1, ack=1, sack=1001:10001);
	T(190)	wire_in(ACK|ECE, seq=1, ack=10001);
		cwnd(c, 7);				/* once, for loss and mark */
		app_send(c, 2000);	wire_out(ACK|CWR, seq=10001, len=1000, tos=2);
					wire_out(PSH|ACK, seq=11001, len=1000, tos=2);
}

/* The other way round: a mark first, then a loss in the same window. */
DIALOGUE(mark_then_loss)
{
		agreed(d, c);
	T(100)	burst(d, c, 1, 10);
	T(140)	wire_in(ACK|ECE, seq=1, ack=1001);
		cwnd(c, 7);
	T(141)	wire_in(ACK|ECE, seq=1, ack=1001, sack=2001:10001);
		wire_out_within(141, 160, ACK, seq=1001, len=1000, tos=0);
		check(info_of(d, c).ssthresh_segments == 7);
	T(190)	wire_in(ACK, seq=1, ack=10001);
		cwnd(c, 7);
}

/* A timeout: the copy cannot be marked; the window that it leaves is told of. */
DIALOGUE(timeout_is_told_too)
{
		tunable(tcp_ecn, 1);
	T(0)	app_connect(c, 8080);	wire_out(SYN|ECE|CWR, seq=0);
	T(40)	wire_in(SYN|ACK|ECE, seq=0, ack=1, mss=1000);
					wire_out(ACK, seq=1, ack=1);
	T(100)	burst(d, c, 1, 1);
	T(340)				wire_out(ACK, seq=1, len=1000, tos=0);
		counter(TCPTimeouts, 1);
	T(600)	wire_in(ACK, seq=1, ack=1001);
		app_send(c, 1000);	wire_out(ACK|CWR, len=1000, tos=2);
}

/* 6.1.6: a tail loss probe that sends old data is a retransmission. */
DIALOGUE(probe_with_old_data)
{
		agreed(d, c);
	T(100)	burst(d, c, 1, 1);
	T(340)				wire_out(ACK, seq=1, len=1000, tos=0);
		counter(TCPLossProbes, 1);
}

/* RFC 2474: the program's six bits, our two. */
DIALOGUE(tos_of_the_program)
{
		agreed(d, c);
		app_setopt(c, OPT_TOS, 0xb8 + 3);
	T(100)	app_send(c, 1000);	wire_out(ACK, seq=1, len=1000, tos=186);
	T(140)	wire_in(ACK, seq=1, ack=1001, len=10);
					wire_out(ACK, ack=11, tos=184);
}
