/* SPDX-License-Identifier: MIT */
/* The inside of a running dialogue: see dialogue.h for how to write one. */
#ifndef TESTS_DLG_H
#define TESTS_DLG_H

#include <setjmp.h>

#include "dialogue.h"
#include "spec.h"

#define DLG_FLOWS_MAX 8192
#define DLG_QUEUE_MAX 4096
#define DLG_APPS_MAX 2048
#define DLG_STACK_IP 0x0a000004u
#define DLG_PEER_IP 0x0a000005u
#define DLG_PEER_ISN 0xfffffc00u /* the peer's sequence numbers wrap after 1,024 bytes */

/*
 * Close before the millisecond clock wraps at 2^32, so that every test of a few seconds sees it
 * wrap.
 */
#define DLG_BIRTH_NS (4294962296ll * 1000000)

extern const uint8_t dlg_stack_mac[6], dlg_peer_mac[6];

/* A segment of the stack that no wire_out has taken yet. */
struct queued {
	struct seg seg;
	int64_t time;
	struct flow *flow;
	bool was_sent;
};

struct dlg {
	struct glass *g;
	int dev;
	int64_t now;
	void *ring;
	size_t ring_bytes;
	struct dlg_test *test;
	unsigned number;
	const struct dlg_place *at;
	jmp_buf failed;
	bool big_mtu;
	bool takeovers; /* each T() saves the stack, and another one goes on */
	bool held;	/* wire_hold(): nobody takes what the stack sends */

	struct flow flows[DLG_FLOWS_MAX];
	unsigned nflows;
	struct flow *flow; /* the one spoken of */
	struct queued queue[DLG_QUEUE_MAX];
	size_t nqueued;
	struct seg last;
	uint8_t quote[64]; /* the stack's last packet, for ICMP errors */
	size_t quote_len;

	struct app apps[DLG_APPS_MAX];
	unsigned napps;
	char transcript[1 << 18];
	size_t transcript_len;
};

void dlg_pump(struct dlg *d);
/* A frame to the stack. */
void dlg_give(struct dlg *d, const uint8_t *bytes, size_t n);
/* A line of what is told when the dialogue fails; direction: as "<". */
void dlg_transcribe(struct dlg *d, const char *direction, const char *line);
void dlg_print_trace(struct dlg *d);
/* Fails when a segment waits that no wire_out has taken. */
void dlg_no_frame_waits(struct dlg *d, const struct dlg_place *at);
struct flow *dlg_flow(struct dlg *d, uint16_t lport, uint16_t rport);
/* The byte at a place of the stream; who: 1 the stack's program, 2 the peer. */
uint8_t dlg_pattern(unsigned who, uint64_t place);

#endif
