/* SPDX-License-Identifier: MIT */
/*
 * glass trace --paths: packets grouped by identical walks. A walk is the list of the rooms that a
 * packet entered, between the devices, and how it ended: by a reason, or well.
 *
 * In: cmd_trace.c.  Out: story_words.c.
 */
#include "paths.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define STOPS_MAX 64 /* a walk that is longer ends with an ellipsis */

enum { STOP_ROOM = 1u << 16, STOP_DEV = 2u << 16, STOP_DROP = 3u << 16, STOP_MORE = 4u << 16 };

struct walk {
	uint32_t act;
	uint32_t n;
	uint32_t stop[STOPS_MAX];
};

struct group {
	uint32_t walk; /* the first of its kind */
	uint64_t count;
};

struct paths {
	struct walk *walk;
	struct group *group;
	uint32_t nwalk, ngroup;
};

static void add_stop(struct walk *w, uint32_t stop)
{
	if (w->n < STOPS_MAX - 1)
		w->stop[w->n++] = stop;
	else if (w->n == STOPS_MAX - 1)
		w->stop[w->n++] = STOP_MORE;
}

static void walk_record(struct walk *w, const struct glass_record *r)
{
	switch (r->event) {
	case EV_ENTER:
		add_stop(w, STOP_ROOM | r->room);
		break;
	case EV_RX:
	case EV_TX:
		add_stop(w, STOP_DEV | (uint16_t)r->v[0]);
		break;
	case EV_DROP:
		add_stop(w, STOP_DROP | (uint16_t)r->v[0]);
		break;
	default:
		break;
	}
}

/* All steps of a packet are one walk: it may have waited for a neighbour in between. */
static bool walks_make(struct paths *g, const struct story *s,
		       bool (*wanted)(const struct story *s, const struct step *t))
{
	struct map number = { 0 };
	const struct step *t;
	uint32_t i;

	g->walk = calloc((size_t)s->nact + 1, sizeof(*g->walk));
	g->group = calloc((size_t)s->nact + 1, sizeof(*g->group));
	if (!g->walk || !g->group)
		return false;
	for (t = s->step; t < s->step + s->nstep; t++) {
		if (!t->act || !wanted(s, t))
			continue;
		i = map_get(&number, t->act);
		if (!i)
			map_set(&number, t->act, i = ++g->nwalk);
		g->walk[i - 1].act = t->act;
		FOR_STEP(s, t, r)
		walk_record(&g->walk[i - 1], &s->rec[r]);
	}
	map_free(&number);
	return true;
}

static int compare_walks(const void *a, const void *b)
{
	const struct walk *x = a, *y = b;
	int order = memcmp(x->stop, y->stop, sizeof(x->stop));

	return order ? order : x->act < y->act ? -1 : x->act > y->act;
}

static int compare_groups(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	return x->count > y->count   ? -1
	       : x->count < y->count ? 1
	       : x->walk < y->walk   ? -1
				     : x->walk > y->walk;
}

/* Acts without a walk (calls, timers) are no packets. Answers the number of packets. */
static uint64_t groups_make(struct paths *g)
{
	uint64_t packets = 0;

	qsort(g->walk, g->nwalk, sizeof(*g->walk), compare_walks);
	for (uint32_t i = 0; i < g->nwalk; i++) {
		if (!g->walk[i].n)
			continue;
		if (!g->ngroup || memcmp(g->walk[g->group[g->ngroup - 1].walk].stop,
					 g->walk[i].stop, sizeof(g->walk[i].stop)) != 0)
			g->group[g->ngroup++].walk = i;
		g->group[g->ngroup - 1].count++;
		packets++;
	}
	qsort(g->group, g->ngroup, sizeof(*g->group), compare_groups);
	return packets;
}

static void stop_text(const struct story *s, uint32_t stop, char *out, size_t size)
{
	uint32_t v = stop & 0xffff;

	switch (stop & ~0xffffu) {
	case STOP_ROOM:
		word_text(s, v, out, size);
		break;
	case STOP_DEV:
		kind_text(s, GLASS_KIND_DEV, v, out, size);
		break;
	case STOP_DROP:
		kind_text(s, GLASS_KIND_DROP, v, out, size);
		break;
	default:
		snprintf(out, size, "...");
		break;
	}
}

static void group_text(const struct print *p, const struct paths *g, const struct group *of,
		       uint64_t packets)
{
	const struct walk *w = &g->walk[of->walk];
	char stop[128], label[160];
	int column = 18, n;

	act_label(p, w->act, label, sizeof(label));
	printf("%s%8" PRIu64 "%s %5.1f %%  ", color(C_BOLD), of->count, color(C_NONE),
	       100.0 * (double)of->count / (double)packets);
	for (uint32_t i = 0; i < w->n; i++) {
		bool drop = (w->stop[i] & ~0xffffu) == STOP_DROP;

		stop_text(p->story, w->stop[i], stop, sizeof(stop));
		n = (int)strlen(stop) + (i ? 3 : 0) + (drop ? 5 : 0);
		if (i && column + n > p->width) {
			printf("\n%*s", 18, "");
			column = 18;
		}
		printf("%s%s%s%s%s", i ? " > " : "", color(drop ? C_RED : C_CYAN),
		       drop ? "DROP " : "", stop, color(C_NONE));
		column += n;
	}
	printf("\n%*s%sas %s%s\n", 18, "", color(C_DIM), label, color(C_NONE));
}

static void group_json(const struct print *p, const struct paths *g, const struct group *of)
{
	const struct walk *w = &g->walk[of->walk];
	uint32_t last = w->stop[w->n - 1];
	char stop[128];

	json_begin_object(NULL);
	json_unsigned("count", of->count);
	json_unsigned("first", w->act);
	json_begin_array("path");
	for (uint32_t i = 0; i < w->n; i++) {
		if ((w->stop[i] & ~0xffffu) == STOP_DROP)
			continue;
		stop_text(p->story, w->stop[i], stop, sizeof(stop));
		json_string(NULL, stop);
	}
	json_end();
	if ((last & ~0xffffu) == STOP_DROP) {
		stop_text(p->story, last, stop, sizeof(stop));
		json_string("drop", stop);
	}
	json_end();
}

int paths_tell(const struct print *p, bool (*wanted)(const struct story *s, const struct step *t))
{
	struct paths g = { 0 };
	uint64_t packets;

	if (!walks_make(&g, p->story, wanted))
		return failed("out of memory");
	packets = groups_make(&g);
	if (ctl.json)
		json_begin_array(NULL);
	for (uint32_t i = 0; i < g.ngroup; i++) {
		if (ctl.json)
			group_json(p, &g, &g.group[i]);
		else
			group_text(p, &g, &g.group[i], packets);
	}
	if (ctl.json)
		json_end();
	else
		printf("%" PRIu64 " packets, %u paths\n", packets, g.ngroup);
	free(g.walk);
	free(g.group);
	return EXIT_OK;
}
