/* SPDX-License-Identifier: MIT */
/*
 * TCP: one connection, and the rooms that a segment walks through.
 *
 * Bytes to be sent lie once, in the chunks of the send queue, until they are acknowledged; frames
 * refer to them. What was sent is a list of struct tcp_tx, one per frame (so up to 64 KB each),
 * in order of sequence numbers; a second list has those still in flight in order of sending, for
 * RACK (RFC 8985).
 *
 * A room that makes a connection owe something to the wire calls tcp_owe(); the frames are built
 * when the owner of the stack pulls (glass_output), so that a batch of received segments is
 * answered once.
 */
#ifndef GLASS_STACK_TCP_H
#define GLASS_STACK_TCP_H

#include "../wire/tcp.h"
#include "ip.h"
#include "link.h"
#include "tcp_tx.h"

enum tcp_state {
	TCPS_CLOSED,
	TCPS_LISTEN, /* of a struct tcp_listener; no connection is in it */
	TCPS_SYN_SENT,
	TCPS_SYN_RECEIVED,
	TCPS_ESTABLISHED,
	TCPS_FIN_WAIT_1,
	TCPS_FIN_WAIT_2,
	TCPS_CLOSE_WAIT,
	TCPS_CLOSING,
	TCPS_LAST_ACK,
	TCPS_TIME_WAIT,
	TCPS_COUNT
};

#define TCP_MSS_DEFAULT 536	  /* RFC 9293 MUST-15 */
#define TCP_MSS_MIN 48		  /* CVE-2019-11479: a smaller one from the peer counts as this */
#define TCP_WSCALE_MAX 14	  /* RFC 7323 2.3 */
#define TCP_DUPACKS 3		  /* RFC 5681 3.2 */
#define TCP_SUPER_BYTES_MAX 65160 /* payload of a super-packet: with all headers below 64 KB */
#define TCP_CHUNK_BYTES 4096	  /* least room of a chunk: 64 KB of them fit PKT_FRAGS_MAX */
#define TCP_QUICK_ACKS 16	  /* segments acknowledged at once when a connection is young */
#define TCP_PORT_BUCKETS 4096
#define TCP_TW_ISS_STEP \
	65537 /* from the last number of a connection in TIME-WAIT to the next one's */
/* A program may be this much ahead of the network at least, so that the device never waits. */
#define TCP_SEND_AHEAD_BYTES 262144u
#define TCP_BUDGET_BYTES 262144 /* sent by one connection before the next one has its turn */

/* A port in use, and who uses it. */
struct tcp_port {
	struct list node;  /* in its bucket */
	struct list binds; /* struct tcp_bind */
	uint16_t port;
	uint32_t conns; /* connections with this local port, TIME-WAIT too */
};

/* A socket's claim on a port. */
struct tcp_bind {
	struct list node;      /* in port->binds */
	struct tcp_port *port; /* NULL: not bound */
	ip4_t addr;	       /* 0: any */
	bool reuse_addr, reuse_port, listening;
};

/* What a program sets before or after connecting; a listener's connections inherit it. */
struct tcp_config {
	uint32_t sndbuf, rcvbuf;	   /* bytes */
	uint32_t window_clamp;		   /* 0: none */
	uint32_t notsent_lowat;		   /* bytes that may be queued and not sent */
	uint16_t maxseg;		   /* 0: from the MTU */
	uint8_t ttl, tos;		   /* ttl 0: default */
	bool sndbuf_locked, rcvbuf_locked; /* set by the program: they do not follow the path */
	bool nodelay, cork, keepalive, quickack;
	uint8_t defer_accept; /* SYN-ACKs to wait for data: TCP_DEFER_ACCEPT */
	uint8_t syn_retries, keep_count;
	uint16_t keep_idle_s, keep_interval_s;
	uint8_t cc;		  /* TCP_CC_* */
	bool fastopen_connect;	  /* connect() waits for the first bytes, when it may */
	bool notsent_own;	  /* TCP_NOTSENT_LOWAT was set: it is not the tunable */
	int32_t linger_s;	  /* -1: off */
	int16_t fin_wait_s;	  /* FIN-WAIT-2 without program; 0: tunable, -1: none */
	uint16_t fastopen_qlen;	  /* a listener's: fast opens under way at most; 0: none */
	uint32_t user_timeout_ms; /* 0: retries decide */
};

struct tcp_listener {
	struct waker waker;
	struct tcp_bind bind;
	struct tcp_config config;
	uint32_t backlog;
	struct list accept; /* struct tcp_conn: nobody has taken them; they may have ended */
	uint32_t naccept;
	struct list embryos; /* struct tcp_embryo */
	uint32_t nembryos;
	int64_t cookie_ns; /* when it last answered with a cookie */
	/* tcp_fastopen.c: connections in SYN-RECEIVED; those that a RST ended lately */
	uint32_t fastopens, fastopen_resets;
	int64_t fastopen_reset_ns; /* the last of these */
};

/*
 * A connection half open, in SYN-RECEIVED: what the SYN told and what we answered. It becomes a
 * struct tcp_conn with the third segment of the handshake, so a SYN costs little.
 */
struct tcp_embryo {
	struct list node;  /* in the table's bucket of its four addresses */
	struct list queue; /* listener->embryos, oldest first */
	struct timer timer;
	struct tcp_listener *listener;
	int64_t sent_ns;      /* our SYN-ACK, last */
	int64_t challenge_ns; /* what was no good, last answered */
	ip4_t laddr, raddr;
	uint16_t lport, rport;
	struct seq irs, iss;
	uint32_t id; /* in the trace; the connection will have the same */
	uint32_t syn_pkt;
	uint32_t tsval;	   /* the peer's */
	uint16_t wnd, mss; /* the peer's; mss 0: it told none */
	uint8_t wscale;	   /* the peer's */
	uint8_t timeouts;
	bool wscale_ok : 1, sack_ok : 1, ts_ok : 1, ecn_ok : 1; /* asked for by the peer */
	bool acked : 1;	 /* the third segment came and was not taken */
	bool resent : 1; /* so the third segment tells no round-trip time */
	bool is_cookie : 1;
	bool fastopen_tell : 1; /* the SYN-ACK carries a cookie for the next time */
};

/* Bytes of the send queue. */
struct tcp_chunk {
	struct list node;
	struct buf *buf;
	uint32_t off, len; /* in buf->bytes: first byte not acknowledged, bytes from there */
};

enum tcp_ca_state { CA_OPEN, CA_RECOVERY, CA_LOSS };

enum tcp_rtx_timer { RTX_NONE, RTX_RTO, RTX_PROBE, RTX_REORDER, RTX_RENEGED, RTX_PERSIST };

/* RFC 5682, after a timeout: the head was sent again; new data was let out to see. */
enum tcp_frto { FRTO_OFF, FRTO_HEAD, FRTO_NEW };

/*
 * Congestion control in four verbs; one file is one algorithm, tcp_cc.c calls it. Windows are
 * bytes. What an algorithm must put back upon an undo beside cwnd and ssthresh it does itself.
 */
struct tcp_conn;
struct tcp_ack_sum;
struct tcp_cc {
	const char *name;
	void (*start)(struct glass *g, struct tcp_conn *c);
	/* sum->delivered bytes arrived while not in recovery: grow cwnd. */
	void (*acked)(struct glass *g, struct tcp_conn *c, const struct tcp_ack_sum *sum);
	/* The new ssthresh upon a loss found without a timeout; cwnd is recovery's affair. */
	uint32_t (*lost)(struct glass *g, struct tcp_conn *c);
	/* The new ssthresh upon a timeout. */
	uint32_t (*timed_out)(struct glass *g, struct tcp_conn *c);
	/* The last reduction was a mistake; NULL: there is nothing to put back. */
	void (*undo)(struct glass *g, struct tcp_conn *c);
	/* Data goes out after idle_ms in which none did; NULL: it does not matter. */
	void (*idle)(struct tcp_conn *c, uint32_t idle_ms);
};
extern const struct tcp_cc tcp_cc_reno, tcp_cc_cubic;

/* What tcp_cc_cubic.c remembers. Windows are bytes, times milliseconds. */
struct tcp_cubic_curve {
	uint32_t w_max;	     /* where the plateau is */
	uint32_t k_ms;	     /* from the beginning of the epoch to the plateau */
	uint32_t epoch_ms;   /* when it began; 0: none has since the last reduction */
	uint32_t w_est;	     /* what Reno would have reached: RFC 9438 4.3 */
	uint32_t cwnd_prior; /* before the last reduction */
};
struct tcp_cubic {
	struct tcp_cubic_curve now, undo;
	uint32_t est_count; /* bytes acknowledged towards the next segment of w_est */
	uint32_t rest;	    /* of the last division, for the next one */
	uint32_t acked_ms;  /* last ACK: the time in which cwnd is not used does not count */
};

/* What tcp_hystart.c remembers during the first slow start. */
struct tcp_hystart {
	struct seq round_end;
	uint32_t last_us, now_us; /* least round-trip time of the last round, of this one */
	uint32_t base_us;	  /* when CSS began */
	uint8_t samples, css_rounds;
	bool begun; /* round_end is known */
	bool css;   /* conservative slow start */
};

/* By number: TCP_CONGESTION knows them by name, tcp_config and the tunable by number. */
enum { TCP_CC_CUBIC, TCP_CC_RENO, TCP_CC_COUNT };

/*
 * What a connection did: only one that sends has it. It begins with the first byte sent
 * (tcp_account_open), and stays.
 */
struct tcp_account {
	int64_t limit_ns[GLASS_LIMIT_COUNT];
	uint64_t bytes_sent, bytes_acked, bytes_retrans;
	uint32_t retrans_by[RTX_KINDS]; /* segments, by enum tcp_rtx_kind */
	uint32_t retrans_spurious;	/* of these: proven to have been needless */
	uint32_t data_segs_out, delivered_segs;
	int64_t last_data_sent_ns;
	uint16_t rtos, rto_recoveries; /* timeouts; runs of them that ended well */
	uint32_t rto_ms;	       /* the time of these runs */

	/* tcp_rate.c */
	uint64_t delivered;    /* bytes ever acknowledged or SACKed */
	uint64_t app_limited;  /* until delivered is beyond this; 0: no */
	int64_t delivered_ns;  /* when it changed last */
	int64_t first_sent_ns; /* of the sample that is going on */
	uint64_t rate_bytes_s;
	int64_t pmtu_next_ns; /* tcp_pmtu.c: no probe before */
	struct seq pmtu_end;  /* of the probe that is out */
	uint16_t mss_proven;  /* largest segment that was delivered */
	bool rate_app_limited;
};

struct tcp_conn {
	struct waker waker;
	struct list node;	       /* in the table's bucket of its four addresses */
	struct list by_id;	       /* in the table's bucket of its number */
	struct list pending;	       /* in table->pending while it owes something to the wire */
	struct list queue;	       /* listener->accept; table->time_wait; table->dead */
	struct tcp_listener *listener; /* until accepted */
	struct tcp_listener *fastopen_of; /* whose limit it counts towards, in SYN-RECEIVED */
	struct tcp_port *port;
	uint32_t id;	    /* in the trace */
	uint32_t owe_cause; /* the act that made it owe */

	ip4_t laddr, raddr;
	uint16_t lport, rport;
	struct ip_path path;
	uint8_t state; /* enum tcp_state; written by tcp_set_state() only */
	bool hashed;
	bool connected_once; /* reached ESTABLISHED, or is a fast open: the program may use it */
	bool wscale_ok, sack_ok, ts_ok;
	/* RFC 3168: agreed; ECE is owed; CWR is; the peer has sent ECT. */
	bool ecn_ok : 1, ecn_echo : 1, ecn_cwr : 1, ecn_seen : 1;
	bool reduce_ecn : 1; /* a mark was the reason of the last reduction */
	/* RFC 7413, tcp_fastopen.c and tcp_fastopen_client.c */
	bool fastopen_wanted : 1; /* our SYN is to have the option */
	bool fastopen_asked : 1;  /* it had */
	bool syn_waits : 1;	  /* in SYN-SENT: for the program's first bytes */
	bool fastopen_child : 1;  /* born of a SYN with a valid cookie: it has been open since */
	bool fastopen_tell : 1;	  /* a ghost's: its SYN-ACK tells a cookie */
	bool syn_data_acked : 1;  /* the data of the SYN was accepted: ours, or the peer's */
	uint8_t snd_wscale, rcv_wscale;
	uint16_t mss;			/* payload of a full segment to send, options taken off */
	uint16_t peer_mss;		/* as the peer told, or the default; 0: no SYN has come */
	uint16_t pmtu_high, pmtu_probe; /* searching below; size that is tried now. 0: not */
	uint16_t rcv_mss;		/* largest segment received, as an estimate of the peer's */
	uint16_t syn_data;		/* bytes that went with our SYN and are not answered */

	struct {
		struct seq una, nxt, wl1, wl2,
			iss;	  /* nxt: one past the highest ever sent, it never goes back */
		uint32_t wnd;	  /* peer's window, scaled */
		uint32_t wnd_max; /* largest it ever was */
	} snd;
	struct {
		struct seq nxt, irs;
		struct seq edge;  /* right edge of the window as advertised: never moves left */
		struct seq acked; /* last ACK sent (RFC 7323: Last.ACK.sent) */
		uint32_t limit;	  /* bytes to offer at most: grows with use, to config.rcvbuf */
	} rcv;
	struct tcp_config config;

	/* Sending: tcp_output.c, tcp_ack.c, tcp_recovery.c */
	struct list chunks;	      /* struct tcp_chunk: snd.una .. */
	uint32_t queued;	      /* bytes in chunks, sent or not */
	struct tcp_chunk *next_chunk; /* of the next new byte; NULL: none */
	uint32_t next_off;
	struct list sent;	/* struct tcp_tx, by sequence number */
	struct seqtree sent_at; /* the same, to find one */
	struct list flight;	/* those in flight, in order of sending */
	struct seqtree to_resend;
	uint32_t sent_count; /* transmissions so far: tcp_tx.order */
	uint32_t sacked_segs;
	uint32_t sacked, lost, retrans; /* bytes of tx with the flag */
	bool fin_queued, fin_sent;
	struct seq small_end;	     /* end of the last segment that was not full (Nagle) */
	bool in_burst;		     /* new data has left in this round of tcp_output() */
	bool snd_urgent, rcv_urgent; /* snd_up, rcv_up are valid: tcp_urgent.c */
	struct seq snd_up;	     /* behind our urgent byte */
	struct seq rcv_up;	     /* the peer's urgent byte */
	bool force_out;		     /* a timer says: send what waits, full segment or not */
	bool want_out;		     /* the program waits for room */
	bool starved;	     /* there was no memory for its bytes: it is to try again soon */
	bool ack_now;	     /* an ACK is owed at once */
	bool closed_by_user; /* no reader any more: data is answered with RST */
	bool shut_rd;
	const struct tcp_cc *cc;
	union {
		struct tcp_hystart hystart; /* cubic, while ssthresh is UINT32_MAX */
		struct tcp_cubic cubic;
		uint32_t reno_count;
	} cc_state; /* of cc, and zero when it begins */
	uint32_t cwnd, ssthresh;
	uint32_t flight_size;		   /* RFC 5681 2, before the ACK or timeout of now */
	uint32_t undo_cwnd, undo_ssthresh; /* before the last reduction: tcp_cc_undo() */
	bool cwnd_limited;		   /* cwnd was all that held output back, of late */
	uint32_t out_max, out_used; /* most in flight: in the window up to out_end, since used_ms */
	struct seq out_end;
	struct seq reduce_end; /* snd.nxt at the last reduction */
	uint32_t used_ms;      /* when cwnd was full, or last cut because it was not */
	uint32_t data_ms;      /* payload went out */
	uint8_t ca_state;      /* enum tcp_ca_state */
	uint8_t dupacks;
	struct seq recover;			     /* snd.nxt when the recovery began */
	uint32_t prr_delivered, prr_out, recover_fs; /* RFC 9937 */

	/* RACK-TLP, RFC 8985 */
	int64_t rack_rtt_ns, rack_min_rtt_ns;
	int64_t reorder_at_ns; /* when the next frame counts as lost; 0: none waits */
	uint32_t rack_order;   /* of the frame sent last among those that arrived; 0: none has */
	struct seq rack_end;
	struct seq rack_fack; /* highest sequence delivered */
	uint16_t reord_seen;
	uint16_t reordering; /* how many segments late the latest was; 0: none ever */
	struct seq rack_dsack_round;
	uint8_t rack_reo_mult, rack_reo_persist;
	bool rack_dsack_wait; /* until rack_dsack_round duplicates say nothing new */
	bool tlp_out, tlp_is_retrans;
	struct seq tlp_end;
	uint32_t tlp_ts; /* our timestamp when the probe left */
	bool probed;	 /* and nothing was delivered since */

	/* Was the recovery needed? tcp_undo.c */
	bool undo_watch, undo_resent, undo_counted;
	uint8_t frto;	      /* enum tcp_frto */
	struct seq undo_from; /* snd.una when it began */
	uint32_t undo_bytes;  /* sent again, not reported as duplicates */
	uint32_t undo_ts;     /* our timestamp at the first retransmission */

	/* Round-trip time: RFC 6298 */
	int64_t srtt_ns, rttvar_ns, rto_ns;
	uint8_t backoff;      /* doublings of rto_ns: until the next sample (RFC 6298 5) */
	uint8_t timeouts;     /* in a row, without progress: RFC 9293 3.8.3 */
	int64_t una_ns;	      /* when snd.una moved last */
	int64_t rto_at_ns;    /* when the retransmission timer is due; 0: nothing is out */
	uint8_t probes;	      /* zero-window or keepalive probes in a row */
	int64_t rtx_since_ns; /* when the oldest unacknowledged byte was first timed out; 0: not */

	/* Timers */
	struct timer rtx_timer, ack_timer, life_timer;
	uint8_t rtx_mode; /* enum tcp_rtx_timer */
	uint32_t syn_pkt; /* number of the packet that carried our first SYN */

	/* Receiving: tcp_reass.c */
	struct list rx; /* struct pkt in order */
	uint32_t rx_bytes;
	struct list ooo; /* struct pkt by seq */
	uint32_t ooo_bytes, ooo_count;
	struct tcp_sack_block sack[TCP_SACK_BLOCKS_MAX]; /* most recent first */
	uint8_t nsack;
	bool dsack; /* dsack_block is to be told */
	struct tcp_sack_block dsack_block;
	bool fin_received; /* and everything before it */
	bool fin_known;	   /* fin_seq is valid: a FIN waits behind a hole */
	struct seq fin_seq;
	uint32_t unacked;     /* bytes received since the last ACK sent */
	uint8_t quick;	      /* segments still to be acknowledged at once */
	bool pingpong;	      /* the program answers: ACKs can ride on data */
	int64_t last_data_ns; /* payload came in */
	int64_t last_rx_ns;   /* anything acceptable came in */
	int64_t last_tx_ns;
	int64_t challenge_ns; /* last challenge ACK or answer to an unacceptable segment */
	int64_t drs_ns;	      /* receive window growth: start of the period, bytes read in it */
	uint32_t drs_bytes;

	/* RFC 7323 */
	uint32_t ts_offset, ts_recent;
	int64_t ts_recent_ns;

	/* The account of its time: tcp_limit.c */
	int64_t born_ns, limit_since_ns;
	struct tcp_account *account; /* NULL: nothing was sent, two limiters at most */
	uint8_t limiter;	     /* enum glass_limiter */

	int error; /* what the program is to be told; positive errno */
	int soft_error;
	const char *error_why;

	uint64_t bytes_received;
	uint32_t segs_out, segs_in, data_segs_in, ooo_segs, retrans_total;
	uint32_t dsack_dups; /* segments that the peer got twice */
};

/* A segment as it came: host order. len counts the payload, span adds SYN and FIN. */
struct tcp_seg {
	struct seq seq, ack;
	uint32_t len, span;
	uint32_t wnd; /* not scaled */
	uint16_t urgent;
	uint8_t flags;
	uint16_t sport, dport;
	ip4_t src, dst;
	uint8_t tos, ttl;
	/* A SYN that ended a TIME-WAIT: our number has to be beyond the old connection's. */
	bool tw_iss_ok;
	struct seq tw_iss;
	struct tcp_options opt;
};

struct tcp_table {
	struct list *buckets, *id_buckets; /* of nbuckets */
	uint32_t nbuckets, nconns;
	struct list ports[TCP_PORT_BUCKETS];
	struct list pending;
	struct list time_wait; /* oldest first */
	uint32_t ntime_wait;
	uint32_t last_id;
	struct list dead;	     /* struct tcp_conn: ended, freed when the door closes */
	struct list *embryo_buckets; /* of nembryo_buckets */
	uint32_t nembryo_buckets, nembryos;
	struct hash_key hash_key, isn_key, ts_key, cookie_key, fastopen_key;
	struct tcp_hint *hints; /* tcp_fastopen_client.c; NULL: none yet */
	struct buf *spare;	/* where the next bytes of a program go */
};

/* tcp_demux.c: finding the connection; ports */
int tcp_init(struct glass *g);
void tcp_fini(struct glass *g);
enum verdict tcp_input(struct glass *g, struct pkt *p, const struct ip_info *ip);
struct tcp_conn *tcp_find(struct glass *g, ip4_t laddr, uint16_t lport, ip4_t raddr,
			  uint16_t rport);
struct tcp_conn *tcp_find_id(struct glass *g, uint32_t id);
/* Puts c into the tables; 0 or -ENOBUFS. */
int tcp_hash(struct glass *g, struct tcp_conn *c);
void tcp_unhash(struct glass *g, struct tcp_conn *c);
struct tcp_listener *tcp_find_listener(struct glass *g, const struct tcp_seg *seg);
/* Walks all connections: bucket by bucket. *cursor starts at 0. */
struct tcp_conn *tcp_next(struct glass *g, uint64_t *cursor);

/* tcp_port.c */
/* port 0: an unpredictable free one. 0, -EADDRINUSE, -EADDRNOTAVAIL, -ENOBUFS. */
int tcp_bind(struct glass *g, struct tcp_bind *b, ip4_t addr, uint16_t port);
void tcp_unbind(struct glass *g, struct tcp_bind *b);
/*
 * A local port such that the four addresses of c are free; may end a connection in TIME-WAIT.
 * -EADDRNOTAVAIL.
 */
int tcp_choose_port(struct glass *g, struct tcp_conn *c);
struct tcp_port *tcp_port_get(struct glass *g, uint16_t port);
struct tcp_port *tcp_port_find(struct glass *g, uint16_t port);
void tcp_port_put(struct glass *g, struct tcp_port *port);

/*
 * c takes the addresses of old, which rests in TIME-WAIT: its ISN and timestamps go on from
 * there.
 */
void tcp_take_over(struct glass *g, struct tcp_conn *c, struct tcp_conn *old);

/* tcp_isn.c: of the four addresses */
struct seq tcp_isn(struct glass *g, ip4_t laddr, uint16_t lport, ip4_t raddr, uint16_t rport);
uint32_t tcp_ts_offset(struct glass *g, ip4_t laddr, uint16_t lport, ip4_t raddr, uint16_t rport);
static inline uint32_t tcp_ts_at(const struct tcp_conn *c, int64_t time_ns)
{
	return (uint32_t)(time_ns / NS_PER_MS) + c->ts_offset;
}
static inline uint32_t tcp_ts_now(const struct glass *g, const struct tcp_conn *c)
{
	return tcp_ts_at(c, now(g));
}

/* tcp_state.c: birth, states, death */
struct tcp_conn *tcp_new(struct glass *g, const struct tcp_config *config);
/* The fields of a connection that is not in any list, and may never be: see tcp_embryo.c. */
void tcp_conn_init(struct glass *g, struct tcp_conn *c, const struct tcp_config *config);
/* c goes on from an embryo of that number: in SYN-RECEIVED, as the trace knows. */
void tcp_hatched(struct tcp_conn *c, uint32_t id);
void tcp_config_init(const struct glass *g, struct tcp_config *config);
#define tcp_set_state(g, c, to, why) tcp_change_state(g, c, to, WORD(why), why)
void tcp_change_state(struct glass *g, struct tcp_conn *c, enum tcp_state to, uint64_t why,
		      const char *why_text);
/*
 * Ends the connection by an error the program is to see (0: orderly); c may be freed when no
 * socket has it.
 */
#define tcp_end(g, c, error, why) tcp_end_conn(g, c, error, WORD(why), why)
void tcp_end_conn(struct glass *g, struct tcp_conn *c, int error, uint64_t why,
		  const char *why_text);
/*
 * Frees what ended since the last time: when a door of the stack closes, nobody holds a pointer
 * any more.
 */
void tcp_reap(struct glass *g);
/* The socket lets go of an ended connection. */
void tcp_free(struct glass *g, struct tcp_conn *c);
static inline bool tcp_synchronized(const struct tcp_conn *c)
{
	return c->state >= TCPS_ESTABLISHED;
}

/* tcp_connect.c */
int tcp_connect(struct glass *g, struct tcp_conn *c, ip4_t raddr, uint16_t rport);
enum verdict tcp_syn_sent_input(struct glass *g, struct tcp_conn *c, struct pkt *p,
				struct tcp_seg *seg);
/* Everything that depends on both ends' addresses and on the path, before the first SYN. */
void tcp_prepare(struct glass *g, struct tcp_conn *c, struct seq iss);
/* What SYN or SYN-ACK of the peer tells: options, sequence numbers. */
void tcp_learn_syn(struct glass *g, struct tcp_conn *c, const struct tcp_seg *seg);
void tcp_established(struct glass *g, struct tcp_conn *c);

/* tcp_listen.c */
/*
 * A listener that takes over the claim on a port. 0, -EADDRINUSE (somebody listens there),
 * -ENOBUFS.
 */
int tcp_listen(struct glass *g, struct tcp_bind *claim, const struct tcp_config *config,
	       struct tcp_listener **out);
void tcp_listener_free(struct glass *g, struct tcp_listener *l);
enum verdict tcp_listen_input(struct glass *g, struct tcp_listener *l, struct pkt *p,
			      struct tcp_seg *seg);
struct tcp_conn *tcp_accept(struct glass *g, struct tcp_listener *l);
/* A connection whose handshake is complete waits for the program. */
void tcp_accept_queue(struct glass *g, struct tcp_listener *l, struct tcp_conn *c);
/* As Linux: one more may wait than the backlog says. */
static inline bool tcp_accept_full(const struct tcp_listener *l)
{
	return l->naccept > l->backlog;
}

/* tcp_embryo.c */
int tcp_embryos_init(struct glass *g);
void tcp_embryos_fini(struct glass *g);
struct tcp_embryo *tcp_embryo_find(struct glass *g, ip4_t laddr, uint16_t lport, ip4_t raddr,
				   uint16_t rport);
/* What a SYN asks for, as far as we want it too. */
void tcp_embryo_read(struct glass *g, struct tcp_embryo *e, struct tcp_listener *l,
		     const struct tcp_seg *seg);
/* A copy of it that lives, and answers the SYN. NULL: no memory. */
struct tcp_embryo *tcp_embryo_new(struct glass *g, const struct tcp_embryo *like);
void tcp_embryo_free(struct glass *g, struct tcp_embryo *e);
/* *e ends; what the trace says of it. */
void tcp_embryo_end(struct glass *g, struct tcp_embryo *e, int error, uint64_t why);
/* SYN-ACK. false: no way back. */
bool tcp_embryo_answer(struct glass *g, struct tcp_embryo *e);
enum verdict tcp_embryo_input(struct glass *g, struct tcp_embryo *e, struct pkt *p,
			      struct tcp_seg *seg);
/*
 * The third segment: a connection in place of the embryo, established and in the accept queue. The
 * embryo is untouched. NULL: no memory, or no way back.
 */
struct tcp_conn *tcp_embryo_hatch(struct glass *g, struct tcp_embryo *e, const struct tcp_seg *seg);
/* What e stands for as a connection in SYN-RECEIVED, in the tables. NULL: no memory, or no way. */
struct tcp_conn *tcp_embryo_conn(struct glass *g, const struct tcp_embryo *e);
/* Walks all embryos, as tcp_next(). */
struct tcp_embryo *tcp_embryo_next(struct glass *g, uint64_t *cursor);

/* tcp_cookie.c */
/* Makes e->iss a cookie. */
void tcp_cookie_make(struct glass *g, struct tcp_embryo *e);
/* The timestamp of its SYN-ACK. */
uint32_t tcp_cookie_tsval(const struct glass *g, const struct tcp_embryo *e, uint32_t ts_offset);
/* Has the listener sent one so lately that it may come back? */
bool tcp_cookie_expected(const struct glass *g, const struct tcp_listener *l);
/* Is seg the answer to a cookie of ours? Then *e is what it was made from. */
bool tcp_cookie_check(struct glass *g, struct tcp_listener *l, const struct tcp_seg *seg,
		      struct tcp_embryo *e);

/* tcp_fastopen.c: data in a SYN that comes */
/* Does this SYN open at once? If not, *e may have learned that its SYN-ACK is to tell a cookie. */
bool tcp_fastopen_check(struct glass *g, struct tcp_listener *l, const struct tcp_seg *seg,
			struct tcp_embryo *e);
/* A connection in SYN-RECEIVED that has the SYN's data and waits for accept. Consumes p. */
enum verdict tcp_fastopen_open(struct glass *g, struct tcp_embryo *e, struct pkt *p,
			       struct tcp_seg *seg);
/* The cookie for the peer of c. */
void tcp_fastopen_tell(const struct glass *g, const struct tcp_conn *c, struct tcp_options *o);
/* c leaves SYN-RECEIVED; by a RST: its place stays taken for a while. */
void tcp_fastopen_left(struct glass *g, struct tcp_conn *c, bool reset);
void tcp_fastopen_listener_gone(struct glass *g, struct tcp_listener *l);

/* tcp_fastopen_client.c: data in a SYN that goes */
void tcp_fastopen_fini(struct glass *g);
/* Is there a cookie for c's peer? Then the SYN may wait for data. */
bool tcp_fastopen_ready(struct glass *g, const struct tcp_conn *c);
/* How much data c's SYN may carry. */
uint32_t tcp_fastopen_room(struct glass *g, const struct tcp_conn *c);
/* The option of c's first SYN. Answers how much data may go with it. */
uint32_t tcp_fastopen_ask(struct glass *g, struct tcp_conn *c, struct tcp_options *o);
/* The first bytes are there: the SYN goes. */
void tcp_fastopen_go(struct glass *g, struct tcp_conn *c);
/* The peer's SYN acknowledges ours: what of its data it took, and what it told. */
void tcp_fastopen_answered(struct glass *g, struct tcp_conn *c, const struct tcp_seg *seg);

/* tcp_input.c */
/* The part of the segment that lies in the window; its first byte is rcv.nxt or later. */
void tcp_trim(struct tcp_conn *c, struct pkt *p, struct tcp_seg *seg);
enum verdict tcp_conn_input(struct glass *g, struct tcp_conn *c, struct pkt *p,
			    struct tcp_seg *seg);
/* The same without the record of it. */
enum verdict tcp_segment_arrives(struct glass *g, struct tcp_conn *c, struct pkt *p,
				 struct tcp_seg *seg);

/* tcp_ack.c */
enum verdict tcp_check_ack(struct glass *g, struct tcp_conn *c, struct pkt *p, struct tcp_seg *seg);
/* The handshake's third segment, or a data segment in its place: SYN-RECEIVED is over. */
void tcp_syn_ack_acked(struct glass *g, struct tcp_conn *c, const struct tcp_seg *seg);
void tcp_rtt_sample(struct glass *g, struct tcp_conn *c, int64_t rtt_ns);

/* tcp_sent.c, tcp_sack.c, tcp_recovery.c: what of the sent is with the peer, what is lost. */
struct tcp_ack_sum {
	uint32_t acked;			 /* bytes cumulatively acknowledged now */
	uint32_t delivered;		 /* bytes newly acknowledged or SACKed */
	uint32_t sacked;		 /* of these: newly SACKed */
	int64_t rtt_ns;			 /* of the newest segment never resent; -1: none */
	uint32_t prior_flight;		 /* bytes in flight before this ACK */
	uint32_t tsecr;			 /* ts: whose answer it is (RFC 7323) */
	struct tcp_sack_block duplicate; /* dsack: what came twice */
	bool ts, dsack, progress, dupack;
	struct seq head; /* what was at snd.una, and when it was sent last; 0: SACKed before */
	int64_t head_sent_ns;
	bool in_order;	       /* the cumulative part is being looked at, not the blocks */
	bool retrans_acked;    /* something that was sent again is acknowledged */
	bool original_arrived; /* out before the recovery, never sent again, and with the peer */
	bool rate_app_limited;
	/* tcp_rate.c: of the newest frame acknowledged now */
	uint64_t rate_from;
	int64_t rate_from_ns, rate_send_ns;
};
void tcp_sack_read(struct glass *g, struct tcp_conn *c, const struct tcp_seg *seg,
		   struct tcp_ack_sum *sum);
void tcp_sent_acked(struct glass *g, struct tcp_conn *c, struct seq ack, struct tcp_ack_sum *sum);
void tcp_recover(struct glass *g, struct tcp_conn *c, const struct tcp_seg *seg,
		 struct tcp_ack_sum *sum);
void tcp_rack_timeout(struct glass *g, struct tcp_conn *c);
/* RFC 5681: everything not SACKed is lost; cwnd is one segment. */
void tcp_enter_loss(struct glass *g, struct tcp_conn *c);
/* The path takes less than was thought: all that is out goes again, in smaller pieces. */
void tcp_resend_all(struct glass *g, struct tcp_conn *c);
/* Cuts tx so that it is len long; the rest becomes a tx of its own. false: no memory. */
bool tcp_tx_split(struct glass *g, struct tcp_conn *c, struct tcp_tx *tx, uint32_t len);
void tcp_sent_purge(struct glass *g, struct tcp_conn *c);
/* The first frame that is to be sent again; NULL: none. */
struct tcp_tx *tcp_next_lost(const struct tcp_conn *c);
/* tx goes out for the first time. */
void tcp_sent_add(struct glass *g, struct tcp_conn *c, struct tcp_tx *tx);
/* Lists and counters upon a (re)transmission. */
void tcp_tx_sent(struct glass *g, struct tcp_conn *c, struct tcp_tx *tx);
static inline uint32_t tcp_in_flight(const struct tcp_conn *c)
{
	return (uint32_t)seq_diff(c->snd.nxt, c->snd.una) - c->sacked - c->lost + c->retrans;
}

/* tcp_cc.c: the algorithm of a connection, and what is common to all. */
const struct tcp_cc *tcp_cc_at(unsigned i); /* TCP_CC_*; NULL past the end */
/* Another algorithm goes on with cwnd and ssthresh. */
void tcp_cc_set(struct glass *g, struct tcp_conn *c, unsigned i);
void tcp_cc_start(struct glass *g, struct tcp_conn *c);
void tcp_cc_acked(struct glass *g, struct tcp_conn *c, const struct tcp_ack_sum *sum);
enum tcp_cc_signal { CC_LOSS, CC_TIMEOUT, CC_ECN };
/*
 * A sign of congestion: ssthresh falls; cwnd is the caller's affair. What was before is kept, when
 * this is the first sign of its window (ca_state is CA_OPEN), for tcp_cc_undo().
 */
void tcp_cc_reduce(struct glass *g, struct tcp_conn *c, enum tcp_cc_signal signal);
/*
 * The loss was none (RFC 5682, RFC 2883): cwnd, ssthresh and the algorithm's state are as before
 * the last tcp_cc_reduce(); cwnd never falls by it. The caller sets the state and clears its marks.
 */
void tcp_cc_undo(struct glass *g, struct tcp_conn *c);
/* The handshake is complete. */
void tcp_cc_established(struct glass *g, struct tcp_conn *c);
/* New data is about to leave: a window that rested is not believed (RFC 5681 4.1). */
void tcp_cc_sending(struct glass *g, struct tcp_conn *c);
/* Output has stopped: was it cwnd that stopped it? (RFC 2861) */
void tcp_cc_sent(struct glass *g, struct tcp_conn *c);
/* For the algorithms: what stood for flight_size at the loss; what acked bytes add in slow start,
 * taken from *acked. */
uint32_t tcp_cc_flight(const struct tcp_conn *c);
/*
 * Whether cwnd may grow: it was what held output back. In slow start half a window is enough, for
 * the next one is twice as large; asked at each ACK, so that it ends at twice what was out.
 */
bool tcp_cc_used(const struct tcp_conn *c);
uint32_t tcp_cc_slow_start(const struct tcp_conn *c, uint32_t *acked);
static inline uint32_t tcp_cc_least(const struct tcp_conn *c)
{
	return 2u * c->mss; /* RFC 5681 (4) */
}
static inline uint32_t tcp_now_ms(const struct glass *g)
{
	return (uint32_t)(now(g) / NS_PER_MS);
}

/* tcp_ecn.c: RFC 3168 */
/* What our SYN or SYN-ACK says of it, beside flags. */
uint8_t tcp_ecn_syn(const struct glass *g, struct tcp_conn *c, uint8_t flags);
/* What the peer's did. */
void tcp_ecn_learn(const struct glass *g, struct tcp_conn *c, uint8_t flags);
/* A segment leaves: the flags to add; sets ECT in *tos. */
uint8_t tcp_ecn_mark(struct tcp_conn *c, uint8_t flags, bool new_data, uint8_t *tos);
/* A segment has come whose payload lies in the window. */
void tcp_ecn_data(struct glass *g, struct tcp_conn *c, const struct tcp_seg *seg);
/* An acceptable ACK has come. */
void tcp_ecn_echoed(struct glass *g, struct tcp_conn *c, uint8_t flags);

/* tcp_cc_cubic.c, for its test */
uint32_t tcp_cube_root(uint64_t v);
uint32_t tcp_cubic_window(const struct tcp_cubic_curve *k, uint32_t mss, uint32_t t_ms);

/* tcp_hystart.c: RFC 9406, for the first slow start of a connection. */
void tcp_hystart_start(struct tcp_conn *c);
/* Every ACK: rounds and round-trip times; may end slow start (ssthresh). */
void tcp_hystart_acked(struct glass *g, struct tcp_conn *c, const struct tcp_ack_sum *sum);

/* tcp_reass.c */
/* The payload of an acceptable segment. Consumes p. */
enum verdict tcp_receive(struct glass *g, struct tcp_conn *c, struct pkt *p, struct tcp_seg *seg);
/* The program took n bytes. */
void tcp_consume(struct glass *g, struct tcp_conn *c, uint32_t n);
void tcp_rx_purge(struct glass *g, struct tcp_conn *c);
/* Bytes that had come before: the next ACK says so (RFC 2883). */
void tcp_note_dsack(struct tcp_conn *c, struct seq start, struct seq end);
/* Everything up to the peer's FIN has come. */
void tcp_fin_arrived(struct glass *g, struct tcp_conn *c);

/* tcp_window.c: what the peer may send. */
void tcp_window_init(struct glass *g, struct tcp_conn *c);
/* The window to advertise, moving the edge. */
uint32_t tcp_window(struct glass *g, struct tcp_conn *c);
/* The program took n bytes. */
void tcp_window_read(struct glass *g, struct tcp_conn *c, uint32_t n);

/* tcp_sendq.c: the program's bytes. */
/* How much may be queued. */
uint32_t tcp_send_limit(const struct tcp_conn *c);
uint32_t tcp_send_space(const struct tcp_conn *c);
bool tcp_writable(const struct tcp_conn *c);
void *tcp_reserve(struct glass *g, struct tcp_conn *c, size_t want, size_t *length);
int tcp_commit(struct glass *g, struct tcp_conn *c, size_t length);
/* There may be room again. */
void tcp_wake_writer(struct glass *g, struct tcp_conn *c);
void tcp_sendq_acked(struct glass *g, struct tcp_conn *c, uint32_t n);
void tcp_sendq_purge(struct glass *g, struct tcp_conn *c);

/* tcp_output.c */
void tcp_owe(struct glass *g, struct tcp_conn *c);
#define tcp_owe_ack(g, c, why)                                \
	do {                                                  \
		EVENT(g, (c)->id, 0, TCP_ACK_WHY, WORD(why)); \
		(c)->ack_now = true;                          \
		tcp_owe(g, c);                                \
	} while (0)
/* Bytes queued and never sent. */
uint32_t tcp_unsent(const struct tcp_conn *c);
/* Builds frames for the connections that owe something; false: none does. */
bool tcp_output_pending(struct glass *g);

/* tcp_segment.c */
/*
 * len new bytes (or fewer) as one frame, with a FIN when that is wished and they are the last.
 * false: no memory.
 */
bool tcp_send_data(struct glass *g, struct tcp_conn *c, uint32_t len, bool fin);
void tcp_send_syn(struct glass *g, struct tcp_conn *c);
/* n bytes of the queue have arrived though no struct tcp_tx knows of them: they went in the SYN. */
void tcp_syn_data_acked(struct glass *g, struct tcp_conn *c, uint32_t n);
void tcp_send_ack(struct glass *g, struct tcp_conn *c);
/* SYN-ACK or ACK of an embryo's ghost (tcp_embryo.c). 0: no memory; else the packet's number. */
uint32_t tcp_send_ghost(struct glass *g, struct tcp_conn *ghost, uint8_t flags, uint32_t tsval);
/* One segment with old sequence number: zero-window and keepalive probe. */
void tcp_send_probe(struct glass *g, struct tcp_conn *c);
void tcp_send_rst(struct glass *g, struct tcp_conn *c);
/* RST for a segment that belongs to no connection: RFC 9293 3.10.7.1. */
void tcp_reply_rst(struct glass *g, const struct tcp_seg *seg);
/* Sends tx again, at most limit bytes of it. false: it did not get out. */
bool tcp_retransmit(struct glass *g, struct tcp_conn *c, struct tcp_tx *tx, uint32_t limit,
		    enum tcp_rtx_kind kind);
void tcp_set_mss(struct glass *g, struct tcp_conn *c);
/* What we told the peer to send at most, options taken off. */
uint32_t tcp_advmss(const struct tcp_conn *c);
/* An ACK for an unacceptable segment, rate-limited per connection (RFC 5961 7). */
void tcp_challenge(struct glass *g, struct tcp_conn *c);
/* Is it time for another answer of that kind? Then it counts as given. */
bool tcp_may_challenge(const struct glass *g, struct tcp_conn *c);

/* tcp_timer.c */
void tcp_timers_init(struct tcp_conn *c);
void tcp_timers_stop(struct glass *g, struct tcp_conn *c);
/* The firing of a timer as an act; answers the outer act for act_end(). */
uint32_t tcp_timer_enter(struct glass *g, const struct tcp_conn *c, const struct timer *t,
			 uint64_t name);
/* After anything was sent or acknowledged: the one timer that fits now. */
void tcp_rearm(struct glass *g, struct tcp_conn *c, bool restart);
void tcp_arm_ack(struct glass *g, struct tcp_conn *c);
void tcp_arm_life(struct glass *g, struct tcp_conn *c, int64_t delay_ns, uint64_t why);
void tcp_keepalive_start(struct glass *g, struct tcp_conn *c);
/* In FIN-WAIT-2 without a program: how long. */
void tcp_fin_wait_2(struct glass *g, struct tcp_conn *c);

/* tcp_limit.c: what held it back, and how long. The times of all limiters sum to its life. */
void tcp_limit_start(struct glass *g, struct tcp_conn *c);
void tcp_limit_change(struct glass *g, struct tcp_conn *c, enum glass_limiter limiter);
/* From now on it is this one. */
static inline void tcp_limit(struct glass *g, struct tcp_conn *c, enum glass_limiter limiter)
{
	if (c->limiter != limiter)
		tcp_limit_change(g, c, limiter);
}
/* It turns out that the last wait_ns (as far as the present limiter reaches) were another's. */
void tcp_limit_was(struct glass *g, struct tcp_conn *c, enum glass_limiter limiter,
		   int64_t wait_ns);
void tcp_limit_end(struct glass *g, struct tcp_conn *c);
/* false: no memory. */
bool tcp_account_open(struct glass *g, struct tcp_conn *c);
void tcp_account_free(struct glass *g, struct tcp_conn *c);
int64_t tcp_life_ns(const struct glass *g, const struct tcp_conn *c);
int64_t tcp_limit_ns(const struct glass *g, const struct tcp_conn *c, enum glass_limiter limiter);
/* While something was to be sent or acknowledged. */
int64_t tcp_busy_ns(const struct glass *g, const struct tcp_conn *c);
/* Its word in the trace. */
uint64_t tcp_limit_word(enum glass_limiter limiter);

/* tcp_rate.c */
void tcp_rate_sent(struct glass *g, struct tcp_conn *c, struct tcp_tx *tx);
void tcp_rate_delivered(struct glass *g, struct tcp_conn *c, const struct tcp_tx *tx,
			struct tcp_ack_sum *sum);
/* At the end of an ACK. */
void tcp_rate_sample(struct glass *g, struct tcp_conn *c, const struct tcp_ack_sum *sum);
/* tcp_output has no more to send. */
void tcp_rate_stopped(struct tcp_conn *c);

/* tcp_urgent.c */
/* The last byte queued is urgent. */
void tcp_urgent_send(struct glass *g, struct tcp_conn *c);
/* The pointer of a segment of ours, and URG in *flags; 0: there is nothing to point at. */
uint16_t tcp_urgent_pointer(struct tcp_conn *c, struct seq seq, uint32_t len, uint8_t *flags);
/* What an acceptable segment, not trimmed yet, says of urgent data. */
void tcp_urgent_arrived(struct glass *g, struct tcp_conn *c, const struct tcp_seg *seg);
/* How many bytes the program will read before the urgent one, come or not; -1: there is none. */
int64_t tcp_urgent_at(struct tcp_conn *c);

/* The user's doors: tcp_user.c */
void tcp_shutdown_wr(struct glass *g, struct tcp_conn *c);
void tcp_close(struct glass *g, struct tcp_conn *c);
void tcp_abort(struct glass *g, struct tcp_conn *c, int error);

/* Errors from below. */
enum verdict tcp_icmp_error(struct glass *g, struct pkt *p, const struct icmp_error *e);
/* tcp_pmtu.c: how large a segment may be. */
/* RFC 1191; the caller has checked that the quoted segment is in flight (RFC 5927 7). */
void tcp_path_mtu(struct glass *g, struct tcp_conn *c, uint32_t mtu_bytes);
void tcp_pmtu_established(struct glass *g, struct tcp_conn *c);
/* The retransmission timer expired: a black hole? */
void tcp_pmtu_timeout(struct glass *g, struct tcp_conn *c);
/* One segment larger than usual, when it is time for one. true: it was sent. */
bool tcp_pmtu_probe(struct glass *g, struct tcp_conn *c, uint32_t unsent);
void tcp_pmtu_acked(struct glass *g, struct tcp_conn *c);
/* tx is about to be sent again: was it the probe? */
void tcp_pmtu_resent(struct glass *g, struct tcp_conn *c, const struct tcp_tx *tx);
/* A device's MTU has changed: connections over it send no segment that it would refuse. */
void tcp_dev_mtu(struct glass *g, unsigned dev);
void tcp_output_failed(struct glass *g, uint32_t conn, int error);

#endif
