/* SPDX-License-Identifier: MIT */
/* What the files of "glass step" share: the ground that is stepped over, and the prompt. */
#ifndef GLASS_CTL_STEP_H
#define GLASS_CTL_STEP_H

#include "expr.h"
#include "story.h"

enum going { GOING_ON, GOING_NOWHERE, GOING_FAILED };

/* A stack that goes on one event at a time: the running one, or one of a simulated scene. */
struct ground {
	/*
	 * One event, or none when the stack's time has gone on by within_ns (it may answer sooner).
	 * GOING_NOWHERE: there will be none. GOING_FAILED: after a message.
	 */
	enum going (*event)(struct ground *gr, int64_t within_ns);
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

/* ---- step_go.c ---- */

#define BREAKS_MAX 8
#define FOREVER GLASS_NEVER

struct breakpoint {
	struct expr expr;
	char text[256];
	bool set;
};

/* The one session of this process. */
struct stepping {
	const struct command *self;
	struct ground ground;
	struct print print;
	int64_t within_ns; /* a command waits no longer; 0: for ever */
	uint32_t untold;   /* steps of the last event from here on */
	uint32_t skipped;  /* steps not told since the last that was */
	struct breakpoint breaks[BREAKS_MAX];
	bool quit;
};
extern struct stepping stepping;
extern volatile sig_atomic_t stepping_interrupted; /* Ctrl-C */

enum outcome { STEPPED, AT_END, LATE, STOPPED, BROKEN };
/* The next step that tells anything. Time goes on no further than that. */
enum outcome step_go_on(int64_t until_ns, const struct step **out);
/* Goes on until e holds for a step, which is told. */
bool step_go_until(const struct expr *e, int64_t within_ns);
int64_t step_until_of(int64_t within_ns);
void step_tell(const struct step *t);
void step_tell_outcome(enum outcome o);
double stepping_seconds(void); /* the stack's time */

/* ---- step_verbs.c ---- */

/* One command. false: it failed. */
bool step_obey(const char *line);
const char *step_verb(unsigned i); /* NULL past the end */

/* line.c: a line with editing and history on a terminal, as it is without one. NULL: no more. The
 * result lives until the next call. interrupted: Ctrl-C, then the line is empty. */
const char *line_read(const char *prompt, const char *(*word)(unsigned i), bool *interrupted);

#endif
