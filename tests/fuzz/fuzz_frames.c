/* SPDX-License-Identifier: MIT */
/*
 * A stack with a connection, a listener and a datagram socket. The input is a program: frames
 * (raw, or half right: checksums and addresses are made to fit, so that they get far), time, and
 * calls of the program's side. Whatever it says: frames of ours are well-formed, every received
 * packet has one fate, memory stays bounded, and all is freed at the end.
 */
#include "fuzz.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glass/glass.h>

#include "../dialogue/seg.h"

#define STACK_IP 0x0a000004u
#define PEER_IP 0x0a000005u
#define PORT 8080
#define SOCKS 6
#define STEPS_MAX 200
#define MEMORY_MAX (32u << 20)
#define OFFLOAD (GLASS_OFFLOAD_CSUM | GLASS_OFFLOAD_TSO)

/* What the peer knows of a conversation, from the stack's own segments. */
struct talk {
	uint16_t lport, rport;
	uint32_t nxt, irs_nxt; /* next of the stack, next of the peer */
};

struct fuzz {
	struct glass *g;
	unsigned dev;
	bool offload;
	int64_t now;
	struct glass_sock *s[SOCKS];
	struct talk talk[8];
	struct seg last; /* the stack's last segment */
	uint8_t quote[64];
	uint8_t frame[SEG_FRAME_MAX];
};

static const uint8_t stack_mac[6] = { 2, 0, 0, 0, 0, 4 }, peer_mac[6] = { 2, 0, 0, 0, 0, 5 };

/* assert() would do, but says less. */
static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "fuzz_frames: %s\n", what);
	abort();
}

static void give(struct fuzz *z, const uint8_t *bytes, size_t n, const struct glass_offload *off)
{
	struct pkt *p = glass_pkt_new(z->g, n ? n : 1);
	size_t capacity;

	if (!p)
		return;
	memcpy(glass_pkt_room(p, &capacity), bytes, n);
	glass_pkt_filled(p, n, off);
	glass_input(z->g, z->dev, p, z->now);
}

static struct talk *find_talk(struct fuzz *z, uint16_t lport, uint16_t rport)
{
	struct talk *t = &z->talk[(lport * 31u + rport) % 8];

	t->lport = lport;
	t->rport = rport;
	return t;
}

static void learn(struct fuzz *z, const struct seg *s, const uint8_t *ip, size_t n)
{
	struct talk *t = find_talk(z, s->sport, s->dport);

	t->nxt = s->seq + (uint32_t)s->len + !!(s->flags & SYN) + !!(s->flags & FIN);
	if (s->flags & ACK)
		t->irs_nxt = s->ack;
	z->last = *s;
	memset(z->quote, 0, sizeof(z->quote));
	memcpy(z->quote, ip, n < sizeof(z->quote) ? n : sizeof(z->quote));
}

static void answer_arp(struct fuzz *z, const struct seg *s)
{
	struct seg reply = { .kind = SEG_ARP, .sport = 2, .src = s->dst, .dst = STACK_IP };

	if (s->sport != 1)
		return;
	memcpy(reply.src_mac, peer_mac, 6);
	memcpy(reply.dst_mac, stack_mac, 6);
	give(z, z->frame, seg_build(z->frame, &reply), NULL);
}

static void take_frame(struct fuzz *z, const struct glass_frame *f)
{
	static uint8_t bytes[SEG_FRAME_MAX];
	const char *wrong;
	struct seg s;
	size_t n = 0;

	for (unsigned i = 0; i < f->niov; i++) {
		must(n + f->iov[i].len <= sizeof(bytes), "a frame is longer than 64 KB");
		memcpy(bytes + n, f->iov[i].base, f->iov[i].len);
		n += f->iov[i].len;
	}
	must(n == f->length, "a frame's length is not the sum of its iovecs");
	must(n <= 1514 || f->off.gso_size, "a frame is longer than the MTU");
	wrong = seg_parse(bytes, n, &s);
	if (wrong && (f->off.csum_partial || strcmp(wrong, "a fragment") == 0 ||
		      strcmp(wrong, "IP version or header length") == 0))
		return;
	must(!wrong, wrong);
	if (s.kind == SEG_ARP)
		answer_arp(z, &s);
	else if (s.kind == SEG_TCP)
		learn(z, &s, bytes + 14, n - 14);
}

static void pump(struct fuzz *z)
{
	struct glass_frame frame;
	struct glass_event event;
	unsigned rounds = 0;

	while (glass_output(z->g, &frame)) {
		must(rounds++ < 20000, "the stack sends without end");
		take_frame(z, &frame);
	}
	while (glass_event(z->g, &event))
		must(rounds++ < 40000, "the stack tells events without end");
}

/*
 * ---- the steps
 * --------------------------------------------------------------------------------------
 */

static void step_raw(struct fuzz *z, struct input *in)
{
	size_t n = in_uint(in, 2) % 1600;
	const uint8_t *bytes = in_bytes(in, &n);

	memcpy(z->frame, bytes, n);
	if (n >= 6)
		memcpy(z->frame, stack_mac, 6);
	give(z, z->frame, n, NULL);
}

static struct seg from_peer(enum seg_kind kind)
{
	struct seg s = { .kind = kind, .src = PEER_IP, .dst = STACK_IP, .win = 65535 };

	memcpy(s.src_mac, peer_mac, 6);
	memcpy(s.dst_mac, stack_mac, 6);
	return s;
}

/* A segment whose numbers lie near the right ones. */
static void step_tcp(struct fuzz *z, struct input *in)
{
	struct seg s = from_peer(SEG_TCP);
	uint32_t which = in_uint(in, 1), flags = in_uint(in, 1);
	struct talk *t = &z->talk[which % 8];
	static const uint8_t payload[2048] = { 1, 2, 3 };

	s.sport = which & 0x80 ? (uint16_t)(1000 + which % 4) : t->rport;
	s.dport = which & 0x80 ? PORT : t->lport;
	s.flags = (uint8_t)flags;
	s.seq = t->irs_nxt + (uint32_t)(int32_t)(int16_t)in_uint(in, 2);
	s.ack = t->nxt + (uint32_t)(int32_t)(int16_t)in_uint(in, 2);
	s.win = (uint16_t)in_uint(in, 2);
	s.len = in_uint(in, 2) % 1461;
	s.data = payload;
	s.opt_raw_len = in_uint(in, 1) % 41;
	s.opt_raw = in_bytes(in, &s.opt_raw_len);
	give(z, z->frame, seg_build(z->frame, &s), NULL);
}

/* The SACK option relative to what is out, which raw bytes would hardly ever hit. */
static void step_sack(struct fuzz *z, struct input *in)
{
	struct seg s = from_peer(SEG_TCP);
	struct talk *t = &z->talk[in_uint(in, 1) % 8];

	s.sport = t->rport;
	s.dport = t->lport;
	s.flags = ACK;
	s.seq = t->irs_nxt;
	s.ack = t->nxt - in_uint(in, 2);
	s.ts_ok = in_uint(in, 1) & 1;
	s.tsval = (uint32_t)(z->now / 1000000);
	s.tsecr = z->last.tsval;
	s.nsack = in_uint(in, 1) % (s.ts_ok ? 4 : 5);
	for (unsigned i = 0; i < s.nsack; i++) {
		s.sack[i][0] = t->nxt - in_uint(in, 2);
		s.sack[i][1] = s.sack[i][0] + in_uint(in, 2) % 9000;
	}
	give(z, z->frame, seg_build(z->frame, &s), NULL);
}

static void step_icmp(struct fuzz *z, struct input *in)
{
	struct seg s = from_peer(SEG_ICMP);
	uint8_t quote[64];
	uint32_t at = in_uint(in, 1);

	s.sport = (uint16_t)(in_uint(in, 1) % 20);
	s.dport = (uint16_t)(in_uint(in, 1) % 20);
	s.ack = in_uint(in, 2);
	s.len = in_uint(in, 1) % 65;
	memcpy(quote, z->quote, sizeof(quote));
	if (at < sizeof(quote))
		quote[at] ^= (uint8_t)in_uint(in, 1);
	s.data = quote;
	give(z, z->frame, seg_build(z->frame, &s), NULL);
}

static void fix_ip_csum(uint8_t *ip, size_t header)
{
	uint16_t sum;

	ip[10] = ip[11] = 0;
	sum = seg_fold(seg_sum(0, ip, header));
	ip[10] = (uint8_t)(sum >> 8);
	ip[11] = (uint8_t)sum;
}

/* Any IP header with a right checksum: options, fragments, protocols, lengths. */
static void step_ip(struct fuzz *z, struct input *in)
{
	uint8_t *ip = z->frame + 14;
	size_t header, n = 20 + in_uint(in, 2) % 1480;
	const uint8_t *bytes = in_bytes(in, &n);

	memcpy(z->frame, stack_mac, 6);
	memcpy(z->frame + 6, peer_mac, 6);
	z->frame[12] = 8;
	z->frame[13] = 0;
	memset(ip, 0, 60);
	memcpy(ip, bytes, n);
	n = n < 20 ? 20 : n;
	ip[0] = (uint8_t)(0x40 | (ip[0] & 15));
	header = (size_t)(ip[0] & 15) * 4;
	if (ip[8] & 1) { /* half of the time the length is right */
		ip[2] = (uint8_t)(n >> 8);
		ip[3] = (uint8_t)n;
	}
	memcpy(ip + 12, "\x0a\0\0\x05\x0a\0\0\x04", 8);
	if (header >= 20 && header <= n)
		fix_ip_csum(ip, header);
	give(z, z->frame, 14 + n, NULL);
}

/* What a device says beside the bytes may be anything. */
static void step_offload(struct fuzz *z, struct input *in)
{
	static const uint8_t payload[8192];
	struct seg s = from_peer(SEG_TCP);
	struct talk *t = &z->talk[in_uint(in, 1) % 8];
	uint32_t bits = in_uint(in, 1);
	struct glass_offload off = {
		.csum_partial = bits & 1,
		.csum_valid = bits & 2,
		.gso_ecn = bits & 4,
		.csum_start = bits & 8 ? (uint16_t)in_uint(in, 2) : 34,
		.csum_offset = bits & 16 ? (uint16_t)in_uint(in, 2) : 16,
		.gso_size = bits & 32 ? (uint16_t)in_uint(in, 2) : 1448,
		.hdr_len = bits & 64 ? (uint16_t)in_uint(in, 2) : 54,
	};

	s.sport = t->rport;
	s.dport = t->lport;
	s.flags = (uint8_t)in_uint(in, 1);
	s.seq = t->irs_nxt + (uint32_t)(int32_t)(int16_t)in_uint(in, 2);
	s.ack = t->nxt;
	s.data = payload;
	s.len = in_uint(in, 2) % sizeof(payload);
	give(z, z->frame, seg_build(z->frame, &s), &off);
}

static void step_arp(struct fuzz *z, struct input *in)
{
	struct seg s = from_peer(SEG_ARP);
	uint32_t bits = in_uint(in, 1);

	s.sport = (uint16_t)(bits % 4);
	s.src = bits & 16 ? in_uint(in, 4) : 0x0a000000 | in_uint(in, 1);
	s.dst = bits & 32 ? in_uint(in, 4) : STACK_IP;
	if (bits & 64)
		s.src_mac[in_uint(in, 1) % 6] = (uint8_t)in_uint(in, 1);
	give(z, z->frame, seg_build(z->frame, &s), NULL);
}

/* Queries and reports with a right checksum, whatever else they say. */
static void igmp_from_peer(struct fuzz *z, struct input *in, uint32_t bits)
{
	uint8_t *ip = z->frame + 14, *igmp = ip + 24;
	size_t n = 8 + in_uint(in, 1) % 120, length = n;
	const uint8_t *bytes = in_bytes(in, &n);
	uint16_t sum;

	memcpy(z->frame, "\1\0\x5e\0\0\1", 6);
	memcpy(z->frame + 6, peer_mac, 6);
	memcpy(z->frame + 12, "\x8\0\x46\xc0\0\0\0\0\0\0\1\2", 12);
	memcpy(ip + 12, "\x0a\0\0\x05\xe0\0\0\1\x94\4\0\0", 12);
	ip[3] = (uint8_t)(24 + length);
	memset(igmp, 0, length);
	memcpy(igmp, bytes, n);
	igmp[0] = (uint8_t[]){ 0x11, 0x11, 0x12, 0x16, 0x17, 0x22, igmp[0], 0x11 }[bits & 7];
	if (bits & 8) /* of a group that may have members */
		memcpy(igmp + 4, "\xef\1\2", 3);
	if (bits & 16)
		memcpy(ip + 16, igmp + 4, 4);
	memcpy(z->frame + 3, (uint8_t[]){ ip[17] & 0x7f, ip[18], ip[19] }, 3);
	igmp[2] = igmp[3] = 0;
	sum = seg_fold(seg_sum(0, igmp, length));
	igmp[2] = (uint8_t)(sum >> 8);
	igmp[3] = (uint8_t)sum;
	fix_ip_csum(ip, 24);
	give(z, z->frame, 14 + 24 + length, NULL);
}

/* Joining and leaving, filters, and what a querier says of it. */
static void step_group(struct fuzz *z, struct input *in)
{
	uint32_t bits = in_uint(in, 1), v = in_uint(in, 1);
	struct glass_group group = { .group = glass_ip4(239, 1, 2, v % 4),
				     .source = glass_ip4(10, 0, 0, v / 4),
				     .ifindex = bits & 32 ? 2 : 0 };
	struct glass_sock *s = z->s[v % SOCKS];
	struct glass_addr list[4] = { group.source, glass_ip4(10, 0, 1, v), group.source };
	struct glass_maddr_info row;

	if (!(bits & 64)) {
		igmp_from_peer(z, in, bits);
		return;
	}
	glass_maddr_at(z->g, v, &row);
	if (s && bits & 128)
		glass_group_set(z->g, s, &group, bits & 1, list, bits >> 1 & 3);
	else if (s)
		glass_group(z->g, s, (enum glass_group_do)(bits % GLASS_GROUP_DO_COUNT), &group);
}

static void step_time(struct fuzz *z, struct input *in)
{
	uint32_t v = in_uint(in, 1);

	z->now +=
		(int64_t)(1 + v % 64) * (int64_t[]){ 1000, 1000000, 40000000, 1000000000 }[v >> 6];
	for (unsigned i = 0; i < 100; i++) {
		int64_t next = glass_next_deadline(z->g);

		if (next > z->now)
			break;
		glass_advance(z->g, next > 0 ? next : 0);
		pump(z);
	}
	glass_advance(z->g, z->now);
}

static void open_socket(struct fuzz *z, unsigned i, uint32_t how)
{
	struct glass_end any = { { GLASS_UNSPEC, { 0 } }, (uint16_t)(how & 8 ? 0 : PORT) };
	struct glass_end peer = { glass_ip4(10, 0, 0, how & 16 ? 6 : 5), 80 };

	z->s[i] = glass_socket(z->g, how % 4 == 2   ? GLASS_UDP
				     : how % 4 == 3 ? GLASS_PING
						    : GLASS_TCP);
	if (!z->s[i])
		return;
	if (how & 4)
		glass_bind(z->g, z->s[i], &any);
	if (how % 4 == 1)
		glass_listen(z->g, z->s[i], how >> 4);
	else
		glass_connect(z->g, z->s[i], &peer);
}

static void step_call(struct fuzz *z, struct input *in)
{
	static uint8_t bytes[65536];
	uint32_t v = in_uint(in, 1), arg = in_uint(in, 2);
	struct glass_sock **s = &z->s[v % SOCKS];
	struct glass_conn_info info;
	int64_t value;

	if (!*s) {
		open_socket(z, v % SOCKS, arg);
		return;
	}
	switch (v / SOCKS % 10) {
	case 0:
		glass_send(z->g, *s, bytes, arg);
		break;
	case 1:
		glass_recv(z->g, *s, bytes, arg);
		break;
	case 2:
		glass_shutdown(z->g, *s, (enum glass_how)(arg % 3));
		break;
	case 3:
		glass_close(z->g, *s);
		*s = NULL;
		break;
	case 4:
		glass_abort(z->g, *s);
		*s = NULL;
		break;
	case 5:
		glass_setopt(z->g, *s, (enum glass_opt)(arg % GLASS_OPT_COUNT),
			     (int64_t)in_uint(in, 4) - 2);
		break;
	case 6:
		glass_getopt(z->g, *s, (enum glass_opt)(arg % GLASS_OPT_COUNT), &value);
		glass_sock_info(z->g, *s, &info);
		glass_error(z->g, *s);
		break;
	case 7:
		if (!z->s[arg % SOCKS])
			z->s[arg % SOCKS] = glass_accept(z->g, *s);
		break;
	case 8:
		glass_sendto(z->g, *s, bytes, arg % 3000, NULL);
		break;
	default:
		glass_recvfrom(z->g, *s, bytes, arg % 3000, &(struct glass_dgram){ 0 });
	}
}

/*
 * ---- beginning and end
 * ------------------------------------------------------------------------------
 */

static void start(struct fuzz *z)
{
	struct glass_setup setup = { .seed = { 1, 2 }, .now_ns = 1000000000 };
	struct glass_dev_setup dev = { .name = "wire0",
				       .link = GLASS_ETHERNET,
				       .mtu_bytes = 1500,
				       .offload = z->offload ? OFFLOAD : 0 };
	struct seg s = from_peer(SEG_TCP);

	z->now = setup.now_ns;
	memcpy(dev.mac, stack_mac, 6);
	z->g = glass_new(&setup);
	must(z->g, "no stack");
	glass_tunable_set(z->g, "mem_max_mb", 16);
	z->dev = (unsigned)glass_dev_add(z->g, &dev);
	glass_addr_add(z->g, z->dev, glass_ip4(10, 0, 0, 4), 24);
	open_socket(z, 0, 1 | 4 | 160); /* listens */
	open_socket(z, 1, 2 | 4);	/* UDP */
	open_socket(z, 2, 0);		/* connects */
	pump(z);
	s.sport = z->last.dport;
	s.dport = z->last.sport;
	s.flags = SYN | ACK;
	s.seq = 0xffffff00;
	s.ack = z->last.seq + 1;
	s.mss_ok = s.ws_ok = s.sackok = true;
	s.mss = 1460;
	s.ws = 7;
	s.ts_ok = z->offload;
	s.tsecr = z->last.tsval;
	give(z, z->frame, seg_build(z->frame, &s), NULL);
	pump(z);
}

static void check_account(struct fuzz *z)
{
	uint64_t rx = 0, accepted = 0, dropped = 0;
	struct glass_memory m;
	struct glass_stat st;

	for (unsigned i = 0; glass_stat_at(z->g, i, &st); i++) {
		rx = strcmp(st.name, "RxPackets") ? rx : st.value;
		accepted = strcmp(st.name, "RxAccepted") ? accepted : st.value;
		dropped = strcmp(st.name, "RxDropped") ? dropped : st.value;
	}
	must(rx == accepted + dropped, "received is not accepted + dropped");
	glass_memory(z->g, &m);
	must(m.bytes <= MEMORY_MAX, "memory grows without bound");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const step[])(struct fuzz * z, struct input * in) = {
		step_raw,     step_tcp, step_tcp,  step_sack, step_icmp, step_ip,
		step_offload, step_arp, step_time, step_call, step_call, step_group,
	};
	static struct fuzz z;
	struct input in = { data, size };

	memset(&z, 0, sizeof(z));
	z.offload = in_uint(&in, 1) & 1;
	start(&z);
	for (unsigned i = 0; in.left && i < STEPS_MAX; i++) {
		step[in_uint(&in, 1) % (sizeof(step) / sizeof(step[0]))](&z, &in);
		pump(&z);
	}
	check_account(&z);
	glass_free(z.g);
	return 0;
}
