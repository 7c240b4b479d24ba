/* SPDX-License-Identifier: MIT */
/*
 * The stack goes on until a step that is to be told, and that is told: the engine of glass step.
 *
 * In: step_verbs.c.	Out: step_ground.c (one event), filter.c, story_print.c.
 */
#include "filter.h"
#include "step.h"

struct stepping stepping;
volatile sig_atomic_t stepping_interrupted;

static const char *const outcome_text[] = {
	[AT_END] = "nothing happens any more",
	[LATE] = "that did not happen in time",
	[STOPPED] = "stopped",
};

double stepping_seconds(void)
{
	return (double)between(stepping.ground.story.reader.start_ns, stepping.ground.now_ns) / 1e9;
}

void step_tell_outcome(enum outcome o)
{
	if (o == BROKEN) /* told already */
		return;
	if (!ctl.json) {
		printf("%11.6f  %s%s%s\n", stepping_seconds(), color(C_YELLOW), outcome_text[o],
		       color(C_NONE));
		return;
	}
	json_begin_object(NULL);
	json_number("time_ns",
		    between(stepping.ground.story.reader.start_ns, stepping.ground.now_ns));
	json_string("outcome", outcome_text[o]);
	json_end();
}

enum outcome step_go_on(int64_t until_ns, const struct step **out)
{
	struct story *s = &stepping.ground.story;
	char title[TEXT_BYTES + 16];
	int64_t left_ns;

	for (;;) {
		while (stepping.untold < s->nstep) {
			*out = &s->step[stepping.untold++];
			if (step_tells(&stepping.print, *out, title, sizeof(title)))
				return STEPPED;
		}
		if (stepping_interrupted)
			return STOPPED;
		if (stepping.ground.now_ns >= until_ns)
			return LATE;
		left_ns = until_ns == FOREVER ? FOREVER : until_ns - stepping.ground.now_ns;
		switch (stepping.ground.event(&stepping.ground, left_ns)) {
		case GOING_ON:
			break;
		case GOING_NOWHERE:
			return AT_END;
		case GOING_FAILED:
			return BROKEN;
		}
		stepping.untold = 0;
		story_forget(s);
		story_read(s);
	}
}

int64_t step_until_of(int64_t within_ns)
{
	return within_ns > 0 && within_ns < FOREVER - stepping.ground.now_ns
		       ? stepping.ground.now_ns + within_ns
		       : FOREVER;
}

static void step_json(const struct step *t)
{
	const struct story *s = &stepping.ground.story;
	char title[TEXT_BYTES + 16] = "", cause[160] = "", text[4096];

	step_tells(&stepping.print, t, title, sizeof(title));
	if (t->cause)
		act_label(&stepping.print, t->cause, cause, sizeof(cause));
	json_begin_object(NULL);
	json_number("time_ns", between(s->reader.start_ns, t->begin_ns));
	json_unsigned("act", t->act);
	json_unsigned("conn", t->conn);
	json_string("what", title);
	json_string("because", cause);
	json_unsigned("skipped", stepping.skipped);
	json_begin_array("records");
	FOR_STEP(s, t, r)
	{
		glass_record_json(&s->reader, &s->rec[r], text, sizeof(text));
		json_raw(NULL, text);
	}
	json_end();
	json_end();
}

void step_tell(const struct step *t)
{
	if (ctl.json)
		step_json(t);
	else {
		if (stepping.skipped)
			printf("%13s%s... %u step%s%s\n", "", color(C_DIM), stepping.skipped,
			       stepping.skipped == 1 ? "" : "s", color(C_NONE));
		print_step(&stepping.print, t);
	}
	stepping.skipped = 0;
}

bool step_go_until(const struct expr *e, int64_t within_ns)
{
	int64_t until_ns = step_until_of(within_ns);
	const struct step *t;
	enum outcome o;

	while ((o = step_go_on(until_ns, &t)) == STEPPED) {
		if (filter_step(e, &stepping.ground.story, t)) {
			step_tell(t);
			return true;
		}
		stepping.skipped++;
	}
	step_tell_outcome(o);
	return false;
}
