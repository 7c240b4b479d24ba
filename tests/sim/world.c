/* SPDX-License-Identifier: MIT */
/* Connections that send and judge known bytes: see world.h. */
#include "inside.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/stack/tcp.h"

#define INSPECT_EVERY 32 /* steps */
#define RECORDS 65536	 /* of each flight recorder */

void fail(struct world *w, const char *format, ...)
{
	va_list ap;

	if (!w->out->ok)
		return; /* the first one counts */
	w->out->ok = false;
	va_start(ap, format);
	vsnprintf(w->out->why, sizeof(w->out->why), format, ap);
	va_end(ap);
}

static void make_pattern(struct world *w)
{
	uint64_t x = rng_u64(&w->rng);

	for (unsigned i = 0; i < PERIOD; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		w->pattern[i] = (uint8_t)(x >> 56);
	}
	for (unsigned i = 0; i < CHUNK_MAX; i++)
		w->pattern[PERIOD + i] = w->pattern[i % PERIOD];
}

static void set_options(struct world *w, struct glass *g, struct glass_sock *s)
{
	if (w->sc->rcvbuf)
		glass_setopt(g, s, GLASS_OPT_RCVBUF, w->sc->rcvbuf);
	if (w->sc->sndbuf)
		glass_setopt(g, s, GLASS_OPT_SNDBUF, w->sc->sndbuf);
	if (w->sc->nodelay)
		glass_setopt(g, s, GLASS_OPT_NODELAY, 1);
	if (w->sc->cork)
		glass_setopt(g, s, GLASS_OPT_CORK, 1);
	if (w->sc->quick_off)
		glass_setopt(g, s, GLASS_OPT_QUICKACK, 0);
	if (w->sc->maxseg)
		glass_setopt(g, s, GLASS_OPT_MAXSEG, w->sc->maxseg);
	if (w->sc->keep_idle_s) {
		glass_setopt(g, s, GLASS_OPT_KEEPIDLE, w->sc->keep_idle_s);
		glass_setopt(g, s, GLASS_OPT_KEEPALIVE, 1);
	}
}

/* Both sides take part; the first connections bring the cookie. */
static void allow_fastopen(struct glass *g, struct glass_sock *s, bool listener)
{
	glass_tunable_set(g, "tcp_fastopen", 3);
	glass_setopt(g, s, listener ? GLASS_OPT_FASTOPEN : GLASS_OPT_FASTOPEN_CONNECT,
		     listener ? 4096 : 1);
}

static void adopt(struct end *e, struct glass_sock *s)
{
	e->s = s;
	e->begun = true;
	glass_sock_set_user(s, e);
}

static void accept_all(struct world *w);

static void accept_again(void *arg)
{
	struct world *w = arg;

	if (w->listener)
		accept_all(w);
}

static void accept_all(struct world *w)
{
	struct glass *g = sim_stack(w->sim, 1);
	struct glass_end from;
	struct glass_sock *s;

	while ((s = glass_accept(g, w->listener))) {
		struct flow *f = NULL;

		glass_remote(s, &from);
		for (unsigned i = 0; i < w->nflows && !f; i++)
			if (w->flows[i].port == from.port && !w->flows[i].end[1].begun)
				f = &w->flows[i];
		if (!f) {
			fail(w, "a connection from port %u, which nobody has opened", from.port);
			glass_abort(g, s);
			continue;
		}
		adopt(&f->end[1], s);
		end_turn(w, &f->end[1]);
	}
	if (glass_ready(g, w->listener) & GLASS_IN) /* no memory for the socket */
		sim_call_at(w->sim, sim_now(w->sim) + 10 * MS, accept_again, w);
}

static void on_event(void *arg, unsigned side, const struct glass_event *event)
{
	struct world *w = arg;
	struct end *e = event->user;

	if (side && event->sock == w->listener) {
		accept_all(w);
		return;
	}
	if (!e || e->s != event->sock)
		return; /* not ours yet, or no more */
	if (!(event->ready & GLASS_CONNECTED) && !e->side && !e->sent &&
	    !(event->ready & (GLASS_ERR | GLASS_IN | GLASS_OUT)))
		return;
	end_turn(w, e);
}

/* The connection has not come about; only lack of memory excuses that. */
static void not_begun(struct world *w, struct flow *f, int err)
{
	if (!w->sc->fail_every)
		fail(w, "glass_connect: %s", strerror(err));
	if (f->end[0].s)
		glass_close(sim_stack(w->sim, 0), f->end[0].s);
	end_gone(w, &f->end[0]);
	end_gone(w, &f->end[1]);
}

static void start_flow(void *arg)
{
	struct flow *f = arg;
	struct world *w = f->w;
	struct glass *g = sim_stack(w->sim, 0);
	struct glass_end to = { sim_addr(1), PORT },
			 local = { { GLASS_UNSPEC, { 0 } }, BOUND_PORT };
	struct glass_sock *s = glass_socket(g, GLASS_TCP);
	int err = -ENOBUFS;

	if (s) {
		set_options(w, g, s);
		if (w->sc->fastopen)
			allow_fastopen(g, s, false);
		adopt(&f->end[0], s);
		err = w->sc->near_wrap && !f->number ? glass_bind(g, s, &local) : 0;
		err = err ? err : glass_connect(g, s, &to);
	}
	if (err && err != -EINPROGRESS) {
		not_begun(w, f, -err);
		return;
	}
	glass_local(s, &local);
	f->port = local.port;
	if (!err) /* the SYN waits for bytes */
		end_turn(w, &f->end[0]);
}

static void listen_on(struct world *w)
{
	struct glass *g = sim_stack(w->sim, 1);
	struct glass_end any = { { GLASS_UNSPEC, { 0 } }, PORT };

	w->listener = glass_socket(g, GLASS_TCP);
	if (w->listener)
		set_options(w, g, w->listener);
	if (w->listener && w->sc->fastopen)
		allow_fastopen(g, w->listener, true);
	if (!w->listener || glass_bind(g, w->listener, &any) || glass_listen(g, w->listener, 4096))
		fail(w, "cannot listen");
}

/*
 * The clocks go on until the first connection's number of the chosen side is as near to its wrap
 * as is wished.
 */
static void approach_wrap(struct world *w)
{
	enum near_wrap near = w->sc->near_wrap;
	unsigned side = w->sc->near_side;
	struct glass *g = sim_stack(w->sim, side);
	ip4_t ip[2] = { 10u << 24 | 4, 10u << 24 | 5 };
	uint16_t port[2] = { BOUND_PORT, PORT };
	uint32_t half = near == NEAR_SEQ_31 || near == NEAR_TS_31 ? 1u << 31 : 0;
	uint32_t target = half - w->sc->near_before, ts = (uint32_t)(sim_now(w->sim) / MS);
	int64_t wait = 0;

	ts += tcp_ts_offset(g, ip[side], port[side], ip[!side], port[!side]);
	if (near == NEAR_SEQ_32 || near == NEAR_SEQ_31)
		wait = 4000 * (int64_t)(target -
					tcp_isn(g, ip[side], port[side], ip[!side], port[!side]).v);
	else if (near != NEAR_NOTHING)
		wait = (int64_t)(target - ts) * MS;
	if (wait)
		sim_run(w->sim, NULL, NULL, sim_now(w->sim) + wait);
}

/* Allocations begin to fail, each time after so many. */
static void starve(struct world *w)
{
	for (unsigned i = 0; w->sc->fail_every && i < 2; i++) {
		struct pool *pool = &sim_stack(w->sim, i)->pool;

		if (!pool->fail_countdown)
			pool->fail_countdown = w->sc->fail_every;
	}
}

static void sock_moved(void *arg, struct glass_sock *from, struct glass_sock *to)
{
	struct world *w = arg;
	struct end *e = glass_sock_user(to);

	if (from == w->listener)
		w->listener = to;
	else if (e && e->s == from)
		e->s = to;
}

/* A stack goes on as another one; nobody may notice. */
static void take_over(struct world *w)
{
	unsigned side = rng_below(&w->takeovers, 2);
	const char *why;

	if (rng_below(&w->takeovers, SIM_MILLION) >= w->sc->takeovers)
		return;
	why = sim_take_over(w->sim, side, sock_moved, w);
	if (!why)
		why = inspect(sim_stack(w->sim, side));
	if (why)
		fail(w, "takeover of side %u: %s", side, why);
}

static bool all_over(void *arg)
{
	struct world *w = arg;

	if (w->sc->takeovers)
		take_over(w);
	starve(w);
	for (unsigned i = 0; i < 2 && w->steps % INSPECT_EVERY == 0; i++) {
		const char *wrong = inspect(sim_stack(w->sim, i));

		if (wrong)
			fail(w, "side %u: %s", i, wrong);
	}
	w->steps++;
	return !w->open || !w->out->ok;
}

static void note_recovery(struct world *w)
{
	/* A lost SYN has nothing but the timer. */
	w->out->timeouts = both_sides(w, "TCPTimeouts") - both_sides(w, "TCPSynRetrans");
	w->out->retrans = both_sides(w, "RetransSegs");
	w->out->probes = both_sides(w, "TCPLossProbes");
	w->out->spurious = both_sides(w, "TCPSpuriousRTOs");
}

static void wire_down(void *arg)
{
	struct world *w = arg;

	for (unsigned i = 0; i < 2; i++)
		sim_way(w->sim, i)->down = !sim_way(w->sim, i)->down;
}

static void change_mtu(void *arg)
{
	struct world *w = arg;

	for (unsigned i = 0; i < 2; i++)
		if (glass_dev_set_mtu(sim_stack(w->sim, i), 1, w->sc->mtu_later))
			fail(w, "glass_dev_set_mtu fails");
}

static void schedule_weather(struct world *w, int64_t start)
{
	const struct scenario *sc = w->sc;

	if (sc->down_ms) {
		sim_call_at(w->sim, start + sc->down_at_ms * MS, wire_down, w);
		sim_call_at(w->sim, start + (sc->down_at_ms + sc->down_ms) * MS, wire_down, w);
	}
	if (sc->mtu_later)
		sim_call_at(w->sim, start + sc->mtu_at_ms * MS, change_mtu, w);
}

/* How many ends are open, apart from those whose peer aborted before they were accepted. */
static unsigned never_begun_excepted(const struct world *w)
{
	unsigned n = 0;

	for (unsigned i = 0; i < w->nflows; i++)
		n += !w->flows[i].end[0].gone +
		     (w->flows[i].end[1].begun && !w->flows[i].end[1].gone);
	return n;
}

static void run(struct world *w)
{
	static const char *const end_name[] = { "done", "idle", "late", "livelock", "no memory" };
	int64_t start = sim_now(w->sim);
	enum sim_end end;

	for (unsigned i = 0; i < w->nflows; i++) {
		w->flows[i] = (struct flow){ .w = w, .number = i };
		for (unsigned j = 0; j < 2; j++)
			w->flows[i].end[j] = (struct end){ .flow = &w->flows[i], .side = j };
		sim_call_at(w->sim,
			    start + (w->nflows > 1 ? (int64_t)rng_below(&w->rng, 1000) * MS : 0),
			    start_flow, &w->flows[i]);
	}
	schedule_weather(w, start);
	w->open = 2 * w->nflows;
	end = sim_run(w->sim, all_over, w, start + w->sc->ms_max * MS);
	w->out->took_ns = sim_now(w->sim) - start;
	if (end != SIM_DONE && tolerant(w) && !never_begun_excepted(w)) {
		w->out->took_ns = 0; /* nothing happens any more: the clock ran on to the limit */
		return;
	}
	if (end != SIM_DONE && w->out->ok) {
		const struct flow *f = w->flows;

		while (f < w->flows + w->nflows - 1 && f->end[0].gone && f->end[1].gone)
			f++;
		fail(w,
		     "%s after %lld ms: %u ends open; flow %u: side 0 sent %llu received %llu, "
		     "side 1 sent %llu "
		     "received %llu",
		     end_name[end], (long long)(w->out->took_ns / MS), w->open, f->number,
		     (unsigned long long)f->end[0].sent, (unsigned long long)f->end[0].received,
		     (unsigned long long)f->end[1].sent, (unsigned long long)f->end[1].received);
	}
}

static struct sim *make_sim(const struct scenario *sc, uint64_t seed, bool trace)
{
	struct sim_setup setup = {
		.seed = seed,
		/* the millisecond clock wraps after half a second */
		.start_ns = (int64_t)(4294967296 - 500) * MS,
		.mtu_bytes = sc->mtu_bytes,
		.offload = { sc->offload, sc->mixed ? sc->offload1 : sc->offload },
		.way = { sc->way[0],
			 sc->way[1].delay_ns || sc->way[1].rate_bit_s ? sc->way[1] : sc->way[0] },
		.refuse = { sc->refuse[0], sc->refuse[1] },
		.tick_ns = { sc->tick_ns[0], sc->tick_ns[1] },
		.ring_records = trace ? RECORDS : 0,
	};

	return sim_new(&setup);
}

static struct world *world_new(const struct scenario *sc, uint64_t seed, bool trace,
			       struct verdict_of_run *out)
{
	struct world *w = calloc(1, sizeof(*w));

	*out = (struct verdict_of_run){ .ok = true };
	w->sc = sc;
	w->out = out;
	w->nflows = sc->flows ? sc->flows : 1;
	w->flows = calloc(w->nflows, sizeof(*w->flows));
	rng_init(&w->rng, (const uint64_t[2]){ seed, 0x776f726c64 });
	rng_init(&w->takeovers, (const uint64_t[2]){ seed, 0x74616b656f766572 });
	make_pattern(w);
	w->sim = make_sim(sc, seed, trace);
	sim_on_event(w->sim, on_event, w);
	sim_on_wire(w->sim, wire_frame, w);
	return w;
}

/* Nobody is left: what do the stacks keep? */
static void afterwards(struct world *w, const struct glass_memory *before)
{
	for (unsigned i = 0; i < 2; i++)
		sim_stack(w->sim, i)->pool.fail_countdown = 0;
	glass_close(sim_stack(w->sim, 1), w->listener);
	w->listener = NULL;
	w->open = UINT_MAX;
	/* orphans end, TIME-WAIT too */
	sim_run(w->sim, NULL, NULL, sim_now(w->sim) + 1200 * S);
	check_account(w);
	check_drops(w);
	check_memory(w, before);
}

void play(const struct scenario *sc, uint64_t seed, bool trace, struct verdict_of_run *out)
{
	struct world *w = world_new(sc, seed, trace, out);
	struct glass_memory before[2];

	for (unsigned i = 0; i < 2; i++) {
		/* bad luck is no error of TCP's */
		glass_tunable_set(sim_stack(w->sim, i), "arp_probes_max", 20);
		if (sc->mem_max_mb)
			glass_tunable_set(sim_stack(w->sim, i), "mem_max_mb", sc->mem_max_mb);
		glass_memory(sim_stack(w->sim, i), &before[i]);
	}
	approach_wrap(w);
	listen_on(w);
	run(w);
	note_recovery(w);
	if (out->ok)
		afterwards(w, before);
	if (!out->ok)
		print_rings(w->sim);
	save_rings(w->sim);
	print_stats(w);
	out->hash = sim_trace_hash(w->sim);
	sim_free(w->sim);
	free(w->flows);
	free(w);
}
