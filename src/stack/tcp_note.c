/* SPDX-License-Identifier: MIT */
/*
 * What a program wants to be told of bytes that it sent: that its memory is its own again, when
 * the device had them, when the peer. A note waits until the program takes it; what is to come of
 * a byte is a mark in the stream, at which sending and acknowledging pass by.
 *
 * Bytes are copied when they are sent, so MSG_ZEROCOPY's note is there at once. Those of several
 * sends are one: from the first to the last.
 *
 * In:  the socket layer; tcp_send_data, tcp_ack_advance.   Out: the socket is woken.
 */
#include "keep.h"
#include "tcp_account.h"
#include "tcp_output.h"

#define NOTES_MAX 256 /* marks and notes that wait; what comes then is lost, as in Linux */

struct tcp_note {
	struct list node; /* notes->marks, notes->ready */
	struct glass_note told;
	struct seq end; /* behind the byte */
	uint8_t kinds;	/* a mark: still to be told */
};

struct tcp_notes {
	uint32_t copied_first, copied_next; /* sends that were copied and not told of */
	uint32_t count;
	struct list marks; /* in order of the stream */
	struct list ready;
};

static struct tcp_notes *notes_of(const struct tcp_conn *c)
{
	return c->account ? c->account->notes : NULL;
}

bool tcp_notes_open(struct glass *g, struct tcp_conn *c)
{
	struct tcp_notes *n;

	if (notes_of(c))
		return true;
	n = tcp_account_open(g, c) ? pool_alloc(&g->pool, sizeof(*n)) : NULL;
	if (!n) {
		stat_inc(g, STAT_NOMEM);
		return false;
	}
	list_init(&n->marks);
	list_init(&n->ready);
	c->account->notes = n;
	return true;
}

static struct tcp_note *note_new(struct glass *g, struct tcp_notes *n)
{
	struct tcp_note *note = n->count < NOTES_MAX ? pool_alloc(&g->pool, sizeof(*note)) : NULL;

	if (note)
		n->count++;
	else
		stat_inc(g, STAT_NOMEM);
	return note;
}

static void note_free(struct glass *g, struct tcp_notes *n, struct tcp_note *note)
{
	list_remove(&note->node);
	n->count--;
	pool_free(&g->pool, note, sizeof(*note));
}

/* One of the things that a mark is to tell has happened. */
static void note_tell(struct glass *g, struct tcp_conn *c, struct tcp_note *mark, unsigned kind)
{
	struct tcp_notes *n = notes_of(c);
	struct tcp_note *note = mark->kinds & kind ? note_new(g, n) : NULL;

	mark->kinds &= (uint8_t)~kind;
	if (!note)
		return;
	note->told = mark->told;
	note->told.kind = (uint8_t)kind;
	note->told.time_ns = now(g);
	list_append(&n->ready, &note->node);
	wake(g, &c->waker);
}

void tcp_note_moved(struct glass *g, struct tcp_conn *c)
{
	struct tcp_notes *n = notes_of(c);

	if (!n)
		return;
	list_for_each_safe(mark, &n->marks, struct tcp_note, node) {
		if (seq_gt(mark->end, c->snd.nxt))
			break;
		note_tell(g, c, mark, GLASS_TELL_QUEUED);
		note_tell(g, c, mark, GLASS_TELL_SENT);
		if (seq_leq(mark->end, c->snd.una))
			note_tell(g, c, mark, GLASS_TELL_ACKED);
		if (!mark->kinds)
			note_free(g, n, mark);
	}
}

void tcp_note_written(struct glass *g, struct tcp_conn *c, unsigned kinds)
{
	struct seq first = seq_add(c->snd.iss, 1);
	struct tcp_notes *n = notes_of(c);
	struct tcp_note *mark;

	if (kinds & GLASS_TELL_COPIED) {
		n->copied_next++;
		wake(g, &c->waker);
	}
	if (!(kinds & GLASS_TELL_ANY & ~GLASS_TELL_COPIED))
		return;
	mark = note_new(g, n);
	if (!mark)
		return;
	mark->kinds = (uint8_t)(kinds & ~GLASS_TELL_COPIED & GLASS_TELL_ANY);
	mark->end = seq_add(seq_gt(first, c->snd.una) ? first : c->snd.una, c->queued);
	mark->told.first = mark->told.last = mark->end.v - first.v - 1;
	list_append(&n->marks, &mark->node);
	tcp_note_moved(g, c); /* with a SYN it has gone already */
}

bool tcp_note_waits(const struct tcp_conn *c)
{
	const struct tcp_notes *n = notes_of(c);

	return n && (n->copied_first != n->copied_next || !list_empty(&n->ready));
}

bool tcp_note_take(struct glass *g, struct tcp_conn *c, struct glass_note *out)
{
	struct tcp_notes *n = notes_of(c);
	struct tcp_note *note;

	if (!tcp_note_waits(c))
		return false;
	if (n->copied_first != n->copied_next) {
		*out = (struct glass_note){ .kind = GLASS_TELL_COPIED,
					    .first = n->copied_first,
					    .last = n->copied_next - 1,
					    .time_ns = now(g) };
		n->copied_first = n->copied_next;
		return true;
	}
	note = list_first(&n->ready, struct tcp_note, node);
	*out = note->told;
	note_free(g, n, note);
	return true;
}

void tcp_notes_free(struct glass *g, struct tcp_conn *c)
{
	struct tcp_notes *n = notes_of(c);

	if (!n)
		return;
	list_for_each_safe(note, &n->ready, struct tcp_note, node)
		note_free(g, n, note);
	list_for_each_safe(mark, &n->marks, struct tcp_note, node)
		note_free(g, n, mark);
	pool_free(&g->pool, n, sizeof(*n));
	c->account->notes = NULL;
}

/* ---- taken along to another stack ------------------------------------------------------------ */

static void note_fields(struct save *s, struct tcp_note *note)
{
	SAVE(s, note->told.kind);
	SAVE(s, note->told.first);
	SAVE(s, note->told.last);
	SAVE(s, note->told.time_ns);
	SAVE(s, note->end.v);
	SAVE(s, note->kinds);
}

static void note_list_keep(struct save *s, struct glass *g, struct tcp_notes *n, struct list *l,
			   const char *kind)
{
	while (save_reading(s) && save_begin(s, kind)) {
		struct tcp_note *note = note_new(g, n);

		if (save_check(s, note, "out of memory, or too many notes")) {
			note_fields(s, note);
			list_append(l, &note->node);
		}
		save_end(s);
	}
	if (save_reading(s))
		return;
	list_for_each(note, l, struct tcp_note, node) {
		save_begin(s, kind);
		note_fields(s, note);
		save_end(s);
	}
}

void tcp_notes_keep(struct save *s, struct glass *g, struct tcp_conn *c)
{
	struct tcp_notes *n;

	if ((!save_reading(s) && !notes_of(c)) || !save_begin(s, "notes"))
		return;
	n = save_check(s, tcp_notes_open(g, c), "out of memory") ? notes_of(c) : NULL;
	if (n) {
		SAVE(s, n->copied_first);
		SAVE(s, n->copied_next);
	}
	save_end(s);
	if (!n)
		return;
	note_list_keep(s, g, n, &n->marks, "note.mark");
	note_list_keep(s, g, n, &n->ready, "note.ready");
}
