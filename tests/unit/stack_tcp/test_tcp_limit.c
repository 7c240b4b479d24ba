/* SPDX-License-Identifier: MIT */
/* The account of a connection's time when its neighbour does not answer, and when there is no
 * memory for it. */
#include "../frames.h"

#include "../../../src/stack/stack.h"

static struct host h;
static struct frame f;

static void drain(void)
{
	while (host_out(&h, &f))
		;
}

static struct glass_sock *connecting(void)
{
	struct glass_sock *s = glass_socket(h.g, GLASS_TCP);
	const struct glass_end peer = { glass_ip4(10, 0, 0, 9), 80 };

	assert_non_null(s);
	assert_int_equal(glass_connect(h.g, s, &peer), -EINPROGRESS);
	drain();
	return s;
}

static struct glass_conn_info info_of(struct glass_sock *s)
{
	struct glass_conn_info info;
	int64_t sum = 0;

	assert_int_equal(glass_sock_info(h.g, s, &info), 0);
	for (unsigned i = 0; i < GLASS_LIMIT_COUNT; i++)
		sum += info.limit_ns[i];
	assert_int_equal(sum, info.life_ns);
	return info;
}

/* The SYN waits in the neighbour's queue: what the timer waited for is the neighbour's. */
static void neighbour(void **state)
{
	struct glass_conn_info info;
	struct glass_sock *s;

	(void)state;
	host_new(&h, 0);
	s = connecting();
	host_wait(&h, NS_PER_S);
	drain();
	host_wait(&h, NS_PER_S / 2);
	info = info_of(s);
	assert_int_equal(info.limit_ns[GLASS_LIMIT_NEIGHBOUR], NS_PER_S);
	assert_int_equal(info.limit_ns[GLASS_LIMIT_HANDSHAKE], NS_PER_S / 2);
	glass_abort(h.g, s);
	drain();
	host_free(&h);
}

/* No memory for the table: the change does not take place, the sum stays right. */
static void no_memory(void **state)
{
	struct glass_conn_info info;
	struct glass_sock *s;

	(void)state;
	host_new(&h, 0);
	s = connecting();
	h.g->pool.bytes_max = h.g->pool.bytes;
	host_wait(&h, NS_PER_S);
	info = info_of(s);
	assert_int_equal(info.limit_ns[GLASS_LIMIT_NEIGHBOUR], 0);
	assert_int_equal(info.limit_ns[GLASS_LIMIT_HANDSHAKE], NS_PER_S);
	h.g->pool.bytes_max = 1 << 30;
	glass_abort(h.g, s);
	drain();
	host_free(&h);
}

/* No memory for a frame; the timer tries again. */
static void frame(void **state)
{
	struct glass_sock *l, *s, *taken;
	const struct glass_end us = { glass_ip4(10, 0, 0, 4), 80 };

	(void)state;
	host_new(&h, 0);
	l = glass_socket(h.g, GLASS_TCP);
	s = glass_socket(h.g, GLASS_TCP);
	assert_int_equal(glass_bind(h.g, l, &us), 0);
	assert_int_equal(glass_listen(h.g, l, 5), 0);
	assert_int_equal(glass_connect(h.g, s, &us), -EINPROGRESS);
	drain();
	taken = glass_accept(h.g, l);
	assert_non_null(taken);
	assert_int_equal(glass_send(h.g, s, "a table", 7), 7);
	drain();
	assert_int_equal(glass_send(h.g, s, "hello", 5), 5);
	h.g->pool.bytes_max = h.g->pool.bytes;
	drain();
	assert_int_equal(info_of(s).limiter, GLASS_LIMIT_MEMORY);
	h.g->pool.bytes_max = 1 << 30;
	host_wait(&h, NS_PER_S);
	drain();
	assert_int_equal(info_of(s).limiter, GLASS_LIMIT_APPLICATION);
	assert_int_equal(info_of(s).limit_ns[GLASS_LIMIT_MEMORY], NS_PER_S);
	assert_int_equal(info_of(taken).recv_q, 12);
	glass_abort(h.g, s);
	glass_close(h.g, taken);
	glass_close(h.g, l);
	drain();
	host_free(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(neighbour),
		cmocka_unit_test(no_memory),
		cmocka_unit_test(frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
