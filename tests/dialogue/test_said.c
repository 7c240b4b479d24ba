/* SPDX-License-Identifier: MIT */
/* What send(2) says of bytes beside what they are: MSG_MORE, MSG_EOR, and what is to be told. */
#include "dlg.h"

/* A dialogue is laid out in columns. */
/* clang-format off */

/* What does not fill a segment waits for 200 ms, whatever TCP_NODELAY says. */
DIALOGUE(more_waits)
{
	T(0)	connected(c, "mss=1000");
		app_setopt(c, OPT_NODELAY, 1);
	T(100)	app_send_flags(c, 40, GLASS_MORE);
	T(300)	wire_out(PSH|ACK, seq=1, len=40);
	T(340)	wire_in(ACK, seq=1, ack=41);
	T(400)	app_send_flags(c, 1040, GLASS_MORE);	wire_out(ACK, nopsh, seq=41, len=1000);
	T(440)	app_send_flags(c, 960, GLASS_MORE);	wire_out(ACK, nopsh, seq=1041, len=1000);
	T(480)	wire_in(ACK, seq=1, ack=2041);
}

/* The next write without it takes along what waits. */
DIALOGUE(more_has_come)
{
	T(0)	connected(c, "mss=1000");
	T(100)	app_send_flags(c, 40, GLASS_MORE);
	T(150)	app_send_flags(c, 60, GLASS_MORE);
	T(200)	app_send(c, 5);			wire_out(PSH|ACK, seq=1, len=105);
	T(240)	wire_in(ACK, seq=1, ack=106);
}

/* So does an ACK, unless Nagle's algorithm waits for all that is out; MUST-61: no PSH, more follows. */
DIALOGUE(more_and_an_ack)
{
	T(0)	connected(c, "mss=1000");
		app_setopt(c, OPT_NODELAY, 1);
	T(100)	app_send_flags(c, 2100, GLASS_MORE);
		wire_out(ACK, seq=1, len=1000);		wire_out(ACK, seq=1001, len=1000);
	T(140)	wire_in(ACK, seq=1, ack=1001);		wire_out(ACK, nopsh, seq=2001, len=100);
	T(150)	app_send_flags(c, 10, GLASS_MORE);
	T(180)	wire_in(ACK, seq=1, ack=2101);		wire_out(ACK, nopsh, seq=2101, len=10);
	T(220)	wire_in(ACK, seq=1, ack=2111);
}

/* tcp(7): TCP_NODELAY, set anew, lets it out; so does TCP_CORK's end. */
DIALOGUE(more_is_overruled)
{
	T(0)	connected(c, "mss=1000");
	T(100)	app_send_flags(c, 40, GLASS_MORE);
	T(150)	app_setopt(c, OPT_NODELAY, 1);		wire_out(ACK, nopsh, seq=1, len=40);
	T(190)	wire_in(ACK, seq=1, ack=41);
	T(200)	app_setopt(c, OPT_CORK, 1);		app_send_flags(c, 7, GLASS_MORE);
	T(250)	app_setopt(c, OPT_CORK, 0);		wire_out(ACK, nopsh, seq=41, len=7);
	T(290)	wire_in(ACK, seq=1, ack=48);
}

/* The end of a record is the end of a segment, and is pushed; what waits behind it makes it no tail. */
DIALOGUE(records_share_no_segment)
{
	T(0)	connected(c, "mss=1000");
	T(100)	wire_hold();		app_send(c, 100);	app_send_flags(c, 200, GLASS_EOR);
		app_send_flags(c, 1400, GLASS_EOR);		app_send(c, 300);
		wire_release();
		wire_out(PSH|ACK, seq=1, len=300);		wire_out(ACK, seq=301, len=1000);
		wire_out(PSH|ACK, seq=1301, len=400);
	T(140)	wire_in(ACK, seq=1, ack=1701);			wire_out(PSH|ACK, seq=1701, len=300);
	T(180)	wire_in(ACK, seq=1, ack=2001);
}

/* They stay apart when they are sent again. */
DIALOGUE(records_again)
{
	T(0)	connected(c, "mss=1000, sackok");
		app_setopt(c, OPT_NODELAY, 1);
	T(100)	wire_hold();
	for (int i = 0; i < 6; i++)
		app_send_flags(c, 100, GLASS_EOR);
		wire_release();
	for (int i = 0; i < 6; i++)
		wire_outf("PSH|ACK, seq=%d, len=100", 1 + 100 * i);
	T(140)	wire_in(ACK, seq=1, ack=1, sack=301:601);
		wire_out(RTX, seq=1, len=100);
	T(180)	wire_in(ACK, seq=1, ack=101, sack=301:601);
		wire_out(RTX, seq=101, len=100);		wire_out(RTX, seq=201, len=100);
	T(220)	wire_in(ACK, seq=1, ack=601);
}

/* Only when all of the bytes were taken do they end a record. */
DIALOGUE(no_record_of_a_part)
{
	uint8_t bytes[6000];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = dlg_pattern(1, i);
	T(0)	connected(c, "mss=1000");
		app_setopt(c, OPT_SNDBUF, 2304);
		app_setopt(c, OPT_CORK, 1);
	T(100)	check(glass_send_flags(dlg_stack(d), c->s, bytes, sizeof(bytes), GLASS_EOR) == 4608);
		c->sent = 4608;
		for (int i = 0; i < 4; i++)
			wire_outf("ACK, seq=%d, len=1000", 1 + 1000 * i);
	T(140)	wire_in(ACK, seq=1, ack=4001);
	T(150)	app_send_flags(c, 392, GLASS_EOR);		wire_out(ACK, seq=4001, len=1000);
	T(190)	wire_in(ACK, seq=1, ack=5001);
}

/* ---- how much a write takes ------------------------------------------------------------------ */

static int64_t write_all(struct dlg *d, struct app *c)
{
	uint8_t bytes[60000];
	int64_t n;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = dlg_pattern(1, c->sent + i);
	n = glass_send(dlg_stack(d), c->s, bytes, sizeof(bytes));
	c->sent += n > 0 ? (uint64_t)n : 0;
	return n;
}

/*
 * As Linux: of what cannot go at once (ten segments can) a write takes whole frames, which are half of
 * the peer's window; the limit is reached within the last one.
 */
DIALOGUE(write_ends_with_a_frame)
{
	T(0)	connected(c, "mss=1000, win=32500");
		app_setopt(c, OPT_SNDBUF, 15000);
	T(100)	wire_hold();
		check(write_all(d, c) == 10000 + 2 * 16000);
		check(write_all(d, c) == -EAGAIN);
		wire_release();
		wire_skip_all();
	T(140)	wire_in(ACK, seq=1, ack=10001);
		wire_skip_all();
		app_ready(c, 0);
	T(180)	wire_in(ACK, seq=1, ack=30001);
		wire_skip_all();
		app_ready(c, GLASS_OUT);
}

/* A buffer that is smaller than what can go at once is taken at its word. */
DIALOGUE(write_into_a_small_buffer)
{
	T(0)	connected(c, "mss=1000, win=32500");
		app_setopt(c, OPT_SNDBUF, 4000);
	T(100)	check(write_all(d, c) == 8000);
		wire_skip_all();
}

/* TCP_NOTSENT_LOWAT: what can go at once is as good as sent. */
DIALOGUE(lowat_and_a_write)
{
	T(0)	connected(c, "mss=1000, win=32500");
		app_setopt(c, OPT_NOTSENT_LOWAT, 4000);
	T(100)	check(write_all(d, c) == 10000 + 16000);
		wire_skip_all();
		check(write_all(d, c) == -EAGAIN);
	T(140)	wire_in(ACK, seq=1, ack=6001);			/* cwnd 16: 12 more */
		wire_skip_all();
		app_ready(c, 0);
	T(180)	wire_in(ACK, seq=1, ack=16001);
		wire_skip_all();
		app_ready(c, GLASS_OUT);
}

/* ---- what is to be told ---------------------------------------------------------------------- */

static void told(struct dlg *d, struct app *c, unsigned kind, uint32_t first, uint32_t last, double ms)
{
	int64_t due_ns = d->now - (int64_t)((dlg_now(d) - ms) * 1e6);
	struct glass_note note = { 0 };

	check(glass_note_take(dlg_stack(d), c->s, &note));
	check(note.kind == kind);
	check(note.first == first && note.last == last);
	check(note.time_ns > due_ns - 1000 && note.time_ns < due_ns + 1000);
}

static void nothing_told(struct dlg *d, struct app *c)
{
	struct glass_note note;

	check(!glass_note_take(dlg_stack(d), c->s, &note));
}

/* MSG_ZEROCOPY: each send has a number, and those that wait are told together. */
DIALOGUE(copied)
{
	struct glass_sock *closed = glass_socket(dlg_stack(d), GLASS_TCP);
	struct glass_note note;

	check(glass_send_flags(dlg_stack(d), closed, "", 1, GLASS_TELL_COPIED) == -EPIPE);
	check(!glass_note_take(dlg_stack(d), closed, &note));
	glass_close(dlg_stack(d), closed);
	T(0)	connected(c, "mss=1000");
		nothing_told(d, c);
	T(100)	app_send_flags(c, 100, GLASS_TELL_COPIED);	wire_out(PSH|ACK, seq=1, len=100);
		app_woke(c, GLASS_OUT | GLASS_ERR);
		app_error(c, 0);
	T(140)	wire_in(ACK, seq=1, ack=101);
	T(150)	app_send_flags(c, 100, GLASS_TELL_COPIED);	wire_out(PSH|ACK, seq=101, len=100);
		app_ready(c, GLASS_OUT | GLASS_ERR);
		told(d, c, GLASS_TELL_COPIED, 0, 1, 150);
		app_ready(c, GLASS_OUT);
		nothing_told(d, c);
	T(190)	wire_in(ACK, seq=1, ack=201);
	T(200)	app_send_flags(c, 100, GLASS_TELL_COPIED);	wire_out(PSH|ACK, seq=201, len=100);
		told(d, c, GLASS_TELL_COPIED, 2, 2, 200);
	T(240)	wire_in(ACK, seq=1, ack=301);
}

/* SO_TIMESTAMPING: of the last byte, when it went, and when its ACK came; not those of a part. */
DIALOGUE(times)
{
	unsigned all = GLASS_TELL_QUEUED | GLASS_TELL_SENT | GLASS_TELL_ACKED;

	T(0)	connected(c, "mss=1000, win=1500");
	T(100)	app_send_flags(c, 1800, all);			wire_out(ACK, seq=1, len=1000);
		nothing_told(d, c);
	T(140)	wire_in(ACK, seq=1, ack=1001, win=1500);	wire_out(PSH|ACK, seq=1001, len=800);
		told(d, c, GLASS_TELL_QUEUED, 1799, 1799, 140);
		told(d, c, GLASS_TELL_SENT, 1799, 1799, 140);
		nothing_told(d, c);
	T(150)	wire_in(ACK, seq=1, ack=1701, win=1500);
		nothing_told(d, c);
	T(180)	wire_in(ACK, seq=1, ack=1801, win=1500);
		app_ready(c, GLASS_OUT | GLASS_ERR);
	T(190)	told(d, c, GLASS_TELL_ACKED, 1799, 1799, 180);
		app_ready(c, GLASS_OUT);
}

/* One that nobody takes holds only so much; the connection ends with marks in it. */
DIALOGUE(notes_are_bounded)
{
	struct glass_note note;
	unsigned n = 0;

	T(0)	connected(c, "mss=1000, win=60000");
		app_setopt(c, OPT_NODELAY, 1);
	T(100)	for (unsigned i = 0; i < 400; i++)
			app_send_flags(c, 1, GLASS_TELL_SENT);
		wire_skip_all();
	T(140)	wire_in(ACK, seq=1, ack=11);
		wire_skip_all();
		while (glass_note_take(dlg_stack(d), c->s, &note))
			n++;
		check(n > 0 && n <= 256);
	T(150)	app_send_flags(c, 1, GLASS_TELL_ACKED);
		wire_skip_all();
		app_abort(c);
		wire_out(RST|ACK);
}

/* ---- one direction --------------------------------------------------------------------------- */

/* As on Linux what comes after SHUT_RD is acknowledged and can be read; with nothing there it is the end. */
DIALOGUE(shut_rd_may_read)
{
	T(0)	connected(c, "mss=1000");
	T(100)	app_shutdown(c, GLASS_SHUT_RD);
		app_recv_eof(c);
	T(200)	wire_in(PSH|ACK, seq=1, ack=1, len=500);	wire_out(ACK, seq=1, ack=501);
		app_recv(c, 500);
		app_recv_eof(c);
	T(300)	app_send(c, 10);				wire_out(PSH|ACK, seq=1, len=10);
	T(340)	wire_in(ACK, seq=501, ack=11);
		app_close(c);					wire_out(FIN|ACK, seq=11);
}

/* Both directions: nobody will read, and the peer is told so. The socket lives on. */
DIALOGUE(shut_rdwr_refuses)
{
	T(0)	connected(c, "mss=1000");
	T(90)	wire_in(PSH|ACK, seq=1, ack=1, len=5);		wire_out(ACK, seq=1, ack=6);
	T(100)	app_shutdown(c, GLASS_SHUT_RDWR);		wire_out(FIN|ACK, seq=1);
	T(140)	wire_in(ACK, seq=6, ack=2);
		state(c, FIN-WAIT-2);
		app_recv(c, 5);
		app_recv_eof(c);
	T(200)	wire_in(PSH|ACK, seq=6, ack=2, len=500);	wire_out(RST|ACK, seq=2);
		app_recv_error(c, ECONNRESET);
}

/*
 * A FIN that was sent again and again has not arrived: a RST behind it would be questioned (RFC 5961
 * 3.2). It has the number that the peer waits for, which is what it acknowledges.
 */
DIALOGUE(rst_of_a_fin_that_is_lost)
{
	T(0)	connected(c, "mss=1000");
	T(100)	app_close(c);		wire_out(FIN|ACK, seq=1);
		wire_out_until(2000);
		wire_in(PSH|ACK, seq=1, ack=1, len=1);
		wire_out(RST, seq=1);
		check(!(dlg_last(d)->flags & 16));
		state(c, CLOSED);
}
