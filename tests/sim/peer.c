/* SPDX-License-Identifier: MIT */
/*
 * The peer's honest half: a small TCP, written from the RFC for this purpose. It takes what comes
 * in order only, and sends again from the first byte that is not acknowledged.
 *
 * In: frames of the stack, ticks.  Out: sim_inject().
 */
#include "hostile.h"

#include <string.h>

#define STUCK_TICKS 8
#define ETH_BYTES 14
#define SEGMENT_MAX 1400
#define SEGMENTS_PER_TICK 6

static const uint8_t stack_mac[6] = { 2, 0, 0, 0, 0, 4 }, peer_mac[6] = { 2, 0, 0, 0, 0, 5 };

struct seg peer_seg(struct hostile *h, uint8_t flags)
{
	struct seg s = { .kind = SEG_TCP,
			 .src = PEER_IP,
			 .dst = STACK_IP,
			 .sport = PEER_PORT,
			 .dport = STACK_PORT,
			 .seq = h->nxt,
			 .ack = flags & ACK ? h->rcv_nxt : 0,
			 .win = h->win,
			 .flags = flags };

	if (!h->passive && h->quote_len >= 22) /* the stack chose its port */
		s.dport = (uint16_t)(h->quote[20] << 8 | h->quote[21]);
	s.ts_ok = h->ts && !(flags & RST);
	s.tsval = h->tsval;
	s.tsecr = h->stack_ts;
	memcpy(s.src_mac, peer_mac, 6);
	memcpy(s.dst_mac, stack_mac, 6);
	return s;
}

void peer_send(struct hostile *h, const struct seg *s)
{
	uint8_t frame[SEG_FRAME_MAX];

	sim_inject(h->sim, frame, seg_build(frame, s));
}

static void send_syn(struct hostile *h, uint8_t flags)
{
	struct seg s = peer_seg(h, flags);

	s.seq = h->iss;
	s.mss_ok = h->mss;
	s.mss = h->mss;
	s.ws_ok = h->offers_ws;
	s.ws = h->ws;
	s.sackok = h->offers_sack;
	s.ts_ok = h->offers_ts;
	s.win = 65535;
	peer_send(h, &s);
}

void peer_connect(struct hostile *h)
{
	send_syn(h, SYN);
}

/* Bytes of the stream at seq, at most limit; with the FIN when they are the last. */
static uint32_t send_data(struct hostile *h, uint32_t seq, uint32_t limit)
{
	uint64_t place = seq - h->iss - 1, left = h->to_send - place;
	uint32_t n = left < limit ? (uint32_t)left : limit;
	struct seg s = peer_seg(h, ACK);
	uint8_t bytes[SEGMENT_MAX];

	for (uint32_t i = 0; i < n; i++)
		bytes[i] = hostile_byte(1, place + i);
	s.seq = seq;
	s.data = bytes;
	s.len = n;
	if (n == left) {
		s.flags |= FIN;
		h->fin_sent = true;
	}
	if (hostile_chance(h, 5)) { /* RFC 6093: it is ordinary data */
		s.flags |= URG;
		s.urgent = (uint16_t)rng_u64(&h->rng);
	}
	peer_send(h, &s);
	n += !!(s.flags & FIN);
	if ((int32_t)(seq + n - h->high) > 0)
		h->high = seq + n;
	return n;
}

static uint32_t last(const struct hostile *h)
{
	return h->iss + 1 + (uint32_t)h->to_send + 1;
}

static void send_stream(struct hostile *h)
{
	for (unsigned i = 0; i < SEGMENTS_PER_TICK && h->nxt != last(h); i++) {
		uint32_t room = h->una + h->stack_win - h->nxt,
			 n = 1 + rng_below(&h->rng, SEGMENT_MAX);

		if ((int32_t)room <= 0)
			return;
		h->nxt += send_data(h, h->nxt, n < room ? n : room);
	}
}

/* Something of the stream again, cut otherwise; the bytes are the same. */
static void send_overlap(struct hostile *h)
{
	uint32_t sent = h->nxt - h->iss - 1, back = 1 + rng_below(&h->rng, 3000);

	if (sent && h->nxt != last(h))
		send_data(h, h->nxt - (back < sent ? back : sent),
			  1 + rng_below(&h->rng, SEGMENT_MAX));
}

static void choose_window(struct hostile *h)
{
	static const uint16_t wins[] = { 65535, 30000, 5000, 600, 1, 0 };

	if (hostile_chance(h, 20))
		h->win = wins[rng_below(&h->rng, sizeof(wins) / sizeof(wins[0]))];
	if (h->tick_ms > 20000) /* the games are over: a stream has to come to its end */
		h->win = 65535;
}

void peer_tick(struct hostile *h)
{
	struct seg s;

	h->tsval += 25;
	if (!h->begun) {
		if (h->passive && h->tick_ms % 1000 == 0)
			send_syn(h, SYN);
		return;
	}
	choose_window(h);
	if (++h->stuck >= STUCK_TICKS) {
		h->stuck = 0;
		h->nxt = h->una;
	}
	send_stream(h);
	if (hostile_chance(h, 10))
		send_overlap(h);
	s = peer_seg(h, ACK);
	s.seq = h->high;
	peer_send(h, &s);
}

/* ---- what comes from the stack --------------------------------------------------------------- */

static void answer_arp(struct hostile *h, const struct seg *s)
{
	struct seg reply = { .kind = SEG_ARP, .sport = 2, .src = s->dst, .dst = STACK_IP };

	if (s->sport != 1 || s->dst != PEER_IP)
		return;
	memcpy(reply.src_mac, peer_mac, 6);
	memcpy(reply.dst_mac, stack_mac, 6);
	peer_send(h, &reply);
}

static void learn_syn(struct hostile *h, const struct seg *s)
{
	h->irs = s->seq;
	if (!h->begun) {
		h->rcv_nxt = h->stack_high = s->seq + 1;
		h->una = h->nxt = h->high = h->iss + 1;
		h->stack_ws = h->offers_ws && s->ws_ok ? s->ws : 0;
		if (!s->ws_ok)
			h->ws = 0;
		h->ts = h->offers_ts && s->ts_ok;
		h->sack = h->offers_sack && s->sackok;
		h->begun = true;
	}
	h->stack_win = s->win;
	if (!h->passive)
		send_syn(h, SYN | ACK);
}

static void take_bytes(struct hostile *h, const struct seg *s)
{
	uint64_t place = s->seq - h->irs - 1;

	for (size_t i = 0; i < s->len; i++)
		if (!h->evil && s->data[i] != hostile_byte(0, place + i))
			hostile_fail(h, "the stack sends a wrong byte");
	if (s->seq + s->len - h->rcv_nxt < (1u << 31) && (int32_t)(s->seq - h->rcv_nxt) <= 0)
		h->rcv_nxt = s->seq + (uint32_t)s->len;
	if ((s->flags & FIN) && s->seq + s->len == h->rcv_nxt && !h->fin_received) {
		h->rcv_nxt++;
		h->fin_received = true;
	}
}

static void learn(struct hostile *h, const struct seg *s)
{
	uint32_t end = s->seq + (uint32_t)s->len + !!(s->flags & FIN);

	if ((s->flags & ACK) && s->ack - h->una <= h->high - h->una) {
		h->stuck = s->ack != h->una ? 0 : h->stuck;
		h->una = s->ack;
		if ((int32_t)(h->nxt - h->una) < 0)
			h->nxt = h->una;
		h->stack_win = (uint32_t)s->win << h->stack_ws;
	}
	if ((int32_t)(end - h->stack_high) > 0)
		h->stack_high = end;
	if (s->ts_ok)
		h->stack_ts = s->tsval;
}

static void answer(struct hostile *h, const struct seg *s)
{
	struct seg ack;

	if (!s->len && !(s->flags & FIN))
		return;
	take_bytes(h, s);
	ack = peer_seg(h, ACK);
	ack.seq = h->high;
	peer_send(h, &ack);
}

void peer_frame(void *arg, const uint8_t *frame, size_t length)
{
	struct hostile *h = arg;
	const char *wrong;
	struct seg s;

	wrong = seg_parse(frame, length, &s);
	if (wrong && strcmp(wrong, "a fragment") != 0)
		hostile_fail(h, wrong);
	if (wrong)
		return;
	if (s.kind == SEG_ARP) /* also when silent: its host goes on */
		answer_arp(h, &s);
	if (s.kind != SEG_TCP || h->silent)
		return;
	h->quote_len =
		length - ETH_BYTES < sizeof(h->quote) ? length - ETH_BYTES : sizeof(h->quote);
	memcpy(h->quote, frame + ETH_BYTES, h->quote_len);
	if (s.flags & RST) {
		if (!h->evil && h->begun && s.seq == h->rcv_nxt)
			hostile_fail(h, "the stack resets an honest connection");
		return;
	}
	if (s.flags & SYN)
		learn_syn(h, &s);
	if (!h->begun)
		return;
	h->established |= !(s.flags & SYN);
	learn(h, &s);
	answer(h, &s);
}

bool peer_done(const struct hostile *h)
{
	return h->begun && h->fin_received && h->una == last(h);
}
