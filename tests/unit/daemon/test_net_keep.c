/* SPDX-License-Identifier: MIT */
/*
 * A bad network in a takeover: whatever is set, the frames that come afterwards meet the fate that
 * they would have met without one, at the same time.
 */
#include "../base/unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../../src/base/cbpf.h"
#include "../../../src/base/save.h"
#include "../../../src/daemon/net_wire.h"
#include "../../../src/dev/dev_io.h"

#include "attached.h"
#include "without_loop.h"

#define MS 1000000ll
#define FRAMES 300
#define LOG_BYTES 65536

static struct dev_io io;
static struct daemon d;
static int64_t time_ns;
static char told[2][LOG_BYTES], *tells; /* which frame left when, without a takeover and with */
static size_t told_bytes;
static uint8_t kept[1 << 20];
static size_t kept_bytes;
static unsigned dev;

int64_t clock_now_ns(void)
{
	return time_ns;
}

void loop_send(struct daemon *daemon, const struct glass_frame *frame)
{
	const uint8_t *b = frame->iov[0].base;

	(void)daemon;
	told_bytes +=
		(size_t)snprintf(tells + told_bytes, LOG_BYTES - told_bytes, "%lld %u.%u %zu\n",
				 (long long)time_ns, b[40], b[41], frame->length);
	assert_true(told_bytes < LOG_BYTES);
}

static void start(void)
{
	struct glass_setup how = { .seed = { 1, 2 }, .now_ns = MS };

	time_ns = MS;
	told_bytes = 0;
	d = (struct daemon){ .g = glass_new(&how) };
	io.setup = (struct glass_dev_setup){
		.name = "t", .link = GLASS_ETHERNET, .mac = { 2, 0, 0, 0, 0, 9 }, .mtu_bytes = 1500
	};
	dev = (unsigned)glass_dev_add(d.g, &io.setup);
	d.dev[dev] = &io;
	assert_int_equal(glass_addr_add(d.g, dev, glass_ip4(10, 0, 0, 4), 16), 0);
	for (struct glass_frame f; glass_output(d.g, &f);)
		;
}

/* ---- what is set ---- */

/* Words that name filter 0, ARP on Ethernet, and the recorded link 0. */
static void set(const char *words)
{
	static const struct cbpf_insn arp[] = {
		{ 0x28, 0, 0, 12 }, { 0x15, 0, 1, 0x806 }, { 0x06, 0, 0, 1 }, { 0x06, 0, 0, 0 }
	};
	static const uint32_t at_ms[] = { 3, 3, 9, 40, 41 };
	uint8_t blob[512] = { 0 };
	int fd = memfd_create("test", 0);
	char text[2048];
	size_t n;

	n = attach(blob, ABI_ATTACHED_FILTER, "arp", arp, 4, sizeof(arp[0]));
	n += attach(blob + n, ABI_ATTACHED_TRACE, "lte.up", at_ms, 5, sizeof(at_ms[0]));
	assert_int_equal(write(fd, blob, n), (ssize_t)n);
	if (net_command(&d, words, fd, text, sizeof(text)))
		fail_msg("%s", text);
	close(fd);
}

/* ---- a takeover ---- */

static int put(void *arg, const void *bytes, size_t n)
{
	(void)arg;
	assert_true(kept_bytes + n <= sizeof(kept));
	memcpy(kept + kept_bytes, bytes, n);
	kept_bytes += n;
	return 0;
}

static void keep(void)
{
	struct save *s = save_writer(put, NULL);

	kept_bytes = 0;
	net_wire_keep(s, &d);
	assert_int_equal(save_finish(s), 0);
	assert_null(save_fault(s));
	save_free(s);
}

/* NULL, or what is wrong with it. */
static const char *go_on(size_t bytes)
{
	struct save *s = save_reader(kept, bytes);
	const char *why;

	net_wire_keep(s, &d);
	save_check(s, save_over(s), "something is left");
	why = save_fault(s);
	save_free(s);
	return why;
}

static void take_over(void)
{
	keep();
	net_fini(&d);
	assert_null(go_on(kept_bytes));
}

/* ---- frames ---- */

/* An ARP request for somebody whom nobody has asked for yet. */
static void send(unsigned i)
{
	struct glass_end to = { glass_ip4(10, 0, (uint8_t)(1 + i / 250), (uint8_t)(1 + i % 250)),
				9 };
	struct glass_sock *s = glass_socket(d.g, GLASS_UDP);
	struct glass_frame f;

	glass_advance(d.g, time_ns);
	assert_int_equal(glass_sendto(d.g, s, "hello", 5, &to), 5);
	while (glass_output(d.g, &f))
		assert_true(net_takes_out(&d, &f));
	glass_close(d.g, s);
}

static void run(const char *words, bool takeovers, char *log)
{
	start();
	tells = log;
	set(words);
	for (unsigned i = 0; i < FRAMES; i++) {
		send(i);
		time_ns += 700000;
		net_advance(&d, time_ns);
		if (takeovers && i % 37 == 36)
			take_over();
	}
	net_fini(&d);
	glass_free(d.g);
}

static void test_no_fate_changes(void **state)
{
	static const char *const networks[] = {
		"set out loss 30% 40% duplicate 10% 20% corrupt 5% 10% seed 3",
		"set out delay 20ms 5ms 30% reorder 20% 10% seed 4",
		"set out delay 20ms 15ms seed 10",
		"set out loss gemodel 10% 30% 80% 1% seed 5",
		"set out loss state 10% 40% 20% 30% 5% seed 6",
		"set out rate 300kbit limit 20 seed 7",
		"set out trace 0 limit 20 seed 8",
		"set out drop nth 3 filter 0 drop every 7 arp seed 9",
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(networks) / sizeof(networks[0]); i++) {
		run(networks[i], false, told[0]);
		assert_true(told_bytes > 1000);
		run(networks[i], true, told[1]);
		if (strcmp(told[0], told[1]) != 0)
			fail_msg("another fate: %s", networks[i]);
	}
}

/* A span that no arithmetic survives. */
static void test_nonsense(void **state)
{
	(void)state;
	start();
	tells = told[0];
	set("set out delay 9ms seed 8");
	d.wire->direction[IMPAIR_OUT].way.jitter_ns = -1;
	keep();
	net_fini(&d);
	assert_string_equal(go_on(kept_bytes), "a bad network is damaged");
	net_fini(&d);
	glass_free(d.g);
}

/* Cut anywhere, or with another byte: refused or not, nothing is read that is not there. */
static void test_damage(void **state)
{
	(void)state;
	start();
	tells = told[0];
	set("set out trace 0 limit 20 drop nth 3 filter 0 delay 9ms seed 8");
	for (unsigned i = 0; i < 9; i++)
		send(i);
	keep();
	for (size_t n = 0; n < kept_bytes; n++) {
		net_fini(&d);
		go_on(n);
	}
	for (size_t i = 0; i < kept_bytes; i++) {
		kept[i] ^= 0x15;
		net_fini(&d);
		if (!go_on(kept_bytes))
			send(100);
		kept[i] ^= 0x15;
	}
	net_fini(&d);
	assert_null(go_on(kept_bytes));
	net_fini(&d);
	glass_free(d.g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_fate_changes),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
