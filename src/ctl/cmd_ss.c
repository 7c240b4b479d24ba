/* SPDX-License-Identifier: MIT */
/* glass ss: sockets and connections, with the columns and the fields of `ss -ti`. */
#include "ctl.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "process.h"
#include "ss.h"

static struct {
	bool all, listening, tcp, udp, ping, numeric, info, timers, memory, extended, processes,
		no_header, one_line, summary;
} want;

static const struct opt options[] = {
	{ 'a', "all", OPT_FLAG, NULL, "listening sockets too", &want.all },
	{ 'l', "listening", OPT_FLAG, NULL, "only listening sockets", &want.listening },
	{ 't', "tcp", OPT_FLAG, NULL, "only TCP", &want.tcp },
	{ 'u', "udp", OPT_FLAG, NULL, "only UDP", &want.udp },
	{ 'w', "raw", OPT_FLAG, NULL, "only ICMP echo (ping) and raw sockets", &want.ping },
	{ 'n', "numeric", OPT_FLAG, NULL,
	  "numbers instead of names: always so, accepted for the habit", &want.numeric },
	{ 'p', "processes", OPT_FLAG, NULL, "the programs that have the socket open",
	  &want.processes },
	{ 'i', "info", OPT_FLAG, NULL, "what TCP knows of each connection", &want.info },
	{ 'o', "options", OPT_FLAG, NULL, "timers", &want.timers },
	{ 'm', "memory", OPT_FLAG, NULL, "memory: unread and its limit, to be sent and its limit",
	  &want.memory },
	{ 'e', "extended", OPT_FLAG, NULL,
	  "ino: inode of the program's end; sk: the connection's number, in hex", &want.extended },
	{ 's', "summary", OPT_FLAG, NULL, "only how many of each kind and state", &want.summary },
	{ 'O', "oneline", OPT_FLAG, NULL, "what -i, -m and -e tell goes on the same line",
	  &want.one_line },
	{ 'H', "no-header", OPT_FLAG, NULL, "without the line of headings", &want.no_header },
};

/* ---- which ----------------------------------------------------------------------------------- */

static bool is_listening(const struct glass_conn_info *c)
{
	return !strcmp(c->state, "LISTEN") ||
	       (c->proto != GLASS_TCP && !strcmp(c->state, "UNCONN"));
}

static bool is_wanted(const struct glass_conn_info *c)
{
	bool any = !want.tcp && !want.udp && !want.ping;
	bool other = c->proto != GLASS_TCP && c->proto != GLASS_UDP;

	if (!c->state)
		return false;
	if (!any && !(want.tcp && c->proto == GLASS_TCP) && !(want.udp && c->proto == GLASS_UDP) &&
	    !(want.ping && other))
		return false;
	if (!ss_filter_holds(c))
		return false;
	return ss_filter_has_states() || want.all || is_listening(c) == want.listening;
}

/* ---- output ---- */

static const char *proto_name(uint8_t proto)
{
	return proto == GLASS_TCP   ? "tcp"
	       : proto == GLASS_UDP ? "udp"
	       : proto == GLASS_RAW ? "raw"
				    : "icmp";
}

static void timer_cell(struct columns *cols, const struct glass_conn_info *c)
{
	char left[32];

	if (!want.timers)
		return;
	if (c->timer && *c->timer && c->timer_ns >= 0)
		columns_add(cols, "timer:(%s,%s,%u)", c->timer, ss_timer(c->timer_ns, left),
			    strcmp(c->timer, "on") != 0 && c->probes ? c->probes : c->backoff);
	else
		columns_add(cols, "%s", "");
}

/* As ss: ADDRESS%DEVICE:PORT of a socket that is bound to a device. */
static const char *local_text(const struct glass_conn_info *c, char out[100])
{
	unsigned count;
	const char *const *names = device_names(&count);
	char text[80], *port;

	end_text(&c->local, text);
	port = strrchr(text, ':');
	if (c->ifindex && c->ifindex <= count && names[c->ifindex - 1])
		snprintf(out, 100, "%.*s%%%s%s", (int)(port - text), text, names[c->ifindex - 1],
			 port);
	else
		snprintf(out, 100, "%s", text);
	return out;
}

/* users:(("curl",pid=4711,fd=5)) */
static void users_text(const struct glass_conn_info *c, char *out, size_t size)
{
	unsigned count;
	const struct holder *h = holders_of((uintptr_t)c->user, &count);
	size_t n = 0;

	*out = '\0';
	for (unsigned i = 0; i < count && n + 80 < size; i++)
		n += (size_t)snprintf(out + n, size - n, "%s(\"%s\",pid=%d,fd=%d)",
				      i ? "," : "users:(", h[i].name, h[i].pid, h[i].fd);
	if (count)
		snprintf(out + n, size - n, ")");
}

static void conn_cells(struct columns *cols, const struct glass_conn_info *c)
{
	char local[100], remote[80], users[2048];

	columns_add(cols, "%s", proto_name(c->proto));
	columns_add(cols, "%s", c->state);
	columns_add(cols, "%" PRIu64, c->recv_q);
	columns_add(cols, "%" PRIu64, c->send_q);
	columns_add(cols, "%s", local_text(c, local));
	columns_add(cols, "%s", end_text(&c->remote, remote));
	if (c->conn)
		columns_add(cols, "%u", c->conn);
	else
		columns_add(cols, "-");
	if (want.processes) {
		users_text(c, users, sizeof(users));
		columns_add(cols, "%s", users);
	}
	timer_cell(cols, c);
}

static void conn_extra(uint64_t row, void *arg)
{
	const struct glass_conn_info **shown = arg;
	const struct glass_conn_info *c = shown[row];
	bool tcp = c->proto == GLASS_TCP && strcmp(c->state, "LISTEN") != 0;

	if (!tcp && !want.extended && !want.memory)
		return;
	putchar(want.one_line ? ' ' : '\t');
	if (want.extended && c->user)
		printf(" ino:%" PRIuPTR, (uintptr_t)c->user);
	if (want.extended)
		printf(" sk:%x", c->conn);
	if (want.memory)
		ss_memory(c);
	if (want.info && tcp)
		ss_info(c);
	if (!want.one_line)
		putchar('\n');
}

static void headings(struct columns *cols)
{
	columns_add(cols, "Netid");
	columns_add(cols, "State");
	columns_add(cols, "Recv-Q");
	columns_add(cols, "Send-Q");
	columns_add(cols, "Local Address:Port");
	columns_add(cols, "Peer Address:Port");
	columns_add(cols, "Conn");
	if (want.processes)
		columns_add(cols, "Process");
	if (want.timers)
		columns_add(cols, "Timer");
}

static int print_text(const struct table *t)
{
	const struct glass_conn_info *c;
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are what it holds. */
	const struct glass_conn_info **shown = calloc(t->count + 1, sizeof(*shown));
	struct columns cols;
	uint64_t n = 0;

	if (!shown)
		return failed("out of memory");
	columns_begin(&cols, want.processes && want.timers   ? "<<>><<><<"
			     : want.processes || want.timers ? "<<>><<><"
							     : "<<>><<>");
	headings(&cols);
	for (uint64_t i = 0; i < t->count; i++) {
		c = TABLE_ROW(t, struct glass_conn_info, i);
		if (!is_wanted(c))
			continue;
		conn_cells(&cols, c);
		shown[n++] = c;
	}
	cols.no_heading = want.no_header;
	cols.one_line = want.one_line;
	columns_end(&cols, want.info || want.memory || want.extended ? conn_extra : NULL, shown);
	free(shown);
	return EXIT_OK;
}

static void json_end_of(const char *addr_key, const char *port_key, const struct glass_end *e)
{
	char addr[64];

	json_string(addr_key, addr_text(&e->addr, addr));
	json_unsigned(port_key, e->port);
}

static void users_json(const struct glass_conn_info *c)
{
	unsigned count;
	const struct holder *h = holders_of((uintptr_t)c->user, &count);

	json_begin_array("users");
	for (unsigned i = 0; i < count; i++) {
		json_begin_object(NULL);
		json_string("name", h[i].name);
		json_number("pid", h[i].pid);
		json_number("fd", h[i].fd);
		json_end();
	}
	json_end();
}

static void print_json(const struct table *t)
{
	const struct glass_conn_info *c;

	json_begin_array(NULL);
	for (uint64_t i = 0; i < t->count; i++) {
		c = TABLE_ROW(t, struct glass_conn_info, i);
		if (!is_wanted(c))
			continue;
		json_begin_object(NULL);
		json_unsigned("conn", c->conn);
		json_string("netid", proto_name(c->proto));
		json_string("state", c->state);
		json_unsigned("recv_q", c->recv_q);
		json_unsigned("send_q", c->send_q);
		json_end_of("local", "local_port", &c->local);
		json_end_of("peer", "peer_port", &c->remote);
		if (c->ifindex)
			json_unsigned("ifindex", c->ifindex);
		if (c->user)
			json_unsigned("inode", (uintptr_t)c->user);
		if (want.processes)
			users_json(c);
		if (c->proto == GLASS_TCP)
			ss_json(c);
		json_end();
	}
	json_end();
}

/* ---- how many -------------------------------------------------------------------------------- */

struct summary {
	uint64_t total, tcp, estab, closed, orphaned, timewait, udp, raw;
};

static void print_summary(const struct table *t)
{
	const struct glass_conn_info *c;
	struct summary n = { 0 };

	for (uint64_t i = 0; i < t->count; i++) {
		c = TABLE_ROW(t, struct glass_conn_info, i);
		if (!c->state)
			continue;
		n.total++;
		n.udp += c->proto == GLASS_UDP;
		n.raw += c->proto != GLASS_UDP && c->proto != GLASS_TCP;
		if (c->proto != GLASS_TCP)
			continue;
		n.tcp++;
		n.estab += !strcmp(c->state, "ESTAB");
		n.closed += !strcmp(c->state, "UNCONN");
		n.timewait += !strcmp(c->state, "TIME-WAIT");
		n.orphaned += c->orphan && strcmp(c->state, "TIME-WAIT") != 0;
	}
	if (!ctl.json) {
		printf("Total: %" PRIu64 "\nTCP:   %" PRIu64 " (estab %" PRIu64 ", closed %" PRIu64
		       ", orphaned %" PRIu64 ", timewait %" PRIu64 ")\nUDP:   %" PRIu64
		       "\nRAW:   %" PRIu64 "\n",
		       n.total, n.tcp, n.estab, n.closed, n.orphaned, n.timewait, n.udp, n.raw);
		return;
	}
	json_begin_object(NULL);
	json_unsigned("total", n.total);
	json_unsigned("tcp", n.tcp);
	json_unsigned("estab", n.estab);
	json_unsigned("closed", n.closed);
	json_unsigned("orphaned", n.orphaned);
	json_unsigned("timewait", n.timewait);
	json_unsigned("udp", n.udp);
	json_unsigned("raw", n.raw);
	json_end();
}

/* ---- */

int ss_table(struct table *t)
{
	static const size_t strings[] = {
		offsetof(struct glass_conn_info, state),
		offsetof(struct glass_conn_info, timer),
		offsetof(struct glass_conn_info, cc),
		offsetof(struct glass_conn_info, ca_state),
		offsetof(struct glass_conn_info, error_why),
	};

	return table_get(t, "ss", sizeof(struct glass_conn_info), strings, COUNT(strings));
}

int cmd_ss(const struct command *self, int argc, char **argv)
{
	int n = opt_parse(self, options, COUNT(options), argc, argv), err;
	struct table t;

	if (n < 0 || ss_filter_parse(self, n, argv + 1))
		return EXIT_USAGE;
	err = ss_table(&t);
	if (err)
		return err;
	if (want.processes)
		holders_find();
	if (want.summary)
		print_summary(&t);
	else if (ctl.json)
		print_json(&t);
	else
		err = print_text(&t);
	table_free(&t);
	return err;
}
