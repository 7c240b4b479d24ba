/* SPDX-License-Identifier: MIT */
/*
 * The Common Trace Format 1.8, which babeltrace2, Trace Compass and the like read: a folder with
 * "metadata", the description in CTF's own language, made of event.def and drop.def, and "stream",
 * the records in binary. Every drop reason is an event of its own, with the values that failed it.
 *
 * In: export.c.  Out: two files.
 */
#include "export.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAGIC 0xc1fc1fc1u
#define DROP_ID 1000 /* of an event that is a drop: so much more than the reason */

/* ---- the description ------------------------------------------------------------------------- */

static const char *type_of(enum glass_kind kind)
{
	if (kind_is_signed(kind))
		return "i64";
	return kind_is_number(kind) ? "u64" : "string";
}

/* A leading underscore is taken off by every reader: so no field can be a word of the language. */
static void describe_fields(FILE *f, const struct glass_field *field, unsigned n)
{
	for (unsigned i = 0; i < n && field[i].name; i++)
		fprintf(f, " %s _%s%s;", type_of(field[i].kind), field[i].name,
			kind_is_duration(field[i].kind) ? "_ns" : "");
}

static void describe_events(FILE *f)
{
	const struct glass_event_desc *e;
	const struct glass_drop_desc *d;

	for (unsigned i = 0; (e = glass_event_desc(i)); i++) {
		if (i == EV_DROP)
			continue;
		fprintf(f, "event { name = \"%s\"; id = %u; stream_id = 0; fields := struct {",
			e->name, i);
		describe_fields(f, e->field, GLASS_TRACE_VALUES);
		fprintf(f, " }; };\n");
	}
	for (unsigned i = 1; (d = glass_drop_desc(i)); i++) {
		fprintf(f, "event { name = \"drop:%s\"; id = %u; stream_id = 0; fields := struct {",
			d->name, DROP_ID + i);
		describe_fields(f, d->field, COUNT(d->field));
		fprintf(f, " }; };\n");
	}
}

static void describe(FILE *f)
{
	fprintf(f,
		"/* CTF 1.8 */\n"
		"typealias integer { size = 16; align = 8; signed = false; } := u16;\n"
		"typealias integer { size = 32; align = 8; signed = false; } := u32;\n"
		"typealias integer { size = 64; align = 8; signed = false; } := u64;\n"
		"typealias integer { size = 64; align = 8; signed = true; } := i64;\n"
		"trace { major = 1; minor = 8; byte_order = %s;\n"
		"  packet.header := struct { u32 magic; u32 stream_id; }; };\n"
		"env { domain = \"glass\"; glass_version = \"%s\"; };\n"
		"clock { name = stack; freq = 1000000000; offset = 0;\n"
		"  description = \"nanoseconds since the start of the stack\"; };\n"
		"typealias integer { size = 64; align = 8; signed = false;\n"
		"  map = clock.stack.value; } := when;\n"
		"stream { id = 0;\n"
		"  event.header := struct { u16 id; when timestamp; };\n"
		"  event.context := struct { u32 _conn; u32 _pkt; u32 _cause; string _room; };\n"
		"  packet.context := struct { when timestamp_begin; when timestamp_end;\n"
		"    u64 content_size; u64 packet_size; u64 events_discarded; }; };\n",
		__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? "le" : "be", GLASS_VERSION);
	describe_events(f);
}

/* ---- the stream ------------------------------------------------------------------------------ */

static void put(FILE *f, const void *value, size_t bytes)
{
	fwrite(value, 1, bytes, f);
}

static void put_u32(FILE *f, uint32_t v)
{
	put(f, &v, sizeof(v));
}

static void put_u64(FILE *f, uint64_t v)
{
	put(f, &v, sizeof(v));
}

static void put_value(FILE *f, const struct story *s, const struct glass_field *field, uint64_t v)
{
	char text[TEXT_BYTES];

	if (field->kind == GLASS_KIND_TIME)
		v -= (uint64_t)s->reader.start_ns;
	if (kind_is_number(field->kind)) {
		put_u64(f, v);
		return;
	}
	kind_text(s, field->kind, v, text, sizeof(text));
	put(f, text, strlen(text) + 1);
}

/* false: a record that this glass does not know, from another one's ring. */
static bool put_record(FILE *f, const struct story *s, const struct glass_record *r, uint64_t ns)
{
	struct glass_field field[GLASS_TRACE_VALUES];
	unsigned n = export_fields(r, field), from = 0;
	uint16_t id = r->event;
	char room[128];

	if (!glass_event_desc(r->event))
		return false;
	if (r->event == EV_DROP) {
		if (r->v[0] > UINT16_MAX - DROP_ID || !glass_drop_desc((unsigned)r->v[0]))
			return false;
		id = (uint16_t)(DROP_ID + r->v[0]);
		from = 1; /* the reason is the event's name */
	}
	put(f, &id, sizeof(id));
	put_u64(f, ns);
	put_u32(f, r->conn);
	put_u32(f, r->pkt);
	put_u32(f, r->cause);
	word_text(s, r->room, room, sizeof(room));
	put(f, room, strlen(room) + 1);
	for (unsigned i = from; i < n; i++)
		put_value(f, s, &field[i], r->v[i]);
	return true;
}

static void put_heading(FILE *f, uint64_t first, uint64_t last, uint64_t bytes, uint64_t lost)
{
	put_u32(f, MAGIC);
	put_u32(f, 0);
	put_u64(f, first);
	put_u64(f, last);
	put_u64(f, bytes * 8);
	put_u64(f, bytes * 8);
	put_u64(f, lost);
}

/* One packet of the format holds all. Its size and times are known at the end. */
static void put_stream(FILE *f, const struct story *s, const uint32_t *list, uint32_t n)
{
	uint64_t first = UINT64_MAX, now = 0;
	const struct glass_record *r;
	int64_t ns;
	long end;

	put_heading(f, 0, 0, 0, 0);
	for (uint32_t i = 0; i < n; i++) {
		r = &s->rec[list[i]];
		ns = export_time(s, r);
		if (ns > 0 && (uint64_t)ns > now)
			now = (uint64_t)ns; /* a stream's time does not go back */
		if (put_record(f, s, r, now) && first == UINT64_MAX)
			first = now;
	}
	end = ftell(f);
	if (end < 0 || fseek(f, 0, SEEK_SET))
		return; /* the error stays with the file, or fclose() tells it */
	put_heading(f, first == UINT64_MAX ? 0 : first, now, (uint64_t)end,
		    s->older + s->reader.lost);
}

/* ---- files ----------------------------------------------------------------------------------- */

static FILE *open_in(const char *folder, const char *name, char path[4096])
{
	FILE *f;

	if (snprintf(path, 4096, "%s/%s", folder, name) >= 4096) {
		failed("%s: %s", folder, strerror(ENAMETOOLONG));
		return NULL;
	}
	f = fopen(path, "we");
	if (!f)
		failed("%s: %s", path, strerror(errno));
	return f;
}

static int close_file(FILE *f, const char *path)
{
	bool bad = ferror(f);

	if (fclose(f) || bad)
		return failed("%s: %s", path, strerror(errno ? errno : EIO));
	return EXIT_OK;
}

int export_ctf(const struct export *x)
{
	char path[4096];
	uint32_t n, *list;
	int code = EXIT_FAILED;
	FILE *f;

	if (mkdir(x->path, 0777) && errno != EEXIST)
		return failed("%s: %s", x->path, strerror(errno));
	list = export_records(x, &n);
	if (!list)
		return EXIT_FAILED;
	f = open_in(x->path, "metadata", path);
	if (f) {
		describe(f);
		code = close_file(f, path);
	}
	f = code ? NULL : open_in(x->path, "stream", path);
	if (f) {
		put_stream(f, x->story, list, n);
		code = close_file(f, path);
	} else {
		code = EXIT_FAILED;
	}
	free(list);
	return code;
}
