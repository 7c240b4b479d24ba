/* SPDX-License-Identifier: MIT */
/* TCP_INFO: Linux's layout, and values that are true. */
#include <linux/tcp.h>
#include <stddef.h>

#include "dialogue.h"

/* A dialogue is laid out in columns. */
/* clang-format off */

#define SAME(ours, linux) \
	_Static_assert(offsetof(struct glass_tcp_info, ours) == offsetof(struct tcp_info, tcpi_##linux), #linux)
SAME(state, state);
SAME(options, options);
SAME(rto_us, rto);
SAME(ato_us, ato);
SAME(rcv_mss, rcv_mss);
SAME(unacked, unacked);
SAME(fackets, fackets);
SAME(last_data_sent_ms, last_data_sent);
SAME(last_ack_recv_ms, last_ack_recv);
SAME(pmtu, pmtu);
SAME(rcv_ssthresh, rcv_ssthresh);
SAME(rtt_us, rtt);
SAME(snd_cwnd, snd_cwnd);
SAME(reordering, reordering);
SAME(rcv_space, rcv_space);
SAME(total_retrans, total_retrans);
SAME(pacing_rate, pacing_rate);
SAME(bytes_received, bytes_received);
SAME(segs_in, segs_in);
SAME(notsent_bytes, notsent_bytes);
SAME(min_rtt_us, min_rtt);
SAME(data_segs_out, data_segs_out);
SAME(delivery_rate, delivery_rate);
SAME(busy_time_us, busy_time);
SAME(sndbuf_limited_us, sndbuf_limited);
SAME(delivered_ce, delivered_ce);
SAME(bytes_retrans, bytes_retrans);
SAME(dsack_dups, dsack_dups);
SAME(rcv_ooopack, rcv_ooopack);
SAME(snd_wnd, snd_wnd);
/* What the headers here do not have yet: Linux 6.7. */
_Static_assert(offsetof(struct glass_tcp_info, rcv_wnd) == 232, "rcv_wnd");
_Static_assert(offsetof(struct glass_tcp_info, total_rto) == 240, "total_rto");
_Static_assert(sizeof(struct glass_tcp_info) == 248, "as Linux 6.7");

static struct glass_tcp_info info_of(struct dlg *d, struct app *c)
{
	struct glass_tcp_info t;

	glass_tcp_info(dlg_stack(d), c->s, &t);
	return t;
}

DIALOGUE(info_of_an_exchange)
{
	struct glass_tcp_info t;

	T(0)	connected(c, "mss=1000, ws=7");
		t = info_of(d, c);
		check(t.state == 1 && t.ca_state == 0 && t.snd_cwnd == 10);
		check(t.options == GLASS_TCPI_WSCALE && t.wscale == (7 | 7 << 4));
		check(t.snd_ssthresh == 0x7fffffff && t.reordering == 3 && t.pmtu == 1500);
		check(t.advmss == 1460 && t.snd_mss == 1000 && t.ato_us == 40000);
		check(t.rtt_us == 40000 && t.rto_us == 240000 && t.delivered == 1);
	T(100)	app_send(c, 3500);		for (unsigned i = 0; i < 4; i++) wire_skip();
		t = info_of(d, c);
		check(t.unacked == 4 && t.data_segs_out == 4 && t.bytes_sent == 3500 && t.notsent_bytes == 0);
		check(t.bytes_acked == 0 && t.last_data_sent_ms == 0);
	T(140)	wire_in(ACK, ack=3501, win=500);
		wire_in(PSH|ACK, seq=1, ack=3501, len=700);	wire_out(ACK);
		wire_in(PSH|ACK, seq=2001, ack=3501, len=100);	wire_out(ACK);
	T(150)	t = info_of(d, c);
		check(t.unacked == 0 && t.bytes_acked == 3500 && t.delivered == 5);
		check(t.bytes_received == 700 && t.data_segs_in == 2 && t.rcv_ooopack == 1 && t.snd_wnd == 500 * 128);
		check(t.last_data_sent_ms == 50 && t.last_data_recv_ms == 10 && t.last_ack_recv_ms == 10);
		check(t.busy_time_us == 40000 && t.rwnd_limited_us == 0 && t.min_rtt_us == 40000);
		check(t.segs_in == 4 && t.segs_out == 1 + 1 + 4 + 2);
}

/* 100 kB a second: what is delivered per round trip, divided by it; the program's pause does not lower it. */
DIALOGUE(info_delivery_rate)
{
	struct glass_tcp_info t;

	T(0)	connected(c, "mss=1000");
	T(100)	app_send(c, 20000);		for (unsigned i = 0; i < 10; i++) wire_skip();
	T(200)	wire_in(ACK, ack=10001);	wire_skip_all();
		t = info_of(d, c);
		check(t.delivery_rate > 99000 && t.delivery_rate < 101000 && !t.app_limited);
	T(300)	wire_in(ACK, ack=20001);
		t = info_of(d, c);
		check(t.delivery_rate > 99000 && t.delivery_rate < 101000);
	T(400)	app_send(c, 1000);		wire_skip();
	T(500)	wire_in(ACK, ack=21001);
		t = info_of(d, c);
		check(t.delivery_rate > 99000 && !t.app_limited);	/* 10 kB/s was the program's pace */
}

/* A timeout: retransmits while it lasts, totals afterwards. */
/* Before there was any data, since the handshake; Linux's states Disorder and CWR. */
DIALOGUE(info_disorder)
{
	T(0)	connected(c, "mss=1000, ws=7, win=60000, sackok");
	T(100)	check(info_of(d, c).last_data_recv_ms == 60 && info_of(d, c).last_data_sent_ms == 60);
		app_send(c, 4000);			wire_skip_all();
		check(info_of(d, c).ca_state == 0);
	T(140)	wire_in(ACK, ack=1, sack=1001:2001);
		check(info_of(d, c).ca_state == 1 && info_of(d, c).sacked == 1);
	T(141)	wire_in(ACK, ack=4001);
		check(info_of(d, c).ca_state == 0);
}

DIALOGUE(info_window_reduced_for_a_mark)
{
	T(0)	tunable(tcp_ecn, 1);
		app_connect(c, 8080);			wire_out(SYN|ECE|CWR, seq=0);
	T(40)	wire_in(SYN|ACK|ECE, seq=0, ack=1, mss=1000, sackok);
							wire_out(ACK, seq=1, ack=1);
	T(100)	app_send(c, 4000);			wire_skip_all();
	T(140)	wire_in(ECE|ACK, ack=1001);
		check(info_of(d, c).ca_state == 2);
	T(141)	wire_in(ACK, ack=4001);
		check(info_of(d, c).ca_state == 0);
}

DIALOGUE(info_timeout)
{
	struct glass_tcp_info t;

	T(0)	connected(c, "mss=1000");
	T(100)	app_send(c, 100);		wire_skip();
	T(340)	wire_out(RTX, seq=1);
		t = info_of(d, c);
		check(t.retransmits == 1 && t.backoff == 1 && t.ca_state == 4 && t.snd_cwnd == 1);
		check(t.total_rto == 1 && t.total_rto_recoveries == 0 && t.lost == 1 && t.retrans == 1);
	T(380)	wire_in(ACK, ack=101);
		t = info_of(d, c);
		check(t.retransmits == 0 && t.total_rto == 1 && t.total_rto_recoveries == 1);
		check(t.total_rto_time_ms == 280 && t.total_retrans == 1 && t.bytes_retrans == 100);
		check(t.bytes_sent == 200 && t.bytes_acked == 100 && t.data_segs_out == 2);
}

DIALOGUE(info_of_a_listener_and_of_nothing)
{
	struct glass_tcp_info t;
	struct app *fresh = dlg_app(d);

	T(0)	app_listen(l, 8080, 7);
		t = info_of(d, l);
		check(t.state == 10 && t.unacked == 0 && t.sacked == 7);
		fresh->s = glass_socket(dlg_stack(d), GLASS_TCP);
		t = info_of(d, fresh);
		check(t.state == 7 && t.snd_cwnd == 10 && t.rto_us == 1000000);
}

/* A peer reports duplicates of what was never sent: nothing is counted, nothing breaks. */
DIALOGUE(dsack_of_nothing)
{
	struct glass_conn_info info;

	T(0)	connected(c, "mss=1000, sackok");
	T(100)	wire_in(ACK, ack=1, sack=1-200:1-100);
		check(!glass_sock_info(dlg_stack(d), c->s, &info));
		check(info.retrans_spurious == 0);
		state(c, ESTAB);
}
