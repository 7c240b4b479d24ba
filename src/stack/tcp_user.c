/* SPDX-License-Identifier: MIT */
/*
 * What the user asks of a connection (RFC 9293 3.10: CLOSE, ABORT), and what the layers below
 * report of it.
 *
 * In: the socket layer, icmp.c, arp.c.  Out: tcp_owe, tcp_end.
 */
#include "tcp.h"
#include "tcp_listen.h"
#include "tcp_output.h"

/* RFC 9293 3.10.4: the FIN follows what is queued. */
void tcp_shutdown_wr(struct glass *g, struct tcp_conn *c)
{
	if (c->fin_queued)
		return;
	/* SYN-SENT: of a fast open. Queued until the handshake is complete: tcp_established(). */
	if (c->state == TCPS_SYN_RECEIVED || c->state == TCPS_SYN_SENT) {
		c->fin_queued = true;
		tcp_owe(g, c); /* the child of one sends it now */
		return;
	}
	if (c->state == TCPS_ESTABLISHED)
		tcp_set_state(g, c, TCPS_FIN_WAIT_1, "the program has no more to send");
	else if (c->state == TCPS_CLOSE_WAIT)
		tcp_set_state(g, c, TCPS_LAST_ACK, "the program closes too");
	else
		return;
	c->fin_queued = true;
	tcp_owe(g, c);
}

void tcp_abort(struct glass *g, struct tcp_conn *c, int error)
{
	if (c->state == TCPS_SYN_RECEIVED || (tcp_synchronized(c) && c->state != TCPS_TIME_WAIT))
		tcp_send_rst(g, c);
	tcp_end(g, c, error, "aborted");
}

void tcp_close(struct glass *g, struct tcp_conn *c)
{
	c->waker.sock = NULL;
	list_remove(&c->waker.node);
	c->closed_by_user = true;
	if (c->state == TCPS_CLOSED) {
		tcp_free(g, c);
	} else if (c->state == TCPS_SYN_SENT && !c->queued) { /* RFC 7413: some went with the SYN */
		tcp_end(g, c, 0, "closed before it was established");
	} else if (c->rx_bytes || c->config.linger_s == 0) { /* RFC 9293 3.6.1 (SHLD-3) */
		stat_inc(g, STAT_TCP_ABORT_ON_DATA);
		tcp_abort(g, c, 0);
	} else if (c->state == TCPS_FIN_WAIT_2) {
		tcp_fin_wait_2(g, c);
	} else {
		tcp_shutdown_wr(g, c);
	}
}

static void tcp_soften(struct glass *g, struct tcp_conn *c, int error, uint64_t why)
{
	EVENT(g, c->id, 0, TCP_SOFT, error, why);
	c->soft_error = error;
}

static enum verdict not_in_flight(struct glass *g, struct pkt *p, uint32_t seq, struct seq una)
{
	stat_inc(g, STAT_TCP_OUT_OF_WINDOW_ICMPS);
	return drop(g, p, ICMP_QUOTE_SEQ, seq, una.v);
}

/* As Linux: only "unreachable" ends a handshake that the peer began. */
static enum verdict embryo_icmp_error(struct glass *g, struct pkt *p, struct tcp_embryo *e,
				      const struct icmp_error *err)
{
	p->conn = e->id;
	if (err->seq != e->iss.v)
		return not_in_flight(g, p, err->seq, e->iss);
	if (err->error && err->type == 3 && err->code != 4)
		tcp_embryo_end(g, e, err->error, WORD("ICMP unreachable answers our SYN"));
	return accept_packet(g, p);
}

/*
 * RFC 1122 4.2.3.9, RFC 5927: only a quoted segment in flight is believed; errors are hard only
 * before ESTABLISHED.
 */
enum verdict tcp_icmp_error(struct glass *g, struct pkt *p, const struct icmp_error *e)
{
	struct tcp_conn *c = tcp_find(g, e->src, e->sport, e->dst, e->dport);
	struct tcp_embryo *embryo = tcp_embryo_find(g, e->src, e->sport, e->dst, e->dport);
	struct seq seq = seq_of(e->seq);
	bool opening;

	ENTER(g, p);
	if (embryo)
		return embryo_icmp_error(g, p, embryo, e);
	if (!c)
		return drop(g, p, ICMP_QUOTE, p->len, IP_PROTO_TCP);
	p->conn = c->id;
	opening = c->state == TCPS_SYN_SENT || c->state == TCPS_SYN_RECEIVED;
	if (!seq_in(seq, opening && c->fastopen_child ? c->snd.iss : c->snd.una, c->snd.nxt))
		return not_in_flight(g, p, e->seq, c->snd.una);
	if (e->type == 3 && e->code == 4)
		tcp_path_mtu(g, c, e->mtu_bytes);
	else if (!e->error)
		return accept_packet(g, p);
	else if (opening && !tcp_fastopen_accepted(c))
		tcp_end(g, c, e->error, "ICMP unreachable answers our SYN");
	else
		tcp_soften(g, c, e->error, WORD("ICMP unreachable"));
	return accept_packet(g, p);
}

void tcp_output_failed(struct glass *g, uint32_t conn, int error)
{
	struct tcp_conn *c = tcp_find_id(g, conn);

	if (!c)
		return;
	if (c->state == TCPS_SYN_SENT || c->state == TCPS_SYN_RECEIVED)
		tcp_end(g, c, error, "the neighbour does not answer ARP");
	else
		tcp_soften(g, c, error, WORD("the neighbour does not answer ARP"));
}
