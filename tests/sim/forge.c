/* SPDX-License-Identifier: MIT */
/*
 * Segments that are wrong in some way, made by somebody who knows the connection's numbers. The
 * first kinds a stack has to survive without the connection's taking notice: a stranger may send
 * them. The others only the peer can afford.
 *
 * In: hostile.c, at every tick.  Out: sim_inject().
 */
#include "hostile.h"

#include <string.h>

static uint32_t any(struct hostile *h, uint32_t n)
{
	return rng_below(&h->rng, n);
}

static void junk(struct hostile *h, struct seg *s, uint8_t bytes[1400], size_t n)
{
	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)rng_u64(&h->rng);
	s->data = bytes;
	s->len = n;
}

/* ---- of a stranger --------------------------------------------------------------------------- */

/* RFC 5961 3.2: beside the one sequence number that counts. */
static void rst_beside(struct hostile *h)
{
	struct seg s = peer_seg(h, any(h, 2) ? RST : RST | ACK);

	s.seq = h->high + 1 + any(h, 60000);
	peer_send(h, &s);
}

/* RFC 5961 4.2 */
static void syn_within(struct hostile *h)
{
	struct seg s = peer_seg(h, any(h, 2) ? SYN : SYN | ACK);

	if (h->fin_sent && h->fin_received)
		return; /* in TIME-WAIT it may open a connection: RFC 6191 */
	s.seq = h->high + any(h, 1u << 31);
	peer_send(h, &s);
}

/* RFC 5961 5.2: acknowledges what was not sent, or was long ago. */
static void ack_of_nothing(struct hostile *h)
{
	struct seg s = peer_seg(h, ACK);

	s.seq = h->high;
	s.ack = h->stack_high + (1u << 24) + any(h, 1u << 30);
	if (any(h, 2))
		s.ack = h->irs - (1u << 24) - any(h, 1u << 30);
	peer_send(h, &s);
}

static void data_far_away(struct hostile *h)
{
	struct seg s = peer_seg(h, ACK | (any(h, 4) ? 0 : FIN));
	uint8_t bytes[1400];

	junk(h, &s, bytes, 1 + any(h, 1400));
	s.seq = any(h, 2) ? h->high + (1u << 26) + any(h, 1u << 30)
			  : h->iss - (1u << 26) - any(h, 1u << 30);
	peer_send(h, &s);
}

/* What the stack has acknowledged, with other bytes. */
static void old_data_changed(struct hostile *h)
{
	struct seg s = peer_seg(h, ACK);
	uint32_t known = h->una - h->iss - 1, n = 1 + any(h, 1400);
	uint8_t bytes[1400];

	if (!known || h->una == h->high)
		return;
	n = n < known ? n : known;
	junk(h, &s, bytes, n);
	s.seq = h->una - n;
	peer_send(h, &s);
}

static void wrong_checksum(struct hostile *h)
{
	struct seg s = peer_seg(h, ACK);
	uint8_t bytes[1400];

	junk(h, &s, bytes, 1 + any(h, 1400));
	s.bad_csum = true;
	peer_send(h, &s);
}

/* Lengths that lie: any byte of the headers is another one, and the sums are left as they were. */
static void lying_header(struct hostile *h)
{
	struct seg s = peer_seg(h, ACK);
	uint8_t frame[SEG_FRAME_MAX], bytes[1400];
	size_t n;

	junk(h, &s, bytes, any(h, 200));
	n = seg_build(frame, &s);
	frame[14 + any(h, 40)] ^= (uint8_t)(1 + any(h, 255));
	sim_inject(h->sim, frame, any(h, 2) ? n : 14 + any(h, (uint32_t)n - 13));
}

/* RFC 7323 5.3 */
static void old_timestamp(struct hostile *h)
{
	struct seg s = peer_seg(h, ACK);
	uint8_t bytes[1400];

	if (!h->ts)
		return;
	junk(h, &s, bytes, 1 + any(h, 1400));
	s.seq = h->una;
	s.tsval = h->tsval - 1000000 - any(h, 1u << 30);
	peer_send(h, &s);
}

static void without_ack(struct hostile *h)
{
	struct seg s = peer_seg(h, any(h, 2) ? 0 : PSH | URG);
	uint8_t bytes[1400];

	junk(h, &s, bytes, any(h, 1400));
	peer_send(h, &s);
}

/* RFC 5927: about a segment that is not out; or soft ones about one that is. */
static void icmp(struct hostile *h)
{
	struct seg s = { .kind = SEG_ICMP, .src = PEER_IP, .dst = STACK_IP };
	const struct seg like = peer_seg(h, ACK);
	uint8_t quote[64];

	if (h->quote_len < 28 || !h->established) /* before, they are believed: RFC 5461 */
		return;
	memcpy(quote, h->quote, h->quote_len);
	if (any(h, 2))
		quote[24] ^= (uint8_t)(1 + any(h, 255));
	memcpy(s.src_mac, like.src_mac, 6);
	memcpy(s.dst_mac, like.dst_mac, 6);
	s.sport = any(h, 4) ? 3 : (uint16_t)any(h, 20);
	s.dport = (uint16_t)any(h, 16);
	s.ack = s.dport == 4 ? any(h, 2000) : (uint32_t)rng_u64(&h->rng);
	s.data = quote;
	s.len = any(h, 4) ? h->quote_len : any(h, (uint32_t)h->quote_len);
	peer_send(h, &s);
}

/* RFC 2018 3: nobody has to know where holes are; RFC 2883: or duplicates. */
static void sack_nonsense(struct hostile *h)
{
	struct seg s = peer_seg(h, ACK);

	s.seq = h->high;
	s.nsack = h->sack ? 1 + any(h, 3) : 0;
	for (unsigned i = 0; i < s.nsack; i++) {
		s.sack[i][0] = h->rcv_nxt + any(h, 4) * (1u << 30) - any(h, 3000);
		s.sack[i][1] = s.sack[i][0] + any(h, 2000) - 500;
	}
	peer_send(h, &s);
}

/* The same segment in two fragments, the second one first. */
static void fragments(struct hostile *h)
{
	struct seg s = peer_seg(h, ACK);
	uint8_t frame[SEG_FRAME_MAX], bytes[1400], part[2048];
	uint32_t id = (uint32_t)rng_u64(&h->rng);
	size_t n, cut = 8 * (1 + any(h, 8));

	junk(h, &s, bytes, 200);
	s.seq = h->high + (1u << 26);
	n = seg_build(frame, &s);
	for (unsigned i = 2; i--;) {
		size_t from = i ? cut : 0, len = i ? n - 34 - cut : cut;

		memcpy(part, frame, 34);
		memcpy(part + 34, frame + 34 + from, len);
		part[16] = (uint8_t)((20 + len) >> 8);
		part[17] = (uint8_t)(20 + len);
		part[18] = (uint8_t)(id >> 8);
		part[19] = (uint8_t)id;
		part[20] = i ? 0 : 0x20;
		part[21] = (uint8_t)(from / 8);
		part[24] = part[25] = 0;
		part[24] = (uint8_t)(seg_fold(seg_sum(0, part + 14, 20)) >> 8);
		part[25] = (uint8_t)seg_fold(seg_sum(0, part + 14, 20));
		if (i || any(h, 4))
			sim_inject(h->sim, part, 34 + len);
	}
}

/* ---- of the peer ----------------------------------------------------------------------------- */

/* In the window, with bytes that differ from those sent before or after. */
static void changed_data(struct hostile *h)
{
	struct seg s = peer_seg(h, (uint8_t)(ACK | (any(h, 16) ? 0 : FIN)));
	uint8_t bytes[1400];

	h->changes = true;
	junk(h, &s, bytes, 1 + any(h, any(h, 2) ? 1400 : 3));
	s.seq = h->una + any(h, any(h, 2) ? 100000 : 3000) - 1000;
	peer_send(h, &s);
}

/* SACKs what has not come, and takes it back. */
static void sack_lie(struct hostile *h)
{
	struct seg s = peer_seg(h, ACK);
	uint32_t out = h->stack_high - h->rcv_nxt;

	s.seq = h->high;
	s.nsack = 1 + any(h, 3);
	for (unsigned i = 0; i < s.nsack; i++) {
		s.sack[i][0] = h->rcv_nxt + any(h, out + 1);
		s.sack[i][1] = s.sack[i][0] + 1 + any(h, out + 1);
	}
	peer_send(h, &s);
}

static void window_game(struct hostile *h)
{
	struct seg s = peer_seg(h, ACK);

	s.seq = h->high;
	s.win = any(h, 3) ? 0 : (uint16_t)any(h, 65536);
	s.ack = h->rcv_nxt - any(h, 2) * any(h, 3000);
	peer_send(h, &s);
}

/* Whole or half acknowledgments, of anything that is out: optimistic, or byte by byte. */
static void ack_game(struct hostile *h)
{
	struct seg s = peer_seg(h, ACK);

	s.seq = h->high;
	s.ack = h->rcv_nxt + any(h, h->stack_high - h->rcv_nxt + 1);
	peer_send(h, &s);
	if ((int32_t)(s.ack - h->rcv_nxt) > 0)
		h->rcv_nxt = s.ack;
}

static void odd_flags(struct hostile *h)
{
	struct seg s = peer_seg(h, (uint8_t)rng_u64(&h->rng));
	uint8_t bytes[1400];

	h->changes = true;
	junk(h, &s, bytes, any(h, 3));
	s.seq = h->high + any(h, 3) - 1;
	s.ack = h->rcv_nxt + any(h, 3) - 1;
	s.urgent = (uint16_t)rng_u64(&h->rng);
	if (!any(h, 8)) /* one from another port: a listener gets it, or nobody */
		s.sport = (uint16_t)rng_u64(&h->rng);
	if ((s.flags & RST) && any(h, 8))
		s.flags &= (uint8_t)~RST;
	peer_send(h, &s);
}

static void odd_options(struct hostile *h)
{
	struct seg s = peer_seg(h, any(h, 4) ? ACK : SYN);
	uint8_t raw[40];

	for (unsigned i = 0; i < sizeof(raw); i++)
		raw[i] = (uint8_t)(any(h, 2) ? any(h, 12) : rng_u64(&h->rng));
	s.opt_raw = raw;
	s.opt_raw_len = any(h, 41);
	s.seq = h->high;
	h->changes |= !!(s.flags & SYN); /* before the own one comes, the stream begins with it */
	peer_send(h, &s);
}

void forge(struct hostile *h)
{
	static void (*const strangers[])(struct hostile *) = {
		rst_beside,	  syn_within,	  ack_of_nothing, data_far_away,
		old_data_changed, wrong_checksum, lying_header,	  old_timestamp,
		without_ack,	  icmp,		  sack_nonsense,  fragments,
	};
	static void (*const peers[])(struct hostile *) = {
		changed_data, sack_lie, window_game, ack_game, odd_flags, odd_options,
	};

	if (h->evil && any(h, 2))
		peers[any(h, sizeof(peers) / sizeof(peers[0]))](h);
	else
		strangers[any(h, sizeof(strangers) / sizeof(strangers[0]))](h);
}
