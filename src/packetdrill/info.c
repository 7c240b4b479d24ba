/* SPDX-License-Identifier: MIT */
/*
 * TCP_INFO in Linux's layout, from what "glass ss" shows.
 *
 * In:  option.c.   Out: glass_sock_info().
 */
#include <linux/tcp.h>
#include <string.h>

#include "drill.h"

#define SSTHRESH_NONE 0x7fffffff /* Linux: none found yet */

static uint8_t state_number(const char *name)
{
	static const char *const names[] = {
		[1] = "ESTAB",	    [2] = "SYN-SENT",  [3] = "SYN-RECV", [4] = "FIN-WAIT-1",
		[5] = "FIN-WAIT-2", [6] = "TIME-WAIT", [7] = "UNCONN",	 [8] = "CLOSE-WAIT",
		[9] = "LAST-ACK",   [10] = "LISTEN",   [11] = "CLOSING",
	};

	for (uint8_t i = 1; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i], name))
			return i;
	return 7;
}

static uint8_t ca_number(const char *name)
{
	static const char *const names[] = { "Open", "Disorder", "CWR", "Recovery", "Loss" };

	for (uint8_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i], name))
			return i;
	return 0;
}

static uint8_t options(const struct glass_conn_info *in)
{
	return (uint8_t)((in->timestamps ? TCPI_OPT_TIMESTAMPS : 0) |
			 (in->sack ? TCPI_OPT_SACK : 0) | (in->ecn ? TCPI_OPT_ECN : 0) |
			 (in->ecn_seen ? TCPI_OPT_ECN_SEEN : 0) |
			 (in->wscale_snd || in->wscale_rcv ? TCPI_OPT_WSCALE : 0));
}

static void fill_sending(const struct glass_conn_info *in, struct tcp_info *out)
{
	out->tcpi_snd_mss = in->mss;
	out->tcpi_unacked = in->unacked_segments;
	out->tcpi_sacked = in->sacked_segments;
	out->tcpi_lost = in->lost_segments;
	out->tcpi_retrans = in->retrans_out;
	out->tcpi_total_retrans = (uint32_t)in->retrans_total;
	out->tcpi_snd_cwnd = in->cwnd_segments;
	out->tcpi_snd_ssthresh = in->ssthresh_segments ? in->ssthresh_segments : SSTHRESH_NONE;
	out->tcpi_bytes_acked = in->bytes_acked;
	out->tcpi_bytes_sent = in->bytes_sent;
	out->tcpi_bytes_retrans = in->bytes_retrans;
	out->tcpi_segs_out = (uint32_t)in->segs_out;
	out->tcpi_dsack_dups = (uint32_t)in->dsack_dups;
	out->tcpi_reord_seen = (uint32_t)in->reord_seen;
	out->tcpi_snd_wnd = in->snd_wnd;
}

void drill_tcp_info(struct drill *d, struct glass_sock *s, void *out, socklen_t size)
{
	struct tcp_info info = { 0 };
	struct glass_conn_info in;

	glass_sock_info(d->g, s, &in);
	info.tcpi_state = state_number(in.state);
	info.tcpi_ca_state = ca_number(in.ca_state);
	info.tcpi_retransmits = info.tcpi_backoff = (uint8_t)in.backoff;
	info.tcpi_options = options(&in);
	info.tcpi_snd_wscale = in.wscale_snd & 15u;
	info.tcpi_rcv_wscale = in.wscale_rcv & 15u;
	info.tcpi_rto = (uint32_t)(in.rto_ns / DRILL_NS_PER_US);
	info.tcpi_rtt = (uint32_t)(in.srtt_ns / DRILL_NS_PER_US);
	info.tcpi_rttvar = (uint32_t)(in.rttvar_ns / DRILL_NS_PER_US);
	info.tcpi_min_rtt = (uint32_t)(in.minrtt_ns / DRILL_NS_PER_US);
	info.tcpi_rcv_mss = in.rcv_mss;
	info.tcpi_bytes_received = in.bytes_received;
	info.tcpi_segs_in = (uint32_t)in.segs_in;
	fill_sending(&in, &info);
	memset(out, 0, size);
	memcpy(out, &info, size < sizeof(info) ? size : sizeof(info));
}
