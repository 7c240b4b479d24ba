/* SPDX-License-Identifier: MIT */
/* The flight recorder of a stack that goes on elsewhere: which records come along, and as what. */
#include "../frames.h"

#define RECORDS 64

static struct host h;
static struct glass_ring *old; /* the recorder of before */
static size_t old_bytes;

static int setup(void **unused)
{
	(void)unused;
	host_new(&h, 0);
	return 0;
}

static int teardown(void **unused)
{
	(void)unused;
	host_free(&h);
	free(old);
	old = NULL;
	return 0;
}

/* From here on into a new ring; the one of before is left in old. */
static void use(size_t records)
{
	size_t bytes = glass_ring_bytes(records);

	free(old);
	old = h.ring;
	old_bytes = h.log.bytes;
	h.ring = calloc(1, bytes);
	assert_non_null(h.ring);
	assert_int_equal(glass_ring_use(h.g, h.ring, bytes), 0);
	assert_int_equal(glass_reader_open(&h.log, h.ring, bytes), 0);
}

/* Something to write down, n times: a call and its answer. */
static void speak(unsigned n)
{
	struct glass_sock *s = glass_socket(h.g, GLASS_UDP);
	const struct glass_end nobody = { 0 };

	assert_non_null(s);
	while (n--)
		assert_int_equal(glass_connect(h.g, s, &nobody), 0); /* with nobody any more */
	glass_close(h.g, s);
}

static int64_t take(void)
{
	int64_t n = glass_ring_take(h.g, old, old_bytes, glass_ring_layout());

	assert_int_equal(glass_reader_open(&h.log, h.ring, h.log.bytes), 0);
	return n;
}

static struct glass_record record(uint64_t number)
{
	struct glass_record r;

	h.log.next = number;
	assert_true(glass_reader_next(&h.log, &r));
	return r;
}

/* What the event says, and nothing comes after it. */
static void told(uint64_t records, const char *why)
{
	struct glass_record r;

	assert_int_equal(glass_reader_open(&h.log, h.ring, h.log.bytes), 0);
	assert_true(log_last(&h, GLASS_EV_TAKEN_OVER, &r));
	assert_int_equal(r.v[0], records);
	assert_string_equal(glass_reader_word(&h.log, r.v[1]), why);
}

static struct glass_record *old_record(uint64_t number)
{
	char *slots = (char *)old + old->records_at;

	return (struct glass_record *)(void *)slots + (number & (old->record_count - 1));
}

/* The number of the newest answer of a call in the ring of before. */
static uint64_t answer_in_old(void)
{
	for (uint64_t n = old->head; n--;)
		if (old_record(n)->event == GLASS_EV_RESULT)
			return n;
	fail();
	return 0;
}

static char *old_word(uint64_t word)
{
	return (char *)old + old->header_bytes + (word - 1) * old->word_bytes;
}

static void test_all_of_them(void **state)
{
	struct glass_record was, is;
	uint64_t head;

	(void)state;
	speak(3);
	use(4096);
	head = old->head;
	assert_int_equal(take(), head);
	assert_int_equal(h.log.start_ns, T0);
	was = *old_record(answer_in_old());
	is = record(answer_in_old());
	assert_memory_equal(&was, &is, sizeof(was));
	told(head, "whatever it kept");
}

static void test_a_smaller_ring_keeps_the_newest(void **state)
{
	uint64_t head;

	(void)state;
	speak(200);
	use(RECORDS);
	head = old->head;
	take();
	assert_int_equal(((struct glass_ring *)h.ring)->head, head + 1); /* and the event */
	assert_int_equal(h.log.next, head + 1 - (RECORDS - 1));
	assert_int_equal(record(head - 1).event, old_record(head - 1)->event);
}

static void test_a_larger_ring_counts_anew(void **state)
{
	(void)state;
	use(RECORDS);
	speak(200);
	use(4096);
	assert_int_equal(take(), RECORDS - 1);
	assert_int_equal(h.log.next, 0);
	assert_int_equal(record(0).pkt, old_record(old->head + 1)->pkt);
	told(RECORDS - 1, "whatever it kept");
}

/* The program that wrote it had its words in another order, and one that nobody has here. */
static void test_words(void **state)
{
	struct glass_record *r, is;
	uint64_t number;

	(void)state;
	speak(1);
	use(4096);
	number = answer_in_old();
	r = old_record(number);
	memcpy(old_word(1), old_word(r->v[0]), old->word_bytes);
	r->v[0] = 1;
	memcpy(old_word(r->room), "nobody", 7);
	take();
	is = record(number);
	assert_string_equal(glass_reader_word(&h.log, is.v[0]), "connect");
	assert_string_equal(glass_reader_word(&h.log, is.room), "?");
}

static void test_another_layout(void **state)
{
	(void)state;
	speak(1);
	use(4096);
	assert_int_equal(glass_ring_take(h.g, old, old_bytes, glass_ring_layout() + 1), -EINVAL);
	told(0, "it is of another version, which means others by its numbers");
	use(4096);
	old->magic++;
	assert_int_equal(take(), -EINVAL);
	told(0, "it is of another version, which means others by its numbers");
}

static void test_none(void **state)
{
	uint8_t small[64];

	(void)state;
	use(4096);
	assert_int_equal(glass_ring_take(h.g, NULL, 0, 0), -EINVAL);
	told(0, "it had no recorder");
	assert_int_equal(glass_ring_use(h.g, small, sizeof(small)), -EINVAL);
	speak(1);
	assert_int_equal(glass_ring_take(h.g, old, old_bytes, glass_ring_layout()), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all_of_them, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_smaller_ring_keeps_the_newest, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_a_larger_ring_counts_anew, setup, teardown),
		cmocka_unit_test_setup_teardown(test_words, setup, teardown),
		cmocka_unit_test_setup_teardown(test_another_layout, setup, teardown),
		cmocka_unit_test_setup_teardown(test_none, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
