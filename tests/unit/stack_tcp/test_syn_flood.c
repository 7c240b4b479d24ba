/* SPDX-License-Identifier: MIT */
/*
 * RFC 4987: a flood of SYNs from forged addresses at a listener. Memory stays flat, who means it is
 * served, and the connection that was there before notices nothing.
 */
#include "segments.h"

#define SYNS 200000
#define SYN_EVERY_NS 20000 /* 50,000 per second */
#define HONEST_EVERY 2000
#define PORT 80

static struct host h;
static struct frame f;
static struct glass_sock *listener;

static void drain(void)
{
	struct frame out;

	while (host_out(&h, &out))
		;
}

static uint64_t memory(void)
{
	struct glass_memory m;

	glass_memory(h.g, &m);
	return m.bytes;
}

static void forged_syn(uint32_t i)
{
	const struct segment s = {
		.src = 0xac100000u + i * 2654435761u % 0xffff0, /* 172.16/12, by the gateway */
		.dst = US,
		.sport = (uint16_t)(1024 + i % 60000),
		.dport = PORT,
		.seq = i * 40503u,
		.flags = TCP_SYN,
		.opt = { .mss_ok = true,
			 .mss = 1460,
			 .wscale_ok = true,
			 .wscale = 7,
			 .sack_permitted = true,
			 .timestamps = true,
			 .tsval = i },
	};

	frame_tcp(&f, &s);
	host_in(&h, &f);
	drain();
	host_wait(&h, SYN_EVERY_NS);
	drain();
}

/* What the stack has to say to that port of the peer; false: nothing. */
static bool answer(uint16_t port, struct segment *out)
{
	struct frame got;

	while (host_out(&h, &got))
		if (segment_of(&got, out) && out->dst == PEER && out->dport == port)
			return true;
	return false;
}

/* One handshake in the midst of it. Answers the program's socket. */
static struct glass_sock *honest(uint16_t port, struct segment *peer)
{
	struct segment in;
	struct glass_sock *s;

	*peer = (struct segment){
		.src = PEER, .dst = US, .sport = port, .dport = PORT, .seq = 7000
	};
	peer->flags = TCP_SYN;
	peer->opt =
		(struct tcp_options){ .mss_ok = true, .mss = 1400, .wscale_ok = true, .wscale = 5 };
	peer->opt.timestamps = true;
	peer->opt.sack_permitted = true;
	frame_tcp(&f, peer);
	assert_accepts(&h, &f);
	assert_true(answer(port, &in));
	assert_int_equal(in.flags, TCP_SYN | TCP_ACK);
	host_wait(&h, 30 * MS);

	peer->flags = TCP_ACK;
	peer->seq++;
	peer->ack = in.seq + 1;
	peer->opt = (struct tcp_options){ .timestamps = true, .tsecr = in.opt.tsval };
	frame_tcp(&f, peer);
	assert_accepts(&h, &f);
	s = glass_accept(h.g, listener);
	assert_non_null(s);
	return s;
}

/* Bytes there and back. */
static void talk(struct glass_sock *s, struct segment *peer)
{
	struct segment in;
	char got[8];

	peer->data = "ping";
	peer->len = 4;
	peer->flags = TCP_ACK | TCP_PSH;
	frame_tcp(&f, peer);
	assert_accepts(&h, &f);
	peer->seq += 4;
	assert_int_equal(glass_recv(h.g, s, got, sizeof(got)), 4);
	assert_memory_equal(got, "ping", 4);
	assert_int_equal(glass_send(h.g, s, "pong", 4), 4);
	while (answer(peer->sport, &in) && !in.len)
		;
	assert_int_equal(in.len, 4);
	assert_memory_equal(in.data, "pong", 4);
	peer->ack += 4;
	peer->len = 0;
	peer->flags = TCP_ACK;
	frame_tcp(&f, peer);
	assert_accepts(&h, &f);
}

static void flood(unsigned syncookies, unsigned *served)
{
	struct glass_sock *old, *s;
	struct segment old_peer, peer;
	uint64_t before, flat = 0;

	assert_int_equal(glass_tunable_set(h.g, "tcp_syncookies", syncookies), 0);
	old = honest(999, &old_peer);
	talk(old, &old_peer);
	before = memory();
	for (uint32_t i = 0; i < SYNS; i++) {
		forged_syn(i);
		if (i == 5000) /* the queue is full long since */
			flat = memory();
		if (i > 5000)
			assert_true(memory() <= flat);
		if (i % HONEST_EVERY != HONEST_EVERY - 1)
			continue;
		s = honest((uint16_t)(2000 + i / HONEST_EVERY), &peer);
		talk(s, &peer);
		talk(old, &old_peer);
		glass_abort(h.g, s);
		drain();
		++*served;
	}
	assert_true(flat - before < 512 * 300); /* a queue of embryos, and nothing else */
	for (unsigned i = 0; i < 2000; i++) {	/* until the last embryo is forgotten */
		host_wait(&h, 100 * MS);
		drain();
	}
	assert_true(memory() <= before);
	talk(old, &old_peer);
	glass_close(h.g, old);
}

static int setup(void **state)
{
	const struct glass_end any = end4(0, PORT);

	(void)state;
	host_new(&h, 0);
	peer_introduces(&h);
	introduce(&h, IP(10, 0, 0, 1));
	listener = glass_socket(h.g, GLASS_TCP);
	return glass_bind(h.g, listener, &any) || glass_listen(h.g, listener, 511);
}

static int teardown(void **state)
{
	(void)state;
	glass_close(h.g, listener);
	host_free(&h);
	return 0;
}

static void cookies_serve_everybody(void **state)
{
	unsigned served = 0;

	(void)state;
	flood(1, &served);
	assert_int_equal(served, SYNS / HONEST_EVERY);
	assert_true(stat_value(&h, "TcpExt", "SyncookiesSent") > SYNS / 2);
	assert_int_equal(stat_value(&h, "TcpExt", "SyncookiesFailed"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(cookies_serve_everybody, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
