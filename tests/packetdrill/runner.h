/* SPDX-License-Identifier: MIT */
/*
 * One script being run. run.c walks through the events, wire.c injects and compares segments,
 * call.c makes the socket calls.
 */
#ifndef TEST_PACKETDRILL_RUNNER_H
#define TEST_PACKETDRILL_RUNNER_H

#include <pthread.h>
#include <stdio.h>

#include "../../src/packetdrill/interface.h"
#include "script.h"

#define FDS_MAX 32
#define TS_MAX 32
#define TOLERANCE_US 4000	/* as packetdrill's */
#define LOCAL_ADDR 0xc0a80001u	/* 192.168.0.1 */
#define REMOTE_ADDR 0xc0000201u /* 192.0.2.1 */
#define PORT 8080		/* of whoever listens */

/* The connection that the script speaks of: what its small numbers are on the wire. */
struct talk {
	bool active;		  /* we have called connect() */
	bool local_ok, remote_ok; /* the ISN has been seen */
	bool answered;		  /* the script has acknowledged something */
	uint16_t lport, rport;
	uint32_t local_live, local_script, remote_live, remote_script; /* ISNs */
	struct {
		uint32_t script, live;
	} ts[TS_MAX]; /* of our timestamps */
	unsigned nts;
};

struct blocked {
	pthread_t thread;
	int tid;
	bool busy, done;
	const struct event *event;
	char *wrong; /* what the call did not answer as it should; NULL */
	int64_t end_us;
};

struct runner {
	struct packetdrill_interface ifc;
	int64_t start_us, last_us;
	int fd[FDS_MAX]; /* of the script's descriptors */
	int under_test;	 /* the descriptor that %{ }% asks */
	struct talk talk;
	struct blocked blocked;
	FILE *settings;
	char error[1200];
};

int64_t run_now_us(struct runner *r);
/* Notes what is wrong and answers false. */
bool run_wrong(struct runner *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* wire.c */
bool wire_inject(struct runner *r, const struct segment *script);
/* What leaves next; its time is in *at_us, from the start. */
bool wire_expect(struct runner *r, const struct segment *script, int64_t *at_us);
/* Nothing may have left that no line has named. */
bool wire_at_end(struct runner *r);

/* call.c */
void call_connects(struct runner *r, const struct call *c);
/* NULL, or in a static buffer what should be otherwise. */
char *call_make(struct runner *r, const struct call *c);
/* "tcpi_x == n, ..." */
bool call_info(struct runner *r, const char *text);

#endif
