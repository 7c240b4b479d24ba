/* SPDX-License-Identifier: MIT */
/*
 * Socket options: the table is sock_opt.def; here is where each value lives and what changing it
 * does.
 *
 * In: the owner of the stack.  Out: the connection's or the endpoint's configuration.
 */
#include "../stack/tcp_cc.h"
#include "../stack/tcp_output.h"
#include "sock.h"

#define FIN_WAIT_MAX_S 120 /* as Linux */

struct opt_row {
	int64_t min, max;
	bool read_only;
};

enum { BOOL, INT, TIME, LINGER, RO, CC, DEV };

/* Those of sock_dgram_opt.c, to set as to get. */
#define CASE_DGRAM_OPTIONS             \
	case GLASS_OPT_BROADCAST:      \
	case GLASS_OPT_MTU_DISCOVER:   \
	case GLASS_OPT_RECVERR:        \
	case GLASS_OPT_MULTICAST_TTL:  \
	case GLASS_OPT_MULTICAST_LOOP: \
	case GLASS_OPT_MULTICAST_ALL:  \
	case GLASS_OPT_MULTICAST_IF:   \
	case GLASS_OPT_UNICAST_IF:     \
	case GLASS_OPT_BINDTODEVICE:   \
	case GLASS_OPT_UDP_CORK:       \
	case GLASS_OPT_UDP_SEGMENT:    \
	case GLASS_OPT_UDP_GRO

static const struct opt_row rows[GLASS_OPT_COUNT] = {
#define SOCK_OPT(ID, level, name, kind, lo, hi, initial, doc) \
	[GLASS_##ID] = { .min = (lo), .max = (hi), .read_only = (kind) == RO },
#include <glass/sock_opt.def>
#undef SOCK_OPT
};

struct tcp_config *sock_config(struct glass_sock *s)
{
	if (s->conn)
		return &s->conn->config;
	return s->listener ? &s->listener->config : &s->start->config;
}

struct tcp_bind *sock_bind(struct glass_sock *s)
{
	if (s->listener)
		return &s->listener->bind;
	return s->start ? &s->start->bind : NULL;
}

/* Linux grants twice what is asked for, to pay for bookkeeping, and reports it so. */
static uint32_t doubled(int64_t value)
{
	return (uint32_t)(value * 2);
}

/*
 * TCP_DEFER_ACCEPT is told in seconds and kept as the number of SYN-ACKs that go out meanwhile;
 * what is read back is rounded up to that, as on Linux.
 */
static int64_t synacks_to_s(const struct glass *g, unsigned n)
{
	int64_t rto_s = g->tun.tcp_rto_initial_ms / 1000, max_s = g->tun.tcp_rto_max_ms / 1000;
	int64_t sum_s = 0;

	rto_s = rto_s ? rto_s : 1;
	for (; n; n--) {
		sum_s += rto_s;
		rto_s = 2 * rto_s < max_s ? 2 * rto_s : max_s;
	}
	return sum_s;
}

static uint8_t synacks_of_s(const struct glass *g, int64_t seconds)
{
	unsigned n = 0;

	while (n < UINT8_MAX && synacks_to_s(g, n) < seconds)
		n++;
	return (uint8_t)n;
}

static void set_common(struct glass_sock *s, enum glass_opt opt, int64_t value)
{
	struct tcp_config *config = sock_config(s);

	if (opt == GLASS_OPT_TTL)
		config->ttl = (uint8_t)value;
	else
		config->tos = (uint8_t)value & 0xfc;
	if (s->udp) {
		s->udp->ttl = config->ttl;
		s->udp->tos = config->tos;
	}
}

static int set_reuse(struct glass *g, struct glass_sock *s, enum glass_opt opt, bool value)
{
	struct tcp_bind *b = s->listener || sock_start(g, s) ? sock_bind(s) : NULL;
	bool addr = opt == GLASS_OPT_REUSEADDR;

	if (!b)
		return -ENOBUFS;
	*(addr ? &b->reuse_addr : &b->reuse_port) = value;
	if (s->udp)
		*(addr ? &s->udp->reuse_addr : &s->udp->reuse_port) = value;
	return 0;
}

static bool reuses(struct glass_sock *s, enum glass_opt opt)
{
	const struct tcp_bind *b = sock_bind(s);
	bool addr = opt == GLASS_OPT_REUSEADDR;

	if (s->udp)
		return addr ? s->udp->reuse_addr : s->udp->reuse_port;
	return b && (addr ? b->reuse_addr : b->reuse_port);
}

static int set_raw(struct glass_sock *s, enum glass_opt opt, int64_t value)
{
	if (!s->udp || !s->udp->raw)
		return -ENOPROTOOPT;
	if (opt == GLASS_OPT_HDRINCL)
		s->udp->header_included = value;
	else if (s->udp->proto == IP_PROTO_ICMP)
		s->udp->icmp_filter = (uint32_t)value;
	else
		return -EOPNOTSUPP;
	return 0;
}

/* As Linux: a mode that the conversation may leave again. */
static void quickack_changed(struct glass *g, struct tcp_conn *c)
{
	c->pingpong = !c->config.quickack;
	if (!c->config.quickack)
		return;
	c->quick = TCP_QUICK_ACKS;
	if (c->unacked)
		tcp_owe_ack(g, c, "the program wants no delay");
}

/* As Linux: not below half of the smallest receive buffer. */
static uint32_t window_clamp(int64_t value)
{
	int64_t min = rows[GLASS_OPT_RCVBUF].min / 2;

	return (uint32_t)(value && value < min ? min : value);
}

/* RFC 1122 4.2.2.13; Linux takes anything and cuts it. */
static int16_t fin_wait_s(int64_t value)
{
	if (value < 0)
		return -1;
	return (int16_t)(value > FIN_WAIT_MAX_S ? FIN_WAIT_MAX_S : value);
}

/* As Linux: before connect; a limit beyond the longest accept queue is cut. */
static int set_fastopen(const struct glass *g, struct glass_sock *s, enum glass_opt opt,
			int64_t value)
{
	struct tcp_config *k = sock_config(s);
	int64_t max = g->tun.tcp_somaxconn < UINT16_MAX ? g->tun.tcp_somaxconn : UINT16_MAX;

	if (opt == GLASS_OPT_FASTOPEN_CONNECT && !(g->tun.tcp_fastopen & 1))
		return -EOPNOTSUPP;
	if (s->conn || (s->listener && opt == GLASS_OPT_FASTOPEN_CONNECT))
		return -EINVAL;
	if (opt == GLASS_OPT_FASTOPEN)
		k->fastopen_qlen = (uint16_t)(value < max ? value : max);
	else if (opt == GLASS_OPT_FASTOPEN_NO_COOKIE)
		k->fastopen_no_cookie = value;
	else
		k->fastopen_connect = value;
	return 0;
}

static void set_keepalive(struct tcp_config *k, enum glass_opt opt, int64_t value)
{
	if (opt == GLASS_OPT_KEEPALIVE)
		k->keepalive = value;
	else if (opt == GLASS_OPT_KEEPIDLE)
		k->keep_idle_s = (uint16_t)value;
	else if (opt == GLASS_OPT_KEEPINTVL)
		k->keep_interval_s = (uint16_t)value;
	else
		k->keep_count = (uint8_t)value;
}

/* What waits because of the old value goes now. */
static void changed(struct glass *g, struct glass_sock *s, enum glass_opt opt)
{
	struct tcp_conn *c = s->conn;

	if (!c || c->state == TCPS_CLOSED)
		return;
	/* tcp(7): it is weaker than TCP_CORK, but setting it pushes what is queued now. */
	if (opt == GLASS_OPT_NODELAY && c->config.nodelay && tcp_unsent(c)) {
		c->force_out = c->config.cork;
		c->more = false;
	}
	if (opt == GLASS_OPT_NODELAY || opt == GLASS_OPT_CORK)
		tcp_owe(g, c);
	else if (opt == GLASS_OPT_KEEPALIVE || opt == GLASS_OPT_KEEPIDLE)
		tcp_keepalive_start(g, c);
	else if (opt == GLASS_OPT_QUICKACK)
		quickack_changed(g, c);
	else if (opt == GLASS_OPT_RCVBUF)
		c->rcv.limit = c->config.rcvbuf;
	else if (opt == GLASS_OPT_SNDBUF)
		tcp_wake_writer(g, c);
	else if (opt == GLASS_OPT_LINGER2 && c->state == TCPS_FIN_WAIT_2 && c->closed_by_user)
		tcp_fin_wait_2(g, c);
	else if (opt == GLASS_OPT_CONGESTION)
		tcp_cc_set(g, c, c->config.cc);
}

int glass_setopt(struct glass *g, struct glass_sock *s, enum glass_opt opt, int64_t value)
{
	struct tcp_config *k = sock_config(s);

	if ((unsigned)opt >= GLASS_OPT_COUNT || rows[opt].read_only)
		return -ENOPROTOOPT;
	if (opt == GLASS_OPT_SNDBUF ||
	    opt == GLASS_OPT_RCVBUF) { /* Linux: out of range is cut, not refused */
		value = value < rows[opt].min / 2 ? rows[opt].min / 2 : value;
		value = value > rows[opt].max / 2 ? rows[opt].max / 2 : value;
	} else if (value < rows[opt].min || value > rows[opt].max) {
		return -EINVAL;
	}
	switch (opt) {
	case GLASS_OPT_REUSEADDR:
	case GLASS_OPT_REUSEPORT:
		return set_reuse(g, s, opt, value);
	case GLASS_OPT_KEEPALIVE:
	case GLASS_OPT_KEEPIDLE:
	case GLASS_OPT_KEEPINTVL:
	case GLASS_OPT_KEEPCNT:
		set_keepalive(k, opt, value);
		break;
	case GLASS_OPT_LINGER:
		k->linger_s = (int32_t)value;
		break;
	case GLASS_OPT_SNDBUF:
		k->sndbuf = doubled(value);
		k->sndbuf_locked = true;
		break;
	case GLASS_OPT_RCVBUF:
		k->rcvbuf = doubled(value);
		k->rcvbuf_locked = true;
		if (s->udp)
			s->udp->rx_limit = k->rcvbuf;
		break;
	case GLASS_OPT_NODELAY:
		k->nodelay = value;
		break;
	case GLASS_OPT_CORK:
		k->cork = value;
		if (s->conn && !value) /* a write with MSG_MORE is uncorked too */
			s->conn->more = false;
		break;
	case GLASS_OPT_MAXSEG:
		k->maxseg = (uint16_t)value;
		break;
	case GLASS_OPT_USER_TIMEOUT:
		k->user_timeout_ms = (uint32_t)value;
		break;
	case GLASS_OPT_SYNCNT:
		k->syn_retries = (uint8_t)value;
		break;
	case GLASS_OPT_QUICKACK:
		k->quickack = value;
		break;
	case GLASS_OPT_LINGER2:
		k->fin_wait_s = fin_wait_s(value);
		break;
	case GLASS_OPT_WINDOW_CLAMP:
		k->window_clamp = window_clamp(value);
		break;
	case GLASS_OPT_NOTSENT_LOWAT:
		k->notsent_own = value != 0;
		k->notsent_lowat = value ? (uint32_t)value : (uint32_t)g->tun.tcp_notsent_lowat;
		break;
	case GLASS_OPT_DEFER_ACCEPT:
		k->defer_accept = synacks_of_s(g, value);
		break;
	case GLASS_OPT_CONGESTION:
		k->cc = (uint8_t)value;
		break;
	case GLASS_OPT_FASTOPEN:
	case GLASS_OPT_FASTOPEN_CONNECT:
	case GLASS_OPT_FASTOPEN_NO_COOKIE:
		return set_fastopen(g, s, opt, value);
	case GLASS_OPT_TTL:
	case GLASS_OPT_TOS:
		set_common(s, opt, value);
		break;
	case GLASS_OPT_HDRINCL:
	case GLASS_OPT_ICMP_FILTER:
		return set_raw(s, opt, value);
	CASE_DGRAM_OPTIONS:
		return sock_dgram_setopt(g, s, opt, value);
	case GLASS_OPT_MTU: /* read-only */
	case GLASS_OPT_COUNT:
		break;
	}
	changed(g, s, opt);
	return 0;
}

static int64_t maxseg_now(const struct glass_sock *s, const struct tcp_config *k)
{
	if (s->conn && s->conn->connected_once)
		return s->conn->mss;
	return k->maxseg ? k->maxseg : TCP_MSS_DEFAULT;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Unless set, the buffers follow the connection: what they are now. */
static uint32_t sndbuf_now(const struct glass_sock *s, const struct tcp_config *k)
{
	if (k->sndbuf_locked)
		return k->sndbuf;
	if (s->conn && s->conn->connected_once)
		return tcp_send_limit(s->conn);
	return smaller(k->sndbuf, TCP_SEND_AHEAD_BYTES);
}

static uint32_t rcvbuf_now(const struct glass *g, const struct glass_sock *s,
			   const struct tcp_config *k)
{
	if (k->rcvbuf_locked)
		return k->rcvbuf;
	if (s->udp)
		return udp_rx_limit(g, s->udp);
	if (s->conn && s->conn->connected_once)
		return s->conn->rcv.limit;
	return smaller(k->rcvbuf, (uint32_t)g->tun.tcp_rmem_default_kb * 1024);
}

static int64_t get(const struct glass *g, struct glass_sock *s, enum glass_opt opt)
{
	const struct tcp_config *k = sock_config(s);

	switch (opt) {
	case GLASS_OPT_REUSEADDR:
	case GLASS_OPT_REUSEPORT:
		return reuses(s, opt);
	case GLASS_OPT_KEEPALIVE:
		return k->keepalive;
	case GLASS_OPT_LINGER:
		return k->linger_s;
	case GLASS_OPT_SNDBUF:
		return sndbuf_now(s, k);
	case GLASS_OPT_RCVBUF:
		return rcvbuf_now(g, s, k);
	case GLASS_OPT_NODELAY:
		return k->nodelay;
	case GLASS_OPT_CORK:
		return k->cork;
	case GLASS_OPT_MAXSEG:
		return maxseg_now(s, k);
	case GLASS_OPT_KEEPIDLE:
		return k->keep_idle_s;
	case GLASS_OPT_KEEPINTVL:
		return k->keep_interval_s;
	case GLASS_OPT_KEEPCNT:
		return k->keep_count;
	case GLASS_OPT_USER_TIMEOUT:
		return k->user_timeout_ms;
	case GLASS_OPT_SYNCNT:
		return k->syn_retries;
	case GLASS_OPT_QUICKACK:
		return s->conn ? !s->conn->pingpong : k->quickack;
	case GLASS_OPT_LINGER2:
		return k->fin_wait_s ? k->fin_wait_s : g->tun.tcp_fin_timeout_ms / 1000;
	case GLASS_OPT_WINDOW_CLAMP:
		return k->window_clamp;
	case GLASS_OPT_NOTSENT_LOWAT:
		return k->notsent_own ? k->notsent_lowat : 0; /* as Linux: not the tunable */
	case GLASS_OPT_DEFER_ACCEPT:
		return synacks_to_s(g, k->defer_accept);
	case GLASS_OPT_CONGESTION:
		return k->cc;
	case GLASS_OPT_FASTOPEN:
		return k->fastopen_qlen;
	case GLASS_OPT_FASTOPEN_CONNECT:
		return k->fastopen_connect;
	case GLASS_OPT_FASTOPEN_NO_COOKIE:
		return k->fastopen_no_cookie;
	case GLASS_OPT_TTL:
		return k->ttl ? k->ttl : g->tun.ip_default_ttl;
	case GLASS_OPT_TOS:
		return k->tos;
	case GLASS_OPT_HDRINCL:
		return s->udp && s->udp->header_included;
	case GLASS_OPT_ICMP_FILTER:
		return s->udp ? (int32_t)s->udp->icmp_filter : 0;
	CASE_DGRAM_OPTIONS:
		return sock_dgram_getopt(s, opt);
	case GLASS_OPT_MTU:
	case GLASS_OPT_COUNT:
		break;
	}
	return 0;
}

/* IP_MTU: of a connected socket only. */
static int64_t mtu_now(const struct glass *g, const struct glass_sock *s)
{
	struct ip_path path;

	if (s->conn && s->conn->connected_once)
		return s->conn->path.mtu_bytes;
	if (!s->udp || !s->udp->remote)
		return -ENOTCONN;
	if (udp_route(g, s->udp, s->udp->remote, NULL, &path))
		return -ENOTCONN;
	return path.mtu_bytes;
}

int glass_getopt(struct glass *g, struct glass_sock *s, enum glass_opt opt, int64_t *value)
{
	if ((unsigned)opt >= GLASS_OPT_COUNT)
		return -ENOPROTOOPT;
	*value = opt == GLASS_OPT_MTU ? mtu_now(g, s) : get(g, s, opt);
	return opt == GLASS_OPT_MTU && *value < 0 ? (int)*value : 0;
}
