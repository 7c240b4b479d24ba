/* SPDX-License-Identifier: MIT */
/*
 * Tables that the daemon answers (src/abi/table.h). They are copied and checked, and the offsets of
 * their strings made pointers, so that what prints them can be simple.
 */
#include "ctl.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bool header_fits(const struct abi_table *h, size_t bytes, size_t row_bytes)
{
	size_t rows_max = (bytes - sizeof(*h)) / row_bytes;

	if (h->magic != ABI_MAGIC || h->row_bytes != row_bytes || h->row_count > rows_max)
		return false;
	return h->strings_at <= bytes && h->strings_bytes <= bytes - h->strings_at;
}

/* An offset becomes a pointer; what does not fit becomes "". */
static void fix_string(const char **field, const char *heap, uint64_t heap_bytes)
{
	uint64_t off = (uintptr_t)*field;

	if (!off)
		return;
	*field = off < heap_bytes && memchr(heap + off, '\0', heap_bytes - off) ? heap + off : "";
}

static void fix_strings(struct table *t, size_t row_bytes, const size_t *strings, unsigned nstrings,
			const char *heap, uint64_t heap_bytes)
{
	const char *field;

	for (uint64_t i = 0; i < t->count; i++) {
		for (unsigned k = 0; k < nstrings; k++) {
			memcpy(&field, t->rows + i * row_bytes + strings[k], sizeof(field));
			fix_string(&field, heap, heap_bytes);
			memcpy(t->rows + i * row_bytes + strings[k], &field, sizeof(field));
		}
	}
}

/* The whole file in memory of our own: nobody changes it any more. */
static void *read_all(int fd, size_t *bytes)
{
	size_t got = 0;
	struct stat st;
	ssize_t n = 0;
	char *mem;

	if (fstat(fd, &st) || st.st_size < (off_t)sizeof(struct abi_table))
		return NULL;
	*bytes = (size_t)st.st_size;
	mem = malloc(*bytes);
	while (mem && got < *bytes && (n = pread(fd, mem + got, *bytes - got, (off_t)got)) > 0)
		got += (size_t)n;
	if (mem && got == *bytes)
		return mem;
	free(mem);
	return NULL;
}

static bool load(struct table *t, int fd, size_t row_bytes, const size_t *strings,
		 unsigned nstrings)
{
	struct abi_table h;

	t->map = read_all(fd, &t->bytes);
	if (!t->map)
		return false;
	memcpy(&h, t->map, sizeof(h));
	if (!header_fits(&h, t->bytes, row_bytes))
		return false;
	t->rows = (char *)t->map + sizeof(h);
	t->count = h.row_count;
	fix_strings(t, row_bytes, strings, nstrings, (char *)t->map + h.strings_at,
		    h.strings_bytes);
	return true;
}

int table_get(struct table *t, const char *what, size_t row_bytes, const size_t *strings,
	      unsigned nstrings)
{
	struct reply rep;
	int err = client_open();
	bool ok;

	*t = (struct table){ 0 };
	if (err)
		return err;
	err = client_call(ABI_SHOW, NULL, what, -1, &rep);
	if (err)
		return client_failed(what, err, &rep);
	ok = load(t, rep.fd, row_bytes, strings, nstrings);
	close(rep.fd);
	if (ok)
		return 0;
	table_free(t);
	return failed("%s: the answer of the daemon makes no sense: is it of another version?\n"
		      "type: glass down; glass up",
		      what);
}

void table_free(struct table *t)
{
	free(t->map);
	*t = (struct table){ 0 };
}

int first_device(struct glass_dev_info *out)
{
	struct table t;
	int err = table_get(&t, "link", sizeof(*out), NULL, 0);

	if (err)
		return err;
	if (t.count > 1) /* device 0 is the loopback */
		*out = *TABLE_ROW(&t, struct glass_dev_info, 1);
	else
		err = failed("stack %s has no device", ctl.stack);
	table_free(&t);
	return err;
}

const char *const *device_names(unsigned *count)
{
	static char name[256][16];
	static const char *names[256];
	static bool loaded;
	struct table t;

	*count = COUNT(names);
	if (loaded)
		return names;
	loaded = true;
	if (client_stay_open() || table_get(&t, "link", sizeof(struct glass_dev_info), NULL, 0))
		return names;
	for (unsigned i = 0; i < t.count && i < COUNT(names); i++) {
		memcpy(name[i], TABLE_ROW(&t, struct glass_dev_info, i)->setup.name,
		       sizeof(name[i]));
		name[i][sizeof(name[i]) - 1] = '\0';
		names[i] = name[i];
	}
	table_free(&t);
	return names;
}
