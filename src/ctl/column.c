/* SPDX-License-Identifier: MIT */
/* Text in columns that are as wide as their widest cell. */
#include "ctl.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void columns_begin(struct columns *c, const char *align)
{
	*c = (struct columns){ .n = (unsigned)strlen(align), .align = align };
}

static void grow(struct columns *c)
{
	c->cap = c->cap ? c->cap * 2 : 64;
	c->cell = realloc(c->cell, c->cap * sizeof(*c->cell));
	if (!c->cell) {
		failed("out of memory");
		exit(EXIT_FAILED);
	}
}

void columns_add(struct columns *c, const char *format, ...)
{
	va_list args;

	if (c->cells == c->cap)
		grow(c);
	va_start(args, format);
	if (vasprintf(&c->cell[c->cells], format, args) < 0) {
		failed("out of memory");
		exit(EXIT_FAILED);
	}
	va_end(args);
	c->cells++;
}

static void print_row(const struct columns *c, size_t first, const int *width)
{
	const char *cell;

	for (unsigned k = 0; k < c->n; k++) {
		cell = c->cell[first + k];
		if (c->align[k] == '>')
			printf("%*s", width[k], cell);
		else if (k + 1 < c->n)
			printf("%-*s", width[k], cell);
		else
			fputs(cell, stdout);
		if (k + 1 < c->n)
			putchar(' ');
	}
}

void columns_end(struct columns *c, void (*extra)(uint64_t row, void *arg), void *arg)
{
	int *width = calloc(c->n, sizeof(*width));
	int n;

	if (!width) {
		failed("out of memory");
		exit(EXIT_FAILED);
	}
	for (size_t i = 0; i < c->cells; i++) {
		n = (int)strlen(c->cell[i]);
		width[i % c->n] = n > width[i % c->n] ? n : width[i % c->n];
	}
	for (size_t i = 0; i + c->n <= c->cells; i += c->n) {
		if (!i && c->no_heading)
			continue;
		print_row(c, i, width);
		if (!c->one_line || !extra)
			putchar('\n');
		if (extra && i)
			extra(i / c->n - 1, arg);
		if (c->one_line && extra)
			putchar('\n');
	}
	for (size_t i = 0; i < c->cells; i++)
		free(c->cell[i]);
	free(c->cell);
	free(width);
}
