/* SPDX-License-Identifier: MIT */
/*
 * Timed dialogues on the wire, in virtual time: one stack (10.0.0.4), and a peer (10.0.0.5) whose
 * every segment the test writes down. A dialogue is read from top to bottom:
 *
 *	DIALOGUE(syn_is_retransmitted)
 *	{
 *		T(0)	app_connect(c, 8080);	wire_out(SYN, seq=0, mss=1460);
 *		T(1000)				wire_out(RTX, seq=0);
 *		T(1040)	wire_in(SYN|ACK, seq=0, ack=1);
 *						wire_out(ACK, seq=1, ack=1);
 *			state(c, ESTAB);
 *	}
 *
 * T(ms) lets the time pass until then: whatever the stack sends on the way fails the dialogue,
 * and so does a segment that nobody has asked for. Sequence numbers are relative to the initial
 * ones. Payload need not be written: app_send sends a pattern whose every byte depends on its
 * place, and each segment is held against it; len=N of wire_in makes the peer's. ARP is answered
 * by itself, and every checksum is verified.
 *
 * What a segment is said to be: flags joined by |, then any of
 *	seq= ack= len= win= urg= mss= ws= tsval= tsecr= ttl= tos= sport= dport= sack=from:to
 *	cookie= fo				(fast open, RFC 7413; fo: without a cookie)
 *	foexp					(the same as the experiment before, with cookie= or
 *						 without)
 *	sackok ts df
 *	nomss nows nosackok nots nosack nopsh nofo	(wire_out: must be absent)
 *	badcsum					(wire_in)
 *	RTX instead of flags			(wire_out: sent before)
 *	ICMP, type= code= [mtu=] [badseq]	(wire_in: quotes the stack's last segment; badseq:
 *						 with a sequence number that is not its own)
 * Values are sums and products: seq=1+2*1460. What is not said is not looked at (wire_out; PSH
 * only when said), or goes on from the last (wire_in; after a handshake with timestamps they go
 * along).
 */
#ifndef TESTS_DIALOGUE_H
#define TESTS_DIALOGUE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glass/glass.h>

#include "seg.h"

struct dlg;

/* A program's socket in a dialogue. */
struct app {
	struct glass_sock *s; /* NULL once it is closed */
	uint16_t lport, rport;
	uint64_t sent, received; /* places in the patterns */
	unsigned woke; /* readiness told by glass_event() since app_woke() was asked last */
};

struct dlg_test {
	const char *name, *file;
	void (*run)(struct dlg *d, struct app *c, struct app *l);
	struct dlg_test *next;
};

void dlg_register(struct dlg_test *t);

#define DIALOGUE(name)                                                      \
	static void name(struct dlg *d, struct app *c, struct app *l);      \
	__attribute__((constructor)) static void name##_register(void)      \
	{                                                                   \
		static struct dlg_test t = { #name, __FILE__, name, NULL }; \
		dlg_register(&t);                                           \
	}                                                                   \
	static void name(__attribute__((unused)) struct dlg *d,             \
			 __attribute__((unused)) struct app *c,             \
			 __attribute__((unused)) struct app *l)

/* Where in the test we are, for the messages. */
struct dlg_place {
	const char *file;
	int line;
	const char *text;
};
#define HERE(text)                       \
	&(const struct dlg_place)        \
	{                                \
		__FILE__, __LINE__, text \
	}

/*
 * ---- time and wire
 * ----------------------------------------------------------------------------------
 */

#define T(ms) dlg_time(d, HERE("T(" #ms ")"), (double)(ms));
#define wire_out(...) dlg_out(d, HERE("wire_out(" #__VA_ARGS__ ")"), 0, 0, "%s", #__VA_ARGS__)
#define wire_in(...) dlg_in(d, HERE("wire_in(" #__VA_ARGS__ ")"), "%s", #__VA_ARGS__)
/* The same with values of the test: a format and its arguments. */
#define wire_outf(...) dlg_out(d, HERE("wire_outf(" #__VA_ARGS__ ")"), 0, 0, __VA_ARGS__)
#define wire_inf(...) dlg_in(d, HERE("wire_inf(" #__VA_ARGS__ ")"), __VA_ARGS__)
/*
 * Some time between T(from) and T(to), for timers with a random part. The time goes on to that
 * moment.
 */
#define wire_out_within(from, to, ...)                                                            \
	dlg_out(d, HERE("wire_out_within(" #from ", " #to ", " #__VA_ARGS__ ")"), from, to, "%s", \
		#__VA_ARGS__)
/* Whole frames, for what the words above cannot say. */
#define wire_in_frame(bytes, n) dlg_in_frame(d, HERE("wire_in_frame"), bytes, n)
/* What comes in between is one batch: the stack's owner reads it all before he asks for frames. */
#define wire_hold() dlg_hold(d, true)
#define wire_release() dlg_hold(d, false)
/* Takes the next segment without looking at it. */
#define wire_skip() dlg_skip(d, HERE("wire_skip()"))
#define wire_skip_all() dlg_skip_all(d, HERE("wire_skip_all()"))

/* Lets the time pass, whatever the stack sends. */
#define wire_out_until(ms) dlg_skip_until(d, HERE("wire_out_until(" #ms ")"), ms)

void dlg_time(struct dlg *d, const struct dlg_place *at, double ms);
__attribute__((format(printf, 5, 6))) void dlg_out(struct dlg *d, const struct dlg_place *at,
						   double from, double to, const char *spec, ...);
__attribute__((format(printf, 3, 4))) void dlg_in(struct dlg *d, const struct dlg_place *at,
						  const char *spec, ...);
void dlg_in_frame(struct dlg *d, const struct dlg_place *at, const uint8_t *bytes, size_t n);
void dlg_hold(struct dlg *d, bool held);
struct seg dlg_skip(struct dlg *d, const struct dlg_place *at);
void dlg_skip_until(struct dlg *d, const struct dlg_place *at, double ms);
void dlg_skip_all(struct dlg *d, const struct dlg_place *at);
/* The time now, in ms. */
double dlg_now(const struct dlg *d);
struct glass *dlg_stack(struct dlg *d);
/* The stack's segment taken last by wire_out or wire_skip; its payload is gone. */
const struct seg *dlg_last(const struct dlg *d);
/* The same with sequence numbers relative. */
uint32_t dlg_last_seq(const struct dlg *d);
uint32_t dlg_last_ack(const struct dlg *d);
struct app *dlg_app(struct dlg *d);

/*
 * ---- the program
 * ------------------------------------------------------------------------------------
 */

#define app_connect(c, port) \
	dlg_connect(d, HERE("app_connect(" #c ", " #port ")"), c, 0x0a000005, port)
#define app_connect_to(c, ip, port) \
	dlg_connect(d, HERE("app_connect_to(" #c ", " #ip ")"), c, ip, port)
/* connect with the first n bytes; taken: how many go with the SYN, or -errno. */
#define app_connect_send(c, port, n, taken) \
	dlg_connect_send(d, HERE("app_connect_send(" #c ", " #port ", " #n ")"), c, port, n, taken)
/* A connect that has to do nothing yet: TCP_FASTOPEN_CONNECT. */
#define app_connect_later(c, port) \
	dlg_connect_later(d, HERE("app_connect_later(" #c ", " #port ")"), c, port)
#define app_listen(l, port, backlog) \
	dlg_listen(d, HERE("app_listen(" #l ", " #port ")"), l, port, backlog)
#define app_accept(l) dlg_accept(d, HERE("app_accept(" #l ")"), l)
#define app_send(c, n) dlg_send(d, HERE("app_send(" #c ", " #n ")"), c, n, n, 0)
/* The same with GLASS_MORE, GLASS_EOR, GLASS_TELL_*. */
#define app_send_flags(c, n, flags) \
	dlg_send(d, HERE("app_send_flags(" #c ", " #n ", " #flags ")"), c, n, n, flags)
/* Only so many of them are taken. */
#define app_send_part(c, n, taken) \
	dlg_send(d, HERE("app_send_part(" #c ", " #n ", " #taken ")"), c, n, taken, 0)
/* Without a copy; all of it is queued, whatever a SYN carries. */
#define app_send_in_place(c, n) \
	dlg_send_in_place(d, HERE("app_send_in_place(" #c ", " #n ")"), c, n)
#define app_recv(c, n) dlg_recv(d, HERE("app_recv(" #c ", " #n ")"), c, n)
#define app_recv_eof(c) dlg_recv_result(d, HERE("app_recv_eof(" #c ")"), c, 0)
#define app_recv_error(c, e) dlg_recv_result(d, HERE("app_recv_error(" #c ", " #e ")"), c, e)
#define app_send_error(c, e) dlg_send_error(d, HERE("app_send_error(" #c ", " #e ")"), c, e)
#define app_error(c, e) dlg_error(d, HERE("app_error(" #c ", " #e ")"), c, e)
#define app_shutdown(c, how) dlg_shutdown(d, HERE("app_shutdown(" #c ", " #how ")"), c, how)
#define app_close(c) dlg_close(d, HERE("app_close(" #c ")"), c, false)
#define app_abort(c) dlg_close(d, HERE("app_abort(" #c ")"), c, true)
#define app_setopt(c, opt, v) \
	dlg_setopt(d, HERE("app_setopt(" #c ", " #opt ", " #v ")"), c, GLASS_##opt, v)
/* glass_event() has told these since the last time. */
#define app_woke(c, bits) dlg_woke(d, HERE("app_woke(" #c ", " #bits ")"), c, bits)
/* glass_ready() says exactly these. */
#define app_ready(c, bits) dlg_ready(d, HERE("app_ready(" #c ", " #bits ")"), c, bits)
/* As ss names it; CLOSED: the stack knows nothing of it any more. */
#define state(c, name) dlg_state(d, HERE("state(" #c ", " #name ")"), c, #name)
/* So many ms of its life were due to that limiter (limit.def). */
#define limited(c, ID, ms) \
	dlg_limited(d, HERE("limited(" #c ", " #ID ", " #ms ")"), c, GLASS_LIMIT_##ID, ms)
#define tunable(name, v) dlg_tunable(d, HERE("tunable(" #name ", " #v ")"), #name, v)
/* A row of stats.def or drop.def by its name. */
#define counter(name, v) dlg_counter(d, HERE("counter(" #name ", " #v ")"), #name, v)
#define dropped(reason, v) dlg_counter(d, HERE("dropped(" #reason ", " #v ")"), #reason, v)
#define check(condition)                                                           \
	do {                                                                       \
		if (!(condition))                                                  \
			dlg_fail(d, HERE("check(" #condition ")"), "it is false"); \
	} while (0)

void dlg_connect(struct dlg *d, const struct dlg_place *at, struct app *a, uint32_t ip,
		 uint16_t port);
void dlg_connect_send(struct dlg *d, const struct dlg_place *at, struct app *a, uint16_t port,
		      size_t n, int64_t taken);
void dlg_connect_later(struct dlg *d, const struct dlg_place *at, struct app *a, uint16_t port);
unsigned dlg_dev(const struct dlg *d);
void dlg_listen(struct dlg *d, const struct dlg_place *at, struct app *a, uint16_t port,
		unsigned backlog);
struct app *dlg_accept(struct dlg *d, const struct dlg_place *at, struct app *l);
void dlg_send(struct dlg *d, const struct dlg_place *at, struct app *a, size_t n, size_t taken,
	      unsigned flags);
void dlg_send_in_place(struct dlg *d, const struct dlg_place *at, struct app *a, size_t n);
void dlg_recv(struct dlg *d, const struct dlg_place *at, struct app *a, size_t n);
void dlg_recv_result(struct dlg *d, const struct dlg_place *at, struct app *a, int error);
void dlg_send_error(struct dlg *d, const struct dlg_place *at, struct app *a, int error);
void dlg_error(struct dlg *d, const struct dlg_place *at, struct app *a, int error);
void dlg_shutdown(struct dlg *d, const struct dlg_place *at, struct app *a, enum glass_how how);
void dlg_close(struct dlg *d, const struct dlg_place *at, struct app *a, bool abort);
void dlg_setopt(struct dlg *d, const struct dlg_place *at, struct app *a, enum glass_opt opt,
		int64_t v);
void dlg_woke(struct dlg *d, const struct dlg_place *at, struct app *a, unsigned bits);
void dlg_ready(struct dlg *d, const struct dlg_place *at, struct app *a, unsigned bits);
void dlg_state(struct dlg *d, const struct dlg_place *at, struct app *a, const char *name);
void dlg_limited(struct dlg *d, const struct dlg_place *at, struct app *a, enum glass_limiter which,
		 double ms);
/* The times of the limiters sum to the life, for every connection there is. */
void dlg_check_limits(struct dlg *d, const struct dlg_place *at);
void dlg_tunable(struct dlg *d, const struct dlg_place *at, const char *name, int64_t v);
void dlg_counter(struct dlg *d, const struct dlg_place *at, const char *name, uint64_t v);
uint64_t dlg_counter_value(struct dlg *d, const char *name);
__attribute__((noreturn, format(printf, 3, 4))) void dlg_fail(struct dlg *d,
							      const struct dlg_place *at,
							      const char *format, ...);

/*
 * ---- beginnings
 * -------------------------------------------------------------------------------------
 */

/*
 * The whole handshake, in 40 ms from now; options: what the peer offers, e.g. "mss=1460, sackok".
 */
#define connected(c, options) dlg_connected(d, HERE("connected(" #c ", " options ")"), c, options)
#define accepted(l, options) dlg_accepted(d, HERE("accepted(" #l ", " options ")"), l, options)
void dlg_connected(struct dlg *d, const struct dlg_place *at, struct app *c, const char *options);
struct app *dlg_accepted(struct dlg *d, const struct dlg_place *at, struct app *l,
			 const char *options);

#endif
