/* SPDX-License-Identifier: MIT */
/*
 * A bad network between a stack and its device: what is lost, held, cut; and that the stack's
 * account tells it.
 */
#include "../base/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../../src/base/cbpf.h"
#include "../../../src/daemon/daemon.h"
#include "../../../src/dev/dev_io.h"
#include "../../dialogue/seg.h"

#include "attached.h"
#include "without_loop.h"

#define MS 1000000ll
#define SENT_MAX 64

static struct dev_io io;
static struct daemon d;
static int64_t time_ns;
static char text[2048];
static unsigned dev, sent, sent_bytes;
static uint8_t last[SEG_FRAME_MAX];

int64_t clock_now_ns(void)
{
	return time_ns;
}

void loop_send(struct daemon *daemon, const struct glass_frame *frame)
{
	assert_ptr_equal(daemon, &d);
	assert_int_equal(frame->dev, dev);
	sent++;
	sent_bytes += (unsigned)frame->length;
	memcpy(last, frame->iov[0].base, frame->iov[0].len);
}

static void start(const char *words)
{
	struct glass_setup how = { .seed = { 1, 2 } };

	time_ns = MS;
	sent = sent_bytes = 0;
	d = (struct daemon){ .g = glass_new(&how) };
	io.setup = (struct glass_dev_setup){ .name = "t",
					     .link = GLASS_ETHERNET,
					     .mac = { 2, 0, 0, 0, 0, 9 },
					     .mtu_bytes = 1500,
					     .offload = GLASS_OFFLOAD_CSUM | GLASS_OFFLOAD_TSO };
	dev = (unsigned)glass_dev_add(d.g, &io.setup);
	d.dev[dev] = &io;
	assert_int_equal(glass_addr_add(d.g, dev, glass_ip4(10, 0, 0, 4), 24), 0);
	for (struct glass_frame f; glass_output(d.g, &f);) /* the address is announced */
		;
	if (net_command(&d, words, -1, text, sizeof(text)))
		fail_msg("%s", text);
}

static void stop(void)
{
	net_fini(&d);
	glass_free(d.g);
}

static uint64_t stat_of(const char *name)
{
	struct glass_stat s;

	for (unsigned i = 0; glass_stat_at(d.g, i, &s); i++) {
		if (!strcmp(s.name, name))
			return s.value;
	}
	fail_msg("no counter %s", name);
	return 0;
}

/* A frame of the stack's own: an ARP request for somebody nobody has asked for yet. */
static bool request(unsigned last_byte, struct glass_frame *f)
{
	struct glass_end to = { glass_ip4(10, 0, 0, last_byte), 9 };
	struct glass_sock *s = glass_socket(d.g, GLASS_UDP);
	bool is;

	glass_advance(d.g, time_ns);
	glass_sendto(d.g, s, "hello", 5, &to);
	is = glass_output(d.g, f);
	glass_close(d.g, s);
	return is;
}

static void test_delay_out(void **state)
{
	struct glass_frame f;

	(void)state;
	start("set out delay 40ms");
	assert_true(request(6, &f));
	assert_true(net_takes_out(&d, &f));
	assert_true(net_next_deadline(&d) == 41 * MS);
	net_advance(&d, 41 * MS - 1);
	assert_int_equal(sent, 0);
	net_advance(&d, 41 * MS);
	assert_int_equal(sent, 1);
	assert_true(net_next_deadline(&d) == GLASS_NEVER);
	stop();
}

static void test_nothing_set_in_that_direction(void **state)
{
	struct glass_frame f;

	(void)state;
	start("set in delay 40ms");
	assert_true(request(6, &f));
	assert_false(net_takes_out(&d, &f));
	stop();
}

static void test_loss_out(void **state)
{
	struct glass_frame f;

	(void)state;
	start("set out loss 100%");
	for (unsigned i = 0; i < 5; i++) {
		assert_true(request(10 + i, &f));
		assert_true(net_takes_out(&d, &f));
	}
	net_advance(&d, 1000 * MS);
	assert_int_equal(sent, 0);
	assert_int_equal(stat_of("NET_LOSS"), 5);
	assert_int_equal(stat_of("TxDropped"), 5);
	net_command(&d, "show", -1, text, sizeof(text));
	assert_non_null(strstr(text, "frames 5"));
	assert_non_null(strstr(text, "lost 5"));
	stop();
}

static void test_queue_and_aim(void **state)
{
	struct glass_frame f;

	(void)state;
	start("set out rate 8kbit limit 2 drop nth 1 arp");
	for (unsigned i = 0; i < 5; i++) {
		assert_true(request(10 + i, &f));
		assert_true(net_takes_out(&d, &f));
	}
	assert_int_equal(stat_of("NET_AIMED"), 1);
	assert_int_equal(stat_of("NET_QUEUE_FULL"), 2);
	net_command(&d, "del", -1, text, sizeof(text)); /* what is under way arrives nevertheless */
	net_advance(&d, 1000 * MS);
	assert_int_equal(sent, 2);
	stop();
}

static void test_duplicate_out(void **state)
{
	struct glass_frame f;

	(void)state;
	start("set out duplicate 100%");
	assert_true(request(6, &f));
	assert_true(net_takes_out(&d, &f));
	net_advance(&d, time_ns);
	assert_int_equal(sent, 2);
	stop();
}

/* A super-packet of three segments, to be sent: 14 + 20 + 20 and 3000 bytes, cut at 1000. */
static void super_packet(struct glass_frame *f, uint8_t *bytes)
{
	static uint8_t payload[3000];
	struct seg s = { .kind = SEG_TCP,
			 .src = 1,
			 .dst = 2,
			 .seq = 7,
			 .flags = ACK,
			 .data = payload,
			 .len = sizeof(payload) };

	*f = (struct glass_frame){ .dev = dev, .niov = 2, .length = seg_build(bytes, &s) };
	f->iov[0] = (struct glass_iov){ bytes, 54 };
	f->iov[1] = (struct glass_iov){ bytes + 54, f->length - 54 };
	f->off = (struct glass_offload){ .csum_partial = true,
					 .csum_start = 34,
					 .csum_offset = 16,
					 .gso_size = 1000,
					 .hdr_len = 54 };
}

static void test_a_part_is_lost(void **state)
{
	static uint8_t bytes[SEG_FRAME_MAX];
	struct glass_frame f;
	struct seg s;

	(void)state;
	start("set out drop nth 2");
	super_packet(&f, bytes);
	assert_true(net_takes_out(&d, &f));
	net_advance(&d, time_ns);
	assert_int_equal(sent, 2);
	assert_int_equal(sent_bytes, 2 * 1054);
	assert_null(seg_parse(last, 1054, &s)); /* whole, checksums too */
	assert_int_equal(s.seq, 7 + 2000);
	assert_int_equal(stat_of("NET_AIMED"), 1);
	stop();
}

static struct pkt *packet_in(const struct seg *s, const struct glass_offload *off)
{
	static uint8_t bytes[SEG_FRAME_MAX];
	size_t n = seg_build(bytes, s), room;
	struct pkt *p = glass_pkt_new(d.g, n);

	memcpy(bytes, io.setup.mac, 6);
	memcpy(glass_pkt_room(p, &room), bytes, n);
	glass_pkt_filled(p, n, off);
	return p;
}

static const struct seg stranger = {
	.kind = SEG_TCP, .src = 0x0a000005, .dst = 0x0a000004, .sport = 1, .dport = 2, .flags = SYN
};

static void test_in(void **state)
{
	(void)state;
	start("set in delay 10ms drop every 2");
	assert_true(net_takes_in(&d, dev, packet_in(&stranger, NULL)));
	assert_true(net_takes_in(&d, dev, packet_in(&stranger, NULL)));
	assert_int_equal(stat_of("NET_AIMED"), 1);
	assert_int_equal(stat_of("TCP_NO_SOCKET"), 0);
	assert_true(net_next_deadline(&d) == 11 * MS);
	net_advance(&d, 11 * MS);
	assert_int_equal(stat_of("TCP_NO_SOCKET"), 1);
	assert_int_equal(stat_of("RxPackets"), 2);
	assert_int_equal(stat_of("RxDropped"), 2);
	stop();
}

static void test_super_packet_in_is_cut(void **state)
{
	static uint8_t payload[2500];
	struct seg s = stranger;
	const struct glass_offload off = { .csum_partial = true,
					   .csum_start = 34,
					   .csum_offset = 16,
					   .gso_size = 1000,
					   .hdr_len = 54 };

	(void)state;
	start("set in loss 0.0001%");
	s.flags = ACK;
	s.data = payload;
	s.len = sizeof(payload);
	assert_true(net_takes_in(&d, dev, packet_in(&s, &off)));
	net_advance(&d, time_ns);
	assert_int_equal(stat_of("RxPackets"), 3);
	assert_int_equal(stat_of("TCP_NO_SOCKET"), 3);
	stop();
}

static void test_damage_is_seen(void **state)
{
	(void)state;
	start("set in corrupt 100%");
	for (unsigned i = 0; i < 100; i++)
		assert_true(net_takes_in(&d, dev, packet_in(&stranger, NULL)));
	net_advance(&d, time_ns);
	assert_int_equal(stat_of("RxDropped"), 100);
	assert_int_equal(stat_of("TCP_NO_SOCKET"), 0);
	stop();
}

/* The same seed, the same losses; and without a seed one is made up and shown. */
static void test_seed(void **state)
{
	char first[2048];
	struct glass_frame f;

	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		start("set out loss 50% seed 77");
		for (unsigned i = 0; i < 100; i++) {
			assert_true(request(10 + i, &f));
			net_takes_out(&d, &f);
		}
		net_command(&d, "show", -1, text, sizeof(text));
		if (round)
			assert_string_equal(text, first);
		memcpy(first, text, sizeof(first));
		stop();
	}
	assert_non_null(strstr(first, "seed 77"));
	start("set out loss 50%");
	assert_non_null(strstr(text, " seed "));
	stop();
}

/* ---- what comes with the words ---- */

/* What "glass net" answers to words with these bytes. */
static int set_with(const char *words, const void *bytes, size_t n)
{
	int fd = memfd_create("test", 0), rc;

	assert_int_equal(write(fd, bytes, n), (ssize_t)n);
	rc = net_command(&d, words, fd, text, sizeof(text));
	close(fd);
	return rc;
}

static const struct cbpf_insn arp_only[] = { /* of Ethernet */
					     { 0x28, 0, 0, 12 },
					     { 0x15, 0, 1, 0x806 },
					     { 0x06, 0, 0, 1 },
					     { 0x06, 0, 0, 0 }
};
static const uint32_t at_ms[] = { 20, 30 };

static void test_attached(void **state)
{
	uint8_t blob[512] = { 0 };
	size_t n = attach(blob, ABI_ATTACHED_FILTER, "arp", arp_only, 4, sizeof(arp_only[0]));
	struct glass_frame f;

	(void)state;
	n += attach(blob + n, ABI_ATTACHED_TRACE, "lte.up", at_ms, 2, sizeof(at_ms[0]));
	start("show");
	assert_int_equal(set_with("set out drop nth 2 filter 0 trace 0 seed 1", blob, n), 0);
	assert_non_null(strstr(text, "out trace lte.up limit 1000 drop nth 2 arp seed 1\n"));
	assert_true(request(6, &f));
	assert_true(net_takes_out(&d, &f));
	assert_true(net_next_deadline(&d) == 21 * MS);
	assert_true(request(7, &f));
	assert_true(net_takes_out(&d, &f));
	assert_int_equal(stat_of("NET_AIMED"), 1);
	assert_int_equal(set_with("set out trace 0", blob, n), 0); /* the other ones are freed */
	stop();
}

/* Whatever comes: it is refused, and what was set holds. */
static void test_attached_nonsense(void **state)
{
	uint8_t good[512] = { 0 }, bad[512];
	struct cbpf_insn endless[] = { { 0x05, 0, 0, 5 }, { 0x06, 0, 0, 0 } };
	size_t n = attach(good, ABI_ATTACHED_FILTER, "arp", arp_only, 4, sizeof(arp_only[0])), m;
	unsigned refused = 0;

	(void)state;
	start("set out delay 7ms");
	for (size_t i = 0; i < n; i++) /* cut anywhere, but not nowhere */
		refused += set_with("set out drop nth 2 filter 0", good, i) != 0;
	assert_int_equal(refused, n);
	for (size_t i = 0; i < 16 + 8; i++) { /* the header and the text, damaged */
		memcpy(bad, good, sizeof(bad));
		bad[i] ^= 0x41;
		set_with("set out drop nth 2 filter 0", bad, n);
		net_command(&d, "set out delay 7ms", -1, text, sizeof(text));
	}
	m = attach(bad, ABI_ATTACHED_FILTER, "x", endless, 2, sizeof(endless[0]));
	assert_int_equal(set_with("set out drop nth 2 filter 0", bad, m), -EINVAL);
	m = attach(bad, ABI_ATTACHED_TRACE, "x", (const uint32_t[]){ 5, 4 }, 2, 4);
	assert_int_equal(set_with("set out trace 0", bad, m), -EINVAL);
	for (m = 0; m < 9 * 32;)
		m += attach(bad + m, ABI_ATTACHED_TRACE, "x", at_ms, 2, 4);
	assert_int_equal(set_with("set out trace 0", bad, m), -EINVAL);
	net_command(&d, "show", -1, text, sizeof(text));
	assert_non_null(strstr(text, "out delay 7ms seed"));
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_delay_out),
		cmocka_unit_test(test_nothing_set_in_that_direction),
		cmocka_unit_test(test_loss_out),
		cmocka_unit_test(test_queue_and_aim),
		cmocka_unit_test(test_duplicate_out),
		cmocka_unit_test(test_a_part_is_lost),
		cmocka_unit_test(test_in),
		cmocka_unit_test(test_super_packet_in_is_cut),
		cmocka_unit_test(test_damage_is_seen),
		cmocka_unit_test(test_seed),
		cmocka_unit_test(test_attached),
		cmocka_unit_test(test_attached_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
