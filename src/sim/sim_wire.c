/* SPDX-License-Identifier: MIT */
/* The wire: what becomes of a frame between its sender and the other side. */
#include <stdlib.h>
#include <string.h>

#include "../wire/eth.h"

#include "inside.h"

#define BITS_PER_BYTE 8
#define FRAME_MAX_BYTES (64 * 1024 + 512)

bool sim_chance(struct sim *s, uint32_t of_a_million)
{
	return of_a_million && rng_below(&s->rng, SIM_MILLION) < of_a_million;
}

/*
 * Changes up to 15 neighbouring bits of an IPv4 packet: the Internet checksum finds every such
 * burst. (What has no checksum of its own, Ethernet's header and ARP, is under the protection of
 * the link.)
 */
static void corrupt(struct sim *s, uint8_t *frame, size_t length)
{
	const struct eth_header *eth = (const void *)frame;
	uint32_t mask, bit, shifted;
	size_t at;

	if (length <= ETH_HEADER_BYTES + 4 || be16_get(eth->type) != 0x0800)
		return;
	mask = 1 + rng_below(&s->rng, 0x7fff);
	bit = rng_below(&s->rng, BITS_PER_BYTE);
	at = ETH_HEADER_BYTES + rng_below(&s->rng, (uint32_t)(length - ETH_HEADER_BYTES - 3));
	shifted = mask << bit;
	for (unsigned i = 0; i < 3; i++)
		frame[at + i] ^= (uint8_t)(shifted >> (16 - BITS_PER_BYTE * i));
}

static void arrive_later(struct sim *s, unsigned from, const uint8_t *frame, size_t length,
			 const struct glass_offload *off, int64_t time_ns)
{
	struct sim_item *item = malloc(sizeof(*item) + length);

	if (!item) {
		s->no_memory = true;
		return;
	}
	*item = (struct sim_item){ .time_ns = time_ns, .to = !from, .off = *off, .length = length };
	memcpy(item->bytes, frame, length);
	sim_push(s, item);
}

/* When the last bit leaves the sender; -1: the queue in front of the wire is full. */
static int64_t leave(struct sim *s, struct sim_side *side, size_t length)
{
	const struct sim_way *w = &side->way;
	int64_t start = side->busy_until_ns > s->now_ns ? side->busy_until_ns : s->now_ns;

	if (!w->rate_bit_s)
		return s->now_ns;
	if (w->queue_bytes &&
	    (double)(start - s->now_ns) * (double)w->rate_bit_s / 8e9 > w->queue_bytes)
		return -1;
	side->busy_until_ns = start + (int64_t)((double)length * 8e9 / (double)w->rate_bit_s);
	return side->busy_until_ns;
}

/* One frame as the wire sees it. */
static void carry(struct sim *s, unsigned from, uint8_t *frame, size_t length,
		  const struct glass_offload *off)
{
	struct sim_side *side = &s->side[from];
	const struct sim_way *w = &side->way;
	int64_t at;

	side->counts.sent++;
	side->counts.bytes += length;
	if (s->on_wire && !s->on_wire(s->wire_arg, from, frame, length)) {
		side->counts.swallowed++;
		return;
	}
	at = leave(s, side, length);
	if (at < 0) {
		side->counts.queue_full++;
		return;
	}
	if (w->down || sim_chance(s, w->loss)) {
		side->counts.lost++;
		return;
	}
	if (sim_chance(s, w->corrupt)) {
		corrupt(s, frame, length);
		side->counts.corrupted++;
	}
	at += w->delay_ns +
	      (w->jitter_ns ? (int64_t)(rng_u64(&s->rng) % ((uint64_t)w->jitter_ns + 1)) : 0);
	if (sim_chance(s, w->reorder)) {
		at += w->reorder_ns;
		side->counts.reordered++;
	} else if (at < side->last_arrival_ns) {
		at = side->last_arrival_ns;
	} else {
		side->last_arrival_ns = at;
	}
	arrive_later(s, from, frame, length, off, at);
	if (sim_chance(s, w->duplicate)) {
		side->counts.duplicated++;
		arrive_later(s, from, frame, length, off, at);
	}
}

struct emitter {
	struct sim *s;
	unsigned from;
};

static void emit_cut(void *arg, uint8_t *frame, size_t length)
{
	const struct emitter *e = arg;

	carry(e->s, e->from, frame, length, &(struct glass_offload){ 0 });
}

void sim_inject(struct sim *s, uint8_t *frame, size_t length)
{
	carry(s, 1, frame, length, &(struct glass_offload){ 0 });
}

void sim_transmit(struct sim *s, unsigned from, const struct glass_frame *frame)
{
	struct glass_offload off = frame->off;
	uint32_t peer = s->side[!from].offload;
	uint8_t bytes[FRAME_MAX_BYTES];
	bool careful = s->side[from].way.corrupt;
	size_t n = 0;

	for (unsigned i = 0; i < frame->niov && n + frame->iov[i].len <= sizeof(bytes); i++) {
		memcpy(bytes + n, frame->iov[i].base, frame->iov[i].len);
		n += frame->iov[i].len;
	}
	if (off.gso_size && (careful || !(peer & GLASS_OFFLOAD_TSO))) {
		wire_cut(bytes, n, ETH_HEADER_BYTES, &off, emit_cut, &(struct emitter){ s, from });
		return;
	}
	if (careful || !(peer & GLASS_OFFLOAD_CSUM))
		wire_complete_csum(bytes, n, &off);
	carry(s, from, bytes, n, &off);
}
