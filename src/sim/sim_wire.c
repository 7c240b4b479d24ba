/* SPDX-License-Identifier: MIT */
/*
 * The wire: what becomes of a frame between its sender and the other side. The engine for bad
 * networks (src/base/impair.h) decides; here frames are cut into what the wire carries, and put on
 * their way.
 *
 * In: sim.c.  Out: impair_decide, sim_push.
 */
#include <stdlib.h>
#include <string.h>

#include "../wire/eth.h"

#include "inside.h"

#define FRAME_MAX_BYTES (64 * 1024 + 512)

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

/*
 * What has no checksum of its own, Ethernet's header and ARP, is under the protection of the link.
 */
static void damage(struct impair *wire, uint8_t *frame, size_t length)
{
	const struct eth_header *eth = (const void *)frame;

	if (length > ETH_HEADER_BYTES && be16_get(eth->type) == ETH_TYPE_IP4)
		impair_damage(wire, frame + ETH_HEADER_BYTES, length - ETH_HEADER_BYTES);
}

/* Each segment of a super-packet has headers of its own. */
static size_t wire_bytes(size_t length, const struct glass_offload *off)
{
	if (!off->gso_size || length <= off->hdr_len)
		return length;
	return length + (length - off->hdr_len - 1) / off->gso_size * off->hdr_len;
}

/* Who sent it does not know; whoever looks at his recorder shall. */
static void tell_lost(struct sim *s, unsigned from, enum impair_fate fate, size_t length)
{
	const struct glass_fate lost = { .what = fate == IMPAIR_AIMED_AT     ? GLASS_FATE_AIMED
						 : fate == IMPAIR_QUEUE_FULL ? GLASS_FATE_QUEUE_FULL
									     : GLASS_FATE_LOST,
					 .bytes = length };

	if (s->tell && s->leaving)
		glass_output_impaired(s->side[from].g, s->leaving, &lost);
}

/* One frame as the wire sees it. */
static void carry(struct sim *s, unsigned from, uint8_t *frame, size_t length,
		  const struct glass_offload *off)
{
	struct sim_side *side = &s->side[from];
	unsigned kind = wire_kind(frame, length, ETH_HEADER_BYTES);
	struct impair_verdict v;

	if (s->on_wire)
		kind |= s->on_wire(s->wire_arg, from, frame, length);
	impair_decide(&side->wire, &side->way, wire_bytes(length, off), kind, s->now_ns, &v);
	if (v.fate != IMPAIR_PASSES) {
		tell_lost(s, from, v.fate, length);
		return;
	}
	if (v.mark)
		wire_mark(frame, length, ETH_HEADER_BYTES);
	if (v.damage)
		damage(&side->wire, frame, length);
	for (unsigned i = 0; i <= v.duplicate; i++)
		arrive_later(s, from, frame, length, off, v.at_ns);
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

	s->leaving = frame;
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
