/* SPDX-License-Identifier: MIT */
/* TCP options: a step that reads one, and the loop that drives it. */
#include "tcp.h"

#include <string.h>

enum {
	OPT_END = 0,
	OPT_NOP = 1,
	OPT_MSS = 2,
	OPT_WSCALE = 3,
	OPT_SACK_OK = 4,
	OPT_SACK = 5,
	OPT_TS = 8,
	OPT_FASTOPEN = 34,
	OPT_EXPERIMENT = 254, /* RFC 6994: two bytes tell which */
};

#define EXPERIMENT_FASTOPEN 0xf989 /* before RFC 7413 had a kind of its own */

static uint16_t get16(const uint8_t *b)
{
	return (uint16_t)(b[0] << 8 | b[1]);
}

static uint32_t get32(const uint8_t *b)
{
	return (uint32_t)get16(b) << 16 | get16(b + 2);
}

static void sack_add(struct tcp_options *out, const uint8_t *b, size_t length, size_t i)
{
	if (i * 8 + 8 > length || out->nsack == TCP_SACK_BLOCKS_MAX)
		return;
	out->sack[out->nsack++] =
		(struct tcp_sack_block){ seq_of(get32(b + i * 8)), seq_of(get32(b + i * 8 + 4)) };
}

static void fastopen_value(const uint8_t *b, size_t n, struct tcp_options *out)
{
	if (n && (n < TCP_FASTOPEN_COOKIE_MIN || n > TCP_FASTOPEN_COOKIE_MAX || n % 2))
		return;
	out->fastopen = true;
	out->fastopen_exp = false;
	out->cookie_len = (uint8_t)n;
	memcpy(out->cookie, b, n);
}

/* Beside the option of RFC 7413 that of the experiment says nothing. */
static void experiment_value(const uint8_t *b, size_t n, struct tcp_options *out)
{
	if (n < 2 || get16(b) != EXPERIMENT_FASTOPEN || out->fastopen)
		return;
	fastopen_value(b + 2, n - 2, out);
	out->fastopen_exp = out->fastopen;
}

/*
 * One option of a known length: kind, then n value bytes at b. Wrong lengths are ignored (RFC
 * 9293 MUST-7).
 */
static void option_value(uint8_t kind, const uint8_t *b, size_t n, struct tcp_options *out)
{
	if (kind == OPT_MSS && n == 2) {
		out->mss_ok = true;
		out->mss = get16(b);
	} else if (kind == OPT_WSCALE && n == 1) {
		out->wscale_ok = true;
		out->wscale = b[0] > 14 ? 14 : b[0];
	} else if (kind == OPT_SACK_OK && n == 0) {
		out->sack_permitted = true;
	} else if (kind == OPT_SACK && n && n % 8 == 0) {
		sack_add(out, b, n, 0);
		sack_add(out, b, n, 1);
		sack_add(out, b, n, 2);
		sack_add(out, b, n, 3);
	} else if (kind == OPT_TS && n == 8) {
		out->timestamps = true;
		out->tsval = get32(b);
		out->tsecr = get32(b + 4);
	} else if (kind == OPT_FASTOPEN) {
		fastopen_value(b, n, out);
	} else if (kind == OPT_EXPERIMENT) {
		experiment_value(b, n, out);
	}
}

/*
 * The step: reads the option at bytes[0] and answers how long it is; 0: the end, or no way to go
 * on.
 */
static size_t option_step(const uint8_t *bytes, size_t length, struct tcp_options *out)
{
	if (length < 1 || bytes[0] == OPT_END)
		return 0;
	if (bytes[0] == OPT_NOP)
		return 1;
	if (length < 2 || bytes[1] < 2 || bytes[1] > length)
		return 0;
	option_value(bytes[0], bytes + 2, bytes[1] - 2u, out);
	return bytes[1];
}

void tcp_options_read(const uint8_t *bytes, size_t length, struct tcp_options *out)
{
	size_t n;

	memset(out, 0, sizeof(*out));
	while ((n = option_step(bytes, length, out))) {
		bytes += n;
		length -= n;
	}
}

static uint8_t *put32(uint8_t *at, uint32_t v)
{
	struct be32 f = be32_of(v);

	memcpy(at, &f, sizeof(f));
	return at + sizeof(f);
}

/* Padded with NOPs to whole words. */
static uint8_t *put_fastopen(uint8_t *at, const struct tcp_options *o)
{
	unsigned head = o->fastopen_exp ? 4 : 2;

	*at++ = o->fastopen_exp ? OPT_EXPERIMENT : OPT_FASTOPEN;
	*at++ = (uint8_t)(head + o->cookie_len);
	if (o->fastopen_exp) {
		*at++ = EXPERIMENT_FASTOPEN >> 8;
		*at++ = EXPERIMENT_FASTOPEN & 0xff;
	}
	memcpy(at, o->cookie, o->cookie_len);
	at += o->cookie_len;
	for (unsigned n = head + o->cookie_len; n % 4; n++)
		*at++ = OPT_NOP;
	return at;
}

/*
 * The order is Linux's, so that what tells stacks apart by it sees a common one; and SACK-permitted
 * takes the place of the two NOPs that align timestamps (RFC 7323 appendix A).
 */
size_t tcp_options_write(uint8_t out[40], const struct tcp_options *o)
{
	uint8_t *at = out;

	if (o->mss_ok)
		at = put32(at, (uint32_t)OPT_MSS << 24 | 4 << 16 | o->mss);
	if (o->timestamps) {
		uint32_t lead = o->sack_permitted ? (uint32_t)OPT_SACK_OK << 8 | 2
						  : (uint32_t)OPT_NOP << 8 | OPT_NOP;

		at = put32(at, lead << 16 | OPT_TS << 8 | 10);
		at = put32(at, o->tsval);
		at = put32(at, o->tsecr);
	} else if (o->sack_permitted) {
		at = put32(at, (uint32_t)OPT_NOP << 24 | OPT_NOP << 16 | OPT_SACK_OK << 8 | 2);
	}
	if (o->wscale_ok)
		at = put32(at, (uint32_t)OPT_NOP << 24 | OPT_WSCALE << 16 | 3 << 8 | o->wscale);
	if (o->fastopen)
		at = put_fastopen(at, o);
	if (o->nsack) {
		at = put32(at, (uint32_t)OPT_NOP << 24 | OPT_NOP << 16 | OPT_SACK << 8 |
				       (uint32_t)(2 + 8 * o->nsack));
		for (unsigned i = 0; i < o->nsack; i++) {
			at = put32(at, o->sack[i].start.v);
			at = put32(at, o->sack[i].end.v);
		}
	}
	return (size_t)(at - out);
}
