/* SPDX-License-Identifier: MIT */
/* What a connection has only while it needs it, and what happens when that cannot be had. */
#include "dlg.h"

#include "../../src/stack/tcp_recovery.h"

/* A dialogue is laid out in columns. */
/* clang-format off */

static unsigned long long memory_now(struct dlg *d)
{
	struct glass_memory m;

	glass_memory(dlg_stack(d), &m);
	return m.bytes;
}

/* It keeps its account of what it did, and nothing of the flight, however that went. */
DIALOGUE(a_flight_ends_with_its_ack)
{
	unsigned long long idle, used;

	T(0)	connected(c, "mss=1000, sackok");
		idle = memory_now(d);
	T(100)	app_send(c, 1000);		wire_out(PSH|ACK, seq=1, len=1000);
		check(memory_now(d) > idle + sizeof(struct tcp_flight));
	T(140)	wire_in(ACK, seq=1, ack=1001);
		used = memory_now(d);
	T(200)	app_send(c, 4000);
		wire_skip(); wire_skip(); wire_skip(); wire_skip();
	T(240)	wire_in(ACK, seq=1, ack=1001, sack=2001:5001);
		wire_out(RTX, seq=1001, len=1000);
	T(280)	wire_in(ACK, seq=1, ack=5001);
	/* A duplicate may still be told of: the flight is kept until the next one is answered. */
		check(memory_now(d) == used + sizeof(struct tcp_flight));
	T(300)	app_send(c, 1000);		wire_out(PSH|ACK, seq=5001, len=1000);
	T(340)	wire_in(ACK, seq=1, ack=6001);
		check(memory_now(d) == used);
		counter(TCPSackRecovery, 1);
}

/* A recovery that is known to have been needless leaves nothing behind. */
DIALOGUE(a_needless_recovery_is_forgotten)
{
	unsigned long long used;

	T(0)	connected(c, "mss=1000, sackok");
	T(100)	app_send(c, 1000);		wire_out(PSH|ACK, seq=1, len=1000);
	T(140)	wire_in(ACK, seq=1, ack=1001);
		used = memory_now(d);
	T(200)	app_send(c, 4000);
		wire_skip(); wire_skip(); wire_skip(); wire_skip();
	T(240)	wire_in(ACK, seq=1, ack=1001, sack=2001:5001);
		wire_out(RTX, seq=1001, len=1000);
	T(241)	wire_in(ACK, seq=1, ack=5001);
	T(281)	wire_in(ACK, seq=1, ack=5001, sack=1001:2001);
		counter(TCPFullUndo, 1);
		check(memory_now(d) == used);
}

/* Records (MSG_EOR) of a byte each, which a closed window keeps: what they cost has a measure. */
DIALOGUE(small_records)
{
	unsigned long long before;

	T(0)	connected(c, "mss=1000");
		wire_in(ACK, seq=1, ack=1, win=0);
		app_send_flags(c, 1, GLASS_EOR);
		before = memory_now(d);
	for (unsigned i = 0; i < 1000; i++)
		app_send_flags(c, 1, GLASS_EOR);
		check(memory_now(d) < before + 100000);
		wire_in(ACK, seq=1, ack=1, win=2);
		wire_out(PSH|ACK, seq=1, len=1);
		wire_out(PSH|ACK, seq=2, len=1);
		wire_in(ACK, seq=1, ack=3, win=60000);
	for (unsigned i = 0; i < 10; i++)
		wire_skip();
		wire_inf("ACK, seq=1, ack=%u", dlg_last_seq(d) + 1);
		wire_skip_all();
		app_abort(c);	wire_skip_all();
}

/*
 * The first frame needs memory: its own, the account, the flight, the packet. Whichever is refused,
 * the bytes wait for the timer and go out then; and a loss among them is mended as ever.
 */
DIALOGUE(no_memory_for_a_flight)
{
	for (unsigned n = 1; n <= 4; n++) {
		struct app *a = dlg_app(d);

	T(2000 * n)
		connected(a, "mss=1000, sackok");
		wire_hold();
		app_send(a, 4000);
		dlg_stack(d)->pool.fail_countdown = n;
		wire_release();
		check(!dlg_stack(d)->pool.fail_countdown);
		wire_out_within(2000 * n, 2000 * n + 400, ACK, seq=1, len=1000);
		wire_skip(); wire_skip(); wire_skip();
		wire_in(ACK, seq=1, ack=1, sack=1001:4001);
		wire_out(RTX, seq=1, len=1000);
		wire_in(ACK, seq=1, ack=4001);
		state(a, ESTAB);
		app_abort(a);			wire_skip_all();
	}
		counter(TCPSackRecovery, 4);
		counter(TCPTimeouts, 0);
}

/* No memory for what its bytes need: it goes without them, or fails and does not go at all. */
DIALOGUE(no_memory_for_the_bytes_of_a_syn)
{
	unsigned failed = 0;
	uint8_t bytes[300];

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = dlg_pattern(1, i);
	T(0)	tunable(tcp_fastopen, 5);	/* without a cookie */
	for (unsigned n = 1; n <= 6; n++) {
		struct app *a = dlg_app(d);

	T(1000 * n)
		app_setopt(a, OPT_FASTOPEN_CONNECT, 1);
		app_connect_later(a, 8080);
		dlg_stack(d)->pool.fail_countdown = n;
		glass_send(dlg_stack(d), a->s, bytes, sizeof(bytes));
		dlg_stack(d)->pool.fail_countdown = 0;
		if (glass_error(dlg_stack(d), a->s) == ENOBUFS) {
			failed++;		/* and nobody looks: no frame may be there */
			continue;
		}
		wire_skip();
		app_abort(a);			wire_skip_all();
	}
		check(failed);
}

/*
 * An accepted socket has no settings beside its connection's. It gets them when the program asks
 * for what only they can hold, or connects it anew when its connection has ended.
 */
DIALOGUE(an_accepted_socket_connects_anew)
{
	struct app *a;
	int64_t v = 0;

	T(0)	app_listen(l, 8080, 10);
		wire_in(SYN, seq=0, mss=1460);		wire_out(SYN|ACK, seq=0, ack=1);
		wire_in(ACK, seq=1, ack=1);
		a = app_accept(l);
		app_setopt(a, OPT_TTL, 9);
		check(!glass_getopt(dlg_stack(d), a->s, GLASS_OPT_REUSEADDR, &v) && v == 0);
		dlg_stack(d)->pool.fail_countdown = 1;
		check(glass_setopt(dlg_stack(d), a->s, GLASS_OPT_REUSEADDR, 1) == -ENOBUFS);
		app_setopt(a, OPT_REUSEADDR, 1);
		check(!glass_getopt(dlg_stack(d), a->s, GLASS_OPT_REUSEADDR, &v) && v == 1);
		check(glass_bind(dlg_stack(d), a->s, &(struct glass_end){ .port = 99 }) == -EINVAL);
		wire_in(RST, seq=1);
		app_error(a, ECONNRESET);
	T(10)	app_connect(a, 8080);			wire_out(SYN, seq=0, ttl=9);
		app_abort(a);
}

DIALOGUE(an_accepted_socket_without_memory)
{
	struct glass_end to = { glass_ip4(10, 0, 0, 5), 8080 };
	struct app *a;

	T(0)	app_listen(l, 8080, 10);
		wire_in(SYN, seq=0, mss=1460);		wire_out(SYN|ACK, seq=0, ack=1);
		wire_in(ACK, seq=1, ack=1);
		a = app_accept(l);
		wire_in(RST, seq=1);
		app_error(a, ECONNRESET);
		dlg_stack(d)->pool.fail_countdown = 1;
		check(glass_connect(dlg_stack(d), a->s, &to) == -ENOBUFS);
	T(10)	app_connect(a, 8080);			wire_out(SYN, seq=0);
		app_abort(a);
}
