/* SPDX-License-Identifier: MIT */
/*
 * Ethernet: frames that are not for us, not whole, or of a kind that we do not speak (ATTACKS 1,
 * 2).
 */
#include "lone_host.h"

static void test_runts(void **state)
{
	(void)state;
	frame_eth(&f, us_mac, peer_mac, ETH_TYPE_IP4);
	for (size_t n = 0; n < sizeof(struct eth_header); n++) {
		f.n = n;
		assert_drops(&h, &f, ETH_SHORT, n, 14);
	}
	f.n = 14;
	assert_drops(&h, &f, IP_SHORT, 0, 20);
}

static void test_too_long(void **state)
{
	const size_t lengths[] = { 1501, 9000, 65535 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		frame_eth(&f, us_mac, peer_mac, ETH_TYPE_IP4);
		frame_put(&f, lengths[i]);
		assert_drops(&h, &f, ETH_TOO_LONG, lengths[i], 1500);
	}
	frame_eth(&f, us_mac, peer_mac, ETH_TYPE_IP4);
	frame_put(&f, 1500);
	assert_drops(&h, &f, IP_VERSION, 0, 0);
}

static void test_unknown_types(void **state)
{
	const uint16_t types[] = { 0, 0x05dc, 0x0600, 0x8100, 0x86dd, 0x88a8, 0xffff };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		frame_eth(&f, us_mac, peer_mac, types[i]);
		frame_put(&f, 1); /* of a VLAN tag, say */
		assert_drops(&h, &f, ETH_TYPE, types[i], 0);
	}
	assert_silent(&h);
}

static void test_not_for_us(void **state)
{
	(void)state;
	frame_eth(&f, rival_mac, peer_mac, ETH_TYPE_IP4);
	assert_drops(&h, &f, ETH_NOT_FOR_US, mac_value(rival_mac), mac_value(us_mac));
}

static void test_group_as_source(void **state)
{
	const uint8_t group[6] = { 1, 0, 0x5e, 0, 0, 1 };

	(void)state;
	frame_eth(&f, us_mac, all_mac, ETH_TYPE_IP4);
	assert_drops(&h, &f, ETH_SOURCE, mac_value(all_mac), 0);
	frame_eth(&f, us_mac, group, ETH_TYPE_ARP);
	assert_drops(&h, &f, ETH_SOURCE, mac_value(group), 0);
}

static void test_every_drop_is_counted(void **state)
{
	struct glass_dev_info dev;

	(void)state;
	frame_eth(&f, us_mac, peer_mac, 0x86dd);
	for (int i = 0; i < 3; i++)
		host_in(&h, &f);
	assert_int_equal(stat_value(&h, "Drop", "ETH_TYPE"), 3);
	assert_int_equal(stat_value(&h, "Dev", "RxDropped"), 3);
	assert_int_equal(stat_value(&h, "Dev", "RxAccepted"), 0);
	assert_true(glass_dev_at(h.g, h.dev, &dev));
	assert_int_equal(dev.rx_packets, 3);
	assert_int_equal(dev.rx_dropped, 3);
	assert_int_equal(dev.rx_bytes, 3 * 14);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_runts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_long, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown_types, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_for_us, setup, teardown),
		cmocka_unit_test_setup_teardown(test_group_as_source, setup, teardown),
		cmocka_unit_test_setup_teardown(test_every_drop_is_counted, setup, teardown),
	};

	return cmocka_run_group_tests_name("stack/eth", tests, NULL, NULL);
}
