/* SPDX-License-Identifier: MIT */
/*
 * What is out: a struct tcp_tx for each frame (so up to 64 KB each) that was sent and is not
 * acknowledged. It is in flight, or lost and to be sent again, or with the peer (TX_SACKED).
 *
 * A connection has a struct tcp_flight only while something is out, or something about what was out
 * is not decided yet. It begins with the first frame, for which there must be memory anyway, and so
 * is there when something is lost (docs/adr/0017-state-on-demand.md).
 */
#ifndef GLASS_STACK_TCP_TX_H
#define GLASS_STACK_TCP_TX_H

#include "../base/list.h"
#include "../base/seqtree.h"

struct tcp_chunk;

enum tcp_tx_flag {
	TX_SACKED = 1,	/* the peer has it; neighbours that it has are one frame */
	TX_LOST = 2,	/* taken for lost */
	TX_RETRANS = 4, /* sent again, that copy is in flight */
	TX_EVER_RETRANS = 8,
	TX_FIN = 16, /* ends with our FIN */
	TX_PSH = 64, /* ends with PSH, when it is sent again too */
};

/* Why something is sent again. */
enum tcp_rtx_kind {
	RTX_KIND_RACK,	  /* RFC 8985: something sent later has arrived */
	RTX_KIND_DUPACK,  /* RFC 5681: three duplicate ACKs */
	RTX_KIND_PARTIAL, /* RFC 6582: an ACK of less than all */
	RTX_KIND_TIMEOUT, /* RFC 6298 */
	RTX_KIND_FRTO,	  /* the same, and the answers will tell whether it was needed: RFC 5682 */
	RTX_KIND_PROBE,	  /* RFC 8985 7: tail loss probe */
	RTX_KIND_RENEGED, /* RFC 2018 8: the peer has thrown away what it had */
	RTX_KIND_PATH,	  /* it was too big for the path */
	RTX_KINDS
};

struct tcp_tx {
	struct list node;  /* flight->sent */
	struct seqnode at; /* flight->sent_at */
	union {
		struct list in_flight;
		struct seqnode to_resend; /* TX_LOST without TX_RETRANS */
	};
	struct seq seq;
	uint32_t len;		 /* sequence space: payload, and one for a FIN */
	struct tcp_chunk *chunk; /* where its payload begins */
	uint32_t off;		 /* in chunk->buf->bytes */
	uint32_t pkt;		 /* number of the packet that carried it first */
	uint32_t order;		 /* of its last transmission among all of the connection */
	uint32_t segs;		 /* segments that it is on the wire */
	uint16_t mss;		 /* their size */
	uint8_t flags;
	uint8_t kind;	  /* TX_LOST: enum tcp_rtx_kind */
	bool app_limited; /* tcp_rate.c: how it was at its last transmission */
	int64_t sent_ns;  /* last transmission */
	int64_t first_sent_ns, delivered_ns;
	uint64_t delivered;
};

/* RFC 5682, after a timeout: the head was sent again; new data was let out to see. */
enum tcp_frto { FRTO_OFF, FRTO_HEAD, FRTO_NEW };

struct tcp_flight {
	struct list sent;	/* struct tcp_tx, by sequence number */
	struct seqtree sent_at; /* the same, to find one */
	struct list flight;	/* those in flight, in order of sending */
	struct seqtree to_resend;
	uint32_t frames;     /* in sent */
	uint32_t sent_count; /* transmissions so far: tcp_tx.order */
	uint32_t sacked_segs;
	uint32_t sacked, lost, retrans; /* bytes of tx with the flag */
	int64_t una_ns;			/* when snd.una moved last; 0: not since the beginning */
	int64_t rto_at_ns; /* when the retransmission timer is due; 0: nothing is out */

	uint32_t undo_cwnd, undo_ssthresh;	     /* before the last reduction: tcp_cc_undo() */
	uint32_t prr_delivered, prr_out, recover_fs; /* RFC 9937 */

	/* RACK-TLP, RFC 8985 */
	int64_t rack_rtt_ns;
	int64_t reorder_at_ns; /* when the next frame counts as lost; 0: none waits */
	uint32_t rack_order;   /* of the frame sent last among those that arrived; 0: none has */
	struct seq rack_end;
	struct seq rack_fack;	  /* highest sequence delivered */
	struct seq rack_original; /* the end of what arrived, its original perhaps; >= snd.una */
	struct seq tlp_end;
	uint32_t tlp_ts;    /* our timestamp when the probe left */
	uint16_t tlp_bytes; /* that it sent again; 0: it was new data */
	bool tlp_out;
	bool probed; /* and nothing was delivered since */

	/* Was the recovery needed? tcp_undo.c */
	bool undo_watch, undo_resent, undo_counted;
	uint8_t frto;	      /* enum tcp_frto */
	struct seq undo_from; /* snd.una when it began */
	uint32_t undo_bytes;  /* sent again, not reported as duplicates */
	uint32_t undo_ts;     /* our timestamp at the first retransmission */
};

/* Nothing is out. Nobody writes to it. */
extern const struct tcp_flight tcp_no_flight;

#endif
