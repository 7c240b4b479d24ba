/* SPDX-License-Identifier: MIT */
/*
 * IPv4 out: headers, cutting for the MTU, and identifications that nobody can guess (ATTACKS 18).
 */
#include "one_socket.h"

#include "../../../src/stack/ip.h"

static int setup(void **state)
{
	(void)state;
	known_host();
	introduce(&h, IP(10, 0, 0, 6));
	s = udp_socket(&h, 0, 7);
	return 0;
}

/*
 * Every length around the borders at several MTUs: the pieces are what RFC 791 says, and make the
 * datagram again.
 */
static void test_cutting(void **state)
{
	static const uint32_t mtus[] = { 68, 69, 75, 76, 576, 1500, 65535 };
	static uint8_t payload[8000], whole[8008];

	(void)state;
	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 11);
	for (size_t m = 0; m < ARRAY_LEN(mtus); m++) {
		uint32_t mtu = mtus[m], step = (mtu - 20) & ~7u;

		assert_int_equal(glass_dev_set_mtu(h.g, h.dev, mtu), 0);
		for (size_t n = 0; n <= sizeof(payload); n += n < 120 ? 1 : 293) {
			size_t total = n + 8, got = 0, bytes;
			unsigned id = 65536;
			const uint8_t *l4;

			host_wait(&h, 1 * MS);
			peer_introduces(&h);
			assert_int_equal(send_udp(&h, s, PEER, 9, payload, n), n);
			while (got < total) {
				const struct ip4_header *ip;
				uint16_t frag;

				assert_true(host_out(&h, &f));
				if (frame_type(&f) == ETH_TYPE_ARP) {
					frame_arp(&f, us_mac, ARP_OP_REPLY, peer_mac, PEER, us_mac,
						  US);
					host_in(&h, &f);
					continue;
				}
				ip = assert_ip(&f, 17, &l4, &bytes);
				frag = be16_get(ip->frag);
				assert_true(bytes + 20 <= mtu);
				assert_true(id == 65536 || id == be16_get(ip->id));
				id = be16_get(ip->id);
				assert_int_equal((frag & IP4_FRAGMENT_OFFSET) * 8, got);
				memcpy(whole + got, l4, bytes);
				got += bytes;
				assert_int_equal(!!(frag & IP4_MORE_FRAGMENTS), got < total);
				assert_int_equal(frag & IP4_DONT_FRAGMENT, 0);
				if (got < total)
					assert_int_equal(bytes, step);
			}
			assert_int_equal(got, total);
			assert_memory_equal(whole + 8, payload, n);
			assert_int_equal(
				csum_fold(csum_add(csum_pseudo4(US, PEER, 17, (uint32_t)total),
						   whole, total)),
				0);
		}
	}
}

/* The device completes checksums, but not those of a datagram in pieces. */
static void test_cutting_with_offload(void **state)
{
	static uint8_t payload[3000], whole[3008];
	struct glass_sock *o;
	struct host offload;
	size_t got = 0, bytes;
	const uint8_t *l4;

	(void)state;
	host_new(&offload, GLASS_OFFLOAD_CSUM | GLASS_OFFLOAD_TSO);
	peer_introduces(&offload);
	o = udp_socket(&offload, 0, 7);
	assert_int_equal(send_udp(&offload, o, PEER, 9, payload, sizeof(payload)), sizeof(payload));
	while (host_out(&offload, &f)) {
		assert_false(f.off.csum_partial);
		assert_ip(&f, 17, &l4, &bytes);
		memcpy(whole + got, l4, bytes);
		got += bytes;
	}
	assert_int_equal(got, sizeof(whole));
	assert_int_equal(csum_fold(csum_add(csum_pseudo4(US, PEER, 17, (uint32_t)got), whole, got)),
			 0);
	glass_close(offload.g, o);
	host_free(&offload);
}

static uint16_t next_id(uint32_t dst)
{
	const uint8_t *l4;
	size_t bytes;

	assert_int_equal(send_udp(&h, s, dst, 9, "x", 1), 1);
	assert_true(host_out(&h, &f));
	return be16_get(assert_ip(&f, 17, &l4, &bytes)->id);
}

/*
 * Unique for 65,536 datagrams, and no step is likelier than another; two peers see nothing of each
 * other.
 */
static void test_identifications(void **state)
{
	static uint8_t seen[65536], steps[65536];
	unsigned most = 0, same = 0;
	uint16_t before = next_id(PEER);

	(void)state;
	seen[before] = 1;
	for (unsigned i = 1; i < 65536; i++) {
		uint16_t id = next_id(PEER);

		assert_false(seen[id]);
		seen[id] = 1;
		if (i < 2000)
			steps[(uint16_t)(id - before)]++;
		before = id;
	}
	for (unsigned i = 0; i < 65536; i++)
		most = steps[i] > most ? steps[i] : most;
	assert_in_range(most, 1, 4); /* 2,000 steps of 65,536 */
	for (unsigned i = 0; i < 2000; i++)
		same += next_id(PEER) == next_id(IP(10, 0, 0, 6));
	assert_in_range(same, 0, 3);
}

/* RFC 6864: TCP's packets cannot be cut, so their identification says nothing at all. */
static void test_no_identification_with_df(void **state)
{
	struct glass_sock *c = glass_socket(h.g, GLASS_TCP);
	const struct glass_end to = end4(PEER, 80);
	const struct ip4_header *ip;
	const uint8_t *l4;
	size_t bytes;

	(void)state;
	assert_int_equal(glass_connect(h.g, c, &to), -EINPROGRESS);
	assert_true(host_out(&h, &f));
	ip = assert_ip(&f, 6, &l4, &bytes);
	assert_int_equal(be16_get(ip->frag), IP4_DONT_FRAGMENT);
	assert_int_equal(be16_get(ip->id), 0);
	glass_close(h.g, c);
}

/* Path MTU discovery at work: what must not be cut and does not fit goes no farther (RFC 1191). */
static void test_too_big(void **state)
{
	const struct ip_send to = { .src = US, .dst = PEER, .proto = 6, .dont_fragment = true };
	struct ip_path path;
	struct pkt *p;

	(void)state;
	assert_int_equal(ip_route(h.g, PEER, 0, &path), 0);
	assert_int_equal(path.src, US);
	assert_int_equal(path.mtu_bytes, 1500);
	p = pkt_build(h.g, IP_HEADROOM, 1481);
	memset(pkt_put(p, 1481), 0, 1481);
	p->l4 = p->data;
	assert_int_equal(ip_output(h.g, p, &to, &path), DROP_IP_TOO_BIG);
	assert_drop_record(&h, DROP_IP_TOO_BIG, 1501, 1500);
	p = pkt_build(h.g, IP_HEADROOM, 1480);
	memset(pkt_put(p, 1480), 0, 1480);
	p->l4 = p->data;
	assert_int_equal(ip_output(h.g, p, &to, &path), ACCEPTED);
	assert_true(host_out(&h, &f));
	assert_int_equal(f.n, 1514);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_cutting, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cutting_with_offload, setup, teardown),
		cmocka_unit_test_setup_teardown(test_identifications, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_identification_with_df, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_big, setup, teardown),
	};

	return cmocka_run_group_tests_name("stack/ip_output", tests, NULL, NULL);
}
