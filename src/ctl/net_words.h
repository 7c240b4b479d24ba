/* SPDX-License-Identifier: MIT */
/* The words of "glass net" on their way to the daemon: see net_words.c. */
#ifndef GLASS_CTL_NET_WORDS_H
#define GLASS_CTL_NET_WORDS_H

#include "ctl.h"

#define NET_WORDS_BYTES 4096

struct net_words {
	char text[NET_WORDS_BYTES];
	int fd; /* what comes along; -1: nothing */
	unsigned nfilters, ntraces;
};
/* 0 or an exit code after a message. */
int net_words_make(const struct command *self, int argc, char **argv, struct net_words *out);
void net_words_free(struct net_words *w);

#endif
