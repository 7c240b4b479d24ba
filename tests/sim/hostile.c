/* SPDX-License-Identifier: MIT */
/* The program on the stack, the course of a seed, and the judge: see hostile.h. */
#include "hostile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../../src/stack/stack.h"
#include "inside.h"

#define TICK_MS 25
#define HONEST_MS_MAX (1800 * 1000)
#define EVIL_MS_MAX 10000
#define FORGED_PER_TICK 4
#define FORGED_MS_MAX 30000 /* after that an honest stream has its peace */
#define MEMORY_MAX (8u << 20)
#define AFTERWARDS_S 5000

void hostile_fail(struct hostile *h, const char *why)
{
	if (!h->out->ok)
		return;
	h->out->ok = false;
	snprintf(h->out->why, sizeof(h->out->why),
		 "%s peer, %s: %s; the stack's program sent %llu and received %llu, the peer has "
		 "%u and %u acknowledged",
		 h->evil ? "an evil" : "an honest", h->passive ? "passive" : "active", why,
		 (unsigned long long)h->sent, (unsigned long long)h->received,
		 h->rcv_nxt - h->irs - 1, h->una - h->iss - 1);
}

uint8_t hostile_byte(unsigned from, uint64_t place)
{
	return (uint8_t)((place * 2654435761u >> 13) ^ place ^ from * 77);
}

bool hostile_chance(struct hostile *h, unsigned percent)
{
	return rng_below(&h->rng, 100) < percent;
}

/* ---- the program ----------------------------------------------------------------------------- */

static void program_gone(struct hostile *h, int64_t err)
{
	if (!h->evil)
		hostile_fail(h, strerror((int)-err));
	glass_close(sim_stack(h->sim, 0), h->s);
	h->s = NULL;
}

static void program_reads(struct hostile *h)
{
	uint8_t bytes[4096];
	int64_t n;

	while (h->s && !h->eof) {
		n = glass_recv(sim_stack(h->sim, 0), h->s, bytes,
			       1 + rng_below(&h->rng, sizeof(bytes)));
		if (n == -EAGAIN)
			return;
		if (n < 0) {
			program_gone(h, n);
			return;
		}
		h->eof = !n;
		for (int64_t i = 0; i < n && !h->changes; i++)
			if (bytes[i] != hostile_byte(1, h->received + (uint64_t)i))
				hostile_fail(h, "the program reads a wrong byte");
		h->received += (uint64_t)n;
	}
	if (h->eof && !h->evil && h->received != h->to_send)
		hostile_fail(h, "the stream ends too early");
}

static void program_writes(struct hostile *h)
{
	uint8_t bytes[4096];

	while (h->s && h->sent < h->to_receive) {
		uint64_t left = h->to_receive - h->sent;
		size_t want = 1 + rng_below(&h->rng, sizeof(bytes));
		int64_t n;

		want = want < left ? want : left;
		for (size_t i = 0; i < want; i++)
			bytes[i] = hostile_byte(0, h->sent + i);
		n = glass_send(sim_stack(h->sim, 0), h->s, bytes, want);
		if (n == -EAGAIN || n == -ENOTCONN)
			return;
		if (n < 0) {
			program_gone(h, n);
			return;
		}
		h->sent += (uint64_t)n;
	}
	if (h->s && !h->shut && h->sent == h->to_receive) {
		glass_shutdown(sim_stack(h->sim, 0), h->s, GLASS_SHUT_WR);
		h->shut = true;
	}
}

static void on_event(void *arg, unsigned side, const struct glass_event *e)
{
	struct hostile *h = arg;

	(void)side;
	if (e->sock == h->listener) {
		struct glass_sock *s = glass_accept(sim_stack(h->sim, 0), h->listener);

		if (s && h->s) /* a stranger came in, or an evil peer once more */
			glass_abort(sim_stack(h->sim, 0), s);
		else
			h->s = s ? s : h->s;
	} else if (e->sock != h->s) {
		return;
	}
	if (!h->s || (glass_ready(sim_stack(h->sim, 0), h->s) & (GLASS_CONNECTED | GLASS_ERR)) == 0)
		return;
	program_reads(h);
	program_writes(h);
}

static void open_socket(struct hostile *h)
{
	struct glass_end peer = { sim_addr(1), PEER_PORT },
			 any = { { GLASS_UNSPEC, { 0 } }, STACK_PORT };
	struct glass *g = sim_stack(h->sim, 0);
	struct glass_sock *s = glass_socket(g, GLASS_TCP);

	glass_setopt(g, s, GLASS_OPT_RCVBUF, 2304 + rng_below(&h->rng, 100000));
	glass_setopt(g, s, GLASS_OPT_SNDBUF, 4608 + rng_below(&h->rng, 100000));
	if (h->passive) {
		h->listener = s;
		if (glass_bind(g, s, &any) || glass_listen(g, s, 8))
			hostile_fail(h, "cannot listen");
		return;
	}
	h->s = s;
	if (glass_connect(g, s, &peer) != -EINPROGRESS)
		hostile_fail(h, "cannot connect");
}

/* ---- the course ------------------------------------------------------------------------------ */

static void tick(void *arg)
{
	struct hostile *h = arg;

	if (h->silent)
		return;
	h->tick_ms += TICK_MS;
	peer_tick(h);
	for (unsigned n = rng_below(&h->rng, FORGED_PER_TICK);
	     n && (h->evil ? h->begun : h->established && h->tick_ms < FORGED_MS_MAX); n--)
		forge(h);
	sim_call_at(h->sim, sim_now(h->sim) + TICK_MS * MS, tick, h);
}

static bool is_over(void *arg)
{
	struct hostile *h = arg;
	const char *wrong = inspect(sim_stack(h->sim, 0));
	struct glass_memory m;

	if (wrong)
		hostile_fail(h, wrong);
	glass_memory(sim_stack(h->sim, 0), &m);
	if (m.bytes > h->memory_max)
		hostile_fail(h, "it takes more memory than it may");
	if (!h->out->ok)
		return true;
	return !h->evil && h->eof && h->shut && peer_done(h);
}

static void check_nothing_left(struct hostile *h)
{
	const struct sim_counts *wire = sim_counts(h->sim, 1);
	struct glass *g = sim_stack(h->sim, 0);
	struct glass_memory m;

	glass_memory(g, &m);
	if (m.connections || m.sockets || m.packets || m.buffers > 1)
		hostile_fail(h, "connections, sockets, packets or buffers are left");
	if (g->stats[STAT_DEV_RX] != wire->delivered ||
	    g->stats[STAT_DEV_RX] != g->stats[STAT_RX_ACCEPTED] + g->stats[STAT_RX_DROPPED])
		hostile_fail(h, "a packet is not accounted for");
}

static void course(struct hostile *h)
{
	int64_t limit = (h->evil ? EVIL_MS_MAX : HONEST_MS_MAX) * MS;
	struct glass *g = sim_stack(h->sim, 0);
	int64_t began = sim_now(h->sim);
	enum sim_end end;

	open_socket(h);
	if (h->passive)
		peer_connect(h);
	tick(h);
	end = sim_run(h->sim, is_over, h, began + limit);
	h->out->took_ns = sim_now(h->sim) - began;
	if (end != SIM_DONE && (!h->evil || end != SIM_DEADLINE))
		hostile_fail(h, end == SIM_LIVELOCK ? "it sends without end" : "it takes too long");
	h->silent = true;
	if (h->s)
		glass_close(g, h->s);
	if (h->listener)
		glass_close(g, h->listener);
	h->s = h->listener = NULL;
	sim_run(h->sim, NULL, NULL, sim_now(h->sim) + AFTERWARDS_S * S);
	check_nothing_left(h);
}

static void choose(struct hostile *h)
{
	static const uint16_t mss[] = { 1460, 1460, 536, 100, 1, 0 };

	h->evil = hostile_chance(h, 50);
	h->passive = hostile_chance(h, 50);
	h->to_send = rng_below(&h->rng, hostile_chance(h, 50) ? 50000 : 3000);
	h->to_receive = rng_below(&h->rng, hostile_chance(h, 50) ? 50000 : 3000);
	h->iss =
		hostile_chance(h, 50) ? (uint32_t)rng_u64(&h->rng) : 0u - rng_below(&h->rng, 30000);
	h->tsval =
		hostile_chance(h, 50) ? (uint32_t)rng_u64(&h->rng) : 0u - rng_below(&h->rng, 9000);
	h->mss = mss[rng_below(&h->rng, sizeof(mss) / sizeof(mss[0]))];
	h->offers_ts = hostile_chance(h, 70);
	h->offers_sack = hostile_chance(h, 70);
	h->offers_ws = hostile_chance(h, 70);
	h->ws = h->offers_ws ? (uint8_t)rng_below(&h->rng, 16) : 0;
	h->win = 65535;
}

void play_hostile(uint64_t seed, struct verdict_of_run *out)
{
	struct sim_setup setup = { .seed = seed, .foreign = true, .ring_records = 65536 };
	struct hostile h = { .out = out };
	struct glass_memory before;

	*out = (struct verdict_of_run){ .ok = true };
	rng_init(&h.rng, (const uint64_t[2]){ seed, 0x686f7374696c65 });
	choose(&h);
	setup.start_ns = (int64_t)rng_below(&h.rng, 1u << 31) * 4;
	for (unsigned i = 0; i < 2; i++)
		setup.way[i] =
			(struct impair_way){ .delay_ns = 1 + rng_below(&h.rng, 40) * MS,
					     .loss = hostile_chance(&h, 30) ? 20000 : 0,
					     .duplicate = hostile_chance(&h, 20) ? 50000 : 0 };
	h.sim = sim_new(&setup);
	glass_memory(sim_stack(h.sim, 0), &before);
	h.memory_max = before.bytes + MEMORY_MAX;
	sim_on_frame(h.sim, peer_frame, &h);
	sim_on_event(h.sim, on_event, &h);
	course(&h);
	if (!out->ok)
		print_rings(h.sim);
	save_rings(h.sim);
	out->hash = sim_trace_hash(h.sim);
	sim_free(h.sim);
}
