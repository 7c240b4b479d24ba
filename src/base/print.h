/* SPDX-License-Identifier: MIT */
/* What the printers of the flight recorder share. */
#ifndef GLASS_BASE_PRINT_H
#define GLASS_BASE_PRINT_H

#include <glass/glass_trace.h>

/* Text being made. As with snprintf, length counts what did not fit too, and at is always
 * terminated. */
struct text {
	char *at;
	size_t size, length;
};

static inline struct text text_of(char *out, size_t size)
{
	if (size)
		out[0] = '\0';
	return (struct text){ out, size, 0 };
}

void text_char(struct text *t, char c);
void text_string(struct text *t, const char *s);
void text_format(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A value by its kind, for people. */
void text_value(struct text *t, const struct glass_reader *r, enum glass_kind kind, uint64_t v);
/* A template with its {fields} replaced by values. */
void text_template(struct text *t, const struct glass_reader *r, const char *template,
		   const struct glass_field *field, unsigned nfields, const uint64_t *v);
/* The words of an event, or of the reason when it is a drop. */
void text_record(struct text *t, const struct glass_reader *r, const struct glass_record *rec);

#define WORD_COPY_BYTES 128
/* Copies a word out of the ring, whatever lies there, terminated; returns its length. "?": there is
 * none. */
size_t reader_word_copy(const struct glass_reader *r, uint64_t word, char *out, size_t size);

const char *errno_name(uint64_t error);

/* TCP's states in the order of RFC 9293 3.3.2, and a neighbour's, as records number them. */
const char *neigh_state_name(uint64_t state);

#endif
