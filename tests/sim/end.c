/* SPDX-License-Identifier: MIT */
/*
 * The programs at both ends of a connection: they write and read known bytes, in odd sizes and
 * sometimes slowly, and end in their several ways.
 *
 * In: world.c (events), the clock.  Out: the stacks' socket calls.
 */
#include "inside.h"

#include <errno.h>
#include <string.h>

const uint8_t *expected(struct world *w, const struct flow *f, unsigned from, uint64_t place)
{
	return w->pattern + (place + f->number * 7919u + from * 30011u) % PERIOD;
}

uint64_t to_send(const struct world *w, const struct end *e)
{
	return w->sc->bytes[e->side];
}

bool tolerant(const struct world *w)
{
	return w->sc->ending == END_ABORT || w->sc->fail_every;
}

static size_t min_size(uint64_t a, uint64_t b)
{
	return (size_t)(a < b ? a : b);
}

void end_gone(struct world *w, struct end *e)
{
	e->s = NULL;
	e->gone = true;
	w->open--;
}

static void end_failed(struct world *w, struct end *e, int error)
{
	e->error = error;
	if (!tolerant(w))
		fail(w, "flow %u side %u: %s after %llu bytes sent, %llu received", e->flow->number,
		     e->side, strerror(error), (unsigned long long)e->sent,
		     (unsigned long long)e->received);
	glass_close(sim_stack(w->sim, e->side), e->s);
	end_gone(w, e);
}

static void end_abort(struct world *w, struct end *e)
{
	e->aborted = true;
	glass_abort(sim_stack(w->sim, e->side), e->s);
	end_gone(w, e);
}

static bool aborts(const struct world *w, const struct end *e)
{
	return w->sc->ending == END_ABORT && e->side == w->sc->abort_side;
}

/* A program that writes in place, and stops short of what it was offered. */
static int64_t write_short(struct world *w, struct end *e, const uint8_t *bytes, size_t want)
{
	struct glass *g = sim_stack(w->sim, e->side);
	size_t n;
	uint8_t *at = glass_send_reserve(g, e->s, want, &n);

	if (!at)
		return glass_send(g, e->s, bytes, want); /* for its error */
	n = 1 + rng_below(&w->rng, (uint32_t)n);
	memcpy(at, bytes, n);
	glass_send_commit(g, e->s, n);
	return (int64_t)n;
}

static int64_t write_some(struct world *w, struct end *e, size_t want)
{
	const uint8_t *bytes = expected(w, e->flow, e->side, e->sent);

	if (w->sc->short_writes && rng_below(&w->rng, SIM_MILLION) < w->sc->short_writes)
		return write_short(w, e, bytes, want);
	return glass_send(sim_stack(w->sim, e->side), e->s, bytes, want);
}

/* As much as goes; random sizes, so that writes and segments do not march in step. */
static void end_send(struct world *w, struct end *e)
{
	uint32_t max = w->sc->write_max ? (uint32_t)w->sc->write_max : CHUNK_MAX;

	if (w->sc->ending == END_HALF && e->side && !e->eof)
		return;
	while (e->s && e->sent < to_send(w, e)) {
		size_t want = min_size(to_send(w, e) - e->sent, 1 + rng_below(&w->rng, max));
		int64_t n = write_some(w, e, want);

		if (n == -EAGAIN)
			return;
		if (n <= 0 || n > (int64_t)want) {
			end_failed(w, e, n < 0 ? (int)-n : EPROTO);
			return;
		}
		e->sent += (uint64_t)n;
		if (aborts(w, e) && e->sent >= to_send(w, e) / 2) {
			end_abort(w, e);
			return;
		}
	}
}

static void end_eof(struct world *w, struct end *e)
{
	const struct end *peer = &e->flow->end[!e->side];

	e->eof = true;
	if (peer->aborted)
		fail(w, "flow %u: an abort of side %u looks like an orderly end", e->flow->number,
		     peer->side);
	else if (e->received != to_send(w, peer))
		fail(w, "flow %u side %u: end of stream after %llu of %llu bytes", e->flow->number,
		     e->side, (unsigned long long)e->received,
		     (unsigned long long)to_send(w, peer));
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
		if (memcmp(w->chunk, expected(w, e->flow, !e->side, e->received), (size_t)n) != 0)
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

void end_turn(struct world *w, struct end *e)
{
	end_read(w, e);
	if (e->s)
		end_send(w, e);
	if (e->s)
		end_finish(w, e);
}
