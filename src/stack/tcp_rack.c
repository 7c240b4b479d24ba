/* SPDX-License-Identifier: MIT */
/*
 * RACK, RFC 8985 section 6: what was sent before something that has arrived, and has not arrived
 * itself within a time that reordering could explain, is lost.
 *
 * "Before" goes by the number of the transmission (tcp_tx.order), for many frames leave within one
 * reading of the clock.
 *
 * In: tcp_sent.c and tcp_sack.c (what has arrived), tcp_recovery.c.  Out: tcp_mark_lost.
 */
#include "tcp.h"
#include "tcp_account.h"
#include "tcp_recovery.h"

#define DSACK_RECOVERIES 16 /* RFC 8985 6.2 step 4: without a duplicate, then all is forgotten */

/* What was sent once and arrives after something higher was reordered; how far: for ss. */
static void note_reordering(struct tcp_conn *c, struct seq end)
{
	uint32_t segs = (uint32_t)seq_diff(c->out->rack_fack, end) / c->mss + 1;

	if (c->reord_seen < UINT16_MAX)
		c->reord_seen++;
	if (segs > c->reordering)
		c->reordering = segs < UINT16_MAX ? (uint16_t)segs : UINT16_MAX;
}

/* Step 4: more reordering must be tolerated; once per round trip. */
static void widen(struct tcp_conn *c)
{
	if (c->rack_dsack_wait)
		return;
	c->rack_dsack_wait = true;
	c->rack_dsack_round = c->snd.nxt;
	if (c->rack_reo_mult < UINT8_MAX)
		c->rack_reo_mult++;
	c->rack_reo_persist = DSACK_RECOVERIES;
}

/*
 * What RACK took for lost was only late. RFC 8985 6.2 step 3 does not see this: it looks at what
 * was sent once, and what comes later than three others is always sent again, as long as nobody has
 * seen it come late. The window of step 4 would never be used. Nor need it wait for a DSACK, which
 * tells the same later, if at all: Linux sums several up in one.
 */
void tcp_rack_reordered(struct tcp_conn *c)
{
	if (c->reord_seen)
		widen(c);
	else
		c->reord_seen = 1;
}

/* RFC 8985 6.2 steps 1 to 3. */
void tcp_rack_delivered(struct glass *g, struct tcp_conn *c, const struct tcp_tx *tx,
			struct tcp_ack_sum *sum)
{
	int64_t rtt = now(g) - tx->sent_ns;
	struct seq end = tcp_tx_end(tx);
	int32_t later;

	sum->delivered += tx->len;
	tcp_rate_delivered(g, c, tx, sum);
	if (!(tx->flags & TX_EVER_RETRANS)) {
		sum->rtt_ns = rtt; /* Karn: the newest one that was sent once */
		if (rtt < c->rack_min_rtt_ns)
			c->rack_min_rtt_ns = rtt;
		if (seq_gt(c->out->rack_fack, end))
			note_reordering(c, end); /* step 3 */
		if (seq_leq(end, c->recover))
			sum->original_arrived = true;
	} else if (rtt < c->rack_min_rtt_ns ||
		   (sum->in_order && sum->ts &&
		    (int32_t)(sum->tsecr - tcp_ts_at(c, tx->sent_ns)) < 0)) {
		/*
		 * Too early for the copy: it is the original that arrived (step 2). Nothing is
		 * learnt from the copy's time, but what was sent before the original has had its
		 * time too. Without this a tail whose probe is answered quickly waits for the RTO.
		 */
		c->out->rack_original = seq_max(c->out->rack_original, end);
		return;
	}
	c->out->rack_fack = seq_max(c->out->rack_fack, end);
	later = (int32_t)(tx->order - c->out->rack_order);
	if (!c->out->rack_order || later > 0 || (!later && seq_gt(end, c->out->rack_end))) {
		c->out->rack_order = tx->order;
		c->out->rack_end = end;
		c->out->rack_rtt_ns = rtt;
	}
}

/* RFC 8985 6.2 step 4: how much reordering to tolerate. */
static int64_t reordering_window(const struct tcp_conn *c)
{
	int64_t wnd;

	if (!c->reord_seen && (c->ca_state != CA_OPEN || c->out->sacked_segs >= TCP_DUPACKS))
		return 0;
	if (c->rack_min_rtt_ns == INT64_MAX)
		return c->srtt_ns; /* nothing has arrived yet that was sent once */
	wnd = c->rack_min_rtt_ns / 4 * c->rack_reo_mult;
	return wnd < c->srtt_ns ? wnd : c->srtt_ns;
}

static bool sent_before_delivered(const struct tcp_conn *c, const struct tcp_tx *tx)
{
	int32_t later = (int32_t)(tx->order - c->out->rack_order);

	return c->out->rack_order &&
	       (later < 0 || (!later && seq_lt(tcp_tx_end(tx), c->out->rack_end)));
}

/* What was sent once was sent in the order of its sequence numbers. */
static bool sent_before_original(const struct tcp_conn *c, const struct tcp_tx *tx)
{
	return !(tx->flags & TX_EVER_RETRANS) && seq_lt(tcp_tx_end(tx), c->out->rack_original);
}

/* When it must have arrived, but for reordering; INT64_MAX: nothing speaks of that yet. */
static int64_t due_ns(const struct tcp_conn *c, const struct tcp_tx *tx)
{
	if (sent_before_delivered(c, tx))
		return tx->sent_ns + c->out->rack_rtt_ns;
	if (sent_before_original(c, tx))
		return tx->sent_ns + c->srtt_ns;
	return INT64_MAX;
}

/*
 * RFC 8985 6.2 step 5. The flight is in order of sending, so the first one that is not lost ends
 * the search, and the timer waits for it alone.
 */
int64_t tcp_rack_detect(struct glass *g, struct tcp_conn *c)
{
	int64_t window = reordering_window(c), due;

	c->out->rack_original = seq_max(c->out->rack_original, c->snd.una);
	list_for_each_safe(tx, &c->out->flight, struct tcp_tx, in_flight) {
		due = due_ns(c, tx);
		if (due == INT64_MAX)
			break;
		if (due + window > now(g))
			return due + window - now(g);
		tcp_mark_lost(g, c, tx, RTX_KIND_RACK);
	}
	return 0;
}

/* Step 4: duplicates reported by the peer, but for what a tail loss probe has doubled. */
void tcp_rack_dsack(struct tcp_conn *c, const struct tcp_ack_sum *sum)
{
	if (c->rack_dsack_wait && seq_geq(c->snd.una, c->rack_dsack_round))
		c->rack_dsack_wait = false;
	if (sum->dsack && !(c->out->tlp_out && seq_eq(sum->duplicate.end, c->out->tlp_end)))
		widen(c);
}

void tcp_rack_recovered(struct tcp_conn *c)
{
	if (c->rack_reo_persist && !--c->rack_reo_persist)
		c->rack_reo_mult = 1;
}
