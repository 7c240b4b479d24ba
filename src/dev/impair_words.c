/* SPDX-License-Identifier: MIT */
/*
 * Reads a bad network's words: see impair_words.h. A row of the table per word; each reads its own
 * operands, of which all but the first may be left out.
 *
 * In: netcmd.c, bench/link.  Out: struct impair_way; impair_reader.c reads the single word.
 */
#include "impair_words.h"
#include "impair_reader.h"

#include <stdlib.h>
#include <string.h>

#define QUEUE_FRAMES_DEFAULT 1000 /* as netem */

/* ---- words ---- */

static int read_delay(struct reader *r, struct impair_way *w)
{
	static const char example[] = "40ms 10ms 25%";
	int rc = words_duration(r, example, &w->delay_ns);

	w->spread = IMPAIR_UNIFORM;
	if (!rc && words_more(r))
		rc = words_duration(r, example, &w->jitter_ns);
	if (!rc && words_more(r))
		rc = words_chance(r, example, &w->jitter_corr);
	return rc;
}

static int read_distribution(struct reader *r, struct impair_way *w)
{
	if (words_take(r, "uniform"))
		w->spread = IMPAIR_UNIFORM;
	else if (words_take(r, "normal"))
		w->spread = IMPAIR_NORMAL;
	else
		return words_wrong(r,
				   "'%s' is no distribution. Type for example: delay 40ms 10ms "
				   "distribution normal, or uniform\n",
				   words_here(r) ? words_here(r) : "");
	return 0;
}

/* The chances of a model; those that are not said follow from the first, as netem has it. */
static int read_model(struct reader *r, struct impair_way *w, unsigned n, const char *example)
{
	int rc = words_chance(r, example, &w->chance[0]);

	w->chance[1] = IMPAIR_MILLION - w->chance[0];
	if (w->model == IMPAIR_STATE)
		w->chance[IMPAIR_P23] = IMPAIR_MILLION;
	else
		w->chance[IMPAIR_1_H] = IMPAIR_MILLION;
	for (unsigned i = 1; i < n && !rc && words_more(r); i++)
		rc = words_chance(r, example, &w->chance[i]);
	if (!rc && w->model == IMPAIR_STATE &&
	    (w->chance[IMPAIR_P13] + w->chance[IMPAIR_P14] > IMPAIR_MILLION ||
	     w->chance[IMPAIR_P31] + w->chance[IMPAIR_P32] > IMPAIR_MILLION))
		return words_wrong(
			r,
			"the ways out of a state are more than 100%%: p13 + p14, or p31 + "
			"p32. Type for example: loss state %s\n",
			example);
	return rc;
}

static int read_loss(struct reader *r, struct impair_way *w)
{
	w->model = IMPAIR_RANDOM;
	if (words_take(r, "gemodel")) {
		w->model = IMPAIR_GEMODEL;
		r->about = "loss gemodel";
		return read_model(r, w, 4, "1% 30% 100% 0.1%");
	}
	if (words_take(r, "state")) {
		w->model = IMPAIR_STATE;
		r->about = "loss state";
		return read_model(r, w, 5, "1% 30%");
	}
	words_take(r, "random");
	return words_chance_corr(r, "1% 25%", &w->loss, &w->loss_corr);
}

static int read_duplicate(struct reader *r, struct impair_way *w)
{
	return words_chance_corr(r, "1%", &w->duplicate, &w->duplicate_corr);
}

static int read_corrupt(struct reader *r, struct impair_way *w)
{
	return words_chance_corr(r, "0.1%", &w->corrupt, &w->corrupt_corr);
}

static int read_reorder(struct reader *r, struct impair_way *w)
{
	int rc = words_chance_corr(r, "25% 50%", &w->reorder, &w->reorder_corr);

	for (; !rc; r->about = "reorder") {
		if (words_take(r, "gap"))
			rc = (r->about = "gap", words_count(r, 1e9, "5", &w->reorder_gap));
		else if (words_take(r, "by"))
			rc = (r->about = "by", words_duration(r, "5ms", &w->reorder_ns));
		else
			break;
	}
	return rc;
}

/* What every frame has more than we see, or (as on a TUN device) less. */
static int read_overhead(struct reader *r, struct impair_way *w)
{
	char *end;
	long n = strtol(words_here(r), &end, 10);

	if (*end || n < -1000 || n > 1000)
		return words_wrong(r,
				   "'%s' is no overhead of -1000 to 1000 bytes. Type for example: "
				   "rate 16mbit 18 48 5\n",
				   words_here(r));
	w->overhead_bytes = (int32_t)n;
	r->at++;
	return 0;
}

static int read_rate(struct reader *r, struct impair_way *w)
{
	double value = 0;
	int rc = words_number(r, words_rates, 1e12, "20mbit", &value);

	if (!rc && value < 8)
		return words_wrong(
			r, "a rate of nothing is no rate. Type for example: rate 20mbit, or "
			   "loss 100%%\n");
	w->rate_bit_s = (uint64_t)value;
	if (!rc && words_here(r) && (*words_here(r) == '-' || words_more(r)))
		rc = read_overhead(r, w);
	if (!rc && words_more(r))
		rc = words_count(r, 65535, "20mbit 18 48 5", &w->cell_bytes);
	if (!rc && words_more(r))
		rc = words_count(r, 1000, "20mbit 18 48 5", &w->cell_overhead_bytes);
	return rc;
}

/* Frames as netem has it, or bytes. */
static int read_limit(struct reader *r, struct impair_way *w)
{
	static const char example[] = "100, or limit 64kb";
	const char *word = words_here(r);
	double value = 0;
	int rc;

	if (word && *word && strspn(word, "0123456789") == strlen(word)) {
		rc = words_count(r, IMPAIR_QUEUE_FRAMES_MAX, example, &w->queue_frames);
		return rc || w->queue_frames
			       ? rc
			       : words_wrong(r, "at least one frame waits: limit 1\n");
	}
	rc = words_number(r, words_sizes, 1e9, example, &value);
	w->queue_bytes = (uint32_t)value;
	return rc;
}

static const struct {
	const char *name;
	uint16_t kind;
} kinds[] = {
	{ "ip", IMPAIR_IP },   { "arp", IMPAIR_ARP },	{ "tcp", IMPAIR_TCP },
	{ "udp", IMPAIR_UDP }, { "icmp", IMPAIR_ICMP }, { "syn", IMPAIR_SYN },
	{ "fin", IMPAIR_FIN }, { "rst", IMPAIR_RST },	{ "data", IMPAIR_DATA },
	{ "ack", IMPAIR_ACK },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static bool read_kind(struct reader *r, uint16_t *kind)
{
	for (unsigned i = 0; i < KINDS; i++) {
		if (words_take(r, kinds[i].name)) {
			*kind |= kinds[i].kind;
			return true;
		}
	}
	return false;
}

/* The number of what came along. false: nothing of that number did. */
static bool read_number(struct reader *r, unsigned count, unsigned *out)
{
	char *end;
	unsigned long n = words_here(r) ? strtoul(words_here(r), &end, 10) : 0;

	if (!words_here(r) || *end || n >= count)
		return false;
	*out = (unsigned)n;
	r->at++;
	return true;
}

/* What the command makes of a filter; whoever types this has not compiled one. */
static int read_filter(struct reader *r, struct impair_drop *d, unsigned i)
{
	unsigned number;

	if (!words_take(r, "filter"))
		return 0;
	if (!read_number(r, r->extras ? r->extras->nfilters : 0, &number))
		return words_wrong(r, "a filter is typed as it is: drop nth 3 tcp port 80\n");
	d->filter = r->extras->filter[number];
	d->kind |= (uint16_t)(IMPAIR_MATCH << i);
	return 0;
}

static int read_drop(struct reader *r, struct impair_way *w)
{
	static const char example[] = "nth 3 data";
	struct impair_drop *d = NULL;
	int rc;

	for (unsigned i = IMPAIR_DROPS_MAX; i--;)
		if (!w->drop[i].n)
			d = &w->drop[i];
	if (!d)
		return words_wrong(r, "no more than %d times 'drop' in one direction\n",
				   IMPAIR_DROPS_MAX);
	d->every = words_is(r, "every");
	if (!d->every && !words_is(r, "nth"))
		return words_wrong(r, "drop what? Type for example: drop nth 3, drop every 100, "
				      "drop nth 1 syn\n");
	r->at++;
	rc = words_count(r, 4e9, example, &d->n);
	if (!rc && !d->n)
		return words_wrong(r, "frames are counted from 1. Type for example: drop %s\n",
				   example);
	while (!rc && read_kind(r, &d->kind))
		;
	return rc ? rc : read_filter(r, d, (unsigned)(d - w->drop));
}

static int read_trace(struct reader *r, struct impair_way *w)
{
	unsigned number;

	if (!read_number(r, r->extras ? r->extras->ntraces : 0, &number))
		return words_wrong(r,
				   "a recorded link is a file: trace FILE, a time in milliseconds "
				   "per line\n");
	w->trace = r->extras->trace[number];
	return 0;
}

static int read_ecn(struct reader *r, struct impair_way *w)
{
	(void)r;
	w->ecn = true;
	return 0;
}

static const struct {
	const char *name;
	int (*read)(struct reader *r, struct impair_way *w);
} words[] = {
	{ "delay", read_delay },     { "latency", read_delay },
	{ "loss", read_loss },	     { "drop", read_drop },
	{ "corrupt", read_corrupt }, { "duplicate", read_duplicate },
	{ "rate", read_rate },	     { "limit", read_limit },
	{ "reorder", read_reorder }, { "distribution", read_distribution },
	{ "ecn", read_ecn },	     { "trace", read_trace },
};
#define WORDS (sizeof(words) / sizeof(words[0]))

/* ---- profiles ---- */

/*
 * Orders of magnitude, not measurements of a certain network: what such a link is like on a fair
 * day. DSL with the cells of ATM below it.
 */
static const struct {
	const char *name, *way[2];
} profiles[] = {
	{ "lte",
	  { "rate 30mbit limit 300 delay 25ms 4ms 50% distribution normal loss 0.05%",
	    "rate 10mbit limit 150 delay 25ms 8ms 50% distribution normal loss 0.05%" } },
	{ "3g",
	  { "rate 1600kbit limit 60 delay 75ms 15ms 60% distribution normal loss 0.2%",
	    "rate 768kbit limit 40 delay 75ms 25ms 60% distribution normal loss 0.2%" } },
	{ "dsl",
	  { "rate 16mbit 18 48 5 limit 120 delay 12ms 1ms",
	    "rate 1mbit 18 48 5 limit 30 delay 12ms 1ms" } },
	{ "wifi",
	  { "rate 60mbit limit 250 delay 2ms 2ms distribution normal loss gemodel 0.2% 40%",
	    "rate 40mbit limit 250 delay 2ms 3ms distribution normal loss gemodel 0.2% 40%" } },
	{ "satellite",
	  { "rate 25mbit limit 800 delay 290ms 8ms loss gemodel 0.1% 50%",
	    "rate 3mbit limit 120 delay 290ms 15ms loss gemodel 0.1% 50%" } },
};
#define PROFILES (sizeof(profiles) / sizeof(profiles[0]))

const char *impair_profiles(void)
{
	return "lte, 3g, dsl, wifi, satellite";
}

/* The profile's words for that direction stand in for its name. */
static int read_profile(struct reader *r, unsigned direction)
{
	struct impair_words words_of = { .seed_given = false };
	int rc;

	for (unsigned i = 0; i < PROFILES; i++) {
		if (!words_take(r, profiles[i].name))
			continue;
		rc = impair_parse(profiles[i].way[direction], NULL, &words_of, r->why, r->why_size);
		r->out->way[direction] = words_of.way[direction];
		return rc;
	}
	return words_wrong(r, "there is no profile '%s'. There are: %s\n",
			   words_here(r) ? words_here(r) : "", impair_profiles());
}

/* ---- all of it ---- */

static int read_seed(struct reader *r)
{
	char *end;

	r->out->seed = words_here(r) ? strtoull(words_here(r), &end, 0) : 0;
	if (!words_here(r) || *end || !strchr("0123456789", *words_here(r)))
		return words_wrong(r, "'seed' needs a number. Type for example: seed 42\n");
	r->out->seed_given = true;
	r->at++;
	return 0;
}

/* One word and its operands, for one direction. */
static int read_word(struct reader *r, unsigned direction)
{
	const char *word = words_here(r);

	r->about = word;
	r->at++;
	if (!strcmp(word, "seed"))
		return read_seed(r);
	if (!strcmp(word, "profile"))
		return read_profile(r, direction);
	for (unsigned i = 0; i < WORDS; i++) {
		if (!strcmp(words[i].name, word))
			return words[i].read(r, &r->out->way[direction]);
	}
	return words_wrong(
		r,
		"'%s': the words are delay, distribution, loss, ecn, duplicate, reorder, "
		"corrupt, rate, limit, trace, drop, seed, profile. Type for example: "
		"glass net set delay 40ms loss 1%%\n",
		word);
}

/* What follows from what was said. */
static int finish(struct reader *r, struct impair_way *w)
{
	bool queue = w->rate_bit_s || w->trace;

	if (w->rate_bit_s && w->trace)
		return words_wrong(r, "a recorded link has a rate of its own: rate, or trace\n");
	if (!queue && (w->queue_bytes || w->queue_frames))
		return words_wrong(
			r, "a limit is one of those that wait for the rate. Type for example: "
			   "rate 20mbit limit 100\n");
	if (w->reorder && !w->delay_ns && !w->reorder_ns)
		return words_wrong(
			r, "reordering needs a delay, which the chosen ones go without. Type "
			   "for example: delay 10ms reorder 25%%, or reorder 1%% by 5ms\n");
	/* A rate is one queue, in which nobody overtakes: so it is with netem. */
	w->overtake = !queue;
	if (queue && !w->queue_bytes && !w->queue_frames)
		w->queue_frames = QUEUE_FRAMES_DEFAULT;
	return 0;
}

int impair_parse(const char *text, const struct impair_extras *extras, struct impair_words *out,
		 char *why, size_t why_size)
{
	struct reader r = { .why = why, .why_size = why_size, .out = out, .extras = extras };
	int rc = words_split(&r, text);
	unsigned start;

	*out = (struct impair_words){ .has = { true, true } };
	if (words_take(&r, "in"))
		out->has[IMPAIR_OUT] = false;
	else if (words_take(&r, "out"))
		out->has[IMPAIR_IN] = false;
	if (!rc && !words_here(&r))
		return words_wrong(&r, "what is the network to do? Type for example: glass net set "
				       "delay 40ms loss 1%%\n");
	while (!rc && words_here(&r)) {
		start = r.at;
		for (unsigned d = 0; d < 2 && !rc; d++) {
			if (!out->has[d])
				continue;
			r.at = start;
			rc = read_word(&r, d);
		}
	}
	for (unsigned d = 0; d < 2 && !rc; d++)
		rc = out->has[d] ? finish(&r, &out->way[d]) : 0;
	return rc;
}
