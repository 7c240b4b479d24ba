/* SPDX-License-Identifier: MIT */
/* What a dialogue says of a segment: words read into values, and held against a segment. */
#ifndef TESTS_SPEC_H
#define TESTS_SPEC_H

#include "seg.h"

/* The state of one conversation as the peer sees it. */
struct flow {
	uint16_t lport, rport; /* the stack's, the peer's */
	uint32_t iss, irs;     /* initial sequence numbers: the stack's, the peer's */
	bool iss_ok, irs_ok;
	uint32_t nxt, peer_nxt; /* one beyond the highest sequence number sent: by the stack, by the
				   peer */
	uint16_t win;		/* what the peer advertises */
	bool ts_offered, ts_on;
	uint32_t tsval; /* the stack's last */
};

enum spec_key {
	K_SEQ,
	K_ACK,
	K_LEN,
	K_WIN,
	K_MSS,
	K_WS,
	K_TSVAL,
	K_TSECR,
	K_TTL,
	K_TOS,
	K_SPORT,
	K_DPORT,
	K_TYPE,
	K_CODE,
	K_MTU,
	K_COOKIE,
	K_URG,
	K_COUNT
};

enum spec_word {
	W_SACKOK = 1,
	W_TS = 2,
	W_DF = 4,
	W_NOMSS = 8,
	W_NOWS = 16,
	W_NOSACKOK = 32,
	W_NOTS = 64,
	W_NOSACK = 128,
	W_BADCSUM = 256,
	W_BADSEQ = 512,
	W_RTX = 1024,
	W_ICMP = 2048,
	W_NOPSH = 4096,
	W_FO = 8192,
	W_NOFO = 16384,
	W_FOEXP = 32768
};

struct spec {
	bool has[K_COUNT];
	int64_t v[K_COUNT];
	unsigned words;
	bool flags_ok;
	uint8_t flags;
	unsigned nsack;
	uint32_t sack[SEG_SACK_MAX][2];
};

/* NULL, or what is wrong with the text. */
const char *spec_read(struct spec *s, const char *text);
/* NULL when the segment is as said, or how it differs (in a static buffer). */
const char *spec_differs(const struct spec *s, const struct seg *g, const struct flow *f,
			 bool was_sent);

#endif
