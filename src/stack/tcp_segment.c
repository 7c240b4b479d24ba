/* SPDX-License-Identifier: MIT */
/*
 * One segment: its header, its options, its size, and its way down to IP.
 *
 * In: tcp_bare.c (segments that say something), tcp_payload.c (segments that carry bytes).
 * Out: ip_output.
 */
#include "tcp.h"
#include "tcp_cc.h"
#include "tcp_input.h"
#include "tcp_output.h"
#include "tcp_segment.h"

#include <string.h>

#include "../wire/checksum.h"

#define TS_OPTION_BYTES 12 /* two NOPs and the option: RFC 7323 appendix A */
#define IP_TCP_HEADER_BYTES 40
#define SACK_HEAD_BYTES 4 /* RFC 2018 3: kind, length, and padding to a word */
#define SACK_BLOCK_BYTES 8

/*
 * RFC 9293 3.7.1, RFC 6691: the option tells the MTU; what is sent is smaller by the options of
 * each segment.
 */
void tcp_set_mss(struct glass *g, struct tcp_conn *c)
{
	uint32_t mss = c->path.mtu_bytes - IP_TCP_HEADER_BYTES;

	(void)g;
	if (c->peer_mss && mss > c->peer_mss)
		mss = c->peer_mss;
	if (c->config.maxseg && mss > c->config.maxseg)
		mss = c->config.maxseg;
	if (c->ts_ok && mss > TS_OPTION_BYTES + TCP_MSS_MIN - 1)
		mss -= TS_OPTION_BYTES;
	c->mss = (uint16_t)(mss > TCP_SUPER_BYTES_MAX ? TCP_SUPER_BYTES_MAX : mss);
}

static uint16_t mss_option(const struct tcp_conn *c)
{
	uint32_t mss = c->path.mtu_bytes - IP_TCP_HEADER_BYTES;

	if (c->config.maxseg && mss > c->config.maxseg)
		mss = c->config.maxseg;
	return (uint16_t)(mss > 65495 ? 65495 : mss);
}

uint32_t tcp_advmss(const struct tcp_conn *c)
{
	return mss_option(c) - (c->ts_ok ? TS_OPTION_BYTES : 0u);
}

void tcp_syn_options(const struct tcp_conn *c, struct tcp_options *o, uint32_t tsval)
{
	o->mss_ok = true;
	o->mss = mss_option(c);
	o->wscale_ok = c->wscale_ok;
	o->wscale = c->rcv_wscale;
	o->sack_permitted = c->sack_ok;
	o->timestamps = c->ts_ok;
	o->tsval = tsval;
	o->tsecr = c->ts_recent;
}

/*
 * RFC 2018 4, RFC 2883 4: a duplicate first, then the newest blocks; with timestamps three fit. A
 * segment with len bytes of payload has only the blocks that its size leaves room for (MUST-16):
 * a full one has none, and need not, since every segment out of order is answered by an ACK of
 * its own.
 */
void tcp_ack_options(const struct glass *g, struct tcp_conn *c, struct tcp_options *o, uint32_t len)
{
	uint32_t room = len < c->mss ? c->mss - len : 0;
	unsigned max = c->ts_ok ? 3 : 4, fits;

	o->timestamps = c->ts_ok;
	o->tsval = tcp_ts_now(g, c);
	o->tsecr = c->ts_recent;
	if (!c->sack_ok)
		return;
	fits = room > SACK_HEAD_BYTES ? (room - SACK_HEAD_BYTES) / SACK_BLOCK_BYTES : 0;
	if (len && fits < max)
		max = fits;
	if (!max)
		return;
	if (c->dsack)
		o->sack[o->nsack++] = c->dsack_block;
	for (unsigned i = 0; i < c->nsack && o->nsack < max; i++)
		o->sack[o->nsack++] = c->sack[i];
	c->dsack = false;
}

/* What every segment of ours tells the peer is told now. */
static void ack_sent(struct tcp_conn *c)
{
	c->ack_now = false;
	c->unacked = 0;
	c->rcv.acked = c->rcv.nxt;
}

enum verdict tcp_transmit(struct glass *g, struct tcp_conn *c, struct pkt *p,
			  const struct tcp_out *out)
{
	struct ip_send to = {
		.src = c->laddr,
		.dst = c->raddr,
		.proto = IP_PROTO_TCP,
		.ttl = c->config.ttl,
		.tos = c->config.tos,
		.dont_fragment = true,
	};
	uint8_t options[40];
	size_t n = tcp_options_write(options, out->opt);
	uint8_t flags = out->flags | tcp_ecn_mark(c, out->flags, out->is_new, &to.tos);
	uint16_t urgent = tcp_urgent_pointer(c, out->seq, out->len, &flags);
	uint32_t wnd = tcp_window(g, c);
	struct tcp_header *h;

	if (out->flags & TCP_SYN)
		wnd = wnd > 65535 ? 65535 : wnd;
	memcpy(pkt_push(p, n), options, n);
	h = pkt_push(p, sizeof(*h));
	*h = (struct tcp_header){
		.sport = be16_of(c->lport),
		.dport = be16_of(c->rport),
		.seq = be32_of(out->seq.v),
		.ack = be32_of(out->flags & TCP_ACK ? c->rcv.nxt.v : 0),
		.data_offset = (uint8_t)((sizeof(*h) + n) / 4 << 4),
		.flags = flags,
		.window = be16_of(out->flags & TCP_SYN ? wnd : wnd >> c->rcv_wscale),
		.urgent = be16_of(urgent),
	};
	h->checksum = be16_of(csum_sum16(csum_pseudo4(to.src, to.dst, IP_PROTO_TCP, pkt_len(p))));
	p->l4 = p->data;
	p->l4_proto = IP_PROTO_TCP;
	p->csum_offset = TCP_CSUM_OFFSET;
	p->flags |= PKT_CSUM_PARTIAL;
	p->conn = c->id;
	p->gso_size = out->len > c->mss ? c->mss : 0;
	EVENT(g, c->id, p->id, TCP_OUT, flags, out->seq.v - c->snd.iss.v,
	      out->flags & TCP_ACK ? c->rcv.nxt.v - c->rcv.irs.v : 0, out->len, wnd);
	c->segs_out += p->gso_size ? (out->len + c->mss - 1) / c->mss : 1;
	stat_add(g, STAT_TCP_OUT_SEGS, p->gso_size ? (out->len + c->mss - 1) / c->mss : 1);
	c->last_tx_ns = now(g);
	if (out->len)
		c->data_ms = tcp_now_ms(g);
	if (out->flags & TCP_ACK)
		ack_sent(c);
	return ip_output(g, p, &to, &c->path);
}
