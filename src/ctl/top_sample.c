/* SPDX-License-Identifier: MIT */
/*
 * A sample for glass top: connections, counters and the network's knobs, and what became of them
 * since the sample before.
 *
 * In: cmd_top.c, top_screen.c.	Out: the control socket (SHOW, NET).
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ss.h"
#include "top.h"

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* ---- counters ---- */

static const struct glass_stat *stat_row(const struct top_sample *s, uint64_t i)
{
	return TABLE_ROW(&s->stats, struct glass_stat, i);
}

static uint64_t stat_of(const struct top_sample *s, const char *group, const char *name)
{
	const struct glass_stat *row;

	for (uint64_t i = 0; i < s->stats.count; i++) {
		row = stat_row(s, i);
		if (row->group && row->name && !strcmp(row->group, group) &&
		    !strcmp(row->name, name))
			return row->value;
	}
	return 0;
}

static bool is_drop(const struct glass_stat *row)
{
	return row->group && row->name && !strcmp(row->group, "Drop");
}

/* Into its place among the most frequent. */
static void rank(struct top_sample *s, const struct top_drop *d)
{
	unsigned at = TOP_DROPS;

	while (at && (d->rate > s->drop[at - 1].rate ||
		      (!(d->rate < s->drop[at - 1].rate) && d->count > s->drop[at - 1].count)))
		at--;
	if (at == TOP_DROPS)
		return;
	memmove(&s->drop[at + 1], &s->drop[at], (TOP_DROPS - 1 - at) * sizeof(*d));
	s->drop[at] = *d;
}

double top_per_second(uint64_t now, uint64_t then, double seconds)
{
	return seconds > 0 && now > then ? (double)(now - then) / seconds : 0;
}

static void count_drops(struct top_sample *s, const struct top_sample *before, double seconds)
{
	const struct glass_stat *row;
	struct top_drop d;

	for (uint64_t i = 0; i < s->stats.count; i++) {
		row = stat_row(s, i);
		if (!is_drop(row) || !row->value)
			continue;
		d = (struct top_drop){ .name = row->name, .count = row->value };
		d.rate = top_per_second(d.count, before ? stat_of(before, "Drop", d.name) : 0,
					seconds);
		s->now.drops += d.count;
		rank(s, &d);
	}
}

static void count(struct top_sample *s, const struct top_sample *before)
{
	static const struct top_totals nothing;
	const struct top_totals *then = before ? &before->now : &nothing;
	double seconds = before ? (double)(s->time_ns - before->time_ns) / 1e9
				: (double)(s->uptime_s ? s->uptime_s : 1);

	s->now.rx_bytes = stat_of(s, "Dev", "RxBytes");
	s->now.tx_bytes = stat_of(s, "Dev", "TxBytes");
	s->now.rx_frames = stat_of(s, "Dev", "RxPackets");
	s->now.tx_frames = stat_of(s, "Dev", "TxPackets");
	s->now.rtx = stat_of(s, "Tcp", "RetransSegs");
	count_drops(s, before, seconds);
	s->rx_bytes = top_per_second(s->now.rx_bytes, then->rx_bytes, seconds);
	s->tx_bytes = top_per_second(s->now.tx_bytes, then->tx_bytes, seconds);
	s->rx_frames = top_per_second(s->now.rx_frames, then->rx_frames, seconds);
	s->tx_frames = top_per_second(s->now.tx_frames, then->tx_frames, seconds);
	s->rtx = top_per_second(s->now.rtx, then->rtx, seconds);
	s->drops = top_per_second(s->now.drops, then->drops, seconds);
}

/* ---- the others ---- */

static int get_status(struct top_sample *s)
{
	static const size_t strings[] = { offsetof(struct abi_pair, key),
					  offsetof(struct abi_pair, value) };
	int err = table_get(&s->status, "status", sizeof(struct abi_pair), strings, COUNT(strings));
	const struct abi_pair *p;

	for (uint64_t i = 0; !err && i < s->status.count; i++) {
		p = TABLE_ROW(&s->status, struct abi_pair, i);
		if (!p->key || !p->value)
			continue;
		if (!strcmp(p->key, "uptime_s"))
			s->uptime_s = strtoll(p->value, NULL, 10);
		if (!strcmp(p->key, "memory_bytes"))
			s->memory_bytes = strtoull(p->value, NULL, 10);
	}
	return err;
}

static int get_stats(struct top_sample *s)
{
	static const size_t strings[] = { offsetof(struct glass_stat, group),
					  offsetof(struct glass_stat, name),
					  offsetof(struct glass_stat, doc) };

	return table_get(&s->stats, "stat", sizeof(struct glass_stat), strings, COUNT(strings));
}

/* What "glass net show" says, without the counters. When nothing is set it says so in words. */
static int get_net(struct top_sample *s)
{
	static struct reply rep;
	char *save = NULL;
	int err = client_call(ABI_NET, NULL, "show", -1, &rep);

	if (err)
		return client_failed("net", err, &rep);
	for (char *line = strtok_r(rep.data, "\n", &save); line && s->nets < TOP_NET_LINES;
	     line = strtok_r(NULL, "\n", &save))
		if (!strncmp(line, "in ", 3) || !strncmp(line, "out ", 4) ||
		    !strncmp(line, "blackhole ", 10))
			snprintf(s->net[s->nets++], TOP_LINE_BYTES, "%s", line);
	return 0;
}

static void number_conns(struct top_sample *s)
{
	const struct glass_conn_info *c;

	for (uint64_t i = 0; i < s->conns.count; i++) {
		c = TABLE_ROW(&s->conns, struct glass_conn_info, i);
		if (!c->state)
			continue;
		if (c->conn)
			map_set(&s->of, c->conn, (uint32_t)i + 1);
		if (!strcmp(c->state, "ESTAB"))
			s->estab++;
		else if (!strcmp(c->state, "LISTEN"))
			s->listening++;
		else
			s->others++;
	}
}

int top_sample(struct top_sample *s, const struct top_sample *before)
{
	int err = client_open();

	*s = (struct top_sample){ .time_ns = now_ns() };
	if (!err)
		err = ss_table(&s->conns);
	if (!err)
		err = get_stats(s);
	if (!err)
		err = get_status(s);
	if (!err)
		err = get_net(s);
	if (err)
		return err;
	number_conns(s);
	count(s, before);
	return 0;
}

void top_sample_free(struct top_sample *s)
{
	table_free(&s->conns);
	table_free(&s->stats);
	table_free(&s->status);
	map_free(&s->of);
	*s = (struct top_sample){ 0 };
}
