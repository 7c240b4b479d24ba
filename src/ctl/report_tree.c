/* SPDX-License-Identifier: MIT */
/*
 * All walks of a connection's packets as one tree. Rooms, counted by the packets that came through;
 * or, where functions were recorded, these, counted by their calls or, when they were timed, by
 * nanoseconds.
 *
 * In: report_data.c.  Out: json.c.
 */
#include "report.h"

#define NODES_MAX 4096
#define DEPTH_MAX 256

struct node {
	const char *fixed; /* its name, or NULL: the word */
	uint16_t word;
	uint32_t parent, first, next; /* 0: none */
	uint64_t value;
};

struct tree {
	const struct story *story;
	struct node node[NODES_MAX];
	uint32_t nodes;
	uint32_t path[DEPTH_MAX]; /* from the root to where the walk is */
};

static uint32_t child(struct tree *t, uint32_t parent, const char *fixed, uint16_t word)
{
	uint32_t *link = &t->node[parent].first;

	while (*link && (t->node[*link].fixed != fixed || t->node[*link].word != word))
		link = &t->node[*link].next;
	if (*link || t->nodes == NODES_MAX)
		return *link;
	t->node[t->nodes] = (struct node){ .fixed = fixed, .word = word, .parent = parent };
	return *link = t->nodes++;
}

static bool has(const struct report *r, unsigned event)
{
	const struct story *s = r->story;

	for (uint32_t i = r->conn->first_step; i != NONE; i = s->step[i].next_of_conn)
		if (step_find(s, &s->step[i], event))
			return true;
	return false;
}

/* ---- rooms */

static const char *trunk_of(const struct story *s, const struct step *step)
{
	static const char in[] = "packets that come", out[] = "packets that go";
	const struct act *a = story_act(s, step->act);

	return a && a->received ? in : out;
}

static void add_rooms(struct tree *t, const struct step *step)
{
	const struct story *s = t->story;
	uint32_t at;

	if (!step_find(s, step, EV_ENTER))
		return;
	at = child(t, 0, trunk_of(s, step), 0);
	t->node[0].value++;
	t->node[at].value++;
	FOR_STEP(s, step, i)
	{
		if (s->rec[i].event != EV_ENTER || !at)
			continue;
		at = child(t, at, NULL, s->rec[i].room);
		t->node[at].value += at != 0;
	}
}

/* ---- functions */

static void add_functions(struct tree *t, const struct step *step, bool timed)
{
	const struct story *s = t->story;
	const struct glass_record *r;
	uint64_t depth, value;
	uint32_t at;

	FOR_STEP(s, step, i)
	{
		r = &s->rec[i];
		depth = r->v[0];
		if ((r->event != EV_FUNC && r->event != EV_FUNC_END) || depth + 1 >= DEPTH_MAX)
			continue;
		/* A call whose begin was overwritten has no place. */
		if (r->event == EV_FUNC)
			t->path[depth + 1] = child(t, t->path[depth], NULL, r->room);
		at = t->path[depth + 1];
		if (!at || t->node[at].word != r->room || timed != (r->event == EV_FUNC_END))
			continue;
		value = timed ? r->v[1] : 1;
		t->node[at].value += value;
		if (t->node[at].parent == 0)
			t->node[0].value += value;
	}
}

/* ---- */

static void tell(const struct tree *t, const char *unit)
{
	char name[128];

	json_begin_object("tree");
	json_string("unit", unit);
	json_begin_array("name");
	json_string(NULL, "all");
	for (uint32_t i = 1; i < t->nodes; i++) {
		word_text(t->story, t->node[i].word, name, sizeof(name));
		json_string(NULL, t->node[i].fixed ? t->node[i].fixed : name);
	}
	json_end();
	json_begin_array("parent");
	for (uint32_t i = 0; i < t->nodes; i++)
		json_unsigned(NULL, t->node[i].parent);
	json_end();
	json_begin_array("value");
	for (uint32_t i = 0; i < t->nodes; i++)
		json_unsigned(NULL, t->node[i].value);
	json_end();
	json_end();
}

void report_tree(const struct report *r)
{
	static struct tree t;
	const struct story *s = r->story;
	bool functions = has(r, EV_FUNC), timed = has(r, EV_FUNC_END);

	t = (struct tree){ .story = s, .nodes = 1 };
	for (uint32_t i = r->conn->first_step; i != NONE; i = s->step[i].next_of_conn) {
		if (functions)
			add_functions(&t, &s->step[i], timed);
		else
			add_rooms(&t, &s->step[i]);
	}
	tell(&t, timed ? "ns" : functions ? "calls" : "packets");
}
