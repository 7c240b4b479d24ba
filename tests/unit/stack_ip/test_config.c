/* SPDX-License-Identifier: MIT */
/*
 * Devices, addresses, routes: what is taken, what is refused, and that a refusal changes nothing.
 */
#include "../frames.h"

static struct host h;
static struct frame f;

static int setup(void **state)
{
	(void)state;
	host_new(&h, 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	while (host_out(&h, &f))
		;
	host_free(&h);
	return 0;
}

static unsigned count_routes(void)
{
	struct glass_route_info r;
	unsigned n = 0;

	while (glass_route_at(h.g, n, &r))
		n++;
	return n;
}

static unsigned count_addresses(void)
{
	struct glass_addr_info a;
	unsigned n = 0;

	while (glass_addr_at(h.g, n, &a))
		n++;
	return n;
}

static void test_devices(void **state)
{
	const struct glass_dev_setup good = { .name = "tun0",
					      .link = GLASS_RAW_IP,
					      .mtu_bytes = 1500 };
	struct glass_dev_setup s;
	struct glass_dev_info info;

	(void)state;
	assert_true(glass_dev_at(h.g, 0, &info));
	assert_string_equal(info.setup.name, "lo");
	assert_int_equal(info.setup.mtu_bytes, 65535);
	assert_true(info.up);
	s = good;
	s.name[0] = '\0';
	assert_int_equal(glass_dev_add(h.g, &s), -EINVAL);
	memset(s.name, 'x', sizeof(s.name)); /* does not end */
	assert_int_equal(glass_dev_add(h.g, &s), -EINVAL);
	s = good;
	strcpy(s.name, "tap0"); /* there is one */
	assert_int_equal(glass_dev_add(h.g, &s), -EINVAL);
	s = good;
	s.mtu_bytes = 67;
	assert_int_equal(glass_dev_add(h.g, &s), -EINVAL);
	s.mtu_bytes = 65536;
	assert_int_equal(glass_dev_add(h.g, &s), -EINVAL);
	s = good;
	s.link = GLASS_ETHERNET; /* without an address of its own */
	assert_int_equal(glass_dev_add(h.g, &s), -EINVAL);
	memcpy(s.mac, all_mac, 6);
	assert_int_equal(glass_dev_add(h.g, &s), -EINVAL);
	s = good;
	for (int i = 2; i < 16; i++) {
		snprintf(s.name, sizeof(s.name), "tun%d", i);
		assert_int_equal(glass_dev_add(h.g, &s), i);
	}
	strcpy(s.name, "more");
	assert_int_equal(glass_dev_add(h.g, &s), -ENOSPC);
	assert_true(glass_dev_at(h.g, 15, &info));
	assert_false(glass_dev_at(h.g, 16, &info));
	assert_false(glass_dev_at(h.g, UINT32_MAX, &info));
}

static void test_mtu_and_up(void **state)
{
	struct glass_dev_info info;

	(void)state;
	assert_int_equal(glass_dev_set_mtu(h.g, 1, 9000), 0);
	assert_int_equal(glass_dev_set_mtu(h.g, 1, 67), -EINVAL);
	assert_int_equal(glass_dev_set_mtu(h.g, 1, 65536), -EINVAL);
	assert_int_equal(glass_dev_set_mtu(h.g, 2, 1500), -EINVAL);
	assert_int_equal(glass_dev_set_up(h.g, 2, true), -EINVAL);
	assert_true(glass_dev_at(h.g, 1, &info));
	assert_int_equal(info.setup.mtu_bytes, 9000);
}

static void test_addresses(void **state)
{
	struct glass_addr_info a;

	(void)state;
	assert_int_equal(count_addresses(), 2);
	assert_int_equal(glass_addr_add(h.g, 1, glass_ip4(10, 0, 0, 4), 24), -EEXIST);
	assert_int_equal(glass_addr_add(h.g, 2, glass_ip4(10, 0, 0, 7), 24), -EINVAL);
	assert_int_equal(glass_addr_add(h.g, 1, glass_ip4(10, 0, 0, 7), 33), -EINVAL);
	assert_int_equal(glass_addr_add(h.g, 1, glass_ip4(10, 0, 0, 7), 0), -EINVAL);
	assert_int_equal(glass_addr_add(h.g, 1, (struct glass_addr){ .family = GLASS_IP6 }, 64),
			 -EINVAL);
	assert_int_equal(glass_addr_add(h.g, 1, glass_ip4(0, 0, 0, 7), 24), -EINVAL);
	assert_int_equal(glass_addr_add(h.g, 1, glass_ip4(127, 0, 0, 2), 8), -EINVAL);
	assert_int_equal(glass_addr_add(h.g, 0, glass_ip4(10, 7, 0, 2), 8), -EINVAL);
	assert_int_equal(glass_addr_add(h.g, 1, glass_ip4(224, 0, 0, 2), 24), -EINVAL);
	assert_int_equal(glass_addr_add(h.g, 1, glass_ip4(255, 255, 255, 255), 32), -EINVAL);
	assert_int_equal(count_addresses(), 2);
	for (unsigned i = 2; i < 32; i++)
		assert_int_equal(glass_addr_add(h.g, 1, glass_ip4(10, 0, 0, 100 + i), 24), 0);
	assert_int_equal(glass_addr_add(h.g, 1, glass_ip4(10, 0, 0, 200), 24), -ENOSPC);
	assert_int_equal(count_addresses(), 32);
	assert_true(glass_addr_at(h.g, 1, &a));
	assert_int_equal(a.dev, 1);
	assert_int_equal(a.prefix_bits, 24);
	assert_memory_equal(a.addr.byte, "\12\0\0\4", 4);
	assert_int_equal(glass_addr_del(h.g, 1, glass_ip4(10, 0, 0, 9)), -EADDRNOTAVAIL);
	assert_int_equal(glass_addr_del(h.g, 0, glass_ip4(10, 0, 0, 4)), -EADDRNOTAVAIL);
}

/* The connected route comes with the first address of a network and goes with the last. */
static void test_connected_routes(void **state)
{
	struct glass_route_info r;
	unsigned before = count_routes();

	(void)state;
	assert_int_equal(glass_addr_add(h.g, 1, glass_ip4(172, 16, 0, 4), 16), 0);
	assert_int_equal(glass_addr_add(h.g, 1, glass_ip4(172, 16, 0, 5), 16), 0);
	assert_int_equal(count_routes(), before + 1);
	for (unsigned i = 0; glass_route_at(h.g, i, &r); i++) {
		if (r.dst.byte[0] != 172)
			continue;
		assert_int_equal(r.prefix_bits, 16);
		assert_int_equal(r.via.family, GLASS_UNSPEC);
		assert_memory_equal(r.src.byte, "\254\20\0\4", 4);
	}
	assert_int_equal(glass_addr_del(h.g, 1, glass_ip4(172, 16, 0, 4)), 0);
	assert_int_equal(count_routes(), before + 1);
	assert_int_equal(glass_addr_del(h.g, 1, glass_ip4(172, 16, 0, 5)), 0);
	assert_int_equal(count_routes(), before);
	assert_int_equal(glass_addr_add(h.g, 1, glass_ip4(172, 16, 0, 4), 32),
			 0); /* of a network of one there is none */
	assert_int_equal(count_routes(), before);
}

static void test_routes(void **state)
{
	const struct glass_addr none = { 0 }, gateway = glass_ip4(10, 0, 0, 1),
				net = glass_ip4(192, 0, 2, 0);
	struct glass_route_info r;
	unsigned before = count_routes();

	(void)state;
	assert_int_equal(glass_route_add(h.g, glass_ip4(192, 0, 2, 1), 24, none, 1),
			 -EINVAL); /* bits of a host */
	assert_int_equal(glass_route_add(h.g, net, 33, none, 1), -EINVAL);
	assert_int_equal(glass_route_add(h.g, net, 24, none, 2), -EINVAL);
	assert_int_equal(glass_route_add(h.g, net, 24, glass_ip4(172, 16, 0, 1), 1),
			 -EINVAL); /* out of reach */
	assert_int_equal(glass_route_add(h.g, net, 24, glass_ip4(10, 0, 0, 4), 1),
			 -EINVAL); /* ourselves */
	assert_int_equal(glass_route_add(h.g, glass_ip4(0, 0, 0, 0), 0, gateway, 1), -EEXIST);
	assert_int_equal(count_routes(), before);
	assert_int_equal(glass_route_del(h.g, net, 24), -ESRCH);
	for (unsigned i = before; i < 256; i++)
		assert_int_equal(glass_route_add(h.g, glass_ip4(20, i, 0, 0), 16, gateway, 1), 0);
	assert_int_equal(glass_route_add(h.g, net, 24, gateway, 1), -ENOSPC);
	assert_int_equal(glass_addr_add(h.g, 1, glass_ip4(172, 16, 0, 4), 16), -ENOSPC);
	assert_int_equal(count_addresses(), 2);
	for (unsigned i = 0, bits = 32; glass_route_at(h.g, i, &r); i++) {
		assert_true(r.prefix_bits <= bits); /* the longest first */
		bits = r.prefix_bits;
	}
	for (unsigned i = before; i < 256; i++)
		assert_int_equal(glass_route_del(h.g, glass_ip4(20, i, 0, 0), 16), 0);
	assert_int_equal(count_routes(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_devices, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mtu_and_up, setup, teardown),
		cmocka_unit_test_setup_teardown(test_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_connected_routes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_routes, setup, teardown),
	};

	return cmocka_run_group_tests_name("stack/config", tests, NULL, NULL);
}
