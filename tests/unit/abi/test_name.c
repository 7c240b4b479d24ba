/* SPDX-License-Identifier: MIT */
/* The names of the ends: what is written is read back, and nothing else is taken for ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "../../../src/abi/name.h"

static void round_trip(const struct abi_name *n, const char *text)
{
	char bytes[ABI_NAME_MAX];
	struct abi_name back;
	unsigned length = abi_name_write(bytes, n);

	assert_int_equal(length, 1 + strlen(text));
	assert_int_equal(bytes[0], 0);
	assert_memory_equal(bytes + 1, text, strlen(text));
	assert_true(abi_name_read(bytes, length, &back));
	assert_memory_equal(&back, n, sizeof(back));
}

static void test_round_trip(void **state)
{
	struct abi_end local = abi_end_of_ip4(0x0a000004, 40000),
		       remote = abi_end_of_ip4(0x0a000005, 80);

	(void)state;
	round_trip(
		&(struct abi_name){
			.kind = 'p', .token = 0x123456789abcdef, .family = 4, .proto = ABI_TCP },
		"glass p 0123456789abcdef 4 tcp");
	round_trip(&(struct abi_name){ .kind = 'p', .token = ~0ull, .family = 6, .proto = ABI_UDP },
		   "glass p ffffffffffffffff 6 udp");
	round_trip(&(struct abi_name){ .kind = 'p', .token = 2, .family = 4, .proto = ABI_PING },
		   "glass p 0000000000000002 4 icmp");
	round_trip(&(struct abi_name){ .kind = 'r',
				       .token = 1,
				       .local = local,
				       .remote = remote,
				       .tell = 0x107,
				       .ttl = 64,
				       .tos = 0x10,
				       .dev = 1,
				       .spec = 0x0a000004,
				       .drops = 3 },
		   "glass r 0000000000000001 0a000004:9c40 0a000005:0050 0107 40 10 01 0a000004 "
		   "00000003");
	round_trip(&(struct abi_name){ .kind = 'p', .token = 2, .family = 4, .proto = ABI_RAW },
		   "glass p 0000000000000002 4 raw");
	round_trip(&(struct abi_name){ .kind = 'x', .token = 1 }, "glass x 0000000000000001");
	round_trip(&(struct abi_name){ .kind = 'l', .token = 1, .local = local },
		   "glass l 0000000000000001 0a000004:9c40");
	round_trip(&(struct abi_name){ .kind = 'c', .token = 1, .local = local, .remote = remote },
		   "glass c 0000000000000001 0a000004:9c40 0a000005:0050");
	round_trip(&(struct abi_name){ .kind = 'e', .token = 1, .error = 111 },
		   "glass e 0000000000000001 006f");
}

static bool reads(const char *bytes, unsigned length)
{
	struct abi_name n;
	char copy[ABI_NAME_MAX];

	memcpy(copy, bytes, length);
	return abi_name_read(copy, length, &n);
}

static void test_foreign_names(void **state)
{
	static const char good[] = "\0glass c 0000000000000001 0a000004:9c40 0a000005:0050";
	unsigned length = sizeof(good) - 1;
	char bad[sizeof(good) + 1];

	(void)state;
	assert_true(reads(good, length));
	for (unsigned n = 0; n < length; n++) /* every shorter one */
		assert_false(reads(good, n));
	memcpy(bad, good, length);
	bad[length] = '0';
	assert_false(reads(bad, length + 1));
	for (unsigned i = 0; i < length; i++) { /* every byte wrong */
		memcpy(bad, good, length);
		bad[i] = '#';
		assert_false(reads(bad, length));
	}
	assert_false(reads("/run/some.sock", 14));
	assert_false(reads("\0glass x 0000000000000001", 26));
	assert_false(reads("\0glass p 0000000000000001 5 tcp", 32));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_foreign_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
