/* SPDX-License-Identifier: MIT */
/* What `glass run` was told, and the program that it is to start: run.c, run_program.c. */
#ifndef GLASS_PRELOAD_RUN_PROGRAM_H
#define GLASS_PRELOAD_RUN_PROGRAM_H

#include <limits.h>
#include <stdbool.h>

#include "../abi/iface.h"
#include "../abi/path.h"

#define LIBRARY "libglass-preload.so"
#define CANNOT_RUN 126
#define NOT_FOUND 127

/* How the program's calls are caught; both: what the library cannot reach, the supervisor does. */
enum mode { MODE_BOTH, MODE_PRELOAD, MODE_SECCOMP };

struct run {
	const char *stack, *dns;
	enum mode mode;
	bool keep_net, verbose;
	char dir[ABI_PATH_MAX];
	char library[PATH_MAX];
	char program[PATH_MAX];
	char **argv;
	struct abi_iface iface[ABI_IFACES_MAX]; /* the stack's */
	int ifaces;
};

/* Says what is wrong, or what is done; answers status. */
int __attribute__((format(printf, 2, 3))) run_fail(int status, const char *format, ...);
/* As execvp(3) searches. 0 or an exit status. */
int run_find_program(const char *name, char out[PATH_MAX]);
/* Can the library, or the supervisor, get into r->program? 0 or an exit status after a message. */
int run_check_program(const struct run *r);

#endif
