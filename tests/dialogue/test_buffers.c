/* SPDX-License-Identifier: MIT */
/* Both ends' buffers: what follows the path by itself, what SO_RCVBUF and SO_SNDBUF fix, memory
 * pressure. */
#include "dialogue.h"

/* A dialogue is laid out in columns. */
/* clang-format off */

static int64_t option(struct dlg *d, struct app *c, enum glass_opt opt)
{
	int64_t value = -1;

	check(!glass_getopt(dlg_stack(d), c->s, opt, &value));
	return value;
}

/* Segments of 1,000 bytes that the program reads at once, for so many round trips of 40 ms. Answers what was sent. */
static unsigned feed(struct dlg *d, struct app *c, unsigned from, unsigned rounds, unsigned bytes)
{
	for (unsigned r = 0; r < rounds; r++) {
		for (unsigned end = from + bytes; from < end; from += 1000) {
			wire_inf("ACK, seq=%u, ack=1, len=1000", from);
			app_recv(c, 1000);
			wire_skip_all();
		}
		wire_out_until(dlg_now(d) + 40);
	}
	return from;
}

/* The window that is offered doubles as the program reads half of it in a round trip, to the tunable. */
DIALOGUE(receive_window_grows_with_the_reader)
{
	unsigned at = 1;

	T(0)	tunable(tcp_rmem_kb, 1024);
		tunable(tcp_rmem_default_kb, 64);
		connected(c, "mss=1000, ws=7");
		check(option(d, c, GLASS_OPT_RCVBUF) == 65536);
		at = feed(d, c, at, 3, 20000);		/* less than half of it: stays */
		check(option(d, c, GLASS_OPT_RCVBUF) == 65536);
		at = feed(d, c, at, 3, 40000);
		check(option(d, c, GLASS_OPT_RCVBUF) == 131072);
		at = feed(d, c, at, 3, 100000);
		at = feed(d, c, at, 3, 200000);
		check(option(d, c, GLASS_OPT_RCVBUF) == 524288);
		at = feed(d, c, at, 3, 400000);
		at = feed(d, c, at, 3, 600000);
		check(option(d, c, GLASS_OPT_RCVBUF) == 1048576);
		wire_inf("ACK, seq=%u, ack=1, len=1000", at);
		wire_out_within(dlg_now(d), dlg_now(d) + 41, ACK);
		check((dlg_last(d)->win << 5) > 1000000);	/* 1 MB needs a scale of 5 */
		app_recv(c, 1000);
}

/*
 * Queues have filled since the handshake: 30,000 bytes in each 40 ms are 60,000 in a round trip of
 * 80 ms, which the timestamps of the data tell of, and more than half of the window.
 */
DIALOGUE(receive_window_grows_on_a_filling_queue)
{
	unsigned at = 1;

	T(0)	tunable(tcp_rmem_kb, 1024);
		tunable(tcp_rmem_default_kb, 64);
		connected(c, "mss=1000, ws=7, ts");
	for (unsigned i = 0; i < 8; i++) {
		for (unsigned n = 0; n < 30; n++, at += 1000) {
			wire_inf("ACK, seq=%u, ack=1, len=1000, tsval=%u, tsecr=%u", at, 6000 + i,
				 dlg_last(d)->tsval - 80);
			app_recv(c, 1000);
			wire_skip_all();
		}
		wire_out_until(dlg_now(d) + 40);
	}
		check(option(d, c, GLASS_OPT_RCVBUF) == 131072);
}

/* What the program has set stays, and is reported doubled, as on Linux. */
DIALOGUE(set_buffers_stay)
{
	T(0)	tunable(tcp_rmem_default_kb, 64);
		app_setopt(c, OPT_RCVBUF, 50000);
		app_setopt(c, OPT_SNDBUF, 30000);
		connected(c, "mss=1000, ws=7");
		feed(d, c, 1, 5, 90000);
		check(option(d, c, GLASS_OPT_RCVBUF) == 100000);
		check(option(d, c, GLASS_OPT_SNDBUF) == 60000);
}

/* Without being set the send buffer follows cwnd. */
DIALOGUE(send_buffer_grows_with_cwnd)
{
	unsigned sent = 0;

	T(0)	connected(c, "mss=1000, ws=7");
		check(option(d, c, GLASS_OPT_SNDBUF) == 262144);
	T(100)	wire_in(ACK, ack=1, win=65535);
	for (unsigned r = 0; r < 5; r++) {
		app_send(c, 10000u << r);	/* slow start */
		wire_skip_all();
		sent += 10000u << r;
		T(dlg_now(d) + 40)
		wire_inf("ACK, ack=%u, win=65535", 1 + sent);
	}
		check(option(d, c, GLASS_OPT_SNDBUF) > 500000);
}

/* TCP_WINDOW_CLAMP */
DIALOGUE(window_clamp)
{
	T(0)	app_setopt(c, OPT_WINDOW_CLAMP, 3072);
		app_connect(c, 8080);			wire_out(SYN, win=3072);
	T(40)	wire_in(SYN|ACK, seq=0, ack=1, mss=1000);	wire_out(ACK, win=3072);
}

/* Half of the memory is in use by programs that do not read: newcomers are offered a few segments, and can go on. */
DIALOGUE(memory_pressure)
{
	struct app *a[3];
	unsigned win;

	T(0)	tunable(mem_max_mb, 1);
		tunable(tcp_rmem_default_kb, 512);
	for (unsigned i = 0; i < 2; i++) {
		a[i] = dlg_app(d);
		connected(a[i], "mss=1000");
		for (unsigned n = 0; n < 300 && !dlg_counter_value(d, "NO_MEMORY"); n++)
			wire_inf("ACK, seq=%u, ack=1, len=1000", 1 + 1000 * n), wire_skip_all();
		wire_out_until(dlg_now(d) + 200);
	}
		a[2] = dlg_app(d);
	T(1000)	connected(a[2], "mss=1000");
		win = dlg_last(d)->win;
		check(win < 65535);
	for (unsigned n = 0; n < 100; n++) {
		wire_inf("ACK, seq=%u, ack=1, len=1000", 1 + 1000 * n);
		app_recv(a[2], 1000);
		wire_skip_all();
	}
		check(dlg_last(d)->win <= 8000 || dlg_last_ack(d) > 90000);
		state(a[2], ESTAB);
}

/* TCP_NOTSENT_LOWAT: not writable while more than half of it waits to be sent; the ACK that lets it out wakes. */
DIALOGUE(notsent_lowat)
{
	T(0)	app_setopt(c, OPT_NOTSENT_LOWAT, 4000);
		connected(c, "mss=1000, win=10000");
		app_ready(c, GLASS_OUT);
	T(100)	app_send(c, 4000);	wire_skip_all();	/* all of it can go */
		app_send(c, 4000);	wire_skip_all();
		app_send(c, 4000);	wire_skip_all();	/* two segments of it */
		app_send(c, 2000);
		app_send_error(c, EAGAIN);
		c->woke = 0;
		app_ready(c, 0);
	T(140)	wire_in(ACK, ack=3001, win=10000);
		wire_skip_all();			/* three more: one waits */
		app_woke(c, GLASS_OUT);
		app_ready(c, GLASS_OUT);
	T(180)	wire_in(RST, seq=1);
}

/* As Linux: what the socket has of its own, not what the tunable makes of it. */
DIALOGUE(notsent_lowat_that_was_never_set)
{
	T(0)	tunable(tcp_notsent_lowat, 4000);
		connected(c, "mss=1000, win=10000");
		check(option(d, c, GLASS_OPT_NOTSENT_LOWAT) == 0);
	T(100)	app_send(c, 4000);	wire_skip_all();
		app_send(c, 4000);	wire_skip_all();
		app_send(c, 4000);	wire_skip_all();
		app_send(c, 2000);
		app_send_error(c, EAGAIN);		/* but it counts */
		app_setopt(c, OPT_NOTSENT_LOWAT, 8000);
		check(option(d, c, GLASS_OPT_NOTSENT_LOWAT) == 8000);
		app_setopt(c, OPT_NOTSENT_LOWAT, 0);
		check(option(d, c, GLASS_OPT_NOTSENT_LOWAT) == 0);
		wire_skip_all();
	T(180)	wire_in(RST, seq=1);
}

/*
 * What the peer holds beyond a hole is no part of what the program may be ahead of the network by:
 * else the window could not be used until the hole is filled.
 */
DIALOGUE(sacked_bytes_make_room)
{
	int64_t before;

	T(0)	connected(c, "mss=1000, win=60000, sackok");
	T(100)	app_send(c, 10000);
		wire_skip_all();
		before = option(d, c, GLASS_OPT_SNDBUF);
	T(140)	wire_in(ACK, seq=1, ack=1, sack=1001:10001);
		wire_out(RTX, seq=1, len=1000);
		check(option(d, c, GLASS_OPT_SNDBUF) == before + 9000);
	T(180)	wire_in(ACK, seq=1, ack=10001);
		check(option(d, c, GLASS_OPT_SNDBUF) == before);
}

/* Nor does a writer wait for it: a third of the buffer is free, counted without what has arrived. */
DIALOGUE(sacked_bytes_keep_no_writer_waiting)
{
	T(0)	app_setopt(c, OPT_SNDBUF, 10000);	/* doubled */
		connected(c, "mss=1000, win=60000, sackok");
	T(100)	app_send(c, 14000);
		wire_skip_all();
		app_ready(c, 0);
	T(140)	wire_in(ACK, seq=1, ack=1, sack=1001:10001);
		wire_skip_all();
		app_ready(c, GLASS_OUT);
	T(180)	wire_in(RST, seq=1);
}
