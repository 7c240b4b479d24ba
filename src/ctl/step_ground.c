/* SPDX-License-Identifier: MIT */
/*
 * What "glass step" steps over: the running stack, which the daemon holds for us as long as we are
 * there, or a scene of the simulator in our own process.
 *
 * In: cmd_step.c.	Out: the control socket (STEP), src/sim/scene.c.
 */
#include "step.h"

#include "../sim/scene.h"
#include "ss.h"

#define PATIENCE_NS (100 * NS_PER_MS) /* of one request, so that Ctrl-C is heard */

/* ---- the running stack ---- */

static int ask(struct ground *gr, enum abi_step_do what, int64_t within_ns)
{
	struct abi_request req = { .arg = { what, within_ns } };
	static struct reply rep;
	int err = client_call(ABI_STEP, &req, NULL, -1, &rep);

	if (err)
		return client_failed("step", err, &rep);
	gr->now_ns = rep.head.value[0];
	return 0;
}

static enum going lab_event(struct ground *gr, int64_t within_ns)
{
	int err = ask(gr, ABI_STEP_ONE, within_ns < PATIENCE_NS ? within_ns : PATIENCE_NS);

	return err ? GOING_FAILED : GOING_ON;
}

static int lab_run(struct ground *gr, bool free)
{
	return ask(gr, free ? ABI_STEP_RUN : ABI_STEP_FREEZE, 0);
}

static int lab_conns(struct ground *gr, void (*each)(const struct glass_conn_info *c, void *arg),
		     void *arg)
{
	struct table t;
	int err = ss_table(&t);

	(void)gr;
	if (err)
		return err;
	for (uint64_t i = 0; i < t.count; i++)
		each(TABLE_ROW(&t, struct glass_conn_info, i), arg);
	table_free(&t);
	return 0;
}

static void lab_close(struct ground *gr)
{
	story_close(&gr->story);
	client_close(); /* which lets the stack run */
}

int ground_lab(struct ground *gr)
{
	int err;

	*gr = (struct ground){
		.event = lab_event, .run = lab_run, .conns = lab_conns, .close = lab_close
	};
	err = story_open(&gr->story, NULL);
	return err ? err : lab_run(gr, false);
}

/* ---- a scene ---- */

static enum going scene_goes(struct ground *gr, int64_t within_ns)
{
	bool more = scene_event(gr->scene, within_ns);

	gr->now_ns = scene_now(gr->scene);
	return more ? GOING_ON : GOING_NOWHERE;
}

/* It has no time of its own: nothing passes while nobody steps. */
static int scene_run(struct ground *gr, bool free)
{
	(void)gr;
	(void)free;
	return 0;
}

static int scene_conns(struct ground *gr, void (*each)(const struct glass_conn_info *c, void *arg),
		       void *arg)
{
	struct glass *g = scene_stack(gr->scene, gr->side);
	struct glass_conn_info info;
	uint64_t cursor = 0;

	while (glass_conn_next(g, &cursor, &info))
		each(&info, arg);
	return 0;
}

static void scene_close(struct ground *gr)
{
	story_close(&gr->story);
	scene_free(gr->scene);
}

int ground_scene(struct ground *gr, const char *name, uint64_t seed, unsigned side)
{
	const void *ring;
	size_t bytes;

	*gr = (struct ground){ .event = scene_goes,
			       .run = scene_run,
			       .conns = scene_conns,
			       .close = scene_close,
			       .side = side };
	gr->scene = scene_new(name, seed);
	if (!gr->scene)
		return failed("out of memory");
	ring = scene_ring(gr->scene, side, &bytes);
	return story_over(&gr->story, ring, bytes, "scene");
}
