/* SPDX-License-Identifier: MIT */
/*
 * Prints what one direction of a bad network does, in the words that would set it.
 *
 * In: netcmd.c, bench/link.  Out: nobody.
 */
#include <stdarg.h>
#include <stdio.h>

#include "impair_words.h"

struct writer {
	char *text;
	size_t size, length;
};

static __attribute__((format(printf, 2, 3))) void put(struct writer *w, const char *format, ...)
{
	size_t at = w->length < w->size ? w->length : w->size;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(w->text + at, w->size - at, format, args);
	va_end(args);
	w->length += n > 0 ? (size_t)n : 0;
}

static void put_word(struct writer *w, const char *word)
{
	put(w, "%s%s", w->length ? " " : "", word);
}

static void put_chance(struct writer *w, uint32_t of_a_million)
{
	put(w, " %.7g%%", of_a_million / 1e4);
}

static void put_corr(struct writer *w, uint32_t of_a_million)
{
	if (of_a_million)
		put_chance(w, of_a_million);
}

static void put_time(struct writer *w, int64_t ns)
{
	if (ns % 1000000000 == 0 && ns)
		put(w, " %llds", (long long)ns / 1000000000);
	else if (ns >= 1000000)
		put(w, " %.10gms", (double)ns / 1e6);
	else if (ns >= 1000)
		put(w, " %.7gus", (double)ns / 1e3);
	else
		put(w, " %lldns", (long long)ns);
}

static void put_rate(struct writer *w, uint64_t bit_s)
{
	static const struct {
		uint64_t factor;
		const char *name;
	} unit[] = { { 1000000000, "gbit" }, { 1000000, "mbit" }, { 1000, "kbit" }, { 1, "bit" } };
	unsigned i = 0;

	while (bit_s % unit[i].factor)
		i++;
	put(w, " %llu%s", (unsigned long long)(bit_s / unit[i].factor), unit[i].name);
}

static void put_delay(struct writer *w, const struct impair_way *way)
{
	if (!way->delay_ns && !way->jitter_ns)
		return;
	put_word(w, "delay");
	put_time(w, way->delay_ns);
	if (!way->jitter_ns)
		return;
	put_time(w, way->jitter_ns);
	put_corr(w, way->jitter_corr);
	if (way->spread == IMPAIR_NORMAL)
		put_word(w, "distribution normal");
}

static void put_loss(struct writer *w, const struct impair_way *way)
{
	unsigned n = way->model == IMPAIR_STATE ? 5 : 4;

	if (way->model == IMPAIR_RANDOM) {
		if (!way->loss)
			return;
		put_word(w, "loss");
		put_chance(w, way->loss);
		put_corr(w, way->loss_corr);
		return;
	}
	put_word(w, way->model == IMPAIR_STATE ? "loss state" : "loss gemodel");
	for (unsigned i = 0; i < n; i++)
		put_chance(w, way->chance[i]);
}

static void put_simple(struct writer *w, const char *word, uint32_t p, uint32_t corr)
{
	if (!p)
		return;
	put_word(w, word);
	put_chance(w, p);
	put_corr(w, corr);
}

static void put_rate_and_limit(struct writer *w, const struct impair_way *way)
{
	if (way->trace)
		put(w, "%strace %s", w->length ? " " : "", way->trace->name);
	else if (way->rate_bit_s)
		put_word(w, "rate");
	else
		return;
	if (way->rate_bit_s)
		put_rate(w, way->rate_bit_s);
	if (way->overhead_bytes || way->cell_bytes)
		put(w, " %d", way->overhead_bytes);
	if (way->cell_bytes)
		put(w, " %u %u", way->cell_bytes, way->cell_overhead_bytes);
	if (way->queue_frames)
		put(w, " limit %u", way->queue_frames);
	if (way->queue_bytes)
		put(w, " limit %ub", way->queue_bytes);
}

static void put_drop(struct writer *w, const struct impair_drop *d)
{
	static const char *const kind[] = { "ip",  "arp", "tcp", "udp",	 "icmp",
					    "syn", "fin", "rst", "data", "ack" };

	if (!d->n)
		return;
	put_word(w, d->every ? "drop every" : "drop nth");
	put(w, " %u", d->n);
	for (unsigned i = 0; i < sizeof(kind) / sizeof(kind[0]); i++)
		if (d->kind & 1u << i)
			put(w, " %s", kind[i]);
	if (d->filter)
		put(w, " %s", d->filter->text);
}

size_t impair_print(const struct impair_way *way, char *text, size_t size)
{
	struct writer w = { text, size, 0 };

	if (size)
		*text = '\0';
	put_delay(&w, way);
	put_loss(&w, way);
	if (way->ecn)
		put_word(&w, "ecn");
	put_simple(&w, "duplicate", way->duplicate, way->duplicate_corr);
	put_simple(&w, "reorder", way->reorder, way->reorder_corr);
	if (way->reorder && way->reorder_gap)
		put(&w, " gap %u", way->reorder_gap);
	if (way->reorder && way->reorder_ns) {
		put_word(&w, "by");
		put_time(&w, way->reorder_ns);
	}
	put_simple(&w, "corrupt", way->corrupt, way->corrupt_corr);
	put_rate_and_limit(&w, way);
	for (unsigned i = 0; i < IMPAIR_DROPS_MAX; i++)
		put_drop(&w, &way->drop[i]);
	return w.length;
}
