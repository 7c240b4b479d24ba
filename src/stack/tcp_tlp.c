/* SPDX-License-Identifier: MIT */
/*
 * Tail loss probe, RFC 8985 section 7: when the last segments of a flight are lost nothing comes
 * back that could tell; one segment more, after two round trips, makes the peer speak.
 *
 * In: tcp_timer.c, tcp_recovery.c.  Out: tcp_segment.c.
 */
#include "tcp.h"
#include "tcp_cc.h"
#include "tcp_input.h"
#include "tcp_output.h"
#include "tcp_recovery.h"

#define PROBE_MIN_NS (2 * NS_PER_MS) /* a peer's scheduling delay is no loss */

static bool one_segment_is_out(const struct tcp_conn *c)
{
	const struct tcp_tx *tx = list_first(&c->out->sent, struct tcp_tx, node);

	return tx->node.next == &c->out->sent && tx->segs == 1;
}

/*
 * The same in a recovery: what was sent again is lost once more, and nothing sent after it comes
 * back that would tell RACK. RFC 8985 7.2 leaves that to the timeout; RFC 9002 6.2 does not, nor do
 * we (docs/adr/0013-probe-in-recovery.md). No ACK is delayed while a hole is open (RFC 5681 4.2).
 * Not while a timeout backs off: then the path itself is in doubt.
 */
static int64_t recovery_timeout(const struct tcp_conn *c)
{
	int64_t spread = c->srtt_ns + 4 * c->rttvar_ns, pto = 2 * c->srtt_ns;

	if (c->out->probed || c->timeouts || !pto)
		return 0;
	if (pto < spread)
		pto = spread;
	return pto > PROBE_MIN_NS ? pto : PROBE_MIN_NS;
}

/*
 * RFC 8985 7.2, and a second probe only when something has arrived since the first. The caller sees
 * to it that a timeout is not put off by it.
 */
int64_t tcp_tlp_timeout(const struct glass *g, const struct tcp_conn *c)
{
	int64_t pto = 2 * c->srtt_ns;

	if (!c->sack_ok || list_empty(&c->out->flight))
		return 0;
	if (c->ca_state != CA_OPEN)
		return recovery_timeout(c);
	if (c->out->sacked || c->out->lost ||
	    (c->out->probed && seq_lt(c->snd.una, c->out->tlp_end)))
		return 0;
	if (!pto)
		return NS_PER_S;
	if (one_segment_is_out(c)) /* its ACK may be delayed: as Linux, by the least RTO */
		return pto + g->tun.tcp_rto_min_ms * NS_PER_MS;
	return pto > PROBE_MIN_NS ? pto : PROBE_MIN_NS;
}

/* RFC 8985 7.4.2: the probe repaired a loss that nothing else has shown. */
static void probe_repaired(struct glass *g, struct tcp_conn *c)
{
	c->out->tlp_out = false;
	stat_inc(g, STAT_TCP_LOSS_PROBE_RECOVERY);
	if (c->ca_state != CA_OPEN)
		return;
	c->out->undo_watch = false; /* what was before this reduction is what counts now */
	tcp_cc_reduce(g, c, CC_LOSS);
	c->cwnd = c->ssthresh;
	tcp_set_ca(g, c, CA_OPEN, WORD("Open"), WORD("a tail loss probe repaired a loss"));
}

/* The last segment, with the FIN if there is one, as a frame of its own. */
static struct tcp_tx *last_segment(struct glass *g, struct tcp_conn *c)
{
	struct tcp_tx *tx = list_last(&c->out->sent, struct tcp_tx, node);
	uint32_t payload = tx->len - !!(tx->flags & TX_FIN);

	if (payload > tx->mss && tcp_tx_split(g, c, tx, (payload - 1) / tx->mss * tx->mss))
		tx = list_last(&c->out->sent, struct tcp_tx, node);
	return tx;
}

/* The head once more: its answer tells RACK of all that was sent before. */
static void probe_head(struct glass *g, struct tcp_conn *c)
{
	struct tcp_tx *head = list_first(&c->out->sent, struct tcp_tx, node);

	c->out->probed = true;
	c->out->frto = FRTO_OFF;
	if (tcp_retransmit(g, c, head, c->mss, RTX_KIND_PROBE) && c->ca_state == CA_RECOVERY)
		c->out->prr_out += head->len;
	tcp_rearm(g, c, false);
}

/* RFC 8985 7.3: new data when there is some and it may go; else the last segment again. */
void tcp_tlp_send(struct glass *g, struct tcp_conn *c)
{
	int32_t window = seq_diff(seq_add(c->snd.una, c->snd.wnd), c->snd.nxt);
	uint32_t unsent = tcp_unsent(c), n = unsent < c->mss ? unsent : c->mss;
	struct tcp_tx *last;

	if (!tcp_tlp_timeout(g, c)) {
		tcp_rearm(g, c, false);
		return;
	}
	stat_inc(g, STAT_TCP_LOSS_PROBES);
	if (c->ca_state != CA_OPEN) {
		probe_head(g, c);
		return;
	}
	/*
	 * The last probe was acknowledged, and nothing has said since that the peer had its
	 * contents before: it was needed. Undecided it would keep this one from being sent.
	 */
	if (c->out->tlp_out && seq_geq(c->snd.una, c->out->tlp_end))
		probe_repaired(g, c);
	c->out->tlp_ts = tcp_ts_now(g, c);
	c->out->tlp_bytes = 0;
	c->out->tlp_out = c->out->probed = true;
	if (!n || window < (int32_t)n || !tcp_send_data(g, c, n, n == unsent && c->fin_queued)) {
		last = last_segment(g, c);
		tcp_retransmit(g, c, last, c->mss, RTX_KIND_PROBE);
		c->out->tlp_bytes = (uint16_t)last->len;
	}
	c->out->tlp_end = c->snd.nxt;
	tcp_rearm(g, c, true);
}

/*
 * RFC 8985 7.4.2: what became of the probe. When it was a copy, and all up to it is acknowledged,
 * it was needless if the peer reports a duplicate (DSACK, or an ACK that tells nothing new), and
 * needed if it goes on without one. A timestamp tells at once (RFC 3522).
 */
void tcp_tlp_ack(struct glass *g, struct tcp_conn *c, const struct tcp_seg *seg,
		 const struct tcp_ack_sum *sum)
{
	bool ts = sum->progress && sum->ts;

	if (!c->out->tlp_out || seq_lt(seg->ack, c->out->tlp_end))
		return;
	if (!c->out->tlp_bytes || (sum->dsack && seq_eq(sum->duplicate.end, c->out->tlp_end)) ||
	    (ts && (int32_t)(sum->tsecr - c->out->tlp_ts) < 0))
		c->out->tlp_out = false;
	else if (seq_gt(seg->ack, c->out->tlp_end))
		probe_repaired(g, c);
	else if (!sum->progress && !sum->sacked && !seg->span)
		c->out->tlp_out = false;
}
