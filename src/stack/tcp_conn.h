/* SPDX-License-Identifier: MIT */
/*
 * One connection: what it knows. Who acts on it has a header of its own: tcp.h (tables, birth,
 * death, the user's doors), tcp_listen.h, tcp_input.h, tcp_recovery.h, tcp_cc.h, tcp_output.h,
 * tcp_account.h (what it did).
 *
 * Bytes to be sent lie once, in the chunks of the send queue, until they are acknowledged; frames
 * refer to them. What is out, and what is made of it, is in tcp_tx.h: an idle connection has none.
 */
#ifndef GLASS_STACK_TCP_CONN_H
#define GLASS_STACK_TCP_CONN_H

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

struct tcp_account;
struct tcp_cc;
struct tcp_listener;
struct tcp_port;

/* What a program sets before or after connecting; a listener's connections inherit it. */
struct tcp_config {
	uint32_t sndbuf, rcvbuf;  /* bytes */
	uint32_t window_clamp;	  /* 0: none */
	uint32_t notsent_lowat;	  /* bytes that may be queued and not sent */
	uint32_t user_timeout_ms; /* 0: retries decide */
	int32_t linger_s;	  /* -1: off */
	uint16_t maxseg;	  /* 0: from the MTU */
	uint16_t keep_idle_s, keep_interval_s;
	int16_t fin_wait_s;	/* FIN-WAIT-2 without program; 0: tunable, -1: none */
	uint16_t fastopen_qlen; /* a listener's: fast opens under way at most; 0: none */
	uint8_t ttl, tos;	/* ttl 0: default */
	uint8_t defer_accept;	/* SYN-ACKs to wait for data: TCP_DEFER_ACCEPT */
	uint8_t syn_retries, keep_count;
	uint8_t cc;				   /* TCP_CC_* */
	uint8_t bound;				   /* SO_BINDTODEVICE: number + 1; 0: to none */
	bool sndbuf_locked : 1, rcvbuf_locked : 1; /* by the program: they do not follow the path */
	bool nodelay : 1, cork : 1, keepalive : 1, quickack : 1;
	/* RFC 7413: connect() waits for the first bytes, when it may; no cookie is needed (7.3) */
	bool fastopen_connect : 1, fastopen_no_cookie : 1;
	bool notsent_own : 1; /* TCP_NOTSENT_LOWAT was set: it is not the tunable */
};

/* Bytes of the send queue. */
struct tcp_chunk {
	struct list node;
	struct buf *buf;
	uint32_t off, len; /* in buf->bytes: first byte not acknowledged, bytes from there */
	bool record_end;   /* MSG_EOR: its last byte and the next one share no segment */
};

enum tcp_ca_state { CA_OPEN, CA_RECOVERY, CA_LOSS };

enum tcp_rtx_timer { RTX_NONE, RTX_RTO, RTX_PROBE, RTX_REORDER, RTX_RENEGED, RTX_PERSIST };

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
	uint8_t snd_wscale, rcv_wscale;
	uint8_t limiter; /* enum glass_limiter */
	bool hashed : 1;
	bool connected_once : 1; /* reached ESTABLISHED, or a fast open: the program may use it */
	bool closed_by_user : 1; /* no reader any more: data is answered with RST */
	bool shut_rd : 1;
	bool wscale_ok : 1, sack_ok : 1, ts_ok : 1;
	bool in_burst : 1; /* new data has left in this round of tcp_output() */
	/* RFC 3168: agreed; ECE is owed; CWR is; the peer has sent ECT. */
	bool ecn_ok : 1, ecn_echo : 1, ecn_cwr : 1, ecn_seen : 1;
	bool reduce_ecn : 1; /* a mark was the reason of the last reduction */
	/* RFC 7413, tcp_fastopen.c and tcp_fastopen_client.c */
	bool fastopen_wanted : 1; /* our SYN is to have the option */
	bool fastopen_asked : 1;  /* it had */
	bool syn_waits : 1;	  /* in SYN-SENT: for the program's first bytes */
	bool fastopen_child : 1;  /* born of a SYN with a valid cookie: it has been open since */
	bool fastopen_tell : 1;	  /* our SYN-ACK tells a cookie; of fastopen_of */
	bool fastopen_exp : 1;	  /* our option is that of the experiment */
	bool syn_data_acked : 1;  /* the data of the SYN was accepted: ours, or the peer's */
	bool syn_data_again : 1;  /* ours, or some of it, was not, and goes next */
	/* Sending: tcp_output.c */
	bool fin_queued : 1, fin_sent : 1;
	bool snd_urgent : 1, rcv_urgent : 1; /* snd_up, rcv_up are valid: tcp_urgent.c */
	bool force_out : 1;	  /* a timer says: send what waits, full segment or not */
	bool more : 1;		  /* MSG_MORE: until the next write, ACK or 200 ms */
	bool unpushed : 1;	  /* the last bytes were written with it: no PSH */
	bool records : 1;	  /* a chunk may have record_end */
	bool want_out : 1;	  /* the program waits for room */
	bool starved : 1;	  /* there was no memory for its bytes: it is to try again soon */
	bool cwnd_limited : 1;	  /* cwnd was all that held output back, of late */
	bool rack_dsack_wait : 1; /* until rack_dsack_round duplicates say nothing new */
	/* Receiving: tcp_reass.c */
	bool ack_now : 1;      /* an ACK is owed at once */
	bool pingpong : 1;     /* the program answers: ACKs can ride on data */
	bool dsack : 1;	       /* dsack_block is to be told */
	bool fin_received : 1; /* and everything before it */
	bool fin_known : 1;    /* fin_seq is valid: a FIN waits behind a hole */
	uint8_t quick;	       /* segments still to be acknowledged at once */
	uint8_t nsack;
	uint8_t rtx_mode; /* enum tcp_rtx_timer */
	uint8_t backoff;  /* doublings of rto_ns: until the next sample (RFC 6298 5) */
	uint8_t timeouts; /* in a row, without progress: RFC 9293 3.8.3 */
	uint8_t probes;	  /* zero-window or keepalive probes in a row */
	uint8_t ca_state; /* enum tcp_ca_state */
	uint8_t dupacks;
	uint8_t rack_reo_mult, rack_reo_persist;
	uint16_t mss;			/* payload of a full segment to send, options taken off */
	uint16_t peer_mss;		/* as the peer told, or the default; 0: no SYN has come */
	uint16_t pmtu_high, pmtu_probe; /* searching below; size that is tried now. 0: not */
	uint16_t rcv_mss;		/* largest segment received, as an estimate of the peer's */
	uint16_t syn_data;		/* bytes that went with our SYN */

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
	struct tcp_chunk *next_chunk; /* of the next new byte; NULL: none */
	struct tcp_flight *out;	      /* what is out; while nothing is: &tcp_no_flight */
	uint32_t next_off;
	uint32_t queued;      /* bytes in chunks, sent or not */
	struct seq small_end; /* end of the last segment that was not full (Nagle) */
	struct seq snd_up;    /* behind our urgent byte */
	struct seq rcv_up;    /* the peer's urgent byte */
	uint32_t syn_pkt;     /* number of the packet that carried our first SYN */
	const struct tcp_cc *cc;
	union {
		struct tcp_hystart hystart; /* cubic, while ssthresh is UINT32_MAX */
		struct tcp_cubic cubic;
		uint32_t reno_count;
	} cc_state; /* of cc, and zero when it begins */
	uint32_t cwnd, ssthresh;
	uint32_t flight_size;	    /* RFC 5681 2, before the ACK or timeout of now */
	uint32_t out_max, out_used; /* most in flight: in the window up to out_end, since used_ms */
	struct seq out_end;
	struct seq reduce_end; /* snd.nxt at the last reduction */
	uint32_t used_ms;      /* when cwnd was full, or last cut because it was not */
	uint32_t data_ms;      /* payload went out */
	struct seq recover;    /* snd.nxt when the recovery began */

	/* RACK, RFC 8985: what it has learned of the path */
	struct seq rack_dsack_round;
	uint16_t reord_seen;
	uint16_t reordering; /* how many segments late the latest was; 0: none ever */
	uint16_t dup_count;  /* duplicates answered one by one in this drs period */
	int64_t rack_min_rtt_ns;

	/* Round-trip time: RFC 6298 */
	int64_t srtt_ns, rttvar_ns, rto_ns;
	int64_t rtx_since_ns; /* when the oldest unacknowledged byte was first timed out; 0: not */

	struct timer rtx_timer, ack_timer, life_timer;

	/* Receiving: tcp_reass.c */
	struct list rx;	 /* struct pkt in order */
	struct list ooo; /* struct pkt by seq */
	uint32_t rx_bytes;
	uint32_t ooo_bytes, ooo_count;
	struct tcp_sack_block sack[TCP_SACK_BLOCKS_MAX]; /* nsack of them, most recent first */
	struct tcp_sack_block dsack_block;
	struct seq fin_seq;
	uint32_t unacked; /* bytes received since the last ACK sent */
	/* Receive window growth: bytes read in this period and the last, its start; tcp_window.c */
	uint32_t drs_bytes, drs_us;
	uint16_t drs_last_kb;
	uint16_t drs_rtt_ms;  /* shortest way from an ACK of ours to what it let out; 0: not seen */
	int64_t last_data_ns; /* payload came in */
	int64_t last_rx_ns;   /* anything acceptable came in */
	int64_t last_tx_ns;
	int64_t challenge_ns; /* last challenge ACK or answer to an unacceptable segment */

	/* RFC 7323 */
	uint32_t ts_offset, ts_recent;
	int64_t ts_recent_ns;

	/* The account of its time: tcp_limit.c */
	int64_t born_ns, limit_since_ns;
	struct tcp_account *account; /* NULL: nothing was sent, two limiters at most */

	int error; /* what the program is to be told; positive errno */
	int soft_error;
	const char *error_why;

	uint64_t bytes_received;
	uint32_t segs_out, segs_in, data_segs_in, ooo_segs, retrans_total;
	uint32_t dsack_dups; /* segments that the peer got twice */
};

static inline bool tcp_synchronized(const struct tcp_conn *c)
{
	return c->state >= TCPS_ESTABLISHED;
}

static inline uint32_t tcp_in_flight(const struct tcp_conn *c)
{
	return (uint32_t)seq_diff(c->snd.nxt, c->snd.una) - c->out->sacked - c->out->lost +
	       c->out->retrans;
}

static inline uint32_t tcp_now_ms(const struct glass *g)
{
	return (uint32_t)(now(g) / NS_PER_MS);
}

#endif
