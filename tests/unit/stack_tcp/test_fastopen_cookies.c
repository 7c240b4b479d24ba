/* SPDX-License-Identifier: MIT */
/*
 * What a client remembers of servers that do fast open (RFC 7413 4.1.3): bounded memory, whoever
 * was used longest ago goes first; and the server's cookies, which are of one pair of addresses
 * each.
 */
#include "segments.h"

#define SERVERS 2000u
#define FIRST (10u << 24 | 1u << 16)

static struct host h;
static struct frame f;

static int setup(void **state)
{
	(void)state;
	host_new(&h, 0);
	peer_introduces(&h);
	/* All of them lie behind the peer. */
	assert_int_equal(glass_route_add(h.g, glass_ip4(10, 1, 0, 0), 16, end4(PEER, 0).addr, 1),
			 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	host_free(&h);
	return 0;
}

/* The SYN of a fast open to server i with one byte. */
static struct glass_sock *connect_to(uint32_t i, struct segment *syn)
{
	const struct glass_end remote = end4(FIRST + i, 80);
	struct glass_sock *s = glass_socket(h.g, GLASS_TCP);

	assert_non_null(s);
	glass_connect_send(h.g, s, &remote, "x", 1);
	do
		assert_true(host_out(&h, &f));
	while (!segment_of(&f, syn) || !(syn->flags & TCP_SYN));
	return s;
}

/* Server i tells its cookie, which is i. */
static void learn(uint32_t i)
{
	struct segment syn, answer;
	struct glass_sock *s = connect_to(i, &syn);

	assert_true(syn.opt.fastopen);
	answer = (struct segment){ .src = syn.dst,
				   .dst = syn.src,
				   .sport = syn.dport,
				   .dport = syn.sport,
				   .seq = 1,
				   .ack = syn.seq + 1,
				   .flags = TCP_SYN | TCP_ACK,
				   .opt = { .fastopen = true, .cookie_len = 4 } };
	memcpy(answer.opt.cookie, &i, 4);
	frame_tcp(&f, &answer);
	host_in(&h, &f);
	glass_abort(h.g, s);
	while (host_out(&h, &f))
		;
	host_wait(&h, MS);
}

/* Its cookie is known, and right. */
static bool known(uint32_t i)
{
	struct segment syn;
	struct glass_sock *s = connect_to(i, &syn);

	glass_abort(h.g, s);
	while (host_out(&h, &f))
		;
	host_wait(&h, MS);
	if (!syn.opt.cookie_len)
		return false;
	assert_int_equal(syn.opt.cookie_len, 4);
	assert_memory_equal(syn.opt.cookie, &i, 4);
	assert_int_equal(syn.len, 1);
	return true;
}

static void many_servers(void **state)
{
	struct glass_memory before, after;
	unsigned n = 0, late = 0;

	(void)state;
	learn(0);
	assert_true(known(0)); /* the first bytes that are sent cost a buffer */
	glass_memory(h.g, &before);
	for (uint32_t i = 1; i < SERVERS; i++) {
		learn(i);
		assert_true(known(i));
		if (i % 8 == 0)
			assert_true(known(0)); /* in use: it stays */
	}
	glass_memory(h.g, &after);
	assert_true(after.bytes <= before.bytes + 4096);
	for (uint32_t i = 0; i < SERVERS; i++) {
		if (!known(i))
			continue;
		n++;
		late += i >= SERVERS - 400;
	}
	assert_true(known(0));
	assert_in_range(n, 200, 256);
	assert_true(late > n * 3 / 4); /* the newest are there */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(many_servers, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
