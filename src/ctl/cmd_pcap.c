/* SPDX-License-Identifier: MIT */
/*
 * glass pcap: what passes between the stack and its devices, for Wireshark and tcpdump, with what
 * the stack thinks of each packet.
 *
 * The daemon writes frames into a pipe as they pass (captured.h); they are filtered, labelled and
 * written here, in a process that may be slow without holding up the stack.
 *
 * In: main.c, glass run --pcap, the extcap.  Out: capture_*.c.
 */
#include "capture.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PIPE_BYTES (1 << 20)
#define DRAIN_MS 1000 /* for what the daemon still keeps, at the end */

static struct {
	int64_t count, bytes_max;
	bool at_once;
	const char *file, *format;
} want;

static const struct opt options[] = {
	{ 'w', "write", OPT_STRING, "FILE", "write there; -: to stdout, which is the default",
	  &want.file },
	{ 'c', "count", OPT_NUMBER, "N", "end after N packets", &want.count },
	{ 's', "snapshot-length", OPT_NUMBER, "N", "only the first N bytes of each packet (0: all)",
	  &want.bytes_max },
	{ 'U', "packet-buffered", OPT_FLAG, NULL, "write each packet at once", &want.at_once },
	{ 0, "format", OPT_STRING, "NAME", "pcapng (default), or pcap: the old one, without labels",
	  &want.format },
};

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
}

/* What is going on. */
struct capture {
	struct capture_file file;
	struct capture_filter *filter;
	struct labels labels;
	int64_t written;
	uint64_t received;
	uint8_t byte[sizeof(struct abi_captured) + ABI_CAPTURED_BYTES_MAX];
	size_t have;
};

/* ---- packets ---- */

static bool done(const struct capture *c)
{
	return want.count && c->written >= want.count;
}

static void take_packet(struct capture *c, const struct abi_captured *h, const uint8_t *bytes)
{
	static struct label label;

	c->received++;
	labels_of(&c->labels, h, &label);
	if (c->filter && !capture_filter_takes(c->filter, h, bytes))
		return;
	capture_write_packet(&c->file, h, bytes, &label);
	c->written++;
	if (want.at_once)
		fflush(c->file.to);
}

/* The packets that are there whole. false: that is no stream of packets. */
static bool take_packets(struct capture *c)
{
	struct abi_captured h;
	size_t at = 0;

	while (c->have - at >= sizeof(h) && !done(c)) {
		memcpy(&h, c->byte + at, sizeof(h));
		if (h.magic != ABI_CAPTURED_MAGIC || h.kept_bytes > ABI_CAPTURED_BYTES_MAX)
			return false;
		if (c->have - at < sizeof(h) + h.kept_bytes)
			break;
		take_packet(c, &h, c->byte + at + sizeof(h));
		at += sizeof(h) + h.kept_bytes;
	}
	memmove(c->byte, c->byte + at, c->have - at);
	c->have -= at;
	return true;
}

/* Tells the daemon to end. Answers the frames that it left out. */
static uint64_t stop(void)
{
	struct reply rep;

	return client_call(ABI_PCAP, NULL, "stop", -1, &rep) ? 0 : (uint64_t)rep.head.value[1];
}

/* Until Ctrl-C, the last packet wanted, or the daemon's end. */
static int take_all(struct capture *c, int from, uint64_t *left_out)
{
	struct pollfd p = { from, POLLIN, 0 };
	bool stopped = false;
	ssize_t n = 1;

	while (n > 0) {
		if (!stopped && (interrupted || done(c) || ferror(c->file.to))) {
			stopped = true;
			*left_out = stop();
		}
		n = poll(&p, 1, stopped ? DRAIN_MS : -1);
		if (n < 0 && errno == EINTR) {
			n = 1;
			continue;
		}
		if (n <= 0)
			break;
		n = read(from, c->byte + c->have, sizeof(c->byte) - c->have);
		c->have += n > 0 ? (size_t)n : 0;
		if (!take_packets(c))
			return failed(
				"the daemon is of another version\ntype: glass down; glass up");
		if (done(c))
			c->have = 0;
		else if (!stopped)
			fflush(c->file.to);
	}
	return EXIT_OK;
}

/* ---- around them ---- */

static int put_head(struct capture *c, const char *text, const struct command *self)
{
	struct glass_dev_info dev;
	int err = first_device(&dev);

	if (!err && *text) {
		c->file.filter = text;
		c->filter = capture_filter_new(self, text, dev.setup.link == GLASS_RAW_IP);
		err = c->filter ? 0 : EXIT_USAGE;
	}
	if (!err)
		capture_write_head(&c->file, &dev);
	return err;
}

/* 0 or an exit code after a message; *from is where the packets come out. */
static int begin(struct capture *c, const struct command *self, int *from)
{
	/* A filter looks at all of a packet. */
	struct abi_request req = { .arg = { c->filter ? 0 : want.bytes_max } };
	struct sigaction act = { .sa_handler = on_signal };
	struct reply rep;
	int fd[2], err;

	if (pipe2(fd, O_CLOEXEC))
		return failed("pipe: %s", strerror(errno));
	fcntl(fd[1], F_SETPIPE_SZ, PIPE_BYTES);
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	err = client_call(ABI_PCAP, &req, "start", fd[1], &rep);
	close(fd[1]);
	*from = fd[0];
	if (!err)
		return 0;
	close(fd[0]);
	return client_failed(self->name, err, &rep);
}

static void say_done(const struct capture *c, uint64_t left_out)
{
	FILE *out = c->file.to == stdout ? stderr : stdout;

	if (ctl.json) {
		fprintf(out,
			"{\"frames\":%" PRId64 ",\"received\":%" PRIu64 ",\"lost\":%" PRIu64 "}\n",
			c->written, c->received, left_out);
		return;
	}
	fprintf(out, "%" PRId64 " frames written", c->written);
	if (c->filter)
		fprintf(out, " of %" PRIu64, c->received);
	if (left_out)
		fprintf(out, ", %" PRIu64 " left out because writing was too slow", left_out);
	fputc('\n', out);
}

static int64_t realtime_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static int capture(struct capture *c, const struct command *self, const char *text)
{
	uint64_t left_out = 0;
	int from, err;

	err = put_head(c, text, self);
	if (!err)
		err = labels_open(&c->labels);
	if (!err)
		err = begin(c, self, &from);
	if (err)
		return err;
	fflush(c->file.to);
	if (!ctl.json && c->file.to != stdout) {
		printf("capturing to %s, until Ctrl-C\n", want.file);
		fflush(stdout);
	}
	err = take_all(c, from, &left_out);
	close(from);
	capture_write_end(&c->file, c->received, (uint64_t)c->written, left_out, realtime_ns());
	if (fflush(c->file.to))
		return failed("cannot write: %s", strerror(errno));
	if (!err)
		say_done(c, left_out);
	return err;
}

/* ---- operands ---- */

/* The words of a filter, with blanks between. false: too long. */
static bool join(int n, char **word, char *out, size_t size)
{
	size_t at = 0;

	*out = '\0';
	for (int i = 0; i < n; i++) {
		at += (size_t)snprintf(out + at, size - at, "%s%s", i ? " " : "", word[i]);
		if (at >= size)
			return false;
	}
	return true;
}

static int check(const struct command *self, int n, char **argv, struct capture_file *f)
{
	bool to_stdout = !want.file || !strcmp(want.file, "-");
	const char *dot = n == 1 ? strrchr(argv[1], '.') : NULL;

	if (dot && (!strcmp(dot, ".pcap") || !strcmp(dot, ".pcapng")))
		return usage(self, "a file is named by -w: glass pcap -w %s", argv[1]);
	if (want.format && strcmp(want.format, "pcap") && strcmp(want.format, "pcapng"))
		return usage(self, "--format is pcapng or pcap, not '%s'", want.format);
	if (to_stdout && isatty(STDOUT_FILENO))
		return usage(self,
			     "a capture is no text: use -w FILE, or a pipe to tcpdump -r - or "
			     "tshark -i -; glass trace -f tells packets in words");
	f->format = want.format && !strcmp(want.format, "pcap") ? CAPTURE_PCAP : CAPTURE_PCAPNG;
	f->bytes_max = (uint32_t)(want.bytes_max < ABI_CAPTURED_BYTES_MAX ? want.bytes_max : 0);
	f->to = to_stdout ? stdout : NULL;
	return 0;
}

int cmd_pcap(const struct command *self, int argc, char **argv)
{
	int n = opt_parse(self, options, COUNT(options), argc, argv), err;
	static struct capture c;
	static char text[4096];

	if (n < 0 || check(self, n, argv, &c.file))
		return EXIT_USAGE;
	if (!join(n, argv + 1, text, sizeof(text)))
		return usage(self, "that filter is too long");
	err = client_open();
	if (err)
		return err;
	if (!c.file.to)
		c.file.to = fopen(want.file, "we");
	if (!c.file.to)
		return failed("%s: %s", want.file, strerror(errno));
	err = capture(&c, self, text);
	labels_close(&c.labels);
	capture_filter_free(c.filter);
	if (c.file.to != stdout && fclose(c.file.to) && !err)
		err = failed("%s: %s", want.file, strerror(errno));
	return err;
}
