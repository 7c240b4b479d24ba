/* SPDX-License-Identifier: MIT */
/*
 * The format of save.h.
 *
 * In: whoever has state (src/stack, src/socket, src/daemon).  Out: the sink.
 */
#include "save.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KINDS_MAX 64
#define FIELDS_MAX 320
#define NAME_MAX_BYTES 63
#define VARINT_MAX 10
#define FLUSH_BYTES 65536

static const char magic[8] = { 'G', 'L', 'A', 'S', 'S', 'A', 'V', 'E' };

struct text {
	const char *at;
	size_t length;
};

struct field {
	struct text name;
	bool is_bytes;
	const char *asked; /* reading: the reader's name for it, once it was found */
};

struct kind {
	struct text name;
	unsigned nfields;
	struct field *field; /* NULL: not met yet */
};

struct value {
	uint64_t number; /* or the length */
	const uint8_t *bytes;
};

struct buffer {
	uint8_t *bytes;
	size_t length, cap;
};

struct save {
	bool reading;
	bool loaded; /* reading: `value` is that of the next record, of `now` */
	int error;
	const char *fault;
	unsigned nkinds;
	struct kind kind[KINDS_MAX];
	struct kind *now;
	unsigned place; /* in now->field */
	/* Writing. */
	save_sink *put;
	void *arg;
	bool is_new; /* the record is the first of its kind */
	struct buffer out, record;
	/* Reading. */
	const uint8_t *at, *end;
	struct value value[FIELDS_MAX];
};

/* ---- faults ---------------------------------------------------------------------------------- */

void save_fail(struct save *s, const char *what)
{
	if (!s->fault)
		s->fault = what;
}

bool save_check(struct save *s, bool ok, const char *what)
{
	if (!ok)
		save_fail(s, what);
	return !s->fault;
}

const char *save_fault(const struct save *s)
{
	return s->fault;
}

bool save_reading(const struct save *s)
{
	return s->reading;
}

static void no_memory(struct save *s)
{
	s->error = -ENOMEM;
	save_fail(s, "out of memory");
}

/* ---- bytes out ------------------------------------------------------------------------------- */

static void buffer_add(struct save *s, struct buffer *b, const void *bytes, size_t length)
{
	size_t cap = b->cap ? b->cap : 4096;
	uint8_t *more;

	while (cap < b->length + length)
		cap *= 2;
	if (cap != b->cap) {
		more = malloc(cap);
		if (!more) {
			no_memory(s);
			return;
		}
		if (b->length)
			memcpy(more, b->bytes, b->length);
		free(b->bytes);
		b->bytes = more;
		b->cap = cap;
	}
	if (length)
		memcpy(b->bytes + b->length, bytes, length);
	b->length += length;
}

static void put_varint(struct save *s, struct buffer *b, uint64_t v)
{
	uint8_t bytes[VARINT_MAX];
	size_t n = 0;

	for (; v >= 128; v >>= 7)
		bytes[n++] = (uint8_t)(v | 128);
	bytes[n++] = (uint8_t)v;
	buffer_add(s, b, bytes, n);
}

static void put_text(struct save *s, struct buffer *b, struct text t)
{
	put_varint(s, b, t.length);
	buffer_add(s, b, t.at, t.length);
}

static void flush(struct save *s)
{
	if (!s->error && s->out.length)
		s->error = s->put(s->arg, s->out.bytes, s->out.length);
	s->out.length = 0;
}

/* ---- bytes in -------------------------------------------------------------------------------- */

static uint64_t get_varint(struct save *s)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64 && s->at < s->end; shift += 7) {
		uint8_t byte = *s->at++;

		v |= (uint64_t)(byte & 127) << shift;
		if (byte < 128)
			return v;
	}
	save_fail(s, "the state is cut short, or damaged");
	return 0;
}

/* NULL: not so many are there. */
static const uint8_t *get_bytes(struct save *s, uint64_t length)
{
	const uint8_t *at = s->at;

	if (length > (size_t)(s->end - s->at)) {
		save_fail(s, "the state is cut short, or damaged");
		return NULL;
	}
	s->at += length;
	return at;
}

static struct text get_text(struct save *s)
{
	uint64_t length = get_varint(s);
	const uint8_t *at = get_bytes(s, length);

	save_check(s, at && length && length <= NAME_MAX_BYTES, "a name in the state is damaged");
	return (struct text){ (const char *)at, at ? length : 0 };
}

/* ---- life ------------------------------------------------------------------------------------ */

struct save *save_writer(save_sink *put, void *arg)
{
	struct save *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->put = put;
	s->arg = arg;
	buffer_add(s, &s->out, magic, sizeof(magic));
	put_varint(s, &s->out, SAVE_VERSION);
	put_varint(s, &s->out, SAVE_OLDEST);
	return s;
}

struct save *save_reader(const void *bytes, size_t length)
{
	struct save *s = calloc(1, sizeof(*s));
	const uint8_t *head;
	uint64_t version, oldest;

	if (!s)
		return NULL;
	s->reading = true;
	s->at = bytes;
	s->end = s->at + length;
	head = get_bytes(s, sizeof(magic));
	save_check(s, head && !memcmp(head, magic, sizeof(magic)), "this is no state of Glass");
	version = get_varint(s);
	oldest = get_varint(s);
	save_check(s, oldest <= SAVE_VERSION, "the state is of a newer Glass than this one");
	save_check(s, version >= SAVE_OLDEST,
		   "the state is of an older Glass, too old for this one");
	return s;
}

int save_finish(struct save *s)
{
	flush(s);
	return s->error;
}

void save_free(struct save *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < s->nkinds; i++)
		free(s->kind[i].field);
	free(s->out.bytes);
	free(s->record.bytes);
	free(s);
}

/* ---- kinds ----------------------------------------------------------------------------------- */

static bool text_is(struct text t, const char *name, size_t length)
{
	return t.length == length && !memcmp(t.at, name, length);
}

/* Of a field: what follows the last "->". */
static struct text name_of(const char *name)
{
	const char *arrow = strrchr(name, '>');

	if (arrow)
		name = arrow + 1;
	return (struct text){ name, strlen(name) };
}

static struct kind *kind_add(struct save *s, struct text name)
{
	struct kind *k = &s->kind[s->nkinds];

	if (!save_check(s, s->nkinds < KINDS_MAX, "the state has too many kinds of records"))
		return NULL;
	*k = (struct kind){ .name = name, .field = calloc(FIELDS_MAX, sizeof(*k->field)) };
	if (!k->field) {
		no_memory(s);
		return NULL;
	}
	s->nkinds++;
	return k;
}

/* NULL: there was none of it yet. */
static struct kind *kind_find(struct save *s, const char *name)
{
	size_t length = strlen(name);

	for (unsigned i = 0; i < s->nkinds; i++)
		if (text_is(s->kind[i].name, name, length))
			return &s->kind[i];
	return NULL;
}

/* The first record of a kind: what its fields are. */
static struct kind *kind_read(struct save *s)
{
	struct kind *k = kind_add(s, get_text(s));
	uint64_t n = get_varint(s);

	if (!k || !save_check(s, n <= FIELDS_MAX, "a record of the state has too many fields"))
		return NULL;
	for (k->nfields = 0; k->nfields < n && !s->fault; k->nfields++) {
		k->field[k->nfields].name = get_text(s);
		k->field[k->nfields].is_bytes = get_varint(s) != 0;
	}
	return k;
}

/* The same, written. */
static void kind_write(struct save *s, const struct kind *k)
{
	put_text(s, &s->out, k->name);
	put_varint(s, &s->out, k->nfields);
	for (unsigned i = 0; i < k->nfields; i++) {
		put_text(s, &s->out, k->field[i].name);
		put_varint(s, &s->out, k->field[i].is_bytes);
	}
}

/* ---- records --------------------------------------------------------------------------------- */

/* The next record's values; false: there is none, or a fault. */
static bool load(struct save *s)
{
	uint64_t number;
	struct kind *k;

	if (s->loaded)
		return true;
	if (s->fault || s->at == s->end)
		return false;
	number = get_varint(s);
	if (!save_check(s, number <= s->nkinds, "a record of the state is damaged"))
		return false;
	k = number < s->nkinds ? &s->kind[number] : kind_read(s);
	for (unsigned i = 0; k && i < k->nfields && !s->fault; i++) {
		s->value[i].number = get_varint(s);
		if (k->field[i].is_bytes)
			s->value[i].bytes = get_bytes(s, s->value[i].number);
	}
	s->now = k;
	s->loaded = !s->fault;
	return s->loaded;
}

bool save_over(struct save *s)
{
	return !load(s);
}

bool save_begin(struct save *s, const char *kind)
{
	s->place = 0;
	if (s->reading)
		return load(s) && text_is(s->now->name, kind, strlen(kind));
	assert(!s->now);
	s->now = kind_find(s, kind);
	s->is_new = !s->now;
	if (s->is_new)
		s->now = kind_add(s, name_of(kind));
	s->record.length = 0;
	return s->now;
}

void save_end(struct save *s)
{
	struct kind *k = s->now;

	s->loaded = false;
	s->now = NULL;
	if (s->reading || !k)
		return;
	put_varint(s, &s->out, (uint64_t)(k - s->kind));
	if (s->is_new)
		kind_write(s, k);
	assert(s->place == k->nfields); /* always the same fields */
	buffer_add(s, &s->out, s->record.bytes, s->record.length);
	if (s->out.length >= FLUSH_BYTES)
		flush(s);
}

/* ---- fields ---------------------------------------------------------------------------------- */

/* Writing: the field is the next one of the record. */
static void declare(struct save *s, const char *name, bool is_bytes)
{
	struct kind *k = s->now;

	if (!k)
		return;
	assert(s->place < FIELDS_MAX);
	if (s->is_new)
		k->field[k->nfields++] = (struct field){ name_of(name), is_bytes, NULL };
	assert(k->field[s->place].is_bytes == is_bytes);
	s->place++;
}

/* Reading: its value; NULL: the writer did not have it. Mostly it is the next one. */
static const struct value *find(struct save *s, const char *name, bool is_bytes)
{
	struct kind *k = s->now;
	struct text t;

	if (s->fault || !k)
		return NULL;
	if (s->place < k->nfields && k->field[s->place].asked == name)
		return &s->value[s->place++];
	t = name_of(name);
	for (unsigned i = 0; i < k->nfields; i++) {
		if (!text_is(k->field[i].name, t.at, t.length) || k->field[i].is_bytes != is_bytes)
			continue;
		k->field[i].asked = name;
		s->place = i + 1;
		return &s->value[i];
	}
	return NULL;
}

static uint64_t zigzag(uint64_t v)
{
	return v << 1 ^ (uint64_t)((int64_t)v >> 63);
}

/* The number fits a field of that size. */
static bool fits(uint64_t v, size_t size, bool is_signed)
{
	unsigned bits = (unsigned)size * 8;
	int64_t high;

	if (bits == 64)
		return true;
	high = (int64_t)v >> (is_signed ? bits - 1 : bits);
	return !high || (is_signed && high == -1);
}

uint64_t save_value(struct save *s, const char *name, uint64_t value, size_t size, bool is_signed)
{
	const struct value *v;
	uint64_t number;

	if (!s->reading) {
		declare(s, name, false);
		put_varint(s, &s->record, zigzag(value));
		return value;
	}
	v = find(s, name, false);
	if (!v)
		return value;
	number = v->number >> 1 ^ -(v->number & 1);
	return save_check(s, fits(number, size, is_signed), "a number in the state is too large")
		       ? number
		       : value;
}

const void *save_bytes(struct save *s, const char *name, const void *bytes, size_t *length)
{
	const struct value *v;

	if (!s->reading) {
		declare(s, name, true);
		put_varint(s, &s->record, *length);
		buffer_add(s, &s->record, bytes, *length);
		return bytes;
	}
	v = find(s, name, true);
	*length = v ? v->number : 0;
	return v ? v->bytes : NULL;
}

void save_array(struct save *s, const char *name, void *bytes, size_t length)
{
	size_t n = length;
	const void *from = save_bytes(s, name, bytes, &n);

	if (s->reading && from &&
	    save_check(s, n == length, "bytes in the state have a wrong length"))
		memcpy(bytes, from, length);
}
