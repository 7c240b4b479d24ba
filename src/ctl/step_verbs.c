/* SPDX-License-Identifier: MIT */
/*
 * The commands of glass step.
 *
 * In: cmd_step.c.	Out: step_go.c, step_ground.c, ss_info.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "filter.h"
#include "ss.h"
#include "step.h"

#define WORDS_MAX 64
#define LONG_NS (INT64_C(1000000) * NS_PER_S)

/* ---- the commands ---- */

static bool count_of(int argc, char **argv, int64_t *n)
{
	*n = 1;
	if (argc > 2 || (argc == 2 && (!parse_number(argv[1], n) || *n < 1)))
		return failed("%s takes a number: how many", argv[0]), false;
	return true;
}

static bool do_next(int argc, char **argv)
{
	static const struct expr any;
	int64_t n;

	if (!count_of(argc, argv, &n))
		return false;
	while (n-- > 0)
		if (!step_go_until(&any, stepping.within_ns))
			return false;
	return true;
}

static bool do_packet(int argc, char **argv)
{
	char *words[] = { (char[]){ "ip" }, (char[]){ "or" }, (char[]){ "arp" } };
	struct expr packet;
	int64_t n;

	if (!count_of(argc, argv, &n) || filter_parse(stepping.self, &packet, 3, words))
		return false;
	while (n-- > 0)
		if (!step_go_until(&packet, stepping.within_ns))
			return false;
	return true;
}

static bool do_until(int argc, char **argv)
{
	struct expr e;

	if (argc < 2)
		return failed("until what? As in: until rtx or drop"), false;
	return !filter_parse(stepping.self, &e, argc - 1, argv + 1) &&
	       step_go_until(&e, stepping.within_ns);
}

static void list_breaks(void)
{
	bool any = false;

	for (unsigned i = 0; i < BREAKS_MAX; i++) {
		if (stepping.breaks[i].set)
			printf("breakpoint %u: %s\n", i + 1, stepping.breaks[i].text);
		any = any || stepping.breaks[i].set;
	}
	if (!any)
		printf("no breakpoint is set. As in: break rtx or drop\n");
}

static bool do_break(int argc, char **argv)
{
	struct breakpoint *b = NULL;
	size_t n = 0;

	for (unsigned i = 0; i < BREAKS_MAX && !b; i++)
		b = stepping.breaks[i].set ? NULL : &stepping.breaks[i];
	if (argc < 2) {
		list_breaks();
		return true;
	}
	if (!b)
		return failed("no more than %d breakpoints. Type: delete N", BREAKS_MAX), false;
	if (filter_parse(stepping.self, &b->expr, argc - 1, argv + 1))
		return false;
	b->set = true;
	for (int i = 1; i < argc && n < sizeof(b->text); i++)
		n += (size_t)snprintf(b->text + n, sizeof(b->text) - n, "%s%s", i > 1 ? " " : "",
				      argv[i]);
	if (!ctl.json)
		printf("breakpoint %u: %s\n", (unsigned)(b - stepping.breaks) + 1, b->text);
	return true;
}

static bool do_delete(int argc, char **argv)
{
	int64_t n = 0;

	if (argc > 2 || (argc == 2 && (!parse_number(argv[1], &n) || n < 1 || n > BREAKS_MAX ||
				       !stepping.breaks[n - 1].set)))
		return failed("there is no such breakpoint. Type: break"), false;
	for (unsigned i = 0; i < BREAKS_MAX; i++)
		stepping.breaks[i].set = stepping.breaks[i].set && n && i + 1 != n;
	return true;
}

/* The breakpoint that the step meets; 0: none. */
static unsigned break_at(const struct step *t)
{
	for (unsigned i = 0; i < BREAKS_MAX; i++)
		if (stepping.breaks[i].set &&
		    filter_step(&stepping.breaks[i].expr, &stepping.ground.story, t))
			return i + 1;
	return 0;
}

static bool any_break(void)
{
	for (unsigned i = 0; i < BREAKS_MAX; i++)
		if (stepping.breaks[i].set)
			return true;
	return false;
}

/* Event by event, since somebody has to look. */
static bool continue_to_break(int64_t within_ns)
{
	int64_t until_ns = step_until_of(within_ns);
	const struct step *t;
	enum outcome o;
	unsigned n;

	while ((o = step_go_on(until_ns, &t)) == STEPPED) {
		n = break_at(t);
		if (!n) {
			stepping.skipped++;
			continue;
		}
		if (!ctl.json)
			printf("%sbreakpoint %u: %s%s\n", color(C_YELLOW), n,
			       stepping.breaks[n - 1].text, color(C_NONE));
		step_tell(t);
		return true;
	}
	step_tell_outcome(o == LATE ? STOPPED : o);
	return o == LATE || o == STOPPED || o == AT_END;
}

/* At its own pace, until Ctrl-C or for that long. */
static bool run_freely(int64_t within_ns)
{
	int64_t ns = within_ns > 0 ? within_ns : LONG_NS;
	struct timespec t = { ns / NS_PER_S, ns % NS_PER_S };
	struct story *s = &stepping.ground.story;

	if (stepping.ground.run(&stepping.ground, true))
		return false;
	while (!stepping_interrupted && nanosleep(&t, &t) && errno == EINTR)
		;
	if (stepping.ground.run(&stepping.ground, false))
		return false;
	stepping.skipped += s->nstep - stepping.untold;
	story_forget(s);
	story_read(s);
	stepping.skipped += s->nstep;
	stepping.untold = s->nstep;
	step_tell_outcome(STOPPED);
	return true;
}

static bool do_continue(int argc, char **argv)
{
	int64_t ns = 0;

	if (argc > 2 || (argc == 2 && (!parse_seconds(argv[1], &ns) || ns <= 0)))
		return failed("continue takes a time, as in: continue 500ms"), false;
	if (any_break() || stepping.ground.scene)
		return continue_to_break(ns);
	return run_freely(ns);
}

struct printing {
	int64_t conn; /* -1: all of TCP */
	unsigned found;
};

static void print_conn(const struct glass_conn_info *c, void *arg)
{
	struct printing *p = arg;
	char local[80], remote[80];

	if (!c->state || (p->conn >= 0 ? c->conn != p->conn : c->proto != GLASS_TCP))
		return;
	p->found++;
	if (ctl.json) {
		json_begin_object(NULL);
		json_unsigned("conn", c->conn);
		json_string("state", c->state);
		json_string("local", end_text(&c->local, local));
		json_string("peer", end_text(&c->remote, remote));
		ss_json(c);
		json_end();
		return;
	}
	printf("c%-4u %s%s%s %s > %s recv-q:%" PRIu64 " send-q:%" PRIu64 "\n", c->conn,
	       color(C_BOLD), c->state, color(C_NONE), end_text(&c->local, local),
	       end_text(&c->remote, remote), c->recv_q, c->send_q);
	if (c->proto != GLASS_TCP || !strcmp(c->state, "LISTEN"))
		return;
	printf("     ");
	ss_info(c);
	putchar('\n');
}

static bool do_print(int argc, char **argv)
{
	struct printing p = { .conn = -1 };
	int err;

	if (argc > 2 || (argc == 2 && (!parse_number(argv[1], &p.conn) || p.conn < 1)))
		return failed("print takes the number of a connection"), false;
	if (ctl.json) {
		json_begin_object(NULL);
		json_number("time_ns",
			    between(stepping.ground.story.reader.start_ns, stepping.ground.now_ns));
		json_begin_array("connections");
	}
	err = stepping.ground.conns(&stepping.ground, print_conn, &p);
	if (ctl.json) {
		json_end();
		json_end();
	} else if (!err && !p.found) {
		printf("there is no %sconnection\n", p.conn >= 0 ? "such " : "");
	}
	return !err;
}

static bool do_save(int argc, char **argv)
{
	if (argc != 2)
		return failed("save takes a file's name, for glass trace --ring"), false;
	return !story_save(&stepping.ground.story, argv[1]);
}

static bool do_quit(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	stepping.quit = true;
	return true;
}

static bool do_help(int argc, char **argv);

static const struct {
	const char *name, *args, *help;
	bool (*run)(int argc, char **argv);
} verbs[] = {
	{ "next", "[N]", "the next step, or N of them", do_next },
	{ "packet", "[N]", "the next step of a packet", do_packet },
	{ "until", "FILTER", "on to the step that the filter lets pass, as glass trace has them",
	  do_until },
	{ "break", "[FILTER]", "continue is to stop there; alone: which are set", do_break },
	{ "delete", "[N]", "that breakpoint, or all", do_delete },
	{ "continue", "[TIME]", "on to a breakpoint, or until Ctrl-C, or for that long",
	  do_continue },
	{ "print", "[CONN]", "connections, in the words of ss -ti", do_print },
	{ "save", "FILE", "the recorder, for glass trace --ring", do_save },
	{ "help", "", "this list", do_help },
	{ "quit", "", "end; the stack runs on", do_quit },
};

static bool do_help(int argc, char **argv)
{
	char head[40];

	(void)argc;
	(void)argv;
	for (unsigned i = 0; i < COUNT(verbs); i++) {
		snprintf(head, sizeof(head), "%s %s", verbs[i].name, verbs[i].args);
		printf("  %-18s %s\n", head, verbs[i].help);
	}
	printf("Words may be shortened. An empty line does the last command again.\n");
	return true;
}

const char *step_verb(unsigned i)
{
	return i < COUNT(verbs) ? verbs[i].name : NULL;
}

bool step_obey(const char *line)
{
	static char words[1024];
	char *argv[WORDS_MAX], *save = NULL;
	const char *meant;
	int argc = 0;

	snprintf(words, sizeof(words), "%s", line);
	for (char *w = strtok_r(words, " \t\r\n", &save); w && argc < WORDS_MAX;
	     w = strtok_r(NULL, " \t\r\n", &save))
		argv[argc++] = w;
	if (!argc || argv[0][0] == '#')
		return true;
	stepping_interrupted = 0;
	for (unsigned i = 0; i < COUNT(verbs); i++)
		if (!strncmp(verbs[i].name, argv[0], strlen(argv[0])))
			return verbs[i].run(argc, argv);
	meant = nearest(argv[0], step_verb);
	failed("there is no command '%s'%s%s; type: help", argv[0], meant ? ", did you mean " : "",
	       meant ? meant : "");
	return false;
}
