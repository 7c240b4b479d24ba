/* SPDX-License-Identifier: MIT */
/* What a bad network made on purpose does, as the stack counts and records it. */
#include "../frames.h"

static struct host h;
static struct frame f;
static const struct ip_spec plain = { 0 };

static uint64_t value(const char *group, const char *name)
{
	return stat_value(&h, group, name);
}

/* A datagram leaves, and meets its fate. */
static void leaves(enum glass_fate_what what, size_t bytes)
{
	struct glass_fate fate = { .what = what, .bytes = bytes, .delay_ns = 5 * MS };
	struct glass_sock *s = udp_socket(&h, 0, 7);
	struct glass_frame out;

	assert_int_equal(send_udp(&h, s, PEER, 9, "abc", 3), 3);
	assert_true(glass_output(h.g, &out));
	fate.bytes = bytes ? bytes : out.length;
	glass_output_impaired(h.g, &out, &fate);
	glass_close(h.g, s);
}

/* What the device says: frames that have left, and that have not or not whole. */
static void assert_dev(uint64_t left, uint64_t dropped)
{
	struct glass_dev_info dev;

	assert_true(glass_dev_at(h.g, h.dev, &dev));
	assert_int_equal(dev.tx_packets, left);
	assert_int_equal(dev.tx_dropped, dropped);
	assert_int_equal(value("Dev", "TxDropped"), dropped);
}

static void test_lost_on_the_way_out(void **state)
{
	static const struct {
		enum glass_fate_what what;
		int reason;
		const char *name;
	} fates[] = {
		{ GLASS_FATE_LOST, DROP_NET_LOSS, "NET_LOSS" },
		{ GLASS_FATE_AIMED, DROP_NET_AIMED, "NET_AIMED" },
		{ GLASS_FATE_QUEUE_FULL, DROP_NET_QUEUE_FULL, "NET_QUEUE_FULL" },
	};

	struct glass_dev_info dev;

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(fates); i++) {
		host_new(&h, 0);
		peer_introduces(&h);
		assert_true(glass_dev_at(h.g, h.dev, &dev));
		leaves(fates[i].what, 0);
		assert_drop_record(&h, fates[i].reason, 45, 0);
		assert_int_equal(value("Drop", fates[i].name), 1);
		assert_dev(dev.tx_packets, 1);
		leaves(fates[i].what, 10); /* a part of it: the frame has left */
		assert_drop_record(&h, fates[i].reason, 10, 0);
		assert_int_equal(value("Drop", fates[i].name), 2);
		assert_dev(dev.tx_packets + 1, 2);
		host_free(&h);
	}
}

static void test_later_and_twice(void **state)
{
	static const enum glass_fate_what fates[] = { GLASS_FATE_LATER, GLASS_FATE_TWICE,
						      GLASS_FATE_DAMAGED, GLASS_FATE_REORDERED,
						      GLASS_FATE_MARKED };
	struct glass_record r;

	(void)state;
	host_new(&h, 0);
	peer_introduces(&h);
	for (unsigned i = 0; i < ARRAY_LEN(fates); i++) {
		leaves(fates[i], 0);
		assert_true(log_last(&h, GLASS_EV_NET, &r));
		assert_int_equal(r.v[1], 45);
		assert_int_equal(r.v[3], 5 * MS);
	}
	assert_int_equal(value("Dev", "TxDropped"), 0);
	host_free(&h);
}

static void test_lost_on_the_way_in(void **state)
{
	const struct glass_fate fate = { .what = GLASS_FATE_LOST, .bytes = 45 };
	struct pkt *p;
	size_t room;

	(void)state;
	host_new(&h, 0);
	peer_introduces(&h);
	frame_udp(&f, &plain, 9, 7, "abc", 3);
	p = glass_pkt_new(h.g, f.n);
	memcpy(glass_pkt_room(p, &room), f.b, f.n);
	glass_pkt_filled(p, f.n, NULL);
	assert_int_equal(glass_input_impaired(h.g, h.dev, p, h.now, &fate), DROP_NET_LOSS);
	assert_drop_record(&h, DROP_NET_LOSS, 45, 0);
	assert_int_equal(value("Dev", "RxDropped"), 1);
	host_free(&h);
}

static void test_black_hole(void **state)
{
	struct glass_sock *s;
	struct glass_frame out;

	(void)state;
	host_new(&h, 0);
	peer_introduces(&h);
	s = udp_socket(&h, 0, 7);
	assert_int_equal(send_udp(&h, s, PEER, 9, "abc", 3), 3);
	assert_true(glass_output(h.g, &out));
	glass_output_swallowed(h.g, &out, glass_ip4(10, 0, 0, 5));
	assert_drop_record(&h, DROP_BLACKHOLE, PEER, 0);
	assert_int_equal(value("Drop", "BLACKHOLE"), 1);
	glass_close(h.g, s);
	host_free(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lost_on_the_way_out),
		cmocka_unit_test(test_later_and_twice),
		cmocka_unit_test(test_lost_on_the_way_in),
		cmocka_unit_test(test_black_hole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
