/* SPDX-License-Identifier: MIT */
/*
 * The cookies of fast open are those that Linux makes with the same key: servers that share a key
 * share clients (RFC 7413 6.3.4). The pairs below are of google/packetdrill's public scripts, which
 * Linux passes.
 */
#include "../../../src/stack/tcp_listen.h"
#include "segments.h"

#include "../stack_ip/lone_host.h"

static void set(const char *text)
{
	uint8_t key[2 * GLASS_FASTOPEN_KEY_BYTES];
	int n = glass_fastopen_key_read(text, key);

	assert_true(n > 0);
	assert_int_equal(glass_fastopen_key_set(h.g, key, (size_t)n), 0);
}

static void check(uint32_t client, uint32_t server, uint64_t want)
{
	uint8_t cookie[TCP_FASTOPEN_KEYED_BYTES];

	tcp_fastopen_make(h.g, NULL, client, server, cookie);
	for (unsigned i = 0; i < sizeof(cookie); i++)
		assert_int_equal(cookie[i], want >> (56 - 8 * i) & 0xff);
}

static void as_linux(void **state)
{
	(void)state;
	set("a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4");
	check(IP(192, 0, 2, 1), IP(192, 168, 0, 1), 0x3021b9d889017eeb);
	set("a0bf63f7-ed803d81-cd641d30-cebc4a90");
	check(IP(10, 248, 0, 2), IP(192, 168, 0, 2), 0x00abaaabe8e954c2);
	check(IP(10, 248, 0, 3), IP(192, 168, 0, 2), 0x1313a2da994a0951);
	check(IP(10, 248, 0, 3), IP(192, 168, 0, 3), 0x76d2c1c530f51f79);
	set("0-00-000-0000");
	check(IP(10, 248, 0, 2), IP(192, 168, 0, 2), 0x93b7aa4f550f8a1a);
}

/* TCP_FASTOPEN_KEY has the same key as bytes. */
static void as_bytes(void **state)
{
	static const uint8_t want[] = "\xf7\x63\xbf\xa0\x81\x3d\x80\xed\x30\x1d\x64\xcd\x90\x4a\xbc"
				      "\xce\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04\0\0";
	uint8_t key[2 * GLASS_FASTOPEN_KEY_BYTES];

	(void)state;
	assert_int_equal(glass_fastopen_key_get(h.g, key), 16); /* by chance: one, and not zero */
	assert_memory_not_equal(key, (uint8_t[16]){ 0 }, 16);
	set("A0BF63F7-ed803d81-cd641d30-cebc4a90,1-2-3-4");
	assert_int_equal(glass_fastopen_key_get(h.g, key), 32);
	assert_memory_equal(key, want, 32);
	for (size_t n = 0; n <= 40; n++)
		assert_int_equal(glass_fastopen_key_set(h.g, want, n),
				 n == 16 || n == 32 ? 0 : -EINVAL);
}

static void as_words(void **state)
{
	static const char *const bad[] = {
		"",	     "1",	  "1-2-3",	     "1-2-3-",
		"-1-2-3-4",  "1-2-3-4-5", "1-2-3-123456789", "1-2-3-g",
		"1 -2-3-4",  "1-2-3-4,",  "1-2-3-4,5",	     "1-2-3-4,5-6-7-8,9",
		"0x1-2-3-4", "1-2-3-4 ",
	};
	uint8_t key[2 * GLASS_FASTOPEN_KEY_BYTES];

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(glass_fastopen_key_read(bad[i], key), -EINVAL);
	assert_int_equal(glass_fastopen_key_read("1-2-3-4", key), 16);
	assert_int_equal(glass_fastopen_key_read("1-2-3-12345678,5-6-7-8", key), 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(as_linux, setup, teardown),
		cmocka_unit_test_setup_teardown(as_bytes, setup, teardown),
		cmocka_unit_test(as_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
