/* SPDX-License-Identifier: MIT */
/* What glass why tells of a connection, for whoever else wants it. */
#ifndef GLASS_CTL_WHY_H
#define GLASS_CTL_WHY_H

#include "story.h"

/* The object that "glass why -j" prints, as a member of another. */
void why_json(const char *key, const struct story *s, const struct conn_story *c);

/* ---- why_slow.c: glass why --slow ---- */

/* live: the story is of the running stack, which can be asked. An exit code. */
int why_slow(const struct story *s, const struct conn_story *c, bool live);
/* The object of "glass why --slow -j". */
int why_slow_json(const char *key, const struct story *s, const struct conn_story *c, bool live);

#endif
