/* SPDX-License-Identifier: MIT */
/*
 * The flight recorder as a story: records become steps, steps belong to connections.
 *
 * An act is a packet, a timer's firing or a call. A step is what one act did at one time for one
 * cause: a packet that waits for a neighbour has two, one when it was built, one when the neighbour
 * answered. A step whose records name no connection (an ARP request, say) belongs to that of its
 * cause, or of whoever waits for the neighbour.
 */
#ifndef GLASS_CTL_STORY_H
#define GLASS_CTL_STORY_H

#include <glass/glass_trace.h>

#include "ctl.h"

#define NONE UINT32_MAX
#define DEV_NAMES 64

/* The numbers of events, as event.def has them. */
enum event_id {
#define EVENT_DEF(ID, name, text, doc, fields) EV_##ID,
#include "../base/event.def"
#undef EVENT_DEF
	EV_COUNT
};

enum drop_id {
	DROP_NONE,
#define DROP(ID, text, source, advice, fields) DROP_##ID,
#include "../base/drop.def"
#undef DROP
};

/* uint32_t -> uint32_t; absent keys answer 0. */
struct map {
	uint32_t *key, *value;
	uint32_t cap, used; /* cap: a power of two, or 0 */
};
uint32_t map_get(const struct map *m, uint32_t key);
void map_set(struct map *m, uint32_t key, uint32_t value); /* key is not 0 */
void map_free(struct map *m);

struct step {
	uint32_t act, cause, conn;
	uint32_t first, last; /* records: indices into story.rec, chained by story.next */
	uint32_t next_of_conn;
	int64_t begin_ns, end_ns;
};

/* b - a, whatever numbers stand in a ring. */
static inline int64_t between(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)b - (uint64_t)a);
}

/* What a packet is: bits of packet.is. */
enum {
	PACKET_IP = 1,
	PACKET_ARP = 2,
	PACKET_TCP = 4,
	PACKET_UDP = 8,
	PACKET_ICMP = 16,
	PACKET_SYN = 32,
	PACKET_FIN = 64,
	PACKET_RST = 128,
	PACKET_DATA = 256, /* TCP with payload */
	PACKET_ACK = 512,  /* TCP that does nothing but acknowledge */
	PACKET_DROP = 1024,
	PACKET_RTX = 2048,
	PACKET_IN = 4096,
	PACKET_OUT = 8192,
	PACKET_PORTS = 16384, /* sport and dport are known */
};

/* What the records tell of a packet, for filters. */
struct packet {
	uint32_t is; /* 0: it is none */
	uint32_t src, dst;
	uint16_t sport, dport;
	uint32_t bytes; /* of the frame; 0: none was seen */
};
/* story_packet.c: learns from one more record of it. */
void packet_learn(struct packet *p, const struct glass_record *r);

/* What is remembered of an act. */
struct act {
	struct packet packet;
	uint32_t conn, last_step; /* last_step: NONE when it was told already */
	uint32_t cause;
	bool has_title;
	struct glass_record title; /* the record that tells best what it is */
	bool received;
};

struct conn_story {
	uint32_t id;
	uint32_t first_step, last_step, steps;
	bool opened;		/* its TCP_OPEN is there */
	uint64_t local, remote; /* END4 */
	uint64_t how;		/* word */
	int64_t begin_ns;
};

struct story {
	struct glass_reader reader;
	void *map; /* the ring */
	size_t map_bytes;
	uint64_t older;		      /* records overwritten before the ring was opened */
	char dev_name[DEV_NAMES][20]; /* as the ring tells them */
	const char *dev_names[DEV_NAMES];

	struct glass_record *rec;
	uint32_t *next; /* of the same step; NONE ends */
	uint32_t nrec, rec_cap, next_cap;
	struct step *step;
	uint32_t nstep, step_cap;
	struct act *act;
	uint32_t nact, act_cap;
	struct conn_story *conn;
	uint32_t nconn, conn_cap;

	struct map act_of, conn_of; /* number -> 1 + index */
	struct map waits;	    /* neighbour's address -> connection that waits for it */
};

/* Opens the ring of the running stack, or of a file (path not NULL). 0 or an exit code after a
 * message. */
int story_open(struct story *s, const char *path);
/*
 * The running stack has gone over to another glassd, and to another ring: goes on there, behind
 * what was read. false: it has not, or it is another stack; the story is empty then.
 */
bool story_renew(struct story *s);
/* The same of a ring in memory, which stays the caller's; s is all zero. */
int story_over(struct story *s, const void *ring, size_t bytes, const char *what);
/* Writes the ring to a file. 0 or an exit code after a message. */
int story_save(const struct story *s, const char *path);
void story_close(struct story *s);
/* Reads what is new; steps are made and belong to connections afterwards. Answers the number of
 * records. */
uint32_t story_read(struct story *s);
/* The same, up to record number end and without it. */
uint32_t story_read_until(struct story *s, uint64_t end);
/* Forgets records and steps, not what is known of acts and connections. */
void story_forget(struct story *s);
/* Chains steps by connection: story.conn[].first_step, step.next_of_conn; conn[0] is that of no
 * connection. */
void story_group(struct story *s);

const struct act *story_act(const struct story *s, uint32_t number); /* NULL: unknown */
struct conn_story *story_conn(struct story *s, uint32_t id);	     /* NULL: unknown */
/* An address, HOST:PORT or last? Not a word of a filter, then. */
bool story_names_conn(const char *word);
/* "3", "10.0.0.5:80", "last", or NULL for the last. 0 or an exit code after a message. */
int story_choose(struct story *s, const char *which, const struct conn_story **found);
/* The first record of a step with that event; NULL: none. */
const struct glass_record *step_find(const struct story *s, const struct step *t, unsigned event);
#define FOR_STEP(s, t, r) for (uint32_t r = (t)->first; r != NONE; r = (s)->next[r])

/* ---- telling ---- */

struct print {
	const struct story *story;
	int64_t zero_ns; /* times are told from here */
	bool verbose;	 /* everything that was recorded */
	bool functions;	 /* each call of a function, as a tree */
	bool with_conn;	 /* each step tells its connection */
	int width;
};
void print_step(const struct print *p, const struct step *t);
/* Does that print anything? Then title is what the step is. */
bool step_tells(const struct print *p, const struct step *t, char *title, size_t size);
void print_conn_heading(const struct print *p, const struct conn_story *c);
void print_raw(const struct print *p, const struct glass_record *r);
void print_json(const struct print *p, const struct glass_record *r);
/* The rule behind a record's decision: "RFC 9293 3.10.7.4"; "" when there is none. */
const char *record_rule(const struct story *s, const struct glass_record *r);
/* All that happened to one act. false: it is not there. */
bool print_act(const struct print *p, uint32_t number);

/* ---- story_words.c ---- */

#define TEXT_BYTES 640 /* of a record's text */

void kind_text(const struct story *s, enum glass_kind kind, uint64_t v, char *out, size_t size);
void word_text(const struct story *s, uint64_t word, char *out, size_t size);
void file_text(const struct story *s, uint64_t word, char *out, size_t size);
/* Packets that come, packets that go, and what is none: calls and timers. */
enum lane { LANE_IN, LANE_OUT, LANE_SELF, LANES };
enum lane step_lane(const struct story *s, const struct step *t);
/* "#6 call connect" */
void act_label(const struct print *p, uint32_t number, char *out, size_t size);
/* "[S] seq 0 ack 0 len 0 wnd 65535", "timer arp fired" */
void record_title(const struct print *p, const struct glass_record *r, char *out, size_t size);
/* The same with what is done to it: rx, tx, built, dropped. Empty: nothing names the act. */
void step_title(const struct print *p, const struct step *t, char *out, size_t size);
/* What everybody can guess is told only on request. */
bool event_is_quiet(unsigned event);
enum color event_color(unsigned event);
/* A word in front of the texts that need one. */
const char *event_word(unsigned event);

#endif
