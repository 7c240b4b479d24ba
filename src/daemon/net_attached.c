/* SPDX-License-Identifier: MIT */
/*
 * What comes along with the words of "glass net set": filters and recorded links, from a memfd. It
 * is copied before anything is believed: the size of each part, that a filter may be run, that a
 * link's time does not go back.
 *
 * In: net_wire.c, net_keep.c.  Out: struct impair_extras.
 */
#include "start.h"

#include "../abi/attached.h"
#include "../dev/impair_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct blob {
	uint8_t *bytes;
	size_t length, at;
};

static bool read_blob(int fd, struct blob *b)
{
	struct stat st;

	*b = (struct blob){ 0 };
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size < 0 ||
	    st.st_size > ABI_ATTACHED_BYTES_MAX)
		return false;
	b->bytes = malloc((size_t)st.st_size + 1);
	b->length = (size_t)st.st_size;
	return b->bytes && pread(fd, b->bytes, b->length, 0) == st.st_size;
}

/* The next bytes; NULL: there are not so many. */
static const uint8_t *take(struct blob *b, uint64_t n)
{
	const uint8_t *here = b->bytes + b->at;

	if (abi_attached_filled(n) > b->length - b->at)
		return NULL;
	b->at += abi_attached_filled(n);
	return here;
}

bool net_attached_filter(struct impair_extras *e, const char *text, const uint8_t *elements,
			 uint32_t n)
{
	struct impair_filter *f;

	if (e->nfilters == IMPAIR_EXTRAS_MAX || n > CBPF_INSNS_MAX)
		return false;
	f = calloc(1, sizeof(*f) + n * sizeof(f->insn[0]));
	if (!f)
		return false;
	e->filter[e->nfilters++] = f;
	snprintf(f->text, sizeof(f->text), "%s", text);
	f->n = n;
	memcpy(f->insn, elements, n * sizeof(f->insn[0]));
	return cbpf_valid(f->insn, n);
}

bool net_attached_trace(struct impair_extras *e, const char *text, const uint8_t *elements,
			uint32_t n)
{
	struct impair_trace *t;

	if (e->ntraces == IMPAIR_EXTRAS_MAX || !n)
		return false;
	t = calloc(1, sizeof(*t) + n * sizeof(t->at_ms[0]));
	if (!t)
		return false;
	e->trace[e->ntraces++] = t;
	snprintf(t->name, sizeof(t->name), "%s", text);
	t->n = n;
	memcpy(t->at_ms, elements, n * sizeof(t->at_ms[0]));
	return impair_trace_valid(t);
}

static bool take_one(struct blob *b, struct impair_extras *e)
{
	size_t element_bytes = sizeof(uint32_t);
	const uint8_t *text, *elements;
	struct abi_attached h;

	if (b->length - b->at < sizeof(h))
		return false;
	memcpy(&h, b->bytes + b->at, sizeof(h));
	b->at += sizeof(h);
	if (h.magic != ABI_ATTACHED_MAGIC || !h.text_bytes || h.text_bytes > ABI_ATTACHED_TEXT_MAX)
		return false;
	if (h.kind == ABI_ATTACHED_FILTER)
		element_bytes = sizeof(struct cbpf_insn);
	text = take(b, h.text_bytes);
	elements = text ? take(b, (uint64_t)h.count * element_bytes) : NULL;
	if (!elements || text[h.text_bytes - 1])
		return false;
	return (h.kind == ABI_ATTACHED_FILTER ? net_attached_filter : net_attached_trace)(
		e, (const char *)text, elements, h.count);
}

struct impair_extras *net_attached_new(void)
{
	struct impair_extras *e = calloc(1, sizeof(*e));

	if (e)
		e->users = 1;
	return e;
}

struct impair_extras *net_attached_read(int fd)
{
	struct impair_extras *e = net_attached_new();
	struct blob b = { 0 };
	bool ok = e && read_blob(fd, &b);

	while (ok && b.at < b.length)
		ok = take_one(&b, e);
	free(b.bytes);
	if (ok)
		return e;
	net_attached_drop(e);
	return NULL;
}

void net_attached_drop(struct impair_extras *e)
{
	if (!e || --e->users)
		return;
	for (unsigned i = 0; i < IMPAIR_EXTRAS_MAX; i++) {
		free(e->filter[i]);
		free(e->trace[i]);
	}
	free(e);
}
