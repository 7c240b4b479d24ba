/* SPDX-License-Identifier: MIT */
/*
 * The scoreboard, RFC 2018 and RFC 6675: SACK blocks become marks on the frames that were sent.
 *
 * A peer may say anything. Blocks are taken in whole segments, as they went out: what would cut a
 * frame elsewhere counts as not arrived, so that no peer can grind our frames to dust (as in
 * CVE-2019-11478). And what a block has told before is one frame, which costs one step to pass: the
 * work per ACK is bound by what is new in it, not by what is out (tcp_sent.c).
 *
 * In: tcp_check_ack.  Out: tcp_sent.c (marks), tcp_rack.c (what has arrived).
 */
#include "tcp_input.h"
#include "tcp_recovery.h"

static struct tcp_tx *next_of(const struct tcp_conn *c, const struct tcp_tx *tx)
{
	return tx->node.next == &c->out->sent ? NULL
					      : container_of(tx->node.next, struct tcp_tx, node);
}

/*
 * The part of tx that the block covers, in whole segments, as a frame of its own; NULL: none.
 */
static struct tcp_tx *cut_out(struct glass *g, struct tcp_conn *c, struct tcp_tx *tx,
			      struct tcp_sack_block b)
{
	int32_t before = seq_diff(b.start, tx->seq), n;

	if (before > 0) {
		n = (before + tx->mss - 1) / tx->mss * tx->mss;
		if (n >= (int32_t)tx->len || !tcp_tx_split(g, c, tx, (uint32_t)n))
			return NULL;
		tx = container_of(tx->node.next, struct tcp_tx, node);
	}
	n = seq_diff(b.end, tx->seq);
	if ((tx->flags & TX_FIN) && n == (int32_t)tx->len - 1)
		return tx; /* the FIN came in the same segment, and some do not tell of it */
	if (n < (int32_t)tx->len) {
		n = n / tx->mss * tx->mss;
		if (n <= 0 || !tcp_tx_split(g, c, tx, (uint32_t)n))
			return NULL;
	}
	return tx;
}

static void sack_block(struct glass *g, struct tcp_conn *c, struct tcp_sack_block b,
		       struct tcp_ack_sum *sum)
{
	struct tcp_tx *tx = tcp_sent_find(c, seq_max(b.start, c->snd.una)), *part;

	for (; tx && seq_lt(tx->seq, b.end); tx = next_of(c, tx)) {
		stat_inc(g, STAT_TCP_SACK_STEPS);
		if (tx->flags & TX_SACKED)
			continue;
		part = cut_out(g, c, tx, b);
		if (!part)
			continue;
		sum->sacked += part->len;
		tcp_rack_delivered(g, c, part, sum);
		tx = tcp_mark_sacked(g, c, part);
	}
}

/*
 * RFC 2883 4: the first block, below the ACK or inside the second, reports a duplicate. Believed
 * only as far as we have sent something twice: a network may duplicate, and a peer may lie.
 */
static bool is_duplicate(const struct tcp_seg *seg)
{
	const struct tcp_sack_block *b = seg->opt.sack;

	return seq_leq(b[0].end, seg->ack) ||
	       (seg->opt.nsack > 1 && seq_geq(b[0].start, b[1].start) &&
		seq_leq(b[0].end, b[1].end));
}

static void note_duplicate(struct tcp_conn *c, struct tcp_sack_block b, struct tcp_ack_sum *sum)
{
	uint32_t len = (uint32_t)seq_diff(b.end, b.start);
	uint32_t segs = len > c->mss ? (len + c->mss - 1) / c->mss : 1;
	uint32_t room = UINT32_MAX - c->dsack_dups; /* blocks may be as long as a lie */

	if (seq_eq(b.start, c->snd.iss))
		return; /* a SYN, which both have sent: it tells nothing of the path */
	c->dsack_dups += segs < room ? segs : room;
	if (c->dsack_dups > c->retrans_total)
		return;
	sum->dsack = true;
	sum->duplicate = b;
}

/* By place: RACK takes what it sees before something lower for reordering. */
static void sort_blocks(struct tcp_sack_block *b, unsigned n)
{
	for (unsigned i = 1; i < n; i++)
		for (unsigned j = i; j && seq_lt(b[j].start, b[j - 1].start); j--) {
			struct tcp_sack_block lower = b[j];

			b[j] = b[j - 1];
			b[j - 1] = lower;
		}
}

void tcp_sack_read(struct glass *g, struct tcp_conn *c, const struct tcp_seg *seg,
		   struct tcp_ack_sum *sum)
{
	struct tcp_sack_block blocks[TCP_SACK_BLOCKS_MAX];
	unsigned n = 0;

	for (unsigned i = 0; i < seg->opt.nsack; i++) {
		struct tcp_sack_block b = seg->opt.sack[i];

		if (seq_geq(b.start, b.end) || seq_gt(b.end, c->snd.nxt))
			continue; /* not of this connection */
		if (i == 0 && is_duplicate(seg))
			note_duplicate(c, b, sum);
		else if (seq_gt(b.end, c->snd.una))
			blocks[n++] = b;
	}
	sort_blocks(blocks, n);
	for (unsigned i = 0; i < n; i++)
		sack_block(g, c, blocks[i], sum);
}

bool tcp_sack_reneged(const struct tcp_conn *c)
{
	return !list_empty(&c->out->sent) &&
	       (list_first(&c->out->sent, struct tcp_tx, node)->flags & TX_SACKED);
}
