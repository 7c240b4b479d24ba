/* SPDX-License-Identifier: MIT */
/* What a dialogue says of a segment: see spec.h, and dialogue.h for the words. */
#include "spec.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const key_name[K_COUNT] = { "seq",	"ack",	 "len", "win",	  "mss",   "ws",
					       "tsval", "tsecr", "ttl", "tos",	  "sport", "dport",
					       "type",	"code",	 "mtu", "cookie", "urg" };

static const struct {
	const char *name;
	unsigned bit;
} words[] = {
	{ "sackok", W_SACKOK },	    { "ts", W_TS },	    { "df", W_DF },
	{ "nomss", W_NOMSS },	    { "nows", W_NOWS },	    { "nots", W_NOTS },
	{ "nosackok", W_NOSACKOK }, { "nosack", W_NOSACK }, { "badcsum", W_BADCSUM },
	{ "badseq", W_BADSEQ },	    { "RTX", W_RTX },	    { "ICMP", W_ICMP },
	{ "nopsh", W_NOPSH },	    { "fo", W_FO },	    { "nofo", W_NOFO },
	{ "foexp", W_FOEXP },
};

static const struct {
	const char *name;
	uint8_t bit;
} flag_names[] = {
	{ "FIN", FIN }, { "SYN", SYN }, { "RST", RST }, { "PSH", PSH },
	{ "ACK", ACK }, { "URG", URG }, { "ECE", ECE }, { "CWR", CWR },
};

/*
 * ---- reading
 * ----------------------------------------------------------------------------------------
 */

static int64_t product(const char **at)
{
	int64_t v = strtoll(*at, (char **)(uintptr_t)at, 0);

	while (isspace((unsigned char)**at))
		++*at;
	while (**at == '*') {
		++*at;
		v *= strtoll(*at, (char **)(uintptr_t)at, 0);
	}
	return v;
}

/* Sums and differences of products of numbers. */
static int64_t sum(const char **at)
{
	int64_t v = product(at);

	while (**at == '+' || **at == '-') {
		bool minus = *(*at)++ == '-';
		int64_t next = product(at);

		v += minus ? -next : next;
	}
	return v;
}

static bool read_flags(struct spec *s, char *item)
{
	char *save = NULL;

	for (char *name = strtok_r(item, "| ", &save); name; name = strtok_r(NULL, "| ", &save)) {
		unsigned i = 0;

		while (i < 8 && strcmp(name, flag_names[i].name) != 0)
			i++;
		if (i == 8)
			return false;
		s->flags |= flag_names[i].bit;
	}
	s->flags_ok = true;
	return true;
}

static bool read_value(struct spec *s, char *key, const char *value)
{
	if (strcmp(key, "sack") == 0) {
		if (s->nsack == SEG_SACK_MAX)
			return false;
		s->sack[s->nsack][0] = (uint32_t)sum(&value);
		if (*value++ != ':')
			return false;
		s->sack[s->nsack++][1] = (uint32_t)sum(&value);
		return !*value;
	}
	for (unsigned k = 0; k < K_COUNT; k++)
		if (strcmp(key, key_name[k]) == 0) {
			s->has[k] = true;
			s->v[k] = sum(&value);
			return !*value;
		}
	return false;
}

static bool read_item(struct spec *s, char *item)
{
	char *equals = strchr(item, '=');

	if (equals) {
		*equals = '\0';
		for (char *e = equals; e > item && isspace((unsigned char)e[-1]);)
			*--e = '\0';
		return read_value(s, item, equals + 1);
	}
	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(item, words[i].name) == 0) {
			s->words |= words[i].bit;
			return true;
		}
	return read_flags(s, item);
}

const char *spec_read(struct spec *s, const char *text)
{
	static char copy[512], wrong[600];
	char *save = NULL;

	*s = (struct spec){ 0 };
	snprintf(copy, sizeof(copy), "%s", text);
	for (char *item = strtok_r(copy, ",", &save); item; item = strtok_r(NULL, ",", &save)) {
		char *end = item + strlen(item);

		while (isspace((unsigned char)*item))
			item++;
		while (end > item && isspace((unsigned char)end[-1]))
			*--end = '\0';
		snprintf(wrong, sizeof(wrong), "the test says '%s', which dialogue.h does not know",
			 item);
		if (*item && !read_item(s, item))
			return wrong;
	}
	return NULL;
}

/*
 * ---- comparing
 * --------------------------------------------------------------------------------------
 */

__attribute__((format(printf, 1, 2))) static const char *say(const char *format, ...)
{
	static char out[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(out, sizeof(out), format, ap);
	va_end(ap);
	return out;
}

static const char *differs_flags(const struct spec *s, const struct seg *g)
{
	uint8_t ignore = s->flags & PSH || s->words & W_NOPSH ? 0 : PSH;
	char want[12], got[12];

	if (!s->flags_ok || !((s->flags ^ g->flags) & ~ignore))
		return NULL;
	return say("flags %s, should be %s", seg_flags_text(got, g->flags),
		   seg_flags_text(want, s->flags));
}

static const char *differs_options(const struct spec *s, const struct seg *g)
{
	const struct {
		unsigned must, must_not;
		bool is;
		const char *name;
	} option[] = {
		{ W_SACKOK, W_NOSACKOK, g->sackok, "SACK permitted" },
		{ W_TS, W_NOTS, g->ts_ok, "timestamps" },
		{ 0, W_NOMSS, g->mss_ok, "MSS" },
		{ 0, W_NOWS, g->ws_ok, "window scale" },
		{ 0, W_NOSACK, g->nsack > 0, "SACK" },
		{ W_DF, 0, g->dont_fragment, "DF" },
		{ W_FO, W_NOFO, g->fo_ok, "fast open" },
		{ W_FOEXP, W_FO, g->fo_exp, "experimental fast open" },
	};

	for (unsigned i = 0; i < sizeof(option) / sizeof(option[0]); i++) {
		if (s->words & option[i].must && !option[i].is)
			return say("no %s", option[i].name);
		if (s->words & option[i].must_not && option[i].is)
			return say("%s, should be without", option[i].name);
	}
	if (s->has[K_MSS] && !g->mss_ok)
		return say("no MSS option");
	if (s->words & W_FO && g->cookie_len)
		return say("a fast open cookie, should be without");
	if (s->has[K_COOKIE] && g->cookie_len != 8)
		return say("no fast open cookie");
	if (s->has[K_COOKIE] && g->fo_exp && !(s->words & W_FOEXP))
		return say("the cookie is told as an experiment");
	if (s->has[K_WS] && !g->ws_ok)
		return say("no window scale option");
	if ((s->has[K_TSVAL] || s->has[K_TSECR]) && !g->ts_ok)
		return say("no timestamps");
	return NULL;
}

static const char *differs_sack(const struct spec *s, const struct seg *g, const struct flow *f)
{
	if (!s->nsack)
		return NULL;
	if (s->nsack != g->nsack)
		return say("%u SACK blocks, should be %u", g->nsack, s->nsack);
	for (unsigned i = 0; i < s->nsack; i++)
		for (unsigned j = 0; j < 2; j++)
			if (g->sack[i][j] - f->irs != s->sack[i][j])
				return say("SACK block %u is %u:%u, should be %u:%u", i + 1,
					   g->sack[i][0] - f->irs, g->sack[i][1] - f->irs,
					   s->sack[i][0], s->sack[i][1]);
	return NULL;
}

static const char *differs_value(const struct spec *s, const struct seg *g, const struct flow *f)
{
	const int64_t got[K_COUNT] = {
		[K_SEQ] = g->seq - f->iss, [K_ACK] = g->ack - f->irs,
		[K_LEN] = (int64_t)g->len, [K_WIN] = g->win,
		[K_MSS] = g->mss,	   [K_WS] = g->ws,
		[K_TSVAL] = g->tsval,	   [K_TSECR] = g->tsecr,
		[K_TTL] = g->ttl,	   [K_TOS] = g->tos,
		[K_SPORT] = g->sport,	   [K_DPORT] = g->dport,
		[K_TYPE] = g->sport,	   [K_CODE] = g->dport,
		[K_MTU] = g->ack & 0xffff, [K_COOKIE] = (int64_t)g->cookie,
		[K_URG] = g->urgent,
	};

	for (unsigned k = 0; k < K_COUNT; k++) {
		bool modulo = k == K_SEQ || k == K_ACK || k == K_TSVAL || k == K_TSECR;

		if (!s->has[k] || got[k] == s->v[k] ||
		    (modulo && (uint32_t)got[k] == (uint32_t)s->v[k]))
			continue;
		return say("%s %lld, should be %lld", key_name[k], (long long)got[k],
			   (long long)s->v[k]);
	}
	return NULL;
}

const char *spec_differs(const struct spec *s, const struct seg *g, const struct flow *f,
			 bool was_sent)
{
	const char *how;

	if ((s->words & W_ICMP) != (g->kind == SEG_ICMP ? W_ICMP : 0))
		return g->kind == SEG_ICMP ? "an ICMP message, should be TCP" : "should be ICMP";
	if (g->kind != SEG_TCP && g->kind != SEG_ICMP)
		return "neither TCP nor ICMP";
	if (s->words & W_RTX && !was_sent)
		return "new, should be a retransmission";
	if (g->kind == SEG_TCP && ((how = differs_flags(s, g)) || (how = differs_options(s, g))))
		return how;
	if ((how = differs_value(s, g, f)))
		return how;
	return differs_sack(s, g, f);
}
