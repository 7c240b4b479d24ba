/* SPDX-License-Identifier: MIT */
/*
 * A frame that was sent and is not acknowledged. It is in flight (conn->flight), or lost and to be
 * sent again (conn->to_resend), or with the peer (TX_SACKED).
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
	struct list node;  /* conn->sent */
	struct seqnode at; /* conn->sent_at */
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

#endif
