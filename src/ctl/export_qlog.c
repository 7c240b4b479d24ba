/* SPDX-License-Identifier: MIT */
/*
 * qlog (draft-ietf-quic-qlog-main-schema) as JSON text sequences (RFC 7464: 1E before, 0A behind
 * each). qlog describes QUIC; what TCP has too bears qlog's names here, in the name space "tcp",
 * and the rest keeps event.def's in the name space "glass". group_id is the connection's number.
 *
 * In: export.c.  Out: json.c.
 */
#include "export.h"

#include <stdlib.h>
#include <string.h>

#define RECORD_SEPARATOR 0x1e
#define NAMES_MAX 4

/* qlog's name of an event, and of those of its fields that have one. */
static const struct {
	enum event_id event;
	const char *name;
	struct {
		const char *ours, *qlog;
	} field[NAMES_MAX];
} names[] = {
	{ EV_TCP_OPEN,
	  "connection_started",
	  { { "local", "local" }, { "remote", "remote" }, { "how", "trigger" } } },
	{ EV_TCP_STATE,
	  "connection_state_updated",
	  { { "from", "old" }, { "to", "new" }, { "why", "trigger" } } },
	{ EV_TCP_END,
	  "connection_closed",
	  { { "error", "connection_error" }, { "why", "trigger" } } },
	{ EV_TCP_IN, "packet_received", { { "len", "length" } } },
	{ EV_TCP_OUT, "packet_sent", { { "len", "length" } } },
	{ EV_DROP, "packet_dropped", { { "reason", "trigger" } } },
	{ EV_TCP_RTX, "marked_for_retransmit", { { "len", "length" }, { "why", "trigger" } } },
	{ EV_TCP_LOST, "packet_lost", { { "len", "length" }, { "why", "trigger" } } },
	{ EV_TCP_ACKED,
	  "recovery_metrics_updated",
	  { { "flight", "bytes_in_flight" }, { "cwnd", "congestion_window" } } },
	{ EV_TCP_CA,
	  "congestion_state_updated",
	  { { "state", "new" }, { "cwnd", "congestion_window" }, { "why", "trigger" } } },
	{ EV_TCP_RTT,
	  "recovery_metrics_updated",
	  { { "rtt", "latest_rtt" }, { "srtt", "smoothed_rtt" }, { "rttvar", "rtt_variance" } } },
	{ EV_TCP_PATH, "mtu_updated", { { "mtu", "new" }, { "why", "trigger" } } },
};

static const char *qlog_field(unsigned row, const char *ours)
{
	for (unsigned i = 0; i < NAMES_MAX && names[row].field[i].ours; i++)
		if (!strcmp(names[row].field[i].ours, ours))
			return names[row].field[i].qlog;
	return NULL;
}

/* Durations that qlog has a name for are milliseconds with a fraction, as it wants them. */
static void put_value(const struct story *s, unsigned row, const struct glass_field *f, uint64_t v)
{
	const char *name = row < COUNT(names) ? qlog_field(row, f->name) : NULL;

	if (name && kind_is_duration(f->kind))
		json_double(name, (double)(int64_t)v / 1e6, 6);
	else
		export_json(s, name ? name : f->name, f->kind, v);
}

static void put_record(const struct story *s, const struct glass_record *r)
{
	struct glass_field field[GLASS_TRACE_VALUES];
	unsigned n = export_fields(r, field), row = 0;
	const char *rule = record_rule(s, r);
	char text[128];

	while (row < COUNT(names) && names[row].event != r->event)
		row++;
	snprintf(text, sizeof(text), "%s:%s", row < COUNT(names) ? "tcp" : "glass",
		 row < COUNT(names) ? names[row].name : glass_event_desc(r->event)->name);
	putchar(RECORD_SEPARATOR);
	json_begin_object(NULL);
	json_double("time", (double)export_time(s, r) / 1e6, 6);
	json_string("name", text);
	json_format("group_id", "%u", r->conn);
	json_begin_object("data");
	for (unsigned i = 0; i < n; i++)
		put_value(s, row, &field[i], r->v[i]);
	json_end();
	word_text(s, r->room, text, sizeof(text));
	json_string("room", text);
	json_unsigned("packet", r->pkt);
	json_unsigned("cause", r->cause);
	if (*rule)
		json_string("rule", rule);
	json_end();
}

static void put_head(void)
{
	putchar(RECORD_SEPARATOR);
	json_begin_object(NULL);
	json_string("file_schema", "urn:ietf:params:qlog:file:sequential");
	json_string("serialization_format", "application/qlog+json-seq");
	json_string("title", "glass " GLASS_VERSION);
	json_begin_object("trace");
	json_begin_array("event_schemas");
	json_string(NULL, "urn:glass:params:qlog:events:tcp");
	json_string(NULL, "urn:glass:params:qlog:events:glass");
	json_end();
	json_begin_object("common_fields");
	json_string("time_format", "relative_to_epoch");
	json_begin_object("reference_time");
	json_string("clock_type", "monotonic");
	json_string("epoch", "unknown");
	json_end();
	json_end();
	json_begin_object("vantage_point");
	json_string("name", "glass: times count from the start of the stack");
	json_string("type", "network");
	json_end();
	json_end();
	json_end();
}

int export_qlog(const struct export *x)
{
	const struct story *s = x->story;
	uint32_t n, *list = export_records(x, &n);

	if (!list)
		return EXIT_FAILED;
	ctl.pretty = false;
	put_head();
	for (uint32_t i = 0; i < n; i++)
		if (glass_event_desc(s->rec[list[i]].event))
			put_record(s, &s->rec[list[i]]);
	free(list);
	return EXIT_OK;
}
