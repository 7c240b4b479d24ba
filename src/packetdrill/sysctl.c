/* SPDX-License-Identifier: MIT */
/*
 * Settings by the names that Linux's sysctl(8) gives them. Scripts set them by commands, in other
 * processes: stand-ins for those commands append lines "name = value" to a file, which is read
 * whenever packetdrill calls.
 *
 * In:  every door, drill.c.   Out: glass_tunable_set(), glass_fastopen_key_set().
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drill.h"

/* tcp_fastopen: what the stack knows of it; and 0x400, which spares a listener the option. */
enum { FAST_BITS = 1 | 2 | 4 | 0x200, LISTEN_FAST = 0x400 };

/* Names that differ, and units. A row with field 2 takes the second number of three, and so on. */
static const struct alias {
	const char *name, *tunable;
	unsigned field; /* which of the numbers, from 1 */
	int64_t times, over;
} aliases[] = {
	{ "tcp_fin_timeout", "tcp_fin_timeout_ms", 1, 1000, 1 },
	{ "tcp_rto_min_us", "tcp_rto_min_ms", 1, 1, 1000 },
	{ "tcp_rto_max_ms", "tcp_rto_max_ms", 1, 1, 1 },
	{ "tcp_invalid_ratelimit", "tcp_invalid_ratelimit_ms", 1, 1, 1 },
	{ "ip_local_port_range", "ip_port_first", 1, 1, 1 },
	{ "ip_local_port_range", "ip_port_last", 2, 1, 1 },
	{ "somaxconn", "tcp_somaxconn", 1, 1, 1 },
	{ "tcp_rmem", "tcp_rmem_kb", 3, 1, 1024 },
	{ "tcp_wmem", "tcp_wmem_kb", 3, 1, 1024 },
};

/* The n-th number of a text, from 1; the last one if there are fewer. */
static int64_t number(const char *text, unsigned n)
{
	int64_t value = 0;
	char *end;

	while (n--) {
		int64_t v = strtoll(text, &end, 0);

		if (end == text)
			break;
		value = v;
		text = end;
	}
	return value;
}

/* Out of range is brought into it: what a script sets need not make sense to us. */
static int set_clamped(struct glass *g, const char *tunable, int64_t value)
{
	struct glass_tunable row;

	for (unsigned i = 0; glass_tunable_at(g, i, &row); i++) {
		if (strcmp(row.name, tunable) != 0)
			continue;
		value = value < row.value_min ? row.value_min : value;
		value = value > row.value_max ? row.value_max : value;
		return glass_tunable_set(g, tunable, value);
	}
	return -ENOENT;
}

static int set_congestion(struct drill *d, const char *value)
{
	const char *name;

	for (unsigned i = 0; (name = glass_congestion_name(i)); i++)
		if (!strcmp(name, value))
			return glass_tunable_set(d->g, "tcp_congestion_control", i);
	return -ENOENT;
}

static int set_fastopen(struct drill *d, const char *value)
{
	int64_t bits = number(value, 1);

	d->listen_fast = bits & LISTEN_FAST;
	return glass_tunable_set(d->g, "tcp_fastopen", bits & FAST_BITS);
}

static int set_fastopen_key(struct drill *d, const char *value)
{
	uint8_t key[2 * GLASS_FASTOPEN_KEY_BYTES];
	int n = glass_fastopen_key_read(value, key);

	return n < 0 ? n : glass_fastopen_key_set(d->g, key, (size_t)n);
}

/* "ip tcp_metrics flush all", and a sysctl that once did the same. */
static int forget_peers(struct drill *d, const char *value)
{
	(void)value;
	glass_fastopen_forget(d->g);
	return 0;
}

/* Settings that are not one number of one tunable. */
static const struct {
	const char *name;
	int (*set)(struct drill *d, const char *value);
} others[] = {
	{ "tcp_congestion_control", set_congestion }, { "tcp_fastopen", set_fastopen },
	{ "tcp_fastopen_key", set_fastopen_key },     { "tcp_fastopen_cookies", forget_peers },
	{ "tcp_metrics_flush", forget_peers },
};

int drill_setting(struct drill *d, const char *name, const char *value)
{
	const char *last = strrchr(name, '.');
	int result = -ENOENT;

	name = last ? last + 1 : name;
	for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (!strcmp(others[i].name, name))
			return others[i].set(d, value);
	for (unsigned i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
		const struct alias *a = &aliases[i];

		if (!strcmp(a->name, name))
			result = set_clamped(d->g, a->tunable,
					     number(value, a->field) * a->times / a->over);
	}
	return result == -ENOENT ? set_clamped(d->g, name, number(value, 1)) : result;
}

static void read_line(struct drill *d, char *line)
{
	char *value = strchr(line, '=');
	char *end = value;

	if (!value)
		return;
	while (end > line && end[-1] == ' ')
		end--;
	*end = 0;
	for (value++; *value == ' ' || *value == '"'; value++)
		;
	/* What is unknown here has no effect, as a kernel module that is not loaded has none. */
	drill_setting(d, line, value);
}

void drill_settings_read(struct drill *d)
{
	char text[4096], *rest = text, *line;
	ssize_t n;

	if (d->settings < 0)
		return;
	while ((n = pread(d->settings, text, sizeof(text) - 1, d->settings_at)) > 0) {
		text[n] = 0;
		/* Whole lines only: the rest is read again with what follows. */
		char *last = strrchr(text, '\n');

		if (!last)
			return;
		*last = 0;
		d->settings_at += last - text + 1;
		for (rest = text; (line = strsep(&rest, "\n"));)
			read_line(d, line);
	}
}
