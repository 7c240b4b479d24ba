/* SPDX-License-Identifier: MIT */
/* Frames built, taken apart and printed: see seg.h. */
#include "seg.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ETH = 14, IP = 20, TCP = 20 };

#define FASTOPEN_EXPERIMENT 0xf989

static uint16_t get16(const uint8_t *b)
{
	return (uint16_t)(b[0] << 8 | b[1]);
}

static uint32_t get32(const uint8_t *b)
{
	return (uint32_t)get16(b) << 16 | get16(b + 2);
}

static void put16(uint8_t *b, unsigned v)
{
	b[0] = (uint8_t)(v >> 8);
	b[1] = (uint8_t)v;
}

static void put32(uint8_t *b, uint32_t v)
{
	put16(b, v >> 16);
	put16(b + 2, v & 0xffff);
}

uint32_t seg_sum(uint32_t sum, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		sum += get16(bytes + i);
	if (n & 1)
		sum += (uint32_t)bytes[n - 1] << 8;
	return sum;
}

uint16_t seg_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static uint32_t pseudo_sum(uint32_t src, uint32_t dst, uint8_t proto, size_t len)
{
	return (src >> 16) + (src & 0xffff) + (dst >> 16) + (dst & 0xffff) + proto + (uint32_t)len;
}

/*
 * ---- taking apart
 * -----------------------------------------------------------------------------------
 */

static const char *parse_fastopen(struct seg *s, const uint8_t *cookie, size_t n)
{
	s->fo_ok = true;
	s->cookie_len = (uint8_t)n;
	s->cookie = n == 8 ? (uint64_t)get32(cookie) << 32 | get32(cookie + 4) : 0;
	return n == 0 || n == 8 ? NULL : "fast open option length";
}

/* One option of length n; NULL or a complaint. */
static const char *parse_option(struct seg *s, const uint8_t *o, size_t n)
{
	switch (o[0]) {
	case 2:
		s->mss_ok = true;
		s->mss = get16(o + 2);
		return n == 4 ? NULL : "MSS option length";
	case 3:
		s->ws_ok = true;
		s->ws = o[2];
		return n == 3 ? NULL : "window scale option length";
	case 4:
		s->sackok = true;
		return n == 2 ? NULL : "SACK-permitted option length";
	case 5:
		if (n < 10 || (n - 2) % 8 || (n - 2) / 8 > SEG_SACK_MAX)
			return "SACK option length";
		for (s->nsack = 0; s->nsack < (n - 2) / 8; s->nsack++) {
			s->sack[s->nsack][0] = get32(o + 2 + 8 * s->nsack);
			s->sack[s->nsack][1] = get32(o + 6 + 8 * s->nsack);
		}
		return NULL;
	case 8:
		if (n != 10)
			return "timestamps option length";
		s->ts_ok = true;
		s->tsval = get32(o + 2);
		s->tsecr = get32(o + 6);
		return NULL;
	case 34:
		return parse_fastopen(s, o + 2, n - 2);
	case 254:
		if (n < 4 || get16(o + 2) != FASTOPEN_EXPERIMENT)
			return "not the experiment of fast open";
		s->fo_exp = true;
		return parse_fastopen(s, o + 4, n - 4);
	default:
		return "an option of a kind that we never send";
	}
}

static const char *parse_options(struct seg *s, const uint8_t *o, size_t n)
{
	const char *wrong;

	for (size_t i = 0; i < n;) {
		if (o[i] == 0) {
			for (; i < n; i++)
				if (o[i])
					return "padding is not zero (RFC 9293 MUST-69)";
			return NULL;
		}
		if (o[i] == 1) {
			i++;
			continue;
		}
		if (i + 1 >= n || o[i + 1] < 2 || o[i + 1] > n - i)
			return "option runs over the header";
		if ((wrong = parse_option(s, o + i, o[i + 1])))
			return wrong;
		i += o[i + 1];
	}
	return NULL;
}

static const char *parse_tcp(struct seg *s, const uint8_t *t, size_t n)
{
	size_t header;

	s->kind = SEG_TCP;
	if (n < TCP || (size_t)(t[12] >> 4) * 4 < TCP || (size_t)(t[12] >> 4) * 4 > n)
		return "TCP header length";
	header = (size_t)(t[12] >> 4) * 4;
	if (seg_fold(seg_sum(pseudo_sum(s->src, s->dst, 6, n), t, n)))
		return "TCP checksum (RFC 9293 MUST-2)";
	s->sport = get16(t);
	s->dport = get16(t + 2);
	s->seq = get32(t + 4);
	s->ack = get32(t + 8);
	s->flags = t[13];
	s->win = get16(t + 14);
	s->urgent = get16(t + 18);
	s->data = t + header;
	s->len = n - header;
	if (t[12] & 0xf)
		return "reserved bits are set";
	return parse_options(s, t + TCP, header - TCP);
}

static const char *parse_icmp(struct seg *s, const uint8_t *i, size_t n)
{
	s->kind = SEG_ICMP;
	if (n < 8)
		return "ICMP header length";
	if (seg_fold(seg_sum(0, i, n)))
		return "ICMP checksum";
	s->sport = i[0];
	s->dport = i[1];
	s->ack = get32(i + 4);
	s->data = i + 8;
	s->len = n - 8;
	return NULL;
}

static const char *parse_ip(struct seg *s, const uint8_t *ip, size_t n)
{
	size_t total;

	if (n < IP || ip[0] != 0x45)
		return "IP version or header length";
	total = get16(ip + 2);
	if (total < IP || total > n)
		return "IP total length";
	if (seg_fold(seg_sum(0, ip, IP)))
		return "IP header checksum";
	if (get16(ip + 6) & 0xbfff)
		return "a fragment";
	s->tos = ip[1];
	s->ip_id = get16(ip + 4);
	s->dont_fragment = ip[6] & 0x40;
	s->ttl = ip[8];
	s->src = get32(ip + 12);
	s->dst = get32(ip + 16);
	if (!s->ttl)
		return "TTL 0 (RFC 1122 3.2.1.7)";
	if (ip[9] == 6)
		return parse_tcp(s, ip + IP, total - IP);
	if (ip[9] == 1)
		return parse_icmp(s, ip + IP, total - IP);
	s->data = ip + IP;
	s->len = total - IP;
	return NULL;
}

const char *seg_parse(const uint8_t *frame, size_t length, struct seg *s)
{
	*s = (struct seg){ .kind = SEG_OTHER };
	if (length < ETH)
		return "Ethernet header";
	memcpy(s->dst_mac, frame, 6);
	memcpy(s->src_mac, frame + 6, 6);
	s->data = frame + ETH;
	s->len = length - ETH;
	if (get16(frame + 12) == 0x0800)
		return parse_ip(s, frame + ETH, length - ETH);
	if (get16(frame + 12) == 0x0806 && length >= ETH + 28) {
		s->kind = SEG_ARP;
		s->sport = get16(frame + ETH + 6);
		s->src = get32(frame + ETH + 14);
		s->dst = get32(frame + ETH + 24);
	}
	return NULL;
}

/*
 * ---- building
 * ---------------------------------------------------------------------------------------
 */

static size_t build_fastopen(uint8_t *o, const struct seg *s)
{
	const uint8_t plain[] = { 1, 1, 34, (uint8_t)(2 + s->cookie_len) };
	const uint8_t experiment[] = { 254, (uint8_t)(4 + s->cookie_len), FASTOPEN_EXPERIMENT >> 8,
				       FASTOPEN_EXPERIMENT & 0xff };

	memcpy(o, s->fo_exp ? experiment : plain, 4);
	put32(o + 4, (uint32_t)(s->cookie >> 32));
	put32(o + 8, (uint32_t)s->cookie);
	return 4u + s->cookie_len;
}

static size_t build_sack(uint8_t *o, const struct seg *s)
{
	o[0] = o[1] = 1;
	o[2] = 5;
	o[3] = (uint8_t)(2 + 8 * s->nsack);
	for (unsigned i = 0; i < s->nsack; i++) {
		put32(o + 4 + 8 * i, s->sack[i][0]);
		put32(o + 8 + 8 * i, s->sack[i][1]);
	}
	return 4 + 8 * s->nsack;
}

/* Each in a multiple of four bytes, NOPs in front. */
static size_t build_options(uint8_t *o, const struct seg *s)
{
	size_t n = 0;

	if (s->opt_raw) {
		memcpy(o, s->opt_raw, s->opt_raw_len);
		return (s->opt_raw_len + 3) / 4 * 4;
	}
	if (s->mss_ok) {
		memcpy(o + n, (const uint8_t[]){ 2, 4, (uint8_t)(s->mss >> 8), (uint8_t)s->mss },
		       4);
		n += 4;
	}
	if (s->sackok) {
		memcpy(o + n, (const uint8_t[]){ 1, 1, 4, 2 }, 4);
		n += 4;
	}
	if (s->ts_ok) {
		memcpy(o + n, (const uint8_t[]){ 1, 1, 8, 10 }, 4);
		put32(o + n + 4, s->tsval);
		put32(o + n + 8, s->tsecr);
		n += 12;
	}
	if (s->ws_ok) {
		memcpy(o + n, (const uint8_t[]){ 1, 3, 3, s->ws }, 4);
		n += 4;
	}
	if (s->fo_ok)
		n += build_fastopen(o + n, s);
	if (s->nsack)
		n += build_sack(o + n, s);
	return n;
}

static size_t build_tcp(uint8_t *t, const struct seg *s)
{
	size_t header = TCP + build_options(t + TCP, s);
	uint16_t sum;

	put16(t, s->sport);
	put16(t + 2, s->dport);
	put32(t + 4, s->seq);
	put32(t + 8, s->ack);
	t[12] = (uint8_t)(header / 4 << 4);
	t[13] = s->flags;
	put16(t + 14, s->win);
	put16(t + 18, s->urgent);
	if (s->len)
		memcpy(t + header, s->data, s->len);
	sum = seg_fold(seg_sum(pseudo_sum(s->src, s->dst, 6, header + s->len), t, header + s->len));
	put16(t + 16, s->bad_csum ? (unsigned)(sum ^ 0x5a5a) : sum);
	return header + s->len;
}

static size_t build_icmp(uint8_t *i, const struct seg *s)
{
	i[0] = (uint8_t)s->sport;
	i[1] = (uint8_t)s->dport;
	put32(i + 4, s->ack);
	if (s->len)
		memcpy(i + 8, s->data, s->len);
	put16(i + 2, seg_fold(seg_sum(0, i, 8 + s->len)));
	return 8 + s->len;
}

static size_t build_arp(uint8_t *a, const struct seg *s)
{
	memcpy(a, "\x00\x01\x08\x00\x06\x04", 6);
	put16(a + 6, s->sport);
	memcpy(a + 8, s->src_mac, 6);
	put32(a + 14, s->src);
	memcpy(a + 18, s->dst_mac, 6);
	put32(a + 24, s->dst);
	return 28;
}

size_t seg_build(uint8_t frame[SEG_FRAME_MAX], const struct seg *s)
{
	uint8_t *ip = frame + ETH;
	size_t n;

	memset(frame, 0, ETH + IP + 60);
	memcpy(frame, s->dst_mac, 6);
	memcpy(frame + 6, s->src_mac, 6);
	put16(frame + 12, s->kind == SEG_ARP ? 0x0806 : 0x0800);
	if (s->kind == SEG_ARP)
		return ETH + build_arp(ip, s);
	n = IP + (s->kind == SEG_TCP ? build_tcp(ip + IP, s) : build_icmp(ip + IP, s));
	ip[0] = 0x45;
	ip[1] = s->tos;
	put16(ip + 2, (unsigned)n);
	put16(ip + 4, s->ip_id);
	ip[6] = s->dont_fragment ? 0x40 : 0;
	ip[8] = s->ttl ? s->ttl : 64;
	ip[9] = s->kind == SEG_TCP ? 6 : 1;
	put32(ip + 12, s->src);
	put32(ip + 16, s->dst);
	put16(ip + 10, seg_fold(seg_sum(0, ip, IP)));
	return ETH + n;
}

/*
 * ---- printing
 * ---------------------------------------------------------------------------------------
 */

struct text {
	char *at;
	size_t left;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(t->at, t->left, format, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= t->left)
		n = t->left ? (int)t->left - 1 : 0;
	t->at += n;
	t->left -= (size_t)n;
}

char *seg_flags_text(char out[12], uint8_t flags)
{
	static const char letter[] = "FSRP.UEW";
	static const int order[] = { 1, 0, 2, 3, 5, 6, 7, 4 };
	size_t n = 0;

	for (size_t i = 0; i < 8; i++)
		if (flags & 1u << order[i])
			out[n++] = letter[order[i]];
	if (!n)
		memcpy(out, "none", n = 4);
	out[n] = '\0';
	return out;
}

static void add_options(struct text *t, const struct seg *s, uint32_t ack0)
{
	const char *sep = " <";

	if (s->mss_ok) {
		add(t, "%smss %u", sep, s->mss);
		sep = ",";
	}
	if (s->sackok) {
		add(t, "%ssackok", sep);
		sep = ",";
	}
	if (s->ts_ok) {
		add(t, "%sts val %u ecr %u", sep, s->tsval, s->tsecr);
		sep = ",";
	}
	if (s->ws_ok) {
		add(t, "%sws %u", sep, s->ws);
		sep = ",";
	}
	if (s->fo_ok) {
		add(t, s->cookie_len ? "%s%stfo cookie %016llx" : "%s%stfo cookiereq", sep,
		    s->fo_exp ? "exp-" : "", (unsigned long long)s->cookie);
		sep = ",";
	}
	for (unsigned i = 0; i < s->nsack; i++) {
		add(t, "%ssack %u:%u", sep, s->sack[i][0] - ack0, s->sack[i][1] - ack0);
		sep = ",";
	}
	if (*sep == ',')
		add(t, ">");
}

char *seg_text(char *out, size_t size, const struct seg *s, uint32_t seq0, uint32_t ack0)
{
	struct text t = { out, size };
	char flags[12];

	*out = '\0';
	if (s->kind == SEG_ICMP)
		add(&t, "ICMP type %u code %u len %zu", s->sport, s->dport, s->len);
	else if (s->kind != SEG_TCP)
		add(&t, "%s len %zu", s->kind == SEG_ARP ? "ARP" : "a frame that is not TCP",
		    s->len);
	if (s->kind != SEG_TCP)
		return out;
	add(&t, "%u > %u: %s seq %u", s->sport, s->dport, seg_flags_text(flags, s->flags),
	    s->seq - seq0);
	if (s->flags & ACK)
		add(&t, " ack %u", s->ack - ack0);
	add(&t, " len %zu win %u", s->len, s->win);
	add_options(&t, s, ack0);
	return out;
}
