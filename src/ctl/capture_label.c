/* SPDX-License-Identifier: MIT */
/*
 * What the flight recorder tells of a frame, as words for programs and as a line for people.
 *
 * The records between two frames are read, connections learn from them, and those that speak of
 * the frame, or were written because of it, become its label. That a retransmission was needless
 * is known only later: the label of the packet that proves it says so.
 *
 * In: cmd_pcap.c.  Out: story.c, capture_conn.c.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture.h"

const char *capture_field_name(enum capture_field f)
{
	static const char *const names[] = {
#define FIELD(ID, name, type, text) [FIELD_##ID] = (name),
#include "capture_field.def"
#undef FIELD
	};

	return names[f];
}

int labels_open(struct labels *l)
{
	struct reply rep;
	int err = client_call(ABI_TRACE, NULL, NULL, -1, &rep);

	*l = (struct labels){ 0 };
	if (err)
		return 0; /* the daemon runs without: packets have no labels then */
	close(rep.fd);
	err = story_open(&l->story, NULL);
	l->recorder = !err;
	return err;
}

void labels_close(struct labels *l)
{
	story_close(&l->story);
	conns_free(&l->conns);
}

/* ---- text ---- */

static __attribute__((format(printf, 2, 3))) void put(char *to, const char *format, ...)
{
	size_t at = strlen(to);
	va_list args;

	va_start(args, format);
	vsnprintf(to + at, LABEL_BYTES - at, format, args);
	va_end(args);
}

/* Quotes keep words together; none is within. What could steer a terminal becomes '?'. */
static void put_word(struct label *out, enum capture_field f, const char *value)
{
	char clean[640];
	size_t n = 0;

	for (; value[n] && n + 1 < sizeof(clean); n++)
		clean[n] = value[n] == '"'			 ? '\''
			   : value[n] < 0x20 || value[n] >= 0x7f ? '?'
								 : value[n];
	clean[n] = '\0';
	/* A word that does not fit is left out whole. */
	if (strlen(out->words) + n + 64 < LABEL_BYTES)
		put(out->words, "%sglass.%s=%s%s%s", *out->words ? " " : "", capture_field_name(f),
		    strchr(clean, ' ') ? "\"" : "", clean, strchr(clean, ' ') ? "\"" : "");
}

static void put_number(struct label *out, enum capture_field f, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	put_word(out, f, text);
}

static void put_known(struct label *out, enum capture_field f, int64_t value, int64_t unit)
{
	if (value != UNKNOWN)
		put_number(out, f, (uint64_t)(value / unit));
}

static void put_sentence(struct label *out, const char *before, const char *text)
{
	put(out->text, "%s%s%s", *out->text ? "; " : "", before, text);
}

/* ---- retransmissions ---- */

static void learn_rtx(struct labels *l, const struct glass_record *r)
{
	struct retransmitted *x = &l->rtx[l->nrtx++ % RETRANSMITTED_MAX];

	*x = (struct retransmitted){ .conn = r->conn,
				     .act = r->pkt,
				     .copy_of = (uint32_t)r->v[3],
				     .seq = r->v[1],
				     .len = r->v[2] };
	word_text(&l->story, r->v[4], x->why, sizeof(x->why));
}

/* The newest first: that is asked for most. */
#define FOR_RTX(l, x)                                                                      \
	for (uint32_t i_ = 0; i_ < (l)->nrtx && i_ < RETRANSMITTED_MAX &&                  \
			      ((x) = &(l)->rtx[((l)->nrtx - 1 - i_) % RETRANSMITTED_MAX]); \
	     i_++)

static const struct retransmitted *rtx_of(struct labels *l, uint32_t act)
{
	struct retransmitted *x;

	FOR_RTX(l, x)
	if (x->act == act)
		return x;
	return NULL;
}

static const char *rtx_kind(const char *why)
{
	static const struct {
		const char *begins, *kind;
	} kinds[] = { { "fast", "fast" },	    { "partial", "partial" }, { "timeout", "rto" },
		      { "tail loss probe", "tlp" }, { "SYN", "syn" },	      { "smaller", "pmtu" },
		      { "reneged", "reneged" } };

	for (unsigned i = 0; i < COUNT(kinds); i++)
		if (!strncmp(why, kinds[i].begins, strlen(kinds[i].begins)))
			return kinds[i].kind;
	return "other";
}

static void tell_rtx(struct label *out, const struct retransmitted *x)
{
	put_word(out, FIELD_RETRANSMISSION, rtx_kind(x->why));
	put_word(out, FIELD_WHY, x->why);
	put_number(out, FIELD_COPY_OF, x->copy_of);
	put(out->text, "%ssent again, copy of #%u: %s", *out->text ? "; " : "", x->copy_of, x->why);
}

/*
 * Of what was sent again, which is it that was needless? A DSACK names one range; a recovery that
 * is taken back names where it began, and how many segments.
 */
static void tell_spurious(struct labels *l, struct label *out, const struct glass_record *r)
{
	struct retransmitted *x;
	bool whole_recovery;
	char why[96];

	word_text(&l->story, r->v[2], why, sizeof(why));
	whole_recovery = strcmp(why, "DSACK") != 0;
	FOR_RTX(l, x)
	{
		if (x->conn != r->conn || x->spurious)
			continue;
		if (whole_recovery ? x->seq < r->v[0]
				   : r->v[0] < x->seq || r->v[0] >= x->seq + x->len)
			continue;
		x->spurious = true;
		put_number(out, FIELD_PROVES, x->act);
		put(out->text, "%sproves #%u needless: %s", *out->text ? "; " : "", x->act, why);
		if (!whole_recovery)
			return;
	}
}

/* ---- one frame ---- */

/* A drop or a misfortune of another part of the same super-packet is not this one's. */
static bool is_of_part(const struct glass_record *r, uint32_t part_at)
{
	if (part_at == ABI_CAPTURED_WHOLE)
		return true;
	if (r->event == EV_NET)
		return r->v[2] == part_at;
	if (r->event == EV_DROP && r->v[0] >= DROP_NET_LOSS && r->v[0] <= DROP_NET_QUEUE_FULL)
		return r->v[2] == part_at;
	return true;
}

static bool is_about(const struct glass_record *r, uint32_t act)
{
	return r->pkt == act || (r->cause == act && (!r->pkt || r->event == EV_TCP_LOST));
}

static void tell_drop(const struct labels *l, struct label *out, const struct glass_record *r)
{
	const struct glass_drop_desc *d =
		r->v[0] < UINT32_MAX ? glass_drop_desc((unsigned)r->v[0]) : NULL;
	char text[TEXT_BYTES];

	if (!d)
		return;
	glass_record_text(&l->story.reader, r, text, sizeof(text));
	put_word(out, FIELD_DROP, d->name);
	put_word(out, FIELD_DROP_TEXT, text);
	if (*d->source)
		put_word(out, FIELD_DROP_RULE, d->source);
	put_sentence(out, "dropped: ", text);
}

static void tell_net(const struct labels *l, struct label *out, const struct glass_record *r)
{
	char what[96];

	word_text(&l->story, r->v[0], what, sizeof(what));
	put_word(out, FIELD_NET, what);
	if (r->v[3])
		put_number(out, FIELD_NET_DELAY, r->v[3] / (uint64_t)NS_PER_US);
	put_sentence(out, "glass net: ", what);
}

/* What other fields tell, or everybody can see in the packet. */
static bool goes_without_saying(unsigned event)
{
	switch (event) {
	case EV_TCP_IN:
	case EV_TCP_OUT:
	case EV_UDP_IN:
	case EV_UDP_OUT:
	case EV_ARP_IN:
	case EV_ARP_OUT:
	case EV_ICMP_IN:
	case EV_ICMP_OUT:
	case EV_IGMP_IN:
	case EV_IGMP_OUT:
	case EV_TCP_ACKED:
	case EV_CALL:
	case EV_RESULT:
		return true;
	default:
		return event_is_quiet(event);
	}
}

static void tell_other(const struct labels *l, struct label *out, const struct glass_record *r)
{
	char text[TEXT_BYTES];

	if (goes_without_saying(r->event))
		return;
	glass_record_text(&l->story.reader, r, text, sizeof(text));
	put_sentence(out, event_word(r->event), text);
	if (r->event == EV_TCP_ACK_WHY && !strstr(out->words, "glass.why=")) {
		word_text(&l->story, r->v[0], text, sizeof(text));
		put_word(out, FIELD_WHY, text);
	}
}

static void tell_record(struct labels *l, struct label *out, const struct glass_record *r)
{
	switch (r->event) {
	case EV_DROP:
		tell_drop(l, out, r);
		break;
	case EV_NET:
		tell_net(l, out, r);
		break;
	case EV_TCP_RTX: /* told already: tell_rtx() */
		break;
	case EV_TCP_SPURIOUS:
		tell_spurious(l, out, r);
		break;
	default:
		tell_other(l, out, r);
	}
}

static void tell_connection(struct labels *l, struct label *out, uint32_t id)
{
	const struct conn_now *c = conns_get(&l->conns, id);

	if (!c)
		return;
	put_number(out, FIELD_CONN, id);
	if (c->pid) {
		put_word(out, FIELD_PROCESS, c->process);
		put_number(out, FIELD_PID, (uint64_t)c->pid);
	}
	if (c->state)
		put_word(out, FIELD_STATE, c->state);
	put_known(out, FIELD_CWND, c->cwnd, 1);
	put_known(out, FIELD_SSTHRESH, c->ssthresh, 1);
	put_known(out, FIELD_FLIGHT, c->flight, 1);
	put_known(out, FIELD_SRTT, c->srtt_ns, NS_PER_US);
	put_known(out, FIELD_RTTVAR, c->rttvar_ns, NS_PER_US);
	put_known(out, FIELD_RTO, c->rto_ns, NS_PER_US);
}

static void tell_cause(const struct labels *l, struct label *out, const struct act *a)
{
	struct print p = { .story = &l->story };
	char text[160];
	int n = 0;

	if (!a->cause)
		return;
	act_label(&p, a->cause, text, sizeof(text));
	put_number(out, FIELD_CAUSE, a->cause);
	put_sentence(out, "because of ", text);
	sscanf(text, "#%*u %n", &n);
	if (n && text[n])
		put_word(out, FIELD_CAUSE_TEXT, text + n);
}

/* One that came in was given a number, which the daemon does not know. */
static uint32_t act_that_came(const struct story *s)
{
	for (uint32_t i = s->nrec; i--;)
		if (s->rec[i].event == EV_RX)
			return s->rec[i].pkt;
	return 0;
}

/*
 * Another glassd has taken the stack over: its records lie in another ring, which has more of them
 * than this one, or counts them anew.
 */
static void follow_stack(struct labels *l, const struct abi_captured *h)
{
	if (h->records_to > l->story.reader.ring->head || h->records_to < l->to) {
		l->recorder = story_renew(&l->story);
		l->lost = l->story.reader.lost;
	}
	l->to = h->records_to;
}

/* What happened since the last frame; the first time: whatever the recorder still knows. */
static void read_records(struct labels *l, const struct abi_captured *h)
{
	struct story *s = &l->story;

	story_forget(s);
	story_read_until(s, h->records_to);
	for (uint32_t i = 0; i < s->nrec; i++) {
		conns_learn(&l->conns, &s->rec[i]);
		if (s->rec[i].event == EV_TCP_RTX)
			learn_rtx(l, &s->rec[i]);
	}
}

/* whole: no record that could speak of it is lost. */
static void tell_verdict(struct label *out, const struct abi_captured *h, bool whole)
{
	const char *verdict = strstr(out->words, "glass.drop=") ? "dropped"
			      : !whole				? "unknown"
			      : h->out				? "sent"
								: "accepted";
	char text[LABEL_BYTES];

	put_word(out, FIELD_VERDICT, verdict);
	if (*verdict == 'd')
		return; /* the text says so */
	snprintf(text, sizeof(text), "%s", out->text);
	snprintf(out->text, sizeof(out->text), "%s%s%.1900s", verdict, *text ? "; " : "", text);
}

/* What the records say of it, and what else is known of its connection. */
static void tell(struct labels *l, const struct abi_captured *h, struct label *out, bool whole)
{
	const struct retransmitted *x = h->out ? rtx_of(l, out->act) : NULL;
	const struct act *a = story_act(&l->story, out->act);

	put_number(out, FIELD_PACKET, out->act);
	put_word(out, FIELD_DIRECTION, h->out ? "out" : "in");
	if (x)
		tell_rtx(out, x);
	for (uint32_t i = 0; i < l->story.nrec; i++)
		if (is_about(&l->story.rec[i], out->act) &&
		    is_of_part(&l->story.rec[i], h->part_at))
			tell_record(l, out, &l->story.rec[i]);
	tell_verdict(out, h, whole);
	tell_connection(l, out, a ? a->conn : 0);
	if (a)
		tell_cause(l, out, a);
	if (h->part_at != ABI_CAPTURED_WHOLE)
		put_number(out, FIELD_PART, h->part_at);
}

void labels_of(struct labels *l, const struct abi_captured *h, struct label *out)
{
	uint64_t lost;

	*out = (struct label){ .act = h->act };
	if (!l->recorder)
		return;
	follow_stack(l, h);
	if (!l->recorder)
		return;
	read_records(l, h);
	lost = l->story.reader.lost - l->lost;
	l->lost += lost;
	if (!out->act)
		out->act = act_that_came(&l->story);
	tell(l, h, out, !lost);
	if (lost)
		put_number(out, FIELD_LOST, lost);
}
