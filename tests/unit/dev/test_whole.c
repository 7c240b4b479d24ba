/* SPDX-License-Identifier: MIT */
/* Whole records to a descriptor: that a slow reader never sees a part of one. */
#include "../base/unit.h"

#include "../../../src/dev/dev_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_BYTES 2900
#define RECORDS 12000 /* twice what is kept */

static void test_file(void **state)
{
	const struct glass_iov iov[] = { { "ab", 2 }, { "cde", 3 } };
	struct whole_writer w = { 0 };
	char got[11];
	FILE *f = tmpfile();

	(void)state;
	w.fd = fileno(f);
	assert_int_equal(whole_write(&w, iov, 2), 0);
	assert_int_equal(whole_write(&w, iov, 2), 0);
	assert_int_equal(whole_end(&w), 0);
	assert_int_equal(w.written, 2);
	assert_int_equal(pread(w.fd, got, sizeof(got), 0), 10);
	assert_memory_equal(got, "abcdeabcde", 10);
	fclose(f);
}

static void check_records(const uint8_t *bytes, size_t size, uint64_t *records)
{
	uint32_t number, last = 0;

	assert_int_equal(size % RECORD_BYTES, 0);
	for (size_t at = 0; at < size; at += RECORD_BYTES, ++*records) {
		memcpy(&number, bytes + at, sizeof(number));
		assert_true(number > last || !at);
		last = number;
		for (size_t i = sizeof(number); i < RECORD_BYTES; i++)
			if (bytes[at + i] != (uint8_t)number)
				fail_msg("record %u is damaged at %zu", number, i);
	}
}

/* A pipe that nobody reads: what it does not take is kept, then whole records are left out. */
static void test_slow_reader(void **state)
{
	static uint8_t record[RECORD_BYTES];
	uint8_t *file = malloc((size_t)RECORDS * RECORD_BYTES);
	const struct glass_iov iov[] = { { record, 1000 }, { record + 1000, RECORD_BYTES - 1000 } };
	struct whole_writer w = { 0 };
	size_t size = 0;
	uint64_t records = 0;
	int ends[2], rc = 0;
	ssize_t n;

	(void)state;
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	w.fd = ends[1];
	for (uint32_t i = 0; i < RECORDS; i++) {
		memset(record, (int)(i & 0xff), sizeof(record));
		memcpy(record, &i, sizeof(i));
		rc = whole_write(&w, iov, 2);
		assert_true(rc == 0 || rc == -EAGAIN);
		if (i % 1000 == 999) /* a little room again */
			size += (size_t)read(ends[0], file + size, 10000);
	}
	assert_int_equal(rc, -EAGAIN);
	assert_true(w.length <= WHOLE_KEPT_MAX);
	while ((n = read(ends[0], file + size, 65536)) > 0) {
		size += (size_t)n;
		rc = whole_flush(&w);
	}
	assert_int_equal(rc, 0);
	assert_int_equal(whole_end(&w), 0);
	check_records(file, size, &records);
	assert_int_equal(records, w.written);
	assert_int_equal(w.written + w.lost, RECORDS);
	assert_true(w.lost > 1000 && w.written > WHOLE_KEPT_MAX / RECORD_BYTES);
	free(file);
	close(ends[0]);
	close(ends[1]);
}

static void test_reader_gone(void **state)
{
	const struct glass_iov iov = { "x", 1 };
	struct whole_writer w = { 0 };
	int ends[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	w.fd = ends[1];
	close(ends[0]);
	assert_int_equal(whole_write(&w, &iov, 1), -EPIPE);
	assert_int_equal(whole_end(&w), 0);
	close(ends[1]);
}

static void test_disk_full(void **state)
{
	const struct glass_iov iov = { "x", 1 };
	struct whole_writer w = { .fd = open("/dev/full", O_WRONLY | O_CLOEXEC) };

	(void)state;
	assert_int_equal(whole_write(&w, &iov, 1), -ENOSPC);
	assert_int_equal(w.written + w.lost, 0);
	assert_int_equal(whole_end(&w), 0);
	close(w.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_slow_reader),
		cmocka_unit_test(test_reader_gone),
		cmocka_unit_test(test_disk_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
