/* SPDX-License-Identifier: MIT */
/* The scoreboards of both sides to the byte, and what they must not conclude: RFC 2018, 6675, 6298.
 */
#include "dialogue.h"

/* A dialogue is laid out in columns. */
/* clang-format off */

static struct glass_conn_info info_of(struct dlg *d, struct app *c)
{
	struct glass_conn_info info = { 0 };

	check(!glass_sock_info(dlg_stack(d), c->s, &info));
	return info;
}

static void burst(struct dlg *d, struct app *c, unsigned n)
{
	app_send(c, 1000 * n);
	for (unsigned i = 0; i < n; i++)
		wire_outf("ACK, seq=%u, len=1000", 1 + 1000 * i);
}

/* What a block covers in part has not arrived: a byte that is missing at its end is enough. */
DIALOGUE(block_within_a_segment)
{
	T(0)	connected(c, "mss=1000, sackok");
	T(100)	burst(d, c, 4);
	T(140)	wire_in(ACK, seq=1, ack=1, sack=1001:1500);
		check(info_of(d, c).sacked_segments == 0);
	T(141)	wire_in(ACK, seq=1, ack=1, sack=1001:2000);
		check(info_of(d, c).sacked_segments == 0);
	T(142)	wire_in(ACK, seq=1, ack=1, sack=1002:2001);
		check(info_of(d, c).sacked_segments == 0);
	T(143)	wire_in(ACK, seq=1, ack=1, sack=1001:2001);
		check(info_of(d, c).sacked_segments == 1);
		wire_in(ACK, seq=1, ack=4001);
}

/* Nobody can have what was not sent. */
DIALOGUE(block_of_the_future)
{
	T(0)	connected(c, "mss=1000, sackok");
	T(100)	burst(d, c, 4);
	T(140)	wire_in(ACK, seq=1, ack=1, sack=1001:4002);
		check(info_of(d, c).sacked_segments == 0);
		wire_in(ACK, seq=1, ack=4001);
}

/* RFC 6298 3: an ACK that covers something sent again says nothing of the time. */
DIALOGUE(karn_of_what_waited_behind)
{
	int64_t srtt;

	T(0)	connected(c, "mss=1000");
	T(100)	burst(d, c, 2);
		srtt = info_of(d, c).srtt_ns;
		wire_out_within(300, 400, RTX, seq=1, len=1000);
	T(500)	wire_in(ACK, seq=1, ack=2001);	/* the second segment was never sent again */
		check(info_of(d, c).srtt_ns == srtt);
}

/* Nor does a block. */
DIALOGUE(karn_of_a_block)
{
	int64_t srtt;

	T(0)	connected(c, "mss=1000, sackok");
	T(100)	burst(d, c, 6);
	T(140)	wire_in(ACK, seq=1, ack=1, sack=2001:6001);
		wire_out_within(140, 160, RTX, seq=1, len=1000);
		wire_out(RTX, seq=1001, len=1000);
		srtt = info_of(d, c).srtt_ns;
	T(230)	wire_in(ACK, seq=1, ack=1, sack=1001:6001);	/* the copy of the second one */
		check(info_of(d, c).srtt_ns == srtt);
		wire_skip_all();
		wire_in(ACK, seq=1, ack=6001);
}

/* RFC 9293 3.10.7.4, SND.WL1: a segment that was overtaken does not set the window. */
DIALOGUE(window_of_an_overtaken_segment)
{
	T(0)	connected(c, "mss=1000, win=4000");
	T(100)	wire_in(ACK, seq=101, ack=1, len=100, win=2000);	wire_out(ACK, ack=1);
		check(info_of(d, c).snd_wnd == 2000);
		wire_in(ACK, seq=1, ack=1, len=100, win=4000);		wire_out(ACK, ack=201);
		check(info_of(d, c).snd_wnd == 2000);
}

/* Two blocks with a byte between them are two: the byte has not come. */
DIALOGUE(blocks_with_a_byte_between)
{
	T(0)	connected(c, "mss=1000, sackok");
	T(100)	wire_in(ACK, seq=1001, ack=1, len=100);	wire_out(ACK, ack=1, sack=1001:1101);
		wire_in(ACK, seq=1102, ack=1, len=100);
		wire_out(ACK, ack=1, sack=1102:1202, sack=1001:1101);
		wire_in(ACK, seq=1101, ack=1, len=1);	wire_out(ACK, ack=1, sack=1001:1202);
}

/* RFC 9293 3.8.6.2.2: the edge of a window that is nearly full does not move by crumbs. */
DIALOGUE(no_crumbs_of_window)
{
	uint8_t bytes[100];
	uint32_t edge;

	T(0)	app_setopt(c, OPT_RCVBUF, 4000);
		connected(c, "mss=1000");
	T(100)	wire_in(ACK, seq=1, ack=1, len=1000);	wire_skip_all();
		wire_in(ACK, seq=1001, ack=1, len=1000);	wire_skip_all();
	T(150)	edge = dlg_last_ack(d) + dlg_last(d)->win;
		check(glass_recv(dlg_stack(d), c->s, bytes, 100) == 100);	/* less than a segment */
	T(200)	wire_in(ACK, seq=2001, ack=1, len=10);
		wire_out_until(260);
		check(dlg_last_ack(d) == 2011);
		check(dlg_last_ack(d) + dlg_last(d)->win == edge);
}

/* RFC 9293 3.8.6: what is sent again keeps to the window, too, where it has shrunk. */
DIALOGUE(window_shrinks_over_what_is_lost)
{
	T(0)	connected(c, "mss=1000, win=60000, sackok");
	T(100)	app_send(c, 10000);
	for (unsigned i = 0; i < 10; i++)
		wire_skip();
	T(140)	wire_in(ACK, seq=1, ack=1, win=2000, sack=5001:10001);
		wire_out(RTX, seq=1, len=1000);
		wire_out(RTX, seq=1001, len=1000);
	T(150)	wire_in(ACK, seq=1, ack=2001, win=2500, sack=5001:10001);
		wire_out(RTX, seq=2001, len=1000);
		wire_out(RTX, seq=3001, len=1000);
	T(160)	wire_in(ACK, seq=1, ack=4001, win=60000, sack=5001:10001);
		wire_out(RTX, seq=4001, len=1000);
	T(170)	wire_in(ACK, seq=1, ack=10001);
}
