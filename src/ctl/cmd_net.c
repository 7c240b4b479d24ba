/* SPDX-License-Identifier: MIT */
/* glass net: a bad network on purpose. */
#include "net_words.h"

#include <stdlib.h>
#include <string.h>

#define WORDS_BYTES 2048

/* "name number name number ...", to the end of the line: a member each. */
static void numbers_json(const char *line)
{
	unsigned long long value;
	char name[32];
	int n;

	for (line += strspn(line, " "); sscanf(line, "%31[a-z_]%*[ ]%llu%n", name, &value, &n) == 2;
	     line += strspn(line, " ")) {
		json_unsigned(name, value);
		line += n;
	}
}

/* "out delay 40ms seed 7", and its counters in a line that begins with a blank. */
static void direction_json(const char *line, const char *counters)
{
	size_t name = strcspn(line, " "), words = strcspn(line, "\n");
	const char *seed = line, *next;
	char text[WORDS_BYTES];

	while ((next = strstr(seed + 1, " seed ")) && next < line + words)
		seed = next;
	snprintf(text, sizeof(text), "%.*s", (int)name, line);
	json_string("direction", text);
	snprintf(text, sizeof(text), "%.*s", (int)(seed - line - (int)name - 1), line + name + 1);
	json_string("words", text);
	numbers_json(seed);
	numbers_json(counters);
}

/* Rows of "glass net show": directions with two lines each, black holes with one. */
static void show_json(const char *text)
{
	char addr[64];
	int n;

	json_begin_array(NULL);
	for (const char *at = text; at && *at;
	     at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL) {
		bool direction = !strncmp(at, "in ", 3) || !strncmp(at, "out ", 4);

		if (!direction && sscanf(at, "blackhole %63s%n", addr, &n) != 1)
			continue;
		json_begin_object(NULL);
		if (direction) {
			direction_json(at, strchr(at, '\n') + 1);
		} else {
			json_string("blackhole", addr);
			numbers_json(at + n);
		}
		json_end();
	}
	json_end();
}

int cmd_net(const struct command *self, int argc, char **argv)
{
	int n = opt_parse(self, NULL, 0, argc, argv), err;
	static struct net_words words;
	struct reply rep;

	if (n < 0)
		return EXIT_USAGE;
	err = client_open();
	if (!err)
		err = net_words_make(self, n, argv + 1, &words);
	if (err)
		return err;
	err = client_call(ABI_NET, NULL, words.text, words.fd, &rep);
	net_words_free(&words);
	if (err)
		return client_failed("net", err, &rep);
	if (!ctl.json) {
		fputs(rep.data, stdout);
		return EXIT_OK;
	}
	if (!*words.text || !strcmp(words.text, "show")) {
		show_json(rep.data);
		return EXIT_OK;
	}
	rep.data[strcspn(rep.data, "\n")] = '\0';
	json_begin_object(NULL);
	json_string("done", rep.data);
	json_end();
	return EXIT_OK;
}
