/* SPDX-License-Identifier: MIT */
/* glass ss: sockets and connections, with the columns and the fields of `ss -ti`. */
#include "ctl.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static struct {
	bool all, listening, tcp, udp, ping, numeric, info, timers;
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
	return proto == GLASS_TCP ? "tcp" : proto == GLASS_UDP ? "udp" : "icmp";
}

static const char *or_empty(const char *s)
{
	return s ? s : "";
}

static void info_options(const struct glass_conn_info *c)
{
	printf("\t %s", or_empty(c->cc));
	if (c->timestamps)
		printf(" ts");
	if (c->sack)
		printf(" sack");
	if (c->wscale_snd || c->wscale_rcv)
		printf(" wscale:%u,%u", c->wscale_snd, c->wscale_rcv);
	if (c->rto_ns)
		printf(" rto:%" PRId64, c->rto_ns / NS_PER_MS);
	if (c->backoff)
		printf(" backoff:%u", c->backoff);
	if (c->srtt_ns)
		printf(" rtt:%.3f/%.3f", (double)c->srtt_ns / 1e6, (double)c->rttvar_ns / 1e6);
	printf(" mss:%u rcvmss:%u cwnd:%u", c->mss, c->rcv_mss, c->cwnd_segments);
	if (c->ssthresh_segments && c->ssthresh_segments < INT32_MAX)
		printf(" ssthresh:%u", c->ssthresh_segments);
}

static void info_nonzero(const char *name, uint64_t value)
{
	if (value)
		printf(" %s:%" PRIu64, name, value);
}

/* Where it stands, as ss -i: what is zero says nothing. */
static void info_line(const struct glass_conn_info *c)
{
	info_options(c);
	info_nonzero("bytes_sent", c->bytes_sent);
	info_nonzero("bytes_retrans", c->bytes_retrans);
	info_nonzero("bytes_acked", c->bytes_acked);
	info_nonzero("bytes_received", c->bytes_received);
	info_nonzero("segs_out", c->segs_out);
	info_nonzero("segs_in", c->segs_in);
	info_nonzero("unacked", c->unacked_segments);
	if (c->retrans_total)
		printf(" retrans:%u/%" PRIu64, c->retrans_out, c->retrans_total);
	info_nonzero("dsack_dups", c->dsack_dups);
	info_nonzero("lost", c->lost_segments);
	info_nonzero("sacked", c->sacked_segments);
	info_nonzero("reord_seen", c->reord_seen);
	info_nonzero("rcv_space", c->rcv_wnd);
	info_nonzero("snd_wnd", c->snd_wnd);
	if (c->minrtt_ns)
		printf(" minrtt:%.3f", (double)c->minrtt_ns / 1e6);
	if (c->ca_state && *c->ca_state && strcmp(c->ca_state, "Open") != 0)
		printf(" ca_state:%s", c->ca_state);
	if (c->orphan)
		printf(" orphan");
	if (c->error)
		printf(" error:%s%s%s", error_text(c->error), c->error_why ? ": " : "",
		       or_empty(c->error_why));
	putchar('\n');
}

static void timer_cell(struct columns *cols, const struct glass_conn_info *c)
{
	if (!want.timers)
		return;
	if (c->timer && *c->timer && c->timer_ns >= 0)
		columns_add(cols, "timer:(%s,%.3fsec,%u)", c->timer, (double)c->timer_ns / 1e9,
			    c->backoff);
	else
		columns_add(cols, "%s", "");
}

static void conn_cells(struct columns *cols, const struct glass_conn_info *c)
{
	char local[80], remote[80];

	columns_add(cols, "%s", proto_name(c->proto));
	columns_add(cols, "%s", c->state);
	columns_add(cols, "%" PRIu64, c->recv_q);
	columns_add(cols, "%" PRIu64, c->send_q);
	columns_add(cols, "%s", end_text(&c->local, local));
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

	if (shown[row]->proto == GLASS_TCP && strcmp(shown[row]->state, "LISTEN") != 0)
		info_line(shown[row]);
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
	columns_end(&cols, want.info ? conn_extra : NULL, shown);
	free(shown);
	return EXIT_OK;
}

static void json_end_of(const char *addr_key, const char *port_key, const struct glass_end *e)
{
	char addr[64];

	json_string(addr_key, addr_text(&e->addr, addr));
	json_unsigned(port_key, e->port);
}

static void json_window(const struct glass_conn_info *c)
{
	json_unsigned("mss", c->mss);
	json_unsigned("rcvmss", c->rcv_mss);
	json_unsigned("cwnd", c->cwnd_segments);
	json_unsigned("ssthresh", c->ssthresh_segments);
	json_unsigned("wscale_snd", c->wscale_snd);
	json_unsigned("wscale_rcv", c->wscale_rcv);
	json_bool("timestamps", c->timestamps);
	json_bool("sack", c->sack);
	json_unsigned("snd_wnd", c->snd_wnd);
	json_unsigned("rcv_wnd", c->rcv_wnd);
	json_unsigned("unacked", c->unacked_segments);
	json_unsigned("sacked", c->sacked_segments);
	json_unsigned("lost", c->lost_segments);
	json_unsigned("retrans_out", c->retrans_out);
	json_unsigned("retrans_total", c->retrans_total);
	json_unsigned("bytes_sent", c->bytes_sent);
	json_unsigned("bytes_acked", c->bytes_acked);
	json_unsigned("bytes_received", c->bytes_received);
	json_unsigned("bytes_retrans", c->bytes_retrans);
	json_unsigned("segs_out", c->segs_out);
	json_unsigned("segs_in", c->segs_in);
	json_unsigned("dsack_dups", c->dsack_dups);
	json_unsigned("reord_seen", c->reord_seen);
}

static void json_tcp(const struct glass_conn_info *c)
{
	json_window(c);
	json_double("rto_ms", (double)c->rto_ns / 1e6, 3);
	json_double("rtt_ms", (double)c->srtt_ns / 1e6, 3);
	json_double("rttvar_ms", (double)c->rttvar_ns / 1e6, 3);
	json_double("minrtt_ms", (double)c->minrtt_ns / 1e6, 3);
	json_unsigned("backoff", c->backoff);
	if (c->timer && *c->timer && c->timer_ns >= 0) {
		json_string("timer", c->timer);
		json_double("timer_s", (double)c->timer_ns / 1e9, 3);
	}
	json_string("cc", or_empty(c->cc));
	json_string("ca_state", or_empty(c->ca_state));
	json_bool("orphan", c->orphan);
	if (c->error) {
		json_string("error", error_text(c->error));
		json_string("error_why", or_empty(c->error_why));
	}
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
		if (c->proto == GLASS_TCP)
			json_tcp(c);
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
