/* SPDX-License-Identifier: MIT */
/*
 * glass stat: counters, as nstat(8), and drops with their reasons; once, or what is added in each
 * interval, with rates.
 */
#include "ctl.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <glass/glass_trace.h>

#define DROP_GROUP "Drop"

static struct {
	bool all;
	int64_t interval_ns, count;
} want;

static const struct opt options[] = {
	{ 'a', "all", OPT_FLAG, NULL, "counters that are zero too", &want.all },
	{ 't', "interval", OPT_SECONDS, "TIME",
	  "each time so long: what was added meanwhile, and rates per second", &want.interval_ns },
	{ 'c', "count", OPT_NUMBER, "N", "end after N intervals", &want.count },
};

struct counter {
	const char *group, *name, *doc;
	uint64_t value;
};

struct counters {
	struct counter *at;
	unsigned n;
	struct table table; /* strings live in it */
	int64_t time_ns;
};

/* ---- gathering ------------------------------------------------------------------------------- */

/* The counters of the MIBs that are sums over drop reasons. */
static const struct {
	const char *group, *name, *doc, *drops; /* " REASON REASON " */
} sums[] = {
#define D(reason) #reason " "
#define SNMP(group, name, doc, drops) { group, name, doc, " " drops },
#include "snmp.def"
#undef SNMP
#undef D
};

static bool is_in(const char *reason, const char *drops)
{
	char word[64];

	snprintf(word, sizeof(word), " %s ", reason);
	return strstr(drops, word);
}

static uint64_t sum_of(const struct table *t, const char *drops)
{
	const struct glass_stat *s;
	uint64_t sum = 0;

	for (uint64_t i = 0; i < t->count; i++) {
		s = TABLE_ROW(t, struct glass_stat, i);
		if (s->group && s->name && !strcmp(s->group, DROP_GROUP) && is_in(s->name, drops))
			sum += s->value;
	}
	return sum;
}

/* One group: what the stack counts, then the sums. */
static void add_group(struct counters *c, const char *group)
{
	const struct glass_stat *s;

	for (uint64_t i = 0; i < c->table.count; i++) {
		s = TABLE_ROW(&c->table, struct glass_stat, i);
		if (s->group && s->name && !strcmp(s->group, group))
			c->at[c->n++] = (struct counter){ s->group, s->name, s->doc ? s->doc : "",
							  s->value };
	}
	for (unsigned i = 0; i < COUNT(sums); i++)
		if (!strcmp(sums[i].group, group))
			c->at[c->n++] = (struct counter){ sums[i].group, sums[i].name, sums[i].doc,
							  sum_of(&c->table, sums[i].drops) };
}

static bool has_group(const struct counters *c, const char *group)
{
	for (unsigned i = 0; i < c->n; i++)
		if (!strcmp(c->at[i].group, group))
			return true;
	return false;
}

/* Groups that have no place of their own in the order stand at the end, so that none is left out.
 */
static void add_others(struct counters *c)
{
	const struct glass_stat *s;

	for (uint64_t i = 0; i < c->table.count; i++) {
		s = TABLE_ROW(&c->table, struct glass_stat, i);
		if (s->group && !has_group(c, s->group))
			add_group(c, s->group);
	}
}

static int64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static int counters_get(struct counters *c)
{
	static const size_t strings[] = { offsetof(struct glass_stat, group),
					  offsetof(struct glass_stat, name),
					  offsetof(struct glass_stat, doc) };
	static const char *const groups[] = { "Dev", "Arp",    "Ip",	"Icmp", "Igmp",	   "Tcp",
					      "Udp", "TcpExt", "IpExt", "Mem",	DROP_GROUP };
	int err;

	*c = (struct counters){ 0 };
	err = table_get(&c->table, "stat", sizeof(struct glass_stat), strings, COUNT(strings));
	if (err)
		return err;
	c->time_ns = clock_ns();
	c->at = calloc(c->table.count + COUNT(sums), sizeof(*c->at));
	if (!c->at) {
		table_free(&c->table);
		return failed("out of memory");
	}
	for (unsigned i = 0; i < COUNT(groups); i++)
		add_group(c, groups[i]);
	add_others(c);
	return 0;
}

static void counters_free(struct counters *c)
{
	free(c->at);
	table_free(&c->table);
	*c = (struct counters){ 0 };
}

/* ---- telling --------------------------------------------------------------------------------- */

static bool is_drop(const struct counter *c)
{
	return !strcmp(c->group, DROP_GROUP);
}

static const char *full_name(const struct counter *c, char out[96])
{
	snprintf(out, 96, "%s%s", is_drop(c) ? "" : c->group, c->name);
	return out;
}

/* No patterns: everything. */
static bool is_wanted(const struct counter *c, int n, char **pattern)
{
	char name[96];

	if (!c->value && !want.all)
		return false;
	for (int i = 0; i < n; i++)
		if (!fnmatch(pattern[i], full_name(c, name), FNM_CASEFOLD))
			return true;
	return !n;
}

bool stat_value(const char *name, int64_t *value)
{
	struct counters c;
	bool found = false;
	char full[96];

	if (counters_get(&c))
		return false;
	for (unsigned i = 0; i < c.n && !found; i++) {
		found = !strcmp(full_name(&c.at[i], full), name);
		*value = (int64_t)c.at[i].value;
	}
	counters_free(&c);
	return found;
}

/* A pattern that no counter has is a slip of the pen. 0, or an exit code after a message. */
static int check_patterns(const struct counters *c, int n, char **pattern)
{
	char name[96];
	unsigned i;

	for (int k = 0; k < n; k++) {
		for (i = 0; i < c->n; i++)
			if (!fnmatch(pattern[k], full_name(&c->at[i], name), FNM_CASEFOLD))
				break;
		if (i == c->n)
			return failed("no counter is like '%s'\ntype: glass stat -a", pattern[k]);
	}
	return 0;
}

static const char *advice_of(const char *reason)
{
	const struct glass_drop_desc *d;

	for (unsigned i = 1; (d = glass_drop_desc(i)); i++)
		if (!strcmp(d->name, reason))
			return d->advice;
	return "";
}

static void print_json(const struct counters *c, double seconds, int n, char **pattern)
{
	static const char *const keys[] = { "glass", "drops" };
	char name[96];

	json_begin_object(NULL);
	if (seconds > 0)
		json_double("interval_s", seconds, 6);
	for (unsigned drops = 0; drops < 2; drops++) {
		json_begin_object(keys[drops]);
		for (unsigned i = 0; i < c->n; i++)
			if (is_drop(&c->at[i]) == drops && is_wanted(&c->at[i], n, pattern))
				json_unsigned(full_name(&c->at[i], name), c->at[i].value);
		json_end();
	}
	json_end();
}

/* As nstat: the name, the value, the rate; then what it is. */
static void print_text(const struct counters *c, double seconds, int n, char **pattern)
{
	char name[96];

	for (unsigned i = 0; i < c->n; i++) {
		const struct counter *r = &c->at[i];
		bool red = is_drop(r) && r->value;

		if (!is_wanted(r, n, pattern))
			continue;
		printf("%s%-32s%s%-16" PRIu64 " %8.1f  %s%s%s\n", red ? color(C_RED) : "",
		       full_name(r, name), red ? color(C_NONE) : "", r->value,
		       seconds > 0 ? (double)r->value / seconds : 0.0, color(C_DIM),
		       is_drop(r) ? advice_of(r->name) : r->doc, color(C_NONE));
	}
}

/* What was added since. A counter that tells of now (CurrEstab) may have fallen: by nothing. */
static void subtract(struct counters *c, const struct counters *before)
{
	for (unsigned i = 0; i < c->n && i < before->n; i++)
		c->at[i].value = c->at[i].value > before->at[i].value
					 ? c->at[i].value - before->at[i].value
					 : 0;
}

static void wait_interval(void)
{
	const struct timespec t = { want.interval_ns / NS_PER_S, want.interval_ns % NS_PER_S };

	nanosleep(&t, NULL);
}

/* One interval: before becomes what is now. */
static int tell_interval(struct counters *before, int n, char **pattern)
{
	struct counters now, change;
	int err;

	wait_interval();
	err = counters_get(&change);
	if (!err)
		err = counters_get(&now);
	if (err)
		return err;
	subtract(&change, before);
	(ctl.json ? print_json : print_text)(
		&change, (double)(change.time_ns - before->time_ns) / 1e9, n, pattern);
	if (!ctl.json)
		putchar('\n');
	fflush(stdout);
	counters_free(&change);
	counters_free(before);
	*before = now;
	return 0;
}

int cmd_stat(const struct command *self, int argc, char **argv)
{
	int n = opt_parse(self, options, COUNT(options), argc, argv), err;
	struct counters c;

	if (n < 0)
		return EXIT_USAGE;
	if (want.interval_ns < 0 || (want.count && !want.interval_ns))
		return usage(self, want.count ? "-c counts intervals: with -t TIME"
					      : "an interval is not negative");
	err = counters_get(&c);
	if (err)
		return err;
	err = check_patterns(&c, n, argv + 1);
	if (!want.interval_ns && !err)
		(ctl.json ? print_json : print_text)(&c, 0, n, argv + 1);
	for (int64_t i = 0; want.interval_ns && !err && (!want.count || i < want.count); i++)
		err = tell_interval(&c, n, argv + 1);
	counters_free(&c);
	return err;
}
