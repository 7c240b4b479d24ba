/* SPDX-License-Identifier: MIT */
/*
 * Writing the flight recorder (its format and how to read it: glass_trace.h).
 *
 *	ENTER(g, p);							first line of a room
 *	EVENT(g, conn, pkt, TCP_STATE, from, to, WORD("SYN"));	values as in event.def
 *	return drop(g, p, IP_BAD_CSUM, got, want);		(stack.h) values as in drop.def
 *
 * The macros need a struct glass with a member `struct trace trace`.
 */
#ifndef GLASS_BASE_TRACE_H
#define GLASS_BASE_TRACE_H

#include <glass/glass_trace.h>

#include "probe.h"

#define F(name, kind) +1
enum glass_event_id {
#define EVENT_DEF(ID, name, text, doc, fields) GLASS_EV_##ID,
#include "event.def"
#undef EVENT_DEF
	GLASS_EV_COUNT
};

/* How many values each event and each drop reason has. */
enum {
#define EVENT_DEF(ID, name, text, doc, fields) GLASS_EVN_##ID = 0 fields,
#include "event.def"
#undef EVENT_DEF
};

/* The fate of a packet: accepted, or why not. GO_ON: not decided yet, the next step has it. */
enum verdict {
	GO_ON = -1,
	ACCEPTED = 0,
#define DROP(ID, text, source, advice, fields) DROP_##ID,
#include "drop.def"
#undef DROP
	DROP_COUNT
};

enum {
#define DROP(ID, text, source, advice, fields) DROPN_##ID = 0 fields,
#include "drop.def"
#undef DROP
};
#undef F

enum stat_id {
#define STAT(ID, group, name, doc) STAT_##ID,
#include "stats.def"
#undef STAT
	STAT_COUNT
};

/* A string that records name by its number. The linker gathers all of them into one table. */
struct trace_word {
	const char *text;
	const char *file;
};

extern const struct trace_word __start_glass_words[] __attribute__((visibility("hidden")));
extern const struct trace_word __stop_glass_words[] __attribute__((visibility("hidden")));

/* The number of a string literal or of __func__; 1 is the first, 0 is none. */
#define WORD(string)                                                                               \
	(__extension__({                                                                           \
		static const struct trace_word word_                                               \
			__attribute__((section("glass_words"), used)) = { string, __FILE_NAME__ }; \
		(uint64_t)(&word_ - __start_glass_words) + 1;                                      \
	}))

#ifndef __FILE_NAME__
#define __FILE_NAME__ __FILE__
#endif

struct trace {
	struct glass_ring *ring; /* NULL: nothing is recorded */
	struct glass_record *records;
	uint64_t mask, head;
	int64_t now_ns;
	uint32_t cause;	   /* the act going on */
	uint32_t last_act; /* number of the newest act */
};

/* Lays the ring out in mem (NULL or too small: no recording) and writes the word table. */
void trace_init(struct trace *t, void *mem, size_t bytes, int64_t now_ns);

/* What the numbers in records mean here: rings of one layout can be read by each other's readers.
 */
uint64_t trace_layout(void);
/*
 * The records of another ring come first (trace_take.c); this one has none yet. Answers
 * how many they were; -EINVAL: the other one is none, or of another layout; -ENOMEM.
 */
int64_t trace_take(struct trace *t, const void *old, size_t old_bytes, uint64_t layout);

/* The word under which function i of function.h stands. Its text comes later, see trace_name(). */
uint64_t trace_function_word(size_t i);
void trace_name(struct trace *t, uint64_t word, const char *text);

/* A number for a packet, a timer's firing, a call. */
static inline uint32_t trace_act(struct trace *t)
{
	if (!++t->last_act)
		t->last_act = 1;
	return t->last_act;
}

/*
 * NULL: nothing is recorded. GLASS_NO_TRACING (meson: -Dtracing=false) leaves all of this out of
 * the program, to measure what it costs.
 */
static inline struct glass_record *trace_write(struct trace *t, unsigned event, uint64_t room,
					       uint32_t conn, uint32_t pkt, uint32_t cause,
					       const uint64_t *v, unsigned n)
{
	struct glass_record *r;

#ifdef GLASS_NO_TRACING
	return NULL;
#endif
	if (!t->ring)
		return NULL;
	/* A reader must see this slot's number taken before he sees it change: reader.c. */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	r = &t->records[t->head & t->mask];
	*r = (struct glass_record){ t->now_ns, (uint16_t)event, (uint16_t)room, conn,
				    pkt,       cause,		{ 0 } };
	for (unsigned i = 0; i < n; i++)
		r->v[i] = v[i];
	__atomic_store_n(&t->ring->head, ++t->head, __ATOMIC_RELEASE);
	return r;
}

/* trace_probe_ID(): what was recorded, for tracers outside. */
#define F(name, kind) , 0
#define EVENT_DEF(ID, name, text, doc, fields)                                           \
	static inline void trace_probe_##ID(uint64_t room, const struct glass_record *r) \
	{                                                                                \
		PROBE(#name, PROBE_VALUES(0 fields), &__start_glass_words[room - 1], r); \
	}
#include "event.def"
#undef EVENT_DEF
#undef F

#define TRACE_VALUES(...) ((const uint64_t[]){ __VA_ARGS__ })

/* A record and its probe. room: from WORD(), no function's word. */
#define TRACE(g, ID, room, conn, pkt, cause, v, n)                                              \
	do {                                                                                    \
		uint64_t room_ = (room);                                                        \
		const struct glass_record *rec_ =                                               \
			trace_write(&(g)->trace, GLASS_EV_##ID, room_, conn, pkt, cause, v, n); \
		if (rec_)                                                                       \
			trace_probe_##ID(room_, rec_);                                          \
	} while (0)

/* conn and pkt: numbers, 0 for none. The cause is the act going on. */
#define EVENT(g, conn, pkt, ID, ...)                                                   \
	do {                                                                           \
		_Static_assert(sizeof(TRACE_VALUES(__VA_ARGS__)) / sizeof(uint64_t) == \
				       GLASS_EVN_##ID,                                 \
			       "values as in event.def");                              \
		TRACE(g, ID, WORD(__func__), conn, pkt, (g)->trace.cause,              \
		      TRACE_VALUES(__VA_ARGS__), GLASS_EVN_##ID);                      \
	} while (0)

/* A packet enters a room. */
#define ENTER(g, p)                                                           \
	TRACE(g, ENTER, WORD(__func__), (p)->conn, (p)->id, (g)->trace.cause, \
	      TRACE_VALUES(pkt_len(p)), 1)

#endif
