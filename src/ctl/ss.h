/* SPDX-License-Identifier: MIT */
/* What the files of "glass ss" share. */
#ifndef GLASS_CTL_SS_H
#define GLASS_CTL_SS_H

#include <glass/glass.h>

#include "ctl.h"

/* ss_filter.c. 0, or EXIT_USAGE after a message. */
int ss_filter_parse(const struct command *self, int argc, char **argv);
/* It names states: then the options -a and -l do not matter. */
bool ss_filter_has_states(void);
bool ss_filter_holds(const struct glass_conn_info *c);
/* The table of sockets and connections: rows are struct glass_conn_info. An exit code. */
int ss_table(struct table *t);

/* -i: where the connection stands. What is zero says nothing, as in ss(8). */
void ss_info(const struct glass_conn_info *c);
/* The word of limit.def. */
const char *ss_limit_name(unsigned i);
/* -m */
void ss_memory(const struct glass_conn_info *c);
/* How long a timer has to run. */
const char *ss_timer(int64_t ns, char out[32]);
void ss_json(const struct glass_conn_info *c);

#endif
