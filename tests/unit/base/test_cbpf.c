/* SPDX-License-Identifier: MIT */
/*
 * Classic BPF: against libpcap's bpf_filter() on random programs and packets, and on filters that
 * libpcap compiled; what must not be run is refused.
 */
#include "unit.h"

#include "../../../src/base/cbpf.h"

#include <pcap/pcap.h>
#include <string.h>

#define PROGRAMS 60000
#define INSNS_MAX 24
#define PACKET_MAX 80

_Static_assert(sizeof(struct cbpf_insn) == sizeof(struct bpf_insn), "they are the same");

static uint64_t random_state = 42;

static uint32_t draw(void)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(random_state >> 33);
}

static uint32_t below(uint32_t n)
{
	return draw() % n;
}

static uint32_t theirs(const struct cbpf_insn *insn, const uint8_t *bytes, size_t length)
{
	struct bpf_insn same[CBPF_INSNS_MAX];

	memcpy(same, insn, CBPF_INSNS_MAX * sizeof(*insn));
	return bpf_filter(same, bytes, (u_int)length, (u_int)length);
}

/* Mostly what makes sense, of all codes that there are, and sometimes anything. */
static struct cbpf_insn any_insn(uint32_t left)
{
	static const uint16_t codes[] = {
		0x00, 0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x60, 0x80,	    /* LD */
		0x01, 0x61, 0x81, 0xb1, 0x02, 0x03,			    /* LDX, ST, STX */
		0x04, 0x0c, 0x14, 0x1c, 0x24, 0x2c, 0x34, 0x3c, 0x44, 0x4c, /* ALU */
		0x54, 0x5c, 0x64, 0x6c, 0x74, 0x7c, 0x84, 0x94, 0x9c, 0xa4,
		0xac, 0x05, 0x15, 0x1d, 0x25, 0x2d, 0x35, 0x3d, 0x45, 0x4d, /* JMP */
		0x06, 0x16, 0x07, 0x87,					    /* RET, MISC */
	};
	struct cbpf_insn i = { .code = codes[below(sizeof(codes) / sizeof(codes[0]))] };

	i.k = below(8) ? below(i.code == 0x05 ? left + 1 : 40) : draw() << below(3);
	i.jt = (uint8_t)below(left < 6 ? left + 1 : 7);
	i.jf = (uint8_t)below(left < 6 ? left + 1 : 7);
	if (!below(200))
		i.code = (uint16_t)draw();
	return i;
}

/*
 * Their memory has no beginning: a load of what was not stored is not compared, so all of it is
 * stored first.
 */
static size_t any_program(struct cbpf_insn *p)
{
	size_t n = 0, body = 1 + below(INSNS_MAX);

	for (uint32_t k = 0; k < CBPF_MEMORY_WORDS; k++)
		p[n++] = (struct cbpf_insn){ .code = 0x02, .k = k };
	for (size_t i = 0; i < body; i++)
		p[n++] = any_insn((uint32_t)(body - i));
	p[n++] = (struct cbpf_insn){ .code = below(2) ? 0x16 : 0x06, .k = 7 };
	return n;
}

static void test_random(void **state)
{
	static struct cbpf_insn p[CBPF_INSNS_MAX];
	uint8_t packet[PACKET_MAX];
	unsigned ran = 0, refused = 0, passed = 0;

	(void)state;
	for (unsigned round = 0; round < PROGRAMS; round++) {
		size_t n = any_program(p), length = below(PACKET_MAX);

		if (!cbpf_valid(p, n)) {
			refused++;
			continue;
		}
		if (!bpf_validate((struct bpf_insn *)(void *)p, (int)n))
			fail_msg("program %u: libpcap does not take it", round);
		for (size_t i = 0; i < length; i++)
			packet[i] = (uint8_t)draw();
		if (cbpf_run(p, packet, length) != theirs(p, packet, length))
			fail_msg("program %u: %u, not %u", round, cbpf_run(p, packet, length),
				 theirs(p, packet, length));
		ran++;
		passed += cbpf_run(p, packet, length) != 0;
	}
	assert_true(ran > PROGRAMS / 4 && refused > PROGRAMS / 100 && passed > PROGRAMS / 20);
}

static void test_compiled(void **state)
{
	static const char *const filters[] = {
		"tcp port 80",
		"udp and not host 10.0.0.5",
		"tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
		"icmp[icmptype] == 8",
		"arp",
		"greater 60",
		"ip[2:2] > 100 and ip[8] % 3 == 1",
		"net 10.0.0.0/8 and portrange 1000-9000",
		"ether[0] & 1 = 0 and ip[16] >= 224",
		"(tcp or udp) and src port 53",
		"vlan 5",
		"tcp[((tcp[12]>>2)&60):4] = 0x47455420",
	};
	static const uint8_t begin[] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0 };
	pcap_t *pcap = pcap_open_dead(DLT_EN10MB, 65535);
	struct bpf_program program;
	unsigned took = 0;
	uint8_t packet[PACKET_MAX];

	(void)state;
	for (unsigned f = 0; f < sizeof(filters) / sizeof(filters[0]); f++) {
		const struct cbpf_insn *p;

		assert_int_equal(pcap_compile(pcap, &program, filters[f], 1, 0), 0);
		p = (const struct cbpf_insn *)(const void *)program.bf_insns;
		assert_true(cbpf_valid(p, program.bf_len));
		for (unsigned round = 0; round < 4000; round++) {
			size_t length = 14 + below(PACKET_MAX - 14);
			uint32_t want;

			for (size_t i = 0; i < length; i++)
				packet[i] = (uint8_t)(below(2) ? draw() : below(3) * 5);
			memcpy(packet, begin, length < sizeof(begin) ? length : sizeof(begin));
			packet[13] = below(5) ? 0 : 6;
			if (length > 23)
				packet[23] = (uint8_t)(below(3) ? 6 : below(2) ? 17 : 1);
			want = bpf_filter(program.bf_insns, packet, (u_int)length, (u_int)length);
			assert_int_equal(cbpf_run(p, packet, length), want);
			took += want != 0;
		}
		pcap_freecode(&program);
	}
	pcap_close(pcap);
	assert_true(took > 1000);
}

/* One instruction and RET; what is wrong with it. */
static void test_refused(void **state)
{
	static const struct cbpf_insn bad[] = {
		{ 0x02, 0, 0, 16 }, /* stores behind its memory */
		{ 0x60, 0, 0, 16 }, /* loads from there */
		{ 0x61, 0, 0, 99 },	    { 0x03, 0, 0, 16 },
		{ 0x05, 0, 0, 1 }, /* jumps behind the end */
		{ 0x05, 0, 0, UINT32_MAX }, { 0x15, 1, 0, 0 },
		{ 0x15, 0, 1, 0 },	    { 0x34, 0, 0, 0 }, /* divides by zero */
		{ 0x94, 0, 0, 0 },	    { 0x64, 0, 0, 32 },
		{ 0x74, 0, 0, 32 },	    { 0x0e, 0, 0, 0 }, /* returns X; is no code */
		{ 0xf0, 0, 0, 0 },	    { 0xa0, 0, 0, 0 },
		{ 0x38, 0, 0, 0 },	    { 0x21, 0, 0, 0 },
		{ 0xb4, 0, 0, 0 },	    { 0x55, 0, 0, 0 },
		{ 0x8c, 0, 0, 0 },	    { 0x17, 0, 0, 0 },
		{ 0x100, 0, 0, 0 },	    { 0x12, 0, 0, 0 },
		{ 0x0d, 0, 0, 0 },
	};
	struct cbpf_insn p[2] = { { 0 }, { .code = 0x06 } };

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		p[0] = bad[i];
		if (cbpf_valid(p, 2))
			fail_msg("%#x %u %u %u is taken", bad[i].code, bad[i].jt, bad[i].jf,
				 bad[i].k);
	}
	p[0] = (struct cbpf_insn){ .code = 0x80 };
	assert_true(cbpf_valid(p, 2));
	assert_false(cbpf_valid(p, 1)); /* does not end */
	assert_false(cbpf_valid(p, 0));
}

static void test_too_long(void **state)
{
	static struct cbpf_insn p[CBPF_INSNS_MAX + 1];

	(void)state;
	p[CBPF_INSNS_MAX - 1].code = p[CBPF_INSNS_MAX].code = 0x06;
	assert_true(cbpf_valid(p, CBPF_INSNS_MAX));
	assert_int_equal(cbpf_run(p, NULL, 0), 0);
	assert_false(cbpf_valid(p, CBPF_INSNS_MAX + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_compiled),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
