/* SPDX-License-Identifier: MIT */
/*
 * The clock, the wire and the scripted peer of dialogues; runs them all and reports as TAP. See
 * dialogue.h.
 */
#include "dialogue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glass/glass_trace.h>

#include "dlg.h"

static struct dlg_test *first_test, **last_test = &first_test;

/*
 * Close before the millisecond clock wraps at 2^32, so that every test of a few seconds sees it
 * wrap.
 */
static const int64_t birth_ns = 4294962296ll * 1000000;

static const uint8_t stack_mac[6] = { 2, 0, 0, 0, 0, 4 }, peer_mac[6] = { 2, 0, 0, 0, 0, 5 };

void dlg_register(struct dlg_test *t)
{
	*last_test = t;
	last_test = &t->next;
}

double dlg_now(const struct dlg *d)
{
	return (double)(d->now - birth_ns) / 1e6;
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

/*
 * ---- messages
 * ---------------------------------------------------------------------------------------
 */

static void transcribe(struct dlg *d, const char *direction, const char *line)
{
	size_t left = sizeof(d->transcript) - d->transcript_len;
	int n = snprintf(d->transcript + d->transcript_len, left, "# %12.3f %s %s\n", dlg_now(d),
			 direction, line);

	if (n > 0 && (size_t)n < left)
		d->transcript_len += (size_t)n;
}

/* Asked for by the environment variable DIALOGUE_TRACE: what the stack has to say. */
static void print_trace(struct dlg *d)
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
		       (double)(rec.time_ns - birth_ns) / 1e6, rec.pkt, rec.cause, rec.conn,
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
	print_trace(d);
	longjmp(d->failed, 1);
}

/*
 * ---- frames of the stack
 * ----------------------------------------------------------------------------
 */

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
	transcribe(d, q->was_sent ? "> RTX" : ">", line);
}

static void give(struct dlg *d, const uint8_t *bytes, size_t n)
{
	struct pkt *p = glass_pkt_new(d->g, n);
	size_t capacity;

	if (!p) {
		transcribe(d, "<", "lost: no memory for it");
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
	memcpy(reply.src_mac, peer_mac, 6);
	memcpy(reply.dst_mac, stack_mac, 6);
	give(d, frame, seg_build(frame, &reply));
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
	if (n > 14 + 1500 && !d->big_mtu)
		wrong = "longer than the MTU";
	if (memcmp(s.src_mac, stack_mac, 6) != 0)
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

/*
 * ---- time
 * -------------------------------------------------------------------------------------------
 */

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

static void no_frame_waits(struct dlg *d, const struct dlg_place *at)
{
	char line[256];

	if (!d->nqueued)
		return;
	seg_text(line, sizeof(line), &d->queue[0].seg, d->queue[0].flow ? d->queue[0].flow->iss : 0,
		 d->queue[0].flow ? d->queue[0].flow->irs : 0);
	dlg_fail(d, at, "nobody expected what the stack sent at %.3f ms\n#   got       %s",
		 (double)(d->queue[0].time - birth_ns) / 1e6, line);
}

void dlg_time(struct dlg *d, const struct dlg_place *at, double ms)
{
	int64_t until = birth_ns + (int64_t)(ms * 1e6 + 0.5);

	d->at = at;
	dlg_pump(d);
	no_frame_waits(d, at);
	if (until < d->now)
		dlg_fail(d, at, "the time is later already");
	pass(d, until, false);
	if (d->nqueued && d->queue[0].time < d->now)
		no_frame_waits(d, at);
	dlg_check_limits(d, at);
}

/*
 * ---- what is expected
 * -------------------------------------------------------------------------------
 */

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
		pass(d, birth_ns + (int64_t)(ms * 1e6), true);
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
		pass(d, birth_ns + (int64_t)(to * 1e6), true);
	q = take(d, at);
	wrong = spec_differs(&s, &q.seg, q.flow ? q.flow : &none, q.was_sent);
	seg_text(line, sizeof(line), &q.seg, q.flow ? q.flow->iss : 0, q.flow ? q.flow->irs : 0);
	if (wrong)
		dlg_fail(d, at, "%s\n#   expected  %s\n#   got       %s", wrong, text, line);
	if (to > 0 && q.time < birth_ns + (int64_t)(from * 1e6))
		dlg_fail(d, at, "too early\n#   got       %s", line);
}

/*
 * ---- what the peer says
 * -----------------------------------------------------------------------------
 */

static void say_icmp(struct dlg *d, const struct spec *s)
{
	struct seg g = { .kind = SEG_ICMP, .src = DLG_PEER_IP, .dst = DLG_STACK_IP };
	uint8_t frame[SEG_FRAME_MAX], quote[28];

	memcpy(g.src_mac, peer_mac, 6);
	memcpy(g.dst_mac, stack_mac, 6);
	memcpy(quote, d->quote, sizeof(quote));
	if (s->words & W_BADSEQ)
		quote[24] ^= 0x55;
	g.sport = (uint16_t)s->v[K_TYPE];
	g.dport = (uint16_t)s->v[K_CODE];
	g.ack = s->has[K_MTU] ? (uint32_t)s->v[K_MTU] : 0;
	g.data = quote;
	g.len = sizeof(quote);
	transcribe(d, "<", "ICMP");
	give(d, frame, seg_build(frame, &g));
}

static void set_options(struct seg *g, const struct spec *s, struct flow *f)
{
	g->mss_ok = s->has[K_MSS];
	g->mss = (uint16_t)s->v[K_MSS];
	g->ws_ok = s->has[K_WS];
	g->ws = (uint8_t)s->v[K_WS];
	g->sackok = s->words & W_SACKOK;
	g->fo_ok = s->words & W_FO || s->has[K_COOKIE];
	g->cookie = (uint64_t)s->v[K_COOKIE];
	g->cookie_len = s->has[K_COOKIE] ? 8 : 0;
	g->nsack = s->nsack;
	for (unsigned i = 0; i < s->nsack; i++) {
		g->sack[i][0] = f->iss + s->sack[i][0];
		g->sack[i][1] = f->iss + s->sack[i][1];
	}
	if (g->flags & SYN)
		f->ts_offered = s->words & W_TS || s->has[K_TSVAL];
	if (g->flags & SYN && g->flags & ACK)
		f->ts_on = f->ts_on && f->ts_offered;
	g->ts_ok = s->has[K_TSVAL] || s->words & W_TS || (f->ts_on && !(g->flags & (SYN | RST)));
	if (s->words & W_NOTS)
		g->ts_ok = false;
}

/* The spec as a segment of the flow. */
static struct seg compose(struct dlg *d, const struct spec *s, struct flow *f, uint8_t *payload)
{
	struct seg g = {
		.kind = SEG_TCP, .src = DLG_PEER_IP, .dst = DLG_STACK_IP, .flags = s->flags
	};

	memcpy(g.src_mac, peer_mac, 6);
	memcpy(g.dst_mac, stack_mac, 6);
	g.sport = f->rport;
	g.dport = f->lport;
	g.seq = s->has[K_SEQ] ? f->irs + (uint32_t)s->v[K_SEQ] : f->peer_nxt;
	if (g.flags & ACK)
		g.ack = s->has[K_ACK] ? f->iss + (uint32_t)s->v[K_ACK] : f->nxt;
	g.urgent = s->has[K_URG] ? (uint16_t)s->v[K_URG] : 0;
	if (s->has[K_WIN])
		f->win = (uint16_t)s->v[K_WIN];
	g.win = f->win;
	g.ttl = s->has[K_TTL] ? (uint8_t)s->v[K_TTL] : 64;
	g.tos = (uint8_t)s->v[K_TOS];
	g.bad_csum = s->words & W_BADCSUM;
	set_options(&g, s, f);
	g.tsval = s->has[K_TSVAL] ? (uint32_t)s->v[K_TSVAL] : (uint32_t)(d->now / 1000000 + 777);
	g.tsecr = s->has[K_TSECR] ? (uint32_t)s->v[K_TSECR] : f->tsval;
	g.len = (size_t)s->v[K_LEN];
	for (size_t i = 0; i < g.len; i++)
		payload[i] = dlg_pattern(2, g.seq - f->irs - 1 + !!(g.flags & SYN) + (uint32_t)i);
	g.data = payload;
	return g;
}

void dlg_in(struct dlg *d, const struct dlg_place *at, const char *format, ...)
{
	static uint8_t frame[SEG_FRAME_MAX], payload[SEG_FRAME_MAX];
	char text[512], line[256];
	const char *wrong;
	struct spec s;
	struct seg g;
	va_list ap;
	uint32_t end;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	d->at = at;
	dlg_pump(d);
	if ((wrong = spec_read(&s, text)))
		dlg_fail(d, at, "%s", wrong);
	if (s.words & W_ICMP) {
		say_icmp(d, &s);
		dlg_pump(d);
		return;
	}
	if (s.has[K_SPORT] || s.has[K_DPORT] || !d->flow)
		d->flow = dlg_flow(d,
				   s.has[K_DPORT] ? (uint16_t)s.v[K_DPORT]
				   : d->flow	  ? d->flow->lport
						  : 8080,
				   s.has[K_SPORT] ? (uint16_t)s.v[K_SPORT]
				   : d->flow	  ? d->flow->rport
						  : 40000);
	g = compose(d, &s, d->flow, payload);
	end = g.seq + (uint32_t)g.len + !!(g.flags & SYN) + !!(g.flags & FIN);
	if ((int32_t)(end - d->flow->peer_nxt) > 0)
		d->flow->peer_nxt = end;
	seg_text(line, sizeof(line), &g, d->flow->irs, d->flow->iss);
	transcribe(d, "<", line);
	give(d, frame, seg_build(frame, &g));
	dlg_pump(d);
}

void dlg_in_frame(struct dlg *d, const struct dlg_place *at, const uint8_t *bytes, size_t n)
{
	d->at = at;
	transcribe(d, "<", "a frame");
	give(d, bytes, n);
	dlg_pump(d);
}

/*
 * ---- running
 * ----------------------------------------------------------------------------------------
 */

static void start(struct dlg *d)
{
	struct glass_dev_setup dev = { .name = "wire0", .link = GLASS_ETHERNET, .mtu_bytes = 1500 };
	struct glass_setup setup = { .seed = { 0x676c617373, d->number }, .now_ns = birth_ns };

	setup.ring_bytes = d->ring_bytes = glass_ring_bytes(16384);
	setup.ring = d->ring = malloc(d->ring_bytes);
	d->now = birth_ns;
	d->g = glass_new(&setup);
	memcpy(dev.mac, stack_mac, 6);
	d->dev = d->g ? glass_dev_add(d->g, &dev) : -ENOMEM;
	if (d->dev < 0 || glass_addr_add(d->g, (unsigned)d->dev, glass_ip4(10, 0, 0, 4), 24)) {
		printf("Bail out! no stack\n");
		exit(1);
	}
}

/* True of every dialogue: each received frame has one fate. */
static void check_account(struct dlg *d)
{
	uint64_t rx = dlg_counter_value(d, "RxPackets"),
		 accepted_n = dlg_counter_value(d, "RxAccepted"),
		 dropped_n = dlg_counter_value(d, "RxDropped");

	if (rx != accepted_n + dropped_n)
		dlg_fail(d, d->at, "%llu frames came in, %llu were accepted, %llu dropped",
			 (unsigned long long)rx, (unsigned long long)accepted_n,
			 (unsigned long long)dropped_n);
}

static bool run(struct dlg_test *t, unsigned number, bool verbose)
{
	struct dlg *d = calloc(1, sizeof(*d));
	struct dlg_place end = { t->file, 0, "the end of the dialogue" };
	volatile bool ok = false;

	d->test = t;
	d->number = number;
	d->at = &end;
	start(d);
	if (!setjmp(d->failed)) {
		struct app *c = dlg_app(d);

		t->run(d, c, dlg_app(d));
		d->at = &end;
		dlg_pump(d);
		no_frame_waits(d, &end);
		check_account(d);
		ok = true;
		printf("ok %u %s\n%s", number, t->name, verbose ? d->transcript : "");
		if (verbose)
			print_trace(d);
	}
	fflush(stdout);
	glass_free(d->g);
	free(d->ring);
	free(d);
	return ok;
}

/* test_x [-v] [NAME...] */
int main(int argc, char **argv)
{
	unsigned n = 0, failed = 0;
	bool verbose = argc > 1 && strcmp(argv[1], "-v") == 0;

	for (struct dlg_test *t = first_test; t; t = t->next) {
		bool wanted = argc == 1 + verbose;

		for (int i = 1 + verbose; i < argc; i++)
			wanted |= strcmp(argv[i], t->name) == 0;
		if (wanted)
			failed += !run(t, ++n, verbose);
	}
	printf("1..%u\n", n);
	return failed != 0;
}
