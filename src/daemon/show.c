/* SPDX-License-Identifier: MIT */
/*
 * Tables of what the stack knows, for the command (src/abi/table.h): the rows of glass.h are copied
 * as they are, only their strings are gathered into a heap. Nothing is formatted here.
 *
 * In: control.c (operation SHOW).  Out: glass.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <glass/glass_trace.h>

#include "../abi/table.h"
#include "daemon.h"

#define SEEN_MAX 64 /* strings that many rows share, found again by their address */

struct bytes {
	char *at;
	size_t length, cap;
};

struct out {
	struct bytes rows, heap;
	uint64_t count;
	bool failed; /* out of memory */
	struct {
		const char *text;
		uintptr_t off;
	} seen[SEEN_MAX];
	unsigned nseen;
};

static void append(struct out *o, struct bytes *b, const void *from, size_t n)
{
	size_t cap = b->cap ? b->cap : 4096;
	char *at;

	while (cap < b->length + n)
		cap *= 2;
	at = cap == b->cap ? b->at : realloc(b->at, cap);
	if (!at) {
		o->failed = true;
		return;
	}
	b->at = at;
	b->cap = cap;
	memcpy(b->at + b->length, from, n);
	b->length += n;
}

/* A copy in the heap; the result is its offset in the clothes of a pointer. */
static const char *keep_copy(struct out *o, const char *text)
{
	uintptr_t off = o->heap.length;

	append(o, &o->heap, text, strlen(text) + 1);
	return (const char *)off;
}

/* The same for a literal: its address is its name. */
static const char *keep(struct out *o, const char *text)
{
	const char *kept;

	if (!text)
		return NULL;
	for (unsigned i = 0; i < o->nseen; i++)
		if (o->seen[i].text == text)
			return (const char *)o->seen[i].off;
	kept = keep_copy(o, text);
	if (o->nseen < SEEN_MAX) {
		o->seen[o->nseen].text = text;
		o->seen[o->nseen++].off = (uintptr_t)kept;
	}
	return kept;
}

static void add_row(struct out *o, const void *row, size_t bytes)
{
	append(o, &o->rows, row, bytes);
	o->count++;
}

static size_t show_ss(struct daemon *d, struct out *o)
{
	struct glass_conn_info row;
	uint64_t cursor = 0;

	while (glass_conn_next(d->g, &cursor, &row)) {
		row.state = keep(o, row.state);
		row.timer = keep(o, row.timer);
		row.cc = keep(o, row.cc);
		row.ca_state = keep(o, row.ca_state);
		row.error_why = keep(o, row.error_why);
		row.user = (void *)(uintptr_t)programs_inode(row.user);
		add_row(o, &row, sizeof(row));
	}
	return sizeof(row);
}

static size_t show_stat(struct daemon *d, struct out *o)
{
	struct glass_stat row;

	for (unsigned i = 0; glass_stat_at(d->g, i, &row); i++) {
		row.group = keep(o, row.group);
		row.name = keep(o, row.name);
		row.doc = keep(o, row.doc);
		add_row(o, &row, sizeof(row));
	}
	return sizeof(row);
}

static size_t show_check(struct daemon *d, struct out *o)
{
	struct glass_check row;

	for (unsigned i = 0; glass_check_at(d->g, i, &row); i++) {
		row.name = keep(o, row.name);
		for (unsigned k = 0; k < GLASS_CHECK_PARTS; k++)
			row.part[k].name = keep(o, row.part[k].name);
		add_row(o, &row, sizeof(row));
	}
	return sizeof(row);
}

static size_t show_neigh(struct daemon *d, struct out *o)
{
	struct glass_neigh_info row;

	for (unsigned i = 0; glass_neigh_at(d->g, i, &row); i++) {
		row.state = keep(o, row.state);
		add_row(o, &row, sizeof(row));
	}
	return sizeof(row);
}

static size_t show_route(struct daemon *d, struct out *o)
{
	struct glass_route_info row;

	for (unsigned i = 0; glass_route_at(d->g, i, &row); i++)
		add_row(o, &row, sizeof(row));
	return sizeof(row);
}

static size_t show_addr(struct daemon *d, struct out *o)
{
	struct glass_addr_info row;

	for (unsigned i = 0; glass_addr_at(d->g, i, &row); i++)
		add_row(o, &row, sizeof(row));
	return sizeof(row);
}

static size_t show_link(struct daemon *d, struct out *o)
{
	struct glass_dev_info row;

	for (unsigned i = 0; glass_dev_at(d->g, i, &row); i++)
		add_row(o, &row, sizeof(row));
	return sizeof(row);
}

static size_t show_maddr(struct daemon *d, struct out *o)
{
	struct glass_maddr_info row;

	for (unsigned i = 0; glass_maddr_at(d->g, i, &row); i++)
		add_row(o, &row, sizeof(row));
	return sizeof(row);
}

static size_t show_tunable(struct daemon *d, struct out *o)
{
	struct glass_tunable row;

	for (unsigned i = 0; glass_tunable_at(d->g, i, &row); i++) {
		row.name = keep(o, row.name);
		row.unit = keep(o, row.unit);
		row.doc = keep(o, row.doc);
		add_row(o, &row, sizeof(row));
	}
	return sizeof(row);
}

static void add_pair(struct out *o, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void add_pair(struct out *o, const char *key, const char *format, ...)
{
	struct abi_pair row = { .key = keep(o, key) };
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	row.value = keep_copy(o, text);
	add_row(o, &row, sizeof(row));
}

static size_t show_status(struct daemon *d, struct out *o)
{
	const struct glass_ring *ring = d->ring;
	struct glass_memory m;

	glass_memory(d->g, &m);
	add_pair(o, "stack", "%s", d->stack);
	add_pair(o, "pid", "%d", (int)getpid());
	add_pair(o, "uid", "%u", (unsigned)geteuid());
	add_pair(o, "directory", "%s", d->dir);
	add_pair(o, "uptime_s", "%" PRId64, (clock_now_ns() - d->start_ns) / 1000000000);
	if (ring) {
		add_pair(o, "trace_records", "%" PRIu64, ring->head);
		add_pair(o, "trace_records_kept", "%u", ring->record_count);
	}
	add_pair(o, "capture", "%s", d->capture ? "on" : "off");
	add_pair(o, "memory_bytes", "%" PRIu64, m.bytes);
	add_pair(o, "memory_bytes_max", "%" PRIu64, m.bytes_max);
	add_pair(o, "packets", "%u", m.packets);
	add_pair(o, "buffers", "%u", m.buffers);
	add_pair(o, "connections", "%u", m.connections);
	add_pair(o, "sockets", "%u", m.sockets);
	add_pair(o, "neighbours", "%u", m.neighbours);
	return sizeof(struct abi_pair);
}

static const struct {
	const char *what;
	size_t (*show)(struct daemon *d, struct out *o); /* answers the size of a row */
} tables[] = {
	{ "ss", show_ss },	 { "stat", show_stat },	      { "neigh", show_neigh },
	{ "route", show_route }, { "addr", show_addr },	      { "link", show_link },
	{ "maddr", show_maddr }, { "tunable", show_tunable }, { "status", show_status },
	{ "check", show_check },
};

static bool write_all(int fd, const void *from, size_t length)
{
	const char *at = from;
	ssize_t n;

	while (length) {
		n = write(fd, at, length);
		if (n <= 0)
			return false;
		at += n;
		length -= (size_t)n;
	}
	return true;
}

/* The table in a memfd of the caller's; -1: no memory. */
static int publish(const struct out *o, size_t row_bytes)
{
	struct abi_table head = {
		.magic = ABI_MAGIC,
		.row_bytes = (uint32_t)row_bytes,
		.row_count = o->count,
		.strings_at = sizeof(head) + o->rows.length,
		.strings_bytes = o->heap.length,
	};
	int fd = o->failed ? -1 : memfd_create("glass-show", MFD_CLOEXEC);

	if (fd < 0)
		return -1;
	if (write_all(fd, &head, sizeof(head)) && write_all(fd, o->rows.at, o->rows.length) &&
	    write_all(fd, o->heap.at, o->heap.length))
		return fd;
	close(fd);
	return -1;
}

void op_show(struct daemon *d, struct client *c, const struct abi_request *req, const char *data,
	     int *fd)
{
	struct abi_reply rep = { .error = ENOENT };
	struct out o = { 0 };
	size_t row_bytes;
	int memfd = -1;

	(void)fd;
	append(&o, &o.heap, "", 1); /* offset 0 is NULL */
	for (unsigned i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		if (strcmp(tables[i].what, data) != 0)
			continue;
		row_bytes = tables[i].show(d, &o);
		memfd = publish(&o, row_bytes);
		rep.error = memfd < 0 ? ENOMEM : 0;
	}
	control_reply(d, c, req, &rep, NULL, 0, memfd);
	if (memfd >= 0)
		close(memfd);
	free(o.rows.at);
	free(o.heap.at);
}
