/* SPDX-License-Identifier: MIT */
/*
 * The engine of bad networks: how often, how late, in which order; and that a frame's fate depends
 * on the seed and its number only.
 */
#include "unit.h"

#include "../../../src/base/impair.h"

#define FRAMES 100000
#define PERCENT 10000u
#define MS 1000000ll

static struct impair im;
static struct impair_verdict v;

static enum impair_fate decide(const struct impair_way *w, int64_t now_ns)
{
	impair_decide(&im, w, 1500, IMPAIR_IP | IMPAIR_TCP, now_ns, &v);
	return v.fate;
}

static void start(void)
{
	impair_fini(&im);
	impair_init(&im, 7);
}

/* FRAMES frames, none later than the one before. Fills runs: losses after which one was lost too.
 */
static unsigned lost_of(const struct impair_way *w, unsigned *runs)
{
	unsigned lost = 0, last = 0;

	start();
	*runs = 0;
	for (unsigned i = 0; i < FRAMES; i++) {
		unsigned now_lost = decide(w, 0) == IMPAIR_LOST;

		*runs += last && now_lost;
		lost += now_lost;
		last = now_lost;
	}
	assert_int_equal(im.counts.lost, lost);
	assert_int_equal(im.counts.frames, FRAMES);
	return lost;
}

static void test_nothing(void **state)
{
	struct impair_way w = { 0 };

	(void)state;
	start();
	assert_false(impair_way_acts(&w));
	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(decide(&w, i), IMPAIR_PASSES);
		assert_int_equal(v.at_ns, i);
		assert_false(v.damage || v.duplicate || v.reordered || v.mark);
	}
	w.loss = 1;
	assert_true(impair_way_acts(&w));
}

/* The average is what was asked for, whatever the correlation. */
static void test_random_loss(void **state)
{
	unsigned runs;

	(void)state;
	assert_in_range(lost_of(&(struct impair_way){ .loss = PERCENT }, &runs), 900, 1100);
	assert_in_range(runs, 2, 25); /* one in a hundred */
	assert_in_range(lost_of(&(struct impair_way){ .loss = 10 * PERCENT }, &runs), 9600, 10400);
	assert_in_range(
		lost_of(&(struct impair_way){ .loss = 10 * PERCENT, .loss_corr = 50 * PERCENT },
			&runs),
		9200, 10800);
	assert_in_range(runs, 5000, 6000); /* 0.5 + 0.5 * 0.1 of them */
	assert_int_equal(lost_of(&(struct impair_way){ .loss = 100 * PERCENT }, &runs), FRAMES);
}

/* Bad after 1 %, good after 20 %: bad 1/21 of the time, bursts of five. */
static void test_gemodel(void **state)
{
	struct impair_way w = { .model = IMPAIR_GEMODEL,
				.chance = { PERCENT, 20 * PERCENT, 100 * PERCENT, 0 } };
	unsigned runs, lost = lost_of(&w, &runs);

	(void)state;
	assert_in_range(lost, FRAMES / 21 * 85 / 100, FRAMES / 21 * 115 / 100);
	assert_in_range(lost * 100 / (lost - runs), 450, 550);
	w.chance[IMPAIR_1_H] = 50 * PERCENT;
	assert_in_range(lost_of(&w, &runs), FRAMES / 42 * 80 / 100, FRAMES / 42 * 120 / 100);
	w = (struct impair_way){ .model = IMPAIR_GEMODEL, .chance = { 0, 0, 0, 30 * PERCENT } };
	assert_in_range(lost_of(&w, &runs), FRAMES * 28 / 100, FRAMES * 32 / 100);
}

/* The bad state lasts so many frames and no more, and may begin again behind one good one. */
static void test_longest_burst(void **state)
{
	struct impair_way w = { .model = IMPAIR_GEMODEL,
				.chance = { 100 * PERCENT, 0, 100 * PERCENT, 0 },
				.burst_frames_max = 6 };

	(void)state;
	start();
	for (unsigned i = 0; i < 70; i++)
		assert_int_equal(decide(&w, 0), i % 7 ? IMPAIR_LOST : IMPAIR_PASSES);
	w.burst_frames_max = 0;
	start();
	for (unsigned i = 0; i < 70; i++)
		assert_int_equal(decide(&w, 0), i ? IMPAIR_LOST : IMPAIR_PASSES);
}

static void test_state(void **state)
{
	struct impair_way w = { .model = IMPAIR_STATE,
				.chance = { PERCENT, 20 * PERCENT, 0, 100 * PERCENT, 0 } };
	unsigned runs, lost = lost_of(&w, &runs);

	(void)state;
	assert_in_range(lost * 100 / (lost - runs), 450, 550);
	/* Within a burst every lost frame is followed by one that is not. */
	w.chance[IMPAIR_P31] = 0;
	w.chance[IMPAIR_P32] = 100 * PERCENT;
	lost = lost_of(&w, &runs);
	assert_in_range(lost, FRAMES * 45 / 100, FRAMES * 50 / 100);
	assert_int_equal(runs, 0);
	/* Alone: never two. */
	w.chance[IMPAIR_P13] = 0;
	w.chance[IMPAIR_P14] = 10 * PERCENT;
	assert_in_range(lost_of(&w, &runs), FRAMES * 9 / 100, FRAMES * 11 / 100);
}

static void test_aimed(void **state)
{
	struct impair_way w = {
		.drop = { { .n = 3 }, { .n = 10, .every = true }, { .n = 2, .kind = IMPAIR_SYN } }
	};

	(void)state;
	start();
	for (unsigned i = 1; i <= 100; i++) {
		bool syn = i == 41 || i == 52;

		impair_decide(&im, &w, 60, IMPAIR_TCP | (syn ? IMPAIR_SYN : IMPAIR_ACK), 0, &v);
		assert_int_equal(v.fate == IMPAIR_AIMED_AT, i == 3 || i % 10 == 0 || i == 52);
	}
	assert_int_equal(im.counts.aimed, 12);
}

/* The second that came before, and the two like it after it. */
static void test_aimed_at_several(void **state)
{
	struct impair_way w = { .drop = { { .n = 2, .count = 3, .kind = IMPAIR_AGAIN } } };

	(void)state;
	start();
	for (unsigned i = 1; i <= 40; i++) {
		bool again = i % 4 == 0; /* 4, 8, 12, 16, ... */

		impair_decide(&im, &w, 60, IMPAIR_TCP | (again ? IMPAIR_AGAIN : 0), 0, &v);
		assert_int_equal(v.fate == IMPAIR_AIMED_AT, i == 8 || i == 12 || i == 16);
	}
}

/* 12 Mbit/s: 1,500 bytes take a millisecond. */
static void test_rate(void **state)
{
	struct impair_way w = { .rate_bit_s = 12000000, .delay_ns = 5 * MS };

	(void)state;
	start();
	for (int64_t i = 1; i <= 200; i++) {
		decide(&w, 0);
		assert_true(v.at_ns == (i + 5) * MS);
	}
	assert_int_equal(impair_queued(&im, 0), 200);
	assert_int_equal(impair_queued(&im, 150 * MS), 50);
	decide(&w, 1000 * MS); /* it was idle meanwhile */
	assert_true(v.at_ns == 1006 * MS);
}

static void test_limit(void **state)
{
	struct impair_way w = { .rate_bit_s = 12000000, .queue_frames = 3 };
	unsigned passed = 0;

	(void)state;
	start();
	for (unsigned i = 0; i < 10; i++)
		passed += decide(&w, 0) == IMPAIR_PASSES;
	assert_int_equal(passed, 3);
	assert_int_equal(decide(&w, MS), IMPAIR_PASSES); /* one has left */
	assert_int_equal(decide(&w, MS), IMPAIR_QUEUE_FULL);
	assert_int_equal(im.counts.queue_full, 8);
	start();
	w = (struct impair_way){ .rate_bit_s = 12000000, .queue_bytes = 3000 };
	for (passed = 0; decide(&w, 0) == IMPAIR_PASSES;)
		passed++;
	assert_int_equal(passed, 3);
}

static struct impair_trace *trace_of(const uint32_t *at_ms, uint32_t n)
{
	static union {
		struct impair_trace trace;
		char room[4096];
	} u;

	u.trace.n = n;
	memcpy(u.trace.at_ms, at_ms, n * sizeof(*at_ms));
	return &u.trace;
}

static int64_t leaves(const struct impair_way *w, size_t bytes, int64_t now_ns)
{
	impair_decide(&im, w, bytes, IMPAIR_IP, now_ns, &v);
	return v.fate == IMPAIR_PASSES ? v.at_ns : -1;
}

/* Times from the first frame on; what nobody needs is gone; then all begins anew. */
static void test_trace(void **state)
{
	static const uint32_t at_ms[] = { 2, 5, 5, 9 };
	struct impair_way w = { .trace = trace_of(at_ms, 4) };

	(void)state;
	start();
	assert_int_equal(leaves(&w, 1514, 100 * MS), 102 * MS);
	assert_int_equal(leaves(&w, 1514, 100 * MS), 105 * MS);
	assert_int_equal(leaves(&w, 759, 100 * MS), 105 * MS); /* 8 of them with the one before */
	assert_int_equal(leaves(&w, 767, 100 * MS), 105 * MS); /* in the rest of it, just so */
	assert_int_equal(leaves(&w, 1, 100 * MS), 109 * MS);
	assert_int_equal(leaves(&w, 1514, 109 * MS), 109 * MS);
	assert_int_equal(leaves(&w, 1514, 109 * MS + 1), 111 * MS); /* from 109 on: 2, 5, 5, 9 */
	assert_int_equal(leaves(&w, 4554, 115 * MS), 123 * MS);	    /* 118, 120, 123 */
	start();
	assert_int_equal(leaves(&w, 1514, 0), 2 * MS);
	assert_int_equal(leaves(&w, 60, 9000 * MS),
			 9000 * MS); /* the last of the thousandth round */
	assert_int_equal(leaves(&w, 1514, 9000 * MS + 1), 9002 * MS);
}

static void test_trace_limit(void **state)
{
	static const uint32_t at_ms[] = { 10 };
	struct impair_way w = { .trace = trace_of(at_ms, 1), .queue_frames = 2 };

	(void)state;
	start();
	assert_int_equal(leaves(&w, 1514, 0), 10 * MS);
	assert_int_equal(leaves(&w, 1514, 0), 20 * MS);
	assert_int_equal(leaves(&w, 1514, 0), -1);
	assert_int_equal(leaves(&w, 1514, 10 * MS), 30 * MS);
	start();
	w.queue_frames = 0;
	w.queue_bytes = 2000;
	assert_int_equal(leaves(&w, 1500, 0), 10 * MS);
	assert_int_equal(leaves(&w, 501, 0), -1);
	assert_int_equal(leaves(&w, 500, 0), 20 * MS);
	assert_int_equal(im.counts.queue_full, 1);
}

/* The link as it is told: at each opportunity those that wait are served, in order. */
#define TOLD_FRAMES 400
static void tell_link(const struct impair_trace *t, const size_t *bytes, const int64_t *came,
		      int64_t *left)
{
	size_t rest = bytes[0];
	unsigned head = 0;

	for (uint64_t k = 0; head < TOLD_FRAMES; k++) {
		int64_t at_ns = (int64_t)(k / t->n * t->at_ms[t->n - 1] + t->at_ms[k % t->n]) * MS;
		size_t budget = IMPAIR_TRACE_BYTES;

		while (budget && head < TOLD_FRAMES && came[head] <= at_ns) {
			size_t n = rest < budget ? rest : budget;

			budget -= n;
			rest -= n;
			if (rest)
				break;
			left[head++] = at_ns;
			rest = head < TOLD_FRAMES ? bytes[head] : 0;
		}
	}
}

static void test_trace_as_told(void **state)
{
	size_t bytes[TOLD_FRAMES];
	int64_t came[TOLD_FRAMES], left[TOLD_FRAMES];
	uint64_t r = 1;

	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		uint32_t at_ms[40], n = 1 + round % 40;
		struct impair_way w = { 0 };

		for (uint32_t i = 0; i < n; i++) {
			r = r * 6364136223846793005u + 1442695040888963407u;
			at_ms[i] = (i ? at_ms[i - 1] : 0) + (uint32_t)(r >> 40) % 7;
		}
		at_ms[n - 1] += !at_ms[n - 1];
		w.trace = trace_of(at_ms, n);
		assert_true(impair_trace_valid(w.trace));
		for (unsigned i = 0; i < TOLD_FRAMES; i++) {
			r = r * 6364136223846793005u + 1442695040888963407u;
			bytes[i] = 60 + (r >> 33) % 1455;
			came[i] = i ? came[i - 1] + (int64_t)((r >> 20) % 3 ? 0
									    : (r >> 24) % (12 * MS))
				    : 0;
		}
		tell_link(w.trace, bytes, came, left);
		start();
		for (unsigned i = 0; i < TOLD_FRAMES; i++)
			if (leaves(&w, bytes[i], came[i]) != left[i])
				fail_msg("round %u, frame %u of %zu bytes: %ld, not %ld", round, i,
					 bytes[i], (long)v.at_ns, (long)left[i]);
	}
}

static void test_trace_valid(void **state)
{
	(void)state;
	assert_true(impair_trace_valid(trace_of((const uint32_t[]){ 0, 0, 1 }, 3)));
	assert_false(impair_trace_valid(trace_of((const uint32_t[]){ 0, 0 }, 2)));
	assert_false(impair_trace_valid(trace_of((const uint32_t[]){ 3, 2, 4 }, 3)));
	assert_false(impair_trace_valid(trace_of((const uint32_t[]){ 1 }, 0)));
}

/* The second rule has a filter: bytes that begin with 7. */
static void test_filter(void **state)
{
	static union {
		struct impair_filter filter;
		char room[sizeof(struct impair_filter) + 4 * sizeof(struct cbpf_insn)];
	} u = { .filter = { .n = 4 } };
	static const struct cbpf_insn program[] = {
		{ 0x30, 0, 0, 0 }, { 0x15, 0, 1, 7 }, { 0x06, 0, 0, 1 }, { 0x06, 0, 0, 0 }
	};
	struct impair_way w = {
		.drop = { { .n = 1, .kind = IMPAIR_ARP },
			  { .n = 2, .kind = IMPAIR_TCP | IMPAIR_MATCH << 1, .filter = &u.filter } }
	};
	const uint8_t seven = 7, eight = 8;

	(void)state;
	memcpy(u.filter.insn, program, sizeof(program));
	start();
	assert_int_equal(impair_match(&w, &seven, 1), IMPAIR_MATCH << 1);
	assert_int_equal(impair_match(&w, &eight, 1), 0);
	assert_int_equal(impair_match(&w, &seven, 0), 0);
	for (unsigned i = 1; i <= 12; i++) { /* every third is a TCP segment that begins with 7 */
		unsigned kind = i % 3 ? (i % 2 ? IMPAIR_TCP : IMPAIR_UDP) : IMPAIR_TCP;

		kind |= impair_match(&w, i % 3 ? &eight : &seven, 1);
		impair_decide(&im, &w, 60, kind, 0, &v);
		assert_int_equal(v.fate == IMPAIR_AIMED_AT, i == 6);
	}
}

/* ATM: 1,500 and 18 bytes are 32 cells of 48, on the wire 53 bytes each. */
static void test_cells(void **state)
{
	struct impair_way w = { .rate_bit_s = 8000000,
				.overhead_bytes = 18,
				.cell_bytes = 48,
				.cell_overhead_bytes = 5 };

	(void)state;
	start();
	decide(&w, 0);
	assert_int_equal(v.at_ns, 32 * 53 * 1000);
}

static void test_jitter(void **state)
{
	struct impair_way w = {
		.delay_ns = 20 * MS, .jitter_ns = 5 * MS, .spread = IMPAIR_UNIFORM, .overtake = true
	};
	int64_t sum = 0, last = 0;
	unsigned early = 0, back = 0, beyond = 0;

	(void)state;
	start();
	for (int64_t i = 0; i < FRAMES; i++) {
		decide(&w, i);
		assert_true(v.at_ns >= i + 15 * MS && v.at_ns <= i + 25 * MS);
		sum += v.at_ns - i - 20 * MS;
		early += v.at_ns < i + 20 * MS;
		back += v.at_ns < last;
		last = v.at_ns;
	}
	assert_in_range(early, 49000, 51000);
	assert_in_range(back, 49000, 51000);
	assert_true(llabs(sum / FRAMES) < MS / 10);
	w.overtake = false;
	start();
	for (int64_t i = last = 0; i < 1000; i++) {
		decide(&w, i);
		assert_true(v.at_ns >= last);
		last = v.at_ns;
	}
	w.spread = IMPAIR_NORMAL;
	w.overtake = true;
	start();
	for (int64_t i = 0; i < FRAMES; i++) {
		decide(&w, 0);
		beyond += llabs(v.at_ns - 20 * MS) > 5 * MS;
	}
	assert_in_range(beyond, 31000, 32500); /* 31.7 % lie beyond one sigma */
}

/* Correlated: as often as said the last delay holds again. */
static void test_jitter_correlation(void **state)
{
	struct impair_way w = { .delay_ns = 20 * MS,
				.jitter_ns = 5 * MS,
				.jitter_corr = 75 * PERCENT,
				.spread = IMPAIR_UNIFORM,
				.overtake = true };
	unsigned same = 0;
	int64_t last = 0;

	(void)state;
	start();
	for (unsigned i = 0; i < FRAMES; i++) {
		decide(&w, 0);
		same += v.at_ns == last;
		last = v.at_ns;
	}
	assert_in_range(same, 74000, 76000);
}

static void test_reorder(void **state)
{
	struct impair_way w = { .delay_ns = 20 * MS, .reorder = 25 * PERCENT };
	unsigned at_once = 0;

	(void)state;
	start();
	for (unsigned i = 0; i < FRAMES; i++) {
		decide(&w, 5);
		assert_true(v.at_ns == (v.reordered ? 5 : 5 + 20 * MS));
		at_once += v.reordered;
	}
	assert_in_range(at_once, 24500, 25500);
	w.reorder_gap = 5;
	w.reorder = 100 * PERCENT;
	w.reorder_ns = 3 * MS;
	start();
	for (unsigned i = 1; i <= 100; i++) {
		decide(&w, 0);
		assert_int_equal(v.reordered, i % 5 == 0);
		assert_int_equal(v.at_ns, (v.reordered ? 23 : 20) * MS);
	}
	assert_int_equal(im.counts.reordered, 20);
}

static void test_duplicate_damage(void **state)
{
	struct impair_way w = { .duplicate = 2 * PERCENT, .corrupt = PERCENT };

	(void)state;
	start();
	for (unsigned i = 0; i < FRAMES; i++)
		decide(&w, 0);
	assert_in_range(im.counts.duplicated, 1850, 2150);
	assert_in_range(im.counts.damaged, 900, 1100);
}

static void test_damage(void **state)
{
	uint8_t bytes[40], before[40] = { 0 };
	unsigned first = 0, last = 0;

	(void)state;
	start();
	for (unsigned n = 0; n < 10000; n++) {
		memcpy(bytes, before, sizeof(bytes));
		impair_damage(&im, bytes, sizeof(bytes));
		assert_memory_not_equal(bytes, before, sizeof(bytes));
		first += bytes[0] != 0;
		last += bytes[38] != 0;
		assert_int_equal(bytes[39], 0);
	}
	assert_true(first && last);
	impair_damage(&im, bytes, 3); /* nothing happens */
}

static void test_marks(void **state)
{
	struct impair_way w = { .loss = 50 * PERCENT, .ecn = true };

	(void)state;
	start();
	for (unsigned i = 0; i < 1000; i++) {
		impair_decide(&im, &w, 60, IMPAIR_IP | IMPAIR_ECT, 0, &v);
		assert_int_equal(v.fate, IMPAIR_PASSES);
	}
	assert_in_range(im.counts.marked, 430, 570);
	assert_int_equal(im.counts.lost, 0);
	for (unsigned i = 0; i < 1000; i++)
		assert_false(decide(&w, 0) == IMPAIR_PASSES && v.mark);
	assert_in_range(im.counts.lost, 430, 570);
}

/* Another delay, another time, another rate: the same frames are lost. */
static void test_fate_depends_on_seed_and_number(void **state)
{
	struct impair_way w = { .loss = 5 * PERCENT };
	struct impair_way other = { .loss = 5 * PERCENT,
				    .delay_ns = MS,
				    .jitter_ns = MS,
				    .duplicate = 10 * PERCENT,
				    .rate_bit_s = 1000000000 };
	bool lost[1000];
	unsigned same = 0;

	(void)state;
	start();
	for (unsigned i = 0; i < ARRAY_LEN(lost); i++)
		lost[i] = decide(&w, 0) == IMPAIR_LOST;
	start();
	for (unsigned i = 0; i < ARRAY_LEN(lost); i++)
		assert_int_equal(decide(&other, i * MS) == IMPAIR_LOST, lost[i]);
	impair_fini(&im);
	impair_init(&im, 8);
	for (unsigned i = 0; i < ARRAY_LEN(lost); i++)
		same += lost[i] && decide(&w, 0) == IMPAIR_LOST;
	assert_in_range(same, 0, 10);
}

static void test_down(void **state)
{
	(void)state;
	start();
	assert_int_equal(decide(&(struct impair_way){ .down = true, .ecn = true }, 0), IMPAIR_LOST);
	impair_fini(&im);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_random_loss),
		cmocka_unit_test(test_gemodel),
		cmocka_unit_test(test_longest_burst),
		cmocka_unit_test(test_state),
		cmocka_unit_test(test_aimed),
		cmocka_unit_test(test_aimed_at_several),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_trace),
		cmocka_unit_test(test_trace_limit),
		cmocka_unit_test(test_trace_as_told),
		cmocka_unit_test(test_trace_valid),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_cells),
		cmocka_unit_test(test_jitter),
		cmocka_unit_test(test_jitter_correlation),
		cmocka_unit_test(test_reorder),
		cmocka_unit_test(test_duplicate_damage),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_fate_depends_on_seed_and_number),
		cmocka_unit_test(test_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
