/* SPDX-License-Identifier: MIT */
/*
 * Programs' sockets in a takeover: each end with its descriptor, joined to the stack's socket of
 * its number again. Bytes need nothing: they lie in the pairs, which stay.
 *
 * In: takeover.c.	Out: program_end.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "control.h"
#include "program.h"
#include "takeover.h"

/* ---- numbers for what is a pointer ----------------------------------------------------------- */

uint32_t number_of_client(const struct daemon *d, const struct client *who)
{
	uint32_t n = 0;

	list_for_each(c, &d->control->clients, struct client, node) {
		if (!client_stays(c))
			continue;
		n++;
		if (c == who)
			return n;
	}
	return 0;
}

struct client *client_of_number(struct daemon *d, uint32_t n)
{
	list_for_each(c, &d->control->clients, struct client, node)
		if (!--n)
			return c;
	return NULL;
}

/* The stack's sockets by their numbers, for as long as the ends are read. */
struct socks {
	struct glass_sock **at;
	uint32_t n;
};

static int by_number(const void *a, const void *b)
{
	uint32_t x = glass_sock_number(*(struct glass_sock *const *)a);
	uint32_t y = glass_sock_number(*(struct glass_sock *const *)b);

	return (x > y) - (x < y);
}

static bool socks_gather(struct socks *k, struct glass *g)
{
	struct glass_memory m;

	glass_memory(g, &m);
	k->n = 0;
	k->at = calloc(m.sockets + 1, sizeof(struct glass_sock *));
	if (!k->at)
		return false;
	for (struct glass_sock *s = glass_sock_next(g, NULL); s; s = glass_sock_next(g, s))
		k->at[k->n++] = s;
	qsort(k->at, k->n, sizeof(k->at[0]), by_number);
	return true;
}

/* Each has one end. NULL: there is none, or it has one. */
static struct glass_sock *socks_find(const struct socks *k, uint32_t number)
{
	uint32_t from = 0, to = k->n;

	while (from < to) {
		uint32_t middle = from + (to - from) / 2, at = glass_sock_number(k->at[middle]);

		if (at == number)
			return glass_sock_user(k->at[middle]) ? NULL : k->at[middle];
		if (at < number)
			from = middle + 1;
		else
			to = middle;
	}
	return NULL;
}

/* ---- an end ---------------------------------------------------------------------------------- */

static void glass_end_keep(struct save *s, struct glass_end *e)
{
	save_array(s, "local.addr", &e->addr, sizeof(e->addr));
	SAVE_AS(s, "local.port", e->port);
}

static void end_fields(struct save *s, struct end *e)
{
	SAVE(s, e->token);
	SAVE(s, e->inode);
	SAVE(s, e->uid);
	SAVE(s, e->state);
	SAVE(s, e->family);
	SAVE(s, e->proto);
	SAVE_FLAG(s, e->v6only);
	SAVE_FLAG(s, e->bound);
	SAVE_FLAG(s, e->port_chosen);
	glass_end_keep(s, &e->local);
	SAVE(s, e->canary);
	SAVE_FLAG(s, e->wants_space);
	SAVE_FLAG(s, e->oob);
	SAVE_FLAG(s, e->eof);
	SAVE_FLAG(s, e->hup);
	SAVE_FLAG(s, e->unread);
	SAVE_FLAG(s, e->reset);
	SAVE_FLAG(s, e->fin_told);
	SAVE_FLAG(s, e->wants_out);
	SAVE_FLAG(s, e->deaf);
	SAVE_FLAG(s, e->fin_given);
	SAVE(s, e->waiter_op);
	SAVE(s, e->taken);
	SAVE_FLAG(s, e->outcome_known);
	SAVE(s, e->plugged);
	SAVE_FLAG(s, e->exact);
	SAVE(s, e->message_bytes);
	SAVE_FLAG(s, e->starved_told);
	SAVE_FLAG(s, e->shuts);
	SAVE_FLAG(s, e->shut);
}

static void dgram_fields(struct save *s, struct dgram *dg)
{
	SAVE(s, dg->tell);
	SAVE_FLAG(s, dg->kept);
	SAVE_FLAG(s, dg->kept_peer);
	SAVE_AS(s, "dgram.error", dg->error);
}

/* What ties it to others; in_hand: a token. */
struct end_ties {
	uint32_t sock, waiter;
	uint64_t in_hand;
	bool dgram;
};

static void ties_fields(struct handover *h, struct end *e, struct end_ties *t)
{
	struct save *s = h->s;

	SAVE(s, t->sock);
	SAVE(s, t->waiter);
	SAVE(s, t->in_hand);
	SAVE_FLAG(s, t->dgram);
	handover_fd(h, "fd", &e->watch.fd);
	handover_fd(h, "in_hand_fd", &e->in_hand_fd);
}

static void end_write(struct handover *h, struct daemon *d, struct end *e)
{
	struct end_ties t = { .sock = glass_sock_number(e->sock),
			      .waiter = number_of_client(d, e->waiter),
			      .in_hand = e->in_hand ? e->in_hand->token : 0,
			      .dgram = e->dgram };
	struct dgram none = { 0 };

	save_begin(h->s, "end");
	end_fields(h->s, e);
	ties_fields(h, e, &t);
	dgram_fields(h->s, e->dgram ? e->dgram : &none);
	save_end(h->s);
}

/* Wakes us for whatever is the case already, too: a new watch is told at once. */
static uint32_t events_of(const struct end *e)
{
	if (e->dgram)
		return EPOLLIN | EPOLLOUT;
	return END_EVENTS | (e->wants_out || e->exact ? (uint32_t)EPOLLOUT : 0);
}

static bool end_sane(const struct end *e)
{
	return e->token && e->state <= END_LISTENING && (e->family == 4 || e->family == 6) &&
	       e->canary <= 1 && e->plugged >= 0 && (e->dgram || e->watch.fd >= 0) &&
	       !e->dgram == (e->proto == GLASS_TCP);
}

/* Makes it; what was read is in *read and *t. */
static void end_join(struct handover *h, struct daemon *d, const struct socks *socks,
		     const struct end *read, const struct end_ties *t)
{
	struct glass_sock *sock = socks_find(socks, t->sock);
	struct client *waiter = t->waiter ? client_of_number(d, t->waiter) : NULL;
	struct end *e = malloc(sizeof(*e));

	if (!save_check(h->s, e && sock && end_sane(read), "a program's socket is damaged") ||
	    !save_check(h->s, user_charge(d->programs, read->uid), "too many sockets for here")) {
		free(e);
		return;
	}
	*e = *read;
	e->sock = sock;
	if (e->dgram)
		e->dgram->end = e;
	end_adopt(d, e);
	if (waiter && e->state == END_CONNECTING)
		connect_wait_again(e, waiter, e->waiter_op);
	if (e->watch.fd >= 0)
		save_check(h->s, !loop_watch(d, &e->watch, events_of(e)),
			   "a socket cannot be watched");
}

/* Answers the token of what it has in hand. */
static uint64_t end_read(struct handover *h, struct daemon *d, const struct socks *socks,
			 uint64_t *token)
{
	struct end e = { .watch.fd = -1, .in_hand_fd = -1 };
	struct end_ties t = { 0 };
	struct dgram dg = { 0 };

	end_fields(h->s, &e);
	ties_fields(h, &e, &t);
	dgram_fields(h->s, &dg);
	save_end(h->s);
	if (t.dgram && (e.dgram = malloc(sizeof(dg))))
		*e.dgram = dg;
	end_join(h, d, socks, &e, &t);
	*token = e.token;
	return t.in_hand;
}

/* A listener and the connection that it has in hand find each other. */
static void in_hand_join(struct handover *h, struct daemon *d, uint64_t listener, uint64_t in_hand)
{
	struct end *l = end_by_token(d->programs, listener);
	struct end *e = end_by_token(d->programs, in_hand);

	if (save_check(h->s, l && e && e->state == END_IN_HAND && l->in_hand_fd >= 0 && !l->in_hand,
		       "a connection in hand is damaged"))
		l->in_hand = e;
}

struct pair_of_tokens {
	uint64_t listener, in_hand;
};

/* Those in hand come after their listeners, or before: they are joined when all are there. */
static void ends_read(struct handover *h, struct daemon *d)
{
	struct pair_of_tokens *hand = NULL, *more;
	struct socks socks;
	unsigned n = 0;

	if (!save_check(h->s, socks_gather(&socks, d->g), "out of memory"))
		return;
	while (save_begin(h->s, "end")) {
		struct pair_of_tokens p;

		p.in_hand = end_read(h, d, &socks, &p.listener);
		if (!p.in_hand)
			continue;
		more = realloc(hand, (n + 1) * sizeof(*hand));
		if (!save_check(h->s, more, "out of memory"))
			break;
		hand = more;
		hand[n++] = p;
	}
	for (unsigned i = 0; i < n; i++)
		in_hand_join(h, d, hand[i].listener, hand[i].in_hand);
	free(hand);
	free(socks.at);
}

/* ---- what is left of failed connections ------------------------------------------------------ */

static void ended_fields(struct save *s, struct ended *x)
{
	SAVE(s, x->token);
	SAVE(s, x->uid);
	SAVE(s, x->error);
	SAVE_FLAG(s, x->bound);
	SAVE_FLAG(s, x->v6only);
	glass_end_keep(s, &x->local);
#define SOCK_OPT(ID, level, name, kind, min, max, initial, doc) \
	SAVE_AS(s, "opt." #ID, x->opt[GLASS_##ID]);
#include <glass/sock_opt.def>
#undef SOCK_OPT
}

static void endeds_keep(struct save *s, struct programs *p)
{
	struct ended x;

	for (unsigned i = 0; !save_reading(s) && i < ENDED_MAX; i++) {
		if (!p->ended[i].token)
			continue;
		save_begin(s, "failed");
		ended_fields(s, &p->ended[i]);
		save_end(s);
	}
	while (save_reading(s) && save_begin(s, "failed")) {
		x = (struct ended){ 0 };
		ended_fields(s, &x);
		save_end(s);
		p->ended[x.token % ENDED_MAX] = x;
	}
}

/* ---- all of it ------------------------------------------------------------------------------- */

void programs_keep(struct handover *h, struct daemon *d)
{
	if (save_reading(h->s)) {
		ends_read(h, d);
	} else {
		list_for_each(e, &d->programs->ends, struct end, node)
			end_write(h, d, e);
	}
	endeds_keep(h->s, d->programs);
	lingers_keep(h->s, d);
}

void programs_go_on(struct daemon *d)
{
	list_for_each_safe(dg, &d->programs->dgrams, struct dgram, node)
		dgram_push(d, dg->end);
	if (!list_empty(&d->programs->dgrams))
		dgrams_sweep_later(d);
}
