/* SPDX-License-Identifier: MIT */
/* What has a name in Glass beside events and drop reasons: for "glass explain". */
#ifndef GLASS_CTL_GLOSSARY_H
#define GLASS_CTL_GLOSSARY_H

#include <glass/glass.h>

struct term {
	const char *kind; /* "counter" */
	const char *name;
	const char *alias; /* NULL: none */
	const char *doc;
	const char *rule;   /* "RFC 9293 3.3.2"; "" when the doc tells it, or there is none */
	const char *advice; /* NULL: none */
};

/* What helps against each limiter: limit_advice.def. */
extern const char *const limit_advice[GLASS_LIMIT_COUNT];

/* NULL past the end; valid until the next call. */
const struct term *glossary_term(unsigned i);

#endif
