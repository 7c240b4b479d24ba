/* SPDX-License-Identifier: MIT */
/*
 * The send queue: the program's bytes, once, from the first unacknowledged one on. They are
 * written by the program's side straight into their place; frames refer to them until they are
 * acknowledged. The limit counts bytes, so a buffer is never much larger than what lies in it: at
 * most twice, or TCP_CHUNK_BYTES.
 *
 * In: the socket layer (reserve, commit), tcp_ack.  Out: tcp_owe.
 */
#include "tcp.h"
#include "tcp_account.h"
#include "tcp_output.h"
#include "tcp_recovery.h"

#include <assert.h>
#include <string.h>

#define SMALL_COMMIT_BYTES \
	8192 /* up to this much is copied together rather than given a buffer of its own */
#define SEND_EIGHTHS 6 /* of all memory: beyond, programs' new bytes wait */

/*
 * The program may be ahead of the network by two windows: more would only fill memory (and leave
 * the caches). In a recovery, by those that it leads to. What lies beyond a hole at the peer
 * already (SACK) is no part of them: while the hole is being filled, new bytes must replace what
 * has arrived. The tunable is the upper bound; a program that sets SO_SNDBUF has that.
 */
uint32_t tcp_send_limit(const struct tcp_conn *c)
{
	uint32_t window = c->cwnd, limit;

	if (c->ca_state != CA_OPEN && window < c->ssthresh)
		window = c->ssthresh;
	if (window > UINT32_MAX / 4)
		window = UINT32_MAX / 4;
	limit = 2 * window > TCP_SEND_AHEAD_BYTES ? 2 * window : TCP_SEND_AHEAD_BYTES;
	limit += c->out->sacked;
	return limit > c->config.sndbuf || c->config.sndbuf_locked ? c->config.sndbuf : limit;
}

/*
 * What is kept of the frames that are out may cost as much as the bytes may: a program that sends
 * byte by byte waits for the peer then, and its next bytes leave together.
 */
static uint32_t queue_space(const struct tcp_conn *c)
{
	uint32_t limit = tcp_send_limit(c);

	if (c->out->frames >= limit / sizeof(struct tcp_tx) + 1)
		return 0;
	return c->queued < limit ? limit - c->queued : 0;
}

/* TCP_NOTSENT_LOWAT: what the program may still queue that cannot be sent yet. */
static uint32_t notsent_space(const struct tcp_conn *c)
{
	uint32_t unsent = tcp_synchronized(c) ? tcp_unsent(c) : c->queued;

	return unsent < c->config.notsent_lowat ? c->config.notsent_lowat - unsent : 0;
}

/* The same for a write, of which some goes at once. */
static uint32_t lowat_room(const struct tcp_conn *c, uint32_t unsent, uint32_t sendable)
{
	uint64_t room = (uint64_t)c->config.notsent_lowat + sendable;

	return unsent < room ? (uint32_t)(room - unsent) : 0;
}

uint32_t tcp_send_space(const struct tcp_conn *c)
{
	uint32_t space = queue_space(c);
	uint32_t notsent = notsent_space(c);

	return space < notsent ? space : notsent;
}

/* As Linux: worth waking a writer for, a third of the buffer. */
bool tcp_writable(const struct tcp_conn *c)
{
	uint32_t space = tcp_send_space(c), ahead = c->queued - c->out->sacked;

	if (notsent_space(c) < c->config.notsent_lowat / 2) /* as Linux: half of it is free */
		return false;
	return space && (space >= ahead / 2 || c->config.notsent_lowat < c->queued);
}

/*
 * How much a write may put into the queue. A limit is where it stops, not where it cuts: as in
 * Linux, what cannot go at once ends with a whole frame (half of the peer's window at most), for a
 * rest would only be sent as one. What can go at once does not count as "not sent".
 */
static uint32_t write_room(const struct tcp_conn *c)
{
	uint32_t space = queue_space(c);
	uint32_t unsent = tcp_synchronized(c) ? tcp_unsent(c) : c->queued, sendable, frame;
	uint32_t most = c->snd.wnd_max / 2;

	sendable = tcp_sendable(c);
	if (c->config.notsent_lowat != UINT32_MAX && space > lowat_room(c, unsent, sendable))
		space = lowat_room(c, unsent, sendable);
	sendable = sendable > unsent ? sendable - unsent : 0;
	if (space <= sendable)
		return space;
	most = most < TCP_SUPER_BYTES_MAX ? most : TCP_SUPER_BYTES_MAX;
	frame = most < c->mss ? c->mss : most / c->mss * c->mss;
	return sendable + (space - sendable + frame - 1) / frame * frame;
}

/*
 * Where the next bytes of a program go. Few are copied together afterwards, so that any buffer will
 * do; more will stay in it, and then it is no larger than twice what was asked for. NULL: no
 * memory.
 */
static struct buf *spare_for(struct glass *g, size_t n)
{
	struct buf **spare = &g->tcp->spare;

	if (*spare && (*spare)->cap >= n && (n <= SMALL_COMMIT_BYTES || n >= (*spare)->cap / 2))
		return *spare;
	buf_unref(&g->pool, *spare);
	if (n < SMALL_COMMIT_BYTES)
		n = SMALL_COMMIT_BYTES;
	*spare = buf_new(&g->pool, n >= BUF_BIG_BYTES / 2 ? BUF_BIG_BYTES : n);
	return *spare;
}

void *tcp_reserve(struct glass *g, struct tcp_conn *c, size_t want, size_t *length)
{
	size_t space = write_room(c), n = want < space ? want : space;
	struct buf *b = NULL;

	*length = 0;
	if (!space && c->limiter == GLASS_LIMIT_DELIVERY)
		tcp_limit(g, c, GLASS_LIMIT_SNDBUF);
	if (!space)
		return NULL;
	if (n > TCP_SUPER_BYTES_MAX)
		n = TCP_SUPER_BYTES_MAX;
	if (!pool_short(&g->pool, SEND_EIGHTHS))
		b = spare_for(g, n);
	if (!b) {
		/* No ACK need be due that would wake the program. */
		stat_inc(g, STAT_NOMEM);
		c->starved = true;
		tcp_arm_ack(g, c);
		return NULL;
	}
	*length = n;
	return b->bytes;
}

/*
 * A chunk at the end of the queue with room for n bytes more, or a new one; NULL: no memory. A
 * record begins a new one, in the buffer of the one before it if that has room: records may be of a
 * byte each.
 */
static struct tcp_chunk *chunk_for(struct glass *g, struct tcp_conn *c, struct buf *b, size_t n)
{
	struct tcp_chunk *last =
		list_empty(&c->chunks) ? NULL : list_last(&c->chunks, struct tcp_chunk, node);
	bool room = !b && last && last->buf->cap - last->off - last->len >= n;
	struct tcp_chunk *k;

	if (room && !last->record_end)
		return last;
	k = pool_alloc(&g->pool, sizeof(*k));
	if (!k)
		return NULL;
	if (room) {
		k->buf = buf_ref(last->buf);
		k->off = last->off + last->len;
	} else {
		k->buf = b ? b : buf_new(&g->pool, n < TCP_CHUNK_BYTES ? TCP_CHUNK_BYTES : n);
	}
	if (!k->buf) {
		pool_free(&g->pool, k, sizeof(*k));
		return NULL;
	}
	list_append(&c->chunks, &k->node);
	return k;
}

int tcp_commit(struct glass *g, struct tcp_conn *c, size_t length)
{
	struct tcp_table *t = g->tcp;
	struct tcp_chunk *k;
	bool small;

	if (!length)
		return 0;
	assert(t->spare && length <= t->spare->cap);
	small = length <= SMALL_COMMIT_BYTES || length < t->spare->cap / 2; /* fewer came */
	k = chunk_for(g, c, small ? NULL : t->spare, length);
	if (!k) {
		stat_inc(g, STAT_NOMEM);
		return -ENOBUFS;
	}
	if (small)
		memcpy(k->buf->bytes + k->off + k->len, t->spare->bytes, length);
	else
		t->spare = NULL;
	if (!c->next_chunk) {
		c->next_chunk = k;
		c->next_off = k->off + k->len;
	}
	k->len += (uint32_t)length;
	c->queued += (uint32_t)length;
	tcp_owe(g, c);
	return 0;
}

void tcp_end_record(struct tcp_conn *c)
{
	if (list_empty(&c->chunks))
		return;
	list_last(&c->chunks, struct tcp_chunk, node)->record_end = true;
	c->records = true;
}

uint32_t tcp_record_left(const struct tcp_conn *c, uint32_t unsent)
{
	struct tcp_chunk *k = c->next_chunk;
	uint32_t off = c->next_off, n = 0;

	if (!c->records)
		return unsent;
	for (; n < unsent; off = k->off) {
		n += k->off + k->len - off;
		if (n && k->record_end)
			break;
		if (k->node.next == &c->chunks)
			break;
		k = container_of(k->node.next, struct tcp_chunk, node);
	}
	return n < unsent ? n : unsent;
}

void tcp_sendq_acked(struct glass *g, struct tcp_conn *c, uint32_t n)
{
	assert(n <= c->queued);
	c->queued -= n;
	while (n) {
		struct tcp_chunk *k = list_first(&c->chunks, struct tcp_chunk, node);

		if (n < k->len) {
			k->off += n;
			k->len -= n;
			break;
		}
		n -= k->len;
		if (k ==
		    c->next_chunk) { /* all of it was sent: what comes next begins the next one */
			assert(c->next_off == k->off + k->len);
			c->next_chunk =
				k->node.next == &c->chunks
					? NULL
					: container_of(k->node.next, struct tcp_chunk, node);
			c->next_off = c->next_chunk ? c->next_chunk->off : 0;
		}
		list_remove(&k->node);
		buf_unref(&g->pool, k->buf);
		pool_free(&g->pool, k, sizeof(*k));
	}
	tcp_wake_writer(g, c);
}

void tcp_wake_writer(struct glass *g, struct tcp_conn *c)
{
	if (!c->want_out || !tcp_writable(c))
		return;
	c->want_out = false;
	wake(g, &c->waker);
}

void tcp_sendq_purge(struct glass *g, struct tcp_conn *c)
{
	tcp_sent_purge(g, c);
	list_for_each_safe(k, &c->chunks, struct tcp_chunk, node) {
		list_remove(&k->node);
		buf_unref(&g->pool, k->buf);
		pool_free(&g->pool, k, sizeof(*k));
	}
	c->queued = 0;
	c->next_chunk = NULL;
}
