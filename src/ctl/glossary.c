/* SPDX-License-Identifier: MIT */
/*
 * The glossary: counters, tunables, TCP's states and options, limiters, each from its table.
 *
 * In: cmd_explain.c.  Out: nothing.
 */
#include "glossary.h"

#include <stddef.h>

static const struct term terms[] = {
#define STAT(ID, group, name, doc) { "counter", name, group name, doc, "", NULL },
#include "../base/stats.def"
#undef STAT
#define SNMP(group, name, doc, drops) { "counter", name, group name, doc, "", NULL },
#include "snmp.def"
#undef SNMP
#define TUNABLE(name, initial, min, max, unit, doc) { "tunable", #name, NULL, doc, "", NULL },
#include "../base/tunable.def"
#undef TUNABLE
#define TCP_STATE(name, ss, rule, doc) { "TCP state", name, ss, doc, rule, NULL },
#include "tcp_state.def"
#undef TCP_STATE
#define TCP_OPTION(number, name, rule, doc, here) \
	{ "TCP option", name, "option " #number, doc, rule, here },
#include "tcp_option.def"
#undef TCP_OPTION
};

static const struct {
	const char *name, *word, *doc;
} limits[GLASS_LIMIT_COUNT] = {
#define LIMIT(ID, name, word, doc) [GLASS_LIMIT_##ID] = { name, word, doc },
#include <glass/limit.def>
#undef LIMIT
};

static const char *const limit_rule[GLASS_LIMIT_COUNT] = {
#define ADVICE(ID, source, text) [GLASS_LIMIT_##ID] = (source),
#include "limit_advice.def"
#undef ADVICE
};

const char *const limit_advice[GLASS_LIMIT_COUNT] = {
#define ADVICE(ID, source, text) [GLASS_LIMIT_##ID] = (text),
#include "limit_advice.def"
#undef ADVICE
};

#define ADVICE(ID, source, text) +1
_Static_assert(0
#include "limit_advice.def"
		       == GLASS_LIMIT_COUNT,
	       "each limiter has its advice");
#undef ADVICE

#define TERMS (sizeof(terms) / sizeof(terms[0]))

const struct term *glossary_term(unsigned i)
{
	static struct term limiter;

	if (i < TERMS)
		return &terms[i];
	i -= (unsigned)TERMS;
	if (i >= GLASS_LIMIT_COUNT)
		return NULL;
	limiter = (struct term){ "limiter",	limits[i].name, limits[i].word,
				 limits[i].doc, limit_rule[i],	limit_advice[i] };
	return &limiter;
}
