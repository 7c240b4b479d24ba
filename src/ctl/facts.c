/* SPDX-License-Identifier: MIT */
/* The records of one connection, boiled down to facts. */
#include <string.h>

#include "facts.h"

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

static void happened(struct times *t, int64_t ns)
{
	if (t->n < TIMES_MAX)
		t->at_ns[t->n] = ns;
	t->n++;
}

static void note_segment_in(struct facts *f, const struct glass_record *r)
{
	f->heard_ns = f->traffic_ns = r->time_ns;
	if (r->v[0] & TCP_SYN)
		happened(&f->syn_in, r->time_ns);
	if (r->v[0] & TCP_FIN) {
		f->fin_in_first = f->fin_in_first || !f->fin_out;
		f->fin_in = true;
	}
}

static void note_segment_out(struct facts *f, const struct glass_record *r)
{
	f->traffic_ns = r->time_ns;
	f->sent += r->v[3];
	if (r->v[0] & TCP_SYN && !(r->v[0] & TCP_ACK))
		happened(&f->syn, r->time_ns);
	f->fin_out = f->fin_out || r->v[0] & TCP_FIN;
	f->sent_rst = f->sent_rst || r->v[0] & TCP_RST;
}

static void note_state(struct facts *f, const struct glass_record *r)
{
	f->state = r->v[1];
	if (!strcmp(glass_tcp_state_name((unsigned)r->v[1]), "ESTABLISHED")) {
		f->established = true;
		f->established_ns = r->time_ns;
	}
	if (!strcmp(glass_tcp_state_name((unsigned)r->v[1]), "CLOSED"))
		f->closed = true;
}

static void note_drop(struct facts *f, const struct glass_record *r)
{
	f->drops++;
	f->neigh_failed = f->neigh_failed || r->v[0] == DROP_NEIGH_FAILED;
	f->black_hole = f->black_hole || r->v[0] == DROP_BLACKHOLE;
	if (r->v[0] == DROP_TCP_RST) {
		f->reset = true;
		f->reset_ns = r->time_ns;
	}
}

uint32_t wire_segments(const struct story *s, const struct step *t, unsigned event, uint64_t bytes)
{
	const struct glass_record *frame = step_find(s, t, event);
	uint64_t gso = frame ? frame->v[2] : 0;

	return gso && bytes ? (uint32_t)((bytes + gso - 1) / gso) : 1;
}

static void note_end(struct facts *f, const struct glass_record *r)
{
	f->ended = true;
	f->error = (int)r->v[0];
	f->end_why = r->v[1];
	f->end_ns = r->time_ns;
}

/* Records that count, or are kept. */
static void note_rest(const struct story *s, struct facts *f, const struct step *t,
		      const struct glass_record *r)
{
	char state[32];

	switch (r->event) {
	case EV_NEIGH_STATE:
		kind_text(s, GLASS_KIND_NEIGH, r->v[2], state, sizeof(state));
		f->neigh_answered = f->neigh_answered || !strcmp(state, "REACHABLE");
		break;
	case EV_ROUTE:
		kind_text(s, GLASS_KIND_DEV, r->v[2], f->dev, sizeof(f->dev));
		break;
	case EV_TCP_RTX:
		f->rtx += wire_segments(s, t, EV_TX, r->v[2]);
		f->sent -= r->v[2];
		break;
	case EV_TCP_RTO:
		f->timeouts++;
		break;
	case EV_TCP_DELIVER:
		f->received += r->v[0];
		break;
	case EV_TCP_ACKED:
		f->acked += r->v[1];
		break;
	case EV_ICMP_IN:
		f->icmp = *r;
		f->has_icmp = true;
		break;
	default:
		break;
	}
}

static void note(const struct story *s, struct facts *f, const struct step *t,
		 const struct glass_record *r)
{
	f->last_ns = r->time_ns;
	switch (r->event) {
	case EV_TCP_IN:
		note_segment_in(f, r);
		break;
	case EV_TCP_OUT:
		note_segment_out(f, r);
		break;
	case EV_TCP_STATE:
		note_state(f, r);
		break;
	case EV_DROP:
		note_drop(f, r);
		break;
	case EV_TCP_END:
		note_end(f, r);
		break;
	case EV_ARP_OUT:
		f->arp_target = (uint32_t)r->v[1];
		happened(&f->arp, r->time_ns);
		break;
	default:
		note_rest(s, f, t, r);
		break;
	}
}

void facts_gather(const struct story *s, const struct conn_story *c, struct facts *f)
{
	*f = (struct facts){ .conn = c };
	for (uint32_t i = c->first_step; i != NONE; i = s->step[i].next_of_conn)
		FOR_STEP(s, &s->step[i], r)
	note(s, f, &s->step[i], &s->rec[r]);
}
