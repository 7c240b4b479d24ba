/* SPDX-License-Identifier: MIT */
/*
 * Glass: a TCP/IP stack as a library. Packets in, packets out, time in.
 *
 * The library does no I/O, starts no thread, reads no clock and keeps no global: everything it
 * knows hangs on a struct glass. Its owner feeds frames and the time, and pulls frames and
 * readiness events:
 *
 *	glass_input(g, dev, p, now);			a frame came in (consumes p)
 *	glass_advance(g, now);				time has passed: fire what is due
 *	while (glass_output(g, &frame)) ...		frames that want to leave
 *	while (glass_event(g, &event)) ...		sockets became readable, writable, broken
 *	sleep until glass_next_deadline(g)
 *
 * Times are nanoseconds of any monotonic clock. Functions that can fail return 0 or a length, or
 * -errno. Nothing ever blocks. One struct glass belongs to one thread at a time.
 */
#ifndef GLASS_H
#define GLASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GLASS_API __attribute__((visibility("default")))

struct glass;
struct pkt;
struct glass_sock;

#define GLASS_NEVER INT64_MAX /* glass_next_deadline(): no timer is armed */

/* ---- addresses ------------------------------------------------------------------------------- */

enum glass_family { GLASS_UNSPEC = 0, GLASS_IP4 = 4, GLASS_IP6 = 6 };

struct glass_addr {
	uint8_t family;	  /* enum glass_family */
	uint8_t byte[16]; /* network order; IPv4 uses the first four */
};

/* One end of a conversation. For GLASS_PING the port is the echo identifier. */
struct glass_end {
	struct glass_addr addr;
	uint16_t port; /* host order */
};

static inline struct glass_addr glass_ip4(unsigned a, unsigned b, unsigned c, unsigned d)
{
	return (struct glass_addr){ GLASS_IP4, { (uint8_t)a, (uint8_t)b, (uint8_t)c, (uint8_t)d } };
}

/* ---- life ------------------------------------------------------------------------------------ */

struct glass_setup {
	uint64_t seed[2]; /* all randomness and all keyed hashes come from it: keep it secret */
	int64_t now_ns;
	void *ring; /* flight recorder memory, see glass_trace.h; NULL: none */
	size_t ring_bytes;
};

/* The caller owns the result; NULL: out of memory. */
GLASS_API struct glass *glass_new(const struct glass_setup *setup);
/* Frees everything, sockets too; sends nothing. */
GLASS_API void glass_free(struct glass *g);

/* A named limit or constant of src/base/tunable.def. 0, -ENOENT (no such name), -ERANGE. */
GLASS_API int glass_tunable_set(struct glass *g, const char *name, int64_t value);
GLASS_API int glass_tunable_get(const struct glass *g, const char *name, int64_t *value);
/* The i-th tunable; false past the end. Any of the results may be NULL. */
struct glass_tunable {
	const char *name, *unit, *doc;
	int64_t value, value_min, value_max, value_default;
};
GLASS_API bool glass_tunable_at(const struct glass *g, unsigned i, struct glass_tunable *out);

/* ---- devices, addresses, routes -------------------------------------------------------------- */

enum glass_link { GLASS_ETHERNET, GLASS_RAW_IP };

enum {
	/* The device completes checksums, and may deliver packets without one. */
	GLASS_OFFLOAD_CSUM = 1,
	/* The device cuts super-packets of up to 64 KB, and may deliver them. */
	GLASS_OFFLOAD_TSO = 2,
};

struct glass_dev_setup {
	char name[16];
	enum glass_link link;
	uint8_t mac[6];
	uint32_t mtu_bytes; /* largest IP packet; 68..65535 */
	uint32_t offload;   /* GLASS_OFFLOAD_* */
};

/* Returns the device's index, or -EINVAL, -ENOSPC. Index 0 is the stack's own loopback "lo". */
GLASS_API int glass_dev_add(struct glass *g, const struct glass_dev_setup *setup);
GLASS_API int glass_dev_set_mtu(struct glass *g, unsigned dev, uint32_t mtu_bytes);
GLASS_API int glass_dev_set_up(struct glass *g, unsigned dev, bool up);
/* An address with its prefix length adds the connected route. -EEXIST, -EINVAL, -ENOSPC. */
GLASS_API int glass_addr_add(struct glass *g, unsigned dev, struct glass_addr addr,
			     unsigned prefix_bits);
GLASS_API int glass_addr_del(struct glass *g, unsigned dev, struct glass_addr addr);
/* via.family == GLASS_UNSPEC: on-link. */
GLASS_API int glass_route_add(struct glass *g, struct glass_addr dst, unsigned prefix_bits,
			      struct glass_addr via, unsigned dev);
GLASS_API int glass_route_del(struct glass *g, struct glass_addr dst, unsigned prefix_bits);

struct glass_dev_info {
	struct glass_dev_setup setup;
	bool up;
	uint64_t rx_packets, rx_bytes, rx_dropped, tx_packets, tx_bytes, tx_dropped;
};
struct glass_addr_info {
	unsigned dev, prefix_bits;
	struct glass_addr addr;
};
struct glass_route_info {
	unsigned dev, prefix_bits;
	struct glass_addr dst, via, src;
};
struct glass_neigh_info {
	unsigned dev;
	struct glass_addr addr;
	uint8_t mac[6];
	const char *state; /* INCOMPLETE REACHABLE STALE DELAY PROBE FAILED, as "ip neigh" */
	unsigned probes, queued;
	int64_t confirmed_ns; /* age of the last confirmation; -1: never */
};
/* A group that a device hears, as "ip maddress"; 224.0.0.1 is heard by each. */
#define GLASS_MADDR_SOURCES 16
struct glass_maddr_info {
	unsigned dev;
	struct glass_addr group;
	uint8_t mac[6];	   /* of the group; zeros: the device has no hardware addresses */
	unsigned users;	   /* sockets that have joined */
	bool exclude;	   /* all sources but these; else only these */
	unsigned nsources; /* the first of them follow */
	struct glass_addr source[GLASS_MADDR_SOURCES];
	uint8_t version; /* of IGMP that is spoken on the device; 0: none */
};
GLASS_API bool glass_maddr_at(const struct glass *g, unsigned i, struct glass_maddr_info *out);
/* The i-th row; false past the end. */
GLASS_API bool glass_dev_at(const struct glass *g, unsigned i, struct glass_dev_info *out);
GLASS_API bool glass_addr_at(const struct glass *g, unsigned i, struct glass_addr_info *out);
GLASS_API bool glass_route_at(const struct glass *g, unsigned i, struct glass_route_info *out);
GLASS_API bool glass_neigh_at(const struct glass *g, unsigned i, struct glass_neigh_info *out);

/* ---- packets --------------------------------------------------------------------------------- */

/* What a device says of a frame beside its bytes: the values of struct virtio_net_hdr. */
struct glass_offload {
	bool csum_partial;    /* the checksum field holds the pseudo-header's sum only */
	bool csum_valid;      /* received only: the device has checked the checksum */
	uint16_t csum_start;  /* where the sum begins, from the start of the frame */
	uint16_t csum_offset; /* where the result goes, from csum_start */
	uint16_t gso_size;    /* 0: one packet; else a super-packet of TCP segments of this size */
	uint16_t hdr_len;     /* bytes of Ethernet, IP and TCP header before the payload */
	bool gso_ecn;	      /* the first segment carries CWR */
};

/*
 * A packet with room for a received frame of up to capacity bytes; NULL: out of memory. The
 * caller owns it.
 */
GLASS_API struct pkt *glass_pkt_new(struct glass *g, size_t capacity);
GLASS_API void glass_pkt_free(struct glass *g, struct pkt *p);
/* Where the frame is to be written, and how much fits. */
GLASS_API uint8_t *glass_pkt_room(struct pkt *p, size_t *capacity);
/* How much was written. off may be NULL. A length above the capacity is an assertion failure. */
GLASS_API void glass_pkt_filled(struct pkt *p, size_t length, const struct glass_offload *off);

/* Takes p. The result is 0 (accepted or held) or the drop reason (see glass_drop_desc()). */
GLASS_API int glass_input(struct glass *g, unsigned dev, struct pkt *p, int64_t now_ns);

/* As struct iovec, without its header. */
struct glass_iov {
	const void *base;
	size_t len;
};

#define GLASS_IOV_MAX 20

struct glass_frame {
	unsigned dev;
	unsigned niov;
	size_t length; /* sum of the iov lengths */
	struct glass_iov iov[GLASS_IOV_MAX];
	struct glass_offload off;
	uint32_t id; /* the packet's number in the trace */
};

/*
 * The next frame that wants to leave; false: none. The bytes stay valid until the next call of
 * any function with this g. What the device does not take is lost, as on any wire: tell
 * glass_output_lost().
 */
GLASS_API bool glass_output(struct glass *g, struct glass_frame *frame);
/*
 * The frame just pulled could not be sent (a positive errno): counts and traces it as
 * DEV_TX_FAILED.
 */
GLASS_API void glass_output_lost(struct glass *g, const struct glass_frame *frame, int error);
/*
 * The frame just pulled was swallowed on purpose, on its way to dst: counts and traces it as
 * BLACKHOLE.
 */
GLASS_API void glass_output_swallowed(struct glass *g, const struct glass_frame *frame,
				      struct glass_addr dst);

/*
 * What a bad network, made on purpose by the owner, does to a frame or to a part of one: bytes
 * bytes, whose payload begins at byte at of the super-packet's. The stack counts and traces it; of
 * what is lost as NET_LOSS, NET_AIMED or NET_QUEUE_FULL.
 */
enum glass_fate_what {
	GLASS_FATE_LATER,
	GLASS_FATE_TWICE,
	GLASS_FATE_DAMAGED,
	GLASS_FATE_REORDERED,
	GLASS_FATE_MARKED,
	GLASS_FATE_LOST, /* this one and those that follow: it does not arrive */
	GLASS_FATE_AIMED,
	GLASS_FATE_QUEUE_FULL,
};
struct glass_fate {
	enum glass_fate_what what;
	size_t at, bytes;
	int64_t delay_ns; /* how long it is on its way */
};
/* Of the frame just pulled. One that is lost whole has not left. */
GLASS_API void glass_output_impaired(struct glass *g, const struct glass_frame *frame,
				     const struct glass_fate *fate);
/* glass_input() of a frame with a fate: one that is lost is accounted for and goes no further. */
GLASS_API int glass_input_impaired(struct glass *g, unsigned dev, struct pkt *p, int64_t now_ns,
				   const struct glass_fate *fate);

/* ---- time ------------------------------------------------------------------------------------ */

GLASS_API int64_t glass_next_deadline(struct glass *g);
GLASS_API void glass_advance(struct glass *g, int64_t now_ns);

/* ---- sockets --------------------------------------------------------------------------------- */

enum glass_proto { GLASS_TCP = 6, GLASS_UDP = 17, GLASS_PING = 1, GLASS_RAW = 255 };

/* Readiness, with poll(2)'s meaning. */
enum {
	GLASS_IN = 1,
	GLASS_OUT = 4,
	GLASS_ERR = 8,
	GLASS_HUP = 16,
	GLASS_RDHUP = 32,
	GLASS_CONNECTED = 64
};

struct glass_event {
	struct glass_sock *sock;
	void *user;
	unsigned ready; /* what is true now; it appears again when something has become true */
};

/* NULL: out of memory or the tunable sock_max is reached. */
GLASS_API struct glass_sock *glass_socket(struct glass *g, enum glass_proto proto);
/*
 * A raw socket of that IP protocol, 1 to 255: what comes has its IP header in front; what goes gets
 * one, or has it already (GLASS_OPT_HDRINCL; always of protocol 255). The caller judges who may.
 */
GLASS_API struct glass_sock *glass_socket_raw(struct glass *g, uint8_t protocol);
GLASS_API void glass_sock_set_user(struct glass_sock *s, void *user);
GLASS_API void *glass_sock_user(const struct glass_sock *s);
/* Whose it is, a number: those of several owners do not share a port (GLASS_OPT_REUSEPORT). */
GLASS_API void glass_sock_set_owner(struct glass_sock *s, uint32_t owner);

/* Errors are those of bind(2), listen(2), connect(2). connect of TCP answers -EINPROGRESS. */
GLASS_API int glass_bind(struct glass *g, struct glass_sock *s, const struct glass_end *local);
GLASS_API int glass_listen(struct glass *g, struct glass_sock *s, unsigned backlog);
GLASS_API int glass_connect(struct glass *g, struct glass_sock *s, const struct glass_end *remote);
/*
 * TCP Fast Open (RFC 7413): connect, with the first bytes in the SYN when the server's cookie is
 * known. Answers how many went with it; -EINPROGRESS: none, the SYN asks for a cookie. With
 * GLASS_OPT_FASTOPEN_CONNECT glass_connect() answers 0 when it is known, and the SYN waits for the
 * first glass_send(). A listener takes part by GLASS_OPT_FASTOPEN. Tunable: tcp_fastopen.
 */
GLASS_API int64_t glass_connect_send(struct glass *g, struct glass_sock *s,
				     const struct glass_end *remote, const void *bytes,
				     size_t length);
/*
 * The keys of the cookies that servers tell and take: one of 16 bytes, or two; cookies made with
 * the second are taken too. They are Linux's (sysctl net.ipv4.tcp_fastopen_key, TCP_FASTOPEN_KEY),
 * so machines with the same key know each other's cookies. Without any a key is made by chance at
 * birth. set: 0, -EINVAL (length); get answers the length.
 */
#define GLASS_FASTOPEN_KEY_BYTES 16
GLASS_API int glass_fastopen_key_set(struct glass *g, const void *bytes, size_t length);
GLASS_API size_t glass_fastopen_key_get(const struct glass *g,
					uint8_t bytes[2 * GLASS_FASTOPEN_KEY_BYTES]);
/* The same of one listener, or of a socket that is to be one: -EINVAL for others. */
GLASS_API int glass_sock_fastopen_key_set(struct glass *g, struct glass_sock *s, const void *bytes,
					  size_t length);
GLASS_API size_t glass_sock_fastopen_key_get(const struct glass *g, const struct glass_sock *s,
					     uint8_t bytes[2 * GLASS_FASTOPEN_KEY_BYTES]);
/*
 * As sysctl writes them: four hexadecimal numbers with '-' between them, and the second key after a
 * ','. Answers the length, or -EINVAL.
 */
GLASS_API int glass_fastopen_key_read(const char *text,
				      uint8_t bytes[2 * GLASS_FASTOPEN_KEY_BYTES]);
/* Whatever was learned of servers (cookies, losses) is forgotten. */
GLASS_API void glass_fastopen_forget(struct glass *g);
/* The next established connection as a new socket; NULL: none waits. */
GLASS_API struct glass_sock *glass_accept(struct glass *g, struct glass_sock *listener);
/* So many of those accepted have not reached their program yet: the backlog counts them. */
GLASS_API void glass_listen_held(struct glass_sock *listener, unsigned held);

/*
 * TCP. Bytes taken (fewer than length when the send buffer fills), or -EAGAIN, -EPIPE, -ENOTCONN,
 * -ECONNRESET...
 */
GLASS_API int64_t glass_send(struct glass *g, struct glass_sock *s, const void *bytes,
			     size_t length);
/*
 * The same, with what send(2) may say of the bytes. MORE: others follow soon, what these leave of a
 * segment waits for them, for an ACK or 200 ms. EOR: no segment has the last of them and what is
 * written next. TELL: notes for glass_note_take(); -ENOBUFS when they cannot be kept. They are
 * about the last byte; length 0: of what was sent before.
 */
enum {
	GLASS_MORE = 1,
	GLASS_EOR = 2,
	GLASS_TELL_COPIED = 4, /* of the program's memory nothing is needed any more */
	GLASS_TELL_QUEUED = 8, /* it goes to the device */
	GLASS_TELL_SENT = 16,  /* the device has it */
	GLASS_TELL_ACKED = 32, /* the peer has it */
	GLASS_TELL_ANY = 60
};
GLASS_API int64_t glass_send_flags(struct glass *g, struct glass_sock *s, const void *bytes,
				   size_t length, unsigned flags);
/*
 * What was to be told, oldest first; readiness has GLASS_ERR as long as there is some. false: none
 * waits. A program has it from its error queue: MSG_ZEROCOPY, SO_TIMESTAMPING.
 */
struct glass_note {
	uint8_t kind; /* GLASS_TELL_* */
	uint32_t first,
		last; /* COPIED: of the sends that asked, from 0; else where in the stream */
	int64_t time_ns;
};
GLASS_API bool glass_note_take(struct glass *g, struct glass_sock *s, struct glass_note *out);

/* Bytes copied out; 0: end of stream; -EAGAIN, -ENOTCONN, -ECONNRESET... */
GLASS_API int64_t glass_recv(struct glass *g, struct glass_sock *s, void *bytes, size_t length);

/*
 * TCP without copies. glass_send_reserve: a place for up to *length bytes (at most want, at most
 * what the send buffer allows; 0: it is full), valid until the next call with g;
 * glass_send_commit says how many came. glass_recv_peek: the in-order bytes as iovecs, valid
 * until the next call with g; glass_recv_consume frees them.
 */
GLASS_API void *glass_send_reserve(struct glass *g, struct glass_sock *s, size_t want,
				   size_t *length);
GLASS_API void glass_send_commit(struct glass *g, struct glass_sock *s, size_t length);
GLASS_API unsigned glass_recv_peek(struct glass *g, struct glass_sock *s, struct glass_iov *iov,
				   unsigned niov);
GLASS_API void glass_recv_consume(struct glass *g, struct glass_sock *s, size_t length);

/*
 * TCP's urgent data (RFC 6093): one byte at a time, which stays in the stream. glass_send_urgent:
 * the last byte sent is urgent; -ENOTCONN. glass_urgent_at: how many bytes come before the peer's
 * urgent byte (it may not have come yet); -1: there is none.
 */
GLASS_API int glass_send_urgent(struct glass *g, struct glass_sock *s);
GLASS_API int64_t glass_urgent_at(struct glass *g, struct glass_sock *s);

/*
 * UDP and PING: one datagram. to may be NULL when connected. A PING datagram is an ICMP echo
 * message.
 */
GLASS_API int64_t glass_sendto(struct glass *g, struct glass_sock *s, const void *bytes,
			       size_t length, const struct glass_end *to);
/* What may be said of one datagram beside where to. */
struct glass_dgram_how {
	struct glass_addr from; /* source address, one of the stack's; GLASS_UNSPEC: to be chosen */
	uint8_t ttl;		/* 0: the socket's */
	int16_t tos;		/* -1: the socket's */
	uint8_t ifindex;	/* device that it is to leave by, + 1; 0: to be chosen */
	bool more;		/* UDP: a piece of a datagram, others follow (MSG_MORE) */
	uint16_t segment;	/* UDP: several datagrams of this size (UDP_SEGMENT); 0: one */
};
/* The same; how may be NULL. -ENETUNREACH: from is not an address of the stack. */
GLASS_API int64_t glass_sendmsg(struct glass *g, struct glass_sock *s, const void *bytes,
				size_t length, const struct glass_end *to,
				const struct glass_dgram_how *how);
/*
 * *full is the datagram's true length (more than length: the rest is lost). -EAGAIN,
 * -ECONNREFUSED...
 */
struct glass_dgram {
	struct glass_end from, to;
	size_t full;
	uint8_t ttl, tos;
	unsigned dev;		/* that it came in by */
	struct glass_addr spec; /* our own address there: other than to when that is a group */
	uint32_t drops;		/* datagrams for this socket lost until now (SO_RXQ_OVFL) */
	int64_t time_ns;	/* when it came in */
};
GLASS_API int64_t glass_recvfrom(struct glass *g, struct glass_sock *s, void *bytes, size_t length,
				 struct glass_dgram *info);
/* The same, and the datagram stays the next. */
GLASS_API int64_t glass_peekfrom(struct glass *g, struct glass_sock *s, void *bytes, size_t length,
				 struct glass_dgram *info);
/*
 * For an owner that learns late that the program was gone: UDP datagrams that wait are answered by
 * "port unreachable", as if the socket had been closed before they came. Close it next.
 */
GLASS_API void glass_refuse(struct glass *g, struct glass_sock *s);

/*
 * What GLASS_OPT_RECVERR keeps of an error, as IP_RECVERR of Linux: origin 1 is our own host
 * (EMSGSIZE), 2 an ICMP message, or what would have been one (a neighbour that does not answer).
 */
enum { GLASS_ORIGIN_LOCAL = 1, GLASS_ORIGIN_ICMP = 2 };
struct glass_dgram_error {
	int error; /* positive errno */
	uint8_t origin, type, code;
	uint32_t info;		    /* of EMSGSIZE: the MTU */
	struct glass_addr offender; /* who told; GLASS_UNSPEC: nobody else */
	struct glass_end to;	    /* of the datagram */
	size_t full;		    /* bytes of it that are known */
};
/* The oldest one, with the beginning of the datagram. Bytes copied; -EAGAIN: none waits. */
GLASS_API int64_t glass_recverr(struct glass *g, struct glass_sock *s, void *bytes, size_t length,
				struct glass_dgram_error *out);

/*
 * Multicast groups of a datagram socket (RFC 3376 2), as the options of ip(7). The device: ifindex
 * (its number + 1), else the one that has address via, else the one whose route leads to the group.
 * The source is that of JOIN_SOURCE and what follows it. 0, or -EINVAL, -ENODEV, -EADDRINUSE,
 * -EADDRNOTAVAIL, -ENOBUFS (tunables igmp_max_memberships, igmp_max_msf), -EPROTO (TCP).
 */
enum glass_group_do {
	GLASS_GROUP_JOIN,
	GLASS_GROUP_LEAVE,
	GLASS_GROUP_JOIN_SOURCE,
	GLASS_GROUP_LEAVE_SOURCE,
	GLASS_GROUP_BLOCK,
	GLASS_GROUP_UNBLOCK,
	GLASS_GROUP_DO_COUNT
};
struct glass_group {
	struct glass_addr group, via, source;
	unsigned ifindex;
};
GLASS_API int glass_group(struct glass *g, struct glass_sock *s, enum glass_group_do what,
			  const struct glass_group *group);
/*
 * The whole filter of a membership at once: all but, or only, these sources (IP_MSFILTER). No
 * source at all to include: the group is left.
 */
GLASS_API int glass_group_set(struct glass *g, struct glass_sock *s,
			      const struct glass_group *group, bool exclude,
			      const struct glass_addr *sources, unsigned count);
/* The filter: up to max sources; answers how many there are, or -errno. */
GLASS_API int glass_group_get(struct glass *g, struct glass_sock *s,
			      const struct glass_group *group, bool *exclude,
			      struct glass_addr *sources, unsigned max);

enum glass_how { GLASS_SHUT_RD, GLASS_SHUT_WR, GLASS_SHUT_RDWR };
GLASS_API int glass_shutdown(struct glass *g, struct glass_sock *s, enum glass_how how);
/*
 * close(2): orderly (FIN), or RST when bytes are unread or linger is 0. s is gone; the connection
 * may live on.
 */
GLASS_API void glass_close(struct glass *g, struct glass_sock *s);
/*
 * Does the connection of that number (glass_conn_info.conn), whose socket was closed, wait for its
 * peer to acknowledge the data and the FIN? What close(2) waits for with SO_LINGER.
 */
GLASS_API bool glass_closing(struct glass *g, uint32_t conn);
/* RST, whatever is queued. s is gone. */
GLASS_API void glass_abort(struct glass *g, struct glass_sock *s);

GLASS_API unsigned glass_ready(struct glass *g, struct glass_sock *s);
/* SO_ERROR: the pending error as a positive errno, cleared by the call; 0: none. */
GLASS_API int glass_error(struct glass *g, struct glass_sock *s);
/* getsockname(2), getpeername(2); -ENOTCONN. */
GLASS_API int glass_local(const struct glass_sock *s, struct glass_end *out);
GLASS_API int glass_remote(const struct glass_sock *s, struct glass_end *out);
/* The next socket whose readiness changed; false: none. */
GLASS_API bool glass_event(struct glass *g, struct glass_event *event);

/* Options: rows of sock_opt.def. -ENOPROTOOPT, -EINVAL, -EISCONN... */
enum glass_opt {
#define SOCK_OPT(ID, level, name, kind, min, max, initial, doc) GLASS_##ID,
#include "sock_opt.def"
#undef SOCK_OPT
	GLASS_OPT_COUNT
};
GLASS_API int glass_setopt(struct glass *g, struct glass_sock *s, enum glass_opt opt,
			   int64_t value);
GLASS_API int glass_getopt(struct glass *g, struct glass_sock *s, enum glass_opt opt,
			   int64_t *value);
/* The name of the i-th congestion control, which is a value of GLASS_OPT_CONGESTION; NULL past the
 * end. */
GLASS_API const char *glass_congestion_name(unsigned i);

/* ---- handing over ---------------------------------------------------------------------------- */

/*
 * The whole stack as bytes: sockets, connections in every state with all that they have sent and
 * received, half-open ones, timers, neighbours, addresses, counters, keys. put is called with parts
 * of them, in order; it answers 0, or -errno, which ends it. The stack goes on unchanged. 0 or
 * -errno. The bytes hold keys and what programs said: treat them so.
 */
typedef int glass_sink(void *arg, const void *bytes, size_t length);
GLASS_API int glass_save(struct glass *g, glass_sink *put, void *arg);
/*
 * A stack of these bytes, which goes on where the other one was; only one of the two may. Of setup
 * the recorder's memory counts, and the time, which must be of the same clock. What is not
 * restored: the users of sockets (glass_sock_set_user()), packets that the owner had
 * (glass_pkt_new()). NULL: *why tells.
 */
GLASS_API struct glass *glass_restore(const struct glass_setup *setup, const void *bytes,
				      size_t length, const char **why);
/* A socket's number, in the trace too; it stays when the stack is restored. */
GLASS_API uint32_t glass_sock_number(const struct glass_sock *s);
/* Walks all sockets: s NULL starts; NULL: that was the last one. */
GLASS_API struct glass_sock *glass_sock_next(struct glass *g, struct glass_sock *s);

/* ---- looking in ------------------------------------------------------------------------------ */

/* What holds a connection back: rows of limit.def. */
enum glass_limiter {
#define LIMIT(ID, name, word, doc) GLASS_LIMIT_##ID,
#include "limit.def"
#undef LIMIT
	GLASS_LIMIT_COUNT
};

/* A row of "glass ss -i": names and units as in "ss -ti". */
struct glass_conn_info {
	uint32_t conn;	   /* number in the trace; 0: a datagram socket */
	uint8_t proto;	   /* enum glass_proto */
	const char *state; /* as ss: ESTAB, SYN-SENT, LISTEN, UNCONN ... */
	struct glass_end local, remote;
	/* As ss: bytes unread; bytes not acknowledged. LISTEN: connections waiting; backlog. */
	uint64_t recv_q, send_q;
	uint32_t mss, rcv_mss, cwnd_segments, ssthresh_segments;
	uint8_t wscale_snd, wscale_rcv;
	bool timestamps, sack, ecn, ecn_seen, orphan;
	uint32_t snd_wnd, rcv_wnd, unacked_segments, sacked_segments, lost_segments, retrans_out;
	uint64_t bytes_sent, bytes_acked, bytes_received, bytes_retrans;
	uint64_t segs_out, segs_in, retrans_total, dsack_dups, reord_seen;
	uint32_t reordering; /* how many segments late the latest one was; 0: none ever */
	/* retrans_total by cause: RACK or duplicate ACKs; RFC 6582; timeout; the timeouts' first
	 * segments, as a test (RFC 5682); tail loss probes; others. Spurious: proven needless. */
	uint32_t retrans_fast, retrans_partial, retrans_rto, retrans_frto, retrans_tlp,
		retrans_other, retrans_spurious;
	uint64_t data_segs_out, data_segs_in, delivered, rcv_ooopack;
	uint64_t delivery_rate; /* bytes/s; app_limited: the program had not enough to send */
	uint64_t notsent;	/* bytes */
	bool app_limited;
	uint8_t probes;
	uint32_t pmtu, advmss, rcv_ssthresh, rcv_space, total_rto;
	int64_t ato_ns, rcv_rtt_ns;
	/* Since then: -1 never. last_ack: anything acceptable came. */
	int64_t last_snd_ns, last_rcv_ns, last_ack_ns;
	int64_t busy_ns, rwnd_limited_ns, sndbuf_limited_ns; /* as ss; sums of limit_ns[] */
	/* Memory: received and unread, its limit; to be sent, its limit. */
	uint64_t rmem, rcvbuf, wmem, sndbuf;
	int64_t rto_ns, srtt_ns, rttvar_ns, minrtt_ns;
	int64_t timer_ns;  /* until the timer fires; -1: none */
	const char *timer; /* on (retransmit), probe, tlp, keepalive, timewait, persist; "" none */
	const char *cc, *ca_state; /* cubic, reno; Open Recovery Loss */
	unsigned backoff;
	unsigned ifindex; /* bound to that device, + 1; 0: to none */
	int error;	  /* the error that ended it or is pending */
	const char *error_why;
	/* Its life, and what held it back meanwhile: limit_ns[] sum to life_ns, always. */
	int64_t life_ns, limit_ns[GLASS_LIMIT_COUNT];
	enum glass_limiter limiter; /* of now */
	void *user;		    /* the socket's: glass_sock_set_user() */
};
/* Walks all sockets and connections, TIME-WAIT too. *cursor starts at 0. */
GLASS_API bool glass_conn_next(struct glass *g, uint64_t *cursor, struct glass_conn_info *out);
GLASS_API int glass_sock_info(struct glass *g, struct glass_sock *s, struct glass_conn_info *out);

/*
 * TCP_INFO, byte for byte as struct tcp_info of Linux 6.x. Units are in the names where Linux's
 * have none; windows and what begins with unacked count segments.
 */
enum {
	GLASS_TCPI_TIMESTAMPS = 1,
	GLASS_TCPI_SACK = 2,
	GLASS_TCPI_WSCALE = 4,
	GLASS_TCPI_ECN = 8,
	GLASS_TCPI_ECN_SEEN = 16,
	GLASS_TCPI_SYN_DATA = 32
};
struct glass_tcp_info {
	uint8_t state, ca_state, retransmits, probes, backoff, options;
	uint8_t wscale;	     /* send, receive << 4 */
	uint8_t app_limited; /* delivery_rate: the program had not enough to send */
	uint32_t rto_us, ato_us, snd_mss, rcv_mss;
	uint32_t unacked, sacked, lost, retrans, fackets;
	uint32_t last_data_sent_ms, last_ack_sent_ms, last_data_recv_ms, last_ack_recv_ms;
	uint32_t pmtu, rcv_ssthresh, rtt_us, rttvar_us, snd_ssthresh, snd_cwnd, advmss, reordering;
	uint32_t rcv_rtt_us, rcv_space, total_retrans;
	uint64_t pacing_rate, max_pacing_rate, bytes_acked, bytes_received;
	uint32_t segs_out, segs_in, notsent_bytes, min_rtt_us, data_segs_in, data_segs_out;
	uint64_t delivery_rate; /* bytes/s */
	uint64_t busy_time_us, rwnd_limited_us, sndbuf_limited_us;
	uint32_t delivered, delivered_ce;
	uint64_t bytes_sent, bytes_retrans;
	uint32_t dsack_dups, reord_seen, rcv_ooopack, snd_wnd, rcv_wnd, rehash;
	uint16_t total_rto, total_rto_recoveries;
	uint32_t total_rto_time_ms;
};
/* Of a TCP socket, connected or not. */
GLASS_API void glass_tcp_info(const struct glass *g, const struct glass_sock *s,
			      struct glass_tcp_info *out);

/* Counters: stats.def, then one per drop reason of drop.def. false past the end. */
struct glass_stat {
	const char *group, *name, *doc;
	uint64_t value;
};
GLASS_API bool glass_stat_at(const struct glass *g, unsigned i, struct glass_stat *out);

/*
 * The i-th law of the account: have is the sum of the parts, always. Between two calls of other
 * functions; false past the end. Costs a walk through all that there is.
 */
#define GLASS_CHECK_PARTS 5
struct glass_part {
	const char *name; /* NULL: none */
	uint64_t count;
};
struct glass_check {
	const char *name;
	uint64_t have;
	struct glass_part part[GLASS_CHECK_PARTS];
	bool holds;
};
GLASS_API bool glass_check_at(struct glass *g, unsigned i, struct glass_check *out);

/* Memory the stack holds now, in bytes, and objects alive: to prove that nothing leaks. */
struct glass_memory {
	uint64_t bytes, bytes_max;
	uint32_t packets, buffers, connections, sockets, neighbours;
};
GLASS_API void glass_memory(const struct glass *g, struct glass_memory *out);

#ifdef __cplusplus
}
#endif
#endif
