/* SPDX-License-Identifier: MIT */
/*
 * Steps as lines. A step begins with what it is: time, number, title, cause. Then the rooms it
 * walked through, and what was decided there:
 *
 *  0.000310  #4   rx [S.] seq 0 ack 1 len 0 wnd 65160
 *                 glass0 > eth_input > ip_input > ip_deliver > tcp_input > tcp_syn_sent_input
 *                 tcp_change_state       SYN-SENT -> ESTABLISHED: SYN-ACK
 */
#include <inttypes.h>
#include <string.h>

#include "story.h"

#define INDENT 20
#define ROOM_WIDTH 22
#define ACT_INDENT 13
#define DEPTH_SHOWN 24 /* deeper calls stand below each other */

/* ---- lines ---- */

static void print_time(const struct print *p, int64_t ns)
{
	int64_t t = between(p->zero_ns, ns);
	uint64_t abs = t < 0 ? 0 - (uint64_t)t : (uint64_t)t;
	char text[32];

	snprintf(text, sizeof(text), "%s%" PRIu64 ".%06" PRIu64, t < 0 ? "-" : "", abs / 1000000000,
		 abs % 1000000000 / 1000);
	printf("%s%11s%s", color(C_DIM), text, color(C_NONE));
}

static void print_conn_tag(uint32_t conn)
{
	char tag[16] = "";

	if (conn)
		snprintf(tag, sizeof(tag), "c%u", conn);
	printf("  %-5s", tag);
}

static void print_heading(const struct print *p, const struct step *t, const char *title)
{
	char number[16] = "", cause[160] = "";

	if (t->act)
		snprintf(number, sizeof(number), "#%u", t->act);
	if (t->cause)
		act_label(p, t->cause, cause, sizeof(cause));
	print_time(p, t->begin_ns);
	if (p->with_conn)
		print_conn_tag(t->conn);
	printf("  %s%-6s%s %s%s%s", color(C_BOLD), number, color(C_NONE), color(C_BOLD), title,
	       color(C_NONE));
	if (*cause)
		printf("   %sbecause %s%s", color(C_DIM), cause, color(C_NONE));
	putchar('\n');
}

/* Where it is written that it has to be so. */
static void print_rule(const struct print *p, const struct glass_record *r)
{
	const char *rule = record_rule(p->story, r);

	if (*rule)
		printf("   %s[%s]%s", color(C_DIM), rule, color(C_NONE));
	putchar('\n');
}

/* The rooms between the device's end and the other, or the first word of why there are none. */
struct walk {
	int column;
	bool any;
	int width;
};

static void walk_to(struct walk *w, const char *room)
{
	int n = (int)strlen(room) + (w->any ? 3 : 0);

	if (!w->any) {
		printf("%*s%s", INDENT, "", color(C_CYAN));
		w->column = INDENT;
	} else if (w->column + n > w->width) {
		printf("\n%*s", INDENT + 2, "");
		w->column = INDENT + 2;
	}
	printf("%s%s", w->any ? " > " : "", room);
	w->column += n;
	w->any = true;
}

static void print_walk(const struct print *p, const struct step *t)
{
	const struct story *s = p->story;
	struct walk w = { .width = p->width };
	char name[128], dev[64];

	FOR_STEP(s, t, i)
	{
		word_text(s, s->rec[i].room, name, sizeof(name));
		kind_text(s, GLASS_KIND_DEV, s->rec[i].v[0], dev, sizeof(dev));
		if (s->rec[i].event == EV_RX || s->rec[i].event == EV_TX)
			walk_to(&w, dev);
		else if (s->rec[i].event == EV_ENTER)
			walk_to(&w, name);
	}
	if (w.any)
		printf("%s\n", color(C_NONE));
}

static void print_decision(const struct print *p, const struct step *t,
			   const struct glass_record *r)
{
	char text[TEXT_BYTES], room[128], about[24] = "";

	glass_record_text(&p->story->reader, r, text, sizeof(text));
	word_text(p->story, r->room, room, sizeof(room));
	if (r->pkt && r->pkt != t->act)
		snprintf(about, sizeof(about), " (#%u)", r->pkt);
	printf("%*s%s%-*s%s %s%s%s%s%s", INDENT, "", color(C_CYAN), ROOM_WIDTH, room, color(C_NONE),
	       color(event_color(r->event)), event_word(r->event), text, about, color(C_NONE));
	print_rule(p, r);
}

/* ---- calls of functions ---- */

static bool is_function(const struct glass_record *r)
{
	return r->event == EV_FUNC || r->event == EV_FUNC_END;
}

static int depth_shown(const struct glass_record *r)
{
	return 2 * (int)(r->v[0] > DEPTH_SHOWN ? DEPTH_SHOWN : r->v[0]);
}

/* How long it took, from the record of its end behind that of its begin; "" when none is there. */
static void function_took(const struct story *s, uint32_t rec, char *out, size_t size)
{
	const struct glass_record *r = &s->rec[rec];

	*out = '\0';
	for (uint32_t i = s->next[rec]; i != NONE; i = s->next[i]) {
		if (s->rec[i].event == EV_FUNC && s->rec[i].v[0] <= r->v[0] &&
		    s->rec[i].room != r->room)
			return;
		if (s->rec[i].event == EV_FUNC_END && s->rec[i].room == r->room &&
		    s->rec[i].v[0] == r->v[0]) {
			kind_text(s, GLASS_KIND_NS, s->rec[i].v[1], out, size);
			return;
		}
	}
}

/* The same function again, called from the same place: told once, with a count. */
static uint32_t calls_alike(const struct story *s, uint32_t *rec)
{
	const struct glass_record *r = &s->rec[*rec], *q;
	uint32_t n = 1;

	for (uint32_t i = s->next[*rec]; i != NONE; i = s->next[i]) {
		q = &s->rec[i];
		if (q->room != r->room || q->v[0] != r->v[0] || !is_function(q))
			break;
		n += q->event == EV_FUNC;
		*rec = i;
	}
	return n;
}

/* A call: as far to the right as it is deep. Answers the last record that is told by that. */
static uint32_t print_function(const struct print *p, uint32_t rec, int indent)
{
	const struct glass_record *r = &p->story->rec[rec];
	char name[128], took[32], times[16] = "";
	uint32_t last = rec, n;

	if (r->event != EV_FUNC)
		return rec;
	word_text(p->story, r->room, name, sizeof(name));
	function_took(p->story, rec, took, sizeof(took));
	n = calls_alike(p->story, &last);
	if (n > 1)
		snprintf(times, sizeof(times), " x %u", n);
	printf("%*s%s%s%s%s%s%s%s%s\n", indent + depth_shown(r), "", color(C_CYAN), name,
	       color(C_NONE), color(C_DIM), times, *took ? "  " : "", took, color(C_NONE));
	return last;
}

static bool is_title(const struct act *a, const struct glass_record *r)
{
	return a && a->has_title && a->title.event == r->event && a->title.time_ns == r->time_ns &&
	       !memcmp(a->title.v, r->v, sizeof(r->v));
}

/* Is the record worth a line of its own? */
static bool is_decision(const struct print *p, const struct act *a, const struct glass_record *r)
{
	if (r->event == EV_ENTER || is_function(r) || is_title(a, r))
		return false;
	/* A timer that fires and sends nothing has a reason. */
	if (r->event == EV_TCP_STOP && a && a->title.event == EV_TIMER_FIRED)
		return true;
	return p->verbose || !event_is_quiet(r->event);
}

/* An act that nothing names, such as a read: its first decision does. NONE: it decided nothing. */
static uint32_t first_decision(const struct print *p, const struct step *t, const struct act *a)
{
	FOR_STEP(p->story, t, i)
	if (is_decision(p, a, &p->story->rec[i]))
		return i;
	return NONE;
}

/* What the step is; *told: the record that says so, unless its act has a title. */
static bool find_title(const struct print *p, const struct step *t, uint32_t *told, char *title,
		       size_t size)
{
	const struct story *s = p->story;
	char text[TEXT_BYTES - 32];

	*told = NONE;
	step_title(p, t, title, size);
	if (*title)
		return true;
	*told = first_decision(p, t, story_act(s, t->act));
	if (*told == NONE)
		return false;
	if (s->rec[*told].event == EV_CALL)
		record_title(p, &s->rec[*told], text, sizeof(text));
	else
		glass_record_text(&s->reader, &s->rec[*told], text, sizeof(text));
	snprintf(title, size, "%s%s", event_word(s->rec[*told].event), text);
	return true;
}

bool step_tells(const struct print *p, const struct step *t, char *title, size_t size)
{
	uint32_t told;

	return find_title(p, t, &told, title, size);
}

void print_step(const struct print *p, const struct step *t)
{
	const struct story *s = p->story;
	const struct act *a = story_act(s, t->act);
	char title[TEXT_BYTES + 16];
	uint32_t told;

	if (!find_title(p, t, &told, title, sizeof(title)))
		return;
	print_heading(p, t, title);
	if (!p->functions)
		print_walk(p, t);
	FOR_STEP(s, t, i)
	{
		if (p->functions && is_function(&s->rec[i]))
			i = print_function(p, i, INDENT);
		else if (i != told && is_decision(p, a, &s->rec[i]))
			print_decision(p, t, &s->rec[i]);
	}
}

void print_conn_heading(const struct print *p, const struct conn_story *c)
{
	const struct story *s = p->story;
	char local[64], remote[64], how[64];
	double at = (double)between(s->reader.start_ns, c->begin_ns) / 1e9;

	if (!c->id) {
		printf("%sno connection%s: ARP, ICMP, UDP; times from the start of the stack\n",
		       color(C_BOLD), color(C_NONE));
		return;
	}
	kind_text(s, GLASS_KIND_END4, c->local, local, sizeof(local));
	kind_text(s, GLASS_KIND_END4, c->remote, remote, sizeof(remote));
	word_text(s, c->how, how, sizeof(how));
	if (c->opened)
		printf("%sconnection %u: %s > %s%s, %s open", color(C_BOLD), c->id, local, remote,
		       color(C_NONE), how);
	else
		printf("%sconnection %u%s, its beginning is no longer recorded", color(C_BOLD),
		       c->id, color(C_NONE));
	printf(", %.6f s after the start of the stack\n", at);
}

/* ---- record by record ---- */

void print_raw(const struct print *p, const struct glass_record *r)
{
	const struct glass_event_desc *d = glass_event_desc(r->event);
	char text[TEXT_BYTES], room[128], act[16] = "", conn[16] = "";

	glass_record_text(&p->story->reader, r, text, sizeof(text));
	word_text(p->story, r->room, room, sizeof(room));
	if (r->pkt)
		snprintf(act, sizeof(act), "#%u", r->pkt);
	if (r->conn)
		snprintf(conn, sizeof(conn), "c%u", r->conn);
	print_time(p, r->time_ns);
	printf("  %-6s %-5s %s%-*s%s %-12s %s%s%s", act, conn, color(C_CYAN), ROOM_WIDTH, room,
	       color(C_NONE), d ? d->name : "?", color(event_color(r->event)), text, color(C_NONE));
	if (r->cause && r->cause != r->pkt)
		printf("   %sbecause #%u%s", color(C_DIM), r->cause, color(C_NONE));
	putchar('\n');
}

void print_json(const struct print *p, const struct glass_record *r)
{
	const char *rule = record_rule(p->story, r);
	char text[4096];
	int n = glass_record_json(&p->story->reader, r, text, sizeof(text));

	if (*rule && n > 0 && n < (int)sizeof(text))
		printf("%.*s,\"rule\":\"%s\"}\n", n - 1, text, rule);
	else
		puts(text);
}

/* ---- one act from its birth to its end ---- */

static void act_line(const struct print *p, const struct glass_record *r)
{
	const struct story *s = p->story;
	const struct glass_event_desc *d = glass_event_desc(r->event);
	char text[TEXT_BYTES], room[128], file[64];

	glass_record_text(&s->reader, r, text, sizeof(text));
	word_text(s, r->room, room, sizeof(room));
	file_text(s, r->room, file, sizeof(file));
	print_time(p, r->time_ns);
	if (r->event == EV_ENTER)
		printf("  %s%-*s%s %-16s %s bytes\n", color(C_CYAN), ROOM_WIDTH + 2, room,
		       color(C_NONE), file, text);
	else
		printf("    %s%-*s%s %s%-16s %s%s", color(C_CYAN), ROOM_WIDTH, room, color(C_NONE),
		       color(event_color(r->event)), d ? d->name : "?", text, color(C_NONE));
	if (r->event != EV_ENTER)
		print_rule(p, r);
}

static void act_consequences(const struct print *p, uint32_t number)
{
	const struct story *s = p->story;
	char title[TEXT_BYTES + 16];
	uint32_t last = 0;

	for (uint32_t i = 0; i < s->nstep; i++) {
		if (s->step[i].cause != number || s->step[i].act == last)
			continue;
		last = s->step[i].act;
		step_title(p, &s->step[i], title, sizeof(title));
		printf("it led to #%u %s\n", last, title);
	}
}

bool print_act(const struct print *p, uint32_t number)
{
	const struct story *s = p->story;
	const struct act *a = story_act(s, number);
	char title[TEXT_BYTES] = "", cause[160];

	if (!a || !number)
		return false;
	if (a->has_title)
		record_title(p, &a->title, title, sizeof(title));
	printf("%s#%u%s%s%s%s", color(C_BOLD), number, *title ? " " : "",
	       a->title.event == EV_CALL || a->title.event == EV_TIMER_FIRED ? ""
	       : a->received						     ? "rx "
									     : "tx ",
	       title, color(C_NONE));
	if (a->conn)
		printf(", connection %u", a->conn);
	putchar('\n');
	if (a->cause) {
		act_label(p, a->cause, cause, sizeof(cause));
		printf("because of %s\n", cause);
	}
	for (uint32_t i = 0; i < s->nstep; i++) {
		if (s->step[i].act != number)
			continue;
		FOR_STEP(s, &s->step[i], r)
		{
			if (is_function(&s->rec[r]))
				r = print_function(p, r, ACT_INDENT);
			else
				act_line(p, &s->rec[r]);
		}
	}
	act_consequences(p, number);
	return true;
}
