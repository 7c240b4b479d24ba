/* SPDX-License-Identifier: MIT */
/*
 * TCP sockets: from the calls of a program to a connection or a listener. Errors are those that
 * Linux answers.
 *
 * In: sock.c, the owner of the stack (send, recv, accept). Out: tcp_connect.c, tcp_listen.c,
 * tcp_sendq.c, tcp_user.c.
 */
#include "../stack/tcp_input.h"
#include "../stack/tcp_output.h"
#include "sock.h"

#include <string.h>

/* ---- opening --------------------------------------------------------------------------------- */

int sock_tcp_bind(struct glass *g, struct glass_sock *s, ip4_t addr, uint16_t port)
{
	if (s->conn || s->listener || s->start->bind.port)
		return -EINVAL;
	return tcp_bind(g, &s->start->bind, addr, port);
}

static int connect_refused(const struct glass_sock *s)
{
	if (s->listener)
		return -EISCONN;
	if (!s->conn || s->conn->state == TCPS_CLOSED)
		return 0;
	return s->conn->connected_once || s->conn->syn_waits ? -EISCONN : -EALREADY;
}

/*
 * What a failed attempt left behind: the socket may try again (RFC 9293 has no opinion; Linux
 * allows it).
 */
static void forget_conn(struct glass *g, struct glass_sock *s)
{
	if (!s->conn)
		return;
	tcp_free(g, s->conn);
	s->conn = NULL;
}

int sock_tcp_connect(struct glass *g, struct glass_sock *s, ip4_t addr, uint16_t port, bool fast)
{
	int err = connect_refused(s);
	struct tcp_conn *c;

	if (err)
		return err;
	if (!port)
		return -ECONNREFUSED;
	if (!sock_start(g, s))
		return -ENOBUFS;
	forget_conn(g, s);
	c = tcp_new(g, &s->start->config);
	if (!c)
		return -ENOBUFS;
	if (s->start->bind.port) {
		c->laddr = s->start->bind.addr;
		c->lport = s->start->bind.port->port;
	}
	c->waker.sock = s;
	c->fastopen_wanted = (fast || s->start->config.fastopen_connect) && g->tun.tcp_fastopen & 1;
	s->conn = c;
	/* Linux: an address of 0 is this host. */
	err = tcp_connect(g, c, addr ? addr : (127u << 24 | 1), port);
	if (!err)
		return c->syn_waits ? 0 : -EINPROGRESS;
	forget_conn(g, s);
	return err;
}

int64_t glass_connect_send(struct glass *g, struct glass_sock *s, const struct glass_end *remote,
			   const void *bytes, size_t length)
{
	SOCK_CALL(g, s, "connect", remote->port);
	ip4_t addr;
	uint16_t port;
	int64_t err = sock_end_read(remote, &addr, &port);

	if (!err && (s->proto != GLASS_TCP || !(g->tun.tcp_fastopen & 1)))
		err = -EOPNOTSUPP;
	if (!err)
		err = sock_tcp_connect(g, s, addr, port, true);
	if (!err)
		err = glass_send(g, s, bytes, length);
	return sock_call_end(g, s, outer, WORD("connect"), err);
}

int glass_listen(struct glass *g, struct glass_sock *s, unsigned backlog)
{
	SOCK_CALL(g, s, "listen", backlog);
	uint32_t max = (uint32_t)g->tun.tcp_somaxconn;
	struct tcp_listener *l = s->listener;
	int err = 0;

	if (s->proto != GLASS_TCP)
		return (int)sock_call_end(g, s, outer, WORD("listen"), -EOPNOTSUPP);
	if (s->conn)
		return (int)sock_call_end(g, s, outer, WORD("listen"), -EINVAL);
	if (!l && !s->start->bind.port)
		err = tcp_bind(g, &s->start->bind, 0, 0);
	if (!l && !err)
		err = tcp_listen(g, &s->start->bind, &s->start->config, &l);
	if (!err) {
		l->backlog = backlog < max ? backlog : max;
		l->waker.sock = s;
		if (!s->listener)
			l->fastopen_keys = tcp_fastopen_keys_take(g, s);
		s->listener = l;
	}
	return (int)sock_call_end(g, s, outer, WORD("listen"), err);
}

struct glass_sock *glass_accept(struct glass *g, struct glass_sock *listener)
{
	struct glass_sock *s;
	struct tcp_conn *c;

	if (!listener->listener || list_empty(&listener->listener->accept))
		return NULL;
	s = sock_new(g, GLASS_TCP);
	if (!s)
		return NULL;
	c = tcp_accept(g, listener->listener);
	s->conn = c;
	c->waker.sock = s;
	EVENT(g, c->id, 0, CALL, WORD("accept"), s->number, 0);
	if (sock_tcp_ready(s) & ~(unsigned)GLASS_OUT)
		wake(g, &c->waker);
	return s;
}

void glass_listen_held(struct glass_sock *listener, unsigned held)
{
	if (listener->listener)
		listener->listener->held = held;
}

/* ---- data ------------------------------------------------------------------------------------ */

/* 0: bytes may be sent. */
static int send_refused(const struct glass_sock *s)
{
	const struct tcp_conn *c = s->conn;

	if (s->proto != GLASS_TCP)
		return -EOPNOTSUPP;
	if (!c) /* as Linux */
		return -EPIPE;
	if (c->error && c->state == TCPS_CLOSED)
		return -c->error;
	if (c->fin_queued)
		return -EPIPE;
	if (c->state == TCPS_SYN_SENT || c->state == TCPS_SYN_RECEIVED)
		return c->syn_waits || c->fastopen_child ? 0 : -EAGAIN;
	if (c->state != TCPS_ESTABLISHED && c->state != TCPS_CLOSE_WAIT)
		return -EPIPE;
	return 0;
}

void *glass_send_reserve(struct glass *g, struct glass_sock *s, size_t want, size_t *length)
{
	void *at = NULL;

	*length = 0;
	if (send_refused(s))
		return NULL;
	at = tcp_reserve(g, s->conn, want, length);
	if (!*length)
		s->conn->want_out = true;
	return at;
}

void glass_send_commit(struct glass *g, struct glass_sock *s, size_t length)
{
	SOCK_CALL(g, s, "send", length);

	if (s->conn && tcp_commit(g, s->conn, length))
		tcp_abort(g, s->conn, ENOBUFS); /* what was taken must not be lost silently */
	else if (s->conn && s->conn->syn_waits && length)
		tcp_fastopen_go(g, s->conn);
	act_end(g, outer);
}

int64_t glass_send(struct glass *g, struct glass_sock *s, const void *bytes, size_t length)
{
	return glass_send_flags(g, s, bytes, length, 0);
}

/* The bytes lie in the queue: what is to be said of them. */
static void send_said(struct glass *g, struct tcp_conn *c, bool all, unsigned flags)
{
	if (all && flags & GLASS_EOR)
		tcp_end_record(c);
	if (flags & GLASS_TELL_ANY)
		tcp_note_written(g, c, flags & GLASS_TELL_ANY);
}

/* As much as the queue takes. */
static size_t send_bytes(struct glass *g, struct glass_sock *s, const uint8_t *bytes, size_t length)
{
	size_t done = 0, n;
	void *at;

	while (done < length && (at = glass_send_reserve(g, s, length - done, &n))) {
		memcpy(at, bytes + done, n);
		glass_send_commit(g, s, n);
		done += n;
	}
	return done;
}

/* The SYN waits for the first bytes: as much as it carries. It goes, also when there are none. */
static size_t send_with_syn(struct glass *g, struct glass_sock *s, const uint8_t *bytes,
			    size_t length)
{
	size_t room = tcp_fastopen_room(g, s->conn);
	size_t done = send_bytes(g, s, bytes, length < room ? length : room);

	if (s->conn->syn_waits) /* there were none, or there was no memory for them */
		tcp_fastopen_go(g, s->conn);
	return done;
}

int64_t glass_send_flags(struct glass *g, struct glass_sock *s, const void *bytes, size_t length,
			 unsigned flags)
{
	bool note_only = s->conn && !length && flags & GLASS_TELL_ANY;
	int err = note_only ? 0 : send_refused(s);
	bool waits = !note_only && s->conn && s->conn->syn_waits;
	size_t done;

	if (!err && flags & GLASS_TELL_ANY && !tcp_notes_open(g, s->conn))
		err = -ENOBUFS;
	if (err) {
		if (s->conn && s->conn->error == -err)
			s->conn->error = 0;
		return err;
	}
	done = waits ? send_with_syn(g, s, bytes, length) : send_bytes(g, s, bytes, length);
	if (done)
		s->conn->more = s->conn->unpushed = flags & GLASS_MORE;
	if (done || !length)
		send_said(g, s->conn, done == length, flags);
	if (waits && !done)
		return -EINPROGRESS;
	return done || !length ? (int64_t)done : -EAGAIN;
}

bool glass_note_take(struct glass *g, struct glass_sock *s, struct glass_note *out)
{
	return s->conn && tcp_note_take(g, s->conn, out);
}

unsigned glass_recv_peek(struct glass *g, struct glass_sock *s, struct glass_iov *iov,
			 unsigned niov)
{
	unsigned n = 0;

	(void)g;
	if (!s->conn)
		return 0;
	list_for_each(p, &s->conn->rx, struct pkt, node) {
		if (n == niov)
			break;
		iov[n++] = (struct glass_iov){ p->data, p->len };
	}
	return n;
}

void glass_recv_consume(struct glass *g, struct glass_sock *s, size_t length)
{
	uint32_t outer = act_begin(g);

	tcp_consume(g, s->conn, (uint32_t)length);
	act_end(g, outer);
}

/* Nothing to read: why. */
static int64_t recv_empty(struct glass_sock *s)
{
	struct tcp_conn *c = s->conn;

	if (!c)
		return -ENOTCONN;
	if (c->error)
		return -sock_tcp_error(s);
	if (c->fin_received || c->shut_rd || c->state == TCPS_CLOSED)
		return 0;
	return -EAGAIN;
}

int64_t glass_recv(struct glass *g, struct glass_sock *s, void *bytes, size_t length)
{
	size_t done = 0;

	if (s->proto != GLASS_TCP)
		return -EOPNOTSUPP;
	if (!s->conn || !s->conn->rx_bytes)
		return recv_empty(s);
	list_for_each(p, &s->conn->rx, struct pkt, node) {
		size_t n = p->len < length - done ? p->len : length - done;

		memcpy((uint8_t *)bytes + done, p->data, n);
		done += n;
		if (done == length)
			break;
	}
	glass_recv_consume(g, s, done);
	return (int64_t)done;
}

/* ---- ending ---------------------------------------------------------------------------------- */

int sock_tcp_shutdown(struct glass *g, struct glass_sock *s, enum glass_how how)
{
	struct tcp_conn *c = s->conn;

	if (!c || c->state == TCPS_CLOSED ||
	    (c->state == TCPS_SYN_SENT && !c->queued && !c->syn_waits))
		return -ENOTCONN;
	if (c->syn_waits && how != GLASS_SHUT_RD) /* there will be no bytes to wait for */
		tcp_fastopen_go(g, c);
	if (how != GLASS_SHUT_WR) {
		c->shut_rd = true;
		wake(g, &c->waker);
	}
	if (how != GLASS_SHUT_RD)
		tcp_shutdown_wr(g, c);
	return 0;
}

void sock_tcp_close(struct glass *g, struct glass_sock *s, bool abort)
{
	struct tcp_conn *c = s->conn;

	if (c && abort)
		c->config.linger_s = 0;
	if (c)
		tcp_close(g, c);
	if (s->listener)
		tcp_listener_free(g, s->listener);
	if (s->start)
		tcp_unbind(g, &s->start->bind);
	tcp_fastopen_keys_free(g, tcp_fastopen_keys_take(g, s));
	s->conn = NULL;
	s->listener = NULL;
}

unsigned sock_tcp_ready(const struct glass_sock *s)
{
	const struct tcp_conn *c = s->conn;
	unsigned ready = 0;

	if (s->listener)
		return s->listener->naccept ? GLASS_IN : 0;
	if (!c)
		return GLASS_OUT | GLASS_HUP; /* as Linux shows a socket that never connected */
	if (c->syn_waits)		      /* as Linux: the first bytes may come */
		return GLASS_OUT;
	if ((c->state == TCPS_SYN_SENT || c->state == TCPS_SYN_RECEIVED) && !c->fastopen_child)
		return 0;
	if (c->connected_once)
		ready |= GLASS_CONNECTED;
	if (c->rx_bytes || c->fin_received || c->shut_rd)
		ready |= GLASS_IN;
	if (c->fin_received || c->shut_rd)
		ready |= GLASS_RDHUP;
	if (c->fin_queued || tcp_writable(c))
		ready |= GLASS_OUT;
	if ((c->fin_received || c->shut_rd) && c->fin_queued)
		ready |= GLASS_HUP;
	if (c->state == TCPS_CLOSED)
		ready |= GLASS_IN | GLASS_OUT | GLASS_RDHUP | GLASS_HUP;
	if (c->error || tcp_note_waits(c))
		ready |= GLASS_ERR;
	return ready;
}

/* SO_ERROR, and what a call answers once. */
int sock_tcp_error(struct glass_sock *s)
{
	int error = s->conn ? s->conn->error : 0;

	if (s->conn)
		s->conn->error = 0;
	return error;
}

/* ---- urgent data ----------------------------------------------------------------------------- */

int glass_send_urgent(struct glass *g, struct glass_sock *s)
{
	struct tcp_conn *c = s->conn;

	if (!c || !tcp_synchronized(c) || !c->queued)
		return -ENOTCONN;
	SOCK_CALL(g, s, "send urgent", 1);
	tcp_urgent_send(g, c);
	act_end(g, outer);
	return 0;
}

int64_t glass_urgent_at(struct glass *g, struct glass_sock *s)
{
	(void)g;
	return s->conn ? tcp_urgent_at(s->conn) : -1;
}
