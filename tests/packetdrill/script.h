/* SPDX-License-Identifier: MIT */
/*
 * Our own reader and runner for scripts in packetdrill's language, a subset of it, over the same
 * shared object that packetdrill itself loads. A script is lines of
 *
 *	TIME  < FLAGS SEQ:END(LEN) [ack N] [win N] [<OPTIONS>]		inject a segment
 *	TIME  > FLAGS SEQ:END(LEN) [ack N] [win N] [<OPTIONS>]		one must leave, so, and then
 *	TIME  call(ARG, ...) = RESULT [ERRNO]				a socket call, and its
 *answer TIME  `NAME=VALUE`						a setting by sysctl's name
 *	TIME  %{ tcpi_FIELD OP NUMBER }%				what TCP_INFO must say
 *
 * TIME: seconds from the start; +seconds from the last event; a~b, +a~+b: between; a...b: the call
 * begins at a, blocks, and returns at b. Comments are those of C++. FLAGS are tcpdump's. Sequence
 * numbers are relative, window values as on the wire. What leaves and is not named is a mistake.
 */
#ifndef TEST_PACKETDRILL_SCRIPT_H
#define TEST_PACKETDRILL_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OPTIONS_MAX 12
#define ARGS_MAX 8

enum opt_kind {
	OPT_NOP = 1,
	OPT_MSS = 2,
	OPT_WSCALE = 3,
	OPT_SACKOK = 4,
	OPT_SACK = 5,
	OPT_TS = 8
};

struct option {
	uint8_t kind;  /* enum opt_kind */
	uint32_t v[8]; /* mss; shift; val, ecr; start, end, start, end, ... */
	unsigned nv;
};

/* A segment, of the script or of the wire. */
struct segment {
	uint8_t flags; /* as in the header */
	uint32_t seq, ack, len;
	uint16_t win, sport, dport;
	bool ack_ok, win_ok;
	bool any_options; /* <...> */
	struct option opt[OPTIONS_MAX];
	unsigned nopt;
};

enum arg_kind { ARG_ANY, ARG_INT, ARG_POLL };

struct arg {
	enum arg_kind kind;
	int64_t v; /* also of [v] */
	int64_t fd, events, revents;
};

struct call {
	char name[24];
	struct arg arg[ARGS_MAX];
	unsigned nargs;
	int64_t result;
	int error; /* errno; 0: not said */
};

enum event_kind { EV_IN, EV_OUT, EV_CALL, EV_SETTING, EV_INFO };

struct event {
	struct event *next;
	unsigned line;
	enum event_kind kind;
	bool relative;
	int64_t from_us, to_us; /* equal: a point in time */
	int64_t end_us;		/* a call that blocks; -1: it does not */
	struct segment seg;
	struct call call;
	char text[200]; /* of a setting, of a question to TCP_INFO */
};

/* script.c. NULL: not readable, and why (to be printed) is in error. */
struct event *script_read(const char *path, char *error, size_t size);
void script_free(struct event *list);
/* A number, or names of numbers with | between; false: it is none. */
bool script_number(const char *text, int64_t *out);

/* segment.c: bytes <-> segment, IPv4 without options. */
size_t segment_build(const struct segment *s, uint8_t *out, uint32_t src, uint32_t dst);
bool segment_parse(const uint8_t *bytes, size_t length, struct segment *out);
/* Returns out. */
char *segment_text(const struct segment *s, char *out, size_t size);

#endif
