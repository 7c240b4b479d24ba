/* SPDX-License-Identifier: MIT */
/* A bad network's words: what they mean, that they are printed as they were read, and the errors.
 */
#include "../base/unit.h"

#include <stdio.h>

#include "../../../src/dev/impair_words.h"

#define MS 1000000ll
#define PERCENT 10000u

static struct impair_words w;
static char why[512];
static const struct impair_extras *extras;

static const struct impair_way *read_good(const char *text)
{
	if (impair_parse(text, extras, &w, why, sizeof(why)))
		fail_msg("%s: %s", text, why);
	return &w.way[IMPAIR_OUT];
}

/* Printed as read; and what is printed means the same. */
static void same(const char *text, const char *printed)
{
	const struct impair_way way = *read_good(text);
	char out[512];

	assert_int_equal(impair_print(&way, out, sizeof(out)), strlen(printed));
	assert_string_equal(out, printed);
	if (!*printed)
		return;
	assert_int_equal(impair_parse(printed, NULL, &w, why, sizeof(why)), 0);
	assert_memory_equal(&w.way[IMPAIR_OUT], &way, sizeof(way));
}

static void test_values(void **state)
{
	const struct impair_way *way;

	(void)state;
	way = read_good("loss 1% 25% delay 40ms 10ms 25% rate 20mbit limit 100 duplicate 1% "
			"reorder 25% 50% corrupt 0.1%");
	assert_int_equal(way->loss, PERCENT);
	assert_int_equal(way->loss_corr, 25 * PERCENT);
	assert_int_equal(way->delay_ns, 40 * MS);
	assert_int_equal(way->jitter_ns, 10 * MS);
	assert_int_equal(way->jitter_corr, 25 * PERCENT);
	assert_int_equal(way->spread, IMPAIR_UNIFORM);
	assert_int_equal(way->rate_bit_s, 20000000);
	assert_int_equal(way->queue_frames, 100);
	assert_int_equal(way->duplicate, PERCENT);
	assert_int_equal(way->reorder, 25 * PERCENT);
	assert_int_equal(way->reorder_corr, 50 * PERCENT);
	assert_int_equal(way->corrupt, PERCENT / 10);
	assert_false(way->overtake); /* there is a rate */
	assert_memory_equal(&w.way[IMPAIR_IN], way, sizeof(*way));
	assert_true(read_good("delay 10ms 1ms")->overtake);
	assert_int_equal(read_good("rate 1kbps")->rate_bit_s, 8000);
	assert_int_equal(w.way[0].queue_frames, 1000);
	assert_int_equal(read_good("rate 1mbit limit 64kb")->queue_bytes, 65536);
	assert_int_equal(read_good("rate 1mbit -14")->overhead_bytes, -14);
	read_good("delay 1ms seed 0x2a");
	assert_true(w.seed_given && w.seed == 42);
}

static void test_models(void **state)
{
	const struct impair_way *way = read_good("loss gemodel 1% 20%");

	(void)state;
	assert_int_equal(way->model, IMPAIR_GEMODEL);
	assert_int_equal(way->chance[IMPAIR_P], PERCENT);
	assert_int_equal(way->chance[IMPAIR_R], 20 * PERCENT);
	assert_int_equal(way->chance[IMPAIR_1_H], 100 * PERCENT);
	assert_int_equal(way->chance[IMPAIR_1_K], 0);
	way = read_good("loss state 2%");
	assert_int_equal(way->model, IMPAIR_STATE);
	assert_int_equal(way->chance[IMPAIR_P31], 98 * PERCENT);
	assert_int_equal(way->chance[IMPAIR_P23], 100 * PERCENT);
	read_good("loss gemodel 1% loss 3%"); /* the last word holds */
	assert_int_equal(w.way[0].model, IMPAIR_RANDOM);
}

static void test_directions(void **state)
{
	(void)state;
	read_good("in delay 10ms");
	assert_true(w.has[IMPAIR_IN] && !w.has[IMPAIR_OUT]);
	assert_int_equal(w.way[IMPAIR_IN].delay_ns, 10 * MS);
	assert_false(impair_way_acts(&w.way[IMPAIR_OUT]));
	read_good("out loss 1%");
	assert_true(!w.has[IMPAIR_IN] && w.has[IMPAIR_OUT]);
	read_good("profile lte");
	assert_int_equal(w.way[IMPAIR_IN].rate_bit_s, 30000000);
	assert_int_equal(w.way[IMPAIR_OUT].rate_bit_s, 10000000);
	read_good("in profile dsl loss 5%"); /* and something of one's own */
	assert_int_equal(w.way[IMPAIR_IN].cell_bytes, 48);
	assert_int_equal(w.way[IMPAIR_IN].loss, 5 * PERCENT);
	assert_false(impair_way_acts(&w.way[IMPAIR_OUT]));
}

static void test_profiles(void **state)
{
	char names[128], text[160], *rest = NULL;
	unsigned n = 0;

	(void)state;
	snprintf(names, sizeof(names), "%s", impair_profiles());
	for (char *p = strtok_r(names, ", ", &rest); p; p = strtok_r(NULL, ", ", &rest), n++) {
		snprintf(text, sizeof(text), "profile %s", p);
		read_good(text);
		assert_true(w.way[IMPAIR_IN].rate_bit_s && w.way[IMPAIR_OUT].rate_bit_s);
	}
	assert_int_equal(n, 5);
}

static void test_printed_as_read(void **state)
{
	(void)state;
	same("delay 40ms", "delay 40ms");
	same("latency 40msec 10ms 25%", "delay 40ms 10ms 25%");
	same("delay 1500us 100us distribution normal", "delay 1.5ms 100us distribution normal");
	same("delay 2s", "delay 2s");
	same("delay 500ns", "delay 500ns");
	same("loss random 1% 25%", "loss 1% 25%");
	same("loss 0.0001%", "loss 0.0001%");
	same("loss 3 ecn", "loss 3% ecn");
	same("loss gemodel 1% 20% 90% 0.1%", "loss gemodel 1% 20% 90% 0.1%");
	same("loss state 1% 20% 5% 50% 2%", "loss state 1% 20% 5% 50% 2%");
	same("delay 10ms reorder 25% 50% gap 5", "delay 10ms reorder 25% 50% gap 5");
	same("reorder 1% by 5ms", "reorder 1% by 5ms");
	same("duplicate 1% corrupt 0.1%", "duplicate 1% corrupt 0.1%");
	same("rate 20Mbit limit 100", "rate 20mbit limit 100");
	same("rate 1500kbit limit 64kb", "rate 1500kbit limit 65536b");
	same("rate 16mbit 18 48 5 limit 30", "rate 16mbit 18 48 5 limit 30");
	same("rate 1gbit -14 limit 10", "rate 1gbit -14 limit 10");
	same("drop nth 3", "drop nth 3");
	same("drop every 100 data drop nth 1 tcp syn", "drop every 100 data drop nth 1 tcp syn");
}

static void test_errors(void **state)
{
	static const char *const bad[][2] = {
		{ "", "Type for example" },
		{ "in", "Type for example" },
		{ "los 1%", "'los': the words are" },
		{ "loss", "'loss' needs a value" },
		{ "loss many", "'many' is no value" },
		{ "loss 101%", "too much" },
		{ "loss -1%", "no value" },
		{ "loss nan%", "no value" },
		{ "delay 40", "delay 40ms" },
		{ "delay 2h", "no value" },
		{ "delay 40ms distribution pareto", "normal, or uniform" },
		{ "rate 20", "20mbit" },
		{ "rate 0mbit", "no rate" },
		{ "rate 1mbit 5000", "overhead" },
		{ "limit 100", "rate 20mbit limit 100" },
		{ "rate 1mbit limit 0", "at least one" },
		{ "rate 1mbit limit 9999999", "too much" },
		{ "reorder 25%", "needs a delay" },
		{ "loss state 60% 1% 1% 1% 50%", "more than 100%" },
		{ "drop 3", "drop nth 3" },
		{ "drop nth 0", "counted from 1" },
		{ "drop nth 1 drop nth 2 drop nth 3 drop nth 4 drop nth 5", "no more than 4" },
		{ "profile moon", "lte, 3g" },
		{ "seed", "seed 42" },
		{ "seed x", "seed 42" },
		{ "trace 0", "trace FILE" },
		{ "trace", "trace FILE" },
		{ "drop nth 3 filter 0", "typed as it is" },
		{ "drop nth 3 filter", "typed as it is" },
	};
	char longer[4000];

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		*why = '\0';
		assert_int_equal(impair_parse(bad[i][0], NULL, &w, why, sizeof(why)), -22);
		if (!strstr(why, bad[i][1]))
			fail_msg("%s: %s", bad[i][0], why);
		assert_int_equal(why[strlen(why) - 1], '\n');
	}
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(impair_parse(longer, NULL, &w, why, sizeof(why)), -22);
	for (unsigned i = 0; i < 500; i++)
		memcpy(longer + i * 2, "1 ", 2);
	longer[1000] = '\0';
	assert_int_equal(impair_parse(longer, NULL, &w, why, sizeof(why)), -22);
}

/* What came with the words, and is named by number. */
static void test_extras(void **state)
{
	static struct impair_filter first = { .text = "host 10.0.0.1" }, second = { .text = "udp" };
	static struct impair_trace trace = { .name = "lte.down" };
	static const struct impair_extras came = {
		.nfilters = 2, .ntraces = 1, .filter = { &first, &second }, .trace = { &trace }
	};
	const struct impair_way *way;
	char out[200];

	(void)state;
	extras = &came;
	way = read_good(
		"trace 0 limit 50 drop every 3 data filter 1 drop nth 9 filter 0 delay 5ms");
	assert_ptr_equal(way->trace, &trace);
	assert_false(way->overtake);
	assert_ptr_equal(way->drop[0].filter, &second);
	assert_int_equal(way->drop[0].kind, IMPAIR_DATA | IMPAIR_MATCH);
	assert_ptr_equal(way->drop[1].filter, &first);
	assert_int_equal(way->drop[1].kind, IMPAIR_MATCH << 1);
	impair_print(way, out, sizeof(out));
	assert_string_equal(out, "delay 5ms trace lte.down limit 50 drop every 3 data udp "
				 "drop nth 9 host 10.0.0.1");
	assert_int_equal(read_good("trace 0")->queue_frames, 1000);
	assert_int_equal(impair_parse("drop nth 3 filter 2", &came, &w, why, sizeof(why)), -22);
	assert_int_equal(impair_parse("trace 1", &came, &w, why, sizeof(why)), -22);
	assert_int_equal(impair_parse("trace 0 rate 1mbit", &came, &w, why, sizeof(why)), -22);
	assert_non_null(strstr(why, "rate, or trace"));
	extras = NULL;
}

static void test_print_is_cut(void **state)
{
	char out[10];

	(void)state;
	assert_true(impair_print(read_good("delay 40ms loss 1%"), out, sizeof(out)) > sizeof(out));
	assert_string_equal(out, "delay 40m");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),		cmocka_unit_test(test_models),
		cmocka_unit_test(test_directions),	cmocka_unit_test(test_profiles),
		cmocka_unit_test(test_printed_as_read), cmocka_unit_test(test_errors),
		cmocka_unit_test(test_extras),		cmocka_unit_test(test_print_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
