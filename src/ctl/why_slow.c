/* SPDX-License-Identifier: MIT */
/*
 * glass why --slow: where a connection's time went, what was sent again and why, and what would
 * help most. The account is the stack's own (limit.def): of a live connection it is asked for, of
 * an ended one it stands in the recorder.
 *
 * In: cmd_why.c.  Out: story_words.c, the daemon's table of connections.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "facts.h"
#include "glossary.h"
#include "ss.h"
#include "why.h"

#define KINDS_MAX 16
#define EXAMPLES 3
#define TCP_RST 0x04

static const struct {
	const char *name, *word, *doc;
} limits[GLASS_LIMIT_COUNT] = {
#define LIMIT(ID, name, word, doc) [GLASS_LIMIT_##ID] = { name, word, doc },
#include <glass/limit.def>
#undef LIMIT
};

/* Retransmissions of one kind, or those that proved needless for one reason. */
struct kind {
	uint64_t why;
	uint32_t segments;
	uint64_t bytes;
	uint32_t record[EXAMPLES], records;
};

struct kinds {
	struct kind kind[KINDS_MAX];
	unsigned n;
	uint32_t segments;
	uint64_t bytes;
};

struct slow {
	const struct story *story;
	const struct conn_story *conn;
	bool known;
	int64_t life_ns, ns[GLASS_LIMIT_COUNT];
	struct kinds again, needless;
	uint64_t sent, received; /* bytes of payload, copies too */
	uint64_t segments_sent, segments_received;
	uint32_t gaps;			    /* segments that came behind one */
	int64_t closed_ns, closed_since_ns; /* our window; 0: it is open */
};

/* ---- gathering ------------------------------------------------------------------------------- */

static void count(struct kinds *k, uint64_t why, uint32_t rec, uint32_t segments, uint64_t bytes)
{
	struct kind *found = k->kind;

	while (found < k->kind + k->n && found->why != why)
		found++;
	if (found == k->kind + KINDS_MAX)
		return; /* a hostile recording */
	if (found == k->kind + k->n)
		*found = (struct kind){ .why = why };
	k->n = found == k->kind + k->n ? k->n + 1 : k->n;
	found->segments += segments;
	found->bytes += bytes;
	if (found->records < EXAMPLES)
		found->record[found->records++] = rec;
	k->segments += segments;
	k->bytes += bytes;
}

static void note_limit(struct slow *w, const struct glass_record *r)
{
	char word[64];

	word_text(w->story, r->v[0], word, sizeof(word));
	for (unsigned i = 0; i < GLASS_LIMIT_COUNT; i++)
		if (!strcmp(word, limits[i].word))
			w->ns[i] = (int64_t)r->v[1];
	w->life_ns = (int64_t)r->v[2];
	w->known = true;
}

static void note_segment_in(struct slow *w, const struct step *t, const struct glass_record *r)
{
	w->received += r->v[3];
	w->segments_received += wire_segments(w->story, t, EV_RX, r->v[3]);
}

static void note_segment_out(struct slow *w, const struct step *t, const struct glass_record *r)
{
	bool closed = !r->v[4] && !(r->v[0] & TCP_RST);
	int64_t since_ns = w->closed_since_ns ? w->closed_since_ns : r->time_ns;

	w->sent += r->v[3];
	w->segments_sent += wire_segments(w->story, t, EV_TX, r->v[3]);
	w->closed_ns += between(since_ns, r->time_ns);
	w->closed_since_ns = closed ? r->time_ns : 0;
}

static void note(struct slow *w, const struct step *t, uint32_t rec)
{
	const struct glass_record *r = &w->story->rec[rec];

	switch (r->event) {
	case EV_TCP_RTX:
		count(&w->again, r->v[4], rec, wire_segments(w->story, t, EV_TX, r->v[2]), r->v[2]);
		break;
	case EV_TCP_SPURIOUS:
		count(&w->needless, r->v[2], rec, (uint32_t)r->v[1], 0);
		break;
	case EV_TCP_IN:
		note_segment_in(w, t, r);
		break;
	case EV_TCP_OUT:
		note_segment_out(w, t, r);
		break;
	case EV_TCP_OOO:
		w->gaps++;
		break;
	case EV_TCP_LIMIT:
		note_limit(w, r);
		break;
	default:
		break;
	}
}

/* A live connection's account. */
static int ask_stack(struct slow *w)
{
	const struct glass_conn_info *c;
	struct table t;
	int err = ss_table(&t);

	if (err)
		return err;
	for (uint64_t i = 0; i < t.count; i++) {
		c = TABLE_ROW(&t, struct glass_conn_info, i);
		if (c->proto != GLASS_TCP || c->conn != w->conn->id || c->life_ns <= 0)
			continue;
		memcpy(w->ns, c->limit_ns, sizeof(w->ns));
		w->life_ns = c->life_ns;
		w->known = true;
	}
	table_free(&t);
	return 0;
}

static int gather(struct slow *w, bool live)
{
	const struct story *s = w->story;

	for (uint32_t i = w->conn->first_step; i != NONE; i = s->step[i].next_of_conn)
		FOR_STEP(s, &s->step[i], r)
	note(w, &s->step[i], r);
	return w->known || !live ? 0 : ask_stack(w);
}

/* ---- telling --------------------------------------------------------------------------------- */

static int longest(const struct slow *w)
{
	int most = 0;

	for (int i = 1; i < GLASS_LIMIT_COUNT; i++)
		if (w->ns[i] > w->ns[most])
			most = i;
	return most;
}

static double share(const struct slow *w, int limit)
{
	return w->life_ns > 0 ? 100.0 * (double)w->ns[limit] / (double)w->life_ns : 0;
}

static void duration_text(int64_t ns, char out[32])
{
	glass_value_text(NULL, GLASS_KIND_NS, (uint64_t)ns, out, 32);
}

/*
 * The account is of what we send. Whoever receives knows of the other way only what the window
 * tells: what a reader, or what the sender and the path have to answer for.
 */
static void receiver_advice(const struct slow *w, char *out, size_t size)
{
	char held[32];
	int n;

	duration_text(w->closed_ns, held);
	if (w->closed_ns >= w->life_ns / 10) {
		snprintf(out, size,
			 "a program here that reads faster: it received, and our window was closed "
			 "for %s",
			 held);
		return;
	}
	n = snprintf(out, size,
		     "look at the side that sends (glass why --slow there): it received, and our "
		     "window %s%s, so that the sender or the path was the limit",
		     w->closed_ns ? "was closed only for " : "never closed",
		     w->closed_ns ? held : "");
	if (w->gaps)
		snprintf(out + n, size - (size_t)n,
			 "; %u segment%s came behind a gap: the path loses or reorders", w->gaps,
			 w->gaps == 1 ? "" : "s");
}

static void advice_against(const struct slow *w, int limit, char *out, size_t size)
{
	bool nothing_to_send = limit == GLASS_LIMIT_APPLICATION || limit == GLASS_LIMIT_CLOSING;

	if (nothing_to_send && w->received > w->sent)
		receiver_advice(w, out, size);
	else
		snprintf(out, size, "%s",
			 limit == GLASS_LIMIT_CWND && !w->again.segments
				 ? "a longer life, or tunable tcp_initial_window at the sender: "
				   "nothing was lost, the congestion window was still growing"
				 : limit_advice[limit]);
}

/* One sentence: what helps against what took longest. */
static void advice_text(const struct slow *w, char *out, size_t size)
{
	int most = longest(w);
	char held[32], advice[320];

	duration_text(w->ns[most], held);
	advice_against(w, most, advice, sizeof(advice));
	snprintf(out, size, "%s (%s: %s, %.0f %% of its life).", advice, limits[most].word, held,
		 share(w, most));
}

static void budget_text(const struct slow *w)
{
	bool told[GLASS_LIMIT_COUNT] = { false };
	char held[32];
	int64_t sum = 0;
	int most;

	for (int row = 0; row < GLASS_LIMIT_COUNT; row++) {
		most = -1;
		for (int i = 0; i < GLASS_LIMIT_COUNT; i++)
			if (!told[i] && w->ns[i] && (most < 0 || w->ns[i] > w->ns[most]))
				most = i;
		if (most < 0)
			break;
		told[most] = true;
		sum += w->ns[most];
		duration_text(w->ns[most], held);
		printf("  %5.1f %%  %9s  %s%-18s%s %s\n", share(w, most), held, color(C_BOLD),
		       limits[most].word, color(C_NONE), limits[most].doc);
	}
	duration_text(sum, held);
	printf("  %5.1f %%  %9s  its life\n",
	       w->life_ns > 0 ? 100.0 * (double)sum / (double)w->life_ns : 0.0, held);
}

static void kind_lines(const struct slow *w, const struct kind *k, bool copies)
{
	const struct print p = { .story = w->story };
	const struct glass_record *r;
	char why[128], cause[160] = "";

	word_text(w->story, k->why, why, sizeof(why));
	printf("    %5u  %s%s%s", k->segments, color(C_YELLOW), why, color(C_NONE));
	if (k->records && *record_rule(w->story, &w->story->rec[k->record[0]]))
		printf("   %s[%s]%s", color(C_DIM),
		       record_rule(w->story, &w->story->rec[k->record[0]]), color(C_NONE));
	putchar('\n');
	for (uint32_t i = 0; i < k->records; i++) {
		r = &w->story->rec[k->record[i]];
		act_label(&p, r->cause, cause, sizeof(cause));
		printf("           at %.6f s seq %" PRIu64 ", because %s\n",
		       (double)between(w->conn->begin_ns, r->time_ns) / 1e9, r->v[copies ? 1 : 0],
		       cause);
	}
	if (k->segments > k->records && k->records == EXAMPLES)
		printf("           ...\n");
}

static void again_text(const struct slow *w)
{
	if (!w->again.n) {
		printf("  Nothing was sent again.\n");
		return;
	}
	printf("  Sent again: %u segment%s, %" PRIu64 " of %" PRIu64 " bytes (%.2f %%):\n",
	       w->again.segments, w->again.segments == 1 ? "" : "s", w->again.bytes, w->sent,
	       w->sent ? 100.0 * (double)w->again.bytes / (double)w->sent : 0.0);
	for (unsigned i = 0; i < w->again.n; i++)
		kind_lines(w, &w->again.kind[i], true);
	if (w->needless.n)
		printf("  Of these proved needless: %u\n", w->needless.segments);
	for (unsigned i = 0; i < w->needless.n; i++)
		kind_lines(w, &w->needless.kind[i], false);
}

static void tell_text(const struct slow *w, const char *local, const char *remote)
{
	char life[32], text[512];

	duration_text(w->life_ns, life);
	printf("%sconnection %u: %s > %s%s", color(C_BOLD), w->conn->id, local, remote,
	       color(C_NONE));
	if (w->known) {
		printf(", lived %s; what held it back:\n", life);
		budget_text(w);
	} else {
		printf("\n  Where its time went is told when it ends; of a live one the running "
		       "stack knows.\n");
	}
	again_text(w);
	if (!w->known)
		return;
	advice_text(w, text, sizeof(text));
	printf("  The most useful change: %s\n", text);
}

static void kinds_json(const struct slow *w, const char *key, const struct kinds *k)
{
	char why[128];

	json_begin_array(key);
	for (unsigned i = 0; i < k->n; i++) {
		const struct glass_record *r = &w->story->rec[k->kind[i].record[0]];

		word_text(w->story, k->kind[i].why, why, sizeof(why));
		json_begin_object(NULL);
		json_string("why", why);
		json_unsigned("segments", k->kind[i].segments);
		json_string("rule", record_rule(w->story, r));
		json_number("first_ns", between(w->conn->begin_ns, r->time_ns));
		json_unsigned("cause", r->cause);
		json_end();
	}
	json_end();
}

static void tell_json(const struct slow *w, const char *key, const char *local, const char *remote)
{
	char text[512];

	json_begin_object(key);
	json_unsigned("conn", w->conn->id);
	json_string("local", local);
	json_string("remote", remote);
	json_unsigned("bytes_sent", w->sent);
	json_unsigned("segments_sent", w->segments_sent);
	json_unsigned("bytes_received", w->received);
	json_unsigned("segments_received", w->segments_received);
	json_unsigned("retrans_segments", w->again.segments);
	json_unsigned("retrans_bytes", w->again.bytes);
	kinds_json(w, "retrans", &w->again);
	json_unsigned("needless_segments", w->needless.segments);
	kinds_json(w, "needless", &w->needless);
	if (w->known) {
		json_number("life_ns", w->life_ns);
		json_begin_object("limits_ns");
		for (unsigned i = 0; i < GLASS_LIMIT_COUNT; i++)
			if (w->ns[i])
				json_number(limits[i].name, w->ns[i]);
		json_end();
		json_string("limiter", limits[longest(w)].name);
		advice_text(w, text, sizeof(text));
		json_string("advice", text);
	}
	json_end();
}

/* key: that member of a JSON object that is open already; NULL: by itself, and as text where that
 * is asked for. */
static int tell(const char *key, const struct story *s, const struct conn_story *c, bool live,
		bool json)
{
	struct slow w = { .story = s, .conn = c };
	char local[64], remote[64];
	int err = gather(&w, live);

	if (err)
		return err;
	kind_text(s, GLASS_KIND_END4, c->local, local, sizeof(local));
	kind_text(s, GLASS_KIND_END4, c->remote, remote, sizeof(remote));
	if (json)
		tell_json(&w, key, local, remote);
	else
		tell_text(&w, local, remote);
	return EXIT_OK;
}

int why_slow(const struct story *s, const struct conn_story *c, bool live)
{
	return tell(NULL, s, c, live, ctl.json);
}

int why_slow_json(const char *key, const struct story *s, const struct conn_story *c, bool live)
{
	return tell(key, s, c, live, true);
}
