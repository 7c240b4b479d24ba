/* SPDX-License-Identifier: MIT */
/* What the files of "glass report" share. */
#ifndef GLASS_CTL_REPORT_H
#define GLASS_CTL_REPORT_H

#include "story.h"

/* What a page is made of: the steps of a connection, and of their records what is told. */
struct report {
	const struct story *story;
	const struct conn_story *conn;
	bool live; /* the running stack can be asked */

	uint32_t *step; /* numbers of steps */
	uint32_t steps;
	uint32_t *rec; /* numbers of records, in the order of the steps */
	uint32_t recs;
	uint32_t left_out; /* uneventful steps: too many for a page */
	uint32_t one_in;   /* so many of them, one was kept */
};

/* report_page.c: the page before and behind its data; made by report/bundle.py. */
extern const unsigned char report_head[], report_tail[];
extern const size_t report_head_bytes, report_tail_bytes;

/*
 * Writes the page. 0 or an exit code after a message; what goes wrong with f stays with it.
 * report_write.c, or report_none.c when this glass was built without what a page needs.
 */
int report_write(const struct report *r, FILE *f);
/* NULL, or what is missing. */
const char *report_missing(void);

/* report_pack.c: deflated, in base64. false: out of memory. */
bool report_pack(const char *data, size_t bytes, FILE *f);
/* report_data.c: all that the page shows, as JSON (json.c). An exit code after a message. */
int report_data(const struct report *r);
/* report_tree.c: rooms, or functions, as a tree with counts or times; a member "tree". */
void report_tree(const struct report *r);

/* ---- report_text.c: texts that occur often stand once ---- */

struct texts {
	char **text;
	uint32_t n, cap;
	uint32_t *slot; /* hash table of 1 + index */
	uint32_t slots;
};
/* Its number, from 0; the first is "". */
uint32_t text_number(struct texts *t, const char *text);
void texts_free(struct texts *t);

#endif
