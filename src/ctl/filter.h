/* SPDX-License-Identifier: MIT */
/* The filter of "glass trace": pcap-filter(7)'s words over the recorder's values. */
#ifndef GLASS_CTL_FILTER_H
#define GLASS_CTL_FILTER_H

#include "expr.h"
#include "story.h"

/* 0, or EXIT_USAGE after a message. */
int filter_parse(const struct command *self, struct expr *out, int argc, char **argv);
/* Does it let this step pass? A call or a timer passes as the packets do that it could send. */
bool filter_step(const struct expr *e, const struct story *s, const struct step *t);

#endif
