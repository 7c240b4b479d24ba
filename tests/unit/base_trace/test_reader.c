/* SPDX-License-Identifier: MIT */
/* Reading a ring that is being overwritten, and rings that lie. */
#include "unit.h"

#include <errno.h>
#include <pthread.h>

/* Small enough to be overtaken all the time, large enough to read something in between. */
#define TORN_RECORDS 1024
#define TORN_SEEN 5000

static struct unit u;

static int setup(void **state)
{
	(void)state;
	unit_init(&u);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unit_fini(&u);
	return 0;
}

static void write_records(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		EVENT(&u, 0, trace_act(&u.trace), TCP_ACK_WHY, 0);
}

static void test_in_order(void **state)
{
	struct glass_record rec;

	(void)state;
	assert_false(glass_reader_next(&u.reader, &rec));
	write_records(3);
	for (uint32_t i = 1; i <= 3; i++) {
		assert_true(glass_reader_next(&u.reader, &rec));
		assert_int_equal(rec.pkt, i);
	}
	assert_false(glass_reader_next(&u.reader, &rec));
	assert_int_equal(u.reader.lost, 0);
}

/* The slot that the writer is about to fill is not the reader's: count - 1 records can be read. */
static void test_opened_late(void **state)
{
	struct glass_record rec;
	unsigned n = 0;

	(void)state;
	write_records(40);
	assert_int_equal(glass_reader_open(&u.reader, u.ring, u.bytes), 0);
	while (glass_reader_next(&u.reader, &rec))
		assert_int_equal(rec.pkt, 40 - (UNIT_RECORDS - 1) + 1 + n++);
	assert_int_equal(n, UNIT_RECORDS - 1);
	assert_int_equal(u.reader.lost, 0);
}

static void test_lost_are_counted(void **state)
{
	struct glass_record rec;
	unsigned n = 0;

	(void)state;
	write_records(40);
	while (glass_reader_next(&u.reader, &rec))
		n++;
	assert_int_equal(rec.pkt, 40);
	assert_int_equal(n + u.reader.lost, 40);
	assert_true(u.reader.lost > 0);
}

static void open_fails(void)
{
	struct glass_reader r;

	assert_int_equal(glass_reader_open(&r, u.ring, u.bytes), -EINVAL);
	assert_false(glass_reader_next(&r, &(struct glass_record){ 0 }));
}

static void test_no_ring(void **state)
{
	struct glass_reader r;

	(void)state;
	assert_int_equal(glass_reader_open(&r, NULL, 0), -EINVAL);
	assert_int_equal(glass_reader_open(&r, u.ring, sizeof(*u.ring) - 1), -EINVAL);
	assert_int_equal(glass_reader_open(&r, (char *)u.ring + 1, u.bytes - 1), -EINVAL);
	assert_int_equal(glass_reader_open(&r, u.ring, u.bytes - 1), -EINVAL);
}

static void test_lying_header(void **state)
{
	struct glass_ring good = *u.ring;

	(void)state;
	u.ring->magic++;
	open_fails();
	*u.ring = good;
	u.ring->version++;
	open_fails();
	*u.ring = good;
	u.ring->record_count = UNIT_RECORDS * 2;
	open_fails();
	u.ring->record_count = UNIT_RECORDS - 1;
	open_fails();
	u.ring->record_count = 0;
	open_fails();
	u.ring->record_count = 1u << 31;
	open_fails();
	*u.ring = good;
	u.ring->word_count = UINT32_MAX;
	open_fails();
	*u.ring = good;
	u.ring->word_bytes = UINT32_MAX;
	open_fails();
	u.ring->word_bytes = 0;
	open_fails();
	*u.ring = good;
	u.ring->records_at = UINT32_MAX - 7;
	open_fails();
	u.ring->records_at = good.records_at + 4;
	open_fails();
	u.ring->records_at = 0;
	open_fails();
	*u.ring = good;
	u.ring->header_bytes = 0;
	open_fails();
}

/* After open the header may say what it likes: nothing is read outside the ring (ASan watches). */
static void test_header_changes_later(void **state)
{
	struct glass_record rec;

	(void)state;
	write_records(5);
	u.ring->word_count = u.ring->word_bytes = u.ring->record_count = u.ring->records_at =
		UINT32_MAX;
	u.ring->header_bytes = UINT32_MAX;
	while (glass_reader_next(&u.reader, &rec))
		assert_string_not_equal(glass_reader_word(&u.reader, rec.room), "");
	assert_string_equal(glass_reader_word(&u.reader, 1u << 30), "?");
}

static void test_lying_head(void **state)
{
	static const uint64_t heads[] = { UINT64_MAX, UINT64_MAX / 2, 1000, 5, 1, 0 };
	struct glass_record rec;

	(void)state;
	write_records(3);
	for (unsigned i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		u.ring->head = heads[i];
		for (int k = 0; k < 100; k++)
			glass_reader_next(&u.reader, &rec);
	}
}

static void *writer(void *stop)
{
	/* Both halves of a record tell its number, so that a torn one shows. */
	while (!__atomic_load_n((bool *)stop, __ATOMIC_RELAXED)) {
		uint64_t n = u.trace.head;

		trace_write(&u.trace, GLASS_EV_TCP_IN, 0, 0, (uint32_t)n, (uint32_t)n,
			    TRACE_VALUES(n, n, n, n, n), 5);
	}
	return NULL;
}

static void test_no_torn_record(void **state)
{
	struct glass_record rec;
	bool stop = false;
	uint64_t last = 0;
	pthread_t thread;

	(void)state;
	unit_fini(&u);
	unit_init_records(&u, TORN_RECORDS);
	assert_int_equal(pthread_create(&thread, NULL, writer, &stop), 0);
	for (unsigned seen = 0; seen < TORN_SEEN;) {
		if (!glass_reader_next(&u.reader, &rec))
			continue;
		seen++;
		assert_true(rec.v[0] == u.reader.next - 1 && rec.v[4] == rec.v[0]);
		assert_true(rec.pkt == (uint32_t)rec.v[0]);
		assert_true(seen == 1 || rec.v[0] > last);
		last = rec.v[0];
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	assert_true(u.reader.next <= u.ring->head);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_opened_late, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lost_are_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_ring, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lying_header, setup, teardown),
		cmocka_unit_test_setup_teardown(test_header_changes_later, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lying_head, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_torn_record, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
