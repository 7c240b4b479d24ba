/* SPDX-License-Identifier: MIT */
/* Listeners: the queue of handshakes under way, the queue of connections that wait, their limits.
 */
#include <stdio.h>
#include <string.h>

#include "dialogue.h"

/* A dialogue is laid out in columns. */
/* clang-format off */

/* ---- the accept queue --------------------------------------------------------------------------- */

/* Two have come in, a third has been answered: its ACK finds the queue full. */
static void fill_accept_queue(struct dlg *d, struct app *l)
{
		app_listen(l, 8080, 1);
		wire_in(SYN, seq=0, mss=1460, sport=41000);	wire_out(SYN|ACK, seq=0, ack=1);
		wire_in(ACK, seq=1, ack=1);
		wire_in(SYN, seq=0, mss=1460, sport=41001);	wire_out(SYN|ACK, seq=0, ack=1);
		wire_in(SYN, seq=0, mss=1460, sport=41002);	wire_out(SYN|ACK, seq=0, ack=1);
		wire_in(ACK, seq=1, ack=1, sport=41001);
		wire_in(ACK, seq=1, ack=1, sport=41002);
}

/*
 * As Linux: when it is full the ACK that completes a handshake is as if it had been lost; the SYN-ACK
 * goes again, and the next ACK comes in.
 */
DIALOGUE(accept_queue_overflow)
{
	T(0)	fill_accept_queue(d, l);
		dropped(TCP_BACKLOG, 1);
		counter(ListenOverflows, 1);
	T(1000)	wire_out(SYN|ACK, seq=0, ack=1, dport=41002);
		state(app_accept(l), ESTAB);
		state(app_accept(l), ESTAB);
		app_ready(l, 0);
	T(1010)	wire_in(ACK, seq=1, ack=1, sport=41002);
		state(app_accept(l), ESTAB);
		counter(TCPSynRetrans, 1);
}

/* Data comes in place of the ACK that was not taken; nothing of it is lost. */
DIALOGUE(data_after_an_accept_queue_overflow)
{
	struct app *a;

	T(0)	fill_accept_queue(d, l);
		wire_in(PSH|ACK, seq=1, ack=1, len=100);
		dropped(TCP_BACKLOG, 2);
		app_accept(l);
		app_accept(l);
	T(500)	wire_in(PSH|ACK, seq=1, ack=1, len=100);	wire_out(ACK, seq=1, ack=101);
		a = app_accept(l);
		app_recv(a, 100);
}

DIALOGUE(accept_queue_overflow_with_abort)
{
	T(0)	tunable(tcp_abort_on_overflow, 1);
		fill_accept_queue(d, l);	wire_out(RST, seq=1, dport=41002);
	T(70000) app_accept(l);
		app_accept(l);
		app_ready(l, 0);
}

/* As Linux: accept succeeds, what came can be read, then the program learns of the reset. */
DIALOGUE(reset_in_the_accept_queue)
{
	struct glass_end peer;
	struct app *a;

	T(0)	app_listen(l, 8080, 5);
		wire_in(SYN, seq=0, mss=1460, sport=41001);	wire_out(SYN|ACK, seq=0, ack=1);
		wire_in(PSH|ACK, seq=1, ack=1, len=10);		wire_out(ACK, seq=1, ack=11);
		wire_in(RST, seq=11);
		dropped(TCP_RST, 1);
	T(1000)	app_ready(l, GLASS_IN);
		a = app_accept(l);
		state(a, UNCONN);
		check(!glass_remote(a->s, &peer) && peer.port == 41001);
		app_ready(a, GLASS_IN | GLASS_OUT | GLASS_RDHUP | GLASS_HUP | GLASS_ERR);
		app_recv(a, 10);
		app_recv_error(a, ECONNRESET);
		app_recv_eof(a);
		app_ready(l, 0);
		app_close(a);
}

/* The listener ends first. */
DIALOGUE(reset_in_the_accept_queue_and_never_accepted)
{
	T(0)	app_listen(l, 8080, 5);
		wire_in(SYN, seq=0, mss=1460, sport=41001);	wire_out(SYN|ACK, seq=0, ack=1);
		wire_in(ACK, seq=1, ack=1);
		wire_in(RST, seq=1);
		app_close(l);
	T(1000)	wire_in(ACK, seq=1, ack=1);			wire_out(RST, seq=1);
}

/* The peer's time-out ends it there too: keepalive of an inherited option. */
DIALOGUE(time_out_in_the_accept_queue)
{
	struct app *a;

	T(0)	app_listen(l, 8080, 5);
		app_setopt(l, OPT_KEEPALIVE, 1);
		app_setopt(l, OPT_KEEPIDLE, 1);
		app_setopt(l, OPT_KEEPINTVL, 1);
		app_setopt(l, OPT_KEEPCNT, 1);
		wire_in(SYN, seq=0, mss=1460, sport=41001);	wire_out(SYN|ACK, seq=0, ack=1);
		wire_in(ACK, seq=1, ack=1);
	T(1000)	wire_out(ACK, seq=0);
	T(2000)	wire_out(RST|ACK, seq=1);
		a = app_accept(l);
		app_recv_error(a, ETIMEDOUT);
}

/* The backlog of listen() is cut to somaxconn. */
DIALOGUE(somaxconn)
{
	struct glass_conn_info info;

	T(0)	tunable(tcp_somaxconn, 3);
		app_listen(l, 8080, 1000);
		check(!glass_sock_info(dlg_stack(d), l->s, &info));
		check(info.send_q == 3);
}

/* ---- handshakes under way ----------------------------------------------------------------------- */

/* What is half open shows in ss, and as little as it may cost. */
DIALOGUE(half_open_is_small_and_shown)
{
	struct glass_memory before, after;
	struct glass_conn_info info;
	uint64_t cursor = 0, each;
	unsigned shown = 0;

	T(0)	app_listen(l, 8080, 1000);
		wire_in(SYN, seq=0);				wire_out(SYN|ACK);
		wire_in(RST, seq=1);				/* now the neighbour is known */
		glass_memory(dlg_stack(d), &before);
	for (unsigned i = 0; i < 500; i++) {
		wire_inf("SYN, seq=0, mss=1460, ws=7, sackok, ts, sport=%u", 41000 + i);
		wire_out(SYN|ACK, seq=0, ack=1);
	}
		glass_memory(dlg_stack(d), &after);
		each = (after.bytes - before.bytes) / 500;
		printf("# %llu bytes per half-open connection\n", (unsigned long long)each);
		check(each < 256);
		while (glass_conn_next(dlg_stack(d), &cursor, &info))
			shown += strcmp(info.state, "SYN-RECV") == 0 && info.remote.port >= 41000;
		check(shown == 500);
		wire_out_until(100e3);
		glass_memory(dlg_stack(d), &after);
		check(after.bytes == before.bytes);
		counter(AttemptFails, 501);
}

/* ATTACKS 38: a spoofed SYN that comes again and again is no amplifier. */
DIALOGUE(repeated_syns_get_few_answers)
{
	unsigned answers;

	T(0)	app_listen(l, 8080, 5);
		wire_in(SYN, seq=0, mss=1460);			wire_out(SYN|ACK, seq=0, ack=1);
	for (unsigned i = 0; i < 1000; i++)
		wire_in(SYN, seq=0, mss=1460);
		wire_out(SYN|ACK, seq=0, ack=1);
		dropped(TCP_OLD, 1000);
	for (answers = 0; dlg_now(d) < 100e3;)
		dlg_skip_until(d, HERE("time"), dlg_now(d) + 10e3);
		answers = (unsigned)dlg_counter_value(d, "OutSegs");
		check(answers == 1 + 1 + 5);
}

/* A RST of the one whose address was used stops it at once. */
DIALOGUE(rst_stops_the_synacks)
{
	T(0)	app_listen(l, 8080, 5);
		wire_in(SYN, seq=0, mss=1460);			wire_out(SYN|ACK, seq=0, ack=1);
	T(1)	wire_in(RST, seq=1);
	T(100000) counter(OutSegs, 1);
}

/* RFC 5961 in SYN-RECEIVED: RST and SYN that are not the expected ones, old or far segments. */
DIALOGUE(half_open_is_not_ended_blindly)
{
	T(0)	app_listen(l, 8080, 5);
		wire_in(SYN, seq=0, mss=1460, tsval=1000);	wire_out(SYN|ACK, seq=0, ack=1);
	T(1)	wire_in(RST, seq=2);				wire_out(ACK, seq=1, ack=1);
		dropped(TCP_RST_INVALID, 1);
		wire_in(RST, seq=100000000);
		wire_in(PSH|ACK, seq=100000000, ack=1, len=10, tsval=1000);	/* too soon for another answer */
		dropped(TCP_WINDOW, 2);
	T(601)	wire_in(SYN, seq=5);				wire_out(ACK, seq=1, ack=1);
		dropped(TCP_SYN_INVALID, 1);
	T(902)	wire_in(PSH|ACK, seq=1, ack=1, len=10, tsval=999);
		dropped(TCP_PAWS, 1);
		wire_in(PSH, seq=1, len=10, tsval=1001);
		dropped(TCP_NO_ACK, 1);
	T(950)	wire_in(ACK, seq=1, ack=1, tsval=1001);
		state(app_accept(l), ESTAB);
}

/* An ACK of less than our SYN is no better than one of more. */
DIALOGUE(half_open_and_an_old_ack)
{
	T(0)	app_listen(l, 8080, 5);
		wire_in(SYN, seq=0, mss=1460);			wire_out(SYN|ACK, seq=0, ack=1);
		wire_in(ACK, seq=1, ack=0);			wire_out(RST, seq=0);
		wire_in(ACK, seq=1, ack=2);			wire_out(RST, seq=2);
		dropped(TCP_ACK_UNSENT, 2);
		app_ready(l, 0);
}

/* Its neighbour does not answer ARP: one copy of the SYN-ACK waits, and the attempt ends in time. */
DIALOGUE(half_open_without_a_neighbour)
{
	struct seg s = { .kind = SEG_TCP, .src = 0x0a000006, .dst = 0x0a000004, .dport = 8080, .flags = SYN };
	uint8_t frame[SEG_FRAME_MAX];

	memcpy(s.src_mac, "\x02\0\0\0\0\x06", 6);
	memcpy(s.dst_mac, "\x02\0\0\0\0\x04", 6);
	s.sport = 9;
	T(0)	app_listen(l, 8080, 5);
		wire_in_frame(frame, seg_build(frame, &s));
	T(3100)	dropped(NEIGH_FAILED, 1);
	T(200000) counter(AttemptFails, 1);
}

/* RFC 6298 5.7: the SYN-ACK was lost, and there are no timestamps to tell the time by. */
DIALOGUE(rto_after_a_lost_synack)
{
	struct glass_conn_info info;
	struct app *a;

	T(0)	app_listen(l, 8080, 5);
		wire_in(SYN, seq=0, mss=1460);			wire_out(SYN|ACK, seq=0, ack=1);
	T(1000)	wire_out(SYN|ACK, seq=0, ack=1);
	T(1040)	wire_in(ACK, seq=1, ack=1);
		a = app_accept(l);
		check(!glass_sock_info(dlg_stack(d), a->s, &info));
		check(info.srtt_ns == 0 && info.rto_ns == 3000000000ll);
}

DIALOGUE(rtt_after_a_lost_synack_by_timestamps)
{
	struct glass_conn_info info;
	struct app *a;

	T(0)	app_listen(l, 8080, 5);
		wire_in(SYN, seq=0, mss=1460, ts);		wire_out(SYN|ACK, seq=0, ack=1);
	T(1000)	wire_out(SYN|ACK, seq=0, ack=1);
	T(1040)	wire_in(ACK, seq=1, ack=1);
		a = app_accept(l);
		check(!glass_sock_info(dlg_stack(d), a->s, &info));
		check(info.srtt_ns == 40000000);
}

/* The window that the SYN-ACK told is the window: data up to its edge is taken. */
DIALOGUE(window_of_the_synack_holds)
{
	struct app *a;

	T(0)	app_listen(l, 8080, 5);
		wire_in(SYN, seq=0, mss=1460, ws=7);		wire_out(SYN|ACK, seq=0, ack=1, win=65535);
		wire_in(ACK, seq=1, ack=1);
	for (unsigned i = 0; i < 44; i++) {
		wire_in(ACK, ack=1, len=1460);
		wire_skip_all();
	}
		a = app_accept(l);
		app_recv(a, 44 * 1460);
		dropped(TCP_WINDOW, 0);
}

/* ICMP: only about our SYN-ACK, and only "unreachable", ends the attempt. */
DIALOGUE(unreachable_ends_what_is_half_open)
{
	T(0)	app_listen(l, 8080, 5);
		wire_in(SYN, seq=0, mss=1460);			wire_out(SYN|ACK, seq=0, ack=1);
		wire_in(ICMP, type=3, code=1, badseq);
		dropped(ICMP_QUOTE_SEQ, 1);
		wire_in(ICMP, type=11, code=0);
	T(1000)	wire_out(SYN|ACK, seq=0, ack=1);
		wire_in(ICMP, type=3, code=1);
	T(100000) counter(AttemptFails, 1);
}

/* ---- TCP_DEFER_ACCEPT --------------------------------------------------------------------------- */

DIALOGUE(defer_accept_waits_for_data)
{
	struct app *a;

	T(0)	app_listen(l, 8080, 5);
		app_setopt(l, OPT_DEFER_ACCEPT, 5);
		wire_in(SYN, seq=0, mss=1460);			wire_out(SYN|ACK, seq=0, ack=1);
	T(40)	wire_in(ACK, seq=1, ack=1);
		app_ready(l, 0);
		dropped(TCP_DEFERRED, 1);
		counter(TCPDeferAcceptDrop, 1);
	T(2500)	wire_in(PSH|ACK, seq=1, ack=1, len=10);		wire_out(ACK, seq=1, ack=11);
		a = app_accept(l);
		app_recv(a, 10);
}

/* As Linux: at the end of the time one more SYN-ACK, whose ACK opens the connection without data. */
DIALOGUE(defer_accept_ends)
{
	int64_t v;

	T(0)	app_listen(l, 8080, 5);
		app_setopt(l, OPT_DEFER_ACCEPT, 5);
		check(!glass_getopt(dlg_stack(d), l->s, GLASS_OPT_DEFER_ACCEPT, &v) && v == 7);
		wire_in(SYN, seq=0, mss=1460);			wire_out(SYN|ACK, seq=0, ack=1);
	T(40)	wire_in(ACK, seq=1, ack=1);
	T(7000)	wire_out(SYN|ACK, seq=0, ack=1);
		app_ready(l, 0);
	T(7040)	wire_in(ACK, seq=1, ack=1);
		state(app_accept(l), ESTAB);
}

/* Who does not acknowledge is asked again as ever. */
DIALOGUE(defer_accept_and_a_lost_synack)
{
	T(0)	app_listen(l, 8080, 5);
		app_setopt(l, OPT_DEFER_ACCEPT, 30);
		wire_in(SYN, seq=0, mss=1460);			wire_out(SYN|ACK, seq=0, ack=1);
	T(1000)	wire_out(SYN|ACK, seq=0, ack=1);
	T(3000)	wire_out(SYN|ACK, seq=0, ack=1);
	T(3040)	wire_in(ACK, seq=1, ack=1);
	T(31000) wire_out(SYN|ACK, seq=0, ack=1);
		app_ready(l, 0);
	T(31050) wire_in(FIN|ACK, seq=1, ack=1);			wire_out(ACK, seq=1, ack=2);
		state(app_accept(l), CLOSE-WAIT);
}
