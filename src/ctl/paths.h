/* SPDX-License-Identifier: MIT */
/* glass trace --paths. */
#ifndef GLASS_CTL_PATHS_H
#define GLASS_CTL_PATHS_H

#include "story.h"

/* Tells the packets whose steps are wanted, grouped by the rooms they walked through. */
int paths_tell(const struct print *p, bool (*wanted)(const struct story *s, const struct step *t));

#endif
