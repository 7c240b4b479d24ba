/* SPDX-License-Identifier: MIT */
/* Segments between the script's small numbers and the wire's. */
#include <string.h>

#include "runner.h"

#define REMOTE_ISN 0x20000000u
#define FRAME_MAX 65536

/* ---- inbound --------------------------------------------------------------------------------- */

/* A SYN begins another connection, unless it answers our own, or is sent again. */
static void begin(struct runner *r, const struct segment *s)
{
	struct talk *t = &r->talk;
	uint16_t rport = (uint16_t)(t->active || !t->rport ? 50000 : t->rport + 1);

	if (!(s->flags & 2))
		return;
	if (!(s->flags & 16) && !(t->active && !t->remote_ok) && !(t->remote_ok && !t->answered))
		*t = (struct talk){ .lport = PORT, .rport = rport };
	t->remote_ok = true;
	t->remote_script = s->seq;
	t->remote_live = REMOTE_ISN;
}

static uint32_t live_ts(const struct talk *t, uint32_t script)
{
	for (unsigned i = 0; i < t->nts; i++)
		if (t->ts[i].script == script)
			return t->ts[i].live;
	return script;
}

static void to_live(const struct talk *t, struct segment *s)
{
	uint32_t local = t->local_live - t->local_script;

	s->seq += t->remote_live - t->remote_script;
	s->ack += s->ack_ok ? local : 0;
	s->sport = t->rport;
	s->dport = t->lport;
	for (unsigned i = 0; i < s->nopt; i++) {
		struct option *o = &s->opt[i];

		if (o->kind == OPT_TS)
			o->v[1] = live_ts(t, o->v[1]);
		for (unsigned k = 0; o->kind == OPT_SACK && k < o->nv; k++)
			o->v[k] += local;
	}
}

bool wire_inject(struct runner *r, const struct segment *script)
{
	static uint8_t frame[FRAME_MAX];
	struct segment s = *script;
	size_t length;

	begin(r, script);
	r->talk.answered = r->talk.answered || script->ack_ok;
	to_live(&r->talk, &s);
	length = segment_build(&s, frame, REMOTE_ADDR, LOCAL_ADDR);
	if (r->ifc.netdev_send(r->ifc.userdata, frame, length))
		return run_wrong(r, "the segment was not taken");
	return true;
}

/* ---- outbound -------------------------------------------------------------------------------- */

static bool receive(struct runner *r, struct segment *out, int64_t *at_us)
{
	static uint8_t frame[FRAME_MAX];
	size_t length = sizeof(frame);
	long long time_us;

	if (r->ifc.netdev_receive(r->ifc.userdata, frame, &length, &time_us) || !length)
		return run_wrong(r, "nothing left, and no timer is armed");
	*at_us = time_us - r->start_us;
	if (!segment_parse(frame, length, out))
		return run_wrong(r, "what left is no well-formed TCP segment (%zu bytes)", length);
	return true;
}

/* Our SYN or SYN-ACK tells our numbers. */
static void learn(struct talk *t, const struct segment *script, const struct segment *live)
{
	if (!(live->flags & 2) || !(script->flags & 2))
		return;
	if (t->active && !t->local_ok) {
		t->lport = live->sport;
		t->rport = live->dport;
	}
	t->local_ok = true;
	t->local_live = live->seq;
	t->local_script = script->seq;
}

static void to_script(const struct talk *t, struct segment *s)
{
	uint32_t remote = t->remote_live - t->remote_script;

	s->seq -= t->local_live - t->local_script;
	s->ack -= s->ack_ok ? remote : 0;
	for (unsigned i = 0; i < s->nopt; i++)
		for (unsigned k = 0; s->opt[i].kind == OPT_SACK && k < s->opt[i].nv; k++)
			s->opt[i].v[k] -= remote;
}

/* Our timestamps are what they are when first seen, and the same for the same number after. */
static void map_ts(struct talk *t, const struct option *script, struct option *live)
{
	for (unsigned i = 0; i < t->nts; i++)
		if (t->ts[i].live == live->v[0]) {
			live->v[0] = t->ts[i].script;
			return;
		}
	if (t->nts == TS_MAX)
		return;
	t->ts[t->nts].script = script->v[0];
	t->ts[t->nts++].live = live->v[0];
	live->v[0] = script->v[0];
}

static bool same_options(struct talk *t, const struct segment *script, struct segment *live)
{
	if (script->any_options)
		return true;
	for (unsigned i = 0; i < script->nopt && i < live->nopt; i++) {
		const struct option *want = &script->opt[i];
		struct option *got = &live->opt[i];

		if (want->kind == OPT_TS && got->kind == OPT_TS)
			map_ts(t, want, got);
		if (want->kind != got->kind || want->nv != got->nv ||
		    memcmp(want->v, got->v, want->nv * sizeof(want->v[0])) != 0)
			return false;
	}
	return script->nopt == live->nopt;
}

static bool same(struct talk *t, const struct segment *script, struct segment *live)
{
	return same_options(t, script, live) && script->flags == live->flags &&
	       script->seq == live->seq && script->len == live->len &&
	       (!script->ack_ok || script->ack == live->ack) &&
	       (!script->win_ok || script->win == live->win);
}

/* A super-packet's segments may be named together: those that follow without a gap. */
static bool join(struct runner *r, struct segment *live, uint32_t len)
{
	struct segment next;
	int64_t at_us;

	while (live->len && live->len < len) {
		if (!receive(r, &next, &at_us))
			return false;
		if (next.seq != live->seq + live->len)
			return run_wrong(r, "a gap in what left after %u bytes", live->len);
		live->len += next.len;
		live->flags = next.flags;
	}
	return true;
}

bool wire_expect(struct runner *r, const struct segment *script, int64_t *at_us)
{
	char want[400], got[400];
	struct talk *t = &r->talk;
	struct segment live;

	if (!receive(r, &live, at_us))
		return false;
	learn(t, script, &live);
	if (live.sport != t->lport || live.dport != t->rport)
		return run_wrong(r, "ports %u > %u: of another connection", live.sport, live.dport);
	if (!join(r, &live, script->len))
		return false;
	to_script(t, &live);
	if (same(t, script, &live))
		return true;
	return run_wrong(r, "a segment differs\n  script: %s\n  live:   %s",
			 segment_text(script, want, sizeof(want)),
			 segment_text(&live, got, sizeof(got)));
}

bool wire_at_end(struct runner *r)
{
	static uint8_t frame[FRAME_MAX];
	int64_t now_us = run_now_us(r);
	size_t length = sizeof(frame);
	struct segment live;
	long long time_us;
	char got[400];

	r->ifc.netdev_receive(r->ifc.userdata, frame, &length, &time_us);
	if (!length || time_us > now_us || !segment_parse(frame, length, &live))
		return true;
	to_script(&r->talk, &live);
	return run_wrong(r, "no line names a segment that left: %s",
			 segment_text(&live, got, sizeof(got)));
}
