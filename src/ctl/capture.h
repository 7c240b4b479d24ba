/* SPDX-License-Identifier: MIT */
/*
 * What the files of "glass pcap" share. Frames come from the daemon, what the stack thinks of them
 * from the flight recorder; both become packets of a file with comments.
 */
#ifndef GLASS_CTL_CAPTURE_H
#define GLASS_CTL_CAPTURE_H

#include "../abi/captured.h"
#include "story.h"

/* The fields of capture_field.def. */
enum capture_field {
#define FIELD(ID, name, type, text) FIELD_##ID,
#include "capture_field.def"
#undef FIELD
	FIELD_COUNT
};
const char *capture_field_name(enum capture_field f); /* "cwnd" */

/* ---- capture_conn.c: what is known of connections ---- */

#define UNKNOWN INT64_MAX
struct conn_now {
	uint32_t id;
	bool opened; /* the recorder has told of its beginning */
	int64_t cwnd, ssthresh, flight, srtt_ns, rttvar_ns, rto_ns; /* UNKNOWN */
	const char *state;					    /* NULL: unknown */
	int64_t asked_ns;					    /* who has it; 0: never */
	int pid;						    /* 0: unknown */
	char process[20];
};
struct conns {
	struct conn_now *conn;
	uint32_t n, cap;
	struct map of; /* number -> 1 + index */
	int64_t next_ask_ns;
};
/* Learns from a record. */
void conns_learn(struct conns *c, const struct glass_record *r);
/* NULL: none of that number. Who has its socket is found out, if it is time to. */
const struct conn_now *conns_get(struct conns *c, uint32_t id);
void conns_free(struct conns *c);

/* ---- capture_label.c: what the recorder tells of a frame ---- */

#define LABEL_BYTES 2048
#define RETRANSMITTED_MAX 1024 /* that may still prove needless */

struct retransmitted {
	uint32_t conn, act, copy_of;
	uint64_t seq, len;
	char why[48];
	bool spurious;
};
struct labels {
	struct story story;
	bool recorder; /* there is one */
	struct conns conns;
	struct retransmitted rtx[RETRANSMITTED_MAX]; /* a ring */
	uint32_t nrtx;
	uint64_t lost; /* records, as far as told */
	uint64_t to;   /* of the newest frame: its records end there */
};
struct label {
	uint32_t act;
	char text[LABEL_BYTES];	 /* for people */
	char words[LABEL_BYTES]; /* glass.NAME=VALUE ... */
};
/* 0 or an exit code after a message. */
int labels_open(struct labels *l);
void labels_close(struct labels *l);
/* Frames in the order in which they come. */
void labels_of(struct labels *l, const struct abi_captured *h, struct label *out);

/* ---- capture_write.c: the file ---- */

enum capture_format { CAPTURE_PCAPNG, CAPTURE_PCAP };
struct capture_file {
	FILE *to;
	enum capture_format format;
	uint32_t bytes_max; /* of each packet; 0: all */
	const char *filter; /* that was used; NULL: none */
	uint64_t left_out;  /* as far as told */
};
/* The head of the file: what was captured where. */
void capture_write_head(struct capture_file *f, const struct glass_dev_info *dev);
void capture_write_packet(struct capture_file *f, const struct abi_captured *h,
			  const uint8_t *bytes, const struct label *label);
/* What was received and left out, at the end. */
void capture_write_end(struct capture_file *f, uint64_t received, uint64_t accepted,
		       uint64_t left_out, int64_t realtime_ns);

/* ---- capture_filter.c: pcap-filter(7) by libpcap ---- */

struct capture_filter;
/* NULL after a message: it is none, or there is no libpcap. */
struct capture_filter *capture_filter_new(const struct command *self, const char *text,
					  bool raw_ip);
/* Was libpcap there at build time? */
bool capture_has_filters(void);
bool capture_filter_takes(const struct capture_filter *f, const struct abi_captured *h,
			  const uint8_t *bytes);
/* Its instructions, as struct bpf_insn. */
const void *capture_filter_program(const struct capture_filter *f, unsigned *count);
void capture_filter_free(struct capture_filter *f);

#endif
