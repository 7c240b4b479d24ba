/* SPDX-License-Identifier: MIT */
/* Two joined devices: order, offload data, limits, and what is left when one end closes. */
#include "../base/unit.h"

#include "../../../src/base/pkt.h"
#include "../../../src/dev/dev_io.h"

#include <errno.h>

static struct glass *g;
static struct dev_io *pair[2];

static int setup(void **state)
{
	struct glass_setup how = { .seed = { 1, 2 } };

	(void)state;
	g = glass_new(&how);
	return g ? pipe_open(pair, 1500, GLASS_OFFLOAD_CSUM | GLASS_OFFLOAD_TSO) : -1;
}

static int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		if (pair[i])
			pair[i]->ops->close(pair[i]);
		pair[i] = NULL;
	}
	glass_free(g);
	return 0;
}

static int send_text(struct dev_io *io, const char *a, const char *b)
{
	struct glass_frame f = { .niov = 2, .iov = { { a, strlen(a) }, { b, strlen(b) } } };

	f.length = f.iov[0].len + f.iov[1].len;
	f.off = (struct glass_offload){ .gso_size = 7, .csum_partial = true, .csum_start = 34 };
	return io->ops->send(io, &f);
}

static void expect(struct dev_io *io, const char *text)
{
	struct pkt *p = glass_pkt_new(g, 100);

	assert_int_equal(io->ops->receive(io, p), text ? 1 : 0);
	if (text) {
		assert_int_equal(p->len, strlen(text));
		assert_memory_equal(p->data, text, p->len);
		assert_int_equal(p->gso_size, 7);
		assert_true(p->flags & PKT_CSUM_PARTIAL);
	}
	glass_pkt_free(g, p);
}

static void test_order(void **state)
{
	(void)state;
	expect(pair[1], NULL);
	assert_int_equal(send_text(pair[0], "on", "e"), 0);
	assert_int_equal(send_text(pair[0], "tw", "o"), 0);
	assert_int_equal(send_text(pair[1], "back", ""), 0);
	expect(pair[1], "one");
	expect(pair[1], "two");
	expect(pair[1], NULL);
	expect(pair[0], "back");
	expect(pair[0], NULL);
	assert_int_equal(send_text(pair[0], "", "three"), 0); /* after it was empty */
	expect(pair[1], "three");
}

static void test_limit(void **state)
{
	int n = 0;

	(void)state;
	while (!send_text(pair[0], "x", "y"))
		n++;
	assert_int_equal(n, 256);
	assert_int_equal(send_text(pair[0], "x", "y"), -EAGAIN);
	expect(pair[1], "xy");
	assert_int_equal(send_text(pair[0], "x", "y"), 0);
}

/* As TAP does: what does not fit is cut. */
static void test_cut(void **state)
{
	struct pkt *p = glass_pkt_new(g, 200);
	static char text[5000];
	size_t room;

	(void)state;
	glass_pkt_room(p, &room);
	memset(text, 'x', sizeof(text) - 1);
	assert_true(room < sizeof(text) - 1);
	assert_int_equal(send_text(pair[0], text, ""), 0);
	assert_int_equal(pair[1]->ops->receive(pair[1], p), 1);
	assert_int_equal(p->len, room);
	glass_pkt_free(g, p);
}

static void test_peer_closed(void **state)
{
	(void)state;
	send_text(pair[0], "on its way", "");
	pair[0]->ops->close(pair[0]);
	pair[0] = NULL;
	expect(pair[1], "on its way");
	assert_int_equal(send_text(pair[1], "to nobody", ""), -EBADFD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(test_peer_closed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
