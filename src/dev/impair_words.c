/* SPDX-License-Identifier: MIT */
/*
 * Reads a bad network's words: see impair_words.h. A row of the table per word; each reads its own
 * operands, of which all but the first may be left out.
 *
 * In: netcmd.c, bench/link.  Out: struct impair_way.
 */
#include "impair_words.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WORDS_MAX 128
#define TEXT_MAX 1024
#define QUEUE_FRAMES_DEFAULT 1000 /* as netem */

struct reader {
	char text[TEXT_MAX];
	const char *word[WORDS_MAX + 1]; /* NULL ends */
	unsigned at;
	const char *about; /* the word whose operands are being read */
	char *why;
	size_t why_size;
	struct impair_words *out;
};

static __attribute__((format(printf, 2, 3))) int wrong(struct reader *r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(r->why, r->why_size, format, args);
	va_end(args);
	return -EINVAL;
}

static const char *here(const struct reader *r)
{
	return r->word[r->at];
}

static bool is(const struct reader *r, const char *word)
{
	return here(r) && !strcmp(here(r), word);
}

static bool take(struct reader *r, const char *word)
{
	if (!is(r, word))
		return false;
	r->at++;
	return true;
}

/* An operand that may be left out is there when it begins as a number does. */
static bool more(const struct reader *r)
{
	return here(r) && strchr("0123456789.", *here(r));
}

/* ---- units ---- */

struct unit {
	const char *name;
	double factor;
};

static const struct unit times[] = { { "s", 1e9 },  { "sec", 1e9 },  { "secs", 1e9 },
				     { "ms", 1e6 }, { "msec", 1e6 }, { "msecs", 1e6 },
				     { "us", 1e3 }, { "usec", 1e3 }, { "usecs", 1e3 },
				     { "ns", 1 },   { NULL, 0 } };
/* As tc(8): bit is a bit per second, bps a byte. */
static const struct unit rates[] = { { "bit", 1 },    { "kbit", 1e3 }, { "mbit", 1e6 },
				     { "gbit", 1e9 }, { "bps", 8 },    { "kbps", 8e3 },
				     { "mbps", 8e6 }, { "gbps", 8e9 }, { NULL, 0 } };
static const struct unit percents[] = { { "%", 1e4 }, { "", 1e4 }, { NULL, 0 } };
static const struct unit counts[] = { { "", 1 }, { NULL, 0 } };
static const struct unit sizes[] = { { "b", 1 },	{ "kb", 1024 },	  { "k", 1024 },
				     { "mb", 1048576 }, { "m", 1048576 }, { NULL, 0 } };

/* A number with one of the units. example: what could have been typed. */
static int number(struct reader *r, const struct unit *u, double max, const char *example,
		  double *out)
{
	const char *word = here(r);
	char *end;

	if (!word)
		return wrong(r, "'%s' needs a value. Type for example: %s %s\n", r->about, r->about,
			     example);
	*out = strtod(word, &end);
	for (; u->name && strcasecmp(end, u->name); u++)
		;
	if (end == word || !u->name || !strchr("0123456789.", *word))
		return wrong(r, "'%s' is no value of '%s'. Type for example: %s %s\n", word,
			     r->about, r->about, example);
	*out *= u->factor;
	if (!(*out >= 0 && *out <= max))
		return wrong(r, "'%s' of '%s' is too much. Type for example: %s %s\n", word,
			     r->about, r->about, example);
	r->at++;
	return 0;
}

static int chance(struct reader *r, const char *example, uint32_t *out)
{
	double value = 0;
	int rc = number(r, percents, IMPAIR_MILLION, example, &value);

	*out = (uint32_t)(value + 0.5);
	return rc;
}

static int chance_corr(struct reader *r, const char *example, uint32_t *p, uint32_t *corr)
{
	int rc = chance(r, example, p);

	return rc || !more(r) ? rc : chance(r, example, corr);
}

static int duration(struct reader *r, const char *example, int64_t *out)
{
	double value = 0;
	int rc = number(r, times, 3600e9, example, &value);

	*out = (int64_t)(value + 0.5);
	return rc;
}

static int count(struct reader *r, double max, const char *example, uint32_t *out)
{
	double value = 0;
	int rc = number(r, counts, max, example, &value);

	*out = (uint32_t)value;
	return rc;
}

/* ---- words ---- */

static int read_delay(struct reader *r, struct impair_way *w)
{
	static const char example[] = "40ms 10ms 25%";
	int rc = duration(r, example, &w->delay_ns);

	w->spread = IMPAIR_UNIFORM;
	if (!rc && more(r))
		rc = duration(r, example, &w->jitter_ns);
	if (!rc && more(r))
		rc = chance(r, example, &w->jitter_corr);
	return rc;
}

static int read_distribution(struct reader *r, struct impair_way *w)
{
	if (take(r, "uniform"))
		w->spread = IMPAIR_UNIFORM;
	else if (take(r, "normal"))
		w->spread = IMPAIR_NORMAL;
	else
		return wrong(r,
			     "'%s' is no distribution. Type for example: delay 40ms 10ms "
			     "distribution normal, or uniform\n",
			     here(r) ? here(r) : "");
	return 0;
}

/* The chances of a model; those that are not said follow from the first, as netem has it. */
static int read_model(struct reader *r, struct impair_way *w, unsigned n, const char *example)
{
	int rc = chance(r, example, &w->chance[0]);

	w->chance[1] = IMPAIR_MILLION - w->chance[0];
	if (w->model == IMPAIR_STATE)
		w->chance[IMPAIR_P23] = IMPAIR_MILLION;
	else
		w->chance[IMPAIR_1_H] = IMPAIR_MILLION;
	for (unsigned i = 1; i < n && !rc && more(r); i++)
		rc = chance(r, example, &w->chance[i]);
	if (!rc && w->model == IMPAIR_STATE &&
	    (w->chance[IMPAIR_P13] + w->chance[IMPAIR_P14] > IMPAIR_MILLION ||
	     w->chance[IMPAIR_P31] + w->chance[IMPAIR_P32] > IMPAIR_MILLION))
		return wrong(r,
			     "the ways out of a state are more than 100%%: p13 + p14, or p31 + "
			     "p32. Type for example: loss state %s\n",
			     example);
	return rc;
}

static int read_loss(struct reader *r, struct impair_way *w)
{
	w->model = IMPAIR_RANDOM;
	if (take(r, "gemodel")) {
		w->model = IMPAIR_GEMODEL;
		r->about = "loss gemodel";
		return read_model(r, w, 4, "1% 30% 100% 0.1%");
	}
	if (take(r, "state")) {
		w->model = IMPAIR_STATE;
		r->about = "loss state";
		return read_model(r, w, 5, "1% 30%");
	}
	take(r, "random");
	return chance_corr(r, "1% 25%", &w->loss, &w->loss_corr);
}

static int read_duplicate(struct reader *r, struct impair_way *w)
{
	return chance_corr(r, "1%", &w->duplicate, &w->duplicate_corr);
}

static int read_corrupt(struct reader *r, struct impair_way *w)
{
	return chance_corr(r, "0.1%", &w->corrupt, &w->corrupt_corr);
}

static int read_reorder(struct reader *r, struct impair_way *w)
{
	int rc = chance_corr(r, "25% 50%", &w->reorder, &w->reorder_corr);

	for (; !rc; r->about = "reorder") {
		if (take(r, "gap"))
			rc = (r->about = "gap", count(r, 1e9, "5", &w->reorder_gap));
		else if (take(r, "by"))
			rc = (r->about = "by", duration(r, "5ms", &w->reorder_ns));
		else
			break;
	}
	return rc;
}

/* What every frame has more than we see, or (as on a TUN device) less. */
static int read_overhead(struct reader *r, struct impair_way *w)
{
	char *end;
	long n = strtol(here(r), &end, 10);

	if (*end || n < -1000 || n > 1000)
		return wrong(r,
			     "'%s' is no overhead of -1000 to 1000 bytes. Type for example: "
			     "rate 16mbit 18 48 5\n",
			     here(r));
	w->overhead_bytes = (int32_t)n;
	r->at++;
	return 0;
}

static int read_rate(struct reader *r, struct impair_way *w)
{
	double value = 0;
	int rc = number(r, rates, 1e12, "20mbit", &value);

	if (!rc && value < 8)
		return wrong(r, "a rate of nothing is no rate. Type for example: rate 20mbit, or "
				"loss 100%%\n");
	w->rate_bit_s = (uint64_t)value;
	if (!rc && here(r) && (*here(r) == '-' || more(r)))
		rc = read_overhead(r, w);
	if (!rc && more(r))
		rc = count(r, 65535, "20mbit 18 48 5", &w->cell_bytes);
	if (!rc && more(r))
		rc = count(r, 1000, "20mbit 18 48 5", &w->cell_overhead_bytes);
	return rc;
}

/* Frames as netem has it, or bytes. */
static int read_limit(struct reader *r, struct impair_way *w)
{
	static const char example[] = "100, or limit 64kb";
	const char *word = here(r);
	double value = 0;
	int rc;

	if (word && *word && strspn(word, "0123456789") == strlen(word)) {
		rc = count(r, IMPAIR_QUEUE_FRAMES_MAX, example, &w->queue_frames);
		return rc || w->queue_frames ? rc : wrong(r, "at least one frame waits: limit 1\n");
	}
	rc = number(r, sizes, 1e9, example, &value);
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
		if (take(r, kinds[i].name)) {
			*kind |= kinds[i].kind;
			return true;
		}
	}
	return false;
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
		return wrong(r, "no more than %d times 'drop' in one direction\n",
			     IMPAIR_DROPS_MAX);
	d->every = is(r, "every");
	if (!d->every && !is(r, "nth"))
		return wrong(r, "drop what? Type for example: drop nth 3, drop every 100, "
				"drop nth 1 syn\n");
	r->at++;
	rc = count(r, 4e9, example, &d->n);
	if (!rc && !d->n)
		return wrong(r, "frames are counted from 1. Type for example: drop %s\n", example);
	while (!rc && read_kind(r, &d->kind))
		;
	return rc;
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
	{ "ecn", read_ecn },
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
		if (!take(r, profiles[i].name))
			continue;
		rc = impair_parse(profiles[i].way[direction], &words_of, r->why, r->why_size);
		r->out->way[direction] = words_of.way[direction];
		return rc;
	}
	return wrong(r, "there is no profile '%s'. There are: %s\n", here(r) ? here(r) : "",
		     impair_profiles());
}

/* ---- all of it ---- */

static int read_seed(struct reader *r)
{
	char *end;

	r->out->seed = here(r) ? strtoull(here(r), &end, 0) : 0;
	if (!here(r) || *end || !strchr("0123456789", *here(r)))
		return wrong(r, "'seed' needs a number. Type for example: seed 42\n");
	r->out->seed_given = true;
	r->at++;
	return 0;
}

/* One word and its operands, for one direction. */
static int read_word(struct reader *r, unsigned direction)
{
	const char *word = here(r);

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
	return wrong(r,
		     "'%s': the words are delay, distribution, loss, ecn, duplicate, reorder, "
		     "corrupt, rate, limit, drop, seed, profile. Type for example: "
		     "glass net set delay 40ms loss 1%%\n",
		     word);
}

/* What follows from what was said. */
static int finish(struct reader *r, struct impair_way *w)
{
	if (!w->rate_bit_s && (w->queue_bytes || w->queue_frames))
		return wrong(r, "a limit is one of those that wait for the rate. Type for example: "
				"rate 20mbit limit 100\n");
	if (w->reorder && !w->delay_ns && !w->reorder_ns)
		return wrong(r, "reordering needs a delay, which the chosen ones go without. Type "
				"for example: delay 10ms reorder 25%%, or reorder 1%% by 5ms\n");
	/* A rate is one queue, in which nobody overtakes: so it is with netem. */
	w->overtake = !w->rate_bit_s;
	if (w->rate_bit_s && !w->queue_bytes && !w->queue_frames)
		w->queue_frames = QUEUE_FRAMES_DEFAULT;
	return 0;
}

static int split(struct reader *r, const char *text)
{
	char *rest = NULL;
	unsigned n = 0;

	if (strlen(text) >= sizeof(r->text))
		return wrong(r, "that is too long\n");
	memcpy(r->text, text, strlen(text) + 1);
	for (char *w = strtok_r(r->text, " \t\n", &rest); w; w = strtok_r(NULL, " \t\n", &rest)) {
		if (n == WORDS_MAX)
			return wrong(r, "that is too long\n");
		r->word[n++] = w;
	}
	return 0;
}

int impair_parse(const char *text, struct impair_words *out, char *why, size_t why_size)
{
	struct reader r = { .why = why, .why_size = why_size, .out = out };
	int rc = split(&r, text);
	unsigned start;

	*out = (struct impair_words){ .has = { true, true } };
	if (take(&r, "in"))
		out->has[IMPAIR_OUT] = false;
	else if (take(&r, "out"))
		out->has[IMPAIR_IN] = false;
	if (!rc && !here(&r))
		return wrong(&r, "what is the network to do? Type for example: glass net set "
				 "delay 40ms loss 1%%\n");
	while (!rc && here(&r)) {
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
