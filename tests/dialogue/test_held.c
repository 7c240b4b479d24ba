/* SPDX-License-Identifier: MIT */
/*
 * The limits of buffers and windows count bytes. What those bytes cost in memory has a measure too,
 * however a program cuts its writes, and a peer its segments.
 */
#include "dialogue.h"

#include "../../src/stack/tcp.h"

/* A dialogue is laid out in columns. */
/* clang-format off */

#define PACKET_BYTES 8192	/* packets and what a connection has on demand, beside the bytes */

static unsigned long long memory_now(struct dlg *d)
{
	struct glass_memory m;

	glass_memory(dlg_stack(d), &m);
	return m.bytes;
}

/* Writes of n bytes, which a closed window keeps. */
static void write_and_hold(struct dlg *d, unsigned n)
{
	unsigned long long before;
	unsigned written = 0;
	struct app *a = dlg_app(d);

	connected(a, "mss=1000");
	wire_in(ACK, seq=1, ack=1, win=0);
	app_setopt(a, OPT_SNDBUF, 1000000);
	before = memory_now(d);
	for (; written + n <= 400000; written += n)
		app_send(a, n);
	check(memory_now(d) < before + 2 * written + 2 * written / 16 + BUF_BIG_BYTES);
	app_abort(a);
	wire_skip_all();
}

DIALOGUE(what_writes_hold)
{
	static const unsigned sizes[] = { 100, 2047, 4097, 8192, 8193, 9000, 17000, 34815, 34816, 65000 };

	for (unsigned i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		write_and_hold(d, sizes[i]);
}

/* A program's end said that more waits than came: what was made ready for it does not stay. */
DIALOGUE(less_came_than_waited)
{
	unsigned long long before;
	size_t room;

	T(0)	connected(c, "mss=1000");
		wire_in(ACK, seq=1, ack=1, win=0);
		app_setopt(c, OPT_SNDBUF, 1000000);
		before = memory_now(d);
	for (unsigned i = 0; i < 20; i++) {
		check(glass_send_reserve(dlg_stack(d), c->s, 65000, &room) && room == 65000);
		glass_send_commit(dlg_stack(d), c->s, 9000);
	}
		check(memory_now(d) < before + 2 * 20 * 9000 + BUF_BIG_BYTES);
		app_abort(c);	wire_skip_all();
}

/* Bytes that leave one by one: what is kept of each frame that is out has a limit too. */
DIALOGUE(what_is_out_byte_by_byte)
{
	unsigned long long before;
	unsigned n = 0;

	T(0)	app_setopt(c, OPT_NODELAY, 1);
		app_setopt(c, OPT_SNDBUF, 50000);	/* doubled */
		connected(c, "mss=1000, win=60000");
		before = memory_now(d);
	for (; glass_ready(dlg_stack(d), c->s) & GLASS_OUT && n < 9000; n++) {
		app_send(c, 1);
		wire_skip();
	}
		check(n > 100 && n < 1000);
		check(memory_now(d) < before + 2 * 100000);
		c->woke = 0;
	T(100)	wire_inf("ACK, ack=%u", n + 1);
		app_woke(c, GLASS_OUT);
		app_ready(c, GLASS_OUT);
		app_abort(c);	wire_skip_all();
}

/* Records of a byte each share a buffer, also in a stack that has been taken over. */
DIALOGUE(what_records_hold)
{
	unsigned long long before;

	T(0)	connected(c, "mss=1000");
		wire_in(ACK, seq=1, ack=1, win=0);
		before = memory_now(d);
	for (unsigned i = 0; i < 100; i++)
		app_send_flags(c, 1, GLASS_EOR);
	T(100)	check(memory_now(d) < before + 100 * 100 + 2 * TCP_CHUNK_BYTES);
		wire_in(ACK, seq=1, ack=1, win=60000);
	for (unsigned i = 1; i <= 10; i++)
		wire_outf("PSH|ACK, seq=%u, len=1", i);
		app_abort(c);	wire_skip_all();
}

/* A lone write, small against the largest there is, holds what it has. */
DIALOGUE(a_lone_write)
{
	unsigned long long before;

	T(0)	connected(c, "mss=1000");
		wire_in(ACK, seq=1, ack=1, win=0);
		before = memory_now(d);
		app_send(c, 9000);
		check(memory_now(d) < before + 9000 + 500);
		app_abort(c);	wire_skip_all();
}

/* Segments of these sizes in turn, in order, to a program that does not read. */
static void receive_and_hold(struct dlg *d, unsigned first, unsigned second)
{
	unsigned long long before;
	unsigned at = 1, n = first;
	struct app *a = dlg_app(d);

	connected(a, "mss=1460, ws=7");
	before = memory_now(d);
	for (; at + n < 60000; n = n == first ? second : first) {
		wire_inf("ACK, seq=%u, ack=1, len=%u", at, n);
		wire_skip_all();
		at += n;
	}
	check(memory_now(d) < before + 2 * at + at / 2 + PACKET_BYTES);
	app_recv(a, at - 1);
	app_abort(a);
	wire_skip_all();
}

DIALOGUE(what_unread_segments_hold)
{
	tunable(tcp_rmem_default_kb, 256);
	receive_and_hold(d, 1, 1);
	receive_and_hold(d, 81, 81);
	receive_and_hold(d, 161, 161);
	receive_and_hold(d, 1, 161);
	receive_and_hold(d, 590, 590);
	receive_and_hold(d, 1400, 1400);
	receive_and_hold(d, 1, 1400);
}

/*
 * Segments beyond a hole, each of which begins a little before the last and ends where that ended:
 * no byte is kept twice, and each that was there first stays what it was.
 */
DIALOGUE(overlaps_beyond_a_hole)
{
	unsigned long long before, most = 0;

	T(0)	connected(c, "mss=1460, sackok");
		before = memory_now(d);
	for (unsigned start = 1401; start > 1; start -= 10) {
		wire_inf("ACK, seq=%u, ack=1, len=%u", start, 1461 - start);
		wire_skip_all();
		if (memory_now(d) > most)
			most = memory_now(d);
	}
		check(most < before + PACKET_BYTES);
	T(110)	wire_inf("ACK, seq=1, ack=1, len=10");
		wire_out(ACK, ack=1461);
		app_recv(c, 1460);
}

/* The same where only a part is covered: it is cut, and the rest is there when the hole is filled. */
DIALOGUE(a_part_is_covered_beyond_a_hole)
{
	T(0)	connected(c, "mss=1460, sackok");
	T(110)	wire_in(ACK, seq=2001, ack=1, len=1000);	wire_out(ACK, ack=1, sack=2001:3001);
	T(120)	wire_in(ACK, seq=3001, ack=1, len=1000);	wire_out(ACK, ack=1, sack=2001:4001);
	T(130)	wire_in(ACK, seq=1501, ack=1, len=1000);	wire_out(ACK, ack=1, sack=1501:4001);
	T(140)	wire_in(ACK, seq=1001, ack=1, len=1400);	wire_out(ACK, ack=1, sack=1001:4001);
	T(150)	wire_in(ACK, seq=1, ack=1, len=1000);		wire_out(ACK, ack=4001);
		app_recv(c, 4000);
}
