/* SPDX-License-Identifier: MIT */
/*
 * Was it needed? What was sent again in a recovery is watched; when it turns out that nothing was
 * lost, windows and marks go back to what they were, and what was not sent again is not:
 *
 *	DSACK	  the peer got twice all that was sent again (RFC 2883, RFC 3708)
 *	Eifel	  it acknowledges what came before our first retransmission, by its timestamp (RFC
 *3522) F-RTO	  after a timeout, it acknowledges what was not sent again (RFC 5682)
 *
 * In: tcp_recovery.c, tcp_retransmit.  Out: tcp_cc_undo, tcp_unmark_lost.
 */
#include "tcp.h"
#include "tcp_account.h"
#include "tcp_cc.h"
#include "tcp_input.h"
#include "tcp_output.h"
#include "tcp_recovery.h"

#define FRTO_SEGMENTS 2 /* new ones, to provoke an answer: RFC 5682 2.1 (2b) */

uint64_t tcp_lost_word(enum tcp_rtx_kind kind)
{
	switch (kind) {
	case RTX_KIND_RACK:
		return WORD("sent before one that has arrived");
	case RTX_KIND_DUPACK:
		return WORD("three duplicate ACKs");
	case RTX_KIND_PARTIAL:
		return WORD("a partial ACK");
	case RTX_KIND_TIMEOUT:
	case RTX_KIND_FRTO:
		return WORD("the retransmission timer expired");
	case RTX_KIND_RENEGED:
		return WORD("the peer has thrown it away");
	case RTX_KIND_PATH:
		return WORD("too big for the path");
	case RTX_KIND_PROBE:
	case RTX_KINDS:
		break;
	}
	return WORD("?");
}

uint64_t tcp_rtx_word(enum tcp_rtx_kind kind)
{
	switch (kind) {
	case RTX_KIND_RACK:
		return WORD("fast: RACK");
	case RTX_KIND_DUPACK:
		return WORD("fast: three duplicate ACKs");
	case RTX_KIND_PARTIAL:
		return WORD("partial ACK");
	case RTX_KIND_TIMEOUT:
		return WORD("timeout");
	case RTX_KIND_FRTO:
		return WORD("timeout, F-RTO tests it");
	case RTX_KIND_PROBE:
		return WORD("tail loss probe");
	case RTX_KIND_RENEGED:
		return WORD("reneged");
	case RTX_KIND_PATH:
		return WORD("smaller for the path");
	case RTX_KINDS:
		break;
	}
	return WORD("?");
}

/*
 * A tail loss probe that is not answered yet may be reported as a duplicate as well. As Linux: were
 * it not counted, its report would be taken for that of something sent again now.
 */
static uint32_t probe_bytes(const struct tcp_conn *c)
{
	return c->out->tlp_out && seq_lt(c->snd.una, c->out->tlp_end) ? c->out->tlp_bytes : 0;
}

void tcp_undo_begin(struct tcp_conn *c)
{
	c->out->undo_watch = true;
	c->out->undo_counted = false;
	c->out->undo_resent = false;
	c->out->undo_from = c->snd.una;
	c->out->undo_bytes = probe_bytes(c);
}

void tcp_undo_resent(struct glass *g, struct tcp_conn *c, const struct tcp_tx *tx)
{
	if (!c->out->undo_watch)
		return;
	if (!c->out->undo_resent)
		c->out->undo_ts = tcp_ts_now(g, c);
	c->out->undo_resent = true;
	c->out->undo_bytes += tx->len;
}

static uint32_t segments(const struct tcp_conn *c, uint32_t bytes)
{
	return (bytes + c->mss - 1) / c->mss;
}

static void undo(struct glass *g, struct tcp_conn *c, uint64_t why)
{
	uint32_t segs = segments(c, c->out->undo_bytes);

	if (segs)
		c->account->retrans_spurious += segs;
	c->out->undo_counted = true; /* the duplicates will be reported too */
	c->out->undo_watch = false;
	EVENT(g, c->id, 0, TCP_SPURIOUS, c->out->undo_from.v - c->snd.iss.v, segs, why);
	if (c->ca_state == CA_LOSS) {
		stat_inc(g, STAT_TCP_SPURIOUS_RTOS);
	} else {
		stat_inc(g, STAT_TCP_FULL_UNDO);
		tcp_rack_reordered(c);
	}
	tcp_unmark_lost(g, c);
	c->out->rack_order = 0; /* RACK took the originals for the copies: it begins anew */
	tcp_cc_undo(g, c);
	c->out->frto = FRTO_OFF;
	c->dupacks = 0;
	tcp_set_ca(g, c, CA_OPEN, WORD("Open"), why);
}

/* A duplicate of what we have sent again; bytes of the watched recovery count. */
static void note_duplicate(struct glass *g, struct tcp_conn *c, const struct tcp_ack_sum *sum)
{
	uint32_t len = (uint32_t)seq_diff(sum->duplicate.end, sum->duplicate.start);
	bool watched = (c->out->undo_watch || c->out->undo_counted) && c->out->undo_bytes &&
		       seq_geq(sum->duplicate.start, c->out->undo_from);

	if (watched)
		c->out->undo_bytes -= len < c->out->undo_bytes ? len : c->out->undo_bytes;
	if ((watched && c->out->undo_counted) || !c->account) /* of what was never sent: a lie */
		return;
	c->account->retrans_spurious += segments(c, len);
	EVENT(g, c->id, 0, TCP_SPURIOUS, sum->duplicate.start.v - c->snd.iss.v, segments(c, len),
	      WORD("DSACK"));
}

/* RFC 3522: what is acknowledged now was sent before our first retransmission. */
static bool original_by_timestamp(const struct tcp_conn *c, const struct tcp_ack_sum *sum)
{
	return sum->ts && (int32_t)(sum->tsecr - c->out->undo_ts) < 0;
}

/*
 * An ACK of everything proves it for all that was sent again; one of less for a timeout, for there
 * the head was sent again first; and in a recovery when no copy is under way.
 */
static bool eifel(const struct tcp_conn *c, const struct tcp_ack_sum *sum)
{
	if (!sum->progress || c->ca_state == CA_OPEN || !original_by_timestamp(c, sum))
		return false;
	return c->ca_state == CA_LOSS || seq_geq(c->snd.una, c->recover) ||
	       (sum->retrans_acked && !c->out->retrans);
}

static bool may_send_new(const struct tcp_conn *c)
{
	return tcp_unsent(c) && seq_lt(c->snd.nxt, seq_add(c->snd.una, c->snd.wnd));
}

/*
 * RFC 5682 2.1 and, with SACK, 3.1. Step 2: the first ACK after the head was sent again; when it is
 * one of a part, new data goes out instead of old. Step 3: the next ACK decides. true: spurious.
 */
static bool frto(struct tcp_conn *c, const struct tcp_ack_sum *sum)
{
	if (c->out->frto == FRTO_HEAD && sum->progress) {
		c->out->frto = FRTO_OFF;
		if (seq_lt(c->snd.una, c->recover) && may_send_new(c)) {
			c->out->frto = FRTO_NEW;
			c->cwnd = tcp_in_flight(c) + FRTO_SEGMENTS * c->mss;
		}
	} else if (c->out->frto == FRTO_HEAD) {
		if (sum->dupack && !c->sack_ok)
			c->out->frto = FRTO_OFF;
	} else if (c->out->frto == FRTO_NEW) {
		if (sum->original_arrived)
			return true;
		if (sum->sacked || sum->dupack || sum->progress)
			c->out->frto = FRTO_OFF;
	}
	return false;
}

/*
 * What was taken for lost has arrived before it could be sent again, or it was sent again and the
 * peer had it all.
 */
static bool lost_nothing(const struct tcp_conn *c, const struct tcp_ack_sum *sum)
{
	if (!c->out->undo_resent)
		return c->ca_state == CA_RECOVERY && !c->out->lost;
	return sum->dsack && !c->out->undo_bytes;
}

bool tcp_undo_check(struct glass *g, struct tcp_conn *c, const struct tcp_ack_sum *sum)
{
	if (sum->dsack)
		note_duplicate(g, c, sum);
	if (!c->out->undo_watch)
		return false;
	if (c->out->undo_resent && eifel(c, sum)) {
		/*
		 * RFC 4015 3.2: the path has become this slow. But an answer to the copy, which
		 * reports a duplicate, came because the original's was lost.
		 */
		if (c->ca_state == CA_LOSS && !sum->dsack)
			tcp_rtt_sample(g, c, (int64_t)(tcp_ts_now(g, c) - sum->tsecr) * NS_PER_MS);
		undo(g, c, WORD("Eifel: its timestamp is older than the retransmission"));
	} else if (c->out->undo_resent && c->ca_state == CA_LOSS && frto(c, sum)) {
		undo(g, c, WORD("F-RTO: what was not sent again has arrived"));
	} else if (lost_nothing(c, sum)) {
		undo(g, c,
		     c->out->undo_resent ? WORD("DSACK: all that was sent again was there already")
					 : WORD("all that was taken for lost has arrived"));
	} else {
		return false;
	}
	return true;
}
