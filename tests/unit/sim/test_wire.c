/* SPDX-License-Identifier: MIT */
/* What the wire does to frames: how many it loses, how late they are, and that damage can always be
 * seen. */
#include "../base/unit.h"

#include "../../../src/sim/inside.h"
#include "../../dialogue/seg.h"

#define FRAMES 10000
#define MS 1000000ll

static uint8_t frame[SEG_FRAME_MAX];
static size_t frame_len;
static uint8_t payload[1000];

/* A wire without stacks: frames go in at side 0 and wait in the queue. */
static struct sim wire(const struct impair_way *way)
{
	struct sim s = { .now_ns = 0 };
	struct seg seg = { .kind = SEG_TCP,
			   .src = 1,
			   .dst = 2,
			   .flags = ACK,
			   .data = payload,
			   .len = sizeof(payload) };

	impair_init(&s.side[0].wire, 5);
	s.side[0].way = *way;
	frame_len = seg_build(frame, &seg);
	return s;
}

static void send(struct sim *s)
{
	struct glass_frame f = { .niov = 2, .length = frame_len };

	f.iov[0] = (struct glass_iov){ frame, 20 };
	f.iov[1] = (struct glass_iov){ frame + 20, frame_len - 20 };
	sim_transmit(s, 0, &f);
}

static void drain(struct sim *s)
{
	while (s->count)
		free(sim_pop(s));
	free(s->heap);
	impair_fini(&s->side[0].wire);
}

static void test_chances(void **state)
{
	struct sim s = wire(&(struct impair_way){
		.loss = 100000, .duplicate = 200000, .reorder = 50000, .reorder_ns = MS });
	const struct impair_counts *n = &s.side[0].wire.counts;

	(void)state;
	for (unsigned i = 0; i < FRAMES; i++)
		send(&s);
	assert_int_equal(n->frames, FRAMES);
	assert_in_range(n->lost, 850, 1150);
	assert_in_range(n->duplicated, 1600, 2000);
	assert_in_range(n->reordered, 380, 520);
	assert_int_equal(s.count, FRAMES - n->lost + n->duplicated);
	drain(&s);
}

/* 1,000,000 bit/s: a frame of 1,054 bytes takes 8.432 ms; the queue takes three. */
static void test_rate_and_queue(void **state)
{
	struct sim s = wire(
		&(struct impair_way){ .delay_ns = MS, .rate_bit_s = 1000000, .queue_bytes = 2500 });

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		send(&s);
	assert_int_equal(s.side[0].wire.counts.queue_full, 7);
	for (unsigned i = 1; i <= 3; i++) {
		struct sim_item *item = sim_pop(&s);

		assert_true(item->time_ns == (int64_t)(i * frame_len * 8000) + MS);
		assert_int_equal(item->to, 1);
		assert_int_equal(item->length, frame_len);
		assert_memory_equal(item->bytes, frame, frame_len);
		free(item);
	}
	drain(&s);
}

/* A super-packet takes the time of its segments, each with headers of its own. */
static void test_rate_of_a_super_packet(void **state)
{
	struct sim s = wire(&(struct impair_way){ .rate_bit_s = 1000000 });
	const unsigned headers = (unsigned)(frame_len - sizeof(payload)), mss = 300;
	struct glass_frame f = { .niov = 1, .length = frame_len };
	struct sim_item *item;

	(void)state;
	s.side[1].offload = GLASS_OFFLOAD_CSUM | GLASS_OFFLOAD_TSO;
	f.iov[0] = (struct glass_iov){ frame, frame_len };
	f.off = (struct glass_offload){ .gso_size = mss, .hdr_len = (uint16_t)headers };
	sim_transmit(&s, 0, &f);
	assert_int_equal(s.count, 1);
	item = sim_pop(&s);
	assert_int_equal(item->length, frame_len);
	assert_true(item->time_ns == (int64_t)(sizeof(payload) + 4 * headers) * 8000);
	free(item);
	drain(&s);
}

static void test_jitter_keeps_the_order(void **state)
{
	struct sim s = wire(&(struct impair_way){ .delay_ns = MS, .jitter_ns = 5 * MS });
	uint64_t order = 0;
	int64_t latest = 0;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		s.now_ns = i * 1000;
		send(&s);
	}
	while (s.count) {
		struct sim_item *item = sim_pop(&s);

		assert_true(item->order >= order);
		order = item->order;
		latest = item->time_ns;
		free(item);
	}
	assert_in_range(latest, 5 * MS, 7 * MS);
	drain(&s);
}

/* Every damage of an IP packet shows in a checksum or a length. */
static void test_damage_can_be_seen(void **state)
{
	struct sim s = wire(&(struct impair_way){ .corrupt = SIM_MILLION });
	struct seg seg;

	(void)state;
	for (unsigned i = 0; i < FRAMES; i++)
		send(&s);
	assert_int_equal(s.side[0].wire.counts.damaged, FRAMES);
	while (s.count) {
		struct sim_item *item = sim_pop(&s);

		assert_memory_not_equal(item->bytes, frame, frame_len);
		assert_non_null(seg_parse(item->bytes, item->length, &seg));
		free(item);
	}
	drain(&s);
}

static unsigned third_is_again(void *arg, unsigned from, const uint8_t *bytes, size_t length)
{
	unsigned *n = arg;

	assert_int_equal(from, 0);
	assert_int_equal(length, frame_len);
	assert_memory_equal(bytes, frame, frame_len);
	return ++*n == 3 ? IMPAIR_AGAIN : 0;
}

/* What headers say and what who looks on adds to it: both can be aimed at. */
static void test_aims(void **state)
{
	struct sim s = wire(&(struct impair_way){
		.drop = { { .n = 5, .kind = IMPAIR_DATA }, { .n = 1, .kind = IMPAIR_AGAIN } } });
	unsigned seen = 0;

	(void)state;
	s.on_wire = third_is_again;
	s.wire_arg = &seen;
	for (unsigned i = 1; i <= 6; i++) {
		size_t before = s.count;

		send(&s);
		assert_int_equal(s.count - before, i != 3 && i != 5);
	}
	assert_int_equal(s.side[0].wire.counts.aimed, 2);
	drain(&s);
}

static void test_down(void **state)
{
	struct sim s = wire(&(struct impair_way){ .down = true });

	(void)state;
	send(&s);
	assert_int_equal(s.count, 0);
	assert_int_equal(s.side[0].wire.counts.lost, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chances),
		cmocka_unit_test(test_rate_and_queue),
		cmocka_unit_test(test_rate_of_a_super_packet),
		cmocka_unit_test(test_jitter_keeps_the_order),
		cmocka_unit_test(test_damage_can_be_seen),
		cmocka_unit_test(test_aims),
		cmocka_unit_test(test_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
