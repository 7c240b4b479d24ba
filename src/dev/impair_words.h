/* SPDX-License-Identifier: MIT */
/* A bad network in words: tc-netem(8)'s grammar, both ways. */
#ifndef GLASS_DEV_IMPAIR_WORDS_H
#define GLASS_DEV_IMPAIR_WORDS_H

#include "../base/impair.h"

enum impair_direction { IMPAIR_IN, IMPAIR_OUT };

/*
 * Filters and recorded links, which words name by number. A way that was read with them points at
 * them.
 */
#define IMPAIR_EXTRAS_MAX 8
struct impair_extras {
	unsigned users; /* whoever counts them */
	unsigned nfilters, ntraces;
	struct impair_filter *filter[IMPAIR_EXTRAS_MAX];
	struct impair_trace *trace[IMPAIR_EXTRAS_MAX];
};

struct impair_words {
	struct impair_way way[2]; /* of enum impair_direction; what is not said stays zero */
	bool has[2];
	bool seed_given;
	uint64_t seed;
};

/*
 * "[in|out] delay 40ms 10ms 25% loss 1% ...". Without in or out: both, each way by itself. extras:
 * what came with the words; NULL: nothing. 0 or -EINVAL: why tells what to type.
 */
int impair_parse(const char *text, const struct impair_extras *extras, struct impair_words *out,
		 char *why, size_t why_size);
/* The way in the same grammar; "" when it does nothing. Answers its length, as snprintf. */
size_t impair_print(const struct impair_way *way, char *text, size_t size);
/* "lte, 3g, ..." */
const char *impair_profiles(void);

#endif
