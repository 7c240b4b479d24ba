/* SPDX-License-Identifier: MIT */
/* What the files of "glass step" share: the ground that is stepped over, and the prompt. */
#ifndef GLASS_CTL_STEP_H
#define GLASS_CTL_STEP_H

#include "story.h"

enum going { GOING_ON, GOING_NOWHERE, GOING_FAILED };

/* A stack that goes on one event at a time: the running one, or one of a simulated scene. */
struct ground {
	/*
	 * One event, or none when the stack's time has gone on by within_ns (it may answer sooner).
	 * GOING_NOWHERE: there will be none. GOING_FAILED: after a message.
	 */
	enum going (*event)(struct ground *gr, int64_t within_ns, bool *happened);
	/* Lets it run by itself, or (false) holds it again. 0 or an exit code after a message. */
	int (*run)(struct ground *gr, bool free);
	/* Calls each() for every connection. 0 or an exit code after a message. */
	int (*conns)(struct ground *gr, void (*each)(const struct glass_conn_info *c, void *arg),
		     void *arg);
	void (*close)(struct ground *gr);
	int64_t now_ns; /* of the stack, after what was called last */
	struct story story;
	struct scene *scene;
	unsigned side;
};

/* step_ground.c. 0 or an exit code after a message. */
int ground_lab(struct ground *gr);
/* name NULL: of the seed. */
int ground_scene(struct ground *gr, const char *name, uint64_t seed, unsigned side);

/* line.c: a line with editing and history on a terminal, as it is without one. NULL: no more. The
 * result lives until the next call. interrupted: Ctrl-C, then the line is empty. */
const char *line_read(const char *prompt, const char *(*word)(unsigned i), bool *interrupted);

#endif
