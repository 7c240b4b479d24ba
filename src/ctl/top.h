/* SPDX-License-Identifier: MIT */
/* What the files of "glass top" share: samples of the stack, and their view as lines. */
#ifndef GLASS_CTL_TOP_H
#define GLASS_CTL_TOP_H

#include "story.h"

#define TOP_DROPS 3 /* reasons that are named */
#define TOP_LINE_BYTES 1024
#define TOP_NET_LINES 4

struct top_row {
	const struct glass_conn_info *c;
	double tx, rx, rtx; /* bytes, bytes, segments sent again: per second */
};

struct top_drop {
	const char *name;
	uint64_t count;
	double rate;
};

/* What is counted of the whole stack. */
struct top_totals {
	uint64_t rx_bytes, tx_bytes, rx_frames, tx_frames, rtx, drops;
};

/*
 * The stack at one moment, with rates since the sample before; the first one's are averages since
 * the beginning: of the stack, of each connection.
 */
struct top_sample {
	struct table conns, stats, status;
	int64_t time_ns, uptime_s;
	uint64_t memory_bytes;
	struct top_totals now;
	double rx_bytes, tx_bytes, rx_frames, tx_frames, rtx, drops; /* per second */
	struct top_drop drop[TOP_DROPS];			     /* the most frequent ones */
	char net[TOP_NET_LINES][TOP_LINE_BYTES];
	unsigned nets, estab, listening, others;
	struct map of; /* connection -> 1 + row of conns */
};

/* top_sample.c. before: NULL or the one before. 0 or an exit code after a message. */
int top_sample(struct top_sample *s, const struct top_sample *before);
void top_sample_free(struct top_sample *s);
double top_per_second(uint64_t now, uint64_t then, double seconds);

/* How it is looked at. */
struct top_view {
	unsigned sort; /* column */
	bool reverse, listening, paused;
	char filter[64];   /* only rows in which this stands; "": all */
	uint32_t selected; /* connection; 0: none */
	bool selecting;	   /* the selected row is marked */
};

enum top_look { TOP_PLAIN, TOP_BOLD, TOP_HEADING, TOP_SELECTED, TOP_BAD };

struct top_lines {
	struct {
		char text[TOP_LINE_BYTES];
		enum top_look look;
		uint32_t conn; /* of a row; 0: none */
	} * line;
	unsigned n, cap, rows_at; /* rows_at: the first line of a connection */
};

/* ---- top_rows.c ---- */

/* Those that are shown, in their order; the caller's. */
struct top_row *top_rows(const struct top_view *v, const struct top_sample *s,
			 const struct top_sample *before, uint64_t *n);
struct top_row top_row_of(const struct top_sample *s, const struct top_sample *before,
			  const struct glass_conn_info *c);
void top_row_text(const struct top_row *r, char *out, size_t size);
void top_headings(const struct top_view *v, char *out, size_t size);
const char *top_limiter(const struct glass_conn_info *c);
const char *top_scaled(double v, char out[16]); /* "12.4M" */

/* top_lines.c: all of it, from the heading to the last connection. */
void top_lines(struct top_lines *out, const struct top_view *v, const struct top_sample *s,
	       const struct top_sample *before);
/* Everything about one connection. */
void top_details(struct top_lines *out, const struct top_sample *s, const struct top_sample *before,
		 uint32_t conn, unsigned width);
void top_lines_free(struct top_lines *out);
void top_json(const struct top_view *v, const struct top_sample *s,
	      const struct top_sample *before);
/* The column of that name; -1: none. NULL past the end. */
int top_column(const char *name);
const char *top_column_name(unsigned i);

/* top_screen.c: until q, or that many looks (0: without end). Without a terminal it says so. An
 * exit code. */
int top_screen(struct top_view *v, int64_t interval_ns, int64_t looks);

#endif
