/* SPDX-License-Identifier: MIT */
/* What `glass run` was told, and the program that it is to start: run.c, run_program.c,
 * run_daemon.c, run_private.c, run_around.c. */
#ifndef GLASS_PRELOAD_RUN_PROGRAM_H
#define GLASS_PRELOAD_RUN_PROGRAM_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "../abi/iface.h"
#include "../abi/path.h"

#define LIBRARY "libglass-preload.so"
#define CANNOT_RUN 126
#define NOT_FOUND 127
#define NO_DAEMON 3

/* How the program's calls are caught; both: what the library cannot reach, the supervisor does. */
enum mode { MODE_BOTH, MODE_PRELOAD, MODE_SECCOMP };

struct run {
	const char *stack, *dns;
	enum mode mode;
	const char *pcap, *trace; /* files */
	bool own_stack;		  /* started for this run: what follows is about it */
	const char *net;	  /* words; NULL: a good network */
	const char *dev;	  /* "tap", "tun" or "user" */
	bool rootless;
	bool keep_net, verbose, report;
	pid_t private_pid; /* its glassd */
	pid_t pcap_pid;	   /* its glass pcap */
	int pcap_said;	   /* what that says */
	char dir[ABI_PATH_MAX];
	char library[PATH_MAX];
	char program[PATH_MAX];
	char **argv;
	struct abi_iface iface[ABI_IFACES_MAX]; /* the stack's */
	int ifaces;
};

/* Says what is wrong, or what is done; answers status. */
int __attribute__((format(printf, 2, 3))) run_fail(int status, const char *format, ...);
/* A connection to the daemon of r->stack, at path; or -errno. */
int run_connect(const struct run *r, char path[ABI_PATH_MAX]);
/* A request with words, and a descriptor unless fd is NULL; its answer's text. 0 or -errno. */
int run_ask(int to, int op, const char *words, const int *fd, char *text, size_t room);
/* Is the stack there? Then what devices it has. 0 or an exit status. */
int run_check_daemon(struct run *r);
/* A stack for this run: r->stack. 0 or an exit status. */
int run_private(struct run *r);
/* What was asked for around the program begins; then this is its process. 0 or an exit status. */
int run_around(struct run *r);
/* As execvp(3) searches. 0 or an exit status. */
int run_find_program(const char *name, char out[PATH_MAX]);
/* Can the library, or the supervisor, get into r->program? 0 or an exit status after a message. */
int run_check_program(const struct run *r);

#endif
