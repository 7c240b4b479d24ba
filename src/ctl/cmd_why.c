/* SPDX-License-Identifier: MIT */
/*
 * glass why: why a connection failed, or how it ended, in a few lines: the facts about it
 * (facts.c), the deepest cause first.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "facts.h"
#include "why.h"

/* ---- telling ---- */

static void line(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void line(const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (ctl.json)
		json_string(NULL, text);
	else
		printf("  %s\n", text);
}

static double after(const struct facts *f, int64_t ns)
{
	return (double)between(f->conn->begin_ns, ns) / 1e9;
}

/* "292 us": how long after its beginning. */
static const char *span_text(const struct facts *f, int64_t ns, char text[32])
{
	glass_value_text(NULL, GLASS_KIND_NS, (uint64_t)between(f->conn->begin_ns, ns), text, 32);
	return text;
}

/* "at 0.000, 1.001, 2.002 s" */
static const char *times_text(const struct facts *f, const struct times *t, char text[128])
{
	int n = snprintf(text, 128, "at ");

	for (uint32_t i = 0; i < t->n && i < TIMES_MAX; i++)
		n += snprintf(text + n, 128 - (size_t)n, "%s%.3f", i ? ", " : "",
			      after(f, t->at_ns[i]));
	snprintf(text + n, 128 - (size_t)n, "%s s", t->n > TIMES_MAX ? " ..." : "");
	return text;
}

static const char *host_text(uint64_t end4, char text[32])
{
	glass_value_text(NULL, GLASS_KIND_IP4, end4 >> 16, text, 32);
	return text;
}

static const char *plural(uint32_t n)
{
	return n == 1 ? "" : "s";
}

static void tell_neighbour(const struct facts *f)
{
	char times[128], target[32], host[32];
	bool gateway = f->arp_target != f->conn->remote >> 16;

	glass_value_text(NULL, GLASS_KIND_IP4, f->arp_target, target, sizeof(target));
	if (!f->arp.n)
		line("The next hop does not answer ARP: it failed a moment before already.");
	else if (gateway)
		line("%s, the next hop on the way to %s, did not answer %u ARP request%s (%s): no "
		     "host with this "
		     "address on %s.",
		     target, host_text(f->conn->remote, host), f->arp.n, plural(f->arp.n),
		     times_text(f, &f->arp, times), f->dev);
	else
		line("%s did not answer %u ARP request%s (%s): no host with this address on %s.",
		     target, f->arp.n, plural(f->arp.n), times_text(f, &f->arp, times), f->dev);
}

static void tell_silence(const struct facts *f)
{
	char times[128], host[32];

	host_text(f->conn->remote, host);
	line("SYN went out %u time%s (%s) and nothing came back, neither an answer nor a refusal.",
	     f->syn.n, plural(f->syn.n), times_text(f, &f->syn, times));
	if (f->black_hole)
		line("%s is a black hole made by 'glass net blackhole': glass net clear ends it.",
		     host);
	else
		line("%s answers ARP (or a router does), so packets vanish behind it: a firewall "
		     "that drops, or a dead "
		     "host behind a router.",
		     host);
}

static void tell_refusal(const struct facts *f)
{
	char host[32], span[32];

	line("%s answered the SYN with RST after %s: the host is up, and no program listens on "
	     "port %u.",
	     host_text(f->conn->remote, host), span_text(f, f->reset_ns, span),
	     (unsigned)(f->conn->remote & 0xffff));
}

static void tell_traffic(const struct facts *f)
{
	line("%" PRIu64 " bytes came in, %" PRIu64
	     " were acknowledged by the peer, %u segment%s sent again, "
	     "%u timeout%s.",
	     f->received, f->acked < f->sent ? f->acked : f->sent, f->rtx, plural(f->rtx),
	     f->timeouts, plural(f->timeouts));
}

static void tell_icmp(const struct story *s, const struct facts *f)
{
	char text[128];

	glass_record_text(&s->reader, &f->icmp, text, sizeof(text));
	line("An ICMP message said so: %s (at %.3f s).", text, after(f, f->icmp.time_ns));
}

/* What led to the error, by what was seen. */
static void tell_error_cause(const struct story *s, const struct facts *f)
{
	bool by_icmp = f->has_icmp && (f->error == EHOSTUNREACH || f->error == ENETUNREACH ||
				       f->error == ECONNREFUSED);

	if (f->error == EHOSTUNREACH && f->neigh_failed)
		tell_neighbour(f);
	else if (by_icmp)
		tell_icmp(s, f);
	else if (f->error == ECONNREFUSED && f->reset)
		tell_refusal(f);
	else if (f->error == ETIMEDOUT && !f->established)
		tell_silence(f);
	else if (f->error == ECONNRESET && f->reset)
		line("The peer sent RST at %.3f s, %s ESTABLISHED: it aborted, or knows nothing of "
		     "this connection.",
		     after(f, f->reset_ns), f->established ? "after it was" : "before it was");
	else if (f->error == ETIMEDOUT)
		line("The peer was last heard at %.3f s; %u timeout%s and %u retransmission%s "
		     "later it was given up.",
		     after(f, f->heard_ns), f->timeouts, plural(f->timeouts), f->rtx,
		     plural(f->rtx));
	if (f->established)
		tell_traffic(f);
}

static void tell_error(const struct story *s, const struct facts *f)
{
	char why[128], span[32];

	tell_error_cause(s, f);
	kind_text(s, GLASS_KIND_WORD, f->end_why, why, sizeof(why));
	line("The program got %s after %s: %s.", error_text(f->error),
	     span_text(f, f->end_ns, span), why);
}

static void tell_open(const struct facts *f)
{
	char times[128];

	if (f->established) {
		tell_traffic(f);
		return;
	}
	if (f->arp.n && !f->neigh_answered && !f->heard_ns)
		line("The SYN waits for the hardware address of its next hop: %u ARP request%s so "
		     "far (%s).",
		     f->arp.n, plural(f->arp.n), times_text(f, &f->arp, times));
	else if (f->syn.n > 1 || f->black_hole)
		tell_silence(f);
}

static void tell_closed(const struct facts *f)
{
	char span[32];

	span_text(f, f->last_ns, span);
	if (!f->established) {
		tell_open(f);
		line("The program gave up after %s: it closed the socket before the connection "
		     "stood.",
		     span);
		return;
	}
	if (f->fin_in && f->fin_out)
		line("Both sides closed in order (FIN); %s was first. The last segment passed "
		     "after %s.",
		     f->fin_in_first ? "the peer" : "our program",
		     span_text(f, f->traffic_ns, span));
	else if (f->sent_rst)
		line("Our side aborted it with RST: the program closed with data unread, or asked "
		     "for it.");
	tell_traffic(f);
}

static const char *outcome(const struct facts *f)
{
	if (f->ended && f->error)
		return "failed";
	if (f->closed || f->ended || !strcmp(glass_tcp_state_name((unsigned)f->state), "TIME-WAIT"))
		return "closed";
	return f->established ? "open" : "opening";
}

static void tell_body(const struct story *s, const struct facts *f)
{
	const char *how = outcome(f);

	if (!f->conn->opened)
		line("Its beginning is no longer recorded: times count from the first record that "
		     "is left.");
	if (!strcmp(how, "failed"))
		tell_error(s, f);
	else if (!strcmp(how, "closed"))
		tell_closed(f);
	else
		tell_open(f);
}

/* key: of the object that it becomes as JSON. */
static void tell(const struct story *s, const struct facts *f, const char *key)
{
	char local[64], remote[64];
	const char *how = outcome(f);

	kind_text(s, GLASS_KIND_END4, f->conn->local, local, sizeof(local));
	kind_text(s, GLASS_KIND_END4, f->conn->remote, remote, sizeof(remote));
	if (ctl.json) {
		json_begin_object(key);
		json_unsigned("conn", f->conn->id);
		json_string("local", local);
		json_string("remote", remote);
		json_string("outcome", how);
		json_string("state", glass_tcp_state_name((unsigned)f->state));
		json_string("error", f->error ? error_text(f->error) : NULL);
		json_begin_array("why");
		tell_body(s, f);
		json_end();
		json_end();
		return;
	}
	printf("%sconnection %u: %s > %s%s: %s%s%s", color(C_BOLD), f->conn->id, local, remote,
	       color(C_NONE), color(f->error ? C_RED : C_GREEN), how, color(C_NONE));
	if (f->error)
		printf(", %s", error_text(f->error));
	else if (strcmp(how, "closed") != 0)
		printf(", state %s", glass_tcp_state_name((unsigned)f->state));
	putchar('\n');
	tell_body(s, f);
	if (!ctl.json)
		printf("  All of it: glass trace %u\n", f->conn->id);
}

void why_json(const char *key, const struct story *s, const struct conn_story *c)
{
	bool was = ctl.json;
	struct facts f;

	facts_gather(s, c, &f);
	ctl.json = true;
	tell(s, &f, key);
	ctl.json = was;
}

/* ---- */

int cmd_why(const struct command *self, int argc, char **argv)
{
	static const char *ring;
	static bool slow;
	static const struct opt options[] = {
		{ 0, "slow", OPT_FLAG, NULL,
		  "where its time went, what was sent again, and what would help most", &slow },
		{ 0, "ring", OPT_STRING, "FILE", "read a saved recorder (glass trace --save)",
		  &ring },
	};
	int n = opt_parse(self, options, COUNT(options), argc, argv), code;
	const struct conn_story *c = NULL;
	struct facts f;
	struct story s = { 0 };

	if (n < 0)
		return EXIT_USAGE;
	if (n > 1)
		return usage(self, "one connection at a time");
	code = story_open(&s, ring);
	if (!code) {
		story_read(&s);
		story_group(&s);
		code = story_choose(&s, n ? argv[1] : NULL, &c);
	}
	if (!code && c && slow) {
		code = why_slow(&s, c, !ring);
	} else if (!code && c) {
		facts_gather(&s, c, &f);
		tell(&s, &f, NULL);
	}
	story_close(&s);
	return code;
}
