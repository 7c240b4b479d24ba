/* SPDX-License-Identifier: MIT */
/*
 * What one direction of a bad network does to frames: rate with a queue, delay, loss, duplicates,
 * reordering, damage. It decides and nothing else: frames are lengths, the time is an argument,
 * and whoever owns the frames carries out what was decided. The simulator, `glass net` and the
 * link emulator of the benchmarks are such owners.
 *
 * The n-th frame's fate follows from the seed, n and the way alone, and every kind of misfortune
 * draws for itself: changing the delay changes no loss.
 *
 * A frame goes through:
 *
 *	drop nth > queue (limit) > rate or trace > loss > damage, duplicate > delay, reordering
 *
 * So what is lost has taken its time on the wire, as on a radio, and a duplicate takes none.
 *(Linux' netem loses before it queues.)
 */
#ifndef GLASS_BASE_IMPAIR_H
#define GLASS_BASE_IMPAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cbpf.h"
#include "hash.h"

#define IMPAIR_MILLION 1000000u
#define IMPAIR_DROPS_MAX 4
#define IMPAIR_QUEUE_FRAMES_MAX 100000

/* How a jitter of j changes a delay of d. */
enum impair_spread {
	IMPAIR_LATER,	/* d .. d+j */
	IMPAIR_UNIFORM, /* d-j .. d+j */
	IMPAIR_NORMAL,	/* d, with a standard deviation of j */
};

enum impair_model {
	IMPAIR_RANDOM,	/* one chance */
	IMPAIR_STATE,	/* four states, chances of changing between them */
	IMPAIR_GEMODEL, /* Gilbert and Elliott: two states, a chance of loss in each */
};

/* Indexes of impair_way.chance: out of a million. */
enum { IMPAIR_P13, IMPAIR_P31, IMPAIR_P32, IMPAIR_P23, IMPAIR_P14 };
enum { IMPAIR_P, IMPAIR_R, IMPAIR_1_H, IMPAIR_1_K };

/* What a frame is, as far as a drop can be aimed at it: the owner's to say. */
enum impair_kind {
	IMPAIR_IP = 1,
	IMPAIR_ARP = 2,
	IMPAIR_TCP = 4,
	IMPAIR_UDP = 8,
	IMPAIR_ICMP = 16,
	IMPAIR_SYN = 32,
	IMPAIR_FIN = 64,
	IMPAIR_RST = 128,
	IMPAIR_DATA = 256,   /* TCP with payload */
	IMPAIR_ACK = 512,    /* TCP without payload, SYN, FIN, RST */
	IMPAIR_ECT = 1024,   /* knows congestion marks (RFC 3168) */
	IMPAIR_AGAIN = 2048, /* has bytes that came to the link before */
	IMPAIR_MATCH = 4096, /* the way's first filter takes it; the bits above: the next ones */
};

#define IMPAIR_TEXT_BYTES 256

/* A filter in pcap-filter's language, compiled; cbpf_valid(). */
struct impair_filter {
	char text[IMPAIR_TEXT_BYTES];
	uint32_t n;
	struct cbpf_insn insn[];
};

/*
 * A recorded link, as mahimahi's mm-link plays it: at each of these times, from the first frame on,
 * IMPAIR_TRACE_BYTES may leave. Who does not need all of it leaves the rest to those that wait;
 * what nobody needs is gone. After the last one it begins anew.
 */
#define IMPAIR_TRACE_BYTES 1518 /* an Ethernet frame of full size */
struct impair_trace {
	char name[IMPAIR_TEXT_BYTES];
	uint32_t n;
	uint32_t at_ms[]; /* none before the one before it; the last is not 0 */
};
bool impair_trace_valid(const struct impair_trace *t);

/*
 * The n-th frame that is all of kind (0: any; with a filter also its bit of IMPAIR_MATCH) and count
 * - 1 of them after it, or every n-th, is lost. n 0: no such rule. count 0 is 1.
 */
struct impair_drop {
	uint32_t n, count;
	bool every;
	uint16_t kind;
	const struct impair_filter *filter; /* of which kind has the bit; NULL: none */
};

/* All zero: nothing happens. Chances and correlations are out of a million. */
struct impair_way {
	int64_t delay_ns, jitter_ns;
	uint32_t jitter_corr;
	enum impair_spread spread;
	bool overtake;				  /* jitter may change the order of frames */
	uint64_t rate_bit_s;			  /* 0: without limit */
	const struct impair_trace *trace;	  /* instead of a rate; NULL: none */
	int32_t overhead_bytes;			  /* that every frame has more than we see */
	uint32_t cell_bytes, cell_overhead_bytes; /* frames travel in cells, as on ATM; 0: no */
	/* What waits for the rate beyond these is lost; 0: without limit. */
	uint32_t queue_bytes, queue_frames;
	enum impair_model model;
	uint32_t chance[5];	   /* of the models */
	uint32_t burst_frames_max; /* gemodel: the longest state 2; 0: without limit */
	/*
	 * A correlation is how often the last draw holds again. So the average stays what was asked
	 * for (netem's, which blends random numbers, does not keep it).
	 */
	uint32_t loss, loss_corr, duplicate, duplicate_corr, corrupt, corrupt_corr;
	uint32_t reorder, reorder_corr;
	uint32_t reorder_gap; /* only every n-th frame has that chance; 0, 1: each */
	int64_t reorder_ns;   /* a reordered frame comes so much later; 0: without delay */
	struct impair_drop drop[IMPAIR_DROPS_MAX];
	bool ecn;  /* what knows marks is marked where it would have been lost by chance */
	bool down; /* everything is lost */
};

enum impair_fate { IMPAIR_PASSES, IMPAIR_LOST, IMPAIR_AIMED_AT, IMPAIR_QUEUE_FULL };

struct impair_verdict {
	enum impair_fate fate;
	int64_t at_ns; /* arrives then */
	bool duplicate, damage, reordered, mark;
};

struct impair_counts {
	uint64_t frames, bytes;		  /* that came to the link */
	uint64_t lost, aimed, queue_full; /* these did not arrive */
	uint64_t duplicated, damaged, reordered, marked;
};

/* A frame that waits for the rate: when it will have left. */
struct impair_leaving {
	int64_t at_ns;
	uint32_t bytes;
};

struct impair {
	struct hash_key key;
	uint64_t draws; /* of damage */
	struct impair_counts counts;
	uint64_t met[IMPAIR_DROPS_MAX]; /* frames of each drop's kind */
	int64_t busy_until_ns, last_arrival_ns;
	unsigned state;		      /* of the loss model */
	uint32_t burst_frames;	      /* since it is state 2 of gemodel */
	uint64_t last[8];	      /* draw of each correlated purpose */
	struct impair_leaving *queue; /* when those that wait will have left; a ring */
	uint32_t queue_cap, queue_at, queued;
	uint64_t queued_bytes;
	bool trace_runs;
	int64_t trace_start_ns;
	uint64_t trace_at; /* the opportunity whose bytes are given away, counted from the start */
	uint32_t trace_left; /* bytes of it */
};

void impair_init(struct impair *im, uint64_t seed);
void impair_fini(struct impair *im);

/* Which of the way's filters take the frame: bits of IMPAIR_MATCH, to be added to its kind. */
unsigned impair_match(const struct impair_way *way, const uint8_t *bytes, size_t length);
/* A frame of so many bytes comes to the link. now_ns must not go back. */
void impair_decide(struct impair *im, const struct impair_way *way, size_t bytes, unsigned kind,
		   int64_t now_ns, struct impair_verdict *out);
/*
 * Changes up to 15 neighbouring bits: the Internet checksum finds every such burst. Fewer than four
 * bytes stay as they are.
 */
void impair_damage(struct impair *im, uint8_t *bytes, size_t length);
/* One more waits for the rate, until then. false: no memory. */
bool impair_wait(struct impair *im, int64_t at_ns, uint32_t bytes);
/* Frames that wait for the rate. */
uint32_t impair_queued(struct impair *im, int64_t now_ns);

/* Whether it does anything at all. */
bool impair_way_acts(const struct impair_way *way);

#endif
