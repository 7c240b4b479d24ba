/* SPDX-License-Identifier: MIT */
/*
 * Multicast groups: who may join what, who hears what is sent to a group, and what of our own
 * datagrams we hear ourselves (RFC 1112, RFC 3376 2 and 3).
 */
#include "groups.h"

static struct host h;
static struct frame f;
static struct glass_sock *a, *b;

static struct glass_sock *member(uint32_t addr, uint16_t port)
{
	struct glass_end local = end4(addr, port);
	struct glass_sock *s = glass_socket(h.g, GLASS_UDP);

	assert_int_equal(glass_setopt(h.g, s, GLASS_OPT_REUSEADDR, 1), 0);
	assert_int_equal(glass_bind(h.g, s, &local), 0);
	return s;
}

static int setup(void **state)
{
	(void)state;
	host_new(&h, 0);
	peer_introduces(&h);
	a = member(0, 7);
	b = member(0, 7);
	return 0;
}

/* What IGMP says is not the matter here. */
static void drain(void)
{
	host_wait(&h, 5 * S);
	while (host_out(&h, &f))
		host_wait(&h, 0);
}

static int teardown(void **state)
{
	(void)state;
	drain();
	host_free(&h);
	return 0;
}

static void assert_hears(struct glass_sock *s, const char *payload)
{
	char got[64] = { 0 };

	if (!payload) {
		assert_int_equal(glass_recvfrom(h.g, s, got, sizeof(got), NULL), -EAGAIN);
		return;
	}
	assert_int_equal(glass_recvfrom(h.g, s, got, sizeof(got) - 1, NULL), strlen(payload));
	assert_string_equal(got, payload);
}

/* ---- joining --------------------------------------------------------------------------------- */

static void test_errors_of_joining(void **state)
{
	struct glass_sock *tcp = glass_socket(h.g, GLASS_TCP);
	struct glass_group g = { .group = addr4(GROUP), .ifindex = 9 };

	(void)state;
	assert_int_equal(glass_group(h.g, a, GLASS_GROUP_JOIN, &g), -ENODEV);
	g = (struct glass_group){ .group = addr4(GROUP), .via = addr4(PEER) };
	assert_int_equal(glass_group(h.g, a, GLASS_GROUP_JOIN, &g), -ENODEV);
	assert_int_equal(group_call(&h, a, GLASS_GROUP_JOIN, PEER, 0), -EINVAL);
	assert_int_equal(group_call(&h, a, GLASS_GROUP_LEAVE, GROUP, 0), -EADDRNOTAVAIL);
	join(&h, a, GROUP);
	assert_int_equal(group_call(&h, a, GLASS_GROUP_JOIN, GROUP, 0), -EADDRINUSE);
	assert_int_equal(group_call(&h, tcp, GLASS_GROUP_JOIN, GROUP, 0), -EPROTO);
	g = (struct glass_group){ .group = { GLASS_IP6, { 0 } } };
	assert_int_equal(glass_group(h.g, a, GLASS_GROUP_JOIN, &g), -EAFNOSUPPORT);
	assert_int_equal(group_call(&h, a, GLASS_GROUP_DO_COUNT, GROUP, 0), -EINVAL);
}

/* By number, by an address of the device, or by the route: it is one and the same device. */
static void test_ways_to_name_the_device(void **state)
{
	struct glass_group by[] = {
		{ .group = addr4(GROUP), .ifindex = h.dev + 1 },
		{ .group = addr4(GROUP), .via = addr4(US) },
		{ .group = addr4(GROUP) },
	};
	struct glass_maddr_info row;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(glass_group(h.g, a, GLASS_GROUP_JOIN, &by[i]), 0);
		for (unsigned j = 0; j < 3; j++)
			assert_int_equal(glass_group(h.g, a, GLASS_GROUP_JOIN, &by[j]),
					 -EADDRINUSE);
		assert_true(glass_maddr_at(h.g, 2, &row));
		assert_int_equal(row.dev, h.dev);
		assert_int_equal(glass_group(h.g, a, GLASS_GROUP_LEAVE, &by[(i + 1) % 3]), 0);
	}
}

static void test_limits(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20; i++)
		join(&h, a, IP(239, 1, 1, i));
	assert_int_equal(group_call(&h, a, GLASS_GROUP_JOIN, GROUP, 0), -ENOBUFS);
	join(&h, b, GROUP); /* of another socket */
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(group_call(&h, b, GLASS_GROUP_BLOCK, GROUP, IP(10, 0, 0, 30 + i)),
				 0);
	assert_int_equal(group_call(&h, b, GLASS_GROUP_BLOCK, GROUP, SRC1), -ENOBUFS);
	assert_int_equal(glass_tunable_set(h.g, "igmp_groups_max", 21), 0);
	assert_int_equal(group_call(&h, b, GLASS_GROUP_JOIN, OTHER, 0), -ENOBUFS);
	assert_int_equal(group_call(&h, b, GLASS_GROUP_JOIN, IP(239, 1, 1, 3), 0), 0);
}

/* As Linux has it: what each option answers when the membership is not fit for it. */
static void test_errors_of_sources(void **state)
{
	(void)state;
	assert_int_equal(group_call(&h, a, GLASS_GROUP_BLOCK, GROUP, SRC1), -EINVAL);
	assert_int_equal(group_call(&h, a, GLASS_GROUP_BLOCK, PEER, SRC1), -EINVAL);
	join(&h, a, GROUP);
	assert_int_equal(group_call(&h, a, GLASS_GROUP_UNBLOCK, GROUP, SRC1), -EADDRNOTAVAIL);
	assert_int_equal(group_call(&h, a, GLASS_GROUP_BLOCK, GROUP, SRC1), 0);
	assert_int_equal(group_call(&h, a, GLASS_GROUP_BLOCK, GROUP, SRC1), -EADDRNOTAVAIL);
	assert_int_equal(group_call(&h, a, GLASS_GROUP_JOIN_SOURCE, GROUP, SRC2), -EINVAL);
	assert_int_equal(group_call(&h, a, GLASS_GROUP_UNBLOCK, GROUP, SRC1), 0);
	assert_int_equal(group_call(&h, a, GLASS_GROUP_JOIN_SOURCE, GROUP, SRC2), 0);
	assert_int_equal(group_call(&h, a, GLASS_GROUP_BLOCK, GROUP, SRC1), -EINVAL);
	assert_int_equal(group_call(&h, a, GLASS_GROUP_LEAVE_SOURCE, GROUP, SRC1), -EADDRNOTAVAIL);
	assert_int_equal(group_call(&h, a, GLASS_GROUP_LEAVE_SOURCE, GROUP, SRC2), 0);
	assert_int_equal(group_call(&h, a, GLASS_GROUP_LEAVE, GROUP, 0), -EADDRNOTAVAIL);
}

static void test_whole_filter(void **state)
{
	struct glass_group g = { .group = addr4(GROUP), .ifindex = h.dev + 1 };
	struct glass_addr list[12] = { addr4(SRC3), addr4(SRC1), addr4(SRC3) }, got[2];
	bool exclude = true;

	(void)state;
	assert_int_equal(glass_group_set(h.g, a, &g, true, list, 2), -EINVAL);
	assert_int_equal(glass_group_get(h.g, a, &g, &exclude, got, 2), -EADDRNOTAVAIL);
	join(&h, a, GROUP);
	assert_int_equal(glass_group_set(h.g, a, &g, false, list, 3), 0);
	assert_int_equal(glass_group_get(h.g, a, &g, &exclude, got, 1), 2);
	assert_false(exclude);
	assert_memory_equal(got[0].byte, "\12\0\0\25", 4);
	assert_int_equal(glass_group_set(h.g, a, &g, true, list, 12), -ENOBUFS);
	assert_int_equal(glass_group_set(h.g, a, &g, false, NULL, 0), 0); /* leaves */
	assert_int_equal(glass_group_get(h.g, a, &g, &exclude, got, 1), -EADDRNOTAVAIL);
}

/* ---- hearing --------------------------------------------------------------------------------- */

static void test_nobody_has_joined(void **state)
{
	uint8_t mac[6];

	(void)state;
	mac_of_group(GROUP, mac);
	frame_group(&f, PEER, GROUP, 7, "x");
	assert_drops(&h, &f, ETH_GROUP, mac_value(mac), 0);
	join(&h, a, GROUP);
	/* 239.129.2.3 has the same hardware address. */
	frame_group(&f, PEER, IP(239, 129, 2, 3), 7, "x");
	assert_drops(&h, &f, IP_NO_MEMBER, IP(239, 129, 2, 3), 0);
	leave(&h, a, GROUP);
	frame_group(&f, PEER, GROUP, 7, "x");
	assert_drops(&h, &f, ETH_GROUP, mac_value(mac), 0);
	drain();
	frame_group(&f, PEER, GROUP, 7, "x");
	assert_drops(&h, &f, ETH_GROUP, mac_value(mac), 0);
}

static void test_every_member_gets_a_copy(void **state)
{
	struct glass_sock *bound = member(GROUP, 7), *elsewhere = member(US, 7);
	struct glass_sock *other_port = member(0, 8), *deaf = member(0, 7);
	struct glass_dgram info;
	char got[8];

	(void)state;
	join(&h, a, GROUP);
	join(&h, b, GROUP);
	assert_int_equal(glass_setopt(h.g, deaf, GLASS_OPT_MULTICAST_ALL, 0), 0);
	frame_group(&f, PEER, GROUP, 7, "all");
	assert_accepts(&h, &f);
	assert_hears(b, "all");
	assert_hears(bound, "all"); /* as Linux: another's joining is enough */
	assert_hears(elsewhere, NULL);
	assert_hears(other_port, NULL);
	assert_hears(deaf, NULL);
	assert_int_equal(glass_recvfrom(h.g, a, got, 8, &info), 3);
	assert_memory_equal(info.to.addr.byte, "\357\1\2\3", 4);
	assert_memory_equal(info.spec.byte, "\12\0\0\4", 4);
	assert_int_equal(info.dev, h.dev);
	assert_int_equal(stat_value(&h, "IpExt", "InMcastPkts"), 1);
	assert_int_equal(stat_value(&h, "IpExt", "InMcastOctets"), 31);
	glass_close(h.g, bound);
	glass_close(h.g, elsewhere);
	glass_close(h.g, other_port);
	glass_close(h.g, deaf);
}

/* Each hears what its own filter lets through; what none wants ends in IP. */
static void test_sources(void **state)
{
	(void)state;
	assert_int_equal(group_call(&h, a, GLASS_GROUP_JOIN_SOURCE, GROUP, SRC1), 0);
	frame_group(&f, SRC2, GROUP, 7, "x");
	assert_drops(&h, &f, IP_GROUP_SOURCE, SRC2, GROUP);
	join(&h, b, GROUP);
	assert_int_equal(group_call(&h, b, GLASS_GROUP_BLOCK, GROUP, SRC3), 0);
	frame_group(&f, SRC1, GROUP, 7, "1");
	assert_accepts(&h, &f);
	frame_group(&f, SRC2, GROUP, 7, "2");
	assert_accepts(&h, &f);
	frame_group(&f, SRC3, GROUP, 7, "3");
	assert_drops(&h, &f, IP_GROUP_SOURCE, SRC3, GROUP);
	assert_hears(a, "1");
	assert_hears(a, NULL);
	assert_hears(b, "1");
	assert_hears(b, "2");
	assert_hears(b, NULL);
}

/* A group is joined on a device: what comes by another is not heard. */
static void test_other_device(void **state)
{
	struct glass_dev_setup dev = {
		.name = "tap1", .link = GLASS_ETHERNET, .mtu_bytes = 1500, .mac = { 2, 0, 0, 0, 1 }
	};
	struct glass_group g = { .group = addr4(GROUP), .ifindex = 3 };

	(void)state;
	assert_int_equal(glass_dev_add(h.g, &dev), 2);
	assert_int_equal(glass_group(h.g, a, GLASS_GROUP_JOIN, &g), 0);
	frame_group(&f, PEER, GROUP, 7, "x");
	assert_int_equal(host_in(&h, &f), DROP_ETH_GROUP);
	join(&h, b, GROUP);
	assert_int_equal(glass_setopt(h.g, a, GLASS_OPT_MULTICAST_ALL, 0), 0);
	frame_group(&f, PEER, GROUP, 7, "x");
	assert_accepts(&h, &f);
	assert_hears(b, "x");
	assert_hears(a, NULL);
	h.dev = 2;
	frame_group(&f, PEER, GROUP, 7, "y");
	memcpy(f.b + 6, peer_mac, 6);
	assert_accepts(&h, &f);
	assert_hears(a, "y");
	h.dev = 1;
}

/* RFC 1112 7.2: TCP and echo requests to a group are not answered; raw sockets hear of members. */
static void test_raw_sockets(void **state)
{
	struct glass_sock *raw = glass_socket_raw(h.g, 17);
	char got[64];

	(void)state;
	join(&h, a, GROUP);
	frame_group(&f, PEER, GROUP, 7, "x");
	assert_accepts(&h, &f);
	assert_int_equal(glass_recvfrom(h.g, raw, got, 64, NULL), 29);
	assert_hears(a, "x");
	assert_int_equal(group_call(&h, raw, GLASS_GROUP_JOIN_SOURCE, GROUP, SRC1), 0);
	frame_group(&f, PEER, GROUP, 7, "x");
	assert_accepts(&h, &f);
	assert_int_equal(glass_recvfrom(h.g, raw, got, 64, NULL), -EAGAIN);
	assert_hears(a, "x");
	glass_close(h.g, raw);
}

/* ---- sending --------------------------------------------------------------------------------- */

/* The next frame is a datagram to dst. */
static const struct ip4_header *assert_sent(uint32_t dst)
{
	const struct ip4_header *ip;
	const uint8_t *l4;
	uint8_t mac[6];
	size_t bytes;

	assert_true(host_out(&h, &f));
	ip = assert_ip(&f, 17, &l4, &bytes);
	assert_int_equal(be32_get(ip->dst), dst);
	mac_of_group(dst, mac);
	assert_memory_equal(f.b, dst >> 28 == 14 ? mac : all_mac, 6);
	return ip;
}

static void test_own_datagrams_are_heard(void **state)
{
	struct glass_dgram info;
	char got[8];

	(void)state;
	assert_int_equal(send_udp(&h, b, GROUP, 7, "own", 3), 3);
	assert_int_equal(assert_sent(GROUP)->ttl, 1);
	assert_silent(&h);
	assert_hears(a, NULL); /* nobody is a member */
	join(&h, a, GROUP);
	drain();
	assert_int_equal(send_udp(&h, b, GROUP, 7, "own", 3), 3);
	assert_sent(GROUP);
	assert_silent(&h);
	assert_int_equal(glass_recvfrom(h.g, a, got, 8, &info), 3);
	assert_int_equal(info.dev, h.dev); /* as if it had come from the wire */
	assert_memory_equal(info.from.addr.byte, "\12\0\0\4", 4);
	assert_hears(b, "own");
	assert_int_equal(glass_setopt(h.g, b, GLASS_OPT_MULTICAST_LOOP, 0), 0);
	assert_int_equal(send_udp(&h, b, GROUP, 7, "own", 3), 3);
	assert_sent(GROUP);
	assert_silent(&h);
	assert_hears(a, NULL);
	assert_int_equal(send_udp(&h, a, GROUP, 7, "of a", 4), 4); /* a matter of the sender */
	assert_sent(GROUP);
	assert_silent(&h);
	assert_hears(b, "of a");
	assert_hears(a, "of a");
}

/* RFC 1112 6.1: TTL 0 stays here. */
static void test_ttl_0(void **state)
{
	struct glass_dgram info;
	char got[8];

	(void)state;
	join(&h, a, GROUP);
	drain();
	assert_int_equal(glass_setopt(h.g, b, GLASS_OPT_MULTICAST_TTL, 0), 0);
	assert_int_equal(send_udp(&h, b, GROUP, 7, "own", 3), 3);
	assert_silent(&h);
	assert_int_equal(glass_recvfrom(h.g, a, got, 8, &info), 3);
	assert_int_equal(info.ttl, 0);
	assert_int_equal(send_udp(&h, b, OTHER, 7, "own", 3), 3);
	assert_silent(&h);
	assert_hears(b, "own");
	assert_hears(b, NULL);
}

/* What is cut on the wire comes to us whole. */
static void test_large_datagram(void **state)
{
	static char sent[5000], got[5001];
	unsigned pieces = 0;

	(void)state;
	memset(sent, 'x', sizeof(sent));
	join(&h, a, GROUP);
	drain();
	assert_int_equal(send_udp(&h, b, GROUP, 7, sent, sizeof(sent)), sizeof(sent));
	while (host_out(&h, &f))
		pieces++;
	assert_int_equal(pieces, 4);
	assert_int_equal(glass_recvfrom(h.g, a, got, sizeof(got), NULL), sizeof(sent));
	assert_memory_equal(got, sent, sizeof(sent));
}

/* A broadcast is heard by ourselves, too. */
static void test_own_broadcast(void **state)
{
	(void)state;
	assert_int_equal(send_udp(&h, b, IP(10, 0, 0, 255), 7, "x", 1), -EACCES);
	assert_int_equal(glass_setopt(h.g, b, GLASS_OPT_BROADCAST, 1), 0);
	assert_int_equal(send_udp(&h, b, IP(10, 0, 0, 255), 7, "x", 1), 1);
	assert_sent(IP(10, 0, 0, 255));
	assert_silent(&h);
	assert_hears(a, "x");
	assert_hears(b, "x");
	assert_int_equal(send_udp(&h, b, UINT32_MAX, 7, "y", 1), 1);
	assert_sent(UINT32_MAX);
	assert_silent(&h);
	assert_hears(a, "y");
	assert_int_equal(stat_value(&h, "IpExt", "OutBcastPkts"), 2);
	assert_int_equal(stat_value(&h, "IpExt", "InBcastPkts"), 2);
}

/* IP_MULTICAST_IF: which device; and lo, which only leads back. */
static void test_device_to_send_by(void **state)
{
	struct glass_group on_lo = { .group = addr4(GROUP), .ifindex = 1 };
	int64_t v;

	(void)state;
	assert_int_equal(glass_setopt(h.g, b, GLASS_OPT_MULTICAST_IF, (int64_t)9 << 32),
			 -EADDRNOTAVAIL);
	assert_int_equal(glass_setopt(h.g, b, GLASS_OPT_MULTICAST_IF, PEER), -EADDRNOTAVAIL);
	assert_int_equal(glass_setopt(h.g, b, GLASS_OPT_MULTICAST_IF, IP(127, 0, 0, 1)), 0);
	assert_int_equal(glass_getopt(h.g, b, GLASS_OPT_MULTICAST_IF, &v), 0);
	assert_int_equal(v & UINT32_MAX, IP(127, 0, 0, 1));
	assert_int_equal(glass_group(h.g, a, GLASS_GROUP_JOIN, &on_lo), 0);
	assert_int_equal(send_udp(&h, b, GROUP, 7, "lo", 2), 2);
	assert_silent(&h);
	assert_hears(a, "lo");
	assert_int_equal(glass_setopt(h.g, b, GLASS_OPT_MULTICAST_IF, 0), 0);
	assert_int_equal(send_udp(&h, b, GROUP, 7, "tap", 3), 3);
	assert_sent(GROUP);
	assert_silent(&h);
	assert_hears(a, NULL); /* joined on another device */
}

/* ---- looking in ------------------------------------------------------------------------------ */

static void test_rows(void **state)
{
	const uint32_t two[] = { SRC1, SRC2 };
	struct glass_maddr_info row;

	(void)state;
	assert_true(glass_maddr_at(h.g, 0, &row));
	assert_int_equal(row.dev, 0);
	assert_int_equal(row.version, 0);
	assert_true(glass_maddr_at(h.g, 1, &row));
	assert_int_equal(row.dev, 1);
	assert_memory_equal(row.mac, "\1\0\136\0\0\1", 6);
	assert_memory_equal(row.group.byte, "\340\0\0\1", 4);
	assert_false(glass_maddr_at(h.g, 2, &row));
	join(&h, a, GROUP);
	join(&h, b, GROUP);
	set_filter(&h, a, GROUP, true, two, 2);
	set_filter(&h, b, GROUP, true, two, 1);
	assert_true(glass_maddr_at(h.g, 2, &row));
	assert_int_equal(row.users, 2);
	assert_true(row.exclude);
	assert_int_equal(row.nsources, 1);
	assert_int_equal(row.version, 3);
	assert_memory_equal(row.source[0].byte, "\12\0\0\25", 4);
	leave(&h, a, GROUP);
	leave(&h, b, GROUP);
	assert_false(glass_maddr_at(h.g, 2, &row)); /* though its end is still being told */
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_errors_of_joining),
		T(test_ways_to_name_the_device),
		T(test_limits),
		T(test_errors_of_sources),
		T(test_whole_filter),
		T(test_nobody_has_joined),
		T(test_every_member_gets_a_copy),
		T(test_sources),
		T(test_other_device),
		T(test_raw_sockets),
		T(test_own_datagrams_are_heard),
		T(test_ttl_0),
		T(test_large_datagram),
		T(test_own_broadcast),
		T(test_device_to_send_by),
		T(test_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
