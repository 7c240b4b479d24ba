/* SPDX-License-Identifier: MIT */
/*
 * The wire: packets that the script injects, and those it waits for. They are IP packets without a
 * link layer, so the stack has a device of that kind.
 *
 * In:  packetdrill.   Out: glass_input(), glass_output(), glass_event().
 */
#include <stdlib.h>
#include <string.h>

#include "../wire/cut.h"
#include "drill.h"

/* No script waits longer for a packet than this, in virtual time. */
#define PATIENCE_NS (4000 * DRILL_NS_PER_S)
#define HEADERS_BYTES 40 /* IP and TCP without options */

static void keep_packet(void *arg, uint8_t *frame, size_t length)
{
	struct drill *d = arg;
	struct drill_packet *p = malloc(sizeof(*p) + length);

	if (!p)
		return;
	p->time_ns = d->now_ns;
	p->length = length;
	memcpy(p->bytes, frame, length);
	list_append(&d->sent, &p->node);
}

/* The device takes super-packets, as Linux's do, and the wire has what they are cut into. */
static void keep_frame(struct drill *d, const struct glass_frame *f)
{
	struct glass_offload off = f->off;
	uint8_t bytes[UINT16_MAX + 1];
	size_t n = 0;

	for (unsigned i = 0; i < f->niov; i++) {
		memcpy(bytes + n, f->iov[i].base, f->iov[i].len);
		n += f->iov[i].len;
	}
	if (!off.gso_size)
		wire_complete_csum(bytes, n, &off);
	wire_cut(bytes, n, 0, &off, keep_packet, d);
}

void drill_drain(struct drill *d)
{
	struct glass_frame frame;
	struct glass_event event;

	while (glass_output(d->g, &frame))
		keep_frame(d, &frame);
	while (glass_event(d->g, &event)) {
		struct drill_fd *f = event.user;

		if (f)
			drill_epoll_news(d, f->fd);
	}
}

/*
 * Scripts inject what no wire would carry in one piece: what a card puts together of many segments
 * on the way in. Their checksums are right; a super-packet's must be said to be.
 */
static bool is_super(const struct drill *d, size_t length, struct glass_offload *off)
{
	if (length <= d->mtu_bytes)
		return false;
	*off = (struct glass_offload){ .csum_valid = true };
	off->gso_size = (uint16_t)(d->mss ? d->mss : d->mtu_bytes - HEADERS_BYTES);
	return true;
}

int drill_netdev_send(void *userdata, const void *bytes, size_t length)
{
	struct drill *d = userdata;
	struct glass_offload off;
	struct pkt *p;
	size_t room;
	uint8_t *at;

	drill_enter(d);
	p = glass_pkt_new(d->g, length);
	if (p) {
		at = glass_pkt_room(p, &room);
		memcpy(at, bytes, length);
		glass_pkt_filled(p, length, is_super(d, length, &off) ? &off : NULL);
		glass_input(d->g, d->dev, p, d->now_ns);
	}
	drill_leave(d);
	return p ? 0 : -1;
}

/* Lets the time pass until something leaves. false: nothing ever will. */
static bool await_packet(struct drill *d)
{
	int64_t limit = d->now_ns + PATIENCE_NS;

	drill_drain(d);
	while (list_empty(&d->sent)) {
		int64_t next = drill_next(d);

		if (next > limit)
			return false;
		drill_run_until(d, next);
	}
	return true;
}

static struct drill_packet *packet_take(struct drill *d)
{
	struct list *node = list_take(&d->sent);

	return node ? container_of(node, struct drill_packet, node) : NULL;
}

/*
 * -1 would make packetdrill ask again, for ever. When the stack has nothing more to say it gets a
 * packet of no bytes, and so an error that ends the script.
 */
int drill_netdev_receive(void *userdata, void *bytes, size_t *length, long long *time_us)
{
	struct drill *d = userdata;
	struct drill_packet *p = NULL;
	size_t room = *length;

	drill_enter(d);
	*length = 0;
	*time_us = d->now_ns / DRILL_NS_PER_US;
	if (await_packet(d))
		p = packet_take(d);
	if (p) {
		*length = p->length < room ? p->length : room;
		*time_us = p->time_ns / DRILL_NS_PER_US;
		memcpy(bytes, p->bytes, *length);
		free(p);
	}
	drill_leave(d);
	return 0;
}
