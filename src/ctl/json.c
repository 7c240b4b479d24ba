/* SPDX-License-Identifier: MIT */
/*
 * Writing JSON, to stdout unless json_to() says otherwise: begin, add, end; commas, escapes and
 * indentation look after themselves.
 */
#include "ctl.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>

#define DEPTH_MAX 8

static struct {
	unsigned depth;
	bool array[DEPTH_MAX], more[DEPTH_MAX]; /* more: a comma is due before the next */
} at;

static FILE *other; /* NULL: stdout */

void json_to(FILE *f)
{
	other = f;
}

static FILE *sink(void)
{
	return other ? other : stdout;
}

static void put_char(char c)
{
	putc(c, sink());
}

static void put_string(const char *s)
{
	put_char('"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			fprintf(sink(), "\\%c", *s);
		else if ((unsigned char)*s < 0x20 || (unsigned char)*s >= 0x7f)
			fprintf(sink(), "\\u%04x", (unsigned)(unsigned char)*s);
		else
			put_char(*s);
	}
	put_char('"');
}

static void line(unsigned depth)
{
	if (ctl.pretty)
		fprintf(sink(), "\n%*s", (int)(4 * depth), "");
}

static void begin(const char *key)
{
	if (!at.depth)
		return;
	if (at.more[at.depth - 1])
		put_char(',');
	at.more[at.depth - 1] = true;
	line(at.depth);
	if (at.array[at.depth - 1])
		return;
	assert(key);
	put_string(key);
	fputs(ctl.pretty ? ": " : ":", sink());
}

static void nest(const char *key, bool array)
{
	begin(key);
	put_char(array ? '[' : '{');
	assert(at.depth < DEPTH_MAX);
	at.array[at.depth] = array;
	at.more[at.depth++] = false;
}

void json_begin_object(const char *key)
{
	nest(key, false);
}

void json_begin_array(const char *key)
{
	nest(key, true);
}

void json_end(void)
{
	assert(at.depth);
	at.depth--;
	if (at.more[at.depth])
		line(at.depth);
	put_char(at.array[at.depth] ? ']' : '}');
	if (!at.depth)
		put_char('\n');
}

void json_string(const char *key, const char *value)
{
	begin(key);
	if (value)
		put_string(value);
	else
		fputs("null", sink());
}

void json_raw(const char *key, const char *json)
{
	begin(key);
	fputs(json, stdout);
}

void json_number(const char *key, int64_t value)
{
	begin(key);
	fprintf(sink(), "%" PRId64, value);
}

void json_unsigned(const char *key, uint64_t value)
{
	begin(key);
	fprintf(sink(), "%" PRIu64, value);
}

void json_double(const char *key, double value, int digits)
{
	begin(key);
	fprintf(sink(), "%.*f", digits, value);
}

void json_bool(const char *key, bool value)
{
	begin(key);
	fputs(value ? "true" : "false", sink());
}

void json_format(const char *key, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	json_string(key, text);
}
