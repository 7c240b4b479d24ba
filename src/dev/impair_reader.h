/* SPDX-License-Identifier: MIT */
/* The words of a bad network one by one, and numbers with units. See impair_words.c. */
#ifndef GLASS_DEV_IMPAIR_READER_H
#define GLASS_DEV_IMPAIR_READER_H

#include <stdbool.h>

#include "impair_words.h"

#define WORDS_MAX 128
#define TEXT_MAX 1024

struct reader {
	char text[TEXT_MAX];
	const char *word[WORDS_MAX + 1]; /* NULL ends */
	unsigned at;
	const char *about; /* the word whose operands are being read */
	char *why;
	size_t why_size;
	struct impair_words *out;
	const struct impair_extras *extras;
};

/* A name and what it stands for; NULL ends a list of them. */
struct unit {
	const char *name;
	double factor;
};
extern const struct unit words_rates[], words_sizes[];

/* The text cut into words. 0 or -EINVAL. */
int words_split(struct reader *r, const char *text);
/* Says what is wrong. -EINVAL. */
int words_wrong(struct reader *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The word whose turn it is; NULL: none. */
const char *words_here(const struct reader *r);
bool words_is(const struct reader *r, const char *word);
/* The same, and then it is the next one's turn. */
bool words_take(struct reader *r, const char *word);
/* An operand that may be left out is there when it begins as a number does. */
bool words_more(const struct reader *r);

/* The operands. 0 or -EINVAL. example: what could have been typed. */
int words_number(struct reader *r, const struct unit *u, double max, const char *example,
		 double *out);
int words_chance(struct reader *r, const char *example, uint32_t *out);
/* With a correlation, or without. */
int words_chance_corr(struct reader *r, const char *example, uint32_t *p, uint32_t *corr);
int words_duration(struct reader *r, const char *example, int64_t *out);
int words_count(struct reader *r, double max, const char *example, uint32_t *out);

#endif
