/* SPDX-License-Identifier: MIT */
/*
 * The clock and the wire of dialogues: what the stack sends, in its order and at its time. The peer
 * is in peer.c, the program that runs them all in main.c. See dialogue.h.
 */
#include "dialogue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glass/glass_trace.h>

#include "../../src/sim/sim.h"

#include "dlg.h"

const uint8_t dlg_stack_mac[6] = { 2, 0, 0, 0, 0, 4 };
const uint8_t dlg_peer_mac[6] = { 2, 0, 0, 0, 0, 5 };

double dlg_now(const struct dlg *d)
{
	return (double)(d->now - DLG_BIRTH_NS) / 1e6;
}

struct glass *dlg_stack(struct dlg *d)
{
	return d->g;
}

unsigned dlg_dev(const struct dlg *d)
{
	return (unsigned)d->dev;
}

const struct seg *dlg_last(const struct dlg *d)
{
	return &d->last;
}

uint32_t dlg_last_seq(const struct dlg *d)
{
	return d->last.seq - d->flow->iss;
}

uint32_t dlg_last_ack(const struct dlg *d)
{
	return d->last.ack - d->flow->irs;
}

/* ---- messages -------------------------------------------------------------------------------- */

void dlg_transcribe(struct dlg *d, const char *direction, const char *line)
{
	size_t left = sizeof(d->transcript) - d->transcript_len;
	int n = snprintf(d->transcript + d->transcript_len, left, "# %12.3f %s %s\n", dlg_now(d),
			 direction, line);

	if (n > 0 && (size_t)n < left)
		d->transcript_len += (size_t)n;
}

/* Asked for by the environment variable DIALOGUE_TRACE: what the stack has to say. */
void dlg_print_trace(struct dlg *d)
{
	struct glass_record rec;
	struct glass_reader r;
	char text[512];

	if (!getenv("DIALOGUE_TRACE") || glass_reader_open(&r, d->ring, d->ring_bytes))
		return;
	while (glass_reader_next(&r, &rec)) {
		const struct glass_event_desc *e = glass_event_desc(rec.event);

		glass_record_text(&r, &rec, text, sizeof(text));
		printf("#   %12.3f #%u<-#%u conn %u %s %s %s\n",
		       (double)(rec.time_ns - DLG_BIRTH_NS) / 1e6, rec.pkt, rec.cause, rec.conn,
		       glass_reader_word(&r, rec.room), e ? e->name : "?", text);
	}
}

void dlg_fail(struct dlg *d, const struct dlg_place *at, const char *format, ...)
{
	va_list ap;

	printf("not ok %u %s\n", d->number, d->test->name);
	printf("# %s:%d: %s\n# at %.3f ms: ", at->file, at->line, at->text, dlg_now(d));
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf("\n# the dialogue until then (> the stack, < the peer):\n%s", d->transcript);
	dlg_print_trace(d);
	longjmp(d->failed, 1);
}

/* ---- frames of the stack --------------------------------------------------------------------- */

struct flow *dlg_flow(struct dlg *d, uint16_t lport, uint16_t rport)
{
	struct flow *f;

	for (unsigned i = 0; i < d->nflows; i++)
		if (d->flows[i].lport == lport && d->flows[i].rport == rport)
			return &d->flows[i];
	if (d->nflows == DLG_FLOWS_MAX)
		dlg_fail(d, d->at, "more than %d conversations", DLG_FLOWS_MAX);
	f = &d->flows[d->nflows++];
	*f = (struct flow){ .lport = lport, .rport = rport, .irs = DLG_PEER_ISN, .win = 65535 };
	f->peer_nxt = f->irs;
	return f;
}

uint8_t dlg_pattern(unsigned who, uint64_t place)
{
	return (uint8_t)(place * 31 + (place >> 8) * 7 + (place >> 16) * 3 + who * 101);
}

static void check_payload(struct dlg *d, const struct flow *f, const struct seg *s)
{
	for (size_t i = 0; i < s->len; i++) {
		int32_t place = (int32_t)(s->seq + !!(s->flags & SYN) + (uint32_t)i - f->iss - 1);

		if (f->iss_ok && place >= 0 && s->data[i] != dlg_pattern(1, (uint64_t)place))
			dlg_fail(d, d->at, "payload byte %zu of seq %u is wrong", i,
				 s->seq - f->iss);
	}
}

/* What the stack's segment tells about the conversation. True: all of it had been sent before. */
static bool follow(struct flow *f, const struct seg *s)
{
	uint32_t end = s->seq + (uint32_t)s->len + !!(s->flags & SYN) + !!(s->flags & FIN);
	bool before;

	if (s->flags & SYN && (!f->iss_ok || s->seq != f->iss)) {
		f->iss = f->nxt = s->seq;
		f->iss_ok = true;
	}
	before = f->iss_ok && end != s->seq && (int32_t)(end - f->nxt) <= 0;
	if (f->iss_ok && (int32_t)(end - f->nxt) > 0)
		f->nxt = end;
	if (s->ts_ok)
		f->tsval = s->tsval;
	if (s->flags & SYN)
		f->ts_on = s->ts_ok && (f->ts_offered || !(s->flags & ACK));
	return before;
}

static void queue_segment(struct dlg *d, const uint8_t *bytes, const struct seg *s)
{
	struct queued *q;
	char line[256];

	if (d->nqueued == DLG_QUEUE_MAX)
		dlg_fail(d, d->at, "the stack sends without end");
	q = &d->queue[d->nqueued++];
	q->seg = *s;
	q->seg.data = NULL;
	q->time = d->now;
	q->flow = NULL;
	if (s->kind == SEG_TCP) {
		q->flow = dlg_flow(d, s->sport, s->dport);
		q->was_sent = follow(q->flow, s);
		check_payload(d, q->flow, s);
		d->quote_len = s->len + 60 < sizeof(d->quote) ? s->len + 60 : sizeof(d->quote);
		memcpy(d->quote, bytes + 14, d->quote_len);
	}
	seg_text(line, sizeof(line), s, q->flow ? q->flow->iss : 0, q->flow ? q->flow->irs : 0);
	dlg_transcribe(d, q->was_sent ? "> RTX" : ">", line);
}

void dlg_give(struct dlg *d, const uint8_t *bytes, size_t n)
{
	struct pkt *p = glass_pkt_new(d->g, n);
	size_t capacity;

	if (!p) {
		dlg_transcribe(d, "<", "lost: no memory for it");
		return;
	}
	memcpy(glass_pkt_room(p, &capacity), bytes, n);
	glass_pkt_filled(p, n, NULL);
	glass_input(d->g, (unsigned)d->dev, p, d->now);
}

static void answer_arp(struct dlg *d, const struct seg *request)
{
	struct seg reply = { .kind = SEG_ARP, .sport = 2, .src = DLG_PEER_IP, .dst = request->src };
	uint8_t frame[SEG_FRAME_MAX];

	if (request->sport != 1 || request->dst != DLG_PEER_IP)
		return;
	memcpy(reply.src_mac, dlg_peer_mac, 6);
	memcpy(reply.dst_mac, dlg_stack_mac, 6);
	dlg_give(d, frame, seg_build(frame, &reply));
}

static void take_frame(struct dlg *d, const struct glass_frame *out)
{
	static uint8_t bytes[SEG_FRAME_MAX];
	const char *wrong;
	struct seg s;
	size_t n = 0;

	for (unsigned i = 0; i < out->niov; i++) {
		memcpy(bytes + n, out->iov[i].base, out->iov[i].len);
		n += out->iov[i].len;
	}
	wrong = seg_parse(bytes, n, &s);
	if (n != out->length)
		wrong = "the frame's length is not the sum of its iovecs";
	if (n > 14 + 1500 && !d->big_mtu && !out->off.gso_size)
		wrong = "longer than the MTU";
	if (memcmp(s.src_mac, dlg_stack_mac, 6) != 0)
		wrong = "source MAC";
	if (wrong)
		dlg_fail(d, d->at, "the stack sent a broken frame of %zu bytes: %s", n, wrong);
	if (s.kind == SEG_ARP)
		answer_arp(d, &s);
	else
		queue_segment(d, bytes, &s);
}

/* All that the stack has to say at this moment. */
void dlg_pump(struct dlg *d)
{
	struct glass_frame frame;
	struct glass_event event;

	if (d->held)
		return;
	while (glass_output(d->g, &frame))
		take_frame(d, &frame);
	while (glass_event(d->g, &event))
		if (event.user)
			((struct app *)event.user)->woke |= event.ready;
	while (glass_output(d->g, &frame))
		take_frame(d, &frame);
}

void dlg_hold(struct dlg *d, bool held)
{
	d->held = held;
	dlg_pump(d);
}

/* ---- time ------------------------------------------------------------------------------------ */

/* Fires what is due until then, or (stop_at_frame) until the stack sends something. */
static void pass(struct dlg *d, int64_t until, bool stop_at_frame)
{
	int rounds = 0;

	dlg_pump(d);
	for (;;) {
		int64_t next = glass_next_deadline(d->g);

		if ((stop_at_frame && d->nqueued) || next > until)
			break;
		if (next > d->now) {
			d->now = next;
			rounds = 0;
		} else if (++rounds > 1000) {
			dlg_fail(d, d->at, "a timer is due again and again at the same time");
		}
		glass_advance(d->g, d->now);
		dlg_pump(d);
	}
	if (stop_at_frame && d->nqueued)
		return;
	d->now = until;
	glass_advance(d->g, d->now);
	dlg_pump(d);
}

void dlg_no_frame_waits(struct dlg *d, const struct dlg_place *at)
{
	char line[256];

	if (!d->nqueued)
		return;
	seg_text(line, sizeof(line), &d->queue[0].seg, d->queue[0].flow ? d->queue[0].flow->iss : 0,
		 d->queue[0].flow ? d->queue[0].flow->irs : 0);
	dlg_fail(d, at, "nobody expected what the stack sent at %.3f ms\n#   got       %s",
		 (double)(d->queue[0].time - DLG_BIRTH_NS) / 1e6, line);
}

static void app_moved(void *arg, struct glass_sock *from, struct glass_sock *to)
{
	struct dlg *d = arg;

	for (unsigned i = 0; i < d->napps; i++)
		if (d->apps[i].s == from)
			d->apps[i].s = to;
}

/* The dialogue must not notice; the recorder goes on as it is. */
static void take_over(struct dlg *d, const struct dlg_place *at)
{
	struct glass_setup setup = { .now_ns = d->now, .ring_bytes = d->ring_bytes };
	const char *why;
	struct glass *g;

	setup.ring = malloc(d->ring_bytes);
	g = sim_restored(d->g, &setup, app_moved, d, &why);
	if (!g)
		dlg_fail(d, at, "takeover: %s", why);
	free(d->ring);
	d->ring = setup.ring;
	d->g = g;
}

void dlg_time(struct dlg *d, const struct dlg_place *at, double ms)
{
	int64_t until = DLG_BIRTH_NS + (int64_t)(ms * 1e6 + 0.5);

	d->at = at;
	dlg_pump(d);
	dlg_no_frame_waits(d, at);
	if (until < d->now)
		dlg_fail(d, at, "the time is later already");
	if (d->takeovers)
		take_over(d, at);
	pass(d, until, false);
	if (d->nqueued && d->queue[0].time < d->now)
		dlg_no_frame_waits(d, at);
	dlg_check_limits(d, at);
}

/* ---- what is expected ------------------------------------------------------------------------ */

static struct queued take(struct dlg *d, const struct dlg_place *at)
{
	struct queued q;

	d->at = at;
	dlg_pump(d);
	if (!d->nqueued)
		dlg_fail(d, at, "the stack sent nothing");
	q = d->queue[0];
	memmove(d->queue, d->queue + 1, --d->nqueued * sizeof(q));
	if (q.flow)
		d->flow = q.flow;
	d->last = q.seg;
	return q;
}

struct seg dlg_skip(struct dlg *d, const struct dlg_place *at)
{
	return take(d, at).seg;
}

void dlg_skip_all(struct dlg *d, const struct dlg_place *at)
{
	d->at = at;
	dlg_pump(d);
	while (d->nqueued)
		take(d, at);
}

void dlg_skip_until(struct dlg *d, const struct dlg_place *at, double ms)
{
	while (dlg_now(d) < ms) {
		dlg_skip_all(d, at);
		pass(d, DLG_BIRTH_NS + (int64_t)(ms * 1e6), true);
	}
	dlg_skip_all(d, at);
}

void dlg_out(struct dlg *d, const struct dlg_place *at, double from, double to, const char *format,
	     ...)
{
	static const struct flow none;
	char text[512], line[256];
	const char *wrong;
	struct queued q;
	struct spec s;
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	d->at = at;
	if ((wrong = spec_read(&s, text)))
		dlg_fail(d, at, "%s", wrong);
	if (to > 0)
		pass(d, DLG_BIRTH_NS + (int64_t)(to * 1e6), true);
	q = take(d, at);
	wrong = spec_differs(&s, &q.seg, q.flow ? q.flow : &none, q.was_sent);
	seg_text(line, sizeof(line), &q.seg, q.flow ? q.flow->iss : 0, q.flow ? q.flow->irs : 0);
	if (wrong)
		dlg_fail(d, at, "%s\n#   expected  %s\n#   got       %s", wrong, text, line);
	if (to > 0 && q.time < DLG_BIRTH_NS + (int64_t)(from * 1e6))
		dlg_fail(d, at, "too early\n#   got       %s", line);
}
