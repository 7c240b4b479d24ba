/* SPDX-License-Identifier: MIT */
/*
 * Texts by number, for a page that says the same thing ten thousand times.
 *
 * In: report_data.c.  Out: nothing.
 */
#include "report.h"

#include <stdlib.h>
#include <string.h>

static uint32_t hash(const char *s)
{
	uint32_t h = 2166136261u;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h;
}

static void *must(void *memory)
{
	if (!memory) {
		failed("out of memory");
		exit(EXIT_FAILED);
	}
	return memory;
}

/* The slot where it stands or belongs. */
static uint32_t *find(const struct texts *t, const char *text)
{
	uint32_t i = hash(text) & (t->slots - 1);

	while (t->slot[i] && strcmp(t->text[t->slot[i] - 1], text) != 0)
		i = (i + 1) & (t->slots - 1);
	return &t->slot[i];
}

static void grow(struct texts *t)
{
	t->cap = t->cap ? 2 * t->cap : 256;
	t->slots = 2 * t->cap;
	t->text = must(realloc(t->text, t->cap * sizeof(*t->text)));
	free(t->slot);
	t->slot = must(calloc(t->slots, sizeof(*t->slot)));
	for (uint32_t i = 0; i < t->n; i++)
		*find(t, t->text[i]) = i + 1;
}

uint32_t text_number(struct texts *t, const char *text)
{
	uint32_t *slot;

	if (t->n == t->cap)
		grow(t);
	if (!t->n && *text)
		text_number(t, "");
	slot = find(t, text);
	if (!*slot) {
		t->text[t->n] = must(strdup(text));
		*slot = ++t->n;
	}
	return *slot - 1;
}

void texts_free(struct texts *t)
{
	for (uint32_t i = 0; i < t->n; i++)
		free(t->text[i]);
	free(t->text);
	free(t->slot);
	*t = (struct texts){ 0 };
}
