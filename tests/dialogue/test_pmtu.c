/* SPDX-License-Identifier: MIT */
/* Path MTU without help: black holes, and the search for what passes (RFC 4821, T80). */
#include "dialogue.h"

#include "../../src/stack/stack.h"

/* A dialogue is laid out in columns. */
/* clang-format off */

/* Full segments vanish and nobody says why: after the second timeout they are smaller, and all arrives. */
DIALOGUE(black_hole_is_found)
{
	T(0)	connected(c, "mss=1460");
	T(100)	app_send(c, 2920);		wire_skip(); wire_skip();
	T(340)	wire_out(RTX, seq=1, len=1460);
	T(820)	wire_out(RTX, seq=1, len=1024);
	T(860)	wire_in(ACK, ack=1025);
		wire_out(RTX, seq=1025, len=436);
		wire_out(RTX, seq=1461, len=1024);
	T(900)	wire_in(ACK, ack=2485);		wire_out(RTX, seq=2485, len=436);
	T(940)	wire_in(ACK, ack=2921);
	T(1000)	app_send(c, 1500);		wire_out(ACK, len=1024); wire_out(PSH|ACK, len=476);
	T(1040)	wire_in(ACK, ack=4421);
}

DIALOGUE(no_probing_no_shrinking)
{
	T(0)	tunable(tcp_mtu_probing, 0);
		connected(c, "mss=1460");
	T(100)	app_send(c, 1460);		wire_skip();
	T(340)	wire_out(RTX, seq=1, len=1460);
	T(820)	wire_out(RTX, seq=1, len=1460);
	T(860)	wire_in(ACK, ack=1461);
}

/* Small segments that vanish tell nothing of sizes; nor does a path that has carried full ones, at once. */
DIALOGUE(loss_is_no_black_hole)
{
	T(0)	connected(c, "mss=1460");
	T(100)	app_send(c, 1460);		wire_skip();
	T(140)	wire_in(ACK, ack=1461);
	T(200)	app_send(c, 1460);		wire_skip();
	T(440)	wire_out(RTX, seq=1461, len=1460);
		wire_out_within(800, 1000, RTX, seq=1461, len=1460);
		wire_out_within(1500, 2000, RTX, seq=1461, len=1460);
		wire_out_within(3000, 4000, RTX, seq=1461, len=1024);	/* the fourth */
	T(4100)	wire_in(ACK, ack=2921);
}

/* The search: half way between what passes and what may not; a probe that is lost is no sign of congestion. */
DIALOGUE(search_and_a_lost_probe)
{
	struct glass_tcp_info before, after;
	unsigned at, end;

	T(0)	tunable(tcp_mtu_probing, 2);
		connected(c, "mss=1460, sackok, ws=7");
		wire_in(ACK, ack=1, win=60000);
	T(100)	app_send(c, 10240);
		wire_out(ACK, seq=1, len=1024);
		wire_out(ACK, seq=1025, len=1242);	/* (1064 + 1500) / 2 - 40 */
		wire_out(ACK, seq=2267, len=1024);
		wire_skip_all();
	T(140)	wire_in(ACK, ack=10241);
		counter(TCPMTUPSuccess, 1);
		at = 10241;
		app_send(c, 60000);
		wire_out(ACK, seq=10241, len=1351);	/* (1282 + 1500) / 2 - 40 */
		wire_out(ACK, seq=11592, len=1242);
		wire_skip_all();
		end = dlg_last_seq(d) + (unsigned)dlg_last(d)->len;
		glass_tcp_info(dlg_stack(d), c->s, &before);
	T(190)	wire_inf("ACK, ack=%u, sack=%u:%u", at, at + 1351, end);
		wire_outf("RTX, seq=%u, len=1242", at);
		wire_skip_all();
		counter(TCPMTUPFail, 1);
		end = dlg_last_seq(d) + (unsigned)dlg_last(d)->len;
	T(230)	wire_inf("ACK, ack=%u", end);
		wire_skip_all();
		glass_tcp_info(dlg_stack(d), c->s, &after);
		check(after.pmtu == 1282 && after.ca_state == 0);
		check(after.snd_cwnd >= before.snd_cwnd);
		check(after.snd_cwnd <= 2 * before.snd_cwnd);	/* what was out has arrived once */
}

/*
 * What is sent again in smaller segments is a frame of smaller segments: what the peer has of it is known by their
 * edges, not by those of before.
 */
DIALOGUE(sent_again_smaller)
{
	T(0)	dlg_stack(d)->dev[dlg_dev(d)].setup.offload |= GLASS_OFFLOAD_TSO;
		connected(c, "mss=1460, sackok, win=60000");
	T(100)	app_send(c, 14600);
		wire_skip_all();
	T(110)	wire_in(ICMP, type=3, code=4, mtu=1040);
		wire_out(RTX, seq=1, len=2000);			/* two segments; the first is lost */
		wire_skip_all();
	T(150)	wire_in(ACK, seq=1, ack=1, sack=1001:13681);
		wire_out(RTX, seq=1, len=1000);
		wire_skip_all();
		app_abort(c);	wire_skip_all();
}
