/* SPDX-License-Identifier: MIT */
/*
 * Devices: what they do not do is done for them, what they say is checked (ATTACKS 66), and lo
 * leads back.
 */
#include "../frames.h"

#include "../../../src/stack/ip.h"
#include "../../../src/stack/link.h"
#include "../../../src/wire/tcp.h"

static struct host h;
static struct frame f;
static const struct ip_spec plain = { 0 };

enum { CSUM = GLASS_OFFLOAD_CSUM, TSO = GLASS_OFFLOAD_TSO };

static void start(uint32_t offload)
{
	host_new(&h, offload);
	peer_introduces(&h);
}

static void end(void)
{
	host_free(&h);
}

static bool udp_sum_is_right(const struct frame *frame)
{
	const uint8_t *l4;
	size_t bytes;
	const struct ip4_header *ip = assert_ip(frame, 17, &l4, &bytes);
	uint64_t sum = csum_pseudo4(be32_get(ip->src), be32_get(ip->dst), 17, (uint32_t)bytes);

	return csum_fold(csum_add(sum, l4, bytes)) == 0;
}

static void test_checksum_is_completed(void **state)
{
	uint8_t payload[1472];
	struct glass_sock *s;

	(void)state;
	start(0);
	s = udp_socket(&h, 0, 7);
	for (size_t n = 0; n <= sizeof(payload); n += 23) {
		memset(payload, (int)n, n);
		assert_int_equal(send_udp(&h, s, PEER, 9, payload, n), n);
		assert_true(host_out(&h, &f));
		assert_false(f.off.csum_partial);
		assert_true(udp_sum_is_right(&f));
	}
	glass_close(h.g, s);
	end();
}

static void test_checksum_is_left_to_the_device(void **state)
{
	struct glass_sock *s;

	(void)state;
	start(CSUM);
	s = udp_socket(&h, 0, 7);
	assert_int_equal(send_udp(&h, s, PEER, 9, "abc", 3), 3);
	assert_true(host_out(&h, &f));
	assert_true(f.off.csum_partial);
	assert_int_equal(f.off.csum_start, 34);
	assert_int_equal(f.off.csum_offset, 6);
	assert_false(udp_sum_is_right(&f));
	/* What the device does: the sum from csum_start on, its complement into the field. */
	{
		uint16_t sum = csum_fold(csum_add(0, f.b + 34, f.n - 34));

		f.b[40] = (uint8_t)(sum >> 8);
		f.b[41] = (uint8_t)sum;
	}
	assert_true(udp_sum_is_right(&f));
	glass_close(h.g, s);
	end();
}

/* RFC 768: a sum of zero is sent as all ones. */
static void test_checksum_zero(void **state)
{
	struct glass_sock *s;
	uint16_t sum;
	uint8_t payload[2] = { 0 };

	(void)state;
	start(0);
	s = udp_socket(&h, 0, 7);
	assert_int_equal(send_udp(&h, s, PEER, 9, payload, 2), 2);
	assert_true(host_out(&h, &f));
	sum = (uint16_t)(f.b[40] << 8 | f.b[41]);
	payload[0] = (uint8_t)(sum >> 8);
	payload[1] = (uint8_t)sum;
	assert_int_equal(send_udp(&h, s, PEER, 9, payload, 2), 2);
	assert_true(host_out(&h, &f));
	assert_int_equal(f.b[40] << 8 | f.b[41], 0xffff);
	glass_close(h.g, s);
	end();
}

/* A frame that claims a partial checksum over the right place is taken as it is. */
static void test_partial_checksum_in(void **state)
{
	struct glass_sock *s;
	char bytes[8];

	(void)state;
	start(CSUM);
	s = udp_socket(&h, 0, 7);
	frame_udp(&f, &plain, 9, 7, "abc", 3)->checksum = be16_of(0x1234);
	assert_drops(&h, &f, UDP_BAD_CSUM, 0x1234, 0);
	f.off = (struct glass_offload){ .csum_partial = true, .csum_start = 34, .csum_offset = 6 };
	assert_accepts(&h, &f);
	f.off = (struct glass_offload){ .csum_valid = true };
	assert_accepts(&h, &f);
	assert_int_equal(glass_recvfrom(h.g, s, bytes, 8, NULL), 3);
	assert_int_equal(glass_recvfrom(h.g, s, bytes, 8, NULL), 3);
	glass_close(h.g, s);
	end();
}

static void test_offload_lies(void **state)
{
	const struct glass_offload lies[] = {
		{ .csum_partial = true, .csum_start = 44, .csum_offset = 6 }, /* beyond the end */
		{ .csum_partial = true, .csum_start = 65535, .csum_offset = 65535 },
		{ .csum_partial = true,
		  .csum_start = 33,
		  .csum_offset = 6 }, /* not where UDP begins */
		{ .csum_partial = true, .csum_start = 14, .csum_offset = 10 },
		{ .csum_partial = true,
		  .csum_start = 34,
		  .csum_offset = 16 }, /* beyond the end, and TCP's */
		{ .csum_partial = true, .csum_start = 34, .csum_offset = 4 },
		{ .csum_valid = true, .gso_size = 1448 }, /* UDP is not cut */
	};

	(void)state;
	start(CSUM | TSO);
	for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
		frame_udp(&f, &plain, 9, 7, "abc", 3);
		f.off = lies[i];
		assert_drops(&h, &f, OFFLOAD_LIES, lies[i].csum_start, f.n);
	}
	/* A fragment's checksum cannot be completed. */
	frame_udp(&f, &plain, 9, 7, "abcdefgh", 8);
	frame_ip_at(&f)->frag = be16_of(IP4_MORE_FRAGMENTS);
	frame_ip_fix(&f);
	f.off = (struct glass_offload){ .csum_partial = true, .csum_start = 34, .csum_offset = 6 };
	assert_drops(&h, &f, OFFLOAD_LIES, 34, f.n);
	end();
}

static void test_offload_from_a_device_that_has_none(void **state)
{
	(void)state;
	start(0);
	frame_udp(&f, &plain, 9, 7, "abc", 3);
	f.off = (struct glass_offload){ .csum_partial = true, .csum_start = 34, .csum_offset = 6 };
	assert_drops(&h, &f, OFFLOAD_LIES, 34, f.n);
	f.off = (struct glass_offload){ .csum_valid = true, .gso_size = 1448 };
	assert_drops(&h, &f, OFFLOAD_LIES, 0, f.n);
	end();
}

/* A frame of another protocol with a claim that fits is for another room to drop. */
static void test_offload_of_ip6(void **state)
{
	(void)state;
	start(CSUM);
	frame_eth(&f, us_mac, peer_mac, 0x86dd);
	frame_put(&f, 60);
	f.off = (struct glass_offload){ .csum_partial = true, .csum_start = 54, .csum_offset = 6 };
	assert_drops(&h, &f, ETH_TYPE, 0x86dd, 0);
	f.off.csum_start = 70;
	assert_drops(&h, &f, OFFLOAD_LIES, 70, 74);
	end();
}

static void test_super_packets(void **state)
{
	static uint8_t segment[40000];
	struct ip_spec tcp = { .proto = 6 };
	struct tcp_header *t = (struct tcp_header *)(void *)segment;

	(void)state;
	start(CSUM | TSO);
	t->data_offset = 0x50;
	t->flags = TCP_ACK;
	t->dport = be16_of(80);
	frame_ip(&f, &tcp, segment, sizeof(segment));
	assert_drops(&h, &f, ETH_TOO_LONG, 40020, 1500); /* it says nothing of being one */
	f.off = (struct glass_offload){
		.csum_partial = true, .csum_start = 34, .csum_offset = 16, .gso_size = 1460
	};
	assert_int_equal(host_in(&h, &f), DROP_TCP_NO_SOCKET);
	assert_true(host_out(&h, &f)); /* RST */
	frame_ip(&f, &tcp, segment, sizeof(segment));
	f.off = (struct glass_offload){
		.csum_partial = true, .csum_start = 34, .csum_offset = 16, .gso_size = 1501
	};
	assert_drops(&h, &f, ETH_TOO_LONG, 1501, 1500);
	f.off = (struct glass_offload){ .gso_size = 1460 }; /* of a checksum that nobody has seen */
	assert_drops(&h, &f, OFFLOAD_LIES, 0, f.n);
	frame_ip(&f, &tcp, segment, 20); /* no payload to cut */
	f.off = (struct glass_offload){
		.csum_partial = true, .csum_start = 34, .csum_offset = 16, .gso_size = 1460
	};
	assert_drops(&h, &f, OFFLOAD_LIES, 34, f.n);
	end();
}

static void test_device_down(void **state)
{
	struct glass_dev_info info;
	struct glass_sock *s;

	(void)state;
	start(0);
	s = udp_socket(&h, 0, 7);
	assert_int_equal(glass_dev_set_up(h.g, h.dev, false), 0);
	frame_udp(&f, &plain, 9, 7, "abc", 3);
	assert_drops(&h, &f, DEV_DOWN, h.dev, 0);
	assert_int_equal(send_udp(&h, s, PEER, 9, "x", 1), -ENETUNREACH);
	assert_true(glass_dev_at(h.g, h.dev, &info));
	assert_false(info.up);
	glass_close(h.g, s);
	end();
}

static void test_queue_is_bounded(void **state)
{
	struct glass_sock *s;

	(void)state;
	start(0);
	s = udp_socket(&h, 0, 7);
	for (unsigned i = 0; i < OUT_QUEUE_MAX; i++)
		assert_int_equal(send_udp(&h, s, PEER, 9, "x", 1), 1);
	assert_int_equal(send_udp(&h, s, PEER, 9, "x", 1), -ENOBUFS);
	assert_drop_record(&h, DROP_DEV_QUEUE_FULL, OUT_QUEUE_MAX, 0);
	for (unsigned i = 0; i < OUT_QUEUE_MAX; i++)
		assert_true(host_out(&h, &f));
	assert_silent(&h);
	glass_close(h.g, s);
	end();
}

/* A packet that waited while the MTU was lowered. */
static void test_mtu_lowered_on_the_way(void **state)
{
	const struct arp_packet *a;
	uint8_t payload[1000] = { 0 };
	struct glass_sock *s;

	(void)state;
	host_new(&h, 0);
	s = udp_socket(&h, 0, 7);
	assert_int_equal(send_udp(&h, s, PEER, 9, payload, sizeof(payload)), sizeof(payload));
	assert_true(host_out(&h, &f));
	a = assert_arp(&f, ARP_OP_REQUEST);
	assert_int_equal(be32_get(a->target), PEER);
	assert_int_equal(glass_dev_set_mtu(h.g, h.dev, 576), 0);
	frame_arp(&f, us_mac, ARP_OP_REPLY, peer_mac, PEER, us_mac, US);
	assert_accepts(&h, &f);
	assert_drop_record(&h, DROP_DEV_MTU, 1028, 576);
	assert_silent(&h);
	glass_close(h.g, s);
	end();
}

/* Of a super-packet the segments count. */
static void test_mtu_of_a_super_packet(void **state)
{
	const struct ip_send to = { .src = US, .dst = PEER, .proto = 6, .dont_fragment = true };
	const uint16_t sizes[] = { 1448, 1449 };
	struct ip_path path;

	(void)state;
	start(CSUM | TSO);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct pkt *p = pkt_build(h.g, IP_HEADROOM, 32 + 30000);
		struct tcp_header *t = pkt_put(p, 32 + 30000);

		memset(t, 0, 32 + 30000);
		t->data_offset = 0x80;
		p->l4 = p->data;
		p->gso_size = sizes[i];
		assert_int_equal(ip_route(h.g, PEER, 0, &path), 0);
		assert_int_equal(ip_output(h.g, p, &to, &path), i ? DROP_DEV_MTU : ACCEPTED);
	}
	assert_drop_record(&h, DROP_DEV_MTU, 1501, 1500);
	assert_true(host_out(&h, &f));
	assert_int_equal(f.off.gso_size, 1448);
	assert_silent(&h);
	end();
}

static void test_frame_lost_by_the_device(void **state)
{
	struct glass_frame out;
	struct glass_sock *s;

	(void)state;
	start(0);
	s = udp_socket(&h, 0, 7);
	assert_int_equal(send_udp(&h, s, PEER, 9, "x", 1), 1);
	assert_true(glass_output(h.g, &out));
	glass_output_lost(h.g, &out, EIO);
	assert_drop_record(&h, DROP_DEV_TX_FAILED, EIO, 0);
	glass_close(h.g, s);
	end();
}

/* To ourselves, by 127.0.0.1 and by our own address; nothing leaves. */
static void test_loopback(void **state)
{
	const uint32_t ours[] = { IP(127, 0, 0, 1), IP(127, 9, 9, 9), US };
	struct glass_sock *a, *b;
	struct glass_dgram info;
	static uint8_t big[65507];
	char byte;

	(void)state;
	start(0);
	a = udp_socket(&h, 0, 7);
	b = udp_socket(&h, 0, 9);
	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		assert_int_equal(send_udp(&h, a, ours[i], 9, "x", 1), 1);
		assert_silent(&h);
		assert_int_equal(glass_recvfrom(h.g, b, &byte, 1, &info), 1);
		assert_int_equal(info.from.port, 7);
		assert_memory_equal(info.from.addr.byte, end4(ours[i], 0).addr.byte, 4);
	}
	assert_int_equal(send_udp(&h, a, US, 9, big, sizeof(big)), sizeof(big));
	assert_silent(&h);
	assert_int_equal(glass_recvfrom(h.g, b, big, sizeof(big), &info), sizeof(big));
	/* Nobody is there: the refusal comes back by lo, too. */
	assert_int_equal(glass_connect(h.g, a, &(struct glass_end){ glass_ip4(127, 0, 0, 1), 99 }),
			 0);
	assert_int_equal(glass_sendto(h.g, a, "x", 1, NULL), 1);
	assert_silent(&h);
	assert_int_equal(glass_recvfrom(h.g, a, &byte, 1, NULL), -ECONNREFUSED);
	glass_close(h.g, a);
	glass_close(h.g, b);
	end();
}

/* 127/8 is nobody's to send to the wire, and nobody's to take from it: RFC 1122 3.2.1.3 (g). */
static void test_loopback_source_stays_here(void **state)
{
	struct glass_sock *s;

	(void)state;
	start(0);
	s = udp_socket(&h, IP(127, 0, 0, 1), 7);
	assert_int_equal(send_udp(&h, s, PEER, 9, "x", 1), -EINVAL);
	assert_silent(&h);
	glass_close(h.g, s);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_checksum_is_completed),
		cmocka_unit_test(test_checksum_is_left_to_the_device),
		cmocka_unit_test(test_checksum_zero),
		cmocka_unit_test(test_partial_checksum_in),
		cmocka_unit_test(test_offload_lies),
		cmocka_unit_test(test_offload_from_a_device_that_has_none),
		cmocka_unit_test(test_offload_of_ip6),
		cmocka_unit_test(test_super_packets),
		cmocka_unit_test(test_device_down),
		cmocka_unit_test(test_queue_is_bounded),
		cmocka_unit_test(test_mtu_lowered_on_the_way),
		cmocka_unit_test(test_mtu_of_a_super_packet),
		cmocka_unit_test(test_frame_lost_by_the_device),
		cmocka_unit_test(test_loopback),
		cmocka_unit_test(test_loopback_source_stays_here),
	};

	return cmocka_run_group_tests_name("stack/dev", tests, NULL, NULL);
}
