/* SPDX-License-Identifier: MIT */
/*
 * Black holes: their words, the ARP answer, what is swallowed and what is not. On a whole stack,
 * over TAP's and TUN's links.
 */
#include "../base/unit.h"

#include "../../../src/daemon/daemon.h"
#include "../../../src/dev/dev_io.h"

#include "without_loop.h"

#include <errno.h>
#include <stdio.h>

static struct dev_io io;
static struct daemon d;
static int64_t time_ns;
static char text[1024];

int64_t clock_now_ns(void)
{
	return time_ns;
}

void loop_send(struct daemon *daemon, const struct glass_frame *frame)
{
	(void)daemon;
	(void)frame;
	fail(); /* nothing is held here */
}

static int frames_leaving(void);

/* A stack 10.0.0.4/24 on one device of that kind. */
static void start(enum glass_link link)
{
	struct glass_setup how = { .seed = { 1, 2 } };
	int dev;

	time_ns = 0;
	d = (struct daemon){ .g = glass_new(&how) };
	io.setup = (struct glass_dev_setup){
		.name = "t", .link = link, .mac = { 2, 0, 0, 0, 0, 9 }, .mtu_bytes = 1500
	};
	dev = glass_dev_add(d.g, &io.setup);
	assert_true(dev > 0);
	d.dev[dev] = &io;
	assert_int_equal(glass_addr_add(d.g, (unsigned)dev, glass_ip4(10, 0, 0, 4), 24), 0);
	frames_leaving(); /* the address is announced */
}

static void stop(void)
{
	net_fini(&d);
	glass_free(d.g);
}

static void datagram_to(unsigned last)
{
	struct glass_end to = { glass_ip4(10, 0, 0, last), 9 };
	struct glass_sock *s = glass_socket(d.g, GLASS_UDP);

	assert_int_equal(glass_sendto(d.g, s, "hello", 5, &to), 5);
	glass_close(d.g, s);
}

/* All frames that want to leave: how many do. */
static int frames_leaving(void)
{
	struct glass_frame f;
	int n = 0;

	while (glass_output(d.g, &f))
		n += !net_swallows(&d, &f);
	return n;
}

static uint64_t drops(const char *name)
{
	struct glass_stat s;

	for (unsigned i = 0; glass_stat_at(d.g, i, &s); i++) {
		if (!strcmp(s.name, name))
			return s.value;
	}
	fail();
	return 0;
}

static void test_answers_arp_and_swallows(void **state)
{
	struct glass_neigh_info neigh;

	(void)state;
	start(GLASS_ETHERNET);
	assert_int_equal(net_command(&d, "blackhole 10.0.0.6", -1, text, sizeof(text)), 0);
	datagram_to(6);
	assert_int_equal(frames_leaving(), 0); /* the request is answered, the datagram swallowed */
	assert_true(glass_neigh_at(d.g, 0, &neigh));
	assert_string_equal(neigh.state, "REACHABLE");
	assert_memory_equal(neigh.mac, "\x02\xb1\x0a\x00\x00\x06", 6);
	assert_int_equal(drops("BLACKHOLE"), 1);
	datagram_to(6);
	assert_int_equal(frames_leaving(), 0);
	assert_int_equal(drops("BLACKHOLE"), 2);
	assert_int_equal(net_command(&d, "show", -1, text, sizeof(text)), 0);
	assert_string_equal(text, "blackhole 10.0.0.6 swallowed 2 answered 1\n");
	datagram_to(7);
	assert_int_equal(frames_leaving(), 1); /* somebody else's request */
	stop();
}

static void test_raw_ip(void **state)
{
	(void)state;
	start(GLASS_RAW_IP);
	assert_int_equal(net_command(&d, "blackhole 10.0.0.6", -1, text, sizeof(text)), 0);
	datagram_to(6);
	datagram_to(7);
	assert_int_equal(frames_leaving(), 1);
	assert_int_equal(drops("BLACKHOLE"), 1);
	stop();
}

static void test_words(void **state)
{
	(void)state;
	start(GLASS_ETHERNET);
	assert_int_equal(net_command(&d, "", -1, text, sizeof(text)), 0);
	assert_non_null(strstr(text, "no black holes"));
	assert_int_equal(net_command(&d, "blackhole", -1, text, sizeof(text)), -EINVAL);
	assert_int_equal(net_command(&d, "blackhole ten", -1, text, sizeof(text)), -EINVAL);
	assert_non_null(strstr(text, "'ten'"));
	assert_int_equal(net_command(&d, "swallow 10.0.0.6", -1, text, sizeof(text)), -EINVAL);
	assert_int_equal(net_command(&d, "clear 10.0.0.6", -1, text, sizeof(text)), -ENOENT);
	assert_int_equal(net_command(&d, "blackhole 10.0.0.6", -1, text, sizeof(text)), 0);
	assert_int_equal(net_command(&d, "blackhole 10.0.0.6", -1, text, sizeof(text)), -EEXIST);
	assert_int_equal(net_command(&d, "blackhole 10.0.0.7", -1, text, sizeof(text)), 0);
	assert_int_equal(net_command(&d, "clear 10.0.0.6", -1, text, sizeof(text)), 0);
	datagram_to(6);
	assert_int_equal(frames_leaving(), 1);
	assert_int_equal(net_command(&d, "clear", -1, text, sizeof(text)), 0);
	assert_string_equal(text, "1 black holes cleared, the network is as it is\n");
	assert_int_equal(net_command(&d, "set delay 40", -1, text, sizeof(text)), -EINVAL);
	assert_non_null(strstr(text, "40ms"));
	assert_int_equal(net_command(&d, "set out delay 40ms seed 5", -1, text, sizeof(text)), 0);
	assert_non_null(strstr(text, "out delay 40ms seed 5\n frames 0 bytes 0 lost 0"));
	assert_int_equal(net_command(&d, " show ", -1, text, sizeof(text)), 0);
	assert_non_null(strstr(text, "out delay 40ms"));
	assert_int_equal(net_command(&d, "del sideways", -1, text, sizeof(text)), -EINVAL);
	assert_int_equal(net_command(&d, "del out", -1, text, sizeof(text)), 0);
	assert_int_equal(net_command(&d, "show", -1, text, sizeof(text)), 0);
	assert_non_null(strstr(text, "nothing set"));
	stop();
}

static void test_limit(void **state)
{
	int rc = 0, n = 0;

	(void)state;
	start(GLASS_ETHERNET);
	for (; !rc && n < 1000; n++) {
		char words[64];

		snprintf(words, sizeof(words), "blackhole 10.0.%d.%d", n / 250 + 1, n % 250 + 1);
		rc = net_command(&d, words, -1, text, sizeof(text));
	}
	assert_int_equal(rc, -ENOSPC);
	assert_int_equal(n, 65);
	assert_int_equal(net_command(&d, "show", -1, text, sizeof(text)),
			 0); /* cut, not overflown */
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers_arp_and_swallows),
		cmocka_unit_test(test_raw_ip),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
