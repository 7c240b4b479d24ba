/* SPDX-License-Identifier: MIT */
/* Timers: order, moving, stopping, and a thousand of them against a plain sorted search. */
#include "unit.h"

#include "../../../src/base/pkt.h"
#include "../../../src/base/rng.h"
#include "../../../src/base/timer.h"

#define TIMERS 1000

static struct pool pool;
static struct timers ts;

static void never(struct glass *g, struct timer *t)
{
	(void)g;
	(void)t;
}

static int setup(void **state)
{
	(void)state;
	pool_init(&pool, 1 << 20);
	timers_init(&ts, &pool);
	assert_true(timers_reserve(&ts, TIMERS));
	ts.order = UINT32_MAX - 2; /* it wraps soon */
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	timers_release(&ts, TIMERS);
	timers_fini(&ts);
	pool_fini(&pool);
	return 0;
}

static void test_empty(void **state)
{
	(void)state;
	assert_true(timers_next(&ts) == INT64_MAX);
	assert_null(timers_take(&ts, INT64_MAX));
}

static void test_deadline_order(void **state)
{
	struct timer t[3];

	(void)state;
	for (int i = 0; i < 3; i++)
		timer_init(&t[i], never);
	timer_arm(&ts, &t[0], 30);
	timer_arm(&ts, &t[1], 10);
	timer_arm(&ts, &t[2], 20);
	assert_int_equal(timers_next(&ts), 10);
	assert_null(timers_take(&ts, 9));
	assert_ptr_equal(timers_take(&ts, 10), &t[1]);
	assert_false(timer_armed(&t[1]));
	assert_ptr_equal(timers_take(&ts, 100), &t[2]);
	assert_ptr_equal(timers_take(&ts, 100), &t[0]);
	assert_null(timers_take(&ts, 100));
}

static void test_equal_deadlines_fire_in_arming_order(void **state)
{
	struct timer t[100];

	(void)state;
	for (int i = 0; i < 100; i++) {
		timer_init(&t[i], never);
		timer_arm(&ts, &t[i], 5);
	}
	for (int i = 0; i < 100; i++)
		assert_ptr_equal(timers_take(&ts, 5), &t[i]);
}

/*
 * A timer that is moved counts as armed at that moment, whether it moves to a later or an earlier
 * time.
 */
static void test_moved_timers_keep_arming_order(void **state)
{
	struct timer a, b, c;

	(void)state;
	timer_init(&a, never);
	timer_init(&b, never);
	timer_init(&c, never);
	timer_arm(&ts, &a, 10);
	timer_arm(&ts, &c, 30);
	timer_arm(&ts, &a, 20); /* later */
	timer_arm(&ts, &b, 20);
	timer_arm(&ts, &c, 20); /* earlier */
	assert_ptr_equal(timers_take(&ts, 20), &a);
	assert_ptr_equal(timers_take(&ts, 20), &b);
	assert_ptr_equal(timers_take(&ts, 20), &c);
}

static void test_moving(void **state)
{
	struct timer t, u;

	(void)state;
	timer_init(&t, never);
	timer_init(&u, never);
	timer_arm(&ts, &t, 10);
	timer_arm(&ts, &t, 50);
	timer_arm(&ts, &u, 40);
	assert_int_equal(timers_next(&ts), 40);
	assert_null(timers_take(&ts, 39));
	assert_ptr_equal(timers_take(&ts, 60), &u);
	timer_arm(&ts, &t, 45);
	assert_int_equal(timers_next(&ts), 45);
	timer_arm(&ts, &t, 70);
	timer_arm(&ts, &t, 5);
	assert_ptr_equal(timers_take(&ts, 5), &t);
	assert_int_equal(ts.count, 0);
}

static void test_stopping(void **state)
{
	struct timer t, u;

	(void)state;
	timer_init(&t, never);
	timer_init(&u, never);
	timer_stop(&ts, &t); /* was never armed */
	timer_arm(&ts, &t, 10);
	timer_arm(&ts, &u, 20);
	timer_stop(&ts, &t);
	timer_stop(&ts, &t);
	assert_false(timer_armed(&t));
	assert_int_equal(timers_next(&ts), 20);
	timer_arm(&ts, &t, 15);
	assert_ptr_equal(timers_take(&ts, 30), &t);
	assert_ptr_equal(timers_take(&ts, 30), &u);
}

/* What a model (a linear search) would fire next. */
static struct timer *model_next(struct timer *t, const uint64_t *armed_at)
{
	struct timer *best = NULL;

	for (int i = 0; i < TIMERS; i++)
		if (timer_armed(&t[i]) &&
		    (!best || t[i].deadline_ns < best->deadline_ns ||
		     (t[i].deadline_ns == best->deadline_ns && armed_at[i] < armed_at[best - t])))
			best = &t[i];
	return best;
}

static void test_a_thousand_against_a_model(void **state)
{
	static struct timer t[TIMERS];
	static uint64_t armed_at[TIMERS];
	struct rng r;
	int64_t now = 0;
	uint64_t clock = 0;

	(void)state;
	rng_init(&r, (const uint64_t[2]){ 42, 0 });
	for (int i = 0; i < TIMERS; i++)
		timer_init(&t[i], never);
	for (int step = 0; step < 20000; step++) {
		uint32_t i = rng_below(&r, TIMERS), what = rng_below(&r, 10);
		struct timer *want;

		if (what < 7) {
			timer_arm(&ts, &t[i], now + 1 + rng_below(&r, 50));
			armed_at[i] = clock++;
		} else if (what < 8) {
			timer_stop(&ts, &t[i]);
		} else {
			want = model_next(t, armed_at);
			assert_true(timers_next(&ts) == (want ? want->deadline_ns : INT64_MAX));
			now += want ? want->deadline_ns - now : 0;
			assert_ptr_equal(timers_take(&ts, now), want);
		}
	}
	for (int i = 0; i < TIMERS; i++)
		timer_stop(&ts, &t[i]);
	assert_int_equal(ts.count, 0);
}

static void test_reserve_may_fail(void **state)
{
	(void)state;
	pool.fail_countdown = 1;
	assert_false(timers_reserve(&ts, 100000));
	assert_int_equal(ts.reserved, TIMERS);
	pool.fail_countdown = 0;
}

static void arm_without_reserve(void *arg)
{
	struct timers none;
	struct timer t;

	(void)arg;
	timers_init(&none, &pool);
	timer_init(&t, never);
	timer_arm(&none, &t, 1);
}

static void test_arming_without_room_is_a_bug(void **state)
{
	(void)state;
	assert_true(dies(arm_without_reserve, NULL));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_empty),
		T(test_deadline_order),
		T(test_equal_deadlines_fire_in_arming_order),
		T(test_moved_timers_keep_arming_order),
		T(test_moving),
		T(test_stopping),
		T(test_a_thousand_against_a_model),
		T(test_reserve_may_fail),
		T(test_arming_without_room_is_a_bug),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
