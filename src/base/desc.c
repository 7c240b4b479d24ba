/* SPDX-License-Identifier: MIT */
/* The tables of event.def and drop.def as the readers of a trace see them, and the names behind
 * numbers. */
#include "print.h"

#include <stddef.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define F(name, kind) { #name, GLASS_KIND_##kind },

static const struct glass_event_desc events[] = {
#define EVENT_DEF(ID, name, text, doc, fields) { #name, text, doc, { fields } },
#include "event.def"
#undef EVENT_DEF
};

static const struct glass_drop_desc drops[] = {
#define DROP(ID, text, source, advice, fields) { #ID, text, source, advice, { fields } },
#include "drop.def"
#undef DROP
};

#undef F

const struct glass_event_desc *glass_event_desc(unsigned event)
{
	return event < COUNT(events) ? &events[event] : NULL;
}

const struct glass_drop_desc *glass_drop_desc(unsigned reason)
{
	return reason && reason <= COUNT(drops) ? &drops[reason - 1] : NULL;
}

enum event_id {
#define EVENT_DEF(ID, name, text, doc, fields) EV_##ID,
#include "event.def"
#undef EVENT_DEF
};

static const struct glass_rule rules[] = {
#define RULE(ID, why, source) { EV_##ID, why, source },
#include "rule.def"
#undef RULE
};

const struct glass_rule *glass_rule(unsigned i)
{
	return i < COUNT(rules) ? &rules[i] : NULL;
}

const char *glass_rule_source(unsigned event, const char *why)
{
	for (size_t i = 0; i < COUNT(rules); i++)
		if (rules[i].event == event && (!*rules[i].why || !strcmp(rules[i].why, why)))
			return rules[i]
				.source; /* the row for all others is the last of its event */
	return "";
}

static const char *const tcp_states[] = {
	"CLOSED",     "LISTEN",	    "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1",
	"FIN-WAIT-2", "CLOSE-WAIT", "CLOSING",	"LAST-ACK",	"TIME-WAIT",
};

const char *glass_tcp_state_name(unsigned state)
{
	return state < COUNT(tcp_states) ? tcp_states[state] : "?";
}

static const char *const neigh_states[] = {
	"NONE", "INCOMPLETE", "REACHABLE", "STALE", "DELAY", "PROBE", "FAILED",
};

const char *neigh_state_name(uint64_t state)
{
	return state < COUNT(neigh_states) ? neigh_states[state] : "?";
}

static const struct {
	uint16_t number;
	const char *name;
} errnos[] = {
	{ 0, "no error" },
	{ 1, "EPERM" },
	{ 2, "ENOENT" },
	{ 4, "EINTR" },
	{ 5, "EIO" },
	{ 9, "EBADF" },
	{ 11, "EAGAIN" },
	{ 12, "ENOMEM" },
	{ 13, "EACCES" },
	{ 14, "EFAULT" },
	{ 16, "EBUSY" },
	{ 17, "EEXIST" },
	{ 19, "ENODEV" },
	{ 22, "EINVAL" },
	{ 28, "ENOSPC" },
	{ 32, "EPIPE" },
	{ 71, "EPROTO" },
	{ 77, "EBADFD" },
	{ 88, "ENOTSOCK" },
	{ 89, "EDESTADDRREQ" },
	{ 90, "EMSGSIZE" },
	{ 92, "ENOPROTOOPT" },
	{ 93, "EPROTONOSUPPORT" },
	{ 95, "EOPNOTSUPP" },
	{ 97, "EAFNOSUPPORT" },
	{ 98, "EADDRINUSE" },
	{ 99, "EADDRNOTAVAIL" },
	{ 100, "ENETDOWN" },
	{ 101, "ENETUNREACH" },
	{ 103, "ECONNABORTED" },
	{ 104, "ECONNRESET" },
	{ 105, "ENOBUFS" },
	{ 106, "EISCONN" },
	{ 107, "ENOTCONN" },
	{ 108, "ESHUTDOWN" },
	{ 110, "ETIMEDOUT" },
	{ 111, "ECONNREFUSED" },
	{ 112, "EHOSTDOWN" },
	{ 113, "EHOSTUNREACH" },
	{ 114, "EALREADY" },
	{ 115, "EINPROGRESS" },
};

const char *errno_name(uint64_t error)
{
	for (size_t i = 0; i < COUNT(errnos); i++)
		if (errnos[i].number == error)
			return errnos[i].name;
	return NULL;
}
