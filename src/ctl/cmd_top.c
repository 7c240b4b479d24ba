/* SPDX-License-Identifier: MIT */
/*
 * glass top: connections, rates, limiters, drops and the network's knobs, again and again; on the
 * terminal, or (-b, -j) line by line.
 *
 * In: main.c.	Out: top_screen.c, top_sample.c, top_lines.c.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ss.h"
#include "top.h"

static struct {
	bool batch, all, reverse;
	int64_t count, delay_ns;
	const char *sort;
} want = { .delay_ns = 2 * NS_PER_S, .sort = "rate" };

static const struct opt options[] = {
	{ 'b', "batch", OPT_FLAG, NULL, "print, without a terminal, until Ctrl-C or -n",
	  &want.batch },
	{ 'n', "iterations", OPT_NUMBER, "N", "end after N looks", &want.count },
	{ 'd', "delay", OPT_SECONDS, "TIME", "between two looks: 2 seconds unless said",
	  &want.delay_ns },
	{ 'o', "sort", OPT_STRING, "COLUMN",
	  "order: conn, state, local, peer, tx, rx, rtt, cwnd, rtx, recv-q, send-q, limiter, rate",
	  &want.sort },
	{ 'r', "reverse", OPT_FLAG, NULL, "the other way round", &want.reverse },
	{ 'a', "all", OPT_FLAG, NULL, "listening sockets too", &want.all },
};

static void print_lines(const struct top_view *v, const struct top_sample *s,
			const struct top_sample *before)
{
	static const enum color colors[] = { [TOP_PLAIN] = C_NONE,
					     [TOP_BOLD] = C_BOLD,
					     [TOP_HEADING] = C_BOLD,
					     [TOP_SELECTED] = C_NONE,
					     [TOP_BAD] = C_RED };
	struct top_lines lines = { 0 };

	top_lines(&lines, v, s, before);
	for (unsigned i = 0; i < lines.n; i++) {
		char *text = lines.line[i].text, *end = text + strlen(text);

		while (end > text && end[-1] == ' ')
			*--end = '\0';
		printf("%s%s%s\n", color(colors[lines.line[i].look]), text, color(C_NONE));
	}
	putchar('\n');
	top_lines_free(&lines);
}

static int batch(const struct top_view *v)
{
	const struct timespec pause = { want.delay_ns / NS_PER_S, want.delay_ns % NS_PER_S };
	struct top_sample now, before = { 0 };
	int err;

	for (int64_t n = 0;; n++) {
		err = top_sample(&now, n ? &before : NULL);
		if (!err)
			(ctl.json ? top_json : print_lines)(v, &now, n ? &before : NULL);
		top_sample_free(&before);
		before = now;
		fflush(stdout);
		if (err || (want.count && n + 1 >= want.count))
			break;
		nanosleep(&pause, NULL);
	}
	top_sample_free(&before);
	return err;
}

int cmd_top(const struct command *self, int argc, char **argv)
{
	int n = opt_parse(self, options, COUNT(options), argc, argv);
	struct top_view view = { .listening = want.all, .reverse = want.reverse };
	const char *meant;

	if (n < 0 || ss_filter_parse(self, n, argv + 1))
		return EXIT_USAGE;
	if (top_column(want.sort) < 0) {
		meant = nearest(want.sort, top_column_name);
		return usage(self, "there is no column '%s'%s%s", want.sort,
			     meant ? ", did you mean " : "", meant ? meant : "");
	}
	if (want.delay_ns < NS_PER_S / 10)
		return usage(self, "-d: 0.1 seconds at least");
	view.sort = (unsigned)top_column(want.sort);
	view.listening = want.all || ss_filter_has_states();
	if (want.batch || ctl.json)
		return batch(&view);
	return top_screen(&view, want.delay_ns, want.count);
}
