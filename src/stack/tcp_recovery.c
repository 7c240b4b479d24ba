/* SPDX-License-Identifier: MIT */
/*
 * The states of congestion: Open, Recovery, Loss. SACK (tcp_sack.c) tells what arrived, RACK
 * (tcp_rack.c) concludes what did not; here recovery begins and ends, and PRR (RFC 9937) paces
 * what is sent meanwhile. A peer without SACK is served by duplicate ACKs (RFC 5681, RFC 6582).
 *
 * In: tcp_check_ack, the timers.  Out: marks on struct tcp_tx and cwnd, which tcp_output obeys.
 */
#include "tcp_cc.h"
#include "tcp_input.h"
#include "tcp_recovery.h"

#define RECOVER_BEHIND_MAX (1 << 30) /* sequence numbers are compared within 2^31 */

void tcp_set_ca(struct glass *g, struct tcp_conn *c, enum tcp_ca_state to, uint64_t name,
		uint64_t why)
{
	c->ca_state = (uint8_t)to;
	EVENT(g, c->id, 0, TCP_CA, name, c->cwnd, c->ssthresh, why);
}

/* RFC 9937 6: what was SACKed before will not be delivered in this recovery, what is now will. */
static void enter_recovery(struct glass *g, struct tcp_conn *c, const struct tcp_ack_sum *sum)
{
	c->recover = c->snd.nxt;
	c->out->recover_fs =
		(uint32_t)seq_diff(c->snd.nxt, c->snd.una) - c->out->sacked + sum->delivered;
	c->out->prr_delivered = c->out->prr_out = 0;
	tcp_undo_begin(c);
	tcp_cc_reduce(g, c, CC_LOSS);
	stat_inc(g, STAT_TCP_FAST_RECOVERIES);
	tcp_set_ca(g, c, CA_RECOVERY, WORD("Recovery"), WORD("loss"));
}

/* Below ssthresh: as much as is delivered, and a segment more when nothing further was lost. */
static int64_t prr_slow(const struct tcp_conn *c, const struct tcp_ack_sum *sum, bool safe)
{
	int64_t allowed = (int64_t)c->out->prr_delivered - c->out->prr_out;
	int64_t room = (int64_t)c->ssthresh - tcp_in_flight(c);

	if (allowed < sum->delivered)
		allowed = sum->delivered;
	if (safe)
		allowed += c->mss;
	return allowed < room ? allowed : room;
}

/*
 * RFC 9937 6.2: as much may be sent as keeps the decrease proportional to what arrives. An ACK that
 * delivers nothing lets nothing out, however many of them a peer may send.
 */
static void prr_update(struct tcp_conn *c, const struct tcp_ack_sum *sum, bool safe)
{
	uint32_t flight = tcp_in_flight(c);
	int64_t allowed;

	c->out->prr_delivered += sum->delivered;
	if (flight > c->ssthresh)
		allowed = (int64_t)(((uint64_t)c->out->prr_delivered * c->ssthresh +
				     c->out->recover_fs - 1) /
				    c->out->recover_fs) -
			  c->out->prr_out;
	else
		allowed = prr_slow(c, sum, safe);
	if (allowed < 0)
		allowed = 0;
	/* The first retransmission always goes; without SACK that of a partial ACK too (RFC 6582).
	 */
	if ((!c->out->prr_out || (!c->sack_ok && sum->progress)) && allowed < c->mss)
		allowed = c->mss;
	c->cwnd = flight + (uint32_t)allowed;
}

/*
 * The window after a recovery. ssthresh is a part of what was out, and what was out may have been
 * much more than the path can hold, as at the end of a slow start: what of it had to be sent again
 * (and was not there twice) it did not hold. A flight of an initial window no slow start has made:
 * there it is the part alone, RFC 9438 4.6. And nothing makes a burst of what PRR has held back:
 * RFC 6582 3.2 (3), the first choice; the window grows to ssthresh by what is acknowledged. Without
 * a clock of ACKs the initial window may go (RFC 5681 4.1).
 */
static void window_after_recovery(struct glass *g, struct tcp_conn *c)
{
	uint32_t was_out = (uint32_t)seq_diff(c->recover, c->out->undo_from);
	uint32_t held = was_out - (was_out < c->out->undo_bytes ? was_out : c->out->undo_bytes);
	uint32_t flight = tcp_in_flight(c) + c->mss, least = tcp_cc_initial(g, c);

	if (held < tcp_cc_least(c))
		held = tcp_cc_least(c);
	if (was_out > least && c->ssthresh > held)
		c->ssthresh = held;
	if (flight < least)
		flight = least;
	c->cwnd = c->ssthresh < flight ? c->ssthresh : flight;
}

/* All that was out when it began is acknowledged. */
static void leave_recovery(struct glass *g, struct tcp_conn *c)
{
	tcp_rack_recovered(c);
	if (c->ca_state == CA_RECOVERY)
		window_after_recovery(g, c);
	if (!c->sack_ok)
		c->out->sacked = 0;
	c->dupacks = 0;
	c->out->frto = FRTO_OFF;
	tcp_set_ca(g, c, CA_OPEN, WORD("Open"), WORD("all that was out is acknowledged"));
}

/*
 * Without SACK a duplicate says that some segment has arrived, not which: it is counted in
 * c->out->sacked. Of what an ACK then covers one segment filled the hole, and the rest were counted
 * before.
 */
static void count_duplicates(struct tcp_conn *c, struct tcp_ack_sum *sum)
{
	uint32_t room = (uint32_t)seq_diff(c->snd.nxt, c->snd.una) - c->out->lost, known;

	if (sum->progress) {
		known = sum->acked > c->mss ? sum->acked - c->mss : 0;
		if (known > c->out->sacked)
			known = c->out->sacked;
		sum->delivered -= known < sum->delivered ? known : sum->delivered;
		c->out->sacked = c->ca_state == CA_RECOVERY ? c->out->sacked - known : 0;
		c->dupacks = 0;
	}
	if (sum->dupack && c->dupacks < UINT8_MAX)
		c->dupacks++;
	/* Until it is a recovery two may let new data out: RFC 3042. */
	if (sum->dupack && (c->ca_state == CA_RECOVERY || c->dupacks <= TCP_DUPACKS)) {
		c->out->sacked += c->mss;
		sum->delivered += c->mss;
	}
	if (c->out->sacked > room)
		c->out->sacked = room;
}

/*
 * RFC 5681 3.2, RFC 6582: no SACK, so the third duplicate, and then each partial ACK, tells of
 * one lost segment. RFC 6582 3.2 (2): not when the duplicates can be answers to what a recovery
 * before this has sent twice.
 */
static void detect_by_duplicates(struct glass *g, struct tcp_conn *c, struct tcp_ack_sum *sum)
{
	bool partial = sum->progress && c->ca_state == CA_RECOVERY;
	struct tcp_tx *tx = list_first(&c->out->sent, struct tcp_tx, node);

	count_duplicates(c, sum);
	if (list_empty(&c->out->sent) || (tx->flags & TX_LOST))
		return;
	if (!partial && !(c->dupacks == TCP_DUPACKS && c->ca_state == CA_OPEN &&
			  seq_gt(c->snd.una, c->recover)))
		return;
	if (tx->len > c->mss && !tcp_tx_split(g, c, tx, c->mss))
		return;
	tcp_mark_lost(g, c, tx, partial ? RTX_KIND_PARTIAL : RTX_KIND_DUPACK);
	count_duplicates(c, &(struct tcp_ack_sum){ .rtt_ns = -1 }); /* room for them is less */
}

/* Marks what is lost. true: something is that was not. */
static bool detect(struct glass *g, struct tcp_conn *c, struct tcp_ack_sum *sum)
{
	uint32_t before = c->out->lost - c->out->retrans;
	int64_t wait = 0;

	if (!tcp_has_flight(c))
		return false;
	if (!c->sack_ok)
		detect_by_duplicates(g, c, sum);
	else
		wait = tcp_rack_detect(g, c);
	c->out->reorder_at_ns = wait ? now(g) + wait : 0;
	return c->out->lost - c->out->retrans > before;
}

/*
 * Does the window grow? By what has arrived now, for what a SACK told of has let out new segments
 * already (RFC 3042, RFC 6675): counted again with the ACK that covers it, it would be a burst. A
 * SACK alone may be a sign of loss; where order is not kept it is one of arrival. Linux likewise.
 */
static bool grows(const struct tcp_conn *c, const struct tcp_ack_sum *sum)
{
	return sum->acked || (sum->delivered && c->reordering > TCP_DUPACKS);
}

/*
 * What the ACK changes in the congestion state: recovery begins, goes on, ends; the window grows.
 */
void tcp_recover(struct glass *g, struct tcp_conn *c, const struct tcp_seg *seg,
		 struct tcp_ack_sum *sum)
{
	enum tcp_ca_state before = c->ca_state;
	bool lost;

	if (sum->delivered)
		c->out->probed = false;
	tcp_rack_dsack(c, sum);
	tcp_tlp_ack(g, c, seg, sum);
	if (sum->acked && before == CA_LOSS)
		tcp_cc_acked(g, c, sum);
	tcp_undo_check(g, c, sum);
	if (c->ca_state != CA_OPEN && seq_geq(c->snd.una, c->recover))
		leave_recovery(g, c);
	lost = detect(g, c, sum);
	if (lost && c->ca_state == CA_OPEN)
		enter_recovery(g, c, sum);
	if (c->ca_state == CA_RECOVERY && sum->delivered)
		prr_update(c, sum, sum->progress && !lost);
	else if (before == CA_OPEN && c->ca_state == CA_OPEN &&
		 grows(c, sum)) /* what ends a recovery leaves cwnd at ssthresh */
		tcp_cc_acked(g, c, sum);
	if (seq_diff(c->snd.una, c->recover) > RECOVER_BEHIND_MAX)
		c->recover = seq_add(c->snd.una, UINT32_MAX);
}

/* The reordering timer of RACK fired: what was waited for has not come. */
void tcp_rack_timeout(struct glass *g, struct tcp_conn *c)
{
	struct tcp_ack_sum none = { .rtt_ns = -1 };
	bool lost = detect(g, c, &none);

	if (lost && c->ca_state == CA_OPEN)
		enter_recovery(g, c, &none);
	if (lost && c->ca_state == CA_RECOVERY)
		prr_update(c, &none, false);
}

/*
 * RFC 2018 8: what lies at snd.una and was SACKed is not with the peer any more: it has thrown
 * away what it told of. Else the head goes first, and its answer tells the rest (tcp_undo.c).
 */
static void mark_for_timeout(struct glass *g, struct tcp_conn *c)
{
	struct tcp_tx *head = list_first(&c->out->sent, struct tcp_tx, node);

	if (!tcp_sack_reneged(c)) {
		if (c->out->frto == FRTO_HEAD && !list_empty(&c->out->sent) &&
		    (head->len <= c->mss || tcp_tx_split(g, c, head, c->mss)))
			tcp_mark_lost(g, c, head, RTX_KIND_FRTO);
		tcp_mark_all_lost(g, c, RTX_KIND_TIMEOUT);
		return;
	}
	stat_inc(g, STAT_TCP_SACK_RENEGING);
	c->out->frto = FRTO_OFF;
	c->out->undo_watch = false;
	list_for_each(tx, &c->out->sent, struct tcp_tx, node)
		tcp_mark_lost(g, c, tx, RTX_KIND_RENEGED);
}

void tcp_enter_loss(struct glass *g, struct tcp_conn *c)
{
	c->flight_size = (uint32_t)seq_diff(c->snd.nxt, c->snd.una);
	if (c->ca_state == CA_OPEN)
		tcp_undo_begin(c);
	/* RFC 5682 2.1 (1): not when the data is being recovered already. */
	c->out->frto = c->ca_state == CA_OPEN || c->out->frto == FRTO_HEAD ? FRTO_HEAD : FRTO_OFF;
	/* RFC 5681 3.1 (4): a second timeout for the same data does not halve again. */
	if (c->ca_state != CA_LOSS)
		tcp_cc_reduce(g, c, CC_TIMEOUT);
	mark_for_timeout(g, c);
	c->cwnd = c->mss;
	c->dupacks = 0;
	c->out->tlp_out = false;
	c->out->reorder_at_ns = 0;
	c->recover = c->snd.nxt;
	tcp_set_ca(g, c, CA_LOSS, WORD("Loss"), WORD("timeout"));
}
