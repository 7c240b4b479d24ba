/* SPDX-License-Identifier: MIT */
/*
 * What is known of connections while a capture goes on: from the recorder as it happens; from the
 * daemon who has the socket, and how an old connection stands.
 *
 * In: capture_label.c.  Out: the table of sockets, /proc.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "capture.h"
#include "process.h"

#define AGAIN_NS (200 * NS_PER_MS) /* for a socket whose owner was not known the last time */
#define CONNS_MAX (1u << 18)	   /* beyond, all are forgotten, and learned anew */
#define SHARE 4			   /* asking takes at most a fifth of the time */

static struct conn_now *find(struct conns *c, uint32_t id)
{
	uint32_t i = map_get(&c->of, id);

	return i ? &c->conn[i - 1] : NULL;
}

static struct conn_now *add(struct conns *c, uint32_t id)
{
	struct conn_now *now;

	if (c->n == CONNS_MAX)
		conns_free(c);
	if (c->n == c->cap) {
		c->cap = c->cap ? c->cap * 2 : 64;
		c->conn = realloc(c->conn, c->cap * sizeof(*c->conn));
		if (!c->conn) {
			failed("out of memory");
			exit(EXIT_FAILED);
		}
	}
	now = &c->conn[c->n++];
	*now = (struct conn_now){ .id = id,
				  .cwnd = UNKNOWN,
				  .ssthresh = UNKNOWN,
				  .flight = UNKNOWN,
				  .srtt_ns = UNKNOWN,
				  .rttvar_ns = UNKNOWN,
				  .rto_ns = UNKNOWN };
	map_set(&c->of, id, c->n);
	return now;
}

/* ---- from the recorder ---- */

/* "No threshold yet" is a very large one. */
static int64_t bytes_or_unknown(uint64_t v)
{
	return v < INT32_MAX ? (int64_t)v : UNKNOWN;
}

void conns_learn(struct conns *c, const struct glass_record *r)
{
	struct conn_now *now;

	if (!r->conn || r->conn == NONE)
		return;
	now = find(c, r->conn);
	if (!now)
		now = add(c, r->conn);
	switch (r->event) {
	case EV_TCP_OPEN:
		now->opened = true;
		break;
	case EV_TCP_STATE:
		now->state = glass_tcp_state_name((unsigned)r->v[1]);
		break;
	case EV_TCP_ACKED:
		now->flight = bytes_or_unknown(r->v[2]);
		now->cwnd = bytes_or_unknown(r->v[3]);
		break;
	case EV_TCP_CA:
		now->cwnd = bytes_or_unknown(r->v[1]);
		now->ssthresh = bytes_or_unknown(r->v[2]);
		break;
	case EV_TCP_RTT:
		now->srtt_ns = (int64_t)r->v[1];
		now->rttvar_ns = (int64_t)r->v[2];
		now->rto_ns = (int64_t)r->v[3];
		break;
	case EV_TCP_RTO:
		now->rto_ns = (int64_t)r->v[2];
		break;
	default:
		break;
	}
}

/* ---- from the daemon ---- */

/* As ss has it and as the standard has it. */
static const char *state_name(const char *ss)
{
	if (!ss || !strcmp(ss, "UNCONN"))
		return NULL;
	if (!strcmp(ss, "ESTAB"))
		return "ESTABLISHED";
	if (!strcmp(ss, "SYN-RECV"))
		return "SYN-RECEIVED";
	for (unsigned i = 0; strcmp(glass_tcp_state_name(i), "?") != 0; i++)
		if (!strcmp(glass_tcp_state_name(i), ss))
			return glass_tcp_state_name(i);
	return NULL;
}

/*
 * How things stand now: of use only for a connection whose beginning the recorder has forgotten,
 * and until it tells of it.
 */
static void learn_row(struct conn_now *now, const struct glass_conn_info *i)
{
	const struct holder *h;
	unsigned count;

	h = holders_of((uintptr_t)i->user, &count);
	if (h && !now->pid) {
		now->pid = h->pid;
		memcpy(now->process, h->name, sizeof(now->process));
	}
	if (i->proto != GLASS_TCP || !i->mss || now->opened)
		return;
	if (!now->state)
		now->state = state_name(i->state);
	if (now->cwnd == UNKNOWN && i->cwnd_segments)
		now->cwnd = (int64_t)i->cwnd_segments * i->mss;
	if (now->ssthresh == UNKNOWN && i->ssthresh_segments)
		now->ssthresh = bytes_or_unknown((uint64_t)i->ssthresh_segments * i->mss);
	if (now->srtt_ns == UNKNOWN && i->srtt_ns > 0) {
		now->srtt_ns = i->srtt_ns;
		now->rttvar_ns = i->rttvar_ns;
	}
	if (now->rto_ns == UNKNOWN && i->rto_ns > 0)
		now->rto_ns = i->rto_ns;
}

static void ask(struct conns *c)
{
	static const size_t strings[] = { offsetof(struct glass_conn_info, state),
					  offsetof(struct glass_conn_info, timer),
					  offsetof(struct glass_conn_info, cc),
					  offsetof(struct glass_conn_info, ca_state),
					  offsetof(struct glass_conn_info, error_why) };
	struct conn_now *now;
	struct table t;

	if (table_get(&t, "ss", sizeof(struct glass_conn_info), strings, COUNT(strings)))
		return;
	holders_find();
	for (uint64_t i = 0; i < t.count; i++) {
		const struct glass_conn_info *row = TABLE_ROW(&t, struct glass_conn_info, i);

		now = row->conn ? find(c, row->conn) : NULL;
		if (now)
			learn_row(now, row);
	}
	table_free(&t);
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

const struct conn_now *conns_get(struct conns *c, uint32_t id)
{
	struct conn_now *now = id ? find(c, id) : NULL;
	int64_t ns;

	if (!now || now->pid)
		return now;
	ns = now_ns();
	if (ns < c->next_ask_ns || (now->asked_ns && ns - now->asked_ns < AGAIN_NS))
		return now;
	now->asked_ns = ns;
	ask(c);
	c->next_ask_ns = ns + (now_ns() - ns) * (SHARE + 1);
	return now;
}

void conns_free(struct conns *c)
{
	free(c->conn);
	map_free(&c->of);
	*c = (struct conns){ 0 };
}
