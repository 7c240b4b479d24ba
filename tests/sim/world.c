/* SPDX-License-Identifier: MIT */
/* Connections that send and judge known bytes: see world.h. */
#include "world.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glass/glass_trace.h>

#include "../../src/base/rng.h"

#define PORT 7
#define PERIOD 65521u /* of the pattern: a prime, so that no segment size divides it */
#define CHUNK_MAX 65536

struct flow;

/* One end of a connection. */
struct end {
	struct flow *flow;
	unsigned side;
	struct glass_sock *s;
	uint64_t sent, received;
	bool begun, shut, eof, gone;
	int error;
	bool read_pending; /* slow reader: the next turn is scheduled */
};

struct flow {
	struct world *w;
	unsigned number;
	uint16_t port; /* of side 0 */
	struct end end[2];
};

struct world {
	const struct scenario *sc;
	struct sim *sim;
	struct rng rng;
	struct glass_sock *listener;
	struct flow *flows;
	unsigned nflows, open;
	struct verdict_of_run *out;
	uint8_t pattern[PERIOD + CHUNK_MAX];
	uint8_t chunk[CHUNK_MAX];
};

static void end_turn(struct world *w, struct end *e);

__attribute__((format(printf, 2, 3))) static void fail(struct world *w, const char *format, ...)
{
	va_list ap;

	if (!w->out->ok)
		return; /* the first one counts */
	w->out->ok = false;
	va_start(ap, format);
	vsnprintf(w->out->why, sizeof(w->out->why), format, ap);
	va_end(ap);
}

/*
 * ---- bytes
 * ------------------------------------------------------------------------------------------
 */

/* Every stream begins elsewhere in the pattern. */
static const uint8_t *expected(struct world *w, const struct end *e, unsigned from, uint64_t place)
{
	return w->pattern + (place + e->flow->number * 7919u + from * 30011u) % PERIOD;
}

static void make_pattern(struct world *w)
{
	for (unsigned i = 0; i < PERIOD; i++)
		w->pattern[i] = (uint8_t)rng_u64(&w->rng);
	for (unsigned i = 0; i < CHUNK_MAX; i++)
		w->pattern[PERIOD + i] = w->pattern[i % PERIOD];
}

static uint64_t to_send(const struct world *w, const struct end *e)
{
	return w->sc->bytes[e->side];
}

static size_t min_size(uint64_t a, uint64_t b)
{
	return (size_t)(a < b ? a : b);
}

/*
 * ---- an end's life
 * ----------------------------------------------------------------------------------
 */

static void end_gone(struct world *w, struct end *e)
{
	e->s = NULL;
	e->gone = true;
	w->open--;
}

static void end_failed(struct world *w, struct end *e, int error)
{
	e->error = error;
	if (w->sc->ending != END_ABORT)
		fail(w, "flow %u side %u: %s after %llu bytes sent, %llu received", e->flow->number,
		     e->side, strerror(error), (unsigned long long)e->sent,
		     (unsigned long long)e->received);
	glass_close(sim_stack(w->sim, e->side), e->s);
	end_gone(w, e);
}

static void end_abort(struct world *w, struct end *e)
{
	glass_abort(sim_stack(w->sim, e->side), e->s);
	end_gone(w, e);
}

/* As much as goes; random sizes, so that writes and segments do not march in step. */
static void end_send(struct world *w, struct end *e)
{
	struct glass *g = sim_stack(w->sim, e->side);

	if (w->sc->ending == END_HALF && e->side && !e->eof)
		return;
	while (e->s && e->sent < to_send(w, e)) {
		size_t want = min_size(to_send(w, e) - e->sent, 1 + rng_below(&w->rng, CHUNK_MAX));
		int64_t n = glass_send(g, e->s, expected(w, e, e->side, e->sent), want);

		if (n == -EAGAIN)
			return;
		if (n <= 0 || n > (int64_t)want) {
			end_failed(w, e, n < 0 ? (int)-n : EPROTO);
			return;
		}
		e->sent += (uint64_t)n;
		if (w->sc->ending == END_ABORT && !e->side && e->sent >= to_send(w, e) / 2) {
			end_abort(w, e);
			return;
		}
	}
}

static void end_eof(struct world *w, struct end *e)
{
	uint64_t want = to_send(w, &e->flow->end[!e->side]);

	e->eof = true;
	if (e->received != want && w->sc->ending != END_ABORT)
		fail(w, "flow %u side %u: end of stream after %llu of %llu bytes", e->flow->number,
		     e->side, (unsigned long long)e->received, (unsigned long long)want);
	if (w->sc->ending == END_ABORT && e->side)
		fail(w, "flow %u: an abort of side 0 looks like an orderly end to side 1",
		     e->flow->number);
}

/* Reads at most limit bytes. */
static void end_receive(struct world *w, struct end *e, size_t limit)
{
	struct glass *g = sim_stack(w->sim, e->side);

	while (e->s && !e->eof && limit) {
		size_t want = min_size(limit, 1 + rng_below(&w->rng, CHUNK_MAX));
		int64_t n = glass_recv(g, e->s, w->chunk, want);

		if (n == -EAGAIN)
			return;
		if (n == 0) {
			end_eof(w, e);
			return;
		}
		if (n < 0) {
			end_failed(w, e, (int)-n);
			return;
		}
		if (memcmp(w->chunk, expected(w, e, !e->side, e->received), (size_t)n) != 0)
			fail(w, "flow %u side %u: a wrong byte between %llu and %llu",
			     e->flow->number, e->side, (unsigned long long)e->received,
			     (unsigned long long)e->received + (unsigned long long)n);
		e->received += (uint64_t)n;
		limit -= (size_t)n;
	}
}

static void read_again(void *arg)
{
	struct end *e = arg;

	e->read_pending = false;
	if (!e->s || e->eof)
		return;
	end_receive(e->flow->w, e, e->flow->w->sc->read_bytes);
	if (e->s)
		end_turn(e->flow->w, e);
}

static void end_read(struct world *w, struct end *e)
{
	if (!w->sc->read_every_ns) {
		end_receive(w, e, SIZE_MAX);
	} else if (!e->read_pending && !e->eof) {
		e->read_pending = true;
		sim_call_at(w->sim, sim_now(w->sim) + w->sc->read_every_ns, read_again, e);
	}
}

static void close_now(void *arg)
{
	struct end *e = arg;

	if (!e->s)
		return;
	glass_close(sim_stack(e->flow->w->sim, e->side), e->s);
	end_gone(e->flow->w, e);
}

/* Both have sent and read everything, and close at the same moment. */
static void close_together(struct world *w, struct flow *f)
{
	for (unsigned i = 0; i < 2; i++)
		if (!f->end[i].s || f->end[i].shut || f->end[i].sent < to_send(w, &f->end[i]) ||
		    f->end[i].received < to_send(w, &f->end[!i]))
			return;
	for (unsigned i = 0; i < 2; i++) {
		f->end[i].shut = true;
		sim_call_at(w->sim, sim_now(w->sim) + S, close_now, &f->end[i]);
	}
}

static void end_finish(struct world *w, struct end *e)
{
	struct glass *g = sim_stack(w->sim, e->side);

	if (w->sc->ending == END_TOGETHER) {
		close_together(w, e->flow);
		return;
	}
	if (e->sent == to_send(w, e) && !e->shut) {
		e->shut = true;
		glass_shutdown(g, e->s, GLASS_SHUT_WR);
	}
	if (e->shut && e->eof) {
		glass_close(g, e->s);
		end_gone(w, e);
	}
}

static void end_turn(struct world *w, struct end *e)
{
	end_read(w, e);
	if (e->s)
		end_send(w, e);
	if (e->s)
		end_finish(w, e);
}

/*
 * ---- the world
 * --------------------------------------------------------------------------------------
 */

static void set_options(struct world *w, struct glass *g, struct glass_sock *s)
{
	if (w->sc->rcvbuf)
		glass_setopt(g, s, GLASS_OPT_RCVBUF, w->sc->rcvbuf);
	if (w->sc->sndbuf)
		glass_setopt(g, s, GLASS_OPT_SNDBUF, w->sc->sndbuf);
	if (w->sc->nodelay)
		glass_setopt(g, s, GLASS_OPT_NODELAY, 1);
}

static void adopt(struct end *e, struct glass_sock *s)
{
	e->s = s;
	e->begun = true;
	glass_sock_set_user(s, e);
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

static void start_flow(void *arg)
{
	struct flow *f = arg;
	struct world *w = f->w;
	struct glass *g = sim_stack(w->sim, 0);
	struct glass_end to = { sim_addr(1), PORT }, local;
	struct glass_sock *s = glass_socket(g, GLASS_TCP);
	int err;

	if (!s) {
		fail(w, "glass_socket: NULL");
		return;
	}
	set_options(w, g, s);
	adopt(&f->end[0], s);
	err = glass_connect(g, s, &to);
	if (err != -EINPROGRESS)
		fail(w, "glass_connect: %d", err);
	glass_local(s, &local);
	f->port = local.port;
}

static void listen_on(struct world *w)
{
	struct glass *g = sim_stack(w->sim, 1);
	struct glass_end any = { { GLASS_UNSPEC, { 0 } }, PORT };

	w->listener = glass_socket(g, GLASS_TCP);
	if (!w->listener || (set_options(w, g, w->listener), glass_bind(g, w->listener, &any)) ||
	    glass_listen(g, w->listener, 4096))
		fail(w, "cannot listen");
}

/* Asked for by the environment variable SIM_TRACE: the last records of both sides. */
static void print_trace(struct world *w)
{
	const char *wanted = getenv("SIM_TRACE");
	uint64_t last = wanted ? strtoull(wanted, NULL, 10) : 0;
	struct glass_record rec;
	struct glass_reader r;
	char text[512];

	for (unsigned side = 0; last && side < 2; side++) {
		size_t bytes;
		const struct glass_ring *ring = sim_ring(w->sim, side, &bytes);

		if (!ring || glass_reader_open(&r, ring, bytes))
			return;
		while (glass_reader_next(&r, &rec)) {
			const struct glass_event_desc *e = glass_event_desc(rec.event);

			glass_record_text(&r, &rec, text, sizeof(text));
			if (r.next + last >= ring->head)
				printf("# %u %14.6f ms #%u<-#%u conn %u %s %s %s\n", side,
				       (double)(rec.time_ns - ring->start_ns) / 1e6, rec.pkt,
				       rec.cause, rec.conn, glass_reader_word(&r, rec.room),
				       e ? e->name : "?", text);
		}
	}
}

/* Asked for by SIM_STATS: the counters that have counted. */
static void print_stats(struct world *w)
{
	struct glass_stat st;

	for (unsigned side = 0; getenv("SIM_STATS") && side < 2; side++)
		for (unsigned i = 0; glass_stat_at(sim_stack(w->sim, side), i, &st); i++)
			if (st.value)
				printf("# %u %s%s %llu\n", side, st.group, st.name,
				       (unsigned long long)st.value);
}

static bool all_over(void *arg)
{
	const struct world *w = arg;

	return !w->open || !w->out->ok;
}

/* Everything that the wire delivered had exactly one fate. */
static void check_account(struct world *w)
{
	for (unsigned side = 0; side < 2; side++) {
		uint64_t rx = 0, accepted = 0, dropped = 0,
			 delivered = sim_counts(w->sim, !side)->delivered;
		struct glass_stat st;

		for (unsigned i = 0; glass_stat_at(sim_stack(w->sim, side), i, &st); i++) {
			rx = strcmp(st.name, "RxPackets") ? rx : st.value;
			accepted = strcmp(st.name, "RxAccepted") ? accepted : st.value;
			dropped = strcmp(st.name, "RxDropped") ? dropped : st.value;
		}
		if (rx != delivered || rx != accepted + dropped)
			fail(w,
			     "side %u: %llu frames delivered, %llu received = %llu accepted + %llu "
			     "dropped?",
			     side, (unsigned long long)delivered, (unsigned long long)rx,
			     (unsigned long long)accepted, (unsigned long long)dropped);
	}
}

static void check_drop(struct world *w)
{
	struct glass_stat st;
	uint64_t n = 0;

	for (unsigned side = 0; w->sc->must_drop && side < 2; side++)
		for (unsigned i = 0; glass_stat_at(sim_stack(w->sim, side), i, &st); i++)
			n += strcmp(st.name, w->sc->must_drop) ? 0 : st.value;
	if (w->sc->must_drop && !n)
		fail(w, "the wire did its worst, but nothing was dropped as %s", w->sc->must_drop);
}

/* After TIME-WAIT nothing is left but a few spare buffers and the tables. */
static void check_memory(struct world *w, const struct glass_memory *before)
{
	struct glass_memory after;

	for (unsigned side = 0; side < 2; side++) {
		glass_memory(sim_stack(w->sim, side), &after);
		if (after.connections || after.sockets || after.packets || after.buffers > 1)
			fail(w, "side %u keeps %u connections, %u sockets, %u packets, %u buffers",
			     side, after.connections, after.sockets, after.packets, after.buffers);
		if (after.bytes > before[side].bytes + 512 * 1024)
			fail(w, "side %u keeps %llu bytes more than before", side,
			     (unsigned long long)(after.bytes - before[side].bytes));
	}
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
	if (end != SIM_DONE && w->sc->ending == END_ABORT && !never_begun_excepted(w))
		return;
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

void play(const struct scenario *sc, uint64_t seed, bool trace, struct verdict_of_run *out)
{
	struct sim_setup setup = {
		.seed = seed,
		.start_ns = (int64_t)(4294967296 - 500) *
			    MS, /* the millisecond clock wraps after half a second */
		.mtu_bytes = sc->mtu_bytes,
		.offload = { sc->offload, sc->mixed ? sc->offload1 : sc->offload },
		.way = { sc->way[0],
			 sc->way[1].delay_ns || sc->way[1].rate_bit_s ? sc->way[1] : sc->way[0] },
		.ring_records = trace ? 65536 : 0,
	};
	struct world *w = calloc(1, sizeof(*w));
	struct glass_memory before[2];

	*out = (struct verdict_of_run){ .ok = true };
	w->sc = sc;
	w->out = out;
	w->nflows = sc->flows ? sc->flows : 1;
	w->flows = calloc(w->nflows, sizeof(*w->flows));
	rng_init(&w->rng, (const uint64_t[2]){ seed, 0x776f726c64 });
	make_pattern(w);
	w->sim = sim_new(&setup);
	for (unsigned i = 0; i < 2; i++) {
		glass_tunable_set(sim_stack(w->sim, i), "arp_probes_max",
				  20); /* bad luck is no error of TCP's */
		if (sc->mem_max_mb)
			glass_tunable_set(sim_stack(w->sim, i), "mem_max_mb", sc->mem_max_mb);
		glass_memory(sim_stack(w->sim, i), &before[i]);
	}
	sim_on_event(w->sim, on_event, w);
	listen_on(w);
	run(w);
	if (out->ok) {
		glass_close(sim_stack(w->sim, 1), w->listener);
		w->listener = NULL;
		sim_run(w->sim, NULL, NULL,
			sim_now(w->sim) + 1200 * S); /* orphans end, TIME-WAIT too */
		check_account(w);
		check_drop(w);
		check_memory(w, before);
	}
	if (!out->ok)
		print_trace(w);
	print_stats(w);
	out->hash = sim_trace_hash(w->sim);
	sim_free(w->sim);
	free(w->flows);
	free(w);
}
