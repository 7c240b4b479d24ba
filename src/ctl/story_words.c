/* SPDX-License-Identifier: MIT */
/* What acts and steps are called, and which words and colours their records get. */
#include <inttypes.h>
#include <string.h>

#include "story.h"

void kind_text(const struct story *s, enum glass_kind kind, uint64_t v, char *out, size_t size)
{
	glass_value_text(&s->reader, kind, v, out, size);
}

void word_text(const struct story *s, uint64_t word, char *out, size_t size)
{
	kind_text(s, GLASS_KIND_WORD, word, out, size);
}

/* The source file of a room; what could steer a terminal becomes a question mark. */
void file_text(const struct story *s, uint64_t word, char *out, size_t size)
{
	const char *file = glass_reader_file(&s->reader, word);
	size_t n = 0;

	for (; n + 1 < size && file[n]; n++)
		out[n] = file[n] < 0x20 || file[n] >= 0x7f ? '?' : file[n];
	out[n] = '\0';
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

enum lane step_lane(const struct story *s, const struct step *t)
{
	const struct act *a = story_act(s, t->act);

	if (!a || !a->packet.is || !a->has_title || a->title.event == EV_CALL ||
	    a->title.event == EV_TIMER_FIRED)
		return LANE_SELF;
	return a->received ? LANE_IN : LANE_OUT;
}

static const char *title_prefix(const struct glass_record *r)
{
	switch (r->event) {
	case EV_ARP_IN:
	case EV_ARP_OUT:
		return "ARP ";
	case EV_IP_IN:
	case EV_IP_OUT:
		return "IP ";
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

/* ARP as one says it. Who asks for his own address announces it. */
static void arp_title(const struct story *s, const struct glass_record *r, char *out, size_t size)
{
	bool in = r->event == EV_ARP_IN, request = r->v[0] == 1;
	uint64_t from = r->v[in ? 1 : 2], about = r->v[in ? 3 : 1];
	char sender[32], target[32], mac[32];

	kind_text(s, GLASS_KIND_IP4, from, sender, sizeof(sender));
	kind_text(s, GLASS_KIND_IP4, about, target, sizeof(target));
	kind_text(s, GLASS_KIND_MAC, r->v[2], mac, sizeof(mac));
	if (from == about)
		snprintf(out, size, "ARP announcement: %s is here", sender);
	else if (request)
		snprintf(out, size, "ARP request: who has %s? tell %s", target, sender);
	else if (in)
		snprintf(out, size, "ARP reply: %s is at %s", sender, mac);
	else
		snprintf(out, size, "ARP reply: %s is here, says to %s", sender, target);
}

static const char *icmp_name(uint64_t type)
{
	static const char *const names[] = {
		[0] = "echo reply",	   [3] = "unreachable",	 [4] = "source quench",
		[5] = "redirect",	   [8] = "echo request", [11] = "time exceeded",
		[12] = "parameter problem"
	};

	return type < COUNT(names) ? names[type] : NULL;
}

void record_title(const struct print *p, const struct glass_record *r, char *out, size_t size)
{
	char text[TEXT_BYTES], word[96], addr[32];

	glass_record_text(&p->story->reader, r, text, sizeof(text));
	word_text(p->story, r->v[0], word, sizeof(word));
	kind_text(p->story, GLASS_KIND_IP4, r->v[2], addr, sizeof(addr));
	if (r->event == EV_ARP_OUT || r->event == EV_ARP_IN)
		arp_title(p->story, r, out, size);
	else if ((r->event == EV_ICMP_IN || r->event == EV_ICMP_OUT) && icmp_name(r->v[0]))
		snprintf(out, size, "ICMP %s, code %u, %s %s", icmp_name(r->v[0]),
			 (unsigned)r->v[1], r->event == EV_ICMP_IN ? "from" : "to", addr);
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
		snprintf(out, size, "%s %.*s", a->received ? "rx" : "tx",
			 (int)strcspn(title_prefix(r), " "), title_prefix(r));
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

/* The last word among the values is the reason. */
const char *record_rule(const struct story *s, const struct glass_record *r)
{
	const struct glass_event_desc *e = glass_event_desc(r->event);
	const struct glass_drop_desc *d = r->event == EV_DROP && r->v[0] < UINT32_MAX
						  ? glass_drop_desc((unsigned)r->v[0])
						  : NULL;
	char why[TEXT_BYTES] = "";

	if (d)
		return d->source;
	for (unsigned i = 0; e && i < GLASS_TRACE_VALUES; i++)
		if (e->field[i].kind == GLASS_KIND_WORD)
			word_text(s, r->v[i], why, sizeof(why));
	return glass_rule_source(r->event, why);
}

/* What everybody can guess is told only on request. */
bool event_is_quiet(unsigned event)
{
	switch (event) {
	case EV_ENTER:
	case EV_FUNC:
	case EV_FUNC_END:
	case EV_RX:
	case EV_TX:
	case EV_ETH_IN:
	case EV_IP_IN:
	case EV_IP_OUT:
	case EV_ROUTE:
	case EV_TIMER_SET:
	case EV_TCP_RTT:
	case EV_TCP_STOP:
	case EV_TCP_LIMIT:
	case EV_TCP_DELIVER:
		return true;
	default:
		return false;
	}
}

enum color event_color(unsigned event)
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
const char *event_word(unsigned event)
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
	case EV_TCP_LIMIT:
		return "held back by ";
	case EV_TCP_LOST:
		return "lost: ";
	default:
		return "";
	}
}

void step_title(const struct print *p, const struct step *t, char *out, size_t size)
{
	const struct act *a = story_act(p->story, t->act);
	const char *way = "";
	char title[TEXT_BYTES] = "";

	if (a && a->has_title)
		record_title(p, &a->title, title, sizeof(title));
	if (a && a->has_title && a->title.event != EV_CALL && a->title.event != EV_TIMER_FIRED)
		way = direction(p->story, t, a);
	snprintf(out, size, "%s%s", way, title);
}
