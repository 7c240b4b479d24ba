/* SPDX-License-Identifier: MIT */
/* ICMP errors and connections: RFC 9293 3.9.2.2, RFC 5927, RFC 1191. */
#include "dialogue.h"

/* A dialogue is laid out in columns. */
/* clang-format off */

DIALOGUE(port_unreachable_during_connect)
{
	T(0)	app_connect(c, 8080);	wire_out(SYN, seq=0);
	T(10)	wire_in(ICMP, type=3, code=3);
		app_woke(c, GLASS_ERR | GLASS_HUP);
		app_error(c, ECONNREFUSED);
}

DIALOGUE(host_unreachable_during_connect)
{
	T(0)	app_connect(c, 8080);	wire_out(SYN, seq=0);
	T(10)	wire_in(ICMP, type=3, code=1);
		app_error(c, EHOSTUNREACH);
}

DIALOGUE(net_unreachable_during_connect)
{
	T(0)	app_connect(c, 8080);	wire_out(SYN, seq=0);
	T(10)	wire_in(ICMP, type=3, code=0);
		app_error(c, ENETUNREACH);
}

DIALOGUE(protocol_unreachable_during_connect)
{
	T(0)	app_connect(c, 8080);	wire_out(SYN, seq=0);
	T(10)	wire_in(ICMP, type=3, code=2);
		app_woke(c, GLASS_ERR | GLASS_HUP);
		app_error(c, ENOPROTOOPT);
		app_error(c, 0);
}

/* RFC 5927 4.1: who forges one must know our sequence number. */
DIALOGUE(forged_error_is_ignored)
{
	T(0)	app_connect(c, 8080);	wire_out(SYN, seq=0);
	T(10)	wire_in(ICMP, type=3, code=3, badseq);
		dropped(ICMP_QUOTE_SEQ, 1);
		state(c, SYN-SENT);
	T(20)	wire_in(SYN|ACK, seq=0, ack=1, mss=1460);	wire_out(ACK);
}

/* MUST-54..56: on an established connection it is kept, and told only when that fails. */
DIALOGUE(soft_error_on_established)
{
	T(0)	tunable(tcp_retries2, 2);
		connected(c, "mss=1460");
	T(100)	app_send(c, 100);	wire_out(PSH|ACK, seq=1);
	T(110)	wire_in(ICMP, type=3, code=1);
		state(c, ESTAB);
		app_error(c, 0);
	T(340)	wire_out(RTX, seq=1);
	T(820)	wire_out(RTX, seq=1);
	T(1780)	app_error(c, EHOSTUNREACH);
}

/* The path comes back: the soft error is forgotten. */
DIALOGUE(soft_error_is_forgotten)
{
	T(0)	connected(c, "mss=1460");
	T(100)	app_send(c, 100);	wire_out(PSH|ACK, seq=1);
	T(110)	wire_in(ICMP, type=11, code=0);
	T(340)	wire_out(RTX, seq=1);
	T(380)	wire_in(ACK, ack=101);
		app_error(c, 0);
		state(c, ESTAB);
}

/* MUST-55, RFC 6633 */
DIALOGUE(source_quench_is_ignored)
{
	struct glass_conn_info before, after;

	T(0)	connected(c, "mss=1460");
	T(100)	app_send(c, 100);	wire_out(PSH|ACK, seq=1);
		check(!glass_sock_info(dlg_stack(d), c->s, &before));
	T(110)	wire_in(ICMP, type=4, code=0);
		check(!glass_sock_info(dlg_stack(d), c->s, &after));
		check(before.cwnd_segments == after.cwnd_segments);
	T(140)	wire_in(ACK, ack=101);
}

/* RFC 1191: smaller segments, at once. */
DIALOGUE(fragmentation_needed)
{
	T(0)	connected(c, "mss=1460");
	T(100)	app_send(c, 1460);	wire_out(PSH|ACK, seq=1, len=1460, df);
	T(110)	wire_in(ICMP, type=3, code=4, mtu=1000);
		wire_out(RTX, seq=1, len=960);
		wire_out(PSH|ACK, seq=961, len=500);
	T(150)	wire_in(ACK, ack=1461);
	T(200)	app_send(c, 960);	wire_out(PSH|ACK, seq=1461, len=960);
	T(240)	wire_in(ACK, ack=2421);
}

/* A path MTU below the least, or larger than before, is a lie. */
DIALOGUE(fragmentation_needed_with_a_silly_mtu)
{
	struct glass_conn_info info;

	T(0)	connected(c, "mss=1460");
	T(100)	app_send(c, 1460);	wire_out(PSH|ACK, seq=1, len=1460);
	T(110)	wire_in(ICMP, type=3, code=4, mtu=9000);
		check(!glass_sock_info(dlg_stack(d), c->s, &info));
		check(info.mss == 1460);
	T(140)	wire_in(ACK, ack=1461);
}
