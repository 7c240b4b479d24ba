/* SPDX-License-Identifier: MIT */
/*
 * glass step: the stack stands still and goes on step by step. The commands are few, as a
 * debugger's; they come from a prompt, from a script on stdin, or from -e.
 *
 * A step is what glass trace tells as one: what a packet, a timer or a call did at one moment. When
 * one event made several, they are told one after the other before the next event is let happen.
 *
 * In: main.c.	Out: step_verbs.c (the commands), step_ground.c (what is stepped over), line.c.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "step.h"

#include "../sim/scene.h"

static struct {
	bool verbose, peer;
	int64_t seed;
	const char *scene, *execute;
} want = { .seed = -1 };

static const struct opt options[] = {
	{ 'e', "execute", OPT_STRING, "COMMANDS", "do these, separated by ';', and end",
	  &want.execute },
	{ 0, "scene", OPT_STRING, "NAME", "a simulated scene instead of the running stack",
	  &want.scene },
	{ 0, "seed", OPT_NUMBER, "N", "a simulated upload over a network made from this number",
	  &want.seed },
	{ 0, "peer", OPT_FLAG, NULL, "of a scene: look at the server's stack, not the client's",
	  &want.peer },
	{ 0, "within", OPT_SECONDS, "TIME",
	  "a command fails when the stack's time has gone on by so much without what it waits for",
	  &stepping.within_ns },
	{ 'v', "verbose", OPT_FLAG, NULL, "every decision, also the ones that can be guessed",
	  &want.verbose },
};

static void interrupt(int sig)
{
	(void)sig;
	stepping_interrupted = 1;
}

/* ---- where commands come from ---- */

/* Several with ';' between. */
static bool obey_all(const char *line)
{
	static char all[4096];
	char *save = NULL;

	snprintf(all, sizeof(all), "%s", line);
	for (char *one = strtok_r(all, ";", &save); one && !stepping.quit;
	     one = strtok_r(NULL, ";", &save))
		if (!step_obey(one))
			return false;
	return true;
}

/* A script ends at the first command that fails; whoever types may try again. */
static int read_commands(void)
{
	bool typing = isatty(STDIN_FILENO), break_off = false;
	char prompt[64], last[1024] = "";
	const char *line;

	while (!stepping.quit) {
		snprintf(prompt, sizeof(prompt), "glass %.6f> ", stepping_seconds());
		line = line_read(prompt, step_verb, &break_off);
		if (!line)
			break;
		if (!*line && typing && !break_off)
			line = last;
		else if (*line)
			snprintf(last, sizeof(last), "%s", line);
		if (!obey_all(line) && !typing)
			return EXIT_FAILED;
		fflush(stdout);
	}
	return EXIT_OK;
}

/* ---- */

static int open_ground(void)
{
	if (want.scene || want.seed >= 0)
		return ground_scene(&stepping.ground, want.scene,
				    want.seed < 0 ? 1 : (uint64_t)want.seed, want.peer);
	return ground_lab(&stepping.ground);
}

static void greet(void)
{
	char words[256];

	if (!isatty(STDIN_FILENO) || want.execute || ctl.json)
		return;
	if (stepping.ground.scene) {
		scene_words(stepping.ground.scene, words, sizeof(words));
		printf("%s.\n", words);
	} else {
		printf("stack %s stands still. ", ctl.stack);
	}
	printf("help tells the commands; quit ends%s.\n",
	       stepping.ground.scene ? "" : " and lets it run on");
}

static void prepare(void)
{
	const struct sigaction on_interrupt = { .sa_handler = interrupt };
	struct story *s = &stepping.ground.story;

	sigaction(SIGINT, &on_interrupt, NULL);
	/* What was there before is read, so that causes have names, but not told. */
	story_read(s);
	stepping.untold = s->nstep;
	stepping.print = (struct print){ .story = s,
					 .zero_ns = s->reader.start_ns,
					 .verbose = want.verbose,
					 .with_conn = true,
					 .width = screen_width() };
	if (stepping.ground.scene)
		stepping.ground.now_ns = scene_now(stepping.ground.scene);
}

static bool known_scene(const char *name)
{
	for (unsigned i = 0; scene_name(i); i++)
		if (!strcmp(scene_name(i), name))
			return true;
	return false;
}

static int unknown_scene(const struct command *self)
{
	const char *meant = nearest(want.scene, scene_name);

	if (meant)
		return usage(self, "there is no scene '%s', did you mean %s?", want.scene, meant);
	for (unsigned i = 0; scene_name(i); i++)
		fprintf(stderr, "  %-10s %s\n", scene_name(i), scene_about(i));
	return usage(self, "there is no scene '%s'; there are those above", want.scene);
}

int cmd_step(const struct command *self, int argc, char **argv)
{
	int n = opt_parse(self, options, COUNT(options), argc, argv), code;

	if (n < 0)
		return EXIT_USAGE;
	if (n)
		return usage(self, "commands come from stdin, or with -e");
	if (want.scene && !known_scene(want.scene))
		return unknown_scene(self);
	if (want.peer && !want.scene && want.seed < 0)
		return usage(self, "--peer looks at the other stack of a scene");
	stepping.self = self;
	code = open_ground();
	if (code)
		return code;
	prepare();
	greet();
	if (want.execute)
		code = obey_all(want.execute) ? EXIT_OK : EXIT_FAILED;
	else
		code = read_commands();
	fflush(stdout);
	stepping.ground.close(&stepping.ground);
	return code;
}
