/* SPDX-License-Identifier: MIT */
/* TCP segments as bytes: see script.h. */
#include "script.h"

#include <stdio.h>
#include <string.h>

#include "../dialogue/seg.h"

#define IP_BYTES 20
#define TCP_BYTES 20

static void put16(uint8_t *at, uint32_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static void put32(uint8_t *at, uint32_t v)
{
	put16(at, v >> 16);
	put16(at + 2, v);
}

static uint32_t get16(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
	return get16(at) << 16 | get16(at + 2);
}

static size_t put_option(const struct option *o, uint8_t *at)
{
	at[0] = o->kind;
	if (o->kind == OPT_NOP)
		return 1;
	at[1] = (uint8_t)(2 + 4 * o->nv);
	if (o->kind == OPT_MSS) {
		at[1] = 4;
		put16(at + 2, o->v[0]);
	} else if (o->kind == OPT_WSCALE) {
		at[1] = 3;
		at[2] = (uint8_t)o->v[0];
	} else {
		for (unsigned i = 0; i < o->nv; i++)
			put32(at + 2 + 4 * i, o->v[i]);
	}
	return at[1];
}

static void checksums(uint8_t *ip, size_t length)
{
	uint32_t sum = seg_sum(0, ip + 12, 8) + 6 + (uint32_t)(length - IP_BYTES);

	put16(ip + 10, seg_fold(seg_sum(0, ip, IP_BYTES)));
	put16(ip + IP_BYTES + 16, seg_fold(seg_sum(sum, ip + IP_BYTES, length - IP_BYTES)));
}

size_t segment_build(const struct segment *s, uint8_t *out, uint32_t src, uint32_t dst)
{
	uint8_t *tcp = out + IP_BYTES, *at = tcp + TCP_BYTES;
	size_t length;

	memset(out, 0, IP_BYTES + TCP_BYTES + 40);
	for (unsigned i = 0; i < s->nopt; i++)
		at += put_option(&s->opt[i], at);
	while ((at - tcp) % 4)
		*at++ = 0;
	tcp[12] = (uint8_t)((at - tcp) / 4 << 4);
	length = (size_t)(at - out) + s->len;
	memset(at, 'x', s->len);
	out[0] = 0x45;
	put16(out + 2, (uint32_t)length);
	out[8] = 64;
	out[9] = 6;
	put32(out + 12, src);
	put32(out + 16, dst);
	put16(tcp, s->sport);
	put16(tcp + 2, s->dport);
	put32(tcp + 4, s->seq);
	put32(tcp + 8, s->ack);
	tcp[13] = s->flags;
	put16(tcp + 14, s->win);
	checksums(out, length);
	return length;
}

static bool get_option(const uint8_t *at, size_t length, struct option *o)
{
	if (length < 2 || at[1] < 2 || at[1] > length)
		return false;
	if (at[0] == OPT_MSS)
		o->v[o->nv++] = get16(at + 2);
	else if (at[0] == OPT_WSCALE)
		o->v[o->nv++] = at[2];
	for (size_t i = 2; (at[0] == OPT_TS || at[0] == OPT_SACK) && i + 4 <= at[1]; i += 4)
		if (o->nv < 8)
			o->v[o->nv++] = get32(at + i);
	return true;
}

static bool get_options(const uint8_t *at, size_t length, struct segment *out)
{
	while (length && *at && out->nopt < OPTIONS_MAX) {
		struct option *o = &out->opt[out->nopt++];
		size_t n = 1;

		o->kind = at[0];
		if (at[0] != OPT_NOP) {
			if (!get_option(at, length, o))
				return false;
			n = at[1];
		}
		at += n;
		length -= n;
	}
	return true;
}

bool segment_parse(const uint8_t *bytes, size_t length, struct segment *out)
{
	const uint8_t *tcp = bytes + IP_BYTES;
	uint32_t sum = seg_sum(0, bytes + 12, 8) + 6 + (uint32_t)(length - IP_BYTES);
	size_t header;

	memset(out, 0, sizeof(*out));
	if (length < IP_BYTES + TCP_BYTES || bytes[0] != 0x45 || get16(bytes + 2) != length ||
	    bytes[9] != 6 || seg_fold(seg_sum(0, bytes, IP_BYTES)) ||
	    seg_fold(seg_sum(sum, tcp, length - IP_BYTES)))
		return false;
	header = (size_t)(tcp[12] >> 4) * 4;
	if (header < TCP_BYTES || header > length - IP_BYTES)
		return false;
	out->sport = (uint16_t)get16(tcp);
	out->dport = (uint16_t)get16(tcp + 2);
	out->seq = get32(tcp + 4);
	out->ack = get32(tcp + 8);
	out->flags = tcp[13];
	out->ack_ok = tcp[13] & 16;
	out->win = (uint16_t)get16(tcp + 14);
	out->win_ok = true;
	out->len = (uint32_t)(length - IP_BYTES - header);
	return get_options(tcp + TCP_BYTES, header - TCP_BYTES, out);
}

static size_t option_text(const struct option *o, char *out, size_t size)
{
	int n = 0;

	switch (o->kind) {
	case OPT_NOP:
		return (size_t)snprintf(out, size, "nop");
	case OPT_MSS:
		return (size_t)snprintf(out, size, "mss %u", o->v[0]);
	case OPT_WSCALE:
		return (size_t)snprintf(out, size, "wscale %u", o->v[0]);
	case OPT_SACKOK:
		return (size_t)snprintf(out, size, "sackOK");
	case OPT_TS:
		return (size_t)snprintf(out, size, "TS val %u ecr %u", o->v[0], o->v[1]);
	default:
		n = snprintf(out, size, "sack");
		for (unsigned i = 0; i + 1 < o->nv; i += 2)
			n += snprintf(out + n, size - (size_t)n, " %u:%u", o->v[i], o->v[i + 1]);
		return (size_t)n;
	}
}

char *segment_text(const struct segment *s, char *out, size_t size)
{
	static const char names[] = "FSRP.UEW";
	char flags[9];
	size_t n = 0;

	for (unsigned i = 0; i < 8; i++)
		if (s->flags & 1u << i)
			flags[n++] = names[i];
	flags[n] = 0;
	n = (size_t)snprintf(out, size, "%s %u:%u(%u)", flags, s->seq, s->seq + s->len, s->len);
	if (s->ack_ok)
		n += (size_t)snprintf(out + n, size - n, " ack %u", s->ack);
	if (s->win_ok)
		n += (size_t)snprintf(out + n, size - n, " win %u", s->win);
	for (unsigned i = 0; i < s->nopt; i++) {
		n += (size_t)snprintf(out + n, size - n, "%s", i ? "," : " <");
		n += option_text(&s->opt[i], out + n, size - n);
	}
	if (s->nopt)
		snprintf(out + n, size - n, ">");
	return out;
}
