/* SPDX-License-Identifier: MIT */
/*
 * Prints a manual page made of one of the tables: glass-drops(7), glass-events(7),
 * glass-tunables(7), glass-fields(7). The rows are the very ones that Glass is compiled from.
 */
#include <stdio.h>
#include <string.h>

#define LINE_BYTES 76

/* Where a line of text has to end: a sentence is over, or it would become too long. */
static size_t line_length(const char *s)
{
	size_t end = 0, n = 0;

	for (; s[n]; n++) {
		if (s[n] != ' ')
			continue;
		if (n >= LINE_BYTES)
			return end ? end : n;
		end = n;
		if (n && strchr(".?!", s[n - 1]))
			return n;
	}
	return n > LINE_BYTES && end ? end : n;
}

/* A macro character of mdoc at the start of a line, and backslashes, are text here. */
static void put_line(const char *s, size_t n)
{
	if (*s == '.' || *s == '\'')
		fputs("\\&", stdout);
	for (; n; n--, s++) {
		if (*s == '\\')
			fputs("\\e", stdout);
		else
			putchar(*s);
	}
	putchar('\n');
}

/* Text in front of which and after which stands something else of the page. */
static void line(const char *before, const char *text, const char *after)
{
	char all[1024];
	const char *at = all;
	size_t n;

	snprintf(all, sizeof(all), "%s%s%s", before, text, after);
	while (*at) {
		n = line_length(at);
		put_line(at, n);
		at += n + (at[n] == ' ');
	}
}

static void head(const char *title, const char *name, const char *what)
{
	printf(".\\\" Made of src/base/*.def by docs/man/generate.c: do not edit.\n");
	printf(".Dd November 22, 2026\n.Dt %s 7\n.Os\n.Sh NAME\n.Nm %s\n.Nd %s\n.Sh DESCRIPTION\n",
	       title, name, what);
}

/* ---- fields ---- */

struct field {
	const char *name, *kind;
};

#define F(name, kind) { #name, #kind },

static const char *const kinds[][2] = {
	{ "U64", "number" },
	{ "I64", "number" },
	{ "HEX", "hexadecimal number" },
	{ "BYTES", "bytes" },
	{ "SEQ", "sequence number, counted from the connection's first" },
	{ "IP4", "IPv4 address" },
	{ "END4", "IPv4 address and port" },
	{ "MAC", "hardware address" },
	{ "FLAGS", "TCP flags, as tcpdump prints them" },
	{ "STATE", "TCP state" },
	{ "NEIGH", "state of a neighbour, as ip neigh shows it" },
	{ "NS", "duration; in JSON nanoseconds, and the name ends in _ns" },
	{ "TIME",
	  "time since the start of the stack; in JSON nanoseconds, and the name ends in _ns" },
	{ "ERRNO", "error" },
	{ "WORD", "words" },
	{ "DROP", "drop reason" },
	{ "PKT", "number of a packet, timer or call" },
	{ "CONN", "number of a connection" },
	{ "DEV", "device" },
	{ "PROTO", "protocol" },
	{ "ETHER", "Ethernet type" },
	{ "CHARS", "characters" },
	{ "RESULT", "count, or error" },
};

static const char *kind_words(const char *kind)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i][0], kind))
			return kinds[i][1];
	return kind;
}

static void put_fields(const struct field *f, size_t n)
{
	printf(".Bl -tag -width 10n -compact\n");
	for (size_t i = 0; i < n; i++) {
		printf(".It Brq Ar %s\n", f[i].name);
		line("", kind_words(f[i].kind), "");
	}
	printf(".El\n");
}

/* ---- drops ---- */

static void drop(const char *name, const char *text, const char *source, const char *advice,
		 const struct field *f, size_t n)
{
	printf(".It Sy %s\n", name);
	line("", text, "");
	put_fields(f, n);
	if (*source)
		line("Rule: ", source, ".");
	line("Look here: ", advice, ".");
}

static void drops(void)
{
	head("GLASS-DROPS", "glass-drops", "why the Glass stack drops packets");
	printf("Every packet that Glass does not accept is dropped for one of these reasons.\n"
	       "Each is counted\n.Pq Nm glass Cm stat ,\n"
	       "and recorded with the values that failed\n.Pq Nm glass Cm trace .\n"
	       ".Nm glass Cm explain Ar REASON\ntells the same as this page.\n"
	       ".Bl -tag -width Ds\n");
#define DROP(ID, text, source, advice, fields)                                \
	{                                                                     \
		static const struct field f[] = { fields };                   \
		drop(#ID, text, source, advice, f, sizeof(f) / sizeof(f[0])); \
	}
#include "../../src/base/drop.def"
#undef DROP
	printf(".El\n.Sh SEE ALSO\n.Xr glass 1 ,\n.Xr glass-events 7\n");
}

/* ---- events ---- */

static const struct {
	const char *event, *why, *source;
} rules[] = {
#define RULE(event, why, source) { #event, why, source },
#include "../../src/base/rule.def"
#undef RULE
};

/* "Rules: RFC 9293 3.10.4 (the program closes too), ..." */
static void put_rules(const char *event)
{
	const char *before = "Rule: ";
	char text[256];

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (strcmp(rules[i].event, event) != 0)
			continue;
		snprintf(text, sizeof(text), *rules[i].why ? "%s (%s)" : "%s", rules[i].source,
			 rules[i].why);
		line(before, text, ".");
		before = "";
	}
}

static void event(const char *id, const char *name, const char *text, const char *doc,
		  const struct field *f, size_t n)
{
	printf(".It Sy %s\n", name);
	line("", doc, "");
	printf(".br\n");
	line("Shown as: ", text, "");
	put_fields(f, n);
	put_rules(id);
}

static void events(void)
{
	head("GLASS-EVENTS", "glass-events", "what the flight recorder of the Glass stack says");
	printf("The stack writes down what it does in records of one cache line each, always.\n"
	       ".Nm glass Cm trace\nreads them.\n"
	       "A record has a time, an event of this list with up to five values,\n"
	       "the function that wrote it\n.Pq Dq room ,\nthe number of the connection, the "
	       "number of the act\n"
	       "it speaks of, and the act that led to it.\nAn act is a packet that came in or was "
	       "built,\n"
	       "a timer that fired, or a call of the program.\n.Pp\nWith\n.Fl -json\n"
	       "each record is an object with the members time_ns, event, room,\n"
	       "conn, pkt, cause, the values by their names, and text.\nA drop has the values of "
	       "its reason: see\n.Xr glass-drops 7 .\n"
	       ".Bl -tag -width Ds\n");
#define EVENT_DEF(ID, name, text, doc, fields)                        \
	{                                                             \
		static const struct field f[] = { fields };           \
		event(#ID, #name, text, doc, f, sizeof(f) / sizeof(f[0])); \
	}
#include "../../src/base/event.def"
#undef EVENT_DEF
	printf(".El\n.Sh SEE ALSO\n.Xr glass 1 ,\n.Xr glass-drops 7\n");
}

/* ---- tunables ---- */

static void tunable(const char *name, long long initial, long long min, long long max,
		    const char *unit, const char *doc)
{
	char range[64];

	printf(".It Sy %s No = %lld\n", name, initial);
	snprintf(range, sizeof(range), "; from %lld to %lld.", min, max);
	line("", doc, ".");
	printf(".br\n");
	line("Unit: ", unit, range);
}

static void tunables(void)
{
	head("GLASS-TUNABLES", "glass-tunables", "limits and constants of the Glass stack");
	printf("Each has the value shown unless it is set: at the start by\n.Nm glassd Fl -set Ar "
	       "NAME Ns = Ns Ar VALUE ,\n"
	       "in the running stack by\n.Nm glass Cm set Ar NAME Ns = Ns Ar VALUE .\n"
	       ".Nm glass Cm tunables\nshows them as they are.\n"
	       "Where Linux has the same thing, it has the same name.\n.Bl -tag -width Ds\n");
#define TUNABLE(name, initial, min, max, unit, doc) tunable(#name, initial, min, max, unit, doc);
#include "../../src/base/tunable.def"
#undef TUNABLE
	printf(".El\n.Sh SEE ALSO\n.Xr glass 1 ,\n.Xr glassd 8\n");
}

/* ---- fields ---- */

static void field(const char *name, const char *type, const char *text)
{
	printf(".It Sy glass.%s Pq %s\n", name, type);
	line("", text, ".");
}

static void fields(void)
{
	head("GLASS-FIELDS", "glass-fields", "what a capture of the Glass stack tells of each packet");
	printf("A file that\n.Nm glass Cm pcap\nwrites has two comments with each packet.\n"
	       "The first is a line for people: what became of the packet,\n"
	       "what the stack did because of it, and what it is because of.\n"
	       "The second is words for programs, with a blank between:\n"
	       ".Pp\n.D1 glass.NAME=VALUE\n.Pp\n"
	       "A value with blanks stands in double quotes;\n"
	       "there is neither a double quote nor a line break in a value.\n"
	       "A word that does not apply is not there, some may be there more than once,\n"
	       "and new ones may follow in later versions.\n.Pp\n"
	       "Once\n.Nm glass Cm wireshark\nhas installed its Lua file, Wireshark and tshark have\n"
	       "each word as a field of the same name, for filters and columns:\n"
	       ".Dl tshark -r FILE -Y 'glass.drop || glass.retransmission == \"rto\"'\n"
	       ".Dl tshark -r FILE -T fields -e frame.time_relative -e glass.cwnd\n"
	       ".Bl -tag -width Ds\n");
#define FIELD(ID, name, type, text) field(name, #type, text);
#include "../../src/ctl/capture_field.def"
#undef FIELD
	printf(".El\n.Sh SEE ALSO\n.Xr glass 1 ,\n.Xr glass-drops 7\n");
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "drops"))
		drops();
	else if (argc == 2 && !strcmp(argv[1], "events"))
		events();
	else if (argc == 2 && !strcmp(argv[1], "tunables"))
		tunables();
	else if (argc == 2 && !strcmp(argv[1], "fields"))
		fields();
	else {
		fprintf(stderr, "usage: generate drops|events|tunables|fields\n");
		return 2;
	}
	return 0;
}
