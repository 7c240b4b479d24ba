/* SPDX-License-Identifier: MIT */
/* What the stack's birth needs of config.c; the rest of config.c is public: glass.h. */
#ifndef GLASS_STACK_CONFIG_H
#define GLASS_STACK_CONFIG_H

#include "stack.h"

/* Every tunable at its initial value. */
void tunables_init(struct glass *g);
/* Device 0, "lo", with 127.0.0.1/8. */
void dev_add_loopback(struct glass *g);

#endif
