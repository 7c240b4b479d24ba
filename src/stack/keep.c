/* SPDX-License-Identifier: MIT */
/*
 * Fields that several kinds of records have: timers and packets.
 *
 * In: the keep_*.c files.  Out: save.h.
 */
#include "keep.h"

#include <stdlib.h>
#include <string.h>

#define PACKET_BYTES_MAX (2 * BUF_BIG_BYTES)

void keep_timer(struct save *s, struct glass *g, struct timer *t, const char *const name[3])
{
	bool armed = save_value(s, name[0], timer_armed(t), 1, false);
	int64_t due_ns = armed ? t->deadline_ns : 0;
	uint32_t order = armed ? t->armed_order : 0;

	due_ns = (int64_t)save_value(s, name[1], (uint64_t)due_ns, 8, true);
	order = (uint32_t)save_value(s, name[2], order, 4, false);

	if (save_reading(s) && armed &&
	    save_check(s, timers_have_room(&g->timers), "more timers than there may be"))
		timer_arm_as(&g->timers, t, due_ns, order);
}

/* ---- packets --------------------------------------------------------------------------------- */

struct packet_fields {
	uint32_t cap;	/* of its buffer; 0: none */
	uint32_t room;	/* in front of its data */
	uint32_t head;	/* of these: bytes that are kept too */
	int32_t l3, l4; /* from the first byte kept; -1: none */
};

/* Where the header begins that goes along; data when none does. */
static uint8_t *first_byte(const struct pkt *p, bool headers)
{
	return headers && p->l3 && p->l3 < p->data ? p->l3 : p->data;
}

static struct packet_fields packet_look(const struct pkt *p, bool headers)
{
	const uint8_t *first = first_byte(p, headers);

	return (struct packet_fields){
		.cap = p->buf ? p->buf->cap : 0,
		.room = (uint32_t)(p->data - p->base),
		.head = (uint32_t)(p->data - first),
		.l3 = headers && p->l3 ? (int32_t)(p->l3 - first) : -1,
		.l4 = headers && p->l4 ? (int32_t)(p->l4 - first) : -1,
	};
}

static void packet_fields(struct save *s, struct pkt *p, struct packet_fields *f)
{
	SAVE(s, f->cap);
	SAVE(s, f->room);
	SAVE(s, f->head);
	SAVE(s, f->l3);
	SAVE(s, f->l4);
	SAVE(s, p->dev);
	SAVE(s, p->flags);
	SAVE(s, p->l4_proto);
	SAVE(s, p->id);
	SAVE(s, p->cause);
	SAVE(s, p->conn);
	SAVE(s, p->gso_size);
	SAVE(s, p->csum_start);
	SAVE(s, p->hdr_len);
	SAVE(s, p->csum_offset);
	SAVE(s, p->seq);
	SAVE(s, p->next_hop);
	SAVE(s, p->time_ns);
}

/* Whoever sends it on writes a checksum there. */
static bool packet_sane(const struct glass *g, const struct pkt *p, const struct packet_fields *f,
			size_t length)
{
	if (f->head > f->room || f->head > length || f->room > PACKET_BYTES_MAX ||
	    f->cap > PACKET_BYTES_MAX || length > PACKET_BYTES_MAX || p->dev >= g->ndev)
		return false;
	if (f->l3 >= (int32_t)length || f->l4 > (int32_t)length)
		return false;
	return !(p->flags & PKT_CSUM_PARTIAL && p->flags & PKT_BUILT) ||
	       (f->l4 >= 0 && (size_t)f->l4 + p->csum_offset + 2 <= length);
}

/* Bytes that others lend to it become its own. NULL: no memory. */
static uint8_t *packet_flat(const struct pkt *p, const struct packet_fields *f, size_t *length)
{
	uint8_t *flat;

	*length = f->head + pkt_len(p);
	flat = malloc(*length + 1);
	if (!flat)
		return NULL;
	memcpy(flat, p->data - f->head, f->head);
	pkt_copy_out(p, 0, flat + f->head, pkt_len(p));
	return flat;
}

static void packet_write(struct save *s, struct pkt *p, bool headers)
{
	struct packet_fields f = packet_look(p, headers);
	size_t length = f.head + p->len;
	uint8_t *flat = p->nfrags ? packet_flat(p, &f, &length) : NULL;

	save_check(s, flat || !p->nfrags, "out of memory");
	packet_fields(s, p, &f);
	save_bytes(s, "bytes", flat ? flat : p->data - f.head, &length);
	free(flat);
}

/* Room for so many bytes, in a buffer when there was one. NULL: no memory. */
static struct pkt *packet_room(struct glass *g, uint32_t cap, size_t need)
{
	struct pkt *p = pkt_new(&g->pool, 0, 0);

	if (!p || (!cap && need <= PKT_INLINE_BYTES))
		return p;
	p->buf = buf_new(&g->pool, need > cap ? need : cap);
	if (!p->buf) {
		pkt_free(&g->pool, p);
		return NULL;
	}
	p->base = p->data = p->buf->bytes;
	p->end = p->base + p->buf->cap;
	return p;
}

/* NULL: no memory, or a fault. */
static struct pkt *packet_read(struct save *s, struct glass *g)
{
	struct packet_fields f = { 0 };
	struct pkt read = { 0 }, *p;
	const uint8_t *bytes;
	size_t length;

	packet_fields(s, &read, &f);
	bytes = save_bytes(s, "bytes", NULL, &length);
	if (!save_check(s, bytes && packet_sane(g, &read, &f, length), "a packet is damaged"))
		return NULL;
	p = packet_room(g, f.cap, f.room + length - f.head);
	if (!save_check(s, p, "out of memory"))
		return NULL;
	read.node = p->node;
	read.buf = p->buf;
	read.base = p->base;
	read.end = p->end;
	read.data = p->base + f.room;
	read.len = (uint32_t)(length - f.head);
	memcpy(p, &read, offsetof(struct pkt, frag));
	list_init(&p->node);
	memcpy(p->data - f.head, bytes, length);
	p->l3 = f.l3 < 0 ? NULL : p->data - f.head + f.l3;
	p->l4 = f.l4 < 0 ? NULL : p->data - f.head + f.l4;
	return p;
}

void keep_packets(struct save *s, struct glass *g, struct list *queue, const char *kind,
		  bool headers)
{
	struct pkt *p;

	if (!save_reading(s)) {
		list_for_each(at, queue, struct pkt, node) {
			save_begin(s, kind);
			packet_write(s, at, headers);
			save_end(s);
		}
		return;
	}
	while (save_begin(s, kind)) {
		p = packet_read(s, g);
		save_end(s);
		if (p)
			list_append(queue, &p->node);
	}
}
