/* SPDX-License-Identifier: MIT */
/*
 * A sample of glass top as lines: the heading, a row per connection in the wanted order, and all
 * about one connection; and as JSON. The screen draws these lines, the batch mode prints them.
 *
 * In: cmd_top.c, top_screen.c.	Out: top_rows.c, ss_info.c for the details.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "ss.h"
#include "top.h"

/* ---- lines ---- */

static void add(struct top_lines *out, enum top_look look, uint32_t conn, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
static void add(struct top_lines *out, enum top_look look, uint32_t conn, const char *format, ...)
{
	va_list args;

	if (out->n == out->cap) {
		out->cap = out->cap ? out->cap * 2 : 64;
		out->line = realloc(out->line, out->cap * sizeof(*out->line));
		if (!out->line) {
			failed("out of memory");
			exit(EXIT_FAILED);
		}
	}
	va_start(args, format);
	vsnprintf(out->line[out->n].text, TOP_LINE_BYTES, format, args);
	va_end(args);
	out->line[out->n].look = look;
	out->line[out->n++].conn = conn;
}

void top_lines_free(struct top_lines *out)
{
	free(out->line);
	*out = (struct top_lines){ 0 };
}

/* ---- the heading ---- */

static void add_drops(struct top_lines *out, const struct top_sample *s)
{
	char rate[16], text[256] = "";
	size_t n = 0;

	for (unsigned i = 0; i < TOP_DROPS && s->drop[i].name; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s %" PRIu64, i ? ", " : " (",
				      s->drop[i].name, s->drop[i].count);
	add(out, s->drops > 0 ? TOP_BAD : TOP_PLAIN, 0, "drops  %6s /s, %" PRIu64 " in all%s%s",
	    top_scaled(s->drops, rate), s->now.drops, text, *text ? ")" : "");
}

static void add_heading(struct top_lines *out, const struct top_view *v, const struct top_sample *s)
{
	char a[16], b[16], c[16];
	int64_t up = s->uptime_s;

	add(out, TOP_BOLD, 0,
	    "glass top - stack %s up %" PRId64 ":%02" PRId64 ":%02" PRId64
	    ", %u established, %u other, %u listening, memory %s%s",
	    ctl.stack, up / 3600, up / 60 % 60, up % 60, s->estab, s->others, s->listening,
	    top_scaled((double)s->memory_bytes, a), v->paused ? " - PAUSED" : "");
	add(out, TOP_PLAIN, 0, "in     %6s bit/s %6s frames/s   out    %6s bit/s %6s frames/s",
	    top_scaled(s->rx_bytes * 8, a), top_scaled(s->rx_frames, b),
	    top_scaled(s->tx_bytes * 8, c), top_scaled(s->tx_frames, (char[16]){ 0 }));
	add(out, s->rtx > 0 ? TOP_BAD : TOP_PLAIN, 0, "again  %6s /s, %" PRIu64 " segments in all",
	    top_scaled(s->rtx, a), s->now.rtx);
	add_drops(out, s);
	for (unsigned i = 0; i < s->nets; i++)
		add(out, TOP_BAD, 0, "net    %s", s->net[i]);
	if (!s->nets)
		add(out, TOP_PLAIN, 0, "net    as it is");
}

static void add_filter(struct top_lines *out, const struct top_view *v, uint64_t n)
{
	if (*v->filter)
		add(out, TOP_BOLD, 0, "filter '%s': %" PRIu64 " rows", v->filter, n);
	else
		add(out, TOP_PLAIN, 0, "%s", "");
}

void top_lines(struct top_lines *out, const struct top_view *v, const struct top_sample *s,
	       const struct top_sample *before)
{
	char text[TOP_LINE_BYTES];
	uint64_t n;
	struct top_row *rows = top_rows(v, s, before, &n);

	out->n = 0;
	add_heading(out, v, s);
	add_filter(out, v, n);
	top_headings(v, text, sizeof(text));
	add(out, TOP_HEADING, 0, "%s", text);
	out->rows_at = out->n;
	for (uint64_t i = 0; i < n; i++) {
		bool chosen = v->selecting && rows[i].c->conn == v->selected;
		bool bad = rows[i].rtx > 0;

		top_row_text(&rows[i], text, sizeof(text));
		add(out,
		    chosen ? TOP_SELECTED
		    : bad  ? TOP_BAD
			   : TOP_PLAIN,
		    rows[i].c->conn, "%s", text);
	}
	free(rows);
}

/* ---- one connection ---- */

/* What print() writes to stdout, which is a variable in the GNU C library. The caller's. */
static char *written(void (*print)(const struct glass_conn_info *c),
		     const struct glass_conn_info *c)
{
	FILE *was = stdout;
	char *text = NULL;
	size_t size;

	fflush(stdout);
	stdout = open_memstream(&text, &size);
	if (!stdout) {
		stdout = was;
		return NULL;
	}
	print(c);
	fclose(stdout);
	stdout = was;
	return text;
}

/* Words into lines of that width. */
static void add_wrapped(struct top_lines *out, char *text, unsigned width)
{
	char line[TOP_LINE_BYTES] = "", *save = NULL;
	size_t n = 0;

	for (char *w = strtok_r(text, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		if (n && n + 1 + strlen(w) > width - 2) {
			add(out, TOP_PLAIN, 0, "  %s", line);
			n = 0;
		}
		n += (size_t)snprintf(line + n, sizeof(line) - n, "%s%s", n ? " " : "", w);
		if (n >= sizeof(line))
			n = sizeof(line) - 1;
	}
	if (n)
		add(out, TOP_PLAIN, 0, "  %s", line);
}

static void add_budget(struct top_lines *out, const struct glass_conn_info *c)
{
	add(out, TOP_BOLD, 0, "what held it back, of %.3f s", (double)c->life_ns / 1e9);
	for (unsigned i = 0; i < GLASS_LIMIT_COUNT; i++)
		if (c->limit_ns[i] > 0)
			add(out, TOP_PLAIN, 0, "  %5.1f %%  %s%s",
			    100.0 * (double)c->limit_ns[i] / (double)c->life_ns, ss_limit_name(i),
			    i == (unsigned)c->limiter ? "   <- now" : "");
}

void top_details(struct top_lines *out, const struct top_sample *s, const struct top_sample *before,
		 uint32_t conn, unsigned width)
{
	uint32_t i = map_get(&s->of, conn);
	const struct glass_conn_info *c =
		i ? TABLE_ROW(&s->conns, struct glass_conn_info, i - 1) : NULL;
	char tx[16], rx[16], local[80], remote[80], *text;
	struct top_row r;

	out->n = 0;
	if (!c) {
		add(out, TOP_BOLD, 0, "connection %u is over: glass why %u", conn, conn);
		return;
	}
	r = top_row_of(s, before, c);
	add(out, TOP_BOLD, 0, "connection %u: %s > %s  %s", conn, end_text(&c->local, local),
	    end_text(&c->remote, remote), c->state);
	add(out, TOP_PLAIN, 0, "out %s bit/s  in %s bit/s", top_scaled(r.tx * 8, tx),
	    top_scaled(r.rx * 8, rx));
	add(out, TOP_PLAIN, 0, "%s", "");
	text = c->proto == GLASS_TCP && strcmp(c->state, "LISTEN") != 0 ? written(ss_info, c)
									: NULL;
	if (text) {
		add(out, TOP_BOLD, 0, "as glass ss -i tells it");
		add_wrapped(out, text, width > 40 ? width : 40);
		free(text);
	}
	if (c->life_ns > 0)
		add_budget(out, c);
	add(out, TOP_PLAIN, 0, "%s", "");
	add(out, TOP_PLAIN, 0, "more: glass trace %u, glass why --slow %u", conn, conn);
}

/* ---- JSON ---- */

static void json_rows(const struct top_view *v, const struct top_sample *s,
		      const struct top_sample *before)
{
	uint64_t n;
	struct top_row *rows = top_rows(v, s, before, &n);
	char text[80];

	json_begin_array("connections");
	for (uint64_t i = 0; i < n; i++) {
		const struct glass_conn_info *c = rows[i].c;

		json_begin_object(NULL);
		json_unsigned("conn", c->conn);
		json_string("state", c->state);
		json_string("local", end_text(&c->local, text));
		json_string("peer", end_text(&c->remote, text));
		json_double("tx_bit_s", rows[i].tx * 8, 0);
		json_double("rx_bit_s", rows[i].rx * 8, 0);
		json_double("rtx_s", rows[i].rtx, 3);
		json_double("rtt_ms", (double)c->srtt_ns / 1e6, 3);
		json_unsigned("cwnd", c->cwnd_segments);
		json_unsigned("retrans_total", c->retrans_total);
		json_unsigned("recv_q", c->recv_q);
		json_unsigned("send_q", c->send_q);
		json_string("limiter", top_limiter(c));
		json_end();
	}
	json_end();
	free(rows);
}

static void json_drops(const struct top_sample *s)
{
	json_begin_array("top_drops");
	for (unsigned i = 0; i < TOP_DROPS && s->drop[i].name; i++) {
		json_begin_object(NULL);
		json_string("reason", s->drop[i].name);
		json_unsigned("count", s->drop[i].count);
		json_double("rate_s", s->drop[i].rate, 3);
		json_end();
	}
	json_end();
}

void top_json(const struct top_view *v, const struct top_sample *s, const struct top_sample *before)
{
	json_begin_object(NULL);
	json_string("stack", ctl.stack);
	json_number("uptime_s", s->uptime_s);
	json_unsigned("established", s->estab);
	json_unsigned("other", s->others);
	json_unsigned("listening", s->listening);
	json_unsigned("memory_bytes", s->memory_bytes);
	json_double("in_bit_s", s->rx_bytes * 8, 0);
	json_double("in_frames_s", s->rx_frames, 3);
	json_double("out_bit_s", s->tx_bytes * 8, 0);
	json_double("out_frames_s", s->tx_frames, 3);
	json_double("rtx_s", s->rtx, 3);
	json_unsigned("rtx", s->now.rtx);
	json_double("drops_s", s->drops, 3);
	json_unsigned("drops", s->now.drops);
	json_drops(s);
	json_begin_array("net");
	for (unsigned i = 0; i < s->nets; i++)
		json_string(NULL, s->net[i]);
	json_end();
	json_rows(v, s, before);
	json_end();
}
