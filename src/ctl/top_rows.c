/* SPDX-License-Identifier: MIT */
/*
 * The rows of glass top: which connections, in which order, and the columns.
 *
 * In: top_lines.c.	Out: ss_filter.c.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ss.h"
#include "top.h"

const char *top_scaled(double v, char out[16])
{
	static const char units[] = " kMGT";
	unsigned i = 0;

	while (v >= 999.5 && i < sizeof(units) - 2) {
		v /= 1000;
		i++;
	}
	if (i)
		snprintf(out, 16, "%.3g%c", v, units[i]);
	else
		snprintf(out, 16, v > 0 && v < 10 ? "%.1f" : "%.0f", v);
	return out;
}

/* ---- rows ---- */

struct column {
	const char *name;
	int width; /* negative: to the left */
	void (*cell)(const struct top_row *r, char *out, size_t size);
	double (*key)(const struct top_row *r); /* NULL: by the cell's text */
	bool ascending; /* the interesting ones stand on top of themselves */
};

static void cell_conn(const struct top_row *r, char *out, size_t size)
{
	snprintf(out, size, "%u", r->c->conn);
}

static double key_conn(const struct top_row *r)
{
	return r->c->conn;
}

static void cell_state(const struct top_row *r, char *out, size_t size)
{
	snprintf(out, size, "%s", r->c->proto == GLASS_UDP ? "udp" : r->c->state);
}

static void cell_local(const struct top_row *r, char *out, size_t size)
{
	char text[80];

	snprintf(out, size, "%s", end_text(&r->c->local, text));
}

static void cell_peer(const struct top_row *r, char *out, size_t size)
{
	char text[80];

	snprintf(out, size, "%s", end_text(&r->c->remote, text));
}

static void cell_scaled(double v, char *out, size_t size)
{
	char text[16];

	snprintf(out, size, "%s", top_scaled(v, text));
}

static void cell_tx(const struct top_row *r, char *out, size_t size)
{
	cell_scaled(r->tx * 8, out, size);
}

static double key_tx(const struct top_row *r)
{
	return r->tx;
}

static void cell_rx(const struct top_row *r, char *out, size_t size)
{
	cell_scaled(r->rx * 8, out, size);
}

static double key_rx(const struct top_row *r)
{
	return r->rx;
}

static double key_rate(const struct top_row *r)
{
	return r->rx + r->tx;
}

static void cell_rtt(const struct top_row *r, char *out, size_t size)
{
	if (r->c->srtt_ns)
		snprintf(out, size, "%.3g", (double)r->c->srtt_ns / 1e6);
	else
		snprintf(out, size, "-");
}

static double key_rtt(const struct top_row *r)
{
	return (double)r->c->srtt_ns;
}

static void cell_cwnd(const struct top_row *r, char *out, size_t size)
{
	snprintf(out, size, "%u", r->c->cwnd_segments);
}

static double key_cwnd(const struct top_row *r)
{
	return r->c->cwnd_segments;
}

static void cell_rtx(const struct top_row *r, char *out, size_t size)
{
	cell_scaled((double)r->c->retrans_total, out, size);
}

static double key_rtx(const struct top_row *r)
{
	return (double)r->c->retrans_total;
}

static void cell_recv_q(const struct top_row *r, char *out, size_t size)
{
	cell_scaled((double)r->c->recv_q, out, size);
}

static double key_recv_q(const struct top_row *r)
{
	return (double)r->c->recv_q;
}

static void cell_send_q(const struct top_row *r, char *out, size_t size)
{
	cell_scaled((double)r->c->send_q, out, size);
}

static double key_send_q(const struct top_row *r)
{
	return (double)r->c->send_q;
}

const char *top_limiter(const struct glass_conn_info *c)
{
	bool known = c->life_ns > 0 && (unsigned)c->limiter < GLASS_LIMIT_COUNT;

	return known ? ss_limit_name((unsigned)c->limiter) : "-";
}

static void cell_limiter(const struct top_row *r, char *out, size_t size)
{
	snprintf(out, size, "%s", top_limiter(r->c));
}

/* Rates are in bit/s, rtt in ms. */
static const struct column columns[] = {
	{ "conn", 6, cell_conn, key_conn, true },
	{ "state", -11, cell_state, NULL, true },
	{ "local", -21, cell_local, NULL, true },
	{ "peer", -21, cell_peer, NULL, true },
	{ "tx", 6, cell_tx, key_tx, false },
	{ "rx", 6, cell_rx, key_rx, false },
	{ "rtt", 6, cell_rtt, key_rtt, false },
	{ "cwnd", 5, cell_cwnd, key_cwnd, false },
	{ "rtx", 5, cell_rtx, key_rtx, false },
	{ "recv-q", 6, cell_recv_q, key_recv_q, false },
	{ "send-q", 6, cell_send_q, key_send_q, false },
	{ "limiter", -11, cell_limiter, NULL, true },
	{ "rate", 0, NULL, key_rate, false }, /* both ways: no column, only an order */
};

const char *top_column_name(unsigned i)
{
	return i < COUNT(columns) ? columns[i].name : NULL;
}

int top_column(const char *name)
{
	for (unsigned i = 0; i < COUNT(columns); i++)
		if (!strcmp(columns[i].name, name))
			return (int)i;
	return -1;
}

void top_row_text(const struct top_row *r, char *out, size_t size)
{
	char cell[96];
	size_t n = 0;

	for (unsigned i = 0; i < COUNT(columns) && n < size; i++) {
		if (!columns[i].cell)
			continue;
		columns[i].cell(r, cell, sizeof(cell));
		n += (size_t)snprintf(out + n, size - n, "%s%*s", i ? " " : "", columns[i].width,
				      cell);
	}
}

void top_headings(const struct top_view *v, char *out, size_t size)
{
	char name[32];
	size_t n = 0;

	for (unsigned i = 0; i < COUNT(columns) && n < size; i++) {
		if (!columns[i].cell)
			continue;
		snprintf(name, sizeof(name), "%s%s", columns[i].name,
			 i != v->sort ? ""
			 : v->reverse ? "^"
				      : "*");
		for (char *p = name; *p; p++)
			*p = (char)(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
		n += (size_t)snprintf(out + n, size - n, "%s%*s", i ? " " : "", columns[i].width,
				      name);
	}
}

static int compare(const void *a, const void *b, void *arg)
{
	const struct top_view *v = arg;
	const struct column *col = &columns[v->sort];
	const struct top_row *x = a, *y = b;
	char left[96], right[96];
	int order;

	if (col->key) {
		order = (col->key(x) > col->key(y)) - (col->key(x) < col->key(y));
	} else {
		col->cell(x, left, sizeof(left));
		col->cell(y, right, sizeof(right));
		order = strcmp(left, right);
	}
	order = col->ascending != v->reverse ? order : -order;
	return order ? order : (x->c->conn > y->c->conn) - (x->c->conn < y->c->conn);
}

struct top_row top_row_of(const struct top_sample *s, const struct top_sample *before,
			  const struct glass_conn_info *c)
{
	uint32_t i = before && c->conn ? map_get(&before->of, c->conn) : 0;
	const struct glass_conn_info none = { 0 },
				     *was = i ? TABLE_ROW(&before->conns, struct glass_conn_info,
							  i - 1)
					      : &none;
	double seconds = (double)(before ? s->time_ns - before->time_ns : c->life_ns) / 1e9;

	return (struct top_row){
		.c = c,
		.tx = top_per_second(c->bytes_acked, was->bytes_acked, seconds),
		.rx = top_per_second(c->bytes_received, was->bytes_received, seconds),
		.rtx = top_per_second(c->retrans_total, was->retrans_total, seconds)
	};
}

static bool is_shown(const struct top_view *v, const struct top_row *r)
{
	char text[TOP_LINE_BYTES];

	if (!v->listening && (!strcmp(r->c->state, "LISTEN") || !strcmp(r->c->state, "UNCONN")))
		return false;
	if (!ss_filter_holds(r->c))
		return false;
	if (!*v->filter)
		return true;
	top_row_text(r, text, sizeof(text));
	return strcasestr(text, v->filter);
}

struct top_row *top_rows(const struct top_view *v, const struct top_sample *s,
			 const struct top_sample *before, uint64_t *n)
{
	struct top_row *rows = calloc(s->conns.count + 1, sizeof(*rows));

	*n = 0;
	if (!rows) {
		failed("out of memory");
		exit(EXIT_FAILED);
	}
	for (uint64_t i = 0; i < s->conns.count; i++) {
		const struct glass_conn_info *c = TABLE_ROW(&s->conns, struct glass_conn_info, i);

		if (!c->state)
			continue;
		rows[*n] = top_row_of(s, before, c);
		*n += is_shown(v, &rows[*n]);
	}
	qsort_r(rows, *n, sizeof(*rows), compare, (void *)(uintptr_t)v);
	return rows;
}
