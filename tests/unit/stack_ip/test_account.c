/* SPDX-License-Identifier: MIT */
/*
 * The account always comes out even: what came in was accepted or dropped, and the drops by reason
 * are the drops of received and of own packets. Checked after each of many random frames, calls and
 * steps of time.
 */
#include "../frames.h"

#include "../../../src/base/rng.h"

static struct host h;
static struct frame f;
static struct rng rng;

static int setup(void **state)
{
	const uint64_t seed[2] = { 2, 3 };

	(void)state;
	rng_init(&rng, seed);
	host_new(&h, 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	host_free(&h);
	return 0;
}

static void assert_even(void)
{
	uint64_t sum = 0, received = stat_value(&h, "Dev", "RxPackets");
	struct glass_dev_info dev;
	struct glass_stat st;

	for (unsigned i = 0; glass_stat_at(h.g, i, &st); i++) {
		if (!strcmp(st.group, "Drop"))
			sum += st.value;
	}
	assert_int_equal(received,
			 stat_value(&h, "Dev", "RxAccepted") + stat_value(&h, "Dev", "RxDropped"));
	assert_int_equal(sum,
			 stat_value(&h, "Dev", "RxDropped") + stat_value(&h, "Dev", "TxDropped"));
	assert_true(glass_dev_at(h.g, h.dev, &dev));
	assert_in_range(dev.rx_dropped, 0, dev.rx_packets);
}

static void random_datagram(void)
{
	uint8_t payload[64] = { 0 };
	struct ip_spec s = { .id = (uint16_t)rng_below(&rng, 4) };
	uint32_t off = rng_below(&rng, 8);

	s.src = IP(10, 0, 0, 5 + rng_below(&rng, 3));
	if (rng_below(&rng, 2))
		s.frag = (uint16_t)(off | (rng_below(&rng, 2) ? IP4_MORE_FRAGMENTS : 0));
	s.dst = rng_below(&rng, 8) ? US : IP(10, 0, 0, 255);
	frame_udp(&f, &s, 9, (uint16_t)(6 + rng_below(&rng, 3)), payload, 8 * rng_below(&rng, 8));
	if (!rng_below(&rng, 10))
		f.b[14 + rng_below(&rng, (uint32_t)f.n - 14)] ^= 1;
	host_in(&h, &f);
}

static void random_arp(void)
{
	uint32_t who = IP(10, 0, 0, 5 + rng_below(&rng, 4));
	uint16_t op = (uint16_t)(1 + rng_below(&rng, 2));

	frame_arp(&f, us_mac, op, rng_below(&rng, 4) ? peer_mac : rival_mac, who, us_mac, US);
	host_in(&h, &f);
}

static void random_call(struct glass_sock *s)
{
	static uint8_t payload[4000];
	uint32_t to = rng_below(&rng, 3) ? IP(10, 0, 0, 5 + rng_below(&rng, 4)) : US;

	send_udp(&h, s, to, (uint16_t)(6 + rng_below(&rng, 3)), payload,
		 rng_below(&rng, sizeof(payload)));
	if (!rng_below(&rng, 3))
		glass_recvfrom(h.g, s, payload, sizeof(payload), NULL);
}

static void test_even_after_each_act(void **state)
{
	struct glass_sock *s = udp_socket(&h, 0, 7);

	(void)state;
	assert_int_equal(glass_tunable_set(h.g, "udp_queue_kb", 4), 0);
	assert_int_equal(glass_tunable_set(h.g, "arp_queue_kb", 8), 0);
	assert_int_equal(glass_tunable_set(h.g, "ip_frag_source_max_kb", 8), 0);
	for (int round = 0; round < 20000; round++) {
		switch (rng_below(&rng, 6)) {
		case 0:
		case 1:
			random_datagram();
			break;
		case 2:
			random_arp();
			break;
		case 3:
			random_call(s);
			break;
		case 4:
			host_wait(&h, rng_below(&rng, 2000) * MS);
			break;
		default:
			while (host_out(&h, &f))
				;
		}
		assert_even();
	}
	assert_true(stat_value(&h, "Drop", "FRAG_TIMEOUT") > 0);
	assert_true(stat_value(&h, "Drop", "FRAG_OVERLAP") > 0);
	assert_true(stat_value(&h, "Drop", "NEIGH_FAILED") > 0);
	assert_true(stat_value(&h, "Drop", "NEIGH_QUEUE_FULL") > 0);
	assert_true(stat_value(&h, "Drop", "UDP_QUEUE_FULL") > 0);
	glass_close(h.g, s);
	assert_even();
}

static void test_frame_that_the_device_lost(void **state)
{
	struct glass_sock *s = udp_socket(&h, 0, 7);
	struct glass_frame out;

	(void)state;
	peer_introduces(&h);
	assert_int_equal(send_udp(&h, s, PEER, 9, "x", 1), 1);
	assert_true(glass_output(h.g, &out));
	glass_output_lost(h.g, &out, EIO);
	assert_int_equal(stat_value(&h, "Dev", "TxDropped"), 1);
	assert_even();
	glass_close(h.g, s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_even_after_each_act, setup, teardown),
		cmocka_unit_test_setup_teardown(test_frame_that_the_device_lost, setup, teardown),
	};

	return cmocka_run_group_tests_name("stack/account", tests, NULL, NULL);
}
