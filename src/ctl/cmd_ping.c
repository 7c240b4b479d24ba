/* SPDX-License-Identifier: MIT */
/* glass ping: echo requests through the stack, with the words of ping(8). */
#include "ctl.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int64_t count, size_bytes = 56, interval_ns = NS_PER_S, patience_ns = 4 * NS_PER_S;
static bool quiet;

static const struct opt options[] = {
	{ 'c', "count", OPT_NUMBER, "N", "end after N requests", &count },
	{ 'i', "interval", OPT_SECONDS, "TIME", "between requests (default: 1 s)", &interval_ns },
	{ 'W', "timeout", OPT_SECONDS, "TIME",
	  "wait this long for a reply (default: 4 s, longer than ARP takes)", &patience_ns },
	{ 's', "size", OPT_NUMBER, "BYTES", "of payload (default: 56)", &size_bytes },
	{ 'q', "quiet", OPT_FLAG, NULL, "only the summary", &quiet },
};

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
	client_interrupted = 1;
}

struct tally {
	const char *host;
	char addr[64];
	struct abi_end end;
	uint64_t sent, received, errors;
	double min, max, sum, square; /* ms */
	int64_t began_ns;
};

static int64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void count_reply(struct tally *t, const struct reply *rep)
{
	double ms = (double)rep->head.value[0] / 1e6;

	t->received++;
	t->sum += ms;
	t->square += ms * ms;
	t->min = t->received == 1 || ms < t->min ? ms : t->min;
	t->max = ms > t->max ? ms : t->max;
}

static const char *error_words(int error)
{
	switch (error) {
	case EHOSTUNREACH:
		return "Destination Host Unreachable";
	case ENETUNREACH:
		return "Destination Net Unreachable";
	case ECONNREFUSED:
		return "Destination Port Unreachable";
	default:
		return strerror(error);
	}
}

static void say_json(const struct tally *t, int error, const struct reply *rep)
{
	json_begin_object(NULL);
	json_unsigned("icmp_seq", t->sent);
	if (error) {
		json_string("error", error_text(error));
	} else {
		json_string("from", t->addr);
		json_number("bytes", rep->head.value[2]);
		json_number("ttl", rep->head.value[1]);
		json_double("time_ms", (double)rep->head.value[0] / 1e6, 3);
	}
	json_end();
}

static void say(const struct tally *t, int error, const struct reply *rep)
{
	if (quiet)
		return;
	if (ctl.json)
		say_json(t, error, rep);
	else if (error == ETIMEDOUT)
		printf("no answer for icmp_seq=%" PRIu64 " in %.3g s\n", t->sent,
		       (double)patience_ns / 1e9);
	else if (error)
		printf("%sicmp_seq=%" PRIu64 " %s%s\n", color(C_RED), t->sent, error_words(error),
		       color(C_NONE));
	else
		printf("%" PRId64 " bytes from %s: icmp_seq=%" PRIu64 " ttl=%" PRId64
		       " time=%.3f ms\n",
		       rep->head.value[2], t->addr, t->sent, rep->head.value[1],
		       (double)rep->head.value[0] / 1e6);
	fflush(stdout);
}

/* One request and its fate. 0, or an exit code when the daemon failed. */
static int ping_once(struct tally *t)
{
	struct abi_request req = { .end = t->end };
	struct reply rep;
	int err;

	req.arg[0] = getpid() & 0xffff;
	req.arg[1] = size_bytes;
	req.arg[2] = patience_ns > NS_PER_MS ? patience_ns / NS_PER_MS : 1;
	req.arg[3] = (int64_t)(++t->sent & 0xffff);
	err = client_call(ABI_PING, &req, NULL, -1, &rep);
	if (err == -EINTR)
		return EXIT_OK;
	if (err < 0 || err == EINVAL)
		return client_failed("ping", err, &rep);
	if (err)
		t->errors++;
	else
		count_reply(t, &rep);
	say(t, err, &rep);
	return EXIT_OK;
}

static void wait_until(int64_t at_ns)
{
	struct timespec t = { at_ns / NS_PER_S, at_ns % NS_PER_S };

	if (!interrupted)
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static void summary_json(const struct tally *t, double mean, double dev)
{
	json_begin_object(NULL);
	json_string("host", t->host);
	json_unsigned("transmitted", t->sent);
	json_unsigned("received", t->received);
	if (t->received) {
		json_double("rtt_min_ms", t->min, 3);
		json_double("rtt_avg_ms", mean, 3);
		json_double("rtt_max_ms", t->max, 3);
		json_double("rtt_mdev_ms", dev, 3);
	}
	json_end();
}

static void summary(const struct tally *t)
{
	double n = t->received ? (double)t->received : 1, mean = t->sum / n;
	double dev = sqrt(fmax(0, t->square / n - mean * mean));

	if (ctl.json) {
		summary_json(t, mean, dev);
		return;
	}
	printf("\n--- %s ping statistics ---\n%" PRIu64 " packets transmitted, %" PRIu64
	       " received, ",
	       t->host, t->sent, t->received);
	if (t->errors)
		printf("+%" PRIu64 " errors, ", t->errors);
	printf("%.4g%% packet loss, time %" PRId64 "ms\n",
	       t->sent ? 100.0 * (double)(t->sent - t->received) / (double)t->sent : 0,
	       (clock_ns() - t->began_ns) / NS_PER_MS);
	if (t->received)
		printf("rtt min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f ms\n", t->min, mean, t->max,
		       dev);
}

int cmd_ping(const struct command *self, int argc, char **argv)
{
	int n = opt_parse(self, options, COUNT(options), argc, argv), err;
	struct tally t = { .began_ns = clock_ns() };
	struct sigaction act = { .sa_handler = on_signal };
	struct glass_addr addr;

	if (n < 0)
		return EXIT_USAGE;
	if (n != 1)
		return usage(self, "which host?");
	if (!addr_parse(argv[1], &addr))
		return failed("%s: neither an address nor a name that is known here", argv[1]);
	err = client_open();
	if (err)
		return err;
	t.host = argv[1];
	t.end.family = addr.family;
	memcpy(t.end.addr, addr.byte, sizeof(addr.byte));
	addr_text(&addr, t.addr);
	sigaction(SIGINT, &act, NULL);
	if (!ctl.json)
		printf("PING %s (%s) %" PRId64 "(%" PRId64 ") bytes of data, through stack %s\n",
		       t.host, t.addr, size_bytes, size_bytes + 28, ctl.stack);
	while (!err && !interrupted && (!count || t.sent < (uint64_t)count)) {
		if (t.sent)
			wait_until(t.began_ns + (int64_t)t.sent * interval_ns);
		if (!interrupted)
			err = ping_once(&t);
	}
	if (err)
		return err;
	summary(&t);
	return t.received ? EXIT_OK : EXIT_FAILED;
}
