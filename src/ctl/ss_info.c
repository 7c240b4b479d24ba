/* SPDX-License-Identifier: MIT */
/*
 * What "glass ss" tells of a connection beside its ends: the words and the order of ss(8), and what
 * held it back (limit.def).
 *
 * In: cmd_ss.c.  Out: stdout.
 */
#include "ctl.h"

#include <inttypes.h>
#include <string.h>

#include "ss.h"

static const char *const limit_names[GLASS_LIMIT_COUNT] = {
#define LIMIT(ID, name, word, doc) [GLASS_LIMIT_##ID] = (name),
#include <glass/limit.def>
#undef LIMIT
};

const char *ss_limit_name(unsigned i)
{
	return limit_names[i];
}

static const char *or_empty(const char *s)
{
	return s ? s : "";
}

static bool has_limits(const struct glass_conn_info *c)
{
	return c->life_ns > 0 && (unsigned)c->limiter < GLASS_LIMIT_COUNT;
}

/* ---- text ------------------------------------------------------------------------------------ */

static void nonzero(const char *name, uint64_t value)
{
	if (value)
		printf(" %s:%" PRIu64, name, value);
}

static void ms_of(const char *name, int64_t ns)
{
	if (ns >= 0)
		printf(" %s:%" PRId64, name, ns / NS_PER_MS);
}

/* "12.4Mbps" */
static void rate(const char *name, double bit_s)
{
	static const struct {
		double unit;
		const char *name;
	} units[] = { { 1e12, "T" }, { 1e9, "G" }, { 1e6, "M" }, { 1e3, "k" }, { 1, "" } };
	unsigned i = 0;

	if (bit_s < 1)
		return;
	while (bit_s < units[i].unit)
		i++;
	printf(" %s %.3g%sbps", name, bit_s / units[i].unit, units[i].name);
}

static void info_options(const struct glass_conn_info *c)
{
	if (c->timestamps)
		printf(" ts");
	if (c->sack)
		printf(" sack");
	if (c->ecn)
		printf(" ecn");
	if (c->ecn_seen)
		printf(" ecnseen");
	printf(" %s", or_empty(c->cc));
	if (c->wscale_snd || c->wscale_rcv)
		printf(" wscale:%u,%u", c->wscale_snd, c->wscale_rcv);
	if (c->rto_ns)
		printf(" rto:%" PRId64, c->rto_ns / NS_PER_MS);
	nonzero("backoff", c->backoff);
	if (c->srtt_ns)
		printf(" rtt:%.3f/%.3f", (double)c->srtt_ns / 1e6, (double)c->rttvar_ns / 1e6);
	if (c->ato_ns)
		printf(" ato:%" PRId64, c->ato_ns / NS_PER_MS);
	printf(" mss:%u pmtu:%u rcvmss:%u advmss:%u cwnd:%u", c->mss, c->pmtu, c->rcv_mss,
	       c->advmss, c->cwnd_segments);
	nonzero("ssthresh", c->ssthresh_segments);
}

static void info_counts(const struct glass_conn_info *c)
{
	nonzero("bytes_sent", c->bytes_sent);
	nonzero("bytes_retrans", c->bytes_retrans);
	nonzero("bytes_acked", c->bytes_acked);
	nonzero("bytes_received", c->bytes_received);
	nonzero("segs_out", c->segs_out);
	nonzero("segs_in", c->segs_in);
	nonzero("data_segs_out", c->data_segs_out);
	nonzero("data_segs_in", c->data_segs_in);
	if (c->srtt_ns)
		rate("send", (double)c->cwnd_segments * c->mss * 8 * 1e9 / (double)c->srtt_ns);
	ms_of("lastsnd", c->last_snd_ns);
	ms_of("lastrcv", c->last_rcv_ns);
	ms_of("lastack", c->last_ack_ns);
	rate("delivery_rate", (double)c->delivery_rate * 8);
	nonzero("delivered", c->delivered);
	if (c->app_limited)
		printf(" app_limited");
}

static void part_of_busy(const struct glass_conn_info *c, const char *name, int64_t ns)
{
	if (ns)
		printf(" %s:%" PRId64 "ms(%.1f%%)", name, ns / NS_PER_MS,
		       100.0 * (double)ns / (double)c->busy_ns);
}

static void info_recovery(const struct glass_conn_info *c)
{
	nonzero("unacked", c->unacked_segments);
	if (c->retrans_total)
		printf(" retrans:%u/%" PRIu64, c->retrans_out, c->retrans_total);
	nonzero("lost", c->lost_segments);
	nonzero("sacked", c->sacked_segments);
	nonzero("dsack_dups", c->dsack_dups);
	nonzero("reordering", c->reordering);
	nonzero("reord_seen", c->reord_seen);
	nonzero("total_rto", c->total_rto);
	if (c->rcv_rtt_ns)
		printf(" rcv_rtt:%.3f", (double)c->rcv_rtt_ns / 1e6);
	nonzero("rcv_space", c->rcv_space);
	nonzero("rcv_ssthresh", c->rcv_ssthresh);
	nonzero("notsent", c->notsent);
	if (c->minrtt_ns)
		printf(" minrtt:%.3f", (double)c->minrtt_ns / 1e6);
	nonzero("rcv_ooopack", c->rcv_ooopack);
	nonzero("snd_wnd", c->snd_wnd);
	nonzero("rcv_wnd", c->rcv_wnd);
}

/* limiter:cwnd life:1040ms limits:(handshake:40ms,cwnd:1000ms) */
static void info_limits(const struct glass_conn_info *c)
{
	const char *before = "";

	if (!has_limits(c))
		return;
	printf(" limiter:%s life:%" PRId64 "ms limits:(", limit_names[c->limiter],
	       c->life_ns / NS_PER_MS);
	for (unsigned i = 0; i < GLASS_LIMIT_COUNT; i++) {
		if (!c->limit_ns[i])
			continue;
		printf("%s%s:%" PRId64 "ms", before, limit_names[i], c->limit_ns[i] / NS_PER_MS);
		before = ",";
	}
	putchar(')');
}

void ss_info(const struct glass_conn_info *c)
{
	info_options(c);
	info_counts(c);
	if (c->busy_ns)
		printf(" busy:%" PRId64 "ms", c->busy_ns / NS_PER_MS);
	part_of_busy(c, "rwnd_limited", c->rwnd_limited_ns);
	part_of_busy(c, "sndbuf_limited", c->sndbuf_limited_ns);
	info_recovery(c);
	info_limits(c);
	if (c->ca_state && *c->ca_state && strcmp(c->ca_state, "Open") != 0)
		printf(" ca_state:%s", c->ca_state);
	if (c->orphan)
		printf(" orphan");
	if (c->error)
		printf(" error:%s%s%s", error_text(c->error), c->error_why ? ": " : "",
		       or_empty(c->error_why));
}

void ss_memory(const struct glass_conn_info *c)
{
	printf(" skmem:(r%" PRIu64 ",rb%" PRIu64 ",t%" PRIu64 ",tb%" PRIu64 ",f0,w%" PRIu64
	       ",o0,bl0,d0)",
	       c->rmem, c->rcvbuf, c->wmem, c->sndbuf, c->wmem);
}

/* As ss: "119min", "1.204ms" is a second and 204 ms, "57sec", "204ms". */
const char *ss_timer(int64_t ns, char out[32])
{
	int64_t ms = ns / NS_PER_MS, s = ms / 1000, min = s / 60;
	int n = 0;

	s %= 60;
	ms = min || s > 9 ? 0 : ms % 1000;
	if (min > 9)
		s = 0;
	out[0] = '\0';
	if (min)
		n += snprintf(out, 32, "%" PRId64 "min", min);
	if (s)
		n += snprintf(out + n, (size_t)(32 - n), "%" PRId64 "%s", s, ms ? "." : "sec");
	if (ms || !n)
		snprintf(out + n, (size_t)(32 - n), "%03" PRId64 "ms", ms);
	return out;
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void json_window(const struct glass_conn_info *c)
{
	json_unsigned("mss", c->mss);
	json_unsigned("pmtu", c->pmtu);
	json_unsigned("rcvmss", c->rcv_mss);
	json_unsigned("advmss", c->advmss);
	json_unsigned("cwnd", c->cwnd_segments);
	json_unsigned("ssthresh", c->ssthresh_segments);
	json_unsigned("wscale_snd", c->wscale_snd);
	json_unsigned("wscale_rcv", c->wscale_rcv);
	json_bool("timestamps", c->timestamps);
	json_bool("sack", c->sack);
	json_bool("ecn", c->ecn);
	json_bool("ecnseen", c->ecn_seen);
	json_unsigned("snd_wnd", c->snd_wnd);
	json_unsigned("rcv_wnd", c->rcv_wnd);
	json_unsigned("rcv_ssthresh", c->rcv_ssthresh);
	json_unsigned("rcv_space", c->rcv_space);
	json_unsigned("unacked", c->unacked_segments);
	json_unsigned("sacked", c->sacked_segments);
	json_unsigned("lost", c->lost_segments);
	json_unsigned("retrans_out", c->retrans_out);
	json_unsigned("retrans_total", c->retrans_total);
	json_unsigned("total_rto", c->total_rto);
	json_unsigned("reordering", c->reordering);
}

static void json_counts(const struct glass_conn_info *c)
{
	json_unsigned("bytes_sent", c->bytes_sent);
	json_unsigned("bytes_acked", c->bytes_acked);
	json_unsigned("bytes_received", c->bytes_received);
	json_unsigned("bytes_retrans", c->bytes_retrans);
	json_unsigned("segs_out", c->segs_out);
	json_unsigned("segs_in", c->segs_in);
	json_unsigned("data_segs_out", c->data_segs_out);
	json_unsigned("data_segs_in", c->data_segs_in);
	json_unsigned("delivered", c->delivered);
	json_unsigned("delivery_rate", c->delivery_rate * 8);
	json_bool("app_limited", c->app_limited);
	json_unsigned("notsent", c->notsent);
	json_unsigned("dsack_dups", c->dsack_dups);
	json_unsigned("reord_seen", c->reord_seen);
	json_unsigned("rcv_ooopack", c->rcv_ooopack);
	json_unsigned("rmem", c->rmem);
	json_unsigned("rcvbuf", c->rcvbuf);
	json_unsigned("wmem", c->wmem);
	json_unsigned("sndbuf", c->sndbuf);
}

static void json_ms(const char *name, int64_t ns)
{
	if (ns >= 0)
		json_double(name, (double)ns / 1e6, 3);
}

static void json_limits(const struct glass_conn_info *c)
{
	if (!has_limits(c))
		return;
	json_ms("busy_ms", c->busy_ns);
	json_ms("rwnd_limited_ms", c->rwnd_limited_ns);
	json_ms("sndbuf_limited_ms", c->sndbuf_limited_ns);
	json_string("limiter", limit_names[c->limiter]);
	json_ms("life_ms", c->life_ns);
	json_begin_object("limits_ms");
	for (unsigned i = 0; i < GLASS_LIMIT_COUNT; i++)
		if (c->limit_ns[i])
			json_ms(limit_names[i], c->limit_ns[i]);
	json_end();
}

void ss_json(const struct glass_conn_info *c)
{
	json_window(c);
	json_counts(c);
	json_ms("rto_ms", c->rto_ns);
	json_ms("rtt_ms", c->srtt_ns);
	json_ms("rttvar_ms", c->rttvar_ns);
	json_ms("ato_ms", c->ato_ns);
	json_ms("minrtt_ms", c->minrtt_ns);
	json_ms("rcv_rtt_ms", c->rcv_rtt_ns);
	json_ms("lastsnd_ms", c->last_snd_ns);
	json_ms("lastrcv_ms", c->last_rcv_ns);
	json_ms("lastack_ms", c->last_ack_ns);
	json_unsigned("backoff", c->backoff);
	json_unsigned("probes", c->probes);
	if (c->timer && *c->timer && c->timer_ns >= 0) {
		json_string("timer", c->timer);
		json_double("timer_s", (double)c->timer_ns / 1e9, 3);
	}
	json_string("cc", or_empty(c->cc));
	json_string("ca_state", or_empty(c->ca_state));
	json_limits(c);
	json_bool("orphan", c->orphan);
	if (c->error) {
		json_string("error", error_text(c->error));
		json_string("error_why", or_empty(c->error_why));
	}
}
