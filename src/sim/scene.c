/* SPDX-License-Identifier: MIT */
/*
 * Scenes: what two small programs do on the two stacks of the simulator, and what the wire between
 * them is like. The lessons of docs/tour are played with them, and "glass step --seed".
 *
 * In: glass step.	Out: sim.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scene.h"
#include "sim.h"

#include "../base/rng.h"

#define PORT 8080
#define RING_RECORDS 65536
#define MS 1000000ll
#define SECOND (1000 * MS)
#define CONNECT_NS (100 * MS) /* the devices have announced themselves by then */
#define DELAY_NS (10 * MS)
#define CHUNK 4096
#define NOBODY_LAST 6 /* of 10.0.0.6 */

static const char request[] = "GET / HTTP/1.1\r\nHost: 10.0.0.5:8080\r\n\r\n";
static const char page[] = "HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";

struct plan {
	const char *name, *about;
	bool nobody;		/* the client calls an address that no host has */
	size_t upload;		/* bytes that the client sends; 0: it asks for a page */
	int64_t read_ns;	/* the server begins to read so long after it accepted */
	int64_t receive_buffer; /* of the server; 0: as always */
	struct impair_way way[2];
};

static const struct plan plans[] = {
	{ .name = "fetch", .about = "a page is asked for and comes, over a good network" },
	{ .name = "nobody",
	  .about = "a connection to an address that no host has",
	  .nobody = true },
	{ .name = "loss",
	  .about = "an upload whose end is lost, and so are two attempts to send it again",
	  .upload = 4000,
	  .way = { { .drop = { { .n = 3, .count = 3, .kind = IMPAIR_DATA } } } } },
	{ .name = "recovery",
	  .about = "an upload that loses one segment in the middle",
	  .upload = 40000,
	  .way = { { .drop = { { .n = 12, .kind = IMPAIR_DATA } } } } },
	{ .name = "window",
	  .about = "an upload to a server that does not read for two seconds",
	  .upload = 60000,
	  .read_ns = 2 * SECOND,
	  .receive_buffer = 20000 },
};
#define PLANS (sizeof(plans) / sizeof(plans[0]))

struct scene {
	struct sim *sim;
	struct plan plan;
	struct glass_sock *client, *listener, *server;
	size_t to_send;
	bool asked, reads, finished;
};

const char *scene_name(unsigned i)
{
	return i < PLANS ? plans[i].name : NULL;
}

const char *scene_about(unsigned i)
{
	return i < PLANS ? plans[i].about : NULL;
}

/* ---- the client ---- */

static void client_end(struct scene *s)
{
	glass_close(sim_stack(s->sim, 0), s->client);
	s->client = NULL;
}

static void client_upload(struct scene *s)
{
	static const char bytes[CHUNK];
	struct glass *g = sim_stack(s->sim, 0);
	int64_t n = 1;

	while (s->to_send && n > 0) {
		n = glass_send(g, s->client, bytes, s->to_send < CHUNK ? s->to_send : CHUNK);
		s->to_send -= n > 0 ? (size_t)n : 0;
	}
	if (s->to_send || s->finished)
		return;
	s->finished = true;
	glass_shutdown(g, s->client, GLASS_SHUT_WR);
}

static void client_runs(struct scene *s)
{
	struct glass *g = sim_stack(s->sim, 0);
	unsigned ready = s->client ? glass_ready(g, s->client) : 0;
	char bytes[CHUNK];
	int64_t n;

	if (ready & (GLASS_ERR | GLASS_HUP)) {
		client_end(s);
		return;
	}
	if (ready & GLASS_OUT && s->plan.upload) {
		client_upload(s);
	} else if (ready & GLASS_OUT && !s->asked) {
		glass_send(g, s->client, request, sizeof(request) - 1);
		s->asked = true;
	}
	if (!(ready & GLASS_IN))
		return;
	do {
		n = glass_recv(g, s->client, bytes, sizeof(bytes));
	} while (n > 0);
	if (!n)
		client_end(s);
}

static void client_connects(void *arg)
{
	struct scene *s = arg;
	struct glass *g = sim_stack(s->sim, 0);
	struct glass_end to = { .addr = s->plan.nobody ? glass_ip4(10, 0, 0, NOBODY_LAST)
						       : sim_addr(1),
				.port = PORT };

	s->client = glass_socket(g, GLASS_TCP);
	if (s->client)
		glass_connect(g, s->client, &to);
}

/* ---- the server ---- */

static void server_end(struct scene *s)
{
	struct glass *g = sim_stack(s->sim, 1);

	glass_close(g, s->server);
	s->server = NULL;
	glass_close(g, s->listener);
	s->listener = NULL;
}

/* One connection: a request is answered by the page, an upload is read to its end. */
static void server_reads(struct scene *s)
{
	struct glass *g = sim_stack(s->sim, 1);
	char bytes[CHUNK];
	int64_t n;

	while (s->server && s->reads) {
		n = glass_recv(g, s->server, bytes, sizeof(bytes));
		if (n < 0 && n == -EAGAIN)
			return;
		if (n > 0 && s->plan.upload)
			continue;
		if (n > 0)
			glass_send(g, s->server, page, sizeof(page) - 1);
		server_end(s);
	}
}

static void server_wakes(void *arg)
{
	struct scene *s = arg;

	s->reads = true;
	server_reads(s);
}

static void server_runs(struct scene *s)
{
	if (!s->server && s->listener) {
		s->server = glass_accept(sim_stack(s->sim, 1), s->listener);
		if (s->server && s->plan.read_ns)
			sim_call_at(s->sim, sim_now(s->sim) + s->plan.read_ns, server_wakes, s);
	}
	server_reads(s);
}

static bool server_listens(struct scene *s)
{
	struct glass *g = sim_stack(s->sim, 1);
	const struct glass_end at = { .port = PORT };

	s->listener = glass_socket(g, GLASS_TCP);
	s->reads = !s->plan.read_ns;
	if (s->listener && s->plan.receive_buffer)
		glass_setopt(g, s->listener, GLASS_OPT_RCVBUF, s->plan.receive_buffer);
	return s->listener && !glass_bind(g, s->listener, &at) && !glass_listen(g, s->listener, 1);
}

/* ---- scenes ---- */

static void on_event(void *arg, unsigned side, const struct glass_event *e)
{
	(void)e;
	(side ? server_runs : client_runs)(arg);
}

/* A mobile network at its worst is about what comes out. */
static void plan_of_seed(struct plan *p, uint64_t seed)
{
	struct rng rng;

	rng_init(&rng, (const uint64_t[2]){ seed, 0x7363656e65 });
	*p = (struct plan){ .name = "seed", .about = "an upload over a network made from a seed" };
	p->upload = 20000 + rng_below(&rng, 280000);
	for (unsigned i = 0; i < 2; i++) {
		struct impair_way *way = &p->way[i];

		way->delay_ns = (1 + rng_below(&rng, 80)) * MS;
		way->jitter_ns = rng_below(&rng, 2) ? rng_below(&rng, 10) * MS : 0;
		way->loss = rng_below(&rng, 4) ? rng_below(&rng, 50000) : 0;
		way->reorder = rng_below(&rng, 3) ? 0 : rng_below(&rng, 20000);
		way->reorder_ns = way->reorder ? (1 + rng_below(&rng, 20)) * MS : 0;
		way->duplicate = rng_below(&rng, 4) ? 0 : rng_below(&rng, 10000);
		way->rate_bit_s = rng_below(&rng, 2) ? (1 + rng_below(&rng, 50)) * 1000000ull : 0;
		way->queue_frames = way->rate_bit_s ? 20 + rng_below(&rng, 200) : 0;
	}
}

static bool plan_find(struct plan *p, const char *name)
{
	for (unsigned i = 0; i < PLANS; i++) {
		if (strcmp(plans[i].name, name) != 0)
			continue;
		*p = plans[i];
		for (unsigned way = 0; way < 2; way++)
			p->way[way].delay_ns = DELAY_NS;
		return true;
	}
	return false;
}

struct scene *scene_new(const char *name, uint64_t seed)
{
	struct sim_setup setup = { .seed = seed, .ring_records = RING_RECORDS, .tell = true };
	struct scene *s = calloc(1, sizeof(*s));

	if (!s || (name && !plan_find(&s->plan, name)))
		goto fail;
	if (!name)
		plan_of_seed(&s->plan, seed);
	memcpy(setup.way, s->plan.way, sizeof(setup.way));
	s->to_send = s->plan.upload;
	s->sim = sim_new(&setup);
	if (!s->sim || !server_listens(s))
		goto fail;
	sim_on_event(s->sim, on_event, s);
	if (sim_call_at(s->sim, CONNECT_NS, client_connects, s))
		return s;
fail:
	scene_free(s);
	return NULL;
}

void scene_free(struct scene *s)
{
	if (s)
		sim_free(s->sim);
	free(s);
}

/* Asked before the first moment, and after each. */
static bool second_time(void *arg)
{
	return (*(unsigned *)arg)++ > 0;
}

bool scene_event(struct scene *s, int64_t within_ns)
{
	int64_t now_ns = sim_now(s->sim);
	unsigned asked = 0;
	enum sim_end end =
		sim_run(s->sim, second_time, &asked,
			within_ns < GLASS_NEVER - now_ns ? now_ns + within_ns : GLASS_NEVER);

	return end == SIM_DONE || end == SIM_DEADLINE;
}

int64_t scene_now(const struct scene *s)
{
	return sim_now(s->sim);
}

struct glass *scene_stack(struct scene *s, unsigned side)
{
	return sim_stack(s->sim, side);
}

const void *scene_ring(const struct scene *s, unsigned side, size_t *bytes)
{
	return sim_ring(s->sim, side, bytes);
}

void scene_words(const struct scene *s, char *out, size_t size)
{
	const struct impair_way *way = s->plan.way;
	size_t n = (size_t)snprintf(out, size, "%s", s->plan.about);

	if (strcmp(s->plan.name, "seed") != 0)
		return;
	for (unsigned i = 0; i < 2 && n < size; i++)
		n += (size_t)snprintf(out + n, size - n,
				      "%s delay %lldms jitter %lldms loss %.2f%% rate %llumbit%s",
				      i ? "; back" : ": there", (long long)(way[i].delay_ns / MS),
				      (long long)(way[i].jitter_ns / MS), way[i].loss / 1e4,
				      (unsigned long long)(way[i].rate_bit_s / 1000000),
				      way[i].rate_bit_s ? "" : " (no limit)");
}
