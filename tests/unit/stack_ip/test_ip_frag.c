/* SPDX-License-Identifier: MIT */
/* Reassembly: any order, copies, overlaps, limits, time (ATTACKS 13-16). */
#include "one_socket.h"

#include "../../../src/base/rng.h"

static struct frame whole;
static uint8_t payload[65507], got[65535];
static struct rng rng;

static int setup(void **state)
{
	const uint64_t seed[2] = { 815, 5722 };

	(void)state;
	rng_init(&rng, seed);
	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)rng_u64(&rng);
	known_host();
	s = udp_socket(&h, 0, 7);
	return 0;
}

/* The UDP datagram to be sent in pieces: whole.b + 34 is its first byte. */
static void datagram(size_t n)
{

	assert_true(n >= 8);
	frame_udp(&whole, &plain, 9, 7, payload, n - 8);
}

/* Bytes [off, off + n) of it. */
static void piece(uint32_t src, uint16_t id, size_t off, size_t n, bool more)
{
	struct ip_spec spec = { .src = src, .id = id };

	spec.frag = (uint16_t)(off / 8 | (more ? IP4_MORE_FRAGMENTS : 0));
	assert_true(n <= 1480);
	frame_ip(&f, &spec, whole.b + 34 + (off + n <= whole.n - 34 ? off : 0), n);
}

static void feed(uint16_t id, size_t off, size_t n, bool more)
{
	piece(PEER, id, off, n, more);
	assert_accepts(&h, &f);
}

static void assert_whole(size_t n)
{
	struct glass_dgram info;

	assert_int_equal(glass_recvfrom(h.g, s, got, sizeof(got), &info), n - 8);
	assert_int_equal(info.full, n - 8);
	assert_int_equal(info.ttl, 64);
	assert_memory_equal(got, payload, n - 8);
	assert_int_equal(glass_recvfrom(h.g, s, got, sizeof(got), NULL), -EAGAIN);
}

static void assert_nothing_held(void)
{
	struct glass_memory m;

	assert_silent(&h); /* the frame handed out last is let go */
	glass_memory(h.g, &m);
	assert_int_equal(m.packets, 0);
}

static void test_any_order_of_three(void **state)
{
	static const int orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
					  { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };

	(void)state;
	datagram(3000);
	for (uint16_t o = 0; o < 6; o++) {
		for (int i = 0; i < 3; i++) {
			int part = orders[o][i];

			feed(o, (size_t)part * 1480, part < 2 ? 1480 : 40, part < 2);
		}
		assert_whole(3000);
	}
	assert_int_equal(stat_value(&h, "Ip", "ReasmOKs"), 6);
	assert_nothing_held();
}

/* Random cuts, random order, each fragment perhaps twice. */
static void test_random_cuts(void **state)
{
	struct {
		uint32_t off, n;
	} part[8192], swap;

	(void)state;
	for (uint16_t round = 0; round < 300; round++) {
		uint32_t n = 8 + rng_below(&rng, round % 20 ? 3000 : 65515 - 8), parts = 0, at = 0;

		datagram(n);
		while (at < n) {
			uint32_t len = (1 + rng_below(&rng, 185)) * 8;

			/* The first one holds the UDP header; it is the last only if it must. */
			part[parts].off = at;
			part[parts].n = len < n - at ? len : n - at;
			at += part[parts++].n;
		}
		for (uint32_t i = parts - 1; i; i--) {
			uint32_t j = rng_below(&rng, i + 1);

			swap = part[i];
			part[i] = part[j];
			part[j] = swap;
		}
		for (uint32_t i = 0; i < parts; i++) {
			bool last = part[i].off + part[i].n == n;

			if (i + 1 < parts && !rng_below(&rng, 3))
				feed(round, part[i].off, part[i].n, !last);
			feed(round, part[i].off, part[i].n, !last);
		}
		assert_whole(n);
	}
	assert_nothing_held();
}

/* The longest datagram there can be: 65,535 bytes with its header. */
static void test_longest(void **state)
{
	(void)state;
	datagram(65515);
	for (size_t off = 0; off < 65515; off += 1480)
		feed(1, off, off + 1480 < 65515 ? 1480 : 65515 - off, off + 1480 < 65515);
	assert_whole(65515);
}

/* Ping of death. */
static void test_beyond_the_end(void **state)
{
	(void)state;
	datagram(2000);
	piece(PEER, 1, 65528, 600, false);
	assert_drops(&h, &f, FRAG_RANGE, 65528, 600);
	piece(PEER, 1, 65512, 8, true);
	assert_drops(&h, &f, FRAG_RANGE, 65512, 8);
	piece(PEER, 1, 65512, 3, false);
	assert_accepts(&h, &f); /* just fits */
}

static void test_lengths(void **state)
{
	(void)state;
	datagram(2000);
	piece(PEER, 1, 0, 1001, true);
	assert_drops(&h, &f, FRAG_LENGTH, 0, 1001);
	piece(PEER, 1, 1480, 0, false);
	assert_drops(&h, &f, FRAG_LENGTH, 1480, 0);
	piece(PEER, 1, 1480, 0, true);
	assert_drops(&h, &f, FRAG_LENGTH, 1480, 0);
}

/* RFC 1858, RFC 3128: who cuts inside a transport header wants to pass a filter. */
static void test_tiny(void **state)
{
	struct ip_spec tcp = { .proto = 6, .frag = IP4_MORE_FRAGMENTS };

	(void)state;
	frame_ip(&f, &tcp, payload, 16);
	assert_drops(&h, &f, FRAG_TINY, 16, 0);
	tcp.frag = 1;
	frame_ip(&f, &tcp, payload, 32);
	assert_drops(&h, &f, FRAG_TINY, 8, 0);
	tcp.proto = 1;
	tcp.frag = IP4_MORE_FRAGMENTS;
	frame_ip(&f, &tcp, payload, 8);
	assert_accepts(&h, &f); /* an ICMP header is eight bytes */
}

struct overlap {
	size_t off, n;
	bool more;
};

/*
 * Teardrop and all its kin against [0, 800) and [1600, 2400): the datagram dies, and the rest of
 * it is refused.
 */
static void test_overlaps(void **state)
{
	const struct overlap cases[] = {
		{ 0, 792, true },     { 0, 808, true },	  { 8, 792, true },    { 400, 800, true },
		{ 792, 16, true },    { 1592, 16, true }, { 1600, 792, true }, { 1608, 792, true },
		{ 800, 1480, true },  { 2392, 8, true },  { 800, 8, false },   { 2392, 8, false },
		{ 1600, 799, false },
	};

	(void)state;
	datagram(4000);
	for (uint16_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct overlap *c = &cases[i];

		feed(i, 0, 800, true);
		feed(i, 1600, 800, true);
		piece(PEER, i, c->off, c->n, c->more);
		assert_drops(&h, &f, FRAG_OVERLAP, c->off, c->n);
		piece(PEER, i, 800, 800, true);
		assert_drops(&h, &f, FRAG_OVERLAP, 800, 800);
		assert_nothing_held();
	}
	/* Two held and the two that came, for each. */
	assert_int_equal(stat_value(&h, "Drop", "FRAG_OVERLAP"), 4 * ARRAY_LEN(cases));
	assert_int_equal(glass_recvfrom(h.g, s, got, sizeof(got), NULL), -EAGAIN);
	host_wait(&h, 30 * S);
	feed(0, 0, 800, true); /* the number may be used again */
}

static void test_two_ends(void **state)
{
	(void)state;
	datagram(4000);
	feed(1, 1600, 800, false);
	piece(PEER, 1, 800, 800, false); /* another end, before */
	assert_drops(&h, &f, FRAG_OVERLAP, 800, 800);
	feed(2, 800, 800, false);
	piece(PEER, 2, 1600, 800, false); /* behind */
	assert_drops(&h, &f, FRAG_OVERLAP, 1600, 800);
	feed(3, 800, 800, false);
	piece(PEER, 3, 1600, 800, true);
	assert_drops(&h, &f, FRAG_OVERLAP, 1600, 800);
	feed(4, 800, 4, false);
	piece(PEER, 4, 800, 8, true); /* same units, not the same fragment */
	assert_drops(&h, &f, FRAG_OVERLAP, 800, 8);
	feed(5, 1600, 8, true);
	piece(PEER, 5, 800, 8, false);
	assert_drops(&h, &f, FRAG_OVERLAP, 800, 8);
}

/* The same number from another source, for another protocol: another datagram. */
static void test_keys_are_kept_apart(void **state)
{
	struct ip_spec icmp = { .id = 1, .proto = 1, .frag = 100 | IP4_MORE_FRAGMENTS };

	(void)state;
	introduce(&h, IP(10, 0, 0, 6));
	datagram(1600);
	feed(1, 0, 800, true);
	piece(IP(10, 0, 0, 6), 1, 800, 800, false);
	assert_accepts(&h, &f);
	frame_ip(&f, &icmp, payload, 800);
	assert_accepts(&h, &f);
	feed(2, 800, 800, false);
	assert_int_equal(glass_recvfrom(h.g, s, got, sizeof(got), NULL), -EAGAIN);
	feed(1, 800, 800, false);
	assert_whole(1600);
}

static void test_time(void **state)
{
	const uint8_t *l4;
	struct glass_record r;
	size_t bytes;

	(void)state;
	datagram(3000);
	feed(7, 0, 1480, true);
	host_wait(&h, 30 * S - 1);
	assert_silent(&h);
	host_wait(&h, 1);
	assert_true(log_last(&h, GLASS_EV_DROP, &r));
	assert_int_equal(r.v[0], DROP_FRAG_TIMEOUT);
	assert_int_equal(r.v[1], 7);
	assert_int_equal(r.v[2], 30 * S);
	assert_true(host_out(&h, &f));
	assert_ip(&f, 1, &l4, &bytes);
	assert_int_equal(l4[0], ICMP_TIME_EXCEEDED);
	assert_int_equal(l4[1], 1);
	assert_int_equal(bytes, 576 - 20);
	assert_memory_equal(l4 + 28, whole.b + 34,
			    bytes - 28); /* the quote: header, then payload */
	assert_nothing_held();
	/* Without the first fragment nobody would know what is meant: RFC 792. */
	feed(8, 1480, 1480, true);
	host_wait(&h, 30 * S);
	assert_drop_record(&h, DROP_FRAG_TIMEOUT, 8, 30 * S);
	while (host_out(&h, &f))
		assert_int_equal(frame_type(&f), ETH_TYPE_ARP);
	assert_nothing_held();
}

/*
 * 5,000 datagrams that never end, from one source: it is held to its share, and others are served.
 */
static void test_flood_of_one_source(void **state)
{
	struct glass_memory before, after;
	struct glass_record r;

	(void)state;
	glass_memory(h.g, &before);
	datagram(1600);
	for (unsigned i = 0; i < 5000; i++) {
		piece(IP(10, 0, 0, 6), (uint16_t)i, 0, 800, true);
		assert_accepts(&h, &f); /* the source's own oldest goes */
	}
	assert_true(log_last(&h, GLASS_EV_DROP, &r));
	assert_int_equal(r.v[0], DROP_FRAG_LIMIT);
	assert_int_equal(r.v[2], 512 * 1024);
	glass_memory(h.g, &after);
	assert_in_range(after.bytes - before.bytes, 256 * 1024, 600 * 1024);
	feed(1, 0, 800, true);
	feed(1, 800, 800, false);
	assert_whole(1600);
}

/* FragmentSmack: one datagram of 8-byte fragments: bounded, and quick. */
static void test_fragments_of_eight_bytes(void **state)
{
	struct glass_record r;
	unsigned refused = 0;

	(void)state;
	datagram(65515);
	for (size_t off = 0; off + 8 < 65515; off += 16) {
		piece(PEER, 1, off, 8, true);
		refused += host_in(&h, &f) == DROP_FRAG_LIMIT;
	}
	assert_in_range(refused, 3000, 4000);
	assert_true(log_last(&h, GLASS_EV_DROP, &r));
	assert_int_equal(r.v[0], DROP_FRAG_LIMIT);
	assert_in_range(r.v[1], 511 * 1024, 512 * 1024);
	assert_int_equal(r.v[2], 512 * 1024);
}

/* Many sources at once fill the memory for all; who comes then still gets through. */
static void test_flood_of_many_sources(void **state)
{
	struct glass_memory before, after;

	(void)state;
	assert_int_equal(glass_addr_add(h.g, h.dev, glass_ip4(10, 1, 0, 4), 16), 0);
	assert_true(host_out(&h, &f));
	glass_memory(h.g, &before);
	datagram(1600);
	for (unsigned i = 0; i < 20000; i++) {
		piece(IP(10, 1, 1 + i / 200 % 200, 1 + i % 200), (uint16_t)i, 0, 800, true);
		assert_accepts(&h, &f);
		if (i % 1000 == 999) {
			feed((uint16_t)i, 0, 800, true);
			feed((uint16_t)i, 800, 800, false);
			assert_whole(1600);
		}
	}
	glass_memory(h.g, &after);
	assert_in_range(after.bytes - before.bytes, 3 << 20, 5 << 20);
	host_wait(&h, 31 * S);
	while (host_out(&h, &f))
		;
	host_wait(&h, 600 * S); /* the sources got errors, and did not answer ARP */
	while (host_out(&h, &f))
		;
}

static void test_no_fragments_wanted(void **state)
{
	(void)state;
	assert_int_equal(glass_tunable_set(h.g, "ip_frag_max_kb", 0), 0);
	datagram(1600);
	piece(PEER, 1, 0, 800, true);
	assert_drops(&h, &f, FRAG_LIMIT, 0, 0);
}

/* RFC 3168 5.3: congestion that one fragment met is not forgotten. */
static void test_congestion_mark(void **state)
{
	struct glass_dgram info;
	struct ip_spec spec = { .id = 1, .frag = IP4_MORE_FRAGMENTS, .tos = 2 };

	(void)state;
	datagram(1600);
	frame_ip(&f, &spec, whole.b + 34, 800);
	assert_accepts(&h, &f);
	spec.frag = 100;
	spec.tos = 3;
	frame_ip(&f, &spec, whole.b + 34 + 800, 800);
	assert_accepts(&h, &f);
	assert_int_equal(glass_recvfrom(h.g, s, got, sizeof(got), &info), 1592);
	assert_int_equal(info.tos, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_any_order_of_three, setup, teardown),
		cmocka_unit_test_setup_teardown(test_random_cuts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_longest, setup, teardown),
		cmocka_unit_test_setup_teardown(test_beyond_the_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lengths, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tiny, setup, teardown),
		cmocka_unit_test_setup_teardown(test_overlaps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_two_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_keys_are_kept_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flood_of_one_source, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fragments_of_eight_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flood_of_many_sources, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_fragments_wanted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_congestion_mark, setup, teardown),
	};

	return cmocka_run_group_tests_name("stack/ip_frag", tests, NULL, NULL);
}
