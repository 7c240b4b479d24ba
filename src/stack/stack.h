/* SPDX-License-Identifier: MIT */
/*
 * The stack's one object, and what every room may use. The rooms of each layer are declared in
 * link.h, ip.h, udp.h and tcp.h.
 */
#ifndef GLASS_STACK_STACK_H
#define GLASS_STACK_STACK_H

#include <errno.h>

#include <glass/glass.h>

#include "../base/be.h"
#include "../base/hash.h"
#include "../base/list.h"
#include "../base/pkt.h"
#include "../base/rng.h"
#include "../base/seq.h"
#include "../base/timer.h"
#include "../base/trace.h"

#define NS_PER_MS 1000000ll
#define NS_PER_S 1000000000ll

#define DEV_MAX 16
#define ADDR_MAX 32
#define ROUTE_MAX 256
#define DEV_LO 0
#define MAC_BYTES 6
#define LO_MTU_BYTES 65535

/* Inside the stack an IPv4 address is a number in host order; the wire has struct be32. */
typedef uint32_t ip4_t;

struct dev {
	struct glass_dev_setup setup;
	bool up;
	uint64_t rx_packets, rx_bytes, rx_dropped, tx_packets, tx_bytes, tx_dropped;
};

struct ip_addr {
	unsigned dev, prefix_bits;
	ip4_t addr;
	int64_t defended_ns; /* when we last told a rival that it is ours (RFC 5227 2.4) */
};

struct ip_route {
	unsigned dev, prefix_bits;
	ip4_t dst, via; /* via 0: on-link */
};

/* Something that the socket layer wants to hear of: a connection, a datagram endpoint. */
struct waker {
	struct list node; /* in glass.wakes while news is waiting */
	void *sock;	  /* the socket; NULL: nobody listens */
};

struct tunables {
#define TUNABLE(name, initial, min, max, unit, doc) int64_t name;
#include "../base/tunable.def"
#undef TUNABLE
};

struct neigh_table;
struct frag_table;
struct icmp_state;
struct udp_table;
struct group_table;
struct tcp_table;

struct glass {
	struct pool pool;
	struct timers timers;
	struct trace trace; /* trace.now_ns is the time, trace.cause the act going on */
	struct rng rng;
	struct tunables tun;
	uint64_t stats[STAT_COUNT];
	uint64_t drops[DROP_COUNT];

	struct dev dev[DEV_MAX];
	unsigned ndev;
	struct ip_addr addr[ADDR_MAX];
	unsigned naddr;
	struct ip_route route[ROUTE_MAX];
	unsigned nroute;

	struct list outq; /* frames for the devices */
	uint32_t outq_len;
	struct list loopq; /* packets to ourselves, IP header first: dev_loop_take() */
	uint32_t loopq_len;
	uint32_t lent;	     /* packets that the owner has, from glass_pkt_new() to glass_input() */
	struct pkt *leaving; /* the frame last handed out: its bytes are still being read */
	struct list wakes;   /* struct waker: news for the socket layer */
	struct list socks;   /* struct glass_sock */
	uint32_t nsocks, last_sock;

	/* Each is owned by the file of its name. */
	struct neigh_table *neigh;
	struct frag_table *frag;
	struct icmp_state *icmp;
	struct udp_table *udp;
	struct group_table *groups;
	struct tcp_table *tcp;
};

/* glass.c: all but the sockets. NULL: out of memory. */
struct glass *stack_new(const struct glass_setup *setup);
void stack_free(struct glass *g);
/* A door closes: what ended meanwhile is freed, and no act is going on. */
void stack_end_act(struct glass *g);
/*
 * The frame just handed out does not leave after all: its account is put right. The packet; NULL:
 * it is not the last one handed out, or freed already.
 */
struct pkt *stack_take_back(struct glass *g, const struct glass_frame *frame);
/* impaired.c: GO_ON, or the packet is lost on purpose and goes no further. */
enum verdict fate_input(struct glass *g, struct pkt *p, const struct glass_fate *fate);

static inline int64_t now(const struct glass *g)
{
	return g->trace.now_ns;
}

static inline void stat_add(struct glass *g, enum stat_id id, uint64_t n)
{
	g->stats[id] += n;
}

static inline void stat_inc(struct glass *g, enum stat_id id)
{
	g->stats[id]++;
}

/* A packet of our own: numbered, and caused by the act going on. NULL: out of memory, counted. */
struct pkt *pkt_build(struct glass *g, size_t headroom, size_t size);

/*
 * The end of a packet: counts, traces and frees it, and answers the reason, so that a room says
 * `return drop(g, p, IP_BAD_CSUM, got, want)`. The values are those of drop.def.
 */
#define drop(g, p, ID, ...)                                                                        \
	(__extension__({                                                                           \
		_Static_assert(sizeof(TRACE_VALUES(__VA_ARGS__)) / sizeof(uint64_t) == DROPN_##ID, \
			       "values as in drop.def");                                           \
		drop_packet(g, p, DROP_##ID, WORD(__func__), TRACE_VALUES(__VA_ARGS__),            \
			    DROPN_##ID);                                                           \
	}))
enum verdict drop_packet(struct glass *g, struct pkt *p, enum verdict reason, uint64_t room,
			 const uint64_t *v, unsigned n);

/* The packet has reached its end well. */
static inline enum verdict accept_packet(struct glass *g, struct pkt *p)
{
	pkt_free(&g->pool, p);
	return ACCEPTED;
}

/* News for the socket layer. */
static inline void wake(struct glass *g, struct waker *w)
{
	if (w->sock && list_empty(&w->node))
		list_append(&g->wakes, &w->node);
}

/*
 * A new act that is not a packet: a timer's firing, a call. Answers the act that was going on, to
 * be put back by act_end() when this one is over.
 */
static inline uint32_t act_begin(struct glass *g)
{
	uint32_t outer = g->trace.cause;

	g->trace.cause = trace_act(&g->trace);
	return outer;
}

static inline void act_end(struct glass *g, uint32_t outer)
{
	g->trace.cause = outer;
}

/* First line of a timer's function: the firing becomes an act. End with act_end(g, outer). */
#define TIMER_ENTER(g, t, name)                                \
	uint32_t outer = act_begin(g);                         \
	EVENT(g, 0, (g)->trace.cause, TIMER_FIRED, WORD(name), \
	      (uint64_t)(now(g) - (t)->deadline_ns))

static inline uint64_t trace_mac(const uint8_t mac[MAC_BYTES])
{
	uint64_t v = 0;

	for (int i = 0; i < MAC_BYTES; i++)
		v = v << 8 | mac[i];
	return v;
}

static inline uint64_t trace_end4(ip4_t addr, uint16_t port)
{
	return (uint64_t)addr << 16 | port;
}

static inline struct glass_addr addr_of_ip4(ip4_t a)
{
	return glass_ip4(a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
}

static inline ip4_t ip4_of_addr(const struct glass_addr *a)
{
	return (ip4_t)a->byte[0] << 24 | (ip4_t)a->byte[1] << 16 | (ip4_t)a->byte[2] << 8 |
	       a->byte[3];
}

#endif
