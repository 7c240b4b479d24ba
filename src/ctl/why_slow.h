/* SPDX-License-Identifier: MIT */
/* glass why --slow. */
#ifndef GLASS_CTL_WHY_SLOW_H
#define GLASS_CTL_WHY_SLOW_H

#include "story.h"

/* live: the story is of the running stack, which can be asked. An exit code. */
int why_slow(const struct story *s, const struct conn_story *c, bool live);

#endif
