/* SPDX-License-Identifier: MIT */
/* What is bounded: memory, sockets, connections half open; and what a connection costs. */
#include <stdio.h>

#include "dialogue.h"

/* A dialogue is laid out in columns. */
/* clang-format off */

/*
 * A flood of SYNs ends at the memory's limit, with a reason; the connection that was there lives
 * on.
 */
DIALOGUE(syn_flood_and_memory)
{
	struct glass_memory m;
	struct app *a;

	T(0)	tunable(mem_max_mb, 1);
		tunable(tcp_syncookies, 0);
		tunable(tcp_max_syn_backlog, 1000000);
		tunable(tcp_somaxconn, 1000000);
		app_listen(l, 8080, 65535);
		a = accepted(l, "mss=1460");
	for (unsigned i = 0; i < 7000; i++) {
		wire_inf("SYN, seq=0, sport=%u", 41000 + i);
		wire_skip_all();
	}
		check(dlg_counter_value(d, "NO_MEMORY") > 0);
		glass_memory(dlg_stack(d), &m);
		check(m.bytes <= 1 << 20);
		state(a, ESTAB);
		wire_out_until(200e3);		/* the embryos have been forgotten */
		wire_inf("PSH|ACK, seq=1, ack=1, len=10, sport=40000");
		wire_out(ACK, seq=1, ack=11);
		app_recv(a, 10);
}

/* RFC 4987: what is half open is counted per listener. */
DIALOGUE(syn_backlog)
{
	T(0)	tunable(tcp_max_syn_backlog, 3);
		tunable(tcp_syncookies, 0);
		app_listen(l, 8080, 100);
	for (unsigned i = 0; i < 10; i++) {
		wire_inf("SYN, seq=0, sport=%u", 41000 + i);
		if (i < 3)
			wire_out(SYN|ACK);
	}
		dropped(TCP_SYN_QUEUE, 7);
		counter(TCPReqQFullDrop, 7);
		counter(ListenDrops, 7);
		wire_in(RST, seq=1, sport=41000);
		wire_in(SYN, seq=0, sport=41010);	wire_out(SYN|ACK);
}

DIALOGUE(sockets_are_limited)
{
	struct glass_sock *s[3];

	T(0)	tunable(sock_max, 2);
		s[0] = glass_socket(dlg_stack(d), GLASS_TCP);
		s[1] = glass_socket(dlg_stack(d), GLASS_UDP);
		s[2] = glass_socket(dlg_stack(d), GLASS_TCP);
		check(s[0] && s[1] && !s[2]);
		glass_close(dlg_stack(d), s[0]);
		s[2] = glass_socket(dlg_stack(d), GLASS_TCP);
		check(s[2]);
		glass_close(dlg_stack(d), s[1]);
		glass_close(dlg_stack(d), s[2]);
}

/* TIME-WAIT is bounded: the oldest goes first. */
DIALOGUE(time_wait_is_bounded)
{
	struct app *a[3];

	T(0)	tunable(tcp_max_tw_buckets, 2);
	for (unsigned i = 0; i < 3; i++) {
		a[i] = dlg_app(d);
		connected(a[i], "mss=1460");
		app_close(a[i]);		wire_out(FIN|ACK, seq=1, ack=1);
		wire_in(FIN|ACK, seq=1, ack=2);	wire_out(ACK, ack=2);
	}
		state(a[0], CLOSED);
		state(a[1], TIME-WAIT);
		state(a[2], TIME-WAIT);
}

/* An idle connection with its socket; the limit is a promise of the documentation. */
DIALOGUE(bytes_per_idle_connection)
{
	struct glass_memory before, after;
	struct app *a;
	unsigned n = 1000;

	T(0)	app_listen(l, 8080, 10);
		glass_memory(dlg_stack(d), &before);
	for (unsigned i = 0; i < n; i++) {
		wire_inf("SYN, seq=0, mss=1460, sport=%u", 20000 + i);	wire_skip_all();
		wire_in(ACK, seq=1, ack=1);
		a = app_accept(l);
		state(a, ESTAB);
	}
		glass_memory(dlg_stack(d), &after);
		printf("# %llu bytes per idle connection\n", (unsigned long long)(after.bytes - before.bytes) / n);
		check((after.bytes - before.bytes) / n < 960);
}

/*
 * The device's MTU becomes smaller under a connection: what is sent now fits, and what was lost
 * is sent again.
 */
DIALOGUE(mtu_of_the_device_shrinks)
{
	T(0)	connected(c, "mss=1460");
	T(100)	app_send(c, 1460);		wire_out(PSH|ACK, seq=1, len=1460);
	T(110)	check(!glass_dev_set_mtu(dlg_stack(d), dlg_dev(d), 1000));
		wire_skip_all();		/* may be sent again at once */
	T(140)	wire_in(ACK, seq=1, ack=1461);
	T(200)	app_send(c, 1460);
		wire_out(ACK, seq=1461, len=960);
		wire_out(PSH|ACK, seq=2421, len=500);
	T(240)	wire_in(ACK, ack=2921);
}
