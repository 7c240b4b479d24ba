/* SPDX-License-Identifier: MIT */
/*
 * What a phantom host can try on a listener or on somebody else's connection: RFC 5961, RFC 5927,
 * RFC 1337, RFC 6191, RFC 7323 5, and what the answers must not tell.
 */
#include <stdio.h>
#include <string.h>

#include "dialogue.h"

/* A dialogue is laid out in columns. */
/* clang-format off */

static const char *const flag_names[8] = { "FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR" };

/* "SYN|ACK" of SYN | ACK; "" of none. */
static const char *flags_text(unsigned flags)
{
	static char text[64];

	text[0] = '\0';
	for (unsigned i = 0; i < 8; i++) {
		if (!(flags & 1u << i))
			continue;
		if (text[0])
			strcat(text, "|");
		strcat(text, flag_names[i]);
	}
	return text;
}

static struct glass_conn_info info_of(struct dlg *d, struct app *a)
{
	struct glass_conn_info info = { 0 };

	check(!glass_sock_info(dlg_stack(d), a->s, &info));
	return info;
}

/* ---- flags -------------------------------------------------------------------------------------- */

/* ATTACKS 29, 3.10.7.2: all 256 flag bytes at a listener. */
DIALOGUE(every_flag_byte_at_a_listener)
{
	unsigned opened = 0;

	T(0)	app_listen(l, 8080, 4000);
	for (unsigned flags = 1; flags < 256; flags++) {
		wire_inf("%s, seq=0, ack=5, sport=%u", flags_text(flags), 20000 + flags);
		if (flags & RST)
			continue;
		if (flags & ACK) {
			wire_out(RST, seq=5, len=0);
		} else if ((flags & (SYN | FIN)) == SYN) {
			wire_outf("SYN|ACK%s, seq=0, ack=1",	/* RFC 3168: both bits ask for ECN */
				  (flags & (ECE | CWR)) == (ECE | CWR) ? "|ECE" : "");
			opened++;
		}
	}
		check(opened == 16);		/* PSH, URG, ECE, CWR close nothing */
		counter(PassiveOpens, opened);
		dropped(TCP_LISTEN_FLAGS, 255 - opened);
}

/* At a closed port: RST answers everything but a RST. */
DIALOGUE(every_flag_byte_at_a_closed_port)
{
	T(0)
	for (unsigned flags = 1; flags < 256; flags++) {
		wire_inf("%s, seq=100, ack=5, dport=9, sport=%u", flags_text(flags), 20000 + flags);
		if (flags & RST)
			continue;
		if (flags & ACK)
			wire_out(RST, seq=5, len=0);
		else
			wire_outf("RST|ACK, seq=0, ack=%u, len=0", 100 + !!(flags & SYN) + !!(flags & FIN));
	}
		dropped(TCP_NO_SOCKET, 255);
}

/* On a connection, far outside the window: none of them does anything, few are answered. */
DIALOGUE(every_flag_byte_outside_the_window)
{
	uint64_t before;

	T(0)	connected(c, "mss=1460");
		before = dlg_counter_value(d, "OutSegs");
	T(1000)
	for (unsigned flags = 1; flags < 256; flags++)
		wire_inf("%s, seq=100000000, ack=5, len=7", flags_text(flags));
		wire_out(ACK, seq=1, ack=1);
		state(c, ESTAB);
		check(dlg_counter_value(d, "OutSegs") == before + 1);
		app_ready(c, GLASS_OUT);
}

/* In the window, exact: only ACK brings data in, only RST ends, SYN never does anything. */
DIALOGUE(every_flag_byte_in_the_window)
{
	T(0)	app_listen(l, 8080, 4000);
	for (unsigned flags = 1; flags < 256; flags++) {
		struct app *a;

		wire_inf("SYN, seq=0, mss=1460, sport=%u", 20000 + flags);	wire_skip();
		wire_in(ACK, seq=1, ack=1);
		a = app_accept(l);
		wire_inf("%s, seq=1, ack=1, len=3", flags_text(flags));
		wire_skip_all();
		if (flags & RST) {
			state(a, UNCONN);
		} else if (flags & SYN || !(flags & ACK)) {
			state(a, ESTAB);
			app_recv_error(a, EAGAIN);
		} else {
			app_recv(a, 3);
			if (flags & FIN)
				state(a, CLOSE-WAIT);
			else
				state(a, ESTAB);
		}
		app_abort(a);
		wire_skip_all();
	}
}

/* ---- RFC 5961 ----------------------------------------------------------------------------------- */

/* 3.2, from each side of the window; Linux answers the same. */
DIALOGUE(rst_at_the_edges_of_the_window)
{
	T(0)	connected(c, "mss=1460");
	T(1000)	wire_in(RST, seq=0);
		dropped(TCP_RST_INVALID, 1);
	T(2000)	wire_in(RST, seq=65536);
		dropped(TCP_WINDOW, 1);
	T(3000)	wire_in(RST, seq=65535);	wire_out(ACK, seq=1, ack=1);
		dropped(TCP_RST_INVALID, 2);
		state(c, ESTAB);
	T(4000)	wire_in(RST|ACK, seq=1, ack=1);
		app_recv_error(c, ECONNRESET);
}

/* MUST-66: a RST is believed when our window is closed. */
DIALOGUE(rst_at_zero_window)
{
	T(0)	connected(c, "mss=1460");
		app_setopt(c, OPT_RCVBUF, 2304);
	T(100)
	for (unsigned i = 0; i < 60 && !info_of(d, c).error; i++) {
		wire_in(PSH|ACK, len=1460);
		wire_skip_all();
	}
		wire_inf("RST, seq=%u", dlg_last_ack(d));
		state(c, UNCONN);
}

/* RST and SYN together: the RST counts, it is checked first. */
DIALOGUE(syn_and_rst)
{
	T(0)	connected(c, "mss=1460");
	T(1000)	wire_in(SYN|RST, seq=100000000);
	T(2000)	wire_in(SYN|RST, seq=1);
		state(c, UNCONN);
}

/* 4.2: the same in every synchronized state. */
DIALOGUE(syn_in_every_state)
{
	T(0)	connected(c, "mss=1460");
	T(1000)	wire_in(FIN|ACK, seq=1, ack=1);	wire_out(ACK, ack=2);
	T(2000)	wire_in(SYN, seq=2);		wire_out(ACK, seq=1, ack=2);
		state(c, CLOSE-WAIT);
	T(3000)	app_close(c);			wire_out(FIN|ACK, seq=1);
		wire_in(SYN, seq=77);		wire_out(ACK, seq=2, ack=2);
		state(c, LAST-ACK);
	T(3100)	wire_in(ACK, seq=2, ack=2);
		dropped(TCP_SYN_INVALID, 2);
}

/* A peer that restarted: its SYN is questioned, it answers the ACK with RST, and comes in again. */
DIALOGUE(restarted_peer_on_the_same_port)
{
	struct app *a;

	T(0)	a = accepted(l, "mss=1460");
	T(5000)	wire_in(SYN, seq=1000000, mss=1460);	wire_out(ACK, seq=1, ack=1);
	T(5040)	wire_in(RST, seq=1);
		app_recv_error(a, ECONNRESET);
		app_close(a);
	T(6000)	wire_in(SYN, seq=1000000, mss=1460);	wire_out(SYN|ACK, ack=1000001);
	T(6040)	wire_in(ACK, seq=1000001, ack=1);
		state(app_accept(l), ESTAB);
}

/* 5.2: what lies beyond SND.NXT or more than the largest window before SND.UNA is not looked at. */
DIALOGUE(blind_data)
{
	T(0)	connected(c, "mss=1460, win=1000");
	T(100)	app_send(c, 500);				wire_out(PSH|ACK, seq=1);
	T(140)	wire_in(ACK, seq=1, ack=501);
	T(1000)	wire_in(PSH|ACK, seq=1, ack=501-1001, len=10);	wire_out(ACK, seq=501, ack=1);
		dropped(TCP_ACK_OLD, 1);
	T(2000)	wire_in(PSH|ACK, seq=1, ack=502, len=10);	wire_out(ACK, seq=501, ack=1);
		dropped(TCP_ACK_UNSENT, 1);
		app_recv_error(c, EAGAIN);
	T(3000)	wire_in(PSH|ACK, seq=1, ack=501-1000, len=10);	wire_out(ACK, seq=501, ack=11);
		app_recv(c, 10);
}

/* Section 7, and ATTACKS 36: a thousand of each kind, from one who guesses, and few answers. */
DIALOGUE(floods_of_bad_segments_get_few_answers)
{
	static const char *const kinds[] = {
		"RST, seq=100", "SYN, seq=100",
		"PSH|ACK, seq=1, ack=9999, len=5", "PSH|ACK, seq=1, ack=1-2000000, len=5",
		"PSH|ACK, seq=100000000, ack=1, len=5", "ACK, seq=100000000, ack=1",
	};
	uint64_t before;
	double start;

	T(0)	connected(c, "mss=1460");
	for (unsigned k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		start = dlg_now(d) + 1000;
		dlg_skip_until(d, HERE("time"), start);
		before = dlg_counter_value(d, "OutSegs");
		for (unsigned i = 0; i < 1000; i++) {
			wire_inf("%s", kinds[k]);
			dlg_skip_until(d, HERE("a millisecond"), start + i + 1);
		}
		printf("# %llu answers per second to %s\n",
		       (unsigned long long)(dlg_counter_value(d, "OutSegs") - before), kinds[k]);
		check(dlg_counter_value(d, "OutSegs") - before <= 2);
		state(c, ESTAB);
	}
		app_recv_error(c, EAGAIN);
}

/* CVE-2016-5696: what one connection's attacker does is not to be seen on another. */
DIALOGUE(challenges_are_counted_apart)
{
	struct app *other[20];

	T(0)	connected(c, "mss=1460");
	for (unsigned i = 0; i < 20; i++) {
		other[i] = dlg_app(d);
		connected(other[i], "mss=1460");
	}
	T(2000)
	for (unsigned i = 0; i < 2000; i++)
		wire_inf("RST, seq=100, dport=%u", c->lport);
		wire_out(ACK, seq=1, ack=1);
	for (unsigned i = 0; i < 20; i++) {
		wire_inf("RST, seq=100, dport=%u", other[i]->lport);
		wire_out(ACK, seq=1, ack=1);
	}
		counter(TCPChallengeACK, 21);
}

/* ---- TIME-WAIT: RFC 1337, RFC 6191 -------------------------------------------------------------- */

static void to_time_wait(struct dlg *d, struct app *c, const char *options)
{
		dlg_connected(d, HERE("connected"), c, options);
		app_close(c);			wire_out(FIN|ACK, seq=1, ack=1);
		wire_in(FIN|ACK, seq=1, ack=2);	wire_out(ACK, seq=2, ack=2);
		state(c, TIME-WAIT);
}

/* RFC 1337: neither RST nor old data nor a forged FIN shortens it or makes it longer. */
DIALOGUE(time_wait_is_left_alone)
{
	T(0)	to_time_wait(d, c, "mss=1460");
	T(10000) wire_in(RST, seq=2);
		wire_in(RST, seq=1);
		wire_in(RST|ACK, seq=2, ack=2);
		state(c, TIME-WAIT);
	T(20000) wire_in(PSH|ACK, seq=2, ack=2, len=100);	wire_out(ACK, seq=2, ack=2);
	T(30000) wire_in(FIN|ACK, seq=50000, ack=2);		wire_out(ACK, seq=2, ack=2);
	T(60039) state(c, TIME-WAIT);
	T(60041) state(c, CLOSED);
}

/* The peer's FIN again, since our ACK was lost: acknowledged, and 2 MSL begin anew. */
DIALOGUE(time_wait_begins_anew)
{
	T(0)	to_time_wait(d, c, "mss=1460");
	T(30000) wire_in(FIN|ACK, seq=1, ack=2);		wire_out(ACK, seq=2, ack=2);
	T(89999) state(c, TIME-WAIT);
	T(90001) state(c, CLOSED);
}

/* A port that the program has bound: at once, as on Linux. */
DIALOGUE(connect_over_time_wait_from_a_bound_port)
{
	struct glass_end from = { glass_ip4(10, 0, 0, 4), 40000 }, to = { glass_ip4(10, 0, 0, 5), 8080 };
	struct glass_sock *s;

	T(0)	tunable(ip_port_first, 40000);
		tunable(ip_port_last, 40000);
		to_time_wait(d, c, "mss=1460, ts");
	T(100)	s = glass_socket(dlg_stack(d), GLASS_TCP);
		check(!glass_setopt(dlg_stack(d), s, GLASS_OPT_REUSEADDR, 1));
		check(!glass_bind(dlg_stack(d), s, &from));
		check(glass_connect(dlg_stack(d), s, &to) == -EINPROGRESS);
		wire_out(SYN, sport=40000);
		counter(TWRecycled, 1);
		glass_close(dlg_stack(d), s);
}

/* An old FIN by its timestamp is none. */
DIALOGUE(time_wait_and_an_old_fin)
{
	T(0)	app_connect(c, 8080);				wire_out(SYN, ts);
	T(40)	wire_in(SYN|ACK, seq=0, ack=1, mss=1460, tsval=5000);	wire_out(ACK);
		app_close(c);					wire_out(FIN|ACK, seq=1, ack=1);
		wire_in(FIN|ACK, seq=1, ack=2, tsval=6000);	wire_out(ACK, seq=2, ack=2);
	T(30000) wire_in(FIN|ACK, seq=1, ack=2, tsval=5999);	wire_out(ACK, seq=2, ack=2);
		dropped(TCP_PAWS, 1);
	T(60041) state(c, CLOSED);
}

/* RFC 6191: a SYN with a newer timestamp, or the same and a higher number; ours goes on too. */
DIALOGUE(time_wait_and_a_new_syn)
{
	uint32_t old_end;
	struct app *a;

	T(0)	app_listen(l, 8080, 5);
		wire_in(SYN, seq=0, mss=1460, tsval=5000);	wire_out(SYN|ACK);
		wire_in(ACK, seq=1, ack=1, tsval=5000);
		a = app_accept(l);
		app_close(a);					wire_out(FIN|ACK, seq=1);
		old_end = dlg_last(d)->seq + 1;
		wire_in(FIN|ACK, seq=1, ack=2, tsval=6000);	wire_out(ACK, seq=2, ack=2);
	T(1000)	wire_in(SYN, seq=500000, mss=1460, tsval=5999);	wire_out(ACK, ack=2);
	T(2000)	wire_in(SYN, seq=1, mss=1460, tsval=6000);	wire_out(ACK, ack=2);
		state(a, TIME-WAIT);
	T(3000)	wire_in(SYN, seq=1-70000, mss=1460, tsval=6001);	wire_out(SYN|ACK);
		check(dlg_last(d)->seq - old_end == 65537);
		counter(TWRecycled, 1);
		wire_in(ACK, seq=2-70000, ack=1, tsval=6002);
		state(app_accept(l), ESTAB);
}

/* Our own connect: with timestamps a port may be used again after a second, not before. */
DIALOGUE(connect_over_time_wait)
{
	struct app *b = dlg_app(d), *e = dlg_app(d);
	struct glass_end to = { glass_ip4(10, 0, 0, 5), 8080 };
	uint32_t old_end;

	T(0)	tunable(ip_port_first, 40000);
		tunable(ip_port_last, 40000);
		to_time_wait(d, c, "mss=1460, ts");
		old_end = dlg_last(d)->seq;
	T(500)	b->s = glass_socket(dlg_stack(d), GLASS_TCP);
		check(glass_connect(dlg_stack(d), b->s, &to) == -EADDRNOTAVAIL);
		glass_close(dlg_stack(d), b->s);
		b->s = NULL;
	T(1500)	app_connect(e, 8080);				wire_out(SYN);
		check(dlg_last(d)->seq - old_end == 65537);
		check(e->lport == 40000);
		counter(TWRecycled, 1);
}

DIALOGUE(connect_over_time_wait_needs_timestamps)
{
	struct glass_end to = { glass_ip4(10, 0, 0, 5), 8080 };
	struct glass_sock *s;

	T(0)	tunable(ip_port_first, 40000);
		tunable(ip_port_last, 40000);
		to_time_wait(d, c, "mss=1460");
	T(59000) s = glass_socket(dlg_stack(d), GLASS_TCP);
		check(glass_connect(dlg_stack(d), s, &to) == -EADDRNOTAVAIL);
		glass_close(dlg_stack(d), s);
}
