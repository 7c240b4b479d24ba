/* SPDX-License-Identifier: MIT */
/* The wire as a network card: super-packets become segments that a stranger finds well-formed. */
#include "../base/unit.h"

#include "../../../src/base/impair.h"
#include "../../../src/wire/cut.h"
#include "../../dialogue/seg.h"

#define PAYLOAD 10000
#define GSO 1448
#define ETHERNET 14

static uint8_t payload[PAYLOAD], joined[PAYLOAD];

/* What came out of wire_cut. */
struct seen {
	unsigned count;
	size_t bytes;
	uint32_t seq;
	uint16_t id;
	uint8_t first_flags, last_flags, middle_flags;
	size_t longest;
};

static void see(void *arg, uint8_t *frame, size_t length)
{
	struct seen *seen = arg;
	struct seg s;

	assert_null(seg_parse(frame, length, &s)); /* checksums and lengths too */
	assert_int_equal(s.seq, seen->seq + (uint32_t)seen->bytes);
	assert_int_equal(s.ip_id, (uint16_t)(seen->id + seen->count));
	assert_true(s.ts_ok && s.tsval == 77);
	memcpy(joined + seen->bytes, s.data, s.len);
	seen->bytes += s.len;
	if (!seen->count)
		seen->first_flags = s.flags;
	else
		seen->middle_flags |= seen->last_flags;
	seen->last_flags = s.flags;
	seen->count++;
	seen->longest = s.len > seen->longest ? s.len : seen->longest;
}

static size_t build(uint8_t *frame, size_t len)
{
	struct seg s = { .kind = SEG_TCP,
			 .src = 0x0a000004,
			 .dst = 0x0a000005,
			 .sport = 1,
			 .dport = 2,
			 .seq = 0xfffff000,
			 .ip_id = 0xfffe,
			 .flags = FIN | PSH | ACK | CWR,
			 .ts_ok = true,
			 .tsval = 77,
			 .data = payload,
			 .len = len };

	for (unsigned i = 0; i < PAYLOAD; i++)
		payload[i] = (uint8_t)(i * 7 + (i >> 8));
	return seg_build(frame, &s);
}

static void test_cut(void **state)
{
	static uint8_t frame[SEG_FRAME_MAX];
	size_t n = build(frame, PAYLOAD);
	struct glass_offload off = { .csum_partial = true,
				     .csum_start = 34,
				     .csum_offset = 16,
				     .gso_size = GSO,
				     .hdr_len = 66 };
	struct seen seen = { .seq = 0xfffff000, .id = 0xfffe };

	(void)state;
	frame[34 + 16] ^= 0x55; /* the sum in a super-packet is not one of a segment */
	wire_cut(frame, n, ETHERNET, &off, see, &seen);
	assert_int_equal(seen.count, (PAYLOAD + GSO - 1) / GSO);
	assert_int_equal(seen.bytes, PAYLOAD);
	assert_int_equal(seen.longest, GSO);
	assert_memory_equal(joined, payload, PAYLOAD);
	assert_int_equal(seen.first_flags, ACK | CWR);
	assert_int_equal(seen.middle_flags & (FIN | PSH), 0);
	assert_int_equal(seen.last_flags, FIN | PSH | ACK);
}

static void count_one(void *arg, uint8_t *frame, size_t length)
{
	(void)frame;
	*(size_t *)arg += length;
}

static void test_what_is_no_super_packet_stays(void **state)
{
	static uint8_t frame[SEG_FRAME_MAX];
	size_t n = build(frame, 100), seen = 0;

	(void)state;
	wire_cut(frame, n, ETHERNET, &(struct glass_offload){ 0 }, count_one, &seen);
	assert_int_equal(seen, n);
	frame[12] = 0x86; /* another Ethernet type */
	wire_cut(frame, n, ETHERNET, &(struct glass_offload){ .gso_size = 10 }, count_one, &seen);
	assert_int_equal(seen, 2 * n);
}

static void test_partial_checksum_is_completed(void **state)
{
	static uint8_t frame[SEG_FRAME_MAX];
	size_t n = build(frame, 333);
	struct glass_offload off = { .csum_partial = true, .csum_start = 34, .csum_offset = 16 };
	uint32_t pseudo = 2 * 0x0a00 + 4 + 5 + 6 + 32 + 333;
	struct seg s;

	(void)state;
	frame[50] = (uint8_t)(pseudo >> 8);
	frame[51] = (uint8_t)pseudo;
	wire_complete_csum(frame, n, &off);
	assert_null(seg_parse(frame, n, &s));
	assert_false(off.csum_partial);
	off = (struct glass_offload){ .csum_partial = true, .csum_start = 65000 };
	wire_complete_csum(frame, n, &off); /* a lie harms nobody */
	assert_null(seg_parse(frame, n, &s));
}

/* An Ethernet frame has 60 bytes at least: what fills it up is not payload. */
static void test_padding_is_no_payload(void **state)
{
	static uint8_t frame[SEG_FRAME_MAX];
	struct seg s = { .kind = SEG_TCP,
			 .src = 0x0a000004,
			 .dst = 0x0a000005,
			 .sport = 1,
			 .dport = 2,
			 .flags = ACK };
	size_t n = seg_build(frame, &s);

	(void)state;
	assert_true(n < 60);
	assert_int_equal(wire_kind(frame, n, ETHERNET), IMPAIR_IP | IMPAIR_TCP | IMPAIR_ACK);
	assert_int_equal(wire_kind(frame, 60, ETHERNET), IMPAIR_IP | IMPAIR_TCP | IMPAIR_ACK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_what_is_no_super_packet_stays),
		cmocka_unit_test(test_partial_checksum_is_completed),
		cmocka_unit_test(test_padding_is_no_payload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
