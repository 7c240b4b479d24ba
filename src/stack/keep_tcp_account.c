/* SPDX-License-Identifier: MIT */
/*
 * The account of a connection: what it did and what held it back.
 *
 * In: keep_tcp.c.  Out: save.h.
 */
#include "keep.h"
#include "tcp.h"
#include "tcp_account.h"

/* By name, for what limits may be others in another version: then their time is missing. */
static void limit_fields(struct save *s, struct tcp_account *a)
{
#define LIMIT(ID, name, word, doc) SAVE_AS(s, "limit." #ID, a->limit_ns[GLASS_LIMIT_##ID]);
#include <glass/limit.def>
#undef LIMIT
}

static void rtx_fields(struct save *s, struct tcp_account *a)
{
	static const char *const name[RTX_KINDS] = {
		[RTX_KIND_RACK] = "rtx.rack",	    [RTX_KIND_DUPACK] = "rtx.dupack",
		[RTX_KIND_PARTIAL] = "rtx.partial", [RTX_KIND_TIMEOUT] = "rtx.timeout",
		[RTX_KIND_FRTO] = "rtx.frto",	    [RTX_KIND_PROBE] = "rtx.probe",
		[RTX_KIND_RENEGED] = "rtx.reneged", [RTX_KIND_PATH] = "rtx.path",
	};

	for (unsigned i = 0; i < RTX_KINDS; i++)
		SAVE_AS(s, name[i], a->retrans_by[i]);
}

static void account_fields(struct save *s, struct tcp_account *a)
{
	limit_fields(s, a);
	rtx_fields(s, a);
	SAVE(s, a->bytes_sent);
	SAVE(s, a->bytes_acked);
	SAVE(s, a->bytes_retrans);
	SAVE(s, a->retrans_spurious);
	SAVE(s, a->data_segs_out);
	SAVE(s, a->delivered_segs);
	SAVE(s, a->last_data_sent_ns);
	SAVE(s, a->rtos);
	SAVE(s, a->rto_recoveries);
	SAVE(s, a->rto_ms);
	SAVE(s, a->delivered);
	SAVE(s, a->app_limited);
	SAVE(s, a->delivered_ns);
	SAVE(s, a->first_sent_ns);
	SAVE(s, a->rate_bytes_s);
	SAVE(s, a->pmtu_next_ns);
	SAVE(s, a->pmtu_end.v);
	SAVE(s, a->mss_proven);
	SAVE_FLAG(s, a->rate_app_limited);
}

void tcp_account_keep(struct save *s, struct glass *g, struct tcp_conn *c)
{
	if (save_reading(s)) {
		if (!save_begin(s, "account"))
			return;
		if (save_check(s, tcp_account_open(g, c), "out of memory"))
			account_fields(s, c->account);
		save_end(s);
	} else if (c->account) {
		save_begin(s, "account");
		account_fields(s, c->account);
		save_end(s);
	}
	if (c->account)
		tcp_notes_keep(s, g, c);
}
