/* SPDX-License-Identifier: MIT */
/*
 * Steps as lines. A step begins with what it is: time, number, title, cause. Then the rooms it walked through, and
 * what was decided there:
 *
 *	  0.000310  #4   rx [S.] seq 0 ack 1 len 0 wnd 65160
 *	                 glass0 > eth_input > ip_input > ip_deliver > tcp_input > tcp_syn_sent_input
 *	                 tcp_change_state   SYN-SENT -> ESTABLISHED: SYN-ACK
 */
#include <inttypes.h>
#include <string.h>

#include "story.h"

#define TEXT_BYTES 640
#define INDENT 20
#define ROOM_WIDTH 22

void kind_text(const struct story *s, enum glass_kind kind, uint64_t v, char *out, size_t size)
{
	glass_value_text(&s->reader, kind, v, out, size);
}

static void word_text(const struct story *s, uint64_t word, char *out, size_t size)
{
	kind_text(s, GLASS_KIND_WORD, word, out, size);
}

/* ---- what a step is ---- */

/* What this step does with the packet. */
static const char *direction(const struct story *s, const struct step *t, const struct act *a)
{
	if (a->received)
		return "rx ";
	if (step_find(s, t, EV_TX))
		return "tx ";
	if (step_find(s, t, EV_DROP))
		return "dropped ";
	return step_find(s, t, a->title.event) ? "built " : "";
}

static const char *title_prefix(const struct glass_record *r)
{
	switch (r->event) {
	case EV_ARP_IN:
	case EV_ARP_OUT:
		return "ARP ";
	case EV_ICMP_IN:
	case EV_ICMP_OUT:
		return "ICMP ";
	case EV_UDP_IN:
	case EV_UDP_OUT:
		return "UDP ";
	default:
		return "";
	}
}

static const char *arp_name(uint64_t op)
{
	return op == 1 ? "request" : op == 2 ? "reply" : "?";
}

static const char *icmp_name(uint64_t type)
{
	static const char *const names[] = { [0] = "echo reply",	 [3] = "unreachable",	   [4] = "source quench",
					     [5] = "redirect",	 [8] = "echo request",	   [11] = "time exceeded",
					     [12] = "parameter problem" };

	return type < COUNT(names) ? names[type] : NULL;
}

static void title_text(const struct print *p, const struct glass_record *r, char *out, size_t size)
{
	char text[TEXT_BYTES], word[96], addr[32];

	glass_record_text(&p->story->reader, r, text, sizeof(text));
	word_text(p->story, r->v[0], word, sizeof(word));
	kind_text(p->story, GLASS_KIND_IP4, r->v[r->event == EV_ARP_IN ? 1 : 2], addr, sizeof(addr));
	if (r->event == EV_ARP_OUT || r->event == EV_ARP_IN)
		snprintf(out, size, "ARP %s:%.600s", arp_name(r->v[0]), strchr(text, ':') ? strchr(text, ':') + 1 : text);
	else if ((r->event == EV_ICMP_IN || r->event == EV_ICMP_OUT) && icmp_name(r->v[0]))
		snprintf(out, size, "ICMP %s, code %u, %s %s", icmp_name(r->v[0]), (unsigned)r->v[1],
			 r->event == EV_ICMP_IN ? "from" : "to", addr);
	else if (r->event == EV_TIMER_FIRED)
		snprintf(out, size, "timer %s fired", word);
	else if (r->event == EV_CALL && r->v[1])
		snprintf(out, size, "call %s, socket %" PRIu64, word, r->v[1]);
	else if (r->event == EV_CALL)
		snprintf(out, size, "call %s", word);
	else if (r->event == EV_RX || r->event == EV_TX)
		snprintf(out, size, "%" PRIu64 " bytes", r->v[1]);
	else
		snprintf(out, size, "%s%.600s", title_prefix(r), text);
}

/* The shortest thing to call an act by. */
static void short_label(const struct print *p, const struct act *a, char *out, size_t size)
{
	const struct glass_record *r = &a->title;
	char word[96];

	word_text(p->story, r->v[0], word, sizeof(word));
	if (!a->has_title)
		snprintf(out, size, "%s", a->received ? "rx" : "");
	else if (r->event == EV_CALL)
		snprintf(out, size, "call %s", word);
	else if (r->event == EV_TIMER_FIRED)
		snprintf(out, size, "timer %s", word);
	else
		snprintf(out, size, "%s %.*s", a->received ? "rx" : "tx", (int)strcspn(title_prefix(r), " "),
			 title_prefix(r));
	if (a->has_title && (r->event == EV_TCP_IN || r->event == EV_TCP_OUT)) {
		kind_text(p->story, GLASS_KIND_FLAGS, r->v[0], word, sizeof(word));
		snprintf(out, size, "%s %s", a->received ? "rx" : "tx", word);
	}
}

void act_label(const struct print *p, uint32_t number, char *out, size_t size)
{
	const struct act *a = story_act(p->story, number);
	char label[128] = "";

	if (a)
		short_label(p, a, label, sizeof(label));
	snprintf(out, size, "#%u%s%s", number, *label ? " " : "", label);
}

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
	printf("  %s%-6s%s %s%s%s", color(C_BOLD), number, color(C_NONE), color(C_BOLD), title, color(C_NONE));
	if (*cause)
		printf("   %s<- %s%s", color(C_DIM), cause, color(C_NONE));
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

	FOR_STEP(s, t, i) {
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

/* What everybody can guess is told only on request. */
static bool is_quiet(unsigned event)
{
	switch (event) {
	case EV_ENTER:
	case EV_RX:
	case EV_TX:
	case EV_ETH_IN:
	case EV_IP_IN:
	case EV_IP_OUT:
	case EV_ROUTE:
	case EV_TIMER_SET:
	case EV_TCP_RTT:
	case EV_TCP_STOP:
	case EV_TCP_DELIVER:
		return true;
	default:
		return false;
	}
}

static enum color event_color(unsigned event)
{
	switch (event) {
	case EV_DROP:
	case EV_TCP_END:
		return C_RED;
	case EV_TCP_RTX:
	case EV_TCP_RTO:
	case EV_TCP_LOST:
		return C_YELLOW;
	case EV_TCP_STATE:
	case EV_NEIGH_STATE:
		return C_GREEN;
	default:
		return C_NONE;
	}
}

/* A word in front of texts that need one. */
static const char *decision_word(unsigned event)
{
	switch (event) {
	case EV_DROP:
		return "DROP ";
	case EV_TCP_RTX:
		return "retransmission: ";
	case EV_TCP_RTT:
		return "rtt ";
	case EV_NEIGH_STATE:
		return "neighbour ";
	case EV_TCP_END:
		return "ends: ";
	case EV_TCP_CA:
		return "congestion state ";
	case EV_TCP_ACK_WHY:
		return "ACK owed: ";
	case EV_TIMER_SET:
		return "timer ";
	case EV_ROUTE:
		return "route ";
	case EV_TCP_STOP:
		return "sending stops: ";
	case EV_TCP_LOST:
		return "lost: ";
	default:
		return "";
	}
}

static void print_decision(const struct print *p, const struct step *t, const struct glass_record *r)
{
	char text[TEXT_BYTES], room[128], about[24] = "";

	glass_record_text(&p->story->reader, r, text, sizeof(text));
	word_text(p->story, r->room, room, sizeof(room));
	if (r->pkt && r->pkt != t->act)
		snprintf(about, sizeof(about), " (#%u)", r->pkt);
	printf("%*s%s%-*s%s %s%s%s%s%s\n", INDENT, "", color(C_CYAN), ROOM_WIDTH, room, color(C_NONE),
	       color(event_color(r->event)), decision_word(r->event), text, about, color(C_NONE));
}

static bool is_title(const struct act *a, const struct glass_record *r)
{
	return a && a->has_title && a->title.event == r->event && a->title.time_ns == r->time_ns &&
	       !memcmp(a->title.v, r->v, sizeof(r->v));
}

static void heading_title(const struct print *p, const struct step *t, char *out, size_t size)
{
	const struct act *a = story_act(p->story, t->act);
	const char *way = "";
	char title[TEXT_BYTES] = "";

	if (a && a->has_title)
		title_text(p, &a->title, title, sizeof(title));
	if (a && a->has_title && a->title.event != EV_CALL && a->title.event != EV_TIMER_FIRED)
		way = direction(p->story, t, a);
	snprintf(out, size, "%s%s", way, title);
}

/* Is the record worth a line of its own? */
static bool is_decision(const struct print *p, const struct act *a, const struct glass_record *r)
{
	if (r->event == EV_ENTER || is_title(a, r))
		return false;
	return p->verbose || !is_quiet(r->event);
}

/* An act that nothing names, such as a read: its first decision does. NONE: it decided nothing. */
static uint32_t first_decision(const struct print *p, const struct step *t, const struct act *a)
{
	FOR_STEP(p->story, t, i)
		if (is_decision(p, a, &p->story->rec[i]))
			return i;
	return NONE;
}

void print_step(const struct print *p, const struct step *t)
{
	const struct story *s = p->story;
	const struct act *a = story_act(s, t->act);
	char title[TEXT_BYTES + 16], text[TEXT_BYTES - 32];
	uint32_t told = NONE;

	heading_title(p, t, title, sizeof(title));
	if (!*title) {
		told = first_decision(p, t, a);
		if (told == NONE)
			return;
		glass_record_text(&s->reader, &s->rec[told], text, sizeof(text));
		snprintf(title, sizeof(title), "%s%s", decision_word(s->rec[told].event), text);
	}
	print_heading(p, t, title);
	print_walk(p, t);
	FOR_STEP(s, t, i)
		if (i != told && is_decision(p, a, &s->rec[i]))
			print_decision(p, t, &s->rec[i]);
}

void print_conn_heading(const struct print *p, const struct conn_story *c)
{
	const struct story *s = p->story;
	char local[64], remote[64], how[64];
	double at = (double)between(s->reader.start_ns, c->begin_ns) / 1e9;

	if (!c->id) {
		printf("%sno connection%s: ARP, ICMP, UDP; times from the start of the stack\n", color(C_BOLD),
		       color(C_NONE));
		return;
	}
	kind_text(s, GLASS_KIND_END4, c->local, local, sizeof(local));
	kind_text(s, GLASS_KIND_END4, c->remote, remote, sizeof(remote));
	word_text(s, c->how, how, sizeof(how));
	if (c->opened)
		printf("%sconnection %u: %s > %s%s, %s open", color(C_BOLD), c->id, local, remote, color(C_NONE), how);
	else
		printf("%sconnection %u%s, its beginning is no longer recorded", color(C_BOLD), c->id,
		       color(C_NONE));
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
	printf("  %-6s %-5s %s%-*s%s %-12s %s%s%s", act, conn, color(C_CYAN), ROOM_WIDTH, room, color(C_NONE),
	       d ? d->name : "?", color(event_color(r->event)), text, color(C_NONE));
	if (r->cause && r->cause != r->pkt)
		printf("   %s<- #%u%s", color(C_DIM), r->cause, color(C_NONE));
	putchar('\n');
}

void print_json(const struct print *p, const struct glass_record *r)
{
	char text[4096];

	glass_record_json(&p->story->reader, r, text, sizeof(text));
	puts(text);
}

/* ---- one act from its birth to its end ---- */

static void act_line(const struct print *p, const struct glass_record *r)
{
	const struct story *s = p->story;
	const struct glass_event_desc *d = glass_event_desc(r->event);
	char text[TEXT_BYTES], room[128];

	glass_record_text(&s->reader, r, text, sizeof(text));
	word_text(s, r->room, room, sizeof(room));
	print_time(p, r->time_ns);
	if (r->event == EV_ENTER)
		printf("  %s%-*s%s %-16s %s bytes\n", color(C_CYAN), ROOM_WIDTH + 2, room, color(C_NONE),
		       glass_reader_file(&s->reader, r->room), text);
	else
		printf("    %s%-*s%s %s%-16s %s%s\n", color(C_CYAN), ROOM_WIDTH, room, color(C_NONE),
		       color(event_color(r->event)), d ? d->name : "?", text, color(C_NONE));
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
		heading_title(p, &s->step[i], title, sizeof(title));
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
		title_text(p, &a->title, title, sizeof(title));
	printf("%s#%u%s%s%s%s", color(C_BOLD), number, *title ? " " : "",
	       a->title.event == EV_CALL || a->title.event == EV_TIMER_FIRED ? "" : a->received ? "rx " : "tx ",
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
			act_line(p, &s->rec[r]);
	}
	act_consequences(p, number);
	return true;
}
