/* SPDX-License-Identifier: MIT */
/* glass trace --export: the records for other programs, one file per format. */
#ifndef GLASS_CTL_EXPORT_H
#define GLASS_CTL_EXPORT_H

#include "story.h"

struct export
{
	const struct story *story;
	bool (*wanted)(const struct story *s, const struct step *t);
	const char *path; /* what -o said; NULL: nothing */
};

bool export_is_known(const char *format);
/* A folder of its own, so stdout is not for it. */
bool export_is_folder(const char *format);
/* An exit code after a message. Writes to stdout, or what it writes has to be a folder. */
int export_tell(const struct export *x, const char *format);

/* ---- the formats ---- */

int export_perfetto(const struct export *x); /* Chrome's JSON, which ui.perfetto.dev opens */
int export_qlog(const struct export *x);     /* JSON-SEQ with qlog's names */
int export_ctf(const struct export *x);	     /* Common Trace Format 1.8: metadata and a stream */

/* ---- what they share ---- */

/* The fields of a record, those of a drop's reason too. Answers their number. */
unsigned export_fields(const struct glass_record *r, struct glass_field out[GLASS_TRACE_VALUES]);
/* Numbers are numbers in every format, durations nanoseconds; all else is text. */
bool kind_is_number(enum glass_kind kind);
bool kind_is_signed(enum glass_kind kind);
bool kind_is_duration(enum glass_kind kind);
/* Adds a value to a JSON object, as "glass trace -j" shows it. */
void export_json(const struct story *s, const char *name, enum glass_kind kind, uint64_t v);
/* Since the start of the stack. */
int64_t export_time(const struct story *s, const struct glass_record *r);
/* Records of the steps that are wanted, in the order in which they were written; NULL: out of
 * memory, after a message. */
uint32_t *export_records(const struct export *x, uint32_t *n);

#endif
