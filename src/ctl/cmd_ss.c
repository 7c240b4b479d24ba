/* SPDX-License-Identifier: MIT */
/* glass ss: sockets and connections, with the columns and the fields of `ss -ti`. */
#include "ctl.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "ss.h"

static struct {
	bool all, listening, tcp, udp, ping, numeric, info, timers, memory, extended;
	const char *state;
	bool has_src, has_dst;
	struct glass_end src, dst; /* family 0, port 0: any */
} want;

static const struct opt options[] = {
	{ 'a', "all", OPT_FLAG, NULL, "listening sockets too", &want.all },
	{ 'l', "listening", OPT_FLAG, NULL, "only listening sockets", &want.listening },
	{ 't', "tcp", OPT_FLAG, NULL, "only TCP", &want.tcp },
	{ 'u', "udp", OPT_FLAG, NULL, "only UDP", &want.udp },
	{ 'w', "raw", OPT_FLAG, NULL, "only ICMP echo (ping)", &want.ping },
	{ 'n', "numeric", OPT_FLAG, NULL,
	  "numbers instead of names: always so, accepted for the habit", &want.numeric },
	{ 'i', "info", OPT_FLAG, NULL, "what TCP knows of each connection", &want.info },
	{ 'o', "options", OPT_FLAG, NULL, "timers", &want.timers },
	{ 'm', "memory", OPT_FLAG, NULL, "memory: unread and its limit, to be sent and its limit",
	  &want.memory },
	{ 'e', "extended", OPT_FLAG, NULL, "sk: the connection's number, in hex", &want.extended },
};

/* ---- filter ---- */

/* ADDR, ADDR:PORT or :PORT. */
static bool parse_end(const char *s, struct glass_end *out)
{
	const char *colon = strrchr(s, ':');
	char addr[256];
	int64_t port;

	snprintf(addr, sizeof(addr), "%.*s", colon ? (int)(colon - s) : (int)strlen(s), s);
	*out = (struct glass_end){ 0 };
	if (colon && (!parse_number(colon + 1, &port) || port < 0 || port > 65535))
		return false;
	if (colon)
		out->port = (uint16_t)port;
	return !*addr || !strcmp(addr, "*") || addr_parse(addr, &out->addr);
}

static bool parse_port(const char *s, uint16_t *out)
{
	int64_t port;

	if (!parse_number(*s == ':' ? s + 1 : s, &port) || port < 1 || port > 65535)
		return false;
	*out = (uint16_t)port;
	return true;
}

static int parse_filter(const struct command *self, int n, char **argv)
{
	bool ok = true;

	for (int i = 1; i <= n; i += 2) {
		if (i == n)
			return usage(self, "'%s' needs a value", argv[i]);
		if (!strcmp(argv[i + 1], "=") && i + 2 <= n) { /* ss(8): sport = :80 */
			argv[i + 1] = argv[i];
			i++;
		}
		if (!strcmp(argv[i], "state"))
			want.state = argv[i + 1];
		else if (!strcmp(argv[i], "src"))
			ok = want.has_src = parse_end(argv[i + 1], &want.src);
		else if (!strcmp(argv[i], "dst"))
			ok = want.has_dst = parse_end(argv[i + 1], &want.dst);
		else if (!strcmp(argv[i], "sport"))
			ok = want.has_src = parse_port(argv[i + 1], &want.src.port);
		else if (!strcmp(argv[i], "dport"))
			ok = want.has_dst = parse_port(argv[i + 1], &want.dst.port);
		else
			return usage(self, "'%s' is no filter", argv[i]);
		if (!ok)
			return usage(self, "'%s' is no value for %s", argv[i + 1], argv[i]);
	}
	return 0;
}

static bool end_matches(const struct glass_end *have, const struct glass_end *wanted)
{
	if (wanted->port && wanted->port != have->port)
		return false;
	return wanted->addr.family == GLASS_UNSPEC ||
	       !memcmp(have->addr.byte, wanted->addr.byte, 4);
}

/* ss(8) knows long names and groups for states. */
static bool state_matches(const char *have, const char *wanted)
{
	static const char *const names[][2] = {
		{ "established", "ESTAB" },
		{ "listening", "LISTEN" },
		{ "unconnected", "UNCONN" },
	};

	for (unsigned i = 0; i < COUNT(names); i++)
		if (!strcasecmp(wanted, names[i][0]))
			return !strcmp(have, names[i][1]);
	if (!strcasecmp(wanted, "connected"))
		return strcmp(have, "LISTEN") != 0 && strcmp(have, "UNCONN") != 0;
	return !strcasecmp(have, wanted);
}

static bool is_listening(const struct glass_conn_info *c)
{
	return !strcmp(c->state, "LISTEN") ||
	       (c->proto != GLASS_TCP && !strcmp(c->state, "UNCONN"));
}

static bool is_wanted(const struct glass_conn_info *c)
{
	bool any = !want.tcp && !want.udp && !want.ping;

	if (!any && !(want.tcp && c->proto == GLASS_TCP) && !(want.udp && c->proto == GLASS_UDP) &&
	    !(want.ping && c->proto == GLASS_PING))
		return false;
	if (want.state)
		return state_matches(c->state, want.state);
	if (want.has_src && !end_matches(&c->local, &want.src))
		return false;
	if (want.has_dst && !end_matches(&c->remote, &want.dst))
		return false;
	return want.all || is_listening(c) == want.listening;
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

static void conn_cells(struct columns *cols, const struct glass_conn_info *c)
{
	char local[100], remote[80];

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
	timer_cell(cols, c);
}

static void conn_extra(uint64_t row, void *arg)
{
	const struct glass_conn_info **shown = arg;

	const struct glass_conn_info *c = shown[row];

	if (c->proto != GLASS_TCP || !strcmp(c->state, "LISTEN"))
		return;
	putchar('\t');
	if (want.extended)
		printf(" sk:%x", c->conn);
	if (want.memory)
		ss_memory(c);
	if (want.info)
		ss_info(c);
	putchar('\n');
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
	columns_begin(&cols, want.timers ? "<<>><<><" : "<<>><<>");
	columns_add(&cols, "Netid");
	columns_add(&cols, "State");
	columns_add(&cols, "Recv-Q");
	columns_add(&cols, "Send-Q");
	columns_add(&cols, "Local Address:Port");
	columns_add(&cols, "Peer Address:Port");
	columns_add(&cols, "Conn");
	if (want.timers)
		columns_add(&cols, "Timer");
	for (uint64_t i = 0; i < t->count; i++) {
		c = TABLE_ROW(t, struct glass_conn_info, i);
		if (!c->state || !is_wanted(c))
			continue;
		conn_cells(&cols, c);
		shown[n++] = c;
	}
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

static void print_json(const struct table *t)
{
	const struct glass_conn_info *c;

	json_begin_array(NULL);
	for (uint64_t i = 0; i < t->count; i++) {
		c = TABLE_ROW(t, struct glass_conn_info, i);
		if (!c->state || !is_wanted(c))
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
		if (c->proto == GLASS_TCP)
			ss_json(c);
		json_end();
	}
	json_end();
}

int cmd_ss(const struct command *self, int argc, char **argv)
{
	static const size_t strings[] = {
		offsetof(struct glass_conn_info, state),
		offsetof(struct glass_conn_info, timer),
		offsetof(struct glass_conn_info, cc),
		offsetof(struct glass_conn_info, ca_state),
		offsetof(struct glass_conn_info, error_why),
	};
	int n = opt_parse(self, options, COUNT(options), argc, argv), err;
	struct table t;

	if (n < 0 || parse_filter(self, n, argv))
		return EXIT_USAGE;
	err = table_get(&t, "ss", sizeof(struct glass_conn_info), strings, COUNT(strings));
	if (err)
		return err;
	if (ctl.json)
		print_json(&t);
	else
		err = print_text(&t);
	table_free(&t);
	return err;
}
