/* SPDX-License-Identifier: MIT */
/*
 * Records as text for people: an event's template with its {fields} replaced by values, each
 * printed by its kind. The records may come from hostile memory: any number may stand anywhere.
 */
#include "print.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define UNUSED __attribute__((unused))

#define NS_PER_US 1000u
#define NS_PER_MS 1000000u
#define NS_PER_S 1000000000u

void text_char(struct text *t, char c)
{
	if (t->length + 1 < t->size) {
		t->at[t->length] = c;
		t->at[t->length + 1] = '\0';
	}
	t->length++;
}

void text_string(struct text *t, const char *s)
{
	while (*s)
		text_char(t, *s++);
}

void text_format(struct text *t, const char *format, ...)
{
	bool room = t->length < t->size;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(room ? t->at + t->length : NULL, room ? t->size - t->length : 0, format,
		      args);
	va_end(args);
	if (n > 0)
		t->length += (size_t)n;
}

static void text_u64(struct text *t, UNUSED const struct glass_reader *r, uint64_t v)
{
	text_format(t, "%" PRIu64, v);
}

static void text_i64(struct text *t, UNUSED const struct glass_reader *r, uint64_t v)
{
	text_format(t, "%" PRId64, (int64_t)v);
}

static void text_hex(struct text *t, UNUSED const struct glass_reader *r, uint64_t v)
{
	text_format(t, "0x%" PRIx64, v);
}

static void text_seq(struct text *t, UNUSED const struct glass_reader *r, uint64_t v)
{
	text_format(t, "%" PRIu32, (uint32_t)v);
}

static void text_state(struct text *t, UNUSED const struct glass_reader *r, uint64_t v)
{
	text_string(t, glass_tcp_state_name(v < UINT32_MAX ? (unsigned)v : UINT32_MAX));
}

static void text_neigh(struct text *t, UNUSED const struct glass_reader *r, uint64_t v)
{
	text_string(t, neigh_state_name(v));
}

/* Whatever could steer a terminal is shown as \xNN. */
static void text_safe_char(struct text *t, char c)
{
	if ((unsigned char)c < 0x20 || (unsigned char)c >= 0x7f)
		text_format(t, "\\x%02x", (unsigned)(unsigned char)c);
	else
		text_char(t, c);
}

static void text_chars(struct text *t, UNUSED const struct glass_reader *r, uint64_t v)
{
	for (; v & 255; v >>= 8)
		text_safe_char(t, (char)(v & 255));
}

static void text_word(struct text *t, const struct glass_reader *r, uint64_t word)
{
	char copy[WORD_COPY_BYTES];

	reader_word_copy(r, word, copy, sizeof(copy));
	for (const char *c = copy; *c; c++)
		text_safe_char(t, *c);
}

/* n / 10^digits, without zeros at the end. */
static void text_decimal(struct text *t, uint64_t n, unsigned digits)
{
	uint64_t scale = 1;

	for (unsigned i = 0; i < digits; i++)
		scale *= 10;
	while (digits && n % 10 == 0) {
		n /= 10;
		scale /= 10;
		digits--;
	}
	text_format(t, "%" PRIu64, n / scale);
	if (digits)
		text_format(t, ".%0*" PRIu64, (int)digits, n % scale);
}

/* ns in a unit, to three places at most: the larger the number, the fewer. */
static void text_unit(struct text *t, uint64_t ns, uint64_t unit, const char *name)
{
	unsigned digits = ns >= unit * 100 ? 0 : ns >= unit * 10 ? 1 : 2;
	uint64_t scale = digits == 0 ? 1 : digits == 1 ? 10 : 100;

	text_decimal(t, (ns + unit / scale / 2) / (unit / scale), digits);
	text_string(t, name);
}

static void text_ns(struct text *t, UNUSED const struct glass_reader *r, uint64_t v)
{
	uint64_t ns = (int64_t)v < 0 ? 0 - v : v;

	if ((int64_t)v < 0)
		text_char(t, '-');
	if (ns < NS_PER_US) {
		text_format(t, "%" PRIu64 " ns", ns);
	} else if (ns < NS_PER_MS) {
		text_unit(t, ns, NS_PER_US, " us");
	} else if (ns < NS_PER_S) {
		text_unit(t, ns, NS_PER_MS, " ms");
	} else {
		text_decimal(t, ns / NS_PER_MS + (ns % NS_PER_MS >= NS_PER_MS / 2), 3);
		text_string(t, " s");
	}
}

/* Seconds since the birth of the stack. */
static void text_time(struct text *t, const struct glass_reader *r, uint64_t v)
{
	int64_t ns = (int64_t)(v - (uint64_t)(r ? r->start_ns : 0));
	uint64_t abs = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;

	text_format(t, "%s%" PRIu64 ".%06" PRIu64, ns < 0 ? "-" : "", abs / NS_PER_S,
		    abs % NS_PER_S / NS_PER_US);
}

static void text_ip4(struct text *t, UNUSED const struct glass_reader *r, uint64_t v)
{
	text_format(t, "%u.%u.%u.%u", (unsigned)(v >> 24 & 255), (unsigned)(v >> 16 & 255),
		    (unsigned)(v >> 8 & 255), (unsigned)(v & 255));
}

static void text_end4(struct text *t, const struct glass_reader *r, uint64_t v)
{
	text_ip4(t, r, v >> 16);
	text_format(t, ":%u", (unsigned)(v & 0xffff));
}

static void text_mac(struct text *t, UNUSED const struct glass_reader *r, uint64_t v)
{
	for (int i = 5; i >= 0; i--)
		text_format(t, "%02x%s", (unsigned)(v >> 8 * i & 255), i ? ":" : "");
}

/* As tcpdump: FIN SYN RST PSH ACK URG ECE CWR in this order, ACK is a dot. */
static void text_flags(struct text *t, UNUSED const struct glass_reader *r, uint64_t v)
{
	static const char letters[] = "FSRP.UEW";

	text_char(t, '[');
	for (unsigned i = 0; i < 8; i++)
		if (v >> i & 1)
			text_char(t, letters[i]);
	text_string(t, v & 255 ? "]" : "none]");
}

static void text_errno(struct text *t, UNUSED const struct glass_reader *r, uint64_t v)
{
	uint64_t error = (int64_t)v < 0 ? 0 - v : v;
	const char *name = errno_name(error);

	if (name)
		text_string(t, name);
	else
		text_format(t, "errno %" PRIu64, error);
}

static void text_result(struct text *t, const struct glass_reader *r, uint64_t v)
{
	if ((int64_t)v < 0)
		text_errno(t, r, v);
	else
		text_u64(t, r, v);
}

static void text_drop(struct text *t, UNUSED const struct glass_reader *r, uint64_t v)
{
	const struct glass_drop_desc *d = v <= UINT32_MAX ? glass_drop_desc((unsigned)v) : NULL;

	if (d)
		text_string(t, d->name);
	else
		text_format(t, "reason %" PRIu64, v);
}

static void text_dev(struct text *t, const struct glass_reader *r, uint64_t v)
{
	if (r && r->dev_name && v < r->dev_count && r->dev_name[v])
		text_string(t, r->dev_name[v]);
	else if (v == 0)
		text_string(t, "lo");
	else
		text_format(t, "dev%" PRIu64, v);
}

static void text_proto(struct text *t, UNUSED const struct glass_reader *r, uint64_t v)
{
	if (v == 1)
		text_string(t, "ICMP");
	else if (v == 6)
		text_string(t, "TCP");
	else if (v == 17)
		text_string(t, "UDP");
	else
		text_format(t, "protocol %" PRIu64, v);
}

static void text_ether(struct text *t, UNUSED const struct glass_reader *r, uint64_t v)
{
	if (v == 0x0800)
		text_string(t, "IPv4");
	else if (v == 0x0806)
		text_string(t, "ARP");
	else if (v == 0x86dd)
		text_string(t, "IPv6");
	else
		text_format(t, "0x%04" PRIx64, v);
}

static void text_bound(struct text *t, UNUSED const struct glass_reader *r, uint64_t v)
{
	if (v == GLASS_UNBOUND)
		text_string(t, "none");
	else
		text_format(t, "%" PRIu64, v);
}

static void text_none(UNUSED struct text *t, UNUSED const struct glass_reader *r, UNUSED uint64_t v)
{
}

typedef void value_printer(struct text *t, const struct glass_reader *r, uint64_t v);

static value_printer *const printers[] = {
	[GLASS_KIND_NONE] = text_none,	 [GLASS_KIND_U64] = text_u64,
	[GLASS_KIND_I64] = text_i64,	 [GLASS_KIND_HEX] = text_hex,
	[GLASS_KIND_BYTES] = text_u64,	 [GLASS_KIND_SEQ] = text_seq,
	[GLASS_KIND_IP4] = text_ip4,	 [GLASS_KIND_END4] = text_end4,
	[GLASS_KIND_MAC] = text_mac,	 [GLASS_KIND_FLAGS] = text_flags,
	[GLASS_KIND_STATE] = text_state, [GLASS_KIND_NEIGH] = text_neigh,
	[GLASS_KIND_NS] = text_ns,	 [GLASS_KIND_TIME] = text_time,
	[GLASS_KIND_ERRNO] = text_errno, [GLASS_KIND_WORD] = text_word,
	[GLASS_KIND_DROP] = text_drop,	 [GLASS_KIND_PKT] = text_u64,
	[GLASS_KIND_CONN] = text_u64,	 [GLASS_KIND_DEV] = text_dev,
	[GLASS_KIND_PROTO] = text_proto, [GLASS_KIND_ETHER] = text_ether,
	[GLASS_KIND_CHARS] = text_chars, [GLASS_KIND_RESULT] = text_result,
	[GLASS_KIND_BOUND] = text_bound,
};

void text_value(struct text *t, const struct glass_reader *r, enum glass_kind kind, uint64_t v)
{
	if (kind < sizeof(printers) / sizeof(printers[0]))
		printers[kind](t, r, v);
}

/* The field whose name is the n characters at name; -1: none. */
static int field_index(const struct glass_field *field, unsigned nfields, const char *name,
		       size_t n)
{
	for (unsigned i = 0; i < nfields; i++)
		if (field[i].name && strlen(field[i].name) == n && !memcmp(field[i].name, name, n))
			return (int)i;
	return -1;
}

void text_template(struct text *t, const struct glass_reader *r, const char *template,
		   const struct glass_field *field, unsigned nfields, const uint64_t *v)
{
	const char *end;
	int i;

	for (; *template; template ++) {
		end = *template == '{' ? strchr(template, '}') : NULL;
		i = end ? field_index(field, nfields, template + 1, (size_t)(end - template - 1))
			: -1;
		if (i < 0) {
			text_char(t, *template);
			continue;
		}
		text_value(t, r, field[i].kind, v[i]);
		template = end;
	}
}

void text_record(struct text *t, const struct glass_reader *r, const struct glass_record *rec)
{
	const struct glass_event_desc *d = glass_event_desc(rec->event);
	const struct glass_drop_desc *drop = NULL;

	if (!d) {
		text_format(t, "event %u of a newer version", rec->event);
		return;
	}
	text_template(t, r, d->text, d->field, GLASS_TRACE_VALUES, rec->v);
	if (d->field[0].kind == GLASS_KIND_DROP && rec->v[0] <= UINT32_MAX)
		drop = glass_drop_desc((unsigned)rec->v[0]);
	if (!drop)
		return;
	text_string(t, ": ");
	text_template(t, r, drop->text, drop->field, 2, rec->v + 1);
}

int glass_record_text(const struct glass_reader *r, const struct glass_record *rec, char *out,
		      size_t size)
{
	struct text t = text_of(out, size);

	text_record(&t, r, rec);
	return (int)t.length;
}

int glass_value_text(const struct glass_reader *r, enum glass_kind kind, uint64_t v, char *out,
		     size_t size)
{
	struct text t = text_of(out, size);

	text_value(&t, r, kind, v);
	return (int)t.length;
}
