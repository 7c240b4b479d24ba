/* SPDX-License-Identifier: MIT */
/*
 * --set NAME=VALUE: what glassd's command line says of the stack's tunables.
 *
 * In: main.c.   Out: the stack.
 */
#include "start.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void say_range(const struct glass *g, const char *name, const char *value)
{
	struct glass_tunable t;

	for (unsigned i = 0; glass_tunable_at(g, i, &t); i++) {
		if (!strcmp(t.name, name))
			notice("--set %s=%s: from %lld to %lld %s", name, value,
			       (long long)t.value_min, (long long)t.value_max, t.unit);
	}
}

/* "@FILE": the text is there, and nobody sees it in a list of processes. false: told. */
static bool read_file(const char *path, char *text, size_t size)
{
	FILE *f = fopen(path, "re");
	bool ok = f && fgets(text, (int)size, f);

	if (f)
		fclose(f);
	if (!ok)
		notice("--set tcp_fastopen_key=@%s: cannot be read", path);
	else
		text[strcspn(text, "\n")] = 0;
	return ok;
}

static bool set_key(struct glass *g, const char *value)
{
	uint8_t key[2 * GLASS_FASTOPEN_KEY_BYTES];
	char text[128];
	int n;

	if (*value == '@' && !read_file(value + 1, text, sizeof(text)))
		return false;
	n = glass_fastopen_key_read(*value == '@' ? text : value, key);
	if (n >= 0)
		return !glass_fastopen_key_set(g, key, (size_t)n);
	notice("--set tcp_fastopen_key: should be four hexadecimal numbers with '-' between them; "
	       "a second key may follow after ','");
	return false;
}

static bool set_one(struct glass *g, const char *pair)
{
	char name[64], *end;
	const char *equals = strchr(pair, '=');
	long long value;
	int rc;

	if (!equals || (size_t)(equals - pair) >= sizeof(name)) {
		notice("--set %s: should be NAME=VALUE", pair);
		return false;
	}
	snprintf(name, sizeof(name), "%.*s", (int)(equals - pair), pair);
	if (!strcmp(name, "tcp_fastopen_key"))
		return set_key(g, equals + 1);
	errno = 0;
	value = strtoll(equals + 1, &end, 0);
	if (end == equals + 1 || *end || errno) {
		notice("--set %s: '%s' is no number", name, equals + 1);
		return false;
	}
	rc = glass_tunable_set(g, name, value);
	if (rc == -ENOENT)
		notice("--set %s: there is no such tunable. On a running stack 'glass show "
		       "tunable' lists them",
		       name);
	else if (rc)
		say_range(g, name, equals + 1);
	return !rc;
}

bool options_set_tunables(const struct options *o, struct glass *g)
{
	for (unsigned i = 0; i < o->nset; i++) {
		if (!set_one(g, o->set[i]))
			return false;
	}
	return true;
}
