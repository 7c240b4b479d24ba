/* SPDX-License-Identifier: MIT */
/* What the two files of "glass ss" share. */
#ifndef GLASS_CTL_SS_H
#define GLASS_CTL_SS_H

#include <glass/glass.h>

/* -i: where the connection stands. What is zero says nothing, as in ss(8). */
void ss_info(const struct glass_conn_info *c);
/* -m */
void ss_memory(const struct glass_conn_info *c);
/* How long a timer has to run. */
const char *ss_timer(int64_t ns, char out[32]);
void ss_json(const struct glass_conn_info *c);

#endif
