/* SPDX-License-Identifier: MIT */
/*
 * The words of "glass net set" on their way to the daemon: a filter in pcap-filter's language is
 * compiled, a recorded link read, and both go along in a memfd (attached.h). All other words are
 * the daemon's to understand.
 *
 * In: cmd_net.c.  Out: capture_filter.c (libpcap); files.
 */
#include "net_words.h"

#include "../abi/attached.h"
#include "capture.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TOKENS_MAX 400
#define OPPORTUNITIES_MAX 4000000u

struct tokens {
	char text[NET_WORDS_BYTES];
	char *word[TOKENS_MAX + 1]; /* NULL ends */
	unsigned n, at;
};

/* ---- words ---- */

static bool is_one_of(const char *word, const char *const *list, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (!strcmp(word, list[i]))
			return true;
	return false;
}

/* Where a filter ends: none of these begins anything in pcap-filter's language. */
static bool is_net_word(const char *word)
{
	static const char *const words[] = { "delay", "latency", "distribution", "loss",    "ecn",
					     "drop",  "corrupt", "duplicate",	 "reorder", "rate",
					     "limit", "seed",	 "profile",	 "trace" };

	return is_one_of(word, words, COUNT(words));
}

/* Kinds of frames that the daemon knows; the first five are no words of pcap-filter. */
static const char *const kinds[] = { "syn", "fin", "rst", "data", "ack",
				     "ip",  "arp", "tcp", "udp",  "icmp" };
#define OWN_KINDS 5

static int split(const struct command *self, int argc, char **argv, struct tokens *t)
{
	size_t length = 0;
	char *rest = NULL;

	for (int i = 0; i < argc; i++) {
		length += (size_t)snprintf(t->text + length, sizeof(t->text) - length, "%s ",
					   argv[i]);
		if (length >= sizeof(t->text))
			return usage(self, "that is too long");
	}
	for (char *w = strtok_r(t->text, " \t\n", &rest); w; w = strtok_r(NULL, " \t\n", &rest)) {
		if (t->n == TOKENS_MAX)
			return usage(self, "that is too long");
		t->word[t->n++] = w;
	}
	return 0;
}

/* false: no room. */
static bool emit(struct net_words *out, const char *word)
{
	size_t n = strlen(out->text);

	return snprintf(out->text + n, sizeof(out->text) - n, "%s%s", n ? " " : "", word) <
	       (int)(sizeof(out->text) - n);
}

/* ---- attachments ---- */

static bool write_all(int fd, const void *bytes, size_t n)
{
	const char *at = bytes;
	ssize_t done;

	for (; n; at += done, n -= (size_t)done) {
		done = write(fd, at, n);
		if (done <= 0)
			return false;
	}
	return true;
}

static bool write_filled(int fd, const void *bytes, size_t n)
{
	return write_all(fd, bytes, n) &&
	       write_all(fd, "\0\0\0\0\0\0\0", abi_attached_filled(n) - n);
}

/* Attaches it and names it by its number: "filter 0". */
static int attach(struct net_words *out, enum abi_attached_kind kind, const char *text,
		  const void *elements, uint32_t count)
{
	unsigned *number = kind == ABI_ATTACHED_FILTER ? &out->nfilters : &out->ntraces;
	size_t element_bytes = kind == ABI_ATTACHED_FILTER ? 8 : 4;
	char name[ABI_ATTACHED_TEXT_MAX], word[32];
	struct abi_attached h = { .magic = ABI_ATTACHED_MAGIC,
				  .kind = (uint16_t)kind,
				  .count = count };

	snprintf(name, sizeof(name), "%s", text);
	h.text_bytes = (uint16_t)(strlen(name) + 1);
	if (out->fd < 0)
		out->fd = memfd_create("glass net", MFD_CLOEXEC);
	if (out->fd < 0 || !write_all(out->fd, &h, sizeof(h)) ||
	    !write_filled(out->fd, name, h.text_bytes) ||
	    !write_filled(out->fd, elements, count * element_bytes))
		return failed("no memory for what comes with the words: %s", strerror(errno));
	snprintf(word, sizeof(word), "%s %u", kind == ABI_ATTACHED_FILTER ? "filter" : "trace",
		 (*number)++);
	return emit(out, word) ? 0 : failed("that is too long");
}

/* ---- filters ---- */

/* What words from..to say, compiled. */
static int take_filter(const struct command *self, const struct tokens *t, unsigned from,
		       unsigned to, struct net_words *out)
{
	struct capture_filter *f;
	struct glass_dev_info dev;
	char text[NET_WORDS_BYTES];
	const void *program;
	unsigned count;
	size_t n = 0;
	int err;

	for (unsigned i = from; i < to; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", i > from ? " " : "",
				      t->word[i]);
	if (n >= ABI_ATTACHED_TEXT_MAX)
		return usage(self, "a filter has at most %d characters", ABI_ATTACHED_TEXT_MAX - 1);
	err = first_device(&dev);
	if (err)
		return err;
	f = capture_filter_new(self, text, dev.setup.link == GLASS_RAW_IP);
	if (!f)
		return EXIT_USAGE;
	program = capture_filter_program(f, &count);
	err = attach(out, ABI_ATTACHED_FILTER, text, program, count);
	capture_filter_free(f);
	return err;
}

/* "drop nth 3" and what it is aimed at: kinds, or kinds of ours and a filter. */
static int take_drop(const struct command *self, struct tokens *t, struct net_words *out)
{
	unsigned end = t->at + 3, from = t->at + 3;
	bool kinds_only = true, ok = true;

	while (end < t->n && !is_net_word(t->word[end]))
		kinds_only &= is_one_of(t->word[end++], kinds, COUNT(kinds));
	while (from < end && (kinds_only || is_one_of(t->word[from], kinds, OWN_KINDS)))
		from++;
	for (; t->at < from; t->at++)
		ok = ok && emit(out, t->word[t->at]);
	t->at = end;
	if (!ok)
		return usage(self, "that is too long");
	return from < end ? take_filter(self, t, from, end, out) : 0;
}

/* ---- recorded links ---- */

struct opportunities {
	uint32_t *at_ms, n, cap;
};

static bool add(struct opportunities *o, uint32_t at_ms)
{
	if (o->n == o->cap) {
		o->cap = o->cap ? o->cap * 2 : 4096;
		o->at_ms = realloc(o->at_ms, o->cap * sizeof(*o->at_ms));
		if (!o->at_ms) {
			failed("out of memory");
			exit(EXIT_FAILED);
		}
	}
	o->at_ms[o->n++] = at_ms;
	return o->n <= OPPORTUNITIES_MAX;
}

/* A line per opportunity to deliver a frame of full size: milliseconds, which do not go back. */
static int read_trace(const char *path, FILE *f, struct opportunities *o)
{
	char line[64], *end;
	unsigned long long ms;

	while (fgets(line, sizeof(line), f)) {
		ms = strtoull(line, &end, 10);
		if (end == line || (*end && *end != '\n' && *end != '\r') || ms > UINT32_MAX ||
		    !strchr("0123456789", *line) || (o->n && ms < o->at_ms[o->n - 1]))
			return failed("%s:%u: a line is a time in milliseconds, not before that of "
				      "the line above",
				      path, o->n + 1);
		if (!add(o, (uint32_t)ms))
			return failed("%s: more than %u lines", path, OPPORTUNITIES_MAX);
	}
	if (!o->n || !o->at_ms[o->n - 1])
		return failed("%s: that is no recorded link: its last time is 0", path);
	return 0;
}

static int take_trace(const struct command *self, struct tokens *t, struct net_words *out)
{
	struct opportunities o = { 0 };
	const char *path = t->word[t->at + 1];
	FILE *f;
	int err;

	if (!path)
		return usage(self, "'trace' needs a file: one time in milliseconds per line");
	f = fopen(path, "re");
	if (!f)
		return failed("%s: %s", path, strerror(errno));
	err = read_trace(path, f, &o);
	fclose(f);
	if (!err)
		err = attach(out, ABI_ATTACHED_TRACE, path, o.at_ms, o.n);
	free(o.at_ms);
	t->at += 2;
	return err;
}

/* ---- all of it ---- */

int net_words_make(const struct command *self, int argc, char **argv, struct net_words *out)
{
	static struct tokens t;
	int err = split(self, argc, argv, &t);

	*out = (struct net_words){ .fd = -1 };
	while (!err && t.at < t.n) {
		const char *word = t.word[t.at], *next = t.word[t.at + 1];

		if (!strcmp(word, "trace"))
			err = take_trace(self, &t, out);
		else if (!strcmp(word, "drop") && next && t.at + 2 < t.n &&
			 (!strcmp(next, "nth") || !strcmp(next, "every")))
			err = take_drop(self, &t, out);
		else
			err = emit(out, t.word[t.at++]) ? 0 : usage(self, "that is too long");
	}
	return err;
}

void net_words_free(struct net_words *w)
{
	if (w->fd >= 0)
		close(w->fd);
}
