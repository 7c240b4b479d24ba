/* SPDX-License-Identifier: MIT */
/* Explicit congestion notification with super-packets: CWR is said by one segment (RFC 3168 6.1.2).
 */
#include "../frames.h"

#define SECOND 1000000000ll
#define OFFLOAD (GLASS_OFFLOAD_CSUM | GLASS_OFFLOAD_TSO)
#define TOTAL 400000u

/* Two stacks; the test is the wire between them, and marks what it likes. */
struct world {
	struct glass *g[2];
	unsigned dev[2];
	struct glass_sock *listener, *from, *to;
	int64_t now;
	size_t received, cwr_frames, cwr_bytes, super_frames, ece_acks;
	bool mark; /* data gets CE */
};

static void add_stack(struct world *w, unsigned i)
{
	const struct glass_setup setup = { .seed = { 5, i }, .now_ns = w->now };
	struct glass_dev_setup dev = {
		.name = "raw0", .link = GLASS_RAW_IP, .mtu_bytes = 1500, .offload = OFFLOAD
	};

	w->g[i] = glass_new(&setup);
	w->dev[i] = (unsigned)glass_dev_add(w->g[i], &dev);
	assert_int_equal(glass_addr_add(w->g[i], w->dev[i], glass_ip4(10, 0, 0, 4 + i), 24), 0);
	assert_int_equal(glass_tunable_set(w->g[i], "tcp_ecn", 1), 0);
}

/* What the wire sees of a frame; CE in place of ECT when it marks. */
static void look(struct world *w, unsigned side, uint8_t *p, size_t n, uint16_t gso)
{
	size_t head = 20 + (size_t)(p[32] >> 4) * 4;
	uint8_t flags = p[33];
	uint32_t sum = 0;

	if (flags & 0x80 && !(flags & 2)) {
		w->cwr_frames++;
		w->cwr_bytes = n - head;
		assert_int_equal(gso, 0);
	}
	w->super_frames += gso > 0;
	w->ece_acks += side == 1 && (flags & 0x40) && !(flags & 2);
	if (!w->mark || (p[1] & 3) != 2)
		return;
	p[1] |= 3;
	p[10] = p[11] = 0;
	for (unsigned i = 0; i < 20; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16)) & 0xffff;
	p[10] = (uint8_t)(sum >> 8);
	p[11] = (uint8_t)sum;
}

static void carry(struct world *w, unsigned side, const struct glass_frame *f)
{
	struct pkt *p = glass_pkt_new(w->g[!side], f->length);
	size_t cap, n = 0;
	uint8_t *room;

	assert_non_null(p);
	room = glass_pkt_room(p, &cap);
	for (unsigned i = 0; i < f->niov; n += f->iov[i++].len)
		memcpy(room + n, f->iov[i].base, f->iov[i].len);
	look(w, side, room, n, f->off.gso_size);
	glass_pkt_filled(p, n, &f->off);
	assert_int_equal(glass_input(w->g[!side], w->dev[!side], p, w->now), 0);
}

/* One way and back, 10 ms; what has come is read. */
static void round_trip(struct world *w)
{
	static uint8_t bytes[65536];
	struct glass_frame f;
	int64_t n;

	for (unsigned turn = 0; turn < 2; turn++) {
		w->now += 5 * SECOND / 1000;
		for (unsigned i = 0; i < 2; i++)
			glass_advance(w->g[i], w->now);
		while (glass_output(w->g[turn], &f))
			carry(w, turn, &f);
	}
	if (!w->to)
		w->to = glass_accept(w->g[1], w->listener);
	while (w->to && (n = glass_recv(w->g[1], w->to, bytes, sizeof(bytes))) > 0)
		w->received += (size_t)n;
}

static void begin(struct world *w)
{
	const struct glass_end to = { glass_ip4(10, 0, 0, 5), 80 };
	struct glass_end any = { { GLASS_UNSPEC, { 0 } }, 80 };

	*w = (struct world){ .now = 1000 * SECOND };
	add_stack(w, 0);
	add_stack(w, 1);
	w->listener = glass_socket(w->g[1], GLASS_TCP);
	assert_int_equal(glass_bind(w->g[1], w->listener, &any), 0);
	assert_int_equal(glass_listen(w->g[1], w->listener, 5), 0);
	w->from = glass_socket(w->g[0], GLASS_TCP);
	assert_int_equal(glass_connect(w->g[0], w->from, &to), -EINPROGRESS);
	while (!w->to)
		round_trip(w);
}

static void send_all(struct world *w)
{
	static const uint8_t zeros[10000];
	size_t sent = 0;
	int64_t n;

	for (unsigned rounds = 0; (sent < TOTAL || w->received < sent) && rounds < 300; rounds++) {
		while (sent < TOTAL && (n = glass_send(w->g[0], w->from, zeros, sizeof(zeros))) > 0)
			sent += (size_t)n;
		round_trip(w);
	}
	assert_int_equal(w->received, sent);
}

static void end(struct world *w)
{
	glass_free(w->g[0]);
	glass_free(w->g[1]);
}

static void test_no_marks(void **state)
{
	struct world w;

	(void)state;
	begin(&w);
	send_all(&w);
	assert_true(w.super_frames > 5);
	assert_int_equal(w.cwr_frames, 0);
	assert_int_equal(w.ece_acks, 0);
	end(&w);
}

/* Every frame is marked: a reduction in each round trip, and for each one segment says CWR. */
static void test_all_marked(void **state)
{
	struct glass_conn_info info;
	struct world w;

	(void)state;
	begin(&w);
	w.mark = true;
	send_all(&w);
	assert_int_equal(glass_sock_info(w.g[0], w.from, &info), 0);
	assert_true(info.ecn);
	assert_int_equal(info.retrans_total, 0);
	assert_in_range(info.cwnd_segments, 2, 4);
	assert_int_equal(glass_sock_info(w.g[1], w.to, &info), 0);
	assert_true(info.ecn_seen);
	assert_true(w.cwr_frames > 10);
	assert_int_equal(w.cwr_bytes, 1448);
	assert_true(w.ece_acks > 10);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_marks),
		cmocka_unit_test(test_all_marked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
