/* SPDX-License-Identifier: MIT */
/* How connections begin: RFC 9293 3.5, 3.10.1, 3.10.7.2, 3.10.7.3. */
#include "dialogue.h"

/* A dialogue is laid out in columns. */
/* clang-format off */

DIALOGUE(active_open)
{
	T(0)	app_connect(c, 8080);
		wire_out(SYN, seq=0, mss=1460, ws=7, sackok, ts, len=0, dport=8080);
		state(c, SYN-SENT);
	T(40)	wire_in(SYN|ACK, seq=0, ack=1, mss=1460, ws=7, sackok, ts);
		wire_out(ACK, seq=1, ack=1, len=0, ts, nomss, nows, nosackok);
		state(c, ESTAB);
		app_woke(c, GLASS_OUT | GLASS_CONNECTED);
		app_ready(c, GLASS_OUT);
		app_error(c, 0);
		counter(ActiveOpens, 1);
}

DIALOGUE(passive_open)
{
	struct app *a;

	T(0)	app_listen(l, 8080, 5);
		wire_in(SYN, seq=0, mss=1460, ws=7, sackok, ts);
		wire_out(SYN|ACK, seq=0, ack=1, mss=1460, ws=7, sackok, ts);
		app_ready(l, 0);
	T(40)	wire_in(ACK, seq=1, ack=1);
		app_woke(l, GLASS_IN);
		a = app_accept(l);
		state(a, ESTAB);
		app_ready(a, GLASS_OUT);
		app_ready(l, 0);
		counter(PassiveOpens, 1);
}

/* RFC 6298 2.1, 5.5: 1 s, doubled each time; six retransmissions, then ETIMEDOUT. */
DIALOGUE(syn_backs_off)
{
	T(0)	app_connect(c, 8080);	wire_out(SYN, seq=0);
	T(1000)	wire_out(RTX, seq=0, mss=1460);
	T(3000)	wire_out(RTX, seq=0);
	T(7000)	wire_out(RTX, seq=0);
	T(15000) wire_out(RTX, seq=0);
	T(31000) wire_out(RTX, seq=0);
	T(63000) wire_out(RTX, seq=0);
		state(c, SYN-SENT);
	T(127000) app_woke(c, GLASS_ERR | GLASS_HUP);
		app_error(c, ETIMEDOUT);
		app_error(c, 0);
		state(c, UNCONN);
		counter(AttemptFails, 1);
}

DIALOGUE(syn_retries_can_be_set)
{
	T(0)	app_setopt(c, OPT_SYNCNT, 1);
		app_connect(c, 8080);	wire_out(SYN, seq=0);
	T(1000)	wire_out(RTX, seq=0);
	T(3000)	app_error(c, ETIMEDOUT);
}

DIALOGUE(refused)
{
	T(0)	app_connect(c, 8080);	wire_out(SYN, seq=0);
	T(10)	wire_in(RST|ACK, seq=0, ack=1);
		app_woke(c, GLASS_ERR | GLASS_HUP);
		app_ready(c, GLASS_IN | GLASS_OUT | GLASS_RDHUP | GLASS_HUP | GLASS_ERR);
		app_error(c, ECONNREFUSED);
		app_error(c, 0);
		dropped(TCP_RST, 1);
}

/* 3.10.7.3: a RST must acknowledge our SYN; one without ACK, or with a wrong one, is nothing. */
DIALOGUE(forged_rst_in_syn_sent_is_ignored)
{
	T(0)	app_connect(c, 8080);	wire_out(SYN, seq=0);
	T(10)	wire_in(RST, seq=0);
		dropped(TCP_SYN_SENT_FLAGS, 1);
		wire_in(RST|ACK, seq=0, ack=2);
		dropped(TCP_SYN_SENT_ACK, 1);
		state(c, SYN-SENT);
	T(20)	wire_in(SYN|ACK, seq=0, ack=1, mss=1460);	wire_out(ACK, seq=1, ack=1);
}

/* 3.10.7.3, first: the segment of an old connection is reset, and the new connection goes on. */
DIALOGUE(old_synack_is_reset)
{
	T(0)	app_connect(c, 8080);	wire_out(SYN, seq=0);
	T(10)	wire_in(SYN|ACK, seq=0, ack=2000);
		wire_out(RST, seq=2000, len=0);
		dropped(TCP_SYN_SENT_ACK, 1);
	T(20)	wire_in(ACK, seq=0, ack=0);
		wire_out(RST, seq=0);
		state(c, SYN-SENT);
	T(30)	wire_in(SYN|ACK, seq=0, ack=1, mss=1460);	wire_out(ACK, seq=1, ack=1);
		state(c, ESTAB);
}

/* RFC 7323 3.2: so is one that echoes no timestamp of ours; one that echoes none at all is taken. */
DIALOGUE(synack_echoes_another_life)
{
	uint32_t first, second;

	T(0)	app_connect(c, 8080);	wire_out(SYN, seq=0, ts);	first = dlg_last(d)->tsval;
	T(10)	wire_inf("SYN|ACK, seq=0, ack=1, mss=1460, tsval=5000, tsecr=%u", first - 1);
		wire_out(RST, seq=1, len=0);
		dropped(TCP_SYN_SENT_ECHO, 1);
	T(1000)	wire_out(RTX, seq=0, ts);				second = dlg_last(d)->tsval;
		check(second == first + 1000);
	T(1010)	wire_inf("SYN|ACK, seq=0, ack=1, mss=1460, tsval=6000, tsecr=%u", second + 11);
		wire_out(RST, seq=1);
		dropped(TCP_SYN_SENT_ECHO, 2);
		state(c, SYN-SENT);
	T(1020)	wire_inf("SYN|ACK, seq=0, ack=1, mss=1460, tsval=6010, tsecr=%u", first);
		wire_out(ACK, seq=1, ack=1, tsecr=6010);
		state(c, ESTAB);
		app_abort(c);			wire_out(RST|ACK);
		app_connect(c, 8080);		wire_out(SYN, seq=0, ts);
	T(1030)	wire_in(SYN|ACK, seq=0, ack=1, mss=1460, tsval=7000, tsecr=0);
		wire_out(ACK, seq=1, ack=1, tsecr=7000);
		state(c, ESTAB);
}

DIALOGUE(ack_without_syn_in_syn_sent_is_ignored)
{
	T(0)	app_connect(c, 8080);	wire_out(SYN, seq=0);
	T(10)	wire_in(ACK, seq=0, ack=1);
		dropped(TCP_SYN_SENT_FLAGS, 1);
		state(c, SYN-SENT);
}

/*
 * RFC 9293 figure 8; and as 3.10.7.4 says of what lies before the window, the peer's SYN-ACK is
 * answered: it may be that it has not got ours.
 */
DIALOGUE(simultaneous_open)
{
	T(0)	app_connect(c, 8080);	wire_out(SYN, seq=0, mss=1460);
	T(10)	wire_in(SYN, seq=0, mss=1460);
		wire_out(SYN|ACK, seq=0, ack=1);
		state(c, SYN-RECV);
	T(20)	wire_in(SYN|ACK, seq=0, ack=1, mss=1460);	wire_out(ACK, seq=1, ack=1);
		state(c, ESTAB);
		app_woke(c, GLASS_CONNECTED | GLASS_OUT);
	T(30)	app_send(c, 10);	wire_out(PSH|ACK, seq=1, ack=1, len=10);
	T(40)	wire_in(ACK, seq=1, ack=11, len=5);
		wire_out(ACK, seq=11, ack=6);
		app_recv(c, 5);
}

/* Its SYN came twice: a D-SACK says so. That ours did tells nothing of the path. */
DIALOGUE(simultaneous_open_reports_the_syn)
{
	struct glass_tcp_info info;

	T(0)	app_connect(c, 8080);	wire_out(SYN, seq=0, sackok);
	T(10)	wire_in(SYN, seq=0, mss=1460, sackok);	wire_out(SYN|ACK, seq=0, ack=1);
	T(20)	wire_in(SYN|ACK, seq=0, ack=1, mss=1460, sackok);
		wire_out(ACK, seq=1, ack=1, sack=0:1);
		wire_in(ACK, seq=1, ack=1, sack=0:1);
		glass_tcp_info(dlg_stack(d), c->s, &info);
		check(!info.dsack_dups);
}

/* The same when the peer answers with a plain ACK. */
DIALOGUE(simultaneous_open_plain_ack)
{
	T(0)	app_connect(c, 8080);	wire_out(SYN, seq=0);
	T(10)	wire_in(SYN, seq=0, mss=1460);	wire_out(SYN|ACK, seq=0, ack=1);
	T(20)	wire_in(ACK, seq=1, ack=1);
		state(c, ESTAB);
}

DIALOGUE(synack_backs_off_and_is_forgotten)
{
	T(0)	app_listen(l, 8080, 5);
		wire_in(SYN, seq=0, mss=1460);	wire_out(SYN|ACK, seq=0, ack=1);
	T(1000)	wire_out(SYN|ACK, seq=0, ack=1);
	T(3000)	wire_out(SYN|ACK, seq=0, ack=1);
	T(7000)	wire_out(SYN|ACK, seq=0, ack=1);
	T(15000) wire_out(SYN|ACK, seq=0, ack=1);
	T(31000) wire_out(SYN|ACK, seq=0, ack=1);
	T(63000)
	T(64000) wire_in(ACK, seq=1, ack=1);
		wire_out(RST, seq=1);
		app_ready(l, 0);
}

DIALOGUE(syn_again_is_answered_again)
{
	T(0)	app_listen(l, 8080, 5);
		wire_in(SYN, seq=0, mss=1460);	wire_out(SYN|ACK, seq=0, ack=1);
	T(500)	wire_in(SYN, seq=0, mss=1460);	wire_out(SYN|ACK, seq=0, ack=1);
	T(600)	wire_in(ACK, seq=1, ack=1);
		state(app_accept(l), ESTAB);
}

/* MUST-11: a RST sends the passive side back to LISTEN. */
DIALOGUE(rst_in_syn_received)
{
	T(0)	app_listen(l, 8080, 5);
		wire_in(SYN, seq=0, mss=1460);	wire_out(SYN|ACK, seq=0, ack=1);
	T(10)	wire_in(RST, seq=1);
		state(l, LISTEN);
		app_ready(l, 0);
	T(20)	wire_in(SYN, seq=100, mss=1460, sport=40001);
		wire_out(SYN|ACK, seq=0, ack=101);
	T(30)	wire_in(ACK, seq=101, ack=1);
		state(app_accept(l), ESTAB);
}

/* 3.10.7.4, fifth: an ACK that does not acknowledge our SYN gets a RST; the embryo waits on. */
DIALOGUE(wrong_ack_in_syn_received)
{
	T(0)	app_listen(l, 8080, 5);
		wire_in(SYN, seq=0, mss=1460);	wire_out(SYN|ACK, seq=0, ack=1);
	T(10)	wire_in(ACK, seq=1, ack=5000);	wire_out(RST, seq=5000);
		dropped(TCP_ACK_UNSENT, 1);
	T(20)	wire_in(ACK, seq=1, ack=1);
		state(app_accept(l), ESTAB);
}

/* 3.10.7.2: what a listener does with everything but a SYN. */
DIALOGUE(listener_takes_only_syn)
{
	T(0)	app_listen(l, 8080, 5);
		wire_in(RST, seq=0);
		wire_in(RST|ACK, seq=0, ack=5);
		wire_in(ACK, seq=0, ack=77);		wire_out(RST, seq=77);
		wire_in(SYN|ACK, seq=0, ack=78);	wire_out(RST, seq=78);
		wire_in(FIN, seq=0);
		wire_in(PSH, seq=0, len=10);
		wire_in(SYN|FIN, seq=0);
		dropped(TCP_LISTEN_FLAGS, 7);
		state(l, LISTEN);
}

/* MUST-15: without an MSS option a segment is 536 bytes at most. */
DIALOGUE(no_mss_means_536)
{
	T(0)	connected(c, "");
	T(100)	app_send(c, 1000);
		wire_out(ACK, seq=1, len=536);
		wire_out(PSH|ACK, seq=537, len=464);
	T(140)	wire_in(ACK, seq=1, ack=1001);
}

/* CVE-2019-11479: a peer that asks for tiny segments gets small ones, not tiny ones. */
DIALOGUE(tiny_mss_is_raised)
{
	T(0)	connected(c, "mss=1");
	T(100)	app_send(c, 100);
		wire_out(ACK, seq=1, len=48);
		wire_out(ACK, seq=49, len=48);
		wire_out(PSH|ACK, seq=97, len=4);
	T(140)	wire_in(ACK, seq=1, ack=101);
}

/* MUST-16 and RFC 6691: the peer's MSS less the options of this segment. */
DIALOGUE(mss_leaves_room_for_timestamps)
{
	T(0)	connected(c, "mss=1460, ts");
	T(100)	app_send(c, 1449);
		wire_out(ACK, seq=1, len=1448, ts);
		wire_out(PSH|ACK, seq=1449, len=1, ts);
	T(140)	wire_in(ACK, seq=1, ack=1450);
}

/* RFC 7323 2.2: both or none. */
DIALOGUE(no_window_scale_unless_both)
{
	T(0)	app_listen(l, 8080, 5);
		wire_in(SYN, seq=0, mss=1460);
		wire_out(SYN|ACK, seq=0, ack=1, nows, nosackok, nots, win=65535);
	T(10)	wire_in(ACK, seq=1, ack=1);
		app_accept(l);
}

/* RFC 7323 2.3: a shift above 14 counts as 14. */
DIALOGUE(window_scale_15_counts_as_14)
{
	struct glass_conn_info info;

	T(0)	connected(c, "mss=1460, ws=15");
		check(glass_sock_info(dlg_stack(d), c->s, &info) == 0);
		check(info.wscale_snd == 14);
}

DIALOGUE(options_can_be_switched_off)
{
	T(0)	tunable(tcp_timestamps, 0);
		tunable(tcp_sack, 0);
		tunable(tcp_window_scaling, 0);
		app_connect(c, 8080);
		wire_out(SYN, seq=0, mss=1460, nots, nosackok, nows);
	T(10)	wire_in(SYN|ACK, seq=0, ack=1, mss=1460, ts, sackok, ws=3);
		wire_out(ACK, seq=1, ack=1, nots);
}

DIALOGUE(data_with_the_third_segment)
{
	struct app *a;

	T(0)	app_listen(l, 8080, 5);
		wire_in(SYN, seq=0, mss=1460);	wire_out(SYN|ACK, seq=0, ack=1);
	T(10)	wire_in(PSH|ACK, seq=1, ack=1, len=100);
		wire_out(ACK, seq=1, ack=101);
		a = app_accept(l);
		app_ready(a, GLASS_IN | GLASS_OUT);
		app_recv(a, 100);
}

DIALOGUE(data_with_the_synack)
{
	T(0)	app_connect(c, 8080);	wire_out(SYN, seq=0);
	T(10)	wire_in(SYN|ACK, seq=0, ack=1, mss=1460, len=50);
		wire_out(ACK, seq=1, ack=51);
		app_recv(c, 50);
}

/* A program may send and close before the handshake is over. */
DIALOGUE(close_while_connecting)
{
	T(0)	app_connect(c, 8080);	wire_out(SYN, seq=0);
	T(10)	app_close(c);
		state(c, CLOSED);
	T(20)	wire_in(SYN|ACK, seq=0, ack=1, mss=1460);
		wire_out(RST, seq=1);
}

DIALOGUE(backlog_is_a_limit)
{
	T(0)	app_listen(l, 8080, 1);
		wire_in(SYN, seq=0, mss=1460, sport=41001);	wire_out(SYN|ACK, seq=0, ack=1);
		wire_in(ACK, seq=1, ack=1);
		wire_in(SYN, seq=0, mss=1460, sport=41002);	wire_out(SYN|ACK, seq=0, ack=1);
		wire_in(ACK, seq=1, ack=1);
		wire_in(SYN, seq=0, mss=1460, sport=41003);
		dropped(TCP_BACKLOG, 1);
		counter(ListenOverflows, 1);
		counter(ListenDrops, 1);
		app_accept(l);
	T(1000)	wire_in(SYN, seq=0, mss=1460, sport=41003);	wire_out(SYN|ACK, seq=0, ack=1);
		wire_in(ACK, seq=1, ack=1);
		app_accept(l);
		app_accept(l);
		app_ready(l, 0);
}

DIALOGUE(listener_ends)
{
	T(0)	app_listen(l, 8080, 5);
		wire_in(SYN, seq=0, mss=1460, sport=41001);	wire_out(SYN|ACK, seq=0, ack=1);
		wire_in(ACK, seq=1, ack=1);
	T(10)	app_close(l);
		wire_out(RST|ACK, seq=1, sport=8080, dport=41001);
	T(20)	wire_in(SYN, seq=0, mss=1460, sport=41005);
		wire_out(RST|ACK, seq=0, ack=1);
}

/* RFC 6528: the same four addresses grow, others have nothing to do with them. */
DIALOGUE(initial_sequence_numbers_are_keyed)
{
	uint32_t first, again, other;

	T(0)	app_listen(l, 8080, 5);
		wire_in(SYN, seq=0, sport=50000);	first = dlg_skip(d, HERE("SYN-ACK")).seq;
		wire_in(RST, seq=1);
	T(100)	wire_in(SYN, seq=0, sport=50000);	again = dlg_skip(d, HERE("SYN-ACK")).seq;
		wire_in(RST, seq=1);
		check(again - first > 0 && again - first < 1000000);	/* about 4 us per step */
	for (unsigned i = 1; i <= 100; i++) {
		wire_inf("SYN, seq=0, sport=%u", 50000 + i);
		other = dlg_skip(d, HERE("SYN-ACK")).seq;
		wire_in(RST, seq=1);
		check(other - first > 1000000 && first - other > 1000000);
	}
}

/* RFC 6056: ports of the range, and not one after the other. */
DIALOGUE(ports_are_unpredictable)
{
	unsigned steps_of_one = 0, low = 0;
	uint16_t last = 0;

	T(0)
	for (unsigned i = 0; i < 200; i++) {
		struct app *a = dlg_app(d);

		app_connect(a, 8080);
		wire_out(SYN, seq=0);
		check(a->lport >= 32768 && a->lport <= 60999);
		steps_of_one += (uint16_t)(a->lport - last) <= 2;
		low += a->lport < 32768 + (60999 - 32768) / 2;
		last = a->lport;
		app_abort(a);
	}
	check(steps_of_one < 5);
	check(low > 60 && low < 140);
}

/* MUST-46: no connection to a group. */
DIALOGUE(connect_to_a_group_fails)
{
	struct glass_end group = { glass_ip4(224, 0, 0, 1), 80 }, all = { glass_ip4(255, 255, 255, 255), 80 };
	struct glass_sock *s;

	T(0)	s = glass_socket(dlg_stack(d), GLASS_TCP);
		check(glass_connect(dlg_stack(d), s, &group) == -ENETUNREACH);
		check(glass_connect(dlg_stack(d), s, &all) == -ENETUNREACH);
		glass_close(dlg_stack(d), s);
}

DIALOGUE(no_route)
{
	struct glass_end far = { glass_ip4(8, 8, 8, 8), 80 };
	struct glass_sock *s;

	T(0)	s = glass_socket(dlg_stack(d), GLASS_TCP);
		check(glass_connect(dlg_stack(d), s, &far) == -ENETUNREACH);
		glass_close(dlg_stack(d), s);
}

/*
 * The neighbour does not answer ARP: the SYN waits, and the program hears of it after three
 * seconds.
 */
DIALOGUE(no_neighbour)
{
	T(0)	app_connect_to(c, 0x0a000006, 8080);
	T(2900)	state(c, SYN-SENT);
		check(c->woke == 0);
	T(3100)	app_woke(c, GLASS_ERR | GLASS_HUP);
		app_error(c, EHOSTUNREACH);
		check(dlg_counter_value(d, "NEIGH_FAILED") >= 1);
}
