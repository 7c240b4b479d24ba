/* SPDX-License-Identifier: MIT */
/*
 * One glassd goes on where another one stops (docs/adr/0021-takeover.md): shared by
 *
 *	takeover.c		who asks whom, and in which order
 *	takeover_fds.c		descriptors and state from one process to the other
 *	takeover_state.c	what the daemon knows: devices, clients, a bad network
 *	takeover_programs.c	programs' ends
 */
#ifndef GLASS_DAEMON_TAKEOVER_H
#define GLASS_DAEMON_TAKEOVER_H

#include "../base/save.h"
#include "daemon.h"

/* The old one's flight recorder. */
struct recorder {
	int fd; /* -1: none */
	uint64_t layout, records;
	bool functions_named;
};

/* The daemon's records, and the descriptors that go along: in the order of their numbers. */
struct handover {
	struct save *s;
	int *fd; /* writing: only borrowed; reading: ours until they are taken (then -1) */
	unsigned nfds, cap;
	struct recorder recorder;
};

/* A descriptor, as a field: its number, from 1; 0: none (-1). Reading takes it. */
void handover_fd(struct handover *h, const char *name, int *fd);

/* ---- takeover_fds.c */
/* What is handed over, in shared memory: the stack's state, then the daemon's. */
struct package {
	int memfd;
	uint64_t stack_bytes, daemon_bytes;
	const uint8_t *bytes; /* mapped; NULL: not */
};
/* 0 or -errno, also -ETIMEDOUT. Sends package and descriptors; receives both. */
int package_send(int to, const struct package *p, const int *fd, unsigned nfds);
int package_receive(int from, struct package *p, int **fd, unsigned *nfds);
void package_free(struct package *p);
/* A word between the two; 0 or -errno (-EPIPE: the other one is gone). */
int word_send(int to, char word);
int word_receive(int from, char *word);

/* ---- takeover_state.c */
/* Writes, or makes what it reads; faults are the save's. */
void daemon_keep(struct handover *h, struct daemon *d);
/* ---- takeover_programs.c */
/* Clients that go along, from 1; 0: nobody. NULL: there is none of that number. */
uint32_t number_of_client(const struct daemon *d, const struct client *who);
struct client *client_of_number(struct daemon *d, uint32_t n);
void programs_keep(struct handover *h, struct daemon *d);
/* The old one is gone: what waited in it for room, and had no watch, is tried again. */
void programs_go_on(struct daemon *d);

#endif
