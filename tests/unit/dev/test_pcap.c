/* SPDX-License-Identifier: MIT */
/* pcap files: their bytes, and that a slow reader never makes a broken one. */
#include "../base/unit.h"

#include "../../../src/dev/dev_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#define HEADER_BYTES 24
#define RECORD_BYTES 16

static uint32_t le32(const uint8_t *b)
{
	return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

/* Frames of a file, after checking that records follow each other without a gap up to its end. */
static int frames_in(const uint8_t *b, size_t size)
{
	size_t at = HEADER_BYTES;
	int n = 0;

	assert_true(size >= HEADER_BYTES);
	assert_int_equal(le32(b), 0xa1b23c4d);
	for (; at < size; n++) {
		assert_true(size - at >= RECORD_BYTES);
		assert_int_equal(le32(b + at + 8), le32(b + at + 12));
		at += RECORD_BYTES + le32(b + at + 8);
		assert_true(at <= size);
	}
	return n;
}

static void test_file(void **state)
{
	static const uint8_t want[] = {
		0x4d, 0x3c, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,	 0,   4,   0,	1,
		0,    0,    0, /* header */
		2,    0,    0,	  0,	3, 0, 0, 0, 5, 0, 0, 0, 5, 0, 0, 0, 'a', 'b', 'c', 'd', 'e',
	};
	const struct glass_iov iov[] = { { "ab", 2 }, { "cde", 3 } };
	struct pcap_writer w;
	uint8_t got[sizeof(want) + 1];
	FILE *f = tmpfile();

	(void)state;
	assert_int_equal(pcap_start(&w, fileno(f), GLASS_ETHERNET), 0);
	assert_int_equal(pcap_frame(&w, 2000000003, iov, 2), 0);
	assert_int_equal(pcap_stop(&w), 0);
	assert_int_equal(w.written, 1);
	assert_int_equal(pread(fileno(f), got, sizeof(got), 0), sizeof(want));
	assert_memory_equal(got, want, sizeof(want));
	fclose(f);
}

static void test_raw_ip(void **state)
{
	struct pcap_writer w;
	uint8_t got[HEADER_BYTES];
	FILE *f = tmpfile();

	(void)state;
	assert_int_equal(pcap_start(&w, fileno(f), GLASS_RAW_IP), 0);
	assert_int_equal(pread(fileno(f), got, sizeof(got), 0), sizeof(got));
	assert_int_equal(le32(got + 20), 101);
	assert_int_equal(pcap_stop(&w), 0);
	fclose(f);
}

/*
 * A pipe that nobody reads takes a part of a record; the rest follows, and whole records are left
 * out meanwhile.
 */
static void test_slow_reader(void **state)
{
	static uint8_t bytes[3000], file[1 << 20];
	const struct glass_iov iov[] = { { bytes, 1000 }, { bytes, 1900 } };
	struct pcap_writer w;
	size_t size = 0;
	int ends[2], rc = 0;
	ssize_t n;

	(void)state;
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	assert_int_equal(pcap_start(&w, ends[1], GLASS_ETHERNET), 0);
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 40; i++) {
			rc = pcap_frame(&w, i, iov, 2);
			assert_true(rc == 0 || rc == -EAGAIN);
		}
		assert_int_equal(rc, -EAGAIN); /* 65536 bytes do not take 40 frames */
		while ((n = read(ends[0], file + size, 4096)) > 0)
			size += (size_t)n;
	}
	assert_int_equal(pcap_stop(&w), 0); /* the pipe is empty: the rest goes out */
	while ((n = read(ends[0], file + size, sizeof(file) - size)) > 0)
		size += (size_t)n;
	assert_int_equal(frames_in(file, size), w.written);
	assert_int_equal(w.written + w.lost, 200);
	assert_true(w.lost > 50);
	close(ends[0]);
	close(ends[1]);
}

static void test_reader_gone(void **state)
{
	const struct glass_iov iov = { "x", 1 };
	struct pcap_writer w;
	int ends[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	assert_int_equal(pcap_start(&w, ends[1], GLASS_ETHERNET), 0);
	close(ends[0]);
	assert_int_equal(pcap_frame(&w, 0, &iov, 1), -EPIPE);
	assert_int_equal(pcap_stop(&w), 0);
	close(ends[1]);
}

static void test_disk_full(void **state)
{
	struct pcap_writer w;
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(pcap_start(&w, fd, GLASS_ETHERNET), -ENOSPC);
	assert_int_equal(pcap_stop(&w), 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),	    cmocka_unit_test(test_raw_ip),
		cmocka_unit_test(test_slow_reader), cmocka_unit_test(test_reader_gone),
		cmocka_unit_test(test_disk_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
