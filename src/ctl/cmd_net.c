/* SPDX-License-Identifier: MIT */
/* glass net: a bad network on purpose. glass pcap: what passes the devices, for tcpdump and
 * Wireshark. */
#include "ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORDS_BYTES 512
#define PIPE_BYTES (1 << 20)
#define PCAP_HEADER_BYTES 24
#define PCAP_RECORD_BYTES 16
#define PCAP_LENGTH_AT 8 /* bytes that follow the record's header, in it */

/* ---- net ---- */

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
	int n = opt_parse(self, NULL, 0, argc, argv), err, length = 0;
	char words[WORDS_BYTES] = "";
	struct reply rep;

	if (n < 0)
		return EXIT_USAGE;
	for (int i = 1; i <= n; i++) {
		length += snprintf(words + length, sizeof(words) - (size_t)length, "%s%s",
				   i > 1 ? " " : "", argv[i]);
		if (length >= (int)sizeof(words))
			return usage(self, "that is too long");
	}
	err = client_open();
	if (err)
		return err;
	err = client_call(ABI_NET, NULL, words, -1, &rep);
	if (err)
		return client_failed("net", err, &rep);
	if (!ctl.json) {
		fputs(rep.data, stdout);
		return EXIT_OK;
	}
	if (!*words || !strcmp(words, "show")) {
		show_json(rep.data);
		return EXIT_OK;
	}
	rep.data[strcspn(rep.data, "\n")] = '\0';
	json_begin_object(NULL);
	json_string("done", rep.data);
	json_end();
	return EXIT_OK;
}

/* ---- pcap ---- */

static int64_t count_max;

static const struct opt pcap_options[] = {
	{ 'c', "count", OPT_NUMBER, "N", "end after N frames", &count_max },
};

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
}

/* The file as it goes by: frames are counted, so that it ends where it should. */
struct copy {
	FILE *to;
	uint8_t head[PCAP_HEADER_BYTES];
	uint32_t have, need; /* bytes of head; bytes of a frame still to come */
	bool in_file;	     /* the file's own header has passed */
	int64_t frames;
};

static bool copy_done(const struct copy *c)
{
	return count_max && c->frames >= count_max && !c->need;
}

/* A header is whole: what comes next? */
static void copy_header(struct copy *c)
{
	fwrite(c->head, 1, c->have, c->to);
	c->have = 0;
	if (!c->in_file) {
		c->in_file = true;
		return;
	}
	memcpy(&c->need, c->head + PCAP_LENGTH_AT, sizeof(c->need));
	c->frames++;
}

static void copy_bytes(struct copy *c, const uint8_t *at, size_t n)
{
	uint32_t want;
	size_t k;

	while (n && !copy_done(c)) {
		if (c->need) {
			k = n < c->need ? n : c->need;
			fwrite(at, 1, k, c->to);
			c->need -= (uint32_t)k;
		} else {
			want = (c->in_file ? PCAP_RECORD_BYTES : PCAP_HEADER_BYTES) - c->have;
			k = n < want ? n : want;
			memcpy(c->head + c->have, at, k);
			c->have += (uint32_t)k;
			if (k == want)
				copy_header(c);
		}
		at += k;
		n -= k;
	}
}

/* Copies until Ctrl-C, the last frame wanted, or the daemon's end. Answers the frames lost, or -1.
 */
static int64_t copy_all(struct copy *c, int from)
{
	struct pollfd p = { from, POLLIN, 0 };
	static uint8_t buffer[65536];
	bool stopped = false;
	int64_t lost = -1;
	struct reply rep;
	ssize_t n = 1;

	while (n) {
		if (!stopped && (interrupted || copy_done(c) || ferror(c->to))) {
			stopped = true;
			if (!client_call(ABI_PCAP, NULL, "stop", -1, &rep))
				lost = rep.head.value[1];
		}
		if (poll(&p, 1, stopped ? 1000 : -1) < 0)
			continue;
		n = read(from, buffer, sizeof(buffer));
		if (n < 0)
			return lost;
		copy_bytes(c, buffer, (size_t)n);
		if (!stopped)
			fflush(c->to);
	}
	return lost;
}

static void say_captured(int64_t frames, int64_t lost, FILE *out)
{
	if (ctl.json) {
		fprintf(out, "{\"frames\":%" PRId64 ",\"lost\":%" PRId64 "}\n", frames, lost);
		return;
	}
	fprintf(out, "%" PRId64 " frames written", frames);
	if (lost)
		fprintf(out, ", %" PRId64 " left out because writing was too slow", lost);
	fputc('\n', out);
}

static int capture(const struct command *self, FILE *to)
{
	struct sigaction act = { .sa_handler = on_signal };
	struct copy c = { .to = to };
	struct reply rep;
	int64_t lost;
	int fd[2], err;

	if (pipe2(fd, O_CLOEXEC))
		return failed("pipe: %s", strerror(errno));
	fcntl(fd[1], F_SETPIPE_SZ, PIPE_BYTES);
	err = client_call(ABI_PCAP, NULL, "start", fd[1], &rep);
	close(fd[1]);
	if (err)
		return client_failed(self->name, err, &rep);
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	lost = copy_all(&c, fd[0]);
	close(fd[0]);
	if (fflush(to))
		return failed("cannot write: %s", strerror(errno));
	say_captured(c.frames, lost > 0 ? lost : 0, to == stdout ? stderr : stdout);
	return EXIT_OK;
}

int cmd_pcap(const struct command *self, int argc, char **argv)
{
	int n = opt_parse(self, pcap_options, COUNT(pcap_options), argc, argv), err;
	FILE *to;

	if (n < 0)
		return EXIT_USAGE;
	if (n != 1)
		return usage(self, "which file?");
	if (!strcmp(argv[1], "-") && isatty(STDOUT_FILENO))
		return usage(self, "pcap is no text: use a file, or a pipe to tcpdump -r -");
	err = client_open();
	if (err)
		return err;
	to = strcmp(argv[1], "-") ? fopen(argv[1], "we") : stdout;
	if (!to)
		return failed("%s: %s", argv[1], strerror(errno));
	err = capture(self, to);
	if (to != stdout && fclose(to) && !err)
		err = failed("%s: %s", argv[1], strerror(errno));
	return err;
}
