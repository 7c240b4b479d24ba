/* SPDX-License-Identifier: MIT */
/*
 * The flight recorder: what the stack writes down of everything it does, and how to read it.
 *
 * A ring of records of one cache line each, in memory that the owner of the stack provides
 * (glassd: shared memory, so that "glass trace" reads while the stack runs). It is always on and
 * overwrites its oldest records; a reader that falls behind learns how many it lost. Strings
 * (names of functions and files, reasons in words) are written as numbers of the ring's own word
 * table, so a ring explains itself.
 *
 * Every act has a number: a packet that came in or was built, a timer that fired, a call of the
 * program. Every record names the act it speaks of (pkt) and the act that led to it (cause).
 */
#ifndef GLASS_TRACE_H
#define GLASS_TRACE_H

#include <glass/glass.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GLASS_RING_MAGIC 0x676e6952736c4731ull /* "1GlsRing" */
#define GLASS_RING_VERSION 1
#define GLASS_TRACE_VALUES 5

struct glass_record {
	int64_t time_ns;
	uint16_t event; /* row of event.def */
	uint16_t room;	/* word: the function that wrote it */
	uint32_t conn;	/* connection, 0: none */
	uint32_t pkt;	/* act this is about, 0: none */
	uint32_t cause; /* act that led here, 0: none */
	uint64_t v[GLASS_TRACE_VALUES];
};

/*
 * The ring's memory: this header, word_count words of word_bytes each, then record_count records.
 */
struct glass_ring {
	uint64_t magic;
	uint32_t version;
	uint32_t header_bytes; /* offset of the words */
	uint32_t word_count, word_bytes;
	uint32_t record_count; /* a power of two */
	uint32_t records_at;   /* offset of the records */
	uint64_t head;	       /* records ever written; record n lies in slot n % record_count */
	int64_t start_ns;      /* time of birth of the stack */
};

/* Bytes of ring memory for this many records (rounded up to a power of two). */
GLASS_API size_t glass_ring_bytes(size_t records);

/*
 * The flight recorder goes on in this memory, which is empty afterwards; acts go on counting. So a
 * stack that was restored without (glass_setup.ring) gets one, or one gets more room. -EINVAL: it
 * is too small, and nothing is recorded.
 */
GLASS_API int glass_ring_use(struct glass *g, void *ring, size_t bytes);
/* What records mean in this version of the library, for glass_ring_take(). */
GLASS_API uint64_t glass_ring_layout(void);
/*
 * Right after glass_ring_use() of a stack that was restored: the records of the ring that it had
 * come first, with their numbers where there is room for no more than there was. layout:
 * glass_ring_layout() of who wrote it. Answers how many; -EINVAL: the ring is none, or of another
 * layout, and nothing is taken. An event tells of it in any case. old NULL: there was none.
 */
GLASS_API int64_t glass_ring_take(struct glass *g, const void *old, size_t bytes, uint64_t layout);

/*
 * Every function of the stack begins with five bytes that do nothing (x86-64: nops), so that the
 * owner can have each call written down without another build: he writes "call HOOK" there, and
 * HOOK calls glass_function_begins() with the function's index. glassd does so while "glass trace
 * --functions" asks for it.
 */
/* Addresses of those bytes, count of them; none where the compiler could not do this. */
GLASS_API void *const *glass_functions(size_t *count);
/* Says how function i is called, for whoever reads the ring. */
GLASS_API void glass_function_name(struct glass *g, size_t i, const char *name);
/*
 * Function i begins, or ends: a record. depth: calls around it. Both change no state of the stack
 * but the recorder, and can be called in the middle of any of its functions.
 */
GLASS_API void glass_function_begins(struct glass *g, size_t i, unsigned depth);
GLASS_API void glass_function_ends(struct glass *g, size_t i, unsigned depth, int64_t took_ns);

/*
 * A reader's place in a ring. The memory may be changing under it, and may be hostile: everything
 * is checked and copied before use.
 */
struct glass_reader {
	const struct glass_ring *ring;
	size_t bytes;
	uint64_t next; /* number of the record that comes next */
	uint64_t lost; /* records overwritten before they were read */
	/* The ring's geometry as it was found valid: it is never read again. */
	uint32_t words_at, word_count, word_bytes, record_count, records_at;
	int64_t start_ns;
	/* Names of the devices by index, for printing: the caller may set them. Without: "dev1". */
	const char *const *dev_name;
	unsigned dev_count;
};

/*
 * Starts at the oldest record. 0, or -EINVAL: not a ring of this version, or it does not fit in
 * bytes.
 */
GLASS_API int glass_reader_open(struct glass_reader *r, const void *ring, size_t bytes);
/* false: nothing new. */
GLASS_API bool glass_reader_next(struct glass_reader *r, struct glass_record *out);
/* A word of the ring's table; "?" when it is none. The result lives as long as the ring. */
GLASS_API const char *glass_reader_word(const struct glass_reader *r, uint64_t word);
/* The source file of a room, "ip_input.c"; "" when the word is none. */
GLASS_API const char *glass_reader_file(const struct glass_reader *r, uint64_t word);

/* What a value means, and so how it is printed. */
enum glass_kind {
	GLASS_KIND_NONE,
	GLASS_KIND_U64, /* decimal */
	GLASS_KIND_I64,
	GLASS_KIND_HEX,
	GLASS_KIND_BYTES, /* decimal, a number of bytes */
	GLASS_KIND_SEQ,	  /* sequence number relative to the initial one */
	GLASS_KIND_IP4,	  /* host order */
	GLASS_KIND_END4,  /* IPv4 address << 16 | port */
	GLASS_KIND_MAC,	  /* 48 bits, first byte highest */
	GLASS_KIND_FLAGS, /* TCP flags, printed as tcpdump does: S . P F R U E W */
	GLASS_KIND_STATE, /* TCP state */
	GLASS_KIND_NEIGH, /* neighbour state */
	GLASS_KIND_NS,	  /* duration */
	GLASS_KIND_TIME,  /* point in time */
	GLASS_KIND_ERRNO,
	GLASS_KIND_WORD,
	GLASS_KIND_DROP, /* drop reason */
	GLASS_KIND_PKT,	 /* another act */
	GLASS_KIND_CONN,
	GLASS_KIND_DEV,
	GLASS_KIND_PROTO,  /* IP protocol */
	GLASS_KIND_ETHER,  /* Ethernet type */
	GLASS_KIND_CHARS,  /* up to eight characters, the first in the lowest byte */
	GLASS_KIND_RESULT, /* a count, or a negative errno, which prints by its name */
	GLASS_KIND_BOUND,  /* bytes that are not to be passed; GLASS_UNBOUND: there is no bound */
};

#define GLASS_UNBOUND UINT32_MAX

struct glass_field {
	const char *name;
	enum glass_kind kind;
};

struct glass_event_desc {
	const char *name; /* tcp_retransmit */
	const char *text; /* template: "retransmit seq {seq} ..." */
	const char *doc;  /* a sentence for the man page */
	struct glass_field field[GLASS_TRACE_VALUES];
};
/* NULL past the end. */
GLASS_API const struct glass_event_desc *glass_event_desc(unsigned event);

struct glass_drop_desc {
	const char *name;   /* IP_BAD_CSUM */
	const char *text;   /* template with the values that failed */
	const char *source; /* RFC and section */
	const char *advice; /* what to look at when it is seen */
	struct glass_field field[2];
};
/* reason is what glass_input() answered; NULL: not a drop reason. Reasons are numbered from 1. */
GLASS_API const struct glass_drop_desc *glass_drop_desc(unsigned reason);
GLASS_API const char *glass_tcp_state_name(unsigned state);

/* The rule behind a decision: a row of rule.def. */
struct glass_rule {
	unsigned event;
	const char
		*why; /* the reason that the event gives; "": all that have no row of their own */
	const char *source; /* "RFC 9293 3.10.7.4" */
};
/* NULL past the end. */
GLASS_API const struct glass_rule *glass_rule(unsigned i);
/* The source of an event that gives this reason; "" when there is no row. */
GLASS_API const char *glass_rule_source(unsigned event, const char *why);

/* One record as text (without time and numbers), or as one JSON object. Returns as snprintf. */
GLASS_API int glass_record_text(const struct glass_reader *r, const struct glass_record *rec,
				char *out, size_t size);
GLASS_API int glass_record_json(const struct glass_reader *r, const struct glass_record *rec,
				char *out, size_t size);
/* One value as text. Returns as snprintf. */
GLASS_API int glass_value_text(const struct glass_reader *r, enum glass_kind kind, uint64_t v,
			       char *out, size_t size);

#ifdef __cplusplus
}
#endif
#endif
