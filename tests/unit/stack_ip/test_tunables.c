/* SPDX-License-Identifier: MIT */
/* Tunables keep their ranges, and every counter has a row. */
#include "lone_host.h"

static void test_every_row(void **state)
{
	struct glass_tunable t;
	int64_t value;
	unsigned n = 0;

	(void)state;
	for (; glass_tunable_at(h.g, n, &t); n++) {
		assert_true(t.value_min <= t.value_default && t.value_default <= t.value_max);
		assert_int_equal(t.value, t.value_default);
		assert_true(*t.unit && *t.doc);
		assert_int_equal(glass_tunable_set(h.g, t.name, t.value_min - 1), -ERANGE);
		assert_int_equal(glass_tunable_set(h.g, t.name, t.value_max + 1), -ERANGE);
		assert_int_equal(glass_tunable_get(h.g, t.name, &value), 0);
		assert_int_equal(value, t.value_default);
	}
	assert_true(n > 30);
	assert_false(glass_tunable_at(h.g, n, &t));
	assert_true(glass_tunable_at(h.g, 0, NULL));
	for (unsigned i = 0; glass_tunable_at(h.g, i, &t); i++) {
		if (strncmp(t.name, "ip_port", 7)) {
			assert_int_equal(glass_tunable_set(h.g, t.name, t.value_max), 0);
			assert_int_equal(glass_tunable_set(h.g, t.name, t.value_min), 0);
			glass_tunable_get(h.g, t.name, &value);
			assert_int_equal(value, t.value_min);
		}
	}
}

static void test_unknown_name(void **state)
{
	int64_t value = 5;

	(void)state;
	assert_int_equal(glass_tunable_set(h.g, "no_such", 1), -ENOENT);
	assert_int_equal(glass_tunable_get(h.g, "no_such", &value), -ENOENT);
	assert_int_equal(glass_tunable_set(h.g, "", 1), -ENOENT);
	assert_int_equal(value, 5);
}

static void test_ports_keep_their_order(void **state)
{
	int64_t value;

	(void)state;
	assert_int_equal(glass_tunable_set(h.g, "ip_port_first", 61000), -ERANGE);
	assert_int_equal(glass_tunable_set(h.g, "ip_port_last", 32767), -ERANGE);
	glass_tunable_get(h.g, "ip_port_first", &value);
	assert_int_equal(value, 32768);
	assert_int_equal(glass_tunable_set(h.g, "ip_port_last", 32768), 0);
}

/* Less memory than is in use: nothing more is given out, and what is there stays. */
static void test_memory_limit_below_use(void **state)
{
	struct glass_sock *s = udp_socket(&h, 0, 7);
	struct pkt *held[64];
	unsigned n = 0;

	(void)state;
	for (; n < 30; n++)
		assert_non_null(held[n] = glass_pkt_new(h.g, 65550));
	assert_int_equal(glass_tunable_set(h.g, "mem_max_mb", 1), 0);
	assert_null(glass_pkt_new(h.g, 65550));
	assert_null(glass_socket(h.g, GLASS_UDP));
	assert_int_equal(send_udp(&h, s, PEER, 9, "x", 1), -ENOBUFS);
	while (n)
		glass_pkt_free(h.g, held[--n]);
	assert_non_null(held[0] = glass_pkt_new(h.g, 65550));
	glass_pkt_free(h.g, held[0]);
	glass_close(h.g, s);
}

static void test_counters(void **state)
{
	struct glass_stat st;
	unsigned n = 0, drops = 0;

	(void)state;
	for (; glass_stat_at(h.g, n, &st); n++) {
		assert_true(*st.group && *st.name && *st.doc);
		drops += !strcmp(st.group, "Drop");
	}
	assert_int_equal(drops, DROP_COUNT - 1);
	assert_int_equal(n, STAT_COUNT + drops);
	assert_true(glass_stat_at(h.g, STAT_COUNT, &st));
	assert_string_equal(st.name, "DEV_TX_FAILED"); /* reasons are numbered from 1 */
	assert_true(glass_stat_at(h.g, n - 1, &st));
	assert_string_equal(st.name, glass_drop_desc(DROP_COUNT - 1)->name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_row, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown_name, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ports_keep_their_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_memory_limit_below_use, setup, teardown),
		cmocka_unit_test_setup_teardown(test_counters, setup, teardown),
	};

	return cmocka_run_group_tests_name("stack/tunables", tests, NULL, NULL);
}
