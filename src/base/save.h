/* SPDX-License-Identifier: MIT */
/*
 * State as bytes, and back: one walk over the fields of a struct does both.
 *
 *	static void udp_fields(struct save *s, struct udp_end *u)
 *	{
 *		SAVE(s, u->lport);
 *		SAVE_FLAG(s, u->broadcast);
 *	}
 *
 * Between save_begin(s, "udp") and save_end(s) this writes a record, or reads the one that is next.
 *
 * The format tells itself: after GLASSAVE come two numbers, the version that it was written in and
 * the oldest one that may read it, and then records. A record is the number of its kind; when it is
 * the first of its kind, the kind's name and the names of its fields; and the values, in that
 * order. Numbers are zigzag in base 128, bytes have their length in front. So fields are found by
 * name: one that the writer did not have stays as it is, one that the reader does not know is
 * passed over. A kind of record that the reader does not know is an error, for it may be data.
 *
 * Fields of one kind are always the same ones, in the same order. Reading, nothing is believed:
 * each length ends at the end of the bytes, each number fits its field. The first fault stays, and
 * from then on everything reads as if it were not there.
 */
#ifndef GLASS_BASE_SAVE_H
#define GLASS_BASE_SAVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SAVE_VERSION 1 /* of what is written */
#define SAVE_OLDEST 1  /* that can be read, and that can read what is written */

struct save;

/* Takes bytes: 0 or -errno, which ends the writing. */
typedef int save_sink(void *arg, const void *bytes, size_t length);

/* NULL: no memory. */
struct save *save_writer(save_sink *put, void *arg);
/* The bytes stay the caller's, and stay there until save_free(). */
struct save *save_reader(const void *bytes, size_t length);
/* Of a writer: everything is with the sink. 0 or -errno. */
int save_finish(struct save *s);
void save_free(struct save *s);

bool save_reading(const struct save *s);
/* Reading: all has been read, or it is faulty. */
bool save_over(struct save *s);
/* NULL: there is no fault. */
const char *save_fault(const struct save *s);
/* The first fault counts. what: a text that stays. */
void save_fail(struct save *s, const char *what);
/* Fails unless ok; answers whether all is well until now. */
bool save_check(struct save *s, bool ok, const char *what);

/* Writing: true. Reading: the next record is of that kind, and its fields can be asked for. */
bool save_begin(struct save *s, const char *kind);
void save_end(struct save *s);

/* The part of a field's name behind the last "->" counts. value: what is written, or stays. */
uint64_t save_value(struct save *s, const char *name, uint64_t value, size_t size, bool is_signed);
/* Writing: those bytes. Reading: where the bytes are, NULL: nowhere, and how many. */
const void *save_bytes(struct save *s, const char *name, const void *bytes, size_t *length);
/* Exactly so many; others are a fault. */
void save_array(struct save *s, const char *name, void *bytes, size_t length);

#define SAVE_AS(s, name, lvalue)                                                                 \
	((lvalue) =                                                                              \
		 (__typeof__(lvalue))save_value((s), (name), (uint64_t)(lvalue), sizeof(lvalue), \
						(__typeof__(lvalue))-1 < (__typeof__(lvalue))1))
#define SAVE(s, lvalue) SAVE_AS(s, #lvalue, lvalue)
/* Also of a bit-field. */
#define SAVE_FLAG(s, lvalue) ((lvalue) = save_value((s), #lvalue, (lvalue), 1, false) != 0)

#endif
