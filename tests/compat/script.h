/* SPDX-License-Identifier: MIT */
/*
 * A script of socket calls that prints what each answered, to be compared line by line: one run on
 * the kernel's stack, one on Glass.
 *
 *	DO(call)	prints the call and its result, or its errno
 *	say(name, v)	a number, or a negative errno
 *	mask(name, fd)	what poll(2) shows
 */
#ifndef GLASS_TESTS_COMPAT_SCRIPT_H
#define GLASS_TESTS_COMPAT_SCRIPT_H

#include <errno.h>

extern const char *scene; /* each line begins with it */

void say(const char *name, long v);
void mask(const char *name, int fd);
void pause_ms(int ms);
/* Until poll(2) shows one of the events; 5 s at most. */
int wait_for(int fd, int events);
int option(int fd, int level, int name);
int set(int fd, int level, int name, int v);

#define DO(call)                                  \
	(__extension__({                          \
		long r_ = (call);                 \
		say(#call, r_ < 0 ? -errno : r_); \
		r_;                               \
	}))

#define SCENE(name) scene = #name, name()

#endif
