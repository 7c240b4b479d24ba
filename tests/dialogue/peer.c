/* SPDX-License-Identifier: MIT */
/* The scripted peer of dialogues: wire_in's words become segments. See dialogue.h. */
#include "dialogue.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "dlg.h"

static void say_icmp(struct dlg *d, const struct spec *s)
{
	struct seg g = { .kind = SEG_ICMP, .src = DLG_PEER_IP, .dst = DLG_STACK_IP };
	uint8_t frame[SEG_FRAME_MAX], quote[28];

	memcpy(g.src_mac, dlg_peer_mac, 6);
	memcpy(g.dst_mac, dlg_stack_mac, 6);
	memcpy(quote, d->quote, sizeof(quote));
	if (s->words & W_BADSEQ)
		quote[24] ^= 0x55;
	g.sport = (uint16_t)s->v[K_TYPE];
	g.dport = (uint16_t)s->v[K_CODE];
	g.ack = s->has[K_MTU] ? (uint32_t)s->v[K_MTU] : 0;
	g.data = quote;
	g.len = sizeof(quote);
	dlg_transcribe(d, "<", "ICMP");
	dlg_give(d, frame, seg_build(frame, &g));
}

static void set_options(struct seg *g, const struct spec *s, struct flow *f)
{
	g->mss_ok = s->has[K_MSS];
	g->mss = (uint16_t)s->v[K_MSS];
	g->ws_ok = s->has[K_WS];
	g->ws = (uint8_t)s->v[K_WS];
	g->sackok = s->words & W_SACKOK;
	g->fo_ok = s->words & (W_FO | W_FOEXP) || s->has[K_COOKIE];
	g->fo_exp = s->words & W_FOEXP;
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

	memcpy(g.src_mac, dlg_peer_mac, 6);
	memcpy(g.dst_mac, dlg_stack_mac, 6);
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
	dlg_transcribe(d, "<", line);
	dlg_give(d, frame, seg_build(frame, &g));
	dlg_pump(d);
}

void dlg_in_frame(struct dlg *d, const struct dlg_place *at, const uint8_t *bytes, size_t n)
{
	d->at = at;
	dlg_transcribe(d, "<", "a frame");
	dlg_give(d, bytes, n);
	dlg_pump(d);
}
