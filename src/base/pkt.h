/* SPDX-License-Identifier: MIT */
/*
 * A packet and its bytes.
 *
 * A packet has one owner: functions named x_input and x_output consume it, a const struct pkt *
 * only looks. Its linear bytes (headers; of a received packet everything) lie in one buffer or,
 * when they are few, in the packet itself. A packet to be sent may go on with frags: references
 * to bytes that somebody else keeps, such as a connection's send queue. Buffers are counted;
 * packets are not.
 *
 *	base        data            data+len        end
 *	 | headroom  | linear bytes  |   tailroom    |	then frag[0], frag[1] ...
 *
 * Bytes are reached by pkt_pull, pkt_peek and pkt_push only, and these answer NULL when there are
 * not enough.
 */
#ifndef GLASS_BASE_PKT_H
#define GLASS_BASE_PKT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "list.h"

#define PKT_INLINE_BYTES 160 /* Ethernet 14 + IP 60 + TCP 60, and a little payload */
#define PKT_FRAGS_MAX 17     /* a super-packet of 64 KB from buffers of 4 KB */
#define BUF_BIG_BYTES 69632  /* room for the largest frame a device delivers: 64 KB and headers */
#define POOL_SPARE_MAX 16    /* big buffers and packets kept for the next user: stays in L2 */

/* Counted bytes. Whoever stores a pointer holds a reference. */
struct buf {
	uint32_t refs;
	uint32_t cap;
	struct buf *next_spare;
	uint8_t bytes[];
};

struct frag {
	struct buf *buf;
	uint32_t off, len;
};

enum pkt_flag {
	/* in: no full checksum came with it. out: somebody below completes it */
	PKT_CSUM_PARTIAL = 1,
	PKT_CSUM_VALID = 2,	/* in: the device has checked the transport checksum */
	PKT_LINK_BROADCAST = 4, /* in: broadcast or multicast of the link: no errors about it */
	PKT_LOOPED = 8,		/* came over lo: from ourselves */
	PKT_BUILT = 16,		/* by ourselves: its drop is not one of a received packet */
	PKT_GSO_ECN = 32,
};

struct pkt {
	struct list node; /* in its owner's one queue */
	struct buf *buf;  /* linear bytes; NULL: they are in inline_bytes */
	uint8_t *base, *end;
	uint8_t *data;
	uint32_t len;	   /* linear bytes from data */
	uint32_t frag_len; /* sum over frags */
	uint8_t nfrags;
	uint8_t dev;
	uint8_t flags; /* enum pkt_flag */
	uint8_t l4_proto;
	uint32_t id;	     /* its number in the trace */
	uint32_t cause;	     /* the act that led to it */
	uint32_t conn;	     /* the connection it belongs to, once known */
	uint16_t gso_size;   /* 0: one packet; else payload bytes per segment */
	uint16_t csum_start; /* in: where the device says the sum begins */
	uint16_t hdr_len;    /* in: its word for the headers */
	/* PKT_CSUM_PARTIAL: of the checksum field, from l4 (out) or csum_start (in) */
	uint16_t csum_offset;
	uint8_t *l3, *l4;  /* start of the IP and of the transport header, once known */
	uint32_t seq;	   /* owner's key: TCP sequence number in a receive queue */
	uint32_t next_hop; /* while it waits for a neighbour: IPv4, host order */
	int64_t time_ns;   /* when it came in */
	struct frag frag[PKT_FRAGS_MAX];
	uint8_t inline_bytes[PKT_INLINE_BYTES];
};

/* Where packets and buffers come from, and the account of them. */
struct pool {
	struct list spare_pkts;
	struct buf *spare_bufs;
	uint32_t spare_pkt_count, spare_buf_count;
	uint32_t pkts, bufs;	 /* alive */
	uint64_t bytes;		 /* alive, headers included */
	uint64_t bytes_max;	 /* allocation fails above */
	uint64_t fail_countdown; /* tests: the n-th allocation fails; 0: never */
};

void pool_init(struct pool *pool, uint64_t bytes_max);
/* Everything must have been freed. */
void pool_fini(struct pool *pool);
/* Zeroed memory on the pool's account, for objects of any kind; NULL: none. */
void *pool_alloc(struct pool *pool, size_t bytes);
void pool_free(struct pool *pool, void *mem, size_t bytes);

/*
 * More than so many eighths are in use. Who can do without asks before allocating, so that the rest
 * stays for what gives memory back: ACKs, retransmissions, bytes in order.
 */
static inline bool pool_short(const struct pool *pool, unsigned eighths)
{
	return pool->bytes > pool->bytes_max / 8 * eighths;
}

/* One reference, the caller's; NULL: out of memory. */
struct buf *buf_new(struct pool *pool, size_t cap);
static inline struct buf *buf_ref(struct buf *b)
{
	b->refs++;
	return b;
}
void buf_unref(struct pool *pool, struct buf *b);

/*
 * An empty packet whose data starts after headroom bytes, with room for size more. Out of memory:
 * NULL. The id is 0 until somebody (pkt_build() in the stack) gives it one.
 */
struct pkt *pkt_new(struct pool *pool, size_t headroom, size_t size);
void pkt_free(struct pool *pool, struct pkt *p);

/* All bytes, linear and frags. */
static inline uint32_t pkt_len(const struct pkt *p)
{
	return p->len + p->frag_len;
}

/* What it costs to keep, in bytes of memory. */
static inline uint32_t pkt_truesize(const struct pkt *p)
{
	return (uint32_t)sizeof(*p) + (p->buf ? p->buf->cap : 0);
}

/* Takes n bytes from the front: a pointer to them, or NULL when the packet is shorter. */
static inline void *pkt_pull(struct pkt *p, size_t n)
{
	uint8_t *at = p->data;

	if (p->len < n)
		return NULL;
	p->data += n;
	p->len -= (uint32_t)n;
	return at;
}

/* n bytes at offset off, which stay; NULL when the packet is shorter. */
static inline const void *pkt_peek(const struct pkt *p, size_t off, size_t n)
{
	if (p->len < off || p->len - off < n)
		return NULL;
	return p->data + off;
}

/*
 * n bytes in front, as room for a header. The headroom is the builder's to have asked for: it is
 * asserted.
 */
void *pkt_push(struct pkt *p, size_t n);
/* n bytes at the end, as room for payload; NULL: no room. */
void *pkt_put(struct pkt *p, size_t n);
/* Cuts the linear bytes to len; longer stays as it is. */
void pkt_trim(struct pkt *p, size_t len);
/*
 * Goes on with a reference to bytes of b (takes its own reference); false: PKT_FRAGS_MAX are
 * there already.
 */
bool pkt_add_frag(struct pkt *p, struct buf *b, uint32_t off, uint32_t len);
/* Copies n bytes from offset off (linear and frags) to out; false: fewer are there. */
bool pkt_copy_out(const struct pkt *p, size_t off, void *out, size_t n);
/*
 * Moves a received packet's bytes into a buffer of fitting size, when it wastes most of the one
 * it has. On lack of memory it stays as it is.
 */
void pkt_compact(struct pool *pool, struct pkt *p);
/* The same into a buffer of cap bytes, which leaves room at the end; false: no memory. */
bool pkt_move(struct pool *pool, struct pkt *p, size_t cap);

#endif
