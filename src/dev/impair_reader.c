/* SPDX-License-Identifier: MIT */
/*
 * The words of a bad network one by one, and numbers with units.
 *
 * In: impair_words.c, whose table says what follows which word.  Out: values, or what is wrong.
 */
#include "impair_reader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int words_split(struct reader *r, const char *text)
{
	char *rest = NULL;
	unsigned n = 0;

	if (strlen(text) >= sizeof(r->text))
		return words_wrong(r, "that is too long\n");
	memcpy(r->text, text, strlen(text) + 1);
	for (char *w = strtok_r(r->text, " \t\n", &rest); w; w = strtok_r(NULL, " \t\n", &rest)) {
		if (n == WORDS_MAX)
			return words_wrong(r, "that is too long\n");
		r->word[n++] = w;
	}
	return 0;
}

int words_wrong(struct reader *r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(r->why, r->why_size, format, args);
	va_end(args);
	return -EINVAL;
}

const char *words_here(const struct reader *r)
{
	return r->word[r->at];
}

bool words_is(const struct reader *r, const char *word)
{
	return words_here(r) && !strcmp(words_here(r), word);
}

bool words_take(struct reader *r, const char *word)
{
	if (!words_is(r, word))
		return false;
	r->at++;
	return true;
}

bool words_more(const struct reader *r)
{
	return words_here(r) && strchr("0123456789.", *words_here(r));
}

/* ---- units ---- */

static const struct unit times[] = { { "s", 1e9 },  { "sec", 1e9 },  { "secs", 1e9 },
				     { "ms", 1e6 }, { "msec", 1e6 }, { "msecs", 1e6 },
				     { "us", 1e3 }, { "usec", 1e3 }, { "usecs", 1e3 },
				     { "ns", 1 },   { NULL, 0 } };
/* As tc(8): bit is a bit per second, bps a byte. */
const struct unit words_rates[] = { { "bit", 1 },    { "kbit", 1e3 }, { "mbit", 1e6 },
				    { "gbit", 1e9 }, { "bps", 8 },    { "kbps", 8e3 },
				    { "mbps", 8e6 }, { "gbps", 8e9 }, { NULL, 0 } };
static const struct unit percents[] = { { "%", 1e4 }, { "", 1e4 }, { NULL, 0 } };
static const struct unit counts[] = { { "", 1 }, { NULL, 0 } };
const struct unit words_sizes[] = { { "b", 1 },	       { "kb", 1024 },	 { "k", 1024 },
				    { "mb", 1048576 }, { "m", 1048576 }, { NULL, 0 } };

int words_number(struct reader *r, const struct unit *u, double max, const char *example,
		 double *out)
{
	const char *word = words_here(r);
	char *end;

	if (!word)
		return words_wrong(r, "'%s' needs a value. Type for example: %s %s\n", r->about,
				   r->about, example);
	*out = strtod(word, &end);
	for (; u->name && strcasecmp(end, u->name); u++)
		;
	if (end == word || !u->name || !strchr("0123456789.", *word))
		return words_wrong(r, "'%s' is no value of '%s'. Type for example: %s %s\n", word,
				   r->about, r->about, example);
	*out *= u->factor;
	if (!(*out >= 0 && *out <= max))
		return words_wrong(r, "'%s' of '%s' is too much. Type for example: %s %s\n", word,
				   r->about, r->about, example);
	r->at++;
	return 0;
}

int words_chance(struct reader *r, const char *example, uint32_t *out)
{
	double value = 0;
	int rc = words_number(r, percents, IMPAIR_MILLION, example, &value);

	*out = (uint32_t)(value + 0.5);
	return rc;
}

int words_chance_corr(struct reader *r, const char *example, uint32_t *p, uint32_t *corr)
{
	int rc = words_chance(r, example, p);

	return rc || !words_more(r) ? rc : words_chance(r, example, corr);
}

int words_duration(struct reader *r, const char *example, int64_t *out)
{
	double value = 0;
	int rc = words_number(r, times, 3600e9, example, &value);

	*out = (int64_t)(value + 0.5);
	return rc;
}

int words_count(struct reader *r, double max, const char *example, uint32_t *out)
{
	double value = 0;
	int rc = words_number(r, counts, max, example, &value);

	*out = (uint32_t)value;
	return rc;
}
